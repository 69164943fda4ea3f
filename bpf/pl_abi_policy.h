/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Security groups, as the data path and user space agree on them. Part of the configuration: it changes by
 * the rules of pl_abi.h.
 *
 * Who has groups names its *set* of them, at most ten (pl_sets); that is its policy, and what rules of others
 * know it by. Each group has one *list* of rules for each direction (pl_groups). A list is made of cells of
 * 64 bytes, one cache line each: one region of pl_cells, whose first cell is its head, and all places in it
 * count cells from there. A list of many rules is a chain of pieces of at most 256, all in its region.
 *
 * Rules stand in a piece by rank, and each is one bit of a *row*. What a packet asks is looked up in three
 * dimensions: by service, by address, and by the groups of the other side. Each is cut into intervals, in all
 * of which one row says which rules cover it; so the lowest bit of the rows' meet is the first rule that
 * matches. The intervals' ends are a tree of cells, 16 to each.
 */
#pragma once

#include <linux/types.h>

/* Default sizes of the maps. */
#define PL_CELLS_MAX  262144
#define PL_GROUPS_MAX 32768
#define PL_SETS_MAX   65536

#define PL_SET_GROUPS	  10
#define PL_PIECE_RULES	  256
#define PL_PIECE_WORDS	  (PL_PIECE_RULES / 64)
#define PL_LIST_PIECES	  8
#define PL_LIST_RULES_MAX (PL_PIECE_RULES * PL_LIST_PIECES) /* of a group, in one direction */
#define PL_CELL_ENDS	  16
#define PL_CELL_ROWS	  2

enum { PL_DIRECTION_IN = 0, PL_DIRECTION_OUT = 1 };

/* The lowest rank decides, and its last bit is the answer: 1 lets pass. A priority of 1 to 100 makes 2 to
 * 201, refusals before consents of the same priority; then members of a group among each other; then the
 * default. */
#define PL_RANK(priority, allow) ((priority)*2 + (allow))
#define PL_RANK_FIRST		 0 /* refuses, before any rule */
#define PL_RANK_INNER		 203
#define PL_RANK_REFUSE		 254
#define PL_RANK_ALLOW		 255

/* What a packet is for, as one number: protocol and destination port. Rules of what has no ports span all. */
#define PL_SERVICE(protocol, port) ((__u32)(protocol) << 16 | (__u32)(port))

/* The tree of a dimension's ends, from the root on: cells, counted from the piece's head. 0: there is no such
 * level. Then the rows. The last end of each level is the highest number there is, also in what is left of a
 * cell. */
struct pl_dimension {
	__u16 root, middles, leaves;
	__u16 rows; /* PL_CELL_ROWS to a cell */
};

struct pl_piece {
	struct pl_dimension by_service, by_address, by_group; /* addresses in host order, numbers of groups */
	__u64 named;	   /* pl_group_bit() of each group that a rule names instead of addresses */
	__u16 named_rules; /* cell: its first row has those rules */
	__u16 rule_groups; /* cells: what each rule names, a __u32 for each; 0: none */
	__u16 ranks;	   /* cells: the rank of each rule, a byte for each */
	__u16 next;	   /* the next piece's head, counted from this one; 0: none */
	__u16 cells;	   /* of the whole list; in its first piece */
	__u8 best_rank;	   /* no rule here has a lower one */
	__u8 pad[21];
};

struct pl_cell {
	union {
		struct pl_piece piece;
		__u32 end[PL_CELL_ENDS];
		__u64 row[PL_CELL_ROWS][PL_PIECE_WORDS];
		__u32 group[16];
		__u8 rank[64];
	};
};

/* pl_groups: array by the node's own number of a group, from 1 on. */
struct pl_group {
	__u32 list[2]; /* by direction: the head's cell; 0: no rule. Both are switched by one store. */
	char id[40];   /* whose number it is; empty: nobody's */
};

/* pl_sets: array by number, from 1 on. What stands there never changes while anyone names it. The row 0 is
 * zero: it refuses all, and is in no group. */
struct pl_set {
	__u32 group[PL_SET_GROUPS]; /* numbers, sorted; 0: no more */
	__u64 member;		    /* pl_group_bit() of each */
	__u8 silent[2]; /* by direction: the rank of the default, PL_RANK_REFUSE or PL_RANK_ALLOW */
	__u8 count;
	__u8 pad[13];
};

/* One of 64: a first look whether a set can have a group. */
static inline __u64 pl_group_bit(__u32 group)
{
	return 1ull << (group * 0x9e3779b1u >> 26);
}

_Static_assert(sizeof(struct pl_piece) == 64, "pl_piece");
_Static_assert(sizeof(struct pl_cell) == 64, "pl_cell");
_Static_assert(sizeof(struct pl_group) == 48, "pl_group");
_Static_assert(sizeof(struct pl_set) == 64, "pl_set");
