/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts that rows share: what many rows say alike stands in memory once. For the snapshot alone, which holds
 * and releases them as rows come and go.
 */
#pragma once

#include "../lib/util.h"

struct texts {
	struct text **slots;
	size_t n_slots, n;
	uint64_t seed; /* where the sums of the texts begin; goes with them where the struct is moved */
};

/* There are none yet. The seed is where the struct is now, which is elsewhere in each process. */
void texts_begin(struct texts *texts);
/* Bytes like these, the same for all who hold them, until each has released them. NULL: no memory. */
const char *texts_hold(struct texts *texts, const char *bytes, size_t size);
/* One who held what texts_hold() gave does so no more. */
void texts_release(struct texts *texts, const char *bytes);
/* Frees the table; all texts were released. It can be used again. */
void texts_done(struct texts *texts);
