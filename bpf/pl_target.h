/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * From an endpoint's ENI (the frontend, or VIP, of a load balancer) to a backend: what it listens on, whom
 * the listener's Maglev table names, and where that is. Slots and indexes are given out again, so each step
 * compares whose row it has found.
 */
#pragma once

#include "pl_parse.h"
#include "pl_row.h"
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

/* What an ENI's row says to those who ask more of it than one thing. */
struct pl_judge {
	__u32 set, balancer_set; /* as in the row */
	__u32 target;
	__u16 limit;
	bool is_there, is_connected;
};

/* The ENI in the slot that a place names. Without a row it is all zero: not connected, and its set, 0,
 * refuses all. Of its own to the verifier, for the stack of those who ask. */
__attribute__((noinline)) int pl_judge_read(__u32 slot, __u32 vpc, __be32 addr, struct pl_judge *ret)
{
	struct pl_judge nobody = {0};
	struct pl_eni eni;
	int r = pl_eni_read(&slot, &eni);

	if (!ret || r == -EAGAIN)
		return PL_DROP_FLOW_TABLE_BUSY;
	*ret = nobody;
	if (r)
		return PL_CONTINUE;
	if (!pl_eni_is_at(&eni, vpc, addr))
		return PL_DROP_NO_PLACE;
	ret->set = eni.set;
	ret->balancer_set = eni.balancer_set;
	ret->target = eni.target;
	ret->limit = eni.limit;
	ret->is_there = true;
	ret->is_connected = eni.flags & PL_ENI_F_CONNECTED;
	return PL_CONTINUE;
}

/* The backend's part of a target, by the backend's index. A row that names another port than the one it was
 * written for is of no use: slots are given out again, and nothing may reach the wrong VPC. Of its own to the
 * verifier, for the stack of those who ask. */
__attribute__((noinline)) int pl_target_set_backend(struct pl_target *target, __u32 index)
{
	struct pl_backend backend;
	const struct pl_port *port;
	int r = pl_backend_read(&index, &backend);

	if (!target || r)
		return r == -ENOENT ? PL_DROP_NO_BACKEND : PL_DROP_FLOW_TABLE_BUSY;
	if (backend.slot == PL_SLOT_NONE)
		return PL_DROP_REMOTE;
	port = pl_port_find(backend.slot);
	if (!port || port->vpc != backend.vpc || pl_addr_v4(&port->addr) != pl_addr_v4(&backend.addr))
		return PL_DROP_BACKEND_GONE;
	target->addr = pl_addr_v4(&backend.addr);
	target->port = backend.port;
	target->vpc = backend.vpc;
	target->slot = backend.slot;
	target->nat_first = backend.nat_first;
	target->nat_count = backend.nat_count;
	return PL_CONTINUE;
}

/* Picks a backend from the listener's Maglev table. The listener's row is asked for again behind the index:
 * when it gets another table this one's place is given to another group, whose servers are not its. */
static __always_inline int pl_target_choose(struct pl_target *target, const struct pl_pkt *pkt, __u32 listens)
{
	struct pl_listener_key key = {.target = listens, .port = pkt->key.dport, .protocol = pkt->l4_proto};
	const struct pl_listener *row = pl_row_find(&pl_listeners, &key);
	struct pl_listener listener;
	__u32 place, index = 0, *found = NULL;
	int r;

	if (!row)
		return PL_DROP_NO_LISTENER;
	listener = *row;
	if (listener.table_size) {
		place = listener.table_first + pl_hash4(&pkt->key) % listener.table_size;
		found = bpf_map_lookup_elem(&pl_maglev, &place);
		if (found)
			index = *(volatile __u32 *)found;
	}
	if (!pl_row_is_still(&pl_listeners, &key, row))
		return PL_DROP_FLOW_TABLE_BUSY;
	if (!found)
		return PL_DROP_NO_BACKEND;
	r = pl_target_set_backend(target, index);
	if (r)
		return r;
	/* An index is given out again, too; a table that still names it must not lead to another tenant's
	 * server. */
	if (target->vpc != listener.vpc)
		return PL_DROP_BACKEND_GONE;
	target->idle_s = listener.idle_s;
	target->open_ns = listener.open_ns;
	target->proxy = listener.proxy;
	return PL_CONTINUE;
}

/* A flow that is open, and what of it says which server it has. */
struct pl_served {
	__be16 listens; /* port of the listener */
	__be16 port;	/* of the server */
	__be32 addr;
	__u32 vpc;
	__u8 protocol;
};

/* What today's rows say of the flow's server: its listener at the target `listens`, and PL_SERVER_…, 0: the
 * group does not have it. PL_CONTINUE, or why that cannot be told. */
static __always_inline int pl_served_read(__u32 listens, const struct pl_served *served,
					  struct pl_listener *ret_listener, __u8 *ret_state)
{
	struct pl_listener_key key = {
		.target = listens, .port = served->listens, .protocol = served->protocol};
	struct pl_server_key server_key = {.port = served->port,
					   .addr.w = {0, 0, bpf_htonl(0xffff), served->addr}};
	struct pl_server server;
	int r = pl_listener_read(&key, ret_listener);

	if (r)
		return r == -ENOENT ? PL_DROP_NO_LISTENER : PL_DROP_FLOW_TABLE_BUSY;
	server_key.group = ret_listener->group;
	r = pl_server_read(&server_key, &server);
	if (r && r != -ENOENT)
		return PL_DROP_FLOW_TABLE_BUSY;
	*ret_state = r ? 0 : server.state;
	return PL_CONTINUE;
}

/* Whether new flows go to a server in this state: to an ill one only while none is well. */
static __always_inline bool pl_server_serves(const struct pl_listener *listener, __u8 state)
{
	return state == PL_SERVER_WELL || (state == PL_SERVER_ILL && (listener->flags & PL_LISTENER_F_ILL));
}

/* Whether an open flow may go on with its server. Datagrams can go to another one at any time, a connection
 * cannot: it stays with a server that is ill or leaves, until that is gone. */
static __always_inline int pl_target_keeps(const struct pl_listener *listener, __u8 state,
					   const struct pl_served *served)
{
	if (listener->vpc != served->vpc || state == PL_SERVER_GONE)
		return PL_DROP_BACKEND_GONE;
	if (served->protocol == IPPROTO_TCP)
		return PL_CONTINUE;
	return pl_server_serves(listener, state) ? PL_CONTINUE : PL_DROP_BACKEND_GONE;
}
