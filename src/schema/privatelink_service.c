/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PrivateLink: endpoint services, their load balancers and whitelists, and connections, as a provider has
 * them.
 */
#include "limits.h"
#include "privatelink.h"

static const char *const resource_types[] = {"slb", "alb", "nlb", "gwlb", NULL};

static const char *const payers[] = {"Endpoint", "EndpointService", NULL};

static const char *const service_ip_versions[] = {"IPv4", "DualStack", NULL};

static const struct param_spec resource_params[] = {
	{"ResourceType", PARAM_STRING, .required = true, .values = resource_types, .no_case = true},
	{"ResourceId", PARAM_STRING, .required = true},
	{"ZoneId", PARAM_STRING},
	{},
};

const struct param_spec service_create_params[] = {
	{"ServiceDescription", PARAM_STRING, OPTION("--description", "description")},
	{"ServiceResourceType", PARAM_STRING, .values = resource_types, .no_case = true,
	 OPTION("--resource-type", "nlb or slb (default)")},
	{"ServiceSupportIPv6", PARAM_BOOL},
	{"AddressIpVersion", PARAM_STRING, .values = service_ip_versions},
	{"AutoAcceptEnabled", PARAM_BOOL, OPTION("--auto-accept", "accept connections without asking")},
	{"ZoneAffinityEnabled", PARAM_BOOL,
	 OPTION("--zone-affinity", "names: the asker's zone alone, if it has one")},
	{"Payer", PARAM_STRING, .values = payers},
	{"Resource", PARAM_STRUCT_LIST, .max = RESOURCES_PER_CALL_MAX, .members = resource_params,
	 OPTION("--resource", "nlb,NLB,ZONE or slb,SLB"), .parts = 3},
	{"ResourceGroupId", PARAM_STRING, OPTION("--resource-group", "rg-…")},
	{"SupportedRegionList", PARAM_LIST, .max = SERVICE_REGIONS_MAX,
	 OPTION("--from-region", "another region that endpoints may come from")},
	{"Tag", PARAM_STRUCT_LIST, .max = TAGS_PER_RESOURCE_MAX, .members = tag_params,
	 OPTION("--tag", "KEY,VALUE"), .parts = 2},
	{},
};

const struct param_spec service_id_params[] = {
	{"ServiceId", PARAM_STRING, .required = true, OPTION("SERVICE", "epsrv-…")},
	{},
};

const struct param_spec service_list_params[] = {
	{"ServiceId", PARAM_STRING, OPTION("--service", "only this one")},
	{"ServiceName", PARAM_STRING},
	{"ServiceStatus", PARAM_STRING},
	{"ServiceBusinessStatus", PARAM_STRING},
	{"ServiceResourceType", PARAM_STRING, .values = resource_types, .no_case = true},
	{"AddressIpVersion", PARAM_STRING, .values = service_ip_versions},
	{"AutoAcceptEnabled", PARAM_BOOL},
	{"ZoneAffinityEnabled", PARAM_BOOL},
	{"ResourceId", PARAM_STRING},
	{"ResourceGroupId", PARAM_STRING, OPTION("--resource-group", "only in this one")},
	{"Tag", PARAM_STRUCT_LIST, .max = TAGS_PER_RESOURCE_MAX, .members = tag_params},
	{},
};

const struct param_spec service_user_params[] = {
	{"ServiceId", PARAM_STRING, .required = true, OPTION("SERVICE", "epsrv-…")},
	{"UserId", PARAM_LONG, .min = 1, .max = INT64_MAX},
	{"UserARN", PARAM_STRING},
	{},
};

static const char *const user_list_types[] = {"Users", "UserARNs", NULL};

const struct param_spec service_users_params[] = {
	{"ServiceId", PARAM_STRING, .required = true, OPTION("SERVICE", "epsrv-…")},
	{"UserId", PARAM_LONG, .min = 1, .max = INT64_MAX},
	{"UserListType", PARAM_STRING, .values = user_list_types},
	{},
};

const struct param_spec service_update_params[] = {
	{"ServiceId", PARAM_STRING, .required = true, OPTION("SERVICE", "epsrv-…")},
	{"ServiceDescription", PARAM_STRING, OPTION("--description", "description")},
	{"AutoAcceptEnabled", PARAM_BOOL},
	{"ConnectBandwidth", PARAM_INT, .min = BANDWIDTH_MIN, .max = SERVICE_BANDWIDTH_MAX,
	 OPTION("--bandwidth", "Mbit/s of new connections")},
	{"ZoneAffinityEnabled", PARAM_BOOL},
	{"AddressIpVersion", PARAM_STRING, .values = service_ip_versions},
	{"ServiceSupportIPv6", PARAM_BOOL},
	{"AddSupportedRegionSet", PARAM_LIST, .max = SERVICE_REGIONS_MAX,
	 OPTION("--add-region", "another region that endpoints may come from")},
	{"DeleteSupportedRegionSet", PARAM_LIST, .max = SERVICE_REGIONS_MAX,
	 OPTION("--remove-region", "a region that they may not come from any more")},
	{},
};

const struct param_spec service_resource_params[] = {
	{"ServiceId", PARAM_STRING, .required = true, OPTION("SERVICE", "epsrv-…")},
	{"ResourceId", PARAM_STRING, .required = true},
	{"ResourceType", PARAM_STRING, .required = true, .values = resource_types, .no_case = true},
	{"ZoneId", PARAM_STRING, OPTION("--zone", "zone of the load balancer, if it has several")},
	{},
};

const struct param_spec service_detach_params[] = {
	{"ServiceId", PARAM_STRING, .required = true, OPTION("SERVICE", "epsrv-…")},
	{"ResourceId", PARAM_STRING, .required = true, OPTION("BALANCER", "nlb-… or lb-…")},
	{"ResourceType", PARAM_STRING, .values = resource_types, .no_case = true},
	{"ZoneId", PARAM_STRING, OPTION("--zone", "zone of the load balancer, if it has several")},
	{},
};

const struct param_spec service_resource_update_params[] = {
	{"ServiceId", PARAM_STRING, .required = true},
	{"ResourceId", PARAM_STRING, .required = true},
	{"ZoneId", PARAM_STRING},
	{"AutoAllocatedEnabled", PARAM_BOOL, .required = true},
	{},
};

static const char *const traffic_modes[] = {"Scalability", "BandwidthLimit", NULL};

const struct param_spec connection_list_params[] = {
	{"ServiceId", PARAM_STRING, ASKED("SERVICE", "epsrv-…")},
	{"EndpointId", PARAM_STRING, OPTION("--endpoint-id", "only this endpoint")},
	{"EndpointOwnerId", PARAM_LONG},
	{"ConnectionStatus", PARAM_STRING, OPTION("--status", "only in this state")},
	{"EniId", PARAM_STRING},
	{"ResourceId", PARAM_STRING},
	{"ReplacedResourceId", PARAM_STRING},
	{"ResourceGroupId", PARAM_STRING, OPTION("--resource-group", "only in this one")},
	{},
};

const struct param_spec connection_enable_params[] = {
	{"ServiceId", PARAM_STRING, .required = true, OPTION("SERVICE", "epsrv-…")},
	{"EndpointId", PARAM_STRING, .required = true, OPTION("ENDPOINT", "ep-…")},
	{"Bandwidth", PARAM_INT, OPTION("--bandwidth", "Mbit/s")},
	{"TrafficControlMode", PARAM_STRING, .values = traffic_modes,
	 OPTION("--traffic-control", "BandwidthLimit, or Scalability: as fast as the node is")},
	{},
};

#define ZONE_CONNECTION                                                                                      \
	{"ServiceId", PARAM_STRING, .required = true, OPTION("SERVICE", "epsrv-…")},                         \
		{"EndpointId", PARAM_STRING, .required = true, OPTION("ENDPOINT", "ep-…")},                  \
	{                                                                                                    \
		"ZoneId", PARAM_STRING, .required = true, OPTION("ZONE", "zone")                             \
	}

const struct param_spec zone_connection_params[] = {
	ZONE_CONNECTION,
	{},
};

const struct param_spec zone_connection_disable_params[] = {
	ZONE_CONNECTION,
	{"ReplacedResource", PARAM_BOOL,
	 OPTION("--replaced", "take off the load balancer that was replaced, and cut nothing")},
	{},
};

/* The modes are words of a code of their own. */
const struct param_spec zone_resource_params[] = {
	ZONE_CONNECTION,
	{"ResourceId", PARAM_STRING, OPTION("--nlb", "nlb-… or lb-…")},
	{"ResourceType", PARAM_STRING, .values = resource_types, .no_case = true},
	{"ResourceAllocateMode", PARAM_STRING,
	 OPTION("--allocate", "of a zone that is not connected: Auto or Manual")},
	{"ResourceReplaceMode", PARAM_STRING, OPTION("--replace", "of a connected zone: Graceful or Force")},
	{},
};

const struct param_spec connection_id_params[] = {
	{"ServiceId", PARAM_STRING, .required = true, OPTION("SERVICE", "epsrv-…")},
	{"EndpointId", PARAM_STRING, .required = true, OPTION("ENDPOINT", "ep-…")},
	{},
};

/* There is nothing to be put in force before a region is there: who may make an endpoint is asked of the row.
 */
static const struct answer_field supported_region_answer[] = {
	{"SupportedRegionId", A_TEXT, IN_SHOW("From regions", 10)},
	{"ServiceRegionId", A_TEXT},
	{"RegionServiceStatus", TEXT("Available")},
	{"RegionBusinessStatus", TEXT("Normal")},
	{},
};

const struct answer_field service_create_answer[] = {
	{"ServiceId", OF(service, id), IN_BOTH("Service", 1, 1)},
	{"ServiceName", OF(service, name), IN_BOTH("Name", 2, 2), .is_wide = true},
	{"ServiceDescription", OF(service, description), IN_SHOW("Description", 4)},
	{"ServiceDomain", OF(service, domain), IN_SHOW("Domain", 3)},
	{"ServiceStatus", OF(service, status), IN_BOTH("Status", 5, 5)},
	{"ServiceBusinessStatus", TEXT("Normal")},
	{"AddressIpVersion", OF(service, ip_version)},
	{"ResourceGroupId", GROUP_OF(service)},
	{"AutoAcceptEnabled", OF(service, auto_accept), IN_BOTH("Auto-accept", 3, 7)},
	{"ServiceSupportIPv6", A_FLAG},
	{"ZoneAffinityEnabled", OF(service, zone_affinity), IN_SHOW("Zone affinity", 8)},
	{"CreateTime", TIME_OF(service, create_time), IN_SHOW("Created", 9)},
	{"SupportedRegionSet", LIST(NULL, supported_region_answer)},
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

const struct answer_field service_get_answer[] = {
	SAME(service_answer),
	{"Zones", LIST(NULL, NULL), IN_SHOW("Zones", 6)},
	{},
};

static const struct answer_field service_entry[] = {
	SAME(service_answer),
	{"Tags", TAGS(NULL, key_value_answer)},
	{},
};

const struct answer_field service_list_answer[] = {
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
	{"RelatedDeprecatedEndpointCount", A_NUMBER},
	{"VSwitchId", A_TEXT},
	{"Ip", A_TEXT, IN_LIST("Address", 4)},
	{"VpcId", GIVEN_OF(load_balancer, vpc), IN_WIDE("VPC", 5)},
	{},
};

static const struct answer_field user_answer[] = {
	{"UserId", OF(service_user, uid)},
	{},
};

static const struct answer_field user_arn_answer[] = {
	{"UserARN", OF(service_user, arn)},
	{},
};

const struct answer_field service_users_answer[] = {
	{"Users", LIST(NULL, user_answer)},
	{"UserARNs", LIST(NULL, user_arn_answer)},
	{},
};

const struct answer_field service_list_resources_answer[] = {
	{"Resources", LIST(NULL, service_resource_answer)},
	{},
};

static const struct answer_field connection_zone_answer[] = {
	{"ZoneId", OF(endpoint_zone, zone), IN_WIDE("Zones", 4)},
	{"VSwitchId", OF(endpoint_zone, vswitch)},
	{"EniId", OF(endpoint_zone, port)},
	{"ZoneDomain", OF(endpoint_zone, domain)},
	{"ZoneStatus", OF(endpoint_zone, status)},
	{"ResourceId", GIVEN_OF(endpoint_zone, resource)},
	{"ReplacedEniId", GIVEN_OF(endpoint_zone, replaced_port)},
	{"ReplacedResourceId", GIVEN_OF(endpoint_zone, replaced_resource)},
	{},
};

static const struct answer_field connection_answer[] = {
	{"ServiceId", OF(service, id)},
	{"ServiceRegionId", OF(service, region)},
	{"EndpointId", OF(endpoint, id), IN_LIST("Endpoint", 1)},
	{"EndpointOwnerId", OF(endpoint, owner), IN_LIST("Account", 2)},
	{"EndpointRegionId", OF(endpoint, region)},
	{"EndpointVpcId", OF(endpoint, vpc), IN_WIDE("VPC", 3)},
	{"ConnectionStatus", OF(connection, status), IN_LIST("Status", 6)},
	{"AcceptanceStatus", A_TEXT},
	{"ResourceGroupId", GROUP_OF(service)},
	{"TrafficControlMode", OF(connection, traffic_control)},
	{"Bandwidth", OF(connection, bandwidth), IN_WIDE("Bandwidth", 5)},
	{"ResourceOwner", A_FLAG},
	{"ModifiedTime", TIME_OF(connection, modified_time)},
	{"Zones", LIST(NULL, connection_zone_answer)},
	{},
};

const struct answer_field connection_list_answer[] = {
	{"Connections", LIST(NULL, connection_answer)},
	{},
};
