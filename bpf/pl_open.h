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

/* Whether a packet asks for what needs no open flow to be answered: a connection, or an echo. */
static __always_inline bool pl_asks_anew(const struct pl_pkt *pkt)
{
	return pl_tcp_opens(pkt->tcp_flags) || pkt->icmp_type == ICMP_ECHO;
}

/* Recalls what the judges of an ENI last said to a packet. Of its own to the verifier. */
__attribute__((noinline)) int pl_open_recall(struct pl_pkt *pkt)
{
	if (!pkt)
		return 0;
	pkt->memory = pl_memo_find(pkt);
	pkt->is_recalled = 1;
	return pkt->memory.answer - 1;
}

/* The same of one that asks anew, before its flow is looked for: PL_ECHO, or that a group refuses it; else
 * PL_CONTINUE. An echo to an ENI has no flow. A connection that is refused may have one from before the rules
 * changed: that is judged with its next packet that is no SYN. */
static __always_inline int pl_open_at_once(struct pl_pkt *pkt)
{
	int r;

	if (pkt->l4_proto == IPPROTO_TCP && (!pkt->key.sport || !pkt->key.dport))
		return PL_CONTINUE;
	r = pl_open_recall(pkt);
	if (r != PL_ECHO && r != PL_DROP_POLICY_OUT && r != PL_DROP_POLICY_IN)
		return PL_CONTINUE;
	pkt->tally.slot = pkt->memory.judge;
	pkt->opens = 1;
	return r;
}

/* Where a packet leads that asks for a flow to an endpoint's ENI. */
struct pl_asked {
	__u32 slot;	  /* of the ENI; 0: to none */
	__u32 generation; /* of sender and ENI, read before all else */
	__u32 target;
	__u16 limit;
};

/* Whether a packet that the judges let pass still leads to the ENI that was asked. Its rows are looked for
 * once: whoever changes what leads to an ENI, or the ENI's own row, says so before by its generation. If that
 * is what it was when this was remembered, and no change is under way, both rows stood still. */
static __always_inline bool pl_open_remembered(struct pl_pkt *pkt, const struct pl_memory *memory,
					       struct pl_asked *ret)
{
	struct pl_place_key key = {.vpc = pkt->vpc, .addr.w = {0, 0, bpf_htonl(0xffff), pkt->key.daddr}};
	const struct pl_place *place = bpf_map_lookup_elem(&pl_places, &key);
	const struct pl_eni *eni;
	__u32 slot = memory->judge;

	if (!place || place->kind != PL_PLACE_ENI || place->id != slot)
		return false;
	eni = bpf_map_lookup_elem(&pl_enis, &slot);
	if (!eni || !pl_eni_is_at(eni, pkt->vpc, pkt->key.daddr))
		return false;
	ret->target = eni->target;
	ret->limit = eni->limit;
	asm volatile("" ::: "memory"); /* no read moves down past this */
	if (!pl_memo_begin(pkt->slot, slot, &ret->generation) || ret->generation != memory->generation)
		return false;
	ret->slot = pkt->tally.slot = slot;
	pkt->opens = 1;
	return true;
}

/* What the judges of an endpoint's ENI say, who have not been asked lately. Echo is answered here: that needs
 * its policies' consent, and no connection. */
static __always_inline int pl_open_judge(struct pl_pkt *pkt, __u32 slot, struct pl_asked *ret)
{
	bool is_settled = pl_memo_begin(pkt->slot, slot, &ret->generation);
	struct pl_judge eni = {0};
	int r;

	pkt->tally.slot = slot;
	if (!pl_may_open(pkt))
		return PL_DROP_NOT_SYN;
	pkt->opens = 1;
	r = pl_judge_read(slot, pkt->vpc, pkt->key.daddr, &eni);
	if (r)
		return r;
	ret->slot = slot;
	ret->target = eni.target;
	ret->limit = eni.limit;
	r = pl_judge_eni(&pkt->key, pkt->slot, &eni);
	if (!r && pkt->l4_proto == IPPROTO_ICMP)
		r = PL_ECHO;
	/* (Without a row there is nobody who answers.) */
	if (is_settled && eni.is_there)
		pl_memo_keep(pkt, slot, ret->generation, r);
	return r;
}

/* To an endpoint's ENI, whose judges let it pass. */
static __always_inline int pl_open_eni(struct pl_pkt *pkt, const struct pl_asked *asked)
{
	struct pl_target target = {.judge = asked->slot};
	int r = pl_target_choose(&target, pkt, asked->target);

	if (r != PL_DROP_NO_LISTENER) {
		pkt->tally.slot = asked->slot | (__u32)bpf_ntohs(pkt->key.dport) << PL_TALLY_PORT;
		pkt->tally.what = pkt->l4_proto << PL_TALLY_PROTOCOL;
	}
	if (!r)
		r = pl_limit_open(pkt->slot, asked->slot,
				  (__u32)bpf_ntohs(pkt->key.dport) << 16 | pkt->l4_proto, target.open_ns);
	if (r)
		return r;
	target.limit = asked->limit;
	return pl_nat_open(pkt, &target, asked->generation + pl_generation_get(target.slot));
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
 * it. A flow of datagrams lives from the question to its answer: nobody says that it is over. */
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
	if (pkt->l4_proto == IPPROTO_UDP)
		target.idle_s = PL_IDLE_PROBE;
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

/* A packet of which nothing is remembered. PL_CONTINUE, if ret->slot is there: it may go to that ENI; all
 * else as pl_open4(). */
static __always_inline int pl_open_place(struct pl_pkt *pkt, struct pl_asked *ret)
{
	struct pl_place place = {0};
	int r = pl_place_read4(pkt->vpc, pkt->key.daddr, &place);

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
		return pl_open_judge(pkt, place.id, ret);
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

/* A packet of no flow. PL_CONTINUE: its flow is open now, look again. PL_ECHO: answer it. Else the reason to
 * drop it. */
__attribute__((noinline)) int pl_open4(struct pl_pkt *pkt)
{
	struct pl_memory memory;
	struct pl_asked asked = {0};
	int r;

	if (!pkt)
		return PL_DROP_NO_PORT;
	if (pl_addr_is_nobody(pkt->key.daddr))
		return PL_DROP_BAD_DESTINATION;
	if (pkt->l4_proto != IPPROTO_ICMP && (!pkt->key.sport || !pkt->key.dport))
		return PL_DROP_BAD_PORT;
	if (!pkt->is_recalled && pl_is_judged(pkt))
		pl_open_recall(pkt);
	memory = pkt->memory;
	if (memory.answer > 1 + PL_CONTINUE) {
		pkt->tally.slot = memory.judge;
		pkt->opens = 1;
		return memory.answer - 1;
	}
	if (!memory.answer || !pl_open_remembered(pkt, &memory, &asked)) {
		r = pl_open_place(pkt, &asked);
		if (r || !asked.slot)
			return r;
	}
	return pl_open_eni(pkt, &asked);
}
