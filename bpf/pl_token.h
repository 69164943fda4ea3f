/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Tokens. A flow takes one before it inserts its two rows, and gives it back when both are gone; so there is
 * room for the rows of whoever has a token, and a count of tokens is a count of flows.
 *
 *	index = pl_token_take(slot, how)	then both rows are inserted, with the token in them, and
 *	pl_token_open(index, key, …)		makes it the flow's, or
 *	pl_token_return(index)			gives it back, where the rows could not be inserted
 *
 * The flow ends through its token alone (pl_end.h).
 */
#pragma once

#include "pl_share.h"
#include "pl_sweep.h"

static __always_inline __u32 pl_hz(void)
{
	const struct pl_config *config = pl_config_get();

	return config && config->hz ? config->hz : 1000;
}

static __always_inline __u32 pl_word_phase(__u64 word)
{
	return word >> PL_TOKEN_PHASE & 3;
}

static __always_inline __u32 pl_word_class(__u64 word)
{
	return word >> PL_TOKEN_CLASS & 3;
}

static __always_inline __u64 pl_word_make(__u64 old, __u64 phase, __u64 class, __u32 due)
{
	return old >> PL_TOKEN_INCARNATION << PL_TOKEN_INCARNATION | class << PL_TOKEN_CLASS |
	       phase << PL_TOKEN_PHASE | due;
}

static __always_inline __u64 pl_token_word(const struct pl_token *token)
{
	return *(const volatile __u64 *)&token->word;
}

/* A full barrier: who sees the word sees what was written of the token before. */
static __always_inline void pl_token_set(struct pl_token *token, __u64 word)
{
	(void)__sync_lock_test_and_set(&token->word, word);
}

/* Makes an open token the caller's, who has seen it with that word. */
static __always_inline bool pl_token_claim(struct pl_token *token, __u64 word)
{
	__u64 busy = pl_word_make(word + (1ull << PL_TOKEN_INCARNATION), PL_PHASE_BUSY, 0, 0);

	return pl_word_phase(word) == PL_PHASE_OPEN &&
	       __sync_val_compare_and_swap(&token->word, word, busy) == word;
}

static __always_inline __u32 pl_token_range(__u32 index)
{
	return index >= pl_n_tenants ? PL_RANGE_SERVICE : PL_RANGE_TENANTS;
}

/* Its owners' counts go with the token, never with a row. */
static __always_inline void pl_token_disown(struct pl_token *token, __u32 index)
{
	struct pl_uses *uses = pl_uses_get();
	struct pl_owners owners;

	if (token->owner == PL_OWNER_NONE) /* it could not be given back before */
		return;
	if (!pl_owners_find(token->owner, &owners) || !uses)
		return;
	pl_owners_add(&owners, uses, pl_token_range(index), -1);
	token->owner = PL_OWNER_NONE;
}

/* Gives back a token that is the caller's, of which there are no rows. It is FREE first and pushed then;
 * where it cannot be pushed it stays OPEN without a flow, for the next hand. */
__attribute__((noinline)) int pl_token_return(__u32 index)
{
	struct pl_token *token = pl_token_find(index);
	__u32 value = index;
	__u64 word;
	int r; /* not long: see pl_nat_try() */

	if (!token)
		return 0;
	word = pl_token_word(token);
	pl_token_disown(token, index);
	pl_token_set(token, pl_word_make(word, PL_PHASE_FREE, 0, 0));
	if (index < pl_n_tenants)
		r = bpf_map_push_elem(&pl_free, &value, 0);
	else
		r = bpf_map_push_elem(&pl_free_service, &value, 0);
	if (r)
		pl_token_set(token, pl_word_make(word, PL_PHASE_OPEN, PL_CLASS_CLOSING, bpf_jiffies64()));
	return 0;
}

/* A free token's number, or the negative of a reason. Those that never were in use come first, by a counter:
 * no queue has to be filled at the start. */
static __always_inline int pl_token_pop(struct pl_uses *uses, __u32 range)
{
	__u32 *fresh = &uses->fresh[range & 1], size = pl_range_size(range), index;
	int r;

	if (*(volatile __u32 *)fresh < size) {
		index = __sync_fetch_and_add(fresh, 1);
		if (index < size)
			return range == PL_RANGE_SERVICE ? pl_n_tenants + index : 1 + index;
	}
	if (range == PL_RANGE_SERVICE)
		r = bpf_map_pop_elem(&pl_free_service, &index);
	else
		r = bpf_map_pop_elem(&pl_free, &index);
	if (!r)
		return index;
	return r == -ENOENT ? -PL_DROP_FLOW_TABLE_FULL : -PL_DROP_FLOW_TABLE_BUSY;
}

/* A free token's number, of the first range that has one for these owners; or the negative of a reason. */
static __always_inline int pl_token_look(const struct pl_owners *owners, struct pl_uses *uses, __u32 owner,
					 __u32 how)
{
	int r;

	if (how & PL_TAKE_SERVICE && !pl_share_admits(uses, owners, PL_RANGE_SERVICE, owner, how)) {
		r = pl_token_pop(uses, PL_RANGE_SERVICE);
		if (r > 0)
			return r;
	}
	r = pl_share_admits(uses, owners, PL_RANGE_TENANTS, owner, how);
	return r ? -r : pl_token_pop(uses, PL_RANGE_TENANTS);
}

/* A token for a new flow of that slot, and of its account, the caller's alone until it opens or returns it;
 * or the negative of the reason why there is none. */
__attribute__((noinline)) int pl_token_take(__u32 slot, __u32 how)
{
	const struct pl_limit *limit = pl_limit_find(slot);
	struct pl_uses *uses = pl_uses_get();
	struct pl_owners owners;
	struct pl_token *token;
	__u32 owner;
	int r;

	if (!limit || !uses)
		return -PL_DROP_FLOW_TABLE_FULL;
	owner = slot | (__u32)limit->account << PL_OWNER_ACCOUNT;
	if (!pl_owners_find(owner, &owners))
		return -PL_DROP_FLOW_TABLE_FULL;
	r = pl_token_look(&owners, uses, owner, how);
	if (r < 0)
		return r;
	token = pl_token_find(r);
	if (!token)
		return -PL_DROP_FLOW_TABLE_FULL;
	token->owner = owner;
	pl_owners_add(&owners, uses, pl_token_range(r), 1);
	return r;
}

/* Both rows are there: from now on the flow may end. `opened`: when, 0: not known. `class` and `due` are
 * hints. */
static __always_inline void pl_token_open(__u32 index, const struct pl_flow4_key *opening, __u32 opened,
					  __u32 class, __u32 due)
{
	struct pl_token *token = pl_token_find(index);

	if (!token)
		return;
	token->key = *opening;
	token->opened = opened;
	pl_token_set(token, pl_word_make(pl_token_word(token), PL_PHASE_OPEN, class, due));
}

/* The flow of the token is over soon. Should the token be another flow's by now, that gets a look too many.
 */
static __always_inline void pl_token_hurry(__u32 index)
{
	struct pl_token *token = pl_token_find(index);
	__u64 word;

	if (!token)
		return;
	word = pl_token_word(token);
	if (pl_word_phase(word) == PL_PHASE_OPEN)
		(void)__sync_val_compare_and_swap(
			&token->word, word,
			pl_word_make(word, PL_PHASE_OPEN, PL_CLASS_CLOSING,
				     (__u32)bpf_jiffies64() + PL_IDLE_TCP_CLOSING * pl_hz()));
}
