/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The slice of load balancers: the listeners of their targets, and what the server groups behind these have
 * in the plan (backends, who may keep flows, probes, places). Groups are planned with all listeners that name
 * them, and of a load balancer of which nothing else is touched the other listeners stay as they are. What
 * the endpoints in front read of it all is compared with what was known before: those for
 * which it has become another are planned anew, too, and these are few, since a zone answers as long as one
 * of its servers does.
 *
 * Backends and places have several users. Each group's part says what it has added to them: that is taken
 * away, then the new is added, and what nobody uses any more goes.
 */
#include "plan_slice_build.h"

#include "../lib/vec.h"
#include "../model/serving.h"
#include "../model/state.h"

/* More are a matter of the whole plan. */
#define ENDPOINTS_MAX 128

struct ids {
	char (*v)[ID_SIZE];
	size_t n;
};

struct serving {
	struct slice *slice;
	struct plan *plan; /* the slice's */
	struct plan_builder b;
	struct ids balancers;	  /* whose listeners are planned anew, all or: */
	struct slice_picks picks; /* these of them */
	struct ids endpoints;	  /* that read something else than before */
	uint64_t *groups;	  /* numbers of the groups that are planned anew */
	size_t n_groups;
	uint32_t *choices; /* of the builder's targets, before */
	size_t n_choices;
	struct slice_gone listeners; /* of the targets, in the plan in force */
};

static void serving_done(struct serving *serving)
{
	plan_builder_done(&serving->b);
	free(serving->balancers.v);
	free(serving->picks.v);
	free(serving->endpoints.v);
	free(serving->groups);
	free(serving->choices);
	free(serving->listeners.v);
}

static int add_id(struct ids *ids, const char *id)
{
	char text[ID_SIZE] = "";

	return str_copy(text, sizeof(text), id) < 0 ? 1
						    : slice_add_once(&ids->v, &ids->n, sizeof(text), text);
}

static int add_group(struct serving *serving, uint64_t number)
{
	return slice_add_once(&serving->groups, &serving->n_groups, sizeof(number), &number);
}

static uint64_t number_of(const char *group)
{
	return plan_hash(PLAN_HASH_START, group, strlen(group));
}

/* What is planned anew. */

/* Nobody here has to do with others. */
static int add_balancer(struct serving *serving, const char *id)
{
	return plan_balancer_find(serving->plan->slices, id) ? add_id(&serving->balancers, id) : 0;
}

static int find_balancers(struct serving *serving, const struct plan_touched *touched)
{
	const struct snapshot *rows = serving->slice->input->rows;
	int r = slice_pick(serving->slice, touched, &serving->picks);

	for (size_t i = 0; i < touched->balancers.n && r == 0; i++)
		r = add_balancer(serving, touched->balancers.ids[i]);
	for (size_t i = 0; i < touched->server_groups.n && r == 0; i++) {
		const char *group = touched->server_groups.ids[i];

		r = add_group(serving, number_of(group));
		(void)plan_group_find(&serving->b, group);
		for (const struct listener *l = NULL;
		     r == 0 && (l = snapshot_children(rows, REF_LISTENER_SERVER_GROUP, group, l));)
			r = add_balancer(serving, l->load_balancer);
	}
	return r;
}

/* Listeners. */

size_t slice_listener_place(const struct plan *plan, uint32_t target)
{
	return LOWER_BOUND(i, plan->n_listeners, plan->listeners[i].key.target < target);
}

/* Which ids the target's listeners want in PROXY headers, one bit each choice. */
static uint32_t choices_of(const struct plan *plan, uint32_t target)
{
	uint32_t choices = 0;

	for (size_t i = slice_listener_place(plan, target);
	     i < plan->n_listeners && plan->listeners[i].key.target == target; i++)
		if (plan->listeners[i].value.proxy & PL_PROXY_IDS)
			choices |= 1u << plan->listeners[i].value.proxy;
	return choices;
}

/* They go when it is known of all targets which ones. */
static int leave_listeners(struct serving *serving, const char *balancer, uint32_t target)
{
	const struct plan *plan = serving->plan;
	int r = 0;

	for (size_t i = slice_listener_place(plan, target);
	     i < plan->n_listeners && plan->listeners[i].key.target == target && r == 0; i++)
		if (!balancer || slice_picks_planned(&serving->picks, balancer, &plan->listeners[i]))
			r = slice_note_gone(&serving->listeners, i, 1);
	return r;
}

static int remove_listeners(struct serving *serving)
{
	struct plan *plan = serving->plan;
	int r = 0;

	for (size_t i = 0; i < serving->listeners.n; i++) {
		struct plan_listener *listener = &plan->listeners[serving->listeners.v[i]];
		struct plan_group_part *part = plan_group_part_find(plan->slices, listener->value.group);

		if (part) {
			part->listeners--;
			(void)plan_group_find(&serving->b, part->id);
			r = r == 0 ? add_group(serving, part->number) : r;
		}
		plan_table_drop(listener->table);
	}
	slice_remove_all(plan->listeners, &plan->n_listeners, sizeof(*plan->listeners), &serving->listeners);
	return r;
}

/* The plan has none of them by then. */
static int insert_listeners(struct serving *serving)
{
	struct plan *plan = serving->plan, *new = serving->b.plan;
	int r = slice_insert_all(&plan->listeners, &plan->n_listeners, sizeof(*new->listeners),
				 new->listeners, new->n_listeners, plan_listener_compare);

	for (size_t i = 0; i < new->n_listeners &&r == 0; i++)
		(void)plan_table_hold(new->listeners[i].table);
	return r;
}

static int take_target(struct serving *serving, const struct load_balancer *lb,
		       const struct plan_balancer_zone *zone)
{
	struct plan_builder *b = &serving->b;
	struct plan_patch *patch = serving->slice->patch;
	struct plan_target *target = plan_append(&b->targets, &b->n_targets, sizeof(*target));
	uint32_t *choices = plan_append(&serving->choices, &serving->n_choices, sizeof(*choices));
	int r;

	if (!target || !choices)
		return -ENOMEM;
	*target = (struct plan_target){zone->target, lb, zone->zone};
	*choices = choices_of(serving->plan, zone->target);
	r = leave_listeners(serving, lb->id, zone->target);
	return r == 0 ? slice_note(&patch->targets, &patch->n_targets, sizeof(zone->target), &zone->target)
		      : r;
}

/* No ENI leads there any more. */
static int drop_target(struct serving *serving, struct plan_use *use)
{
	struct plan_slices *slices = serving->plan->slices;
	struct plan_patch *patch = serving->slice->patch;
	int r = leave_listeners(serving, NULL, use->number);

	if (r == 0)
		r = slice_note(&patch->targets, &patch->n_targets, sizeof(use->number), &use->number);
	slice_remove(slices->targets, &slices->n_targets, sizeof(*use), (size_t)(use - slices->targets));
	return r;
}

/* 1: it is gone, and ENIs still lead there. */
static int take_targets(struct serving *serving, const char *id)
{
	const struct load_balancer *lb = snapshot_load_balancer(serving->slice->input->rows, id);
	const struct plan_balancer *balancer = plan_balancer_find(serving->plan->slices, id);
	int r = 0;

	for (size_t i = 0; i < balancer->n_zones && r == 0; i++) {
		const struct plan_balancer_zone *zone = &balancer->zones[i];
		struct plan_use *use =
			zone->target ? plan_target_use(serving->plan->slices, zone->target) : NULL;

		if (use && !use->n)
			r = drop_target(serving, use);
		else if (use)
			r = lb ? take_target(serving, lb, zone) : 1;
	}
	return r;
}

/* Of a load balancer all that serve, or those that are picked. */
static int plan_listeners_of(struct serving *serving, const struct plan_target *target)
{
	struct plan_builder *b = &serving->b;
	size_t first = b->plan->n_listeners;
	int r = 0;

	for (const struct listener *l = NULL;
	     r == 0 && (l = serving_next_listener(b->rows, target->load_balancer->id, l));)
		if (slice_picks_row(&serving->picks, l))
			r = plan_listener(b, target, l, first);
	return r;
}

/* The builder's listeners that name the group. */
static uint32_t count_new(const struct plan *new, uint64_t number)
{
	uint32_t n = 0;

	for (size_t i = 0; i < new->n_listeners; i++)
		n += new->listeners[i].value.group == number;
	return n;
}

/* Listeners of other load balancers name groups, too; and groups have come in by new listeners. */
static int reach_groups(struct serving *serving)
{
	struct plan_builder *b = &serving->b;
	int r = 0;

	for (size_t i = 0; i < b->n_groups && r == 0; i++) {
		struct plan_group *group = &b->groups[i];
		uint64_t number = plan_group_number(group->row);
		const struct plan_group_part *part = plan_group_part_find(serving->plan->slices, number);

		if (part && part->listeners && group->vpc)
			r = plan_reach(b, group);
		if (r == 0)
			r = add_group(serving, number);
	}
	return r;
}

static bool has_other_failures(const struct plan_builder *b)
{
	for (size_t i = 0; i < b->plan->n_failures; i++)
		if (!str_starts(b->plan->failures[i].key, "listener/"))
			return true;
	return false;
}

static int build(struct serving *serving)
{
	struct plan_builder *b = &serving->b;
	int r = 0;

	for (size_t i = 0; i < serving->balancers.n && r == 0; i++)
		r = take_targets(serving, serving->balancers.v[i]);
	if (r == 0)
		r = remove_listeners(serving);
	for (size_t i = 0; i < b->n_targets && r == 0; i++)
		r = plan_listeners_of(serving, &b->targets[i]);
	if (r == 0)
		r = reach_groups(serving);
	if (r == 0)
		r = plan_probes(b);
	if (r == 0)
		r = plan_translated(b);
	if (r == 0)
		r = plan_settle(b);
	if (r == 0 && b->is_out_of_memory)
		r = -ENOMEM;
	return r == 0 ? b->plan->slices->is_odd || has_other_failures(b) : r;
}

/* What groups have. */

static struct plan_backend *find_backend(const struct plan *plan, uint32_t index, size_t *ret_place)
{
	*ret_place = LOWER_BOUND(i, plan->n_backends, plan->backends[i].index < index);
	return *ret_place < plan->n_backends && plan->backends[*ret_place].index == index
		       ? &plan->backends[*ret_place]
		       : NULL;
}

static void leave_old(struct serving *serving, const struct plan_group_part *part)
{
	struct plan *plan = serving->plan;
	size_t place;

	for (size_t i = 0; i < part->n_backends; i++)
		find_backend(plan, part->backends[i], &place)->uses--;
	for (size_t i = 0; i < part->n_places; i++)
		slice_leave_place(serving->slice, &part->places[i]);
}

static int note_backend(struct serving *serving, uint32_t index)
{
	struct plan_patch *patch = serving->slice->patch;

	return slice_note(&patch->backends, &patch->n_backends, sizeof(index), &index);
}

/* What nobody uses any more, of all groups. */
struct unused {
	struct slice_gone backends, places;
};

static int note_unused(struct serving *serving, const struct plan_group_part *part, struct unused *unused)
{
	int r = 0;

	for (size_t i = 0, at; i < part->n_backends && r == 0; i++) {
		const struct plan_backend *backend = find_backend(serving->plan, part->backends[i], &at);

		if (!backend || backend->uses)
			continue;
		r = note_backend(serving, part->backends[i]);
		if (r == 0)
			r = slice_note_gone(&unused->backends, at, 1);
	}
	for (size_t i = 0; i < part->n_places && r == 0; i++)
		r = slice_note_unused_place(serving->slice, &part->places[i], &unused->places);
	return r;
}

static int remove_unused(struct serving *serving)
{
	struct plan *plan = serving->plan;
	struct unused unused = {};
	int r = 0;

	for (size_t i = 0; i < serving->n_groups && r == 0; i++) {
		const struct plan_group_part *part = plan_group_part_find(plan->slices, serving->groups[i]);

		r = part ? note_unused(serving, part, &unused) : 0;
	}
	if (r == 0) {
		slice_remove_all(plan->backends, &plan->n_backends, sizeof(*plan->backends),
				 &unused.backends);
		slice_remove_all(plan->places, &plan->n_places, sizeof(*plan->places), &unused.places);
	}
	free(unused.backends.v);
	free(unused.places.v);
	return r;
}

static int compare_backends(const void *a, const void *b)
{
	uint32_t x = ((const struct plan_backend *)a)->index, y = ((const struct plan_backend *)b)->index;

	return x < y ? -1 : x > y;
}

/* 1: others have the backend as another one. */
static int add_backend(struct serving *serving, const struct plan_backend *backend,
		       struct plan_backend **added, size_t *n)
{
	size_t at;
	struct plan_backend *old = find_backend(serving->plan, backend->index, &at);
	bool differs = !old || memcmp(&old->value, &backend->value, sizeof(old->value)) != 0;
	uint32_t uses = old ? old->uses : 0;

	if (differs && uses)
		return 1;
	if (!old)
		old = plan_append(added, n, sizeof(*old));
	if (!old)
		return -ENOMEM;
	*old = *backend;
	old->uses += uses;
	return differs ? note_backend(serving, backend->index) : 0;
}

static int add_backends(struct serving *serving)
{
	_cleanup_(freep) struct plan_backend *added = NULL;
	const struct plan *new = serving->b.plan;
	struct plan *plan = serving->plan;
	size_t n = 0;
	int r = 0;

	for (size_t i = 0; i < new->n_backends &&r == 0; i++)
		r = add_backend(serving, &new->backends[i], &added, &n);
	return r == 0 ? slice_insert_all(&plan->backends, &plan->n_backends, sizeof(*added), added, n,
					 compare_backends)
		      : r;
}

static size_t first_served(const struct plan *plan, uint64_t number)
{
	return LOWER_BOUND(i, plan->n_served,
			   memcmp(&plan->served[i].key.group, &number, sizeof(number)) < 0);
}

static size_t count_served(const struct plan *plan, size_t first, uint64_t number)
{
	size_t n = 0;

	while (first + n < plan->n_served && plan->served[first + n].key.group == number)
		n++;
	return n;
}

/* Servers that come and go, of all groups. */
struct served_change {
	struct slice_gone gone;
	struct plan_served *added;
	size_t n_added;
};

static int add_served(struct served_change *change, const struct plan_served *served, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct plan_served *added = plan_append(&change->added, &change->n_added, sizeof(*added));

		if (!added)
			return -ENOMEM;
		*added = served[i];
	}
	return 0;
}

/* Those of a group stand together. As many as before take their places. */
static int replace_served_of(struct serving *serving, uint64_t number, struct served_change *change)
{
	struct plan *plan = serving->plan;
	const struct plan *new = serving->b.plan;
	struct plan_patch *patch = serving->slice->patch;
	size_t at = first_served(plan, number), from = first_served(new, number);
	size_t n_old = count_served(plan, at, number), n_new = count_served(new, from, number);
	bool is_as_many = n_old == n_new;
	int r;

	if (is_as_many &&
	    (!n_old || memcmp(&plan->served[at], &new->served[from], n_old * sizeof(*plan->served)) == 0))
		return 0;
	r = slice_note(&patch->server_groups, &patch->n_server_groups, sizeof(number), &number);
	if (r == 0 && is_as_many)
		memcpy(&plan->served[at], &new->served[from], n_new * sizeof(*plan->served));
	if (r < 0 || is_as_many)
		return r;
	r = slice_note_gone(&change->gone, at, n_old);
	return r == 0 ? add_served(change, &new->served[from], n_new) : r;
}

static int compare_served(const void *a, const void *b)
{
	return memcmp(&((const struct plan_served *)a)->key, &((const struct plan_served *)b)->key,
		      sizeof(struct pl_server_key));
}

/* As these are sorted by their groups. */
static int compare_groups(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(uint64_t));
}

static int replace_served(struct serving *serving)
{
	struct served_change change = {};
	struct plan *plan = serving->plan;
	int r = 0;

	if (serving->n_groups > 1)
		qsort(serving->groups, serving->n_groups, sizeof(*serving->groups), compare_groups);
	for (size_t i = 0; i < serving->n_groups && r == 0; i++)
		r = replace_served_of(serving, serving->groups[i], &change);
	if (r == 0)
		slice_remove_all(plan->served, &plan->n_served, sizeof(*plan->served), &change.gone);
	if (r == 0)
		r = slice_insert_all(&plan->served, &plan->n_served, sizeof(*plan->served), change.added,
				     change.n_added, compare_served);
	free(change.gone.v);
	free(change.added);
	return r;
}

/* Probes. */

static size_t probe_place(const struct plan *plan, uint32_t backend, const char *group, const char *server)
{
	return LOWER_BOUND(i, plan->n_probes,
			   plan_probe_compare(&plan->probes[i], backend, group, server) < 0);
}

static struct plan_probe *find_probe(const struct plan *plan, uint32_t backend, const char *group,
				     const char *server)
{
	size_t place = probe_place(plan, backend, group, server);

	return place < plan->n_probes && plan_probe_compare(&plan->probes[place], backend, group, server) == 0
		       ? &plan->probes[place]
		       : NULL;
}

const struct plan_probe *plan_find_probe(const struct plan *plan, const struct plan_probe_key *key)
{
	return find_probe(plan, key->backend, key->group, key->server_id);
}

static int note_probe(struct serving *serving, const struct plan_probe *probe)
{
	struct plan_patch *patch = serving->slice->patch;
	struct plan_probe_key key = {.server_port = probe->server_port, .backend = probe->backend};

	(void)str_copy(key.group, sizeof(key.group), probe->group);
	(void)str_copy(key.server_id, sizeof(key.server_id), probe->server_id);
	return slice_note(&patch->probes, &patch->n_probes, sizeof(key), &key);
}

/* Those of a group that it has no more. */
static int note_gone_probes(struct serving *serving, const struct plan_group_part *part,
			    struct slice_gone *gone)
{
	const struct plan *plan = serving->plan;
	int r = 0;

	for (size_t i = 0; i < part->n_backends && r == 0; i++) {
		uint32_t backend = part->backends[i];

		for (size_t j = probe_place(plan, backend, part->id, "");
		     r == 0 && j < plan->n_probes && plan->probes[j].backend == backend &&
		     streq(plan->probes[j].group, part->id);
		     j++) {
			const struct plan_probe *probe = &plan->probes[j];

			if (find_probe(serving->b.plan, backend, part->id, probe->server_id))
				continue;
			r = note_probe(serving, probe);
			if (r == 0)
				r = slice_note_gone(gone, j, 1);
		}
	}
	return r;
}

static int remove_probes(struct serving *serving)
{
	struct plan *plan = serving->plan;
	struct slice_gone gone = {};
	int r = 0;

	for (size_t i = 0; i < serving->n_groups && r == 0; i++) {
		const struct plan_group_part *part = plan_group_part_find(plan->slices, serving->groups[i]);

		r = part ? note_gone_probes(serving, part, &gone) : 0;
	}
	if (r == 0)
		slice_remove_all(plan->probes, &plan->n_probes, sizeof(*plan->probes), &gone);
	free(gone.v);
	return r;
}

/* Of the same server, which is in the same group. */
static bool is_same_probe(const struct plan_probe *a, const struct plan_probe *b)
{
	return a->server_port == b->server_port && a->vpc == b->vpc && a->owner == b->owner &&
	       memcmp(&a->probe_addr, &b->probe_addr, sizeof(a->probe_addr)) == 0 &&
	       a->probe_port == b->probe_port && a->interval_ms == b->interval_ms &&
	       a->timeout_ms == b->timeout_ms && a->healthy_threshold == b->healthy_threshold &&
	       a->unhealthy_threshold == b->unhealthy_threshold && a->type == b->type &&
	       streq(a->say, b->say) && a->good_classes == b->good_classes && streq(a->expect, b->expect) &&
	       a->silence == b->silence;
}

static int compare_probes(const void *a, const void *b)
{
	const struct plan_probe *y = b;

	return plan_probe_compare(a, y->backend, y->group, y->server_id);
}

static int add_probe(struct serving *serving, const struct plan_probe *probe, struct plan_probe **added,
		     size_t *n)
{
	struct plan_probe *old = find_probe(serving->plan, probe->backend, probe->group, probe->server_id);

	if (old && is_same_probe(old, probe))
		return 0;
	if (!old)
		old = plan_append(added, n, sizeof(*old));
	if (!old)
		return -ENOMEM;
	*old = *probe;
	return note_probe(serving, probe);
}

static int add_probes(struct serving *serving)
{
	_cleanup_(freep) struct plan_probe *added = NULL;
	const struct plan *new = serving->b.plan;
	struct plan *plan = serving->plan;
	size_t n = 0;
	int r = 0;

	for (size_t i = 0; i < new->n_probes &&r == 0; i++)
		r = add_probe(serving, &new->probes[i], &added, &n);
	return r == 0 ? slice_insert_all(&plan->probes, &plan->n_probes, sizeof(*added), added, n,
					 compare_probes)
		      : r;
}

/* Groups. */

static struct plan_group *find_group(const struct plan_builder *b, uint64_t number)
{
	for (size_t i = 0; i < b->n_groups; i++)
		if (plan_group_number(b->groups[i].row) == number)
			return &b->groups[i];
	return NULL;
}

/* What the group has from now on; `group` NULL: nothing, it is gone. */
static int replace_part(struct serving *serving, uint64_t number, struct plan_group *group)
{
	struct plan_slices *slices = serving->plan->slices;
	struct plan_group_part *part = plan_group_part_find(slices, number);
	uint32_t listeners = (part ? part->listeners : 0) + count_new(serving->b.plan, number);
	bool is_there = group && (listeners || group->n_backends || group->n_places);

	if (!part && is_there) {
		part = slice_insert(&slices->server_groups, &slices->n_server_groups, sizeof(*part),
				    plan_group_part_place(slices, number));
		if (!part)
			return -ENOMEM;
		part->number = number;
		(void)str_copy(part->id, sizeof(part->id), group->row->id);
	}
	if (!part)
		return 0;
	plan_group_part_done(part);
	if (is_there) {
		part->listeners = listeners;
		plan_group_part_take(part, group);
	} else {
		slice_remove(slices->server_groups, &slices->n_server_groups, sizeof(*part),
			     (size_t)(part - slices->server_groups));
	}
	return 0;
}

static void leave_all(struct serving *serving)
{
	for (size_t i = 0; i < serving->n_groups; i++) {
		const struct plan_group_part *part =
			plan_group_part_find(serving->plan->slices, serving->groups[i]);

		if (part)
			leave_old(serving, part);
	}
}

static int replace_groups(struct serving *serving)
{
	int r;

	leave_all(serving);
	r = add_backends(serving);
	if (r == 0)
		r = slice_add_places(serving->slice, &serving->b);
	if (r == 0)
		r = remove_probes(serving);
	if (r == 0)
		r = add_probes(serving);
	if (r == 0)
		r = remove_unused(serving);
	if (r == 0)
		r = replace_served(serving);
	for (size_t i = 0; i < serving->n_groups && r == 0; i++)
		r = replace_part(serving, serving->groups[i], find_group(&serving->b, serving->groups[i]));
	return r;
}

/* Failures of listeners. */

static int set_failure(struct serving *serving, const char *listener)
{
	char key[KEY_SIZE];

	(void)str_format(key, sizeof(key), "listener/%s", listener);
	return slice_set_failure(serving->slice, key, &serving->b);
}

static int set_failures(struct serving *serving, const struct plan_touched *touched)
{
	const struct snapshot *rows = serving->slice->input->rows;
	int r = 0;

	for (size_t i = 0; i < touched->listeners.n && r == 0; i++)
		r = set_failure(serving, touched->listeners.ids[i]);
	for (size_t i = 0; i < serving->balancers.n; i++)
		for (const struct listener *l = NULL;
		     r == 0 &&
		     (l = snapshot_children(rows, REF_LISTENER_LOAD_BALANCER, serving->balancers.v[i], l));)
			if (slice_picks_row(&serving->picks, l))
				r = set_failure(serving, l->id);
	return r;
}

/* Endpoints in front. */

static int add_endpoint(struct serving *serving, const char *id)
{
	int r = plan_part_find(serving->plan->slices, id) ? add_id(&serving->endpoints, id) : 0;

	return r == 0 ? serving->endpoints.n > ENDPOINTS_MAX : r;
}

/* Those with a zone that leads to this one; NULL: to any. */
static int add_endpoints(struct serving *serving, const char *balancer, const char *zone)
{
	const struct snapshot *rows = serving->slice->input->rows;
	int r = 0;

	for (const struct endpoint_zone *z = NULL;
	     r == 0 && (z = snapshot_children(rows, REF_ENDPOINT_ZONE_RESOURCE, balancer, z));)
		if (!zone || streq(endpoint_zone_behind(z), zone))
			r = add_endpoint(serving, z->endpoint);
	for (const struct endpoint_zone *z = NULL;
	     r == 0 && (z = snapshot_children(rows, REF_ENDPOINT_ZONE_REPLACED_RESOURCE, balancer, z));)
		if (!zone || streq(endpoint_zone_behind_replaced(z), zone))
			r = add_endpoint(serving, z->endpoint);
	return r;
}

/* What names and ENIs read of the load balancer. */
static int find_endpoints(struct serving *serving, const char *id)
{
	struct plan_balancer *balancer = plan_balancer_find(serving->plan->slices, id);
	uint64_t lacking = plan_lacking(&serving->b, id);
	int r = lacking != balancer->lacking ? add_endpoints(serving, id, NULL) : 0;

	balancer->lacking = lacking;
	for (size_t i = 0; i < balancer->n_zones && r == 0; i++) {
		struct plan_balancer_zone *zone = &balancer->zones[i];
		bool answers = zone->is_asked && plan_zone_answers(&serving->b, id, zone->zone);

		if (zone->is_asked && answers != zone->answers)
			r = add_endpoints(serving, id, zone->zone);
		zone->answers = answers;
	}
	return r;
}

/* ENIs whose listeners want other ids in headers than before. */
static int compare_choices(struct serving *serving)
{
	const struct plan_builder *b = &serving->b;
	int r = 0;

	for (size_t i = 0; i < b->n_targets && r == 0; i++) {
		const struct plan_target *target = &b->targets[i];

		if (choices_of(serving->plan, target->number) != serving->choices[i])
			r = add_endpoints(serving, target->load_balancer->id, target->zone);
	}
	return r;
}

static int replace_endpoints(struct serving *serving)
{
	int r = 0;

	for (size_t i = 0; i < serving->balancers.n && r == 0; i++)
		r = find_endpoints(serving, serving->balancers.v[i]);
	if (r == 0)
		r = compare_choices(serving);
	if (r == 0 && serving->b.is_out_of_memory)
		r = -ENOMEM;
	for (size_t i = 0; i < serving->endpoints.n && r == 0; i++)
		r = slice_endpoint(serving->slice, serving->endpoints.v[i]);
	return r;
}

static int replace(struct serving *serving, const struct plan_touched *touched)
{
	int r = replace_groups(serving);

	if (r == 0)
		r = insert_listeners(serving);
	if (r == 0)
		r = set_failures(serving, touched);
	return r == 0 ? replace_endpoints(serving) : r;
}

static int run(struct serving *serving, const struct plan_touched *touched)
{
	int r = slice_builder(serving->slice, &serving->b);

	if (r == 0)
		r = find_balancers(serving, touched);
	if (r == 0)
		r = build(serving);
	return r == 0 ? replace(serving, touched) : r;
}

int slice_serving(struct slice *slice, const struct plan_touched *touched)
{
	struct serving serving = {.slice = slice, .plan = slice->plan};
	int r;

	if (!touched->server_groups.n && !touched->balancers.n && !touched->listeners.n)
		return 0;
	if (slice_has_failure(slice->plan, "server_group/"))
		return 1;
	r = run(&serving, touched);
	serving_done(&serving);
	return r;
}

int slice_settle_targets(struct slice *slice)
{
	static const struct plan_touched none;
	struct serving serving = {.slice = slice, .plan = slice->plan};
	size_t n = slice->n_balancers;
	int r;

	if (!n)
		return 0;
	if (slice_has_failure(slice->plan, "server_group/"))
		return 1;
	r = slice_weigh_targets(slice);
	if (r == 0)
		r = slice_builder(slice, &serving.b);
	for (size_t i = 0; i < n && r == 0; i++)
		r = add_id(&serving.balancers, slice->balancers[i]);
	if (r == 0)
		r = build(&serving);
	if (r == 0)
		r = replace(&serving, &none);
	serving_done(&serving);
	return r == 0 ? slice->n_balancers > n : r;
}

bool plan_slot_of_target(const struct plan *plan, uint32_t target, size_t i, uint32_t *ret)
{
	const struct plan_slices *slices = plan->slices;
	size_t place = plan_target_slot_place(slices, target, 0) + i;

	if (place >= slices->n_target_slots || slices->target_slots[place].target != target)
		return false;
	*ret = slices->target_slots[place].slot;
	return true;
}
