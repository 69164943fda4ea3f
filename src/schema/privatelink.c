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

static const char *const regions_types[] = {"slb", "alb", "nlb", "gwlb", "ALL", NULL};

static const char *const sides[] = {"Endpoint", "EndpointService", NULL};

static const char *const service_types[] = {"Interface", "GatewayLoadBalancer", NULL};

static const struct param_spec privatelink_regions_params[] = {
	{"ServiceResourceType", PARAM_STRING, .values = regions_types, .no_case = true},
	{},
};

static const struct param_spec privatelink_zones_params[] = {
	{"ServiceResourceType", PARAM_STRING, .values = regions_types, .no_case = true},
	{"CrossRegion", PARAM_BOOL},
	{"CrossRegionSide", PARAM_STRING, .values = sides,
	 .help = "no effect: either side has all of a region's zones"},
	{},
};

static const struct param_spec service_discover_params[] = {
	{"ServiceId", PARAM_STRING},
	{"ServiceName", PARAM_STRING},
	{"ServiceRegionId", PARAM_STRING, OPTION("--service-region", "those of another region")},
	{"ServiceType", PARAM_STRING, .values = service_types},
	{"ResourceGroupId", PARAM_STRING},
	{"Tag", PARAM_STRUCT_LIST, .max = TAGS_PER_RESOURCE_MAX, .members = tag_params},
	{},
};

static const char *const endpoint_types[] = {"Interface", "Reverse", "GatewayLoadBalancer", NULL};

static const char *const endpoint_ip_versions[] = {"IPv4", "DualStack", "IPv6", NULL};

const struct param_spec endpoint_zone_params[] = {
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
	{"ServiceRegionId", PARAM_STRING, OPTION("--service-region", "region of the service, if another")},
	{"EndpointName", PARAM_STRING, OPTION("--name", "name")},
	{"EndpointDescription", PARAM_STRING, OPTION("--description", "description")},
	{"EndpointType", PARAM_STRING, .values = endpoint_types},
	{"AddressIpVersion", PARAM_STRING, .values = endpoint_ip_versions},
	{"CrossRegionBandwidth", PARAM_INT, .min = BANDWIDTH_MIN, .max = CROSS_BANDWIDTH_MAX,
	 OPTION("--cross-region-bandwidth", "Mbit/s to a service of another region")},
	{"PolicyDocument", PARAM_STRING},
	{"ProtectedEnabled", PARAM_BOOL},
	{"ResourceGroupId", PARAM_STRING, OPTION("--resource-group", "rg-…")},
	{"SecurityGroupId", PARAM_LIST, .max = SECURITY_GROUPS_MAX, OPTION("--security-group", "sg-…")},
	{"Tag", PARAM_STRUCT_LIST, .max = TAGS_PER_RESOURCE_MAX, .members = tag_params,
	 OPTION("--tag", "KEY,VALUE"), .parts = 2},
	{"Zone", PARAM_STRUCT_LIST, .max = 100, .members = endpoint_zone_params,
	 OPTION("--zone", "ZONE,VSWITCH[,ADDRESS]"), .parts = 3},
	{"ZoneAffinityEnabled", PARAM_BOOL,
	 OPTION("--zone-affinity", "names: the asker's zone alone, if it has one")},
	{"ZonePrivateIpAddressCount", PARAM_LONG, .min = 0, .max = INT32_MAX,
	 .help = "only 1 is served; 0 is as if it were not given"},
	{},
};

static const struct param_spec endpoint_id_params[] = {
	{"EndpointId", PARAM_STRING, .required = true, OPTION("ENDPOINT", "ep-…")},
	{},
};

static const struct param_spec endpoint_group_params[] = {
	{"EndpointId", PARAM_STRING, .required = true, OPTION("ENDPOINT", "ep-…")},
	{"SecurityGroupId", PARAM_STRING, .required = true, OPTION("GROUP", "sg-…")},
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
	{"ResourceGroupId", PARAM_STRING, OPTION("--resource-group", "only in this one")},
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

static const char *const tagged_types[] = {"vpcendpoint", "vpcendpointservice", NULL};

#define TAGGED_TYPE                                                                                          \
	{                                                                                                    \
		"ResourceType", PARAM_STRING, .required = true, .values = tagged_types, .no_case = true      \
	}
#define TAGS_MAX .max = TAGS_PER_RESOURCE_MAX

static const char *const grouped_types[] = {"VpcEndpoint", "VpcEndpointService", NULL};

static const struct param_spec change_group_params[] = {
	{"ResourceId", PARAM_STRING, ASKED("OBJECT", "ep-… or epsrv-…")},
	{"ResourceType", PARAM_STRING, .values = grouped_types, .no_case = true},
	{"ResourceGroupId", PARAM_STRING, ASKED("--to", "rg-…")},
	{},
};

static const struct param_spec put_tags_params[] = {
	TAGGED_TYPE,
	{"ResourceId", PARAM_LIST, .required = true, .min = 1, .max = 50, .help = TAGGED_HELP},
	{"Tag", PARAM_STRUCT_LIST, .required = true, .min = 1, TAGS_MAX, .members = tag_params},
	{},
};

static const struct param_spec take_tags_params[] = {
	TAGGED_TYPE,
	{"ResourceId", PARAM_LIST, .required = true, .min = 1, .max = 50, .help = TAGGED_HELP},
	{"TagKey", PARAM_LIST, .min = 1, TAGS_MAX},
	{"All", PARAM_BOOL},
	{},
};

static const struct param_spec list_tags_params[] = {
	TAGGED_TYPE,
	{"ResourceId", PARAM_LIST, .min = 1, .max = 50},
	{"Tag", PARAM_STRUCT_LIST, .min = 1, TAGS_MAX, .members = tag_params},
	{},
};

static const struct param_spec endpoint_update_params[] = {
	{"EndpointId", PARAM_STRING, .required = true, OPTION("ENDPOINT", "ep-…")},
	{"EndpointName", PARAM_STRING, OPTION("--name", "name")},
	{"EndpointDescription", PARAM_STRING, OPTION("--description", "description")},
	{"ZoneAffinityEnabled", PARAM_BOOL},
	{"PolicyDocument", PARAM_STRING},
	{"ResetPolicy", PARAM_BOOL},
	{"AddressIpVersion", PARAM_STRING, .values = endpoint_ip_versions},
	{"CrossRegionBandwidth", PARAM_INT, .min = BANDWIDTH_MIN, .max = CROSS_BANDWIDTH_MAX,
	 OPTION("--cross-region-bandwidth", "Mbit/s to a service of another region")},
	{},
};

static const struct answer_field privatelink_region_answer[] = {
	SAME(region_answer),
	{"ServiceResourceTypes", TEXTS("ServiceResourceType", "nlb", "slb")},
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
	{"ServiceType", A_TEXT},
	{"ServiceResourceType", OF(service, resource_type)},
	{"AddressIpVersion", OF(service, ip_version)},
	{"Payer", OF(service, payer)},
	{"ResourceGroupId", A_TEXT},
	{"AutoAcceptEnabled", OF(service, auto_accept)},
	{"ServiceSupportIPv6", A_FLAG},
	{"VpcEndpointPolicySupported", OF(service, policy_supported)},
	{"ZoneAffinityEnabled", OF(service, zone_affinity)},
	{"Zones", LIST(NULL, NULL), IN_WIDE("Zones", 3)},
	{"Tags", LIST(NULL, key_value_answer)},
	{},
};

static const struct answer_field service_discover_answer[] = {
	{"Services", LIST(NULL, discovered_service_answer)},
	{},
};

static const struct answer_field endpoint_create_answer[] = {
	{"EndpointId", OF(endpoint, id), IN_BOTH("Endpoint", 1, 1)},
	{"EndpointName", OF(endpoint, name), IN_BOTH("Name", 2, 2)},
	{"EndpointDescription", OF(endpoint, description), IN_SHOW("Description", 3)},
	{"EndpointDomain", OF(endpoint, domain), IN_SHOW("Domain", 7)},
	{"VpcId", OF(endpoint, vpc), IN_BOTH("VPC", 3, 4), .is_wide = true},
	{"ServiceId", OF(endpoint, service), IN_SHOW("Service id", 6)},
	{"ServiceName", OF(endpoint, service_name), IN_BOTH("Service", 4, 5), .is_wide = true},
	{"ServiceRegionId", OF(endpoint, service_region), IN_SHOW("Service region", 14)},
	{"CrossRegionBandwidth", GIVEN_OF(endpoint, cross_region_bandwidth), IN_SHOW("Between regions", 15)},
	{"AddressIpVersion", OF(endpoint, ip_version)},
	{"Bandwidth", OF(connection, bandwidth), IN_SHOW("Bandwidth", 16)},
	{"ZoneAffinityEnabled", OF(endpoint, zone_affinity), IN_SHOW("Zone affinity", 12)},
	{"CreateTime", TIME_OF(endpoint, create_time), IN_SHOW("Created", 13)},
	{"EndpointStatus", OF(endpoint, status), IN_BOTH("Status", 5, 8)},
	{"EndpointBusinessStatus", TEXT("Normal")},
	{"ConnectionStatus", OF(connection, status), IN_BOTH("Connection", 6, 10)},
	{"AcceptanceStatus", A_TEXT, IN_SHOW("Acceptance", 11)},
	{"StatusInfo", GIVEN_OF(endpoint, failure), IN_SHOW("Failure", 9)},
	{},
};

/* What an endpoint's own answer and its entry in a list share. */
static const struct answer_field endpoint_answer[] = {
	SAME(endpoint_create_answer),	    {"EndpointType", OF(endpoint, type)},
	{"RegionId", OF(endpoint, region)}, {"ResourceGroupId", GROUP_OF(endpoint)},
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
	{"SecurityGroupId", A_TEXT, IN_LIST("Security group", 1)},
	{"SecurityGroupStatus", A_TEXT, IN_LIST("Status", 2)},
	{},
};

static const struct answer_field endpoint_list_groups_answer[] = {
	{"SecurityGroups", LIST(NULL, endpoint_group_answer)},
	{},
};

static const struct answer_field endpoint_zone_answer[] = {
	{"ZoneId", OF(endpoint_zone, zone), IN_LIST("Zone", 1)},
	{"VSwitchId", OF(endpoint_zone, vswitch), IN_WIDE("vSwitch", 2)},
	{"EniId", OF(endpoint_zone, port), IN_LIST("ENI", 3)},
	{"EniIp", OF(endpoint_zone, addr), IN_LIST("IP address", 4)},
	{"ZoneDomain", OF(endpoint_zone, domain), IN_WIDE("Domain", 6)},
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
static const struct paging user_pages = {50, 50, .total = TOTAL_TEXT};
static const struct paging tag_list_pages = {50, 50, .total = TOTAL_NONE, .has_fixed_size = true};

const struct action privatelink_actions[] = {
	PRIVATELINK_ACTIONS(SCHEMA_ACTION){},
};
