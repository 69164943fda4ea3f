/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pl_sets: who has the same security groups names the same row. A row is written before anyone names it, and
 * never changes while anyone does; when nobody does any more it rests for a while before it becomes another
 * set, because a program may still be reading it. Who names what is looked up in the rows that are in force,
 * so that also a sync that broke off leaves nothing wrong.
 */
#pragma once

#include "../lib/util.h"
#include "bpf/pl_abi_policy.h"

#define SET_REST_MS 1000

struct set_table;

/* Of the map behind the descriptor, which stays the caller's. The sets that are there are read, and rest no
 * more. */
int set_table_new(int fd, struct set_table **ret);
struct set_table *set_table_free(struct set_table *table);

/* Nobody is known to name a set, until... */
void set_table_begin(struct set_table *table);
/* ...a row that is in force names this one. */
void set_table_keep(struct set_table *table, uint32_t number);
/* These were all. */
void set_table_settle(struct set_table *table);
/* Since then half of what was free has been taken: it is time to find out which sets nobody names any more.
 */
bool set_table_is_crowded(const struct set_table *table);
/* The number of the set, which is there from now on. -ENOSPC: all rows are in use, or rest. */
int set_table_take(struct set_table *table, const struct pl_set *set, uint32_t *ret);
/* Of a number that was kept or taken; borrowed. */
const struct pl_set *set_table_get(const struct set_table *table, uint32_t number);
/* Sets that someone names. */
uint32_t set_table_count(const struct set_table *table);
