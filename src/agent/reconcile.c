/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pass: plan from the rows (a pure function) -> devices -> tables of the data path -> names -> probes ->
 * removal of devices that nothing wants -> report. The plan is made twice when devices came or went, because
 * a port's row in the data path has its device's number in it.
 *
 * Passes are coalesced: whatever asks for one within a turn of the loop, or within a few milliseconds of the
 * last pass, gets the same one. What could not be applied is tried again after a pause that doubles up to
 * half a minute; passes in between, for changes elsewhere, neither put it off nor lengthen it. A revision is
 * reported when all that can be in force is; objects that failed are named in the report. When the data
 * path's tables could not be written, or VPC 0 could not be made, nothing is reported: then it is not known
 * what is in force, or names may not resolve.
 *
 * After a failure, and when the kernel dropped events, a pass is a full one: it compares with what is really
 * there. Every minute a survey does that (survey.h), beside changes, which wait for a full pass; only where
 * it finds something, or could not be begun for a minute, there is such a pass.
 *
 * When rows have changed that touch a few slices of the plan only (plan_slice.h), and what is in force is
 * what the plan says, a pass plans these, writes their rows, and queues their devices to be made and removed
 * (ports.h). It does not wait for that: what others change is put in force meanwhile. When a device is there,
 * the next such pass plans and writes what reads that; the one that finds nothing queued any more reports.
 * Where that takes longer, what the tables have is reported before: now and then, and the instances whose
 * devices are still to be made or removed are among the failures. A pass of the whole queues the devices that
 * it has no time for, too, once all that was there at the start is.
 * A device that its owner has removed is queued as well, by itself and, when that is done again and again,
 * after a pause (ports.h): a tenant shall not make a node look at all that others have there.
 * What is found of servers is planned after what rows have touched, and apart from it. Where that cannot be
 * done in slices (the servers are too many, or what follows from them is) a pass becomes one of the whole as
 * well; the first time at once, then not before it has been calm for some times as long as the last one took.
 * Where it came out only when it was tried, nothing of the account's servers is tried until then. So whose
 * servers are ill and well all the time does not keep others waiting.
 *
 * Whatever a pass of slices cannot do, or goes wrong in it, makes it one of the whole.
 *
 * A pass of the whole breathes (loop.h): the resolver and the probes go on meanwhile, by the plan before it,
 * which stays as it is until the new one takes its place; whom the old one does not know the resolver answers
 * then. What they find out asks for another pass, as at any other time.
 */
#include "reconcile.h"

#include "../lib/log.h"
#include "refused.h"
#include "survey.h"

#define SLICES_INTERVAL_MS 1 /* from the end of a pass to the next one: of slices, … */
#define INTERVAL_MS	   5
#define CALM_TIMES	   4	/* as long as such a pass took there is none for probes alone */
#define CALM_MAX_MS	   2000 /* … or so long, if devices have made it long */
#define RETRY_FIRST_MS	   200
#define RETRY_MAX_MS	   30000
#define SURVEY_MS	   60000
#define SURVEY_PAUSE_MS	   5000	 /* from the beginning of one to that of the next, at least */
#define INSIDE_MS	   60000 /* in which the insides of all ports are looked at … */
#define INSIDE_STEP_MS	   10	 /* … but not faster than one in this time */
#define MEANWHILE_MS	   100	 /* between reports while devices are queued; and one more for … */
#define DEVICES_PER_MS	   10	 /* … so many that are named in the last one, since that costs something */
#define PRIORITY	   10	 /* after what gathers changes in the same turn */

struct reconcile {
	struct reconcile_parts parts;
	struct feed *feed;
	struct loop_source *soon; /* deferred */
	struct loop_source *later, *retry, *slow, *due, *meanwhile, *calm, *survey_later;
	uint64_t last_ms, retry_ms;
	bool was_whole; /* the last pass */
	bool is_wanted, wants_full;
	bool wants_whole;	     /* not only what is touched */
	bool wants_health;	     /* to take what is found of servers */
	bool wants_heavy;	     /* the whole besides, since some of that is no matter of slices */
	uint64_t calm_ms;	     /* not before that */
	struct refused refused;	     /* until then */
	struct plan_touched touched; /* by rows, since the last pass */
	bool is_retry_due;	     /* the retry timer runs */
	bool is_unsure;	   /* a pass broke off, and no full one has been through since: what is there? */
	bool is_settled;   /* the last pass has reported that all of its plan is in force */
	bool is_making;	   /* or all that lacks are devices that are queued */
	uint64_t tell_ms;  /* while it is making: when to report what is in force; 0: that is to be set */
	bool is_untold;	   /* the last report could not be made */
	bool has_news;	   /* there is more to report than another revision */
	bool has_health;   /* what probes have found is to be reported, when … */
	uint64_t found_ms; /* … it is time for that: a report of it has all results and failures */
	struct loop_source *found;
	bool names_lost; /* the last report has devices that pause, or could not be removed */
	struct survey *survey;
	bool is_survey_due;
	uint64_t surveyed_ms; /* the last one has begun */
	bool is_rest_due;     /* what a survey leaves is to be looked at, when no device is being worked on */
	bool has_node_port;
	bool is_trusted;	 /* the rows say what is not wanted, too */
	bool is_removal_due;	 /* since they do, nobody has looked for all that is not */
	struct plan *plan;	 /* in force; the resolver reads it */
	struct failures failed;	 /* what could not be made or written with the last pass of the whole */
	size_t n_failed_devices; /* of those, what could not be made */
};

static struct plan_input input_of(const struct reconcile *reconcile)
{
	return (struct plan_input){
		.rows = reconcile->parts.rows,
		.catalogue = reconcile->parts.catalogue,
		.node = reconcile->parts.node,
		.health = health_of,
		.health_context = reconcile->parts.health,
		.ifindex = ports_ifindex,
		.ifindex_context = reconcile->parts.ports,
	};
}

static int build_plan(struct reconcile *reconcile, struct plan **ret)
{
	struct plan_input input = input_of(reconcile);

	health_take_all(reconcile->parts.health);
	input.breath = loop_breath(reconcile->parts.loop);
	return plan_build(&input, reconcile->parts.indexes, ret);
}

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

/* The plan with the devices that it needs. Failures to make one go into `failures`. */
static int plan_with_devices(struct reconcile *reconcile, bool full, struct failures *failures,
			     struct plan **ret)
{
	struct plan *plan;
	int r = build_plan(reconcile, &plan);

	if (r < 0)
		return log_errno(r, "cannot plan");
	r = ports_sync(reconcile->parts.ports, plan, full, failures);
	if (r > 0) {
		plan_free(plan);
		r = build_plan(reconcile, &plan);
		if (r < 0)
			return log_errno(r, "cannot plan");
	} else if (r < 0) {
		plan_free(plan);
		return log_errno(r, "cannot make devices");
	}
	*ret = plan;
	return 0;
}

/* -ENOMEM: some servers are not probed yet. */
static int set_plan(struct reconcile *reconcile, struct plan *plan)
{
	const struct breath breath = loop_breath(reconcile->parts.loop);
	struct plan *old = reconcile->plan;
	int r = health_set_plan(reconcile->parts.health, plan);

	if (r < 0)
		(void)log_errno(r, "cannot probe all backends");
	dns_set_plan(reconcile->parts.dns, plan);
	flow_log_follow(reconcile->parts.flow_log, plan);
	reconcile->plan = plan;
	plan_free_breathing(old, &breath);
	return r;
}

static int remove_others(struct reconcile *reconcile, bool full)
{
	int r;

	if (!reconcile->is_trusted)
		return 0;
	full |= reconcile->is_removal_due;
	reconcile->is_removal_due = false;
	r = ports_remove_others(reconcile->parts.ports, reconcile->plan, full);
	if (r > 0 || full) {
		int q = datapath_sweep_links(reconcile->parts.datapath);

		if (q < 0)
			return log_errno(q, "cannot remove links of devices that are gone");
	}
	return r;
}

static int go_on(struct reconcile *reconcile)
{
	return ports_go_on(reconcile->parts.ports, reconcile->plan, reconcile->is_trusted);
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

/* New tables are put in force when they have all that the plan has, and not while some ports are still to be
 * made; what is in force goes on until then. `r` is the sync's result. */
static int take_over(struct reconcile *reconcile, int r)
{
	if (r < 0 || !reconcile->has_node_port || ports_are_behind(reconcile->parts.ports))
		return r;
	return datapath_take_over(reconcile->parts.datapath);
}

/* Of a pass of the whole: at once, unless devices are still to be made or removed. */
static void report_soon(struct reconcile *reconcile)
{
	reconcile->has_news = true;
	if (!still_makes(reconcile))
		report(reconcile);
}

/* -EAGAIN: some objects failed, or probes; other errors: the pass broke off. Either has to be tried again. */
static int apply(struct reconcile *reconcile, bool full)
{
	struct failures *failures = &reconcile->failed;
	struct plan *plan = NULL;
	int r, q, p;

	failures_clear(failures);

	r = full ? datapath_repair_pins(reconcile->parts.datapath) : 0;
	if (r >= 0 && (full || ports_node_port_is_due(reconcile->parts.ports)))
		reconcile->has_node_port = ports_sync_node_port(reconcile->parts.ports) == 0;
	if (r >= 0)
		r = plan_with_devices(reconcile, full, failures, &plan);
	reconcile->n_failed_devices = failures->n;
	if (r < 0)
		return r;
	dns_expect_plan(reconcile->parts.dns); /* whose port's row is written may ask at once */
	r = datapath_sync(reconcile->parts.datapath, plan, ports_node_port(reconcile->parts.ports), full,
			  failures);
	r = take_over(reconcile, r);
	if (r == 0 && reconcile->has_node_port && !ports_are_behind(reconcile->parts.ports))
		ports_queue_rest(reconcile->parts.ports);
	p = set_plan(reconcile, plan);
	q = remove_others(reconcile, full);
	if (q >= 0)
		q = go_on(reconcile);

	if (ports_are_behind(reconcile->parts.ports))
		reconcile_request(reconcile, false);
	else if (r == 0 && reconcile->has_node_port)
		report_soon(reconcile);
	if (r == 0 && q < 0)
		r = q;
	if (r == 0 && !reconcile->has_node_port)
		r = -ENODEV;
	return r < 0 ? r : failures->n || p < 0 ? -EAGAIN : 0;
}

/* Of devices of others alone, which slices have nothing to do with, and the retry mends. */
static bool has_only_failed_devices(const struct reconcile *reconcile, const struct plan_touched *touched)
{
	for (size_t i = 0; i < reconcile->failed.n; i++) {
		const char *key = reconcile->failed.items[i].key;

		for (size_t j = 0; j < touched->instances.n; j++)
			if (streq(touched->instances.ids[j], key + strlen("instance/")))
				return false;
	}
	return true;
}

/* The slices as they are now into the plan in force and the tables. 1: they cannot be put there by
 * themselves. What is noted joins what the patch has. */
static int put_slices(struct reconcile *reconcile, const struct plan_touched *touched,
		      struct plan_patch *patch)
{
	const struct plan_input input = input_of(reconcile);
	int r = plan_slice(&input, reconcile->parts.indexes, touched, reconcile->plan, patch);

	return r == 0 ? datapath_sync_slices(reconcile->parts.datapath, reconcile->plan, patch) : r;
}

/* What is left over from before the rows could be trusted goes, or is queued, before a report says that it is
 * not there. */
static int remove_left_over(struct reconcile *reconcile)
{
	int r = reconcile->is_removal_due ? remove_others(reconcile, true) : 0;

	reconcile->wants_full |= r < 0;
	return MIN(r, 0);
}

/* Devices come after all rows: what others have in these slices does not wait for them. 1: as above. */
static int queue_devices(struct reconcile *reconcile, const struct plan_patch *patch)
{
	int r = ports_queue(reconcile->parts.ports, reconcile->plan, patch->ports, patch->n_ports);

	if (r == 0)
		r = remove_left_over(reconcile);
	if (r == 0)
		r = go_on(reconcile);
	return r == -EAGAIN ? 1 : r;
}

/* 1: what is touched cannot be put in force by itself. */
static int apply_touched(struct reconcile *reconcile, const struct plan_touched *touched)
{
	_cleanup_(plan_patch_done) struct plan_patch patch = {};
	int r;

	if (!has_only_failed_devices(reconcile, touched))
		return 1;
	r = put_slices(reconcile, touched, &patch);
	if (r == 0)
		r = health_follow(reconcile->parts.health, reconcile->plan, &patch);
	if (r == 0)
		r = queue_devices(reconcile, &patch);
	if (r != 0)
		return r;
	flow_log_follow_slots(reconcile->parts.flow_log, patch.slots, patch.n_slots);
	reconcile->has_news |= patch.failures || patch.n_probes;
	return 0;
}

/* What is found of servers. */

static int64_t account_of(const struct reconcile *reconcile, const char *group)
{
	const struct server_group *row = snapshot_server_group(reconcile->parts.rows, group);

	return row ? row->owner : 0;
}

/* It came out in slices that these cannot be planned so. */
static void refuse(struct reconcile *reconcile, const struct plan_touched *found)
{
	int64_t accounts[PLAN_TOUCHED_MAX];

	for (size_t i = 0; i < found->server_groups.n; i++)
		accounts[i] = account_of(reconcile, found->server_groups.ids[i]);
	refused_add(&reconcile->refused, accounts, found->server_groups.n);
	reconcile->wants_heavy = true;
}

static bool fits(void *context, const struct plan_touched *touched)
{
	struct reconcile *reconcile = context;
	const struct plan_input input = input_of(reconcile);
	bool is_calm = now_mono_ms() < reconcile->calm_ms;
	int64_t first = 0;

	for (size_t i = 0; i < touched->server_groups.n; i++) {
		int64_t account = account_of(reconcile, touched->server_groups.ids[i]);

		if (is_calm && refused_has(&reconcile->refused, account))
			return false;
		if (i > 0 && account != first && reconcile->refused.one_by_one)
			return false;
		first = i == 0 ? account : first;
	}
	return plan_slice_fits(&input, reconcile->plan, touched);
}

/* The plan and the tables. */
static bool can_have_slices(const struct reconcile *reconcile)
{
	return plan_has_slices(reconcile->plan) && datapath_takes_slices(reconcile->parts.datapath);
}

static void take_health(struct reconcile *reconcile, struct plan_touched *found)
{
	if (!reconcile->wants_health)
		return;
	reconcile->wants_health = false;
	if (now_mono_ms() >= reconcile->calm_ms)
		refused_end_calm(&reconcile->refused);
	if (!can_have_slices(reconcile)) /* any more, since rows were planned: that is nobody's fault here */
		reconcile->wants_heavy = true;
	else
		reconcile->wants_heavy |=
			health_take_touched(reconcile->parts.health, fits, reconcile, found);
}

/* What is in force by now. */
static int tell(struct reconcile *reconcile)
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

static void set_retry(struct reconcile *reconcile, bool has_failed)
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

/* A pass that is due reports itself, and so does the end of what is being made. */
static void on_found(void *context, uint32_t events)
{
	struct reconcile *reconcile = context;

	(void)events;
	if (!reconcile->has_health || !reconcile->is_settled || reconcile->is_wanted || reconcile->is_making)
		return;
	report(reconcile);
	if (reconcile->is_untold)
		set_retry(reconcile, true);
}

/* What rows have touched, which does not wait for what is found of servers, nor is refused with it. 1: it
 * cannot be put in force by itself. */
static int apply_slices(struct reconcile *reconcile, const struct plan_touched *touched)
{
	struct plan_touched found = {};
	bool has_rows = plan_touched_any(touched);
	int r = has_rows ? apply_touched(reconcile, touched) : 0;

	if (r == 0 && has_rows)
		r = tell(reconcile);
	if (r != 0)
		return r;
	take_health(reconcile, &found);
	if (has_rows && !plan_touched_any(&found))
		return 0;
	loop_breathe(reconcile->parts.loop);
	reconcile->is_settled = reconcile->is_making = false;
	r = apply_touched(reconcile, &found);
	if (r > 0 && plan_touched_any(&found))
		refuse(reconcile, &found);
	return r == 0 ? tell(reconcile) : r;
}

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

/* What is in force is what the plan says, but for what is touched. */
static bool is_even(const struct reconcile *reconcile)
{
	return reconcile->is_settled || reconcile->is_making;
}

static bool has_devices_in_work(const struct reconcile *reconcile)
{
	return ports_are_busy(reconcile->parts.ports) || ports_are_queued(reconcile->parts.ports);
}

/* And slices can be put in force by themselves. Whether there is room by now for what had none a pass of the
 * whole has to say; and where a removal waits for a device, what has come of that is to be planned. */
static bool has_slices(const struct reconcile *reconcile)
{
	return is_even(reconcile) && !reconcile->is_unsure &&
	       reconcile->failed.n == reconcile->n_failed_devices &&
	       !(reconcile->is_removal_due && has_devices_in_work(reconcile)) && can_have_slices(reconcile);
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
	bool may = !reconcile->wants_whole && !reconcile->wants_full && has_slices(reconcile);
	int r;

	reconcile->is_wanted = false;
	if (!may && is_only_health(reconcile)) {
		reconcile->wants_heavy = true;
		return true;
	}
	reconcile->wants_whole = false;
	reconcile->is_settled = reconcile->is_making = false;
	reconcile->touched = (struct plan_touched){};
	r = may ? apply_slices(reconcile, &touched) : 1;
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

/* Who makes its servers ill and well all the time, so many that each time is a matter of the whole, shall not
 * keep the node at that: others' rows and servers are a matter of slices meanwhile. */
static bool is_heavy_due(struct reconcile *reconcile)
{
	uint64_t now_ms = now_mono_ms();

	if (reconcile->wants_heavy && now_ms < reconcile->calm_ms)
		loop_timer_set(reconcile->calm, reconcile->calm_ms - now_ms);
	return reconcile->wants_heavy && now_ms >= reconcile->calm_ms;
}

/* What is in force is what all rows say, and nothing of it waits. */
static bool may_survey(const struct reconcile *reconcile)
{
	return has_slices(reconcile) && snapshot_revision(reconcile->parts.rows) &&
	       !survey_goes_on(reconcile->survey) && !reconcile->is_wanted && !reconcile->wants_whole &&
	       !reconcile->wants_full && !reconcile->wants_heavy && !plan_touched_any(&reconcile->touched) &&
	       !health_has_news(reconcile->parts.health);
}

static void survey_if_due(struct reconcile *reconcile)
{
	const struct plan_input input = input_of(reconcile);
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
	survey_if_due(context);
}

/* The survey has seen the tables; what is left is little, and waits for nobody. Negative: it is to be tried
 * by a pass. */
static int look_at_rest(struct reconcile *reconcile)
{
	uint32_t ifindex = ports_node_port(reconcile->parts.ports)->row.ifindex;
	int r;

	if (!reconcile->is_rest_due || ports_are_busy(reconcile->parts.ports))
		return 0;
	reconcile->is_rest_due = false;
	r = ports_sync_node_port(reconcile->parts.ports);
	if (r == 0 && ports_node_port(reconcile->parts.ports)->row.ifindex != ifindex)
		r = -ENODEV;
	return r < 0 ? r : MIN(remove_others(reconcile, true), 0);
}

static void on_surveyed(void *context, const char *what)
{
	struct reconcile *reconcile = context;

	reconcile->is_survey_due = false;
	reconcile->is_rest_due = true;
	log_debug("survey revision=%llu found=\"%s\"", (unsigned long long)reconcile->plan->revision,
		  what ? what : "");
	if (what || look_at_rest(reconcile) < 0)
		reconcile_request(reconcile, true);
}

static void run_whole(struct reconcile *reconcile)
{
	uint64_t started_ms = now_mono_ms();
	bool full = reconcile->wants_full, heavy = reconcile->wants_heavy;
	int r;

	survey_cancel(reconcile->survey);
	reconcile->is_survey_due &= !full;
	reconcile->is_rest_due &= !full;
	reconcile->wants_full = reconcile->wants_health = reconcile->wants_heavy = false;
	reconcile->is_settled = reconcile->is_making = false; /* also where slices have just reported */
	loop_timer_stop(reconcile->calm);
	r = apply(reconcile, full);
	reconcile->is_unsure = (reconcile->is_unsure && !full) || (r < 0 && r != -EAGAIN);
	reconcile->last_ms = now_mono_ms();
	reconcile->was_whole = true;
	if (heavy && started_ms >= reconcile->calm_ms)
		refused_settle(&reconcile->refused);
	if (heavy)
		reconcile->calm_ms = reconcile->last_ms + MIN((reconcile->last_ms - started_ms) * CALM_TIMES,
							      (uint64_t)CALM_MAX_MS);
	log_debug("pass full=%d revision=%llu result=%d ms=%llu held_ms=%llu", full,
		  (unsigned long long)snapshot_revision(reconcile->parts.rows), r,
		  (unsigned long long)(reconcile->last_ms - started_ms),
		  (unsigned long long)loop_take_held_ms(reconcile->parts.loop));
	if (full)
		loop_timer_set(reconcile->slow, SURVEY_MS);
	set_due(reconcile);
	set_retry(reconcile, r < 0 || reconcile->is_unsure || reconcile->is_untold);
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
	if (!run_slices(reconcile) || is_heavy_due(reconcile))
		run_whole(reconcile);
	else if (reconcile->is_untold)
		set_retry(reconcile, true);
	survey_if_due(reconcile);
}

static void on_retry(void *context, uint32_t events)
{
	struct reconcile *reconcile = context;

	(void)events;
	reconcile->is_retry_due = false;
	ports_retry(reconcile->parts.ports);
	reconcile_request(reconcile, reconcile->is_unsure);
}

static void on_slow(void *context, uint32_t events)
{
	struct reconcile *reconcile = context;

	(void)events;
	loop_timer_set(reconcile->slow, SURVEY_MS);
	if (reconcile->is_survey_due || !has_slices(reconcile))
		reconcile_request(reconcile, true);
	reconcile->is_survey_due = true;
	survey_if_due(reconcile);
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
	if (look_at_rest(reconcile) < 0)
		reconcile_request(reconcile, true);
	if (go_on(reconcile) < 0)
		reconcile_request(reconcile, false);
	else if (reconcile->is_making && !ports_are_queued(reconcile->parts.ports))
		schedule(reconcile);
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

void reconcile_request(struct reconcile *reconcile, bool full)
{
	reconcile->wants_full |= full;
	reconcile->wants_whole = true;
	schedule(reconcile);
}

/* The rows have another revision, and nothing that a plan is made from has changed: what is in force for the
 * one before is so for this one. */
static bool goes_on(struct reconcile *reconcile)
{
	uint64_t revision = snapshot_revision(reconcile->parts.rows);

	if (reconcile->is_wanted || reconcile->wants_full || reconcile->is_removal_due ||
	    !reconcile->is_settled || feed_report_again(reconcile->feed, revision) < 0)
		return false;
	reconcile->plan->revision = revision;
	log_debug("no pass: the plan is the same revision=%llu", (unsigned long long)revision);
	return true;
}

void reconcile_rows(struct reconcile *reconcile, const struct plan_touched *touched)
{
	if (!plan_touched_any(touched) && !touched->health && goes_on(reconcile))
		return;
	plan_touched_add(&reconcile->touched, touched);
	reconcile->wants_health |= touched->health;
	reconcile->wants_whole |= touched->whole || (!touched->health && !is_even(reconcile));
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
		r = loop_add_timer(parts->loop, on_slow, reconcile, &reconcile->slow);
	if (r == 0)
		r = loop_add_timer(parts->loop, on_due, reconcile, &reconcile->due);
	if (r == 0)
		r = loop_add_timer(parts->loop, on_due, reconcile, &reconcile->calm);
	if (r == 0)
		r = loop_add_timer(parts->loop, on_meanwhile, reconcile, &reconcile->meanwhile);
	if (r == 0)
		r = loop_add_timer(parts->loop, on_found, reconcile, &reconcile->found);
	if (r == 0)
		r = loop_add_timer(parts->loop, on_survey_later, reconcile, &reconcile->survey_later);
	if (r == 0)
		r = survey_new(parts->loop, parts->datapath, on_surveyed, reconcile, &reconcile->survey);
	if (r < 0) {
		reconcile_free(reconcile);
		return r;
	}
	loop_timer_set(reconcile->slow, SURVEY_MS);
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
	loop_source_free(reconcile->slow);
	loop_source_free(reconcile->due);
	loop_source_free(reconcile->meanwhile);
	loop_source_free(reconcile->found);
	loop_source_free(reconcile->calm);
	loop_source_free(reconcile->survey_later);
	survey_free(reconcile->survey);
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
