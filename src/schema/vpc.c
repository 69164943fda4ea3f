/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VPC: VPCs, vSwitches, route tables.
 */
#include "vpc.h"

#include "limits.h"

/* clang-format off */
/* Read only to be refused. */
#define NOT_SERVED_PARAMS \
	{"Ipv6CidrBlock", PARAM_STRING, .help = "not served"}, \
	{"EnableDnsHostname", PARAM_BOOL, .help = "only false is served"}
/* clang-format on */

static const struct param_spec vpc_create_params[] = {
	{"CidrBlock", PARAM_STRING, OPTION("--cidr", "address range, e.g. 10.0.0.0/16")},
	{"VpcName", PARAM_STRING, OPTION("--name", "name")},
	{"Description", PARAM_STRING, OPTION("--description", "description")},
	NOT_SERVED_PARAMS,
	{"EnableIpv6", PARAM_BOOL, .help = "only false is served"},
	{"Ipv6IpamPoolId", PARAM_STRING, .help = "not served"},
	{"Ipv4IpamPoolId", PARAM_STRING, .help = "not served"},
	{"Ipv4CidrMask", PARAM_INT, .min = 0, .max = 32, .help = "only 0 is served"},
	{"UserCidr", PARAM_STRING, .help = "not served"},
	{"ResourceGroupId", PARAM_STRING, OPTION("--resource-group", "rg-…")},
	{"Tag", PARAM_STRUCT_LIST, .max = TAGS_PER_RESOURCE_MAX, .members = tag_params,
	 OPTION("--tag", "KEY,VALUE"), .parts = 2},
	{},
};

static const struct param_spec vpc_id_params[] = {
	{"VpcId", PARAM_STRING, .required = true, OPTION("VPC", "vpc-…")},
	{},
};

static const struct param_spec vpc_list_params[] = {
	{"VpcId", PARAM_STRING, OPTION("--vpc", "only this one")},
	{"VpcName", PARAM_STRING, OPTION("--name", "only of this name")},
	{"IsDefault", PARAM_BOOL},
	{"EnableIpv6", PARAM_BOOL},
	{"ResourceGroupId", PARAM_STRING, OPTION("--resource-group", "only in this one")},
	{"VpcOwnerId", PARAM_LONG},
	{"DhcpOptionsSetId", PARAM_STRING},
	{"Tag", PARAM_STRUCT_LIST, .max = TAGS_PER_RESOURCE_MAX, .members = tag_params},
	{},
};

static const struct param_spec vpc_modify_params[] = {
	{"VpcId", PARAM_STRING, .required = true},
	{"VpcName", PARAM_STRING},
	{"Description", PARAM_STRING},
	{"CidrBlock", PARAM_STRING},
	NOT_SERVED_PARAMS,
	{"EnableIPv6", PARAM_BOOL, .help = "only false is served"},
	{},
};

static const struct param_spec vpc_move_params[] = {
	{"ResourceType", PARAM_STRING, .required = true, .help = "vpc (in any case); others are not served"},
	{"ResourceId", PARAM_STRING, .required = true},
	{"NewResourceGroupId", PARAM_STRING, .required = true},
	{},
};

static const struct param_spec vswitch_create_params[] = {
	{"VpcId", PARAM_STRING, .required = true, OPTION("--vpc", "vpc-…")},
	{"ZoneId", PARAM_STRING, .required = true, OPTION("--zone", "zone, e.g. cn-hangzhou-h")},
	{"CidrBlock", PARAM_STRING, .required = true, OPTION("--cidr", "address range within the VPC's")},
	{"VSwitchName", PARAM_STRING, OPTION("--name", "name")},
	{"Description", PARAM_STRING, OPTION("--description", "description")},
	{"Ipv6CidrBlock", PARAM_INT, .min = 0, .max = 255},
	{"Tag", PARAM_STRUCT_LIST, .max = TAGS_PER_RESOURCE_MAX, .members = tag_params,
	 OPTION("--tag", "KEY,VALUE"), .parts = 2},
	{},
};

static const struct param_spec vswitch_id_params[] = {
	{"VSwitchId", PARAM_STRING, .required = true, OPTION("VSWITCH", "vsw-…")},
	{},
};

static const struct param_spec vswitch_list_params[] = {
	{"VpcId", PARAM_STRING, OPTION("--vpc", "only of this VPC")},
	{"VSwitchId", PARAM_STRING, OPTION("--vswitch", "only this one")},
	{"VSwitchName", PARAM_STRING},
	{"ZoneId", PARAM_STRING, OPTION("--zone", "only in this zone")},
	{"IsDefault", PARAM_BOOL},
	{"EnableIpv6", PARAM_BOOL},
	{"ResourceGroupId", PARAM_STRING, OPTION("--resource-group", "only in this one")},
	{"RouteTableId", PARAM_STRING},
	{"VSwitchOwnerId", PARAM_LONG},
	{"Tag", PARAM_STRUCT_LIST, .max = TAGS_PER_RESOURCE_MAX, .members = tag_params},
	{},
};

static const struct param_spec vswitch_modify_params[] = {
	{"VSwitchId", PARAM_STRING, .required = true},
	{"VSwitchName", PARAM_STRING},
	{"Description", PARAM_STRING},
	{"EnableIPv6", PARAM_BOOL},
	{},
};

static const char *const route_table_types[] = {"System", "Custom", NULL};

static const char *const router_types[] = {"VRouter", "VBR", NULL};

static const struct param_spec route_table_list_params[] = {
	{"VpcId", PARAM_STRING},
	{"RouteTableId", PARAM_STRING},
	{"RouteTableName", PARAM_STRING},
	{"RouteTableType", PARAM_STRING, .values = route_table_types},
	{"RouterId", PARAM_STRING},
	{"RouterType", PARAM_STRING, .values = router_types},
	{"ResourceGroupId", PARAM_STRING, OPTION("--resource-group", "only in this one")},
	{"Tag", PARAM_STRUCT_LIST, .max = TAGS_PER_RESOURCE_MAX, .members = tag_params},
	{},
};

static const struct answer_field vpc_create_answer[] = {
	{"VpcId", OF(vpc, id)},
	{"VRouterId", OF(vpc, router_id)},
	{"RouteTableId", OF(vpc, route_table_id)},
	{"ResourceGroupId", GROUP_OF(vpc)},
	{},
};

/* What a VPC's own answer and its entry in a list share. */
static const struct answer_field vpc_answer[] = {
	{"VpcId", OF(vpc, id), IN_BOTH("VPC", 1, 1)},
	{"VpcName", OF(vpc, name), IN_BOTH("Name", 2, 2)},
	{"Description", OF(vpc, description), IN_SHOW("Description", 3)},
	{"CidrBlock", OF(vpc, cidr), IN_BOTH("CIDR", 3, 4)},
	{"Ipv6CidrBlock", TEXT("")},
	{"Status", OF(vpc, status), IN_BOTH("Status", 4, 5)},
	{"RegionId", OF(vpc, region)},
	{"VRouterId", OF(vpc, router_id)},
	{"ResourceGroupId", GROUP_OF(vpc)},
	{"OwnerId", OF(vpc, owner)},
	{"IsDefault", FLAG(false)},
	{"EnabledIpv6", FLAG(false)},
	{"DnsHostnameStatus", TEXT("DISABLED")},
	{"CreationTime", TIME_OF(vpc, create_time), IN_BOTH("Created", 5, 6), .is_wide = true},
	{"VSwitchIds", LIST("VSwitchId", NULL), IN_SHOW("vSwitches", 7)},
	{"SecondaryCidrBlocks", EMPTY("SecondaryCidrBlock")},
	{"UserCidrs", EMPTY("UserCidr")},
	{"Ipv6CidrBlocks", EMPTY("Ipv6CidrBlock")},
	{"Tags", TAGS("Tag", key_value_answer)},
	{},
};

static const struct answer_field cloud_resource_answer[] = {
	{"ResourceType", A_TEXT},
	{"ResourceCount", A_NUMBER},
	{},
};

static const struct answer_field vpc_get_answer[] = {
	SAME(vpc_answer),
	{"ClassicLinkEnabled", FLAG(false)},
	{"SupportIpv4Gateway", FLAG(false)},
	{"AssociatedCens", EMPTY("AssociatedCen")},
	{"CloudResources", LIST("CloudResourceSetType", cloud_resource_answer)},
	{},
};

static const struct answer_field vpc_entry[] = {
	SAME(vpc_answer),
	{"RouterTableIds", LIST("RouterTableIds", NULL)},
	{"NatGatewayIds", EMPTY("NatGatewayIds")},
	{},
};

static const struct answer_field vpc_list_answer[] = {
	{"Vpcs", LIST("Vpc", vpc_entry)},
	{},
};

static const struct answer_field vswitch_create_answer[] = {
	{"VSwitchId", OF(vswitch, id)},
	{},
};

static const struct answer_field vswitch_table_answer[] = {
	{"RouteTableId", OF(vpc, route_table_id)},
	{"RouteTableType", TEXT("System")},
	{},
};

static const struct answer_field vswitch_answer[] = {
	{"VSwitchId", OF(vswitch, id), IN_BOTH("vSwitch", 1, 1)},
	{"VSwitchName", OF(vswitch, name), IN_BOTH("Name", 2, 2)},
	{"Description", OF(vswitch, description), IN_SHOW("Description", 3)},
	{"VpcId", OF(vswitch, vpc), IN_BOTH("VPC", 3, 4), .is_wide = true},
	{"ZoneId", OF(vswitch, zone), IN_BOTH("Zone", 4, 5), .is_wide = true},
	{"CidrBlock", OF(vswitch, cidr), IN_BOTH("CIDR", 5, 6)},
	{"Ipv6CidrBlock", TEXT("")},
	{"Status", A_TEXT, IN_BOTH("Status", 7, 8)},
	{"AvailableIpAddressCount", A_NUMBER, IN_BOTH("Free", 6, 7)},
	{"OwnerId", OF(vswitch, owner)},
	{"IsDefault", FLAG(false)},
	{"EnabledIpv6", FLAG(false)},
	{"NetworkAclId", TEXT("")},
	{"ShareType", TEXT("")},
	{"ResourceGroupId", GROUP_OF(vpc)},
	{"CreationTime", TIME_OF(vswitch, create_time)},
	{"RouteTable", OBJECT(vswitch_table_answer)},
	{"Tags", TAGS("Tag", key_value_answer)},
	{},
};

static const struct answer_field vswitch_list_answer[] = {
	{"VSwitches", LIST("VSwitch", vswitch_answer)},
	{},
};

static const struct answer_field route_table_answer[] = {
	{"RouteTableId", OF(vpc, route_table_id)},
	{"RouteTableType", TEXT("System")},
	{"RouteTableName", TEXT("")},
	{"Description", TEXT("")},
	{"VpcId", OF(vpc, id)},
	{"RouterId", OF(vpc, router_id)},
	{"RouterType", TEXT("VRouter")},
	{"AssociateType", TEXT("VSwitch")},
	{"Status", A_TEXT},
	{"ResourceGroupId", GROUP_OF(vpc)},
	{"OwnerId", OF(vpc, owner)},
	{"RoutePropagationEnable", FLAG(false)},
	{"CreationTime", TIME_OF(vpc, create_time)},
	{"VSwitchIds", LIST("VSwitchId", NULL)},
	{"GatewayIds", EMPTY("GatewayIds")},
	{"Tags", EMPTY("Tag")},
	{},
};

static const struct answer_field route_table_list_answer[] = {
	{"RouterTableList", LIST("RouterTableListType", route_table_answer)},
	{},
};

static const struct answer_field vpc_zone_answer[] = {
	SAME(zone_answer),
	{"ZoneType", TEXT("AvailabilityZone")},
	{},
};

static const struct answer_field vpc_zones_answer[] = {
	{"Zones", LIST("Zone", vpc_zone_answer)},
	{},
};

static const struct paging pages = {.size_default = 10, .size_max = 50};
static const struct paging tag_list_pages = {50, 50, .total = TOTAL_NONE, .has_untold_size = true};

const struct action vpc_actions[] = {
	VPC_ACTIONS(SCHEMA_ACTION){},
};
