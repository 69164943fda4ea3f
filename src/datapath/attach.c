/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tcx link has a name in bpffs ("link_<slot>", "guard_<slot>"). When its device goes away the link stays
 * behind, dead: it says interface 0 then, and its pin is removed. The entry program never changes, so a link
 * that stands on the right device is left alone; a guard is replaced in place when the loaded one is another
 * program.
 *
 * Links live by their pins, and a file can be removed by anyone's mistake. A filter lives by its qdisc. So a
 * port has both, and the one is not lost with the other: tcx runs first, and the entry program never says
 * "next"; when it is gone, the filter behind it drops. The guards also hold on to all maps, so that flows and
 * rules are found again (attach_find_maps) after all pins were lost and no agent ran.
 */
#include "attach.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "../lib/log.h"
#include "attach_link.h"
#include "bpf/pl_abi.h"
#include "bpf/pl_entry.h"
#include "rowset.h"

#define ENTRY_NAME "pl_port"
#define BAR_NAME   "pl_bar"
#define GUARD_NAME "pl_guard_" /* then veth or tap */

#define FILTER_HANDLE	0x706c
#define FILTER_PRIORITY 0x706c

struct attach {
	enum attach_mode mode;
	char pin_dir[PATH_MAX / 2];
	int entry_map_fd;
	uint32_t entry_map_id;
	int guard_veth_fd, guard_tap_fd;
	int bar_fd;	    /* drops all */
	bool has_no_filter; /* the kernel has tcx, but no filters */
	bool keeps_guards;
	struct rowset seen; /* while guards are kept: slot -> struct seen_port */
};

struct seen_port {
	uint32_t ifindex;
	uint8_t delivery;
};

int attach_mode_parse(const char *name, enum attach_mode *ret)
{
	static const char *const names[] = {
		[ATTACH_AUTO] = "auto", [ATTACH_TCX] = "tcx", [ATTACH_CLSACT] = "clsact"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (streq(name, names[i])) {
			*ret = (enum attach_mode)i;
			return 0;
		}
	return -EINVAL;
}

/* A program that lets nothing pass; the descriptor is the caller's. */
static int load_bar(void)
{
	const struct bpf_insn insns[] = {
		{.code = BPF_ALU | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = TC_ACT_SHOT},
		{.code = BPF_JMP | BPF_EXIT},
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, BAR_NAME, "Dual BSD/GPL", insns, ARRAY_SIZE(insns),
			       NULL);

	return fd < 0 ? -errno : fd;
}

static int keep_maps(const struct attach_options *options, int guard_fd)
{
	for (size_t i = 0; i < options->n_map_fds; i++)
		if (bpf_prog_bind_map(guard_fd, options->map_fds[i], NULL) < 0 && errno != EEXIST)
			return -errno;
	return 0;
}

int attach_new(const struct attach_options *options, struct attach **ret)
{
	struct bpf_map_info info = {};
	uint32_t size = sizeof(info);
	struct attach *attach;
	int r;

	if (bpf_obj_get_info_by_fd(options->entry_map_fd, &info, &size) < 0)
		return -errno;
	r = keep_maps(options, options->guard_veth_fd);
	if (r == 0)
		r = keep_maps(options, options->guard_tap_fd);
	if (r < 0)
		return r;
	attach = calloc(1, sizeof(*attach));
	if (!attach)
		return -ENOMEM;
	attach->bar_fd = load_bar();
	attach->entry_map_id = info.id;
	attach->mode = options->mode;
	attach->entry_map_fd = options->entry_map_fd;
	attach->guard_veth_fd = options->guard_veth_fd;
	attach->guard_tap_fd = options->guard_tap_fd;
	attach->keeps_guards = options->keeps_guards;
	attach->seen = rowset_make(sizeof(uint32_t), sizeof(struct seen_port));
	r = MIN(attach->bar_fd, 0);
	if (r == 0 && str_copy(attach->pin_dir, sizeof(attach->pin_dir), options->pin_dir) < 0)
		r = -ENAMETOOLONG;
	if (r < 0) {
		attach_free(attach);
		return r;
	}
	*ret = attach;
	return 0;
}

struct attach *attach_free(struct attach *attach)
{
	if (!attach)
		return NULL;
	closep(&attach->bar_fd);
	rowset_done(&attach->seen);
	free(attach);
	return NULL;
}

/* The entry program of a slot; the descriptor is the caller's. */
static int load_entry(const struct attach *attach, uint32_t slot)
{
	struct bpf_insn insns[PL_ENTRY_INSNS];
	int fd;

	pl_entry_build(insns, slot, attach->entry_map_fd);
	fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, ENTRY_NAME, "Dual BSD/GPL", insns, PL_ENTRY_INSNS, NULL);
	return fd < 0 ? -errno : fd;
}

static int guard_fd(const struct attach *attach, uint8_t delivery)
{
	return delivery == PL_PORT_TAP ? attach->guard_tap_fd : attach->guard_veth_fd;
}

static bool is_entry(const struct attach *attach, const struct program_facts *facts)
{
	/* (After the tables were made anew it jumps through another map.) */
	return streq(facts->name, ENTRY_NAME) && facts->n_maps == 1 && facts->maps[0] == attach->entry_map_id;
}

static bool is_guard(const struct program_facts *facts, uint8_t delivery)
{
	return str_starts(facts->name, GUARD_NAME) &&
	       streq(facts->name + strlen(GUARD_NAME), delivery == PL_PORT_TAP ? "tap" : "veth");
}

/* The same instructions, and the same maps. */
static bool is_same_program(const struct program_facts *a, int b_fd)
{
	struct program_facts b;

	return program_facts(b_fd, &b) == 0 && memcmp(a->tag, b.tag, sizeof(b.tag)) == 0 &&
	       a->n_maps == b.n_maps && memcmp(a->maps, b.maps, sizeof(b.maps)) == 0;
}

/* tcx. */

static int link_path(const struct attach *attach, const char *what, uint32_t slot, char ret[PATH_MAX])
{
	int r = str_format(ret, PATH_MAX, "%s/%s_%u", attach->pin_dir, what, slot);

	return r < 0 ? r : 0;
}

static int attach_tcx_entry(struct attach *attach, uint32_t slot, uint32_t ifindex)
{
	_cleanup_(closep) int link_fd = -EBADF, program_fd = -EBADF;
	char path[PATH_MAX];
	const struct link_place place = {
		.path = path, .ifindex = ifindex, .direction = LINK_INGRESS, .name = ENTRY_NAME};
	struct program_facts facts;
	uint32_t id;
	int r = link_path(attach, "link", slot, path);

	if (r < 0)
		return r;
	link_fd = link_take(&place, &id);
	if (link_fd < 0 && link_fd != -ENOENT)
		return link_fd;
	program_fd = load_entry(attach, slot);
	if (program_fd < 0)
		return program_fd;
	if (link_fd < 0)
		return link_make(&place, program_fd);
	if (program_facts_by_id(id, &facts) == 0 && is_same_program(&facts, program_fd))
		return 0;
	return link_replace_program(link_fd, program_fd);
}

static int attach_tcx_guard(struct attach *attach, uint32_t slot, uint32_t ifindex, int program_fd)
{
	_cleanup_(closep) int link_fd = -EBADF;
	char path[PATH_MAX];
	const struct link_place place = {
		.path = path, .ifindex = ifindex, .direction = LINK_EGRESS, .name = GUARD_NAME};
	struct program_facts facts;
	uint32_t id;
	int r = link_path(attach, "guard", slot, path);

	if (r < 0)
		return r;
	link_fd = link_take(&place, &id);
	if (link_fd == -ENOENT)
		return link_make(&place, program_fd);
	if (link_fd < 0)
		return link_fd;
	if (program_facts_by_id(id, &facts) == 0 &&
	    (attach->keeps_guards || is_same_program(&facts, program_fd)))
		return 0;
	return link_replace_program(link_fd, program_fd);
}

/* Filters of a clsact qdisc. */

/* 0: there is none. */
static uint32_t filter_program(uint32_t ifindex, enum bpf_tc_attach_point point)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = point);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = FILTER_HANDLE, .priority = FILTER_PRIORITY);

	return bpf_tc_query(&hook, &opts) == 0 ? opts.prog_id : 0;
}

static int attach_filter(uint32_t ifindex, enum bpf_tc_attach_point point, int program_fd)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = point);
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = program_fd, .handle = FILTER_HANDLE,
		    .priority = FILTER_PRIORITY, .flags = BPF_TC_F_REPLACE);
	struct program_facts facts;
	int r;

	if (program_facts_by_id(filter_program(ifindex, point), &facts) == 0 &&
	    is_same_program(&facts, program_fd))
		return 0;
	r = bpf_tc_attach(&hook, &opts);
	/* On a new device the qdisc is missing. One serves both directions. */
	if (r != -EINVAL && r != -ENOENT)
		return r;
	r = bpf_tc_hook_create(&hook);
	if (r < 0 && r != -EEXIST)
		return r;
	opts.prog_id = 0;
	return bpf_tc_attach(&hook, &opts);
}

static int attach_filters(struct attach *attach, uint32_t ifindex, int ingress_fd, uint8_t delivery)
{
	int r = attach_filter(ifindex, BPF_TC_INGRESS, ingress_fd);
	struct program_facts facts;

	if (r == 0 && attach->keeps_guards &&
	    program_facts_by_id(filter_program(ifindex, BPF_TC_EGRESS), &facts) == 0 &&
	    is_guard(&facts, delivery))
		return 0;
	return r < 0 ? r : attach_filter(ifindex, BPF_TC_EGRESS, guard_fd(attach, delivery));
}

static int attach_clsact(struct attach *attach, uint32_t slot, uint32_t ifindex, uint8_t delivery)
{
	_cleanup_(closep) int program_fd = load_entry(attach, slot);

	return program_fd < 0 ? program_fd : attach_filters(attach, ifindex, program_fd, delivery);
}

/* What lets nothing pass when the links are gone. */
static int attach_bar(struct attach *attach, uint32_t ifindex, uint8_t delivery)
{
	int r;

	if (attach->has_no_filter)
		return 0;
	r = attach_filters(attach, ifindex, attach->bar_fd, delivery);
	if (r == -ENOENT || r == -EOPNOTSUPP) {
		log_warning("ports have tcx links alone, ignoring: this kernel has no cls_bpf filters");
		attach->has_no_filter = true;
		r = 0;
	}
	return r;
}

static int attach_port_now(struct attach *attach, uint32_t slot, uint32_t ifindex, uint8_t delivery)
{
	int r;

	if (attach->mode == ATTACH_CLSACT)
		return attach_clsact(attach, slot, ifindex, delivery);
	r = attach_tcx_entry(attach, slot, ifindex);
	if (r == -EINVAL && attach->mode == ATTACH_AUTO) {
		/* A kernel before 6.6 does not know the attach type. */
		attach->mode = ATTACH_CLSACT;
		return attach_clsact(attach, slot, ifindex, delivery);
	}
	if (r < 0)
		return r;
	attach->mode = ATTACH_TCX;
	r = attach_tcx_guard(attach, slot, ifindex, guard_fd(attach, delivery));
	return r < 0 ? r : attach_bar(attach, ifindex, delivery);
}

int attach_port(struct attach *attach, uint32_t slot, uint32_t ifindex, uint8_t delivery)
{
	const struct seen_port seen = {.ifindex = ifindex, .delivery = delivery};
	int r = attach->keeps_guards ? rowset_append(&attach->seen, &slot, &seen) : 0;

	return r < 0 ? r : attach_port_now(attach, slot, ifindex, delivery);
}

int attach_replace_guards(struct attach *attach)
{
	int r, first_error = 0;

	attach->keeps_guards = false;
	for (size_t i = 0; i < attach->seen.n; i++) {
		const struct seen_port *port = (const void *)rowset_value(&attach->seen, i);
		uint32_t slot;

		memcpy(&slot, rowset_key(&attach->seen, i), sizeof(slot));
		r = attach_port_now(attach, slot, port->ifindex, port->delivery);
		/* A device may have gone meanwhile. */
		if (r < 0 && r != -ENODEV && !first_error)
			first_error = r;
	}
	rowset_clear(&attach->seen);
	return first_error;
}

static bool has_filters(const struct attach *attach, enum attach_mode mode, uint32_t ifindex,
			uint8_t delivery)
{
	struct program_facts in, out;

	return program_facts_by_id(filter_program(ifindex, BPF_TC_INGRESS), &in) == 0 &&
	       program_facts_by_id(filter_program(ifindex, BPF_TC_EGRESS), &out) == 0 &&
	       (mode == ATTACH_CLSACT ? is_entry(attach, &in) : streq(in.name, BAR_NAME)) &&
	       is_guard(&out, delivery);
}

static bool has_links(const struct attach *attach, uint32_t ifindex, uint8_t delivery)
{
	struct program_facts in, out;
	uint32_t in_id, out_id;

	return link_first_program(ifindex, LINK_INGRESS, &in_id) == 0 &&
	       link_first_program(ifindex, LINK_EGRESS, &out_id) == 0 &&
	       program_facts_by_id(in_id, &in) == 0 && program_facts_by_id(out_id, &out) == 0 &&
	       is_entry(attach, &in) && is_guard(&out, delivery);
}

static bool has_pins(const struct attach *attach, uint32_t slot)
{
	char path[PATH_MAX];

	return link_path(attach, "link", slot, path) == 0 && access(path, F_OK) == 0 &&
	       link_path(attach, "guard", slot, path) == 0 && access(path, F_OK) == 0;
}

enum port_check attach_check(struct attach *attach, uint32_t slot, uint32_t ifindex, uint8_t delivery)
{
	if (attach->mode == ATTACH_CLSACT)
		return has_filters(attach, ATTACH_CLSACT, ifindex, delivery) ? PORT_FIRM : PORT_BARE;
	if (!has_links(attach, ifindex, delivery)) {
		/* Which of the two a new agent will use it learns from the first port. */
		return attach->mode == ATTACH_AUTO && has_filters(attach, ATTACH_CLSACT, ifindex, delivery)
			       ? PORT_LOOSE
			       : PORT_BARE;
	}
	if (!has_pins(attach, slot) ||
	    (!attach->has_no_filter && !has_filters(attach, ATTACH_TCX, ifindex, delivery)))
		return PORT_LOOSE;
	return PORT_FIRM;
}

int attach_sweep(struct attach *attach)
{
	char path[PATH_MAX];
	struct dirent *entry;
	int first_error = 0, r;
	DIR *dir;

	if (attach->mode == ATTACH_CLSACT)
		return 0;
	dir = opendir(attach->pin_dir);
	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		if (!str_starts(entry->d_name, "link_") && !str_starts(entry->d_name, "guard_"))
			continue;
		if (str_format(path, sizeof(path), "%s/%s", attach->pin_dir, entry->d_name) < 0)
			continue;
		r = link_sweep(path);
		if (r < 0 && !first_error)
			first_error = r;
	}
	(void)closedir(dir);
	return first_error;
}

int attach_sweep_slot(struct attach *attach, uint32_t slot)
{
	static const char *const names[] = {"link", "guard"};
	int first_error = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names) && attach->mode != ATTACH_CLSACT; i++) {
		char path[PATH_MAX];
		int r = link_path(attach, names[i], slot, path);

		if (r == 0)
			r = link_sweep(path);
		if (r < 0 && r != -ENOENT && !first_error)
			first_error = r;
	}
	return first_error;
}

int attach_find_maps(uint32_t ifindex, uint32_t ret_ids[ATTACH_MAPS_MAX], size_t *ret_n)
{
	struct program_facts facts;
	uint32_t id = filter_program(ifindex, BPF_TC_EGRESS);

	if (!id)
		(void)link_first_program(ifindex, LINK_EGRESS, &id);
	if (!id || program_facts_by_id(id, &facts) < 0 || !str_starts(facts.name, GUARD_NAME))
		return -ENOENT;
	*ret_n = MIN(facts.n_maps, (uint32_t)ATTACH_MAPS_MAX);
	memcpy(ret_ids, facts.maps, *ret_n * sizeof(*ret_ids));
	return 0;
}
