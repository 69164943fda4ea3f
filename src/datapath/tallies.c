/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A slot gets its place when something is counted for it, which costs the program a packet, so there are no
 * more than the node has had ENIs with traffic since their slots were given out. The same goes for the
 * listeners of a slot, of which the program knows none but those that there are.
 */
#include "tallies.h"

#include <netinet/in.h>
#include <stdlib.h>

#include "../lib/vec.h"
#include "bpf/pl_reasons.h"
#include "bpf/pl_sweep.h"

_Static_assert((int)PL_REASON_MAX <= DATAPATH_REASONS_MAX, "a tally has room for all reasons");

struct listener_tally {
	uint32_t name; /* its port << 16 | protocol */
	struct datapath_tally reading, next;
	struct datapath_tally *gone; /* what rows had counted that are gone; NULL: none has gone */
};

struct slot {
	struct datapath_tally reading;	  /* the last that came to its end */
	struct datapath_tally next;	  /* what goes on now */
	struct datapath_tally gone;	  /* what listeners that are gone had counted */
	struct listener_tally *listeners; /* sorted by name */
	size_t n_listeners, size;
};

struct tallies {
	struct slot **slots;
	uint32_t n_slots;
	size_t n_listeners; /* of all slots */
};

int tallies_new(uint32_t n_slots, struct tallies **ret)
{
	struct tallies *tallies = calloc(1, sizeof(*tallies));

	if (!tallies)
		return -ENOMEM;
	tallies->n_slots = n_slots;
	tallies->slots = calloc(n_slots, sizeof(*tallies->slots));
	if (!tallies->slots) {
		free(tallies);
		return -ENOMEM;
	}
	*ret = tallies;
	return 0;
}

static void free_slot(struct tallies *tallies, uint32_t number)
{
	struct slot *slot = tallies->slots[number];

	if (!slot)
		return;
	tallies->n_listeners -= slot->n_listeners;
	for (size_t i = 0; i < slot->n_listeners; i++)
		free(slot->listeners[i].gone);
	free(slot->listeners);
	free(slot);
	tallies->slots[number] = NULL;
}

struct tallies *tallies_free(struct tallies *tallies)
{
	if (!tallies)
		return NULL;
	for (uint32_t i = 0; i < tallies->n_slots; i++)
		free_slot(tallies, i);
	free(tallies->slots);
	free(tallies);
	return NULL;
}

/* -ENOENT: there is no such slot. */
static int get(struct tallies *tallies, uint32_t number, struct slot **ret)
{
	if (number >= tallies->n_slots)
		return -ENOENT;
	if (!tallies->slots[number])
		tallies->slots[number] = calloc(1, sizeof(**tallies->slots));
	if (!tallies->slots[number])
		return -ENOMEM;
	*ret = tallies->slots[number];
	return 0;
}

/* Where the listener is or would be. */
static size_t place_of(const struct slot *slot, uint32_t name)
{
	return LOWER_BOUND(i, slot->n_listeners, slot->listeners[i].name < name);
}

static bool is_at(const struct slot *slot, size_t place, uint32_t name)
{
	return place < slot->n_listeners && slot->listeners[place].name == name;
}

/* Of more listeners than DATAPATH_LISTENERS_MAX the slot alone counts: then NULL. */
static int get_listener(struct tallies *tallies, struct slot *slot, uint32_t name,
			struct listener_tally **ret)
{
	size_t i = place_of(slot, name);

	*ret = NULL;
	if (!is_at(slot, i, name)) {
		if (!(name >> 16) || tallies->n_listeners == DATAPATH_LISTENERS_MAX)
			return 0;
		if (VEC_ROOM(slot->listeners, slot->n_listeners, slot->size) < 0)
			return -ENOMEM;
		memmove(slot->listeners + i + 1, slot->listeners + i,
			(slot->n_listeners - i) * sizeof(*slot->listeners));
		slot->listeners[i] = (struct listener_tally){.name = name};
		slot->n_listeners++;
		tallies->n_listeners++;
	}
	*ret = &slot->listeners[i];
	return 0;
}

/* 0: the packet did not come to a listener. */
static uint32_t name_of(const struct pl_tally_key *key)
{
	return (key->slot >> PL_TALLY_PORT) << 16 | (key->what >> PL_TALLY_PROTOCOL & 0xff);
}

static uint32_t name_of_flow(const struct pl_flow4_key *key, const struct pl_flow4 *flow)
{
	return (uint32_t)ntohs(pl_flow_is_back(flow) ? flow->sport : key->dport) << 16 |
	       pl_flow4_protocol(key);
}

static void add_count(struct datapath_tally *reading, uint32_t what, const struct pl_count *count)
{
	uint32_t reason = what & PL_TALLY_WHAT;
	int side = what & PL_TALLY_OUT ? DATAPATH_OUT : DATAPATH_IN;

	if (reason == PL_TALLY_OPENED) {
		reading->opened += count->packets;
	} else if (reason == PL_TALLY_ENDED) {
		reading->packets[side] += count->packets;
		reading->bytes[side] += count->bytes;
	} else if (reason < DATAPATH_REASONS_MAX) { /* another version's program may have more reasons */
		reading->drops[reason] += count->packets;
		reading->dropped_packets[side] += count->packets;
		reading->dropped_bytes[side] += count->bytes;
	}
}

static const struct datapath_tally *gone_of(const struct listener_tally *listener)
{
	static const struct datapath_tally none;

	return listener->gone ?: &none;
}

static void begin_slot(struct slot *slot)
{
	slot->next = slot->gone;
	for (size_t i = 0; i < slot->n_listeners; i++)
		slot->listeners[i].next = *gone_of(&slot->listeners[i]);
}

void tallies_begin(struct tallies *tallies)
{
	for (uint32_t i = 0; i < tallies->n_slots; i++)
		if (tallies->slots[i])
			begin_slot(tallies->slots[i]);
}

int tallies_add_count(struct tallies *tallies, const struct pl_tally_key *key, const struct pl_count *count)
{
	struct listener_tally *listener;
	struct slot *slot;
	int r = get(tallies, key->slot & PL_TALLY_SLOT, &slot);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	add_count(&slot->next, key->what, count);
	r = get_listener(tallies, slot, name_of(key), &listener);
	if (listener)
		add_count(&listener->next, key->what, count);
	return r;
}

/* Of a listener without memory for it the count is held (keep_rising()). */
static void keep_of_listener(struct listener_tally *listener, uint32_t what, const struct pl_count *count)
{
	if (!listener->gone)
		listener->gone = calloc(1, sizeof(*listener->gone));
	if (listener->gone)
		add_count(listener->gone, what, count);
}

void tallies_keep(struct tallies *tallies, const struct pl_tally_key *key, const struct pl_count *count)
{
	uint32_t number = key->slot & PL_TALLY_SLOT, name = name_of(key);
	struct slot *slot = number < tallies->n_slots ? tallies->slots[number] : NULL;
	size_t i;

	if (!slot)
		return;
	add_count(&slot->gone, key->what, count);
	i = place_of(slot, name);
	if (is_at(slot, i, name))
		keep_of_listener(&slot->listeners[i], key->what, count);
}

static void add_flow(struct datapath_tally *tally, const struct pl_flow4_key *key,
		     const struct pl_flow4 *flow)
{
	int side = pl_flow_is_back(flow) ? DATAPATH_OUT : DATAPATH_IN;

	tally->packets[side] += flow->packets;
	tally->bytes[side] += flow->bytes;
	tally->open += side == DATAPATH_IN &&
		       pl_state_class(flow->state, pl_flow4_protocol(key)) != PL_CLASS_CLOSING;
}

int tallies_add(struct tallies *tallies, const struct pl_flow4_key *key, const struct pl_flow4 *flow)
{
	struct listener_tally *listener;
	struct slot *slot;
	int r;

	if (pl_flow_is_local(flow) || flow->slot == PL_SLOT_SERVICE)
		return 0;
	r = get(tallies, flow->slot, &slot);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	add_flow(&slot->next, key, flow);
	r = get_listener(tallies, slot, name_of_flow(key, flow), &listener);
	if (listener)
		add_flow(&listener->next, key, flow);
	return r;
}

/* A count that seems to fall is held until it is reached again (the meter does so with the slots'). */
static void keep_rising(struct datapath_tally *is, const struct datapath_tally *was)
{
	for (int side = 0; side < 2; side++) {
		is->packets[side] = MAX(is->packets[side], was->packets[side]);
		is->bytes[side] = MAX(is->bytes[side], was->bytes[side]);
		is->dropped_packets[side] = MAX(is->dropped_packets[side], was->dropped_packets[side]);
		is->dropped_bytes[side] = MAX(is->dropped_bytes[side], was->dropped_bytes[side]);
	}
	is->opened = MAX(is->opened, was->opened);
	for (size_t i = 0; i < DATAPATH_REASONS_MAX; i++)
		is->drops[i] = MAX(is->drops[i], was->drops[i]);
}

/* A listener of which nothing is there any more is gone. */
static void end_listeners(struct tallies *tallies, struct slot *slot)
{
	size_t kept = 0;

	for (size_t i = 0; i < slot->n_listeners; i++) {
		struct listener_tally *listener = &slot->listeners[i];

		if (memcmp(&listener->next, gone_of(listener), sizeof(listener->next)) == 0) {
			free(listener->gone);
			continue;
		}
		keep_rising(&listener->next, &listener->reading);
		listener->reading = listener->next;
		slot->listeners[kept++] = *listener;
	}
	tallies->n_listeners -= slot->n_listeners - kept;
	slot->n_listeners = kept;
}

void tallies_end(struct tallies *tallies)
{
	for (uint32_t i = 0; i < tallies->n_slots; i++)
		if (tallies->slots[i]) {
			tallies->slots[i]->reading = tallies->slots[i]->next;
			end_listeners(tallies, tallies->slots[i]);
		}
}

void tallies_tidy(struct tallies *tallies, bool (*is_free)(const void *context, uint32_t slot),
		  const void *context)
{
	for (uint32_t i = 0; i < tallies->n_slots; i++)
		if (tallies->slots[i] && is_free(context, i))
			free_slot(tallies, i);
}

void tallies_each(const struct tallies *tallies, datapath_tally_callback callback, void *context)
{
	for (uint32_t i = 0; i < tallies->n_slots; i++)
		if (tallies->slots[i])
			callback(context, i, &tallies->slots[i]->reading);
}

void tallies_each_listener(const struct tallies *tallies, datapath_listener_callback callback, void *context)
{
	for (uint32_t i = 0; i < tallies->n_slots; i++)
		for (size_t j = 0; tallies->slots[i] && j < tallies->slots[i]->n_listeners; j++) {
			const struct listener_tally *listener = &tallies->slots[i]->listeners[j];

			callback(context, i, (uint8_t)listener->name, (uint16_t)(listener->name >> 16),
				 &listener->reading);
		}
}
