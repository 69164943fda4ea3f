/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flows for the packet tests: packets of the usual kinds in the world of node.h, delivered, answered and
 * looked up. To be included by a test's only source file, after tap.h.
 */
#pragma once

#include "node.h"

#include "bpf/pl_sweep.h"

static inline struct pkt from(const struct node *node, uint32_t slot, struct pkt_spec spec)
{
	spec.dst_mac = gateway_mac;
	spec.src_mac = node->macs[slot];
	return pkt_build(&spec);
}

static inline struct pkt tcp(const struct node *node, uint32_t slot, uint16_t sport, uint8_t flags)
{
	return from(node, slot,
		    (struct pkt_spec){.src = slot == SLOT_A2 ? "10.0.0.11" : "10.0.0.10",
				      .dst = "10.0.0.100",
				      .protocol = IPPROTO_TCP,
				      .sport = sport,
				      .dport = 443,
				      .tcp_flags = flags,
				      .payload = flags == ACK ? "data" : NULL});
}

static inline struct pkt udp(const struct node *node, uint32_t slot, uint16_t sport)
{
	return from(node, slot,
		    (struct pkt_spec){.src = "10.0.0.10",
				      .dst = "10.0.0.100",
				      .protocol = IPPROTO_UDP,
				      .sport = sport,
				      .dport = 500,
				      .payload = "datagram"});
}

static inline struct pkt local(const struct node *node, uint32_t slot, uint16_t sport, uint16_t dport,
			       uint8_t flags)
{
	return from(node, slot,
		    (struct pkt_spec){.src = slot == SLOT_A ? "10.0.0.10" : "10.0.0.11",
				      .dst = slot == SLOT_A ? "10.0.0.11" : "10.0.0.10",
				      .protocol = IPPROTO_TCP,
				      .sport = sport,
				      .dport = dport,
				      .tcp_flags = flags});
}

/* The slot that a delivered packet is for, by its destination MAC. */
static inline uint32_t receiver(const struct node *node, const struct pkt *p)
{
	for (uint32_t slot = 0; slot < SLOTS; slot++)
		if (memcmp(p->data, node->macs[slot], 6) == 0)
			return slot;
	return PL_SLOT_NONE;
}

static inline uint32_t vpc_of(uint32_t slot)
{
	switch (slot) {
	case SLOT_SERVICE:
		return PL_VPC_NODES;
	case SLOT_A:
	case SLOT_A2:
		return 10;
	case SLOT_B:
		return 20;
	case SLOT_C:
		return 30;
	case SLOT_S1:
	case SLOT_S2:
		return 40;
	default:
		return 50;
	}
}

/* Sends and wants delivery. Returns the packet as it arrived. */
static inline struct pkt deliver(struct node *node, uint32_t slot, const struct pkt *p)
{
	struct outcome o = node_send(node, slot, p);

	if (o.reason != PL_DELIVERED && o.reason != PL_DNS && o.reason != PL_PROBE)
		tap_ok(false, "%s is delivered, not %s", pkt_text(p), reason_name(o.reason));
	return o.out;
}

static inline struct pl_flow4 flow_of(struct node *node, const struct pkt *p, uint32_t slot, uint32_t side)
{
	struct pl_flow4_key key = node_key(p, vpc_of(slot), side);
	struct pl_flow4 flow = {0};

	(void)node_flow(node, &key, &flow);
	return flow;
}

/* Whether the entry that `p` finds has a partner, whose partner is the entry itself. */
static inline bool is_paired(struct node *node, const struct pkt *p, uint32_t slot, uint32_t side)
{
	struct pl_flow4_key key = node_key(p, vpc_of(slot), side), partner, again;
	struct pl_flow4 flow;

	if (!node_flow(node, &key, &flow))
		return false;
	partner = pl_flow4_partner(&key, &flow);
	if (!node_flow(node, &partner, &flow))
		return false;
	again = pl_flow4_partner(&partner, &flow);
	return memcmp(&again, &key, sizeof(key)) == 0;
}

/* Opens a TCP flow from a consumer up to the third packet; returns the SYN as the server saw it. */
static inline struct pkt handshake(struct node *node, uint32_t slot, uint16_t sport)
{
	struct pkt syn = tcp(node, slot, sport, SYN), ack = tcp(node, slot, sport, ACK);
	struct pkt seen = deliver(node, slot, &syn);
	struct pkt syn_ack = node_reply(&seen, SYN | ACK);

	deliver(node, receiver(node, &seen), &syn_ack);
	deliver(node, slot, &ack);
	return seen;
}

/* All connections go to one server, or to the other. */
static inline void serve_by(struct node *node, uint32_t backend)
{
	node_listener(node, TARGET, IPPROTO_TCP, 443, 20 + backend, &backend, 1);
	node_listener(node, TARGET, IPPROTO_UDP, 500, 20 + backend, &backend, 1);
}

static inline void serve_by_all(struct node *node)
{
	static const uint32_t servers[] = {1, 2, 1, 2, 1, 2, 1};

	node_listener(node, TARGET, IPPROTO_TCP, 443, 0, servers, 7);
	node_listener(node, TARGET, IPPROTO_UDP, 500, 0, servers, 7);
}

/* Whether this kernel can run a program on a packet with CHECKSUM_COMPLETE. */
static inline bool knows_complete(struct node *node)
{
	struct pkt p = udp(node, SLOT_A, 4000);

	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = p.data, .data_size_in = p.size,
		    .flags = BPF_F_TEST_SKB_CHECKSUM_COMPLETE);

	return bpf_prog_test_run_opts(bpf_program__fd(node->bpf->progs.pl_guard_veth), &opts) == 0;
}
