/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Hands that go round the tokens and end what is over. Each new flow that is asked for, also one that will be
 * refused, moves its CPU's hands by some tokens: who floods sweeps. A timer moves one of its own, and is
 * round in about a second. It runs for as long as pl_round is pinned, without the agent; without it the hands
 * of new flows do. A look at a live flow's token is a look at its hint, and at nothing else.
 */
#pragma once

#include "pl_end.h"

#define PL_HAND_LOOKS	   4  /* tokens for each new flow */
#define PL_HAND_LOOKS_FULL 64 /* the same where none is free */
#define PL_HAND_ENDS_FULL  2  /* flows that end for it then; else one. (Between instances each takes two) */
#define PL_TICK_NS	   4000000
#define PL_TICK_TURNS	   256 /* ticks for a round */
#define PL_TICK_ENDS	   256 /* flows that end in one, at most: each costs a microsecond */

struct pl_hunt {
	__u32 first, mask, at, now;
	__u32 early_new, early_closing; /* off the hint, where room is short */
	__u32 ended, ends_max, how;
};

/* A look at one token; 1 ends the hunt. */
static long pl_hunt_look(__u32 i, struct pl_hunt *hunt)
{
	__u32 index = hunt->first + ((hunt->at + i) & hunt->mask), class, early = 0;
	struct pl_token *token = pl_token_find(index);
	__u64 word;

	if (!token)
		return 1;
	word = pl_token_word(token);
	if (pl_word_phase(word) != PL_PHASE_OPEN)
		return 0;
	class = pl_word_class(word);
	if (class == PL_CLASS_NEW)
		early = hunt->early_new;
	else if (class == PL_CLASS_CLOSING)
		early = hunt->early_closing;
	if (!pl_is_past((__u32)word - early, hunt->now) || !pl_token_claim(token, word))
		return 0;
	if (!pl_token_end(index, hunt->how))
		return 0;
	hunt->ended++;
	return hunt->ended >= hunt->ends_max;
}

/* A range's first token, and how many it has less one. */
static __always_inline __u32 pl_range_first(__u32 range)
{
	return range == PL_RANGE_SERVICE ? pl_n_tenants : 0;
}

static __always_inline __u32 pl_range_mask(__u32 range)
{
	return (range == PL_RANGE_SERVICE ? pl_n_service : pl_n_tenants) - 1;
}

/* Whether one of a few tokens of a range from `at` on is due. Nearly always none is, and a loop by
 * bpf_loop() costs a call for each. */
static __always_inline bool pl_hand_sees(__u32 range, __u32 at, __u32 looks)
{
	__u32 first = pl_range_first(range), mask = pl_range_mask(range), now = bpf_jiffies64();

#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < looks; i++) {
		const struct pl_token *token = pl_token_find(first + ((at + i) & mask));
		__u64 word = token ? pl_token_word(token) : 0;

		if (pl_word_phase(word) == PL_PHASE_OPEN && pl_is_past((__u32)word, now))
			return true;
	}
	return false;
}

/* Whether more than three quarters of a range are in use: then some flows may end early. Of VPC 0's a quarter
 * is enough, since half of it is all that one account gets: its probes by TCP, of which each leaves a flow
 * that is closing, would not have come to three quarters when they go on into the tenants' range. */
static __always_inline bool pl_range_is_short(const struct pl_uses *uses, __u32 range)
{
	__u32 quarters = range == PL_RANGE_SERVICE ? 1 : 3;

	return *(const volatile __u32 *)&uses->used[range & 1] > pl_range_size(range) / 4 * quarters;
}

/* Looks at tokens of a range from `at` on; returns how many. */
static __always_inline __u32 pl_hunt_run(const struct pl_uses *uses, __u32 range, __u32 at, __u32 looks,
					 __u32 ends_max, __u32 *ret_ended)
{
	struct pl_hunt hunt = {
		.first = pl_range_first(range),
		.mask = pl_range_mask(range),
		.at = at,
		.now = bpf_jiffies64(),
		.ends_max = ends_max,
	};
	long n;

	if (pl_range_is_short(uses, range)) {
		hunt.how = PL_END_SHORT;
		hunt.early_new = pl_class_early_s(PL_CLASS_NEW) * pl_hz();
		hunt.early_closing = pl_class_early_s(PL_CLASS_CLOSING) * pl_hz();
	}
	n = bpf_loop(looks, pl_hunt_look, &hunt, 0);
	*ret_ended = hunt.ended;
	return n > 0 ? n : 0;
}

static __always_inline __u32 pl_hand_move(const struct pl_uses *uses, struct pl_hands *hands, __u32 range,
					  __u32 looks)
{
	bool is_full = *(const volatile __u32 *)&uses->used[range & 1] >= pl_range_size(range);
	/* each CPU begins elsewhere */
	__u32 ended, at = hands->at[range & 1] + bpf_get_smp_processor_id() * 0x9e3779b1;

	if (!is_full && !pl_range_is_short(uses, range) && !pl_hand_sees(range, at, looks)) {
		hands->at[range & 1] += looks;
		return 0;
	}
	hands->at[range & 1] += pl_hunt_run(uses, range, at, is_full ? PL_HAND_LOOKS_FULL : looks,
					    is_full ? PL_HAND_ENDS_FULL : 1, &ended);
	return ended;
}

/* For a packet that has asked for a new flow, whether it got one or not. The result is how many ended. */
__attribute__((noinline)) int pl_hands_move(void)
{
	__u32 zero = 0, range = PL_RANGE_TENANTS, looks = PL_HAND_LOOKS, ended = 0;
	struct pl_uses *uses = pl_uses_get();
	struct pl_hands *hands;

	hands = bpf_map_lookup_elem(&pl_hands, &zero);
	if (!uses || !hands)
		return 0;
again:
	asm volatile("" : "+r"(range)); /* one code for both */
	ended += pl_hand_move(uses, hands, range, looks);
	if (range == PL_RANGE_SERVICE)
		return ended;
	range = PL_RANGE_SERVICE;
	looks = 1;
	goto again;
}

static __always_inline void pl_round_move(struct pl_round *round, const struct pl_uses *uses, __u32 range,
					  __u32 n)
{
	__u32 ended, looks = n / PL_TICK_TURNS + 1;

	round->hand[range & 1] +=
		pl_hunt_run(uses, range, round->hand[range & 1], looks, PL_TICK_ENDS, &ended);
	round->ended += ended;
}

static int pl_round_tick(void *map, __u32 *key, struct pl_round *round)
{
	const struct pl_uses *uses = pl_uses_get();

	if (uses) {
		pl_round_move(round, uses, PL_RANGE_TENANTS, pl_n_tenants);
		pl_round_move(round, uses, PL_RANGE_SERVICE, pl_n_service);
	}
	bpf_loop(PL_RESTS_MAX / PL_TICK_TURNS, pl_rest_look, NULL, 0);
	bpf_timer_start(&round->timer, PL_TICK_NS, 0);
	return 0;
}
