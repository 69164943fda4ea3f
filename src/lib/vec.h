/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arrays that grow, and looking up in sorted ones.
 *
 * An array is a pointer, the number of its elements and that of its places, which start as NULL, 0 and 0;
 * free() ends it.
 */
#pragma once

#include "util.h"

/* See VEC_ROOM. NULL: no memory, and the array stays as it is. */
void *vec_room(void *v, size_t n, size_t *size, size_t element_size);

/* Makes room in `v` behind its `n` elements for one more; `size` (a size_t) counts its places. 0 or -ENOMEM.
 * By doubling, so n elements cost O(n). */
#define VEC_ROOM(v, n, size)                                                                                 \
	({                                                                                                   \
		typeof(v) _grown = vec_room((v), (n), &(size), sizeof(*(v)));                                \
		if (_grown)                                                                                  \
			(v) = _grown;                                                                        \
		_grown ? 0 : -ENOMEM;                                                                        \
	})

/* The first index below `n` that is not before what is looked for, or n: `is_before` is an expression in the
 * index `i`, and holds for none behind one for which it does not hold. */
#define LOWER_BOUND(i, n, is_before)                                                                         \
	({                                                                                                   \
		size_t _low = 0, _high = (n);                                                                \
		while (_low < _high) {                                                                       \
			size_t i = _low + (_high - _low) / 2;                                                \
			if (is_before)                                                                       \
				_low = i + 1;                                                                \
			else                                                                                 \
				_high = i;                                                                   \
		}                                                                                            \
		_low;                                                                                        \
	})
