/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Tuples: the key of a flow's entry, its hash and its tag, the other direction's key, and what the checksums
 * change by. Pure functions of keys and rows, for the program and for user space.
 */
#pragma once

#include <stdbool.h>

#include "pl_abi_flow.h"
#include "pl_csum.h"

/* Rows of a preallocated table are given out again at once, also while a program on another CPU still reads
 * one that it found before. Such a reader would rewrite its packet by another flow's row, and that may be
 * another tenant's. So each row has a tag, made of its key. */
static __always_inline __u32 pl_flow_tag(const struct pl_flow4_key *key)
{
	__u32 ports = (__u32)key->sport << 16 | key->dport;

	return key->saddr * 0x9e3779b1 + key->daddr * 0x85ebca6b + ports * 0xc2b2ae35 +
	       key->vpc_proto * 0x27d4eb2f;
}

static __always_inline __u32 pl_hash_round(__u32 hash, __u32 word)
{
	word *= 0xcc9e2d51;
	word = word << 15 | word >> 17;
	word *= 0x1b873593;
	hash ^= word;
	hash = hash << 13 | hash >> 19;
	return hash * 5 + 0xe6546b64;
}

/* MurmurHash3 over the tuple. */
static __always_inline __u32 pl_hash4(const struct pl_flow4_key *key)
{
	__u32 hash = 0;

	hash = pl_hash_round(hash, key->saddr);
	hash = pl_hash_round(hash, key->daddr);
	hash = pl_hash_round(hash, (__u32)key->sport << 16 | key->dport);
	hash = pl_hash_round(hash, key->vpc_proto);
	hash ^= hash >> 16;
	hash *= 0x85ebca6b;
	hash ^= hash >> 13;
	hash *= 0xc2b2ae35;
	return hash ^ hash >> 16;
}

/* Of a datagram's fragments. Rows are written and read by several CPUs at once; by its tag one is whole, or
 * no row. */
static __always_inline __u32 pl_fragment_tag(const struct pl_fragment *row)
{
	__u32 hash = pl_hash_round(0x70667267, row->saddr);

	hash = pl_hash_round(hash, row->daddr);
	hash = pl_hash_round(hash, (__u32)row->id << 16 | row->new_id);
	hash = pl_hash_round(hash, (__u32)row->sport << 16 | row->dport);
	hash = pl_hash_round(hash, (__u32)row->protocol << 8 | row->is_echo);
	return pl_hash_round(hash, row->seen);
}

static __always_inline bool pl_flow_is_local(const struct pl_flow4 *flow)
{
	return flow->kind == PL_FLOW_LOCAL || flow->kind == PL_FLOW_LOCAL_BACK;
}

static __always_inline bool pl_flow_is_back(const struct pl_flow4 *flow)
{
	return flow->kind == PL_FLOW_NAT_BACK || flow->kind == PL_FLOW_LOCAL_BACK;
}

static __always_inline __u32 pl_flow4_vpc(const struct pl_flow4_key *key)
{
	return key->vpc_proto >> 8;
}

static __always_inline __u8 pl_flow4_protocol(const struct pl_flow4_key *key)
{
	return key->vpc_proto & 0x7f;
}

static __always_inline bool pl_flow4_key_equal(const struct pl_flow4_key *a, const struct pl_flow4_key *b)
{
	return a->saddr == b->saddr && a->daddr == b->daddr && a->sport == b->sport && a->dport == b->dport &&
	       a->vpc_proto == b->vpc_proto;
}

/* What the other side sends back, in the same VPC and on the same side. */
static __always_inline struct pl_flow4_key pl_flow4_turned(const struct pl_flow4_key *key)
{
	return (struct pl_flow4_key){
		.saddr = key->daddr,
		.daddr = key->saddr,
		.sport = key->dport,
		.dport = key->sport,
		.vpc_proto = key->vpc_proto,
	};
}

/* The key of the other direction's entry: what the entry writes into packets, turned round. */
static __always_inline struct pl_flow4_key pl_flow4_partner(const struct pl_flow4_key *key,
							    const struct pl_flow4 *flow)
{
	__u32 side = key->vpc_proto & PL_SIDE_IN;
	struct pl_flow4_key written = {
		.saddr = flow->saddr,
		.daddr = flow->daddr,
		.sport = flow->sport,
		.dport = flow->dport,
	};

	if (pl_flow_is_local(flow))
		side ^= PL_SIDE_IN;
	written.vpc_proto = flow->partner_vpc << 8 | side | pl_flow4_protocol(key);
	return pl_flow4_turned(&written);
}

/* Makes `partner` the key of the other direction's entry. */
static __always_inline void pl_flow_set_partner(struct pl_flow4 *flow, const struct pl_flow4_key *partner)
{
	struct pl_flow4_key written = pl_flow4_turned(partner);

	flow->saddr = written.saddr;
	flow->daddr = written.daddr;
	flow->sport = written.sport;
	flow->dport = written.dport;
	flow->partner_vpc = pl_flow4_vpc(partner);
}

/* The differences between what the key says a packet carries and what the entry writes. */
static __always_inline void pl_flow_set_csum(struct pl_flow4 *flow, const struct pl_flow4_key *key)
{
	__u64 addrs = pl_csum_diff32(key->saddr, flow->saddr) + pl_csum_diff32(key->daddr, flow->daddr);
	__u64 ports = pl_csum_diff16(key->sport, flow->sport) + pl_csum_diff16(key->dport, flow->dport);

	flow->csum_addr = pl_csum_fold(addrs);
	flow->csum_all = pl_csum_fold(addrs + ports);
}
