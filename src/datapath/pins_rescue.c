/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Maps whose pins were removed while no agent ran: programs on the ports still hold them.
 */
#include "pins.h"

#include <stdio.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "pl.skel.h"

#include "../lib/log.h"

struct held_maps {
	uint32_t ids[ATTACH_MAPS_MAX];
	size_t n;
};

static struct bpf_map *find_map(const struct datapath *datapath, const char *name)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, datapath->skeleton->obj)
		if (pins_has(datapath, map) && streq(bpf_map__name(map), name))
			return map;
	return NULL;
}

/* 1: the map of that id is pinned where it belongs, or its counters are; 0: nothing is; -ESTALE: another one
 * is. */
static int is_pinned(const struct datapath *datapath, uint32_t id)
{
	_cleanup_(closep) int fd = bpf_map_get_fd_by_id(id), pinned_fd = -EBADF;
	struct bpf_map_info info = {};
	uint32_t size = sizeof(info);
	const struct bpf_map *map;

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		return -ESTALE;
	map = find_map(datapath, info.name);
	if (!map)
		return 1; /* the guard's own */
	pinned_fd = pins_open(datapath, info.name);
	if (pinned_fd < 0)
		return pinned_fd == -ENOENT ? 0 : -ESTALE;
	return pins_map_id(pinned_fd) == id || map == datapath->skeleton->maps.pl_reasons ? 1 : -ESTALE;
}

/* Whether what a guard holds belongs with what is pinned: no map of a name has two faces. */
static bool fits_pins(const struct datapath *datapath, const struct held_maps *held)
{
	for (size_t i = 0; i < held->n; i++)
		if (is_pinned(datapath, held->ids[i]) < 0)
			return false;
	return held->n > 0;
}

static int pin_held(const struct datapath *datapath, const struct held_maps *held)
{
	int n = 0;

	for (size_t i = 0; i < held->n; i++) {
		_cleanup_(closep) int fd = -EBADF;
		struct bpf_map_info info = {};
		uint32_t size = sizeof(info);
		char path[PATH_MAX];

		if (is_pinned(datapath, held->ids[i]) != 0)
			continue;
		fd = bpf_map_get_fd_by_id(held->ids[i]);
		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size) < 0 ||
		    pins_place(datapath, info.name, path) < 0)
			continue;
		if (bpf_obj_pin(fd, path) < 0)
			return log_errno(-errno, "cannot pin table=%s", info.name);
		n++;
	}
	return n;
}

static bool is_any_pin_missing(const struct datapath *datapath)
{
	const struct bpf_map *map;
	char path[PATH_MAX];

	bpf_object__for_each_map(map, datapath->skeleton->obj)
		if (pins_has(datapath, map) && pins_place(datapath, bpf_map__name(map), path) == 0 &&
		    access(path, F_OK) < 0)
			return true;
	return false;
}

void pins_rescue(const struct datapath *datapath, const struct datapath_options *options)
{
	struct held_maps held;
	int n = 0;

	if (!is_any_pin_missing(datapath))
		return;
	for (size_t i = 0; i < options->n_ifindexes && n == 0; i++)
		if (attach_find_maps(options->ifindexes[i], held.ids, &held.n) == 0 &&
		    fits_pins(datapath, &held))
			n = pin_held(datapath, &held);
	if (n > 0)
		log_warning("pinned tables again that someone had removed n=%d dir=%s", n, datapath->pin_dir);
}
