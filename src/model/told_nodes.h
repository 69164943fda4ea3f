/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which nodes are told of which share of the rows (told.h), kept as the rows change: a node is told of the
 * VPCs that have one of its ports, of the endpoints in them and the services of these, and of the VPCs of the
 * load balancers behind those services. A change costs what it moves: a port more in a VPC nothing, the first
 * one of a node as much as that VPC has endpoints and their services have VPCs behind them, however many
 * resources lead there.
 *
 * What came to a node or left it is known by revision, so that what was told at some revision can be made
 * into what is told now: what it has left until it has reported that revision (told_nodes_reached), the last
 * TOLD_NODES_LEFT_MAX shares of each node, whatever moves at others. The last TOLD_NODES_MOVES_MAX moves of
 * all nodes are remembered beside that, in their order.
 */
#pragma once

#include "told.h"

#define TOLD_NODES_MOVES_MAX 65536
#define TOLD_NODES_LEFT_MAX  65536 /* at least 2 */

struct told_nodes;

/* Knows of no rows. -ENOMEM. */
int told_nodes_new(struct told_nodes **ret);
struct told_nodes *told_nodes_free(struct told_nodes *told_nodes);
/* Forgets all. */
void told_nodes_clear(struct told_nodes *told_nodes);
/* Learns the rows as they are, at this revision; it has to be empty. -ENOMEM. */
int told_nodes_load(struct told_nodes *told_nodes, const struct snapshot *rows, uint64_t revision);

/* What a row says about who is told. A copy. */
struct told_nodes_fact {
	enum kind kind; /* KIND_COUNT_: nothing */
	char from[WORD_SIZE * 2], to[ID_SIZE];
};
/* Of a row; NULL: of none. */
struct told_nodes_fact told_nodes_fact(enum kind kind, const void *row);
/* A row has changed from one fact to another one, and the snapshot has it so already. -ENOMEM: clear and load
 * again. */
int told_nodes_change(struct told_nodes *told_nodes, const struct snapshot *rows,
		      const struct told_nodes_fact *before, const struct told_nodes_fact *after,
		      uint64_t revision);

/* Whether the node is told of the share. */
bool told_nodes_has(const struct told_nodes *told_nodes, const struct share *share, const char *node);
/* Whether the node is told of the share, and has been so only since a later revision than `since`. */
bool told_nodes_came(const struct told_nodes *told_nodes, const struct share *share, const char *node,
		     uint64_t since);
/* Whether a node that has put in force what it was told up to `since` may have something of the share: it is
 * told of it, or was so once after that; and where that is not known any more: from before the rows were
 * loaded, or of what it left before it left as many others as are remembered. */
bool told_nodes_concerns(const struct told_nodes *told_nodes, const struct share *share, const char *node,
			 uint64_t since);
/* The node has put in force what it was told up to the revision. */
void told_nodes_reached(struct told_nodes *told_nodes, const char *node, uint64_t revision);
/* Whether it is known what has come to the node or left it after the revision: not from before the rows were
 * loaded, nor from before it left something that is forgotten. */
bool told_nodes_knows(const struct told_nodes *told_nodes, const char *node, uint64_t after);
/* Whether anything has, or may have, as that is not known. */
bool told_nodes_has_moved(const struct told_nodes *told_nodes, const char *node, uint64_t after);
/* Calls for each share that has come to the node (NULL: to any) or left it after the revision: once, however
 * often that happened (NULL: once for each such node). As long as these moves are remembered that costs what
 * moved, at any node; then what the node is told of.
 * -EOVERFLOW: some of it is not known (NULL: not remembered). The first negative result ends it and is
 * returned. */
typedef int (*told_nodes_moved)(void *context, const struct share *share);
int told_nodes_moves(const struct told_nodes *told_nodes, const char *node, uint64_t after,
		     told_nodes_moved moved, void *context);
/* Goes through the shares that the node is told of because of its ports, and through those that it has left,
 * as far as they are known, in their order and from `first` on. `is_asked`: that it is told of it (`since`
 * 0); or that it has come to the node or left it after that revision. The first result that is not 0 ends it
 * and is returned. -EOVERFLOW as above. */
typedef int (*told_nodes_visit)(void *context, const struct share *share, bool is_asked);
int told_nodes_shares(const struct told_nodes *told_nodes, const char *node, uint64_t since,
		      const struct share *first, told_nodes_visit visit, void *context);
