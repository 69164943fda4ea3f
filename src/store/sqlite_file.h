/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The database file: opened for one process alone, read whole, written in batches. Not a word about memory or
 * loops.
 */
#pragma once

#include "memory.h"
#include "txn.h"

struct sqlite_file;

/* Opens it; makes it if it is not there or empty, or says -ENODATA if `make` is false. What keeps it from
 * that is logged. A file that is opened and closed without a batch is left as it was, its log too. -EBUSY:
 * another process has it. -EPROTONOSUPPORT: of a newer version. -EUCLEAN: not ours, or damaged. */
int sqlite_file_open(const char *path, bool make, struct sqlite_file **ret);
struct sqlite_file *sqlite_file_close(struct sqlite_file *file);
/* As store_identity(). */
const char *sqlite_file_identity(const struct sqlite_file *file);
/* As store_timeline() and store_had(). */
const char *sqlite_file_timeline(const struct sqlite_file *file);
bool sqlite_file_had(const struct sqlite_file *file, const char *timeline, uint64_t revision);
/* Symbolic links followed. */
const char *sqlite_file_path(const struct sqlite_file *file);
/* What SQLite said about the last failure. Borrowed until the next call. */
const char *sqlite_file_error(const struct sqlite_file *file);

/* Reads all rows into the memory, which is empty. -EUCLEAN: rows are damaged, or missing; each is named in
 * the log. With `ret_damaged` goes on with those that can be read, and says whether any was damaged. */
int sqlite_file_load(struct sqlite_file *file, struct memory *memory, bool *ret_damaged);
/* A new identity, for the rows that the memory has; others go. Durable when it returns 0. */
int sqlite_file_renew(struct sqlite_file *file, const struct memory *memory);

/* One batch: begin, any number of writes, commit. The batch is on disk when commit returns 0. After any
 * failure the file is as before the batch; roll back is idempotent. The first one begins a timeline, which
 * goes on from `revision`, the last one that was written, and makes the file one of this version. */
/* -ESTALE: the files were removed or replaced since they were opened; what is written would go with them. */
int sqlite_file_begin(struct sqlite_file *file, uint64_t revision);
int sqlite_file_write(struct sqlite_file *file, const struct txn_change *changes, size_t n_changes,
		      uint64_t revision);
int sqlite_file_commit(struct sqlite_file *file, uint64_t revision);
void sqlite_file_rollback(struct sqlite_file *file);

/* As store_back_up(); not between begin and commit. */
int sqlite_file_back_up(struct sqlite_file *file, const char **ret_path);
