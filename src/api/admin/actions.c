/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our own administration: the table of its actions, nodes, and the version. Everything here but GetVersion is
 * for administrators.
 */
#include "actions.h"

#include <stdio.h>

#include "../frame/shape.h"
#include "attach.h"

#define NODE_INSTANCES_SHOWN 5 /* in the message of a refusal */

static uint32_t count_instances(const struct snapshot *rows, const char *node)
{
	return (uint32_t)snapshot_count_children(rows, REF_INSTANCE_NODE, node);
}

/* In a sentence what is wrong with the node, and what to do; "": nothing. */
static void node_info(const struct call *call, const struct node *node, char *ret, size_t size)
{
	struct control_node known = call_node(call, node->name);
	char since[TIME_TEXT_SIZE];

	*ret = '\0';
	if (node->deleting)
		(void)snprintf(ret, size, "It is being deleted with what was on it.");
	else if (*known.hold)
		(void)snprintf(ret, size, "It holds: %s", known.hold);
	else if (known.is_presumed)
		(void)snprintf(ret, size, "It has not reported since privlinkd started, and may still.");
	else if (!known.has_lease && node->lost_time) {
		time_format(node->lost_time, since);
		(void)snprintf(ret, size,
			       "It has not reported since %s: start its agent, or delete the node if it does "
			       "not come "
			       "back.",
			       since);
	} else if (!known.has_lease)
		(void)snprintf(ret, size, "It has not reported yet.");
}

static int node_list(struct call *call)
{
	char info[CONTROL_HOLD_SIZE + 64];

	json_t *list = shape_list(call->answer, "Nodes");

	for (const struct node *n = NULL; (n = snapshot_next(call->rows, KIND_NODE, "", n));) {
		json_t *item = shape_item(list), *zones = shape_list(item, "Zones");
		char underlay[NETADDR_TEXT_SIZE];

		answer_string(item, "NodeName", n->name);
		answer_int(item, "Number", n->number);
		answer_bool(item, "Live", call_node(call, n->name).is_live);
		node_info(call, n, info, sizeof(info));
		answer_string(item, "StatusInfo", info);
		if (n->lost_time)
			answer_time(item, "LostTime", n->lost_time);
		for (uint32_t i = 0; i < n->n_zones; i++)
			shape_text(zones, n->zones[i]);
		answer_int(item, "InstanceCount", count_instances(call->rows, n->name));
		answer_int(item, "Mtu", n->mtu);
		if (!netaddr_is_zero(&n->underlay)) {
			netaddr_format(&n->underlay, underlay);
			answer_string(item, "Underlay", underlay);
		}
	}
	answer_int(call->answer, "Revision", (int64_t)snapshot_revision(call->rows));
	if (call->live_revision != UINT64_MAX) /* no node is live */
		answer_int(call->answer, "LiveRevision", (int64_t)call->live_revision);
	return 0;
}

/* "3 instances (i-…, i-…, …)" */
static void describe_instances(const struct snapshot *rows, const char *node, uint32_t n, char *ret,
			       size_t size)
{
	size_t length = (size_t)snprintf(ret, size, "%u instance%s (", n, n == 1 ? "" : "s"), shown = 0;

	for (const struct instance *i = NULL;
	     shown < NODE_INSTANCES_SHOWN && (i = snapshot_children(rows, REF_INSTANCE_NODE, node, i));)
		if (length < size)
			length += (size_t)snprintf(ret + length, size - length, "%s%s", shown++ ? ", " : "",
						   i->id);
	if (length < size)
		(void)snprintf(ret + length, size - length, n > shown ? ", …)" : ")");
}

static const struct param_spec node_delete_params[] = {
	{"NodeName", PARAM_STRING, .required = true},
	{"Force", PARAM_BOOL},
	{},
};

static int node_delete(struct call *call)
{
	const struct node *node = snapshot_node(call->rows, call_string(call, "NodeName"));
	char instances[256];
	struct node row;
	uint32_t n;

	if (!node)
		return call_fail(call, "NodeNotFound");
	if (call_node(call, node->name).has_lease)
		return call_fail(call, "NodeReports");
	n = count_instances(call->rows, node->name);
	if (n > 0 && !call_bool(call, "Force", false)) {
		describe_instances(call->rows, node->name, n, instances, sizeof(instances));
		return call_fail_detail(call, "NodeInUse", "%s", instances);
	}
	answer_int(call->answer, "InstanceCount", n);
	row = *node;
	row.deleting = true;
	call_put(call, KIND_NODE, &row);
	return 0;
}

static int get_version(struct call *call)
{
	answer_string(call->answer, "Version", PRIVLINK_VERSION);
	return 0;
}

/* clang-format off */
const struct action privlink_actions[] = {
	ATTACH_INSTANCE_ACTION,
	{ "BindSystemService",   system_service_bind,   ACTION_CHANGES | ACTION_ADMIN, system_service_params },
	{ "CreateAccessKey",     access_key_create,     ACTION_CHANGES | ACTION_ADMIN | ACTION_NO_REGION, account_id_params,
	  "AccessKeySecret", access_key_reveal },
	{ "CreateAccount",       account_create,        ACTION_CHANGES | ACTION_ADMIN | ACTION_NO_REGION,
	  account_create_params },
	{ "DeleteAccessKey",     access_key_delete,     ACTION_CHANGES | ACTION_ADMIN | ACTION_NO_REGION,
	  access_key_id_params },
	{ "DeleteNode",          node_delete,           ACTION_CHANGES | ACTION_ADMIN | ACTION_NO_REGION,
	  node_delete_params },
	GET_INSTANCE_ACTION,
	{ "GetVersion",          get_version,           ACTION_NO_REGION },
	{ "ListAccessKeys",      access_key_list,      ACTION_ADMIN | ACTION_NO_REGION, access_key_list_params },
	{ "ListAccounts",        account_list,         ACTION_ADMIN | ACTION_NO_REGION },
	{ "ListNodes",           node_list,            ACTION_ADMIN | ACTION_NO_REGION },
	{ "UnbindSystemService", system_service_unbind, ACTION_CHANGES | ACTION_ADMIN, system_service_params },
	{ "UpdateAccessKey",     access_key_update,     ACTION_CHANGES | ACTION_ADMIN | ACTION_NO_REGION,
	  access_key_update_params },
	{},
};
/* clang-format on */
