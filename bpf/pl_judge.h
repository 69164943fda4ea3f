/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Judging a flow: when it opens, and again (conntrack's "revalidate") where a generation that its entry
 * depends on has changed: is its receiver still there, and would today's rules let it open?
 */
#pragma once

#include "pl_flow.h"
#include "pl_policy.h"
#include "pl_target.h"

/* `opening` is the key by which a flow is opened, `slot` the port that opens it. A set is one of security
 * groups (pl_sets). */

static __always_inline __u32 pl_set_of_port(__u32 slot)
{
	const struct pl_port *port = pl_port_find(slot);

	return port ? port->set : 0;
}

static __always_inline __u32 pl_service_of(const struct pl_flow4_key *opening)
{
	return PL_SERVICE(pl_flow4_protocol(opening), bpf_ntohs(opening->dport));
}

/* The groups of the port itself, about what it opens towards someone with the set `receiver`. */
static __always_inline int pl_judge_out(const struct pl_flow4_key *opening, __u32 slot, __u32 receiver)
{
	if (!pl_policy_allows(pl_set_of_port(slot), receiver, PL_DIRECTION_OUT, bpf_ntohl(opening->daddr),
			      pl_service_of(opening)))
		return PL_DROP_POLICY_OUT;
	return PL_CONTINUE;
}

/* The groups of the one that it wants to reach: an instance's port's, an endpoint's ENI's. */
static __always_inline int pl_judge_in(const struct pl_flow4_key *opening, __u32 slot, __u32 set)
{
	if (!pl_policy_allows(set, pl_set_of_port(slot), PL_DIRECTION_IN, bpf_ntohl(opening->saddr),
			      pl_service_of(opening)))
		return PL_DROP_POLICY_IN;
	return PL_CONTINUE;
}

/* The ENI's own groups, and its load balancer's. Echo never reaches that, and needs the first alone. */
static __always_inline int pl_judge_in_eni(const struct pl_flow4_key *opening, __u32 slot,
					   const struct pl_judge *eni)
{
	int r = pl_judge_in(opening, slot, eni->set);

	if (r || !eni->balancer_set || pl_flow4_protocol(opening) == IPPROTO_ICMP)
		return r;
	return pl_judge_in(opening, slot, eni->balancer_set);
}

/* To an endpoint's ENI: both sides' groups, and the endpoint is connected. Echo is answered by the ENI
 * itself; that needs their consent and no connection. */
static __always_inline int pl_judge_eni(const struct pl_flow4_key *opening, __u32 slot,
					const struct pl_judge *eni)
{
	int r = pl_judge_out(opening, slot, eni->set);

	if (r)
		return r;
	if (!eni->is_connected && pl_flow4_protocol(opening) != IPPROTO_ICMP)
		return PL_DROP_ENI_NOT_CONNECTED;
	return pl_judge_in_eni(opening, slot, eni);
}

/* Whether the receiver is still the port that the flow was opened to. */
static __always_inline bool pl_flow_receiver_is_same(const struct pl_flow4 *flow)
{
	const struct pl_port *port = pl_port_find(flow->peer);

	if (!port || port->vpc != flow->partner_vpc || port->ifindex != flow->ifindex)
		return false;
	if (flow->peer == PL_SLOT_SERVICE)
		return true;
	return pl_addr_v4(&port->addr) == flow->daddr;
}

/* Which server a translated flow has, from either of its entries. */
static __always_inline struct pl_served pl_flow_served(const struct pl_flow4_key *key,
						       const struct pl_flow4 *flow)
{
	if (pl_flow_is_back(flow))
		return (struct pl_served){.listens = flow->sport,
					  .port = key->sport,
					  .addr = key->saddr,
					  .vpc = pl_flow4_vpc(key),
					  .protocol = pl_flow4_protocol(key)};
	return (struct pl_served){.listens = key->dport,
				  .port = flow->dport,
				  .addr = flow->daddr,
				  .vpc = flow->partner_vpc,
				  .protocol = pl_flow4_protocol(key)};
}

/* A translated flow: the address still leads to the judge (an ENI, by its slot; or a DNS or probe address,
 * which nobody judges), and that lets it pass. Where another one has the address now the flow is of no use:
 * an ENI that got another load balancer has another slot, too. What the ENI's row says is in `eni` then. */
static __always_inline int pl_judge_translated(const struct pl_flow4_key *opening, __u32 slot, __u32 judge,
					       struct pl_judge *eni)
{
	struct pl_place place = {0};
	int r = pl_place_read4(pl_flow4_vpc(opening), opening->daddr, &place);

	if (r)
		return r == -ENOENT ? PL_DROP_NO_PLACE : PL_DROP_FLOW_TABLE_BUSY;
	if (judge == PL_SLOT_SERVICE)
		return place.kind == PL_PLACE_DNS || place.kind == PL_PLACE_PROBE ? PL_CONTINUE
										  : PL_DROP_NO_PLACE;
	if (place.kind != PL_PLACE_ENI || place.id != judge)
		return PL_DROP_BACKEND_GONE;
	r = pl_judge_read(judge, pl_flow4_vpc(opening), opening->daddr, eni);
	return r ? r : pl_judge_eni(opening, slot, eni);
}

/* Between instances, one half: the sender's port judges out, the receiver's port judges in. */
static __always_inline int pl_judge_local(const struct pl_flow4_key *opening, __u32 slot, __u32 receiver,
					  __u32 judge)
{
	__u32 set = pl_set_of_port(receiver);

	return judge == slot ? pl_judge_out(opening, slot, set) : pl_judge_in(opening, slot, set);
}

/* Whether a connection that begins now begins with the PROXY header that the row says, or with none as that.
 */
static __always_inline bool pl_header_is_same(const struct pl_listener *listener, const struct pl_flow4 *flow)
{
	return listener->proxy == flow->proxy >> PL_PROXY_PARTS_SHIFT;
}

/* No reasons, and no costs. */
#define PL_SERVER_OTHER	  (-1) /* it keeps the flow, but a connection would begin with a PROXY header now */
#define PL_SERVER_REFUSES 1
#define PL_SERVER_HEADER  3 /* it would begin with another PROXY header, or with none */
#define PL_SERVER_BUSY	  5 /* a row was replaced in this instant */

/* Of a translated flow: whether today's listener and servers let it go on; PL_CONTINUE, PL_SERVER_OTHER for
 * the client's row of a connection without a header, or why not. With
 * `anew`, of a connection: PL_SERVER_…, where they would not let it begin so, or that cannot be told; else
 * what one more costs at the listener (ns, even). Of its own to the verifier, and for its stack. */
__attribute__((noinline)) int pl_flow_ask_server(const struct pl_flow4_key *found, __u32 anew)
{
	struct pl_flow4_key key; /* kernels before 6.4 take no key from behind a function's argument */
	const struct pl_flow4 *flow;
	struct pl_listener listener;
	struct pl_served served;
	struct pl_eni eni;
	__u8 state = 0;
	__u32 slot;
	int r;

	if (!found)
		return 0;
	key = *found;
	flow = pl_flow4_find(&key);
	if (!flow || pl_flow_is_local(flow) || flow->slot == PL_SLOT_SERVICE)
		return 0;
	served = pl_flow_served(&key, flow);
	slot = flow->slot;
	r = pl_eni_read(&slot, &eni);
	if (r == -ENOENT)
		return 0;
	r = r ? PL_DROP_FLOW_TABLE_BUSY : pl_served_read(eni.target, &served, &listener, &state);
	if (!anew) {
		if (!r)
			r = pl_target_keeps(&listener, state, &served);
		return !r && listener.proxy && !flow->proxy && !pl_flow_is_back(flow) ? PL_SERVER_OTHER : r;
	}
	if (r)
		return r == PL_DROP_FLOW_TABLE_BUSY ? PL_SERVER_BUSY : 0;
	if (!pl_header_is_same(&listener, flow))
		return PL_SERVER_HEADER;
	if (!pl_server_serves(&listener, state))
		return PL_SERVER_REFUSES;
	return listener.open_ns & ~1u;
}

/* Judges an open flow by today's rules, on a packet from port `sender` that found it. If it may stay, its
 * entry takes the new generation; if not, it has to end. (Where it stays without the PROXY header that its
 * listener wants of others now, it is judged with each packet: what is current needs no look at its listener,
 * see pl_flow_may_be_taken_up().) PL_DROP_BACKEND_GONE: the receiver's port or the
 * address is another's now, or the server serves the flow no more; the packet may open another one.
 * PL_DROP_FLOW_TABLE_BUSY: a row was replaced in this instant; the flow stays, and its next packet asks. */
__attribute__((noinline)) int pl_flow_judge_again(const struct pl_flow4_key *found, __u32 sender)
{
	struct pl_flow4_key key; /* as above */
	struct pl_flow4_key opening;
	__u32 generation, slot = sender, receiver;
	struct pl_flow4 *flow;
	struct pl_judge eni = {0};
	int r;

	if (!found)
		return PL_DROP_NO_FLOW;
	key = *found;
	flow = pl_flow4_find(&key);
	if (!flow)
		return PL_DROP_NO_FLOW;
	generation = pl_flow_generation(sender, flow->slot, flow->peer);
	if (!pl_flow_receiver_is_same(flow))
		return PL_DROP_BACKEND_GONE;
	opening = key;
	receiver = flow->peer;
	if (pl_flow_is_back(flow)) { /* its partner is the entry that opened the flow */
		opening = pl_flow4_partner(&key, flow);
		slot = flow->peer;
		receiver = sender;
	}
	r = pl_flow_is_local(flow) ? pl_judge_local(&opening, slot, receiver, flow->slot)
				   : pl_judge_translated(&opening, slot, flow->slot, &eni);
	if (!r)
		r = pl_flow_ask_server(&key, false);
	if (r && r != PL_SERVER_OTHER)
		return r;
	/* Before the generation: in a row that has just become another flow's, that makes it be judged, too.
	 */
	*(volatile __u16 *)&flow->limit = eni.limit;
	if (!r)
		flow->generation = generation + pl_flow_tag(&key);
	return PL_CONTINUE;
}
