/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The nodes' leases and last reports, in memory only. Times are given from outside (monotonic milliseconds),
 * so that tests need not wait.
 */
#pragma once

#include "control.h"
#include "health_queue.h"

struct lease {
	uint32_t number; /* no two leases have the same, and none is 0 */
	char node[sizeof(((struct node *)0)->name)];
	uint64_t revision;
	uint64_t until_ms;
	bool is_presumed;
	char hold[CONTROL_HOLD_SIZE]; /* "": it does not hold */
	struct control_failure *failures;
	size_t n_failures;
	struct health_queue health;
};

struct leases {
	struct lease *v;
	size_t n, size;
	uint32_t last_number;
	struct control_failure *failures; /* of all, sorted by key, each key once */
	size_t n_failures, failures_size;
};

/* Frees what it holds; it is empty then. */
void leases_done(struct leases *leases);

/* What a report changed; LEASE_REVISION also where a revision counts that did not, or the other way round.
 * LEASE_FULL: not all of its health results were taken (HEALTH_QUEUE_MAX). */
enum { LEASE_REVISION = 1 << 0, LEASE_FAILURES = 1 << 1, LEASE_HEALTH = 1 << 2, LEASE_FULL = 1 << 3 };

/* Whether the node reports the failures that stand in its lease; without one, none. */
bool leases_same_failures(const struct leases *leases, const struct control_report *report);
/* Makes or renews the node's lease. LEASE_… flags of what is new, or -ENOMEM and nothing changed. */
int leases_report(struct leases *leases, const struct control_report *report, uint64_t now_ms);
/* A lease from before this program started, of which nothing is known: until it ends or the node reports,
 * nothing counts as in force. */
int leases_presume(struct leases *leases, const char *node, uint64_t now_ms);

/* Drops what has ended; the nodes' names are told, while their leases are there. LEASE_… flags. */
typedef void (*lease_ended)(void *context, const char *node);
int leases_expire(struct leases *leases, uint64_t now_ms, lease_ended ended, void *context);
/* When the next one ends; UINT64_MAX: none. */
uint64_t leases_next_end(const struct leases *leases);

uint64_t leases_live_revision(const struct leases *leases); /* UINT64_MAX: no live node */
/* Whether the node may have something of the share in force, or is to have it. */
bool lease_concerns(const struct lease *lease, const struct told_nodes *told_nodes,
		    const struct share *share);
/* Up to which revision the nodes have come that are told of the share; UINT64_MAX: there is none. `ret_last`:
 * the number of the lease of the one that is furthest behind; 0: none. */
uint64_t leases_revision_of(const struct leases *leases, const struct told_nodes *told_nodes,
			    const struct share *share, uint32_t *ret_last);
/* Whether the node of that lease is live, and has not come to that revision. */
bool leases_is_behind(const struct leases *leases, uint32_t number, uint64_t revision);
const struct lease *leases_find(const struct leases *leases, const char *node); /* NULL: none */
