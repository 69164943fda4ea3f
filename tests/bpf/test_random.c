/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random traffic of three consumer VPCs with the same addresses and few source ports, towards the servers of
 * one provider: every packet that comes out is compared, byte for byte, with what the naive NAT of oracle.h
 * makes of it. Payloads carry the number of the VPC that they are from; none may ever arrive in another.
 *
 * The seed is printed and may be given as the argument.
 */
#include "../tap.h"
#include "node.h"
#include "oracle.h"

#include <time.h>

#define STEPS 6000

struct run {
	struct node *node;
	struct oracle oracle;
	uint64_t random;
	unsigned int opened, forward, back, strays, anew;
};

static const struct consumer {
	uint32_t slot, vpc;
	char mark;
} consumers[] = {{SLOT_A, 10, 'A'}, {SLOT_B, 20, 'B'}, {SLOT_C, 30, 'C'}};

static const struct server {
	uint32_t slot;
	const char *addr;
} servers[] = {{SLOT_S1, "10.0.0.10"}, {SLOT_S2, "10.0.0.11"}};

/* xorshift64 */
static uint32_t roll(struct run *run, uint32_t below)
{
	run->random ^= run->random << 13;
	run->random ^= run->random >> 7;
	run->random ^= run->random << 17;
	return (run->random >> 32) % below;
}

/* Some text that starts with the sender's mark, of random length. */
static const char *payload(struct run *run, char mark)
{
	static char text[1400];
	uint32_t size = 1 + roll(run, roll(run, 4) ? 40 : sizeof(text) - 2);

	text[0] = mark;
	for (uint32_t i = 1; i < size; i++)
		text[i] = 1 + roll(run, 255);
	text[size] = '\0';
	return text;
}

static uint8_t mark_of(const struct pkt *p)
{
	return p->data[PKT_L4 + (p->data[PKT_IP + 9] == IPPROTO_TCP ? 20 : 8)];
}

/* Mostly data. */
static uint8_t some_flags(struct run *run)
{
	static const uint8_t flags[] = {SYN, FIN | ACK, RST, RST | ACK};
	uint32_t dice = roll(run, 12);

	return dice < sizeof(flags) ? flags[dice] : ACK;
}

/* Whether the data path thinks of a flow's state what the oracle does. */
static bool has_state(struct run *run, const struct oracle_flow *flow, const struct pkt *asked)
{
	struct pl_flow4_key key = node_key(asked, flow->vpc, PL_SIDE_OUT);
	uint32_t class = flow->established ? PL_CLASS_LIVE : PL_CLASS_NEW;
	struct pl_flow4 row;

	if (oracle_is_closing(flow))
		class = PL_CLASS_CLOSING;
	if (flow->protocol != IPPROTO_TCP)
		class = PL_CLASS_LIVE;
	return node_flow(run->node, &key, &row) && pl_state_class(row.state, flow->protocol) == class;
}

/* A packet from a consumer. TCP that the oracle does not know begins with a SYN. */
static struct pkt consumer_packet(struct run *run, const struct consumer *c)
{
	bool tcp = roll(run, 2);
	struct pkt_spec spec = {
		.dst_mac = gateway_mac,
		.src_mac = run->node->macs[c->slot],
		.src = "10.0.0.10",
		.dst = "10.0.0.100",
		.protocol = tcp ? IPPROTO_TCP : IPPROTO_UDP,
		.sport = 1000 + roll(run, 60),
		.dport = tcp ? 443 : 500,
		.tcp_flags = SYN,
		.payload = payload(run, c->mark),
		.no_checksum = !tcp && roll(run, 8) == 0,
	};
	struct pkt p = pkt_build(&spec);

	if (tcp && oracle_find(&run->oracle, c->vpc, &p)) {
		p.data[PKT_L4 + 13] = some_flags(run);
		pkt_seal(&p);
	}
	return p;
}

/* Whether a new flow's packet went to one of the listener's servers, from the translated range. */
static bool is_allowed_choice(const struct run *run, const struct pkt *out)
{
	uint8_t addr[4], first[4];

	put_addr(first, NAT_FIRST);
	if (memcmp(out->data + PKT_IP + 12, first, 3) || out->data[PKT_IP + 15] < first[3] ||
	    out->data[PKT_IP + 15] >= first[3] + NAT_COUNT || get16(out->data + PKT_L4 + 2) != 8443)
		return false;
	for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++) {
		put_addr(addr, servers[i].addr);
		if (memcmp(out->data + PKT_IP + 16, addr, 4) == 0)
			return memcmp(out->data, run->node->macs[servers[i].slot], 6) == 0;
	}
	return false;
}

static bool step_forward(struct run *run)
{
	const struct consumer *c = &consumers[roll(run, 3)];
	struct pkt p = consumer_packet(run, c), want;
	struct oracle_flow *flow = (struct oracle_flow *)oracle_find(&run->oracle, c->vpc, &p);
	uint8_t flags = p.data[PKT_IP + 9] == IPPROTO_TCP ? p.data[PKT_L4 + 13] : 0;
	struct outcome o;

	if (flow && flags == SYN && oracle_is_over(flow)) {
		oracle_forget(&run->oracle, flow);
		flow = NULL;
		run->anew++;
	}
	o = node_send(run->node, c->slot, &p);
	if (flow && oracle_is_older(flow, flags))
		return o.reason == PL_DROP_NO_FLOW && has_state(run, flow, &p);
	if (o.reason != PL_DELIVERED)
		return false;
	if (!flow) {
		if (!is_allowed_choice(run, &o.out) || !oracle_learn(&run->oracle, c->vpc, 40, &p, &o.out))
			return false;
		flow = (struct oracle_flow *)oracle_find(&run->oracle, c->vpc, &p);
		run->opened++;
	} else {
		run->forward++;
	}
	oracle_hear(flow, ORACLE_CONSUMER, flags);
	want = oracle_route(&p, &flow->translated, flow->server_mac, gateway_mac);
	return pkt_equal(&want, &o.out) && has_state(run, flow, &p);
}

/* An answer to a random flow; the server marks it with its consumer's letter, which the oracle knows and the
 * data path does not. */
static bool step_back(struct run *run)
{
	struct oracle_flow *flow;
	const struct consumer *c;
	struct oracle_tuple tuple, home;
	struct pkt_spec spec = {.src = "0.0.0.0", .dst = "0.0.0.0"};
	struct pkt p, want, asked;
	struct outcome o;

	if (!run->oracle.n)
		return true;
	flow = &run->oracle.flows[roll(run, run->oracle.n)];
	c = &consumers[flow->vpc / 10 - 1];
	spec.dst_mac = gateway_mac;
	spec.src_mac = flow->server_mac;
	spec.protocol = flow->protocol;
	spec.tcp_flags = some_flags(run);
	if (spec.tcp_flags == SYN)
		spec.tcp_flags = SYN | ACK;
	spec.payload = payload(run, c->mark);
	p = pkt_build(&spec);
	tuple = oracle_turn(&flow->translated);
	p = oracle_write(&p, &tuple, gateway_mac, flow->server_mac);
	home = oracle_turn(&flow->asked);
	asked = oracle_write(&p, &flow->asked, gateway_mac, gateway_mac);
	want = oracle_route(&p, &home, flow->consumer_mac, gateway_mac);
	o = node_send(run->node, flow->server_mac[5], &p);
	if (oracle_is_older(flow, spec.tcp_flags))
		return o.reason == PL_DROP_NO_FLOW && has_state(run, flow, &asked);
	run->back++;
	oracle_hear(flow, ORACLE_SERVER, flow->protocol == IPPROTO_TCP ? spec.tcp_flags : 0);
	return has_state(run, flow, &asked) && o.reason == PL_DELIVERED && pkt_equal(&want, &o.out) &&
	       mark_of(&o.out) == (uint8_t)c->mark && memcmp(o.out.data, run->node->macs[c->slot], 6) == 0;
}

/* A server's packet to a random translated source that answers nothing. */
static bool step_stray(struct run *run)
{
	const struct server *s = &servers[roll(run, 2)];
	struct pkt_spec spec = {
		.dst_mac = gateway_mac,
		.src_mac = run->node->macs[s->slot],
		.src = s->addr,
		.dst = roll(run, 2) ? "100.64.0.16" : "100.64.0.17",
		.protocol = roll(run, 2) ? IPPROTO_TCP : IPPROTO_UDP,
		.sport = 8443,
		.dport = 1000 + roll(run, 100),
		.tcp_flags = roll(run, 2) ? ACK : SYN | ACK,
		.payload = "stray",
	};
	struct pkt p = pkt_build(&spec);

	if (oracle_find_reply(&run->oracle, 40, &p))
		return true;
	run->strays++;
	return node_send(run->node, s->slot, &p).reason == PL_DROP_NO_FLOW;
}

static void test_traffic(uint64_t seed, bool helpers)
{
	struct run *run = calloc(1, sizeof(*run));
	const char *mode = helpers ? "helpers" : "direct";
	bool ok = true;
	int i;

	run->node = node_new(&(struct node_options){.helpers = helpers});
	run->random = seed;
	for (i = 0; ok && i < STEPS; i++) {
		switch (roll(run, 5)) {
		case 0:
		case 1:
			ok = step_forward(run);
			break;
		case 2:
		case 3:
			ok = step_back(run);
			break;
		default:
			ok = step_stray(run);
			break;
		}
	}
	tap_ok(ok, "the data path and the naive NAT agree on every packet (%s)", mode);
	if (!ok)
		tap_note("they differ at step %d", i);
	tap_note("%u flows opened (%u anew), %u packets there, %u back, %u strays", run->opened, run->anew,
		 run->forward, run->back, run->strays);
	tap_ok(run->anew > 0, "some flows were over, and began anew (%s)", mode);
	tap_is_int(node_flows(run->node), 2 * run->oracle.n, "two entries for each flow and no other (%s)",
		   mode);
	node_free(run->node);
	free(run);
}

int main(int argc, char *argv[])
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : (uint64_t)time(NULL) * 2654435761u;

	tap_note("seed %llu", (unsigned long long)seed);
	for (int helpers = 0; helpers < 2; helpers++)
		test_traffic(seed, helpers);
	return tap_done();
}
