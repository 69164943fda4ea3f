/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may have a probe under way: shares of accounts, their queues and turns, without sockets and time.
 */
#include "agent/probe_room.h"

#include "tests/tap.h"

#define ALONE (PROBES_OWN + PROBES_COMMON / 2) /* what an account may have that is alone */

/* A probe, with the order in which it was admitted; 0: not yet. */
struct guest {
	struct probe_seat seat;
	int64_t account;
	int turn;
};

static int n_turns;

static void on_admitted(struct probe_seat *seat)
{
	container_of(seat, struct guest, seat)->turn = ++n_turns;
}

static struct probe_room *room_new(void)
{
	struct probe_room *room;

	n_turns = 0;
	if (probe_room_new(on_admitted, &room) < 0)
		exit(EXIT_FAILURE);
	return room;
}

static void join(struct probe_room *room, struct guest *guest, int64_t account)
{
	*guest = (struct guest){.account = account};
	if (probe_room_join(room, account, &guest->seat) < 0)
		exit(EXIT_FAILURE);
}

/* `n` of the account, which all want to run; how many do. */
static size_t come(struct probe_room *room, struct guest *guests, size_t n, int64_t account)
{
	size_t n_running = 0;

	for (size_t i = 0; i < n; i++) {
		join(room, &guests[i], account);
		n_running += probe_room_ask(&guests[i].seat);
	}
	return n_running;
}

static void part(struct guest *guests, size_t n)
{
	for (size_t i = 0; i < n; i++)
		probe_room_part(&guests[i].seat);
}

static size_t count_running(const struct guest *guests, size_t n)
{
	size_t n_running = 0;

	for (size_t i = 0; i < n; i++)
		n_running += guests[i].seat.state == PROBE_RUNS;
	return n_running;
}

/* Accounts that want all they can get, and then one that wants little. */
static void test_shares(void)
{
	enum { GREEDY = 40, EACH = 600 };
	static struct guest guests[GREEDY][EACH], others[PROBES_OWN + 1];
	struct probe_room *room = room_new();
	size_t n, n_all;

	n_all = come(room, guests[0], EACH, 1);
	tap_is_int(n_all, ALONE, "an account alone has its own places, and half of the common ones");
	n = come(room, guests[1], EACH, 2);
	tap_is_int(n, PROBES_OWN + PROBES_COMMON / 4, "the next one half of those that it finds");
	n_all += n;
	for (int i = 2; i < GREEDY; i++)
		n_all += come(room, guests[i], EACH, i + 1);
	tap_is_int(n_all, PROBES_COMMON + GREEDY * PROBES_OWN, "many have all in the end");
	tap_is_int(come(room, others, PROBES_OWN + 1, 0), PROBES_OWN,
		   "and what is one's own is there all the same, for what is no account's, too");
	probe_room_leave(&others[0].seat);
	tap_ok(others[PROBES_OWN].turn == 1 && n_turns == 1,
	       "a place of one's own goes to the next of one's own");

	part(guests[0], EACH);
	n_all = 0;
	for (int i = 1; i < GREEDY; i++)
		n_all += count_running(guests[i], EACH);
	tap_ok(n_all >= PROBES_COMMON - PROBES_COMMON / GREEDY + (GREEDY - 1) * PROBES_OWN,
	       "what an account leaves those that wait have, but for the part of a newcomer");
	part(others, PROBES_OWN + 1);
	for (int i = 2; i < GREEDY; i++)
		part(guests[i], EACH);
	tap_is_int(count_running(guests[1], EACH), ALONE,
		   "until there is one again, which has what is for one");
	part(guests[1], EACH);
	probe_room_free(room);
}

/* Within an account who came first is first. */
static void test_queue(void)
{
	enum { WAIT = 6 };
	static struct guest silent[ALONE], guests[WAIT], late;
	struct probe_room *room = room_new();

	(void)come(room, silent, ALONE, 1);
	tap_is_int(come(room, guests, WAIT, 1), 0, "where all places are taken others wait");
	probe_room_leave(&silent[7].seat);
	tap_ok(guests[0].turn == 1 && n_turns == 1, "one that ends lets in the one that came first");
	tap_ok(!probe_room_ask(&silent[7].seat), "and stands at the end itself");
	probe_room_leave(&silent[8].seat);
	probe_room_leave(&silent[9].seat);
	tap_ok(guests[1].turn == 2 && guests[2].turn == 3 && n_turns == 3,
	       "the others follow in their order");

	probe_room_leave(&guests[3].seat);
	tap_ok(guests[3].seat.state == PROBE_RESTS && n_turns == 3, "one that waits may leave the queue");
	probe_room_part(&silent[7].seat);
	join(room, &late, 1);
	(void)probe_room_ask(&late.seat);
	memset(&silent[7], 0xa5, sizeof(silent[7])); /* nobody may look there any more */
	probe_room_leave(&silent[10].seat);
	probe_room_leave(&silent[11].seat);
	probe_room_leave(&silent[12].seat);
	probe_room_leave(&silent[13].seat);
	tap_ok(!guests[3].turn && guests[4].turn == 4 && guests[5].turn == 5 && late.turn == 6 &&
		       n_turns == 6,
	       "or go, wherever it stands; nobody else loses a place");

	silent[7] = (struct guest){};
	(void)probe_room_ask(&silent[8].seat);
	(void)probe_room_ask(&silent[9].seat);
	tap_ok(silent[8].seat.state == PROBE_RUNS && silent[9].seat.state == PROBE_WAITS,
	       "the last free place is taken at once");
	tap_is_int(probe_room_join(room, 2, &silent[9].seat), 0, "one that waits goes to another account");
	tap_ok(silent[9].seat.state == PROBE_RESTS && probe_room_ask(&silent[9].seat),
	       "where it has other places to run in");
	part(silent, ALONE);
	part(guests, WAIT);
	part(&late, 1);
	probe_room_free(room);
}

/* Where nothing is left at all accounts take turns, whatever the number of their probes. */
static void test_turns(void)
{
	enum { N = PROBES_MAX / PROBES_OWN, WAIT = 3 };
	static struct guest full[N][PROBES_OWN], many[PROBES_OWN], few[WAIT];
	struct probe_room *room = room_new();
	size_t n = 0;

	for (int i = 0; i < N; i++)
		n += come(room, full[i], PROBES_OWN, 10 + i);
	tap_is_int(n, PROBES_MAX, "very many accounts have all that there is");
	tap_is_int(come(room, many, PROBES_OWN, 1) + come(room, few, WAIT, 2), 0, "then all wait");
	for (int i = 0; i < 6; i++)
		probe_room_leave(&full[i][0].seat);
	tap_ok(many[0].turn == 1 && few[0].turn == 2 && many[1].turn == 3 && few[1].turn == 4 &&
		       many[2].turn == 5 && few[2].turn == 6,
	       "and come in by turns");
	for (int i = 0; i < N; i++)
		part(full[i], PROBES_OWN);
	part(many, PROBES_OWN);
	part(few, WAIT);
	probe_room_free(room);
}

/* What has_room() has to say, counted anew. */
static bool may_run(const struct guest *guests, size_t n, int64_t account)
{
	enum { ACCOUNTS = 5 };
	size_t n_of[ACCOUNTS] = {}, n_all = 0, n_common = 0;

	for (size_t i = 0; i < n; i++)
		n_of[guests[i].account] += guests[i].seat.state == PROBE_RUNS;
	for (int i = 0; i < ACCOUNTS; i++) {
		n_all += n_of[i];
		n_common += n_of[i] > PROBES_OWN ? n_of[i] - PROBES_OWN : 0;
	}
	return n_all < PROBES_MAX &&
	       (n_of[account] < PROBES_OWN || n_of[account] - PROBES_OWN < PROBES_COMMON - n_common);
}

/* Whoever waits could not run. */
static bool is_settled(const struct guest *guests, size_t n)
{
	int64_t looked_at = -1;

	for (size_t i = 0; i < n; i++) {
		if (guests[i].seat.state != PROBE_WAITS || guests[i].account == looked_at)
			continue;
		looked_at = guests[i].account;
		if (may_run(guests, n, looked_at))
			return false;
	}
	return true;
}

/* They come, go and move at random. */
static void test_random(void)
{
	enum { N = 1500, STEPS = 20000, ACCOUNTS = 5 };
	static struct guest guests[N];
	struct probe_room *room = room_new();
	bool is_right = true, is_full = false;
	uint32_t seed = 1;

	for (int i = 0; i < N; i++)
		join(room, &guests[i], i % ACCOUNTS);
	for (int step = 0; step < STEPS && is_right; step++) {
		struct guest *guest;
		uint32_t what;

		seed = seed * 1664525u + 1013904223u;
		what = seed >> 28;
		guest = &guests[(seed >> 8) % N];
		if (what == 0) {
			guest->account = (seed >> 4) % ACCOUNTS;
			is_right = probe_room_join(room, guest->account, &guest->seat) == 0;
		} else if (what < (step % 4000 < 2000 ? 4 : 12)) {
			probe_room_leave(&guest->seat);
		} else if (guest->seat.state == PROBE_RESTS) {
			bool may = may_run(guests, N, guest->account);

			is_right = probe_room_ask(&guest->seat) == may;
		}
		is_full |= guest->seat.state == PROBE_WAITS;
		is_right = is_right && (step % 16 || is_settled(guests, N));
	}
	tap_ok(is_right, "who may run does, and who may not waits");
	tap_ok(is_full && n_turns > 100, "as many have");
	part(guests, N);
	probe_room_free(room);
}

int main(void)
{
	test_shares();
	test_queue();
	test_turns();
	test_random();
	return tap_done();
}
