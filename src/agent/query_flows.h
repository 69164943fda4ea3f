/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Open flows, to clients of the agent's socket: {"command": "list-flows", …}.
 */
#pragma once

#include "query_client.h"
#include "query_names.h"

#define QUERY_FLOWS_LIMIT     1000
#define QUERY_FLOWS_LIMIT_MAX 1000000

/* Begins to tell the client. `plan` gives the plan in force, or NULL. 0; else a negative errno, and `why` is
 * a sentence. */
int query_flows_begin(struct datapath *datapath, const struct plan *(*plan)(void *context), void *context,
		      struct query_client *client, const json_t *question, const char **why);

/* {"command": "nat", "target": an instance}: {"flows", "max"}, the translated flows to that server and how
 * many may be to one of its ports; the caller's. NULL: it is no server here. */
json_t *query_nat(const struct datapath *datapath, const struct plan *plan, const json_t *question);
