/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ports of this node's instances, and what stands at addresses of the VPCs that have one without being
 * anybody's own: the resolver's addresses, translated sources.
 */
#include "plan_build.h"

#include "../model/check.h"
#include "../model/serving.h"

static void fill_row(struct plan_builder *b, const struct vpc *vpc, struct plan_port *port)
{
	struct pl_port *row = &port->row;
	struct netprefix service;
	struct netaddr service_addr;

	(void)netprefix_parse(PLAN_NODE_NETWORK, true, &service);
	service_addr = netaddr_v4(netaddr_to_v4(&service.addr) + port->slot);
	row->number = port->number;
	row->vpc = vpc->number;
	row->ifindex = b->input->ifindex ? b->input->ifindex(b->input->ifindex_context, port->number) : 0;
	row->delivery = port->kind == INSTANCE_TAP ? PL_PORT_TAP : PL_PORT_VETH;
	row->mtu = (uint16_t)MIN(port->mtu, (uint32_t)UINT16_MAX);
	row->addr = plan_addr(&port->addr);
	memcpy(row->mac, port->mac.bytes, sizeof(row->mac));
	row->zone = plan_zone_index(b, port->zone);
	row->service_addr = plan_addr(&service_addr);
}

/* A host name comes from the API, and goes into files and questions: it is what it may be, or the id. */
static void fill_host_name(const struct instance *instance, char ret[PLAN_HOST_NAME_SIZE])
{
	const char *name = instance->host_name;

	if (!*name ||
	    strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.") !=
		    strlen(name) ||
	    str_copy(ret, PLAN_HOST_NAME_SIZE, name) < 0)
		(void)str_copy(ret, PLAN_HOST_NAME_SIZE, instance->id);
}

/* What an instance and its port's row make together. */
static void fill_port(const struct instance *instance, const struct port *row, const struct vpc *vpc,
		      const struct vswitch *vswitch, struct plan_port *port)
{
	port->number = row->number;
	port->kind = instance->kind;
	(void)str_copy(port->instance, sizeof(port->instance), instance->id);
	(void)str_copy(port->path, sizeof(port->path), instance->path);
	port->process_start = instance->process_start;
	(void)str_copy(port->device, sizeof(port->device), *instance->device ? instance->device : "eth0");
	fill_host_name(instance, port->host_name);
	port->mac = row->mac;
	port->addr = row->addr;
	port->prefix_length = (uint8_t)netprefix_text_length(&vswitch->cidr);
	port->network = vpc->cidr;
	port->gateway = vswitch_gateway(&vswitch->cidr);
	port->mtu = row->mtu ? row->mtu : 1500;
	port->up = serving_instance_runs(instance);
	(void)str_copy(port->zone, sizeof(port->zone), row->zone);
}

int plan_instance_port(struct plan_builder *b, const struct instance *instance)
{
	const struct port *row = snapshot_port(b->rows, instance->port);
	const struct vpc *vpc = snapshot_vpc(b->rows, row ? row->vpc : "");
	const struct vswitch *vswitch = snapshot_vswitch(b->rows, row ? row->vswitch : "");
	struct plan_builder_vpc *last;
	struct plan_port *port;
	char key[KEY_SIZE];
	uint32_t slot;
	int r;

	(void)str_format(key, sizeof(key), "instance/%s", instance->id);
	if (!row)
		return plan_fail(b, key, "its interface %s is missing", instance->port);
	if (!vpc || !vswitch)
		return plan_fail(b, key, "the VPC or the vSwitch of its interface %s is missing", row->id);
	if (row->number == 0 || row->number == UINT32_MAX || !netaddr_is_v4(&row->addr))
		return plan_fail(b, key, "its interface %s has no number or no IPv4 address", row->id);

	r = plan_indexes_slot(b->indexes, row->number, &slot);
	if (r == -ENOSPC)
		return plan_fail_by_others(b, key, "this node has no free slot for another interface");
	if (r == -EEXIST)
		return plan_fail_by_others(b, key, "its interface %s has the number of another one", row->id);
	if (r < 0)
		return r;
	port = plan_append(&b->plan->ports, &b->plan->n_ports, sizeof(*port));
	if (!port)
		return -ENOMEM;
	port->slot = slot;
	fill_port(instance, row, vpc, vswitch, port);
	fill_row(b, vpc, port);
	port->limit = plan_port_limit();
	r = plan_indexes_account(b->indexes, instance->owner, slot, &port->limit.account);
	if (r < 0)
		return r;

	r = plan_make_set(b, row->groups, row->n_groups, key, &port->set);
	if (r < 0)
		return r;
	last = plan_append(&b->vpcs, &b->n_vpcs, sizeof(*b->vpcs));
	if (!last)
		return -ENOMEM;
	*last = (struct plan_builder_vpc){vpc, 1};
	return 0;
}

static int port_compare(const void *a, const void *b)
{
	uint32_t x = ((const struct plan_port *)a)->number, y = ((const struct plan_port *)b)->number;

	return x < y ? -1 : x > y;
}

static int slot_compare(const void *a, const void *b, void *context)
{
	const struct plan_port *ports = context;
	uint32_t x = ports[*(const uint32_t *)a].slot, y = ports[*(const uint32_t *)b].slot;

	return x < y ? -1 : x > y;
}

static int index_by_slot(struct plan *plan)
{
	for (size_t n = 0; n < plan->n_ports;) {
		uint32_t *index = plan_append(&plan->ports_by_slot, &n, sizeof(*index));

		if (!index)
			return -ENOMEM;
		*index = (uint32_t)n - 1;
	}
	if (plan->n_ports > 1)
		qsort_r(plan->ports_by_slot, plan->n_ports, sizeof(*plan->ports_by_slot), slot_compare,
			plan->ports);
	return 0;
}

static int vpc_compare(const void *a, const void *b)
{
	return strcmp(((const struct plan_builder_vpc *)a)->row->id,
		      ((const struct plan_builder_vpc *)b)->row->id);
}

static void settle_vpcs(struct plan_builder *b)
{
	size_t kept = 0;

	plan_sort(b, b->vpcs, b->n_vpcs, sizeof(*b->vpcs), vpc_compare);
	for (size_t i = 0; i < b->n_vpcs; i++)
		if (kept == 0 || b->vpcs[kept - 1].row != b->vpcs[i].row)
			b->vpcs[kept++] = b->vpcs[i];
		else
			b->vpcs[kept - 1].n_ports++;
	b->n_vpcs = kept;
}

int plan_ports(struct plan_builder *b)
{
	for (const struct instance *v = NULL; (v = snapshot_next(b->rows, KIND_INSTANCE, "", v));) {
		int r = 0;

		if (streq(v->node, b->input->node) && v->status != INSTANCE_DELETING)
			r = plan_instance_port(b, v);
		if (r < 0)
			return r;
		plan_breathe(b);
	}
	settle_vpcs(b);
	plan_sort(b, b->plan->ports, b->plan->n_ports, sizeof(*b->plan->ports), port_compare);
	return index_by_slot(b->plan);
}

int plan_resolvers(struct plan_builder *b, uint32_t vpc)
{
	static const char *const texts[] = {PLAN_DNS_1, PLAN_DNS_2};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(texts) && r == 0; i++) {
		struct netaddr addr;

		(void)netaddr_parse(texts[i], &addr);
		r = plan_add_place(b, vpc, &addr, PL_PLACE_DNS, 0);
	}
	return r;
}

int plan_places(struct plan_builder *b)
{
	int r = 0;

	for (size_t i = 0; i < b->n_vpcs && r == 0; i++)
		r = plan_resolvers(b, b->vpcs[i].row->number);
	return r < 0 ? r : plan_translated(b);
}
