/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every reason of the list is reached by some packet: each has a way here, and one that is added to the list
 * without one fails. Most take one packet, told in a row of the table; the others have a function.
 */
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "../tap.h"
#include "device.h"
#include "proxy.h"

#define CSUM_OFFSET_ODD 2 /* nobody's place for a checksum */

/* How a reason is reached: by a packet from a port, in which two bytes may be others than they should; or by
 * what the function does, which says under what its last packet was counted. */
struct way {
	uint32_t slot;
	struct pkt_spec spec;
	uint16_t at, value; /* what is written there; 0: nothing */
	int (*reach)(struct node *node);
};

static int reason_of(struct node *node, uint32_t slot, const struct pkt *p)
{
	return node_send(node, slot, p).reason;
}

static int reach_arp(struct node *node)
{
	struct pkt p = pkt_arp(broadcast_mac, node->macs[SLOT_A], 1, "10.0.0.10", "10.0.0.100");

	return reason_of(node, SLOT_A, &p);
}

static int reach_arp_other(struct node *node)
{
	struct pkt p = pkt_arp(gateway_mac, node->macs[SLOT_A], 2, "10.0.0.10", "10.0.0.253");

	return reason_of(node, SLOT_A, &p);
}

static int reach_provider_opens(struct node *node)
{
	struct pkt seen = handshake(node, SLOT_A, 4000), syn = node_reply(&seen, SYN);

	return reason_of(node, receiver(node, &seen), &syn);
}

static int reach_policy_out(struct node *node)
{
	struct pkt syn = tcp(node, SLOT_A, 4000, SYN);
	int reason;

	node_policy(node, SLOT_A, RULES(rules_instance), false);
	node_bump(node, SLOT_A);
	reason = reason_of(node, SLOT_A, &syn);
	node_policy(node, SLOT_A, RULES(rules_instance), true);
	node_bump(node, SLOT_A);
	return reason;
}

static int reach_nat_exhausted(struct node *node)
{
	struct pkt syn = tcp(node, SLOT_A, 4000, SYN);
	struct pl_backend backend, none;
	uint32_t one = 1;
	int reason;

	serve_by(node, one);
	must(bpf_map_lookup_elem(bpf_map__fd(node->bpf->maps.pl_backends), &one, &backend), "pl_backends");
	none = backend;
	none.nat_count = 0;
	map_put(node->bpf->maps.pl_backends, &one, &none);
	reason = reason_of(node, SLOT_A, &syn);
	map_put(node->bpf->maps.pl_backends, &one, &backend);
	serve_by_all(node);
	return reason;
}

/* What the flows of these ports end with, each from a source port of its own, when one is not delivered. */
static int open_all(struct node *node, const uint32_t *slots, size_t n)
{
	int reason = PL_DELIVERED;

	for (size_t i = 0; i < n; i++) {
		for (uint16_t sport = 4000; sport < 4064; sport++) {
			struct pkt syn = tcp(node, slots[i], sport, SYN);

			reason = reason_of(node, slots[i], &syn);
			if (reason != PL_DELIVERED)
				break;
		}
	}
	return reason;
}

static int reach_flow_share(struct node *node)
{
	return open_all(node, (const uint32_t[]){SLOT_A}, 1);
}

/* Two endpoints of one account, each of which has fewer than are free, and more than are its own. */
static int reach_account_share(struct node *small)
{
	struct node *node = node_new(&(struct node_options){.n_tokens = 8 * PL_SHARE_FIRST});
	int reason;

	(void)small;
	node_set_account(node, SLOT_ENI_A, 1);
	node_set_account(node, SLOT_ENI_B, 1);
	for (uint32_t sport = 4000; sport < 4000 + 8 * PL_SHARE_FIRST; sport++) {
		uint32_t slot = sport & 1 ? SLOT_A : SLOT_B;
		struct pkt syn = tcp(node, slot, sport, SYN);

		reason = reason_of(node, slot, &syn);
		if (reason != PL_DELIVERED)
			break;
	}
	node_free(node);
	return reason;
}

static int reach_flow_table_full(struct node *node)
{
	return open_all(node, (const uint32_t[]){SLOT_A, SLOT_B, SLOT_C, SLOT_C}, 4);
}

/* As if another CPU were ending the flow. */
static int reach_flow_table_busy(struct node *node)
{
	struct pkt syn = tcp(node, SLOT_A, 4000, SYN);
	struct pl_flow4_key key = node_key(&syn, 10, PL_SIDE_OUT);
	struct pl_flow4 flow;

	deliver(node, SLOT_A, &syn);
	must(node_flow(node, &key, &flow) ? 0 : -ENOENT, "flow");
	flow.state |= PL_STATE_DEAD;
	map_put(node->bpf->maps.pl_flows4, &key, &flow);
	return reason_of(node, SLOT_A, &syn);
}

/* First fragments, and behind them one that is not the next. */
static int reach_fragment_share(struct node *node)
{
	static char payload[1401];
	struct pkt p;
	int reason = PL_DELIVERED;

	memset(payload, 'x', sizeof(payload) - 1);
	p = from(node, SLOT_A,
		 (struct pkt_spec){.src = "10.0.0.10",
				   .dst = "10.0.0.100",
				   .protocol = IPPROTO_UDP,
				   .sport = 4000,
				   .dport = 500,
				   .payload = payload});
	put16(p.data + PKT_L4 + 4, 4000);
	for (uint16_t i = 0; reason == PL_DELIVERED && i < PL_FRAGMENT_OPEN / 500; i++) {
		put16(p.data + PKT_IP + 4, i / 2);
		put16(p.data + PKT_IP + 6, i % 2 ? 0x2400 : 0x2000);
		put16(p.data + PKT_IP + 10, 0);
		put16(p.data + PKT_IP + 10, ~sum16(p.data + PKT_IP, 20, 0));
		reason = reason_of(node, SLOT_A, &p);
	}
	return reason;
}

static int reach_egress_guard(struct node *node)
{
	struct pkt p = pkt_arp(broadcast_mac, gateway_mac, 1, "10.0.0.253", "10.0.0.10");

	return node_run(node, node->bpf->progs.pl_guard_veth, 0, &p).reason;
}

static int reach_bad_gso(struct node *node)
{
	struct pkt syn = tcp(node, SLOT_A, 4000, SYN);
	int reason;

	node->gso_size = 1;
	reason = reason_of(node, SLOT_A, &syn);
	node->gso_size = 0;
	return reason;
}

static int reach_too_big(struct node *node)
{
	static char text[101];
	struct pkt p;
	int reason;

	memset(text, 'x', sizeof(text) - 1);
	p = from(node, SLOT_A,
		 (struct pkt_spec){.src = "10.0.0.10",
				   .dst = "10.0.0.11",
				   .protocol = IPPROTO_UDP,
				   .sport = 4000,
				   .dport = 1500,
				   .payload = text});
	node_mtu(node, SLOT_A2, 100);
	reason = reason_of(node, SLOT_A, &p);
	node_mtu(node, SLOT_A2, 1500);
	return reason;
}

/* Errors about a datagram that has arrived, more than a port may send. */
static int reach_icmp_rate(struct node *node)
{
	struct pkt sent = udp(node, SLOT_A, 4000), seen = deliver(node, SLOT_A, &sent),
		   error = {.size = PKT_L4 + 8 + 28};
	uint32_t server = receiver(node, &seen);
	uint64_t before;

	pkt_ethernet(&error, gateway_mac, node->macs[server], ETH_P_IP);
	memcpy(error.data + PKT_IP, seen.data + PKT_IP, 20);
	put16(error.data + PKT_IP + 2, 20 + 8 + 28);
	error.data[PKT_IP + 9] = IPPROTO_ICMP;
	memcpy(error.data + PKT_IP + 12, seen.data + PKT_IP + 16, 4);
	memcpy(error.data + PKT_IP + 16, seen.data + PKT_IP + 12, 4);
	put16(error.data + PKT_L4, 3 << 8 | 3);
	memcpy(error.data + PKT_L4 + 8, seen.data + PKT_IP, 28);
	pkt_seal(&error);
	before = node_count(node, PL_DROP_ICMP_RATE).packets;
	for (int i = 0; i < 5000 && node_leaves(node, server, &error); i++)
		;
	return node_count(node, PL_DROP_ICMP_RATE).packets == before + 1 ? PL_DROP_ICMP_RATE : -1;
}

/* A port's or an ENI's limit, the first unit of which takes seconds; 0 in all: none. */
static void limit(struct node *node, uint32_t slot, struct pl_limit row)
{
	struct pl_buckets full = {0};

	map_put(node->bpf->maps.pl_limits, &slot, &row);
	map_put(node->bpf->maps.pl_buckets, &slot, &full);
}

static int reach_flow_rate(struct node *node)
{
	struct pkt first = tcp(node, SLOT_A, 4000, SYN), second = tcp(node, SLOT_A, 4001, SYN);
	int reason;

	limit(node, SLOT_A, (struct pl_limit){.open_ns = UINT32_MAX});
	deliver(node, SLOT_A, &first);
	reason = reason_of(node, SLOT_A, &second);
	limit(node, SLOT_A, (struct pl_limit){0});
	return reason;
}

static int reach_dns_rate(struct node *node)
{
	struct pkt asks = from(node, SLOT_A,
			       (struct pkt_spec){.src = "10.0.0.10",
						 .dst = "100.100.2.136",
						 .protocol = IPPROTO_UDP,
						 .sport = 4000,
						 .dport = 53,
						 .payload = "question"});
	int reason;

	limit(node, SLOT_A, (struct pl_limit){.dns_ns = UINT32_MAX});
	deliver(node, SLOT_A, &asks);
	reason = reason_of(node, SLOT_A, &asks);
	limit(node, SLOT_A, (struct pl_limit){0});
	return reason;
}

static void set_eni_limit(struct node *node, uint32_t slot, uint32_t of)
{
	struct pl_eni eni;

	must(bpf_map_lookup_elem(bpf_map__fd(node->bpf->maps.pl_enis), &slot, &eni), "pl_enis");
	eni.limit = of;
	map_put(node->bpf->maps.pl_enis, &slot, &eni);
	node_bump(node, slot);
}

static int reach_bandwidth(struct node *node)
{
	struct pkt p = udp(node, SLOT_A, 4000);
	int reason = PL_DELIVERED;

	set_eni_limit(node, SLOT_ENI_A, SLOT_ENI_A);
	limit(node, SLOT_ENI_A, (struct pl_limit){.kbyte_ns = UINT32_MAX});
	for (int i = 0; i < 100 && reason == PL_DELIVERED; i++)
		reason = reason_of(node, SLOT_A, &p);
	limit(node, SLOT_ENI_A, (struct pl_limit){0});
	set_eni_limit(node, SLOT_ENI_A, 0);
	return reason;
}

static int reach_proxy_syn_data(struct node *node)
{
	struct pair pair = {.node = node, .port = 4000};
	struct segment syn = {.seq = 1000, .flags = SYN, .payload = "early", .size = 5};
	struct pkt p;

	node_proxy(node, ALL_PARTS);
	p = pair_pkt(&pair, false, &syn);
	return reason_of(node, SLOT_A, &p);
}

static int reach_proxy_sequence(struct node *node)
{
	struct pair pair = {.node = node, .port = 4000};
	struct segment syn = {.seq = 1000, .flags = SYN}, ack = {.seq = 1001, .ack = 1, .flags = ACK};
	struct pkt p;

	node_proxy(node, ALL_PARTS);
	p = pair_pkt(&pair, false, &syn);
	deliver(node, SLOT_A, &p);
	p = pair_pkt(&pair, false, &ack);
	return reason_of(node, SLOT_A, &p);
}

static int reach_proxy_header(struct node *node)
{
	struct pl_proxy_key key = {.slot = SLOT_ENI_A, .parts = ALL_PARTS};
	struct pkt syn = tcp(node, SLOT_A, 4000, SYN);

	node_proxy(node, ALL_PARTS);
	must(bpf_map_delete_elem(bpf_map__fd(node->bpf->maps.pl_proxies), &key), "pl_proxies");
	return reason_of(node, SLOT_A, &syn);
}

/* A tap whose frames come with a virtio header, up. */
static int tap_new(int *ret_ifindex)
{
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC),
	    sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	must(fd < 0 || sock < 0 ? -errno : 0, "tun");
	must(ioctl(fd, TUNSETIFF, &request) ? -errno : 0, "TUNSETIFF");
	request.ifr_flags = IFF_UP;
	must(ioctl(sock, SIOCSIFFLAGS, &request) ? -errno : 0, "SIOCSIFFLAGS");
	must(ioctl(sock, SIOCGIFINDEX, &request) ? -errno : 0, "SIOCGIFINDEX");
	*ret_ifindex = request.ifr_ifindex;
	close(sock);
	return fd;
}

/* A run of the program shows no checksum that is still to be made: that takes a device. */
static int reach_bad_checksum_offload(struct node *node)
{
	struct virtio_net_hdr header = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = PKT_L4, .csum_offset = CSUM_OFFSET_ODD};
	struct pkt p = tcp(node, SLOT_A, 4000, SYN);
	struct iovec parts[] = {{&header, sizeof(header)}, {p.data, p.size}};
	uint64_t before = node_count(node, PL_DROP_BAD_CHECKSUM_OFFLOAD).packets, now;
	int ifindex, fd = tap_new(&ifindex);

	device_start(node);
	device_hang(node, SLOT_A, ifindex, PL_PORT_TAP);
	must(writev(fd, parts, 2) < 0 ? -errno : 0, "a frame into the tap");
	for (int i = 0; i < 1000; i++) {
		now = node_count(node, PL_DROP_BAD_CHECKSUM_OFFLOAD).packets;
		if (now != before)
			break;
		(void)usleep(10000);
	}
	close(fd);
	node_port(node, SLOT_A, 10, "10.0.0.10");
	return now == before + 1 ? PL_DROP_BAD_CHECKSUM_OFFLOAD : -1;
}

#define TCP(to, port, flags)                                                                                 \
	.slot = SLOT_A, .spec = {.src = "10.0.0.10",                                                         \
				 .dst = to,                                                                  \
				 .protocol = IPPROTO_TCP,                                                    \
				 .sport = 4000,                                                              \
				 .dport = port,                                                              \
				 .tcp_flags = flags}
#define UDP(to, from_port, port)                                                                             \
	.slot = SLOT_A, .spec = {.src = "10.0.0.10",                                                         \
				 .dst = to,                                                                  \
				 .protocol = IPPROTO_UDP,                                                    \
				 .sport = from_port,                                                         \
				 .dport = port,                                                              \
				 .payload = "hello"}
#define ICMP(to, type)                                                                                       \
	.slot = SLOT_A, .spec = {.src = "10.0.0.10",                                                         \
				 .dst = to,                                                                  \
				 .protocol = IPPROTO_ICMP,                                                   \
				 .sport = (type) << 8,                                                       \
				 .dport = 77,                                                                \
				 .payload = "forty bytes that are no packet, nor of one"}
#define SYN_TO_ENI TCP("10.0.0.100", 443, SYN)

static const struct way ways[PL_REASON_MAX] = {
	[PL_DELIVERED] = {SYN_TO_ENI},
	[PL_DNS] = {UDP("100.100.2.136", 4000, 53)},
	[PL_PROBE] = {.slot = SLOT_SERVICE,
		      .spec = {.src = "198.18.0.1",
			       .dst = "198.19.0.1",
			       .protocol = IPPROTO_TCP,
			       .sport = 4000,
			       .dport = 8443,
			       .tcp_flags = SYN}},
	[PL_ARP] = {.reach = reach_arp},
	[PL_ECHO] = {ICMP("10.0.0.100", 8)},
	[PL_DROP_NO_PORT] = {.slot = 5, .spec = {.src = "10.0.0.10", .dst = "10.0.0.100"}},
	[PL_DROP_SHORT] = {SYN_TO_ENI, .at = PKT_IP, .value = 0x4400},
	[PL_DROP_ETHERTYPE] = {SYN_TO_ENI, .at = 12, .value = 0x88cc},
	[PL_DROP_IPV6] = {SYN_TO_ENI, .at = 12, .value = ETH_P_IPV6},
	[PL_DROP_NOT_GATEWAY] = {SYN_TO_ENI, .at = 4, .value = 0x1234},
	[PL_DROP_BAD_MAC] = {SYN_TO_ENI, .at = 10, .value = 0x1234},
	[PL_DROP_BAD_SOURCE] = {SYN_TO_ENI, .at = PKT_IP + 14, .value = 0x000b},
	[PL_DROP_ARP_OTHER] = {.reach = reach_arp_other},
	[PL_DROP_OPTIONS] = {SYN_TO_ENI, .at = PKT_IP, .value = 0x4600},
	[PL_DROP_FRAGMENT] = {UDP("10.0.0.100", 4000, 500), .at = PKT_IP + 6, .value = 0x00b9},
	[PL_DROP_PROTOCOL] = {SYN_TO_ENI, .at = PKT_IP + 8, .value = 0x402f},
	[PL_DROP_ICMP_TYPE] = {ICMP("10.0.0.100", 13)},
	[PL_DROP_NO_PLACE] = {TCP("10.0.0.99", 443, SYN)},
	[PL_DROP_NO_FLOW] = {ICMP("10.0.0.11", 0)},
	[PL_DROP_NOT_SYN] = {TCP("10.0.0.100", 443, ACK)},
	[PL_DROP_PROVIDER_OPENS] = {.reach = reach_provider_opens},
	[PL_DROP_POLICY_OUT] = {.reach = reach_policy_out},
	[PL_DROP_POLICY_IN] = {TCP("10.0.0.100", 80, SYN)},
	[PL_DROP_ENI_NOT_CONNECTED] = {TCP("10.0.0.101", 443, SYN)},
	[PL_DROP_NO_LISTENER] = {TCP("10.0.0.100", 81, SYN)},
	[PL_DROP_NO_BACKEND] = {TCP("10.0.0.102", 84, SYN)},
	[PL_DROP_BACKEND_GONE] = {TCP("10.0.0.102", 83, SYN)},
	[PL_DROP_REMOTE] = {TCP("10.0.0.50", 80, SYN)},
	[PL_DROP_GATEWAY_ECHO] = {TCP("10.0.0.253", 80, SYN)},
	[PL_DROP_DNS_ONLY] = {UDP("100.100.2.136", 4000, 54)},
	[PL_DROP_VIP] = {.slot = SLOT_S1,
			 .spec = {.src = "10.0.0.10",
				  .dst = "10.0.0.200",
				  .protocol = IPPROTO_TCP,
				  .sport = 4000,
				  .dport = 443,
				  .tcp_flags = SYN}},
	[PL_DROP_NAT_EXHAUSTED] = {.reach = reach_nat_exhausted},
	[PL_DROP_FLOW_TABLE_FULL] = {.reach = reach_flow_table_full},
	[PL_DROP_EGRESS_GUARD] = {.reach = reach_egress_guard},
	[PL_DROP_BAD_CHECKSUM_OFFLOAD] = {.reach = reach_bad_checksum_offload},
	[PL_DROP_BAD_GSO] = {.reach = reach_bad_gso},
	[PL_DROP_BAD_LENGTH] = {SYN_TO_ENI, .at = PKT_IP + 2, .value = 19},
	[PL_DROP_BAD_IP_CHECKSUM] = {SYN_TO_ENI, .at = PKT_IP + 10, .value = 0x1234},
	[PL_DROP_BAD_UDP_LENGTH] = {UDP("10.0.0.100", 4000, 500), .at = PKT_L4 + 4, .value = 4},
	[PL_DROP_BAD_TCP_OFFSET] = {SYN_TO_ENI, .at = PKT_L4 + 12, .value = 0x2000 | SYN},
	[PL_DROP_BAD_TCP_FLAGS] = {TCP("10.0.0.100", 443, SYN | FIN)},
	[PL_DROP_BAD_PORT] = {UDP("10.0.0.100", 0, 500)},
	[PL_DROP_BAD_DESTINATION] = {UDP("127.0.0.1", 4000, 500)},
	[PL_DROP_TTL_EXCEEDED] = {SYN_TO_ENI, .at = PKT_IP + 8, .value = 0x0100 | IPPROTO_TCP},
	[PL_DROP_TOO_BIG] = {.reach = reach_too_big},
	[PL_DROP_ICMP_QUOTE] = {ICMP("10.0.0.100", 3)},
	[PL_DROP_ICMP_RATE] = {.reach = reach_icmp_rate},
	[PL_DROP_BAD_FRAGMENT] = {SYN_TO_ENI, .at = PKT_IP + 6, .value = 0x2000},
	[PL_DROP_FLOW_RATE] = {.reach = reach_flow_rate},
	[PL_DROP_BANDWIDTH] = {.reach = reach_bandwidth},
	[PL_DROP_DNS_RATE] = {.reach = reach_dns_rate},
	[PL_DROP_PROXY_SYN_DATA] = {.reach = reach_proxy_syn_data},
	[PL_DROP_PROXY_SEQUENCE] = {.reach = reach_proxy_sequence},
	[PL_DROP_PROXY_HEADER] = {.reach = reach_proxy_header},
	[PL_DROP_FLOW_SHARE] = {.reach = reach_flow_share},
	[PL_DROP_ACCOUNT_SHARE] = {.reach = reach_account_share},
	[PL_DROP_FLOW_TABLE_BUSY] = {.reach = reach_flow_table_busy},
	[PL_DROP_FRAGMENT_SHARE] = {.reach = reach_fragment_share},
};

/* The packet of a way in words. The IP header's checksum is true, unless that is the lie. */
static int reach_by_packet(struct node *node, const struct way *way)
{
	struct pkt p = from(node, way->slot, way->spec);

	if (way->at) {
		put16(p.data + way->at, way->value);
		if (way->at != PKT_IP + 10) {
			put16(p.data + PKT_IP + 10, 0);
			put16(p.data + PKT_IP + 10, ~sum16(p.data + PKT_IP, 20, 0));
		}
	}
	return reason_of(node, way->slot, &p);
}

int main(void)
{
	struct node *node;

	libbpf_set_print(NULL); /* it calls a qdisc that exists an error */
	must(unshare(CLONE_NEWNET) ? -errno : 0, "a network namespace");
	node = node_new(&(struct node_options){.n_tokens = 8});
	for (int reason = PL_CONTINUE + 1; reason < PL_REASON_MAX; reason++) {
		const struct way *way = &ways[reason];
		int got = -1;

		node_clear_flows(node);
		serve_by_all(node);
		if (way->reach)
			got = way->reach(node);
		else if (way->spec.src)
			got = reach_by_packet(node, way);
		tap_ok(got == reason, "%s is reached", reason_name(reason));
		if (got != reason)
			tap_note("%s", way->reach || way->spec.src ? reason_name(got)
								   : "this test has no way to it");
	}
	node_free(node);
	return tap_done();
}
