/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The accounts that have series in the memory that all share, and which of them holds most of it; of several
 * that do, the one that has a series that had no traffic for longest. An account without series has no entry
 * and costs nothing. Finding the one that holds most is a look, a change of what one holds a few steps: the
 * entries are a heap.
 */
#pragma once

#include "../lib/util.h"

struct metrics_series;

/* Series by when they last had traffic. */
struct series_list {
	struct metrics_series *newest, *oldest;
};

struct holder {
	int64_t account;
	size_t memory;		   /* bytes that it holds: changed by holders_set(), as the next one */
	uint64_t eldest;	   /* when its eldest series last had traffic, in a count of the caller's */
	struct series_list series; /* the caller's, as all from here on */
	int64_t lost;		   /* the newest interval of which a number had to go; INT64_MIN: none had */
	size_t place;		   /* in the heap: this and the next one are not the caller's */
	struct holder *next;	   /* in its bucket */
};

#define HOLDER_BUCKETS 1024

/* Starts as zeros. */
struct holders {
	struct holder *buckets[HOLDER_BUCKETS];
	struct holder **heap;
	size_t n, heap_size;
};

/* Frees all entries; there are none then, as at the start. */
void holders_done(struct holders *holders);
/* The account's entry, borrowed until it is removed; NULL: it has none. */
struct holder *holders_find(const struct holders *holders, int64_t account);
/* Makes an entry for an account without one, which holds nothing. -ENOMEM. */
int holders_add(struct holders *holders, int64_t account, struct holder **ret);
void holders_remove(struct holders *holders, struct holder *holder);
/* The account holds so many bytes now, and its eldest series is that old. */
void holders_set(struct holders *holders, struct holder *holder, size_t memory, uint64_t eldest);
/* The one that holds most, of all but one (NULL: of all); NULL: there is none. */
struct holder *holders_most(const struct holders *holders, const struct holder *but);
