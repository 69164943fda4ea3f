/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections with PROXY headers for the packet tests: TCP segments word for word, in the world of node.h,
 * where the client is 10.0.0.10 of VPC 10 and the server the first one of VPC 40. To be included by a test's
 * only source file, after tap.h.
 */
#pragma once

#include "flows.h"

#define PSH 0x08
#define URG 0x20

#define VPC_ID	    "vpc-0123456789abcdefghij"
#define ENDPOINT_ID "ep-0123456789abcdefghij"
#define SERVICE_ID  "epsrv-0123456789abcdefghijxyz" /* as long as an id may be */
#define ALL_PARTS   (PL_PROXY_ON | PL_PROXY_IDS)

struct segment {
	uint32_t seq, ack;
	uint8_t flags;
	uint16_t window, urgent;
	uint8_t options[40];
	size_t options_size; /* a multiple of 4 */
	uint8_t payload[1400];
	size_t size;
};

/* One connection: the client's port, and what the server takes for the client. */
struct pair {
	struct node *node;
	uint16_t port;
	uint8_t seen[12]; /* addresses and ports as the server sees them */
};

static inline size_t put_tlv(uint8_t *at, uint8_t subtype, const char *id)
{
	size_t length = strlen(id);

	at[0] = 0xe1;
	put16(at + 1, length + 1);
	at[3] = subtype;
	memcpy(at + 4, id, length);
	return 4 + length;
}

/* The ids that headers with these parts name. */
static inline size_t put_ids(uint8_t *at, uint32_t parts)
{
	size_t size = 0;

	if (parts & PL_PROXY_VPC)
		size += put_tlv(at + size, 1, VPC_ID);
	if (parts & PL_PROXY_ENDPOINT)
		size += put_tlv(at + size, 2, ENDPOINT_ID);
	if (parts & PL_PROXY_SERVICE)
		size += put_tlv(at + size, 3, SERVICE_ID);
	return size;
}

/* The header that a server is to get, written from the specification. */
static inline size_t put_header(uint8_t *at, uint16_t port, uint32_t parts)
{
	size_t ids = put_ids(at + 28, parts);

	memcpy(at, "\r\n\r\n\0\r\nQUIT\n", 12);
	at[12] = 0x21;
	at[13] = 0x11;
	put16(at + 14, 12 + ids);
	put_addr(at + 16, "10.0.0.10");
	put_addr(at + 20, "10.0.0.100");
	put16(at + 24, port);
	put16(at + 26, 443);
	return 28 + ids;
}

static inline size_t header_size(uint32_t parts)
{
	uint8_t header[128];

	return put_header(header, 0, parts);
}

/* The listener of the world sends headers with these parts from now on, and ENI A has its ids; 0: none. */
static inline void node_proxy(struct node *node, uint32_t parts)
{
	struct pl_listener_key key = {.target = TARGET, .port = htons(443), .protocol = IPPROTO_TCP};
	struct pl_proxy_key ids_key = {.slot = SLOT_ENI_A, .parts = parts};
	struct pl_listener listener;
	struct pl_proxy ids = {0};

	serve_by(node, 1);
	must(bpf_map_lookup_elem(bpf_map__fd(node->bpf->maps.pl_listeners), &key, &listener), "listener");
	listener.proxy = parts;
	map_put(node->bpf->maps.pl_listeners, &key, &listener);
	ids.size = put_ids(ids.tlvs, parts);
	map_put(node->bpf->maps.pl_proxies, &ids_key, &ids);
}

static inline struct pkt pair_pkt(const struct pair *pair, bool from_server, const struct segment *s)
{
	struct pkt p = {.size = PKT_L4 + 20 + s->options_size + s->size};
	uint8_t *ip = p.data + PKT_IP, *tcp = p.data + PKT_L4;

	pkt_ethernet(&p, gateway_mac, pair->node->macs[from_server ? SLOT_S1 : SLOT_A], ETH_P_IP);
	ip[0] = 0x45;
	put16(ip + 2, p.size - PKT_IP);
	put16(ip + 6, 0x4000);
	ip[8] = 64;
	ip[9] = IPPROTO_TCP;
	if (from_server) {
		memcpy(ip + 12, pair->seen + 4, 4);
		memcpy(ip + 16, pair->seen, 4);
		memcpy(tcp, pair->seen + 10, 2);
		memcpy(tcp + 2, pair->seen + 8, 2);
	} else {
		put_addr(ip + 12, "10.0.0.10");
		put_addr(ip + 16, "10.0.0.100");
		put16(tcp, pair->port);
		put16(tcp + 2, 443);
	}
	put32(tcp + 4, s->seq);
	put32(tcp + 8, s->ack);
	tcp[12] = (20 + s->options_size) / 4 << 4;
	tcp[13] = s->flags;
	put16(tcp + 14, s->window);
	put16(tcp + 18, s->urgent);
	memcpy(tcp + 20, s->options, s->options_size);
	memcpy(tcp + 20 + s->options_size, s->payload, s->size);
	pkt_seal(&p);
	return p;
}

static inline struct segment segment_of(const struct pkt *p)
{
	const uint8_t *tcp = p->data + PKT_L4;
	struct segment s = {
		.seq = get32(tcp + 4),
		.ack = get32(tcp + 8),
		.flags = tcp[13],
		.window = get16(tcp + 14),
		.urgent = get16(tcp + 18),
		.options_size = (tcp[12] >> 4) * 4 - 20,
	};

	s.size = get16(p->data + PKT_IP + 2) - 40 - s.options_size;
	if (s.options_size > sizeof(s.options) || s.size > sizeof(s.payload)) {
		tap_ok(false, "a segment of sane size leaves");
		return (struct segment){0};
	}
	memcpy(s.options, tcp + 20, s.options_size);
	memcpy(s.payload, tcp + 20 + s.options_size, s.size);
	return s;
}

/* Keeps what the server takes for the client, from a packet that reached it. */
static inline void pair_note(struct pair *pair, const struct pkt *p)
{
	memcpy(pair->seen, p->data + PKT_IP + 12, 8);
	memcpy(pair->seen + 8, p->data + PKT_L4, 4);
}
