/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection with a PROXY header for the packet tests that take it step by step: what each end sends next,
 * and what leaves in its place. To be included by a test's only source file, after tap.h.
 */
#pragma once

#include "proxy.h"

#define ISN	   1000u       /* of the client */
#define SERVER_ISN 0xfffffff0u /* so that it wraps */

static struct node *node;
static struct pair pair;
static uint32_t parts, size; /* of headers now */
static uint32_t isn;	     /* of the client now */

/* Sends a segment. What leaves is *ret; the reason. */
static inline int emit(bool from_server, struct segment s, struct segment *ret)
{
	struct pkt p = pair_pkt(&pair, from_server, &s);
	struct outcome o = node_send(node, from_server ? SLOT_S1 : SLOT_A, &p);

	if (o.reason == PL_DELIVERED) {
		*ret = segment_of(&o.out);
		if (!pkt_is_sealed(&o.out))
			tap_ok(false, "the checksums of what leaves are true");
		if (!from_server)
			pair_note(&pair, &o.out);
	}
	return o.reason;
}

static inline struct segment from_client(struct segment s)
{
	struct segment out = {0};
	int reason = emit(false, s, &out);

	if (reason != PL_DELIVERED)
		tap_ok(false, "a segment of the client is delivered, not %s", reason_name(reason));
	return out;
}

static inline struct segment from_server(struct segment s)
{
	struct segment out = {0};
	int reason = emit(true, s, &out);

	if (reason != PL_DELIVERED)
		tap_ok(false, "a segment of the server is delivered, not %s", reason_name(reason));
	return out;
}

static inline struct segment with_data(struct segment s, const char *text)
{
	s.size = strlen(text);
	memcpy(s.payload, text, s.size);
	return s;
}

/* A new connection, nothing of which was sent yet. */
static inline void fresh(uint32_t with_parts, uint32_t with_isn)
{
	static uint16_t port = 20000;

	node_clear_flows(node);
	parts = with_parts;
	size = header_size(parts);
	isn = with_isn;
	node_proxy(node, parts);
	pair = (struct pair){.node = node, .port = port++};
}

static inline struct segment syn(void)
{
	return from_client((struct segment){.seq = isn, .flags = SYN, .window = 64000});
}

static inline struct segment syn_ack(void)
{
	return from_server((struct segment){
		.seq = SERVER_ISN, .ack = isn + 1 - size, .flags = SYN | ACK, .window = 65000});
}

static inline struct segment plain_ack(void)
{
	return (struct segment){.seq = isn + 1, .ack = SERVER_ISN + 1, .flags = ACK, .window = 501};
}

/* Up to the server's answer, and up to the header. */
static inline void answered(uint32_t with_parts, uint32_t with_isn)
{
	fresh(with_parts, with_isn);
	syn();
	syn_ack();
}

static inline void sent(uint32_t with_parts, uint32_t with_isn)
{
	answered(with_parts, with_isn);
	from_client(plain_ack());
}

static inline void acknowledged(uint32_t with_parts, uint32_t with_isn)
{
	sent(with_parts, with_isn);
	from_server((struct segment){.seq = SERVER_ISN + 1, .ack = isn + 1, .flags = ACK, .window = 500});
}

static inline bool is_header(const struct segment *s)
{
	uint8_t header[128];

	return s->size == put_header(header, pair.port, parts) && memcmp(s->payload, header, s->size) == 0 &&
	       s->seq == isn + 1 - size;
}

/* PL_PROXY_…, in the row of what one end sends. */
static inline uint32_t mark(bool of_server)
{
	struct segment s = {.flags = ACK};
	struct pkt p = pair_pkt(&pair, of_server, &s);
	struct pl_flow4 flow = flow_of(node, &p, of_server ? SLOT_S1 : SLOT_A, PL_SIDE_OUT);

	return flow.proxy & PL_PROXY_MARKS;
}

static inline void refused(int reason, bool of_server, struct segment s, const char *what)
{
	struct segment out;
	int r = emit(of_server, s, &out);

	tap_ok(r == reason, "%s: %s%s%s", what, reason_name(reason), r == reason ? "" : ", not ",
	       r == reason ? "" : reason_name(r));
}
