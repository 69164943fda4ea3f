/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MoveResourceGroup: a load balancer or a server group into another resource group of its account. No node
 * has to know it.
 */
#include <strings.h>

#include "../common/resource_group.h"
#include "../frame/shape.h"
#include "actions.h"

static void answer_moved(struct call *call, const char *id)
{
	answer_string(shape_object(call->answer, "Data"), "ResourceId", id);
}

static int move_balancer(struct call *call, const char *id, const char *group)
{
	const struct load_balancer *found = nlb_owned(call, KIND_LOAD_BALANCER, id);
	struct load_balancer row;

	if (!found)
		return call_fail(call, "ResourceNotFound.loadBalancer");
	if (found->status == LB_DELETING)
		return call_fail(call, "IncorrectStatus.loadBalancer");
	row = *found;
	(void)str_copy(row.resource_group, sizeof(row.resource_group), group);
	call_put(call, KIND_LOAD_BALANCER, &row);
	answer_moved(call, row.id);
	return 0;
}

static int move_server_group(struct call *call, const char *id, const char *group)
{
	const struct server_group *found = nlb_owned(call, KIND_SERVER_GROUP, id);
	struct server_group row;

	if (!found)
		return call_fail(call, "ResourceNotFound.serverGroup");
	if (found->status == SERVER_GROUP_DELETING)
		return call_fail(call, "IncorrectStatus.serverGroup");
	row = *found;
	(void)str_copy(row.resource_group, sizeof(row.resource_group), group);
	call_put(call, KIND_SERVER_GROUP, &row);
	answer_moved(call, row.id);
	return 0;
}

int nlb_move_resource_group(struct call *call)
{
	const char *id = call_string(call, "ResourceId");
	char group[ID_SIZE] = "";
	int r;

	r = read_resource_group_of(call, "NewResourceGroupId", "ResourceNotFound.ResourceGroup", group);
	if (r < 0)
		return r;
	if (strcasecmp(call_string(call, "ResourceType"), "loadbalancer") == 0)
		return move_balancer(call, id, group);
	return move_server_group(call, id, group);
}
