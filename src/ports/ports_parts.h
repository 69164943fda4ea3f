/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What ports are made of, between the files that carry it out. Each of them calls those before it alone:
 * ports_queue.c (work on devices, the queue, what is told of it), ports_node.c (the node's port), ports.c
 * (syncs, looks and removals of all).
 */
#pragma once

#include "../lib/worker.h"
#include "port_job.h"
#include "port_state.h"
#include "port_turns.h"
#include "ports.h"

struct ports {
	struct port_env env;
	struct netns_files *files;
	struct breath breath;

	struct port_states states;
	struct worker *worker;
	struct port_job job; /* its own while it is busy, and so is `env`; else the last one */
	struct port_turns queue;

	struct plan_port node_port;
	int node_netns_fd; /* once it was there */
	uint32_t node_port_known_ifindex;
	bool is_node_port_due;

	uint32_t looked_number; /* up to that port all have been looked at; 0: none yet */
	uint32_t inside_number; /* the same of their insides */
	bool is_behind;		/* the last sync of all ran out of time */
	bool queues_rest;
};

/* ports_queue.c: begins to make or repair a port's device; nothing is being worked on. Until that is done the
 * port does not stand: who wants another thing of it meanwhile has it made again. -ENOMEM. */
int ports_begin_making(struct ports *ports, const struct plan_port *port);
/* ports_queue.c: begins to remove a port's devices; nothing is being worked on. From here on it counts as not
 * there: who wants it has it made again, when it has gone. */
void ports_begin_removal(struct ports *ports, struct port_state *state);
/* ports_queue.c: waits for what is being worked on, if something is, breathing, and notes what came of it. 1:
 * the device came, or is another one now; that it could not be made its state says. -ENOMEM; another negative
 * errno (logged): devices could not be removed. */
int ports_settle(struct ports *ports);
/* ports_queue.c: the port of that number, as the plan wants it; NULL: it wants none. */
const struct plan_port *ports_find_wanted(const struct plan *plan, uint32_t number);

/* ports_node.c: says in `node_port` what is wanted, for the node's name in `env`. */
void ports_fill_node_port(struct ports *ports);
/* ports_node.c: removes the node's port and VPC 0's namespace, while nothing is being worked on. Negative
 * errno: something of them stays. */
int ports_remove_node_port(struct ports *ports);
