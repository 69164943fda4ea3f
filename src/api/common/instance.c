/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See instance.h.
 */
#include "instance.h"

#include <stdio.h>

#include "../../model/check.h"
#include "owned.h"
#include "quota.h"
#include "quota_defaults.h"

static bool owned_by(const struct call *call, int64_t owner, int64_t row_owner, const char *region)
{
	return row_owner == owner && (!call->region[0] || streq(call->region, region));
}

static int add_group(struct call *call, struct instance_plan *plan, const char *id)
{
	const struct security_group *group = id ? snapshot_security_group(call->rows, id) : NULL;

	if (!group || !owned_by(call, plan->owner, group->owner, group->region))
		return call_fail(call, "InvalidSecurityGroupId.NotFound");
	if (!streq(group->vpc, plan->vswitch->vpc))
		return call_fail(call, "InvalidParameter.Mismatch");
	for (uint32_t i = 0; i < plan->n_groups; i++)
		if (streq(plan->groups[i], id))
			return 0;
	if (plan->n_groups == SECURITY_GROUPS_MAX)
		return call_fail(call, "QuotaExceed.SecurityGroupPerInstance");
	(void)str_copy(plan->groups[plan->n_groups++], ID_SIZE, id);
	return 0;
}

static int read_groups(struct call *call, struct instance_plan *plan)
{
	json_t *list = call_list(call, "SecurityGroupIds"), *id;
	const char *single = call_string(call, "SecurityGroupId");
	size_t i;
	int r;

	if (single) {
		r = add_group(call, plan, single);
		if (r < 0)
			return r;
	}
	json_array_foreach(list, i, id) {
		r = add_group(call, plan, json_string_value(id));
		if (r < 0)
			return r;
	}
	if (plan->n_groups == 0)
		return call_fail_named(call, "Missing{Name}", "SecurityGroupId");
	return 0;
}

int instance_plan_read(struct call *call, int64_t owner, struct instance_plan *ret)
{
	const char *id = call_string(call, "VSwitchId"), *zone = call_string(call, "ZoneId");
	const char *address = call_string(call, "PrivateIpAddress");
	int r;

	*ret = (struct instance_plan){.owner = owner,
				      .vswitch = id ? snapshot_vswitch(call->rows, id) : NULL};
	if (!ret->vswitch || !owned_by(call, owner, ret->vswitch->owner, ret->vswitch->region))
		return call_fail(call, "InvalidVSwitchId.NotFound");
	if (ret->vswitch->status == VSWITCH_DELETING)
		return call_fail(call, "IncorrectVSwitchStatus");
	if (zone && zone[0] && !streq(zone, ret->vswitch->zone))
		return call_fail(call, "InvalidParameter.Mismatch");
	r = read_groups(call, ret);
	if (r < 0)
		return r;
	if (address && address[0] &&
	    (netaddr_parse(address, &ret->wanted) < 0 || !netaddr_is_v4(&ret->wanted)))
		return call_fail(call, "InvalidPrivateIpAddress.Malformed");
	return 0;
}

int instance_check_quota(struct call *call, int64_t owner, const char *region, uint32_t n)
{
	return quota_check(call, owner, QUOTA_INSTANCES,
			   snapshot_count_owned(call->rows, KIND_INSTANCE, owner, region), n);
}

/* Whether the wish that it runs is in force, as far as its node says: one that does not report, or follows
 * another store, says nothing. */
static bool is_unknown(const struct call *call, const struct instance *instance)
{
	return instance->status == INSTANCE_RUNNING && !call_node(call, instance->node).is_live;
}

void instance_answer_info(const struct call *call, json_t *object, const struct instance *instance)
{
	const struct node *node = snapshot_node(call->rows, instance->node);
	char info[256], since[TIME_TEXT_SIZE];

	if (!is_unknown(call, instance)) {
		if (instance->failure[0])
			answer_string(object, "StatusInfo", instance->failure);
		return;
	}
	if (call_node(call, instance->node).has_lease) {
		(void)snprintf(info, sizeof(info),
			       "Not known: its node %s holds what was in force before (see ListNodes).",
			       instance->node);
	} else if (node && node->lost_time) {
		time_format(node->lost_time, since);
		(void)snprintf(info, sizeof(info), "Not known: its node %s has not reported since %s.",
			       instance->node, since);
	} else {
		(void)snprintf(info, sizeof(info), "Not known: its node %s does not report.", instance->node);
	}
	answer_string(object, "StatusInfo", info);
}

const char *instance_status_word(const struct call *call, const struct instance *instance)
{
	enum instance_status status = instance->status;

	if (status == INSTANCE_DELETING)
		status = INSTANCE_STOPPING;
	else if (is_unknown(call, instance))
		status = INSTANCE_PENDING;
	else if (status == INSTANCE_RUNNING && instance->failure[0])
		status = INSTANCE_STARTING;
	return enum_name(instance_status_names, status);
}

static bool host_name_ok(const char *s)
{
	size_t n = strlen(s);

	return n >= 2 && n <= 64 &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.") == n &&
	       s[0] != '-' && s[0] != '.' && s[n - 1] != '-' && s[n - 1] != '.' && !strstr(s, "..");
}

int instance_read_texts(struct call *call, struct instance *row)
{
	const char *text = call_string(call, "InstanceName");

	if (text && text[0] && (!check_name(text, true) || str_copy(row->name, sizeof(row->name), text) < 0))
		return call_fail(call, "InvalidInstanceName.Malformed");
	text = call_string(call, "Description");
	if (text && text[0] &&
	    (!check_description(text) || str_copy(row->description, sizeof(row->description), text) < 0))
		return call_fail(call, "InvalidDescription.Malformed");
	text = call_string(call, "HostName");
	if (text && text[0] &&
	    (!host_name_ok(text) || str_copy(row->host_name, sizeof(row->host_name), text) < 0))
		return call_fail_named(call, "Invalid{Name}.Malformed", "HostName");
	return 0;
}

static int fail_address(struct call *call, int r)
{
	switch (r) {
	case -ERANGE:
		return call_fail(call, "InvalidPrivateIpAddress");
	case -EADDRINUSE:
		return call_fail(call, "InvalidPrivateIpAddress.Duplicated");
	case -ENOSPC:
		return call_fail(call, "InvalidVSwitchId.IpNotEnough");
	default:
		return r;
	}
}

int instance_put(struct call *call, const struct instance_plan *plan, const struct node *node,
		 struct alloc *alloc, struct instance *row, struct port *ret_port)
{
	const struct vswitch *vswitch = plan->vswitch;
	struct alloc_wish wish = {
		.vswitch = vswitch,
		.wanted = netaddr_is_zero(&plan->wanted) ? NULL : &plan->wanted,
		.kind = PORT_INSTANCE,
		.owner = plan->owner,
		.groups = plan->groups,
		.n_groups = plan->n_groups,
		.node = node->name,
		.mtu = node->mtu,
		.status = PORT_IN_USE,
	};
	int r;

	call_new_id(call, "i-", row->id);
	wish.holder = row->id;
	r = alloc_port(call, alloc, &wish, ret_port);
	if (r < 0)
		return fail_address(call, r);

	row->owner = plan->owner;
	row->status = INSTANCE_PENDING;
	row->create_time = call->now;
	(void)str_copy(row->region, sizeof(row->region), vswitch->region);
	(void)str_copy(row->zone, sizeof(row->zone), vswitch->zone);
	(void)str_copy(row->vpc, sizeof(row->vpc), vswitch->vpc);
	(void)str_copy(row->vswitch, sizeof(row->vswitch), vswitch->id);
	(void)str_copy(row->node, sizeof(row->node), node->name);
	(void)str_copy(row->port, sizeof(row->port), ret_port->id);
	if (!row->device[0])
		(void)str_copy(row->device, sizeof(row->device), "eth0");
	call_put(call, KIND_INSTANCE, row);
	return 0;
}
