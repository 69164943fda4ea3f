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

/* TCP flags as they stand in the fourteenth byte of the header, and the byte before, with its size. */
#define PL_TCP_FIN	    0x01
#define PL_TCP_SYN	    0x02
#define PL_TCP_RST	    0x04
#define PL_TCP_ACK	    0x10
#define PL_TCP_FLAGS_OFFSET 13
#define PL_TCP_SIZE_OFFSET  12

#define PL_IP_OFFSET	  sizeof(struct ethhdr)
#define PL_L4_OFFSET	  (sizeof(struct ethhdr) + sizeof(struct iphdr))
#define PL_HEADERS_MAX	  (PL_L4_OFFSET + sizeof(struct tcphdr))
#define PL_IP_PLAIN	  0x45	 /* version 4, no options; any other first byte has options, or is not IPv4 */
#define PL_IP_FRAGMENT	  0x3fff /* more fragments, or an offset */
#define PL_IP_OFFSET_MASK 0x1fff
#define PL_IP_DF	  0x4000
#define PL_IP_MF	  0x2000
#define PL_IP_SIZE_MAX	  65535

/* The kernel's headers of ARP and ICMP pull in the C library's socket headers, so their bits stand here. */
#define ARPHRD_ETHER	       1
#define ARPOP_REQUEST	       1
#define ARPOP_REPLY	       2
#define ICMP_ECHOREPLY	       0
#define ICMP_DEST_UNREACH      3
#define ICMP_FRAG_NEEDED       4 /* a code of that */
#define ICMP_ECHO	       8
#define ICMP_TIME_EXCEEDED     11
#define ICMP_HOST_UNREACH      1
#define ICMP_PORT_UNREACH      3
#define ICMP_PKT_FILTERED      13
#define ICMP_PARAMETER_PROBLEM 12

/* Which way nearly all packets go: that is laid out in one piece, without a jump. */
#define pl_likely(condition) __builtin_expect(!!(condition), 1)

/* For several fields at once. (The compiler takes a structure's fields one by one, and packed ones byte by
 * byte.) */
typedef __u16 __attribute__((may_alias)) pl_word16;
typedef __u32 __attribute__((may_alias)) pl_word32;
typedef __u64 __attribute__((may_alias)) pl_word64;

struct pl_arp { /* for IPv4 over Ethernet */
	__be16 hardware, protocol;
	__u8 hardware_size, protocol_size;
	__be16 operation;
	__u8 sender_mac[ETH_ALEN];
	__be32 sender;
	__u8 target_mac[ETH_ALEN];
	__be32 target;
} __attribute__((packed));

struct pl_icmp {
	__u8 type, code;
	__u16 check;
	union {
		struct { /* echo request and reply */
			__be16 id, sequence;
		};
		__be32 rest; /* errors; the packet that they are about follows */
	};
};

static __always_inline __be32 pl_addr_v4(const struct pl_addr *addr)
{
	return addr->w[3];
}

/* Whether an address can be no single host's: 0.0.0.0/8, 127.0.0.0/8, multicast, reserved and broadcast. */
static __always_inline bool pl_addr_is_nobody(__be32 addr)
{
	__u8 first = bpf_ntohl(addr) >> 24;

	return first == 0 || first == 127 || first >= 224;
}

static __always_inline bool pl_mac_equal(const __u8 *a, const __u8 *b)
{
	return *(const __u32 *)a == *(const __u32 *)b && *(const __u16 *)(a + 4) == *(const __u16 *)(b + 4);
}

/* The same of MACs behind which two more bytes can be read: one comparison. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define PL_MAC_BITS(word) ((word) << 16)
#else
#define PL_MAC_BITS(word) ((word) >> 16)
#endif
static __always_inline bool pl_mac_equal_wide(const void *a, const void *b)
{
	return !PL_MAC_BITS(*(const pl_word64 *)a ^ *(const pl_word64 *)b);
}

static __always_inline void pl_mac_copy(void *to, const void *mac)
{
	*(pl_word32 *)to = *(const pl_word32 *)mac;
	*(pl_word16 *)(to + sizeof(pl_word32)) = *(const pl_word16 *)(mac + sizeof(pl_word32));
}

/* Writes two MACs that lie next to each other over two others: in a frame, destination and source. */
static __always_inline void pl_macs_copy(void *to, const void *macs)
{
	*(pl_word64 *)to = *(const pl_word64 *)macs;
	*(pl_word32 *)(to + sizeof(pl_word64)) = *(const pl_word32 *)(macs + sizeof(pl_word64));
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

/* Makes what there is of the first bytes readable in one piece. Seldom needed: senders put headers there. */
static __always_inline void pl_pull(struct __sk_buff *skb, __u32 want)
{
	__u32 linear = skb->data_end - skb->data;

	if (linear >= want)
		return;
	if (skb->len < want)
		want = skb->len;
	if (linear < want)
		(void)bpf_skb_pull_data(skb, want);
}

/* An error quotes the packet that it is about: its IP header and 8 bytes more, at the least. */
static __always_inline int pl_parse_icmp_error(struct pl_pkt *pkt, __u32 l4_size)
{
	if (pkt->icmp_type != ICMP_DEST_UNREACH && pkt->icmp_type != ICMP_TIME_EXCEEDED &&
	    pkt->icmp_type != ICMP_PARAMETER_PROBLEM)
		return PL_DROP_ICMP_TYPE;
	if (l4_size < sizeof(struct pl_icmp) + sizeof(struct iphdr) + 8)
		return PL_DROP_ICMP_QUOTE;
	pkt->rare = PL_RARE_ICMP_ERROR;
	return PL_CONTINUE;
}

/* Both ports, as they lie in an L4 header, into a key that has all else. In one piece, as the addresses are:
 * the key is looked up soon, by the word, and what was just written piece by piece makes the processor wait.
 */
static __always_inline void pl_key_set_ports(struct pl_flow4_key *key, __u32 ports)
{
	const struct {
		__u32 ports, vpc_proto;
	} words = {ports, key->vpc_proto};

	*(pl_word64 *)&key->sport = *(const pl_word64 *)&words;
}

/* ICMP echo as a flow: the identifier is the port of the asking side. A request from B and a reply to A with
 * the same identifier are thus different packets to the flow table (but for the identifier 0, see
 * pl_echo_is_astray()). */
static __always_inline int pl_parse_icmp(const struct __sk_buff *skb, struct pl_pkt *pkt, __u32 l4_size)
{
	const struct pl_icmp *icmp = pl_data(skb, PL_L4_OFFSET + sizeof(*icmp));

	if (!icmp)
		return PL_DROP_SHORT;
	icmp = (const void *)icmp + PL_L4_OFFSET;
	if (l4_size < sizeof(*icmp))
		return PL_DROP_BAD_LENGTH;
	pkt->icmp_type = icmp->type;
	if (icmp->type == ICMP_ECHO)
		pl_key_set_ports(&pkt->key, bpf_htonl((__u32)bpf_ntohs(icmp->id) << 16));
	else if (icmp->type == ICMP_ECHOREPLY)
		pl_key_set_ports(&pkt->key, bpf_htonl(bpf_ntohs(icmp->id)));
	else
		return pl_parse_icmp_error(pkt, l4_size);
	return icmp->code ? PL_DROP_ICMP_TYPE : PL_CONTINUE;
}

/* Whether a datagram's own length is that of what carries it. One that is yet to be cut into several may say
 * less. */
static __always_inline bool pl_udp_length_fits(const struct __sk_buff *skb, __u32 length, __u32 l4_size)
{
	if (length == l4_size)
		return true;
	return skb->gso_size && length >= sizeof(struct udphdr) && length < l4_size;
}

static __always_inline int pl_parse_udp(const struct __sk_buff *skb, struct pl_pkt *pkt, __u32 l4_size)
{
	const struct udphdr *udp = pl_data(skb, PL_L4_OFFSET + sizeof(*udp));

	if (!udp)
		return PL_DROP_SHORT;
	udp = (const void *)udp + PL_L4_OFFSET;
	if (l4_size < sizeof(*udp))
		return PL_DROP_BAD_LENGTH;
	pl_key_set_ports(&pkt->key, *(const pl_word32 *)&udp->source); /* and dest */
	return pl_udp_length_fits(skb, bpf_ntohs(udp->len), l4_size) ? PL_CONTINUE : PL_DROP_BAD_UDP_LENGTH;
}

/* A SYN neither ends nor resets, and what is no SYN does one of the other things. */
static __always_inline bool pl_tcp_flags_make_sense(__u8 flags)
{
	if ((flags & (PL_TCP_SYN | PL_TCP_ACK | PL_TCP_FIN | PL_TCP_RST)) == PL_TCP_ACK) /* nearly all */
		return true;
	if (flags & PL_TCP_SYN)
		return !(flags & (PL_TCP_FIN | PL_TCP_RST));
	return flags & (PL_TCP_ACK | PL_TCP_FIN | PL_TCP_RST);
}

static __always_inline int pl_parse_tcp(const struct __sk_buff *skb, struct pl_pkt *pkt, __u32 l4_size)
{
	const struct tcphdr *tcp = pl_data(skb, PL_L4_OFFSET + sizeof(*tcp));
	__u32 size;

	if (!tcp)
		return PL_DROP_SHORT;
	tcp = (const void *)tcp + PL_L4_OFFSET;
	if (l4_size < sizeof(*tcp))
		return PL_DROP_BAD_LENGTH;
	pl_key_set_ports(&pkt->key, *(const pl_word32 *)&tcp->source); /* and dest */
	pkt->tcp_flags = ((const __u8 *)tcp)[PL_TCP_FLAGS_OFFSET];
	size = ((const __u8 *)tcp)[PL_TCP_SIZE_OFFSET] >> 4 << 2;
	if (size < sizeof(*tcp) || size > l4_size)
		return PL_DROP_BAD_TCP_OFFSET;
	return pl_tcp_flags_make_sense(pkt->tcp_flags) ? PL_CONTINUE : PL_DROP_BAD_TCP_FLAGS;
}

/* l4_size: of the L4 header and all behind it. */
static __always_inline int pl_parse_l4(const struct __sk_buff *skb, struct pl_pkt *pkt, __u32 l4_size)
{
	if (pl_likely(pkt->l4_proto == IPPROTO_TCP))
		return pl_parse_tcp(skb, pkt, l4_size);
	switch (pkt->l4_proto) {
	case IPPROTO_UDP:
		return pl_parse_udp(skb, pkt, l4_size);
	case IPPROTO_ICMP:
		return pl_parse_icmp(skb, pkt, l4_size);
	default:
		return PL_DROP_PROTOCOL;
	}
}

/* The first fragment of a datagram: more follow, so it ends short of what its headers say. */
static __always_inline int pl_parse_first_fragment(const struct __sk_buff *skb, struct pl_pkt *pkt,
						   __u32 l4_size)
{
	const struct udphdr *udp = pl_data(skb, PL_L4_OFFSET + sizeof(*udp));
	int r;

	if (!udp)
		return PL_DROP_SHORT;
	udp = (const void *)udp + PL_L4_OFFSET;
	if (pkt->l4_proto == IPPROTO_ICMP) {
		r = pl_parse_icmp(skb, pkt, l4_size);
		if (r || pkt->rare)
			return r ? r : PL_DROP_BAD_FRAGMENT;
	} else {
		pkt->key.sport = udp->source;
		pkt->key.dport = udp->dest;
		if (bpf_ntohs(udp->len) <= l4_size)
			return PL_DROP_BAD_UDP_LENGTH;
	}
	pkt->rare = PL_RARE_FIRST_FRAGMENT;
	return PL_CONTINUE;
}

/* A fragment: all but the last are made of pieces of 8 bytes, of which the first has all of the L4 header.
 * TCP makes its segments fit, and nobody honest cuts them. */
static __always_inline int pl_parse_fragment(const struct __sk_buff *skb, struct pl_pkt *pkt, __be16 frag_off,
					     __u32 l4_size)
{
	__u32 field = bpf_ntohs(frag_off), offset = (field & PL_IP_OFFSET_MASK) * 8;

	if (pkt->l4_proto != IPPROTO_UDP && pkt->l4_proto != IPPROTO_ICMP)
		return pkt->l4_proto == IPPROTO_TCP ? PL_DROP_BAD_FRAGMENT : PL_DROP_PROTOCOL;
	if (!l4_size || (field & PL_IP_MF && l4_size % 8) ||
	    offset + l4_size > PL_IP_SIZE_MAX - sizeof(struct iphdr))
		return PL_DROP_BAD_FRAGMENT;
	if (!offset)
		return pl_parse_first_fragment(skb, pkt, l4_size);
	pkt->rare = PL_RARE_FRAGMENT;
	return PL_CONTINUE;
}

/* The size of the whole IP packet; 0: the header says more than there is, or less than a header. What is yet
 * to be cut is cut by what there is, and whoever says less hides some of it. A total length of 0 is what the
 * kernel writes for more than 64 KB of TCP (BIG TCP); such a packet is GSO. */
static __always_inline __u32 pl_ip_size(const struct __sk_buff *skb, const struct iphdr *ip)
{
	__u32 size = bpf_ntohs(ip->tot_len), room = skb->len - PL_IP_OFFSET;

	if (skb->gso_size)
		return size == room || (!size && ip->protocol == IPPROTO_TCP) ? room : 0;
	return size >= sizeof(*ip) && size <= room ? size : 0;
}

static __always_inline bool pl_ip_checksum_is_right(const struct iphdr *ip)
{
	const __u32 *words = (const void *)ip;
	__u64 sum = (__u64)words[0] + words[1] + words[2] + words[3] + words[4];

	/* Of 35 bits: folded twice it has 17 at the most, and is a little above 0xffff then, or right. */
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16) == 0xffff;
}

/* IPv4 and L4 into pkt->key. The key's VPC is the port's. */
static __always_inline int pl_parse_ip4(const struct __sk_buff *skb, struct pl_pkt *pkt)
{
	const struct iphdr *ip = pl_data(skb, PL_L4_OFFSET);
	__u32 size;
	int r;

	if (!ip)
		return PL_DROP_SHORT;
	ip = (const void *)ip + PL_IP_OFFSET;
	if (*(const __u8 *)ip != PL_IP_PLAIN)
		return ip->version == 4 && ip->ihl > 5 ? PL_DROP_OPTIONS : PL_DROP_SHORT;
	size = pl_ip_size(skb, ip);
	if (!size)
		return PL_DROP_BAD_LENGTH;
	*(pl_word64 *)&pkt->key.saddr = *(const pl_word64 *)&ip->saddr; /* and daddr */
	pkt->l4_proto = ip->protocol;
	pkt->ttl = ip->ttl;
	pkt->key.vpc_proto = pkt->vpc << 8 | PL_SIDE_OUT | pkt->l4_proto;
	if (ip->frag_off & bpf_htons(PL_IP_FRAGMENT))
		r = pl_parse_fragment(skb, pkt, ip->frag_off, size - sizeof(*ip));
	else
		r = pl_parse_l4(skb, pkt, size - sizeof(*ip));
	if (r)
		return r;
	if (!pl_ip_checksum_is_right(ip))
		return PL_DROP_BAD_IP_CHECKSUM;
	return pkt->ttl ? PL_CONTINUE : PL_DROP_TTL_EXCEEDED;
}

/* The frame is from the port's own MAC, and for the gateway; a broadcast only where it asks for an address.
 */
static __always_inline int pl_guard_frame(const struct __sk_buff *skb, struct pl_pkt *pkt,
					  const struct pl_port *port, const struct pl_config *config)
{
	const struct ethhdr *eth = pl_data(skb, sizeof(*eth));

	if (!eth)
		return PL_DROP_SHORT;
	pkt->eth_proto = *(const pl_word16 *)((const void *)eth + offsetof(struct ethhdr, h_proto));
	if (!pl_mac_equal_wide(eth->h_source, port->mac))
		return PL_DROP_BAD_MAC;
	if (skb->vlan_present)
		return PL_DROP_ETHERTYPE;
	if (pl_likely(pkt->eth_proto == bpf_htons(ETH_P_IP) &&
		      pl_mac_equal_wide(eth->h_dest, config->gateway_mac)))
		return PL_CONTINUE;
	if (pkt->eth_proto == bpf_htons(ETH_P_IPV6))
		return PL_DROP_IPV6;
	if (pkt->eth_proto != bpf_htons(ETH_P_IP) && pkt->eth_proto != bpf_htons(ETH_P_ARP))
		return PL_DROP_ETHERTYPE;
	if (pl_mac_equal_wide(eth->h_dest, config->gateway_mac))
		return PL_CONTINUE;
	if (pkt->eth_proto == bpf_htons(ETH_P_ARP) && pl_mac_is_broadcast(eth->h_dest))
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
