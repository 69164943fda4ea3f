/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's tables of a node of the test's own, without a device or a packet: what is written into them,
 * and what somebody else makes of it. For the test's only source file.
 */
#pragma once

#include <unistd.h>

#include <bpf/bpf.h>

#include "datapath/datapath.h"
#include "datapath/table.h"
#include "tests/unit/slice_world.h"

#define BPFFS "/sys/fs/bpf/privlink-test"

struct tables {
	char node[32];
	struct datapath *datapath;
};

static const struct {
	const char *name;
	size_t key_size, value_size;
} maps[] = {
	{"pl_config", 4, sizeof(struct pl_config)},
	{"pl_ports", 4, sizeof(struct pl_port)},
	{"pl_enis", 4, sizeof(struct pl_eni)},
	{"pl_limits", 4, sizeof(struct pl_limit)},
	{"pl_places", sizeof(struct pl_place_key), sizeof(struct pl_place)},
	{"pl_proxies", sizeof(struct pl_proxy_key), sizeof(struct pl_proxy)},
	{"pl_backends", 4, sizeof(struct pl_backend)},
	{"pl_servers", sizeof(struct pl_server_key), sizeof(struct pl_server)},
	{"pl_listeners", sizeof(struct pl_listener_key), sizeof(struct pl_listener)},
	{"pl_groups", 4, sizeof(struct pl_group)},
	{"pl_generations", 4, sizeof(struct pl_generation)},
};

static size_t map_of(const char *name)
{
	size_t map = 0;

	while (!streq(maps[map].name, name))
		map++;
	return map;
}

static int add_row(void *context, const void *key, const void *value)
{
	return rowset_append(context, key, value);
}

static int open_map(const struct tables *tables, size_t map)
{
	char path[256];

	(void)str_format(path, sizeof(path), BPFFS "/%s/%s", tables->node, maps[map].name);
	return bpf_obj_get(path);
}

__attribute__((unused)) static struct rowset dump(const struct tables *tables, size_t map)
{
	struct rowset rows = rowset_make(maps[map].key_size, maps[map].value_size);
	int fd = open_map(tables, map);

	if (fd < 0 || table_walk(fd, add_row, &rows) < 0) {
		fprintf(stderr, "cannot read %s\n", maps[map].name);
		exit(EXIT_FAILURE);
	}
	close(fd);
	rowset_sort(&rows);
	return rows;
}

static void sync_all(const struct tables *tables, const struct plan *plan, bool full)
{
	const struct plan_port service = {.slot = PL_SLOT_SERVICE,
					  .row = {.number = UINT32_MAX, .ifindex = 99, .mtu = 1500}};
	struct failures failures = {};

	if (datapath_sync(tables->datapath, plan, &service, full, &failures) < 0 || failures.n) {
		fprintf(stderr, "cannot sync\n");
		exit(EXIT_FAILURE);
	}
	failures_clear(&failures);
}

static size_t n_breaths;

static void count(void *context)
{
	(*(size_t *)context)++;
}

static void open_tables(struct tables *tables, const char *name)
{
	struct datapath_options options = {
		.bpffs = BPFFS, .node = tables->node, .breath = {count, &n_breaths}};

	(void)str_format(tables->node, sizeof(tables->node), "%s%d", name, (int)getpid());
	if (datapath_open(&options, &tables->datapath) < 0)
		exit(EXIT_FAILURE);
}

static void close_tables(struct tables *tables)
{
	const struct datapath_options options = {.bpffs = BPFFS, .node = tables->node};

	datapath_free(tables->datapath);
	(void)datapath_remove_pins(&options);
}

static void change_element(const struct tables *tables, size_t map, const void *key, const void *value)
{
	static const uint8_t none[256];
	int fd = open_map(tables, map), r = -1;

	if (!value)
		r = bpf_map_delete_elem(fd, key); /* an array's has zeros then */
	if (r < 0 && bpf_map_update_elem(fd, key, value ? value : none, BPF_ANY) < 0)
		exit(EXIT_FAILURE);
	close(fd);
}
