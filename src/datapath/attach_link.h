/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One tcx link of a device: found where it is pinned, or, when someone took the pin away, by asking the
 * device what it runs; made, put first, given another program, pinned.
 */
#pragma once

#include "../lib/util.h"

#define PROGRAM_MAPS_MAX 64 /* of a program that is looked at here */

struct program_facts {
	uint32_t id;
	char name[16];
	uint8_t tag[8];			 /* of its instructions */
	uint32_t maps[PROGRAM_MAPS_MAX]; /* ids, in the order of their use */
	uint32_t n_maps;
};
/* What the kernel says of a program, by its descriptor or its id. Negative errno. */
int program_facts(int program_fd, struct program_facts *ret);
int program_facts_by_id(uint32_t id, struct program_facts *ret);

enum link_direction { LINK_INGRESS, LINK_EGRESS };

/* Where a link belongs. */
struct link_place {
	const char *path; /* of its pin */
	uint32_t ifindex;
	enum link_direction direction;
	const char *name; /* with which the names of its programs begin */
};

/* The place's link (the caller's), pinned; others of programs of that name are taken off the device. -ENOENT:
 * there is none that comes before all other programs of the device, and none of that name is left. `ret_id`
 * is its program's. -EINVAL: the kernel does not know tcx. */
int link_take(const struct link_place *place, uint32_t *ret_id);
/* Makes the link in front of what else runs there, and pins it. */
int link_make(const struct link_place *place, int program_fd);
int link_replace_program(int link_fd, int program_fd);
/* The program that comes first on the device; 0: there is none. */
int link_first_program(uint32_t ifindex, enum link_direction direction, uint32_t *ret_id);
/* Removes the pin if the link's device is gone. */
int link_sweep(const char *path);
