/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of ECS's actions: security groups and their rules, instances, network interfaces, places, tags.
 */
#include "actions.h"

#include "../common/owned.h"
#include "../common/regions.h"
#include "../common/tags.h"

static bool own_instance(const struct call *call, const char *id)
{
	return owned_instance(call, id);
}

static bool own_group(const struct call *call, const char *id)
{
	return owned_security_group(call, id);
}

static bool own_eni(const struct call *call, const char *id)
{
	return owned_port(call, id);
}

static const struct tagged_type tagged_types[] = {
	{"instance", own_instance},
	{"securitygroup", own_group},
	{"eni", own_eni},
	{},
};

static int tag_resources(struct call *call)
{
	return tags_tag_resources(call, tagged_types);
}

static int untag_resources(struct call *call)
{
	return tags_untag_resources(call, tagged_types);
}

static int list_tag_resources(struct call *call)
{
	return tags_list_resources(call, tagged_types, "TagResource");
}

/* clang-format off */
const struct action ecs_actions[] = {
	{ "AuthorizeSecurityGroup", rule_authorize_ingress, ACTION_CHANGES, rule_params },
	{ "AuthorizeSecurityGroupEgress", rule_authorize_egress, ACTION_CHANGES, rule_params },
	{ "CreateSecurityGroup", group_create, ACTION_CHANGES, group_create_params },
	{ "DeleteInstance", instance_delete, ACTION_CHANGES | ACTION_NO_REGION, instance_delete_params },
	{ "DeleteSecurityGroup", group_delete, ACTION_CHANGES, group_id_params },
	{ "DescribeInstances", instance_list, ACTION_READ, instance_list_params },
	{ "DescribeNetworkInterfaces", eni_list, ACTION_READ, eni_list_params },
	{ "DescribeRegions", place_regions_wrapped, ACTION_NO_REGION, place_regions_params },
	{ "DescribeSecurityGroupAttribute", group_get, ACTION_READ, group_get_params },
	{ "DescribeSecurityGroups", group_list, ACTION_READ, group_list_params },
	{ "DescribeZones", place_zones_wrapped, ACTION_READ, place_zones_params },
	{ "ListTagResources", list_tag_resources, ACTION_READ, list_tag_resources_params },
	{ "ModifySecurityGroupAttribute", group_modify, ACTION_CHANGES, group_modify_params },
	{ "ModifySecurityGroupPolicy", group_set_policy, ACTION_CHANGES, group_set_policy_params },
	{ "RevokeSecurityGroup", rule_revoke_ingress, ACTION_CHANGES, rule_params },
	{ "RevokeSecurityGroupEgress", rule_revoke_egress, ACTION_CHANGES, rule_params },
	{ "RunInstances", instance_run, ACTION_CHANGES, instance_run_params },
	{ "StartInstance", instance_start, ACTION_CHANGES | ACTION_NO_REGION, instance_start_params },
	{ "StopInstance", instance_stop, ACTION_CHANGES | ACTION_NO_REGION, instance_stop_params },
	{ "TagResources", tag_resources, ACTION_CHANGES, tag_resources_params },
	{ "UntagResources", untag_resources, ACTION_CHANGES, untag_resources_params },
	{},
};
/* clang-format on */
