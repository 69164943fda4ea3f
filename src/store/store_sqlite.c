/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store over one SQLite file. A transaction is judged and carried out in memory when it comes, so that
 * the rest of the turn builds on it; at the end of the turn all of them go to disk as one batch, and only
 * then does anyone hear of them. If the disk fails, nobody has heard: memory is read again from the file, and
 * every transaction of the turn fails. If even that reading fails, there is no truth left to serve, and the
 * loop ends.
 */
#include <assert.h>

#include "../lib/log.h"
#include "memory.h"
#include "record.h"
#include "sqlite_file.h"
#include "sqlite_place.h"
#include "txn.h"

/* After everything else that decides in a turn. */
#define STORE_PRIORITY 1000

struct pending {
	struct store_txn *txn;
	uint64_t revision; /* of its changes; of the state it was judged on if it has none */
	store_done done;
	void *context;
};

struct store_watch {
	struct store *store;
	loop_callback notify;
	void *context;
	struct store_watch *next;
	bool dead;
};

struct store {
	struct loop *loop;
	struct loop_source *end_of_turn;
	struct sqlite_file *file;
	struct memory *memory;
	struct record *records[STORE_RECORDS_MAX];
	size_t n_records;
	uint64_t durable;
	struct pending *pending;
	size_t n_pending, pending_size;
	struct store_watch *watches;
	bool notifying;
	int broken; /* negative errno: memory could not be read again */
};

const struct snapshot *store_rows(const struct store *store)
{
	return memory_rows(store->memory);
}

const char *store_identity(const struct store *store)
{
	return sqlite_file_identity(store->file);
}

const char *store_timeline(const struct store *store)
{
	return sqlite_file_timeline(store->file);
}

bool store_had(const struct store *store, const char *timeline, uint64_t revision)
{
	if (revision > store->durable)
		return false;
	return !*timeline || sqlite_file_had(store->file, timeline, revision);
}

uint64_t store_durable_revision(const struct store *store)
{
	return store->durable;
}

int64_t store_changes(const struct store *store, uint64_t after, store_change change, void *context)
{
	int r = memory_changes(store->memory, after, store->durable, change, context);

	return r < 0 ? r : (int64_t)store->durable;
}

void store_list(const struct store *store, const char *prefix, store_change change, void *context)
{
	memory_list(store->memory, prefix, change, context);
}

static int compare(const struct store *store, const struct store_txn *txn)
{
	if (txn->is_at && txn->revision != memory_revision(store->memory))
		return -EAGAIN;
	for (size_t i = 0; i < txn->n_compares; i++) {
		const struct document *document = memory_find(store->memory, txn->compares[i].key);

		if ((document ? document->modified : 0) != txn->compares[i].modified)
			return -EAGAIN;
	}
	return 0;
}

static struct pending *add_pending(struct store *store)
{
	if (store->n_pending == store->pending_size) {
		size_t size = store->pending_size ? 2 * store->pending_size : 16;
		struct pending *pending = realloc(store->pending, size * sizeof(*pending));

		if (!pending)
			return NULL;
		store->pending = pending;
		store->pending_size = size;
	}
	return &store->pending[store->n_pending++];
}

/* Memory back to what is on disk. */
static void reload(struct store *store)
{
	int r;

	memory_clear(store->memory);
	r = sqlite_file_load(store->file, store->memory, NULL);
	if (r < 0) {
		store->broken =
			log_errno(r, "cannot read the store again: %s", sqlite_file_error(store->file));
		loop_exit(store->loop, EXIT_FAILURE);
		return;
	}
	/* A commit that was reported as failed may have reached the disk all the same. */
	store->durable = memory_revision(store->memory);
}

/* Tells everyone who waits, in the order in which they came. They may commit again, which then waits for the
 * next turn. */
static void tell(struct store *store, int result)
{
	struct pending *pending = TAKE_PTR(store->pending);
	size_t n_pending = store->n_pending;

	store->n_pending = store->pending_size = 0;
	for (size_t i = 0; i < n_pending; i++) {
		store_txn_free(pending[i].txn);
		pending[i].done(pending[i].context, result, pending[i].revision);
	}
	free(pending);
}

/* Carries out the changes in memory. A failure (no memory left) undoes the whole turn. */
static int apply(struct store *store, const struct store_txn *txn, uint64_t revision)
{
	for (size_t i = 0; i < txn->n_changes; i++) {
		int r = memory_change(store->memory, txn->changes[i].key, txn->changes[i].value, revision);

		if (r < 0)
			return r;
	}
	return 0;
}

static int check(const struct store *store, const struct store_txn *txn)
{
	if (store->broken < 0)
		return store->broken;
	if (txn->error < 0)
		return txn->error;
	return compare(store, txn);
}

void store_commit(struct store *store, struct store_txn *txn, store_done done, void *context)
{
	uint64_t revision = memory_revision(store->memory);
	struct pending *pending;
	int r = check(store, txn);

	if (r < 0 || (txn->n_changes == 0 && store->n_pending == 0)) {
		store_txn_free(txn);
		done(context, r, revision);
		return;
	}
	pending = add_pending(store);
	if (!pending) {
		store_txn_free(txn);
		done(context, -ENOMEM, revision);
		return;
	}
	*pending = (struct pending){.txn = txn, .done = done, .context = context};
	loop_defer(store->end_of_turn);
	if (txn->n_changes > 0)
		revision++;
	pending->revision = revision;
	r = apply(store, txn, revision);
	if (r < 0) {
		reload(store);
		tell(store, r);
	}
}

static int write_batch(struct store *store)
{
	int r;

	r = sqlite_file_begin(store->file, store->durable);
	for (size_t i = 0; r == 0 && i < store->n_pending; i++) {
		const struct pending *pending = &store->pending[i];

		r = sqlite_file_write(store->file, pending->txn->changes, pending->txn->n_changes,
				      pending->revision);
	}
	return r < 0 ? r : sqlite_file_commit(store->file, memory_revision(store->memory));
}

/* A revision that is not recorded counts as failed for its callers, although its rows are durable: if they
 * got lost, nobody would know. */
static int write_record(struct store *store)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < store->n_records; i++)
		r = record_write(store->records[i], store_identity(store), store->durable);
	return r < 0 ? log_errno(r, "cannot record the store's revision=%llu",
				 (unsigned long long)store->durable)
		     : 0;
}

static void notify_watches(struct store *store)
{
	store->notifying = true;
	for (struct store_watch *watch = store->watches; watch; watch = watch->next)
		if (!watch->dead)
			watch->notify(watch->context, 0);
	store->notifying = false;
	for (struct store_watch **place = &store->watches; *place;) {
		struct store_watch *watch = *place;

		if (!watch->dead) {
			place = &watch->next;
			continue;
		}
		*place = watch->next;
		free(watch);
	}
}

static void end_of_turn(void *context, _unused_ uint32_t events)
{
	struct store *store = context;
	uint64_t before = store->durable;
	int r = 0;

	if (store->n_pending == 0)
		return;
	if (memory_revision(store->memory) > before) {
		r = write_batch(store);
		if (r < 0) {
			if (r != -ESTALE) /* that was said */
				log_error("cannot write the store: %s", sqlite_file_error(store->file));
			sqlite_file_rollback(store->file);
			reload(store);
		} else {
			store->durable = memory_revision(store->memory);
			r = write_record(store);
		}
	}
	tell(store, r);
	if (store->durable > before)
		notify_watches(store);
}

int store_watch(struct store *store, loop_callback notify, void *context, struct store_watch **ret)
{
	struct store_watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return -ENOMEM;
	*watch = (struct store_watch){.store = store, .notify = notify, .context = context};
	watch->next = store->watches;
	store->watches = watch;
	*ret = watch;
	return 0;
}

struct store_watch *store_watch_free(struct store_watch *watch)
{
	if (!watch)
		return NULL;
	if (watch->store->notifying) {
		watch->dead = true;
		return NULL;
	}
	for (struct store_watch **place = &watch->store->watches; *place; place = &(*place)->next) {
		if (*place == watch) {
			*place = watch->next;
			break;
		}
	}
	free(watch);
	return NULL;
}

static int open_store(struct loop *loop, const char *path, bool make, bool *salvage, struct store **ret)
{
	struct store *store = calloc(1, sizeof(*store));
	int r;

	if (!store)
		return -ENOMEM;
	store->loop = loop;
	r = memory_new(&store->memory);
	if (r == 0)
		r = sqlite_file_open(path, make, &store->file);
	if (r == 0)
		r = sqlite_file_load(store->file, store->memory, salvage);
	if (r == 0)
		r = loop_add_deferred(loop, STORE_PRIORITY, end_of_turn, store, &store->end_of_turn);
	if (r < 0) {
		store_free(store);
		return r;
	}
	store->durable = memory_revision(store->memory);
	*ret = store;
	return 0;
}

int store_sqlite_look(const char *path)
{
	return sqlite_place_look(path);
}

int store_sqlite_open(struct loop *loop, const char *path, struct store **ret)
{
	return open_store(loop, path, true, NULL, ret);
}

int store_sqlite_reopen(struct loop *loop, const char *path, bool salvage, bool *ret_damaged,
			struct store **ret)
{
	return open_store(loop, path, false, salvage ? ret_damaged : NULL, ret);
}

int store_renew(struct store *store)
{
	return sqlite_file_renew(store->file, store->memory);
}

int store_back_up(struct store *store, const char **ret_path)
{
	int r = sqlite_file_back_up(store->file, ret_path);

	return r < 0 ? log_errno(r, "cannot copy the store beside file=%s", sqlite_file_path(store->file))
		     : 0;
}

void store_keep_record(struct store *store, struct record *record)
{
	assert(store->n_records < STORE_RECORDS_MAX);
	store->records[store->n_records++] = record;
}

struct store *store_free(struct store *store)
{
	if (!store)
		return NULL;
	tell(store, -ECANCELED);
	assert(!store->watches);
	loop_source_free(store->end_of_turn);
	sqlite_file_close(store->file);
	while (store->n_records > 0)
		record_free(store->records[--store->n_records]);
	memory_free(store->memory);
	free(store->pending);
	free(store);
	return NULL;
}
