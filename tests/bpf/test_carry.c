/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flows in a table whose rows have another size, as a program before or after this one has left it: packets
 * find them, and take them along.
 */
#include "../tap.h"
#include "flows.h"

/* What is open now was opened by another program: all rows move to the old table. What a row there has more
 * is not zero. */
static void retire_flows(struct node *node)
{
	int fd = bpf_map__fd(node->bpf->maps.pl_flows4);
	struct pl_flow4_key key;
	uint8_t row[256];

	while (bpf_map_get_next_key(fd, NULL, &key) == 0) {
		memset(row, 0xee, sizeof(row));
		must(bpf_map_lookup_elem(fd, &key, row), "flow");
		must(bpf_map_update_elem(node->old_fd, &key, row, BPF_NOEXIST), "old flow");
		must(bpf_map_delete_elem(fd, &key), "flow");
	}
	node_clear_flows(node); /* tokens that there are no more */
}

/* The same by a program that knew no tokens: 64 bits of packets, and a state for each direction. */
static void retire_flows_of_before(struct node *node, uint8_t opening_state, uint8_t back_state)
{
	struct pl_flow4_key *keys;
	struct pl_flow4 flow;
	uint32_t n;

	retire_flows(node);
	keys = node_keys(node->old_fd, &n);
	for (uint32_t i = 0; i < n; i++) {
		uint8_t row[256];

		must(bpf_map_lookup_elem(node->old_fd, &keys[i], row), "old flow");
		memcpy(&flow, row, 64);
		flow.state = pl_flow_is_back(&flow) ? back_state : opening_state;
		memcpy(row, &flow, 64);
		memcpy(row + 64, &(uint64_t){77}, 8);
		must(bpf_map_update_elem(node->old_fd, &keys[i], row, BPF_EXIST), "old flow");
	}
	free(keys);
}

static uint32_t old_flows(const struct node *node)
{
	struct pl_flow4_key key, *at = NULL;
	uint32_t n = 0;

	while (bpf_map_get_next_key(node->old_fd, at, &key) == 0) {
		at = &key;
		n++;
	}
	return n;
}

static void clear_all(struct node *node)
{
	node_clear_flows(node);
	retire_flows(node);
	for (struct pl_flow4_key key; bpf_map_get_next_key(node->old_fd, NULL, &key) == 0;)
		must(bpf_map_delete_elem(node->old_fd, &key), "old flow");
}

/* From either side. */
static void test_translated(struct node *node)
{
	struct pkt data = tcp(node, SLOT_A, 4000, ACK), seen, again, reply;
	struct pl_flow4 before, after;

	clear_all(node);
	seen = handshake(node, SLOT_A, 4000);
	before = flow_of(node, &data, SLOT_A, PL_SIDE_OUT);
	retire_flows(node);
	again = deliver(node, SLOT_A, &data);
	tap_ok(memcmp(again.data + PKT_L4, seen.data + PKT_L4, 4) == 0 &&
		       memcmp(again.data, seen.data, 12) == 0 && pkt_is_sealed(&again),
	       "a packet goes where the packets before it went");
	after = flow_of(node, &data, SLOT_A, PL_SIDE_OUT);
	tap_ok(after.packets == before.packets + 1 && after.state == before.state &&
		       after.idle_s == before.idle_s && after.partner_vpc == before.partner_vpc,
	       "its entry is the one of before");
	tap_ok(after.bytes == (node->old_row_size < sizeof(after) ? 0 : before.bytes) + data.size,
	       "what the other layout does not have is zero");
	tap_ok(node_flows(node) == 2 && old_flows(node) == 0 && is_paired(node, &data, SLOT_A, PL_SIDE_OUT) &&
		       count_faults(node) == 0 && node_owned(node, SLOT_ENI_A) == 1,
	       "both directions have moved, under a token");

	retire_flows(node);
	reply = node_reply(&seen, ACK);
	again = deliver(node, receiver(node, &seen), &reply);
	tap_is_int(receiver(node, &again), SLOT_A, "a reply finds its flow, too");
	tap_ok(node_flows(node) == 2 && old_flows(node) == 0, "and moves both directions");
}

static void test_local(struct node *node)
{
	struct pkt syn = local(node, SLOT_A, 4000, 80, SYN), data = local(node, SLOT_A, 4000, 80, ACK),
		   reply = local(node, SLOT_A2, 80, 4000, ACK);

	clear_all(node);
	deliver(node, SLOT_A, &syn);
	deliver(node, SLOT_A2, &reply);
	retire_flows(node);
	deliver(node, SLOT_A, &data);
	tap_ok(node_flows(node) == 4 && old_flows(node) == 0 && count_faults(node) == 0,
	       "between instances both halves move");
	tap_ok(is_paired(node, &syn, SLOT_A, PL_SIDE_OUT) && is_paired(node, &syn, SLOT_A, PL_SIDE_IN),
	       "each with its two directions");
	retire_flows(node);
	deliver(node, SLOT_A2, &reply);
	tap_ok(node_flows(node) == 4 && old_flows(node) == 0, "also on a reply");
}

/* Three consumers with one source port: what the old table has given out is taken. */
static void test_sources(struct node *node)
{
	struct pkt a, b, data = tcp(node, SLOT_A, 4000, ACK), again;

	clear_all(node);
	serve_by(node, 1);
	a = handshake(node, SLOT_A, 4000);
	retire_flows(node);
	b = handshake(node, SLOT_B, 4000);
	tap_ok(memcmp(a.data + PKT_IP + 12, b.data + PKT_IP + 12, 4) != 0 ||
		       get16(a.data + PKT_L4) != get16(b.data + PKT_L4),
	       "a translated source that an old flow has is not given out");
	again = deliver(node, SLOT_A, &data);
	tap_ok(memcmp(a.data + PKT_IP + 12, again.data + PKT_IP + 12, 4) == 0 &&
		       get16(a.data + PKT_L4) == get16(again.data + PKT_L4),
	       "the old flow still has it");
	serve_by_all(node);
}

/* In the instant of the switch both programs gave out one source. */
static void test_two_owners(struct node *node)
{
	struct pkt seen, data = tcp(node, SLOT_B, 4000, ACK), reply, back;

	clear_all(node);
	serve_by(node, 1);
	handshake(node, SLOT_B, 4000);
	retire_flows(node);
	clear_all(node);
	handshake(node, SLOT_B, 4000);
	retire_flows(node);
	/* the new program does not look, as if the other's row had come a moment later */
	must(bpf_map_delete_elem(bpf_map__fd(node->bpf->maps.pl_flows4_old), &(uint32_t){0}), "no old table");
	seen = handshake(node, SLOT_A, 4000);
	map_put(node->bpf->maps.pl_flows4_old, &(uint32_t){0}, &node->old_fd);
	tap_is_int(node_send(node, SLOT_B, &data).reason, PL_DROP_NOT_SYN,
		   "of two flows with one source the old one ends");
	tap_is_int(old_flows(node), 0, "both directions of it");
	reply = node_reply(&seen, ACK);
	back = deliver(node, receiver(node, &seen), &reply);
	tap_is_int(receiver(node, &back), SLOT_A, "and replies are the other's");
	serve_by_all(node);
}

static void test_rules(struct node *node)
{
	struct pkt data = tcp(node, SLOT_A, 4000, ACK), syn = tcp(node, SLOT_A, 4000, SYN),
		   rst = tcp(node, SLOT_A, 4000, RST);

	clear_all(node);
	handshake(node, SLOT_A, 4000);
	retire_flows(node);
	node_policy(node, SLOT_ENI_A, NULL, 0, false);
	node_bump(node, SLOT_ENI_A);
	tap_is_int(node_send(node, SLOT_A, &data).reason, PL_DROP_POLICY_IN,
		   "a flow that has moved is judged by today's rules");
	node_policy(node, SLOT_ENI_A, RULES(rules_eni), false);
	node_bump(node, SLOT_ENI_A);
	handshake(node, SLOT_A, 4000);

	retire_flows(node);
	deliver(node, SLOT_A, &rst);
	tap_is_int(class_of(node, &data, SLOT_A, PL_SIDE_OUT), PL_CLASS_CLOSING, "a reset moves, and ends");
	retire_flows(node);
	deliver(node, SLOT_A, &syn);
	tap_is_int(flow_of(node, &syn, SLOT_A, PL_SIDE_OUT).state, 0, "a SYN on what was over begins anew");
	tap_ok(node_flows(node) == 2 && old_flows(node) == 0 && count_faults(node) == 0,
	       "and leaves nothing of the old flow");
}

/* What a program before there were tokens has left: all its flows go on, and what has closed is over. */
static void test_before(struct node *node)
{
	const uint8_t live = PL_STATE_ANSWERED | PL_STATE_ESTABLISHED;
	const struct {
		const char *name;
		uint8_t opening, back, state;
	} cases[] = {
		{"half open", 0, 0, 0},
		{"that only the server has gone on with", 0, PL_STATE_ESTABLISHED, PL_STATE_ANSWERED},
		{"established", PL_STATE_ESTABLISHED, PL_STATE_ESTABLISHED, live},
		{"established by the client alone", PL_STATE_ESTABLISHED, 0, live},
		{"that the client has closed", PL_STATE_OLD_CLOSING, PL_STATE_ESTABLISHED,
		 live | PL_STATE_FIN},
		{"that the server has closed", PL_STATE_ESTABLISHED, PL_STATE_OLD_CLOSING,
		 live | PL_STATE_FIN_BACK},
		{"that both have closed", PL_STATE_OLD_CLOSING, PL_STATE_OLD_CLOSING,
		 live | PL_STATE_FIN | PL_STATE_FIN_BACK},
	};
	struct pkt data = tcp(node, SLOT_A, 4000, ACK), seen, reply;
	struct pl_flow4 flow, back;
	uint8_t state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		clear_all(node);
		seen = handshake(node, SLOT_A, 4000);
		reply = node_reply(&seen, ACK);
		retire_flows_of_before(node, cases[i].opening, cases[i].back);
		/* (that the server has answered, a half-open one does not tell) */
		tap_is_int(node_send(node, SLOT_A, &data).reason,
			   cases[i].state ? PL_DELIVERED : PL_DROP_NO_FLOW, "a packet of one that is %s",
			   cases[i].name);
		flow = flow_of(node, &data, SLOT_A, PL_SIDE_OUT);
		back = flow_of(node, &reply, receiver(node, &seen), PL_SIDE_OUT);
		/* the client has just gone on */
		state = cases[i].state | (cases[i].state & PL_STATE_ANSWERED ? PL_STATE_ESTABLISHED : 0);
		tap_is_int(flow.state, state, "a flow of before that is %s", cases[i].name);
		tap_ok(flow.packets == (cases[i].state ? 78 : 77) && back.packets == 77 && flow.token &&
			       flow.token == back.token && count_faults(node) == 0,
		       "has its counts and a token");
		deliver(node, receiver(node, &seen), &reply);
	}
}

/* Packets that come while another CPU moves their flow: the one row is there, and the other is not yet. */
static void test_half_moved(struct node *node)
{
	struct pkt data = tcp(node, SLOT_A, 4000, ACK), seen, reply;
	struct pl_flow4_key key, back_key;
	struct pl_flow4 flow;
	uint8_t row[256];

	clear_all(node);
	seen = handshake(node, SLOT_A, 4000);
	reply = node_reply(&seen, ACK);
	key = node_key(&data, 10, PL_SIDE_OUT);
	back_key = node_key(&reply, 40, PL_SIDE_OUT);
	retire_flows(node);
	must(bpf_map_lookup_elem(node->old_fd, &back_key, row), "old flow");
	memcpy(&flow, row, 64);
	flow.token = 1000;
	map_put(node->bpf->maps.pl_flows4, &back_key, &flow);
	tap_is_int(node_send(node, SLOT_A, &data).reason, PL_DROP_FLOW_TABLE_BUSY,
		   "a packet that meets a flow between two tables has to come again");
	tap_ok(old_flows(node) == 2 && node_uses(node).used[PL_RANGE_TENANTS] == 0, "nothing is lost by it");
	tap_is_int(node_send(node, receiver(node, &seen), &reply).reason, PL_DELIVERED,
		   "one whose row is there goes its way");
	must(bpf_map_delete_elem(node->old_fd, &key), "old flow");
	tap_is_int(node_send(node, SLOT_A, &data).reason, PL_DROP_NOT_SYN,
		   "where the row is in neither table there is no flow");
}

/* Asked to move a flow: what pl_flow_carry() says. */
static int ask_carry(const struct node *node, const struct pl_flow4_key *key)
{
	struct pl_ask ask = {.what = PL_ASK_CARRY, .key = *key};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = &ask, .data_size_in = sizeof(ask), .repeat = 1);

	must(bpf_prog_test_run_opts(bpf_program__fd(node->bpf->progs.pl_ask), &opts), "ask");
	return (int)opts.retval;
}

/* Who has found nothing in the new table looks into the old one, and meanwhile another CPU has moved it. */
static void test_moved_meanwhile(struct node *node)
{
	struct pkt data = tcp(node, SLOT_A, 4000, ACK), other = tcp(node, SLOT_A, 4001, ACK), seen, reply;
	struct pl_flow4_key key, back_key;

	clear_all(node);
	seen = handshake(node, SLOT_A, 4000);
	reply = node_reply(&seen, ACK);
	key = node_key(&data, 10, PL_SIDE_OUT);
	back_key = node_key(&reply, 40, PL_SIDE_OUT);
	retire_flows(node);
	deliver(node, SLOT_A, &data);
	tap_is_int(old_flows(node), 0, "a flow has moved");
	tap_is_int(ask_carry(node, &key), 1, "whoever comes too late to move it looks again");
	tap_is_int(ask_carry(node, &back_key), 1, "in both directions");
	key = node_key(&other, 10, PL_SIDE_OUT);
	tap_is_int(ask_carry(node, &key), 0, "of a flow that nobody has there is nothing to move");
}

/* A probe's flow is its server's, a question's who asks. */
static void test_service(struct node *node)
{
	struct pkt probe = from(node, SLOT_SERVICE,
				(struct pkt_spec){.src = "198.18.0.1",
						  .dst = "198.19.0.1",
						  .protocol = IPPROTO_UDP,
						  .sport = 4000,
						  .dport = 80,
						  .payload = "probe"});
	struct pkt question = from(node, SLOT_A,
				   (struct pkt_spec){.src = "10.0.0.10",
						     .dst = "100.100.2.136",
						     .protocol = IPPROTO_UDP,
						     .sport = 4000,
						     .dport = 53,
						     .payload = "question"});

	clear_all(node);
	deliver(node, SLOT_SERVICE, &probe);
	deliver(node, SLOT_A, &question);
	retire_flows(node);
	deliver(node, SLOT_SERVICE, &probe);
	deliver(node, SLOT_A, &question);
	tap_ok(node_flows(node) == 4 && old_flows(node) == 0 && count_faults(node) == 0,
	       "probes and questions move");
	tap_ok(node_owned(node, SLOT_S1) == 1 && node_owned(node, SLOT_A) == 1 &&
		       node_owned(node, SLOT_SERVICE) == 0,
	       "to those who they are of");
}

/* A packet that was in the program before when that was replaced looks into the old table alone. */
static void test_still_read(struct node *node)
{
	struct pkt data = tcp(node, SLOT_A, 4000, ACK), seen, reply;
	const uint32_t slot = PL_OLD_EMPTY;
	struct pl_flow4_key key;

	clear_all(node);
	seen = handshake(node, SLOT_A, 4000);
	reply = node_reply(&seen, ACK);
	key = node_key(&data, 10, PL_SIDE_OUT);
	retire_flows(node);
	must(bpf_map_delete_elem(bpf_map__fd(node->bpf->maps.pl_flows4_old), &slot), "slot");
	deliver(node, SLOT_A, &data);
	deliver(node, receiver(node, &seen), &reply);
	tap_ok(node_flows(node) == 2 && count_faults(node) == 0, "a flow moves");
	tap_is_int(old_flows(node), 2, "and stays in the old table while the program before may look for it");
	tap_is_int(ask_carry(node, &key), 1, "that it has moved is known");
	tap_is_int(old_flows(node), 2, "nobody deletes it too early");
	map_put(node->bpf->maps.pl_flows4_old, &slot, &node->old_fd);
	tap_is_int(ask_carry(node, &key), 1, "when no packet is there any more");
	tap_ok(old_flows(node) == 0 && node_flows(node) == 2 && count_faults(node) == 0 &&
		       node_owned(node, SLOT_ENI_A) == 1,
	       "the sweep deletes what was left");
	deliver(node, SLOT_A, &data);
}

/* No token is free. */
static void test_no_token(struct node *node)
{
	struct pkt data = tcp(node, SLOT_A, 4000, ACK);
	struct pl_uses uses;
	uint32_t zero = 0;

	clear_all(node);
	handshake(node, SLOT_A, 4000);
	retire_flows(node);
	uses = node_uses(node);
	uses.used[PL_RANGE_TENANTS] = node->bpf->rodata->pl_n_tenants;
	map_put(node->bpf->maps.pl_uses, &zero, &uses);
	tap_is_int(node_send(node, SLOT_A, &data).reason, PL_DROP_FLOW_TABLE_FULL,
		   "without a token a flow does not move");
	tap_is_int(old_flows(node), 2, "and waits where it is");
	uses.used[PL_RANGE_TENANTS] = 0;
	map_put(node->bpf->maps.pl_uses, &zero, &uses);
	tap_is_int(node_send(node, SLOT_A, &data).reason, PL_DELIVERED, "until there is one");
}

/* A row that another flow's key has been given since it was looked up. */
static void test_tag(struct node *node)
{
	struct pkt data = tcp(node, SLOT_A, 4000, ACK);
	struct pl_flow4_key key = node_key(&data, 10, PL_SIDE_OUT);
	uint8_t row[256];

	clear_all(node);
	handshake(node, SLOT_A, 4000);
	retire_flows(node);
	must(bpf_map_lookup_elem(node->old_fd, &key, row), "old flow");
	row[offsetof(struct pl_flow4, tag)] ^= 1;
	must(bpf_map_update_elem(node->old_fd, &key, row, BPF_ANY), "old flow");
	tap_is_int(node_send(node, SLOT_A, &data).reason, PL_DROP_NOT_SYN,
		   "a row of another flow does not move");
	tap_is_int(node_flows(node), 0, "nor does its other direction");
}

int main(void)
{
	static const uint32_t sizes[] = {sizeof(struct pl_flow4) - 8, sizeof(struct pl_flow4),
					 sizeof(struct pl_flow4) + 8, sizeof(struct pl_flow4) + 40};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct node *node = node_new(&(struct node_options){.old_row_size = sizes[i]});

		tap_note("an old table with rows of %u bytes", sizes[i]);
		test_translated(node);
		test_local(node);
		test_service(node);
		test_sources(node);
		test_two_owners(node);
		test_rules(node);
		test_before(node);
		test_half_moved(node);
		test_moved_meanwhile(node);
		test_still_read(node);
		test_no_token(node);
		test_tag(node);
		node_free(node);
	}
	return tap_done();
}
