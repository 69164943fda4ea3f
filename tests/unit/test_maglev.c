/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a Maglev table promises: each backend has its share, the table does not depend on the order in which
 * backends are listed, and a backend that leaves takes little but its own places with it.
 */
#include "plan/maglev.h"

#include "tests/tap.h"

#define BACKENDS_MAX 400

static struct maglev_backend backends[BACKENDS_MAX];
static uint64_t seed = 1;

static uint64_t next_random(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static void make_backends(size_t n, uint32_t weight_max)
{
	for (size_t i = 0; i < n; i++) {
		backends[i].identity = next_random();
		backends[i].index = (uint32_t)i + 1;
		backends[i].away = false;
		backends[i].weight = weight_max == 1 ? 1 : (uint32_t)(next_random() % weight_max) + 1;
	}
}

static uint32_t *fill(const struct maglev_backend *b, size_t n, uint32_t size)
{
	uint32_t *table = calloc(size, sizeof(*table));

	if (!table || maglev_fill(b, n, table, size) < 0)
		exit(EXIT_FAILURE);
	return table;
}

static bool is_prime(uint32_t n)
{
	for (uint32_t d = 2; d * d <= n; d++)
		if (n % d == 0)
			return false;
	return n > 1;
}

static void test_sizes(void)
{
	bool primes = true, large_enough = true, rising = true;
	uint32_t last = 0;

	for (size_t n = 0; n <= 65535; n += n < 2000 ? 1 : 997) {
		uint32_t size = maglev_size(n);

		primes &= is_prime(size);
		large_enough &= size >= 100 * n;
		rising &= size >= last;
		last = size;
	}
	tap_ok(primes, "a table's size is a prime");
	tap_ok(large_enough, "a table has at least a hundred places for each backend");
	tap_ok(rising, "more backends never mean a smaller table");
	tap_is_int(maglev_size(3), maglev_size(5), "a few more backends do not change the size");
}

/* The largest deviation from the fair share, in percent of it. */
static double deviation(const uint32_t *table, uint32_t size, size_t n)
{
	double worst = 0, weights = 0;
	size_t *count = calloc(n + 1, sizeof(*count));

	for (uint32_t i = 0; i < size; i++)
		count[table[i]]++;
	for (size_t i = 0; i < n; i++)
		weights += backends[i].weight;
	for (size_t i = 0; i < n; i++) {
		double fair = size * (double)backends[i].weight / weights;
		double off = 100 * ((double)count[i + 1] - fair) / fair;

		worst = MAX(worst, off < 0 ? -off : off);
	}
	free(count);
	return worst;
}

static void test_balance(void)
{
	static const struct {
		size_t n;
		uint32_t weight_max;
		double limit;
	} cases[] = {{1, 1, 0.1}, {2, 1, 1}, {3, 1, 2},	   {10, 1, 2},	 {100, 1, 2},
		     {400, 1, 2}, {5, 3, 5}, {20, 10, 10}, {2, 100, 100}};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint32_t size = maglev_size(cases[i].n), *table;
		double off;

		make_backends(cases[i].n, cases[i].weight_max);
		table = fill(backends, cases[i].n, size);
		off = deviation(table, size, cases[i].n);
		tap_ok(off <= cases[i].limit, "%zu backends, weights to %u: each has its share within %.1f%%",
		       cases[i].n, cases[i].weight_max, cases[i].limit);
		tap_note("worst is %.2f%%", off);
		free(table);
	}
}

static void test_order(void)
{
	const size_t n = 50;
	uint32_t size = maglev_size(n), *table, *again;

	make_backends(n, 10);
	table = fill(backends, n, size);
	for (size_t i = 0; i < n; i++) {
		size_t j = next_random() % n;
		struct maglev_backend b = backends[i];

		backends[i] = backends[j];
		backends[j] = b;
	}
	again = fill(backends, n, size);
	tap_ok(memcmp(table, again, size * sizeof(*table)) == 0, "the order of the backends changes nothing");
	free(table);
	free(again);
}

static void test_disruption(void)
{
	static const size_t counts[] = {2, 3, 10, 100};

	for (size_t c = 0; c < ARRAY_SIZE(counts); c++) {
		size_t n = counts[c];
		uint32_t size = maglev_size(n), moved = 0, held = 0, *before, *after;

		make_backends(n, 1);
		before = fill(backends, n, size);
		after = fill(backends, n - 1, size); /* the last one leaves */
		for (uint32_t i = 0; i < size; i++) {
			held += before[i] != n;
			moved += before[i] != n && before[i] != after[i];
		}
		tap_ok(moved * 100 <= held * 5,
		       "of %zu backends one leaves: at most 5%% of the others' places move", n);
		tap_note("%u of %u moved", moved, held);
		free(before);
		free(after);
	}
}

/* Any one of twenty, and the worst of all of them. */
static void test_twenty(void)
{
	const size_t n = 20;
	uint32_t size = maglev_size(n), *before;
	struct maglev_backend all[20];
	double worst = 0;

	make_backends(n, 1);
	before = fill(backends, n, size);
	memcpy(all, backends, sizeof(all));
	for (size_t gone = 0; gone < n; gone++) {
		uint32_t moved = 0, held = 0, *after;

		memcpy(backends, all, sizeof(all));
		memmove(backends + gone, backends + gone + 1, (n - gone - 1) * sizeof(*backends));
		after = fill(backends, n - 1, size);
		for (uint32_t i = 0; i < size; i++) {
			held += before[i] != gone + 1;
			moved += before[i] != gone + 1 && before[i] != after[i];
		}
		worst = MAX(worst, 100.0 * moved / held);
		free(after);
	}
	free(before);
	tap_ok(worst <= 2, "whichever of 20 backends leaves, at most 2%% of the others' flows move");
	tap_note("at worst %.2f%%", worst);
}

/* One that falls ill, and one more, and back. */
static void test_away(void)
{
	const size_t n = 20;
	uint32_t size = maglev_size(n), moved = 0, *whole, *one, *two;
	size_t count[21] = {0};
	double worst = 0;

	make_backends(n, 1);
	whole = fill(backends, n, size);
	backends[7].away = true;
	one = fill(backends, n, size);
	backends[3].away = true;
	two = fill(backends, n, size);
	backends[3].away = backends[7].away = false;
	for (uint32_t i = 0; i < size; i++) {
		moved += whole[i] != one[i] && whole[i] != 8;
		moved += whole[i] != two[i] && whole[i] != 8 && whole[i] != 4;
		count[two[i]]++;
	}
	tap_is_int(moved, 0, "a backend that is only away moves nobody else's flows");
	tap_ok(count[8] == 0 && count[4] == 0, "and has none");
	for (size_t i = 1; i <= n; i++) {
		double off = 100.0 * ((double)count[i] * (double)(n - 2) / size - 1);

		worst = i == 8 || i == 4 ? worst : MAX(worst, off < 0 ? -off : off);
	}
	tap_ok(worst <= 2, "which the others share");
	tap_note("worst is %.2f%%", worst);
	free(whole);
	free(one);
	free(two);
}

static void test_weights(void)
{
	uint32_t size = maglev_size(2), *table, light = 0;

	make_backends(2, 1);
	backends[0].weight = 100;
	table = fill(backends, 2, size);
	for (uint32_t i = 0; i < size; i++)
		light += table[i] == 2;
	tap_ok(light >= 1 && light <= 5, "a backend of weight 1 beside one of 100 has a place, and few");
	free(table);
}

int main(void)
{
	test_sizes();
	test_balance();
	test_order();
	test_disruption();
	test_twenty();
	test_away();
	test_weights();
	return tap_done();
}
