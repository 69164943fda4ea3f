/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every minute a survey compares with what is really there (survey.h), beside changes, which wait for a full
 * pass; only where it finds something, or could not be begun for a minute, there is such a pass. The insides
 * of ports are looked at one by one.
 */
#include "reconcile_parts.h"

#include "../lib/log.h"

#define SURVEY_MS	60000
#define SURVEY_PAUSE_MS 5000  /* from the beginning of one to that of the next, at least */
#define INSIDE_MS	60000 /* in which the insides of all ports are looked at … */
#define INSIDE_STEP_MS	10    /* … but not faster than one in this time */

/* What is in force is what all rows say, and nothing of it waits. */
static bool may_survey(const struct reconcile *reconcile)
{
	return reconcile_has_slices(reconcile) && snapshot_revision(reconcile->parts.rows) &&
	       !survey_goes_on(reconcile->survey) && !reconcile->is_wanted && !reconcile->wants_whole &&
	       !reconcile->wants_full && !reconcile->wants_heavy && !plan_touched_any(&reconcile->touched) &&
	       !health_has_news(reconcile->parts.health);
}

void reconcile_survey_if_due(struct reconcile *reconcile)
{
	const struct plan_input input = reconcile_input(reconcile);
	uint64_t now_ms = now_mono_ms();
	int r;

	if (!reconcile->is_survey_due || !may_survey(reconcile))
		return;
	if (reconcile->surveyed_ms && now_ms - reconcile->surveyed_ms < SURVEY_PAUSE_MS) {
		loop_timer_set(reconcile->survey_later, reconcile->surveyed_ms + SURVEY_PAUSE_MS - now_ms);
		return;
	}
	reconcile->surveyed_ms = now_ms;
	r = survey_start(reconcile->survey, &input, reconcile->parts.indexes, reconcile->plan);
	if (r == 0)
		return;
	log_warning("cannot look at what is in force beside changes, and does it in one piece: %s",
		    strerror(-r));
	reconcile_request(reconcile, true);
}

static void on_survey_later(void *context, uint32_t events)
{
	(void)events;
	reconcile_survey_if_due(context);
}

/* The survey has seen the tables; what is left is little, and waits for nobody. */
int reconcile_look_at_rest(struct reconcile *reconcile)
{
	uint32_t ifindex = ports_node_port(reconcile->parts.ports)->row.ifindex;
	int r;

	if (!reconcile->is_rest_due || ports_are_busy(reconcile->parts.ports))
		return 0;
	reconcile->is_rest_due = false;
	r = ports_sync_node_port(reconcile->parts.ports);
	if (r == 0 && ports_node_port(reconcile->parts.ports)->row.ifindex != ifindex)
		r = -ENODEV;
	return r < 0 ? r : MIN(reconcile_remove_others(reconcile, true), 0);
}

static void on_surveyed(void *context, const char *what)
{
	struct reconcile *reconcile = context;

	reconcile->is_survey_due = false;
	reconcile->is_rest_due = true;
	log_debug("survey revision=%llu found=\"%s\"", (unsigned long long)reconcile->plan->revision,
		  what ? what : "");
	if (what || reconcile_look_at_rest(reconcile) < 0)
		reconcile_request(reconcile, true);
}

void reconcile_end_survey(struct reconcile *reconcile, bool full)
{
	survey_cancel(reconcile->survey);
	reconcile->is_survey_due &= !full;
	reconcile->is_rest_due &= !full;
}

void reconcile_put_off_survey(struct reconcile *reconcile)
{
	loop_timer_set(reconcile->slow, SURVEY_MS);
}

static void on_slow(void *context, uint32_t events)
{
	struct reconcile *reconcile = context;

	(void)events;
	reconcile_put_off_survey(reconcile);
	if (reconcile->is_survey_due || !reconcile_has_slices(reconcile))
		reconcile_request(reconcile, true);
	reconcile->is_survey_due = true;
	reconcile_survey_if_due(reconcile);
}

uint64_t reconcile_look_inside(struct reconcile *reconcile)
{
	const struct plan *plan = reconcile->plan;

	if (!plan)
		return INSIDE_MS;
	if (ports_look_inside(reconcile->parts.ports, plan) < 0)
		log_warning("cannot look at the inside of instances, ignoring: out of memory");
	return MAX(INSIDE_MS / (plan->n_ports + 1), (uint64_t)INSIDE_STEP_MS);
}

int reconcile_init_survey(struct reconcile *reconcile)
{
	struct loop *loop = reconcile->parts.loop;
	int r = loop_add_timer(loop, on_slow, reconcile, &reconcile->slow);

	if (r == 0)
		r = loop_add_timer(loop, on_survey_later, reconcile, &reconcile->survey_later);
	if (r == 0)
		r = survey_new(loop, reconcile->parts.datapath, on_surveyed, reconcile, &reconcile->survey);
	if (r == 0)
		reconcile_put_off_survey(reconcile);
	return r;
}

void reconcile_done_survey(struct reconcile *reconcile)
{
	loop_source_free(reconcile->slow);
	loop_source_free(reconcile->survey_later);
	survey_free(reconcile->survey);
}
