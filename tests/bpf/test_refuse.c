/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Refusals that are said aloud: resets, and errors about datagrams, with numbers that their receiver
 * believes, to whom they belong and to nobody else, and no more than a port's share. (That no reason answers
 * that should be silent is in test_walk.)
 */
#include "../tap.h"
#include "flows.h"

/* Whether the packet was dropped under the reason, and its sender told so. */
static bool is_refused(struct node *node, uint32_t slot, const struct pkt *p, int reason)
{
	struct outcome o = node_send(node, slot, p);
	struct pkt reset = pkt_reset(p, gateway_mac);

	if (o.reason == reason && o.verdict == TC_ACT_REDIRECT && pkt_equal(&o.out, &reset))
		return true;
	tap_note("%s, verdict %u: %s", reason_name(o.reason), o.verdict, pkt_text(&o.out));
	return false;
}

static bool is_silent(struct node *node, uint32_t slot, const struct pkt *p, int reason)
{
	struct outcome o = node_send(node, slot, p);

	return o.reason == reason && o.verdict == TC_ACT_SHOT;
}

static struct pkt segment(const struct node *node, uint8_t flags, uint32_t seq, uint32_t ack,
			  const char *payload)
{
	struct pkt p = from(node, SLOT_A,
			    (struct pkt_spec){.src = "10.0.0.10",
					      .dst = "10.0.0.100",
					      .protocol = IPPROTO_TCP,
					      .sport = 4000,
					      .dport = 81, /* allowed, and nobody listens */
					      .tcp_flags = flags,
					      .payload = payload});

	put32(p.data + PKT_L4 + 4, seq);
	put32(p.data + PKT_L4 + 8, ack);
	pkt_seal(&p);
	return p;
}

static void test_numbers(struct node *node)
{
	static const struct {
		const char *name;
		uint8_t flags;
		uint32_t seq, ack;
		const char *payload;
		int reason;
		uint32_t want_seq, want_ack;
	} cases[] = {
		{"a SYN", SYN, 1000, 0, NULL, PL_DROP_NO_LISTENER, 0, 1001},
		{"a SYN with data", SYN, 1000, 0, "data", PL_DROP_NO_LISTENER, 0, 1005},
		{"a SYN at the end of numbers", SYN, 0xffffffff, 0, NULL, PL_DROP_NO_LISTENER, 0, 0},
		{"an acknowledgement", ACK, 1000, 77, "data", PL_DROP_NOT_SYN, 77, 0},
		{"SYN and ACK", SYN | ACK, 1000, 77, NULL, PL_DROP_NOT_SYN, 77, 0},
		{"the end of a stream", FIN | ACK, 1000, 77, "data", PL_DROP_NOT_SYN, 77, 0},
		{"a FIN without ACK", FIN, 1000, 0, "data", PL_DROP_NOT_SYN, 0, 1005},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pkt p = segment(node, cases[i].flags, cases[i].seq, cases[i].ack, cases[i].payload);
		struct outcome o = node_send(node, SLOT_A, &p);

		tap_ok(o.reason == cases[i].reason && o.out.size == 54 && pkt_is_sealed(&o.out) &&
			       (o.out.data[PKT_L4 + 13] & RST) &&
			       get32(o.out.data + PKT_L4 + 4) == cases[i].want_seq &&
			       get32(o.out.data + PKT_L4 + 8) == cases[i].want_ack,
		       "%s is refused with valid numbers", cases[i].name);
		tap_ok(is_refused(node, SLOT_A, &p, cases[i].reason), "and all else as it should be");
	}
}

static void test_silence(struct node *node)
{
	struct pkt rst = segment(node, RST | ACK, 1000, 77, NULL), bare = segment(node, RST, 1000, 0, NULL),
		   datagram = udp(node, SLOT_A, 4000), syn = tcp(node, SLOT_A, 4000, SYN), forged;

	tap_ok(is_silent(node, SLOT_A, &rst, PL_DROP_NOT_SYN) &&
		       is_silent(node, SLOT_A, &bare, PL_DROP_NOT_SYN),
	       "a reset is never answered by one");
	eni_refuses(node);
	tap_ok(is_silent(node, SLOT_A, &syn, PL_DROP_POLICY_IN),
	       "a new connection that a group refuses hears nothing");
	tap_ok(is_silent(node, SLOT_A, &datagram, PL_DROP_POLICY_IN), "nor a new datagram");
	eni_accepts(node);
	forged = segment(node, ACK, 1000, 77, NULL);
	put_addr(forged.data + PKT_IP + 12, "10.0.0.11");
	pkt_seal(&forged);
	tap_ok(is_silent(node, SLOT_A, &forged, PL_DROP_BAD_SOURCE), "nor who forges his address");
}

/* A packet of the server with numbers of its own. */
static struct pkt numbered_reply(const struct pkt *seen)
{
	struct pkt reply = node_reply(seen, ACK);

	put32(reply.data + PKT_L4 + 4, 5000);
	put32(reply.data + PKT_L4 + 8, 6000);
	pkt_seal(&reply);
	return reply;
}

/* Both ends of a flow that was refused are told, by what each of them says next. */
static void test_revoked(struct node *node)
{
	struct pkt seen, data = tcp(node, SLOT_A, 4000, ACK), reply;
	uint32_t server;

	node_clear_flows(node);
	seen = handshake(node, SLOT_A, 4000);
	server = receiver(node, &seen);
	reply = numbered_reply(&seen);
	eni_refuses(node);
	tap_ok(is_refused(node, SLOT_A, &data, PL_DROP_POLICY_IN),
	       "a revoked rule is told to the client of an open connection");
	tap_ok(is_refused(node, server, &reply, PL_DROP_NO_FLOW), "and to its server");
	eni_accepts(node);
	tap_ok(is_refused(node, SLOT_A, &data, PL_DROP_NOT_SYN), "the connection is known no more");
}

/* Datagrams of a flow that ends are told of once: the next one is a new flow. */
static void test_datagrams(struct node *node)
{
	struct pl_listener_key key = {.target = TARGET, .port = htons(500), .protocol = IPPROTO_UDP};
	struct pkt p = udp(node, SLOT_A, 4000);
	struct outcome o;
	uint32_t flows;

	node_clear_flows(node);
	deliver(node, SLOT_A, &p);
	eni_refuses(node);
	o = node_send(node, SLOT_A, &p);
	tap_ok(o.reason == PL_DROP_POLICY_IN && pkt_is_unreachable(&o.out, &p, 13),
	       "a revoked rule is told to who sends datagrams");
	tap_ok(is_silent(node, SLOT_A, &p, PL_DROP_POLICY_IN), "once");
	eni_accepts(node);
	tap_is_int(node_send(node, SLOT_A, &p).reason, PL_DELIVERED,
		   "when the rule is back the next one opens a new flow");
	eni_refuses(node);
	eni_accepts(node);
	flows = node_flows(node);
	tap_ok(node_send(node, SLOT_A, &p).reason == PL_DELIVERED && node_flows(node) == flows,
	       "a rule that is back before any packet came has ended nothing");
	node_policy(node, SLOT_ENI_A, RULES(rules_eni), false);
	node_eni(node, SLOT_ENI_A, 10, "10.0.0.100", TARGET, false);
	node_bump(node, SLOT_ENI_A);
	o = node_send(node, SLOT_A, &p);
	tap_ok(o.reason == PL_DROP_ENI_NOT_CONNECTED && pkt_is_unreachable(&o.out, &p, 1),
	       "an endpoint that is not connected is an unreachable host");
	node_eni(node, SLOT_ENI_A, 10, "10.0.0.100", TARGET, true);
	must(bpf_map_delete_elem(bpf_map__fd(node->bpf->maps.pl_listeners), &key), "pl_listeners");
	node_bump(node, SLOT_ENI_A);
	o = node_send(node, SLOT_A, &p);
	tap_ok(o.reason == PL_DROP_NO_LISTENER && pkt_is_unreachable(&o.out, &p, 3),
	       "without a listener the port is");
	serve_by_all(node);
}

/* A packet as it was delivered, made the reset that goes on in its place. */
static struct pkt as_reset(struct pkt p)
{
	p.size = 54;
	put16(p.data + PKT_IP + 2, 40);
	p.data[PKT_IP + 8] = 64;
	p.data[PKT_L4 + 12] = 0x50;
	p.data[PKT_L4 + 13] = RST | ACK;
	put16(p.data + PKT_L4 + 14, 0);
	pkt_seal(&p);
	return p;
}

/* Who waits for an answer sends nothing: the answer that is refused is told to him. */
static void test_answer_refused(struct node *node)
{
	struct pkt seen, reply, reset;
	struct outcome o;
	uint32_t server;

	node_clear_flows(node);
	seen = handshake(node, SLOT_A, 4000);
	server = receiver(node, &seen);
	reply = numbered_reply(&seen);
	reset = deliver(node, server, &reply);
	reset = as_reset(reset);
	eni_refuses(node);
	o = node_send(node, server, &reply);
	tap_ok(o.reason == PL_DROP_POLICY_IN && o.verdict == TC_ACT_REDIRECT && pkt_equal(&o.out, &reset),
	       "an answer that is refused resets its client");
	tap_is_int(node_flows(node), 0, "and the flow has ended");
	tap_ok(is_refused(node, server, &reply, PL_DROP_NO_FLOW),
	       "the server hears of it when it says it again");
	eni_accepts(node);

	seen = handshake(node, SLOT_A, 4000);
	server = receiver(node, &seen);
	reply = node_reply(&seen, RST | ACK);
	eni_refuses(node);
	tap_ok(is_silent(node, server, &reply, PL_DROP_POLICY_IN) && node_flows(node) == 0,
	       "a reset that is refused ends the flow, and that is all");
	eni_accepts(node);

	/* the client's port is another one's by now: nothing goes there */
	seen = handshake(node, SLOT_A, 4000);
	server = receiver(node, &seen);
	reply = node_reply(&seen, ACK);
	node_port(node, SLOT_A, 50, "10.0.0.10");
	node_bump(node, SLOT_A);
	tap_ok(is_refused(node, server, &reply, PL_DROP_BACKEND_GONE), "a client that is gone hears nothing");
	tap_is_int(node_flows(node), 0, "and the flow has ended");
	node_port(node, SLOT_A, 10, "10.0.0.10");
	node_place(node, 50, "10.0.0.10", PL_PLACE_PORT, SLOT_OTHER);
	node_bump(node, SLOT_A);
}

static void test_answer_refused_local(struct node *node)
{
	struct pkt syn = local(node, SLOT_A, 4000, 80, SYN), reply = local(node, SLOT_A2, 80, 4000, ACK),
		   reset;
	struct outcome o;

	for (int out = 0; out < 2; out++) {
		node_clear_flows(node);
		deliver(node, SLOT_A, &syn);
		reset = deliver(node, SLOT_A2, &reply);
		reset = as_reset(reset);
		node_policy(node, out ? SLOT_A : SLOT_A2, NULL, 0, !out);
		node_bump(node, out ? SLOT_A : SLOT_A2);
		o = node_send(node, SLOT_A2, &reply);
		tap_ok(o.reason == (out ? PL_DROP_POLICY_OUT : PL_DROP_POLICY_IN) &&
			       pkt_equal(&o.out, &reset) && node_flows(node) == 0,
		       "between instances a refused answer resets who asked (%s)", out ? "out" : "in");
		node_policy(node, out ? SLOT_A : SLOT_A2, RULES(rules_instance), true);
		node_bump(node, out ? SLOT_A : SLOT_A2);
	}
}

static void test_revoked_local(struct node *node)
{
	struct pkt syn = local(node, SLOT_A, 4000, 80, SYN), data = local(node, SLOT_A, 4000, 80, ACK),
		   reply = local(node, SLOT_A2, 80, 4000, ACK);

	node_clear_flows(node);
	deliver(node, SLOT_A, &syn);
	deliver(node, SLOT_A2, &reply);
	node_policy(node, SLOT_A2, NULL, 0, true);
	node_bump(node, SLOT_A2);
	tap_ok(is_refused(node, SLOT_A, &data, PL_DROP_POLICY_IN), "between instances the one is told");
	tap_ok(is_refused(node, SLOT_A2, &reply, PL_DROP_NOT_SYN), "and the other");
	node_policy(node, SLOT_A2, RULES(rules_instance), true);
	node_bump(node, SLOT_A2);
	tap_ok(is_refused(node, SLOT_A, &data, PL_DROP_NOT_SYN), "a connection of before is known no more");
	data = from(node, SLOT_A,
		    (struct pkt_spec){.src = "10.0.0.10",
				      .dst = "10.0.0.99",
				      .protocol = IPPROTO_TCP,
				      .sport = 4000,
				      .dport = 80,
				      .tcp_flags = ACK});
	tap_ok(is_refused(node, SLOT_A, &data, PL_DROP_NO_PLACE), "nor one to an instance that is gone");
}

/* Many segments in one packet are refused by one reset. */
static void test_segments(struct node *node)
{
	static char payload[1201];
	struct pkt p;

	memset(payload, 'x', sizeof(payload) - 1);
	p = segment(node, ACK, 1000, 77, payload);
	node->gso_size = 400;
	tap_ok(is_refused(node, SLOT_A, &p, PL_DROP_NOT_SYN), "a packet of many segments gets one reset");
	node->gso_size = 0;
}

/* (A packet that is cut has no sum of the whole any more: the kernel forgets it.) */
static void test_complete(struct node *node)
{
	struct pkt syn = segment(node, SYN, 1000, 0, NULL);
	struct __sk_buff ctx = {0};

	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = syn.data, .data_size_in = syn.size, .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx), .flags = BPF_F_TEST_SKB_CHECKSUM_COMPLETE);

	if (bpf_prog_test_run_opts(bpf_program__fd(node->bpf->progs.pl_guard_veth), &opts)) {
		tap_skip("packets that carry their sum (CHECKSUM_COMPLETE)", "this kernel cannot test them");
		return;
	}
	node->complete = true;
	tap_ok(is_refused(node, SLOT_A, &syn, PL_DROP_NO_LISTENER), "CHECKSUM_COMPLETE stays true");
	node->complete = false;
}

/* The last, since the share of the port is used up afterwards. */
static void test_rate(struct node *node)
{
	struct pkt p = segment(node, ACK, 1000, 77, NULL),
		   other = from(node, SLOT_B,
				(struct pkt_spec){.src = "10.0.0.10",
						  .dst = "10.0.0.100",
						  .protocol = IPPROTO_TCP,
						  .sport = 4000,
						  .dport = 443,
						  .tcp_flags = ACK});
	struct __sk_buff ctx = {.cb[0] = SLOT_A};
	uint32_t told = 0, n = 20000;

	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = p.data, .data_size_in = p.size, .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx));

	for (uint32_t i = 0; i < n; i++) {
		must(bpf_prog_test_run_opts(bpf_program__fd(node->bpf->progs.pl_main), &opts), "run");
		told += opts.retval == TC_ACT_REDIRECT;
	}
	tap_note("%u of %u were told", told, n);
	tap_ok(told >= 1 && told < n / 2, "a flood of packets is not answered one by one");
	tap_ok(is_refused(node, SLOT_B, &other, PL_DROP_NOT_SYN), "another port is told as before");
}

static void test_all(struct node *node)
{
	test_numbers(node);
	test_silence(node);
	test_revoked(node);
	test_answer_refused(node);
	test_answer_refused_local(node);
	test_datagrams(node);
	test_revoked_local(node);
	test_segments(node);
	test_complete(node);
	test_rate(node);
}

int main(void)
{
	return in_both_ways(test_all);
}
