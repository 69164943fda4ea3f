/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client of privlinkd's feed (doc/architecture.md): says who this node is, follows the rows that concern
 * it, and reports what is in force. While privlinkd is away it tries again and again, and nothing else
 * happens: what was learned stays.
 */
#pragma once

#include "../lib/loop.h"
#include "health.h"
#include "hold.h"
#include "kept_rows.h"
#include "meter.h"

struct feed;

struct feed_options {
	const char *socket_path;
	const char *node;
	const char *const *zones; /* borrowed until feed_new() returns */
	size_t n_zones;		  /* 0: all */
	uint32_t mtu;
	const char *underlay; /* "": none */
};

struct feed_handlers {
	/* The node has this number, in the store whose rows come next. */
	void (*registered)(void *context, uint32_t number);
	/* privlinkd has taken a report, or (`connected` false) cannot be reached; each time that this
	 * changes. */
	void (*connected)(void *context, bool connected);
	/* The snapshot has changed. */
	void (*rows)(void *context, const struct feed_rows *rows);
	/* The node holds from now on: the snapshot stays as it is until the next rows. */
	void (*held)(void *context);
	/* What a report says of connectivity tests (a new array); NULL: nothing. */
	json_t *(*tests)(void *context);
	void *context;
	/* A row says of a server's health what it did not say, or goes, while others are still to be applied:
	 * plan_hearer. */
	bool (*health)(void *context, const struct server_health *row);
};

/* All borrowed. */
struct feed_parts {
	struct snapshot *snapshot; /* is filled */
	struct hold *hold;	   /* is asked before */
	struct kept_rows *kept;	   /* gets what is taken, before it is applied */
	struct meter *meter;	   /* whose intervals are told */
};

/* Starts at once. */
int feed_new(struct loop *loop, const struct feed_options *options, const struct feed_handlers *handlers,
	     const struct feed_parts *parts, struct feed **ret);
struct feed *feed_free(struct feed *feed);

/* Sends this report now, and again every third of the lease until there is another one. Of the results
 * (health_results()) it has those that were not told yet, and some of the others. */
int feed_report(struct feed *feed, uint64_t revision, const struct failures *failures,
		const struct health_result *health, size_t n_health);

/* The same report, with this revision; nothing, if it was taken with that already. -ENODATA: there is none.
 */
int feed_report_again(struct feed *feed, uint64_t revision);
/* There is something new to say of connectivity tests. */
void feed_send(struct feed *feed);
/* Tells what the meter holds and privlinkd has not taken yet; not while it cannot be reached, nor while the
 * node holds. */
void feed_tell_traffic(struct feed *feed);

/* Begins anew: registers, and asks for all rows where those here are not of the node's store. */
void feed_restart(struct feed *feed);
