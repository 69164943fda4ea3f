/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The subjects that are not settled: those that changed since the last pass, and those that wait for a
 * revision. Sorted, each once; adding is cheap, and a pass takes out only what it has something to do for.
 */
#pragma once

#include "control_step.h"

struct subject_list {
	struct control_subject *v;
	size_t n, size;
};

struct subjects {
	const struct leases *leases; /* that they wait for by number; NULL: they wait for one revision */
	struct subject_list waiting; /* sorted */
	struct subject_list changed; /* in the order in which they came, repetitions included */
	struct subject_list work;    /* of this pass: sorted */
};

/* Frees the lists; it is empty then. */
void subjects_done(struct subjects *subjects);
/* The row of that key has changed. Keys that move nothing are ignored. */
int subjects_changed(struct subjects *subjects, const char *key);
/* All rows that move. */
int subjects_changed_all(struct subjects *subjects, const struct snapshot *rows);

/* Fills subjects->work with those that changed, those that need at most `live_revision` and those for which
 * the last pass had no room. */
int subjects_take(struct subjects *subjects, uint64_t live_revision);
/* After a pass over subjects->work: keeps those that still need something. True if one of them needs no later
 * revision than its nodes have reached, or the pass had no room for it, so that another pass has something to
 * do at once. */
int subjects_put_back(struct subjects *subjects, uint64_t live_revision);
