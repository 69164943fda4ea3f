/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random traffic of three consumer VPCs with the same addresses and few source ports, towards the servers of
 * one provider: every packet that comes out is compared, byte for byte, with what the naive NAT of oracle.h
 * makes of it. Payloads carry the number of the VPC that they are from; none may ever arrive in another.
 *
 * A million packets: so verdict and bytes are compared for each, and the counters of the reasons for each
 * batch. The seed is printed and may be given as the argument.
 */
#include "../tap.h"
#include "flows.h"
#include "oracle.h"

#include <time.h>

#define PACKETS 500000 /* by each way to write */
#define BATCH	1000   /* packets between two looks at the counters */
#define PORTS	150    /* of a consumer, by TCP and by UDP */

struct run {
	struct node *node;
	struct oracle oracle;
	uint64_t random;
	unsigned int packets, opened, forward, back, strays, anew;
	uint64_t counted[PL_REASON_MAX],
		wanted[PL_REASON_MAX]; /* as they were first, and what has come since */
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

/* Some text that starts with the sender's mark, of random length: a piece of what was rolled once. */
static const char *payload(struct run *run, char mark)
{
	static char noise[8192], text[1400];
	uint32_t size = 1 + roll(run, roll(run, 4) ? 40 : sizeof(text) - 2);

	for (uint32_t i = 0; !noise[sizeof(noise) - 1] && i < sizeof(noise); i++)
		noise[i] = 1 + roll(run, 255);
	text[0] = mark;
	memcpy(text + 1, noise + roll(run, sizeof(noise) - sizeof(text)), size - 1);
	text[size] = '\0';
	return text;
}

static uint8_t mark_of(const struct pkt *p)
{
	return p->data[PKT_L4 + (p->data[PKT_IP + 9] == IPPROTO_TCP ? 20 : 8)];
}

/* Runs the program, and nothing else: node_send() reads all counters for each packet. */
static uint32_t pass(struct run *run, uint32_t slot, const struct pkt *p, struct pkt *ret)
{
	struct __sk_buff ctx = {.cb[0] = slot};

	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = p->data, .data_size_in = p->size,
		    .data_out = ret->data, .data_size_out = PKT_MAX, .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx));
	must(bpf_prog_test_run_opts(bpf_program__fd(run->node->bpf->progs.pl_main), &opts), "run");
	ret->size = opts.data_size_out;
	run->packets++;
	return opts.retval;
}

/* Whether a packet of no flow, as it was left, is what it was, or the reset that tells of it. */
static bool is_dropped(struct run *run, const struct pkt *p, uint32_t verdict, const struct pkt *left)
{
	struct pkt reset;

	run->wanted[PL_DROP_NO_FLOW]++;
	if (verdict == TC_ACT_SHOT)
		return pkt_equal(p, left);
	if (verdict != TC_ACT_REDIRECT || p->data[PKT_IP + 9] != IPPROTO_TCP)
		return false;
	reset = pkt_reset(p, gateway_mac);
	return pkt_equal(&reset, left);
}

static bool counts_are_right(const struct run *run)
{
	bool ok = true;

	for (int i = 0; i < PL_REASON_MAX; i++) {
		uint64_t got = node_count(run->node, i).packets - run->counted[i];

		if (got == run->wanted[i])
			continue;
		tap_note("%s: %llu were counted, not %llu", reason_name(i), (unsigned long long)got,
			 (unsigned long long)run->wanted[i]);
		ok = false;
	}
	return ok;
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
		.sport = 1000 + roll(run, PORTS),
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
	struct pkt p = consumer_packet(run, c), want, left;
	struct oracle_flow *flow = (struct oracle_flow *)oracle_find(&run->oracle, c->vpc, &p);
	uint8_t flags = p.data[PKT_IP + 9] == IPPROTO_TCP ? p.data[PKT_L4 + 13] : 0;
	uint32_t verdict;

	if (flow && flags == SYN && oracle_is_over(flow)) {
		oracle_forget(&run->oracle, flow);
		flow = NULL;
		run->anew++;
	}
	verdict = pass(run, c->slot, &p, &left);
	if (flow && oracle_is_older(flow, flags))
		return is_dropped(run, &p, verdict, &left) && has_state(run, flow, &p);
	run->wanted[PL_DELIVERED]++;
	if (verdict != TC_ACT_REDIRECT)
		return false;
	if (!flow) {
		if (!is_allowed_choice(run, &left) || !oracle_learn(&run->oracle, c->vpc, 40, &p, &left))
			return false;
		flow = (struct oracle_flow *)oracle_find(&run->oracle, c->vpc, &p);
		run->opened++;
	} else {
		run->forward++;
	}
	oracle_hear(flow, ORACLE_CONSUMER, flags);
	want = oracle_route(&p, &flow->translated, flow->server_mac, gateway_mac);
	return pkt_equal(&want, &left) && has_state(run, flow, &p);
}

/* An answer to a random flow; the server marks it with its consumer's letter, which the oracle knows and the
 * data path does not. */
static bool step_back(struct run *run)
{
	struct oracle_flow *flow;
	const struct consumer *c;
	struct oracle_tuple tuple, home;
	struct pkt_spec spec = {.src = "0.0.0.0", .dst = "0.0.0.0"};
	struct pkt p, want, asked, left;
	uint32_t verdict;

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
	verdict = pass(run, flow->server_mac[5], &p, &left);
	if (oracle_is_older(flow, spec.tcp_flags))
		return is_dropped(run, &p, verdict, &left) && has_state(run, flow, &asked);
	run->wanted[PL_DELIVERED]++;
	run->back++;
	oracle_hear(flow, ORACLE_SERVER, flow->protocol == IPPROTO_TCP ? spec.tcp_flags : 0);
	return has_state(run, flow, &asked) && verdict == TC_ACT_REDIRECT && pkt_equal(&want, &left) &&
	       mark_of(&left) == (uint8_t)c->mark && memcmp(left.data, run->node->macs[c->slot], 6) == 0;
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
		.dport = 1000 + roll(run, 4000),
		.tcp_flags = roll(run, 2) ? ACK : SYN | ACK,
		.payload = "stray",
	};
	struct pkt p = pkt_build(&spec), left;

	if (oracle_find_reply(&run->oracle, 40, &p))
		return true;
	run->strays++;
	return is_dropped(run, &p, pass(run, s->slot, &p, &left), &left);
}

static bool step(struct run *run)
{
	switch (roll(run, 5)) {
	case 0:
	case 1:
		return step_forward(run);
	case 2:
	case 3:
		return step_back(run);
	default:
		return step_stray(run);
	}
}

/* False: they differ, or the counters of the last batch do. */
static bool agree(struct run *run, unsigned int packets)
{
	unsigned int batch = BATCH;

	for (int i = 0; i < PL_REASON_MAX; i++)
		run->counted[i] = node_count(run->node, i).packets;
	while (run->packets < packets) {
		if (!step(run))
			return false;
		if (run->packets < batch)
			continue;
		batch += BATCH;
		if (!counts_are_right(run))
			return false;
	}
	return true;
}

/* How long a flow may be idle is no subject here: on a slow machine none of them ends by itself. */
static void stop_ageing(struct node *node)
{
	struct pl_config config;
	uint32_t zero = 0;

	must(bpf_map_lookup_elem(bpf_map__fd(node->bpf->maps.pl_config), &zero, &config), "pl_config");
	config.hz *= 100;
	map_put(node->bpf->maps.pl_config, &zero, &config);
}

static void test_traffic(uint64_t seed, bool helpers)
{
	struct run *run = calloc(1, sizeof(*run));
	const char *mode = helpers ? "helpers" : "direct";
	unsigned int packets = node_is_emulated() ? PACKETS / 100 : PACKETS;
	bool ok;

	run->node = node_new(&(struct node_options){.helpers = helpers});
	run->random = seed;
	stop_ageing(run->node);
	ok = agree(run, packets);
	tap_ok(ok, "the data path and the naive NAT agree on every packet (%s)", mode);
	if (!ok)
		tap_note("they differ at packet %u, seed %llu", run->packets, (unsigned long long)seed);
	tap_note("%u packets: %u flows opened (%u anew), %u there, %u back, %u strays", run->packets,
		 run->opened, run->anew, run->forward, run->back, run->strays);
	tap_ok(run->anew > 0, "some flows were over, and began anew (%s)", mode);
	tap_is_int(node_flows(run->node), 2 * run->oracle.n, "two entries for each flow and no other (%s)",
		   mode);
	tap_is_int(count_faults(run->node), 0, "rows, tokens and counts fit together (%s)", mode);
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
