/* SPDX-License-Identifier: Apache-2.0 */
/* FNV-1a with 64 bits. */
#include "sum.h"

#define SUM_START UINT64_C(0xcbf29ce484222325)
#define SUM_PRIME UINT64_C(0x100000001b3)

static uint64_t add(uint64_t sum, const void *data, size_t size)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < size; i++)
		sum = (sum ^ bytes[i]) * SUM_PRIME;
	return sum;
}

static uint64_t add_number(uint64_t sum, uint64_t number)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(number >> 8 * i);
	return add(sum, bytes, sizeof(bytes));
}

uint64_t sum_of_row(const char *key, const char *value, uint64_t created, uint64_t modified)
{
	/* With their ends, so that a byte that moves from one to the other shows. */
	uint64_t sum = add(add(SUM_START, key, strlen(key) + 1), value, strlen(value) + 1);

	return add_number(add_number(sum, created), modified);
}

uint64_t sum_of_text(const char *text)
{
	return add(SUM_START, text, strlen(text));
}

uint64_t sum_of_store(uint64_t rows, uint64_t revision)
{
	return rows + add_number(SUM_START, revision);
}
