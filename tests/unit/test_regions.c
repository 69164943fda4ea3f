/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "datapath/regions.h"
#include "tests/tap.h"

static void test_take_and_give(void)
{
	struct regions *regions;
	uint32_t a, b, c, d;

	tap_is_int(regions_new(100, &regions), 0, "an empty array");
	tap_ok(regions_take(regions, 40, &a) == 0 && a == 0, "the first region starts at 0");
	tap_ok(regions_take(regions, 40, &b) == 0 && b == 40, "the next one behind it");
	tap_is_int(regions_take(regions, 21, &c), -ENOSPC, "one that does not fit is refused");
	tap_ok(regions_take(regions, 20, &c) == 0 && c == 80, "one that just fits is given");
	tap_is_int(regions_free_count(regions), 0, "then nothing is free");

	(void)regions_give(regions, a, 40);
	(void)regions_give(regions, c, 20);
	tap_is_int(regions_take(regions, 50, &d), -ENOSPC,
		   "two spans that do not touch are no region of their sum");
	(void)regions_give(regions, b, 40);
	tap_ok(regions_take(regions, 100, &d) == 0 && d == 0, "freed neighbours join, also on both sides");
	regions_free(regions);
}

static void test_claim(void)
{
	static const struct {
		uint32_t first, count;
		int want;
		const char *name;
	} cases[] = {
		{10, 10, 0, "a region that is free is claimed"},
		{10, 10, -EEXIST, "but not twice"},
		{5, 10, -EEXIST, "nor one that overlaps it in front"},
		{19, 2, -EEXIST, "nor behind"},
		{0, 10, 0, "the one in front of it is"},
		{20, 80, 0, "and the one behind it up to the end"},
		{99, 2, -EEXIST, "nothing beyond the end"},
		{0xffffffff, 0xffffffff, -EEXIST, "nor far beyond"},
	};
	struct regions *regions;

	(void)regions_new(100, &regions);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		tap_is_int(regions_claim(regions, cases[i].first, cases[i].count), cases[i].want, "%s",
			   cases[i].name);
	tap_is_int(regions_free_count(regions), 0, "all is taken now");
	regions_free(regions);
}

/* Against a plain map of taken indexes. */
static void test_random(void)
{
	enum { SIZE = 500, REGIONS = 40 };
	uint32_t first[REGIONS], count[REGIONS] = {}, seed = 1;
	bool taken[SIZE] = {}, good = true;
	struct regions *regions;

	(void)regions_new(SIZE, &regions);
	for (int step = 0; step < 20000; step++) {
		uint32_t i, n_free = 0;

		seed = seed * 1664525 + 1013904223;
		i = (seed >> 8) % REGIONS;
		if (count[i]) {
			(void)regions_give(regions, first[i], count[i]);
			for (uint32_t k = 0; k < count[i]; k++)
				taken[first[i] + k] = false;
			count[i] = 0;
		} else if (regions_take(regions, 1 + (seed >> 16) % 60, &first[i]) == 0) {
			count[i] = 1 + (seed >> 16) % 60;
			for (uint32_t k = 0; k < count[i]; k++) {
				good &= first[i] + k < SIZE && !taken[first[i] + k];
				taken[first[i] + k] = true;
			}
		}
		for (uint32_t k = 0; k < SIZE; k++)
			n_free += !taken[k];
		good &= n_free == regions_free_count(regions);
	}
	tap_ok(good, "20,000 random steps give no index twice and lose none");
	regions_free(regions);
}

int main(void)
{
	test_take_and_give();
	test_claim();
	test_random();
	return tap_done();
}
