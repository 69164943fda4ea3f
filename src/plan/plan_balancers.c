/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a plan keeps of what stands behind its endpoints, so that it can be planned anew by itself: of load
 * balancers what endpoints have asked, and of server groups what they have in the plan.
 */
#include "plan_build.h"

#include "../lib/vec.h"
#include <search.h>

/* Load balancers. */

static int balancer_compare(const void *a, const void *b)
{
	return strcmp(((const struct plan_balancer *)a)->id, ((const struct plan_balancer *)b)->id);
}

static void balancer_free(void *balancer)
{
	free(((struct plan_balancer *)balancer)->zones);
	free(balancer);
}

void plan_balancers_free(struct plan_slices *slices)
{
	tdestroy(slices->balancers, balancer_free);
	slices->balancers = NULL;
}

struct plan_balancer *plan_balancer_find(const struct plan_slices *slices, const char *id)
{
	struct plan_balancer wanted, **found;

	if (str_copy(wanted.id, sizeof(wanted.id), id) < 0)
		return NULL;
	found = tfind(&wanted, &slices->balancers, balancer_compare);
	return found ? *found : NULL;
}

static struct plan_balancer *add_balancer(struct plan_builder *b, const char *id)
{
	struct plan_balancer *balancer = calloc(1, sizeof(*balancer));

	if (!balancer)
		return NULL;
	(void)str_copy(balancer->id, sizeof(balancer->id), id);
	balancer->lacking = plan_lacking(b, id);
	if (!tsearch(balancer, &b->known->balancers, balancer_compare)) {
		free(balancer);
		return NULL;
	}
	return balancer;
}

struct plan_balancer_zone *plan_balancer_zone(struct plan_builder *b, const char *id, const char *zone)
{
	struct plan_balancer *balancer = plan_balancer_find(b->known, id);
	struct plan_balancer_zone *added;

	if (!balancer)
		balancer = add_balancer(b, id);
	for (size_t i = 0; balancer && i < balancer->n_zones; i++)
		if (streq(balancer->zones[i].zone, zone))
			return &balancer->zones[i];
	added = balancer ? plan_append(&balancer->zones, &balancer->n_zones, sizeof(*added)) : NULL;
	if (added)
		(void)str_copy(added->zone, sizeof(added->zone), zone);
	else
		b->is_out_of_memory = true;
	return added;
}

/* Server groups. */

size_t plan_group_part_place(const struct plan_slices *slices, uint64_t number)
{
	return LOWER_BOUND(i, slices->n_server_groups, slices->server_groups[i].number < number);
}

struct plan_group_part *plan_group_part_find(const struct plan_slices *slices, uint64_t number)
{
	size_t place = plan_group_part_place(slices, number);

	return place < slices->n_server_groups && slices->server_groups[place].number == number
		       ? &slices->server_groups[place]
		       : NULL;
}

void plan_group_part_take(struct plan_group_part *part, struct plan_group *group)
{
	part->backends = TAKE_PTR(group->backends);
	part->places = TAKE_PTR(group->places);
	part->n_backends = group->n_backends;
	part->n_places = group->n_places;
	group->n_backends = group->n_places = 0;
}

void plan_group_part_done(struct plan_group_part *part)
{
	free(part->backends);
	free(part->places);
}

static int part_compare(const void *a, const void *b)
{
	uint64_t x = ((const struct plan_group_part *)a)->number,
		 y = ((const struct plan_group_part *)b)->number;

	return x < y ? -1 : x > y;
}

/* A group that is not reached has a part until it is known that no listener names it. */
static int note_groups(struct plan_builder *b)
{
	struct plan_slices *slices = b->plan->slices;

	for (size_t i = 0; i < b->n_groups; i++) {
		struct plan_group_part *part =
			plan_append(&slices->server_groups, &slices->n_server_groups, sizeof(*part));

		if (!part)
			return -ENOMEM;
		part->number = plan_group_number(b->groups[i].row);
		(void)str_copy(part->id, sizeof(part->id), b->groups[i].row->id);
		plan_group_part_take(part, &b->groups[i]);
	}
	if (slices->n_server_groups > 1)
		qsort(slices->server_groups, slices->n_server_groups, sizeof(*slices->server_groups),
		      part_compare);
	return 0;
}

static void count_listeners(struct plan *plan)
{
	struct plan_slices *slices = plan->slices;
	size_t kept = 0;

	for (size_t i = 0; i < plan->n_listeners; i++) {
		struct plan_group_part *part = plan_group_part_find(slices, plan->listeners[i].value.group);

		if (part)
			part->listeners++;
	}
	for (size_t i = 0; i < slices->n_server_groups; i++) {
		struct plan_group_part *part = &slices->server_groups[i];

		if (part->listeners || part->n_backends || part->n_places)
			slices->server_groups[kept++] = *part;
		else
			plan_group_part_done(part);
	}
	slices->n_server_groups = kept;
}

/* Slots of targets. */

static int compare_target_slots(const struct plan_target_slot *a, const struct plan_target_slot *b)
{
	if (a->target != b->target)
		return a->target < b->target ? -1 : 1;
	return a->slot < b->slot ? -1 : a->slot > b->slot;
}

static int target_slot_compare(const void *a, const void *b)
{
	return compare_target_slots(a, b);
}

size_t plan_target_slot_place(const struct plan_slices *slices, uint32_t target, uint32_t slot)
{
	const struct plan_target_slot wanted = {target, slot};

	return LOWER_BOUND(i, slices->n_target_slots,
			   compare_target_slots(&slices->target_slots[i], &wanted) < 0);
}

static int note_target_slots(struct plan *plan)
{
	struct plan_slices *slices = plan->slices;

	for (size_t i = 0; i < plan->n_enis; i++) {
		struct plan_target_slot *added =
			plan_append(&slices->target_slots, &slices->n_target_slots, sizeof(*added));

		if (!added)
			return -ENOMEM;
		*added = (struct plan_target_slot){plan->enis[i].value.target, plan->enis[i].slot};
	}
	if (slices->n_target_slots > 1)
		qsort(slices->target_slots, slices->n_target_slots, sizeof(*slices->target_slots),
		      target_slot_compare);
	return 0;
}

int plan_note_serving(struct plan_builder *b)
{
	int r = note_groups(b);

	if (r < 0)
		return r;
	count_listeners(b->plan);
	return note_target_slots(b->plan);
}
