/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is played the same way in all tests of an agent's passes: the clock (meson.build), tables, names and
 * logs, and the node's port, with which there is nothing to do; and what was done, in words. Include it in
 * the test's only source file.
 */
#pragma once

#include <stdarg.h>

#include "agent/reconcile.h"
#include "agent/survey.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "tests/unit/plan_world.h"

struct feed {
	char told[512]; /* what was done, in words */
};

static struct feed feed;
static uint64_t clock_ms = 1000;

uint64_t __wrap_now_mono_ms(void);
uint64_t __wrap_now_mono_ms(void)
{
	return clock_ms;
}

__attribute__((format(printf, 1, 2))) static void note(const char *format, ...)
{
	size_t length = strlen(feed.told);
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(feed.told + length, sizeof(feed.told) - length, format, ap);
	va_end(ap);
}

/* What was done since it was asked last. */
static const char *take_told(void)
{
	static char told[sizeof(feed.told)];

	memcpy(told, feed.told, sizeof(told));
	feed.told[0] = '\0';
	return told;
}

/* The node's port. */

int ports_sync_node_port(struct ports *p _unused_)
{
	return 0;
}

const struct plan_port *ports_node_port(const struct ports *p _unused_)
{
	static const struct plan_port none;

	return &none;
}

bool ports_node_port_is_due(const struct ports *p _unused_)
{
	return false;
}

void ports_retry(struct ports *p _unused_)
{
}

int ports_look_inside(struct ports *p _unused_, const struct plan *plan _unused_)
{
	note("inside ");
	return 0;
}

/* Tables; what becomes of slices is each test's. */

struct datapath {
	const char *lacks_room; /* a key; NULL: nothing does */
	size_t n_others_lack_room;
	uint64_t takes_ms; /* a sync of all */
	int broken;	   /* why that breaks off */
	bool is_crowded;   /* until one has been through */
};

static struct datapath datapath;

int datapath_repair_pins(struct datapath *d _unused_)
{
	return 0;
}

/* Failures of others, by number. */
static void add_others(struct failures *failures, size_t n, const char *reason)
{
	char key[KEY_SIZE];

	for (size_t i = 0; i < n; i++) {
		(void)str_format(key, sizeof(key), "instance/i-other%zu", i);
		(void)failures_add(failures, key, "%s", reason);
	}
}

int datapath_sync(struct datapath *d, const struct plan *plan _unused_,
		  const struct plan_port *service _unused_, bool full _unused_, struct failures *failures)
{
	note("all ");
	d->is_crowded = false;
	clock_ms += d->takes_ms;
	if (d->broken)
		return d->broken;
	add_others(failures, d->n_others_lack_room, "no room");
	return d->lacks_room ? failures_add(failures, d->lacks_room, "no room") : 0;
}

bool datapath_takes_slices(const struct datapath *d)
{
	return !d->is_crowded;
}

int datapath_take_over(struct datapath *d _unused_)
{
	return 0;
}

int datapath_sweep_links(struct datapath *d _unused_)
{
	return 0;
}

uint64_t datapath_due_ms(const struct datapath *d _unused_)
{
	return 0;
}

/* Names, logs. */

void dns_expect_plan(struct dns *dns _unused_)
{
}

void dns_set_plan(struct dns *dns _unused_, const struct plan *plan _unused_)
{
}

void flow_log_follow(struct flow_log *log _unused_, const struct plan *plan _unused_)
{
}

void flow_log_follow_slots(struct flow_log *log _unused_, const uint32_t *slots _unused_, size_t n _unused_)
{
}

/* Surveys: what they find each test says. */

struct survey {
	survey_done done;
	void *context;
	bool runs;
	int result; /* of beginning one */
};

static struct survey survey;

int survey_new(struct loop *loop _unused_, struct datapath *d _unused_, survey_done done, void *context,
	       struct survey **ret)
{
	survey = (struct survey){.done = done, .context = context};
	*ret = &survey;
	return 0;
}

struct survey *survey_free(struct survey *s _unused_)
{
	return NULL;
}

int survey_start(struct survey *s, const struct plan_input *input _unused_,
		 struct plan_indexes *indexes _unused_, const struct plan *plan _unused_)
{
	note("survey ");
	s->runs = s->result == 0;
	return s->result;
}

bool survey_goes_on(const struct survey *s)
{
	return s->runs;
}

void survey_cancel(struct survey *s)
{
	if (s->runs)
		note("cancel ");
	s->runs = false;
}
