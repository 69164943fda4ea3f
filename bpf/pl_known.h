/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Flows that must be there: what belongs to one and may open none, an ICMP error about it or a fragment after
 * the first, is judged like any packet of it. It works on copies of rows, since it is rare and may take its
 * time.
 */
#pragma once

#include "pl_carry.h"
#include "pl_judge.h"
#include "pl_limit.h"
#include "pl_proxy.h"

/* If the packet is dropped from here on, the flow's ENI counts it. */
static __attribute__((noinline)) void pl_drops_for(struct pl_pkt *pkt, const struct pl_flow4 *flow)
{
	pkt->tally.slot = pl_flow_tally_slot(&pkt->key, flow);
	pkt->tally.what = pl_flow_tally_what(&pkt->key, flow);
}

/* Under which reason a packet of a flow is counted. */
static __always_inline int pl_reason_of(const struct pl_flow4 *flow)
{
	if (flow->slot != PL_SLOT_SERVICE)
		return PL_DELIVERED;
	return (flow->kind == PL_FLOW_NAT) == (flow->peer == PL_SLOT_SERVICE) ? PL_DNS : PL_PROBE;
}

/* Whether the entry of a key is there and judged by today's rules, for a packet that port `slot` has sent;
 * else the reason to drop the packet. */
static __always_inline int pl_flow_check(const struct pl_flow4_key *key, __u32 slot,
					 struct pl_flow4 **ret_flow)
{
	struct pl_flow4 *flow;
	int r;

	flow = pl_flow_look(key, &r);
	*ret_flow = flow;
	if (!flow)
		return r ? r : PL_DROP_NO_FLOW;
	return pl_flow_is_judged(flow, slot) ? PL_CONTINUE : pl_flow_judge_again(key, slot);
}

#define PL_NOT_KNOWN (-1) /* no reason: pl_known_flow() has to be asked */

/* Whether all that pl_known_flow() would ask about the entry of pkt->key can be seen in it, and is so. */
static __always_inline bool pl_known_at_sight(const struct pl_flow4 *flow, const struct pl_pkt *pkt)
{
	return !pl_flow_is_local(flow) && !(flow->state & PL_STATE_DEAD) && pkt->ttl > 1 &&
	       pl_flow_is_judged(flow, pkt->slot);
}

/* Whether there is an open flow of pkt->key, between instances with both its halves. Nothing is opened, nor
 * made to last longer. Of its own to the verifier. */
__attribute__((noinline)) int pl_known_flow(struct pl_pkt *pkt)
{
	struct pl_flow4_key key; /* on the stack: see pl_flow_judge_again() */
	struct pl_flow4 *flow;
	int r;

	if (!pkt)
		return PL_DROP_NO_PORT;
	key = pkt->key;
	r = pl_flow_check(&key, pkt->slot, &flow);
	if (!flow)
		return r;
	pl_drops_for(pkt, flow);
	if (r)
		return r;
	if (!pl_flow_is_local(flow))
		return pkt->ttl > 1 ? PL_CONTINUE : PL_DROP_TTL_EXCEEDED;
	key.vpc_proto |= PL_SIDE_IN;
	return pl_flow_check(&key, pkt->slot, &flow);
}

/* Copies the entry of pkt->key, of which pl_known_flow() has said yes. The packet is sent where it says. */
static __always_inline bool pl_known_copy(struct pl_pkt *pkt, struct pl_flow4 *ret)
{
	struct pl_flow4_key key = pkt->key;
	struct pl_flow4 *flow = pl_flow4_find(&key);

	if (!flow)
		return false;
	*ret = *flow;
	pkt->out_ifindex = ret->ifindex;
	pkt->out_delivery = ret->delivery;
	return pl_flow_is_still(flow, &key);
}

#define PL_FLOW_LEFT (-1) /* no reason: the packet opens another flow */

/* Ends the flow of an entry, which a SYN leaves; `must`: also if it is not over. As pl_flow_again(). */
static __always_inline int pl_flow_leave(struct pl_pkt *pkt, const struct pl_flow4_key *key, __u32 eni,
					 bool must)
{
	if (!pl_limit_may_open(pkt->slot, eni))
		return PL_DROP_FLOW_RATE;
	if (pl_flow_end(key, must ? 0 : PL_END_OVER))
		return PL_FLOW_LEFT;
	return must ? PL_DROP_FLOW_TABLE_BUSY : PL_CONTINUE;
}

/* Whether a server may have forgotten the connection of an entry, and could take it up again by whatever
 * comes, without the PROXY header that its listener wants. Where the server has sent a FIN and no more that
 * may be so only if the entry is not judged: one whose listener wants a header that it has not never is. */
static __always_inline bool pl_flow_may_be_taken_up(const struct pl_flow4 *flow, bool is_judged)
{
	if (flow->kind != PL_FLOW_NAT || flow->proxy || !(flow->state & PL_STATE_MAY_BE_FORGOTTEN))
		return false;
	return flow->state & PL_STATE_IN_DOUBT || !is_judged;
}

/* A segment that may begin again with the tuple of the entry that it has found: a SYN, or any one of a row
 * that knows of a reset or of the server's FIN.
 *
 * A SYN leaves the flow where that is over, or the server takes no new connections, or none without another
 * PROXY header. Else the server itself says what it thinks of it; if it does not know the connection any more
 * that is one more, and paid for. A server that has forgotten its connection takes another one up with
 * whatever comes, if it answers by SYN cookies; on a row of before the listener's PROXY header that would be
 * without one, and so the flow ends. Elsewhere what undoes the client's own reset is paid for.
 *
 * `seq`: the segment's number. PL_CONTINUE: it goes on in the flow. PL_FLOW_LEFT: the flow has ended. Else
 * the reason to drop it. */
__attribute__((noinline)) int pl_flow_again(struct pl_pkt *pkt, __u32 seq)
{
	struct pl_flow4_key key; /* on the stack: see pl_flow_judge_again() */
	const struct pl_flow4 *flow;
	bool opens, asks, is_reset;
	__u32 asked = 0;
	int r = 0;

	if (!pkt)
		return PL_DROP_NO_PORT;
	opens = pl_tcp_opens(pkt->tcp_flags);
	key = pkt->key;
	flow = pl_flow4_find(&key);
	if (!flow)
		return PL_DROP_FLOW_TABLE_BUSY;
	is_reset = flow->state & (PL_STATE_RST | PL_STATE_RST_BACK);
	asks = flow->kind == PL_FLOW_NAT && (opens || !(flow->proxy || pkt->tcp_flags & PL_TCP_RST));
	if (asks)
		asked = pl_flow_ask_server(&key, true);
	if (opens && flow->proxy && pl_proxy_is_full(&key, seq))
		asked = PL_SERVER_HEADER; /* on another row, from another source */
	if (asked == PL_SERVER_BUSY)
		r = opens || is_reset ? PL_DROP_FLOW_TABLE_BUSY : PL_CONTINUE;
	else if (opens && (asked & 1 || pl_flow_begins_anew(flow, pkt)))
		r = pl_flow_leave(pkt, &key, flow->slot, asked & 1);
	else if (asked == PL_SERVER_HEADER)
		r = pl_flow_end(&key, 0) ? PL_FLOW_LEFT : PL_DROP_FLOW_TABLE_BUSY;
	else if (asks && flow->slot != PL_SLOT_SERVICE && (opens || flow->state & PL_STATE_RST))
		r = pl_limit_open(pkt->slot, flow->slot, (__u32)bpf_ntohs(key.dport) << 16 | IPPROTO_TCP,
				  asked & 1 ? 0 : asked);
	if (r > 0) {
		pkt->opens = r == PL_DROP_FLOW_RATE;
		pl_drops_for(pkt, flow);
	}
	return r;
}
