/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The largest segment that the two ends of a connection tell each other, in its SYN and the answer to it:
 * never more than fits the MTU of both ports, nor than the listener's Mss. Only packets with a SYN come here.
 */
#pragma once

#include "pl_judge.h"

#define PL_TCP_DOFF_OFFSET 12
#define PL_TCP_OPT_END	   0
#define PL_TCP_OPT_NOP	   1
#define PL_TCP_OPT_MSS	   2
#define PL_TCP_OPT_MSS_LEN 4
#define PL_TCP_OPTIONS_MAX 40 /* bytes, so options */

struct pl_mss_walk {
	struct __sk_buff *skb;
	__u32 at, end; /* of the options, in the frame */
	__u32 bound;
};

/* Lowers the option's value. It can stand across two words of the checksum. */
static __always_inline void pl_mss_lower(const struct pl_mss_walk *walk, __be16 old)
{
	__be16 new = bpf_htons(walk->bound);
	bool is_across = walk->at & 1;

	if (bpf_ntohs(old) <= walk->bound)
		return;
	if (bpf_skb_store_bytes(walk->skb, walk->at + 2, &new, sizeof(new), 0))
		return;
	(void)bpf_l4_csum_replace(walk->skb, PL_L4_OFFSET + offsetof(struct tcphdr, check),
				  is_across ? __builtin_bswap16(old) : old,
				  is_across ? __builtin_bswap16(new) : new, sizeof(new));
}

/* One option; 1 ends the loop. */
static long pl_mss_option(__u32 i, struct pl_mss_walk *walk)
{
	struct {
		__u8 kind, length;
		__be16 value;
	} option;

	/* (Less than four bytes are no MSS.) */
	if (walk->at + PL_TCP_OPT_MSS_LEN > walk->end ||
	    bpf_skb_load_bytes(walk->skb, walk->at, &option, sizeof(option)))
		return 1;
	if (option.kind == PL_TCP_OPT_NOP) {
		walk->at++;
		return 0;
	}
	if (option.kind == PL_TCP_OPT_END || option.length < 2)
		return 1;
	if (option.kind == PL_TCP_OPT_MSS && option.length == PL_TCP_OPT_MSS_LEN)
		pl_mss_lower(walk, option.value);
	walk->at += option.length;
	return 0;
}

/* What an MTU leaves for a segment. */
static __always_inline __u32 pl_mss_of_port(__u32 slot)
{
	const struct pl_port *port = pl_port_find(slot);
	__u32 headers = sizeof(struct iphdr) + sizeof(struct tcphdr);

	return port && port->mtu > headers ? port->mtu - headers : 0xffff;
}

/* What the listener wishes; 0xffff: nothing; 0: its row was replaced in this instant. */
static __always_inline __u32 pl_mss_of_listener(const struct pl_flow4_key *key, const struct pl_flow4 *flow)
{
	struct pl_listener_key listener_key = {.protocol = IPPROTO_TCP};
	struct pl_listener listener;
	__u32 slot = pl_flow_eni(flow);
	struct pl_eni eni;
	int r = slot ? pl_eni_read(&slot, &eni) : -ENOENT;

	if (r)
		return r == -ENOENT ? 0xffff : 0;
	listener_key.target = eni.target;
	listener_key.port = pl_flow_is_back(flow) ? flow->sport : key->dport;
	r = pl_listener_read(&listener_key, &listener);
	if (r)
		return r == -ENOENT ? 0xffff : 0;
	return listener.mss ? listener.mss : 0xffff;
}

static __always_inline __u32 pl_smaller(__u32 a, __u32 b)
{
	return a < b ? a : b;
}

/* Of a SYN, or its answer, that belongs to an open flow. PL_CONTINUE, or why it may not pass. */
__attribute__((noinline)) int pl_mss_clamp(struct __sk_buff *skb, struct pl_pkt *pkt)
{
	struct pl_mss_walk walk = {.skb = skb, .at = PL_L4_OFFSET + sizeof(struct tcphdr)};
	struct pl_flow4_key key; /* on the stack: see pl_flow_judge_again() */
	const struct pl_flow4 *flow;
	__u8 doff;

	if (!pkt || bpf_skb_load_bytes(skb, PL_L4_OFFSET + PL_TCP_DOFF_OFFSET, &doff, sizeof(doff)))
		return 0;
	walk.end = PL_L4_OFFSET + (doff >> 4) * 4;
	if (walk.at + PL_TCP_OPT_MSS_LEN > walk.end)
		return 0; /* without options */
	key = pkt->key;
	flow = pl_flow4_find(&key);
	if (!flow)
		return 0;
	walk.bound = pl_smaller(pl_mss_of_port(pkt->slot), pl_mss_of_port(flow->peer));
	walk.bound = pl_smaller(walk.bound, pl_mss_of_listener(&key, flow));
	if (!walk.bound)
		return PL_DROP_FLOW_TABLE_BUSY;
	bpf_loop(PL_TCP_OPTIONS_MAX, pl_mss_option, &walk, 0);
	return 0;
}
