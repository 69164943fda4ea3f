/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The actions of NLB, and the handlers that carry them out. Every change answers with the id of a job, which
 * is done when the nodes have the change in force.
 */
#pragma once

#include "common.h"

/* clang-format off */
#define NLB_ACTIONS(X) \
	X(AddServersToServerGroup, server_add, ACTION_CHANGES | ACTION_NO_REGION, server_params, server_group_job_answer, NULL) \
	X(CancelShiftLoadBalancerZones, balancer_unshift_zones, ACTION_CHANGES | ACTION_NO_REGION, balancer_shift_params, NULL, NULL) \
	X(CreateListener, listener_create, ACTION_CHANGES | ACTION_NO_REGION, listener_create_params, listener_create_answer, NULL) \
	X(CreateLoadBalancer, balancer_create, ACTION_CHANGES | ACTION_NO_REGION, balancer_create_params, balancer_create_answer, NULL) \
	X(CreateServerGroup, server_group_create, ACTION_CHANGES | ACTION_NO_REGION, server_group_create_params, server_group_job_answer, NULL) \
	X(DeleteListener, listener_delete, ACTION_CHANGES | ACTION_NO_REGION, listener_id_params, job_answer, NULL) \
	X(DeleteLoadBalancer, balancer_delete, ACTION_CHANGES | ACTION_NO_REGION, balancer_id_params, job_answer, NULL) \
	X(DeleteServerGroup, server_group_delete, ACTION_CHANGES | ACTION_NO_REGION, server_group_id_params, job_answer, NULL) \
	X(DescribeRegions, describe_regions, ACTION_REGIONLESS, regions_params, nlb_regions_answer, NULL) \
	X(DescribeZones, describe_zones, ACTION_NO_REGION, zones_params, nlb_zones_answer, NULL) \
	X(GetJobStatus, nlb_job_status, ACTION_NO_REGION, nlb_job_params, job_status_answer, NULL) \
	X(GetListenerAttribute, listener_get, ACTION_NO_REGION, listener_id_params, listener_get_answer, NULL) \
	X(GetListenerHealthStatus, listener_health, ACTION_NO_REGION, listener_id_params, listener_health_answer, NULL) \
	X(GetLoadBalancerAttribute, balancer_get, ACTION_NO_REGION, balancer_id_params, balancer_get_answer, NULL) \
	X(ListListeners, listener_list, ACTION_NO_REGION, listener_list_params, listener_list_answer, &pages) \
	X(ListLoadBalancers, balancer_list, ACTION_NO_REGION, balancer_list_params, balancer_list_answer, &pages) \
	X(ListServerGroupServers, server_list, ACTION_NO_REGION, server_list_params, server_list_answer, &pages) \
	X(ListServerGroups, server_group_list, ACTION_NO_REGION, server_group_list_params, server_group_list_answer, &pages) \
	X(ListTagResources, list_tag_resources, ACTION_NO_REGION, list_tag_resources_params, tag_resources_answer, &tag_pages) \
	X(LoadBalancerJoinSecurityGroup, balancer_join_groups, ACTION_CHANGES | ACTION_NO_REGION, balancer_groups_params, job_answer, NULL) \
	X(LoadBalancerLeaveSecurityGroup, balancer_leave_groups, ACTION_CHANGES | ACTION_NO_REGION, balancer_groups_params, job_answer, NULL) \
	X(MoveResourceGroup, nlb_move_resource_group, ACTION_CHANGES | ACTION_NO_REGION, nlb_move_params, nlb_move_answer, NULL) \
	X(RemoveServersFromServerGroup, server_remove, ACTION_CHANGES | ACTION_NO_REGION, server_params, server_group_job_answer, NULL) \
	X(StartListener, listener_start, ACTION_CHANGES | ACTION_NO_REGION, listener_id_params, job_answer, NULL) \
	X(StartShiftLoadBalancerZones, balancer_shift_zones, ACTION_CHANGES | ACTION_NO_REGION, balancer_shift_params, NULL, NULL) \
	X(StopListener, listener_stop, ACTION_CHANGES | ACTION_NO_REGION, listener_id_params, job_answer, NULL) \
	X(TagResources, tag_resources, ACTION_CHANGES | ACTION_NO_REGION, tag_resources_params, NULL, NULL) \
	X(UntagResources, untag_resources, ACTION_CHANGES | ACTION_NO_REGION, untag_resources_params, NULL, NULL) \
	X(UpdateListenerAttribute, listener_update, ACTION_CHANGES | ACTION_NO_REGION, listener_update_params, job_answer, NULL) \
	X(UpdateLoadBalancerAddressTypeConfig, balancer_update_address_type, ACTION_CHANGES | ACTION_NO_REGION, balancer_address_type_params, job_answer, NULL) \
	X(UpdateLoadBalancerAttribute, balancer_update, ACTION_CHANGES | ACTION_NO_REGION, balancer_update_params, job_answer, NULL) \
	X(UpdateLoadBalancerProtection, balancer_update_protection, ACTION_CHANGES | ACTION_NO_REGION, balancer_protection_params, NULL, NULL) \
	X(UpdateLoadBalancerZones, balancer_update_zones, ACTION_CHANGES | ACTION_NO_REGION, balancer_zones_params, job_answer, NULL) \
	X(UpdateServerGroupAttribute, server_group_update, ACTION_CHANGES | ACTION_NO_REGION, server_group_update_params, server_group_job_answer, NULL) \
	X(UpdateServerGroupServersAttribute, server_update, ACTION_CHANGES | ACTION_NO_REGION, server_params, server_group_job_answer, NULL)
/* clang-format on */

extern const char *const nlb_schedulers[], *const nlb_protocols[]; /* of server groups; end with NULL */

/* nlb_group.c: server groups and servers; what a change answers. */
extern const struct param_spec server_group_create_params[], server_group_id_params[],
	server_group_list_params[], server_group_update_params[], server_params[], server_list_params[];
extern const struct answer_field server_group_job_answer[], server_group_list_answer[], server_list_answer[],
	job_answer[];
