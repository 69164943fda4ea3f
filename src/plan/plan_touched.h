/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a change of rows touches of the plan: nothing, some slices of it (plan_slice.h), or the whole. It is
 * gathered while rows are applied, since a row that goes says only before what it belonged to.
 */
#pragma once

#include "plan.h"

#define PLAN_TOUCHED_MAX	128 /* slices of a kind; more are the whole */
#define PLAN_TOUCHED_HEALTH_MAX 32  /* server groups from which on none is taken for health alone */

struct plan_touched_ids {
	char ids[PLAN_TOUCHED_MAX][ID_SIZE];
	size_t n;
};

/* Whether what a row says of a server's health is to be planned; then it sees to it. */
struct plan_hearer {
	bool (*hears)(void *context, const struct server_health *row);
	void *context;
};

/* All zero: nothing is touched. */
struct plan_touched {
	struct plan_hearer hearer; /* without: a server's health touches its group, like all else of it */
	bool whole;
	bool health; /* it has heard of some */
	struct plan_touched_ids endpoints;
	struct plan_touched_ids groups;	 /* security groups whose rules change */
	struct plan_touched_ids members; /* ports of instances that are in other groups */
	struct plan_touched_ids others;	 /* security groups that came, went or are of another type */
	/* What stands behind endpoints: server groups, whose servers or their health change, too; load
	 * balancers, and listeners besides. */
	struct plan_touched_ids server_groups, balancers, listeners;
	/* What stands at addresses of VPCs: instances with their interfaces, interfaces of load balancers,
	 * vSwitches. */
	struct plan_touched_ids instances, interfaces, vswitches;
	struct plan_touched_ids vpcs; /* that came, changed or went */
};

/* Before a change of the row is applied; `json` is what it becomes, NULL: it goes. Whether the plan reads
 * what is changed; then plan_touch_new() follows when it is applied. */
bool plan_touch_old(struct plan_touched *touched, const struct snapshot *rows, const char *key,
		    const json_t *json);
void plan_touch_new(struct plan_touched *touched, const struct snapshot *rows, const char *key);

/* All that stands in the VPC. */
void plan_touch_vpc(struct plan_touched *touched, const struct snapshot *rows, const char *vpc);

/* A server of the group is well, or ill, that was not. False: it is not taken, since there are so many
 * already that there is little room for others. It can be told later as well: what is planned reads how
 * servers are by then. */
bool plan_touch_health(struct plan_touched *touched, const char *server_group);

/* The device of an instance came, or is another one: what reads that. */
void plan_touch_device(struct plan_touched *touched, const struct snapshot *rows, const char *instance);

/* Adds what another change touches. */
void plan_touched_add(struct plan_touched *touched, const struct plan_touched *more);
bool plan_touched_any(const struct plan_touched *touched);
