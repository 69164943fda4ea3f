/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows are the snapshot's, and there is no second copy of them: their documents are made from them when
 * somebody lists them. The changes are a queue that loses its oldest members; `forgotten` is the revision up
 * to which it has lost some, so that nobody takes a part of a transaction for the whole. They say which rows
 * have changed, and who was told of them until then; what a row is now the snapshot knows.
 */
#include "memory.h"

#include "../lib/vec.h"

struct change {
	char *key; /* and behind it the id of the share that the row was of before */
	uint64_t revision;
	uint32_t bytes;
	bool is_gone;
	uint8_t was; /* enum told_to */
};

struct memory {
	struct change *changes; /* from `first` on */
	size_t first, n_changes, changes_size;
	size_t changes_bytes;
	uint64_t forgotten;
	uint64_t revision;
	struct snapshot *rows;
	struct told_nodes *told_nodes;
};

int memory_new(struct memory **ret)
{
	struct memory *memory = calloc(1, sizeof(*memory));
	int r;

	if (!memory)
		return -ENOMEM;
	r = snapshot_new(&memory->rows);
	if (r == 0)
		r = told_nodes_new(&memory->told_nodes);
	if (r < 0) {
		memory_free(memory);
		return r;
	}
	*ret = memory;
	return 0;
}

static void change_done(struct change *change)
{
	free(change->key);
}

void memory_clear(struct memory *memory)
{
	for (size_t i = 0; i < memory->n_changes; i++)
		change_done(&memory->changes[memory->first + i]);
	memory->first = memory->n_changes = memory->changes_bytes = 0;
	memory->revision = memory->forgotten = 0;
	if (memory->told_nodes)
		told_nodes_clear(memory->told_nodes);
	if (!memory->rows)
		return;
	snapshot_clear(memory->rows);
	snapshot_set_revision(memory->rows, 0);
}

struct memory *memory_free(struct memory *memory)
{
	if (!memory)
		return NULL;
	memory_clear(memory);
	free(memory->changes);
	told_nodes_free(memory->told_nodes);
	snapshot_free(memory->rows);
	free(memory);
	return NULL;
}

/* Where the id begins in a key of that kind. */
static const char *id_of_key(enum kind kind, const char *key)
{
	return key + strlen(kind_info(kind)->name) + 1;
}

const struct row_meta *memory_find(const struct memory *memory, const char *key)
{
	enum kind kind;

	if (kind_of_key(key, &kind) < 0)
		return NULL;
	return snapshot_find(memory->rows, kind, id_of_key(kind, key)); /* the first member of every row */
}

int memory_load(struct memory *memory, const char *key, json_t *value, uint64_t created, uint64_t modified)
{
	return snapshot_apply(memory->rows, key, value, created, modified);
}

int memory_load_text(struct memory *memory, const char *key, char *text, uint64_t created, uint64_t modified)
{
	return snapshot_apply_text(memory->rows, key, text, created, modified);
}

int memory_loaded(struct memory *memory, uint64_t revision)
{
	memory->revision = memory->forgotten = revision;
	snapshot_set_revision(memory->rows, revision);
	return told_nodes_load(memory->told_nodes, memory->rows, revision);
}

static void forget_oldest(struct memory *memory)
{
	struct change *oldest = &memory->changes[memory->first];

	memory->forgotten = oldest->revision;
	memory->changes_bytes -= oldest->bytes;
	change_done(oldest);
	memory->first++;
	memory->n_changes--;
}

/* For one more change, of so many bytes. */
static int make_room(struct memory *memory, size_t bytes)
{
	while (memory->n_changes > 0 && (memory->n_changes == STORE_HISTORY_MAX ||
					 memory->changes_bytes + bytes > STORE_HISTORY_BYTES_MAX))
		forget_oldest(memory);
	if (memory->first + memory->n_changes < memory->changes_size)
		return 0;
	if (memory->first > memory->changes_size / 2) {
		memmove(memory->changes, memory->changes + memory->first,
			memory->n_changes * sizeof(*memory->changes));
		memory->first = 0;
		return 0;
	}
	return VEC_ROOM(memory->changes, memory->first + memory->n_changes, memory->changes_size);
}

static int remember(struct memory *memory, const char *key, bool is_gone, const struct share *was,
		    uint64_t revision)
{
	size_t key_size = strlen(key) + 1, id_size = strlen(was->id) + 1;
	size_t bytes = sizeof(struct change) + key_size + id_size;
	struct change *change;
	int r;

	r = make_room(memory, bytes);
	if (r < 0)
		return r;
	change = &memory->changes[memory->first + memory->n_changes];
	*change = (struct change){
		.revision = revision, .bytes = (uint32_t)bytes, .is_gone = is_gone, .was = (uint8_t)was->to};
	change->key = malloc(key_size + id_size);
	if (!change->key)
		return -ENOMEM;
	memcpy(change->key, key, key_size);
	memcpy(change->key + key_size, was->id, id_size);
	memory->changes_bytes += bytes;
	memory->n_changes++;
	return 0;
}

struct touch {
	struct memory *memory;
	const struct share *was;
	uint64_t revision;
};

static int touch_row(void *context, enum kind kind, const void *row)
{
	const struct touch *touch = context;
	char key[KEY_SIZE];
	int r = row_key(kind, row, key);

	return r < 0 ? r : remember(touch->memory, key, false, touch->was, touch->revision);
}

/* The row has changed, and was of that share. What is told with it goes where it goes, so that changes, too,
 * if the row is of another one now. */
static int remember_all(struct memory *memory, const char *key, enum kind kind, const struct share *was,
			uint64_t revision)
{
	const void *row = memory_find(memory, key);
	const struct share now = share_of(memory->rows, kind, row);
	struct touch touch = {memory, was, revision};
	int r = remember(memory, key, !row, was, revision);

	if (r < 0 || (now.to == was->to && streq(now.id, was->id)))
		return r;
	return share_walk_below(memory->rows, kind, id_of_key(kind, key), touch_row, &touch);
}

int memory_change(struct memory *memory, const char *key, json_t *value, uint64_t revision)
{
	const struct row_meta *present;
	struct told_nodes_fact before, after;
	struct share was;
	uint64_t created = 0;
	enum kind kind;
	int r;

	r = kind_of_key(key, &kind);
	if (r < 0)
		return r;
	present = snapshot_find(memory->rows, kind, id_of_key(kind, key));
	if (value)
		created = present ? present->created : revision;
	was = share_of(memory->rows, kind, present);
	before = told_nodes_fact(kind, present);
	r = snapshot_apply(memory->rows, key, value, created, revision);
	if (r < 0)
		return r;
	after = told_nodes_fact(kind, memory_find(memory, key));
	r = told_nodes_change(memory->told_nodes, memory->rows, &before, &after, revision);
	if (r == 0)
		r = remember_all(memory, key, kind, &was, revision);
	if (r < 0)
		return r;
	memory->revision = revision;
	snapshot_set_revision(memory->rows, revision);
	return 0;
}

struct told_nodes *memory_told_nodes(const struct memory *memory)
{
	return memory->told_nodes;
}

const struct snapshot *memory_rows(const struct memory *memory)
{
	return memory->rows;
}

uint64_t memory_revision(const struct memory *memory)
{
	return memory->revision;
}

int memory_changes(const struct memory *memory, uint64_t after, uint64_t up_to, store_note note,
		   void *context)
{
	const struct change *changes = memory->changes + memory->first;

	if (after < memory->forgotten)
		return -EOVERFLOW;
	for (size_t n = LOWER_BOUND(i, memory->n_changes, changes[i].revision <= after);
	     n < memory->n_changes; n++) {
		const struct change *c = &changes[n];
		struct store_change told = {
			.key = c->key, .is_gone = c->is_gone, .revision = c->revision, .was.to = c->was};

		if (c->revision > up_to)
			break;
		(void)str_copy(told.was.id, sizeof(told.was.id), c->key + strlen(c->key) + 1);
		note(context, &told);
	}
	return 0;
}

/* What the ids of a kind's rows begin with whose keys begin with `prefix`; NULL: none of them does. */
static const char *id_prefix(enum kind kind, const char *prefix)
{
	const char *name = kind_info(kind)->name;
	size_t length = strlen(name);

	if (str_starts(name, prefix))
		return "";
	return str_starts(prefix, name) && prefix[length] == '/' ? prefix + length + 1 : NULL;
}

/* Keys begin with the kind's name: the kind whose rows come after those of the kind `after` (NULL: the
 * first). */
static bool next_kind(const char *after, enum kind *ret)
{
	const char *best = NULL;

	for (enum kind kind = 0; kind < KIND_COUNT_; kind++) {
		const char *name = kind_info(kind)->name;

		if ((!after || strcmp(name, after) > 0) && (!best || strcmp(name, best) < 0)) {
			best = name;
			*ret = kind;
		}
	}
	return best;
}

static int list_kind(const struct memory *memory, enum kind kind, const char *prefix, store_row tell,
		     void *context)
{
	char key[KEY_SIZE];

	for (const struct row_meta *row = NULL; (row = snapshot_next(memory->rows, kind, prefix, row));) {
		json_t *value = row_to_json(kind, row);

		if (!value || row_key(kind, row, key) < 0) {
			json_decref(value);
			return -ENOMEM;
		}
		tell(context, key, value, row->created, row->modified);
		json_decref(value);
	}
	return 0;
}

int memory_list(const struct memory *memory, const char *prefix, store_row tell, void *context)
{
	const char *after = NULL;
	enum kind kind;
	int r = 0;

	while (r == 0 && next_kind(after, &kind)) {
		const char *ids = id_prefix(kind, prefix);

		if (ids)
			r = list_kind(memory, kind, ids, tell, context);
		after = kind_info(kind)->name;
	}
	return r;
}
