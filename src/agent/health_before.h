/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was found of servers before this agent started, as long as it starts. A server's row counts once: who
 * has been probed here and is not any more comes again as someone new.
 */
#pragma once

#include "../plan/plan_slice.h"

/* All zero: nothing was found. */
struct health_before {
	const struct snapshot *rows; /* borrowed; NULL: the start is over */
	struct plan_probe_key *gone; /* whose rows do not count any more */
	size_t n_gone, gone_size;
	bool is_sorted; /* these, and each is there once */
};

/* From here on these count, and nobody has gone; they are read until the next call. NULL: the start is over,
 * and what was found before it gets old. */
void health_before_set(struct health_before *before, const struct snapshot *rows);
/* NULL: there is none that counts. Borrowed until the rows change. */
const struct server_health *health_before_row(struct health_before *before, const struct plan_probe *probe);
/* The server is not probed any more. */
void health_before_forget(struct health_before *before, const struct plan_probe *probe);
