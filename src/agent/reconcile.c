/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Passes are coalesced: whatever asks for one within a turn of the loop, or within a few milliseconds of the
 * last pass, gets the same one. What could not be applied is tried again after a pause that doubles up to
 * half a minute; passes in between, for changes elsewhere, neither put it off nor lengthen it.
 *
 * A pass is one of slices (reconcile_slices.c), which takes what has been touched alone, where that can be.
 * Whatever a pass of slices cannot do, or goes wrong in it, makes it one of the whole (reconcile_whole.c).
 * After a failure, and when the kernel dropped events, a pass is a full one: it compares with what is really
 * there.
 *
 * A device that its owner has removed is queued by itself and, when that is done again and again, after a
 * pause (ports.h): a tenant shall not make a node look at all that others have there.
 */
#include "reconcile_parts.h"

#include "../lib/log.h"

#define SLICES_INTERVAL_MS 1 /* from the end of a pass to the next one: of slices, … */
#define INTERVAL_MS	   5
#define RETRY_FIRST_MS	   200
#define RETRY_MAX_MS	   30000
#define PRIORITY	   10 /* after what gathers changes in the same turn */

static void schedule(struct reconcile *reconcile)
{
	uint64_t since_ms = now_mono_ms() - reconcile->last_ms;
	uint64_t interval_ms = reconcile->was_whole ? INTERVAL_MS : SLICES_INTERVAL_MS;

	if (reconcile->is_wanted || !snapshot_revision(reconcile->parts.rows))
		return;
	reconcile->is_wanted = true;
	if (since_ms >= interval_ms)
		loop_defer(reconcile->soon);
	else
		loop_timer_set(reconcile->later, interval_ms - since_ms);
}

/* Rows that change by themselves: a server's connections have had their time; or it has been calm. */
static void on_due(void *context, uint32_t events)
{
	(void)events;
	schedule(context);
}

static void set_due(struct reconcile *reconcile)
{
	uint64_t due_ms = datapath_due_ms(reconcile->parts.datapath);

	if (due_ms)
		loop_timer_set(reconcile->due, MAX(due_ms, reconcile->last_ms) - reconcile->last_ms + 1);
	else
		loop_timer_stop(reconcile->due);
}

void reconcile_set_retry(struct reconcile *reconcile, bool has_failed)
{
	if (!has_failed) {
		reconcile->retry_ms = RETRY_FIRST_MS;
		reconcile->is_retry_due = false;
		loop_timer_stop(reconcile->retry);
	} else if (!reconcile->is_retry_due) {
		reconcile->is_retry_due = true;
		loop_timer_set(reconcile->retry, reconcile->retry_ms);
		reconcile->retry_ms = MIN(reconcile->retry_ms * 2, (uint64_t)RETRY_MAX_MS);
	}
}

/* Nothing but that asks for a pass. */
static bool is_only_health(const struct reconcile *reconcile)
{
	return reconcile->wants_health && !reconcile->wants_whole && !reconcile->wants_full &&
	       !plan_touched_any(&reconcile->touched);
}

/* A pass of what is touched alone. False: it has to be one of the whole. */
static bool run_slices(struct reconcile *reconcile)
{
	struct plan_touched touched = reconcile->touched;
	uint64_t started_ms = now_mono_ms();
	bool may = !reconcile->wants_whole && !reconcile->wants_full && reconcile_has_slices(reconcile);
	int r;

	reconcile->is_wanted = false;
	if (!may && is_only_health(reconcile)) {
		reconcile->wants_heavy = true;
		return true;
	}
	reconcile->wants_whole = false;
	reconcile->is_settled = reconcile->is_making = false;
	reconcile->touched = (struct plan_touched){};
	r = may ? reconcile_apply_slices(reconcile, &touched) : 1;
	reconcile->last_ms = now_mono_ms();
	reconcile->was_whole = false;
	if (r == 0)
		set_due(reconcile);
	if (r == 0)
		log_debug("pass of slices revision=%llu ms=%llu",
			  (unsigned long long)reconcile->plan->revision,
			  (unsigned long long)(reconcile->last_ms - started_ms));
	else if (r < 0)
		log_debug("cannot put slices in force: %s", strerror(-r));
	return r == 0;
}

static void run_whole(struct reconcile *reconcile)
{
	uint64_t started_ms = now_mono_ms();
	bool full = reconcile->wants_full, heavy = reconcile->wants_heavy;
	int r;

	reconcile_end_survey(reconcile, full);
	reconcile->wants_full = reconcile->wants_health = reconcile->wants_heavy = false;
	reconcile->is_settled = reconcile->is_making = false; /* also where slices have just reported */
	loop_timer_stop(reconcile->calm);
	r = reconcile_apply_whole(reconcile, full);
	reconcile->is_unsure = (reconcile->is_unsure && !full) || (r < 0 && r != -EAGAIN);
	reconcile->last_ms = now_mono_ms();
	reconcile->was_whole = true;
	if (heavy)
		reconcile_begin_calm(reconcile, started_ms);
	log_debug("pass full=%d revision=%llu result=%d ms=%llu held_ms=%llu", full,
		  (unsigned long long)snapshot_revision(reconcile->parts.rows), r,
		  (unsigned long long)(reconcile->last_ms - started_ms),
		  (unsigned long long)loop_take_held_ms(reconcile->parts.loop));
	if (full)
		reconcile_put_off_survey(reconcile);
	set_due(reconcile);
	reconcile_set_retry(reconcile, r < 0 || reconcile->is_unsure || reconcile->is_untold);
}

static void run_pass(void *context, uint32_t events)
{
	struct reconcile *reconcile = context;

	(void)events;
	if (!snapshot_revision(reconcile->parts.rows)) {
		/* They broke off since it was asked for: what a part of them does not want is not to go. */
		reconcile->is_wanted = false;
		reconcile->wants_whole = true;
		return;
	}
	if (!run_slices(reconcile) || reconcile_is_heavy_due(reconcile))
		run_whole(reconcile);
	else if (reconcile->is_untold)
		reconcile_set_retry(reconcile, true);
	reconcile_survey_if_due(reconcile);
}

static void on_retry(void *context, uint32_t events)
{
	struct reconcile *reconcile = context;

	(void)events;
	reconcile->is_retry_due = false;
	ports_retry(reconcile->parts.ports);
	reconcile_request(reconcile, reconcile->is_unsure);
}

void reconcile_device(struct reconcile *reconcile, int result, const char *instance)
{
	if (result < 0) {
		reconcile_request(reconcile, false);
	} else if (result > 0) {
		plan_touch_device(&reconcile->touched, reconcile->parts.rows, instance);
		reconcile->wants_whole |= reconcile->touched.whole;
		schedule(reconcile);
	}
}

/* Its rows stay meanwhile, with a number that no device has: open flows go on when there is another one. */
void reconcile_mend(struct reconcile *reconcile, uint32_t number)
{
	int r = reconcile->plan ? ports_queue(reconcile->parts.ports, reconcile->plan, &number, 1) : 0;

	reconcile->has_news = true;
	reconcile->wants_whole |= r < 0;
	schedule(reconcile);
}

void reconcile_go_on(struct reconcile *reconcile)
{
	if (!reconcile->plan)
		return;
	if (reconcile_look_at_rest(reconcile) < 0)
		reconcile_request(reconcile, true);
	if (reconcile_next_device(reconcile) < 0)
		reconcile_request(reconcile, false);
	else if (reconcile->is_making && !ports_are_queued(reconcile->parts.ports))
		schedule(reconcile);
}

void reconcile_request(struct reconcile *reconcile, bool full)
{
	reconcile->wants_full |= full;
	reconcile->wants_whole = true;
	schedule(reconcile);
}

void reconcile_rows(struct reconcile *reconcile, const struct plan_touched *touched)
{
	if (!plan_touched_any(touched) && !touched->health && reconcile_report_unchanged(reconcile))
		return;
	plan_touched_add(&reconcile->touched, touched);
	reconcile->wants_health |= touched->health;
	reconcile->wants_whole |= touched->whole || (!touched->health && !reconcile_is_even(reconcile));
	schedule(reconcile);
}

void reconcile_health(struct reconcile *reconcile)
{
	reconcile->wants_health = reconcile->has_health = true;
	schedule(reconcile);
}

int reconcile_new(const struct reconcile_parts *parts, struct reconcile **ret)
{
	struct reconcile *reconcile = calloc(1, sizeof(*reconcile));
	int r;

	if (!reconcile)
		return -ENOMEM;
	reconcile->parts = *parts;
	reconcile->retry_ms = RETRY_FIRST_MS;
	reconcile->wants_full = true; /* the first pass */
	r = loop_add_deferred(parts->loop, PRIORITY, run_pass, reconcile, &reconcile->soon);
	if (r == 0)
		r = loop_add_timer(parts->loop, run_pass, reconcile, &reconcile->later);
	if (r == 0)
		r = loop_add_timer(parts->loop, on_retry, reconcile, &reconcile->retry);
	if (r == 0)
		r = loop_add_timer(parts->loop, on_due, reconcile, &reconcile->due);
	if (r == 0)
		r = loop_add_timer(parts->loop, on_due, reconcile, &reconcile->calm);
	if (r == 0)
		r = reconcile_init_report(reconcile);
	if (r == 0)
		r = reconcile_init_survey(reconcile);
	if (r < 0) {
		reconcile_free(reconcile);
		return r;
	}
	*ret = reconcile;
	return 0;
}

struct reconcile *reconcile_free(struct reconcile *reconcile)
{
	if (!reconcile)
		return NULL;
	loop_source_free(reconcile->soon);
	loop_source_free(reconcile->later);
	loop_source_free(reconcile->retry);
	loop_source_free(reconcile->due);
	loop_source_free(reconcile->calm);
	reconcile_done_report(reconcile);
	reconcile_done_survey(reconcile);
	failures_clear(&reconcile->failed);
	plan_free(reconcile->plan);
	free(reconcile);
	return NULL;
}

const struct plan *reconcile_plan(const struct reconcile *reconcile)
{
	return reconcile->plan;
}

void reconcile_set_feed(struct reconcile *reconcile, struct feed *feed)
{
	reconcile->feed = feed;
}

void reconcile_trust_rows(struct reconcile *reconcile, bool trusted)
{
	if (trusted && !reconcile->is_trusted)
		reconcile->is_removal_due = reconcile->has_news = true; /* what was left over is told */
	reconcile->is_trusted = trusted;
}
