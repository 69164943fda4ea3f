/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A set of numbers that callers may choose: which of them are neighbours follows from a seed that they do not
 * know, so nobody can make searching long.
 */
#pragma once

#include "../../lib/util.h"

/* Zeros: an empty one. */
struct nonce_set {
	uint64_t *slots; /* 0: a free one */
	size_t n, size;	 /* size is a power of two, at least 2 * n */
};

/* Frees what it holds; it is empty then. */
void nonce_set_done(struct nonce_set *set);

/* Whether the value is in it. `value` is not 0; `seed` is the same for all calls about one set. */
bool nonce_set_has(const struct nonce_set *set, uint64_t seed, uint64_t value);
/* Adds a value that is not in it. -ENOMEM: it is as before. */
int nonce_set_add(struct nonce_set *set, uint64_t seed, uint64_t value);
