/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one poll of the feed is answered: rows and deletions, from the store and from who is told of what.
 */
#pragma once

#include "../store/store.h"

/* All rows of which the node is told. The caller's; NULL when out of memory. */
json_t *feed_rows_all(const struct store *store, const char *node);
/* What makes these of what they were at the revision `after`: rows that changed, and those of shares that
 * came or left. -EOVERFLOW: too long ago, tell all. */
int feed_rows_since(const struct store *store, const char *node, uint64_t after, json_t **ret);
/* Whether there is anything of that to tell: a change after `after` that concerns the node. */
bool feed_rows_concern(const struct store *store, const char *node, uint64_t after);
