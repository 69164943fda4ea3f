/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which node an instance goes to: of the live ones that serve the zone, the one with the fewest instances.
 */
#pragma once

#include "../frame/action.h"

struct place_node {
	const struct node *node; /* borrowed from the snapshot */
	uint32_t n_instances;
};

struct place {
	struct place_node *v;
	size_t n;
};

/* The live nodes that serve the zone, with what they have. -ENOMEM. */
int place_init(struct place *place, const struct call *call, const char *zone);
void place_done(struct place *place);
/* Takes a place on the node with the fewest instances; NULL: there is no node. The node must still be as it
 * is when the call commits. */
const struct node *place_take(struct place *place);
/* The node of that name, if it is live and serves the zone. */
const struct node *place_find(const struct place *place, const char *name);
