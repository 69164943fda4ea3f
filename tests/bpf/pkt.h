/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets for the data path's tests: built from a few words, with checksums summed from scratch, and checked
 * the same way. Slow and obvious on purpose; nothing here is shared with the code under test.
 */
#pragma once

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <linux/if_ether.h>
#include <linux/in.h>

#define PKT_MAX 2048
#define PKT_IP	14
#define PKT_L4	34

#define FIN 0x01
#define SYN 0x02
#define RST 0x04
#define ACK 0x10

struct pkt {
	size_t size;
	uint8_t data[PKT_MAX];
};

/* What to build. Zero means the usual: TTL 64, no payload, a true checksum. */
struct pkt_spec {
	const uint8_t *dst_mac, *src_mac;
	const char *src, *dst;
	uint8_t protocol;
	uint16_t sport, dport; /* ICMP: type << 8 | code, identifier */
	uint8_t tcp_flags;
	const char *payload;
	bool no_checksum; /* UDP: 0 in the field */
};

static inline void put16(uint8_t *at, uint16_t value)
{
	at[0] = value >> 8;
	at[1] = value;
}

static inline uint16_t get16(const uint8_t *at)
{
	return at[0] << 8 | at[1];
}

static inline void put_addr(uint8_t *at, const char *text)
{
	if (inet_pton(AF_INET, text, at) != 1)
		abort();
}

/* The one's-complement sum of bytes (RFC 1071), added to `sum`, folded. */
static inline uint16_t sum16(const uint8_t *bytes, size_t size, uint32_t sum)
{
	for (size_t i = 0; i < size; i++)
		sum += i % 2 ? bytes[i] : bytes[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static inline size_t pkt_l4_size(const struct pkt *p)
{
	return get16(p->data + PKT_IP + 2) - 20;
}

static inline uint16_t pkt_pseudo_sum(const struct pkt *p)
{
	return sum16(p->data + PKT_IP + 12, 8, p->data[PKT_IP + 9] + pkt_l4_size(p));
}

static inline uint8_t *pkt_l4_check(struct pkt *p)
{
	switch (p->data[PKT_IP + 9]) {
	case IPPROTO_TCP:
		return p->data + PKT_L4 + 16;
	case IPPROTO_UDP:
		return p->data + PKT_L4 + 6;
	default:
		return p->data + PKT_L4 + 2;
	}
}

/* Writes the checksums anew. A UDP packet without one stays without. */
static inline void pkt_seal(struct pkt *p)
{
	uint8_t protocol = p->data[PKT_IP + 9], *check = pkt_l4_check(p);
	bool keep_none = protocol == IPPROTO_UDP && get16(check) == 0;
	uint16_t sum;

	put16(p->data + PKT_IP + 10, 0);
	put16(p->data + PKT_IP + 10, ~sum16(p->data + PKT_IP, 20, 0));
	if (keep_none)
		return;
	put16(check, 0);
	sum = ~sum16(p->data + PKT_L4, pkt_l4_size(p), protocol == IPPROTO_ICMP ? 0 : pkt_pseudo_sum(p));
	put16(check, protocol == IPPROTO_UDP && sum == 0 ? 0xffff : sum);
}

/* Whether every checksum in the packet is true. */
static inline bool pkt_is_sealed(const struct pkt *packet)
{
	struct pkt p = *packet;
	uint8_t protocol = p.data[PKT_IP + 9];

	if (get16(p.data + 12) != ETH_P_IP)
		return true;
	if (sum16(p.data + PKT_IP, 20, 0) != 0xffff)
		return false;
	if (protocol == IPPROTO_UDP && get16(pkt_l4_check(&p)) == 0)
		return true;
	return sum16(p.data + PKT_L4, pkt_l4_size(&p), protocol == IPPROTO_ICMP ? 0 : pkt_pseudo_sum(&p)) ==
	       0xffff;
}

/* As a router leaves it. */
static inline struct pkt pkt_routed(const struct pkt *packet)
{
	struct pkt p = *packet;

	p.data[PKT_IP + 8]--;
	pkt_seal(&p);
	return p;
}

static inline void pkt_ethernet(struct pkt *p, const uint8_t *dst, const uint8_t *src, uint16_t proto)
{
	memcpy(p->data, dst, 6);
	memcpy(p->data + 6, src, 6);
	put16(p->data + 12, proto);
}

static inline struct pkt pkt_build(const struct pkt_spec *spec)
{
	size_t payload = spec->payload ? strlen(spec->payload) : 0;
	size_t head = spec->protocol == IPPROTO_TCP ? 20 : 8;
	struct pkt p = {.size = PKT_L4 + head + payload};
	uint8_t *ip = p.data + PKT_IP, *l4 = p.data + PKT_L4;

	pkt_ethernet(&p, spec->dst_mac, spec->src_mac, ETH_P_IP);
	ip[0] = 0x45;
	put16(ip + 2, p.size - PKT_IP);
	put16(ip + 6, 0x4000);
	ip[8] = 64;
	ip[9] = spec->protocol;
	put_addr(ip + 12, spec->src);
	put_addr(ip + 16, spec->dst);
	put16(l4, spec->sport);
	if (spec->protocol == IPPROTO_ICMP) {
		put16(l4 + 4, spec->dport);
		put16(l4 + 6, 1);
	} else {
		put16(l4 + 2, spec->dport);
	}
	if (spec->protocol == IPPROTO_TCP) {
		put16(l4 + 6, 1);
		l4[12] = 0x50;
		l4[13] = spec->tcp_flags;
		put16(l4 + 14, 0xffff);
	}
	if (spec->protocol == IPPROTO_UDP) {
		put16(l4 + 4, head + payload);
		put16(l4 + 6, spec->no_checksum ? 0 : 1);
	}
	if (payload)
		memcpy(l4 + head, spec->payload, payload);
	pkt_seal(&p);
	return p;
}

/* An ARP packet; operation 1 asks who has `target`. */
static inline struct pkt pkt_arp(const uint8_t *dst_mac, const uint8_t *src_mac, uint16_t operation,
				 const char *sender, const char *target)
{
	struct pkt p = {.size = 42};
	uint8_t *arp = p.data + 14;

	pkt_ethernet(&p, dst_mac, src_mac, ETH_P_ARP);
	put16(arp, 1);
	put16(arp + 2, ETH_P_IP);
	arp[4] = 6;
	arp[5] = 4;
	put16(arp + 6, operation);
	memcpy(arp + 8, src_mac, 6);
	put_addr(arp + 14, sender);
	put_addr(arp + 24, target);
	return p;
}

static inline uint32_t get32(const uint8_t *at)
{
	return (uint32_t)get16(at) << 16 | get16(at + 2);
}

static inline void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value);
}

/* The reset that refuses a TCP packet, from the gateway back to where it came from (RFC 9293, 3.10.7.1). */
static inline struct pkt pkt_reset(const struct pkt *p, const uint8_t *gateway)
{
	const uint8_t *ip = p->data + PKT_IP, *tcp = p->data + PKT_L4;
	struct pkt_spec spec = {
		.dst_mac = p->data + 6,
		.src_mac = gateway,
		.src = "0.0.0.0",
		.dst = "0.0.0.0",
		.protocol = IPPROTO_TCP,
		.sport = get16(tcp + 2),
		.dport = get16(tcp),
		.tcp_flags = tcp[13] & ACK ? RST : RST | ACK,
	};
	struct pkt reset = pkt_build(&spec);
	uint32_t length = get16(ip + 2) - 20 - (tcp[12] >> 4) * 4;

	memcpy(reset.data + PKT_IP + 12, ip + 16, 4);
	memcpy(reset.data + PKT_IP + 16, ip + 12, 4);
	put16(reset.data + PKT_L4 + 6, 0);
	put16(reset.data + PKT_L4 + 14, 0); /* no window */
	if (tcp[13] & ACK)
		put32(reset.data + PKT_L4 + 4, get32(tcp + 8));
	else
		put32(reset.data + PKT_L4 + 8,
		      get32(tcp + 4) + length + !!(tcp[13] & SYN) + !!(tcp[13] & FIN));
	pkt_seal(&reset);
	return reset;
}

/* Whether a packet is an ICMP error of that code (destination unreachable) back to the sender of the other.
 */
static inline bool pkt_is_unreachable(const struct pkt *error, const struct pkt *about, uint8_t code)
{
	return pkt_is_sealed(error) && error->data[PKT_IP + 9] == IPPROTO_ICMP && error->data[PKT_L4] == 3 &&
	       error->data[PKT_L4 + 1] == code && memcmp(error->data, about->data + 6, 6) == 0 &&
	       memcmp(error->data + PKT_IP + 12, about->data + PKT_IP + 16, 4) == 0 &&
	       memcmp(error->data + PKT_IP + 16, about->data + PKT_IP + 12, 4) == 0 &&
	       memcmp(error->data + PKT_L4 + 8, about->data + PKT_IP, 28) == 0;
}

static inline bool pkt_equal(const struct pkt *a, const struct pkt *b)
{
	return a->size == b->size && memcmp(a->data, b->data, a->size) == 0;
}

/* "10.0.0.10:4000 > 10.0.0.100:443 proto 6", in one of four static places. */
static inline const char *pkt_text(const struct pkt *p)
{
	static char texts[4][96];
	static int turn;
	char src[16], dst[16], *text = texts[turn++ % 4];

	inet_ntop(AF_INET, p->data + PKT_IP + 12, src, sizeof(src));
	inet_ntop(AF_INET, p->data + PKT_IP + 16, dst, sizeof(dst));
	snprintf(text, sizeof(texts[0]), "%s:%u > %s:%u proto %u", src, get16(p->data + PKT_L4), dst,
		 get16(p->data + PKT_L4 + 2), p->data[PKT_IP + 9]);
	return text;
}
