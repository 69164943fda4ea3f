/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Security groups against a naive evaluator: random groups (nested prefixes, overlapping ranges, drops, rules
 * that name groups, members among each other), random sets of up to ten of them at both ends, and packets at
 * the edges of their rules. An endpoint's ENI judges what comes in, with and without a load balancer's
 * groups, and the sender's port what goes out; the shipped object's verdict must be what the groups' rules
 * say one by one.
 *
 * The seed is printed and may be given as the argument.
 */
#include "../tap.h"
#include "node.h"

#include <time.h>

#define WORLDS	  50
#define PACKETS	  2000 /* in each of them */
#define GROUPS	  14
#define RULES_MAX 600
#define SETS	  12
#define CELLS	  3400 /* for a group's two lists */

struct rule {
	bool out, allow;
	uint8_t priority, protocol; /* 0: all */
	uint16_t port_first, port_last;
	uint32_t addr;
	int length;
	int group; /* index; -1: the prefix */
};

struct group {
	uint32_t number;
	bool is_advanced, inner;
	int n_rules;
	struct rule rules[RULES_MAX];
};

struct set {
	int n, groups[PL_SET_GROUPS]; /* indexes */
};

struct question {
	int set, other; /* who is asked, and who the other side is */
	bool out;
	uint8_t protocol;
	uint16_t port;
	uint32_t addr;
};

struct run {
	struct node *node;
	uint64_t random;
	struct group groups[GROUPS];
	struct set sets[SETS];			 /* numbers are 100 and the index */
	struct pl_count refused_in, refused_out; /* so far */
	unsigned int wrong, passed, kept_in, kept_out, by_group;
};

/* xorshift64 */
static uint32_t roll(struct run *run, uint32_t below)
{
	run->random ^= run->random << 13;
	run->random ^= run->random >> 7;
	run->random ^= run->random << 17;
	return (run->random >> 32) % below;
}

/* What the groups say, rule by rule. */

static bool has_group(const struct set *set, int group)
{
	for (int i = 0; i < set->n; i++)
		if (set->groups[i] == group)
			return true;
	return false;
}

static bool matches(const struct run *run, const struct rule *rule, const struct question *q)
{
	if (rule->out != q->out || (rule->protocol && rule->protocol != q->protocol))
		return false;
	if (rule->protocol && q->protocol != IPPROTO_ICMP &&
	    (q->port < rule->port_first || q->port > rule->port_last))
		return false;
	if (rule->group >= 0)
		return has_group(&run->sets[q->other], rule->group);
	return rule->length == 0 || (rule->addr ^ q->addr) >> (32 - rule->length) == 0;
}

static bool groups_allow(struct run *run, const struct question *q)
{
	const struct set *set = &run->sets[q->set];
	bool lets_out = set->n > 0;

	for (int priority = 1; priority <= 100; priority++) {
		bool accept = false, drop = false;

		for (int i = 0; i < set->n; i++) {
			const struct group *group = &run->groups[set->groups[i]];

			for (int j = 0; j < group->n_rules; j++) {
				const struct rule *rule = &group->rules[j];

				if (rule->priority != priority || !matches(run, rule, q))
					continue;
				run->by_group += rule->group >= 0;
				accept |= rule->allow;
				drop |= !rule->allow;
			}
		}
		if (accept || drop)
			return !drop;
	}
	for (int i = 0; i < set->n; i++) {
		const struct group *group = &run->groups[set->groups[i]];

		lets_out &= !group->is_advanced;
		if (!q->out && group->inner && !group->is_advanced &&
		    has_group(&run->sets[q->other], set->groups[i]))
			return true;
	}
	return q->out && lets_out;
}

/* Groups and sets into the tables. */

static uint32_t random_addr(struct run *run)
{
	static const uint32_t bases[] = {0x0a000000, 0x0a010000, 0x0a010200,
					 0xac100000, 0xdfffffc0, 0x01000000};

	return bases[roll(run, 6)] + roll(run, roll(run, 2) ? 64 : 0x20000);
}

static void random_rule(struct run *run, struct rule *rule, int named, int priorities)
{
	static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, 47, 0};
	static const int lengths[] = {0, 8, 15, 16, 23, 24, 28, 31, 32, 32};

	*rule = (struct rule){
		.out = roll(run, 3) == 0,
		.allow = roll(run, 3) > 0,
		.priority = roll(run, 50) ? 1 + roll(run, priorities) : 100,
		.protocol = protocols[roll(run, 6)],
		.port_last = 65535,
		.length = lengths[roll(run, 10)],
		.addr = random_addr(run),
		.group = (int)roll(run, 100) < named ? (int)roll(run, GROUPS) : -1,
	};
	if ((rule->protocol == IPPROTO_TCP || rule->protocol == IPPROTO_UDP) && roll(run, 8)) {
		rule->port_first = roll(run, 4) ? 1 + roll(run, 300) : roll(run, 65536);
		rule->port_last = rule->port_first + roll(run, 65536 - rule->port_first);
		if (roll(run, 2))
			rule->port_last = rule->port_first + roll(run, 65536 - rule->port_first) % 10;
	}
}

static struct group_rule list[RULES_MAX + 1];

static uint32_t put_list(struct run *run, const struct group *group, bool out, uint32_t first)
{
	struct group_rule *rules = list;
	size_t n = 0;

	memset(list, 0, sizeof(list));
	for (int i = 0; i < group->n_rules; i++) {
		const struct rule *rule = &group->rules[i];

		if (rule->out != out)
			continue;
		group_rule_set_service(&rules[n], rule->protocol, rule->port_first, rule->port_last);
		rules[n].rank = PL_RANK(rule->priority, rule->allow);
		if (rule->group >= 0)
			rules[n].group = run->groups[rule->group].number;
		else
			group_rule_set_prefix(&rules[n], rule->addr, rule->length);
		n++;
	}
	if (!out && group->inner && !group->is_advanced) {
		group_rule_set_service(&rules[n], 0, 0, 65535);
		rules[n].group = group->number;
		rules[n++].rank = PL_RANK_INNER;
	}
	return node_list(run->node, first, rules, group_rules_settle(rules, n));
}

static void put_set(struct run *run, int index)
{
	const struct set *set = &run->sets[index];
	uint32_t numbers[PL_SET_GROUPS];
	bool lets_out = set->n > 0;

	for (int i = 0; i < set->n; i++) {
		numbers[i] = run->groups[set->groups[i]].number;
		lets_out &= !run->groups[set->groups[i]].is_advanced;
	}
	node_set(run->node, 100 + index, numbers, set->n, lets_out);
}

static void random_world(struct run *run)
{
	static const int most[] = {8, 8, 200, RULES_MAX};
	int named = (int)roll(run, 4) * 30, priorities = roll(run, 3) ? 4 : 99;

	for (int i = 0; i < GROUPS; i++) {
		struct group *group = &run->groups[i];

		*group = (struct group){.number = 1 + (uint32_t)i * 997 + roll(run, 900),
					.is_advanced = roll(run, 4) == 0,
					.inner = roll(run, 2),
					.n_rules = roll(run, most[roll(run, 4)] + 1)};
		for (int j = 0; j < group->n_rules; j++)
			random_rule(run, &group->rules[j], named, priorities);
	}
	for (int i = 0; i < GROUPS; i++) {
		uint32_t first = 1000 + (uint32_t)i * CELLS;

		node_group(run->node, run->groups[i].number, put_list(run, &run->groups[i], false, first),
			   put_list(run, &run->groups[i], true, first + CELLS / 2));
	}
	for (int i = 0; i < SETS; i++) {
		struct set *set = &run->sets[i];
		int n = i == 0 ? 0 : i == 1 ? 10 : (int)roll(run, PL_SET_GROUPS + 1);

		for (set->n = 0; set->n < n;) {
			int group = (int)roll(run, GROUPS);

			if (!has_group(set, group))
				set->groups[set->n++] = group;
		}
		put_set(run, i);
	}
}

/* Packets. */

/* From one side to the other. */
struct flow {
	int sender, receiver, balancer; /* sets; balancer: -1: none */
	uint32_t from, to;
	uint8_t protocol;
	uint16_t port;
};

/* At the edges of a rule of one of the set's groups, or anywhere; `addr` is that of the other side. */
static void aim(struct run *run, int of, struct flow *flow, uint32_t *addr)
{
	const struct set *set = &run->sets[of];
	const struct group *group = set->n ? &run->groups[set->groups[roll(run, set->n)]] : NULL;
	const struct rule *rule = group && group->n_rules ? &group->rules[roll(run, group->n_rules)] : NULL;
	uint32_t hosts;

	if (!rule || roll(run, 4) == 0)
		return;
	hosts = rule->length == 32 ? 0 : 0xffffffffu >> rule->length;
	*addr = (uint32_t[]){rule->addr & ~hosts, rule->addr | hosts, (rule->addr & ~hosts) - 1,
			     (rule->addr | hosts) + 1}[roll(run, 4)];
	flow->port = (uint16_t[]){rule->port_first, rule->port_last, rule->port_first - 1,
				  rule->port_last + 1}[roll(run, 4)];
	if (rule->protocol == IPPROTO_TCP || rule->protocol == IPPROTO_UDP || rule->protocol == IPPROTO_ICMP)
		flow->protocol = rule->protocol;
}

static uint32_t to_host(uint32_t addr)
{
	uint32_t net = addr >> 24;

	return net == 0 || net == 127 || net >= 224 ? 0x0a000000 | (addr & 0xffff) : addr;
}

static struct flow random_flow(struct run *run)
{
	static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP};
	struct flow flow = {
		.sender = (int)roll(run, SETS),
		.receiver = (int)roll(run, SETS),
		.balancer = roll(run, 4) ? -1 : (int)roll(run, SETS),
		.from = random_addr(run),
		.to = random_addr(run),
		.protocol = protocols[roll(run, 3)],
		.port = 1 + roll(run, roll(run, 2) ? 320 : 65535),
	};

	if (roll(run, 3))
		aim(run, flow.receiver, &flow, &flow.from);
	else
		aim(run, flow.sender, &flow, &flow.to);
	/* What is dropped before anybody judges it: addresses of no single host, port 0. */
	flow.from = to_host(flow.from);
	flow.to = to_host(flow.to);
	flow.to ^= flow.from == flow.to;
	flow.port += !flow.port && flow.protocol != IPPROTO_ICMP;
	return flow;
}

static struct pl_addr addr_v4(uint32_t addr)
{
	return (struct pl_addr){.w = {0, 0, htonl(0xffff), htonl(addr)}};
}

/* The sender's port, and an ENI that it can reach. */
static void arrange(struct run *run, const struct flow *flow)
{
	struct node *node = run->node;
	struct pl_port port = node_port_row(node, SLOT_A, 10, "10.0.0.10");
	struct pl_place_key key = {.vpc = 10, .addr = addr_v4(flow->to)};
	struct pl_place place = {.kind = PL_PLACE_ENI, .id = SLOT_ENI_BARE};
	struct pl_eni eni = {.number = 1,
			     .vpc = 10,
			     .flags = PL_ENI_F_CONNECTED,
			     .target = 99, /* listens on nothing: no flow is opened */
			     .addr = key.addr,
			     .set = 100 + (uint32_t)flow->receiver,
			     .balancer_set = flow->balancer < 0 ? 0 : 100 + (uint32_t)flow->balancer};
	uint32_t slot = SLOT_A, eni_slot = SLOT_ENI_BARE;

	port.addr = addr_v4(flow->from);
	port.set = 100 + (uint32_t)flow->sender;
	map_put(node->bpf->maps.pl_ports, &slot, &port);
	map_put(node->bpf->maps.pl_enis, &eni_slot, &eni);
	map_put(node->bpf->maps.pl_places, &key, &place);
}

static void tidy(struct run *run, const struct flow *flow)
{
	struct pl_place_key key = {.vpc = 10, .addr = addr_v4(flow->to)};

	must(bpf_map_delete_elem(bpf_map__fd(run->node->bpf->maps.pl_places), &key), "pl_places");
}

static struct pkt packet_of(const struct run *run, const struct flow *flow)
{
	char src[INET_ADDRSTRLEN], dst[INET_ADDRSTRLEN];
	struct in_addr from = {htonl(flow->from)}, to = {htonl(flow->to)};
	bool is_echo = flow->protocol == IPPROTO_ICMP;

	(void)inet_ntop(AF_INET, &from, src, sizeof(src));
	(void)inet_ntop(AF_INET, &to, dst, sizeof(dst));
	return pkt_build(&(struct pkt_spec){.dst_mac = gateway_mac,
					    .src_mac = run->node->macs[SLOT_A],
					    .src = src,
					    .dst = dst,
					    .protocol = flow->protocol,
					    .sport = is_echo ? 8 << 8 : 4000,
					    .dport = flow->port,
					    .tcp_flags = SYN});
}

/* PL_DROP_POLICY_OUT, PL_DROP_POLICY_IN, or PL_CONTINUE; what else becomes of it does not matter. */
static int wanted(struct run *run, const struct flow *flow)
{
	uint16_t port = flow->protocol == IPPROTO_ICMP ? 0 : flow->port;
	struct question out = {flow->sender, flow->receiver, true, flow->protocol, port, flow->to};
	struct question in = {flow->receiver, flow->sender, false, flow->protocol, port, flow->from};

	if (!groups_allow(run, &out))
		return PL_DROP_POLICY_OUT;
	if (!groups_allow(run, &in))
		return PL_DROP_POLICY_IN;
	in.set = flow->balancer;
	return flow->balancer < 0 || flow->protocol == IPPROTO_ICMP || groups_allow(run, &in)
		       ? PL_CONTINUE
		       : PL_DROP_POLICY_IN;
}

static int got(struct run *run, const struct pkt *p)
{
	struct __sk_buff ctx = {.cb[0] = SLOT_A};
	struct pl_count in, out;
	int reason = PL_CONTINUE;

	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = p->data, .data_size_in = p->size, .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx));
	must(bpf_prog_test_run_opts(bpf_program__fd(run->node->bpf->progs.pl_main), &opts), "run");
	in = node_count(run->node, PL_DROP_POLICY_IN);
	out = node_count(run->node, PL_DROP_POLICY_OUT);
	if (in.packets != run->refused_in.packets)
		reason = PL_DROP_POLICY_IN;
	if (out.packets != run->refused_out.packets)
		reason = PL_DROP_POLICY_OUT;
	run->refused_in = in;
	run->refused_out = out;
	return reason;
}

static void judge_one(struct run *run)
{
	struct flow flow = random_flow(run);
	struct pkt p = packet_of(run, &flow);
	int want = wanted(run, &flow), is;

	arrange(run, &flow);
	is = got(run, &p);
	tidy(run, &flow);
	run->passed += want == PL_CONTINUE;
	run->kept_in += want == PL_DROP_POLICY_IN;
	run->kept_out += want == PL_DROP_POLICY_OUT;
	if (want != is && run->wrong++ < 10)
		tap_note("sets %d to %d (%d), %08x to %08x, protocol %u, port %u: %d instead of %d",
			 flow.sender, flow.receiver, flow.balancer, flow.from, flow.to, flow.protocol,
			 flow.port, is, want);
}

/* Whether all verdicts were met so often, and rules that name groups. */
static bool has_met_all(const struct run *run, unsigned int often)
{
	return run->passed > often && run->kept_in > often && run->kept_out > often && run->by_group > often;
}

int main(int argc, char **argv)
{
	struct run *run = calloc(1, sizeof(*run));
	uint64_t seed =
		argc > 1 ? strtoull(argv[1], NULL, 0) : (uint64_t)time(NULL) << 20 ^ (uint64_t)getpid();
	unsigned int worlds = node_rounds(WORLDS), often = worlds * PACKETS / 20, world = 0;

	must(run ? 0 : -ENOMEM, "memory");
	run->random = seed ? seed : 1;
	tap_note("seed %llu", (unsigned long long)seed);
	run->node = node_new(&(struct node_options){0});
	node_unsettle(run->node, SLOT_A); /* each packet is judged */
	do {				  /* in ten worlds few packets may pass: then there are more worlds */
		random_world(run);
		for (int i = 0; i < PACKETS; i++)
			judge_one(run);
		world++;
	} while (run->wrong == 0 && (world < worlds || (world < 10 * worlds && !has_met_all(run, often))));
	tap_is_int(run->wrong, 0, "the program judges as the groups' rules say one by one");
	tap_ok(has_met_all(run, often), "all verdicts were met often, and rules that name groups");
	tap_note("%u packets, %u passed, %u kept in, %u kept out", world * PACKETS, run->passed, run->kept_in,
		 run->kept_out);
	node_free(run->node);
	free(run);
	return tap_done();
}
