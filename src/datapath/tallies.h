/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the flows of each endpoint ENI come to: the counters of the rows that are there, those of rows that
 * are gone, and what the program counts by ENI (pl_tallies). The sweep reads all of it anew each time;
 * nothing is remembered of a single flow.
 */
#pragma once

#include "bpf/pl_abi_flow.h"
#include "datapath.h"

struct tallies;

/* For slots below `n_slots`. -ENOMEM. */
int tallies_new(uint32_t n_slots, struct tallies **ret);
struct tallies *tallies_free(struct tallies *tallies);

/* A new reading begins; what the last one has read stays the answer until tallies_end(). First come the rows
 * of pl_tallies, which have what flows that are gone had counted, then the flows that are there. In this
 * order a flow that ends meanwhile is missing once, and none is ever counted twice. -ENOMEM. */
void tallies_begin(struct tallies *tallies);
int tallies_add_count(struct tallies *tallies, const struct pl_tally_key *key, const struct pl_count *count);
int tallies_add(struct tallies *tallies, const struct pl_flow4_key *key, const struct pl_flow4 *flow);
void tallies_end(struct tallies *tallies);

/* What a row of pl_tallies had counted that is deleted, since its listener is gone: the slot keeps it, and so
 * does the listener as long as there is something of it, also when it is made again meanwhile. */
void tallies_keep(struct tallies *tallies, const struct pl_tally_key *key, const struct pl_count *count);

/* Forgets slots that are free. */
void tallies_tidy(struct tallies *tallies, bool (*is_free)(const void *context, uint32_t slot),
		  const void *context);

/* Calls for each slot of which something was counted. */
void tallies_each(const struct tallies *tallies, datapath_tally_callback callback, void *context);
/* The same for each listener of a slot. */
void tallies_each_listener(const struct tallies *tallies, datapath_listener_callback callback, void *context);
