/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an account has of the tokens, by all of its ports and endpoints: a tenant with many of them floods,
 * and others go on; and its count is that of its tokens, however these end.
 */
#include <unistd.h>

#include "../tap.h"
#include "flows.h"

/* The crowd: ports of one tenant in VPC 10, each 10.0.0.<slot>. */
#define CROWD_FIRST 40
#define CROWD	    (SLOTS - CROWD_FIRST)

enum { ACCOUNT_CROWD = 7, ACCOUNT_OTHER = 8 };

static const char *crowd_address(uint32_t slot)
{
	static char text[16];

	(void)snprintf(text, sizeof(text), "10.0.0.%u", slot);
	return text;
}

static struct node *crowded(uint32_t n_tokens)
{
	struct node *node = node_new(&(struct node_options){.n_tokens = n_tokens});

	for (uint32_t slot = CROWD_FIRST; slot < SLOTS; slot++) {
		node_port(node, slot, 10, crowd_address(slot));
		node_policy(node, slot, RULES(rules_instance), true);
		node_set_account(node, slot, ACCOUNT_CROWD);
	}
	node_set_account(node, SLOT_ENI_B, ACCOUNT_OTHER);
	return node;
}

/* A SYN between instances, which takes two tokens. */
static struct pkt syn_of(const struct node *node, uint32_t slot, uint16_t sport)
{
	return from(node, slot,
		    (struct pkt_spec){.src = crowd_address(slot),
				      .dst = "10.0.0.11",
				      .protocol = IPPROTO_TCP,
				      .sport = sport,
				      .dport = 80,
				      .tcp_flags = SYN});
}

static struct pkt question_of(const struct node *node, uint32_t slot, uint16_t sport)
{
	return from(node, slot,
		    (struct pkt_spec){.src = slot == SLOT_B ? "10.0.0.10" : crowd_address(slot),
				      .dst = "100.100.2.136",
				      .protocol = IPPROTO_UDP,
				      .sport = sport,
				      .dport = 53,
				      .payload = "question"});
}

static struct pkt probe(const struct node *node, uint16_t sport)
{
	return from(node, SLOT_SERVICE,
		    (struct pkt_spec){.src = "198.18.0.1",
				      .dst = "198.19.0.2",
				      .protocol = IPPROTO_TCP,
				      .sport = sport,
				      .dport = 80,
				      .tcp_flags = SYN});
}

static uint32_t account_has(const struct node *node, uint16_t account)
{
	return node_owned(node, pl_owner_of_account(account));
}

/* Each port of the crowd so many times; the reason of the last refusal, or PL_DELIVERED. */
static int flood(struct node *node, uint16_t first, uint32_t rounds)
{
	int reason = PL_DELIVERED;

	for (uint32_t i = 0; i < rounds * CROWD; i++) {
		uint32_t slot = CROWD_FIRST + i % CROWD;
		struct pkt syn = syn_of(node, slot, first + i / CROWD);
		int r = node_send(node, slot, &syn).reason;

		if (r != PL_DELIVERED)
			reason = r;
	}
	return reason;
}

/* How many new flows of another account, questions of it and probes go on, of n each. */
static uint32_t others_pass(struct node *node, uint16_t first, uint32_t n)
{
	uint32_t passed = 0;

	for (uint32_t i = 0; i < n; i++) {
		struct pkt syn = tcp(node, SLOT_B, first + i, SYN), p = probe(node, first + i),
			   question = question_of(node, SLOT_B, first + i);

		passed += node_send(node, SLOT_B, &syn).reason == PL_DELIVERED;
		passed += node_send(node, SLOT_B, &question).reason == PL_DNS;
		passed += node_send(node, SLOT_SERVICE, &p).reason == PL_PROBE;
	}
	return passed;
}

/* Without the account each of 24 ports would have 1/25 of the table, and all of them 24/25. */
static void test_crowd(void)
{
	struct node *node = crowded(1024);
	uint32_t most = 0;

	tap_is_int(flood(node, 2000, 40), PL_DROP_ACCOUNT_SHARE,
		   "%d ports of one account that flood are refused", CROWD);
	for (uint32_t slot = CROWD_FIRST; slot < SLOTS; slot++)
		most = node_owned(node, slot) > most ? node_owned(node, slot) : most;
	tap_note("the account has %u tokens, and each of its ports no more than %u",
		 account_has(node, ACCOUNT_CROWD), most);
	tap_ok(account_has(node, ACCOUNT_CROWD) > 500 && account_has(node, ACCOUNT_CROWD) <= 512,
	       "when all of them have half of the table");
	tap_ok(most <= 2 * (512 / CROWD / 2 + 1), "though each has little");
	tap_is_int(others_pass(node, 2000, 60), 3 * 60,
		   "another account's flows and questions, and probes, go on");
	tap_is_int(flood(node, 3000, 1), PL_DROP_ACCOUNT_SHARE, "the crowd gets no more");
	tap_is_int(count_faults(node), 0, "all counts are the tokens'");

	for (uint32_t slot = CROWD_FIRST; slot < SLOTS; slot++)
		node_set_account(node, slot, 0);
	tap_is_int(flood(node, 4000, 4), PL_DELIVERED, "what is no account's is its ports' alone");
	tap_is_int(account_has(node, 0), 2 * 4 * CROWD, "and is counted together");
	tap_is_int(count_faults(node), 0, "all counts are the tokens'");
	node_free(node);
}

/* However many ports an account has, for the first tokens of each it has an eighth more than what is free and
 * no other thing: here all of them would not have 16. */
static void test_many(void)
{
	struct node *node = crowded(256);
	uint32_t has;

	tap_is_int(flood(node, 2000, PL_SHARE_FIRST / 2), PL_DROP_ACCOUNT_SHARE,
		   "%d ports of one account that have less than %d tokens each are refused", CROWD,
		   PL_SHARE_FIRST);
	has = account_has(node, ACCOUNT_CROWD);
	tap_ok(has > 256 / 2 && has <= 256 * 9 / 17 + 1, "when all of them have 9/17 of the table (%u)", has);
	tap_is_int(others_pass(node, 2000, 20), 3 * 20,
		   "another account's flows and questions, and probes, go on");
	tap_is_int(count_faults(node), 0, "all counts are the tokens'");
	node_free(node);
}

/* An ENI of the account's own service's consumers is one owner, its ports are others. */
static void test_endpoints(void)
{
	struct node *node = crowded(4096);
	int reason = PL_DELIVERED, few = 0;

	node_set_account(node, SLOT_ENI_A, ACCOUNT_CROWD);
	(void)flood(node, 2000, 6);
	for (uint16_t sport = 2000; sport < 6096 && reason == PL_DELIVERED; sport++) {
		struct pkt syn = tcp(node, SLOT_A, sport, SYN);

		reason = node_send(node, SLOT_A, &syn).reason;
	}
	tap_is_int(reason, PL_DROP_ACCOUNT_SHARE, "an account's endpoint takes the account's share");
	tap_is_int(account_has(node, ACCOUNT_CROWD), node_owned(node, SLOT_ENI_A) + 2 * 6 * CROWD,
		   "which is that of both");
	tap_is_int(account_has(node, ACCOUNT_CROWD), 4096 / 2, "half of the table");
	tap_is_int(flood(node, 3000, 1), PL_DELIVERED, "the account's ports that have few go on");
	tap_is_int(flood(node, 4000, 4), PL_DROP_ACCOUNT_SHARE, "until they have %d tokens each",
		   PL_SHARE_FIRST);
	for (uint32_t port = CROWD_FIRST; port < SLOTS; port++)
		few += node_owned(node, port) == PL_SHARE_FIRST;
	tap_is_int(few, CROWD, "which all of them have then");
	node_set_account(node, SLOT_ENI_A, ACCOUNT_OTHER + 1);
	tap_ok(others_pass(node, 2000, 20) == 60, "another's endpoint does not");
	tap_is_int(count_faults(node), 0, "all counts are the tokens'");
	node_free(node);
}

/* In VPC 0's range, before that of all. */
static void test_questions(void)
{
	struct node *node = crowded(1024); /* 128 of VPC 0 */
	uint32_t asked = 0;
	struct pl_owner *owners;

	for (uint32_t i = 0; i < 20 * CROWD; i++) {
		uint32_t slot = CROWD_FIRST + i % CROWD;
		struct pkt question = question_of(node, slot, 5000 + i / CROWD);

		asked += node_send(node, slot, &question).reason == PL_DNS;
	}
	owners = node_owners(node);
	tap_is_int(owners[pl_owner_of_account(ACCOUNT_CROWD)].flows[PL_RANGE_SERVICE], 64,
		   "a crowd that asks has half of VPC 0's tokens");
	tap_is_int(account_has(node, ACCOUNT_CROWD), asked, "and then the account's share of all");
	free(owners);
	tap_is_int(others_pass(node, 2000, 16), 3 * 16, "another's questions and probes go on");
	tap_is_int(node_uses(node).used[PL_RANGE_SERVICE], 64 + 32, "with tokens of VPC 0");
	tap_is_int(count_faults(node), 0, "all counts are the tokens'");
	node_free(node);
}

static struct pkt datagram_probe(const struct node *node, uint16_t sport)
{
	return from(node, SLOT_SERVICE,
		    (struct pkt_spec){.src = "198.18.0.1",
				      .dst = "198.19.0.1",
				      .protocol = IPPROTO_UDP,
				      .sport = sport,
				      .dport = 80,
				      .payload = "probe"});
}

/* An account's servers cause as many probes as it likes, each from another port. */
static void test_probes(void)
{
	struct node *node = crowded(1024); /* 128 of VPC 0 */
	int reason = PL_PROBE;
	struct pl_owner *owners;
	uint32_t n = 0;

	node_set_account(node, SLOT_S1, ACCOUNT_CROWD);
	for (; n < 2048 && reason == PL_PROBE; n++) {
		struct pkt p = datagram_probe(node, 5000 + n);

		reason = node_send(node, SLOT_SERVICE, &p).reason;
	}
	tap_ok(reason == PL_DROP_FLOW_SHARE || reason == PL_DROP_ACCOUNT_SHARE,
	       "probes of one account's servers are refused");
	owners = node_owners(node);
	tap_is_int(owners[pl_owner_of_account(ACCOUNT_CROWD)].flows[PL_RANGE_SERVICE], 64,
		   "when they have half of VPC 0's tokens");
	tap_is_int(owners[pl_owner_of_account(ACCOUNT_CROWD)].flows[PL_RANGE_TENANTS], 512,
		   "and the account's share of all");
	free(owners);
	tap_is_int(others_pass(node, 2000, 16), 3 * 16,
		   "another account's flows and questions, and probes of other servers, go on");
	tap_is_int(node_uses(node).used[PL_RANGE_SERVICE], 64 + 32, "with tokens of VPC 0");
	tap_is_int(count_faults(node), 0, "all counts are the tokens'");
	node_free(node);
}

/* Every way in which a token is given back. */

static uint32_t ask_to_end(struct node *node, const struct pkt *p)
{
	struct pl_ask call = {.what = PL_ASK_END, .key = node_key(p, 10, PL_SIDE_OUT)};

	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = &call, .data_size_in = sizeof(call));
	must(bpf_prog_test_run_opts(bpf_program__fd(node->bpf->progs.pl_ask), &opts), "pl_ask");
	return opts.retval;
}

static void is_exact(const struct node *node, uint32_t wanted, const char *when)
{
	tap_ok(account_has(node, ACCOUNT_CROWD) == wanted && count_faults(node) == 0,
	       "%s the account has %u tokens (%u)", when, wanted, account_has(node, ACCOUNT_CROWD));
}

static bool wait_until_left(const struct node *node, uint32_t left)
{
	for (int i = 0; i < 3000; i++) {
		if (node_uses(node).used[PL_RANGE_TENANTS] == left)
			return true;
		(void)usleep(10000);
	}
	return false;
}

static void test_ends(void)
{
	struct node *node = crowded(1024);
	struct pkt syn = tcp(node, SLOT_A, 4000, SYN), rst = tcp(node, SLOT_A, 4000, RST | ACK);
	struct pl_backend backend, none;
	uint32_t one = 1;

	serve_by(node, 1);
	node_set_account(node, SLOT_ENI_A, ACCOUNT_CROWD);
	handshake(node, SLOT_A, 4000);
	(void)flood(node, 2000, 1);
	is_exact(node, 1 + 2 * CROWD, "with a connection and others between instances");

	must(bpf_map_lookup_elem(bpf_map__fd(node->bpf->maps.pl_backends), &one, &backend), "pl_backends");
	none = backend;
	none.nat_count = 1;
	map_put(node->bpf->maps.pl_backends, &one, &none);
	for (uint16_t sport = 6000; sport < 6064; sport++) {
		struct pkt more = tcp(node, SLOT_A, sport, SYN);

		(void)node_send(node, SLOT_A, &more);
	}
	map_put(node->bpf->maps.pl_backends, &one, &backend);
	tap_ok(count_faults(node) == 0, "where sources are few the counts are the tokens', too");
	age_flows(node, PL_IDLE_TCP_NEW);
	for (uint32_t i = 0; i < 1024; i++) { /* refused or not, they move the hands */
		struct pkt other = tcp(node, SLOT_B, 2000 + i % 8, SYN);

		(void)node_send(node, SLOT_B, &other);
	}
	arm_timer(node);
	tap_ok(wait_until_left(node, 1 + 8), "hands and timer end what is over");
	stop_timer(node);
	is_exact(node, 1, "then");

	deliver(node, SLOT_A, &rst);
	deliver(node, SLOT_A, &syn);
	is_exact(node, 1, "when a connection begins anew with the tuple of one that is over");
	node_bump(node, SLOT_ENI_A);
	node_policy(node, SLOT_A, NULL, 0, false);
	node_bump(node, SLOT_A);
	(void)node_send(node, SLOT_A, &syn);
	is_exact(node, 0, "when a connection is revoked");
	node_policy(node, SLOT_A, RULES(rules_instance), true);
	node_bump(node, SLOT_A);

	handshake(node, SLOT_A, 4001);
	syn = tcp(node, SLOT_A, 4001, SYN);
	is_exact(node, 1, "with another one");
	node_set_account(node, SLOT_ENI_A, ACCOUNT_OTHER);
	is_exact(node, 1, "when its endpoint is another account's by now");
	handshake(node, SLOT_A, 4002);
	is_exact(node, 1, "whose new connection it is");
	tap_ok(ask_to_end(node, &syn) == 1, "when the agent asks the first one ends");
	is_exact(node, 0, "and is given back to the one that it was taken from:");
	tap_is_int(account_has(node, ACCOUNT_OTHER), 1 + 8, "the other one has its own");
	node_free(node);
}

int main(void)
{
	test_crowd();
	test_many();
	test_endpoints();
	test_questions();
	test_probes();
	test_ends();
	return tap_done();
}
