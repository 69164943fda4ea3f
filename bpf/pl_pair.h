/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Flows between two instances of this node: two halves of two entries each, what the sender's port remembers
 * and what the receiver's does. Nothing is rewritten but MACs. Each half has a token, and ends by itself.
 *
 * pl_local_insert() is a function of its own to the verifier. Keys are copied to the stack there: kernels
 * before 6.4 take no key from behind a function's argument.
 */
#pragma once

#include "pl_end.h"

/* Who takes part in a flow between two ports of this node. */
struct pl_pair {
	const struct pl_port *sender, *receiver;
	__u32 sender_slot, receiver_slot;
	const struct pl_config *config;
};

/* The keys of a half's two entries. */
static __always_inline void pl_half_keys(const struct pl_pkt *pkt, __u32 side, struct pl_flow4_key *ret_key,
					 struct pl_flow4_key *ret_back)
{
	*ret_key = pkt->key;
	ret_key->vpc_proto = (ret_key->vpc_proto & ~PL_SIDE_IN) | side;
	*ret_back = pl_flow4_turned(ret_key);
	ret_back->vpc_proto ^= PL_SIDE_IN;
}

/* Whether the half is there already, from this side: another CPU has just opened it. Where its rows are those
 * of a flow that is over, or of one from the other side of which a half is gone, they are in the way. */
static __always_inline int pl_half_look(const struct pl_pkt *pkt, const struct pl_flow4_key *key,
					const struct pl_flow4_key *back, bool *ret_is_there)
{
	const struct pl_flow4 *flow = pl_flow4_find(key);

	*ret_is_there = false;
	if (!flow)
		return pl_flow4_find(back) ? PL_DROP_FLOW_TABLE_BUSY : PL_CONTINUE;
	if (flow->kind != PL_FLOW_LOCAL || pl_flow_class(flow, key) == PL_CLASS_CLOSING)
		return PL_DROP_FLOW_TABLE_BUSY;
	*ret_is_there = true;
	return PL_CONTINUE;
}

/* Takes a token for one half, and inserts its entries, one for each direction. Both halves are the opener's:
 * the receiver cannot help being spoken to. The result is the token, 0 where the half is there already, or
 * the negative of a reason. */
static __always_inline int pl_half_insert(const struct pl_pkt *pkt, const struct pl_pair *pair, __u32 judge,
					  __u32 side, __u32 generation)
{
	struct pl_flow4 flow = {.kind = PL_FLOW_LOCAL_BACK, .seen = bpf_jiffies64(), .slot = judge};
	struct pl_flow4_key key, back;
	int r, index; /* not long: see pl_nat_try() */
	bool is_there;

	pl_half_keys(pkt, side, &key, &back);
	r = pl_half_look(pkt, &key, &back, &is_there);
	if (r || is_there)
		return -r;
	index = pl_token_take(pkt->slot, 0);
	if (index <= 0)
		return index;
	flow.token = index;
	pl_flow_set_partner(&flow, &key);
	pl_flow_set_receiver(&flow, pair->sender, pair->sender_slot, pair->config);
	pl_flow_set_judged(&flow, &back, generation);
	r = bpf_map_update_elem(&pl_flows4, &back, &flow, BPF_NOEXIST);
	if (r) {
		pl_token_return(index);
		return -pl_insert_reason(r);
	}
	flow.kind = PL_FLOW_LOCAL;
	pl_flow_set_partner(&flow, &back);
	pl_flow_set_receiver(&flow, pair->receiver, pair->receiver_slot, pair->config);
	pl_flow_set_judged(&flow, &key, generation);
	r = bpf_map_update_elem(&pl_flows4, &key, &flow, BPF_NOEXIST);
	if (!r)
		return index;
	pl_pair_undo(&back, index);
	return -pl_insert_reason(r);
}

/* From here on the half may end. */
static __always_inline void pl_half_own(const struct pl_pkt *pkt, __u32 side, __u32 index)
{
	const struct pl_flow4 fresh = {.seen = bpf_jiffies64()};
	struct pl_flow4_key key, back;

	pl_half_keys(pkt, side, &key, &back);
	pl_flow_own(index, &key, &fresh, 0);
}

/* Takes back a half that was inserted and is nobody's yet. */
static __always_inline void pl_half_undo(const struct pl_pkt *pkt, __u32 side, __u32 index)
{
	struct pl_flow4_key key, back;
	int r;

	pl_half_keys(pkt, side, &key, &back);
	r = bpf_map_delete_elem(&pl_flows4, &back);
	if (r && r != -ENOENT)
		pl_token_open(index, &key, 0, PL_CLASS_CLOSING, bpf_jiffies64());
	else
		pl_pair_undo(&key, index);
}

/* Opens a flow between the packet's port and another one of this node. Already judged; the generations are
 * the halves'. */
__attribute__((noinline)) int pl_local_insert(struct pl_pkt *pkt, __u32 receiver_slot, __u32 out_generation,
					      __u32 in_generation)
{
	struct pl_pair pair = {.receiver_slot = receiver_slot};
	int out, in;

	if (!pkt)
		return PL_DROP_NO_PORT;
	pkt->is_local = 1;
	pair.sender_slot = pkt->slot;
	pair.sender = pl_port_find(pkt->slot);
	pair.receiver = pl_port_find(receiver_slot);
	pair.config = pl_config_get();
	if (!pair.sender || !pair.receiver || !pair.config)
		return PL_DROP_NO_PORT;
	if (pair.receiver->vpc != pkt->vpc || pl_addr_v4(&pair.receiver->addr) != pkt->key.daddr)
		return PL_DROP_NO_PLACE;
	out = pl_half_insert(pkt, &pair, pkt->slot, PL_SIDE_OUT, out_generation);
	if (out < 0)
		return -out;
	in = pl_half_insert(pkt, &pair, receiver_slot, PL_SIDE_IN, in_generation);
	if (in < 0) {
		if (out)
			pl_half_undo(pkt, PL_SIDE_OUT, out);
		return -in;
	}
	if (out)
		pl_half_own(pkt, PL_SIDE_OUT, out);
	if (in)
		pl_half_own(pkt, PL_SIDE_IN, in);
	return PL_CONTINUE;
}

/* Ends what is in the way of a flow between instances; the result is how many. Of TCP only what is over: a
 * SYN ends no connection. */
__attribute__((noinline)) int pl_pair_clear(struct pl_pkt *pkt)
{
	__u32 how = pkt && pkt->l4_proto == IPPROTO_TCP ? PL_END_OVER : 0;
	struct pl_flow4_key key, back;
	int n;

	if (!pkt)
		return 0;
	pl_half_keys(pkt, PL_SIDE_OUT, &key, &back);
	n = pl_flow_end(&key, how) + pl_flow_end(&back, how);
	pl_half_keys(pkt, PL_SIDE_IN, &key, &back);
	return n + pl_flow_end(&key, how) + pl_flow_end(&back, how);
}
