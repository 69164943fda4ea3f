/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much would have to be planned behind load balancers, told from rows and from what the plan has, without
 * planning any of it. A slice is put in force in one piece, in which nothing else of the node goes on; a plan
 * of the whole breathes. So what is too heavy for one piece is left to that, before anything is changed.
 */
#include "plan_slice_build.h"

#include "../model/serving.h"

/* More are a matter of the whole plan. */
#define BALANCERS_MAX 128
#define GROUPS_MAX    256
#define LISTENERS_MAX                                                                                        \
	1024 /* of all targets, that go and that come; and of those that are looked at for them */

/* Something that is planned once, however often it is named. */
struct load {
	uint64_t number; /* the group's */
	uint64_t zone;	 /* a table's, with what else it is chosen by, as a number */
	size_t n;	 /* servers, or places */
};

struct loads {
	struct load *v;
	size_t n;
};

struct weight {
	const struct slice *slice;
	char (*balancers)[ID_SIZE];
	size_t n_balancers, n_listeners;
	struct slice_picks picks;
	struct loads groups, tables;
};

static void weight_done(struct weight *weight)
{
	free(weight->balancers);
	free(weight->picks.v);
	free(weight->groups.v);
	free(weight->tables.v);
}

static int add_load(struct loads *loads, struct load load)
{
	struct load *added = plan_append(&loads->v, &loads->n, sizeof(*added));

	if (!added)
		return -ENOMEM;
	*added = load;
	return 0;
}

static int compare_loads(const void *a, const void *b)
{
	const struct load *x = a, *y = b;

	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return x->zone < y->zone ? -1 : x->zone > y->zone;
}

/* Each once; returns how heavy they are together. */
static size_t settle(struct loads *loads)
{
	size_t kept = 0, sum = 0;

	if (loads->n > 1)
		qsort(loads->v, loads->n, sizeof(*loads->v), compare_loads);
	for (size_t i = 0; i < loads->n; i++)
		if (kept == 0 || compare_loads(&loads->v[kept - 1], &loads->v[i]) != 0) {
			loads->v[kept++] = loads->v[i];
			sum += loads->v[i].n;
		}
	loads->n = kept;
	return sum;
}

static size_t count_servers(const struct weight *weight, const char *group)
{
	return snapshot_count_children(weight->slice->input->rows, REF_SERVER_GROUP, group);
}

/* With the servers that it has, or those that it had. */
static int add_group(struct weight *weight, const char *id)
{
	uint64_t number = plan_hash(PLAN_HASH_START, id, strlen(id));
	const struct plan_group_part *part = plan_group_part_find(weight->slice->plan->slices, number);
	size_t n = count_servers(weight, id);

	return add_load(&weight->groups, (struct load){number, 0, MAX(n, part ? part->n_backends : 0)});
}

static int add_balancer(struct weight *weight, const char *id)
{
	char(*added)[ID_SIZE];

	if (!plan_balancer_find(weight->slice->plan->slices, id))
		return 0; /* nobody here has to do with it */
	added = plan_append(&weight->balancers, &weight->n_balancers, sizeof(*added));
	if (!added)
		return -ENOMEM;
	(void)str_copy(*added, sizeof(*added), id);
	return 0;
}

static int compare_ids(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void settle_balancers(struct weight *weight)
{
	size_t kept = 0;

	if (weight->n_balancers > 1)
		qsort(weight->balancers, weight->n_balancers, sizeof(*weight->balancers), compare_ids);
	for (size_t i = 0; i < weight->n_balancers; i++)
		if (kept == 0 || !streq(weight->balancers[kept - 1], weight->balancers[i]))
			memmove(weight->balancers[kept++], weight->balancers[i], ID_SIZE);
	weight->n_balancers = kept;
}

/* A touched group, and who names it. */
static int add_touched(struct weight *weight, const char *group)
{
	int r = add_group(weight, group);

	for (const struct listener *l = NULL;
	     r == 0 &&
	     (l = snapshot_children(weight->slice->input->rows, REF_LISTENER_SERVER_GROUP, group, l));)
		r = add_balancer(weight, l->load_balancer);
	return r;
}

/* The listeners that the target has in the plan. Those that stay are compared with the tables, and no more.
 */
static int add_old_listeners(struct weight *weight, const char *balancer, uint32_t target)
{
	const struct plan *plan = weight->slice->plan;
	int r = 0;

	for (size_t i = slice_listener_place(plan, target);
	     i < plan->n_listeners && plan->listeners[i].key.target == target && r == 0; i++) {
		const struct plan_group_part *part =
			plan_group_part_find(plan->slices, plan->listeners[i].value.group);

		weight->n_listeners++;
		if (part && slice_picks_planned(&weight->picks, balancer, &plan->listeners[i]))
			r = add_group(weight, part->id);
	}
	return r;
}

/* Those that it gets. */
static int add_new_listeners(struct weight *weight, const struct load_balancer *lb, const char *zone)
{
	uint64_t hash = plan_hash(plan_hash(PLAN_HASH_START, zone, strlen(zone)), &lb->cross_zone,
				  sizeof(lb->cross_zone));
	int r = 0;

	for (const struct listener *l = NULL;
	     r == 0 &&
	     (l = snapshot_children(weight->slice->input->rows, REF_LISTENER_LOAD_BALANCER, lb->id, l));) {
		const char *group = l->server_group;
		uint64_t number = plan_hash(PLAN_HASH_START, group, strlen(group));
		size_t n;

		if (!slice_picks_row(&weight->picks, l))
			continue;
		n = count_servers(weight, group);
		weight->n_listeners++;
		r = add_group(weight, group);
		if (r == 0 && n)
			r = add_load(&weight->tables, (struct load){number, hash, serving_places(n)});
	}
	return r;
}

static int weigh_balancer(struct weight *weight, const char *id)
{
	const struct plan_slices *slices = weight->slice->plan->slices;
	const struct load_balancer *lb = snapshot_load_balancer(weight->slice->input->rows, id);
	const struct plan_balancer *balancer = plan_balancer_find(slices, id);
	int r = 0;

	for (size_t i = 0; i < balancer->n_zones && r == 0; i++) {
		const struct plan_balancer_zone *zone = &balancer->zones[i];
		const struct plan_use *use = zone->target ? plan_target_use(slices, zone->target) : NULL;

		if (!use)
			continue;
		r = add_old_listeners(weight, id, use->number);
		if (r == 0 && use->n && lb)
			r = add_new_listeners(weight, lb, zone->zone);
	}
	return r == 0 ? weight->n_listeners > LISTENERS_MAX : r;
}

static int weigh(struct weight *weight)
{
	int r = 0;

	settle_balancers(weight);
	if (weight->n_balancers > BALANCERS_MAX)
		return 1;
	for (size_t i = 0; i < weight->n_balancers && r == 0; i++)
		r = weigh_balancer(weight, weight->balancers[i]);
	if (r != 0)
		return r;
	return settle(&weight->groups) > SLICE_SERVERS_MAX || weight->groups.n > GROUPS_MAX ||
	       settle(&weight->tables) > SLICE_PLACES_MAX;
}

int slice_weigh(const struct slice *slice, const struct plan_touched *touched)
{
	struct weight weight = {.slice = slice};
	int r = slice_pick(slice, touched, &weight.picks);

	for (size_t i = 0; i < touched->balancers.n && r == 0; i++)
		r = add_balancer(&weight, touched->balancers.ids[i]);
	for (size_t i = 0; i < touched->server_groups.n && r == 0; i++)
		r = add_touched(&weight, touched->server_groups.ids[i]);
	if (r == 0)
		r = weigh(&weight);
	weight_done(&weight);
	return r;
}

int slice_weigh_targets(const struct slice *slice)
{
	struct weight weight = {.slice = slice};
	int r = 0;

	for (size_t i = 0; i < slice->n_balancers && r == 0; i++)
		r = add_balancer(&weight, slice->balancers[i]);
	if (r == 0)
		r = weigh(&weight);
	weight_done(&weight);
	return r;
}
