/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Why a packet left the data path: the one list of reasons. The BPF program counts by it (pl_reasons), the
 * command line, the metrics and the documents take names and texts from it.
 *
 * X(symbol, name, kind, text): PL_<symbol> is the number, name is what users see (a stable word), kind is
 * PASS or DROP. Numbers are positions: a new reason goes to the end of the list, and none is ever taken out.
 * That is no new version of any table: an agent that finds counters of other reasons begins to count anew,
 * and open flows stay.
 */
#pragma once

/* clang-format off */
#define PL_REASONS(X) \
	X(CONTINUE, "none", PASS, "never counted: the walk goes on") \
	X(DELIVERED, "delivered", PASS, "to a port, translated or between instances") \
	X(DNS, "dns", PASS, "question to the VPC's DNS address, or its answer") \
	X(PROBE, "probe", PASS, "health probe of a backend, or its answer") \
	X(ARP, "arp", PASS, "ARP request answered with the gateway's MAC") \
	X(ECHO, "echo", PASS, "echo request to an ENI or a gateway, answered on the spot") \
	X(DROP_NO_PORT, "no_port", DROP, "the device's slot has no port, or another device's") \
	X(DROP_SHORT, "short", DROP, "shorter than its headers need") \
	X(DROP_ETHERTYPE, "ethertype", DROP, "neither IPv4 nor ARP, or with a VLAN tag") \
	X(DROP_IPV6, "ipv6", DROP, "IPv6") \
	X(DROP_NOT_GATEWAY, "not_gateway", DROP, "the destination MAC is not the gateway's") \
	X(DROP_BAD_MAC, "bad_mac", DROP, "the source MAC is not the port's") \
	X(DROP_BAD_SOURCE, "bad_source", DROP, "the source address is not the port's") \
	X(DROP_ARP_OTHER, "arp_other", DROP, "ARP that asks the gateway nothing: a reply, or about the port's own address") \
	X(DROP_OPTIONS, "options", DROP, "IPv4 options") \
	X(DROP_FRAGMENT, "fragment", DROP, "fragment that does not come soon after the first of its datagram") \
	X(DROP_PROTOCOL, "protocol", DROP, "not TCP, UDP or ICMP") \
	X(DROP_ICMP_TYPE, "icmp_type", DROP, "ICMP other than echo and errors") \
	X(DROP_NO_PLACE, "no_place", DROP, "nothing in the sender's VPC has the destination address") \
	X(DROP_NO_FLOW, "no_flow", DROP, "belongs to no flow, and may not open one") \
	X(DROP_NOT_SYN, "not_syn", DROP, "TCP that belongs to no flow and is not a SYN") \
	X(DROP_PROVIDER_OPENS, "provider_opens", DROP, "SYN from the answering side of a flow") \
	X(DROP_POLICY_OUT, "policy_out", DROP, "refused by the sender's security groups") \
	X(DROP_POLICY_IN, "policy_in", DROP, "refused by the security groups of the instance or endpoint") \
	X(DROP_ENI_NOT_CONNECTED, "eni_not_connected", DROP, "the endpoint's connection is not connected") \
	X(DROP_NO_LISTENER, "no_listener", DROP, "the endpoint's service does not listen on this port") \
	X(DROP_NO_BACKEND, "no_backend", DROP, "the endpoint's service has no backend") \
	X(DROP_BACKEND_GONE, "backend_gone", DROP, "the backend's port is gone, or is another's now") \
	X(DROP_REMOTE, "remote_unreachable", DROP, "the receiver is on another node, and there is no way to it") \
	X(DROP_GATEWAY_ECHO, "gateway_echo", DROP, "to a gateway, which answers nothing but echo requests") \
	X(DROP_DNS_ONLY, "dns_only", DROP, "to a DNS address, but not to port 53") \
	X(DROP_VIP, "vip", DROP, "to a load balancer's address, which answers nothing inside its VPC") \
	X(DROP_NAT_EXHAUSTED, "nat_exhausted", DROP, "no free translated source address and port was found") \
	X(DROP_FLOW_TABLE_FULL, "flow_table_full", DROP, "no room for a new flow") \
	X(DROP_EGRESS_GUARD, "egress_guard", DROP, "the node itself sent it towards an instance") \
	X(DROP_BAD_CHECKSUM_OFFLOAD, "bad_checksum_offload", DROP, "wants a checksum written elsewhere than into its TCP or UDP header") \
	X(DROP_BAD_GSO, "bad_gso", DROP, "wants to be cut into segments that are too small, too many, or not its protocol's") \
	X(DROP_BAD_LENGTH, "bad_length", DROP, "the IP header says more than there is, less than its headers need, or less than what is yet to be cut") \
	X(DROP_BAD_IP_CHECKSUM, "bad_ip_checksum", DROP, "the IP header's checksum is wrong") \
	X(DROP_BAD_UDP_LENGTH, "bad_udp_length", DROP, "the UDP header says another length than the IP header") \
	X(DROP_BAD_TCP_OFFSET, "bad_tcp_offset", DROP, "the TCP header says that it is shorter than one, or longer than the packet") \
	X(DROP_BAD_TCP_FLAGS, "bad_tcp_flags", DROP, "TCP flags that contradict each other (SYN with FIN or RST), or none") \
	X(DROP_BAD_PORT, "bad_port", DROP, "opens a flow from or to port 0") \
	X(DROP_BAD_DESTINATION, "bad_destination", DROP, "to an address that is no host's: 0.0.0.0/8, 127.0.0.0/8, or from 224.0.0.0 on") \
	X(DROP_TTL_EXCEEDED, "ttl_exceeded", DROP, "its time to live is over; the sender is told") \
	X(DROP_TOO_BIG, "too_big", DROP, "larger than the receiver's MTU, of which its sender is told") \
	X(DROP_ICMP_QUOTE, "icmp_quote", DROP, "ICMP error that quotes no packet that its sender was sent") \
	X(DROP_ICMP_RATE, "icmp_rate", DROP, "more ICMP errors than a port may send") \
	X(DROP_BAD_FRAGMENT, "bad_fragment", DROP, "fragment of TCP, or one that is empty, ill divided, or beyond the largest packet") \
	X(DROP_FLOW_RATE, "flow_rate", DROP, "more new flows a second than the port, the endpoint or the listener may have") \
	X(DROP_BANDWIDTH, "bandwidth", DROP, "more bytes a second than the endpoint's connection may have") \
	X(DROP_DNS_RATE, "dns_rate", DROP, "more questions to the VPC's DNS address a second than a port may ask") \
	X(DROP_PROXY_SYN_DATA, "proxy_syn_data", DROP, "SYN with data to a listener that sends PROXY headers") \
	X(DROP_PROXY_SEQUENCE, "proxy_sequence", DROP, "not what a client sends before its PROXY header has arrived") \
	X(DROP_PROXY_HEADER, "proxy_header", DROP, "the PROXY header cannot be made: its ids are missing, or have changed") \
	X(DROP_FLOW_SHARE, "flow_share", DROP, "the endpoint or port whose the new flow is has as many open as are free for all") \
	X(DROP_FLOW_TABLE_BUSY, "flow_table_busy", DROP, "its row is being written or deleted in this instant") \
	X(DROP_FRAGMENT_SHARE, "fragment_share", DROP, "first fragment from a port that has left too much of its datagrams unfinished, or whose account has") \
	X(DROP_ACCOUNT_SHARE, "account_share", DROP, "the account whose endpoint or port the new flow is of has as many open here, by all of them, as are free for all")
/* clang-format on */

enum pl_reason {
#define PL_REASON_SYMBOL(symbol, name, kind, text) PL_##symbol,
	PL_REASONS(PL_REASON_SYMBOL)
#undef PL_REASON_SYMBOL
		PL_REASON_MAX
};

#define PL_REASON_IS_DROP(reason) ((reason) >= PL_DROP_NO_PORT)
