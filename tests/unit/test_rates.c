/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often an account may call, and whose call is next.
 */
#include "../tap.h"
#include "api/frame/rates.h"
#include "api/frame/turns.h"

#define ALICE 1000000000000001
#define BOB   1000000000000002
#define NOW   1000000

static const struct action reading = {.name = "Read"}, other = {.name = "Other"},
			   writing = {.name = "Write", .flags = ACTION_CHANGES};

static unsigned int take_all(struct rates *rates, int64_t uid, const struct action *action, uint64_t now_ms)
{
	unsigned int n = 0;

	while (n < 100000 && rates_take(rates, uid, "cn-hangzhou", action, now_ms) == 0)
		n++;
	return n;
}

static void test_rates(void)
{
	const struct rate_limits limits = {.reads = 1000, .writes = 200}, none = {};
	struct rates *rates;
	uint64_t left;

	if (rates_new(&limits, &rates) < 0)
		abort();
	tap_is_int(take_all(rates, ALICE, &reading, NOW), 1000,
		   "an account may read a thousand times at once");
	tap_is_int(take_all(rates, ALICE, &writing, NOW), 200, "and change two hundred times");
	tap_is_int(take_all(rates, ALICE, &other, NOW), 1000, "each action has its own count");
	tap_is_int(take_all(rates, BOB, &reading, NOW), 1000, "so has each account");
	tap_is_int((long long)rates_take(rates, ALICE, "cn-beijing", &reading, NOW), 0, "and each region");
	left = rates_take(rates, ALICE, "cn-hangzhou", &writing, NOW);
	tap_ok(left > 0 && left <= 301, "who called too often is told when to come again");
	tap_is_int((long long)rates_take(rates, ALICE, "cn-hangzhou", &writing, NOW + left), 0,
		   "and may then");
	tap_ok(rates_take(rates, ALICE, "cn-hangzhou", &writing, NOW + left) > 0, "once");
	tap_is_int(take_all(rates, ALICE, &reading, NOW + 30000), 500, "half a period fills half of it");
	tap_is_int(take_all(rates, ALICE, &reading, NOW + 1000000), 1000, "and no time fills more than all");
	rates_free(rates);

	if (rates_new(&none, &rates) < 0)
		abort();
	tap_is_int(take_all(rates, ALICE, &reading, NOW), 100000, "without limits there are none");
	rates_free(rates);
}

/* Calls that count as more, which is known when they were carried out. */
static void test_charged(void)
{
	const struct rate_limits limits = {.reads = 1000, .writes = 200}, none = {};
	struct rates *rates;

	if (rates_new(&limits, &rates) < 0)
		abort();
	tap_is_int((long long)rates_owed(rates, ALICE, "", &reading, NOW), 0,
		   "who has not called owes nothing");
	(void)rates_take(rates, ALICE, "cn-hangzhou", &reading, NOW);
	rates_charge(rates, ALICE, "cn-hangzhou", &reading, 99, NOW);
	tap_is_int((long long)rates_owed(rates, ALICE, "cn-hangzhou", &reading, NOW), 0,
		   "nor does one whose call counts as a hundred");
	tap_is_int(take_all(rates, ALICE, &reading, NOW), 900, "who has nine hundred left");
	tap_is_int(take_all(rates, ALICE, &other, NOW), 1000, "of this action");
	rates_charge(rates, ALICE, "cn-hangzhou", &reading, 500, NOW);
	tap_is_int((long long)rates_owed(rates, ALICE, "cn-hangzhou", &reading, NOW), 30001,
		   "more than was left is owed");
	tap_is_int(take_all(rates, ALICE, &reading, NOW + 30000), 0, "and comes back first");
	tap_is_int(take_all(rates, ALICE, &reading, NOW + 60000), 500, "then what may be taken");
	for (int i = 0; i < 100; i++)
		rates_charge(rates, ALICE, "cn-hangzhou", &reading, UINT32_MAX, NOW + 60000);
	tap_is_int((long long)rates_owed(rates, ALICE, "cn-hangzhou", &reading, NOW + 60000), 60001,
		   "however much it was, in a minute nothing is owed");
	tap_is_int((long long)rates_take(rates, ALICE, "cn-hangzhou", &reading, NOW + 120100), 0,
		   "and the account may call");
	rates_free(rates);

	if (rates_new(&none, &rates) < 0)
		abort();
	rates_charge(rates, ALICE, "", &reading, 5000, NOW);
	tap_is_int((long long)rates_owed(rates, ALICE, "", &reading, NOW), 0,
		   "without limits nothing is owed");
	rates_free(rates);
}

/* More accounts than there are buckets. */
static void test_full(void)
{
	const struct rate_limits limits = {.reads = 1000, .writes = 10};
	unsigned int refused = 0;
	struct rates *rates;

	if (rates_new(&limits, &rates) < 0)
		abort();
	(void)take_all(rates, ALICE, &writing, NOW);
	for (int64_t uid = 0; uid < 10 * RATE_BUCKETS_MAX; uid++)
		refused += rates_take(rates, BOB + 1 + uid, "", &reading, NOW) > 0;
	tap_is_int(refused, 0, "where there are more callers than buckets, all may call");
	tap_ok(rates_take(rates, ALICE, "cn-hangzhou", &writing, NOW) > 0,
	       "and who called too often still may not");
	rates_free(rates);
}

/* ---- turns ---- */

struct call {
	struct turn turn;
	int64_t uid;
};

struct world {
	struct loop *loop;
	struct turns *turns;
	int64_t ran[300];
	size_t n_ran;
	unsigned int slow_us;
	bool ends;
};

static void run(void *context, struct turn *turn)
{
	struct world *w = context;
	struct call *call = container_of(turn, struct call, turn);
	uint64_t end = now_mono_ms() + w->slow_us / 1000;

	w->ran[w->n_ran++] = call->uid;
	while (now_mono_ms() < end)
		;
	if (w->ends)
		turns_end(turn);
}

static void begin(struct world *w, bool ends)
{
	*w = (struct world){.ends = ends};
	if (loop_new(&w->loop) < 0 || turns_new(w->loop, run, w, &w->turns) < 0)
		abort();
}

static void test_turns(void)
{
	static struct call calls[TURNS_IN_FLIGHT_MAX + 5];
	struct world w;
	size_t i;
	int r = 0;

	begin(&w, true);
	for (i = 0; i < 50; i++) {
		calls[i].uid = ALICE;
		r |= turns_begin(w.turns, ALICE, &calls[i].turn);
	}
	for (; i < 53; i++) {
		calls[i].uid = BOB;
		r |= turns_begin(w.turns, BOB, &calls[i].turn);
	}
	tap_ok(r == 0 && w.n_ran == 0, "calls wait for the end of the loop's turn");
	(void)loop_turn(w.loop, 0);
	tap_is_int((long long)w.n_ran, 53, "then they are carried out");
	for (i = 0; i < 6; i++)
		tap_ok(w.ran[i] == (i % 2 ? BOB : ALICE), "the accounts take turns (%zu)", i);
	turns_free(w.turns);
	loop_free(w.loop);

	begin(&w, true);
	w.slow_us = 5000;
	for (i = 0; i < 3; i++) {
		calls[i].uid = ALICE;
		r |= turns_begin(w.turns, ALICE, &calls[i].turn);
	}
	(void)loop_turn(w.loop, 0);
	tap_is_int((long long)w.n_ran, 1,
		   "a turn of the loop has a bound, and carries out one call at least");
	calls[3].uid = BOB;
	r |= turns_begin(w.turns, BOB, &calls[3].turn);
	(void)loop_turn(w.loop, 0);
	tap_ok(r == 0 && w.n_ran == 3 && w.ran[1] == BOB && w.ran[2] == ALICE,
	       "who comes later with one call comes first, and the other one still gets on");
	calls[4].uid = ALICE;
	r |= turns_begin(w.turns, ALICE, &calls[4].turn);
	turns_free(w.turns);
	tap_is_int((long long)w.n_ran, 5, "what waits at the end is not lost");
	loop_free(w.loop);
}

static void test_in_flight(void)
{
	static struct call calls[TURNS_IN_FLIGHT_MAX + 1], bobs;
	struct world w;
	int r = 0;

	begin(&w, false);
	for (size_t i = 0; i < TURNS_IN_FLIGHT_MAX; i++)
		r |= turns_begin(w.turns, ALICE, &calls[i].turn);
	tap_is_int(r, 0, "an account may have a hundred calls in flight");
	for (int i = 0; i < 10; i++)
		(void)loop_turn(w.loop, 0);
	tap_is_int(turns_begin(w.turns, ALICE, &calls[TURNS_IN_FLIGHT_MAX].turn), -EBUSY,
		   "one more is refused, also when all have begun");
	tap_is_int(turns_begin(w.turns, BOB, &bobs.turn), 0, "another account may call");
	turns_end(&calls[7].turn);
	tap_is_int(turns_begin(w.turns, ALICE, &calls[7].turn), 0, "so may this one, when one has ended");
	(void)loop_turn(w.loop, 0);
	turns_free(w.turns);
	for (size_t i = 0; i < TURNS_IN_FLIGHT_MAX; i++)
		turns_end(&calls[i].turn);
	turns_end(&calls[TURNS_IN_FLIGHT_MAX].turn);
	turns_end(&bobs.turn);
	tap_ok(true, "calls may end after all the rest");
	loop_free(w.loop);
}

int main(void)
{
	test_rates();
	test_charged();
	test_full();
	test_turns();
	test_in_flight();
	return tap_done();
}
