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
};

/* Bytes like these, the same for all who hold them, until each has released them. NULL: no memory. */
const char *texts_hold(struct texts *texts, const char *bytes, size_t size);
/* One who held what texts_hold() gave does so no more. */
void texts_release(struct texts *texts, const char *bytes);
/* Frees the table; all texts were released. */
void texts_done(struct texts *texts);
