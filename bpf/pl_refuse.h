/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Saying no. A TCP packet that is dropped because its flow has ended, or because nobody would answer, becomes
 * a reset to its sender, so that programs fail at once and not in minutes. (Of datagrams an ICMP error tells,
 * pl_answer.h.) It is still counted under the reason of its drop.
 *
 * A reset is made of what the packet itself says, so it tells nobody another tenant's numbers; the sender
 * believes it, since its own acknowledgement is in it (RFC 9293, 3.10.7.1; RFC 5961). A flow that is refused
 * has ended, so it is told once. All that is told for a port together is limited.
 *
 * Where an open connection ends by a packet of the side that answers, the reset goes on to the one that has
 * opened it: that may be waiting for just this answer, and never send anything again. The answering side will
 * say its piece again, and hear of it then.
 *
 * Silent stay new flows that security groups refuse, as in the cloud, and whatever is wrong with a packet
 * itself: who forges does not get an answer.
 */
#pragma once

#include "pl_end.h"
#include "pl_judge.h"
#include "pl_limit.h"
#include "pl_local.h"
#include "pl_offload.h"

#define PL_ANSWER_COST_NS (1000000000ull / PL_ANSWERS_PER_S)

/* Words of 16 bits, summed up, unfolded. */
static __always_inline __u64 pl_csum_words(const void *words, __u32 n)
{
	const __u16 *word = words;
	__u64 sum = 0;

#pragma unroll
	for (__u32 i = 0; i < n; i++)
		sum += word[i];
	return sum;
}

/* Whether the sender of a packet without a flow hears of it. (Whether the flow that it had has been ended by
 * a refusal, the caller knows.) */
static __attribute__((noinline)) bool pl_refusal_is_told(const struct pl_pkt *pkt, int reason)
{
	bool is_segment = pkt->l4_proto == IPPROTO_TCP && !pl_tcp_opens(pkt->tcp_flags);

	switch (reason) {
	case PL_DROP_NO_LISTENER:
	case PL_DROP_NO_BACKEND:
	case PL_DROP_BACKEND_GONE:
	case PL_DROP_ENI_NOT_CONNECTED:
		return true;
	case PL_DROP_NOT_SYN:
	case PL_DROP_NO_FLOW:
	case PL_DROP_NO_PLACE:
		return is_segment; /* of a connection that is known no more */
	default:
		return false;
	}
}

/* Whether the port may be told one thing more. */
static __always_inline bool pl_answer_is_due(__u32 slot)
{
	__u64 *at = bpf_map_lookup_elem(&pl_answers, &slot);

	return at && pl_bucket_take(at, PL_ANSWER_COST_NS, PL_ANSWER_COST_NS * PL_ANSWERS_BURST, true);
}

struct pl_reset {
	struct iphdr ip;
	struct tcphdr tcp;
};

/* Where a reset goes: it is the answer to a segment with this key, and the port in the slot gets it. */
struct pl_reset_way {
	struct pl_flow4_key key;
	__u32 slot;
};

/* A flow that is refused ends; between instances with both of its halves. */
static __always_inline void pl_flow_end_refused(const struct pl_flow4_key *found, __u32 why)
{
	struct pl_flow4_key key = *found;

	key.vpc_proto &= ~PL_SIDE_IN;
	pl_flow_end(&key, why << PL_END_WHY);
	key.vpc_proto |= PL_SIDE_IN;
	pl_flow_end(&key, why << PL_END_WHY);
}

/* A packet's flow, of which it has found the entry, is refused. It ends now; or, where its other end is to
 * hear of it, when that is told. (Not where nobody could tell in this instant.) */
static __always_inline void pl_flow_refuse(struct pl_pkt *pkt, const struct pl_flow4 *flow, int why)
{
	if (why == PL_DROP_FLOW_TABLE_BUSY)
		return;
	pkt->refused = PL_REFUSED_BACK;
	pkt->why = why;
	if (pkt->l4_proto == IPPROTO_TCP && pl_flow_is_back(flow))
		pkt->refused = PL_REFUSED_ON;
	else
		pl_flow_end_refused(&pkt->key, why);
}

/* The way to the other end of the packet's flow, if that is still where it was. */
static __always_inline bool pl_reset_way_on(const struct pl_flow4_key *key, struct pl_reset_way *ret)
{
	const struct pl_flow4 *flow = pl_flow4_find(key);
	struct pl_flow4_key back;
	__u32 peer;

	if (!flow || !pl_flow_receiver_is_same(flow))
		return false;
	back = pl_flow4_partner(key, flow);
	peer = flow->peer;
	if (!pl_flow_is_still(flow, key))
		return false;
	ret->key = back;
	ret->slot = peer;
	return true;
}

/* The sequence space that a segment takes; `total` is its IP packet's length. */
static __always_inline __u32 pl_tcp_space(const struct pl_pkt *pkt, const struct tcphdr *tcp, __u32 total)
{
	__u32 headers = sizeof(struct iphdr) + tcp->doff * 4;

	return (total > headers ? total - headers : 0) + !!(pkt->tcp_flags & PL_TCP_SYN) +
	       !!(pkt->tcp_flags & PL_TCP_FIN);
}

static __always_inline void pl_reset_fill(struct pl_reset *reset, const struct pl_flow4_key *key, __u8 summed)
{
	__u64 sum;

	reset->ip.version = 4;
	reset->ip.ihl = sizeof(reset->ip) / 4;
	reset->ip.tot_len = bpf_htons(sizeof(*reset));
	reset->ip.frag_off = bpf_htons(0x4000);
	reset->ip.ttl = 64;
	reset->ip.protocol = IPPROTO_TCP;
	reset->ip.saddr = key->daddr;
	reset->ip.daddr = key->saddr;
	reset->ip.check = ~pl_csum_fold(pl_csum_words(&reset->ip, sizeof(reset->ip) / 2));

	reset->tcp.source = key->dport;
	reset->tcp.dest = key->sport;
	reset->tcp.doff = sizeof(reset->tcp) / 4;
	reset->tcp.rst = 1;
	/* the addresses, protocol and length are the pseudo header */
	sum = pl_csum_words(&reset->ip.saddr, 4) + bpf_htons(IPPROTO_TCP) + bpf_htons(sizeof(reset->tcp));
	if (summed == PL_CHECKSUM_PARTIAL)
		reset->tcp.check = pl_csum_fold(sum);
	else
		reset->tcp.check = ~pl_csum_fold(sum + pl_csum_words(&reset->tcp, sizeof(reset->tcp) / 2));
}

/* The reset that answers the segment, or goes on in its place; false: none does. */
static __always_inline bool pl_reset_make(struct __sk_buff *skb, const struct pl_pkt *pkt,
					  const struct pl_reset_way *way, bool on, struct pl_reset *reset)
{
	const struct iphdr *ip = pl_data(skb, PL_HEADERS_MAX);
	const struct tcphdr *tcp;
	__u32 total;

	if (!ip || (pkt->tcp_flags & PL_TCP_RST))
		return false;
	ip = (const void *)ip + PL_IP_OFFSET;
	tcp = (const void *)(ip + 1);
	total = ip->tot_len ? bpf_ntohs(ip->tot_len) : skb->len - PL_IP_OFFSET;
	if (on) {
		reset->tcp.seq = tcp->seq;
		reset->tcp.ack_seq = tcp->ack_seq;
		reset->tcp.ack = !!(pkt->tcp_flags & PL_TCP_ACK);
	} else if (pkt->tcp_flags & PL_TCP_ACK) {
		reset->tcp.seq = tcp->ack_seq;
	} else {
		reset->tcp.ack_seq = bpf_htonl(bpf_ntohl(tcp->seq) + pl_tcp_space(pkt, tcp, total));
		reset->tcp.ack = 1;
	}
	pl_reset_fill(reset, &way->key, PL_SEES_SKB() ? pl_ip_summed(skb) : pl_ip_summed_by_helpers(skb));
	return true;
}

/* Turns the segment into a reset. What is longer is cut off first, and with that a packet of many segments is
 * one. */
static __always_inline int pl_refuse_tcp(struct __sk_buff *skb, const struct pl_pkt *pkt,
					 const struct pl_reset_way *way, bool on)
{
	struct pl_reset reset = {};

	if (!pl_reset_make(skb, pkt, way, on, &reset))
		return 0;
	if (bpf_skb_change_tail(skb, PL_IP_OFFSET + sizeof(reset), 0))
		return 0;
	return !bpf_skb_store_bytes(skb, PL_IP_OFFSET, &reset, sizeof(reset), BPF_F_RECOMPUTE_CSUM);
}

/* Tells the sender of a TCP packet that was dropped, or the other end of its flow. 1: the packet is the
 * answer now, to be sent by pl_send(); 0: there is none, and the packet is of no use any more. */
__attribute__((noinline)) int pl_refuse(struct __sk_buff *skb, struct pl_pkt *pkt)
{
	const struct pl_config *config = pl_config_get();
	struct pl_flow4_key key; /* on the stack: see pl_flow_judge_again() */
	struct pl_reset_way way;
	const struct pl_port *port;
	bool on = false;
	struct {
		__u8 dst[ETH_ALEN], src[ETH_ALEN];
	} macs;

	if (!pkt || !config)
		return 0;
	key = pkt->key;
	way.key = key;
	way.slot = pkt->slot;
	if (pkt->refused == PL_REFUSED_ON) {
		on = pl_reset_way_on(&key, &way);
		pl_flow_end_refused(&key, pkt->why);
	}
	port = pl_port_find(way.slot);
	if (!port || !pl_answer_is_due(pkt->slot) || !pl_refuse_tcp(skb, pkt, &way, on))
		return 0;
	__builtin_memcpy(macs.dst, port->mac, ETH_ALEN);
	__builtin_memcpy(macs.src, config->gateway_mac, ETH_ALEN);
	if (bpf_skb_store_bytes(skb, 0, &macs, sizeof(macs), 0))
		return 0;
	pl_send_back(pkt, port);
	return 1;
}
