/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mirror of a node's ports: what is known of each, in an array sorted by number. No device is touched
 * here: who works on them notes what came of it, and asks whether something is left to be done.
 */
#pragma once

#include "port_device.h"

/* An instance's device that someone has removed, as its owner may, is made again at once; if it has not stood
 * for PORTS_PAUSE_MAX_MS, after a pause, which doubles from the first one up to as long. While it pauses it
 * is left alone by syncs and by the queue, unless something else is wanted of it. */
#define PORTS_PAUSE_FIRST_MS 200
#define PORTS_PAUSE_MAX_MS   30000

struct port_state {
	uint32_t number; /* sorted by it */
	struct port_mark mark;
	uint32_t ifindex;	/* 0: not there, or without its programs */
	uint32_t known_ifindex; /* the device's, whatever has become of it; 0: it has gone */
	bool is_looked_at;	/* since something may have changed: `made` is what was wanted then */
	struct plan_port made;
	char failure[160]; /* why it is not as wanted; "": it is */
	bool is_gone;	   /* the failure is that what it was attached to has ended */
	bool is_stuck;	   /* it could not be removed: from then on only who waits for that tries again */
	bool is_lost;	   /* someone has removed the device, and nobody has been told */
	uint64_t mend_ms;  /* when it is to be made again since; 0: at once */
	uint64_t made_ms;  /* when the device that it has, or had last, came */
	uint64_t pause_ms; /* before it is made again, if it has not stood for long by then */
};

/* All zero: none. */
struct port_states {
	struct port_state *items;
	size_t n, size;
};

/* NULL: nothing is known of the port. Borrowed, until one is inserted or removed. */
struct port_state *port_states_find(const struct port_states *states, uint32_t number);
/* Of a port of which nothing is known yet. NULL: no memory. Borrowed likewise. */
/* Where those begin whose number is above that one. */
size_t port_states_above(const struct port_states *states, uint32_t number);
struct port_state *port_states_insert(struct port_states *states, uint32_t number);
/* Forgets what is known of a port. */
void port_states_remove(struct port_states *states, struct port_state *state);
/* Forgets all, and frees it. */
void port_states_clear(struct port_states *states);

/* Notes why the port cannot be made: which step failed, and the negative errno; -ESRCH: what it is attached
 * to has ended, and `step` says all. Logs, once for each reason. */
void port_state_fail(struct port_state *state, const char *step, int r);
/* Notes that someone has removed the device, and when it is to be made again. Logs a pause. */
void port_state_lose(struct port_state *state);

/* The port is as it is wanted, or could not be made so. `state` may be NULL, here and below. */
bool port_state_stands(const struct port_state *state, const struct plan_port *port);
/* It pauses, until then or until something else is wanted. */
bool port_state_pauses(const struct port_state *state, const struct plan_port *port);
/* It could not be made as it is wanted now; what failed when something else was wanted does not count. */
bool port_state_has_failed(const struct port_state *state, const struct plan_port *port);
