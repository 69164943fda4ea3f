/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A slot gets its place when something is counted for it, which costs the program a packet, so there are no
 * more than the node has had ENIs with traffic since their slots were given out.
 */
#include "tallies.h"

#include <stdlib.h>

#include <bpf/bpf.h>

#include "bpf/pl_reasons.h"
#include "bpf/pl_tuple.h"
#include "table.h"

_Static_assert((int)PL_REASON_MAX <= DATAPATH_REASONS_MAX, "a tally has room for all reasons");

struct slot {
	struct datapath_tally reading;
	uint64_t swept_packets[2], swept_bytes[2]; /* of rows that the sweep took away */
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

static void begin_slot(struct slot *slot)
{
	slot->reading = (struct datapath_tally){};
	for (int side = 0; side < 2; side++) {
		slot->reading.packets[side] = slot->swept_packets[side];
		slot->reading.bytes[side] = slot->swept_bytes[side];
	}
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

static int read_count(void *context, const void *key, const void *value)
{
	struct pl_tally_key tally_key;
	struct pl_count count;
	struct slot *slot;
	int r;

	memcpy(&tally_key, key, sizeof(tally_key));
	memcpy(&count, value, sizeof(count));
	r = get(context, tally_key.slot, &slot);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	add_count(&slot->reading, tally_key.what, &count);
	return 0;
}

int tallies_begin(struct tallies *tallies, int map_fd)
{
	for (uint32_t i = 0; i < tallies->n_slots; i++)
		if (tallies->slots[i])
			begin_slot(tallies->slots[i]);
	return table_walk(map_fd, read_count, tallies);
}

/* 1: the flow is an ENI's; 0: it is none's. */
static int slot_of(struct tallies *tallies, const struct pl_flow4 *flow, struct slot **ret)
{
	int r;

	if (pl_flow_is_local(flow) || flow->slot == PL_SLOT_SERVICE)
		return 0;
	r = get(tallies, flow->slot, ret);
	return r == -ENOENT ? 0 : r < 0 ? r : 1;
}

int tallies_add(struct tallies *tallies, const struct pl_flow4 *flow)
{
	int side = pl_flow_is_back(flow) ? DATAPATH_OUT : DATAPATH_IN, r;
	struct slot *slot;

	r = slot_of(tallies, flow, &slot);
	if (r <= 0)
		return r;
	slot->reading.packets[side] += flow->packets;
	slot->reading.bytes[side] += flow->bytes;
	slot->reading.open += side == DATAPATH_IN && flow->state != PL_STATE_CLOSING;
	return 0;
}

int tallies_swept(struct tallies *tallies, const struct pl_flow4 *flow)
{
	int side = pl_flow_is_back(flow) ? DATAPATH_OUT : DATAPATH_IN, r;
	struct slot *slot;

	r = slot_of(tallies, flow, &slot);
	if (r <= 0)
		return r;
	slot->swept_packets[side] += flow->packets;
	slot->swept_bytes[side] += flow->bytes;
	return 0;
}

struct tidying {
	bool (*is_free)(const void *context, uint32_t slot);
	const void *context;
	struct rowset keys;
};

static int note_free(void *context, const void *key, const void *value)
{
	struct tidying *tidying = context;
	struct pl_tally_key tally_key;

	memcpy(&tally_key, key, sizeof(tally_key));
	return tidying->is_free(tidying->context, tally_key.slot) ? rowset_append(&tidying->keys, key, value)
								  : 0;
}

int tallies_tidy(struct tallies *tallies, int map_fd, bool (*is_free)(const void *context, uint32_t slot),
		 const void *context)
{
	struct tidying tidying = {is_free, context, rowset_make(sizeof(struct pl_tally_key), 0)};
	int r = table_walk(map_fd, note_free, &tidying);

	for (size_t i = 0; i < tidying.keys.n && r == 0; i++)
		if (bpf_map_delete_elem(map_fd, rowset_key(&tidying.keys, i)) < 0 && errno != ENOENT)
			r = -errno;
	rowset_done(&tidying.keys);
	for (uint32_t i = 0; i < tallies->n_slots; i++)
		if (tallies->slots[i] && is_free(context, i)) {
			free(tallies->slots[i]);
			tallies->slots[i] = NULL;
		}
	return r;
}

void tallies_each(const struct tallies *tallies, datapath_tally_callback callback, void *context)
{
	for (uint32_t i = 0; i < tallies->n_slots; i++)
		if (tallies->slots[i])
			callback(context, i, &tallies->slots[i]->reading);
}
