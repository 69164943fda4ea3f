/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Flows: making both directions, following TCP, and judging an open flow again.
 *
 * A translated flow has two entries, each found by what arrives from a port: the consumer's packets by the
 * consumer's tuple, the replies by the backend's. A flow between instances has four: its sender's port
 * remembers that *out* was judged (one entry for each direction), its receiver's port remembers *in*. The two
 * halves know nothing of each other, so they can live on two nodes.
 *
 * Each entry holds all that a packet needs. Its counters are plain additions: packets of one direction of a
 * flow rarely run on two CPUs at once, and a lost count costs less than a locked one.
 */
#pragma once

#include "pl_policy.h"
#include "pl_target.h"

/* The sum of the generations that an entry depends on. They only rise, so the sum is as good as the three.
 * Read before judging: what changes meanwhile is then noticed by the next packet. An entry keeps it with its
 * tag added: written into another flow's row by mistake it would be no sum of that one's. */
static __always_inline __u32 pl_flow_generation(__u32 sender, __u32 judge, __u32 receiver)
{
	return pl_generation_get(sender) + pl_generation_get(judge) + pl_generation_get(receiver);
}

/* Whether what was read of a row so far was all the key's. To be asked after the last read. */
static __always_inline bool pl_flow_is_still(const struct pl_flow4 *flow, const struct pl_flow4_key *key)
{
	asm volatile("" ::: "memory"); /* no read moves down past this one */
	return *(const volatile __u32 *)&flow->tag == pl_flow_tag(key);
}

/* Whether the entry that a packet of port `sender` found was judged by today's rules. (With the tag as it
 * stands in the row: the packet leaves only if that is its key's.) */
static __always_inline bool pl_flow_is_judged(const struct pl_flow4 *flow, __u32 sender)
{
	return flow->generation == pl_flow_generation(sender, flow->slot, flow->peer) + flow->tag;
}

/* The word of a row that has its state and its tag. */
union pl_flow_word {
	struct {
		__u8 kind, state, delivery, proxy;
		__u32 tag;
	};
	__u64 all;
};

/* Changes the state while the row is the key's, and does nothing when it is another flow's by now: else a
 * connection of a stranger could be made to end early. */
static __always_inline void pl_flow_set_state(struct pl_flow4 *flow, const struct pl_flow4_key *key,
					      __u8 state)
{
	__u64 *word = (__u64 *)&flow->kind;
	union pl_flow_word old = {.all = *(volatile __u64 *)word}, new = old;

	if (old.tag != pl_flow_tag(key))
		return;
	new.state = state;
	(void)__sync_val_compare_and_swap(word, old.all, new.all);
}

/* Removes a flow, told from one of its entries. Of two CPUs that do so, the one that finds the entry there
 * removes the partner, too: when the other comes to it, its key may be another flow's. */
static __always_inline void pl_flow_remove(const struct pl_flow4_key *key, const struct pl_flow4 *flow)
{
	struct pl_flow4_key partner;
	int r; /* not long: see pl_nat_try() */

	pl_flow_partner(key, flow, &partner);
	if (!pl_flow_is_still(flow, key))
		return;
	r = bpf_map_delete_elem(&pl_flows4, key);
	if (!r)
		bpf_map_delete_elem(&pl_flows4, &partner);
}

/* Whether an echo packet goes the other way than its entry: with the identifier 0 a request has the key of a
 * reply to somebody else's. */
static __always_inline bool pl_echo_is_astray(const struct pl_flow4 *flow, const struct pl_pkt *pkt)
{
	return pkt->l4_proto == IPPROTO_ICMP && (pkt->icmp_type == ICMP_ECHO) == pl_flow_is_back(flow);
}

static __always_inline bool pl_tcp_opens(__u8 flags)
{
	return (flags & (PL_TCP_SYN | PL_TCP_ACK | PL_TCP_FIN | PL_TCP_RST)) == PL_TCP_SYN;
}

/* A SYN begins anew where the flow is over (the tuple is used again), and where its first SYN was not
 * answered (the backend may have gone since: the next choice is made from today's table). */
static __always_inline bool pl_flow_begins_anew(const struct pl_flow4 *flow, const struct pl_pkt *pkt)
{
	if (pkt->l4_proto != IPPROTO_TCP || !pl_tcp_opens(pkt->tcp_flags))
		return false;
	if (flow->kind == PL_FLOW_NAT_BACK)
		return false;
	return flow->state == PL_STATE_CLOSING || (flow->state == PL_STATE_NEW && !pl_flow_is_back(flow));
}

/* A reset ends both directions at once. */
static __always_inline void pl_flow_reset(const struct pl_flow4_key *key, struct pl_flow4 *flow)
{
	struct pl_flow4_key partner_key;
	struct pl_flow4 *partner;

	pl_flow_partner(key, flow, &partner_key);
	if (!pl_flow_is_still(flow, key))
		return;
	pl_flow_set_state(flow, key, PL_STATE_CLOSING);
	partner = pl_flow4_find(&partner_key);
	if (partner)
		pl_flow_set_state(partner, &partner_key, PL_STATE_CLOSING);
}

/* The state of one direction, by what it carries. A SYN proves nothing, with or without an acknowledgement: a
 * server answers anybody's. What comes after it shows that the other side has spoken. */
static __always_inline void pl_flow_track(const struct pl_flow4_key *key, struct pl_flow4 *flow,
					  const struct pl_pkt *pkt)
{
	__u8 flags = pkt->tcp_flags;

	if (flags & PL_TCP_RST) {
		if (flow->state != PL_STATE_CLOSING)
			pl_flow_reset(key, flow);
		return;
	}
	if (flags & PL_TCP_FIN) {
		if (flow->state != PL_STATE_CLOSING)
			pl_flow_set_state(flow, key, PL_STATE_CLOSING);
		return;
	}
	if (flow->state == PL_STATE_NEW && !(flags & PL_TCP_SYN))
		pl_flow_set_state(flow, key, PL_STATE_ESTABLISHED);
}

/* What every packet of an entry leaves behind. Two CPUs would fight for the line if `seen` were written each
 * time. Should the row be another flow's since it was looked at last, that one counts a packet too many, and
 * was seen just now, as any new flow was; its state is left alone. */
static __always_inline void pl_flow_touch(const struct pl_flow4_key *key, struct pl_flow4 *flow,
					  const struct pl_pkt *pkt, __u32 bytes)
{
	__u32 now = bpf_jiffies64();

	if (flow->seen != now)
		flow->seen = now;
	flow->packets++;
	flow->bytes += bytes;
	pl_flow_track(key, flow, pkt);
}

/* The part of an entry that says who receives the packets that find it. */
static __always_inline void pl_flow_set_receiver(struct pl_flow4 *flow, const struct pl_port *port,
						 __u32 slot, const struct pl_config *config)
{
	__builtin_memcpy(flow->dst_mac, port->mac, ETH_ALEN);
	__builtin_memcpy(flow->src_mac, config->gateway_mac, ETH_ALEN);
	flow->ifindex = port->ifindex;
	flow->delivery = port->delivery;
	flow->peer = slot;
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

/* A flow as it was opened, whichever direction's entry it is told from. */
struct pl_opening {
	__be32 saddr, daddr;
	__be16 sport, dport;
	__u32 vpc;
	__u32 protocol;
	__u32 slot; /* of the port that opened it */
};

/* A translated flow: the address still leads to the judge (an ENI, by its slot; or a DNS or probe address),
 * the endpoint is connected, and both policies let it pass. */
static __always_inline int pl_judge_translated(const struct pl_opening *opening, __u32 judge)
{
	struct pl_place_key place_key = {
		.vpc = opening->vpc,
		.addr.w = {0, 0, bpf_htonl(0xffff), opening->daddr},
	};
	const struct pl_place *place = pl_place_find(&place_key);
	__u32 port = bpf_ntohs(opening->dport);
	const struct pl_eni *eni;

	if (!place)
		return PL_DROP_NO_PLACE;
	if (judge == PL_SLOT_SERVICE)
		return place->kind == PL_PLACE_DNS || place->kind == PL_PLACE_PROBE ? PL_CONTINUE
										    : PL_DROP_NO_PLACE;
	if (place->kind != PL_PLACE_ENI || place->id != judge)
		return PL_DROP_NO_PLACE;
	eni = pl_eni_find(judge);
	if (eni && !pl_eni_is_at(eni, opening->vpc, opening->daddr))
		return PL_DROP_NO_PLACE;
	if (!pl_policy_allows(opening->slot, PL_DIRECTION_OUT, opening->daddr, opening->protocol, port))
		return PL_DROP_POLICY_OUT;
	if (!eni || !(eni->flags & PL_ENI_F_CONNECTED))
		return PL_DROP_ENI_NOT_CONNECTED;
	if (!pl_policy_allows(judge, PL_DIRECTION_IN, opening->saddr, opening->protocol, port))
		return PL_DROP_POLICY_IN;
	return PL_CONTINUE;
}

/* Between instances, one half: the sender's port judges out, the receiver's port judges in. */
static __always_inline int pl_judge_local(const struct pl_opening *opening, __u32 judge)
{
	__u32 port = bpf_ntohs(opening->dport);

	if (judge == opening->slot) {
		if (!pl_policy_allows(judge, PL_DIRECTION_OUT, opening->daddr, opening->protocol, port))
			return PL_DROP_POLICY_OUT;
		return PL_CONTINUE;
	}
	if (!pl_policy_allows(judge, PL_DIRECTION_IN, opening->saddr, opening->protocol, port))
		return PL_DROP_POLICY_IN;
	return PL_CONTINUE;
}

/* Rebuilds the opening tuple from an entry and its key: as it is, or turned round from the replies' entry. */
static __always_inline void pl_opening_rebuild(const struct pl_flow4_key *key, const struct pl_flow4 *flow,
					       __u32 sender, struct pl_opening *ret)
{
	ret->protocol = key->vpc_proto & 0x7f;
	if (pl_flow_is_back(flow)) {
		ret->saddr = flow->daddr;
		ret->daddr = flow->saddr;
		ret->sport = flow->dport;
		ret->dport = flow->sport;
		ret->vpc = flow->partner_vpc;
		ret->slot = flow->peer;
	} else {
		ret->saddr = key->saddr;
		ret->daddr = key->daddr;
		ret->sport = key->sport;
		ret->dport = key->dport;
		ret->vpc = key->vpc_proto >> 8;
		ret->slot = sender;
	}
}

/* Judges an open flow by today's rules, on a packet from port `sender` that found it. If it may stay, its
 * entry takes the new generation; if not, it keeps the old one and is asked about each packet, so that a rule
 * that comes back in time brings the flow back. PL_DROP_BACKEND_GONE: the receiver's port is another's now;
 * the flow is of no use. */
__attribute__((noinline)) int pl_flow_judge_again(const struct pl_flow4_key *found, __u32 sender)
{
	struct pl_opening opening = {};
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
