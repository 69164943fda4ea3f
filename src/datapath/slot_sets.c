/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first look is at one number for each slot, and these stand side by side: it tells nearly all who are
 * not in the group.
 */
#include "slot_sets.h"

#include <assert.h>

#define SETS_MAX 3 /* of a port, of an ENI, and of its load balancer */

struct slot_sets {
	uint64_t *members;		       /* pl_group_bit() of all groups that the slot is in */
	const struct pl_set **names[SETS_MAX]; /* NULL: no more */
	uint32_t n, end;		       /* no slot from `end` on names a set */
};

int slot_sets_new(uint32_t n, struct slot_sets **ret)
{
	struct slot_sets *sets = calloc(1, sizeof(*sets));

	if (!sets)
		return -ENOMEM;
	sets->n = n;
	sets->members = calloc(n, sizeof(*sets->members));
	for (int i = 0; i < SETS_MAX; i++)
		sets->names[i] = calloc(n, sizeof(*sets->names[i]));
	if (!sets->members || !sets->names[0] || !sets->names[1] || !sets->names[2]) {
		slot_sets_free(sets);
		return -ENOMEM;
	}
	*ret = sets;
	return 0;
}

struct slot_sets *slot_sets_free(struct slot_sets *sets)
{
	if (!sets)
		return NULL;
	free(sets->members);
	for (int i = 0; i < SETS_MAX; i++)
		free(sets->names[i]);
	free(sets);
	return NULL;
}

void slot_sets_clear(struct slot_sets *sets)
{
	memset(sets->members, 0, sets->end * sizeof(*sets->members));
	for (int i = 0; i < SETS_MAX; i++)
		memset(sets->names[i], 0, sets->end * sizeof(*sets->names[i]));
	sets->end = 0;
}

void slot_sets_add(struct slot_sets *sets, uint32_t slot, const struct pl_set *set)
{
	int i = 0;

	if (slot >= sets->n || set->count == 0)
		return;
	while (i < SETS_MAX && sets->names[i][slot])
		i++;
	assert(i < SETS_MAX);
	sets->names[i][slot] = set;
	sets->members[slot] |= set->member;
	sets->end = MAX(sets->end, slot + 1);
}

void slot_sets_drop(struct slot_sets *sets, uint32_t slot)
{
	if (slot >= sets->n)
		return;
	sets->members[slot] = 0;
	for (int i = 0; i < SETS_MAX; i++)
		sets->names[i][slot] = NULL;
}

static bool set_has(const struct pl_set *set, uint32_t group)
{
	for (uint32_t i = 0; set->member & pl_group_bit(group) && i < set->count; i++)
		if (set->group[i] == group)
			return true;
	return false;
}

static bool is_in(const struct slot_sets *sets, uint32_t slot, uint32_t group)
{
	for (int i = 0; i < SETS_MAX && sets->names[i][slot]; i++)
		if (set_has(sets->names[i][slot], group))
			return true;
	return false;
}

void slot_sets_mark(const struct slot_sets *sets, uint32_t group, uint64_t *bitmap)
{
	uint64_t bit = pl_group_bit(group);

	for (uint32_t slot = 0; slot < sets->end; slot++)
		if (sets->members[slot] & bit && is_in(sets, slot, group))
			bitmap[slot / 64] |= UINT64_C(1) << slot % 64;
}
