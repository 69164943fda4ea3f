/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the agent answers: on its local socket, one JSON object a line in, one or more lines out
 * (doc/architecture.md), for root alone; and there, and on a port if one is wanted, GET /metrics.
 */
#pragma once

#include "../datapath/datapath.h"
#include "../lib/loop.h"

struct flow_log;
struct meter;
struct query;

#define QUERY_CLIENTS_MAX	  16 /* of the socket */
#define QUERY_METRICS_CLIENTS_MAX 4  /* of the port */

/* What is asked; all borrowed. */
struct query_parts {
	struct datapath *datapath;
	/* Root says that the store which privlinkd serves is right. 0; -EALREADY: the node does not hold;
	 * `ret_store` is in both cases what the node follows. */
	int (*accept_store)(void *context, const char **ret_store);
	/* What is in force; NULL: nothing yet. */
	const struct plan *(*plan)(void *context);
	/* What traffic was; NULL: it is not known yet. */
	const struct meter *(*meter)(void *context);
	/* The flow log; NULL: there is none yet. */
	const struct flow_log *(*flow_log)(void *context);
	void *context;
};

/* Listens on the socket, for root alone; `parts` is copied, what it points to borrowed. Negative errno of the
 * socket, which is logged. */
int query_new(struct loop *loop, const char *socket_path, const struct query_parts *parts,
	      struct query **ret);
struct query *query_free(struct query *query);
/* Whether that is "ADDRESS:PORT" ("[ADDRESS]:PORT"). 0 or -EINVAL. */
int query_address_check(const char *address);
/* Also answers GET /metrics, and nothing else, to whoever asks there. Negative errno, which is logged. */
int query_listen_metrics(struct query *query, const char *address);
