/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ranges of translated source addresses: a /28 for a node in each VPC that it is told of and into which
 * endpoints can lead, that is where a load balancer serves an endpoint service or a server of a group has its
 * address. A range comes back when that is over. Of a VPC that the node is not told of any more it may have
 * something in force until it has reported that it has forgotten it, so it keeps the range that long. Ranges
 * are given out in turn, so one that has come back is used again after all others.
 *
 * Looked at are the VPCs of which something has changed, or who is told of them.
 */
#include <stdlib.h>

#include "../lib/vec.h"
#include "../model/check.h"
#include "control_step.h"
#include "leases.h"

/* One transaction with the counter, so that the next pass reads it anew. */
#define RANGES_PER_PASS_MAX (STORE_TXN_OPS_MAX - 1)

struct nat_work {
	const struct control_view *view;
	struct changes *changes;
	uint32_t *used; /* IPv4, host order, sorted: ranges that are given out; NULL: not looked up yet */
	size_t n_used;
	struct counter counter;
	size_t n_new;
};

/* What is due. */

void nat_due_done(struct nat_due *due)
{
	free(due->vpcs);
	*due = (struct nat_due){};
}

void nat_due_vpc(struct nat_due *due, const char *vpc)
{
	if (due->all || (due->n > 0 && streq(due->vpcs[due->n - 1], vpc)))
		return;
	if (VEC_ROOM(due->vpcs, due->n, due->size) < 0) {
		due->all = true;
		return;
	}
	(void)str_copy(due->vpcs[due->n++], sizeof(*due->vpcs), vpc);
}

static void add_share(struct nat_due *due, const struct share *share)
{
	if (share->to == TOLD_VPC)
		nat_due_vpc(due, share->id);
}

/* The VPC of a resource's load balancer, which its key names: the row may be gone. */
static void add_resource(struct nat_due *due, const struct snapshot *rows, const char *id)
{
	const struct load_balancer *balancer;
	const char *begin = strchr(id, '/');
	char resource[ID_SIZE] = "";
	size_t length = begin ? strcspn(begin + 1, "/") : 0;

	if (length >= sizeof(resource))
		return;
	memcpy(resource, begin ? begin + 1 : "", length);
	balancer = snapshot_load_balancer(rows, resource);
	if (balancer)
		nat_due_vpc(due, balancer->vpc);
}

static bool comes_or_goes(const struct snapshot *rows, const struct store_change *change, const char *id)
{
	const struct node *node = change->is_gone ? NULL : snapshot_node(rows, id);

	return !node || node->meta.created == change->revision;
}

void nat_due_change(struct nat_due *due, const struct snapshot *rows, const struct store_change *change)
{
	const char *id = strchr(change->key, '/');
	struct share share;
	enum kind kind;

	if (!id || kind_of_key(change->key, &kind) < 0)
		return;
	switch (kind) {
	case KIND_NODE:
		due->all = due->all || comes_or_goes(rows, change, id + 1);
		break;
	case KIND_SERVICE_RESOURCE:
		add_resource(due, rows, id + 1);
		break;
	case KIND_VPC:
	case KIND_SERVER:
	case KIND_SERVER_GROUP:
	case KIND_LOAD_BALANCER:
		share = share_of(rows, kind, snapshot_find(rows, kind, id + 1));
		add_share(due, &change->was);
		add_share(due, &share);
		break;
	default:
		break;
	}
}

static int add_moved(void *context, const struct share *share)
{
	add_share(context, share);
	return 0;
}

void nat_due_moves(struct nat_due *due, const struct told_nodes *told_nodes, uint64_t after)
{
	if (told_nodes_moves(told_nodes, NULL, after, add_moved, due) < 0)
		due->all = true;
}

static int compare_ids(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Each once; all of them if all are due. -ENOMEM. */
static int settle_due(struct nat_due *due, const struct snapshot *rows)
{
	size_t kept = 0;
	bool all = due->all;

	due->all = false;
	for (const struct vpc *v = NULL; all && (v = snapshot_next(rows, KIND_VPC, "", v));)
		nat_due_vpc(due, v->id);
	for (const struct nat_range *v = NULL; all && (v = snapshot_next(rows, KIND_NAT_RANGE, "", v));)
		nat_due_vpc(due, v->vpc);
	if (due->all)
		return -ENOMEM;
	if (due->n > 1)
		qsort(due->vpcs, due->n, sizeof(*due->vpcs), compare_ids);
	for (size_t i = 0; i < due->n; i++)
		if (kept == 0 || !streq(due->vpcs[kept - 1], due->vpcs[i]))
			memmove(due->vpcs[kept++], due->vpcs[i], sizeof(*due->vpcs));
	due->n = kept;
	return 0;
}

/* Who wants one. */

static bool is_wanted(const struct nat_work *work, const char *id)
{
	const struct snapshot *rows = work->view->rows;
	const struct vpc *vpc = snapshot_vpc(rows, id);

	if (!vpc || vpc->status == VPC_DELETING)
		return false;
	for (const struct server_group *g = NULL; (g = snapshot_children(rows, REF_SERVER_GROUP_VPC, id, g));)
		if (snapshot_count_children(rows, REF_SERVER_GROUP, g->id) > 0)
			return true;
	for (const struct load_balancer *b = NULL;
	     (b = snapshot_children(rows, REF_LOAD_BALANCER_VPC, id, b));)
		if (snapshot_count_children(rows, REF_SERVICE_RESOURCE_RESOURCE, b->id) > 0)
			return true;
	return false;
}

static struct share share_of_vpc(const char *vpc)
{
	struct share share = {.to = TOLD_VPC};

	(void)str_copy(share.id, sizeof(share.id), vpc);
	return share;
}

static bool is_told(const struct nat_work *work, const char *vpc, const char *node)
{
	const struct share share = share_of_vpc(vpc);

	return !work->view->told_nodes || told_nodes_has(work->view->told_nodes, &share, node);
}

/* Whether a node that is not told of the VPC may still have something of it in force. */
static bool may_use(const struct nat_work *work, const struct nat_range *range)
{
	const struct share share = share_of_vpc(range->vpc);
	const struct lease *lease = work->view->leases ? leases_find(work->view->leases, range->node) : NULL;

	return work->view->told_nodes && lease && lease_concerns(lease, work->view->told_nodes, &share);
}

/* Taking back, and giving. */

/* 1: some have to wait. */
static int take_back(struct nat_work *work, const char *vpc, bool wanted)
{
	const struct snapshot *rows = work->view->rows;
	int r = 0;

	for (const struct nat_range *v = NULL; (v = snapshot_children(rows, REF_NAT_RANGE_VPC, vpc, v));) {
		bool told = is_told(work, vpc, v->node), orphan = snapshot_is_orphan(rows, KIND_NAT_RANGE, v);

		if (!orphan && told && wanted)
			continue;
		if (!orphan && !told && may_use(work, v))
			r = 1;
		else
			changes_delete(work->changes, KIND_NAT_RANGE, v);
	}
	return r;
}

static int compare_u32(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static int find_used(struct nat_work *work)
{
	const struct snapshot *rows = work->view->rows;

	if (work->used)
		return 0;
	work->used = calloc(snapshot_count(rows, KIND_NAT_RANGE, "") + 1, sizeof(*work->used));
	if (!work->used)
		return -ENOMEM;
	for (const struct nat_range *v = NULL; (v = snapshot_next(rows, KIND_NAT_RANGE, "", v));)
		work->used[work->n_used++] = netaddr_to_v4(&v->range.addr);
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

/* 1: it has to wait, for another pass or for ranges that come back. */
static int give(struct nat_work *work, const char *vpc, const char *node)
{
	const struct snapshot *rows = work->view->rows;
	struct nat_range row = {};
	int r;

	if (work->n_new == RANGES_PER_PASS_MAX) {
		work->changes->more = true;
		return 1;
	}
	if (snapshot_count(rows, KIND_NAT_RANGE, "") + work->n_new >= NAT_RANGES_MAX)
		return 1;
	r = find_used(work);
	if (r == 0 && work->n_new == 0)
		changes_room(work->changes, STORE_TXN_OPS_MAX);
	if (r == 0)
		r = next_range(work, &row.range);
	if (r < 0)
		return r == -ERANGE ? 1 : r;
	(void)str_copy(row.vpc, sizeof(row.vpc), vpc);
	(void)str_copy(row.node, sizeof(row.node), node);
	changes_put(work->changes, KIND_NAT_RANGE, &row);
	work->n_new++;
	return 0;
}

/* 1: some have to wait. */
static int give_all(struct nat_work *work, const char *vpc)
{
	const struct snapshot *rows = work->view->rows;
	int waits = 0;

	for (const struct node *n = NULL; (n = snapshot_next(rows, KIND_NODE, "", n));) {
		char id[ID_SIZE + sizeof(n->name) + 1];
		int r;

		(void)str_format(id, sizeof(id), "%s/%s", vpc, n->name);
		if (snapshot_find(rows, KIND_NAT_RANGE, id) || !is_told(work, vpc, n->name))
			continue;
		r = give(work, vpc, n->name);
		if (r < 0)
			return r;
		waits |= r;
	}
	return waits;
}

/* What has to wait stays due. */
static int give_due(struct nat_work *work, struct nat_due *due, const bool *wanted, const bool *waits)
{
	size_t kept = 0;
	int r = 0;

	for (size_t i = 0; i < due->n && r >= 0; i++) {
		r = wanted[i] ? give_all(work, due->vpcs[i]) : 0;
		if (r != 0 || waits[i])
			memmove(due->vpcs[kept++], due->vpcs[i], sizeof(*due->vpcs));
	}
	if (r >= 0)
		due->n = kept;
	return MIN(r, 0);
}

/* First all that comes back, as what is given out has a transaction of its own. */
static int look_at(struct nat_work *work, struct nat_due *due)
{
	_cleanup_(freep) bool *wanted = calloc(due->n + 1, sizeof(*wanted));
	_cleanup_(freep) bool *waits = calloc(due->n + 1, sizeof(*waits));

	if (!wanted || !waits)
		return -ENOMEM;
	for (size_t i = 0; i < due->n; i++) {
		wanted[i] = is_wanted(work, due->vpcs[i]);
		waits[i] = take_back(work, due->vpcs[i], wanted[i]) > 0;
	}
	return give_due(work, due, wanted, waits);
}

void control_nat_ranges(const struct control_view *view, struct nat_due *due, struct changes *changes)
{
	const struct counter *counter = snapshot_find(view->rows, KIND_COUNTER, "nat");
	struct nat_work work = {.view = view, .changes = changes};
	int r;

	work.counter = counter ? *counter : (struct counter){.name = "nat"};
	r = settle_due(due, view->rows);
	if (r == 0)
		r = look_at(&work, due);
	if (work.n_new > 0)
		changes_put(changes, KIND_COUNTER, &work.counter);
	if (r < 0 && changes->error == 0)
		changes->error = r;
	free(work.used);
}
