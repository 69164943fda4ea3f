/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which node an instance goes to: of the live ones that serve the zone and are not being deleted, the one
 * with the fewest instances.
 */
#pragma once

#include "../frame/action.h"

struct placement_node {
	const struct node *node; /* borrowed from the snapshot */
	uint32_t n_instances;
};

struct placement {
	struct placement_node *v;
	size_t n;
};

/* The nodes that are a place, with what they have. -ENOMEM. */
int placement_init(struct placement *placement, const struct call *call, const char *zone);
void placement_done(struct placement *placement);
/* Takes a place on the node with the fewest instances; NULL: there is no node. */
const struct node *placement_take(struct placement *placement);
/* The node of that name, if it is one of them. */
const struct node *placement_find(const struct placement *placement, const char *name);
