/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * ICMP errors inside flows: an instance tells of a packet that it was sent. The packet is quoted, so its flow
 * is found by the quote turned round, which is what the instance itself would send in that flow. It must be
 * one of its own, as its address in the header must: nobody tells of others' packets. The error is translated
 * like a packet of the flow, and the quote in it the other way round, back to what was sent.
 *
 * What is written cancels out in every sum that covers it, so nothing but packet pointers is needed.
 */
#pragma once

#include "pl_icmp_make.h"
#include "pl_known.h"
#include "pl_proxy.h"
#include "pl_rewrite.h"

#define PL_QUOTE_TCP_SIZE (sizeof(struct iphdr) + offsetof(struct tcphdr, check) + sizeof(__u16))

/* What follows the quoted IP header, as far as it must be there: 8 bytes. */
union pl_quoted_l4 {
	struct {
		__be16 sport, dport;
		__be32 seq; /* of TCP */
	};
	struct udphdr udp;
	struct pl_icmp icmp;
};

/* An ICMP error from a port whose source address was guarded: makes pkt->key that of the quoted packet's
 * flow, in the direction that the sender of the error would send in. */
__attribute__((noinline)) int pl_icmp_parse_quote(struct __sk_buff *skb, struct pl_pkt *pkt)
{
	const union pl_quoted_l4 *l4;
	const struct iphdr *ip;
	const void *data;

	if (!pkt)
		return PL_DROP_NO_PORT;
	pl_pull(skb, PL_QUOTE_OFFSET + PL_QUOTE_TCP_SIZE);
	data = pl_data(skb, PL_QUOTE_L4 + sizeof(union pl_quoted_l4));
	if (!data)
		return PL_DROP_ICMP_QUOTE;
	ip = data + PL_QUOTE_OFFSET;
	l4 = data + PL_QUOTE_L4;
	if (*(const __u8 *)ip != PL_IP_PLAIN || ip->frag_off & bpf_htons(PL_IP_OFFSET_MASK))
		return PL_DROP_ICMP_QUOTE;
	if (ip->saddr != pkt->key.daddr || ip->daddr != pkt->key.saddr)
		return PL_DROP_ICMP_QUOTE;
	pkt->key.sport = pkt->key.dport = 0;
	if (ip->protocol == IPPROTO_TCP || ip->protocol == IPPROTO_UDP) {
		pkt->key.sport = l4->dport;
		pkt->key.dport = l4->sport;
	} else if (ip->protocol == IPPROTO_ICMP && l4->icmp.type == ICMP_ECHO) {
		pkt->key.dport = l4->icmp.id;
	} else if (ip->protocol == IPPROTO_ICMP && l4->icmp.type == ICMP_ECHOREPLY) {
		pkt->key.sport = l4->icmp.id;
	} else {
		return PL_DROP_ICMP_QUOTE;
	}
	pkt->key.vpc_proto = pkt->vpc << 8 | PL_SIDE_OUT | ip->protocol;
	return pl_icmp_take(pkt->slot) ? PL_CONTINUE : PL_DROP_ICMP_RATE;
}

/* Where the quote has its L4 checksum; NULL: it has none, or ends before. */
static __always_inline __u16 *pl_quoted_check(struct __sk_buff *skb, __u8 protocol, __u32 quote_size)
{
	struct udphdr *udp;
	void *data;

	if (protocol == IPPROTO_UDP) {
		data = pl_data(skb, PL_QUOTE_L4 + sizeof(*udp));
		udp = data + PL_QUOTE_L4;
		return data && udp->check ? &udp->check : NULL;
	}
	data = pl_data(skb, PL_QUOTE_OFFSET + PL_QUOTE_TCP_SIZE);
	if (!data || quote_size < PL_QUOTE_TCP_SIZE)
		return NULL;
	return data + PL_QUOTE_L4 + offsetof(struct tcphdr, check);
}

/* Whether a client tells its server of a narrow path. A kernel remembers that for the address, here for a
 * translated one; the client would narrow the path of all others that have it, in other VPCs. */
static __always_inline bool pl_icmp_narrows_others(const struct pl_icmp *icmp, const struct pl_flow4 *flow)
{
	return icmp->type == ICMP_DEST_UNREACH && icmp->code == ICMP_FRAG_NEEDED &&
	       flow->kind == PL_FLOW_NAT && pl_flow_eni(flow);
}

/* What a sequence number in the quote lacks to what the client has sent; 0: nothing. */
static __always_inline __u32 pl_icmp_lowered(struct __sk_buff *skb, const struct pl_pkt *pkt,
					     const struct pl_flow4 *flow)
{
	const union pl_quoted_l4 *l4 = pl_data(skb, PL_QUOTE_L4 + sizeof(*l4));
	struct pl_flow4_key client;

	if (!flow->proxy || flow->kind != PL_FLOW_NAT_BACK || !l4)
		return 0;
	client = pl_flow4_partner(&pkt->key, flow);
	l4 = (const void *)l4 + PL_QUOTE_L4;
	return pl_proxy_lowered(&client, bpf_ntohl(l4->seq));
}

/* Writes the flow's MACs, addresses and ports into the error and, turned round, into its quote. Addresses and
 * IP checksum of the quote cancel out in the ICMP checksum; so do its ports, its sequence number and the
 * addresses' part of its L4 checksum, where it has one. */
static __always_inline int pl_icmp_rewrite(struct __sk_buff *skb, const struct pl_flow4 *flow, __u32 lowered)
{
	void *data = pl_data(skb, PL_QUOTE_L4 + sizeof(union pl_quoted_l4));
	__u16 csum_addr = flow->csum_addr, csum_all = flow->csum_all, *check;
	struct iphdr *ip, *quoted;
	union pl_quoted_l4 *l4;
	struct pl_icmp *icmp;
	__u32 change;

	if (!data)
		return PL_DROP_SHORT;
	/* Of echo requests as of replies, the error goes the other way (pl_echo_is_astray()). */
	quoted = data + PL_QUOTE_OFFSET;
	l4 = data + PL_QUOTE_L4;
	if (quoted->protocol == IPPROTO_ICMP && (l4->icmp.type == ICMP_ECHO) != pl_flow_is_back(flow))
		return PL_DROP_NO_FLOW;
	ip = data + PL_IP_OFFSET;
	icmp = data + PL_L4_OFFSET;
	if (pl_icmp_narrows_others(icmp, flow))
		return PL_DROP_ICMP_TYPE;
	if (!pl_rewrite_head(data, flow))
		return PL_CONTINUE;

	quoted->saddr = flow->daddr;
	quoted->daddr = flow->saddr;
	quoted->check = pl_csum_update(quoted->check, csum_addr);
	l4->sport = flow->dport;
	l4->dport = flow->sport;
	if (lowered) {
		__be32 seq = bpf_htonl(bpf_ntohl(l4->seq) + lowered);

		csum_all = pl_csum_fold(csum_all + pl_csum_diff32(l4->seq, seq));
		l4->seq = seq;
	}
	change = pl_csum_fold((__u64)csum_all + pl_csum_negate(csum_addr));
	check = pl_quoted_check(skb, quoted->protocol, bpf_ntohs(ip->tot_len) - PL_ICMP_HEAD_SIZE);
	if (check) {
		*check = pl_csum_update(*check, csum_all);
		if (!*check)
			*check = 0xffff;
		change = pl_csum_negate(csum_addr);
	}
	icmp->check = pl_csum_update(icmp->check, change);
	return PL_CONTINUE;
}

/* Makes an ICMP error one about what its flow's other end has sent. The reason that it leaves under; or
 * PL_NOT_KNOWN, as long as pl_known_flow() has not been asked (`is_known`) and there is more to ask than
 * here. */
__attribute__((noinline)) int pl_icmp_write(struct __sk_buff *skb, struct pl_pkt *pkt, __u32 is_known)
{
	struct pl_flow4_key key; /* on the stack: see pl_flow_judge_again() */
	const struct pl_flow4 *flow;
	int r;

	if (!pkt)
		return PL_DROP_NO_PORT;
	key = pkt->key;
	flow = pl_flow4_find(&key);
	if (!is_known) {
		if (!flow || !pl_known_at_sight(flow, pkt))
			return PL_NOT_KNOWN;
		pl_drops_for(pkt, flow);
	}
	if (!flow)
		return PL_DROP_NO_FLOW;
	r = pl_icmp_rewrite(skb, flow, pl_icmp_lowered(skb, pkt, flow));
	if (!r)
		r = pl_reason_of(flow);
	pkt->out_ifindex = flow->ifindex;
	pkt->out_delivery = flow->delivery;
	/* Spoilt by another flow's row, the packet must not leave. */
	return pl_flow_is_still(flow, &key) ? r : PL_DROP_NO_FLOW;
}

/* An error whose flow's key was parsed. (One step after the other, see pl_walk_rare().) */
static __always_inline int pl_icmp_follow(struct __sk_buff *skb, struct pl_pkt *pkt)
{
	int r = pl_icmp_write(skb, pkt, false);

	if (r != PL_NOT_KNOWN)
		return r;
	r = pl_known_flow(pkt);
	return r ? r : pl_icmp_write(skb, pkt, true);
}
