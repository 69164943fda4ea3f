/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The finalizer of splitmix64: spreads what numbers have in common over all bits. Different numbers stay
 * different.
 */
#pragma once

#include "util.h"

static inline uint64_t mix64(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}
