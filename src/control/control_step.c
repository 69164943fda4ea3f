/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Moving subjects through their states. Most kinds are one row each and move alike: while IN_FORCE would
 * change the row, it waits for the revision of its last change; then the event is applied. Endpoints and
 * services are in control_endpoint.c, instances in control_instance.c.
 */
#include "control_step.h"

#include "../model/state.h"
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
ROW_EVENT(load_balancer)
ROW_EVENT(listener)
ROW_EVENT(server_group)
ROW_EVENT(server)

/* Kinds whose rows move by themselves. */
static const row_event row_events[KIND_COUNT_] = {
	[KIND_VPC] = vpc_row,
	[KIND_VSWITCH] = vswitch_row,
	[KIND_LOAD_BALANCER] = load_balancer_row,
	[KIND_LISTENER] = listener_row,
	[KIND_SERVER_GROUP] = server_group_row,
	[KIND_SERVER] = server_row,
};

union any_row {
	struct row_meta meta;
	struct vpc vpc;
	struct vswitch vswitch;
	struct load_balancer load_balancer;
	struct listener listener;
	struct server_group server_group;
	struct server server;
};

int control_subject_of_key(const char *key, struct control_subject *ret)
{
	const char *id = strchr(key, '/');
	enum kind kind;
	char *end;
	int r;

	r = kind_of_key(key, &kind);
	if (r < 0)
		return -ENOENT;
	if (kind != KIND_ENDPOINT && kind != KIND_ENDPOINT_ZONE && kind != KIND_CONNECTION &&
	    kind != KIND_SERVICE && kind != KIND_INSTANCE && !row_events[kind])
		return -ENOENT;

	*ret = (struct control_subject){.kind = kind};
	if (str_copy(ret->id, sizeof(ret->id), id + 1) < 0)
		return -ENOENT;
	if (kind == KIND_ENDPOINT_ZONE || kind == KIND_CONNECTION) {
		ret->kind = KIND_ENDPOINT;
		end = strchr(ret->id, '/');
		if (end)
			memset(end, 0, sizeof(ret->id) - (size_t)(end - ret->id));
	}
	return 0;
}

int control_subject_compare(const void *a, const void *b)
{
	const struct control_subject *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return strcmp(x->id, y->id);
}

/* Its group goes, or is gone, and takes it along. */
static bool goes_with_group(const struct control_view *view, enum kind kind, const void *row)
{
	const struct server *server = row;
	const struct server_group *group;

	if (kind != KIND_SERVER)
		return false;
	group = snapshot_server_group(view->rows, server->group);
	return !group || group->status == SERVER_GROUP_DELETING;
}

/* What a node found out about a server goes with it. */
static void remove_server(const struct control_view *view, const char *id, const void *row,
			  struct batch *batch)
{
	const struct server_health *health = snapshot_find(view->rows, KIND_SERVER_HEALTH, id);

	batch_room(batch, 2);
	if (health)
		batch_delete(batch, KIND_SERVER_HEALTH, health);
	batch_delete(batch, KIND_SERVER, row);
}

static void remove_subject(const struct control_view *view, struct control_subject *subject, const void *row,
			   struct batch *batch)
{
	if (subject->kind == KIND_SERVER)
		remove_server(view, subject->id, row, batch);
	else if (!remove_row(view->rows, subject->kind, row, batch))
		subject_needs(subject, ((const struct row_meta *)row)->modified);
}

static void row_states(const struct control_view *view, struct control_subject *subject, struct batch *batch)
{
	const void *row = snapshot_find(view->rows, subject->kind, subject->id);
	union any_row copy;
	char key[KEY_SIZE];
	int r;

	if (!row || goes_with_group(view, subject->kind, row))
		return;
	memcpy(&copy, row, kind_info(subject->kind)->size);
	r = row_events[subject->kind](&copy, EVENT_IN_FORCE);
	if (r < 0 && r != -ENOENT)
		return;

	(void)str_format(key, sizeof(key), "%s/%s", kind_info(subject->kind)->name, subject->id);
	if (!view_reached(view, &copy.meta)) {
		subject_needs(subject, copy.meta.modified);
	} else if (r == -ENOENT) {
		remove_subject(view, subject, row, batch);
	} else if (control_failure_find(view, key)) {
		subject_needs(subject, NEEDS_REPAIR);
	} else {
		batch_put(batch, subject->kind, &copy);
	}
}

void control_states(const struct control_view *view, struct control_subject *subjects, size_t n_subjects,
		    struct batch *batch)
{
	for (size_t i = 0; i < n_subjects; i++) {
		struct control_subject *subject = &subjects[i];

		subject->needs = NEEDS_NOTHING;
		switch (subject->kind) {
		case KIND_ENDPOINT:
			endpoint_states(view, subject, batch);
			break;
		case KIND_INSTANCE:
			instance_states(view, subject, batch);
			break;
		case KIND_SERVICE:
			service_states(view, subject, batch);
			break;
		default:
			row_states(view, subject, batch);
		}
	}
}
