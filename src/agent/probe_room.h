/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The room for health probes under way: who may start one, and who comes next. It belongs to accounts, so
 * that one whose servers keep their probes waiting takes it from nobody but itself. Knows neither sockets nor
 * time.
 */
#pragma once

#include "../lib/util.h"

/* At the same time: of an account whatever others have, of all beyond that, and of all. */
#define PROBES_OWN    8
#define PROBES_COMMON 512
#define PROBES_MAX    2048 /* descriptors; before it is reached 192 accounts have all of their own */

struct probe_room;
struct probe_share;

/* A probe's place, part of who has it. All zero: it has joined no account. */
struct probe_seat {
	struct probe_share *share;
	enum { PROBE_RESTS, PROBE_WAITS, PROBE_RUNS } state;
	struct probe_seat *before, *behind; /* of those of its account that wait */
};

/* `admit` is called when one that waited runs from now on, from within probe_room_leave() and
 * probe_room_part() of another one; it must call nothing of this. -ENOMEM. */
int probe_room_new(void (*admit)(struct probe_seat *seat), struct probe_room **ret);
/* When all seats have parted. Takes NULL, returns NULL. */
struct probe_room *probe_room_free(struct probe_room *room);

/* The seat is the account's from now on, and rests; of another one's it has parted. It stays where it is in
 * memory until it parts. -ENOMEM: nothing has changed. */
int probe_room_join(struct probe_room *room, int64_t account, struct probe_seat *seat);
/* It leaves, and its account, too; it may be freed. One that has joined none is no mistake. */
void probe_room_part(struct probe_seat *seat);
/* One that rests wants to run. True: it does, false: it waits behind the others of its account. */
bool probe_room_ask(struct probe_seat *seat);
/* It rests, whether it ran or waited, and those for whom there is room now are admitted. */
void probe_room_leave(struct probe_seat *seat);
