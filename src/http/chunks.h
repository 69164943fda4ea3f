/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A body in chunks, read strictly and as it comes: sizes in hexadecimal digits, nothing behind them, no
 * trailer. Pure.
 */
#pragma once

#include "../lib/util.h"
#include <sys/types.h>

enum chunks_state {
	CHUNKS_SIZE,
	CHUNKS_SIZE_LF,
	CHUNKS_DATA,
	CHUNKS_DATA_CR,
	CHUNKS_DATA_LF,
	CHUNKS_END_CR,
	CHUNKS_END_LF,
	CHUNKS_OVER, /* the body is complete */
};

/* All zero at first. */
struct chunks {
	enum chunks_state state;
	unsigned int digits;
	uint64_t left; /* of the chunk */
};

/* How many of `bytes` it has taken, up to the end of the body or of a piece of data; `piece` is where the
 * data lies in them, `piece_size` may be 0. -EINVAL: malformed. */
ssize_t chunks_take(struct chunks *chunks, const char *bytes, size_t size, const char **piece,
		    size_t *piece_size);
