/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One packet at a time through the shipped program: a table of packets, each with the reason it must leave
 * under and, where it is delivered, what it must look like then. Every case runs with direct packet writes
 * and with the checksum helpers. (That every reason of the list is reached is test_reached's subject.)
 */
#include "../tap.h"
#include "node.h"

/* Spoils a packet after it was built. */
typedef void (*spoil_fn)(struct pkt *p);

struct test_case {
	const char *name;
	uint32_t slot;
	struct pkt_spec spec;
	spoil_fn spoil;
	int reason;
	/* of a delivered packet; NULL: the address stays */
	uint32_t to;
	const char *src, *dst;
	uint16_t sport, dport; /* 0: stays */
};

#define TCP(from, to, sp, dp, flags)                                                                         \
	.spec = {.src = from,                                                                                \
		 .dst = to,                                                                                  \
		 .protocol = IPPROTO_TCP,                                                                    \
		 .sport = sp,                                                                                \
		 .dport = dp,                                                                                \
		 .tcp_flags = flags}
#define UDP(from, to, sp, dp)                                                                                \
	.spec = {.src = from,                                                                                \
		 .dst = to,                                                                                  \
		 .protocol = IPPROTO_UDP,                                                                    \
		 .sport = sp,                                                                                \
		 .dport = dp,                                                                                \
		 .payload = "hello"}
#define ICMP(from, to, type)                                                                                 \
	.spec = {.src = from,                                                                                \
		 .dst = to,                                                                                  \
		 .protocol = IPPROTO_ICMP,                                                                   \
		 .sport = (type) << 8,                                                                       \
		 .dport = 77,                                                                                \
		 .payload = "abcdefg"}

static void cut_after_ip(struct pkt *p)
{
	p->size = PKT_L4;
}

static void cut_ip(struct pkt *p)
{
	p->size = 40;
}

static void cut_tcp(struct pkt *p)
{
	p->size = 50;
	put16(p->data + PKT_IP + 2, 36);
	put16(p->data + PKT_IP + 10, 0);
}

static void cut_payload(struct pkt *p)
{
	p->size -= 2;
}

static void zero_length(struct pkt *p)
{
	put16(p->data + PKT_IP + 2, 0);
}

static void small_length(struct pkt *p)
{
	put16(p->data + PKT_IP + 2, 39);
}

static void add_options(struct pkt *p)
{
	p->data[PKT_IP] = 0x46;
}

static void tiny_header(struct pkt *p)
{
	p->data[PKT_IP] = 0x44;
}

static void wrong_version(struct pkt *p)
{
	p->data[PKT_IP] = 0x65;
}

static void last_fragment(struct pkt *p)
{
	put16(p->data + PKT_IP + 6, 0x00b9);
	put16(p->data + PKT_IP + 10, 0);
	put16(p->data + PKT_IP + 10, ~sum16(p->data + PKT_IP, 20, 0));
}

static void make_gre(struct pkt *p)
{
	p->data[PKT_IP + 9] = 47;
}

static void make_ipv6(struct pkt *p)
{
	put16(p->data + 12, ETH_P_IPV6);
}

static void make_lldp(struct pkt *p)
{
	put16(p->data + 12, 0x88cc);
}

static void forge_mac(struct pkt *p)
{
	p->data[11] ^= 1;
}

static void to_multicast(struct pkt *p)
{
	static const uint8_t mac[6] = {0x01, 0x00, 0x5e, 0, 0, 0xfb};

	memcpy(p->data, mac, 6);
}

static void to_broadcast(struct pkt *p)
{
	memcpy(p->data, broadcast_mac, 6);
}

static void no_checksum(struct pkt *p)
{
	put16(p->data + PKT_L4 + 6, 0);
}

static const struct test_case cases[] = {
	{"the first SYN to an ENI reaches a server, from a translated address", SLOT_A,
	 TCP("10.0.0.10", "10.0.0.100", 4000, 443, SYN), NULL, PL_DELIVERED, .dport = 8443},
	{"UDP to an ENI reaches a server", SLOT_A, UDP("10.0.0.10", "10.0.0.100", 4000, 500), NULL,
	 PL_DELIVERED, .dport = 8443},
	{"UDP without a checksum stays without", SLOT_A, UDP("10.0.0.10", "10.0.0.100", 4002, 500),
	 no_checksum, PL_DELIVERED, .dport = 8443},
	{"a source port below 1024 is not kept", SLOT_A, UDP("10.0.0.10", "10.0.0.100", 400, 500), NULL,
	 PL_DELIVERED, .dport = 8443},
	{"an ENI answers echo", SLOT_A, ICMP("10.0.0.10", "10.0.0.100", 8), NULL, PL_ECHO, SLOT_A,
	 "10.0.0.100", "10.0.0.10"},
	{"an ENI answers echo without a connection", SLOT_A, ICMP("10.0.0.10", "10.0.0.101", 8), NULL,
	 PL_ECHO, SLOT_A, "10.0.0.101", "10.0.0.10"},
	{"an ENI takes no echo reply", SLOT_A, ICMP("10.0.0.10", "10.0.0.100", 0), NULL, PL_DROP_NO_FLOW},
	{"a gateway answers echo", SLOT_A, ICMP("10.0.0.10", "10.0.0.253", 8), NULL, PL_ECHO, SLOT_A,
	 "10.0.0.253", "10.0.0.10"},
	{"a gateway answers nothing else", SLOT_A, TCP("10.0.0.10", "10.0.0.253", 4000, 80, SYN), NULL,
	 PL_DROP_GATEWAY_ECHO},
	{"echo between instances", SLOT_A, ICMP("10.0.0.10", "10.0.0.11", 8), NULL, PL_DELIVERED, SLOT_A2},
	{"an echo reply that nobody asked for", SLOT_A, ICMP("10.0.0.10", "10.0.0.11", 0), NULL,
	 PL_DROP_NO_FLOW},
	{"a SYN between instances", SLOT_A, TCP("10.0.0.10", "10.0.0.11", 4000, 80, SYN), NULL, PL_DELIVERED,
	 SLOT_A2},
	{"UDP between instances", SLOT_A, UDP("10.0.0.10", "10.0.0.11", 4000, 1500), NULL, PL_DELIVERED,
	 SLOT_A2},
	{"UDP between instances without a checksum", SLOT_A, UDP("10.0.0.10", "10.0.0.11", 4001, 1500),
	 no_checksum, PL_DELIVERED, SLOT_A2},
	{"a refused port of an instance", SLOT_A, TCP("10.0.0.10", "10.0.0.11", 4000, 81, SYN), NULL,
	 PL_DROP_POLICY_IN},
	{"a refused port below the range", SLOT_A, TCP("10.0.0.10", "10.0.0.11", 4000, 21, SYN), NULL,
	 PL_DROP_POLICY_IN},
	{"the first port of a rule's range", SLOT_A, TCP("10.0.0.10", "10.0.0.11", 4000, 22, SYN), NULL,
	 PL_DELIVERED, SLOT_A2},
	{"a question to the first DNS address", SLOT_A, UDP("10.0.0.10", "100.100.2.136", 4000, 53), NULL,
	 PL_DNS, SLOT_SERVICE, "198.18.0.16", "198.18.0.2", 4000, 53},
	{"a question to the second DNS address", SLOT_B, UDP("10.0.0.10", "100.100.2.138", 4000, 53), NULL,
	 PL_DNS, SLOT_SERVICE, "198.18.0.18", "198.18.0.2", 4000, 53},
	{"a question over TCP", SLOT_A, TCP("10.0.0.10", "100.100.2.136", 4000, 53, SYN), NULL, PL_DNS,
	 SLOT_SERVICE, "198.18.0.16", "198.18.0.2", 4000, 53},
	{"a DNS address serves no other port", SLOT_A, UDP("10.0.0.10", "100.100.2.136", 4000, 54), NULL,
	 PL_DROP_DNS_ONLY},
	{"a DNS address is not pinged", SLOT_A, ICMP("10.0.0.10", "100.100.2.136", 8), NULL,
	 PL_DROP_DNS_ONLY},
	{"a probe keeps the port that it is for, and comes from the translated range", SLOT_SERVICE,
	 TCP("198.18.0.1", "198.19.0.1", 4000, 8443, SYN), NULL, PL_PROBE, SLOT_S1, NULL, "10.0.0.10", 0,
	 8443},
	{"a probe of a backend that is not there", SLOT_SERVICE,
	 TCP("198.18.0.1", "198.19.0.9", 4000, 80, SYN), NULL, PL_DROP_NO_BACKEND},
	{"VPC 0 opens nothing but probes", SLOT_SERVICE, UDP("198.18.0.2", "198.18.0.16", 53, 4000), NULL,
	 PL_DROP_NO_FLOW},
	{"a probe does not ping", SLOT_SERVICE, ICMP("198.18.0.1", "198.19.0.1", 8), NULL, PL_DROP_NO_FLOW},

	{"a slot without a port", 5, TCP("10.0.0.10", "10.0.0.100", 4000, 443, SYN), NULL, PL_DROP_NO_PORT},
	{"a slot beyond the table", 4000000, TCP("10.0.0.10", "10.0.0.100", 4000, 443, SYN), NULL,
	 PL_DROP_NO_PORT},
	{"a frame that ends with the IP header", SLOT_A, TCP("10.0.0.10", "10.0.0.100", 4000, 443, SYN),
	 cut_after_ip, PL_DROP_BAD_LENGTH},
	{"a frame that ends before the L4 header", SLOT_A, TCP("10.0.0.10", "10.0.0.100", 4000, 443, SYN),
	 cut_ip, PL_DROP_BAD_LENGTH},
	{"a TCP header that is not all there", SLOT_A, TCP("10.0.0.10", "10.0.0.100", 4000, 443, SYN),
	 cut_tcp, PL_DROP_SHORT},
	{"less data than the length says", SLOT_A, UDP("10.0.0.10", "10.0.0.100", 4000, 500), cut_payload,
	 PL_DROP_BAD_LENGTH},
	{"a length of zero", SLOT_A, UDP("10.0.0.10", "10.0.0.100", 4000, 500), zero_length,
	 PL_DROP_BAD_LENGTH},
	{"a length that does not hold the TCP header", SLOT_A, TCP("10.0.0.10", "10.0.0.100", 4000, 443, SYN),
	 small_length, PL_DROP_BAD_LENGTH},
	{"a header length below the minimum", SLOT_A, TCP("10.0.0.10", "10.0.0.100", 4000, 443, SYN),
	 tiny_header, PL_DROP_SHORT},
	{"IPv4 with another version", SLOT_A, TCP("10.0.0.10", "10.0.0.100", 4000, 443, SYN), wrong_version,
	 PL_DROP_SHORT},
	{"IPv4 options", SLOT_A, TCP("10.0.0.10", "10.0.0.100", 4000, 443, SYN), add_options,
	 PL_DROP_OPTIONS},
	{"a fragment without the first", SLOT_A, UDP("10.0.0.10", "10.0.0.100", 4000, 500), last_fragment,
	 PL_DROP_FRAGMENT},
	{"another protocol", SLOT_A, TCP("10.0.0.10", "10.0.0.100", 4000, 443, SYN), make_gre,
	 PL_DROP_PROTOCOL},
	{"an ICMP redirect", SLOT_A, ICMP("10.0.0.10", "10.0.0.100", 5), NULL, PL_DROP_ICMP_TYPE},
	{"an ICMP time stamp", SLOT_A, ICMP("10.0.0.10", "10.0.0.100", 13), NULL, PL_DROP_ICMP_TYPE},
	{"IPv6", SLOT_A, TCP("10.0.0.10", "10.0.0.100", 4000, 443, SYN), make_ipv6, PL_DROP_IPV6},
	{"another ethertype", SLOT_A, TCP("10.0.0.10", "10.0.0.100", 4000, 443, SYN), make_lldp,
	 PL_DROP_ETHERTYPE},
	{"a multicast frame", SLOT_A, UDP("10.0.0.10", "224.0.0.251", 5353, 5353), to_multicast,
	 PL_DROP_NOT_GATEWAY},
	{"a broadcast frame", SLOT_A, UDP("10.0.0.10", "255.255.255.255", 68, 67), to_broadcast,
	 PL_DROP_NOT_GATEWAY},
	{"a forged source MAC", SLOT_A, TCP("10.0.0.10", "10.0.0.100", 4000, 443, SYN), forge_mac,
	 PL_DROP_BAD_MAC},
	{"a forged source address", SLOT_A, TCP("10.0.0.11", "10.0.0.100", 4000, 443, SYN), NULL,
	 PL_DROP_BAD_SOURCE},
	{"an ENI's address as source", SLOT_A, TCP("10.0.0.100", "10.0.0.11", 4000, 80, SYN), NULL,
	 PL_DROP_BAD_SOURCE},
	{"from itself to itself", SLOT_A, TCP("10.0.0.10", "10.0.0.10", 80, 80, SYN), NULL,
	 PL_DROP_BAD_SOURCE},
	{"a forged source address in VPC 0", SLOT_SERVICE, UDP("198.18.0.3", "198.18.0.16", 53, 4000), NULL,
	 PL_DROP_BAD_SOURCE},
	{"nothing has the address", SLOT_A, TCP("10.0.0.10", "10.0.0.99", 4000, 443, SYN), NULL,
	 PL_DROP_NO_PLACE},
	{"another VPC has the address (ping)", SLOT_OTHER, ICMP("10.0.0.10", "10.0.0.100", 8), NULL,
	 PL_DROP_NO_PLACE},
	{"another VPC has the address (SYN)", SLOT_OTHER, TCP("10.0.0.10", "10.0.0.100", 4000, 443, SYN),
	 NULL, PL_DROP_NO_PLACE},
	{"another VPC has the address (UDP)", SLOT_OTHER, UDP("10.0.0.10", "10.0.0.100", 4000, 500), NULL,
	 PL_DROP_NO_PLACE},
	{"a probe address means nothing in a VPC", SLOT_A, TCP("10.0.0.10", "198.19.0.1", 4000, 8443, SYN),
	 NULL, PL_DROP_NO_PLACE},
	{"an address of VPC 0 means nothing in a VPC", SLOT_A, UDP("10.0.0.10", "198.18.0.2", 4000, 53), NULL,
	 PL_DROP_NO_PLACE},
	{"the provider opens nothing towards a translated address (SYN)", SLOT_S1,
	 TCP("10.0.0.10", "100.64.0.16", 4000, 443, SYN), NULL, PL_DROP_NO_FLOW},
	{"the provider opens nothing towards a translated address (UDP)", SLOT_S1,
	 UDP("10.0.0.10", "100.64.0.17", 4000, 500), NULL, PL_DROP_NO_FLOW},
	{"the provider does not ping a translated address", SLOT_S1, ICMP("10.0.0.10", "100.64.0.17", 8),
	 NULL, PL_DROP_NO_FLOW},
	{"TCP in the middle of nothing, to an ENI", SLOT_A, TCP("10.0.0.10", "10.0.0.100", 4000, 443, ACK),
	 NULL, PL_DROP_NOT_SYN},
	{"a SYN with ACK opens nothing", SLOT_A, TCP("10.0.0.10", "10.0.0.100", 4000, 443, SYN | ACK), NULL,
	 PL_DROP_NOT_SYN},
	{"TCP in the middle of nothing, to an instance", SLOT_A, TCP("10.0.0.10", "10.0.0.11", 4000, 80, ACK),
	 NULL, PL_DROP_NOT_SYN},
	{"TCP in the middle of nothing, to DNS", SLOT_A, TCP("10.0.0.10", "100.100.2.136", 4000, 53, ACK),
	 NULL, PL_DROP_NOT_SYN},
	{"TCP in the middle of nothing, a probe", SLOT_SERVICE,
	 TCP("198.18.0.1", "198.19.0.1", 4000, 80, RST), NULL, PL_DROP_NOT_SYN},
	{"a port that the ENI's group does not allow", SLOT_A, TCP("10.0.0.10", "10.0.0.100", 4000, 80, SYN),
	 NULL, PL_DROP_POLICY_IN},
	{"an endpoint that is not connected", SLOT_A, TCP("10.0.0.10", "10.0.0.101", 4000, 443, SYN), NULL,
	 PL_DROP_ENI_NOT_CONNECTED},
	{"an allowed port without a listener", SLOT_A, TCP("10.0.0.10", "10.0.0.100", 4000, 81, SYN), NULL,
	 PL_DROP_NO_LISTENER},
	{"a listener of the other protocol", SLOT_A, UDP("10.0.0.10", "10.0.0.100", 4000, 443), NULL,
	 PL_DROP_NO_LISTENER},
	{"a listener without servers", SLOT_A, TCP("10.0.0.10", "10.0.0.102", 4000, 84, SYN), NULL,
	 PL_DROP_NO_BACKEND},
	{"a table that names no backend", SLOT_A, TCP("10.0.0.10", "10.0.0.102", 4000, 81, SYN), NULL,
	 PL_DROP_NO_BACKEND},
	{"a backend on another node", SLOT_A, TCP("10.0.0.10", "10.0.0.102", 4000, 82, SYN), NULL,
	 PL_DROP_REMOTE},
	{"a backend whose slot is another VPC's now", SLOT_A, TCP("10.0.0.10", "10.0.0.102", 4000, 83, SYN),
	 NULL, PL_DROP_BACKEND_GONE},
	{"an instance on another node", SLOT_A, TCP("10.0.0.10", "10.0.0.50", 4000, 80, SYN), NULL,
	 PL_DROP_REMOTE},
	{"a load balancer's address inside its VPC", SLOT_S1, TCP("10.0.0.10", "10.0.0.200", 4000, 443, SYN),
	 NULL, PL_DROP_VIP},
};

static struct outcome run_case(struct node *node, const struct test_case *t, struct pkt *ret_in)
{
	struct pkt_spec spec = t->spec;
	uint32_t slot = t->slot < SLOTS ? t->slot : SLOT_A;

	spec.dst_mac = gateway_mac;
	spec.src_mac = node->macs[slot];
	*ret_in = pkt_build(&spec);
	if (t->spoil)
		t->spoil(ret_in);
	return node_send(node, t->slot, ret_in);
}

/* What the delivered packet must be: the one that was sent, with the case's fields, sealed anew. */
static bool looks_right(struct node *node, const struct test_case *t, const struct pkt *in,
			const struct outcome *o)
{
	struct pkt want = *in;
	uint8_t *l4 = want.data + PKT_L4;

	if (t->reason == PL_DNS || t->reason == PL_PROBE || (t->reason == PL_DELIVERED && !t->to))
		want = pkt_routed(&want);
	memcpy(want.data, t->to ? node->macs[t->to] : o->out.data, 6);
	if (t->reason == PL_DNS)
		memcpy(want.data, node->macs[SLOT_SERVICE], 6);
	memcpy(want.data + 6, gateway_mac, 6);
	if (t->src)
		put_addr(want.data + PKT_IP + 12, t->src);
	if (t->dst)
		put_addr(want.data + PKT_IP + 16, t->dst);
	if (t->reason == PL_ECHO)
		l4[0] = 0;
	if (t->sport)
		put16(l4, t->sport);
	if (t->dport)
		put16(l4 + 2, t->dport);
	/* what translation chooses itself is tested by the oracle */
	if (!t->to && t->reason == PL_DELIVERED) {
		memcpy(want.data + PKT_IP + 12, o->out.data + PKT_IP + 12, 8);
		memcpy(l4, o->out.data + PKT_L4, 2);
		if (memcmp(o->out.data + PKT_IP + 12, "\x64\x40\x00", 3))
			return false;
	}
	if (t->reason == PL_PROBE) {
		memcpy(want.data + PKT_IP + 12, o->out.data + PKT_IP + 12, 4);
		memcpy(l4, o->out.data + PKT_L4, 2);
	}
	pkt_seal(&want);
	return pkt_equal(&want, &o->out);
}

/* Whether a case's drop is told to its sender: what nobody answers, or TCP that belongs to nothing. A reset
 * never, nor a SYN to where nothing is. */
static bool is_told(const struct test_case *t, const struct pkt *in)
{
	uint8_t flags = in->data[PKT_L4 + 13];

	if (t->spec.protocol == IPPROTO_UDP)
		return t->reason == PL_DROP_NO_LISTENER;
	if (t->spec.protocol != IPPROTO_TCP || (flags & RST))
		return false;
	switch (t->reason) {
	case PL_DROP_NO_LISTENER:
	case PL_DROP_NO_BACKEND:
	case PL_DROP_BACKEND_GONE:
	case PL_DROP_ENI_NOT_CONNECTED:
		return true;
	case PL_DROP_NOT_SYN:
	case PL_DROP_NO_FLOW:
	case PL_DROP_NO_PLACE:
		return flags != SYN;
	default:
		return false;
	}
}

static bool is_dropped(const struct test_case *t, const struct pkt *in, const struct outcome *o)
{
	struct pkt reset;

	if (!is_told(t, in))
		return o->verdict == TC_ACT_SHOT && pkt_equal(in, &o->out);
	if (t->spec.protocol == IPPROTO_UDP)
		return o->verdict == TC_ACT_REDIRECT && pkt_is_unreachable(&o->out, in, 3);
	reset = pkt_reset(in, gateway_mac);
	return o->verdict == TC_ACT_REDIRECT && pkt_equal(&reset, &o->out);
}

static void test_cases(struct node *node, const char *mode)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct test_case *t = &cases[i];
		bool drop = PL_REASON_IS_DROP(t->reason);
		struct outcome o;
		struct pkt in;
		bool ok;

		node_clear_flows(node);
		o = run_case(node, t, &in);
		ok = o.reason == t->reason;
		if (ok && drop)
			ok = is_dropped(t, &in, &o) && node_flows(node) == 0;
		else if (ok)
			ok = o.verdict == TC_ACT_REDIRECT && looks_right(node, t, &in, &o);
		tap_ok(ok, "%s (%s): %s", t->name, mode, reason_name(t->reason));
		if (!ok)
			tap_note("left as %s, verdict %u: %s", reason_name(o.reason), o.verdict,
				 pkt_text(&o.out));
	}
}

/* New rules, as the agent puts them in force. */
static void put_policy(struct node *node, uint32_t slot, const struct node_rule *in, size_t n_in,
		       bool out_allowed)
{
	node_policy(node, slot, in, n_in, out_allowed);
	node_bump(node, slot);
}

/* A fresh rule set for a rule's order and defaults. */
static void test_rules(struct node *node, const char *mode)
{
	struct pkt_spec spec = {.dst_mac = gateway_mac,
				.src_mac = node->macs[SLOT_A2],
				.src = "10.0.0.11",
				.dst = "10.0.0.100",
				.protocol = IPPROTO_TCP,
				.sport = 5000,
				.dport = 443,
				.tcp_flags = SYN};
	const struct node_rule first_refuses[] = {{"10.0.0.11", 32, 0, 0, 65535, false},
						  {"10.0.0.0", 8, 0, 0, 65535, true}};
	const struct node_rule near[] = {{"10.0.0.10", 32, 0, 0, 65535, true},
					 {"10.0.0.12", 30, 0, 0, 65535, true}};
	struct pkt p = pkt_build(&spec);

	node_clear_flows(node);
	put_policy(node, SLOT_ENI_A, RULES(first_refuses), false);
	tap_is_int(node_send(node, SLOT_A2, &p).reason, PL_DROP_POLICY_IN, "the first rule decides (%s)",
		   mode);
	put_policy(node, SLOT_ENI_A, RULES(near), false);
	tap_is_int(node_send(node, SLOT_A2, &p).reason, PL_DROP_POLICY_IN,
		   "a neighbour's prefix is not one's own (%s)", mode);
	node_no_policy(node, SLOT_ENI_A);
	node_bump(node, SLOT_ENI_A);
	tap_is_int(node_send(node, SLOT_A2, &p).reason, PL_DROP_POLICY_IN,
		   "without a policy all is refused (%s)", mode);
	put_policy(node, SLOT_ENI_A, RULES(rules_eni), false);
	put_policy(node, SLOT_A2, RULES(rules_instance), false);
	tap_is_int(node_send(node, SLOT_A2, &p).reason, PL_DROP_POLICY_OUT,
		   "the sender's own groups are asked first (%s)", mode);
	put_policy(node, SLOT_A2, RULES(rules_instance), true);
	tap_is_int(node_send(node, SLOT_A2, &p).reason, PL_DELIVERED, "the rules let it pass again (%s)",
		   mode);
}

/* ICMP has no ports: whatever range a rule's row has says nothing to it. (What stands where the port would is
 * 0 in a request.) */
static void test_rules_of_echo(struct node *node, const char *mode)
{
	const struct node_rule allows[] = {{"10.0.0.0", 24, IPPROTO_ICMP, 80, 443, true}};
	const struct node_rule refuses[] = {{"10.0.0.0", 24, IPPROTO_ICMP, 80, 443, false},
					    {"10.0.0.0", 24, 0, 0, 65535, true}};
	const struct {
		const char *to, *what;
		uint32_t slot;
		int passes;
	} tos[] = {
		{"10.0.0.100", "to an ENI", SLOT_ENI_A, PL_ECHO},
		{"10.0.0.11", "to an instance", SLOT_A2, PL_DELIVERED},
	};

	for (size_t i = 0; i < sizeof(tos) / sizeof(tos[0]); i++) {
		struct pkt p = pkt_build(&(struct pkt_spec){.dst_mac = gateway_mac,
							    .src_mac = node->macs[SLOT_A],
							    .src = "10.0.0.10",
							    .dst = tos[i].to,
							    .protocol = IPPROTO_ICMP,
							    .sport = 8 << 8,
							    .dport = 77});

		node_clear_flows(node);
		put_policy(node, tos[i].slot, RULES(allows), false);
		tap_is_int(node_send(node, SLOT_A, &p).reason, tos[i].passes,
			   "echo %s passes by a rule with a range of ports (%s)", tos[i].what, mode);
		put_policy(node, tos[i].slot, RULES(refuses), false);
		tap_is_int(node_send(node, SLOT_A, &p).reason, PL_DROP_POLICY_IN,
			   "echo %s is refused by one (%s)", tos[i].what, mode);
	}
	put_policy(node, SLOT_ENI_A, RULES(rules_eni), false);
	put_policy(node, SLOT_A2, RULES(rules_instance), true);
}

/* As many rules as a list takes, of which the last one matches; and what comes in wants the consent of an
 * ENI's load balancer, too. */
static void test_many_rules(struct node *node)
{
	struct pkt_spec spec = {.dst_mac = gateway_mac,
				.src_mac = node->macs[SLOT_A],
				.src = "10.0.0.10",
				.dst = "10.0.0.100",
				.protocol = IPPROTO_UDP,
				.sport = 5000,
				.dport = 500};
	static struct group_rule rules[PL_LIST_RULES_MAX];
	struct pkt p = pkt_build(&spec);
	uint32_t slot = SLOT_ENI_A;

	for (uint32_t i = 0; i < PL_LIST_RULES_MAX; i++) {
		rules[i] = (struct group_rule){.rank = PL_RANK(1, false)};
		group_rule_set_service(&rules[i], 0, 0, 65535);
		group_rule_set_prefix(&rules[i], 0xac100000 + i, 32);
	}
	rules[PL_LIST_RULES_MAX - 1].rank = PL_RANK(2, true);
	group_rule_set_prefix(&rules[PL_LIST_RULES_MAX - 1], 0x0a000000, 8);
	node_group(node, slot, node_list(node, 10000, rules, PL_LIST_RULES_MAX), 0);
	node_bump(node, slot);
	node_clear_flows(node);
	tap_is_int(node_send(node, SLOT_A, &p).reason, PL_DELIVERED,
		   "the last of the most rules still decides");
	node_group(node, slot, node_list(node, 10000, rules, PL_LIST_RULES_MAX - 1), 0);
	node_bump(node, slot);
	node_clear_flows(node);
	tap_is_int(node_send(node, SLOT_A, &p).reason, PL_DROP_POLICY_IN, "without it all is refused");
	put_policy(node, SLOT_ENI_A, RULES(rules_eni), false);
}

struct arp_case {
	const char *name;
	uint32_t slot;
	const uint8_t *dst;
	uint16_t operation;
	const char *sender, *target;
	int reason;
};

static void test_arp(struct node *node)
{
	const struct arp_case arps[] = {
		{"who has an ENI's address", SLOT_A, broadcast_mac, 1, "10.0.0.10", "10.0.0.100", PL_ARP},
		{"who has the gateway", SLOT_A, broadcast_mac, 1, "10.0.0.10", "10.0.0.253", PL_ARP},
		{"who has an address that nothing has", SLOT_A, broadcast_mac, 1, "10.0.0.10", "10.0.0.99",
		 PL_ARP},
		{"asked of the gateway alone", SLOT_A, gateway_mac, 1, "10.0.0.10", "10.0.0.11", PL_ARP},
		{"who has a probe address, from VPC 0", SLOT_SERVICE, broadcast_mac, 1, "198.18.0.1",
		 "198.19.0.1", PL_ARP},
		{"the DNS socket asks for an instance", SLOT_SERVICE, broadcast_mac, 1, "198.18.0.2",
		 "198.18.0.16", PL_ARP},
		{"a probe for another address", SLOT_A, broadcast_mac, 1, "0.0.0.0", "10.0.0.12", PL_ARP},
		{"a probe for the own address finds it free", SLOT_A, broadcast_mac, 1, "0.0.0.0",
		 "10.0.0.10", PL_DROP_ARP_OTHER},
		{"an announcement", SLOT_A, broadcast_mac, 1, "10.0.0.10", "10.0.0.10", PL_DROP_ARP_OTHER},
		{"an announcement of the DNS socket", SLOT_SERVICE, broadcast_mac, 1, "198.18.0.2",
		 "198.18.0.2", PL_DROP_ARP_OTHER},
		{"a reply", SLOT_A, gateway_mac, 2, "10.0.0.10", "10.0.0.253", PL_DROP_ARP_OTHER},
		{"another's address as sender", SLOT_A, broadcast_mac, 1, "10.0.0.11", "10.0.0.100",
		 PL_DROP_BAD_SOURCE},
	};
	struct pkt p;

	for (size_t i = 0; i < sizeof(arps) / sizeof(arps[0]); i++) {
		const struct arp_case *t = &arps[i];
		struct pkt want;
		struct outcome o;

		p = pkt_arp(t->dst, node->macs[t->slot], t->operation, t->sender, t->target);
		want = p;
		if (t->reason == PL_ARP) {
			want = pkt_arp(node->macs[t->slot], gateway_mac, 2, t->target, t->sender);
			memcpy(want.data + 32, node->macs[t->slot], 6);
		}
		o = node_send(node, t->slot, &p);
		tap_ok(o.reason == t->reason && pkt_equal(&want, &o.out), "ARP: %s: %s", t->name,
		       reason_name(t->reason));
	}
	p = pkt_arp(broadcast_mac, node->macs[SLOT_A], 1, "10.0.0.10", "10.0.0.100");
	p.data[27] ^= 1;
	tap_is_int(node_send(node, SLOT_A, &p).reason, PL_DROP_BAD_MAC,
		   "ARP: another MAC inside than outside");
	p = pkt_arp(broadcast_mac, node->macs[SLOT_A], 1, "10.0.0.10", "10.0.0.100");
	p.size = 40;
	tap_is_int(node_send(node, SLOT_A, &p).reason, PL_DROP_SHORT, "ARP: cut short");
	p.size = 60;
	tap_is_int(node_send(node, SLOT_A, &p).reason, PL_ARP, "ARP: padded as on a wire");
}

/* Every byte of both MACs counts, and nothing that lies behind them in the rows. */
static void test_macs(struct node *node)
{
	struct pkt syn = pkt_build(&(struct pkt_spec){.src_mac = node->macs[SLOT_A],
						      .dst_mac = gateway_mac,
						      .src = "10.0.0.10",
						      .dst = "10.0.0.100",
						      .protocol = IPPROTO_TCP,
						      .sport = 4000,
						      .dport = 443,
						      .tcp_flags = SYN});
	int fd = bpf_map__fd(node->bpf->maps.pl_ports);
	uint32_t slot = SLOT_A;
	struct pl_port port;

	must(bpf_map_lookup_elem(fd, &slot, &port), "pl_ports");
	port.zone = 0xbeef;
	map_put(node->bpf->maps.pl_ports, &slot, &port);
	for (int i = 0; i < 12; i++) {
		int reason = i < 6 ? PL_DROP_NOT_GATEWAY : PL_DROP_BAD_MAC;
		struct pkt p = syn;

		p.data[i] ^= 0x80;
		tap_is_int(node_send(node, SLOT_A, &p).reason, reason, "byte %d of the MACs is another: %s",
			   i, reason_name(reason));
	}
	tap_is_int(node_send(node, SLOT_A, &syn).reason, PL_DELIVERED,
		   "the port's zone, and the least MTU, are no part of their MACs");
}

/* What a packet is to be cut into. (A run of the program shows no type, and no unmade checksum.) */
static void test_segments(struct node *node, const char *mode)
{
	static const struct {
		const char *name;
		uint32_t size;
		struct pkt_spec spec;
		int reason;
	} segments[] = {
		{"TCP in segments of one byte", 1, {.protocol = IPPROTO_TCP, .dport = 443}, PL_DROP_BAD_GSO},
		{"TCP in segments just too small",
		 PL_GSO_SIZE_MIN - 1,
		 {.protocol = IPPROTO_TCP, .dport = 443},
		 PL_DROP_BAD_GSO},
		{"TCP in the smallest segments",
		 PL_GSO_SIZE_MIN,
		 {.protocol = IPPROTO_TCP, .dport = 443},
		 PL_DELIVERED},
		{"UDP in datagrams just too small",
		 PL_GSO_SIZE_MIN - 1,
		 {.protocol = IPPROTO_UDP, .dport = 500},
		 PL_DROP_BAD_GSO},
		{"UDP in the smallest datagrams",
		 PL_GSO_SIZE_MIN,
		 {.protocol = IPPROTO_UDP, .dport = 500},
		 PL_DELIVERED},
		{"echo in segments", 1000, {.protocol = IPPROTO_ICMP, .sport = 8 << 8}, PL_DROP_BAD_GSO},
	};
	struct pkt p = pkt_arp(broadcast_mac, node->macs[SLOT_A], 1, "10.0.0.10", "10.0.0.100");

	node_clear_flows(node);
	for (size_t i = 0; i < sizeof(segments) / sizeof(segments[0]); i++) {
		struct pkt_spec spec = segments[i].spec;
		struct pkt whole;

		spec.dst_mac = gateway_mac;
		spec.src_mac = node->macs[SLOT_A];
		spec.src = "10.0.0.10";
		spec.dst = "10.0.0.100";
		spec.sport = spec.sport ? spec.sport : 6000 + i;
		spec.tcp_flags = SYN;
		spec.payload =
			"a payload that could be cut into many pieces, if anybody were to cut it: not here";
		node->gso_size = segments[i].size;
		whole = pkt_build(&spec);
		tap_is_int(node_send(node, SLOT_A, &whole).reason, segments[i].reason, "%s (%s): %s",
			   segments[i].name, mode, reason_name(segments[i].reason));
	}
	node->gso_size = 1000;
	tap_is_int(node_send(node, SLOT_A, &p).reason, PL_DROP_BAD_GSO, "ARP in segments (%s)", mode);
	node->gso_size = 0;
}

static void test_guards(struct node *node)
{
	struct pkt p = pkt_arp(broadcast_mac, gateway_mac, 1, "10.0.0.253", "10.0.0.10");
	static const struct {
		const char *name;
		struct __sk_buff ctx;
		bool passes;
	} marked[] = {
		{"what we send to a tap passes and loses its mark",
		 {.mark = PL_MARK_OURS ^ SLOT_A, .ingress_ifindex = LOOPBACK},
		 true},
		{"a mark that the node itself set is not enough", {.mark = PL_MARK_OURS ^ SLOT_A}, false},
		{"nor is one of a packet that came in elsewhere",
		 {.mark = PL_MARK_OURS ^ SLOT_A, .ingress_ifindex = LOOPBACK + 1},
		 false},
		{"nor is one of a port that is not there",
		 {.mark = PL_MARK_OURS ^ 5, .ingress_ifindex = LOOPBACK},
		 false},
	};
	struct outcome o = node_run(node, node->bpf->progs.pl_guard_veth, 0, &p);

	tap_ok(o.reason == PL_DROP_EGRESS_GUARD && o.verdict == TC_ACT_SHOT,
	       "what the node itself sends towards a veth is dropped and counted");
	o = node_run(node, node->bpf->progs.pl_guard_tap, 0, &p);
	tap_ok(o.reason == PL_DROP_EGRESS_GUARD && o.verdict == TC_ACT_SHOT,
	       "what the node itself sends towards a tap is dropped and counted");
	for (size_t i = 0; i < sizeof(marked) / sizeof(marked[0]); i++) {
		struct __sk_buff ctx = marked[i].ctx;

		LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = p.data, .data_size_in = p.size,
			    .ctx_in = &ctx, .ctx_size_in = sizeof(ctx), .ctx_out = &ctx,
			    .ctx_size_out = sizeof(ctx));
		must(bpf_prog_test_run_opts(bpf_program__fd(node->bpf->progs.pl_guard_tap), &opts), "run");
		tap_ok(marked[i].passes ? opts.retval == TC_ACT_OK && ctx.mark == 0
					: opts.retval == TC_ACT_SHOT,
		       "%s", marked[i].name);
	}
}

int main(void)
{
	for (int helpers = 0; helpers < 2; helpers++) {
		struct node *node = node_new(&(struct node_options){.helpers = helpers});
		const char *mode = helpers ? "helpers" : "direct";

		test_cases(node, mode);
		test_rules(node, mode);
		test_rules_of_echo(node, mode);
		test_segments(node, mode);
		if (!helpers) {
			test_many_rules(node);
			test_arp(node);
			test_macs(node);
			test_guards(node);
		}
		node_free(node);
	}
	return tap_done();
}
