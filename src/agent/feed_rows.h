/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The feed's bodies: answers with rows into a snapshot, reports into JSON. Pure.
 */
#pragma once

#include "../model/snapshot.h"
#include "failures.h"
#include "health.h"

struct feed_rows {
	uint64_t revision;
	bool is_full;
	size_t n_changes;  /* rows and deletions */
	size_t n_rejected; /* rows that are of no known kind or malformed: of a newer privlinkd, or broken */
	char first_rejected[KEY_SIZE];
};

/* Applies an answer to GET rows. A full one replaces all rows. -EINVAL: it is no such answer, nothing was
 * changed. */
int feed_rows_apply(const char *body, size_t size, struct snapshot *snapshot, struct feed_rows *ret);

/* Answer to POST node and POST report: the numbers in them; `ret_number` may be NULL. */
int feed_lease_parse(const char *body, size_t size, uint32_t *ret_number, uint64_t *ret_lease_ms);

/* Body of POST report; the caller's. NULL when out of memory. */
char *feed_report_format(const char *node, uint64_t revision, const struct failures *failures,
			 const struct health_result *health, size_t n_health);
