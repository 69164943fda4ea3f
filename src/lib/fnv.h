/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FNV-1a with 64 bits: tells whether bytes are as they were, no defence against
 * people.
 */
#pragma once

#include "util.h"

#define FNV_START UINT64_C(0xcbf29ce484222325)

/* The sum with more bytes. */
static inline uint64_t fnv_add(uint64_t sum, const void *data, size_t size)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < size; i++)
		sum = (sum ^ bytes[i]) * UINT64_C(0x100000001b3);
	return sum;
}
