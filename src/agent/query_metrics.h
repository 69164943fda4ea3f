/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the node counts, as Prometheus reads it (text format 0.0.4): GET /metrics.
 */
#pragma once

#include "meter.h"
#include "query_client.h"

#define QUERY_METRICS_ENIS_MAX 32768 /* endpoint ENIs that an answer has */
/* (and DATAPATH_LISTENERS_MAX listeners of them) */
#define QUERY_METRICS_SERVERS_MAX 1000 /* servers that have open flows */

/* Begins to tell the client; numbers of endpoints are those that GetEndpointMetrics adds up. NULL: there are
 * none yet. Negative errno. */
int query_metrics_begin(struct datapath *datapath, const struct plan *plan, const struct meter *meter,
			struct query_client *client);
