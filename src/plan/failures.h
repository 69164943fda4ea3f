/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects that could not be put in force, gathered from the plan and from those who apply it, for the report.
 */
#pragma once

#include "plan.h"

/* All zero: none. They are in the order in which they came. */
struct failures {
	struct plan_failure *items;
	size_t n, size;
	uint32_t *places; /* of keys: each has the number of an item, from 1 on; 0: none */
	size_t n_places;  /* a power of two */
};

/* The first reason of a key stays. A reason that is too long is cut. -ENOMEM; -E2BIG: the key is too long. */
int failures_add(struct failures *failures, const char *key, const char *format, ...) _printf_(3, 4);
/* The same, and what the object stands for has ended: trying again is of no use. */
int failures_add_gone(struct failures *failures, const char *key, const char *reason);
void failures_clear(struct failures *failures);
