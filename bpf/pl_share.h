/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Who may have one more token. An owner may have as many as are free (a dynamic threshold, Choudhury and
 * Hahne 1998): one greedy owner ends at half of the table, n of them at 1 / (1 + n) each, and what is left
 * over is there for whoever has few. No order of owners is kept; the largest is refused first.
 *
 * An owner is the endpoint's ENI that a flow goes to, or the port that opens it to another one; and the
 * account whose that is, of all of its ENIs and ports together: else who has a hundred of them would be a
 * hundred owners, and have 100/101 of the table. For the first few tokens of each of them it may have an
 * eighth more: a greedy one of them, which ends before that, leaves room for the first connections of all
 * others. So an account ends at 9/17 of the table, n of them leave 8 / (8 + 9n). Probes and DNS questions
 * have a range of their own before that of all, by the same rule in both: a question is its port's, so that
 * one port cannot ask in everybody's place, and a probe is its server's, so that one tenant's servers cannot
 * take the probes of all others, nor any tenant's flows.
 *
 * A token remembers both of its owners, so what is counted for one when it is taken is taken from the same
 * one when it is given back, whoever has the slot by then.
 */
#pragma once

#include "pl_maps.h"

/* How a token is taken. */
#define PL_TAKE_SERVICE (1u << 0) /* from VPC 0's range, if there is one */
#define PL_TAKE_FREE	(1u << 1) /* whatever shares its owners have */

/* How many tokens of the range can be in use. Number 0 is never given out. */
static __always_inline __u32 pl_range_size(__u32 range)
{
	return range == PL_RANGE_SERVICE ? pl_n_service : pl_n_given - 1;
}

static __always_inline const struct pl_limit *pl_limit_find(__u32 slot)
{
	return bpf_map_lookup_elem(&pl_limits, &slot);
}

/* Both whose a token is. */
struct pl_owners {
	struct pl_owner *slot, *account;
};

/* By pl_token.owner; false: there is none. */
static __always_inline bool pl_owners_find(__u32 owner, struct pl_owners *ret)
{
	__u32 row = owner & PL_OWNER_SLOT;

	ret->slot = bpf_map_lookup_elem(&pl_owners, &row);
	row = pl_owner_of_account(owner >> PL_OWNER_ACCOUNT);
	ret->account = bpf_map_lookup_elem(&pl_owners, &row);
	return ret->slot && ret->account;
}

static __always_inline void pl_owners_add(const struct pl_owners *owners, struct pl_uses *uses, __u32 range,
					  __s32 n)
{
	__sync_fetch_and_add(&owners->slot->flows[range & 1], n);
	__sync_fetch_and_add(&owners->account->flows[range & 1], n);
	__sync_fetch_and_add(&uses->used[range & 1], n);
}

/* CPUs that ask at once may pass the threshold by one each. What is no account's is judged by its slot. */
static __always_inline int pl_share_admits(const struct pl_uses *uses, const struct pl_owners *owners,
					   __u32 range, __u32 owner, __u32 how)
{
	__u32 used = *(const volatile __u32 *)&uses->used[range & 1], size = pl_range_size(range);
	__u32 slot_has = *(const volatile __u32 *)&owners->slot->flows[range & 1], free;

	if (used >= size)
		return PL_DROP_FLOW_TABLE_FULL;
	if (how & PL_TAKE_FREE)
		return PL_CONTINUE;
	free = size - used;
	if (slot_has >= free)
		return PL_DROP_FLOW_SHARE;
	if (slot_has < PL_SHARE_FIRST && range == PL_RANGE_TENANTS)
		free += free / PL_SHARE_FIRST_PART;
	if (owner >> PL_OWNER_ACCOUNT && *(const volatile __u32 *)&owners->account->flows[range & 1] >= free)
		return PL_DROP_ACCOUNT_SHARE;
	return PL_CONTINUE;
}
