/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the process that carries out a connectivity test says through its pipe: a line "step result code
 * latency text" for each step, separated by tabs, in any order. It is read as if a stranger had written it:
 * that process speaks with whatever is behind the endpoint.
 */
#pragma once

#include "../model/connectivity.h"

#define CONNECTIVITY_ANSWER_MAX (16 * 1024)
#define CONNECTIVITY_LINE_SIZE	320

/* A line, with its end; -E2BIG: it does not fit. */
int connectivity_answer_format(size_t step, const struct connectivity_outcome *outcome,
			       char ret[CONNECTIVITY_LINE_SIZE]);
/* Fills the outcomes of the steps that it speaks of; those of others stay as they are. -EBADMSG: it is not
 * what such a process says, and `ret` is worth nothing. */
int connectivity_answer_parse(const char *data, size_t size, struct connectivity_outcome *ret,
			      size_t n_steps);
