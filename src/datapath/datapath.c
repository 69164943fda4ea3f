/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading and adoption.
 *
 * Every map is pinned under its name. libbpf takes a pinned map instead of making one, so a restarted agent
 * gets the maps with the flows in them, and loads its own programs around them. One write to pl_entry then
 * switches all ports to the new program; the ports' entry programs and links stay.
 *
 * Configuration of another layout cannot be taken over. Then new tables are made beside the old ones, which
 * stay in force with the program before this one until the first sync has filled the new (pins.c). Slots and
 * indexes are read from the old tables, since open flows hold on to them. A flow table of another layout is
 * emptied into the new one by packets and by the sweep (bpf/pl_carry.h, sweep.c).
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
#include "nat_count.h"
#include "pins.h"
#include "servers.h"
#include "table_sizes.h"
#include "tallies.h"

/* libbpf's words, one level lower than it thinks. The thread that works on devices logs nothing. */
static int print_libbpf(enum libbpf_print_level level, const char *format, va_list ap)
{
	char line[1024];
	int length = vsnprintf(line, sizeof(line), format, ap);

	if (gettid() != getpid())
		return 0;
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

/* The running program's maps tell the next agent what is in force; those that it does not read belong to it,
 * too. */
static int bind_maps(const struct datapath *datapath)
{
	int program_fd = bpf_program__fd(datapath->skeleton->progs.pl_main);
	const struct bpf_map *map;

	bpf_object__for_each_map(map, datapath->skeleton->obj)
		if (pins_has(datapath, map) && map != datapath->skeleton->maps.pl_entry &&
		    bpf_prog_bind_map(program_fd, bpf_map__fd(map), NULL) < 0 && errno != EEXIST)
			return -errno;
	return 0;
}

static int bind_old_flows(const struct datapath *datapath)
{
	int outer_fd = bpf_map__fd(datapath->skeleton->maps.pl_flows4_old);
	const uint32_t slot = PL_OLD_READ;

	if (datapath->old_flows_fd < 0)
		return 0;
	return bpf_map_update_elem(outer_fd, &slot, &datapath->old_flows_fd, BPF_ANY) < 0 ? -errno : 0;
}

/* Lets the program delete what it has moved. A packet that was in the program before when that was replaced
 * looks for its flow in the old table: writing to an array of maps returns when no packet is in any program
 * that was one before. (Both writes are such; the second slot has to be written after the first has waited.)
 */
static int release_old_flows(const struct datapath *datapath)
{
	int outer_fd = bpf_map__fd(datapath->skeleton->maps.pl_flows4_old), r = bind_old_flows(datapath);
	const uint32_t slot = PL_OLD_EMPTY;

	if (r < 0 || datapath->old_flows_fd < 0)
		return r;
	return bpf_map_update_elem(outer_fd, &slot, &datapath->old_flows_fd, BPF_ANY) < 0 ? -errno : 0;
}

/* Before any flow takes a token of them. */
static int write_epoch(const struct datapath *datapath)
{
	struct pl_uses uses = {.epoch = datapath->epoch};
	uint32_t zero = 0;

	if (!datapath->epoch)
		return 0;
	return bpf_map_update_elem(bpf_map__fd(datapath->skeleton->maps.pl_uses), &zero, &uses, BPF_ANY) < 0
		       ? -errno
		       : 0;
}

static int load_programs(struct datapath *datapath, const struct datapath_options *options)
{
	int r;

	datapath->skeleton = pl_bpf__open();
	if (!datapath->skeleton)
		return log_errno(-errno, "cannot open the built-in BPF object");
	r = table_sizes_set(datapath->skeleton, options->memory);
	if (r < 0)
		return log_errno(r, "cannot set the tables' sizes");
	r = pins_settle(datapath);
	if (r < 0)
		return r;
	pins_rescue(datapath, options);
	r = pins_prepare(datapath);
	if (r < 0)
		return r;
	datapath->skeleton->rodata->pl_tick_ns = 1000000000u / pl_kernel_hz();
	r = pl_bpf__load(datapath->skeleton);
	if (r < 0)
		return log_load_error(r);
	r = write_epoch(datapath);
	if (r == 0)
		r = bind_maps(datapath);
	if (r == 0)
		r = bind_old_flows(datapath);
	if (r == 0)
		(void)datapath_count_old_flows(datapath); /* it is but a number */
	return r;
}

static int init_table(const struct datapath *datapath, struct table *table, const struct bpf_map *map)
{
	int r = table_init(table, bpf_map__name(map), bpf_map__fd(map));

	table->breath = &datapath->breath;
	return r;
}

/* The number itself comes first in a row of any layout. */
static int copy_generation(void *context, const void *key, const void *value)
{
	const struct datapath *datapath = context;
	uint32_t generation, slot;

	memcpy(&slot, key, sizeof(slot));
	memcpy(&generation, value, sizeof(generation));
	if (slot < datapath->n_slots)
		datapath->generations[slot] = (struct pl_generation){generation, generation};
	return 0;
}

/* The old tables' generations go on in the new ones, since open flows remember them. */
static int copy_generations(struct datapath *datapath)
{
	_cleanup_(closep) int fd = pins_open(datapath, "pl_generations");

	return fd < 0 ? 0 : table_walk(fd, copy_generation, datapath);
}

/* Servers whose connections have some time left keep what they have left. */
static int carry_servers(struct datapath *datapath)
{
	_cleanup_(closep) int fd = pins_open(datapath, "pl_servers");

	return fd < 0 ? 0 : servers_carry(fd, datapath->servers.fd);
}

static int init_mapped(struct datapath *datapath)
{
	const struct pl_bpf *skeleton = datapath->skeleton;
	int r = mapped_open(bpf_map__fd(skeleton->maps.pl_generations), sizeof(*datapath->generations),
			    &datapath->generations_map);

	if (r < 0)
		return r;
	datapath->generations = datapath->generations_map.rows;
	datapath->n_slots = datapath->generations_map.n;
	r = set_table_new(bpf_map__fd(skeleton->maps.pl_sets), &datapath->sets);
	return r < 0 ? r
		     : group_table_new(bpf_map__fd(skeleton->maps.pl_groups),
				       bpf_map__fd(skeleton->maps.pl_cells), &datapath->groups);
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
		{&datapath->limits, skeleton->maps.pl_limits},
		{&datapath->backends, skeleton->maps.pl_backends},
		{&datapath->servers, skeleton->maps.pl_servers},
		{&datapath->proxies, skeleton->maps.pl_proxies},
		{&datapath->listeners, skeleton->maps.pl_listeners},
		{&datapath->enis, skeleton->maps.pl_enis},
		{&datapath->places, skeleton->maps.pl_places},
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(tables) && r == 0; i++)
		r = init_table(datapath, tables[i].table, tables[i].map);
	if (r < 0)
		return r;
	r = init_mapped(datapath);
	if (r < 0)
		return r;
	datapath->slots_in_use = calloc(datapath->n_slots / 8 + 1, 1);
	if (!datapath->slots_in_use)
		return -ENOMEM;
	r = list_table_new(bpf_map__fd(skeleton->maps.pl_maglev), &datapath->maglev);
	if (r == 0)
		r = slot_sets_new(datapath->n_slots, &datapath->slot_sets);
	if (r == 0)
		r = tallies_new(datapath->n_slots, &datapath->tallies);
	if (r == 0)
		r = nat_count_new(datapath);
	if (r == 0 && datapath->is_waiting)
		r = copy_generations(datapath);
	if (r == 0 && datapath->is_waiting)
		r = carry_servers(datapath);
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
		.keeps_guards = datapath->is_waiting,
	};
	const struct bpf_map *map;

	bpf_object__for_each_map(map, datapath->skeleton->obj)
		if (pins_has(datapath, map) && options.n_map_fds < ARRAY_SIZE(map_fds))
			map_fds[options.n_map_fds++] = bpf_map__fd(map);
	return attach_new(&options, &datapath->attach);
}

/* Starts the timer that ends idle flows, or takes it over. Without it they end as new ones open. */
static void arm_timer(const struct datapath *datapath)
{
	static const uint8_t frame[64];

	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame));
	int r = bpf_prog_test_run_opts(bpf_program__fd(datapath->skeleton->progs.pl_arm), &opts);

	if (r == 0)
		r = (int)opts.retval;
	if (r < 0)
		log_warning("cannot start the timer of idle flows, ignoring: %s", strerror(-r));
}

/* From here on every packet is the new program's, and its maps are in force. */
static int switch_program(struct datapath *datapath)
{
	uint32_t zero = 0, program_fd = (uint32_t)bpf_program__fd(datapath->skeleton->progs.pl_main);
	int r;

	if (bpf_map_update_elem(bpf_map__fd(datapath->skeleton->maps.pl_entry), &zero, &program_fd, BPF_ANY) <
	    0)
		return -errno;
	r = release_old_flows(datapath);
	if (r < 0)
		return r;
	datapath->is_waiting = false;
	r = pins_take_place(datapath);
	if (r == 0)
		arm_timer(datapath);
	return r;
}

int datapath_take_over(struct datapath *datapath)
{
	int r;

	if (!datapath->is_waiting || !datapath->is_synced)
		return 0;
	r = switch_program(datapath);
	if (r < 0)
		return log_errno(r, "cannot switch to the new tables dir=%s", datapath->pin_dir);
	log_info("the new tables are filled and in force dir=%s", datapath->pin_dir);
	r = attach_replace_guards(datapath->attach);
	return r < 0 ? log_errno(r, "cannot give all ports the new guard") : 0;
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
	if (r == 0 && !datapath->is_waiting)
		r = switch_program(datapath);
	return r < 0 ? log_errno(r, "cannot set up the data path's tables") : 0;
}

int datapath_open(const struct datapath_options *options, struct datapath **ret)
{
	struct datapath *datapath = calloc(1, sizeof(*datapath));
	int r;

	if (!datapath)
		return -ENOMEM;
	datapath->old_flows_fd = -EBADF;
	datapath->breath = options->breath;
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
	list_table_free(datapath->maglev);
	group_table_free(datapath->groups);
	slot_sets_free(datapath->slot_sets);
	set_table_free(datapath->sets);
	mapped_close(&datapath->generations_map);
	table_done(&datapath->config);
	table_done(&datapath->ports);
	table_done(&datapath->limits);
	table_done(&datapath->backends);
	table_done(&datapath->servers);
	table_done(&datapath->proxies);
	table_done(&datapath->listeners);
	table_done(&datapath->enis);
	table_done(&datapath->places);
	rowset_done(&datapath->waiting);
	free(datapath->slots_in_use);
	nat_count_free(datapath);
	tallies_free(datapath->tallies);
	round_free(datapath);
	closep(&datapath->old_flows_fd);
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
	return pins_repair(datapath);
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

int datapath_sweep_slot(void *context, uint32_t slot)
{
	struct datapath *datapath = context;

	return attach_sweep_slot(datapath->attach, slot);
}

int datapath_sweep_links(struct datapath *datapath)
{
	return attach_sweep(datapath->attach);
}
