/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Classic load balancers as they are shown. The API knows active and inactive: one that nodes are to serve,
 * or to stop serving, is what it was until they have.
 */
#include "../common/listing.h"
#include "../common/owned.h"
#include "../common/resource_group.h"
#include "../common/tags.h"
#include "actions.h"

const char *slb_status_word(const struct load_balancer *lb)
{
	switch (lb->status) {
	case LB_ACTIVE:
	case LB_CONFIGURING:
	case LB_STOPPING:
		return "active";
	default:
		return "inactive";
	}
}

static const struct port *port_of(const struct call *call, const struct load_balancer *lb)
{
	return lb->n_ports > 0 ? snapshot_port(call->rows, lb->ports[0]) : NULL;
}

static void add_balancer(const struct call *call, json_t *object, const void *row)
{
	static const struct port none;
	const struct load_balancer *lb = row;
	const struct port *port = port_of(call, lb);

	answer_row(object, call_fields(call), KIND_PORT, port ? port : &none);
	answer_string(object, "LoadBalancerStatus", slb_status_word(lb));
	answer_string(object, "MasterZoneId", lb->zones[0]);
}

static void add_listeners(const struct call *call, const struct load_balancer *lb)
{
	const struct answer_field *field = answer_find(call->action->answer, "ListenerPortsAndProtocol");
	json_t *ports = answer_list(call->answer, call->action->answer, "ListenerPorts"),
	       *list = answer_list(call->answer, call->action->answer, field->name);
	char word[WORD_SIZE];

	for (const struct listener *l = NULL;
	     (l = snapshot_children(call->rows, REF_LISTENER_LOAD_BALANCER, lb->id, l));) {
		shape_number(ports, l->port);
		slb_lower(l->protocol, word);
		answer_string(answer_entry(list, field, KIND_LISTENER, l), "ListenerProtocol", word);
	}
}

int slb_balancer_get(struct call *call)
{
	const struct load_balancer *lb;
	json_t *servers;
	int r;

	r = slb_find(call, &lb);
	if (r < 0)
		return r;
	answer_object_row(call, call->answer, call->action->answer, KIND_LOAD_BALANCER, lb);
	add_balancer(call, call->answer, lb);
	add_listeners(call, lb);
	servers = answer_list(call->answer, call->action->answer, "BackendServers");
	for (const struct server *s = NULL;
	     (s = snapshot_children(call->rows, REF_SERVER_GROUP, lb->server_group, s));)
		slb_backend_answer_in(servers, s);
	return 0;
}

static bool address_wanted(const struct call *call, const struct load_balancer *lb)
{
	const struct port *port = port_of(call, lb);
	char text[NETADDR_TEXT_SIZE] = "";

	if (port)
		netaddr_format(&port->addr, text);
	return filter_text(call, "Address", text) &&
	       filter_text(call, "VSwitchId", port ? port->vswitch : "");
}

static bool server_wanted(const struct call *call, const struct load_balancer *lb)
{
	const char *wanted = call_string(call, "ServerId");

	return !wanted || slb_backend_in(call, lb->server_group, wanted);
}

static bool balancer_there(const struct call *call _unused_, const void *row)
{
	return ((const struct load_balancer *)row)->type == LB_CLASSIC;
}

static bool balancer_wanted(const struct call *call, const void *row)
{
	const struct load_balancer *lb = row;

	return filter_commas(call, "LoadBalancerId", lb->id) &&
	       filter_text(call, "LoadBalancerName", lb->name) &&
	       filter_text(call, "LoadBalancerStatus", slb_status_word(lb)) &&
	       filter_text(call, "VpcId", lb->vpc) && address_wanted(call, lb) &&
	       filter_text(call, "AddressType", "intranet") &&
	       filter_text(call, "AddressIPVersion", "ipv4") && filter_text(call, "NetworkType", "vpc") &&
	       filter_text(call, "MasterZoneId", lb->zones[0]) &&
	       filter_text(call, "SlaveZoneId", lb->slave_zone) &&
	       filter_text(call, "PayType", "PayOnDemand") && server_wanted(call, lb) &&
	       filter_resource_group(call, lb->resource_group) && tags_match(call, lb->id);
}

int slb_balancer_list(struct call *call)
{
	static const struct list_filter filters[] = {
		{"LoadBalancerId", REF_COUNT_, .has_commas = true},
		{"VpcId", REF_LOAD_BALANCER_VPC, true},
		{},
	};
	static const struct listing listing = {KIND_LOAD_BALANCER, balancer_wanted, add_balancer,
					       balancer_there, .filters = filters};

	return list_owned(call, &listing);
}
