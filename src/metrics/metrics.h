/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the traffic of endpoints was: series of numbers by endpoint zone, a quarter of an hour by 10 s and
 * three hours by 60 s, in memory and nowhere else. Agents bring the numbers (feed/server_metrics.c),
 * GetEndpointMetrics reads them.
 *
 * A number is the sum over all nodes. Which node has reported which interval is kept, too: an interval that a
 * node has not reported is a gap, one that it has reported without a word of a zone is a zero.
 */
#pragma once

#include "../model/rows.h"

#define METRICS_SHORT_S	     10		/* intervals that agents report begin at multiples of this */
#define METRICS_LONG_S	     60		/* and are added up to such ones */
#define METRICS_SHORT_KEPT_S (15 * 60)	/* for so long by 10 s, … */
#define METRICS_LONG_KEPT_S  (3 * 3600) /* … and so long by 60 s */

/* Of all series together; beyond, those of the account that holds most go, the ones that are idle longest. */
#define METRICS_MEMORY_MAX  (32 * 1024 * 1024)
#define METRICS_NODES_MAX   4096
#define METRICS_REASONS_MAX 64 /* reasons to drop that series are kept of */
#define METRICS_REASON_SIZE 32
#define METRICS_AHEAD_S	    20		/* a node's clock may be ahead by so much */
#define METRICS_SET_BACK_S  60		/* and the own one be set back, without that anything is forgotten */
#define METRICS_VALUE_MAX   (1ll << 53) /* of one number in a report */

struct metrics;
struct metrics_series;

/* In an endpoint zone and an interval. All but the open flows are counts. */
enum metric {
	METRIC_IN_BYTES,
	METRIC_OUT_BYTES,
	METRIC_IN_PACKETS,
	METRIC_OUT_PACKETS,
	METRIC_IN_DROP_BYTES,
	METRIC_OUT_DROP_BYTES,
	METRIC_IN_DROP_PACKETS,
	METRIC_OUT_DROP_PACKETS,
	METRIC_NEW_FLOWS,
	METRIC_OPEN_FLOWS, /* at its end; of 60 s: the most of its six */
	METRIC_FIXED,	   /* from here on: packets dropped, a reason each (metrics_reason) */
};

/* Series take `memory_max` bytes at most. -ENOMEM. */
int metrics_new(size_t memory_max, struct metrics **ret);
struct metrics *metrics_free(struct metrics *metrics);
/* Bytes that the series take now. */
size_t metrics_memory(const struct metrics *metrics);

/* ---- reports ---- */

/* The node has reported the interval that begins at `time` (Unix seconds, as `now`); its numbers follow. 1:
 * it is the first one of this node. -EALREADY: it has been taken before, its numbers must not be added again.
 * -EINVAL: it begins at no multiple of 10 s. -ERANGE: it is too old to be kept, or not over yet. -ENOMEM.
 *
 * When the clock has been set back, all that there is is forgotten, as at a start: intervals of a time that
 * has not come would be the newest until then, and push out what is told. */
int metrics_begin(struct metrics *metrics, const char *node, int64_t time, int64_t now);
/* Adds to the number of a zone, whose endpoint is the account's, always the same one's: it is this account's
 * memory that a series takes. -ENOSPC: there is no room for the series, however many others go. -ENOMEM. */
int metrics_add(struct metrics *metrics, int64_t account, const char *endpoint, const char *zone,
		unsigned int metric, int64_t time, uint64_t value);
/* The metric of a reason to drop; -EINVAL: that is no name of one; -ENOSPC: there are too many. */
int metrics_reason(struct metrics *metrics, const char *name);

/* ---- reading ---- */

/* The zone's series; NULL: it had no traffic for as long as is known. Borrowed until the next report. */
const struct metrics_series *metrics_find(const struct metrics *metrics, const char *endpoint,
					  const char *zone);
/* Whether anything was ever counted of the metric. Takes NULL. */
bool metrics_series_has(const struct metrics_series *series, unsigned int metric);
/* The first second of what is known of the account's series by `period` seconds (10 or 60); of none (NULL):
 * from when on it is known that a zone of that account had no traffic. Intervals that begin earlier are not
 * kept (any more). What had to go is the loss of the account whose it was, and of no other that has series.
 */
int64_t metrics_known_since(const struct metrics *metrics, int64_t account,
			    const struct metrics_series *series, unsigned int period, int64_t now);
/* Adds the metric's numbers of `n` intervals of `period` seconds, the first of which begins at `time`, to
 * `sums`: nothing where nothing was counted, or is known. */
void metrics_sum(const struct metrics_series *series, unsigned int metric, unsigned int period, int64_t time,
		 size_t n, double *sums);
/* Nodes that have reported anything have numbers from 0 on, until the next report: how many there are, and
 * which one the node has; -ENOENT: it has reported nothing. */
size_t metrics_nodes(const struct metrics *metrics);
int metrics_node(const struct metrics *metrics, const char *node);
/* Whether the node of that number has reported all of the interval that begins at `time`; whether any has. */
bool metrics_is_reported_by(const struct metrics *metrics, size_t node, unsigned int period, int64_t time);
bool metrics_is_reported(const struct metrics *metrics, unsigned int period, int64_t time);
/* The name of the reason that the metric is of; NULL: there is none (any more). */
const char *metrics_reason_name(const struct metrics *metrics, unsigned int metric);
