/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shares in their order (share_compare), each once: of one that comes or goes a few are moved, however many
 * there are. The shares themselves are the caller's, and have to stay where they are.
 */
#pragma once

#include "told.h"

/* All zero: none. */
struct share_list {
	struct share_block **blocks; /* in their order; none is empty */
	size_t n_blocks, size;
};

/* One that is not there. -ENOMEM. */
int share_list_add(struct share_list *list, const struct share *share);
/* One that is there, by its address. */
void share_list_remove(struct share_list *list, const struct share *share);
/* Forgets all. */
void share_list_done(struct share_list *list);

/* A place in a list, good until that changes. */
struct share_cursor {
	size_t block, n;
};
/* Before the first one that is not before `first`. */
struct share_cursor share_list_from(const struct share_list *list, const struct share *first);
/* Goes behind the next one and returns it. NULL: there is none. */
const struct share *share_list_next(const struct share_list *list, struct share_cursor *cursor);
