/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which sets of security groups the rows of a slot name, so that who is in a group is found without a look
 * at all rows. It stands on the rows that are in force after a sync that went well.
 */
#pragma once

#include "../lib/util.h"
#include "bpf/pl_abi_policy.h"

struct slot_sets;

/* Of slots below `n`, which name none. -ENOMEM. */
int slot_sets_new(uint32_t n, struct slot_sets **ret);
struct slot_sets *slot_sets_free(struct slot_sets *sets);

/* All name none. */
void slot_sets_clear(struct slot_sets *sets);
/* A row of the slot names this one, besides what others of its rows name. It is borrowed, and stays what it
 * is until the slot is dropped. A slot of which nothing is kept (from `n` on) is left out. */
void slot_sets_add(struct slot_sets *sets, uint32_t slot, const struct pl_set *set);
/* The slot names none. */
void slot_sets_drop(struct slot_sets *sets, uint32_t slot);

/* Sets the bit of each slot that is in the group; 64 to a word, which are there for all slots. */
void slot_sets_mark(const struct slot_sets *sets, uint32_t group, uint64_t *bitmap);
