/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What passes are made of, between the files that carry them out. Each of them calls those before it alone:
 * reconcile_report.c (what is told, and when), reconcile_whole.c (a pass of the whole), reconcile_health.c
 * (what is found of servers), reconcile_slices.c (a pass of slices), reconcile_survey.c (looks at what is
 * there beside changes), reconcile.c (when a pass runs, and of which kind). Whoever needs another pass says
 * so by reconcile_request() or reconcile_set_retry().
 */
#pragma once

#include "reconcile.h"
#include "refused.h"
#include "survey.h"

struct reconcile {
	struct reconcile_parts parts;
	struct feed *feed;
	struct plan *plan; /* in force; the resolver reads it */

	/* When passes run, … */
	struct loop_source *soon; /* deferred */
	struct loop_source *later, *retry, *due;
	uint64_t last_ms, retry_ms;
	bool is_wanted;	   /* one is on its way */
	bool was_whole;	   /* the last one */
	bool is_retry_due; /* the retry timer runs */

	/* … and what they are to do. */
	bool wants_full;
	bool wants_whole;	     /* not only what is touched */
	bool wants_health;	     /* to take what is found of servers */
	bool wants_heavy;	     /* the whole besides, since some of that is no matter of slices */
	struct plan_touched touched; /* by rows, since the last pass */

	/* What came of the last ones. */
	bool is_unsure;	 /* a pass broke off, and no full one has been through since: what is there? */
	bool is_settled; /* the last pass has reported that all of its plan is in force */
	bool is_making;	 /* or all that lacks are devices that are queued */
	bool has_node_port;
	bool is_trusted;	 /* the rows say what is not wanted, too */
	bool is_removal_due;	 /* since they do, nobody has looked for all that is not */
	struct failures failed;	 /* what could not be made or written with the last pass of the whole */
	size_t n_failed_devices; /* of those, what could not be made */

	/* What is told of that. */
	struct loop_source *meanwhile, *found;
	uint64_t tell_ms;  /* while it is making: when to report what is in force; 0: that is to be set */
	bool is_untold;	   /* the last report could not be made */
	bool has_news;	   /* there is more to report than another revision */
	bool has_health;   /* what probes have found is to be reported, when … */
	uint64_t found_ms; /* … it is time for that: a report of it has all results and failures */
	bool names_lost;   /* the last report has devices that pause, or could not be removed */

	/* What is found of servers and is no matter of slices. */
	struct loop_source *calm;
	uint64_t calm_ms;	/* there is no pass for that alone before then */
	struct refused refused; /* whose servers are not tried in slices until then */

	/* Looks beside changes. */
	struct survey *survey;
	struct loop_source *slow, *survey_later;
	bool is_survey_due;
	uint64_t surveyed_ms; /* the last one has begun */
	bool is_rest_due;     /* what a survey leaves is to be looked at, when no device is being worked on */
};

/* reconcile_report.c: makes its timers. Negative errno: not all are there; reconcile_done_report() frees
 * those that are. */
int reconcile_init_report(struct reconcile *reconcile);
void reconcile_done_report(struct reconcile *reconcile);
/* reconcile_report.c: reports what a pass of the whole has put in force: at once, unless devices are still to
 * be made or removed. What comes of it `is_settled`, `is_making` and `is_untold` say. */
void reconcile_report_whole(struct reconcile *reconcile);
/* reconcile_report.c: the same of slices, and no more than the revision when there is no other news. Negative
 * errno: that cannot be told so. */
int reconcile_report_slices(struct reconcile *reconcile);
/* reconcile_report.c: the rows have another revision, and nothing that a plan is made from has changed: tells
 * that what is in force for the one before is so for this one. False: there has to be a pass. */
bool reconcile_report_unchanged(struct reconcile *reconcile);

/* reconcile_whole.c: what plans are made from; without a breath. All borrowed. */
struct plan_input reconcile_input(const struct reconcile *reconcile);
/* reconcile_whole.c: whether slices of the plan in force can be changed by themselves, and of the tables. */
bool reconcile_can_have_slices(const struct reconcile *reconcile);
/* reconcile_whole.c: removes devices that nothing wants, if the rows can be trusted: those that are known, or
 * with `full` all that are there, and links without a device. 1: some went; negative errno: not all that were
 * to. */
int reconcile_remove_others(struct reconcile *reconcile, bool full);
/* reconcile_whole.c: begins with the device that is next in the queue, unless one is being worked on.
 * -ENOMEM. */
int reconcile_next_device(struct reconcile *reconcile);
/* reconcile_whole.c: plans all rows, puts that in force and reports it. With `full` it looks at all that is
 * there. -EAGAIN: some objects failed, or probes; other errors: the pass broke off. Either has to be tried
 * again. */
int reconcile_apply_whole(struct reconcile *reconcile, bool full);

/* reconcile_health.c: if probes or rows have news of servers (`wants_health`), adds to `found` whose of them
 * slices can have now; the pass of the whole that others need is wanted then (`wants_heavy`). */
void reconcile_take_health(struct reconcile *reconcile, struct plan_touched *found);
/* reconcile_health.c: it came out only in slices that these servers cannot be planned so: the whole is
 * wanted, and their accounts wait for it. */
void reconcile_refuse_health(struct reconcile *reconcile, const struct plan_touched *found);
/* reconcile_health.c: whether servers want a pass of the whole, and it has been calm for long enough. If it
 * has not, a pass runs when it has. */
bool reconcile_is_heavy_due(struct reconcile *reconcile);
/* reconcile_health.c: a pass of the whole that servers wanted began then and is over: how long it is calm
 * from here on. */
void reconcile_begin_calm(struct reconcile *reconcile, uint64_t started_ms);

/* reconcile_slices.c: whether what is in force is what the plan says, but for what is touched. */
bool reconcile_is_even(const struct reconcile *reconcile);
/* reconcile_slices.c: and whether slices can be put in force by themselves. */
bool reconcile_has_slices(const struct reconcile *reconcile);
/* reconcile_slices.c: puts what rows have touched in force and reports it, then what is found of servers. 1:
 * that cannot be done without the whole; negative errno: something went wrong. */
int reconcile_apply_slices(struct reconcile *reconcile, const struct plan_touched *touched);

/* reconcile_survey.c: makes the survey and its timers; the first one is due in a minute. Negative errno: not
 * all are there; reconcile_done_survey() frees what is. */
int reconcile_init_survey(struct reconcile *reconcile);
void reconcile_done_survey(struct reconcile *reconcile);
/* reconcile_survey.c: begins a survey that is due, if nothing waits for a pass. */
void reconcile_survey_if_due(struct reconcile *reconcile);
/* reconcile_survey.c: a pass of the whole begins, which changes what is compared; one that is `full` looks at
 * all that a survey would. */
void reconcile_end_survey(struct reconcile *reconcile, bool full);
/* reconcile_survey.c: all has just been looked at: the next one is due in a minute. */
void reconcile_put_off_survey(struct reconcile *reconcile);
/* reconcile_survey.c: looks at what a survey has left, if that is due and no device is being worked on.
 * Negative errno: a pass has to try it. */
int reconcile_look_at_rest(struct reconcile *reconcile);

/* reconcile.c: after something has failed a pass runs when a pause is over, which doubles each time; once
 * nothing has there is none. */
void reconcile_set_retry(struct reconcile *reconcile, bool has_failed);
