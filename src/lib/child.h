/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A child process that is made by fork() alone: it goes on with what its parent has in memory, and shall have
 * nothing else of it.
 */
#pragma once

#include <sys/types.h>

#include "util.h"

/* In the child. */

/* All signals are as at the start of a program, and none is blocked; SIGPIPE is ignored. */
void child_forget_signals(void);
/* Closes all descriptors but these, in any order; the first three lead nowhere then. -EMFILE, -ENFILE. */
int child_keep_only(const int *fds, size_t n);
/* From now on it is killed when the thread that has made it ends. -ESRCH: the parent is gone. */
int child_end_with(pid_t parent);

/* In the parent: kills the child and waits for its end. -EPERM: it has become a user whose processes this one
 * may not kill; its end is not waited for, and is the caller's to ask for. */
int child_kill(pid_t pid);
