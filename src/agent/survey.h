/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether what is in force is what all rows say, and whether the kernel's tables are as they were written:
 * looked at by a child process, which has all that the agent has in memory at the time of its fork. So
 * changes go on meanwhile, however much there is; what they write then the child may doubt, and the agent
 * looks at just that once more.
 */
#pragma once

#include "../datapath/datapath.h"
#include "../lib/loop.h"

struct survey;

/* What a survey says at its end: NULL: all is as it should be; else what is not, in words (logged). */
typedef void (*survey_done)(void *context, const char *what);

/* All borrowed. -ENOMEM. */
int survey_new(struct loop *loop, struct datapath *datapath, survey_done done, void *context,
	       struct survey **ret);
struct survey *survey_free(struct survey *survey);

/* Begins one, of a plan that slices have brought up to all rows, with `input` to make it anew; its breath is
 * not taken. `*plan` may change, as slices change it, but be freed not before the end. A survey that goes on
 * is ended without a word. A negative errno value: there can be none now. */
int survey_start(struct survey *survey, const struct plan_input *input, struct plan_indexes *indexes,
		 const struct plan *plan);
bool survey_goes_on(const struct survey *survey);
/* Ends it, if one goes on, without a word. */
void survey_cancel(struct survey *survey);
