/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A row of the flow table is given out again at once, also while a program on another CPU still works with
 * what it found there before. What such a program does to "its" flow must not reach the new one's partner.
 * (What a packet meets before that is in test_flows.)
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "../tap.h"
#include "bpf/pl_abi_log.h"
#include "bpf/pl_reasons.h"
#include "bpf/pl_sweep.h"
#include "parts.h"
#include "parts.skel.h"

enum { MINE, THEIRS, FLOWS };

struct flow {
	struct pl_flow4_key key, back_key;
	struct pl_flow4 row, back;
};

static struct parts_bpf *bpf;
static struct flow flows[FLOWS];

static void must(int r, const char *what)
{
	if (r >= 0)
		return;
	fprintf(stderr, "Bail out! %s: %s\n", what, strerror(-r));
	exit(EXIT_FAILURE);
}

/* The programs that are called here, and no other. */
static void load(void)
{
	struct bpf_program *program;

	bpf = parts_bpf__open();
	if (!bpf)
		must(-errno, "open");
	bpf_object__for_each_program(program, bpf->obj)
		bpf_program__set_autoload(program, strncmp(bpf_program__name(program), "part_", 5) == 0);
	bpf_map__set_max_entries(bpf->maps.pl_flows4, 64);
	must(parts_bpf__load(bpf), "load");
}

static uint32_t run(const struct bpf_program *program, const struct pl_flow4_key *key)
{
	struct part_call call = {.key = *key};

	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = &call, .data_size_in = sizeof(call),
		    .data_out = &call, .data_size_out = sizeof(call));
	must(bpf_prog_test_run_opts(bpf_program__fd(program), &opts), bpf_program__name(program));
	must((int)opts.retval, bpf_program__name(program));
	return call.tag;
}

static void put(const struct pl_flow4_key *key, const struct pl_flow4 *row)
{
	must(bpf_map_update_elem(bpf_map__fd(bpf->maps.pl_flows4), key, row, BPF_ANY), "pl_flows4");
}

/* An established, translated flow. */
static struct flow make_flow(uint16_t port)
{
	struct flow f = {
		.key = {.saddr = htonl(0x0a00000a),
			.daddr = htonl(0x0a000064),
			.sport = htons(port),
			.dport = htons(443),
			.vpc_proto = 10 << 8 | IPPROTO_TCP},
		.row = {.saddr = htonl(0x64400010),
			.daddr = htonl(0x0a00000a),
			.sport = htons(port),
			.dport = htons(8443),
			.kind = PL_FLOW_NAT,
			.state = PL_STATE_ANSWERED | PL_STATE_ESTABLISHED,
			.token = port - 4000 + 1,
			.partner_vpc = 40},
	};

	f.back_key = pl_flow4_partner(&f.key, &f.row);
	f.back = f.row;
	f.back.saddr = f.key.daddr;
	f.back.daddr = f.key.saddr;
	f.back.sport = f.key.dport;
	f.back.dport = f.key.sport;
	f.back.kind = PL_FLOW_NAT_BACK;
	f.back.state = PL_STATE_ANSWERED;
	f.back.partner_vpc = 10;
	f.row.tag = run(bpf->progs.part_tag, &f.key);
	f.back.tag = run(bpf->progs.part_tag, &f.back_key);
	return f;
}

static void put_flows(void)
{
	for (int i = 0; i < FLOWS; i++) {
		struct pl_token token = {.word = (uint64_t)PL_PHASE_OPEN << PL_TOKEN_PHASE};
		uint32_t index = 1 + i;

		flows[i] = make_flow(4000 + i);
		token.key = flows[i].key;
		must(bpf_map_update_elem(bpf_map__fd(bpf->maps.pl_tokens), &index, &token, BPF_ANY),
		     "pl_tokens");
		put(&flows[i].key, &flows[i].row);
		put(&flows[i].back_key, &flows[i].back);
	}
}

/* -1: there is no such row. */
static int state_of(const struct pl_flow4_key *key)
{
	struct pl_flow4 row;

	return bpf_map_lookup_elem(bpf_map__fd(bpf->maps.pl_flows4), key, &row) ? -1 : row.state;
}

static bool is_live(int flow)
{
	return state_of(&flows[flow].key) == (PL_STATE_ANSWERED | PL_STATE_ESTABLISHED) &&
	       state_of(&flows[flow].back_key) == PL_STATE_ANSWERED;
}

static bool is_gone(int flow)
{
	return state_of(&flows[flow].key) == -1 && state_of(&flows[flow].back_key) == -1;
}

static void test_reset(void)
{
	put_flows();
	put(&flows[MINE].key, &flows[THEIRS].row);
	run(bpf->progs.part_reset, &flows[MINE].key);
	tap_ok(is_live(THEIRS), "a reset whose row is another flow's by now does not close that flow");
	tap_ok(is_live(MINE), "nor is the row itself written");
	put_flows();
	run(bpf->progs.part_reset, &flows[MINE].key);
	tap_ok(state_of(&flows[MINE].key) & PL_STATE_RST && is_live(THEIRS),
	       "with its own row it closes its own");
	put_flows();
	flows[MINE].row.tag++;
	put(&flows[MINE].key, &flows[MINE].row);
	run(bpf->progs.part_reset, &flows[MINE].back_key);
	tap_ok(is_live(MINE),
	       "one from the other side leaves the opening row alone if that is another flow's");
	put_flows();
	flows[MINE].row.token++;
	put(&flows[MINE].key, &flows[MINE].row);
	run(bpf->progs.part_reset, &flows[MINE].back_key);
	tap_ok(is_live(MINE), "or has another token by now");
	put_flows();
	put(&flows[MINE].back_key, &flows[THEIRS].back);
	run(bpf->progs.part_reset, &flows[MINE].back_key);
	tap_ok(is_live(THEIRS), "and one whose own row is another flow's does not close that one");
	put_flows();
	run(bpf->progs.part_reset, &flows[MINE].back_key);
	tap_ok(state_of(&flows[MINE].key) & PL_STATE_RST_BACK && is_live(THEIRS), "else it closes the flow");
}

static void put_token(uint32_t index, uint64_t phase, const struct pl_flow4_key *key)
{
	struct pl_token token = {.word = phase << PL_TOKEN_PHASE, .key = *key};

	must(bpf_map_update_elem(bpf_map__fd(bpf->maps.pl_tokens), &index, &token, BPF_ANY), "pl_tokens");
}

static void test_remove(void)
{
	put_flows();
	put(&flows[MINE].key, &flows[THEIRS].row);
	run(bpf->progs.part_remove, &flows[MINE].key);
	tap_ok(is_live(THEIRS) && is_live(MINE),
	       "a removal whose row is another flow's by now removes nothing");
	put_flows();
	put_token(1 + MINE, PL_PHASE_OPEN, &flows[THEIRS].key);
	run(bpf->progs.part_remove, &flows[MINE].key);
	tap_ok(is_live(THEIRS) && is_live(MINE), "nor does one whose token is another flow's");
	put_flows();
	put_token(1 + MINE, PL_PHASE_BUSY, &flows[MINE].key);
	run(bpf->progs.part_remove, &flows[MINE].key);
	tap_ok(is_live(THEIRS) && is_live(MINE), "nor one whose token somebody else has");
	put_flows();
	run(bpf->progs.part_remove, &flows[MINE].key);
	tap_ok(is_gone(MINE) && is_live(THEIRS), "with its own it removes both directions of its own");
	put_flows();
	run(bpf->progs.part_remove, &flows[MINE].back_key);
	tap_ok(is_gone(MINE) && is_live(THEIRS), "also from the other side");
}

/* A port's slot is given to another VPC's port after the backend's row was compared with it, or its port gets
 * another address. */
static void test_open(void)
{
	const __be32 addr = htonl(0x0a00000a);
	struct pl_port ports[] = {
		{.number = 1, .vpc = 10},
		{.number = 2, .vpc = 40, .addr.w = {0, 0, htonl(0xffff), addr}},
	};
	const struct {
		uint32_t vpc;
		__be32 addr;
		const char *what;
	} cases[] = {
		{40, addr, "a flow opens to its server's port"},
		{41, addr, "not to one of another VPC"},
		{40, addr + htonl(1), "nor to one with another address"},
	};
	struct part_call call = {.key = {.saddr = htonl(0x0a00000a), .vpc_proto = 10 << 8 | IPPROTO_TCP},
				 .to_slot = 17};

	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = &call, .data_size_in = sizeof(call));
	for (uint32_t i = 0; i < 2; i++) {
		uint32_t slot = 16 + i;

		must(bpf_map_update_elem(bpf_map__fd(bpf->maps.pl_ports), &slot, &ports[i], BPF_ANY),
		     "pl_ports");
	}
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		call.to_vpc = cases[i].vpc;
		call.to_addr = cases[i].addr;
		must(bpf_prog_test_run_opts(bpf_program__fd(bpf->progs.part_open), &opts), "part_open");
		tap_is_int((int)opts.retval, i == 0 ? PL_CONTINUE : PL_DROP_BACKEND_GONE, "%s",
			   cases[i].what);
		tap_is_int(state_of(&call.key), i == 0 ? 0 : -1, "and its entry is there or not");
		(void)bpf_map_delete_elem(bpf_map__fd(bpf->maps.pl_flows4), &call.key);
	}
}

static int on_record(void *context, void *data, size_t size)
{
	const struct pl_log_record *record = data;

	(void)size;
	*(int *)context = record->reason;
	return 0;
}

/* The reason of the record that an attempt with an ENI's log on leaves; 0: it leaves none. */
static int record_of(struct ring_buffer *buffer, int *reason, uint32_t eni, uint32_t why)
{
	struct part_call call = {.to_slot = eni, .reason = why};

	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = &call, .data_size_in = sizeof(call));
	*reason = 0;
	must(bpf_prog_test_run_opts(bpf_program__fd(bpf->progs.part_refuse), &opts), "part_refuse");
	(void)ring_buffer__consume(buffer);
	return *reason;
}

/* A packet that has met a row of the configuration in the instant in which it was replaced. */
static void test_busy(void)
{
	uint32_t eni = 32;
	struct pl_logged logged = {.on = 1};
	int reason, fd = bpf_map__fd(bpf->maps.pl_logged);
	struct ring_buffer *buffer =
		ring_buffer__new(bpf_map__fd(bpf->maps.pl_flow_log), on_record, &reason, NULL);

	must(buffer ? 0 : -errno, "ring buffer");
	must(bpf_map_update_elem(fd, &eni, &logged, BPF_ANY), "pl_logged");
	tap_is_int(record_of(buffer, &reason, eni, PL_DROP_FLOW_TABLE_BUSY), 0,
		   "an attempt that has to come again leaves no record");
	must(bpf_map_lookup_elem(fd, &eni, &logged), "pl_logged");
	tap_ok(logged.refused_at == 0 && logged.lost == 0, "nor does it take the place of one");
	tap_is_int(record_of(buffer, &reason, eni, PL_DROP_POLICY_IN), PL_DROP_POLICY_IN,
		   "one that is refused does");
	ring_buffer__free(buffer);
}

/* What the server's FIN of `flow` tells the row of pl_proxied that it has found, which is `by`'s by now. */
static struct pl_proxied told(const struct flow *flow, const struct flow *by)
{
	struct part_call call = {.key = flow->key, .by = by->key};
	struct pl_proxied row = {.tag = by->row.tag, .told = PL_TOLD_ANSWER};
	int fd = bpf_map__fd(bpf->maps.pl_proxied);

	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = &call, .data_size_in = sizeof(call));
	must(bpf_map_update_elem(fd, &by->key, &row, BPF_ANY), "pl_proxied");
	must(bpf_prog_test_run_opts(bpf_program__fd(bpf->progs.part_tell), &opts), "part_tell");
	must((int)opts.retval, "part_tell");
	must(bpf_map_lookup_elem(fd, &by->key, &row), "pl_proxied");
	return row;
}

static void test_told(void)
{
	struct pl_proxied row;

	put_flows();
	row = told(&flows[MINE], &flows[MINE]);
	tap_ok(row.told == (PL_TOLD_ANSWER | PL_TOLD_END_BACK), "a FIN is told the row of its PROXY header");
	row = told(&flows[MINE], &flows[THEIRS]);
	tap_ok(row.told == PL_TOLD_ANSWER, "but not where another connection has it by now");
}

/* The server's FIN and its acknowledgement of the header, on two CPUs at once. */
static void test_arrived(void)
{
	struct pl_proxied row = {.state = 5, .told = PL_TOLD_END_BACK};
	int fd = bpf_map__fd(bpf->maps.pl_proxied);

	put_flows();
	row.tag = flows[MINE].row.tag;
	flows[MINE].row.proxy = flows[MINE].back.proxy = PL_PROXY_ON << PL_PROXY_PARTS_SHIFT | PL_PROXY_DONE;
	put(&flows[MINE].key, &flows[MINE].row);
	put(&flows[MINE].back_key, &flows[MINE].back);
	must(bpf_map_update_elem(fd, &flows[MINE].key, &row, BPF_ANY), "pl_proxied");
	run(bpf->progs.part_arrived, &flows[MINE].key);
	must(bpf_map_lookup_elem(bpf_map__fd(bpf->maps.pl_flows4), &flows[MINE].key, &flows[MINE].row),
	     "pl_flows4");
	tap_ok((flows[MINE].row.proxy & PL_PROXY_MARKS) == PL_PROXY_OPEN,
	       "from a server's FIN on all is looked at, also where it comes beside the header's acknowledgement");
}

int main(void)
{
	load();
	test_reset();
	test_told();
	test_arrived();
	test_remove();
	test_open();
	test_busy();
	parts_bpf__destroy(bpf);
	return tap_done();
}
