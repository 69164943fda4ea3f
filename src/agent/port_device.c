/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Marks are kept in the kernel's objects themselves and not in a file beside them: a node-side device says in
 * its alias whose it is, a namespace in the alias of its loopback. So there is nothing that could disagree
 * after a crash or a reboot.
 *
 * The order matters: a device gets the data path's programs while it is still down, because a device that is
 * up without them would hand a tenant's frames to the node's own stack.
 */
#include "port_device.h"

#include <stdio.h>
#include <unistd.h>

#include "../lib/process.h"
#include "netns.h"
#include "tap.h"

#define MARK "privlink"

void port_device_name(const struct plan_port *port, char ret[IFNAMSIZ])
{
	if (port->number == PORT_SERVICE_NUMBER)
		(void)str_copy(ret, IFNAMSIZ, "pl0");
	else if (port->kind == INSTANCE_TAP && *port->device && !streq(port->device, "eth0"))
		(void)str_copy(ret, IFNAMSIZ, port->device);
	else
		(void)str_format(ret, IFNAMSIZ, "pl%x", port->number);
}

void port_mark_format(const char *node, const struct port_mark *mark, char ret[RTNL_ALIAS_SIZE])
{
	(void)str_format(ret, RTNL_ALIAS_SIZE, MARK "/%s/%d/%x/%s", node, mark->kind, mark->number,
			 mark->instance);
}

int port_mark_parse(const char *node, const char *alias, struct port_mark *ret)
{
	char prefix[RTNL_ALIAS_SIZE], instance[ID_SIZE];
	struct port_mark mark = {};
	int kind;

	if (str_format(prefix, sizeof(prefix), MARK "/%s/", node) < 0 || !str_starts(alias, prefix))
		return -EINVAL;
	if (sscanf(alias + strlen(prefix), "%d/%x/%39s", &kind, &mark.number, instance) != 3)
		return -EINVAL;
	if (kind < INSTANCE_NETNS || kind > INSTANCE_TAP)
		return -EINVAL;
	mark.kind = (enum instance_kind)kind;
	(void)str_copy(mark.instance, sizeof(mark.instance), instance);
	*ret = mark;
	return 0;
}

static void netns_mark_format(const char *node, char ret[RTNL_ALIAS_SIZE])
{
	(void)str_format(ret, RTNL_ALIAS_SIZE, MARK "/%s", node);
}

static int get_loopback(int netns_fd, struct rtnl **ret_rtnl, struct rtnl_link *ret)
{
	struct rtnl *rtnl;
	int r;

	r = rtnl_open(netns_fd, &rtnl);
	if (r < 0)
		return r;
	r = rtnl_link_get(rtnl, "lo", ret);
	if (r < 0) {
		rtnl_free(rtnl);
		return r;
	}
	*ret_rtnl = rtnl;
	return 0;
}

bool port_netns_is_marked(const struct port_env *env, const char *name)
{
	_cleanup_(closep) int fd = netns_open(name);
	char mark[RTNL_ALIAS_SIZE];
	struct rtnl_link loopback;
	struct rtnl *rtnl;

	if (fd < 0 || netns_is_same(fd, env->own_netns_fd) || get_loopback(fd, &rtnl, &loopback) < 0)
		return false;
	rtnl_free(rtnl);
	netns_mark_format(env->node, mark);
	return streq(loopback.alias, mark);
}

/* Someone else's namespace. The node's own is refused: a port there would put a tenant's network into the
 * node. So is that of a process that has only the number of the one that was meant; the question comes after
 * opening: the answer then holds for what was opened. */
static int open_foreign_netns(const struct port_env *env, const struct plan_port *port)
{
	_cleanup_(closep) int fd = netns_open_path(port->path);
	uint64_t start;
	int r, pid;

	if (fd < 0)
		return fd;
	if (port->process_start && sscanf(port->path, "/proc/%d/", &pid) == 1) {
		r = process_start(pid, &start);
		if (r < 0)
			return r;
		if (start != (uint64_t)port->process_start)
			return -ESRCH;
	}
	return netns_is_same(fd, env->own_netns_fd) ? -EPERM : TAKE_FD(fd);
}

/* A pair whose maker died before it could mark it: no one else gives the gateway's MAC, and no mark. (A tap is
 * not kept before it is marked.) */
static bool is_half_made(const struct rtnl_link *link)
{
	struct mac gateway_mac;

	(void)mac_parse(PLAN_GATEWAY_MAC, &gateway_mac);
	return !*link->alias && !link->is_up && streq(link->kind, "veth") &&
	       memcmp(&link->mac, &gateway_mac, sizeof(gateway_mac)) == 0;
}

/* Looks for the node-side device. 0: there is none; 1: found, and it is ours; -EEXIST: it is someone else's.
 */
static int find_node_side(const struct port_env *env, const struct plan_port *port, struct rtnl_link *ret)
{
	struct port_mark mark;
	char name[IFNAMSIZ];
	int r;

	port_device_name(port, name);
	r = rtnl_link_get(env->rtnl, name, ret);
	if (r == -ENODEV)
		return 0;
	if (r < 0)
		return r;
	if (port_mark_parse(env->node, ret->alias, &mark) == 0)
		return mark.number == port->number ? 1 : -EEXIST;
	return port->kind != INSTANCE_TAP && is_half_made(ret) ? 1 : -EEXIST;
}

static int make_veth(const struct port_env *env, const struct plan_port *port, int netns_fd,
		     struct rtnl_link *ret)
{
	char name[IFNAMSIZ];
	struct rtnl_veth veth = {
		.name = name,
		.peer_name = port->device,
		.peer_mac = port->mac,
		.peer_netns_fd = netns_fd,
		.mtu = port->mtu,
	};
	int r;

	port_device_name(port, name);
	(void)mac_parse(PLAN_GATEWAY_MAC, &veth.mac);
	r = rtnl_veth_add(env->rtnl, &veth);
	return r < 0 ? r : rtnl_link_get(env->rtnl, name, ret);
}

/* The other end, if it is where and what it should be. -ENODEV: it is not. */
static int find_inside(struct rtnl *inside, const struct plan_port *port, const struct rtnl_link *node_side,
		       struct rtnl_link *ret)
{
	int r = rtnl_link_get(inside, port->device, ret);

	if (r < 0)
		return r;
	if (!streq(ret->kind, "veth") || ret->peer_ifindex != node_side->ifindex ||
	    node_side->peer_ifindex != ret->ifindex)
		return -ENODEV;
	return 0;
}

static int sync_veth(const struct port_env *env, const struct plan_port *port, int netns_fd,
		     struct rtnl *inside, struct rtnl_link *ret_node_side, struct rtnl_link *ret_inside)
{
	int r = find_node_side(env, port, ret_node_side);

	if (r < 0)
		return r;
	if (r > 0) {
		r = find_inside(inside, port, ret_node_side, ret_inside);
		if (r != -ENODEV)
			return r;
		/* Its other end was renamed or moved away: both ends are made again. */
		r = rtnl_link_remove(env->rtnl, ret_node_side->ifindex);
		if (r < 0)
			return r;
	}
	r = make_veth(env, port, netns_fd, ret_node_side);
	return r < 0 ? r : find_inside(inside, port, ret_node_side, ret_inside);
}

/* Mark, MAC, MTU; still down if it was down. */
static int configure_node_side(const struct port_env *env, const struct plan_port *port,
			       const struct rtnl_link *link)
{
	struct port_mark mark = {.number = port->number, .kind = port->kind};
	struct rtnl_change change = {};
	char alias[RTNL_ALIAS_SIZE];
	struct mac mac;

	(void)mac_parse(PLAN_GATEWAY_MAC, &mac);
	(void)str_copy(mark.instance, sizeof(mark.instance), port->instance);
	port_mark_format(env->node, &mark, alias);
	if (!streq(link->alias, alias)) {
		change.alias = alias;
		change.no_address_generation = true;
	}
	if (memcmp(&link->mac, &mac, sizeof(mac)) != 0)
		change.mac = &mac;
	if (link->mtu != port->mtu)
		change.mtu = port->mtu;
	if (!change.alias && !change.mac && !change.mtu)
		return 0;
	return rtnl_link_change(env->rtnl, link->ifindex, &change);
}

/* The tap stays only when it carries its mark. */
static int make_tap(const struct port_env *env, const struct plan_port *port, struct rtnl_link *ret)
{
	_cleanup_(closep) int fd = -EBADF;
	char name[IFNAMSIZ];
	int r;

	port_device_name(port, name);
	fd = tap_add(name);
	if (fd < 0)
		return fd;
	r = rtnl_link_get(env->rtnl, name, ret);
	if (r == 0)
		r = configure_node_side(env, port, ret);
	if (r == 0)
		r = tap_keep(fd);
	return r < 0 ? r : rtnl_link_get(env->rtnl, name, ret);
}

static int sync_tap(const struct port_env *env, const struct plan_port *port, struct rtnl_link *ret)
{
	int r = find_node_side(env, port, ret);

	return r == 0 ? make_tap(env, port, ret) : MIN(r, 0);
}

static int set_node_side(const struct port_env *env, const struct rtnl_link *link, bool up)
{
	struct rtnl_change change = {.set_up = up, .set_down = !up};

	return link->is_up == up ? 0 : rtnl_link_change(env->rtnl, link->ifindex, &change);
}

static int configure_inside(const struct plan_port *port, struct rtnl *inside, const struct rtnl_link *link)
{
	struct rtnl_change change = {
		.mac = memcmp(&link->mac, &port->mac, sizeof(port->mac)) != 0 ? &port->mac : NULL,
		.mtu = link->mtu != port->mtu ? port->mtu : 0,
		.set_up = !link->is_up,
		.no_address_generation = !link->is_up,
	};
	struct rtnl_default route = {.ifindex = link->ifindex, .gateway = port->gateway}, old;
	int r;

	if (change.mac || change.mtu || change.set_up) {
		r = rtnl_link_change(inside, link->ifindex, &change);
		if (r < 0)
			return r;
	}
	r = rtnl_addr_sync(inside, link->ifindex, &port->addr, port->prefix_length);
	if (r < 0 || netaddr_is_zero(&port->gateway))
		return r < 0 ? r : 0;

	r = rtnl_default_get(inside, &old);
	if (r < 0)
		return r;
	/* A namespace of someone else's keeps the default route that it has. */
	if (old.ifindex &&
	    (old.ifindex != link->ifindex || netaddr_compare(&old.gateway, &port->gateway) == 0))
		return 0;
	return rtnl_default_replace(inside, &route);
}

/* A device that cannot get its programs must not be up. */
static int attach(const struct port_env *env, const struct plan_port *port, const struct rtnl_link *link,
		  uint8_t delivery)
{
	int r = env->attach ? env->attach(env->attach_context, port->slot, link->ifindex, delivery) : 0;

	if (r < 0)
		(void)set_node_side(env, link, false);
	return r;
}

static int sync_tap_port(const struct port_env *env, const struct plan_port *port, uint32_t *ret_ifindex,
			 const char **ret_step)
{
	struct rtnl_link link;
	int r;

	*ret_step = "cannot make its tap device";
	r = sync_tap(env, port, &link);
	if (r < 0)
		return r;
	*ret_step = "cannot configure its tap device";
	r = configure_node_side(env, port, &link);
	if (r < 0)
		return r;
	*ret_step = "cannot attach the data path to its device";
	r = attach(env, port, &link, PL_PORT_TAP);
	if (r < 0)
		return r;
	*ret_ifindex = link.ifindex;
	*ret_step = "cannot switch its device on or off";
	return set_node_side(env, &link, port->up);
}

static int sync_veth_port(const struct port_env *env, const struct plan_port *port, int netns_fd,
			  struct rtnl *inside, uint32_t *ret_ifindex, const char **ret_step)
{
	struct rtnl_link node_side, inside_link;
	int r;

	*ret_step = "cannot make its devices";
	r = sync_veth(env, port, netns_fd, inside, &node_side, &inside_link);
	if (r < 0)
		return r;
	*ret_step = "cannot configure its device on the node";
	r = configure_node_side(env, port, &node_side);
	if (r < 0)
		return r;
	*ret_step = "cannot attach the data path to its device";
	r = attach(env, port, &node_side, PL_PORT_VETH);
	if (r < 0)
		return r;
	*ret_ifindex = node_side.ifindex;
	*ret_step = "cannot switch its device on or off";
	r = set_node_side(env, &node_side, port->up);
	if (r < 0)
		return r;
	/* The end inside goes up last: then it finds its carrier there and sends at once. In the other order
	 * it would be told by a queue of the kernel's that may rest for a second, and drop what it is given
	 * until then. Asking for the device makes newer kernels work that queue off, for an instance that was
	 * stopped. */
	*ret_step = "cannot configure its device in the namespace";
	r = configure_inside(port, inside, &inside_link);
	if (r == 0 && port->up && inside_link.is_up)
		r = rtnl_link_get(inside, port->device, &inside_link);
	return r;
}

/* Of a namespace of our own making: our mark, and a loopback that works. */
static int prepare_loopback(const struct port_env *env, struct rtnl *rtnl, const struct rtnl_link *loopback)
{
	char mark[RTNL_ALIAS_SIZE];
	struct rtnl_change change = {.alias = mark, .set_up = true};

	netns_mark_format(env->node, mark);
	if (loopback->is_up && streq(loopback->alias, mark))
		return 0;
	return rtnl_link_change(rtnl, loopback->ifindex, &change);
}

/* In a new namespace. */
static int prepare_netns(void *context)
{
	struct rtnl_link loopback;
	struct rtnl *rtnl;
	int r = get_loopback(-1, &rtnl, &loopback);

	if (r < 0)
		return r;
	r = prepare_loopback(context, rtnl, &loopback);
	rtnl_free(rtnl);
	return r;
}

/* A namespace without our mark can still be ours: whoever works in there may have taken it off. Then our
 * device is in it. */
static bool has_our_device(const struct port_env *env, const struct plan_port *port, struct rtnl *inside)
{
	struct rtnl_link node_side, link;

	return find_node_side(env, port, &node_side) == 1 && find_inside(inside, port, &node_side, &link) == 0;
}

/* -EEXIST: a namespace of that name is someone else's. */
static int adopt_netns(const struct port_env *env, const struct plan_port *port, int netns_fd)
{
	char mark[RTNL_ALIAS_SIZE];
	struct rtnl_link loopback;
	struct rtnl *rtnl;
	int r;

	if (netns_is_same(netns_fd, env->own_netns_fd))
		return -EPERM;
	r = get_loopback(netns_fd, &rtnl, &loopback);
	if (r < 0)
		return r;
	netns_mark_format(env->node, mark);
	if (streq(loopback.alias, mark) || has_our_device(env, port, rtnl))
		r = prepare_loopback(env, rtnl, &loopback);
	else
		r = -EEXIST;
	rtnl_free(rtnl);
	return r;
}

static int open_or_make_netns(const struct port_env *env, const struct plan_port *port)
{
	_cleanup_(closep) int fd = netns_open(port->instance);
	int r;

	if (fd == -ENOENT || fd == -EINVAL || fd == -EACCES) {
		r = netns_add(port->instance, prepare_netns, (void *)env);
		if (r < 0)
			return r;
		fd = netns_open(port->instance);
	}
	if (fd < 0)
		return fd;
	r = adopt_netns(env, port, fd);
	return r < 0 ? r : TAKE_FD(fd);
}

int port_device_sync(const struct port_env *env, const struct plan_port *port, uint32_t *ret_ifindex,
		     const char **ret_step)
{
	_cleanup_(closep) int netns_fd = -EBADF;
	struct rtnl *inside;
	int r;

	if (port->kind == INSTANCE_TAP)
		return sync_tap_port(env, port, ret_ifindex, ret_step);

	if (port->kind == INSTANCE_ATTACHED) {
		*ret_step = "cannot open the namespace that it is attached to";
		netns_fd = open_foreign_netns(env, port);
	} else {
		*ret_step = "cannot make its namespace";
		netns_fd = open_or_make_netns(env, port);
	}
	if (netns_fd < 0)
		return netns_fd;
	r = rtnl_open(netns_fd, &inside);
	if (r < 0)
		return r;
	r = sync_veth_port(env, port, netns_fd, inside, ret_ifindex, ret_step);
	rtnl_free(inside);
	return r;
}

/* 0: there is none. */
static int find_marked(const struct port_env *env, uint32_t number, uint32_t *ret_ifindex)
{
	_cleanup_(freep) struct rtnl_link *links = NULL;
	struct port_mark mark;
	size_t n;
	int r;

	*ret_ifindex = 0;
	r = rtnl_link_list(env->rtnl, &links, &n);
	for (size_t i = 0; r == 0 && i < n; i++)
		if (port_mark_parse(env->node, links[i].alias, &mark) == 0 && mark.number == number)
			*ret_ifindex = links[i].ifindex;
	return r;
}

int port_device_remove(const struct port_env *env, const struct port_mark *mark, uint32_t ifindex)
{
	int r = ifindex ? 0 : find_marked(env, mark->number, &ifindex), q;

	if (ifindex) {
		r = rtnl_link_remove(env->rtnl, ifindex);
		if (r == -ENODEV)
			r = 0;
	}
	if (mark->kind != INSTANCE_NETNS || !port_netns_is_marked(env, mark->instance))
		return r;
	q = netns_remove(mark->instance);
	return q < 0 && q != -ENOENT ? q : r;
}
