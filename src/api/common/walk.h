/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walking rows of one kind that come from several places of the snapshot's indexes, in the order of their
 * ids, each once. It begins where one wants it to, so a page costs its rows, whatever else there is.
 */
#pragma once

#include "../../model/snapshot.h"

struct walk_source {
	enum ref ref; /* rows that name `id` there; REF_COUNT_: the row of that id, "": all rows */
	char id[ID_SIZE];
	const char *within; /* borrowed; "": anything */
	bool of_parts;	    /* the rows stand for what they are a part of */
	const void *row;    /* the next one, while the walk goes on */
	const void *given;  /* what it stands for: itself, or that */
};

struct walk {
	const struct snapshot *rows;
	enum kind kind;
	struct walk_source *sources; /* while the walk goes on a heap, of those that have a row left */
	size_t n, size, n_left;
	size_t n_rows; /* that were looked at: the first one of each source, and all that came; no parts */
	const void *last;
};

/* For _cleanup_; also of one that is zero. */
void walk_done(struct walk *walk);

/* Adds rows to what is to be walked: those that name `id`, within something ("": all); the row of that id;
 * all rows of the kind. -ENOMEM. An id that is too long is nobody's. */
int walk_add(struct walk *walk, enum ref ref, const char *id, const char *within);
int walk_add_row(struct walk *walk, const char *id);
int walk_add_all(struct walk *walk);
/* Adds what rows of another kind are a part of, that name `id`, within something. The ids of these begin with
 * those of what they are a part of. They are walked from the first on, and not counted as looked at: others
 * may have made them. walk_has() goes through the parts of its row. -ENOMEM. */
int walk_add_wholes(struct walk *walk, enum ref ref, const char *id, const char *within);

/* How many rows the sources have; one that several have counts several times. */
size_t walk_count(const struct walk *walk);
/* Whether a row is among them. */
bool walk_has(const struct walk *walk, const void *row);

/* Begins at the first row whose id is behind `from` ("": at the first), and leaves `n` rows out: at once
 * where there is one source, else one by one. */
void walk_begin(struct walk *walk, const char *from, size_t n);
/* The next row; NULL: there is none. */
const void *walk_next(struct walk *walk);
