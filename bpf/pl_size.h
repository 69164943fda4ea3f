/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Packets that are larger than their receiver's MTU. On one node nearly all ports have the same, so a packet
 * is compared with the least of them first, and with its receiver's only where it is larger. One that is yet
 * to be cut counts as one of its segments.
 */
#pragma once

#include "pl_limit.h"

/* The IP packet's size, or that of the largest that it will be cut into. (Datagrams are cut into fragments,
 * or into datagrams; a few bytes are let pass here.) */
static __always_inline __u32 pl_packet_size(const struct __sk_buff *skb, const struct pl_pkt *pkt)
{
	if (!skb->gso_size)
		return skb->len - PL_IP_OFFSET;
	if (pkt->l4_proto != IPPROTO_TCP)
		return skb->gso_size + sizeof(struct iphdr);
	return skb->gso_size + pl_headers_size(skb, pkt) - PL_IP_OFFSET;
}

/* Whether the flow's receiver can take the packet. */
static __always_inline int pl_guard_size(const struct __sk_buff *skb, struct pl_pkt *pkt,
					 const struct pl_flow4 *flow)
{
	const struct pl_port *receiver = pl_port_find(flow->peer);

	if (!receiver || !receiver->mtu || pl_packet_size(skb, pkt) <= receiver->mtu)
		return PL_CONTINUE;
	pkt->mtu = receiver->mtu;
	return PL_DROP_TOO_BIG;
}
