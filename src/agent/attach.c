/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tcx link is a kernel object with a name in bpffs ("link_<slot>", "guard_<slot>"). When its device goes
 * away the link stays behind, dead: it says interface 0 then, and its pin is removed. The entry program never
 * changes, so a link that stands on the right device is left alone; a guard is replaced in place when the
 * loaded one is another program.
 *
 * libbpf 1.1 knows no tcx: the attach types are given as numbers, and the part of bpf_link_info is declared
 * here.
 */
#include "attach.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/pl_abi.h"
#include "bpf/pl_entry.h"

#define TCX_INGRESS   46
#define TCX_EGRESS    47
#define LINK_TYPE_TCX 11

#define MAPS_MAX 8 /* of a program that is looked at here; both use one or two */

#define FILTER_HANDLE	0x706c
#define FILTER_PRIORITY 0x706c

struct attach {
	enum attach_mode mode;
	char pin_dir[PATH_MAX / 2];
	int entry_map_fd;
	uint32_t entry_map_id;
	int guard_veth_fd, guard_tap_fd;
};

struct tcx_link_info {
	uint32_t type, id, prog_id, pad;
	uint32_t ifindex, attach_type;
	uint8_t rest[64]; /* other kinds of links have more to say */
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

int attach_new(const struct attach_options *options, struct attach **ret)
{
	struct bpf_map_info info = {};
	uint32_t size = sizeof(info);
	struct attach *attach;

	if (bpf_obj_get_info_by_fd(options->entry_map_fd, &info, &size) < 0)
		return -errno;
	attach = calloc(1, sizeof(*attach));
	if (!attach)
		return -ENOMEM;
	attach->entry_map_id = info.id;
	attach->mode = options->mode;
	attach->entry_map_fd = options->entry_map_fd;
	attach->guard_veth_fd = options->guard_veth_fd;
	attach->guard_tap_fd = options->guard_tap_fd;
	if (str_copy(attach->pin_dir, sizeof(attach->pin_dir), options->pin_dir) < 0) {
		free(attach);
		return -ENAMETOOLONG;
	}
	*ret = attach;
	return 0;
}

struct attach *attach_free(struct attach *attach)
{
	free(attach);
	return NULL;
}

/* The entry program of a slot; the descriptor is the caller's. */
static int load_entry(const struct attach *attach, uint32_t slot)
{
	struct bpf_insn insns[PL_ENTRY_INSNS];
	int fd;

	pl_entry_build(insns, slot, attach->entry_map_fd);
	fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "pl_port", "Dual BSD/GPL", insns, PL_ENTRY_INSNS, NULL);
	return fd < 0 ? -errno : fd;
}

static int guard_fd(const struct attach *attach, uint8_t delivery)
{
	return delivery == PL_PORT_TAP ? attach->guard_tap_fd : attach->guard_veth_fd;
}

/* tcx. */

static int link_info(int fd, struct tcx_link_info *ret)
{
	uint32_t size = sizeof(*ret);

	memset(ret, 0, sizeof(*ret));
	return bpf_obj_get_info_by_fd(fd, ret, &size) < 0 ? -errno : 0;
}

static int link_path(const struct attach *attach, const char *what, uint32_t slot, char ret[PATH_MAX])
{
	int r = str_format(ret, PATH_MAX, "%s/%s_%u", attach->pin_dir, what, slot);

	return r < 0 ? r : 0;
}

/* The pinned link of that path if it stands on the device; else the pin is removed. -ENOENT: there is none
 * (now). */
static int open_link(const char *path, uint32_t ifindex, uint32_t attach_type)
{
	_cleanup_(closep) int fd = bpf_obj_get(path);
	struct tcx_link_info info;

	if (fd < 0)
		return errno == ENOENT ? -ENOENT : -errno;
	if (link_info(fd, &info) == 0 && info.type == LINK_TYPE_TCX && info.ifindex == ifindex &&
	    info.attach_type == attach_type)
		return TAKE_FD(fd);
	return unlink(path) < 0 && errno != ENOENT ? -errno : -ENOENT;
}

static int make_link(const char *path, int program_fd, uint32_t ifindex, uint32_t attach_type)
{
	_cleanup_(closep) int fd =
		bpf_link_create(program_fd, (int)ifindex, (enum bpf_attach_type)attach_type, NULL);

	if (fd < 0)
		return -errno;
	return bpf_obj_pin(fd, path) < 0 ? -errno : 0;
}

struct program_facts {
	uint8_t tag[BPF_TAG_SIZE]; /* of its instructions */
	uint32_t maps[MAPS_MAX];   /* ids, in the order of their use */
	uint32_t n_maps;
};

static int program_facts(int fd, struct program_facts *ret)
{
	struct bpf_prog_info info = {};
	uint32_t size = sizeof(info);

	memset(ret, 0, sizeof(*ret));
	info.nr_map_ids = MAPS_MAX;
	info.map_ids = (uintptr_t)ret->maps;
	if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		return -errno;
	memcpy(ret->tag, info.tag, sizeof(ret->tag));
	ret->n_maps = MIN(info.nr_map_ids, (uint32_t)MAPS_MAX);
	return 0;
}

/* Of the program that the link runs. */
static int link_facts(int link_fd, struct program_facts *ret)
{
	_cleanup_(closep) int fd = -EBADF;
	struct tcx_link_info info;
	int r = link_info(link_fd, &info);

	if (r < 0)
		return r;
	fd = bpf_prog_get_fd_by_id(info.prog_id);
	return fd < 0 ? -errno : program_facts(fd, ret);
}

/* Whether the link's entry program jumps through the map that we write. (After the tables were made anew it
 * does not.) */
static bool is_current_entry(const struct attach *attach, int link_fd)
{
	struct program_facts facts;

	return link_facts(link_fd, &facts) == 0 && facts.n_maps == 1 && facts.maps[0] == attach->entry_map_id;
}

static bool is_current_guard(int link_fd, int program_fd)
{
	struct program_facts is, wanted;

	return link_facts(link_fd, &is) == 0 && program_facts(program_fd, &wanted) == 0 &&
	       memcmp(&is, &wanted, sizeof(is)) == 0;
}

static int replace_program(int link_fd, int program_fd)
{
	return bpf_link_update(link_fd, program_fd, NULL) < 0 ? -errno : 0;
}

static int attach_tcx_entry(struct attach *attach, uint32_t slot, uint32_t ifindex)
{
	_cleanup_(closep) int link_fd = -EBADF, program_fd = -EBADF;
	char path[PATH_MAX];
	int r = link_path(attach, "link", slot, path);

	if (r < 0)
		return r;
	link_fd = open_link(path, ifindex, TCX_INGRESS);
	if (link_fd < 0 && link_fd != -ENOENT)
		return link_fd;
	if (link_fd >= 0 && is_current_entry(attach, link_fd))
		return 0;
	program_fd = load_entry(attach, slot);
	if (program_fd < 0)
		return program_fd;
	return link_fd >= 0 ? replace_program(link_fd, program_fd)
			    : make_link(path, program_fd, ifindex, TCX_INGRESS);
}

static int attach_tcx_guard(struct attach *attach, uint32_t slot, uint32_t ifindex, int program_fd)
{
	_cleanup_(closep) int link_fd = -EBADF;
	char path[PATH_MAX];
	int r = link_path(attach, "guard", slot, path);

	if (r < 0)
		return r;
	link_fd = open_link(path, ifindex, TCX_EGRESS);
	if (link_fd == -ENOENT)
		return make_link(path, program_fd, ifindex, TCX_EGRESS);
	if (link_fd < 0 || is_current_guard(link_fd, program_fd))
		return link_fd < 0 ? link_fd : 0;
	return replace_program(link_fd, program_fd);
}

/* clsact. */

static int attach_filter(uint32_t ifindex, enum bpf_tc_attach_point point, int program_fd)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = point);
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = program_fd, .handle = FILTER_HANDLE,
		    .priority = FILTER_PRIORITY, .flags = BPF_TC_F_REPLACE);
	int r = bpf_tc_attach(&hook, &opts);

	/* On a new device the qdisc is missing. One serves both directions. */
	if (r != -EINVAL && r != -ENOENT)
		return r;
	r = bpf_tc_hook_create(&hook);
	if (r < 0 && r != -EEXIST)
		return r;
	opts.prog_id = 0;
	return bpf_tc_attach(&hook, &opts);
}

static int attach_clsact(struct attach *attach, uint32_t slot, uint32_t ifindex, uint8_t delivery)
{
	_cleanup_(closep) int program_fd = load_entry(attach, slot);
	int r;

	if (program_fd < 0)
		return program_fd;
	r = attach_filter(ifindex, BPF_TC_INGRESS, program_fd);
	return r < 0 ? r : attach_filter(ifindex, BPF_TC_EGRESS, guard_fd(attach, delivery));
}

int attach_port(struct attach *attach, uint32_t slot, uint32_t ifindex, uint8_t delivery)
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
	return attach_tcx_guard(attach, slot, ifindex, guard_fd(attach, delivery));
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
		_cleanup_(closep) int fd = -EBADF;
		struct tcx_link_info info;

		if (!str_starts(entry->d_name, "link_") && !str_starts(entry->d_name, "guard_"))
			continue;
		if (str_format(path, sizeof(path), "%s/%s", attach->pin_dir, entry->d_name) < 0)
			continue;
		fd = bpf_obj_get(path);
		r = fd < 0 ? -errno : link_info(fd, &info);
		if (r == 0 && info.ifindex == 0 && unlink(path) < 0)
			r = -errno;
		if (r < 0 && !first_error)
			first_error = r;
	}
	(void)closedir(dir);
	return first_error;
}
