/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See placement.h. A node that lists no zones serves all of them.
 */
#include "placement.h"

static bool serves(const struct node *node, const char *zone)
{
	for (uint32_t i = 0; i < node->n_zones; i++)
		if (streq(node->zones[i], zone))
			return true;
	return node->n_zones == 0;
}

static bool is_live(const struct call *call, const struct node *node)
{
	return call_node(call, node->name).is_live;
}

static struct place_node *find(const struct place *place, const char *name)
{
	for (size_t i = 0; i < place->n; i++)
		if (streq(place->v[i].node->name, name))
			return &place->v[i];
	return NULL;
}

int place_init(struct place *place, const struct call *call, const char *zone)
{
	size_t n = snapshot_count(call->rows, KIND_NODE, "");

	*place = (struct place){.v = calloc(n ? n : 1, sizeof(place->v[0]))};
	if (!place->v)
		return -ENOMEM;
	for (const struct node *node = NULL; (node = snapshot_next(call->rows, KIND_NODE, "", node));)
		if (place->n < n && serves(node, zone) && is_live(call, node))
			place->v[place->n++].node = node;

	for (const struct instance *i = NULL; (i = snapshot_next(call->rows, KIND_INSTANCE, "", i));) {
		struct place_node *p = find(place, i->node);

		if (p)
			p->n_instances++;
	}
	return 0;
}

void place_done(struct place *place)
{
	free(place->v);
	*place = (struct place){};
}

const struct node *place_take(struct place *place)
{
	struct place_node *best = NULL;

	for (size_t i = 0; i < place->n; i++)
		if (!best || place->v[i].n_instances < best->n_instances)
			best = &place->v[i];
	if (!best)
		return NULL;
	best->n_instances++;
	return best->node;
}

const struct node *place_find(const struct place *place, const char *name)
{
	const struct place_node *found = find(place, name);

	return found ? found->node : NULL;
}
