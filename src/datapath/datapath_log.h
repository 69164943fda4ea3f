/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The flow log of endpoints, as the program writes it: flows that have ended, and attempts that were refused,
 * of the ENIs whose log is on. What is on, what nobody has read yet and what was lost stay in the kernel when
 * the agent goes.
 */
#pragma once

#include "datapath_watch.h"

struct datapath_log;

struct datapath_record {
	const char *end;    /* closed, reset, idle, unanswered, replaced, revoked, removed; refused: it never
			       opened */
	const char *reason; /* of what was revoked or refused; NULL: of another end */
	int64_t start_us, end_us; /* since 1970; start 0: it is not known */
	uint8_t protocol;
	struct datapath_tuple opened; /* as the client sees it */
	struct datapath_tuple served; /* as the server does */
	bool is_served;
	uint32_t vpc;		      /* of the client, and the ENI */
	uint32_t eni, client, server; /* slots; PL_SLOT_NONE: not known, or none of this node */
	uint64_t packets[2], bytes[2];
	bool has_back; /* the numbers of the way from the service are known */
};
/* Negative errno: no further record is read now; this one is not told again. */
typedef int (*datapath_record_callback)(void *context, const struct datapath_record *record);

/* Negative errno. */
int datapath_log_new(struct datapath *datapath, datapath_record_callback callback, void *context,
		     struct datapath_log **ret);
struct datapath_log *datapath_log_free(struct datapath_log *log);

/* How many slots there are: from 0 on. */
uint32_t datapath_log_slots(const struct datapath_log *log);
/* Whether flows of the slot's ENI are recorded. */
bool datapath_log_is_on(const struct datapath_log *log, uint32_t slot);
/* From now on they are, or no more. */
void datapath_log_set(struct datapath_log *log, uint32_t slot, bool on);
/* Records of the slot that were lost and not told of yet: there was no room, or they were too many. */
uint64_t datapath_log_lost(const struct datapath_log *log, uint32_t slot);
/* So many of them are told of. */
void datapath_log_told(struct datapath_log *log, uint32_t slot, uint64_t n);

/* Calls for records in their order, for some milliseconds. 1: there may be more; 0: that were all. Negative
 * errno, also the callback's. */
int datapath_log_read(struct datapath_log *log);
