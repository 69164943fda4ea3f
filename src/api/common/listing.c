/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See listing.h.
 */
#include "listing.h"

#include "../../schema/limits.h"
#include "owned.h"
#include "tags.h"

void answer_object_row(const struct call *call, json_t *object, const struct answer_field *fields,
		       enum kind kind, const void *row)
{
	const struct answer_field *tags = answer_find(fields, "Tags");

	answer_row(object, fields, kind, row);
	if (tags && tags->kind == ANSWER_TAGS)
		tags_answer(call, object, fields, snapshot_id(row));
}

/* What of the list has been answered so far. */
struct progress {
	struct page page;
	const struct answer_field *field;
	json_t *list;
};

static int begin(struct call *call, struct progress *progress)
{
	int r;

	r = page_begin(call, &progress->page);
	if (r < 0)
		return r;
	progress->field = answer_only_list(call->action->answer);
	progress->list = answer_list(call->answer, call->action->answer, progress->field->name);
	return 0;
}

static void step(struct call *call, const struct listing *listing, struct progress *progress, const void *row)
{
	json_t *item;

	if (!page_match(&progress->page, snapshot_id(row)) || (listing->there && !listing->there(call, row)))
		return;
	item = shape_item(progress->list);
	answer_object_row(call, item, progress->field->members, listing->kind, row);
	if (listing->add)
		listing->add(call, item, row);
	if (listing->looks)
		call->n_rows += listing->looks(call, row);
}

static bool is_match(const struct call *call, const struct list_rows *rows, const void *row)
{
	const struct listing *listing = rows->listing;

	return (!rows->checks_base || list_rows_has(call, rows, row)) &&
	       (!rows->checks_there || listing->there(call, row)) &&
	       (!rows->checks_filters || listing->wanted(call, row));
}

static void answer(struct call *call, struct list_rows *rows, struct progress *progress)
{
	struct walk *walk = rows->is_narrowed ? &rows->found : &rows->base;
	struct page *page = &progress->page;
	const void *row;

	if (rows->is_counted)
		page_count(page, walk_count(walk));
	walk_begin(walk, page_from(page), page_skip(page));
	while (!page_is_done(page) && (row = walk_next(walk)))
		if (is_match(call, rows, row))
			step(call, rows->listing, progress, row);
	call->n_rows += rows->n_owned + walk->n_rows;
	page_end(call, page);
}

static bool has_too_many(const json_t *ids)
{
	size_t n = 1;

	/* Nor is it longer: each row's id is compared with all of it. */
	if (json_string_length(ids) > LISTED_IDS_MAX * ID_SIZE)
		return true;
	for (const char *s = json_string_value(ids); s && (s = strchr(s, ',')); s++)
		n++;
	return n > LISTED_IDS_MAX;
}

static int check_commas(struct call *call, const struct listing *listing)
{
	const struct list_filter *filter = listing->filters;
	char detail[64];

	(void)str_format(detail, sizeof(detail), "It takes at most %d ids, with commas between them.",
			 LISTED_IDS_MAX);
	for (; filter && filter->param; filter++)
		if (filter->has_commas && has_too_many(json_object_get(call->params, filter->param)))
			return call_fail_param(call, filter->param, detail);
	return 0;
}

static int list(struct call *call, struct list_rows *rows)
{
	struct progress progress;
	int r;

	r = check_commas(call, rows->listing);
	if (r == 0)
		r = begin(call, &progress);
	if (r == 0)
		r = list_rows_find(call, rows);
	if (r == 0)
		answer(call, rows, &progress);
	return r;
}

/* Without rows yet. */
static struct list_rows rows_of(const struct call *call, const struct listing *listing)
{
	return (struct list_rows){
		.listing = listing,
		.base = {.rows = call->rows, .kind = listing->kind},
		.owned = KIND_COUNT_,
	};
}

int list_owned(struct call *call, const struct listing *listing)
{
	_cleanup_(list_rows_done) struct list_rows rows = rows_of(call, listing);
	char uid[UID_TEXT_SIZE];
	int r;

	relation_uid(call->account->uid, uid);
	r = walk_add(&rows.base, relation_owner(listing->kind), uid, call->region);
	return r < 0 ? r : list(call, &rows);
}

int list_children(struct call *call, const struct listing *listing, enum ref ref, const char *id)
{
	_cleanup_(list_rows_done) struct list_rows rows = rows_of(call, listing);
	int r;

	r = walk_add(&rows.base, ref, id, "");
	return r < 0 ? r : list(call, &rows);
}

int list_of_owned(struct call *call, const struct listing *listing, enum ref ref, enum kind owned,
		  list_accepts accepts)
{
	_cleanup_(list_rows_done) struct list_rows rows = rows_of(call, listing);

	rows.ref = ref;
	rows.owned = owned;
	rows.accepts = accepts;
	return list(call, &rows);
}

int list_all(struct call *call, const struct listing *listing)
{
	_cleanup_(list_rows_done) struct list_rows rows = rows_of(call, listing);
	int r;

	r = walk_add_all(&rows.base);
	return r < 0 ? r : list(call, &rows);
}

int list_walk(struct call *call, const struct listing *listing, struct walk *walk)
{
	_cleanup_(list_rows_done) struct list_rows rows = rows_of(call, listing);

	walk_done(&rows.base);
	rows.base = *walk;
	*walk = (struct walk){};
	return list(call, &rows);
}
