/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A flat array of the data path that holds lists (pl_maglev: the table of a listener). A list is written into
 * a free region; its row is switched by whoever has it; then the old region rests for a while before it is
 * given out again, because a program may still be reading it.
 *
 * Lists with the same elements are one list: all listeners of a server group share its table.
 *
 * While more than a part of the array rests, a row leaves no list that it has not had for as long as lists
 * rest. So what rests is never more than that part and, once, all lists that had users at one time (besides
 * those of rows that are deleted), however often somebody's lists change.
 */
#pragma once

#include "../lib/breath.h"
#include "regions.h"

#define LIST_REST_MS   1000
#define LIST_REST_PART 8

struct list_table;

/* The descriptor stays the caller's. */
int list_table_new(int fd, struct list_table **ret);
struct list_table *list_table_free(struct list_table *table);

/* The array's descriptor. */
int list_table_fd(const struct list_table *table);

/* Takes over a list that a row of the kernel's tables has, and reads it. -EEXIST: it overlaps another one. */
int list_table_adopt(struct list_table *table, uint32_t first, uint32_t count);
/* Takes all users from all lists, and reads them anew, with a breath for each, for adopting them. A negative
 * errno value: the same is to be done once more. */
int list_table_reset(struct list_table *table, const struct breath *breath);
/* All rows have adopted theirs: what none has any more rests from now on. -ENOMEM: all is to be done once
 * more, from the reset on. */
int list_table_settle(struct list_table *table);

/* Of the list at `first`; borrowed until it is taken away. */
const void *list_table_elements(const struct list_table *table, uint32_t first);
/* Whether the list at `first` has just these elements. */
bool list_table_equals(const struct list_table *table, uint32_t first, const void *elements, uint32_t count);
/* Whether the kernel has the elements of the list at that place, if there is one that has users. */
bool list_table_stands(const struct list_table *table, uint32_t first, uint32_t count);
/* Calls with each list that has users. A negative result ends it. */
typedef int (*list_table_callback)(void *context, uint32_t first, uint32_t count);
int list_table_each(const struct list_table *table, list_table_callback call, void *context);
/* One user more for a list with these elements, which is written into a free region if there is none. An
 * empty list needs none: first is 0. -ENOSPC: the array is full. */
int list_table_take(struct list_table *table, const void *elements, uint32_t count, uint32_t *ret_first);
/* The list of a row that has the one at `old_first`: that one if it has just these elements, and no user
 * more; else another, taken. -EBUSY: it has had this one for too short a time, as long as much rests. */
int list_table_want(struct list_table *table, uint32_t old_first, uint32_t old_count, const void *elements,
		    uint32_t count, uint32_t *ret_first);
/* One user less. Without any, the list's region is free after a rest. */
int list_table_give(struct list_table *table, uint32_t first, uint32_t count);
/* The same of the row's old list, if it gets another one. */
int list_table_change(struct list_table *table, uint32_t old_first, uint32_t old_count, uint32_t first,
		      uint32_t count);
/* Elements that are not taken. */
uint32_t list_table_free_count(const struct list_table *table);
/* Lists that rest, or have until they were used again a moment ago. */
size_t list_table_rest_count(const struct list_table *table);
