/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All slices of a change in their order, and what they share. A slice cannot stand by itself where others
 * would change: a number or an address of somebody else's and a failure that is not the slice's own are a
 * matter of the whole plan, which is made in place of one that is half changed then.
 */
#include "plan_slice_build.h"

#include "../lib/vec.h"

/* Numbers that are nobody's any more are free again after a plan of the whole: when so many were given out
 * there is one in any case. */
#define NUMBERS_MAX 4096

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

static int compare_sizes(const void *a, const void *b)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;

	return x < y ? -1 : x > y;
}

int slice_note_gone(struct slice_gone *gone, size_t first, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t *added = plan_append(&gone->v, &gone->n, sizeof(*added));

		if (!added)
			return -ENOMEM;
		*added = first + i;
	}
	return 0;
}

void slice_remove_all(void *array, size_t *n, size_t element_size, struct slice_gone *gone)
{
	char *elements = array;
	size_t kept = 0, from = 0; /* what is before `from` has its place, or is gone */

	if (gone->n > 1)
		qsort(gone->v, gone->n, sizeof(*gone->v), compare_sizes);
	for (size_t i = 0; i <= gone->n; i++) {
		size_t to = i < gone->n ? gone->v[i] : *n;

		if (to < from)
			continue; /* told twice */
		if (kept != from)
			memmove(elements + kept * element_size, elements + from * element_size,
				(to - from) * element_size);
		kept += to - from;
		from = to + 1;
	}
	*n = kept;
}

/* From the back, so that each block goes where nothing is needed any more. */
int slice_insert_all(void *array, size_t *n, size_t element_size, const void *new, size_t n_new,
		     int (*compare)(const void *, const void *))
{
	size_t end = *n;
	char *elements;

	if (plan_reserve(array, *n, n_new, element_size) < 0)
		return -ENOMEM;
	memcpy(&elements, array, sizeof(elements));
	*n += n_new;
	for (size_t left = n_new; left > 0; left--) {
		const char *element = (const char *)new + (left - 1) * element_size;
		size_t place = LOWER_BOUND(i, end, compare(elements + i * element_size, element) < 0);

		memmove(elements + (place + left) * element_size, elements + place * element_size,
			(end - place) * element_size);
		memcpy(elements + (place + left - 1) * element_size, element, element_size);
		end = place;
	}
	return 0;
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
	if (new &&old && streq(new->reason, old->reason) && new->is_gone == old->is_gone)
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
	void *added = plan_append(array, n, element_size);

	if (!added)
		return -ENOMEM;
	memcpy(added, element, element_size);
	return 0;
}

int slice_add_once(void *array, size_t *n, size_t element_size, const void *element)
{
	char *elements;

	memcpy(&elements, array, sizeof(elements));
	for (size_t i = 0; i < *n; i++)
		if (memcmp(elements + i * element_size, element, element_size) == 0)
			return 0;
	return slice_note(array, n, element_size, element);
}

static int compare_notes(const void *a, const void *b, void *size)
{
	return memcmp(a, b, *(const size_t *)size);
}

static void settle_notes(void *array, size_t *n, size_t element_size)
{
	char *elements = array;
	size_t kept = 1;

	if (*n < 2)
		return;
	qsort_r(elements, *n, element_size, compare_notes, &element_size);
	for (size_t i = 1; i < *n; i++) {
		const char *element = elements + i * element_size;

		if (memcmp(elements + (kept - 1) * element_size, element, element_size) != 0)
			memmove(elements + kept++ * element_size, element, element_size);
	}
	*n = kept;
}

/* (Ports are told once, and in their order: their devices are made in that.) */
static void settle_patch(struct plan_patch *patch)
{
	settle_notes(patch->slots, &patch->n_slots, sizeof(*patch->slots));
	settle_notes(patch->places, &patch->n_places, sizeof(*patch->places));
	settle_notes(patch->groups, &patch->n_groups, sizeof(*patch->groups));
	settle_notes(patch->targets, &patch->n_targets, sizeof(*patch->targets));
	settle_notes(patch->backends, &patch->n_backends, sizeof(*patch->backends));
	settle_notes(patch->server_groups, &patch->n_server_groups, sizeof(*patch->server_groups));
	settle_notes(patch->probes, &patch->n_probes, sizeof(*patch->probes));
}

int slice_note_slot(struct slice *slice, uint32_t slot)
{
	return slice_note(&slice->patch->slots, &slice->patch->n_slots, sizeof(slot), &slot);
}

int slice_note_place(struct slice *slice, const struct pl_place_key *key)
{
	return slice_note(&slice->patch->places, &slice->patch->n_places, sizeof(*key), key);
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

int slice_note_unused_place(struct slice *slice, const struct pl_place_key *key, struct slice_gone *gone)
{
	struct plan *plan = slice->plan;
	const struct plan_place *place = slice_find_place(plan, key);
	int r = place && !place->uses ? slice_note_place(slice, key) : 1;

	return r == 0 ? slice_note_gone(gone, (size_t)(place - plan->places), 1) : MIN(r, 0);
}

static int compare_places(const void *a, const void *b)
{
	return plan_place_key_compare(&((const struct plan_place *)a)->key,
				      &((const struct plan_place *)b)->key);
}

/* One that is there is used once more, or by others now; else it is to come. */
static int add_place(struct slice *slice, const struct plan_place *place, struct plan_place **added,
		     size_t *n)
{
	struct plan_place *old = slice_find_place(slice->plan, &place->key);
	bool differs = !old || memcmp(&old->value, &place->value, sizeof(old->value)) != 0;
	uint32_t uses = old ? old->uses : 0;

	if (differs && uses)
		return 1;
	if (!old)
		old = plan_append(added, n, sizeof(*old));
	if (!old)
		return -ENOMEM;
	*old = *place;
	old->uses += uses;
	return differs ? slice_note_place(slice, &place->key) : 0;
}

int slice_add_places(struct slice *slice, const struct plan_builder *b)
{
	_cleanup_(freep) struct plan_place *added = NULL;
	struct plan *plan = slice->plan;
	size_t n = 0;
	int r = 0;

	for (size_t i = 0; i < b->plan->n_places && r == 0; i++)
		r = add_place(slice, &b->plan->places[i], &added, &n);
	return r == 0 ? slice_insert_all(&plan->places, &plan->n_places, sizeof(*added), added, n,
					 compare_places)
		      : r;
}

/* Ports. */

struct plan_port *slice_find_port(const struct plan *plan, uint32_t number)
{
	size_t place = LOWER_BOUND(i, plan->n_ports, plan->ports[i].number < number);

	return place < plan->n_ports && plan->ports[place].number == number ? &plan->ports[place] : NULL;
}

static int each(struct slice *slice, const struct plan_touched_ids *list,
		int (*function)(struct slice *slice, const char *id))
{
	int r = 0;

	for (size_t i = 0; i < list->n && r == 0; i++)
		r = function(slice, list->ids[i]);
	return r;
}

/* Instances say which VPCs have a port here. Where that is another matter than before, they and all others
 * are planned with that. */
static int plan_hosts_of(struct slice *slice, struct plan_touched *touched)
{
	int r = each(slice, &touched->instances, slice_instance);

	if (r == 0 && slice->n_vpcs) {
		r = slice_settle_vpcs(slice, touched);
		if (r == 0)
			r = each(slice, &touched->instances, slice_instance);
	}
	if (r == 0)
		r = each(slice, &touched->vpcs, slice_vpc);
	if (r == 0)
		r = each(slice, &touched->vswitches, slice_vswitch);
	return r == 0 ? each(slice, &touched->interfaces, slice_interface) : r;
}

static int plan_all(struct slice *slice, struct plan_touched *touched)
{
	int r = plan_hosts_of(slice, touched);

	if (r == 0)
		r = each(slice, &touched->members, slice_member);
	if (r == 0)
		r = each(slice, &touched->groups, slice_group);
	if (r == 0)
		r = slice_serving(slice, touched);
	if (r == 0)
		r = each(slice, &touched->endpoints, slice_endpoint);
	if (r == 0)
		r = slice_settle_targets(slice);
	if (r == 0)
		r = slice_settle_names(slice);
	if (r == 0)
		r = each(slice, &touched->others, slice_other);
	return r == 0 ? slice_settle_groups(slice) : r;
}

/* Failures that have no one owner come and go with anyone. */
bool plan_has_slices(const struct plan *plan)
{
	return !plan->slices->is_odd && plan->slices->n_given < NUMBERS_MAX &&
	       !slice_has_failure(plan, "address/") && !slice_has_failure(plan, "load_balancer/");
}

bool plan_slice_fits(const struct plan_input *input, struct plan *plan, const struct plan_touched *touched)
{
	const struct slice slice = {.input = input, .plan = plan};

	return !slice_has_failure(plan, "server_group/") && slice_weigh(&slice, touched) == 0;
}

int plan_slice(const struct plan_input *input, struct plan_indexes *indexes,
	       const struct plan_touched *touched, struct plan *plan, struct plan_patch *patch)
{
	struct slice slice = {.input = input, .indexes = indexes, .plan = plan, .patch = patch};
	struct plan_touched all = *touched;
	int r;

	if (touched->whole || !plan_has_slices(plan))
		return 1;
	r = slice_weigh(&slice, touched);
	if (r != 0)
		return r;
	plan->slices->is_odd = true; /* until all has gone well */
	r = plan_all(&slice, &all);
	free(slice.groups);
	free(slice.vpcs);
	free(slice.balancers);
	free(slice.shared);
	if (r != 0)
		return r;
	settle_patch(patch);
	plan_slices_free_dropped(plan->slices);
	plan->slices->n_given = plan_indexes_given(indexes);
	plan->slices->is_odd = false;
	plan->revision = snapshot_revision(input->rows);
	return 0;
}
