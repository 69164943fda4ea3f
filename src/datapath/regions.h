/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which parts of a flat array are taken: the allocator of pl_cells and pl_maglev. First fit; freed neighbours
 * join.
 */
#pragma once

#include "../lib/util.h"

struct regions;

/* Over the indexes 0 .. size - 1, all free. */
int regions_new(uint32_t size, struct regions **ret);
struct regions *regions_free(struct regions *regions);

/* Takes `count` (> 0) indexes in a row. -ENOSPC: there is no such room. */
int regions_take(struct regions *regions, uint32_t count, uint32_t *ret_first);
/* Takes exactly these (found in the kernel's tables). -EEXIST: they are not all free. */
int regions_claim(struct regions *regions, uint32_t first, uint32_t count);
/* Gives back what was taken or claimed. */
int regions_give(struct regions *regions, uint32_t first, uint32_t count);
uint32_t regions_free_count(const struct regions *regions);
