/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names of an endpoint's slice. Its own ones come and go with it. Its service's it may share with other
 * endpoints of the VPC: that one is made anew from all of them.
 */
#include "plan_slice_build.h"

#include "../lib/vec.h"

#define SHARING_MAX 512 /* endpoints of a VPC that are looked through; above, the whole plan is as well */

static size_t name_place(const struct plan *plan, const struct plan_name *name)
{
	return LOWER_BOUND(i, plan->n_names, plan_name_compare(plan->names[i], name) < 0);
}

static struct plan_name *find_name(const struct plan *plan, const struct plan_name *like)
{
	size_t place = name_place(plan, like);

	return place < plan->n_names && plan_name_compare(plan->names[place], like) == 0 ? plan->names[place]
											 : NULL;
}

static bool is_of(const struct plan_name *own, const struct plan_name *name)
{
	while (own && own != name)
		own = own->next;
	return own;
}

bool slice_may_have_names(const struct slice *slice, const struct plan_name *own,
			  const struct plan_builder *b)
{
	for (size_t i = 0; i < b->plan->n_names; i++) {
		const struct plan_name *name = b->plan->names[i], *found = find_name(slice->plan, name);

		if (found && (name->is_shared ? !found->is_shared : !is_of(own, found)))
			return false;
	}
	return true;
}

static bool has_reverse(const struct plan_name *name)
{
	return name->canonical && name->n_addrs == 1;
}

static size_t reverse_place(const struct plan *plan, const struct plan_reverse *reverse)
{
	return LOWER_BOUND(i, plan->n_reverse, plan_reverse_compare(&plan->reverse[i], reverse) < 0);
}

static struct plan_reverse reverse_of(const struct plan_name *name)
{
	return (struct plan_reverse){.vpc = name->vpc, .addr = name->addrs[0], .name = name};
}

static void remove_reverse(struct plan *plan, const struct plan_name *name)
{
	struct plan_reverse reverse;
	size_t at;

	if (!has_reverse(name))
		return;
	reverse = reverse_of(name);
	at = reverse_place(plan, &reverse);
	while (at < plan->n_reverse && plan->reverse[at].name != name)
		at++;
	slice_remove(plan->reverse, &plan->n_reverse, sizeof(reverse), at);
}

static int insert_reverse(struct plan *plan, const struct plan_name *name)
{
	struct plan_reverse reverse, *added;

	if (!has_reverse(name))
		return 0;
	reverse = reverse_of(name);
	added = slice_insert(&plan->reverse, &plan->n_reverse, sizeof(reverse),
			     reverse_place(plan, &reverse));
	if (!added)
		return -ENOMEM;
	*added = reverse;
	return 0;
}

/* It is the caller's. */
static void take_name(struct plan *plan, struct plan_name *name)
{
	size_t place = name_place(plan, name);

	remove_reverse(plan, name);
	while (plan->names[place] != name)
		place++;
	slice_remove(plan->names, &plan->n_names, sizeof(*plan->names), place);
}

/* Other endpoints that are planned anew, too, may still have it for theirs. */
static void drop_shared(struct plan *plan, struct plan_name *name)
{
	take_name(plan, name);
	name->next = plan->slices->dropped;
	plan->slices->dropped = name;
}

/* The name is the plan's from then on, or is freed. */
static int insert_name(struct plan *plan, struct plan_name *name)
{
	struct plan_name **place =
		slice_insert(&plan->names, &plan->n_names, sizeof(*place), name_place(plan, name));

	if (!place) {
		plan_name_free(name);
		return -ENOMEM;
	}
	*place = name;
	return insert_reverse(plan, name);
}

/* Shared names. */

static bool has_domain(const struct slice *slice, const struct endpoint *endpoint, const char *text)
{
	const struct service *service = snapshot_service(slice->input->rows, endpoint->service);
	char domain[DOMAIN_SIZE];

	if (endpoint->status == ENDPOINT_DELETING || !service || !*service->private_domain)
		return false;
	plan_copy_name(domain, service->private_domain);
	return streq(domain, text);
}

static int gather_sharing(struct slice *slice, const struct vpc *vpc, const char *text,
			  struct plan_builder *b)
{
	int r = 0;

	for (const struct endpoint *v = NULL;
	     r == 0 && (v = snapshot_children(slice->input->rows, REF_ENDPOINT_VPC, vpc->id, v));) {
		if (!has_domain(slice, v, text))
			continue;
		r = plan_part_add(b, vpc, v->id);
		if (r == 0)
			r = plan_endpoint_records(b, vpc, v);
	}
	return r < 0 ? r : plan_gather_names(b);
}

/* The name as the rows have it; NULL: nobody has it. */
static int make_shared(struct slice *slice, const struct vpc *vpc, const char *text, struct plan_name **ret)
{
	_cleanup_(plan_builder_done) struct plan_builder b = {};
	int r = slice_builder(slice, &b);

	*ret = NULL;
	if (r == 0)
		r = gather_sharing(slice, vpc, text, &b);
	if (r == 0 && b.is_out_of_memory)
		r = -ENOMEM;
	if (r < 0 || b.plan->slices->is_odd)
		return r < 0 ? r : 1;
	for (size_t i = 0; i < b.plan->n_names; i++)
		if (b.plan->names[i]->is_shared && streq(b.plan->names[i]->name, text)) {
			*ret = TAKE_PTR(b.plan->names[i]);
			break;
		}
	return 0;
}

/* The one that is there stays where it is, since others point to it. */
static void take_addresses(struct plan_name *name, struct plan_name *from)
{
	struct plan_name old = *name;

	name->addrs = from->addrs;
	name->zones = from->zones;
	name->n_addrs = from->n_addrs;
	name->affinity = from->affinity;
	from->addrs = old.addrs;
	from->zones = old.zones;
	plan_name_free(from);
}

/* Makes the shared name anew that has this VPC and text. *ret: it, NULL if it is nobody's any more. */
static int replace_shared(struct slice *slice, const char *vpc_id, const struct plan_name *like,
			  struct plan_name **ret)
{
	const struct vpc *vpc = snapshot_vpc(slice->input->rows, vpc_id);
	struct plan *plan = slice->plan;
	struct plan_name *old = find_name(plan, like), *name;
	int r;

	*ret = NULL;
	if (!plan_vpc_use_find(plan->slices, vpc_id)) {
		if (old)
			drop_shared(plan, old);
		return 0;
	}
	if (!vpc || snapshot_count_children(slice->input->rows, REF_ENDPOINT_VPC, vpc_id) > SHARING_MAX)
		return 1;
	r = make_shared(slice, vpc, like->name, &name);
	if (r != 0)
		return r;
	if (name && old) {
		take_addresses(old, name);
		*ret = old;
	} else if (name) {
		*ret = name;
		r = insert_name(plan, name);
	} else if (old) {
		drop_shared(plan, old);
	}
	return r;
}

static struct plan_name *shared_of(const struct plan_builder *b)
{
	for (size_t i = 0; i < b->plan->n_names; i++)
		if (b->plan->names[i] && b->plan->names[i]->is_shared)
			return b->plan->names[i];
	return NULL;
}

static int replace_all_shared(struct slice *slice, struct plan_part *part, const struct plan_name *wanted)
{
	struct plan_name *old = part->shared, *made;
	int r = 0;

	part->shared = NULL;
	if (old && (!wanted || plan_name_compare(old, wanted) != 0)) {
		struct plan_name like = *old;

		r = replace_shared(slice, part->vpc, &like, &made);
	}
	return r == 0 && wanted ? replace_shared(slice, part->vpc, wanted, &part->shared) : r;
}

static struct plan_name **find_own(const struct plan_builder *b, const struct plan_name *like)
{
	for (size_t i = 0; i < b->plan->n_names; i++) {
		struct plan_name *name = b->plan->names[i];

		if (name && !name->is_shared && plan_name_compare(name, like) == 0)
			return &b->plan->names[i];
	}
	return NULL;
}

static bool has_same_reverse(const struct plan_name *a, const struct plan_name *b)
{
	return has_reverse(a) == has_reverse(b) &&
	       (!has_reverse(a) || netaddr_compare(&a->addrs[0], &b->addrs[0]) == 0);
}

/* The name that is there becomes as the new one, and stays at its place. */
static int become(struct plan *plan, struct plan_name *name, struct plan_name *new)
{
	bool same = has_same_reverse(name, new), canonical = new->canonical;

	if (!same)
		remove_reverse(plan, name);
	take_addresses(name, new);
	name->canonical = canonical;
	return same ? 0 : insert_reverse(plan, name);
}

/* Old names: those that are still to be there stay, the others go. */
static int replace_old(struct slice *slice, struct plan_name **own, struct plan_builder *b)
{
	struct plan_name *old = *own;
	int r = 0;

	*own = NULL;
	while (old) {
		struct plan_name *name = old, **new = find_own(b, name);

		old = name->next;
		if (new) {
			plan_name_own(own, name);
			r = r < 0 ? r : become(slice->plan, name, TAKE_PTR(*new));
			continue;
		}
		take_name(slice->plan, name);
		plan_name_free(name);
	}
	return r;
}

int slice_replace_own_names(struct slice *slice, struct plan_name **own, struct plan_builder *b)
{
	int r = replace_old(slice, own, b);

	for (size_t i = 0; i < b->plan->n_names && r == 0; i++) {
		struct plan_name *name = b->plan->names[i];

		if (!name || name->is_shared)
			continue;
		b->plan->names[i] = NULL;
		plan_name_own(own, name);
		r = insert_name(slice->plan, name);
	}
	return r;
}

int slice_replace_names(struct slice *slice, struct plan_part *part, struct plan_builder *b)
{
	int r = slice_replace_own_names(slice, &part->names, b);

	return r == 0 ? replace_all_shared(slice, part, shared_of(b)) : r;
}
