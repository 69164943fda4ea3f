/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Headers that lie, each with the reason that names the lie: none of them may reach a receiver, between
 * instances and to an endpoint.
 */
#include "../tap.h"

#include "flows.h"

/* Spoils a packet that is right otherwise; it is sealed again afterwards, but for the last one. */
typedef void (*spoil_fn)(struct pkt *p, uint32_t value);

static void udp_length(struct pkt *p, uint32_t value)
{
	put16(p->data + PKT_L4 + 4, value);
}

static void tcp_offset(struct pkt *p, uint32_t value)
{
	p->data[PKT_L4 + 12] = value << 4;
}

static void tcp_flags(struct pkt *p, uint32_t value)
{
	p->data[PKT_L4 + 13] = value;
}

static void total_length(struct pkt *p, uint32_t value)
{
	put16(p->data + PKT_IP + 2, value);
}

static void destination(struct pkt *p, uint32_t value)
{
	put16(p->data + PKT_IP + 16, value >> 16);
	put16(p->data + PKT_IP + 18, value);
}

static void source(struct pkt *p, uint32_t value)
{
	put16(p->data + PKT_IP + 12, value >> 16);
	put16(p->data + PKT_IP + 14, value);
}

static void source_port(struct pkt *p, uint32_t value)
{
	put16(p->data + PKT_L4, value);
}

static void destination_port(struct pkt *p, uint32_t value)
{
	put16(p->data + PKT_L4 + 2, value);
}

static void header_checksum(struct pkt *p, uint32_t value)
{
	p->data[PKT_IP + 10] ^= value;
}

static const struct lie {
	const char *name;
	uint8_t protocol;
	spoil_fn spoil;
	uint32_t value;
	int reason;
} lies[] = {
	{"a datagram that ends before its header does", IPPROTO_UDP, udp_length, 4, PL_DROP_BAD_UDP_LENGTH},
	{"an empty datagram with data behind it", IPPROTO_UDP, udp_length, 8, PL_DROP_BAD_UDP_LENGTH},
	{"a datagram that is longer than its packet", IPPROTO_UDP, udp_length, 900, PL_DROP_BAD_UDP_LENGTH},
	{"a datagram of no length", IPPROTO_UDP, udp_length, 0, PL_DROP_BAD_UDP_LENGTH},
	{"a TCP header of 8 bytes", IPPROTO_TCP, tcp_offset, 2, PL_DROP_BAD_TCP_OFFSET},
	{"a TCP header of no bytes", IPPROTO_TCP, tcp_offset, 0, PL_DROP_BAD_TCP_OFFSET},
	{"a TCP header that is longer than its packet", IPPROTO_TCP, tcp_offset, 15, PL_DROP_BAD_TCP_OFFSET},
	{"SYN with FIN", IPPROTO_TCP, tcp_flags, SYN | FIN, PL_DROP_BAD_TCP_FLAGS},
	{"SYN with RST", IPPROTO_TCP, tcp_flags, SYN | RST, PL_DROP_BAD_TCP_FLAGS},
	{"all TCP flags", IPPROTO_TCP, tcp_flags, 0xff, PL_DROP_BAD_TCP_FLAGS},
	{"no TCP flags", IPPROTO_TCP, tcp_flags, 0, PL_DROP_BAD_TCP_FLAGS},
	{"PSH and URG alone", IPPROTO_TCP, tcp_flags, 0x28, PL_DROP_BAD_TCP_FLAGS},
	{"a packet that is longer than its frame", IPPROTO_TCP, total_length, 41, PL_DROP_BAD_LENGTH},
	{"a packet that ends in its IP header", IPPROTO_TCP, total_length, 19, PL_DROP_BAD_LENGTH},
	{"a packet that ends in its TCP header", IPPROTO_TCP, total_length, 39, PL_DROP_BAD_LENGTH},
	{"a packet that ends in its UDP header", IPPROTO_UDP, total_length, 27, PL_DROP_BAD_LENGTH},
	{"to nobody", IPPROTO_UDP, destination, 0, PL_DROP_BAD_DESTINATION},
	{"to a loopback address", IPPROTO_UDP, destination, 0x7f000001, PL_DROP_BAD_DESTINATION},
	{"to a group", IPPROTO_UDP, destination, 0xe00000fb, PL_DROP_BAD_DESTINATION},
	{"to everybody", IPPROTO_UDP, destination, 0xffffffff, PL_DROP_BAD_DESTINATION},
	{"from nobody", IPPROTO_UDP, source, 0, PL_DROP_BAD_SOURCE},
	{"from a loopback address", IPPROTO_UDP, source, 0x7f000001, PL_DROP_BAD_SOURCE},
	{"from a group", IPPROTO_UDP, source, 0xe00000fb, PL_DROP_BAD_SOURCE},
	{"from everybody", IPPROTO_UDP, source, 0xffffffff, PL_DROP_BAD_SOURCE},
	{"from UDP port 0", IPPROTO_UDP, source_port, 0, PL_DROP_BAD_PORT},
	{"to UDP port 0", IPPROTO_UDP, destination_port, 0, PL_DROP_BAD_PORT},
	{"from TCP port 0", IPPROTO_TCP, source_port, 0, PL_DROP_BAD_PORT},
	{"to TCP port 0", IPPROTO_TCP, destination_port, 0, PL_DROP_BAD_PORT},
	{"a wrong IP checksum", IPPROTO_UDP, header_checksum, 1, PL_DROP_BAD_IP_CHECKSUM},
};

static struct pkt honest(const struct node *node, const char *to, uint8_t protocol)
{
	bool endpoint = strcmp(to, "10.0.0.100") == 0;

	return from(node, SLOT_A,
		    (struct pkt_spec){.src = "10.0.0.10",
				      .dst = to,
				      .protocol = protocol,
				      .sport = 1500,
				      .dport = protocol == IPPROTO_UDP ? (endpoint ? 500 : 1500)
								       : (endpoint ? 443 : 80),
				      .tcp_flags = SYN,
				      .payload = protocol == IPPROTO_UDP ? "a payload" : NULL});
}

/* The IP header's checksum is made anew, and no other: that one's place may be a lie, too. */
static void seal_ip(struct pkt *p)
{
	put16(p->data + PKT_IP + 10, 0);
	put16(p->data + PKT_IP + 10, ~sum16(p->data + PKT_IP, 20, 0));
}

static void test_lies(struct node *node, const char *to, const char *what, const char *mode)
{
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		const struct lie *lie = &lies[i];
		struct pkt p = honest(node, to, lie->protocol);
		struct outcome o;

		node_clear_flows(node);
		if (lie->spoil == header_checksum)
			seal_ip(&p);
		lie->spoil(&p, lie->value);
		if (lie->spoil != header_checksum)
			seal_ip(&p);
		o = node_send(node, SLOT_A, &p);
		if (!tap_ok(o.reason == lie->reason && o.verdict == TC_ACT_SHOT && pkt_equal(&p, &o.out) &&
				    node_flows(node) == 0,
			    "%s: %s (%s, %s)", lie->name, reason_name(lie->reason), what, mode))
			tap_note("left as %s", reason_name(o.reason));
	}
}

/* What is unusual and no lie. */
static void test_truths(struct node *node, const char *mode)
{
	struct pkt p = honest(node, "10.0.0.100", IPPROTO_UDP);

	node_clear_flows(node);
	p.size += 6;
	tap_is_int(node_send(node, SLOT_A, &p).reason, PL_DELIVERED, "padding behind a datagram (%s)", mode);
	p = honest(node, "10.0.0.100", IPPROTO_TCP);
	p.size += 8;
	total_length(&p, 48);
	tcp_offset(&p, 7);
	p.data[PKT_L4 + 20] = 1;
	pkt_seal(&p);
	tap_is_int(node_send(node, SLOT_A, &p).reason, PL_DELIVERED, "a SYN with options (%s)", mode);
	tcp_flags(&p, SYN | 0xc0);
	pkt_seal(&p);
	tap_is_int(node_send(node, SLOT_A, &p).reason, PL_DELIVERED, "flags of congestion control (%s)",
		   mode);
	p = honest(node, "10.0.0.100", IPPROTO_UDP);
	node->gso_size = PL_GSO_SIZE_MIN;
	p.size += 6;
	tap_is_int(node_send(node, SLOT_A, &p).reason, PL_DROP_BAD_LENGTH,
		   "what is behind a packet that is yet to be cut, which would be of it (%s)", mode);
	p.size -= 6;
	tap_is_int(node_send(node, SLOT_A, &p).reason, PL_DELIVERED, "datagrams in one piece (%s)", mode);
	udp_length(&p, 12);
	pkt_seal(&p);
	tap_is_int(node_send(node, SLOT_A, &p).reason, PL_DELIVERED,
		   "datagrams in one piece, with the length of the first (%s)", mode);
	udp_length(&p, 900);
	pkt_seal(&p);
	tap_is_int(node_send(node, SLOT_A, &p).reason, PL_DROP_BAD_UDP_LENGTH,
		   "but not with more than there is (%s)", mode);
	node->gso_size = 0;
}

int main(void)
{
	for (int helpers = 0; helpers < 2; helpers++) {
		struct node *node = node_new(&(struct node_options){.helpers = helpers});
		const char *mode = helpers ? "helpers" : "direct";

		test_lies(node, "10.0.0.100", "to an endpoint", mode);
		test_lies(node, "10.0.0.11", "to an instance", mode);
		test_truths(node, mode);
		node_free(node);
	}
	return tap_done();
}
