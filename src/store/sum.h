/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sums that tell whether a row is still what was written: no defence against people, only against disks. Any
 * change of one byte changes the sum.
 */
#pragma once

#include "../lib/util.h"

/* Of a row's texts with their ends, and its revisions; or of one text. FNV: against accidents, not against
 * people. */
uint64_t sum_of_row(const char *key, const char *value, uint64_t created, uint64_t modified);
uint64_t sum_of_text(const char *text);
/* Of the store as a whole: the rows' sums, added up (in any order, modulo 2^64), and its revision. */
uint64_t sum_of_store(uint64_t rows, uint64_t revision);
