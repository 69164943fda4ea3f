/* SPDX-License-Identifier: Apache-2.0 */
#include "worker.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

struct worker {
	pthread_t thread;
	int fd;
	bool is_busy; /* the loop's thread's */

	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t changed;
	worker_job job; /* NULL: none, or it is done */
	void *context;
	bool is_ending;
};

static void *work(void *context)
{
	struct worker *worker = context;

	(void)pthread_mutex_lock(&worker->lock);
	while (!worker->is_ending) {
		worker_job job = worker->job;

		if (!job) {
			(void)pthread_cond_wait(&worker->changed, &worker->lock);
			continue;
		}
		(void)pthread_mutex_unlock(&worker->lock);
		job(worker->context);
		(void)pthread_mutex_lock(&worker->lock);
		worker->job = NULL;
		(void)pthread_cond_signal(&worker->changed);
		(void)eventfd_write(worker->fd, 1);
	}
	(void)pthread_mutex_unlock(&worker->lock);
	return NULL;
}

/* Without signals: they are the loop's. */
static int start_thread(struct worker *worker)
{
	sigset_t all, old;
	int r;

	(void)sigfillset(&all);
	r = pthread_sigmask(SIG_SETMASK, &all, &old);
	if (r != 0)
		return -r;
	r = pthread_create(&worker->thread, NULL, work, worker);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -r;
}

int worker_new(struct worker **ret)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	pthread_condattr_t attributes;
	int r;

	if (!worker)
		return -ENOMEM;
	(void)pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_mutex_init(&worker->lock, NULL);
	(void)pthread_cond_init(&worker->changed, &attributes);
	(void)pthread_condattr_destroy(&attributes);
	worker->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = worker->fd < 0 ? -errno : start_thread(worker);
	if (r < 0) {
		closep(&worker->fd);
		free(worker);
		return r;
	}
	*ret = worker;
	return 0;
}

struct worker *worker_free(struct worker *worker)
{
	if (!worker)
		return NULL;
	(void)pthread_mutex_lock(&worker->lock);
	worker->is_ending = true;
	(void)pthread_cond_signal(&worker->changed);
	(void)pthread_mutex_unlock(&worker->lock);
	(void)pthread_join(worker->thread, NULL);
	(void)pthread_cond_destroy(&worker->changed);
	(void)pthread_mutex_destroy(&worker->lock);
	closep(&worker->fd);
	free(worker);
	return NULL;
}

void worker_start(struct worker *worker, worker_job job, void *context)
{
	assert(!worker->is_busy);
	worker->is_busy = true;
	(void)pthread_mutex_lock(&worker->lock);
	worker->job = job;
	worker->context = context;
	(void)pthread_cond_signal(&worker->changed);
	(void)pthread_mutex_unlock(&worker->lock);
}

bool worker_is_busy(const struct worker *worker)
{
	return worker->is_busy;
}

static struct timespec from_now(unsigned int ms)
{
	struct timespec end;

	(void)clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += ms / 1000;
	end.tv_nsec += (long)(ms % 1000) * 1000000;
	if (end.tv_nsec >= 1000000000) {
		end.tv_sec++;
		end.tv_nsec -= 1000000000;
	}
	return end;
}

bool worker_wait(struct worker *worker, unsigned int timeout_ms)
{
	const struct timespec end = from_now(timeout_ms);
	bool is_done;

	if (!worker->is_busy)
		return false;
	(void)pthread_mutex_lock(&worker->lock);
	while (worker->job && timeout_ms &&
	       pthread_cond_timedwait(&worker->changed, &worker->lock, &end) == 0) {
	}
	is_done = !worker->job;
	(void)pthread_mutex_unlock(&worker->lock);
	worker->is_busy = !is_done;
	return is_done;
}

int worker_fd(const struct worker *worker)
{
	return worker->fd;
}

void worker_heed(struct worker *worker)
{
	eventfd_t n;

	(void)eventfd_read(worker->fd, &n);
}
