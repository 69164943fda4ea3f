/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where flows end: translated sources that run out, a full table, idle times; and the entry program, where
 * they begin.
 */
#include "../tap.h"
#include "flows.h"

#include "bpf/pl_entry.h"

/* Takes every translated source towards backend 1. */
static void take_all_sources(struct node *node)
{
	int fd = bpf_map__fd(node->bpf->maps.pl_flows4);
	struct pl_flow4 flow = {.kind = PL_FLOW_NAT_BACK};
	struct pl_flow4_key key = {
		.saddr = addr4("10.0.0.10"),
		.daddr = addr4(NAT_FIRST),
		.sport = htons(8443),
		.vpc_proto = 40 << 8 | IPPROTO_TCP,
	};

	for (uint32_t port = PL_NAT_PORT_FIRST; port < 65536; port++) {
		key.dport = htons(port);
		must(bpf_map_update_elem(fd, &key, &flow, BPF_NOEXIST), "pl_flows4");
	}
}

static void test_exhaustion(void)
{
	struct node *node = node_new(&(struct node_options){.n_flows = 70000});
	struct pkt syn = tcp(node, SLOT_A, 4000, SYN), seen;
	struct pl_backend backend;
	struct pl_flow4_key free_key;
	uint32_t one = 1, before;

	serve_by(node, 1);
	must(bpf_map_lookup_elem(bpf_map__fd(node->bpf->maps.pl_backends), &one, &backend), "pl_backends");
	backend.nat_count = 1;
	map_put(node->bpf->maps.pl_backends, &one, &backend);
	take_all_sources(node);
	before = node_flows(node);
	tap_is_int(node_send(node, SLOT_A, &syn).reason, PL_DROP_NAT_EXHAUSTED,
		   "without a free translated source the SYN is dropped");
	tap_is_int(node_flows(node), before, "and leaves no entry");
	free_key = (struct pl_flow4_key){.saddr = addr4("10.0.0.10"),
					 .daddr = addr4(NAT_FIRST),
					 .sport = htons(8443),
					 .dport = htons(4000),
					 .vpc_proto = 40 << 8 | IPPROTO_TCP};
	must(bpf_map_delete_elem(bpf_map__fd(node->bpf->maps.pl_flows4), &free_key), "pl_flows4");
	seen = deliver(node, SLOT_A, &syn);
	tap_is_int(get16(seen.data + PKT_L4), 4000, "a source that was given back is taken");
	backend.nat_count = 0;
	map_put(node->bpf->maps.pl_backends, &one, &backend);
	syn = tcp(node, SLOT_A, 4001, SYN);
	tap_is_int(node_send(node, SLOT_A, &syn).reason, PL_DROP_NAT_EXHAUSTED,
		   "a backend without a translated range is the same");
	node_free(node);
}

/* A table of n rows of which all but `left` are taken. */
static struct node *nearly_full(uint32_t n, uint32_t left)
{
	struct node *node = node_new(&(struct node_options){.n_flows = n});
	struct pl_flow4_key key = {.vpc_proto = 999 << 8};
	struct pl_flow4 flow = {0};

	for (uint32_t i = 0; i + left < n; i++) {
		key.saddr = i;
		map_put(node->bpf->maps.pl_flows4, &key, &flow);
	}
	return node;
}

static void test_full_table(void)
{
	for (uint32_t left = 0; left <= 4; left++) {
		struct node *node = nearly_full(64, left);
		struct pkt to_eni = tcp(node, SLOT_A, 4000, SYN),
			   to_instance = local(node, SLOT_A, 4000, 80, SYN);
		int reason = node_send(node, SLOT_A, &to_instance).reason;

		if (left < 4) {
			tap_ok(reason == PL_DROP_FLOW_TABLE_FULL && node_flows(node) == 64 - left,
			       "%u free rows: a flow between instances gets all four entries or none", left);
			reason = node_send(node, SLOT_A, &to_eni).reason;
		}
		if (left < 2)
			tap_ok(reason == PL_DROP_FLOW_TABLE_FULL && node_flows(node) == 64 - left,
			       "%u free rows: a translated flow gets both entries or none", left);
		else
			tap_ok(reason == PL_DELIVERED && node_flows(node) == 64 - left % 2,
			       "%u free rows are enough", left);
		node_free(node);
	}
}

struct idle_case {
	const char *name;
	uint8_t protocol, state;
	uint32_t idle_s, limit_s;
};

static void test_sweep(struct node *node)
{
	static const struct idle_case idles[] = {
		{"half-open TCP", IPPROTO_TCP, PL_STATE_NEW, 300, 60},
		{"established TCP", IPPROTO_TCP, PL_STATE_ESTABLISHED, 0, 900},
		{"established TCP of a listener with its own time", IPPROTO_TCP, PL_STATE_ESTABLISHED, 300,
		 300},
		{"closing TCP", IPPROTO_TCP, PL_STATE_CLOSING, 300, 10},
		{"UDP", IPPROTO_UDP, PL_STATE_NEW, 0, 120},
		{"UDP of a listener with its own time", IPPROTO_UDP, PL_STATE_ESTABLISHED, 20, 20},
		{"ICMP", IPPROTO_ICMP, PL_STATE_NEW, 0, 30},
	};
	const uint32_t hz = 250, now = 5 * hz; /* most of these were last seen before the clock wrapped */
	struct pkt p = udp(node, SLOT_A, 4000);
	uint32_t before, after;

	for (size_t i = 0; i < sizeof(idles) / sizeof(idles[0]); i++) {
		const struct idle_case *t = &idles[i];
		struct pl_flow4 flow = {.state = t->state, .idle_s = t->idle_s};
		bool at, short_of;

		flow.seen = now - t->limit_s * hz;
		at = pl_flow4_expired(&flow, t->protocol, now, hz);
		flow.seen++;
		short_of = pl_flow4_expired(&flow, t->protocol, now, hz);
		tap_ok(at && !short_of, "%s ends after %u s", t->name, t->limit_s);
	}
	tap_ok(!pl_flow4_expired(&(struct pl_flow4){.seen = now + 1}, IPPROTO_ICMP, now, hz),
	       "an entry that was used since the clock was read lives");

	LIBBPF_OPTS(bpf_test_run_opts, clock);
	node_clear_flows(node);
	must(bpf_prog_test_run_opts(bpf_program__fd(node->bpf->progs.pl_now), &clock), "pl_now");
	before = clock.retval;
	deliver(node, SLOT_A, &p);
	must(bpf_prog_test_run_opts(bpf_program__fd(node->bpf->progs.pl_now), &clock), "pl_now");
	after = clock.retval;
	tap_ok(flow_of(node, &p, SLOT_A, PL_SIDE_OUT).seen - before <= after - before,
	       "pl_now tells the clock that entries are stamped with");
	tap_note("%u ticks per second", pl_kernel_hz());
	tap_ok(pl_kernel_hz() >= 100 && pl_kernel_hz() <= 1000,
	       "the kernel's ticks per second are plausible");
}

static void test_entry(struct node *node)
{
	struct bpf_insn insns[PL_ENTRY_INSNS];
	struct pkt p = tcp(node, SLOT_A, 4000, SYN);
	int fd, main_fd = bpf_program__fd(node->bpf->progs.pl_main);
	uint32_t zero = 0;

	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = p.data, .data_size_in = p.size);

	node_clear_flows(node);
	pl_entry_build(insns, SLOT_A, bpf_map__fd(node->bpf->maps.pl_entry));
	fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "pl_port", "Dual BSD/GPL", insns, PL_ENTRY_INSNS, NULL);
	must(fd, "entry program");
	must(bpf_prog_test_run_opts(fd, &opts), "run");
	tap_is_int(opts.retval, TC_ACT_SHOT, "an entry program without a main program drops");
	map_put(node->bpf->maps.pl_entry, &zero, &main_fd);
	must(bpf_prog_test_run_opts(fd, &opts), "run");
	tap_ok(opts.retval == TC_ACT_REDIRECT && node_flows(node) == 2,
	       "an entry program names its port and jumps");
	close(fd);
}

int main(void)
{
	struct node *node = node_new(&(struct node_options){.helpers = false});

	test_exhaustion();
	test_full_table();
	test_sweep(node);
	test_entry(node);
	node_free(node);
	return tap_done();
}
