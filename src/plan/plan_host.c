/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hosts: what stands at the addresses of VPCs that have a port here, and what it is called. Instances here
 * and on other nodes, interfaces of load balancers, gateways of vSwitches. What each has in the plan is
 * noted, so that it can be planned anew by itself.
 */
#include "plan_build.h"

#include "../lib/vec.h"
#include "../model/check.h"

size_t plan_host_place(const struct plan_hosts *hosts, const char *id)
{
	return LOWER_BOUND(i, hosts->n, strcmp(hosts->v[i].id, id) < 0);
}

struct plan_host *plan_host_find(const struct plan_hosts *hosts, const char *id)
{
	size_t place = plan_host_place(hosts, id);

	return place < hosts->n && streq(hosts->v[place].id, id) ? &hosts->v[place] : NULL;
}

static int add_place(struct plan_builder *b, struct plan_host *host, const struct vpc *vpc,
		     const struct netaddr *addr, uint32_t kind, uint32_t id)
{
	host->has_place = true;
	host->place.vpc = vpc->number;
	host->place.addr = plan_addr(addr);
	return plan_add_place(b, vpc->number, addr, kind, id);
}

/* One that has a name twice cannot be told apart by it. */
static void own_name(struct plan_builder *b, struct plan_host *host, struct plan_name *name)
{
	for (const struct plan_name *other = host->names; other; other = other->next)
		if (plan_name_compare(other, name) == 0)
			b->plan->slices->is_odd = true;
	plan_name_own(&host->names, name);
}

static int add_name(struct plan_builder *b, struct plan_host *host, const struct vpc *vpc,
		    const struct netaddr *addr, const char *label, const char *region)
{
	struct plan_name *name;
	int r = plan_host_name(b, vpc, addr, label, host->id, region, &name);

	if (r == 0 && name)
		own_name(b, host, name);
	return r;
}

/* Instances. */

static const struct plan_port *find_port(const struct plan *plan, const struct port *row,
					 const struct instance *instance)
{
	size_t place = LOWER_BOUND(i, plan->n_ports, plan->ports[i].number < row->number);
	const struct plan_port *port = place < plan->n_ports ? &plan->ports[place] : NULL;

	return port && port->number == row->number && streq(port->instance, instance->id) ? port : NULL;
}

/* Nothing leads to a port whose device is not there. */
static int add_local(struct plan_builder *b, const struct instance *instance, const struct port *row,
		     struct plan_host *host)
{
	const struct plan_port *port = find_port(b->plan, row, instance);
	const struct vpc *vpc = port ? snapshot_vpc(b->rows, row->vpc) : NULL;

	if (!vpc)
		return 0;
	host->port = port->number;
	(void)str_copy(host->vpc, sizeof(host->vpc), vpc->id);
	return port->row.ifindex ? add_place(b, host, vpc, &row->addr, PL_PLACE_PORT, port->slot) : 0;
}

static int add_remote(struct plan_builder *b, const struct instance *instance, const struct port *row,
		      struct plan_host *host)
{
	const struct vpc *vpc = plan_local_vpc(b, instance->vpc);
	const struct node *node = vpc ? snapshot_node(b->rows, instance->node) : NULL;

	return node ? add_place(b, host, vpc, &row->addr, PL_PLACE_REMOTE, node->number) : 0;
}

static int add_instance(struct plan_builder *b, const void *row, struct plan_host *host)
{
	const struct instance *instance = row;
	const struct port *port = snapshot_port(b->rows, instance->port);
	bool is_local = streq(instance->node, b->input->node);
	int r = 0;

	if (instance->status == INSTANCE_DELETING)
		return 0;
	if (port)
		r = is_local ? add_local(b, instance, port, host) : add_remote(b, instance, port, host);
	for (const struct port *v = NULL;
	     r == 0 && (v = snapshot_children(b->rows, REF_PORT_HOLDER, instance->id, v));) {
		const struct vpc *vpc = plan_local_vpc(b, v->vpc);

		if (vpc && v->kind == PORT_INSTANCE && v->status != PORT_DELETING)
			r = add_name(b, host, vpc, &v->addr, "", v->region);
	}
	return r;
}

/* Others. */

static int add_interface(struct plan_builder *b, const void *row, struct plan_host *host)
{
	const struct port *port = row;
	const struct vpc *vpc = plan_local_vpc(b, port->vpc);
	int r = 0;

	if (!vpc || port->kind != PORT_LOAD_BALANCER || port->status == PORT_DELETING)
		return 0;
	if (!netaddr_is_zero(&port->addr))
		r = add_place(b, host, vpc, &port->addr, PL_PLACE_VIP, 0);
	return r < 0 ? r : add_name(b, host, vpc, &port->addr, "", port->region);
}

static int add_vswitch(struct plan_builder *b, const void *row, struct plan_host *host)
{
	const struct vswitch *vswitch = row;
	const struct vpc *vpc = plan_local_vpc(b, vswitch->vpc);
	struct netaddr gateway;
	int r;

	if (!vpc || !netaddr_is_v4(&vswitch->cidr.addr))
		return 0;
	gateway = vswitch_gateway(&vswitch->cidr);
	r = add_place(b, host, vpc, &gateway, PL_PLACE_GATEWAY, 0);
	return r < 0 ? r : add_name(b, host, vpc, &gateway, "gateway.", vswitch->region);
}

static const struct {
	enum kind rows;
	int (*add)(struct plan_builder *b, const void *row, struct plan_host *host);
} kinds[PLAN_HOST_KINDS] = {
	[PLAN_HOST_INSTANCE] = {KIND_INSTANCE, add_instance},
	[PLAN_HOST_INTERFACE] = {KIND_PORT, add_interface},
	[PLAN_HOST_VSWITCH] = {KIND_VSWITCH, add_vswitch},
};

/* It is no host if it has nothing. */
static int add_host(struct plan_builder *b, enum plan_host_kind kind, const char *id, const void *row)
{
	struct plan_hosts *hosts = &b->plan->slices->hosts[kind];
	struct plan_host *host = plan_append(&hosts->v, &hosts->n, sizeof(*host));
	int r;

	if (!host)
		return -ENOMEM;
	(void)str_copy(host->id, sizeof(host->id), id);
	r = kinds[kind].add(b, row, host);
	if (!host->port && !host->has_place && !host->names)
		hosts->n--;
	return r;
}

int plan_host(struct plan_builder *b, enum plan_host_kind kind, const char *id)
{
	const void *row = snapshot_find(b->rows, kinds[kind].rows, id);
	const struct instance *instance = kind == PLAN_HOST_INSTANCE ? row : NULL;
	int r = 0;

	if (!row)
		return 0;
	if (instance && instance->status != INSTANCE_DELETING && streq(instance->node, b->input->node))
		r = plan_instance_port(b, instance);
	return r < 0 ? r : add_host(b, kind, id, row);
}

int plan_hosts(struct plan_builder *b)
{
	int r = 0;

	for (const struct instance *v = NULL; r == 0 && (v = snapshot_next(b->rows, KIND_INSTANCE, "", v));) {
		r = add_host(b, PLAN_HOST_INSTANCE, v->id, v);
		plan_breathe(b);
	}
	for (const struct port *v = NULL; r == 0 && (v = snapshot_next(b->rows, KIND_PORT, "", v));) {
		r = v->kind == PORT_LOAD_BALANCER ? add_host(b, PLAN_HOST_INTERFACE, v->id, v) : 0;
		plan_breathe(b);
	}
	for (const struct vswitch *v = NULL; r == 0 && (v = snapshot_next(b->rows, KIND_VSWITCH, "", v));) {
		r = add_host(b, PLAN_HOST_VSWITCH, v->id, v);
		plan_breathe(b);
	}
	return r;
}
