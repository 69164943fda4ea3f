/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Writing a flow's addresses, ports, MACs and checksums into a packet: pl_rewrite4() and nothing else.
 *
 * The quick way writes through packet pointers. It has to know what the L4 checksum field means in this very
 * packet (skb->ip_summed), which only the sk_buff says (pl_offload.h). The other way uses the checksum
 * helpers, which look at ip_summed themselves and cost three times as much.
 */
#pragma once

#include "pl_csum.h"
#include "pl_offload.h"

/* skb->csum of CHECKSUM_COMPLETE covers the IP header and all behind it. What changes inside a header
 * together with that header's own checksum field cancels out; the L4 checksum also answers for the pseudo
 * header's addresses, so the sum moves by their difference the other way. A UDP packet without a checksum
 * moves it by its ports alone. */
static __always_inline void pl_fix_complete(struct __sk_buff *skb, const struct pl_flow4 *flow,
					    bool has_checksum)
{
	if (has_checksum)
		(void)bpf_csum_update(skb, pl_csum_negate(flow->csum_addr));
	else
		(void)bpf_csum_update(skb,
				      pl_csum_fold((__u64)flow->csum_all + pl_csum_negate(flow->csum_addr)));
}

static __always_inline __u16 pl_new_l4_check(__u16 check, const struct pl_flow4 *flow, __u8 summed)
{
	if (summed == PL_CHECKSUM_PARTIAL)
		return pl_csum_fold((__u64)check + flow->csum_addr);
	return pl_csum_update(check, flow->csum_all);
}

static __always_inline void pl_rewrite_ip(struct iphdr *ip, const struct pl_flow4 *flow)
{
	*(pl_word64 *)&ip->saddr = *(const pl_word64 *)&flow->saddr; /* and daddr */
	ip->ttl--;
	ip->check = pl_csum_update(ip->check, flow->csum_addr + PL_CSUM_TTL_LOWERED);
}

static __always_inline void pl_rewrite_tcp_header(struct tcphdr *tcp, const struct pl_flow4 *flow,
						  __u8 summed)
{
	*(pl_word32 *)&tcp->source = *(const pl_word32 *)&flow->sport; /* and dest */
	tcp->check = pl_new_l4_check(tcp->check, flow, summed);
}

/* UDP: a checksum of 0 means that there is none, and stays so; one that comes out as 0 is written as its
 * other form. Whether there is one. */
static __always_inline bool pl_rewrite_udp_header(struct udphdr *udp, const struct pl_flow4 *flow,
						  __u8 summed)
{
	__u16 check = udp->check;

	*(pl_word32 *)&udp->source = *(const pl_word32 *)&flow->sport; /* and dest */
	if (!check)
		return false;
	check = pl_new_l4_check(check, flow, summed);
	udp->check = check ? check : 0xffff;
	return true;
}

static __always_inline int pl_rewrite_tcp(struct __sk_buff *skb, const struct pl_flow4 *flow, __u8 summed)
{
	struct tcphdr *tcp = pl_data(skb, PL_L4_OFFSET + sizeof(*tcp));

	if (!tcp)
		return PL_DROP_SHORT;
	tcp = (void *)tcp + PL_L4_OFFSET;
	pl_rewrite_tcp_header(tcp, flow, summed);
	if (summed == PL_CHECKSUM_COMPLETE)
		pl_fix_complete(skb, flow, true);
	return PL_CONTINUE;
}

static __always_inline int pl_rewrite_udp(struct __sk_buff *skb, const struct pl_flow4 *flow, __u8 summed)
{
	struct udphdr *udp = pl_data(skb, PL_L4_OFFSET + sizeof(*udp));
	bool has_checksum;

	if (!udp)
		return PL_DROP_SHORT;
	udp = (void *)udp + PL_L4_OFFSET;
	has_checksum = pl_rewrite_udp_header(udp, flow, summed);
	if (summed == PL_CHECKSUM_COMPLETE)
		pl_fix_complete(skb, flow, has_checksum);
	return PL_CONTINUE;
}

static __always_inline int pl_rewrite_direct(struct __sk_buff *skb, const struct pl_pkt *pkt,
					     const struct pl_flow4 *flow)
{
	struct iphdr *ip = pl_data(skb, PL_L4_OFFSET);
	__u8 summed = pl_ip_summed(skb);

	if (!ip)
		return PL_DROP_SHORT;
	ip = (void *)ip + PL_IP_OFFSET;
	pl_rewrite_ip(ip, flow);
	if (pkt->l4_proto == IPPROTO_TCP)
		return pl_rewrite_tcp(skb, flow, summed);
	return pl_rewrite_udp(skb, flow, summed);
}

/* The L4 checksum by helpers: first the addresses, which the pseudo header has, then the ports. */
static __always_inline int pl_check_by_helpers(struct __sk_buff *skb, const struct pl_flow4 *flow,
					       __u16 csum_ports, __u32 offset, __u64 flags)
{
	if (bpf_l4_csum_replace(skb, offset, 0, flow->csum_addr, flags | BPF_F_PSEUDO_HDR) ||
	    bpf_l4_csum_replace(skb, offset, 0, csum_ports, flags))
		return PL_DROP_SHORT;
	return PL_CONTINUE;
}

static __always_inline int pl_udp_check_by_helpers(struct __sk_buff *skb, const struct pl_flow4 *flow,
						   __u16 csum_ports)
{
	const struct udphdr *udp = pl_data(skb, PL_L4_OFFSET + sizeof(*udp));

	if (!udp)
		return PL_DROP_SHORT;
	udp = (const void *)udp + PL_L4_OFFSET;
	if (!udp->check) {
		/* nothing answers for the ports; this does something for CHECKSUM_COMPLETE only */
		(void)bpf_csum_update(skb, csum_ports);
		return PL_CONTINUE;
	}
	return pl_check_by_helpers(skb, flow, csum_ports, PL_L4_OFFSET + offsetof(struct udphdr, check),
				   BPF_F_MARK_MANGLED_0);
}

static __always_inline int pl_rewrite_by_helpers(struct __sk_buff *skb, const struct pl_pkt *pkt,
						 const struct pl_flow4 *flow)
{
	struct {
		__be32 saddr, daddr;
	} addrs = {flow->saddr, flow->daddr};
	struct {
		__be16 sport, dport;
	} ports = {flow->sport, flow->dport};
	__u16 csum_ports = pl_csum_fold((__u64)flow->csum_all + pl_csum_negate(flow->csum_addr));
	__u16 csum_ip = pl_csum_fold((__u64)flow->csum_addr + PL_CSUM_TTL_LOWERED);
	__u8 ttl = pkt->ttl - 1;
	int r;

	if (pkt->l4_proto == IPPROTO_TCP)
		r = pl_check_by_helpers(skb, flow, csum_ports, PL_L4_OFFSET + offsetof(struct tcphdr, check),
					0);
	else
		r = pl_udp_check_by_helpers(skb, flow, csum_ports);
	if (r)
		return r;
	if (bpf_l3_csum_replace(skb, PL_IP_OFFSET + offsetof(struct iphdr, check), 0, csum_ip, 0) ||
	    bpf_skb_store_bytes(skb, PL_IP_OFFSET + offsetof(struct iphdr, ttl), &ttl, sizeof(ttl), 0) ||
	    bpf_skb_store_bytes(skb, PL_IP_OFFSET + offsetof(struct iphdr, saddr), &addrs, sizeof(addrs),
				0) ||
	    bpf_skb_store_bytes(skb, PL_L4_OFFSET, &ports, sizeof(ports), 0))
		return PL_DROP_SHORT;
	return PL_CONTINUE;
}

static __always_inline int pl_rewrite_macs(struct __sk_buff *skb, const struct pl_flow4 *flow)
{
	struct ethhdr *eth = pl_data(skb, sizeof(*eth));

	if (!eth)
		return PL_DROP_SHORT;
	pl_macs_copy(eth, flow->dst_mac);
	return PL_CONTINUE;
}

/* Applies an entry to the packet that found it. A translated packet's time to live is lowered with it. What
 * pl_data() gave before is void afterwards. */
static __always_inline int pl_rewrite4(struct __sk_buff *skb, const struct pl_pkt *pkt,
				       const struct pl_flow4 *flow)
{
	int r = PL_CONTINUE;

	if (flow->kind == PL_FLOW_NAT || flow->kind == PL_FLOW_NAT_BACK) {
		if (PL_SEES_SKB())
			r = pl_rewrite_direct(skb, pkt, flow);
		else
			r = pl_rewrite_by_helpers(skb, pkt, flow);
	}
	if (r)
		return r;
	return pl_rewrite_macs(skb, flow);
}

/* Writes MACs, addresses and time to live into a frame whose L4 header is not the flow's. False: between
 * instances there was nothing but MACs to be written, and is not behind it either. */
static __always_inline bool pl_rewrite_head(void *frame, const struct pl_flow4 *flow)
{
	struct ethhdr *eth = frame;
	struct iphdr *ip = (void *)(eth + 1);

	pl_macs_copy(eth, flow->dst_mac);
	if (pl_flow_is_local(flow))
		return false;
	pl_rewrite_ip(ip, flow);
	return true;
}
