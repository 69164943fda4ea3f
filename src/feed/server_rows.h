/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one poll of the feed is answered: rows and deletions, from the store and from who is told of what.
 */
#pragma once

#include "../store/store.h"

/* Of one page: rows that are told, and rows that are looked at for them. What is more than that in one answer
 * comes in pages, to who understands them. */
#define FEED_PAGE_ROWS_MAX    512
#define FEED_PAGE_LOOKED_MAX  4096
#define FEED_ANSWER_ROWS_MAX  1024
#define FEED_ANSWER_NOTES_MAX 16384 /* changes that are looked through for one answer */

/* What a node asks. */
struct feed_question {
	const char *node;
	uint64_t after;	  /* it has what it was told up to here; 0: nothing */
	uint64_t listed;  /* and in pages what came to it up to here; 0: no page came */
	bool pages;	  /* it understands them */
	size_t most;	  /* rows of one answer before it comes in pages, and of one page; 0: those above */
	const char *page; /* the next page of a list, behind the row of that key; NULL: no such */
};

/* The answer, the caller's: what has changed, if it can be told what has, else everything; or a page of what
 * came, or of everything. A page has `more`: behind which key the next one begins, or "" at the end. -ENOMEM.
 */
int feed_rows_answer(const struct store *store, const struct feed_question *question, json_t **ret);
/* Whether there is anything to tell: a change after `after` that concerns the node. */
bool feed_rows_concern(const struct store *store, const char *node, uint64_t after);
