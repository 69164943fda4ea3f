/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The slow side of the walk: a packet that belongs to no flow. What its destination is decides who judges it
 * and where it goes; then both directions of the flow are inserted, or neither.
 *
 * pl_open4() and pl_nat_open() are functions of their own to the verifier. They see struct pl_pkt and tables,
 * never the packet, so pointers into it survive them. Keys are copied to the stack there: kernels before 6.4
 * take no key from behind a function's argument.
 */
#pragma once

#include "pl_flow.h"

static __always_inline bool pl_may_open(const struct pl_pkt *pkt)
{
	return pkt->l4_proto != IPPROTO_TCP || pl_tcp_opens(pkt->tcp_flags);
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

/* Translated flows. */

/* The search for a free translated source. */
struct pl_nat_search {
	struct pl_flow4 back; /* the replies' entry */
	struct pl_flow4_key back_key;
	__u32 nat_first, nat_count; /* host order */
	__u32 hash;
	__u32 sport; /* the sender's own, host order */
	__u32 generation;
	int result;
};

/* The source that try number `i` takes: the sender's own port first, where it is in the range, then hashed
 * ones; over all the addresses in turn. */
static __always_inline void pl_nat_choose(struct pl_nat_search *search, __u32 i)
{
	__u32 port = search->sport;

	if (i > 0 || port < PL_NAT_PORT_FIRST)
		port = PL_NAT_PORT_FIRST + (search->hash >> 8) % (65536 - PL_NAT_PORT_FIRST);
	search->back_key.daddr =
		bpf_htonl(search->nat_first + ((search->hash & 0xff) + i) % search->nat_count);
	search->back_key.dport = bpf_htons(port);
	search->hash = search->hash * 1664525 + 1013904223;
}

/* One try to insert the replies' entry; 1 ends the loop. BPF_NOEXIST makes an insert a reservation: no other
 * flow to the same backend can take the source as long as the entry is there. */
static long pl_nat_try(__u32 i, struct pl_nat_search *search)
{
	int r; /* not long: before 6.4 the upper half of an inlined map operation's result is undefined */

	pl_nat_choose(search, i);
	pl_flow_set_csum(&search->back, &search->back_key);
	search->back.tag = pl_flow_tag(&search->back_key);
	search->back.generation = search->generation + search->back.tag;
	r = bpf_map_update_elem(&pl_flows4, &search->back_key, &search->back, BPF_NOEXIST);
	if (r == -EEXIST)
		return 0;
	search->result = r ? PL_DROP_FLOW_TABLE_FULL : PL_CONTINUE;
	return 1;
}

/* Opens a translated flow from the packet's port to the target. Already judged. */
__attribute__((noinline)) int pl_nat_open(struct pl_pkt *pkt, const struct pl_target *target,
					  __u32 generation)
{
	const struct pl_config *config = pl_config_get();
	const struct pl_port *sender, *receiver;
	struct pl_nat_search search = {.result = PL_DROP_NAT_EXHAUSTED};
	struct pl_flow4 *flow = &search.back;
	struct pl_flow4_key key;
	int r; /* as in pl_nat_try() */

	if (!pkt || !target || !config)
		return PL_DROP_NO_PORT;
	sender = pl_port_find(pkt->slot);
	if (!sender)
		return PL_DROP_NO_PORT;
	receiver = pl_port_find(target->slot);
	if (!receiver || receiver->vpc != target->vpc)
		return PL_DROP_BACKEND_GONE;
	if (!target->nat_count)
		return PL_DROP_NAT_EXHAUSTED;

	/* what both directions share */
	flow->seen = bpf_jiffies64();
	flow->slot = target->judge;
	flow->idle_s = target->idle_s < 0xffff ? target->idle_s : 0xffff;

	search.back_key.saddr = target->addr;
	search.back_key.sport = target->port;
	search.back_key.vpc_proto = target->vpc << 8 | PL_SIDE_OUT | pkt->l4_proto;
	search.nat_first = bpf_ntohl(target->nat_first);
	search.nat_count = target->nat_count;
	search.hash = pl_hash4(&pkt->key);
	search.sport = bpf_ntohs(pkt->key.sport);
	search.generation = generation;
	flow->kind = PL_FLOW_NAT_BACK;
	flow->saddr = pkt->key.daddr;
	flow->daddr = pkt->key.saddr;
	flow->sport = pkt->key.dport;
	flow->dport = pkt->key.sport;
	flow->partner_vpc = pkt->vpc;
	pl_flow_set_receiver(flow, sender, pkt->slot, config);
	bpf_loop(PL_NAT_PROBES, pl_nat_try, &search, 0);
	if (search.result)
		return search.result;

	flow->kind = PL_FLOW_NAT;
	flow->saddr = search.back_key.daddr;
	flow->daddr = target->addr;
	flow->sport = search.back_key.dport;
	flow->dport = target->port;
	flow->partner_vpc = target->vpc;
	pl_flow_set_receiver(flow, receiver, target->slot, config);
	pl_flow_set_csum(flow, &pkt->key);
	key = pkt->key;
	flow->tag = pl_flow_tag(&key);
	flow->generation = generation + flow->tag;
	r = bpf_map_update_elem(&pl_flows4, &key, flow, BPF_NOEXIST);
	if (!r)
		return PL_CONTINUE;
	/* -EEXIST: another CPU has just opened the same flow; that one holds. Either way the source is given
	 * back. */
	bpf_map_delete_elem(&pl_flows4, &search.back_key);
	return r == -EEXIST ? PL_CONTINUE : PL_DROP_FLOW_TABLE_FULL;
}

/* To an endpoint's ENI. Echo is answered here: that needs its policies' consent, and no connection. */
static __always_inline int pl_open_eni(struct pl_pkt *pkt, __u32 slot)
{
	__u32 before = pl_generation_get(pkt->slot) + pl_generation_get(slot),
	      port = bpf_ntohs(pkt->key.dport);
	bool is_icmp = pkt->l4_proto == IPPROTO_ICMP;
	const struct pl_eni *eni = pl_eni_find(slot);
	struct pl_target target = {.judge = slot};
	__u32 generation;
	int r;

	if (!pl_may_open(pkt))
		return PL_DROP_NOT_SYN;
	if (eni && !pl_eni_is_at(eni, pkt->vpc, pkt->key.daddr))
		return PL_DROP_NO_PLACE;
	if (!pl_policy_allows(pkt->slot, PL_DIRECTION_OUT, pkt->key.daddr, pkt->l4_proto, port))
		return PL_DROP_POLICY_OUT;
	if (!is_icmp && (!eni || !(eni->flags & PL_ENI_F_CONNECTED)))
		return PL_DROP_ENI_NOT_CONNECTED;
	if (!pl_policy_allows(slot, PL_DIRECTION_IN, pkt->key.saddr, pkt->l4_proto, port))
		return PL_DROP_POLICY_IN;
	if (is_icmp)
		return PL_ECHO;
	if (!eni)
		return PL_DROP_ENI_NOT_CONNECTED;
	r = pl_target_choose(&target, pkt, eni);
	if (r)
		return r;
	generation = before + pl_generation_get(target.slot);
	return pl_nat_open(pkt, &target, generation);
}

/* To the VPC's DNS address: the agent's socket in VPC 0. The source becomes the asking port's own address
 * there, which names instance, zone and VPC; its L4 port is kept unless one socket asks both DNS addresses at
 * once. */
static __always_inline int pl_open_dns(struct pl_pkt *pkt)
{
	const struct pl_port *sender = pl_port_find(pkt->slot);
	const struct pl_config *config = pl_config_get();
	struct pl_target target = {.vpc = PL_VPC_NODES, .slot = PL_SLOT_SERVICE, .judge = PL_SLOT_SERVICE};

	if (!sender || !config)
		return PL_DROP_NO_PORT;
	if (pkt->l4_proto == IPPROTO_ICMP || pkt->key.dport != bpf_htons(53))
		return PL_DROP_DNS_ONLY;
	if (!pl_may_open(pkt))
		return PL_DROP_NOT_SYN;
	target.addr = config->dns_addr;
	target.port = pkt->key.dport;
	target.nat_first = pl_addr_v4(&sender->service_addr);
	target.nat_count = 1;
	return pl_nat_open(pkt, &target, pl_flow_generation(pkt->slot, PL_SLOT_SERVICE, PL_SLOT_SERVICE));
}

/* From the agent's probe socket to the backend behind a probe address. Load-balancer traffic: no group judges
 * it. */
static __always_inline int pl_open_probe(struct pl_pkt *pkt, __u32 index)
{
	const struct pl_backend *backend = pl_backend_find(index);
	struct pl_target target = {.judge = PL_SLOT_SERVICE};
	int r;

	if (pkt->l4_proto == IPPROTO_ICMP)
		return PL_DROP_NO_FLOW;
	if (!pl_may_open(pkt))
		return PL_DROP_NOT_SYN;
	if (!backend)
		return PL_DROP_NO_BACKEND;
	r = pl_target_set_backend(&target, backend);
	if (r)
		return r;
	target.port = pkt->key.dport;
	return pl_nat_open(pkt, &target, pl_flow_generation(pkt->slot, PL_SLOT_SERVICE, target.slot));
}

/* Flows between instances. */

/* Who takes part in a flow between two ports of this node. */
struct pl_pair {
	const struct pl_port *sender, *receiver;
	__u32 sender_slot, receiver_slot;
	const struct pl_config *config;
};

/* Inserts one half of the flow: the judge's entries, one for each direction. Rows of an older flow with the
 * same tuple are overwritten: nothing was reserved. */
static __always_inline bool pl_half_insert(const struct pl_pkt *pkt, const struct pl_pair *pair, __u32 judge,
					   __u32 side, __u32 generation)
{
	struct pl_flow4_key key = pkt->key;
	struct pl_flow4 flow = {
		.saddr = key.saddr,
		.daddr = key.daddr,
		.sport = key.sport,
		.dport = key.dport,
		.kind = PL_FLOW_LOCAL,
		.seen = bpf_jiffies64(),
		.slot = judge,
		.partner_vpc = pkt->vpc,
	};

	key.vpc_proto = (key.vpc_proto & ~PL_SIDE_IN) | side;
	pl_flow_set_receiver(&flow, pair->receiver, pair->receiver_slot, pair->config);
	flow.tag = pl_flow_tag(&key);
	flow.generation = generation + flow.tag;
	if (bpf_map_update_elem(&pl_flows4, &key, &flow, BPF_ANY))
		return false;

	key.saddr = flow.saddr = pkt->key.daddr;
	key.daddr = flow.daddr = pkt->key.saddr;
	key.sport = flow.sport = pkt->key.dport;
	key.dport = flow.dport = pkt->key.sport;
	key.vpc_proto ^= PL_SIDE_IN;
	flow.kind = PL_FLOW_LOCAL_BACK;
	pl_flow_set_receiver(&flow, pair->sender, pair->sender_slot, pair->config);
	flow.tag = pl_flow_tag(&key);
	flow.generation = generation + flow.tag;
	return !bpf_map_update_elem(&pl_flows4, &key, &flow, BPF_ANY);
}

/* Takes back what of a half is there. */
static __always_inline void pl_half_remove(const struct pl_pkt *pkt, __u32 side)
{
	struct pl_flow4_key key = pkt->key;

	key.vpc_proto = (key.vpc_proto & ~PL_SIDE_IN) | side;
	bpf_map_delete_elem(&pl_flows4, &key);
	key.saddr = pkt->key.daddr;
	key.daddr = pkt->key.saddr;
	key.sport = pkt->key.dport;
	key.dport = pkt->key.sport;
	key.vpc_proto ^= PL_SIDE_IN;
	bpf_map_delete_elem(&pl_flows4, &key);
}

/* Opens a flow between the packet's port and another one of this node. Already judged; the generations are
 * the halves'. */
__attribute__((noinline)) int pl_local_insert(struct pl_pkt *pkt, __u32 receiver_slot, __u32 out_generation,
					      __u32 in_generation)
{
	struct pl_pair pair = {.receiver_slot = receiver_slot};

	if (!pkt)
		return PL_DROP_NO_PORT;
	pair.sender_slot = pkt->slot;
	pair.sender = pl_port_find(pkt->slot);
	pair.receiver = pl_port_find(receiver_slot);
	pair.config = pl_config_get();
	if (!pair.sender || !pair.receiver || !pair.config)
		return PL_DROP_NO_PORT;
	if (pair.receiver->vpc != pkt->vpc || pl_addr_v4(&pair.receiver->addr) != pkt->key.daddr)
		return PL_DROP_NO_PLACE;
	if (pl_half_insert(pkt, &pair, pkt->slot, PL_SIDE_OUT, out_generation) &&
	    pl_half_insert(pkt, &pair, receiver_slot, PL_SIDE_IN, in_generation))
		return PL_CONTINUE;
	pl_half_remove(pkt, PL_SIDE_OUT);
	pl_half_remove(pkt, PL_SIDE_IN);
	return PL_DROP_FLOW_TABLE_FULL;
}

/* To an instance of the VPC on this node. */
static __always_inline int pl_open_local(struct pl_pkt *pkt, __u32 receiver)
{
	__u32 out_generation = pl_flow_generation(pkt->slot, pkt->slot, receiver);
	__u32 in_generation = pl_flow_generation(pkt->slot, receiver, receiver);
	__u32 port = bpf_ntohs(pkt->key.dport);

	if (!pl_may_open(pkt))
		return PL_DROP_NOT_SYN;
	if (!pl_policy_allows(pkt->slot, PL_DIRECTION_OUT, pkt->key.daddr, pkt->l4_proto, port))
		return PL_DROP_POLICY_OUT;
	if (!pl_policy_allows(receiver, PL_DIRECTION_IN, pkt->key.saddr, pkt->l4_proto, port))
		return PL_DROP_POLICY_IN;
	return pl_local_insert(pkt, receiver, out_generation, in_generation);
}

/* Where to? */

/* A packet of no flow. PL_CONTINUE: its flow is open now, look again. PL_ECHO: answer it. Else the reason to
 * drop it. */
__attribute__((noinline)) int pl_open4(struct pl_pkt *pkt)
{
	struct pl_place_key key = {};
	const struct pl_place *place;

	if (!pkt)
		return PL_DROP_NO_PORT;
	key.vpc = pkt->vpc;
	key.addr.w[2] = bpf_htonl(0xffff);
	key.addr.w[3] = pkt->key.daddr;
	place = pl_place_find(&key);
	if (!place)
		return pkt->slot == PL_SLOT_SERVICE ? PL_DROP_NO_FLOW : PL_DROP_NO_PLACE;
	if (pkt->l4_proto == IPPROTO_ICMP && pkt->icmp_type != ICMP_ECHO)
		return PL_DROP_NO_FLOW;
	if (pkt->slot == PL_SLOT_SERVICE)
		return place->kind == PL_PLACE_PROBE ? pl_open_probe(pkt, place->id) : PL_DROP_NO_FLOW;
	switch (place->kind) {
	case PL_PLACE_PORT:
		return pl_open_local(pkt, place->id);
	case PL_PLACE_ENI:
		return pl_open_eni(pkt, place->id);
	case PL_PLACE_DNS:
		return pl_open_dns(pkt);
	case PL_PLACE_GATEWAY:
		return pkt->l4_proto == IPPROTO_ICMP ? PL_ECHO : PL_DROP_GATEWAY_ECHO;
	case PL_PLACE_NAT:
		return PL_DROP_NO_FLOW;
	case PL_PLACE_VIP:
		return PL_DROP_VIP;
	case PL_PLACE_REMOTE:
		return PL_DROP_REMOTE;
	default:
		return PL_DROP_NO_PLACE;
	}
}
