/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A backend walks the table in an order of its own, a permutation that comes from its identity alone.
 * Backends take turns; whose turn it is takes the first free place on its walk. So each gets its share, and
 * when one leaves, the others keep nearly all places that they had.
 *
 * Weights: in round i a backend of weight w has had ceil(i * w / w_max) turns, so the heaviest one has a turn
 * in each round and the others only in some.
 */
#include "maglev.h"

#include <assert.h>

/* The largest primes below 2^8 … 2^23: sizes grow in steps, so that a table keeps its size while a few
 * backends come and go. */
static const uint32_t sizes[] = {
	251,   509,    1021,   2039,   4093,	8191,	 16381,	  32749,
	65521, 131071, 262139, 524287, 1048573, 2097143, 4194301, 8388593,
};

uint32_t maglev_size(size_t n_backends)
{
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		if (sizes[i] / 100 >= n_backends)
			return sizes[i];
	return sizes[ARRAY_SIZE(sizes) - 1];
}

struct walker {
	struct maglev_backend backend;
	uint32_t place, skip;
	uint64_t due; /* turns had so far, times the highest weight */
};

/* The finalizer of splitmix64: spreads what identities have in common. */
static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

static int walker_compare(const void *a, const void *b)
{
	const struct maglev_backend *x = &((const struct walker *)a)->backend;
	const struct maglev_backend *y = &((const struct walker *)b)->backend;

	if (x->identity != y->identity)
		return x->identity < y->identity ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

static void take_turn(struct walker *w, uint32_t *table, bool *taken, uint32_t size)
{
	while (taken[w->place])
		w->place = (w->place + w->skip) % size;
	taken[w->place] = true;
	table[w->place] = w->backend.index;
}

int maglev_fill(const struct maglev_backend *backends, size_t n_backends, uint32_t *table, uint32_t size)
{
	_cleanup_(freep) struct walker *walkers = NULL;
	_cleanup_(freep) bool *taken = NULL;
	uint32_t weight_max = 0, filled = 0;

	assert(n_backends > 0 && size > 2 && size <= sizes[ARRAY_SIZE(sizes) - 1]);

	walkers = calloc(n_backends, sizeof(*walkers));
	taken = calloc(size, sizeof(*taken));
	if (!walkers || !taken)
		return -ENOMEM;

	for (size_t i = 0; i < n_backends; i++) {
		uint64_t hash = mix(backends[i].identity);

		assert(backends[i].weight > 0);
		walkers[i].backend = backends[i];
		walkers[i].place = hash % size;
		walkers[i].skip = mix(hash) % (size - 1) + 1;
		weight_max = MAX(weight_max, backends[i].weight);
	}
	qsort(walkers, n_backends, sizeof(*walkers), walker_compare);

	for (uint64_t round = 1; filled < size; round++)
		for (size_t i = 0; i < n_backends && filled < size; i++) {
			if (round * walkers[i].backend.weight <= walkers[i].due)
				continue;
			walkers[i].due += weight_max;
			take_turn(&walkers[i], table, taken, size);
			filled++;
		}
	return 0;
}
