/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of daemon_store.c share: where the store is, what is known of it outside, and whether what
 * is there is the store that was here. For daemon_store*.c alone.
 */
#pragma once

#include <limits.h>

#include "daemon_options.h"
#include "daemon_record.h"
#include "store/store.h"

struct place {
	const char *state_dir, *run_dir;
	char directory[PATH_MAX], database[PATH_MAX], identity[PATH_MAX], record[PATH_MAX];
};

struct known {
	bool here, has_sum;
	char identity[STORE_IDENTITY_SIZE]; /* "" if the file does not hold one */
};

struct opening {
	struct known known;
	bool is_new, accept, damaged;
	struct store *store;
};

/* What is known of the store outside of its disk; *ret says so where nothing is. Negative errno, logged. */
int daemon_identity_read(const struct place *place, struct known *ret);
/* Writes the store's identity beside its disk, where it is not there yet. Negative errno, logged. */
int daemon_identity_write(const struct place *place, const struct known *known, const struct store *store);

/* Whether the opened store is the one that was here, and has all that was acknowledged; 0: it is, or is
 * accepted. -EUCLEAN, after a sentence in the log that says what is wrong and what to do. */
int daemon_store_judge(const struct place *place, const struct opening *opening,
		       const struct daemon_records *records);
