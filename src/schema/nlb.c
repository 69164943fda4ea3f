/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NLB: load balancers, listeners, jobs; and the table of all its actions.
 */
#include "nlb.h"

#include "limits.h"

static const struct param_spec nlb_job_params[] = {
	{"JobId", PARAM_STRING, .required = true},
	{},
};

static const char *const address_types[] = {"Internet", "Intranet", NULL};

static const char *const ip_versions[] = {"Ipv4", NULL};

static const struct param_spec zone_mapping_params[] = {
	{"ZoneId", PARAM_STRING, .required = true},
	{"VSwitchId", PARAM_STRING, .required = true},
	{"PrivateIPv4Address", PARAM_STRING},
	{"AllocationId", PARAM_STRING},
	{"Ipv6Address", PARAM_STRING},
	{"Ipv4LocalAddresses", PARAM_LIST, .max = 10},
	{"Ipv6LocalAddresses", PARAM_LIST, .max = 10},
	{},
};

static const struct param_spec zone_params[] = {
	{"ZoneId", PARAM_STRING, .required = true},
	{"VSwitchId", PARAM_STRING, .required = true},
	{},
};

static const struct param_spec protection_params[] = {
	{"Enabled", PARAM_BOOL},
	{"Reason", PARAM_STRING},
	{},
};

static const char *const protection_words[] = {"NonProtection", "ConsoleProtection", NULL};

static const struct param_spec modification_params[] = {
	{"Status", PARAM_STRING, .values = protection_words},
	{"Reason", PARAM_STRING},
	{},
};

static const struct param_spec billing_params[] = {
	{"PayType", PARAM_STRING},
	{},
};

static const struct param_spec balancer_create_params[] = {
	{"AddressType", PARAM_STRING, .required = true, .values = address_types, .no_case = true},
	{"VpcId", PARAM_STRING, .required = true, OPTION("--vpc", "vpc-…")},
	{"ZoneMappings", PARAM_STRUCT_LIST, .required = true, .min = 2, .max = LB_ZONES_MAX,
	 .members = zone_mapping_params, OPTION("--zone", "ZONE,VSWITCH[,ADDRESS]: two zones or more"),
	 .parts = 3},
	{"LoadBalancerName", PARAM_STRING, OPTION("--name", "name")},
	{"LoadBalancerType", PARAM_STRING},
	{"AddressIpVersion", PARAM_STRING, .values = ip_versions, .no_case = true},
	{"ResourceGroupId", PARAM_STRING, OPTION("--resource-group", "rg-…")},
	{"DeletionProtectionConfig", PARAM_STRUCT, .members = protection_params},
	{"ModificationProtectionConfig", PARAM_STRUCT, .members = modification_params},
	{"LoadBalancerBillingConfig", PARAM_STRUCT, .members = billing_params},
	{"BandwidthPackageId", PARAM_STRING},
	{"Tag", PARAM_STRUCT_LIST, .max = TAGS_PER_RESOURCE_MAX, .members = tag_params,
	 OPTION("--tag", "KEY,VALUE"), .parts = 2},
	{},
};

static const struct param_spec balancer_id_params[] = {
	{"LoadBalancerId", PARAM_STRING, .required = true, OPTION("NLB", "nlb-…")},
	{},
};

static const struct param_spec balancer_list_params[] = {
	{"LoadBalancerIds", PARAM_LIST, .max = 100},
	{"LoadBalancerNames", PARAM_LIST, .max = 100},
	{"LoadBalancerStatus", PARAM_STRING},
	{"LoadBalancerBusinessStatus", PARAM_STRING},
	{"LoadBalancerType", PARAM_STRING},
	{"Ipv6AddressType", PARAM_STRING},
	{"AddressType", PARAM_STRING},
	{"AddressIpVersion", PARAM_STRING},
	{"DNSName", PARAM_STRING},
	{"VpcIds", PARAM_LIST, .max = 100, OPTION("--vpc", "only in this VPC")},
	{"ZoneId", PARAM_STRING},
	{"ResourceGroupId", PARAM_STRING, OPTION("--resource-group", "only in this one")},
	{"Tag", PARAM_STRUCT_LIST, .max = TAGS_PER_RESOURCE_MAX, .members = tag_params},
	{"MaxResults", PARAM_INT, .min = 1, .max = 100},
	{},
};

static const struct param_spec balancer_update_params[] = {
	{"LoadBalancerId", PARAM_STRING, .required = true},
	{"LoadBalancerName", PARAM_STRING},
	{"CrossZoneEnabled", PARAM_BOOL,
	 .help = "whether servers of other zones stand in for a zone's own that are ill or missing"},
	{"Cps", PARAM_INT, .min = 1, .max = 1000000, .help = "not served"},
	{},
};

static const struct param_spec balancer_zones_params[] = {
	{"LoadBalancerId", PARAM_STRING, .required = true, OPTION("NLB", "nlb-…")},
	{"ZoneMappings", PARAM_STRUCT_LIST, .required = true, .min = 2, .max = LB_ZONES_MAX,
	 .members = zone_mapping_params, OPTION("--zone", "ZONE,VSWITCH[,ADDRESS]: two zones or more"),
	 .parts = 3},
	{},
};

static const struct param_spec balancer_shift_params[] = {
	{"LoadBalancerId", PARAM_STRING, .required = true, OPTION("NLB", "nlb-…")},
	{"ZoneMappings", PARAM_STRUCT_LIST, .required = true, .min = 1, .max = LB_ZONES_MAX,
	 .members = zone_params, OPTION("--zone", "ZONE,VSWITCH"), .parts = 2},
	{},
};

static const struct param_spec balancer_address_type_params[] = {
	{"LoadBalancerId", PARAM_STRING, .required = true},
	{"AddressType", PARAM_STRING, .required = true, .values = address_types, .no_case = true,
	 .help = "only Intranet is served"},
	{"ZoneMappings", PARAM_STRUCT_LIST, .max = LB_ZONES_MAX, .members = zone_mapping_params,
	 .help = "public addresses; not served"},
	{},
};

static const char *const moved_types[] = {"loadbalancer", "servergroup", NULL};

static const struct param_spec nlb_move_params[] = {
	{"ResourceId", PARAM_STRING, .required = true},
	{"ResourceType", PARAM_STRING, .required = true, .values = moved_types, .no_case = true},
	{"NewResourceGroupId", PARAM_STRING, .required = true},
	{},
};

static const struct param_spec balancer_groups_params[] = {
	{"LoadBalancerId", PARAM_STRING, .required = true, OPTION("NLB", "nlb-…")},
	{"SecurityGroupIds", PARAM_LIST, .required = true, .min = 1, .max = SECURITY_GROUPS_MAX,
	 OPTION("--security-group", "sg-…")},
	{},
};

static const struct param_spec balancer_protection_params[] = {
	{"LoadBalancerId", PARAM_STRING, .required = true, OPTION("NLB", "nlb-…")},
	{"DeletionProtectionEnabled", PARAM_BOOL, OPTION("--deletion-protection", "it cannot be deleted")},
	{"DeletionProtectionReason", PARAM_STRING, OPTION("--deletion-reason", "why")},
	{"ModificationProtectionStatus", PARAM_STRING, .values = protection_words,
	 OPTION("--modification-protection", "ConsoleProtection or NonProtection")},
	{"ModificationProtectionReason", PARAM_STRING, OPTION("--modification-reason", "why")},
	{},
};

static const struct param_spec proxy_params[] = {
	{"Ppv2VpcIdEnabled", PARAM_BOOL, OPTION("--proxy-vpc", "the header names the client's VPC")},
	{"Ppv2PrivateLinkEpIdEnabled", PARAM_BOOL, OPTION("--proxy-endpoint", "it names the endpoint")},
	{"Ppv2PrivateLinkEpsIdEnabled", PARAM_BOOL, OPTION("--proxy-service", "it names the service")},
	{},
};

/* clang-format off */
#define CPS_PARAM \
	{"Cps", PARAM_INT, .min = 0, .max = 1000000, \
	 OPTION("--cps", "new connections a second of each endpoint zone; 0: no limit")}
/* clang-format on */

/* clang-format off */
#define PROXY_PARAMS \
	{"ProxyProtocolEnabled", PARAM_BOOL, \
	 OPTION("--proxy-protocol", "servers get a PROXY header in front of each connection (TCP)")}, \
	{"ProxyProtocolV2Config", PARAM_STRUCT, .members = proxy_params}

/* Read only to be refused. */
#define NOT_SERVED_PARAMS \
	{"SecSensorEnabled", PARAM_BOOL, .help = "only false is served"}, \
	{"AlpnEnabled", PARAM_BOOL, .help = "only false is served"}, \
	{"AlpnPolicy", PARAM_STRING, .help = "not served"}, \
	{"SecurityPolicyId", PARAM_STRING, .help = "not served"}, \
	{"CaEnabled", PARAM_BOOL, .help = "only false is served"}, \
	{"CertificateIds", PARAM_LIST, .max = 100, .help = "not served"}, \
	{"CaCertificateIds", PARAM_LIST, .max = 100, .help = "not served"}
/* clang-format on */

static const char *const listener_protocols[] = {"TCP", "UDP", NULL};

static const struct param_spec listener_create_params[] = {
	{"LoadBalancerId", PARAM_STRING, .required = true, OPTION("--nlb", "nlb-…")},
	{"ServerGroupId", PARAM_STRING, .required = true, OPTION("--server-group", "sgp-…")},
	{"ListenerProtocol", PARAM_STRING, .required = true, .values = listener_protocols, .no_case = true,
	 OPTION("--protocol", "TCP or UDP")},
	{"ListenerPort", PARAM_INT, .required = true, .min = 1, .max = 65535, OPTION("--port", "port")},
	{"ListenerDescription", PARAM_STRING, OPTION("--description", "description")},
	{"IdleTimeout", PARAM_INT, .min = 1, .max = 900, OPTION("--idle-timeout", "seconds")},
	{"Mss", PARAM_INT, .min = 0, .max = 1500, .help = "largest segment of TCP, from 536 on; 0: as it is"},
	{"StartPort", PARAM_INT, .min = 0, .max = 65535, .help = "only 0 is served"},
	{"EndPort", PARAM_INT, .min = 0, .max = 65535, .help = "only 0 is served"},
	CPS_PARAM,
	PROXY_PARAMS,
	NOT_SERVED_PARAMS,
	{"Tag", PARAM_STRUCT_LIST, .max = TAGS_PER_RESOURCE_MAX, .members = tag_params,
	 OPTION("--tag", "KEY,VALUE"), .parts = 2},
	{},
};

static const struct param_spec listener_id_params[] = {
	{"ListenerId", PARAM_STRING, .required = true, OPTION("LISTENER", "lsn-…")},
	{},
};

static const struct param_spec listener_list_params[] = {
	{"ListenerIds", PARAM_LIST, .max = 100},
	{"LoadBalancerIds", PARAM_LIST, .max = 100, OPTION("--nlb", "only of this load balancer")},
	{"ListenerProtocol", PARAM_STRING},
	{"SecSensorEnabled", PARAM_BOOL},
	{"Tag", PARAM_STRUCT_LIST, .max = TAGS_PER_RESOURCE_MAX, .members = tag_params},
	{"MaxResults", PARAM_INT, .min = 1, .max = 100},
	{},
};

static const struct param_spec listener_update_params[] = {
	{"ListenerId", PARAM_STRING, .required = true},
	{"ServerGroupId", PARAM_STRING},
	{"ListenerDescription", PARAM_STRING},
	{"IdleTimeout", PARAM_INT, .min = 1, .max = 900},
	CPS_PARAM,
	PROXY_PARAMS,
	{"Mss", PARAM_INT, .min = 0, .max = 1500, .help = "largest segment of TCP, from 536 on; 0: as it is"},
	NOT_SERVED_PARAMS,
	{},
};

static const struct answer_field job_status_answer[] = {
	{"Status", A_TEXT},
	{},
};

static const struct answer_field moved_answer[] = {
	{"ResourceId", A_TEXT},
	{},
};

static const struct answer_field nlb_move_answer[] = {
	{"Data", AN_OBJECT(moved_answer)},
	{},
};

static const struct answer_field balancer_create_answer[] = {
	{"LoadbalancerId", OF(load_balancer, id)},
	{},
};

static const struct answer_field zone_address_answer[] = {
	{"EniId", OF(port, id)},
	{"PrivateIPv4Address", OF(port, addr), IN_SHOW("Addresses", 7)},
	{},
};

static const struct answer_field zone_mapping_answer[] = {
	{"ZoneId", OF(port, zone), IN_BOTH("Zones", 4, 5), .is_wide = true},
	{"VSwitchId", OF(port, vswitch), IN_SHOW("vSwitches", 6)},
	{"Status", A_TEXT, IN_SHOW("Zone states", 12)},
	{"LoadBalancerAddresses", ONE(NULL, zone_address_answer)},
	{},
};

static const struct answer_field billing_answer[] = {
	{"PayType", TEXT("PostPay")},
	{},
};

static const struct answer_field protection_answer[] = {
	{"Enabled", OF(load_balancer, deletion_protected), IN_SHOW("Deletion protection", 10)},
	{"EnabledTime", ANSWER_TIME_GIVEN, ANSWER_AT(load_balancer, deletion_time)},
	{"Reason", GIVEN_OF(load_balancer, deletion_reason)},
	{},
};

static const struct answer_field modification_answer[] = {
	{"Status", CHOICE_OF(load_balancer, modification_protected, "NonProtection", "ConsoleProtection"),
	 IN_SHOW("For consoles", 13)},
	{"EnabledTime", ANSWER_TIME_GIVEN, ANSWER_AT(load_balancer, modification_time)},
	{"Reason", GIVEN_OF(load_balancer, modification_reason)},
	{},
};

/* What a load balancer's own answer and its entry in a list share. */
static const struct answer_field balancer_answer[] = {
	{"LoadBalancerId", OF(load_balancer, id), IN_BOTH("NLB", 1, 1)},
	{"LoadBalancerName", OF(load_balancer, name), IN_BOTH("Name", 2, 2)},
	{"LoadBalancerStatus", OF(load_balancer, status), IN_BOTH("Status", 5, 4)},
	{"LoadBalancerBusinessStatus", TEXT("Normal")},
	{"LoadBalancerType", TEXT("Network")},
	{"AddressType", CHOICE_OF(load_balancer, intranet, "Internet", "Intranet")},
	{"AddressIpVersion", TEXT("Ipv4")},
	{"DNSName", A_TEXT},
	{"VpcId", OF(load_balancer, vpc), IN_BOTH("VPC", 3, 3), .is_wide = true},
	{"RegionId", OF(load_balancer, region)},
	{"ResourceGroupId", GROUP_OF(load_balancer)},
	{"CrossZoneEnabled", OF(load_balancer, cross_zone), IN_SHOW("Cross-zone", 8)},
	{"CreateTime", TIME_OF(load_balancer, create_time), IN_SHOW("Created", 9)},
	{"LoadBalancerBillingConfig", OBJECT(billing_answer)},
	{"DeletionProtectionConfig", OBJECT(protection_answer)},
	{"ModificationProtectionConfig", OBJECT(modification_answer)},
	{"OperationLocks", EMPTY(NULL)},
	{"SecurityGroupIds", OF(load_balancer, groups), IN_SHOW("Security groups", 11)},
	{"ZoneMappings", LIST(NULL, zone_mapping_answer)},
	{},
};

static const struct answer_field balancer_get_answer[] = {
	SAME(balancer_answer),
	{"Tags", TAGS(NULL, tag_key_value_answer)},
	{},
};

static const struct answer_field balancer_entry[] = {
	SAME(balancer_answer),
	{"Tags", TAGS(NULL, key_value_answer)},
	{},
};

static const struct answer_field balancer_list_answer[] = {
	{"LoadBalancers", LIST(NULL, balancer_entry)},
	{},
};

static const struct answer_field listener_create_answer[] = {
	{"ListenerId", OF(listener, id)},
	SAME(job_answer),
	{},
};

static const struct answer_field proxy_answer[] = {
	{"Ppv2VpcIdEnabled", OF(listener, proxy_vpc_id)},
	{"Ppv2PrivateLinkEpIdEnabled", OF(listener, proxy_endpoint_id)},
	{"Ppv2PrivateLinkEpsIdEnabled", OF(listener, proxy_service_id)},
	{},
};

/* What a listener's own answer and its entry in a list share. */
static const struct answer_field listener_answer[] = {
	{"ListenerId", OF(listener, id), IN_LIST("Listener", 1)},
	{"ListenerDescription", OF(listener, description)},
	{"ListenerProtocol", OF(listener, protocol), IN_LIST("Protocol", 3)},
	{"ListenerPort", OF(listener, port), IN_LIST("Port", 4)},
	{"ListenerStatus", OF(listener, status), IN_LIST("Status", 6)},
	{"LoadBalancerId", OF(listener, load_balancer), IN_WIDE("NLB", 2)},
	{"ServerGroupId", OF(listener, server_group), IN_WIDE("Servers", 5)},
	{"RegionId", OF(listener, region)},
	{"IdleTimeout", OF(listener, idle_timeout_s)},
	{"Mss", OF(listener, mss)},
	{"Cps", OF(listener, cps)},
	{"ProxyProtocolEnabled", OF(listener, proxy_protocol)},
	{"ProxyProtocolV2Config", OBJECT(proxy_answer)},
	{"AlpnEnabled", FLAG(false)},
	{"CaEnabled", FLAG(false)},
	{"SecSensorEnabled", FLAG(false)},
	{"CaCertificateIds", EMPTY(NULL)},
	{"CertificateIds", EMPTY(NULL)},
	{},
};

static const struct answer_field listener_get_answer[] = {
	SAME(listener_answer),
	{"Tags", TAGS(NULL, tag_key_value_answer)},
	{},
};

static const struct answer_field listener_entry[] = {
	SAME(listener_answer),
	{"Tags", TAGS(NULL, key_value_answer)},
	{},
};

static const struct answer_field listener_list_answer[] = {
	{"Listeners", LIST(NULL, listener_entry)},
	{},
};

static const struct answer_field reason_answer[] = {
	{"ReasonCode", A_TEXT, IN_LIST("Why", 5)},
	{},
};

static const struct answer_field unhealthy_answer[] = {
	{"ServerId", OF(server, server_id), IN_LIST("Not healthy", 4)},
	{"ServerIp", OF(server, addr)},
	{"Port", OF(server, port)},
	{"Status", A_TEXT},
	{"Reason", AN_OBJECT(reason_answer)},
	{},
};

static const struct answer_field group_health_answer[] = {
	{"ServerGroupId", OF(listener, server_group), IN_WIDE("Servers", 3)},
	{"HeathCheckEnabled", A_FLAG}, /* as the API writes it */
	{"NonNormalServers", LIST(NULL, unhealthy_answer)},
	{},
};

static const struct answer_field listener_health_entry[] = {
	{"ListenerId", OF(listener, id), IN_LIST("Listener", 1)},
	{"ListenerPort", OF(listener, port), IN_LIST("Port", 2)},
	{"ListenerProtocol", OF(listener, protocol)},
	{"ServerGroupInfos", LIST(NULL, group_health_answer)},
	{},
};

static const struct answer_field listener_health_answer[] = {
	{"ListenerHealthStatus", LIST(NULL, listener_health_entry)},
	{"TotalCount", NUMBER(1)},
	{},
};

static const struct answer_field nlb_regions_answer[] = {
	{"Regions", LIST(NULL, region_answer)},
	{},
};

static const struct answer_field nlb_zones_answer[] = {
	{"Zones", LIST(NULL, zone_answer)},
	{},
};

static const struct paging pages = {20, 100};

const struct action nlb_actions[] = {
	NLB_ACTIONS(SCHEMA_ACTION){},
};
