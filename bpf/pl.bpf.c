/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The data path of a node: switch, router, firewall and NAT in one tc program. It runs on every packet that
 * an instance (or the agent's own namespace) sends, and puts it into its receiver's namespace in the same
 * run. doc/datapath.md tells a packet's walk.
 *
 * Every port's device runs a fixed entry program (pl_entry.h) that names the port by its slot and jumps to
 * pl_main through pl_entry, so that one write replaces pl_main for all ports.
 */
#include <linux/bpf.h>
#include <linux/errno.h>

#include <bpf/bpf_helpers.h> /* above the others, which need its __always_inline */

#include "pl_answer.h"
#include "pl_carry.h"
#include "pl_frag.h"
#include "pl_hand.h"
#include "pl_icmp.h"
#include "pl_known.h"
#include "pl_limit.h"
#include "pl_local.h"
#include "pl_log.h"
#include "pl_mss.h"
#include "pl_open.h"
#include "pl_plain.h"
#include "pl_proxy.h"
#include "pl_rewrite.h"
#include "pl_size.h"
#include "pl_trace.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Opens the flow of a packet whose tuple has none, and moves the hands on, also where it is refused for want
 * of room. What they end may make the room. */
static __always_inline int pl_open_and_sweep(struct pl_pkt *pkt)
{
	int r = pl_open4(pkt);

	if (r == PL_ECHO) /* before all that is asked of others */
		return r;
	switch (r) {
	case PL_DROP_FLOW_SHARE:
	case PL_DROP_ACCOUNT_SHARE:
	case PL_DROP_FLOW_TABLE_FULL:
		return pl_hands_move() ? pl_open4(pkt) : r;
	case PL_DROP_FLOW_TABLE_BUSY:
		return pkt->is_local && pl_pair_clear(pkt) ? pl_open4(pkt) : r;
	case PL_CONTINUE:
	case PL_DROP_NAT_EXHAUSTED:
		pl_hands_move();
		return r;
	default:
		return r;
	}
}

/* Opens the flow of a packet; NULL with the reason, if there can be none. */
static __always_inline struct pl_flow4 *pl_flow_open(struct pl_pkt *pkt, int *ret_reason)
{
	struct pl_flow4 *flow;

	*ret_reason = pl_open_and_sweep(pkt);
	if (*ret_reason == PL_ECHO) /* no refusal */
		return NULL;
	if (*ret_reason) {
		pkt->refused = pl_refusal_is_told(pkt, *ret_reason) ? PL_REFUSED_BACK : 0;
		return NULL;
	}
	pkt->opens = 0;
	/* The same SYN on another CPU may have taken it away meanwhile. */
	*ret_reason = PL_DROP_FLOW_TABLE_BUSY;
	flow = pl_flow4_find(&pkt->key);
	return flow && !(flow->state & PL_STATE_DEAD) ? flow : NULL;
}

/* The open flow of a packet that has found the entry, or none (NULL), judged by today's rules, or opened now;
 * NULL with the reason, if there can be none. (The pointer is the result and not the reason: the verifier
 * of 6.1 would not see that the one depends on the other.) */
static __always_inline struct pl_flow4 *pl_flow_get(struct __sk_buff *skb, struct pl_pkt *pkt,
						    struct pl_flow4 *flow, int *ret_reason)
{
	bool is_judged;
	int r;

	flow = pl_flow_found(&pkt->key, flow, ret_reason);
	if (!flow && *ret_reason)
		return NULL;
	is_judged = flow && pl_flow_is_judged(flow, pkt->slot);
	if (flow && pkt->l4_proto == IPPROTO_TCP &&
	    (pl_tcp_opens(pkt->tcp_flags) || pl_flow_may_be_taken_up(flow, is_judged))) {
		r = pl_flow_again(pkt, pl_tcp_seq(skb));
		*ret_reason = r;
		if (r > 0)
			return NULL;
		if (r)
			flow = NULL;
	}
	if (flow) {
		if (is_judged)
			return flow;
		r = pl_flow_judge_again(&pkt->key, pkt->slot);
		if (!r)
			return flow;
		*ret_reason = r;
		pl_drops_for(pkt, flow);
		pl_flow_refuse(pkt, flow, r);
		if (r != PL_DROP_BACKEND_GONE || pkt->refused == PL_REFUSED_ON)
			return NULL;
		pkt->refused = 0;
	}
	flow = pl_flow_open(pkt, ret_reason);
	if (flow && pkt->tally.slot)
		pl_tally_add(pkt->tally.slot, PL_TALLY_OPENED | pkt->tally.what, 1, 0);
	return flow;
}

/* The receiver's half of a flow between instances: known, or opened together with the sender's. */
static __always_inline int pl_receive(struct pl_pkt *pkt, __u32 bytes)
{
	struct pl_flow4_key key = pkt->key;
	struct pl_flow4 *flow;
	int r;

	key.vpc_proto |= PL_SIDE_IN;
	flow = pl_flow_look(&key, &r);
	if (!flow && r)
		return r;
	if (flow && !pl_flow_is_judged(flow, pkt->slot)) {
		r = pl_flow_judge_again(&key, pkt->slot);
		if (r && r != PL_DROP_BACKEND_GONE) {
			pl_flow_refuse(pkt, flow, r);
			return r;
		}
		if (r) {
			pl_flow_end(&key, 0);
			flow = NULL;
		}
	}
	if (!flow) {
		r = pl_open_and_sweep(pkt);
		if (r) {
			pkt->refused = pl_refusal_is_told(pkt, r) ? PL_REFUSED_BACK : 0;
			return r;
		}
		flow = pl_flow4_find(&key);
	}
	if (!flow)
		return PL_DROP_FLOW_TABLE_BUSY;
	if (!pl_flow_is_still(flow, &key))
		return PL_DROP_NO_FLOW;
	pl_flow_touch(&key, flow, pkt, bytes);
	return PL_CONTINUE;
}

/* What a packet of an open flow costs: bytes where the flow has a limit, questions to the resolver. */
static __always_inline int pl_pay(const struct __sk_buff *skb, struct pl_pkt *pkt,
				  const struct pl_flow4 *flow, int reason)
{
	int r = PL_CONTINUE;

	if (flow->limit)
		r = pl_limit_bytes(flow->limit, pl_flow_is_back(flow), pl_wire_bytes(skb, pkt), 0);
	else if (reason == PL_DNS && flow->kind == PL_FLOW_NAT)
		r = pl_limit_dns(pkt->slot, pl_questions(skb, pkt));
	if (r)
		pl_drops_for(pkt, flow);
	return r;
}

/* A packet of an open flow. */
static __always_inline int pl_follow(struct __sk_buff *skb, struct pl_pkt *pkt, struct pl_flow4 *flow,
				     const struct pl_config *config)
{
	int r, reason = pl_reason_of(flow);

	if (flow->kind == PL_FLOW_NAT_BACK && pl_tcp_opens(pkt->tcp_flags)) {
		pl_drops_for(pkt, flow);
		return PL_DROP_PROVIDER_OPENS;
	}
	if (pl_flow_is_local(flow)) {
		if (pl_echo_is_astray(flow, pkt))
			return PL_DROP_NO_FLOW;
		r = pl_receive(pkt, skb->len);
		if (r)
			return r;
	}
	/* A translated flow goes over a router; instances of a VPC are neighbours. */
	pkt->is_translated = !pl_flow_is_local(flow);
	if (pkt->is_translated && pkt->ttl <= 1) {
		pl_drops_for(pkt, flow);
		return PL_DROP_TTL_EXCEEDED;
	}
	if (skb->len > PL_IP_OFFSET + config->mtu_low) {
		r = pl_guard_size(skb, pkt, flow);
		if (r) {
			pl_drops_for(pkt, flow);
			return r;
		}
	}
	r = pl_pay(skb, pkt, flow, reason);
	if (r) {
		pl_proxy_unheard(skb, pkt, flow);
		return r;
	}
	if (pl_proxy_is_due(flow, pkt)) {
		r = pl_proxy_follow(skb, pkt, flow);
		if (PL_REASON_IS_DROP(r))
			pl_drops_for(pkt, flow);
		if (r)
			return r;
	}
	if (!(flow->state & PL_STATE_ANSWERED) && pl_flow_is_older(skb, pkt, flow) &&
	    !(pl_flow_is_back(flow) && pl_flow_opener_is_answered(&pkt->key))) {
		pl_drops_for(pkt, flow);
		return PL_DROP_NO_FLOW;
	}
	pkt->out_ifindex = flow->ifindex;
	pkt->out_delivery = flow->delivery;
	if (pkt->tcp_flags & PL_TCP_SYN) {
		r = pl_mss_clamp(skb, pkt, flow->peer, pl_flow_eni(flow),
				 pl_flow_is_back(flow) ? flow->sport : pkt->key.dport);
		if (r)
			return r;
	}
	r = pl_rewrite4(skb, pkt, flow);
	if (r)
		return r;
	/* Spoilt by another flow's row, the packet must not leave. */
	if (!pl_flow_is_still(flow, &pkt->key))
		return PL_DROP_NO_FLOW;
	pl_flow_touch(&pkt->key, flow, pkt, skb->len);
	return reason;
}

/* What is no packet of a flow by itself, but belongs to one. (One step after the other, so that the frames of
 * their functions do not add up.) */
static __always_inline int pl_walk_rare(struct __sk_buff *skb, struct pl_pkt *pkt)
{
	bool is_fragment = pkt->rare == PL_RARE_FRAGMENT;
	int r = is_fragment ? pl_fragment_parse(skb, pkt) : pl_icmp_parse_quote(skb, pkt);

	if (r)
		return r;
	if (!is_fragment)
		return pl_icmp_follow(skb, pkt);
	r = pl_known_flow(pkt);
	return r ? r : pl_fragment_write(skb, pkt);
}

static __always_inline int pl_walk4(struct __sk_buff *skb, struct pl_pkt *pkt, const struct pl_port *port,
				    const struct pl_config *config)
{
	struct pl_flow4 *flow;
	int r;

	r = pl_parse_ip4(skb, pkt);
	if (r)
		return r;
	r = pl_guard_source(pkt, port, config);
	if (r)
		return r;
	r = pl_guard_offload(skb, pkt, pkt->rare ? 0 : pkt->l4_proto);
	if (r)
		return r;
	if (pkt->rare && pkt->rare != PL_RARE_FIRST_FRAGMENT)
		return pl_walk_rare(skb, pkt);
	r = pkt->rare ? pl_fragment_may_begin(skb, pkt) : PL_CONTINUE;
	if (r)
		return r;
	if (!pl_likely(!pl_asks_anew(pkt)) && !pkt->rare) {
		r = pl_open_at_once(pkt);
		if (r && r != PL_ECHO)
			return r;
	}
	flow = r ? NULL : pl_flow4_find(&pkt->key);
	if (pl_likely(flow && pl_is_plain(skb, pkt, flow, config)))
		return pl_plain_follow(skb, pkt, flow);
	if (!r)
		flow = pl_flow_get(skb, pkt, flow, &r);
	if (flow)
		r = pl_follow(skb, pkt, flow, config);
	else if (r == PL_ECHO)
		r = pl_echo_answer(skb, pkt, port, config);
	return pkt->rare ? pl_fragment_begin(skb, pkt, r) : r;
}

static __always_inline int pl_walk(struct __sk_buff *skb, struct pl_pkt *pkt)
{
	const struct pl_config *config = pl_config_get();
	const struct pl_port *port;
	int r;

	pkt->slot = skb->cb[0];
	port = pl_port_find(pkt->slot);
	if (!port || !config)
		return PL_DROP_NO_PORT;
	/* A slot is given out again; a device that still has it is not the new port's. */
	if (port->ifindex != skb->ifindex)
		return PL_DROP_NO_PORT;
	pkt->vpc = port->vpc;
	pl_pull(skb, PL_HEADERS_MAX);
	r = pl_guard_frame(skb, pkt, port, config);
	if (r)
		return r;
	if (pkt->eth_proto == bpf_htons(ETH_P_ARP)) {
		r = pl_guard_offload(skb, pkt, 0);
		return r ? r : pl_arp_answer(skb, pkt, port, config);
	}
	return pl_walk4(skb, pkt, port, config);
}

/* From a port; skb->cb[0] is its slot. */
SEC("tc")
int pl_main(struct __sk_buff *skb)
{
	struct pl_pkt pkt = {};
	int reason = pl_walk(skb, &pkt), action = pl_exit(skb, &pkt, reason);

	if (PL_REASON_IS_DROP(reason) && pl_has_answer(&pkt, reason) && pl_answer(skb, &pkt, reason))
		return pl_send(skb, &pkt);
	return action;
}

/* On the egress of a veth's node side. What we deliver never passes here: all that does is the node's own. */
SEC("tc")
int pl_guard_veth(struct __sk_buff *skb)
{
	struct pl_pkt pkt = {};

	return pl_exit(skb, &pkt, PL_DROP_EGRESS_GUARD);
}

/* Whether the program sent a packet that leaves here: it says so, and has come in by the device of the port
 * that it names. What comes in there meets the program and nobody else; what the node itself sends has come
 * in nowhere. */
static __always_inline bool pl_is_ours(const struct __sk_buff *skb)
{
	const struct pl_port *sender = pl_port_find(skb->mark ^ PL_MARK_OURS);

	return sender && skb->ingress_ifindex && sender->ifindex == skb->ingress_ifindex;
}

/* On the egress of a tap: what we deliver passes here, and was counted where it was sent. */
SEC("tc")
int pl_guard_tap(struct __sk_buff *skb)
{
	struct pl_pkt pkt = {};

	if (!pl_is_ours(skb))
		return pl_exit(skb, &pkt, PL_DROP_EGRESS_GUARD);
	skb->mark = 0;
	return TC_ACT_OK;
}

/* Starts the timer that goes round the tokens, or takes it over from the program before; run it. */
SEC("tc")
int pl_arm(struct __sk_buff *skb)
{
	struct pl_round *round = pl_round_get();
	int r;

	if (!round)
		return -ENOENT;
	r = bpf_timer_init(&round->timer, &pl_round, 1 /* CLOCK_MONOTONIC */);
	if (r && r != -EBUSY)
		return r;
	r = bpf_timer_set_callback(&round->timer, pl_round_tick);
	return r ? r : bpf_timer_start(&round->timer, PL_TICK_NS, 0);
}

/* What the agent asks for one flow (struct pl_ask); run it. The result is that of pl_flow_carry() or
 * pl_flow_end(). */
SEC("tc")
int pl_ask(struct __sk_buff *skb)
{
	const struct pl_ask *ask = pl_data(skb, sizeof(*ask));
	struct pl_flow4_key key;

	if (!ask)
		return -EINVAL;
	key = ask->key;
	return ask->what == PL_ASK_CARRY ? pl_flow_carry(&key) : pl_flow_end(&key, PL_END_ASKED);
}

/* The clock of pl_flow4.seen: run it, take its return value. */
SEC("syscall")
int pl_now(void *ctx)
{
	return bpf_jiffies64();
}
