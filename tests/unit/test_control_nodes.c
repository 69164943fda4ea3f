/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decisions of control: ranges of addresses that nodes get, the health that they report, and what a pass
 * has to look at.
 */
#include <string.h>

#include "control_world.h"

#include "model/check.h"

/* In place of the real ones (meson.build). */
size_t __real_snapshot_count(const struct snapshot *s, enum kind kind, const char *prefix);
size_t __wrap_snapshot_count(const struct snapshot *s, enum kind kind, const char *prefix);

const void *__real_snapshot_next(const struct snapshot *s, enum kind kind, const char *prefix,
				 const void *previous);
const void *__wrap_snapshot_next(const struct snapshot *s, enum kind kind, const char *prefix,
				 const void *previous);
int __real_nat_range_at(uint32_t index, struct netprefix *ret);
int __wrap_nat_range_at(uint32_t index, struct netprefix *ret);

static size_t n_taken;			   /* as if so many more ranges were given out */
static uint32_t n_ranges = NAT_RANGES_MAX; /* as if there were only so many */
static size_t n_walked[KIND_COUNT_];	   /* how many rows of the kind were walked over */

size_t __wrap_snapshot_count(const struct snapshot *s, enum kind kind, const char *prefix)
{
	return __real_snapshot_count(s, kind, prefix) + (kind == KIND_NAT_RANGE && !*prefix ? n_taken : 0);
}

const void *__wrap_snapshot_next(const struct snapshot *s, enum kind kind, const char *prefix,
				 const void *previous)
{
	const void *row = __real_snapshot_next(s, kind, prefix, previous);

	n_walked[kind] += row != NULL;
	return row;
}

int __wrap_nat_range_at(uint32_t index, struct netprefix *ret)
{
	return index < n_ranges ? __real_nat_range_at(index, ret) : -ERANGE;
}

static void test_nat_ranges(void)
{
	struct control_view view;
	const struct nat_range *range;
	struct changes changes = {};
	struct nat_due due = {.all = true};
	struct world w;

	world_begin(&w);
	rows_put(w.rows, "node/n1", "{'name':'n1','number':1}");
	rows_put(w.rows, "node/n2", "{'name':'n2','number':2}");
	for (const char *p = "abcd"; *p; p++) {
		char key[KEY_SIZE];

		(void)str_format(key, sizeof(key), "vpc/vpc-%c", *p);
		rows_put(w.rows, key, "{'id':'vpc-%c','status':'Available'}", *p);
	}
	rows_put(w.rows, "server_group/sgp-1", "{'id':'sgp-1','vpc':'vpc-a','status':'Available'}");
	rows_put(w.rows, "server/sgp-1/i-1/80",
		 "{'group':'sgp-1','server_id':'i-1','port':80,'status':'Available'}");
	rows_put(w.rows, "server_group/sgp-2", "{'id':'sgp-2','vpc':'vpc-b','status':'Available'}");
	rows_put(w.rows, "load_balancer/nlb-1", "{'id':'nlb-1','vpc':'vpc-c','status':'Active'}");
	rows_put(w.rows, "load_balancer/nlb-2", "{'id':'nlb-2','vpc':'vpc-d','status':'Active'}");
	rows_put(w.rows, "service_resource/epsrv-1/nlb-1/z-a",
		 "{'service':'epsrv-1','resource':'nlb-1','zone':'z-a'}");
	rows_put(w.rows, "counter/nat", "{'name':'nat','value':3}");

	view = world_view(&w);
	control_nat_ranges(&view, &due, &changes);
	world_commit(&w, &changes);
	tap_is_int(snapshot_count(w.rows, KIND_NAT_RANGE, ""), 4,
		   "VPCs with a server or a serving load balancer get a range for each node");
	range = snapshot_find(w.rows, KIND_NAT_RANGE, "vpc-a/n1");
	tap_ok(range && netaddr_to_v4(&range->range.addr) == 0x64400030, "it is the next one of the counter");
	tap_ok(snapshot_find(w.rows, KIND_NAT_RANGE, "vpc-c/n2"), "also where only a load balancer serves");
	due.all = true;
	view = world_view(&w);
	control_nat_ranges(&view, &due, &changes);
	tap_is_int(changes.n_txns, 0, "and not twice");
	tap_ok(!due.all && due.n == 0, "then none is due");

	rows_delete(w.rows, "vpc/vpc-a");
	rows_delete(w.rows, "node/n2");
	due.all = true;
	view = world_view(&w);
	control_nat_ranges(&view, &due, &changes);
	world_commit(&w, &changes);
	tap_is_int(snapshot_count(w.rows, KIND_NAT_RANGE, ""), 1,
		   "ranges come back when the VPC or the node is gone");

	rows_put(w.rows, "node/n3", "{'name':'n3','number':3}");
	rows_put(w.rows, "counter/nat", "{'name':'nat','value':258048}");
	rows_put(w.rows, "nat_range/vpc-x/n1", "{'vpc':'vpc-x','node':'n1','range':'100.64.0.0/28'}");
	rows_put(w.rows, "vpc/vpc-x", "{'id':'vpc-x'}");
	due.all = true;
	view = world_view(&w);
	control_nat_ranges(&view, &due, &changes);
	world_commit(&w, &changes);
	range = snapshot_find(w.rows, KIND_NAT_RANGE, "vpc-c/n3");
	tap_ok(range && netaddr_to_v4(&range->range.addr) == 0x64400010,
	       "after the last range the search begins again and passes over what is in use");
	nat_due_done(&due);
	world_end(&w);
}

/* What a change costs does not depend on how many other VPCs there are. */
static void test_due_ranges(void)
{
	struct store_change change = {.key = "server/sgp-1/i-1/80", .revision = 9};
	struct nat_due due = {};
	struct changes changes = {};
	struct control_view view;
	struct world w;

	world_begin(&w);
	rows_put(w.rows, "node/n1", "{'name':'n1','number':1}");
	rows_put(w.rows, "load_balancer/nlb-1", "{'id':'nlb-1','vpc':'vpc-b','status':'Active'}");
	for (const char *p = "ab"; *p; p++) {
		char key[KEY_SIZE];

		(void)str_format(key, sizeof(key), "vpc/vpc-%c", *p);
		rows_put(w.rows, key, "{'id':'vpc-%c','status':'Available'}", *p);
	}
	rows_put(w.rows, "server_group/sgp-1", "{'id':'sgp-1','vpc':'vpc-a','status':'Available'}");
	rows_put(w.rows, "server/sgp-1/i-1/80",
		 "{'group':'sgp-1','server_id':'i-1','port':80,'status':'Available'}");
	nat_due_change(&due, w.rows, &change);
	nat_due_change(&due, w.rows, &change);
	tap_ok(due.n == 1 && streq(due.vpcs[0], "vpc-a"), "a server makes its VPC due, once");
	change.key = "service_resource/epsrv-1/nlb-1/z-a";
	change.is_gone = true;
	nat_due_change(&due, w.rows, &change);
	tap_ok(due.n == 2 && streq(due.vpcs[1], "vpc-b"),
	       "a resource that its service has no more the VPC of the load balancer");
	change.key = "port/eni-1";
	nat_due_change(&due, w.rows, &change);
	tap_ok(due.n == 2 && !due.all, "other rows none");
	view = world_view(&w);
	control_nat_ranges(&view, &due, &changes);
	world_commit(&w, &changes);
	tap_ok(snapshot_find(w.rows, KIND_NAT_RANGE, "vpc-a/n1") &&
		       snapshot_count(w.rows, KIND_NAT_RANGE, "") == 1 && due.n == 0,
	       "and what is due is looked at");
	change.key = "node/n1";
	nat_due_change(&due, w.rows, &change);
	tap_ok(due.n == 1 && streq(due.vpcs[0], "vpc-a") && !due.all,
	       "a node that is gone makes those due in which it has ranges");
	due.n = 0;
	rows_put(w.rows, "node/n2", "{'name':'n2','number':2}");
	change = (struct store_change){.key = "node/n2", .revision = 1}; /* (of which rows.h makes all) */
	nat_due_change(&due, w.rows, &change);
	tap_ok(due.n == 0 && !due.all, "one that comes none");
	rows_put(w.rows, "port/eni-2",
		 "{'id':'eni-2','number':7,'kind':'instance','vpc':'vpc-a','node':'n2','status':'InUse'}");
	nat_due_change(&due, w.rows, &change);
	tap_ok(due.all, "but all, if ports of it are there already");
	change.revision++;
	due.all = false;
	nat_due_change(&due, w.rows, &change);
	tap_ok(due.n == 0 && !due.all, "and one that changes none");
	nat_due_done(&due);
	world_end(&w);
}

static void put_node(struct world *w, int i)
{
	char key[KEY_SIZE];

	(void)str_format(key, sizeof(key), "node/n%03d", i);
	rows_put(w->rows, key, "{'name':'n%03d','number':%d}", i, i + 1);
}

static void test_many_nat_ranges(void)
{
	struct control_view view;
	struct changes changes = {};
	struct nat_due due = {.all = true};
	struct world w;
	bool more;

	world_begin(&w);
	rows_put(w.rows, "vpc/vpc-a", "{'id':'vpc-a'}");
	rows_put(w.rows, "server_group/sgp-1", "{'id':'sgp-1','vpc':'vpc-a','status':'Available'}");
	rows_put(w.rows, "server/sgp-1/i-1/80",
		 "{'group':'sgp-1','server_id':'i-1','port':80,'status':'Available'}");
	for (int i = 0; i < 150; i++)
		put_node(&w, i);
	for (int i = 0; i < 2; i++) {
		view = world_view(&w);
		control_nat_ranges(&view, &due, &changes);
		more = changes.more;
		world_commit(&w, &changes);
	}
	tap_ok(!more && due.n == 0 && snapshot_count(w.rows, KIND_NAT_RANGE, "vpc-a/") == 150,
	       "many ranges are given out in steps");
	nat_due_done(&due);
	world_end(&w);
}

/* One pass over what is due. How many ranges it has changed. */
static size_t nat_pass(struct world *w, struct nat_due *due, bool *ret_more)
{
	struct control_view view = world_view(w);
	struct changes changes = {};

	w->n_ops = 0;
	control_nat_ranges(&view, due, &changes);
	*ret_more = changes.more;
	world_commit(w, &changes);
	return w->n_ops;
}

/* What is left becomes due once more, until there are so many in the list. */
static void repeat_due(struct nat_due *due, size_t up_to)
{
	char vpc[ID_SIZE];
	size_t n = due->n;

	for (size_t i = 0; n > 1 && due->n < up_to; i = (i + 1) % n) {
		(void)str_copy(vpc, sizeof(vpc), due->vpcs[i]);
		nat_due_vpc(due, vpc);
	}
}

/* So many that the store would not remember the changes, if all of them came in one turn. */
static void test_many_come_back(void)
{
	enum { RANGES = 2 * NAT_BACK_PER_PASS_MAX + 100 };
	struct nat_due due = {.all = true};
	size_t most = 0, passes = 0;
	struct world w;
	bool more;

	world_begin(&w);
	rows_put(w.rows, "node/n1", "{'name':'n1','number':1}");
	for (int i = 0; i < RANGES; i++) {
		char key[KEY_SIZE];

		(void)str_format(key, sizeof(key), "nat_range/vpc-%d/n1", i);
		rows_put(w.rows, key, "{'vpc':'vpc-%d','node':'n1','range':'100.64.%d.%d/28'}", i, i / 16,
			 i % 16 * 16);
	}
	do {
		size_t n_due = due.n, n = nat_pass(&w, &due, &more);

		most = MAX(most, n);
		passes++;
		repeat_due(&due, n_due);
	} while (more && passes < 100);
	tap_is_int((long long)most, NAT_BACK_PER_PASS_MAX, "ranges come back so many in a pass");
	tap_ok(passes == 3 && due.n == 0 && snapshot_count(w.rows, KIND_NAT_RANGE, "") == 0,
	       "and all of them in some");
	nat_due_done(&due);
	world_end(&w);
}

static void put_wanting_vpc(struct world *w, const char *name)
{
	char key[KEY_SIZE];

	(void)str_format(key, sizeof(key), "vpc/vpc-%s", name);
	rows_put(w->rows, key, "{'id':'vpc-%s','status':'Available'}", name);
	(void)str_format(key, sizeof(key), "server_group/sgp-%s", name);
	rows_put(w->rows, key, "{'id':'sgp-%s','vpc':'vpc-%s','status':'Available'}", name, name);
	(void)str_format(key, sizeof(key), "server/sgp-%s/i-1/80", name);
	rows_put(w->rows, key, "{'group':'sgp-%s','server_id':'i-1','port':80}", name);
}

/* What one range more costs does not depend on how many there are. */
static void test_giving_costs(void)
{
	struct store_change gone = {.key = "nat_range/vpc-0/n1", .revision = 9, .is_gone = true};
	struct nat_due due = {};
	struct world w;
	bool more;

	world_begin(&w);
	rows_put(w.rows, "node/n1", "{'name':'n1','number':1}");
	rows_put(w.rows, "counter/nat", "{'name':'nat','value':500}");
	for (int i = 0; i < 500; i++) {
		char key[KEY_SIZE];

		(void)str_format(key, sizeof(key), "nat_range/vpc-%d/n1", i);
		rows_put(w.rows, key, "{'vpc':'vpc-%d','node':'n1','range':'100.64.%d.%d/28'}", i, i / 16,
			 i % 16 * 16);
	}
	for (const char *p = "abcd"; *p; p++) {
		const char name[] = {*p, '\0'};

		put_wanting_vpc(&w, name);
	}
	nat_due_vpc(&due, "vpc-a");
	(void)nat_pass(&w, &due, &more);
	n_walked[KIND_NAT_RANGE] = 0;
	nat_due_vpc(&due, "vpc-b");
	(void)nat_pass(&w, &due, &more);
	rows_delete(w.rows, gone.key);
	nat_due_change(&due, w.rows, &gone);
	nat_due_vpc(&due, "vpc-c");
	(void)nat_pass(&w, &due, &more);
	tap_ok(snapshot_find(w.rows, KIND_NAT_RANGE, "vpc-b/n1") &&
		       snapshot_find(w.rows, KIND_NAT_RANGE, "vpc-c/n1"),
	       "ranges are given out after others");
	tap_is_int((long long)n_walked[KIND_NAT_RANGE], 0, "and none of those is looked at for that");
	nat_due_done(&due);
	nat_due_vpc(&due, "vpc-d");
	(void)nat_pass(&w, &due, &more);
	tap_is_int((long long)n_walked[KIND_NAT_RANGE], 502, "but once where nothing is known");
	nat_due_done(&due);
	world_end(&w);
}

/* So many VPCs and nodes that calls would wait, if all of them were looked at in one turn. */
static void test_many_looks(void)
{
	enum { NODES = 90, VPCS = 100, LOOKS = VPCS * (1 + 2 * NODES) };
	struct nat_due due = {.all = true};
	size_t most = 0, passes = 0;
	struct world w;
	bool more;

	world_begin(&w);
	for (int i = 0; i < NODES; i++)
		put_node(&w, i);
	for (int i = 0; i < VPCS; i++) {
		char name[16];

		(void)str_format(name, sizeof(name), "%d", i);
		put_wanting_vpc(&w, name);
	}
	do
		(void)nat_pass(&w, &due, &more);
	while (more);
	tap_is_int((long long)snapshot_count(w.rows, KIND_NAT_RANGE, ""), VPCS * NODES,
		   "many VPCs have a range for each of many nodes");
	due.all = true;
	do {
		n_walked[KIND_NODE] = 0;
		(void)nat_pass(&w, &due, &more);
		most = MAX(most, n_walked[KIND_NODE]);
		passes++;
	} while (more);
	tap_ok(most > 0 && most <= NAT_LOOKS_PER_PASS_MAX / 2 + NODES,
	       "of these so many are looked at in a pass (%zu)", most);
	tap_ok(passes >= LOOKS / (NAT_LOOKS_PER_PASS_MAX + 1 + 2 * NODES) &&
		       passes <= LOOKS / NAT_LOOKS_PER_PASS_MAX + 1,
	       "and all in some (%zu)", passes);
	tap_is_int((long long)due.n, 0, "then none is due");
	nat_due_done(&due);
	world_end(&w);
}

/* VPCs with much in it that wants no range. */
static void test_many_looks_for_nothing(void)
{
	enum { GROUPS = NAT_LOOKS_PER_PASS_MAX / 2 };
	struct nat_due due = {.all = true};
	size_t passes = 0;
	struct world w;
	bool more;

	world_begin(&w);
	rows_put(w.rows, "node/n1", "{'name':'n1','number':1}");
	for (int i = 0; i < 4; i++) {
		char key[KEY_SIZE];

		(void)str_format(key, sizeof(key), "vpc/vpc-%d", i);
		rows_put(w.rows, key, "{'id':'vpc-%d','status':'Available'}", i);
		for (int g = 0; g < GROUPS; g++) {
			(void)str_format(key, sizeof(key), "server_group/sgp-%d-%d", i, g);
			rows_put(w.rows, key, "{'id':'sgp-%d-%d','vpc':'vpc-%d','status':'Available'}", i, g,
				 i);
		}
	}
	do {
		(void)nat_pass(&w, &due, &more);
		passes++;
	} while (more);
	tap_is_int((long long)passes, 2, "looks at what needs no range count, too");
	nat_due_done(&due);
	world_end(&w);
}

/* Random histories of giving and taking back, of which any turn may be undone, as when the disk is full. */
enum { HISTORY_RANGES = 12, HISTORY_VPCS = 7, HISTORY_NODES = 3, HISTORY_TURNS = 5000 };

struct history {
	struct world w;
	struct nat_due due;
	uint32_t random;
	/* What is on disk. */
	struct nat_range ranges[HISTORY_RANGES];
	size_t n_ranges;
	uint32_t counter;
	bool wanted[HISTORY_VPCS];
	/* What this turn has done. */
	bool touched[HISTORY_VPCS], committed;
	size_t n_twice, n_failed, n_wrong;
	size_t n_starving, n_given; /* for the test's own sake */
};

static uint32_t history_random(struct history *h, uint32_t n)
{
	h->random = h->random * 1664525 + 1013904223;
	return (h->random >> 16) % n;
}

static void history_want(struct history *h, uint32_t vpc, bool wanted)
{
	char key[KEY_SIZE];

	(void)str_format(key, sizeof(key), "server/sgp-%u/i-1/80", vpc);
	if (wanted)
		rows_put(h->w.rows, key, "{'group':'sgp-%u','server_id':'i-1','port':80}", vpc);
	else
		rows_delete(h->w.rows, key);
}

static bool history_wants(const struct history *h, uint32_t vpc)
{
	char id[ID_SIZE];

	(void)str_format(id, sizeof(id), "sgp-%u/i-1/80", vpc);
	return snapshot_find(h->w.rows, KIND_SERVER, id);
}

static void history_begin(struct history *h)
{
	world_begin(&h->w);
	for (int i = 0; i < HISTORY_VPCS; i++) {
		char name[16];

		(void)str_format(name, sizeof(name), "%d", i);
		put_wanting_vpc(&h->w, name);
		h->wanted[i] = true;
	}
	for (int i = 0; i < HISTORY_NODES; i++) {
		char key[KEY_SIZE];

		(void)str_format(key, sizeof(key), "node/n%d", i);
		rows_put(h->w.rows, key, "{'name':'n%d','number':%d}", i, i + 1);
	}
	rows_put(h->w.rows, "counter/nat", "{'name':'nat','value':0}");
	h->due.all = true;
}

/* Nobody has what another one has: by looking at each with each. */
static void history_check(struct history *h)
{
	const struct snapshot *rows = h->w.rows;

	for (const struct nat_range *a = NULL; (a = snapshot_next(rows, KIND_NAT_RANGE, "", a));)
		for (const struct nat_range *b = a; (b = snapshot_next(rows, KIND_NAT_RANGE, "", b));)
			h->n_twice += netaddr_compare(&a->range.addr, &b->range.addr) == 0;
}

/* One pass. Of its transactions one may be refused. */
static bool history_pass(struct history *h, bool may_fail)
{
	struct control_view view = world_view(&h->w);
	struct changes changes = {};
	bool more;

	control_nat_ranges(&view, &h->due, &changes);
	more = changes.more;
	h->w.refused = h->w.refused || changes.error < 0;
	for (size_t i = 0; i < changes.n_txns; i++) {
		h->committed = true;
		if (may_fail && history_random(h, 16) == 0)
			h->due.all = true;
		else
			world_commit_txn(&h->w, changes.txns[i]);
	}
	changes_done(&changes);
	history_check(h);
	return more;
}

/* A call, or what another part of control does. */
static void history_call(struct history *h)
{
	uint32_t vpc = history_random(h, HISTORY_VPCS);
	char prefix[ID_SIZE], key[KEY_SIZE];
	const struct nat_range *range;

	h->touched[vpc] = true;
	if (!history_wants(h, vpc)) {
		history_want(h, vpc, true);
		return;
	}
	history_want(h, vpc, false);
	if (history_random(h, 2))
		return;
	(void)str_format(prefix, sizeof(prefix), "vpc-%u/", vpc);
	while ((range = snapshot_next(h->w.rows, KIND_NAT_RANGE, prefix, NULL))) {
		(void)str_format(key, sizeof(key), "nat_range/%s/%s", range->vpc, range->node);
		rows_delete(h->w.rows, key);
	}
}

static void history_is_durable(struct history *h)
{
	const struct store_change gone = {.key = "nat_range/vpc-0/n0", .revision = 9, .is_gone = true};
	const struct counter *counter = snapshot_find(h->w.rows, KIND_COUNTER, "nat");

	h->n_ranges = 0;
	for (const struct nat_range *v = NULL; (v = snapshot_next(h->w.rows, KIND_NAT_RANGE, "", v));)
		h->ranges[h->n_ranges++] = *v;
	h->n_given += h->counter != counter->value;
	h->counter = counter->value;
	for (uint32_t i = 0; i < HISTORY_VPCS; i++)
		h->wanted[i] = history_wants(h, i);
	nat_due_change(&h->due, h->w.rows, &gone);
}

static void history_is_undone(struct history *h)
{
	const struct nat_range *range;
	char key[KEY_SIZE], text[NETPREFIX_TEXT_SIZE];

	h->n_failed++;
	while ((range = snapshot_next(h->w.rows, KIND_NAT_RANGE, "", NULL))) {
		(void)str_format(key, sizeof(key), "nat_range/%s/%s", range->vpc, range->node);
		rows_delete(h->w.rows, key);
	}
	for (size_t i = 0; i < h->n_ranges; i++) {
		netprefix_format(&h->ranges[i].range, text);
		(void)str_format(key, sizeof(key), "nat_range/%s/%s", h->ranges[i].vpc, h->ranges[i].node);
		rows_put(h->w.rows, key, "{'vpc':'%s','node':'%s','range':'%s'}", h->ranges[i].vpc,
			 h->ranges[i].node, text);
	}
	for (uint32_t i = 0; i < HISTORY_VPCS; i++)
		history_want(h, i, h->wanted[i]);
	rows_put(h->w.rows, "counter/nat", "{'name':'nat','value':%u}", h->counter);
	h->due.all = h->due.all || h->committed;
}

static void history_end_turn(struct history *h, bool fails)
{
	if (fails)
		history_is_undone(h);
	else
		history_is_durable(h);
	for (uint32_t i = 0; i < HISTORY_VPCS; i++) {
		char vpc[ID_SIZE];

		(void)str_format(vpc, sizeof(vpc), "vpc-%u", i);
		if (h->touched[i])
			nat_due_vpc(&h->due, vpc);
		h->touched[i] = false;
	}
	h->committed = false;
}

/* Whoever wants one has one, and nobody else, unless all are given out. */
static void history_settle(struct history *h)
{
	size_t n, wanted = 0;
	int passes = 0;

	do {
		while (history_pass(h, false) && passes++ < 100)
			;
		history_end_turn(h, false);
	} while ((h->due.all || h->due.n > 0) && passes++ < 100);
	for (uint32_t i = 0; i < HISTORY_VPCS; i++)
		wanted += history_wants(h, i) ? HISTORY_NODES : 0;
	n = __real_snapshot_count(h->w.rows, KIND_NAT_RANGE, "");
	h->n_wrong += n != MIN(wanted, (size_t)HISTORY_RANGES);
	h->n_starving += wanted > HISTORY_RANGES;
}

static void test_history(uint32_t seed)
{
	struct history h = {.random = seed};

	n_ranges = HISTORY_RANGES;
	n_taken = NAT_RANGES_MAX - HISTORY_RANGES;
	history_begin(&h);
	for (int i = 0; i < HISTORY_TURNS; i++) {
		for (uint32_t n = history_random(&h, 4); n > 0; n--)
			if (history_random(&h, 2))
				history_call(&h);
			else
				(void)history_pass(&h, true);
		history_end_turn(&h, history_random(&h, 4) == 0);
		if (history_random(&h, 8) == 0)
			history_settle(&h);
	}
	tap_is_int((long long)h.n_twice, 0, "of %d turns, %zu of them undone, none gives a range twice",
		   HISTORY_TURNS, h.n_failed);
	tap_is_int((long long)h.n_wrong, 0, "and all who want one get one while there is one");
	tap_ok(h.n_failed > 500 && h.n_given > 500 && h.n_starving > 100 && h.n_starving < 500,
	       "there were turns of all sorts");
	nat_due_done(&h.due);
	world_end(&h.w);
	n_ranges = NAT_RANGES_MAX;
	n_taken = 0;
}

/* VPCs for which none is free. */
static void test_no_range_free(void)
{
	struct store_change change = {.key = "nat_range/vpc-a/n1", .revision = 9, .is_gone = true};
	struct store_change other = {.key = "nat_range/vpc-a/n1", .revision = 9};
	struct nat_due due = {.all = true};
	struct world w;
	bool more;

	n_taken = NAT_RANGES_MAX - 2;
	world_begin(&w);
	rows_put(w.rows, "node/n1", "{'name':'n1','number':1}");
	for (const char *p = "abcd"; *p; p++) {
		const char name[] = {*p, '\0'};

		put_wanting_vpc(&w, name);
	}
	(void)nat_pass(&w, &due, &more);
	tap_ok(snapshot_count(w.rows, KIND_NAT_RANGE, "vpc-") == 2 && due.n_starved == 2,
	       "when all ranges are given out, the rest of the VPCs wait");
	tap_ok(!more && due.n == 0, "and are not due");
	due.all = true;
	(void)nat_pass(&w, &due, &more);
	tap_is_int((long long)due.n_starved, 2, "each waits once");
	nat_due_change(&due, w.rows, &other);
	tap_ok(due.n == 0, "a range that is given out is nothing to them");
	rows_delete(w.rows, "nat_range/vpc-a/n1");
	rows_delete(w.rows, "server/sgp-a/i-1/80");
	nat_due_change(&due, w.rows, &change);
	(void)nat_pass(&w, &due, &more);
	tap_ok(snapshot_find(w.rows, KIND_NAT_RANGE, "vpc-c/n1") && due.n_starved == 1,
	       "one that has come back is given to the next, and the others wait again");
	nat_due_done(&due);
	world_end(&w);
	n_taken = 0;
}

static void test_health(void)
{
	const struct server_health health[] = {
		{.group = "sgp-1", .server_id = "i-1", .port = 80, .node = "n1", .healthy = true},
		{.group = "sgp-1", .server_id = "i-2", .port = 80, .node = "n1", .reason = "CONNECT_TIMEOUT"},
		{.group = "sgp-9", .server_id = "i-9", .port = 80, .node = "n1", .healthy = true},
	};
	const struct server_health *row;
	struct control_view view;
	struct changes changes = {};
	size_t room = 2;
	struct world w;

	world_begin(&w);
	rows_put(w.rows, "server/sgp-1/i-1/80",
		 "{'group':'sgp-1','server_id':'i-1','port':80,'status':'Available'}");
	rows_put(w.rows, "server/sgp-1/i-2/80",
		 "{'group':'sgp-1','server_id':'i-2','port':80,'status':'Available'}");
	view = world_view(&w);
	tap_is_int((long long)control_health(&view, health, ARRAY_SIZE(health), &room, &changes), 2,
		   "health is looked at as far as there is room for rows");
	world_commit(&w, &changes);
	tap_is_int(snapshot_count(w.rows, KIND_SERVER_HEALTH, ""), 2, "and written down");
	row = snapshot_find(w.rows, KIND_SERVER_HEALTH, "sgp-1/i-2/80");
	tap_ok(row && !row->healthy && streq(row->reason, "CONNECT_TIMEOUT"), "with the reason");
	view = world_view(&w);
	room = 1;
	tap_is_int((long long)control_health(&view, health, ARRAY_SIZE(health), &room, &changes), 3,
		   "what is known takes none");
	tap_ok(room == 1 && changes.n_txns == 0,
	       "and is not written again, nor what is said of a server that does not exist");

	rows_put(w.rows, "server_group/sgp-1", "{'id':'sgp-1','status':'Available'}");
	rows_put(w.rows, "server/sgp-1/i-1/80",
		 "{'group':'sgp-1','server_id':'i-1','port':80,'status':'Removing'}");
	world_report(&w);
	(void)world_pass(&w);
	tap_ok(!snapshot_find(w.rows, KIND_SERVER, "sgp-1/i-1/80") &&
		       !snapshot_find(w.rows, KIND_SERVER_HEALTH, "sgp-1/i-1/80"),
	       "a server that is removed takes it along");
	world_end(&w);
}

struct subject_case {
	const char *key, *id;
	int kind;
};

static const struct subject_case subject_cases[] = {
	{"endpoint/ep-1", "ep-1", KIND_ENDPOINT},
	{"connection/ep-1", "ep-1", KIND_ENDPOINT},
	{"endpoint_zone/ep-1/z", "ep-1", KIND_ENDPOINT},
	{"server/sgp-1/i/80", "sgp-1/i/80", KIND_SERVER},
	{"service/epsrv-1", "epsrv-1", KIND_SERVICE},
	{"tag/ep-1/k", "", -1},
	{"account/5", "", -1},
	{"nonsense", "", -1},
};

static void test_subjects(void)
{
	const struct control_subject *waiting;
	struct subjects subjects = {};
	struct control_subject subject;
	bool ok = true;

	for (size_t i = 0; i < ARRAY_SIZE(subject_cases); i++) {
		const struct subject_case *c = &subject_cases[i];
		int r = control_subject_of_key(c->key, &subject);

		tap_ok(c->kind < 0 ? r == -ENOENT
				   : r == 0 && (int)subject.kind == c->kind && streq(subject.id, c->id),
		       "%s moves %s", c->key, c->kind < 0 ? "nothing" : c->id);
	}

	for (const char *key = "edcba"; *key; key++) {
		char text[] = {'v', 'p', 'c', '/', *key, '\0'};

		ok = ok && subjects_changed(&subjects, text) == 0 && subjects_changed(&subjects, text) == 0;
	}
	tap_ok(ok && subjects_take(&subjects, 5) == 0 && subjects.work.n == 5, "a subject is in a pass once");
	for (size_t i = 0; i < 5; i++)
		subjects.work.v[i].needs = i == 0 ? NEEDS_NOTHING : i == 4 ? NEEDS_REPAIR : 5 + i;
	tap_is_int(subjects_put_back(&subjects, 5), 0, "what needs a later revision is put back");
	tap_is_int(subjects.waiting.n, 4, "what is settled is not");
	waiting = subjects.waiting.v;
	tap_ok(subjects_take(&subjects, 5) == 0 && subjects.work.n == 0,
	       "a pass at the same revision has nothing to do");
	(void)subjects_put_back(&subjects, 5);
	tap_ok(subjects.waiting.v == waiting && subjects.waiting.n == 4,
	       "what waits is not copied for a pass that leaves nothing");
	(void)subjects_changed(&subjects, "vpc/e");
	tap_ok(subjects_take(&subjects, 7) == 0 && subjects.work.n == 3 &&
		       streq(subjects.work.v[0].id, "b") && streq(subjects.work.v[2].id, "e"),
	       "a later one takes what it has reached, and what changed");
	subjects.work.v[0].needs = 7;
	tap_is_int(subjects_put_back(&subjects, 7), 1, "what has more to do at once says so");
	tap_is_int(subjects.waiting.n, 3, "and is there again, but for what was settled");
	subjects_done(&subjects);
}

int main(void)
{
	test_nat_ranges();
	test_due_ranges();
	test_many_nat_ranges();
	test_many_come_back();
	test_giving_costs();
	test_many_looks();
	test_many_looks_for_nothing();
	for (uint32_t seed = 1; seed <= 4; seed++)
		test_history(seed);
	test_no_range_free();
	test_health();
	test_subjects();
	return tap_done();
}
