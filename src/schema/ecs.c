/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ECS: security groups and their rules, instances, network interfaces.
 */
#include "ecs.h"

#include "limits.h"

static const char *const group_types[] = {"normal", "enterprise", NULL};

static const char *const directions[] = {"egress", "ingress", "all", NULL};

static const char *const policies[] = {"Accept", "Drop", NULL};

static const struct param_spec security_group_create_params[] = {
	{"VpcId", PARAM_STRING, .required = true, OPTION("--vpc", "vpc-…")},
	{"SecurityGroupName", PARAM_STRING, OPTION("--name", "name")},
	{"Description", PARAM_STRING, OPTION("--description", "description")},
	{"SecurityGroupType", PARAM_STRING, .values = group_types, .no_case = true,
	 OPTION("--type", "normal or enterprise")},
	{"ResourceGroupId", PARAM_STRING, OPTION("--resource-group", "rg-…")},
	{"Tag", PARAM_STRUCT_LIST, .max = TAGS_PER_RESOURCE_MAX, .members = tag_params,
	 OPTION("--tag", "KEY,VALUE"), .parts = 2},
	{},
};

static const struct param_spec security_group_id_params[] = {
	{"SecurityGroupId", PARAM_STRING, .required = true, OPTION("GROUP", "sg-…")},
	{},
};

static const struct param_spec security_group_list_params[] = {
	{"SecurityGroupId", PARAM_STRING},
	{"SecurityGroupIds", PARAM_LIST, .max = 100},
	{"SecurityGroupName", PARAM_STRING},
	{"FuzzyQuery", PARAM_BOOL, .help = "true: SecurityGroupName is a part of the name"},
	{"SecurityGroupType", PARAM_STRING},
	{"VpcId", PARAM_STRING, OPTION("--vpc", "only of this VPC")},
	{"NetworkType", PARAM_STRING},
	{"ResourceGroupId", PARAM_STRING, OPTION("--resource-group", "only in this one")},
	{"ServiceManaged", PARAM_BOOL},
	{"Tag", PARAM_STRUCT_LIST, .max = TAGS_PER_RESOURCE_MAX, .members = tag_params},
	{},
};

static const struct param_spec security_group_get_params[] = {
	{"SecurityGroupId", PARAM_STRING, .required = true, OPTION("GROUP", "sg-…")},
	{"Direction", PARAM_STRING, .values = directions, .no_case = true},
	{"NicType", PARAM_STRING, .help = "no effect: all interfaces are in VPCs"},
	{},
};

static const struct param_spec security_group_modify_params[] = {
	{"SecurityGroupId", PARAM_STRING, .required = true},
	{"SecurityGroupName", PARAM_STRING},
	{"Description", PARAM_STRING},
	{},
};

static const struct param_spec security_group_set_policy_params[] = {
	{"SecurityGroupId", PARAM_STRING, .required = true},
	{"InnerAccessPolicy", PARAM_STRING, .required = true, .values = policies, .no_case = true},
	{},
};

static const char *const joining_types[] = {"securitygroup", NULL};

static const struct param_spec join_params[] = {
	{"ResourceType", PARAM_STRING, .required = true, .values = joining_types},
	{"ResourceId", PARAM_STRING, .required = true},
	{"ResourceGroupId", PARAM_STRING, .required = true},
	{},
};

/* One rule; the parameters of the older form are the same. */
#define RULE_MEMBERS                                                                                         \
	{"IpProtocol", PARAM_STRING}, {"PortRange", PARAM_STRING}, {"PortRangeListId", PARAM_STRING},        \
		{"Policy", PARAM_STRING}, {"Priority", PARAM_STRING},                                        \
		{"NicType", PARAM_STRING, .help = "no effect: all interfaces are in VPCs"},                  \
		{"SourceCidrIp", PARAM_STRING}, {"Ipv6SourceCidrIp", PARAM_STRING},                          \
		{"SourceGroupId", PARAM_STRING}, {"SourcePrefixListId", PARAM_STRING},                       \
		{"SourcePortRange", PARAM_STRING}, {"DestCidrIp", PARAM_STRING},                             \
		{"Ipv6DestCidrIp", PARAM_STRING}, {"DestGroupId", PARAM_STRING},                             \
		{"DestPrefixListId", PARAM_STRING},                                                          \
	{                                                                                                    \
		"Description", PARAM_STRING                                                                  \
	}

static const struct param_spec permission_params[] = {
	RULE_MEMBERS,
	{},
};

static const struct param_spec rule_params[] = {
	{"SecurityGroupId", PARAM_STRING, .required = true},
	{"Permissions", PARAM_STRUCT_LIST, .min = 1, .max = RULES_PER_CALL_MAX, .members = permission_params},
	{"SecurityGroupRuleId", PARAM_LIST, .min = 1, .max = RULES_PER_CALL_MAX},
	RULE_MEMBERS,
	{},
};

static const struct param_spec instance_run_params[] = {
	{"VSwitchId", PARAM_STRING, .required = true, OPTION("--vswitch", "vsw-…")},
	{"ZoneId", PARAM_STRING},
	{"SecurityGroupId", PARAM_STRING},
	{"SecurityGroupIds", PARAM_LIST, .max = SECURITY_GROUPS_MAX, ASKED("--security-group", "sg-…")},
	{"ImageId", PARAM_STRING, OPTION("--image", "image, kept as given")},
	{"InstanceType", PARAM_STRING, OPTION("--type", "instance type, kept as given")},
	{"InstanceName", PARAM_STRING, OPTION("--name", "name")},
	{"HostName", PARAM_STRING, OPTION("--host-name", "its host name")},
	{"Description", PARAM_STRING, OPTION("--description", "description")},
	{"PrivateIpAddress", PARAM_STRING, OPTION("--ip", "address in the vSwitch")},
	{"Amount", PARAM_INT, .min = 1, .max = INSTANCES_PER_CALL_MAX, OPTION("--amount", "how many (1)")},
	{"MinAmount", PARAM_INT, .min = 1, .max = INSTANCES_PER_CALL_MAX,
	 .help = "no effect: all instances are made, or none"},
	{"ResourceGroupId", PARAM_STRING, OPTION("--resource-group", "rg-…")},
	{"DeletionProtection", PARAM_BOOL, .help = "only false is served"},
	{"InternetMaxBandwidthOut", PARAM_INT, .min = 0, .max = 100, .help = "only 0 is served"},
	{"Ipv6AddressCount", PARAM_INT, .min = 0, .max = 10, .help = "only 0 is served"},
	{"Ipv6Address", PARAM_LIST, .max = 10, .help = "not served"},
	{"AutoReleaseTime", PARAM_STRING, .help = "not served"},
	{"Tag", PARAM_STRUCT_LIST, .max = TAGS_PER_RESOURCE_MAX, .members = tag_params,
	 OPTION("--tag", "KEY,VALUE"), .parts = 2},
	{},
};

static const struct param_spec instance_start_params[] = {
	{"InstanceId", PARAM_STRING, .required = true, OPTION("INSTANCE", "i-…")},
	{},
};

static const struct param_spec instance_stop_params[] = {
	{"InstanceId", PARAM_STRING, .required = true, OPTION("INSTANCE", "i-…")},
	{"ForceStop", PARAM_BOOL, .help = "no effect: nothing inside delays a stop"},
	{"StoppedMode", PARAM_STRING, .help = "no effect: nothing is charged"},
	{},
};

static const struct param_spec instance_delete_params[] = {
	{"InstanceId", PARAM_STRING, .required = true, OPTION("INSTANCE", "i-…")},
	{"Force", PARAM_BOOL, OPTION("--force", "also when it runs")},
	{},
};

static const char *const instance_times[] = {"CreationStartTime", "CreationEndTime", "ExpiredStartTime",
					     "ExpiredEndTime", NULL};

static const struct param_spec time_filter_params[] = {
	{"Key", PARAM_STRING, .required = true, .values = instance_times},
	{"Value", PARAM_STRING, .required = true, .help = "2026-01-02T03:04Z; nothing expires here"},
	{},
};

static const struct param_spec instance_list_params[] = {
	{"InstanceIds", PARAM_LIST, .max = 100},
	{"InstanceName", PARAM_STRING},
	{"VpcId", PARAM_STRING, OPTION("--vpc", "only in this VPC")},
	{"VSwitchId", PARAM_STRING, OPTION("--vswitch", "only in this vSwitch")},
	{"ZoneId", PARAM_STRING, OPTION("--zone", "only in this zone")},
	{"ImageId", PARAM_STRING},
	{"InstanceType", PARAM_STRING},
	{"InstanceNetworkType", PARAM_STRING},
	{"SecurityGroupId", PARAM_STRING},
	{"ResourceGroupId", PARAM_STRING, OPTION("--resource-group", "only in this one")},
	{"PrivateIpAddresses", PARAM_LIST, .max = 100},
	{"PublicIpAddresses", PARAM_LIST, .max = 100},
	{"InnerIpAddresses", PARAM_LIST, .max = 100},
	{"EipAddresses", PARAM_LIST, .max = 100},
	{"RdmaIpAddresses", PARAM_LIST, .max = 100},
	{"Ipv6Address", PARAM_LIST, .max = 100},
	{"InstanceTypeFamily", PARAM_STRING},
	{"InstanceChargeType", PARAM_STRING},
	{"InternetChargeType", PARAM_STRING},
	{"KeyPairName", PARAM_STRING},
	{"HpcClusterId", PARAM_STRING},
	{"LockReason", PARAM_STRING},
	{"IoOptimized", PARAM_BOOL},
	{"DeviceAvailable", PARAM_BOOL},
	{"Status", PARAM_STRING},
	{"Filter", PARAM_STRUCT_LIST, .max = 4, .members = time_filter_params},
	{"Tag", PARAM_STRUCT_LIST, .max = TAGS_PER_RESOURCE_MAX, .members = tag_params},
	{},
};

static const struct param_spec eni_list_params[] = {
	{"NetworkInterfaceId", PARAM_LIST, .max = 100},
	{"NetworkInterfaceName", PARAM_STRING},
	{"InstanceId", PARAM_STRING, OPTION("--instance", "only of this instance")},
	{"VpcId", PARAM_STRING, OPTION("--vpc", "only in this VPC")},
	{"VSwitchId", PARAM_STRING, OPTION("--vswitch", "only in this vSwitch")},
	{"PrimaryIpAddress", PARAM_STRING},
	{"PrivateIpAddress", PARAM_LIST, .max = 100},
	{"Ipv6Address", PARAM_LIST, .max = 100},
	{"ResourceGroupId", PARAM_STRING, OPTION("--resource-group", "only in this one")},
	{"SecurityGroupId", PARAM_STRING},
	{"ServiceManaged", PARAM_BOOL},
	{"Status", PARAM_STRING},
	{"Type", PARAM_STRING},
	{"Tag", PARAM_STRUCT_LIST, .max = TAGS_PER_RESOURCE_MAX, .members = tag_params},
	{"MaxResults", PARAM_INT, .min = 10, .max = 500},
	{},
};

static const struct answer_field security_group_create_answer[] = {
	{"SecurityGroupId", OF(security_group, id)},
	{},
};

static const struct answer_field security_group_answer[] = {
	{"SecurityGroupId", OF(security_group, id), IN_LIST("Group", 1)},
	{"SecurityGroupName", OF(security_group, name), IN_LIST("Name", 2)},
	{"Description", OF(security_group, description)},
	{"SecurityGroupType", OF(security_group, type), IN_WIDE("Type", 4)},
	{"VpcId", OF(security_group, vpc), IN_WIDE("VPC", 3)},
	{"ResourceGroupId", GROUP_OF(security_group)},
	{"ServiceManaged", FLAG(false)},
	{"CreationTime", TIME_OF(security_group, create_time)},
	{"RuleCount", A_NUMBER, IN_LIST("Rules", 5)},
	{"GroupToGroupRuleCount", A_NUMBER},
	{"EcsCount", A_NUMBER},
	{"Tags", TAGS("Tag", tag_key_value_answer)},
	{},
};

static const struct answer_field security_group_list_answer[] = {
	{"RegionId", A_TEXT},
	{"SecurityGroups", LIST("SecurityGroup", security_group_answer)},
	{},
};

/* The members of the other direction and family stand there empty. */
static const struct answer_field rule_answer[] = {
	{"SecurityGroupRuleId", OF(sg_rule, id), IN_LIST("Rule", 1)},
	{"Direction", OF(sg_rule, direction), IN_LIST("Way", 2)},
	{"IpProtocol", OF(sg_rule, protocol), IN_LIST("Proto", 3)},
	{"PortRange", A_TEXT, IN_LIST("Ports", 4)},
	{"SourcePortRange", TEXT("-1/-1")},
	{"SourceCidrIp", A_TEXT, IN_LIST("Peer", 5)},
	{"DestCidrIp", A_TEXT, IN_LIST("Peer", 5)},
	{"Ipv6SourceCidrIp", A_TEXT, IN_LIST("Peer", 5)},
	{"Ipv6DestCidrIp", A_TEXT, IN_LIST("Peer", 5)},
	{"SourceGroupId", A_TEXT, IN_LIST("Peer", 5)},
	{"DestGroupId", A_TEXT, IN_LIST("Peer", 5)},
	{"SourceGroupName", TEXT("")},
	{"DestGroupName", TEXT("")},
	{"SourceGroupOwnerAccount", TEXT("")},
	{"DestGroupOwnerAccount", TEXT("")},
	{"SourcePrefixListId", TEXT("")},
	{"DestPrefixListId", TEXT("")},
	{"Policy", OF(sg_rule, policy), IN_LIST("Policy", 6)},
	{"Priority", DECIMAL_OF(sg_rule, priority), IN_WIDE("Priority", 7)},
	{"NicType", TEXT("intranet")},
	{"Description", OF(sg_rule, description)},
	{"CreateTime", TIME_OF(sg_rule, create_time)},
	{},
};

static const struct answer_field security_group_get_answer[] = {
	{"SecurityGroupId", OF(security_group, id)},
	{"SecurityGroupName", OF(security_group, name)},
	{"Description", OF(security_group, description)},
	{"VpcId", OF(security_group, vpc)},
	{"RegionId", OF(security_group, region)},
	{"InnerAccessPolicy", CHOICE_OF(security_group, inner_accept, "Drop", "Accept")},
	{"Permissions", LIST("Permission", rule_answer)},
	{},
};

static const struct answer_field instance_run_answer[] = {
	{"InstanceIdSets", LIST("InstanceIdSet", NULL)},
	{},
};

static const struct answer_field private_ip_answer[] = {
	{"PrivateIpAddress", OF(port, addr)},
	{"Primary", FLAG(true)},
	{},
};

static const struct answer_field instance_interface_answer[] = {
	{"NetworkInterfaceId", OF(port, id)},
	{"MacAddress", OF(port, mac)},
	{"PrimaryIpAddress", OF(port, addr)},
	{"Type", TEXT("Primary")},
	{"PrivateIpSets", ONE("PrivateIpSet", private_ip_answer)},
	{"Ipv6Sets", EMPTY("Ipv6Set")},
	{},
};

static const struct answer_field instance_vpc_answer[] = {
	{"VpcId", OF(instance, vpc), IN_WIDE("VPC", 3)},
	{"VSwitchId", OF(instance, vswitch)},
	{"NatIpAddress", TEXT("")},
	{"PrivateIpAddress", LIST("IpAddress", NULL), IN_LIST("Address", 5)},
	{},
};

static const struct answer_field instance_answer[] = {
	{"InstanceId", OF(instance, id), IN_LIST("Instance", 1)},
	{"InstanceName", A_TEXT, IN_LIST("Name", 2)},
	{"HostName", A_TEXT},
	{"Description", OF(instance, description)},
	{"Status", A_TEXT, IN_LIST("Status", 6)},
	{"StatusInfo", A_TEXT},
	{"RegionId", OF(instance, region)},
	{"ZoneId", OF(instance, zone), IN_WIDE("Zone", 4)},
	{"ImageId", OF(instance, image)},
	{"InstanceType", OF(instance, type)},
	{"InstanceNetworkType", TEXT("vpc")},
	{"InstanceChargeType", TEXT("PostPaid")},
	{"SpotStrategy", TEXT("NoSpot")},
	{"OSType", TEXT("linux")},
	{"ResourceGroupId", GROUP_OF(instance)},
	{"InternetMaxBandwidthOut", NUMBER(0)},
	{"DeletionProtection", FLAG(false)},
	{"DeviceAvailable", FLAG(true)},
	{"IoOptimized", FLAG(true)},
	{"Recyclable", FLAG(false)},
	{"CreationTime", TIME_OF(instance, create_time)},
	{"StartTime", TIME_OF(instance, create_time)},
	{"VpcAttributes", OBJECT(instance_vpc_answer)},
	{"SecurityGroupIds", OF(port, groups), .inner = "SecurityGroupId"},
	{"NetworkInterfaces", ONE("NetworkInterface", instance_interface_answer)},
	{"PublicIpAddress", EMPTY("IpAddress")},
	{"InnerIpAddress", EMPTY("IpAddress")},
	{"OperationLocks", EMPTY("LockReason")},
	{"Tags", TAGS("Tag", tag_key_value_answer)},
	{},
};

static const struct answer_field instance_list_answer[] = {
	{"Instances", LIST("Instance", instance_answer)},
	{},
};

static const struct answer_field attachment_answer[] = {
	{"InstanceId", A_TEXT},
	{"DeviceIndex", A_NUMBER},
	{},
};

static const struct answer_field eni_answer[] = {
	{"NetworkInterfaceId", OF(port, id), IN_LIST("ENI", 1)},
	{"NetworkInterfaceName", TEXT("")},
	{"Type", A_TEXT},
	{"Status", A_TEXT, IN_LIST("Status", 7)},
	{"VpcId", OF(port, vpc)},
	{"VSwitchId", OF(port, vswitch), IN_WIDE("vSwitch", 4)},
	{"ZoneId", OF(port, zone), IN_WIDE("Zone", 5)},
	{"PrivateIpAddress", OF(port, addr), IN_LIST("Address", 2)},
	{"MacAddress", OF(port, mac), IN_WIDE("MAC", 3)},
	{"PrivateIpSets", ONE("PrivateIpSet", private_ip_answer)},
	{"Ipv6Sets", EMPTY("Ipv6Set")},
	{"ServiceManaged", A_FLAG},
	{"InstanceId", A_TEXT, IN_LIST("Instance", 6)},
	{"Description", A_TEXT},
	{"Attachment", AN_OBJECT(attachment_answer)},
	{"OwnerId", DECIMAL_OF(port, owner)},
	{"ResourceGroupId", DEFAULT_GROUP_OF(port)},
	{"SourceDestCheck", FLAG(true)},
	{"CreationTime", TIME_OF(port, create_time)},
	{"SecurityGroupIds", OF(port, groups), .inner = "SecurityGroupId"},
	{"Tags", TAGS("Tag", tag_key_value_answer)},
	{},
};

static const struct answer_field eni_list_answer[] = {
	{"NetworkInterfaceSets", LIST("NetworkInterfaceSet", eni_answer)},
	{},
};

static const struct answer_field ecs_region_answer[] = {
	SAME(region_answer),
	{"Status", TEXT("available")},
	{},
};

static const struct answer_field ecs_regions_answer[] = {
	{"Regions", LIST("Region", ecs_region_answer)},
	{},
};

/* A zone offers everything that is to be had here. */
static const struct answer_field ecs_zone_answer[] = {
	SAME(zone_answer),
	{"ZoneType", TEXT("AvailabilityZone")},
	{"AvailableResourceCreation", TEXTS("ResourceTypes", "VSwitch", "Instance")},
	{"AvailableDiskCategories", EMPTY("DiskCategories")},
	{"AvailableInstanceTypes", EMPTY("InstanceTypes")},
	{"AvailableVolumeCategories", EMPTY("VolumeCategories")},
	{"AvailableDedicatedHostTypes", EMPTY("DedicatedHostType")},
	{"DedicatedHostGenerations", EMPTY("DedicatedHostGeneration")},
	{"AvailableResources", EMPTY("ResourcesInfo")},
	{},
};

static const struct answer_field ecs_zones_answer[] = {
	{"Zones", LIST("Zone", ecs_zone_answer)},
	{},
};

static const struct paging pages = {10, 100, 10, 100, .has_untold_size = true};
static const struct paging eni_pages = {10, 500, 10, 1000, .has_untold_size = true};
static const struct paging rule_pages = {500, 1000, .total = TOTAL_NONE, .has_untold_size = true};

const struct action ecs_actions[] = {
	ECS_ACTIONS(SCHEMA_ACTION){},
};
