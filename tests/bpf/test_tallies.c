/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is counted by an endpoint's ENI: flows that open, packets that are dropped, by reason and direction,
 * and what a flow had counted when the program takes its rows away. And that nothing else is: a packet of an
 * open flow, one between instances, one that is for no ENI.
 */
#include "../tap.h"
#include "flows.h"

static struct pl_count tally_of(const struct node *node, uint32_t slot, uint8_t protocol, uint16_t port,
				uint32_t what)
{
	struct pl_tally_key key = {.slot = slot | (uint32_t)port << PL_TALLY_PORT,
				   .what = what | (uint32_t)protocol << PL_TALLY_PROTOCOL};
	struct pl_count count = {0};

	(void)bpf_map_lookup_elem(bpf_map__fd(node->bpf->maps.pl_tallies), &key, &count);
	return count;
}

/* By slot alone, where there is no room for listeners. */
static struct pl_count slot_tally(const struct node *node, uint32_t slot, uint32_t what)
{
	struct pl_tally_key key = {.slot = slot, .what = what};
	struct pl_count count = {0};

	(void)bpf_map_lookup_elem(bpf_map__fd(node->bpf->maps.pl_slot_tallies), &key, &count);
	return count;
}

/* Over all listeners. */
static struct pl_count tally(const struct node *node, uint32_t slot, uint32_t what)
{
	struct pl_tally_key key, *at = NULL;
	struct pl_count sum = {0}, count;

	while (bpf_map_get_next_key(bpf_map__fd(node->bpf->maps.pl_tallies), at, &key) == 0) {
		at = &key;
		if ((key.slot & PL_TALLY_SLOT) != slot || (key.what & (PL_TALLY_WHAT | PL_TALLY_OUT)) != what)
			continue;
		count = tally_of(node, slot, (uint8_t)(key.what >> PL_TALLY_PROTOCOL),
				 (uint16_t)(key.slot >> PL_TALLY_PORT), what);
		sum.packets += count.packets;
		sum.bytes += count.bytes;
	}
	return sum;
}

static uint32_t n_tallies(const struct node *node)
{
	struct pl_tally_key key, *at = NULL;
	uint32_t n = 0;

	while (bpf_map_get_next_key(bpf_map__fd(node->bpf->maps.pl_tallies), at, &key) == 0) {
		at = &key;
		n++;
	}
	return n;
}

static void clear(struct node *node)
{
	struct pl_tally_key key;

	node_clear_flows(node);
	while (bpf_map_get_next_key(bpf_map__fd(node->bpf->maps.pl_tallies), NULL, &key) == 0)
		must(bpf_map_delete_elem(bpf_map__fd(node->bpf->maps.pl_tallies), &key), "pl_tallies");
	while (bpf_map_get_next_key(bpf_map__fd(node->bpf->maps.pl_slot_tallies), NULL, &key) == 0)
		must(bpf_map_delete_elem(bpf_map__fd(node->bpf->maps.pl_slot_tallies), &key),
		     "pl_slot_tallies");
}

static bool is(struct pl_count count, uint64_t packets, uint64_t bytes)
{
	if (count.packets == packets && count.bytes == bytes)
		return true;
	tap_note("%llu packets, %llu bytes", (unsigned long long)count.packets,
		 (unsigned long long)count.bytes);
	return false;
}

static void test_opened(struct node *node)
{
	struct pkt data = tcp(node, SLOT_A, 4000, ACK), datagram = udp(node, SLOT_A, 5000);

	clear(node);
	handshake(node, SLOT_A, 4000);
	for (int i = 0; i < 5; i++)
		deliver(node, SLOT_A, &data);
	tap_ok(is(tally(node, SLOT_ENI_A, PL_TALLY_OPENED), 1, 0), "a flow is counted when it opens, once");
	tap_is_int(n_tallies(node), 1, "its packets are the flow's alone");
	deliver(node, SLOT_A, &datagram);
	tap_ok(is(tally_of(node, SLOT_ENI_A, IPPROTO_TCP, 443, PL_TALLY_OPENED), 1, 0) &&
		       is(tally_of(node, SLOT_ENI_A, IPPROTO_UDP, 500, PL_TALLY_OPENED), 1, 0),
	       "each listener of an ENI has its own");
	handshake(node, SLOT_B, 4000);
	tap_ok(is(tally(node, SLOT_ENI_A, PL_TALLY_OPENED), 2, 0) &&
		       is(tally(node, SLOT_ENI_B, PL_TALLY_OPENED), 1, 0),
	       "each ENI counts its own");
}

static void test_drops(struct node *node)
{
	static const struct node_rule none[] = {{"10.0.0.0", 8, IPPROTO_ICMP, 0, 65535, true}};
	struct pkt syn = tcp(node, SLOT_A, 4001, SYN), stray = tcp(node, SLOT_A, 4002, ACK);
	struct pkt data = tcp(node, SLOT_A, 4000, ACK), seen, other, reply, opens;
	uint32_t server;

	clear(node);
	seen = handshake(node, SLOT_A, 4000);
	server = receiver(node, &seen);
	opens = node_reply(&seen, SYN);
	other = handshake(node, SLOT_A, 4003);
	reply = node_reply(&other, ACK);
	tap_is_int(node_send(node, server, &opens).reason, PL_DROP_PROVIDER_OPENS,
		   "the server's SYN is dropped");
	tap_ok(is(tally(node, SLOT_ENI_A, PL_DROP_PROVIDER_OPENS | PL_TALLY_OUT), 1, opens.size),
	       "and counted by the flow's ENI, as coming from the service");
	tap_is_int(node_send(node, SLOT_A, &stray).reason, PL_DROP_NOT_SYN, "what opens no flow is dropped");
	tap_ok(is(tally(node, SLOT_ENI_A, PL_DROP_NOT_SYN), 1, stray.size), "and counted");

	node_policy(node, SLOT_ENI_A, RULES(none), false);
	node_bump(node, SLOT_ENI_A);
	(void)node_send(node, SLOT_A, &data);
	(void)node_send(node, SLOT_A, &syn);
	(void)node_send(node, receiver(node, &other), &reply);
	tap_ok(is(tally(node, SLOT_ENI_A, PL_DROP_POLICY_IN), 2, data.size + syn.size),
	       "after a rule is revoked its drops are counted, of open flows and of new ones");
	tap_ok(is(tally(node, SLOT_ENI_A, PL_DROP_POLICY_IN | PL_TALLY_OUT), 1, reply.size),
	       "and the replies'");
	node_policy(node, SLOT_ENI_A, RULES(rules_eni), false);
	node_bump(node, SLOT_ENI_A);
	tap_is_int(node_send(node, SLOT_A, &syn).reason, PL_DELIVERED, "when it is back nothing more is");
	tap_ok(is(tally_of(node, SLOT_ENI_A, IPPROTO_TCP, 443, PL_DROP_POLICY_IN), 1, data.size) &&
		       is(tally_of(node, SLOT_ENI_A, 0, 0, PL_DROP_POLICY_IN), 1, syn.size),
	       "by its listener where the flow has one, and by none where the packet did not come so far");
	tap_is_int(n_tallies(node), 8, "nothing else was counted, but what the flows that ended had");
}

/* A connection that opens, talks and closes; what its rows have counted. */
static void talk(struct node *node, struct pl_flow4 *ret_flow, struct pl_flow4 *ret_back)
{
	struct pkt syn = tcp(node, SLOT_A, 4000, SYN), data = tcp(node, SLOT_A, 4000, ACK);
	struct pkt fin = tcp(node, SLOT_A, 4000, FIN | ACK), reply;
	struct pkt seen = handshake(node, SLOT_A, 4000);

	reply = node_reply(&seen, ACK);
	deliver(node, SLOT_A, &data);
	deliver(node, receiver(node, &seen), &reply);
	deliver(node, SLOT_A, &fin);
	reply = node_reply(&seen, FIN | ACK);
	deliver(node, receiver(node, &seen), &reply);
	*ret_flow = flow_of(node, &syn, SLOT_A, PL_SIDE_OUT);
	*ret_back = flow_of(node, &reply, receiver(node, &seen), PL_SIDE_OUT);
}

/* Rows that the program itself takes away. */
static void test_ended(struct node *node)
{
	struct pkt syn = tcp(node, SLOT_A, 4000, SYN);
	struct pl_flow4 flow, back;

	clear(node);
	talk(node, &flow, &back);
	tap_is_int(n_tallies(node), 1, "a flow that closes keeps its rows for a while");
	deliver(node, SLOT_A, &syn);
	tap_ok(flow.packets > 0 && is(tally(node, SLOT_ENI_A, PL_TALLY_ENDED), flow.packets, flow.bytes),
	       "one that gives way to the next of its tuple leaves what it has counted");
	tap_ok(back.packets > 0 &&
		       is(tally(node, SLOT_ENI_A, PL_TALLY_ENDED | PL_TALLY_OUT), back.packets, back.bytes),
	       "in both directions");
	tap_ok(is(tally(node, SLOT_ENI_A, PL_TALLY_OPENED), 2, 0), "and the next one is counted");
}

static void test_none(struct node *node)
{
	struct pkt syn = local(node, SLOT_A, 4000, 80, SYN);
	struct pkt nowhere = from(node, SLOT_A,
				  (struct pkt_spec){.src = "10.0.0.10",
						    .dst = "10.0.0.77",
						    .protocol = IPPROTO_TCP,
						    .sport = 4000,
						    .dport = 80,
						    .tcp_flags = SYN});

	clear(node);
	deliver(node, SLOT_A, &syn);
	(void)node_send(node, SLOT_A, &nowhere);
	tap_is_int(n_tallies(node), 0, "what is for no ENI is counted by none");
}

/* Nobody can make the table take a delivered packet's way, nor what others' flows count. */
static void test_full(struct node *node)
{
	struct pl_count zero = {0};
	struct pkt stray = tcp(node, SLOT_A, 4002, ACK), syn = tcp(node, SLOT_A, 4000, SYN);
	struct pl_flow4 flow, back;

	clear(node);
	for (uint32_t i = 0; i < NODE_TALLIES; i++) {
		struct pl_tally_key key = {.slot = 1000000 + i};

		must(bpf_map_update_elem(bpf_map__fd(node->bpf->maps.pl_tallies), &key, &zero, BPF_ANY),
		     "fill");
	}
	talk(node, &flow, &back);
	tap_ok(is(slot_tally(node, SLOT_ENI_A, PL_TALLY_OPENED), 1, 0),
	       "where there is no room a flow that opens counts for its ENI");
	deliver(node, SLOT_A, &syn);
	tap_ok(flow.bytes > 0 && is(slot_tally(node, SLOT_ENI_A, PL_TALLY_ENDED), flow.packets, flow.bytes),
	       "so does what it has counted when it ends");
	tap_ok(back.bytes > 0 && is(slot_tally(node, SLOT_ENI_A, PL_TALLY_ENDED | PL_TALLY_OUT), back.packets,
				    back.bytes),
	       "in both directions");
	tap_is_int(node_send(node, SLOT_A, &stray).reason, PL_DROP_NOT_SYN,
		   "packets that are dropped go their way, and are not counted");
	tap_ok(is(tally(node, SLOT_ENI_A, PL_DROP_NOT_SYN), 0, 0), "by no ENI");
	clear(node);
}

int main(void)
{
	for (int helpers = 0; helpers < 2; helpers++) {
		struct node *node = node_new(&(struct node_options){.helpers = helpers});

		test_opened(node);
		test_drops(node);
		test_ended(node);
		test_none(node);
		if (!helpers)
			test_full(node);
		node_free(node);
	}
	return tap_done();
}
