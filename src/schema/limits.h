/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much one call may ask for at a time: each must fit one transaction (api/common/quota_defaults.h proves
 * it), next to what else the call puts.
 */
#pragma once

#define TAGS_PER_RESOURCE_MAX 20 /* NumberExceed.Tags */

#define METRICS_POINTS_MAX 180 /* of a series, in one answer */

#define ROWS_PER_CALL 1000 /* that a read looks at: more of them count as more calls (Throttling.User) */

#define LISTED_IDS_MAX 100 /* ids with commas between them, in a parameter of a list */

#define RULES_PER_CALL_MAX     75
#define INSTANCES_PER_CALL_MAX 20
#define SERVERS_PER_CALL_MAX   40
#define RESOURCES_PER_CALL_MAX 10
#define BACKENDS_PER_CALL_MAX  20 /* servers of a classic load balancer */
#define TAGGED_PER_CALL_MAX    90 /* resources times tags: as too many entries of ResourceId */
