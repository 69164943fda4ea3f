/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is left over goes: soon where its whole has just gone, whatever else goes meanwhile, and in pieces
 * that keep nobody waiting. What a pass looks at is counted.
 */
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "control_fixture.h"

#include "control/control_step.h"

/* In place of the real ones (meson.build): a clock that can be put forward, and what is looked at is counted.
 */
uint64_t __real_now_mono_ms(void);
uint64_t __wrap_now_mono_ms(void);
bool __real_snapshot_is_orphan(const struct snapshot *s, enum kind kind, const void *row);
bool __wrap_snapshot_is_orphan(const struct snapshot *s, enum kind kind, const void *row);
const void *__real_snapshot_next(const struct snapshot *s, enum kind kind, const char *prefix,
				 const void *previous);
const void *__wrap_snapshot_next(const struct snapshot *s, enum kind kind, const char *prefix,
				 const void *previous);
const void *__real_snapshot_children_in(const struct snapshot *s, enum ref ref, const char *id,
					const char *within, const void *previous);
const void *__wrap_snapshot_children_in(const struct snapshot *s, enum ref ref, const char *id,
					const char *within, const void *previous);

static uint64_t clock_ahead_ms;
static size_t n_questions; /* whether a row is an orphan */
static size_t n_steps;	   /* from row to row */

uint64_t __wrap_now_mono_ms(void)
{
	return __real_now_mono_ms() + clock_ahead_ms;
}

bool __wrap_snapshot_is_orphan(const struct snapshot *s, enum kind kind, const void *row)
{
	n_questions++;
	return __real_snapshot_is_orphan(s, kind, row);
}

const void *__wrap_snapshot_next(const struct snapshot *s, enum kind kind, const char *prefix,
				 const void *previous)
{
	n_steps++;
	return __real_snapshot_next(s, kind, prefix, previous);
}

const void *__wrap_snapshot_children_in(const struct snapshot *s, enum ref ref, const char *id,
					const char *within, const void *previous)
{
	n_steps++;
	return __real_snapshot_children_in(s, ref, id, within, previous);
}

static size_t count(const struct setup *s, enum kind kind)
{
	return snapshot_count(store_rows(s->store), kind, "");
}

static bool is_there(const struct setup *s, enum kind kind, const char *id)
{
	return snapshot_find(store_rows(s->store), kind, id);
}

/* Many rows, or many that go, in as many transactions as it takes; all of one turn. */
struct batch {
	struct setup *s;
	struct store_txn *txn;
	int n_txns, n_done;
};

static void batch_commit(struct batch *batch)
{
	batch->n_txns++;
	store_commit(batch->s->store, TAKE_PTR(batch->txn), count_done, &batch->n_done);
}

static struct store_txn *batch_room(struct batch *batch)
{
	if (batch->txn && store_txn_n_ops(batch->txn) == STORE_TXN_OPS_MAX)
		batch_commit(batch);
	if (!batch->txn)
		must(store_txn_new(&batch->txn), "transaction");
	return batch->txn;
}

static void batch_put(struct batch *batch, enum kind kind, const void *row)
{
	must(store_txn_row_put(batch_room(batch), kind, row), "put");
}

static void batch_delete(struct batch *batch, const char *key)
{
	must(store_txn_delete(batch_room(batch), key), "deletion");
}

/* Durable afterwards; control has heard nothing of it yet. */
static void batch_end(struct batch *batch)
{
	if (batch->txn)
		batch_commit(batch);
	must(loop_turn(batch->s->loop, 0), "turn");
	if (batch->n_done != batch->n_txns)
		must(batch->n_done < 0 ? batch->n_done : -EIO, "commit");
}

static void put_rules(struct setup *s, const char *group, size_t n)
{
	struct sg_rule rule = {.port_first = -1, .port_last = -1, .description = ""};
	struct batch batch = {.s = s};

	must(str_copy(rule.group, sizeof(rule.group), group), "id");
	for (size_t i = 0; i < n; i++) {
		must(str_format(rule.id, sizeof(rule.id), "sgr-%zu", i), "id");
		batch_put(&batch, KIND_SG_RULE, &rule);
	}
	batch_end(&batch);
}

static void put_group(struct setup *s, const char *id)
{
	struct security_group group = {};

	must(str_copy(group.id, sizeof(group.id), id), "id");
	put(s, KIND_SECURITY_GROUP, &group);
}

#define STORM 10

/* Something with parts goes every half second: what was a part of it does so nevertheless, and when the hour
 * is over what was left over before and old tokens. */
static void test_storm(void)
{
	struct client_token token = {.uid = 5, .action = "vpc:CreateVpc", .token = "old"};
	char id[ID_SIZE];
	struct setup s;

	begin(&s);
	for (int i = 0; i < STORM; i++) {
		must(str_format(id, sizeof(id), "sg-storm-%d", i), "id");
		put_group(&s, id);
	}
	put_group(&s, "sg-left");
	put_rules(&s, "sg-left", 5);
	must(control_new(s.loop, s.store, &s.control), "control");
	settle(&s);
	token.create_time = now_unix_s() - 2 * TOKEN_KEPT_S;
	put(&s, KIND_CLIENT_TOKEN, &token);
	put_rules(&s, "sg-never", 1);
	clock_ahead_ms += 3600 * 1000 - 2000;
	settle(&s);
	tap_ok(count(&s, KIND_SG_RULE) == 6 && count(&s, KIND_CLIENT_TOKEN) == 1,
	       "all rows are looked at once an hour");
	for (int i = 0; i < STORM; i++) {
		char key[KEY_SIZE];

		must(str_format(key, sizeof(key), "security_group/sg-storm-%d", i), "key");
		take_away(&s, key);
		if (i == 0)
			take_away(&s, "security_group/sg-left");
		clock_ahead_ms += 500;
		settle(&s);
	}
	tap_ok(!is_there(&s, KIND_SG_RULE, "sg-left/sgr-0") && !is_there(&s, KIND_SG_RULE, "sg-left/sgr-4"),
	       "however often something goes, what was a part of it goes, too");
	tap_ok(!is_there(&s, KIND_SG_RULE, "sg-never/sgr-0"),
	       "what was left over before goes with the hour's walk");
	tap_is_int((long long)count(&s, KIND_CLIENT_TOKEN), 0, "and so does an old token");
	end(&s);
}

static void test_soon(void)
{
	struct setup s;

	begin(&s);
	put_group(&s, "sg-1");
	put_rules(&s, "sg-1", 145);
	put_group(&s, "sg-10");
	put_rules(&s, "sg-10", 3);
	must(control_new(s.loop, s.store, &s.control), "control");
	settle(&s);
	take_away(&s, "security_group/sg-1");
	tap_is_int((long long)count(&s, KIND_SG_RULE), 3,
		   "the parts of what has gone go at once, and nothing of another one");
	end(&s);
}

/* An endpoint with parts, one of which has a part itself. */
static void put_endpoint(struct batch *batch, int n)
{
	struct endpoint endpoint = {.vpc = "vpc-1", .service = "epsrv-1", .status = ENDPOINT_ACTIVE};
	struct connection connection = {.service = "epsrv-1", .status = CONNECTION_CONNECTED};
	struct port port = {.kind = PORT_ENDPOINT, .vpc = "vpc-1", .number = (uint32_t)n + 1};
	struct tag tag = {.key = "k"};

	must(str_format(endpoint.id, sizeof(endpoint.id), "ep-%d", n), "id");
	must(str_copy(connection.endpoint, sizeof(connection.endpoint), endpoint.id), "id");
	must(str_format(port.id, sizeof(port.id), "eni-%d", n), "id");
	must(str_copy(port.holder, sizeof(port.holder), endpoint.id), "id");
	must(str_copy(tag.resource, sizeof(tag.resource), endpoint.id), "id");
	batch_put(batch, KIND_ENDPOINT, &endpoint);
	batch_put(batch, KIND_CONNECTION, &connection);
	batch_put(batch, KIND_PORT, &port);
	batch_put(batch, KIND_TAG, &tag);
	must(str_copy(tag.resource, sizeof(tag.resource), port.id), "id");
	batch_put(batch, KIND_TAG, &tag);
}

/* The steps that one deleted endpoint takes among so many. */
static size_t count_looks(int n_endpoints)
{
	struct setup s;
	struct batch batch = {.s = &s};
	size_t looks;

	begin(&s);
	for (int i = 0; i < n_endpoints; i++)
		put_endpoint(&batch, i);
	batch_end(&batch);
	must(control_new(s.loop, s.store, &s.control), "control");
	settle(&s);
	n_questions = n_steps = 0;
	take_away(&s, "endpoint/ep-5");
	clock_ahead_ms += 5000;
	settle(&s);
	looks = n_questions + n_steps;
	tap_ok(!is_there(&s, KIND_CONNECTION, "ep-5") && !is_there(&s, KIND_PORT, "eni-5") &&
		       count(&s, KIND_TAG) == 2 * (size_t)(n_endpoints - 1),
	       "of %d endpoints one goes with its parts, and the parts of these", n_endpoints);
	end(&s);
	return looks;
}

static void test_looks(void)
{
	size_t few = count_looks(10), many = count_looks(1000);

	tap_ok(few > 0 && few == many, "with as many looks at rows among 1,000 as among 10 (%zu, %zu)", few,
	       many);
}

/* Turns until nothing is left of the kind. The most rows that went in one, and the most questions. */
struct turns {
	size_t n, gone_max, questions_max;
};

static struct turns turn_until(struct setup *s, enum kind kind, size_t n_left)
{
	struct turns turns = {};

	while (turns.n < 1000 && count(s, kind) > n_left) {
		size_t before = count(s, kind);

		n_questions = 0;
		must(loop_turn(s->loop, 0), "turn");
		turns.n++;
		turns.gone_max = MAX(turns.gone_max, before - count(s, kind));
		turns.questions_max = MAX(turns.questions_max, n_questions);
	}
	return turns;
}

#define ORPHANS 10000

static void test_many_parts(void)
{
	struct turns turns;
	struct setup s;

	begin(&s);
	put_group(&s, "sg-1");
	put_rules(&s, "sg-1", ORPHANS);
	must(control_new(s.loop, s.store, &s.control), "control");
	for (int i = 0; i < 10; i++)
		settle(&s);
	take_away(&s, "security_group/sg-1");
	turns = turn_until(&s, KIND_SG_RULE, 0);
	tap_is_int((long long)count(&s, KIND_SG_RULE), 0, "%d parts go (%zu turns)", ORPHANS, turns.n);
	tap_ok(turns.gone_max == LEFTOVERS_GONE_MAX, "%d in a turn, no more (%zu)", LEFTOVERS_GONE_MAX,
	       turns.gone_max);
	end(&s);
}

/* The program starts with what it has left over, all at once. */
static void test_many_at_start(void)
{
	struct turns turns;
	struct setup s;

	begin(&s);
	put_rules(&s, "sg-never", ORPHANS);
	must(control_new(s.loop, s.store, &s.control), "control");
	turns = turn_until(&s, KIND_SG_RULE, 0);
	tap_is_int((long long)count(&s, KIND_SG_RULE), 0,
		   "%d rows that are left over go at a start (%zu turns)", ORPHANS, turns.n);
	tap_ok(turns.gone_max == LEFTOVERS_GONE_MAX, "%d in a turn, no more (%zu)", LEFTOVERS_GONE_MAX,
	       turns.gone_max);
	end(&s);
}

static void test_walk_in_steps(void)
{
	struct turns turns;
	struct setup s;

	begin(&s);
	put_group(&s, "sg-1");
	put_rules(&s, "sg-1", ORPHANS);
	put_rules(&s, "sg-zz", 1); /* comes last */
	must(control_new(s.loop, s.store, &s.control), "control");
	turns = turn_until(&s, KIND_SG_RULE, ORPHANS);
	tap_is_int((long long)count(&s, KIND_SG_RULE), ORPHANS, "the walk at a start comes to the end");
	tap_is_int((long long)turns.questions_max, LEFTOVERS_LOOKS_MAX, "in steps (%zu turns)", turns.n);
	tap_ok(turns.n >= ORPHANS / LEFTOVERS_LOOKS_MAX && turns.n < ORPHANS / LEFTOVERS_LOOKS_MAX + 5,
	       "and looks at each row once");
	end(&s);
}

/* More goes in one turn than is remembered. */
static void test_too_many_gone(void)
{
	struct setup s;
	struct batch batch = {.s = &s}, gone = {.s = &s};
	struct security_group group = {};
	char key[KEY_SIZE], last[KEY_SIZE];

	begin(&s);
	for (int i = 0; i <= GONE_ROWS_MAX; i++) {
		must(str_format(group.id, sizeof(group.id), "sg-%d", i), "id");
		batch_put(&batch, KIND_SECURITY_GROUP, &group);
	}
	batch_end(&batch);
	put_rules(&s, group.id, 1);
	must(str_format(last, sizeof(last), "%s/sgr-0", group.id), "id");
	must(control_new(s.loop, s.store, &s.control), "control");
	for (int i = 0; i < 10; i++)
		settle(&s);
	for (int i = 0; i <= GONE_ROWS_MAX; i++) {
		must(str_format(key, sizeof(key), "security_group/sg-%d", i), "key");
		batch_delete(&gone, key);
	}
	batch_end(&gone);
	settle(&s);
	tap_ok(!is_there(&s, KIND_SG_RULE, last), "what goes beyond what is remembered is found by a walk");
	end(&s);
}

/* So much changes in one turn that the store does not remember what went first. */
static void test_forgotten(void)
{
	struct setup s;
	struct batch batch = {.s = &s};
	struct counter counter = {};

	begin(&s);
	put_group(&s, "sg-1");
	put_rules(&s, "sg-1", 1);
	must(control_new(s.loop, s.store, &s.control), "control");
	settle(&s);
	batch_delete(&batch, "security_group/sg-1");
	for (int i = 0; i <= STORE_HISTORY_MAX; i++) {
		must(str_format(counter.name, sizeof(counter.name), "c%d", i), "name");
		batch_put(&batch, KIND_COUNTER, &counter);
	}
	batch_end(&batch);
	settle(&s);
	tap_is_int((long long)count(&s, KIND_SG_RULE), 0, "so is what the store has forgotten");
	end(&s);
}

/* Both wholes of a part go in one turn. */
static void test_part_of_two(void)
{
	struct connectivity_test test = {.id = "ct-1", .endpoint = "ep-1", .instance = "i-1"};
	struct connectivity_way way = {.test = "ct-1"};
	struct endpoint endpoint = {.id = "ep-1", .vpc = "vpc-1", .service = "epsrv-1"};
	struct instance instance = {.id = "i-1"};
	struct setup s;
	struct batch gone = {.s = &s};

	begin(&s);
	test.create_time = now_unix_s();
	put(&s, KIND_ENDPOINT, &endpoint);
	put(&s, KIND_INSTANCE, &instance);
	put(&s, KIND_CONNECTIVITY_TEST, &test);
	put(&s, KIND_CONNECTIVITY_WAY, &way);
	must(control_new(s.loop, s.store, &s.control), "control");
	settle(&s);
	tap_is_int((long long)count(&s, KIND_CONNECTIVITY_WAY), 1,
		   "what is a part of two stays while both are there");
	batch_delete(&gone, "endpoint/ep-1");
	batch_delete(&gone, "instance/i-1");
	batch_end(&gone);
	settle(&s);
	tap_ok(count(&s, KIND_CONNECTIVITY_TEST) == 0 && count(&s, KIND_CONNECTIVITY_WAY) == 0,
	       "and goes once when both go");
	end(&s);
}

/* The disk takes no more between the whole and its parts. */
static void test_failing_disk(void)
{
	struct rlimit unlimited, small;
	struct setup s;
	struct batch gone = {.s = &s};
	size_t n_left;

	begin(&s);
	put_group(&s, "sg-1");
	put_rules(&s, "sg-1", 5);
	must(control_new(s.loop, s.store, &s.control), "control");
	settle(&s);
	batch_delete(&gone, "security_group/sg-1");
	batch_end(&gone);
	(void)signal(SIGXFSZ, SIG_IGN);
	(void)getrlimit(RLIMIT_FSIZE, &unlimited);
	small = unlimited;
	small.rlim_cur = 1024;
	(void)setrlimit(RLIMIT_FSIZE, &small);
	settle(&s);
	n_left = count(&s, KIND_SG_RULE);
	(void)setrlimit(RLIMIT_FSIZE, &unlimited);
	tap_is_int((long long)n_left, 5, "parts stay while the disk takes no change");
	clock_ahead_ms += 2000;
	settle(&s);
	tap_is_int((long long)count(&s, KIND_SG_RULE), 0, "and go when it does");
	end(&s);
}

#define LEFT 1000

static size_t count_told(const struct setup *s)
{
	size_t n = 0;

	for (const struct connection *c = NULL;
	     (c = snapshot_next(store_rows(s->store), KIND_CONNECTION, "", c));)
		n += c->status == CONNECTION_SERVICE_DELETED;
	return n;
}

/* A service with endpoints that have waited in vain, and a node that never reports. */
static void put_waited_for(struct setup *s)
{
	struct service service = {.id = "epsrv-1", .status = SERVICE_ACTIVE};
	struct node node = {.name = "n1", .number = 1, .mtu = 1500};
	struct batch batch = {.s = s};

	batch_put(&batch, KIND_NODE, &node);
	batch_put(&batch, KIND_SERVICE, &service);
	for (int i = 0; i < LEFT; i++) {
		struct endpoint endpoint = {.vpc = "vpc-1", .service = "epsrv-1", .status = ENDPOINT_ACTIVE};
		struct connection connection = {
			.service = "epsrv-1", .status = CONNECTION_DISCONNECTED, .waiting = true};

		must(str_format(endpoint.id, sizeof(endpoint.id), "ep-%d", i), "id");
		must(str_copy(connection.endpoint, sizeof(connection.endpoint), endpoint.id), "id");
		batch_put(&batch, KIND_ENDPOINT, &endpoint);
		batch_put(&batch, KIND_CONNECTION, &connection);
	}
	batch_end(&batch);
}

/* Turns until so many have been told. The most of one turn. */
static size_t tell_until(struct setup *s, size_t n)
{
	size_t most = 0;

	for (int turns = 0; turns < 100 && count_told(s) < n; turns++) {
		size_t before = count_told(s);

		must(loop_turn(s->loop, 0), "turn");
		most = MAX(most, count_told(s) - before);
	}
	return most;
}

/* A deletion is under way, and some of it is durable, when the process is killed. Does not return. */
static _Noreturn void delete_and_die(struct setup *s)
{
	struct service service;
	struct batch batch = {.s = s};

	open_store(s);
	must(control_new(s->loop, s->store, &s->control), "control");
	settle(s);
	service = *snapshot_service(store_rows(s->store), "epsrv-1");
	service.status = SERVICE_DELETING;
	batch_put(&batch, KIND_SERVICE, &service);
	batch_end(&batch);
	(void)tell_until(s, LEFT / 2);
	(void)kill(getpid(), SIGKILL);
	abort();
}

static void test_service_left(void)
{
	struct setup s;
	size_t told, most;
	int status;
	pid_t pid;

	begin(&s);
	put_waited_for(&s);
	close_store(&s);
	(void)fflush(stdout);
	pid = fork();
	if (pid == 0)
		delete_and_die(&s);
	tap_ok(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status),
	       "the program is killed while a service that is deleted leaves its endpoints");
	open_store(&s);
	told = count_told(&s);
	tap_ok(told > 0 && told < LEFT && is_there(&s, KIND_SERVICE, "epsrv-1"),
	       "some have heard of it, and the service is there (%zu)", told);
	must(control_new(s.loop, s.store, &s.control), "control");
	most = tell_until(&s, LEFT);
	tap_is_int((long long)count_told(&s), LEFT,
		   "after a start the others hear it, too, whatever nodes report");
	tap_ok(most > 0 && most <= LEFTOVERS_GONE_MAX, "no more than %d in a turn (%zu)", LEFTOVERS_GONE_MAX,
	       most);
	tap_ok(is_there(&s, KIND_SERVICE, "epsrv-1"), "for which the service waits");
	clock_ahead_ms += 60000;
	settle(&s);
	tap_ok(!is_there(&s, KIND_SERVICE, "epsrv-1"), "and then it goes");
	end(&s);
}

#define INSTANCES 500

/* A node with instances, each in a server group, and with what it found out about servers that are none. */
static void put_node(struct setup *s)
{
	struct node node = {.name = "n1", .number = 1, .mtu = 1500};
	struct server_group group = {.id = "sgp-1", .status = SERVER_GROUP_AVAILABLE};
	struct batch batch = {.s = s};

	batch_put(&batch, KIND_NODE, &node);
	batch_put(&batch, KIND_SERVER_GROUP, &group);
	for (int i = 0; i < INSTANCES; i++) {
		struct instance instance = {.node = "n1", .status = INSTANCE_RUNNING};
		struct server server = {.group = "sgp-1", .port = 80, .status = SERVER_AVAILABLE};
		struct server probed = server;
		struct server_health health = {.group = "sgp-1", .port = 80, .node = "n1"};

		must(str_format(instance.id, sizeof(instance.id), "i-%d", i), "id");
		must(str_format(instance.port, sizeof(instance.port), "eni-%d", i), "id");
		must(str_copy(server.server_id, sizeof(server.server_id), instance.id), "id");
		must(str_copy(server.port_id, sizeof(server.port_id), instance.port), "id");
		must(str_format(probed.server_id, sizeof(probed.server_id), "10.0.%d.%d", i / 250, i % 250),
		     "id");
		must(str_copy(health.server_id, sizeof(health.server_id), probed.server_id), "id");
		batch_put(&batch, KIND_INSTANCE, &instance);
		batch_put(&batch, KIND_SERVER, &server);
		batch_put(&batch, KIND_SERVER, &probed);
		batch_put(&batch, KIND_SERVER_HEALTH, &health);
	}
	batch_end(&batch);
}

/* The rows that have been put and removed for it until now. */
static size_t count_removals(const struct setup *s)
{
	size_t n = 2 * (INSTANCES - count(s, KIND_INSTANCE)) + 2 * (2 * INSTANCES - count(s, KIND_SERVER)) +
		   (INSTANCES - count(s, KIND_SERVER_HEALTH));

	for (const struct instance *i = NULL;
	     (i = snapshot_next(store_rows(s->store), KIND_INSTANCE, "", i));)
		n += i->status == INSTANCE_DELETING;
	for (const struct server *v = NULL; (v = snapshot_next(store_rows(s->store), KIND_SERVER, "", v));)
		n += v->status == SERVER_REMOVING;
	return n;
}

/* A node that does not come back is deleted with all that was on it. */
static void test_node_deleted(void)
{
	struct node node;
	struct setup s;
	struct batch batch = {.s = &s};
	size_t most = 0, turns = 0;

	begin(&s);
	put_node(&s);
	must(control_new(s.loop, s.store, &s.control), "control");
	settle(&s);
	clock_ahead_ms += 60000;
	settle(&s);
	node = *snapshot_node(store_rows(s.store), "n1");
	node.deleting = true;
	batch_put(&batch, KIND_NODE, &node);
	batch_end(&batch);
	for (; turns < 200 && (is_there(&s, KIND_NODE, "n1") || count(&s, KIND_SERVER) > INSTANCES);
	     turns++) {
		size_t before = count_removals(&s);

		must(loop_turn(s.loop, 0), "turn");
		most = MAX(most, count_removals(&s) - before);
	}
	tap_ok(!is_there(&s, KIND_NODE, "n1") && count(&s, KIND_INSTANCE) == 0 &&
		       count(&s, KIND_SERVER) == INSTANCES && count(&s, KIND_SERVER_HEALTH) == 0,
	       "a node goes with its instances, their places in groups and its results (%zu turns)", turns);
	tap_ok(most > 1 && most <= LEFTOVERS_GONE_MAX, "no more than %d rows in a turn (%zu)",
	       LEFTOVERS_GONE_MAX, most);
	end(&s);
}

/* The deepest go first, so that what is cut off is no orphan's orphan. */
static void test_room(void)
{
	struct server_group group = {.id = "sgp-1", .load_balancer = "lb-1"};
	struct server server = {.group = "sgp-1", .server_id = "10.0.0.1"};
	struct server_health health = {.group = "sgp-1", .server_id = "10.0.0.1"};
	struct gone_row gone = {KIND_LOAD_BALANCER, "lb-1"}, there = {KIND_SERVER_GROUP, "sgp-1"};
	struct control_view view = {};
	struct changes changes = {};
	size_t room = 3;
	struct setup s;

	begin(&s);
	put(&s, KIND_SERVER_GROUP, &group);
	for (server.port = 1; server.port <= 2; server.port++) {
		health.port = server.port;
		put(&s, KIND_SERVER, &server);
		put(&s, KIND_SERVER_HEALTH, &health);
	}
	view.rows = store_rows(s.store);
	tap_ok(control_remove_parts(&view, &there, &room, &changes) && room == 3 && changes.n_txns == 0,
	       "what is there again loses nothing");
	tap_ok(!control_remove_parts(&view, &gone, &room, &changes) && room == 0 &&
		       store_txn_n_ops(changes.txns[0]) == 3,
	       "of what has gone so many parts go as there is room for");
	for (size_t i = 0; i < changes.n_txns; i++) {
		int n = 0;

		store_commit(s.store, TAKE_PTR(changes.txns[i]), count_done, &n);
		settle(&s);
	}
	changes_done(&changes);
	tap_ok(is_there(&s, KIND_SERVER_GROUP, "sgp-1") && count(&s, KIND_SERVER) == 1 &&
		       count(&s, KIND_SERVER_HEALTH) == 0,
	       "a part after its own parts");
	room = 3;
	tap_ok(control_remove_parts(&view, &gone, &room, &changes) && room == 1, "and then the rest");
	changes_done(&changes);
	end(&s);
}

static void test_gone_rows(void)
{
	struct gone_rows gone = {};
	char long_id[SUBJECT_ID_SIZE + 1];
	int r = 0;

	memset(long_id, 'x', sizeof(long_id) - 1);
	long_id[sizeof(long_id) - 1] = '\0';
	tap_is_int(gone_rows_add(&gone, KIND_SERVER, long_id), -E2BIG,
		   "an id that does not fit is not remembered");
	for (int i = 0; r == 0 && i < GONE_ROWS_MAX; i++) {
		char id[ID_SIZE];

		must(str_format(id, sizeof(id), "vpc-%d", i), "id");
		r = gone_rows_add(&gone, KIND_VPC, id);
	}
	tap_is_int(r, 0, "%d rows that are gone are", GONE_ROWS_MAX);
	tap_is_int(gone_rows_add(&gone, KIND_VPC, "vpc-more"), -ENOBUFS, "and no more");
	gone_rows_drop(&gone, GONE_ROWS_MAX - 1);
	tap_ok(gone.n == 1 && streq(gone.v[0].id, "vpc-16383"), "the first ones are forgotten first");
	gone_rows_done(&gone);
}

int main(void)
{
	test_storm();
	test_soon();
	test_looks();
	test_many_parts();
	test_many_at_start();
	test_walk_in_steps();
	test_too_many_gone();
	test_forgotten();
	test_part_of_two();
	test_failing_disk();
	test_service_left();
	test_node_deleted();
	test_room();
	test_gone_rows();
	return tap_done();
}
