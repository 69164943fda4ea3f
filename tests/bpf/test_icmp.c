/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ICMP errors: those that the data path makes itself, about a packet that it drops, and those that one end of
 * a flow sends to the other.
 */
#include "../tap.h"

#include "flows.h"

#define RATE_TRIES 5000

static struct pkt with_ttl(struct pkt p, uint8_t ttl)
{
	p.data[PKT_IP + 8] = ttl;
	pkt_seal(&p);
	return p;
}

static bool is_nth(const char *what, bool ok)
{
	if (!ok)
		tap_note("wrong: %s", what);
	return ok;
}

/* Whether what came back is an error about the packet: to its sender, from where it was for, with all its
 * headers quoted. */
static bool is_error_about(const struct node *node, uint32_t slot, const struct pkt *in,
			   const struct outcome *o, uint8_t type, uint8_t code, uint32_t rest)
{
	const uint8_t *out = o->out.data;
	size_t quoted = in->data[PKT_IP + 9] == IPPROTO_TCP ? 40 : 28;

	return is_nth("verdict", o->verdict == TC_ACT_REDIRECT) &&
	       is_nth("size", o->out.size == QUOTE + quoted && pkt_l4_size(&o->out) == 8 + quoted) &&
	       is_nth("MACs",
		      memcmp(out, node->macs[slot], 6) == 0 && memcmp(out + 6, gateway_mac, 6) == 0) &&
	       is_nth("IP header", out[PKT_IP] == 0x45 && out[PKT_IP + 8] == 64 && out[PKT_IP + 9] == 1) &&
	       is_nth("source", memcmp(out + PKT_IP + 12, in->data + PKT_IP + 16, 4) == 0) &&
	       is_nth("destination", memcmp(out + PKT_IP + 16, in->data + PKT_IP + 12, 4) == 0) &&
	       is_nth("type", out[PKT_L4] == type && out[PKT_L4 + 1] == code) &&
	       is_nth("rest", (uint32_t)(get16(out + PKT_L4 + 4) << 16 | get16(out + PKT_L4 + 6)) == rest) &&
	       is_nth("quote", memcmp(out + QUOTE, in->data + PKT_IP, quoted) == 0) &&
	       is_nth("checksums", pkt_is_sealed(&o->out));
}

/* The time to live of what crosses a router. */
static void test_ttl(struct node *node, const char *mode)
{
	struct pkt seen = handshake(node, SLOT_A, 4000), p, reply;
	struct outcome o;

	forget_rate(node, SLOT_A);
	p = with_ttl(tcp(node, SLOT_A, 4000, ACK), 2);
	o = node_send(node, SLOT_A, &p);
	tap_ok(o.reason == PL_DELIVERED && o.out.data[PKT_IP + 8] == 1 && pkt_is_sealed(&o.out),
	       "a packet to an endpoint has its time to live lowered (%s)", mode);
	for (uint8_t ttl = 0; ttl < 2; ttl++) {
		p = with_ttl(tcp(node, SLOT_A, 4000, ACK), ttl);
		o = node_send(node, SLOT_A, &p);
		tap_ok(o.reason == PL_DROP_TTL_EXCEEDED && is_error_about(node, SLOT_A, &p, &o, 11, 0, 0),
		       "with %u it is dropped, and its sender is told (%s)", ttl, mode);
	}
	reply = with_ttl(node_reply(&seen, ACK), 1);
	o = node_send(node, receiver(node, &seen), &reply);
	tap_ok(o.reason == PL_DROP_TTL_EXCEEDED &&
		       is_error_about(node, receiver(node, &seen), &reply, &o, 11, 0, 0),
	       "so is an answer's (%s)", mode);
	p = with_ttl(udp(node, SLOT_A, 4001), 1);
	o = node_send(node, SLOT_A, &p);
	tap_ok(o.reason == PL_DROP_TTL_EXCEEDED && is_error_about(node, SLOT_A, &p, &o, 11, 0, 0),
	       "so is a datagram's (%s)", mode);
	p = with_ttl(local(node, SLOT_A, 4000, 80, SYN), 1);
	o = node_send(node, SLOT_A, &p);
	tap_ok(o.reason == PL_DELIVERED && o.out.data[PKT_IP + 8] == 1,
	       "between instances there is no router (%s)", mode);
	p = with_ttl(p, 0);
	o = node_send(node, SLOT_A, &p);
	tap_ok(o.reason == PL_DROP_TTL_EXCEEDED && is_error_about(node, SLOT_A, &p, &o, 11, 0, 0),
	       "but 0 may not even be sent (%s)", mode);
}

static struct pkt of_size(const struct node *node, uint32_t slot, const char *dst, uint8_t protocol,
			  size_t size)
{
	static char text[PKT_MAX];

	memset(text, 'x', sizeof(text));
	text[size - (protocol == IPPROTO_TCP ? 40 : 28)] = '\0';
	return from(node, slot,
		    (struct pkt_spec){.src = "10.0.0.10",
				      .dst = dst,
				      .protocol = protocol,
				      .sport = 1500,
				      .dport = protocol == IPPROTO_TCP	  ? 443
					       : strcmp(dst, "10.0.0.11") ? 500
									  : 1500,
				      .tcp_flags = SYN,
				      .payload = text});
}

/* A receiver with a narrower MTU than the sender. */
static void test_mtu(struct node *node, const char *mode)
{
	struct pkt p, cuttable;
	struct outcome o;

	node_clear_flows(node);
	forget_rate(node, SLOT_A);
	serve_by(node, 1);
	node_mtu(node, SLOT_S1, 600);
	p = of_size(node, SLOT_A, "10.0.0.100", IPPROTO_UDP, 600);
	tap_is_int(node_send(node, SLOT_A, &p).reason, PL_DELIVERED, "a packet of the receiver's MTU (%s)",
		   mode);
	for (int i = 0; i < 2; i++) {
		p = of_size(node, SLOT_A, "10.0.0.100", i ? IPPROTO_TCP : IPPROTO_UDP, 601);
		o = node_send(node, SLOT_A, &p);
		tap_ok(o.reason == PL_DROP_TOO_BIG && is_error_about(node, SLOT_A, &p, &o, 3, 4, 600),
		       "a larger one of %s is dropped, and its sender told how large it may be (%s)",
		       i ? "TCP" : "UDP", mode);
	}
	cuttable = p;
	put16(cuttable.data + PKT_IP + 6, 0);
	pkt_seal(&cuttable);
	o = node_send(node, SLOT_A, &cuttable);
	tap_ok(o.reason == PL_DROP_TOO_BIG && is_error_about(node, SLOT_A, &cuttable, &o, 3, 4, 600),
	       "so is that of one which might be fragmented, as nobody does it here (%s)", mode);
	p = of_size(node, SLOT_A, "10.0.0.100", IPPROTO_TCP, 1400);
	node->gso_size = 560;
	tap_is_int(node_send(node, SLOT_A, &p).reason, PL_DELIVERED, "segments that fit (%s)", mode);
	node->gso_size = 561;
	o = node_send(node, SLOT_A, &p);
	tap_ok(o.reason == PL_DROP_TOO_BIG && is_error_about(node, SLOT_A, &p, &o, 3, 4, 600),
	       "segments that do not (%s)", mode);
	node->gso_size = 0;
	node_mtu(node, SLOT_A2, 700);
	p = of_size(node, SLOT_A, "10.0.0.11", IPPROTO_UDP, 701);
	o = node_send(node, SLOT_A, &p);
	tap_ok(o.reason == PL_DROP_TOO_BIG && is_error_about(node, SLOT_A, &p, &o, 3, 4, 700),
	       "between instances, too (%s)", mode);
	node_mtu(node, SLOT_S1, 1500);
	node_mtu(node, SLOT_A2, 1500);
	serve_by_all(node);
}

/* What nobody is told of. */
static void test_untold(struct node *node, const char *mode)
{
	struct pkt p = with_ttl(from(node, SLOT_A,
				     (struct pkt_spec){.src = "10.0.0.10",
						       .dst = "224.0.0.1",
						       .protocol = IPPROTO_UDP,
						       .sport = 5353,
						       .dport = 5353}),
				0);
	struct outcome o;

	forget_rate(node, SLOT_A);
	o = node_send(node, SLOT_A, &p);
	tap_ok(o.reason == PL_DROP_TTL_EXCEEDED && o.verdict == TC_ACT_SHOT && pkt_equal(&p, &o.out),
	       "there is no error about a multicast packet (%s)", mode);
	put_addr(p.data + PKT_IP + 12, "10.0.0.11");
	put_addr(p.data + PKT_IP + 16, "10.0.0.100");
	pkt_seal(&p);
	o = node_send(node, SLOT_A, &p);
	tap_ok(o.verdict == TC_ACT_SHOT && pkt_equal(&p, &o.out), "nor to a forged source (%s)", mode);
}

/* How many errors one port may cause. */
static void test_rate(struct node *node, const char *mode)
{
	struct pkt p = with_ttl(udp(node, SLOT_A, 4001), 1), q = with_ttl(udp(node, SLOT_B, 4001), 1);
	uint64_t before = node_count(node, PL_DROP_TTL_EXCEEDED).packets;
	unsigned int n = 1;

	forget_rate(node, SLOT_A);
	forget_rate(node, SLOT_B);
	while (node_leaves(node, SLOT_A, &p) && n < RATE_TRIES)
		n++;
	tap_ok(n > PL_ICMP_BURST && n < RATE_TRIES &&
		       node_count(node, PL_DROP_TTL_EXCEEDED).packets - before == n,
	       "after %d errors a port is not told any more (%s)", PL_ICMP_BURST, mode);
	tap_is_int(node_send(node, SLOT_B, &q).verdict, TC_ACT_REDIRECT, "another port still is (%s)", mode);
}

/* Whether an error about what `slot` has sent comes to it as one about that. `seen` is what became of it. */
static bool comes_back(struct node *node, uint32_t slot, const struct pkt *sent, const struct pkt *seen,
		       uint16_t type_code, size_t quoted)
{
	struct pkt error = error_about(seen, type_code, 0x05dc, quoted), quote = *sent, want;
	bool routed = receiver(node, seen) != SLOT_A2;
	struct outcome o;

	if (routed)
		quote = pkt_routed(&quote);
	want = error_about(&quote, type_code, 0x05dc, quoted);
	if (routed)
		want = pkt_routed(&want);
	memcpy(want.data, node->macs[slot], 6);
	memcpy(want.data + 6, gateway_mac, 6);
	o = node_send(node, receiver(node, seen), &error);
	return is_nth("reason", o.reason == PL_DELIVERED && o.verdict == TC_ACT_REDIRECT) &&
	       is_nth("checksum", pkt_is_sealed(&o.out)) && is_nth("bytes", pkt_equal(&want, &o.out));
}

static const uint16_t errors[] = {3 << 8, 3 << 8 | 1, 3 << 8 | 3, 3 << 8 | 4, 3 << 8 | 13, 11 << 8, 12 << 8};

/* From a server to the consumer, and the other way. */
static void test_relayed(struct node *node, const char *mode)
{
	struct pkt sent = udp(node, SLOT_A, 4000), seen, answer, answered;

	node_clear_flows(node);
	seen = deliver(node, SLOT_A, &sent);
	forget_rate(node, receiver(node, &seen));
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		tap_ok(comes_back(node, SLOT_A, &sent, &seen, errors[i], 28 + i),
		       "an error of type %u, code %u comes back from the server (%s)", errors[i] >> 8,
		       errors[i] & 0xff, mode);
	answer = node_reply(&seen, 0);
	answered = deliver(node, receiver(node, &seen), &answer);
	forget_rate(node, SLOT_A);
	tap_ok(comes_back(node, receiver(node, &seen), &answer, &answered, 3 << 8 | 3, 36),
	       "and from the consumer, about an answer (%s)", mode);
	answer = error_about(&answered, 3 << 8 | 4, 68, 36);
	tap_is_int(node_send(node, SLOT_A, &answer).reason, PL_DROP_ICMP_TYPE,
		   "but not that its path is narrow: others share the source (%s)", mode);
	put16(sent.data + PKT_L4 + 6, 0);
	pkt_seal(&sent);
	seen = deliver(node, SLOT_A, &sent);
	tap_ok(comes_back(node, SLOT_A, &sent, &seen, 3 << 8 | 3, 36),
	       "about a datagram without a checksum (%s)", mode);

	sent = tcp(node, SLOT_A, 4000, SYN);
	seen = deliver(node, SLOT_A, &sent);
	forget_rate(node, receiver(node, &seen));
	for (size_t quoted = 28; quoted <= 40; quoted += quoted == 36 ? 2 : 1) /* not half a checksum */
		tap_ok(comes_back(node, SLOT_A, &sent, &seen, 3 << 8 | 4, quoted),
		       "about TCP, with %zu bytes quoted (%s)", quoted, mode);
}

/* Between instances nothing is rewritten. */
static void test_relayed_locally(struct node *node, const char *mode)
{
	struct pkt sent = local(node, SLOT_A, 4000, 80, SYN), seen, reply, answered;

	node_clear_flows(node);
	forget_rate(node, SLOT_A);
	forget_rate(node, SLOT_A2);
	seen = deliver(node, SLOT_A, &sent);
	tap_ok(comes_back(node, SLOT_A, &sent, &seen, 3 << 8 | 4, 40), "an error between instances (%s)",
	       mode);
	sent = from(node, SLOT_A,
		    (struct pkt_spec){.src = "10.0.0.10",
				      .dst = "10.0.0.11",
				      .protocol = IPPROTO_ICMP,
				      .sport = 8 << 8,
				      .dport = 77});
	seen = deliver(node, SLOT_A, &sent);
	tap_ok(comes_back(node, SLOT_A, &sent, &seen, 11 << 8 | 1, 28), "about an echo request (%s)", mode);
	reply = error_about(&seen, 0, 77 << 16 | 1, 0);
	answered = deliver(node, SLOT_A2, &reply);
	reply = error_about(&answered, 3 << 8 | 1, 0, 28);
	tap_is_int(node_send(node, SLOT_A, &reply).reason, PL_DELIVERED, "about an echo reply (%s)", mode);
	reply.data[QUOTE + 20] = 8;
	pkt_seal(&reply);
	tap_is_int(node_send(node, SLOT_A, &reply).reason, PL_DROP_NO_FLOW,
		   "but not about a request that was none (%s)", mode);
}

static void quote_at(struct pkt *p, size_t at, uint8_t value)
{
	p->data[QUOTE + at] = value;
	pkt_seal(p);
}

/* What an error may not do: tell of others' packets, open a flow, or make one last. */
static void test_refused(struct node *node, const char *mode)
{
	static const struct {
		const char *name;
		size_t at;
		uint8_t value;
		int reason;
	} spoils[] = {
		{"a quote to another address", 19, 11, PL_DROP_ICMP_QUOTE},
		{"a quote from another than the error is for", 15, 99, PL_DROP_ICMP_QUOTE},
		{"a quote with options", 0, 0x46, PL_DROP_ICMP_QUOTE},
		{"a quote of IPv6", 0, 0x60, PL_DROP_ICMP_QUOTE},
		{"a quote of a fragment after the first", 7, 1, PL_DROP_ICMP_QUOTE},
		{"a quote of another protocol", 9, 47, PL_DROP_ICMP_QUOTE},
		{"a quote of an ICMP error", 9, IPPROTO_ICMP, PL_DROP_ICMP_QUOTE},
		{"a quote of a flow that is not there", 21, 0xff, PL_DROP_NO_FLOW},
		{"a quote of the other protocol", 9, IPPROTO_TCP, PL_DROP_NO_FLOW},
	};
	struct pkt sent = udp(node, SLOT_A, 4000), seen, error, p;
	struct pl_flow4_key key = node_key(&sent, 10, PL_SIDE_OUT);
	struct pl_flow4 before, after;
	uint32_t flows, server;

	node_clear_flows(node);
	seen = deliver(node, SLOT_A, &sent);
	server = receiver(node, &seen);
	error = error_about(&seen, 3 << 8 | 3, 0, 36);
	forget_rate(node, server);
	flows = node_flows(node);
	for (size_t i = 0; i < sizeof(spoils) / sizeof(spoils[0]); i++) {
		struct outcome o;

		p = error;
		quote_at(&p, spoils[i].at, spoils[i].value);
		if (spoils[i].value == IPPROTO_ICMP)
			quote_at(&p, 20, 3);
		o = node_send(node, server, &p);
		tap_ok(o.reason == spoils[i].reason && o.verdict == TC_ACT_SHOT && pkt_equal(&p, &o.out) &&
			       node_flows(node) == flows,
		       "%s: %s (%s)", spoils[i].name, reason_name(spoils[i].reason), mode);
	}
	p = error_about(&seen, 3 << 8 | 3, 0, 27);
	tap_is_int(node_send(node, server, &p).reason, PL_DROP_ICMP_QUOTE, "a quote that is too short (%s)",
		   mode);
	p = error;
	put_addr(p.data + PKT_IP + 12, "10.0.0.99");
	pkt_seal(&p);
	tap_is_int(node_send(node, server, &p).reason, PL_DROP_BAD_SOURCE, "from a forged source (%s)", mode);
	p = with_ttl(error, 1);
	tap_ok(node_send(node, server, &p).verdict == TC_ACT_SHOT, "there is no error about an error (%s)",
	       mode);

	must(node_flow(node, &key, &before) ? 0 : -ENOENT, "pl_flows4");
	tap_is_int(node_send(node, server, &error).reason, PL_DELIVERED, "the error itself passes (%s)",
		   mode);
	must(node_flow(node, &key, &after) ? 0 : -ENOENT, "pl_flows4");
	tap_ok(memcmp(&before, &after, sizeof(before)) == 0 && node_flows(node) == flows,
	       "and leaves the flow as it was (%s)", mode);
	node_policy(node, SLOT_ENI_A, rules_eni, 1, false);
	node_bump(node, SLOT_ENI_A);
	tap_is_int(node_send(node, server, &error).reason, PL_DROP_POLICY_IN,
		   "errors of a flow that today's rules refuse are refused (%s)", mode);
	node_policy(node, SLOT_ENI_A, RULES(rules_eni), false);
	node_bump(node, SLOT_ENI_A);
	tap_is_int(node_send(node, server, &error).reason, PL_DELIVERED, "and pass with it again (%s)", mode);
}

/* Errors of others: the same addresses and numbers in another VPC, and the wrong end of a flow. */
static void test_strangers(struct node *node, const char *mode)
{
	struct pkt sent = udp(node, SLOT_A, 4000), seen, answer, answered, p;

	node_clear_flows(node);
	serve_by(node, 1);
	seen = deliver(node, SLOT_A, &sent);
	answer = node_reply(&seen, 0);
	answered = deliver(node, SLOT_S1, &answer);
	for (uint32_t slot = SLOT_B; slot <= SLOT_OTHER; slot++)
		forget_rate(node, slot);
	p = error_about(&answered, 3 << 8 | 3, 0, 36);
	memcpy(p.data + 6, node->macs[SLOT_B], 6);
	tap_is_int(node_send(node, SLOT_B, &p).reason, PL_DROP_NO_FLOW,
		   "another consumer with the same address tells of no flow of this one (%s)", mode);
	p = error_about(&seen, 3 << 8 | 3, 0, 36);
	memcpy(p.data + 6, node->macs[SLOT_OTHER], 6);
	tap_is_int(node_send(node, SLOT_OTHER, &p).reason, PL_DROP_NO_FLOW,
		   "nor another provider with the server's (%s)", mode);
	p = error_about(&sent, 3 << 8 | 3, 0, 36);
	put_addr(p.data + PKT_IP + 12, "10.0.0.10");
	put_addr(p.data + PKT_IP + 16, "10.0.0.100");
	memcpy(p.data + 6, node->macs[SLOT_A], 6);
	pkt_seal(&p);
	tap_is_int(node_send(node, SLOT_A, &p).reason, PL_DROP_ICMP_QUOTE,
		   "nobody tells of what it has sent itself (%s)", mode);
	serve_by_all(node);
}

/* A probe's socket hears of a server without one. */
static void test_probe(struct node *node, const char *mode)
{
	struct pkt sent = from(node, SLOT_SERVICE,
			       (struct pkt_spec){.src = "198.18.0.1",
						 .dst = "198.19.0.1",
						 .protocol = IPPROTO_UDP,
						 .sport = 4000,
						 .dport = 500,
						 .payload = "probe"});
	struct pkt seen, error;
	struct outcome o;

	node_clear_flows(node);
	seen = deliver(node, SLOT_SERVICE, &sent);
	forget_rate(node, SLOT_S1);
	error = error_about(&seen, 3 << 8 | 3, 0, 28);
	o = node_send(node, SLOT_S1, &error);
	tap_ok(o.reason == PL_PROBE && receiver(node, &o.out) == SLOT_SERVICE && pkt_is_sealed(&o.out) &&
		       memcmp(o.out.data + PKT_IP + 12, sent.data + PKT_IP + 16, 4) == 0 &&
		       memcmp(o.out.data + QUOTE + 12, sent.data + PKT_IP + 12, 12) == 0,
	       "an error about a probe comes to the prober (%s)", mode);
}

/* An error costs as much as one that is caused. */
static void test_relay_rate(struct node *node, const char *mode)
{
	struct pkt sent = udp(node, SLOT_A, 4000), seen, error;
	uint64_t before = node_count(node, PL_DROP_ICMP_RATE).packets;
	unsigned int n = 1;

	node_clear_flows(node);
	seen = deliver(node, SLOT_A, &sent);
	error = error_about(&seen, 3 << 8 | 3, 0, 36);
	forget_rate(node, receiver(node, &seen));
	while (node_leaves(node, receiver(node, &seen), &error) && n < RATE_TRIES)
		n++;
	tap_ok(n > PL_ICMP_BURST && n < RATE_TRIES &&
		       node_count(node, PL_DROP_ICMP_RATE).packets - before == 1,
	       "after %d errors a port may send no more for a while (%s)", PL_ICMP_BURST, mode);
	forget_rate(node, receiver(node, &seen));
}

/* Packets that carry their own sum; after a run the kernel compares. */
static void test_complete(struct node *node, const char *mode)
{
	struct pkt sent = udp(node, SLOT_A, 4000), seen, p;

	node_clear_flows(node);
	if (!knows_complete(node)) {
		tap_skip("packets that carry their sum (CHECKSUM_COMPLETE)", "this kernel cannot test them");
		return;
	}
	forget_rate(node, SLOT_A);
	node->complete = true;
	seen = deliver(node, SLOT_A, &sent);
	forget_rate(node, receiver(node, &seen));
	tap_ok(comes_back(node, SLOT_A, &sent, &seen, 3 << 8 | 3, 36),
	       "CHECKSUM_COMPLETE stays true over an error (%s)", mode);
	p = with_ttl(tcp(node, SLOT_A, 4000, SYN), 1);
	tap_is_int(node_send(node, SLOT_A, &p).verdict, TC_ACT_REDIRECT, "and over one that is made (%s)",
		   mode);
	node->complete = false;
}

int main(void)
{
	for (int helpers = 0; helpers < 2; helpers++) {
		struct node *node = node_new(&(struct node_options){.helpers = helpers});
		const char *mode = helpers ? "helpers" : "direct";

		test_ttl(node, mode);
		test_mtu(node, mode);
		test_untold(node, mode);
		test_rate(node, mode);
		test_relayed(node, mode);
		test_relayed_locally(node, mode);
		test_refused(node, mode);
		test_strangers(node, mode);
		test_probe(node, mode);
		test_relay_rate(node, mode);
		test_complete(node, mode);
		node_free(node);
	}
	return tap_done();
}
