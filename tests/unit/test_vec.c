/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arrays that grow and lower bounds: contents survive growth, a size that would overflow or cannot be had
 * changes nothing, and a bound is the one that a walk finds, for every length and every key.
 */
#include <stdint.h>

#include "../tap.h"
#include "lib/vec.h"

static void test_room(void)
{
	uint32_t *v = NULL;
	size_t n = 0, size = 0, moves = 0, wrong = 0;

	while (n < 10000) {
		size_t before = size;

		if (VEC_ROOM(v, n, size) < 0)
			break;
		moves += size != before;
		v[n] = (uint32_t)n * 7;
		n++;
	}
	for (size_t i = 0; i < n; i++)
		wrong += v[i] != i * 7;
	tap_is_int((int)n, 10000, "an array of 10000 elements");
	tap_is_int((int)wrong, 0, "has what was put there");
	tap_ok(moves < 12, "and grew by doubling: %zu times", moves);
	free(v);
}

static void test_no_room(void)
{
	char(*v)[64] = NULL, (*before)[64];
	size_t n = 0, size = 0, size_before;

	tap_is_int(VEC_ROOM(v, n, size), 0, "an array of arrays");
	(void)str_copy(v[0], sizeof(v[0]), "first");
	before = v;
	n = size = SIZE_MAX / 64;
	size_before = size;
	tap_is_int(VEC_ROOM(v, n, size), -ENOMEM, "a product that overflows is refused");
	tap_ok(v == before && size == size_before && streq(v[0], "first"), "and nothing has changed");
	n = size = SIZE_MAX / 2 + 1;
	tap_is_int(VEC_ROOM(v, n, size), -ENOMEM, "so is a number of places that does");
	free(before);
}

/* The elements are 1, 1, 1, 3, 3, 3, 5, … */
static void test_bound(void)
{
	uint32_t v[64];
	size_t wrong = 0;

	for (uint32_t i = 0; i < ARRAY_SIZE(v); i++)
		v[i] = i / 3 * 2 + 1;
	for (size_t n = 0; n <= ARRAY_SIZE(v); n++) {
		for (uint32_t key = 0; key < 48; key++) {
			size_t walked = 0;

			while (walked < n && v[walked] < key)
				walked++;
			wrong += LOWER_BOUND(i, n, v[i] < key) != walked;
		}
	}
	tap_is_int((int)wrong, 0, "every bound is the one that a walk finds");
}

int main(void)
{
	test_room();
	test_no_room();
	test_bound();
	return tap_done();
}
