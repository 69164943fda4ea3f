/* SPDX-License-Identifier: Apache-2.0 */
/*
 * With what a row is told to nodes. Most rows are told with what they name in the reference that says so
 * (REF_TOLD in relations.h): a rule with its group, a group with its VPC. Followed to its end that leads to a
 * *share*: what nodes are told of as a whole, or not at all. Which nodes those are, told_nodes.h knows.
 */
#pragma once

#include "snapshot.h"

enum told_to {
	TOLD_NOBODY,
	TOLD_ALL,	/* all nodes */
	TOLD_NODE,	/* the node of that name alone */
	TOLD_VPC,	/* with a VPC: nodes that have something of it, or a service of it */
	TOLD_ENDPOINTS, /* with the endpoints of a VPC: nodes that have ports in it */
	TOLD_SERVICE,	/* with a service: nodes whose VPCs have an endpoint of it */
};

struct share {
	enum told_to to;
	char id[WORD_SIZE * 2]; /* of the VPC, service or node; else "" */
};

/* Their order: by `to`, then by id. */
int share_compare(const struct share *a, const struct share *b);
/* The share of a row of the snapshot. TOLD_NOBODY: of none (NULL), or of one that is never told, or whose way
 * to a share is broken. */
struct share share_of(const struct snapshot *rows, enum kind kind, const void *row);
/* Whether rows of the kind are told at all. */
bool share_has_kind(enum kind kind);

/* Calls for each row that is told with the row of that kind and id, which need not be there any more, and for
 * those that are told with them in turn; not for the row itself. Of a VPC without its endpoints, and of a
 * node nothing: these are other shares. The first result that is not 0 ends it and is returned. */
typedef int (*share_visit)(void *context, enum kind kind, const void *row);
int share_walk_below(const struct snapshot *rows, enum kind kind, const char *id, share_visit visit,
		     void *context);
/* The same for all rows of a share, its VPC and service included; what names a node is that node's. */
int share_walk(const struct snapshot *rows, const struct share *share, share_visit visit, void *context);

/* A row in such a walk: from the share down to it. All zero: before the first one. */
#define SHARE_DEPTH 3
struct share_place {
	struct share_step {
		enum kind kind;
		char id[KEY_SIZE];
	} steps[SHARE_DEPTH];
	size_t n;
};
/* The rest of that walk, behind the place, which is then that of the row that was visited last. Rows may have
 * come and gone since: whatever was there all the time is visited once. */
int share_walk_behind(const struct snapshot *rows, const struct share *share, struct share_place *place,
		      share_visit visit, void *context);
