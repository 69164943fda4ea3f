/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Marks are kept in the kernel's objects themselves and not in a file beside them: a node-side device says in
 * its alias whose it is, a namespace in the alias of its loopback. So there is nothing that could disagree
 * after a crash or a reboot.
 *
 * The order matters: a device gets the data path's programs while it is still down, because a device that is
 * up without them would hand a tenant's frames to the node's own stack.
 *
 * Programs can be lost by accident all the same, so the device is made such that the node's stack has no use
 * for what comes from there. Its MAC is not the gateway's but one that no instance ever hears, so that all
 * they send is another host's to the stack; it has no ARP, no IPv6, and an IPv4 that takes nothing without a
 * route back through it. What the node itself sends into a veth falls into a qdisc that drops. (A tap's
 * machine is sent to through the device, so a tap has only its guard.)
 */
#include "port_device.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#include "../lib/process.h"
#include "netns.h"
#include "tap.h"

#define MARK "privlink"
#define NAME_IS_TAKEN                                                                                        \
	"a device that is not privlink's has the name of its device on the node, rename or remove it"

/* Node-side MACs: two bytes that say whose they are, then random ones. */
static const uint8_t mac_prefix[2] = {0xee, 0xfe};

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

bool port_mark_is_of_other(const char *node, const char *alias)
{
	struct port_mark mark;

	return str_starts(alias, MARK "/") && port_mark_parse(node, alias, &mark) < 0;
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

/* Whose namespace is the node's own, but for the moments in which it opens a socket in VPC 0's. */
static bool is_of_this_process(const char *path)
{
	int pid;

	return str_starts(path, "/proc/self/") || (sscanf(path, "/proc/%d/", &pid) == 1 && pid == getpid());
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
	if (is_of_this_process(port->path))
		return -EPERM;
	if (port->process_start && sscanf(port->path, "/proc/%d/", &pid) == 1) {
		r = process_start(pid, &start);
		if (r < 0)
			return r;
		if (start != (uint64_t)port->process_start)
			return -ESRCH;
	}
	return netns_is_same(fd, env->own_netns_fd) ? -EPERM : TAKE_FD(fd);
}

static bool is_node_side_mac(const struct mac *mac)
{
	return memcmp(mac->bytes, mac_prefix, sizeof(mac_prefix)) == 0;
}

static int make_node_side_mac(struct mac *ret)
{
	memcpy(ret->bytes, mac_prefix, sizeof(mac_prefix));
	return getrandom(ret->bytes + sizeof(mac_prefix), sizeof(ret->bytes) - sizeof(mac_prefix), 0) < 0
		       ? -errno
		       : 0;
}

/* No one else gives such a MAC (devices of version 0.1 have the gateway's). */
static bool has_our_mac(const struct rtnl_link *link)
{
	struct mac gateway_mac;

	(void)mac_parse(PLAN_GATEWAY_MAC, &gateway_mac);
	return is_node_side_mac(&link->mac) || memcmp(&link->mac, &gateway_mac, sizeof(gateway_mac)) == 0;
}

/* Ours by its mark, or, where the mark is not there (its maker died before, or someone took it off), by its
 * MAC. */
static bool is_ours(const struct port_env *env, const struct plan_port *port, const struct rtnl_link *link)
{
	struct port_mark mark;

	if (!streq(link->kind, port->kind == INSTANCE_TAP ? "tun" : "veth"))
		return false;
	if (port_mark_parse(env->node, link->alias, &mark) == 0)
		return mark.number == port->number;
	return !str_starts(link->alias, MARK "/") && has_our_mac(link);
}

/* Looks for the node-side device: by its number, as far as that is known (someone may have renamed it), or
 * by its name. 0: there is none; 1: found, and it is ours; -EEXIST: someone else's has its name. */
static int find_node_side(const struct port_env *env, const struct plan_port *port, uint32_t ifindex,
			  struct rtnl_link *ret)
{
	char name[IFNAMSIZ];
	int r = rtnl_link_get_index(env->rtnl, ifindex, ret);

	if (r == 0 && is_ours(env, port, ret))
		return 1;
	port_device_name(port, name);
	r = rtnl_link_get(env->rtnl, name, ret);
	if (r < 0)
		return r == -ENODEV ? 0 : r;
	return is_ours(env, port, ret) ? 1 : -EEXIST;
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
	r = make_node_side_mac(&veth.mac);
	if (r == 0)
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

/* An end inside whose other one was moved to where it is not seen goes, and takes that one along. What else
 * has its name is someone else's: -EEXIST. */
static int clear_inside(struct rtnl *inside, const struct plan_port *port)
{
	struct rtnl_link link;
	int r = rtnl_link_get(inside, port->device, &link);

	if (r < 0)
		return r == -ENODEV ? 0 : r;
	if (!streq(link.kind, "veth") || memcmp(&link.mac, &port->mac, sizeof(port->mac)) != 0)
		return -EEXIST;
	return rtnl_link_remove(inside, link.ifindex);
}

static int sync_veth(const struct port_env *env, const struct plan_port *port, int netns_fd,
		     struct rtnl *inside, uint32_t ifindex, struct rtnl_link *ret_node_side,
		     struct rtnl_link *ret_inside, const char **ret_step)
{
	int r = find_node_side(env, port, ifindex, ret_node_side);

	if (r == -EEXIST)
		*ret_step = NAME_IS_TAKEN;
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
	r = clear_inside(inside, port);
	if (r == -EEXIST)
		*ret_step = "the namespace has a device of its device's name "
			    "already, attach it with another name";
	if (r < 0)
		return r;
	r = make_veth(env, port, netns_fd, ret_node_side);
	if (r < 0)
		return r;
	r = find_inside(inside, port, ret_node_side, ret_inside);
	/* Renamed or moved away already: what is left has no mark yet by which it would be found again. */
	if (r < 0)
		(void)rtnl_link_remove(env->rtnl, ret_node_side->ifindex);
	return r;
}

static int set_node_side(const struct port_env *env, const struct rtnl_link *link, bool up)
{
	struct rtnl_change change = {.set_up = up, .set_down = !up};

	return link->is_up == up ? 0 : rtnl_link_change(env->rtnl, link->ifindex, &change);
}

/* No message of netlink switches IPv6 off. Without IPv6 there is no such file; where the files cannot be
 * written, the rest has to do. */
static int switch_ipv6_off(const char *device)
{
	_cleanup_(closep) int fd = -EBADF;
	char path[128];
	int r = str_format(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6", device);

	if (r < 0)
		return r;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || errno == EROFS || errno == EACCES ? 0 : -errno;
	return write(fd, "1", 1) < 0 ? -errno : 0;
}

/* Kernels before 6.2 want the device to be down for that; so it is asked first whether the name is free, lest
 * what runs is set down for nothing. */
static int restore_name(const struct port_env *env, const struct plan_port *port,
			const struct rtnl_link *link)
{
	char name[IFNAMSIZ];
	struct rtnl_change change = {.name = name};
	struct rtnl_link taken;
	int r;

	port_device_name(port, name);
	if (streq(link->name, name))
		return 0;
	r = rtnl_link_get(env->rtnl, name, &taken);
	if (r != -ENODEV)
		return r < 0 ? r : -EEXIST;
	r = rtnl_link_change(env->rtnl, link->ifindex, &change);
	if (r != -EBUSY)
		return r;
	r = set_node_side(env, link, false);
	return r < 0 ? r : rtnl_link_change(env->rtnl, link->ifindex, &change);
}

static void alias_format(const struct port_env *env, const struct plan_port *port, char ret[RTNL_ALIAS_SIZE])
{
	struct port_mark mark = {.number = port->number, .kind = port->kind};

	(void)str_copy(mark.instance, sizeof(mark.instance), port->instance);
	port_mark_format(env->node, &mark, ret);
}

/* Whether the node's IP stack has no use for the device: see the head of this file. */
static bool is_sealed(const struct plan_port *port, const struct rtnl_link *link)
{
	return is_node_side_mac(&link->mac) && link->has_no_arp && link->is_ipv4_shut &&
	       (port->kind == INSTANCE_TAP || streq(link->qdisc, RTNL_BLACKHOLE));
}

static int seal(const struct port_env *env, const struct plan_port *port, const struct rtnl_link *link)
{
	struct rtnl_change change = {.set_no_arp = true, .shut_ipv4 = true, .no_address_generation = true};
	struct mac mac;
	int r;

	if (is_sealed(port, link) && link->is_ipv6_off)
		return 0;
	if (!is_node_side_mac(&link->mac)) {
		r = make_node_side_mac(&mac);
		if (r < 0)
			return r;
		change.mac = &mac;
	}
	r = rtnl_link_change(env->rtnl, link->ifindex, &change);
	if (r == 0 && !link->is_ipv6_off)
		r = switch_ipv6_off(link->name);
	if (r == 0 && port->kind != INSTANCE_TAP && !streq(link->qdisc, RTNL_BLACKHOLE))
		r = rtnl_link_blackhole(env->rtnl, link->ifindex);
	return r;
}

/* Name, mark, MTU, and what keeps the node's stack away; still down if it was down. */
static int configure_node_side(const struct port_env *env, const struct plan_port *port,
			       struct rtnl_link *link)
{
	struct rtnl_change change = {};
	char alias[RTNL_ALIAS_SIZE];
	int r = restore_name(env, port, link);

	alias_format(env, port, alias);
	if (!streq(link->alias, alias))
		change.alias = alias;
	if (link->mtu != port->mtu)
		change.mtu = port->mtu;
	if (r == 0 && (change.alias || change.mtu))
		r = rtnl_link_change(env->rtnl, link->ifindex, &change);
	if (r == 0)
		r = rtnl_link_get_index(env->rtnl, link->ifindex, link);
	return r < 0 ? r : seal(env, port, link);
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

static int sync_tap(const struct port_env *env, const struct plan_port *port, uint32_t ifindex,
		    struct rtnl_link *ret, const char **ret_step)
{
	int r = find_node_side(env, port, ifindex, ret);

	if (r == -EEXIST)
		*ret_step = NAME_IS_TAKEN;
	return r == 0 ? make_tap(env, port, ret) : MIN(r, 0);
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

static uint8_t delivery_of(const struct plan_port *port)
{
	return port->kind == INSTANCE_TAP ? PL_PORT_TAP : PL_PORT_VETH;
}

static enum port_check check_programs(const struct port_env *env, const struct plan_port *port,
				      uint32_t ifindex)
{
	const struct port_programs *programs = &env->programs;

	return programs->check ? programs->check(programs->context, port->slot, ifindex, delivery_of(port))
			       : PORT_FIRM;
}

/* A device without its programs must not be up. */
static int attach(const struct port_env *env, const struct plan_port *port, struct rtnl_link *link)
{
	const struct port_programs *programs = &env->programs;
	int r;

	if (!programs->attach)
		return 0;
	if (link->is_up && check_programs(env, port, link->ifindex) == PORT_BARE) {
		r = set_node_side(env, link, false);
		if (r < 0)
			return r;
		link->is_up = false;
	}
	r = programs->attach(programs->context, port->slot, link->ifindex, delivery_of(port));
	/* What runs goes on, whatever else of it could not be repaired. */
	if (r < 0 && check_programs(env, port, link->ifindex) == PORT_BARE)
		(void)set_node_side(env, link, false);
	return r;
}

static int sync_tap_port(const struct port_env *env, const struct plan_port *port, uint32_t known_ifindex,
			 uint32_t *ret_ifindex, const char **ret_step)
{
	struct rtnl_link link;
	int r;

	*ret_step = "cannot make its tap device";
	r = sync_tap(env, port, known_ifindex, &link, ret_step);
	if (r < 0)
		return r;
	*ret_step = "cannot configure its tap device";
	r = configure_node_side(env, port, &link);
	if (r == -EEXIST)
		*ret_step = NAME_IS_TAKEN;
	if (r < 0)
		return r;
	*ret_step = "cannot attach the data path to its device";
	r = attach(env, port, &link);
	if (r < 0)
		return r;
	*ret_ifindex = link.ifindex;
	*ret_step = "cannot switch its device on or off";
	return set_node_side(env, &link, port->up);
}

static int configure_veth(const struct port_env *env, const struct plan_port *port, struct rtnl *inside,
			  struct rtnl_link *node_side, struct rtnl_link *inside_link, uint32_t *ret_ifindex,
			  const char **ret_step)
{
	int r;

	*ret_step = "cannot configure its device on the node";
	r = configure_node_side(env, port, node_side);
	if (r == -EEXIST)
		*ret_step = NAME_IS_TAKEN;
	if (r < 0)
		return r;
	*ret_step = "cannot attach the data path to its device";
	r = attach(env, port, node_side);
	if (r < 0)
		return r;
	*ret_ifindex = node_side->ifindex;
	*ret_step = "cannot switch its device on or off";
	r = set_node_side(env, node_side, port->up);
	if (r < 0)
		return r;
	/* The end inside goes up last: then it finds its carrier there and sends at once. In the other order
	 * it would be told by a queue of the kernel's that may rest for a second, and drop what it is given
	 * until then. Asking for the device makes newer kernels work that queue off, for an instance that was
	 * stopped. */
	*ret_step = "cannot configure its device in the namespace";
	r = configure_inside(port, inside, inside_link);
	if (r == 0 && port->up && inside_link->is_up)
		r = rtnl_link_get(inside, port->device, inside_link);
	return r;
}

static int sync_veth_port(const struct port_env *env, const struct plan_port *port, int netns_fd,
			  struct rtnl *inside, uint32_t known_ifindex, uint32_t *ret_ifindex,
			  const char **ret_step)
{
	struct rtnl_link node_side, inside_link, now;
	int r;

	*ret_step = "cannot make its devices";
	r = sync_veth(env, port, netns_fd, inside, known_ifindex, &node_side, &inside_link, ret_step);
	if (r == -ENODEV)
		return -ENOLINK; /* one that was there, or has been made, just now */
	if (r < 0)
		return r;
	r = configure_veth(env, port, inside, &node_side, &inside_link, ret_ifindex, ret_step);
	if (r == 0 || rtnl_link_get_index(env->rtnl, node_side.ifindex, &now) != -ENODEV)
		return r;
	*ret_ifindex = 0;
	return -ENOLINK;
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

	return find_node_side(env, port, 0, &node_side) == 1 &&
	       find_inside(inside, port, &node_side, &link) == 0;
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

struct lost_netns {
	const struct port_env *env;
	const struct plan_port *port;
	struct rtnl_link node_side;
};

/* 1: the other end of the node-side device is in there. */
static int has_other_end(void *context, int netns_fd)
{
	const struct lost_netns *lost = context;
	struct rtnl_link link;
	struct rtnl *inside;
	int r;

	if (netns_is_same(netns_fd, lost->env->own_netns_fd) || rtnl_open(netns_fd, &inside) < 0)
		return 0;
	r = find_inside(inside, lost->port, &lost->node_side, &link);
	rtnl_free(inside);
	return r == 0;
}

/* A namespace whose name was taken away lives on while processes are in it. It gets its name again, so that
 * they keep their network. -ENOENT: there is none. */
static int restore_netns_name(const struct port_env *env, const struct plan_port *port, uint32_t ifindex)
{
	struct lost_netns lost = {.env = env, .port = port};
	_cleanup_(closep) int fd = -EBADF;

	if (find_node_side(env, port, ifindex, &lost.node_side) <= 0)
		return -ENOENT;
	fd = netns_find_process(has_other_end, &lost);
	return fd < 0 ? fd : netns_add_name(port->instance, fd);
}

static int open_or_make_netns(const struct port_env *env, const struct plan_port *port, uint32_t ifindex)
{
	_cleanup_(closep) int fd = netns_open(port->instance);
	int r;

	if (fd == -ENOENT && restore_netns_name(env, port, ifindex) == 0)
		fd = netns_open(port->instance);
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

/* Why the namespace that it is attached to could not be opened. With its namespace the device goes, too;
 * where that is still there, the namespace lives on under another name. */
static int explain_no_netns(const struct port_env *env, const struct plan_port *port, uint32_t ifindex, int r,
			    const char **ret_step)
{
	struct rtnl_link link;

	if (r == -EPERM)
		*ret_step = "its path is the node's own namespace";
	else if (find_node_side(env, port, ifindex, &link) > 0)
		*ret_step = "its namespace lives on, but is not at its path any more, attach it anew";
	else if (r == -ESRCH || (r == -ENOENT && str_starts(port->path, "/proc/")))
		*ret_step = "the process whose namespace it is attached to has ended";
	else if (r == -ENOENT)
		*ret_step = "there is no namespace at its path";
	else if (r == -EINVAL)
		*ret_step = "its path is no network namespace";
	else
		return r;
	return r == -EPERM || find_node_side(env, port, ifindex, &link) > 0 ? r : -ESRCH;
}

static int open_netns(const struct port_env *env, const struct plan_port *port, uint32_t ifindex,
		      const char **ret_step)
{
	int fd;

	if (port->kind == INSTANCE_ATTACHED) {
		*ret_step = "cannot open the namespace that it is attached to";
		fd = open_foreign_netns(env, port);
		return fd < 0 ? explain_no_netns(env, port, ifindex, fd, ret_step) : fd;
	}
	*ret_step = "cannot make its namespace";
	fd = open_or_make_netns(env, port, ifindex);
	if (fd == -EEXIST)
		*ret_step = "a namespace that is not privlink's has its name, rename or remove it";
	return fd;
}

static int sync_port(const struct port_env *env, const struct plan_port *port, uint32_t known_ifindex,
		     uint32_t *ret_ifindex, const char **ret_step)
{
	_cleanup_(closep) int netns_fd = -EBADF;
	struct rtnl_link node_side;
	struct rtnl *inside;
	int r;

	if (port->kind == INSTANCE_TAP)
		return sync_tap_port(env, port, known_ifindex, ret_ifindex, ret_step);
	/* Before anything is made that would be left over. */
	*ret_step = NAME_IS_TAKEN;
	r = find_node_side(env, port, known_ifindex, &node_side);
	if (r < 0)
		return r;
	netns_fd = open_netns(env, port, known_ifindex, ret_step);
	if (netns_fd < 0)
		return netns_fd;
	r = rtnl_open(netns_fd, &inside);
	if (r < 0)
		return r;
	r = sync_veth_port(env, port, netns_fd, inside, known_ifindex, ret_ifindex, ret_step);
	rtnl_free(inside);
	return r;
}

int port_device_sync(const struct port_env *env, const struct plan_port *port, uint32_t *ifindex,
		     const char **ret_step)
{
	uint32_t known_ifindex = *ifindex;
	struct rtnl_link link;
	int r;

	*ifindex = 0;
	r = sync_port(env, port, known_ifindex, ifindex, ret_step);
	if (r >= 0 || port->up)
		return r;
	/* To be stopped it need not be there, and what it lacks does not matter. */
	if (find_node_side(env, port, known_ifindex, &link) <= 0)
		return 0;
	*ret_step = "cannot switch its device off";
	return set_node_side(env, &link, false);
}

bool port_device_is_disturbed(const struct port_env *env, const struct plan_port *port,
			      const struct rtnl_link *link, const char **ret_what)
{
	enum port_check programs = check_programs(env, port, link->ifindex);
	char name[IFNAMSIZ], alias[RTNL_ALIAS_SIZE];

	port_device_name(port, name);
	alias_format(env, port, alias);
	if (programs == PORT_BARE) {
		(void)set_node_side(env, link, false);
		*ret_what = "a program was taken off";
	} else if (programs != PORT_FIRM) {
		*ret_what = "a pin or a filter was removed";
	} else if (link->is_up != port->up) {
		*ret_what = "switched on or off";
	} else if (!streq(link->name, name)) {
		*ret_what = "renamed";
	} else if (!streq(link->alias, alias)) {
		*ret_what = "its mark was taken off";
	} else if (link->mtu != port->mtu) {
		*ret_what = "another MTU";
	} else if (!is_sealed(port, link)) {
		*ret_what = "another MAC, a setting or its qdisc";
	} else {
		return false;
	}
	return true;
}

bool port_device_is_unfinished(const struct rtnl_link *link, uint32_t *ret_number)
{
	struct plan_port port = {.kind = INSTANCE_NETNS};
	char name[IFNAMSIZ];

	if (!streq(link->kind, "veth") || link->is_up || *link->alias || !is_node_side_mac(&link->mac) ||
	    sscanf(link->name, "pl%x", &port.number) != 1)
		return false;
	if (port.number == 0)
		port.number = PORT_SERVICE_NUMBER;
	port_device_name(&port, name);
	if (!streq(link->name, name))
		return false;
	*ret_number = port.number;
	return true;
}

static bool is_of_number(const struct port_env *env, const struct rtnl_link *link, uint32_t number)
{
	struct port_mark mark;
	uint32_t unfinished;

	if (port_mark_parse(env->node, link->alias, &mark) == 0)
		return mark.number == number;
	return port_device_is_unfinished(link, &unfinished) && unfinished == number;
}

/* 0: there is none. */
static int find_by_number(const struct port_env *env, uint32_t number, uint32_t *ret_ifindex)
{
	_cleanup_(freep) struct rtnl_link *links = NULL;
	size_t n;
	int r;

	*ret_ifindex = 0;
	r = rtnl_link_list(env->rtnl, &links, &n);
	for (size_t i = 0; r == 0 && i < n; i++)
		if (is_of_number(env, &links[i], number))
			*ret_ifindex = links[i].ifindex;
	return r;
}

int port_device_remove(const struct port_env *env, const struct port_mark *mark, uint32_t ifindex)
{
	int r = ifindex ? 0 : find_by_number(env, mark->number, &ifindex), q;

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
