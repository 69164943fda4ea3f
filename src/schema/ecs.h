/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The actions of ECS, and the handlers that carry them out.
 */
#pragma once

#include "common.h"

/* clang-format off */
#define ECS_ACTIONS(X) \
	X(AuthorizeSecurityGroup, rule_authorize_ingress, ACTION_CHANGES, rule_params, NULL, NULL) \
	X(AuthorizeSecurityGroupEgress, rule_authorize_egress, ACTION_CHANGES, rule_params, NULL, NULL) \
	X(CreateSecurityGroup, security_group_create, ACTION_CHANGES, security_group_create_params, security_group_create_answer, NULL) \
	X(DeleteInstance, instance_delete, ACTION_CHANGES | ACTION_NO_REGION, instance_delete_params, NULL, NULL) \
	X(DeleteSecurityGroup, security_group_delete, ACTION_CHANGES, security_group_id_params, NULL, NULL) \
	X(DescribeInstances, instance_list, ACTION_READ, instance_list_params, instance_list_answer, &pages) \
	X(DescribeNetworkInterfaces, eni_list, ACTION_READ, eni_list_params, eni_list_answer, &eni_pages) \
	X(DescribeRegions, describe_regions, ACTION_REGIONLESS, regions_params, ecs_regions_answer, NULL) \
	X(DescribeSecurityGroupAttribute, security_group_get, ACTION_READ, security_group_get_params, security_group_get_answer, &rule_pages) \
	X(DescribeSecurityGroups, security_group_list, ACTION_READ, security_group_list_params, security_group_list_answer, &pages) \
	X(DescribeZones, describe_zones, ACTION_READ, zones_params, ecs_zones_answer, NULL) \
	X(JoinResourceGroup, security_group_join_resource_group, ACTION_CHANGES | ACTION_NO_REGION, join_params, NULL, NULL) \
	X(ListTagResources, list_tag_resources, ACTION_READ, list_tag_resources_params, tag_resources_wrapped_answer, &tag_pages) \
	X(ModifySecurityGroupAttribute, security_group_modify, ACTION_CHANGES, security_group_modify_params, NULL, NULL) \
	X(ModifySecurityGroupPolicy, security_group_set_policy, ACTION_CHANGES, security_group_set_policy_params, NULL, NULL) \
	X(RevokeSecurityGroup, rule_revoke_ingress, ACTION_CHANGES, rule_params, NULL, NULL) \
	X(RevokeSecurityGroupEgress, rule_revoke_egress, ACTION_CHANGES, rule_params, NULL, NULL) \
	X(RunInstances, instance_run, ACTION_CHANGES, instance_run_params, instance_run_answer, NULL) \
	X(StartInstance, instance_start, ACTION_CHANGES | ACTION_NO_REGION, instance_start_params, NULL, NULL) \
	X(StopInstance, instance_stop, ACTION_CHANGES | ACTION_NO_REGION, instance_stop_params, NULL, NULL) \
	X(TagResources, tag_resources, ACTION_CHANGES, tag_resources_params, NULL, NULL) \
	X(UntagResources, untag_resources, ACTION_CHANGES, untag_resources_params, NULL, NULL)
/* clang-format on */
