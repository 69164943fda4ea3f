/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a node has to know of itself whatever becomes of its host's name, its devices and the daemon beside
 * it: <state-dir>/node.json. A value; reading and writing it is all that is here.
 */
#pragma once

#include "../ports/port_device.h"

#define NODE_STORE_SIZE	   33 /* a store's identity: 32 digits of base 16 */
#define NODE_TIMELINE_SIZE 17 /* the name of a part of its history: 16 of them */

struct node_state {
	char name[PORT_NODE_NAME_MAX + 1];
	char store[NODE_STORE_SIZE];	   /* whose rows are in force here; "": nobody's yet */
	uint64_t revision;		   /* the highest one of that store that was taken */
	char timeline[NODE_TIMELINE_SIZE]; /* under which name; "": it had none */
};

/* Whether it is a name that a node can have, and what such a name is. */
#define NODE_NAME_RULE "at most 30 letters, digits, '-' and '_', of which the first is a letter or a digit"
bool node_name_is_good(const char *name);
/* Whether it is a store's identity. */
bool node_store_is_good(const char *store);
/* Whether it is the name of a timeline. */
bool node_timeline_is_good(const char *timeline);

/* -ENOENT: there is no such file; -EUCLEAN: it is damaged; other errors are the file's. */
int node_state_load(const char *state_dir, struct node_state *ret);
/* Durable when it returns 0. Makes the directory if it is gone. */
int node_state_save(const char *state_dir, const struct node_state *state);
int node_state_remove(const char *state_dir);
