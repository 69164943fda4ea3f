/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What is answered on the spot, back to the port that asked: ARP, and echo requests to ENIs and gateways.
 * Neither makes a flow. The answer goes through pl_exit() like any other packet, with the sender as its
 * receiver.
 */
#pragma once

#include "pl_csum.h"
#include "pl_parse.h"

static __always_inline void pl_send_back(struct pl_pkt *pkt, const struct pl_port *port)
{
	pkt->out_ifindex = port->ifindex;
	pkt->out_delivery = port->delivery;
}

static __always_inline bool pl_arp_is_ipv4_request(const struct pl_arp *arp)
{
	return arp->hardware == bpf_htons(ARPHRD_ETHER) && arp->protocol == bpf_htons(ETH_P_IP) &&
	       arp->hardware_size == ETH_ALEN && arp->protocol_size == sizeof(__be32) &&
	       arp->operation == bpf_htons(ARPOP_REQUEST);
}

/* Whether an address is the asking port's own; nobody may answer for it, or the instance would find it taken.
 */
static __always_inline bool pl_arp_asks_for_itself(const struct pl_arp *arp, const struct pl_port *port,
						   const struct pl_config *config)
{
	if (arp->target == pl_addr_v4(&port->addr))
		return true;
	return (port->flags & PL_PORT_F_SERVICE) && arp->target == config->dns_addr;
}

static __always_inline bool pl_arp_sender_is_port(const struct pl_arp *arp, const struct pl_port *port,
						  const struct pl_config *config)
{
	/* A probe before an address is taken has none itself (RFC 5227). */
	if (arp->sender == 0 || arp->sender == pl_addr_v4(&port->addr))
		return true;
	return (port->flags & PL_PORT_F_SERVICE) && arp->sender == config->dns_addr;
}

/* Every address of the VPC is behind the gateway: one answer for all. */
static __always_inline int pl_arp_answer(struct __sk_buff *skb, struct pl_pkt *pkt,
					 const struct pl_port *port, const struct pl_config *config)
{
	struct ethhdr *eth = pl_data(skb, sizeof(*eth) + sizeof(struct pl_arp));
	struct pl_arp *arp;
	__be32 asked;

	if (!eth)
		return PL_DROP_SHORT;
	arp = (void *)(eth + 1);
	if (!pl_arp_is_ipv4_request(arp))
		return PL_DROP_ARP_OTHER;
	if (!pl_mac_equal(arp->sender_mac, port->mac))
		return PL_DROP_BAD_MAC;
	if (!pl_arp_sender_is_port(arp, port, config))
		return PL_DROP_BAD_SOURCE;
	if (pl_arp_asks_for_itself(arp, port, config))
		return PL_DROP_ARP_OTHER;

	asked = arp->target;
	arp->operation = bpf_htons(ARPOP_REPLY);
	pl_mac_copy(arp->target_mac, port->mac);
	arp->target = arp->sender;
	pl_mac_copy(arp->sender_mac, config->gateway_mac);
	arp->sender = asked;
	pl_mac_copy(eth->h_dest, port->mac);
	pl_mac_copy(eth->h_source, config->gateway_mac);
	pl_send_back(pkt, port);
	return PL_ARP;
}

/* Turns an echo request into its reply. The addresses change places, so no checksum but ICMP's own moves. */
static __always_inline int pl_echo_answer(struct __sk_buff *skb, struct pl_pkt *pkt,
					  const struct pl_port *port, const struct pl_config *config)
{
	struct ethhdr *eth = pl_data(skb, PL_L4_OFFSET + sizeof(struct pl_icmp));
	struct pl_icmp *icmp;
	struct iphdr *ip;
	__u16 old_word, new_word; /* type and code, as they lie in memory */

	if (!eth)
		return PL_DROP_SHORT;
	ip = (void *)(eth + 1);
	icmp = (void *)(ip + 1);
	ip->saddr = pkt->key.daddr;
	ip->daddr = pkt->key.saddr;
	old_word = bpf_htons(ICMP_ECHO << 8);
	new_word = bpf_htons(ICMP_ECHOREPLY << 8);
	icmp->type = ICMP_ECHOREPLY;
	icmp->check = pl_csum_update(icmp->check, pl_csum_fold(pl_csum_diff16(old_word, new_word)));
	pl_mac_copy(eth->h_dest, port->mac);
	pl_mac_copy(eth->h_source, config->gateway_mac);
	pl_send_back(pkt, port);
	return PL_ECHO;
}
