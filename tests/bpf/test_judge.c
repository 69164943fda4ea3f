/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Open flows when what serves them changes: a listener that goes, servers that fall ill, leave and come back.
 * Datagrams go to another server, connections stay for as long as their server may keep them.
 */
#include "../tap.h"
#include "flows.h"

#define S1 "10.0.0.10"
#define S2 "10.0.0.11"

static void announce(struct node *node)
{
	node_bump(node, SLOT_ENI_A);
}

static void set_listener(struct node *node, uint8_t protocol, const struct pl_listener *listener)
{
	struct pl_listener_key key = {
		.target = TARGET, .port = htons(protocol == IPPROTO_TCP ? 443 : 500), .protocol = protocol};

	map_put(node->bpf->maps.pl_listeners, &key, listener);
}

static void delete_listener(struct node *node, uint8_t protocol)
{
	struct pl_listener_key key = {
		.target = TARGET, .port = htons(protocol == IPPROTO_TCP ? 443 : 500), .protocol = protocol};

	must(bpf_map_delete_elem(bpf_map__fd(node->bpf->maps.pl_listeners), &key), "pl_listeners");
}

static void set_all_ill(struct node *node, uint32_t flags)
{
	struct pl_listener listener = {
		.table_first = 0, .table_size = 7, .idle_s = 300, .vpc = 40, .group = GROUP, .flags = flags};

	set_listener(node, IPPROTO_TCP, &listener);
	set_listener(node, IPPROTO_UDP, &listener);
}

/* All is well, and one flow of each protocol is open to the first server. */
static struct pkt begin(struct node *node)
{
	struct pkt datagram = udp(node, SLOT_A, 4000);

	node_clear_flows(node);
	node_server(node, S1, PL_SERVER_WELL);
	node_server(node, S2, PL_SERVER_WELL);
	serve_by(node, 1);
	announce(node);
	deliver(node, SLOT_A, &datagram);
	return handshake(node, SLOT_A, 4000);
}

static uint32_t goes_to(struct node *node, const struct pkt *p)
{
	struct outcome o = node_send(node, SLOT_A, p);

	return o.reason == PL_DELIVERED ? receiver(node, &o.out) : PL_SLOT_NONE;
}

static void test_listener_gone(struct node *node)
{
	struct pkt data = tcp(node, SLOT_A, 4000, ACK), datagram = udp(node, SLOT_A, 4000), seen, reply;

	seen = begin(node);
	reply = node_reply(&seen, ACK);
	delete_listener(node, IPPROTO_TCP);
	tap_is_int(goes_to(node, &data), SLOT_S1, "a change counts once it is announced");
	announce(node);
	tap_is_int(goes_to(node, &datagram), SLOT_S1, "a deleted listener of TCP is none of UDP's business");
	tap_is_int(node_send(node, SLOT_A, &data).reason, PL_DROP_NO_LISTENER, "it ends its connections");
	tap_is_int(node_send(node, SLOT_S1, &reply).reason, PL_DROP_NO_FLOW, "on both sides");
	delete_listener(node, IPPROTO_UDP);
	announce(node);
	tap_is_int(node_send(node, SLOT_A, &datagram).reason, PL_DROP_NO_LISTENER,
		   "a deleted listener of UDP ends its flows");
	tap_is_int(node_flows(node), 0, "for good");
	tap_is_int(node_send(node, SLOT_A, &datagram).reason, PL_DROP_NO_LISTENER, "and others do not open");

	seen = begin(node);
	reply = node_reply(&seen, ACK);
	delete_listener(node, IPPROTO_TCP);
	announce(node);
	tap_is_int(node_send(node, SLOT_S1, &reply).reason, PL_DROP_NO_LISTENER,
		   "the server's packet ends one as well");
	tap_is_int(node_send(node, SLOT_A, &data).reason, PL_DROP_NOT_SYN, "on both sides");
}

static void test_ill(struct node *node)
{
	struct pkt data = tcp(node, SLOT_A, 4000, ACK), syn = tcp(node, SLOT_A, 4000, SYN),
		   datagram = udp(node, SLOT_A, 4000), seen, reply;

	seen = begin(node);
	reply = node_reply(&seen, ACK);
	node_server(node, S1, PL_SERVER_ILL);
	serve_by(node, 2);
	announce(node);
	tap_is_int(goes_to(node, &datagram), SLOT_S2, "datagrams leave a server that is ill");
	tap_is_int(node_flows(node), 4, "for good: nothing is left of the first flow");
	tap_is_int(goes_to(node, &data), SLOT_S1, "a connection stays with it");
	tap_is_int(node_send(node, SLOT_S1, &reply).reason, PL_DELIVERED, "in both directions");

	node_server(node, S1, PL_SERVER_WELL);
	serve_by(node, 1);
	announce(node);
	tap_is_int(goes_to(node, &datagram), SLOT_S2, "a server that is well again takes no flow back");

	node_server(node, S1, PL_SERVER_ILL);
	serve_by(node, 2);
	announce(node);
	reply = node_reply(&seen, SYN);
	tap_is_int(node_send(node, SLOT_S1, &reply).reason, PL_DROP_PROVIDER_OPENS,
		   "a SYN of the server itself begins nothing");
	tap_is_int(goes_to(node, &syn), SLOT_S2, "a SYN on a connection to an ill server begins anew");
	tap_is_int(node_flows(node), 4, "in the old one's place");
}

static void test_syn_to_a_well_server(struct node *node)
{
	struct pkt syn = tcp(node, SLOT_A, 4000, SYN);
	uint8_t state;

	begin(node);
	serve_by(node, 2);
	announce(node);
	state = flow_of(node, &syn, SLOT_A, PL_SIDE_OUT).state;
	tap_is_int(goes_to(node, &syn), SLOT_S1, "a SYN on a connection to a server that is well goes there");
	tap_is_int(flow_of(node, &syn, SLOT_A, PL_SIDE_OUT).state, state, "and changes nothing");
}

static void test_all_ill(struct node *node)
{
	struct pkt datagram = udp(node, SLOT_A, 4000), before, after;

	begin(node);
	before = deliver(node, SLOT_A, &datagram);
	node_server(node, S1, PL_SERVER_ILL);
	node_server(node, S2, PL_SERVER_ILL);
	set_all_ill(node, PL_LISTENER_F_ILL);
	announce(node);
	after = deliver(node, SLOT_A, &datagram);
	tap_ok(pkt_equal(&before, &after), "while no server is well datagrams stay where they are");
	node_server(node, S2, PL_SERVER_WELL);
	serve_by(node, 2);
	announce(node);
	tap_is_int(goes_to(node, &datagram), SLOT_S2, "when one is well again they go there");
}

static void test_leaves(struct node *node)
{
	static const struct {
		uint8_t state;
		const char *how;
	} cases[] = {{0, "is in the group no more"}, {PL_SERVER_LEAVING, "leaves"}};
	struct pkt data = tcp(node, SLOT_A, 4000, ACK), syn = tcp(node, SLOT_A, 4000, SYN),
		   datagram = udp(node, SLOT_A, 4000);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin(node);
		node_server(node, S1, cases[i].state);
		serve_by(node, 2);
		announce(node);
		tap_is_int(goes_to(node, &datagram), SLOT_S2, "datagrams leave a server that %s",
			   cases[i].how);
		tap_is_int(goes_to(node, &data), SLOT_S1, "a connection stays");
		tap_is_int(goes_to(node, &syn), SLOT_S2, "a SYN begins anew elsewhere");
	}
}

static void test_gone(struct node *node)
{
	struct pkt data = tcp(node, SLOT_A, 4000, ACK), datagram = udp(node, SLOT_A, 4000), seen, reply;

	seen = begin(node);
	reply = node_reply(&seen, ACK);
	node_server(node, S1, PL_SERVER_GONE);
	serve_by(node, 2);
	announce(node);
	tap_is_int(goes_to(node, &datagram), SLOT_S2, "datagrams leave a server that is gone");
	tap_is_int(node_send(node, SLOT_A, &data).reason, PL_DROP_NOT_SYN, "a connection ends");
	tap_is_int(node_send(node, SLOT_S1, &reply).reason, PL_DROP_NO_FLOW, "on both sides");
	begin(node);
	node_server(node, S1, PL_SERVER_GONE);
	announce(node);
	tap_is_int(node_send(node, SLOT_S1, &reply).reason, PL_DROP_BACKEND_GONE,
		   "the server's packet ends one as well");
	tap_is_int(node_send(node, SLOT_A, &data).reason, PL_DROP_NOT_SYN, "on both sides");
}

/* A listener that got another group: its servers are strangers to it, and may be another VPC's. */
static void test_other_group(struct node *node)
{
	struct pl_listener other = {
		.table_first = 22, .table_size = 1, .idle_s = 300, .vpc = 40, .group = GROUP + 1};
	struct pkt data = tcp(node, SLOT_A, 4000, ACK), datagram = udp(node, SLOT_A, 4000);

	begin(node);
	serve_by(node, 2);
	set_listener(node, IPPROTO_TCP, &other);
	set_listener(node, IPPROTO_UDP, &other);
	announce(node);
	tap_is_int(goes_to(node, &datagram), SLOT_S2, "datagrams follow a listener to its new group");
	tap_is_int(goes_to(node, &data), SLOT_S1, "a connection stays with its server");
	other.vpc = 50;
	set_listener(node, IPPROTO_TCP, &other);
	announce(node);
	tap_is_int(node_send(node, SLOT_A, &data).reason, PL_DROP_NOT_SYN,
		   "but not where the listener is another VPC's now");
}

static void test_all(struct node *node)
{
	test_listener_gone(node);
	test_ill(node);
	test_syn_to_a_well_server(node);
	test_all_ill(node);
	test_leaves(node);
	test_gone(node);
	test_other_group(node);
}

int main(void)
{
	return in_both_ways(test_all);
}
