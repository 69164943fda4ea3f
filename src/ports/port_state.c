/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end inside is its owner's, who may remove it again and again. Each time it is made anew, and nothing
 * else is, after a pause: until that is over the port is passed over like one that stands, unless something
 * else is wanted of it.
 */
#include "port_state.h"

#include <stdio.h>

#include "../lib/log.h"
#include "../lib/vec.h"

static int compare_states(const void *a, const void *b)
{
	const struct port_state *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

struct port_state *port_states_find(const struct port_states *states, uint32_t number)
{
	struct port_state key = {.number = number};

	if (!states->n)
		return NULL;
	return bsearch(&key, states->items, states->n, sizeof(key), compare_states);
}

size_t port_states_above(const struct port_states *states, uint32_t number)
{
	size_t first = 0, end = states->n;

	while (first < end) {
		size_t middle = first + (end - first) / 2;

		if (states->items[middle].number > number)
			end = middle;
		else
			first = middle + 1;
	}
	return first;
}

/* Only at the end or in between: a port's number is new when it comes, so it is nearly always the last. */
struct port_state *port_states_insert(struct port_states *states, uint32_t number)
{
	size_t i = states->n;
	struct port_state *items;

	if (VEC_ROOM(states->items, states->n, states->size) < 0)
		return NULL;
	items = states->items;
	while (i > 0 && items[i - 1].number > number)
		i--;
	memmove(&items[i + 1], &items[i], (states->n - i) * sizeof(*items));
	states->n++;
	items[i] = (struct port_state){.number = number};
	return &items[i];
}

void port_states_remove(struct port_states *states, struct port_state *state)
{
	size_t i = (size_t)(state - states->items);

	states->n--;
	memmove(state, state + 1, (states->n - i) * sizeof(*state));
}

void port_states_clear(struct port_states *states)
{
	free(states->items);
	*states = (struct port_states){};
}

void port_state_fail(struct port_state *state, const char *step, int r)
{
	char failure[sizeof(state->failure)];

	state->is_gone = r == -ESRCH;
	if (state->is_gone)
		(void)str_copy(failure, sizeof(failure), step);
	else
		(void)snprintf(failure, sizeof(failure), "%s: %s", step, strerror(-r));
	if (!streq(failure, state->failure))
		log_warning("%s instance=%s port=%x", failure, state->mark.instance, state->number);
	memcpy(state->failure, failure, sizeof(failure));
}

void port_state_lose(struct port_state *state)
{
	uint64_t now_ms = now_mono_ms();

	if (now_ms - state->made_ms >= PORTS_PAUSE_MAX_MS)
		state->pause_ms = 0;
	state->ifindex = state->known_ifindex = 0;
	state->is_looked_at = false;
	state->is_lost = true;
	state->mend_ms = state->pause_ms ? now_ms + state->pause_ms : 0;
	if (state->mend_ms)
		log_warning("someone removes its device again and again instance=%s port=%x pause_ms=%llu",
			    state->mark.instance, state->number, (unsigned long long)state->pause_ms);
	state->pause_ms = state->pause_ms ? MIN(state->pause_ms * 2, (uint64_t)PORTS_PAUSE_MAX_MS)
					  : PORTS_PAUSE_FIRST_MS;
}

/* What the devices are made from; the data path's row is not. */
static bool wants_the_same(const struct plan_port *a, const struct plan_port *b)
{
	return a->number == b->number && a->slot == b->slot && a->kind == b->kind &&
	       streq(a->instance, b->instance) && streq(a->path, b->path) &&
	       a->process_start == b->process_start && streq(a->device, b->device) &&
	       streq(a->host_name, b->host_name) && memcmp(&a->mac, &b->mac, sizeof(a->mac)) == 0 &&
	       netaddr_compare(&a->addr, &b->addr) == 0 && a->prefix_length == b->prefix_length &&
	       netaddr_compare(&a->gateway, &b->gateway) == 0 && a->mtu == b->mtu && a->up == b->up;
}

bool port_state_stands(const struct port_state *state, const struct plan_port *port)
{
	return state && state->is_looked_at && wants_the_same(&state->made, port);
}

bool port_state_pauses(const struct port_state *state, const struct plan_port *port)
{
	return state && state->mend_ms > now_mono_ms() && wants_the_same(&state->made, port);
}

bool port_state_has_failed(const struct port_state *state, const struct plan_port *port)
{
	return state && *state->failure && wants_the_same(&state->made, port);
}
