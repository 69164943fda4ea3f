/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * From an endpoint's ENI (the frontend, or VIP, of a load balancer) to a backend: what it listens on, whom
 * the listener's Maglev table names, and where that is. Slots and indexes are given out again, so each step
 * compares whose row it has found.
 */
#pragma once

#include "pl_parse.h"
#include "pl_tuple.h"

/* Where a translated flow leads, and what its source becomes. */
struct pl_target {
	__be32 addr;
	__be16 port;
	__u8 proxy; /* PL_PROXY_… */
	__u8 pad;
	__u32 vpc;
	__u32 slot;	  /* of the port that has the address */
	__be32 nat_first; /* translated sources: nat_count addresses from here */
	__u32 nat_count;
	__u32 judge; /* slot of the ENI; 0: DNS and probes */
	__u32 idle_s;
	__u32 limit;   /* slot of its limit of bytes; 0: it has none */
	__u32 open_ns; /* what a new flow costs at the listener */
};

/* Whether an ENI's row is that of the address in the VPC. A slot is given out again; a place that still names
 * it must not lead into another VPC's endpoint. */
static __always_inline bool pl_eni_is_at(const struct pl_eni *eni, __u32 vpc, __be32 addr)
{
	return eni->vpc == vpc && pl_addr_v4(&eni->addr) == addr;
}

/* The backend's part of a target. A row that names another port than the one it was written for is of no use:
 * slots are given out again, and nothing may reach the wrong VPC. */
static __always_inline int pl_target_set_backend(struct pl_target *target, const struct pl_backend *backend)
{
	const struct pl_port *port;

	if (backend->slot == PL_SLOT_NONE)
		return PL_DROP_REMOTE;
	port = pl_port_find(backend->slot);
	if (!port || port->vpc != backend->vpc || pl_addr_v4(&port->addr) != pl_addr_v4(&backend->addr))
		return PL_DROP_BACKEND_GONE;
	target->addr = pl_addr_v4(&backend->addr);
	target->port = backend->port;
	target->vpc = backend->vpc;
	target->slot = backend->slot;
	target->nat_first = backend->nat_first;
	target->nat_count = backend->nat_count;
	return PL_CONTINUE;
}

/* Picks a backend from the listener's Maglev table. */
static __always_inline int pl_target_choose(struct pl_target *target, const struct pl_pkt *pkt,
					    const struct pl_eni *eni)
{
	struct pl_listener_key key = {
		.target = eni->target, .port = pkt->key.dport, .protocol = pkt->l4_proto};
	const struct pl_listener *listener = pl_listener_find(&key);
	const struct pl_backend *backend;
	__u32 place, *index;

	if (!listener)
		return PL_DROP_NO_LISTENER;
	if (!listener->table_size)
		return PL_DROP_NO_BACKEND;
	place = listener->table_first + pl_hash4(&pkt->key) % listener->table_size;
	index = bpf_map_lookup_elem(&pl_maglev, &place);
	if (!index)
		return PL_DROP_NO_BACKEND;
	backend = pl_backend_find(*index);
	if (!backend)
		return PL_DROP_NO_BACKEND;
	/* An index is given out again, too; a table that still names it must not lead to another tenant's
	 * server. */
	if (backend->vpc != listener->vpc)
		return PL_DROP_BACKEND_GONE;
	target->idle_s = listener->idle_s;
	target->open_ns = listener->open_ns;
	target->proxy = listener->proxy;
	return pl_target_set_backend(target, backend);
}
