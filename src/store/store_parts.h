/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a store is made of, between the files that carry it out: store.c (open, watch, free) and commit.c.
 */
#pragma once

#include "store.h"

struct pending; /* a transaction of this turn (commit.c) */

struct store {
	struct loop *loop;
	struct loop_source *end_of_turn, *rest;
	struct sqlite_file *file;
	struct memory *memory;
	struct record *records[STORE_RECORDS_MAX];
	size_t n_records;
	uint64_t durable; /* what others may hear of */
	uint64_t written; /* what is in the file: more than `durable` while that cannot be recorded */
	struct pending *pending;
	size_t n_pending, pending_size;
	struct store_watch *watches;
	bool notifying;
	int broken;  /* negative errno: memory could not be read again */
	int refuses; /* what changes are answered until the rest is over; 0: they are taken */
};

/* The deferred callback of the loop: writes what was committed in this turn, and tells everyone. */
void commit_end_of_turn(void *context, uint32_t events);
/* The timer's callback: records what could not be, and takes changes again. */
void commit_rested(void *context, uint32_t events);
/* Ends all transactions of the turn with `result`, which their callbacks get. */
void commit_tell(struct store *store, int result);
/* Calls all watches, once. */
void store_notify(struct store *store);
