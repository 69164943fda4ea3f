/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two sorted things and a queue. The documents are one array of pointers in the order of their keys: finding
 * is a binary search, inserting moves pointers. The changes are a queue that loses its oldest members;
 * `forgotten` is the revision up to which it has lost some, so that nobody takes a part of a transaction for
 * the whole.
 */
#include "memory.h"

#include "../lib/vec.h"

struct change {
	char *key;
	json_t *value;
	uint64_t created, revision;
	size_t bytes;
};

struct memory {
	struct document **documents;
	size_t n_documents, documents_size;
	struct change *changes; /* from `first` on */
	size_t first, n_changes, changes_size;
	size_t changes_bytes;
	uint64_t forgotten;
	uint64_t revision;
	struct snapshot *rows;
};

int memory_new(struct memory **ret)
{
	struct memory *memory = calloc(1, sizeof(*memory));
	int r;

	if (!memory)
		return -ENOMEM;
	r = snapshot_new(&memory->rows);
	if (r < 0) {
		free(memory);
		return r;
	}
	*ret = memory;
	return 0;
}

static void document_free(struct document *document)
{
	free(document->key);
	json_decref(document->value);
	free(document);
}

static void change_done(struct change *change)
{
	free(change->key);
	json_decref(change->value);
}

void memory_clear(struct memory *memory)
{
	for (size_t i = 0; i < memory->n_documents; i++)
		document_free(memory->documents[i]);
	memory->n_documents = 0;
	for (size_t i = 0; i < memory->n_changes; i++)
		change_done(&memory->changes[memory->first + i]);
	memory->first = memory->n_changes = memory->changes_bytes = 0;
	snapshot_clear(memory->rows);
	memory->revision = memory->forgotten = 0;
	snapshot_set_revision(memory->rows, 0);
}

struct memory *memory_free(struct memory *memory)
{
	if (!memory)
		return NULL;
	memory_clear(memory);
	free(memory->documents);
	free(memory->changes);
	snapshot_free(memory->rows);
	free(memory);
	return NULL;
}

/* The first place whose key is not below `key`. */
static size_t lower_bound(const struct memory *memory, const char *key)
{
	size_t n = memory->n_documents;

	/* What arrives in order (loading) goes to the end. */
	if (n > 0 && strcmp(memory->documents[n - 1]->key, key) < 0)
		return n;
	return LOWER_BOUND(i, n, strcmp(memory->documents[i]->key, key) < 0);
}

static struct document *document_at(const struct memory *memory, size_t place, const char *key)
{
	if (place == memory->n_documents || !streq(memory->documents[place]->key, key))
		return NULL;
	return memory->documents[place];
}

const struct document *memory_find(const struct memory *memory, const char *key)
{
	return document_at(memory, lower_bound(memory, key), key);
}

static struct document *document_new(const char *key)
{
	struct document *document = calloc(1, sizeof(*document));

	if (!document)
		return NULL;
	document->key = strdup(key);
	if (!document->key) {
		free(document);
		return NULL;
	}
	return document;
}

static int insert(struct memory *memory, size_t place, struct document *document)
{
	int r = VEC_ROOM(memory->documents, memory->n_documents, memory->documents_size);

	if (r < 0)
		return r;
	memmove(memory->documents + place + 1, memory->documents + place,
		(memory->n_documents - place) * sizeof(*memory->documents));
	memory->documents[place] = document;
	memory->n_documents++;
	return 0;
}

/* Puts the document; `created` 0: keep that of the present one, or `modified` if it is new. */
static int put(struct memory *memory, const char *key, json_t *value, uint64_t created, uint64_t modified)
{
	size_t place = lower_bound(memory, key);
	struct document *document = document_at(memory, place, key);
	int r;

	if (created == 0)
		created = document ? document->created : modified;
	r = snapshot_apply(memory->rows, key, value, created, modified);
	if (r < 0)
		return r;
	if (!document) {
		document = document_new(key);
		if (!document)
			return -ENOMEM;
		r = insert(memory, place, document);
		if (r < 0) {
			document_free(document);
			return r;
		}
	}
	json_incref(value);
	json_decref(document->value);
	document->value = value;
	document->created = created;
	document->modified = modified;
	return 0;
}

static int delete (struct memory *memory, const char *key, uint64_t revision)
{
	size_t place = lower_bound(memory, key);
	struct document *document = document_at(memory, place, key);

	if (!document)
		return 0;
	document_free(document);
	memory->n_documents--;
	memmove(memory->documents + place, memory->documents + place + 1,
		(memory->n_documents - place) * sizeof(*memory->documents));
	return snapshot_apply(memory->rows, key, NULL, 0, revision);
}

int memory_load(struct memory *memory, const char *key, json_t *value, uint64_t created, uint64_t modified)
{
	return put(memory, key, value, created, modified);
}

void memory_loaded(struct memory *memory, uint64_t revision)
{
	memory->revision = memory->forgotten = revision;
	snapshot_set_revision(memory->rows, revision);
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

/* About what a document takes in memory. */
static size_t json_bytes(const json_t *json)
{
	size_t bytes = 48, i;
	const char *key;
	json_t *value;

	if (json_is_string(json))
		return bytes + json_string_length(json);
	json_object_foreach((json_t *)json, key, value)
		bytes += 72 + strlen(key) + json_bytes(value);
	json_array_foreach(json, i, value)
		bytes += 8 + json_bytes(value);
	return bytes;
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

static int remember(struct memory *memory, const char *key, json_t *value, uint64_t created,
		    uint64_t revision)
{
	size_t bytes = sizeof(struct change) + strlen(key) + (value ? json_bytes(value) : 0);
	struct change *change;
	int r;

	r = make_room(memory, bytes);
	if (r < 0)
		return r;
	change = &memory->changes[memory->first + memory->n_changes];
	change->key = strdup(key);
	if (!change->key)
		return -ENOMEM;
	change->value = json_incref(value);
	change->created = created;
	change->revision = revision;
	change->bytes = bytes;
	memory->changes_bytes += bytes;
	memory->n_changes++;
	return 0;
}

int memory_change(struct memory *memory, const char *key, json_t *value, uint64_t revision)
{
	uint64_t created = 0;
	int r;

	r = value ? put(memory, key, value, 0, revision) : delete (memory, key, revision);
	if (r < 0)
		return r;
	if (value)
		created = memory_find(memory, key)->created;
	r = remember(memory, key, value, created, revision);
	if (r < 0)
		return r;
	memory->revision = revision;
	snapshot_set_revision(memory->rows, revision);
	return 0;
}

const struct snapshot *memory_rows(const struct memory *memory)
{
	return memory->rows;
}

uint64_t memory_revision(const struct memory *memory)
{
	return memory->revision;
}

int memory_changes(const struct memory *memory, uint64_t after, uint64_t up_to, store_change change,
		   void *context)
{
	const struct change *changes = memory->changes + memory->first;

	if (after < memory->forgotten)
		return -EOVERFLOW;
	for (size_t n = LOWER_BOUND(i, memory->n_changes, changes[i].revision <= after);
	     n < memory->n_changes; n++) {
		const struct change *c = &changes[n];

		if (c->revision > up_to)
			break;
		change(context, c->key, c->value, c->created, c->revision);
	}
	return 0;
}

void memory_list(const struct memory *memory, const char *prefix, store_change change, void *context)
{
	for (size_t i = lower_bound(memory, prefix); i < memory->n_documents; i++) {
		const struct document *d = memory->documents[i];

		if (!str_starts(d->key, prefix))
			break;
		change(context, d->key, d->value, d->created, d->modified);
	}
}
