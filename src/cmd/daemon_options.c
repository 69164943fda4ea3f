/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of options. A line of the file and a long option of the command line are the same thing.
 */
#include "daemon_options.h"

#include <getopt.h>
#include <stdio.h>

#include "config_file.h"
#include "daemon_files.h"

enum option_type { OPTION_TEXT, OPTION_ADDRESS, OPTION_SWITCH, OPTION_ONCE, OPTION_LEVEL, OPTION_CONFIG };

struct option_info {
	const char *name;
	enum option_type type;
	size_t offset;
	const char *otherwise; /* a text's default; NULL: none */
	const char *value, *help;
};

#define MEMBER(m) offsetof(struct daemon_options, m)

/* clang-format off */
static const struct option_info infos[] = {
	{ "config", OPTION_CONFIG, 0, NULL, "FILE", "read options from FILE: lines \"name = value\", # comments" },
	{ "state-dir", OPTION_TEXT, MEMBER(state_dir), "/var/lib/privlink", "DIR", "where the store and admin.env are" },
	{ "run-dir", OPTION_TEXT, MEMBER(run_dir), "/run/privlink", "DIR", "where feed.sock and privlinkd.pid are" },
	{ "https", OPTION_ADDRESS, MEMBER(https), "0.0.0.0:8443", "ADDR:PORT", "where HTTPS listens, given a certificate" },
	{ "cert", OPTION_TEXT, MEMBER(certificate), NULL, "FILE", "the API's certificate chain (PEM)" },
	{ "key", OPTION_TEXT, MEMBER(key), NULL, "FILE", "the certificate's key (PEM)" },
	{ "http", OPTION_ADDRESS, MEMBER(http), "127.0.0.1:8080", "ADDR:PORT", "where plain HTTP listens; loopback only" },
	{ "http-anywhere", OPTION_SWITCH, MEMBER(http_anywhere), NULL, NULL, "let plain HTTP listen on any address" },
	{ "no-http", OPTION_SWITCH, MEMBER(no_http), NULL, NULL, "no plain HTTP" },
	{ "catalogue", OPTION_TEXT, MEMBER(catalogue), PRIVLINK_DATADIR "/catalogue.json", "FILE",
	  "regions, zones and system services" },
	{ "user", OPTION_TEXT, MEMBER(user), "privlink", "NAME", "whom root becomes once all is open" },
	{ "log-level", OPTION_LEVEL, MEMBER(log_level), NULL, "LEVEL", "error, warning, info or debug" },
	{ "new-store", OPTION_ONCE, MEMBER(new_store), NULL, NULL,
	  "make a new store where one is missing, and end; what is left of the old one is set aside" },
	{ "accept-store", OPTION_ONCE, MEMBER(accept_store), NULL, NULL,
	  "take the store as it is now for the right one, and end; agents hold until told" },
	{ "check", OPTION_ONCE, MEMBER(check), NULL, NULL, "say whether all of this could be used, and start nothing" },
	{ "help", OPTION_ONCE, MEMBER(help), NULL, NULL, "print this" },
	{ "version", OPTION_ONCE, MEMBER(version), NULL, NULL, "print the version" },
};
/* clang-format on */

static void *member(struct daemon_options *options, const struct option_info *info)
{
	return (char *)options + info->offset;
}

static int set_text(char **text, const char *value)
{
	char *copy = strdup(value);

	if (!copy)
		return -ENOMEM;
	free(*text);
	*text = copy;
	return 0;
}

static int set_switch(bool *on, const char *value)
{
	if (value && !streq(value, "yes") && !streq(value, "no"))
		return -EINVAL;
	*on = !value || streq(value, "yes");
	return 0;
}

static bool is_text(const struct option_info *info)
{
	return info->type == OPTION_TEXT || info->type == OPTION_ADDRESS;
}

static const char *expected_by(const struct option_info *info)
{
	switch (info->type) {
	case OPTION_ADDRESS:
		return "ADDRESS:PORT, such as 127.0.0.1:8080 or [::1]:8080";
	case OPTION_SWITCH:
	case OPTION_ONCE:
		return "yes or no";
	case OPTION_LEVEL:
		return "error, warning, info or debug";
	default:
		return info->value;
	}
}

/* -EINVAL: not what it expects. */
static int set_option(struct daemon_options *options, const struct option_info *info, const char *value)
{
	switch (info->type) {
	case OPTION_TEXT:
		return value[0] ? set_text(member(options, info), value) : -EINVAL;
	case OPTION_ADDRESS:
		return daemon_listen_check(value) < 0 ? -EINVAL : set_text(member(options, info), value);
	case OPTION_SWITCH:
	case OPTION_ONCE:
		return set_switch(member(options, info), value);
	case OPTION_LEVEL:
		return log_level_parse(value, member(options, info));
	default:
		return 0;
	}
}

static int set_defaults(struct daemon_options *options)
{
	options->log_level = LOG_LEVEL_INFO;
	for (size_t i = 0; i < ARRAY_SIZE(infos); i++) {
		int r = infos[i].otherwise ? set_option(options, &infos[i], infos[i].otherwise) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

/* A line of the file. What only makes sense on a command line is none. */
static int set_by_name(void *context, const char *name, const char *value, const char **ret_expected)
{
	for (size_t i = 0; i < ARRAY_SIZE(infos); i++) {
		if (!streq(infos[i].name, name) || infos[i].type == OPTION_CONFIG ||
		    infos[i].type == OPTION_ONCE)
			continue;
		*ret_expected = expected_by(&infos[i]);
		return set_option(context, &infos[i], value);
	}
	return -ENOENT;
}

static int refuse(const struct option_info *info, const char *value)
{
	log_error("cannot use option --%s: it expects %s, not \"%s\"", info->name, expected_by(info), value);
	return -EINVAL;
}

/* One pass over the command line: only the file's name, or everything. */
static int read_arguments(int argc, char **argv, struct daemon_options *options, bool only_config,
			  const char **ret_config)
{
	struct option longs[ARRAY_SIZE(infos) + 1] = {};
	int index, c, r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(infos); i++)
		longs[i] = (struct option){infos[i].name,
					   infos[i].type == OPTION_SWITCH || infos[i].type == OPTION_ONCE
						   ? no_argument
						   : required_argument,
					   NULL, 0};
	optind = 1;
	while ((c = getopt_long(argc, argv, "", longs, &index)) != -1) {
		if (c != 0)
			return -EINVAL; /* getopt has said why */
		if (infos[index].type == OPTION_CONFIG)
			*ret_config = optarg;
		else if (!only_config && set_option(options, &infos[index], optarg) < 0)
			r = refuse(&infos[index], optarg ? optarg : "");
	}
	if (optind < argc) {
		log_error("unexpected argument=%s", argv[optind]);
		return -EINVAL;
	}
	return r;
}

int daemon_options_read(int argc, char **argv, struct daemon_options *ret)
{
	const char *config = NULL;
	int r, q = 0;

	*ret = (struct daemon_options){};
	r = set_defaults(ret);
	if (r == 0)
		r = read_arguments(argc, argv, ret, true, &config);
	if (r < 0)
		return r;
	if (config)
		r = config_file_read(config, set_by_name, ret);
	q = read_arguments(argc, argv, ret, false, &config);
	if (!ret->certificate != !ret->key) {
		log_error("a certificate and its key go together: give both cert and key, or none of them");
		r = -EINVAL;
	}
	return r < 0 ? r : q;
}

void daemon_options_help(void)
{
	puts("privlinkd - the API of privlink\n\nOptions:");
	for (size_t i = 0; i < ARRAY_SIZE(infos); i++) {
		char name[40];

		(void)str_format(name, sizeof(name), "--%s%s%s", infos[i].name, infos[i].value ? " " : "",
				 infos[i].value ? infos[i].value : "");
		printf("  %-22s %s", name, infos[i].help);
		if (infos[i].otherwise)
			printf(" (%s)", infos[i].otherwise);
		putchar('\n');
	}
}

void daemon_options_done(struct daemon_options *options)
{
	for (size_t i = 0; i < ARRAY_SIZE(infos); i++)
		if (is_text(&infos[i]))
			free(*(char **)member(options, &infos[i]));
	*options = (struct daemon_options){};
}
