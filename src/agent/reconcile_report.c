/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A revision is reported when all that can be in force is; objects that failed are named in the report. When
 * the data path's tables could not be written, or VPC 0 could not be made, nothing is reported: then it is
 * not known what is in force, or names may not resolve.
 *
 * While devices are queued (ports.h), what the tables have is reported before: now and then, and the
 * instances whose devices are still to be made or removed are among the failures.
 */
#include "reconcile_parts.h"

#include "../lib/log.h"

#define MEANWHILE_MS   100 /* between reports while devices are queued; and one more for … */
#define DEVICES_PER_MS 10  /* … so many that are named in the last one, since that costs something */

/* What is still to be made, what could not be, and what could not be planned: trying again does not help
 * that. `ret_n_queued`: of the first kind, which stands first. */
static int gather_failures(const struct reconcile *reconcile, struct failures *failures, size_t *ret_n_queued)
{
	const struct plan *plan = reconcile->plan;
	int r = ports_tell_queued(reconcile->parts.ports, plan, reconcile->is_trusted, failures);

	*ret_n_queued = failures->n;
	for (size_t i = 0; i < reconcile->failed.n && r == 0; i++) {
		const struct plan_failure *failure = &reconcile->failed.items[i];

		r = failure->is_gone ? failures_add_gone(failures, failure->key, failure->reason)
				     : failures_add(failures, failure->key, "%s", failure->reason);
	}
	for (size_t i = 0; i < plan->n_failures && r == 0; i++)
		r = failures_add(failures, plan->failures[i].key, "%s", plan->failures[i].reason);
	return r;
}

static int send_report(struct reconcile *reconcile, size_t *ret_n_queued)
{
	_cleanup_(freep) struct health_result *health = NULL;
	_cleanup_(failures_clear) struct failures failures = {};
	size_t n_health = 0;
	int r = gather_failures(reconcile, &failures, ret_n_queued);

	if (r == 0)
		r = health_results(reconcile->parts.health, &health, &n_health);
	if (r == 0)
		r = feed_report(reconcile->feed, reconcile->plan->revision, &failures, health, n_health);
	if (r < 0)
		(void)log_errno(r, "cannot report");
	return r;
}

static void report(struct reconcile *reconcile)
{
	size_t n_queued;
	int r;

	if (!reconcile->feed)
		return;
	r = send_report(reconcile, &n_queued);
	reconcile->is_settled = r == 0;
	reconcile->is_untold = r < 0;
	if (r < 0)
		return;
	if (reconcile->has_health)
		reconcile->found_ms = now_mono_ms() + MEANWHILE_MS;
	reconcile->has_news = reconcile->has_health = false;
	reconcile->names_lost = n_queued > 0;
}

/* While devices are queued: one takes less than the first pause, so it is reported with its instance at once.
 * The last report, when all are there, has other failures than these. */
static void report_meanwhile(struct reconcile *reconcile)
{
	uint64_t now_ms = now_mono_ms();
	size_t n_queued = 0;

	if (!reconcile->feed || (reconcile->tell_ms && now_ms < reconcile->tell_ms))
		return;
	if (reconcile->tell_ms) {
		(void)send_report(reconcile, &n_queued);
		reconcile->has_news = true;
	}
	reconcile->tell_ms = now_ms + MEANWHILE_MS + n_queued / DEVICES_PER_MS;
	loop_timer_set(reconcile->meanwhile, reconcile->tell_ms - now_ms);
}

/* Before a pass that is due the plan is not what the tables and devices are; it reports then. */
static void on_meanwhile(void *context, uint32_t events)
{
	struct reconcile *reconcile = context;

	(void)events;
	if (reconcile->is_making && !reconcile->is_wanted)
		report_meanwhile(reconcile);
}

/* All that can be in force without the devices that are queued is. True: some are. A pause also ends when
 * another thing is wanted of the port, which is queued then: that is news, too. As long as nothing is queued
 * what pauses or is stuck stays as it was told, and others' changes need no fresh report. */
static bool still_makes(struct reconcile *reconcile)
{
	reconcile->is_making = ports_are_queued(reconcile->parts.ports);
	if (reconcile->is_making) {
		reconcile->has_news |= reconcile->names_lost;
		report_meanwhile(reconcile);
	} else {
		reconcile->tell_ms = 0;
		loop_timer_stop(reconcile->meanwhile);
	}
	return reconcile->is_making;
}

void reconcile_report_whole(struct reconcile *reconcile)
{
	reconcile->has_news = true;
	if (!still_makes(reconcile))
		report(reconcile);
}

int reconcile_report_slices(struct reconcile *reconcile)
{
	int r;

	if (still_makes(reconcile))
		return 0;
	if (reconcile->has_news || (reconcile->has_health && now_mono_ms() >= reconcile->found_ms)) {
		report(reconcile);
		return 0;
	}
	if (reconcile->has_health)
		loop_timer_set(reconcile->found, reconcile->found_ms - now_mono_ms());
	r = feed_report_again(reconcile->feed, reconcile->plan->revision);
	reconcile->is_settled = r == 0;
	return r;
}

bool reconcile_report_unchanged(struct reconcile *reconcile)
{
	uint64_t revision = snapshot_revision(reconcile->parts.rows);

	if (reconcile->is_wanted || reconcile->wants_full || reconcile->is_removal_due ||
	    !reconcile->is_settled || feed_report_again(reconcile->feed, revision) < 0)
		return false;
	reconcile->plan->revision = revision;
	log_debug("no pass: the plan is the same revision=%llu", (unsigned long long)revision);
	return true;
}

/* A pass that is due reports itself, and so does the end of what is being made. */
static void on_found(void *context, uint32_t events)
{
	struct reconcile *reconcile = context;

	(void)events;
	if (!reconcile->has_health || !reconcile->is_settled || reconcile->is_wanted || reconcile->is_making)
		return;
	report(reconcile);
	if (reconcile->is_untold)
		reconcile_set_retry(reconcile, true);
}

int reconcile_init_report(struct reconcile *reconcile)
{
	struct loop *loop = reconcile->parts.loop;
	int r = loop_add_timer(loop, on_meanwhile, reconcile, &reconcile->meanwhile);

	return r < 0 ? r : loop_add_timer(loop, on_found, reconcile, &reconcile->found);
}

void reconcile_done_report(struct reconcile *reconcile)
{
	loop_source_free(reconcile->meanwhile);
	loop_source_free(reconcile->found);
}
