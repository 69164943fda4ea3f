/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the sender of a dropped packet is told, by the reason. The packet is counted as dropped either way.
 */
#pragma once

#include "pl_icmp_make.h"
#include "pl_refuse.h"

/* What a datagram's sender is told of a refusal. */
static __always_inline __u8 pl_unreachable_code(int reason)
{
	switch (reason) {
	case PL_DROP_NO_LISTENER:
	case PL_DROP_NO_BACKEND:
		return ICMP_PORT_UNREACH;
	case PL_DROP_POLICY_OUT:
	case PL_DROP_POLICY_IN:
		return ICMP_PKT_FILTERED;
	default:
		return ICMP_HOST_UNREACH;
	}
}

/* Whether there may be one at all: most that is dropped is worth no call. */
static __always_inline bool pl_has_answer(const struct pl_pkt *pkt, int reason)
{
	return pkt->refused || reason == PL_DROP_TTL_EXCEEDED || reason == PL_DROP_TOO_BIG;
}

/* Makes the answer out of the packet. 1: it is to be sent, by pl_send(); 0: nothing is told. */
__attribute__((noinline)) int pl_answer(struct __sk_buff *skb, struct pl_pkt *pkt, int reason)
{
	if (!pkt)
		return 0;
	switch (reason) {
	case PL_DROP_TTL_EXCEEDED:
		return pl_icmp_error(skb, pkt, ICMP_TIME_EXCEEDED, 0, 0);
	case PL_DROP_TOO_BIG: /* also if it might be cut: nobody does it here, but its sender will */
		return pl_icmp_error(skb, pkt, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, bpf_htonl(pkt->mtu));
	default:
		if (!pkt || !pkt->refused)
			return 0;
		if (pkt->l4_proto == IPPROTO_TCP)
			return pl_refuse(skb, pkt);
		if (pkt->l4_proto == IPPROTO_UDP)
			return pl_icmp_error(skb, pkt, ICMP_DEST_UNREACH, pl_unreachable_code(reason), 0);
		return 0;
	}
}
