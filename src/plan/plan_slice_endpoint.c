/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The slice of an endpoint: its ENIs, their places, what PROXY headers say of them, its names.
 */
#include "plan_slice_build.h"

#include "../lib/vec.h"

static size_t eni_place(const struct plan *plan, uint32_t slot)
{
	return LOWER_BOUND(i, plan->n_enis, plan->enis[i].slot < slot);
}

static struct plan_eni *find_eni(const struct plan *plan, uint32_t slot)
{
	size_t place = eni_place(plan, slot);

	return place < plan->n_enis && plan->enis[place].slot == slot ? &plan->enis[place] : NULL;
}

static struct pl_place_key key_of(const struct plan_eni *eni)
{
	return (struct pl_place_key){.vpc = eni->value.vpc, .addr = eni->value.addr};
}

static bool is_of(const struct plan *plan, uint32_t slot, const char *endpoint)
{
	const struct plan_eni *eni = find_eni(plan, slot);

	return eni && streq(eni->endpoint, endpoint);
}

/* What the endpoint is now. */
static int build(struct plan_builder *b, const char *id)
{
	const struct endpoint *row = snapshot_endpoint(b->rows, id);
	const struct vpc *vpc = row ? plan_local_vpc(b, row->vpc) : NULL;
	int r = vpc ? plan_part_add(b, vpc, id) : 0;

	if (r == 0 && vpc)
		r = plan_endpoint(b, vpc, row);
	if (r == 0 && vpc && row->status != ENDPOINT_DELETING)
		r = plan_endpoint_records(b, vpc, row);
	if (r == 0)
		r = plan_gather_names(b);
	if (r == 0)
		r = plan_endpoint_hosts(b, id);
	if (r == 0)
		r = plan_proxies_of_slice(b);
	if (r == 0)
		r = plan_settle(b);
	return r == 0 && b->is_out_of_memory ? -ENOMEM : r;
}

/* Nothing stands where the ENI goes, or its own predecessor. */
static bool may_have(const struct slice *slice, const struct plan_eni *eni, const char *id)
{
	const struct plan *plan = slice->plan;
	const struct pl_place_key key = key_of(eni);
	const struct plan_place *place = slice_find_place(plan, &key);

	return !plan_port_by_slot(plan, eni->slot) &&
	       (!find_eni(plan, eni->slot) || is_of(plan, eni->slot, id)) &&
	       (!place || (place->value.kind == PL_PLACE_ENI && is_of(plan, place->value.id, id)));
}

/* The builder's targets are the plan's, too. */
static int take_targets(struct slice *slice, const struct plan_builder *b)
{
	struct plan_slices *slices = slice->plan->slices;

	for (size_t i = 0; i < b->n_targets; i++) {
		const struct plan_target *target = &b->targets[i];
		struct plan_use *use = plan_target_use(slices, target->number);

		if (use)
			continue;
		use = slice_insert(&slices->targets, &slices->n_targets, sizeof(*use),
				   plan_target_place(slices, target->number));
		if (!use)
			return -ENOMEM;
		use->number = target->number;
		(void)str_copy(use->balancer, sizeof(use->balancer), target->load_balancer->id);
	}
	return 0;
}

static int count_target(struct slice *slice, uint32_t target, int by)
{
	struct plan_use *use = plan_target_use(slice->plan->slices, target);
	bool was_used = use && use->n;

	if (use)
		use->n += (uint32_t)by;
	return !use || was_used == (use->n > 0) ? 0
						: slice_add_once(&slice->balancers, &slice->n_balancers,
								 sizeof(use->balancer), use->balancer);
}

static int count(struct slice *slice, const struct plan_eni *eni, int by)
{
	int r = count_target(slice, eni->value.target, by);

	if (r == 0)
		r = slice_count_set(slice, &eni->set, by);
	return r == 0 ? slice_count_set(slice, &eni->balancer_set, by) : r;
}

/* Counts what the new ENIs use in place of the old ones. */
static int take_count(struct slice *slice, const struct plan_part *old, const struct plan *new)
{
	int r = 0;

	for (size_t i = 0; i < new->n_enis &&r == 0; i++)
		r = count(slice, &new->enis[i], 1);
	for (uint32_t slot = old ? old->first_slot : 0; slot && r == 0;
	     slot = find_eni(slice->plan, slot)->next_slot)
		r = count(slice, find_eni(slice->plan, slot), -1);
	return r;
}

static bool may_replace(const struct slice *slice, const struct plan_part *old, const struct plan_builder *b,
			const char *id)
{
	char key[KEY_SIZE];

	(void)str_format(key, sizeof(key), "endpoint/%s", id);
	if (b->plan->slices->is_odd || !slice_fails_only(b, key) ||
	    !slice_may_have_names(slice, old ? old->names : NULL, b))
		return false;
	if (old && b->plan->slices->n_parts && !streq(old->vpc, b->plan->slices->parts[0].vpc))
		return false;
	for (size_t i = 0; i < b->plan->n_enis; i++)
		if (!may_have(slice, &b->plan->enis[i], id))
			return false;
	return true;
}

/* Replacing. */

static void remove_proxies(struct plan *plan, uint32_t slot)
{
	size_t first = LOWER_BOUND(i, plan->n_proxies, plan->proxies[i].key.slot < slot);

	while (first < plan->n_proxies && plan->proxies[first].key.slot == slot)
		slice_remove(plan->proxies, &plan->n_proxies, sizeof(*plan->proxies), first);
}

static size_t proxy_place(const struct plan *plan, const struct pl_proxy_key *key)
{
	return LOWER_BOUND(
		i, plan->n_proxies,
		plan->proxies[i].key.slot < key->slot ||
			(plan->proxies[i].key.slot == key->slot && plan->proxies[i].key.parts < key->parts));
}

static const struct plan_proxy *find_proxy(const struct plan *plan, const struct pl_proxy_key *key)
{
	size_t place = proxy_place(plan, key);

	return place < plan->n_proxies && memcmp(&plan->proxies[place].key, key, sizeof(*key)) == 0
		       ? &plan->proxies[place]
		       : NULL;
}

static size_t count_proxies(const struct plan *plan, uint32_t slot, size_t *ret_first)
{
	size_t n = 0;

	*ret_first = proxy_place(plan, &(struct pl_proxy_key){.slot = slot});
	while (*ret_first + n < plan->n_proxies && plan->proxies[*ret_first + n].key.slot == slot)
		n++;
	return n;
}

static bool has_same_proxies(const struct plan *a, const struct plan *b, uint32_t slot)
{
	size_t i, j, n = count_proxies(a, slot, &i);

	return n == count_proxies(b, slot, &j) &&
	       (!n || memcmp(&a->proxies[i], &b->proxies[j], n * sizeof(*a->proxies)) == 0);
}

static int insert_proxies(struct plan *plan, const struct plan *new)
{
	for (size_t i = 0; i < new->n_proxies; i++) {
		const struct plan_proxy *proxy = &new->proxies[i];
		struct plan_proxy *added;

		if (find_proxy(plan, &proxy->key)) /* it stays */
			continue;
		added = slice_insert(&plan->proxies, &plan->n_proxies, sizeof(*added),
				     proxy_place(plan, &proxy->key));
		if (!added)
			return -ENOMEM;
		*added = *proxy;
	}
	return 0;
}

static void forget_target(struct plan_slices *slices, const struct plan_eni *eni)
{
	slice_remove(slices->target_slots, &slices->n_target_slots, sizeof(*slices->target_slots),
		     plan_target_slot_place(slices, eni->value.target, eni->slot));
}

static int note_target(struct plan_slices *slices, const struct plan_eni *eni)
{
	struct plan_target_slot *added =
		slice_insert(&slices->target_slots, &slices->n_target_slots, sizeof(*added),
			     plan_target_slot_place(slices, eni->value.target, eni->slot));

	if (!added)
		return -ENOMEM;
	*added = (struct plan_target_slot){eni->value.target, eni->slot};
	return 0;
}

static int remove_eni(struct slice *slice, uint32_t slot, bool stays)
{
	struct plan *plan = slice->plan;
	size_t at = eni_place(plan, slot);
	const struct pl_place_key key = key_of(&plan->enis[at]);
	struct plan_place *place = slice_find_place(plan, &key);
	int r = slice_note_slot(slice, slot);

	if (r == 0)
		r = slice_note_place(slice, &key);
	if (place && place->value.kind == PL_PLACE_ENI && place->value.id == slot)
		slice_remove(plan->places, &plan->n_places, sizeof(*place), (size_t)(place - plan->places));
	remove_proxies(plan, slot);
	forget_target(plan->slices, &plan->enis[at]);
	if (!stays)
		slice_remove(plan->enis, &plan->n_enis, sizeof(*plan->enis), at);
	return r;
}

static int insert_eni(struct slice *slice, const struct plan_eni *eni)
{
	struct plan *plan = slice->plan;
	const struct pl_place_key key = key_of(eni);
	struct plan_eni *added = find_eni(plan, eni->slot);
	struct plan_place *place;
	int r = slice_note_slot(slice, eni->slot);

	if (r == 0)
		r = slice_note_place(slice, &key);
	if (!added)
		added = slice_insert(&plan->enis, &plan->n_enis, sizeof(*added), eni_place(plan, eni->slot));
	if (r < 0 || !added)
		return -ENOMEM;
	*added = *eni;
	place = slice_insert(&plan->places, &plan->n_places, sizeof(*place), slice_place_place(plan, &key));
	if (!place)
		return -ENOMEM;
	*place = (struct plan_place){key, {.kind = PL_PLACE_ENI, .id = eni->slot}, 1};
	return note_target(plan->slices, eni);
}

static bool has_slot(const struct plan *plan, uint32_t slot)
{
	return find_eni(plan, slot) != NULL;
}

static int drop_proxies(struct slice *slice, uint32_t slot)
{
	remove_proxies(slice->plan, slot);
	return slice_note_slot(slice, slot);
}

/* Nothing of the ENI changes, but perhaps its ids for PROXY headers. */
static bool stays(const struct plan *plan, const struct plan *new, uint32_t slot)
{
	const struct plan_eni *a = find_eni(plan, slot), *b = find_eni(new, slot);

	return a && b && memcmp(&a->value, &b->value, sizeof(a->value)) == 0 &&
	       memcmp(&a->limit, &b->limit, sizeof(a->limit)) == 0 &&
	       memcmp(&a->set, &b->set, sizeof(a->set)) == 0 &&
	       memcmp(&a->balancer_set, &b->balancer_set, sizeof(a->balancer_set)) == 0 &&
	       streq(a->endpoint, b->endpoint) && streq(a->zone, b->zone) && a->is_logged == b->is_logged;
}

static int replace_enis(struct slice *slice, const struct plan_part *old, const struct plan *new)
{
	int r = 0;

	for (uint32_t slot = old ? old->first_slot : 0, next; slot && r == 0; slot = next) {
		next = find_eni(slice->plan, slot)->next_slot;
		if (!stays(slice->plan, new, slot))
			r = remove_eni(slice, slot, has_slot(new, slot));
		else if (!has_same_proxies(slice->plan, new, slot))
			r = drop_proxies(slice, slot);
	}
	for (size_t i = 0; i < new->n_enis &&r == 0; i++) {
		const struct plan_eni *eni = &new->enis[i];

		if (stays(slice->plan, new, eni->slot))
			find_eni(slice->plan, eni->slot)->next_slot = eni->next_slot;
		else
			r = insert_eni(slice, eni);
	}
	return r < 0 ? r : insert_proxies(slice->plan, new);
}

/* The part of the endpoint, as it is from now on; NULL: it has none. Its names are still the old ones. */
static int replace_part(struct slice *slice, const char *id, const struct plan *new, struct plan_part **ret)
{
	struct plan_slices *slices = slice->plan->slices;
	struct plan_part *part = plan_part_find(slices, id);

	if (!part && new->slices->n_parts) {
		part = slice_insert(&slices->parts, &slices->n_parts, sizeof(*part),
				    plan_part_place(slices, id));
		if (!part)
			return -ENOMEM;
		memcpy(part->endpoint, new->slices->parts[0].endpoint, sizeof(part->endpoint));
		memcpy(part->vpc, new->slices->parts[0].vpc, sizeof(part->vpc));
	}
	if (part)
		part->first_slot = new->slices->n_parts ? new->slices->parts[0].first_slot : 0;
	*ret = part;
	return 0;
}

int slice_endpoint(struct slice *slice, const char *id)
{
	_cleanup_(plan_builder_done) struct plan_builder b = {};
	struct plan_slices *slices = slice->plan->slices;
	struct plan_part *old = plan_part_find(slices, id), *part;
	char key[KEY_SIZE];
	int r = slice_builder(slice, &b);

	if (r == 0)
		r = build(&b, id);
	if (r < 0 || !may_replace(slice, old, &b, id))
		return r < 0 ? r : 1;
	r = slice_take_groups(slice, &b);
	if (r == 0)
		r = take_targets(slice, &b);
	if (r == 0)
		r = take_count(slice, old, b.plan);
	if (r == 0)
		r = replace_enis(slice, old, b.plan);
	if (r == 0)
		r = replace_part(slice, id, b.plan, &part);
	if (r != 0 || !part)
		return r;
	r = slice_replace_names(slice, part, &b);
	if (r == 0 && !b.plan->slices->n_parts)
		slice_remove(slices->parts, &slices->n_parts, sizeof(*part), (size_t)(part - slices->parts));
	(void)str_format(key, sizeof(key), "endpoint/%s", id);
	return r == 0 ? slice_set_failure(slice, key, &b) : r;
}
