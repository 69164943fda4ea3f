/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fragments for the packet tests. To be included by a test's only source file, after tap.h.
 */
#pragma once

#include "flows.h"

#define MORE 0x2000

static inline void seal_ip(struct pkt *p)
{
	put16(p->data + PKT_IP + 10, 0);
	put16(p->data + PKT_IP + 10, ~sum16(p->data + PKT_IP, 20, 0));
}

/* A part of a datagram, from a byte of it on. */
static inline struct pkt cut(const struct pkt *whole, uint16_t id, size_t at, size_t size)
{
	struct pkt p = {.size = PKT_L4 + size};

	memcpy(p.data, whole->data, PKT_L4);
	memcpy(p.data + PKT_L4, whole->data + PKT_L4 + at, size);
	put16(p.data + PKT_IP + 2, 20 + size);
	put16(p.data + PKT_IP + 4, id);
	put16(p.data + PKT_IP + 6, at / 8 | (at + size < pkt_l4_size(whole) ? MORE : 0));
	seal_ip(&p);
	return p;
}
