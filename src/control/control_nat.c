/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ranges of translated source addresses: a /28 for each node in each VPC into which endpoints can lead, that
 * is where a load balancer serves an endpoint service or a server of a group has its address. They are given
 * out before the first endpoint needs them, and come back when the VPC or the node is gone.
 */
#include <stdlib.h>

#include "../lib/vec.h"
#include "../model/check.h"
#include "control_step.h"

/* One transaction with the counter, so that the next pass reads it anew. */
#define RANGES_PER_PASS_MAX (STORE_TXN_OPS_MAX - 1)

struct nat_work {
	const struct control_view *view;
	struct changes *changes;
	const struct vpc **vpcs; /* wanted ones */
	size_t n_vpcs, size;
	uint32_t *used; /* IPv4, host order, sorted: ranges that are given out */
	size_t n_used;
	struct counter counter;
	size_t n_new;
};

static int compare_vpcs(const void *a, const void *b)
{
	const struct vpc *const *x = a, *const *y = b;

	return strcmp((*x)->id, (*y)->id);
}

static int compare_u32(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static int want_vpc(struct nat_work *work, const char *id)
{
	const struct vpc *vpc = snapshot_vpc(work->view->rows, id);
	int r;

	if (!vpc || vpc->status == VPC_DELETING)
		return 0;
	r = VEC_ROOM(work->vpcs, work->n_vpcs, work->size);
	if (r < 0)
		return r;
	work->vpcs[work->n_vpcs++] = vpc;
	return 0;
}

static int want_vpcs(struct nat_work *work)
{
	const struct snapshot *rows = work->view->rows;
	int r = 0;

	for (const struct server_group *g = NULL;
	     r == 0 && (g = snapshot_next(rows, KIND_SERVER_GROUP, "", g));) {
		if (snapshot_children(rows, REF_SERVER_GROUP, g->id, NULL))
			r = want_vpc(work, g->vpc);
	}
	for (const struct service_resource *v = NULL;
	     r == 0 && (v = snapshot_next(rows, KIND_SERVICE_RESOURCE, "", v));) {
		const struct load_balancer *balancer = snapshot_load_balancer(rows, v->resource);

		if (balancer)
			r = want_vpc(work, balancer->vpc);
	}
	if (work->n_vpcs > 0)
		qsort(work->vpcs, work->n_vpcs, sizeof(*work->vpcs), compare_vpcs);
	return r;
}

/* Takes back what belongs to nothing; lists the others. */
static int look_at_ranges(struct nat_work *work)
{
	const struct snapshot *rows = work->view->rows;

	work->used = calloc(snapshot_count(rows, KIND_NAT_RANGE, "") + 1, sizeof(*work->used));
	if (!work->used)
		return -ENOMEM;
	for (const struct nat_range *v = NULL; (v = snapshot_next(rows, KIND_NAT_RANGE, "", v));) {
		if (snapshot_is_orphan(rows, KIND_NAT_RANGE, v))
			changes_delete(work->changes, KIND_NAT_RANGE, v);
		work->used[work->n_used++] = netaddr_to_v4(&v->range.addr);
	}
	qsort(work->used, work->n_used, sizeof(*work->used), compare_u32);
	return 0;
}

static bool is_used(const struct nat_work *work, const struct netprefix *range)
{
	uint32_t addr = netaddr_to_v4(&range->addr);

	return bsearch(&addr, work->used, work->n_used, sizeof(addr), compare_u32);
}

/* The next free range after the last one given out; after the last of all the search begins again at the
 * first. */
static int next_range(struct nat_work *work, struct netprefix *ret)
{
	bool again = false;

	for (;;) {
		int r = nat_range_at(work->counter.value, ret);

		if (r < 0) {
			if (again)
				return r;
			again = true;
			work->counter.value = 0;
			continue;
		}
		work->counter.value++;
		if (!is_used(work, ret))
			return 0;
	}
}

static int add_range(struct nat_work *work, const struct vpc *vpc, const struct node *node)
{
	char id[ID_SIZE + sizeof(node->name) + 1];
	struct nat_range row = {};
	int r;

	(void)str_format(id, sizeof(id), "%s/%s", vpc->id, node->name);
	if (snapshot_find(work->view->rows, KIND_NAT_RANGE, id))
		return 0;
	if (work->n_new == RANGES_PER_PASS_MAX) {
		work->changes->more = true;
		return 0;
	}
	if (work->n_new == 0)
		changes_room(work->changes, STORE_TXN_OPS_MAX);
	r = next_range(work, &row.range);
	if (r < 0)
		return r;
	(void)str_copy(row.vpc, sizeof(row.vpc), vpc->id);
	(void)str_copy(row.node, sizeof(row.node), node->name);
	changes_put(work->changes, KIND_NAT_RANGE, &row);
	work->n_new++;
	return 0;
}

static int add_ranges(struct nat_work *work)
{
	const struct snapshot *rows = work->view->rows;
	const struct counter *counter = snapshot_find(rows, KIND_COUNTER, "nat");
	int r = 0;

	work->counter = counter ? *counter : (struct counter){.name = "nat"};
	for (size_t i = 0; i < work->n_vpcs; i++) {
		if (i > 0 && work->vpcs[i] == work->vpcs[i - 1])
			continue;
		for (const struct node *n = NULL; r == 0 && (n = snapshot_next(rows, KIND_NODE, "", n));)
			r = add_range(work, work->vpcs[i], n);
	}
	if (work->n_new > 0)
		changes_put(work->changes, KIND_COUNTER, &work->counter);
	return r;
}

void control_nat_ranges(const struct control_view *view, struct changes *changes)
{
	struct nat_work work = {.view = view, .changes = changes};
	int r;

	r = want_vpcs(&work);
	if (r == 0)
		r = look_at_ranges(&work);
	if (r == 0)
		r = add_ranges(&work);
	/* All ranges given out is no reason to lose the others. */
	if (r < 0 && r != -ERANGE && changes->error == 0)
		changes->error = r;
	free(work.vpcs);
	free(work.used);
}
