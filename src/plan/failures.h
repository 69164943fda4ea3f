/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects that could not be put in force, gathered from the plan and from those who apply it, for the report.
 */
#pragma once

#include "plan.h"

struct failures {
	struct plan_failure *items;
	size_t n, size;
};

/* The first reason of a key stays. A reason that is too long is cut. -ENOMEM. */
int failures_add(struct failures *failures, const char *key, const char *format, ...) _printf_(3, 4);
/* The same, and what the object stands for has ended: trying again is of no use. */
/* Of one that is known not to be among them: nothing is searched. -ENOMEM, -E2BIG. */
int failures_append(struct failures *failures, const char *key, const char *reason);
int failures_add_gone(struct failures *failures, const char *key, const char *reason);
void failures_clear(struct failures *failures);
