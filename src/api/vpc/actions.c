/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of VPC's actions, and what it says of regions, zones and tags.
 */
#include "actions.h"

#include "../common/owned.h"
#include "../common/regions.h"
#include "../common/tags.h"
#include "../frame/shape.h"

static const struct tagged_type tagged_types[] = {
	{"VPC", KIND_VPC},
	{"VSWITCH", KIND_VSWITCH},
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

static void describe_zone(json_t *zone)
{
	answer_string(zone, "ZoneType", "AvailabilityZone");
}

static int describe_regions(struct call *call)
{
	regions_answer(call, shape_wrapped(call->answer, "Regions", "Region"), NULL);
	return 0;
}

static int describe_zones(struct call *call)
{
	zones_answer(call, shape_wrapped(call->answer, "Zones", "Zone"), describe_zone);
	return 0;
}

/* clang-format off */
const struct action vpc_actions[] = {
	{ "CreateVSwitch", vswitch_create, ACTION_CHANGES | ACTION_NO_REGION, vswitch_create_params },
	{ "CreateVpc", vpc_create, ACTION_CHANGES, vpc_create_params },
	{ "DeleteVSwitch", vswitch_delete, ACTION_CHANGES | ACTION_NO_REGION, vswitch_id_params },
	{ "DeleteVpc", vpc_delete, ACTION_CHANGES | ACTION_NO_REGION, vpc_id_params },
	{ "DescribeRegions", describe_regions, ACTION_NO_REGION, regions_params },
	{ "DescribeRouteTableList", route_table_list, ACTION_READ, route_table_list_params },
	{ "DescribeVSwitchAttributes", vswitch_get, ACTION_NO_REGION, vswitch_id_params },
	{ "DescribeVSwitches", vswitch_list, ACTION_NO_REGION, vswitch_list_params },
	{ "DescribeVpcAttribute", vpc_get, ACTION_READ, vpc_id_params },
	{ "DescribeVpcs", vpc_list, ACTION_READ, vpc_list_params },
	{ "DescribeZones", describe_zones, ACTION_READ, zones_params },
	{ "ListTagResources", list_tag_resources, ACTION_READ, list_tag_resources_params },
	{ "ModifyVSwitchAttribute", vswitch_modify, ACTION_CHANGES | ACTION_NO_REGION, vswitch_modify_params },
	{ "ModifyVpcAttribute", vpc_modify, ACTION_CHANGES | ACTION_NO_REGION, vpc_modify_params },
	{ "TagResources", tag_resources, ACTION_CHANGES, tag_resources_params },
	{ "UnTagResources", untag_resources, ACTION_CHANGES, untag_resources_params },
	{},
};
/* clang-format on */
