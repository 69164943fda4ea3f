/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread for what waits: whose thread a job runs in, that nobody waits who does not want to, and its end.
 */
#include "lib/worker.h"

#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <unistd.h>

#include "../tap.h"

struct work {
	sem_t begun, go;
	pid_t thread;
	bool has_signals;
	int calls;
};

static void note(void *context)
{
	struct work *work = context;
	sigset_t blocked;

	(void)pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	work->has_signals = !sigismember(&blocked, SIGTERM) || !sigismember(&blocked, SIGCHLD);
	work->thread = gettid();
	work->calls++;
}

static void note_when_told(void *context)
{
	struct work *work = context;

	(void)sem_post(&work->begun);
	(void)sem_wait(&work->go);
	note(work);
}

static bool is_readable(const struct worker *worker, int timeout_ms)
{
	struct pollfd fd = {.fd = worker_fd(worker), .events = POLLIN};

	return poll(&fd, 1, timeout_ms) == 1;
}

static void test_job(struct worker *worker, struct work *work)
{
	sigset_t blocked;

	tap_ok(!worker_is_busy(worker) && !worker_wait(worker, 0) && !is_readable(worker, 0),
	       "a worker without a job has nothing to say");
	worker_start(worker, note_when_told, work);
	(void)sem_wait(&work->begun);
	tap_ok(worker_is_busy(worker) && !worker_wait(worker, 0) && !worker_wait(worker, 1),
	       "while a job runs others go on, also who waits for it for a while");
	tap_ok(!is_readable(worker, 0), "and its descriptor is silent");
	(void)sem_post(&work->go);
	tap_ok(is_readable(worker, -1), "when it is done that says so");
	tap_ok(worker_is_busy(worker), "and what it worked on is the job's until one has waited for it,");
	tap_ok(worker_wait(worker, 0) && !worker_is_busy(worker), "which takes no time then,");
	tap_ok(!worker_wait(worker, 0), "and is true once");
	tap_ok(work->calls == 1 && work->thread != gettid(), "it ran once, in another thread");
	(void)pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	tap_ok(!work->has_signals && !sigismember(&blocked, SIGTERM),
	       "which gets no signals; the caller still does");
	worker_heed(worker);
	tap_ok(!is_readable(worker, 0), "the descriptor is silent when that has been heard");
}

/* One that is waited for is told of, too: whoever put something off for it hears of it. */
static void test_waiting(struct worker *worker, struct work *work)
{
	int before = work->calls;

	for (int i = 0; i < 100; i++) {
		worker_start(worker, note, work);
		while (!worker_wait(worker, 1000)) {
		}
	}
	tap_is_int(work->calls - before, 100, "one job after the other");
	tap_ok(is_readable(worker, -1), "the descriptor tells of them all the same");
	worker_heed(worker);
	tap_ok(!is_readable(worker, 0), "all at once");
}

static void test_end(struct worker *worker, struct work *work)
{
	int before = work->calls;

	worker_start(worker, note_when_told, work);
	(void)sem_wait(&work->begun);
	(void)sem_post(&work->go);
	worker_free(worker);
	tap_is_int(work->calls - before, 1, "the end of the job that runs is waited for");
}

int main(void)
{
	struct worker *worker;
	struct work work = {};

	(void)sem_init(&work.begun, 0, 0);
	(void)sem_init(&work.go, 0, 0);
	if (tap_ok(worker_new(&worker) == 0, "a worker begins")) {
		test_job(worker, &work);
		test_waiting(worker, &work);
		test_end(worker, &work);
	}
	(void)sem_destroy(&work.begun);
	(void)sem_destroy(&work.go);
	return tap_done();
}
