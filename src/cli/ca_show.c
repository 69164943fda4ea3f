/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privlink ca show: whose certificates these are, and how it stands with their time. One that is missing,
 * spoilt, not valid, or ends soon makes the status 1, so that a timer can watch them.
 */
#include "cli.h"

#include <stdio.h>
#include <unistd.h>

#include "trust.h"

static int show(const char *path)
{
	struct certificate certificate;
	char why[256] = "", words[128];
	enum certificate_state state;
	int r;

	r = cli_certificate_load(path, &certificate, why, sizeof(why));
	if (r < 0 && *why)
		return cli_fail("%s: %s", path, why);
	if (r < 0)
		return cli_fail("cannot read %s: %s", path, strerror(-r));
	state = certificate_time(&certificate, now_unix_s(), words, sizeof(words));
	printf("%s  %s  %s\n", path, certificate.subject, words);
	return state == CERTIFICATE_GOOD ? CLI_OK : CLI_FAILED;
}

/* The authority's, and the API's where README puts it. */
static int show_usual(const struct cli *cli)
{
	static const char *const names[] = {"ca.crt", "tls/api.crt"};
	int status = CLI_OK;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char path[4096];

		if (str_format(path, sizeof(path), "%s/%s", cli->state_dir, names[i]) < 0)
			return cli_fail("%s: too long a name", cli->state_dir);
		if (i > 0 && access(path, F_OK) < 0 && errno == ENOENT)
			continue;
		if (show(path) != CLI_OK)
			status = CLI_FAILED;
	}
	return status;
}

int cli_run_ca_show(struct cli *cli, int argc, char **argv)
{
	int status = CLI_OK;

	for (int i = 0; i < argc; i++)
		if (argv[i][0] == '-')
			return cli_usage("ca show: unknown option %s", argv[i]);
	if (cli_config_load(cli) < 0)
		return CLI_FAILED;
	if (argc == 0)
		return show_usual(cli);
	for (int i = 0; i < argc; i++)
		if (show(argv[i]) != CLI_OK)
			status = CLI_FAILED;
	return status;
}
