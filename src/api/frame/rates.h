/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often an account may call an action in a region (or an address in place of one: http.c): a bucket of
 * tokens for each of these, that fills within RATE_PERIOD_MS. Times are the monotonic clock's.
 *
 * Memory is fixed: RATE_BUCKETS_MAX buckets, eight for each value of a hash. A full bucket is as good as
 * none, and where all eight are in use, the one that will be full first makes room: that account may then
 * call the action a little more often than it should.
 */
#pragma once

#include "../../schema/schema.h"

#define RATE_PERIOD_MS	 60000
#define RATE_BUCKETS_MAX 32768

/* Calls per period; 0: as many as one likes. */
struct rate_limits {
	unsigned int reads, writes;
};

struct rates;
/* All may call as often as the limits say. -ENOMEM, or the errno of the kernel's random source. */
int rates_new(const struct rate_limits *limits, struct rates **ret);
struct rates *rates_free(struct rates *rates);

/* 0: it may call now. Else so many milliseconds later, and nothing was taken. `region`: one of the
 * catalogue's, or "". */
uint64_t rates_take(struct rates *rates, int64_t uid, const char *region, const struct action *action,
		    uint64_t now_ms);
/* A call that was carried out counts as `n` more, also if these are not there any more: then the account owes
 * them, a period's at most. */
void rates_charge(struct rates *rates, int64_t uid, const char *region, const struct action *action,
		  unsigned int n, uint64_t now_ms);
/* In how many milliseconds nothing is owed any more; 0: nothing is. */
uint64_t rates_owed(struct rates *rates, int64_t uid, const char *region, const struct action *action,
		    uint64_t now_ms);
/* The limit for the action; 0: none. */
unsigned int rates_limit(const struct rates *rates, const struct action *action);
