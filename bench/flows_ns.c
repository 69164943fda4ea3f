/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shipped object with many open flows: what a packet costs among a few and among a million, how much
 * memory a flow takes, and whether connections that come at a steady rate are all let in. By test runs, as
 * in packet_ns.c, from instances of 1,024 VPCs, each through an endpoint of its own, to two servers.
 *
 *	flows_ns ROOM FLOWS RATE SECONDS	room for so many flows; so many open; connections a second
 *
 * Prints one line of JSON. `flows` makes a table of it.
 */
#include <time.h>

#include "tests/tap.h"

#include "tests/bpf/flows.h"

#include "bench/wrap.h"

#define ENDPOINTS     1024 /* a power of two */
#define SLOT_CLIENT   1024
#define SLOT_ENI      4096
#define VPC_CLIENT    1000
#define BACKENDS      16 /* each a port of one of the two servers */
#define BACKEND_FIRST 100
#define MAGLEV_FIRST  1000
#define PORT_OPEN     1024  /* the first source port of flows that stay */
#define PORT_NEW      50000 /* of those that are measured as they open */
#define PORT_RATE     10000 /* of those that come at a rate */
#define PORTS_RATE    40000
#define N_NEW	      65536
#define REPEATS	      (1 << 20)
#define FIRST_ACK     ENDPOINTS
#define FIRST_FIN     (2 * ENDPOINTS)
#define PACKETS	      (3 * ENDPOINTS)
#define NS_PER_S      1000000000ull

struct bench {
	struct node *node;
	struct wrap_bpf *wrap;
	struct wrap_packet *packets; /* the wrapper's: for what changes, then FIRST_ACK, FIRST_FIN */
	struct pkt syns[ENDPOINTS];
	uint32_t n_flows; /* that stay open */
};

static uint64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* The world */

static void copy_row(struct bpf_map *map, uint32_t from, void *ret_row)
{
	must(bpf_map_lookup_elem(bpf_map__fd(map), &from, ret_row), bpf_map__name(map));
}

static const uint8_t *client_mac(uint32_t i)
{
	static uint8_t mac[6] = {0x00, 0x16, 0x3e, 1};

	mac[4] = i >> 8;
	mac[5] = i;
	return mac;
}

/* An instance and an ENI like those of VPC 10, with the same policy. */
static void make_endpoint(struct node *node, uint32_t i)
{
	uint32_t client = SLOT_CLIENT + i, eni_slot = SLOT_ENI + i;
	struct pl_port port;
	struct pl_eni eni;

	copy_row(node->bpf->maps.pl_ports, SLOT_A, &port);
	port.number = client;
	port.vpc = VPC_CLIENT + i;
	memcpy(port.mac, client_mac(i), 6);
	map_put(node->bpf->maps.pl_ports, &client, &port);
	node_place(node, port.vpc, "10.0.0.10", PL_PLACE_PORT, client);
	copy_row(node->bpf->maps.pl_enis, SLOT_ENI_A, &eni);
	eni.number = eni_slot;
	eni.vpc = port.vpc;
	map_put(node->bpf->maps.pl_enis, &eni_slot, &eni);
	node_place(node, port.vpc, "10.0.0.100", PL_PLACE_ENI, eni_slot);
#ifdef PL_POLICY_RULES_MAX /* policies by slot */
	struct pl_policy policy;

	copy_row(node->bpf->maps.pl_policies, SLOT_A, &policy);
	map_put(node->bpf->maps.pl_policies, &client, &policy);
	copy_row(node->bpf->maps.pl_policies, SLOT_ENI_A, &policy);
	map_put(node->bpf->maps.pl_policies, &eni_slot, &policy);
#endif
}

/* Enough translated sources for a million: 14 addresses for each of 16 ports of servers. */
static void make_servers(struct node *node)
{
	uint32_t table[BACKENDS];

	for (uint32_t i = 0; i < BACKENDS; i++) {
		struct pl_backend backend;

		table[i] = BACKEND_FIRST + i;
		copy_row(node->bpf->maps.pl_backends, 1 + i % 2, &backend);
		backend.port = htons(8443 + i / 2);
		backend.nat_count = 14;
		map_put(node->bpf->maps.pl_backends, &table[i], &backend);
	}
	node_listener(node, TARGET, IPPROTO_TCP, 443, MAGLEV_FIRST, table, BACKENDS);
}

static struct pkt client_packet(uint32_t i, uint16_t port, uint8_t flags)
{
	return pkt_build(&(struct pkt_spec){.dst_mac = gateway_mac,
					    .src_mac = client_mac(i),
					    .src = "10.0.0.10",
					    .dst = "10.0.0.100",
					    .protocol = IPPROTO_TCP,
					    .sport = port,
					    .dport = 443,
					    .tcp_flags = flags});
}

/* Idle flows end by a timer of the program, if it has one. */
static void arm(const struct node *node)
{
	struct bpf_program *program = bpf_object__find_program_by_name(node->bpf->obj, "pl_arm");
	static const uint8_t frame[64];

	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame));
	if (program)
		must(bpf_prog_test_run_opts(bpf_program__fd(program), &opts), "pl_arm");
}

/* Packets */

static struct pkt pass(const struct bench *bench, uint32_t slot, const struct pkt *p, bool *ret_delivered)
{
	struct __sk_buff ctx = {.cb[0] = slot};
	struct pkt out;

	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = p->data, .data_size_in = p->size,
		    .data_out = out.data, .data_size_out = PKT_MAX, .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx));
	must(bpf_prog_test_run_opts(bpf_program__fd(bench->node->bpf->progs.pl_main), &opts), "run");
	*ret_delivered = opts.retval == TC_ACT_REDIRECT;
	out.size = opts.data_size_out;
	return out;
}

/* A flow as it is after a handshake. */
static void open_flow(const struct bench *bench, uint32_t i, uint16_t port)
{
	struct pkt syn = client_packet(i, port, SYN), ack = client_packet(i, port, ACK), seen, syn_ack;
	bool delivered;

	seen = pass(bench, SLOT_CLIENT + i, &syn, &delivered);
	if (!delivered)
		must(-ENOSPC, "a flow could not be opened");
	syn_ack = node_reply(&seen, SYN | ACK);
	pass(bench, receiver(bench->node, &seen), &syn_ack, &delivered);
	pass(bench, SLOT_CLIENT + i, &ack, &delivered);
}

/* Each endpoint's packet into the wrapper; the port is told as it runs. */
static void put_packets(const struct bench *bench, uint32_t first, uint8_t flags)
{
	for (uint32_t i = 0; i < ENDPOINTS; i++) {
		struct pkt p = client_packet(i, 0, flags);

		wrap_put(bench->wrap, first + i, SLOT_CLIENT + i, &p, PKT_L4);
	}
}

static uint64_t delivered(const struct bench *bench)
{
	return node_count(bench->node, PL_DELIVERED).packets;
}

static double measure(const struct bench *bench, struct wrap_turns turns, uint32_t repeats, const char *what)
{
	uint64_t before = delivered(bench);
	double ns = wrap_run(bench->wrap, bench->node, turns, repeats);

	if (delivered(bench) - before != repeats) {
		fprintf(stderr, "flows_ns: %s: %lu of %u delivered\n", what, delivered(bench) - before,
			repeats);
		exit(EXIT_FAILURE);
	}
	return ns;
}

/* Packets of all that is open, in a scattered order; then new flows, which stay. */
static void measure_among(struct bench *bench, uint32_t n_flows, uint16_t new_first, const char *name)
{
	struct wrap_turns turns = {.packets = ENDPOINTS, .total = n_flows, .port_first = PORT_OPEN};
	double established, opening;

	for (; bench->n_flows < n_flows; bench->n_flows++)
		open_flow(bench, bench->n_flows % ENDPOINTS, PORT_OPEN + bench->n_flows / ENDPOINTS);
	put_packets(bench, 0, ACK);
	established = measure(bench, turns, REPEATS, "established");
	put_packets(bench, 0, SYN);
	turns.total = N_NEW;
	turns.port_first = new_first;
	opening = measure(bench, turns, N_NEW, "new");
	printf("\"%s\": {\"flows\": %u, \"established_ns\": %.1f, \"new_ns\": %.1f}, ", name, n_flows,
	       established, opening);
}

/* Memory */

/* What a map takes, as the kernel has it. */
static double map_bytes(const struct bpf_map *map)
{
	char path[64], line[128];
	double bytes = 0;
	FILE *info;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", bpf_map__fd(map));
	info = fopen(path, "re");
	if (!info)
		must(-errno, path);
	while (fgets(line, sizeof(line), info))
		if (sscanf(line, "memlock: %lf", &bytes) == 1)
			break;
	fclose(info);
	return bytes;
}

/* Rows, tokens and what else there is for each flow that there can be. */
static double bytes_per_flow(const struct pl_bpf *bpf)
{
	const struct bpf_map *maps[] = {bpf->maps.pl_flows4, bpf->maps.pl_tokens, bpf->maps.pl_free,
					bpf->maps.pl_free_service};
	double bytes = 0;

	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++)
		bytes += map_bytes(maps[i]);
	return bytes / (bpf->rodata->pl_n_given - 1 + bpf->rodata->pl_n_service);
}

/* The same with tables of the sizes that are shipped. */
static double shipped_bytes_per_flow(void)
{
	struct pl_bpf *bpf = pl_bpf__open_and_load();
	double bytes;

	if (!bpf)
		must(-errno, "load");
	bytes = bytes_per_flow(bpf);
	pl_bpf__destroy(bpf);
	return bytes;
}

/* A steady rate */

struct rate {
	uint64_t connections, refused;
	uint64_t late_ns; /* the longest that a batch was late */
};

/* What the servers of a batch answer; written where the wrapper reads it. */
static void put_answers(const struct bench *bench, const struct pkt *seen)
{
	for (uint32_t i = 0; i < ENDPOINTS; i++) {
		struct pkt syn_ack = node_reply(&seen[i], SYN | ACK);

		bench->packets[i].slot = receiver(bench->node, &seen[i]);
		bench->packets[i].size = syn_ack.size;
		memcpy(bench->packets[i].data, syn_ack.data, syn_ack.size);
	}
}

/* Another packet of the servers. Its sum is wrong, which nobody between looks at. */
static void change_answers(const struct bench *bench, uint8_t flags)
{
	for (uint32_t i = 0; i < ENDPOINTS; i++)
		bench->packets[i].data[PKT_L4 + 13] = flags;
}

/* One packet of each connection of a batch. */
static void run_step(const struct bench *bench, uint32_t first, uint16_t port)
{
	const struct wrap_turns turns = {
		.first = first, .packets = ENDPOINTS, .total = ENDPOINTS, .port_first = port};

	wrap_call(bench->wrap, bpf_program__fd(bench->node->bpf->progs.pl_main), turns, ENDPOINTS);
}

/* One connection of each endpoint from its first packet to the last: both sides close. */
static void run_batch(const struct bench *bench, uint16_t port, struct rate *rate)
{
	static struct pkt seen[ENDPOINTS];

	for (uint32_t i = 0; i < ENDPOINTS; i++) {
		struct pkt syn = bench->syns[i];
		bool is_delivered;

		put16(syn.data + PKT_L4, port);
		seen[i] = pass(bench, SLOT_CLIENT + i, &syn, &is_delivered);
		rate->connections++;
		rate->refused += !is_delivered;
	}
	put_answers(bench, seen);
	run_step(bench, 0, port);
	run_step(bench, FIRST_ACK, port);
	run_step(bench, FIRST_FIN, port);
	change_answers(bench, FIN | ACK);
	run_step(bench, 0, port);
	run_step(bench, FIRST_ACK, port);
}

static struct rate run_rate(const struct bench *bench, uint64_t per_s, uint64_t seconds)
{
	struct rate rate = {0};
	uint64_t start = now_ns(), interval = NS_PER_S * ENDPOINTS / per_s, n = per_s * seconds / ENDPOINTS;

	for (uint64_t i = 0; i < n; i++) {
		uint64_t at = start + i * interval, now = now_ns();

		if (now < at)
			(void)usleep((at - now) / 1000);
		else if (now - at > rate.late_ns)
			rate.late_ns = now - at;
		run_batch(bench, PORT_RATE + i % PORTS_RATE, &rate);
	}
	return rate;
}

static void measure_rate(const struct bench *bench, uint64_t per_s, uint64_t seconds)
{
	struct pl_count before[PL_REASON_MAX];
	uint64_t start = now_ns();
	struct rate rate;
	double spent;

	for (uint32_t i = 0; i < PL_REASON_MAX; i++)
		before[i] = node_count(bench->node, i);
	rate = run_rate(bench, per_s, seconds);
	spent = (double)(now_ns() - start) / 1e9;
	printf("\"rate\": {\"asked\": %lu, \"seconds\": %.1f, \"connections\": %lu, \"per_s\": %.0f, \"late_s\": %.2f, "
	       "\"refused\": %lu, \"reasons\": {",
	       per_s, spent, rate.connections, (double)rate.connections / spent, (double)rate.late_ns / 1e9,
	       rate.refused);
	for (uint32_t i = 0, n = 0; i < PL_REASON_MAX; i++) {
		uint64_t packets = node_count(bench->node, i).packets - before[i].packets;

		if (packets)
			printf("%s\"%s\": %lu", n++ ? ", " : "", reason_name(i), packets);
	}
	printf("}}");
}

static struct bench *bench_new(uint32_t room)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	bench->node = node_new(&(struct node_options){.n_flows = 2 * room});
	bench->wrap = wrap_new(PACKETS);
	bench->packets = wrap_packets(bench->wrap, PACKETS);
	for (uint32_t i = 0; i < ENDPOINTS; i++) {
		make_endpoint(bench->node, i);
		bench->syns[i] = client_packet(i, 0, SYN);
	}
	put_packets(bench, FIRST_ACK, ACK);
	put_packets(bench, FIRST_FIN, FIN | ACK);
	make_servers(bench->node);
	arm(bench->node);
	return bench;
}

static void bench_free(struct bench *bench)
{
	(void)munmap(bench->packets, PACKETS * sizeof(*bench->packets));
	wrap_bpf__destroy(bench->wrap);
	node_free(bench->node);
	free(bench);
}

int main(int argc, char **argv)
{
	uint32_t room = argc == 5 ? strtoul(argv[1], NULL, 10) : 0,
		 flows = room ? strtoul(argv[2], NULL, 10) : 0;
	struct bench *bench;

	if (!room || flows < ENDPOINTS || flows > room || (flows & (flows - 1))) {
		fprintf(stderr, "usage: flows_ns ROOM FLOWS RATE SECONDS (FLOWS a power of two)\n");
		return 2;
	}
	bench = bench_new(room);
	printf("{\"endpoints\": %u, \"room\": %u, \"bytes_per_flow\": %.1f, "
	       "\"shipped_bytes_per_flow\": %.1f, ",
	       ENDPOINTS, room, bytes_per_flow(bench->node->bpf), shipped_bytes_per_flow());
	(void)fflush(stdout);
	measure_among(bench, ENDPOINTS, PORT_NEW, "few");
	measure_among(bench, flows, PORT_NEW + N_NEW / ENDPOINTS, "many");
	(void)fflush(stdout);
	bench_free(bench);
	bench = bench_new(room); /* what is open now would be in the way */
	measure_rate(bench, strtoul(argv[3], NULL, 10), strtoul(argv[4], NULL, 10));
	printf("}\n");
	bench_free(bench);
	return EXIT_SUCCESS;
}
