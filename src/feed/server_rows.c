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
	const struct told_nodes *told_nodes;
	const struct feed_question *question;
	json_t *told; /* by key: a row, or null for one that is gone */
	size_t n_notes;
	bool has_come; /* there is a share that came and is not listed */
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

static bool is_told(const struct answer *answer, const struct share *share)
{
	return told_nodes_has(answer->told_nodes, share, answer->question->node);
}

static int add_kind(const struct answer *answer, enum kind kind, json_t *list)
{
	char key[KEY_SIZE];
	int r = 0;

	for (const void *row = NULL; r == 0 && (row = snapshot_next(answer->rows, kind, "", row));) {
		const struct share share = share_of(answer->rows, kind, row);

		if (!is_told(answer, &share))
			continue;
		r = row_key(kind, row, key);
		if (r == 0 && json_array_append_new(list, row_json(key, kind, row)) < 0)
			r = -ENOMEM;
	}
	return r;
}

static int answer_all(const struct store *store, const struct answer *answer, json_t **ret)
{
	json_t *list = json_array();
	int r = list ? 0 : -ENOMEM;

	for (enum kind kind = 0; r == 0 && kind < KIND_COUNT_; kind++)
		if (share_has_kind(kind))
			r = add_kind(answer, kind, list);
	if (r < 0) {
		json_decref(list);
		return r;
	}
	*ret = answer_json(store, true, list, json_array());
	return *ret ? 0 : -ENOMEM;
}

/* ---- pages ---- */

struct page {
	const struct answer *answer;
	uint64_t since; /* of what came after it; 0: of everything */
	json_t *list;
	size_t n_looked;
	char last[KEY_SIZE]; /* that was looked at */
};

static bool is_full(const struct page *page)
{
	size_t most = page->answer->question->most;

	return page->n_looked >= FEED_PAGE_LOOKED_MAX ||
	       json_array_size(page->list) >= (most ? most : FEED_PAGE_ROWS_MAX);
}

/* Rows may come and go between two pages, and change what they are told with. What does is among the changes
 * since the first page, which are asked for after the last. */
static int look_at_row(struct page *page, enum kind kind, const void *row)
{
	const struct answer *answer = page->answer;
	const struct share share = share_of(answer->rows, kind, row);
	int r = row_key(kind, row, page->last);

	page->n_looked++;
	if (r < 0 || !is_told(answer, &share) ||
	    (page->since &&
	     !told_nodes_came(answer->told_nodes, &share, answer->question->node, page->since)))
		return r;
	return json_array_append_new(page->list, row_json(page->last, kind, row)) < 0 ? -ENOMEM : 0;
}

static int look_at_kind(struct page *page, enum kind kind, const char *behind)
{
	const void *row = snapshot_behind(page->answer->rows, kind, behind);
	int r = 0;

	while (r == 0 && row && !is_full(page)) {
		r = look_at_row(page, kind, row);
		row = snapshot_next(page->answer->rows, kind, "", row);
	}
	return r;
}

/* `behind`: a key; "": from the beginning. */
static int fill_page(struct page *page, const char *behind)
{
	enum kind first = 0;
	int r = 0;

	if (*behind && kind_of_key(behind, &first) < 0)
		return -EINVAL;
	for (enum kind kind = first; r == 0 && kind < KIND_COUNT_ && !is_full(page); kind++)
		if (share_has_kind(kind))
			r = look_at_kind(page, kind, *behind && kind == first ? strchr(behind, '/') + 1 : "");
	return r;
}

/* A list of what came after `since`, or of everything (0), begins full where it takes the place of all. */
static int answer_page(const struct store *store, const struct answer *answer, uint64_t since,
		       const char *behind, json_t **ret)
{
	struct page page = {.answer = answer, .since = since, .list = json_array()};
	int r = page.list ? fill_page(&page, behind) : -ENOMEM;
	json_t *json;

	if (r < 0) {
		json_decref(page.list);
		return r;
	}
	json = answer_json(store, !since && !*behind, page.list, json_array());
	if (json && json_object_set_new(json, "more", json_string(is_full(&page) ? page.last : "")) < 0) {
		json_decref(json);
		json = NULL;
	}
	*ret = json;
	return json ? 0 : -ENOMEM;
}

/* ---- what has changed ---- */

/* One row, unless it is there already; `row` NULL: it is gone. */
static int tell(struct answer *answer, const char *key, enum kind kind, const void *row)
{
	const json_t *present = json_object_get(answer->told, key);
	size_t most = answer->question->most ? answer->question->most : FEED_ANSWER_ROWS_MAX;
	json_t *json;

	if (present && (!row || !json_is_null(present)))
		return 0;
	if (answer->question->pages && json_object_size(answer->told) >= most)
		return -E2BIG;
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
	return tell(answer, key, kind, is_told(answer, &share) ? row : NULL);
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
	if (!is_told(answer, &share)) {
		if (!told_nodes_concerns(answer->told_nodes, &change->was, answer->question->node,
					 answer->question->after))
			return 0;
		row = NULL;
	}
	return tell(answer, change->key, kind, row);
}

static void note_change(void *context, const struct store_change *change)
{
	struct answer *answer = context;

	if (answer->r == 0 && ++answer->n_notes > FEED_ANSWER_NOTES_MAX && answer->question->pages)
		answer->r = -E2BIG;
	if (answer->r == 0)
		answer->r = tell_change(answer, change);
}

/* What came and was listed is told already. */
static int note_move(void *context, const struct share *share)
{
	struct answer *answer = context;
	const struct feed_question *question = answer->question;

	if (is_told(answer, share)) {
		if (!told_nodes_came(answer->told_nodes, share, question->node,
				     MAX(question->after, question->listed)))
			return 0;
		answer->has_come = true;
	}
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

/* -EOVERFLOW: that is forgotten; -E2BIG: it is more than one answer takes. */
static int answer_since(const struct store *store, struct answer *answer, json_t **ret)
{
	const struct feed_question *question = answer->question;
	int64_t r;

	if (question->after == 0 || question->after > store_durable_revision(store))
		return -EOVERFLOW;
	answer->told = json_object();
	if (!answer->told)
		return -ENOMEM;
	*ret = NULL;
	r = told_nodes_moves(answer->told_nodes, question->node, question->after, note_move, answer);
	if (r == 0)
		r = store_changes(store, question->after, note_change, answer);
	if (r >= 0)
		r = answer->r;
	if (r == 0)
		*ret = sort_out(store, answer->told);
	json_decref(answer->told);
	return r == 0 && !*ret ? -ENOMEM : (int)r;
}

int feed_rows_answer(const struct store *store, const struct feed_question *question, json_t **ret)
{
	struct answer answer = {
		.rows = store_rows(store), .told_nodes = store_told_nodes(store), .question = question};
	bool adds;
	int r;

	if (question->page)
		return answer_page(store, &answer, question->after, question->page, ret);
	r = answer_since(store, &answer, ret);
	if (r != -EOVERFLOW && r != -E2BIG)
		return r;
	if (!question->pages)
		return answer_all(store, &answer, ret);
	/* Whoever asks what has changed since a list of everything would lose it for one of what came. */
	adds = r == -E2BIG && answer.has_come && question->after != question->listed;
	return answer_page(store, &answer, adds ? question->after : 0, "", ret);
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
	search->found = told_nodes_has(store_told_nodes(search->store), &share, search->node) ||
			told_nodes_concerns(store_told_nodes(search->store), &change->was, search->node,
					    search->after);
}

static int found_move(_unused_ void *context, _unused_ const struct share *share)
{
	return -EEXIST;
}

bool feed_rows_concern(const struct store *store, const char *node, uint64_t after)
{
	struct search search = {.store = store, .node = node, .after = after};

	if (told_nodes_moves(store_told_nodes(store), node, after, found_move, NULL) < 0)
		return true;
	return store_changes(store, after, look_for, &search) < 0 || search.found;
}
