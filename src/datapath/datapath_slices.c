/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a slice of the plan has changed, into the kernel's tables: the rows of its slots and places, the rules
 * of its security groups, the listeners of its targets with the servers behind them, in the order of a whole
 * sync (datapath_sync.c), and no other row is looked at. Whatever is not as after a sync that went well, or
 * has no room, is left to a whole one.
 */
#include "datapath_tables.h"

#include "../lib/log.h"
#include "../lib/vec.h"
#include "listeners.h"
#include "servers.h"

struct delta {
	struct table *table;
	struct rowset put, gone;
	size_t n_new; /* of `put`, that are not there yet */
};

/* In the order in which rows are written. */
enum { LIMITS, PORTS, BACKENDS, SERVERS, PROXIES, LISTENERS, ENIS, PLACES, DELTAS };

struct slices {
	struct datapath *datapath;
	const struct plan *plan;
	const struct plan_patch *patch;
	struct delta deltas[DELTAS];
	struct rowset server_groups; /* numbers of those whose rows change */
	struct rowset waiting;	     /* targets of listeners that wait */
	uint64_t *touched;	     /* bitmap by slot */
};

static int delta_put(struct delta *delta, const void *key, const void *value)
{
	const struct rowset *mirror = &delta->table->mirror;
	const void *found = rowset_find(mirror, key);

	if (found && memcmp(found, value, mirror->value_size) == 0)
		return 0;
	delta->n_new += !found;
	return rowset_append(&delta->put, key, value);
}

static int delta_drop(struct delta *delta, const void *key)
{
	return rowset_find(&delta->table->mirror, key) ? rowset_append(&delta->gone, key, key) : 0;
}

static bool has_room(const struct delta *delta)
{
	return delta->table->is_array || delta->table->mirror.n + delta->n_new <= delta->table->max_entries;
}

static void touch(struct slices *slices, uint32_t slot)
{
	if (slot < slices->datapath->n_slots)
		slices->touched[slot / 64] |= UINT64_C(1) << slot % 64;
}

/* Rows. */

/* 1: there is no room for it, or for its groups' rules: then the slot has to be named as failed. */
static int take_set(struct slices *slices, const struct pl_set *set, uint32_t *ret)
{
	int r;

	for (uint32_t i = 0; i < set->count; i++)
		if (group_table_is_left(slices->datapath->groups, set->group[i]))
			return 1;
	r = set_table_take(slices->datapath->sets, set, ret);
	return r == -ENOSPC ? 1 : r;
}

static int want_proxies(struct slices *slices, uint32_t slot)
{
	const struct plan *plan = slices->plan;
	struct delta *delta = &slices->deltas[PROXIES];
	const struct rowset *mirror = &delta->table->mirror;
	size_t first = LOWER_BOUND(i, plan->n_proxies, plan->proxies[i].key.slot < slot), end = first;
	int r = 0;

	for (; end < plan->n_proxies && plan->proxies[end].key.slot == slot && r == 0; end++)
		r = delta_put(delta, &plan->proxies[end].key, &plan->proxies[end].value);
	for (size_t i = rowset_place(mirror, &slot, sizeof(slot)); i < mirror->n && r == 0; i++) {
		const uint8_t *key = rowset_key(mirror, i);
		bool is_wanted = false;

		if (memcmp(key, &slot, sizeof(slot)) != 0)
			break;
		for (size_t j = first; j < end; j++)
			is_wanted |= memcmp(&plan->proxies[j].key, key, mirror->key_size) == 0;
		r = is_wanted ? 0 : delta_drop(delta, key);
	}
	return r;
}

static int want_eni(struct slices *slices, const struct plan_eni *eni)
{
	static const struct pl_set none;
	struct pl_eni row = eni->value;
	int r = take_set(slices, &eni->set, &row.set);

	if (r == 0 && memcmp(&eni->balancer_set, &none, sizeof(none)) != 0)
		r = take_set(slices, &eni->balancer_set, &row.balancer_set);
	if (r == 0)
		r = delta_put(&slices->deltas[ENIS], &eni->slot, &row);
	return r == 0 ? delta_put(&slices->deltas[LIMITS], &eni->slot, &eni->limit) : r;
}

static int want_port(struct slices *slices, const struct plan_port *port)
{
	struct delta *delta = &slices->deltas[PORTS];
	struct pl_port row = port->row;
	int r = delta_put(&slices->deltas[LIMITS], &port->slot, &port->limit);

	if (r < 0)
		return r;
	if (!row.number || !row.ifindex)
		return delta_drop(delta, &port->slot);
	r = take_set(slices, &port->set, &row.set);
	return r == 0 ? delta_put(delta, &port->slot, &row) : r;
}

/* Nobody has it any more. */
static int drop_slot(struct slices *slices, uint32_t slot)
{
	static const int deltas[] = {ENIS, PORTS, LIMITS};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(deltas) && r == 0; i++)
		r = delta_drop(&slices->deltas[deltas[i]], &slot);
	return r;
}

/* The least MTU is the same: else the node's configuration is another one. */
static bool has_same_mtu(const struct slices *slices)
{
	const struct datapath *datapath = slices->datapath;
	const uint32_t zero = 0, slot = PL_SLOT_SERVICE;
	const struct pl_config *config = rowset_find(&datapath->config.mirror, &zero);
	const struct pl_port *service = rowset_find(&datapath->ports.mirror, &slot);

	return config && service && config->mtu_low == datapath_least_mtu(slices->plan, service->mtu);
}

/* The same of whether SYNs have to ask for their listeners. */
static bool has_same_mss(const struct slices *slices)
{
	const uint32_t zero = 0;
	const struct pl_config *config = rowset_find(&slices->datapath->config.mirror, &zero);

	return config && (!(config->flags & PL_CONFIG_F_NO_MSS) || !plan_has_mss(slices->plan));
}

static int want_slot(struct slices *slices, uint32_t slot)
{
	const struct plan *plan = slices->plan;
	size_t place = LOWER_BOUND(i, plan->n_enis, plan->enis[i].slot < slot);
	const struct plan_port *port;
	int r;

	if (slot >= slices->datapath->n_slots)
		return 1;
	port = plan_port_by_slot(plan, slot);
	if (port)
		return want_port(slices, port);
	r = want_proxies(slices, slot);
	if (r < 0)
		return r;
	return place < plan->n_enis && plan->enis[place].slot == slot ? want_eni(slices, &plan->enis[place])
								      : drop_slot(slices, slot);
}

static int compare_places(const struct pl_place_key *a, const struct pl_place_key *b)
{
	if (a->vpc != b->vpc)
		return a->vpc < b->vpc ? -1 : 1;
	return memcmp(&a->addr, &b->addr, sizeof(a->addr));
}

static int want_place(struct slices *slices, const struct pl_place_key *key)
{
	const struct plan *plan = slices->plan;
	size_t place = LOWER_BOUND(i, plan->n_places, compare_places(&plan->places[i].key, key) < 0);
	struct delta *delta = &slices->deltas[PLACES];

	if (place < plan->n_places && compare_places(&plan->places[place].key, key) == 0)
		return delta_put(delta, key, &plan->places[place].value);
	return delta_drop(delta, key);
}

/* What stands behind ENIs. */

static int want_backend(struct slices *slices, uint32_t index)
{
	const struct plan *plan = slices->plan;
	size_t place = LOWER_BOUND(i, plan->n_backends, plan->backends[i].index < index);
	struct delta *delta = &slices->deltas[BACKENDS];

	return place < plan->n_backends && plan->backends[place].index == index
		       ? delta_put(delta, &index, &plan->backends[place].value)
		       : delta_drop(delta, &index);
}

/* Drops the rows whose keys begin so, and that are not wanted. */
static int drop_others(struct delta *delta, const void *prefix, size_t size, const struct rowset *wanted)
{
	const struct rowset *mirror = &delta->table->mirror;
	int r = 0;

	for (size_t i = rowset_place(mirror, prefix, size); i < mirror->n && r == 0; i++) {
		const uint8_t *key = rowset_key(mirror, i);

		if (memcmp(key, prefix, size) != 0)
			break;
		r = rowset_find(wanted, key) ? 0 : delta_drop(delta, key);
	}
	return r;
}

static int want_rows(struct delta *delta, const void *prefix, size_t size, const struct rowset *wanted)
{
	int r = 0;

	for (size_t i = 0; i < wanted->n && r == 0; i++)
		r = delta_put(delta, rowset_key(wanted, i), rowset_value(wanted, i));
	return r == 0 ? drop_others(delta, prefix, size, wanted) : r;
}

static size_t count_rows(const struct delta *delta)
{
	return delta->put.n + delta->gone.n;
}

static int want_server_group(struct slices *slices, uint64_t number)
{
	struct delta *delta = &slices->deltas[SERVERS];
	const struct table *table = delta->table;
	struct rowset wanted = rowset_make(table->mirror.key_size, table->mirror.value_size);
	size_t before = count_rows(delta);
	int r = servers_want_group(table, slices->plan, number, now_mono_ms(), &wanted,
				   &slices->datapath->due_ms);

	if (r == 0)
		r = want_rows(delta, &number, sizeof(number), &wanted);
	if (r == 0 && count_rows(delta) > before)
		r = rowset_append(&slices->server_groups, &number, &number);
	rowset_done(&wanted);
	return r;
}

/* 1: there is no room for its table. */
static int want_listener(struct slices *slices, const struct plan_listener *listener, struct rowset *ret)
{
	struct pl_listener row;
	int r = listener_want(slices->datapath, slices->plan, listener, &row);

	if (r == LISTENER_WAITS)
		r = rowset_append(&slices->waiting, &listener->key.target, &row);
	if (r == 0)
		r = rowset_append(ret, &listener->key, &row);
	return r == -ENOSPC ? 1 : r;
}

static void touch_target(struct slices *slices, uint32_t target)
{
	uint32_t slot;

	for (size_t i = 0; plan_slot_of_target(slices->plan, target, i, &slot); i++)
		touch(slices, slot);
}

/* The groups' rows are known by now. Open flows are judged again if the target's listeners change, or the
 * servers behind them. */
static int want_target(struct slices *slices, uint32_t target)
{
	const struct plan *plan = slices->plan;
	struct delta *delta = &slices->deltas[LISTENERS];
	const struct rowset *mirror = &delta->table->mirror;
	struct rowset wanted = rowset_make(mirror->key_size, mirror->value_size);
	size_t first = LOWER_BOUND(i, plan->n_listeners, plan->listeners[i].key.target < target);
	size_t before = count_rows(delta);
	bool is_touched = false;
	int r = 0;

	for (size_t i = first; i < plan->n_listeners && plan->listeners[i].key.target == target && r == 0;
	     i++) {
		const struct plan_listener *listener = &plan->listeners[i];

		r = want_listener(slices, listener, &wanted);
		is_touched |= rowset_find(&slices->server_groups, &listener->value.group) != NULL;
	}
	rowset_sort(&wanted);
	if (r == 0)
		r = want_rows(delta, &target, sizeof(target), &wanted);
	if (is_touched || count_rows(delta) > before)
		touch_target(slices, target);
	rowset_done(&wanted);
	return r;
}

static bool is_target_in_patch(const struct plan_patch *patch, uint32_t target)
{
	for (size_t i = 0; i < patch->n_targets; i++)
		if (patch->targets[i] == target)
			return true;
	return false;
}

/* Of listeners that have waited for their tables. */
static int want_waiting(struct slices *slices)
{
	const struct rowset *waiting = &slices->datapath->waiting;
	int r = 0;

	for (size_t i = 0; i < waiting->n && r == 0; i++) {
		uint32_t target;

		memcpy(&target, rowset_key(waiting, i), sizeof(target));
		r = is_target_in_patch(slices->patch, target) ? 0 : want_target(slices, target);
	}
	return r;
}

static bool is_in_patch(const struct plan_patch *patch, uint64_t server_group)
{
	for (size_t i = 0; i < patch->n_server_groups; i++)
		if (patch->server_groups[i] == server_group)
			return true;
	return false;
}

/* Of servers whose connections have had their time. */
static int want_due(struct slices *slices)
{
	struct datapath *datapath = slices->datapath;
	uint64_t now_ms = now_mono_ms();
	struct rowset due = rowset_make(sizeof(uint64_t), 0);
	int r = 0;

	if (datapath->due_ms && datapath->due_ms <= now_ms)
		r = servers_due(&datapath->servers, now_ms, &due, &datapath->due_ms);
	for (size_t i = 0; i < due.n && r == 0; i++) {
		uint64_t number;

		memcpy(&number, rowset_key(&due, i), sizeof(number));
		r = is_in_patch(slices->patch, number) ? 0 : want_server_group(slices, number);
	}
	for (size_t i = 0; due.n && i < slices->plan->n_listeners; i++)
		if (rowset_find(&due, &slices->plan->listeners[i].value.group))
			touch_target(slices, slices->plan->listeners[i].key.target);
	rowset_done(&due);
	return r;
}

static int want_serving(struct slices *slices)
{
	const struct plan_patch *patch = slices->patch;
	int r = want_due(slices);

	for (size_t i = 0; i < patch->n_backends && r == 0; i++)
		r = want_backend(slices, patch->backends[i]);
	for (size_t i = 0; i < patch->n_server_groups && r == 0; i++)
		r = want_server_group(slices, patch->server_groups[i]);
	rowset_sort(&slices->server_groups);
	for (size_t i = 0; i < patch->n_targets && r == 0; i++)
		r = want_target(slices, patch->targets[i]);
	return r == 0 ? want_waiting(slices) : r;
}

/* Groups. */

static const struct plan_security_group *find_group(const struct plan *plan, uint32_t number)
{
	size_t place = LOWER_BOUND(i, plan->n_security_groups, plan->security_groups[i].number < number);

	return place < plan->n_security_groups && plan->security_groups[place].number == number
		       ? &plan->security_groups[place]
		       : NULL;
}

static int want_group(struct slices *slices, uint32_t number)
{
	const struct plan_security_group *group = find_group(slices->plan, number);
	struct group_table *table = slices->datapath->groups;
	int r;

	group_table_begin_one(table, number);
	if (!group)
		return 0; /* it goes when nobody has it any more */
	r = group_table_want(table, number, group->id, group->has_members, group->rules, group->n_rules);
	if (r == -ENOSPC || (r == 0 && group_table_is_doubtful(table, number)))
		return 1;
	if (r == 0 && group_table_changes(table, number))
		slot_sets_mark(slices->datapath->slot_sets, number, slices->touched);
	return r;
}

static bool have_room(const struct slices *slices)
{
	for (size_t i = 0; i < DELTAS; i++)
		if (!has_room(&slices->deltas[i]))
			return false;
	return true;
}

static bool has_left_group(const struct slices *slices)
{
	const struct plan_patch *patch = slices->patch;

	for (size_t i = 0; i < patch->n_groups; i++)
		if (group_table_is_left(slices->datapath->groups, patch->groups[i]))
			return true;
	return false;
}

/* Who is where. All that it takes from what there is are sets, and those go with the next sync of all. */
static int want_hosts(struct slices *slices)
{
	const struct plan_patch *patch = slices->patch;
	int r = 0;

	for (size_t i = 0; i < patch->n_slots && r == 0; i++)
		r = want_slot(slices, patch->slots[i]);
	for (size_t i = 0; i < patch->n_places && r == 0; i++)
		r = want_place(slices, &patch->places[i]);
	return r == 0 && !have_room(slices) ? 1 : r;
}

static int want_groups(struct slices *slices)
{
	const struct plan_patch *patch = slices->patch;
	int r = 0;

	for (size_t i = 0; i < patch->n_groups && r == 0; i++)
		r = want_group(slices, patch->groups[i]);
	return r;
}

/* A table that was kept may name servers that change. */
static bool has_kept_table(const struct slices *slices)
{
	return slices->datapath->keeps_tables && (slices->patch->n_targets || slices->patch->n_backends);
}

static int want_all(struct slices *slices)
{
	int r;

	/* (There may be room for a group's rules now: then nobody is named any more for it.) */
	if ((slices->patch->n_ports && !has_same_mtu(slices)) ||
	    (slices->patch->n_targets && !has_same_mss(slices)) || has_left_group(slices) ||
	    has_kept_table(slices))
		return 1;
	r = want_hosts(slices);
	if (r != 0)
		return r;
	slices->datapath->is_stale = true; /* until all has gone well */
	r = want_serving(slices);
	if (r == 0 && !have_room(slices))
		r = 1;
	return r == 0 ? want_groups(slices) : r;
}

/* What is touched. */

static void touch_row(struct slices *slices, const struct rowset *rows, size_t i)
{
	uint32_t slot;

	memcpy(&slot, rowset_key(rows, i), sizeof(slot));
	touch(slices, slot);
}

static void touch_rows(struct slices *slices, const struct rowset *rows)
{
	for (size_t i = 0; i < rows->n; i++)
		touch_row(slices, rows, i);
}

static void touch_place(struct slices *slices, const struct pl_place *place)
{
	if (place && (place->kind == PL_PLACE_PORT || place->kind == PL_PLACE_ENI))
		touch(slices, place->id);
}

/* Who is at an address, and who was. */
static void touch_places(struct slices *slices)
{
	const struct delta *delta = &slices->deltas[PLACES];
	const struct rowset *mirror = &delta->table->mirror;

	for (size_t i = 0; i < delta->put.n; i++) {
		touch_place(slices, rowset_find(mirror, rowset_key(&delta->put, i)));
		touch_place(slices, (const void *)rowset_value(&delta->put, i));
	}
	for (size_t i = 0; i < delta->gone.n; i++)
		touch_place(slices, rowset_find(mirror, rowset_key(&delta->gone, i)));
}

static void make_due(struct pl_generation *generation)
{
	if (generation->due == generation->now)
		generation->due = generation->now + 1;
}

static void raise_generation(struct pl_generation *generation)
{
	__atomic_store_n(&generation->now, generation->due, __ATOMIC_RELEASE);
}

static void each_touched(struct slices *slices, void (*function)(struct pl_generation *generation))
{
	for (uint32_t first = 0; first < slices->datapath->n_slots; first += 64)
		for (uint64_t bits = slices->touched[first / 64]; bits; bits &= bits - 1)
			function(&slices->datapath->generations[first + (uint32_t)__builtin_ctzll(bits)]);
}

/* Each touched slot's generation is to be another one, which is written before any row. */
static void find_touched(struct slices *slices)
{
	const int tables[] = {PORTS, ENIS};

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		touch_rows(slices, &slices->deltas[tables[i]].put);
		touch_rows(slices, &slices->deltas[tables[i]].gone);
	}
	touch_places(slices);
	each_touched(slices, make_due);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}
/* Into the kernel. */

static void set_in_use(const struct slices *slices, const struct rowset *rows, bool in_use)
{
	uint8_t *bitmap = slices->datapath->slots_in_use;
	uint32_t slot;

	for (size_t i = 0; i < rows->n; i++) {
		memcpy(&slot, rowset_key(rows, i), sizeof(slot));
		if (in_use)
			bitmap[slot / 8] |= (uint8_t)(1u << slot % 8);
		else
			bitmap[slot / 8] &= (uint8_t) ~(1u << slot % 8);
	}
}

/* Those that are gone are forgotten when all has gone well. */
static void note_slots(const struct slices *slices)
{
	set_in_use(slices, &slices->deltas[PORTS].put, true);
	set_in_use(slices, &slices->deltas[ENIS].put, true);
}

static void forget_slots(const struct slices *slices)
{
	set_in_use(slices, &slices->deltas[PORTS].gone, false);
	set_in_use(slices, &slices->deltas[ENIS].gone, false);
	note_slots(slices);
}

static void note_sets(const struct slices *slices, const struct rowset *rows)
{
	uint32_t slot;

	for (size_t i = 0; i < rows->n; i++) {
		memcpy(&slot, rowset_key(rows, i), sizeof(slot));
		datapath_note_sets_of(slices->datapath, slot);
	}
}

/* Of the rows as they are now. */
static void note_changed_sets(const struct slices *slices)
{
	static const int tables[] = {PORTS, ENIS};

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		note_sets(slices, &slices->deltas[tables[i]].put);
		note_sets(slices, &slices->deltas[tables[i]].gone);
	}
}

static int write_groups(struct slices *slices, bool late)
{
	int r = 0;

	for (size_t i = 0; i < slices->patch->n_groups && r == 0; i++)
		r = group_table_switch_one(slices->datapath->groups, slices->patch->groups[i], late);
	return r;
}

static int prune_groups(struct slices *slices)
{
	int r = 0;

	for (size_t i = 0; i < slices->patch->n_groups && r == 0; i++)
		r = group_table_prune_one(slices->datapath->groups, slices->patch->groups[i]);
	return r;
}

/* Listeners' old tables are let go of; `value` NULL: with the row. */
static int leave_table(struct slices *slices, const void *key, const struct pl_listener *value)
{
	static const struct pl_listener none;
	const struct pl_listener *old = rowset_find(&slices->datapath->listeners.mirror, key);
	const struct pl_listener *row = value ? value : &none;

	return old ? list_table_change(slices->datapath->maglev, old->table_first, old->table_size,
				       row->table_first, row->table_size)
		   : 0;
}

static int leave_tables(struct slices *slices, const struct rowset *rows, bool stay)
{
	int r = 0;

	for (size_t i = 0; i < rows->n && r == 0; i++)
		r = leave_table(slices, rowset_key(rows, i),
				stay ? (const void *)rowset_value(rows, i) : NULL);
	return r;
}

static int put_rows(struct slices *slices, size_t i)
{
	struct delta *delta = &slices->deltas[i];
	int r;

	rowset_sort(&delta->put);
	r = i == LISTENERS ? leave_tables(slices, &delta->put, true) : 0;
	return r == 0 ? table_put_rows(delta->table, &delta->put) : r;
}

static int delete_rows(struct slices *slices, size_t i)
{
	struct delta *delta = &slices->deltas[i];
	int r;

	rowset_sort(&delta->gone);
	r = i == LISTENERS ? leave_tables(slices, &delta->gone, false) : 0;
	return r == 0 ? table_delete_rows(delta->table, &delta->gone) : r;
}

static int write_rows(struct slices *slices)
{
	for (size_t i = 0; i < DELTAS; i++) {
		int r = put_rows(slices, i);

		if (r < 0)
			return log_errno(r, "cannot write table=%s", slices->deltas[i].table->name);
	}
	for (size_t i = DELTAS; i-- > 0;) {
		int r = delete_rows(slices, i);

		if (r < 0)
			return log_errno(r, "cannot delete from table=%s", slices->deltas[i].table->name);
	}
	return 0;
}

static int sync_slices(struct slices *slices)
{
	int r = want_all(slices);

	if (r != 0)
		return r;
	find_touched(slices);
	note_slots(slices);
	r = write_groups(slices, false);
	if (r == 0)
		r = write_rows(slices);
	if (r == 0)
		r = write_groups(slices, true);
	if (r < 0)
		return r;
	each_touched(slices, raise_generation);
	forget_slots(slices);
	listeners_wait(slices->datapath, &slices->waiting);
	note_changed_sets(slices);
	return prune_groups(slices);
}

bool datapath_takes_slices(const struct datapath *datapath)
{
	return datapath->is_synced && !datapath->is_stale && !datapath->is_waiting &&
	       !set_table_is_crowded(datapath->sets);
}

int datapath_sync_slices(struct datapath *datapath, const struct plan *plan, const struct plan_patch *patch)
{
	struct table *const tables[DELTAS] = {
		[LIMITS] = &datapath->limits,	  [PORTS] = &datapath->ports,
		[BACKENDS] = &datapath->backends, [SERVERS] = &datapath->servers,
		[PROXIES] = &datapath->proxies,	  [LISTENERS] = &datapath->listeners,
		[ENIS] = &datapath->enis,	  [PLACES] = &datapath->places,
	};
	struct slices slices = {
		.datapath = datapath,
		.plan = plan,
		.patch = patch,
		.server_groups = rowset_make(sizeof(uint64_t), 0),
		.waiting = rowset_make(sizeof(uint32_t), 0),
	};
	int r;

	if (!datapath_takes_slices(datapath))
		return 1;
	slices.touched = calloc(datapath->n_slots / 64 + 1, sizeof(*slices.touched));
	if (!slices.touched)
		return -ENOMEM;
	for (size_t i = 0; i < DELTAS; i++) {
		slices.deltas[i].table = tables[i];
		slices.deltas[i].put = rowset_make(tables[i]->mirror.key_size, tables[i]->mirror.value_size);
		slices.deltas[i].gone = rowset_make(tables[i]->mirror.key_size, 0);
	}
	r = sync_slices(&slices);
	if (r == 0)
		datapath->is_stale = false;
	for (size_t i = 0; i < DELTAS; i++) {
		rowset_done(&slices.deltas[i].put);
		rowset_done(&slices.deltas[i].gone);
	}
	rowset_done(&slices.server_groups);
	rowset_done(&slices.waiting);
	free(slices.touched);
	return r;
}
