/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The feed's bodies: answers with rows into a snapshot, reports into JSON. Pure.
 */
#pragma once

#include "../lib/breath.h"
#include "../plan/failures.h"
#include "../plan/plan_touched.h"
#include "feed_text.h"
#include "node_state.h"

#define FEED_FAILURES_BYTES_MAX (2816u * 1024) /* that failures have in a report; some 20,000 */

/* What answers change, one after the other: begins with all zero but who hears of health (`touched`). */
struct feed_rows {
	uint64_t revision;
	bool is_full;
	size_t n_changes;  /* rows and deletions */
	size_t n_rejected; /* rows that are of no known kind or malformed: of a newer privlinkd, or broken */
	char first_rejected[KEY_SIZE];
	struct plan_touched touched; /* what they touch of the plan; if that is all, it is not asked */
};

/* An answer to GET rows. */
struct feed_answer {
	struct feed_text text;
	uint64_t revision;
	bool is_full;			   /* it has all rows, or begins a list of them */
	bool is_page;			   /* of a list */
	char next[KEY_SIZE];		   /* the word for the next page; "": there is none */
	char store[NODE_STORE_SIZE];	   /* whose they are; "": it does not say */
	char timeline[NODE_TIMELINE_SIZE]; /* of the revision; "": none, or it does not say */
	char run[NODE_TIMELINE_SIZE];	   /* of which process of privlinkd it is; "": it does not say */
	bool continues;			   /* what was in force when it was asked for is of its history */
};

/* `body` is borrowed until feed_answer_done(). -EINVAL: it is no such answer. */
int feed_answer_parse(const char *body, size_t size, struct feed_answer *ret);
void feed_answer_done(struct feed_answer *answer);
/* Puts the rows into the snapshot, and adds to `ret` what that changes; a full answer replaces all of them.
 * An error leaves it at no revision: it has a part of them, of which nothing may be made. `breath` is taken
 * between rows, and may be NULL. */
int feed_answer_apply(const struct feed_answer *answer, struct snapshot *snapshot,
		      const struct breath *breath, struct feed_rows *ret);

/* Whether the row of one of these instances is in it. */
bool feed_answer_has_instance(const struct feed_answer *answer, const char (*ids)[ID_SIZE], size_t n);
/* Parses and applies. -EINVAL: nothing was changed. */
int feed_rows_apply(const char *body, size_t size, struct snapshot *snapshot, struct feed_rows *ret);

/* Answer to POST node and POST report: the numbers in them; `ret_number` may be NULL. */
int feed_lease_parse(const char *body, size_t size, uint32_t *ret_number, uint64_t *ret_lease_ms,
		     char ret_store[NODE_STORE_SIZE]);

/* Answer to POST metrics: since when privlinkd has nothing of what the node told; INT64_MAX: it has all. */
int feed_traffic_parse(const char *body, size_t size, int64_t *ret_since);

/* Body of POST report of a node that holds, to the store that it does not follow; the caller's. NULL when out
 * of memory. */
char *feed_hold_format(const char *node, const char *store, const char *sentence);
/* Body of POST report to this store, with nothing of health yet; the caller's. Where there are many failures
 * their reasons are cut; too many are left out, and then `ret_has_all` is false: whatever it does not name
 * would be taken to be in force at its revision. NULL when out of memory. */
json_t *feed_report_new(const char *node, const char *store, uint64_t revision,
			const struct failures *failures, bool *ret_has_all);
