/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decisions of control: ranges of addresses that nodes get, the health that they report, and what a pass
 * has to look at.
 */
#include <string.h>

#include "control_world.h"

#include "model/check.h"

/* In place of the real one (meson.build): as if so many more ranges were given out. */
size_t __real_snapshot_count(const struct snapshot *s, enum kind kind, const char *prefix);
size_t __wrap_snapshot_count(const struct snapshot *s, enum kind kind, const char *prefix);

static size_t n_taken;

size_t __wrap_snapshot_count(const struct snapshot *s, enum kind kind, const char *prefix)
{
	return __real_snapshot_count(s, kind, prefix) + (kind == KIND_NAT_RANGE && !*prefix ? n_taken : 0);
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
	tap_ok(due.all, "with a node that is gone all are due");
	nat_due_done(&due);
	world_end(&w);
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
	for (int i = 0; i < 150; i++) {
		char key[KEY_SIZE];

		(void)str_format(key, sizeof(key), "node/n%03d", i);
		rows_put(w.rows, key, "{'name':'n%03d','number':%d}", i, i + 1);
	}
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
		size_t n = nat_pass(&w, &due, &more);

		most = MAX(most, n);
		passes++;
	} while (more && passes < 100);
	tap_is_int((long long)most, NAT_BACK_PER_PASS_MAX, "ranges come back so many in a pass");
	tap_ok(passes == 3 && due.n == 0 && snapshot_count(w.rows, KIND_NAT_RANGE, "") == 0,
	       "and all of them in some");
	nat_due_done(&due);
	world_end(&w);
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
		char key[KEY_SIZE];

		(void)str_format(key, sizeof(key), "vpc/vpc-%c", *p);
		rows_put(w.rows, key, "{'id':'vpc-%c','status':'Available'}", *p);
		(void)str_format(key, sizeof(key), "server_group/sgp-%c", *p);
		rows_put(w.rows, key, "{'id':'sgp-%c','vpc':'vpc-%c','status':'Available'}", *p, *p);
		(void)str_format(key, sizeof(key), "server/sgp-%c/i-1/80", *p);
		rows_put(w.rows, key, "{'group':'sgp-%c','server_id':'i-1','port':80}", *p);
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
	struct world w;

	world_begin(&w);
	rows_put(w.rows, "server/sgp-1/i-1/80",
		 "{'group':'sgp-1','server_id':'i-1','port':80,'status':'Available'}");
	rows_put(w.rows, "server/sgp-1/i-2/80",
		 "{'group':'sgp-1','server_id':'i-2','port':80,'status':'Available'}");
	view = world_view(&w);
	control_health(&view, health, ARRAY_SIZE(health), &changes);
	world_commit(&w, &changes);
	tap_is_int(snapshot_count(w.rows, KIND_SERVER_HEALTH, ""), 2,
		   "health is written down for servers that exist");
	row = snapshot_find(w.rows, KIND_SERVER_HEALTH, "sgp-1/i-2/80");
	tap_ok(row && !row->healthy && streq(row->reason, "CONNECT_TIMEOUT"), "with the reason");
	view = world_view(&w);
	control_health(&view, health, ARRAY_SIZE(health), &changes);
	tap_is_int(changes.n_txns, 0, "and only when it is new");

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
	tap_ok(subjects_take(&subjects, 5) == 0 && subjects.work.n == 0,
	       "a pass at the same revision has nothing to do");
	(void)subjects_put_back(&subjects, 5);
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
	test_no_range_free();
	test_health();
	test_subjects();
	return tap_done();
}
