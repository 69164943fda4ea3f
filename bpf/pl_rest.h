/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Translated sources of datagrams, at rest. A source is given out again, and the server of its last flow may
 * go on sending to it. A connection begins with a handshake, which such segments have no part in
 * (pl_flow_is_older()); datagrams have none. So a source that a server has sent to lately rests: meanwhile
 * nobody but the client that had it gets it for the same server, and what comes late belongs to no flow.
 *
 * That is rare: a flow that is over has nearly always been silent for longer. It takes one that is refused,
 * that goes to another server, whose client alone has fallen silent, or whose listener has a short idle time.
 *
 * No rest makes room for another one. An ENI may have as many as are free, and so may its account of all that
 * it has (as with tokens, pl_share.h, whose owners these are); beyond that their own flows end without one.
 * So whoever ends many has few of them forgotten, and nobody else has. The timer takes away what is over.
 */
#pragma once

#include "pl_row.h"
#include "pl_token.h"

static const volatile __u32 pl_rests_all = PL_SLOT_SERVICE; /* in pl_rest_counts; no stack is left for it */

/* Where an owner's rests are counted, and all of them. */
struct pl_rest_counters {
	__u32 *slot, *account, *all;
};

/* By pl_token.owner; false: there is none. */
static __always_inline bool pl_rest_counters_find(__u32 owner, struct pl_rest_counters *ret)
{
	__u32 row = owner & PL_OWNER_SLOT;

	ret->slot = bpf_map_lookup_elem(&pl_rest_counts, &row);
	row = pl_owner_of_account(owner >> PL_OWNER_ACCOUNT);
	ret->account = bpf_map_lookup_elem(&pl_rest_counts, &row);
	ret->all = bpf_map_lookup_elem(&pl_rest_counts, (const void *)&pl_rests_all);
	return ret->slot && ret->account && ret->all;
}

static __always_inline void pl_rest_counters_add(const struct pl_rest_counters *counters, __s32 n)
{
	__sync_fetch_and_add(counters->slot, n);
	__sync_fetch_and_add(counters->account, n);
	__sync_fetch_and_add(counters->all, n);
}

/* Whether the rest's owner may have one more. What is no account's is judged by its slot. */
static __always_inline bool pl_rest_admits(const struct pl_rest_counters *counters,
					   const struct pl_rest *rest)
{
	__u32 owner = *(const volatile __u32 *)&rest->owner; /* no register is left for it before */
	__u32 all = *(volatile __u32 *)counters->all;

	if (*(volatile __u32 *)counters->slot + all >= PL_RESTS_MAX)
		return false;
	return !(owner >> PL_OWNER_ACCOUNT) || *(volatile __u32 *)counters->account + all < PL_RESTS_MAX;
}

/* Remembers it, by the replies' key and whose it was. Of its own to the verifier, and for its stack, of which
 * it has no byte more than this. */
__attribute__((noinline)) int pl_rest_put(const struct pl_flow4_key *replies, __be32 addr, __u32 vpc,
					  __u32 until, __u32 owner)
{
	struct pl_flow4_key key; /* on the stack: see pl_flow_judge_again() */
	struct pl_rest rest = {.addr = addr, .vpc = vpc, .until = until, .owner = owner};
	struct pl_rest_counters counters;
	const struct pl_rest *old;

	if (!replies || !pl_rest_counters_find(owner, &counters))
		return 0;
	key = *replies;
	old = bpf_map_lookup_elem(&pl_rests, &key);
	if (old) { /* of the same client, or over: the share that it takes stays */
		rest.owner = old->owner;
		bpf_map_update_elem(&pl_rests, &key, &rest, BPF_EXIST);
		return 0;
	}
	if (!pl_rest_admits(&counters, &rest) ||
	    (int)bpf_map_update_elem(&pl_rests, &key, &rest, BPF_NOEXIST))
		return 0;
	if ((int)bpf_map_push_elem(&pl_rest_queue, &key, 0)) { /* its turn would never come */
		bpf_map_delete_elem(&pl_rests, &key);
		return 0;
	}
	pl_rest_counters_add(&counters, 1);
	return 0;
}

/* The next one is gone if it is over; else its turn comes again. 1: there is none. The timer looks. */
static long pl_rest_look(__u32 i, void *context)
{
	struct pl_rest_counters counters;
	struct pl_flow4_key key;
	const struct pl_rest *rest;
	__u32 owner;

	if ((int)bpf_map_pop_elem(&pl_rest_queue, &key))
		return 1;
	rest = bpf_map_lookup_elem(&pl_rests, &key);
	if (!rest)
		return 0;
	owner = rest->owner;
	if (!pl_is_past(rest->until, bpf_jiffies64()) && !(int)bpf_map_push_elem(&pl_rest_queue, &key, 0))
		return 0;
	if ((int)bpf_map_delete_elem(&pl_rests, &key)) {
		bpf_map_push_elem(&pl_rest_queue, &key, 0);
		return 0;
	}
	if (pl_rest_counters_find(owner, &counters))
		pl_rest_counters_add(&counters, -1);
	return 0;
}

/* The replies' row of a flow goes, whose token is the caller's. */
static __always_inline void pl_rest_begin(const struct pl_flow4_key *key, const struct pl_flow4 *flow,
					  __u32 index, __u32 hz)
{
	__u32 until = flow->seen + PL_REST_UDP * hz;
	const struct pl_token *token;

	if (pl_flow4_protocol(key) != IPPROTO_UDP || flow->kind != PL_FLOW_NAT_BACK || !flow->slot ||
	    pl_is_past(until, bpf_jiffies64()))
		return;
	token = pl_token_find(index);
	if (token)
		pl_rest_put(key, flow->daddr, flow->partner_vpc, until, token->owner);
}

/* What came late for a source at rest: the server still sends, so it rests on. Of its own to the verifier. */
__attribute__((noinline)) int pl_rest_renew(const struct pl_flow4_key *late)
{
	struct pl_flow4_key key; /* as above */
	struct pl_rest *rest;
	__u32 now = bpf_jiffies64();

	if (!late)
		return 0;
	key = *late;
	rest = bpf_map_lookup_elem(&pl_rests, &key);
	if (rest && !pl_is_past(rest->until, now))
		rest->until = now + PL_REST_UDP * pl_hz();
	return 0;
}

/* Whether the source that the replies' key has rests, and `back`, the row that it would get, is another
 * client's. */
static __always_inline bool pl_rest_forbids(const struct pl_flow4_key *key, const struct pl_flow4 *back)
{
	const struct pl_rest *rest;
	bool is_others;

	if (pl_flow4_protocol(key) != IPPROTO_UDP)
		return false;
	rest = bpf_map_lookup_elem(&pl_rests, key);
	if (!rest)
		return false;
	is_others = !pl_is_past(rest->until, bpf_jiffies64()) &&
		    (rest->addr != back->daddr || rest->vpc != back->partner_vpc);
	return is_others || !pl_row_is_still(&pl_rests, key, rest);
}
