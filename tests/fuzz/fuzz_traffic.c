/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a node says of traffic: whatever comes, no series is made but of the one zone that there is, within
 * the bound of memory; and said again it adds nothing.
 */
#include "feed/server_metrics.h"

#define NOW	   1800000000
#define MEMORY_MAX (64 * 1024)
#define N_POINTS   (METRICS_SHORT_KEPT_S / METRICS_SHORT_S + 1)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct snapshot *make_rows(void)
{
	json_t *endpoint = json_pack("{s:s, s:I}", "id", "ep-1", "owner", (json_int_t)1);
	json_t *zone = json_pack("{s:s, s:s}", "endpoint", "ep-1", "zone", "h");
	struct snapshot *rows = NULL;

	if (!endpoint || !zone || snapshot_new(&rows) < 0 ||
	    snapshot_apply(rows, "endpoint/ep-1", endpoint, 1, 1) < 0 ||
	    snapshot_apply(rows, "endpoint_zone/ep-1/h", zone, 2, 2) < 0)
		abort();
	json_decref(endpoint);
	json_decref(zone);
	return rows;
}

static double sum(const struct metrics *metrics)
{
	const struct metrics_series *series = metrics_find(metrics, "ep-1", "h");
	double sums[N_POINTS] = {0}, all = 0;

	for (unsigned int metric = 0; metric < METRIC_FIXED + METRICS_REASONS_MAX; metric++)
		metrics_sum(series, metric, METRICS_SHORT_S, NOW - METRICS_SHORT_KEPT_S, N_POINTS, sums);
	for (size_t i = 0; i < N_POINTS; i++)
		all += sums[i];
	return all;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *report = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
	struct snapshot *rows = make_rows();
	struct metrics *metrics;
	double before;

	if (metrics_new(MEMORY_MAX, &metrics) < 0)
		abort();
	(void)feed_metrics_take(metrics, rows, "n1", report, NOW);
	if (metrics_memory(metrics) > MEMORY_MAX)
		abort();
	if (!metrics_find(metrics, "ep-1", "h") && metrics_memory(metrics) != 0)
		abort();
	before = sum(metrics);
	if (feed_metrics_take(metrics, rows, "n1", report, NOW) > 0 || sum(metrics) != before)
		abort();
	metrics_free(metrics);
	snapshot_free(rows);
	json_decref(report);
	return 0;
}
