/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys are compared as bytes, as the kernel does it. The order that this gives means nothing, it only has to
 * be the same on both sides of the walk.
 */
#include "rowset.h"

#include "../lib/vec.h"

#define COMPARISONS_PER_BREATH 4096

struct rowset rowset_make(size_t key_size, size_t value_size)
{
	return (struct rowset){.key_size = key_size, .value_size = value_size};
}

void rowset_done(struct rowset *set)
{
	free(set->data);
	set->data = NULL;
	set->n = set->size = 0;
}

void rowset_clear(struct rowset *set)
{
	set->n = 0;
}

static size_t row_size(const struct rowset *set)
{
	return set->key_size + set->value_size;
}

static uint8_t *row_at(const struct rowset *set, size_t i)
{
	return set->data + i * row_size(set);
}

int rowset_append(struct rowset *set, const void *key, const void *value)
{
	uint8_t *data = vec_room(set->data, set->n, &set->size, row_size(set));

	if (!data)
		return -ENOMEM;
	set->data = data;
	memcpy(row_at(set, set->n), key, set->key_size);
	memcpy(row_at(set, set->n) + set->key_size, value, set->value_size);
	set->n++;
	return 0;
}

struct sorting {
	size_t key_size;
	const struct breath *breath;
	unsigned int n; /* comparisons so far */
};

static int compare_rows(const void *a, const void *b, void *context)
{
	struct sorting *sorting = context;

	if (++sorting->n % COMPARISONS_PER_BREATH == 0)
		breathe(sorting->breath);
	return memcmp(a, b, sorting->key_size);
}

void rowset_sort(struct rowset *set)
{
	rowset_sort_breathing(set, NULL);
}

void rowset_sort_breathing(struct rowset *set, const struct breath *breath)
{
	struct sorting sorting = {.key_size = set->key_size, .breath = breath};
	size_t kept = 0;

	if (set->n < 2)
		return;
	qsort_r(set->data, set->n, row_size(set), compare_rows, &sorting);
	breathe(breath);
	for (size_t i = 1; i < set->n; i++) {
		if (memcmp(row_at(set, kept), row_at(set, i), set->key_size) != 0)
			kept++;
		if (kept != i)
			memcpy(row_at(set, kept), row_at(set, i), row_size(set));
	}
	set->n = kept + 1;
}

size_t rowset_place(const struct rowset *set, const void *key, size_t size)
{
	return LOWER_BOUND(i, set->n, memcmp(row_at(set, i), key, size) < 0);
}

static int reserve(struct rowset *set, size_t n)
{
	uint8_t *data;

	if (n <= set->size)
		return 0;
	data = reallocarray(set->data, n, row_size(set));
	if (!data)
		return -ENOMEM;
	set->data = data;
	set->size = n;
	return 0;
}

static size_t count_missing(const struct rowset *set, const struct rowset *rows)
{
	size_t n = 0;

	for (size_t i = 0; i < rows->n; i++)
		n += !rowset_find(set, rowset_key(rows, i));
	return n;
}

/* From the back, so that each block goes where nothing is needed any more. */
int rowset_put_all(struct rowset *set, const struct rowset *rows)
{
	size_t end = set->n, left = count_missing(set, rows);

	if (reserve(set, set->n + left) < 0)
		return -ENOMEM;
	set->n += left;
	for (size_t i = rows->n; i-- > 0;) {
		const uint8_t *key = rowset_key(rows, i);
		size_t place = LOWER_BOUND(j, end, memcmp(row_at(set, j), key, set->key_size) < 0);
		bool is_there = place < end && memcmp(row_at(set, place), key, set->key_size) == 0;

		if (left > 0)
			memmove(row_at(set, place + left), row_at(set, place), (end - place) * row_size(set));
		end = place;
		left -= !is_there;
		memcpy(row_at(set, place + left), key, row_size(set));
	}
	return 0;
}

void rowset_remove_all(struct rowset *set, const struct rowset *keys)
{
	size_t kept = 0, from = 0;

	for (size_t i = 0; i <= keys->n; i++) {
		size_t to = i < keys->n ? rowset_place(set, rowset_key(keys, i), set->key_size) : set->n;

		if (kept != from)
			memmove(row_at(set, kept), row_at(set, from), (to - from) * row_size(set));
		kept += to - from;
		from = to;
		if (i < keys->n && to < set->n &&
		    memcmp(row_at(set, to), rowset_key(keys, i), set->key_size) == 0)
			from++;
	}
	set->n = kept;
}

const void *rowset_find(const struct rowset *set, const void *key)
{
	size_t i = rowset_place(set, key, set->key_size);

	return i < set->n && memcmp(row_at(set, i), key, set->key_size) == 0 ? rowset_value(set, i) : NULL;
}

int rowset_diff(const struct rowset *is, const struct rowset *wanted, rowset_callback callback, void *context)
{
	size_t i = 0, w = 0;
	int order, r = 0;

	while (r >= 0 && (i < is->n || w < wanted->n)) {
		if (i == is->n)
			order = 1;
		else if (w == wanted->n)
			order = -1;
		else
			order = memcmp(row_at(is, i), row_at(wanted, w), is->key_size);

		if (order < 0) {
			r = callback(context, ROW_DELETE, rowset_key(is, i), rowset_value(is, i));
			i++;
		} else if (order > 0) {
			r = callback(context, ROW_ADD, rowset_key(wanted, w), rowset_value(wanted, w));
			w++;
		} else {
			if (memcmp(rowset_value(is, i), rowset_value(wanted, w), is->value_size) != 0)
				r = callback(context, ROW_UPDATE, rowset_key(wanted, w),
					     rowset_value(wanted, w));
			i++;
			w++;
		}
	}
	return r < 0 ? r : 0;
}
