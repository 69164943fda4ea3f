/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of options. A line of the file and a long option of the command line are the same thing.
 */
#include "daemon_options.h"

#include <ctype.h>
#include <getopt.h>
#include <stdio.h>

enum option_type { OPTION_TEXT, OPTION_SWITCH, OPTION_ONCE, OPTION_LEVEL, OPTION_CONFIG };

struct option_info {
	const char *name;
	enum option_type type;
	size_t offset;
	const char *otherwise; /* OPTION_TEXT: the default; NULL: none */
	const char *value, *help;
};

#define MEMBER(m) offsetof(struct daemon_options, m)

/* clang-format off */
static const struct option_info infos[] = {
	{ "config", OPTION_CONFIG, 0, NULL, "FILE", "read options from FILE: lines \"name = value\", # comments" },
	{ "state-dir", OPTION_TEXT, MEMBER(state_dir), "/var/lib/privlink", "DIR", "where the store and admin.env are" },
	{ "run-dir", OPTION_TEXT, MEMBER(run_dir), "/run/privlink", "DIR", "where feed.sock and privlinkd.pid are" },
	{ "https", OPTION_TEXT, MEMBER(https), "0.0.0.0:8443", "ADDR:PORT", "where HTTPS listens, given a certificate" },
	{ "cert", OPTION_TEXT, MEMBER(certificate), NULL, "FILE", "the API's certificate chain (PEM)" },
	{ "key", OPTION_TEXT, MEMBER(key), NULL, "FILE", "the certificate's key (PEM)" },
	{ "http", OPTION_TEXT, MEMBER(http), "127.0.0.1:8080", "ADDR:PORT", "where plain HTTP listens; loopback only" },
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
	{ "help", OPTION_SWITCH, MEMBER(help), NULL, NULL, "print this" },
	{ "version", OPTION_SWITCH, MEMBER(version), NULL, NULL, "print the version" },
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

static int set_option(struct daemon_options *options, const struct option_info *info, const char *value)
{
	switch (info->type) {
	case OPTION_TEXT:
		return set_text(member(options, info), value);
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

static char *trimmed(char *text)
{
	size_t length;

	while (isspace((unsigned char)*text))
		text++;
	length = strlen(text);
	while (length > 0 && isspace((unsigned char)text[length - 1]))
		text[--length] = '\0';
	return text;
}

/* One line of the file. -EINVAL: it is none. */
static int read_line(struct daemon_options *options, char *line)
{
	const char *name;
	char *value;

	line[strcspn(line, "#")] = '\0';
	value = strchr(line, '=');
	line = trimmed(line);
	if (!line[0])
		return 0;
	if (!value)
		return -EINVAL;
	*value++ = '\0';
	name = trimmed(line);
	value = trimmed(value);
	for (size_t i = 0; i < ARRAY_SIZE(infos); i++)
		if (streq(infos[i].name, name) && infos[i].type != OPTION_CONFIG &&
		    infos[i].type != OPTION_ONCE && value[0])
			return set_option(options, &infos[i], value);
	return -EINVAL;
}

static int read_file(struct daemon_options *options, const char *path)
{
	FILE *file = fopen(path, "re");
	char line[1024];
	int r = 0;

	if (!file)
		return log_errno(-errno, "cannot open config=%s", path);
	for (unsigned n = 1; r == 0 && fgets(line, sizeof(line), file); n++) {
		r = read_line(options, line);
		if (r < 0)
			r = log_errno(r, "cannot read config=%s line=%u", path, n);
	}
	(void)fclose(file);
	return r;
}

/* One pass over the command line: only the file's name, or everything. */
static int read_arguments(int argc, char **argv, struct daemon_options *options, bool only_config,
			  const char **ret_config)
{
	struct option longs[ARRAY_SIZE(infos) + 1] = {};
	int index, c;

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
			return log_errno(-EINVAL, "cannot use option=--%s value=%s", infos[index].name,
					 optarg ? optarg : "");
	}
	if (optind < argc)
		return log_errno(-EINVAL, "unexpected argument=%s", argv[optind]);
	return 0;
}

int daemon_options_read(int argc, char **argv, struct daemon_options *ret)
{
	struct daemon_options options = {};
	const char *config = NULL;
	int r;

	r = set_defaults(&options);
	if (r == 0)
		r = read_arguments(argc, argv, &options, true, &config);
	if (r == 0 && config)
		r = read_file(&options, config);
	if (r == 0)
		r = read_arguments(argc, argv, &options, false, &config);
	if (r == 0 && !options.certificate != !options.key)
		r = log_errno(-EINVAL, "certificate and key go together");
	if (r < 0) {
		daemon_options_done(&options);
		return r;
	}
	*ret = options;
	return 0;
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
		if (infos[i].type == OPTION_TEXT)
			free(*(char **)member(options, &infos[i]));
	*options = (struct daemon_options){};
}
