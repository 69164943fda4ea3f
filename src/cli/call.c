/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privlink call: any action of any product, with parameters as the API writes them. What the table of
 * commands has no row for is reached this way.
 */
#include "cli.h"

#include <stdio.h>

static int add_pair(struct params *params, const char *pair)
{
	_cleanup_(freep) char *name = NULL;
	const char *equals = strchr(pair, '=');
	int r;

	if (!equals || equals == pair)
		return cli_usage("call: expected NAME=VALUE, not %s", pair);
	name = strndup(pair, (size_t)(equals - pair));
	r = name ? params_add(params, name, equals + 1) : -ENOMEM;
	return r < 0 ? cli_fail("%s", strerror(-r)) : CLI_OK;
}

static int parse(int argc, char **argv, const char **words, struct params *params)
{
	size_t n_words = 0;
	int r;

	for (int i = 0; i < argc; i++) {
		if (str_starts(argv[i], "--"))
			return cli_usage("call: unknown option %s", argv[i]);
		if (n_words < 2) {
			words[n_words++] = argv[i];
			continue;
		}
		r = add_pair(params, argv[i]);
		if (r != CLI_OK)
			return r;
	}
	return n_words == 2 ? CLI_OK : cli_usage("call needs a product and an action");
}

static int call(struct cli *cli, const char **words, struct params *params)
{
	const struct product_info *product = product_by_name(words[0]);
	char known[128];
	json_t *answer = NULL;
	int r;

	if (!product) {
		cli_product_list(known, sizeof(known));
		return cli_usage("unknown product %s (there are %s)", words[0], known);
	}
	if (cli_config_load(cli) < 0)
		return CLI_FAILED;
	if (!params_get(params, "RegionId") && params_add(params, "RegionId", cli->region) < 0)
		return cli_fail("out of memory");
	r = cli_call(cli, product->name, words[1], params, &answer);
	if (r != CLI_OK)
		return r;
	json_dumpf(answer, stdout, JSON_INDENT(2) | JSON_SORT_KEYS | JSON_REAL_PRECISION(15));
	putchar('\n');
	json_decref(answer);
	return CLI_OK;
}

int cli_run_call(struct cli *cli, int argc, char **argv)
{
	const char *words[2] = {NULL};
	struct params params = {0};
	int r;

	r = parse(argc, argv, words, &params);
	if (r == CLI_OK)
		r = call(cli, words, &params);
	params_done(&params);
	return r;
}
