/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PrivateLink: endpoints, endpoint services, connections.
 */
#include "privatelink.h"

#include "limits.h"

const struct product_words privatelink_words = {
	.malformed = "IllegalParamFormat.{name}",
	.missing_part = "MissingParam.{name}",
	.unknown_region = "RegionNotFound",
	.token_mismatch = "IdempotenceSignatureMismatch",
	.no_tag_key = "MissingTagKeyParam",
	.tag_key = "IllegalTagKeyParam",
	.tag_value = "IllegalTagValueParam",
	.tag_key_twice = "DuplicatedTagKey",
	.too_many_tags = "QuotaExceed.TagsPerResource",
};

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
	{"VpcId", PARAM_STRING, .required = true, OPTION("--vpc", "vpc-…")},
	{"ServiceId", PARAM_STRING},
	{"ServiceName", PARAM_STRING},
	{"ServiceRegionId", PARAM_STRING},
	{"EndpointName", PARAM_STRING, OPTION("--name", "name")},
	{"EndpointDescription", PARAM_STRING, OPTION("--description", "description")},
	{"EndpointType", PARAM_STRING, .values = endpoint_types},
	{"AddressIpVersion", PARAM_STRING, .values = endpoint_ip_versions},
	{"CrossRegionBandwidth", PARAM_INT, .min = 100, .max = INT32_MAX},
	{"PolicyDocument", PARAM_STRING},
	{"ProtectedEnabled", PARAM_BOOL},
	{"ResourceGroupId", PARAM_STRING},
	{"SecurityGroupId", PARAM_LIST, .max = SECURITY_GROUPS_MAX, OPTION("--security-group", "sg-…")},
	{"Tag", PARAM_STRUCT_LIST, .max = TAGS_PER_RESOURCE_MAX, .members = tag_params,
	 OPTION("--tag", "KEY,VALUE"), .parts = 2},
	{"Zone", PARAM_STRUCT_LIST, .max = 100, .members = zone_params,
	 OPTION("--zone", "ZONE,VSWITCH[,ADDRESS]"), .parts = 3},
	{"ZoneAffinityEnabled", PARAM_BOOL,
	 OPTION("--zone-affinity", "answer names with the asker's zone first")},
	{"ZonePrivateIpAddressCount", PARAM_LONG, .min = 1, .max = INT32_MAX},
	{},
};

static const struct param_spec endpoint_id_params[] = {
	{"EndpointId", PARAM_STRING, .required = true, OPTION("ENDPOINT", "ep-…")},
	{},
};

static const struct param_spec endpoint_list_params[] = {
	{"EndpointId", PARAM_STRING},
	{"EndpointName", PARAM_STRING, OPTION("--name", "only of this name")},
	{"EndpointStatus", PARAM_STRING, OPTION("--status", "only in this state")},
	{"EndpointType", PARAM_STRING, .values = endpoint_types},
	{"ConnectionStatus", PARAM_STRING, OPTION("--connection", "only of this connection state")},
	{"AddressIpVersion", PARAM_STRING, .values = endpoint_ip_versions},
	{"VpcId", PARAM_STRING, OPTION("--vpc", "only in this VPC")},
	{"ServiceName", PARAM_STRING},
	{"ServiceRegionId", PARAM_STRING},
	{"ResourceGroupId", PARAM_STRING},
	{"Tag", PARAM_STRUCT_LIST, .max = TAGS_PER_RESOURCE_MAX, .members = tag_params},
	{},
};

static const struct param_spec endpoint_zone_add_params[] = {
	{"EndpointId", PARAM_STRING, .required = true, OPTION("ENDPOINT", "ep-…")},
	{"ZoneId", PARAM_STRING, .required = true, OPTION("--zone", "zone")},
	{"VSwitchId", PARAM_STRING, .required = true, OPTION("--vswitch", "vsw-…")},
	{"ip", PARAM_STRING, OPTION("--ip", "address in the vSwitch")},
	{"Ipv6Address", PARAM_STRING},
	{},
};

static const struct param_spec endpoint_zone_id_params[] = {
	{"EndpointId", PARAM_STRING, .required = true, OPTION("ENDPOINT", "ep-…")},
	{"ZoneId", PARAM_STRING, .required = true, OPTION("--zone", "zone")},
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
	{"ServiceDescription", PARAM_STRING, OPTION("--description", "description")},
	{"ServiceResourceType", PARAM_STRING, .values = resource_types, .no_case = true,
	 OPTION("--resource-type", "nlb")},
	{"ServiceSupportIPv6", PARAM_BOOL},
	{"AddressIpVersion", PARAM_STRING, .values = service_ip_versions},
	{"AutoAcceptEnabled", PARAM_BOOL, OPTION("--auto-accept", "accept connections without asking")},
	{"ZoneAffinityEnabled", PARAM_BOOL,
	 OPTION("--zone-affinity", "answer names with the asker's zone first")},
	{"Payer", PARAM_STRING, .values = payers},
	{"Resource", PARAM_STRUCT_LIST, .max = RESOURCES_PER_CALL_MAX, .members = resource_params,
	 OPTION("--resource", "nlb,NLB,ZONE"), .parts = 3},
	{"ResourceGroupId", PARAM_STRING},
	{"SupportedRegionList", PARAM_LIST, .max = 100},
	{"Tag", PARAM_STRUCT_LIST, .max = TAGS_PER_RESOURCE_MAX, .members = tag_params,
	 OPTION("--tag", "KEY,VALUE"), .parts = 2},
	{},
};

static const struct param_spec service_id_params[] = {
	{"ServiceId", PARAM_STRING, .required = true, OPTION("SERVICE", "epsrv-…")},
	{},
};

static const struct param_spec service_list_params[] = {
	{"ServiceId", PARAM_STRING, OPTION("--service", "only this one")},
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
	{"ServiceId", PARAM_STRING, .required = true, OPTION("SERVICE", "epsrv-…")},
	{"UserId", PARAM_LONG, .min = 1, .max = INT64_MAX},
	{"UserARN", PARAM_STRING},
	{},
};

static const struct param_spec service_resource_params[] = {
	{"ServiceId", PARAM_STRING, .required = true, OPTION("SERVICE", "epsrv-…")},
	{"ResourceId", PARAM_STRING, .required = true, OPTION("--nlb", "nlb-…")},
	{"ResourceType", PARAM_STRING, .required = true, .values = resource_types, .no_case = true},
	{"ZoneId", PARAM_STRING, ASKED("--zone", "zone of the load balancer")},
	{},
};

static const char *const traffic_modes[] = {"Scalability", "BandwidthLimit", NULL};

static const struct param_spec connection_list_params[] = {
	{"ServiceId", PARAM_STRING, ASKED("SERVICE", "epsrv-…")},
	{"EndpointId", PARAM_STRING, OPTION("--endpoint-id", "only this endpoint")},
	{"EndpointOwnerId", PARAM_LONG},
	{"ConnectionStatus", PARAM_STRING, OPTION("--status", "only in this state")},
	{"EniId", PARAM_STRING},
	{"ResourceId", PARAM_STRING},
	{"ReplacedResourceId", PARAM_STRING},
	{"ResourceGroupId", PARAM_STRING},
	{},
};

static const struct param_spec connection_enable_params[] = {
	{"ServiceId", PARAM_STRING, .required = true, OPTION("SERVICE", "epsrv-…")},
	{"EndpointId", PARAM_STRING, .required = true, OPTION("ENDPOINT", "ep-…")},
	{"Bandwidth", PARAM_INT, OPTION("--bandwidth", "Mbit/s")},
	{"TrafficControlMode", PARAM_STRING, .values = traffic_modes},
	{},
};

static const struct param_spec connection_id_params[] = {
	{"ServiceId", PARAM_STRING, .required = true, OPTION("SERVICE", "epsrv-…")},
	{"EndpointId", PARAM_STRING, .required = true, OPTION("ENDPOINT", "ep-…")},
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
	{"ServiceId", OF(service, id), IN_LIST("Service", 1)},
	{"ServiceName", OF(service, name), IN_LIST("Name", 2)},
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
	{"Zones", LIST(NULL, NULL), IN_LIST("Zones", 3)},
	{"Tags", LIST(NULL, key_value_answer)},
	{},
};

static const struct answer_field service_discover_answer[] = {
	{"Services", LIST(NULL, discovered_service_answer)},
	{},
};

static const struct answer_field service_create_answer[] = {
	{"ServiceId", OF(service, id), IN_BOTH("Service", 1, 1)},
	{"ServiceName", OF(service, name), IN_BOTH("Name", 2, 2)},
	{"ServiceDescription", OF(service, description), IN_SHOW("Description", 4)},
	{"ServiceDomain", OF(service, domain), IN_SHOW("Domain", 3)},
	{"ServiceStatus", OF(service, status), IN_BOTH("Status", 5, 5)},
	{"ServiceBusinessStatus", TEXT("Normal")},
	{"AddressIpVersion", OF(service, ip_version)},
	{"ResourceGroupId", OF(service, resource_group)},
	{"AutoAcceptEnabled", OF(service, auto_accept), IN_BOTH("Auto-accept", 3, 7)},
	{"ServiceSupportIPv6", FLAG(false)},
	{"ZoneAffinityEnabled", OF(service, zone_affinity), IN_SHOW("Zone affinity", 8)},
	{"CreateTime", TIME_OF(service, create_time), IN_SHOW("Created", 9)},
	{"SupportedRegionSet", EMPTY(NULL)},
	{},
};

/* What a service's own answer and its entry in a list share. */
static const struct answer_field service_answer[] = {
	SAME(service_create_answer),
	{"RegionId", OF(service, region)},
	{"ServiceType", A_TEXT},
	{"ServiceResourceType", OF(service, resource_type), IN_LIST("Resources", 4)},
	{"Payer", OF(service, payer)},
	{"ConnectBandwidth", OF(service, connect_bandwidth)},
	{"MinBandwidth", NUMBER(BANDWIDTH_MIN)},
	{"MaxBandwidth", NUMBER(SERVICE_BANDWIDTH_MAX)},
	{},
};

static const struct answer_field service_get_answer[] = {
	SAME(service_answer),
	{"Zones", LIST(NULL, NULL), IN_SHOW("Zones", 6)},
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
	{"ResourceId", OF(service_resource, resource), IN_LIST("Resource", 1)},
	{"ResourceType", OF(service_resource, type), IN_LIST("Type", 2)},
	{"ZoneId", OF(service_resource, zone), IN_LIST("Zone", 3)},
	{"RegionId", A_TEXT},
	{"AutoAllocatedEnabled", OF(service_resource, auto_allocated)},
	{"ResourceSupportIPv6", FLAG(false)},
	{"RelatedEndpointCount", A_NUMBER, IN_LIST("Endpoints", 6)},
	{"RelatedDeprecatedEndpointCount", NUMBER(0)},
	{"VSwitchId", A_TEXT},
	{"Ip", A_TEXT, IN_LIST("Address", 4)},
	{"VpcId", GIVEN_OF(load_balancer, vpc), IN_LIST("VPC", 5)},
	{},
};

static const struct answer_field service_list_resources_answer[] = {
	{"Resources", LIST(NULL, service_resource_answer)},
	{},
};

static const struct answer_field connection_zone_answer[] = {
	{"ZoneId", OF(endpoint_zone, zone), IN_LIST("Zones", 4)},
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
	{"EndpointId", OF(endpoint, id), IN_LIST("Endpoint", 1)},
	{"EndpointOwnerId", OF(endpoint, owner), IN_LIST("Account", 2)},
	{"EndpointRegionId", OF(endpoint, region)},
	{"EndpointVpcId", OF(endpoint, vpc), IN_LIST("VPC", 3)},
	{"ConnectionStatus", OF(connection, status), IN_LIST("Status", 6)},
	{"AcceptanceStatus", A_TEXT},
	{"ResourceGroupId", OF(service, resource_group)},
	{"TrafficControlMode", OF(connection, traffic_control)},
	{"Bandwidth", OF(connection, bandwidth), IN_LIST("Bandwidth", 5)},
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
	{"EndpointId", OF(endpoint, id), IN_BOTH("Endpoint", 1, 1)},
	{"EndpointName", OF(endpoint, name), IN_BOTH("Name", 2, 2)},
	{"EndpointDescription", OF(endpoint, description), IN_SHOW("Description", 3)},
	{"EndpointDomain", OF(endpoint, domain), IN_SHOW("Domain", 7)},
	{"VpcId", OF(endpoint, vpc), IN_BOTH("VPC", 3, 4)},
	{"ServiceId", OF(endpoint, service), IN_SHOW("Service id", 6)},
	{"ServiceName", OF(endpoint, service_name), IN_BOTH("Service", 4, 5)},
	{"ServiceRegionId", OF(endpoint, service_region)},
	{"AddressIpVersion", OF(endpoint, ip_version)},
	{"Bandwidth", OF(connection, bandwidth), IN_SHOW("Bandwidth", 11)},
	{"ZoneAffinityEnabled", OF(endpoint, zone_affinity), IN_SHOW("Zone affinity", 12)},
	{"CreateTime", TIME_OF(endpoint, create_time), IN_SHOW("Created", 13)},
	{"EndpointStatus", OF(endpoint, status), IN_BOTH("Status", 5, 8)},
	{"EndpointBusinessStatus", TEXT("Normal")},
	{"ConnectionStatus", OF(connection, status), IN_BOTH("Connection", 6, 10)},
	{"AcceptanceStatus", A_TEXT},
	{"StatusInfo", GIVEN_OF(endpoint, failure), IN_SHOW("Failure", 9)},
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
	{"ZoneId", OF(endpoint_zone, zone), IN_LIST("Zone", 1)},
	{"VSwitchId", OF(endpoint_zone, vswitch), IN_LIST("vSwitch", 2)},
	{"EniId", OF(endpoint_zone, port), IN_LIST("ENI", 3)},
	{"EniIp", OF(endpoint_zone, addr), IN_LIST("IP address", 4)},
	{"ZoneDomain", OF(endpoint_zone, domain), IN_LIST("Domain", 6)},
	{"ZoneStatus", OF(endpoint_zone, status), IN_LIST("Status", 5)},
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
