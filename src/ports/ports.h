/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices and namespaces of the node's instances, made equal to the plan, and the agent's own: VPC 0's
 * namespace with the node's port. What takes time is done by a thread of its own, which these functions start
 * and wait for; they are all called by the loop's thread.
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
	struct breath breath;	       /* is taken between two ports, and while one is waited for */
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
/* The last sync left ports for the next one, so as not to keep the loop for too long. */
bool ports_are_behind(const struct ports *ports);
/* From now on a sync of all and a removal take less time, and queue what they have none for: they leave
 * nothing for the next one. */
void ports_queue_rest(struct ports *ports);

/* The same of the ports of these numbers alone, by and by: those that the plan wants, and that do not stand,
 * and those that it does not want any more are queued. Accounts take turns in it. -EAGAIN: one cannot be
 * made, and a sync of all is to say which; -ENOMEM. */
int ports_queue(struct ports *ports, const struct plan *plan, const uint32_t *numbers, size_t n);
/* Begins with what is next in the queue, unless a device is being worked on: makes it as the plan wants it by
 * now, or removes it (passes it over, unless it `removes`). -ENOMEM. */
int ports_go_on(struct ports *ports, const struct plan *plan, bool removes);
/* A device is being worked on. Who else asks the kernel for links, or for what is attached to them, waits
 * until that is over. */
bool ports_are_busy(const struct ports *ports);
/* It is (but for a look inside), or something is queued. */
bool ports_are_queued(const struct ports *ports);
/* Instances that still lack what the plan in force says of their devices since these are queued or being
 * worked on go into `failures` (key "instance/<id>"), which has none yet: those that have no device where
 * they should (also since someone has removed it, and it pauses), or one that is up and should be down, or
 * the other way round; and those that have one and should not: that waits in the queue, could not be removed,
 * or, unless the queue `removes`, may not be. What could not be made the last sync of all has told.
 * -ENOMEM. */
int ports_tell_queued(const struct ports *ports, const struct plan *plan, bool removes,
		      struct failures *failures);
/* Readable when a device has been worked on, and ports_take_done() is to be called. Borrowed. */
int ports_fd(const struct ports *ports);
/* Takes what has come of it, if that has not been done. 1: a device came, or is another one now, that of the
 * instance, or what had failed with it has been mended: what reads ports_ifindex(), or was told as a failure,
 * has to be planned again. Logs. Negative: one could not be made or removed, which a sync of all, or a
 * removal of all that is not wanted, has to say, or try again. */
int ports_take_done(struct ports *ports, char ret_instance[ID_SIZE]);

/* Looks whether the next PORTS_LOOK_MAX ports stand as they were made; what does not is made again by the
 * next sync (a device without its programs is set down at once). `ret_all`: those were the last ones, and it
 * begins anew. Not while a device is being worked on. Logs. 1: there is something to do. */
#define PORTS_LOOK_MAX 16 /* some 80 us each */
int ports_look(struct ports *ports, bool *ret_all);
/* Begins to look at the inside of the next port that stands, and behind the last one at none, then anew from
 * the first one on; what is not as it was made is made so. Not while there is something else to do. -ENOMEM.
 */
int ports_look_inside(struct ports *ports, const struct plan *plan);
/* The next sync tries again what failed. */
void ports_retry(struct ports *ports);
/* Removes devices and namespaces of ours that the plan does not want, but for those that are queued. `full`:
 * also namespaces that have lost their device, files that have lost their namespace, and devices that were
 * never finished. 1: some were removed. */
int ports_remove_others(struct ports *ports, const struct plan *plan, bool full);
/* Removes all, the node's port and VPC 0 included. */
int ports_remove_all(struct ports *ports);
/* Whose link it was. */
enum port_link { PORT_LINK_OTHER, PORT_LINK_INSTANCE, PORT_LINK_NODE };
/* A link went away. An instance's device ports_each_lost() tells of, the node's port is due. Not while a
 * device is being worked on: whose it is may not be known yet. */
enum port_link ports_forget_link(struct ports *ports, uint32_t ifindex);
/* Calls back with the number of each port whose device has gone, also while it was made, and which has not
 * been told yet, and of each whose pause is over (PORTS_PAUSE_MAX_MS in port_state.h): to be queued, where
 * nothing happens while it pauses. In how many milliseconds the next pause is over; 0: there is none. */
typedef void (*ports_lost)(void *context, uint32_t number);
uint64_t ports_each_lost(struct ports *ports, ports_lost call, void *context);

/* For plan_input.ifindex: the node-side device of a port, 0: not there. */
uint32_t ports_ifindex(void *context, uint32_t port_number);
/* The devices of this node's ports that are there already. The array is the caller's. */
int ports_find_devices(const char *node, uint32_t **ret_ifindexes, size_t *ret_n);
