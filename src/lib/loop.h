/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event loop: one thread, one epoll. A source is a descriptor, a timer or a signal with a callback and a
 * context. Callbacks do little; work that should happen once per turn is deferred to its end (that is how the
 * store gathers the writes of a turn in one transaction).
 */
#pragma once

#include <signal.h>
#include <sys/epoll.h>

#include "breath.h"
#include "util.h"

struct loop;
struct loop_source;

/* `events` are EPOLLIN, EPOLLOUT …; timers and deferred calls get 0, signals the signal's number. */
typedef void (*loop_callback)(void *context, uint32_t events);

/* Creates a loop. The caller frees it after all its sources. */
int loop_new(struct loop **ret);
struct loop *loop_free(struct loop *loop);

/* A loop within `loop`, for sources that must not wait while others work long: its sources are called at the
 * beginning of each turn of the outer one, and whenever the outer one breathes. What they do has to leave
 * alone whatever long work may be at. One for each loop; it is freed before the outer one, with
 * loop_free(). */
int loop_new_urgent(struct loop *loop, struct loop **ret);
#define LOOP_BREATH_MS 2 /* at least from one breath to the next */
/* For long work in a callback of the outer loop, or outside of a turn: calls the urgent sources that are
 * ready, unless the last time was just now, and no other source. Called by an urgent source it does nothing;
 * errno stays. */
void loop_breathe(struct loop *loop);
/* That, for work that knows of no loop. The loop has to stay. */
struct breath loop_breath(struct loop *loop);
/* The longest that one piece of work has kept urgent sources waiting since this was asked last. */
uint64_t loop_take_held_ms(struct loop *loop);

/* Watches fd (not owned: the caller closes it after freeing the source). */
int loop_add_fd(struct loop *loop, int fd, uint32_t events, loop_callback callback, void *context,
		struct loop_source **ret);
int loop_source_set_events(struct loop_source *source, uint32_t events);

/* A timer, unarmed at first. loop_timer_set arms it once, `delay_ms` from now (0: next turn). */
int loop_add_timer(struct loop *loop, loop_callback callback, void *context, struct loop_source **ret);
void loop_timer_set(struct loop_source *source, uint64_t delay_ms);
void loop_timer_stop(struct loop_source *source);

/* Blocks the signal for the process and delivers it here. */
int loop_add_signal(struct loop *loop, int signal_number, loop_callback callback, void *context,
		    struct loop_source **ret);

/* A source that is called once at the end of the turn in which loop_defer() was called on it, after all
 * descriptors of the turn, before the loop sleeps again. Deferred sources run in the order of their
 * `priority` (low first); calling loop_defer() again before it ran changes nothing. */
int loop_add_deferred(struct loop *loop, int priority, loop_callback callback, void *context,
		      struct loop_source **ret);
void loop_defer(struct loop_source *source);

/* Removes the source; also safe from within a callback, its own included. Takes NULL, returns NULL. */
struct loop_source *loop_source_free(struct loop_source *source);

/* Runs until loop_exit(), then returns its code; or a negative errno if epoll fails. */
int loop_run(struct loop *loop);
/* One turn: waits up to timeout_ms (-1: no limit), calls what is ready. For tests. */
int loop_turn(struct loop *loop, int timeout_ms);
void loop_exit(struct loop *loop, int code);
