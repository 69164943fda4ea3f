/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two CPUs at once. Both open the same flows, or flows that want the same translated sources, or do all that
 * TCP can do to a few flows while the timer ends them or rules come and go; whatever they do to each other,
 * each entry must have a partner that names it and a token of its own, no translated source may be held
 * twice, and nothing passes that began after its rule was revoked. And while rows of two tenants are replaced
 * in turn, each in the memory of the one before, no packet follows half of one and half of the other.
 */
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include "../tap.h"
#include "flows.h"

#define FLOWS	1500
#define ROUNDS	4
#define REPEATS 1000 /* a millisecond apart */

struct sender {
	struct node *node;
	uint32_t slot;
	int cpu;
	pthread_barrier_t *start;
	unsigned int refused, repeated;
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
static bool is_let_through(const struct sender *sender, const struct pkt *p)
{
	struct __sk_buff ctx = {.cb[0] = sender->slot};

	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = p->data, .data_size_in = p->size, .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx));
	return !bpf_prog_test_run_opts(bpf_program__fd(sender->node->bpf->progs.pl_main), &opts) &&
	       opts.retval == TC_ACT_REDIRECT;
}

/* The thread runs on that CPU alone. */
static void stay_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	(void)sched_setaffinity(0, sizeof(set), &set);
}

/* A SYN that comes while the other CPU is half through with its flow is dropped, and comes again, as TCP does
 * it. (A virtual CPU may stand still for long there.) */
static void *send_all(void *context)
{
	struct sender *sender = context;

	stay_on(sender->cpu);
	pthread_barrier_wait(sender->start);
	for (int i = 0; i < FLOWS; i++) {
		struct pkt p = syn_of(sender->node, sender->slot, 2000 + i);
		int turn = 0;

		while (!is_let_through(sender, &p) && turn++ < REPEATS)
			usleep(1000);
		sender->repeated += turn;
		sender->refused += turn > REPEATS;
	}
	return NULL;
}

static void race(struct node *node, uint32_t first_slot, uint32_t second_slot, uint32_t entries,
		 const char *what)
{
	pthread_barrier_t start;
	struct sender senders[2] = {{.node = node, .slot = first_slot, .cpu = 0, .start = &start},
				    {.node = node, .slot = second_slot, .cpu = 1, .start = &start}};
	unsigned int refused = 0, faults = 0;
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
		faults += count_faults(node);
		right_number = right_number && node_flows(node) == entries;
	}
	tap_note("%u SYNs came again", senders[0].repeated + senders[1].repeated);
	tap_is_int(refused, 0, "%s: every SYN is let through, if need be when it comes again", what);
	tap_is_int(faults, 0, "%s: every entry has its partner and its token", what);
	tap_ok(right_number, "%s: two entries for each flow and no other", what);
}

/* A few tuples, of which each CPU sends anything; idle times are short, for the kernel is told a wrong number
 * of ticks. Some flows are each CPU's own and have to live. */

#define TUPLES 2048
#define LOCAL  24
#define LIVING 32
#define TURNS  60000

static bool run_packet(struct node *node, uint32_t slot, const struct pkt *p)
{
	struct __sk_buff ctx = {.cb[0] = slot};

	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = p->data, .data_size_in = p->size, .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx));
	must(bpf_prog_test_run_opts(bpf_program__fd(node->bpf->progs.pl_main), &opts), "run");
	return opts.retval == TC_ACT_REDIRECT;
}

/* Makes of a consumer's packet what the server sends back on its flow, as far as there is one. */
static bool make_answer(const struct node *node, struct pkt *p, uint8_t flags)
{
	struct pl_flow4_key key = node_key(p, 10, PL_SIDE_OUT), back;
	struct pl_flow4 flow;

	if (!node_flow(node, &key, &flow) || flow.peer >= SLOTS)
		return false;
	back = pl_flow4_partner(&key, &flow);
	memcpy(p->data + 6, node->macs[flow.peer], 6);
	memcpy(p->data + PKT_IP + 12, &back.saddr, 4);
	memcpy(p->data + PKT_IP + 16, &back.daddr, 4);
	memcpy(p->data + PKT_L4, &back.sport, 2);
	memcpy(p->data + PKT_L4 + 2, &back.dport, 2);
	p->data[PKT_L4 + 13] = flags;
	pkt_seal(p);
	return true;
}

/* The server's slot is the last byte of its MAC. */
static bool run_answer(struct node *node, const struct pkt *asked, uint8_t flags)
{
	struct pkt p = *asked;

	return make_answer(node, &p, flags) && run_packet(node, p.data[11], &p);
}

struct mixer {
	struct node *node;
	int cpu;
	unsigned int seed, lost, passed;
	volatile unsigned int *turn;
	pthread_barrier_t *start;
	/* Of flows that have to live: how long they do without a packet, for sure; when each had its last
	 * one, and whether it may have ended since, for the machine was away. */
	int64_t living_ns, sent_ns[LIVING];
	bool is_let_go[LIVING];
	unsigned int let_go;
};

static int64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ll + now.tv_nsec;
}

static void mix_translated(struct mixer *mixer, unsigned int dice)
{
	static const uint8_t flags[] = {SYN, SYN, SYN, ACK, ACK, FIN | ACK, RST, RST | ACK};
	struct pkt p = tcp(mixer->node, SLOT_A, 3000 + dice % TUPLES, flags[dice >> 8 & 7]);

	if (dice >> 11 & 1)
		mixer->passed += run_packet(mixer->node, SLOT_A, &p);
	else
		mixer->passed +=
			run_answer(mixer->node, &p, dice >> 8 & 4 ? flags[dice >> 8 & 7] : SYN | ACK);
}

static void mix_local(struct mixer *mixer, unsigned int dice)
{
	static const uint8_t flags[] = {SYN, SYN, SYN | ACK, ACK, FIN | ACK, FIN | ACK, RST, ACK};
	bool is_back = dice >> 11 & 1;
	uint16_t port = 40 + dice % LOCAL;
	struct pkt p = local(mixer->node, is_back ? SLOT_A2 : SLOT_A, port, port, flags[dice >> 8 & 7]);

	mixer->passed += run_packet(mixer->node, is_back ? SLOT_A2 : SLOT_A, &p);
}

/* A packet of a flow that nobody else touches; each goes on often enough, unless the machine was away. */
static void mix_living(struct mixer *mixer, unsigned int turn)
{
	unsigned int flow = turn % LIVING;
	struct pkt p = tcp(mixer->node, SLOT_B, 5000 + 1000 * mixer->cpu + flow, ACK);
	bool passed;

	if (mixer->is_let_go[flow])
		return;
	passed = run_packet(mixer->node, SLOT_B, &p);
	if (!passed && now_ns() - mixer->sent_ns[flow] > mixer->living_ns) {
		mixer->is_let_go[flow] = true;
		mixer->let_go++;
		return;
	}
	mixer->lost += !passed;
	mixer->sent_ns[flow] = now_ns();
}

static void *mix(void *context)
{
	struct mixer *mixer = context;

	stay_on(mixer->cpu);
	pthread_barrier_wait(mixer->start);
	for (unsigned int turn = 0; turn < node_rounds(TURNS); turn++) {
		unsigned int dice = (unsigned int)rand_r(&mixer->seed);

		if (turn % 4 == 0)
			mix_living(mixer, turn / 4);
		else if (turn % 4 == 1)
			mix_local(mixer, dice);
		else
			mix_translated(mixer, dice);
	}
	return NULL;
}

static void set_hz(struct node *node, uint32_t hz)
{
	struct pl_config config;
	uint32_t zero = 0;

	must(bpf_map_lookup_elem(bpf_map__fd(node->bpf->maps.pl_config), &zero, &config), "pl_config");
	config.hz = hz;
	map_put(node->bpf->maps.pl_config, &zero, &config);
}

static void test_mixture(struct node *node)
{
	pthread_barrier_t start;
	struct mixer mixers[2] = {{.node = node, .cpu = 0, .seed = 1, .start = &start},
				  {.node = node, .cpu = 1, .seed = 2, .start = &start}};
	pthread_t threads[2];
	struct pl_round round;

	node_clear_flows(node);
	node_policy(node, SLOT_A, (struct node_rule[]){{"0.0.0.0", 0, IPPROTO_TCP, 0, 65535, true}}, 1, true);
	node_bump(node, SLOT_A);
	/* closing: 10 ticks of 4 ms; half open: 60; established by its listener: 300, so 1.2 s at 250 a
	 * second */
	set_hz(node, 1);
	for (int i = 0; i < 2 * LIVING; i++) {
		mixers[i / LIVING].living_ns = 300 * 1000000000ll / pl_kernel_hz() / 2;
		mixers[i / LIVING].sent_ns[i % LIVING] = now_ns();
		handshake(node, SLOT_B, 5000 + 1000 * (i / LIVING) + i % LIVING);
	}
	arm_timer(node);
	must(-pthread_barrier_init(&start, NULL, 2), "barrier");
	for (int i = 0; i < 2; i++)
		must(-pthread_create(&threads[i], NULL, mix, &mixers[i]), "thread");
	for (int i = 0; i < 2; i++)
		must(-pthread_join(threads[i], NULL), "thread");
	pthread_barrier_destroy(&start);
	round = node_round(node);
	stop_timer(node);
	tap_note("%u packets passed, the timer ended %llu flows", mixers[0].passed + mixers[1].passed,
		 (unsigned long long)round.ended);
	tap_note("%u flows were without a packet for too long", mixers[0].let_go + mixers[1].let_go);
	tap_is_int(mixers[0].lost + mixers[1].lost, 0, "a mixture of all: flows that live stay");
	tap_ok(round.hand[PL_RANGE_TENANTS] > 0, "a mixture of all: the timer took part");
	tap_is_int(count_faults(node), 0, "a mixture of all: no orphan row, no stuck token, exact counts");
	arm_timer(node);
	for (int i = 0; i < 400 && node_flows(node); i++)
		(void)usleep(50000);
	stop_timer(node);
	tap_ok(node_flows(node) == 0 && count_faults(node) == 0,
	       "a mixture of all: in the end all of them are gone");
	set_hz(node, pl_kernel_hz());
}

/* A packet of each flow; it may meet the other CPU, which may stand still, and is sent again, as TCP does. */
static void *move_all(void *context)
{
	struct mixer *mover = context;

	stay_on(mover->cpu);
	pthread_barrier_wait(mover->start);
	for (int i = 0; i < 400; i++) {
		struct pkt p = tcp(mover->node, SLOT_A, 2000 + i, ACK);

		for (int turn = 0; !run_packet(mover->node, SLOT_A, &p); turn++) {
			if (turn == REPEATS) {
				mover->lost++;
				break;
			}
			usleep(1000);
		}
	}
	return NULL;
}

/* The same flows are moved from another program's table by two CPUs at once. */
static void test_carry(void)
{
	struct node *node = node_new(&(struct node_options){.n_flows = 16384, .old_row_size = 80});
	int fd = bpf_map__fd(node->bpf->maps.pl_flows4);
	unsigned int faults = 0, lost = 0;

	for (int round = 0; round < ROUNDS; round++) {
		struct mixer movers[2];
		pthread_barrier_t start;
		pthread_t threads[2];
		struct pl_flow4_key *keys;
		uint32_t n;

		node_clear_flows(node);
		for (int i = 0; i < 400; i++)
			handshake(node, SLOT_A, 2000 + i);
		keys = node_keys(fd, &n);
		for (uint32_t i = 0; i < n; i++) {
			struct pl_flow4 row;

			must(bpf_map_lookup_elem(fd, &keys[i], &row), "flow");
			must(bpf_map_update_elem(node->old_fd, &keys[i], &row, BPF_ANY), "old flow");
		}
		free(keys);
		node_clear_flows(node);
		must(-pthread_barrier_init(&start, NULL, 2), "barrier");
		for (int i = 0; i < 2; i++) {
			movers[i] = (struct mixer){.node = node, .cpu = i, .start = &start};
			must(-pthread_create(&threads[i], NULL, move_all, &movers[i]), "thread");
		}
		for (int i = 0; i < 2; i++) {
			must(-pthread_join(threads[i], NULL), "thread");
			lost += movers[i].lost;
		}
		pthread_barrier_destroy(&start);
		faults += count_faults(node) + (node_flows(node) != 800);
		keys = node_keys(node->old_fd, &n);
		free(keys);
		faults += n;
	}
	tap_is_int(faults, 0, "two CPUs move the same flows: each has moved once, with both rows");
	tap_is_int(lost, 0, "two CPUs move the same flows: a packet that has to come again passes then");
	node_free(node);
}

/* A SYN that comes while another CPU ends the flow that it found, and may not open one itself. */

#define PROXIED_TUPLES 60000
#define PROXIED_TURNS  60000

static void *open_and_end(void *context)
{
	struct mixer *mixer = context;

	stay_on(mixer->cpu);
	pthread_barrier_wait(mixer->start);
	for (unsigned int turn = 0; turn < node_rounds(PROXIED_TURNS); turn++) {
		struct pkt p = syn_of(mixer->node, SLOT_A, 2000 + *mixer->turn % PROXIED_TUPLES);

		mixer->passed += run_packet(mixer->node, SLOT_A, &p);
		if (mixer->cpu == 0 && turn % 4 == 0)
			__atomic_add_fetch(mixer->turn, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static unsigned int count_lone_proxied(const struct node *node)
{
	int fd = bpf_map__fd(node->bpf->maps.pl_proxied);
	struct pl_flow4_key key, *at = NULL;
	unsigned int n = 0;
	struct pl_flow4 flow;

	while (bpf_map_get_next_key(fd, at, &key) == 0) {
		at = &key;
		n += !node_flow(node, &key, &flow);
	}
	return n;
}

static void test_proxied(struct node *node)
{
	struct pl_listener_key key = {.target = TARGET, .port = htons(443), .protocol = IPPROTO_TCP};
	volatile unsigned int turn = 0;
	pthread_barrier_t start;
	struct mixer mixers[2] = {{.node = node, .cpu = 0, .start = &start, .turn = &turn},
				  {.node = node, .cpu = 1, .start = &start, .turn = &turn}};
	struct pl_listener listener, before;
	pthread_t threads[2];

	node_clear_flows(node);
	must(bpf_map_lookup_elem(bpf_map__fd(node->bpf->maps.pl_listeners), &key, &listener), "listener");
	before = listener;
	listener.proxy = PL_PROXY_ON;
	listener.open_ns = 100000;
	map_put(node->bpf->maps.pl_listeners, &key, &listener);
	must(-pthread_barrier_init(&start, NULL, 2), "barrier");
	for (int i = 0; i < 2; i++)
		must(-pthread_create(&threads[i], NULL, open_and_end, &mixers[i]), "thread");
	for (int i = 0; i < 2; i++)
		must(-pthread_join(threads[i], NULL), "thread");
	pthread_barrier_destroy(&start);
	tap_note("%u of %u SYNs passed", mixers[0].passed + mixers[1].passed, 2 * node_rounds(PROXIED_TURNS));
	tap_is_int(count_lone_proxied(node), 0,
		   "two CPUs open and end: no row of a PROXY header stays behind");
	map_put(node->bpf->maps.pl_listeners, &key, &before);
}

/* Both ends of a few flows talk, each on its CPU, while the rule that allows them comes and goes. The turn is
 * odd while it is revoked, and that is announced. */

#define REVOKED_TUPLES 64
#define REVOKED_ROUNDS 150

/* Whether a segment of the sender itself leaves: what tells of a refusal is a reset. */
static bool leaks(struct node *node, uint32_t slot, const struct pkt *p)
{
	struct __sk_buff ctx = {.cb[0] = slot};
	struct pkt out;

	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = p->data, .data_size_in = p->size,
		    .data_out = out.data, .data_size_out = PKT_MAX, .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx));
	must(bpf_prog_test_run_opts(bpf_program__fd(node->bpf->progs.pl_main), &opts), "run");
	return opts.retval == TC_ACT_REDIRECT && !(out.data[PKT_L4 + 13] & RST);
}

static bool talk_once(struct mixer *mixer, unsigned int dice)
{
	struct pkt p = tcp(mixer->node, SLOT_A, 3000 + dice % REVOKED_TUPLES, dice >> 8 & 1 ? SYN : ACK);

	if (mixer->cpu == 0)
		return leaks(mixer->node, SLOT_A, &p);
	if (!make_answer(mixer->node, &p, dice >> 9 & 1 ? SYN | ACK : ACK))
		return false;
	return leaks(mixer->node, p.data[11], &p);
}

static void *talk_on(void *context)
{
	struct mixer *mixer = context;
	unsigned int turn;

	stay_on(mixer->cpu);
	pthread_barrier_wait(mixer->start);
	while ((turn = __atomic_load_n(mixer->turn, __ATOMIC_SEQ_CST)) != UINT32_MAX) {
		bool passed = talk_once(mixer, (unsigned int)rand_r(&mixer->seed));

		if (turn % 2 && turn == __atomic_load_n(mixer->turn, __ATOMIC_SEQ_CST))
			mixer->lost += passed;
		else
			mixer->passed += passed;
	}
	return NULL;
}

static void test_revoked(struct node *node)
{
	volatile unsigned int turn = 0;
	pthread_barrier_t start;
	struct mixer mixers[2] = {{.node = node, .cpu = 0, .seed = 1, .start = &start, .turn = &turn},
				  {.node = node, .cpu = 1, .seed = 2, .start = &start, .turn = &turn}};
	unsigned int rounds = 2 * node_rounds(REVOKED_ROUNDS);
	pthread_t threads[2];

	node_clear_flows(node);
	must(-pthread_barrier_init(&start, NULL, 2), "barrier");
	for (int i = 0; i < 2; i++)
		must(-pthread_create(&threads[i], NULL, talk_on, &mixers[i]), "thread");
	for (unsigned int i = 1; i <= rounds; i++) {
		(void)usleep(2000);
		if (i % 2) {
			node_policy(node, SLOT_ENI_A, NULL, 0, false);
			node_bump(node, SLOT_ENI_A);
			__atomic_store_n(&turn, i, __ATOMIC_SEQ_CST);
		} else {
			__atomic_store_n(&turn, i, __ATOMIC_SEQ_CST);
			node_policy(node, SLOT_ENI_A, RULES(rules_eni), false);
			node_bump(node, SLOT_ENI_A);
		}
	}
	__atomic_store_n(&turn, UINT32_MAX, __ATOMIC_SEQ_CST);
	for (int i = 0; i < 2; i++)
		must(-pthread_join(threads[i], NULL), "thread");
	pthread_barrier_destroy(&start);
	tap_note("%u and %u packets passed while they might", mixers[0].passed, mixers[1].passed);
	tap_ok(mixers[0].passed + mixers[1].passed > 0, "a rule that comes and goes: packets pass with it");
	tap_is_int(mixers[0].lost + mixers[1].lost, 0,
		   "a rule that comes and goes: nothing passes after it was revoked");
	tap_is_int(count_faults(node), 0,
		   "a rule that comes and goes: no orphan row, no stuck token, exact counts");
}

/* Two CPUs of one port begin datagrams at once that have the same rows to choose from. */

#define DATAGRAMS     60000
#define FRAGMENT_SIZE 8
#define FRAGMENTS     3
#define FRAGMENT_MORE 0x2000
#define HELD_MS	      4000				/* less than PL_FRAGMENT_MS */
#define HELD_ID	      (PL_FRAGMENTS / PL_FRAGMENT_WAYS) /* has the same rows as 0, and as PL_FRAGMENTS more */

/* One of the fragments of a datagram. */
static struct pkt fragment_of(const struct node *node, uint16_t id, size_t number)
{
	struct pkt p = from(node, SLOT_A,
			    (struct pkt_spec){.src = "10.0.0.10",
					      .dst = "10.0.0.100",
					      .protocol = IPPROTO_UDP,
					      .sport = 4000,
					      .dport = 500,
					      .payload = "three fragments!"});

	put16(p.data + PKT_L4 + 6, 0);
	memmove(p.data + PKT_L4, p.data + PKT_L4 + number * FRAGMENT_SIZE, FRAGMENT_SIZE);
	p.size = PKT_L4 + FRAGMENT_SIZE;
	put16(p.data + PKT_IP + 2, 20 + FRAGMENT_SIZE);
	put16(p.data + PKT_IP + 4, id);
	put16(p.data + PKT_IP + 6, number * FRAGMENT_SIZE / 8 | (number < FRAGMENTS - 1 ? FRAGMENT_MORE : 0));
	put16(p.data + PKT_IP + 10, 0);
	put16(p.data + PKT_IP + 10, ~sum16(p.data + PKT_IP, 20, 0));
	return p;
}

/* What has begun passes as a whole. A datagram that falls silent makes room for others: one in whose middle
 * the machine was away is not looked at. */
static bool is_cut(struct node *node, uint16_t id, int64_t start_ns)
{
	for (size_t number = 1; number < FRAGMENTS; number++) {
		struct pkt p = fragment_of(node, id, number);

		if (!run_packet(node, SLOT_A, &p))
			return now_ns() - start_ns < PL_FRAGMENT_SILENT_MS * 1000000ll / 2;
	}
	return false;
}

static void *send_datagrams(void *context)
{
	struct mixer *mixer = context;

	stay_on(mixer->cpu);
	pthread_barrier_wait(mixer->start);
	for (unsigned int i = 0; i < node_rounds(DATAGRAMS); i++) {
		uint16_t id = (uint16_t)((2 * i + (unsigned int)mixer->cpu) * PL_FRAGMENTS);
		struct pkt p = fragment_of(mixer->node, id, 0);
		int64_t start_ns = now_ns();

		if (!run_packet(mixer->node, SLOT_A, &p))
			continue;
		mixer->passed++;
		mixer->lost += is_cut(mixer->node, id, start_ns);
	}
	return NULL;
}

/* All rows but one that those datagrams have to choose from are another's, which has begun only just. */
static void hold_ways(struct node *node)
{
	int fd = bpf_map__fd(node->bpf->maps.pl_fragments);
	struct pl_fragments rows;
	uint32_t slot = SLOT_A;
	size_t held = 0;

	(void)bpf_map_delete_elem(fd, &slot);
	for (uint16_t i = 0; i < PL_FRAGMENT_WAYS - 1; i++) {
		struct pkt p = fragment_of(node, HELD_ID + i * PL_FRAGMENTS, 0);

		must(run_packet(node, SLOT_A, &p) ? 0 : -EBUSY, "a datagram begins");
	}
	must(bpf_map_lookup_elem(fd, &slot, &rows), "pl_fragments");
	for (size_t i = 0; i < PL_FRAGMENTS; i++)
		if (rows.rows[i].size) {
			rows.rows[i].seen += HELD_MS;
			held++;
		}
	must(held == PL_FRAGMENT_WAYS - 1 ? 0 : -EINVAL, "rows");
	must(bpf_map_update_elem(fd, &slot, &rows, BPF_EXIST), "pl_fragments");
}

static void test_fragments(struct node *node, bool held, const char *what)
{
	pthread_barrier_t start;
	struct mixer mixers[2] = {{.node = node, .cpu = 0, .start = &start},
				  {.node = node, .cpu = 1, .start = &start}};
	unsigned int n = 2 * node_rounds(DATAGRAMS);
	pthread_t threads[2];

	node_clear_flows(node);
	if (held)
		hold_ways(node);
	must(-pthread_barrier_init(&start, NULL, 2), "barrier");
	for (int i = 0; i < 2; i++)
		must(-pthread_create(&threads[i], NULL, send_datagrams, &mixers[i]), "thread");
	for (int i = 0; i < 2; i++)
		must(-pthread_join(threads[i], NULL), "thread");
	pthread_barrier_destroy(&start);
	tap_note("%u of %u datagrams began", mixers[0].passed + mixers[1].passed, n);
	tap_ok(mixers[0].passed + mixers[1].passed > (held ? 0 : n / 2),
	       "two CPUs of a port send fragments, %s: datagrams begin", what);
	tap_is_int(mixers[0].lost + mixers[1].lost, 0,
		   "two CPUs of a port send fragments, %s: none takes the other's row", what);
}

/* Of the rows of a table, tenant A's and one of another tenant's are replaced in turn by one CPU: the memory
 * that A's row had becomes the other's at once. (That is each time another one, so that it is not A's again
 * within the same packet: no agent writes a row that often. Where the machine was away in the middle of a
 * packet it may be all the same, so such a packet is not looked at.) Meanwhile A sends. */

#define REPLACED_PACKETS 300000
#define REPLACED_FLOWS	 64
#define REPLACED_ROWS	 1000 /* of others, from this number on */
#define OTHER_BACKEND	 5
#define SLOT_S3		 27 /* in VPC 40, of another group */
#define REST_NS		 20000
#define AWAY_NS		 20000 /* that a packet takes, and the test run around it: several times what it does */

struct replacer {
	int fd;
	uint8_t key[sizeof(struct pl_server_key)]; /* A's; the others' have another number in front */
	const void *mine, *others;
	void (*replace)(const struct replacer *replacer); /* once; NULL: as above */
	int tables_fd;
	struct node *announces; /* as an agent does it: A's ENI has a change under way meanwhile */
	volatile bool is_over;
	unsigned int turns;
};

static void replace_one(const struct replacer *replacer, uint32_t number, const void *row)
{
	uint8_t key[sizeof(replacer->key)];

	memcpy(key, replacer->key, sizeof(key));
	if (number)
		memcpy(key, &number, sizeof(number));
	must(bpf_map_update_elem(replacer->fd, key, row, BPF_ANY), "replace");
}

/* Between two changes some packets find all at rest, and remember. */
static void rest(void)
{
	int64_t start_ns = now_ns();

	while (now_ns() - start_ns < REST_NS)
		;
}

static void *replace_on(void *context)
{
	struct replacer *replacer = context;

	stay_on(0);
	for (; !replacer->is_over; replacer->turns++) {
		if (replacer->replace) {
			replacer->replace(replacer);
			continue;
		}
		if (replacer->announces)
			node_unsettle(replacer->announces, SLOT_ENI_A);
		replace_one(replacer, 0, replacer->mine);
		replace_one(replacer, REPLACED_ROWS + replacer->turns % REPLACED_ROWS, replacer->others);
		if (!replacer->announces)
			continue;
		node_bump(replacer->announces, SLOT_ENI_A);
		rest();
	}
	return NULL;
}

/* Where a packet of port A went that asked for its ENI, and as what; PL_SLOT_NONE: it was dropped. */
static uint32_t way_of(struct node *node, const struct pkt *p, struct pkt *ret_out)
{
	struct __sk_buff ctx = {.cb[0] = SLOT_A};

	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = p->data, .data_size_in = p->size,
		    .data_out = ret_out->data, .data_size_out = PKT_MAX, .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx));
	must(bpf_prog_test_run_opts(bpf_program__fd(node->bpf->progs.pl_main), &opts), "run");
	return opts.retval == TC_ACT_REDIRECT ? receiver(node, ret_out) : PL_SLOT_NONE;
}

/* What became of packets that were sent meanwhile. */
struct fate {
	unsigned int right, elsewhere, refused, busy;
	unsigned int away;	      /* are not in the others but `busy` */
	bool is_lost[REPLACED_FLOWS]; /* whose rows may be wrong since the machine was away */
};

static unsigned int count_busy(struct node *node)
{
	return (unsigned int)node_count(node, PL_DROP_FLOW_TABLE_BUSY).packets;
}

static void send_one(struct node *node, struct fate *fate, unsigned int flow, bool again)
{
	struct pkt p = tcp(node, SLOT_A, (uint16_t)(1024 + flow), again ? ACK : SYN), out;
	int64_t start_ns = now_ns(), took_ns;
	uint32_t slot = way_of(node, &p, &out);
	bool is_busy = false;

	took_ns = now_ns() - start_ns;
	if (slot == PL_SLOT_NONE) {
		is_busy = count_busy(node) > fate->busy;
		fate->busy += is_busy;
	}
	if (slot == SLOT_S1 || slot == SLOT_S2) {
		fate->right++;
	} else if (took_ns > AWAY_NS && !is_busy) {
		fate->away++;
		fate->is_lost[flow] = true;
	} else {
		fate->elsewhere += slot == SLOT_OTHER || slot == SLOT_S3;
		fate->refused += slot == SLOT_A || (slot == PL_SLOT_NONE && !is_busy); /* by a reset, too */
	}
}

/* SYNs, all of which open flows; with `again`, segments of connections that are judged each time. */
static void send_meanwhile(struct node *node, struct replacer *replacer, bool again, const char *what)
{
	struct fate fate = {.busy = count_busy(node)};
	unsigned int busy = fate.busy;
	pthread_t thread;

	stay_on(1);
	node_clear_flows(node);
	for (uint16_t i = 0; again && i < REPLACED_FLOWS; i++)
		handshake(node, SLOT_A, 1024 + i);
	if (!replacer->announces)
		node_unsettle(node, SLOT_ENI_A); /* nothing is remembered */
	must(-pthread_create(&thread, NULL, replace_on, replacer), "thread");
	for (uint32_t i = 0; i < node_rounds(REPLACED_PACKETS); i++) {
		if (fate.is_lost[i % REPLACED_FLOWS])
			continue;
		if (again)
			node_bump(node, SLOT_A);
		send_one(node, &fate, i % REPLACED_FLOWS, again);
	}
	replacer->is_over = true;
	must(-pthread_join(thread, NULL), "thread");
	tap_note("%u turns; %u packets went right, %u have to come again, of %u it is not known",
		 replacer->turns, fate.right, fate.busy - busy, fate.away);
	tap_ok(fate.right > 0 && replacer->turns > 0, "%s are replaced: packets pass", what);
	tap_is_int(fate.elsewhere, 0, "%s are replaced: none goes where another's row leads", what);
	tap_is_int(fate.refused, 0, "%s are replaced: none is refused by another's row", what);
}

static void test_replaced_enis(struct node *node, bool again)
{
	uint32_t slot = SLOT_ENI_A;
	struct pl_eni mine, others;
	struct replacer replacer = {
		.fd = bpf_map__fd(node->bpf->maps.pl_enis), .mine = &mine, .others = &others};

	memcpy(replacer.key, &slot, sizeof(slot));
	must(bpf_map_lookup_elem(replacer.fd, &slot, &mine), "pl_enis");
	others = mine;
	others.vpc = 20;
	others.target = again ? TARGET : TARGET_BARE;
	if (again) {
		mine.balancer_set = mine.set;
		others.balancer_set = SLOT_OTHER; /* refuses them */
	}
	send_meanwhile(node, &replacer, again, again ? "ENIs, whose flows are judged again," : "ENIs");
}

/* Of a row that comes into the other's memory in the middle nothing but the target is another one. */
static void test_announced_enis(struct node *node)
{
	uint32_t slot = SLOT_ENI_A;
	struct pl_eni mine, others;
	struct replacer replacer = {.fd = bpf_map__fd(node->bpf->maps.pl_enis),
				    .mine = &mine,
				    .others = &others,
				    .announces = node};

	memcpy(replacer.key, &slot, sizeof(slot));
	must(bpf_map_lookup_elem(replacer.fd, &slot, &mine), "pl_enis");
	others = mine;
	others.target = TARGET_BARE;
	node_bump(node, SLOT_ENI_A);
	send_meanwhile(node, &replacer, false, "ENIs, which is announced,");
}

static void test_announced_places(struct node *node)
{
	struct pl_place_key key = {.vpc = 10, .addr = addr_of("10.0.0.100")};
	struct pl_place mine, others = {.kind = PL_PLACE_ENI, .id = SLOT_ENI_BARE};
	struct replacer replacer = {.fd = bpf_map__fd(node->bpf->maps.pl_places),
				    .mine = &mine,
				    .others = &others,
				    .announces = node};

	memcpy(replacer.key, &key, sizeof(key));
	must(bpf_map_lookup_elem(replacer.fd, &key, &mine), "pl_places");
	node_bump(node, SLOT_ENI_A);
	send_meanwhile(node, &replacer, false, "places, which is announced,");
}

static void test_replaced_listeners(struct node *node)
{
	struct pl_listener_key key = {.target = TARGET, .port = htons(443), .protocol = IPPROTO_TCP};
	struct pl_listener mine, others;
	struct replacer replacer = {
		.fd = bpf_map__fd(node->bpf->maps.pl_listeners), .mine = &mine, .others = &others};

	memcpy(replacer.key, &key, sizeof(key));
	must(bpf_map_lookup_elem(replacer.fd, &key, &mine), "pl_listeners");
	key.target = TARGET_BARE;
	must(bpf_map_lookup_elem(replacer.fd, &key, &others), "pl_listeners");
	send_meanwhile(node, &replacer, false, "listeners");
}

static void test_replaced_backends(struct node *node)
{
	uint32_t index = 1, other = OTHER_BACKEND;
	struct pl_backend mine, others;
	struct replacer replacer = {
		.fd = bpf_map__fd(node->bpf->maps.pl_backends), .mine = &mine, .others = &others};

	memcpy(replacer.key, &index, sizeof(index));
	must(bpf_map_lookup_elem(replacer.fd, &index, &mine), "pl_backends");
	must(bpf_map_lookup_elem(replacer.fd, &other, &others), "pl_backends");
	send_meanwhile(node, &replacer, false, "backends");
}

static void test_replaced_servers(struct node *node)
{
	struct pl_server_key key = {.group = GROUP, .addr = addr_of("10.0.0.10"), .port = htons(8443)};
	struct pl_server mine = {.state = PL_SERVER_WELL}, others = {.state = PL_SERVER_GONE};
	struct replacer replacer = {
		.fd = bpf_map__fd(node->bpf->maps.pl_servers), .mine = &mine, .others = &others};

	memcpy(replacer.key, &key, sizeof(key));
	send_meanwhile(node, &replacer, true, "servers' states");
}

/* The row is that of an open connection from before the listener sent headers. */
static void forget_header(struct node *node, const struct pkt *syn)
{
	struct pl_flow4_key key = node_key(syn, 10, PL_SIDE_OUT);
	struct pl_flow4 flow;

	if (!node_flow(node, &key, &flow))
		return;
	flow.proxy = 0;
	flow.state = PL_STATE_ANSWERED | PL_STATE_ESTABLISHED;
	map_put(node->bpf->maps.pl_flows4, &key, &flow);
}

/* A listener is replaced that sends headers by now, and SYNs come on a row that has none. */
static void test_replaced_headers(struct node *node)
{
	struct pl_listener_key key = {.target = TARGET, .port = htons(443), .protocol = IPPROTO_TCP};
	struct pl_listener mine, others;
	struct replacer replacer = {
		.fd = bpf_map__fd(node->bpf->maps.pl_listeners), .mine = &mine, .others = &others};
	struct pkt syn = tcp(node, SLOT_A, 1024, SYN), out;
	unsigned int with = 0, without = 0;
	pthread_t thread;

	memcpy(replacer.key, &key, sizeof(key));
	must(bpf_map_lookup_elem(replacer.fd, &key, &mine), "pl_listeners");
	mine.proxy = PL_PROXY_ON;
	must(bpf_map_update_elem(replacer.fd, &key, &mine, BPF_ANY), "pl_listeners");
	others = mine;
	others.proxy = 0;
	stay_on(1);
	node_clear_flows(node);
	must(-pthread_create(&thread, NULL, replace_on, &replacer), "thread");
	for (uint32_t i = 0; i < node_rounds(REPLACED_PACKETS); i++) {
		forget_header(node, &syn);
		if (way_of(node, &syn, &out) == PL_SLOT_NONE)
			continue;
		if (get32(out.data + PKT_L4 + 4) == get32(syn.data + PKT_L4 + 4))
			without++;
		else
			with++;
	}
	replacer.is_over = true;
	must(-pthread_join(thread, NULL), "thread");
	tap_note("%u turns; %u SYNs before a header", replacer.turns, with);
	tap_ok(with > 0 && replacer.turns > 0, "a listener with headers is replaced: connections begin");
	tap_is_int(without, 0, "a listener with headers is replaced: none begins without");
}

/* A's listener gets a table in another place, and the one that it leaves is another listener's at once, of
 * the same VPC. (An agent lets it rest for a second first.) */

#define TABLES	     512
#define TABLE_FIRST  100
#define OTHER_SERVER 6 /* index */

static void move_table(const struct replacer *replacer)
{
	struct pl_listener listener = *(const struct pl_listener *)replacer->mine;
	uint32_t left = TABLE_FIRST + replacer->turns % TABLES,
		 next = TABLE_FIRST + (replacer->turns + 1) % TABLES, mine = 1, others = OTHER_SERVER;

	must(bpf_map_update_elem(replacer->tables_fd, &next, &mine, BPF_ANY), "pl_maglev");
	listener.table_first = next;
	replace_one(replacer, 0, &listener);
	must(bpf_map_update_elem(replacer->tables_fd, &left, &others, BPF_ANY), "pl_maglev");
	listener.table_first = left;
	replace_one(replacer, REPLACED_ROWS + replacer->turns % REPLACED_ROWS, &listener);
}

static void test_moved_tables(struct node *node)
{
	static const uint32_t table[] = {1};
	struct pl_listener_key key = {.target = TARGET, .port = htons(443), .protocol = IPPROTO_TCP};
	struct pl_listener mine;
	struct replacer replacer = {.fd = bpf_map__fd(node->bpf->maps.pl_listeners),
				    .mine = &mine,
				    .replace = move_table,
				    .tables_fd = bpf_map__fd(node->bpf->maps.pl_maglev)};

	node_port(node, SLOT_S3, 40, "10.0.0.27");
	node_backend(node, OTHER_SERVER, 40, "10.0.0.27", 8443, SLOT_S3);
	node_listener(node, TARGET, IPPROTO_TCP, 443, TABLE_FIRST, table, 1);
	memcpy(replacer.key, &key, sizeof(key));
	must(bpf_map_lookup_elem(replacer.fd, &key, &mine), "pl_listeners");
	send_meanwhile(node, &replacer, false, "listeners' tables");
}

static void test_replaced(void)
{
	static const uint32_t other[] = {OTHER_BACKEND};
	struct pl_listener_key key = {.target = TARGET_BARE, .port = htons(443), .protocol = IPPROTO_TCP};
	struct node *node = node_new(&(struct node_options){.n_flows = 16384});
	struct pl_listener listener;

	node_backend(node, OTHER_BACKEND, 50, "10.0.0.10", 8443, SLOT_OTHER);
	node_listener(node, TARGET_BARE, IPPROTO_TCP, 443, 20, other, 1);
	must(bpf_map_lookup_elem(bpf_map__fd(node->bpf->maps.pl_listeners), &key, &listener), "listener");
	listener.vpc = 50;
	map_put(node->bpf->maps.pl_listeners, &key, &listener);
	test_replaced_enis(node, false);
	test_replaced_enis(node, true);
	test_announced_enis(node);
	test_announced_places(node);
	test_replaced_listeners(node);
	test_replaced_backends(node);
	test_replaced_servers(node);
	test_moved_tables(node);
	test_replaced_headers(node);
	node_free(node);
}

int main(void)
{
	struct node *node = node_new(&(struct node_options){.n_flows = 16384});

	race(node, SLOT_A, SLOT_A, 2 * FLOWS, "two CPUs open the same flows");
	race(node, SLOT_A, SLOT_B, 4 * FLOWS, "two VPCs want the same sources");
	test_mixture(node);
	test_proxied(node);
	test_revoked(node);
	test_fragments(node, false, "among four rows");
	test_fragments(node, true, "with one row left");
	node_free(node);
	test_replaced();
	test_carry();
	return tap_done();
}
