/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store's memory: all documents sorted by key, the typed rows made from them, and the last changes in the
 * order in which they happened. Any backend feeds it; it knows nothing of files and of what is durable.
 */
#pragma once

#include "store.h"

struct document {
	char *key;
	json_t *value;
	uint64_t created, modified;
};

struct memory;

/* Without rows, at revision 0. -ENOMEM. */
int memory_new(struct memory **ret);
struct memory *memory_free(struct memory *memory);
/* Forgets all documents, rows and changes. */
void memory_clear(struct memory *memory);

/* A document as found in the backend, not a change; `created` and `modified` come along. -EINVAL: it is no
 * row. */
int memory_load(struct memory *memory, const char *key, json_t *value, uint64_t created, uint64_t modified);
/* The memory stands at this revision; changes before are not remembered. Ends the loading. */
void memory_loaded(struct memory *memory, uint64_t revision);

/* Carries out a change (value NULL: delete; takes a reference of its own) and remembers it. Revisions never
 * fall. An error leaves the memory between two states: clear and load it again. */
int memory_change(struct memory *memory, const char *key, json_t *value, uint64_t revision);

/* NULL: there is none. Borrowed until the next change. */
const struct document *memory_find(const struct memory *memory, const char *key);
const struct snapshot *memory_rows(const struct memory *memory);
uint64_t memory_revision(const struct memory *memory);

/* Tells the changes after `after` and up to `up_to`, oldest first. -EOVERFLOW: some of them are forgotten. */
int memory_changes(const struct memory *memory, uint64_t after, uint64_t up_to, store_change change,
		   void *context);
void memory_list(const struct memory *memory, const char *prefix, store_change change, void *context);
