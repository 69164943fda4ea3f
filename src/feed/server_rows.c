/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A row that changed often is told once, as it is now; a row that left is told by its key, also to nodes that
 * never had it, so that nobody keeps what is gone.
 */
#include "server_rows.h"

struct collection {
	const struct feed_scope *scope;
	json_t *rows;
	bool failed;
};

static json_t *row_json(const char *key, const json_t *value, uint64_t created, uint64_t revision)
{
	return json_pack("{s:s, s:I, s:I, s:O}", "key", key, "created", (json_int_t)created, "revision",
			 (json_int_t)revision, "value", value);
}

static json_t *answer_json(const struct store *store, bool full, json_t *rows, json_t *deleted)
{
	return json_pack("{s:I, s:b, s:o, s:o}", "revision", (json_int_t)store_durable_revision(store),
			 "full", full, "rows", rows, "deleted", deleted);
}

static void collect(void *context, const char *key, const json_t *value, uint64_t created, uint64_t revision)
{
	struct collection *c = context;

	if (feed_scope_kind(key) && feed_scope_has(c->scope, key) &&
	    json_array_append_new(c->rows, row_json(key, value, created, revision)) < 0)
		c->failed = true;
}

json_t *feed_rows_all(const struct store *store, const struct feed_scope *scope)
{
	struct collection c = {.scope = scope, .rows = json_array()};

	if (!c.rows || store_list(store, "", collect, &c) < 0 || c.failed) {
		json_decref(c.rows);
		return NULL;
	}
	return answer_json(store, true, c.rows, json_array());
}

/* By key, the last change of each: a row, or null for one that is gone. */
static void collect_last(void *context, const char *key, const json_t *value, uint64_t created,
			 uint64_t revision)
{
	struct collection *c = context;

	if (feed_scope_kind(key) &&
	    json_object_set_new(c->rows, key, value ? row_json(key, value, created, revision) : json_null()) <
		    0)
		c->failed = true;
}

static json_t *sort_out(const struct store *store, const struct feed_scope *scope, json_t *last)
{
	json_t *rows = json_array(), *deleted = json_array(), *row;
	const char *key;
	int r = 0;

	json_object_foreach(last, key, row) {
		if (json_is_null(row) || feed_scope_left(scope, key))
			r |= json_array_append_new(deleted, json_string(key));
		else if (feed_scope_has(scope, key))
			r |= json_array_append(rows, row);
	}
	if (r < 0) {
		json_decref(rows);
		json_decref(deleted);
		return NULL;
	}
	return answer_json(store, false, rows, deleted);
}

int feed_rows_since(const struct store *store, const struct feed_scope *scope, uint64_t after, json_t **ret)
{
	struct collection c = {.scope = scope, .rows = json_object()};
	json_t *answer = NULL;
	int64_t r;

	if (!c.rows)
		return -ENOMEM;
	r = store_changes(store, after, collect_last, &c);
	if (r >= 0 && !c.failed)
		answer = sort_out(store, scope, c.rows);
	json_decref(c.rows);
	if (r < 0)
		return (int)r;
	if (!answer)
		return -ENOMEM;
	*ret = answer;
	return 0;
}
