/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the traffic of an endpoint was, for its owner; of all endpoints of a service together, for the
 * service's.
 *
 * A point is known if the nodes that could have carried traffic have reported its interval: those of the
 * instances of the endpoint's VPC, from when these are there. Where there is no instance anybody's report
 * will do.
 */
#include "../../metrics/metrics.h"
#include "../../lib/vec.h"
#include "../../schema/limits.h"
#include "../frame/fill.h"
#include "../frame/shape.h"
#include "../privatelink/admission.h"
#include "actions.h"

#include <stdlib.h>

#define SINCE_DEFAULT_S (15 * 60)
#define NUMBER_MAX	9e18 /* a sum that is at its end */
#define WHOLE_ABOVE	1e12
#define REPORTED_S	3 /* after the end of an interval agents have told of it */

enum unit { UNIT_COUNT, UNIT_PER_S, UNIT_BITS_PER_S };

/* In CloudMonitor's words, and three of our own. */
static const struct {
	const char *name;
	enum metric metric;
	enum unit unit;
} metrics_told[] = {
	{"InBps", METRIC_IN_BYTES, UNIT_BITS_PER_S},
	{"OutBps", METRIC_OUT_BYTES, UNIT_BITS_PER_S},
	{"InPps", METRIC_IN_PACKETS, UNIT_PER_S},
	{"OutPps", METRIC_OUT_PACKETS, UNIT_PER_S},
	{"InDropBps", METRIC_IN_DROP_BYTES, UNIT_BITS_PER_S},
	{"OutDropBps", METRIC_OUT_DROP_BYTES, UNIT_BITS_PER_S},
	{"InDropPps", METRIC_IN_DROP_PACKETS, UNIT_PER_S},
	{"OutDropPps", METRIC_OUT_DROP_PACKETS, UNIT_PER_S},
	{"NewFlows", METRIC_NEW_FLOWS, UNIT_COUNT},
	{"OpenFlows", METRIC_OPEN_FLOWS, UNIT_COUNT},
};

struct asked {
	const char *zone; /* NULL: all */
	unsigned int period;
	int64_t start, end, now;
};

/* A node that must have reported, from `since` on. */
struct expected {
	const char *node;
	int64_t since;
};

/* An endpoint's zone; those of one zone lie side by side. */
struct part {
	const char *zone;
	const struct metrics_series *series; /* NULL: it had no traffic */
};

struct world {
	struct asked asked;
	const struct metrics *metrics;
	struct expected *expected;
	size_t n_expected, expected_size;
	struct part *parts;
	size_t n_parts, parts_size;
	bool *is_known; /* of each point */
	size_t n_points;
};

static void done(struct world *world)
{
	free(world->expected);
	free(world->parts);
	free(world->is_known);
}

/* ---- what is asked ---- */

static int64_t align(int64_t time, int64_t period)
{
	return time / period * period;
}

static int read_times(struct call *call, struct asked *asked)
{
	int64_t most = METRICS_POINTS_MAX * (int64_t)asked->period, r;
	char detail[96];

	asked->end = align(call->now - REPORTED_S, asked->period);
	r = call_time(call, "EndTime", &asked->end);
	if (r < 0)
		return (int)r;
	asked->end = align(asked->end + asked->period - 1, asked->period);
	asked->start = asked->end - SINCE_DEFAULT_S;
	r = call_time(call, "StartTime", &asked->start);
	if (r < 0)
		return (int)r;
	asked->start = align(asked->start, asked->period);
	if (asked->start >= asked->end)
		return call_fail_param(call, "EndTime", "It must be after StartTime.");
	if (asked->end - asked->start > most) {
		(void)str_format(detail, sizeof(detail), "Until EndTime there are more than %d points.",
				 METRICS_POINTS_MAX);
		return call_fail_param(call, "StartTime", detail);
	}
	return 0;
}

static int read_asked(struct call *call, struct asked *ret)
{
	int64_t period = call_int(call, "Period", METRICS_SHORT_S);

	if (period != METRICS_SHORT_S && period != METRICS_LONG_S)
		return call_fail_param(call, "Period", "It must be 10 or 60.");
	*ret = (struct asked){
		.zone = call_string(call, "ZoneId"), .period = (unsigned int)period, .now = call->now};
	return read_times(call, ret);
}

/* ---- whose traffic it is ---- */

static int expect(struct world *world, const struct instance *instance)
{
	for (size_t i = 0; i < world->n_expected; i++) {
		struct expected *expected = &world->expected[i];

		if (!streq(expected->node, instance->node))
			continue;
		expected->since = MIN(expected->since, instance->create_time);
		return 0;
	}
	if (VEC_ROOM(world->expected, world->n_expected, world->expected_size) < 0)
		return -ENOMEM;
	world->expected[world->n_expected++] =
		(struct expected){.node = instance->node, .since = instance->create_time};
	return 0;
}

static int add_part(struct world *world, const struct endpoint_zone *zone)
{
	if (world->asked.zone && !streq(world->asked.zone, zone->zone))
		return 0;
	if (VEC_ROOM(world->parts, world->n_parts, world->parts_size) < 0)
		return -ENOMEM;
	world->parts[world->n_parts++] = (struct part){
		.zone = zone->zone, .series = metrics_find(world->metrics, zone->endpoint, zone->zone)};
	return 0;
}

static int add_endpoint(struct world *world, const struct snapshot *rows, const struct endpoint *endpoint)
{
	size_t before = world->n_parts;
	int r = 0;

	for (const struct endpoint_zone *zone = NULL;
	     r == 0 && (zone = snapshot_children(rows, REF_ENDPOINT_ZONE_ENDPOINT, endpoint->id, zone));)
		r = add_part(world, zone);
	if (world->n_parts == before)
		return r;
	for (const struct instance *instance = NULL;
	     r == 0 && (instance = snapshot_children(rows, REF_INSTANCE_VPC, endpoint->vpc, instance));)
		r = *instance->node ? expect(world, instance) : 0;
	return r;
}

static int of_endpoint(struct call *call, const char *id, struct world *world)
{
	const struct endpoint *endpoint = owned_endpoint(call, id);
	int r;

	if (!endpoint)
		return call_fail(call, "EndpointNotFound");
	r = add_endpoint(world, call->rows, endpoint);
	if (r == 0 && world->asked.zone && !world->n_parts)
		return call_fail(call, "EndpointZoneNotFound");
	return r;
}

static int of_service(struct call *call, const char *id, struct world *world)
{
	const struct service *service = owned_service(call, id);
	int r = 0;

	if (!service)
		return call_fail(call, "EndpointServiceNotFound");
	for (const struct connection *connection = NULL;
	     r == 0 &&
	     (connection = snapshot_children(call->rows, REF_CONNECTION_SERVICE, service->id, connection));) {
		const struct endpoint *endpoint = snapshot_endpoint(call->rows, connection->endpoint);

		r = endpoint ? add_endpoint(world, call->rows, endpoint) : 0;
	}
	return r;
}

static int find_parts(struct call *call, struct world *world)
{
	const char *endpoint = call_string(call, "EndpointId"), *service = call_string(call, "ServiceId");

	if (endpoint && service)
		return call_fail_param(call, "ServiceId",
				       "There may be an EndpointId or a ServiceId, not both.");
	if (endpoint)
		return of_endpoint(call, endpoint, world);
	if (service)
		return of_service(call, service, world);
	return call_fail_named(call, call_words(call)->missing_part, "EndpointId");
}

/* ---- what is known ---- */

static bool is_known(const struct world *world, int64_t time)
{
	unsigned int period = world->asked.period;

	if (!metrics_is_reported(world->metrics, NULL, period, time))
		return false;
	for (size_t i = 0; i < world->n_expected; i++)
		if (world->expected[i].since < time + period &&
		    !metrics_is_reported(world->metrics, world->expected[i].node, period, time))
			return false;
	return true;
}

static int find_known(struct world *world)
{
	const struct asked *asked = &world->asked;

	world->n_points = (size_t)((asked->end - asked->start) / asked->period);
	world->is_known = calloc(world->n_points, sizeof(*world->is_known));
	if (!world->is_known)
		return -ENOMEM;
	for (size_t i = 0; i < world->n_points; i++)
		world->is_known[i] = is_known(world, asked->start + (int64_t)i * asked->period);
	return 0;
}

/* The sum over parts `first` to `end`. False: some of it is not known. */
static bool sum(const struct world *world, size_t first, size_t end, unsigned int metric, int64_t time,
		double *ret)
{
	uint64_t value;

	*ret = 0;
	for (size_t i = first; i < end; i++) {
		if (!metrics_value(world->metrics, world->parts[i].series, metric, world->asked.period, time,
				   world->asked.now, &value))
			return false;
		*ret += (double)value;
	}
	return true;
}

/* ---- as it is told ---- */

/* Whole numbers as such, others to a thousandth. */
static json_t *number(double value)
{
	json_int_t thousandths;

	if (value > WHOLE_ABOVE)
		return json_integer((json_int_t)MIN(value, NUMBER_MAX));
	thousandths = (json_int_t)(value * 1000 + 0.5);
	return thousandths % 1000 ? json_real((double)thousandths / 1000) : json_integer(thousandths / 1000);
}

static json_t *point(const struct world *world, size_t first, size_t end, unsigned int metric, enum unit unit,
		     size_t i)
{
	int64_t time = world->asked.start + (int64_t)i * world->asked.period;
	double value;

	if (!world->is_known[i] || !sum(world, first, end, metric, time, &value))
		return json_null();
	if (unit != UNIT_COUNT)
		value /= world->asked.period;
	return number(unit == UNIT_BITS_PER_S ? value * 8 : value);
}

static void tell(const struct world *world, json_t *list, size_t first, size_t end, const char *name,
		 unsigned int metric, enum unit unit)
{
	json_t *series = shape_item(list), *points;

	answer_string(series, "ZoneId", world->parts[first].zone);
	answer_string(series, "Metric", name);
	points = shape_list(series, "Points");
	for (size_t i = 0; i < world->n_points; i++)
		(void)json_array_append_new(points, point(world, first, end, metric, unit, i));
}

static bool any_has(const struct world *world, size_t first, size_t end, unsigned int metric)
{
	for (size_t i = first; i < end; i++)
		if (metrics_series_has(world->parts[i].series, metric))
			return true;
	return false;
}

static void tell_zone(const struct world *world, json_t *list, size_t first, size_t end)
{
	const char *reason;
	char name[METRICS_REASON_SIZE + 8];

	for (size_t i = 0; i < ARRAY_SIZE(metrics_told); i++)
		tell(world, list, first, end, metrics_told[i].name, metrics_told[i].metric,
		     metrics_told[i].unit);
	for (unsigned int metric = METRIC_FIXED; (reason = metrics_reason_name(world->metrics, metric));
	     metric++) {
		(void)str_format(name, sizeof(name), "Drops.%s", reason);
		if (any_has(world, first, end, metric))
			tell(world, list, first, end, name, metric, UNIT_COUNT);
	}
}

static int compare_parts(const void *a, const void *b)
{
	const struct part *x = a, *y = b;

	return strcmp(x->zone, y->zone);
}

static void tell_all(struct call *call, struct world *world)
{
	json_t *list = answer_list(call->answer, call->action->answer, "Series");
	size_t end;

	if (world->n_parts)
		qsort(world->parts, world->n_parts, sizeof(*world->parts), compare_parts);
	for (size_t first = 0; first < world->n_parts; first = end) {
		for (end = first + 1;
		     end < world->n_parts && compare_parts(&world->parts[first], &world->parts[end]) == 0;
		     end++)
			;
		tell_zone(world, list, first, end);
	}
	answer_int(call->answer, "Period", world->asked.period);
	answer_time(call->answer, "StartTime", world->asked.start);
	answer_time(call->answer, "EndTime", world->asked.end);
}

int endpoint_metrics_get(struct call *call)
{
	struct world world = {.metrics = call->metrics};
	int r = read_asked(call, &world.asked);

	if (r == 0 && !world.metrics)
		return call_fail(call, "ServiceUnavailable");
	if (r == 0)
		r = find_parts(call, &world);
	if (r == 0)
		r = find_known(&world);
	if (r == 0)
		tell_all(call, &world);
	done(&world);
	return r;
}
