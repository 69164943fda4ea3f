/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our own administration: the table of its actions, nodes, and the version. Everything here but GetVersion is
 * for administrators.
 */
#include "action_privlink.h"

#include "action_attach.h"
#include "shape.h"

static uint32_t count_instances(const struct snapshot *rows, const char *node)
{
	uint32_t n = 0;

	for (const struct instance *i = NULL; (i = snapshot_next(rows, KIND_INSTANCE, "", i));)
		n += streq(i->node, node);
	return n;
}

static int list_nodes(struct call *call)
{
	json_t *list = shape_list(call->answer, "Nodes");

	for (const struct node *n = NULL; (n = snapshot_next(call->rows, KIND_NODE, "", n));) {
		json_t *item = shape_item(list), *zones = shape_list(item, "Zones");
		char underlay[NETADDR_TEXT_SIZE];

		answer_string(item, "NodeName", n->name);
		answer_int(item, "Number", n->number);
		answer_bool(item, "Live",
			    call->node_live && call->node_live(call->node_live_context, n->name));
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

static int get_version(struct call *call)
{
	answer_string(call->answer, "Version", PRIVLINK_VERSION);
	return 0;
}

/* clang-format off */
const struct action privlink_actions[] = {
	ATTACH_INSTANCE_ACTION,
	{ "BindSystemService",   bind_system_service,   ACTION_CHANGES | ACTION_ADMIN, system_service_params },
	{ "CreateAccessKey",     create_access_key,     ACTION_CHANGES | ACTION_ADMIN | ACTION_NO_REGION, account_params,
	  "AccessKeySecret", reveal_access_key },
	{ "CreateAccount",       create_account,        ACTION_CHANGES | ACTION_ADMIN | ACTION_NO_REGION,
	  create_account_params },
	{ "DeleteAccessKey",     delete_access_key,     ACTION_CHANGES | ACTION_ADMIN | ACTION_NO_REGION,
	  access_key_params },
	GET_INSTANCE_ACTION,
	{ "GetVersion",          get_version,           ACTION_NO_REGION },
	{ "ListAccessKeys",      list_access_keys,      ACTION_ADMIN | ACTION_NO_REGION, list_access_keys_params },
	{ "ListAccounts",        list_accounts,         ACTION_ADMIN | ACTION_NO_REGION },
	{ "ListNodes",           list_nodes,            ACTION_ADMIN | ACTION_NO_REGION },
	{ "UnbindSystemService", unbind_system_service, ACTION_CHANGES | ACTION_ADMIN, system_service_params },
	{ "UpdateAccessKey",     update_access_key,     ACTION_CHANGES | ACTION_ADMIN | ACTION_NO_REGION,
	  update_access_key_params },
	{},
};
/* clang-format on */
