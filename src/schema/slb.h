/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The actions of SLB, which has classic load balancers, and the handlers that carry them out. A listener has
 * no id: its load balancer, its port and its protocol name it.
 */
#pragma once

#include "common.h"

/* clang-format off */
#define SLB_ACTIONS(X) \
	X(AddBackendServers, slb_backend_add, ACTION_CHANGES | ACTION_NO_REGION, slb_backend_params, slb_backend_answer, NULL) \
	X(CreateLoadBalancer, slb_balancer_create, ACTION_CHANGES, slb_balancer_create_params, slb_balancer_create_answer, NULL) \
	X(CreateLoadBalancerTCPListener, slb_listener_create_tcp, ACTION_CHANGES | ACTION_NO_REGION, slb_listener_create_params, NULL, NULL) \
	X(CreateLoadBalancerUDPListener, slb_listener_create_udp, ACTION_CHANGES | ACTION_NO_REGION, slb_listener_create_params, NULL, NULL) \
	X(DeleteLoadBalancer, slb_balancer_delete, ACTION_CHANGES | ACTION_NO_REGION, slb_balancer_id_params, NULL, NULL) \
	X(DeleteLoadBalancerListener, slb_listener_delete, ACTION_CHANGES | ACTION_NO_REGION, slb_listener_id_params, NULL, NULL) \
	X(DescribeAvailableResource, slb_available, ACTION_READ, slb_available_params, slb_available_answer, NULL) \
	X(DescribeHealthStatus, slb_health, ACTION_NO_REGION, slb_health_params, slb_health_answer, NULL) \
	X(DescribeLoadBalancerAttribute, slb_balancer_get, ACTION_NO_REGION, slb_balancer_id_params, slb_balancer_get_answer, NULL) \
	X(DescribeLoadBalancerTCPListenerAttribute, slb_listener_get_tcp, ACTION_NO_REGION, slb_listener_get_params, slb_listener_get_answer, NULL) \
	X(DescribeLoadBalancerUDPListenerAttribute, slb_listener_get_udp, ACTION_NO_REGION, slb_listener_get_params, slb_listener_get_answer, NULL) \
	X(DescribeLoadBalancers, slb_balancer_list, ACTION_READ, slb_balancer_list_params, slb_balancer_list_answer, &pages) \
	X(DescribeRegions, describe_regions, ACTION_REGIONLESS, regions_params, regions_answer, NULL) \
	X(DescribeZones, slb_zones, ACTION_READ, zones_params, slb_zones_answer, NULL) \
	X(ListTagResources, list_tag_resources, ACTION_NO_REGION, list_tag_resources_params, tag_resources_wrapped_answer, &tag_pages) \
	X(RemoveBackendServers, slb_backend_remove, ACTION_CHANGES | ACTION_NO_REGION, slb_backend_params, slb_backend_answer, NULL) \
	X(SetBackendServers, slb_backend_set, ACTION_CHANGES | ACTION_NO_REGION, slb_backend_params, slb_backend_answer, NULL) \
	X(SetLoadBalancerDeleteProtection, slb_balancer_protect, ACTION_CHANGES | ACTION_NO_REGION, slb_balancer_protect_params, NULL, NULL) \
	X(SetLoadBalancerModificationProtection, slb_balancer_guard, ACTION_CHANGES | ACTION_NO_REGION, slb_balancer_guard_params, NULL, NULL) \
	X(SetLoadBalancerName, slb_balancer_rename, ACTION_CHANGES | ACTION_NO_REGION, slb_balancer_rename_params, NULL, NULL) \
	X(SetLoadBalancerStatus, slb_balancer_set_status, ACTION_CHANGES | ACTION_NO_REGION, slb_balancer_status_params, NULL, NULL) \
	X(SetLoadBalancerTCPListenerAttribute, slb_listener_set_tcp, ACTION_CHANGES | ACTION_NO_REGION, slb_listener_set_params, NULL, NULL) \
	X(SetLoadBalancerUDPListenerAttribute, slb_listener_set_udp, ACTION_CHANGES | ACTION_NO_REGION, slb_listener_set_params, NULL, NULL) \
	X(StartLoadBalancerListener, slb_listener_start, ACTION_CHANGES | ACTION_NO_REGION, slb_listener_id_params, NULL, NULL) \
	X(StopLoadBalancerListener, slb_listener_stop, ACTION_CHANGES | ACTION_NO_REGION, slb_listener_id_params, NULL, NULL) \
	X(TagResources, tag_resources, ACTION_CHANGES | ACTION_NO_REGION, tag_resources_params, NULL, NULL) \
	X(UntagResources, untag_resources, ACTION_CHANGES | ACTION_NO_REGION, untag_resources_params, NULL, NULL)
/* clang-format on */

/* slb_listener.c: listeners, and the servers behind them. */
extern const struct param_spec slb_backend_params[], slb_health_params[], slb_listener_create_params[],
	slb_listener_get_params[], slb_listener_id_params[], slb_listener_set_params[];
extern const struct answer_field slb_backend_answer[], slb_backend_entry[], slb_backend_shown[],
	slb_health_answer[], slb_listener_get_answer[];
