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

/* A new reading begins: what is gone, and what the map has. After that each row that is there is added. In
 * this order a row that goes meanwhile is missing once, and no row is ever counted twice. */
int tallies_begin(struct tallies *tallies, int map_fd);
int tallies_add(struct tallies *tallies, const struct pl_flow4 *flow);
/* After the reading: a row was taken away that had this last. */
int tallies_swept(struct tallies *tallies, const struct pl_flow4 *flow);

/* Forgets slots that are free, also in the map. */
int tallies_tidy(struct tallies *tallies, int map_fd, bool (*is_free)(const void *context, uint32_t slot),
		 const void *context);

/* Calls for each slot of which something was counted. */
void tallies_each(const struct tallies *tallies, datapath_tally_callback callback, void *context);
