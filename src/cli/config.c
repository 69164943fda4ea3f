/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the API is and who calls it. What the options leave open comes from the environment (PRIVLINK_…),
 * then from ~/.config/privlink/config (or --config FILE), then, on the machine itself, from what the daemon
 * wrote: where it listens (api.env) and, for root, the administrator's key (admin.env). All are the same list
 * of names; the first that has a value wins. An access key and its secret belong together: both come from the
 * first place that has either.
 */
#include "cli.h"

#include <ctype.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_ENDPOINT "https://127.0.0.1:8443"
#define DEFAULT_REGION	 "cn-hangzhou"

static const struct setting {
	const char *key;	 /* in configuration files */
	const char *environment; /* there, and in files that a shell can read */
	size_t offset;
} settings[] = {
	{"endpoint", "PRIVLINK_ENDPOINT", offsetof(struct cli, endpoint)},
	{"ca", "PRIVLINK_CA", offsetof(struct cli, ca)},
	{"access_key_id", "PRIVLINK_ACCESS_KEY_ID", offsetof(struct cli, key_id)},
	{"access_key_secret", "PRIVLINK_ACCESS_KEY_SECRET", offsetof(struct cli, key_secret)},
	{"region", "PRIVLINK_REGION", offsetof(struct cli, region)},
};

static char **setting_value(struct cli *cli, const struct setting *setting)
{
	return (char **)((char *)cli + setting->offset);
}

static bool is_key_part(struct cli *cli, char **slot)
{
	return slot == &cli->key_id || slot == &cli->key_secret;
}

/* At the end of each place where settings come from. */
static void close_key(struct cli *cli)
{
	cli->key_closed = cli->key_id || cli->key_secret;
}

static int setting_default(struct cli *cli, const struct setting *setting, const char *value)
{
	char **slot = setting_value(cli, setting);

	if (*slot || !value || !*value || (cli->key_closed && is_key_part(cli, slot)))
		return 0;
	*slot = strdup(value);
	return *slot ? 0 : -ENOMEM;
}

static char *trim(char *s)
{
	char *end;

	while (isspace((unsigned char)*s))
		s++;
	end = s + strlen(s);
	while (end > s && isspace((unsigned char)end[-1]))
		*--end = '\0';
	return s;
}

int cli_config_line(char *line, char **ret_key, char **ret_value)
{
	char *key = trim(line), *value;
	size_t length;

	if (!*key || *key == '#')
		return 0;
	value = strchr(key, '=');
	if (!value || value == key)
		return -EINVAL;
	*value++ = '\0';
	value = trim(value);
	length = strlen(value);
	if (length >= 2 && (*value == '"' || *value == '\'') && value[length - 1] == *value) {
		value[length - 1] = '\0';
		value++;
	}
	*ret_key = trim(key);
	*ret_value = value;
	return 1;
}

static const struct setting *setting_find(const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		if (streq(settings[i].key, key) || streq(settings[i].environment, key))
			return &settings[i];
	return NULL;
}

/* -ENOENT if there is no such file. */
static int read_file(struct cli *cli, const char *path)
{
	char line[4096], *key, *value;
	const struct setting *setting;
	unsigned int number = 0;
	int r = 0;
	FILE *f;

	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (r >= 0 && fgets(line, sizeof(line), f)) {
		number++;
		r = cli_config_line(line, &key, &value);
		if (r <= 0)
			continue;
		setting = setting_find(key);
		r = setting ? setting_default(cli, setting, value) : 0;
	}
	fclose(f);
	if (r == -EINVAL)
		fprintf(stderr, "privlink: %s:%u: expected \"key = value\"\n", path, number);
	return r;
}

static int read_user_file(struct cli *cli)
{
	const char *home = getenv("HOME"), *xdg = getenv("XDG_CONFIG_HOME");
	char path[4096];
	int r;

	if (!cli->config_path)
		cli->config_path = getenv("PRIVLINK_CONFIG") ? strdup(getenv("PRIVLINK_CONFIG")) : NULL;
	if (cli->config_path) {
		r = read_file(cli, cli->config_path);
		if (r < 0 && r != -EINVAL)
			(void)cli_fail("cannot read %s: %s", cli->config_path, strerror(-r));
		return r;
	}
	if (xdg && *xdg)
		r = str_format(path, sizeof(path), "%s/privlink/config", xdg);
	else
		r = str_format(path, sizeof(path), "%s/.config/privlink/config", home ? home : "");
	if (r < 0)
		return 0;
	r = read_file(cli, path);
	if (r == -EACCES)
		(void)cli_fail("cannot read %s: %s", path, strerror(-r));
	return r == -ENOENT || r == -ENOTDIR ? 0 : r;
}

/* What the daemon wrote; nothing is wrong if there is none on this machine. */
static int read_state_file(struct cli *cli, const char *name)
{
	char path[4096];
	int r;

	if (str_format(path, sizeof(path), "%s/%s", cli->state_dir, name) < 0)
		return -ENAMETOOLONG;
	r = read_file(cli, path);
	return r == -ENOENT || r == -ENOTDIR || r == -EACCES ? 0 : r;
}

/* The administrator's key is root's last resort; not one that others have read. */
static int read_admin_file(struct cli *cli)
{
	char path[4096];
	struct stat st;
	int r;

	if (str_format(path, sizeof(path), "%s/admin.env", cli->state_dir) < 0)
		return -ENAMETOOLONG;
	if (stat(path, &st) < 0)
		return 0;
	if (st.st_mode & 077)
		return cli_fail("%s can be read by others than root (mode %03o), so it is not used: chmod "
				"600 it, and replace the key with: privlink admin new-key --revoke-others",
				path, st.st_mode & 07777),
		       -EPERM;
	r = read_state_file(cli, "admin.env");
	if (r == 0 && (!cli->key_id || !cli->key_secret))
		return cli_fail("there is no access key in %s: make a new one with: privlink admin new-key",
				path),
		       -ENOKEY;
	return r;
}

static int read_state_files(struct cli *cli)
{
	int r = read_state_file(cli, "api.env");

	return r < 0 || geteuid() != 0 || cli->key_closed ? r : read_admin_file(cli);
}

/* The daemon's own CA, where this machine has one and nothing else was said. */
static int default_ca(struct cli *cli)
{
	char path[4096];

	if (cli->ca || str_format(path, sizeof(path), "%s/ca.crt", cli->state_dir) < 0 ||
	    access(path, R_OK) != 0)
		return 0;
	cli->ca = strdup(path);
	return cli->ca ? 0 : -ENOMEM;
}

/* "host:port" means https. */
static int complete_endpoint(struct cli *cli)
{
	char *full = NULL;

	if (!cli->endpoint || strstr(cli->endpoint, "://"))
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

	if (!cli->state_dir)
		cli->state_dir = strdup(cli_state_dir(cli));
	if (!cli->state_dir)
		return -ENOMEM;
	close_key(cli);
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		r = setting_default(cli, &settings[i], getenv(settings[i].environment));
		if (r < 0)
			return r;
	}
	close_key(cli);
	r = read_user_file(cli);
	if (r < 0)
		return r;
	close_key(cli);
	r = read_state_files(cli);
	if (r < 0)
		return r;
	r = default_ca(cli);
	if (r < 0)
		return r;
	r = setting_default(cli, setting_find("endpoint"), DEFAULT_ENDPOINT);
	if (r < 0)
		return r;
	r = setting_default(cli, setting_find("region"), DEFAULT_REGION);
	if (r < 0)
		return r;
	return complete_endpoint(cli);
}

void cli_done(struct cli *cli)
{
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		free(*setting_value(cli, &settings[i]));
	free(cli->state_dir);
	free(cli->config_path);
}
