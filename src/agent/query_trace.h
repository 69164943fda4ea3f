/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets, live, to clients of the agent's socket: {"command": "trace", …}.
 */
#pragma once

#include "query_client.h"
#include "query_names.h"

struct query_trace;

#define QUERY_TRACE_TELL_MS 500 /* how often a client hears of packets that it was not told of */

/* `plan` gives the plan in force, or NULL. */
int query_trace_new(struct loop *loop, struct datapath *datapath, const struct plan *(*plan)(void *context),
		    void *context, struct query_trace **ret);
/* After its clients. */
struct query_trace *query_trace_free(struct query_trace *trace);
/* Begins to tell the client. 0; else a negative errno, and `why` is a sentence. */
int query_trace_begin(struct query_trace *trace, struct query_client *client, const json_t *question,
		      const char **why);
