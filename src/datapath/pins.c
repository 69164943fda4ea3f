/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A map's place is <pins>/<name>. The running program's maps are always there, so the next agent finds them.
 *
 * A map of another layout is not touched while a program uses it: the new one is pinned below <pins>/next,
 * and moved when the program has been switched. That is many steps, and any of them may be the last. What
 * counts is which maps the running program uses, and that the kernel knows: what is its own below `next`
 * moves to its place, the rest was for a program that never came. So either the old is whole, or the new.
 *
 * A flow table of another layout keeps a second pin, pl_flows4_old, until the sweep has emptied it.
 */
#include "pins.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "pl.skel.h"

#include "../lib/log.h"
#include "bpffs.h"

#define NEXT "next"

#define PROGRAM_MAPS_MAX 64

int pins_place(const struct datapath *datapath, const char *name, char ret[PATH_MAX])
{
	int r = str_format(ret, PATH_MAX, "%s/%s", datapath->pin_dir, name);

	return r < 0 ? r : 0;
}

int pins_next(const struct datapath *datapath, const char *name, char ret[PATH_MAX])
{
	int r = str_format(ret, PATH_MAX, "%s/" NEXT "/%s", datapath->pin_dir, name);

	return r < 0 ? r : 0;
}

bool pins_has(const struct datapath *datapath, const struct bpf_map *map)
{
	const struct pl_bpf *skeleton = datapath->skeleton;

	return !bpf_map__is_internal(map) && map != skeleton->maps.pl_flows4_old &&
	       map != skeleton->maps.pl_trace && map != skeleton->maps.pl_tracers &&
	       map != skeleton->maps.pl_memos;
}

int pins_open(const struct datapath *datapath, const char *name)
{
	char path[PATH_MAX];
	int fd, r = pins_place(datapath, name, path);

	if (r < 0)
		return r;
	fd = bpf_obj_get(path);
	return fd < 0 ? -errno : fd;
}

int pins_remove(const char *path)
{
	return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

uint32_t pins_map_id(int fd)
{
	struct bpf_map_info info = {};
	uint32_t size = sizeof(info);

	return fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &size) == 0 ? info.id : 0;
}

static uint32_t pinned_id(const char *path)
{
	_cleanup_(closep) int fd = bpf_obj_get(path);

	return pins_map_id(fd);
}

/* Settling. */

struct program_maps {
	uint32_t ids[PROGRAM_MAPS_MAX], n;
};

/* The maps of the program in slot 0 of pl_entry; none, where there is no program. */
static struct program_maps running_maps(const struct datapath *datapath)
{
	_cleanup_(closep) int entry_fd = pins_open(datapath, "pl_entry"), program_fd = -EBADF;
	struct program_maps maps = {};
	struct bpf_prog_info info = {
		.nr_map_ids = PROGRAM_MAPS_MAX,
		.map_ids = (uintptr_t)maps.ids,
	};
	uint32_t zero = 0, id, size = sizeof(info);

	if (entry_fd < 0 || bpf_map_lookup_elem(entry_fd, &zero, &id) < 0)
		return maps;
	program_fd = bpf_prog_get_fd_by_id(id);
	if (program_fd >= 0 && bpf_obj_get_info_by_fd(program_fd, &info, &size) == 0)
		maps.n = MIN(info.nr_map_ids, (uint32_t)PROGRAM_MAPS_MAX);
	return maps;
}

static bool is_running(const struct program_maps *running, uint32_t id)
{
	for (uint32_t i = 0; i < running->n; i++)
		if (id && running->ids[i] == id)
			return true;
	return false;
}

/* To its place or away. */
static int settle_pin(const struct datapath *datapath, const char *name, bool is_kept)
{
	char next[PATH_MAX], place[PATH_MAX];
	int r = pins_next(datapath, name, next);

	if (r == 0)
		r = pins_place(datapath, name, place);
	if (r < 0)
		return r;
	if (!is_kept)
		return pins_remove(next);
	return rename(next, place) < 0 && errno != ENOENT ? -errno : 0;
}

/* The old flow table is no map of the program's own. It goes with the new one, and before it. */
static int settle_old_flows(const struct datapath *datapath, const struct program_maps *running)
{
	char next[PATH_MAX];
	int r = pins_next(datapath, "pl_flows4", next);

	return r < 0 ? r : settle_pin(datapath, PINS_OLD_FLOWS, is_running(running, pinned_id(next)));
}

static int settle_all(const struct datapath *datapath, DIR *dir)
{
	struct program_maps running = running_maps(datapath);
	struct dirent *entry;
	char path[PATH_MAX];
	int r = settle_old_flows(datapath, &running);

	while (r == 0 && (entry = readdir(dir))) {
		if (*entry->d_name == '.' || streq(entry->d_name, PINS_OLD_FLOWS))
			continue;
		r = pins_next(datapath, entry->d_name, path);
		if (r == 0)
			r = settle_pin(datapath, entry->d_name, is_running(&running, pinned_id(path)));
	}
	return r;
}

int pins_settle(const struct datapath *datapath)
{
	char path[PATH_MAX];
	DIR *dir;
	int r = pins_place(datapath, NEXT, path);

	if (r < 0)
		return r;
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? 0 : log_errno(-errno, "cannot read dir=%s", path);
	r = settle_all(datapath, dir);
	(void)closedir(dir);
	if (r == 0)
		r = bpffs_remove_directory(path);
	return r < 0 ? log_errno(r, "cannot put new tables in their place dir=%s", path) : 0;
}

/* Maps that programs before this one had. An agent that goes back makes them anew. */
static int remove_former(const struct datapath *datapath)
{
	static const char *const names[] = {"pl_policies", "pl_rules"};
	char path[PATH_MAX];
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names) && r == 0; i++) {
		r = pins_place(datapath, names[i], path);
		if (r == 0)
			r = pins_remove(path);
	}
	return r;
}

int pins_take_place(struct datapath *datapath)
{
	struct bpf_map *map;
	char path[PATH_MAX];
	int r = pins_settle(datapath);

	if (r == 0)
		r = remove_former(datapath);

	bpf_object__for_each_map(map, datapath->skeleton->obj) {
		if (!pins_has(datapath, map))
			continue;
		if (r == 0)
			r = pins_place(datapath, bpf_map__name(map), path);
		if (r == 0)
			r = bpf_map__set_pin_path(map, path);
	}
	return r;
}

/* Repair. */

/* 1: it had lost its pin. */
static int repair_pin(const struct bpf_map *map)
{
	if (access(bpf_map__pin_path(map), F_OK) == 0)
		return 0;
	if (bpf_obj_pin(bpf_map__fd(map), bpf_map__pin_path(map)) < 0)
		return log_errno(-errno, "cannot pin table=%s", bpf_map__name(map));
	return 1;
}

int pins_repair(struct datapath *datapath)
{
	struct bpf_map *map;
	const char *what = "";
	char path[PATH_MAX];
	int r, repaired = 0;

	r = pins_place(datapath, NEXT, path);
	if (r == 0)
		r = bpffs_make_directory(datapath->is_waiting ? path : datapath->pin_dir, &what);
	if (r < 0)
		return log_errno(r, "%s dir=%s", what, datapath->pin_dir);
	bpf_object__for_each_map(map, datapath->skeleton->obj) {
		r = pins_has(datapath, map) ? repair_pin(map) : 0;
		if (r < 0)
			return r;
		repaired |= r;
	}
	if (repaired)
		log_warning("pinned tables again that someone had removed dir=%s", datapath->pin_dir);
	return repaired;
}
