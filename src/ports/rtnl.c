/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests are built in the socket's own buffer and answered before the next one is built. A socket belongs
 * to the namespace that it was opened in, wherever the thread goes afterwards, so one is opened per namespace
 * that is worked on.
 *
 * While a list is read, others may change it (a machine with containers does all the time). The kernel says
 * so, and the list is read again.
 */
#include "rtnl.h"

#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <unistd.h>

#include "../lib/vec.h"
#include "netns.h"

#define DUMP_TRIES     10
#define MONITOR_BUFFER (4 << 20) /* for what a pass does to some hundred links */

struct rtnl {
	struct mnl_socket *socket;
	uint32_t port_id;
	uint32_t seq;
	char *buffer; /* a request, then its answer */
	size_t buffer_size;
};

static int open_here(struct mnl_socket **ret)
{
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	int r;

	if (!socket)
		return -errno;
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		r = -errno;
		(void)mnl_socket_close(socket);
		return r;
	}
	*ret = socket;
	return 0;
}

static int open_in(int netns_fd, struct mnl_socket **ret)
{
	int home_fd, r;

	if (netns_fd < 0)
		return open_here(ret);
	r = netns_enter(netns_fd, &home_fd);
	if (r < 0)
		return r;
	r = open_here(ret);
	netns_leave(home_fd);
	return r;
}

int rtnl_open(int netns_fd, struct rtnl **ret)
{
	struct rtnl *rtnl = calloc(1, sizeof(*rtnl));
	int r;

	if (!rtnl)
		return -ENOMEM;
	rtnl->buffer_size = 32768;
	rtnl->buffer = malloc(rtnl->buffer_size);
	r = rtnl->buffer ? open_in(netns_fd, &rtnl->socket) : -ENOMEM;
	if (r < 0) {
		rtnl_free(rtnl);
		return r;
	}
	rtnl->port_id = mnl_socket_get_portid(rtnl->socket);
	*ret = rtnl;
	return 0;
}

struct rtnl *rtnl_free(struct rtnl *rtnl)
{
	if (!rtnl)
		return NULL;
	if (rtnl->socket)
		(void)mnl_socket_close(rtnl->socket);
	free(rtnl->buffer);
	free(rtnl);
	return NULL;
}

static struct nlmsghdr *request(struct rtnl *rtnl, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(rtnl->buffer);

	message->nlmsg_type = type;
	message->nlmsg_flags = NLM_F_REQUEST | flags;
	message->nlmsg_seq = ++rtnl->seq;
	return message;
}

static struct ifinfomsg *link_request(struct rtnl *rtnl, uint16_t type, uint16_t flags, uint32_t ifindex,
				      struct nlmsghdr **ret)
{
	struct ifinfomsg *info;

	*ret = request(rtnl, type, flags);
	info = mnl_nlmsg_put_extra_header(*ret, sizeof(*info));
	info->ifi_family = AF_UNSPEC;
	info->ifi_index = (int)ifindex;
	return info;
}

/* Whether something changed while this part of a list was made. libmnl would stop reading there and leave the
 * rest in the socket, in front of all later answers, so the mark is taken off. */
static bool take_interruption(char *buffer, size_t size)
{
	struct nlmsghdr *message = (struct nlmsghdr *)buffer;
	bool is_interrupted = false;
	int left = (int)size;

	for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
		is_interrupted |= message->nlmsg_flags & NLM_F_DUMP_INTR;
		message->nlmsg_flags &= (uint16_t)~NLM_F_DUMP_INTR;
	}
	return is_interrupted;
}

/* Sends and reads answers until the last one. -EAGAIN: it is a list that changed meanwhile. What is left of
 * an earlier answer that broke off is skipped. */
static int talk(struct rtnl *rtnl, struct nlmsghdr *message, mnl_cb_t callback, void *context)
{
	uint32_t seq = message->nlmsg_seq;
	bool is_interrupted = false;
	ssize_t size;
	int r;

	if (mnl_socket_sendto(rtnl->socket, message, message->nlmsg_len) < 0)
		return -errno;
	do {
		size = mnl_socket_recvfrom(rtnl->socket, rtnl->buffer, rtnl->buffer_size);
		if (size < 0) {
			if (errno == EINTR) {
				r = MNL_CB_OK;
				continue;
			}
			return -errno;
		}
		if (((struct nlmsghdr *)rtnl->buffer)->nlmsg_seq != seq) {
			r = MNL_CB_OK;
			continue;
		}
		is_interrupted |= take_interruption(rtnl->buffer, (size_t)size);
		r = mnl_cb_run(rtnl->buffer, (size_t)size, seq, rtnl->port_id, callback, context);
	} while (r > MNL_CB_STOP);
	if (r < 0)
		return -errno;
	return is_interrupted ? -EAGAIN : 0;
}

/* Asks for a list until it comes in one piece. */
static int dump(struct rtnl *rtnl, int (*ask)(struct rtnl *rtnl, void *context), void *context)
{
	int r = -EAGAIN;

	for (int i = 0; i < DUMP_TRIES && r == -EAGAIN; i++)
		r = ask(rtnl, context);
	return r;
}

static int talk_ack(struct rtnl *rtnl, struct nlmsghdr *message)
{
	message->nlmsg_flags |= NLM_F_ACK;
	return talk(rtnl, message, NULL, NULL);
}

/* Links. */

struct link_walk {
	struct rtnl_link *links;
	size_t n, size;
	int r;
};

static int read_info_attr(const struct nlattr *attr, void *context)
{
	struct rtnl_link *link = context;

	if (mnl_attr_get_type(attr) == IFLA_INFO_KIND)
		(void)str_copy(link->kind, sizeof(link->kind), mnl_attr_get_str(attr));
	return MNL_CB_OK;
}

/* What keeps IPv4 from taking packets of a link: none is forwarded; one is taken only when the way back leads
 * through the link, and no route of the node's does; no broadcast frame has another address's packet in it;
 * no ARP is answered. */
static const struct {
	uint16_t id;
	uint32_t value;
} ipv4_shut[] = {
	{IPV4_DEVCONF_FORWARDING, 0},	    {IPV4_DEVCONF_BC_FORWARDING, 0},
	{IPV4_DEVCONF_RP_FILTER, 1},	    {IPV4_DEVCONF_ACCEPT_LOCAL, 0},
	{IPV4_DEVCONF_ROUTE_LOCALNET, 0},   {IPV4_DEVCONF_DROP_UNICAST_IN_L2_MULTICAST, 1},
	{IPV4_DEVCONF_ARP_IGNORE, 8},	    {IPV4_DEVCONF_PROXY_ARP, 0},
	{IPV4_DEVCONF_ACCEPT_REDIRECTS, 0},
};

/* The value of a setting in an array of all; `otherwise` where the kernel has none. */
static uint32_t setting(const struct nlattr *array, size_t index, uint32_t otherwise)
{
	const uint32_t *values = mnl_attr_get_payload(array);

	return index < mnl_attr_get_payload_len(array) / sizeof(*values) ? values[index] : otherwise;
}

static int read_inet_attr(const struct nlattr *attr, void *context)
{
	struct rtnl_link *link = context;

	if (mnl_attr_get_type(attr) != IFLA_INET_CONF)
		return MNL_CB_OK;
	for (size_t i = 0; i < ARRAY_SIZE(ipv4_shut); i++)
		if (setting(attr, ipv4_shut[i].id - 1U, ipv4_shut[i].value) != ipv4_shut[i].value)
			link->is_ipv4_shut = false;
	return MNL_CB_OK;
}

static int read_inet6_attr(const struct nlattr *attr, void *context)
{
	struct rtnl_link *link = context;

	if (mnl_attr_get_type(attr) == IFLA_INET6_CONF)
		link->is_ipv6_off = setting(attr, DEVCONF_DISABLE_IPV6, 1) != 0;
	return MNL_CB_OK;
}

static int read_family_attr(const struct nlattr *attr, void *context)
{
	switch (mnl_attr_get_type(attr)) {
	case AF_INET:
		return mnl_attr_parse_nested(attr, read_inet_attr, context);
	case AF_INET6:
		return mnl_attr_parse_nested(attr, read_inet6_attr, context);
	}
	return MNL_CB_OK;
}

static int read_link_attr(const struct nlattr *attr, void *context)
{
	struct rtnl_link *link = context;

	switch (mnl_attr_get_type(attr)) {
	case IFLA_IFNAME:
		(void)str_copy(link->name, sizeof(link->name), mnl_attr_get_str(attr));
		break;
	case IFLA_IFALIAS:
		(void)str_copy(link->alias, sizeof(link->alias), mnl_attr_get_str(attr));
		break;
	case IFLA_ADDRESS:
		if (mnl_attr_get_payload_len(attr) == sizeof(link->mac.bytes))
			memcpy(link->mac.bytes, mnl_attr_get_payload(attr), sizeof(link->mac.bytes));
		break;
	case IFLA_MTU:
		link->mtu = mnl_attr_get_u32(attr);
		break;
	case IFLA_LINK:
		link->peer_ifindex = mnl_attr_get_u32(attr);
		break;
	case IFLA_QDISC:
		(void)str_copy(link->qdisc, sizeof(link->qdisc), mnl_attr_get_str(attr));
		break;
	case IFLA_AF_SPEC:
		(void)mnl_attr_parse_nested(attr, read_family_attr, link);
		break;
	case IFLA_LINKINFO:
		(void)mnl_attr_parse_nested(attr, read_info_attr, link);
		break;
	}
	return MNL_CB_OK;
}

static void read_link(const struct nlmsghdr *message, struct rtnl_link *ret)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);

	memset(ret, 0, sizeof(*ret));
	ret->ifindex = (uint32_t)info->ifi_index;
	ret->is_up = info->ifi_flags & IFF_UP;
	ret->has_no_arp = info->ifi_flags & IFF_NOARP;
	ret->is_ipv4_shut = ret->is_ipv6_off = true;
	(void)mnl_attr_parse(message, sizeof(*info), read_link_attr, ret);
}

static int add_link(const struct nlmsghdr *message, void *context)
{
	struct link_walk *walk = context;

	if (message->nlmsg_type != RTM_NEWLINK)
		return MNL_CB_OK;
	if (VEC_ROOM(walk->links, walk->n, walk->size) < 0) {
		walk->r = -ENOMEM;
		return MNL_CB_OK; /* the rest of the answer still has to be read */
	}
	read_link(message, &walk->links[walk->n++]);
	return MNL_CB_OK;
}

static int ask_links(struct rtnl *rtnl, void *context)
{
	struct link_walk *walk = context;
	struct nlmsghdr *message;

	walk->n = 0;
	(void)link_request(rtnl, RTM_GETLINK, NLM_F_DUMP, 0, &message);
	mnl_attr_put_u32(message, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	return talk(rtnl, message, add_link, walk);
}

int rtnl_link_list(struct rtnl *rtnl, struct rtnl_link **ret, size_t *ret_n)
{
	struct link_walk walk = {};
	int r;

	r = dump(rtnl, ask_links, &walk);
	if (r == 0)
		r = walk.r;
	if (r < 0) {
		free(walk.links);
		return r;
	}
	*ret = walk.links;
	*ret_n = walk.n;
	return 0;
}

/* By its number, or by its name where that is 0. */
static int get_link(struct rtnl *rtnl, uint32_t ifindex, const char *name, struct rtnl_link *ret)
{
	struct link_walk walk = {};
	struct nlmsghdr *message;
	int r;

	(void)link_request(rtnl, RTM_GETLINK, 0, ifindex, &message);
	if (!ifindex)
		mnl_attr_put_strz(message, IFLA_IFNAME, name);
	mnl_attr_put_u32(message, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	/* With an acknowledgement, so that there is a last message to wait for. */
	message->nlmsg_flags |= NLM_F_ACK;
	r = talk(rtnl, message, add_link, &walk);
	if (r == 0 && walk.r < 0)
		r = walk.r;
	if (r == 0 && walk.n == 0)
		r = -ENODEV;
	if (r == 0)
		*ret = walk.links[0];
	free(walk.links);
	return r;
}

int rtnl_link_get(struct rtnl *rtnl, const char *name, struct rtnl_link *ret)
{
	return get_link(rtnl, 0, name, ret);
}

int rtnl_link_get_index(struct rtnl *rtnl, uint32_t ifindex, struct rtnl_link *ret)
{
	return ifindex ? get_link(rtnl, ifindex, NULL, ret) : -ENODEV;
}

static void put_mac(struct nlmsghdr *message, const struct mac *mac)
{
	mnl_attr_put(message, IFLA_ADDRESS, sizeof(mac->bytes), mac->bytes);
}

int rtnl_veth_add(struct rtnl *rtnl, const struct rtnl_veth *veth)
{
	struct nlattr *info, *data, *peer;
	struct nlmsghdr *message;

	(void)link_request(rtnl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0, &message);
	mnl_attr_put_strz(message, IFLA_IFNAME, veth->name);
	put_mac(message, &veth->mac);
	mnl_attr_put_u32(message, IFLA_MTU, veth->mtu);
	info = mnl_attr_nest_start(message, IFLA_LINKINFO);
	mnl_attr_put_strz(message, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(message, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(message, VETH_INFO_PEER);
	(void)mnl_nlmsg_put_extra_header(message, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(message, IFLA_IFNAME, veth->peer_name);
	put_mac(message, &veth->peer_mac);
	mnl_attr_put_u32(message, IFLA_MTU, veth->mtu);
	mnl_attr_put_u32(message, IFLA_NET_NS_FD, (uint32_t)veth->peer_netns_fd);
	mnl_attr_nest_end(message, peer);
	mnl_attr_nest_end(message, data);
	mnl_attr_nest_end(message, info);
	return talk_ack(rtnl, message);
}

static void put_no_address_generation(struct nlmsghdr *message)
{
	struct nlattr *families = mnl_attr_nest_start(message, IFLA_AF_SPEC);
	struct nlattr *inet6 = mnl_attr_nest_start(message, AF_INET6);

	mnl_attr_put_u8(message, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	mnl_attr_nest_end(message, inet6);
	mnl_attr_nest_end(message, families);
}

static int change_no_address_generation(struct rtnl *rtnl, uint32_t ifindex)
{
	struct nlmsghdr *message;
	int r;

	(void)link_request(rtnl, RTM_SETLINK, 0, ifindex, &message);
	put_no_address_generation(message);
	r = talk_ack(rtnl, message);
	/* A kernel without IPv6 makes no addresses either. */
	return r == -EAFNOSUPPORT || r == -EOPNOTSUPP ? 0 : r;
}

static void put_ipv4_shut(struct nlmsghdr *message)
{
	struct nlattr *families = mnl_attr_nest_start(message, IFLA_AF_SPEC);
	struct nlattr *inet = mnl_attr_nest_start(message, AF_INET);
	struct nlattr *settings = mnl_attr_nest_start(message, IFLA_INET_CONF);

	for (size_t i = 0; i < ARRAY_SIZE(ipv4_shut); i++)
		mnl_attr_put_u32(message, ipv4_shut[i].id, ipv4_shut[i].value);
	mnl_attr_nest_end(message, settings);
	mnl_attr_nest_end(message, inet);
	mnl_attr_nest_end(message, families);
}

int rtnl_link_change(struct rtnl *rtnl, uint32_t ifindex, const struct rtnl_change *change)
{
	struct nlmsghdr *message;
	struct ifinfomsg *info;
	int r;

	if (change->no_address_generation) {
		r = change_no_address_generation(rtnl, ifindex);
		if (r < 0)
			return r;
	}

	info = link_request(rtnl, RTM_SETLINK, 0, ifindex, &message);
	if (change->set_up || change->set_down) {
		info->ifi_flags = change->set_up ? IFF_UP : 0;
		info->ifi_change = IFF_UP;
	}
	if (change->set_no_arp) {
		info->ifi_flags |= IFF_NOARP;
		info->ifi_change |= IFF_NOARP;
	}
	if (change->name)
		mnl_attr_put_strz(message, IFLA_IFNAME, change->name);
	if (change->shut_ipv4)
		put_ipv4_shut(message);
	if (change->mac)
		put_mac(message, change->mac);
	if (change->mtu)
		mnl_attr_put_u32(message, IFLA_MTU, change->mtu);
	if (change->alias)
		mnl_attr_put(message, IFLA_IFALIAS, strlen(change->alias), change->alias);
	return talk_ack(rtnl, message);
}

int rtnl_link_remove(struct rtnl *rtnl, uint32_t ifindex)
{
	struct nlmsghdr *message;

	(void)link_request(rtnl, RTM_DELLINK, 0, ifindex, &message);
	return talk_ack(rtnl, message);
}

int rtnl_link_blackhole(struct rtnl *rtnl, uint32_t ifindex)
{
	struct nlmsghdr *message = request(rtnl, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE);
	struct tcmsg *info = mnl_nlmsg_put_extra_header(message, sizeof(*info));

	info->tcm_family = AF_UNSPEC;
	info->tcm_ifindex = (int)ifindex;
	info->tcm_parent = TC_H_ROOT;
	mnl_attr_put_strz(message, TCA_KIND, RTNL_BLACKHOLE);
	return talk_ack(rtnl, message);
}

/* Addresses. */

struct addr_entry {
	uint32_t addr_be;
	uint8_t prefix_length;
};

#define ADDRS_MAX 64 /* of one link; more than any sane one has */

struct addr_walk {
	uint32_t ifindex;
	struct addr_entry entries[ADDRS_MAX];
	size_t n;
};

static int read_addr_attr(const struct nlattr *attr, void *context)
{
	struct addr_entry *entry = context;

	if (mnl_attr_get_type(attr) == IFA_LOCAL && mnl_attr_get_payload_len(attr) == sizeof(entry->addr_be))
		entry->addr_be = mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

static int add_addr(const struct nlmsghdr *message, void *context)
{
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(message);
	struct addr_walk *walk = context;

	if (message->nlmsg_type != RTM_NEWADDR || info->ifa_family != AF_INET ||
	    info->ifa_index != walk->ifindex || walk->n == ADDRS_MAX)
		return MNL_CB_OK;
	walk->entries[walk->n].prefix_length = info->ifa_prefixlen;
	(void)mnl_attr_parse(message, sizeof(*info), read_addr_attr, &walk->entries[walk->n]);
	walk->n++;
	return MNL_CB_OK;
}

static int ask_addrs(struct rtnl *rtnl, void *context)
{
	struct nlmsghdr *message = request(rtnl, RTM_GETADDR, NLM_F_DUMP);
	struct ifaddrmsg *info = mnl_nlmsg_put_extra_header(message, sizeof(*info));
	struct addr_walk *walk = context;

	info->ifa_family = AF_INET;
	memset(walk->entries, 0, sizeof(walk->entries));
	walk->n = 0;
	return talk(rtnl, message, add_addr, walk);
}

static int addr_request(struct rtnl *rtnl, uint16_t type, uint16_t flags, uint32_t ifindex,
			const struct addr_entry *entry)
{
	struct nlmsghdr *message = request(rtnl, type, flags);
	struct ifaddrmsg *info = mnl_nlmsg_put_extra_header(message, sizeof(*info));

	info->ifa_family = AF_INET;
	info->ifa_prefixlen = entry->prefix_length;
	info->ifa_index = ifindex;
	mnl_attr_put_u32(message, IFA_LOCAL, entry->addr_be);
	mnl_attr_put_u32(message, IFA_ADDRESS, entry->addr_be);
	return talk_ack(rtnl, message);
}

int rtnl_addr_sync(struct rtnl *rtnl, uint32_t ifindex, const struct netaddr *addr, uint8_t prefix_length)
{
	struct addr_entry wanted = {.addr_be = htonl(netaddr_to_v4(addr)), .prefix_length = prefix_length};
	struct addr_walk walk = {.ifindex = ifindex};
	bool is_there = false;
	int r, changed = 0;

	r = dump(rtnl, ask_addrs, &walk);
	if (r < 0)
		return r;

	for (size_t i = 0; i < walk.n; i++) {
		if (walk.entries[i].addr_be == wanted.addr_be &&
		    walk.entries[i].prefix_length == wanted.prefix_length) {
			is_there = true;
			continue;
		}
		r = addr_request(rtnl, RTM_DELADDR, 0, ifindex, &walk.entries[i]);
		if (r < 0 && r != -EADDRNOTAVAIL)
			return r;
		changed = 1;
	}
	if (is_there)
		return changed;
	r = addr_request(rtnl, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, ifindex, &wanted);
	return r < 0 ? r : 1;
}

/* Routes. */

struct route_attrs {
	uint32_t ifindex, gateway_be, table;
};

static int read_route_attr(const struct nlattr *attr, void *context)
{
	struct route_attrs *attrs = context;

	if (mnl_attr_get_payload_len(attr) != sizeof(uint32_t))
		return MNL_CB_OK;
	switch (mnl_attr_get_type(attr)) {
	case RTA_OIF:
		attrs->ifindex = mnl_attr_get_u32(attr);
		break;
	case RTA_GATEWAY:
		attrs->gateway_be = mnl_attr_get_u32(attr);
		break;
	case RTA_TABLE:
		attrs->table = mnl_attr_get_u32(attr);
		break;
	}
	return MNL_CB_OK;
}

static int take_default(const struct nlmsghdr *message, void *context)
{
	const struct rtmsg *info = mnl_nlmsg_get_payload(message);
	struct rtnl_default *route = context;
	struct route_attrs attrs = {};

	if (message->nlmsg_type != RTM_NEWROUTE || info->rtm_family != AF_INET || info->rtm_dst_len != 0 ||
	    info->rtm_type != RTN_UNICAST || route->ifindex)
		return MNL_CB_OK;
	(void)mnl_attr_parse(message, sizeof(*info), read_route_attr, &attrs);
	if (attrs.table != RT_TABLE_MAIN)
		return MNL_CB_OK;
	route->ifindex = attrs.ifindex;
	route->gateway = netaddr_v4(ntohl(attrs.gateway_be));
	return MNL_CB_OK;
}

static int ask_default(struct rtnl *rtnl, void *context)
{
	struct nlmsghdr *message = request(rtnl, RTM_GETROUTE, NLM_F_DUMP);
	struct rtmsg *info = mnl_nlmsg_put_extra_header(message, sizeof(*info));
	struct rtnl_default *route = context;

	info->rtm_family = AF_INET;
	*route = (struct rtnl_default){};
	return talk(rtnl, message, take_default, route);
}

int rtnl_default_get(struct rtnl *rtnl, struct rtnl_default *ret)
{
	struct rtnl_default route = {};
	int r;

	r = dump(rtnl, ask_default, &route);
	if (r < 0)
		return r;
	*ret = route;
	return 0;
}

int rtnl_default_replace(struct rtnl *rtnl, const struct rtnl_default *route)
{
	struct nlmsghdr *message = request(rtnl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE);
	struct rtmsg *info = mnl_nlmsg_put_extra_header(message, sizeof(*info));

	info->rtm_family = AF_INET;
	info->rtm_table = RT_TABLE_MAIN;
	info->rtm_protocol = RTPROT_STATIC;
	info->rtm_scope = RT_SCOPE_UNIVERSE;
	info->rtm_type = RTN_UNICAST;
	mnl_attr_put_u32(message, RTA_GATEWAY, htonl(netaddr_to_v4(&route->gateway)));
	mnl_attr_put_u32(message, RTA_OIF, route->ifindex);
	return talk_ack(rtnl, message);
}

/* Events. */

int rtnl_monitor_open(void)
{
	struct sockaddr_nl addr = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
	_cleanup_(closep) int fd = -EBADF;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &(int){MONITOR_BUFFER}, sizeof(int));
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return -errno;
	return TAKE_FD(fd);
}

int rtnl_monitor_drain(int fd, rtnl_gone gone, void *context)
{
	char buffer[16384] __attribute__((aligned(NLMSG_ALIGNTO)));
	int lost = 0;

	for (;;) {
		ssize_t size = recv(fd, buffer, sizeof(buffer), 0);
		const struct nlmsghdr *message = (const struct nlmsghdr *)buffer;
		int left = (int)size;

		if (size < 0 && errno == ENOBUFS) {
			lost = 1;
			continue;
		}
		if (size <= 0)
			return lost;
		for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
			const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);

			/* A bridge says the same of its own ports, in its own family. */
			if (message->nlmsg_type == RTM_DELLINK && info->ifi_family == AF_UNSPEC)
				gone(context, (uint32_t)info->ifi_index);
		}
	}
}

bool rtnl_monitor_has_lost(int fd)
{
	socklen_t size = sizeof(int);
	int error = 0;

	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == ENOBUFS;
}
