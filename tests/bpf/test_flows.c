/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flows over several packets: both directions, TCP's states, translated sources that collide, tuples that are
 * used again, and what happens to open flows when a rule, a connection or a port changes.
 */
#include "../tap.h"
#include "flows.h"

static void test_round_trip(struct node *node)
{
	struct pkt syn = tcp(node, SLOT_A, 4000, SYN), seen, reply, back, ack;
	struct pl_flow4 flow;
	uint32_t server;

	node_clear_flows(node);
	seen = deliver(node, SLOT_A, &syn);
	server = receiver(node, &seen);
	tap_ok(server == SLOT_S1 || server == SLOT_S2, "a SYN to the ENI arrives at a server");
	tap_ok(memcmp(seen.data + PKT_IP + 12, "\x64\x40\x00", 3) == 0 &&
		       get16(seen.data + PKT_L4) >= PL_NAT_PORT_FIRST,
	       "from a translated source");
	tap_is_int(node_flows(node), 2, "one entry for each direction");
	flow = flow_of(node, &syn, SLOT_A, PL_SIDE_OUT);
	tap_ok(flow.kind == PL_FLOW_NAT && flow.peer == server && flow.ifindex == LOOPBACK &&
		       flow.slot == SLOT_ENI_A && flow.idle_s == 300 && flow.partner_vpc == 40 &&
		       flow.delivery == PL_PORT_VETH && flow.packets == 1 && flow.bytes == syn.size,
	       "the consumer's entry says where to, who judged, and for how long");
	tap_is_int(flow.state, 0, "a SYN alone proves nothing");

	reply = node_reply(&seen, SYN | ACK);
	back = deliver(node, server, &reply);
	tap_ok(receiver(node, &back) == SLOT_A && pkt_is_sealed(&back), "the reply reaches the consumer");
	tap_ok(memcmp(back.data + PKT_IP + 12, syn.data + PKT_IP + 16, 4) == 0 &&
		       get16(back.data + PKT_L4) == 443 && get16(back.data + PKT_L4 + 2) == 4000,
	       "the reply comes from the ENI's address and port");
	flow = flow_of(node, &reply, server, PL_SIDE_OUT);
	tap_ok(flow.kind == PL_FLOW_NAT_BACK && flow.peer == SLOT_A && flow.slot == SLOT_ENI_A &&
		       flow.partner_vpc == 10,
	       "the server's entry leads to the consumer's port");
	tap_is_int(class_of(node, &syn, SLOT_A, PL_SIDE_OUT), PL_CLASS_NEW,
		   "an answered SYN proves nothing either: servers answer anybody's");
	ack = tcp(node, SLOT_A, 4000, ACK);
	deliver(node, SLOT_A, &ack);
	tap_is_int(flow_of(node, &syn, SLOT_A, PL_SIDE_OUT).state, PL_STATE_ANSWERED | PL_STATE_ESTABLISHED,
		   "the opener's acknowledgement establishes");
	reply = node_reply(&seen, ACK);
	deliver(node, server, &reply);
	tap_is_int(flow_of(node, &reply, server, PL_SIDE_OUT).state, PL_STATE_ANSWERED,
		   "the answers' entry has told that there are some");
	tap_ok(is_paired(node, &syn, SLOT_A, PL_SIDE_OUT) && is_paired(node, &reply, server, PL_SIDE_OUT),
	       "each entry's partner is the other");
}

static void test_local(struct node *node)
{
	struct pkt syn = local(node, SLOT_A, 4000, 80, SYN),
		   reply = local(node, SLOT_A2, 80, 4000, SYN | ACK);
	struct pkt stranger = local(node, SLOT_A2, 80, 4001, SYN), ack = local(node, SLOT_A, 4000, 80, ACK);
	struct pkt seen;

	node_clear_flows(node);
	node_policy(node, SLOT_A, NULL, 0, true);
	seen = deliver(node, SLOT_A, &syn);
	tap_ok(receiver(node, &seen) == SLOT_A2 &&
		       memcmp(seen.data + PKT_IP, syn.data + PKT_IP, syn.size - PKT_IP) == 0,
	       "between instances nothing but the MACs changes");
	tap_is_int(node_flows(node), 4, "two entries for the sender's judge, two for the receiver's");
	seen = deliver(node, SLOT_A2, &reply);
	tap_ok(receiver(node, &seen) == SLOT_A, "the reply passes, though the sender lets nothing in");
	tap_is_int(node_send(node, SLOT_A2, &stranger).reason, PL_DROP_POLICY_IN,
		   "another packet from there does not");
	tap_ok(flow_of(node, &syn, SLOT_A, PL_SIDE_OUT).slot == SLOT_A &&
		       flow_of(node, &syn, SLOT_A, PL_SIDE_IN).slot == SLOT_A2,
	       "out was judged at the sender, in at the receiver");
	tap_ok(is_paired(node, &syn, SLOT_A, PL_SIDE_OUT) && is_paired(node, &syn, SLOT_A, PL_SIDE_IN) &&
		       is_paired(node, &reply, SLOT_A2, PL_SIDE_OUT) &&
		       is_paired(node, &reply, SLOT_A2, PL_SIDE_IN),
	       "each entry's partner is the other of its half");
	deliver(node, SLOT_A, &ack);
	seen = deliver(node, SLOT_A, &ack);
	tap_ok(receiver(node, &seen) == SLOT_A2 &&
		       memcmp(seen.data + PKT_IP, ack.data + PKT_IP, ack.size - PKT_IP) == 0 &&
		       flow_of(node, &ack, SLOT_A, PL_SIDE_IN).packets == 3,
	       "nor does it when the connection is open, and both halves count it");
	node_policy(node, SLOT_A, RULES(rules_instance), true);
}

static struct pkt echo(const struct node *node, uint32_t slot, uint8_t type, uint16_t identifier)
{
	return from(node, slot,
		    (struct pkt_spec){.src = slot == SLOT_A ? "10.0.0.10" : "10.0.0.11",
				      .dst = slot == SLOT_A ? "10.0.0.11" : "10.0.0.10",
				      .protocol = IPPROTO_ICMP,
				      .sport = type << 8,
				      .dport = identifier});
}

static void test_local_echo(struct node *node)
{
	struct pkt request = echo(node, SLOT_A, 8, 77), reply = echo(node, SLOT_A2, 0, 77),
		   theirs = echo(node, SLOT_A2, 8, 77);

	node_clear_flows(node);
	node_policy(node, SLOT_A, NULL, 0, true);
	deliver(node, SLOT_A, &request);
	tap_is_int(node_send(node, SLOT_A2, &reply).reason, PL_DELIVERED,
		   "an echo reply belongs to its request");
	tap_is_int(node_send(node, SLOT_A2, &theirs).reason, PL_DROP_POLICY_IN,
		   "a request with the same identifier is not taken for a reply");
	node_policy(node, SLOT_A, RULES(rules_instance), true);
}

/* With the identifier 0 both sides' ports are 0, so a request has the key of a reply. */
static void test_local_echo_of_identifier_0(struct node *node)
{
	struct pkt request = echo(node, SLOT_A, 8, 0), reply = echo(node, SLOT_A2, 0, 0),
		   theirs = echo(node, SLOT_A2, 8, 0), unasked = echo(node, SLOT_A, 0, 0);

	node_clear_flows(node);
	node_policy(node, SLOT_A, NULL, 0, true);
	deliver(node, SLOT_A, &request);
	tap_is_int(node_send(node, SLOT_A2, &reply).reason, PL_DELIVERED, "a reply of identifier 0 arrives");
	tap_is_int(node_send(node, SLOT_A2, &theirs).reason, PL_DROP_NO_FLOW,
		   "a request of identifier 0 is not taken for a reply");
	tap_is_int(node_send(node, SLOT_A, &unasked).reason, PL_DROP_NO_FLOW, "nor a reply for a request");
	node_policy(node, SLOT_A, RULES(rules_instance), true);
}

static void test_provider_opens(struct node *node)
{
	struct pkt seen, syn, fin = tcp(node, SLOT_A, 4000, FIN | ACK), fin_back;
	uint32_t server;

	node_clear_flows(node);
	seen = handshake(node, SLOT_A, 4000);
	server = receiver(node, &seen);
	syn = node_reply(&seen, SYN);
	tap_is_int(node_send(node, server, &syn).reason, PL_DROP_PROVIDER_OPENS,
		   "a SYN from the provider on an open flow's tuple is dropped");
	deliver(node, SLOT_A, &fin);
	fin_back = node_reply(&seen, FIN | ACK);
	deliver(node, server, &fin_back);
	tap_is_int(node_send(node, server, &syn).reason, PL_DROP_PROVIDER_OPENS, "and on a closed one's");
	tap_is_int(node_flows(node), 2, "which stays for the consumer's last packets");
}

/* Nobody has answered: what the opener sends alone establishes nothing. */
static void test_half_open(struct node *node)
{
	struct pkt syn = tcp(node, SLOT_A, 4000, SYN), ack = tcp(node, SLOT_A, 4000, ACK), seen, syn_ack;
	uint32_t server;

	node_clear_flows(node);
	seen = deliver(node, SLOT_A, &syn);
	server = receiver(node, &seen);
	(void)node_send(node, SLOT_A, &ack);
	(void)node_send(node, SLOT_A, &ack);
	tap_is_int(class_of(node, &syn, SLOT_A, PL_SIDE_OUT), PL_CLASS_NEW,
		   "a SYN and bare acknowledgements stay half open");
	syn_ack = node_reply(&seen, SYN | ACK);
	deliver(node, server, &syn_ack);
	deliver(node, server, &syn_ack);
	tap_is_int(class_of(node, &syn, SLOT_A, PL_SIDE_OUT), PL_CLASS_NEW,
		   "and what the server sends alone does not establish either");
	deliver(node, SLOT_A, &ack);
	tap_is_int(class_of(node, &syn, SLOT_A, PL_SIDE_OUT), PL_CLASS_LIVE, "both together do");
}

/* A translated source is given out again, and a server does not always know: it may still have a connection
 * of somebody else, in another VPC, which was idle for too long. */
static void test_older_connection(struct node *node)
{
	struct pkt syn = tcp(node, SLOT_B, 4000, SYN), data = tcp(node, SLOT_B, 4000, ACK),
		   rst = tcp(node, SLOT_B, 4000, RST), fin = tcp(node, SLOT_B, 4000, FIN | ACK), seen, secret,
		   challenge, syn_ack;
	struct pl_flow4_key key;
	struct pl_flow4 back;
	uint32_t server;

	node_clear_flows(node);
	seen = deliver(node, SLOT_B, &syn);
	server = receiver(node, &seen);
	/* the same frame as the client's data, from the server */
	secret = data;
	memcpy(secret.data, seen.data, PKT_L4 + 4);
	put16(secret.data + PKT_IP + 2, data.size - PKT_IP);
	secret = node_reply(&secret, 0x08 /* PSH */ | ACK);
	tap_is_int(
		node_send(node, server, &secret).reason, PL_DROP_NO_FLOW,
		"what a server still sends in a connection of before is not read by who has its source now");
	challenge = node_reply(&seen, FIN | ACK);
	tap_is_int(node_send(node, server, &challenge).reason, PL_DROP_NO_FLOW, "nor that it ends");
	challenge = node_reply(&seen, ACK);
	tap_is_int(node_send(node, server, &challenge).reason, PL_DELIVERED, "but that it has one");
	tap_is_int(node_send(node, SLOT_B, &data).reason, PL_DROP_NO_FLOW, "nobody writes into that");
	tap_is_int(node_send(node, SLOT_B, &fin).reason, PL_DROP_NO_FLOW, "nor says that there is no more");
	tap_is_int(class_of(node, &syn, SLOT_B, PL_SIDE_OUT), PL_CLASS_NEW, "it establishes nothing");
	tap_is_int(node_send(node, SLOT_B, &rst).reason, PL_DELIVERED, "the client can reset it");
	seen = deliver(node, SLOT_B, &syn);
	server = receiver(node, &seen);
	syn_ack = node_reply(&seen, SYN | ACK);
	deliver(node, server, &syn_ack);
	tap_is_int(node_send(node, SLOT_B, &data).reason, PL_DELIVERED, "and then has one of its own");
	memcpy(secret.data + PKT_L4 + 2, seen.data + PKT_L4, 2);
	memcpy(secret.data + PKT_IP + 16, seen.data + PKT_IP + 12, 4);
	memcpy(secret.data + PKT_IP + 12, seen.data + PKT_IP + 16, 4);
	pkt_seal(&secret);
	tap_is_int(node_send(node, server, &secret).reason, PL_DELIVERED, "in both directions");
	key = node_key(&secret, 40, PL_SIDE_OUT);
	must(node_flow(node, &key, &back) ? 0 : -ENOENT, "flow");
	back.state = 0;
	map_put(node->bpf->maps.pl_flows4, &key, &back);
	tap_is_int(node_send(node, server, &secret).reason, PL_DELIVERED,
		   "also where the server's entry was not told that");
	tap_ok(flow_of(node, &secret, server, PL_SIDE_OUT).state & PL_STATE_ANSWERED, "which it is then");
}

static void test_tcp_close(struct node *node)
{
	struct pkt seen, reply, p, syn = tcp(node, SLOT_A, 4000, SYN);
	uint32_t server;

	node_clear_flows(node);
	seen = handshake(node, SLOT_A, 4000);
	server = receiver(node, &seen);
	p = tcp(node, SLOT_A, 4000, FIN | ACK);
	deliver(node, SLOT_A, &p);
	reply = node_reply(&seen, ACK);
	deliver(node, server, &reply);
	tap_is_int(class_of(node, &syn, SLOT_A, PL_SIDE_OUT), PL_CLASS_LIVE,
		   "a FIN closes one direction only");
	deliver(node, SLOT_A, &syn);
	tap_ok(flow_of(node, &syn, SLOT_A, PL_SIDE_OUT).state & PL_STATE_FIN,
	       "and a SYN changes nothing while the other is open");
	reply = node_reply(&seen, FIN | ACK);
	deliver(node, server, &reply);
	tap_is_int(class_of(node, &syn, SLOT_A, PL_SIDE_OUT), PL_CLASS_CLOSING,
		   "the other one's closes the flow");
	deliver(node, SLOT_A, &syn);
	tap_ok(flow_of(node, &syn, SLOT_A, PL_SIDE_OUT).state == 0 && node_flows(node) == 2,
	       "a SYN with the tuple of a closing flow opens a new one in its place");
	tap_is_int(count_faults(node), 0, "with a token of its own");

	seen = handshake(node, SLOT_A, 4000);
	server = receiver(node, &seen);
	reply = node_reply(&seen, RST | ACK);
	deliver(node, server, &reply);
	tap_is_int(class_of(node, &syn, SLOT_A, PL_SIDE_OUT), PL_CLASS_CLOSING, "a reset closes the flow");
	deliver(node, SLOT_A, &syn);
	tap_is_int(flow_of(node, &syn, SLOT_A, PL_SIDE_OUT).state, 0, "and the next SYN opens again");
	handshake(node, SLOT_A, 4000);
	deliver(node, SLOT_A, &syn);
	tap_is_int(class_of(node, &syn, SLOT_A, PL_SIDE_OUT), PL_CLASS_LIVE,
		   "a stray SYN leaves an established flow as it is");
}

/* Resets that somebody has made up, or that were not taken for the connection's. */
static void test_reset_undone(struct node *node)
{
	struct pkt rst = tcp(node, SLOT_A, 4000, RST), ack = tcp(node, SLOT_A, 4000, ACK), seen, reply,
		   rst_back;
	uint32_t server;

	node_clear_flows(node);
	seen = handshake(node, SLOT_A, 4000);
	server = receiver(node, &seen);
	reply = node_reply(&seen, ACK);
	rst_back = node_reply(&seen, RST);
	deliver(node, SLOT_A, &rst);
	deliver(node, server, &reply);
	tap_is_int(class_of(node, &ack, SLOT_A, PL_SIDE_OUT), PL_CLASS_CLOSING,
		   "what the other side sends does not undo a reset");
	deliver(node, SLOT_A, &ack);
	tap_is_int(class_of(node, &ack, SLOT_A, PL_SIDE_OUT), PL_CLASS_LIVE,
		   "what the same side sends after it does");
	deliver(node, server, &rst_back);
	deliver(node, SLOT_A, &ack);
	tap_is_int(class_of(node, &ack, SLOT_A, PL_SIDE_OUT), PL_CLASS_CLOSING, "the same for the server's");
	deliver(node, server, &reply);
	tap_is_int(class_of(node, &ack, SLOT_A, PL_SIDE_OUT), PL_CLASS_LIVE, "in the other direction");
	deliver(node, server, &rst_back);
	tap_is_int(class_of(node, &ack, SLOT_A, PL_SIDE_OUT), PL_CLASS_CLOSING, "again and again");
}

static void test_local_close(struct node *node)
{
	struct pkt syn = local(node, SLOT_A, 4000, 80, SYN), rst = local(node, SLOT_A2, 80, 4000, RST | ACK);
	struct pkt theirs = local(node, SLOT_A2, 80, 4000, SYN);

	node_clear_flows(node);
	deliver(node, SLOT_A, &syn);
	deliver(node, SLOT_A2, &rst);
	tap_ok(class_of(node, &syn, SLOT_A, PL_SIDE_OUT) == PL_CLASS_CLOSING &&
		       class_of(node, &syn, SLOT_A, PL_SIDE_IN) == PL_CLASS_CLOSING,
	       "between instances a reset closes both halves");
	deliver(node, SLOT_A, &syn);
	tap_ok(flow_of(node, &syn, SLOT_A, PL_SIDE_OUT).state == 0 && node_flows(node) == 4 &&
		       count_faults(node) == 0,
	       "and the next SYN opens again");
	deliver(node, SLOT_A2, &rst);
	node_policy(node, SLOT_A, (struct node_rule[]){{"0.0.0.0", 0, IPPROTO_TCP, 0, 65535, true}}, 1, true);
	node_bump(node, SLOT_A);
	deliver(node, SLOT_A2, &theirs);
	tap_ok(flow_of(node, &theirs, SLOT_A2, PL_SIDE_OUT).kind == PL_FLOW_LOCAL && node_flows(node) == 4 &&
		       count_faults(node) == 0,
	       "also from the other side");
	node_policy(node, SLOT_A, RULES(rules_instance), true);
	node_bump(node, SLOT_A);
}

static void test_other_backend(struct node *node)
{
	struct pkt syn = tcp(node, SLOT_A, 4000, SYN), ack = tcp(node, SLOT_A, 4001, ACK), seen;

	node_clear_flows(node);
	serve_by(node, 1);
	seen = deliver(node, SLOT_A, &syn);
	tap_is_int(receiver(node, &seen), SLOT_S1, "the table's only server gets the SYN");
	handshake(node, SLOT_A, 4001);
	serve_by(node, 2);
	seen = deliver(node, SLOT_A, &syn);
	tap_is_int(receiver(node, &seen), SLOT_S2,
		   "an unanswered SYN is sent to today's server when it is repeated");
	seen = deliver(node, SLOT_A, &ack);
	tap_is_int(receiver(node, &seen), SLOT_S1, "an established flow stays where it is");
	tap_is_int(node_flows(node), 4, "nothing of the first choice is left");
	serve_by_all(node);
}

static void test_collision(struct node *node)
{
	static const uint32_t consumers[] = {SLOT_A, SLOT_B, SLOT_C};
	struct pkt seen[3], back;
	bool distinct, right = true;

	node_clear_flows(node);
	serve_by(node, 1);
	for (int i = 0; i < 3; i++)
		seen[i] = handshake(node, consumers[i], 4000);
	distinct = memcmp(seen[0].data + PKT_IP + 12, seen[1].data + PKT_IP + 12, 10) &&
		   memcmp(seen[0].data + PKT_IP + 12, seen[2].data + PKT_IP + 12, 10) &&
		   memcmp(seen[1].data + PKT_IP + 12, seen[2].data + PKT_IP + 12, 10);
	tap_ok(distinct, "three VPCs with the same addresses and ports get three translated sources");
	for (int i = 0; i < 3; i++) {
		struct pkt reply = node_reply(&seen[i], ACK);

		back = deliver(node, SLOT_S1, &reply);
		right = right && receiver(node, &back) == consumers[i] &&
			get16(back.data + PKT_L4 + 2) == 4000;
	}
	tap_ok(right, "and each reply goes home");
	serve_by_all(node);
}

/* The consumer's flow once more, and a packet of its server. */
static void reopen(struct node *node, uint32_t *ret_server, struct pkt *ret_reply)
{
	struct pkt seen = handshake(node, SLOT_A, 4000);

	*ret_server = receiver(node, &seen);
	*ret_reply = node_reply(&seen, ACK);
}

static void test_revoked_endpoint(struct node *node)
{
	static const struct node_rule none[] = {{"10.0.0.0", 8, IPPROTO_ICMP, 0, 65535, true}};
	struct pkt seen, data = tcp(node, SLOT_A, 4000, ACK), reply;
	uint32_t server;
	struct pl_flow4 flow;

	node_clear_flows(node);
	seen = handshake(node, SLOT_A, 4000);
	server = receiver(node, &seen);
	reply = node_reply(&seen, ACK);
	node_bump(node, SLOT_ENI_A);
	tap_is_int(node_send(node, SLOT_A, &data).reason, PL_DELIVERED,
		   "a flow that is still allowed stays open");
	flow = flow_of(node, &data, SLOT_A, PL_SIDE_OUT);
	tap_is_int(node_send(node, SLOT_A, &data).reason, PL_DELIVERED, "and is not judged twice");
	tap_is_int(flow_of(node, &data, SLOT_A, PL_SIDE_OUT).generation, flow.generation,
		   "its entry carries the new generation");

	node_policy(node, SLOT_ENI_A, RULES(none), false);
	tap_is_int(node_send(node, SLOT_A, &data).reason, PL_DELIVERED,
		   "a changed rule counts once it is announced");
	node_bump(node, SLOT_ENI_A);
	tap_is_int(node_send(node, SLOT_A, &data).reason, PL_DROP_POLICY_IN, "a revoked rule ends the flow");
	tap_is_int(node_flows(node), 0, "in both directions");
	tap_is_int(node_send(node, server, &reply).reason, PL_DROP_NO_FLOW, "the server's packets have none");
	node_policy(node, SLOT_ENI_A, RULES(rules_eni), false);
	node_bump(node, SLOT_ENI_A);
	tap_is_int(node_send(node, SLOT_A, &data).reason, PL_DROP_NOT_SYN,
		   "a rule that comes back brings back no flow");

	reopen(node, &server, &reply);
	node_policy(node, SLOT_A, RULES(rules_instance), false);
	node_bump(node, SLOT_A);
	tap_is_int(node_send(node, server, &reply).reason, PL_DROP_POLICY_OUT,
		   "the sender's own rule ends it, too, by whichever packet comes first");
	tap_is_int(node_send(node, SLOT_A, &data).reason, PL_DROP_NOT_SYN, "and the consumer's have none");
	node_policy(node, SLOT_A, RULES(rules_instance), true);
	node_bump(node, SLOT_A);

	reopen(node, &server, &reply);
	node_eni(node, SLOT_ENI_A, 10, "10.0.0.100", TARGET, false);
	node_bump(node, SLOT_ENI_A);
	tap_is_int(node_send(node, SLOT_A, &data).reason, PL_DROP_ENI_NOT_CONNECTED,
		   "a connection that was taken back stops open flows");
	node_eni(node, SLOT_ENI_A, 10, "10.0.0.100", TARGET, true);
	node_bump(node, SLOT_ENI_A);
	reopen(node, &server, &reply);
	node_unplace(node, 10, "10.0.0.100");
	node_bump(node, SLOT_ENI_A);
	tap_is_int(node_send(node, server, &reply).reason, PL_DROP_NO_PLACE, "so does a deleted endpoint");
	node_place(node, 10, "10.0.0.100", PL_PLACE_ENI, SLOT_ENI_A);
	node_bump(node, SLOT_ENI_A);
	reopen(node, &server, &reply);
	node_place(node, 10, "10.0.0.100", PL_PLACE_ENI, SLOT_ENI_BARE);
	node_bump(node, SLOT_ENI_A);
	tap_is_int(node_send(node, SLOT_A, &data).reason, PL_DROP_NOT_SYN,
		   "and one whose address is another ENI's now");
	tap_is_int(node_flows(node), 0, "whose flows are forgotten");
	node_place(node, 10, "10.0.0.100", PL_PLACE_ENI, SLOT_ENI_A);
	node_bump(node, SLOT_ENI_A);
	tap_is_int(node_send(node, SLOT_A, &data).reason, PL_DROP_NOT_SYN, "for good");
	handshake(node, SLOT_A, 4000);
	tap_is_int(node_send(node, SLOT_A, &data).reason, PL_DELIVERED, "a new one opens");
}

static void test_revoked_local(struct node *node)
{
	struct pkt syn = local(node, SLOT_A, 4000, 80, SYN), data = local(node, SLOT_A, 4000, 80, ACK);
	struct pkt reply = local(node, SLOT_A2, 80, 4000, ACK);

	node_clear_flows(node);
	deliver(node, SLOT_A, &syn);
	deliver(node, SLOT_A2, &reply);
	node_policy(node, SLOT_A2, NULL, 0, true);
	node_bump(node, SLOT_A2);
	tap_is_int(node_send(node, SLOT_A, &data).reason, PL_DROP_POLICY_IN,
		   "the receiver's revoked rule ends what it let in");
	tap_is_int(node_flows(node), 0, "both halves of it");
	tap_is_int(node_send(node, SLOT_A2, &reply).reason, PL_DROP_NOT_SYN, "and the replies to it");
	node_policy(node, SLOT_A2, RULES(rules_instance), true);
	node_bump(node, SLOT_A2);
	deliver(node, SLOT_A, &syn);
	node_policy(node, SLOT_A, RULES(rules_instance), false);
	node_bump(node, SLOT_A);
	tap_is_int(node_send(node, SLOT_A2, &reply).reason, PL_DROP_POLICY_OUT,
		   "the sender's revoked rule ends what it let out");
	tap_is_int(node_send(node, SLOT_A, &data).reason, PL_DROP_NOT_SYN, "for both");
	node_policy(node, SLOT_A, RULES(rules_instance), true);
	node_bump(node, SLOT_A);
	deliver(node, SLOT_A, &syn);
	tap_is_int(node_send(node, SLOT_A, &data).reason, PL_DELIVERED, "all is as before between instances");
}

static void test_port_gone(struct node *node)
{
	struct pkt data, seen, reply, datagram = udp(node, SLOT_A, 4000);

	node_clear_flows(node);
	serve_by(node, 1);
	handshake(node, SLOT_A, 4000);
	deliver(node, SLOT_A, &datagram);
	serve_by(node, 2);
	node_unport(node, SLOT_S1);
	node_bump(node, SLOT_S1);
	data = tcp(node, SLOT_A, 4000, ACK);
	tap_is_int(node_send(node, SLOT_A, &data).reason, PL_DROP_NOT_SYN,
		   "a TCP flow ends with its server's port");
	seen = deliver(node, SLOT_A, &datagram);
	tap_is_int(receiver(node, &seen), SLOT_S2, "a UDP flow goes on to another server");
	node_port(node, SLOT_S1, 40, "10.0.0.10");
	node_bump(node, SLOT_S1);

	/* the consumer's slot is given to another VPC's port */
	reply = node_reply(&seen, 0);
	node_port(node, SLOT_A, 50, "10.0.0.10");
	node_bump(node, SLOT_A);
	tap_is_int(node_send(node, SLOT_S2, &reply).reason, PL_DROP_NO_FLOW,
		   "a reply does not follow a slot into another VPC");
	node_port(node, SLOT_A, 10, "10.0.0.10");
	node_place(node, 50, "10.0.0.10", PL_PLACE_PORT, SLOT_OTHER);
	node_bump(node, SLOT_A);
	serve_by_all(node);
}

/* The port's device was lost and made again: another number, all else as before. */
static void test_device_anew(struct node *node)
{
	struct pkt data = tcp(node, SLOT_A, 4000, ACK), datagram = udp(node, SLOT_A, 4000);
	struct pl_port port = node_port_row(node, SLOT_S1, 40, "10.0.0.10");
	uint32_t slot = SLOT_S1;

	node_clear_flows(node);
	serve_by(node, 1);
	handshake(node, SLOT_A, 4000);
	deliver(node, SLOT_A, &datagram);
	port.ifindex += 1000;
	map_put(node->bpf->maps.pl_ports, &slot, &port);
	node_bump(node, SLOT_S1);
	tap_is_int(node_send(node, SLOT_A, &data).reason, PL_DROP_NOT_SYN,
		   "a TCP flow ends with its server's device");
	deliver(node, SLOT_A, &datagram);
	tap_is_int(flow_of(node, &datagram, SLOT_A, PL_SIDE_OUT).ifindex, port.ifindex,
		   "a UDP flow goes on through the new one");
	node_port(node, SLOT_S1, 40, "10.0.0.10");
	node_bump(node, SLOT_S1);
	serve_by_all(node);
}

/* A backend's row is older than the port that its slot has now, in the same VPC. */
static void test_slot_of_another(struct node *node)
{
	struct pkt syn = tcp(node, SLOT_A, 4000, SYN);

	node_clear_flows(node);
	serve_by(node, 1);
	node_port(node, SLOT_S1, 40, "10.0.0.14");
	node_bump(node, SLOT_S1);
	tap_is_int(node_send(node, SLOT_A, &syn).reason, PL_DROP_BACKEND_GONE,
		   "a backend's slot that another instance has now serves nothing");
	tap_is_int(node_flows(node), 0, "and opens nothing");
	node_unplace(node, 40, "10.0.0.14");
	node_port(node, SLOT_S1, 40, "10.0.0.10");
	node_bump(node, SLOT_S1);
	serve_by_all(node);
}

static struct pkt ping_eni(const struct node *node)
{
	return from(node, SLOT_A,
		    (struct pkt_spec){.src = "10.0.0.10",
				      .dst = "10.0.0.100",
				      .protocol = IPPROTO_ICMP,
				      .sport = 8 << 8,
				      .dport = 77});
}

/* A place is older than the ENI that its slot has now: in another VPC, or at another address. */
static void test_slot_of_another_eni(struct node *node)
{
	static const struct {
		uint32_t vpc;
		const char *addr;
	} others[] = {{20, "10.0.0.100"}, {10, "10.0.0.103"}};
	struct pkt syn = tcp(node, SLOT_A, 4001, SYN), data = tcp(node, SLOT_A, 4000, ACK),
		   ping = ping_eni(node);

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		node_eni(node, SLOT_ENI_A, 10, "10.0.0.100", TARGET, true);
		node_bump(node, SLOT_ENI_A);
		node_clear_flows(node);
		handshake(node, SLOT_A, 4000);
		node_eni(node, SLOT_ENI_A, others[i].vpc, others[i].addr, TARGET, true);
		tap_is_int(node_send(node, SLOT_A, &syn).reason, PL_DROP_NO_PLACE,
			   "an address whose slot is another ENI's now (VPC %u, %s) leads nowhere",
			   others[i].vpc, others[i].addr);
		tap_is_int(node_send(node, SLOT_A, &ping).reason, PL_DROP_NO_PLACE,
			   "and does not answer echo");
		node_bump(node, SLOT_ENI_A);
		tap_is_int(node_send(node, SLOT_A, &data).reason, PL_DROP_NO_PLACE, "an open flow ends");
		tap_is_int(node_flows(node), 0, "and no other opens");
	}
	node_unplace(node, 10, "10.0.0.103");
	node_eni(node, SLOT_ENI_B, 20, "10.0.0.100", TARGET, true);
	node_eni(node, SLOT_ENI_A, 10, "10.0.0.100", TARGET, true);
	node_bump(node, SLOT_ENI_A);
}

/* A listener's table is older than the backend that its index has now. */
static void test_index_of_another(struct node *node)
{
	struct pkt syn = tcp(node, SLOT_A, 4000, SYN);

	node_clear_flows(node);
	serve_by(node, 1);
	node_backend(node, 1, 50, "10.0.0.10", 8443, SLOT_OTHER);
	tap_is_int(node_send(node, SLOT_A, &syn).reason, PL_DROP_BACKEND_GONE,
		   "a table whose index is another VPC's server now leads to nobody");
	tap_is_int(node_flows(node), 0, "and opens nothing");
	node_backend(node, 1, 40, "10.0.0.10", 8443, SLOT_S1);
	serve_by_all(node);
}

/* A device is older than the port that its slot has now. */
static void test_slot_on_another_device(struct node *node)
{
	struct pl_port port = node_port_row(node, SLOT_A, 10, "10.0.0.10");
	struct pkt syn = tcp(node, SLOT_A, 4000, SYN);
	uint32_t slot = SLOT_A;

	node_clear_flows(node);
	port.ifindex = LOOPBACK + 1;
	map_put(node->bpf->maps.pl_ports, &slot, &port);
	tap_is_int(node_send(node, SLOT_A, &syn).reason, PL_DROP_NO_PORT,
		   "a device whose slot is another device's now sends nothing");
	node_port(node, SLOT_A, 10, "10.0.0.10");
}

static void test_long_idle(struct node *node)
{
	struct pl_listener_key key = {.target = TARGET, .port = htons(443), .protocol = IPPROTO_TCP};
	struct pl_listener listener = {
		.table_first = 0, .table_size = 7, .idle_s = 65536 + 10, .vpc = 40, .group = GROUP};
	struct pkt syn = tcp(node, SLOT_A, 4000, SYN);

	node_clear_flows(node);
	map_put(node->bpf->maps.pl_listeners, &key, &listener);
	deliver(node, SLOT_A, &syn);
	tap_is_int(flow_of(node, &syn, SLOT_A, PL_SIDE_OUT).idle_s, 65535,
		   "an idle time that is too long for an entry is the longest that it has");
	serve_by_all(node);
}

static struct pkt dns(const struct node *node, const char *server, uint16_t sport)
{
	return from(node, SLOT_A,
		    (struct pkt_spec){.src = "10.0.0.10",
				      .dst = server,
				      .protocol = IPPROTO_UDP,
				      .sport = sport,
				      .dport = 53,
				      .payload = "question"});
}

static void test_service(struct node *node)
{
	struct pkt first = dns(node, "100.100.2.136", 4000), second = dns(node, "100.100.2.138", 4000);
	struct pkt seen[2], reply, back, probe;
	bool right;

	node_clear_flows(node);
	seen[0] = deliver(node, SLOT_A, &first);
	seen[1] = deliver(node, SLOT_A, &second);
	tap_ok(get16(seen[0].data + PKT_L4) == 4000 && get16(seen[1].data + PKT_L4) != 4000 &&
		       memcmp(seen[0].data + PKT_IP + 12, seen[1].data + PKT_IP + 12, 4) == 0,
	       "one socket asks both DNS addresses: same source address, two ports");
	right = true;
	for (int i = 0; i < 2; i++) {
		struct outcome o;

		reply = node_reply(&seen[i], 0);
		o = node_send(node, SLOT_SERVICE, &reply);
		back = o.out;
		right = right && o.reason == PL_DNS && receiver(node, &back) == SLOT_A &&
			pkt_is_sealed(&back) && get16(back.data + PKT_L4 + 2) == 4000 &&
			memcmp(back.data + PKT_IP + 12, (i ? second : first).data + PKT_IP + 16, 4) == 0;
	}
	tap_ok(right, "each answer comes from the address that was asked");
	tap_is_int(node_send(node, SLOT_A, &first).reason, PL_DNS, "the same socket asks again: a question");
	tap_is_int(node_send(node, SLOT_A, &first).reason, PL_DNS, "and again");
	reply = node_reply(&seen[0], 0);
	tap_is_int(node_send(node, SLOT_SERVICE, &reply).reason, PL_DNS, "and is answered");

	probe = from(node, SLOT_SERVICE,
		     (struct pkt_spec){.src = "198.18.0.1",
				       .dst = "198.19.0.2",
				       .protocol = IPPROTO_TCP,
				       .sport = 5000,
				       .dport = 80,
				       .tcp_flags = SYN});
	back = deliver(node, SLOT_SERVICE, &probe);
	tap_ok(receiver(node, &back) == SLOT_S2 && get16(back.data + PKT_L4 + 2) == 80,
	       "a probe reaches its backend on the port it was sent to, whatever the backend's group says");
	reply = node_reply(&back, SYN | ACK);
	node_policy(node, SLOT_S2, NULL, 0, false);
	node_bump(node, SLOT_S2);
	tap_is_int(node_send(node, SLOT_S2, &reply).reason, PL_PROBE,
		   "and its answer is not judged by it either");
	node_policy(node, SLOT_S2, RULES(rules_instance), true);
	node_bump(node, SLOT_S2);
	reply = node_reply(&back, SYN);
	tap_is_int(node_send(node, SLOT_S2, &reply).reason, PL_DROP_PROVIDER_OPENS,
		   "a backend opens nothing towards VPC 0");
}

/* As if another CPU were ending an open connection. */
static void test_dead_row(struct node *node)
{
	struct pkt ack = tcp(node, SLOT_A, 4000, ACK), seen, reply;
	struct pl_flow4_key keys[2];
	uint32_t slots[2] = {SLOT_A};

	node_clear_flows(node);
	seen = handshake(node, SLOT_A, 4000);
	reply = node_reply(&seen, ACK);
	slots[1] = receiver(node, &seen);
	keys[0] = node_key(&ack, vpc_of(slots[0]), PL_SIDE_OUT);
	keys[1] = node_key(&reply, vpc_of(slots[1]), PL_SIDE_OUT);
	for (int i = 0; i < 2; i++) {
		struct pkt *p = i ? &reply : &ack;
		struct pl_flow4 flow;

		deliver(node, slots[i], p);
		must(node_flow(node, &keys[i], &flow) ? 0 : -ENOENT, "pl_flows4");
		flow.state |= PL_STATE_DEAD;
		map_put(node->bpf->maps.pl_flows4, &keys[i], &flow);
		tap_is_int(node_send(node, slots[i], p).reason, PL_DROP_FLOW_TABLE_BUSY,
			   "no packet follows a row that is being deleted, %s",
			   i ? "from the server" : "from the client");
	}
}

/* As if the row had been given to another flow between the lookup and its use. */
static void test_recycled_row(struct node *node)
{
	struct pkt p = udp(node, SLOT_A, 4000), l = local(node, SLOT_A, 4000, 80, SYN);
	struct pl_flow4_key key = node_key(&p, 10, PL_SIDE_OUT);
	struct pl_flow4 flow;

	node_clear_flows(node);
	deliver(node, SLOT_A, &p);
	must(node_flow(node, &key, &flow) ? 0 : -ENOENT, "pl_flows4");
	flow.tag++;
	map_put(node->bpf->maps.pl_flows4, &key, &flow);
	tap_is_int(node_send(node, SLOT_A, &p).reason, PL_DROP_NO_FLOW,
		   "a packet that was rewritten by another flow's row does not leave");
	flow.generation++; /* which has the tag in it */
	map_put(node->bpf->maps.pl_flows4, &key, &flow);
	tap_is_int(node_send(node, SLOT_A, &p).reason, PL_DROP_NO_FLOW,
		   "nor by one that was judged by today's rules");
	deliver(node, SLOT_A, &l);
	key = node_key(&l, 10, PL_SIDE_IN);
	must(node_flow(node, &key, &flow) ? 0 : -ENOENT, "pl_flows4");
	flow.tag++;
	map_put(node->bpf->maps.pl_flows4, &key, &flow);
	l.data[PKT_L4 + 13] = ACK;
	pkt_seal(&l);
	tap_is_int(node_send(node, SLOT_A, &l).reason, PL_DROP_NO_FLOW,
		   "nor one whose receiver's row it was");
}

/* As if a row had been given to another flow before a packet of the last one wrote what it leaves behind. */
static void test_recycled_row_is_not_written(struct node *node)
{
	struct pkt seen, ack = tcp(node, SLOT_A, 4000, ACK), rst, datagram = udp(node, SLOT_A, 4000),
			 data = tcp(node, SLOT_A, 4001, ACK);
	struct pl_flow4_key key;
	struct pl_flow4 flow, allowed;

	node_clear_flows(node);
	serve_by(node, 1);
	seen = handshake(node, SLOT_A, 4000);
	rst = node_reply(&seen, RST | ACK);
	key = node_key(&ack, 10, PL_SIDE_OUT);
	must(node_flow(node, &key, &flow) ? 0 : -ENOENT, "pl_flows4");
	flow.tag++;
	map_put(node->bpf->maps.pl_flows4, &key, &flow);
	deliver(node, SLOT_S1, &rst);
	tap_is_int(class_of(node, &ack, SLOT_A, PL_SIDE_OUT), PL_CLASS_LIVE,
		   "a reset does not close the flow that has its partner's row now");

	/* the same three slots, so the same sum of generations; and a rule that only one of the two still has
	 */
	handshake(node, SLOT_A, 4001);
	node_policy(node, SLOT_ENI_A, rules_eni + 2, 1, false);
	node_bump(node, SLOT_ENI_A);
	deliver(node, SLOT_A, &datagram);
	key = node_key(&datagram, 10, PL_SIDE_OUT);
	must(node_flow(node, &key, &allowed) ? 0 : -ENOENT, "pl_flows4");
	key = node_key(&data, 10, PL_SIDE_OUT);
	must(node_flow(node, &key, &flow) ? 0 : -ENOENT, "pl_flows4");
	flow.generation = allowed.generation;
	map_put(node->bpf->maps.pl_flows4, &key, &flow);
	tap_is_int(node_send(node, SLOT_A, &data).reason, PL_DROP_POLICY_IN,
		   "that one flow was judged does not count for another");
	node_policy(node, SLOT_ENI_A, RULES(rules_eni), false);
	node_bump(node, SLOT_ENI_A);
	serve_by_all(node);
}

/* A payload that makes the translated datagram's checksum come out as 0, which UDP writes as ffff. */
static void test_udp_zero(struct node *node)
{
	struct pkt p, seen, want;
	struct outcome o;

	node_clear_flows(node);
	p = udp(node, SLOT_A, 4000);
	put16(p.data + PKT_L4 + 8, 0);
	pkt_seal(&p);
	seen = deliver(node, SLOT_A, &p);
	put16(p.data + PKT_L4 + 8, get16(seen.data + PKT_L4 + 6));
	pkt_seal(&p);
	want = seen;
	put16(want.data + PKT_L4 + 8, get16(p.data + PKT_L4 + 8));
	pkt_seal(&want);
	o = node_send(node, SLOT_A, &p);
	tap_ok(get16(want.data + PKT_L4 + 6) == 0xffff && pkt_equal(&want, &o.out),
	       "a UDP checksum that comes out as zero is written as ffff");
}

static void test_complete(struct node *node)
{
	struct pkt syn = tcp(node, SLOT_A, 4000, SYN), datagram = udp(node, SLOT_A, 4000), bare, ping, seen,
		   reply;

	node_clear_flows(node);
	if (!knows_complete(node)) {
		tap_skip("packets that carry their sum (CHECKSUM_COMPLETE)", "this kernel cannot test them");
		return;
	}
	node->complete = true;
	seen = node_send(node, SLOT_A, &syn).out;
	tap_ok(seen.size && pkt_is_sealed(&seen), "CHECKSUM_COMPLETE stays true over TCP");
	reply = node_reply(&seen, SYN | ACK);
	tap_ok(node_send(node, receiver(node, &seen), &reply).reason == PL_DELIVERED, "and back");
	tap_ok(node_send(node, SLOT_A, &datagram).reason == PL_DELIVERED, "and over UDP");
	bare = datagram;
	put16(bare.data + PKT_L4 + 6, 0);
	tap_ok(node_send(node, SLOT_A, &bare).reason == PL_DELIVERED, "and without a checksum");
	ping = from(node, SLOT_A,
		    (struct pkt_spec){.src = "10.0.0.10",
				      .dst = "10.0.0.100",
				      .protocol = IPPROTO_ICMP,
				      .sport = 8 << 8,
				      .dport = 77,
				      .payload = "abc"});
	tap_ok(node_send(node, SLOT_A, &ping).reason == PL_ECHO, "and over an echo's answer");
	node->complete = false;
}

static void test_all(struct node *node)
{
	test_round_trip(node);
	test_local(node);
	test_local_echo(node);
	test_local_echo_of_identifier_0(node);
	test_provider_opens(node);
	test_half_open(node);
	test_older_connection(node);
	test_tcp_close(node);
	test_reset_undone(node);
	test_local_close(node);
	test_other_backend(node);
	test_collision(node);
	test_revoked_endpoint(node);
	test_revoked_local(node);
	test_port_gone(node);
	test_device_anew(node);
	test_slot_of_another(node);
	test_slot_of_another_eni(node);
	test_index_of_another(node);
	test_slot_on_another_device(node);
	test_long_idle(node);
	test_service(node);
	test_dead_row(node);
	test_recycled_row(node);
	test_recycled_row_is_not_written(node);
	test_udp_zero(node);
	test_complete(node);
}

int main(void)
{
	return in_both_ways(test_all);
}
