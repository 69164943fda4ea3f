/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nodes as rows: when they were lost, and how one that does not come back is forgotten with what was on it.
 * Its instances go the way that DeleteInstance sends them, so that addresses, tags and places in server
 * groups go, too; translated addresses go with the node (control_nat.c).
 */
#include "../model/state.h"
#include "control_step.h"

/* Its address will be another's one day. */
static void leave_server_groups(const struct control_view *view, const char *port, struct changes *changes)
{
	for (const struct server *s = NULL;
	     (s = snapshot_children(view->rows, REF_SERVER_PORT_ID, port, s));) {
		struct server row = *s;

		if (server_event(&row, EVENT_DELETE) == 0)
			changes_put(changes, KIND_SERVER, &row);
	}
}

/* The number of instances that are still there. */
static size_t remove_instances(const struct control_view *view, const char *node, struct changes *changes)
{
	for (const struct instance *i = NULL;
	     (i = snapshot_children(view->rows, REF_INSTANCE_NODE, node, i));) {
		struct instance row = *i;

		if (instance_event(&row, EVENT_DELETE) < 0)
			continue;
		leave_server_groups(view, i->port, changes);
		changes_put(changes, KIND_INSTANCE, &row);
	}
	return snapshot_count_children(view->rows, REF_INSTANCE_NODE, node);
}

/* What it found out about servers that are not instances. */
static void forget_health(const struct control_view *view, const char *node, struct changes *changes)
{
	for (const struct server_health *h = NULL;
	     (h = snapshot_children(view->rows, REF_SERVER_HEALTH_NODE, node, h));)
		changes_delete(changes, KIND_SERVER_HEALTH, h);
}

static void note_lost(const struct control_view *view, const struct node *node, enum control_heard heard,
		      struct changes *changes)
{
	struct node row = *node;

	if (heard == CONTROL_NOT_HEARD && !node->lost_time)
		row.lost_time = view->now;
	else if (heard == CONTROL_HEARD && node->lost_time)
		row.lost_time = 0;
	else
		return;
	changes_put(changes, KIND_NODE, &row);
}

void control_nodes(const struct control_view *view,
		   enum control_heard (*heard)(const void *context, const char *node), const void *context,
		   struct changes *changes)
{
	for (const struct node *n = NULL; (n = snapshot_next(view->rows, KIND_NODE, "", n));) {
		if (!n->deleting) {
			note_lost(view, n, heard(context, n->name), changes);
		} else if (remove_instances(view, n->name, changes) == 0) {
			forget_health(view, n->name, changes);
			changes_delete(changes, KIND_NODE, n);
		}
	}
}
