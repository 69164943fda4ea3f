/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DescribeInstances.
 */
#include "../common/instance.h"
#include "../common/listing.h"
#include "../common/owned.h"
#include "../common/resource_group.h"
#include "../common/tags.h"
#include "actions.h"

static void add_network(const struct call *call, json_t *item, const struct instance *instance)
{
	const struct port *port = snapshot_port(call->rows, instance->port);
	json_t *addresses =
		shape_wrapped(json_object_get(item, "VpcAttributes"), "PrivateIpAddress", "IpAddress");
	char address[NETADDR_TEXT_SIZE];

	if (!port) {
		(void)shape_wrapped(item, "SecurityGroupIds", "SecurityGroupId");
		return;
	}
	answer_row(item, call_fields(call), KIND_PORT, port);
	netaddr_format(&port->addr, address);
	shape_text(addresses, address);
}

static void add_state(const struct call *call, json_t *item, const void *row)
{
	const struct instance *instance = row;

	answer_string(item, "InstanceName", instance->name[0] ? instance->name : instance->id);
	answer_string(item, "HostName", instance->host_name[0] ? instance->host_name : instance->id);
	answer_string(item, "Status", instance_status_word(call, instance));
	instance_answer_info(call, item, instance);
	add_network(call, item, instance);
}

/* A name filter may end in '*'. */
static bool name_matches(const struct call *call, const struct instance *instance)
{
	const json_t *param = json_object_get(call->params, "InstanceName");
	const char *wanted = json_string_value(param);
	const char *name = instance->name[0] ? instance->name : instance->id;
	size_t n = json_string_length(param);

	if (n == 0)
		return true;
	return wanted[n - 1] == '*' ? strncmp(name, wanted, n - 1) == 0 : streq(name, wanted);
}

static bool port_matches(const struct call *call, const struct instance *instance)
{
	const struct port *port;
	char address[NETADDR_TEXT_SIZE] = "";

	if (!call_has(call, "PrivateIpAddresses") && !call_has(call, "SecurityGroupId"))
		return true;
	port = snapshot_port(call->rows, instance->port);
	if (port)
		netaddr_format(&port->addr, address);
	return filter_list(call, "PrivateIpAddresses", address) &&
	       filter_any(call, "SecurityGroupId", port ? port->groups : NULL, port ? port->n_groups : 0);
}

/* "ecs.g6" of "ecs.g6.large". */
static bool family_matches(const struct call *call, const char *type)
{
	const json_t *param = json_object_get(call->params, "InstanceTypeFamily");
	const char *wanted = json_string_value(param), *size = strrchr(type, '.');
	size_t n = json_string_length(param);

	return n == 0 || (size && n == (size_t)(size - type) && memcmp(type, wanted, n) == 0);
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
	       filter_text(call, "InstanceNetworkType", "vpc") && call_bool(call, "IoOptimized", true) &&
	       call_bool(call, "DeviceAvailable", true);
}

/* A time of a filter, "2026-01-02T03:04Z", or with its seconds. */
static int read_time(const char *text, int64_t *ret)
{
	static const char minutes[] = "2026-01-02T03:04Z";
	char whole[TIME_TEXT_SIZE];

	if (strlen(text) != sizeof(minutes) - 1 || !str_ends(text, "Z"))
		return time_parse(text, ret);
	(void)str_format(whole, sizeof(whole), "%.16s:00Z", text);
	return time_parse(whole, ret);
}

static int check_times(struct call *call)
{
	const json_t *filters = call_list(call, "Filter"), *filter;
	char name[32];
	int64_t unused;
	size_t i;

	json_array_foreach(filters, i, filter) {
		if (read_time(member_string(filter, "Value"), &unused) == 0)
			continue;
		(void)str_format(name, sizeof(name), "Filter.%zu.Value", i + 1);
		return call_fail_param(call, name, "It must be written YYYY-MM-DDThh:mmZ, in UTC.");
	}
	return 0;
}

/* Instances are made, and never expire. */
static bool times_match(const struct call *call, const struct instance *instance)
{
	const json_t *filters = call_list(call, "Filter"), *filter;
	int64_t when = 0;
	size_t i;

	json_array_foreach(filters, i, filter) {
		const char *key = member_string(filter, "Key");

		(void)read_time(member_string(filter, "Value"), &when);
		if (str_starts(key, "Expired") ||
		    (streq(key, "CreationStartTime") && instance->create_time < when) ||
		    (streq(key, "CreationEndTime") && instance->create_time > when))
			return false;
	}
	return true;
}

static bool instance_wanted(const struct call *call, const void *row)
{
	const struct instance *i = row;

	return filter_list(call, "InstanceIds", i->id) && name_matches(call, i) &&
	       filter_resource_group(call, i->resource_group) && filter_text(call, "VpcId", i->vpc) &&
	       filter_text(call, "VSwitchId", i->vswitch) && filter_text(call, "ZoneId", i->zone) &&
	       filter_text(call, "ImageId", i->image) && filter_text(call, "InstanceType", i->type) &&
	       family_matches(call, i->type) && nature_matches(call) &&
	       filter_text(call, "Status", instance_status_word(call, i)) && port_matches(call, i) &&
	       times_match(call, i) && tags_match(call, i->id);
}

int instance_list(struct call *call)
{
	static const struct list_filter filters[] = {
		{"InstanceIds", REF_COUNT_},
		{"VSwitchId", REF_INSTANCE_VSWITCH, true},
		{"VpcId", REF_INSTANCE_VPC, true},
		{},
	};
	static const struct listing listing = {KIND_INSTANCE, instance_wanted, add_state, .filters = filters};

	int r = check_times(call);

	return r < 0 ? r : list_owned(call, &listing);
}
