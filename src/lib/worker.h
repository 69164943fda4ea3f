/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread beside the loop's, for what the kernel lets its caller wait for. It has one job at a time.
 *
 * Who owns what: all functions here are called by the loop's thread. From worker_start() until worker_wait()
 * says that the job is done, all that `context` leads to is the job's; before and after that it is the
 * caller's. A job touches nothing else, logs nothing, and gets no signal. It begins in the network namespace
 * in which worker_new() was called, and has to end there.
 */
#pragma once

#include "util.h"

struct worker;

typedef void (*worker_job)(void *context);

/* Starts the thread. Negative errno. */
int worker_new(struct worker **ret);
/* Waits for the end of the job that runs, and of the thread; a job that has not begun is dropped. */
struct worker *worker_free(struct worker *worker);

/* Gives it a job; it must have none. */
void worker_start(struct worker *worker, worker_job job, void *context);
/* It has a job for which worker_wait() has not been true yet. */
bool worker_is_busy(const struct worker *worker);
/* Waits for the job's end, so many milliseconds at most (0: only looks). True, once for each job: it is done.
 */
bool worker_wait(struct worker *worker, unsigned int timeout_ms);

/* Becomes readable with the end of each job, for the loop; worker_heed() makes it silent until the next.
 * Borrowed. */
int worker_fd(const struct worker *worker);
void worker_heed(struct worker *worker);
