/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of a table as bytes, key first, sorted by key; and the one walk over what is and what should be that
 * says what to add, to update and to delete.
 */
#pragma once

#include "../lib/breath.h"
#include "../lib/util.h"

struct rowset {
	size_t key_size, value_size;
	uint8_t *data;
	size_t n, size; /* rows, and rows there is room for */
};

/* An empty set of rows of these sizes, in bytes. */
struct rowset rowset_make(size_t key_size, size_t value_size);
/* Frees the rows. */
void rowset_done(struct rowset *set);
/* At the end, a copy; to be sorted before it is searched. -ENOMEM. */
int rowset_append(struct rowset *set, const void *key, const void *value);
/* By key; of rows with the same key one stays. */
void rowset_sort(struct rowset *set);
void rowset_sort_breathing(struct rowset *set, const struct breath *breath);
void rowset_clear(struct rowset *set);

/* Of row `i`; borrowed until the set changes. */
static inline const uint8_t *rowset_key(const struct rowset *set, size_t i)
{
	return set->data + i * (set->key_size + set->value_size);
}
static inline const uint8_t *rowset_value(const struct rowset *set, size_t i)
{
	return rowset_key(set, i) + set->key_size;
}
/* The value of a key, or NULL. */
const void *rowset_find(const struct rowset *set, const void *key);
/* Of a sorted set: the rows of another sorted one come to their places, or give those that are there their
 * values; rows with the other's keys go. Each row that stays is moved once. -ENOMEM. */
int rowset_put_all(struct rowset *set, const struct rowset *rows);
void rowset_remove_all(struct rowset *set, const struct rowset *keys);
/* Of a sorted set: the first row whose key does not begin before these bytes. */
size_t rowset_place(const struct rowset *set, const void *key, size_t size);

enum row_change { ROW_ADD, ROW_UPDATE, ROW_DELETE };
/* `value`: the wanted one; of a deleted row the old one. A negative result ends the walk. */
typedef int (*rowset_callback)(void *context, enum row_change change, const void *key, const void *value);
int rowset_diff(const struct rowset *is, const struct rowset *wanted, rowset_callback callback,
		void *context);
