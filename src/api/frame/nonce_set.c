/* SPDX-License-Identifier: Apache-2.0 */
#include "nonce_set.h"

#include "../../lib/mix.h"

#define SLOTS_MIN 16

void nonce_set_done(struct nonce_set *set)
{
	free(set->slots);
	*set = (struct nonce_set){};
}

static size_t slot_of(const uint64_t *slots, size_t size, uint64_t seed, uint64_t value)
{
	size_t slot = mix64(value ^ seed) & (size - 1);

	while (slots[slot] && slots[slot] != value)
		slot = (slot + 1) & (size - 1);
	return slot;
}

bool nonce_set_has(const struct nonce_set *set, uint64_t seed, uint64_t value)
{
	return set->size > 0 && set->slots[slot_of(set->slots, set->size, seed, value)];
}

static int grow(struct nonce_set *set, uint64_t seed)
{
	size_t size = set->size > 0 ? 2 * set->size : SLOTS_MIN;
	uint64_t *slots = calloc(size, sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	for (size_t i = 0; i < set->size; i++)
		if (set->slots[i])
			slots[slot_of(slots, size, seed, set->slots[i])] = set->slots[i];
	free(set->slots);
	set->slots = slots;
	set->size = size;
	return 0;
}

/* At most half full, so that searching stays short. */
int nonce_set_add(struct nonce_set *set, uint64_t seed, uint64_t value)
{
	int r = set->size < 2 * (set->n + 1) ? grow(set, seed) : 0;

	if (r < 0)
		return r;
	set->slots[slot_of(set->slots, set->size, seed, value)] = value;
	set->n++;
	return 0;
}
