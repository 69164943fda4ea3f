/* SPDX-License-Identifier: Apache-2.0 */
#include "server_metrics.h"

#include "../lib/util.h"

/* A zone's pairs: packets and bytes, or flows that opened and that are open. */
static const struct pair {
	const char *name;
	enum metric first, second;
} pairs[] = {
	{"in", METRIC_IN_PACKETS, METRIC_IN_BYTES},
	{"out", METRIC_OUT_PACKETS, METRIC_OUT_BYTES},
	{"in_drop", METRIC_IN_DROP_PACKETS, METRIC_IN_DROP_BYTES},
	{"out_drop", METRIC_OUT_DROP_PACKETS, METRIC_OUT_DROP_BYTES},
	{"flows", METRIC_NEW_FLOWS, METRIC_OPEN_FLOWS},
};

static bool is_number(const json_t *value)
{
	json_int_t number = json_integer_value(value);

	return json_is_integer(value) && number >= 0 && number <= METRICS_VALUE_MAX;
}

static bool is_pair(const json_t *value)
{
	return !value || (json_is_array(value) && json_array_size(value) == 2 &&
			  is_number(json_array_get(value, 0)) && is_number(json_array_get(value, 1)));
}

static bool are_drops(json_t *drops)
{
	const char *name;
	json_t *value;

	if (!drops)
		return true;
	if (!json_is_object(drops) || json_object_size(drops) > METRICS_REASONS_MAX)
		return false;
	json_object_foreach(drops, name, value)
		if (!is_number(value))
			return false;
	return true;
}

static bool is_zone(const json_t *zone)
{
	if (!json_is_string(json_object_get(zone, "endpoint")) ||
	    !json_is_string(json_object_get(zone, "zone")))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		if (!is_pair(json_object_get(zone, pairs[i].name)))
			return false;
	return are_drops(json_object_get(zone, "drops"));
}

static bool is_interval(const json_t *interval)
{
	const json_t *zones = json_object_get(interval, "zones"), *zone;
	size_t i;

	if (!json_is_integer(json_object_get(interval, "time")) || !json_is_array(zones) ||
	    json_array_size(zones) > FEED_ZONES_MAX)
		return false;
	json_array_foreach(zones, i, zone)
		if (!is_zone(zone))
			return false;
	return true;
}

/* Where a zone as it is told belongs. */
struct place {
	struct metrics *metrics;
	int64_t account; /* the endpoint's owner */
	const char *endpoint, *zone;
	int64_t time;
};

/* What does not fit is not known; nothing else can be done about it. */
static void add(const struct place *place, unsigned int metric, const json_t *value)
{
	(void)metrics_add(place->metrics, place->account, place->endpoint, place->zone, metric, place->time,
			  (uint64_t)json_integer_value(value));
}

static void add_zone(struct metrics *metrics, const struct snapshot *rows, int64_t time, const json_t *zone)
{
	struct place place = {.metrics = metrics,
			      .endpoint = json_string_value(json_object_get(zone, "endpoint")),
			      .zone = json_string_value(json_object_get(zone, "zone")),
			      .time = time};
	const struct endpoint *endpoint = snapshot_endpoint(rows, place.endpoint);
	const char *name;
	json_t *value;

	if (!endpoint || !snapshot_endpoint_zone(rows, place.endpoint, place.zone))
		return;
	place.account = endpoint->owner;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		const json_t *pair = json_object_get(zone, pairs[i].name);

		add(&place, pairs[i].first, json_array_get(pair, 0));
		add(&place, pairs[i].second, json_array_get(pair, 1));
	}
	json_object_foreach(json_object_get(zone, "drops"), name, value) {
		int metric = metrics_reason(metrics, name);

		if (metric >= 0)
			add(&place, (unsigned int)metric, value);
	}
}

/* As metrics_begin(). */
static int add_interval(struct metrics *metrics, const struct snapshot *rows, const char *node,
			const json_t *interval, int64_t now)
{
	int64_t time = json_integer_value(json_object_get(interval, "time"));
	const json_t *zones = json_object_get(interval, "zones"), *zone;
	int r = metrics_begin(metrics, node, time, now);
	size_t i;

	if (r < 0)
		return r;
	json_array_foreach(zones, i, zone)
		add_zone(metrics, rows, time, zone);
	return r;
}

int feed_metrics_take(struct metrics *metrics, const struct snapshot *rows, const char *node,
		      const json_t *report, int64_t now)
{
	const json_t *intervals = json_object_get(report, "intervals"), *interval;
	bool is_new = false;
	size_t i;

	if (!json_is_array(intervals) || json_array_size(intervals) > FEED_INTERVALS_MAX)
		return -EINVAL;
	json_array_foreach(intervals, i, interval)
		if (!is_interval(interval))
			return -EINVAL;
	json_array_foreach(intervals, i, interval) {
		int r = add_interval(metrics, rows, node, interval, now);

		if (r == -ENOMEM)
			return r;
		is_new = is_new || r > 0;
	}
	return is_new;
}
