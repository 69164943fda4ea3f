/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Judging an open flow again (conntrack's "revalidate"), where a generation that its entry depends on has
 * changed: is its receiver still there, and would today's rules let it open?
 */
#pragma once

#include "pl_flow.h"
#include "pl_policy.h"
#include "pl_target.h"

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

/* A flow as it was opened, whichever direction's entry it is told from. */
struct pl_opening {
	struct pl_flow4_key key;
	__u32 slot; /* of the port that opened it */
};

/* A translated flow: the address still leads to the judge (an ENI, by its slot; or a DNS or probe address),
 * the endpoint is connected, and both policies let it pass. */
static __always_inline int pl_judge_translated(const struct pl_opening *opening, __u32 judge)
{
	struct pl_place_key place_key = {
		.vpc = pl_flow4_vpc(&opening->key),
		.addr.w = {0, 0, bpf_htonl(0xffff), opening->key.daddr},
	};
	const struct pl_place *place = pl_place_find(&place_key);
	__u32 protocol = pl_flow4_protocol(&opening->key), port = bpf_ntohs(opening->key.dport);
	const struct pl_eni *eni;

	if (!place)
		return PL_DROP_NO_PLACE;
	if (judge == PL_SLOT_SERVICE)
		return place->kind == PL_PLACE_DNS || place->kind == PL_PLACE_PROBE ? PL_CONTINUE
										    : PL_DROP_NO_PLACE;
	if (place->kind != PL_PLACE_ENI || place->id != judge)
		return PL_DROP_NO_PLACE;
	eni = pl_eni_find(judge);
	if (eni && !pl_eni_is_at(eni, pl_flow4_vpc(&opening->key), opening->key.daddr))
		return PL_DROP_NO_PLACE;
	if (!pl_policy_allows(opening->slot, PL_DIRECTION_OUT, opening->key.daddr, protocol, port))
		return PL_DROP_POLICY_OUT;
	if (!eni || !(eni->flags & PL_ENI_F_CONNECTED))
		return PL_DROP_ENI_NOT_CONNECTED;
	if (!pl_policy_allows(judge, PL_DIRECTION_IN, opening->key.saddr, protocol, port))
		return PL_DROP_POLICY_IN;
	return PL_CONTINUE;
}

/* Between instances, one half: the sender's port judges out, the receiver's port judges in. */
static __always_inline int pl_judge_local(const struct pl_opening *opening, __u32 judge)
{
	__u32 protocol = pl_flow4_protocol(&opening->key), port = bpf_ntohs(opening->key.dport);

	if (judge == opening->slot) {
		if (!pl_policy_allows(judge, PL_DIRECTION_OUT, opening->key.daddr, protocol, port))
			return PL_DROP_POLICY_OUT;
		return PL_CONTINUE;
	}
	if (!pl_policy_allows(judge, PL_DIRECTION_IN, opening->key.saddr, protocol, port))
		return PL_DROP_POLICY_IN;
	return PL_CONTINUE;
}

/* The opening from an entry and its key: that key, or, where the entry is the replies', its partner's. */
static __always_inline void pl_opening_rebuild(const struct pl_flow4_key *key, const struct pl_flow4 *flow,
					       __u32 sender, struct pl_opening *ret)
{
	bool back = pl_flow_is_back(flow);

	ret->key = back ? pl_flow4_partner(key, flow) : *key;
	ret->slot = back ? flow->peer : sender;
}

/* Judges an open flow by today's rules, on a packet from port `sender` that found it. If it may stay, its
 * entry takes the new generation; if not, it keeps the old one and is asked about each packet, so that a rule
 * that comes back in time brings the flow back. PL_DROP_BACKEND_GONE: the receiver's port is another's now;
 * the flow is of no use. */
__attribute__((noinline)) int pl_flow_judge_again(const struct pl_flow4_key *found, __u32 sender)
{
	struct pl_opening opening;
	struct pl_flow4_key key; /* kernels before 6.4 take no key from behind a function's argument */
	struct pl_flow4 *flow;
	__u32 generation;
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
	pl_opening_rebuild(&key, flow, sender, &opening);
	r = pl_flow_is_local(flow) ? pl_judge_local(&opening, flow->slot)
				   : pl_judge_translated(&opening, flow->slot);
	if (!r)
		flow->generation = generation + pl_flow_tag(&key);
	return r;
}
