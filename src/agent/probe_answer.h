/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a server's answer to a probe says about it. Pure.
 */
#pragma once

#include "../plan/plan.h"

enum probe_verdict { PROBE_MORE, PROBE_GOOD, PROBE_BAD };

/* So much of an answer decides. */
#define PROBE_ANSWER_SIZE 128

/* The beginning of an answer, or all of it (`is_whole`: nothing follows). PROBE_BAD: `ret_reason` is why, in
 * the API's words. */
enum probe_verdict probe_answer_judge(const struct plan_probe *probe, const char *answer, size_t size,
				      bool is_whole, const char **ret_reason);
