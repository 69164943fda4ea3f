/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The largest segment that the two ends of a connection tell each other, in its SYN and the answer to it:
 * never more than fits the MTU of both ports, nor than the listener's Mss. Only packets with a SYN come here.
 */
#pragma once

#include "pl_judge.h"

#define PL_TCP_OPT_END	   0
#define PL_TCP_OPT_NOP	   1
#define PL_TCP_OPT_MSS	   2
#define PL_TCP_OPT_MSS_LEN 4
#define PL_TCP_OPTIONS_MAX 40	   /* bytes, so options */
#define PL_MSS_LOOKS	   6	   /* options of a SYN that are looked at; Linux sends five */
#define PL_MSS_UNTOLD	   0x10000 /* more than any says */

static __always_inline __u32 pl_smaller(__u32 a, __u32 b)
{
	return a < b ? a : b;
}

static __always_inline __u32 pl_larger(__u32 a, __u32 b)
{
	return a > b ? a : b;
}

struct pl_mss_walk {
	struct __sk_buff *skb;
	__u32 at, end; /* of the options, in the frame */
	__u32 bound;
};

/* Lowers the option's value. It can stand across two words of the checksum. */
static __always_inline void pl_mss_lower(const struct pl_mss_walk *walk, __be16 old)
{
	__be16 new = bpf_htons(walk->bound);
	bool is_across = walk->at & 1;

	if (bpf_ntohs(old) <= walk->bound)
		return;
	if (bpf_skb_store_bytes(walk->skb, walk->at + 2, &new, sizeof(new), 0))
		return;
	(void)bpf_l4_csum_replace(walk->skb, PL_L4_OFFSET + offsetof(struct tcphdr, check),
				  is_across ? __builtin_bswap16(old) : old,
				  is_across ? __builtin_bswap16(new) : new, sizeof(new));
}

/* One option; 1 ends the loop. */
static long pl_mss_option(__u32 i, struct pl_mss_walk *walk)
{
	struct {
		__u8 kind, length;
		__be16 value;
	} option;

	/* (Less than four bytes are no MSS.) */
	if (walk->at + PL_TCP_OPT_MSS_LEN > walk->end ||
	    bpf_skb_load_bytes(walk->skb, walk->at, &option, sizeof(option)))
		return 1;
	if (option.kind == PL_TCP_OPT_NOP) {
		walk->at++;
		return 0;
	}
	if (option.kind == PL_TCP_OPT_END || option.length < 2)
		return 1;
	if (option.kind == PL_TCP_OPT_MSS && option.length == PL_TCP_OPT_MSS_LEN)
		pl_mss_lower(walk, option.value);
	walk->at += option.length;
	return 0;
}

/* The most that an option of the SYN says; 0: none says anything. PL_MSS_UNTOLD: that is not seen at a look,
 * since the options do not lie in one piece behind the header, or are too many. */
static __always_inline __u32 pl_mss_told(const struct __sk_buff *skb, __u32 end)
{
	__u32 at = PL_HEADERS_MAX, told = 0;

#pragma clang loop unroll(disable)
	for (int i = 0; i < PL_MSS_LOOKS; i++) {
		const __u8 *option = (const void *)(long)skb->data + at;

		if (at + PL_TCP_OPT_MSS_LEN > end)
			return told;
		if ((void *)option + PL_TCP_OPT_MSS_LEN > (void *)(long)skb->data_end)
			break;
		if (option[0] == PL_TCP_OPT_NOP) {
			at++;
			continue;
		}
		if (option[0] == PL_TCP_OPT_END || option[1] < 2)
			return told;
		if (option[0] == PL_TCP_OPT_MSS && option[1] == PL_TCP_OPT_MSS_LEN)
			told = pl_larger(told, (__u32)option[2] << 8 | option[3]);
		at += option[1];
	}
	return PL_MSS_UNTOLD;
}

/* What an MTU leaves for a segment. */
static __always_inline __u32 pl_mss_of_mtu(__u32 mtu)
{
	__u32 headers = sizeof(struct iphdr) + sizeof(struct tcphdr);

	return mtu > headers ? mtu - headers : 0;
}

static __always_inline __u32 pl_mss_of_port(__u32 slot)
{
	const struct pl_port *port = pl_port_find(slot);
	__u32 mss = port ? pl_mss_of_mtu(port->mtu) : 0;

	return mss ? mss : 0xffff;
}

/* What the listener of an ENI (0: no ENI) at a port wishes; 0xffff: nothing; 0: its row was replaced in this
 * instant. */
static __always_inline __u32 pl_mss_of_listener(__u32 slot, __be16 port)
{
	struct pl_listener_key listener_key = {.port = port, .protocol = IPPROTO_TCP};
	struct pl_listener listener;
	struct pl_eni eni;
	int r = slot ? pl_eni_read(&slot, &eni) : -ENOENT;

	if (r)
		return r == -ENOENT ? 0xffff : 0;
	listener_key.target = eni.target;
	r = pl_listener_read(&listener_key, &listener);
	if (r)
		return r == -ENOENT ? 0xffff : 0;
	return listener.mss ? listener.mss : 0xffff;
}

/* Of a SYN, or its answer, that goes to the port `peer` by an open flow, through an ENI (its slot, or 0) and
 * its listener's port. PL_CONTINUE, or why it may not pass. */
__attribute__((noinline)) int pl_mss_clamp(struct __sk_buff *skb, struct pl_pkt *pkt, __u32 peer, __u32 eni,
					   __u32 listens)
{
	struct pl_mss_walk walk = {.skb = skb, .at = PL_HEADERS_MAX};
	const struct pl_config *config = pl_config_get();
	const __u8 *frame = pl_data(skb, PL_HEADERS_MAX);
	bool asks;
	__u32 told;

	if (!pkt || !config || !frame)
		return 0;
	walk.end = PL_L4_OFFSET + (frame[PL_L4_OFFSET + PL_TCP_SIZE_OFFSET] >> 4) * 4;
	told = pl_mss_told(skb, walk.end);
	asks = eni && !(config->flags & PL_CONFIG_F_NO_MSS);
	if (!asks && told <= pl_mss_of_mtu(config->mtu_low)) /* nearly always: all ports have one MTU */
		return 0;
	walk.bound = pl_smaller(pl_mss_of_port(pkt->slot), pl_mss_of_port(peer));
	if (asks)
		walk.bound = pl_smaller(walk.bound, pl_mss_of_listener(eni, listens));
	if (!walk.bound)
		return PL_DROP_FLOW_TABLE_BUSY;
	if (told > walk.bound)
		bpf_loop(PL_TCP_OPTIONS_MAX, pl_mss_option, &walk, 0);
	return 0;
}
