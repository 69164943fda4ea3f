/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The actions of PrivateLink, and the handlers that carry them out.
 */
#pragma once

#include "common.h"

/* clang-format off */
#define PRIVATELINK_ACTIONS(X) \
	X(AddUserToVpcEndpointService, service_add_user, ACTION_CHANGES, service_user_params, NULL, NULL) \
	X(AddZoneToVpcEndpoint, endpoint_zone_add, ACTION_CHANGES, endpoint_zone_add_params, NULL, NULL) \
	X(AttachResourceToVpcEndpointService, service_attach, ACTION_CHANGES, service_resource_params, NULL, NULL) \
	X(AttachSecurityGroupToVpcEndpoint, endpoint_attach_group, ACTION_CHANGES, endpoint_group_params, NULL, NULL) \
	X(ChangeResourceGroup, privatelink_change_group, ACTION_CHANGES | ACTION_NO_REGION, change_group_params, NULL, NULL) \
	X(CheckProductOpen, privatelink_check_open, ACTION_READ | ACTION_REGIONLESS, NULL, privatelink_check_open_answer, NULL) \
	X(CreateVpcEndpoint, endpoint_create, ACTION_CHANGES, endpoint_create_params, endpoint_create_answer, NULL) \
	X(CreateVpcEndpointService, service_create, ACTION_CHANGES, service_create_params, service_create_answer, NULL) \
	X(DeleteVpcEndpoint, endpoint_delete, ACTION_CHANGES, endpoint_id_params, NULL, NULL) \
	X(DeleteVpcEndpointService, service_delete, ACTION_CHANGES, service_id_params, NULL, NULL) \
	X(DescribeRegions, privatelink_regions, ACTION_READ | ACTION_REGIONLESS, privatelink_regions_params, privatelink_regions_answer, NULL) \
	X(DescribeZones, privatelink_zones, ACTION_READ, privatelink_zones_params, privatelink_zones_answer, NULL) \
	X(DetachResourceFromVpcEndpointService, service_detach, ACTION_CHANGES, service_detach_params, NULL, NULL) \
	X(DetachSecurityGroupFromVpcEndpoint, endpoint_detach_group, ACTION_CHANGES, endpoint_group_params, NULL, NULL) \
	X(DisableVpcEndpointConnection, connection_disable, ACTION_CHANGES, connection_id_params, NULL, NULL) \
	X(DisableVpcEndpointZoneConnection, zone_connection_disable, ACTION_CHANGES, zone_connection_disable_params, NULL, NULL) \
	X(EnableVpcEndpointConnection, connection_enable, ACTION_CHANGES, connection_enable_params, NULL, NULL) \
	X(EnableVpcEndpointZoneConnection, zone_connection_enable, ACTION_CHANGES, zone_connection_params, NULL, NULL) \
	X(GetVpcEndpointAttribute, endpoint_get, ACTION_READ, endpoint_id_params, endpoint_get_answer, NULL) \
	X(GetVpcEndpointServiceAttribute, service_get, ACTION_READ, service_id_params, service_get_answer, NULL) \
	X(ListTagResources, list_tag_resources, ACTION_READ, list_tags_params, tag_resources_answer, &tag_list_pages) \
	X(ListVpcEndpointConnections, connection_list, ACTION_READ, connection_list_params, connection_list_answer, &text_pages) \
	X(ListVpcEndpointSecurityGroups, endpoint_list_groups, ACTION_READ, endpoint_id_params, endpoint_list_groups_answer, &group_pages) \
	X(ListVpcEndpointServiceResources, service_list_resources, ACTION_READ, service_id_params, service_list_resources_answer, &resource_pages) \
	X(ListVpcEndpointServiceUsers, service_list_users, ACTION_READ, service_users_params, service_users_answer, &user_pages) \
	X(ListVpcEndpointServices, service_list, ACTION_READ, service_list_params, service_list_answer, &pages) \
	X(ListVpcEndpointServicesByEndUser, service_discover, ACTION_READ, service_discover_params, service_discover_answer, &text_pages) \
	X(ListVpcEndpointZones, endpoint_zone_list, ACTION_READ, endpoint_id_params, endpoint_zone_list_answer, &pages) \
	X(ListVpcEndpoints, endpoint_list, ACTION_READ, endpoint_list_params, endpoint_list_answer, &pages) \
	X(OpenPrivateLinkService, privatelink_open, ACTION_CHANGES | ACTION_REGIONLESS, NULL, privatelink_open_answer, NULL) \
	X(RemoveUserFromVpcEndpointService, service_remove_user, ACTION_CHANGES, service_user_params, NULL, NULL) \
	X(RemoveZoneFromVpcEndpoint, endpoint_zone_remove, ACTION_CHANGES, endpoint_zone_id_params, NULL, NULL) \
	X(TagResources, tag_resources, ACTION_CHANGES, put_tags_params, NULL, NULL) \
	X(UntagResources, untag_resources, ACTION_CHANGES, take_tags_params, NULL, NULL) \
	X(UpdateVpcEndpointAttribute, endpoint_update, ACTION_CHANGES, endpoint_update_params, NULL, NULL) \
	X(UpdateVpcEndpointConnectionAttribute, connection_update, ACTION_CHANGES, connection_enable_params, NULL, NULL) \
	X(UpdateVpcEndpointServiceAttribute, service_update, ACTION_CHANGES, service_update_params, NULL, NULL) \
	X(UpdateVpcEndpointServiceResourceAttribute, service_update_resource, ACTION_CHANGES, service_resource_update_params, NULL, NULL) \
	X(UpdateVpcEndpointZoneConnectionResourceAttribute, zone_connection_update_resource, ACTION_CHANGES, zone_resource_params, NULL, NULL)
/* clang-format on */

#define BANDWIDTH_MIN	      100   /* Mbit/s */
#define CROSS_BANDWIDTH_MAX   10240 /* between regions */
#define SERVICE_BANDWIDTH_MAX 10240 /* a service's default for its connections */

/* A zone of an endpoint that is to be made (privatelink.c). */
extern const struct param_spec endpoint_zone_params[];

/* privatelink_service.c */
extern const struct param_spec service_create_params[], service_id_params[], service_list_params[],
	service_user_params[], service_users_params[], service_update_params[], service_resource_params[],
	connection_list_params[], connection_enable_params[], connection_id_params[], service_detach_params[],
	service_resource_update_params[], zone_connection_params[], zone_connection_disable_params[],
	zone_resource_params[];
extern const struct answer_field service_create_answer[], service_get_answer[], service_list_answer[],
	service_users_answer[], service_list_resources_answer[], connection_list_answer[];
