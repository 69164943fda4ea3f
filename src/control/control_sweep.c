/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is left over, and what nodes found out about servers.
 *
 * A row that is a part of another goes when that one is gone. Usually that has happened in the same
 * transaction; the sweep is the truth for what was deleted in several steps, or by a call that deletes only
 * the object itself. Tokens and jobs are forgotten after a day.
 */
#include "control_step.h"

static void sweep_old(const struct control_view *view, struct batch *batch)
{
	const struct snapshot *rows = view->rows;

	for (const struct client_token *t = NULL; (t = snapshot_next(rows, KIND_CLIENT_TOKEN, "", t));)
		if (view->now - t->create_time > TOKEN_KEPT_S)
			batch_delete(batch, KIND_CLIENT_TOKEN, t);
	for (const struct job *j = NULL; (j = snapshot_next(rows, KIND_JOB, "", j));)
		if (view->now - j->create_time > JOB_KEPT_S)
			batch_delete(batch, KIND_JOB, j);
}

void control_sweep(const struct control_view *view, struct batch *batch)
{
	for (int kind = 0; kind < KIND_COUNT_; kind++) {
		if (relation_following(kind, REF_PART) == REF_COUNT_)
			continue;
		for (const void *v = NULL; (v = snapshot_next(view->rows, kind, "", v));)
			if (snapshot_is_orphan(view->rows, kind, v))
				batch_delete(batch, kind, v);
	}
	sweep_old(view, batch);
}

static bool health_equal(const struct server_health *a, const struct server_health *b)
{
	return a->healthy == b->healthy && streq(a->reason, b->reason) && streq(a->node, b->node);
}

void control_health(const struct control_view *view, const struct server_health *health, size_t n_health,
		    struct batch *batch)
{
	for (size_t i = 0; i < n_health; i++) {
		struct server_health row = health[i];
		const struct server_health *known;
		char id[KEY_SIZE];

		if (str_format(id, sizeof(id), "%s/%s/%u", row.group, row.server_id, row.port) < 0 ||
		    !snapshot_find(view->rows, KIND_SERVER, id))
			continue;
		known = snapshot_find(view->rows, KIND_SERVER_HEALTH, id);
		if (known && health_equal(known, &row))
			continue;
		row.meta = known ? known->meta : (struct row_meta){};
		batch_put(batch, KIND_SERVER_HEALTH, &row);
	}
}
