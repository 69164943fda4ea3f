/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of a database file, for the sources that it is spread over: sqlite_open.c, sqlite_load.c and
 * sqlite_file.c.
 */
#pragma once

#include <sqlite3.h>

#include "sqlite_file.h"
#include "sqlite_place.h"

struct sqlite_file {
	sqlite3 *db;
	char identity[STORE_IDENTITY_SIZE];
	char backup_path[PATH_MAX + sizeof(".backup")];
	struct sqlite_place place;
	sqlite3_stmt *put, *delete, *present, *meta;
	uint64_t sum, batch_sum; /* of the rows, as of the last commit; and with the batch */
};

/* SQLite's result code as a negative errno; 0 for those that are none. */
int sqlite_handle_errno(int code);
int sqlite_handle_execute(struct sqlite_file *file, const char *sql);
/* One number from one row; -ENODATA: there is none. */
int sqlite_handle_number(struct sqlite_file *file, const char *sql, int64_t *ret);
/* A prepared statement that answers with no rows. */
int sqlite_handle_run(sqlite3_stmt *statement);

/* Inside a transaction: a new identity; the sums of what is there now. */
int sqlite_handle_mint(struct sqlite_file *file);
int sqlite_handle_rewrite_sums(struct sqlite_file *file);
