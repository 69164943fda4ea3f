/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connectivity tests: what nodes say of them is written down, and those that nobody says anything of end.
 *
 * A test that has not ended names the node that is to run it, and one that has ended names none. So those of
 * all nodes that are under way are found without a look at the others, and no other state waits for them.
 */
#include "control_step.h"

static void end(const struct control_view *view, struct connectivity_test *row,
		enum connectivity_status status)
{
	row->status = status;
	row->node[0] = '\0';
	row->end_time = view->now;
}

/* Each step gets its outcome; the steps themselves are the row's. */
static int finish(const struct control_view *view, const struct control_test *test,
		  struct connectivity_test *row)
{
	struct connectivity_step steps[CONNECTIVITY_STEPS_MAX];
	size_t n;
	int r = connectivity_read(row->steps, steps, &n);

	if (r < 0)
		return r;
	if (n != test->n_outcomes)
		return -EBADMSG;
	for (size_t i = 0; i < n; i++) {
		if (!connectivity_outcome_is_good(&test->outcomes[i]))
			return -EBADMSG;
		steps[i].outcome = test->outcomes[i];
	}
	r = connectivity_write(steps, n, row->steps);
	if (r < 0)
		return r;
	(void)str_copy(row->verdict, sizeof(row->verdict), connectivity_verdict(steps, n));
	end(view, row, CONNECTIVITY_FINISHED);
	return 0;
}

void control_tests(const struct control_view *view, const char *node, const struct control_test *tests,
		   size_t n_tests, struct changes *changes)
{
	for (size_t i = 0; i < n_tests; i++) {
		const struct connectivity_test *known =
			snapshot_find(view->rows, KIND_CONNECTIVITY_TEST, tests[i].id);
		struct connectivity_test row;

		if (!known || !streq(known->node, node))
			continue;
		row = *known;
		if (!tests[i].is_running) {
			if (finish(view, &tests[i], &row) < 0)
				continue;
		} else if (row.status == CONNECTIVITY_PENDING) {
			row.status = CONNECTIVITY_RUNNING;
		} else {
			continue;
		}
		changes_put(changes, KIND_CONNECTIVITY_TEST, &row);
	}
}

static void expire(const struct control_view *view, const struct connectivity_test *test,
		   struct changes *changes)
{
	struct connectivity_test row = *test;

	(void)str_format(row.failure, sizeof(row.failure), "The node %s did not answer within %d s.",
			 row.runner, CONNECTIVITY_DEADLINE_S);
	end(view, &row, CONNECTIVITY_EXPIRED);
	changes_put(changes, KIND_CONNECTIVITY_TEST, &row);
}

/* A node that is gone cannot have any: its instances went before it, and with them their tests. */
int64_t control_tests_expire(const struct control_view *view, struct changes *changes)
{
	int64_t next = INT64_MAX;

	for (const struct node *n = NULL; (n = snapshot_next(view->rows, KIND_NODE, "", n));)
		for (const struct connectivity_test *t = NULL;
		     (t = snapshot_children(view->rows, REF_CONNECTIVITY_TEST_NODE, n->name, t));) {
			/* The second in which it was made has begun before. What was made later than that was
			 * made by a clock that was set back since, and would be waited for until then. */
			int64_t end_time = t->create_time + CONNECTIVITY_DEADLINE_S + 1;

			if (end_time <= view->now || t->create_time > view->now + CONNECTIVITY_DEADLINE_S)
				expire(view, t, changes);
			else
				next = MIN(next, end_time);
		}
	return next;
}
