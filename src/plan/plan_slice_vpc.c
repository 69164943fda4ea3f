/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The slice of a VPC. What stands in a VPC is in the plan as long as the VPC has a port here, and so are the
 * resolver's addresses in it. So with its first port, and without its last one, all of it is planned again; a
 * large VPC is a matter of the whole plan then.
 */
#include "plan_slice_build.h"

#include "../lib/vec.h"

/* Its number, and its id in the plan. 1: it has ports here, and another number, or no row. */
int slice_vpc(struct slice *slice, const char *id)
{
	const struct vpc *row = snapshot_vpc(slice->input->rows, id);
	const struct plan_vpc_use *use = plan_vpc_use_find(slice->plan->slices, id);
	struct plan *plan = slice->plan;
	struct plan_vpc *vpc;
	size_t place = 0;

	if (use && (!row || row->number != use->number))
		return 1;
	while (place < plan->n_vpcs && !streq(plan->vpcs[place].id, id))
		place++;
	if (place < plan->n_vpcs)
		slice_remove(plan->vpcs, &plan->n_vpcs, sizeof(*vpc), place);
	if (!row)
		return 0;
	place = LOWER_BOUND(i, plan->n_vpcs, plan->vpcs[i].number < row->number);
	vpc = slice_insert(&plan->vpcs, &plan->n_vpcs, sizeof(*vpc), place);
	if (!vpc)
		return -ENOMEM;
	vpc->number = row->number;
	memcpy(vpc->id, row->id, sizeof(vpc->id));
	return 0;
}

static int add_use(struct slice *slice, const char *id, struct plan_vpc_use **ret)
{
	const struct vpc *row = snapshot_vpc(slice->input->rows, id);
	struct plan_slices *slices = slice->plan->slices;

	*ret = slice_insert(&slices->vpcs, &slices->n_vpcs, sizeof(**ret), plan_vpc_use_place(slices, id));
	if (!*ret || !row)
		return *ret ? 1 : -ENOMEM;
	memcpy((*ret)->id, row->id, sizeof((*ret)->id));
	(*ret)->number = row->number;
	return 0;
}

int slice_count_port(struct slice *slice, const char *vpc, int by)
{
	struct plan_vpc_use *use = plan_vpc_use_find(slice->plan->slices, vpc);
	bool had_ports = use && use->n_ports;
	int r = use ? 0 : add_use(slice, vpc, &use);

	if (r != 0)
		return r;
	use->n_ports += (uint32_t)by;
	return had_ports == (use->n_ports > 0)
		       ? 0
		       : slice_add_once(&slice->vpcs, &slice->n_vpcs, sizeof(use->id), use->id);
}

/* The resolver's addresses: the VPC has them, or no longer. */
static int set_resolvers(struct slice *slice, uint32_t vpc, bool has)
{
	_cleanup_(plan_builder_done) struct plan_builder b = {};
	const struct plan *new;
	int r = slice_builder(slice, &b);

	if (r == 0)
		r = plan_resolvers(&b, vpc);
	if (r == 0)
		r = plan_settle(&b);
	if (r < 0)
		return r;
	new = b.plan;
	if ((slice_find_place(slice->plan, &new->places[0].key) != NULL) == has)
		return 0;
	if (has)
		return slice_add_places(slice, &b);
	for (size_t i = 0; i < new->n_places &&r == 0; i++) {
		slice_leave_place(slice, &new->places[i].key);
		r = slice_drop_unused_place(slice, &new->places[i].key);
	}
	return r;
}

static int settle_vpc(struct slice *slice, const char *id, struct plan_touched *touched)
{
	struct plan_slices *slices = slice->plan->slices;
	struct plan_vpc_use *use = plan_vpc_use_find(slices, id);
	int r = set_resolvers(slice, use->number, use->n_ports > 0);

	if (!use->n_ports)
		slice_remove(slices->vpcs, &slices->n_vpcs, sizeof(*use), (size_t)(use - slices->vpcs));
	plan_touch_vpc(touched, slice->input->rows, id);
	return r == 0 && touched->whole ? 1 : r;
}

int slice_settle_vpcs(struct slice *slice, struct plan_touched *touched)
{
	int r = 0;

	for (size_t i = 0; i < slice->n_vpcs && r == 0; i++)
		r = settle_vpc(slice, slice->vpcs[i], touched);
	return r;
}
