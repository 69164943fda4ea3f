/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The connection of a packet script: packets that its ends send, made of what the script says of them
 * (script.h), and whether what the other end gets is what it should be. To be included by a test's only
 * source file, after tap.h.
 */
#pragma once

#include "oracle.h"
#include "proxy.h"
#include "script.h"

enum { CLIENT, SERVER };

/* The connection of a script. */
struct talk {
	struct node *node;
	uint32_t slots[2];
	bool is_local, is_seen;
	struct oracle_tuple asked, seen; /* as the client sends it, and as the server gets it */
	uint32_t header;
	struct pkt got[2]; /* last, by each end, but for errors */
	uint64_t counted[PL_REASON_MAX];
	const char *fault;
};

static inline uint8_t stream_byte(uint32_t seq)
{
	return seq * 31 + (seq >> 8);
}

static inline void fill(const struct talk *talk, uint8_t *at, uint32_t seq, const struct shape *shape)
{
	if (shape->is_header) {
		put_header(at, talk->asked.sport, ALL_PARTS);
		return;
	}
	for (uint32_t i = 0; i < shape->size; i++)
		at[i] = stream_byte(seq + i);
}

static inline struct pkt make_tcp(const struct talk *talk, const struct shape *shape)
{
	struct pkt p = {.size = PKT_L4 + 20 + shape->options_size + shape->size};
	uint8_t *l4 = p.data + PKT_L4;

	put32(l4 + 4, shape->seq);
	put32(l4 + 8, shape->ack);
	l4[12] = (20 + shape->options_size) / 4 << 4;
	l4[13] = shape->flags;
	put16(l4 + 14, shape->window);
	put16(l4 + 18, shape->urgent);
	memcpy(l4 + 20, shape->options, shape->options_size);
	fill(talk, l4 + 20 + shape->options_size, shape->seq, shape);
	return p;
}

static inline struct pkt make_datagram(const struct talk *talk, const struct shape *shape)
{
	struct pkt p = {.size = PKT_L4 + 8 + shape->size};

	put16(p.data + PKT_L4 + 4, 8 + shape->size);
	put16(p.data + PKT_L4 + 6, 1);
	fill(talk, p.data + PKT_L4 + 8, 0, shape);
	return p;
}

/* About the packet that the sender got last. */
static inline struct pkt make_error(const struct talk *talk, int who, const struct shape *shape)
{
	struct pkt p = {.size = PKT_L4 + 8 + 28};

	p.data[PKT_L4] = shape->type;
	p.data[PKT_L4 + 1] = shape->code;
	put32(p.data + PKT_L4 + 4, shape->mtu);
	memcpy(p.data + PKT_L4 + 8, talk->got[who].data + PKT_IP, 28);
	return p;
}

/* From an end, with all its addresses, sealed. */
static inline struct pkt make(const struct talk *talk, int who, const struct shape *shape)
{
	struct oracle_tuple tuple = who == CLIENT ? talk->asked : oracle_turn(&talk->seen);
	bool is_error = shape->kind == SHAPE_ICMP;
	struct pkt p;
	uint8_t *ip = p.data + PKT_IP;

	if (shape->kind == SHAPE_TCP)
		p = make_tcp(talk, shape);
	else if (is_error)
		p = make_error(talk, who, shape);
	else
		p = make_datagram(talk, shape);
	pkt_ethernet(&p, gateway_mac, talk->node->macs[talk->slots[who]], ETH_P_IP);
	ip[0] = 0x45;
	put16(ip + 2, p.size - PKT_IP);
	put16(ip + 6, shape->may_be_cut ? 0 : 0x4000);
	ip[8] = shape->ttl;
	ip[9] = shape->kind == SHAPE_TCP ? IPPROTO_TCP : is_error ? IPPROTO_ICMP : IPPROTO_UDP;
	memcpy(ip + 12, tuple.saddr, 4);
	memcpy(ip + 16, tuple.daddr, 4);
	if (!is_error) {
		put16(p.data + PKT_L4, tuple.sport);
		put16(p.data + PKT_L4 + 2, tuple.dport);
	}
	pkt_seal(&p);
	return p;
}

static inline void seal_ip(struct pkt *p)
{
	put16(p->data + PKT_IP + 10, 0);
	put16(p->data + PKT_IP + 10, ~sum16(p->data + PKT_IP, 20, 0));
}

/* A part of a datagram of 1,400 bytes. */
static inline struct pkt make_fragment(const struct talk *talk, int who, const struct shape *shape)
{
	struct shape whole = {.kind = SHAPE_UDP, .size = 1400, .ttl = shape->ttl};
	struct pkt datagram = make(talk, who, &whole), p = datagram;

	p.size = PKT_L4 + shape->size;
	if (shape->at + shape->size <= 1408)
		memmove(p.data + PKT_L4, datagram.data + PKT_L4 + shape->at, shape->size);
	put16(p.data + PKT_IP + 2, 20 + shape->size);
	put16(p.data + PKT_IP + 4, shape->id);
	put16(p.data + PKT_IP + 6, shape->at / 8 | (shape->more ? 0x2000 : 0));
	seal_ip(&p);
	return p;
}

static inline bool fails(struct talk *talk, const char *fault)
{
	talk->fault = fault;
	return false;
}

/* The tuple of what an end gets. What the server sees is learned from the first packet that it gets. */
static inline bool has_tuple(struct talk *talk, int whom, const struct pkt *p)
{
	struct oracle_tuple got = oracle_tuple_of(p), want = oracle_turn(&talk->asked);

	if (whom == CLIENT)
		return oracle_tuple_equal(&got, &want);
	if (talk->is_seen)
		return oracle_tuple_equal(&got, &talk->seen);
	talk->seen = got;
	talk->is_seen = true;
	if (talk->is_local)
		return oracle_tuple_equal(&got, &talk->asked);
	return memcmp(got.saddr, "\x64\x40\x00", 3) == 0 && memcmp(got.daddr, "\x0a\x00\x00\x0a", 4) == 0 &&
	       got.dport == 8443;
}

static inline bool is_segment(struct talk *talk, const struct pkt *p, const struct shape *shape)
{
	struct segment got = segment_of(p);
	uint8_t payload[1500];

	fill(talk, payload, shape->seq, shape);
	if (got.flags != shape->flags)
		return fails(talk, "other flags");
	if (got.seq != shape->seq)
		return fails(talk, "another number");
	if (got.flags & ACK && got.ack != shape->ack)
		return fails(talk, "another acknowledgement");
	if (got.size != shape->size || memcmp(got.payload, payload, got.size) != 0)
		return fails(talk, "another payload");
	if (shape->has_window && got.window != shape->window)
		return fails(talk, "another window");
	if (got.urgent != shape->urgent)
		return fails(talk, "another urgent byte");
	if (got.options_size != shape->options_size ||
	    memcmp(got.options, shape->options, got.options_size) != 0)
		return fails(talk, "other options");
	return true;
}

/* An error about what its receiver has sent: of that come the addresses in its quote. */
static inline bool is_error(struct talk *talk, int whom, const struct pkt *p, const struct shape *shape)
{
	struct oracle_tuple want = whom == CLIENT ? talk->asked : oracle_turn(&talk->seen), got;
	struct pkt quoted = {.size = p->size - 28};

	memcpy(quoted.data + PKT_IP, p->data + PKT_L4 + 8, 28);
	got = oracle_tuple_of(&quoted);
	if (p->data[PKT_IP + 9] != IPPROTO_ICMP || p->data[PKT_L4] != shape->type ||
	    p->data[PKT_L4 + 1] != shape->code || get32(p->data + PKT_L4 + 4) != shape->mtu)
		return fails(talk, "another error");
	return oracle_tuple_equal(&got, &want) || fails(talk, "an error about another packet");
}

/* To the byte what was sent, on the way to this end. A fragment's identification is a new one. */
static inline bool is_same(struct talk *talk, int whom, const struct pkt *sent, const struct pkt *p)
{
	struct oracle_tuple tuple = whom == CLIENT ? oracle_turn(&talk->asked) : talk->seen;
	const uint8_t *mac = talk->node->macs[talk->slots[whom]];
	struct pkt want;

	if (talk->is_local)
		want = oracle_write(sent, &tuple, mac, gateway_mac);
	else
		want = oracle_route(sent, &tuple, mac, gateway_mac);
	return pkt_equal(&want, p) || fails(talk, "other bytes");
}

static inline bool is_fragment(struct talk *talk, const struct pkt *p, const struct shape *shape)
{
	uint16_t offset = shape->at / 8 | (shape->more ? 0x2000 : 0);
	size_t skip = shape->at ? 0 : 8; /* the first one's ports and checksum */

	if (sum16(p->data + PKT_IP, 20, 0) != 0xffff || get16(p->data + PKT_IP + 6) != offset ||
	    pkt_l4_size(p) != shape->size)
		return fails(talk, "another fragment");
	for (size_t i = skip; i < shape->size; i++)
		if (p->data[PKT_L4 + i] != stream_byte(shape->at + i - 8))
			return fails(talk, "another part of the datagram");
	return true;
}

/* Whether what has come out is for this end, and what it should be. */
static inline bool arrives(struct talk *talk, int whom, const struct pkt *sent, const struct pkt *p,
			   const struct shape *shape)
{
	const uint8_t *mac = talk->node->macs[talk->slots[whom]];

	if (memcmp(p->data, mac, 6) != 0 || memcmp(p->data + 6, gateway_mac, 6) != 0)
		return fails(talk, "it goes to somebody else");
	if (shape->kind == SHAPE_FRAGMENT)
		return is_fragment(talk, p, shape);
	if (!pkt_is_sealed(p))
		return fails(talk, "a checksum is wrong");
	if (shape->kind == SHAPE_ICMP)
		return is_error(talk, whom, p, shape);
	talk->got[whom] = *p;
	if (!has_tuple(talk, whom, p))
		return fails(talk, "other addresses or ports");
	return shape->kind == SHAPE_TCP ? is_segment(talk, p, shape) : is_same(talk, whom, sent, p);
}
