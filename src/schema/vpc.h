/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The actions of VPC, and the handlers that carry them out.
 */
#pragma once

#include "common.h"

/* clang-format off */
#define VPC_ACTIONS(X) \
	X(CreateVSwitch, vswitch_create, ACTION_CHANGES | ACTION_NO_REGION, vswitch_create_params, vswitch_create_answer, NULL) \
	X(CreateVpc, vpc_create, ACTION_CHANGES, vpc_create_params, vpc_create_answer, NULL) \
	X(DeleteVSwitch, vswitch_delete, ACTION_CHANGES | ACTION_NO_REGION, vswitch_id_params, NULL, NULL) \
	X(DeleteVpc, vpc_delete, ACTION_CHANGES | ACTION_NO_REGION, vpc_id_params, NULL, NULL) \
	X(DescribeRegions, describe_regions, ACTION_REGIONLESS, regions_params, regions_answer, NULL) \
	X(DescribeRouteTableList, route_table_list, ACTION_READ, route_table_list_params, route_table_list_answer, &pages) \
	X(DescribeVSwitchAttributes, vswitch_get, ACTION_NO_REGION, vswitch_id_params, vswitch_answer, NULL) \
	X(DescribeVSwitches, vswitch_list, ACTION_NO_REGION, vswitch_list_params, vswitch_list_answer, &pages) \
	X(DescribeVpcAttribute, vpc_get, ACTION_READ, vpc_id_params, vpc_get_answer, NULL) \
	X(DescribeVpcs, vpc_list, ACTION_READ, vpc_list_params, vpc_list_answer, &pages) \
	X(DescribeZones, describe_zones, ACTION_READ, zones_params, vpc_zones_answer, NULL) \
	X(ListTagResources, list_tag_resources, ACTION_READ, list_tag_resources_params, tag_resources_wrapped_answer, &tag_list_pages) \
	X(ModifyVSwitchAttribute, vswitch_modify, ACTION_CHANGES | ACTION_NO_REGION, vswitch_modify_params, NULL, NULL) \
	X(ModifyVpcAttribute, vpc_modify, ACTION_CHANGES | ACTION_NO_REGION, vpc_modify_params, NULL, NULL) \
	X(MoveResourceGroup, vpc_move_resource_group, ACTION_CHANGES, vpc_move_params, NULL, NULL) \
	X(TagResources, tag_resources, ACTION_CHANGES, tag_resources_params, NULL, NULL) \
	X(UnTagResources, untag_resources, ACTION_CHANGES, untag_resources_params, NULL, NULL)
/* clang-format on */
