/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Parts of the data path as programs of their own, for what no single packet can reach: a row that is given
 * to another flow after the packet's program has looked at it for the last but one time.
 */
#include "../../bpf/pl.bpf.c"

#include "parts.h"

/* The call is the frame of a run: no map of another kind than an array or a hash is for a program that may
 * sleep, on 6.1. */
static __always_inline struct part_call *part_call_get(struct __sk_buff *skb)
{
	return pl_data(skb, sizeof(struct part_call));
}

SEC("tc")
int part_tag(struct __sk_buff *skb)
{
	struct part_call *call = part_call_get(skb);
	struct pl_flow4_key key;

	if (!call)
		return -EINVAL;
	key = call->key;
	call->tag = pl_flow_tag(&key);
	return 0;
}

/* A packet with a reset. */
SEC("tc")
int part_reset(struct __sk_buff *skb)
{
	struct part_call *call = part_call_get(skb);
	struct pl_flow4_key key;
	struct pl_flow4 *flow;

	if (!call)
		return -EINVAL;
	key = call->key;
	flow = pl_flow4_find(&key);
	if (flow)
		pl_flow_news(&key, flow, PL_TCP_RST);
	return 0;
}

/* A packet with the server's FIN, the PROXY header's row of which was found before. */
SEC("tc")
int part_tell(struct __sk_buff *skb)
{
	struct part_call *call = part_call_get(skb);
	struct pl_proxy_step step = {0};
	struct pl_flow4_key by;

	if (!call)
		return -EINVAL;
	step.key = call->key;
	step.tag = pl_flow_tag(&step.key);
	by = call->by;
	step.proxied = bpf_map_lookup_elem(&pl_proxied, &by);
	if (!step.proxied)
		return -ENOENT;
	pl_proxy_tell(&step, PL_TOLD_END_BACK);
	return 0;
}

/* The server's FIN, from a packet that has read the row of the PROXY header before another CPU noticed that
 * the header had arrived. */
SEC("tc")
int part_arrived(struct __sk_buff *skb)
{
	struct part_call *call = part_call_get(skb);
	struct pl_proxy_step step = {.state = PL_PROXY_SENT, .flags = PL_TCP_FIN | PL_TCP_ACK};
	struct pl_pkt pkt = {};

	if (!call)
		return -EINVAL;
	step.key = call->key;
	step.tag = pl_flow_tag(&step.key);
	step.proxied = bpf_map_lookup_elem(&pl_proxied, &step.key);
	if (!step.proxied)
		return -ENOENT;
	step.segment = pl_segment_get();
	if (!step.segment)
		return -ENOENT;
	step.ack = step.proxied->first;
	return pl_proxy_from_server(skb, &pkt, &step);
}

SEC("tc")
int part_remove(struct __sk_buff *skb)
{
	struct part_call *call = part_call_get(skb);
	struct pl_flow4_key key;

	if (!call)
		return -EINVAL;
	key = call->key;
	return pl_flow_end(&key, 0);
}

/* From the port in slot 16, judged already. */
SEC("tc")
int part_open(struct __sk_buff *skb)
{
	struct part_call *call = part_call_get(skb);
	struct pl_target target = {
		.port = bpf_htons(8443),
		.nat_first = bpf_htonl(0x64400010),
		.nat_count = 1,
	};
	struct pl_pkt pkt = {.slot = 16, .l4_proto = IPPROTO_TCP};

	if (!call)
		return -EINVAL;
	pkt.key = call->key;
	pkt.vpc = pkt.key.vpc_proto >> 8;
	target.addr = call->to_addr;
	target.vpc = call->to_vpc;
	target.slot = call->to_slot;
	return pl_nat_open(&pkt, &target, 1);
}

/* An attempt to open a flow of the ENI in the slot is over. */
SEC("tc")
int part_refuse(struct __sk_buff *skb)
{
	struct part_call *call = part_call_get(skb);
	struct pl_pkt pkt = {.slot = 16, .l4_proto = IPPROTO_TCP, .opens = 1};

	if (!call)
		return -EINVAL;
	pkt.key = call->key;
	pkt.tally.slot = call->to_slot;
	return pl_exit(skb, &pkt, call->reason);
}
