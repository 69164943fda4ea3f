/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the sender of a dropped packet is told, by the reason. The packet is counted as dropped either way.
 */
#pragma once

#include "pl_icmp_make.h"

/* Makes the answer out of the packet. 1: it is to be sent, by pl_send(); 0: nothing is told. */
__attribute__((noinline)) int pl_answer(struct __sk_buff *skb, struct pl_pkt *pkt, int reason)
{
	switch (reason) {
	case PL_DROP_TTL_EXCEEDED:
		return pl_icmp_error(skb, pkt, ICMP_TIME_EXCEEDED, 0, 0);
	default:
		return 0;
	}
}
