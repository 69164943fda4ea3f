/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a node has found out about servers and is not written down yet, in the order in which it came, that of
 * one report by server; of each server the newest alone, in the place of the one before.
 */
#pragma once

#include "../model/rows.h"

/* As many as one report may have. A node that tells of more servers, faster than it is written down, has to
 * tell it again. */
#define HEALTH_QUEUE_MAX 65536

/* All zero: it is empty. */
struct health_queue {
	struct server_health *v;
	size_t n, size;
	size_t n_dropped; /* of the first ones: these are in `v` until they are more than the others */
	uint32_t *order;  /* places in `v`, each server's last one, by server */
	size_t n_order;
};
void health_queue_done(struct health_queue *queue);

/* Adds results (copied) of that node. -ENOMEM: none. -ENOBUFS: of those of servers that had none here some
 * have no room. */
int health_queue_add(struct health_queue *queue, const char *node, const struct server_health *health,
		     size_t n);

/* The first ones: `*ret_n` of them. Borrowed until the queue changes. */
const struct server_health *health_queue_first(const struct health_queue *queue, size_t *ret_n);
/* So many of the first ones are written down. */
void health_queue_drop(struct health_queue *queue, size_t n);
