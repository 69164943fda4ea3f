/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two CPUs at once. Both open the same flows, or flows that want the same translated sources; whatever they
 * do to each other, each entry must have a partner that names it, and no translated source may be held twice.
 */
#include <pthread.h>
#include <sched.h>

#include "../tap.h"
#include "node.h"

#include "bpf/pl_sweep.h"

#define FLOWS  1500
#define ROUNDS 4

struct sender {
	struct node *node;
	uint32_t slot;
	int cpu;
	pthread_barrier_t *start;
	unsigned int refused;
};

static struct pkt syn_of(const struct node *node, uint32_t slot, uint16_t sport)
{
	return pkt_build(&(struct pkt_spec){.dst_mac = gateway_mac,
					    .src_mac = node->macs[slot],
					    .src = "10.0.0.10",
					    .dst = "10.0.0.100",
					    .protocol = IPPROTO_TCP,
					    .sport = sport,
					    .dport = 443,
					    .tcp_flags = SYN});
}

/* Only the verdict counts here: node_send() reads counters, which two threads would mix up. */
static void *send_all(void *context)
{
	struct sender *sender = context;
	struct __sk_buff ctx = {.cb[0] = sender->slot};
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(sender->cpu, &set);
	(void)sched_setaffinity(0, sizeof(set), &set);
	pthread_barrier_wait(sender->start);
	for (int i = 0; i < FLOWS; i++) {
		struct pkt p = syn_of(sender->node, sender->slot, 2000 + i);

		LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = p.data, .data_size_in = p.size,
			    .ctx_in = &ctx, .ctx_size_in = sizeof(ctx));
		if (bpf_prog_test_run_opts(bpf_program__fd(sender->node->bpf->progs.pl_main), &opts) ||
		    opts.retval != TC_ACT_REDIRECT)
			sender->refused++;
	}
	return NULL;
}

/* Entries without a partner that names them. */
static unsigned int count_unpaired(const struct node *node)
{
	struct pl_flow4_key key, *at = NULL, partner, again;
	int fd = bpf_map__fd(node->bpf->maps.pl_flows4);
	struct pl_flow4 flow;
	unsigned int n = 0;

	while (bpf_map_get_next_key(fd, at, &key) == 0) {
		at = &key;
		if (!node_flow(node, &key, &flow))
			continue;
		partner = pl_flow4_partner(&key, &flow);
		if (!node_flow(node, &partner, &flow)) {
			n++;
			continue;
		}
		again = pl_flow4_partner(&partner, &flow);
		n += memcmp(&again, &key, sizeof(key)) != 0;
	}
	return n;
}

static void race(struct node *node, uint32_t first_slot, uint32_t second_slot, uint32_t entries,
		 const char *what)
{
	pthread_barrier_t start;
	struct sender senders[2] = {{.node = node, .slot = first_slot, .cpu = 0, .start = &start},
				    {.node = node, .slot = second_slot, .cpu = 1, .start = &start}};
	unsigned int refused = 0, unpaired = 0;
	bool right_number = true;
	pthread_t threads[2];

	for (int round = 0; round < ROUNDS; round++) {
		node_clear_flows(node);
		must(-pthread_barrier_init(&start, NULL, 2), "barrier");
		for (int i = 0; i < 2; i++)
			must(-pthread_create(&threads[i], NULL, send_all, &senders[i]), "thread");
		for (int i = 0; i < 2; i++)
			must(-pthread_join(threads[i], NULL), "thread");
		pthread_barrier_destroy(&start);
		refused = senders[0].refused + senders[1].refused;
		unpaired += count_unpaired(node);
		right_number = right_number && node_flows(node) == entries;
	}
	tap_is_int(refused, 0, "%s: every SYN is let through", what);
	tap_is_int(unpaired, 0, "%s: every entry has its partner", what);
	tap_ok(right_number, "%s: two entries for each flow and no other", what);
}

int main(void)
{
	struct node *node = node_new(&(struct node_options){.n_flows = 16384});

	race(node, SLOT_A, SLOT_A, 2 * FLOWS, "two CPUs open the same flows");
	race(node, SLOT_A, SLOT_B, 4 * FLOWS, "two VPCs want the same sources");
	node_free(node);
	return tap_done();
}
