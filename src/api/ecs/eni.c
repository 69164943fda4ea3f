/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DescribeNetworkInterfaces: the ENIs of instances, and those that a service manages (of endpoints and load
 * balancers).
 */
#include "../common/listing.h"
#include "../common/owned.h"
#include "../common/resource_group.h"
#include "../common/tags.h"
#include "actions.h"

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
	if (!lb || otherwise == PORT_DELETING) /* a zone that was given up */
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

static void add_state(const struct call *call, json_t *item, const void *row)
{
	const struct port *port = row;

	answer_string(item, "Type", type_word(port));
	answer_string(item, "Status", status_word(call, port));
	answer_holder(item, port);
}

static bool address_wanted(const struct call *call, const struct port *port)
{
	char address[NETADDR_TEXT_SIZE];

	if (!call_has(call, "PrimaryIpAddress") && !call_has(call, "PrivateIpAddress"))
		return true;
	netaddr_format(&port->addr, address);
	return filter_text(call, "PrimaryIpAddress", address) &&
	       filter_list(call, "PrivateIpAddress", address);
}

static bool status_wanted(const struct call *call, const struct port *port)
{
	return !call_has(call, "Status") || filter_text(call, "Status", status_word(call, port));
}

static bool eni_wanted(const struct call *call, const void *row)
{
	const struct port *p = row;
	bool managed = p->kind != PORT_INSTANCE;

	return filter_list(call, "NetworkInterfaceId", p->id) &&
	       filter_text(call, "NetworkInterfaceName", "") &&
	       filter_text(call, "InstanceId", managed ? "" : p->holder) &&
	       filter_text(call, "VpcId", p->vpc) && filter_text(call, "VSwitchId", p->vswitch) &&
	       address_wanted(call, p) && filter_list(call, "Ipv6Address", "") &&
	       filter_resource_group(call, "") &&
	       filter_any(call, "SecurityGroupId", p->groups, p->n_groups) &&
	       call_bool(call, "ServiceManaged", managed) == managed && status_wanted(call, p) &&
	       filter_text(call, "Type", type_word(p)) && tags_match(call, p->id);
}

int eni_list(struct call *call)
{
	static const struct list_filter filters[] = {
		{"NetworkInterfaceId", REF_COUNT_},
		{"InstanceId", REF_PORT_HOLDER},
		{"SecurityGroupId", REF_PORT_GROUPS, true},
		{"VSwitchId", REF_PORT_VSWITCH, true},
		{"VpcId", REF_PORT_VPC, true},
		{},
	};
	static const struct listing listing = {KIND_PORT, eni_wanted, add_state, .filters = filters};

	return list_owned(call, &listing);
}
