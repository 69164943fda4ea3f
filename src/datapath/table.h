/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One map of the data path with a mirror of what is in it, so that only rows that differ are written. The
 * mirror is the kernel's own content, dumped in batches; after any error it is dumped again.
 */
#pragma once

#include "../lib/breath.h"
#include "rowset.h"

struct table {
	const char *name;
	int fd;
	bool is_array; /* a row is deleted by zeros */
	uint32_t max_entries;
	struct rowset mirror;
	const struct breath *breath; /* is taken between rows that are read or written; NULL: none */
};

/* The descriptor and the name stay the caller's. */
int table_init(struct table *table, const char *name, int fd);
void table_done(struct table *table);

/* Dumps the map into the mirror. */
int table_load(struct table *table);

/* Whether the kernel has what the mirror has for this key: that row, or none. */
bool table_row_stands(const struct table *table, const void *key);

/* Which rows of a plan a table takes when it cannot take all: those that are there already, and then others
 * as they come. Stands on the mirror. */
struct table_room {
	const struct rowset *mirror;
	size_t left; /* rows that may be added; SIZE_MAX: all fit */
};
/* `n` keys that are wanted, `stride` bytes from one to the next. */
struct table_room table_room_for(const struct table *table, const void *keys, size_t n, size_t stride);
/* Whether the row with this key gets room; each wanted key is asked for once. */
bool table_room_take(struct table_room *room, const void *key);

/* Called for each row that is about to change. */
typedef int (*table_watch)(void *context, enum row_change change, const void *key, const void *value);

/* Deletes what `wanted` (sorted) does not have, from table and mirror, when the table cannot hold the old
 * rows and the new ones side by side; else nothing. */
int table_make_room(struct table *table, const struct rowset *wanted, table_watch watch, void *context);
/* Adds and updates what `wanted` (sorted) has, but leaves the mirror as it was: table_prune() with the same
 * rows has to follow. `watch` may be NULL. */
int table_put(struct table *table, const struct rowset *wanted, table_watch watch, void *context);
/* Deletes what `wanted` does not have; the mirror then equals it. */
int table_prune(struct table *table, const struct rowset *wanted, table_watch watch, void *context);

/* Writes or deletes the rows of a sorted set, in the kernel, then in the mirror; after an error this may
 * differ. */
int table_put_rows(struct table *table, const struct rowset *rows);
int table_delete_rows(struct table *table, const struct rowset *keys);

/* Walks a map's rows in batches, without a mirror and in no order. A negative result ends the walk. */
typedef int (*table_row)(void *context, const void *key, const void *value);
int table_walk(int fd, table_row callback, void *context);

/* The same in pieces; all zero, it stands at the beginning. What lies behind it is seen no more. */
struct table_cursor {
	uint8_t position[64]; /* a bucket's number for hash maps, a key for arrays */
	uint8_t *keys, *values;
	uint32_t rows; /* that there is room for */
	bool is_begun;
};
/* The next rows, some thousand at most. 1: there may be more; 0: that was all. */
int table_walk_on(int fd, struct table_cursor *cursor, table_row callback, void *context);
/* Back to the beginning; frees what a walk that is not at its end holds. */
void table_cursor_done(struct table_cursor *cursor);
