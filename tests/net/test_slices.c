/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slices of a plan in the kernel's tables: rows change at random, what they touch is planned and written by
 * itself, and a full sync after it finds nothing to do: the tables are the same before and after it, row for
 * row, and no generation rises. No device and no packet; in a namespace and under pins of the test's own.
 * `test_slices SEED` repeats a run.
 */
#include <sched.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "datapath/datapath.h"
#include "datapath/table.h"
#include "lib/log.h"
#include "tests/unit/slice_world.h"

#define STEPS 120
#define EVERY 15 /* steps from one full sync to the next */
#define BPFFS "/sys/fs/bpf/privlink-test"

static char node[32], pins[128];

static const struct {
	const char *name;
	size_t key_size, value_size;
} maps[] = {
	{"pl_ports", 4, sizeof(struct pl_port)},
	{"pl_enis", 4, sizeof(struct pl_eni)},
	{"pl_limits", 4, sizeof(struct pl_limit)},
	{"pl_places", sizeof(struct pl_place_key), sizeof(struct pl_place)},
	{"pl_proxies", sizeof(struct pl_proxy_key), sizeof(struct pl_proxy)},
	{"pl_listeners", sizeof(struct pl_listener_key), sizeof(struct pl_listener)},
	{"pl_groups", 4, sizeof(struct pl_group)},
	{"pl_generations", 4, sizeof(struct pl_generation)},
};

static int add_row(void *context, const void *key, const void *value)
{
	return rowset_append(context, key, value);
}

static struct rowset dump(size_t map)
{
	struct rowset rows = rowset_make(maps[map].key_size, maps[map].value_size);
	char path[256];
	int fd;

	(void)str_format(path, sizeof(path), "%s/%s", pins, maps[map].name);
	fd = bpf_obj_get(path);
	if (fd < 0 || table_walk(fd, add_row, &rows) < 0) {
		fprintf(stderr, "cannot read %s\n", path);
		exit(EXIT_FAILURE);
	}
	close(fd);
	rowset_sort(&rows);
	return rows;
}

static struct pl_generation generation_of(const struct rowset *rows, uint32_t slot)
{
	struct pl_generation generation = {};
	const void *row = rowset_find(rows, &slot);

	if (row)
		memcpy(&generation, row, sizeof(generation));
	return generation;
}

static void sync_all(struct datapath *datapath, const struct plan *plan, bool full)
{
	const struct plan_port service = {.slot = PL_SLOT_SERVICE,
					  .row = {.number = UINT32_MAX, .ifindex = 99, .mtu = 1500}};
	struct failures failures = {};

	if (datapath_sync(datapath, plan, &service, full, &failures) < 0 || failures.n) {
		fprintf(stderr, "cannot sync\n");
		exit(EXIT_FAILURE);
	}
	failures_clear(&failures);
}

/* The map that a full sync changes; NULL: none. */
static const char *what_full_sync_changes(struct datapath *datapath, const struct plan *plan)
{
	struct rowset before[ARRAY_SIZE(maps)];
	const char *changed = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(maps); i++)
		before[i] = dump(i);
	sync_all(datapath, plan, true);
	for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
		struct rowset after = dump(i);

		if (before[i].n != after.n ||
		    (after.n && memcmp(before[i].data, after.data,
				       after.n * (maps[i].key_size + maps[i].value_size)) != 0))
			changed = maps[i].name;
		rowset_done(&before[i]);
		rowset_done(&after);
	}
	return changed;
}

static int touched_row(void *context, enum row_change change _unused_, const void *key,
		       const void *value _unused_)
{
	return rowset_append(context, key, "");
}

/* Open flows of each ENI and port whose row is another one are judged again. */
static bool has_raised(const struct rowset before[3], const struct rowset after[3])
{
	struct rowset changed = rowset_make(sizeof(uint32_t), 0);
	bool raised = true;

	(void)rowset_diff(&before[0], &after[0], touched_row, &changed);
	(void)rowset_diff(&before[1], &after[1], touched_row, &changed);
	for (size_t i = 0; i < changed.n; i++) {
		struct pl_generation generation;
		uint32_t slot;

		memcpy(&slot, rowset_key(&changed, i), sizeof(slot));
		generation = generation_of(&after[2], slot);
		raised &= generation.now == generation.due &&
			  generation.now != generation_of(&before[2], slot).now;
	}
	rowset_done(&changed);
	return raised;
}

static const size_t watched[3] = {0, 1, ARRAY_SIZE(maps) - 1};

/* A step's slices into the tables; false: what it touched is not judged again. */
static bool sync_slices(struct run *run, struct datapath *datapath, const struct plan_patch *patch,
			bool looks)
{
	struct rowset before[3], after[3];
	bool raised = true;

	for (size_t i = 0; looks && i < 3; i++)
		before[i] = dump(watched[i]);
	if (datapath_sync_slices(datapath, run->plan, patch) != 0) {
		fprintf(stderr, "cannot sync slices\n");
		exit(EXIT_FAILURE);
	}
	if (!looks)
		return true;
	for (size_t i = 0; i < 3; i++)
		after[i] = dump(watched[i]);
	raised = has_raised(before, after);
	for (size_t i = 0; i < 3; i++) {
		rowset_done(&before[i]);
		rowset_done(&after[i]);
	}
	return raised;
}

static void run_steps(struct run *run, struct datapath *datapath)
{
	const char *changed = NULL;
	bool raised = true;
	int step = 0;

	for (; step < STEPS && !changed && raised; step++) {
		struct plan_patch patch = {};

		change(run);
		if (plan_touched_slices(run, &patch) != 0)
			sync_all(datapath, run->plan, false);
		else
			raised = sync_slices(run, datapath, &patch, step % EVERY == EVERY / 2);
		plan_patch_done(&patch);
		if (step % EVERY == 0)
			changed = what_full_sync_changes(datapath, run->plan);
	}
	tap_ok(!changed, "after slices a full sync finds nothing to do (%d steps)%s%s", step,
	       changed ? "; it has changed " : "", changed ? changed : "");
	tap_ok(raised, "the generations of what changed have risen");
	tap_note("%u by slices, %u of the whole", run->slices, run->wholes);
	tap_ok(run->slices > 0, "steps were made of slices");
}

static void count(void *context)
{
	(*(size_t *)context)++;
}

/* Once for each place that is wanted, at least, whether anything differs or not. */
static void test_breaths(struct datapath *datapath, const struct plan *plan, const size_t *n)
{
	size_t before = *n;

	sync_all(datapath, plan, false);
	tap_ok(*n - before >= plan->n_places, "a full sync breathes between rows (%zu of %zu places)",
	       *n - before, plan->n_places);
}

int main(int argc, char **argv)
{
	size_t n_breaths = 0;
	const struct datapath_options options = {.bpffs = BPFFS, .node = node, .breath = {count, &n_breaths}};
	struct datapath *datapath;
	struct run run = {};

	if (geteuid() != 0 || unshare(CLONE_NEWNET) < 0) {
		tap_skip("slices in the kernel's tables", "needs root");
		return tap_done();
	}
	state = argc > 1 ? strtoull(argv[1], NULL, 0) : (uint64_t)time(NULL) * 2654435761u | 1;
	tap_note("seed %llu", (unsigned long long)state);
	log_set_level(LOG_LEVEL_ERROR);
	(void)str_format(node, sizeof(node), "slices%d", (int)getpid());
	(void)str_format(pins, sizeof(pins), BPFFS "/%s", node);
	begin(&run);
	if (datapath_open(&options, &datapath) < 0)
		return EXIT_FAILURE;
	sync_all(datapath, run.plan, true);
	test_breaths(datapath, run.plan, &n_breaths);
	run_steps(&run, datapath);
	datapath_free(datapath);
	(void)datapath_remove_pins(&options);
	plan_free(run.plan);
	world_free(&run.w);
	return tap_done();
}
