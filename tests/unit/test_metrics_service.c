/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GetEndpointMetrics of a service with many endpoints: that its numbers are what a walk of every number that
 * nodes have told adds up to, in a world of random endpoints, instances and reports, and what it looks at for
 * ten endpoints and for a thousand in one VPC.
 *
 * What is looked at is seen by standing in for functions of the snapshot and the metrics: see link_args in
 * meson.build.
 */
#include "api_harness.h"

#include "schema/limits.h"

#define SERVICE	    "epsrv-many"
#define START_S	    600 /* before now, what is told begins */
#define N_INTERVALS (START_S / METRICS_SHORT_S)
#define PARTS	    (METRICS_LONG_S / METRICS_SHORT_S)
#define TURNS	    60

/* The disk is not what is tried here. */
int fdatasync(int fildes _unused_)
{
	return 0;
}

int fsync(int fd _unused_)
{
	return 0;
}

/* ---- counting ---- */

static struct {
	unsigned int steps, sums, known, reports;
} looked_at;

#define COUNTED(type, name, parameters, arguments, counter)                                                  \
	type __real_##name parameters;                                                                       \
	type __wrap_##name parameters;                                                                       \
	type __wrap_##name parameters                                                                        \
	{                                                                                                    \
		looked_at.counter++;                                                                         \
		return __real_##name arguments;                                                              \
	}
COUNTED(const void *, snapshot_children_in,
	(const struct snapshot *s, enum ref ref, const char *id, const char *within, const void *previous),
	(s, ref, id, within, previous), steps)
COUNTED(void, metrics_sum,
	(const struct metrics_series *series, unsigned int metric, unsigned int period, int64_t time,
	 size_t n, double *sums),
	(series, metric, period, time, n, sums), sums)
COUNTED(int64_t, metrics_known_since,
	(const struct metrics *metrics, int64_t account, const struct metrics_series *series,
	 unsigned int period, int64_t now),
	(metrics, account, series, period, now), known)
COUNTED(bool, metrics_is_reported_by,
	(const struct metrics *metrics, size_t node, unsigned int period, int64_t time),
	(metrics, node, period, time), reports)
#undef COUNTED

/* ---- rows ---- */

static const char *const zones[] = {"cn-hangzhou-h", "cn-hangzhou-i", "cn-hangzhou-j"};
#define N_ZONES ARRAY_SIZE(zones)

static struct store_txn *txn;

static void put(enum kind kind, const void *row)
{
	harness_must(store_txn_row_put(txn, kind, row), "row");
}

static void commit(struct harness *h)
{
	int n = 0;

	store_commit(h->store, txn, harness_count, &n);
	harness_settle(h);
	harness_must(n == 1 ? 0 : -EIO, "commit");
	harness_must(store_txn_new(&txn), "transaction");
}

static void put_service(struct harness *h)
{
	struct service service = {.id = SERVICE,
				  .name = "com.aliyuncs.privatelink.cn-hangzhou.many",
				  .owner = BOB,
				  .region = "cn-hangzhou",
				  .resource_type = "nlb",
				  .status = SERVICE_ACTIVE};

	put(KIND_SERVICE, &service);
	commit(h);
}

/* `in`: a bit for each zone that it is in. */
static void put_endpoint(struct harness *h, int64_t owner, unsigned int number, unsigned int vpc,
			 unsigned int in)
{
	struct endpoint endpoint = {.owner = owner, .region = "cn-hangzhou", .service = SERVICE};
	struct connection connection = {.service = SERVICE, .status = CONNECTION_CONNECTED};
	char vpc_id[ID_SIZE];

	(void)str_format(vpc_id, sizeof(vpc_id), "vpc-%u", vpc);
	(void)str_format(endpoint.id, sizeof(endpoint.id), "ep-%u", number);
	endpoint.vpc = vpc_id;
	(void)str_copy(connection.endpoint, sizeof(connection.endpoint), endpoint.id);
	put(KIND_ENDPOINT, &endpoint);
	put(KIND_CONNECTION, &connection);
	for (size_t i = 0; i < N_ZONES; i++) {
		struct endpoint_zone zone = {};

		(void)str_copy(zone.endpoint, sizeof(zone.endpoint), endpoint.id);
		(void)str_copy(zone.zone, sizeof(zone.zone), zones[i]);
		if (in & 1u << i)
			put(KIND_ENDPOINT_ZONE, &zone);
	}
	commit(h);
}

static void put_instance(struct harness *h, unsigned int number, unsigned int vpc, const char *node,
			 int64_t since)
{
	struct instance instance = {.owner = ALICE, .region = "cn-hangzhou", .create_time = since};

	(void)str_format(instance.id, sizeof(instance.id), "i-%u", number);
	(void)str_format(instance.vpc, sizeof(instance.vpc), "vpc-%u", vpc);
	(void)str_copy(instance.node, sizeof(instance.node), node);
	put(KIND_INSTANCE, &instance);
	commit(h);
}

/* No rows but the accounts; nobody mends what tests put there. */
static int64_t begin(struct harness *h, size_t memory)
{
	harness_begin(h);
	h->control = control_free(h->control);
	h->environment =
		(struct run_environment){.store = h->store, .catalogue = h->catalogue, .audit = h->audit};
	h->metrics = metrics_free(h->metrics);
	harness_must(metrics_new(memory, &h->metrics), "metrics");
	h->environment.metrics = h->metrics;
	harness_must(store_txn_new(&txn), "transaction");
	put_service(h);
	return now_unix_s() / METRICS_LONG_S * METRICS_LONG_S - START_S;
}

static void end(struct harness *h)
{
	store_txn_free(txn);
	harness_end(h);
}

static json_t *get(struct harness *h, int64_t start, unsigned int period, const char *zone)
{
	char from[TIME_TEXT_SIZE], to[TIME_TEXT_SIZE];

	time_format(start, from);
	time_format(start + START_S, to);
	return harness_call(h, BOB, PRODUCT_PRIVLINK, "GetEndpointMetrics",
			    "RegionId=cn-hangzhou&ServiceId=%s&StartTime=%s&EndTime=%s&Period=%u%s%s",
			    SERVICE, from, to, period, zone ? "&ZoneId=" : "", zone ? zone : "");
}

/* ---- what it costs ---- */

static void test_cost(unsigned int n_endpoints, unsigned int n_instances)
{
	unsigned int n_points = N_INTERVALS, n_wanted;
	char node[16], id[ID_SIZE];
	struct harness h;
	int64_t start = begin(&h, METRICS_MEMORY_MAX);

	for (unsigned int i = 0; i < n_endpoints; i++)
		put_endpoint(&h, ALICE, i, 0, 3);
	for (unsigned int i = 0; i < n_instances; i++) {
		(void)str_format(node, sizeof(node), "n%u", i % 4);
		put_instance(&h, i, 0, node, 0);
		for (unsigned int t = 0; t < N_INTERVALS; t++)
			(void)metrics_begin(h.metrics, node, start + t * METRICS_SHORT_S, now_unix_s());
	}
	for (unsigned int i = 0; i < 5; i++) {
		(void)str_format(id, sizeof(id), "ep-%u", i);
		harness_must(metrics_add(h.metrics, ALICE, id, zones[0], METRIC_IN_PACKETS, start, 10),
			     "packets");
		harness_must(metrics_add(h.metrics, ALICE, id, zones[0], METRIC_IN_BYTES, start, 900),
			     "bytes");
	}
	memset(&looked_at, 0, sizeof(looked_at));
	tap_ok(get(&h, start, METRICS_SHORT_S, NULL), "%u endpoints and %u instances in a VPC", n_endpoints,
	       n_instances);
	tap_is_int(h.weight, (n_endpoints + n_instances) / ROWS_PER_CALL,
		   "it counts as one call more for each thousand of them");
	n_wanted = n_endpoints + 1 + n_endpoints * (2 + 1) + n_instances + 1;
	tap_is_int(looked_at.steps, n_wanted,
		   "each endpoint's connection and zones are looked at, and the VPC's instances once");
	tap_is_int(looked_at.sums, 5 * 2, "what was counted is summed up");
	tap_is_int(looked_at.known, n_endpoints + 5,
		   "what is known is asked once of each series, and once for an endpoint's other zones");
	tap_is_int(looked_at.reports, 4 * n_points, "each node is asked once for each point");
	end(&h);
}

/* ---- what it says ---- */

#define N_ENDPOINTS 40
#define N_VPCS	    6
#define N_INSTANCES 20
#define N_NODES	    5 /* and one that never reports */
#define N_METRICS   (METRIC_FIXED + 2)

static const char *const reasons[] = {"policy_in", "no_service"};

/* All that nodes have told, number by number. */
static struct told {
	int64_t owner[N_ENDPOINTS];
	unsigned int vpc[N_ENDPOINTS], in[N_ENDPOINTS];
	struct {
		unsigned int vpc, node;
		int64_t since;
	} instances[N_INSTANCES];
	bool reported[N_NODES + 1][N_INTERVALS];
	uint64_t values[N_ENDPOINTS][N_ZONES][N_METRICS][N_INTERVALS];
} told;

static unsigned int pick(unsigned int n)
{
	return (unsigned int)(random() % n);
}

static void draw_rows(struct harness *h, int64_t start)
{
	char node[16];

	for (unsigned int i = 0; i < N_ENDPOINTS; i++) {
		told.owner[i] = i % 5 ? ALICE : BOB;
		told.vpc[i] = pick(N_VPCS);
		told.in[i] = pick(4) ? 1 + pick(3) : pick(1u << N_ZONES);
		put_endpoint(h, told.owner[i], i, told.vpc[i], told.in[i]);
	}
	for (unsigned int i = 0; i < N_INSTANCES; i++) {
		/* Some VPCs have none, most are older than what is told. */
		told.instances[i].vpc = pick(N_VPCS - 1);
		told.instances[i].node = pick(200) ? pick(N_NODES) : N_NODES;
		told.instances[i].since = start + (pick(4) ? -1 : (int64_t)pick(START_S));
		(void)str_format(node, sizeof(node), "n%u", told.instances[i].node);
		put_instance(h, i, told.instances[i].vpc, node, told.instances[i].since);
	}
	put_instance(h, N_INSTANCES, 0, "", 0);
}

static void draw_number(struct harness *h, int64_t start, unsigned int interval)
{
	unsigned int endpoint = pick(pick(2) ? 3 : N_ENDPOINTS), zone = pick(N_ZONES),
		     metric = pick(N_METRICS), value = 1 + pick(100000);
	char id[ID_SIZE];

	if (!(told.in[endpoint] & 1u << zone))
		return;
	(void)str_format(id, sizeof(id), "ep-%u", endpoint);
	harness_must(metrics_add(h->metrics, told.owner[endpoint], id, zones[zone], metric,
				 start + interval * METRICS_SHORT_S, value),
		     "number");
	told.values[endpoint][zone][metric][interval] += value;
}

static void draw_reports(struct harness *h, int64_t start)
{
	char node[16];

	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		harness_must(metrics_reason(h->metrics, reasons[i]), "reason");
	for (unsigned int interval = 0; interval < N_INTERVALS; interval++)
		for (unsigned int i = 0; i < N_NODES; i++) {
			if (pick(50) == 0)
				continue;
			(void)str_format(node, sizeof(node), "n%u", i);
			harness_must(metrics_begin(h->metrics, node, start + interval * METRICS_SHORT_S,
						   now_unix_s()),
				     "report");
			told.reported[i][interval] = true;
			for (unsigned int n = pick(12); n > 0; n--)
				draw_number(h, start, interval);
		}
}

static bool has_reported(unsigned int node, unsigned int first, unsigned int n)
{
	for (unsigned int i = first; i < first + n; i++)
		if (!told.reported[node][i])
			return false;
	return true;
}

/* Whether it is one of the service's endpoints that are asked for. */
static bool is_asked(unsigned int endpoint, const char *zone)
{
	for (size_t i = 0; i < N_ZONES; i++)
		if (told.in[endpoint] & 1u << i && (!zone || streq(zone, zones[i])))
			return true;
	return false;
}

static bool all_have_reported(const char *zone, int64_t start, unsigned int first, unsigned int n)
{
	int64_t until = start + (int64_t)(first + n) * METRICS_SHORT_S;
	bool has_any = false;

	for (unsigned int i = 0; i < N_NODES; i++)
		has_any = has_any || has_reported(i, first, n);
	for (unsigned int e = 0; e < N_ENDPOINTS; e++)
		for (unsigned int i = 0; i < N_INSTANCES; i++)
			if (is_asked(e, zone) && told.instances[i].vpc == told.vpc[e] &&
			    told.instances[i].since < until &&
			    !has_reported(told.instances[i].node, first, n))
				return false;
	return has_any;
}

/* Of `n` intervals; -1: it is not known. */
static double naive_sum(const struct harness *h, const char *asked, int64_t start, size_t zone,
			unsigned int metric, unsigned int first, unsigned int n)
{
	unsigned int period = n * METRICS_SHORT_S;
	double sum = 0;

	if (!all_have_reported(asked, start, first, n))
		return -1;
	for (unsigned int e = 0; e < N_ENDPOINTS; e++) {
		const uint64_t *values = told.values[e][zone][metric];
		uint64_t all = 0;
		char id[ID_SIZE];

		if (!(told.in[e] & 1u << zone))
			continue;
		(void)str_format(id, sizeof(id), "ep-%u", e);
		if (start + (int64_t)first * METRICS_SHORT_S <
		    __real_metrics_known_since(h->metrics, told.owner[e],
					       metrics_find(h->metrics, id, zones[zone]), period,
					       now_unix_s()))
			return -1;
		for (unsigned int i = first; i < first + n; i++)
			all = metric == METRIC_OPEN_FLOWS ? MAX(all, values[i]) : all + values[i];
		sum += (double)all;
	}
	return sum;
}

static const struct {
	const char *name;
	double factor; /* of a number in a second; 0: it is told as it is */
} names[N_METRICS] = {
	{"InBps", 8},	  {"OutBps", 8},     {"InPps", 1},	     {"OutPps", 1},
	{"InDropBps", 8}, {"OutDropBps", 8}, {"InDropPps", 1},	     {"OutDropPps", 1},
	{"NewFlows", 0},  {"OpenFlows", 0},  {"Drops.policy_in", 0}, {"Drops.no_service", 0},
};
_Static_assert(METRIC_IN_BYTES == 0 && METRIC_OPEN_FLOWS == 9, "names are in the order of the metrics");

static unsigned int n_points, n_unknown, n_nonzero;

static bool is_right(const json_t *point, double sum, unsigned int metric, unsigned int period)
{
	double value = names[metric].factor > 0 ? sum * names[metric].factor / period : sum;
	double difference = json_number_value(point) - value;

	n_points++;
	n_unknown += sum < 0;
	n_nonzero += sum > 0;
	if (sum < 0)
		return json_is_null(point);
	return json_is_number(point) && difference < 0.001 && difference > -0.001;
}

static bool has_zone(size_t zone)
{
	for (unsigned int e = 0; e < N_ENDPOINTS; e++)
		if (told.in[e] & 1u << zone)
			return true;
	return false;
}

/* The series that the answer must go on with, of a zone and a metric. */
static bool is_series(const struct harness *h, const json_t *series, const char *asked, int64_t start,
		      size_t zone, unsigned int metric, unsigned int period)
{
	const json_t *points = json_object_get(series, "Points");
	unsigned int n = period / METRICS_SHORT_S;

	if (!streq(json_string_value(json_object_get(series, "ZoneId")), zones[zone]) ||
	    !streq(json_string_value(json_object_get(series, "Metric")), names[metric].name) ||
	    json_array_size(points) != N_INTERVALS / n)
		return false;
	for (unsigned int i = 0; i < N_INTERVALS; i += n)
		if (!is_right(json_array_get(points, i / n), naive_sum(h, asked, start, zone, metric, i, n),
			      metric, period))
			return false;
	return true;
}

/* Of reasons, those that any endpoint of the zone still has numbers of. */
static bool is_told(const struct harness *h, size_t zone, unsigned int metric)
{
	char id[ID_SIZE];

	for (unsigned int e = 0; e < N_ENDPOINTS; e++) {
		(void)str_format(id, sizeof(id), "ep-%u", e);
		if (told.in[e] & 1u << zone &&
		    metrics_series_has(metrics_find(h->metrics, id, zones[zone]), metric))
			return true;
	}
	return metric < METRIC_FIXED;
}

static bool is_answer(struct harness *h, const char *asked, int64_t start, unsigned int period)
{
	const json_t *list = json_object_get(get(h, start, period, asked), "Series");
	size_t n = 0;

	for (size_t zone = 0; zone < N_ZONES; zone++)
		for (unsigned int metric = 0; metric < N_METRICS; metric++)
			if (has_zone(zone) && (!asked || streq(asked, zones[zone])) &&
			    is_told(h, zone, metric) &&
			    !is_series(h, json_array_get(list, n++), asked, start, zone, metric, period)) {
				tap_note("%s %s by %u s", zones[zone], names[metric].name, period);
				return false;
			}
	return json_array_size(list) == n;
}

static void test_numbers(void)
{
	unsigned int n_right = 0;

	for (unsigned int turn = 0; turn < TURNS; turn++) {
		struct harness h;
		/* In some the series have no room, so that some of them go. */
		int64_t start = begin(&h, turn % 3 == 0 ? 200 * 1024 : METRICS_MEMORY_MAX);
		unsigned int before = n_right;

		memset(&told, 0, sizeof(told));
		draw_rows(&h, start);
		draw_reports(&h, start);
		n_right += is_answer(&h, NULL, start, METRICS_SHORT_S) &&
			   is_answer(&h, NULL, start, METRICS_LONG_S) &&
			   is_answer(&h, zones[pick(N_ZONES)], start, METRICS_SHORT_S);
		if (n_right == before)
			tap_note("turn %u", turn);
		end(&h);
	}
	tap_is_int(n_right, TURNS,
		   "the service's numbers are those that a walk of all that was told adds up to");
	tap_ok(n_unknown > n_points / 20 && n_unknown < n_points && n_nonzero > n_points / 20,
	       "of %u points %u are not known, and %u are not zero", n_points, n_unknown, n_nonzero);
}

int main(void)
{
	log_set_level(LOG_LEVEL_ERROR);
	srandom(1);
	test_cost(10, 1000);
	test_cost(1000, 1000);
	test_numbers();
	return tap_done();
}
