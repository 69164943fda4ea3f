/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Flows between two instances of this node: two halves of two entries each, what the sender's port remembers
 * and what the receiver's does. Nothing is rewritten but MACs, and nothing is reserved.
 *
 * pl_local_insert() is a function of its own to the verifier. Keys are copied to the stack there: kernels
 * before 6.4 take no key from behind a function's argument.
 */
#pragma once

#include "pl_flow.h"

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

/* Inserts one half of the flow: the judge's entries, one for each direction. Rows of an older flow with the
 * same tuple are overwritten: nothing was reserved. */
static __always_inline bool pl_half_insert(const struct pl_pkt *pkt, const struct pl_pair *pair, __u32 judge,
					   __u32 side, __u32 generation)
{
	struct pl_flow4 flow = {.kind = PL_FLOW_LOCAL, .seen = bpf_jiffies64(), .slot = judge};
	struct pl_flow4_key key, back;

	pl_half_keys(pkt, side, &key, &back);
	pl_flow_set_partner(&flow, &back);
	pl_flow_set_receiver(&flow, pair->receiver, pair->receiver_slot, pair->config);
	pl_flow_set_judged(&flow, &key, generation);
	if (bpf_map_update_elem(&pl_flows4, &key, &flow, BPF_ANY))
		return false;

	flow.kind = PL_FLOW_LOCAL_BACK;
	pl_flow_set_partner(&flow, &key);
	pl_flow_set_receiver(&flow, pair->sender, pair->sender_slot, pair->config);
	pl_flow_set_judged(&flow, &back, generation);
	return !bpf_map_update_elem(&pl_flows4, &back, &flow, BPF_ANY);
}

/* Takes back what of a half is there. */
static __always_inline void pl_half_remove(const struct pl_pkt *pkt, __u32 side)
{
	struct pl_flow4_key key, back;

	pl_half_keys(pkt, side, &key, &back);
	bpf_map_delete_elem(&pl_flows4, &key);
	bpf_map_delete_elem(&pl_flows4, &back);
}

/* Opens a flow between the packet's port and another one of this node. Already judged; the generations are
 * the halves'. */
__attribute__((noinline)) int pl_local_insert(struct pl_pkt *pkt, __u32 receiver_slot, __u32 out_generation,
					      __u32 in_generation)
{
	struct pl_pair pair = {.receiver_slot = receiver_slot};

	if (!pkt)
		return PL_DROP_NO_PORT;
	pair.sender_slot = pkt->slot;
	pair.sender = pl_port_find(pkt->slot);
	pair.receiver = pl_port_find(receiver_slot);
	pair.config = pl_config_get();
	if (!pair.sender || !pair.receiver || !pair.config)
		return PL_DROP_NO_PORT;
	if (pair.receiver->vpc != pkt->vpc || pl_addr_v4(&pair.receiver->addr) != pkt->key.daddr)
		return PL_DROP_NO_PLACE;
	if (pl_half_insert(pkt, &pair, pkt->slot, PL_SIDE_OUT, out_generation) &&
	    pl_half_insert(pkt, &pair, receiver_slot, PL_SIDE_IN, in_generation))
		return PL_CONTINUE;
	pl_half_remove(pkt, PL_SIDE_OUT);
	pl_half_remove(pkt, PL_SIDE_IN);
	return PL_DROP_FLOW_TABLE_FULL;
}
