/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What is counted by an endpoint's ENI beside the flow rows. A packet of an open flow never comes here: its
 * flow's rows count it, and the agent sums them up.
 */
#pragma once

#include "pl_maps.h"

/* Adds to a tally, by the members of its key. Of its own to the verifier; off the path of a packet that is
 * delivered by an open flow. */
__attribute__((noinline)) int pl_tally_add(__u32 slot, __u32 what, __u64 packets, __u64 bytes)
{
	struct pl_tally_key key = {.slot = slot, .what = what};
	struct pl_count *count = bpf_map_lookup_elem(&pl_tallies, &key);

	if (!count) {
		struct pl_count zero = {};

		bpf_map_update_elem(&pl_tallies, &key, &zero, BPF_NOEXIST);
		count = bpf_map_lookup_elem(&pl_tallies, &key);
	}
	if (!count)
		return 0;
	__sync_fetch_and_add(&count->packets, packets);
	if (bytes)
		__sync_fetch_and_add(&count->bytes, bytes);
	return 0;
}

/* One packet that is dropped. The key is on the caller's own stack. */
static __always_inline void pl_tally_drop(const struct pl_tally_key *key, __u32 bytes)
{
	struct pl_count *count = bpf_map_lookup_elem(&pl_tallies, key);

	if (!count) {
		pl_tally_add(key->slot, key->what, 1, bytes);
		return;
	}
	__sync_fetch_and_add(&count->packets, 1);
	__sync_fetch_and_add(&count->bytes, bytes);
}
