/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where flows end: translated sources that run out, shares, a full table, idle times and who applies them;
 * and the entry program, where they begin.
 */
#include <sched.h>

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
	tap_is_int(node_uses(node).used[PL_RANGE_TENANTS], 0, "nor takes a token");
	/* the next token's source */
	free_key = (struct pl_flow4_key){.saddr = addr4("10.0.0.10"),
					 .daddr = addr4(NAT_FIRST),
					 .sport = htons(8443),
					 .dport = htons(PL_NAT_PORT_FIRST + 2),
					 .vpc_proto = 40 << 8 | IPPROTO_TCP};
	must(bpf_map_delete_elem(bpf_map__fd(node->bpf->maps.pl_flows4), &free_key), "pl_flows4");
	seen = deliver(node, SLOT_A, &syn);
	tap_is_int(get16(seen.data + PKT_L4), PL_NAT_PORT_FIRST + 2, "a source that was given back is taken");
	backend.nat_count = 0;
	map_put(node->bpf->maps.pl_backends, &one, &backend);
	syn = tcp(node, SLOT_A, 4001, SYN);
	tap_is_int(node_send(node, SLOT_A, &syn).reason, PL_DROP_NAT_EXHAUSTED,
		   "a backend without a translated range is the same");
	node_free(node);
}

/* New flows of an endpoint's consumers, each of a port of its own; how many were let through. */
static uint32_t open_many(struct node *node, uint32_t slot, uint16_t first, uint32_t n, int *ret_reason)
{
	uint32_t opened = 0;

	*ret_reason = PL_DELIVERED;
	for (uint32_t i = 0; i < n; i++) {
		struct pkt syn = tcp(node, slot, first + i, SYN);
		int reason = node_send(node, slot, &syn).reason;

		if (reason == PL_DELIVERED)
			opened++;
		else
			*ret_reason = reason;
	}
	return opened;
}

static struct pkt probe_by(const struct node *node, uint8_t protocol, uint32_t server, uint16_t sport)
{
	return from(node, SLOT_SERVICE,
		    (struct pkt_spec){.src = "198.18.0.1",
				      .dst = server == SLOT_S1 ? "198.19.0.1" : "198.19.0.2",
				      .protocol = protocol,
				      .sport = sport,
				      .dport = 80,
				      .tcp_flags = protocol == IPPROTO_TCP ? SYN : 0,
				      .payload = protocol == IPPROTO_UDP ? "probe" : NULL});
}

static struct pkt probe(const struct node *node, uint16_t sport)
{
	return probe_by(node, IPPROTO_TCP, SLOT_S2, sport);
}

/* Probes of a server from different ports, until one is refused. */
static uint32_t probe_many(struct node *node, uint32_t server, uint16_t first, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct pkt p = probe_by(node, IPPROTO_TCP, server, first + i);

		if (node_send(node, SLOT_SERVICE, &p).reason != PL_PROBE)
			return i;
	}
	return n;
}

static struct pkt question(const struct node *node, uint32_t slot, uint16_t sport)
{
	return from(node, slot,
		    (struct pkt_spec){.src = slot == SLOT_A2 ? "10.0.0.11" : "10.0.0.10",
				      .dst = "100.100.2.136",
				      .protocol = IPPROTO_UDP,
				      .sport = sport,
				      .dport = 53,
				      .payload = "question"});
}

/* Whoever may open flows to an instance must not use up what that may have. */
static void test_local_share(void)
{
	struct node *node = node_new(&(struct node_options){.n_tokens = 64});
	struct pkt p;
	uint32_t n = 0;
	int reason;

	do {
		p = local(node, SLOT_A, 4000 + n++, 80, SYN);
		reason = node_send(node, SLOT_A, &p).reason;
	} while (reason == PL_DELIVERED && n < 64);
	tap_is_int(reason, PL_DROP_FLOW_SHARE, "a flood between instances ends at a share");
	p = local(node, SLOT_A2, 5000, 80, SYN);
	tap_is_int(node_send(node, SLOT_A2, &p).reason, PL_DELIVERED, "of the port that sends it");
	tap_ok(node_owned(node, SLOT_A2) == 2 && count_faults(node) == 0, "both halves are the opener's");
	node_free(node);
}

/* Seven tokens for all, eight of VPC 0. */
static void test_full_table(void)
{
	struct node *node = node_new(&(struct node_options){.n_tokens = 8});
	struct pkt local_syn = local(node, SLOT_A, 4000, 80, SYN), p;
	int reason;

	tap_is_int(open_many(node, SLOT_A, 4000, 10, &reason), 4,
		   "an owner gets as many flows as are left free");
	tap_is_int(reason, PL_DROP_FLOW_SHARE, "and then is over its share");
	tap_is_int(open_many(node, SLOT_B, 4000, 10, &reason), 2, "the next one gets its part of the rest");
	tap_is_int(reason, PL_DROP_FLOW_SHARE, "by the same rule");
	tap_is_int(node_send(node, SLOT_A, &local_syn).reason, PL_DROP_FLOW_TABLE_FULL,
		   "with one token left there is no flow between instances, which takes two");
	tap_ok(node_flows(node) == 12 && count_faults(node) == 0, "and nothing is left of it");
	tap_is_int(open_many(node, SLOT_C, 4000, 2, &reason), 1, "a third one gets the last");
	tap_is_int(reason, PL_DROP_FLOW_TABLE_FULL, "then there is none");
	tap_is_int(probe_many(node, SLOT_S2, 5000, 8), 4,
		   "probes have room of their own, a server its share");
	tap_is_int(probe_many(node, SLOT_S1, 5000, 8), 2, "and the next one's find the rest");
	p = question(node, SLOT_A, 5000);
	tap_is_int(node_send(node, SLOT_A, &p).reason, PL_DNS, "as questions do");
	p = question(node, SLOT_B, 5000);
	tap_is_int(node_send(node, SLOT_B, &p).reason, PL_DNS, "to the last token");
	p = question(node, SLOT_C, 5000);
	tap_is_int(node_send(node, SLOT_C, &p).reason, PL_DROP_FLOW_TABLE_FULL, "then it is full, too");
	tap_is_int(count_faults(node), 0, "all counts are the tokens'");

	age_flows(node, PL_EARLY_TCP_NEW);
	tap_ok(open_many(node, SLOT_C, 5000, 10, &reason) >= 3 && reason == PL_DROP_FLOW_SHARE,
	       "where room is short half-open flows end early, as others open");
	node_clear_flows(node);
	for (uint16_t i = 0; i < 7; i++)
		handshake(node, i < 4 ? SLOT_A : i < 6 ? SLOT_B : SLOT_C, 4000 + i);
	age_flows(node, 280); /* the listener's time is 300 */
	tap_ok(open_many(node, SLOT_B, 5000, 10, &reason) == 0 && node_flows(node) == 14,
	       "established ones never do");
	age_flows(node, 20);
	tap_ok(open_many(node, SLOT_B, 5000, 10, &reason) > 0, "but by their own time");
	tap_is_int(count_faults(node), 0, "and all counts are the tokens'");
	node_free(node);
}

/* As in shipped tables: fewer tokens than there are numbers, so that there are rows for each. */
static void test_given(void)
{
	struct node *node = node_new(&(struct node_options){.n_tokens = 16, .n_given = 8});
	struct pl_bpf *shipped = pl_bpf__open();
	uint32_t tokens;
	int reason;

	must(shipped ? 0 : -errno, "open");
	tokens = shipped->rodata->pl_n_given - 1 + shipped->rodata->pl_n_service;
	tap_ok(bpf_map__max_entries(shipped->maps.pl_flows4) >= 2 * tokens, "each token has two rows");
	tap_ok(bpf_map__max_entries(shipped->maps.pl_free) >= shipped->rodata->pl_n_given - 1 &&
		       bpf_map__max_entries(shipped->maps.pl_tokens) ==
			       shipped->rodata->pl_n_tenants + shipped->rodata->pl_n_service,
	       "and a place among the free ones, and among all");
	pl_bpf__destroy(shipped);

	tap_is_int(open_many(node, SLOT_A, 4000, 10, &reason), 4, "shares are of what is given out");
	tap_is_int(open_many(node, SLOT_B, 4000, 10, &reason), 2, "for all");
	tap_is_int(open_many(node, SLOT_C, 4000, 2, &reason), 1, "until the last");
	tap_is_int(reason, PL_DROP_FLOW_TABLE_FULL, "then the table is full");
	tap_ok(node_flows(node) == 14 && count_faults(node) == 0, "with two rows for each");
	node_free(node);
}

/* Probes by TCP that are over leave VPC 0's range before an account's share of that is used up. */
static void test_closed_probes(void)
{
	struct node *node = node_new(&(struct node_options){.n_tokens = 1024}); /* 128 of VPC 0 */
	int reason;

	for (uint16_t i = 0; i < 48; i++) {
		struct pkt p = probe(node, 5000 + i);

		deliver(node, SLOT_SERVICE, &p);
		p = from(node, SLOT_SERVICE,
			 (struct pkt_spec){.src = "198.18.0.1",
					   .dst = "198.19.0.2",
					   .protocol = IPPROTO_TCP,
					   .sport = 5000 + i,
					   .dport = 80,
					   .tcp_flags = RST});
		deliver(node, SLOT_SERVICE, &p);
	}
	tap_is_int(node_owned(node, SLOT_S2), 48, "probes that were reset have their flows for a while");
	age_flows(node, PL_EARLY_TCP_CLOSING);
	(void)open_many(node, SLOT_A, 4000, 256, &reason);
	tap_ok(node_owned(node, SLOT_S2) <= 32,
	       "not for long, while they are more than a quarter of VPC 0's");
	tap_is_int(count_faults(node), 0, "all counts are the tokens'");
	node_free(node);
}

/* One port's questions for a name take nobody else's, nor a probe's room. */
static void test_questions(void)
{
	struct node *node = node_new(&(struct node_options){.n_tokens = 64});
	int reasons[200], refused = 0, others = 0, probes = 0;

	for (int i = 0; i < 200; i++) {
		struct pkt p = question(node, SLOT_A, 5000 + i);

		reasons[i] = node_send(node, SLOT_A, &p).reason;
		refused += reasons[i] == PL_DROP_FLOW_SHARE;
	}
	for (int i = 0; i < 4; i++) {
		struct pkt theirs = question(node, SLOT_B, 5000 + i), p = probe(node, 5000 + i);

		others += node_send(node, SLOT_B, &theirs).reason == PL_DNS;
		probes += node_send(node, SLOT_SERVICE, &p).reason == PL_PROBE;
	}
	tap_ok(refused > 100 && reasons[0] == PL_DNS && reasons[30] == PL_DNS,
	       "a port that asks too much at once is over its share");
	tap_ok(others == 4 && probes == 4, "another one's questions, and probes, are not refused");
	age_flows(node, PL_IDLE_DNS);
	for (int i = 0; i < 80; i++) {
		struct pkt p = question(node, SLOT_A, 6000 + i);

		(void)node_send(node, SLOT_A, &p);
	}
	tap_ok(node_owned(node, SLOT_A) > 0 && node_owned(node, SLOT_B) == 0,
	       "what was asked and answered is over soon");
	tap_is_int(count_faults(node), 0, "all counts are the tokens'");
	node_free(node);
}

/* Runs without counters, for many packets. */
static bool passes(struct node *node, uint32_t slot, const struct pkt *p)
{
	struct __sk_buff ctx = {.cb[0] = slot};

	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = p->data, .data_size_in = p->size, .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx));
	must(bpf_prog_test_run_opts(bpf_program__fd(node->bpf->progs.pl_main), &opts), "run");
	return opts.retval == TC_ACT_REDIRECT;
}

/* What one instance sends by itself, SYNs of all ports that nobody answers, refuses nothing to others. */
static void test_flood(void)
{
	struct node *node = node_new(&(struct node_options){.n_tokens = 16384});
	uint32_t flood = 0, others = 0, probes = 0, n_others = 0, n = node_rounds(200000);

	serve_by(node, 1);
	for (uint32_t i = 0; i < n; i++) {
		struct pkt syn = tcp(node, i & 1 ? SLOT_A2 : SLOT_A, 1024 + i / 2 % 64512, SYN);

		flood += passes(node, i & 1 ? SLOT_A2 : SLOT_A, &syn);
		if (i % 200)
			continue;
		syn = tcp(node, SLOT_B, 2000 + n_others, SYN);
		others += passes(node, SLOT_B, &syn);
		syn = probe(node, 2000 + n_others++);
		probes += passes(node, SLOT_SERVICE, &syn);
	}
	tap_note("the flood had %u let through, and holds %u", flood, node_owned(node, SLOT_ENI_A));
	tap_is_int(n_others, n / 200, "beside %u SYNs of one owner", n);
	tap_is_int(others, n_others, "none of %u new flows of another one is refused", n_others);
	tap_is_int(probes, n_others, "nor any of as many probes");
	tap_ok(node_owned(node, SLOT_ENI_A) <= 8192, "the flood holds no more than half of the table");
	tap_is_int(count_faults(node), 0, "all counts are the tokens'");
	serve_by_all(node);
	node_free(node);
}

/* Without the agent and without the timer: refused flows move the hands, too. */
static void test_hands(void)
{
	struct node *node = node_new(&(struct node_options){.n_tokens = 256});
	uint32_t opened;
	int reason;

	(void)open_many(node, SLOT_A, 2000, 300, &reason);
	(void)open_many(node, SLOT_B, 2000, 300, &reason);
	age_flows(node, PL_IDLE_TCP_NEW);
	opened = open_many(node, SLOT_C, 2000, 150, &reason);
	tap_ok(opened > 64 && reason == PL_DROP_FLOW_SHARE, "flows that are over make room for others");
	tap_ok(node_owned(node, SLOT_ENI_A) + node_owned(node, SLOT_ENI_B) < 64,
	       "and end, refused ones end them, too");
	tap_is_int(count_faults(node), 0, "with all that belongs to them");
	node_free(node);
}

static bool wait_until_ended(const struct node *node, uint32_t left)
{
	for (int i = 0; i < 3000; i++) {
		struct pl_uses uses = node_uses(node);

		if (uses.used[PL_RANGE_TENANTS] + uses.used[PL_RANGE_SERVICE] <= left)
			return true;
		(void)usleep(10000);
	}
	return false;
}

/* Nobody sends anything. */
static void test_timer(void)
{
	struct node *node = node_new(&(struct node_options){.n_tokens = 1024});
	struct pkt datagram = udp(node, SLOT_A, 4000), p, seen, reply;
	uint32_t again;
	int reason;

	(void)open_many(node, SLOT_A, 2000, 200, &reason);
	p = probe(node, 5000);
	(void)node_send(node, SLOT_SERVICE, &p);
	age_flows(node, PL_IDLE_TCP_NEW);
	handshake(node, SLOT_B, 4000);
	seen = deliver(node, SLOT_A, &datagram);
	arm_timer(node);
	tap_ok(wait_until_ended(node, 2), "the timer ends what is over");
	tap_ok(node_flows(node) == 4 && class_of(node, &datagram, SLOT_A, PL_SIDE_OUT) == PL_CLASS_LIVE,
	       "and nothing else");
	tap_is_int(count_faults(node), 0, "all counts are the tokens'");

	/* the server alone speaks, and the client has been silent for so long */
	reply = node_reply(&seen, 0);
	stop_timer(node);     /* it would end what is not renewed yet */
	age_flows(node, 400); /* the listener's time is 300 */
	deliver(node, receiver(node, &seen), &reply);
	again = node_uses(node).used[PL_RANGE_TENANTS];
	arm_timer(node);
	(void)usleep(300000);
	tap_ok(again == 2 && wait_until_ended(node, 1) && flow_of(node, &datagram, SLOT_A, PL_SIDE_OUT).kind,
	       "datagrams of the server alone renew a flow");
	stop_timer(node);
	age_flows(node, PL_IDLE_UDP_SILENT - 400);
	deliver(node, receiver(node, &seen), &reply);
	arm_timer(node);
	tap_ok(wait_until_ended(node, 0), "but not for ever");
	arm_timer(node);
	tap_ok(true, "a timer that runs can be taken over");
	node_free(node);
}

/* A probe by UDP leaves a flow that nobody ends. One that comes again from its port renews it, and is one
 * flow however often it comes; else it is over soon, also where the server goes on to speak. */
static void test_probes(void)
{
	struct node *node = node_new(&(struct node_options){.n_tokens = 64});
	struct pkt p = probe_by(node, IPPROTO_UDP, SLOT_S1, 5000), seen = deliver(node, SLOT_SERVICE, &p),
		   reply = node_reply(&seen, 0);

	tap_is_int(node_owned(node, SLOT_S1), 1, "a probe's token is its server's");
	for (int i = 0; i < 5; i++) {
		age_flows(node, PL_IDLE_PROBE / 2);
		deliver(node, SLOT_SERVICE, &p);
	}
	tap_is_int(node_owned(node, SLOT_S1), 1, "however often one comes from the same port");
	age_flows(node, PL_IDLE_PROBE);
	deliver(node, SLOT_S1, &reply); /* it is of no use, and renews nothing */
	arm_timer(node);
	tap_ok(wait_until_ended(node, 0), "then the probe's flow is over");
	stop_timer(node);
	tap_is_int(node_send(node, SLOT_S1, &reply).reason, PL_DROP_NO_FLOW, "and what comes later is none");
	tap_is_int(count_faults(node), 0, "all counts are the tokens'");
	node_free(node);
}

struct idle_case {
	const char *name;
	uint8_t protocol, state;
	uint32_t idle_s, limit_s;
};

static void test_idle(struct node *node)
{
	const uint8_t live = PL_STATE_ANSWERED | PL_STATE_ESTABLISHED;
	const struct idle_case idles[] = {
		{"half-open TCP", IPPROTO_TCP, 0, 300, 60},
		{"half-open TCP that was answered", IPPROTO_TCP, PL_STATE_ANSWERED, 300, 60},
		{"established TCP", IPPROTO_TCP, live, 0, 900},
		{"established TCP of a listener with its own time", IPPROTO_TCP, live, 300, 300},
		{"half-closed TCP", IPPROTO_TCP, live | PL_STATE_FIN, 300, 300},
		{"closing TCP", IPPROTO_TCP, live | PL_STATE_FIN | PL_STATE_FIN_BACK, 300, 10},
		{"reset TCP", IPPROTO_TCP, live | PL_STATE_RST_BACK, 300, 10},
		{"UDP", IPPROTO_UDP, 0, 0, 120},
		{"UDP of a listener with its own time", IPPROTO_UDP, live, 20, 20},
		{"ICMP", IPPROTO_ICMP, 0, 0, 30},
	};
	const uint32_t hz = 250, now = 5 * hz; /* most of these were last seen before the clock wrapped */
	struct pkt p = udp(node, SLOT_A, 4000);
	struct pl_flow4 flow = {.seen = now};
	uint32_t before, after;

	for (size_t i = 0; i < sizeof(idles) / sizeof(idles[0]); i++) {
		const struct idle_case *t = &idles[i];
		bool at, short_of;

		flow = (struct pl_flow4){.state = t->state, .idle_s = t->idle_s};
		flow.seen = now - t->limit_s * hz;
		at = pl_is_past(pl_flow4_due(&flow, t->protocol, hz), now);
		flow.seen++;
		short_of = pl_is_past(pl_flow4_due(&flow, t->protocol, hz), now);
		tap_ok(at && !short_of, "%s ends after %u s", t->name, t->limit_s);
	}
	flow = (struct pl_flow4){.seen = now, .slot = SLOT_ENI_A};
	tap_ok(pl_flow4_due_answered(&flow, now + 100 * hz, IPPROTO_UDP, hz) == now + 220 * hz &&
		       pl_flow4_due_answered(&flow, now + 890 * hz, IPPROTO_UDP, hz) == now + 900 * hz &&
		       pl_flow4_due_answered(&flow, now - 7, IPPROTO_UDP, hz) == now + 120 * hz &&
		       pl_flow4_due_answered(&flow, now + 100 * hz, IPPROTO_ICMP, hz) == now + 30 * hz,
	       "answers renew datagrams, and only for a time");
	flow = (struct pl_flow4){.seen = now, .idle_s = PL_IDLE_PROBE};
	tap_ok(pl_flow4_due_answered(&flow, now + 7 * hz, IPPROTO_UDP, hz) == now + PL_IDLE_PROBE * hz,
	       "those of a probe or a question never");

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
	cpu_set_t cpu;

	CPU_ZERO(&cpu);
	CPU_SET(sched_getcpu(), &cpu);
	must(sched_setaffinity(0, sizeof(cpu), &cpu), "affinity"); /* each CPU has hands of its own */
	test_exhaustion();
	test_local_share();
	test_full_table();
	test_given();
	test_questions();
	test_closed_probes();
	test_probes();
	test_flood();
	test_hands();
	test_timer();
	test_idle(node);
	test_entry(node);
	node_free(node);
	return tap_done();
}
