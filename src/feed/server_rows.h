/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one poll of the feed is answered: rows and deletions, from the store and a node's scope.
 */
#pragma once

#include "../store/store.h"
#include "scope.h"

/* All rows of the scope. The caller's; NULL when out of memory. */
json_t *feed_rows_all(const struct store *store, const struct feed_scope *scope);
/* What changed after a revision. -EOVERFLOW: too long ago, tell all. */
int feed_rows_since(const struct store *store, const struct feed_scope *scope, uint64_t after, json_t **ret);
