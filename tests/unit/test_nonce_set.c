/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets of nonces: how long one searches in them, whatever numbers callers choose.
 */
#include "../tap.h"
#include "api/frame/nonce_set.h"

#define N 131073 /* the set has just grown for the last time */

/* 130,000 numbers with places by chance, in sets that are at most half full, are in runs of 100 at most. */
#define LONG_RUN 1000

static const uint64_t seed = 0x1234567890abcdef;

/* One that somebody would look for who knew places from numbers alone. */
static uint64_t chosen(size_t i, unsigned int shift)
{
	return shift < 64 ? ((uint64_t)i + 1) << shift : (uint64_t)i % 4096 + 1 + ((uint64_t)i << 19);
}

/* The most slots that one who searches may look at. */
static size_t longest_run(const struct nonce_set *set)
{
	size_t longest = 0, run = 0;

	for (size_t i = 0; i < 2 * set->size; i++) {
		run = set->slots[i & (set->size - 1)] ? run + 1 : 0;
		longest = MAX(longest, run);
	}
	return longest;
}

static void test_runs(const char *name, unsigned int shift)
{
	size_t longest = 0, missing = 0;
	struct nonce_set set = {};

	for (size_t i = 0; i < N && longest < LONG_RUN; i++) {
		if (nonce_set_add(&set, seed, chosen(i, shift)) < 0)
			abort();
		if ((set.n & (set.n - 1)) == 0) /* it is as full as it gets */
			longest = MAX(longest, longest_run(&set));
	}
	longest = MAX(longest, longest_run(&set));
	for (size_t i = 0; i < set.n; i++)
		missing += !nonce_set_has(&set, seed, chosen(i, shift));
	tap_ok(longest < LONG_RUN, "%s: no search is long (%zu)", name, longest);
	tap_ok(set.n == N && missing == 0, "%s: all of them are in it", name);
	tap_ok(!nonce_set_has(&set, seed, chosen(N, shift)), "%s: and no other", name);
	nonce_set_done(&set);
}

static void test_empty(void)
{
	struct nonce_set set = {};

	tap_ok(!nonce_set_has(&set, seed, 1), "an empty set has nothing");
	nonce_set_done(&set);
}

int main(void)
{
	test_empty();
	test_runs("numbers in a row", 0);
	test_runs("numbers that have their low bits in common", 24);
	test_runs("numbers whose low bits are below 4096", 64);
	return tap_done();
}
