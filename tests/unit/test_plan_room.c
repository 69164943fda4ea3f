/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A node whose numbers are all given out (slots, backends, security groups): what has one keeps it and is
 * planned as before, what is new is left out and named with its reason, and comes in by itself when there are
 * numbers again. (Full tables: tests/net/test_room.c.)
 */
#include "plan_world.h"

#define NEW_PORT  210
#define NEW_PLACE "10.0.1.99"

/* All that are left are others'. */
static void take_slots(struct world *w)
{
	for (uint32_t slot = 0; slot < PLAN_SLOTS_MAX; slot++)
		(void)plan_indexes_adopt_slot(w->indexes, 100000 + slot, slot);
}

static void take_backends(struct world *w)
{
	struct pl_addr addr = {};

	for (uint32_t index = 0; index < PLAN_BACKENDS_MAX; index++)
		(void)plan_indexes_adopt_backend(w->indexes, 100000 + index, &addr, 1, index);
}

static void take_groups(struct world *w)
{
	char id[ID_SIZE];

	for (uint32_t number = 1; number < PL_GROUPS_MAX; number++) {
		(void)str_format(id, sizeof(id), "sg-other-%u", number);
		(void)plan_indexes_adopt_security_group(w->indexes, id, number);
	}
}

/* The reason, while nothing is left; none, one plan later, when nobody uses what the others had. */
static void expect(struct world *w, const char *what, void (*take)(struct world *), const char *key,
		   const char *reason)
{
	const struct plan *plan;
	uint32_t slot = find_eni(w->plan, ZONE_H)->slot;

	take(w);
	plan = world_plan(w);
	tap_is_str(failure_of(plan, key), reason, "%s: what is new is named", what);
	tap_is_int((long long)plan->n_failures, 1, "%s: and nothing else is", what);
	tap_ok(find_eni(plan, ZONE_H) && find_eni(plan, ZONE_H)->slot == slot &&
		       find_eni(plan, ZONE_H)->set.count && plan->n_listeners,
	       "%s: what was there is planned as before", what);
	plan = world_plan(w);
	tap_is_int((long long)plan->n_failures, 0, "%s: when there are some again, it is planned by itself",
		   what);
}

static void test_slots(void)
{
	struct world w;

	world_new(&w);
	(void)world_plan(&w);
	world_instance(&w, "new", NEW_PORT, "c", ZONE_H, NEW_PLACE, "sg-c", "n1");
	expect(&w, "slots", take_slots, "instance/i-new", "this node has no free slot for another interface");
	tap_is_int(place_kind(w.plan, 10, NEW_PLACE), PL_PLACE_PORT, "and has its address");
	world_free(&w);
}

static void test_backends(void)
{
	struct world w;

	world_new(&w);
	(void)world_plan(&w);
	world_instance(&w, "p3", NEW_PORT, "p", ZONE_H, NEW_PLACE, "sg-p", "n1");
	world_server(&w, "p3", ZONE_H, NEW_PLACE, 100);
	expect(&w, "backends", take_backends, "server_group/sgp-1",
	       "this node has no free index for another backend");
	tap_is_int((long long)w.plan->n_backends, 3, "and gets connections");
	world_free(&w);
}

static void test_groups(void)
{
	struct world w;

	world_new(&w);
	(void)world_plan(&w);
	rows_put(w.rows, "security_group/sg-new", "{'id': 'sg-new', 'vpc': 'vpc-c', 'type': 'normal'}");
	world_instance(&w, "new", NEW_PORT, "c", ZONE_H, NEW_PLACE, "sg-new", "n1");
	expect(&w, "security groups", take_groups, "instance/i-new",
	       "this node has no number left for its security group sg-new");
	world_free(&w);
}

int main(void)
{
	test_slots();
	test_backends();
	test_groups();
	return tap_done();
}
