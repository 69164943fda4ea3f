/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Control at work: a store on disk, a loop, nodes that report or fall silent. Leases are tested with given
 * times.
 */
#include <malloc.h>
#include <signal.h>
#include <sys/resource.h>

#include "control_fixture.h"

#include "control/control_step.h"
#include "control/leases.h"
#include "lib/log.h"

/* In place of the real ones (meson.build): a clock that can be put forward, a question and subjects that are
 * counted, and memory that comes to its end. */
uint64_t __real_now_mono_ms(void);
uint64_t __wrap_now_mono_ms(void);
bool __real_told_nodes_has(const struct told_nodes *told_nodes, const struct share *share, const char *node);
bool __wrap_told_nodes_has(const struct told_nodes *told_nodes, const struct share *share, const char *node);

void __real_control_states(const struct control_view *view, struct control_subject *subjects,
			   size_t n_subjects, size_t *room, struct changes *changes);
void __wrap_control_states(const struct control_view *view, struct control_subject *subjects,
			   size_t n_subjects, size_t *room, struct changes *changes);

static uint64_t clock_ahead_ms;
static long long n_asked, n_judged;

void __wrap_control_states(const struct control_view *view, struct control_subject *subjects,
			   size_t n_subjects, size_t *room, struct changes *changes)
{
	n_judged += (long long)n_subjects;
	__real_control_states(view, subjects, n_subjects, room, changes);
}

void *__real_reallocarray(void *v, size_t n, size_t size);
void *__wrap_reallocarray(void *v, size_t n, size_t size);

static int allocations_left = -1; /* < 0: as many as one likes */

void *__wrap_reallocarray(void *v, size_t n, size_t size)
{
	if (allocations_left == 0)
		return NULL;
	allocations_left -= allocations_left > 0;
	return __real_reallocarray(v, n, size);
}

uint64_t __wrap_now_mono_ms(void)
{
	return __real_now_mono_ms() + clock_ahead_ms;
}

bool __wrap_told_nodes_has(const struct told_nodes *told_nodes, const struct share *share, const char *node)
{
	n_asked++;
	return __real_told_nodes_has(told_nodes, share, node);
}

static int report(struct setup *s, const char *node, uint64_t revision)
{
	struct control_report r = {.revision = revision};

	must(str_copy(r.node, sizeof(r.node), node), "name");
	return control_report(s->control, &r);
}

static const char *vpc_status(const struct setup *s, const char *id)
{
	const struct vpc *vpc = snapshot_vpc(store_rows(s->store), id);

	return vpc ? enum_name(vpc_status_names, vpc->status) : "gone";
}

/* A node that goes on reporting the same failures, while nothing else happens. */
static void test_same_failures(void)
{
	static struct control_failure failures[200];
	struct control_failure other = {"endpoint/ep-other", "no room"};
	struct control_report r = {.node = "n1", .failures = failures, .n_failures = ARRAY_SIZE(failures)};
	struct control_report others = {.node = "n2", .failures = &other, .n_failures = 1};
	struct setup s;
	size_t before;

	for (size_t i = 0; i < ARRAY_SIZE(failures); i++) {
		must(str_format(failures[i].key, sizeof(failures[i].key), "endpoint/ep-%zu", i), "key");
		must(str_copy(failures[i].reason, sizeof(failures[i].reason), "no room"), "reason");
	}
	begin(&s);
	must(control_new(s.loop, s.store, &s.control), "control");
	register_node(&s, "n1");
	register_node(&s, "n2");
	n_judged = 0;
	must(control_report(s.control, &r), "report");
	settle(&s);
	tap_is_int(n_judged, ARRAY_SIZE(failures), "what fails is looked at");
	n_judged = 0;
	before = mallinfo2().uordblks;
	for (int i = 0; i < 200; i++) {
		must(control_report(s.control, &r), "report");
		must(loop_turn(s.loop, 0), "turn");
	}
	tap_ok(mallinfo2().uordblks < before + 1024 * 1024,
	       "the same failures again and again pile up nowhere");
	tap_is_int(n_judged, 0, "and are not looked at again");
	must(control_report(s.control, &others), "report");
	settle(&s);
	tap_is_int(n_judged, 1, "another node's failure is looked at alone");
	others.n_failures = 0;
	must(control_report(s.control, &others), "report");
	settle(&s);
	tap_is_int(n_judged, 2, "and once more when it ends");
	r.n_failures--;
	must(control_report(s.control, &r), "report");
	settle(&s);
	tap_is_int(n_judged, 2 + ARRAY_SIZE(failures), "all of a node's are when its list is another one");
	end(&s);
}

static void test_passes(void)
{
	struct vpc vpc = {.id = "vpc-1", .number = 2}, second = {.id = "vpc-2", .number = 3};
	struct port elsewhere = {.id = "eni-n2", .vpc = "vpc-2", .node = "n2"};
	const struct node *node;
	struct setup s;

	begin(&s);
	must(control_new(s.loop, s.store, &s.control), "control");
	tap_ok(control_live_revision(s.control) == UINT64_MAX, "without nodes everything is in force");

	register_node(&s, "n1");
	node = snapshot_node(store_rows(s.store), "n1");
	tap_is_int(node->number, 1, "the first node has number 1");
	register_node(&s, "n1");
	tap_is_int(snapshot_node(store_rows(s.store), "n1")->number, 1, "and keeps it");
	tap_ok(!control_node_live(s.control, "n1"), "registering gives no lease");
	register_as(&s, "n1", 1400);
	node = snapshot_node(store_rows(s.store), "n1");
	tap_ok(node->number == 1 && node->mtu == 1400, "also when it comes back with another MTU");
	tap_is_int(report(&s, "n7", 5), -ENOENT, "an unknown node's report is refused");
	tap_is_int(report(&s, "n1", 1), 0, "a known one's is taken");
	tap_ok(control_node_live(s.control, "n1"), "and gives a lease");

	put_vpc(&s, &vpc, "n1");
	tap_is_str(vpc_status(&s, "vpc-1"), "Pending",
		   "a VPC stays Pending while a live node has not reported it");
	must(report(&s, "n1", store_durable_revision(s.store)), "report");
	settle(&s);
	tap_is_str(vpc_status(&s, "vpc-1"), "Available", "and becomes Available when it has");

	register_node(&s, "n2");
	must(report(&s, "n2", 1), "report");
	put_vpc(&s, &second, "n1");
	put(&s, KIND_PORT, &elsewhere);
	must(report(&s, "n1", store_durable_revision(s.store)), "report");
	settle(&s);
	tap_is_str(vpc_status(&s, "vpc-2"), "Pending", "all live nodes that are told of it have to report");
	must(report(&s, "n2", store_durable_revision(s.store)), "report");
	settle(&s);
	tap_is_str(vpc_status(&s, "vpc-2"), "Available", "then it is in force");
	end(&s);
}

/* A node that is told nothing of a row holds nothing up, as far behind as it may be; one that was told of it
 * does until it has reported that it has forgotten it. */
static void test_concerned(void)
{
	struct vpc vpc = {.id = "vpc-1", .number = 2}, second = {.id = "vpc-2", .number = 3},
		   third = {.id = "vpc-3", .number = 4}, fourth = {.id = "vpc-4", .number = 5};
	struct control_report holding = {.node = "n2"};
	struct port port = {.id = "eni-n2", .vpc = "vpc-2", .node = "n2"};
	struct setup s;

	begin(&s);
	must(control_new(s.loop, s.store, &s.control), "control");
	register_node(&s, "n1");
	register_node(&s, "n2");
	must(report(&s, "n1", store_durable_revision(s.store)), "report");
	must(report(&s, "n2", store_durable_revision(s.store)), "report");
	put_vpc(&s, &vpc, "n1");
	tap_is_str(vpc_status(&s, "vpc-1"), "Pending", "a VPC waits for the node that is told of it");
	must(report(&s, "n1", store_durable_revision(s.store)), "report");
	settle(&s);
	tap_is_str(vpc_status(&s, "vpc-1"), "Available", "and for no other");
	put(&s, KIND_VPC, &third);
	settle(&s);
	tap_is_str(vpc_status(&s, "vpc-3"), "Available", "one of which no node is told for none");

	put(&s, KIND_VPC, &second);
	settle(&s);
	put(&s, KIND_PORT, &port);
	must(report(&s, "n2", store_durable_revision(s.store)), "report");
	take_away(&s, "port/eni-n2");
	second = *snapshot_vpc(store_rows(s.store), "vpc-2");
	second.status = VPC_PENDING;
	put(&s, KIND_VPC, &second);
	settle(&s);
	tap_is_str(vpc_status(&s, "vpc-2"), "Pending", "a node whose last port there has gone");
	must(report(&s, "n2", store_durable_revision(s.store)), "report");
	settle(&s);
	tap_is_str(vpc_status(&s, "vpc-2"), "Available", "is waited for until it says that it has forgotten");

	must(str_copy(holding.hold, sizeof(holding.hold), "why"), "sentence");
	must(control_report(s.control, &holding), "report");
	put(&s, KIND_VPC, &fourth);
	settle(&s);
	tap_is_str(vpc_status(&s, "vpc-4"), "Pending", "one that holds is waited for with all there is");
	end(&s);
}

#define BUSY_ENDPOINTS 1000

/* A VPC with endpoints to as many services. */
static void put_busy(struct setup *s)
{
	struct vpc vpc = {.id = "vpc-busy", .number = 9};
	struct endpoint endpoint = {.vpc = vpc.id, .status = ENDPOINT_ACTIVE};
	char service[ID_SIZE];
	struct store_txn *txn = NULL;
	int n = 0;

	put(s, KIND_VPC, &vpc);
	endpoint.service = service;
	for (int i = 0; i < BUSY_ENDPOINTS; i++) {
		if (!txn)
			must(store_txn_new(&txn), "transaction");
		(void)str_format(endpoint.id, sizeof(endpoint.id), "ep-%d", i);
		(void)str_format(service, sizeof(service), "epsrv-%d", i);
		must(store_txn_row_put(txn, KIND_ENDPOINT, &endpoint), "put");
		if (i % 50 == 49)
			store_commit(s->store, TAKE_PTR(txn), count_done, &n);
	}
	settle(s);
	tap_is_int(n, BUSY_ENDPOINTS / 50, "a VPC has many endpoints");
}

/* However much comes and goes elsewhere, a node that is behind holds up what it may have, and nothing else.
 */
static void test_behind(void)
{
	struct port busy = {.id = "eni-busy", .vpc = "vpc-busy", .node = "n1"};
	struct vpc vpc = {.id = "vpc-1", .number = 2}, left = {.id = "vpc-2", .number = 3};
	struct setup s;

	begin(&s);
	must(control_new(s.loop, s.store, &s.control), "control");
	register_node(&s, "n1");
	register_node(&s, "n2");
	put_vpc(&s, &left, "n2");
	put_busy(&s);
	must(report(&s, "n1", store_durable_revision(s.store)), "report");
	must(report(&s, "n2", store_durable_revision(s.store)), "report");
	settle(&s);
	take_away(&s, "port/eni-vpc-2");
	for (int moves = 0; moves <= TOLD_NODES_MOVES_MAX; moves += 2 * BUSY_ENDPOINTS) {
		put(&s, KIND_PORT, &busy);
		take_away(&s, "port/eni-busy");
	}
	put_vpc(&s, &vpc, "n1");
	left = *snapshot_vpc(store_rows(s.store), "vpc-2");
	left.status = VPC_PENDING;
	put(&s, KIND_VPC, &left);
	must(report(&s, "n1", store_durable_revision(s.store)), "report");
	settle(&s);
	tap_is_str(vpc_status(&s, "vpc-1"), "Available", "a VPC does not wait for a node that is far behind");
	tap_is_str(vpc_status(&s, "vpc-2"), "Pending", "one that it has left and may still have does");
	must(report(&s, "n2", store_durable_revision(s.store)), "report");
	settle(&s);
	tap_is_str(vpc_status(&s, "vpc-2"), "Available", "until it reports");
	end(&s);
}

static size_t count_ranges(const struct setup *s)
{
	return snapshot_count(store_rows(s->store), KIND_NAT_RANGE, "");
}

static bool has_range(const struct setup *s, const char *id)
{
	return snapshot_find(store_rows(s->store), KIND_NAT_RANGE, id);
}

#define SERVED 5

static void put_served(struct setup *s, int i)
{
	struct server_group group = {.status = SERVER_GROUP_AVAILABLE};
	struct server server = {.server_id = "10.0.0.9", .port = 80, .status = SERVER_AVAILABLE};
	struct vpc vpc = {.number = (uint32_t)i + 2};

	(void)str_format(vpc.id, sizeof(vpc.id), "vpc-%d", i);
	put_vpc(s, &vpc, "n1");
	(void)str_format(group.id, sizeof(group.id), "sgp-%d", i);
	(void)str_copy(group.vpc, sizeof(group.vpc), vpc.id);
	put(s, KIND_SERVER_GROUP, &group);
	(void)str_copy(server.group, sizeof(server.group), group.id);
	put(s, KIND_SERVER, &server);
}

/* Translated addresses are there for nodes that are told of a VPC in which there is a server, and come back.
 */
static void test_translated(void)
{
	struct port port = {.id = "eni-n2", .vpc = "vpc-0", .node = "n2"};
	char key[KEY_SIZE];
	struct setup s;

	begin(&s);
	must(control_new(s.loop, s.store, &s.control), "control");
	register_node(&s, "n1");
	register_node(&s, "n2");
	must(report(&s, "n2", store_durable_revision(s.store)), "report");
	for (int i = 0; i < SERVED; i++)
		put_served(&s, i);
	settle(&s);
	tap_is_int((long long)count_ranges(&s), SERVED, "a node that is told of VPCs has a range in each");
	put(&s, KIND_PORT, &port);
	settle(&s);
	tap_ok(has_range(&s, "vpc-0/n2") && count_ranges(&s) == SERVED + 1,
	       "so has another one as soon as it is told of one");
	must(report(&s, "n2", store_durable_revision(s.store)), "report");
	take_away(&s, "port/eni-n2");
	settle(&s);
	tap_ok(has_range(&s, "vpc-0/n2"), "when it is not any more it keeps the range");
	must(report(&s, "n2", store_durable_revision(s.store)), "report");
	settle(&s);
	tap_ok(!has_range(&s, "vpc-0/n2"), "until it has reported that it has forgotten the VPC");
	for (int i = 0; i < SERVED; i++) {
		(void)str_format(key, sizeof(key), "server/sgp-%d/10.0.0.9/80", i);
		take_away(&s, key);
	}
	settle(&s);
	tap_is_int((long long)count_ranges(&s), 0, "without servers all ranges come back");
	end(&s);
}

/* n2, which holds from now on, leaves VPCs in which it has translated addresses. */
static void leave_holding(struct setup *s, int n)
{
	struct control_report holding = {.node = "n2", .hold = "why"};
	struct port port = {.node = "n2"};
	char vpc[ID_SIZE], key[KEY_SIZE];

	port.vpc = vpc;
	for (int i = 0; i < n; i++) {
		(void)str_format(vpc, sizeof(vpc), "vpc-%d", i);
		(void)str_format(port.id, sizeof(port.id), "eni-n2-%d", i);
		put(s, KIND_PORT, &port);
	}
	must(control_report(s->control, &holding), "report");
	for (int i = 0; i < n; i++) {
		(void)str_format(key, sizeof(key), "port/eni-n2-%d", i);
		take_away(s, key);
	}
}

/* How often it is asked who is told of a VPC, for a change that has nothing to do with ranges. */
static long long asked_for_stranger(struct setup *s, int64_t uid)
{
	struct account account = {.uid = uid, .name = "stranger"};

	n_asked = 0;
	put(s, KIND_ACCOUNT, &account);
	return n_asked;
}

#define LEFT_FEW  2
#define LEFT_MANY 12

/* Ranges that have to wait for a node cost nothing until there is something new about it. */
static void test_waiting_ranges(void)
{
	long long few;
	struct setup s;

	begin(&s);
	must(control_new(s.loop, s.store, &s.control), "control");
	register_node(&s, "n1");
	register_node(&s, "n2");
	for (int i = 0; i < LEFT_MANY; i++)
		put_served(&s, i);
	leave_holding(&s, LEFT_FEW);
	tap_is_int((long long)count_ranges(&s), LEFT_MANY + LEFT_FEW, "a node that holds keeps its ranges");
	few = asked_for_stranger(&s, 1);
	leave_holding(&s, LEFT_MANY);
	tap_is_int((long long)count_ranges(&s), 2 * LEFT_MANY, "as many as they are");
	tap_is_int(asked_for_stranger(&s, 2), few, "what is none of their business costs the same with more");
	must(report(&s, "n2", store_durable_revision(s.store)), "report");
	settle(&s);
	tap_is_int((long long)count_ranges(&s), LEFT_MANY, "when it follows again they come back");

	leave_holding(&s, LEFT_FEW);
	clock_ahead_ms += LEASE_S * 1000;
	settle(&s);
	tap_ok(!control_node(s.control, "n2").has_lease && count_ranges(&s) == LEFT_MANY,
	       "and so they do when its lease ends");
	end(&s);
}

/* How often it is asked who is told of a VPC when a node comes, and when it goes that has a range in one. */
static long long asked_for_node(struct setup *s, const char *name)
{
	struct port port = {.id = "eni-node", .vpc = "vpc-0", .node = name};
	char key[KEY_SIZE], range[KEY_SIZE];
	long long asked;

	(void)str_format(key, sizeof(key), "node/%s", name);
	(void)str_format(range, sizeof(range), "vpc-0/%s", name);
	n_asked = 0;
	register_node(s, name);
	settle(s);
	asked = n_asked;
	put(s, KIND_PORT, &port);
	tap_ok(has_range(s, range), "a node that comes has a range when it has a port");
	n_asked = 0;
	take_away(s, key);
	asked += n_asked;
	take_away(s, "port/eni-node");
	tap_ok(!has_range(s, range), "and one that goes leaves it");
	return asked;
}

static void test_node_comes_and_goes(void)
{
	struct port port = {.id = "eni-early", .vpc = "vpc-0", .node = "n9"};
	long long few;
	struct setup s;

	begin(&s);
	must(control_new(s.loop, s.store, &s.control), "control");
	register_node(&s, "n1");
	put_served(&s, 0);
	few = asked_for_node(&s, "n2");
	for (int i = 1; i < LEFT_MANY; i++)
		put_served(&s, i);
	tap_is_int(asked_for_node(&s, "n3"), few, "other VPCs are not looked at, however many there are");
	put(&s, KIND_PORT, &port);
	register_node(&s, "n9");
	settle(&s);
	tap_ok(has_range(&s, "vpc-0/n9"), "a node whose port was there first has a range, too");
	end(&s);
}

static void test_restart(void)
{
	struct vpc vpc = {.id = "vpc-1", .number = 2};
	struct setup s;

	begin(&s);
	must(control_new(s.loop, s.store, &s.control), "control");
	register_node(&s, "n1");
	must(report(&s, "n1", 1), "report");
	put_vpc(&s, &vpc, "n1");
	close_store(&s);

	open_store(&s);
	must(control_new(s.loop, s.store, &s.control), "control");
	settle(&s);
	tap_ok(control_node_live(s.control, "n1"),
	       "after a restart a known node has the time of a lease to report");
	tap_is_str(vpc_status(&s, "vpc-1"), "Pending", "and until then nothing counts as in force");
	must(report(&s, "n1", store_durable_revision(s.store)), "report");
	settle(&s);
	tap_is_str(vpc_status(&s, "vpc-1"), "Available", "what was under way goes on");
	end(&s);
}

/* A failure that ends, and nothing else that changes. */
static void test_repaired(void)
{
	struct control_failure failure = {"vpc/vpc-1", "no room"};
	struct control_report r = {.node = "n1", .failures = &failure, .n_failures = 1};
	struct vpc vpc = {.id = "vpc-1", .number = 2};
	struct setup s;

	begin(&s);
	must(control_new(s.loop, s.store, &s.control), "control");
	register_node(&s, "n1");
	must(report(&s, "n1", 1), "report");
	put_vpc(&s, &vpc, "n1");
	r.revision = store_durable_revision(s.store);
	must(control_report(s.control, &r), "report");
	settle(&s);
	tap_is_str(vpc_status(&s, "vpc-1"), "Pending", "what failed on a node is not in force");
	r.n_failures = 0;
	must(control_report(s.control, &r), "report");
	settle(&s);
	tap_is_str(vpc_status(&s, "vpc-1"), "Available", "and is as soon as the node no longer says so");
	end(&s);
}

/* The disk takes nothing for a while. */
static void test_failing_disk(void)
{
	struct rlimit unlimited, small;
	struct control_failure failure = {"vpc/vpc-1", "no room"};
	struct control_report r = {.node = "n1", .failures = &failure};
	struct vpc vpc = {.id = "vpc-1", .number = 2};
	struct setup s;

	begin(&s);
	must(control_new(s.loop, s.store, &s.control), "control");
	register_node(&s, "n1");
	must(report(&s, "n1", 1), "report");
	put_vpc(&s, &vpc, "n1");
	(void)signal(SIGXFSZ, SIG_IGN);
	(void)getrlimit(RLIMIT_FSIZE, &unlimited);
	small = unlimited;
	small.rlim_cur = 1024;
	(void)setrlimit(RLIMIT_FSIZE, &small);
	must(report(&s, "n1", store_durable_revision(s.store)), "report");
	settle(&s);
	tap_is_str(vpc_status(&s, "vpc-1"), "Pending", "what could not be written did not happen");
	n_judged = 0;
	for (int i = 0; i < 10; i++) {
		r.revision = store_durable_revision(s.store);
		r.n_failures = !r.n_failures;
		must(control_report(s.control, &r), "report");
		settle(&s);
	}
	tap_is_int(n_judged, 0, "while the store takes no changes nothing is decided, whatever is reported");
	(void)setrlimit(RLIMIT_FSIZE, &unlimited);
	for (int i = 0; i < 50 && !streq(vpc_status(&s, "vpc-1"), "Available"); i++)
		must(loop_turn(s.loop, 100), "turn");
	tap_is_str(vpc_status(&s, "vpc-1"), "Available", "it is tried again, and then it does");
	end(&s);
}

static unsigned int n_refused;

static void on_refused(int number _unused_)
{
	n_refused++;
}

/* With these ports. */
static void put_servers(struct setup *s, const char *group, uint32_t first, uint32_t last)
{
	struct server row = {.status = SERVER_REMOVING};
	struct store_txn *txn;
	int n_done = 0;

	must(store_txn_new(&txn), "transaction");
	must(str_copy(row.group, sizeof(row.group), group), "id");
	must(str_copy(row.server_id, sizeof(row.server_id), "10.0.0.1"), "id");
	for (row.port = first; row.port <= last; row.port++)
		must(store_txn_row_put(txn, KIND_SERVER, &row), "put");
	store_commit(s->store, txn, count_done, &n_done);
	settle(s);
	must(n_done == 1 ? 0 : -EIO, "commit");
}

/* Nor does it take what is done in steps, each of which asks for the next one. */
static void test_failing_steps(void)
{
	struct server_group group = {.id = "sgp-1", .status = SERVER_GROUP_DELETING};
	struct rlimit unlimited, small;
	unsigned int n_before, n_then;
	struct setup s;

	begin(&s);
	put_servers(&s, "sgp-1", 1, STORE_TXN_OPS_MAX);
	put_servers(&s, "sgp-1", STORE_TXN_OPS_MAX + 1, STORE_TXN_OPS_MAX + 9);
	put(&s, KIND_SERVER_GROUP, &group);
	must(control_new(s.loop, s.store, &s.control), "control");
	(void)signal(SIGXFSZ, on_refused);
	(void)getrlimit(RLIMIT_FSIZE, &unlimited);
	small = unlimited;
	small.rlim_cur = 1024;
	(void)setrlimit(RLIMIT_FSIZE, &small);
	settle(&s);
	n_before = n_refused;
	settle(&s);
	n_then = n_refused;
	(void)setrlimit(RLIMIT_FSIZE, &unlimited);
	tap_ok(n_before > 0 && n_then < n_before + 10,
	       "a group that goes in steps is not tried in each turn of the loop (%u, %u)", n_before, n_then);
	for (int i = 0; i < 50 && snapshot_server_group(store_rows(s.store), "sgp-1"); i++)
		must(loop_turn(s.loop, 100), "turn");
	tap_ok(!snapshot_server_group(store_rows(s.store), "sgp-1"), "and goes when it can");
	end(&s);
}

static void test_swept_at_start(void)
{
	struct client_token old = {.uid = 5, .action = "vpc:CreateVpc", .token = "old"}, young = old;
	struct setup s;

	begin(&s);
	(void)str_copy(young.token, sizeof(young.token), "young");
	old.create_time = now_unix_s() - 2 * 24 * 3600;
	young.create_time = now_unix_s();
	put(&s, KIND_CLIENT_TOKEN, &old);
	put(&s, KIND_CLIENT_TOKEN, &young);
	must(control_new(s.loop, s.store, &s.control), "control");
	settle(&s);
	tap_is_int(snapshot_count(store_rows(s.store), KIND_CLIENT_TOKEN, ""), 1,
		   "a token older than a day is swept away when the program starts");
	tap_ok(snapshot_find(store_rows(s.store), KIND_CLIENT_TOKEN, "5/vpc:CreateVpc/young"),
	       "and a young one stays");
	end(&s);
}

#define BOTH   "\"cn-hangzhou\",\"cn-beijing\""
#define CHOSEN "epsrv-k1apjysze8u1l9t6uyg9"

/* `regions`: the list's content, and what else the service has. */
static struct catalogue *make_catalogue(const struct setup *s, const char *regions, const char *more)
{
	_cleanup_(freep) char *text = NULL;
	struct catalogue *catalogue;
	char path[128], why[256];
	FILE *f;

	(void)str_format(path, sizeof(path), "%s/catalogue.json", s->directory);
	f = fopen(path, "w");
	if (!f || asprintf(&text,
			   "{\"regions\":[{\"id\":\"cn-hangzhou\",\"local_name\":\"H\",\"zones\":[{\"id\":"
			   "\"cn-hangzhou-h\","
			   "\"local_name\":\"h\"}]},{\"id\":\"cn-beijing\",\"local_name\":\"B\",\"zones\":[{"
			   "\"id\":\"cn-beijing-h\",\"local_name\":\"h\"}]}],"
			   "\"services\":[{\"product\":\"pai-dlc\",\"name\":\"com.aliyuncs.privatelink.{"
			   "RegionId}.pai-dlc\","
			   "\"domain\":\"pai-dlc-vpc.{RegionId}.aliyuncs.com\",\"description\":\"DLC\","
			   "\"policy_supported\":false,\"regions\":[%s]%s}]}",
			   regions, more) < 0)
		must(-errno, "catalogue");
	(void)fputs(text, f);
	(void)fclose(f);
	if (catalogue_load(path, &catalogue, why, sizeof(why)) < 0) {
		printf("Bail out! %s\n", why);
		exit(EXIT_FAILURE);
	}
	(void)unlink(path);
	return catalogue;
}

static const struct service *system_service(const struct setup *s, const char *region)
{
	for (const struct service *v = NULL; (v = snapshot_next(store_rows(s->store), KIND_SERVICE, "", v));)
		if (v->owner == 0 && streq(v->region, region))
			return v;
	return NULL;
}

static void test_bootstrap(void)
{
	const struct service *service;
	struct catalogue *catalogue;
	char id[ID_SIZE];
	struct setup s;

	begin(&s);
	catalogue = make_catalogue(&s, "\"cn-hangzhou\"", "");
	must(control_bootstrap(s.store, catalogue, s.loop), "bootstrap");
	service = system_service(&s, "cn-hangzhou");
	tap_ok(service && service->auto_accept && service->status == SERVICE_ACTIVE &&
		       !service->policy_supported,
	       "a system service is there from the first start, and accepts by itself");
	tap_is_str(service->name, "com.aliyuncs.privatelink.cn-hangzhou.pai-dlc",
		   "with the catalogue's name");
	tap_is_str(service->id, "epsrv-p09bobpu3qbe4jbzklm8", "an id that is the same everywhere");
	tap_is_str(service->domain, "epsrv-p09bobpu3qbe4jbzklm8.cn-hangzhou.privatelink.aliyuncs.com",
		   "and the domain of that");
	tap_is_str(service->private_domain, "pai-dlc-vpc.cn-hangzhou.aliyuncs.com", "and domain");
	(void)str_copy(id, sizeof(id), service->id);
	tap_ok(store_durable_revision(s.store) == snapshot_revision(store_rows(s.store)), "and is durable");
	catalogue_free(catalogue);

	catalogue = make_catalogue(&s, BOTH, ",\"ids\":{\"cn-hangzhou\":\"" CHOSEN "\"}");
	must(control_bootstrap(s.store, catalogue, s.loop), "bootstrap");
	tap_is_str(system_service(&s, "cn-hangzhou")->id, id,
		   "a later start keeps its id, also when the catalogue gives another one");
	tap_ok(system_service(&s, "cn-beijing"), "and adds what the catalogue has gained");
	tap_is_int(snapshot_count(store_rows(s.store), KIND_SERVICE, ""), 2, "once each");
	catalogue_free(catalogue);
	end(&s);
}

/* Ids that the catalogue gives hold for services that are new. */
static void test_given_ids(void)
{
	struct service other = {.id = CHOSEN, .owner = 5, .name = "someone's", .region = "cn-beijing"};
	struct catalogue *catalogue;
	struct setup s;

	begin(&s);
	catalogue = make_catalogue(&s, BOTH, ",\"ids\":{\"cn-hangzhou\":\"" CHOSEN "\"}");
	must(control_bootstrap(s.store, catalogue, s.loop), "bootstrap");
	tap_is_str(system_service(&s, "cn-hangzhou")->id, CHOSEN, "a service has the id that is given");
	tap_is_str(system_service(&s, "cn-hangzhou")->domain, CHOSEN ".cn-hangzhou.privatelink.aliyuncs.com",
		   "its domain, too");
	tap_is_str(system_service(&s, "cn-beijing")->id, "epsrv-jel5d49dytncecliib90",
		   "one without has that of its name");
	catalogue_free(catalogue);
	end(&s);

	begin(&s);
	put(&s, KIND_SERVICE, &other);
	catalogue = make_catalogue(&s, BOTH, ",\"ids\":{\"cn-hangzhou\":\"" CHOSEN "\"}");
	tap_is_int(control_bootstrap(s.store, catalogue, s.loop), -EEXIST,
		   "an id that another service of the store has is refused");
	tap_ok(!system_service(&s, "cn-hangzhou") && !system_service(&s, "cn-beijing"), "with all the rest");
	tap_is_int((int)snapshot_service(store_rows(s.store), CHOSEN)->owner, 5, "and that one stays");
	catalogue_free(catalogue);
	end(&s);
}

static int n_ended;

static void note_end(void *context _unused_, const char *node _unused_)
{
	n_ended++;
}

static void test_leases(void)
{
	struct control_failure failures[] = {{"endpoint/ep-2", "b"}, {"endpoint/ep-1", "a"}};
	struct control_report fast = {.node = "fast", .revision = 20, .failures = failures, .n_failures = 2};
	struct control_report slow = {.node = "slow", .revision = 10, .failures = failures, .n_failures = 1};
	struct leases leases = {};

	tap_ok(leases_live_revision(&leases) == UINT64_MAX, "no lease, nothing to wait for");
	tap_is_int(leases_report(&leases, &fast, 0), LEASE_REVISION | LEASE_FAILURES,
		   "a first report changes all");
	tap_is_int(leases_report(&leases, &fast, 1000), 0, "the same one again only renews the lease");
	(void)str_copy(fast.hold, sizeof(fast.hold), "why");
	tap_is_int(leases_report(&leases, &fast, 1000), LEASE_REVISION,
		   "a node that holds changes what counts");
	fast.hold[0] = '\0';
	tap_is_int(leases_report(&leases, &fast, 1000), LEASE_REVISION, "as one that does so no more");
	(void)leases_report(&leases, &slow, 5000);
	tap_is_int(leases_live_revision(&leases), 10, "the slowest node counts");
	slow.revision = 30;
	(void)leases_report(&leases, &slow, 5000);
	tap_is_int(leases_live_revision(&leases), 20, "whichever that is");
	slow.revision = 10;
	(void)leases_report(&leases, &slow, 5000);
	tap_ok(leases.n_failures == 2 && streq(leases.failures[0].key, "endpoint/ep-1"),
	       "failures of all nodes are one sorted list, each key once");
	tap_is_int(leases_next_end(&leases), 31000, "the next lease ends 30 s after its last report");
	tap_is_int(leases_expire(&leases, 30999, note_end, NULL), 0, "and not before");
	tap_ok(leases_expire(&leases, 31000, note_end, NULL) == (LEASE_REVISION | LEASE_FAILURES) &&
		       n_ended == 1,
	       "then it is over");
	tap_ok(!leases_find(&leases, "fast") && leases_find(&leases, "slow"), "for that node only");
	tap_is_int(leases.n_failures, 1, "and its failures with it");
	(void)leases_expire(&leases, 35000, note_end, NULL);
	tap_ok(leases_live_revision(&leases) == UINT64_MAX, "a node whose lease is over is not waited for");
	tap_ok(leases_next_end(&leases) == UINT64_MAX, "and no timer runs for it");
	leases_done(&leases);
}

/* A report for which there is no memory is as if it had not come; the next one brings all of it. */
static void test_no_memory(void)
{
	struct control_failure failures[] = {{"endpoint/ep-2", "b"}, {"endpoint/ep-1", "a"}};
	struct server_health health[] = {{.group = "sgp-1", .server_id = "10.0.0.1"}};
	struct control_report one = {.node = "one", .revision = 20, .failures = failures, .n_failures = 1};
	struct control_report two = {.node = "two",
				     .revision = 10,
				     .failures = failures,
				     .n_failures = 2,
				     .health = health,
				     .n_health = 1};
	struct leases leases = {};
	/* For the room of all failures, which stays, for its failures, for its health three times. */
	static const int until[] = {0, 1, 1, 2, 3};

	(void)leases_report(&leases, &one, 0);
	for (size_t i = 0; i < ARRAY_SIZE(until); i++) {
		allocations_left = until[i];
		tap_is_int(leases_report(&leases, &two, 0), -ENOMEM, "no memory");
		tap_ok(!leases_find(&leases, "two") && leases.n_failures == 1 &&
			       leases_live_revision(&leases) == 20 && leases_next_end(&leases) == 30000,
		       "and nothing changes");
	}
	allocations_left = -1;
	tap_is_int(leases_report(&leases, &two, 0), LEASE_REVISION | LEASE_FAILURES | LEASE_HEALTH,
		   "then everything does");
	tap_is_int((long long)leases.n_failures, 2, "with all failures");
	allocations_left = 0;
	one.failures = failures + 1;
	tap_is_int(leases_report(&leases, &one, 5000), -ENOMEM, "other failures, without memory");
	tap_is_int(leases_expire(&leases, 30000, note_end, NULL), LEASE_REVISION | LEASE_FAILURES,
		   "a lease can end without memory");
	allocations_left = -1;
	tap_is_int((long long)leases.n_failures, 0, "and nobody's failures are left");
	leases_done(&leases);
}

int main(void)
{
	log_set_level(LOG_LEVEL_ERROR);
	test_passes();
	test_concerned();
	test_behind();
	test_translated();
	test_waiting_ranges();
	test_node_comes_and_goes();
	test_same_failures();
	test_restart();
	test_repaired();
	test_failing_disk();
	test_failing_steps();
	test_swept_at_start();
	test_bootstrap();
	test_given_ids();
	test_leases();
	test_no_memory();
	return tap_done();
}
