/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The slices of security groups and of who is in them, and what all slices share. A slice cannot stand by
 * itself where others would change: a group or a load balancer's zone that nobody here had before, or nobody
 * has afterwards, a number or an address of somebody else's and a failure that is not the slice's own are a
 * matter of the whole plan, which is made in place of one that is half changed then.
 */
#include "plan_slice_build.h"

#include "../lib/vec.h"

/* Numbers and sets that are nobody's any more are free again after a plan of the whole: after so many changes
 * there is one in any case. */
#define CHANGES_MAX 1000

void plan_patch_done(struct plan_patch *patch)
{
	free(patch->slots);
	free(patch->ports);
	free(patch->places);
	free(patch->groups);
	free(patch->targets);
	free(patch->backends);
	free(patch->server_groups);
	free(patch->probes);
	*patch = (struct plan_patch){};
}

int slice_builder(const struct slice *slice, struct plan_builder *ret)
{
	*ret = (struct plan_builder){
		.input = slice->input,
		.rows = slice->input->rows,
		.indexes = slice->indexes,
		.plan = plan_new(),
		.base = slice->plan,
		.known = slice->plan->slices,
	};
	if (!ret->plan)
		return -ENOMEM;
	plan_indexes_begin(slice->indexes);
	return 0;
}

/* Arrays. */

void *slice_insert(void *array, size_t *n, size_t element_size, size_t place)
{
	char *elements;

	if (!plan_append(array, n, element_size))
		return NULL;
	memcpy(&elements, array, sizeof(elements));
	memmove(elements + (place + 1) * element_size, elements + place * element_size,
		(*n - 1 - place) * element_size);
	memset(elements + place * element_size, 0, element_size);
	return elements + place * element_size;
}

void slice_remove(void *array, size_t *n, size_t element_size, size_t place)
{
	char *elements = array;

	(*n)--;
	memmove(elements + place * element_size, elements + (place + 1) * element_size,
		(*n - place) * element_size);
}

/* Failures. */

static size_t failure_place(const struct plan *plan, const char *key)
{
	return LOWER_BOUND(i, plan->n_failures, strcmp(plan->failures[i].key, key) < 0);
}

bool slice_has_failure(const struct plan *plan, const char *prefix)
{
	size_t place = failure_place(plan, prefix);

	return place < plan->n_failures && str_starts(plan->failures[place].key, prefix);
}

bool slice_fails_only(const struct plan_builder *b, const char *key)
{
	for (size_t i = 0; i < b->plan->n_failures; i++)
		if (!streq(b->plan->failures[i].key, key))
			return false;
	return true;
}

static struct plan_failure *find_failure(const struct plan *plan, const char *key)
{
	size_t place = failure_place(plan, key);

	return place < plan->n_failures && streq(plan->failures[place].key, key) ? &plan->failures[place]
										 : NULL;
}

int slice_set_failure(struct slice *slice, const char *key, const struct plan_builder *b)
{
	struct plan *plan = slice->plan;
	size_t place = failure_place(plan, key);
	struct plan_failure *old = find_failure(plan, key), *new = find_failure(b->plan, key);

	if (!new && !old)
		return 0;
	slice->patch->failures = true;
	if (!new) {
		slice_remove(plan->failures, &plan->n_failures, sizeof(*plan->failures), place);
		return 0;
	}
	if (!old)
		old = slice_insert(&plan->failures, &plan->n_failures, sizeof(*old), place);
	if (!old)
		return -ENOMEM;
	*old = *new;
	return 0;
}

/* What is noted. */

int slice_note(void *array, size_t *n, size_t element_size, const void *element)
{
	char *elements;
	void *added;

	memcpy(&elements, array, sizeof(elements));
	for (size_t i = 0; i < *n; i++)
		if (memcmp(elements + i * element_size, element, element_size) == 0)
			return 0;
	added = plan_append(array, n, element_size);
	if (!added)
		return -ENOMEM;
	memcpy(added, element, element_size);
	return 0;
}

int slice_note_slot(struct slice *slice, uint32_t slot)
{
	return slice_note(&slice->patch->slots, &slice->patch->n_slots, sizeof(slot), &slot);
}

int slice_note_place(struct slice *slice, const struct pl_place_key *key)
{
	return slice_note(&slice->patch->places, &slice->patch->n_places, sizeof(*key), key);
}

static int note_group(struct slice *slice, uint32_t number)
{
	return slice_note(&slice->patch->groups, &slice->patch->n_groups, sizeof(number), &number);
}

/* Places. */

size_t slice_place_place(const struct plan *plan, const struct pl_place_key *key)
{
	return LOWER_BOUND(i, plan->n_places, plan_place_key_compare(&plan->places[i].key, key) < 0);
}

struct plan_place *slice_find_place(const struct plan *plan, const struct pl_place_key *key)
{
	size_t place = slice_place_place(plan, key);

	return place < plan->n_places && plan_place_key_compare(&plan->places[place].key, key) == 0
		       ? &plan->places[place]
		       : NULL;
}

void slice_leave_place(struct slice *slice, const struct pl_place_key *key)
{
	slice_find_place(slice->plan, key)->uses--;
}

int slice_drop_unused_place(struct slice *slice, const struct pl_place_key *key)
{
	struct plan *plan = slice->plan;
	const struct plan_place *place = slice_find_place(plan, key);

	if (!place || place->uses)
		return 0;
	slice_remove(plan->places, &plan->n_places, sizeof(*place), (size_t)(place - plan->places));
	return slice_note_place(slice, key);
}

int slice_add_places(struct slice *slice, const struct plan_builder *b)
{
	struct plan *plan = slice->plan;
	int r = 0;

	for (size_t i = 0; i < b->plan->n_places && r == 0; i++) {
		const struct plan_place *place = &b->plan->places[i];
		struct plan_place *old = slice_find_place(plan, &place->key);
		bool differs = !old || memcmp(&old->value, &place->value, sizeof(old->value)) != 0;

		if (!old)
			old = slice_insert(&plan->places, &plan->n_places, sizeof(*old),
					   slice_place_place(plan, &place->key));
		if (!old)
			return -ENOMEM;
		if (differs && old->uses)
			return 1;
		old->key = place->key;
		old->value = place->value;
		old->uses += place->uses;
		r = differs ? slice_note_place(slice, &place->key) : 0;
	}
	return r;
}

bool slice_knows_set(const struct plan_slices *slices, const struct pl_set *set)
{
	for (uint32_t i = 0; i < set->count; i++)
		if (!slices->groups[set->group[i]])
			return false;
	return true;
}

/* A port's groups. */

struct plan_port *slice_find_port(const struct plan *plan, uint32_t number)
{
	size_t place = LOWER_BOUND(i, plan->n_ports, plan->ports[i].number < number);

	return place < plan->n_ports && plan->ports[place].number == number ? &plan->ports[place] : NULL;
}

/* The old groups have others in them, too. */
static int take_set(struct slice *slice, struct plan_port *port, const struct pl_set *set)
{
	struct plan_slices *slices = slice->plan->slices;

	if (!slice_knows_set(slices, set))
		return 1;
	plan_count_set(slices, set, 1);
	plan_count_set(slices, &port->set, -1);
	if (!slice_knows_set(slices, &port->set)) {
		plan_count_set(slices, &port->set, 1);
		plan_count_set(slices, set, -1);
		return 1;
	}
	port->set = *set;
	return slice_note_slot(slice, port->slot);
}

static int slice_member(struct slice *slice, const char *id)
{
	_cleanup_(plan_builder_done) struct plan_builder b = {};
	const struct port *row = snapshot_port(slice->input->rows, id);
	const struct instance *instance = row ? snapshot_instance(slice->input->rows, row->holder) : NULL;
	struct plan_port *port;
	char key[KEY_SIZE];
	struct pl_set set;
	int r;

	if (!row || !instance || !streq(instance->port, id))
		return 1;
	port = slice_find_port(slice->plan, row->number);
	if (!port || !streq(port->instance, instance->id))
		return streq(instance->node, slice->input->node); /* another node's is no matter here */
	(void)str_format(key, sizeof(key), "instance/%s", instance->id);
	r = slice_builder(slice, &b);
	if (r == 0)
		r = plan_make_set(&b, row->groups, row->n_groups, key, &set);
	if (r == 0)
		r = plan_settle(&b);
	if (r < 0 || !slice_fails_only(&b, key))
		return r < 0 ? r : 1;
	r = take_set(slice, port, &set);
	return r == 0 ? slice_set_failure(slice, key, &b) : r;
}

/* A group's rules. */

static struct plan_security_group *find_group(const struct slice *slice, const char *id)
{
	const struct plan *plan = slice->plan;
	uint32_t number = plan_indexes_find_security_group(slice->indexes, id);
	size_t place = LOWER_BOUND(i, plan->n_security_groups, plan->security_groups[i].number < number);
	struct plan_security_group *group =
		place < plan->n_security_groups ? &plan->security_groups[place] : NULL;

	return number && group && group->number == number && streq(group->id, id) ? group : NULL;
}

static bool has_group(const struct plan *plan, uint32_t number)
{
	size_t place = LOWER_BOUND(i, plan->n_security_groups, plan->security_groups[i].number < number);

	return place < plan->n_security_groups && plan->security_groups[place].number == number;
}

static bool is_named(const struct plan_security_group *group, uint32_t number)
{
	for (int d = 0; d < 2; d++)
		for (size_t i = 0; i < group->n_rules[d]; i++)
			if (group->rules[d][i].group == number)
				return true;
	return false;
}

/* The rules name groups that are in the plan, and all that the old ones name alone. */
static bool names_known_ones(const struct plan *plan, const struct plan_security_group *old,
			     const struct plan_security_group *new)
{
	for (int d = 0; d < 2; d++) {
		for (size_t i = 0; i < new->n_rules[d]; i++)
			if (new->rules[d][i].group && !has_group(plan, new->rules[d][i].group))
				return false;
		for (size_t i = 0; i < old->n_rules[d]; i++) {
			uint32_t named = old->rules[d][i].group;

			if (named && !plan->slices->groups[named] && !is_named(new, named))
				return false;
		}
	}
	return true;
}

static bool has_failed(const struct plan *plan, const char *id)
{
	char key[KEY_SIZE];

	(void)str_format(key, sizeof(key), "sg_rule/%s/", id);
	if (slice_has_failure(plan, key))
		return true;
	(void)str_format(key, sizeof(key), "security_group/%s", id);
	return slice_has_failure(plan, key);
}

static bool has_equal_rules(const struct plan_security_group *a, const struct plan_security_group *b)
{
	for (int d = 0; d < 2; d++)
		if (a->n_rules[d] != b->n_rules[d] ||
		    (a->n_rules[d] &&
		     memcmp(a->rules[d], b->rules[d], a->n_rules[d] * sizeof(*a->rules[d])) != 0))
			return false;
	return true;
}

static void swap_rules(struct plan_security_group *a, struct plan_security_group *b)
{
	struct plan_security_group other = *a;

	*a = *b;
	*b = other;
}

static void rules_done(struct plan_security_group *group)
{
	free(group->rules[PL_DIRECTION_IN]);
	free(group->rules[PL_DIRECTION_OUT]);
}

static int slice_group(struct slice *slice, const char *id)
{
	struct plan_security_group *old = find_group(slice, id);
	_cleanup_(rules_done) struct plan_security_group group = {};
	_cleanup_(plan_builder_done) struct plan_builder b = {};
	int r;

	if (!old || !slice->plan->slices->groups[old->number])
		return 0; /* nobody here is in it */
	if (has_failed(slice->plan, id))
		return 1;
	r = slice_builder(slice, &b);
	if (r < 0)
		return r;
	group.number = old->number;
	memcpy(group.id, old->id, sizeof(group.id));
	r = plan_group_rules(&b, &group);
	if (r < 0 || b.plan->n_failures || !names_known_ones(slice->plan, old, &group))
		return r < 0 ? r : 1;
	if (has_equal_rules(old, &group))
		return 0;
	swap_rules(old, &group);
	return note_group(slice, old->number);
}

/* A group that is in the plan has come, gone or become another one. */
static int slice_other(struct slice *slice, const char *id)
{
	return find_group(slice, id) != NULL;
}

static int each(struct slice *slice, const struct plan_touched_ids *list,
		int (*function)(struct slice *slice, const char *id))
{
	int r = 0;

	for (size_t i = 0; i < list->n && r == 0; i++)
		r = function(slice, list->ids[i]);
	return r;
}

int plan_slice(const struct plan_input *input, struct plan_indexes *indexes,
	       const struct plan_touched *touched, struct plan *plan, struct plan_patch *patch)
{
	struct slice slice = {.input = input, .indexes = indexes, .plan = plan, .patch = patch};
	int r;

	/* Failures that have no one owner come and go with anyone. */
	if (touched->whole || plan->slices->is_odd || plan->slices->n_changes++ == CHANGES_MAX ||
	    slice_has_failure(plan, "address/") || slice_has_failure(plan, "load_balancer/"))
		return 1;
	plan->slices->is_odd = true; /* until all has gone well */
	r = each(&slice, &touched->vswitches, slice_vswitch);
	if (r == 0)
		r = each(&slice, &touched->interfaces, slice_interface);
	if (r == 0)
		r = each(&slice, &touched->instances, slice_instance);
	if (r == 0)
		r = each(&slice, &touched->others, slice_other);
	if (r == 0)
		r = each(&slice, &touched->members, slice_member);
	if (r == 0)
		r = each(&slice, &touched->groups, slice_group);
	if (r == 0)
		r = slice_serving(&slice, touched);
	if (r == 0)
		r = each(&slice, &touched->endpoints, slice_endpoint);
	if (r != 0)
		return r;
	plan_slices_free_dropped(plan->slices);
	plan->slices->is_odd = false;
	plan->revision = snapshot_revision(input->rows);
	return 0;
}
