/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GetEndpointMetrics: what its numbers are, whose they are, what is a gap, and which parameters it takes.
 */
#include "privatelink_world.h"

#define GET(h, uid, ...) harness_call(h, uid, PRODUCT_PRIVLINK, "GetEndpointMetrics", REGION __VA_ARGS__)
#define GET_REFUSED(h, uid, code, name, ...)                                                                 \
	harness_refused(h, uid, PRODUCT_PRIVLINK, code, name, "GetEndpointMetrics", REGION __VA_ARGS__)

#define S METRICS_SHORT_S

/* Stands in for the clock, which stands still: so no interval is over while this runs. */
int64_t __real_now_unix_s(void);
int64_t __wrap_now_unix_s(void);

static int64_t stopped_at; /* 0: it goes */

int64_t __wrap_now_unix_s(void)
{
	return stopped_at ? stopped_at : __real_now_unix_s();
}

/* The newest interval that is asked for by default. */
static int64_t newest(void)
{
	return (now_unix_s() - 3) / S * S - S;
}

/* A node's report of one zone; of none without an endpoint. */
static void report(struct harness *h, const char *node, int64_t time, const char *endpoint, uint64_t packets)
{
	const char *zone = "cn-hangzhou-h";

	if (metrics_begin(h->metrics, node, time, now_unix_s()) < 0 || !endpoint)
		return;
	harness_must(metrics_add(h->metrics, ALICE, endpoint, zone, METRIC_IN_PACKETS, time, packets),
		     "packets");
	harness_must(metrics_add(h->metrics, ALICE, endpoint, zone, METRIC_IN_BYTES, time, 1000 * packets),
		     "bytes");
	harness_must(metrics_add(h->metrics, ALICE, endpoint, zone, METRIC_OPEN_FLOWS, time, 2), "flows");
}

/* The points of a metric in a zone; borrowed from the last answer. */
static const json_t *points(const struct harness *h, const char *zone, const char *metric)
{
	const json_t *list = json_object_get(h->answer, "Series"), *series;
	size_t i;

	json_array_foreach(list, i, series)
		if (streq(json_string_value(json_object_get(series, "ZoneId")), zone) &&
		    streq(json_string_value(json_object_get(series, "Metric")), metric))
			return json_object_get(series, "Points");
	return NULL;
}

/* Of zone h, by 10 s, counted from the newest; -1: null; -2: there is none. */
static double point(const struct harness *h, const char *metric, size_t back)
{
	const json_t *list = points(h, "cn-hangzhou-h", metric);
	const json_t *value = json_array_get(list, json_array_size(list) - 1 - back);

	return json_is_number(value) ? json_number_value(value) : json_is_null(value) ? -1 : -2;
}

static size_t n_zones(const struct harness *h)
{
	return json_array_size(json_object_get(h->answer, "Series")) / 10;
}

static void test_numbers(struct harness *h, const char *endpoint)
{
	int64_t last = newest();
	char time[TIME_TEXT_SIZE];

	report(h, NODE, last - 2 * S, NULL, 0);
	report(h, NODE, last - S, endpoint, 7);
	report(h, NODE, last, NULL, 0);
	harness_must(metrics_add(h->metrics, ALICE, endpoint, "cn-hangzhou-h", METRIC_IN_DROP_PACKETS,
				 last - S, 3),
		     "drops");
	harness_must(metrics_add(h->metrics, ALICE, endpoint, "cn-hangzhou-h", METRIC_NEW_FLOWS, last - S, 4),
		     "flows");
	harness_must(metrics_add(h->metrics, ALICE, endpoint, "cn-hangzhou-h",
				 (unsigned int)metrics_reason(h->metrics, "policy_in"), last - S, 3),
		     "reason");
	GET(h, ALICE, "EndpointId=%s", endpoint);
	tap_is_int((long long)json_array_size(points(h, "cn-hangzhou-h", "InBps")), 90,
		   "by default a quarter of an hour is told by 10 s");
	tap_is_int(json_integer_value(json_object_get(h->answer, "Period")), 10, "which is said");
	time_format(last + S, time);
	tap_is_str(json_string_value(json_object_get(h->answer, "EndTime")), time,
		   "up to the newest interval");
	time_format(last + S - 900, time);
	tap_is_str(json_string_value(json_object_get(h->answer, "StartTime")), time, "from there");
	tap_ok(point(h, "InPps", 1) == 0.7 && point(h, "InBps", 1) == 5600, "packets and bits a second");
	tap_ok(point(h, "OutPps", 1) == 0 && point(h, "OutDropBps", 1) == 0, "zeros where nothing was");
	tap_ok(point(h, "InDropPps", 1) == 0.3 && point(h, "Drops.policy_in", 1) == 3,
	       "drops a second, and by reason how many");
	tap_ok(point(h, "NewFlows", 1) == 4 && point(h, "OpenFlows", 1) == 2, "and flows");
	tap_ok(point(h, "InPps", 0) == 0 && point(h, "InPps", 2) == 0, "an interval without traffic is zero");
	tap_ok(point(h, "InPps", 3) == -1 && point(h, "Drops.policy_in", 89) == -1,
	       "one that nobody has reported is null");
	tap_ok(point(h, "Drops.vip", 0) == -2, "a reason that never was is not told");
	tap_ok(!points(h, "cn-hangzhou-i", "Drops.policy_in") && points(h, "cn-hangzhou-i", "InPps"),
	       "nor is it in the other zone, which is idle");
	tap_is_int(json_integer_value(json_array_get(points(h, "cn-hangzhou-i", "InPps"), 89)), 0,
		   "and zero");
}

static void test_zones_and_times(struct harness *h, const char *endpoint)
{
	char start[TIME_TEXT_SIZE], end[TIME_TEXT_SIZE];
	int64_t last = newest();

	GET(h, ALICE, "EndpointId=%s&ZoneId=cn-hangzhou-i", endpoint);
	tap_ok(!points(h, "cn-hangzhou-h", "InPps") && points(h, "cn-hangzhou-i", "InPps"),
	       "one zone can be asked for");
	time_format(last - S + 1, start);
	time_format(last + 1, end);
	GET(h, ALICE, "EndpointId=%s&StartTime=%s&EndTime=%s", endpoint, start, end);
	tap_is_int((long long)json_array_size(points(h, "cn-hangzhou-h", "InPps")), 2,
		   "times are aligned to intervals");
	tap_ok(point(h, "InPps", 1) == 0.7, "with what was in them");
	time_format(now_unix_s() + 600, end);
	GET(h, ALICE, "EndpointId=%s&EndTime=%s&Period=60", endpoint, end);
	tap_ok(json_array_size(points(h, "cn-hangzhou-h", "InPps")) == 15 && point(h, "InPps", 0) == -1,
	       "nothing is known of the future");
	time_format(now_unix_s() - 7200, start);
	GET(h, ALICE, "EndpointId=%s&StartTime=%s&Period=60", endpoint, start);
	tap_ok(json_array_size(points(h, "cn-hangzhou-h", "InPps")) >= 119, "hours can be told by 60 s");
	tap_ok(point(h, "InPps", 0) == -1, "of which one with a gap is a gap");
}

static void test_refused(struct harness *h, const char *endpoint, const char *service)
{
	GET_REFUSED(h, ALICE, "MissingParameter.EndpointId", "without an object", "Period=10");
	GET_REFUSED(h, ALICE, "InvalidParameter.ServiceId", "with two", "EndpointId=%s&ServiceId=%s",
		    endpoint, service);
	GET_REFUSED(h, BOB, "EndpointNotFound", "another's endpoint", "EndpointId=%s", endpoint);
	GET_REFUSED(h, ALICE, "EndpointServiceNotFound", "another's service", "ServiceId=%s", service);
	GET_REFUSED(h, ALICE, "EndpointZoneNotFound", "a zone that it has not",
		    "EndpointId=%s&ZoneId=cn-hangzhou-j", endpoint);
	GET_REFUSED(h, ALICE, "InvalidParameter.Period", "another period", "EndpointId=%s&Period=30",
		    endpoint);
	GET_REFUSED(h, ALICE, "InvalidParameter.StartTime", "a time that is none",
		    "EndpointId=%s&StartTime=now", endpoint);
	GET_REFUSED(h, ALICE, "InvalidParameter.EndTime", "an end before the beginning",
		    "EndpointId=%s&StartTime=2026-01-02T03:04:05Z&EndTime=2026-01-02T03:00:00Z", endpoint);
	GET_REFUSED(h, ALICE, "InvalidParameter.StartTime", "181 points",
		    "EndpointId=%s&StartTime=2026-01-02T03:00:00Z&EndTime=2026-01-02T06:01:00Z&Period=60",
		    endpoint);
	GET(h, ALICE, "EndpointId=%s&StartTime=2026-01-02T03:00:00Z&EndTime=2026-01-02T06:00:00Z&Period=60",
	    endpoint);
	tap_ok(json_array_size(points(h, "cn-hangzhou-h", "InPps")) == 180 && point(h, "InPps", 0) == -1,
	       "180 are the most; of long ago all are null");
}

static void test_service(struct harness *h, const char *endpoint, const char *second, const char *service)
{
	int64_t last = newest();
	char *text;

	report(h, "another", last - S, second, 5);
	GET(h, BOB, "ServiceId=%s", service);
	tap_ok(point(h, "InPps", 1) == 1.2, "a service's owner sees the sum over its endpoints");
	tap_ok(n_zones(h) == 2, "by zone");
	text = json_dumps(h->answer, 0);
	tap_ok(!strstr(text, endpoint) && !strstr(text, second) && !strstr(text, "vpc-"),
	       "and no id of theirs");
	free(text);
	GET(h, BOB, "ServiceId=%s&ZoneId=cn-hangzhou-k", service);
	tap_is_int((long long)json_array_size(json_object_get(h->answer, "Series")), 0,
		   "of a zone in which there is none nothing");
}

/* An instance of the VPC is on a node that has not reported. */
static void test_silent_node(struct harness *h, const char *endpoint, const char *vpc)
{
	struct instance instance = {.owner = ALICE, .create_time = newest() - S};

	(void)str_copy(instance.id, sizeof(instance.id), "i-silent");
	(void)str_copy(instance.vpc, sizeof(instance.vpc), vpc);
	(void)str_copy(instance.node, sizeof(instance.node), "silent");
	harness_put(h, KIND_INSTANCE, &instance);
	GET(h, ALICE, "EndpointId=%s", endpoint);
	tap_ok(point(h, "InPps", 0) == -1 && point(h, "InPps", 1) == -1,
	       "where an instance's node has not reported, the sum is not known");
	tap_ok(point(h, "InPps", 2) == 0, "it is before the instance was there");
	report(h, "silent", newest() - S, endpoint, 100);
	GET(h, ALICE, "EndpointId=%s", endpoint);
	tap_ok(point(h, "InPps", 1) == 10.7, "and when the node has told it");
}

static unsigned int n_null(const struct harness *h, const char *zone)
{
	const json_t *list = points(h, zone, "InPps"), *value;
	unsigned int n = 0;
	size_t i;

	json_array_foreach(list, i, value)
		n += json_is_null(value);
	return n;
}

/* Bob's zones fill the memory, and one of them is an idle one of an endpoint of his. */
static void test_flood(struct harness *h, const char *endpoint, const char *bobs)
{
	const char *const zones[] = {"cn-hangzhou-h", "cn-hangzhou-i"};
	unsigned int before[ARRAY_SIZE(zones)], n_same = 0;
	char id[ID_SIZE];

	GET(h, ALICE, "EndpointId=%s", endpoint);
	for (size_t i = 0; i < ARRAY_SIZE(zones); i++)
		before[i] = n_null(h, zones[i]);
	GET(h, BOB, "EndpointId=%s", bobs);
	tap_ok(point(h, "InPps", 1) == 0, "before it is full an idle endpoint is known as such");
	for (unsigned int i = 0; metrics_memory(h->metrics) < METRICS_MEMORY_MAX - 64 * 1024 || i < 3000;
	     i++) {
		(void)str_format(id, sizeof(id), "ep-bob-%u", i);
		for (unsigned int metric = 0; metric < METRIC_FIXED; metric++)
			harness_must(metrics_add(h->metrics, BOB, id, "cn-hangzhou-h", metric, newest(), 1),
				     "flood");
	}
	GET(h, ALICE, "EndpointId=%s", endpoint);
	for (size_t i = 0; i < ARRAY_SIZE(zones); i++)
		n_same += n_null(h, zones[i]) == before[i];
	tap_ok(n_same == ARRAY_SIZE(zones) && before[0] < 90,
	       "another account's many zones cost neither a zone's numbers nor an idle one's zeros");
	GET(h, BOB, "EndpointId=%s", bobs);
	tap_is_int(n_null(h, "cn-hangzhou-h"), 90, "of that account's own idle ones nothing is known");
}

/* An endpoint of the world's service. */
static const char *make_metered(struct harness *h, int64_t uid, const struct world *w,
				const struct place *place, const char *zone, const char *vsw)
{
	return PL_GET(
		h, uid, "EndpointId", "CreateVpcEndpoint",
		REGION
		"VpcId=%s&ServiceId=%s&SecurityGroupId.1=%s&Zone.1.ZoneId=cn-hangzhou-h&Zone.1.VSwitchId=%s%s%s",
		place->vpc, w->service, place->sg, place->vsw_h, zone, vsw);
}

int main(void)
{
	const char *endpoint, *second, *bobs;
	struct harness h;
	struct world w;

	log_set_level(LOG_LEVEL_ERROR);
	harness_begin(&h);
	w = make_world(&h);
	endpoint = make_metered(&h, ALICE, &w, &w.consumer,
				"&Zone.2.ZoneId=cn-hangzhou-i&Zone.2.VSwitchId=", w.consumer.vsw_i);
	second = make_metered(&h, ALICE, &w, &w.consumer, "", "");
	bobs = make_metered(&h, BOB, &w, &w.provider, "", "");
	harness_in_force(&h, NODE);
	stopped_at = now_unix_s();
	test_numbers(&h, endpoint);
	test_zones_and_times(&h, endpoint);
	test_refused(&h, endpoint, w.service);
	test_service(&h, endpoint, second, w.service);
	test_silent_node(&h, endpoint, w.consumer.vpc);
	test_flood(&h, endpoint, bobs);
	harness_end(&h);
	return tap_done();
}
