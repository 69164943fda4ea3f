/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Telling user space of single packets, while somebody has asked for it (pl_verdict.h looks whether). An
 * asker gets a number of packets a second and hears how many more there were; if nobody reads, the buffer is
 * full, and the packets go on as always.
 *
 * None of these maps is pinned: what an agent has asked for ends with its program.
 */
#pragma once

#include "pl_abi_trace.h"
#include "pl_flow.h"

#define PL_NS_PER_S 1000000000ull

/* Events, in their order. Written here, read by the agent. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, PL_TRACE_BUFFER_SIZE);
} pl_trace SEC(".maps");

/* Who asks. A row is written before its bit of pl_trace_on is set. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct pl_tracer);
	__uint(max_entries, PL_TRACERS_MAX);
} pl_tracers SEC(".maps");

static __always_inline bool pl_trace_has_slot(const struct pl_tracer *tracer,
					      const struct pl_trace_event *event)
{
	if (!tracer->n_slots)
		return true;
#pragma unroll
	for (int i = 0; i < PL_TRACE_SLOTS_MAX; i++) {
		__u32 slot = tracer->slots[i];

		if (i < tracer->n_slots && (slot == event->slot || slot == event->eni || slot == event->peer))
			return true;
	}
	return false;
}

static __always_inline bool pl_trace_has_addr(__be32 addr, const struct pl_trace_event *event)
{
	return !addr || addr == event->key.saddr || addr == event->key.daddr || addr == event->saddr ||
	       addr == event->daddr;
}

static __always_inline bool pl_trace_has_port(__be16 port, const struct pl_trace_event *event)
{
	if (!port)
		return true;
	if (pl_flow4_protocol(&event->key) == IPPROTO_ICMP)
		return false;
	return port == event->key.sport || port == event->key.dport || port == event->sport ||
	       port == event->dport;
}

/* Two CPUs may take the same token: then one more is told of than was asked for. */
static __always_inline bool pl_trace_take(struct pl_tracer *tracer, __u64 now)
{
	__u64 since = now - tracer->filled, more;

	if (since > PL_NS_PER_S)
		since = PL_NS_PER_S;
	more = since * tracer->rate / PL_NS_PER_S;
	if (more) {
		more += tracer->tokens;
		tracer->tokens = more < tracer->rate ? more : tracer->rate;
		tracer->filled = now;
	}
	if (tracer->tokens) {
		tracer->tokens--;
		return true;
	}
	__sync_fetch_and_add(&tracer->missed, 1);
	return false;
}

/* Of its own to the verifier, for each asker. */
__attribute__((noinline)) int pl_trace_wants(__u32 index, const struct pl_trace_event *event)
{
	struct pl_tracer *tracer = bpf_map_lookup_elem(&pl_tracers, &index);

	if (!tracer || !event)
		return 0;
	if (tracer->drops && !PL_REASON_IS_DROP(event->reason))
		return 0;
	if (!pl_trace_has_addr(tracer->addr, event) || !pl_trace_has_port(tracer->port, event) ||
	    !pl_trace_has_slot(tracer, event))
		return 0;
	return pl_trace_take(tracer, event->time);
}

/* There was no room for an event of theirs. */
static __always_inline void pl_trace_lost(__u8 tracers)
{
	for (__u32 i = 0; i < PL_TRACERS_MAX; i++) {
		__u32 index = i;
		struct pl_tracer *tracer = bpf_map_lookup_elem(&pl_tracers, &index);

		if (tracer && tracers & 1u << i)
			__sync_fetch_and_add(&tracer->missed, 1);
	}
}

/* What the packet's flow says of it. It may be gone, or be another's: then nothing is said. */
static __always_inline void pl_trace_add_flow(struct pl_trace_event *event)
{
	struct pl_flow4_key key = event->key;
	const struct pl_flow4 *flow = pl_flow4_find(&key);
	struct pl_flow4 read;

	if (!flow)
		return;
	read.saddr = flow->saddr;
	read.daddr = flow->daddr;
	read.sport = flow->sport;
	read.dport = flow->dport;
	read.kind = flow->kind;
	read.slot = flow->slot;
	read.peer = flow->peer;
	if (!pl_flow_is_still(flow, &key))
		return;
	event->saddr = read.saddr;
	event->daddr = read.daddr;
	event->sport = read.sport;
	event->dport = read.dport;
	event->eni = pl_flow_eni(&read);
	event->peer = read.peer;
}

/* A packet leaves under the reason, and somebody has asked for such. */
__attribute__((noinline)) int pl_trace_packet(const struct pl_pkt *pkt, int reason, __u32 bytes)
{
	struct pl_trace_event event = {.peer = PL_SLOT_NONE};
	__u32 on = pl_trace_on;

	if (!pkt)
		return 0;
	event.time = bpf_ktime_get_ns();
	event.key = pkt->key;
	event.slot = pkt->slot;
	event.eni = pkt->tally.slot & PL_TALLY_SLOT;
	event.bytes = bytes;
	event.reason = reason;
	event.tcp_flags = pkt->tcp_flags;
	event.icmp_type = pkt->icmp_type;
	event.eth_proto = pkt->eth_proto;
	pl_trace_add_flow(&event);
#pragma unroll
	for (__u32 i = 0; i < PL_TRACERS_MAX; i++)
		if (on & 1u << i && pl_trace_wants(i, &event))
			event.tracers |= 1u << i;
	if (event.tracers && bpf_ringbuf_output(&pl_trace, &event, sizeof(event), 0))
		pl_trace_lost(event.tracers);
	return 0;
}
