/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two CPUs at once, for the packet tests: threads that stay on one each, and two of them that begin together.
 * To be included by a test's only source file, after tap.h.
 */
#pragma once

#include <pthread.h>
#include <sched.h>

#include "clock.h"
#include "flows.h"

struct race;

/* What one CPU does. */
struct racer {
	struct race *race;
	struct node *node;
	int cpu;
	pthread_t thread;
	/* Of the test: whom it sends as; what its dice began with; how many packets passed, were lost that
	 * had to pass or passed that had not to, and were sent again; and what else is this CPU's own. */
	uint32_t slot;
	unsigned int seed, passed, lost, repeated;
	void *own;
};

struct race {
	void (*run)(struct racer *racer);
	struct racer racers[2];
	pthread_barrier_t start;
	volatile unsigned int turn; /* of the test, and the same for both */
};

static inline struct race race_of(struct node *node, void (*run)(struct racer *racer))
{
	return (struct race){
		.run = run,
		.racers = {{.node = node, .cpu = 0, .seed = 1}, {.node = node, .cpu = 1, .seed = 2}}};
}

/* The thread runs on that CPU alone. */
static inline void stay_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	(void)sched_setaffinity(0, sizeof(set), &set); /* where there is such a CPU */
}

static inline void *race_on(void *context)
{
	struct racer *racer = context;

	stay_on(racer->cpu);
	pthread_barrier_wait(&racer->race->start);
	racer->race->run(racer);
	return NULL;
}

static inline void race_begin(struct race *race)
{
	must(-pthread_barrier_init(&race->start, NULL, 2), "barrier");
	for (int i = 0; i < 2; i++) {
		race->racers[i].race = race;
		must(-pthread_create(&race->racers[i].thread, NULL, race_on, &race->racers[i]), "thread");
	}
}

/* Waits for both. */
static inline void race_end(struct race *race)
{
	for (int i = 0; i < 2; i++)
		must(-pthread_join(race->racers[i].thread, NULL), "thread");
	pthread_barrier_destroy(&race->start);
}

static inline unsigned int race_passed(const struct race *race)
{
	return race->racers[0].passed + race->racers[1].passed;
}

static inline unsigned int race_lost(const struct race *race)
{
	return race->racers[0].lost + race->racers[1].lost;
}

/* The listener of the usual connections. */
static inline struct pl_listener_key listener_of(uint32_t target)
{
	return (struct pl_listener_key){.target = target, .port = htons(443), .protocol = IPPROTO_TCP};
}
