/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices and namespaces of the node's instances, made equal to the plan, and the agent's own: VPC 0's
 * namespace with the node's port.
 */
#pragma once

#include "../lib/breath.h"
#include "../plan/failures.h"
#include "netns_files.h"
#include "port_device.h"

struct ports;

struct ports_options {
	const char *node;	       /* kept: must stay valid */
	struct netns_files *files;     /* borrowed; NULL: none are written */
	struct port_programs programs; /* none: in tests */
	struct breath breath;	       /* is taken between two ports */
};

/* Looks up what is there already; changes nothing. */
int ports_new(const struct ports_options *options, struct ports **ret);
struct ports *ports_free(struct ports *ports);

/* VPC 0: makes its namespace and the node's port. The namespace stays the same one, also when someone takes
 * its name away. Logs. */
int ports_sync_node_port(struct ports *ports);
/* The node's port, as a row of the plan and with its device's ifindex in `row`. Borrowed. */
const struct plan_port *ports_node_port(const struct ports *ports);
/* The node's port is not there, or ports_look() found something about it: it is to be made again. */
bool ports_node_port_is_due(const struct ports *ports);
/* A descriptor for VPC 0's namespace. Borrowed; negative before ports_sync_node_port() was successful. */
int ports_node_netns(const struct ports *ports);

/* Makes what the plan wants. Ports that stand as they were last made are left alone, unless `full`: then all
 * are looked at. What fails goes into `failures` (key "instance/<id>"), again in each sync until a full one
 * or one after ports_retry() succeeds. 1: a device came or went, so that the plan has to be made again. */
int ports_sync(struct ports *ports, const struct plan *plan, bool full, struct failures *failures);
/* The same of the plan's ports of these numbers alone. 1 as above; -EAGAIN: one of them cannot be made, and a
 * sync of all is to say which. */
int ports_sync_some(struct ports *ports, const struct plan *plan, const uint32_t *numbers, size_t n);
/* Looks whether all stands as it was made; what does not is made again by the next sync (a device without its
 * programs is set down at once). Logs. 1: there is something to do. */
int ports_look(struct ports *ports);
/* The next sync tries again what failed. */
void ports_retry(struct ports *ports);
/* The last sync left ports for the next one, so as not to keep the loop for too long. */
bool ports_are_behind(const struct ports *ports);
/* Removes devices and namespaces of ours that the plan does not want. `full`: also namespaces that have lost
 * their device, and files that have lost their namespace. 1: some were removed. */
int ports_remove_others(struct ports *ports, const struct plan *plan, bool full);
/* The same of the ports of these numbers alone. */
int ports_remove_some(struct ports *ports, const struct plan *plan, const uint32_t *numbers, size_t n);
/* Removes all, the node's port and VPC 0 included. */
int ports_remove_all(struct ports *ports);
/* A link went away. True if it was a port's: the next ports_sync() makes it again. */
bool ports_forget_link(struct ports *ports, uint32_t ifindex);

/* For plan_input.ifindex: the node-side device of a port, 0: not there. */
uint32_t ports_ifindex(void *context, uint32_t port_number);
/* The devices of this node's ports that are there already. The array is the caller's. */
int ports_find_devices(const char *node, uint32_t **ret_ifindexes, size_t *ret_n);
