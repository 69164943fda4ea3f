/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the program writes into the flow log: nothing where an endpoint's is off; where it is on, one record
 * for each flow that ends, with both tuples, both directions' numbers and what ended it, and one for each
 * attempt that is refused; no more than so many, and how many were left out. Packets go on in any case.
 */
#include "../tap.h"
#include "bpf/pl_abi_log.h"
#include "flows.h"

#define RECORDS_MAX 16384

static struct pl_log_record records[RECORDS_MAX];
static size_t n_records;

static int on_record(void *context, void *data, size_t size)
{
	(void)context;
	if (size == sizeof(records[0]) && n_records < RECORDS_MAX)
		memcpy(&records[n_records++], data, size);
	return 0;
}

/* Records since the last time. */
static size_t take(struct ring_buffer *buffer)
{
	n_records = 0;
	(void)ring_buffer__consume(buffer);
	return n_records;
}

static void put(struct node *node, uint32_t slot, bool on)
{
	map_put(node->bpf->maps.pl_logged, &slot, &(struct pl_logged){.on = on});
}

static uint64_t lost(const struct node *node, uint32_t slot)
{
	struct pl_logged logged = {0};

	(void)bpf_map_lookup_elem(bpf_map__fd(node->bpf->maps.pl_logged), &slot, &logged);
	return logged.lost;
}

/* Ends all that is over now. */
static void sweep(struct node *node)
{
	arm_timer(node);
	for (int i = 0; i < 3000 && node_flows(node); i++)
		(void)usleep(10000);
	stop_timer(node);
}

/* A connection that both sides close; returns the SYN as the server saw it. */
static struct pkt close_one(struct node *node, uint32_t slot, uint16_t sport)
{
	struct pkt seen = handshake(node, slot, sport), fin = tcp(node, slot, sport, FIN | ACK),
		   back = node_reply(&seen, FIN | ACK);

	deliver(node, slot, &fin);
	deliver(node, receiver(node, &seen), &back);
	return seen;
}

static void test_off(struct node *node, struct ring_buffer *buffer)
{
	struct pkt refused = from(node, SLOT_A,
				  (struct pkt_spec){.src = "10.0.0.10",
						    .dst = "10.0.0.100",
						    .protocol = IPPROTO_TCP,
						    .sport = 4001,
						    .dport = 81,
						    .tcp_flags = SYN});

	close_one(node, SLOT_A, 4000);
	(void)node_send(node, SLOT_A, &refused);
	age_flows(node, PL_IDLE_TCP_CLOSING + 1);
	sweep(node);
	tap_is_int(take(buffer), 0, "where no log is on nothing is written");
	tap_is_int(lost(node, SLOT_ENI_A), 0, "and nothing is lost");
}

static void test_closed(struct node *node, struct ring_buffer *buffer)
{
	struct pkt syn = tcp(node, SLOT_A, 4010, SYN), seen = close_one(node, SLOT_A, 4010), reply;
	struct pl_flow4_key key = node_key(&syn, 10, PL_SIDE_OUT), back_key;
	const struct pl_log_record *record = records;
	struct pl_flow4 flow = flow_of(node, &syn, SLOT_A, PL_SIDE_OUT), back;
	uint32_t server = receiver(node, &seen), now;

	reply = node_reply(&seen, ACK);
	back = flow_of(node, &reply, server, PL_SIDE_OUT);
	tap_is_int(take(buffer), 0, "a flow that is open, or closes, is no record");
	now = flow.seen;
	age_flows(node, PL_IDLE_TCP_CLOSING + 1);
	sweep(node);
	tap_is_int(take(buffer), 1, "one that has ended is");
	back_key = node_key(&seen, 40, PL_SIDE_OUT);
	tap_ok(memcmp(&record->key, &key, sizeof(key)) == 0, "with its tuple as the client sees it");
	tap_ok(record->saddr == back_key.saddr && record->daddr == back_key.daddr &&
		       record->sport == back_key.sport && record->dport == back_key.dport,
	       "and as the server does");
	tap_ok(record->eni == SLOT_ENI_A && record->client == SLOT_A && record->server == server,
	       "whose it is, who opened it, who answered");
	tap_ok(record->packets[0] == flow.packets && record->bytes[0] == flow.bytes &&
		       record->packets[1] == back.packets && record->bytes[1] == back.bytes &&
		       record->packets[0] == 3 && record->packets[1] == 2,
	       "packets and bytes of both directions");
	tap_ok((int32_t)(now - record->opened) >= 0 && now - record->opened < 10 * pl_kernel_hz() &&
		       (int32_t)(record->seen - record->opened) < 0,
	       "when it began, and when the last packet passed (which this test has put back)");
	tap_ok(record->what == PL_LOG_ENDED && record->how == 0 && record->reason == 0 &&
		       (record->state & (PL_STATE_FIN | PL_STATE_FIN_BACK)) ==
			       (PL_STATE_FIN | PL_STATE_FIN_BACK),
	       "that both have closed it");
}

static void test_ends(struct node *node, struct ring_buffer *buffer)
{
	static const struct node_rule none[] = {{"10.0.0.0", 8, IPPROTO_ICMP, 0, 65535, true}};
	struct pkt rst = tcp(node, SLOT_A, 4020, RST | ACK), datagram = udp(node, SLOT_A, 5000),
		   data = tcp(node, SLOT_A, 4021, ACK), syn = tcp(node, SLOT_A, 4022, SYN), seen, reply;
	const struct pl_log_record *record = records;

	handshake(node, SLOT_A, 4020);
	deliver(node, SLOT_A, &rst);
	age_flows(node, PL_IDLE_TCP_CLOSING + 1);
	sweep(node);
	tap_ok(take(buffer) == 1 && record->state & PL_STATE_RST, "a reset is known from a close");
	deliver(node, SLOT_A, &datagram);
	age_flows(node, 301); /* the listener's */
	sweep(node);
	tap_ok(take(buffer) == 1 && pl_flow4_protocol(&record->key) == IPPROTO_UDP && record->how == 0 &&
		       !(record->state & PL_STATE_ANSWERED),
	       "datagrams are idle, and whether they were answered is known");
	deliver(node, SLOT_A, &syn);
	deliver(node, SLOT_A, &syn);
	tap_ok(take(buffer) == 1 && record->how == PL_LOG_FORCED && record->state == 0,
	       "a SYN that was not answered ends when it is repeated");

	handshake(node, SLOT_A, 4021);
	seen = handshake(node, SLOT_A, 4023);
	reply = node_reply(&seen, ACK);
	node_policy(node, SLOT_ENI_A, RULES(none), false);
	node_bump(node, SLOT_ENI_A);
	tap_is_int(node_send(node, SLOT_A, &data).reason, PL_DROP_POLICY_IN, "a rule is revoked");
	tap_ok(take(buffer) == 1 && record->what == PL_LOG_ENDED && record->reason == PL_DROP_POLICY_IN &&
		       record->how == PL_LOG_FORCED,
	       "then a flow ends with the reason of it");
	(void)node_send(node, receiver(node, &seen), &reply);
	tap_ok(take(buffer) == 1 && record->what == PL_LOG_ENDED && record->reason == PL_DROP_POLICY_IN &&
		       record->key.sport == htons(4023) && record->client == SLOT_A,
	       "also where it is the server that hears of it");
	node_policy(node, SLOT_ENI_A, RULES(rules_eni), false);
	node_bump(node, SLOT_ENI_A);
	age_flows(node, 2000);
	sweep(node);
	(void)take(buffer);
}

/* The clock of ticks goes round, with 250 a second in 199 days, and what lives longer would be young again.
 */
static void test_old(struct node *node, struct ring_buffer *buffer)
{
	struct pkt rst = tcp(node, SLOT_A, 4025, RST | ACK), syn = tcp(node, SLOT_A, 4025, SYN);
	struct pl_token token;
	struct pl_flow4 flow;

	handshake(node, SLOT_A, 4025);
	flow = flow_of(node, &syn, SLOT_A, PL_SIDE_OUT);
	token = node_token(node, flow.token);
	token.opened = flow.seen - 0x80000000u - 1;
	token.word = (token.word & ~0xffffffffull) | flow.seen; /* a hand is to look at it */
	map_put(node->bpf->maps.pl_tokens, &flow.token, &token);
	arm_timer(node);
	for (int i = 0; i < 100 && node_token(node, flow.token).word == token.word; i++)
		(void)usleep(50000);
	stop_timer(node);
	deliver(node, SLOT_A, &rst);
	age_flows(node, PL_IDLE_TCP_CLOSING + 1);
	sweep(node);
	tap_ok(take(buffer) == 1 && records->state & PL_STATE_RST && records->opened == 0,
	       "of what has been open for half a round of the clock it is not known since when");
}

static void test_refused(struct node *node, struct ring_buffer *buffer)
{
	struct pkt_spec spec = {.src = "10.0.0.10",
				.dst = "10.0.0.100",
				.protocol = IPPROTO_TCP,
				.sport = 4030,
				.dport = 444,
				.tcp_flags = SYN};
	struct pkt denied = from(node, SLOT_A, spec), unheard, stray, late;
	const struct pl_log_record *record = records;

	(void)node_send(node, SLOT_A, &denied);
	tap_ok(take(buffer) == 1 && record->what == PL_LOG_REFUSED && record->reason == PL_DROP_POLICY_IN &&
		       record->eni == SLOT_ENI_A && record->client == SLOT_A &&
		       record->server == PL_SLOT_NONE && record->packets[0] == 1 &&
		       record->bytes[0] == denied.size && record->packets[1] == 0,
	       "an attempt that a group refuses is a record");
	spec.dport = 81;
	unheard = from(node, SLOT_A, spec);
	(void)node_send(node, SLOT_A, &unheard);
	tap_ok(take(buffer) == 1 && record->reason == PL_DROP_NO_LISTENER && record->key.dport == htons(81),
	       "so is one that nobody listens to");
	stray = tcp(node, SLOT_A, 4031, ACK);
	tap_is_int(node_send(node, SLOT_A, &stray).reason, PL_DROP_NOT_SYN, "a stray segment is dropped");
	tap_is_int(take(buffer), 0, "and is no attempt");
	spec.dport = 443;
	late = from(node, SLOT_A, spec);
	late.data[PKT_IP + 8] = 1; /* time to live */
	pkt_seal(&late);
	tap_is_int(node_send(node, SLOT_A, &late).reason, PL_DROP_TTL_EXCEEDED,
		   "a packet is dropped whose flow is open");
	tap_is_int(take(buffer), 0, "nor is that");
	age_flows(node, 2000);
	sweep(node);
	(void)take(buffer);
}

static void test_rate(struct node *node, struct ring_buffer *buffer)
{
	struct pkt_spec spec = {.src = "10.0.0.10",
				.dst = "10.0.0.100",
				.protocol = IPPROTO_TCP,
				.dport = 444,
				.tcp_flags = SYN};
	const uint32_t n = 3 * PL_LOG_REFUSED_BURST;
	struct outcome o = {0};

	put(node, SLOT_ENI_A, true);
	for (uint32_t i = 0; i < n; i++) {
		struct pkt denied;

		spec.sport = 6000 + i;
		denied = from(node, SLOT_A, spec);
		o = node_send(node, SLOT_A, &denied);
	}
	tap_is_int(o.reason, PL_DROP_POLICY_IN, "of a flood of attempts all are refused");
	(void)take(buffer);
	tap_ok(n_records >= PL_LOG_REFUSED_BURST && n_records < n, "and some are recorded (%zu)", n_records);
	tap_is_int(lost(node, SLOT_ENI_A), n - n_records, "and how many others there were is counted");
	put(node, SLOT_ENI_A, true);
}

/* Nobody reads. */
static void test_full(struct node *node, struct ring_buffer *buffer)
{
	const uint32_t room = PL_LOG_BUFFER_SIZE / (sizeof(struct pl_log_record) + 8);
	struct pkt syn = tcp(node, SLOT_A, 4040, SYN);
	struct outcome o = {0};

	deliver(node, SLOT_A, &syn);
	for (uint32_t i = 0; i < room + 10; i++) {
		if (i % 1000 == 0)
			put(node, SLOT_ENI_A, true); /* its bucket is empty again */
		if (i == room - 100)
			tap_is_int(lost(node, SLOT_ENI_A), 0, "as long as there is room nothing is lost");
		o = node_send(node, SLOT_A, &syn);
	}
	tap_is_int(o.reason, PL_DELIVERED, "with a full buffer flows end and open");
	tap_ok(lost(node, SLOT_ENI_A) >= 10, "and what had no room is counted (%llu)",
	       (unsigned long long)lost(node, SLOT_ENI_A));
	tap_is_int(take(buffer), room, "the rest is there");
}

int main(void)
{
	struct node *node = node_new(&(struct node_options){0});
	struct ring_buffer *buffer =
		ring_buffer__new(bpf_map__fd(node->bpf->maps.pl_flow_log), on_record, NULL, NULL);

	must(buffer ? 0 : -errno, "ring buffer");
	test_off(node, buffer);
	put(node, SLOT_ENI_A, true);
	test_closed(node, buffer);
	test_ends(node, buffer);
	test_old(node, buffer);
	test_refused(node, buffer);
	test_rate(node, buffer);
	test_full(node, buffer);
	ring_buffer__free(buffer);
	node_free(node);
	return tap_done();
}
