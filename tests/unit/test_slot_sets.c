/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is in a group, by the sets that the rows of each slot name.
 */
#include "datapath/slot_sets.h"

#include "tests/tap.h"

#define SLOTS 200

static uint64_t marked[SLOTS / 64 + 1];

static struct pl_set set_of(uint32_t first, uint32_t second)
{
	struct pl_set set = {.group = {first, second}, .count = second ? 2 : 1};

	set.member = pl_group_bit(first) | (second ? pl_group_bit(second) : 0);
	return set;
}

/* Another group that the first look takes for this one. */
static uint32_t twin_of(uint32_t group)
{
	uint32_t twin = group + 1;

	while (pl_group_bit(twin) != pl_group_bit(group))
		twin++;
	return twin;
}

static int count(const struct slot_sets *sets, uint32_t group)
{
	int n = 0;

	memset(marked, 0, sizeof(marked));
	slot_sets_mark(sets, group, marked);
	for (size_t i = 0; i < ARRAY_SIZE(marked); i++)
		n += __builtin_popcountll(marked[i]);
	return n;
}

static bool is_marked(uint32_t slot)
{
	return marked[slot / 64] >> slot % 64 & 1;
}

int main(void)
{
	struct pl_set one = set_of(1, 0), both = set_of(1, 2), twin = set_of(twin_of(1), 0), none = {0};
	struct slot_sets *sets;

	if (slot_sets_new(SLOTS, &sets) < 0)
		return EXIT_FAILURE;
	tap_is_int(count(sets, 1), 0, "at first nobody is in a group");
	slot_sets_add(sets, 3, &one);
	slot_sets_add(sets, 70, &both);
	slot_sets_add(sets, 71, &twin);
	slot_sets_add(sets, 72, &twin);
	slot_sets_add(sets, 72, &none);
	slot_sets_add(sets, 72, &one);
	slot_sets_add(sets, SLOTS - 1, &twin);
	slot_sets_add(sets, SLOTS, &one);
	tap_is_int(count(sets, 1), 3,
		   "those who name a set with the group are in it, and no one beyond all slots");
	tap_ok(is_marked(3) && is_marked(70), "by the only set that they name");
	tap_ok(is_marked(72), "or by a second one");
	tap_is_int(count(sets, 2), 1, "another group of a set has its own members");
	tap_is_int(count(sets, twin_of(1)), 3, "and those that look alike are told from each other");
	tap_is_int(count(sets, 3), 0, "nobody is in a group that no set has");
	slot_sets_drop(sets, 70);
	slot_sets_drop(sets, SLOTS);
	tap_is_int(count(sets, 1), 2, "a slot that is dropped is in none");
	tap_ok(!is_marked(70), "and only that one");
	slot_sets_add(sets, 70, &twin);
	tap_is_int(count(sets, 1), 2, "it may be in another group then");
	slot_sets_clear(sets);
	tap_is_int(count(sets, 1) + count(sets, twin_of(1)), 0, "all together are in none, too");
	slot_sets_add(sets, 5, &one);
	tap_is_int(count(sets, 1), 1, "until a set is named again");
	slot_sets_free(sets);
	return tap_done();
}
