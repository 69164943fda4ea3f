/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one poll of the feed is answered: rows and deletions, from the store and from who is told of what.
 */
#pragma once

#include "../store/store.h"

/* Of one page of a walk: rows that are told, and rows that are looked at for them. Of any other answer: rows,
 * of which a key that is gone is a small part, and changes that are looked through. What is more than that in
 * one answer comes in pages, to who understands them. */
#define FEED_PAGE_ROWS_MAX    512
#define FEED_PAGE_LOOKED_MAX  4096
#define FEED_ANSWER_ROWS_MAX  1024
#define FEED_ANSWER_NOTES_MAX 16384
#define FEED_PAGES_DOUBLE     16 /* of one list, after which an answer takes twice as much; and so on */

/* What a node asks. */
struct feed_question {
	const char *node;
	uint64_t after;	  /* it has what it was told up to here; 0: nothing */
	bool pages;	  /* it understands them */
	size_t most;	  /* rows of one answer before it comes in pages, and of one page; 0: those above */
	const char *page; /* the word for the next page of a list; NULL: no such */
};

/* The answer, the caller's: what has changed, if it can be told what has, else everything; or a page of that,
 * which has `more`: the word for the next one, "" if the list cannot go on. The end of a list has none: with
 * its pages it makes what the node has into what it is to have at the answer's revision. -EINVAL: there is no
 * such page; -ENOMEM.
 */
int feed_rows_answer(const struct store *store, const struct feed_question *question, json_t **ret);
/* The answer that tells nothing to who was told up to `after`, which stays so. NULL: out of memory. */
json_t *feed_rows_nothing(uint64_t after);
/* Whether there is anything to tell: a change after `after` that concerns the node. */
bool feed_rows_concern(const struct store *store, const char *node, uint64_t after);
