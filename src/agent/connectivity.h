/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The connectivity tests of this node: for each that the rows ask for, a process that carries it out
 * (connectivity_child.h), and what it said, until privlinkd has it. Never touches the plan.
 */
#pragma once

#include <jansson.h>

#include "../lib/loop.h"
#include "../model/snapshot.h"

#define CONNECTIVITY_TRIALS_MAX 8     /* at once; others wait */
#define CONNECTIVITY_TRIAL_MS	10000 /* then the process is ended */

struct connectivity;

/* The rows are borrowed. `changed` is called when there is something else to report. */
int connectivity_new(struct loop *loop, const char *node, const struct snapshot *rows, loop_callback changed,
		     void *context, struct connectivity **ret);
/* Ends what runs. */
struct connectivity *connectivity_free(struct connectivity *connectivity);

/* The rows have changed: begins what is new, forgets what is settled. */
void connectivity_follow(struct connectivity *connectivity);
/* What to report of tests (a new array, the caller's); NULL: nothing. */
json_t *connectivity_report(const struct connectivity *connectivity);
