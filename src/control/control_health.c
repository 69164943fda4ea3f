/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What nodes found out about servers becomes rows, where it is news.
 */
#include "control_step.h"

static bool health_equal(const struct server_health *a, const struct server_health *b)
{
	return a->healthy == b->healthy && streq(a->reason, b->reason) && streq(a->node, b->node);
}

/* Whether it is news. */
static bool put_health(const struct control_view *view, const struct server_health *health,
		       struct changes *changes)
{
	struct server_health row = *health;
	const struct server_health *known;
	char id[KEY_SIZE];

	if (str_format(id, sizeof(id), "%s/%s/%u", row.group, row.server_id, row.port) < 0 ||
	    !snapshot_find(view->rows, KIND_SERVER, id))
		return false;
	known = snapshot_find(view->rows, KIND_SERVER_HEALTH, id);
	if (known && health_equal(known, &row))
		return false;
	row.meta = known ? known->meta : (struct row_meta){};
	changes_put(changes, KIND_SERVER_HEALTH, &row);
	return true;
}

size_t control_health(const struct control_view *view, const struct server_health *health, size_t n_health,
		      size_t *room, struct changes *changes)
{
	size_t i = 0;

	for (; i<n_health && * room> 0; i++)
		*room -= put_health(view, &health[i], changes);
	return i;
}
