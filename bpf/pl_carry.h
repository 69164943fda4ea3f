/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Flows that a program with rows of another size has opened. Such a program's table cannot be this one's; it
 * stands beside until the agent's sweep has emptied it, and a packet that finds nothing in pl_flows4 asks
 * there. What it finds is moved, both directions at once. Where there is no such table, which is nearly
 * always, a packet of no flow pays one lookup in an array for it, and a packet of an open flow nothing.
 *
 * The rows of both begin alike (pl_abi_flow.h): what both have is taken, and the rest is zero. The table is
 * written by nobody any more, so nothing in it is given out again while it is read; the tag is asked all the
 * same, for those few packets that were in the other program when it was switched.
 */
#pragma once

#include "pl_flow.h"

/* Bytes of a row of the old table; set before load. */
const volatile __u32 pl_old_row_size = sizeof(struct pl_flow4);

/* The old table; NULL: there is none. */
static __always_inline void *pl_old_flows(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&pl_flows4_old, &zero);
}

/* A row of the old table in today's layout. */
static __always_inline bool pl_old_read(void *old, const struct pl_flow4_key *key, struct pl_flow4 *ret)
{
	const __u64 *from = bpf_map_lookup_elem(old, key);
	__u64 *to = (__u64 *)ret;

	if (!from)
		return false;
#pragma unroll
	for (__u32 i = 0; i < sizeof(*ret) / sizeof(*to); i++)
		to[i] = (i + 1) * sizeof(*to) <= pl_old_row_size ? from[i] : 0;
	return ret->tag == pl_flow_tag(key);
}

/* Whether the key's row still stands in the old table: then a translated source is taken. To be asked before
 * an insert into pl_flows4, since a flow that is moved stands in both for a moment. */
static __always_inline bool pl_old_has(const struct pl_flow4_key *key)
{
	void *old = pl_old_flows();

	return old && bpf_map_lookup_elem(old, key);
}

/* Whether the row that is in pl_flows4 under the partner's key is the partner of this key, or none is. It is
 * another flow's where both programs gave out one translated source in the instant of the switch. */
static __always_inline bool pl_partner_fits(const struct pl_flow4_key *partner_key,
					    const struct pl_flow4_key *key)
{
	const struct pl_flow4 *found = pl_flow4_find(partner_key);
	struct pl_flow4_key back;

	if (!found)
		return true;
	back = pl_flow4_partner(partner_key, found);
	return back.saddr == key->saddr && back.daddr == key->daddr && back.sport == key->sport &&
	       back.dport == key->dport && back.vpc_proto == key->vpc_proto;
}

/* Moves the flow of an entry from the old table. The other direction goes first: what finds the entry must
 * find its partner, too. 1: the entry may be there now; 0: there is nothing to move. */
__attribute__((noinline)) int pl_flow_carry(const struct pl_flow4_key *wanted)
{
	struct pl_flow4_key key, partner_key; /* on the stack: see pl_flow_judge_again() */
	void *old = pl_old_flows();
	struct pl_flow4 flow;

	if (!old || !wanted)
		return 0;
	key = *wanted;
	if (!pl_old_read(old, &key, &flow))
		return 0;
	partner_key = pl_flow4_partner(&key, &flow);
	if (pl_old_read(old, &partner_key, &flow))
		bpf_map_update_elem(&pl_flows4, &partner_key, &flow, BPF_NOEXIST);
	if (pl_partner_fits(&partner_key, &key) && pl_old_read(old, &key, &flow))
		bpf_map_update_elem(&pl_flows4, &key, &flow, BPF_NOEXIST);
	bpf_map_delete_elem(old, &key);
	bpf_map_delete_elem(old, &partner_key);
	return 1;
}
