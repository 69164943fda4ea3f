/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See placement.h. A node that lists no zones serves all of them. One that is being deleted is no place,
 * though it may report again meanwhile: what is on it goes.
 */
#include "placement.h"

static bool serves(const struct node *node, const char *zone)
{
	for (uint32_t i = 0; i < node->n_zones; i++)
		if (streq(node->zones[i], zone))
			return true;
	return node->n_zones == 0;
}

static bool is_place(const struct call *call, const struct node *node)
{
	return !node->deleting && call_node(call, node->name).is_live;
}

static struct placement_node *find(const struct placement *placement, const char *name)
{
	for (size_t i = 0; i < placement->n; i++)
		if (streq(placement->v[i].node->name, name))
			return &placement->v[i];
	return NULL;
}

int placement_init(struct placement *placement, const struct call *call, const char *zone)
{
	size_t n = snapshot_count(call->rows, KIND_NODE, "");

	*placement = (struct placement){.v = calloc(n ? n : 1, sizeof(placement->v[0]))};
	if (!placement->v)
		return -ENOMEM;
	for (const struct node *node = NULL; (node = snapshot_next(call->rows, KIND_NODE, "", node));) {
		if (placement->n == n || !serves(node, zone) || !is_place(call, node))
			continue;
		placement->v[placement->n++] = (struct placement_node){
			.node = node,
			.n_instances =
				(uint32_t)snapshot_count_children(call->rows, REF_INSTANCE_NODE, node->name),
		};
	}
	return 0;
}

void placement_done(struct placement *placement)
{
	free(placement->v);
	*placement = (struct placement){};
}

const struct node *placement_take(struct placement *placement)
{
	struct placement_node *best = NULL;

	for (size_t i = 0; i < placement->n; i++)
		if (!best || placement->v[i].n_instances < best->n_instances)
			best = &placement->v[i];
	if (!best)
		return NULL;
	best->n_instances++;
	return best->node;
}

const struct node *placement_find(const struct placement *placement, const char *name)
{
	const struct placement_node *found = find(placement, name);

	return found ? found->node : NULL;
}
