/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * From bytes to struct pl_pkt, and the source guard. What a tenant sends is hostile: every header is checked
 * against the data that is there, and what is not plain Ethernet with ARP or with IPv4 and TCP, UDP or ICMP
 * echo has a named reason to be dropped.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>

#include "pl_verdict.h"

/* TCP flags as they stand in the fourteenth byte of the header. */
#define PL_TCP_FIN	    0x01
#define PL_TCP_SYN	    0x02
#define PL_TCP_RST	    0x04
#define PL_TCP_ACK	    0x10
#define PL_TCP_FLAGS_OFFSET 13

#define PL_IP_OFFSET   sizeof(struct ethhdr)
#define PL_L4_OFFSET   (sizeof(struct ethhdr) + sizeof(struct iphdr))
#define PL_HEADERS_MAX (PL_L4_OFFSET + sizeof(struct tcphdr))
#define PL_IP_PLAIN    0x45   /* version 4, no options; any other first byte has options, or is not IPv4 */
#define PL_IP_FRAGMENT 0x3fff /* more fragments, or an offset */

/* The kernel's headers of ARP and ICMP pull in the C library's socket headers, so their bits stand here. */
#define ARPHRD_ETHER   1
#define ARPOP_REQUEST  1
#define ARPOP_REPLY    2
#define ICMP_ECHOREPLY 0
#define ICMP_ECHO      8

struct pl_arp { /* for IPv4 over Ethernet */
	__be16 hardware, protocol;
	__u8 hardware_size, protocol_size;
	__be16 operation;
	__u8 sender_mac[ETH_ALEN];
	__be32 sender;
	__u8 target_mac[ETH_ALEN];
	__be32 target;
} __attribute__((packed));

struct pl_icmp { /* echo request and reply */
	__u8 type, code;
	__u16 check;
	__be16 id, sequence;
};

static __always_inline __be32 pl_addr_v4(const struct pl_addr *addr)
{
	return addr->w[3];
}

static __always_inline bool pl_mac_equal(const __u8 *a, const __u8 *b)
{
	return *(const __u32 *)a == *(const __u32 *)b && *(const __u16 *)(a + 4) == *(const __u16 *)(b + 4);
}

static __always_inline bool pl_mac_is_broadcast(const __u8 *mac)
{
	return *(const __u32 *)mac == 0xffffffff && *(const __u16 *)(mac + 4) == 0xffff;
}

/* Where the first `size` bytes start, or NULL where the packet is shorter. To be called again after anything
 * that may move the data: bpf_skb_pull_data(), bpf_skb_store_bytes(), bpf_l3_csum_replace(),
 * bpf_l4_csum_replace(). */
static __always_inline void *pl_data(const struct __sk_buff *skb, __u32 size)
{
	void *data = (void *)(long)skb->data;

	if (data + size > (void *)(long)skb->data_end)
		return NULL;
	return data;
}

/* Makes all headers that the packet can have readable in one piece. Seldom needed: senders put them there. */
static __always_inline void pl_pull_headers(struct __sk_buff *skb)
{
	__u32 linear = skb->data_end - skb->data, want = PL_HEADERS_MAX;

	if (skb->len < want)
		want = skb->len;
	if (linear < want)
		(void)bpf_skb_pull_data(skb, want);
}

/* ICMP echo as a flow: the identifier is the port of the asking side. A request from B and a reply to A with
 * the same identifier are thus different packets to the flow table (but for the identifier 0, see
 * pl_echo_is_astray()). */
static __always_inline int pl_parse_icmp(const struct __sk_buff *skb, struct pl_pkt *pkt)
{
	const struct pl_icmp *icmp = pl_data(skb, PL_L4_OFFSET + sizeof(*icmp));

	if (!icmp)
		return PL_DROP_SHORT;
	icmp = (const void *)icmp + PL_L4_OFFSET;
	pkt->icmp_type = icmp->type;
	pkt->l4_len = sizeof(*icmp);
	if (icmp->type == ICMP_ECHO)
		pkt->key.sport = icmp->id;
	else if (icmp->type == ICMP_ECHOREPLY)
		pkt->key.dport = icmp->id;
	else
		return PL_DROP_ICMP_TYPE;
	return icmp->code ? PL_DROP_ICMP_TYPE : PL_CONTINUE;
}

static __always_inline int pl_parse_udp(const struct __sk_buff *skb, struct pl_pkt *pkt)
{
	const struct udphdr *udp = pl_data(skb, PL_L4_OFFSET + sizeof(*udp));

	if (!udp)
		return PL_DROP_SHORT;
	udp = (const void *)udp + PL_L4_OFFSET;
	pkt->key.sport = udp->source;
	pkt->key.dport = udp->dest;
	pkt->l4_len = sizeof(*udp);
	return PL_CONTINUE;
}

static __always_inline int pl_parse_tcp(const struct __sk_buff *skb, struct pl_pkt *pkt)
{
	const struct tcphdr *tcp = pl_data(skb, PL_L4_OFFSET + sizeof(*tcp));

	if (!tcp)
		return PL_DROP_SHORT;
	tcp = (const void *)tcp + PL_L4_OFFSET;
	pkt->key.sport = tcp->source;
	pkt->key.dport = tcp->dest;
	pkt->tcp_flags = ((const __u8 *)tcp)[PL_TCP_FLAGS_OFFSET];
	pkt->l4_len = sizeof(*tcp);
	return PL_CONTINUE;
}

static __always_inline int pl_parse_l4(const struct __sk_buff *skb, struct pl_pkt *pkt)
{
	switch (pkt->l4_proto) {
	case IPPROTO_TCP:
		return pl_parse_tcp(skb, pkt);
	case IPPROTO_UDP:
		return pl_parse_udp(skb, pkt);
	case IPPROTO_ICMP:
		return pl_parse_icmp(skb, pkt);
	default:
		return PL_DROP_PROTOCOL;
	}
}

/* A total length of 0 is what the kernel writes for more than 64 KB (BIG TCP); such a packet is GSO. */
static __always_inline bool pl_ip_length_fits(const struct __sk_buff *skb, __be16 tot_len, __u32 l4_len)
{
	__u32 length = bpf_ntohs(tot_len);

	if (!length)
		return skb->gso_size;
	return length >= sizeof(struct iphdr) + l4_len && length <= skb->len - PL_IP_OFFSET;
}

/* IPv4 and L4 into pkt->key. The key's VPC is the port's. */
static __always_inline int pl_parse_ip4(const struct __sk_buff *skb, struct pl_pkt *pkt)
{
	const struct iphdr *ip = pl_data(skb, PL_L4_OFFSET);
	__be16 tot_len;
	int r;

	if (!ip)
		return PL_DROP_SHORT;
	ip = (const void *)ip + PL_IP_OFFSET;
	if (*(const __u8 *)ip != PL_IP_PLAIN)
		return ip->version == 4 && ip->ihl > 5 ? PL_DROP_OPTIONS : PL_DROP_SHORT;
	if (ip->frag_off & bpf_htons(PL_IP_FRAGMENT))
		return PL_DROP_FRAGMENT;
	tot_len = ip->tot_len;
	pkt->key.saddr = ip->saddr;
	pkt->key.daddr = ip->daddr;
	pkt->l4_proto = ip->protocol;
	pkt->key.vpc_proto = pkt->vpc << 8 | PL_SIDE_OUT | pkt->l4_proto;
	r = pl_parse_l4(skb, pkt);
	if (r)
		return r;
	return pl_ip_length_fits(skb, tot_len, pkt->l4_len) ? PL_CONTINUE : PL_DROP_SHORT;
}

/* The frame is from the port's own MAC, and for the gateway; a broadcast only where it asks for an address.
 */
static __always_inline int pl_guard_frame(const struct __sk_buff *skb, struct pl_pkt *pkt,
					  const struct pl_port *port, const struct pl_config *config)
{
	const struct ethhdr *eth = pl_data(skb, sizeof(*eth));

	if (!eth)
		return PL_DROP_SHORT;
	pkt->eth_proto = eth->h_proto;
	if (!pl_mac_equal(eth->h_source, port->mac))
		return PL_DROP_BAD_MAC;
	if (skb->vlan_present)
		return PL_DROP_ETHERTYPE;
	if (eth->h_proto == bpf_htons(ETH_P_IPV6))
		return PL_DROP_IPV6;
	if (eth->h_proto != bpf_htons(ETH_P_IP) && eth->h_proto != bpf_htons(ETH_P_ARP))
		return PL_DROP_ETHERTYPE;
	if (pl_mac_equal(eth->h_dest, config->gateway_mac))
		return PL_CONTINUE;
	if (eth->h_proto == bpf_htons(ETH_P_ARP) && pl_mac_is_broadcast(eth->h_dest))
		return PL_CONTINUE;
	return PL_DROP_NOT_GATEWAY;
}

/* The address is the port's own; the service port speaks for the DNS socket, too. To itself nothing sends
 * honestly. */
static __always_inline int pl_guard_source(const struct pl_pkt *pkt, const struct pl_port *port,
					   const struct pl_config *config)
{
	if (pkt->key.saddr == pkt->key.daddr)
		return PL_DROP_BAD_SOURCE;
	if (pkt->key.saddr == pl_addr_v4(&port->addr))
		return PL_CONTINUE;
	if ((port->flags & PL_PORT_F_SERVICE) && pkt->key.saddr == config->dns_addr)
		return PL_CONTINUE;
	return PL_DROP_BAD_SOURCE;
}
