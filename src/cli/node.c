/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privlink node accept-store: root's word to the agent of this node, which goes on with what was in force
 * because privlinkd serves another store, that this store is the right one.
 */
#include "cli.h"

#include <stdio.h>

int cli_run_accept_store(struct cli *cli, int argc, char **argv)
{
	const char *error, *store;
	json_t *answer;
	int r;

	if (argc > 0)
		return cli_usage("node accept-store: unknown argument %s", argv[0]);
	r = cli_agent_ask(cli, "accept-store", &answer);
	if (r != CLI_OK)
		return r;
	error = json_string_value(json_object_get(answer, "error"));
	store = json_string_value(json_object_get(answer, "store"));
	if (error)
		r = cli_fail("%s%s%s%s", error, store && *store ? " (" : "", store && *store ? store : "",
			     store && *store ? ")" : "");
	else
		printf("this node follows store %s from now on\n",
		       store && *store ? store : "without a name");
	json_decref(answer);
	return r;
}
