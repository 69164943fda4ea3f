/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of PrivateLink's actions.
 */
#include "actions.h"

#define CHANGES ACTION_CHANGES
#define READ	ACTION_READ

/* clang-format off */
const struct action privatelink_actions[] = {
	{ "AddUserToVpcEndpointService", service_add_user, CHANGES, service_user_params },
	{ "AddZoneToVpcEndpoint", endpoint_zone_add, CHANGES, endpoint_zone_add_params },
	{ "AttachResourceToVpcEndpointService", service_attach, CHANGES, service_resource_params },
	{ "CheckProductOpen", privatelink_check_open, READ | ACTION_NO_REGION },
	{ "CreateVpcEndpoint", endpoint_create, CHANGES, endpoint_create_params },
	{ "CreateVpcEndpointService", service_create, CHANGES, service_create_params },
	{ "DeleteVpcEndpoint", endpoint_delete, CHANGES, endpoint_id_params },
	{ "DeleteVpcEndpointService", service_delete, CHANGES, service_id_params },
	{ "DescribeRegions", privatelink_regions, READ | ACTION_NO_REGION, privatelink_regions_params },
	{ "DescribeZones", privatelink_zones, READ, privatelink_zones_params },
	{ "DisableVpcEndpointConnection", connection_disable, CHANGES, connection_id_params },
	{ "EnableVpcEndpointConnection", connection_enable, CHANGES, connection_enable_params },
	{ "GetVpcEndpointAttribute", endpoint_get, READ, endpoint_id_params },
	{ "GetVpcEndpointServiceAttribute", service_get, READ, service_id_params },
	{ "ListVpcEndpointConnections", connection_list, READ, connection_list_params },
	{ "ListVpcEndpointSecurityGroups", endpoint_list_groups, READ, endpoint_id_params },
	{ "ListVpcEndpointServiceResources", service_list_resources, READ, service_id_params },
	{ "ListVpcEndpointServices", service_list, READ, service_list_params },
	{ "ListVpcEndpointServicesByEndUser", service_discover, READ, service_discover_params },
	{ "ListVpcEndpointZones", endpoint_zone_list, READ, endpoint_id_params },
	{ "ListVpcEndpoints", endpoint_list, READ, endpoint_list_params },
	{ "OpenPrivateLinkService", privatelink_open, CHANGES | ACTION_NO_REGION },
	{ "RemoveZoneFromVpcEndpoint", endpoint_zone_remove, CHANGES, endpoint_zone_id_params },
	{},
};
/* clang-format on */
