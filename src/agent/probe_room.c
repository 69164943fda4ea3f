/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An account has a few places of its own, which no other one can take. Beyond these it may have as many of
 * the common ones as are free (a dynamic threshold, Choudhury and Hahne 1998): one alone ends at half of
 * them, n at 1 / (1 + n) each.
 *
 * Who finds no room waits behind those of its account that came before. Accounts of which some wait stand in
 * a circle: room goes to the first one that may have it, which then is the last. It is given away as soon as
 * it falls free; so what a newcomer finds is no account's that waits, and its own is none of these.
 */
#include "probe_room.h"

#include <assert.h>

#include "../lib/vec.h"

struct probe_share {
	struct probe_room *room;
	int64_t account;
	size_t n_seats, n_running;
	struct probe_seat *first, *last;     /* that wait */
	struct probe_share *before, *behind; /* in the circle, if some do */
};

struct probe_room {
	void (*admit)(struct probe_seat *seat);
	struct probe_share **shares; /* sorted by account */
	size_t n_shares, shares_size;
	size_t n_running, n_common;	  /* of all; of these beyond their accounts' own */
	struct probe_share *first, *last; /* the circle, opened at whose turn it is */
};

int probe_room_new(void (*admit)(struct probe_seat *seat), struct probe_room **ret)
{
	struct probe_room *room = calloc(1, sizeof(*room));

	if (!room)
		return -ENOMEM;
	room->admit = admit;
	*ret = room;
	return 0;
}

struct probe_room *probe_room_free(struct probe_room *room)
{
	if (!room)
		return NULL;
	assert(room->n_shares == 0);
	free(room->shares);
	free(room);
	return NULL;
}

/* Shares. */

static size_t share_place(const struct probe_room *room, int64_t account)
{
	return LOWER_BOUND(i, room->n_shares, room->shares[i]->account < account);
}

static struct probe_share *share_add(struct probe_room *room, size_t place, int64_t account)
{
	struct probe_share *share = NULL;

	if (VEC_ROOM(room->shares, room->n_shares, room->shares_size) == 0)
		share = calloc(1, sizeof(*share));
	if (!share)
		return NULL;
	share->room = room;
	share->account = account;
	memmove(room->shares + place + 1, room->shares + place,
		(room->n_shares - place) * sizeof(struct probe_share *));
	room->shares[place] = share;
	room->n_shares++;
	return share;
}

static void share_remove(struct probe_share *share)
{
	struct probe_room *room = share->room;
	size_t place = share_place(room, share->account);

	room->n_shares--;
	memmove(room->shares + place, room->shares + place + 1,
		(room->n_shares - place) * sizeof(struct probe_share *));
	free(share);
}

int probe_room_join(struct probe_room *room, int64_t account, struct probe_seat *seat)
{
	size_t place = share_place(room, account);
	struct probe_share *share = place < room->n_shares ? room->shares[place] : NULL;

	if (!share || share->account != account)
		share = share_add(room, place, account);
	if (!share)
		return -ENOMEM;
	share->n_seats++;
	probe_room_part(seat);
	seat->share = share;
	return 0;
}

void probe_room_part(struct probe_seat *seat)
{
	struct probe_share *share = seat->share;

	if (!share)
		return;
	probe_room_leave(seat);
	seat->share = NULL;
	if (--share->n_seats == 0)
		share_remove(share);
}

/* Queues: that of a share, and the circle of shares. */

static void circle_add(struct probe_share *share)
{
	struct probe_room *room = share->room;

	share->before = room->last;
	share->behind = NULL;
	*(room->last ? &room->last->behind : &room->first) = share;
	room->last = share;
}

static void circle_remove(struct probe_share *share)
{
	struct probe_room *room = share->room;

	*(share->before ? &share->before->behind : &room->first) = share->behind;
	*(share->behind ? &share->behind->before : &room->last) = share->before;
}

static void queue_add(struct probe_seat *seat)
{
	struct probe_share *share = seat->share;

	if (!share->first)
		circle_add(share);
	seat->state = PROBE_WAITS;
	seat->before = share->last;
	seat->behind = NULL;
	*(share->last ? &share->last->behind : &share->first) = seat;
	share->last = seat;
}

static void queue_remove(struct probe_seat *seat)
{
	struct probe_share *share = seat->share;

	seat->state = PROBE_RESTS;
	*(seat->before ? &seat->before->behind : &share->first) = seat->behind;
	*(seat->behind ? &seat->behind->before : &share->last) = seat->before;
	if (!share->first)
		circle_remove(share);
}

/* Room. */

static bool has_room(const struct probe_share *share)
{
	const struct probe_room *room = share->room;

	if (room->n_running >= PROBES_MAX)
		return false;
	return share->n_running < PROBES_OWN ||
	       share->n_running - PROBES_OWN < PROBES_COMMON - room->n_common;
}

static void run(struct probe_seat *seat)
{
	struct probe_share *share = seat->share;

	seat->state = PROBE_RUNS;
	share->room->n_running++;
	share->room->n_common += share->n_running >= PROBES_OWN;
	share->n_running++;
}

static void stop(struct probe_seat *seat)
{
	struct probe_share *share = seat->share;

	seat->state = PROBE_RESTS;
	share->n_running--;
	share->room->n_common -= share->n_running >= PROBES_OWN;
	share->room->n_running--;
}

/* Whose turn it is of those that may have room; NULL: nobody. */
static struct probe_share *next_share(const struct probe_room *room)
{
	struct probe_share *share = room->n_running < PROBES_MAX ? room->first : NULL;

	while (share && !has_room(share))
		share = share->behind;
	return share;
}

static void admit_next(struct probe_room *room)
{
	for (struct probe_share *share; (share = next_share(room));) {
		struct probe_seat *seat = share->first;

		queue_remove(seat);
		if (share->first) {
			circle_remove(share);
			circle_add(share);
		}
		run(seat);
		room->admit(seat);
	}
}

bool probe_room_ask(struct probe_seat *seat)
{
	struct probe_share *share = seat->share;

	assert(seat->state == PROBE_RESTS);

	if (share->first || !has_room(share)) {
		queue_add(seat);
		return false;
	}
	run(seat);
	return true;
}

void probe_room_leave(struct probe_seat *seat)
{
	if (seat->state == PROBE_WAITS)
		queue_remove(seat);
	if (seat->state != PROBE_RUNS)
		return;
	stop(seat);
	admit_next(seat->share->room);
}
