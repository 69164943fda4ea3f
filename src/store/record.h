/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last durable revision of a store, kept outside its database. SQLite takes a log that was cut or damaged
 * for one that ends there, without a word; a database that stands below this record has lost something.
 *
 * A file of two slots of 512 bytes, written in turn and in place, each a line of text with a sum. It is
 * written after the database, and before anyone hears of the revision: so a crash leaves the record at the
 * database's revision or below, never above.
 */
#pragma once

#include "store.h"

struct record;

/* Opens the file, which may be empty. `lasts`: what is written outlives the machine; else only the process.
 * Negative errno. */
int record_open(const char *path, bool lasts, struct record **ret);
struct record *record_free(struct record *record);

/* -ENODATA: nothing was recorded yet, or it cannot be read any more. */
int record_read(const struct record *record, char ret_identity[STORE_IDENTITY_SIZE], uint64_t *ret_revision);
/* On disk when they return 0. Set forgets what was recorded before, also a higher revision. */
int record_write(struct record *record, const char *identity, uint64_t revision);
int record_set(struct record *record, const char *identity, uint64_t revision);
