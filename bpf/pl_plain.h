/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The quick way of nearly all packets: of a translated flow that is open, of which there is nothing to say
 * but where they go. It is one piece of code without a call, and what is rare has no part in it:
 * pl_is_plain() is the sum of all questions that pl_flow_get() and pl_follow() ask, and where one of them has
 * another answer the packet goes the long way, which asks them one by one. So nothing is refused here for any
 * other reason than a row that has become another flow's.
 */
#pragma once

#include "pl_known.h"
#include "pl_proxy.h"
#include "pl_rewrite.h"

/* Whether a packet that neither begins nor ends anything is no news to its entry, and may follow it, if that
 * is judged: the flow was answered, its opener has spoken since, and nobody has reset it; or they are
 * datagrams that nobody answers. */
static __always_inline bool pl_plain_state(const struct pl_pkt *pkt, const struct pl_flow4 *flow)
{
	const __u8 asked = PL_STATE_ANSWERED | PL_STATE_ESTABLISHED | PL_STATE_IN_DOUBT | PL_STATE_DEAD;
	const __u8 back = PL_STATE_ANSWERED | PL_STATE_RST | PL_STATE_RST_BACK | PL_STATE_DEAD;
	__u8 kind = flow->kind, state = flow->state & asked;

	if (kind == PL_FLOW_NAT_BACK)
		return (state & back) == PL_STATE_ANSWERED;
	if (kind != PL_FLOW_NAT)
		return false;
	return pl_likely(state == (PL_STATE_ANSWERED | PL_STATE_ESTABLISHED)) ||
	       (!state && pkt->l4_proto == IPPROTO_UDP);
}

static __always_inline bool pl_is_plain(const struct __sk_buff *skb, const struct pl_pkt *pkt,
					const struct pl_flow4 *flow, const struct pl_config *config)
{
	if (pkt->rare || pkt->summed == PL_CHECKSUM_COMPLETE)
		return false;
	if (pkt->tcp_flags & (PL_TCP_SYN | PL_TCP_FIN | PL_TCP_RST) || pkt->ttl <= 1)
		return false;
	if (skb->len > PL_IP_OFFSET + config->mtu_low)
		return false;
	if (!pl_plain_state(pkt, flow) || pl_proxy_is_open(flow))
		return false;
	if (flow->slot == PL_SLOT_SERVICE || flow->limit)
		return false;
	return pl_flow_is_judged(flow, pkt->slot);
}

/* Writes what the entry says into a plain packet's frame. False: it is too short. */
static __always_inline bool pl_plain_write(struct __sk_buff *skb, const struct pl_pkt *pkt,
					   const struct pl_flow4 *flow)
{
	void *frame;

	if (pl_likely(pkt->l4_proto == IPPROTO_TCP)) {
		frame = pl_data(skb, PL_L4_OFFSET + sizeof(struct tcphdr));
		if (!frame)
			return false;
		pl_rewrite_tcp_header(frame + PL_L4_OFFSET, flow, pkt->summed);
	} else {
		frame = pl_data(skb, PL_L4_OFFSET + sizeof(struct udphdr));
		if (!frame)
			return false;
		pl_rewrite_udp_header(frame + PL_L4_OFFSET, flow, pkt->summed);
	}
	pl_rewrite_ip(frame + PL_IP_OFFSET, flow);
	pl_macs_copy(frame, flow->dst_mac);
	return true;
}

/* Sends a plain packet on. The reason that it leaves under. */
static __always_inline int pl_plain_follow(struct __sk_buff *skb, struct pl_pkt *pkt, struct pl_flow4 *flow)
{
	if (!pl_plain_write(skb, pkt, flow))
		return PL_DROP_SHORT;
	pkt->out_ifindex = flow->ifindex;
	pkt->out_delivery = flow->delivery;
	/* Spoilt by another flow's row, the packet must not leave. */
	if (!pl_likely(pl_flow_is_still(flow, &pkt->key)))
		return PL_DROP_NO_FLOW;
	pl_flow_count(&pkt->key, flow, skb->len);
	return PL_DELIVERED;
}
