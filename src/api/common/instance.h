/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Instances: what ECS and our own administration have in common, above all making them.
 */
#pragma once

#include "../frame/action.h"
#include "address.h"

/* What new instances shall be; filled in by instance_plan_read() and the caller. */
struct instance_plan {
	int64_t owner;
	const struct vswitch *vswitch;
	char groups[SECURITY_GROUPS_MAX][ID_SIZE];
	uint32_t n_groups;
	struct netaddr wanted; /* zero: any */
};

/* Reads VSwitchId, ZoneId, SecurityGroupId, SecurityGroupIds and PrivateIpAddress; all must be `owner`'s.
 * Fails the call for what does not fit together. */
int instance_plan_read(struct call *call, int64_t owner, struct instance_plan *ret);
/* Puts the instance, its primary ENI and its address. `row` has what is particular to it (name, kind, path,
 * device); the rest is filled in here, the id as well. Fails the call if no address is left or the wanted one
 * is taken. */
int instance_put(struct call *call, const struct instance_plan *plan, const struct node *node,
		 struct alloc *alloc, struct instance *row, struct port *ret_port);
/* Whether `owner` may have `n` more instances in the region; fails the call if not. */
int instance_check_quota(struct call *call, int64_t owner, const char *region, uint32_t n);
/* The API's word for the state: one that runs and has failed at its node is Starting until it is mended, one
 * on its way out Stopping. It has none for an instance of which nothing is known because its node does not
 * report, or holds: that is Pending, as before its node has reported it for the first time. */
const char *instance_status_word(const struct call *call, const struct instance *instance);
/* StatusInfo: why it does not read as wished; left out when there is nothing to say. */
void instance_answer_info(const struct call *call, json_t *object, const struct instance *instance);
/* InstanceName, Description and HostName into the row; fails the call for bad ones. */
int instance_read_texts(struct call *call, struct instance *row);
