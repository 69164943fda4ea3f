/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether two plans are the same, row for row: one that slices have changed (plan_slice.h), and the one that
 * is made of all rows.
 */
#pragma once

#include "plan.h"

/* What differs, in a word or two; NULL: nothing. Both are of the same indexes, and `whole` is as plan_build()
 * has made it. (What stands in no order in them is sorted.) */
const char *plan_what_differs(const struct plan *plan, const struct plan *whole);
