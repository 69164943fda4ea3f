/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one packet costs the shipped object, in nanoseconds, by BPF_PROG_TEST_RUN in the world of
 * tests/bpf/node.h. The same run of an empty program is taken away, so what is left is pl_main. Prints one
 * line of JSON; `packet` calls it many times, in turns with other builds.
 *
 * The kernel repeats a run on the packet as the last run left it. So the open flow's row is made to write
 * what is there already, a refused packet stays as it is, and a packet that changes (a new flow's, an echo)
 * is run once a call.
 */
#include <time.h>

#include "tests/tap.h"

#include "tests/bpf/flows.h"

#define REPEATS 200000
#define SINGLE	1500

struct bench {
	struct node *node;
	int empty_fd;
};

static int load_empty(void)
{
	const struct bpf_insn program[] = {
		{.code = BPF_ALU | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = TC_ACT_SHOT},
		{.code = BPF_JMP | BPF_EXIT},
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "empty", "Dual BSD/GPL", program, 2, NULL);

	must(fd, "empty program");
	return fd;
}

/* Nanoseconds for each of `repeats` runs on one packet. */
static double run(int fd, uint32_t slot, const struct pkt *p, uint32_t repeats, uint32_t *ret_verdict)
{
	struct __sk_buff ctx = {.cb[0] = slot};

	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = p->data, .data_size_in = p->size, .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx), .repeat = repeats);
	must(bpf_prog_test_run_opts(fd, &opts), "run");
	*ret_verdict = opts.retval;
	return opts.duration;
}

static int main_fd(const struct bench *bench)
{
	return bpf_program__fd(bench->node->bpf->progs.pl_main);
}

static void want(uint32_t verdict, uint32_t wanted, const char *what)
{
	if (verdict == wanted)
		return;
	fprintf(stderr, "packet_ns: %s ended with verdict %u instead of %u\n", what, verdict, wanted);
	exit(EXIT_FAILURE);
}

static double repeated(const struct bench *bench, const struct pkt *p, uint32_t wanted, const char *what)
{
	uint32_t verdict;
	double ns = run(main_fd(bench), SLOT_A, p, REPEATS, &verdict);

	want(verdict, wanted, what);
	return ns - run(bench->empty_fd, SLOT_A, p, REPEATS, &verdict);
}

/* The open flow's row writes the packet as it is. */
static double established(const struct bench *bench)
{
	struct node *node = bench->node;
	struct pkt ack = tcp(node, SLOT_A, 4000, ACK);
	struct pl_flow4_key key = node_key(&ack, 10, PL_SIDE_OUT);
	struct pl_flow4 flow;

	handshake(node, SLOT_A, 4000);
	if (!node_flow(node, &key, &flow))
		must(-ENOENT, "the flow");
	flow.saddr = key.saddr;
	flow.daddr = key.daddr;
	flow.sport = key.sport;
	flow.dport = key.dport;
	flow.csum_addr = flow.csum_all = 0;
	memcpy(flow.dst_mac, ack.data, 6);
	memcpy(flow.src_mac, ack.data + 6, 6);
	map_put(node->bpf->maps.pl_flows4, &key, &flow);
	return repeated(bench, &ack, TC_ACT_REDIRECT, "established");
}

static double denied(const struct bench *bench)
{
	struct pkt syn = from(bench->node, SLOT_A,
			      (struct pkt_spec){.src = "10.0.0.10",
						.dst = "10.0.0.100",
						.protocol = IPPROTO_TCP,
						.sport = 4000,
						.dport = 445,
						.tcp_flags = SYN});

	return repeated(bench, &syn, TC_ACT_SHOT, "denied");
}

/* One run a call, each with a packet of its own; the median, since a call is short and an interrupt long. */
static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, size_t n)
{
	qsort(values, n, sizeof(*values), compare);
	return values[n / 2];
}

static double singly(const struct bench *bench, struct pkt (*make)(const struct node *node, uint16_t number),
		     const char *what)
{
	static double with[SINGLE], without[SINGLE];
	uint32_t verdict;

	for (uint32_t i = 0; i < SINGLE; i++) {
		struct pkt p = make(bench->node, 5000 + i);

		with[i] = run(main_fd(bench), SLOT_A, &p, 1, &verdict);
		want(verdict, TC_ACT_REDIRECT, what);
		without[i] = run(bench->empty_fd, SLOT_A, &p, 1, &verdict);
	}
	return median(with, SINGLE) - median(without, SINGLE);
}

static struct pkt make_new(const struct node *node, uint16_t number)
{
	return tcp(node, SLOT_A, number, SYN);
}

static struct pkt make_echo(const struct node *node, uint16_t number)
{
	return from(node, SLOT_A,
		    (struct pkt_spec){.src = "10.0.0.10",
				      .dst = "10.0.0.100",
				      .protocol = IPPROTO_ICMP,
				      .sport = 8 << 8,
				      .dport = number});
}

int main(void)
{
	struct bench bench = {.node = node_new(&(struct node_options){.n_flows = 16384}),
			      .empty_fd = load_empty()};
	double ns[4];

	ns[0] = established(&bench);
	node_clear_flows(bench.node);
	ns[1] = singly(&bench, make_new, "new");
	node_clear_flows(bench.node);
	ns[2] = denied(&bench);
	ns[3] = singly(&bench, make_echo, "echo");
	printf("{\"established\": %.1f, \"new\": %.1f, \"denied\": %.1f, \"echo\": %.1f}\n", ns[0], ns[1],
	       ns[2], ns[3]);
	close(bench.empty_fd);
	node_free(bench.node);
	return EXIT_SUCCESS;
}
