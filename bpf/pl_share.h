/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Who may have one more token. An owner may have as many as are free (a dynamic threshold, Choudhury and
 * Hahne 1998): one greedy owner ends at half of the table, n of them at 1 / (1 + n) each, and what is left
 * over is there for whoever has few. No order of owners is kept; the largest is refused first.
 *
 * An owner is the endpoint's ENI that a flow goes to, or the port that opens it to another one. Probes and
 * DNS questions have a range of their own before that of all, probes without a threshold; a question is its
 * port's, so that one port cannot ask in everybody's place.
 */
#pragma once

#include "pl_maps.h"

/* How many tokens of the range can be in use. Number 0 is never given out. */
static __always_inline __u32 pl_range_size(__u32 range)
{
	return range == PL_RANGE_SERVICE ? pl_n_service : pl_n_tenants - 1;
}

static __always_inline struct pl_owner *pl_owner_find(__u32 slot)
{
	return bpf_map_lookup_elem(&pl_owners, &slot);
}

/* CPUs that ask at once may pass the threshold by one each. */
static __always_inline int pl_share_admits(const struct pl_uses *uses, const struct pl_owner *owner,
					   __u32 range, bool is_free)
{
	__u32 used = *(const volatile __u32 *)&uses->used[range & 1], size = pl_range_size(range);

	if (used >= size)
		return PL_DROP_FLOW_TABLE_FULL;
	if (!is_free && *(const volatile __u32 *)&owner->flows[range & 1] >= size - used)
		return PL_DROP_FLOW_SHARE;
	return PL_CONTINUE;
}
