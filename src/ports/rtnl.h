/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Links, addresses and routes of one network namespace, over rtnetlink. Requests wait for the kernel's
 * answer; the kernel answers at once. Nothing here logs: errors are the kernel's, as negative errno.
 */
#pragma once

#include <net/if.h>

#include "../lib/netaddr.h"

#define RTNL_ALIAS_SIZE 256
#define RTNL_KIND_SIZE	16
#define RTNL_BLACKHOLE	"blackhole" /* rtnl_link.qdisc after rtnl_link_blackhole() */

struct rtnl;

/* A socket in the namespace `netns_fd` (negative: the caller's own). */
int rtnl_open(int netns_fd, struct rtnl **ret);
struct rtnl *rtnl_free(struct rtnl *rtnl);

struct rtnl_link {
	uint32_t ifindex;
	char name[IFNAMSIZ];
	char alias[RTNL_ALIAS_SIZE];
	char kind[RTNL_KIND_SIZE]; /* veth, tun, ... */
	struct mac mac;
	uint32_t mtu;
	uint32_t peer_ifindex;	    /* veth: the other end, in its own namespace */
	char qdisc[RTNL_KIND_SIZE]; /* its root */
	bool is_up;
	bool has_no_arp;   /* the node neither asks nor answers ARP there */
	bool is_ipv4_shut; /* as rtnl_change.shut_ipv4 makes it, or without IPv4 */
	bool is_ipv6_off;  /* by its switch, or without IPv6 */
};

/* -ENODEV: there is none of that name. */
int rtnl_link_get(struct rtnl *rtnl, const char *name, struct rtnl_link *ret);
int rtnl_link_get_index(struct rtnl *rtnl, uint32_t ifindex, struct rtnl_link *ret);
/* All links; the array is the caller's. */
int rtnl_link_list(struct rtnl *rtnl, struct rtnl_link **ret, size_t *ret_n);

/* One end of a new veth pair, and the other end, which is made in the namespace `peer_netns_fd`. Both are
 * down. */
struct rtnl_veth {
	const char *name;
	struct mac mac;
	const char *peer_name;
	struct mac peer_mac;
	int peer_netns_fd;
	uint32_t mtu;
};
int rtnl_veth_add(struct rtnl *rtnl, const struct rtnl_veth *veth);

/* What to change of a link; NULL and 0 leave it as it is. */
struct rtnl_change {
	const struct mac *mac;
	const char *alias;
	const char *name; /* some kernels want the link to be down for that */
	uint32_t mtu;
	bool set_up, set_down;
	bool set_no_arp;
	bool shut_ipv4; /* the node's IPv4 forwards and takes nothing from there that has to do with no route
			   through it */
	bool no_address_generation; /* no IPv6 addresses of the kernel's own making */
};
int rtnl_link_change(struct rtnl *rtnl, uint32_t ifindex, const struct rtnl_change *change);
int rtnl_link_remove(struct rtnl *rtnl, uint32_t ifindex);
/* Makes the link's root qdisc one that drops all that is sent. */
int rtnl_link_blackhole(struct rtnl *rtnl, uint32_t ifindex);

/* Makes the IPv4 address with this prefix length the only one of the link. 0: it was so already; 1: changed.
 */
int rtnl_addr_sync(struct rtnl *rtnl, uint32_t ifindex, const struct netaddr *addr, uint8_t prefix_length);

/* The IPv4 default route. ifindex 0: there is none. */
struct rtnl_default {
	uint32_t ifindex;
	struct netaddr gateway;
};
int rtnl_default_get(struct rtnl *rtnl, struct rtnl_default *ret);
int rtnl_default_replace(struct rtnl *rtnl, const struct rtnl_default *route);

/* A descriptor that becomes readable when a link of the caller's own namespace changed. rtnl_monitor_drain()
 * reads it empty and calls back with each link that went away. 1: messages were lost, as some thousands were
 * waiting. */
int rtnl_monitor_open(void);
typedef void (*rtnl_gone)(void *context, uint32_t ifindex);
int rtnl_monitor_drain(int fd, rtnl_gone gone, void *context);
/* Whether messages were lost; it is told once, here or there. */
bool rtnl_monitor_has_lost(int fd);
