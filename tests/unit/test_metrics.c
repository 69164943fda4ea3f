/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Series of numbers: where intervals begin and end, what is a gap and what a zero, sums over nodes, how long
 * is kept, that memory has a bound, and who pays when it is full.
 */
#include "../tap.h"

#include <limits.h>

#include "lib/util.h"
#include "metrics/metrics.h"

#define NOW	 1800000000 /* a multiple of 60 */
#define SHORT	 METRICS_SHORT_S
#define LONG	 METRICS_LONG_S
#define UNKNOWN	 -1
#define LAST	 (1ll << 62) /* a number that is larger than others */
#define ZONE	 "cn-hangzhou-h"
#define ENDPOINT "ep-1"
#define OWNER	 1

static struct metrics *fresh(void)
{
	struct metrics *metrics;

	if (metrics_new(METRICS_MEMORY_MAX, &metrics) < 0)
		abort();
	return metrics;
}

/* What is known of an interval; UNKNOWN: nothing. */
static long long value(const struct metrics *metrics, unsigned int metric, unsigned int period, int64_t time,
		       int64_t now)
{
	const struct metrics_series *series = metrics_find(metrics, ENDPOINT, ZONE);
	double number = 0;

	if (time < metrics_known_since(metrics, OWNER, series, period, now))
		return UNKNOWN;
	metrics_sum(series, metric, period, time, 1, &number);
	return number < LAST ? (long long)number : LAST;
}

static bool is_reported(const struct metrics *metrics, const char *node, unsigned int period, int64_t time)
{
	int number = metrics_node(metrics, node);

	return number >= 0 && metrics_is_reported_by(metrics, (size_t)number, period, time);
}

static int report(struct metrics *metrics, const char *node, int64_t time, int64_t now, uint64_t packets)
{
	int r = metrics_begin(metrics, node, time, now);

	return r < 0 ? r : metrics_add(metrics, OWNER, ENDPOINT, ZONE, METRIC_IN_PACKETS, time, packets);
}

static void test_times(void)
{
	static const struct {
		int64_t time;
		int result;
		const char *name;
	} cases[] = {
		{NOW - SHORT, 1, "an interval that is just over is taken"},
		{NOW - SHORT, -EALREADY, "and not a second time"},
		{NOW - SHORT - 1, -EINVAL, "one that begins elsewhere is not"},
		{-SHORT, -EINVAL, "nor one before all time"},
		{NOW - METRICS_SHORT_KEPT_S, 0, "one as old as is kept is taken"},
		{NOW - METRICS_SHORT_KEPT_S - SHORT, -ERANGE, "an older one is not"},
		{NOW + SHORT, 0, "a node's clock may be ahead"},
		{NOW + SHORT + SHORT, -ERANGE, "a little"},
		{INT64_MAX / SHORT * SHORT, -ERANGE, "and not for ever"},
	};
	struct metrics *metrics = fresh();

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		tap_is_int(metrics_begin(metrics, "n1", cases[i].time, NOW), cases[i].result, "%s",
			   cases[i].name);
	tap_is_int(metrics_begin(metrics, "n2", NOW - SHORT, NOW), 1, "another node's is its own");
	metrics_free(metrics);
}

static void test_sums(void)
{
	struct metrics *metrics = fresh();

	for (int i = 0; i < 6; i++)
		(void)report(metrics, "n1", NOW + i * SHORT, NOW + LONG, 5);
	(void)report(metrics, "n2", NOW, NOW + LONG, 100);
	tap_is_int(value(metrics, METRIC_IN_PACKETS, SHORT, NOW, NOW + LONG), 105, "nodes are summed up");
	tap_is_int(value(metrics, METRIC_IN_PACKETS, SHORT, NOW + SHORT, NOW + LONG), 5, "in their interval");
	tap_is_int(value(metrics, METRIC_IN_PACKETS, LONG, NOW, NOW + LONG), 130,
		   "six of 10 s make one of 60 s");
	tap_is_int(report(metrics, "n2", NOW, NOW + LONG, 100), -EALREADY, "what is said twice …");
	tap_is_int(value(metrics, METRIC_IN_PACKETS, LONG, NOW, NOW + LONG), 130, "… counts once");
	tap_is_int(value(metrics, METRIC_OUT_PACKETS, LONG, NOW, NOW + LONG), 0, "other metrics are zero");
	tap_is_int(value(metrics, METRIC_IN_PACKETS, LONG, NOW - LONG, NOW + LONG), 0,
		   "and so is what was before the first traffic");

	(void)metrics_add(metrics, OWNER, ENDPOINT, ZONE, METRIC_OPEN_FLOWS, NOW, 3);
	(void)metrics_add(metrics, OWNER, ENDPOINT, ZONE, METRIC_OPEN_FLOWS, NOW, 4);
	(void)metrics_add(metrics, OWNER, ENDPOINT, ZONE, METRIC_OPEN_FLOWS, NOW + SHORT, 5);
	tap_is_int(value(metrics, METRIC_OPEN_FLOWS, SHORT, NOW, NOW + LONG), 7, "open flows are, too");
	tap_is_int(value(metrics, METRIC_OPEN_FLOWS, LONG, NOW, NOW + LONG), 7, "but in 60 s it is the most");

	(void)metrics_add(metrics, OWNER, ENDPOINT, ZONE, METRIC_IN_BYTES, NOW, UINT64_MAX - 1);
	(void)metrics_add(metrics, OWNER, ENDPOINT, ZONE, METRIC_IN_BYTES, NOW, 10);
	tap_ok(value(metrics, METRIC_IN_BYTES, SHORT, NOW, NOW + LONG) == LAST,
	       "a sum that is too large stays at the end");
	metrics_free(metrics);
}

static void test_gaps(void)
{
	struct metrics *metrics = fresh();

	(void)report(metrics, "n1", NOW, NOW + LONG, 1);
	(void)report(metrics, "n1", NOW + 2 * SHORT, NOW + LONG, 1);
	(void)metrics_begin(metrics, "n2", NOW + SHORT, NOW + LONG);
	tap_ok(is_reported(metrics, "n1", SHORT, NOW), "a node has reported an interval");
	tap_ok(!is_reported(metrics, "n1", SHORT, NOW + SHORT), "and one it has not");
	tap_ok(metrics_is_reported(metrics, SHORT, NOW + SHORT), "another one has");
	tap_ok(!metrics_is_reported(metrics, SHORT, NOW + 3 * SHORT), "nobody has said anything of the next");
	tap_ok(!is_reported(metrics, "n1", LONG, NOW), "60 s with a gap in them are one");
	for (int i = 0; i < 6; i++)
		(void)metrics_begin(metrics, "n1", NOW + i * SHORT, NOW + LONG);
	tap_ok(is_reported(metrics, "n1", LONG, NOW), "until it is filled");
	tap_ok(metrics_is_reported(metrics, LONG, NOW), "then one node has reported 60 s");
	for (int i = 6; i < 12; i++)
		(void)metrics_begin(metrics, i < 9 ? "n1" : "n2", NOW + i * SHORT, NOW + 2 * LONG);
	tap_ok(metrics_is_reported(metrics, SHORT, NOW + LONG) &&
		       metrics_is_reported(metrics, SHORT, NOW + LONG + 5 * SHORT) &&
		       !metrics_is_reported(metrics, LONG, NOW + LONG),
	       "which nobody has of those that two nodes share");
	tap_ok(!is_reported(metrics, "n3", SHORT, NOW), "of an unknown node nothing is reported");
	metrics_free(metrics);
}

/* Whether the numbers of the last `n` intervals, taken at once, are those of `i`, `i` - 1 and so on; each
 * seventh is zero. */
static bool are_right(const struct metrics *metrics, int i, int n)
{
	double sums[METRICS_SHORT_KEPT_S / SHORT] = {0};

	metrics_sum(metrics_find(metrics, ENDPOINT, ZONE), METRIC_IN_PACKETS, SHORT, NOW + (i - n) * SHORT,
		    (size_t)n, sums);
	for (int j = 0; j < n; j++) {
		int number = i - n + 1 + j;

		if (sums[j] != (number > 0 && number % 7 ? number : 0))
			return false;
	}
	return true;
}

/* Goes on for four hours, and looks at every interval each time. */
static void test_rings(void)
{
	struct metrics *metrics = fresh();
	bool right = true, together = true;
	int64_t now = NOW;

	for (int i = 1; i <= 4 * 360; i++) {
		now = NOW + i * SHORT;
		if (i % 7 != 0)
			(void)report(metrics, "n1", now - SHORT, now, (uint64_t)i);
		else
			(void)metrics_begin(metrics, "n1", now - SHORT, now);
		if (i % 97 != 0)
			continue;
		for (int j = i - 89; j <= i; j++)
			if (j > 0 && value(metrics, METRIC_IN_PACKETS, SHORT, NOW + (j - 1) * SHORT, now) !=
					     (j % 7 ? j : 0))
				right = false;
		together = together && are_right(metrics, i, 90) && are_right(metrics, i, 1 + i % 89);
	}
	tap_ok(right, "each interval has its own number, round after round");
	tap_ok(together, "also where many are taken at once");
	tap_is_int(value(metrics, METRIC_IN_PACKETS, SHORT, now - METRICS_SHORT_KEPT_S - 3 * SHORT, now),
		   UNKNOWN, "by 10 s nothing is known before a quarter of an hour");
	tap_ok(value(metrics, METRIC_IN_PACKETS, SHORT, now - METRICS_SHORT_KEPT_S - 2 * SHORT, now) > 0,
	       "until then all is, and what was asked for a moment ago");
	tap_ok(value(metrics, METRIC_IN_PACKETS, LONG, now - METRICS_LONG_KEPT_S - LONG, now) > 0,
	       "by 60 s three hours are");
	tap_is_int(value(metrics, METRIC_IN_PACKETS, LONG, now - METRICS_LONG_KEPT_S - 3 * LONG, now),
		   UNKNOWN, "and no more");
	now += 24 * 3600;
	(void)report(metrics, "n1", now - SHORT, now, 9);
	tap_is_int(value(metrics, METRIC_IN_PACKETS, SHORT, now - 2 * SHORT, now), 0,
		   "after a day without traffic nothing of before is left");
	tap_is_int(value(metrics, METRIC_IN_PACKETS, LONG, now - LONG, now), 9, "in no ring");
	tap_ok(!is_reported(metrics, "n1", SHORT, now - 2 * SHORT), "and the day is a gap");
	metrics_free(metrics);
}

/* A node that comes back tells what it still has, the oldest first or not. */
static void test_late(void)
{
	struct metrics *metrics = fresh();

	(void)report(metrics, "n1", NOW - SHORT, NOW, 1);
	for (int i = 2; i <= 90; i++)
		(void)report(metrics, "n1", NOW - i * SHORT, NOW, (uint64_t)i);
	tap_is_int(value(metrics, METRIC_IN_PACKETS, SHORT, NOW - 90 * SHORT, NOW), 90,
		   "what is told late is where it belongs");
	tap_is_int(value(metrics, METRIC_IN_PACKETS, SHORT, NOW - SHORT, NOW), 1, "beside what came before");
	tap_is_int(value(metrics, METRIC_IN_PACKETS, LONG, NOW - LONG, NOW), 1 + 2 + 3 + 4 + 5 + 6,
		   "and adds up");
	metrics_free(metrics);
}

/* A clock that has not been set stands near 1970. */
static void test_first_day(void)
{
	struct metrics *metrics = fresh();
	double sums[3] = {0};

	(void)report(metrics, "n1", 0, SHORT, 5);
	metrics_sum(metrics_find(metrics, ENDPOINT, ZONE), METRIC_IN_PACKETS, SHORT, -SHORT, 3, sums);
	tap_ok(sums[0] == 0 && sums[1] == 5 && sums[2] == 0, "the first interval of all is one");
	tap_ok(is_reported(metrics, "n1", SHORT, 0) && !is_reported(metrics, "n1", SHORT, -SHORT) &&
		       !metrics_is_reported(metrics, SHORT, -SHORT),
	       "before it there is nothing");
	metrics_free(metrics);
}

/* The names come in no order. */
/* A machine that starts with its clock ahead, until that is set: what is told then is known at once. */
static void test_set_back(void)
{
	const int64_t ahead = NOW + 8 * 3600, back = NOW + LONG;
	struct metrics *metrics = fresh();

	(void)metrics_add(metrics, OWNER, ENDPOINT, ZONE, METRIC_OPEN_FLOWS, NOW, 1);
	tap_is_int(report(metrics, "n1", ahead - SHORT, ahead, 7), 0, "a report while the clock is ahead");
	(void)report(metrics, "n2", ahead - SHORT, ahead, 7);
	tap_is_int(metrics_begin(metrics, "n1", back - SHORT, back), 1,
		   "when it was set back, the node is a new one, and is asked for what it holds");
	(void)metrics_add(metrics, OWNER, ENDPOINT, ZONE, METRIC_IN_PACKETS, back - SHORT, 5);
	tap_is_int(metrics_begin(metrics, "n1", back - 2 * SHORT, back), 0, "also of before");
	tap_is_int(value(metrics, METRIC_IN_PACKETS, SHORT, back - SHORT, back), 5, "its numbers are known");
	tap_ok(metrics_is_reported(metrics, SHORT, back - SHORT) &&
		       metrics_is_reported(metrics, SHORT, back - 2 * SHORT),
	       "and that they were reported");
	tap_is_int((long long)metrics_nodes(metrics), 1, "others' are, when they report");
	tap_ok(!metrics_is_reported(metrics, SHORT, ahead - SHORT), "the future is not");
	tap_is_int(metrics_begin(metrics, "n2", back - SHORT, back), 1, "which they do");
	metrics_free(metrics);
}

/* A clock that is set right by little costs no history. */
static void test_set_right(void)
{
	struct metrics *metrics = fresh();

	(void)report(metrics, "n1", NOW, NOW + LONG, 5);
	(void)report(metrics, "n1", NOW + LONG, NOW + LONG + SHORT, 5);
	tap_is_int(metrics_begin(metrics, "n1", NOW - SHORT, NOW), 0, "the clock is set back by a minute");
	tap_is_int(value(metrics, METRIC_IN_PACKETS, SHORT, NOW, NOW + LONG), 5,
		   "what was reported before is kept");
	tap_is_int(metrics_begin(metrics, "n1", NOW - 2 * SHORT, NOW - SHORT), 1, "by more, and it is not");
	metrics_free(metrics);
}

/* What had to go while the clock was ahead says nothing of the time before. */
static void test_set_back_lost(void)
{
	const int64_t ahead = NOW + 8 * 3600;
	struct metrics *metrics;

	if (metrics_new(1, &metrics) < 0)
		abort();
	tap_is_int(report(metrics, "n1", ahead - SHORT, ahead, 7), -ENOSPC,
		   "no room while the clock is ahead");
	(void)metrics_begin(metrics, "n1", NOW - SHORT, NOW);
	tap_is_int(value(metrics, METRIC_IN_PACKETS, SHORT, NOW - SHORT, NOW), 0,
		   "is none of what is known once it is set back");
	tap_is_int((long long)metrics_memory(metrics), 0, "and takes no memory");
	metrics_free(metrics);
}

static void test_many_nodes(void)
{
	struct metrics *metrics = fresh();
	unsigned int n_right = 0;
	char node[16];

	for (unsigned int i = 0; i < 1000; i++) {
		(void)str_format(node, sizeof(node), "n%u", i * 7919 % 1000);
		n_right += metrics_begin(metrics, node, NOW + i % 6 * SHORT, NOW + LONG) == 1;
	}
	for (unsigned int i = 0; i < 1000; i++) {
		(void)str_format(node, sizeof(node), "n%u", i * 7919 % 1000);
		for (unsigned int j = 0; j < 6; j++)
			n_right += is_reported(metrics, node, SHORT, NOW + j * SHORT) == (j == i % 6);
	}
	tap_is_int(n_right, 7000, "each of a thousand nodes has its own reports");
	tap_ok(metrics_nodes(metrics) == 1000 && metrics_node(metrics, "n") == -ENOENT &&
		       metrics_node(metrics, "n9999") == -ENOENT,
	       "and others have none");
	metrics_free(metrics);
}

static void test_reasons(void)
{
	struct metrics *metrics = fresh();
	int first = metrics_reason(metrics, "policy_in");
	char name[METRICS_REASON_SIZE];

	tap_is_int(first, METRIC_FIXED, "a reason is a metric");
	tap_is_int(metrics_reason(metrics, "policy_in"), first, "always the same");
	tap_ok(streq(metrics_reason_name(metrics, (unsigned int)first), "policy_in"), "with its name");
	tap_ok(!metrics_reason_name(metrics, METRIC_IN_BYTES) &&
		       !metrics_reason_name(metrics, (unsigned int)first + 1),
	       "others have none");
	tap_is_int(metrics_reason(metrics, ""), -EINVAL, "no name is none");
	tap_is_int(metrics_reason(metrics, "<script>"), -EINVAL, "nor what is no word");
	tap_is_int(metrics_reason(metrics, "a_word_that_has_thirty_two_signs"), -EINVAL,
		   "nor what is too long");
	for (int i = 1; i < METRICS_REASONS_MAX; i++) {
		(void)str_format(name, sizeof(name), "reason_%d", i);
		(void)metrics_reason(metrics, name);
	}
	tap_is_int(metrics_reason(metrics, "one_more"), -ENOSPC, "there are no more than %d",
		   METRICS_REASONS_MAX);
	metrics_free(metrics);
}

static void test_bound(void)
{
	struct metrics *metrics = fresh();
	char id[ID_SIZE];
	int n = 0, r = 0;
	bool bounded = true, last_is_there = true;

	for (; n < 30000 && r == 0; n++) {
		int64_t time = NOW + n / 100 * SHORT;

		(void)str_format(id, sizeof(id), "ep-%d", n);
		for (unsigned int metric = 0; metric < METRIC_FIXED && r == 0; metric++)
			r = metrics_add(metrics, OWNER, id, ZONE, metric, time, 1);
		bounded = bounded && metrics_memory(metrics) <= METRICS_MEMORY_MAX;
		last_is_there = last_is_there && metrics_find(metrics, id, ZONE);
		if (n % 100 == 0)
			(void)metrics_add(metrics, OWNER, "ep-busy", ZONE, METRIC_IN_BYTES, time, 1);
	}
	tap_is_int(r, 0, "many zones have traffic");
	tap_ok(bounded, "their series never take more than 32 MiB");
	tap_ok(metrics_memory(metrics) > METRICS_MEMORY_MAX - 64 * 1024, "which are used");
	tap_ok(last_is_there, "the newest one is always there");
	tap_ok(!metrics_find(metrics, "ep-0", ZONE), "those that are idle longest go");
	tap_ok(metrics_find(metrics, "ep-busy", ZONE), "an old one with traffic stays");
	tap_ok(NOW >= metrics_known_since(metrics, OWNER, metrics_find(metrics, "ep-busy", ZONE), LONG,
					  NOW + 3000),
	       "and what it had is known");
	tap_ok(NOW < metrics_known_since(metrics, OWNER, NULL, LONG, NOW + 3000),
	       "that a zone without series was idle then is not known any more");
	tap_ok(NOW + 2990 >= metrics_known_since(metrics, OWNER, NULL, SHORT, NOW + 3000),
	       "that it is now is");
	metrics_free(metrics);

	if (metrics_new(64, &metrics) < 0)
		abort();
	tap_is_int(metrics_add(metrics, OWNER, "ep-1", ZONE, METRIC_IN_BYTES, NOW, 1), -ENOSPC,
		   "without room nothing is kept");
	tap_ok(NOW < metrics_known_since(metrics, OWNER, NULL, SHORT, NOW), "and that is not taken for idle");
	metrics_free(metrics);
}

static void test_nodes(void)
{
	struct metrics *metrics = fresh();
	char node[WORD_SIZE * 2 + 8];

	for (int i = 0; i <= METRICS_NODES_MAX; i++) {
		(void)str_format(node, sizeof(node), "n%d", i);
		(void)metrics_begin(metrics, node, NOW + (i == 0 ? 0 : SHORT), NOW + 2 * SHORT);
	}
	tap_ok(is_reported(metrics, node, SHORT, NOW + SHORT), "of a node too many the reports are known");
	tap_ok(!is_reported(metrics, "n0", SHORT, NOW), "in place of one that was silent for longest");
	memset(node, 'n', sizeof(node) - 1);
	node[sizeof(node) - 1] = '\0';
	tap_is_int(metrics_begin(metrics, node, NOW, NOW + SHORT), -EINVAL,
		   "a name that is too long is none");
	metrics_free(metrics);
}

/* ---- whose series go ---- */

#define MANY  2 /* an account that has many zones, */
#define FEW   3 /* one that has few, */
#define LATER 4 /* one that comes when there is no room, */
#define NONE  5 /* and one that has no traffic */

static const struct metrics_series *series_of(const struct metrics *metrics, int64_t account,
					      unsigned int number)
{
	char id[ID_SIZE];

	(void)str_format(id, sizeof(id), "ep-%lld-%u", (long long)account, number);
	return metrics_find(metrics, id, ZONE);
}

/* The first metrics of a zone count `value` each. */
static int add_traffic(struct metrics *metrics, int64_t account, unsigned int number, unsigned int n_metrics,
		       int64_t time, uint64_t value)
{
	char id[ID_SIZE];
	int r = 0;

	(void)str_format(id, sizeof(id), "ep-%lld-%u", (long long)account, number);
	for (unsigned int metric = 0; metric < n_metrics && r == 0; metric++)
		r = metrics_add(metrics, account, id, ZONE, metric, time, value);
	return r;
}

/* How many of an account's first `n` zones have series. */
static unsigned int count_series(const struct metrics *metrics, int64_t account, unsigned int n)
{
	unsigned int n_there = 0;

	for (unsigned int i = 0; i < n; i++)
		n_there += series_of(metrics, account, i) != NULL;
	return n_there;
}

static struct metrics *with_memory(size_t memory)
{
	struct metrics *metrics;

	if (metrics_new(memory, &metrics) < 0)
		abort();
	return metrics;
}

/* What an account takes that has one zone. */
static size_t memory_of_zone(unsigned int n_metrics)
{
	struct metrics *metrics = fresh();
	size_t memory;

	(void)add_traffic(metrics, OWNER, 0, n_metrics, NOW, 1);
	memory = metrics_memory(metrics);
	metrics_free(metrics);
	return memory;
}

#define FLOOD_ZONES	5000
#define FLOOD_INTERVALS 8
#define FEW_ZONES	20
#define ZONE_METRICS	6

/* Whether the account's zones have, from an interval on, what was told: its number, and in every third zone
 * nothing each other time. */
static bool are_whole(const struct metrics *metrics, int64_t account, unsigned int first, int64_t now)
{
	for (unsigned int zone = 0; zone < FEW_ZONES; zone++) {
		const struct metrics_series *series = series_of(metrics, account, zone);

		if (!series || metrics_known_since(metrics, account, series, SHORT, now) > NOW)
			return false;
		for (unsigned int i = 0; i < FLOOD_INTERVALS; i++) {
			bool is_idle = i < first || (zone % 3 == 0 && i % 2 != 0);
			double sum = 0;

			metrics_sum(series, METRIC_IN_PACKETS, SHORT, NOW + i * SHORT, 1, &sum);
			if (sum != (is_idle ? 0 : 1 + i))
				return false;
		}
	}
	return true;
}

static int add_few(struct metrics *metrics, int64_t account, unsigned int interval)
{
	int r = 0;

	for (unsigned int zone = 0; zone < FEW_ZONES && r == 0; zone++)
		if (zone % 3 != 0 || interval % 2 == 0)
			r = add_traffic(metrics, account, zone, ZONE_METRICS, NOW + interval * SHORT,
					1 + interval);
	return r;
}

static void test_flood(void)
{
	const int64_t now = NOW + FLOOD_INTERVALS * SHORT;
	struct metrics *metrics = fresh();
	bool bounded = true;
	int r = 0;

	for (unsigned int i = 0; i < FLOOD_INTERVALS && r == 0; i++) {
		(void)metrics_begin(metrics, "n1", NOW + i * SHORT, now);
		r = add_few(metrics, FEW, i);
		for (unsigned int zone = 0; zone < FLOOD_ZONES && r == 0; zone++) {
			r = add_traffic(metrics, MANY, zone, ZONE_METRICS, NOW + i * SHORT, 1);
			bounded = bounded && metrics_memory(metrics) <= METRICS_MEMORY_MAX;
		}
		if (r == 0 && i >= 4)
			r = add_few(metrics, LATER, i);
	}
	tap_is_int(r, 0, "one account has echoes to %d zones in each interval", FLOOD_ZONES);
	tap_ok(bounded && count_series(metrics, MANY, FLOOD_ZONES) > FLOOD_ZONES / 4,
	       "it has what memory there is, and no more");
	tap_ok(now - SHORT < metrics_known_since(metrics, MANY, NULL, SHORT, now),
	       "and of its other zones not even the newest interval is known");
	tap_ok(are_whole(metrics, FEW, 0, now), "the series of another one are all there, without a gap");
	tap_ok(NOW >= metrics_known_since(metrics, FEW, NULL, SHORT, now), "nor has an idle zone of it one");
	tap_ok(are_whole(metrics, LATER, 4, now),
	       "one whose first traffic comes when there is no room has its series, too");
	tap_ok(NOW >= metrics_known_since(metrics, NONE, NULL, SHORT, now),
	       "and that one without any was idle is known");
	metrics_free(metrics);
}

/* The account that holds most pays, until it holds no more than the next one; then both do. */
static void test_largest(void)
{
	const size_t memory = memory_of_zone(ZONE_METRICS);
	struct metrics *metrics = with_memory(300 * memory);
	unsigned int n_wrong = 0, many = 200, few = 100, later;

	for (unsigned int i = 0; i < many; i++)
		(void)add_traffic(metrics, MANY, i, ZONE_METRICS, NOW, 1);
	for (unsigned int i = 0; i < few; i++)
		(void)add_traffic(metrics, FEW, i, ZONE_METRICS, NOW - SHORT, 1);
	tap_ok(count_series(metrics, MANY, 200) == many && count_series(metrics, FEW, 100) == few,
	       "while there is room, nothing goes");
	for (later = 0; later < 90; later++) {
		(void)add_traffic(metrics, LATER, later, ZONE_METRICS, NOW + SHORT, 1);
		many = count_series(metrics, MANY, 200);
		n_wrong += count_series(metrics, LATER, later + 1) != later + 1 ||
			   many + later + 1 + few > 301 || many + later + 1 + few < 299 ||
			   (many && !series_of(metrics, MANY, 199)) || series_of(metrics, MANY, 199 - many);
	}
	tap_is_int(n_wrong, 0,
		   "who comes later has room, for which the eldest of the account go that has most");
	tap_is_int(count_series(metrics, FEW, 100), 100,
		   "and nothing of the one that has least, old as it is");
	tap_ok(NOW - SHORT >= metrics_known_since(metrics, FEW, NULL, SHORT, NOW + LONG) &&
		       NOW - SHORT >= metrics_known_since(metrics, LATER, NULL, SHORT, NOW + LONG) &&
		       NOW < metrics_known_since(metrics, MANY, NULL, SHORT, NOW + LONG),
	       "what went is the loss of its account");
	for (; later < 300; later++)
		(void)add_traffic(metrics, LATER, later, ZONE_METRICS, NOW + SHORT, 1);
	many = count_series(metrics, MANY, 200);
	few = count_series(metrics, FEW, 100);
	later = count_series(metrics, LATER, 300);
	tap_ok(many >= 99 && many <= 101 && few >= 99 && few <= 100 && later >= 99 && later <= 101,
	       "who goes on has as much as others, and no more: %u, %u, %u", many, few, later);
	metrics_free(metrics);
}

#define ACCOUNTS 12

/* Accounts' zones come in turn, and so do they go. */
struct zones {
	unsigned int first, end;
};

static unsigned int n_of(const struct zones *zones)
{
	return zones->end - zones->first;
}

/* Sees which series have gone. Whether all did of an account that had most then, and are that one's eldest.
 */
static bool went_right(const struct metrics *metrics, struct zones *accounts)
{
	unsigned int most = 0, gone[ACCOUNTS] = {0};

	for (unsigned int a = 0; a < ACCOUNTS; a++) {
		for (; n_of(&accounts[a]) && !series_of(metrics, a, accounts[a].first); accounts[a].first++)
			gone[a]++;
		for (unsigned int i = accounts[a].first; i < accounts[a].end; i++)
			if (!series_of(metrics, a, i))
				return false;
		most = MAX(most, n_of(&accounts[a]));
	}
	for (unsigned int a = 0; a < ACCOUNTS; a++)
		if (gone[a] && n_of(&accounts[a]) + 1 < most)
			return false;
	return true;
}

/* At first some have much more than others, in the end all want the same. */
static void test_equal(void)
{
	struct metrics *metrics = with_memory(256 * memory_of_zone(1));
	struct zones accounts[ACCOUNTS] = {0};
	unsigned int n_right = 0, least = UINT_MAX, most = 0;

	srandom(1);
	for (unsigned int i = 0; i < 4000; i++) {
		unsigned int n = i < 2000 ? 1 + (unsigned int)random() % ACCOUNTS : ACCOUNTS;
		unsigned int a = (unsigned int)random() % n;

		n_right += add_traffic(metrics, a, accounts[a].end++, 1, NOW, 1) == 0 &&
			   went_right(metrics, accounts);
	}
	tap_is_int(n_right, 4000, "among accounts at random, the eldest of one that has most goes each time");
	for (unsigned int a = 0; a < ACCOUNTS; a++) {
		least = MIN(least, n_of(&accounts[a]));
		most = MAX(most, n_of(&accounts[a]));
	}
	tap_ok(most - least <= 1 && least >= 256 / ACCOUNTS,
	       "those that all want more share equally: from %u to %u", least, most);
	metrics_free(metrics);
}

/* Each has one zone, and there is room for some of them, or for one. */
static void test_many_accounts(void)
{
	const size_t memory = memory_of_zone(1);
	struct metrics *metrics = with_memory(100 * memory);
	unsigned int n_right = 0;

	for (int64_t account = 0; account < 10000; account++)
		n_right += add_traffic(metrics, account, 0, 1, NOW + account / 1000 * SHORT, 1) == 0 &&
			   series_of(metrics, account, 0) && metrics_memory(metrics) <= 100 * memory;
	tap_is_int(n_right, 10000, "of ten thousand accounts with a zone each the newest one has its series");
	tap_is_int((long long)metrics_memory(metrics), (long long)(100 * memory),
		   "and those without any cost nothing");
	n_right = 0;
	for (int64_t account = 9900; account < 10000; account++)
		n_right += series_of(metrics, account, 0) != NULL;
	tap_is_int(n_right, 100, "of as many as hold the same, those go that are idle longest");
	tap_ok(NOW < metrics_known_since(metrics, 0, NULL, SHORT, NOW + 2 * LONG) &&
		       NOW < metrics_known_since(metrics, NONE, NULL, SHORT, NOW + 2 * LONG),
	       "which of them was idle is not known");
	(void)add_traffic(metrics, 0, 1, 1, NOW + 2 * LONG, 1);
	tap_ok(NOW < metrics_known_since(metrics, 0, NULL, SHORT, NOW + 3 * LONG),
	       "nor is it when one has another zone's traffic");
	metrics_free(metrics);

	metrics = with_memory(memory);
	n_right = 0;
	for (int64_t account = 0; account < 100; account++)
		n_right += add_traffic(metrics, account, 0, 1, NOW, 1) == 0 &&
			   metrics_memory(metrics) == memory && series_of(metrics, account, 0) &&
			   !series_of(metrics, account - 1, 0);
	tap_is_int(n_right, 100, "where there is room for one, it is the newest one's");
	metrics_free(metrics);
}

/* What no answer has any more makes room first, whoever's it is, and is nobody's loss. */
static void test_too_old(void)
{
	const int64_t now = NOW + METRICS_LONG_KEPT_S + 10 * LONG;
	struct metrics *metrics = with_memory(300 * memory_of_zone(ZONE_METRICS));
	unsigned int i;

	(void)metrics_begin(metrics, "n1", NOW, NOW + SHORT);
	for (i = 0; i < 50; i++) {
		(void)add_traffic(metrics, FEW, i, ZONE_METRICS, NOW, 1);
		(void)add_traffic(metrics, LATER, i, ZONE_METRICS, NOW, 1);
	}
	(void)metrics_begin(metrics, "n1", now - 2 * SHORT, now);
	for (i = 0; i < 295; i++)
		(void)add_traffic(metrics, MANY, i, ZONE_METRICS, now - 2 * SHORT, 1);
	tap_is_int(count_series(metrics, MANY, 295), 295, "what is too old makes room for the largest, too");
	tap_ok(count_series(metrics, FEW, 50) + count_series(metrics, LATER, 50) <= 6, "of any account");
	tap_ok(now - METRICS_LONG_KEPT_S >= metrics_known_since(metrics, MANY, NULL, LONG, now) &&
		       now - METRICS_LONG_KEPT_S >= metrics_known_since(metrics, FEW, NULL, LONG, now),
	       "and nobody loses anything");
	metrics_free(metrics);
}

static int64_t known_since(const struct metrics *metrics, int64_t account, unsigned int number)
{
	return metrics_known_since(metrics, account, series_of(metrics, account, number), SHORT, NOW + LONG);
}

/* A series that comes again, for another node's numbers, or for late ones, does not have the first one's. */
static void test_comes_again(void)
{
	struct metrics *metrics = with_memory(10 * memory_of_zone(1));

	(void)add_traffic(metrics, OWNER, 0, 1, NOW, 7);
	for (unsigned int i = 1; i <= 20; i++)
		(void)add_traffic(metrics, OWNER, i, 1, NOW, 1);
	tap_ok(!series_of(metrics, OWNER, 0), "a series has gone");
	(void)add_traffic(metrics, OWNER, 0, 1, NOW, 5);
	(void)add_traffic(metrics, OWNER, 0, 1, NOW - SHORT, 5);
	tap_ok(series_of(metrics, OWNER, 0) && known_since(metrics, OWNER, 0) > NOW,
	       "when another node tells of the interval, its numbers alone are not the sum");
	(void)add_traffic(metrics, OWNER, 0, 1, NOW + SHORT, 5);
	tap_ok(known_since(metrics, OWNER, 0) <= NOW + SHORT, "the next interval is known");
	metrics_free(metrics);
}

/* A series for one metric of which there is no room for another one. */
static void test_half_kept(void)
{
	struct metrics *metrics = with_memory(memory_of_zone(1));

	tap_is_int(add_traffic(metrics, OWNER, 0, 2, NOW, 1), -ENOSPC, "there is room for one metric of two");
	tap_is_int((long long)metrics_memory(metrics), (long long)memory_of_zone(1), "the other takes none");
	tap_ok(known_since(metrics, OWNER, 0) > NOW, "and is not taken for zero");
	(void)add_traffic(metrics, OWNER, 0, 1, NOW + SHORT, 1);
	tap_ok(known_since(metrics, OWNER, 0) <= NOW + SHORT, "the next interval is known");
	metrics_free(metrics);
}

int main(void)
{
	test_times();
	test_sums();
	test_gaps();
	test_rings();
	test_late();
	test_first_day();
	test_set_back();
	test_set_right();
	test_set_back_lost();
	test_many_nodes();
	test_reasons();
	test_bound();
	test_nodes();
	test_flood();
	test_largest();
	test_equal();
	test_many_accounts();
	test_too_old();
	test_comes_again();
	test_half_kept();
	return tap_done();
}
