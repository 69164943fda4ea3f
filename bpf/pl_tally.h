/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What is counted by an endpoint's ENI beside the flow rows. A packet of an open flow never comes here: its
 * flow's rows count it, and the agent sums them up.
 */
#pragma once

#include "pl_maps.h"

/* Adds to a tally, by the members of its key. Of its own to the verifier; off the path of a packet that is
 * delivered by an open flow. Where many listeners and drops leave no room, what flows count goes to their
 * slot: nobody's go unmetered because of others. */
__attribute__((noinline)) int pl_tally_add(__u32 slot, __u32 what, __u64 packets, __u64 bytes)
{
	struct pl_tally_key key = {.slot = slot, .what = what};
	struct pl_count first = {packets, bytes}, *count;
	void *tallies = &pl_tallies;

	/* Nearly always there, and of one table, so that the verifier makes it a direct call. */
	count = bpf_map_lookup_elem(&pl_tallies, &key);
	if (count)
		goto add;
again:
	asm volatile("" : "+r"(tallies)); /* one code for both */
	count = bpf_map_lookup_elem(tallies, &key);
	if (!count) {
		if (!(int)bpf_map_update_elem(tallies, &key, &first, BPF_NOEXIST))
			return 0;
		count = bpf_map_lookup_elem(tallies, &key);
	}
	if (!count) {
		if ((what & PL_TALLY_WHAT) > PL_TALLY_ENDED)
			return 0;
		key.slot &= PL_TALLY_SLOT;
		key.what &= PL_TALLY_WHAT | PL_TALLY_OUT;
		what = PL_TALLY_WHAT; /* once */
		tallies = &pl_slot_tallies;
		goto again;
	}
add:
	__sync_fetch_and_add(&count->packets, first.packets);
	if (bytes) /* (a flow that opens has none) */
		__sync_fetch_and_add(&count->bytes, bytes);
	return 0;
}
