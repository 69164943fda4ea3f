/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners.h"

#include "../lib/vec.h"

/* Whether another server gets the index, or the first one since it was free. */
static bool changes_hands(const struct datapath *datapath, const struct plan *plan, uint32_t index)
{
	size_t place = LOWER_BOUND(i, plan->n_backends, plan->backends[i].index < index);
	const struct pl_backend *next, *old = rowset_find(&datapath->backends.mirror, &index);

	if (place >= plan->n_backends || plan->backends[place].index != index)
		return false;
	next = &plan->backends[place].value;
	return !old || old->vpc != next->vpc || old->port != next->port ||
	       memcmp(&old->addr, &next->addr, sizeof(next->addr)) != 0;
}

static bool names_another(const struct datapath *datapath, const struct plan *plan,
			  const struct pl_listener *row)
{
	const uint32_t *table = list_table_elements(datapath->maglev, row->table_first);
	uint8_t seen[PLAN_BACKENDS_MAX / 8 + 1] = {};

	for (uint32_t i = 0; i < row->table_size; i++) {
		if (table[i] >= PLAN_BACKENDS_MAX || seen[table[i] / 8] & 1u << table[i] % 8)
			continue;
		seen[table[i] / 8] |= (uint8_t)(1u << table[i] % 8);
		if (changes_hands(datapath, plan, table[i]))
			return true;
	}
	return false;
}

/* The old table stays, and with it whose servers are in it and whether they are ill. A table that names a
 * server that it did not mean chooses none; connections stay either way. */
static void keep_table(const struct datapath *datapath, const struct plan *plan,
		       const struct pl_listener *old, struct pl_listener *row)
{
	row->table_first = row->table_size = 0;
	if (!old->table_size || names_another(datapath, plan, old))
		return;
	row->table_first = old->table_first;
	row->table_size = old->table_size;
	row->vpc = old->vpc;
	row->group = old->group;
	row->flags = old->flags;
}

int listener_want(const struct datapath *datapath, const struct plan *plan,
		  const struct plan_listener *listener, struct pl_listener *ret)
{
	const struct pl_listener none = {}, *found = rowset_find(&datapath->listeners.mirror, &listener->key),
				 *old = found ? found : &none;
	int r;

	*ret = listener->value;
	r = list_table_want(datapath->maglev, old->table_first, old->table_size, listener->table,
			    ret->table_size, &ret->table_first);
	if ((r != -ENOSPC && r != -EBUSY) || !found)
		return r;
	keep_table(datapath, plan, found, ret);
	return r == -EBUSY ? LISTENER_WAITS : LISTENER_HAS_NO_ROOM;
}

void listeners_wait(struct datapath *datapath, struct rowset *targets)
{
	uint64_t due_ms = now_mono_ms() + LIST_REST_MS;
	struct rowset old = datapath->waiting;

	rowset_sort(targets);
	datapath->waiting = *targets;
	*targets = old;
	if (datapath->waiting.n && (!datapath->due_ms || due_ms < datapath->due_ms))
		datapath->due_ms = due_ms;
}
