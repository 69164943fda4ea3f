/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Flows (what others call conntrack): the entry that a packet found, following TCP, and taking a flow away.
 *
 * A translated flow has two entries, each found by what arrives from a port: the consumer's packets by the
 * consumer's tuple, the replies by the backend's. A flow between instances has four: its sender's port
 * remembers that *out* was judged (one entry for each direction), its receiver's port remembers *in*. The two
 * halves know nothing of each other, so they can live on two nodes.
 *
 * Each entry holds all that a packet needs. Its counters are plain additions: packets of one direction of a
 * flow rarely run on two CPUs at once, and a lost count costs less than a locked one.
 */
#pragma once

#include "pl_parse.h"
#include "pl_tuple.h"

/* The sum of the generations that an entry depends on. They only rise, so the sum is as good as the three.
 * Read before judging: what changes meanwhile is then noticed by the next packet. An entry keeps it with its
 * tag added: written into another flow's row by mistake it would be no sum of that one's. */
static __always_inline __u32 pl_flow_generation(__u32 sender, __u32 judge, __u32 receiver)
{
	return pl_generation_get(sender) + pl_generation_get(judge) + pl_generation_get(receiver);
}

/* Whether what was read of a row so far was all the key's. To be asked after the last read. */
static __always_inline bool pl_flow_is_still(const struct pl_flow4 *flow, const struct pl_flow4_key *key)
{
	asm volatile("" ::: "memory"); /* no read moves down past this one */
	return *(const volatile __u32 *)&flow->tag == pl_flow_tag(key);
}

/* Whether the entry that a packet of port `sender` found was judged by today's rules. (With the tag as it
 * stands in the row: the packet leaves only if that is its key's.) */
static __always_inline bool pl_flow_is_judged(const struct pl_flow4 *flow, __u32 sender)
{
	return flow->generation == pl_flow_generation(sender, flow->slot, flow->peer) + flow->tag;
}

/* Makes a new row the key's, judged at the generation. */
static __always_inline void pl_flow_set_judged(struct pl_flow4 *flow, const struct pl_flow4_key *key,
					       __u32 generation)
{
	flow->tag = pl_flow_tag(key);
	flow->generation = generation + flow->tag;
}

/* The word of a row that has its state and its tag. */
union pl_flow_word {
	struct {
		__u8 kind, state, delivery, proxy;
		__u32 tag;
	};
	__u64 all;
};

/* Changes the state while the row is the key's, and does nothing when it is another flow's by now: else a
 * connection of a stranger could be made to end early. */
static __always_inline void pl_flow_set_state(struct pl_flow4 *flow, const struct pl_flow4_key *key,
					      __u8 state)
{
	__u64 *word = (__u64 *)&flow->kind;
	union pl_flow_word old = {.all = *(volatile __u64 *)word}, new = old;

	if (old.tag != pl_flow_tag(key))
		return;
	new.state = state;
	(void)__sync_val_compare_and_swap(word, old.all, new.all);
}

/* The ENI whose flow it is; 0: none's. */
static __always_inline __u32 pl_flow_eni(const struct pl_flow4 *flow)
{
	return pl_flow_is_local(flow) ? PL_SLOT_SERVICE : flow->slot;
}

/* Which way the packets of an ENI's flow go that find the entry. */
static __always_inline __u32 pl_flow_side(const struct pl_flow4 *flow)
{
	return pl_flow_is_back(flow) ? PL_TALLY_OUT : 0;
}

/* Removes a flow, told from one of its entries, and keeps for its ENI what its rows have counted. Of two CPUs
 * that do so, the one that finds the entry there removes the partner, too: when the other comes to it, its
 * key may be another flow's. */
__attribute__((noinline)) int pl_flow_remove(const struct pl_flow4_key *found)
{
	struct pl_flow4_key key, partner_key; /* on the stack: see pl_flow_judge_again() */
	struct pl_count count, partner_count = {};
	struct pl_flow4 *flow, *partner;
	__u32 eni, side;
	bool has_proxy;
	int r; /* not long: see pl_nat_try() */

	if (!found)
		return 0;
	key = *found;
	flow = pl_flow4_find(&key);
	if (!flow)
		return 0;
	partner_key = pl_flow4_partner(&key, flow);
	eni = pl_flow_eni(flow);
	side = pl_flow_side(flow);
	has_proxy = flow->proxy;
	count = (struct pl_count){flow->packets, flow->bytes};
	if (!pl_flow_is_still(flow, &key))
		return 0;
	partner = pl_flow4_find(&partner_key);
	if (partner)
		partner_count = (struct pl_count){partner->packets, partner->bytes};
	r = bpf_map_delete_elem(&pl_flows4, &key);
	if (r)
		return 0;
	bpf_map_delete_elem(&pl_flows4, &partner_key);
	if (has_proxy)
		bpf_map_delete_elem(&pl_proxied, side ? &partner_key : &key);
	if (eni) {
		pl_tally_add(eni, PL_TALLY_ENDED | side, count.packets, count.bytes);
		pl_tally_add(eni, PL_TALLY_ENDED | (side ^ PL_TALLY_OUT), partner_count.packets,
			     partner_count.bytes);
	}
	return 1;
}

/* Whether an echo packet goes the other way than its entry: with the identifier 0 a request has the key of a
 * reply to somebody else's. */
static __always_inline bool pl_echo_is_astray(const struct pl_flow4 *flow, const struct pl_pkt *pkt)
{
	return pkt->l4_proto == IPPROTO_ICMP && (pkt->icmp_type == ICMP_ECHO) == pl_flow_is_back(flow);
}

static __always_inline bool pl_tcp_opens(__u8 flags)
{
	return (flags & (PL_TCP_SYN | PL_TCP_ACK | PL_TCP_FIN | PL_TCP_RST)) == PL_TCP_SYN;
}

/* A SYN begins anew where the flow is over (the tuple is used again), and where its first SYN was not
 * answered (the backend may have gone since: the next choice is made from today's table). */
static __always_inline bool pl_flow_begins_anew(const struct pl_flow4 *flow, const struct pl_pkt *pkt)
{
	if (pkt->l4_proto != IPPROTO_TCP || !pl_tcp_opens(pkt->tcp_flags))
		return false;
	if (flow->kind == PL_FLOW_NAT_BACK)
		return false;
	return flow->state == PL_STATE_CLOSING || (flow->state == PL_STATE_NEW && !pl_flow_is_back(flow));
}

/* A reset ends both directions at once. */
static __always_inline void pl_flow_reset(const struct pl_flow4_key *key, struct pl_flow4 *flow)
{
	struct pl_flow4_key partner_key = pl_flow4_partner(key, flow);
	struct pl_flow4 *partner;

	if (!pl_flow_is_still(flow, key))
		return;
	pl_flow_set_state(flow, key, PL_STATE_CLOSING);
	partner = pl_flow4_find(&partner_key);
	if (partner)
		pl_flow_set_state(partner, &partner_key, PL_STATE_CLOSING);
}

/* The state of one direction, by what it carries. A SYN proves nothing, with or without an acknowledgement: a
 * server answers anybody's. What comes after it shows that the other side has spoken. */
static __always_inline void pl_flow_track(const struct pl_flow4_key *key, struct pl_flow4 *flow,
					  const struct pl_pkt *pkt)
{
	__u8 flags = pkt->tcp_flags;

	if (flags & PL_TCP_RST) {
		if (flow->state != PL_STATE_CLOSING)
			pl_flow_reset(key, flow);
		return;
	}
	if (flags & PL_TCP_FIN) {
		if (flow->state != PL_STATE_CLOSING)
			pl_flow_set_state(flow, key, PL_STATE_CLOSING);
		return;
	}
	if (flow->state == PL_STATE_NEW && !(flags & PL_TCP_SYN))
		pl_flow_set_state(flow, key, PL_STATE_ESTABLISHED);
}

/* What every packet of an entry leaves behind. Two CPUs would fight for the line if `seen` were written each
 * time. Should the row be another flow's since it was looked at last, that one counts a packet too many, and
 * was seen just now, as any new flow was; its state is left alone. */
static __always_inline void pl_flow_touch(const struct pl_flow4_key *key, struct pl_flow4 *flow,
					  const struct pl_pkt *pkt, __u32 bytes)
{
	__u32 now = bpf_jiffies64();

	if (flow->seen != now)
		flow->seen = now;
	flow->packets++;
	flow->bytes += bytes;
	pl_flow_track(key, flow, pkt);
}

/* The part of an entry that says who receives the packets that find it. */
static __always_inline void pl_flow_set_receiver(struct pl_flow4 *flow, const struct pl_port *port,
						 __u32 slot, const struct pl_config *config)
{
	__builtin_memcpy(flow->dst_mac, port->mac, ETH_ALEN);
	__builtin_memcpy(flow->src_mac, config->gateway_mac, ETH_ALEN);
	flow->ifindex = port->ifindex;
	flow->delivery = port->delivery;
	flow->peer = slot;
}
