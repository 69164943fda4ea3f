/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * ICMP errors that the data path itself makes: a packet that is dropped becomes an error about itself, to its
 * sender. It is built around the packet: 28 bytes of headers are put in front of its own IP header, and what
 * is behind its L4 header is cut off. So the quote stands where it stood, and nothing is copied.
 *
 * A checksum that the packet left to others (CHECKSUM_PARTIAL) moves along, and is now one inside the quote.
 * Nobody asks for it there; but a device that makes it all the same must not spoil the ICMP checksum. Made,
 * the bytes that it is made over sum up to "nothing"; so that is what they count for.
 */
#pragma once

#include "pl_local.h"
#include "pl_offload.h"

#define PL_NS_PER_S	  1000000000ull
#define PL_ICMP_INTERVAL  (PL_NS_PER_S / PL_ICMP_PER_S)
#define PL_ICMP_BURST_NS  ((PL_ICMP_BURST - 1) * PL_ICMP_INTERVAL)
#define PL_ICMP_HEAD_SIZE (sizeof(struct iphdr) + sizeof(struct pl_icmp))
#define PL_QUOTE_OFFSET	  (PL_L4_OFFSET + sizeof(struct pl_icmp)) /* of the packet in an error */
#define PL_QUOTE_L4	  (PL_QUOTE_OFFSET + sizeof(struct iphdr))

/* Takes one of the errors that a port may cause now, or false. Two CPUs at once: one of them goes without.
 * The clock is that of the last tick: exact enough for 10 ms, and it reads no hardware. */
static __always_inline bool pl_icmp_take(__u32 slot)
{
	__u64 *due = bpf_map_lookup_elem(&pl_icmp_rates, &slot), now = bpf_ktime_get_coarse_ns(), old, next;

	if (!due)
		return false;
	old = *(volatile __u64 *)due;
	next = old > now ? old : now;
	if (next - now > PL_ICMP_BURST_NS)
		return false;
	return __sync_val_compare_and_swap(due, old, next + PL_ICMP_INTERVAL) == old;
}

/* Whether there may be an error about a packet at all (RFC 1122, 3.2.2): not about an error, not about what
 * is not the first fragment, not to or about an address that is no single host's. */
static __always_inline bool pl_icmp_may_tell(const struct iphdr *ip, const struct pl_port *port,
					     const struct pl_config *config)
{
	const struct pl_icmp *icmp = (const void *)(ip + 1);

	if (ip->frag_off & bpf_htons(PL_IP_OFFSET_MASK))
		return false;
	if (ip->protocol == IPPROTO_ICMP && icmp->type != ICMP_ECHO && icmp->type != ICMP_ECHOREPLY)
		return false;
	if (pl_addr_is_nobody(ip->daddr))
		return false;
	return ip->saddr == pl_addr_v4(&port->addr) ||
	       ((port->flags & PL_PORT_F_SERVICE) && ip->saddr == config->dns_addr);
}

/* The sum over what is quoted: the IP header and l4_size bytes behind it. (In pieces of sizes that the
 * verifier sees.) */
static __always_inline bool pl_icmp_quote_sum(struct __sk_buff *skb, __u32 l4_size, __u64 *ret)
{
	__u8 summed = PL_SEES_SKB() ? pl_ip_summed(skb) : pl_ip_summed_by_helpers(skb);
	void *data = pl_data(skb, PL_QUOTE_L4 + sizeof(struct udphdr));

	if (!data)
		return false;
	*ret = (__u32)bpf_csum_diff(NULL, 0, data + PL_QUOTE_OFFSET, sizeof(struct iphdr), 0);
	if (summed == PL_CHECKSUM_PARTIAL)
		return true;
	*ret += (__u32)bpf_csum_diff(NULL, 0, data + PL_QUOTE_L4, sizeof(struct udphdr), 0);
	if (l4_size == sizeof(struct udphdr))
		return true;
	data = pl_data(skb, PL_QUOTE_L4 + sizeof(struct tcphdr));
	if (!data)
		return false;
	*ret += (__u32)bpf_csum_diff(NULL, 0, data + PL_QUOTE_L4 + sizeof(struct udphdr),
				     sizeof(struct tcphdr) - sizeof(struct udphdr), 0);
	return true;
}

/*
 * Turns a packet that was just dropped, and is still as its port sent it, into an ICMP error about itself.
 * The error goes to the sender, from the address that the packet was for. `rest` is the second word of the
 * ICMP header, big endian (the MTU, where there is one). 1: the packet is to be sent, by pl_send(); 0: it is
 * none to tell of, or its port has caused too many, and the packet is to be dropped. Packet pointers are void
 * afterwards.
 */
__attribute__((noinline)) int pl_icmp_error(struct __sk_buff *skb, struct pl_pkt *pkt, __u8 type, __u8 code,
					    __be32 rest)
{
	const struct pl_config *config = pl_config_get();
	struct {
		struct iphdr ip;
		struct pl_icmp icmp;
	} head = {
		.ip = {.version = 4,
		       .ihl = 5,
		       .frag_off = bpf_htons(PL_IP_DF),
		       .ttl = 64,
		       .protocol = IPPROTO_ICMP},
		.icmp = {.type = type, .code = code, .rest = rest},
	};
	__u32 l4_size = sizeof(struct udphdr);
	const struct pl_port *port;
	struct ethhdr *eth;
	struct iphdr *ip;
	__u64 sum;

	if (!pkt || !config)
		return 0;
	if (pkt->l4_proto == IPPROTO_TCP)
		l4_size = sizeof(struct tcphdr);
	port = pl_port_find(pkt->slot);
	ip = pl_data(skb, PL_L4_OFFSET + sizeof(struct pl_icmp));
	if (!port || !ip)
		return 0;
	ip = (void *)ip + PL_IP_OFFSET;
	if (!pl_icmp_may_tell(ip, port, config) || !pl_icmp_take(pkt->slot))
		return 0;
	head.ip.saddr = ip->daddr;
	head.ip.daddr = ip->saddr;
	head.ip.tot_len = bpf_htons(PL_ICMP_HEAD_SIZE + sizeof(*ip) + l4_size);
	head.ip.check = ~pl_csum_fold((__u32)bpf_csum_diff(NULL, 0, (__be32 *)&head.ip, sizeof(head.ip), 0));

	if (bpf_skb_change_tail(skb, PL_L4_OFFSET + l4_size, 0) ||
	    bpf_skb_adjust_room(skb, PL_ICMP_HEAD_SIZE, BPF_ADJ_ROOM_MAC, 0))
		return 0;
	if (!pl_icmp_quote_sum(skb, l4_size, &sum))
		return 0;
	sum += (__u32)bpf_csum_diff(NULL, 0, (__be32 *)&head.icmp, sizeof(head.icmp), 0);
	head.icmp.check = ~pl_csum_fold(sum);
	if (bpf_skb_store_bytes(skb, PL_IP_OFFSET, &head, sizeof(head), BPF_F_RECOMPUTE_CSUM))
		return 0;
	eth = pl_data(skb, sizeof(*eth));
	if (!eth)
		return 0;
	pl_mac_copy(eth->h_dest, port->mac);
	pl_mac_copy(eth->h_source, config->gateway_mac);
	pl_send_back(pkt, port);
	return 1;
}
