/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What stands in front of the program under test: gives each run of BPF_PROG_TEST_RUN a packet of its own,
 * whatever the last run has left of its packet, and jumps. So also packets that change, and those that open
 * a flow, can be run a hundred thousand times in one call. The same with an empty program behind it is the
 * zero point.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "wrap_abi.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct wrap_packet);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
} wrap_packets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__type(key, __u32);
	__type(value, __u32);
	__uint(max_entries, 1);
} wrap_program SEC(".maps");

/* The turns; set before a call. */
struct wrap_turns wrap_turns = {.packets = 1, .total = 1};

SEC("tc")
int wrap(struct __sk_buff *skb)
{
	/* The order is scattered, so that neighbours in the flow table are none in time. */
	__u32 turn = (wrap_turns.at++ * WRAP_STRIDE) & (wrap_turns.total - 1);
	__u32 index = wrap_turns.first + (turn & (wrap_turns.packets - 1)), size;
	struct wrap_packet *packet = bpf_map_lookup_elem(&wrap_packets, &index);
	__be16 port = bpf_htons(wrap_turns.port_first + turn / wrap_turns.packets);

	if (!packet)
		return TC_ACT_UNSPEC;
	size = packet->size & (WRAP_PACKET_MAX - 1);
	if (!size)
		return TC_ACT_UNSPEC;
	if (skb->len != size && bpf_skb_change_tail(skb, size, 0))
		return TC_ACT_UNSPEC;
	if (bpf_skb_store_bytes(skb, 0, packet->data, size, 0))
		return TC_ACT_UNSPEC;
	if (packet->vary && bpf_skb_store_bytes(skb, packet->vary, &port, sizeof(port), 0))
		return TC_ACT_UNSPEC;
	skb->cb[0] = packet->slot;
	bpf_tail_call(skb, &wrap_program, 0);
	return TC_ACT_UNSPEC;
}

SEC("tc")
int wrap_empty(struct __sk_buff *skb)
{
	return TC_ACT_SHOT;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
