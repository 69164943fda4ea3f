/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Parts of the data path as programs of their own, for what no single packet can reach: a row that is given
 * to another flow after the packet's program has looked at it for the last but one time.
 */
#include "../../bpf/pl.bpf.c"

#include "parts.h"

SEC("syscall")
int part_tag(struct part_call *call)
{
	struct pl_flow4_key key = call->key;

	call->tag = pl_flow_tag(&key);
	return 0;
}

SEC("syscall")
int part_reset(struct part_call *call)
{
	struct pl_flow4_key key = call->key;
	struct pl_flow4 *flow = pl_flow4_find(&key);

	if (!flow)
		return -ENOENT;
	pl_flow_reset(&key, flow);
	return 0;
}

SEC("syscall")
int part_remove(struct part_call *call)
{
	struct pl_flow4_key key = call->key;
	struct pl_flow4 *flow = pl_flow4_find(&key);

	if (!flow)
		return -ENOENT;
	pl_flow_remove(&key);
	return 0;
}

/* From the port in slot 16, judged already. */
SEC("syscall")
int part_open(struct part_call *call)
{
	struct pl_pkt pkt = {
		.key = call->key, .slot = 16, .vpc = call->key.vpc_proto >> 8, .l4_proto = IPPROTO_TCP};
	struct pl_target target = {
		.addr = bpf_htonl(0x0a00000a),
		.port = bpf_htons(8443),
		.vpc = call->to_vpc,
		.slot = call->to_slot,
		.nat_first = bpf_htonl(0x64400010),
		.nat_count = 1,
	};

	return pl_nat_open(&pkt, &target, 1);
}
