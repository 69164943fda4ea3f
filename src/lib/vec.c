/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sizes that would overflow are refused before anyone is asked for them.
 */
#include "vec.h"

#define SIZE_FIRST 16

void *vec_room(void *v, size_t n, size_t *size, size_t element_size)
{
	size_t more = *size ? 2 * *size : SIZE_FIRST;
	void *grown;

	if (n < *size)
		return v;
	if (more <= *size || more > SIZE_MAX / element_size)
		return NULL;
	grown = reallocarray(v, more, element_size);
	if (grown)
		*size = more;
	return grown;
}
