/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of ECS's actions: security groups and their rules, instances, network interfaces, places, tags.
 */
#include "actions.h"

#include "../common/owned.h"
#include "../common/regions.h"
#include "../common/tags.h"
#include "../frame/shape.h"

static const struct tagged_type tagged_types[] = {
	{"instance", KIND_INSTANCE},
	{"securitygroup", KIND_SECURITY_GROUP},
	{"eni", KIND_PORT},
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

/* What an ECS zone offers: everything that is to be had here. */
static void zone_offers(json_t *item)
{
	json_t *types;

	types = shape_wrapped(item, "AvailableResourceCreation", "ResourceTypes");
	shape_text(types, "VSwitch");
	shape_text(types, "Instance");
	(void)shape_wrapped(item, "AvailableDiskCategories", "DiskCategories");
	(void)shape_wrapped(item, "AvailableInstanceTypes", "InstanceTypes");
	(void)shape_wrapped(item, "AvailableVolumeCategories", "VolumeCategories");
	(void)shape_wrapped(item, "AvailableDedicatedHostTypes", "DedicatedHostType");
	(void)shape_wrapped(item, "DedicatedHostGenerations", "DedicatedHostGeneration");
	(void)shape_wrapped(item, "AvailableResources", "ResourcesInfo");
}

static void describe_zone(json_t *zone)
{
	answer_string(zone, "ZoneType", "AvailabilityZone");
	zone_offers(zone);
}

static int describe_regions(struct call *call)
{
	regions_answer(call, shape_wrapped(call->answer, "Regions", "Region"), "available");
	return 0;
}

static int describe_zones(struct call *call)
{
	zones_answer(call, shape_wrapped(call->answer, "Zones", "Zone"), describe_zone);
	return 0;
}

/* clang-format off */
const struct action ecs_actions[] = {
	{ "AuthorizeSecurityGroup", rule_authorize_ingress, ACTION_CHANGES, rule_params },
	{ "AuthorizeSecurityGroupEgress", rule_authorize_egress, ACTION_CHANGES, rule_params },
	{ "CreateSecurityGroup", security_group_create, ACTION_CHANGES, security_group_create_params },
	{ "DeleteInstance", instance_delete, ACTION_CHANGES | ACTION_NO_REGION, instance_delete_params },
	{ "DeleteSecurityGroup", security_group_delete, ACTION_CHANGES, security_group_id_params },
	{ "DescribeInstances", instance_list, ACTION_READ, instance_list_params },
	{ "DescribeNetworkInterfaces", eni_list, ACTION_READ, eni_list_params },
	{ "DescribeRegions", describe_regions, ACTION_NO_REGION, regions_params },
	{ "DescribeSecurityGroupAttribute", security_group_get, ACTION_READ, security_group_get_params },
	{ "DescribeSecurityGroups", security_group_list, ACTION_READ, security_group_list_params },
	{ "DescribeZones", describe_zones, ACTION_READ, zones_params },
	{ "ListTagResources", list_tag_resources, ACTION_READ, list_tag_resources_params },
	{ "ModifySecurityGroupAttribute", security_group_modify, ACTION_CHANGES, security_group_modify_params },
	{ "ModifySecurityGroupPolicy", security_group_set_policy, ACTION_CHANGES, security_group_set_policy_params },
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
