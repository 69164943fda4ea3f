/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pl_groups and pl_cells: the rule lists of security groups. A changed list is built in a free region of
 * cells, then its group's row is switched to it by one store, and the old region rests for a while, because a
 * program may still be reading it.
 *
 * A list for which there are no cells leaves the one in force, so that others who fill the node take nobody's
 * rules away; a group that has none in force refuses all until there is room.
 */
#pragma once

#include "../policy/group_list.h"

#define GROUP_REST_MS 1000

struct group_table;

/* Of the maps behind the descriptors, which stay the caller's. */
int group_table_new(int groups_fd, int cells_fd, struct group_table **ret);
struct group_table *group_table_free(struct group_table *table);
/* Reads what is in force. What no row can mean is left out, and written anew when it is wanted. */
int group_table_load(struct group_table *table);

/* A sync: begin, want each group once, settle, switch, and at its end, if all went well, prune. */

/* Nobody is wanted so far. */
void group_table_begin(struct group_table *table);
/* Builds what has changed, and nothing is in force yet. `rules` and `n_rules` are by direction, settled.
 * -ENOSPC: there is no room for its rules; -E2BIG; -ENOMEM. */
int group_table_want(struct group_table *table, uint32_t number, const char *id, bool has_members,
		     struct group_rule *const rules[2], const size_t n_rules[2]);
/* After the last one. */
void group_table_settle(struct group_table *table);
/* Whether what the group has in force changes with the switch. */
bool group_table_changes(const struct group_table *table, uint32_t number);
/* Whether there was no room for its rules, when it was last wanted. */
bool group_table_is_left(const struct group_table *table, uint32_t number);
/* Puts in force what was built: of groups that have members, before rows that name them are written; with
 * `late` of those that have none any more, behind the rows, as who leaves such a group is in it until then.
 */
int group_table_switch(struct group_table *table, bool late);
/* Takes away the groups that nobody wanted. -ENOMEM. */
int group_table_prune(struct group_table *table);

/* A group by itself, between syncs: begin, want (unless it goes), switch, and prune at the end. Those that
 * nobody changes stay as they are. */
void group_table_begin_one(struct group_table *table, uint32_t number);
int group_table_switch_one(struct group_table *table, uint32_t number, bool late);
int group_table_prune_one(struct group_table *table, uint32_t number);
/* Whether the number was no group's, or another one's, and there are lists that were left in force: these may
 * name it, so that only a sync of all can give it out. */
bool group_table_is_doubtful(const struct group_table *table, uint32_t number);

/* Whether the group's row and cells are as they were put in force; 0: those of lists that refuse all. After a
 * sync, and not within one. */
bool group_table_stands(struct group_table *table, uint32_t number);
/* No group's number is as high. */
uint32_t group_table_end(const struct group_table *table);

/* Groups that are there. */
uint32_t group_table_count(const struct group_table *table);
/* Cells that nothing is in, nor rests. */
uint32_t group_table_free_count(const struct group_table *table);
