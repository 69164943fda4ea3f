/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What was judged lately: whether a port may open flows to an ENI's address, for one protocol and port. Rules
 * do not ask for the sender's port, so the next packet that would open such a flow has the same answer, and a
 * flood that is refused costs no more than packets that pass.
 *
 * An answer holds for as long as nothing changes of what it was made of, and that is what generations tell,
 * as they tell open flows. It is given only where neither slot has a change under way: the agent says that
 * one begins before it writes the first row (pl_generation.due). So new flows are judged by today's rows, as
 * if nothing were remembered. Where the address leads, and whose the ENI is, is looked up anew for whatever
 * is let pass (pl_open_remembered()).
 *
 * Each CPU remembers for itself. Nothing is pinned: a program that begins knows nothing.
 */
#pragma once

#include "pl_parse.h"

#define PL_MEMOS 256 /* of a CPU; a power of two */

/* All of it zero: nothing. Reasons that the judges give are below 0xffff. */
struct pl_memo {
	__be32 saddr, daddr;
	__u32 vpc_proto;
	__be16 dport;
	__u16 answer;	  /* 1 + PL_CONTINUE, PL_ECHO or the reason to drop; 0: none */
	__u32 sender;	  /* slot of the port */
	__u32 judge;	  /* slot of the ENI */
	__u32 generation; /* the sum of both, read before judging */
	__u32 tag; /* of all others: should one run interrupt another, the row may have something of both */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, __u32);
	__type(value, struct pl_memo);
	__uint(max_entries, PL_MEMOS);
} pl_memos SEC(".maps");

/* Adds a slot's generation; false while it changes. Both halves are read at once. */
static __always_inline bool pl_memo_add_generation(__u32 slot, __u32 *sum)
{
	const struct pl_generation *generation = bpf_map_lookup_elem(&pl_generations, &slot);
	union {
		struct pl_generation halves;
		__u64 all;
	} read;

	if (!generation)
		return false;
	read.all = *(const volatile __u64 *)generation;
	*sum += read.halves.now;
	return read.halves.now == read.halves.due;
}

/* The sum of both generations, and whether what is judged now can be remembered. To be asked before. */
static __always_inline bool pl_memo_begin(__u32 sender, __u32 judge, __u32 *ret_generation)
{
	bool is_settled;

	*ret_generation = 0;
	is_settled = pl_memo_add_generation(sender, ret_generation);
	return pl_memo_add_generation(judge, ret_generation) && is_settled;
}

static __always_inline __u32 pl_memo_hash(const struct pl_pkt *pkt)
{
	return pkt->key.saddr * 0x9e3779b1 + pkt->key.daddr * 0x85ebca6b + pkt->key.dport * 0xc2b2ae35 +
	       pkt->key.vpc_proto * 0x27d4eb2f + pkt->slot * 0x165667b1;
}

static __always_inline struct pl_memo *pl_memo_at(__u32 hash)
{
	__u32 index = (hash ^ hash >> 15) * 0x9e3779b1 >> 24 & (PL_MEMOS - 1);

	return bpf_map_lookup_elem(&pl_memos, &index);
}

static __always_inline __u32 pl_memo_tag(__u32 hash, const struct pl_memo *memo)
{
	return hash + memo->generation * 0x2545f491 + memo->judge * 0x9e3779b1 + memo->answer * 0x85ebca6b;
}

static __always_inline struct pl_memory pl_memo_find(const struct pl_pkt *pkt)
{
	__u32 hash = pl_memo_hash(pkt), sum;
	const struct pl_memory nothing = {0};
	const struct pl_memo *row = pl_memo_at(hash);
	struct pl_memo memo;

	if (!row)
		return nothing;
	memo.answer = *(const volatile __u16 *)&row->answer;
	memo.judge = *(const volatile __u32 *)&row->judge;
	memo.generation = *(const volatile __u32 *)&row->generation;
	if (*(const pl_word64 *)&row->saddr != *(const pl_word64 *)&pkt->key.saddr || /* and daddr */
	    row->dport != pkt->key.dport || row->vpc_proto != pkt->key.vpc_proto ||
	    row->sender != pkt->slot || row->tag != pl_memo_tag(hash, &memo))
		return nothing;
	if (!pl_memo_begin(pkt->slot, memo.judge, &sum) || sum != memo.generation)
		return nothing;
	return (struct pl_memory){.answer = memo.answer, .judge = memo.judge, .generation = sum};
}

/* Remembers what they have said. Of its own to the verifier. */
__attribute__((noinline)) int pl_memo_keep(const struct pl_pkt *pkt, __u32 judge, __u32 generation,
					   __u32 reason)
{
	struct pl_memo *memo;
	__u32 hash;

	if (!pkt)
		return 0;
	hash = pl_memo_hash(pkt);
	memo = pl_memo_at(hash);
	if (!memo)
		return 0;
	memo->saddr = pkt->key.saddr;
	memo->daddr = pkt->key.daddr;
	memo->vpc_proto = pkt->key.vpc_proto;
	memo->dport = pkt->key.dport;
	memo->answer = 1 + reason;
	memo->sender = pkt->slot;
	memo->judge = judge;
	memo->generation = generation;
	memo->tag = pl_memo_tag(hash, memo);
	return 0;
}
