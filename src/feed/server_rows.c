/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A row that changed often is told once, as it is now. One that is gone, or is told to others now, is told by
 * its key to the nodes that may have it: those that are told of the share that it was of, or were so after
 * the revision that is built upon. Where a row comes, goes or moves to another share, what is told with it
 * does so, too, whether that has changed or not.
 *
 * What one answer does not take is a list, which goes on until one takes the rest: what came and left, where
 * that is much, by a walk of its shares, then what changed, by revision, with whatever came and left
 * meanwhile. Each page tells its rows as they are by then, and all that has become of them since is still to
 * come. So the list is what the last answer says it is, and never begins again. It ends, as fast as rows may
 * change: after every so many answers that did not take the rest, one takes twice as much.
 */
#include "server_rows.h"

#include <stdio.h>

#include "../lib/util.h"

#define ROW_COST     16	 /* keys that are gone */
#define DOUBLING_MAX 20u /* more than there ever is */

/* How far a list is. That goes with its pages, as word for the next one; what is told outside of a list has
 * come as far as the question says. */
struct place {
	uint64_t since;	  /* it builds upon what was told then; of everything: upon nothing, and began then */
	uint64_t base;	  /* the walk tells what came and left since then; 0: everything */
	uint64_t moved;	  /* what came and left up to there is told, or the walk tells it */
	uint64_t changed; /* what changed up to there is told */
	unsigned int n;	  /* answers that did not take the rest */
	/* Where the walk is. TOLD_NOBODY: there is none. */
	struct share share;
	struct share_place row;
};

struct answer {
	const struct snapshot *rows;
	const struct told_nodes *told_nodes;
	const struct feed_question *question;
	struct place at;
	json_t *told; /* by key: a row, or null for one that is gone */
	size_t cost, n_notes;
	uint64_t last; /* the revision of the change that was looked at last */
	bool is_cut;   /* there are more */
	int r;
};

/* As nodes are told of it. A rule's long description is left out: no node reads it, and an agent of before it
 * could be so long would pass over the whole rule. */
static json_t *value_json(enum kind kind, const void *row)
{
	const struct sg_rule *rule = row;
	struct sg_rule told;

	if (kind != KIND_SG_RULE || strlen(rule->description) < TEXT_SIZE)
		return row_to_json(kind, row);
	told = *rule;
	told.description = "";
	return row_to_json(kind, &told);
}

static json_t *row_json(const char *key, enum kind kind, const void *row)
{
	const struct row_meta *meta = row; /* the first member of every row */

	return json_pack("{s:s, s:I, s:I, s:o}", "key", key, "created", (json_int_t)meta->created, "revision",
			 (json_int_t)meta->modified, "value", value_json(kind, row));
}

static json_t *answer_at(uint64_t revision, bool full, json_t *rows, json_t *deleted)
{
	return json_pack("{s:I, s:b, s:o, s:o}", "revision", (json_int_t)revision, "full", full, "rows", rows,
			 "deleted", deleted);
}

static json_t *answer_json(const struct store *store, bool full, json_t *rows, json_t *deleted)
{
	return answer_at(store_durable_revision(store), full, rows, deleted);
}

/* The answer becomes a page. */
static json_t *with_more(json_t *json, const char *word)
{
	if (json && json_object_set_new(json, "more", json_string(word)) == 0)
		return json;
	json_decref(json);
	return NULL;
}

/* "" where there is no walk. */
static int format_walk(const struct place *at, char *ret, size_t size)
{
	size_t used = 0;
	int r = 0;

	*ret = '\0';
	if (at->share.to != TOLD_NOBODY)
		r = str_format(ret, size, "%d/%s", (int)at->share.to, at->share.id);
	for (size_t i = 0; r >= 0 && i < at->row.n; i++) {
		used += (size_t)r;
		r = str_format(ret + used, size - used, "\n%s/%s", kind_info(at->row.steps[i].kind)->name,
			       at->row.steps[i].id);
	}
	return r;
}

static json_t *with_place(json_t *json, const struct place *at)
{
	char walk[KEY_SIZE], word[KEY_SIZE]; /* what is told is short of that by far */

	if (format_walk(at, walk, sizeof(walk)) < 0 ||
	    str_format(word, sizeof(word), "%llu.%llu.%llu.%llu.%u/%s", (unsigned long long)at->since,
		       (unsigned long long)at->base, (unsigned long long)at->moved,
		       (unsigned long long)at->changed, at->n, walk) < 0) {
		json_decref(json);
		return NULL;
	}
	return with_more(json, word);
}

static int parse_share(const char *text, struct share *ret)
{
	if (text[0] <= '0' + TOLD_NOBODY || text[0] > '0' + TOLD_SERVICE || text[1] != '/')
		return -EINVAL;
	ret->to = (enum told_to)(text[0] - '0');
	return MIN(str_copy(ret->id, sizeof(ret->id), text + 2), 0);
}

/* The text is used up. */
static int parse_walk(char *text, struct place *ret)
{
	char *rest = text, *line = strsep(&rest, "\n");
	int r = *line ? parse_share(line, &ret->share) : 0;

	while (r == 0 && rest) {
		struct share_step *step = &ret->row.steps[ret->row.n];

		line = strsep(&rest, "\n");
		if (ret->share.to == TOLD_NOBODY || ret->row.n++ == SHARE_DEPTH)
			return -EINVAL;
		r = kind_of_key(line, &step->kind);
		if (r == 0)
			r = MIN(str_copy(step->id, sizeof(step->id), strchr(line, '/') + 1), 0);
	}
	return r < 0 ? -EINVAL : 0;
}

static int parse_place(const char *word, struct place *ret)
{
	unsigned long long since, base, moved, changed;
	char walk[KEY_SIZE];
	unsigned int n;
	int used = 0;

	if (sscanf(word, "%llu.%llu.%llu.%llu.%u/%n", &since, &base, &moved, &changed, &n, &used) != 5 ||
	    !used || str_copy(walk, sizeof(walk), word + used) < 0)
		return -EINVAL;
	*ret = (struct place){.since = since, .base = base, .moved = moved, .changed = changed, .n = n};
	return parse_walk(walk, ret);
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

/* ---- the walk ---- */

struct page {
	struct answer *answer;
	json_t *rows, *deleted;
	size_t n_looked;
};

static bool is_full(const struct page *page)
{
	size_t most = page->answer->question->most;

	return page->n_looked >= FEED_PAGE_LOOKED_MAX ||
	       json_array_size(page->rows) >= (most ? most : FEED_PAGE_ROWS_MAX);
}

/* Rows may come and go between two pages, and change what they are told with. What does is among the changes
 * that are told behind the walk. 1: the page is full. */
static int look_at_row(void *context, enum kind kind, const void *row)
{
	struct page *page = context;
	const struct answer *answer = page->answer;
	const char *node = answer->question->node;
	const struct share share = share_of(answer->rows, kind, row);
	uint64_t base = answer->at.base;
	char key[KEY_SIZE];
	int r = row_key(kind, row, key);

	page->n_looked++;
	if (r < 0)
		return r;
	if (!is_told(answer, &share)) {
		if (base && told_nodes_concerns(answer->told_nodes, &share, node, base))
			r = json_array_append_new(page->deleted, json_string(key));
	} else if (!base || told_nodes_came(answer->told_nodes, &share, node, base)) {
		r = json_array_append_new(page->rows, row_json(key, kind, row));
	}
	return r < 0 ? -ENOMEM : is_full(page);
}

static void go_to(struct place *at, const struct share *share)
{
	if (share_compare(share, &at->share) > 0)
		at->row.n = 0;
	at->share = *share;
}

/* From where the walk is, if that is not behind it. */
static int look_at_share(struct page *page, const struct share *share)
{
	struct place *at = &page->answer->at;

	if (share_compare(share, &at->share) < 0)
		return 0;
	go_to(at, share);
	return share_walk_behind(page->answer->rows, share, &at->row, look_at_row, page);
}

/* Shares that it is told of whatever ports it has: these neither come nor leave. */
static int look_at_constant(struct page *page)
{
	const struct share all = {.to = TOLD_ALL};
	struct share own = {.to = TOLD_NODE};
	int r;

	if (page->answer->at.base)
		return 0;
	(void)str_copy(own.id, sizeof(own.id), page->answer->question->node);
	r = look_at_share(page, &all);
	return r ? r : look_at_share(page, &own);
}

/* One that is passed over, or has no rows, costs a look, too. */
static int look_at_told(void *context, const struct share *share, bool is_asked)
{
	struct page *page = context;
	int r = 0;

	page->n_looked++;
	if (is_asked)
		r = look_at_share(page, share);
	else
		go_to(&page->answer->at, share);
	return r ? r : is_full(page);
}

/* 1: there is more. */
static int fill_page(struct page *page)
{
	const struct answer *answer = page->answer;
	const struct share first = answer->at.share;
	int r = page->rows && page->deleted ? look_at_constant(page) : -ENOMEM;

	return r ? r
		 : told_nodes_shares(answer->told_nodes, answer->question->node, answer->at.base, &first,
				     look_at_told, page);
}

/* A list of everything takes the place of all that the node has: its first page says so. */
static int answer_walk(const struct store *store, struct answer *answer, json_t **ret)
{
	struct page page = {.answer = answer, .rows = json_array(), .deleted = json_array()};
	bool begins_all = !answer->at.base && answer->at.share.to == TOLD_NOBODY;
	int r = fill_page(&page);

	if (r < 0) {
		json_decref(page.rows);
		json_decref(page.deleted);
		return r;
	}
	if (r == 0) {
		answer->at.share = (struct share){};
		answer->at.row.n = 0;
	}
	*ret = with_place(answer_json(store, begins_all, page.rows, page.deleted), &answer->at);
	return *ret ? 0 : -ENOMEM;
}

static int begin_all(const struct store *store, struct answer *answer, json_t **ret)
{
	uint64_t revision = store_durable_revision(store);

	answer->at = (struct place){.since = revision, .moved = revision, .changed = revision};
	return answer_walk(store, answer, ret);
}

/* What came and left since the last answer is too much for one. */
static int begin_walk(const struct store *store, struct answer *answer, json_t **ret)
{
	answer->at.base = answer->at.moved;
	answer->at.moved = store_durable_revision(store);
	answer->at.n++;
	return answer_walk(store, answer, ret);
}

/* ---- what has changed ---- */

/* Whether the answer takes no more. */
static bool is_enough(const struct answer *answer)
{
	const struct feed_question *question = answer->question;
	unsigned int doubling = MIN(answer->at.n / FEED_PAGES_DOUBLE, DOUBLING_MAX);
	size_t most = question->most ? question->most : FEED_ANSWER_ROWS_MAX;

	return question->pages && (answer->cost >= (most * ROW_COST) << doubling ||
				   answer->n_notes >= (size_t)FEED_ANSWER_NOTES_MAX << doubling);
}

/* One row, unless it is there already; `row` NULL: it is gone. */
static int tell(struct answer *answer, const char *key, enum kind kind, const void *row)
{
	const json_t *present = json_object_get(answer->told, key);
	json_t *json;

	if (present && (!row || !json_is_null(present)))
		return 0;
	answer->cost += row ? ROW_COST : 1;
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
	if (is_enough(answer))
		return -E2BIG;
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
					 answer->at.since))
			return 0;
		row = NULL;
	}
	return tell(answer, change->key, kind, row);
}

/* All of a revision or nothing, as a list goes on by revisions. */
static void note_change(void *context, const struct store_change *change)
{
	struct answer *answer = context;

	if (change->revision > answer->last)
		answer->is_cut = answer->is_cut || is_enough(answer);
	if (answer->is_cut || answer->r < 0)
		return;
	answer->last = change->revision;
	answer->n_notes++;
	answer->r = tell_change(answer, change);
}

/* One without rows costs something, too. */
static int note_move(void *context, const struct share *share)
{
	struct answer *answer = context;

	if (is_enough(answer))
		return -E2BIG;
	answer->cost++;
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

/* Moves first, and all of them: they are told as they are by now. -E2BIG: they are too much. -EOVERFLOW: some
 * changes are forgotten. */
static int gather(const struct store *store, struct answer *answer)
{
	int64_t r = told_nodes_moves(answer->told_nodes, answer->question->node, answer->at.moved, note_move,
				     answer);

	answer->last = answer->at.changed;
	if (r == 0)
		r = store_changes(store, answer->at.changed, note_change, answer);
	return r < 0 ? (int)r : answer->r;
}

/* The rest; or a page, with what comes first of it. */
static int answer_since(const struct store *store, struct answer *answer, json_t **ret)
{
	int r;

	answer->told = json_object();
	if (!answer->told)
		return -ENOMEM;
	r = gather(store, answer);
	*ret = r == 0 ? sort_out(store, answer->told) : NULL;
	json_decref(answer->told);
	if (r == -E2BIG)
		return begin_walk(store, answer, ret);
	if (r == 0 && answer->is_cut) {
		answer->at.moved = store_durable_revision(store);
		answer->at.changed = answer->last;
		answer->at.n++;
		*ret = with_place(*ret, &answer->at);
	}
	return r == 0 && !*ret ? -ENOMEM : r;
}

/* Whether it is not known any more what the node was told of, or never was. */
static bool is_forgotten(const struct store *store, const struct answer *answer)
{
	const struct place *at = &answer->at;

	return at->since == 0 ||
	       MAX(MAX(at->moved, at->changed), at->since) > store_durable_revision(store) ||
	       !told_nodes_knows(answer->told_nodes, answer->question->node, at->since);
}

/* -EOVERFLOW: what was told before is forgotten. */
static int go_on(const struct store *store, struct answer *answer, json_t **ret)
{
	if (is_forgotten(store, answer))
		return -EOVERFLOW;
	return answer->at.share.to != TOLD_NOBODY ? answer_walk(store, answer, ret)
						  : answer_since(store, answer, ret);
}

/* A list that cannot go on has a last page, behind which the node asks what has changed since it began, and
 * is given everything. */
static int break_off(const struct store *store, json_t **ret)
{
	*ret = with_more(answer_json(store, false, json_array(), json_array()), "");
	return *ret ? 0 : -ENOMEM;
}

int feed_rows_answer(const struct store *store, const struct feed_question *question, json_t **ret)
{
	struct answer answer = {
		.rows = store_rows(store),
		.told_nodes = store_told_nodes(store),
		.question = question,
		.at = {.since = question->after, .moved = question->after, .changed = question->after},
	};
	int r = question->page ? parse_place(question->page, &answer.at) : 0;

	if (r == 0)
		r = go_on(store, &answer, ret);
	if (r != -EOVERFLOW)
		return r;
	if (question->page)
		return break_off(store, ret);
	return question->pages ? begin_all(store, &answer, ret) : answer_all(store, &answer, ret);
}

json_t *feed_rows_nothing(uint64_t after)
{
	return answer_at(after, false, json_array(), json_array());
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

bool feed_rows_concern(const struct store *store, const char *node, uint64_t after)
{
	struct search search = {.store = store, .node = node, .after = after};

	if (told_nodes_has_moved(store_told_nodes(store), node, after))
		return true;
	return store_changes(store, after, look_for, &search) < 0 || search.found;
}
