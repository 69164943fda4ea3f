/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The feed over its socket: nodes register, report, say what traffic there was, and wait for changes.
 */
#include "feed_world.h"
#include "http_client.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "api/admin/socket.h"
#include "feed/server.h"
#include "store/record.h"

static struct sockaddr_un address = {.sun_family = AF_UNIX};

static int listen_unix(const struct harness *h)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	(void)str_format(address.sun_path, sizeof(address.sun_path), "%s/feed.sock", h->directory);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 16) < 0)
		abort();
	return fd;
}

static int send_request(struct harness *h, const char *method, const char *target, const char *body)
{
	int fd = client_connect((const struct sockaddr *)&address, sizeof(address));
	char request[4096];

	(void)str_format(request, sizeof(request),
			 "%s %s HTTP/1.1\r\nHost: feed\r\nContent-Length: %zu\r\n\r\n%s", method, target,
			 strlen(body), body);
	client_send(h->loop, fd, request, strlen(request));
	return fd;
}

/* The answer's body; `ret_status` 0: none came. The caller's. */
static json_t *receive_answer(struct harness *h, int fd, int timeout_ms, int *ret_status)
{
	char *answer = client_receive(h->loop, fd, timeout_ms), *body = client_body(answer);

	*ret_status = client_status(answer);
	(void)close(fd);
	return body ? json_loads(body, 0, NULL) : NULL;
}

static json_t *ask(struct harness *h, const char *method, const char *target, const char *body,
		   int *ret_status)
{
	return receive_answer(h, send_request(h, method, target, body), 2000, ret_status);
}

static long long number_of(const json_t *json, const char *name)
{
	return json_integer_value(json_object_get(json, name));
}

static void test_registration_and_report(struct harness *h)
{
	static const struct {
		const char *name, *method, *target, *body;
		int status;
	} cases[] = {
		{"a report of a node that is not registered", "POST", "/feed/v1/report",
		 "{\"node\": \"delta\", \"revision\": 1}", 404},
		{"a registration", "POST", "/feed/v1/node",
		 "{\"name\": \"delta\", \"zones\": [\"cn-hangzhou-h\"], \"mtu\": 1500}", 200},
		{"the same again", "POST", "/feed/v1/node",
		 "{\"name\": \"delta\", \"zones\": [], \"mtu\": 1400}", 200},
		{"a node without a name", "POST", "/feed/v1/node", "{\"zones\": []}", 400},
		{"a node whose name is a path", "POST", "/feed/v1/node", "{\"name\": \"a/b\"}", 400},
		{"an underlay that is no address", "POST", "/feed/v1/node",
		 "{\"name\": \"e\", \"underlay\": \"x\"}", 400},
		{"a report", "POST", "/feed/v1/report",
		 "{\"node\": \"delta\", \"revision\": 1, \"failures\": [{\"key\": \"port/eni-1\", "
		 "\"reason\": \"busy\"}],"
		 " \"health\": [{\"group\": \"sgp-1\", \"server_id\": \"eni-provider\", \"port\": 443, "
		 "\"healthy\": false,"
		 " \"reason\": \"CONNECT_TIMEOUT\"}]}",
		 200},
		{"health without a result", "POST", "/feed/v1/report",
		 "{\"node\": \"delta\", \"revision\": 1, \"health\": [{\"group\": \"sgp-1\"}]}", 400},
		{"what a test found", "POST", "/feed/v1/report",
		 "{\"node\": \"delta\", \"revision\": 1, \"tests\": [{\"id\": \"ct-2\"}, {\"id\": \"ct-1\", "
		 "\"outcomes\": [{\"result\": \"Ok\", \"code\": \"\", \"text\": \"\", \"latency_us\": 1}]}]}",
		 200},
		{"an outcome that is none", "POST", "/feed/v1/report",
		 "{\"node\": \"delta\", \"revision\": 1, \"tests\": [{\"id\": \"ct-1\", \"outcomes\": "
		 "[{\"result\": \"Fine\", \"code\": \"\", \"text\": \"\"}]}]}",
		 400},
		{"an outcome that took too long", "POST", "/feed/v1/report",
		 "{\"node\": \"delta\", \"revision\": 1, \"tests\": [{\"id\": \"ct-1\", \"outcomes\": "
		 "[{\"result\": \"Ok\", \"code\": \"\", \"text\": \"\", \"latency_us\": 100000001}]}]}",
		 400},
		{"a test without an id", "POST", "/feed/v1/report",
		 "{\"node\": \"delta\", \"revision\": 1, \"tests\": [{}]}", 400},
		{"a body that is no JSON", "POST", "/feed/v1/report", "{", 400},
		{"a body that is no object", "POST", "/feed/v1/report", "[]", 400},
		{"a node that holds", "POST", "/feed/v1/report",
		 "{\"node\": \"delta\", \"revision\": 1, \"failures\": [], \"health\": [], \"hold\": \"so\"}",
		 200},
		{"a report for another store", "POST", "/feed/v1/report",
		 "{\"node\": \"delta\", \"store\": \"00000000000000000000000000000000\", \"revision\": 1}",
		 409},
		{"a hold that is no sentence", "POST", "/feed/v1/report",
		 "{\"node\": \"delta\", \"revision\": 1, \"hold\": true}", 400},
		{"another path", "GET", "/feed/v2/rows", "", 404},
		{"a poll without a node", "GET", "/feed/v1/rows?after=0", "", 400},
		{"a poll after nonsense", "GET", "/feed/v1/rows?node=delta&after=x", "", 400},
		{"a poll behind a list of nonsense", "GET", "/feed/v1/rows?node=delta&after=0&listed=x", "",
		 400},
		{"a poll with too long a timeline", "GET",
		 "/feed/v1/rows?node=delta&after=0&timeline=0123456789abcdef0", "", 400},
		{"a poll with nonsense in force", "GET", "/feed/v1/rows?node=delta&after=0&in_force=-1", "",
		 400},
	};
	int status;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *answer = ask(h, cases[i].method, cases[i].target, cases[i].body, &status);

		tap_is_int(status, cases[i].status, "feed: %s", cases[i].name);
		tap_is_str(json_string_value(json_object_get(answer, "store")), store_identity(h->store),
			   "feed: %s: the answer says whose rows these are", cases[i].name);
		if (status == 200)
			tap_is_int(number_of(answer, "lease_s"), LEASE_S, "feed: %s: the lease",
				   cases[i].name);
		json_decref(answer);
	}
	harness_settle(h);
	tap_is_int(snapshot_node(store_rows(h->store), "delta")->mtu, 1400,
		   "feed: the last registration counts");
	tap_ok(!control_node_live(h->control, "delta") && control_node(h->control, "delta").has_lease,
	       "feed: who holds has a lease and is not live");
	tap_is_str(control_node(h->control, "delta").hold, "so", "feed: why is kept");
	tap_is_int((long long)control_live_revision(h->control), 0, "feed: and nothing is in force there");
	json_decref(ask(h, "POST", "/feed/v1/report", "{\"node\": \"delta\", \"revision\": 1000000000}",
			&status));
	tap_ok(control_node_live(h->control, "delta"), "feed: who reports is live");
	tap_is_int((long long)control_live_revision(h->control), (long long)store_durable_revision(h->store),
		   "feed: nobody has more in force than was told");
}

/* ---- what nodes say of traffic ---- */

static json_t *tell_traffic(struct harness *h, const char *intervals, int *ret_status)
{
	char body[4096];

	(void)str_format(body, sizeof(body), "{\"node\": \"delta\", \"store\": \"%s\", \"intervals\": %s}",
			 store_identity(h->store), intervals);
	return ask(h, "POST", "/feed/v1/metrics", body, ret_status);
}

static long long known(const struct metrics *metrics, const char *zone, unsigned int metric, int64_t time)
{
	const struct metrics_series *series = metrics_find(metrics, "ep-1", zone);
	double number = 0;

	if (time < metrics_known_since(metrics, ALICE, series, METRICS_SHORT_S, time + METRICS_SHORT_S))
		return -1;
	metrics_sum(series, metric, METRICS_SHORT_S, time, 1, &number);
	return (long long)number;
}

/* Of each one thing is wrong, and nothing of it is taken. %lld is the time. */
static const char *const bad_traffic[] = {
	"{}",
	"[1]",
	"[{\"time\": %lld}]",
	"[{\"zones\": []}]",
	"[{\"time\": \"%lld\", \"zones\": []}]",
	"[{\"time\": %lld, \"zones\": [{\"zone\": \"z\", \"in\": [1, 1]}]}]",
	"[{\"time\": %lld, \"zones\": [{\"endpoint\": 1, \"zone\": \"z\", \"in\": [1, 1]}]}]",
	"[{\"time\": %lld, \"zones\": [{\"endpoint\": \"ep-1\", \"zone\": \"z\", \"in\": 1}]}]",
	"[{\"time\": %lld, \"zones\": [{\"endpoint\": \"ep-1\", \"zone\": \"z\", \"in\": [1]}]}]",
	"[{\"time\": %lld, \"zones\": [{\"endpoint\": \"ep-1\", \"zone\": \"z\", \"in\": [1, 1, 1]}]}]",
	"[{\"time\": %lld, \"zones\": [{\"endpoint\": \"ep-1\", \"zone\": \"z\", \"in\": [1, -1]}]}]",
	"[{\"time\": %lld, \"zones\": [{\"endpoint\": \"ep-1\", \"zone\": \"z\", \"in\": [1, 1.5]}]}]",
	"[{\"time\": %lld, \"zones\": [{\"endpoint\": \"ep-1\", \"zone\": \"z\", \"in\": [1, 9007199254740993]}]}]",
	"[{\"time\": %lld, \"zones\": [{\"endpoint\": \"ep-1\", \"zone\": \"z\", \"in\": [1, 18446744073709551615]}]}]",
	"[{\"time\": %lld, \"zones\": [{\"endpoint\": \"ep-1\", \"zone\": \"z\", \"drops\": [1]}]}]",
	"[{\"time\": %lld, \"zones\": [{\"endpoint\": \"ep-1\", \"zone\": \"z\", \"drops\": {\"vip\": -1}}]}]",
	"[{\"time\": %lld, \"zones\": [{\"endpoint\": \"ep-1\", \"zone\": \"z\", \"in\": [1, 1]}]}, 5]",
};

static void test_bad_traffic(struct harness *h, const struct metrics *metrics, int64_t time)
{
	char intervals[512];
	int status, bad = 0;

	for (size_t i = 0; i < ARRAY_SIZE(bad_traffic); i++) {
		const char *at = strstr(bad_traffic[i], "%lld");
		int length = at ? (int)(at - bad_traffic[i]) : (int)strlen(bad_traffic[i]);

		(void)str_format(intervals, sizeof(intervals), "%.*s", length, bad_traffic[i]);
		if (at)
			(void)str_format(intervals, sizeof(intervals), "%.*s%lld%s", length, bad_traffic[i],
					 (long long)time, at + strlen("%lld"));
		json_decref(tell_traffic(h, intervals, &status));
		if (status != 400) {
			tap_note("status %d: %s", status, intervals);
			bad++;
		}
	}
	tap_is_int(bad, 0, "traffic: what is malformed is refused");
	tap_ok(!metrics_is_reported(metrics, METRICS_SHORT_S, time) && metrics_memory(metrics) == 0,
	       "traffic: and nothing of it is taken");
}

static void test_traffic(struct harness *h, struct feed_server *feed)
{
	int64_t time = now_unix_s() / METRICS_SHORT_S * METRICS_SHORT_S - METRICS_SHORT_S;
	struct metrics *metrics;
	char intervals[2048];
	json_t *answer;
	int status;

	harness_must(metrics_new(METRICS_MEMORY_MAX, &metrics), "metrics");
	feed_server_set_metrics(feed, metrics);
	test_bad_traffic(h, metrics, time);
	(void)str_format(intervals, sizeof(intervals),
			 "[{\"time\": %lld, \"zones\": ["
			 "{\"endpoint\": \"ep-1\", \"zone\": \"z\", \"in\": [10, 1000], \"out\": [20, 2000],"
			 " \"in_drop\": [3, 300], \"out_drop\": [4, 400], \"flows\": [5, 6],"
			 " \"drops\": {\"policy_in\": 7, \"No Reason\": 1}},"
			 "{\"endpoint\": \"ep-1\", \"zone\": \"another\", \"in\": [10, 1000]},"
			 "{\"endpoint\": \"ep-1/z\", \"zone\": \"\", \"in\": [10, 1000]},"
			 "{\"endpoint\": \"ep-none\", \"zone\": \"z\", \"in\": [10, 1000]}]},"
			 "{\"time\": %lld, \"zones\": []}, {\"time\": 10, \"zones\": []}]",
			 (long long)time, (long long)time - METRICS_SHORT_S);
	answer = tell_traffic(h, intervals, &status);
	tap_is_int(status, 200, "traffic: what a node says is taken");
	tap_ok(number_of(answer, "since") <= time - METRICS_SHORT_KEPT_S + 2 * METRICS_SHORT_S &&
		       number_of(answer, "since") > 0,
	       "traffic: and whatever it still holds is asked for, since nothing is known of it");
	json_decref(answer);
	tap_ok(known(metrics, "z", METRIC_IN_PACKETS, time) == 10 &&
		       known(metrics, "z", METRIC_IN_BYTES, time) == 1000 &&
		       known(metrics, "z", METRIC_OUT_PACKETS, time) == 20 &&
		       known(metrics, "z", METRIC_OUT_BYTES, time) == 2000,
	       "traffic: packets and bytes, each way");
	tap_ok(known(metrics, "z", METRIC_IN_DROP_PACKETS, time) == 3 &&
		       known(metrics, "z", METRIC_OUT_DROP_BYTES, time) == 400 &&
		       known(metrics, "z", METRIC_NEW_FLOWS, time) == 5 &&
		       known(metrics, "z", METRIC_OPEN_FLOWS, time) == 6,
	       "traffic: drops and flows");
	tap_is_int(known(metrics, "z", (unsigned int)metrics_reason(metrics, "policy_in"), time), 7,
		   "traffic: drops by reason");
	tap_ok(!metrics_find(metrics, "ep-1", "another") && !metrics_find(metrics, "ep-none", "z") &&
		       !metrics_find(metrics, "ep-1/z", ""),
	       "traffic: of zones that there are not nothing is kept");
	tap_ok(metrics_node(metrics, "delta") == 0 &&
		       metrics_is_reported_by(metrics, 0, METRICS_SHORT_S, time - METRICS_SHORT_S),
	       "traffic: an interval without any is reported, too");
	answer = tell_traffic(h, intervals, &status);
	tap_ok(status == 200 && !json_object_get(answer, "since"),
	       "traffic: the second time nothing more is asked for");
	tap_is_int(known(metrics, "z", METRIC_IN_PACKETS, time), 10, "traffic: and nothing is counted twice");
	json_decref(answer);
	json_decref(ask(h, "POST", "/feed/v1/metrics",
			"{\"node\": \"delta\", \"store\": \"x\", \"intervals\": []}", &status));
	tap_is_int(status, 409, "traffic: of another store nothing is taken");
	(void)str_format(intervals, sizeof(intervals),
			 "{\"node\": \"nobody\", \"store\": \"%s\", \"intervals\": []}",
			 store_identity(h->store));
	json_decref(ask(h, "POST", "/feed/v1/metrics", intervals, &status));
	tap_is_int(status, 404, "traffic: nor from a node that is not registered");
	json_decref(ask(h, "POST", "/feed/v1/metrics", "{\"intervals\": []}", &status));
	tap_is_int(status, 400, "traffic: nor from nobody");
	feed_server_set_metrics(feed, NULL);
	metrics_free(metrics);
}

static void add_traffic(struct metrics *metrics, int64_t account, const char *endpoint, int64_t time)
{
	harness_must(metrics_add(metrics, account, endpoint, "z", METRIC_IN_PACKETS, time, 1), "traffic");
}

/* There is no room, and Alice has as much as Bob, until traffic of her endpoint comes. His is older. */
static void test_traffic_of_owner(struct harness *h, struct feed_server *feed)
{
	int64_t time = now_unix_s() / METRICS_SHORT_S * METRICS_SHORT_S - METRICS_SHORT_S;
	struct metrics *roomy, *metrics;
	char intervals[256];
	int status;

	harness_must(metrics_new(METRICS_MEMORY_MAX, &roomy), "metrics");
	for (int full = 0; full < 2; full++) {
		struct metrics *filled = full ? metrics : roomy;

		add_traffic(filled, BOB, "ep-c", time);
		add_traffic(filled, BOB, "ep-d", time);
		add_traffic(filled, ALICE, "ep-a", time);
		add_traffic(filled, ALICE, "ep-b", time);
		if (!full)
			harness_must(metrics_new(metrics_memory(roomy), &metrics), "metrics");
	}
	feed_server_set_metrics(feed, metrics);
	(void)str_format(intervals, sizeof(intervals),
			 "[{\"time\": %lld, \"zones\": ["
			 "{\"endpoint\": \"ep-1\", \"zone\": \"z\", \"in\": [10, 0]}]}]",
			 (long long)time);
	json_decref(tell_traffic(h, intervals, &status));
	tap_is_int(status, 200, "traffic: where there is no room it is taken");
	tap_ok(metrics_find(metrics, "ep-1", "z") && !metrics_find(metrics, "ep-a", "z") &&
		       metrics_find(metrics, "ep-b", "z") && metrics_find(metrics, "ep-c", "z") &&
		       metrics_find(metrics, "ep-d", "z"),
	       "traffic: and its endpoint's owner pays for it");
	feed_server_set_metrics(feed, NULL);
	metrics_free(roomy);
	metrics_free(metrics);
}

/* Who may connect is told by the kernel, not by the file's mode. */
static void test_stranger(struct harness *h)
{
	int status, fd;

	(void)chmod(h->directory, 0755);
	(void)chmod(address.sun_path, 0777);
	harness_must(seteuid(65534) < 0 ? -errno : 0, "another user");
	fd = send_request(h, "GET", "/feed/v1/rows?node=alpha&after=0&wait=0", "");
	harness_must(seteuid(0) < 0 ? -errno : 0, "root");
	json_decref(receive_answer(h, fd, 2000, &status));
	tap_is_int(status, 403, "feed: only root may speak there");
}

/* A poll that is read while a change is in memory and not on disk yet. */
static void test_ahead_of_disk(struct harness *h)
{
	int fd = send_request(h, "GET", "/feed/v1/rows?node=alpha&after=0&wait=0", ""), n = 0, status;
	struct vpc vpc = *snapshot_vpc(store_rows(h->store), "vpc-consumer");
	long long newest = 0;
	struct store_txn *txn;
	const json_t *row;
	json_t *answer;
	size_t i;

	vpc.name = "not on disk";
	harness_must(store_txn_new(&txn), "transaction");
	harness_must(store_txn_row_put(txn, KIND_VPC, &vpc), "put");
	store_commit(h->store, txn, harness_count, &n);
	answer = receive_answer(h, fd, 2000, &status);
	json_array_foreach(json_object_get(answer, "rows"), i, row) {
		newest = MAX(newest, (long long)number_of(row, "revision"));
	}
	tap_ok(status == 200 && n == 1 && newest > 0 && newest <= number_of(answer, "revision"),
	       "poll: what is not durable is told to nobody");
	json_decref(answer);
}

static bool continues(struct harness *h, const char *timeline, long long in_force)
{
	char target[256];
	json_t *answer;
	bool result;
	int status;

	(void)str_format(target, sizeof(target),
			 "/feed/v1/rows?node=alpha&after=0&timeline=%s&in_force=%lld&wait=30", timeline,
			 in_force);
	answer = ask(h, "GET", target, "", &status);
	result = status == 200 && json_is_true(json_object_get(answer, "continues"));
	json_decref(answer);
	return result;
}

static void test_history(struct harness *h, long long revision)
{
	const char *ours = store_timeline(h->store);

	tap_ok(continues(h, ours, revision), "poll: what is in force on the node is of this history");
	tap_ok(continues(h, "", 0), "poll: and so is nothing");
	tap_ok(!continues(h, ours, revision + 1), "poll: a revision that was not reached is not");
	tap_ok(!continues(h, "0123456789abcdef", 1), "poll: nor is one of a timeline that nobody knows");
}

static void test_polls(struct harness *h)
{
	char target[256];
	long long revision;
	json_t *answer;
	int status, fd;

	answer = ask(h, "GET", "/feed/v1/rows?node=alpha&after=0&wait=30", "", &status);
	tap_is_int(status, 200, "poll: the first one is answered at once");
	tap_ok(json_is_true(json_object_get(answer, "full")), "poll: with everything");
	tap_is_str(json_string_value(json_object_get(answer, "store")), store_identity(h->store),
		   "poll: and with the store's identity");
	tap_is_str(json_string_value(json_object_get(answer, "timeline")), store_timeline(h->store),
		   "poll: and with the timeline of the revision");
	revision = number_of(answer, "revision");
	json_decref(answer);
	test_history(h, revision);

	(void)str_format(target, sizeof(target), "/feed/v1/rows?node=alpha&after=%lld&wait=30", revision);
	fd = send_request(h, "GET", target, "");
	harness_settle(h);
	put_port(h, "eni-poll", "vpc-consumer", "alpha");
	answer = receive_answer(h, fd, 2000, &status);
	tap_is_int(status, 200, "poll: one that waits is answered when something changes");
	tap_ok(json_is_false(json_object_get(answer, "full")) && has_key(answer, "rows", "port/eni-poll"),
	       "poll: with the change");
	tap_ok(number_of(answer, "revision") > revision, "poll: at a higher revision");
	json_decref(answer);

	answer = ask(h, "GET", target, "", &status);
	tap_ok(json_is_false(json_object_get(answer, "full")) && has_key(answer, "rows", "port/eni-poll"),
	       "poll: a node that lost the last answer gets it again");
	revision = number_of(answer, "revision");
	json_decref(answer);
	(void)str_format(target, sizeof(target), "/feed/v1/rows?node=alpha&after=%lld&wait=1", revision);
	answer = ask(h, "GET", target, "", &status);
	tap_ok(status == 200 && json_array_size(json_object_get(answer, "rows")) == 0,
	       "poll: when its time is over without a change, it is answered with nothing");
	tap_is_int(number_of(answer, "revision"), revision, "poll: at the same revision");
	json_decref(answer);

	put_port(h, "eni-scope", "vpc-provider", "alpha");
	answer = ask(h, "GET", target, "", &status);
	tap_ok(json_is_false(json_object_get(answer, "full")) &&
		       has_key(answer, "rows", "endpoint/ep-provider") &&
		       !has_key(answer, "rows", "vpc/vpc-consumer"),
	       "poll: what has come to a node is told, and nothing else again");
	json_decref(answer);
	(void)str_format(target, sizeof(target), "/feed/v1/rows?node=alpha&after=%lld&wait=30",
			 revision + 1000000);
	answer = ask(h, "GET", target, "", &status);
	tap_ok(status == 200 && json_is_true(json_object_get(answer, "full")),
	       "poll: from a revision that there is not everything is told");
	json_decref(answer);
}

/* What does not concern a node it hears late, and of all at once. */
static void test_quiet_polls(struct harness *h)
{
	long long before = (long long)store_durable_revision(h->store);
	struct vpc vpc = *snapshot_vpc(store_rows(h->store), "vpc-other");
	char target[256];
	json_t *answer;
	int status, fd;

	(void)str_format(target, sizeof(target), "/feed/v1/rows?node=beta&after=%lld&wait=30", before);
	fd = send_request(h, "GET", target, "");
	harness_settle(h);
	vpc.name = "nobody's business";
	harness_put(h, KIND_VPC, &vpc);
	vpc = *snapshot_vpc(store_rows(h->store), "vpc-other");
	vpc.name = "nobody's either";
	harness_put(h, KIND_VPC, &vpc);
	answer = receive_answer(h, fd, 2000, &status);
	tap_ok(status == 200 && json_array_size(json_object_get(answer, "rows")) == 0 &&
		       number_of(answer, "revision") == before + 2,
	       "poll: of changes that do not concern the node it hears that they were");
	json_decref(answer);

	(void)str_format(target, sizeof(target), "/feed/v1/rows?node=beta&after=%lld&wait=30", before + 2);
	fd = send_request(h, "GET", target, "");
	harness_settle(h);
	vpc = *snapshot_vpc(store_rows(h->store), "vpc-other");
	harness_put(h, KIND_VPC, &vpc);
	vpc = *snapshot_vpc(store_rows(h->store), "vpc-provider");
	harness_put(h, KIND_VPC, &vpc);
	answer = receive_answer(h, fd, 2000, &status);
	tap_ok(status == 200 && has_key(answer, "rows", "vpc/vpc-provider") &&
		       !has_key(answer, "rows", "vpc/vpc-other"),
	       "poll: one that concerns it comes as ever");
	json_decref(answer);
}

/* A first interface that brings an endpoint brings the translated addresses for what is behind that, too:
 * without them the node would say that the endpoint failed. */
static void test_ranges_come_along(struct harness *h)
{
	char target[256];
	json_t *answer;
	int status, fd;

	(void)str_format(target, sizeof(target), "/feed/v1/rows?node=delta&after=%lld&wait=30",
			 (long long)store_durable_revision(h->store));
	fd = send_request(h, "GET", target, "");
	harness_settle(h);
	put_port(h, "eni-delta", "vpc-consumer", "delta");
	answer = receive_answer(h, fd, 2000, &status);
	tap_ok(status == 200 && has_key(answer, "rows", "port/eni-delta") &&
		       has_key(answer, "rows", "endpoint/ep-1") &&
		       has_key(answer, "rows", "server_group/sgp-1"),
	       "poll: the way to a service comes with a node's first port in a VPC");
	tap_ok(has_key(answer, "rows", "nat_range/vpc-provider/delta"),
	       "poll: and with it the node's translated addresses");
	json_decref(answer);
}

#define BUSY_VPCS 50

/* VPCs of which delta is told, each with a group that has no server yet. */
static void put_busy(struct harness *h)
{
	struct server_group group = {};
	char port[ID_SIZE];

	for (int i = 0; i < BUSY_VPCS; i++) {
		(void)str_format(group.id, sizeof(group.id), "sgp-busy-%d", i);
		(void)str_format(group.vpc, sizeof(group.vpc), "vpc-busy-%d", i);
		(void)str_format(port, sizeof(port), "eni-busy-%d", i);
		put_vpc(h, group.vpc);
		put_port(h, port, group.vpc, "delta");
		harness_put(h, KIND_SERVER_GROUP, &group);
	}
}

/* The first server of one of them, in the turn that comes: delta needs translated addresses for it. */
static void add_first_server(struct harness *h, int i, int *n)
{
	struct server server = {.server_id = "10.0.0.9", .port = 80};
	struct store_txn *txn;

	(void)str_format(server.group, sizeof(server.group), "sgp-busy-%d", i);
	harness_must(store_txn_new(&txn), "transaction");
	harness_must(store_txn_row_put(txn, KIND_SERVER, &server), "put");
	store_commit(h->store, txn, harness_count, n);
}

/* While each turn brings a change for which ranges are given out: the turn in which the poll is answered. */
static int busy_turns(struct harness *h, int fd, int *i)
{
	int first = *i, n = 0;
	char byte;

	while (*i < BUSY_VPCS) {
		add_first_server(h, (*i)++, &n);
		harness_must(loop_turn(h->loop, 0), "turn");
		if (recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1)
			break;
	}
	harness_must(n == *i - first ? 0 : -EIO, "commits");
	return *i - first;
}

static void test_busy_ranges(struct harness *h)
{
	char target[256];
	json_t *answer;
	int status, fd, i = 0, turns;

	put_busy(h);
	(void)str_format(target, sizeof(target), "/feed/v1/rows?node=delta&after=%lld&wait=30",
			 (long long)store_durable_revision(h->store));
	fd = send_request(h, "GET", target, "");
	harness_settle(h);
	turns = busy_turns(h, fd, &i);
	tap_ok(turns <= 3, "poll: one that waits is answered though each turn needs ranges");
	tap_note("after %d turns", turns);
	answer = receive_answer(h, fd, 2000, &status);
	tap_ok(status == 200 && has_key(answer, "rows", "nat_range/vpc-busy-0/delta"),
	       "poll: with those that are given out");
	json_decref(answer);

	fd = send_request(h, "GET", "/feed/v1/rows?node=delta&after=0&wait=0", "");
	turns = busy_turns(h, fd, &i);
	tap_ok(turns < 10, "poll: so is one that does not wait");
	tap_note("after %d turns, of which it takes some to be read", turns);
	json_decref(receive_answer(h, fd, 2000, &status));
	harness_settle(h);
	tap_is_int((long long)snapshot_count(store_rows(h->store), KIND_NAT_RANGE, "vpc-busy-"), i,
		   "poll: and all ranges are given out");
}

/* An agent dies while it polls, without a word (its connection stays), and another one comes. */
static void test_dead_poll(struct harness *h)
{
	int dead, status;
	char target[256];
	json_t *answer;

	json_decref(ask(h, "GET", "/feed/v1/rows?node=alpha&after=0&wait=0", "", &status));
	(void)str_format(target, sizeof(target), "/feed/v1/rows?node=alpha&after=%lld&wait=60",
			 (long long)store_durable_revision(h->store));
	dead = send_request(h, "GET", target, "");
	harness_settle(h);

	answer = ask(h, "GET", "/feed/v1/rows?node=alpha&after=0&wait=60", "", &status);
	tap_ok(json_is_true(json_object_get(answer, "full")), "dead poll: the next agent gets everything");
	(void)str_format(target, sizeof(target), "/feed/v1/rows?node=alpha&after=%lld&wait=60",
			 number_of(answer, "revision"));
	json_decref(answer);
	put_port(h, "eni-after-death", "vpc-consumer", "alpha"); /* before it polls again */
	harness_settle(h);
	answer = ask(h, "GET", target, "", &status);
	tap_ok(status == 200 && json_is_false(json_object_get(answer, "full")),
	       "dead poll: and from then on only what has changed");
	json_decref(answer);
	json_decref(receive_answer(h, dead, 2000, &status));
	tap_is_int(status, 409, "dead poll: it was let go when the next one came");
}

/* The store takes no changes any more, so whoever has what is durable waits. */
static void test_feed_stops(struct harness *h, struct feed_server **feed)
{
	json_t *body;
	char target[256], *answer;
	int fd;

	(void)str_format(target, sizeof(target), "/feed/v1/rows?node=gone&after=%lld&wait=30",
			 (long long)store_durable_revision(h->store));
	fd = send_request(h, "GET", target, "");
	harness_settle(h);
	tap_ok(recv(fd, &(char){0}, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN, "poll: one waits");
	*feed = feed_server_free(*feed);
	answer = client_receive(h->loop, fd, 2000);
	tap_is_int(client_status(answer), 503, "poll: when the server stops it is answered");
	body = json_loads(client_body(answer), 0, NULL);
	tap_is_str(json_string_value(json_object_get(body, "error")), "stopping", "poll: and told why");
	tap_is_int(recv(fd, &(char){0}, 1, MSG_DONTWAIT), 0, "poll: and its connection ends");
	json_decref(body);
	(void)close(fd);
	(void)unlink(address.sun_path);
}

static void put_unrecorded(struct harness *h)
{
	struct vpc vpc = *snapshot_vpc(store_rows(h->store), "vpc-consumer");
	struct store_txn *txn;
	int n = 0;

	vpc.name = "not recorded";
	harness_must(store_txn_new(&txn), "transaction");
	harness_must(store_txn_row_put(txn, KIND_VPC, &vpc), "put");
	store_commit(h->store, txn, harness_count, &n);
	harness_settle(h);
}

/* The record of what was written is repaired: its file is another one from here on. */
static void repair_record(const struct harness *h, int fd)
{
	char path[256];
	int repaired;

	(void)str_format(path, sizeof(path), "%s/record", h->directory);
	repaired = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (repaired < 0 || dup3(repaired, fd, O_CLOEXEC) < 0)
		abort();
	(void)close(repaired);
	(void)unlink(path);
}

/* A list broke off, and its agent asks for what has changed since it began. To hear that there is nothing
 * would make all rows of half the list. */
static void test_unrecorded_list(struct harness *h, long long listed, int record_fd)
{
	char target[128];
	json_t *answer;
	int status, fd;

	(void)str_format(target, sizeof(target),
			 "/feed/v1/rows?node=alpha&after=%lld&wait=0&pages=1&listed=%lld", listed, listed);
	answer = ask(h, "GET", target, "", &status);
	tap_is_int(status, 0, "what is to end a list waits, too");
	json_decref(answer);
	fd = send_request(h, "GET", target, "");
	harness_settle(h);
	repair_record(h, record_fd);
	answer = receive_answer(h, fd, 5000, &status);
	tap_ok(status == 200 && number_of(answer, "revision") > listed &&
		       json_array_size(json_object_get(answer, "rows")) > 0,
	       "until that is recorded, and hears of it");
	json_decref(answer);
}

/* What was written cannot be recorded. The store takes no changes from here on. */
static void test_unrecorded(struct harness *h)
{
	long long before = (long long)store_durable_revision(h->store);
	struct record *record;
	char target[128];
	json_t *answer;
	int status, record_fd = dup(STDIN_FILENO);

	(void)close(record_fd); /* which is the lowest that is free: the record's */
	harness_must(record_open("/dev/full", true, &record), "record");
	store_keep_record(h->store, record);
	(void)str_format(target, sizeof(target), "/feed/v1/rows?node=alpha&after=%lld&wait=0", before);
	answer = ask(h, "GET", target, "", &status);
	tap_ok(status == 200 && number_of(answer, "revision") == before, "a poll is answered");
	json_decref(answer);
	put_unrecorded(h);
	answer = ask(h, "GET", target, "", &status);
	tap_ok(status == 200 && number_of(answer, "revision") == before &&
		       json_array_size(json_object_get(answer, "rows")) == 0,
	       "while what is newer cannot be recorded a poll hears in its time that there is nothing");
	json_decref(answer);
	answer = ask(h, "GET", "/feed/v1/rows?node=alpha&after=0&wait=0", "", &status);
	tap_is_int(status, 0, "who has nothing yet waits");
	json_decref(answer);
	test_unrecorded_list(h, before, record_fd);
}

int main(void)
{
	struct feed_server *feed;
	struct harness h;

	log_set_level(LOG_LEVEL_ERROR);
	harness_begin(&h);
	put_world(&h);
	if (geteuid() == 0) {
		harness_must(
			feed_server_new(h.loop, h.store, h.control, listen_unix(&h), admin_handle, &feed),
			"feed");
		test_registration_and_report(&h);
		test_traffic(&h, feed);
		test_traffic_of_owner(&h, feed);
		test_stranger(&h);
		test_ahead_of_disk(&h);
		test_polls(&h);
		test_quiet_polls(&h);
		test_ranges_come_along(&h);
		test_busy_ranges(&h);
		test_dead_poll(&h);
		test_unrecorded(&h);
		test_feed_stops(&h, &feed);
	} else {
		tap_skip("the feed over its socket", "only root may speak there");
	}
	harness_end(&h);
	return tap_done();
}
