/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Single packets and single flows of the running data path, for somebody who looks: what becomes of packets,
 * as it happens, and which flows are open.
 */
#pragma once

#include "../lib/netaddr.h"
#include "datapath.h"

#define DATAPATH_SLOTS_MAX	12 /* that one may ask for: all ENIs of an endpoint */
#define DATAPATH_TRACERS_MAX	4  /* traces at once */
#define DATAPATH_TRACE_RATE_MAX 10000
#define DATAPATH_FLOWS_SLICE	512 /* rows that are looked at in one go, some 1 ms */

/* What is asked for; zeros do not matter. */
struct datapath_filter {
	uint32_t slots[DATAPATH_SLOTS_MAX]; /* ports, ENIs: any of these has to do with it */
	size_t n_slots;
	struct netaddr addr; /* IPv4, if has_addr: one of the four, on either side of a translation */
	bool has_addr;
	uint16_t port; /* likewise; of TCP and UDP */
	bool drops;    /* of packets: only those that are dropped */
	uint32_t rate; /* of packets: so many a second */
};

/* What a packet carries. The ports of an ICMP echo: its identifier on the asking side, 0 on the other. */
struct datapath_tuple {
	struct netaddr source, destination;
	uint16_t source_port, destination_port;
};

/* ---- packets ---- */

struct datapath_packet {
	int64_t time_us; /* since 1970 */
	const char *reason;
	bool is_drop;
	bool is_ip; /* it was looked at far enough for what follows */
	uint8_t protocol, icmp_type;
	uint8_t tcp_flags;
	uint16_t ethertype;
	struct datapath_tuple came;
	bool has_flow;
	struct datapath_tuple goes; /* has_flow */
	uint32_t vpc;
	uint32_t slot;	   /* of the port that sent it */
	uint32_t eni;	   /* slot of its ENI; 0: it is of none's flow */
	uint32_t receiver; /* has_flow: slot of the port that it goes to; PL_SLOT_NONE: none of this node */
	uint32_t bytes;
	uint32_t tracers; /* bitmap: whose it is */
};
typedef void (*datapath_packet_callback)(void *context, const struct datapath_packet *packet);

struct datapath_trace;

/* Negative errno. */
int datapath_trace_new(struct datapath *datapath, datapath_packet_callback callback, void *context,
		       struct datapath_trace **ret);
struct datapath_trace *datapath_trace_free(struct datapath_trace *trace);
/* Readable when there are packets; for epoll. */
int datapath_trace_fd(const struct datapath_trace *trace);
/* Calls for those that are there. Negative errno. */
int datapath_trace_read(struct datapath_trace *trace);
/* From now on packets that pass the filter are told: the number of the tracer. -EBUSY: there are as many as
 * there can be. */
int datapath_trace_begin(struct datapath_trace *trace, const struct datapath_filter *filter);
void datapath_trace_end(struct datapath_trace *trace, unsigned int tracer);
/* Packets that passed the filter and were not told of, since it began. */
uint64_t datapath_trace_missed(const struct datapath_trace *trace, unsigned int tracer);

/* ---- flows ---- */

struct datapath_flow {
	const char *state; /* new, established, closing */
	bool is_local;	   /* between instances: nothing is translated */
	uint8_t protocol;
	struct datapath_tuple opened; /* as the one sends who opened it */
	struct datapath_tuple served; /* as the other one gets it */
	uint32_t vpc, served_vpc;
	uint32_t client; /* slots: of the port that opened it, PL_SLOT_NONE: unknown; … */
	uint32_t eni;	 /* … of the ENI, 0: none; … */
	uint32_t server; /* … of the port that answers, PL_SLOT_NONE: none of this node */
	uint64_t packets[2], bytes[2];
	uint32_t idle_s; /* since its last packet, in either direction */
};
typedef void (*datapath_flow_callback)(void *context, const struct datapath_flow *flow);

struct datapath_flow_walk;

/* A walk through all open flows, piece by piece. Those that open or end meanwhile may be missed. */
int datapath_flow_walk_new(struct datapath *datapath, const struct datapath_filter *filter,
			   struct datapath_flow_walk **ret);
struct datapath_flow_walk *datapath_flow_walk_free(struct datapath_flow_walk *walk);
/* Looks at DATAPATH_FLOWS_SLICE rows or some more, and calls for each flow that passes. 1: there are more
 * rows; 0: that was all. Negative errno. */
int datapath_flow_walk_step(struct datapath_flow_walk *walk, datapath_flow_callback callback, void *context);

/* ---- tables ---- */

/* Calls for each table with its rows and its room. */
typedef void (*datapath_table_callback)(void *context, const char *name, uint64_t rows, uint64_t max);
void datapath_each_table(const struct datapath *datapath, datapath_table_callback callback, void *context);

/* Calls for each server that a port of this node has: the translated flows that are open to it, as the last
 * sweep has found them, and how many may be to one of its ports. */
typedef void (*datapath_server_callback)(void *context, uint32_t slot, uint64_t flows, uint64_t max);
void datapath_each_server(const struct datapath *datapath, datapath_server_callback callback, void *context);
