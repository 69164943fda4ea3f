/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows that come in pages: the answers are gathered, and applied as one when the last one is
 * there, so that nothing is in force that lacks what it belongs to, and nothing goes that is yet to come.
 * That takes a while, and breathes.
 */
#pragma once

#include "feed_rows.h"

#define FEED_LIST_BYTES_MAX (512u * 1024 * 1024) /* of the pages of one list */

struct feed_list {
	struct feed_part {
		char *body;
		size_t size;
	} * parts;
	size_t n, size, bytes;
	bool is_full;	       /* it takes the place of all rows; else it adds to them */
	struct snapshot *rows; /* of a full one: what its pages have, apart from the rows in force; or NULL */
	struct feed_rows told; /* by these pages */
	uint64_t listed;     /* the revision of the first page: behind a last one the question begins there */
	char next[KEY_SIZE]; /* the word for the next page; "": there is no other one */
	struct breath breath;	   /* is taken while a list is looked through, kept and applied; stays */
	struct plan_hearer hearer; /* of what its rows say of health; stays */
};

/* Empty again; the pages are freed. The breath and who hears stay. */
void feed_list_clear(struct feed_list *list);
/* One more page (copied), as an answer that has `is_page`. One that was not asked for by `next` begins a
 * list, in place of what was gathered. -E2BIG: above the limit; -EPROTO: it begins one that adds to rows, and
 * what was gathered has all of them; -ENOMEM. */
int feed_list_add(struct feed_list *list, const struct feed_answer *page, const char *body, size_t size);
/* Puts the pages into the snapshot, then the answer that came behind them. An error of a list that is not
 * full leaves the snapshot between two states, at no revision: ask for all. Once for each list, which has the
 * rows that were there before then, if it is full. */
int feed_list_apply(struct feed_list *list, const struct feed_answer *last, struct snapshot *snapshot,
		    struct feed_rows *ret);
/* Whether the row of one of these instances is in one of the pages, each of which is parsed for it. */
bool feed_list_has_instance(const struct feed_list *list, const char (*ids)[ID_SIZE], size_t n);
