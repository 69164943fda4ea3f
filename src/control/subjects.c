/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Three lists and merges of them, so that a pass costs as much as it has to do and one walk over what waits.
 */
#include "subjects.h"

#include "../lib/vec.h"
#include "leases.h"
#include <stdlib.h>

#define KEPT_MAX 4096 /* places of a list that stay when it is empty: a start has one of all rows */

static int append(struct subject_list *list, const struct control_subject *subject)
{
	int r = VEC_ROOM(list->v, list->n, list->size);

	if (r < 0)
		return r;
	list->v[list->n++] = *subject;
	return 0;
}

void subjects_done(struct subjects *subjects)
{
	free(subjects->waiting.v);
	free(subjects->changed.v);
	free(subjects->work.v);
	*subjects = (struct subjects){};
}

/* Whether nothing can have come up for it since it was looked at. */
static bool is_waiting(const struct subjects *subjects, const struct control_subject *subject,
		       uint64_t live_revision)
{
	if (subject->has_more)
		return false;
	if (!subjects->leases)
		return subject->needs > live_revision;
	return leases_is_behind(subjects->leases, subject->waits_for, subject->needs);
}

int subjects_changed(struct subjects *subjects, const char *key)
{
	struct control_subject subject;

	if (control_subject_of_key(key, &subject) < 0)
		return 0;
	return append(&subjects->changed, &subject);
}

int subjects_changed_all(struct subjects *subjects, const struct snapshot *rows)
{
	for (int kind = 0; kind < KIND_COUNT_; kind++) {
		for (const void *v = NULL; (v = snapshot_next(rows, kind, "", v));) {
			char key[KEY_SIZE];
			int r;

			/* They are subjects with what they move with. */
			if (relation_following(kind, REF_MOVES) != REF_COUNT_)
				break;
			r = row_key(kind, v, key);
			if (r == 0)
				r = subjects_changed(subjects, key);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* Adds to `to` in order; the last one wins if two are the same. */
static int append_once(struct subject_list *to, const struct control_subject *subject)
{
	if (to->n && control_subject_compare(&to->v[to->n - 1], subject) == 0)
		return 0;
	return append(to, subject);
}

static int append_changed(struct subjects *subjects, size_t *next, const struct control_subject *up_to)
{
	struct subject_list *changed = &subjects->changed;
	int r = 0;

	for (; r == 0 && *next < changed->n; (*next)++) {
		if (up_to && control_subject_compare(&changed->v[*next], up_to) > 0)
			break;
		r = append_once(&subjects->work, &changed->v[*next]);
	}
	return r;
}

/* All that changed, which is sorted, each once: where nothing waits, it is what there is to do. */
static void take_changed(struct subjects *subjects)
{
	struct subject_list all = subjects->changed;
	size_t n = 0;

	for (size_t i = 0; i < all.n; i++)
		if (n == 0 || control_subject_compare(&all.v[n - 1], &all.v[i]) != 0)
			all.v[n++] = all.v[i];
	all.n = n;
	subjects->changed = subjects->work;
	subjects->work = all;
}

int subjects_take(struct subjects *subjects, uint64_t live_revision)
{
	struct subject_list *waiting = &subjects->waiting;
	size_t next = 0, kept = 0;
	int r = 0;

	if (subjects->changed.n)
		qsort(subjects->changed.v, subjects->changed.n, sizeof(*subjects->changed.v),
		      control_subject_compare);
	subjects->work.n = 0;
	if (waiting->n == 0) {
		take_changed(subjects);
		return 0;
	}
	for (size_t i = 0; r == 0 && i < waiting->n; i++) {
		const struct control_subject *w = &waiting->v[i];
		bool is_changed;

		r = append_changed(subjects, &next, w);
		if (r < 0)
			return r;
		is_changed = subjects->work.n &&
			     control_subject_compare(&subjects->work.v[subjects->work.n - 1], w) == 0;
		if (!is_changed && is_waiting(subjects, w, live_revision)) {
			waiting->v[kept++] = *w;
			continue;
		}
		r = append_once(&subjects->work, w);
	}
	if (r == 0)
		r = append_changed(subjects, &next, NULL);
	if (r < 0)
		return r;
	waiting->n = kept;
	subjects->changed.n = 0;
	return 0;
}

static bool is_settled(const struct control_subject *subject)
{
	return subject->needs == NEEDS_NOTHING && !subject->has_more;
}

static bool is_all_settled(const struct subject_list *work)
{
	for (size_t i = 0; i < work->n; i++)
		if (!is_settled(&work->v[i]))
			return false;
	return true;
}

/* What waits and what still needs something, in one list. */
static int merge(struct subjects *subjects, uint64_t live_revision)
{
	struct subject_list merged = {}, *waiting = &subjects->waiting, *work = &subjects->work;
	bool again = false;
	size_t i = 0;
	int r = 0;

	for (size_t j = 0; r == 0 && j < work->n; j++) {
		if (is_settled(&work->v[j]))
			continue;
		again = again || work->v[j].has_more ||
			(work->v[j].needs != NEEDS_REPAIR &&
			 work->v[j].needs <= (subjects->leases ? work->v[j].reached : live_revision));
		while (r == 0 && i < waiting->n && control_subject_compare(&waiting->v[i], &work->v[j]) < 0)
			r = append(&merged, &waiting->v[i++]);
		if (r == 0)
			r = append(&merged, &work->v[j]);
	}
	while (r == 0 && i < waiting->n)
		r = append(&merged, &waiting->v[i++]);
	if (r < 0) {
		free(merged.v);
		return r;
	}
	free(waiting->v);
	*waiting = merged;
	return again;
}

int subjects_put_back(struct subjects *subjects, uint64_t live_revision)
{
	struct subject_list *work = &subjects->work;
	int r = is_all_settled(work) ? 0 : merge(subjects, live_revision);

	if (r < 0)
		return r;
	work->n = 0;
	if (work->size > KEPT_MAX) {
		free(work->v);
		*work = (struct subject_list){};
	}
	return r;
}
