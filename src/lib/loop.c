/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One turn is: wait until something is ready or the next timer is due; call the descriptors and signals that
 * are ready; call the timers that are due; call the deferred sources. Three things need care, because a
 * callback may do anything to any source:
 *
 * - A freed source may still be in the turn's list of events. It is marked dead, taken out of the tables at
 * once, and its memory goes at the end of the turn.
 * - A timer armed with 0 ms by a timer's callback belongs to the next turn. So timers have a serial number,
 * and a turn runs those armed before its timers began.
 * - A deferred source that is deferred again after it ran belongs to the next turn, which then does not
 * sleep.
 *
 * Urgent sources have a whole loop to themselves, whose epoll is a descriptor of the outer one, so that it
 * wakes it. Its turns do not wait and never nest, and they happen between two callbacks of the outer one or,
 * when a callback breathes, within one. So all that was said of a turn holds for them, too, and whatever they
 * free or arm in the outer loop is as if the callback that breathes had done it.
 */
#include "loop.h"
#include "vec.h"

#include <assert.h>
#include <limits.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define EVENTS_PER_TURN 64
#define NOT_IN_HEAP	SIZE_MAX

enum source_kind { SOURCE_FD, SOURCE_TIMER, SOURCE_SIGNAL, SOURCE_DEFERRED };

struct loop_source {
	struct loop *loop;
	enum source_kind kind;
	bool dead;
	loop_callback callback;
	void *context;
	struct loop_source *next; /* SOURCE_DEFERRED: by priority; dead: the list of the dead */

	int fd; /* SOURCE_FD: borrowed; SOURCE_SIGNAL: our signalfd */
	int signal_number;

	uint64_t due_ms, serial; /* SOURCE_TIMER */
	size_t heap_index;

	int priority; /* SOURCE_DEFERRED */
	bool wanted;
	uint64_t ran_in_turn;
};

struct loop {
	int epoll_fd;
	size_t n_sources;
	struct loop_source **heap; /* armed timers, the next one first; has room for every timer */
	size_t n_armed, n_timers, heap_size;
	uint64_t next_serial;
	struct loop_source *deferred;
	struct loop_source *dead;
	uint64_t turn;
	bool in_turn, exiting;
	int exit_code;

	struct loop *urgent;	    /* within this one, or NULL */
	struct loop *outer;	    /* around this one, or NULL */
	struct loop_source *wakeup; /* in the outer one: something here is ready */
	uint64_t breathed_ms;	    /* when the urgent one's last turn ended */
	uint64_t held_ms;	    /* the longest from one such turn to the next, but for sleep */
};

int loop_new(struct loop **ret)
{
	struct loop *loop = calloc(1, sizeof(*loop));
	int fd;

	if (!loop)
		return -ENOMEM;
	fd = epoll_create1(EPOLL_CLOEXEC);
	if (fd < 0) {
		free(loop);
		return -errno;
	}
	loop->epoll_fd = fd;
	*ret = loop;
	return 0;
}

struct loop *loop_free(struct loop *loop)
{
	if (!loop)
		return NULL;
	assert(loop->n_sources == 0 && !loop->in_turn && !loop->urgent);
	if (loop->outer)
		loop->outer->urgent = NULL;
	loop_source_free(loop->wakeup);
	(void)close(loop->epoll_fd);
	free(loop->heap);
	free(loop);
	return NULL;
}

/* What is ready there is called by each turn anyway. */
static void on_wakeup(void *context, uint32_t events)
{
	(void)context;
	(void)events;
}

int loop_new_urgent(struct loop *loop, struct loop **ret)
{
	struct loop *urgent;
	int r;

	assert(!loop->urgent && !loop->outer);
	r = loop_new(&urgent);
	if (r < 0)
		return r;
	r = loop_add_fd(loop, urgent->epoll_fd, EPOLLIN, on_wakeup, urgent, &urgent->wakeup);
	if (r < 0) {
		loop_free(urgent);
		return r;
	}
	urgent->outer = loop;
	loop->urgent = urgent;
	loop->breathed_ms = now_mono_ms();
	*ret = urgent;
	return 0;
}

static struct loop_source *source_new(struct loop *loop, enum source_kind kind, loop_callback callback,
				      void *context)
{
	struct loop_source *source = calloc(1, sizeof(*source));

	if (!source)
		return NULL;
	source->loop = loop;
	source->kind = kind;
	source->callback = callback;
	source->context = context;
	source->fd = -EBADF;
	source->heap_index = NOT_IN_HEAP;
	return source;
}

static int watch(struct loop_source *source, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = source};

	return epoll_ctl(source->loop->epoll_fd, EPOLL_CTL_ADD, source->fd, &event) < 0 ? -errno : 0;
}

int loop_add_fd(struct loop *loop, int fd, uint32_t events, loop_callback callback, void *context,
		struct loop_source **ret)
{
	struct loop_source *source = source_new(loop, SOURCE_FD, callback, context);
	int r;

	if (!source)
		return -ENOMEM;
	source->fd = fd;
	r = watch(source, events);
	if (r < 0) {
		free(source);
		return r;
	}
	loop->n_sources++;
	*ret = source;
	return 0;
}

int loop_source_set_events(struct loop_source *source, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = source};

	assert(source->kind == SOURCE_FD);
	return epoll_ctl(source->loop->epoll_fd, EPOLL_CTL_MOD, source->fd, &event) < 0 ? -errno : 0;
}

/* The heap: a binary one, by due time and then by serial, each timer knowing its place. */

static bool is_before(const struct loop_source *a, const struct loop_source *b)
{
	return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->serial < b->serial;
}

static void heap_place(struct loop *loop, size_t i, struct loop_source *source)
{
	loop->heap[i] = source;
	source->heap_index = i;
}

static void heap_up(struct loop *loop, size_t i)
{
	struct loop_source *source = loop->heap[i];

	for (; i > 0 && is_before(source, loop->heap[(i - 1) / 2]); i = (i - 1) / 2)
		heap_place(loop, i, loop->heap[(i - 1) / 2]);
	heap_place(loop, i, source);
}

static void heap_down(struct loop *loop, size_t i)
{
	struct loop_source *source = loop->heap[i];

	for (size_t child; (child = 2 * i + 1) < loop->n_armed; i = child) {
		if (child + 1 < loop->n_armed && is_before(loop->heap[child + 1], loop->heap[child]))
			child++;
		if (!is_before(loop->heap[child], source))
			break;
		heap_place(loop, i, loop->heap[child]);
	}
	heap_place(loop, i, source);
}

static void heap_remove(struct loop *loop, struct loop_source *source)
{
	size_t i = source->heap_index;

	if (i == NOT_IN_HEAP)
		return;
	source->heap_index = NOT_IN_HEAP;
	loop->n_armed--;
	if (i == loop->n_armed)
		return;
	heap_place(loop, i, loop->heap[loop->n_armed]);
	heap_up(loop, i);
	heap_down(loop, i);
}

int loop_add_timer(struct loop *loop, loop_callback callback, void *context, struct loop_source **ret)
{
	struct loop_source *source;
	int r;

	/* Room for it is made here, so that arming cannot fail. */
	r = VEC_ROOM(loop->heap, loop->n_timers, loop->heap_size);
	if (r < 0)
		return r;
	source = source_new(loop, SOURCE_TIMER, callback, context);
	if (!source)
		return -ENOMEM;
	loop->n_timers++;
	loop->n_sources++;
	*ret = source;
	return 0;
}

void loop_timer_set(struct loop_source *source, uint64_t delay_ms)
{
	struct loop *loop = source->loop;

	assert(source->kind == SOURCE_TIMER);
	if (source->dead)
		return;
	heap_remove(loop, source);
	source->due_ms = now_mono_ms() + delay_ms;
	source->serial = loop->next_serial++;
	heap_place(loop, loop->n_armed++, source);
	heap_up(loop, source->heap_index);
}

void loop_timer_stop(struct loop_source *source)
{
	assert(source->kind == SOURCE_TIMER);
	heap_remove(source->loop, source);
}

int loop_add_signal(struct loop *loop, int signal_number, loop_callback callback, void *context,
		    struct loop_source **ret)
{
	struct loop_source *source;
	sigset_t mask;
	int r;

	sigemptyset(&mask);
	if (sigaddset(&mask, signal_number) < 0)
		return -errno;
	source = source_new(loop, SOURCE_SIGNAL, callback, context);
	if (!source)
		return -ENOMEM;
	source->signal_number = signal_number;

	r = sigprocmask(SIG_BLOCK, &mask, NULL) < 0 ? -errno : 0;
	if (r == 0) {
		source->fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
		r = source->fd < 0 ? -errno : watch(source, EPOLLIN);
	}
	if (r < 0) {
		closep(&source->fd);
		free(source);
		return r;
	}
	loop->n_sources++;
	*ret = source;
	return 0;
}

int loop_add_deferred(struct loop *loop, int priority, loop_callback callback, void *context,
		      struct loop_source **ret)
{
	struct loop_source *source = source_new(loop, SOURCE_DEFERRED, callback, context), **place;

	if (!source)
		return -ENOMEM;
	source->priority = priority;
	for (place = &loop->deferred; *place && (*place)->priority <= priority;)
		place = &(*place)->next;
	source->next = *place;
	*place = source;
	loop->n_sources++;
	*ret = source;
	return 0;
}

void loop_defer(struct loop_source *source)
{
	assert(source->kind == SOURCE_DEFERRED);
	source->wanted = true;
}

/* Takes a source out of every table, so that nothing can call it any more. */
static void detach(struct loop_source *source)
{
	struct loop *loop = source->loop;

	switch (source->kind) {
	case SOURCE_FD:
	case SOURCE_SIGNAL:
		(void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
		if (source->kind == SOURCE_SIGNAL)
			(void)close(source->fd);
		break;
	case SOURCE_TIMER:
		heap_remove(loop, source);
		loop->n_timers--;
		break;
	case SOURCE_DEFERRED:
		for (struct loop_source **place = &loop->deferred; *place; place = &(*place)->next)
			if (*place == source) {
				*place = source->next;
				break;
			}
		break;
	}
	loop->n_sources--;
}

struct loop_source *loop_source_free(struct loop_source *source)
{
	if (!source || source->dead)
		return NULL;
	detach(source);
	if (!source->loop->in_turn) {
		free(source);
		return NULL;
	}
	source->dead = true;
	source->next = source->loop->dead;
	source->loop->dead = source;
	return NULL;
}

static void bury_the_dead(struct loop *loop)
{
	while (loop->dead) {
		struct loop_source *source = loop->dead;

		loop->dead = source->next;
		free(source);
	}
}

static bool any_deferred(const struct loop *loop)
{
	for (const struct loop_source *s = loop->deferred; s; s = s->next)
		if (s->wanted)
			return true;
	return false;
}

/* How long epoll may wait, in its own terms: -1 without limit. */
static int sleep_ms(const struct loop *loop, int timeout_ms)
{
	uint64_t now, until_timer;

	if (loop->exiting || any_deferred(loop))
		return 0;
	if (loop->urgent)
		timeout_ms = sleep_ms(loop->urgent, timeout_ms);
	if (loop->n_armed == 0)
		return timeout_ms;
	now = now_mono_ms();
	until_timer = loop->heap[0]->due_ms > now ? loop->heap[0]->due_ms - now : 0;
	until_timer = MIN(until_timer, (uint64_t)INT_MAX);
	return timeout_ms < 0 ? (int)until_timer : MIN(timeout_ms, (int)until_timer);
}

static void call_signal(struct loop_source *source)
{
	struct signalfd_siginfo info;

	while (!source->dead && read(source->fd, &info, sizeof(info)) == sizeof(info))
		source->callback(source->context, info.ssi_signo);
}

static void run_events(struct loop *loop, const struct epoll_event *events, int n_events)
{
	for (int i = 0; i < n_events; i++) {
		struct loop_source *source = events[i].data.ptr;

		if (source->dead)
			continue;
		if (source->kind == SOURCE_SIGNAL)
			call_signal(source);
		else
			source->callback(source->context, events[i].events);
		loop_breathe(loop);
	}
}

static void run_timers(struct loop *loop)
{
	uint64_t now = now_mono_ms(), end = loop->next_serial;

	/* A timer armed from here on is due now at the earliest and has a higher serial than all the others
	 * that are due now, so the first such one at the top says that the older ones are done. */
	while (loop->n_armed > 0) {
		struct loop_source *source = loop->heap[0];

		if (source->due_ms > now || source->serial >= end)
			break;
		heap_remove(loop, source);
		source->callback(source->context, 0);
		loop_breathe(loop);
	}
}

static struct loop_source *next_deferred(const struct loop *loop)
{
	for (struct loop_source *s = loop->deferred; s; s = s->next)
		if (s->wanted && s->ran_in_turn != loop->turn)
			return s;
	return NULL;
}

static void run_deferred(struct loop *loop)
{
	for (struct loop_source *source; (source = next_deferred(loop));) {
		source->wanted = false;
		source->ran_in_turn = loop->turn;
		source->callback(source->context, 0);
		loop_breathe(loop);
	}
}

static void run_urgent(struct loop *loop)
{
	(void)loop_turn(loop->urgent, 0);
	loop->breathed_ms = now_mono_ms();
}

void loop_breathe(struct loop *loop)
{
	int error = errno;
	uint64_t held_ms;

	if (!loop->urgent || loop->urgent->in_turn)
		return;
	held_ms = now_mono_ms() - loop->breathed_ms;
	if (held_ms < LOOP_BREATH_MS)
		return;
	loop->held_ms = MAX(loop->held_ms, held_ms);
	run_urgent(loop);
	errno = error;
}

uint64_t loop_take_held_ms(struct loop *loop)
{
	uint64_t held_ms = loop->held_ms;

	loop->held_ms = 0;
	return held_ms;
}

static void take_breath(void *context)
{
	loop_breathe(context);
}

struct breath loop_breath(struct loop *loop)
{
	return (struct breath){.take = take_breath, .context = loop};
}

int loop_turn(struct loop *loop, int timeout_ms)
{
	struct epoll_event events[EVENTS_PER_TURN];
	int n_events;

	assert(!loop->in_turn);
	n_events = epoll_wait(loop->epoll_fd, events, EVENTS_PER_TURN, sleep_ms(loop, timeout_ms));
	if (n_events < 0) {
		if (errno != EINTR)
			return -errno;
		n_events = 0;
	}

	loop->turn++;
	loop->in_turn = true;
	if (loop->urgent)
		run_urgent(loop);
	run_events(loop, events, n_events);
	run_timers(loop);
	run_deferred(loop);
	loop->in_turn = false;
	bury_the_dead(loop);
	return 0;
}

int loop_run(struct loop *loop)
{
	int r;

	while (!loop->exiting) {
		r = loop_turn(loop, -1);
		if (r < 0)
			return r;
	}
	loop->exiting = false;
	return loop->exit_code;
}

void loop_exit(struct loop *loop, int code)
{
	loop->exiting = true;
	loop->exit_code = code;
}
