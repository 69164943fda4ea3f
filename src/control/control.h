/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Control moves rows through their states when the nodes have reported that the wish is in force, gives out
 * NAT ranges, and carries deletions through in steps. One pass is a pure function of rows and reports
 * (control_step.c); this part keeps the nodes' leases and reports, and runs passes from the loop.
 *
 * A node reports one number, the store revision up to which everything that concerns it is in force, and a
 * list of objects that failed and why. A row is in force when every live node (its lease is valid) that is
 * told of it (model/told_nodes.h) has reported the revision of the row's last change or a later one; so has
 * one that was told of it and has not reported since that it has forgotten it. All rows wait for a live node
 * of which is not known what it has in force: one that holds, or has not been heard since this program
 * started. A node without a lease is not waited for; when it returns, it programs first and renews then.
 */
#pragma once

#include "../model/catalogue.h"
#include "../model/connectivity.h"
#include "../store/store.h"

/* How long a node's lease holds without a report. */
#define LEASE_S 30
/* How long a node has for a connectivity test, from the call that asked for it. */
#define CONNECTIVITY_DEADLINE_S 15
#define CONNECTIVITY_KEPT_S	(24 * 3600)

struct control;

/* Nodes that the store knows are taken to have a lease until they report or LEASE_S have passed. */
int control_new(struct loop *loop, struct store *store, struct control **ret);
/* To be freed before the store. */
struct control *control_free(struct control *control);

/* First start: rows for the system services of the catalogue in their regions (idempotent, also when the
 * catalogue has grown). Runs before the API listens; the store is durable afterwards. */
int control_bootstrap(struct store *store, const struct catalogue *catalogue, struct loop *loop);

/* A node says who it is. Makes or changes its row (number from the counter), durable when `done` runs. Does
 * not give a lease. */
void control_register(struct control *control, const struct node *node, store_done done, void *context);

struct control_failure {
	char key[KEY_SIZE];
	char reason[256];
	bool is_gone; /* what the row stands for has ended at its node */
};

#define CONTROL_HOLD_SIZE 512

/* What a node says of a connectivity test that it was told. */
struct control_test {
	char id[ID_SIZE];
	bool is_running;		       /* and no more is known yet */
	struct connectivity_outcome *outcomes; /* of its steps, in their order */
	size_t n_outcomes;
};

struct control_report {
	char node[WORD_SIZE * 2];
	uint64_t revision;
	/* Why the node holds, that is, applies nothing of this store; "": it does not. Nothing counts as in
	 * force there then. */
	char hold[CONTROL_HOLD_SIZE];
	const struct control_failure *failures;
	size_t n_failures;
	const struct server_health *health;
	size_t n_health;
	const struct control_test *tests;
	size_t n_tests;
};

/* Takes a report (copied) and renews the node's lease. -ENOENT: the node is not registered. -ENOBUFS: all of
 * it was taken but for some health results, which are to be told again; so many are not written down yet. */
int control_report(struct control *control, const struct control_report *report);

/* The revision that all live nodes have reported; UINT64_MAX when there is none. */
uint64_t control_live_revision(const struct control *control);
/* The revision up to which the live nodes have come that the row concerns, as control counts it when the row
 * waits for them; UINT64_MAX: there is none. `row`: of the snapshot. */
uint64_t control_reached(const struct control *control, enum kind kind, const void *row);
/* What is known of a node at the moment. */
struct control_node {
	bool has_lease;	  /* it reports */
	bool is_presumed; /* the lease is from before this program started: it may report yet */
	bool is_live;	  /* it has a lease and does not hold: instances are placed on it */
	const char *hold; /* why it holds; "": it does not. Borrowed until the loop turns */
};
struct control_node control_node(const struct control *control, const char *node);
/* Why the row of the key is not in force at a live node, as that says; NULL: nothing is known of it. Borrowed
 * until the loop turns. */
const char *control_failure_reason(const struct control *control, const char *key);
/* Whether the node is live. */
bool control_node_live(const struct control *control, const char *node);
