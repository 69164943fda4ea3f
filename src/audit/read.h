/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log, newest lines first, a bounded piece at a time: a place says how far somebody has come, and holds
 * while new lines come and old files go.
 */
#pragma once

#include <jansson.h>

#include "audit.h"

/* How much of the files one piece looks at. It takes some milliseconds. */
#define AUDIT_SCAN_MAX (2 * 1024 * 1024)

/* What a read counts as, in rows: one for so many lines that were passed over by their time and words, and so
 * many for each line that was taken for JSON. Most of a log is others' lines: a piece without a hit counts as
 * one call, or as two where lines are as short as can be. */
#define AUDIT_LINES_PER_ROW 10
#define AUDIT_JSON_COST	    10

struct audit_query {
	unsigned int kinds;				 /* bits by kind */
	int64_t account;				 /* 0: all, and those that are nobody's */
	const char *action, *code, *key_id, *request_id; /* NULL: any */
	const char *resource;				 /* some parameter's value; NULL: any */
	int64_t since_ms, until_ms;			 /* from the first one on, before the second one */
	size_t limit;
};

struct audit_place {
	struct {
		uint64_t segment, end; /* segment 0: nothing more */
	} kinds[AUDIT_KIND_COUNT_];
	bool more;    /* there may be more of some kind */
	bool expired; /* what it named is not there any more, nor what came before it */
};

/* Where the newest lines are. */
void audit_place_newest(struct audit *audit, unsigned int kinds, struct audit_place *ret);

/* Up to `limit` lines that the query wants, as objects, from the place on; the place is moved. `take` borrows
 * the object; its negative errno ends it. What it has cost, in rows, is added to `cost`. */
typedef int (*audit_take)(void *context, json_t *line);
int audit_read(struct audit *audit, const struct audit_query *query, struct audit_place *place,
	       audit_take take, void *context, size_t *cost);
