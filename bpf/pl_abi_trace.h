/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the program says of single packets while somebody asks: who asks for what, and an event. None of it
 * outlives the program, so it has no version.
 */
#pragma once

#include "pl_abi_flow.h"

#define PL_TRACERS_MAX	     4		  /* at once */
#define PL_TRACE_SLOTS_MAX   12		  /* that one asks for: all ENIs of an endpoint */
#define PL_TRACE_RATE_MAX    10000	  /* packets a second that one is told of */
#define PL_TRACE_BUFFER_SIZE (256 * 1024) /* bytes of events that nobody has read yet */

/* pl_tracers: array. What an asker wants to hear of: what is zero does not matter. */
struct pl_tracer {
	__u32 rate;   /* packets a second, and at once; at least 1 */
	__be32 addr;  /* one of the four addresses, as it came and as it goes on */
	__be16 port;  /* likewise; of TCP and UDP */
	__u8 drops;   /* only what is dropped */
	__u8 n_slots; /* with any of these: it comes from the port, goes to it, or is the ENI's */
	__u32 slots[PL_TRACE_SLOTS_MAX];
	__u32 tokens; /* the program's own from here on */
	__u64 filled; /* when there were tokens last, ns */
	__u64 missed; /* packets that were not told of, by the rate or for want of room */
};

/* What became of a packet. */
struct pl_trace_event {
	__u64 time;		 /* CLOCK_MONOTONIC, ns */
	struct pl_flow4_key key; /* as it arrived; zeros where it was not looked at so far */
	__be32 saddr, daddr;	 /* as it goes on; zeros without an open flow */
	__be16 sport, dport;
	__u32 slot; /* of the port that sent it */
	__u32 eni;  /* slot of the ENI whose flow it is of; 0: none's */
	__u32 peer; /* slot of the port that it goes to, by its flow; PL_SLOT_NONE: none */
	__u32 bytes;
	__u16 reason;
	__u8 tcp_flags;
	__u8 tracers; /* bitmap: whose it is */
	__be16 eth_proto;
	__u8 icmp_type;
	__u8 pad;
};

PL_ASSERT(sizeof(struct pl_tracer) == 80, "pl_tracer");
PL_ASSERT(sizeof(struct pl_trace_event) == 64, "pl_trace_event");
