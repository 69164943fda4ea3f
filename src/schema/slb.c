/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SLB: load balancers, places; and the table of all its actions.
 */
#include "slb.h"

#include "limits.h"

static const char *const address_types[] = {"intranet", "internet", NULL};

static const char *const ip_versions[] = {"ipv4", NULL};

static const char *const specs[] = {"slb.s1.small", "slb.s2.small",    "slb.s2.medium",
				    "slb.s3.small", "slb.s3.medium",   "slb.s3.large",
				    "slb.s4.large", "slb.lcu.elastic", NULL};

static const char *const pay_types[] = {"PayOnDemand", NULL};

static const char *const charge_types[] = {"PayBySpec", "PayByCLCU", NULL};

static const char *const traffic_charges[] = {"paybytraffic", "paybybandwidth", NULL};

static const char *const switch_words[] = {"on", "off", NULL};

static const char *const modification_words[] = {"NonProtection", "ConsoleProtection", NULL};

static const char *const status_words[] = {"active", "inactive", NULL};

static const struct param_spec slb_balancer_create_params[] = {
	{"AddressType", PARAM_STRING, .values = address_types, .no_case = true},
	{"VpcId", PARAM_STRING},
	{"VSwitchId", PARAM_STRING, .required = true, OPTION("--vswitch", "vsw-…: where its address is")},
	{"MasterZoneId", PARAM_STRING, OPTION("--zone", "zone that it serves (the vSwitch's)")},
	{"SlaveZoneId", PARAM_STRING, OPTION("--slave-zone", "another zone")},
	{"Address", PARAM_STRING, OPTION("--address", "address in the vSwitch")},
	{"AddressIPVersion", PARAM_STRING, .values = ip_versions, .no_case = true},
	{"LoadBalancerName", PARAM_STRING, OPTION("--name", "name")},
	{"LoadBalancerSpec", PARAM_STRING, .values = specs, .no_case = true},
	{"PayType", PARAM_STRING, .values = pay_types, .no_case = true},
	{"InstanceChargeType", PARAM_STRING, .values = charge_types, .no_case = true},
	{"InternetChargeType", PARAM_STRING, .values = traffic_charges, .no_case = true},
	{"Bandwidth", PARAM_INT, .min = -1, .max = 5120},
	{"DeleteProtection", PARAM_STRING, .values = switch_words,
	 OPTION("--delete-protection", "on or off (default)")},
	{"ModificationProtectionStatus", PARAM_STRING, .values = modification_words},
	{"ModificationProtectionReason", PARAM_STRING},
	{"ResourceGroupId", PARAM_STRING, OPTION("--resource-group", "rg-…")},
	{"Tag", PARAM_STRUCT_LIST, .max = TAGS_PER_RESOURCE_MAX, .members = tag_params,
	 OPTION("--tag", "KEY,VALUE"), .parts = 2},
	{},
};

static const struct param_spec slb_balancer_id_params[] = {
	{"LoadBalancerId", PARAM_STRING, .required = true, OPTION("SLB", "lb-…")},
	{},
};

static const struct param_spec slb_balancer_rename_params[] = {
	{"LoadBalancerId", PARAM_STRING, .required = true, OPTION("SLB", "lb-…")},
	{"LoadBalancerName", PARAM_STRING, .required = true, OPTION("NAME", "name")},
	{},
};

static const struct param_spec slb_balancer_status_params[] = {
	{"LoadBalancerId", PARAM_STRING, .required = true, OPTION("SLB", "lb-…")},
	{"LoadBalancerStatus", PARAM_STRING, .required = true, .values = status_words},
	{},
};

static const struct param_spec slb_balancer_protect_params[] = {
	{"LoadBalancerId", PARAM_STRING, .required = true, OPTION("SLB", "lb-…")},
	{"DeleteProtection", PARAM_STRING, .required = true, .values = switch_words,
	 OPTION("SWITCH", "on or off")},
	{},
};

static const struct param_spec slb_balancer_guard_params[] = {
	{"LoadBalancerId", PARAM_STRING, .required = true},
	{"ModificationProtectionStatus", PARAM_STRING, .required = true, .values = modification_words},
	{"ModificationProtectionReason", PARAM_STRING},
	{},
};

static const struct param_spec slb_balancer_list_params[] = {
	{"LoadBalancerId", PARAM_STRING, OPTION("--slb", "only these: lb-…,lb-…")},
	{"LoadBalancerName", PARAM_STRING},
	{"LoadBalancerStatus", PARAM_STRING},
	{"VpcId", PARAM_STRING, OPTION("--vpc", "only in this VPC")},
	{"VSwitchId", PARAM_STRING},
	{"Address", PARAM_STRING},
	{"AddressType", PARAM_STRING},
	{"AddressIPVersion", PARAM_STRING},
	{"NetworkType", PARAM_STRING},
	{"MasterZoneId", PARAM_STRING},
	{"SlaveZoneId", PARAM_STRING},
	{"PayType", PARAM_STRING},
	{"ServerId", PARAM_STRING},
	{"ResourceGroupId", PARAM_STRING},
	{"Tag", PARAM_STRUCT_LIST, .max = TAGS_PER_RESOURCE_MAX, .members = tag_params},
	{},
};

static const struct param_spec slb_available_params[] = {
	{"AddressType", PARAM_STRING},
	{"AddressIPVersion", PARAM_STRING},
	{},
};

/* What every answer about a load balancer has. */
static const struct answer_field balancer_head[] = {
	{"LoadBalancerId", OF(load_balancer, id), IN_BOTH("SLB", 1, 1)},
	{"LoadBalancerName", OF(load_balancer, name), IN_BOTH("Name", 2, 2)},
	{"Address", OF(port, addr), IN_BOTH("Address", 4, 4)},
	{"VpcId", OF(load_balancer, vpc), IN_BOTH("VPC", 3, 3)},
	{"VSwitchId", OF(port, vswitch), IN_SHOW("vSwitch", 5)},
	{"NetworkType", TEXT("vpc")},
	{"AddressIPVersion", TEXT("ipv4")},
	{"ResourceGroupId", GROUP_OF(load_balancer)},
	{},
};

static const struct answer_field slb_balancer_create_answer[] = {
	SAME(balancer_head),
	{},
};

/* What a load balancer's own answer and its entry in a list share. An address inside a VPC costs no traffic
 * and has no limit of its own; the API says that in these words. */
static const struct answer_field balancer_answer[] = {
	SAME(balancer_head),
	{"LoadBalancerStatus", A_TEXT, IN_BOTH("Status", 6, 7)},
	{"AddressType", TEXT("intranet")},
	{"MasterZoneId", A_TEXT, IN_BOTH("Zone", 5, 6)},
	{"SlaveZoneId", OF(load_balancer, slave_zone)},
	{"LoadBalancerSpec", OF(load_balancer, spec)},
	{"PayType", TEXT("PayOnDemand")},
	{"InstanceChargeType", OF(load_balancer, charge_type)},
	{"InternetChargeType", TEXT("4")},
	{"Bandwidth", NUMBER(5120)},
	{"DeleteProtection", CHOICE_OF(load_balancer, deletion_protected, "off", "on"),
	 IN_SHOW("Protected", 8)},
	{"ModificationProtectionStatus",
	 CHOICE_OF(load_balancer, modification_protected, "NonProtection", "ConsoleProtection")},
	{"ModificationProtectionReason", OF(load_balancer, modification_reason)},
	{"RegionId", OF(load_balancer, region)},
	{"RegionIdAlias", OF(load_balancer, region)},
	{"CreateTime", TIME_OF(load_balancer, create_time), IN_SHOW("Created", 9)},
	{"Tags", TAGS("Tag", tag_key_value_answer)},
	{},
};

static const struct answer_field port_and_protocol_answer[] = {
	{"ListenerPort", OF(listener, port), IN_SHOW("Listeners", 10)},
	{"ListenerProtocol", A_TEXT, IN_SHOW("Protocols", 11)},
	{"ListenerForward", TEXT("off")},
	{"Description", OF(listener, description)},
	{},
};

static const struct answer_field slb_balancer_get_answer[] = {
	SAME(balancer_answer),
	{"ListenerPorts", NUMBERS("ListenerPort")},
	{"ListenerPortsAndProtocol", LIST("ListenerPortAndProtocol", port_and_protocol_answer)},
	{"BackendServers", LIST("BackendServer", slb_backend_shown)},
	{},
};

static const struct answer_field slb_balancer_list_answer[] = {
	{"LoadBalancers", LIST("LoadBalancer", balancer_answer)},
	{},
};

static const struct answer_field support_answer[] = {
	{"AddressType", TEXT("vpc")},
	{"AddressIPVersion", TEXT("ipv4")},
	{},
};

static const struct answer_field available_answer[] = {
	{"MasterZoneId", A_TEXT},
	{"SlaveZoneId", A_TEXT},
	{"SupportResources", LIST("SupportResource", support_answer)},
	{},
};

static const struct answer_field slb_available_answer[] = {
	{"AvailableResources", LIST("AvailableResource", available_answer)},
	{},
};

static const struct answer_field master_zone_answer[] = {
	SAME(zone_answer),
	{"SlaveZones", LIST("SlaveZone", zone_answer)},
	{},
};

static const struct answer_field slb_zones_answer[] = {
	{"Zones", LIST("Zone", master_zone_answer)},
	{},
};

static const struct paging pages = {.size_default = 10, .size_max = 100};

const struct action slb_actions[] = {
	SLB_ACTIONS(SCHEMA_ACTION){},
};
