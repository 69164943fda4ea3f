/* SPDX-License-Identifier: Apache-2.0 */
#include "sum.h"

#include "../lib/fnv.h"

static uint64_t add_number(uint64_t sum, uint64_t number)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(number >> 8 * i);
	return fnv_add(sum, bytes, sizeof(bytes));
}

uint64_t sum_of_row(const char *key, const char *value, uint64_t created, uint64_t modified)
{
	/* With their ends, so that a byte that moves from one to the other shows. */
	uint64_t sum = fnv_add(fnv_add(FNV_START, key, strlen(key) + 1), value, strlen(value) + 1);

	return add_number(add_number(sum, created), modified);
}

uint64_t sum_of_text(const char *text)
{
	return fnv_add(FNV_START, text, strlen(text));
}

uint64_t sum_of_store(uint64_t rows, uint64_t revision)
{
	return rows + add_number(FNV_START, revision);
}
