/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names of an endpoint's slice. Its own ones come and go with it. Its service's it may share with other
 * endpoints of the VPC: that one is made anew from all of them, once, when what it has of one of them is
 * another than before.
 */
#include "plan_slice_build.h"

#include "../lib/vec.h"

/* Endpoints of a VPC that are looked through; above, the whole plan is as well. By default there are no more
 * than 1,000. */
#define SHARING_MAX 2000

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

/* Makes the shared name anew that has this VPC and text, or takes it out. */
static int replace_shared(struct slice *slice, const char *vpc_id, const struct plan_name *like)
{
	const struct vpc *vpc = snapshot_vpc(slice->input->rows, vpc_id);
	struct plan *plan = slice->plan;
	struct plan_name *old = find_name(plan, like), *name;
	int r;

	if (old && !old->is_shared) /* it is an endpoint's own since */
		return 1;
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
	if (name && old)
		take_addresses(old, name);
	else if (name)
		r = insert_name(plan, name);
	else if (old)
		drop_shared(plan, old);
	return r;
}

static struct plan_name *shared_of(const struct plan_builder *b)
{
	for (size_t i = 0; i < b->plan->n_names; i++)
		if (b->plan->names[i] && b->plan->names[i]->is_shared)
			return b->plan->names[i];
	return NULL;
}

static int note_shared(struct slice *slice, const struct plan_part *part, const struct plan_name *name,
		       bool has)
{
	struct slice_shared *noted = plan_append(&slice->shared, &slice->n_shared, sizeof(*noted));

	if (!noted)
		return -ENOMEM;
	memcpy(noted->vpc, part->vpc, sizeof(noted->vpc));
	memcpy(noted->endpoint, part->endpoint, sizeof(noted->endpoint));
	memcpy(noted->name, name->name, sizeof(noted->name));
	noted->vpc_number = name->vpc;
	noted->has = has;
	return 0;
}

static int replace_all_shared(struct slice *slice, struct plan_part *part, const struct plan_builder *b)
{
	const struct plan_name *wanted = shared_of(b), *old = part->shared;
	uint64_t share = wanted ? b->plan->slices->parts[0].share : 0;
	bool same = old && wanted && old == find_name(slice->plan, wanted);
	int r = 0;

	if (same && part->share == share)
		return 0;
	part->shared = NULL;
	part->share = share;
	if (old && !same)
		r = note_shared(slice, part, old, false);
	return r == 0 && wanted ? note_shared(slice, part, wanted, true) : r;
}

static bool is_same_shared(const struct slice_shared *a, const struct slice_shared *b)
{
	return a->vpc_number == b->vpc_number && streq(a->name, b->name) && streq(a->vpc, b->vpc);
}

static int settle_shared(struct slice *slice, const struct slice_shared *noted)
{
	struct plan_part *part = plan_part_find(slice->plan->slices, noted->endpoint);
	struct plan_name like = {.vpc = noted->vpc_number};
	const struct slice_shared *first = slice->shared;
	int r;

	memcpy(like.name, noted->name, sizeof(like.name));
	while (!is_same_shared(first, noted))
		first++;
	r = first == noted ? replace_shared(slice, noted->vpc, &like) : 0;
	if (r == 0 && noted->has && part)
		part->shared = find_name(slice->plan, &like);
	return r;
}

int slice_settle_names(struct slice *slice)
{
	int r = 0;

	for (size_t i = 0; i < slice->n_shared && r == 0; i++)
		r = settle_shared(slice, &slice->shared[i]);
	return r;
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

	return r == 0 ? replace_all_shared(slice, part, b) : r;
}
