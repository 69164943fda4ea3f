/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store over one SQLite file, as everyone sees it: its rows, its watches, opening and closing it.
 */
#include <assert.h>

#include "../lib/log.h"
#include "memory.h"
#include "record.h"
#include "sqlite_file.h"
#include "sqlite_path.h"
#include "store_parts.h"

/* After everything else that decides in a turn. */
#define STORE_PRIORITY 1000

struct store_watch {
	struct store *store;
	loop_callback notify;
	void *context;
	struct store_watch *next;
	bool dead;
};

const struct snapshot *store_rows(const struct store *store)
{
	return memory_rows(store->memory);
}

const struct told_nodes *store_told_nodes(const struct store *store)
{
	return memory_told_nodes(store->memory);
}

void store_reached(struct store *store, const char *node, uint64_t revision)
{
	told_nodes_reached(memory_told_nodes(store->memory), node, revision);
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

int64_t store_changes(const struct store *store, uint64_t after, store_note note, void *context)
{
	int r = memory_changes(store->memory, after, store->durable, note, context);

	return r < 0 ? r : (int64_t)store->durable;
}

int store_list(const struct store *store, const char *prefix, store_row tell, void *context)
{
	return memory_list(store->memory, prefix, tell, context);
}

void store_notify(struct store *store)
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

int store_watch(struct store *store, loop_callback notify, void *context, struct store_watch **ret)
{
	struct store_watch *watch = calloc(1, sizeof(*watch)), **end = &store->watches;

	if (!watch)
		return -ENOMEM;
	*watch = (struct store_watch){.store = store, .notify = notify, .context = context};
	while (*end)
		end = &(*end)->next;
	*end = watch;
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
		r = loop_add_deferred(loop, STORE_PRIORITY, commit_end_of_turn, store, &store->end_of_turn);
	if (r == 0)
		r = loop_add_timer(loop, commit_rested, store, &store->rest);
	if (r < 0) {
		store_free(store);
		return r;
	}
	store->durable = store->written = memory_revision(store->memory);
	*ret = store;
	return 0;
}

int store_sqlite_look(const char *path)
{
	return sqlite_path_look(path);
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
	commit_tell(store, -ECANCELED);
	assert(!store->watches);
	loop_source_free(store->end_of_turn);
	loop_source_free(store->rest);
	sqlite_file_close(store->file);
	while (store->n_records > 0)
		record_free(store->records[--store->n_records]);
	memory_free(store->memory);
	free(store->pending);
	free(store);
	return NULL;
}
