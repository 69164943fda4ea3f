/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See list_rows.h.
 */
#include "list_rows.h"

#include "owned.h"

void list_rows_done(struct list_rows *rows)
{
	walk_done(&rows->base);
	walk_done(&rows->found);
}

static bool is_accepted(const struct call *call, const struct list_rows *rows, const void *object)
{
	return object && (!rows->accepts || rows->accepts(call, rows->owned, object));
}

int list_rows_fill(const struct call *call, struct list_rows *rows)
{
	if (rows->owned == KIND_COUNT_)
		return 0;
	for (const void *v = NULL; (v = owned_next(call, rows->owned, v));) {
		int r = is_accepted(call, rows, v) ? walk_add(&rows->base, rows->ref, snapshot_id(v), "") : 0;

		if (r < 0)
			return r;
		rows->n_owned++;
	}
	rows->owned = KIND_COUNT_;
	return 0;
}

bool list_rows_has(const struct call *call, const struct list_rows *rows, const void *row)
{
	char text[UID_TEXT_SIZE];

	if (rows->owned == KIND_COUNT_)
		return walk_has(&rows->base, row);
	return is_accepted(call, rows, owned_row(call, rows->owned, relation_id(rows->ref, row, 0, text)));
}

/* How many parameters the call has that can filter. */
static size_t count_filters(const struct call *call, const struct listing *listing)
{
	static const char *const others[] = {"RegionId", "NextToken", "MaxResults", "PageNumber", "PageSize"};
	size_t n = listing->wanted ? json_object_size(call->params) : 0;

	for (size_t i = 0; n > 0 && i < ARRAY_SIZE(others); i++)
		n -= json_object_get(call->params, others[i]) != NULL;
	return n > 0 && listing->of && json_object_get(call->params, listing->of) ? n - 1 : n;
}

static int add_id(struct walk *walk, const struct list_filter *filter, const char *id)
{
	if (!*id)
		return 0;
	return filter->ref == REF_COUNT_ ? walk_add_row(walk, id) : walk_add(walk, filter->ref, id, "");
}

/* The ids of a text with commas. */
static int add_ids(struct walk *walk, const struct list_filter *filter, const char *text)
{
	if (!filter->has_commas)
		return add_id(walk, filter, text);
	while (*text) {
		size_t length = strcspn(text, ",");
		char id[ID_SIZE];
		int r;

		if (length > 0 && length < sizeof(id)) {
			memcpy(id, text, length);
			id[length] = '\0';
			r = add_id(walk, filter, id);
			if (r < 0)
				return r;
		}
		text += length + (text[length] == ',');
	}
	return 0;
}

/* What the filter lets through, if the call has it: 1; else 0. */
static int filtered(const struct call *call, const struct list_filter *filter, struct walk *ret)
{
	const json_t *param = json_object_get(call->params, filter->param), *entry;
	size_t i;
	int r;

	if (json_is_string(param) && json_string_length(param) > 0) {
		r = add_ids(ret, filter, json_string_value(param));
		return r < 0 ? r : 1;
	}
	if (!json_is_array(param))
		return 0;
	json_array_foreach(param, i, entry) {
		r = add_id(ret, filter, json_is_string(entry) ? json_string_value(entry) : "");
		if (r < 0)
			return r;
	}
	return 1;
}

/* Whether the filter alone decides what is in the list: it names one object, which is the caller's. */
static bool is_whole(const struct call *call, const struct list_filter *filter)
{
	const json_t *param = json_object_get(call->params, filter->param);
	const char *id = json_string_value(json_array_size(param) == 1 ? json_array_get(param, 0) : param);
	enum kind kind;

	return filter->is_one_owners && id && relation_parent(filter->ref, id, &kind) == 0 &&
	       owned_row(call, kind, id);
}

static void take(struct list_rows *rows, struct walk *walk)
{
	walk_done(&rows->found);
	rows->found = *walk;
	rows->is_narrowed = true;
	*walk = (struct walk){};
}

/* Finds the filter with the fewest rows, among those and `base`. */
static int narrow(const struct call *call, struct list_rows *rows, size_t n_filters)
{
	const struct list_filter *filter = rows->listing->filters;
	size_t fewest = rows->owned == KIND_COUNT_ ? walk_count(&rows->base) : SIZE_MAX;

	for (; filter && filter->param; filter++) {
		_cleanup_(walk_done) struct walk walk = {.rows = call->rows, .kind = rows->listing->kind};
		int r = filtered(call, filter, &walk);

		if (r < 0)
			return r;
		if (r == 0)
			continue;
		if (n_filters == 1 && is_whole(call, filter)) {
			take(rows, &walk);
			rows->checks_filters = rows->checks_base = false;
			return 0;
		}
		if (walk_count(&walk) >= fewest)
			continue;
		fewest = walk_count(&walk);
		take(rows, &walk);
		rows->checks_base = true;
	}
	return 0;
}

int list_rows_find(const struct call *call, struct list_rows *rows)
{
	const struct listing *listing = rows->listing;
	size_t n_filters = count_filters(call, listing);
	int r = 0;

	rows->checks_filters = n_filters > 0;
	if (n_filters > 0)
		r = narrow(call, rows, n_filters);
	if (r == 0 && !rows->is_narrowed)
		r = list_rows_fill(call, rows);
	rows->checks_there = listing->there && !(listing->all_there && listing->all_there(call));
	rows->is_counted = !rows->checks_filters && !rows->checks_base && !rows->checks_there;
	return r;
}
