/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store: keys and JSON documents, revisions, transactions, and a watch. Nothing else is ever the truth.
 * Reads come from memory (the snapshot, which the store feeds); a transaction is answered after it is
 * durable. Backends: SQLite (sqlite_*.c); etcd later, behind the same functions and the same tests.
 *
 * A transaction takes effect in memory at once, so that the next handler of the same loop turn sees it; all
 * transactions of a turn become durable together at its end, and their callbacks run then. If that fails,
 * memory goes back to what is on disk (`reset` of the watch), and the callbacks get the error.
 */
#pragma once

#include <jansson.h>

#include "../lib/loop.h"
#include "../model/told_nodes.h"

#define STORE_TXN_OPS_MAX   100
#define STORE_TXN_BYTES_MAX (1024 * 1024)
#define STORE_KEY_MAX	    KEY_SIZE
#define STORE_VALUE_MAX	    (256 * 1024)

struct store;

/* One transaction: all comparisons hold, then all puts and deletes are done; or nothing. */
struct store_txn;
int store_txn_new(struct store_txn **ret);
struct store_txn *store_txn_free(struct store_txn *txn);
/* What follows was decided on the rows as of that revision: nothing may have changed since, be it read or
 * not. So lists are covered, too (no child is left, no range overlaps, a quota). */
void store_txn_at(struct store_txn *txn, uint64_t revision);
/* The key's last change must be of that revision (0: the key must not exist). Comparing a key twice with the
 * same revision is one comparison. */
int store_txn_compare(struct store_txn *txn, const char *key, uint64_t modified);
/* Takes a reference of its own to value. */
int store_txn_put(struct store_txn *txn, const char *key, json_t *value);
int store_txn_delete(struct store_txn *txn, const char *key);
/* It answers what another one has done, and fails while that one is not durable. */
void store_txn_repeats(struct store_txn *txn);
size_t store_txn_n_ops(const struct store_txn *txn);

/* Typed: the row's key and JSON. `row_put` also compares with row->meta.modified (0: must be new), so a row
 * that was read, changed and put back is never overwritten blindly; the same for delete. A second put of the
 * same row in one transaction replaces the first. */
int store_txn_row_put(struct store_txn *txn, enum kind kind, const void *row);
int store_txn_row_delete(struct store_txn *txn, enum kind kind, const void *row);
/* Compares only: the row must not change until then. */
int store_txn_row_check(struct store_txn *txn, enum kind kind, const void *row);

/* 0: durable at `revision`. -EAGAIN: a comparison failed or something has changed, nothing was done (read
 * again and repeat). -E2BIG: over the limits. Other negative errno: not durable, undone. */
typedef void (*store_done)(void *context, int result, uint64_t revision);
/* Consumes txn. An empty one succeeds at the present revision. */
void store_commit(struct store *store, struct store_txn *txn, store_done done, void *context);
/* Whether changes are refused at once, with the error of the last ones, which could not be written a moment
 * ago. That ends by itself. */
bool store_refuses(const struct store *store);

/* The rows, as of the last applied transaction. Borrowed. */
const struct snapshot *store_rows(const struct store *store);
/* Which nodes are told of which, likewise. */
const struct told_nodes *store_told_nodes(const struct store *store);
/* A node has put in force what it was told up to the revision: what it has left until then is forgotten. */
void store_reached(struct store *store, const char *node, uint64_t revision);
/* Whose rows these are: 32 digits of base 16, drawn when the database was made, and kept inside it. */
#define STORE_IDENTITY_SIZE 33
const char *store_identity(const struct store *store);
/* Under which name the present revision was written: the same store, changed apart by two processes from two
 * copies, counts the same revisions under two names. Drawn at the first change after each opening; "": none
 * was made yet. STORE_TIMELINES_MAX of them are remembered, the last ones. */
#define STORE_TIMELINE_SIZE 17
#define STORE_TIMELINES_MAX 4096
const char *store_timeline(const struct store *store);
/* Whether this store had that revision under that name ("": any), so that it is of the same history. */
bool store_had(const struct store *store, const char *timeline, uint64_t revision);
/* The last durable revision: what may be told to others. */
uint64_t store_durable_revision(const struct store *store);

/* A row has changed, or is gone; or what it is told with has come, gone or changed to another share, and the
 * row with it. What it is now, the rows know. */
struct store_change {
	const char *key;
	bool is_gone;
	uint64_t revision;
	struct share was; /* with what it was told before */
};

/* Changes after `after`, oldest first, durable ones only, through `note`. Returns the revision up to which
 * they were told, or -EOVERFLOW: `after` is older than what is remembered (list all instead). The memory
 * holds the last STORE_HISTORY_MAX changes, and of these not more than are worth STORE_HISTORY_BYTES_MAX. */
#define STORE_HISTORY_MAX	65536
#define STORE_HISTORY_BYTES_MAX (16 * 1024 * 1024)
typedef void (*store_note)(void *context, const struct store_change *change);
int64_t store_changes(const struct store *store, uint64_t after, store_note note, void *context);
/* All rows whose keys begin with `prefix`, in the order of their keys; the json is made for the call, and
 * borrowed for it alone. -ENOMEM: some were not told. */
typedef void (*store_row)(void *context, const char *key, const json_t *value, uint64_t created,
			  uint64_t revision);
int store_list(const struct store *store, const char *prefix, store_row tell, void *context);

/* `notify` is called once per loop turn in which the durable revision rose; of several watches, the one that
 * was made first comes first. It may commit: for those after it memory is ahead of the disk then, and all are
 * called again when that is durable. */
struct store_watch;
int store_watch(struct store *store, loop_callback notify, void *context, struct store_watch **ret);
struct store_watch *store_watch_free(struct store_watch *watch);

/* 1: there is a database; 0: there is none, or an empty file. Negative errno: nobody can say why (logged). */
int store_sqlite_look(const char *path);
/* Opens or makes the database file (mode 0600). -EBUSY: another process has it; -EPROTONOSUPPORT: a newer
 * version of privlink has written it; -EUCLEAN: not ours or damaged (the reason is logged, with the keys of
 * damaged rows); other negative errnos say what keeps us from it. */
int store_sqlite_open(struct loop *loop, const char *path, struct store **ret);
/* The same, but makes none: -ENODATA if there are no tables in the file. `salvage`: goes on with what can
 * still be read of a damaged one (`ret_damaged`); to be followed by store_renew(). */
int store_sqlite_reopen(struct loop *loop, const char *path, bool salvage, bool *ret_damaged,
			struct store **ret);
/* What is here now is right from now on, under a new identity. Durable when it returns 0. */
int store_renew(struct store *store);
/* Copies what is durable to a file beside the database, <database>.backup, in place of the last copy; it can
 * be opened in the database's place. Takes as long as reading and writing all. `ret_path` is the store's. */
int store_back_up(struct store *store, const char **ret_path);
/* From now on every durable revision is recorded there, too, before anyone is told (record.h). Takes it over;
 * STORE_RECORDS_MAX of them. */
#define STORE_RECORDS_MAX 2
struct record;
void store_keep_record(struct store *store, struct record *record);
struct store *store_free(struct store *store);
