/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process that carries out one connectivity test: it enters the network namespace of the instance and no
 * other, opens there what needs a right, gives up all rights, and looks (connectivity_probe.h). Nothing of
 * the instance runs.
 */
#pragma once

#include <sys/types.h>

#include "../model/connectivity.h"

#define CONNECTIVITY_CHILD_USER 65534 /* nobody */

struct connectivity_task {
	const char *instance;
	uint32_t port;
	const struct connectivity_step *steps;
	size_t n_steps;
};

/* Begins. The process' number (the caller's: child_kill()), and the end of the pipe (the caller's, not
 * blocking) on which it says how each step went, until it ends. -ENOENT: the instance has no namespace. */
int connectivity_child_start(const struct connectivity_task *task, pid_t *ret_pid, int *ret_fd);
