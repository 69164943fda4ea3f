/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options that all commands know, and where else they come from. Options may stand anywhere on the
 * command line, so that no command can have one of the same name. What they leave open comes from the
 * environment (PRIVLINK_…), then from ~/.config/privlink/config (or --config FILE), then, on the machine
 * itself, from what the daemon wrote: where it listens (api.env) and, for root, the administrator's key
 * (admin.env). An access key and its secret belong together: both come from the first place that has either.
 */
#include "cli.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define MEMBER(m) offsetof(struct cli, m)

static int is_timeout(const char *value)
{
	char *end;
	unsigned long seconds = strtoul(value, &end, 10);

	return !*end && seconds >= 1 && seconds <= 86400 ? 0 : -EINVAL;
}

static int is_output(const char *value)
{
	return streq(value, "table") || streq(value, "wide") || streq(value, "json") ? 0 : -EINVAL;
}

/* clang-format off */
static const struct option_row rows[] = {
	{ "endpoint", OPTION_TEXT, MEMBER(endpoint), "https://127.0.0.1:8443", "URL",
	  "where the API is; on its machine, where privlinkd listens" },
	{ "ca", OPTION_TEXT, MEMBER(ca), NULL, "FILE", "certificates to trust; else <state-dir>/ca.crt, or the system's" },
	{ "access-key-id", OPTION_TEXT, MEMBER(key_id), NULL, "ID", "who calls" },
	{ "access-key-secret", OPTION_TEXT, MEMBER(key_secret), NULL, "TEXT",
	  "and the key's secret; - reads it from stdin", .secret = true },
	{ "region", OPTION_TEXT, MEMBER(region), "cn-hangzhou", "REGION", "region" },
	{ "config", OPTION_TEXT, MEMBER(config_path), NULL, "FILE",
	  "read options from FILE, lines \"name = value\"; else ~/.config/privlink/config", OPTION_NOT_FILE },
	{ "state-dir", OPTION_TEXT, MEMBER(state_dir), CLI_DEFAULT_STATE_DIR, "DIR",
	  "where this machine keeps its state", OPTION_NOT_FILE },
	{ "output", OPTION_TEXT, MEMBER(output), NULL, "FORM",
	  "-o table (80 columns), wide (all that there is) or json", OPTION_ARGUMENT, .check = is_output,
	  .expected = "table, wide or json" },
	{ "json", OPTION_SWITCH, MEMBER(json), NULL, NULL, "print answers as JSON, as -o json", OPTION_ARGUMENT },
	{ "wait", OPTION_SWITCH, MEMBER(wait), NULL, NULL, "wait until what was asked for is done", OPTION_ARGUMENT },
	{ "timeout", OPTION_NUMBER, MEMBER(timeout_s), NULL, "S", "wait at most S seconds (60)", OPTION_ARGUMENT,
	  .check = is_timeout, .expected = "seconds, 1 to 86400" },
};
/* clang-format on */

static void complain(const char *text)
{
	(void)cli_fail("%s", text);
}

const struct option_table cli_options = {rows, ARRAY_SIZE(rows), "PRIVLINK_", complain};

/* The first line of standard input. */
static int read_secret(struct cli *cli)
{
	char line[256];

	if (!fgets(line, sizeof(line), stdin))
		return cli_usage("--access-key-secret -: there is nothing on standard input"), -EINVAL;
	line[strcspn(line, "\r\n")] = '\0';
	free(cli->key_secret);
	cli->key_secret = strdup(line);
	explicit_bzero(line, sizeof(line));
	return cli->key_secret ? 0 : -ENOMEM;
}

int cli_take_options(struct cli *cli, int *argc, char **argv, bool front_only)
{
	int kept = 0, r;

	static char output[] = "--output";

	for (int i = 0; i < *argc; i++) {
		if (streq(argv[i], "-o") && !(kept > 0 && front_only))
			argv[i] = output;
		r = kept > 0 && front_only ? 0 : options_argument(&cli_options, cli, *argc, argv, &i);
		if (r > 0 && cli->key_secret && streq(cli->key_secret, "-"))
			r = read_secret(cli) < 0 ? -EINVAL : 1;
		if (r < 0)
			return r;
		if (r == 0)
			argv[kept++] = argv[i];
	}
	cli->json = cli->json || (cli->output && streq(cli->output, "json"));
	cli->wide = cli->output && streq(cli->output, "wide");
	argv[kept] = NULL; /* exec hands the rest on as it stands */
	*argc = kept;
	return 0;
}

/* ---- settings ---- */

static int take_environment(struct cli *cli, _unused_ const char *path)
{
	return options_environment(&cli_options, cli);
}

static int take_file(struct cli *cli, const char *path)
{
	return options_file(&cli_options, cli, path);
}

/* One place after another. What it adds to half a key of those before goes again. */
static int take_place(struct cli *cli, int (*place)(struct cli *cli, const char *path), const char *path)
{
	bool has_id = cli->key_id, has_secret = cli->key_secret;
	int r = place(cli, path);
	char **extra = has_id && !has_secret ? &cli->key_secret : !has_id && has_secret ? &cli->key_id : NULL;

	if (extra) {
		free(*extra);
		*extra = NULL;
	}
	return r;
}

static int take_user_file(struct cli *cli)
{
	const char *home = getenv("HOME"), *xdg = getenv("XDG_CONFIG_HOME");
	char path[4096];
	int r;

	if (cli->config_path)
		return take_place(cli, take_file, cli->config_path);
	if (xdg && *xdg)
		r = str_format(path, sizeof(path), "%s/privlink/config", xdg);
	else
		r = str_format(path, sizeof(path), "%s/.config/privlink/config", home ?: "");
	if (r < 0 || (access(path, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR)))
		return 0;
	return take_place(cli, take_file, path);
}

/* What the daemon wrote; nothing is wrong if there is none on this machine, or none for this user. */
static int take_state_file(struct cli *cli, const char *name)
{
	char path[4096];

	if (str_format(path, sizeof(path), "%s/%s", cli->state_dir, name) < 0)
		return cli_fail("%s: too long a name", cli->state_dir), -ENAMETOOLONG;
	return access(path, R_OK) < 0 ? 0 : take_place(cli, take_file, path);
}

/* The administrator's key is root's last resort; not one that others have read. */
static int take_admin_file(struct cli *cli)
{
	char path[4096];
	struct stat st;
	int r;

	if (geteuid() != 0 || cli->key_id || cli->key_secret ||
	    str_format(path, sizeof(path), "%s/admin.env", cli->state_dir) < 0 || stat(path, &st) < 0)
		return 0;
	if (st.st_mode & 077)
		return cli_fail("%s can be read by others than root (mode %03o), so it is not used: chmod "
				"600 it, and replace the key with: privlink admin new-key --revoke-others",
				path, st.st_mode & 07777),
		       -EPERM;
	r = take_state_file(cli, "admin.env");
	cli->is_last_resort = r == 0;
	if (r == 0 && (!cli->key_id || !cli->key_secret))
		return cli_fail("there is no access key in %s: make a new one with: privlink admin new-key",
				path),
		       -ENOKEY;
	return r;
}

/* The daemon's own CA, where this machine has one and nothing else was said. */
static int default_ca(struct cli *cli)
{
	char path[4096];

	if (cli->ca || str_format(path, sizeof(path), "%s/ca.crt", cli->state_dir) < 0 ||
	    access(path, R_OK) != 0)
		return 0;
	cli->ca = strdup(path);
	cli->ca_is_own = true;
	return cli->ca ? 0 : -ENOMEM;
}

/* "host:port" means https. */
static int complete_endpoint(struct cli *cli)
{
	char *full = NULL;

	if (strstr(cli->endpoint, "://"))
		return 0;
	if (asprintf(&full, "https://%s", cli->endpoint) < 0)
		return -ENOMEM;
	free(cli->endpoint);
	cli->endpoint = full;
	return 0;
}

const char *cli_state_dir(const struct cli *cli)
{
	return cli->state_dir ?: getenv("PRIVLINK_STATE_DIR") ?: CLI_DEFAULT_STATE_DIR;
}

int cli_config_load(struct cli *cli)
{
	int r;

	r = take_place(cli, take_environment, NULL);
	if (r < 0)
		return r;
	if (!cli->state_dir)
		cli->state_dir = strdup(CLI_DEFAULT_STATE_DIR);
	if (!cli->state_dir)
		return -ENOMEM;
	r = take_user_file(cli);
	if (r < 0)
		return r;
	r = take_state_file(cli, "api.env");
	if (r < 0)
		return r;
	r = take_admin_file(cli);
	if (r < 0)
		return r;
	r = default_ca(cli);
	if (r < 0)
		return r;
	r = options_defaults(&cli_options, cli);
	return r < 0 ? r : complete_endpoint(cli);
}

void cli_done(struct cli *cli)
{
	options_done(&cli_options, cli);
}
