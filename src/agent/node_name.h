/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which node this is. The host's name is asked once, when nothing else says who the node is.
 */
#pragma once

#include "node_marks.h"
#include "node_state.h"

/* Cuts a host name down to a name for a node: no dots, at most PORT_NODE_NAME_MAX characters. -EINVAL:
 * nothing is left. */
int node_name_of_host(const char *host_name, char ret[PORT_NODE_NAME_MAX + 1]);

struct node_name_sources {
	const char *state_dir;		   /* for sentences */
	const char *given;		   /* --node; NULL: none */
	const struct node_state *recorded; /* node.json; NULL: there is none */
	const struct node_marks *marks;	   /* of devices here */
	const char *kept;		   /* the node of the kept rows; NULL: there are none */
	const char *host;		   /* the host's name */
};

/* The node's name; pure. -EEXIST: devices of another node are in the way; -EINVAL: the host's name is none
 * for a node. `ret_why`: then in a sentence what is wrong and what to do, else where the name is from. */
int node_name_decide(const struct node_name_sources *sources, char ret[PORT_NODE_NAME_MAX + 1], char *ret_why,
		     size_t why_size);
