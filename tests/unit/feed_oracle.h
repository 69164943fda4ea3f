/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an answer of the feed says, by the reader of JSON alone: what the quick one is compared with.
 */
#pragma once

#include "agent/feed_rows.h"

struct oracle {
	struct snapshot *rows;
	size_t n_rejected;
};

__attribute__((unused)) static bool oracle_is_row(const json_t *row)
{
	return json_is_string(json_object_get(row, "key")) && json_is_object(json_object_get(row, "value")) &&
	       json_is_integer(json_object_get(row, "created")) &&
	       json_is_integer(json_object_get(row, "revision"));
}

__attribute__((unused)) static bool oracle_is_answer(const json_t *json)
{
	const json_t *rows = json_object_get(json, "rows"), *deleted = json_object_get(json, "deleted");
	const json_t *more = json_object_get(json, "more");
	bool good = json_is_object(json) && json_integer_value(json_object_get(json, "revision")) > 0 &&
		    json_is_array(rows) && (!deleted || json_is_array(deleted)) &&
		    (!more || (json_is_string(more) && json_string_length(more) < KEY_SIZE));

	for (size_t i = 0; i < json_array_size(rows); i++)
		good &= oracle_is_row(json_array_get(rows, i));
	for (size_t i = 0; i < json_array_size(deleted); i++)
		good &= json_is_string(json_array_get(deleted, i));
	return good;
}

__attribute__((unused)) static void oracle_put(struct oracle *oracle, const json_t *row)
{
	int r = snapshot_apply(oracle->rows, json_string_value(json_object_get(row, "key")),
			       json_object_get(row, "value"),
			       (uint64_t)json_integer_value(json_object_get(row, "created")),
			       (uint64_t)json_integer_value(json_object_get(row, "revision")));

	oracle->n_rejected += r == -EINVAL;
}

/* Into an empty snapshot. `flags`: of jansson, which passes over a NUL behind a number. False: it is no
 * answer.
 */
__attribute__((unused)) static bool oracle_read(const char *body, size_t size, size_t flags,
						struct oracle *oracle)
{
	json_t *json = memchr(body, '\0', size) ? NULL : json_loadb(body, size, flags, NULL);
	const json_t *rows = json_object_get(json, "rows"), *deleted = json_object_get(json, "deleted");
	bool good = oracle_is_answer(json);

	for (size_t i = 0; good && i < json_array_size(rows); i++)
		oracle_put(oracle, json_array_get(rows, i));
	for (size_t i = 0; good && i < json_array_size(deleted); i++)
		oracle->n_rejected +=
			snapshot_apply(oracle->rows, json_string_value(json_array_get(deleted, i)), NULL, 0,
				       1) == -EINVAL;
	json_decref(json);
	return good;
}

__attribute__((unused)) static bool oracle_same_kind(const struct snapshot *a, const struct snapshot *b,
						     enum kind kind)
{
	const void *x = NULL, *y = NULL;
	bool same = true;

	while (same && (x = snapshot_next(a, kind, "", x))) {
		json_t *left = row_to_json(kind, x), *right;

		y = snapshot_next(b, kind, "", y);
		right = y ? row_to_json(kind, y) : NULL;
		same = y && streq(snapshot_id(x), snapshot_id(y)) && json_equal(left, right) &&
		       memcmp(x, y, sizeof(struct row_meta)) == 0;
		json_decref(left);
		json_decref(right);
	}
	return same && snapshot_count(a, kind, "") == snapshot_count(b, kind, "");
}

__attribute__((unused)) static bool oracle_same(const struct snapshot *a, const struct snapshot *b)
{
	bool same = true;

	for (enum kind kind = 0; kind < KIND_COUNT_; kind++)
		same &= oracle_same_kind(a, b, kind);
	return same;
}
