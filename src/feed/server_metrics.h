/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a node says of the traffic of endpoint zones (doc/architecture.md, "The feed"), into the series of
 * metrics/.
 */
#pragma once

#include <jansson.h>

#include "../metrics/metrics.h"
#include "../model/snapshot.h"

#define FEED_INTERVALS_MAX (METRICS_SHORT_KEPT_S / METRICS_SHORT_S + 2) /* in one report */
#define FEED_ZONES_MAX	   32768					/* of one interval */

/* Takes a node's report, all of it or, when it is malformed (-EINVAL), nothing. Zones that there are not are
 * left out: they may just be gone. So are intervals that were taken before or are not kept. 1: of this node
 * nothing was known, so whatever it holds of the time since `now` - METRICS_SHORT_KEPT_S is welcome. */
int feed_metrics_take(struct metrics *metrics, const struct snapshot *rows, const char *node,
		      const json_t *report, int64_t now);
