/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes that come at one end and go at the other.
 */
#pragma once

#include "../lib/util.h"

struct bytes {
	char *v;
	size_t n, room;
};

/* Room for `needed` bytes and a NUL behind them; by powers of two, so that many small pieces cost no more
 * than few large ones. -ENOMEM. */
int bytes_grow(char **v, size_t *room, size_t needed);
/* At the end, a copy. -ENOMEM. */
int bytes_add(struct bytes *bytes, const char *data, size_t size);
/* Takes the first `n` away. */
void bytes_drop(struct bytes *bytes, size_t n);
/* None are left, nor room for any. */
void bytes_done(struct bytes *bytes);
