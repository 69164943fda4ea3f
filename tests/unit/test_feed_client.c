/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent's side of the feed against the real one, in one loop: when all rows are asked for, and when only
 * what has changed. An agent that ends and one that starts are a struct side that is freed and made. At last
 * against a false one, whose answers are of two processes on one connection.
 */
#include "api_harness.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "agent/feed.h"
#include "agent/health_told.h"
#include "feed/server.h"
#include "http/server.h"

/* In place of the real ones (meson.build): a clock that can be stopped, and is then put forward by the time
 * after which a server's next change is told, in place of waiting for it. */
uint64_t __real_now_mono_ms(void);
uint64_t __wrap_now_mono_ms(void);
void __real_loop_timer_set(struct loop_source *source, uint64_t delay_ms);
void __wrap_loop_timer_set(struct loop_source *source, uint64_t delay_ms);

static uint64_t stopped_at_ms; /* 0: it goes */
static bool leaps;

uint64_t __wrap_now_mono_ms(void)
{
	return stopped_at_ms ? stopped_at_ms : __real_now_mono_ms();
}

void __wrap_loop_timer_set(struct loop_source *source, uint64_t delay_ms)
{
	if (leaps && delay_ms == HEALTH_FLIP_EVERY_MS) {
		stopped_at_ms += delay_ms;
		delay_ms = 0;
	}
	__real_loop_timer_set(source, delay_ms);
}

struct side {
	struct node_state state;
	struct snapshot *rows;
	struct hold *hold;
	struct kept_rows *kept;
	struct meter *meter;
	struct feed *feed;
	int n_answers, n_heard, n_held;
	struct feed_rows last;
	uint32_t number;
};

static char socket_path[128];

static void put_vpc(struct harness *h, const char *id, const char *name)
{
	const struct vpc *present = snapshot_vpc(store_rows(h->store), id);
	struct vpc row = {.owner = ALICE};

	if (present)
		row = *present;
	row.name = name;
	harness_must(str_copy(row.id, sizeof(row.id), id), "id");
	harness_put(h, KIND_VPC, &row);
}

static void put_port(struct harness *h, const char *id, const char *vpc)
{
	struct port row = {.owner = ALICE, .vpc = vpc, .node = "alpha"};

	harness_must(str_copy(row.id, sizeof(row.id), id), "id");
	harness_put(h, KIND_PORT, &row);
}

static int listen_unix(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	(void)str_copy(address.sun_path, sizeof(address.sun_path), socket_path);
	(void)unlink(socket_path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 16) < 0)
		abort();
	return fd;
}

static void serve(struct harness *h, struct feed_server **ret)
{
	harness_must(feed_server_new(h->loop, h->store, h->control, listen_unix(), NULL, ret), "feed");
}

static void on_registered(void *context, uint32_t number)
{
	((struct side *)context)->number = number;
}

static void on_connected(void *context _unused_, bool connected _unused_)
{
}

static void on_rows(void *context, const struct feed_rows *rows)
{
	struct side *side = context;

	side->n_answers++;
	side->last = *rows;
}

static void on_held(void *context)
{
	((struct side *)context)->n_held++;
}

static json_t *on_tests(void *context _unused_)
{
	return NULL;
}

static void begin(struct harness *h, struct side *side)
{
	const struct feed_handlers handlers = {on_registered, on_connected, on_rows, on_held, on_tests, side};
	const struct feed_options options = {
		.socket_path = socket_path, .node = "alpha", .mtu = 1500, .underlay = ""};
	char timeline[NODE_TIMELINE_SIZE];

	side->n_answers = side->n_heard = 0;
	harness_must(snapshot_new(&side->rows), "rows");
	harness_must(hold_new(h->loop, h->directory, &side->state, &side->hold), "hold");
	harness_must(kept_rows_new(h->directory, "alpha", &side->kept), "kept rows");
	if (kept_rows_load(side->kept, side->state.store, side->state.revision, side->rows, timeline) == 0)
		hold_took(side->hold, timeline, snapshot_revision(side->rows));
	harness_must(meter_new(&side->meter), "meter");
	harness_must(feed_new(h->loop, &options, &handlers,
			      &(struct feed_parts){side->rows, side->hold, side->kept, side->meter},
			      &side->feed),
		     "feed");
}

static void end(struct side *side)
{
	side->feed = feed_free(side->feed);
	side->meter = meter_free(side->meter);
	side->kept = kept_rows_free(side->kept);
	side->hold = hold_free(side->hold);
	side->rows = snapshot_free(side->rows);
}

/* The next answer with rows, as a word and the number of its changes. */
static const char *hear(struct harness *h, struct side *side)
{
	uint64_t end_ms = now_mono_ms() + 60000;
	static char text[64];

	while (side->n_answers == side->n_heard && now_mono_ms() < end_ms)
		harness_must(loop_turn(h->loop, 20), "turn");
	if (side->n_answers == side->n_heard)
		return "nothing";
	side->n_heard = side->n_answers;
	(void)str_format(text, sizeof(text), "%s, %zu", side->last.is_full ? "all" : "changes",
			 side->last.n_changes);
	return text;
}

static const char *name_of(const struct side *side, const char *id)
{
	const struct vpc *vpc = snapshot_vpc(side->rows, id);

	return vpc ? vpc->name : "none";
}

static void test_starts(struct harness *h, struct side *side)
{
	begin(h, side);
	tap_ok(str_starts(hear(h, side), "all, "), "an agent that has no rows gets all");
	tap_ok(side->number > 0, "and its number");
	put_vpc(h, "vpc-a", "second");
	tap_is_str(hear(h, side), "changes, 1", "then what changes");
	end(side);

	side->number = 0;
	begin(h, side);
	tap_is_str(name_of(side, "vpc-a"), "second", "the next one has them from the first on");
	tap_is_str(hear(h, side), "changes, 0", "and is told that nothing has changed since");
	tap_ok(side->number > 0, "with its number");
	end(side);

	put_vpc(h, "vpc-a", "third");
	put_port(h, "eni-b", "vpc-b");
	begin(h, side);
	tap_is_str(hear(h, side), "changes, 3", "or what has: a row, and what came to the node with another");
	tap_is_str(name_of(side, "vpc-a"), "third", "which is there then");
	tap_is_str(name_of(side, "vpc-b"), "b", "all of it");
	end(side);
}

static void test_other_process(struct harness *h, struct side *side, struct feed_server **feed)
{
	*feed = feed_server_free(*feed);
	serve(h, feed);
	begin(h, side);
	tap_ok(str_starts(hear(h, side), "all, "), "another process of privlinkd is asked for all");
	end(side);

	begin(h, side);
	tap_is_str(hear(h, side), "changes, 0", "once");
	harness_settle(h); /* the next question waits there */
	*feed = feed_server_free(*feed);
	serve(h, feed);
	tap_is_str(hear(h, side), "all, 5", "an agent that goes on asks another process for all, too");
	feed_restart(side->feed);
	tap_is_str(hear(h, side), "changes, 0", "and the same one for what has changed");
	end(side);
}

/* What nobody can say that it continues. */
static void test_unsure(struct harness *h, struct side *side)
{
	const struct node_state state = side->state;

	begin(h, side);
	tap_is_str(hear(h, side), "changes, 0", "with store, timeline and revision known");
	side->state.timeline[0] = '\0';
	feed_restart(side->feed);
	tap_ok(str_starts(hear(h, side), "all, "), "without a timeline all rows are asked for");
	end(side);

	side->state = state;
	side->state.revision++; /* the rows are behind what was in force */
	begin(h, side);
	tap_is_int((long long)snapshot_revision(side->rows), 0, "rows that are behind are not taken up");
	for (int i = 0; i < 100 && !side->n_held; i++)
		harness_must(loop_turn(h->loop, 20), "turn");
	tap_ok(side->n_held > 0 && side->n_answers == 0, "and the node holds");
	end(side);
}

/* What an agent leaves behind. */
static void clear_away(const struct harness *h)
{
	static const char *const files[] = {"node.json", "node.rows"};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		char path[128];

		(void)str_format(path, sizeof(path), "%s/%s", h->directory, files[i]);
		(void)unlink(path);
	}
}

#define RUN_A "aaaaaaaaaaaaaaaa"
#define RUN_B "bbbbbbbbbbbbbbbb"

/* A privlinkd that answers what it is told to; the last question it leaves open. */
struct false_one {
	struct {
		bool is_full;
		const char *more, *run;
	} answers[2];
	size_t n_questions;
	char question[256];	     /* the last one */
	struct server_request *open; /* that one */
};

static json_t *false_rows(const struct false_one *one)
{
	size_t i = one->n_questions - 1;
	json_t *json = json_pack("{s:I, s:b, s:[], s:[], s:s}", "revision", (json_int_t)i + 10, "full",
				 one->answers[i].is_full, "rows", "deleted", "store",
				 "00000000000000000000000000000001");

	if (one->answers[i].run)
		(void)json_object_set_new(json, "run", json_string(one->answers[i].run));
	if (one->answers[i].more)
		(void)json_object_set_new(json, "more", json_string(one->answers[i].more));
	return json;
}

static void answer_falsely(void *context, struct server_request *request)
{
	struct false_one *one = context;

	if (!streq(request->path, "/feed/v1/rows")) {
		server_answer(request, 200, NULL,
			      json_pack("{s:i, s:i, s:s}", "number", 1, "lease_s", 30, "store",
					"00000000000000000000000000000001"));
		return;
	}
	(void)str_copy(one->question, sizeof(one->question), request->query);
	if (one->n_questions++ < ARRAY_SIZE(one->answers))
		server_answer(request, 200, NULL, false_rows(one));
	else
		one->open = request;
}

/* The question after these answers: from which revision, and what it has behind that. */
static const char *asked_then(struct harness *h, struct false_one *one)
{
	const struct server_options options = {
		.listen_fd = listen_unix(), .body_max = 65536, .connections_max = 1, .timeout_s = 60};
	uint64_t end_ms = now_mono_ms() + 60000;
	struct server *server;
	struct side side = {};
	const char *after, *rest;
	static char text[256];

	clear_away(h);
	harness_must(server_new(h->loop, &options, answer_falsely, one, &server), "server");
	begin(h, &side);
	while (!one->open && now_mono_ms() < end_ms)
		harness_must(loop_turn(h->loop, 20), "turn");
	end(&side);
	if (one->open)
		server_answer(one->open, 503, NULL, json_object());
	server_free(server);
	after = strstr(one->question, "after=");
	rest = strstr(one->question, "pages=1");
	if (!one->open || !after || !rest)
		return "nothing";
	(void)str_format(text, sizeof(text), "%.*s%s", (int)strcspn(after, "&"), after,
			 rest + strlen("pages=1"));
	return text;
}

/* Another process answers, and nobody has seen that the connection is another one. */
static void test_replaced_unseen(struct harness *h)
{
	static const struct {
		struct false_one one;
		const char *then, *what;
	} cases[] = {
		{{.answers = {{true, NULL, RUN_A}, {false, NULL, RUN_A}}},
		 "after=11",
		 "a process goes on from its own rows"},
		{{.answers = {{true, NULL, RUN_A}, {false, NULL, RUN_B}}},
		 "after=0",
		 "another one is asked for all in the middle of it"},
		{{.answers = {{true, NULL, RUN_A}, {false, NULL, NULL}}},
		 "after=0",
		 "so is one that does not say who it is"},
		{{.answers = {{true, NULL, NULL}, {false, NULL, NULL}}},
		 "after=11",
		 "but not if the one before did not either"},
		{{.answers = {{true, "vpc/a", RUN_A}, {false, "vpc/b", RUN_A}}},
		 "after=0&page=vpc%2Fb",
		 "pages of one process are a list"},
		{{.answers = {{true, "vpc/a", RUN_A}, {false, "vpc/b", RUN_B}}},
		 "after=0",
		 "with one of another process it begins anew"},
		{{.answers = {{true, "vpc/a", RUN_A}, {false, NULL, RUN_A}}},
		 "after=11",
		 "an answer that is no page ends the list"},
		{{.answers = {{true, "vpc/a", RUN_A}, {false, NULL, RUN_B}}},
		 "after=0",
		 "but not one of another process"},
		{{.answers = {{true, "vpc/a", RUN_A}, {false, "", RUN_A}}},
		 "after=10&listed=10",
		 "behind a last page it asks what has changed since the first"},
		{{.answers = {{true, "", RUN_A}, {false, NULL, RUN_B}}},
		 "after=0",
		 "and so it does where another one says what has changed since"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct false_one one = cases[i].one;

		tap_is_str(asked_then(h, &one), cases[i].then, "%s", cases[i].what);
	}
}

/* One that hears reports. As long as its lease is long none is sent but for news. */
struct listener_of_reports {
	int lease_s;
	size_t n_reports, longest, most, n_health, n_failures, n_holds;
	long long revision; /* of the last one */
	bool is_healthy;    /* the first server that it names */
	struct server_request *open;
};

static void hear_report(struct listener_of_reports *l, const struct server_request *request)
{
	json_t *report = json_loadb(request->body, request->body_size, 0, NULL);
	size_t n = json_array_size(json_object_get(report, "health"));

	l->n_reports++;
	l->longest = MAX(l->longest, request->body_size);
	l->most = MAX(l->most, n);
	l->n_health += n;
	if (n > 0)
		l->is_healthy = json_is_true(
			json_object_get(json_array_get(json_object_get(report, "health"), 0), "healthy"));
	l->n_failures = json_array_size(json_object_get(report, "failures"));
	l->n_holds += json_object_get(report, "hold") != NULL;
	l->revision = json_integer_value(json_object_get(report, "revision"));
	json_decref(report);
}

static void answer_reports(void *context, struct server_request *request)
{
	static const struct false_one rows = {.answers = {{.is_full = true}}, .n_questions = 1};
	struct listener_of_reports *l = context;

	if (request->problem < 0) {
		server_answer(request, 413, NULL, json_object());
		return;
	}
	if (streq(request->path, "/feed/v1/rows") && strstr(request->query, "after=0")) {
		server_answer(request, 200, NULL, false_rows(&rows));
		return;
	}
	if (streq(request->path, "/feed/v1/rows")) {
		l->open = request;
		return;
	}
	if (streq(request->path, "/feed/v1/report"))
		hear_report(l, request);
	server_answer(request, 200, NULL,
		      json_pack("{s:i, s:i, s:s}", "number", 1, "lease_s", l->lease_s, "store",
				"00000000000000000000000000000001"));
}

static void hear_health(struct harness *h, struct listener_of_reports *l, size_t n)
{
	uint64_t end_ms = __real_now_mono_ms() + 60000;

	while (l->n_health < n && __real_now_mono_ms() < end_ms)
		harness_must(loop_turn(h->loop, 20), "turn");
}

static void fill_longest(char *text, size_t size, size_t number)
{
	memset(text, '"', size - 1); /* of which one is two in JSON */
	text[size - 1] = '\0';
	(void)snprintf(text, 8, "%06zu", number);
	text[6] = '"';
}

/* As many as a node can have, and as long. */
static struct health_result *make_results(size_t n)
{
	struct health_result *results = calloc(n, sizeof(*results));

	for (size_t i = 0; results && i < n; i++) {
		fill_longest(results[i].group, 30, i);
		fill_longest(results[i].server_id, 30, i);
		fill_longest(results[i].reason, 30, i);
		results[i].port = 65535;
	}
	return results;
}

static void make_failures(struct failures *failures, size_t n)
{
	char key[64], reason[200];

	for (size_t i = 0; i < n; i++) {
		fill_longest(key, sizeof(key), i);
		fill_longest(reason, sizeof(reason), i);
		harness_must(failures_add_gone(failures, key, reason), "failure");
	}
}

static void test_long_reports(struct harness *h)
{
	enum { RESULTS = 40000, FAILURES = 20000 };
	const struct server_options options = {
		.listen_fd = listen_unix(), .body_max = FEED_BODY_MAX, .connections_max = 4, .timeout_s = 60};
	_cleanup_(freep) struct health_result *results = make_results(RESULTS);
	_cleanup_(failures_clear) struct failures failures = {};
	struct listener_of_reports l = {.lease_s = 86400};
	struct server *server;
	struct side side = {};

	make_failures(&failures, FAILURES);
	clear_away(h);
	harness_must(results ? 0 : -ENOMEM, "results");
	harness_must(server_new(h->loop, &options, answer_reports, &l, &server), "server");
	begin(h, &side);
	(void)hear(h, &side);
	harness_must(feed_report(side.feed, 11, &failures, results, RESULTS), "report");
	hear_health(h, &l, RESULTS);
	tap_is_int((long long)l.n_health, RESULTS, "however many health results there are, all are told");
	tap_ok(l.n_reports == 10 && l.most == 4096, "in reports of some of them");
	tap_ok(l.longest < FEED_BODY_MAX, "none of which is too long (%zu)", l.longest);
	tap_ok(l.n_failures > 1000 && l.n_failures < FAILURES,
	       "though there are more failures than these have room for (%zu)", l.n_failures);
	tap_is_int(l.revision, 0, "and what else may have failed does not count as in force");
	results[7].healthy = true;
	failures_clear(&failures);
	harness_must(feed_report(side.feed, 11, &failures, results, RESULTS), "report");
	hear_health(h, &l, RESULTS + 1);
	tap_ok(l.n_health == RESULTS + 1 && l.n_reports == 11 && l.n_failures == 0,
	       "then what has changed alone");
	tap_is_int(l.revision, 11, "and with all failures told the revision is in force");
	for (int i = 0; i < 40; i++) { /* first its answer has to come back */
		if (i == 20)
			harness_must(feed_report_again(side.feed, 11), "report");
		harness_must(loop_turn(h->loop, 5), "turn");
	}
	tap_is_int(l.n_reports, 11, "what was taken already is not said again");
	make_failures(&failures, FAILURES);
	harness_must(feed_report(side.feed, 12, &failures, results, RESULTS), "report");
	harness_must(feed_report_again(side.feed, 13), "report");
	for (int i = 0; i < 3000 && l.n_reports < 12; i++)
		harness_must(loop_turn(h->loop, 20), "turn");
	tap_ok(l.revision == 11 && l.n_failures == 0, "and the last one in force while there are too many");
	l.lease_s = 1;
	for (int i = 0; i < 3000 && l.n_health < RESULTS + 1 + 4096; i++) {
		harness_must(feed_report_again(side.feed, 11), "report"); /* before the lease asks for one */
		harness_must(loop_turn(h->loop, 20), "turn");
	}
	tap_ok(l.n_health >= RESULTS + 1 + 4096, "from time to time some are told again");
	end(&side);
	if (l.open)
		server_answer(l.open, 503, NULL, json_object());
	server_free(server);
}

/* A server that flaps: the last thing that is said of it is what it is, though nothing else happens then. */
static void test_flapping(struct harness *h)
{
	const struct server_options options = {
		.listen_fd = listen_unix(), .body_max = FEED_BODY_MAX, .connections_max = 4, .timeout_s = 60};
	_cleanup_(freep) struct health_result *results = make_results(1);
	struct listener_of_reports l = {.lease_s = 86400};
	struct failures none = {};
	struct side side = {};
	struct server *server;
	size_t n = 1;

	clear_away(h);
	harness_must(results ? 0 : -ENOMEM, "results");
	harness_must(server_new(h->loop, &options, answer_reports, &l, &server), "server");
	begin(h, &side);
	(void)hear(h, &side);
	stopped_at_ms = __real_now_mono_ms();
	harness_must(feed_report(side.feed, 11, &none, results, 1), "report");
	hear_health(h, &l, n);
	for (; n <= HEALTH_FLIPS_AT_ONCE; n++) {
		results[0].healthy = !results[0].healthy;
		harness_must(feed_report(side.feed, 11, &none, results, 1), "report");
		hear_health(h, &l, n + 1);
	}
	tap_ok(l.n_health == n && l.n_reports == n, "the first changes of a server are told as they come");
	results[0].healthy = !results[0].healthy;
	harness_must(feed_report(side.feed, 11, &none, results, 1), "report");
	for (int i = 0; i < 3000 && l.n_reports <= n; i++)
		harness_must(loop_turn(h->loop, 20), "turn");
	tap_ok(l.n_reports == n + 1 && l.n_health == n, "the next one is not in its report");
	leaps = true;
	hear_health(h, &l, n + 1);
	leaps = false;
	tap_ok(l.n_reports == n + 2 && l.n_health == n + 1 && l.is_healthy == results[0].healthy,
	       "but in one that follows later by itself");
	end(&side);
	if (l.open)
		server_answer(l.open, 503, NULL, json_object());
	server_free(server);
	stopped_at_ms = 0;
}

/* A node that holds says so, and has results that nobody asks for. */
static void test_reports_of_hold(struct harness *h)
{
	const struct server_options options = {
		.listen_fd = listen_unix(), .body_max = FEED_BODY_MAX, .connections_max = 4, .timeout_s = 60};
	_cleanup_(freep) struct health_result *results = make_results(1);
	struct listener_of_reports l = {.lease_s = 86400};
	struct failures none = {};
	struct side side = {.state = {.store = "00000000000000000000000000000001", .revision = 99}};
	struct server *server;

	clear_away(h);
	harness_must(server_new(h->loop, &options, answer_reports, &l, &server), "server");
	begin(h, &side);
	for (int i = 0; i < 3000 && !side.n_held; i++)
		harness_must(loop_turn(h->loop, 20), "turn");
	harness_must(feed_report(side.feed, 98, &none, results, 1), "report");
	for (int i = 0; i < 3000 && !l.n_holds; i++)
		harness_must(loop_turn(h->loop, 20), "turn");
	for (int i = 0; i < 200; i++)
		harness_must(loop_turn(h->loop, 1), "turn");
	tap_ok(l.n_holds > 0 && l.n_reports < 10, "a node that holds says so and rests (%zu reports)",
	       l.n_reports);
	end(&side);
	if (l.open)
		server_answer(l.open, 503, NULL, json_object());
	server_free(server);
}

int main(void)
{
	struct feed_server *feed;
	struct side side = {};
	struct harness h;

	if (geteuid() != 0) {
		tap_skip("the agent's side of the feed", "only root may speak there");
		return tap_done();
	}
	log_set_level(LOG_LEVEL_ERROR);
	harness_begin(&h);
	(void)str_format(socket_path, sizeof(socket_path), "%s/feed.sock", h.directory);
	put_vpc(&h, "vpc-a", "first");
	put_vpc(&h, "vpc-b", "b");
	put_port(&h, "eni-a", "vpc-a");
	serve(&h, &feed);
	test_starts(&h, &side);
	test_other_process(&h, &side, &feed);
	test_unsure(&h, &side);
	feed_server_free(feed);
	test_replaced_unseen(&h);
	test_long_reports(&h);
	test_flapping(&h);
	test_reports_of_hold(&h);
	(void)unlink(socket_path);
	clear_away(&h);
	harness_end(&h);
	return tap_done();
}
