/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of a database file, for the sources that it is spread over: sqlite_open.c, sqlite_load.c,
 * sqlite_timelines.c and sqlite_file.c.
 */
#pragma once

#include <sqlite3.h>

#include "sqlite_file.h"
#include "sqlite_path.h"

struct sqlite_timeline {
	char name[STORE_TIMELINE_SIZE];
	uint64_t begins; /* the revision that it goes on from; the one before it ends there */
};

struct sqlite_file {
	sqlite3 *db;
	char identity[STORE_IDENTITY_SIZE]; /* "": it is damaged */
	char backup_path[PATH_MAX + sizeof(".backup")];
	struct sqlite_path place;
	sqlite3_stmt *put, *delete, *present, *meta;
	struct sqlite_timeline *timelines; /* oldest first; one more place while one begins */
	size_t n_timelines, timelines_size;
	int64_t last_timeline;	 /* its id; they are consecutive */
	bool has_timeline;	 /* the last one is this opening's */
	uint64_t sum, batch_sum; /* of the rows, as of the last commit; and with the batch */
};

/* SQLite's result code as a negative errno; 0 for those that are none. */
int sqlite_handle_errno(int code);
int sqlite_handle_execute(struct sqlite_file *file, const char *sql);
/* One number from one row; -ENODATA: there is none. */
int sqlite_handle_number(struct sqlite_file *file, const char *sql, int64_t *ret);
/* A prepared statement that answers with no rows. */
int sqlite_handle_run(sqlite3_stmt *statement);

/* Inside a transaction: the version of what this program writes; a new identity; the sums of what is there
 * now. */
int sqlite_handle_mark_version(struct sqlite_file *file);
int sqlite_handle_mint(struct sqlite_file *file);
int sqlite_handle_rewrite_sums(struct sqlite_file *file);

/* Into the file's array, in place of what is there. -EUCLEAN: damaged (logged). */
int sqlite_handle_load_timelines(struct sqlite_file *file);
/* Inside a batch: a new one that goes on from the revision. It counts once it is kept, after the commit. */
int sqlite_handle_begin_timeline(struct sqlite_file *file, uint64_t revision);
void sqlite_handle_keep_timeline(struct sqlite_file *file);
/* As sqlite_file_begin(), without a timeline. */
int sqlite_handle_begin(struct sqlite_file *file);
