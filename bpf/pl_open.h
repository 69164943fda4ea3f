/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The slow path: a packet that belongs to no flow. What its destination is decides who judges it
 * and where it goes; then both directions of the flow are inserted, or neither.
 *
 * pl_open4() is a function of its own to the verifier, as pl_nat_open() is.
 */
#pragma once

#include "pl_judge.h"
#include "pl_limit.h"
#include "pl_memo.h"
#include "pl_nat.h"
#include "pl_pair.h"

static __always_inline bool pl_may_open(const struct pl_pkt *pkt)
{
	return pkt->l4_proto != IPPROTO_TCP || pl_tcp_opens(pkt->tcp_flags);
}

/* Whether the judges of an ENI would be asked about the packet. */
static __always_inline bool pl_is_judged(const struct pl_pkt *pkt)
{
	return pl_may_open(pkt) && (pkt->l4_proto != IPPROTO_ICMP || pkt->icmp_type == ICMP_ECHO);
}

/* What the judges of an ENI say, who have not been asked lately; `generation` is that of before. */
static __always_inline int pl_open_judge(struct pl_pkt *pkt, __u32 slot, const struct pl_judge *eni,
					 __u32 generation, bool is_settled)
{
	int r = pl_judge_eni(&pkt->key, pkt->slot, eni);

	/* (Without a row there is nobody who answers.) */
	if (is_settled && eni->is_there)
		pl_memo_keep(pkt, slot, generation, !r && pkt->l4_proto == IPPROTO_ICMP ? PL_ECHO : r);
	return r;
}

/* To an endpoint's ENI. Echo is answered here: that needs its policies' consent, and no connection. */
static __always_inline int pl_open_eni(struct pl_pkt *pkt, __u32 slot, const struct pl_memory *memory)
{
	__u32 before, generation;
	bool is_settled = pl_memo_begin(pkt->slot, slot, &before);
	struct pl_target target = {.judge = slot};
	struct pl_judge eni = {0};
	int r;

	pkt->tally.slot = slot;
	if (!pl_may_open(pkt))
		return PL_DROP_NOT_SYN;
	pkt->opens = 1;
	r = pl_judge_read(slot, pkt->vpc, pkt->key.daddr, &eni);
	if (r)
		return r;
	if (!memory->answer || memory->judge != slot || memory->generation != before || !is_settled ||
	    !eni.is_there) {
		r = pl_open_judge(pkt, slot, &eni, before, is_settled);
		if (r)
			return r;
	}
	if (pkt->l4_proto == IPPROTO_ICMP)
		return PL_ECHO;
	r = pl_target_choose(&target, pkt, eni.target);
	if (r != PL_DROP_NO_LISTENER) {
		pkt->tally.slot = slot | (__u32)bpf_ntohs(pkt->key.dport) << PL_TALLY_PORT;
		pkt->tally.what = pkt->l4_proto << PL_TALLY_PROTOCOL;
	}
	if (!r)
		r = pl_limit_open(pkt->slot, slot, (__u32)bpf_ntohs(pkt->key.dport) << 16 | pkt->l4_proto,
				  target.open_ns);
	if (r)
		return r;
	target.limit = eni.limit;
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
	int r;

	if (!sender || !config)
		return PL_DROP_NO_PORT;
	if (pkt->l4_proto == IPPROTO_ICMP || pkt->key.dport != bpf_htons(53))
		return PL_DROP_DNS_ONLY;
	if (!pl_may_open(pkt))
		return PL_DROP_NOT_SYN;
	r = pl_limit_open_dns(pkt->slot);
	if (r)
		return r;
	target.addr = config->dns_addr;
	target.port = pkt->key.dport;
	target.nat_first = pl_addr_v4(&sender->service_addr);
	target.nat_count = 1;
	if (pkt->l4_proto == IPPROTO_UDP)
		target.idle_s = PL_IDLE_DNS;
	return pl_nat_open(pkt, &target, pl_flow_generation(pkt->slot, PL_SLOT_SERVICE, PL_SLOT_SERVICE));
}

/* From the agent's probe socket to the backend behind a probe address. Load-balancer traffic: no group judges
 * it. */
static __always_inline int pl_open_probe(struct pl_pkt *pkt, __u32 index)
{
	struct pl_target target = {.judge = PL_SLOT_SERVICE};
	int r;

	if (pkt->l4_proto == IPPROTO_ICMP)
		return PL_DROP_NO_FLOW;
	if (!pl_may_open(pkt))
		return PL_DROP_NOT_SYN;
	r = pl_target_set_backend(&target, index);
	if (r)
		return r;
	target.port = pkt->key.dport;
	return pl_nat_open(pkt, &target, pl_flow_generation(pkt->slot, PL_SLOT_SERVICE, target.slot));
}

/* To an instance of the VPC on this node. */
static __always_inline int pl_open_local(struct pl_pkt *pkt, __u32 receiver)
{
	__u32 out_generation = pl_flow_generation(pkt->slot, pkt->slot, receiver);
	__u32 in_generation = pl_flow_generation(pkt->slot, receiver, receiver);
	__u32 set = pl_set_of_port(receiver);
	int r;

	if (!pl_may_open(pkt))
		return PL_DROP_NOT_SYN;
	r = pl_judge_out(&pkt->key, pkt->slot, set);
	if (!r)
		r = pl_judge_in(&pkt->key, pkt->slot, set);
	if (!r)
		r = pl_limit_open(pkt->slot, 0, 0, 0);
	if (r)
		return r;
	return pl_local_insert(pkt, receiver, out_generation, in_generation);
}

/* A packet of no flow. PL_CONTINUE: its flow is open now, look again. PL_ECHO: answer it. Else the reason to
 * drop it. */
__attribute__((noinline)) int pl_open4(struct pl_pkt *pkt)
{
	struct pl_place place = {0};
	struct pl_memory memory = {0};
	int r;

	if (!pkt)
		return PL_DROP_NO_PORT;
	if (pl_addr_is_nobody(pkt->key.daddr))
		return PL_DROP_BAD_DESTINATION;
	if (pkt->l4_proto != IPPROTO_ICMP && (!pkt->key.sport || !pkt->key.dport))
		return PL_DROP_BAD_PORT;
	if (pl_is_judged(pkt))
		memory = pl_memo_find(pkt);
	if (memory.answer > 1 + PL_CONTINUE) {
		pkt->tally.slot = memory.judge;
		pkt->opens = 1;
		return memory.answer - 1;
	}
	r = pl_place_read4(pkt->vpc, pkt->key.daddr, &place);
	if (r && r != -ENOENT)
		return PL_DROP_FLOW_TABLE_BUSY;
	if (r)
		return pkt->slot == PL_SLOT_SERVICE ? PL_DROP_NO_FLOW : PL_DROP_NO_PLACE;
	if (pkt->l4_proto == IPPROTO_ICMP && pkt->icmp_type != ICMP_ECHO)
		return PL_DROP_NO_FLOW;
	if (pkt->slot == PL_SLOT_SERVICE)
		return place.kind == PL_PLACE_PROBE ? pl_open_probe(pkt, place.id) : PL_DROP_NO_FLOW;
	switch (place.kind) {
	case PL_PLACE_PORT:
		return pl_open_local(pkt, place.id);
	case PL_PLACE_ENI:
		return pl_open_eni(pkt, place.id, &memory);
	case PL_PLACE_DNS:
		return pl_open_dns(pkt);
	case PL_PLACE_GATEWAY:
		return pkt->l4_proto == IPPROTO_ICMP ? PL_ECHO : PL_DROP_GATEWAY_ECHO;
	case PL_PLACE_NAT:
		if (pkt->l4_proto == IPPROTO_UDP)
			pl_rest_renew(&pkt->key);
		return PL_DROP_NO_FLOW;
	case PL_PLACE_VIP:
		return PL_DROP_VIP;
	case PL_PLACE_REMOTE:
		return PL_DROP_REMOTE;
	default:
		return PL_DROP_NO_PLACE;
	}
}
