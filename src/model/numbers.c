/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hash table of numbers, each in its slot or in the next free one behind: four bytes a slot, of which a
 * half to three quarters are free. Numbers are given out one after the other, and the factor spreads such
 * evenly.
 */
#include "numbers.h"

#include <stdlib.h>

#define SLOTS_FIRST 64
#define FACTOR	    UINT32_C(0x9e3779b9) /* 2^32 by the golden ratio */

static size_t home_of(const struct numbers *numbers, uint32_t number)
{
	return (uint32_t)(number * FACTOR) & (numbers->n_slots - 1);
}

static size_t behind(const struct numbers *numbers, size_t slot)
{
	return (slot + 1) & (numbers->n_slots - 1);
}

/* Where the number is, or would be. */
static size_t find(const struct numbers *numbers, uint32_t number)
{
	size_t slot = home_of(numbers, number);

	while (numbers->slots[slot] && numbers->slots[slot] != number)
		slot = behind(numbers, slot);
	return slot;
}

int numbers_reserve(struct numbers *numbers)
{
	struct numbers grown = {.n_slots = MAX(2 * numbers->n_slots, (size_t)SLOTS_FIRST)};

	if (2 * (numbers->n + 2) <= numbers->n_slots)
		return 0;
	grown.slots = calloc(grown.n_slots, sizeof(*grown.slots));
	if (!grown.slots)
		return -ENOMEM;
	for (size_t i = 0; i < numbers->n_slots; i++)
		numbers_add(&grown, numbers->slots[i]);
	free(numbers->slots);
	*numbers = grown;
	return 0;
}

void numbers_add(struct numbers *numbers, uint32_t number)
{
	size_t slot;

	if (!number)
		return;
	slot = find(numbers, number);
	numbers->n += !numbers->slots[slot];
	numbers->slots[slot] = number;
}

void numbers_remove(struct numbers *numbers, uint32_t number)
{
	size_t hole, slot, mask = numbers->n_slots - 1;

	if (!numbers_has(numbers, number))
		return;
	hole = slot = find(numbers, number);
	/* What is behind and looked for from before the hole moves into it. */
	while (numbers->slots[slot = behind(numbers, slot)]) {
		size_t home = home_of(numbers, numbers->slots[slot]);

		if (((slot - home) & mask) < ((slot - hole) & mask))
			continue;
		numbers->slots[hole] = numbers->slots[slot];
		hole = slot;
	}
	numbers->slots[hole] = 0;
	numbers->n--;
}

bool numbers_has(const struct numbers *numbers, uint32_t number)
{
	return number && numbers->n_slots && numbers->slots[find(numbers, number)] == number;
}

void numbers_done(struct numbers *numbers)
{
	free(numbers->slots);
	*numbers = (struct numbers){};
}
