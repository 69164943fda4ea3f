/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of the plan into the kernel's tables.
 *
 * Make before break: what others point to is written first (lists in free regions, sets of security groups,
 * groups, ports, backends, ids for PROXY headers, listeners, ENIs, and places last, which is where a packet's
 * way begins), and what is gone is deleted the other way round. After all of that the generations of the
 * slots that were touched rise, and their open flows are judged again by what then stands. (A security group
 * in which nobody here is any more loses its rules behind the rows: who leaves it is in it until then.)
 *
 * A table that cannot hold old and new rows side by side is pruned before it is written. What does not fit
 * even then is left out, and its object named as failed; rows that are there stay (a listener's with the
 * Maglev table that it has), and all else goes on.
 *
 * A sync breathes between rows, and stands in the middle of its work then: nobody but packets may come to the
 * tables meanwhile.
 *
 * A crash in between must not lose that rise. So the generation that a slot will have is written beside the
 * one that it has before anything else of the slot changes; where the two differ after a restart, the rise is
 * still due.
 */
#include "datapath_tables.h"

#include <bpf/bpf.h>

#include "../lib/log.h"
#include "../lib/vec.h"
#include "bpf/pl_sweep.h"
#include "listeners.h"
#include "servers.h"

struct sync {
	struct datapath *datapath;
	const struct plan *plan;
	struct failures *failures;
	struct rowset config, ports, limits, backends, servers, proxies, listeners, enis, places;
	struct rowset waiting; /* targets of listeners that wait */
	uint8_t *touched;      /* bitmap by slot */
	uint8_t *left;	       /* bitmap by the number of a security group: there is no room for its rules */
};

static bool bit_get(const uint8_t *bitmap, uint32_t i)
{
	return bitmap[i / 8] & 1u << i % 8;
}

static void bit_set(uint8_t *bitmap, uint32_t i)
{
	bitmap[i / 8] |= (uint8_t)(1u << i % 8);
}

/* From the kernel. */

/* A list that cannot be adopted leaves a row of zeros in the mirror: no plan wants such a row, so it is
 * written anew. */
static int adopt_lists(struct table *table, struct list_table *regions, size_t first_offset,
		       size_t count_offset)
{
	struct rowset *rows = &table->mirror;
	int r;

	for (size_t i = 0; i < rows->n; i++) {
		uint8_t *value = (uint8_t *)rowset_value(rows, i);
		uint32_t first, count;

		memcpy(&first, value + first_offset, sizeof(first));
		memcpy(&count, value + count_offset, sizeof(count));
		breathe(table->breath);
		r = list_table_adopt(regions, first, count);
		if (r == -EEXIST)
			memset(value, 0, rows->value_size);
		else if (r < 0)
			return r;
	}
	return 0;
}

int datapath_load_tables(struct datapath *datapath)
{
	struct table *const tables[] = {&datapath->config,    &datapath->ports,	  &datapath->limits,
					&datapath->backends,  &datapath->servers, &datapath->proxies,
					&datapath->listeners, &datapath->enis,	  &datapath->places};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(tables) && r == 0; i++)
		r = table_load(tables[i]);
	if (r == 0)
		r = group_table_load(datapath->groups);
	breathe(&datapath->breath);
	if (r == 0)
		r = list_table_reset(datapath->maglev, &datapath->breath);
	if (r == 0)
		r = adopt_lists(&datapath->listeners, datapath->maglev,
				offsetof(struct pl_listener, table_first),
				offsetof(struct pl_listener, table_size));
	if (r == 0)
		r = list_table_settle(datapath->maglev);
	if (r == 0)
		datapath->is_stale = false;
	return r;
}

/* What is wanted. */

uint16_t datapath_least_mtu(const struct plan *plan, uint16_t least)
{
	for (size_t i = 0; i < plan->n_ports; i++)
		least = MIN(least, plan->ports[i].row.mtu);
	return least;
}

static int want_config(struct sync *sync, const struct plan_port *service)
{
	struct datapath *datapath = sync->datapath;
	struct pl_config config = {
		.abi_version = PL_ABI_VERSION,
		.flow_version = PL_FLOW_VERSION,
		.hz = pl_kernel_hz(),
	};
	const struct pl_config *old;
	struct netaddr dns_addr;
	struct mac mac;
	uint32_t zero = 0;

	old = rowset_find(&datapath->config.mirror, &zero);
	config.node = datapath->node_number || !old ? datapath->node_number : old->node;
	(void)mac_parse(PLAN_GATEWAY_MAC, &mac);
	memcpy(config.gateway_mac, mac.bytes, sizeof(config.gateway_mac));
	(void)netaddr_parse(PLAN_DNS_SOCKET, &dns_addr);
	config.dns_addr = htonl(netaddr_to_v4(&dns_addr));
	config.mtu_low = datapath_least_mtu(sync->plan, service->row.mtu);
	if (!plan_has_mss(sync->plan)) /* (this row is written before any listener's) */
		config.flags |= PL_CONFIG_F_NO_MSS;
	return rowset_append(&sync->config, &zero, &config);
}

static int fail_zone(struct sync *sync, const struct plan_eni *eni, const char *reason)
{
	char key[KEY_SIZE];

	(void)str_format(key, sizeof(key), "endpoint_zone/%s/%s", eni->endpoint, eni->zone);
	return failures_add(sync->failures, key, "%s", reason);
}

static int fail_slot(struct sync *sync, uint32_t slot, const char *reason)
{
	char key[KEY_SIZE];

	for (size_t i = 0; i < sync->plan->n_enis; i++)
		if (sync->plan->enis[i].slot == slot)
			return fail_zone(sync, &sync->plan->enis[i], reason);
	for (size_t i = 0; i < sync->plan->n_ports; i++)
		if (sync->plan->ports[i].slot == slot) {
			(void)str_format(key, sizeof(key), "instance/%s", sync->plan->ports[i].instance);
			return failures_add(sync->failures, key, "%s", reason);
		}
	return 0;
}

static int fail_target(struct sync *sync, uint32_t target, const char *reason)
{
	int r = 0;

	for (size_t i = 0; i < sync->plan->n_enis && r == 0; i++)
		if (sync->plan->enis[i].value.target == target)
			r = fail_zone(sync, &sync->plan->enis[i], reason);
	return r;
}

static int want_limits(struct sync *sync)
{
	const struct plan *plan = sync->plan;
	int r = 0;

	for (size_t i = 0; i < plan->n_ports && r == 0; i++)
		r = rowset_append(&sync->limits, &plan->ports[i].slot, &plan->ports[i].limit);
	for (size_t i = 0; i < plan->n_enis && r == 0; i++)
		r = rowset_append(&sync->limits, &plan->enis[i].slot, &plan->enis[i].limit);
	return r;
}

/* Security groups. */

/* What has no room is named by everybody whom it concerns. */
static int want_groups(struct sync *sync)
{
	struct datapath *datapath = sync->datapath;
	const struct plan *plan = sync->plan;

	group_table_begin(datapath->groups);
	for (size_t i = 0; i < plan->n_security_groups; i++) {
		const struct plan_security_group *group = &plan->security_groups[i];
		int r = group_table_want(datapath->groups, group->number, group->id, group->has_members,
					 group->rules, group->n_rules);

		breathe(&datapath->breath);
		if (r == -ENOSPC)
			bit_set(sync->left, group->number);
		else if (r < 0)
			return r;
	}
	group_table_settle(datapath->groups);
	return 0;
}

static void keep_sets(struct datapath *datapath)
{
	set_table_begin(datapath->sets);
	for (size_t i = 0; i < datapath->ports.mirror.n; i++) {
		const struct pl_port *row = (const void *)rowset_value(&datapath->ports.mirror, i);

		set_table_keep(datapath->sets, row->set);
	}
	for (size_t i = 0; i < datapath->enis.mirror.n; i++) {
		const struct pl_eni *row = (const void *)rowset_value(&datapath->enis.mirror, i);

		set_table_keep(datapath->sets, row->set);
		set_table_keep(datapath->sets, row->balancer_set);
	}
	set_table_settle(datapath->sets);
}

static void note_port_set(struct datapath *datapath, uint32_t slot, const struct pl_port *row)
{
	slot_sets_add(datapath->slot_sets, slot, set_table_get(datapath->sets, row->set));
}

static void note_eni_sets(struct datapath *datapath, uint32_t slot, const struct pl_eni *row)
{
	slot_sets_add(datapath->slot_sets, slot, set_table_get(datapath->sets, row->set));
	slot_sets_add(datapath->slot_sets, slot, set_table_get(datapath->sets, row->balancer_set));
}

static uint32_t slot_of(const struct rowset *rows, size_t i)
{
	uint32_t slot;

	memcpy(&slot, rowset_key(rows, i), sizeof(slot));
	return slot;
}

static void note_sets(struct datapath *datapath)
{
	const struct rowset *ports = &datapath->ports.mirror, *enis = &datapath->enis.mirror;

	slot_sets_clear(datapath->slot_sets);
	for (size_t i = 0; i < ports->n; i++)
		note_port_set(datapath, slot_of(ports, i), (const void *)rowset_value(ports, i));
	for (size_t i = 0; i < enis->n; i++)
		note_eni_sets(datapath, slot_of(enis, i), (const void *)rowset_value(enis, i));
}

void datapath_note_sets_of(struct datapath *datapath, uint32_t slot)
{
	const struct pl_port *port = rowset_find(&datapath->ports.mirror, &slot);
	const struct pl_eni *eni = rowset_find(&datapath->enis.mirror, &slot);

	slot_sets_drop(datapath->slot_sets, slot);
	if (port)
		note_port_set(datapath, slot, port);
	if (eni)
		note_eni_sets(datapath, slot, eni);
}

/* The number of a slot's set. Its open flows are judged again if one of the groups changes. */
static int want_set(struct sync *sync, uint32_t slot, const struct pl_set *set, uint32_t *ret)
{
	struct datapath *datapath = sync->datapath;
	bool is_left = false;
	int r;

	*ret = 0;
	breathe(&datapath->breath);
	if (slot >= datapath->n_slots)
		return -ERANGE;
	for (uint32_t i = 0; i < set->count; i++) {
		is_left |= bit_get(sync->left, set->group[i]);
		if (group_table_changes(datapath->groups, set->group[i]))
			bit_set(sync->touched, slot);
	}
	r = set_table_take(datapath->sets, set, ret);
	if (r == -ENOSPC)
		return fail_slot(sync, slot, "this node has no room for its security groups");
	if (r == 0 && is_left)
		r = fail_slot(sync, slot, "this node has no room for its security groups' rules");
	return r;
}

static int want_ports(struct sync *sync, const struct plan_port *service)
{
	int r = 0;

	if (service->row.ifindex)
		r = rowset_append(&sync->ports, &service->slot, &service->row);
	for (size_t i = 0; i < sync->plan->n_ports && r == 0; i++) {
		const struct plan_port *port = &sync->plan->ports[i];
		struct pl_port row = port->row;

		if (!row.number || !row.ifindex)
			continue;
		r = want_set(sync, port->slot, &port->set, &row.set);
		if (r == 0)
			r = rowset_append(&sync->ports, &port->slot, &row);
	}
	return r;
}

static int want_backends(struct sync *sync)
{
	const struct plan *plan = sync->plan;
	int r = 0;

	for (size_t i = 0; i < plan->n_backends && r == 0; i++)
		r = rowset_append(&sync->backends, &plan->backends[i].index, &plan->backends[i].value);
	return r;
}

static int want_proxies(struct sync *sync)
{
	const struct plan *plan = sync->plan;
	struct table_room room;
	int r = 0;

	if (!plan->n_proxies)
		return 0;
	room = table_room_for(&sync->datapath->proxies, &plan->proxies->key, plan->n_proxies,
			      sizeof(*plan->proxies));
	for (size_t i = 0; i < plan->n_proxies && r == 0; i++) {
		const struct plan_proxy *proxy = &plan->proxies[i];

		breathe(&sync->datapath->breath);
		if (table_room_take(&room, &proxy->key))
			r = rowset_append(&sync->proxies, &proxy->key, &proxy->value);
		else
			r = fail_slot(sync, proxy->key.slot,
				      "this node has no room for its ids in PROXY headers");
	}
	return r;
}

static int want_eni(struct sync *sync, const struct plan_eni *eni)
{
	static const struct pl_set none;
	struct pl_eni row = eni->value;
	int r = want_set(sync, eni->slot, &eni->set, &row.set);

	if (r == 0 && memcmp(&eni->balancer_set, &none, sizeof(none)) != 0) {
		r = want_set(sync, eni->slot, &eni->balancer_set, &row.balancer_set);
		if (!row.balancer_set)
			row.set = 0; /* no consent without the load balancer's */
	}
	return r < 0 ? r : rowset_append(&sync->enis, &eni->slot, &row);
}

static int want_enis(struct sync *sync)
{
	const struct plan *plan = sync->plan;
	struct table_room room;
	int r = 0;

	if (!plan->n_enis)
		return 0;
	room = table_room_for(&sync->datapath->enis, &plan->enis->slot, plan->n_enis, sizeof(*plan->enis));
	for (size_t i = 0; i < plan->n_enis && r == 0; i++) {
		if (table_room_take(&room, &plan->enis[i].slot))
			r = want_eni(sync, &plan->enis[i]);
		else
			r = fail_zone(sync, &plan->enis[i], "this node has no room for its ENI");
	}
	return r;
}

/* Of whom it is: a port or an ENI by itself, a server that is probed by its group, all else by the VPC. */
static int fail_place(struct sync *sync, const struct plan_place *place)
{
	const struct plan *plan = sync->plan;
	char key[KEY_SIZE];
	size_t probe;

	switch (place->value.kind) {
	case PL_PLACE_PORT:
	case PL_PLACE_ENI:
		return fail_slot(sync, place->value.id, "this node has no room for its address");
	case PL_PLACE_PROBE:
		probe = LOWER_BOUND(i, plan->n_probes, plan->probes[i].backend < place->value.id);
		(void)str_format(key, sizeof(key), "server_group/%s",
				 probe < plan->n_probes ? plan->probes[probe].group : "");
		return failures_add(sync->failures, key, "this node has no room for probes of its servers");
	default:
		(void)str_format(key, sizeof(key), "vpc/%s", plan_vpc_id(plan, place->key.vpc));
		return failures_add(sync->failures, key, "this node has no room for all of its addresses");
	}
}

static bool is_place_of_object(const struct plan_place *place)
{
	return place->value.kind == PL_PLACE_PORT || place->value.kind == PL_PLACE_ENI;
}

/* What many depend on (gateways, DNS, translated addresses) gets room before single ports and ENIs. */
static int want_places(struct sync *sync)
{
	const struct plan *plan = sync->plan;
	struct table_room room;
	int r = 0;

	if (!plan->n_places)
		return 0;
	room = table_room_for(&sync->datapath->places, &plan->places->key, plan->n_places,
			      sizeof(*plan->places));
	for (size_t i = 0; i < 2 * plan->n_places && r == 0; i++) {
		const struct plan_place *place = &plan->places[i % plan->n_places];

		if (is_place_of_object(place) != (i >= plan->n_places))
			continue;
		breathe(&sync->datapath->breath);
		if (table_room_take(&room, &place->key))
			r = rowset_append(&sync->places, &place->key, &place->value);
		else
			r = fail_place(sync, place);
	}
	return r;
}

static int want_listener(struct sync *sync, struct table_room *room, const struct plan_listener *listener)
{
	struct datapath *datapath = sync->datapath;
	struct pl_listener row;
	int r, q = 0;

	breathe(&datapath->breath);
	if (!table_room_take(room, &listener->key))
		return fail_target(sync, listener->key.target, "this node has no room for its listener");
	r = listener_want(datapath, sync->plan, listener, &row);
	if (r == LISTENER_WAITS)
		q = rowset_append(&sync->waiting, &listener->key.target, &row);
	datapath->keeps_tables |= r == LISTENER_HAS_NO_ROOM;
	if (r == -ENOSPC || r == LISTENER_HAS_NO_ROOM)
		q = fail_target(sync, listener->key.target, "this node has no room for its listener's table");
	if (q < 0 || r == -ENOSPC)
		return q;
	return r < 0 ? r : rowset_append(&sync->listeners, &listener->key, &row);
}

static int want_listeners(struct sync *sync)
{
	const struct plan *plan = sync->plan;
	struct table_room room;
	int r = 0;

	sync->datapath->keeps_tables = false;
	if (plan->n_listeners)
		room = table_room_for(&sync->datapath->listeners, &plan->listeners->key, plan->n_listeners,
				      sizeof(*plan->listeners));
	for (size_t i = 0; i < plan->n_listeners && r == 0; i++)
		r = want_listener(sync, &room, &plan->listeners[i]);
	listeners_wait(sync->datapath, &sync->waiting);
	return r;
}

/* What is touched. */

static int touch_slot(void *context, enum row_change change, const void *key, const void *value)
{
	struct sync *sync = context;
	uint32_t slot;

	(void)change;
	(void)value;
	memcpy(&slot, key, sizeof(slot));
	if (slot < sync->datapath->n_slots)
		bit_set(sync->touched, slot);
	return 0;
}

static void touch_enis(struct sync *sync, const struct rowset *targets, const struct rowset *enis)
{
	for (size_t i = 0; i < enis->n; i++) {
		struct pl_eni eni;

		breathe(&sync->datapath->breath);
		memcpy(&eni, rowset_value(enis, i), sizeof(eni));
		if (rowset_find(targets, &eni.target))
			(void)touch_slot(sync, ROW_UPDATE, rowset_key(enis, i), NULL);
	}
}

/* ENIs whose listeners change, or the servers behind them. */
static int find_touched_targets(struct sync *sync)
{
	struct datapath *datapath = sync->datapath;
	struct rowset targets = rowset_make(sizeof(uint32_t), 0);
	int r = servers_touched(&datapath->servers, &sync->servers, &datapath->listeners, &sync->listeners,
				&targets);

	if (r == 0)
		touch_enis(sync, &targets, &sync->enis);
	rowset_done(&targets);
	return r;
}

static void touch_place(struct sync *sync, const struct pl_place *place)
{
	if (place && (place->kind == PL_PLACE_PORT || place->kind == PL_PLACE_ENI))
		(void)touch_slot(sync, ROW_UPDATE, &place->id, NULL);
}

/* Who is at the address, and who was: what was judged for the one does not hold for the other. */
static int touch_places(void *context, enum row_change change, const void *key, const void *value)
{
	struct sync *sync = context;

	touch_place(sync, rowset_find(&sync->datapath->places.mirror, key));
	if (change != ROW_DELETE)
		touch_place(sync, value);
	return 0;
}

static void find_touched(struct sync *sync)
{
	struct datapath *datapath = sync->datapath;

	(void)rowset_diff(&datapath->places.mirror, &sync->places, touch_places, sync);
	breathe(&datapath->breath);
	(void)rowset_diff(&datapath->ports.mirror, &sync->ports, touch_slot, sync);
	(void)rowset_diff(&datapath->enis.mirror, &sync->enis, touch_slot, sync);
	breathe(&datapath->breath);
	for (uint32_t slot = 0; slot < datapath->n_slots; slot++) {
		struct pl_generation *generation = &datapath->generations[slot];

		if (generation->due != generation->now)
			bit_set(sync->touched, slot);
		else if (bit_get(sync->touched, slot))
			generation->due = generation->now + 1;
	}
	/* Before any row. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* Into the kernel. */

static int give_listener(void *context, enum row_change change, const void *key, const void *value)
{
	struct sync *sync = context;
	const struct pl_listener *old = rowset_find(&sync->datapath->listeners.mirror, key), none = {};
	const struct pl_listener *row = change == ROW_DELETE ? &none : value;

	if (!old)
		return 0;
	return list_table_change(sync->datapath->maglev, old->table_first, old->table_size, row->table_first,
				 row->table_size);
}

struct step {
	struct table *table;
	struct rowset *wanted;
	table_watch watch;
};

static int apply_tables(struct sync *sync)
{
	struct datapath *datapath = sync->datapath;
	const struct step steps[] = {
		{&datapath->config, &sync->config, NULL},
		{&datapath->limits, &sync->limits, NULL},
		{&datapath->ports, &sync->ports, NULL},
		{&datapath->backends, &sync->backends, NULL},
		{&datapath->servers, &sync->servers, NULL},
		{&datapath->proxies, &sync->proxies, NULL},
		{&datapath->listeners, &sync->listeners, give_listener},
		{&datapath->enis, &sync->enis, NULL},
		{&datapath->places, &sync->places, NULL},
	};
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		r = table_make_room(steps[i].table, steps[i].wanted, steps[i].watch, sync);
		if (r == 0)
			r = table_put(steps[i].table, steps[i].wanted, steps[i].watch, sync);
		if (r < 0)
			return log_errno(r, "cannot write table=%s", steps[i].table->name);
	}
	for (size_t i = ARRAY_SIZE(steps); i-- > 0;) {
		r = table_prune(steps[i].table, steps[i].wanted, steps[i].watch, sync);
		if (r < 0)
			return log_errno(r, "cannot delete from table=%s", steps[i].table->name);
	}
	return 0;
}

static void raise_generations(struct sync *sync)
{
	struct datapath *datapath = sync->datapath;

	for (uint32_t slot = 0; slot < datapath->n_slots; slot++)
		if (bit_get(sync->touched, slot))
			__atomic_store_n(&datapath->generations[slot].now, datapath->generations[slot].due,
					 __ATOMIC_RELEASE);
}

static void note_slots(struct datapath *datapath, const struct rowset *rows)
{
	uint32_t slot;

	for (size_t i = 0; i < rows->n; i++) {
		memcpy(&slot, rowset_key(rows, i), sizeof(slot));
		bit_set(datapath->slots_in_use, slot);
	}
}

/* From the first row that is written on, flows of new slots can be open: the sweep must leave them alone,
 * even when this sync breaks off. Slots that are gone are forgotten only when all has gone well. */
static void note_wanted_slots(struct sync *sync)
{
	note_slots(sync->datapath, &sync->ports);
	note_slots(sync->datapath, &sync->enis);
}

static void forget_other_slots(struct sync *sync)
{
	memset(sync->datapath->slots_in_use, 0, sync->datapath->n_slots / 8 + 1);
	bit_set(sync->datapath->slots_in_use, PL_SLOT_SERVICE);
	note_wanted_slots(sync);
}

static int want_all(struct sync *sync, const struct plan_port *service)
{
	const struct breath *breath = &sync->datapath->breath;
	int r = want_config(sync, service);

	keep_sets(sync->datapath);
	breathe(breath);
	if (r == 0)
		r = want_groups(sync);
	if (r == 0)
		r = want_ports(sync, service);
	if (r == 0)
		r = want_limits(sync);
	breathe(breath);
	if (r == 0)
		r = want_backends(sync);
	breathe(breath);
	if (r == 0)
		r = servers_want(&sync->datapath->servers, sync->plan, now_mono_ms(), &sync->servers,
				 &sync->datapath->due_ms, sync->failures);
	breathe(breath);
	if (r == 0)
		r = want_proxies(sync);
	if (r == 0)
		r = want_enis(sync);
	if (r == 0)
		r = want_places(sync);
	if (r == 0)
		r = want_listeners(sync);
	return r;
}

static int sync_all(struct sync *sync, const struct plan_port *service)
{
	struct rowset *const sets[] = {&sync->config,	 &sync->ports,	 &sync->limits,
				       &sync->backends,	 &sync->servers, &sync->proxies,
				       &sync->listeners, &sync->enis,	 &sync->places};
	const struct breath *breath = &sync->datapath->breath;
	int r = want_all(sync, service);

	if (r < 0)
		return log_errno(r, "cannot make the data path's rows");
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
		rowset_sort_breathing(sets[i], breath);
	r = find_touched_targets(sync);
	breathe(breath);
	if (r < 0)
		return log_errno(r, "cannot find whose flows are to be judged again");
	find_touched(sync);

	note_wanted_slots(sync);
	r = group_table_switch(sync->datapath->groups, false);
	if (r < 0)
		return log_errno(r, "cannot write table=pl_groups");
	breathe(breath);
	r = apply_tables(sync);
	if (r < 0)
		return r;
	r = group_table_switch(sync->datapath->groups, true);
	if (r < 0)
		return log_errno(r, "cannot write table=pl_groups");
	raise_generations(sync);
	breathe(breath);
	r = group_table_prune(sync->datapath->groups);
	if (r < 0)
		return log_errno(r, "cannot delete from table=pl_groups");
	forget_other_slots(sync);
	note_sets(sync->datapath);
	return 0;
}

static struct rowset like(const struct table *table)
{
	return rowset_make(table->mirror.key_size, table->mirror.value_size);
}

int datapath_sync(struct datapath *datapath, const struct plan *plan, const struct plan_port *service,
		  bool full, struct failures *failures)
{
	struct sync sync = {
		.datapath = datapath,
		.plan = plan,
		.failures = failures,
		.config = like(&datapath->config),
		.ports = like(&datapath->ports),
		.limits = like(&datapath->limits),
		.backends = like(&datapath->backends),
		.servers = like(&datapath->servers),
		.proxies = like(&datapath->proxies),
		.listeners = like(&datapath->listeners),
		.waiting = rowset_make(sizeof(uint32_t), 0),
		.enis = like(&datapath->enis),
		.places = like(&datapath->places),
	};
	int r = 0;

	if (full || datapath->is_stale)
		r = datapath_load_tables(datapath);
	if (r < 0) {
		datapath->is_stale = true;
		return log_errno(r, "cannot read the data path's tables");
	}
	sync.touched = calloc(datapath->n_slots / 8 + 1, 1);
	sync.left = calloc(PL_GROUPS_MAX / 8 + 1, 1);
	datapath->is_stale = true; /* until all has gone well */
	r = sync.touched && sync.left ? sync_all(&sync, service) : -ENOMEM;
	if (r == 0) {
		datapath->is_stale = false;
		datapath->is_synced = true;
	}
	free(sync.touched);
	free(sync.left);
	rowset_done(&sync.config);
	rowset_done(&sync.ports);
	rowset_done(&sync.limits);
	rowset_done(&sync.backends);
	rowset_done(&sync.servers);
	rowset_done(&sync.proxies);
	rowset_done(&sync.listeners);
	rowset_done(&sync.waiting);
	rowset_done(&sync.enis);
	rowset_done(&sync.places);
	return r;
}

uint64_t datapath_due_ms(const struct datapath *datapath)
{
	return datapath->due_ms;
}
