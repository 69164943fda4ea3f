/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the traffic of endpoint zones was on this node, by intervals of 10 s of the clock: the differences of
 * what the data path counts. The last quarter of an hour is held, for a privlinkd that has started meanwhile.
 */
#pragma once

#include "../datapath/datapath.h"

struct meter;

#define METER_INTERVAL_S     10
#define METER_HELD_MAX	     90		       /* intervals */
#define METER_HELD_BYTES_MAX (8 * 1024 * 1024) /* of text; beyond, the oldest go */
#define METER_TEXT_MAX	     (3 * 1024 * 1024) /* of one interval; a longer one is not told, and is a gap */
#define METER_BODY_MAX	     (512 * 1024)      /* intervals are sent together up to here, but one at least */

#define METER_LATE_MS 3000 /* a reading that is later behind a boundary of the clock begins no interval */

/* -ENOMEM. */
int meter_new(struct meter **ret);
struct meter *meter_free(struct meter *meter);

/* What the slots of the data path come to, one by one in their order, between these two. `now_ms` is the
 * clock's time, since 1970, at which that was read. The first reading is where counting begins. */
void meter_begin(struct meter *meter, int64_t now_ms);
int meter_add(struct meter *meter, uint32_t slot, const struct datapath_tally *tally);
/* With whose slots they are; all are somebody's whose `number` is not 0. */
struct meter_owner {
	uint32_t slot, number; /* the ENI's, which has been given out once */
	const char *endpoint, *zone;
};
/* 1: an interval is over and held; 0: none is. `owners` is sorted by slots. -EAGAIN: the interval is a gap.
 */
int meter_end(struct meter *meter, const struct meter_owner *owners, size_t n_owners);

/* The same for what the last sweep has read, and the ENIs of the plan. */
int meter_read(struct meter *meter, const struct datapath *datapath, const struct plan *plan, int64_t now_ms);

/* The body of a report with what was not taken yet, the oldest first, and up to which interval it goes; the
 * caller's. NULL: there is nothing, or no memory. */
char *meter_report(const struct meter *meter, const char *node, const char *store, int64_t *ret_until);
/* All up to there was taken. */
void meter_taken(struct meter *meter, int64_t until);
/* What is held from then on is to be told again. */
void meter_tell_again(struct meter *meter, int64_t since);

/* What the last reading has, slot by slot, as it has risen since the agent started: in no interval's
 * difference is more. `number` is the owner's; 0: the slot has none. */
typedef void (*meter_callback)(void *context, uint32_t slot, uint32_t number,
			       const struct datapath_tally *tally);
void meter_each(const struct meter *meter, meter_callback callback, void *context);
/* Whose the slot was at that reading: the owner's number; 0: nobody's. */
uint32_t meter_number(const struct meter *meter, uint32_t slot);
