/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One port's devices: its namespace, its veth pair or its tap, and what stands inside. Each call makes
 * reality equal to the wanted port, whatever is there already; it deletes nothing that does not carry our
 * mark.
 */
#pragma once

#include "../plan/plan.h"
#include "rtnl.h"

#define PORT_SERVICE_NUMBER UINT32_MAX
#define PORT_NODE_NAME_MAX  30 /* characters of a node's name, so that "privlink-<node>" fits an id */

/* What is known of the programs on a device. */
enum port_check {
	PORT_BARE,  /* one is not there, or something else comes before it */
	PORT_LOOSE, /* they run, but something is to be repaired */
	PORT_FIRM,
};

/* The data path's programs on a device. Each may be NULL: nothing is attached, asked or swept. They are
 * called by the thread that works on devices, or by the loop's while that has nothing to do (port_job.h). */
struct port_programs {
	/* Makes them right. */
	int (*attach)(void *context, uint32_t slot, uint32_t ifindex, uint8_t delivery);
	enum port_check (*check)(void *context, uint32_t slot, uint32_t ifindex, uint8_t delivery);
	/* Removes what is left of them behind a device that has gone. */
	int (*sweep)(void *context, uint32_t slot);
	void *context;
};

struct port_env {
	const char *node;
	struct rtnl *rtnl; /* of the node's own namespace */
	int own_netns_fd;
	struct port_programs programs;
};

/* The node-side device's name: "pl<number in hex>", "pl0" of the node's port, or a tap's own. */
void port_device_name(const struct plan_port *port, char ret[IFNAMSIZ]);

/* The mark of a node-side device, in its alias: whose it is and for whom. */
struct port_mark {
	uint32_t number;
	enum instance_kind kind;
	char instance[ID_SIZE];
};
void port_mark_format(const char *node, const struct port_mark *mark, char ret[RTNL_ALIAS_SIZE]);
/* -EINVAL: the alias is not a mark of this node. */
int port_mark_parse(const char *node, const char *alias, struct port_mark *ret);

/* The alias is a mark, but not of this node. */
bool port_mark_is_of_other(const char *node, const char *alias);

/* Makes or repairs the port's devices. `ifindex` is the node-side device's number as far as it is known (0:
 * it is not), and when it returns, as soon as that has its programs, also when a later step fails. `ret_step`
 * says what failed, in words. -ESRCH: the namespace that it is attached to has ended; -ENOLINK: someone has
 * removed the device meanwhile, which its owner may do at any time. */
int port_device_sync(const struct port_env *env, const struct plan_port *port, uint32_t *ifindex,
		     const char **ret_step);
/* Whether someone has changed the node-side device since port_device_sync() was successful, or what it runs;
 * `ret_what` says what, in words. A device without its programs is set down at once. `link` is what it is
 * like now. */
bool port_device_is_disturbed(const struct port_env *env, const struct plan_port *port,
			      const struct rtnl_link *link, const char **ret_what);
/* Whether the link is the node-side device of a pair whose maker died before it had its mark: it has the name
 * and the MAC of one, it is down, and nobody has given it an alias. */
bool port_device_is_unfinished(const struct rtnl_link *link, uint32_t *ret_number);
/* Removes the node-side device (0: the one with that mark, or unfinished, if there is one) and, for an
 * instance of our own making, the namespace's name. */
int port_device_remove(const struct port_env *env, const struct port_mark *mark, uint32_t ifindex);

/* Whether the namespace of that name carries the node's mark (on its loopback). */
bool port_netns_is_marked(const struct port_env *env, const char *name);
