/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An answer of the feed, taken apart: an object with a list of rows. Of the rows there are many, and nearly
 * all are of plain form (lib/plain.h): those are told by where they stand in the text, without a tree of
 * JSON.
 */
#pragma once

#include "../model/snapshot.h"

struct feed_row {
	const char *key; /* does not end in NUL */
	size_t key_length;
	const char *value; /* its text; NULL: it is in `json` */
	size_t size;
	json_t *json; /* the whole row, where that is not of plain form */
	uint64_t created, revision;
};

struct feed_text {
	json_t *rest; /* the members beside the rows */
	struct feed_row *rows;
	size_t n, size;
};

/* `body` is borrowed until feed_text_done(). -EINVAL: it is no JSON, or has no list of rows, or something in
 * it is no row (of whatever kind). -ENOMEM. `ret` is to be ended after an error, too. */
int feed_text_parse(const char *body, size_t size, struct feed_text *ret);
void feed_text_done(struct feed_text *text);

/* The row's value as JSON: the caller's. -EINVAL: it is none. -ENOMEM. */
int feed_row_json(const struct feed_row *row, json_t **ret);
/* Puts the row into the snapshot from its text. -EOPNOTSUPP: only its JSON can tell; nothing was changed.
 * Errors of snapshot_apply(). */
int feed_row_put(const struct feed_row *row, const char *key, struct snapshot *snapshot);
