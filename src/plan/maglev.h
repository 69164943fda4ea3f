/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Maglev consistent hashing (Eisenbud et al., NSDI 2016, section 3.4), with weights.
 */
#pragma once

#include "../lib/util.h"

struct maglev_backend {
	uint64_t identity; /* stable across plans: its place in the permutation comes from it */
	uint32_t index;	   /* what the table holds */
	uint32_t weight;   /* > 0 */
	bool away;	   /* its places go to the others, who keep what they have */
};

/* The table's size for that many backends: a prime, at least 100 times as many, and 400 times for a few. */
uint32_t maglev_size(size_t n_backends);
/* Fills table[size]; one of the backends at least is not away. Deterministic in the set of backends, whatever
 * their order. -ENOMEM. */
int maglev_fill(const struct maglev_backend *backends, size_t n_backends, uint32_t *table, uint32_t size);
