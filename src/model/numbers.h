/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which numbers are taken: a set of numbers but 0. For the snapshot alone, which takes them as rows come and
 * gives them back as they go.
 */
#pragma once

#include "../lib/util.h"

struct numbers {
	uint32_t *slots;
	size_t n_slots, n;
};

/* Makes room for two more, so that adding them cannot fail; or -ENOMEM. */
int numbers_reserve(struct numbers *numbers);
/* Adds a number for which there is room; 0 and one that is there change nothing. */
void numbers_add(struct numbers *numbers, uint32_t number);
/* Takes it out; one that is not there changes nothing. */
void numbers_remove(struct numbers *numbers, uint32_t number);
bool numbers_has(const struct numbers *numbers, uint32_t number);
/* Forgets all and frees it. */
void numbers_done(struct numbers *numbers);
