/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DescribeNetworkInterfaces: the ENIs of instances, and those that a service manages (of endpoints and load
 * balancers).
 */
#include "../common/limits.h"
#include "../common/owned.h"
#include "../common/tags.h"
#include "../frame/shape.h"
#include "actions.h"

const struct param_spec eni_list_params[] = {
	{"NetworkInterfaceId", PARAM_LIST, .max = 100},
	{"NetworkInterfaceName", PARAM_STRING},
	{"InstanceId", PARAM_STRING},
	{"VpcId", PARAM_STRING},
	{"VSwitchId", PARAM_STRING},
	{"PrimaryIpAddress", PARAM_STRING},
	{"PrivateIpAddress", PARAM_LIST, .max = 100},
	{"Ipv6Address", PARAM_LIST, .max = 100},
	{"ResourceGroupId", PARAM_STRING},
	{"SecurityGroupId", PARAM_STRING},
	{"ServiceManaged", PARAM_BOOL},
	{"Status", PARAM_STRING},
	{"Type", PARAM_STRING},
	{"Tag", PARAM_STRUCT_LIST, .max = TAGS_PER_RESOURCE_MAX, .members = tag_params},
	{"PageNumber", PARAM_INT},
	{"PageSize", PARAM_INT},
	{"MaxResults", PARAM_INT, .min = 10, .max = 500},
	{"NextToken", PARAM_STRING},
	{},
};

static enum port_status by_instance(const struct instance *instance, enum port_status otherwise)
{
	if (!instance)
		return otherwise;
	if (instance->status == INSTANCE_PENDING || instance->status == INSTANCE_STARTING)
		return PORT_ATTACHING;
	return instance->status == INSTANCE_DELETING ? PORT_DETACHING : otherwise;
}

static enum port_status by_zone(const struct endpoint_zone *zone, enum port_status otherwise)
{
	if (!zone)
		return otherwise;
	if (zone->status == ZONE_CREATING)
		return PORT_ATTACHING;
	return zone->status == ZONE_DELETING ? PORT_DETACHING : otherwise;
}

static enum port_status by_balancer(const struct load_balancer *lb, enum port_status otherwise)
{
	if (!lb)
		return otherwise;
	if (lb->status == LB_PROVISIONING)
		return PORT_ATTACHING;
	return lb->status == LB_DELETING ? PORT_DETACHING : otherwise;
}

/* An ENI is attached when what holds it is there, and not when it was wished for. */
static const char *status_word(const struct call *call, const struct port *port)
{
	enum port_status status = port->status;

	switch (port->kind) {
	case PORT_INSTANCE:
		status = by_instance(snapshot_instance(call->rows, port->holder), status);
		break;
	case PORT_ENDPOINT:
		status = by_zone(snapshot_endpoint_zone(call->rows, port->holder, port->zone), status);
		break;
	case PORT_LOAD_BALANCER:
		status = by_balancer(snapshot_load_balancer(call->rows, port->holder), status);
		break;
	}
	return enum_name(port_status_names, status);
}

static const char *type_word(const struct port *port)
{
	return port->kind == PORT_INSTANCE ? "Primary" : "Secondary";
}

static void answer_addresses(json_t *item, const struct port *port)
{
	char address[NETADDR_TEXT_SIZE], mac[MAC_TEXT_SIZE];
	json_t *set;

	netaddr_format(&port->addr, address);
	mac_format(&port->mac, mac);
	answer_string(item, "PrivateIpAddress", address);
	answer_string(item, "MacAddress", mac);
	set = shape_item(shape_wrapped(item, "PrivateIpSets", "PrivateIpSet"));
	answer_string(set, "PrivateIpAddress", address);
	answer_bool(set, "Primary", true);
	(void)shape_wrapped(item, "Ipv6Sets", "Ipv6Set");
}

static void answer_holder(json_t *item, const struct port *port)
{
	bool managed = port->kind != PORT_INSTANCE;
	char text[TEXT_SIZE];
	json_t *attachment;

	answer_bool(item, "ServiceManaged", managed);
	answer_string(item, "InstanceId", managed ? "" : port->holder);
	(void)str_format(text, sizeof(text), "%s %s",
			 port->kind == PORT_ENDPOINT ? "Interface of the endpoint"
			 : managed		     ? "Interface of the load balancer"
						     : "Primary interface of the instance",
			 port->holder);
	answer_string(item, "Description", text);
	attachment = shape_object(item, "Attachment");
	if (managed)
		return;
	answer_string(attachment, "InstanceId", port->holder);
	answer_int(attachment, "DeviceIndex", 0);
}

static void answer_eni(const struct call *call, json_t *item, const struct port *port)
{
	char owner[24];
	json_t *groups;

	answer_string(item, "NetworkInterfaceId", port->id);
	answer_string(item, "NetworkInterfaceName", "");
	answer_string(item, "Type", type_word(port));
	answer_string(item, "Status", status_word(call, port));
	answer_string(item, "VpcId", port->vpc);
	answer_string(item, "VSwitchId", port->vswitch);
	answer_string(item, "ZoneId", port->zone);
	answer_addresses(item, port);
	answer_holder(item, port);
	(void)str_format(owner, sizeof(owner), "%lld", (long long)port->owner);
	answer_string(item, "OwnerId", owner);
	answer_string(item, "ResourceGroupId", "");
	answer_bool(item, "SourceDestCheck", true);
	answer_time(item, "CreationTime", port->create_time);
	groups = shape_wrapped(item, "SecurityGroupIds", "SecurityGroupId");
	for (uint32_t i = 0; i < port->n_groups; i++)
		shape_text(groups, port->groups[i]);
	tags_answer(call, item, "Tags", "Tag", "TagKey", "TagValue", port->id);
}

static bool eni_wanted(const struct call *call, const struct port *p)
{
	bool managed = p->kind != PORT_INSTANCE;
	char address[NETADDR_TEXT_SIZE];

	netaddr_format(&p->addr, address);
	return owned_here(call, p->owner, p->region) && filter_list(call, "NetworkInterfaceId", p->id) &&
	       filter_text(call, "NetworkInterfaceName", "") &&
	       filter_text(call, "InstanceId", managed ? "" : p->holder) &&
	       filter_text(call, "VpcId", p->vpc) && filter_text(call, "VSwitchId", p->vswitch) &&
	       filter_text(call, "PrimaryIpAddress", address) &&
	       filter_list(call, "PrivateIpAddress", address) && filter_list(call, "Ipv6Address", "") &&
	       filter_text(call, "ResourceGroupId", "") &&
	       filter_any(call, "SecurityGroupId", p->groups, p->n_groups) &&
	       call_bool(call, "ServiceManaged", managed) == managed &&
	       filter_text(call, "Status", status_word(call, p)) && filter_text(call, "Type", type_word(p)) &&
	       tags_match(call, p->id);
}

int eni_list(struct call *call)
{
	bool by_token = call_string(call, "NextToken") || call_int(call, "MaxResults", 0);
	struct page page;
	json_t *list;
	int r;

	r = by_token ? page_begin_token(call, &page, 10, 500) : page_begin_number(call, &page, 10, 1000);
	if (r < 0)
		return r;
	list = shape_wrapped(call->answer, "NetworkInterfaceSets", "NetworkInterfaceSet");
	for (const struct port *p = NULL; (p = owned_next(call, KIND_PORT, p));)
		if (eni_wanted(call, p) && page_match(&page, p->id))
			answer_eni(call, shape_item(list), p);
	page_end(call, &page);
	return 0;
}
