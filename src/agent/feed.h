/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client of privlinkd's feed (doc/architecture.md): says who this node is, follows the rows that concern
 * it, and reports what is in force. While privlinkd is away it tries again and again, and nothing else
 * happens: what was learned stays.
 */
#pragma once

#include "../lib/loop.h"
#include "feed_rows.h"

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
	/* The node has this number. */
	void (*registered)(void *context, uint32_t number);
	/* privlinkd has taken a report, or (`connected` false) cannot be reached; each time that this changes. */
	void (*connected)(void *context, bool connected);
	/* The snapshot has changed. */
	void (*rows)(void *context, const struct feed_rows *rows);
	void *context;
};

/* Starts at once. The snapshot is borrowed and filled. */
int feed_new(struct loop *loop, const struct feed_options *options, const struct feed_handlers *handlers,
	     struct snapshot *snapshot, struct feed **ret);
struct feed *feed_free(struct feed *feed);

/* Sends this report now, and again every third of the lease until there is another one. */
int feed_report(struct feed *feed, uint64_t revision, const struct failures *failures,
		const struct health_result *health, size_t n_health);
