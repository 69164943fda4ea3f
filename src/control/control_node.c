/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nodes as rows: when they were lost, and how one that does not come back is forgotten with what was on it.
 * Its instances go the way that DeleteInstance sends them, so that addresses, tags and places in server
 * groups go, too; translated addresses go with the node (control_nat.c).
 */
#include "../model/state.h"
#include "control_step.h"

/* The room of a pass, which all nodes that are being deleted share with what else is. */
struct node_removal {
	const struct control_view *view;
	size_t *room;
	struct changes *changes;
};

/* False, and `changes->more`: there is none any more. */
static bool take_room(struct node_removal *removal)
{
	if (*removal->room == 0) {
		removal->changes->more = true;
		return false;
	}
	(*removal->room)--;
	return true;
}

/* Its address will be another's one day. False: some are to be removed yet. */
static bool leave_server_groups(struct node_removal *removal, const char *port)
{
	for (const struct server *s = NULL;
	     (s = snapshot_children(removal->view->rows, REF_SERVER_PORT_ID, port, s));) {
		struct server row = *s;

		if (server_event(&row, EVENT_DELETE) < 0)
			continue;
		if (!take_room(removal))
			return false;
		changes_put(removal->changes, KIND_SERVER, &row);
	}
	return true;
}

/* Whether none is there any more. One that is being removed has left its server groups. */
static bool remove_instances(struct node_removal *removal, const char *node)
{
	for (const struct instance *i = NULL;
	     (i = snapshot_children(removal->view->rows, REF_INSTANCE_NODE, node, i));) {
		struct instance row = *i;

		if (instance_event(&row, EVENT_DELETE) < 0)
			continue;
		if (!leave_server_groups(removal, i->port) || !take_room(removal))
			return false;
		changes_put(removal->changes, KIND_INSTANCE, &row);
	}
	return snapshot_count_children(removal->view->rows, REF_INSTANCE_NODE, node) == 0;
}

/* What it found out about servers that are not instances. False: some of it is left. */
static bool forget_health(struct node_removal *removal, const char *node)
{
	for (const struct server_health *h = NULL;
	     (h = snapshot_children(removal->view->rows, REF_SERVER_HEALTH_NODE, node, h));) {
		if (!take_room(removal))
			return false;
		changes_delete(removal->changes, KIND_SERVER_HEALTH, h);
	}
	return true;
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
		   size_t *room, struct changes *changes)
{
	struct node_removal removal = {.view = view, .room = room, .changes = changes};

	for (const struct node *n = NULL; (n = snapshot_next(view->rows, KIND_NODE, "", n));) {
		if (!n->deleting)
			note_lost(view, n, heard(context, n->name), changes);
		else if (remove_instances(&removal, n->name) && forget_health(&removal, n->name))
			changes_delete(changes, KIND_NODE, n);
	}
}
