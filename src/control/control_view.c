/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What control sees of the world: how far the nodes are, and what failed there.
 */
#include "states.h"

#include "../lib/vec.h"

bool view_reached(const struct control_view *view, const struct row_meta *meta)
{
	return meta->modified <= view->live_revision;
}

void subject_needs(struct control_subject *subject, uint64_t revision)
{
	if (subject->needs == NEEDS_NOTHING || revision < subject->needs)
		subject->needs = revision;
}

const struct control_failure *control_failure_get(const struct control_view *view, const char *key)
{
	size_t place = LOWER_BOUND(i, view->n_failures, strcmp(view->failures[i].key, key) < 0);

	return place < view->n_failures && streq(view->failures[place].key, key) ? &view->failures[place]
										 : NULL;
}

const char *control_failure_find(const struct control_view *view, const char *key)
{
	const struct control_failure *failure = control_failure_get(view, key);

	return failure ? failure->reason : NULL;
}
