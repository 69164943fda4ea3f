/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of one kind from several walks, brought into one order: for lists of what belongs to the caller in
 * more than one way.
 */
#pragma once

#include "../../model/snapshot.h"

struct gathered {
	const void **rows; /* borrowed from the snapshot */
	size_t n, size;
	size_t n_found; /* how often a row was added, also those that were there already */
};

/* For _cleanup_. */
void gathered_done(struct gathered *gathered);

/* Adds a row (NULL: nothing). -ENOMEM. */
int gather(struct gathered *gathered, const void *row);
/* Adds the rows of a walk of snapshot_children_in(). -ENOMEM. */
int gather_children(struct gathered *gathered, const struct snapshot *rows, enum ref ref, const char *id,
		    const char *within);
/* Brings the rows into the order of their ids, each once. */
void gathered_sort(struct gathered *gathered);
