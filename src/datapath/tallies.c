/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A slot gets its place when something is counted for it, which costs the program a packet, so there are no
 * more than the node has had ENIs with traffic since their slots were given out.
 */
#include "tallies.h"

#include <stdlib.h>

#include "bpf/pl_reasons.h"
#include "bpf/pl_sweep.h"

_Static_assert((int)PL_REASON_MAX <= DATAPATH_REASONS_MAX, "a tally has room for all reasons");

struct slot {
	struct datapath_tally reading; /* the last that came to its end */
	struct datapath_tally next;    /* what goes on now */
};

struct tallies {
	struct slot **slots;
	uint32_t n_slots;
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

struct tallies *tallies_free(struct tallies *tallies)
{
	if (!tallies)
		return NULL;
	for (uint32_t i = 0; i < tallies->n_slots; i++)
		free(tallies->slots[i]);
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

static void add_count(struct datapath_tally *reading, uint32_t what, const struct pl_count *count)
{
	uint32_t reason = what & ~PL_TALLY_OUT;
	int side = what & PL_TALLY_OUT ? DATAPATH_OUT : DATAPATH_IN;

	if (what == PL_TALLY_OPENED) {
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

void tallies_begin(struct tallies *tallies)
{
	for (uint32_t i = 0; i < tallies->n_slots; i++)
		if (tallies->slots[i])
			tallies->slots[i]->next = (struct datapath_tally){};
}

int tallies_add_count(struct tallies *tallies, const struct pl_tally_key *key, const struct pl_count *count)
{
	struct slot *slot;
	int r = get(tallies, key->slot, &slot);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	add_count(&slot->next, key->what, count);
	return 0;
}

int tallies_add(struct tallies *tallies, const struct pl_flow4_key *key, const struct pl_flow4 *flow)
{
	int side = pl_flow_is_back(flow) ? DATAPATH_OUT : DATAPATH_IN, r;
	struct slot *slot;

	if (pl_flow_is_local(flow) || flow->slot == PL_SLOT_SERVICE)
		return 0;
	r = get(tallies, flow->slot, &slot);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	slot->next.packets[side] += flow->packets;
	slot->next.bytes[side] += flow->bytes;
	slot->next.open += side == DATAPATH_IN &&
			   pl_state_class(flow->state, pl_flow4_protocol(key)) != PL_CLASS_CLOSING;
	return 0;
}

void tallies_end(struct tallies *tallies)
{
	for (uint32_t i = 0; i < tallies->n_slots; i++)
		if (tallies->slots[i])
			tallies->slots[i]->reading = tallies->slots[i]->next;
}

void tallies_tidy(struct tallies *tallies, bool (*is_free)(const void *context, uint32_t slot),
		  const void *context)
{
	for (uint32_t i = 0; i < tallies->n_slots; i++)
		if (tallies->slots[i] && is_free(context, i)) {
			free(tallies->slots[i]);
			tallies->slots[i] = NULL;
		}
}

void tallies_each(const struct tallies *tallies, datapath_tally_callback callback, void *context)
{
	for (uint32_t i = 0; i < tallies->n_slots; i++)
		if (tallies->slots[i])
			callback(context, i, &tallies->slots[i]->reading);
}
