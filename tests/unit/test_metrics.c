/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Series of numbers: where intervals begin and end, what is a gap and what a zero, sums over nodes, how long
 * is kept, and that memory has a bound.
 */
#include "../tap.h"

#include "lib/util.h"
#include "metrics/metrics.h"

#define NOW	 1800000000 /* a multiple of 60 */
#define SHORT	 METRICS_SHORT_S
#define LONG	 METRICS_LONG_S
#define UNKNOWN	 -1
#define LAST	 (1ll << 62) /* a number that is larger than others */
#define ZONE	 "cn-hangzhou-h"
#define ENDPOINT "ep-1"

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

	if (time < metrics_known_since(metrics, series, period, now))
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

	return r < 0 ? r : metrics_add(metrics, ENDPOINT, ZONE, METRIC_IN_PACKETS, time, packets);
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

	(void)metrics_add(metrics, ENDPOINT, ZONE, METRIC_OPEN_FLOWS, NOW, 3);
	(void)metrics_add(metrics, ENDPOINT, ZONE, METRIC_OPEN_FLOWS, NOW, 4);
	(void)metrics_add(metrics, ENDPOINT, ZONE, METRIC_OPEN_FLOWS, NOW + SHORT, 5);
	tap_is_int(value(metrics, METRIC_OPEN_FLOWS, SHORT, NOW, NOW + LONG), 7, "open flows are, too");
	tap_is_int(value(metrics, METRIC_OPEN_FLOWS, LONG, NOW, NOW + LONG), 7, "but in 60 s it is the most");

	(void)metrics_add(metrics, ENDPOINT, ZONE, METRIC_IN_BYTES, NOW, UINT64_MAX - 1);
	(void)metrics_add(metrics, ENDPOINT, ZONE, METRIC_IN_BYTES, NOW, 10);
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

	(void)metrics_add(metrics, ENDPOINT, ZONE, METRIC_OPEN_FLOWS, NOW, 1);
	tap_is_int(report(metrics, "n1", ahead - SHORT, ahead, 7), 0, "a report while the clock is ahead");
	(void)report(metrics, "n2", ahead - SHORT, ahead, 7);
	tap_is_int(metrics_begin(metrics, "n1", back - SHORT, back), 1,
		   "when it was set back, the node is a new one, and is asked for what it holds");
	(void)metrics_add(metrics, ENDPOINT, ZONE, METRIC_IN_PACKETS, back - SHORT, 5);
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
			r = metrics_add(metrics, id, ZONE, metric, time, 1);
		bounded = bounded && metrics_memory(metrics) <= METRICS_MEMORY_MAX;
		last_is_there = last_is_there && metrics_find(metrics, id, ZONE);
		if (n % 100 == 0)
			(void)metrics_add(metrics, "ep-busy", ZONE, METRIC_IN_BYTES, time, 1);
	}
	tap_is_int(r, 0, "many zones have traffic");
	tap_ok(bounded, "their series never take more than 32 MiB");
	tap_ok(metrics_memory(metrics) > METRICS_MEMORY_MAX - 64 * 1024, "which are used");
	tap_ok(last_is_there, "the newest one is always there");
	tap_ok(!metrics_find(metrics, "ep-0", ZONE), "those that are idle longest go");
	tap_ok(metrics_find(metrics, "ep-busy", ZONE), "an old one with traffic stays");
	tap_ok(NOW >= metrics_known_since(metrics, metrics_find(metrics, "ep-busy", ZONE), LONG, NOW + 3000),
	       "and what it had is known");
	tap_ok(NOW < metrics_known_since(metrics, NULL, LONG, NOW + 3000),
	       "that a zone without series was idle then is not known any more");
	tap_ok(NOW + 2990 >= metrics_known_since(metrics, NULL, SHORT, NOW + 3000), "that it is now is");
	metrics_free(metrics);

	if (metrics_new(64, &metrics) < 0)
		abort();
	tap_is_int(metrics_add(metrics, "ep-1", ZONE, METRIC_IN_BYTES, NOW, 1), -ENOSPC,
		   "without room nothing is kept");
	tap_ok(NOW < metrics_known_since(metrics, NULL, SHORT, NOW), "and that is not taken for idle");
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

/* ---- a series that has gone ---- */

static const struct metrics_series *series_of(const struct metrics *metrics, unsigned int number)
{
	char id[ID_SIZE];

	(void)str_format(id, sizeof(id), "ep-%u", number);
	return metrics_find(metrics, id, ZONE);
}

/* The first metrics of a zone count `value` each. */
static int add_traffic(struct metrics *metrics, unsigned int number, unsigned int n_metrics, int64_t time,
		       uint64_t value)
{
	char id[ID_SIZE];
	int r = 0;

	(void)str_format(id, sizeof(id), "ep-%u", number);
	for (unsigned int metric = 0; metric < n_metrics && r == 0; metric++)
		r = metrics_add(metrics, id, ZONE, metric, time, value);
	return r;
}

static struct metrics *with_memory(size_t memory)
{
	struct metrics *metrics;

	if (metrics_new(memory, &metrics) < 0)
		abort();
	return metrics;
}

/* What one zone takes. */
static size_t memory_of_zone(unsigned int n_metrics)
{
	struct metrics *metrics = fresh();
	size_t memory;

	(void)add_traffic(metrics, 0, n_metrics, NOW, 1);
	memory = metrics_memory(metrics);
	metrics_free(metrics);
	return memory;
}

static int64_t known_since(const struct metrics *metrics, unsigned int number)
{
	return metrics_known_since(metrics, series_of(metrics, number), SHORT, NOW + LONG);
}

/* A series that comes again, for another node's numbers, or for late ones, does not have the first one's. */
static void test_comes_again(void)
{
	struct metrics *metrics = with_memory(10 * memory_of_zone(1));

	(void)add_traffic(metrics, 0, 1, NOW, 7);
	for (unsigned int i = 1; i <= 20; i++)
		(void)add_traffic(metrics, i, 1, NOW, 1);
	tap_ok(!series_of(metrics, 0), "a series has gone");
	(void)add_traffic(metrics, 0, 1, NOW, 5);
	(void)add_traffic(metrics, 0, 1, NOW - SHORT, 5);
	tap_ok(series_of(metrics, 0) && known_since(metrics, 0) > NOW,
	       "when another node tells of the interval, its numbers alone are not the sum");
	(void)add_traffic(metrics, 0, 1, NOW + SHORT, 5);
	tap_ok(known_since(metrics, 0) <= NOW + SHORT, "the next interval is known");
	metrics_free(metrics);
}

/* A series for one metric of which there is no room for another one. */
static void test_half_kept(void)
{
	struct metrics *metrics = with_memory(memory_of_zone(1));

	tap_is_int(add_traffic(metrics, 0, 2, NOW, 1), -ENOSPC, "there is room for one metric of two");
	tap_is_int((long long)metrics_memory(metrics), (long long)memory_of_zone(1), "the other takes none");
	tap_ok(known_since(metrics, 0) > NOW, "and is not taken for zero");
	(void)add_traffic(metrics, 0, 1, NOW + SHORT, 1);
	tap_ok(known_since(metrics, 0) <= NOW + SHORT, "the next interval is known");
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
	test_comes_again();
	test_half_kept();
	return tap_done();
}
