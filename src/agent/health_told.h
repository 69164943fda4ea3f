/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which health results privlinkd has been told. A report has those that it has not, a part of them at a time,
 * so that it stays short however many servers are probed here.
 *
 * What is told becomes a row, which every node that serves the server is told in turn. So of a server that
 * changes again and again each change is told at once at first, then only what it is from time to time; here
 * it counts with each change all the same. Times are monotonic milliseconds, given from outside.
 */
#pragma once

#include <jansson.h>

#include "health.h"

#define HEALTH_TOLD_MAX 4096 /* results of one report */

/* So many changes of a server are told as they come, and one more for each such time that passes. */
#define HEALTH_FLIPS_AT_ONCE 4
#define HEALTH_FLIP_EVERY_MS 5000

/* All zero: there are none. */
struct health_told {
	struct health_result *results;
	struct health_state *states;
	size_t n;
	size_t again; /* the first one that is to be told once more */
};
void health_told_done(struct health_told *told);

/* The results are these from now on (copied), in the order of health_results(). Those that are as they were
 * stay told. -ENOMEM: nothing is changed. */
int health_told_set(struct health_told *told, const struct health_result *results, size_t n, uint64_t now_ms);

/* The next ones for a report, which is on its way until health_told_taken(). NULL: out of memory. */
json_t *health_told_next(struct health_told *told, uint64_t now_ms);
/* What was on its way has arrived, or is to be told again. */
void health_told_taken(struct health_told *told, bool taken);
/* In how many milliseconds something is to be told that is not, and not on its way: 0 is at once. UINT64_MAX:
 * there is nothing. */
uint64_t health_told_due(const struct health_told *told, uint64_t now_ms);

/* Some are told once more, each time the next ones: what privlinkd has forgotten of servers that have gone
 * and come back, it hears again. */
void health_told_again(struct health_told *told);
/* All of them are. */
void health_told_forget(struct health_told *told);
