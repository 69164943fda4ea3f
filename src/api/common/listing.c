/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See listing.h.
 */
#include "listing.h"

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

	if ((listing->wanted && !listing->wanted(call, row)) ||
	    !page_match(&progress->page, snapshot_id(row)))
		return;
	item = shape_item(progress->list);
	answer_object_row(call, item, progress->field->members, listing->kind, row);
	if (listing->add)
		listing->add(call, item, row);
}

static int end(struct call *call, struct progress *progress)
{
	page_end(call, &progress->page);
	return 0;
}

int list_owned(struct call *call, const struct listing *listing)
{
	struct progress progress;
	int r;

	r = begin(call, &progress);
	if (r < 0)
		return r;
	for (const void *row = NULL; (row = owned_next(call, listing->kind, row));)
		step(call, listing, &progress, row);
	return end(call, &progress);
}

static void children(struct call *call, const struct listing *listing, struct progress *progress,
		     enum ref ref, const char *id)
{
	for (const void *row = NULL; (row = snapshot_children(call->rows, ref, id, row));)
		step(call, listing, progress, row);
}

int list_children(struct call *call, const struct listing *listing, enum ref ref, const char *id)
{
	struct progress progress;
	int r;

	r = begin(call, &progress);
	if (r < 0)
		return r;
	children(call, listing, &progress, ref, id);
	return end(call, &progress);
}

int list_of_owned(struct call *call, const struct listing *listing, enum ref ref, enum kind owned)
{
	struct progress progress;
	int r;

	r = begin(call, &progress);
	if (r < 0)
		return r;
	for (const void *row = NULL; (row = owned_next(call, owned, row));)
		children(call, listing, &progress, ref, snapshot_id(row));
	return end(call, &progress);
}

int list_all(struct call *call, const struct listing *listing)
{
	struct progress progress;
	int r;

	r = begin(call, &progress);
	if (r < 0)
		return r;
	for (const void *row = NULL; (row = snapshot_next(call->rows, listing->kind, "", row));)
		step(call, listing, &progress, row);
	return end(call, &progress);
}

int list_gathered(struct call *call, const struct listing *listing, const struct gathered *rows)
{
	struct progress progress;
	int r;

	r = begin(call, &progress);
	if (r < 0)
		return r;
	for (size_t i = 0; i < rows->n; i++)
		step(call, listing, &progress, rows->rows[i]);
	return end(call, &progress);
}
