/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Translated flows (SNAT and DNAT in one step): a free source is searched and reserved, and both directions
 * are inserted, or neither.
 *
 * pl_nat_open() is a function of its own to the verifier. It sees struct pl_pkt and tables, never the packet,
 * so pointers into it survive it. Keys are copied to the stack there: kernels before 6.4 take no key from
 * behind a function's argument.
 */
#pragma once

#include "pl_carry.h"
#include "pl_target.h"

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
	if (pl_old_has(&search->back_key))
		return 0;
	pl_flow_set_csum(&search->back, &search->back_key);
	pl_flow_set_judged(&search->back, &search->back_key, search->generation);
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
	flow->limit = target->limit;
	flow->idle_s = target->idle_s < 0xffff ? target->idle_s : 0xffff;
	if (target->proxy && pkt->l4_proto == IPPROTO_TCP)
		flow->proxy = target->proxy << PL_PROXY_PARTS_SHIFT | PL_PROXY_OPEN;

	search.back_key.saddr = target->addr;
	search.back_key.sport = target->port;
	search.back_key.vpc_proto = target->vpc << 8 | PL_SIDE_OUT | pkt->l4_proto;
	search.nat_first = bpf_ntohl(target->nat_first);
	search.nat_count = target->nat_count;
	search.hash = pl_hash4(&pkt->key);
	search.sport = bpf_ntohs(pkt->key.sport);
	search.generation = generation;
	flow->kind = PL_FLOW_NAT_BACK;
	pl_flow_set_partner(flow, &pkt->key);
	pl_flow_set_receiver(flow, sender, pkt->slot, config);
	bpf_loop(PL_NAT_PROBES, pl_nat_try, &search, 0);
	if (search.result)
		return search.result;

	flow->kind = PL_FLOW_NAT;
	pl_flow_set_partner(flow, &search.back_key);
	pl_flow_set_receiver(flow, receiver, target->slot, config);
	key = pkt->key;
	pl_flow_set_csum(flow, &key);
	pl_flow_set_judged(flow, &key, generation);
	r = bpf_map_update_elem(&pl_flows4, &key, flow, BPF_NOEXIST);
	if (!r)
		return PL_CONTINUE;
	/* -EEXIST: another CPU has just opened the same flow; that one holds. Either way the source is given
	 * back. */
	bpf_map_delete_elem(&pl_flows4, &search.back_key);
	return r == -EEXIST ? PL_CONTINUE : PL_DROP_FLOW_TABLE_FULL;
}
