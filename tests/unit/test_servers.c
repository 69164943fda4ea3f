/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Servers that leave: how long their rows stay, and what the rows say meanwhile; on mirrors alone, without a
 * kernel. And whose open flows are judged again when a server or a listener changes.
 */
#include "datapath/servers.h"

#include "tests/tap.h"

#define NOW_MS UINT64_C(5000000000) /* the low 32 bits have gone round */

static struct table table;
static struct failures failures;
static struct plan plan;
static struct plan_served served[4];
static uint64_t now_ms, due_ms;

static struct pl_server_key key_of(uint64_t group, uint8_t server)
{
	struct pl_server_key key = {.group = group, .port = htons(80)};

	((uint8_t *)&key.addr)[15] = server;
	return key;
}

static void begin(uint32_t max_entries)
{
	rowset_done(&table.mirror);
	table = (struct table){
		.name = "pl_servers",
		.max_entries = max_entries,
		.mirror = rowset_make(sizeof(struct pl_server_key), sizeof(struct pl_server)),
	};
	plan = (struct plan){.served = served};
	now_ms = NOW_MS;
	failures_clear(&failures);
}

/* Servers 1, 2 … of group 1 in these states. */
static void set_plan(size_t n, const uint8_t *states, uint8_t drains, uint16_t drain_s)
{
	plan.n_served = n;
	for (size_t i = 0; i < n; i++) {
		served[i] = (struct plan_served){
			.key = key_of(1, (uint8_t)(i + 1)),
			.value = {.state = states[i], .drains = drains, .drain_s = drain_s},
			.group = "sgp-1",
		};
	}
}

/* As a sync does it: what is wanted becomes what is there. */
static void pass(void)
{
	struct rowset wanted = rowset_make(sizeof(struct pl_server_key), sizeof(struct pl_server));

	if (servers_want(&table, &plan, now_ms, &wanted, &due_ms, &failures) < 0)
		exit(EXIT_FAILURE);
	rowset_sort(&wanted);
	rowset_done(&table.mirror);
	table.mirror = wanted;
}

/* The state of server 1; 0: it has no row. */
static int state(void)
{
	struct pl_server_key key = key_of(1, 1);
	struct pl_server row;
	const void *found = rowset_find(&table.mirror, &key);

	if (!found)
		return 0;
	memcpy(&row, found, sizeof(row));
	return row.state;
}

static void test_without_draining(void)
{
	const uint8_t well[] = {PL_SERVER_WELL}, ill[] = {PL_SERVER_ILL}, leaving[] = {PL_SERVER_LEAVING};

	begin(10);
	set_plan(1, well, 0, 10);
	pass();
	tap_is_int(state(), PL_SERVER_WELL, "a server's row says what the plan says");
	set_plan(1, ill, 0, 10);
	pass();
	tap_is_int(state(), PL_SERVER_ILL, "whatever that is");
	set_plan(1, leaving, 0, 10);
	pass();
	now_ms += 3600 * 1000;
	pass();
	tap_ok(state() == PL_SERVER_LEAVING && due_ms == 0,
	       "without draining a server without weight keeps its connections for ever");
	set_plan(0, NULL, 0, 0);
	pass();
	tap_is_int(state(), 0, "and one that was removed has no row");
}

static void test_draining(void)
{
	const uint8_t well[] = {PL_SERVER_WELL}, leaving[] = {PL_SERVER_LEAVING};

	begin(10);
	set_plan(1, well, 1, 10);
	pass();
	tap_is_int((intmax_t)due_ms, 0, "while nobody leaves nothing is due");
	set_plan(1, leaving, 1, 10);
	pass();
	tap_is_int(state(), PL_SERVER_LEAVING, "a server without weight leaves");
	tap_ok(due_ms >= NOW_MS + 10000 && due_ms <= NOW_MS + 10001, "and is gone when its time is over");
	now_ms += 4000;
	set_plan(0, NULL, 0, 0);
	pass();
	tap_ok(state() == PL_SERVER_LEAVING && due_ms <= NOW_MS + 10001,
	       "that it is removed meanwhile gives it no more time");
	now_ms = due_ms;
	pass();
	tap_ok(state() == PL_SERVER_GONE && due_ms == 0, "then it is gone");
	now_ms += 890 * 1000;
	pass();
	tap_is_int(state(), PL_SERVER_GONE, "and said to be, for as long as a connection can be idle");
	now_ms += 20 * 1000;
	pass();
	tap_is_int(state(), 0, "after that it is forgotten");

	set_plan(1, well, 1, 10);
	pass();
	set_plan(0, NULL, 0, 0);
	pass();
	tap_ok(state() == PL_SERVER_LEAVING && due_ms >= now_ms + 10000,
	       "one that is removed at once has its time, too");
	now_ms += 60000;
	pass();
	set_plan(1, well, 1, 10);
	pass();
	tap_is_int(state(), PL_SERVER_WELL, "one that comes back serves");
	set_plan(1, leaving, 1, 0);
	pass();
	tap_ok(state() != PL_SERVER_LEAVING || due_ms <= now_ms + 1, "no time is none");
}

/* The rows of group 1 by themselves; another group's are left alone. */
static void pass_group(void)
{
	struct rowset wanted = rowset_make(sizeof(struct pl_server_key), sizeof(struct pl_server));
	struct pl_server_key other = key_of(2, 1);

	if (servers_want_group(&table, &plan, 1, now_ms, &wanted, &due_ms) < 0)
		exit(EXIT_FAILURE);
	tap_ok(!rowset_find(&wanted, &other), "nothing is said of another group's rows");
	rowset_done(&table.mirror);
	table.mirror = wanted;
}

static size_t n_due(void)
{
	struct rowset due = rowset_make(sizeof(uint64_t), 0);
	size_t n;

	if (servers_due(&table, now_ms, &due, &due_ms) < 0)
		exit(EXIT_FAILURE);
	n = due.n;
	rowset_done(&due);
	return n;
}

static void test_group(void)
{
	const uint8_t two[] = {PL_SERVER_WELL, PL_SERVER_LEAVING};
	struct pl_server_key other = key_of(2, 1);
	struct pl_server row = {.state = PL_SERVER_LEAVING, .drains = 1, .drain_s = 60};

	begin(10);
	set_plan(1, two, 1, 10);
	pass();
	row.until = (uint32_t)now_ms + 60000;
	(void)rowset_append(&table.mirror, &other, &row);
	rowset_sort(&table.mirror);
	due_ms = now_ms + 60000;
	set_plan(0, NULL, 0, 0);
	pass_group();
	tap_is_int(state(), PL_SERVER_LEAVING, "a server of a group that is looked at by itself leaves");
	tap_ok(due_ms >= NOW_MS + 10000 && due_ms <= NOW_MS + 10001, "and is due before what was");
	tap_is_int((intmax_t)n_due(), 0, "nobody's time is over");
	now_ms += 10001;
	tap_is_int((intmax_t)n_due(), 1, "until its is");
	pass_group();
	tap_is_int(state(), PL_SERVER_GONE, "then it is gone");
	tap_ok(n_due() == 0 && due_ms == 0, "and nothing is due any more");
}

static void test_other_time(void)
{
	const uint8_t leaving[] = {PL_SERVER_LEAVING};

	begin(10);
	set_plan(1, leaving, 1, 900);
	pass();
	now_ms += 1000;
	set_plan(1, leaving, 1, 20);
	pass();
	tap_ok(due_ms >= now_ms + 20000 && due_ms <= now_ms + 20001, "another time begins when it is set");
	set_plan(1, leaving, 0, 20);
	pass();
	tap_ok(state() == PL_SERVER_LEAVING && due_ms == 0, "none ends nothing");
}

static void test_room(void)
{
	const uint8_t well[] = {PL_SERVER_WELL, PL_SERVER_WELL, PL_SERVER_WELL};

	begin(2);
	set_plan(2, well, 1, 10);
	pass();
	tap_is_int((intmax_t)failures.n, 0, "as many servers as there is room for");
	set_plan(3, well, 1, 10);
	pass();
	tap_is_int((intmax_t)table.mirror.n, 2, "one more has none");
	tap_ok(failures.n == 1 && streq(failures.items[0].key, "server_group/sgp-1") &&
		       streq(failures.items[0].reason, "this node has no room for its servers"),
	       "which is said of its group");
	failures_clear(&failures);
	set_plan(1, well, 1, 10);
	pass();
	set_plan(2, well, 1, 10);
	served[0].key = key_of(2, 1);
	served[1].key = key_of(2, 2);
	pass();
	tap_ok(failures.n == 0 && state() == 0, "what only leaves takes no room from what serves");
}

/* A server of the group that was removed, and whose connections end after so many milliseconds. */
static void put_removed(uint64_t group, uint16_t server, int32_t rest_ms)
{
	struct pl_server_key key = key_of(group, 1);
	struct pl_server row = {.state = PL_SERVER_LEAVING, .drains = 1, .drain_s = 60};

	key.port = htons(server);
	row.until = (uint32_t)now_ms + (uint32_t)rest_ms;
	if (rowset_append(&table.mirror, &key, &row) < 0)
		exit(EXIT_FAILURE);
	rowset_sort(&table.mirror);
}

static bool has_removed(uint64_t group, uint16_t server)
{
	struct pl_server_key key = key_of(group, 1);

	key.port = htons(server);
	return rowset_find(&table.mirror, &key);
}

static void test_many_removed(void)
{
	begin(8);
	for (uint16_t i = 1; i <= 10; i++)
		put_removed(1, i, 11000 - 1000 * i);
	put_removed(2, 1, 500);
	put_removed(2, 2, -500);
	pass();
	tap_ok(has_removed(2, 1) && has_removed(2, 2),
	       "a group that has lost many servers takes no room from one that has lost few");
	tap_ok(has_removed(1, 1) && has_removed(1, 5) && !has_removed(1, 6),
	       "what has no room are those whose time is over first");
	tap_is_int((intmax_t)table.mirror.n, 7, "an eighth is left to servers that come");

	begin(10 * SERVERS_REMOVED_PER_GROUP_MAX);
	for (uint16_t i = 1; i <= SERVERS_REMOVED_PER_GROUP_MAX + 1; i++)
		put_removed(1, i, 1000 + i);
	pass();
	tap_is_int((intmax_t)table.mirror.n, SERVERS_REMOVED_PER_GROUP_MAX,
		   "of one group so many are remembered");
	tap_ok(!has_removed(1, 1) && has_removed(1, 2), "without the first one");
}

static void put_listener(struct rowset *rows, uint32_t target, uint16_t port, uint64_t group, uint32_t flags)
{
	struct pl_listener_key key = {.target = target, .port = htons(port), .protocol = 6};
	struct pl_listener row = {.group = group, .flags = flags};

	if (rowset_append(rows, &key, &row) < 0)
		exit(EXIT_FAILURE);
}

/* "3 5": the targets that are touched when the one becomes the other. */
static const char *touched(const struct table *servers, const struct rowset *wanted_servers,
			   const struct table *listeners, const struct rowset *wanted_listeners)
{
	static char text[128];
	struct rowset targets = rowset_make(sizeof(uint32_t), 0);
	size_t length = 0;

	if (servers_touched(servers, wanted_servers, listeners, wanted_listeners, &targets) < 0)
		exit(EXIT_FAILURE);
	text[0] = '\0';
	for (size_t i = 0; i < targets.n; i++) {
		uint32_t target;

		memcpy(&target, rowset_key(&targets, i), sizeof(target));
		length +=
			(size_t)snprintf(text + length, sizeof(text) - length, "%s%u", i ? " " : "", target);
	}
	rowset_done(&targets);
	return text;
}

static void test_touched(void)
{
	const uint8_t well[] = {PL_SERVER_WELL}, ill[] = {PL_SERVER_ILL};
	struct table listeners = {
		.mirror = rowset_make(sizeof(struct pl_listener_key), sizeof(struct pl_listener))};
	struct rowset same = rowset_make(sizeof(struct pl_listener_key), sizeof(struct pl_listener)),
		      other = same, servers;

	begin(10);
	set_plan(1, well, 0, 0);
	pass();
	for (int i = 0; i < 2; i++) {
		struct rowset *rows = i ? &same : &listeners.mirror;

		put_listener(rows, 3, 80, 1, 0);
		put_listener(rows, 3, 81, 2, 0);
		put_listener(rows, 4, 80, 2, 0);
		put_listener(rows, 5, 80, 1, 0);
	}
	put_listener(&other, 3, 80, 1, 0);
	put_listener(&other, 3, 81, 2, 0);
	put_listener(&other, 4, 80, 2, PL_LISTENER_F_ILL);
	put_listener(&other, 6, 80, 1, 0);

	servers = rowset_make(sizeof(struct pl_server_key), sizeof(struct pl_server));
	(void)rowset_append(&servers, rowset_key(&table.mirror, 0), rowset_value(&table.mirror, 0));
	tap_is_str(touched(&table, &servers, &listeners, &same), "",
		   "nothing changed, nobody is judged again");
	tap_is_str(touched(&table, &servers, &listeners, &other), "4 5 6",
		   "a listener that changes, goes or comes concerns its target");
	rowset_clear(&servers);
	set_plan(1, ill, 0, 0);
	(void)rowset_append(&servers, &served[0].key, &served[0].value);
	tap_is_str(touched(&table, &servers, &listeners, &same), "3 5",
		   "a server concerns the targets of all listeners that have its group");
	rowset_clear(&servers);
	tap_is_str(touched(&table, &servers, &listeners, &same), "3 5", "so does one that is gone");
	rowset_done(&servers);
	rowset_done(&listeners.mirror);
	rowset_done(&same);
	rowset_done(&other);
}

int main(void)
{
	test_without_draining();
	test_draining();
	test_group();
	test_other_time();
	test_room();
	test_many_removed();
	test_touched();
	rowset_done(&table.mirror);
	failures_clear(&failures);
	return tap_done();
}
