/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event loop: what runs when, and that callbacks may free anything. Each case notes its events as
 * letters.
 */
#include "lib/loop.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../tap.h"

struct fixture {
	struct loop *loop;
	char notes[64];
	struct loop_source *sources[8];
	int fds[8];
};

/* What a callback gets: where to note which letter, and what to do then. */
struct note {
	struct fixture *f;
	char letter;
	struct loop_source **free_too; /* freed by the callback */
	struct loop_source **defer_too;
	struct loop_source **arm_too; /* with 0 ms */
	int exit_code;		      /* not 0: leave */
};

static void call(void *context, uint32_t events)
{
	struct note *note = context;
	size_t length = strlen(note->f->notes);

	(void)events;
	if (length + 1 < sizeof(note->f->notes))
		note->f->notes[length] = note->letter;
	if (note->free_too)
		*note->free_too = loop_source_free(*note->free_too);
	if (note->defer_too)
		loop_defer(*note->defer_too);
	if (note->arm_too)
		loop_timer_set(*note->arm_too, 0);
	if (note->exit_code)
		loop_exit(note->f->loop, note->exit_code);
}

static void set_up(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	for (size_t i = 0; i < ARRAY_SIZE(f->fds); i++)
		f->fds[i] = -EBADF;
	if (loop_new(&f->loop) < 0)
		exit(EXIT_FAILURE);
}

static void tear_down(struct fixture *f)
{
	for (size_t i = 0; i < ARRAY_SIZE(f->sources); i++) {
		f->sources[i] = loop_source_free(f->sources[i]);
		closep(&f->fds[i]);
	}
	f->loop = loop_free(f->loop);
}

static int ready_fd(struct fixture *f, int i)
{
	return f->fds[i] = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
}

static void test_descriptors(void)
{
	struct fixture f;
	struct note a = {.f = &f, .letter = 'a'}, b = {.f = &f, .letter = 'b'};

	set_up(&f);
	tap_is_int(loop_add_fd(f.loop, ready_fd(&f, 0), EPOLLIN, call, &a, &f.sources[0]), 0,
		   "a descriptor is added");
	tap_is_int(loop_turn(f.loop, 1000), 0, "a turn runs");
	tap_is_str(f.notes, "a", "a readable descriptor is called");
	(void)loop_turn(f.loop, 1000);
	tap_is_str(f.notes, "aa", "and again while it is readable");
	tap_is_int(loop_source_set_events(f.sources[0], 0), 0, "its events are changed");
	(void)loop_turn(f.loop, 0);
	tap_is_str(f.notes, "aa", "and it is left alone");
	tap_is_int(loop_source_set_events(f.sources[0], EPOLLOUT), 0, "its events are changed once more");
	(void)loop_turn(f.loop, 0);
	tap_is_str(f.notes, "aaa", "and it is called for writing");
	tap_is_int(loop_add_fd(f.loop, -EBADF, EPOLLIN, call, &b, &f.sources[1]), -EBADF,
		   "a bad descriptor is refused");
	tear_down(&f);
}

/* Two descriptors are ready in one turn and the first one called frees both: the other must not be called. */
static void test_free_in_callback(void)
{
	struct fixture f;
	struct note a = {.f = &f, .letter = 'a'}, b = {.f = &f, .letter = 'b'};

	set_up(&f);
	a.free_too = &f.sources[1];
	b.free_too = &f.sources[0];
	(void)loop_add_fd(f.loop, ready_fd(&f, 0), EPOLLIN, call, &a, &f.sources[0]);
	(void)loop_add_fd(f.loop, ready_fd(&f, 1), EPOLLIN, call, &b, &f.sources[1]);
	(void)loop_turn(f.loop, 1000);
	tap_is_int((int)strlen(f.notes), 1, "a source freed earlier in the turn is not called");
	tear_down(&f);

	set_up(&f);
	a.free_too = &f.sources[0];
	(void)loop_add_fd(f.loop, ready_fd(&f, 0), EPOLLIN, call, &a, &f.sources[0]);
	(void)loop_turn(f.loop, 1000);
	(void)loop_turn(f.loop, 0);
	tap_is_str(f.notes, "a", "a source may free itself");
	tear_down(&f);
}

static void test_timers(void)
{
	struct fixture f;
	struct note a = {.f = &f, .letter = 'a'}, b = {.f = &f, .letter = 'b'}, c = {.f = &f, .letter = 'c'};
	uint64_t start = now_mono_ms();

	set_up(&f);
	(void)loop_add_timer(f.loop, call, &a, &f.sources[0]);
	(void)loop_add_timer(f.loop, call, &b, &f.sources[1]);
	(void)loop_add_timer(f.loop, call, &c, &f.sources[2]);
	(void)loop_turn(f.loop, 0);
	tap_is_str(f.notes, "", "a timer is unarmed at first");

	loop_timer_set(f.sources[0], 30);
	loop_timer_set(f.sources[1], 10);
	loop_timer_set(f.sources[2], 20);
	loop_timer_stop(f.sources[2]);
	while (strlen(f.notes) < 2 && now_mono_ms() < start + 60000)
		(void)loop_turn(f.loop, -1);
	tap_is_str(f.notes, "ba", "timers run in the order of their times, a stopped one does not");
	tap_ok(now_mono_ms() >= start + 30, "none runs too early");

	(void)loop_turn(f.loop, 0);
	tap_is_str(f.notes, "ba", "a timer runs once");

	loop_timer_set(f.sources[0], 60000);
	loop_timer_set(f.sources[0], 0);
	(void)loop_turn(f.loop, -1);
	tap_is_str(f.notes, "baa", "arming again replaces the time");
	tear_down(&f);
}

static void test_timer_rearms_itself(void)
{
	struct fixture f;
	struct note a = {.f = &f, .letter = 'a'}, b = {.f = &f, .letter = 'b'};

	set_up(&f);
	a.arm_too = &f.sources[0];
	(void)loop_add_timer(f.loop, call, &a, &f.sources[0]);
	(void)loop_add_timer(f.loop, call, &b, &f.sources[1]);
	loop_timer_set(f.sources[0], 0);
	loop_timer_set(f.sources[1], 0);
	(void)loop_turn(f.loop, -1);
	tap_is_str(f.notes, "ab", "a timer that arms itself runs once a turn");
	(void)loop_turn(f.loop, -1);
	tap_is_str(f.notes, "aba", "and again in the next");
	a.arm_too = NULL;
	tear_down(&f);
}

/* Many timers against the obvious: they must come in the order of their times. */
static void test_many_timers(void)
{
	enum { N = 200 };
	static struct note notes[N];
	static struct loop_source *sources[N];
	static uint64_t due[N], latest[N]; /* by the clock before it was armed, and behind it */
	struct fixture f;
	int left = 0, wrong = 0;

	set_up(&f);
	srandom(3);
	for (int i = 0; i < N; i++) {
		notes[i] = (struct note){.f = &f, .letter = 'x', .free_too = &sources[i]};
		(void)loop_add_timer(f.loop, call, &notes[i], &sources[i]);
	}
	for (int i = 0; i < N * 4; i++) { /* armed again and again, some stopped */
		int k = (int)(random() % N);
		uint64_t delay = (uint64_t)random() % 50;

		due[k] = now_mono_ms() + delay;
		loop_timer_set(sources[k], delay);
		latest[k] = now_mono_ms() + delay;
		if (random() % 5 == 0) {
			loop_timer_stop(sources[k]);
			due[k] = 0;
		}
	}
	for (int i = 0; i < N; i++)
		left += due[i] != 0;
	while (left > 0) {
		uint64_t start = now_mono_ms(), now;

		(void)loop_turn(f.loop, 1000);
		now = now_mono_ms();
		for (int i = 0; i < N; i++) {
			if (due[i] && !sources[i]) {
				wrong += due[i] > now;
				due[i] = 0;
				left--;
			} else if (due[i]) {
				wrong += latest[i] < start; /* it was due before the turn began */
			}
		}
	}
	tap_is_int(wrong, 0, "200 timers, armed and stopped at random, each run in their time");
	for (int i = 0; i < N; i++)
		sources[i] = loop_source_free(sources[i]);
	tear_down(&f);
}

static void test_deferred(void)
{
	struct fixture f;
	struct note fd = {.f = &f, .letter = 'f'}, timer = {.f = &f, .letter = 't'};
	struct note early = {.f = &f, .letter = '1'}, late = {.f = &f, .letter = '2'};

	set_up(&f);
	fd.defer_too = &f.sources[3];
	timer.defer_too = &f.sources[2];
	(void)loop_add_fd(f.loop, ready_fd(&f, 0), EPOLLIN, call, &fd, &f.sources[0]);
	(void)loop_add_timer(f.loop, call, &timer, &f.sources[1]);
	(void)loop_add_deferred(f.loop, 20, call, &late, &f.sources[3]);
	(void)loop_add_deferred(f.loop, 10, call, &early, &f.sources[2]);
	loop_timer_set(f.sources[1], 0);
	(void)loop_turn(f.loop, 1000);
	tap_is_str(f.notes, "ft12", "deferred sources run last, by priority");
	f.sources[0] = loop_source_free(f.sources[0]);

	memset(f.notes, 0, sizeof(f.notes));
	loop_defer(f.sources[3]);
	loop_defer(f.sources[3]);
	(void)loop_turn(f.loop, -1);
	tap_is_str(f.notes, "2", "deferring twice calls once, and outside of a turn the next does not sleep");

	memset(f.notes, 0, sizeof(f.notes));
	late.defer_too = &f.sources[2];
	loop_defer(f.sources[3]);
	(void)loop_turn(f.loop, -1);
	tap_is_str(f.notes, "21", "what a deferred source defers runs before the loop sleeps");

	memset(f.notes, 0, sizeof(f.notes));
	late.defer_too = &f.sources[3];
	loop_defer(f.sources[3]);
	(void)loop_turn(f.loop, -1);
	tap_is_str(f.notes, "2", "a source that defers itself runs once a turn");
	late.defer_too = NULL;
	(void)loop_turn(f.loop, -1);
	tap_is_str(f.notes, "22", "and the next turn does not sleep");

	memset(f.notes, 0, sizeof(f.notes));
	early.free_too = &f.sources[3];
	loop_defer(f.sources[2]);
	loop_defer(f.sources[3]);
	(void)loop_turn(f.loop, 0);
	tap_is_str(f.notes, "1", "a deferred source freed by an earlier one does not run");
	tear_down(&f);
}

static void test_signals(void)
{
	struct fixture f;
	struct note a = {.f = &f, .letter = 'u'}, b = {.f = &f, .letter = 'w'};

	set_up(&f);
	tap_is_int(loop_add_signal(f.loop, SIGUSR1, call, &a, &f.sources[0]), 0, "a signal is watched");
	tap_is_int(loop_add_signal(f.loop, SIGUSR2, call, &b, &f.sources[1]), 0, "another one, too");
	(void)raise(SIGUSR2);
	(void)loop_turn(f.loop, 1000);
	tap_is_str(f.notes, "w", "the right one is called");
	(void)raise(SIGUSR1);
	(void)loop_turn(f.loop, 1000);
	tap_is_str(f.notes, "wu", "each in its turn");
	tap_is_int(loop_add_signal(f.loop, 1000, call, &a, &f.sources[2]), -EINVAL, "no such signal");
	tear_down(&f);
}

static void test_run(void)
{
	struct fixture f;
	struct note a = {.f = &f, .letter = 'a', .exit_code = 7}, d = {.f = &f, .letter = 'd'};

	set_up(&f);
	a.defer_too = &f.sources[1];
	(void)loop_add_timer(f.loop, call, &a, &f.sources[0]);
	(void)loop_add_deferred(f.loop, 0, call, &d, &f.sources[1]);
	loop_timer_set(f.sources[0], 1);
	tap_is_int(loop_run(f.loop), 7, "the loop runs until loop_exit and returns its code");
	tap_is_str(f.notes, "ad", "the last turn's deferred work is done");
	tear_down(&f);
}

/* Notes its letter, and breathes until the other letters that it waits for are there. */
struct breather {
	struct note note;
	const char *until;
};

static void call_breathing(void *context, uint32_t events)
{
	struct breather *breather = context;
	struct fixture *f = breather->note.f;

	call(&breather->note, events);
	for (uint64_t start = now_mono_ms();
	     !str_ends(f->notes, breather->until) && now_mono_ms() < start + 5000;)
		loop_breathe(f->loop);
}

/* Long enough for the next breath to be one. */
static void breathe_once(struct loop *loop)
{
	for (uint64_t start = now_mono_ms(); now_mono_ms() < start + LOOP_BREATH_MS + 1;)
		;
	errno = EXDEV;
	loop_breathe(loop);
}

/* So often what a machine that is away can spoil is done. */
#define TRIES 5

static bool came_before(const struct fixture *f, char first, char second)
{
	const char *a = strchr(f->notes, first), *b = strchr(f->notes, second);

	return a && (!b || a < b);
}

/* Two breaths right behind each other, of which each would find the timer due. Once more if the machine was
 * away between them. */
static void breathe_twice(struct fixture *f)
{
	uint64_t start;

	do {
		memset(f->notes, 0, sizeof(f->notes));
		loop_timer_set(f->sources[3], 0);
		start = now_mono_ms();
		breathe_once(f->loop);
		loop_timer_set(f->sources[3], 0);
		loop_breathe(f->loop);
	} while (now_mono_ms() >= start + 2 * LOOP_BREATH_MS + 1);
}

static void breathe_in_urgent(void *context, uint32_t events)
{
	struct breather *breather = context;

	call(&breather->note, events);
	breathe_once(breather->note.f->loop);
}

static void call_freeing_others(void *context, uint32_t events)
{
	struct note *note = context;

	call(note, events);
	for (size_t i = 0; i < ARRAY_SIZE(note->f->sources); i++)
		note->f->sources[i] = loop_source_free(note->f->sources[i]);
}

static void tear_down_urgent(struct fixture *f, struct loop *urgent)
{
	for (size_t i = 0; i < ARRAY_SIZE(f->sources); i++)
		f->sources[i] = loop_source_free(f->sources[i]);
	loop_free(urgent);
	tear_down(f);
}

static void test_urgent_order(void)
{
	struct fixture f;
	struct note fd = {.f = &f, .letter = 'f'}, timer = {.f = &f, .letter = 't'};
	struct note other = {.f = &f, .letter = 'o'};
	struct loop *urgent;

	set_up(&f);
	tap_is_int(loop_new_urgent(f.loop, &urgent), 0, "a loop has an urgent one within it");
	(void)loop_add_fd(f.loop, ready_fd(&f, 0), EPOLLIN, call, &other, &f.sources[0]);
	(void)loop_add_fd(urgent, ready_fd(&f, 1), EPOLLIN, call, &fd, &f.sources[1]);
	(void)loop_add_timer(urgent, call, &timer, &f.sources[2]);
	loop_timer_set(f.sources[2], 0);
	(void)loop_turn(f.loop, -1);
	tap_is_str(f.notes, "fto", "what is urgent is called first");

	f.sources[0] = loop_source_free(f.sources[0]);
	f.sources[1] = loop_source_free(f.sources[1]);
	loop_timer_set(f.sources[2], 10);
	for (uint64_t start = now_mono_ms(); strlen(f.notes) < 4 && now_mono_ms() < start + 5000;)
		(void)loop_turn(f.loop, -1);
	tap_is_str(f.notes, "ftot", "its timers wake the outer loop");
	(void)loop_add_fd(urgent, ready_fd(&f, 1), EPOLLIN, call, &fd, &f.sources[1]);
	(void)loop_turn(f.loop, -1);
	tap_is_str(f.notes, "ftotf", "and so do its descriptors");
	tear_down_urgent(&f, urgent);
}

static void test_breath(void)
{
	struct fixture f;
	struct note urgent_fd = {.f = &f, .letter = 'u'}, timer = {.f = &f, .letter = 't'};
	struct note other = {.f = &f, .letter = 'o'}, deferred = {.f = &f, .letter = 'd'};
	struct breather worker = {.note = {.f = &f, .letter = 'w'}, .until = "t"};
	struct loop *urgent;
	int tries = 0;

	set_up(&f);
	(void)loop_new_urgent(f.loop, &urgent);
	(void)loop_add_deferred(f.loop, 0, call_breathing, &worker, &f.sources[0]);
	(void)loop_add_deferred(f.loop, 1, call, &deferred, &f.sources[1]);
	(void)loop_add_fd(f.loop, ready_fd(&f, 2), EPOLLIN, call, &other, &f.sources[2]);
	(void)loop_add_timer(urgent, call, &timer, &f.sources[3]);
	(void)loop_add_fd(urgent, ready_fd(&f, 4), EPOLLIN, call, &urgent_fd, &f.sources[4]);
	urgent_fd.free_too = &f.sources[4]; /* it comes once */
	urgent_fd.arm_too = &f.sources[3];
	urgent_fd.defer_too = &f.sources[1];
	breathe_once(f.loop);
	tap_is_str(f.notes, "ut", "outside of a turn a breath calls what is urgent, and nothing else");
	f.sources[3] = loop_source_free(f.sources[3]);

	(void)loop_add_timer(urgent, call, &timer, &f.sources[3]);
	do { /* once more if the machine was away, so that the timer was due before the worker's turn */
		memset(f.notes, 0, sizeof(f.notes));
		loop_timer_set(f.sources[3], LOOP_BREATH_MS + 1);
		loop_defer(f.sources[0]);
		if (tries > 0)
			loop_defer(f.sources[1]);
		(void)loop_turn(f.loop, -1);
	} while (came_before(&f, 't', 'w') && ++tries < TRIES);
	tap_is_str(f.notes, "owtd",
		   "within a callback, too; the rest of the turn, and what was deferred, come behind it");

	memset(f.notes, 0, sizeof(f.notes));
	loop_timer_set(f.sources[3], 0);
	breathe_once(f.loop);
	tap_ok(streq(f.notes, "t") && errno == EXDEV, "a breath leaves errno alone");
	breathe_twice(&f);
	tap_is_str(f.notes, "t", "two breaths right behind each other are one");
	tear_down_urgent(&f, urgent);
}

/* An urgent callback that breathes, and is ready all the time. */
static void test_breath_within_breath(void)
{
	struct fixture f;
	struct breather again = {.note = {.f = &f, .letter = 'u'}, .until = "u"};
	struct breather worker = {.note = {.f = &f, .letter = 'w'}, .until = "u"};
	struct loop *urgent;

	set_up(&f);
	(void)loop_new_urgent(f.loop, &urgent);
	(void)loop_add_fd(urgent, ready_fd(&f, 0), EPOLLIN, breathe_in_urgent, &again, &f.sources[0]);
	(void)loop_turn(f.loop, -1);
	tap_is_str(f.notes, "u", "an urgent callback is not called within itself");
	(void)loop_add_deferred(f.loop, 0, call_breathing, &worker, &f.sources[1]);
	loop_defer(f.sources[1]);
	(void)loop_turn(f.loop, -1);
	tap_is_str(f.notes, "uuwu", "nor by the breath of another one's callback");
	tear_down_urgent(&f, urgent);
}

static void test_free_in_breath(void)
{
	struct fixture f;
	struct note timer = {.f = &f, .letter = 't'}, late = {.f = &f, .letter = 'l'};
	struct note first = {.f = &f, .letter = 'u'}, second = {.f = &f, .letter = 'v'};
	struct breather worker = {.note = {.f = &f, .letter = 'w'}, .until = "t"};
	struct loop *urgent;

	for (int tries = 1;; tries++) {
		set_up(&f);
		(void)loop_new_urgent(f.loop, &urgent);
		(void)loop_add_fd(f.loop, ready_fd(&f, 0), EPOLLIN, call_breathing, &worker, &f.sources[0]);
		(void)loop_add_fd(f.loop, ready_fd(&f, 1), EPOLLIN, call_breathing, &worker, &f.sources[1]);
		(void)loop_add_timer(urgent, call_freeing_others, &timer, &f.sources[2]);
		(void)loop_add_timer(f.loop, call, &late, &f.sources[3]);
		loop_timer_set(f.sources[2], LOOP_BREATH_MS + 1);
		loop_timer_set(f.sources[3], 0);
		(void)loop_turn(f.loop, -1);
		if (!came_before(&f, 't', 'w') || tries == TRIES)
			break;
		tear_down_urgent(&f, urgent); /* the machine was away */
	}
	tap_is_str(f.notes, "wt",
		   "what a breath frees, the callback's own source too, is not called any more");
	tear_down_urgent(&f, urgent);

	set_up(&f);
	(void)loop_new_urgent(f.loop, &urgent);
	first.free_too = &f.sources[1];
	second.free_too = &f.sources[0];
	(void)loop_add_fd(urgent, ready_fd(&f, 0), EPOLLIN, call, &first, &f.sources[0]);
	(void)loop_add_fd(urgent, ready_fd(&f, 1), EPOLLIN, call, &second, &f.sources[1]);
	breathe_once(f.loop);
	tap_is_int((int)strlen(f.notes), 1, "nor is an urgent one that another one has freed");
	tear_down_urgent(&f, urgent);
}

int main(void)
{
	test_descriptors();
	test_free_in_callback();
	test_timers();
	test_timer_rearms_itself();
	test_many_timers();
	test_deferred();
	test_signals();
	test_run();
	test_urgent_order();
	test_breath();
	test_breath_within_breath();
	test_free_in_breath();
	tap_ok(!loop_free(NULL) && !loop_source_free(NULL), "freeing nothing is fine");
	return tap_done();
}
