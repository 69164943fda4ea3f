/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The node's port leads to a namespace of the agent's own, VPC 0, in which its sockets stand. The loop's
 * thread makes it itself, while no other device is being worked on.
 */
#include "ports_parts.h"

#include "../lib/log.h"
#include "netns.h"

#define SERVICE_MAC "ee:ff:ff:ff:ff:fd"
#define SERVICE_MTU 1500

void ports_fill_node_port(struct ports *ports)
{
	struct plan_port *port = &ports->node_port;
	struct pl_port *row = &port->row;
	struct netprefix network;

	(void)netprefix_parse(PLAN_NODE_NETWORK, true, &network);
	port->number = PORT_SERVICE_NUMBER;
	port->slot = PL_SLOT_SERVICE;
	port->kind = INSTANCE_NETNS;
	(void)str_format(port->instance, sizeof(port->instance), "privlink-%s", ports->env.node);
	(void)str_copy(port->device, sizeof(port->device), "eth0");
	(void)mac_parse(SERVICE_MAC, &port->mac);
	(void)netaddr_parse(PLAN_DNS_SOCKET, &port->addr);
	port->prefix_length = (uint8_t)netprefix_text_length(&network);
	port->mtu = SERVICE_MTU;
	port->up = true;

	row->number = PORT_SERVICE_NUMBER;
	row->vpc = PL_VPC_NODES;
	row->delivery = PL_PORT_VETH;
	row->flags = PL_PORT_F_SERVICE;
	row->mtu = SERVICE_MTU;
	memcpy(&row->addr, &port->addr, sizeof(row->addr));
	memcpy(row->mac, port->mac.bytes, sizeof(row->mac));
	memcpy(&row->service_addr, &port->addr, sizeof(row->service_addr));
}

/* Sockets stand in VPC 0's namespace: another one of the same name would be of no use to them. */
static int keep_netns_name(struct ports *ports)
{
	_cleanup_(closep) int fd = -EBADF;
	int r;

	if (ports->node_netns_fd < 0)
		return 0;
	fd = netns_open(ports->node_port.instance);
	if (fd != -ENOENT)
		return 0;
	r = netns_add_name(ports->node_port.instance, ports->node_netns_fd);
	if (r == 0)
		log_info("gave a namespace its name again namespace=%s", ports->node_port.instance);
	return r;
}

int ports_sync_node_port(struct ports *ports)
{
	const char *step = "cannot give it its name again";
	uint32_t ifindex = ports->node_port_known_ifindex;
	int r;

	(void)ports_settle(ports);
	r = keep_netns_name(ports);
	ports->is_node_port_due = false;
	if (r == 0)
		r = port_device_sync(&ports->env, &ports->node_port, &ifindex, &step);
	if (r == 0)
		ports->node_port.row.ifindex = ports->node_port_known_ifindex = ifindex;
	if (r == 0 && ports->node_netns_fd < 0) {
		step = "cannot open it";
		ports->node_netns_fd = netns_open(ports->node_port.instance);
		r = MIN(ports->node_netns_fd, 0);
	}
	return r < 0 ? log_errno(r, "the node's port: %s namespace=%s", step, ports->node_port.instance) : 0;
}

const struct plan_port *ports_node_port(const struct ports *ports)
{
	return &ports->node_port;
}

bool ports_node_port_is_due(const struct ports *ports)
{
	return ports->is_node_port_due || !ports->node_port.row.ifindex;
}

int ports_node_netns(const struct ports *ports)
{
	return ports->node_netns_fd;
}

int ports_remove_node_port(struct ports *ports)
{
	struct port_mark mark = {.kind = INSTANCE_NETNS, .number = PORT_SERVICE_NUMBER};

	(void)str_copy(mark.instance, sizeof(mark.instance), ports->node_port.instance);
	return port_device_remove(&ports->env, &mark, 0);
}
