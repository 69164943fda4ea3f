/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options that all commands know. They may stand anywhere on the command line, so that no command can
 * have an option of the same name.
 */
#include "cli.h"

#include <stdio.h>

static const struct {
	const char *name, *value_name, *help;
} global_options[] = {
	{"--endpoint", "URL", "where the API is (PRIVLINK_ENDPOINT; where this machine's privlinkd listens)"},
	{"--ca", "FILE", "certificates to trust (PRIVLINK_CA; <state-dir>/ca.crt)"},
	{"--access-key-id", "ID", "who calls (PRIVLINK_ACCESS_KEY_ID)"},
	{"--access-key-secret", "TEXT",
	 "and the key's secret (PRIVLINK_ACCESS_KEY_SECRET); - reads it from stdin"},
	{"--region", "REGION", "region (PRIVLINK_REGION; cn-hangzhou)"},
	{"--config", "FILE", "read settings from FILE (PRIVLINK_CONFIG; ~/.config/privlink/config)"},
	{"--state-dir", "DIR", "where this machine keeps its state (PRIVLINK_STATE_DIR; /var/lib/privlink)"},
	{"--json", NULL, "print answers as JSON"},
	{"--wait", NULL, "wait until what was asked for is done"},
	{"--timeout", "S", "wait at most S seconds (60)"},
};

static char **text_slot(struct cli *cli, const char *name)
{
	return streq(name, "--endpoint")	    ? &cli->endpoint
	       : streq(name, "--ca")		    ? &cli->ca
	       : streq(name, "--access-key-id")	    ? &cli->key_id
	       : streq(name, "--access-key-secret") ? &cli->key_secret
	       : streq(name, "--region")	    ? &cli->region
	       : streq(name, "--config")	    ? &cli->config_path
	       : streq(name, "--state-dir")	    ? &cli->state_dir
						    : NULL;
}

static int set_timeout(struct cli *cli, const char *value)
{
	char *end;
	unsigned long seconds = strtoul(value, &end, 10);

	if (!*value || *end || seconds == 0 || seconds > 86400)
		return cli_usage("--timeout %s: expected seconds, 1 to 86400", value), -EINVAL;
	cli->timeout_s = (unsigned int)seconds;
	return 1;
}

bool cli_is_global_option(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(global_options); i++)
		if (streq(global_options[i].name, name))
			return true;
	return false;
}

void cli_global_help(FILE *to)
{
	for (size_t i = 0; i < ARRAY_SIZE(global_options); i++)
		fprintf(to, "  %-19s %-7s %s\n", global_options[i].name, global_options[i].value_name ?: "",
			global_options[i].help);
}

/* The first line of standard input. */
static int read_secret(char **ret)
{
	char line[256];

	if (!fgets(line, sizeof(line), stdin))
		return cli_usage("--access-key-secret -: there is nothing on standard input"), -EINVAL;
	line[strcspn(line, "\r\n")] = '\0';
	*ret = strdup(line);
	explicit_bzero(line, sizeof(line));
	return *ret ? 1 : -ENOMEM;
}

/* Whoever lists processes sees their arguments: it is taken out of them at once. */
static int take_secret(char **ret, char *value)
{
	if (streq(value, "-"))
		return read_secret(ret);
	*ret = strdup(value);
	explicit_bzero(value, strlen(value));
	return *ret ? 1 : -ENOMEM;
}

int cli_global_option(struct cli *cli, int argc, char **argv, int *i)
{
	const char *name = argv[*i];
	char *value;
	char **slot;

	if (streq(name, "--json"))
		return cli->json = true, 1;
	if (streq(name, "--wait"))
		return cli->wait = true, 1;
	slot = text_slot(cli, name);
	if (!slot && !streq(name, "--timeout"))
		return 0;
	if (*i + 1 >= argc)
		return cli_usage("%s needs a value", name), -EINVAL;
	value = argv[++*i];
	if (!slot)
		return set_timeout(cli, value);
	free(*slot);
	if (slot == &cli->key_secret)
		return take_secret(slot, value);
	*slot = strdup(value);
	return *slot ? 1 : -ENOMEM;
}
