/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is left over goes.
 *
 * A row that is a part of another goes when that one is gone. Usually that has happened in the same
 * transaction. What was deleted by a call that takes only some of the parts with it goes with the next pass,
 * found by what is gone: so it costs what there is of it. A walk over all rows, which is the truth, finds
 * what was left over in any other way, and ends the time of tokens, jobs and connectivity tests. It goes in
 * steps.
 */
#include "../lib/vec.h"
#include "control_step.h"
#include "remove.h"

/* What is gone */

void gone_rows_done(struct gone_rows *gone)
{
	free(gone->v);
	*gone = (struct gone_rows){};
}

int gone_rows_add(struct gone_rows *gone, enum kind kind, const char *id)
{
	if (gone->n == GONE_ROWS_MAX)
		return -ENOBUFS;
	if (VEC_ROOM(gone->v, gone->n, gone->size) < 0)
		return -ENOMEM;
	gone->v[gone->n].kind = kind;
	if (str_copy(gone->v[gone->n].id, sizeof(gone->v->id), id) < 0)
		return -E2BIG;
	gone->n++;
	return 0;
}

void gone_rows_drop(struct gone_rows *gone, size_t n)
{
	gone->n -= n;
	if (n > 0 && gone->n > 0)
		memmove(gone->v, gone->v + n, gone->n * sizeof(*gone->v));
}

bool control_remove_parts(const struct control_view *view, const struct gone_row *gone, size_t *room,
			  struct changes *changes)
{
	if (snapshot_find(view->rows, gone->kind, gone->id))
		return true;
	return remove_parts(view->rows, gone->kind, gone->id, room, changes);
}

/* All rows */

/* Whether rows of the kind can be left over. */
static bool may_be_left(enum kind kind)
{
	return relation_following(kind, REF_PART) != REF_COUNT_ || kind == KIND_CLIENT_TOKEN ||
	       kind == KIND_JOB || kind == KIND_CONNECTIVITY_TEST;
}

static bool is_left(const struct control_view *view, enum kind kind, const void *row)
{
	const struct client_token *token = row;
	const struct job *job = row;
	const struct connectivity_test *test = row;

	if (kind == KIND_CLIENT_TOKEN)
		return view->now - token->create_time > TOKEN_KEPT_S;
	if (kind == KIND_JOB)
		return view->now - job->create_time > JOB_KEPT_S;
	if (kind == KIND_CONNECTIVITY_TEST && view->now - test->create_time > CONNECTIVITY_KEPT_S)
		return true;
	return snapshot_is_orphan(view->rows, kind, row);
}

/* What a step may still look at, and take away. */
struct walk_step {
	const struct control_view *view;
	struct changes *changes;
	size_t looks, room;
};

/* False: what is left of the row is the next step's. */
static bool look_at(struct walk_step *step, enum kind kind, const void *row)
{
	if (step->looks == 0)
		return false;
	step->looks--;
	if (!is_left(step->view, kind, row))
		return true;
	if (!remove_parts(step->view->rows, kind, snapshot_id(row), &step->room, step->changes) ||
	    step->room == 0)
		return false;
	changes_delete(step->changes, kind, row);
	step->room--;
	return true;
}

/* The rest of the kind; false: `walk` says how far it came. */
static bool look_at_kind(struct walk_step *step, struct leftovers_walk *walk)
{
	const struct snapshot *rows = step->view->rows;

	for (const void *v = snapshot_behind(rows, walk->kind, walk->behind), *last = NULL; v;
	     last = v, v = snapshot_next(rows, walk->kind, "", v)) {
		if (look_at(step, walk->kind, v))
			continue;
		if (last)
			(void)str_copy(walk->behind, sizeof(walk->behind), snapshot_id(last));
		return false;
	}
	return true;
}

void control_remove_leftovers(const struct control_view *view, struct leftovers_walk *walk,
			      struct changes *changes)
{
	struct walk_step step = {
		.view = view, .changes = changes, .looks = LEFTOVERS_LOOKS_MAX, .room = LEFTOVERS_GONE_MAX};

	for (; walk->kind < KIND_COUNT_; walk->kind++, walk->behind[0] = '\0') {
		if (may_be_left(walk->kind) && !look_at_kind(&step, walk)) {
			changes->more = true;
			return;
		}
	}
	*walk = (struct leftovers_walk){};
}
