/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Control at work: what nodes report of their probes' results is written down, a little in each turn.
 */
#include "control_fixture.h"

#include "control/control_step.h"
#include "control/health_queue.h"
#include "lib/log.h"

/* In place of the real one (meson.build): how many results are looked at. */
size_t __real_control_health(const struct control_view *view, const struct server_health *health,
			     size_t n_health, size_t *room, struct changes *changes);
size_t __wrap_control_health(const struct control_view *view, const struct server_health *health,
			     size_t n_health, size_t *room, struct changes *changes);

static size_t n_health_looks;

size_t __wrap_control_health(const struct control_view *view, const struct server_health *health,
			     size_t n_health, size_t *room, struct changes *changes)
{
	size_t n = __real_control_health(view, health, n_health, room, changes);

	n_health_looks += n;
	return n;
}

static void test_reported_health(void)
{
	struct server server = {.group = "sgp-1", .server_id = "i-1", .port = 80};
	struct server_health health = {
		.group = "sgp-1", .server_id = "i-1", .port = 80, .reason = "CONNECT_FAILED"};
	struct server_group group = {.id = "sgp-1", .vpc = "vpc-1"};
	struct vpc vpc = {.id = "vpc-1", .number = 2};
	struct control_report r = {.node = "n1", .health = &health, .n_health = 1};
	const struct server_health *row;
	uint64_t before;
	struct setup s;

	begin(&s);
	must(control_new(s.loop, s.store, &s.control), "control");
	register_node(&s, "n1");
	put_vpc(&s, &vpc, "n1");
	put(&s, KIND_SERVER_GROUP, &group);
	put(&s, KIND_SERVER, &server);
	tap_ok(snapshot_find(store_rows(s.store), KIND_NAT_RANGE, "vpc-1/n1"),
	       "a server's VPC has translated addresses for a node that is told of it before any endpoint needs them");

	must(control_report(s.control, &r), "report");
	settle(&s);
	row = snapshot_find(store_rows(s.store), KIND_SERVER_HEALTH, "sgp-1/i-1/80");
	tap_ok(row && !row->healthy && streq(row->node, "n1"),
	       "what the node found out is in the store, with its name");
	before = store_durable_revision(s.store);
	must(control_report(s.control, &r), "report");
	settle(&s);
	tap_is_int(store_durable_revision(s.store), before, "and is not written again");
	end(&s);
}

#define PROBED 1000

/* As many results, of servers from `first` on. */
static void fill_health(struct server_health *health, size_t first, size_t n, bool healthy)
{
	for (size_t i = 0; i < n; i++) {
		health[i] =
			(struct server_health){.group = "sgp-1", .server_id = "10.0.0.9", .healthy = healthy};
		health[i].port = (uint32_t)(first + i + 1);
	}
}

static size_t count_health(const struct setup *s, bool healthy)
{
	size_t n = 0;

	for (const struct server_health *h = NULL;
	     (h = snapshot_next(store_rows(s->store), KIND_SERVER_HEALTH, "", h));)
		n += h->healthy == healthy;
	return n;
}

static void put_probed(struct setup *s)
{
	struct server server = {.group = "sgp-1", .server_id = "10.0.0.9", .status = SERVER_AVAILABLE};
	struct store_txn *txn = NULL;
	int n = 0;

	for (server.port = 1; server.port <= PROBED; server.port++) {
		if (!txn)
			must(store_txn_new(&txn), "transaction");
		must(store_txn_row_put(txn, KIND_SERVER, &server), "put");
		if (server.port % 50 == 0)
			store_commit(s->store, TAKE_PTR(txn), count_done, &n);
	}
	settle(s);
	must(n == PROBED / 50 ? 0 : -EIO, "commit");
}

/* Results of many servers at once, and newer ones before they are written down. */
static void test_much_health(void)
{
	static struct server_health health[HEALTH_QUEUE_MAX];
	struct control_report r = {.node = "n1", .health = health};
	struct server_group group = {.id = "sgp-1", .vpc = "vpc-1"};
	size_t most = 0, turns = 0;
	struct setup s;

	begin(&s);
	must(control_new(s.loop, s.store, &s.control), "control");
	register_node(&s, "n1");
	put(&s, KIND_SERVER_GROUP, &group);
	put_probed(&s);
	fill_health(health, 0, PROBED / 2, false);
	r.n_health = PROBED / 2;
	must(control_report(s.control, &r), "report");
	fill_health(health, PROBED / 2, PROBED / 2, false);
	must(control_report(s.control, &r), "report");
	must(loop_turn(s.loop, 0), "turn");
	fill_health(health, PROBED - 10, 10, true);
	r.n_health = 10;
	must(control_report(s.control, &r), "report");
	for (; turns < 100 && count_health(&s, true) + count_health(&s, false) < PROBED; turns++) {
		size_t before = count_health(&s, true) + count_health(&s, false);

		must(loop_turn(s.loop, 0), "turn");
		most = MAX(most, count_health(&s, true) + count_health(&s, false) - before);
	}
	tap_ok(most > 0 && most <= HEALTH_PER_PASS_MAX, "of many results %d are written down in a turn (%zu)",
	       HEALTH_PER_PASS_MAX, most);
	tap_is_int((long long)count_health(&s, false), PROBED - 10,
		   "in the end all of them are, also where a second report came before a turn");
	tap_is_int((long long)count_health(&s, true), 10, "and of those with newer ones these");

	fill_health(health, 0, HEALTH_QUEUE_MAX, true);
	r.n_health = HEALTH_QUEUE_MAX;
	r.revision = 1;
	must(control_report(s.control, &r), "report");
	fill_health(health, HEALTH_QUEUE_MAX, 1, true);
	r.n_health = 1;
	r.revision = 2;
	tap_is_int(control_report(s.control, &r), -ENOBUFS, "results for which there is no room are refused");
	tap_is_int((long long)control_live_revision(s.control), 2, "but not the rest of the report");
	end(&s);
}

/* What is known is told again all the time. */
static void test_known_health(void)
{
	static struct server_health health[3 * HEALTH_LOOKS_PER_PASS_MAX];
	struct control_report r = {.node = "n1", .health = health, .n_health = PROBED};
	struct server_group group = {.id = "sgp-1", .vpc = "vpc-1"};
	size_t most = 0;
	struct setup s;

	begin(&s);
	must(control_new(s.loop, s.store, &s.control), "control");
	register_node(&s, "n1");
	put(&s, KIND_SERVER_GROUP, &group);
	put_probed(&s);
	fill_health(health, 0, PROBED, true);
	must(control_report(s.control, &r), "report");
	settle(&s);
	health[PROBED - 1].healthy = false;
	must(control_report(s.control, &r), "report");
	must(loop_turn(s.loop, 0), "turn");
	tap_is_int((long long)count_health(&s, false), 1,
		   "behind %d results that are known a new one is written down in the same turn", PROBED - 1);

	fill_health(health, PROBED, ARRAY_SIZE(health), true);
	r.n_health = ARRAY_SIZE(health);
	must(control_report(s.control, &r), "report");
	n_health_looks = 0;
	for (size_t turns = 0, before = 0; turns < 20; turns++, before = n_health_looks) {
		must(loop_turn(s.loop, 0), "turn");
		most = MAX(most, n_health_looks - before);
	}
	tap_ok(n_health_looks == ARRAY_SIZE(health) && most == HEALTH_LOOKS_PER_PASS_MAX,
	       "of very many that are no news so many are looked at in a turn (%zu)", most);
	end(&s);
}

/* Asks for it only: what is written behind it is seen with it in one turn. */
static void delete_node(struct setup *s, const char *name, int *done)
{
	struct node row = *snapshot_node(store_rows(s->store), name);
	struct store_txn *txn;

	row.deleting = true;
	must(store_txn_new(&txn), "transaction");
	must(store_txn_row_put(txn, KIND_NODE, &row), "put");
	store_commit(s->store, txn, count_done, done);
}

/* A node that goes on reporting while it is deleted, at once or behind an instance whose device it cannot
 * remove. */
static void test_health_of_deleted(bool has_instance)
{
	static struct server_health health[PROBED];
	struct control_failure failure = {"instance/i-1", "busy"};
	struct control_report r = {.node = "n1",
				   .health = health,
				   .n_health = PROBED,
				   .failures = &failure,
				   .n_failures = has_instance};
	struct instance instance = {.id = "i-1", .node = "n1", .status = INSTANCE_RUNNING};
	struct server_group group = {.id = "sgp-1", .vpc = "vpc-1"};
	size_t written;
	struct setup s;
	int done = 0;

	begin(&s);
	must(control_new(s.loop, s.store, &s.control), "control");
	register_node(&s, "n1");
	put(&s, KIND_SERVER_GROUP, &group);
	put_probed(&s);
	if (has_instance)
		put(&s, KIND_INSTANCE, &instance);
	fill_health(health, 0, PROBED, true);
	must(control_report(s.control, &r), "report");
	must(loop_turn(s.loop, 0), "turn");
	written = count_health(&s, true);
	tap_ok(written > 0 && written < PROBED, "a node's results are being written down, and it is deleted");
	delete_node(&s, "n1", &done);
	settle(&s);
	tap_is_int(done, 1, "its deletion is written");
	tap_is_int((long long)count_health(&s, true), has_instance ? (long long)written : 0,
		   "the rest is dropped");
	if (has_instance) {
		fill_health(health, 0, PROBED, false);
		must(control_report(s.control, &r), "report");
		settle(&s);
		tap_ok(snapshot_node(store_rows(s.store), "n1") && count_health(&s, false) == 0,
		       "and so is what it reports while it is there");
		r.n_health = r.n_failures = 0;
		must(control_report(s.control, &r), "report");
		settle(&s);
	}
	tap_ok(!snapshot_node(store_rows(s.store), "n1") && count_health(&s, true) == 0,
	       "and when it is gone, nothing that it found out is there");
	end(&s);
}

int main(void)
{
	log_set_level(LOG_LEVEL_ERROR);
	test_reported_health();
	test_much_health();
	test_known_health();
	test_health_of_deleted(false);
	test_health_of_deleted(true);
	return tap_done();
}
