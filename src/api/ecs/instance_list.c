/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DescribeInstances.
 */
#include "../common/instance.h"
#include "../common/limits.h"
#include "../common/owned.h"
#include "../common/tags.h"
#include "../frame/shape.h"
#include "actions.h"

const struct param_spec instance_list_params[] = {
	{"InstanceIds", PARAM_LIST, .max = 100},
	{"InstanceName", PARAM_STRING},
	{"VpcId", PARAM_STRING},
	{"VSwitchId", PARAM_STRING},
	{"ZoneId", PARAM_STRING},
	{"ImageId", PARAM_STRING},
	{"InstanceType", PARAM_STRING},
	{"InstanceNetworkType", PARAM_STRING},
	{"SecurityGroupId", PARAM_STRING},
	{"ResourceGroupId", PARAM_STRING},
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
	{"Tag", PARAM_STRUCT_LIST, .max = TAGS_PER_RESOURCE_MAX, .members = tag_params},
	{"PageNumber", PARAM_INT},
	{"PageSize", PARAM_INT},
	{"MaxResults", PARAM_INT},
	{"NextToken", PARAM_STRING},
	{},
};

static void answer_interface(json_t *item, const struct port *port)
{
	char address[NETADDR_TEXT_SIZE], mac[MAC_TEXT_SIZE];
	json_t *eni, *set;

	netaddr_format(&port->addr, address);
	mac_format(&port->mac, mac);
	eni = shape_item(shape_wrapped(item, "NetworkInterfaces", "NetworkInterface"));
	answer_string(eni, "NetworkInterfaceId", port->id);
	answer_string(eni, "MacAddress", mac);
	answer_string(eni, "PrimaryIpAddress", address);
	answer_string(eni, "Type", "Primary");
	set = shape_item(shape_wrapped(eni, "PrivateIpSets", "PrivateIpSet"));
	answer_string(set, "PrivateIpAddress", address);
	answer_bool(set, "Primary", true);
	(void)shape_wrapped(eni, "Ipv6Sets", "Ipv6Set");
}

static void answer_network(const struct call *call, json_t *item, const struct instance *instance)
{
	const struct port *port = snapshot_port(call->rows, instance->port);
	json_t *vpc = shape_object(item, "VpcAttributes"), *addresses, *groups;
	char address[NETADDR_TEXT_SIZE];

	answer_string(vpc, "VpcId", instance->vpc);
	answer_string(vpc, "VSwitchId", instance->vswitch);
	answer_string(vpc, "NatIpAddress", "");
	addresses = shape_wrapped(vpc, "PrivateIpAddress", "IpAddress");
	groups = shape_wrapped(item, "SecurityGroupIds", "SecurityGroupId");
	if (!port)
		return;
	netaddr_format(&port->addr, address);
	shape_text(addresses, address);
	for (uint32_t i = 0; i < port->n_groups; i++)
		shape_text(groups, port->groups[i]);
	answer_interface(item, port);
}

static void answer_instance(const struct call *call, json_t *item, const struct instance *instance)
{
	answer_string(item, "InstanceId", instance->id);
	answer_string(item, "InstanceName", instance->name[0] ? instance->name : instance->id);
	answer_string(item, "HostName", instance->host_name[0] ? instance->host_name : instance->id);
	answer_string(item, "Description", instance->description);
	answer_string(item, "Status", instance_status_word(call, instance));
	instance_answer_info(call, item, instance);
	answer_string(item, "RegionId", instance->region);
	answer_string(item, "ZoneId", instance->zone);
	answer_string(item, "ImageId", instance->image);
	answer_string(item, "InstanceType", instance->type);
	answer_string(item, "InstanceNetworkType", "vpc");
	answer_string(item, "InstanceChargeType", "PostPaid");
	answer_string(item, "SpotStrategy", "NoSpot");
	answer_string(item, "OSType", "linux");
	answer_string(item, "ResourceGroupId", "");
	answer_int(item, "InternetMaxBandwidthOut", 0);
	answer_bool(item, "DeletionProtection", false);
	answer_bool(item, "DeviceAvailable", true);
	answer_bool(item, "IoOptimized", true);
	answer_bool(item, "Recyclable", false);
	answer_time(item, "CreationTime", instance->create_time);
	answer_time(item, "StartTime", instance->create_time);
	answer_network(call, item, instance);
	(void)shape_wrapped(item, "PublicIpAddress", "IpAddress");
	(void)shape_wrapped(item, "InnerIpAddress", "IpAddress");
	(void)shape_wrapped(item, "OperationLocks", "LockReason");
	tags_answer(call, item, "Tags", "Tag", "TagKey", "TagValue", instance->id);
}

/* A name filter may end in '*'. */
static bool name_matches(const struct call *call, const struct instance *instance)
{
	const char *wanted = call_string(call, "InstanceName");
	const char *name = instance->name[0] ? instance->name : instance->id;
	size_t n = wanted ? strlen(wanted) : 0;

	if (n == 0)
		return true;
	return wanted[n - 1] == '*' ? strncmp(name, wanted, n - 1) == 0 : streq(name, wanted);
}

static bool port_matches(const struct call *call, const struct instance *instance)
{
	const struct port *port = snapshot_port(call->rows, instance->port);
	char address[NETADDR_TEXT_SIZE] = "";

	if (port)
		netaddr_format(&port->addr, address);
	return filter_list(call, "PrivateIpAddresses", address) &&
	       filter_any(call, "SecurityGroupId", port ? port->groups : NULL, port ? port->n_groups : 0);
}

/* "ecs.g6" of "ecs.g6.large". */
static bool family_matches(const struct call *call, const char *type)
{
	const char *wanted = call_string(call, "InstanceTypeFamily"), *size = strrchr(type, '.');

	if (!wanted || !wanted[0])
		return true;
	return size && strlen(wanted) == (size_t)(size - type) && str_starts(type, wanted);
}

/* Filters by what no instance has here, or all have. */
static bool nature_matches(const struct call *call)
{
	static const char *const addresses[] = {"PublicIpAddresses", "InnerIpAddresses", "EipAddresses",
						"RdmaIpAddresses", "Ipv6Address"},
				 *const texts[] = {"InternetChargeType", "KeyPairName", "HpcClusterId",
						   "LockReason"};

	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++)
		if (!filter_list(call, addresses[i], ""))
			return false;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (!filter_text(call, texts[i], ""))
			return false;
	return filter_text(call, "InstanceChargeType", "PostPaid") &&
	       filter_text(call, "InstanceNetworkType", "vpc") && filter_text(call, "ResourceGroupId", "") &&
	       call_bool(call, "IoOptimized", true) && call_bool(call, "DeviceAvailable", true);
}

static bool instance_wanted(const struct call *call, const struct instance *i)
{
	return owned_here(call, i->owner, i->region) && filter_list(call, "InstanceIds", i->id) &&
	       name_matches(call, i) && filter_text(call, "VpcId", i->vpc) &&
	       filter_text(call, "VSwitchId", i->vswitch) && filter_text(call, "ZoneId", i->zone) &&
	       filter_text(call, "ImageId", i->image) && filter_text(call, "InstanceType", i->type) &&
	       family_matches(call, i->type) && nature_matches(call) &&
	       filter_text(call, "Status", instance_status_word(call, i)) && port_matches(call, i) &&
	       tags_match(call, i->id);
}

int instance_list(struct call *call)
{
	bool by_token = call_string(call, "NextToken") || call_int(call, "MaxResults", 0);
	struct page page;
	json_t *list;
	int r;

	r = by_token ? page_begin_token(call, &page, 10, 100) : page_begin_number(call, &page, 10, 100);
	if (r < 0)
		return r;
	list = shape_wrapped(call->answer, "Instances", "Instance");
	for (const struct instance *i = NULL; (i = owned_next(call, KIND_INSTANCE, i));)
		if (instance_wanted(call, i) && page_match(&page, i->id))
			answer_instance(call, shape_item(list), i);
	page_end(call, &page);
	return 0;
}
