/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One agent for each run directory.
 */
#pragma once

#include "../lib/util.h"

/* The lock goes with the process. Logs. */
int agent_take_lock(const char *run_dir, int *ret_fd);
