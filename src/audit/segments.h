/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of one kind: "changes-0000000001.jsonl" and so on, by rising numbers. A number is never used
 * again, so that it names a place in the log for as long as the file is there.
 */
#pragma once

#include "audit.h"

struct segments {
	const char *directory; /* borrowed */
	enum audit_kind kind;
	uint64_t *numbers; /* of the files that are there, rising */
	size_t n, size;
};

/* Looks what is there. A directory that is not, is empty. */
int segments_scan(struct segments *segments);
void segments_done(struct segments *segments);

/* The file for reading, or for appending as well. The descriptor or negative errno. */
int segments_open(const struct segments *segments, uint64_t number, bool for_writing);
/* Removes the oldest ones until fewer than `files_max` are left, and makes the next one: its descriptor. */
int segments_begin(struct segments *segments, unsigned int files_max);
/* Removes the oldest ones until no more than that are left. */
void segments_prune(struct segments *segments, size_t n);
