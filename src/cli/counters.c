/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privlink counters: asks the agent of this node why packets left the data path. The agent answers one JSON
 * object a line on its socket (doc/architecture.md). With reasons as arguments only these are shown, in that
 * order, and a reason that the agent does not know is an error: a script must not take a misspelt name for
 * zero.
 */
#include "cli.h"

#include <stdio.h>

static const json_t *counter_find(const json_t *counters, const char *name)
{
	for (size_t i = 0; i < json_array_size(counters); i++) {
		const json_t *entry = json_array_get(counters, i);
		const char *reason = json_string_value(json_object_get(entry, "reason"));

		if (reason && streq(reason, name))
			return entry;
	}
	return NULL;
}

/* The wanted ones, or all that are not zero; the caller's. NULL after a message. */
static json_t *choose(const struct cli *cli, const json_t *counters, int n_wanted, char **wanted)
{
	json_t *chosen = json_array();

	for (int i = 0; chosen && i < n_wanted; i++) {
		const json_t *entry = counter_find(counters, wanted[i]);

		if (!entry) {
			(void)cli_usage("unknown reason %s (privlink counters --json shows all)", wanted[i]);
			json_decref(chosen);
			return NULL;
		}
		json_array_append(chosen, (json_t *)entry);
	}
	for (size_t i = 0; chosen && n_wanted == 0 && i < json_array_size(counters); i++) {
		json_t *entry = json_array_get(counters, i);

		if (cli->json || json_integer_value(json_object_get(entry, "packets")) > 0)
			json_array_append(chosen, entry);
	}
	return chosen;
}

static int show(const struct cli *cli, const json_t *counters, int n_wanted, char **wanted)
{
	static const struct cli_column columns[] = {
		{"Reason", "reason"}, {"Kind", "kind"}, {"Packets", "packets"}, {"Meaning", "text"}, {NULL}};
	json_t *chosen = choose(cli, counters, n_wanted, wanted);

	if (!chosen)
		return CLI_USAGE;
	if (cli->json) {
		json_dumpf(chosen, stdout, JSON_INDENT(2));
		putchar('\n');
	} else {
		cli_table_print(cli, chosen, columns);
	}
	json_decref(chosen);
	return CLI_OK;
}

int cli_run_counters(struct cli *cli, int argc, char **argv)
{
	const json_t *counters;
	json_t *answer;
	int r;

	for (int i = 0; i < argc; i++)
		if (str_starts(argv[i], "-"))
			return cli_usage("counters: unknown option %s", argv[i]);
	r = cli_agent_ask(cli, "counters", &answer);
	if (r != CLI_OK)
		return r;
	counters = json_object_get(answer, "counters");
	r = json_is_array(counters) ? show(cli, counters, argc, argv)
				    : cli_fail("the agent gave no counters");
	json_decref(answer);
	return r;
}
