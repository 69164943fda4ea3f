/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store's memory: the typed rows, and the last changes in the order in which they happened. Any backend
 * feeds it; it knows nothing of files and of what is durable. A document's members that no field of its kind
 * takes are not kept here, only in the backend.
 */
#pragma once

#include "store.h"

struct memory;

/* Without rows, at revision 0. -ENOMEM. */
int memory_new(struct memory **ret);
struct memory *memory_free(struct memory *memory);
/* Forgets all rows and changes. */
void memory_clear(struct memory *memory);

/* A row as found in the backend, not a change; `created` and `modified` come along. -EINVAL: it is no
 * row. */
int memory_load(struct memory *memory, const char *key, json_t *value, uint64_t created, uint64_t modified);
/* The same from the row's text, which is used up; -EOPNOTSUPP: it is not of plain form (row_from_text()). */
int memory_load_text(struct memory *memory, const char *key, char *text, uint64_t created, uint64_t modified);
/* The memory stands at this revision; changes before are not remembered. Ends the loading. -ENOMEM. */
int memory_loaded(struct memory *memory, uint64_t revision);

/* Carries out a change (value NULL: delete) and remembers that it was. Revisions never fall. An error leaves
 * the memory between two states: clear and load it again. */
int memory_change(struct memory *memory, const char *key, json_t *value, uint64_t revision);

/* When the row of that key was made and changed; NULL: there is none. Borrowed until the row is changed. */
const struct row_meta *memory_find(const struct memory *memory, const char *key);
const struct snapshot *memory_rows(const struct memory *memory);
uint64_t memory_revision(const struct memory *memory);
/* Who is told of what, as of the same revision. */
struct told_nodes *memory_told_nodes(const struct memory *memory);

/* Tells the changes after `after` and up to `up_to`, oldest first. -EOVERFLOW: some of them are forgotten. */
int memory_changes(const struct memory *memory, uint64_t after, uint64_t up_to, store_note note,
		   void *context);
/* Tells all rows whose keys begin with `prefix`, in the order of their keys. The json is borrowed for the
 * call. -ENOMEM: some were not told. */
int memory_list(const struct memory *memory, const char *prefix, store_row tell, void *context);
