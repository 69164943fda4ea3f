/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent's local socket: one JSON object a line in, one a line out (doc/architecture.md). Only root may
 * ask.
 */
#pragma once

#include "../datapath/datapath.h"
#include "../lib/loop.h"

struct query;

/* What is asked; all borrowed. */
struct query_parts {
	struct datapath *datapath;
	/* Root says that the store which privlinkd serves is right. 0; -EALREADY: the node does not hold;
	 * `ret_store` is in both cases what the node follows. */
	int (*accept_store)(void *context, const char **ret_store);
	void *context;
};

/* Listens on the socket, for root alone; `parts` is copied, what it points to borrowed. Negative errno of the
 * socket, which is logged. */
int query_new(struct loop *loop, const char *socket_path, const struct query_parts *parts,
	      struct query **ret);
struct query *query_free(struct query *query);
