/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flows for the packet tests: packets of the usual kinds in the world of node.h, delivered, answered and
 * looked up. To be included by a test's only source file, after tap.h.
 */
#pragma once

#include "node.h"

#define ICMP_HEAD 28 /* IP and ICMP headers of an error */
#define QUOTE	  (PKT_IP + ICMP_HEAD)

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

/* PL_CLASS_…, of the flow whose opening row `p` finds. */
static inline uint32_t class_of(struct node *node, const struct pkt *p, uint32_t slot, uint32_t side)
{
	struct pl_flow4_key key = node_key(p, vpc_of(slot), side);
	struct pl_flow4 flow = flow_of(node, p, slot, side);

	return pl_state_class(flow.state, pl_flow4_protocol(&key));
}

/* As if all that is open had been idle for so many seconds more. */
static inline void age_flows(struct node *node, uint32_t seconds)
{
	struct pl_flow4 flow;
	uint32_t n;
	struct pl_flow4_key *keys = node_keys(bpf_map__fd(node->bpf->maps.pl_flows4), &n);

	for (uint32_t i = 0; i < n; i++) {
		if (!node_flow(node, &keys[i], &flow))
			continue;
		flow.seen -= seconds * pl_kernel_hz();
		(void)bpf_map_update_elem(bpf_map__fd(node->bpf->maps.pl_flows4), &keys[i], &flow, BPF_EXIST);
	}
	free(keys);
	for (uint32_t i = 0; i < node_n_tokens(node); i++) {
		struct pl_token token = node_token(node, i);

		if ((token.word >> PL_TOKEN_PHASE & 3) != PL_PHASE_OPEN)
			continue;
		token.word =
			(token.word & ~0xffffffffull) | (uint32_t)(token.word - seconds * pl_kernel_hz());
		map_put(node->bpf->maps.pl_tokens, &i, &token);
	}
}

/* Whoever writes its row ends the timer. */
static inline void stop_timer(struct node *node)
{
	struct pl_round round;
	uint32_t zero = 0;

	memset(&round, 0, sizeof(round));
	map_put(node->bpf->maps.pl_round, &zero, &round);
	(void)usleep(100000); /* a tick that has begun is over */
}

static inline void arm_timer(struct node *node)
{
	static const uint8_t frame[64];

	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame));
	must(bpf_prog_test_run_opts(bpf_program__fd(node->bpf->progs.pl_arm), &opts), "pl_arm");
	must((int)opts.retval, "the timer");
}

/* What does not fit together of rows, tokens and counts, while nothing runs: rows without a partner of the
 * same token, or without an open token that names their flow; open tokens without rows; counts of owners or
 * of use that are not the tokens'. */
static inline unsigned int count_faults(const struct node *node)
{
	uint32_t used[PL_RANGES] = {0}, rows = 0, open = 0;
	struct pl_owner *owners = node_owners(node);
	int fd = bpf_map__fd(node->bpf->maps.pl_flows4);
	struct pl_flow4_key key, *at = NULL;
	struct pl_uses uses = node_uses(node);
	unsigned int n = 0;

	for (uint32_t i = 1; i < node_n_tokens(node); i++) {
		struct pl_token token = node_token(node, i);
		uint32_t phase = token.word >> PL_TOKEN_PHASE & 3, range;
		struct pl_flow4 flow;

		n += phase == PL_PHASE_BUSY;
		if (phase != PL_PHASE_OPEN)
			continue;
		open++;
		range = i >= node->bpf->rodata->pl_n_tenants;
		used[range]++;
		owners[token.owner & PL_OWNER_SLOT].flows[range]--;
		owners[pl_owner_of_account(token.owner >> PL_OWNER_ACCOUNT)].flows[range]--;
		n += !node_flow(node, &token.key, &flow) || flow.token != i;
	}
	while (bpf_map_get_next_key(fd, at, &key) == 0) {
		struct pl_flow4_key partner, again;
		struct pl_flow4 flow, other;

		at = &key;
		rows++;
		if (!node_flow(node, &key, &flow))
			continue;
		partner = pl_flow4_partner(&key, &flow);
		if (!node_flow(node, &partner, &other) || other.token != flow.token) {
			n++;
			continue;
		}
		again = pl_flow4_partner(&partner, &other);
		n += memcmp(&again, &key, sizeof(key)) != 0;
	}
	n += rows != 2 * open;
	/* Nothing is left where each token has been taken off. */
	for (uint32_t row = 0; row < PL_OWNERS_MAX; row++)
		n += owners[row].flows[0] || owners[row].flows[1];
	free(owners);
	return n + (used[0] != uses.used[0]) + (used[1] != uses.used[1]);
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

/* What the receiver of a packet sends back about it. */
static inline struct pkt error_about(const struct pkt *seen, uint16_t type_code, uint32_t rest, size_t quoted)
{
	struct pkt p = {.size = QUOTE + quoted};
	uint8_t *ip = p.data + PKT_IP;

	pkt_ethernet(&p, gateway_mac, seen->data, ETH_P_IP);
	ip[0] = 0x45;
	ip[1] = 0xc0;
	put16(ip + 2, ICMP_HEAD + quoted);
	ip[8] = 64;
	ip[9] = IPPROTO_ICMP;
	memcpy(ip + 12, seen->data + PKT_IP + 16, 4);
	memcpy(ip + 16, seen->data + PKT_IP + 12, 4);
	put16(p.data + PKT_L4, type_code);
	put16(p.data + PKT_L4 + 4, rest >> 16);
	put16(p.data + PKT_L4 + 6, rest);
	memcpy(p.data + QUOTE, seen->data + PKT_IP, quoted);
	pkt_seal(&p);
	return p;
}

/* The errors that a port has caused so far are forgotten. */
static inline void forget_rate(struct node *node, uint32_t slot)
{
	uint64_t zero = 0;

	map_put(node->bpf->maps.pl_icmp_rates, &slot, &zero);
}

/* A test's main(): all of it with direct writes, and once more with the checksum helpers. */
static inline int in_both_ways(void (*test)(struct node *node))
{
	for (int helpers = 0; helpers < 2; helpers++) {
		struct node *node = node_new(&(struct node_options){.helpers = helpers});

		tap_note("%s", helpers ? "checksum helpers" : "direct packet writes");
		test(node);
		node_free(node);
	}
	return tap_done();
}

/* The ENI's group lets nothing in any more, or what it did before. */
static inline void eni_refuses(struct node *node)
{
	node_policy(node, SLOT_ENI_A, NULL, 0, false);
	node_bump(node, SLOT_ENI_A);
}

static inline void eni_accepts(struct node *node)
{
	node_policy(node, SLOT_ENI_A, RULES(rules_eni), false);
	node_bump(node, SLOT_ENI_A);
}
