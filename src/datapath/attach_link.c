/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libbpf 1.1 knows no tcx: the attach types are given as numbers, and the parts of the kernel's structures
 * that came later are declared here.
 */
#include "attach_link.h"

#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>

#define TCX_INGRESS   46
#define TCX_EGRESS    47
#define LINK_TYPE_TCX 11
#define IN_FRONT      (1U << 3) /* BPF_F_BEFORE */

#define PROGRAMS_MAX 64 /* of a device in one direction; the kernel's own limit */

struct tcx_link_info {
	uint32_t type, id, prog_id, pad;
	uint32_t ifindex, attach_type;
	uint8_t rest[64]; /* other kinds of links have more to say */
};

/* As the command BPF_PROG_QUERY takes it. */
struct tcx_query {
	uint32_t ifindex, attach_type, query_flags, attach_flags;
	uint64_t program_ids;
	uint32_t count, pad;
	uint64_t program_flags, link_ids, link_flags, revision;
};

struct attached {
	uint32_t programs[PROGRAMS_MAX], links[PROGRAMS_MAX]; /* in the order in which they run */
	size_t n;
};

static uint32_t attach_type(enum link_direction direction)
{
	return direction == LINK_INGRESS ? TCX_INGRESS : TCX_EGRESS;
}

int program_facts(int program_fd, struct program_facts *ret)
{
	struct bpf_prog_info info = {};
	uint32_t size = sizeof(info);

	memset(ret, 0, sizeof(*ret));
	info.nr_map_ids = PROGRAM_MAPS_MAX;
	info.map_ids = (uintptr_t)ret->maps;
	if (bpf_obj_get_info_by_fd(program_fd, &info, &size) < 0)
		return -errno;
	ret->id = info.id;
	memcpy(ret->name, info.name, sizeof(ret->name) - 1);
	memcpy(ret->tag, info.tag, sizeof(ret->tag));
	ret->n_maps = MIN(info.nr_map_ids, (uint32_t)PROGRAM_MAPS_MAX);
	return 0;
}

int program_facts_by_id(uint32_t id, struct program_facts *ret)
{
	_cleanup_(closep) int fd = bpf_prog_get_fd_by_id(id);

	return fd < 0 ? -errno : program_facts(fd, ret);
}

static int link_info(int fd, struct tcx_link_info *ret)
{
	uint32_t size = sizeof(*ret);

	memset(ret, 0, sizeof(*ret));
	return bpf_obj_get_info_by_fd(fd, ret, &size) < 0 ? -errno : 0;
}

static int query(uint32_t ifindex, enum link_direction direction, struct attached *ret)
{
	struct tcx_query query = {
		.ifindex = ifindex,
		.attach_type = attach_type(direction),
		.program_ids = (uintptr_t)ret->programs,
		.link_ids = (uintptr_t)ret->links,
		.count = PROGRAMS_MAX,
	};

	memset(ret, 0, sizeof(*ret));
	if (syscall(SYS_bpf, BPF_PROG_QUERY, &query, sizeof(query)) < 0)
		return errno == ENOENT ? 0 : -errno;
	ret->n = MIN(query.count, (uint32_t)PROGRAMS_MAX);
	return 0;
}

int link_first_program(uint32_t ifindex, enum link_direction direction, uint32_t *ret_id)
{
	struct attached attached;
	int r = query(ifindex, direction, &attached);

	if (r == 0)
		*ret_id = attached.programs[0];
	return r;
}

static int detach(int link_fd)
{
	return bpf_link_detach(link_fd) < 0 ? -errno : 0;
}

/* Of what runs on the device, the links of programs of that name: the first program's stays, with its
 * descriptor in `ret_fd`; all others go. */
static int take_attached(const struct link_place *place, const struct attached *attached, int *ret_fd)
{
	int r = 0;

	*ret_fd = -ENOENT;
	for (size_t i = 0; i < attached->n && r == 0; i++) {
		_cleanup_(closep) int fd = -EBADF;
		struct program_facts facts;

		if (!attached->links[i] || program_facts_by_id(attached->programs[i], &facts) < 0 ||
		    !str_starts(facts.name, place->name))
			continue;
		fd = bpf_link_get_fd_by_id(attached->links[i]);
		if (fd < 0)
			r = errno == ENOENT ? 0 : -errno;
		else if (i == 0)
			*ret_fd = TAKE_FD(fd);
		else
			r = detach(fd);
	}
	if (r < 0)
		closep(ret_fd);
	return r;
}

static bool is_pinned(const char *path, uint32_t link_id)
{
	_cleanup_(closep) int fd = bpf_obj_get(path);
	struct tcx_link_info info;

	return fd >= 0 && link_info(fd, &info) == 0 && info.type == LINK_TYPE_TCX && info.id == link_id;
}

/* In place of whatever has the path. */
static int pin(int fd, const char *path)
{
	if (unlink(path) < 0 && errno != ENOENT)
		return -errno;
	return bpf_obj_pin(fd, path) < 0 ? -errno : 0;
}

int link_take(const struct link_place *place, uint32_t *ret_id)
{
	_cleanup_(closep) int fd = -EBADF;
	struct attached attached;
	int r = query(place->ifindex, place->direction, &attached);

	if (r == 0)
		r = take_attached(place, &attached, &fd);
	if (r < 0)
		return r;
	if (fd < 0)
		return -ENOENT;
	if (!is_pinned(place->path, attached.links[0])) {
		r = pin(fd, place->path);
		if (r < 0)
			return r;
	}
	*ret_id = attached.programs[0];
	return TAKE_FD(fd);
}

int link_make(const struct link_place *place, int program_fd)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = IN_FRONT);
	_cleanup_(closep) int fd =
		bpf_link_create(program_fd, (int)place->ifindex,
				(enum bpf_attach_type)attach_type(place->direction), &options);

	return fd < 0 ? -errno : pin(fd, place->path);
}

int link_replace_program(int link_fd, int program_fd)
{
	return bpf_link_update(link_fd, program_fd, NULL) < 0 ? -errno : 0;
}

int link_sweep(const char *path)
{
	_cleanup_(closep) int fd = bpf_obj_get(path);
	struct tcx_link_info info;
	int r = fd < 0 ? -errno : link_info(fd, &info);

	if (r == 0 && info.ifindex == 0 && unlink(path) < 0)
		r = -errno;
	return r;
}
