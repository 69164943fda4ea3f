/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clock of packet tests that ask whether the machine was away.
 */
#pragma once

#include <stdint.h>
#include <time.h>

static inline int64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
