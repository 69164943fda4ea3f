/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables of the data path that are full: for each of them a plan with one object more than there is room for.
 * What does not fit is named with its reason, what was there stays, and with room again all goes in. No
 * device and no packet; in a namespace and under pins of the test's own.
 */
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "datapath/datapath.h"
#include "datapath/group_table.h"
#include "datapath/list_table.h"
#include "datapath/set_table.h"
#include "lib/log.h"
#include "plan/plan_build.h"
#include "plan/plan_slice.h"
#include "tests/tap.h"

#define VPC	  5
#define BPFFS	  "/sys/fs/bpf/privlink-test"
#define LAST	  "endpoint_zone/ep-last/cn-b"
#define TRIES_MAX 20

enum { SLOT_FIRST = 16, SLOT_LAST, SLOT_FILLER, TARGET_FIRST = 7, TARGET_LAST, TARGET_FILLER };

static char node[32], pins[128];
static const struct datapath_options options = {.bpffs = BPFFS, .node = node};

/* Two endpoints' ENIs, each with a place, a security group, and a listener. */
struct world {
	struct datapath *datapath;
	struct plan plan;
	struct plan_eni enis[2];
	struct plan_place places[2];
	struct plan_security_group groups[2];
	struct plan_listener listeners[2];
	struct group_rule rules[2];
	struct plan_proxy proxies[2];
	struct plan_target_slot target_slots[2];
	struct plan_slices slices;
	uint32_t tables[2];
};

static struct plan_eni make_eni(uint32_t slot, uint32_t target, const char *endpoint, const char *zone)
{
	struct netaddr addr = netaddr_v4(0x0a000000 + slot);
	struct plan_eni eni = {.slot = slot, .value = {.number = slot, .vpc = VPC, .target = target}};

	memcpy(&eni.value.addr, &addr, sizeof(eni.value.addr));
	(void)str_copy(eni.endpoint, sizeof(eni.endpoint), endpoint);
	(void)str_copy(eni.zone, sizeof(eni.zone), zone);
	return eni;
}

static struct plan_place make_place(uint32_t address, uint32_t slot)
{
	struct netaddr addr = netaddr_v4(address);
	struct plan_place place = {.key.vpc = VPC, .value = {.kind = PL_PLACE_ENI, .id = slot}};

	memcpy(&place.key.addr, &addr, sizeof(place.key.addr));
	return place;
}

static struct group_rule make_rule(uint16_t port)
{
	struct group_rule rule = {.rank = PL_RANK(1, true)};

	group_rule_set_service(&rule, 6, port, port);
	group_rule_set_prefix(&rule, 0, 0);
	return rule;
}

static struct plan_security_group make_group(uint32_t number, struct group_rule *rules, size_t n)
{
	struct plan_security_group group = {.number = number, .rules = {rules}, .n_rules = {n}};

	(void)str_format(group.id, sizeof(group.id), "sg-%u", number);
	return group;
}

static struct pl_set make_set(uint32_t number)
{
	return (struct pl_set){.group = {number},
			       .member = pl_group_bit(number),
			       .silent = {PL_RANK_REFUSE, PL_RANK_REFUSE},
			       .count = 1};
}

static struct plan_listener make_listener(uint32_t target, uint16_t port, uint32_t *table, uint32_t n)
{
	return (struct plan_listener){
		.key = {.target = target, .port = port, .protocol = 6},
		.value = {.table_size = n, .vpc = VPC},
		.table = table,
	};
}

static struct plan_proxy make_proxy(uint32_t slot)
{
	return (struct plan_proxy){.key = {.slot = slot, .parts = PL_PROXY_ON | PL_PROXY_VPC},
				   .value = {.size = 1, .tlvs = {1}}};
}

/* What there is room for. */
static void fill_plan(struct world *world)
{
	world->enis[0] = make_eni(SLOT_FIRST, TARGET_FIRST, "ep-first", "cn-a");
	world->enis[1] = make_eni(SLOT_LAST, TARGET_LAST, "ep-last", "cn-b");
	for (uint32_t i = 0; i < 2; i++) {
		uint32_t slot = SLOT_FIRST + i;

		world->places[i] = make_place(0x0a000000 + slot, slot);
		world->rules[i] = make_rule((uint16_t)(i + 1));
		world->groups[i] = make_group(1 + i, &world->rules[i], 1);
		world->enis[i].set = make_set(1 + i);
		world->tables[i] = i;
		world->listeners[i] = make_listener(TARGET_FIRST + i, 443, &world->tables[i], 1);
		world->proxies[i] = make_proxy(slot);
		world->target_slots[i] = (struct plan_target_slot){TARGET_FIRST + i, slot};
	}
	world->slices = (struct plan_slices){.target_slots = world->target_slots, .n_target_slots = 2};
	world->plan = (struct plan){
		.enis = world->enis,
		.n_enis = 2,
		.places = world->places,
		.n_places = 2,
		.security_groups = world->groups,
		.n_security_groups = 2,
		.listeners = world->listeners,
		.n_listeners = 2,
		.proxies = world->proxies,
		.n_proxies = 2,
		.slices = &world->slices,
	};
}

/* What a sync has named, in one line: "KEY: REASON", and more than one key as their number. */
static int sync_plan(struct world *world, const struct plan *plan, char *ret_named, size_t size)
{
	const struct plan_port service = {.slot = PL_SLOT_SERVICE};
	struct failures failures = {};
	int r = datapath_sync(world->datapath, plan, &service, false, &failures);

	if (failures.n > 1)
		(void)str_format(ret_named, size, "%zu objects", failures.n);
	else if (failures.n == 1)
		(void)str_format(ret_named, size, "%s: %s", failures.items[0].key, failures.items[0].reason);
	else
		(void)str_copy(ret_named, size, "");
	failures_clear(&failures);
	return r;
}

static bool row_of(const char *map, const void *key, void *ret_value)
{
	_cleanup_(closep) int fd = -EBADF;
	char path[256];

	(void)str_format(path, sizeof(path), "%s/%s", pins, map);
	fd = bpf_obj_get(path);
	if (fd < 0)
		tap_ok(false, "%s can be read", map);
	return fd >= 0 && bpf_map_lookup_elem(fd, key, ret_value) == 0;
}

static bool has_row(const char *map, const void *key)
{
	uint8_t value[256];

	return row_of(map, key, value);
}

static uint32_t generation_of(uint32_t slot)
{
	struct pl_generation generation = {};

	(void)row_of("pl_generations", &slot, &generation);
	return generation.now;
}

/* The plan is put in force, and names this one object (or none). */
static void expect(struct world *world, const struct plan *plan, const char *named, const char *what)
{
	char got[512];

	tap_is_int(sync_plan(world, plan, got, sizeof(got)), 0, "%s: the rest is put in force", what);
	tap_is_str(got, named, "%s: %s", what, *named ? "what is left out is named, and why" : "all goes in");
}

/* Whether the last endpoint's ENI goes in by itself: 0, or 1 where it needs a sync of the whole. */
static int slice_last(struct world *world, const struct plan *plan)
{
	uint32_t slot = SLOT_LAST;
	const struct plan_patch patch = {.slots = &slot, .n_slots = 1};

	return datapath_sync_slices(world->datapath, plan, &patch);
}

/* From the world with one of two to the full table, and back to the world with both. */
static void expect_full(struct world *world, const struct plan *full, const char *map, const void *first_key,
			const void *last_key, const char *reason)
{
	const char *table = strstr(reason, "table") ? "pl_maglev" : map;
	char named[512], what[64];

	(void)str_format(named, sizeof(named), "%s: %s", LAST, reason);
	(void)str_format(what, sizeof(what), "%s is full", table);
	expect(world, full, named, what);
	tap_ok(has_row(map, first_key), "%s: what was there stays", what);
	tap_ok(!has_row(map, last_key), "%s: and what has no room is not there", what);
	(void)str_format(what, sizeof(what), "%s has room again", table);
	expect(world, &world->plan, "", what);
	tap_ok(has_row(map, first_key) && has_row(map, last_key), "%s: also what was left out", what);
}

/* Without the last one, so that it is new to the full table. */
static void forget_last(struct world *world, size_t *n)
{
	char named[512];

	(*n)--;
	(void)sync_plan(world, &world->plan, named, sizeof(named));
	(*n)++;
}

static void test_enis(struct world *world)
{
	_cleanup_(freep) struct plan_eni *enis = calloc(PL_ENIS_MAX + 1, sizeof(*enis));
	struct plan full = world->plan;
	uint32_t first = SLOT_FIRST, last = SLOT_LAST;
	const struct plan_patch patch = {.slots = &first, .n_slots = 1};
	struct pl_eni row = {};

	if (!enis)
		return;
	forget_last(world, &world->plan.n_enis);
	enis[0] = world->enis[0];
	for (uint32_t i = 1; i < PL_ENIS_MAX; i++)
		enis[i] = make_eni(SLOT_FILLER + i, TARGET_FILLER, "ep-filler", "cn-a");
	full.enis = enis;
	full.n_enis = PL_ENIS_MAX;
	expect(world, &full, "", "ENIs fill pl_enis");
	enis[0].value.flags = PL_ENI_F_CONNECTED;
	tap_is_int(datapath_sync_slices(world->datapath, &full, &patch), 0,
		   "one that changes needs no room, and goes in by itself");
	(void)row_of("pl_enis", &first, &row);
	tap_is_int(row.flags, PL_ENI_F_CONNECTED, "its row is the new one");
	enis[PL_ENIS_MAX] = world->enis[1];
	full.n_enis = PL_ENIS_MAX + 1;
	expect_full(world, &full, "pl_enis", &first, &last, "this node has no room for its ENI");
}

static void test_places(struct world *world)
{
	_cleanup_(freep) struct plan_place *places = calloc(PL_PLACES_MAX + 1, sizeof(*places));
	struct plan full = world->plan;

	if (!places)
		return;
	forget_last(world, &world->plan.n_places);
	places[0] = world->places[0];
	for (uint32_t i = 1; i < PL_PLACES_MAX; i++)
		places[i] = make_place(0x0b000000 + i, SLOT_FILLER);
	places[PL_PLACES_MAX] = world->places[1];
	full.places = places;
	full.n_places = PL_PLACES_MAX + 1;
	expect_full(world, &full, "pl_places", &world->places[0].key, &world->places[1].key,
		    "this node has no room for its address");
}

static void test_listeners(struct world *world)
{
	_cleanup_(freep) struct plan_listener *listeners = calloc(PL_LISTENERS_MAX + 1, sizeof(*listeners));
	struct plan full = world->plan;

	if (!listeners)
		return;
	forget_last(world, &world->plan.n_listeners);
	listeners[0] = world->listeners[0];
	for (uint32_t i = 1; i < PL_LISTENERS_MAX; i++)
		listeners[i] = make_listener(TARGET_FILLER, (uint16_t)i, NULL, 0);
	listeners[PL_LISTENERS_MAX] = world->listeners[1];
	full.listeners = listeners;
	full.n_listeners = PL_LISTENERS_MAX + 1;
	expect_full(world, &full, "pl_listeners", &world->listeners[0].key, &world->listeners[1].key,
		    "this node has no room for its listener");
}

static void test_proxies(struct world *world)
{
	_cleanup_(freep) struct plan_proxy *proxies = calloc(PL_PROXIES_MAX + 1, sizeof(*proxies));
	struct plan full = world->plan;

	if (!proxies)
		return;
	forget_last(world, &world->plan.n_proxies);
	proxies[0] = world->proxies[0];
	for (uint32_t i = 1; i < PL_PROXIES_MAX; i++)
		proxies[i] = make_proxy(SLOT_FILLER + i);
	proxies[PL_PROXIES_MAX] = world->proxies[1];
	full.proxies = proxies;
	full.n_proxies = PL_PROXIES_MAX + 1;
	expect_full(world, &full, "pl_proxies", &world->proxies[0].key, &world->proxies[1].key,
		    "this node has no room for its ids in PROXY headers");
}

/* The first listener's table, and one that leaves one element where the last listener needs two. */
static void test_listener_tables(struct world *world)
{
	const uint32_t n = PL_MAGLEV_MAX - 2;
	_cleanup_(freep) uint32_t *table = calloc(n, sizeof(*table));
	uint32_t two[2] = {8, 9};
	struct plan_listener listeners[3] = {
		world->listeners[0],
		make_listener(TARGET_FILLER, 443, table, n),
		make_listener(TARGET_LAST, 443, two, 2),
	};
	struct plan full = world->plan;

	if (!table)
		return;
	forget_last(world, &world->plan.n_listeners);
	(void)usleep((LIST_REST_MS + 100) * 1000); /* the last one's own table rests, and is then room */
	full.listeners = listeners;
	full.n_listeners = 3;
	expect_full(world, &full, "pl_listeners", &world->listeners[0].key, &world->listeners[1].key,
		    "this node has no room for its listener's table");
}

static struct pl_listener listener_row(uint32_t target)
{
	const struct pl_listener_key key = {.target = target, .port = 443, .protocol = 6};
	struct pl_listener row = {};

	(void)row_of("pl_listeners", &key, &row);
	return row;
}

static bool has_table_of(const struct pl_listener *row, const struct pl_listener *other)
{
	return row->table_first == other->table_first && row->table_size == other->table_size &&
	       row->vpc == other->vpc && row->group == other->group && row->flags == other->flags;
}

/* Listeners whose tables leave no room, and the last one's server. */
struct tables {
	struct plan plan;
	struct plan_listener listeners[3];
	struct plan_backend backend;
	uint32_t two[2];
	uint32_t filler[PL_MAGLEV_MAX - 2];
};

static void fill_tables(const struct world *world, struct tables *tables)
{
	tables->listeners[0] = world->listeners[0];
	tables->listeners[1] = world->listeners[1];
	tables->listeners[2] = make_listener(TARGET_FILLER, 443, tables->filler, ARRAY_SIZE(tables->filler));
	tables->backend = (struct plan_backend){.index = world->tables[1], .value = {.vpc = VPC, .port = 80}};
	tables->two[0] = 8;
	tables->two[1] = 9;
	tables->plan = world->plan;
	tables->plan.listeners = tables->listeners;
	tables->plan.n_listeners = 3;
	tables->plan.backends = &tables->backend;
	tables->plan.n_backends = 1;
}

/* Another server group, of which none is well, with a table of two places. */
static void change_listener(struct tables *tables, struct plan_listener *listener)
{
	listener->value.table_size = 2;
	listener->table = tables->two;
	listener->value.group = 77;
	listener->value.flags = PL_LISTENER_F_ILL;
	listener->value.idle_s = 60;
}

static int slice_listener(const struct world *world, const struct plan *plan, uint32_t target)
{
	const struct plan_patch patch = {.targets = &target, .n_targets = 1};

	return datapath_sync_slices(world->datapath, plan, &patch);
}

/* Another filler comes when the old one has rested: it gets no place that is in use. */
static void replace_filler(struct world *world, struct tables *tables, const struct pl_listener *old)
{
	const char *named = LAST ": this node has no room for its listener's table";
	struct plan_listener last = tables->listeners[1];
	uint32_t element = 0;

	tables->plan.n_listeners = 2;
	expect(world, &tables->plan, named, "what fills pl_maglev goes, and rests");
	(void)usleep((LIST_REST_MS + 100) * 1000);
	tables->filler[0] = 5;
	tables->listeners[1] = tables->listeners[2];
	tables->listeners[2] = last;
	tables->plan.n_listeners = 3;
	expect(world, &tables->plan, named, "another one fills it");
	(void)row_of("pl_maglev", &old->table_first, &element);
	tap_is_int(element, world->tables[1], "the table that was kept is nobody else's");
}

/* A listener that is there and gets a table that has no room goes on with the one that it has. */
static void test_kept_table(struct world *world)
{
	const char *named = LAST ": this node has no room for its listener's table";
	_cleanup_(freep) struct tables *tables = calloc(1, sizeof(*tables));
	struct pl_listener old, row;
	uint32_t generation;

	if (!tables)
		return;
	fill_tables(world, tables);
	(void)usleep((LIST_REST_MS + 100) * 1000); /* what was there before rests */
	expect(world, &tables->plan, "", "tables fill pl_maglev");
	old = listener_row(TARGET_LAST);
	generation = generation_of(SLOT_LAST);
	change_listener(tables, &tables->listeners[1]);
	tap_is_int(slice_listener(world, &tables->plan, TARGET_LAST), 1,
		   "a table that has no room is a matter of the whole");
	expect(world, &tables->plan, named, "a listener's other table has no room");
	row = listener_row(TARGET_LAST);
	tap_ok(has_table_of(&row, &old), "the table that it has stays, with the group and the state of it");
	tap_is_int(row.idle_s, 60, "what needs no table is in force");
	tap_is_int(generation_of(SLOT_LAST), generation + 1, "by which open flows are judged");
	expect(world, &tables->plan, named, "the same once more");
	tap_is_int(generation_of(SLOT_LAST), generation + 1, "changes nothing for open flows");
	tap_is_int(slice_listener(world, &tables->plan, TARGET_FIRST), 1,
		   "nor is it left to slices what a table names that was kept");
	replace_filler(world, tables, &old);

	tables->backend.value.port = 81;
	expect(world, &tables->plan, named, "a server that is named has its number from another one");
	row = listener_row(TARGET_LAST);
	tap_ok(row.group == 77 && row.table_size == 0, "new flows go to none, open ones are not ended");
	tables->listeners[1] = tables->listeners[2];
	tables->plan.n_listeners = 2;
	expect(world, &tables->plan, named, "what fills pl_maglev goes once more");
	(void)usleep((LIST_REST_MS + 100) * 1000);
	expect(world, &tables->plan, "", "pl_maglev has room again");
	tap_is_int(listener_row(TARGET_LAST).table_size, 2, "the listener has its table");
	expect(world, &world->plan, "", "back to small tables");
}

/* So much comes to rest that what changes often has to wait. */
static void let_much_rest(struct world *world, struct tables *tables)
{
	tables->filler[0]++;
	expect(world, &tables->plan, "", "much of pl_maglev comes to rest");
}

static void take_turns(struct tables *tables)
{
	tables->two[0]++;
}

/* When it is due; nothing has to be touched. */
static void expect_waited(struct world *world, const struct plan *plan, const struct pl_listener *old)
{
	const uint32_t generation = generation_of(SLOT_LAST);
	const struct plan_patch nothing = {};
	struct pl_listener row;

	while (now_mono_ms() <= datapath_due_ms(world->datapath))
		(void)usleep(10000);
	tap_is_int(datapath_sync_slices(world->datapath, plan, &nothing), 0, "by slices of nothing");
	row = listener_row(TARGET_LAST);
	tap_ok(!has_table_of(&row, old), "the listener has its table when that is due");
	tap_is_int(generation_of(SLOT_LAST), generation + 1, "open flows are judged again");
	tap_is_int((long long)datapath_due_ms(world->datapath), 0, "and nothing is due any more");
}

/* Whether what has come to rest since then still rests: a machine that is emulated may need longer than that
 * for a few changes, and the table need not wait. */
static bool is_in_time(uint64_t begun_ms, const struct pl_listener *row, const struct pl_listener *old)
{
	return now_mono_ms() < begun_ms + LIST_REST_MS || has_table_of(row, old);
}

/* A listener whose table changes all the time takes no room from others: it waits, and is not named. */
static void test_waiting_table(struct world *world)
{
	_cleanup_(freep) struct tables *tables = calloc(1, sizeof(*tables));
	struct pl_listener old = {}, row = {};
	uint32_t idle_s = 0;
	uint64_t begun_ms;

	if (!tables)
		return;
	fill_tables(world, tables);
	tables->listeners[2].value.table_size /= 4;
	change_listener(tables, &tables->listeners[1]);
	expect(world, &tables->plan, "", "a large table");
	for (int try = 0; try < TRIES_MAX; try++) {
		(void)usleep((LIST_REST_MS + 100) * 1000);
		begun_ms = now_mono_ms();
		old = listener_row(TARGET_LAST);
		let_much_rest(world, tables);
		take_turns(tables);
		expect(world, &tables->plan, "", "a table that was there for long changes");
		row = listener_row(TARGET_LAST);
		tap_ok(!has_table_of(&row, &old), "at once");
		old = row;
		take_turns(tables);
		idle_s = ++tables->listeners[1].value.idle_s;
		expect(world, &tables->plan, "", "it changes again");
		row = listener_row(TARGET_LAST);
		if (is_in_time(begun_ms, &row, &old))
			break;
	}
	tap_ok(has_table_of(&row, &old) && row.idle_s == idle_s, "its table has to wait, and that alone");
	expect_waited(world, &tables->plan, &old);

	for (int try = 0; try < TRIES_MAX; try++) {
		begun_ms = now_mono_ms();
		old = listener_row(TARGET_LAST);
		let_much_rest(world, tables);
		take_turns(tables);
		idle_s = ++tables->listeners[1].value.idle_s;
		tap_is_int(slice_listener(world, &tables->plan, TARGET_LAST), 0,
			   "it changes again, by slices");
		row = listener_row(TARGET_LAST);
		if (is_in_time(begun_ms, &row, &old))
			break;
	}
	tap_ok(has_table_of(&row, &old) && row.idle_s == idle_s, "and waits likewise");
	expect_waited(world, &tables->plan, &old);
	expect(world, &world->plan, "", "back to small tables");
}

/* So many groups with long lists that there is no room for another one. */
enum { LONG = PL_LIST_RULES_MAX, FILLERS = PL_CELLS_MAX / LONG, NAMED = 50 };

struct crowd {
	struct group_rule rules[LONG], others[LONG];
	struct plan_security_group groups[FILLERS + 2];
};

static struct plan make_crowd(struct world *world, struct crowd *crowd)
{
	struct plan full = world->plan;

	for (uint32_t i = 0; i < LONG; i++) {
		crowd->rules[i] = make_rule((uint16_t)(2 * i));
		group_rule_set_prefix(&crowd->rules[i], i << 12, 24);
		crowd->others[i] = crowd->rules[i];
		group_rule_set_service(&crowd->others[i], 17, (uint16_t)(2 * i), (uint16_t)(2 * i));
	}
	crowd->groups[0] = world->groups[0];
	crowd->groups[1] = world->groups[1];
	for (uint32_t i = 0; i < FILLERS; i++)
		crowd->groups[2 + i] = make_group(3 + i, crowd->rules, LONG);
	full.security_groups = crowd->groups;
	full.n_security_groups = FILLERS + 2;
	return full;
}

static struct pl_group group_row(uint32_t number)
{
	struct pl_group row = {};

	(void)row_of("pl_groups", &number, &row);
	return row;
}

static struct pl_cell cell_of(uint32_t index)
{
	struct pl_cell cell = {};

	(void)row_of("pl_cells", &index, &cell);
	return cell;
}

static bool refuses(uint32_t number)
{
	struct pl_group row = group_row(number);

	return row.list[PL_DIRECTION_IN] && row.list[PL_DIRECTION_IN] == row.list[PL_DIRECTION_OUT] &&
	       cell_of(row.list[PL_DIRECTION_IN]).piece.best_rank == PL_RANK_FIRST;
}

/* A number that cannot be told from NAMED at first sight. */
static uint32_t like_named(void)
{
	uint32_t number = 3;

	while (number == NAMED || pl_group_bit(number) != pl_group_bit(NAMED))
		number++;
	return number;
}

/* A list that has no room leaves the old one in force; a new group refuses all until there is room. */
static void test_rules(struct world *world)
{
	_cleanup_(freep) struct crowd *crowd = calloc(1, sizeof(*crowd));
	const char *named = LAST ": this node has no room for its security groups' rules";
	uint32_t generation, list;
	struct plan full;

	if (!crowd)
		return;
	full = make_crowd(world, crowd);
	world->rules[1].group = NAMED;
	expect(world, &full, "", "nobody's groups fill pl_cells");
	tap_is_int(slice_last(world, &full), 0, "an ENI can be put in force by itself");
	generation = generation_of(SLOT_LAST);
	list = group_row(2).list[PL_DIRECTION_IN];
	crowd->groups[1].rules[PL_DIRECTION_IN] = crowd->others;
	crowd->groups[1].n_rules[PL_DIRECTION_IN] = LONG;
	expect(world, &full, named, "pl_cells is full");
	tap_ok(list && group_row(2).list[PL_DIRECTION_IN] == list, "a group's rules stay in force");
	tap_is_int(generation_of(SLOT_LAST), generation, "nothing has changed for its open flows");
	tap_is_int(slice_last(world, &full), 1, "an ENI of that group is not put in force unnamed");
	expect(world, &full, named, "it is named with the whole");

	(void)str_copy(crowd->groups[like_named() - 1].id, sizeof(crowd->groups->id), "sg-stranger");
	expect(world, &full, named, "a group that they do not name has its number from another one");
	tap_ok(!refuses(2), "rules of before mean what they meant");
	(void)str_copy(crowd->groups[NAMED - 1].id, sizeof(crowd->groups->id), "sg-other");
	expect(world, &full, named, "a group that they name has its number from another one");
	tap_ok(refuses(2), "rules of before mean nobody else: all is refused");
	tap_is_int(generation_of(SLOT_LAST), generation + 1, "and open flows are judged again");

	(void)str_copy(crowd->groups[1].id, sizeof(crowd->groups[1].id), "sg-new");
	expect(world, &full, named, "a new group in the full table");
	tap_ok(refuses(2), "it is not judged by another's rules, nor by none: it refuses all");
	tap_is_int(generation_of(SLOT_LAST), generation + 2, "and open flows are judged again");

	full.n_security_groups = 20;
	expect(world, &full, named, "groups go, and their lists rest");
	(void)usleep((GROUP_REST_MS + 100) * 1000);
	expect(world, &full, "", "there is room");
	tap_ok(!refuses(2), "the new group has its list");
	tap_is_int(generation_of(SLOT_LAST), generation + 3, "and open flows are judged again");
	(void)str_copy(world->groups[1].id, sizeof(world->groups[1].id), "sg-new");
	world->rules[1].group = 0;
	expect(world, &world->plan, "", "back to few rules");
}

/* More sets than rows: each of many ENIs has two of its own, and that leaves one. */
static void test_sets(struct world *world)
{
	enum { N = PL_SETS_MAX / 2 - 1 };
	_cleanup_(freep) struct plan_eni *enis = calloc(N, sizeof(*enis));
	struct plan full = world->plan;

	if (!enis)
		return;
	enis[0] = world->enis[0];
	for (uint32_t i = 1; i < N; i++) {
		enis[i] = make_eni(SLOT_FILLER + i, TARGET_FILLER, "ep-filler", "cn-a");
		enis[i].set = make_set(10 + i);
		enis[i].balancer_set = make_set(10 + i);
		enis[i].balancer_set.silent[PL_DIRECTION_OUT] = PL_RANK_ALLOW;
	}
	full.enis = enis;
	full.n_enis = N;
	expect(world, &full, "", "as many sets as there are rows");
	enis[0].set = make_set(9);
	enis[0].balancer_set = make_set(8);
	enis[0].balancer_set.group[1] = 9;
	enis[0].balancer_set.count = 2;
	expect(world, &full, "endpoint_zone/ep-first/cn-a: this node has no room for its security groups",
	       "pl_sets is full");
	(void)usleep((SET_REST_MS + 100) * 1000);
	expect(world, &world->plan, "", "back to few sets");
}

/* An agent that starts when all rows have been sets, and few are: a new set need not wait. */
static void test_sets_of_before(struct world *world)
{
	world->datapath = datapath_free(world->datapath);
	if (!tap_ok(datapath_open(&options, &world->datapath) == 0, "another agent takes the tables"))
		exit(tap_done());
	world->enis[0].set = make_set(7);
	expect(world, &world->plan, "", "it has a number for a new set at once");
	world->enis[0].set = make_set(1);
	expect(world, &world->plan, "", "and those that are there");
}

/* Slices take sets, and only a sync of all finds out which nobody has any more: it comes before there is
 * none. */
static void test_crowded_sets(struct world *world)
{
	uint32_t slot = SLOT_FIRST, n = 0;
	struct plan_patch patch = {.slots = &slot, .n_slots = 1};
	int r = 0;

	for (; r == 0 && n < PL_SETS_MAX; n++) {
		world->enis[0].set = make_set(2 + n % 200);
		world->enis[0].set.group[1] = 300 + n / 200;
		world->enis[0].set.count = 2;
		r = datapath_sync_slices(world->datapath, &world->plan, &patch);
	}
	tap_ok(r == 1 && n > PL_SETS_MAX / 4 && n < PL_SETS_MAX * 3 / 4,
	       "an ENI that is in other groups all the time, by slices (%u times)", n);
	expect(world, &world->plan, "", "then by a sync of all, which finds room");
	world->enis[0].set = make_set(1);
	tap_is_int(datapath_sync_slices(world->datapath, &world->plan, &patch), 0, "and by slices again");
}

int main(void)
{
	struct world world = {};

	if (geteuid() != 0) {
		tap_skip("full tables", "needs root");
		return tap_done();
	}
	log_set_level(LOG_LEVEL_WARNING);
	(void)str_format(node, sizeof(node), "f%u", (unsigned int)getpid());
	(void)str_format(pins, sizeof(pins), BPFFS "/%s", node);
	fill_plan(&world);
	if (unshare(CLONE_NEWNET) < 0 || datapath_open(&options, &world.datapath) < 0) {
		tap_ok(false, "a namespace and tables of the test's own");
		return tap_done();
	}
	expect(&world, &world.plan, "", "two endpoints");
	test_enis(&world);
	test_places(&world);
	test_rules(&world);
	test_sets(&world);
	test_sets_of_before(&world);
	/* To the kernel that is the same again, and an emulated processor takes a minute for it. */
	if (!getenv("PRIVLINK_KERNEL_LAYER"))
		test_crowded_sets(&world);
	test_proxies(&world);
	test_listeners(&world);
	test_listener_tables(&world);
	test_kept_table(&world);
	test_waiting_table(&world);
	world.datapath = datapath_free(world.datapath);
	tap_is_int(datapath_remove_pins(&options), 0, "the pins are removed");
	return tap_done();
}
