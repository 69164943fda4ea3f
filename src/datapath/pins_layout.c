/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether what is pinned is what the program needs, and what becomes of it if not.
 *
 * The tables of configuration are of one layout, all or none: a group's number, say, is good for the
 * rows that name it, and for no others. The flow table is judged by itself, as the counters are.
 */
#include "pins.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "pl.skel.h"

#include "../lib/log.h"
#include "bpf/pl_abi_flow.h"
#include "carry.h"

static bool is_configuration(const struct datapath *datapath, const struct bpf_map *map)
{
	const struct pl_bpf *skeleton = datapath->skeleton;
	const struct bpf_map *const tables[] = {
		skeleton->maps.pl_config,   skeleton->maps.pl_ports,	   skeleton->maps.pl_places,
		skeleton->maps.pl_enis,	    skeleton->maps.pl_listeners,   skeleton->maps.pl_maglev,
		skeleton->maps.pl_backends, skeleton->maps.pl_groups,	   skeleton->maps.pl_cells,
		skeleton->maps.pl_sets,	    skeleton->maps.pl_generations, skeleton->maps.pl_limits,
		skeleton->maps.pl_proxies,  skeleton->maps.pl_servers,
	};

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		if (map == tables[i])
			return true;
	return false;
}

/* The tables that belong to open flows: a row is good for the token that it names, and for no other. */
static bool is_of_flows(const struct datapath *datapath, const struct bpf_map *map)
{
	const struct pl_bpf *skeleton = datapath->skeleton;

	return map == skeleton->maps.pl_flows4 || map == skeleton->maps.pl_tokens ||
	       map == skeleton->maps.pl_free || map == skeleton->maps.pl_free_service ||
	       map == skeleton->maps.pl_owners || map == skeleton->maps.pl_uses ||
	       map == skeleton->maps.pl_round;
}

/* Sources at rest: rows, their turns and their counts. */
static bool is_of_rests(const struct datapath *datapath, const struct bpf_map *map)
{
	const struct pl_bpf *skeleton = datapath->skeleton;

	return map == skeleton->maps.pl_rests || map == skeleton->maps.pl_rest_queue ||
	       map == skeleton->maps.pl_rest_counts;
}

/* Whether a map of that name is pinned and is not what the program needs. */
static bool pin_differs(const struct datapath *datapath, const struct bpf_map *map)
{
	_cleanup_(closep) int fd = pins_open(datapath, bpf_map__name(map));
	struct bpf_map_info info = {};
	uint32_t size = sizeof(info);

	if (fd < 0)
		return false;
	if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		return true;
	return info.type != bpf_map__type(map) || info.key_size != bpf_map__key_size(map) ||
	       info.value_size != bpf_map__value_size(map) || info.max_entries != bpf_map__max_entries(map) ||
	       info.map_flags != bpf_map__map_flags(map);
}

static bool is_pinned(const struct datapath *datapath, const struct bpf_map *map)
{
	_cleanup_(closep) int fd = pins_open(datapath, bpf_map__name(map));

	return fd >= 0;
}

struct versions {
	uint32_t abi, flow; /* 0: nothing is pinned, or it was never written */
};

/* Their places in pl_config are the same for ever, whatever else a row has. */
static int pinned_versions(const struct datapath *datapath, struct versions *ret)
{
	_cleanup_(closep) int fd = pins_open(datapath, "pl_config");
	_cleanup_(freep) uint8_t *row = NULL;
	struct bpf_map_info info = {};
	struct pl_config config = {};
	uint32_t zero = 0, size = sizeof(info);

	*ret = (struct versions){};
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		return -errno;
	if (info.key_size != sizeof(zero)) {
		*ret = (struct versions){UINT32_MAX, UINT32_MAX};
		return 0;
	}
	row = calloc(1, info.value_size);
	if (!row)
		return -ENOMEM;
	if (bpf_map_lookup_elem(fd, &zero, row) < 0)
		return -errno;
	memcpy(&config, row, MIN(sizeof(config), (size_t)info.value_size));
	*ret = (struct versions){config.abi_version, config.flow_version};
	if (ret->abi && !ret->flow)
		ret->flow = 1;
	return 0;
}

static bool is_configuration_other(const struct datapath *datapath, const struct versions *pinned)
{
	const struct bpf_map *map;

	if (pinned->abi && (pinned->abi != PL_ABI_VERSION || pinned->flow != PL_FLOW_VERSION))
		return true;
	bpf_object__for_each_map(map, datapath->skeleton->obj)
		if (is_configuration(datapath, map) && pin_differs(datapath, map))
			return true;
	return false;
}

/* Whether tables that belong together are to be made anew beside those that are pinned, which are others, or
 * not all of them. */
static bool is_group_other(const struct datapath *datapath,
			   bool (*is_member)(const struct datapath *datapath, const struct bpf_map *map))
{
	int n_there = 0, n_missing = 0;
	const struct bpf_map *map;

	bpf_object__for_each_map(map, datapath->skeleton->obj) {
		if (!is_member(datapath, map))
			continue;
		if (pin_differs(datapath, map))
			return true;
		if (is_pinned(datapath, map))
			n_there++;
		else
			n_missing++;
	}
	return n_there && n_missing;
}

static bool is_flows_other(const struct datapath *datapath, const struct versions *pinned)
{
	return (pinned->flow && pinned->flow != PL_FLOW_VERSION) || is_group_other(datapath, is_of_flows);
}

static bool is_map_other(const struct datapath *datapath, const struct bpf_map *map,
			 const struct versions *pinned)
{
	if (is_of_flows(datapath, map))
		return is_flows_other(datapath, pinned);
	if (is_of_rests(datapath, map))
		return is_group_other(datapath, is_of_rests);
	return pin_differs(datapath, map);
}

static int put_beside(const struct datapath *datapath, struct bpf_map *map)
{
	char path[PATH_MAX];
	int r = pins_next(datapath, "", path);

	if (r == 0 && mkdir(path, 0700) < 0 && errno != EEXIST)
		r = -errno;
	if (r == 0)
		r = pins_next(datapath, bpf_map__name(map), path);
	return r < 0 ? r : bpf_map__set_pin_path(map, path);
}

static int put_in_place(const struct datapath *datapath, struct bpf_map *map)
{
	char path[PATH_MAX];
	int r = pins_place(datapath, bpf_map__name(map), path);

	return r < 0 ? r : bpf_map__set_pin_path(map, path);
}

/* The old flow table. */

/* What an agent before this one has not moved yet from a table of a third layout goes to the second, so that
 * there is never more than one old table. */
static int finish_carrying(const struct datapath *datapath, int flows_fd)
{
	_cleanup_(closep) int old_fd = pins_open(datapath, PINS_OLD_FLOWS);
	char path[PATH_MAX];
	int r;

	if (old_fd < 0)
		return 0;
	r = carry_flows(old_fd, flows_fd);
	if (r < 0)
		log_warning("open flows of an older table are lost, ignoring: %s", strerror(-r));
	r = pins_place(datapath, PINS_OLD_FLOWS, path);
	return r < 0 ? r : pins_remove(path);
}

/* New tokens give out other sources than the last ones did. */
static uint32_t next_epoch(const struct datapath *datapath)
{
	_cleanup_(closep) int fd = pins_open(datapath, "pl_uses");
	struct bpf_map_info info = {};
	uint32_t zero = 0, size = sizeof(info);
	struct pl_uses uses = {};

	if (fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &size) == 0 && info.key_size == sizeof(zero) &&
	    info.value_size == sizeof(uses))
		(void)bpf_map_lookup_elem(fd, &zero, &uses);
	return uses.epoch + 1;
}

/* The table that is in pl_flows4's place becomes the old one. */
static int replace_flows(struct datapath *datapath, const struct versions *pinned)
{
	_cleanup_(closep) int fd = pins_open(datapath, "pl_flows4");
	char path[PATH_MAX];
	int r;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	if ((pinned->flow && pinned->flow != PL_FLOW_VERSION) || !carry_is_possible(fd)) {
		log_warning("open flows are lost: the pinned flow table is of a layout that this version "
			    "does not know dir=%s version=%u wanted=%u",
			    datapath->pin_dir, pinned->flow, PL_FLOW_VERSION);
		return 0;
	}
	r = finish_carrying(datapath, fd);
	if (r == 0)
		r = pins_next(datapath, PINS_OLD_FLOWS, path);
	if (r == 0 && bpf_obj_pin(fd, path) < 0)
		r = -errno;
	if (r < 0)
		return r;
	log_info("open flows move over from a table of another layout dir=%s", datapath->pin_dir);
	datapath->old_flows_fd = TAKE_FD(fd);
	return 0;
}

/* What the program needs to know of the old table before it is loaded. */
static int set_old_flows(struct datapath *datapath)
{
	struct bpf_map_info info = {};
	uint32_t size = sizeof(info);

	if (datapath->old_flows_fd < 0)
		return 0;
	if (bpf_obj_get_info_by_fd(datapath->old_flows_fd, &info, &size) < 0)
		return -errno;
	datapath->skeleton->rodata->pl_old_row_size = info.value_size;
	return bpf_map__set_inner_map_fd(datapath->skeleton->maps.pl_flows4_old, datapath->old_flows_fd);
}

int pins_drop_old_flows(struct datapath *datapath)
{
	char path[PATH_MAX];
	int r;

	for (uint32_t slot = 0; slot < PL_OLD_SLOTS; slot++)
		if (bpf_map_delete_elem(bpf_map__fd(datapath->skeleton->maps.pl_flows4_old), &slot) < 0 &&
		    errno != ENOENT)
			return log_errno(-errno, "cannot let go of the old flow table");
	r = pins_place(datapath, PINS_OLD_FLOWS, path);
	if (r == 0)
		r = pins_remove(path);
	if (r < 0)
		return log_errno(r, "cannot remove the old flow table's pin");
	closep(&datapath->old_flows_fd);
	datapath->old_flows_fd = -EBADF;
	datapath->n_old_flows = 0;
	log_info("all flows of the old table have moved or ended dir=%s", datapath->pin_dir);
	return 0;
}

static int prepare_map(struct datapath *datapath, struct bpf_map *map, const struct versions *pinned)
{
	const struct pl_bpf *skeleton = datapath->skeleton;
	int r;

	if (is_configuration(datapath, map))
		return datapath->is_waiting ? put_beside(datapath, map) : put_in_place(datapath, map);
	if (!is_map_other(datapath, map, pinned))
		return put_in_place(datapath, map);
	if (map == skeleton->maps.pl_reasons)
		log_info("counting packets from zero: the pinned counters are of other reasons dir=%s",
			 datapath->pin_dir);
	/* The ports' entry programs jump through it: there is no other beside it. */
	if (map == skeleton->maps.pl_entry) {
		r = put_in_place(datapath, map);
		return r < 0 ? r : pins_remove(bpf_map__pin_path(map));
	}
	r = put_beside(datapath, map);
	return r == 0 && map == skeleton->maps.pl_flows4 ? replace_flows(datapath, pinned) : r;
}

int pins_prepare(struct datapath *datapath)
{
	struct versions pinned;
	struct bpf_map *map;
	int r = pinned_versions(datapath, &pinned);

	if (r < 0)
		return log_errno(r, "cannot read the pinned tables dir=%s", datapath->pin_dir);
	datapath->is_waiting = is_configuration_other(datapath, &pinned);
	if (datapath->is_waiting)
		log_info("making new tables beside those in force, which have another layout dir=%s "
			 "version=%u wanted=%u",
			 datapath->pin_dir, pinned.abi, PL_ABI_VERSION);
	bpf_object__for_each_map(map, datapath->skeleton->obj) {
		if (r == 0 && pins_has(datapath, map))
			r = prepare_map(datapath, map, &pinned);
	}
	if (r == 0 && is_flows_other(datapath, &pinned))
		datapath->epoch = next_epoch(datapath);
	if (r == 0 && datapath->old_flows_fd < 0) {
		int fd = pins_open(datapath, PINS_OLD_FLOWS);

		datapath->old_flows_fd = fd >= 0 ? fd : -EBADF;
	}
	if (r == 0)
		r = set_old_flows(datapath);
	return r < 0 ? log_errno(r, "cannot prepare the tables' pins dir=%s", datapath->pin_dir) : 0;
}
