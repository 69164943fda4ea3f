/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows that name another one, by reference and the named id: the index behind snapshot_children(). For
 * the snapshot alone, which says when a row comes and goes. A row is known by its pointer, and must have been
 * made by the snapshot (snapshot_id()).
 *
 * What is asked for "within" something (the objects of an account within a region) has that text; "" is all.
 */
#pragma once

#include "relations.h"

struct child_index {
	struct siblings **slots;
	size_t n_slots, n;
};

/* Whether the index has the reference. Rows whose ids begin with what they name are found by that. */
bool child_index_has(enum ref ref);

/* Forgets all and frees it. */
void child_index_clear(struct child_index *index);

/* Makes room for the row at all that it names, so that adding it cannot fail; or -ENOMEM. */
int child_index_reserve(struct child_index *index, enum kind kind, const void *row);
/* Adds a row; or -ENOMEM, and nothing has changed. */
int child_index_insert(struct child_index *index, enum kind kind, const void *row);
/* Adds a row for which there is room. */
void child_index_add(struct child_index *index, enum kind kind, const void *row);
/* Takes a row away, which has the members that it was added with. The room stays until child_index_prune().
 */
void child_index_remove(struct child_index *index, enum kind kind, const void *row);
/* Frees the room at what the row names, where no row is left. */
void child_index_prune(struct child_index *index, enum kind kind, const void *row);
/* Whether two rows name the same, so that one can take the place of the other. */
bool child_index_name_alike(enum kind kind, const void *a, const void *b);

/* The row behind `previous` (NULL: the first), in the order of their ids. A step costs a hash of the id;
 * after a change, and where two walks of the same rows alternate, a binary search more. */
const void *child_index_next(const struct child_index *index, enum ref ref, const char *id,
			     const char *within, const void *previous);
size_t child_index_count(const struct child_index *index, enum ref ref, const char *id, const char *within);
/* A count that the rows naming an id carry together, as long as one of them is there; it begins at 0. */
void child_index_add_parts(struct child_index *index, enum ref ref, const char *id, size_t n);
void child_index_take_parts(struct child_index *index, enum ref ref, const char *id, size_t n);
size_t child_index_parts(const struct child_index *index, enum ref ref, const char *id);
/* The first row whose id is behind `behind`, which need not be there; the n-th one, from 0. NULL: none. */
const void *child_index_behind(const struct child_index *index, enum ref ref, const char *id,
			       const char *within, const char *behind);
const void *child_index_at(const struct child_index *index, enum ref ref, const char *id, const char *within,
			   size_t n);
