/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PrivateLink: endpoints, endpoint services, connections.
 */
#include "privatelink.h"

#include "limits.h"

static const char *const resource_types[] = {"slb", "alb", "nlb", "gwlb", NULL};

static const char *const regions_types[] = {"slb", "alb", "nlb", "gwlb", "ALL", NULL};

static const char *const sides[] = {"Endpoint", "EndpointService", NULL};

static const char *const service_types[] = {"Interface", NULL};

static const struct param_spec privatelink_regions_params[] = {
	{"ServiceResourceType", PARAM_STRING, .values = regions_types, .no_case = true},
	{},
};

static const struct param_spec privatelink_zones_params[] = {
	{"ServiceResourceType", PARAM_STRING, .values = regions_types, .no_case = true},
	{"CrossRegion", PARAM_BOOL},
	{"CrossRegionSide", PARAM_STRING, .values = sides},
	{},
};

static const struct param_spec service_discover_params[] = {
	{"ServiceId", PARAM_STRING},
	{"ServiceName", PARAM_STRING},
	{"ServiceRegionId", PARAM_STRING},
	{"ServiceType", PARAM_STRING, .values = service_types},
	{"ResourceGroupId", PARAM_STRING},
	{"Tag", PARAM_STRUCT_LIST, .max = TAGS_PER_RESOURCE_MAX, .members = tag_params},
	{},
};

static const char *const endpoint_types[] = {"Interface", "Reverse", "GatewayLoadBalancer", NULL};

static const char *const endpoint_ip_versions[] = {"IPv4", "DualStack", "IPv6", NULL};

static const struct param_spec zone_params[] = {
	{"ZoneId", PARAM_STRING, .required = true},
	{"VSwitchId", PARAM_STRING, .required = true},
	{"ip", PARAM_STRING},
	{"Ipv6Address", PARAM_STRING},
	{},
};

static const struct param_spec endpoint_create_params[] = {
	{"VpcId", PARAM_STRING, .required = true},
	{"ServiceId", PARAM_STRING},
	{"ServiceName", PARAM_STRING},
	{"ServiceRegionId", PARAM_STRING},
	{"EndpointName", PARAM_STRING},
	{"EndpointDescription", PARAM_STRING},
	{"EndpointType", PARAM_STRING, .values = endpoint_types},
	{"AddressIpVersion", PARAM_STRING, .values = endpoint_ip_versions},
	{"CrossRegionBandwidth", PARAM_INT, .min = 100, .max = INT32_MAX},
	{"PolicyDocument", PARAM_STRING},
	{"ProtectedEnabled", PARAM_BOOL},
	{"ResourceGroupId", PARAM_STRING},
	{"SecurityGroupId", PARAM_LIST, .max = SECURITY_GROUPS_MAX},
	{"Tag", PARAM_STRUCT_LIST, .max = TAGS_PER_RESOURCE_MAX, .members = tag_params},
	{"Zone", PARAM_STRUCT_LIST, .max = 100, .members = zone_params},
	{"ZoneAffinityEnabled", PARAM_BOOL},
	{"ZonePrivateIpAddressCount", PARAM_LONG, .min = 1, .max = INT32_MAX},
	{},
};

static const struct param_spec endpoint_id_params[] = {
	{"EndpointId", PARAM_STRING, .required = true},
	{},
};

static const struct param_spec endpoint_list_params[] = {
	{"EndpointId", PARAM_STRING},
	{"EndpointName", PARAM_STRING},
	{"EndpointStatus", PARAM_STRING},
	{"EndpointType", PARAM_STRING, .values = endpoint_types},
	{"ConnectionStatus", PARAM_STRING},
	{"AddressIpVersion", PARAM_STRING, .values = endpoint_ip_versions},
	{"VpcId", PARAM_STRING},
	{"ServiceName", PARAM_STRING},
	{"ServiceRegionId", PARAM_STRING},
	{"ResourceGroupId", PARAM_STRING},
	{"Tag", PARAM_STRUCT_LIST, .max = TAGS_PER_RESOURCE_MAX, .members = tag_params},
	{},
};

static const struct param_spec endpoint_zone_add_params[] = {
	{"EndpointId", PARAM_STRING, .required = true},
	{"ZoneId", PARAM_STRING, .required = true},
	{"VSwitchId", PARAM_STRING, .required = true},
	{"ip", PARAM_STRING},
	{"Ipv6Address", PARAM_STRING},
	{},
};

static const struct param_spec endpoint_zone_id_params[] = {
	{"EndpointId", PARAM_STRING, .required = true},
	{"ZoneId", PARAM_STRING, .required = true},
	{},
};

static const char *const payers[] = {"Endpoint", "EndpointService", NULL};

static const char *const service_ip_versions[] = {"IPv4", "DualStack", NULL};

static const struct param_spec resource_params[] = {
	{"ResourceType", PARAM_STRING, .required = true, .values = resource_types, .no_case = true},
	{"ResourceId", PARAM_STRING, .required = true},
	{"ZoneId", PARAM_STRING},
	{},
};

static const struct param_spec service_create_params[] = {
	{"ServiceDescription", PARAM_STRING},
	{"ServiceResourceType", PARAM_STRING, .values = resource_types, .no_case = true},
	{"ServiceSupportIPv6", PARAM_BOOL},
	{"AddressIpVersion", PARAM_STRING, .values = service_ip_versions},
	{"AutoAcceptEnabled", PARAM_BOOL},
	{"ZoneAffinityEnabled", PARAM_BOOL},
	{"Payer", PARAM_STRING, .values = payers},
	{"Resource", PARAM_STRUCT_LIST, .max = RESOURCES_PER_CALL_MAX, .members = resource_params},
	{"ResourceGroupId", PARAM_STRING},
	{"SupportedRegionList", PARAM_LIST, .max = 100},
	{"Tag", PARAM_STRUCT_LIST, .max = TAGS_PER_RESOURCE_MAX, .members = tag_params},
	{},
};

static const struct param_spec service_id_params[] = {
	{"ServiceId", PARAM_STRING, .required = true},
	{},
};

static const struct param_spec service_list_params[] = {
	{"ServiceId", PARAM_STRING},
	{"ServiceName", PARAM_STRING},
	{"ServiceStatus", PARAM_STRING},
	{"ServiceBusinessStatus", PARAM_STRING},
	{"ServiceResourceType", PARAM_STRING, .values = resource_types, .no_case = true},
	{"AddressIpVersion", PARAM_STRING, .values = service_ip_versions},
	{"AutoAcceptEnabled", PARAM_BOOL},
	{"ZoneAffinityEnabled", PARAM_BOOL},
	{"ResourceId", PARAM_STRING},
	{"ResourceGroupId", PARAM_STRING},
	{"Tag", PARAM_STRUCT_LIST, .max = TAGS_PER_RESOURCE_MAX, .members = tag_params},
	{},
};

static const struct param_spec service_user_params[] = {
	{"ServiceId", PARAM_STRING, .required = true},
	{"UserId", PARAM_LONG, .min = 1, .max = INT64_MAX},
	{"UserARN", PARAM_STRING},
	{},
};

static const struct param_spec service_resource_params[] = {
	{"ServiceId", PARAM_STRING, .required = true},
	{"ResourceId", PARAM_STRING, .required = true},
	{"ResourceType", PARAM_STRING, .required = true, .values = resource_types, .no_case = true},
	{"ZoneId", PARAM_STRING},
	{},
};

static const char *const traffic_modes[] = {"Scalability", "BandwidthLimit", NULL};

static const struct param_spec connection_list_params[] = {
	{"ServiceId", PARAM_STRING},
	{"EndpointId", PARAM_STRING},
	{"EndpointOwnerId", PARAM_LONG},
	{"ConnectionStatus", PARAM_STRING},
	{"EniId", PARAM_STRING},
	{"ResourceId", PARAM_STRING},
	{"ReplacedResourceId", PARAM_STRING},
	{"ResourceGroupId", PARAM_STRING},
	{},
};

static const struct param_spec connection_enable_params[] = {
	{"ServiceId", PARAM_STRING, .required = true},
	{"EndpointId", PARAM_STRING, .required = true},
	{"Bandwidth", PARAM_INT},
	{"TrafficControlMode", PARAM_STRING, .values = traffic_modes},
	{},
};

static const struct param_spec connection_id_params[] = {
	{"ServiceId", PARAM_STRING, .required = true},
	{"EndpointId", PARAM_STRING, .required = true},
	{},
};

static const struct answer_field privatelink_region_answer[] = {
	SAME(region_answer),
	{"ServiceResourceTypes", TEXTS("ServiceResourceType", "nlb")},
	{},
};

static const struct answer_field privatelink_regions_answer[] = {
	{"Regions", LIST("Region", privatelink_region_answer)},
	{},
};

static const struct answer_field privatelink_zones_answer[] = {
	{"Zones", LIST("Zone", zone_answer)},
	{},
};

static const struct answer_field privatelink_open_answer[] = {
	{"OrderId", A_TEXT},
	{},
};

static const struct answer_field privatelink_check_open_answer[] = {
	{"Success", FLAG(true)},
	{},
};

/* A service that the caller may connect to; tags and resource group are its owner's. */
static const struct answer_field discovered_service_answer[] = {
	{"ServiceId", OF(service, id)},
	{"ServiceName", OF(service, name)},
	{"ServiceDomain", OF(service, domain)},
	{"ServiceType", TEXT("Interface")},
	{"ServiceResourceType", OF(service, resource_type)},
	{"AddressIpVersion", OF(service, ip_version)},
	{"Payer", OF(service, payer)},
	{"ResourceGroupId", A_TEXT},
	{"AutoAcceptEnabled", OF(service, auto_accept)},
	{"ServiceSupportIPv6", FLAG(false)},
	{"VpcEndpointPolicySupported", OF(service, policy_supported)},
	{"ZoneAffinityEnabled", OF(service, zone_affinity)},
	{"Zones", LIST(NULL, NULL)},
	{"Tags", LIST(NULL, key_value_answer)},
	{},
};

static const struct answer_field service_discover_answer[] = {
	{"Services", LIST(NULL, discovered_service_answer)},
	{},
};

static const struct answer_field service_create_answer[] = {
	{"ServiceId", OF(service, id)},
	{"ServiceName", OF(service, name)},
	{"ServiceDescription", OF(service, description)},
	{"ServiceDomain", OF(service, domain)},
	{"ServiceStatus", OF(service, status)},
	{"ServiceBusinessStatus", TEXT("Normal")},
	{"AddressIpVersion", OF(service, ip_version)},
	{"ResourceGroupId", OF(service, resource_group)},
	{"AutoAcceptEnabled", OF(service, auto_accept)},
	{"ServiceSupportIPv6", FLAG(false)},
	{"ZoneAffinityEnabled", OF(service, zone_affinity)},
	{"CreateTime", TIME_OF(service, create_time)},
	{"SupportedRegionSet", EMPTY(NULL)},
	{},
};

/* What a service's own answer and its entry in a list share. */
static const struct answer_field service_answer[] = {
	SAME(service_create_answer),
	{"RegionId", OF(service, region)},
	{"ServiceType", A_TEXT},
	{"ServiceResourceType", OF(service, resource_type)},
	{"Payer", OF(service, payer)},
	{"ConnectBandwidth", OF(service, connect_bandwidth)},
	{"MinBandwidth", NUMBER(BANDWIDTH_MIN)},
	{"MaxBandwidth", NUMBER(SERVICE_BANDWIDTH_MAX)},
	{},
};

static const struct answer_field service_get_answer[] = {
	SAME(service_answer),
	{"Zones", LIST(NULL, NULL)},
	{},
};

static const struct answer_field service_entry[] = {
	SAME(service_answer),
	{"Tags", TAGS(NULL, key_value_answer)},
	{},
};

static const struct answer_field service_list_answer[] = {
	{"Services", LIST(NULL, service_entry)},
	{},
};

static const struct answer_field service_resource_answer[] = {
	{"ResourceId", OF(service_resource, resource)},
	{"ResourceType", OF(service_resource, type)},
	{"ZoneId", OF(service_resource, zone)},
	{"RegionId", A_TEXT},
	{"AutoAllocatedEnabled", OF(service_resource, auto_allocated)},
	{"ResourceSupportIPv6", FLAG(false)},
	{"RelatedEndpointCount", A_NUMBER},
	{"RelatedDeprecatedEndpointCount", NUMBER(0)},
	{"VSwitchId", A_TEXT},
	{"Ip", A_TEXT},
	{"VpcId", GIVEN_OF(load_balancer, vpc)},
	{},
};

static const struct answer_field service_list_resources_answer[] = {
	{"Resources", LIST(NULL, service_resource_answer)},
	{},
};

static const struct answer_field connection_zone_answer[] = {
	{"ZoneId", OF(endpoint_zone, zone)},
	{"VSwitchId", OF(endpoint_zone, vswitch)},
	{"EniId", OF(endpoint_zone, port)},
	{"ZoneDomain", OF(endpoint_zone, domain)},
	{"ZoneStatus", OF(endpoint_zone, status)},
	{"ResourceId", GIVEN_OF(endpoint_zone, resource)},
	{},
};

static const struct answer_field connection_answer[] = {
	{"ServiceId", OF(service, id)},
	{"ServiceRegionId", OF(service, region)},
	{"EndpointId", OF(endpoint, id)},
	{"EndpointOwnerId", OF(endpoint, owner)},
	{"EndpointRegionId", OF(endpoint, region)},
	{"EndpointVpcId", OF(endpoint, vpc)},
	{"ConnectionStatus", OF(connection, status)},
	{"AcceptanceStatus", A_TEXT},
	{"ResourceGroupId", OF(service, resource_group)},
	{"TrafficControlMode", OF(connection, traffic_control)},
	{"Bandwidth", OF(connection, bandwidth)},
	{"ResourceOwner", A_FLAG},
	{"ModifiedTime", TIME_OF(connection, modified_time)},
	{"Zones", LIST(NULL, connection_zone_answer)},
	{},
};

static const struct answer_field connection_list_answer[] = {
	{"Connections", LIST(NULL, connection_answer)},
	{},
};

static const struct answer_field endpoint_create_answer[] = {
	{"EndpointId", OF(endpoint, id)},
	{"EndpointName", OF(endpoint, name)},
	{"EndpointDescription", OF(endpoint, description)},
	{"EndpointDomain", OF(endpoint, domain)},
	{"VpcId", OF(endpoint, vpc)},
	{"ServiceId", OF(endpoint, service)},
	{"ServiceName", OF(endpoint, service_name)},
	{"ServiceRegionId", OF(endpoint, service_region)},
	{"AddressIpVersion", OF(endpoint, ip_version)},
	{"Bandwidth", OF(connection, bandwidth)},
	{"ZoneAffinityEnabled", OF(endpoint, zone_affinity)},
	{"CreateTime", TIME_OF(endpoint, create_time)},
	{"EndpointStatus", OF(endpoint, status)},
	{"EndpointBusinessStatus", TEXT("Normal")},
	{"ConnectionStatus", OF(connection, status)},
	{"AcceptanceStatus", A_TEXT},
	{"StatusInfo", GIVEN_OF(endpoint, failure)},
	{},
};

/* What an endpoint's own answer and its entry in a list share. */
static const struct answer_field endpoint_answer[] = {
	SAME(endpoint_create_answer),	    {"EndpointType", OF(endpoint, type)},
	{"RegionId", OF(endpoint, region)}, {"ResourceGroupId", OF(endpoint, resource_group)},
	{"ResourceOwner", A_FLAG},	    {"ProtectedEnabled", OF(endpoint, protected_enabled)},
	{"PolicyDocument", A_TEXT},	    {},
};

static const struct answer_field endpoint_get_answer[] = {
	SAME(endpoint_answer),
	{"Payer", OF(endpoint, payer)},
	{"ZonePrivateIpAddressCount", NUMBER(1)},
	{},
};

static const struct answer_field endpoint_entry[] = {
	SAME(endpoint_answer),
	{"Tags", TAGS(NULL, key_value_answer)},
	{},
};

static const struct answer_field endpoint_list_answer[] = {
	{"Endpoints", LIST(NULL, endpoint_entry)},
	{},
};

static const struct answer_field endpoint_group_answer[] = {
	{"SecurityGroupId", A_TEXT},
	{"SecurityGroupStatus", A_TEXT},
	{},
};

static const struct answer_field endpoint_list_groups_answer[] = {
	{"SecurityGroups", LIST(NULL, endpoint_group_answer)},
	{},
};

static const struct answer_field endpoint_zone_answer[] = {
	{"ZoneId", OF(endpoint_zone, zone)},
	{"VSwitchId", OF(endpoint_zone, vswitch)},
	{"EniId", OF(endpoint_zone, port)},
	{"EniIp", OF(endpoint_zone, addr)},
	{"ZoneDomain", OF(endpoint_zone, domain)},
	{"ZoneStatus", OF(endpoint_zone, status)},
	{"RegionId", A_TEXT},
	{},
};

static const struct answer_field endpoint_zone_list_answer[] = {
	{"Zones", LIST(NULL, endpoint_zone_answer)},
	{},
};

static const struct paging pages = {50, 1000};
static const struct paging text_pages = {50, 1000, .total = TOTAL_TEXT};
static const struct paging group_pages = {50, 50};
static const struct paging resource_pages = {50, 50, .total = TOTAL_NONE};

const struct action privatelink_actions[] = {
	PRIVATELINK_ACTIONS(SCHEMA_ACTION){},
};
