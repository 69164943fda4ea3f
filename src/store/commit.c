/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A transaction is judged and carried out in memory when it comes, so that the rest of the turn builds on it;
 * at the end of the turn all of them go to disk as one batch (group commit), and only then does anyone hear
 * of them. If the disk fails, nobody has heard: memory is read again from the file, and every transaction of
 * the turn fails. If even that reading fails, there is no truth left to serve, and the loop ends.
 *
 * That reading is dear, and a full disk stays full. So after it changes are refused for a while before they
 * are carried out, which costs nothing, and then one turn tries again.
 */
#include "../lib/log.h"
#include "../lib/vec.h"
#include "memory.h"
#include "record.h"
#include "sqlite_file.h"
#include "store_parts.h"
#include "txn.h"

/* How long changes are refused after a failure: so long, or so many times what the reading took. */
#define REST_MS	   1000
#define REST_TIMES 4

struct pending {
	struct store_txn *txn;
	uint64_t revision; /* of its changes; of the state it was judged on if it has none */
	store_done done;
	void *context;
};

static int compare(const struct store *store, const struct store_txn *txn)
{
	if (txn->is_at && txn->revision != memory_revision(store->memory))
		return -EAGAIN;
	for (size_t i = 0; i < txn->n_compares; i++) {
		const struct row_meta *row = memory_find(store->memory, txn->compares[i].key);

		if ((row ? row->modified : 0) != txn->compares[i].modified)
			return -EAGAIN;
	}
	return 0;
}

static struct pending *add_pending(struct store *store)
{
	if (VEC_ROOM(store->pending, store->n_pending, store->pending_size) < 0)
		return NULL;
	return &store->pending[store->n_pending++];
}

static void rest(struct store *store, int error, uint64_t cost_ms)
{
	store->refuses = error;
	loop_timer_set(store->rest, MAX((uint64_t)REST_MS, REST_TIMES * cost_ms));
}

/* What is written becomes durable by being recorded: if it got lost, nobody would know. Until then it counts
 * as failed for its callers, nobody else hears of it, and nothing more is written. */
static int write_record(struct store *store)
{
	int r = 0;

	if (store->durable == store->written)
		return 0;
	for (size_t i = 0; r == 0 && i < store->n_records; i++)
		r = record_write(store->records[i], store_identity(store), store->written);
	if (r < 0) {
		rest(store, r, 0);
		return log_errno(r, "cannot record the store's revision=%llu",
				 (unsigned long long)store->written);
	}
	store->durable = store->written;
	return 0;
}

void commit_rested(void *context, _unused_ uint32_t events)
{
	struct store *store = context;
	uint64_t before = store->durable;

	store->refuses = 0;
	if (write_record(store) == 0 && store->durable > before)
		store_notify(store);
}

bool store_refuses(const struct store *store)
{
	return store->refuses < 0;
}

/* Memory back to what is on disk, after that error. */
static void reload(struct store *store, int error)
{
	uint64_t began = now_mono_ms();
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
	store->written = memory_revision(store->memory);
	rest(store, error, now_mono_ms() - began);
}

/* Tells everyone who waits, in the order in which they came. They may commit again, which then waits for the
 * next turn. */
void commit_tell(struct store *store, int result)
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
	if (store->refuses < 0 && (txn->n_changes > 0 || (txn->repeats && store->durable < store->written)))
		return store->refuses;
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
		reload(store, r);
		commit_tell(store, r);
	}
}

static int write_batch(struct store *store)
{
	int r;

	r = sqlite_file_begin(store->file, store->written);
	for (size_t i = 0; r == 0 && i < store->n_pending; i++) {
		const struct pending *pending = &store->pending[i];

		r = sqlite_file_write(store->file, pending->txn->changes, pending->txn->n_changes,
				      pending->revision);
	}
	return r < 0 ? r : sqlite_file_commit(store->file, memory_revision(store->memory));
}

void commit_end_of_turn(void *context, _unused_ uint32_t events)
{
	struct store *store = context;
	uint64_t before = store->durable;
	int r = 0;

	if (store->n_pending == 0)
		return;
	if (memory_revision(store->memory) > store->written) {
		r = write_batch(store);
		if (r < 0) {
			if (r != -ESTALE) /* that was said */
				log_error("cannot write the store: %s", sqlite_file_error(store->file));
			sqlite_file_rollback(store->file);
			reload(store, r);
		} else {
			store->written = memory_revision(store->memory);
			r = write_record(store);
		}
	}
	commit_tell(store, r);
	if (store->durable > before)
		store_notify(store);
}
