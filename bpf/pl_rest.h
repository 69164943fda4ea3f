/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Translated sources of datagrams, at rest. A source is given out again, and the server of its last flow may
 * go on sending to it. A connection begins with a handshake, which such segments have no part in
 * (pl_flow_is_older()); datagrams have none. So a source that a server has sent to lately rests: meanwhile
 * nobody but the client that had it gets it for the same server, and what comes late belongs to no flow.
 *
 * That is rare: a flow that is over has nearly always been silent for longer. It takes one that is refused,
 * that goes to another server, or whose client alone has fallen silent.
 */
#pragma once

#include "pl_token.h"

/* Remembers it, by the replies' key and whose it was. Of its own to the verifier, and for its stack. */
__attribute__((noinline)) int pl_rest_put(const struct pl_flow4_key *replies, __be32 addr, __u32 vpc,
					  __u32 until)
{
	struct pl_flow4_key key; /* on the stack: see pl_flow_judge_again() */
	struct pl_rest rest = {.addr = addr, .vpc = vpc, .until = until};

	if (!replies)
		return 0;
	key = *replies;
	bpf_map_update_elem(&pl_rests, &key, &rest, BPF_ANY);
	return 0;
}

/* The replies' row of a flow goes. */
static __always_inline void pl_rest_begin(const struct pl_flow4_key *key, const struct pl_flow4 *flow,
					  __u32 hz)
{
	__u32 until = flow->seen + PL_REST_UDP * hz;

	if (pl_flow4_protocol(key) == IPPROTO_UDP && flow->kind == PL_FLOW_NAT_BACK && flow->slot &&
	    !pl_is_past(until, bpf_jiffies64()))
		pl_rest_put(key, flow->daddr, flow->partner_vpc, until);
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

	if (pl_flow4_protocol(key) != IPPROTO_UDP)
		return false;
	rest = bpf_map_lookup_elem(&pl_rests, key);
	return rest && !pl_is_past(rest->until, bpf_jiffies64()) &&
	       (rest->addr != back->daddr || rest->vpc != back->partner_vpc);
}
