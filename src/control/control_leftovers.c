/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is left over goes.
 *
 * A row that is a part of another goes when that one is gone. Usually that has happened in the same
 * transaction; this walk is the truth for what was deleted in several steps, or by a call that deletes only
 * the object itself. Tokens, jobs and connectivity tests are forgotten after
 * a day.
 */
#include "control_step.h"

static void remove_old(const struct control_view *view, struct changes *changes)
{
	const struct snapshot *rows = view->rows;

	for (const struct client_token *t = NULL; (t = snapshot_next(rows, KIND_CLIENT_TOKEN, "", t));)
		if (view->now - t->create_time > TOKEN_KEPT_S)
			changes_delete(changes, KIND_CLIENT_TOKEN, t);
	for (const struct job *j = NULL; (j = snapshot_next(rows, KIND_JOB, "", j));)
		if (view->now - j->create_time > JOB_KEPT_S)
			changes_delete(changes, KIND_JOB, j);
	for (const struct connectivity_test *t = NULL;
	     (t = snapshot_next(rows, KIND_CONNECTIVITY_TEST, "", t));)
		if (view->now - t->create_time > CONNECTIVITY_KEPT_S)
			changes_delete(changes, KIND_CONNECTIVITY_TEST, t);
}

void control_remove_leftovers(const struct control_view *view, struct changes *changes)
{
	for (int kind = 0; kind < KIND_COUNT_; kind++) {
		if (relation_following(kind, REF_PART) == REF_COUNT_)
			continue;
		for (const void *v = NULL; (v = snapshot_next(view->rows, kind, "", v));)
			if (snapshot_is_orphan(view->rows, kind, v))
				changes_delete(changes, kind, v);
	}
	remove_old(view, changes);
}
