/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What wrap.bpf.c and wrap.h agree on. */
#pragma once

#include <linux/types.h>

#define WRAP_PACKET_MAX 256 /* a power of two */
#define WRAP_STRIDE	2654435761u

/* wrap_packets: array by turn. */
struct wrap_packet {
	__u32 slot; /* of the port that sends it */
	__u32 size;
	__u32 vary; /* where the L4 port is that each turn has another of; 0: none */
	__u8 data[WRAP_PACKET_MAX];
	__u32 pad;
};

/* `total` turns, in a scattered order, again and again: each packet, from `first` on, with each of
 * total / packets ports. Both numbers are powers of two. */
struct wrap_turns {
	__u32 at;
	__u32 first, packets, total;
	__u32 port_first;
};
