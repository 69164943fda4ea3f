/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A row that changed often is told once, as it is now. One that is gone, or is told to others now, is told by
 * its key to the nodes that may have it: those that are told of the share that it was of, or were so after
 * the revision that is built upon. Where a row comes, goes or moves to another share, what is told with it
 * does so, too, whether that has changed or not.
 */
#include "server_rows.h"

#include "../lib/util.h"

struct answer {
	const struct snapshot *rows;
	const struct audience *audience;
	const char *node;
	uint64_t after;
	json_t *told; /* by key: a row, or null for one that is gone */
	int r;
};

static json_t *row_json(const char *key, enum kind kind, const void *row)
{
	const struct row_meta *meta = row; /* the first member of every row */

	return json_pack("{s:s, s:I, s:I, s:o}", "key", key, "created", (json_int_t)meta->created, "revision",
			 (json_int_t)meta->modified, "value", row_to_json(kind, row));
}

static json_t *answer_json(const struct store *store, bool full, json_t *rows, json_t *deleted)
{
	return json_pack("{s:I, s:b, s:o, s:o}", "revision", (json_int_t)store_durable_revision(store),
			 "full", full, "rows", rows, "deleted", deleted);
}

/* ---- all ---- */

static int add_kind(const struct answer *answer, enum kind kind, json_t *list)
{
	char key[KEY_SIZE];
	int r = 0;

	for (const void *row = NULL; r == 0 && (row = snapshot_next(answer->rows, kind, "", row));) {
		const struct share share = share_of(answer->rows, kind, row);

		if (!audience_has(answer->audience, &share, answer->node))
			continue;
		r = row_key(kind, row, key);
		if (r == 0 && json_array_append_new(list, row_json(key, kind, row)) < 0)
			r = -ENOMEM;
	}
	return r;
}

json_t *feed_rows_all(const struct store *store, const char *node)
{
	const struct answer answer = {
		.rows = store_rows(store), .audience = store_audience(store), .node = node};
	json_t *list = json_array();
	int r = list ? 0 : -ENOMEM;

	for (enum kind kind = 0; r == 0 && kind < KIND_COUNT_; kind++)
		if (share_has_kind(kind))
			r = add_kind(&answer, kind, list);
	if (r < 0) {
		json_decref(list);
		return NULL;
	}
	return answer_json(store, true, list, json_array());
}

/* ---- what has changed ---- */

/* One row, unless it is there already; `row` NULL: it is gone. */
static int tell(struct answer *answer, const char *key, enum kind kind, const void *row)
{
	const json_t *present = json_object_get(answer->told, key);
	json_t *json;

	if (present && (!row || !json_is_null(present)))
		return 0;
	json = row ? row_json(key, kind, row) : json_null();
	return json_object_set_new(answer->told, key, json) < 0 ? -ENOMEM : 0;
}

/* A row of a share that has come, or left. */
static int tell_as_is(void *context, enum kind kind, const void *row)
{
	struct answer *answer = context;
	const struct share share = share_of(answer->rows, kind, row);
	char key[KEY_SIZE];
	int r = row_key(kind, row, key);

	if (r < 0)
		return r;
	return tell(answer, key, kind, audience_has(answer->audience, &share, answer->node) ? row : NULL);
}

static int tell_change(struct answer *answer, const struct store_change *change)
{
	struct share share;
	const void *row;
	enum kind kind;
	int r;

	r = kind_of_key(change->key, &kind);
	if (r < 0 || !share_has_kind(kind))
		return r;
	row = snapshot_find(answer->rows, kind, strchr(change->key, '/') + 1);
	share = share_of(answer->rows, kind, row);
	if (!audience_has(answer->audience, &share, answer->node)) {
		if (!audience_concerns(answer->audience, &change->was, answer->node, answer->after))
			return 0;
		row = NULL;
	}
	return tell(answer, change->key, kind, row);
}

static void note_change(void *context, const struct store_change *change)
{
	struct answer *answer = context;

	if (answer->r == 0)
		answer->r = tell_change(answer, change);
}

static int note_move(void *context, const struct share *share)
{
	struct answer *answer = context;

	return share_walk(answer->rows, share, tell_as_is, answer);
}

static json_t *sort_out(const struct store *store, json_t *told)
{
	json_t *rows = json_array(), *deleted = json_array(), *row;
	const char *key;
	int r = 0;

	json_object_foreach(told, key, row) {
		if (json_is_null(row))
			r |= json_array_append_new(deleted, json_string(key));
		else
			r |= json_array_append(rows, row);
	}
	if (r < 0) {
		json_decref(rows);
		json_decref(deleted);
		return NULL;
	}
	return answer_json(store, false, rows, deleted);
}

int feed_rows_since(const struct store *store, const char *node, uint64_t after, json_t **ret)
{
	struct answer answer = {.rows = store_rows(store),
				.audience = store_audience(store),
				.node = node,
				.after = after,
				.told = json_object()};
	json_t *json = NULL;
	int64_t r;

	if (!answer.told)
		return -ENOMEM;
	r = audience_moves(answer.audience, node, after, note_move, &answer);
	if (r == 0)
		r = store_changes(store, after, note_change, &answer);
	if (r >= 0)
		r = answer.r;
	if (r == 0)
		json = sort_out(store, answer.told);
	json_decref(answer.told);
	if (r < 0)
		return (int)r;
	if (!json)
		return -ENOMEM;
	*ret = json;
	return 0;
}

/* ---- whether there is anything ---- */

struct search {
	const struct store *store;
	const char *node;
	uint64_t after;
	bool found;
};

static void look_for(void *context, const struct store_change *change)
{
	struct search *search = context;
	const struct snapshot *rows = store_rows(search->store);
	struct share share;
	enum kind kind;

	if (search->found || kind_of_key(change->key, &kind) < 0 || !share_has_kind(kind))
		return;
	share = share_of(rows, kind, snapshot_find(rows, kind, strchr(change->key, '/') + 1));
	search->found =
		audience_has(store_audience(search->store), &share, search->node) ||
		audience_concerns(store_audience(search->store), &change->was, search->node, search->after);
}

static int found_move(_unused_ void *context, _unused_ const struct share *share)
{
	return -EEXIST;
}

bool feed_rows_concern(const struct store *store, const char *node, uint64_t after)
{
	struct search search = {.store = store, .node = node, .after = after};

	if (audience_moves(store_audience(store), node, after, found_move, NULL) < 0)
		return true;
	return store_changes(store, after, look_for, &search) < 0 || search.found;
}
