/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Translated flows (SNAT and DNAT in one step): a token, a source that follows from it, and both directions
 * are inserted, or neither.
 *
 * A flow's token is a number that no other flow of the node has, so a source made of it is free without a
 * search. A pool with more sources than there are tokens has several for each, taken in turn, so that one
 * rests for as long as it can. Where the pool is smaller, or flows have sources of before, the source is
 * hashed.
 *
 * pl_nat_open() is a function of its own to the verifier. It sees struct pl_pkt and tables, never the packet,
 * so pointers into it survive it. Keys are copied to the stack there: kernels before 6.4 take no key from
 * behind a function's argument.
 */
#pragma once

#include "pl_carry.h"
#include "pl_target.h"

#define PL_NAT_PORTS (65536 - PL_NAT_PORT_FIRST)

/* The search for a free translated source. */
struct pl_nat_search {
	struct pl_flow4 back;	    /* the replies' entry */
	struct pl_flow4_key key;    /* the replies' key; then that of the packet */
	__u32 nat_first, nat_count; /* host order */
	__u32 source;		    /* to begin with: a number of the pool */
	int result;
};

/* The number of the source that a token gives to its flow, in its incarnation. Sets of tokens that follow
 * each other begin with other sources: those of the last one may still be open or closing at servers. */
static __always_inline __u32 pl_nat_source(__u32 index, __u32 nat_count)
{
	__u32 n_tokens = pl_n_tenants + pl_n_service, pool = nat_count * PL_NAT_PORTS,
	      turns = pool / n_tokens;
	const struct pl_token *token = pl_token_find(index);
	const struct pl_uses *uses = pl_uses_get();
	__u32 turn = (token ? token->word >> PL_TOKEN_INCARNATION : 0) + (uses ? uses->epoch : 0);

	if (turns > 1)
		return index + turn % turns * n_tokens;
	return pool ? index % pool : 0;
}

/* The source that try number `i` takes: the token's, then hashed ones. */
static __always_inline void pl_nat_choose(struct pl_nat_search *search, __u32 i)
{
	__u32 source = search->source;

	if (i > 0)
		source = (source + i) * 2654435761u % (search->nat_count * PL_NAT_PORTS);
	search->key.daddr = bpf_htonl(search->nat_first + source / PL_NAT_PORTS);
	search->key.dport = bpf_htons(PL_NAT_PORT_FIRST + source % PL_NAT_PORTS);
}

/* One try to insert the replies' entry; 1 ends the loop. BPF_NOEXIST makes an insert a reservation: no other
 * flow to the same backend can take the source as long as the entry is there. */
static long pl_nat_try(__u32 i, struct pl_nat_search *search)
{
	int r; /* not long: before 6.4 the upper half of an inlined map operation's result is undefined */

	pl_nat_choose(search, i);
	if (pl_old_has(&search->key) || pl_rest_forbids(&search->key, &search->back))
		return 0;
	pl_flow_set_csum(&search->back, &search->key);
	/* (without the tag of the try before) */
	pl_flow_set_judged(&search->back, &search->key, search->back.generation - search->back.tag);
	r = bpf_map_update_elem(&pl_flows4, &search->key, &search->back, BPF_NOEXIST);
	if (r == -EEXIST)
		return 0;
	search->result = r ? pl_insert_reason(r) : PL_CONTINUE;
	return 1;
}

/* How a flow's token is taken: probes, and questions to a DNS address, have a range of their own. A question
 * is the asking port's. A probe is the server's: whose servers are asked much, or leave many flows behind,
 * takes nobody else's room by it. */
static __always_inline int pl_nat_token(const struct pl_pkt *pkt, const struct pl_target *target)
{
	if (target->judge != PL_SLOT_SERVICE)
		return pl_token_take(target->judge, 0);
	return pl_token_take(pkt->slot == PL_SLOT_SERVICE ? target->slot : pkt->slot, PL_TAKE_SERVICE);
}

/* Where the search for a source begins. A question to a DNS address keeps its port: its source is one
 * address, the asker's own. */
static __always_inline void pl_nat_begin(struct pl_nat_search *search, const struct pl_pkt *pkt,
					 const struct pl_target *target)
{
	search->nat_first = bpf_ntohl(target->nat_first);
	search->nat_count = target->nat_count;
	search->source = pl_nat_source(search->back.token, target->nat_count);
	if (target->vpc == PL_VPC_NODES && bpf_ntohs(pkt->key.sport) >= PL_NAT_PORT_FIRST)
		search->source = bpf_ntohs(pkt->key.sport) - PL_NAT_PORT_FIRST;
}

/* Opens a translated flow from the packet's port to the target. Already judged. */
__attribute__((noinline)) int pl_nat_open(struct pl_pkt *pkt, const struct pl_target *target,
					  __u32 generation)
{
	const struct pl_config *config = pl_config_get();
	const struct pl_port *sender, *receiver;
	struct pl_nat_search search = {.result = PL_DROP_NAT_EXHAUSTED};
	struct pl_flow4 *flow = &search.back;
	struct pl_flow4_key *key = &search.key; /* one for both: the stack of all frames is short */
	int r, index;				/* as in pl_nat_try() */

	if (!pkt || !target || !config)
		return PL_DROP_NO_PORT;
	sender = pl_port_find(pkt->slot);
	if (!sender)
		return PL_DROP_NO_PORT;
	receiver = pl_port_find(target->slot);
	/* Once more, since its generation was read after the target was chosen: what changes from here on is
	 * told by that. */
	if (!receiver || receiver->vpc != target->vpc ||
	    (target->slot != PL_SLOT_SERVICE && pl_addr_v4(&receiver->addr) != target->addr))
		return PL_DROP_BACKEND_GONE;
	if (!target->nat_count)
		return PL_DROP_NAT_EXHAUSTED;
	index = pl_nat_token(pkt, target);
	if (index <= 0)
		return -index;

	/* what both directions share */
	flow->seen = bpf_jiffies64();
	flow->slot = target->judge;
	flow->limit = target->limit;
	flow->idle_s = target->idle_s < 0xffff ? target->idle_s : 0xffff;
	if (target->proxy && pkt->l4_proto == IPPROTO_TCP)
		flow->proxy = target->proxy << PL_PROXY_PARTS_SHIFT | PL_PROXY_OPEN;
	flow->token = index;

	search.key.saddr = target->addr;
	search.key.sport = target->port;
	search.key.vpc_proto = target->vpc << 8 | PL_SIDE_OUT | pkt->l4_proto;
	flow->generation = generation;
	pl_nat_begin(&search, pkt, target);
	flow->kind = PL_FLOW_NAT_BACK;
	pl_flow_set_partner(flow, &pkt->key);
	pl_flow_set_receiver(flow, sender, pkt->slot, config);
	bpf_loop(PL_NAT_PROBES, pl_nat_try, &search, 0);
	if (search.result) {
		pl_token_return(index);
		return search.result;
	}

	flow->kind = PL_FLOW_NAT;
	pl_flow_set_partner(flow, &search.key);
	pl_flow_set_receiver(flow, receiver, target->slot, config);
	*key = pkt->key;
	pl_flow_set_csum(flow, key);
	pl_flow_set_judged(flow, key, generation);
	r = bpf_map_update_elem(&pl_flows4, key, flow, BPF_NOEXIST);
	if (!r) {
		pl_flow_own(index, key, flow, flow->seen);
		return PL_CONTINUE;
	}
	/* -EEXIST: another CPU has just opened the same flow; that one holds. Either way the source is given
	 * back. */
	*key = pl_flow4_partner(key, flow);
	pl_pair_undo(key, index);
	return r == -EEXIST ? PL_CONTINUE : pl_insert_reason(r);
}
