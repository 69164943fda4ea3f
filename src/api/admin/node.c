/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nodes, and the version.
 */
#include "actions.h"

#include <stdio.h>

#include "../frame/fill.h"

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
			       "It has not reported since %s: start its agent, or "
			       "delete the node if it does not come back.",
			       since);
	} else if (!known.has_lease)
		(void)snprintf(ret, size, "It has not reported yet.");
}

static void answer_node(const struct call *call, json_t *list, const struct answer_field *field,
			const struct node *node)
{
	json_t *item = answer_entry(list, field, KIND_NODE, node);
	char info[CONTROL_HOLD_SIZE + 64];

	node_info(call, node, info, sizeof(info));
	answer_bool(item, "Live", call_node(call, node->name).is_live);
	answer_string(item, "StatusInfo", info);
	answer_int(item, "InstanceCount", count_instances(call->rows, node->name));
}

int node_list(struct call *call)
{
	const struct answer_field *field = answer_find(call->action->answer, "Nodes");
	json_t *list = answer_list(call->answer, call->action->answer, "Nodes");

	for (const struct node *n = NULL; (n = snapshot_next(call->rows, KIND_NODE, "", n));)
		answer_node(call, list, field, n);
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

int node_delete(struct call *call)
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

int get_version(struct call *call)
{
	answer_string(call->answer, "Version", PRIVLINK_VERSION);
	return 0;
}
