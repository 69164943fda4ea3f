/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slices of a plan in the kernel's tables: rows change at random, what they touch is planned and written by
 * itself, and a full sync after it finds nothing to do: the tables are the same before and after it, row for
 * row, and no generation rises. Beside it are tables into which all is synced at each step: their generations
 * rise with those of the slices, and no other ones. No device and no packet; in a namespace and under pins of
 * the test's own. `test_slices SEED` repeats a run.
 */
#include <sched.h>
#include <time.h>

#include "lib/log.h"
#include "tests/net/tables_world.h"

#define STEPS 120
#define EVERY 15 /* steps from one full sync to the next */
#define LOOK  8 /* … from one look at all tables to the next: on an emulated processor that takes a while */

static struct tables sliced, whole;

static unsigned int synced_ports; /* steps of slices with ports */

/* The map that a full sync changes; NULL: none. */
static const char *what_full_sync_changes(const struct tables *tables, const struct plan *plan)
{
	struct rowset before[ARRAY_SIZE(maps)];
	const char *changed = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(maps); i++)
		before[i] = dump(tables, i);
	sync_all(tables, plan, true);
	for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
		struct rowset after = dump(tables, i);

		if (before[i].n != after.n ||
		    (after.n && memcmp(before[i].data, after.data,
				       after.n * (maps[i].key_size + maps[i].value_size)) != 0))
			changed = maps[i].name;
		rowset_done(&before[i]);
		rowset_done(&after);
	}
	return changed;
}

/* The generations of the one are those of the other. */
static bool has_same_generations(void)
{
	const size_t last = ARRAY_SIZE(maps) - 1;
	struct rowset a = dump(&sliced, last), b = dump(&whole, last);
	bool same = a.n == b.n && memcmp(a.data, b.data, a.n * (a.key_size + a.value_size)) == 0;

	rowset_done(&a);
	rowset_done(&b);
	return same;
}

/* Another least MTU, and the first Mss or the last, are matters of the whole. */
static bool may_be_left(const struct run *run, const struct plan_patch *patch)
{
	uint32_t zero = 0;
	struct rowset config = dump(&sliced, 0);
	const struct pl_config *row = rowset_find(&config, &zero);
	uint16_t least = 1500;
	bool differs_mtu, differs_mss;

	for (size_t i = 0; i < run->plan->n_ports; i++)
		least = MIN(least, run->plan->ports[i].row.mtu);
	differs_mtu = row->mtu_low != least;
	differs_mss = plan_has_mss(run->plan) != !(row->flags & PL_CONFIG_F_NO_MSS);
	rowset_done(&config);
	return (patch->n_ports && differs_mtu) || (patch->n_targets && differs_mss);
}

/* A step's slices into the tables, and all of the plan into the others. */
static void sync_step(struct run *run, const struct plan_patch *patch, bool by_slices)
{
	bool may_leave = by_slices && may_be_left(run, patch);
	int r = by_slices ? datapath_sync_slices(sliced.datapath, run->plan, patch) : 1;

	/* Once more, as when devices have been made in between: there is nothing to do. */
	if (by_slices && r == 0)
		r = datapath_sync_slices(sliced.datapath, run->plan, patch);
	if (r < 0 || (by_slices && r != may_leave)) {
		fprintf(stderr, "cannot sync slices\n");
		exit(EXIT_FAILURE);
	}
	if (r > 0)
		sync_all(&sliced, run->plan, false);
	synced_ports += r == 0 && patch->n_ports;
	sync_all(&whole, run->plan, false);
}

struct doubts {
	struct datapath_doubtful last;
	size_t n;
};

static int count_doubt(void *context, const struct datapath_doubtful *doubtful)
{
	struct doubts *doubts = context;

	doubts->last = *doubtful;
	doubts->n++;
	return 0;
}

/* The table of which something is not as it was written; NULL: all is. */
static const char *what_is_doubtful(const struct tables *tables, const struct plan *plan, struct doubts *ret)
{
	*ret = (struct doubts){};
	if (datapath_find_doubts(tables->datapath, plan, count_doubt, ret) < 0) {
		fprintf(stderr, "cannot compare tables\n");
		exit(EXIT_FAILURE);
	}
	return ret->n ? datapath_doubt_name(tables->datapath, &ret->last) : NULL;
}

static void run_steps(struct run *run)
{
	const char *changed = NULL, *doubtful = NULL;
	struct doubts doubts;
	bool same = true;
	int step = 0;

	for (; step < STEPS && !changed && !doubtful && same; step++) {
		struct plan_patch patch = {};
		bool by_slices;

		change(run);
		by_slices = plan_touched_slices(run, &patch) == 0;
		sync_step(run, &patch, by_slices);
		plan_patch_done(&patch);
		same = has_same_generations();
		doubtful = step % LOOK == 0 ? what_is_doubtful(&sliced, run->plan, &doubts) : NULL;
		if (step % EVERY == 0)
			changed = what_full_sync_changes(&sliced, run->plan);
	}
	tap_ok(!changed, "after slices a full sync finds nothing to do (%d steps)%s%s", step,
	       changed ? "; it has changed " : "", changed ? changed : "");
	tap_ok(!doubtful, "after them all tables are as they were written%s%s", doubtful ? "; but not " : "",
	       doubtful ? doubtful : "");
	tap_ok(same, "generations have risen as by a sync of all, and no other ones");
	tap_note("%u by slices, %u of them of what serves, %u of ports; %u of the whole", run->slices,
		 run->servings, synced_ports, run->wholes);
	tap_ok(run->slices > run->servings && run->servings > 0, "steps were made of slices");
}

/* A server that leaves is gone when its time is over, without a change of any row. */
static void test_due(void)
{
	const size_t generations = ARRAY_SIZE(maps) - 1;
	struct plan_patch patch = {};
	struct rowset before, after;
	struct run run = {};
	uint32_t slot;

	begin(&run);
	open_tables(&sliced, "due");
	put(&run, "server_group/sgp-1",
	    "{'id': 'sgp-1', 'vpc': 'vpc-p', 'protocol': 'TCP', 'drain_enabled': true, 'drain_timeout_s': 1, "
	    "'status': 'Available'}");
	if (plan_touched_slices(&run, &patch) != 0)
		exit(EXIT_FAILURE);
	plan_patch_done(&patch);
	sync_all(&sliced, run.plan, true);
	slot = run.plan->enis[0].slot;
	drop(&run, "server/sgp-1/i-p1/443");
	tap_ok(plan_touched_slices(&run, &patch) == 0 &&
		       datapath_sync_slices(sliced.datapath, run.plan, &patch) == 0,
	       "a server is removed");
	plan_patch_done(&patch);
	tap_ok(datapath_due_ms(sliced.datapath) != 0, "and keeps its connections for a time");
	while (now_mono_ms() <= datapath_due_ms(sliced.datapath))
		usleep(10000);
	before = dump(&sliced, generations);
	tap_ok(datapath_sync_slices(sliced.datapath, run.plan, &patch) == 0 &&
		       datapath_due_ms(sliced.datapath) == 0,
	       "which ends");
	after = dump(&sliced, generations);
	tap_is_int(memcmp(rowset_find(&before, &slot), rowset_find(&after, &slot),
			  sizeof(struct pl_generation)) != 0,
		   1, "and they are judged again");
	rowset_done(&before);
	rowset_done(&after);
	close_tables(&sliced);
	plan_free(run.plan);
	world_free(&run.w);
}

/* What was touched, by slices: the instance's port alone, and nothing is left to do. */
static void sync_instance(struct run *run, const char *what)
{
	struct plan_patch patch = {};
	const char *changed;

	tap_ok(plan_touched_slices(run, &patch) == 0 && patch.n_ports == 1 &&
		       datapath_sync_slices(sliced.datapath, run->plan, &patch) == 0,
	       "an instance %s, by slices", what);
	plan_patch_done(&patch);
	changed = what_full_sync_changes(&sliced, run->plan);
	tap_ok(!changed, "and the tables have it%s%s", changed ? "; but not " : "", changed ? changed : "");
}

static void put_instance(struct run *run, const char *groups, unsigned int mtu, const char *status)
{
	put(run, "port/eni-v",
	    "{'id': 'eni-v', 'number': 120, 'kind': 'instance', 'region': 'cn-hangzhou', 'zone': '" ZONE_H
	    "', 'vpc': 'vpc-p', 'vswitch': 'vsw-p-h', 'addr': '10.0.1.70', 'mac': '02:00:00:00:01:01', 'mtu': "
	    "%u, 'groups': [%s], 'holder': 'i-v', 'node': 'n1', 'status': 'InUse'}",
	    mtu, groups);
	put(run, "instance/i-v",
	    "{'id': 'i-v', 'owner': 1000, 'zone': '" ZONE_H
	    "', 'vpc': 'vpc-p', 'node': 'n1', 'kind': 'netns', "
	    "'host_name': 'v', 'port': 'eni-v', 'status': '%s'}",
	    status);
}

static void test_instance(void)
{
	struct run run = {};

	begin(&run);
	open_tables(&sliced, "instance");
	sync_all(&sliced, run.plan, true);
	run.w.missing_device = 120;
	put_instance(&run, "'sg-p'", 1500, "Running");
	sync_instance(&run, "comes");
	run.w.missing_device = 0;
	put_instance(&run, "'sg-p'", 1500, "Stopped");
	sync_instance(&run, "has its device, and is stopped");
	put_instance(&run, "'sg-p', 'sg-ep'", 1500, "Running");
	sync_instance(&run, "is started, and in another group");
	drop(&run, "instance/i-v");
	drop(&run, "port/eni-v");
	sync_instance(&run, "goes");
	close_tables(&sliced);
	plan_free(run.plan);
	world_free(&run.w);
}

/* What somebody has made of a row is found by who reads it. */
static bool is_spoilt(const struct tables *tables, size_t map, const void *key)
{
	struct rowset rows = dump(tables, map);
	const uint8_t *value = rowset_find(&rows, key);
	bool is_so = value && *value == UINT8_MAX;

	rowset_done(&rows);
	return is_so;
}

static void spoil(const struct tables *tables, size_t map, const void *key)
{
	uint8_t value[sizeof(struct pl_backend)];
	int fd = open_map(tables, map);

	memset(value, UINT8_MAX, sizeof(value));
	if (fd < 0 || bpf_map_update_elem(fd, key, value, BPF_EXIST) < 0)
		exit(EXIT_FAILURE);
	close(fd);
}

/* Slices that cannot be put in force by themselves have written nothing. */
static void test_other_mtu(void)
{
	const size_t backends = map_of("pl_backends");
	struct plan_patch patch = {};
	struct run run = {};
	uint32_t backend;

	begin(&run);
	open_tables(&sliced, "mtu");
	sync_all(&sliced, run.plan, true);
	backend = run.plan->backends[0].index;
	spoil(&sliced, backends, &backend);
	put_instance(&run, "'sg-p'", 1400, "Running");
	tap_ok(plan_touched_slices(&run, &patch) == 0 &&
		       datapath_sync_slices(sliced.datapath, run.plan, &patch) == 1,
	       "another least MTU is a matter of the whole");
	plan_patch_done(&patch);
	sync_all(&sliced, run.plan, false);
	tap_ok(is_spoilt(&sliced, backends, &backend), "for which the tables need not be read");
	tap_ok(what_full_sync_changes(&sliced, run.plan) && !is_spoilt(&sliced, backends, &backend),
	       "as a full sync does");
	close_tables(&sliced);
	plan_free(run.plan);
	world_free(&run.w);
}

/* What somebody else does to a row is found, and just that, for as long as it lasts. */
static void is_found(const struct plan *plan, const char *table, const char *what)
{
	struct doubts doubts;
	const char *found = what_is_doubtful(&sliced, plan, &doubts);

	tap_ok(found && doubts.n == 1 && streq(found, table) &&
		       datapath_has_doubt(sliced.datapath, plan, &doubts.last),
	       "%s of %s is found, alone (%zu of %s)", what, table, doubts.n, found ? found : "none");
	sync_all(&sliced, plan, true);
	tap_ok(!datapath_has_doubt(sliced.datapath, plan, &doubts.last) &&
		       !what_is_doubtful(&sliced, plan, &doubts),
	       "until it is mended");
}

static void test_rows_found(const struct plan *plan, const char *name)
{
	static const uint8_t unknown_key[64] = {200, 0, 0, 0, 77};
	size_t map = map_of(name);
	struct rowset rows = dump(&sliced, map);
	uint8_t key[64], value[256];
	size_t row = 0;

	/* (An array has rows of zeros, too.) */
	while (memcmp(rowset_value(&rows, row), (uint8_t[256]){}, rows.value_size) == 0)
		row++;
	memcpy(key, rowset_key(&rows, row), rows.key_size);
	memcpy(value, rowset_value(&rows, row), rows.value_size);
	value[rows.value_size - 1] ^= 1;
	change_element(&sliced, map, key, value);
	is_found(plan, name, "a row that was changed");
	change_element(&sliced, map, key, NULL);
	is_found(plan, name, "a row that was removed");
	change_element(&sliced, map, unknown_key, value);
	is_found(plan, name, "a row that came");
	rowset_done(&rows);
}

/* Of an array that is mapped, or holds lists: a byte of the element. */
static void spoil_element(const char *name, uint32_t element, size_t offset)
{
	char path[256];
	uint8_t value[128];
	int fd;

	(void)str_format(path, sizeof(path), BPFFS "/%s/%s", sliced.node, name);
	fd = bpf_obj_get(path);
	if (fd < 0 || bpf_map_lookup_elem(fd, &element, value) < 0)
		exit(EXIT_FAILURE);
	value[offset] ^= 1;
	if (bpf_map_update_elem(fd, &element, value, BPF_ANY) < 0)
		exit(EXIT_FAILURE);
	close(fd);
}

static void test_elements_found(const struct plan *plan)
{
	size_t map = map_of("pl_groups"), listeners = map_of("pl_listeners");
	struct rowset groups = dump(&sliced, map), rows = dump(&sliced, listeners);
	struct pl_listener listener = {};
	struct pl_group group = {};
	uint32_t number = 0;

	for (size_t i = 0; i < groups.n && !(group.list[PL_DIRECTION_IN] > 1); i++) {
		memcpy(&number, rowset_key(&groups, i), sizeof(number));
		memcpy(&group, rowset_value(&groups, i), sizeof(group));
	}
	spoil_element("pl_groups", number, offsetof(struct pl_group, list));
	is_found(plan, "pl_groups", "another list");
	spoil_element("pl_cells", group.list[PL_DIRECTION_IN], 1);
	is_found(plan, "pl_groups", "a cell that was changed");
	for (size_t i = 0; i < rows.n && !listener.table_size; i++)
		memcpy(&listener, rowset_value(&rows, i), sizeof(listener));
	spoil_element("pl_maglev", listener.table_first + listener.table_size - 1, 0);
	is_found(plan, "pl_maglev", "a place that was changed");
	rowset_done(&groups);
	rowset_done(&rows);
}

static void test_sets_found(const struct plan *plan)
{
	struct rowset ports = dump(&sliced, map_of("pl_ports"));
	struct doubts doubts;
	uint32_t set = 0;

	for (size_t i = 0; i < ports.n && !set; i++)
		set = ((const struct pl_port *)(const void *)rowset_value(&ports, i))->set;
	spoil_element("pl_sets", set, offsetof(struct pl_set, group));
	tap_is_str(what_is_doubtful(&sliced, plan, &doubts), "pl_sets", "a set that was changed is found");
	sync_all(&sliced, plan, true);
	tap_ok(!what_is_doubtful(&sliced, plan, &doubts), "until those who have it have another one");
	rowset_done(&ports);
}

static void test_found(void)
{
	static const char *const tables[] = {"pl_limits",    "pl_places", "pl_backends",
					     "pl_listeners", "pl_enis",	  "pl_servers"};
	struct run run = {};
	struct doubts doubts;

	begin(&run);
	open_tables(&sliced, "found");
	sync_all(&sliced, run.plan, true);
	tap_ok(!what_is_doubtful(&sliced, run.plan, &doubts), "all tables are as they were written");
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		test_rows_found(run.plan, tables[i]);
	test_elements_found(run.plan);
	test_sets_found(run.plan);
	close_tables(&sliced);
	plan_free(run.plan);
	world_free(&run.w);
}

/* Once for each place that is wanted, at least, whether anything differs or not. */
static void test_breaths(const struct tables *tables, const struct plan *plan)
{
	size_t before = n_breaths;

	sync_all(tables, plan, false);
	tap_ok(n_breaths - before >= plan->n_places, "a full sync breathes between rows (%zu of %zu places)",
	       n_breaths - before, plan->n_places);
}

int main(int argc, char **argv)
{
	struct run run = {};

	if (geteuid() != 0 || unshare(CLONE_NEWNET) < 0) {
		tap_skip("slices in the kernel's tables", "needs root");
		return tap_done();
	}
	state = argc > 1 ? strtoull(argv[1], NULL, 0) : (uint64_t)time(NULL) * 2654435761u | 1;
	tap_note("seed %llu", (unsigned long long)state);
	log_set_level(LOG_LEVEL_ERROR);
	begin(&run);
	open_tables(&sliced, "slices");
	open_tables(&whole, "whole");
	sync_all(&sliced, run.plan, true);
	sync_all(&whole, run.plan, true);
	test_breaths(&whole, run.plan);
	run_steps(&run);
	close_tables(&sliced);
	close_tables(&whole);
	plan_free(run.plan);
	world_free(&run.w);
	test_due();
	test_instance();
	test_other_mtu();
	test_found();
	return tap_done();
}
