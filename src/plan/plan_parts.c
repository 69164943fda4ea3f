/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of a plan belongs to which endpoint, and how often what they share is used. It is made with the plan,
 * and kept by those who change slices of it.
 */
#include "plan_build.h"

#include "../lib/vec.h"

int plan_slices_new(struct plan_slices **ret)
{
	struct plan_slices *slices = calloc(1, sizeof(*slices));

	if (!slices)
		return -ENOMEM;
	slices->groups = calloc(PL_GROUPS_MAX, sizeof(*slices->groups));
	slices->named = calloc(PL_GROUPS_MAX, sizeof(*slices->named));
	if (!slices->groups || !slices->named) {
		plan_slices_free(slices);
		return -ENOMEM;
	}
	*ret = slices;
	return 0;
}

void plan_slices_free_dropped(struct plan_slices *slices)
{
	while (slices->dropped) {
		struct plan_name *name = slices->dropped;

		slices->dropped = name->next;
		plan_name_free(name);
	}
}

struct plan_slices *plan_slices_free(struct plan_slices *slices)
{
	if (!slices)
		return NULL;
	plan_slices_free_dropped(slices);
	free(slices->parts);
	for (int i = 0; i < PLAN_HOST_KINDS; i++)
		free(slices->hosts[i].v);
	free(slices->vpcs);
	free(slices->groups);
	free(slices->named);
	free(slices->targets);
	free(slices->target_slots);
	for (size_t i = 0; i < slices->n_server_groups; i++)
		plan_group_part_done(&slices->server_groups[i]);
	free(slices->server_groups);
	plan_balancers_free(slices);
	free(slices);
	return NULL;
}

int plan_part_add(struct plan_builder *b, const struct vpc *vpc, const char *endpoint)
{
	struct plan_slices *slices = b->plan->slices;
	struct plan_part *part = plan_append(&slices->parts, &slices->n_parts, sizeof(*part));

	if (!part)
		return -ENOMEM;
	(void)str_copy(part->endpoint, sizeof(part->endpoint), endpoint);
	(void)str_copy(part->vpc, sizeof(part->vpc), vpc->id);
	return 0;
}

size_t plan_part_place(const struct plan_slices *slices, const char *endpoint)
{
	return LOWER_BOUND(i, slices->n_parts, strcmp(slices->parts[i].endpoint, endpoint) < 0);
}

struct plan_part *plan_part_find(const struct plan_slices *slices, const char *endpoint)
{
	size_t place = plan_part_place(slices, endpoint);

	return place < slices->n_parts && streq(slices->parts[place].endpoint, endpoint)
		       ? &slices->parts[place]
		       : NULL;
}

void plan_name_own(struct plan_name **names, struct plan_name *name)
{
	name->next = *names;
	*names = name;
}

void plan_count_set(struct plan_slices *slices, const struct pl_set *set, int by)
{
	for (uint32_t i = 0; i < set->count; i++)
		slices->groups[set->group[i]] += (uint32_t)by;
}

size_t plan_target_place(const struct plan_slices *slices, uint32_t target)
{
	return LOWER_BOUND(i, slices->n_targets, slices->targets[i].number < target);
}

struct plan_use *plan_target_use(const struct plan_slices *slices, uint32_t target)
{
	size_t place = plan_target_place(slices, target);

	return place < slices->n_targets && slices->targets[place].number == target ? &slices->targets[place]
										    : NULL;
}

static int use_compare(const void *a, const void *b)
{
	uint32_t x = ((const struct plan_use *)a)->number, y = ((const struct plan_use *)b)->number;

	return x < y ? -1 : x > y;
}

static int note_targets(struct plan_builder *b)
{
	struct plan_slices *slices = b->plan->slices;

	for (size_t i = 0; i < b->n_targets; i++) {
		struct plan_use *use = plan_append(&slices->targets, &slices->n_targets, sizeof(*use));

		if (!use)
			return -ENOMEM;
		use->number = b->targets[i].number;
		(void)str_copy(use->balancer, sizeof(use->balancer), b->targets[i].load_balancer->id);
	}
	if (slices->n_targets > 1)
		qsort(slices->targets, slices->n_targets, sizeof(*slices->targets), use_compare);
	return 0;
}

static int note_vpcs(struct plan_builder *b)
{
	struct plan_slices *slices = b->plan->slices;

	for (size_t i = 0; i < b->n_vpcs; i++) {
		struct plan_vpc_use *use = plan_append(&slices->vpcs, &slices->n_vpcs, sizeof(*use));

		if (!use)
			return -ENOMEM;
		(void)str_copy(use->id, sizeof(use->id), b->vpcs[i].row->id);
		use->number = b->vpcs[i].row->number;
		use->n_ports = b->vpcs[i].n_ports;
	}
	return 0;
}

size_t plan_vpc_use_place(const struct plan_slices *slices, const char *id)
{
	return LOWER_BOUND(i, slices->n_vpcs, strcmp(slices->vpcs[i].id, id) < 0);
}

struct plan_vpc_use *plan_vpc_use_find(const struct plan_slices *slices, const char *id)
{
	size_t place = plan_vpc_use_place(slices, id);

	return place < slices->n_vpcs && streq(slices->vpcs[place].id, id) ? &slices->vpcs[place] : NULL;
}

int plan_parts_settle(struct plan_builder *b)
{
	struct plan *plan = b->plan;
	int r = note_targets(b);

	if (r == 0)
		r = note_vpcs(b);
	if (r == 0)
		r = plan_note_serving(b);
	if (r < 0)
		return r;
	for (size_t i = 0; i < plan->n_enis; i++) {
		struct plan_use *use = plan_target_use(plan->slices, plan->enis[i].value.target);

		if (use)
			use->n++;
	}
	return 0;
}
