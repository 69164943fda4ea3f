/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages are kept as texts, which take a tenth of what they take as JSON in memory. Those of a full list
 * become rows as they come, so that all that is left to do at its end is to put these in the place of the
 * others. Those of a list that adds to the rows that are there are parsed once more then.
 */
#include "feed_list.h"

#include "../lib/vec.h"

void feed_list_clear(struct feed_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->parts[i].body);
	free(list->parts);
	if (list->rows)
		snapshot_clear_breathing(list->rows, &list->breath);
	snapshot_free(list->rows);
	*list = (struct feed_list){.breath = list->breath, .hearer = list->hearer};
}

/* Of a full list. */
static int make_rows(struct feed_list *list, const struct feed_answer *page)
{
	int r = list->rows ? 0 : snapshot_new(&list->rows);

	list->told.touched.whole = true;
	return r < 0 ? r : feed_answer_apply(page, list->rows, &list->breath, &list->told);
}

int feed_list_add(struct feed_list *list, const struct feed_answer *page, const char *body, size_t size)
{
	bool begins = !*list->next;
	char *copy;

	if (begins && list->n > 0 && list->is_full && !page->is_full)
		return -EPROTO;
	if (begins)
		feed_list_clear(list);
	if (list->bytes + size > FEED_LIST_BYTES_MAX)
		return -E2BIG;
	if (VEC_ROOM(list->parts, list->n, list->size) < 0)
		return -ENOMEM;
	copy = malloc(size + 1);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, body, size);
	copy[size] = '\0';
	if (begins) {
		list->is_full = page->is_full;
		list->listed = page->revision;
	}
	list->parts[list->n++] = (struct feed_part){copy, size};
	list->bytes += size;
	(void)str_copy(list->next, sizeof(list->next), page->next);
	return list->is_full ? make_rows(list, page) : 0;
}

static int apply_part(const struct feed_part *part, struct snapshot *snapshot, const struct breath *breath,
		      struct feed_rows *all)
{
	_cleanup_(feed_answer_done) struct feed_answer answer = {};
	int r = feed_answer_parse(part->body, part->size, &answer);

	breathe(breath);
	return r < 0 ? r : feed_answer_apply(&answer, snapshot, breath, all);
}

static int apply_full(struct feed_list *list, const struct feed_answer *last, struct snapshot *snapshot,
		      struct feed_rows *ret)
{
	int r = make_rows(list, last);

	if (r < 0)
		return r;
	snapshot_swap(snapshot, list->rows);
	*ret = list->told;
	return 0;
}

int feed_list_apply(struct feed_list *list, const struct feed_answer *last, struct snapshot *snapshot,
		    struct feed_rows *ret)
{
	int r = 0;

	if (list->is_full)
		return apply_full(list, last, snapshot, ret);
	*ret = (struct feed_rows){.touched.hearer = list->hearer};
	for (size_t i = 0; r == 0 && i < list->n; i++)
		r = apply_part(&list->parts[i], snapshot, &list->breath, ret);
	if (r == 0)
		r = feed_answer_apply(last, snapshot, &list->breath, ret);
	if (r < 0)
		snapshot_set_revision(snapshot, 0);
	return r;
}

bool feed_list_has_instance(const struct feed_list *list, const char (*ids)[ID_SIZE], size_t n)
{
	for (size_t i = 0; i < list->n; i++) {
		_cleanup_(feed_answer_done) struct feed_answer answer = {};

		breathe(&list->breath);
		if (feed_answer_parse(list->parts[i].body, list->parts[i].size, &answer) == 0 &&
		    feed_answer_has_instance(&answer, ids, n))
			return true;
	}
	return false;
}
