/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Endpoints and services. An endpoint, its connection and its zones move together, so that one report of
 * the nodes settles all of them; each waits for its own revision, so that a zone that is added later does not
 * disturb the others. A node's failure, at whichever of these rows, holds back what it concerns, and its
 * reason stands in the endpoint's row.
 *
 * A service that is being deleted tells the endpoints that are left over, before it goes: so many in a pass
 * as there is room for. The rows themselves say how far that has come, so it goes on after a restart; until
 * it is over the service stays, Deleting, and takes no connection.
 */
#include "../model/endpoint_groups.h"
#include "remove.h"
#include "states.h"

/* An endpoint, its connection, and for each zone the zone, and port and address twice while it migrates; tags
 * not counted. */
#define ENDPOINT_OPS_MAX (2 + 5 * ENDPOINT_ZONES_MAX)
_Static_assert(ENDPOINT_OPS_MAX < STORE_TXN_OPS_MAX, "an endpoint moves in one transaction");

/* A connection and its zones. */
#define LEAVE_OPS_MAX (1 + ENDPOINT_ZONES_MAX)
_Static_assert(LEAVE_OPS_MAX < LEFTOVERS_GONE_MAX, "a pass has room for an endpoint that is left");

struct endpoint_work {
	const struct control_view *view;
	struct control_subject *subject;
	size_t *room; /* rows that may be put or removed yet because something is deleted */
	struct changes *changes;
	const char *failure;  /* the first reason found, NULL: none */
	bool endpoint_failed; /* the reason concerns the endpoint as a whole */
};

static const struct endpoint_zone *next_zone(const struct snapshot *rows, const char *endpoint,
					     const struct endpoint_zone *previous)
{
	return snapshot_children(rows, REF_ENDPOINT_ZONE_ENDPOINT, endpoint, previous);
}

/* The reason at one of the endpoint's rows; remembered for the endpoint. */
static const char *failure_of(struct endpoint_work *work, enum kind kind, const void *row)
{
	const char *reason;
	char key[KEY_SIZE];

	if (row_key(kind, row, key) < 0)
		return NULL;
	reason = control_failure_find(work->view, key);
	if (reason && !work->failure)
		work->failure = reason;
	return reason;
}

/* Whether the row, which IN_FORCE would change, is in force; else notes what it waits for. */
static bool in_force(struct endpoint_work *work, const struct row_meta *meta, bool failed)
{
	if (!view_reached(work->view, meta)) {
		subject_needs(work->subject, meta->modified);
		return false;
	}
	if (failed)
		subject_needs(work->subject, NEEDS_REPAIR);
	return !failed;
}

/* The connection after this pass: changed in `connection`. */
static void move_connection(struct endpoint_work *work, struct connection *connection)
{
	struct connection next = *connection;

	if (connection_event(&next, EVENT_IN_FORCE) < 0)
		return;
	if (!in_force(work, &connection->meta, work->endpoint_failed))
		return;
	next.modified_time = work->view->now;
	changes_put(work->changes, KIND_CONNECTION, &next);
	*connection = next;
}

/* The zone's row and the ports (each may be NULL) go, or change, together, if the pass has room for them;
 * else the endpoint is looked at again. */
static bool make_room(struct endpoint_work *work, const struct port *a, const struct port *b)
{
	const struct snapshot *rows = work->view->rows;
	size_t n = 1;

	/* As in remove_row(): without room nothing is counted. */
	if (*work->room > 0)
		n += (a ? remove_size(rows, KIND_PORT, a->id) : 0) +
		     (b ? remove_size(rows, KIND_PORT, b->id) : 0);
	if (n > *work->room) {
		*work->room = 0;
		work->subject->has_more = true;
		return false;
	}
	changes_room(work->changes, n);
	(*work->room)--; /* the zone's row */
	return true;
}

static void remove_port(struct endpoint_work *work, const struct port *port)
{
	if (port)
		(void)remove_row(work->view->rows, KIND_PORT, port, work->room, work->changes);
}

/* A zone goes with its port, and the one that was replaced. */
static void remove_zone(struct endpoint_work *work, const struct endpoint_zone *zone)
{
	const struct port *port = snapshot_port(work->view->rows, zone->port);
	const struct port *replaced = snapshot_port(work->view->rows, zone->replaced_port);

	if (!make_room(work, port, replaced))
		return;
	remove_port(work, port);
	remove_port(work, replaced);
	changes_delete(work->changes, KIND_ENDPOINT_ZONE, zone);
}

/* A zone in its next state. What was replaced is of no more use to one that does not migrate, however that
 * came about, and the nodes have forgotten it. */
static void change_zone(struct endpoint_work *work, const struct connection *connection,
			struct endpoint_zone *next)
{
	const struct port *replaced = endpoint_zone_has_replaced(next)
					      ? NULL
					      : snapshot_port(work->view->rows, next->replaced_port);

	/* What a service's deletion has cut may be much at once. */
	if ((replaced || connection->status == CONNECTION_SERVICE_DELETED) &&
	    !make_room(work, replaced, NULL))
		return;
	if (!endpoint_zone_has_replaced(next)) {
		remove_port(work, replaced);
		next->replaced_port = next->replaced_resource = next->replaced_resource_zone = "";
		next->replaced_addr = (struct netaddr){};
	}
	changes_put(work->changes, KIND_ENDPOINT_ZONE, next);
}

static void move_zone(struct endpoint_work *work, const struct connection *connection,
		      const struct endpoint_zone *zone)
{
	bool failed = failure_of(work, KIND_ENDPOINT_ZONE, zone) || work->endpoint_failed;
	struct endpoint_zone next = *zone;
	int r;

	r = endpoint_zone_event(&next, connection, EVENT_IN_FORCE);
	if (r < 0 && r != -ENOENT)
		return;
	/* What goes need not work. */
	if (!in_force(work, &zone->meta, failed && r != -ENOENT))
		return;
	if (r == 0)
		change_zone(work, connection, &next);
	else
		remove_zone(work, zone);
}

/* The endpoint itself with its security groups, when its zones were looked at. */
static void move_endpoint(struct endpoint_work *work, const struct endpoint *endpoint)
{
	struct endpoint next = *endpoint;
	bool changed = false;

	if (endpoint_event(&next, EVENT_IN_FORCE) == 0)
		changed = in_force(work, &endpoint->meta, work->failure);
	if (!changed)
		next.status = endpoint->status;
	if (view_reached(work->view, &endpoint->meta))
		changed |= endpoint_groups_in_force(&next, work->failure);
	next.failure = work->failure ? work->failure : "";
	if (strlen(next.failure) >= TEXT_SIZE)
		next.failure = "unknown";
	if (changed || !streq(next.failure, endpoint->failure))
		changes_put(work->changes, KIND_ENDPOINT, &next);
}

/* An endpoint that is Deleting goes with all it has when the nodes have forgotten it. */
static void remove_endpoint(struct endpoint_work *work, const struct endpoint *endpoint,
			    const struct connection *connection)
{
	const struct snapshot *rows = work->view->rows;
	uint64_t newest = endpoint->meta.modified;

	if (connection)
		newest = MAX(newest, connection->meta.modified);
	for (const struct endpoint_zone *z = NULL; (z = next_zone(rows, endpoint->id, z));)
		newest = MAX(newest, z->meta.modified);
	if (newest > work->view->live_revision) {
		subject_needs(work->subject, newest);
		return;
	}

	work->subject->has_more = !remove_row(rows, KIND_ENDPOINT, endpoint, work->room, work->changes);
}

void endpoint_states(const struct control_view *view, struct control_subject *subject, size_t *room,
		     struct changes *changes)
{
	const struct endpoint *endpoint = snapshot_endpoint(view->rows, subject->id);
	const struct connection *found = snapshot_connection(view->rows, subject->id);
	struct endpoint_work work = {.view = view, .subject = subject, .room = room, .changes = changes};
	struct connection connection;

	if (!endpoint)
		return;
	if (endpoint->status == ENDPOINT_DELETING) {
		remove_endpoint(&work, endpoint, found);
		return;
	}
	if (!found)
		return;

	connection = *found;
	work.endpoint_failed =
		failure_of(&work, KIND_ENDPOINT, endpoint) || failure_of(&work, KIND_CONNECTION, found);
	changes_room(changes, ENDPOINT_OPS_MAX);
	move_connection(&work, &connection);
	for (const struct endpoint_zone *z = NULL; (z = next_zone(view->rows, endpoint->id, z));)
		move_zone(&work, &connection, z);
	move_endpoint(&work, endpoint);
}

/* A service that goes leaves its endpoints behind: what is still connected is cut. */
static void leave_endpoint(const struct control_view *view, const struct connection *found, size_t *room,
			   struct changes *changes)
{
	struct connection connection = *found;

	if (connection_event(&connection, EVENT_SERVICE_DELETED) < 0)
		return;
	changes_room(changes, LEAVE_OPS_MAX);
	connection.modified_time = view->now;
	changes_put(changes, KIND_CONNECTION, &connection);
	(*room)--;

	for (const struct endpoint_zone *z = NULL; (z = next_zone(view->rows, found->endpoint, z));) {
		struct endpoint_zone zone = *z;

		if (endpoint_zone_event(&zone, &connection, EVENT_SERVICE_DELETED) < 0)
			continue;
		changes_put(changes, KIND_ENDPOINT_ZONE, &zone);
		(*room)--;
	}
}

/* Tells the endpoints of the service, as many as there is room for; true if none had to be told. */
static bool leave_endpoints(const struct control_view *view, struct control_subject *subject, size_t *room,
			    struct changes *changes)
{
	bool none = true;

	for (const struct connection *c = NULL;
	     (c = snapshot_children(view->rows, REF_CONNECTION_SERVICE, subject->id, c));) {
		if (c->status == CONNECTION_DELETING || c->status == CONNECTION_SERVICE_DELETED)
			continue;
		none = false;
		if (*room < LEAVE_OPS_MAX) {
			*room = 0;
			subject->has_more = true;
			break;
		}
		leave_endpoint(view, c, room, changes);
	}
	return none;
}

void service_states(const struct control_view *view, struct control_subject *subject, size_t *room,
		    struct changes *changes)
{
	const struct service *service = snapshot_service(view->rows, subject->id);
	struct service next;
	bool is_over;
	int r;

	if (!service)
		return;
	next = *service;
	r = service_event(&next, EVENT_IN_FORCE);
	if (r < 0 && r != -ENOENT)
		return;
	is_over = (r == 0 || leave_endpoints(view, subject, room, changes)) &&
		  view_reached(view, &service->meta);
	if (subject->has_more) /* endpoints that are to be told, and no room */
		return;
	if (!is_over)
		subject_needs(subject, service->meta.modified);
	else if (r == 0)
		changes_put(changes, KIND_SERVICE, &next);
	else
		subject->has_more = !remove_row(view->rows, KIND_SERVICE, service, room, changes);
}
