/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which process a number means: numbers are used again, the time at which a process began is not.
 */
#pragma once

#include "util.h"

/* When the process began, in clock ticks since the machine did (starttime of /proc/PID/stat, proc(5)).
 * -ESRCH: there is none of that number, or it has ended and only its parent has not asked yet how. */
int process_start(int pid, uint64_t *ret);
