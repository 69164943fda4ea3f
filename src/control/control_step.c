/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Moving subjects through their states. Most kinds are one row each and move alike: while IN_FORCE would
 * change the row, it waits for the revision of its last change; then the event is applied. Endpoints and
 * services are in control_endpoint.c, instances in control_instance.c.
 */
#include "control_step.h"

#include "../model/state.h"
#include "leases.h"
#include "remove.h"
#include "states.h"

typedef int (*row_event)(void *row, enum state_event event);

#define ROW_EVENT(kind)                                                                                      \
	static int kind##_row(void *row, enum state_event event)                                             \
	{                                                                                                    \
		return kind##_event(row, event);                                                             \
	}
ROW_EVENT(vpc)
ROW_EVENT(vswitch)
ROW_EVENT(port)
ROW_EVENT(load_balancer)
ROW_EVENT(listener)
ROW_EVENT(server_group)
ROW_EVENT(server)

/* Kinds whose rows move by themselves. */
static const row_event row_events[KIND_COUNT_] = {
	[KIND_VPC] = vpc_row,		[KIND_VSWITCH] = vswitch_row,
	[KIND_PORT] = port_row,		[KIND_LOAD_BALANCER] = load_balancer_row,
	[KIND_LISTENER] = listener_row, [KIND_SERVER_GROUP] = server_group_row,
	[KIND_SERVER] = server_row,
};

union any_row {
	struct row_meta meta;
	struct vpc vpc;
	struct vswitch vswitch;
	struct port port;
	struct load_balancer load_balancer;
	struct listener listener;
	struct server_group server_group;
	struct server server;
};

int control_subject_of_key(const char *key, struct control_subject *ret)
{
	enum kind kind;
	enum ref moves;
	char *end;

	if (kind_of_key(key, &kind) < 0)
		return -ENOENT;
	*ret = (struct control_subject){.kind = kind};
	if (str_copy(ret->id, sizeof(ret->id), strchr(key, '/') + 1) < 0)
		return -ENOENT;
	moves = relation_following(kind, REF_MOVES);
	if (moves != REF_COUNT_) {
		/* Its key begins with what it moves with, so this can be told of a row that is gone. */
		end = strchr(ret->id, '/');
		if (end)
			memset(end, 0, sizeof(ret->id) - (size_t)(end - ret->id));
		return relation_parent(moves, ret->id, &ret->kind);
	}
	return kind == KIND_ENDPOINT || kind == KIND_SERVICE || kind == KIND_INSTANCE || row_events[kind]
		       ? 0
		       : -ENOENT;
}

int control_subject_compare(const void *a, const void *b)
{
	const struct control_subject *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return strcmp(x->id, y->id);
}

/* What IN_FORCE makes of a row that moves by itself, and its result. */
static int row_in_force(enum kind kind, const void *row, union any_row *ret)
{
	memcpy(ret, row, kind_info(kind)->size);
	return row_events[kind](ret, EVENT_IN_FORCE);
}

/* It is a part of something that goes, or is gone, and takes it along: a server of its group, a listener of
 * its load balancer. So is a part of such a part. */
static bool goes_with_another(const struct control_view *view, enum kind kind, const void *row)
{
	enum ref ref = relation_following(kind, REF_PART);
	char text[UID_TEXT_SIZE];
	union any_row copy;
	const void *whole;
	enum kind parent;

	if (ref == REF_COUNT_)
		return false;
	if (!*relation_id(ref, row, 0, text)) /* some of its kind are parts, and it is none */
		return false;
	whole = snapshot_parent(view->rows, ref, row, &parent);
	if (!whole)
		return true;
	return row_events[parent] &&
	       (row_in_force(parent, whole, &copy) == -ENOENT || goes_with_another(view, parent, whole));
}

/* A VPC on its way out may still have vSwitches that are, too; they go first. */
static bool waits_for_others(const struct control_view *view, const struct control_subject *subject)
{
	return subject->kind == KIND_VPC &&
	       snapshot_is_used(view->rows, subject->kind, subject->id, REF_COUNT_);
}

static void remove_subject(const struct control_view *view, struct control_subject *subject, const void *row,
			   size_t *room, struct changes *changes)
{
	if (waits_for_others(view, subject)) {
		/* Each of them is gone with a new revision; with no node to reach it, that makes a pass. */
		subject_needs(subject,
			      view->live_revision == UINT64_MAX ? NEEDS_REPAIR : view->live_revision + 1);
		return;
	}
	subject->has_more = !remove_row(view->rows, subject->kind, row, room, changes);
}

static void row_states(const struct control_view *view, struct control_subject *subject, size_t *room,
		       struct changes *changes)
{
	const void *row = snapshot_find(view->rows, subject->kind, subject->id);
	union any_row copy;
	char key[KEY_SIZE];
	int r;

	if (!row || goes_with_another(view, subject->kind, row))
		return;
	r = row_in_force(subject->kind, row, &copy);
	if (r < 0 && r != -ENOENT)
		return;

	(void)str_format(key, sizeof(key), "%s/%s", kind_info(subject->kind)->name, subject->id);
	if (!view_reached(view, &copy.meta)) {
		subject_needs(subject, copy.meta.modified);
	} else if (r == -ENOENT) {
		remove_subject(view, subject, row, room, changes);
	} else if (control_failure_find(view, key)) {
		subject_needs(subject, NEEDS_REPAIR);
	} else {
		changes_put(changes, subject->kind, &copy);
	}
}

/* The view of one subject: what moves with it is told with it. */
static struct control_view view_of(const struct control_view *view, struct control_subject *subject)
{
	struct control_view own = *view;
	struct share share;

	subject->waits_for = 0;
	if (view->told_nodes) {
		share = share_of(view->rows, subject->kind,
				 snapshot_find(view->rows, subject->kind, subject->id));
		own.live_revision =
			leases_revision_of(view->leases, view->told_nodes, &share, &subject->waits_for);
	}
	subject->reached = own.live_revision;
	return own;
}

/* It waits for room, of which there is none, and nodes have brought nothing else to do. */
static bool waits_for_room(const struct control_view *view, const struct control_subject *subject,
			   size_t room)
{
	if (!subject->has_more || room > 0)
		return false;
	if (subject->needs == NEEDS_NOTHING)
		return true;
	return view->told_nodes ? leases_is_behind(view->leases, subject->waits_for, subject->needs)
				: subject->needs > view->live_revision;
}

void control_states(const struct control_view *view, struct control_subject *subjects, size_t n_subjects,
		    size_t *room, struct changes *changes)
{
	for (size_t i = 0; i < n_subjects; i++) {
		struct control_subject *subject = &subjects[i];
		struct control_view own;

		if (waits_for_room(view, subject, *room))
			continue;
		own = view_of(view, subject);
		subject->needs = NEEDS_NOTHING;
		subject->has_more = false;
		switch (subject->kind) {
		case KIND_ENDPOINT:
			endpoint_states(&own, subject, room, changes);
			break;
		case KIND_INSTANCE:
			instance_states(&own, subject, room, changes);
			break;
		case KIND_SERVICE:
			service_states(&own, subject, room, changes);
			break;
		default:
			row_states(&own, subject, room, changes);
		}
	}
}
