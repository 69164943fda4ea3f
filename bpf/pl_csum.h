/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Checksum arithmetic (RFC 1624). Words are taken as they lie in memory: a one's-complement sum does not care
 * about byte order as long as all of it is the same.
 *
 * A change is a *difference*: what the sum grows by when old words become new ones, folded to 16 bits.
 * Differences add up, so a flow's entry keeps one for the addresses and one for everything, and a packet
 * needs one addition.
 */
#pragma once

#include <linux/types.h>

static __always_inline __u16 pl_csum_fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* One word of 32 bits becomes another. Unfolded, to be summed and folded by the caller. */
static __always_inline __u64 pl_csum_diff32(__u32 old, __u32 new)
{
	old = ~old;
	return (__u64)(old & 0xffff) + (old >> 16) + (new & 0xffff) + (new >> 16);
}

static __always_inline __u64 pl_csum_diff16(__u16 old, __u16 new)
{
	return (__u64)(__u16)~old + new;
}

/* The negative of a difference. */
static __always_inline __u16 pl_csum_negate(__u16 difference)
{
	return ~difference;
}

/* How the sum of an IP header changes when its time to live, the first byte of a word, is lowered by one. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define PL_CSUM_TTL_LOWERED 0xfffe
#else
#define PL_CSUM_TTL_LOWERED 0xfeff
#endif

/* A header's checksum field, which holds the complement of the sum, after a difference of less than 24 bits.
 */
static __always_inline __u16 pl_csum_update(__u16 check, __u32 difference)
{
	__u32 sum = (__u16)~check + difference;

	sum = (sum & 0xffff) + (sum >> 16);
	return ~((sum & 0xffff) + (sum >> 16));
}
