/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Translated sources of datagrams that rest: a server's late datagram reaches nobody who was not its client.
 */
#include "../tap.h"
#include "flows.h"

#define FLOWS 32

static const struct node_rule rules_none[] = {{"10.0.0.0", 8, IPPROTO_TCP, 1, 1, true}};

static struct pl_flow4_key replies_key(const struct pkt *seen)
{
	struct pkt reply = node_reply(seen, 0);

	return node_key(&reply, 40, PL_SIDE_OUT);
}

static bool rest_of(const struct node *node, const struct pkt *seen, struct pl_rest *ret)
{
	struct pl_flow4_key key = replies_key(seen);

	return bpf_map_lookup_elem(bpf_map__fd(node->bpf->maps.pl_rests), &key, ret) == 0;
}

static void set_rest(const struct node *node, const struct pkt *seen, uint32_t until)
{
	struct pl_flow4_key key = replies_key(seen);
	struct pl_rest rest;

	must(rest_of(node, seen, &rest) ? 0 : -ENOENT, "rest");
	rest.until = until;
	map_put(node->bpf->maps.pl_rests, &key, &rest);
}

/* What the program calls now, by the row of a flow that was just opened. */
static uint32_t ticks(struct node *node)
{
	struct pkt p = udp(node, SLOT_C, 1999);

	deliver(node, SLOT_C, &p);
	return flow_of(node, &p, SLOT_C, PL_SIDE_OUT).seen;
}

/* A datagram that opens a flow by the first token, and has its first source again: none is fresh, and the
 * epoch takes back what the token's incarnation has added. */
static struct pkt opens_again(struct node *node, uint32_t slot)
{
	struct pl_uses uses = node_uses(node);
	struct pkt p = udp(node, slot, 4000);
	uint32_t zero = 0;

	uses.fresh[PL_RANGE_TENANTS] = node->bpf->rodata->pl_n_tenants;
	uses.epoch = 0 - (uint32_t)(node_token(node, 1).word >> PL_TOKEN_INCARNATION);
	map_put(node->bpf->maps.pl_uses, &zero, &uses);
	return deliver(node, slot, &p);
}

/* The flow of an instance ends, since a rule is revoked; then it is back. */
static void end_flow(struct node *node, uint32_t slot, uint32_t eni)
{
	struct pkt p = udp(node, slot, 4000);

	node_policy(node, eni, RULES(rules_none), false);
	node_bump(node, eni);
	(void)node_send(node, slot, &p);
	tap_is_int(node_flows(node), 0, "the flow has ended");
	node_policy(node, eni, RULES(rules_eni), false);
	node_bump(node, eni);
}

static bool same_source(const struct pkt *a, const struct pkt *b)
{
	return memcmp(a->data + PKT_IP + 12, b->data + PKT_IP + 12, 4) == 0 &&
	       memcmp(a->data + PKT_L4, b->data + PKT_L4, 2) == 0;
}

static void test_rest(struct node *node)
{
	struct pkt p = udp(node, SLOT_A, 4000), seen = deliver(node, SLOT_A, &p), other;
	struct pkt reply = node_reply(&seen, 0);
	struct pl_rest rest;
	uint32_t now;

	deliver(node, SLOT_S1, &reply);
	end_flow(node, SLOT_A, SLOT_ENI_A);
	tap_ok(rest_of(node, &seen, &rest) && rest.addr == addr4("10.0.0.10") && rest.vpc == 10,
	       "its source rests");
	other = opens_again(node, SLOT_A);
	tap_ok(same_source(&seen, &other), "for all but the client that had it");
	deliver(node, SLOT_S1, &reply);
	end_flow(node, SLOT_A, SLOT_ENI_A);

	other = opens_again(node, SLOT_B);
	tap_ok(!same_source(&seen, &other), "another client gets another one");
	tap_is_int(node_send(node, SLOT_S1, &reply).reason, PL_DROP_NO_FLOW,
		   "what the server sends late reaches nobody");
	end_flow(node, SLOT_B, SLOT_ENI_B);

	now = ticks(node);
	set_rest(node, &seen, now + pl_kernel_hz() * 20);
	tap_is_int(node_send(node, SLOT_S1, &reply).reason, PL_DROP_NO_FLOW, "it goes on sending");
	tap_ok(rest_of(node, &seen, &rest) && (int32_t)(rest.until - now - pl_kernel_hz() * 50) > 0,
	       "and the source rests on");
	set_rest(node, &seen, now);
	tap_is_int(node_send(node, SLOT_S1, &reply).reason, PL_DROP_NO_FLOW, "a rest that is over");
	tap_ok(rest_of(node, &seen, &rest) && rest.until == now, "does not begin anew");
	node_clear_flows(node);
	p = udp(node, SLOT_B, 4000);
	other = deliver(node, SLOT_B, &p);
	tap_ok(same_source(&seen, &other), "then whoever comes gets the source");
}

/* Flows that end by themselves were silent for longer than a rest. */
static void test_silent(struct node *node)
{
	struct pkt p = udp(node, SLOT_A, 4001), seen = deliver(node, SLOT_A, &p);
	struct pkt reply = node_reply(&seen, 0);
	struct pl_flow4_key key = replies_key(&seen);
	struct pl_rest rest;

	(void)bpf_map_delete_elem(bpf_map__fd(node->bpf->maps.pl_rests), &key); /* of the test before */
	deliver(node, SLOT_S1, &reply);
	age_flows(node, PL_REST_UDP + 1);
	node_policy(node, SLOT_ENI_A, RULES(rules_none), false);
	node_bump(node, SLOT_ENI_A);
	(void)node_send(node, SLOT_A, &p);
	tap_ok(!rest_of(node, &seen, &rest), "a source to which nothing was sent for long needs no rest");
	node_policy(node, SLOT_ENI_A, RULES(rules_eni), false);
	node_bump(node, SLOT_ENI_A);
}

static uint32_t n_rests(const struct node *node, uint32_t eni)
{
	uint32_t n = 0;

	must(bpf_map_lookup_elem(bpf_map__fd(node->bpf->maps.pl_rest_counts), &eni, &n), "pl_rest_counts");
	return n;
}

/* Rows that there are; all of them are to rest until then, if that is not 0. */
static uint32_t each_rest(const struct node *node, uint32_t until)
{
	int fd = bpf_map__fd(node->bpf->maps.pl_rests);
	uint32_t n = 0;
	struct pl_flow4_key *keys = node_keys(fd, &n);
	struct pl_rest rest;

	for (uint32_t i = 0; i < n && until; i++) {
		must(bpf_map_lookup_elem(fd, &keys[i], &rest), "pl_rests");
		rest.until = until;
		map_put(node->bpf->maps.pl_rests, &keys[i], &rest);
	}
	free(keys);
	return n;
}

/* Adds to a row of pl_rest_counts. */
static void count(const struct node *node, uint32_t row, uint32_t n)
{
	uint32_t value = n_rests(node, row) + n;

	map_put(node->bpf->maps.pl_rest_counts, &row, &value);
}

/* So many rests of an ENI of an account, as if that many flows of it had ended. */
static void fill(const struct node *node, uint32_t eni, uint16_t account, uint32_t n, uint32_t until)
{
	struct pl_rest rest = {.until = until, .owner = eni | (uint32_t)account << PL_OWNER_ACCOUNT};

	for (uint32_t i = 0; i < n; i++) {
		struct pl_flow4_key key = {.saddr = i, .daddr = eni, .vpc_proto = 99 << 8 | IPPROTO_UDP};

		map_put(node->bpf->maps.pl_rests, &key, &rest);
		must(bpf_map_update_elem(bpf_map__fd(node->bpf->maps.pl_rest_queue), NULL, &key, BPF_ANY),
		     "pl_rest_queue");
	}
	count(node, eni, n);
	count(node, pl_owner_of_account(account), n);
	count(node, PL_SLOT_SERVICE, n);
}

/* Many flows of one ENI that end. */
static void end_many(struct node *node, uint32_t slot, uint32_t eni)
{
	struct pkt p;

	for (uint16_t i = 0; i < FLOWS; i++) {
		p = udp(node, slot, 1024 + i);
		(void)node_send(node, slot, &p);
	}
	node_policy(node, eni, RULES(rules_none), false);
	node_bump(node, eni);
	for (uint16_t i = 0; i < FLOWS; i++) {
		p = udp(node, slot, 1024 + i);
		(void)node_send(node, slot, &p);
	}
	node_policy(node, eni, RULES(rules_eni), false);
	node_bump(node, eni);
}

/* All that rest are over, and the timer takes them away. */
static void end_all(struct node *node, uint32_t now)
{
	(void)each_rest(node, now);
	arm_timer(node);
	for (int i = 0; i < 3000 && n_rests(node, PL_SLOT_SERVICE); i++)
		(void)usleep(10000);
	stop_timer(node);
}

/* Nobody has others' rests forgotten by ending many flows. */
static void test_share(struct node *node)
{
	struct pkt p = udp(node, SLOT_A, 4000), seen = deliver(node, SLOT_A, &p), other;
	struct pl_rest rest;
	uint32_t now = ticks(node);

	node_clear_flows(node);
	seen = deliver(node, SLOT_A, &p);
	end_flow(node, SLOT_A, SLOT_ENI_A);
	tap_ok(rest_of(node, &seen, &rest) && n_rests(node, SLOT_ENI_A) == 1, "a source rests");
	fill(node, SLOT_ENI_B, NODE_ACCOUNT_FIRST + SLOT_ENI_B, PL_RESTS_MAX / 2 - FLOWS / 2,
	     now + PL_REST_UDP * pl_kernel_hz());
	end_many(node, SLOT_B, SLOT_ENI_B);
	tap_ok(n_rests(node, SLOT_ENI_B) >= PL_RESTS_MAX / 2 - 1 &&
		       n_rests(node, SLOT_ENI_B) <= PL_RESTS_MAX / 2,
	       "those of another ENI take half of the room, %u", n_rests(node, SLOT_ENI_B));
	tap_ok(rest_of(node, &seen, &rest) && rest.vpc == 10, "and the first one still");
	tap_is_int(n_rests(node, PL_SLOT_SERVICE), each_rest(node, 0), "all are counted");
	p = udp(node, SLOT_A, 4001);
	other = deliver(node, SLOT_A, &p);
	node_policy(node, SLOT_ENI_A, RULES(rules_none), false);
	node_bump(node, SLOT_ENI_A);
	(void)node_send(node, SLOT_A, &p);
	node_policy(node, SLOT_ENI_A, RULES(rules_eni), false);
	node_bump(node, SLOT_ENI_A);
	tap_ok(rest_of(node, &other, &rest) && n_rests(node, SLOT_ENI_A) == 2,
	       "there is room for more of it");

	end_all(node, now);
	tap_ok(each_rest(node, 0) == 0 && n_rests(node, PL_SLOT_SERVICE) == 0 &&
		       n_rests(node, SLOT_ENI_A) == 0 && n_rests(node, SLOT_ENI_B) == 0,
	       "what is over goes");
}

#define CROWD_FIRST   100
#define CROWD	      31
#define CROWD_ACCOUNT 7

static uint32_t n_rests_of(const struct node *node, uint16_t account)
{
	return n_rests(node, pl_owner_of_account(account));
}

/* Nor has who ends them at many ENIs, each of which has few. */
static void test_account(struct node *node)
{
	struct pkt p = udp(node, SLOT_A, 4000), seen;
	uint32_t now = ticks(node), each = (PL_RESTS_MAX / 2 - FLOWS / 4) / CROWD, rows;
	struct pl_rest rest;

	node_clear_flows(node);
	for (uint32_t i = 0; i < CROWD; i++)
		fill(node, CROWD_FIRST + i, CROWD_ACCOUNT, each, now + PL_REST_UDP * pl_kernel_hz());
	node_set_account(node, SLOT_ENI_B, CROWD_ACCOUNT);
	end_many(node, SLOT_B, SLOT_ENI_B);
	rows = n_rests_of(node, CROWD_ACCOUNT);
	tap_ok(rows > CROWD * each && rows >= PL_RESTS_MAX / 2 - 1 && rows <= PL_RESTS_MAX / 2,
	       "those of %d ENIs of one account take half of the room, %u", CROWD + 1, rows);
	tap_is_int(n_rests(node, SLOT_ENI_B), rows - CROWD * each, "of which one has little");
	tap_is_int(rows, each_rest(node, 0), "all are counted");
	seen = deliver(node, SLOT_A, &p);
	end_flow(node, SLOT_A, SLOT_ENI_A);
	tap_ok(rest_of(node, &seen, &rest) && n_rests_of(node, NODE_ACCOUNT_FIRST + SLOT_ENI_A) == 1,
	       "there is room for another account's");

	node_set_account(node, SLOT_ENI_B, 0);
	end_all(node, now);
	tap_ok(each_rest(node, 0) == 0 && n_rests(node, PL_SLOT_SERVICE) == 0 &&
		       n_rests(node, SLOT_ENI_B) == 0 && n_rests_of(node, CROWD_ACCOUNT) == 0 &&
		       n_rests_of(node, 0) == 0,
	       "what is over is given back to the account that had it");
	end_many(node, SLOT_B, SLOT_ENI_B);
	tap_is_int(n_rests(node, SLOT_ENI_B), FLOWS, "what is no account's rests, too");
}

/* Connections have their handshake. */
static void test_tcp(struct node *node)
{
	struct pkt data = tcp(node, SLOT_A, 4002, ACK), seen = handshake(node, SLOT_A, 4002);
	struct pl_rest rest;

	node_policy(node, SLOT_ENI_A, RULES(rules_none), false);
	node_bump(node, SLOT_ENI_A);
	(void)node_send(node, SLOT_A, &data);
	tap_ok(!rest_of(node, &seen, &rest), "nor does one of a connection");
	node_policy(node, SLOT_ENI_A, RULES(rules_eni), false);
	node_bump(node, SLOT_ENI_A);
}

int main(void)
{
	struct node *node = node_new(&(struct node_options){0});

	serve_by(node, 1);
	test_rest(node);
	node_clear_flows(node);
	test_silent(node);
	node_clear_flows(node);
	test_tcp(node);
	node_free(node);

	node = node_new(&(struct node_options){0});
	serve_by(node, 1);
	test_share(node);
	node_free(node);

	node = node_new(&(struct node_options){0});
	serve_by(node, 1);
	test_account(node);
	node_free(node);
	return tap_done();
}
