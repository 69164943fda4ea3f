/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading and adoption.
 *
 * Every map is pinned under its name. libbpf takes a pinned map instead of making one, so a restarted agent
 * gets the maps with the flows in them, and loads its own programs around them. One write to pl_entry then
 * switches all ports to the new program; the ports' entry programs and links stay. Pinned maps of another
 * layout cannot be used: their pins are removed and new maps are made, and that is the one case in which open
 * flows are lost. The ports' links stay even then, so that no port is ever up without a program; attach.c
 * gives them an entry program for the new maps.
 */
#include "datapath.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "pl.skel.h"

#include "../lib/log.h"
#include "bpf/pl_sweep.h"
#include "bpffs.h"
#include "datapath_tables.h"

/* libbpf's words, one level lower than it thinks. */
static int print_libbpf(enum libbpf_print_level level, const char *format, va_list ap)
{
	char line[1024];
	int length = vsnprintf(line, sizeof(line), format, ap);

	while (length > 0 && length < (int)sizeof(line) && line[length - 1] == '\n')
		line[--length] = '\0';
	/* What the kernel says about a try that may fail is no event. */
	if (level == LIBBPF_WARN && !strstr(line, "Kernel error message"))
		log_info("libbpf: %s", line);
	else if (level != LIBBPF_DEBUG)
		log_debug("libbpf: %s", line);
	return 0;
}

static int pin_dir_format(const struct datapath_options *options, char *ret, size_t size)
{
	int r = str_format(ret, size, "%s/%s", options->bpffs, options->node);

	return r < 0 ? r : 0;
}

static int map_path(const struct datapath *datapath, const struct bpf_map *map, char ret[PATH_MAX])
{
	int r = str_format(ret, PATH_MAX, "%s/%s", datapath->pin_dir, bpf_map__name(map));

	return r < 0 ? r : 0;
}

/* The versions in a pinned pl_config; 0: there is none, or it was never written. */
static int pinned_versions(const struct datapath *datapath, uint32_t *ret, uint32_t *ret_flow)
{
	_cleanup_(closep) int fd = -EBADF;
	struct pl_config config;
	struct bpf_map_info info = {};
	uint32_t zero = 0, size = sizeof(info);
	char path[PATH_MAX];
	int r = map_path(datapath, datapath->skeleton->maps.pl_config, path);

	if (r < 0)
		return r;
	*ret = *ret_flow = 0;
	fd = bpf_obj_get(path);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		return -errno;
	if (info.value_size != sizeof(config)) {
		*ret = UINT32_MAX;
		return 0;
	}
	if (bpf_map_lookup_elem(fd, &zero, &config) < 0)
		return -errno;
	*ret = config.abi_version;
	*ret_flow = config.abi_version && !config.flow_version ? 1 : config.flow_version;
	return 0;
}

/* Whether a map of that name is pinned and is not what the program needs. */
static bool pin_differs(const struct datapath *datapath, const struct bpf_map *map)
{
	_cleanup_(closep) int fd = -EBADF;
	struct bpf_map_info info = {};
	uint32_t size = sizeof(info);
	char path[PATH_MAX];

	if (map_path(datapath, map, path) < 0)
		return false;
	fd = bpf_obj_get(path);
	if (fd < 0)
		return false;
	if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		return true;
	return info.type != bpf_map__type(map) || info.key_size != bpf_map__key_size(map) ||
	       info.value_size != bpf_map__value_size(map) || info.max_entries != bpf_map__max_entries(map) ||
	       info.map_flags != bpf_map__map_flags(map);
}

static int remove_map_pin(const struct datapath *datapath, const struct bpf_map *map)
{
	char path[PATH_MAX];
	int r = map_path(datapath, map, path);

	if (r < 0)
		return r;
	return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

/* The version goes last: whoever comes after a removal that broke off still knows that the rest is another's.
 */
static int remove_map_pins(const struct datapath *datapath)
{
	const struct bpf_map *version = datapath->skeleton->maps.pl_config, *map;
	int r = 0;

	bpf_object__for_each_map(map, datapath->skeleton->obj) {
		if (!bpf_map__is_internal(map) && map != version)
			r = remove_map_pin(datapath, map);
		if (r < 0)
			return r;
	}
	return remove_map_pin(datapath, version);
}

/* Of the counters nothing depends: with more reasons, or fewer, they alone begin anew. */
static bool is_counters(const struct datapath *datapath, const struct bpf_map *map)
{
	return map == datapath->skeleton->maps.pl_reasons;
}

static bool any_pin_differs(const struct datapath *datapath)
{
	const struct bpf_map *map;

	bpf_object__for_each_map(map, datapath->skeleton->obj)
		if (!bpf_map__is_internal(map) && !is_counters(datapath, map) && pin_differs(datapath, map))
			return true;
	return false;
}

static int check_counters(const struct datapath *datapath)
{
	const struct bpf_map *counters = datapath->skeleton->maps.pl_reasons;
	int r;

	if (!pin_differs(datapath, counters))
		return 0;
	log_info("counting packets from zero: the pinned counters are of other reasons dir=%s",
		 datapath->pin_dir);
	r = remove_map_pin(datapath, counters);
	return r < 0 ? log_errno(r, "cannot remove pins dir=%s", datapath->pin_dir) : 0;
}

/* Pinned maps of another layout go away. */
static int check_pins(const struct datapath *datapath)
{
	uint32_t version, flow_version;
	int r = pinned_versions(datapath, &version, &flow_version);

	if (r < 0)
		return log_errno(r, "cannot read the pinned tables dir=%s", datapath->pin_dir);
	if ((version == 0 || (version == PL_ABI_VERSION && flow_version == PL_FLOW_VERSION)) &&
	    !any_pin_differs(datapath))
		return check_counters(datapath);
	log_warning("making new tables, open flows are lost: the pinned ones have another layout dir=%s "
		    "version=%u wanted=%u flow_version=%u wanted=%u",
		    datapath->pin_dir, version, PL_ABI_VERSION, flow_version, PL_FLOW_VERSION);
	r = remove_map_pins(datapath);
	return r < 0 ? log_errno(r, "cannot remove pins dir=%s", datapath->pin_dir) : 0;
}

/* Maps whose pins were removed while no agent ran: programs on the ports still hold them. */

struct held_maps {
	uint32_t ids[ATTACH_MAPS_MAX];
	size_t n;
};

static struct bpf_map *find_map(const struct datapath *datapath, const char *name)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, datapath->skeleton->obj)
		if (!bpf_map__is_internal(map) && streq(bpf_map__name(map), name))
			return map;
	return NULL;
}

/* 1: the map of that id is pinned where it belongs, or its counters are; 0: nothing is; -ESTALE: another one
 * is. */
static int is_pinned(const struct datapath *datapath, uint32_t id)
{
	_cleanup_(closep) int fd = bpf_map_get_fd_by_id(id), pinned_fd = -EBADF;
	struct bpf_map_info info = {}, pinned = {};
	uint32_t size = sizeof(info);
	const struct bpf_map *map;
	char path[PATH_MAX];

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		return -ESTALE;
	map = find_map(datapath, info.name);
	if (!map)
		return 1; /* the guard's own */
	if (map_path(datapath, map, path) < 0)
		return -ESTALE;
	pinned_fd = bpf_obj_get(path);
	if (pinned_fd < 0)
		return 0;
	size = sizeof(pinned);
	if (bpf_obj_get_info_by_fd(pinned_fd, &pinned, &size) < 0)
		return -ESTALE;
	return pinned.id == id || is_counters(datapath, map) ? 1 : -ESTALE;
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
		    map_path(datapath, find_map(datapath, info.name), path) < 0)
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
		if (!bpf_map__is_internal(map) && map_path(datapath, map, path) == 0 &&
		    access(path, F_OK) < 0)
			return true;
	return false;
}

/* Without luck new maps are made. */
static void rescue_maps(const struct datapath *datapath, const struct datapath_options *options)
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

static int set_pin_paths(struct datapath *datapath)
{
	struct bpf_map *map;
	char path[PATH_MAX];
	int r;

	bpf_object__for_each_map(map, datapath->skeleton->obj) {
		if (bpf_map__is_internal(map))
			continue;
		r = map_path(datapath, map, path);
		if (r == 0)
			r = bpf_map__set_pin_path(map, path);
		if (r < 0)
			return r;
	}
	return 0;
}

static int log_load_error(int r)
{
	struct utsname kernel;

	(void)uname(&kernel);
	if (r == -EPERM)
		return log_errno(
			r, "the kernel lets us load no BPF program (kernel=%s; needs CAP_BPF, CAP_NET_ADMIN)",
			kernel.release);
	return log_errno(r, "cannot load the data path (kernel=%s; 6.1 or later is needed, with BPF)",
			 kernel.release);
}

static int load_programs(struct datapath *datapath, const struct datapath_options *options)
{
	int r;

	datapath->skeleton = pl_bpf__open();
	if (!datapath->skeleton)
		return log_errno(-errno, "cannot open the built-in BPF object");
	rescue_maps(datapath, options);
	r = check_pins(datapath);
	if (r < 0)
		return r;
	r = set_pin_paths(datapath);
	if (r == 0)
		r = pl_bpf__load(datapath->skeleton);
	return r < 0 ? log_load_error(r) : 0;
}

static int init_table(struct table *table, const struct bpf_map *map)
{
	return table_init(table, bpf_map__name(map), bpf_map__fd(map));
}

static int init_tables(struct datapath *datapath)
{
	struct pl_bpf *skeleton = datapath->skeleton;
	const struct {
		struct table *table;
		const struct bpf_map *map;
	} tables[] = {
		{&datapath->config, skeleton->maps.pl_config},
		{&datapath->ports, skeleton->maps.pl_ports},
		{&datapath->backends, skeleton->maps.pl_backends},
		{&datapath->listeners, skeleton->maps.pl_listeners},
		{&datapath->policies, skeleton->maps.pl_policies},
		{&datapath->enis, skeleton->maps.pl_enis},
		{&datapath->places, skeleton->maps.pl_places},
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(tables) && r == 0; i++)
		r = init_table(tables[i].table, tables[i].map);
	if (r < 0)
		return r;
	datapath->generations_fd = bpf_map__fd(skeleton->maps.pl_generations);
	datapath->n_slots = bpf_map__max_entries(skeleton->maps.pl_generations);
	datapath->generations = calloc(datapath->n_slots, sizeof(*datapath->generations));
	datapath->slots_in_use = calloc(datapath->n_slots / 8 + 1, 1);
	if (!datapath->generations || !datapath->slots_in_use)
		return -ENOMEM;
	r = region_table_new(bpf_map__fd(skeleton->maps.pl_rules), &datapath->rules);
	if (r == 0)
		r = region_table_new(bpf_map__fd(skeleton->maps.pl_maglev), &datapath->maglev);
	return r < 0 ? r : datapath_load_tables(datapath);
}

static int init_attach(struct datapath *datapath, enum attach_mode mode)
{
	int map_fds[ATTACH_MAPS_MAX];
	struct attach_options options = {
		.map_fds = map_fds,
		.mode = mode,
		.pin_dir = datapath->pin_dir,
		.entry_map_fd = bpf_map__fd(datapath->skeleton->maps.pl_entry),
		.guard_veth_fd = bpf_program__fd(datapath->skeleton->progs.pl_guard_veth),
		.guard_tap_fd = bpf_program__fd(datapath->skeleton->progs.pl_guard_tap),
	};
	const struct bpf_map *map;

	bpf_object__for_each_map(map, datapath->skeleton->obj)
		if (!bpf_map__is_internal(map) && options.n_map_fds < ARRAY_SIZE(map_fds))
			map_fds[options.n_map_fds++] = bpf_map__fd(map);
	return attach_new(&options, &datapath->attach);
}

/* From here on every packet is the new program's. */
static int switch_program(struct datapath *datapath)
{
	uint32_t zero = 0, program_fd = (uint32_t)bpf_program__fd(datapath->skeleton->progs.pl_main);

	return bpf_map_update_elem(bpf_map__fd(datapath->skeleton->maps.pl_entry), &zero, &program_fd,
				   BPF_ANY) < 0
		       ? -errno
		       : 0;
}

/* Marks new tables with their layout's version at once, so that they are never taken for another's. */
static int write_version(struct datapath *datapath)
{
	uint32_t zero = 0;
	struct pl_config config = {};
	int fd = bpf_map__fd(datapath->skeleton->maps.pl_config);

	if (bpf_map_lookup_elem(fd, &zero, &config) < 0)
		return -errno;
	if (config.abi_version == PL_ABI_VERSION && config.flow_version == PL_FLOW_VERSION)
		return 0;
	config.abi_version = PL_ABI_VERSION;
	config.flow_version = PL_FLOW_VERSION;
	config.hz = pl_kernel_hz();
	return bpf_map_update_elem(fd, &zero, &config, BPF_ANY) < 0 ? -errno : 0;
}

static int open_all(struct datapath *datapath, const struct datapath_options *options)
{
	const char *what = "";
	int r = bpffs_make_directory(datapath->pin_dir, &what);

	if (r < 0)
		return log_errno(r, "%s dir=%s", what, datapath->pin_dir);
	r = load_programs(datapath, options);
	if (r < 0)
		return r;
	r = write_version(datapath);
	if (r == 0)
		r = init_tables(datapath);
	if (r == 0)
		r = init_attach(datapath, options->attach);
	if (r == 0)
		r = switch_program(datapath);
	return r < 0 ? log_errno(r, "cannot set up the data path's tables") : 0;
}

int datapath_open(const struct datapath_options *options, struct datapath **ret)
{
	struct datapath *datapath = calloc(1, sizeof(*datapath));
	int r;

	if (!datapath)
		return -ENOMEM;
	(void)libbpf_set_print(print_libbpf);
	r = pin_dir_format(options, datapath->pin_dir, sizeof(datapath->pin_dir));
	if (r < 0)
		r = log_errno(r, "the directory for pins has too long a name");
	else
		r = open_all(datapath, options);
	if (r < 0) {
		datapath_free(datapath);
		return r;
	}
	*ret = datapath;
	return 0;
}

struct datapath *datapath_free(struct datapath *datapath)
{
	if (!datapath)
		return NULL;
	attach_free(datapath->attach);
	region_table_free(datapath->rules);
	region_table_free(datapath->maglev);
	table_done(&datapath->config);
	table_done(&datapath->ports);
	table_done(&datapath->backends);
	table_done(&datapath->listeners);
	table_done(&datapath->policies);
	table_done(&datapath->enis);
	table_done(&datapath->places);
	free(datapath->generations);
	free(datapath->slots_in_use);
	pl_bpf__destroy(datapath->skeleton);
	free(datapath);
	return NULL;
}

int datapath_remove_pins(const struct datapath_options *options)
{
	char dir[PATH_MAX / 2];
	int r = pin_dir_format(options, dir, sizeof(dir));

	if (r == 0)
		r = bpffs_remove_directory(dir);
	/* The directory above goes with its last node. */
	if (r == 0)
		(void)rmdir(options->bpffs);
	return r < 0 ? log_errno(r, "cannot remove pins dir=%s", dir) : 0;
}

int datapath_repair_pins(struct datapath *datapath)
{
	struct bpf_map *map;
	const char *what = "";
	char path[PATH_MAX];
	int r, repaired = 0;

	r = bpffs_make_directory(datapath->pin_dir, &what);
	if (r < 0)
		return log_errno(r, "%s dir=%s", what, datapath->pin_dir);
	bpf_object__for_each_map(map, datapath->skeleton->obj) {
		if (bpf_map__is_internal(map) || map_path(datapath, map, path) < 0 || access(path, F_OK) == 0)
			continue;
		if (bpf_obj_pin(bpf_map__fd(map), path) < 0)
			return log_errno(-errno, "cannot pin table=%s", bpf_map__name(map));
		repaired = 1;
	}
	if (repaired)
		log_warning("pinned tables again that someone had removed dir=%s", datapath->pin_dir);
	return repaired;
}

int datapath_adopt_indexes(struct datapath *datapath, struct plan_indexes *indexes)
{
	const struct rowset *rows = &datapath->ports.mirror;
	int r = 0;

	for (size_t i = 0; i < rows->n && (r == 0 || r == -EEXIST); i++) {
		const struct pl_port *port = (const void *)rowset_value(rows, i);
		uint32_t slot;

		memcpy(&slot, rowset_key(rows, i), sizeof(slot));
		if (slot != PL_SLOT_SERVICE)
			r = plan_indexes_adopt_slot(indexes, port->number, slot);
	}
	rows = &datapath->enis.mirror;
	for (size_t i = 0; i < rows->n && (r == 0 || r == -EEXIST); i++) {
		const struct pl_eni *eni = (const void *)rowset_value(rows, i);
		uint32_t slot;

		memcpy(&slot, rowset_key(rows, i), sizeof(slot));
		r = plan_indexes_adopt_slot(indexes, eni->number, slot);
	}
	rows = &datapath->backends.mirror;
	for (size_t i = 0; i < rows->n && (r == 0 || r == -EEXIST); i++) {
		const struct pl_backend *backend = (const void *)rowset_value(rows, i);
		uint32_t index;

		memcpy(&index, rowset_key(rows, i), sizeof(index));
		r = plan_indexes_adopt_backend(indexes, backend->vpc, &backend->addr, backend->port, index);
	}
	rows = &datapath->listeners.mirror;
	for (size_t i = 0; i < rows->n; i++)
		plan_indexes_adopt_target(indexes,
					  ((const struct pl_listener_key *)rowset_key(rows, i))->target);
	return r == -EEXIST ? 0 : r;
}

void datapath_set_node(struct datapath *datapath, uint32_t number)
{
	datapath->node_number = number;
}

int datapath_attach(void *context, uint32_t slot, uint32_t ifindex, uint8_t delivery)
{
	struct datapath *datapath = context;

	return attach_port(datapath->attach, slot, ifindex, delivery);
}

enum port_check datapath_check(void *context, uint32_t slot, uint32_t ifindex, uint8_t delivery)
{
	struct datapath *datapath = context;

	return attach_check(datapath->attach, slot, ifindex, delivery);
}

int datapath_sweep_links(struct datapath *datapath)
{
	return attach_sweep(datapath->attach);
}
