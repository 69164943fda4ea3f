/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A merge of sorted walks by a binary heap of their next rows.
 */
#include "walk.h"

#include "../../lib/vec.h"

void walk_done(struct walk *walk)
{
	free(walk->sources);
	*walk = (struct walk){};
}

int walk_add(struct walk *walk, enum ref ref, const char *id, const char *within)
{
	struct walk_source source = {.ref = ref, .within = within};
	int r;

	if (str_copy(source.id, sizeof(source.id), id) < 0)
		return 0;
	r = VEC_ROOM(walk->sources, walk->n, walk->size);
	if (r == 0)
		walk->sources[walk->n++] = source;
	return r;
}

int walk_add_row(struct walk *walk, const char *id)
{
	return *id ? walk_add(walk, REF_COUNT_, id, "") : 0;
}

int walk_add_all(struct walk *walk)
{
	return walk_add(walk, REF_COUNT_, "", "");
}

int walk_add_wholes(struct walk *walk, enum ref ref, const char *id, const char *within)
{
	size_t n = walk->n;
	int r = walk_add(walk, ref, id, within);

	if (r == 0 && walk->n > n)
		walk->sources[n].of_parts = true;
	return r;
}

static size_t count_of(const struct walk *walk, const struct walk_source *source)
{
	if (source->ref != REF_COUNT_)
		return snapshot_count_children_in(walk->rows, source->ref, source->id, source->within);
	return *source->id ? 1 : snapshot_count(walk->rows, walk->kind, "");
}

size_t walk_count(const struct walk *walk)
{
	size_t n = 0;

	for (size_t i = 0; i < walk->n; i++)
		n += count_of(walk, &walk->sources[i]);
	return n;
}

static bool names(enum ref ref, const void *row, const char *id)
{
	char text[UID_TEXT_SIZE];
	const char *named;

	if (!relation_info(ref)->member)
		return streq(snapshot_id(row), id);
	for (size_t n = 0; (named = relation_id(ref, row, n, text)); n++)
		if (streq(named, id))
			return true;
	return false;
}

static bool is_named(const struct walk_source *source, const void *row)
{
	return names(source->ref, row, source->id) &&
	       (!*source->within || streq(source->within, relation_within(source->ref, row)));
}

/* By which the source's rows name what they are a part of. */
static enum ref whole_of(const struct walk_source *source)
{
	return relation_following(relation_info(source->ref)->kind, REF_PART);
}

static bool is_of(const struct walk *walk, const struct walk_source *source, const void *row)
{
	if (source->ref == REF_COUNT_)
		return !*source->id || streq(source->id, snapshot_id(row));
	if (!source->of_parts)
		return is_named(source, row);
	for (const void *v = NULL;
	     (v = snapshot_children(walk->rows, whole_of(source), snapshot_id(row), v));)
		if (is_named(source, v))
			return true;
	return false;
}

bool walk_has(const struct walk *walk, const void *row)
{
	for (size_t i = 0; i < walk->n; i++)
		if (is_of(walk, &walk->sources[i], row))
			return true;
	return false;
}

/* The source's first row behind that id; "": its first. */
static const void *first_of(const struct walk *walk, const struct walk_source *source, const char *from)
{
	if (source->ref != REF_COUNT_)
		return snapshot_children_behind(walk->rows, source->ref, source->id, source->within, from);
	if (!*source->id)
		return snapshot_behind(walk->rows, walk->kind, from);
	return strcmp(source->id, from) > 0 ? snapshot_find(walk->rows, walk->kind, source->id) : NULL;
}

static const void *at_of(const struct walk *walk, const struct walk_source *source, size_t n)
{
	if (source->ref != REF_COUNT_)
		return snapshot_children_at(walk->rows, source->ref, source->id, source->within, n);
	if (!*source->id)
		return snapshot_at(walk->rows, walk->kind, n);
	return n == 0 ? snapshot_find(walk->rows, walk->kind, source->id) : NULL;
}

static const void *next_of(const struct walk *walk, const struct walk_source *source)
{
	if (source->ref != REF_COUNT_)
		return snapshot_children_in(walk->rows, source->ref, source->id, source->within, source->row);
	return *source->id ? NULL : snapshot_next(walk->rows, walk->kind, "", source->row);
}

/* What a row of the source stands for; NULL: it is not there. */
static const void *given_of(const struct walk *walk, const struct walk_source *source)
{
	enum kind kind;

	return source->of_parts ? snapshot_parent(walk->rows, whole_of(source), source->row, &kind)
				: source->row;
}

/* The source's row is `row`, or the next one that stands for something. Whether there is one. */
static bool settle(const struct walk *walk, struct walk_source *source, const void *row)
{
	for (source->row = row; source->row; source->row = next_of(walk, source)) {
		source->given = given_of(walk, source);
		if (source->given)
			return true;
	}
	return false;
}

static bool is_before(const struct walk *walk, size_t a, size_t b)
{
	return strcmp(snapshot_id(walk->sources[a].given), snapshot_id(walk->sources[b].given)) < 0;
}

static void swap_sources(struct walk *walk, size_t a, size_t b)
{
	struct walk_source kept = walk->sources[a];

	walk->sources[a] = walk->sources[b];
	walk->sources[b] = kept;
}

static void sift_down(struct walk *walk, size_t place)
{
	for (;;) {
		size_t first = place;

		for (size_t child = 2 * place + 1; child <= 2 * place + 2; child++)
			if (child < walk->n_left && is_before(walk, child, first))
				first = child;
		if (first == place)
			return;
		swap_sources(walk, place, first);
		place = first;
	}
}

static void begin_behind(struct walk *walk, const char *from)
{
	walk->n_left = 0;
	for (size_t i = 0; i < walk->n; i++) {
		struct walk_source *source = &walk->sources[i];

		walk->n_rows += !source->of_parts;
		if (settle(walk, source, first_of(walk, source, from)))
			swap_sources(walk, i, walk->n_left++);
	}
	for (size_t i = walk->n_left / 2; i-- > 0;)
		sift_down(walk, i);
}

void walk_begin(struct walk *walk, const char *from, size_t n)
{
	walk->last = NULL;
	if (walk->n == 1 && n > 0 && !*from) {
		walk->n_left = settle(walk, &walk->sources[0], at_of(walk, &walk->sources[0], n));
		return;
	}
	begin_behind(walk, from);
	while (n-- > 0 && walk_next(walk))
		;
}

/* Takes the first row out of the heap. */
static const void *take(struct walk *walk)
{
	struct walk_source *first = walk->sources;
	const void *row = first->given;

	walk->n_rows += !first->of_parts;
	if (!settle(walk, first, next_of(walk, first)))
		swap_sources(walk, 0, --walk->n_left);
	sift_down(walk, 0);
	return row;
}

const void *walk_next(struct walk *walk)
{
	while (walk->n_left > 0) {
		const void *row = take(walk);

		if (row == walk->last)
			continue;
		walk->last = row;
		return row;
	}
	return NULL;
}
