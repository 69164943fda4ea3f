/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rates: new flows of a port, an ENI and an ENI's listener, bytes of an ENI's flows, questions to the
 * resolver. Whom a limit meets, and whom it leaves alone, is told with limits so low that one packet spends
 * seconds; what a packet costs is read from the bucket; and that a rate holds is counted over a measured
 * time, on two CPUs.
 */
#include "../tap.h"
#include "race.h"

#define ALL_AT_ONCE 0xffffffffu /* ns: the first one takes four seconds */

static void allow(struct node *node, uint32_t slot, struct pl_limit limit)
{
	map_put(node->bpf->maps.pl_limits, &slot, &limit);
}

static struct pl_buckets buckets_of(const struct node *node, uint32_t slot)
{
	struct pl_buckets buckets;

	must(bpf_map_lookup_elem(bpf_map__fd(node->bpf->maps.pl_buckets), &slot, &buckets), "pl_buckets");
	return buckets;
}

static void fill_buckets(struct node *node, uint32_t slot)
{
	struct pl_buckets full = {0};

	map_put(node->bpf->maps.pl_buckets, &slot, &full);
}

/* A world in which nothing is spent. */
static void begin(struct node *node)
{
	struct pl_cps_key key;
	int fd = bpf_map__fd(node->bpf->maps.pl_cps);

	node_clear_flows(node);
	for (uint32_t slot = 0; slot < SLOTS; slot++) {
		allow(node, slot, (struct pl_limit){0});
		fill_buckets(node, slot);
	}
	while (bpf_map_get_next_key(fd, NULL, &key) == 0)
		must(bpf_map_delete_elem(fd, &key), "pl_cps");
}

static uint64_t dropped_of(const struct node *node, uint32_t slot, uint32_t what)
{
	int fd = bpf_map__fd(node->bpf->maps.pl_tallies);
	struct pl_tally_key key, *at = NULL;
	struct pl_count count;
	uint64_t sum = 0;

	while (bpf_map_get_next_key(fd, at, &key) == 0) {
		at = &key;
		if ((key.slot & PL_TALLY_SLOT) == slot &&
		    (key.what & (PL_TALLY_WHAT | PL_TALLY_OUT)) == what &&
		    bpf_map_lookup_elem(fd, &key, &count) == 0)
			sum += count.packets;
	}
	return sum;
}

static int syn_of(struct node *node, uint32_t slot, uint16_t sport)
{
	struct pkt syn = tcp(node, slot, sport, SYN);

	return node_send(node, slot, &syn).reason;
}

static int local_syn(struct node *node, uint32_t slot, uint16_t sport)
{
	struct pkt syn = local(node, slot, sport, 80, SYN);

	return node_send(node, slot, &syn).reason;
}

static int probe(struct node *node, uint16_t sport)
{
	struct pkt syn = from(node, SLOT_SERVICE,
			      (struct pkt_spec){.src = "198.18.0.1",
						.dst = "198.19.0.1",
						.protocol = IPPROTO_TCP,
						.sport = sport,
						.dport = 8443,
						.tcp_flags = SYN});

	return node_send(node, SLOT_SERVICE, &syn).reason;
}

static struct pkt question(const struct node *node, uint32_t slot, uint8_t protocol, uint16_t sport,
			   const char *payload)
{
	return from(node, slot,
		    (struct pkt_spec){.src = "10.0.0.10",
				      .dst = "100.100.2.136",
				      .protocol = protocol,
				      .sport = sport,
				      .dport = 53,
				      .tcp_flags = payload ? ACK : SYN,
				      .payload = payload});
}

static void test_port_opens(struct node *node)
{
	uint32_t rows;
	struct pkt syn;

	begin(node);
	allow(node, SLOT_A, (struct pl_limit){.open_ns = ALL_AT_ONCE});
	tap_is_int(syn_of(node, SLOT_A, 4000), PL_DELIVERED, "what a port has not spent it may open");
	rows = node_flows(node);
	tap_is_int(syn_of(node, SLOT_A, 4001), PL_DROP_FLOW_RATE, "more is flow_rate");
	tap_is_int(local_syn(node, SLOT_A, 4002), PL_DROP_FLOW_RATE, "between instances, too");
	syn = udp(node, SLOT_A, 4003);
	tap_is_int(node_send(node, SLOT_A, &syn).reason, PL_DROP_FLOW_RATE, "by UDP, too");
	tap_is_int(syn_of(node, SLOT_A, 4000), PL_DROP_FLOW_RATE,
		   "a SYN that begins anew with a half-open tuple is one more");
	tap_is_int(node_flows(node), rows, "the flow that it would have replaced stays, and no other came");
	syn = tcp(node, SLOT_A, 4000, RST);
	tap_is_int(node_send(node, SLOT_A, &syn).reason, PL_DELIVERED, "open flows go on");
	tap_is_int(local_syn(node, SLOT_A2, 4000), PL_DELIVERED, "a port of the same VPC has its own");
	tap_is_int(syn_of(node, SLOT_B, 4000), PL_DELIVERED, "so has one of another");
	allow(node, SLOT_SERVICE, (struct pl_limit){.open_ns = ALL_AT_ONCE});
	tap_ok(probe(node, 4000) == PL_PROBE && probe(node, 4001) == PL_PROBE, "probes have no limit");
}

/* A client can make a server forget a connection, and itself go on as if nothing had been: a SYN on the open
 * row begins another one. */
static void test_opens_again(struct node *node)
{
	struct pl_limit limit = {.open_ns = ALL_AT_ONCE};
	struct pl_listener_key key = {.target = TARGET, .port = htons(443), .protocol = IPPROTO_TCP};
	struct pl_listener listener, slow;
	uint32_t rows;

	must(bpf_map_lookup_elem(bpf_map__fd(node->bpf->maps.pl_listeners), &key, &listener), "listener");
	for (int i = 0; i < 3; i++) {
		begin(node);
		handshake(node, SLOT_A, 4000);
		rows = node_flows(node);
		slow = listener;
		slow.open_ns = i == 2 ? ALL_AT_ONCE : 0;
		map_put(node->bpf->maps.pl_listeners, &key, &slow);
		allow(node, SLOT_A, i == 0 ? limit : (struct pl_limit){0});
		allow(node, SLOT_ENI_A, i == 1 ? limit : (struct pl_limit){0});
		tap_is_int(syn_of(node, SLOT_A, 4000), PL_DELIVERED, "a SYN in an open connection passes");
		tap_is_int(syn_of(node, SLOT_A, 4000), PL_DROP_FLOW_RATE, "but is a new flow to %s",
			   i == 0   ? "its port"
			   : i == 1 ? "the ENI"
				    : "the listener");
		tap_is_int(node_flows(node), rows, "and the connection stays");
		map_put(node->bpf->maps.pl_listeners, &key, &listener);
	}
}

/* A stream's packet can hold thousands of questions: the next one, which is cheap, does not make that undone.
 * And a word that came from a clock that has jumped is paid off soon. */
static void test_debts(struct node *node)
{
	struct pkt p = question(node, SLOT_A, IPPROTO_UDP, 4000, "question");
	struct pl_buckets buckets = {0};
	uint32_t slot = SLOT_A;
	uint64_t now;

	begin(node);
	allow(node, SLOT_A, (struct pl_limit){.dns_ns = 1000000});
	deliver(node, SLOT_A, &p);
	now = buckets_of(node, SLOT_A).dns_at;
	buckets.dns_at = now + 8500000000ull;
	map_put(node->bpf->maps.pl_buckets, &slot, &buckets);
	tap_is_int(node_send(node, SLOT_A, &p).reason, PL_DROP_DNS_RATE,
		   "thousands of questions are paid for");
	tap_ok(buckets_of(node, SLOT_A).dns_at == buckets.dns_at, "in full");
	buckets.dns_at = now + 300000000000ull;
	map_put(node->bpf->maps.pl_buckets, &slot, &buckets);
	tap_is_int(node_send(node, SLOT_A, &p).reason, PL_DROP_DNS_RATE,
		   "with a debt of minutes none passes");
	tap_ok(buckets_of(node, SLOT_A).dns_at < now + 150000000000ull,
	       "but it is one of seconds from then on");
}

static void test_refused_is_free(struct node *node)
{
	struct pkt nowhere = from(node, SLOT_A,
				  (struct pkt_spec){.src = "10.0.0.10",
						    .dst = "10.0.0.77",
						    .protocol = IPPROTO_UDP,
						    .sport = 1,
						    .dport = 9});

	begin(node);
	allow(node, SLOT_A, (struct pl_limit){.open_ns = ALL_AT_ONCE});
	tap_is_int(node_send(node, SLOT_A, &nowhere).reason, PL_DROP_NO_PLACE,
		   "what leads nowhere is dropped");
	tap_is_int(syn_of(node, SLOT_A, 4000), PL_DELIVERED, "and costs no flow");
}

static void test_eni_opens(struct node *node)
{
	uint64_t before = dropped_of(node, SLOT_ENI_A, PL_DROP_FLOW_RATE);

	begin(node);
	allow(node, SLOT_ENI_A, (struct pl_limit){.open_ns = ALL_AT_ONCE});
	tap_is_int(syn_of(node, SLOT_A, 4000), PL_DELIVERED, "an ENI takes the flows that it may have");
	tap_is_int(syn_of(node, SLOT_A2, 4001), PL_DROP_FLOW_RATE, "more is flow_rate, whoever asks");
	tap_is_int(dropped_of(node, SLOT_ENI_A, PL_DROP_FLOW_RATE) - before, 1, "the ENI counts it");
	tap_is_int(syn_of(node, SLOT_B, 4000), PL_DELIVERED, "another endpoint of the service has its own");
	tap_is_int(local_syn(node, SLOT_A, 4002), PL_DELIVERED, "the consumer goes on elsewhere");
}

static void test_listener_opens(struct node *node)
{
	static const uint32_t servers[] = {1};
	struct pl_listener_key key = {.target = TARGET, .port = htons(443), .protocol = IPPROTO_TCP};
	struct pl_listener listener = {.table_first = 21, .table_size = 1, .vpc = 40, .open_ns = ALL_AT_ONCE};
	struct pkt datagram = udp(node, SLOT_A, 4000);
	uint32_t at = 21;

	begin(node);
	map_put(node->bpf->maps.pl_maglev, &at, &servers[0]);
	map_put(node->bpf->maps.pl_listeners, &key, &listener);
	tap_is_int(syn_of(node, SLOT_A, 4000), PL_DELIVERED, "a listener takes its new flows");
	tap_is_int(syn_of(node, SLOT_A, 4001), PL_DROP_FLOW_RATE, "more is flow_rate");
	tap_is_int(node_send(node, SLOT_A, &datagram).reason, PL_DELIVERED, "another listener has its own");
	tap_is_int(syn_of(node, SLOT_B, 4000), PL_DELIVERED, "and so has another endpoint at this one");
	serve_by_all(node);
	tap_is_int(syn_of(node, SLOT_A, 4002), PL_DELIVERED, "without a limit all pass again");
}

/* The server has taken the reset, and may take the next segment for the begin of another connection. */
static void test_undone_reset(struct node *node)
{
	struct pkt reset = tcp(node, SLOT_A, 4000, RST), more = tcp(node, SLOT_A, 4000, ACK);
	struct pl_limit limit = {.open_ns = ALL_AT_ONCE};

	begin(node);
	serve_by(node, 1);
	handshake(node, SLOT_A, 4000);
	deliver(node, SLOT_A, &more);
	allow(node, SLOT_ENI_A, limit);
	deliver(node, SLOT_A, &reset);
	tap_is_int(node_send(node, SLOT_A, &more).reason, PL_DELIVERED,
		   "who goes on behind its own reset pays for a new flow");
	tap_is_int(node_send(node, SLOT_A, &more).reason, PL_DELIVERED, "once");
	deliver(node, SLOT_A, &reset);
	tap_is_int(node_send(node, SLOT_A, &more).reason, PL_DROP_FLOW_RATE, "for each reset");
	allow(node, SLOT_ENI_A, (struct pl_limit){0});
	tap_is_int(node_send(node, SLOT_A, &more).reason, PL_DELIVERED, "and goes on when it can");
}

static void set_eni_limit(struct node *node, uint32_t slot, uint32_t limit)
{
	struct pl_eni eni;

	must(bpf_map_lookup_elem(bpf_map__fd(node->bpf->maps.pl_enis), &slot, &eni), "pl_enis");
	eni.limit = limit;
	map_put(node->bpf->maps.pl_enis, &slot, &eni);
	node_bump(node, slot);
}

static struct pkt data(const struct node *node, uint32_t slot, uint16_t sport)
{
	static char payload[1001];

	memset(payload, 'x', 1000);
	return from(node, slot,
		    (struct pkt_spec){.src = "10.0.0.10",
				      .dst = "10.0.0.100",
				      .protocol = IPPROTO_TCP,
				      .sport = sport,
				      .dport = 443,
				      .tcp_flags = ACK,
				      .payload = payload});
}

static void test_bandwidth(struct node *node)
{
	struct pkt first = data(node, SLOT_A, 4000), second = data(node, SLOT_A, 4001), seen, reply,
		   other = data(node, SLOT_B, 4000);
	uint64_t in, out;

	begin(node);
	serve_by(node, 1);
	set_eni_limit(node, SLOT_ENI_A, SLOT_ENI_A);
	handshake(node, SLOT_A, 4000);
	handshake(node, SLOT_A, 4001);
	handshake(node, SLOT_B, 4000);
	tap_is_int(flow_of(node, &first, SLOT_A, PL_SIDE_OUT).limit, SLOT_ENI_A, "a flow knows its limit");
	seen = deliver(node, SLOT_A, &first);
	reply = node_reply(&seen, ACK);
	allow(node, SLOT_ENI_A, (struct pl_limit){.kbyte_ns = ALL_AT_ONCE});
	in = dropped_of(node, SLOT_ENI_A, PL_DROP_BANDWIDTH);
	out = dropped_of(node, SLOT_ENI_A, PL_DROP_BANDWIDTH | PL_TALLY_OUT);
	tap_is_int(node_send(node, SLOT_A, &first).reason, PL_DELIVERED, "bytes that are there are spent");
	tap_is_int(node_send(node, SLOT_A, &first).reason, PL_DROP_BANDWIDTH, "more is bandwidth");
	tap_is_int(node_send(node, SLOT_A, &second).reason, PL_DROP_BANDWIDTH, "for all flows of the ENI");
	tap_is_int(node_send(node, SLOT_S1, &reply).reason, PL_DELIVERED, "the way back has its own");
	tap_is_int(node_send(node, SLOT_S1, &reply).reason, PL_DROP_BANDWIDTH, "of the same size");
	tap_ok(dropped_of(node, SLOT_ENI_A, PL_DROP_BANDWIDTH) - in == 2 &&
		       dropped_of(node, SLOT_ENI_A, PL_DROP_BANDWIDTH | PL_TALLY_OUT) - out == 1,
	       "the ENI counts both directions");
	tap_is_int(node_send(node, SLOT_B, &other).reason, PL_DELIVERED, "another endpoint is not concerned");
	allow(node, SLOT_ENI_A, (struct pl_limit){0});
	tap_is_int(node_send(node, SLOT_A, &first).reason, PL_DELIVERED, "another value is in force at once");
	set_eni_limit(node, SLOT_ENI_A, 0);
	deliver(node, SLOT_A, &first);
	tap_is_int(flow_of(node, &first, SLOT_A, PL_SIDE_OUT).limit, 0, "an open flow loses its limit");
	set_eni_limit(node, SLOT_ENI_A, SLOT_ENI_A);
	deliver(node, SLOT_A, &first);
	deliver(node, SLOT_S1, &reply);
	seen = node_reply(&seen, ACK);
	tap_ok(flow_of(node, &first, SLOT_A, PL_SIDE_OUT).limit == SLOT_ENI_A &&
		       flow_of(node, &reply, SLOT_S1, PL_SIDE_OUT).limit == SLOT_ENI_A,
	       "and gets one, in both directions");
	set_eni_limit(node, SLOT_ENI_A, 0);
	serve_by_all(node);
}

/* At 1 ns a byte: an empty bucket's word is then a whole number of ticks, and the bytes. */
static void test_bytes(struct node *node)
{
	static const struct {
		uint32_t gso_size, bytes;
		const char *what;
	} cases[] = {
		{0, 1054, "a packet costs its bytes"},
		{2000, 1054, "one that needs no cutting, too"},
		{500, 1054 + 54, "one that will be cut in two costs two headers"},
		{100, 1054 + 9 * 54, "and in ten, ten"},
		{300, 1054 + 3 * 54, "the last segment may be shorter"},
	};
	uint32_t tick = node->bpf->rodata->pl_tick_ns;
	struct pkt p = data(node, SLOT_A, 4000);

	begin(node);
	set_eni_limit(node, SLOT_ENI_A, SLOT_ENI_A);
	handshake(node, SLOT_A, 4000);
	allow(node, SLOT_ENI_A, (struct pl_limit){.kbyte_ns = 1024});
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fill_buckets(node, SLOT_ENI_A);
		node->gso_size = cases[i].gso_size;
		deliver(node, SLOT_A, &p);
		tap_is_int(buckets_of(node, SLOT_ENI_A).up_at % tick, cases[i].bytes, "%s", cases[i].what);
	}
	node->gso_size = 0;
	set_eni_limit(node, SLOT_ENI_A, 0);
}

static void test_dns(struct node *node)
{
	struct pkt asks = question(node, SLOT_A, IPPROTO_UDP, 4000, "question"),
		   again = question(node, SLOT_A, IPPROTO_UDP, 4001, "question"),
		   other = question(node, SLOT_B, IPPROTO_UDP, 4000, "question"), seen, answer;
	uint32_t rows;

	begin(node);
	allow(node, SLOT_A, (struct pl_limit){.dns_ns = ALL_AT_ONCE});
	seen = deliver(node, SLOT_A, &asks);
	answer = node_reply(&seen, 0);
	rows = node_flows(node);
	tap_is_int(node_send(node, SLOT_A, &asks).reason, PL_DROP_DNS_RATE, "one question more is dns_rate");
	tap_is_int(node_send(node, SLOT_A, &again).reason, PL_DROP_DNS_RATE, "from another socket, too");
	tap_is_int(node_flows(node), rows, "which leaves no flow");
	again = question(node, SLOT_A, IPPROTO_TCP, 4002, NULL);
	tap_is_int(node_send(node, SLOT_A, &again).reason, PL_DROP_DNS_RATE, "by TCP, too");
	tap_is_int(node_send(node, SLOT_B, &other).reason, PL_DNS, "another port asks on");
	tap_is_int(syn_of(node, SLOT_A, 4000), PL_DELIVERED, "and this one goes on with all else");
	allow(node, SLOT_SERVICE, (struct pl_limit){.dns_ns = ALL_AT_ONCE});
	tap_ok(node_send(node, SLOT_SERVICE, &answer).reason == PL_DNS &&
		       node_send(node, SLOT_SERVICE, &answer).reason == PL_DNS,
	       "answers have no limit");
}

static void test_questions(struct node *node)
{
	static char payload[641];
	struct pkt syn = question(node, SLOT_A, IPPROTO_TCP, 4000, NULL), many;
	uint32_t tick = node->bpf->rodata->pl_tick_ns;

	memset(payload, 'q', 640);
	many = question(node, SLOT_A, IPPROTO_TCP, 4000, payload);
	begin(node);
	allow(node, SLOT_A, (struct pl_limit){.dns_ns = 1});
	deliver(node, SLOT_A, &syn);
	fill_buckets(node, SLOT_A);
	deliver(node, SLOT_A, &many);
	tap_is_int(buckets_of(node, SLOT_A).dns_at % tick, 11, "a stream's packet costs by what it can hold");
	many = question(node, SLOT_A, IPPROTO_UDP, 4001, payload);
	fill_buckets(node, SLOT_A);
	deliver(node, SLOT_A, &many);
	tap_is_int(buckets_of(node, SLOT_A).dns_at % tick, 1, "a datagram is one question");
}

/* No word, wherever it came from, keeps a port out. */
static void test_disbelief(struct node *node)
{
	static const uint64_t words[] = {0, 1, 1ull << 40, 1ull << 62, INT64_MAX, UINT64_MAX};
	uint32_t slot = SLOT_A;

	begin(node);
	allow(node, SLOT_A, (struct pl_limit){.open_ns = 1000000});
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct pl_buckets buckets = {.open_at = words[i]};

		map_put(node->bpf->maps.pl_buckets, &slot, &buckets);
		tap_is_int(syn_of(node, SLOT_A, 4000 + i), PL_DELIVERED, "a bucket of %llx locks nobody out",
			   (unsigned long long)words[i]);
	}
}

/* Over time. */

#define QUESTIONS_PER_S 2000u
#define SENDERS		2

static double now_s(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The program's own clock, which may be late and make up for it. */
static uint32_t ticks(struct node *node)
{
	LIBBPF_OPTS(bpf_test_run_opts, clock);

	must(bpf_prog_test_run_opts(bpf_program__fd(node->bpf->progs.pl_now), &clock), "pl_now");
	return clock.retval;
}

struct flood {
	struct node *node;
	int cpu;
	double until;
	uint64_t sent;
};

static void *flood_run(void *context)
{
	struct flood *flood = context;
	struct pkt p = question(flood->node, SLOT_A, IPPROTO_UDP, 4000, "question");

	stay_on(flood->cpu);
	for (; now_s() < flood->until; flood->sent++)
		(void)node_leaves(flood->node, SLOT_A, &p);
	return NULL;
}

static void test_rate(struct node *node)
{
	uint32_t rate = node_rounds(QUESTIONS_PER_S), began;
	struct flood floods[SENDERS];
	pthread_t threads[SENDERS];
	double start, spent, tick_s = node->bpf->rodata->pl_tick_ns / 1e9, burst = rate * 0.5;
	uint64_t passed, refused, sent = 0;

	begin(node);
	allow(node, SLOT_A, (struct pl_limit){.dns_ns = 1000000000u / rate});
	passed = node_count(node, PL_DNS).packets;
	refused = node_count(node, PL_DROP_DNS_RATE).packets;
	began = ticks(node);
	start = now_s();
	for (int i = 0; i < SENDERS; i++) {
		floods[i] = (struct flood){.node = node, .cpu = i, .until = start + 0.6};
		must(-pthread_create(&threads[i], NULL, flood_run, &floods[i]), "thread");
	}
	for (int i = 0; i < SENDERS; i++) {
		(void)pthread_join(threads[i], NULL);
		sent += floods[i].sent;
	}
	spent = (ticks(node) - began) * tick_s;
	passed = node_count(node, PL_DNS).packets - passed;
	refused = node_count(node, PL_DROP_DNS_RATE).packets - refused;
	tap_note("%d CPUs, %.3f s: %llu sent, %llu passed, %.0f allowed", SENDERS, spent,
		 (unsigned long long)sent, (unsigned long long)passed, burst + rate * spent);
	tap_is_int(passed + refused, sent, "each question passes or is dns_rate");
	tap_ok((double)passed <= burst + rate * (spent + 2 * tick_s) + SENDERS,
	       "no more pass than the rate allows in that time");
	tap_ok((double)passed >= burst && passed < sent, "the burst passes, and not all");
}

int main(void)
{
	for (int helpers = 0; helpers < 2; helpers++) {
		struct node *node = node_new(&(struct node_options){.helpers = helpers});

		test_port_opens(node);
		test_opens_again(node);
		test_debts(node);
		test_refused_is_free(node);
		test_eni_opens(node);
		test_listener_opens(node);
		test_undone_reset(node);
		test_bandwidth(node);
		test_bytes(node);
		test_dns(node);
		test_questions(node);
		test_disbelief(node);
		if (!helpers)
			test_rate(node);
		node_free(node);
	}
	return tap_done();
}
