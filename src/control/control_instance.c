/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Instances. A failure at its node holds one back where it is, and the reason stands in its row; one that
 * runs already is not moved by it (the API says Starting of it until the failure is gone). When the node says
 * that what it was attached to has ended, it is stopped, and its row goes on saying why. One that is deleted
 * goes when no node says any more that its device is there.
 */
#include "../model/state.h"
#include "remove.h"
#include "states.h"

static void instance_remove(const struct control_view *view, struct control_subject *subject,
			    const struct instance *instance, size_t *room, struct changes *changes)
{
	const struct control_failure *failure;
	char key[KEY_SIZE];

	(void)str_format(key, sizeof(key), "instance/%s", instance->id);
	failure = control_failure_get(view, key);
	if (view_reached(view, &instance->meta) && failure && !failure->is_gone)
		subject_needs(subject, NEEDS_REPAIR);
	else if (!view_reached(view, &instance->meta))
		subject_needs(subject, instance->meta.modified);
	else
		subject->has_more = !remove_row(view->rows, KIND_INSTANCE, instance, room, changes);
}

/* Whether it can have ended: one that has never run may be attached to what is yet to come. */
static bool may_end(const struct instance *instance)
{
	return instance->status == INSTANCE_STARTING || instance->status == INSTANCE_RUNNING ||
	       instance->status == INSTANCE_STOPPING;
}

void instance_states(const struct control_view *view, struct control_subject *subject, size_t *room,
		     struct changes *changes)
{
	const struct instance *instance = snapshot_instance(view->rows, subject->id);
	const struct control_failure *failure;
	struct instance next;
	char key[KEY_SIZE];
	bool moves;
	int r;

	if (!instance)
		return;
	next = *instance;
	r = instance_event(&next, EVENT_IN_FORCE);
	if (r == -ENOENT) {
		instance_remove(view, subject, instance, room, changes);
		return;
	}
	moves = r == 0;
	if (!view_reached(view, &instance->meta)) {
		/* What failed may be an older wish. */
		subject_needs(subject, instance->meta.modified);
		return;
	}

	(void)str_format(key, sizeof(key), "instance/%s", instance->id);
	failure = control_failure_get(view, key);
	if (failure && failure->is_gone && may_end(instance)) {
		next.status = INSTANCE_STOPPED;
		moves = true;
	} else if (failure) {
		subject_needs(subject, NEEDS_REPAIR);
		next.status = instance->status;
		moves = false;
	}
	if (failure || instance->status != INSTANCE_STOPPED)
		(void)str_copy(next.failure, sizeof(next.failure), failure ? failure->reason : "");
	if (moves || !streq(next.failure, instance->failure))
		changes_put(changes, KIND_INSTANCE, &next);
}
