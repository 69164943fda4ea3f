/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the traffic of an endpoint was, for its owner; of all endpoints of a service together, for the
 * service's.
 *
 * A point is known if the nodes that could have carried traffic have reported its interval: those of the
 * instances of the endpoint's VPC, from when these are there. Where there is no instance anybody's report
 * will do.
 *
 * A service may have very many endpoints, and most of them no traffic. So a VPC's instances are looked at
 * once, of idle endpoints one stands for all in a zone, and sums are made of what was counted, whose memory
 * has a bound: what is left for each endpoint are a few steps.
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

/* A node that must have reported, from `since` on; INT64_MAX: it need not. */
struct expected {
	size_t node; /* its number in the metrics */
	int64_t since;
};

/* An endpoint's zone; those of one zone lie side by side. */
struct part {
	const char *zone;
	const struct metrics_series *series; /* NULL: it had no traffic, nor had others that are left out */
	int64_t known_since;		     /* of these, too, whosever they are */
};

/* The parts that are of one zone. */
struct zone {
	const char *id;
	const struct part *first, *end;
	int64_t known_since; /* of all parts */
};

struct world {
	struct asked asked;
	const struct metrics *metrics;
	const char **vpcs; /* the endpoints', with repetitions */
	size_t n_vpcs, vpcs_size;
	struct expected *expected;
	size_t n_expected;
	int64_t silent_since; /* from then on a node is expected that has never reported */
	size_t *idle;	      /* places of the parts without a series, one for each zone */
	size_t n_idle, idle_size;
	struct part *parts;
	size_t n_parts, parts_size;
	bool *is_known; /* of each point */
	size_t n_points;
	size_t n_rows; /* endpoints and instances that were looked at */
};

static void done(struct world *world)
{
	free(world->vpcs);
	free(world->expected);
	free(world->idle);
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

static int add_part(struct world *world, const char *zone, const struct metrics_series *series,
		    int64_t known_since)
{
	if (VEC_ROOM(world->parts, world->n_parts, world->parts_size) < 0)
		return -ENOMEM;
	world->parts[world->n_parts++] =
		(struct part){.zone = zone, .series = series, .known_since = known_since};
	return 0;
}

static int add_idle(struct world *world, const char *zone, int64_t known_since)
{
	for (size_t i = 0; i < world->n_idle; i++) {
		struct part *part = &world->parts[world->idle[i]];

		if (streq(part->zone, zone)) {
			part->known_since = MAX(part->known_since, known_since);
			return 0;
		}
	}
	if (VEC_ROOM(world->idle, world->n_idle, world->idle_size) < 0)
		return -ENOMEM;
	world->idle[world->n_idle++] = world->n_parts;
	return add_part(world, zone, NULL, known_since);
}

static int64_t known_since(const struct world *world, const struct endpoint *endpoint,
			   const struct metrics_series *series)
{
	return metrics_known_since(world->metrics, endpoint->owner, series, world->asked.period,
				   world->asked.now);
}

/* `idle_since`: what is known of its zones without a series, is from then on. */
static int add_zone(struct world *world, const struct endpoint *endpoint, const char *zone,
		    int64_t idle_since)
{
	const struct metrics_series *series = metrics_find(world->metrics, endpoint->id, zone);

	if (!series)
		return add_idle(world, zone, idle_since);
	return add_part(world, zone, series, known_since(world, endpoint, series));
}

static int add_endpoint(struct world *world, const struct snapshot *rows, const struct endpoint *endpoint)
{
	int64_t idle_since = known_since(world, endpoint, NULL);
	bool is_asked = false;
	int r = 0;

	world->n_rows++;
	for (const struct endpoint_zone *zone = NULL;
	     r == 0 && (zone = snapshot_children(rows, REF_ENDPOINT_ZONE_ENDPOINT, endpoint->id, zone));) {
		if (world->asked.zone && !streq(world->asked.zone, zone->zone))
			continue;
		is_asked = true;
		r = add_zone(world, endpoint, zone->zone, idle_since);
	}
	if (r < 0 || !is_asked)
		return r;
	if (VEC_ROOM(world->vpcs, world->n_vpcs, world->vpcs_size) < 0)
		return -ENOMEM;
	world->vpcs[world->n_vpcs++] = endpoint->vpc;
	return 0;
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

/* ---- who must have reported ---- */

/* Endpoints share the text, so VPCs are the same if their pointers are. */
static int compare_vpcs(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return ((uintptr_t)x[0] > (uintptr_t)y[0]) - ((uintptr_t)x[0] < (uintptr_t)y[0]);
}

static void expect(struct world *world, const struct instance *instance)
{
	int node = metrics_node(world->metrics, instance->node);
	int64_t *since = node < 0 ? &world->silent_since : &world->expected[node].since;

	*since = MIN(*since, instance->create_time);
}

/* Those of no node are nowhere. */
static void expect_instances(struct world *world, const struct snapshot *rows, const char *vpc)
{
	for (const struct instance *instance = NULL;
	     (instance = snapshot_children(rows, REF_INSTANCE_VPC, vpc, instance));) {
		if (*instance->node)
			expect(world, instance);
		world->n_rows++;
	}
}

static int find_expected(struct world *world, const struct snapshot *rows)
{
	size_t n = metrics_nodes(world->metrics);

	world->silent_since = INT64_MAX;
	world->expected = calloc(n + 1, sizeof(*world->expected));
	if (!world->expected)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		world->expected[i] = (struct expected){.node = i, .since = INT64_MAX};
	if (world->n_vpcs)
		qsort(world->vpcs, world->n_vpcs, sizeof(*world->vpcs), compare_vpcs);
	for (size_t i = 0; i < world->n_vpcs; i++)
		if (i == 0 || world->vpcs[i] != world->vpcs[i - 1])
			expect_instances(world, rows, world->vpcs[i]);
	for (size_t i = 0; i < n; i++)
		if (world->expected[i].since != INT64_MAX)
			world->expected[world->n_expected++] = world->expected[i];
	return 0;
}

/* ---- what is known ---- */

static bool is_known(const struct world *world, int64_t time)
{
	unsigned int period = world->asked.period;

	if (!metrics_is_reported(world->metrics, period, time) || world->silent_since < time + period)
		return false;
	for (size_t i = 0; i < world->n_expected; i++)
		if (world->expected[i].since < time + period &&
		    !metrics_is_reported_by(world->metrics, world->expected[i].node, period, time))
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

static int64_t zone_known_since(const struct zone *zone)
{
	int64_t latest = INT64_MIN;

	for (const struct part *part = zone->first; part < zone->end; part++)
		latest = MAX(latest, part->known_since);
	return latest;
}

/* The metric's sums over the zone's parts, one for each point. False: nothing was ever counted of it. */
static bool sum(const struct world *world, const struct zone *zone, unsigned int metric, double *ret)
{
	bool has_any = false;

	memset(ret, 0, world->n_points * sizeof(*ret));
	for (const struct part *part = zone->first; part < zone->end; part++) {
		if (!metrics_series_has(part->series, metric))
			continue;
		has_any = true;
		metrics_sum(part->series, metric, world->asked.period, world->asked.start, world->n_points,
			    ret);
	}
	return has_any;
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

static json_t *point(const struct world *world, const struct zone *zone, enum unit unit, size_t i,
		     double value)
{
	int64_t time = world->asked.start + (int64_t)i * world->asked.period;

	if (!world->is_known[i] || time < zone->known_since)
		return json_null();
	if (unit != UNIT_COUNT)
		value /= world->asked.period;
	return number(unit == UNIT_BITS_PER_S ? value * 8 : value);
}

static void tell(const struct world *world, json_t *list, const struct zone *zone, const char *name,
		 enum unit unit, const double *sums)
{
	json_t *series = shape_item(list), *points;

	answer_string(series, "ZoneId", zone->id);
	answer_string(series, "Metric", name);
	points = shape_list(series, "Points");
	for (size_t i = 0; i < world->n_points; i++)
		(void)json_array_append_new(points, point(world, zone, unit, i, sums[i]));
}

static void tell_zone(const struct world *world, json_t *list, const struct zone *zone)
{
	double sums[METRICS_POINTS_MAX];
	const char *reason;
	char name[METRICS_REASON_SIZE + 8];

	for (size_t i = 0; i < ARRAY_SIZE(metrics_told); i++) {
		(void)sum(world, zone, metrics_told[i].metric, sums);
		tell(world, list, zone, metrics_told[i].name, metrics_told[i].unit, sums);
	}
	for (unsigned int metric = METRIC_FIXED; (reason = metrics_reason_name(world->metrics, metric));
	     metric++) {
		if (!sum(world, zone, metric, sums))
			continue;
		(void)str_format(name, sizeof(name), "Drops.%s", reason);
		tell(world, list, zone, name, UNIT_COUNT, sums);
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
	const struct part *parts = world->parts;
	size_t end;

	if (world->n_parts)
		qsort(world->parts, world->n_parts, sizeof(*world->parts), compare_parts);
	for (size_t first = 0; first < world->n_parts; first = end) {
		struct zone zone = {.id = parts[first].zone, .first = &parts[first]};

		for (end = first + 1; end < world->n_parts && streq(parts[end].zone, zone.id); end++)
			;
		zone.end = parts + end;
		zone.known_since = zone_known_since(&zone);
		tell_zone(world, list, &zone);
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
		r = find_expected(&world, call->rows);
	call->n_rows += world.n_rows;
	if (r == 0)
		r = find_known(&world);
	if (r == 0)
		tell_all(call, &world);
	done(&world);
	return r;
}
