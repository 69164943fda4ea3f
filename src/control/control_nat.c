/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ranges of translated source addresses: a /28 for a node in each VPC that it is told of and into which
 * endpoints can lead, that is where a load balancer serves an endpoint service or a server of a group has its
 * address. A range comes back when that is over. Of a VPC that the node is not told of any more it may have
 * something in force until it has reported that it has forgotten it, so it keeps the range that long. Ranges
 * are given out in turn, so one that has come back is used again after all others.
 *
 * Looked at are the VPCs of which something has changed, or who is told of them. Those that have to wait are
 * not looked at meanwhile: which wait for a node follows from its ranges, so that only its lease is
 * remembered; which wait for a free range is a list.
 *
 * Which ranges are given out is a bit for each, set when one is given: so giving one costs nothing more
 * however many there are. Bits of ranges that have come back stay until the search has found no other one;
 * then, at the start and after a failed commit they are made from the rows. So no row is without its bit.
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
	struct nat_due *due;
	struct changes *changes;
	bool is_used_exact; /* due->used is of this pass's rows */
	struct counter counter;
	struct nat_range given[RANGES_PER_PASS_MAX]; /* not among the changes yet */
	size_t n_given, n_back, n_looks;
	bool none_free;
};

/* What is due. */

void nat_due_done(struct nat_due *due)
{
	free(due->vpcs);
	free(due->starved);
	free(due->leases);
	free(due->used);
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

/* A range has come back. */
static void add_starved(struct nat_due *due)
{
	for (size_t i = 0; i < due->n_starved; i++)
		nat_due_vpc(due, due->starved[i]);
	due->n_starved = 0;
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

/* One that is gone leaves its ranges. One that comes has no port yet, and so is told of no VPC: its first
 * port there is a move. Otherwise nobody says which VPCs it has come to. */
static void add_node(struct nat_due *due, const struct snapshot *rows, const struct store_change *change,
		     const char *name)
{
	const struct node *node = change->is_gone ? NULL : snapshot_node(rows, name);

	if (node) {
		due->all = due->all || (node->meta.created == change->revision &&
					snapshot_count_children(rows, REF_PORT_NODE, name) > 0);
		return;
	}
	for (const struct nat_range *v = NULL; (v = snapshot_children(rows, REF_NAT_RANGE_NODE, name, v));)
		nat_due_vpc(due, v->vpc);
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
		add_node(due, rows, change, id + 1);
		break;
	case KIND_SERVICE_RESOURCE:
		add_resource(due, rows, id + 1);
		break;
	case KIND_NAT_RANGE:
		if (change->is_gone)
			add_starved(due);
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

static struct share share_of_vpc(const char *vpc)
{
	struct share share = {.to = TOLD_VPC};

	(void)str_copy(share.id, sizeof(share.id), vpc);
	return share;
}

void nat_due_heard(struct nat_due *due, const struct snapshot *rows, const struct told_nodes *told_nodes,
		   const struct lease *lease)
{
	size_t i = 0;

	while (i < due->n_leases && due->leases[i] != lease->number)
		i++;
	if (i == due->n_leases)
		return;
	due->leases[i] = due->leases[--due->n_leases];
	for (const struct nat_range *v = NULL;
	     (v = snapshot_children(rows, REF_NAT_RANGE_NODE, lease->node, v));) {
		const struct share share = share_of_vpc(v->vpc);

		if (!told_nodes_has(told_nodes, &share, lease->node))
			nat_due_vpc(due, v->vpc);
	}
}

static int compare_ids(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Each once, in order; all of them if all are due. -ENOMEM. */
static int settle_due(struct nat_due *due, const struct snapshot *rows)
{
	size_t kept = 0;
	bool all = due->all;

	if (all)
		free(TAKE_PTR(due->used));
	due->all = false;
	for (const struct vpc *v = NULL; all && (v = snapshot_next(rows, KIND_VPC, "", v));)
		nat_due_vpc(due, v->id);
	for (const struct nat_range *v = NULL; all && (v = snapshot_next(rows, KIND_NAT_RANGE, "", v));)
		nat_due_vpc(due, v->vpc);
	if (due->all)
		return -ENOMEM;
	if (due->n_settled == due->n)
		return 0;
	if (due->n > 1)
		qsort(due->vpcs, due->n, sizeof(*due->vpcs), compare_ids);
	for (size_t i = 0; i < due->n; i++)
		if (kept == 0 || !streq(due->vpcs[kept - 1], due->vpcs[i]))
			memmove(due->vpcs[kept++], due->vpcs[i], sizeof(*due->vpcs));
	due->n = due->n_settled = kept;
	return 0;
}

/* Who wants one. */

static bool is_wanted(struct nat_work *work, const char *id)
{
	const struct snapshot *rows = work->view->rows;
	const struct vpc *vpc = snapshot_vpc(rows, id);

	if (!vpc || vpc->status == VPC_DELETING)
		return false;
	for (const struct server_group *g = NULL; (g = snapshot_children(rows, REF_SERVER_GROUP_VPC, id, g));
	     work->n_looks++)
		if (snapshot_count_children(rows, REF_SERVER_GROUP, g->id) > 0)
			return true;
	for (const struct load_balancer *b = NULL;
	     (b = snapshot_children(rows, REF_LOAD_BALANCER_VPC, id, b)); work->n_looks++)
		if (snapshot_count_children(rows, REF_SERVICE_RESOURCE_RESOURCE, b->id) > 0)
			return true;
	return false;
}

static bool is_told(const struct nat_work *work, const char *vpc, const char *node)
{
	const struct share share = share_of_vpc(vpc);

	return !work->view->told_nodes || told_nodes_has(work->view->told_nodes, &share, node);
}

/* The lease of a node that is not told of the VPC and may still have something of it in force; NULL: none. */
static const struct lease *user_of(const struct nat_work *work, const struct nat_range *range)
{
	const struct told_nodes *told_nodes = work->view->told_nodes;
	const struct share share = share_of_vpc(range->vpc);
	const struct lease *lease = work->view->leases ? leases_find(work->view->leases, range->node) : NULL;

	return told_nodes && lease && lease_concerns(lease, told_nodes, &share) ? lease : NULL;
}

/* What has to wait. */

static int wait_for_node(struct nat_due *due, const struct lease *lease)
{
	for (size_t i = 0; i < due->n_leases; i++)
		if (due->leases[i] == lease->number)
			return 0;
	if (VEC_ROOM(due->leases, due->n_leases, due->leases_size) < 0)
		return -ENOMEM;
	due->leases[due->n_leases++] = lease->number;
	return 0;
}

static int wait_for_range(struct nat_due *due, const char *vpc)
{
	size_t place = LOWER_BOUND(i, due->n_starved, strcmp(due->starved[i], vpc) < 0);

	if (place < due->n_starved && streq(due->starved[place], vpc))
		return 0;
	if (VEC_ROOM(due->starved, due->n_starved, due->starved_size) < 0)
		return -ENOMEM;
	memmove(due->starved + place + 1, due->starved + place,
		(due->n_starved++ - place) * sizeof(*due->starved));
	(void)str_copy(due->starved[place], sizeof(*due->starved), vpc);
	return 0;
}

/* Taking back, and giving. */

/* 1: it is the next pass's turn. */
static int take_back(struct nat_work *work, const char *vpc, bool wanted)
{
	const struct snapshot *rows = work->view->rows;
	int r = 0;

	for (const struct nat_range *v = NULL;
	     r == 0 && (v = snapshot_children(rows, REF_NAT_RANGE_VPC, vpc, v));) {
		bool told = is_told(work, vpc, v->node), orphan = snapshot_is_orphan(rows, KIND_NAT_RANGE, v);
		const struct lease *user = orphan || told ? NULL : user_of(work, v);

		work->n_looks++;
		if (!orphan && told && wanted)
			continue;
		if (user) {
			r = wait_for_node(work->due, user);
		} else if (work->n_back == NAT_BACK_PER_PASS_MAX) {
			r = 1;
		} else {
			changes_delete(work->changes, KIND_NAT_RANGE, v);
			work->n_back++;
		}
	}
	return r;
}

static bool is_used(const struct nat_due *due, uint32_t index)
{
	return due->used[index / 64] >> index % 64 & 1;
}

static void set_used(struct nat_due *due, const struct netprefix *range)
{
	uint32_t index;

	if (nat_range_index(range, &index) == 0)
		due->used[index / 64] |= UINT64_C(1) << index % 64;
}

static int find_used(struct nat_work *work)
{
	struct nat_due *due = work->due;

	free(due->used);
	due->used = calloc(NAT_RANGES_MAX / 64, sizeof(*due->used));
	if (!due->used)
		return -ENOMEM;
	for (const struct nat_range *v = NULL; (v = snapshot_next(work->view->rows, KIND_NAT_RANGE, "", v));)
		set_used(due, &v->range);
	for (size_t i = 0; i < work->n_given; i++)
		set_used(due, &work->given[i].range);
	work->is_used_exact = true;
	return 0;
}

/* The next one after the last one given out that has no bit; after the last of all the search begins again at
 * the first. */
static int next_range(struct nat_work *work, struct netprefix *ret)
{
	uint32_t index = work->counter.value;

	for (int i = 0; i < 2; i++, index = 0) {
		for (; nat_range_at(index, ret) == 0; index++) {
			if (is_used(work->due, index))
				continue;
			work->counter.value = index + 1;
			return 0;
		}
	}
	return -ERANGE;
}

static int find_free(struct nat_work *work, struct netprefix *ret)
{
	int r = work->due->used ? next_range(work, ret) : -ERANGE;

	if (r == 0 || work->is_used_exact)
		return r;
	r = find_used(work);
	return r < 0 ? r : next_range(work, ret);
}

/* -ERANGE: none is free. */
static int give(struct nat_work *work, const char *vpc, const char *node)
{
	struct nat_range *row = &work->given[work->n_given];
	int r;

	if (snapshot_count(work->view->rows, KIND_NAT_RANGE, "") + work->n_given >= NAT_RANGES_MAX)
		return -ERANGE;
	*row = (struct nat_range){};
	r = find_free(work, &row->range);
	if (r < 0)
		return r;
	set_used(work->due, &row->range);
	(void)str_copy(row->vpc, sizeof(row->vpc), vpc);
	(void)str_copy(row->node, sizeof(row->node), node);
	work->n_given++;
	return 0;
}

/* 1: it is the next pass's turn. */
static int give_all(struct nat_work *work, const char *vpc)
{
	const struct snapshot *rows = work->view->rows;
	int r = 0;

	/* Whether it lacks one is asked when there is one. */
	if (work->none_free)
		return wait_for_range(work->due, vpc);
	for (const struct node *n = NULL; r == 0 && (n = snapshot_next(rows, KIND_NODE, "", n));) {
		char id[ID_SIZE + sizeof(n->name) + 1];

		work->n_looks++;
		(void)str_format(id, sizeof(id), "%s/%s", vpc, n->name);
		if (snapshot_find(rows, KIND_NAT_RANGE, id) || !is_told(work, vpc, n->name))
			continue;
		r = work->n_given == RANGES_PER_PASS_MAX ? 1 : give(work, vpc, n->name);
	}
	work->none_free = r == -ERANGE;
	return work->none_free ? wait_for_range(work->due, vpc) : r;
}

/* What is not come to stays due. */
static int look_at(struct nat_work *work)
{
	struct nat_due *due = work->due;
	size_t n = 0;
	int r = 0;

	while (n < due->n && r == 0 && work->n_looks < NAT_LOOKS_PER_PASS_MAX) {
		bool wanted = is_wanted(work, due->vpcs[n]);

		work->n_looks++;
		r = take_back(work, due->vpcs[n], wanted);
		if (r == 0 && wanted)
			r = give_all(work, due->vpcs[n]);
		if (r == 0)
			n++;
	}
	if (r < 0)
		return r;
	due->n -= n;
	due->n_settled = due->n;
	if (due->n > 0)
		memmove(due->vpcs, due->vpcs + n, due->n * sizeof(*due->vpcs));
	work->changes->more = due->n > 0;
	return 0;
}

/* In a transaction of their own. */
static void put_given(struct nat_work *work)
{
	if (work->n_given == 0)
		return;
	changes_room(work->changes, work->n_given + 1);
	for (size_t i = 0; i < work->n_given; i++)
		changes_put(work->changes, KIND_NAT_RANGE, &work->given[i]);
	changes_put(work->changes, KIND_COUNTER, &work->counter);
}

void control_nat_ranges(const struct control_view *view, struct nat_due *due, struct changes *changes)
{
	const struct counter *counter = snapshot_find(view->rows, KIND_COUNTER, "nat");
	struct nat_work work = {.view = view, .due = due, .changes = changes};
	int r;

	work.counter = counter ? *counter : (struct counter){.name = "nat"};
	r = settle_due(due, view->rows);
	if (r == 0)
		r = look_at(&work);
	put_given(&work);
	if (r < 0 && changes->error == 0)
		changes->error = r;
}
