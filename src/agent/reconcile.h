/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pass that makes the node equal to the rows, and when it runs.
 */
#pragma once

#include "../datapath/datapath.h"
#include "../dns/dns.h"
#include "../plan/plan_touched.h"
#include "../ports/ports.h"
#include "feed.h"
#include "flow_log.h"

struct reconcile;

/* All borrowed. */
struct reconcile_parts {
	struct loop *loop;
	const char *node;
	struct snapshot *rows;
	const struct catalogue *catalogue;
	struct plan_indexes *indexes;
	struct ports *ports;
	struct datapath *datapath;
	struct dns *dns;
	struct health *health;
	struct flow_log *flow_log;
};

/* `parts` is copied, what it points to borrowed. -ENOMEM. */
int reconcile_new(const struct reconcile_parts *parts, struct reconcile **ret);
/* After `dns` and `health` are freed: they read its plan. */
struct reconcile *reconcile_free(struct reconcile *reconcile);
/* What is in force, or was wanted to be; NULL: nothing yet. Borrowed until the loop turns. */
const struct plan *reconcile_plan(const struct reconcile *reconcile);
/* Where reports go; from then on passes report. */
void reconcile_set_feed(struct reconcile *reconcile, struct feed *feed);

/* Whether the rows are the word of the node's store as it is now: while they are not (privlinkd has not been
 * heard yet, or the node holds), nothing is removed. False at first. */
void reconcile_trust_rows(struct reconcile *reconcile, bool trusted);

/* The rows have another revision, and that much of a plan is touched by what has changed; of health, what
 * health_hear() was told. */
void reconcile_rows(struct reconcile *reconcile, const struct plan_touched *touched);

/* Probes have found out something: what depends on it is planned anew, and it is reported. */
void reconcile_health(struct reconcile *reconcile);

/* A device has been worked on, with this result of ports_take_done(): what waits for it is planned anew. */
void reconcile_device(struct reconcile *reconcile, int result, const char *instance);
/* The device of the port of this number has gone, or has been gone for as long as it was to be: it is queued
 * to be made again, which is nobody else's matter, and reported. */
void reconcile_mend(struct reconcile *reconcile, uint32_t number);
/* Then whoever wanted to look at links has done so, and the next device is begun. */
void reconcile_go_on(struct reconcile *reconcile);

/* Looks at the inside of one more port, if there is nothing else to do with devices. In so many milliseconds
 * it is the next one's turn: with all of them it takes a minute. */
uint64_t reconcile_look_inside(struct reconcile *reconcile);

/* Something changed: a pass runs soon. With `full` it looks at everything that is there, not only at what
 * should differ. Nothing happens before the first rows. */
void reconcile_request(struct reconcile *reconcile, bool full);
