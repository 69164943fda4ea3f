/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one packet costs the shipped object, in nanoseconds, by BPF_PROG_TEST_RUN in the world of
 * tests/bpf/node.h. A wrapper gives each run its packet (wrap.h); the same with an empty program behind it is
 * taken away, so what is left is pl_main. Prints one line of JSON, with null for a kind that this object does
 * not know; `packet` calls it many times, in turns with other builds.
 */
#include <math.h>

#include "tests/tap.h"

#include "tests/bpf/flows.h"

#include "bench/wrap.h"

#if __has_include("tests/bpf/proxy.h")
#include "tests/bpf/proxy.h"
#else
#define PSH 0x08
#endif

#define REPEATS	     131072
#define SINGLE	     2001
#define N_NEW	     32768
#define N_FLOWS	     65536 /* open at once: two senders, with half of them each */
#define N_CROWDED    16384
#define PORT_CROWDED 3000 /* below those, from a sender that has no others there */
#define PORT_JUDGED  3000 /* the same, so many */
#define PORT_ONE     4000
#define PORT_LIVES   10000	     /* connections from there are followed to their ends */
#define PORT_MANY    20000	     /* of the first of many flows */
#define ROWS	     ((1 << 20) + 1) /* as many buckets, whether there is room for tokens beside or not */

struct bench {
	struct node *node;
	struct wrap_bpf *wrap;
};

/* Says what became of packets that were to be counted under another reason, and ends. */
static _Noreturn void die_of(const struct bench *bench, const struct pl_count *before, const char *what)
{
	fprintf(stderr, "packet_ns: %s:", what);
	for (uint32_t i = 0; i < PL_REASON_MAX; i++) {
		uint64_t n = node_count(bench->node, i).packets - before[i].packets;

		if (n)
			fprintf(stderr, " %lu %s", n, reason_name(i));
	}
	fprintf(stderr, "\n");
	exit(EXIT_FAILURE);
}

/* Runs what was put into the wrapper; fails unless each was counted under the reason. */
static double measure(const struct bench *bench, struct wrap_turns turns, uint32_t repeats, uint32_t reason,
		      const char *what)
{
	struct pl_count before[PL_REASON_MAX];
	double ns;

	for (uint32_t i = 0; i < PL_REASON_MAX; i++)
		before[i] = node_count(bench->node, i);
	ns = wrap_run(bench->wrap, bench->node, turns, repeats);
	if (node_count(bench->node, reason).packets - before[reason].packets != repeats)
		die_of(bench, before, what);
	return ns;
}

/* The same packet again and again. */
static double measure_one(const struct bench *bench, uint32_t slot, const struct pkt *p, uint32_t reason,
			  const char *what)
{
	wrap_put(bench->wrap, 0, slot, p, 0);
	return measure(bench, (struct wrap_turns){.packets = 1, .total = 1}, REPEATS, reason, what);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The same packet, of which a port may have so many a second and no more: one run a call, with its debt
 * forgotten before. The median, since a call is short and an interrupt long. */
static double measure_limited(const struct bench *bench, uint32_t slot, const struct pkt *p, uint32_t reason,
			      const char *rates, const char *what)
{
	static double ns[SINGLE];
	struct bpf_map *map = bpf_object__find_map_by_name(bench->node->bpf->obj, rates);
	uint64_t none = 0;

	wrap_put(bench->wrap, 0, slot, p, 0);
	for (uint32_t i = 0; i < SINGLE; i++) {
		if (map)
			map_put(map, &slot, &none);
		ns[i] = measure(bench, (struct wrap_turns){.packets = 1, .total = 1}, 1, reason, what);
	}
	qsort(ns, SINGLE, sizeof(ns[0]), compare);
	return ns[SINGLE / 2];
}

/* Sends without looking at counters; the packet as it arrived. */
static struct pkt pass(const struct bench *bench, uint32_t slot, const struct pkt *p)
{
	struct __sk_buff ctx = {.cb[0] = slot};
	struct pkt out;

	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = p->data, .data_size_in = p->size,
		    .data_out = out.data, .data_size_out = PKT_MAX, .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx));
	must(bpf_prog_test_run_opts(bpf_program__fd(bench->node->bpf->progs.pl_main), &opts), "run");
	if (opts.retval != TC_ACT_REDIRECT)
		must(-EINVAL, "a packet that is to be delivered");
	out.size = opts.data_size_out;
	return out;
}

/* A flow as it is after a handshake; the first packet as its receiver saw it. */
static struct pkt open_flow(const struct bench *bench, uint32_t slot, struct pkt syn)
{
	struct pkt seen = pass(bench, slot, &syn), syn_ack = node_reply(&seen, SYN | ACK);

	pass(bench, receiver(bench->node, &seen), &syn_ack);
	syn.data[PKT_L4 + 13] = ACK;
	pkt_seal(&syn);
	pass(bench, slot, &syn);
	return seen;
}

/* The kinds */

static double established(const struct bench *bench)
{
	struct pkt ack = tcp(bench->node, SLOT_A, PORT_ONE, ACK);

	open_flow(bench, SLOT_A, tcp(bench->node, SLOT_A, PORT_ONE, SYN));
	return measure_one(bench, SLOT_A, &ack, PL_DELIVERED, "established");
}

static double established_among(const struct bench *bench)
{
	static const uint32_t senders[] = {SLOT_A, SLOT_A2};
	struct wrap_turns turns = {.packets = 2, .total = N_FLOWS, .port_first = PORT_MANY};

	for (uint32_t i = 0; i < 2; i++) {
		struct pkt ack = tcp(bench->node, senders[i], PORT_MANY, ACK);

		for (uint32_t port = 0; port < N_FLOWS / 2; port++)
			open_flow(bench, senders[i], tcp(bench->node, senders[i], PORT_MANY + port, SYN));
		wrap_put(bench->wrap, i, senders[i], &ack, PKT_L4);
	}
	return measure(bench, turns, REPEATS, PL_DELIVERED, "established among 64 k flows");
}

static double between_instances(const struct bench *bench)
{
	struct pkt ack = local(bench->node, SLOT_A, PORT_ONE, 80, ACK);

	open_flow(bench, SLOT_A, local(bench->node, SLOT_A, PORT_ONE, 80, SYN));
	return measure_one(bench, SLOT_A, &ack, PL_DELIVERED, "between instances");
}

/* Rules for what comes to an ENI, of which the last alone lets a connection in; in groups of 200. False:
 * there cannot be so many. */
#ifdef PL_LIST_RULES_MAX
static bool put_rules(const struct bench *bench, uint32_t eni, uint32_t n)
{
	uint32_t groups[PL_SET_GROUPS], n_groups = 0;

	for (uint32_t first = 0; first < n; first += 200) {
		struct group_rule rules[200] = {0};
		uint32_t here = n - first < 200 ? n - first : 200, number = 1000 + eni * 10 + n_groups;

		for (uint32_t i = 0; i < here; i++) {
			uint16_t port = first + i + 1 < n ? 1000 + 2 * (first + i) : 443;

			group_rule_set_service(&rules[i], IPPROTO_TCP, port, port);
			group_rule_set_prefix(&rules[i], 0x0a000000, 24);
			rules[i].rank = PL_RANK(1, true);
		}
		node_group(bench->node, number,
			   node_list(bench->node, 20000 + (eni % 8 * 10 + n_groups) * 1024, rules,
				     group_rules_settle(rules, here)),
			   0);
		groups[n_groups++] = number;
	}
	node_set(bench->node, eni, groups, n_groups, false);
	node_bump(bench->node, eni);
	return true;
}
#else /* a program that walks them */
static bool put_rules(const struct bench *bench, uint32_t eni, uint32_t n)
{
	const uint32_t first = 65536;
	struct pl_policy policy = {.in_first = first, .in_count = n};

	if (n > PL_POLICY_RULES_MAX)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t at = first + i;
		uint16_t port = i + 1 < n ? 1000 + 2 * i : 443;
		struct pl_rule rule = {
			.addr = addr_of("10.0.0.0"),
			.prefix_length = 96 + 24,
			.protocol = IPPROTO_TCP,
			.allow = true,
			.port_first = port,
			.port_last = port,
		};

		map_put(bench->node->bpf->maps.pl_rules, &at, &rule);
	}
	map_put(bench->node->bpf->maps.pl_policies, &eni, &policy);
	return true;
}
#endif

/* As if the sender's rows were being changed all the time: each packet that would open a flow is judged, also
 * where the program remembers what it has judged lately. */
static void unsettle(const struct bench *bench, uint32_t slot)
{
	const struct bpf_map *generations = bench->node->bpf->maps.pl_generations;
	uint32_t generation[2];

	if (bpf_map__value_size(generations) != sizeof(generation))
		return; /* a program that does not remember */
	must(bpf_map_lookup_elem(bpf_map__fd(generations), &slot, generation), "generation");
	generation[1] = generation[0] + 1;
	must(bpf_map_update_elem(bpf_map__fd(generations), &slot, generation, BPF_ANY), "generation");
}

/* From an instance whose ENI has that many rules; each packet opens a flow. */
static double opening(const struct bench *bench, uint32_t slot, uint32_t eni, uint32_t n_rules)
{
	struct wrap_turns turns = {.packets = 1, .total = N_NEW, .port_first = PORT_MANY};
	struct pkt syn = tcp(bench->node, slot, PORT_MANY, SYN);

	if (!put_rules(bench, eni, n_rules))
		return NAN;
	wrap_put(bench->wrap, 0, slot, &syn, PKT_L4);
	return measure(bench, turns, N_NEW, PL_DELIVERED, "new");
}

/* The same, each judged anew. */
static double opening_judged(const struct bench *bench, uint32_t slot, uint32_t eni, uint32_t n_rules)
{
	struct wrap_turns turns = {.packets = 1, .total = N_CROWDED, .port_first = PORT_JUDGED};
	struct pkt syn = tcp(bench->node, slot, PORT_JUDGED, SYN);
	double ns;

	if (!put_rules(bench, eni, n_rules))
		return NAN;
	unsettle(bench, slot);
	wrap_put(bench->wrap, 0, slot, &syn, PKT_L4);
	ns = measure(bench, turns, N_CROWDED, PL_DELIVERED, "new, judged");
	node_bump(bench->node, slot);
	return ns;
}

static double new_10_judged(const struct bench *bench)
{
	return opening_judged(bench, SLOT_B, SLOT_ENI_B, 10);
}

static double new_2000_judged(const struct bench *bench)
{
	return opening_judged(bench, SLOT_C, SLOT_ENI_C, 2000);
}

static double new_10(const struct bench *bench)
{
	return opening(bench, SLOT_B, SLOT_ENI_B, 10);
}

static double new_2000(const struct bench *bench)
{
	return opening(bench, SLOT_C, SLOT_ENI_C, 2000);
}

/* The sender is in ten groups, and each of the ENI's ten names them all; none of their rules decides but the
 * last one of the last group. */
#ifdef PL_SET_GROUPS
static double new_crowded(const struct bench *bench)
{
	uint32_t senders[PL_SET_GROUPS], groups[PL_SET_GROUPS], set = SLOT_A2;
	struct wrap_turns turns = {.packets = 1, .total = N_CROWDED, .port_first = PORT_CROWDED};
	struct pkt syn = tcp(bench->node, SLOT_A2, PORT_CROWDED, SYN);
	double ns;

	for (uint32_t i = 0; i < PL_SET_GROUPS; i++) {
		senders[i] = 2000 + 7 * i;
		groups[i] = 3000 + i;
	}
	for (uint32_t i = 0; i < PL_SET_GROUPS; i++) {
		struct group_rule rules[PL_SET_GROUPS] = {0};

		for (uint32_t j = 0; j < PL_SET_GROUPS; j++) {
			group_rule_set_service(&rules[j], IPPROTO_TCP, 443, 443);
			rules[j].group = senders[j];
			rules[j].rank = PL_RANK(100 - 10 * i - j, true);
		}
		node_group(bench->node, groups[i],
			   node_list(bench->node, 15000 + 100 * i, rules,
				     group_rules_settle(rules, PL_SET_GROUPS)),
			   0);
	}
	node_set(bench->node, set, senders, PL_SET_GROUPS, true);
	node_set(bench->node, SLOT_ENI_A, groups, PL_SET_GROUPS, false);
	node_bump(bench->node, SLOT_ENI_A);
	unsettle(bench, SLOT_A2);
	wrap_put(bench->wrap, 0, SLOT_A2, &syn, PKT_L4);
	ns = measure(bench, turns, N_CROWDED, PL_DELIVERED, "crowded");
	node_bump(bench->node, SLOT_A2);
	node_policy(bench->node, SLOT_ENI_A, RULES(rules_eni), false);
	node_bump(bench->node, SLOT_ENI_A);
	return ns;
}
#else
static double new_crowded(const struct bench *bench)
{
	(void)bench;
	return NAN;
}
#endif

static double denied(const struct bench *bench)
{
	struct pkt syn = from(bench->node, SLOT_A,
			      (struct pkt_spec){.src = "10.0.0.10",
						.dst = "10.0.0.100",
						.protocol = IPPROTO_TCP,
						.sport = PORT_ONE,
						.dport = 445,
						.tcp_flags = SYN});

	return measure_one(bench, SLOT_A, &syn, PL_DROP_POLICY_IN, "denied");
}

static double denied_judged(const struct bench *bench)
{
	double ns;

	unsettle(bench, SLOT_A);
	ns = denied(bench);
	node_bump(bench->node, SLOT_A);
	return ns;
}

/* Where a rule lets in, but nobody listens; told by a reset, if the program does that. */
static double no_listener(const struct bench *bench)
{
	struct pkt syn = from(bench->node, SLOT_A,
			      (struct pkt_spec){.src = "10.0.0.10",
						.dst = "10.0.0.100",
						.protocol = IPPROTO_TCP,
						.sport = PORT_ONE,
						.dport = 81,
						.tcp_flags = SYN});

	return measure_limited(bench, SLOT_A, &syn, PL_DROP_NO_LISTENER, "pl_answers", "no listener");
}

static double echo(const struct bench *bench)
{
	struct pkt ask = from(bench->node, SLOT_A,
			      (struct pkt_spec){.src = "10.0.0.10",
						.dst = "10.0.0.100",
						.protocol = IPPROTO_ICMP,
						.sport = 8 << 8,
						.dport = 7});

	return measure_one(bench, SLOT_A, &ask, PL_ECHO, "echo");
}

static double echo_judged(const struct bench *bench)
{
	double ns;

	unsettle(bench, SLOT_A);
	ns = echo(bench);
	node_bump(bench->node, SLOT_A);
	return ns;
}

/* A server says that a packet of an open flow was too big: the packet's head lies in it, as the server had
 * it. */
static double icmp_error(const struct bench *bench)
{
	const uint16_t inner = 28;
	struct pkt seen = open_flow(bench, SLOT_A, tcp(bench->node, SLOT_A, PORT_ONE + 1, SYN));
	uint32_t server = receiver(bench->node, &seen);
	struct pkt error = from(bench->node, server,
				(struct pkt_spec){.src = server == SLOT_S1 ? "10.0.0.10" : "10.0.0.11",
						  .dst = "10.0.0.10", /* overwritten */
						  .protocol = IPPROTO_ICMP,
						  .sport = 3 << 8 | 4});

	memcpy(error.data + PKT_IP + 16, seen.data + PKT_IP + 12, 4);
	put16(error.data + PKT_L4 + 4, 0);
	put16(error.data + PKT_L4 + 6, 1400);
	memcpy(error.data + PKT_L4 + 8, seen.data + PKT_IP, inner);
	error.size = PKT_L4 + 8 + inner;
	put16(error.data + PKT_IP + 2, error.size - PKT_IP);
	pkt_seal(&error);
	if (node_send(bench->node, server, &error).reason != PL_DELIVERED)
		return NAN;
	return measure_limited(bench, server, &error, PL_DELIVERED, "pl_icmp_rates", "ICMP error");
}

/* Connections */

/* Nanoseconds of one packet, and what became of it. */
static double time_pass(const struct bench *bench, uint32_t slot, const struct pkt *p, struct pkt *ret_out)
{
	const struct bpf_program *programs[] = {bench->node->bpf->progs.pl_main,
						bench->wrap->progs.wrap_empty};
	struct __sk_buff ctx = {.cb[0] = slot};
	double ns[2];

	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = p->data, .data_size_in = p->size, .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx));
	for (int i = 0; i < 2; i++) {
		opts.data_out = i == 0 ? ret_out->data : NULL;
		opts.data_size_out = i == 0 ? PKT_MAX : 0;
		must(bpf_prog_test_run_opts(bpf_program__fd(programs[i]), &opts), "run");
		ns[i] = opts.duration;
		if (i == 0)
			ret_out->size = opts.data_size_out;
	}
	return ns[0] - ns[1];
}

#ifdef PL_PROXY_ON
#define SERVER_SEQ 1000

/* A connection's first four packets: SYN, answer, ACK, and the server's ACK of the header, if the third has
 * become it. */
static double time_connection(const struct bench *bench, uint16_t port, uint32_t parts)
{
	struct pair pair = {.node = bench->node, .port = port};
	uint32_t isn = port, header = parts ? header_size(parts) : 0;
	const struct segment segments[] = {
		{.seq = isn, .flags = SYN, .window = 64000},
		{.seq = SERVER_SEQ, .ack = isn + 1 - header, .flags = SYN | ACK, .window = 64000},
		{.seq = isn + 1, .ack = SERVER_SEQ + 1, .flags = ACK, .window = 500},
		{.seq = SERVER_SEQ + 1, .ack = isn + 1, .flags = ACK, .window = 500},
	};
	double ns = 0;

	for (int i = 0; i < 4; i++) {
		struct pkt p = pair_pkt(&pair, i % 2, &segments[i]), out;

		ns += time_pass(bench, i % 2 ? SLOT_S1 : SLOT_A, &p, &out);
		if (i == 0) {
			memcpy(pair.seen, out.data + PKT_IP + 12, 8);
			memcpy(pair.seen + 8, out.data + PKT_L4, 4);
		}
		if (i == 2 && out.size != PKT_L4 + 20 + header)
			must(-EINVAL, "a header that is to be sent");
	}
	return ns;
}

static double connections(const struct bench *bench, uint16_t first_port, uint32_t parts)
{
	static double ns[SINGLE];

	node_proxy(bench->node, parts);
	for (uint16_t i = 0; i < SINGLE; i++)
		ns[i] = time_connection(bench, first_port + i, parts);
	qsort(ns, SINGLE, sizeof(ns[0]), compare);
	return ns[SINGLE / 2];
}

static double plain_connection(const struct bench *bench)
{
	return connections(bench, PORT_ONE + 100, 0);
}

static double proxy_connection(const struct bench *bench)
{
	return connections(bench, PORT_ONE + 100 + SINGLE, ALL_PARTS);
}
#else
static double plain_connection(const struct bench *bench)
{
	(void)bench;
	return NAN;
}

static double proxy_connection(const struct bench *bench)
{
	return plain_connection(bench);
}
#endif

/* A connection to its end, packet by packet: the client asks, the server answers and closes first. Each
 * packet is a call, so caches are as a system call leaves them. */
static const struct {
	const char *name;
	uint8_t flags;
	bool is_back;
} lives[] = {
	{"connection to its end: SYN", SYN, false},
	{"its answer", SYN | ACK, true},
	{"the third packet", ACK, false},
	{"the question", PSH | ACK, false},
	{"the reply", PSH | ACK, true},
	{"the server's FIN", FIN | ACK, true},
	{"the client's FIN", FIN | ACK, false},
	{"the last packet", ACK, true},
};
#define LIFE (sizeof(lives) / sizeof(lives[0]))

/* A SYN with the options that Linux sends. */
static struct pkt with_options(struct pkt syn)
{
	static const uint8_t options[] = {2, 4, 0x05, 0xb4, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7};

	memcpy(syn.data + PKT_L4 + 20, options, sizeof(options));
	syn.data[PKT_L4 + 12] = (20 + sizeof(options)) / 4 << 4;
	syn.size = PKT_L4 + 20 + sizeof(options);
	put16(syn.data + PKT_IP + 2, syn.size - PKT_IP);
	pkt_seal(&syn);
	return syn;
}

static void time_life(const struct bench *bench, uint16_t port, double ns[LIFE])
{
	struct pkt syn = with_options(tcp(bench->node, SLOT_A, port, SYN)), seen, out;
	uint32_t server;

	ns[0] = time_pass(bench, SLOT_A, &syn, &seen);
	server = receiver(bench->node, &seen);
	for (size_t i = 1; i < LIFE; i++) {
		struct pkt p = lives[i].is_back ? node_reply(&seen, lives[i].flags)
						: tcp(bench->node, SLOT_A, port, lives[i].flags);

		ns[i] = time_pass(bench, lives[i].is_back ? server : SLOT_A, &p, &out);
	}
}

/* Prints each packet's median. */
static void print_lives(const struct bench *bench)
{
	static double all[SINGLE][LIFE], ns[SINGLE];

#ifdef PL_PROXY_ON
	node_proxy(bench->node, 0);
#endif
	for (uint16_t i = 0; i < SINGLE; i++)
		time_life(bench, PORT_LIVES + i, all[i]);
	for (size_t step = 0; step < LIFE; step++) {
		for (size_t i = 0; i < SINGLE; i++)
			ns[i] = all[i][step];
		qsort(ns, SINGLE, sizeof(ns[0]), compare);
		printf(", \"%s\": %.1f", lives[step].name, ns[SINGLE / 2]);
	}
}

/* So that the search for a free source is that of every day. */
static void widen_sources(struct node *node)
{
	int fd = bpf_map__fd(node->bpf->maps.pl_backends);
	struct pl_backend backend;

	for (uint32_t i = 1; i <= 2; i++) {
		must(bpf_map_lookup_elem(fd, &i, &backend), "backend");
		backend.nat_count = 14;
		map_put(node->bpf->maps.pl_backends, &i, &backend);
	}
}

int main(void)
{
	static const struct {
		const char *name;
		double (*run)(const struct bench *bench);
	} kinds[] = {
		{"established", established},
		{"established among 64 k flows", established_among},
		{"established between instances", between_instances},
		{"new, 10 rules", new_10},
		{"10 rules, each judged", new_10_judged},
		{"new, 2,000 rules", new_2000},
		{"2,000 rules, each judged", new_2000_judged},
		{"new, crowded, each judged", new_crowded},
		{"denied", denied},
		{"denied, each judged", denied_judged},
		{"no listener", no_listener},
		{"echo", echo},
		{"echo, each judged", echo_judged},
		{"ICMP error", icmp_error},
		{"connection, four packets", plain_connection},
		{"the same with a PROXY header", proxy_connection},
	};
	struct bench bench = {.node = node_new(&(struct node_options){.n_flows = ROWS}), .wrap = wrap_new(2)};

	widen_sources(bench.node);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		double ns = kinds[i].run(&bench);

		printf("%s\"%s\": ", i ? ", " : "{", kinds[i].name);
		if (isnan(ns))
			printf("null");
		else
			printf("%.1f", ns);
	}
	print_lives(&bench);
	printf("}\n");
	wrap_bpf__destroy(bench.wrap);
	node_free(bench.node);
	return EXIT_SUCCESS;
}
