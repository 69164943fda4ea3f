/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flows of two CPUs at once. Both open the same ones, or some that want the same translated sources, or do
 * all that TCP can do to a few of them while the timer ends them or rules come and go, or move the same ones
 * from another program's table; whatever they do to each other, each entry must have a partner that names it
 * and a token of its own, no translated source may be held twice, and nothing passes that began after its
 * rule was revoked.
 */
#include <unistd.h>

#include "../tap.h"
#include "race.h"

#define FLOWS	1500
#define ROUNDS	4
#define REPEATS 1000 /* a millisecond apart */

/* A packet that comes while the other CPU is half through with its flow is dropped, and comes again, as TCP
 * does it. (A virtual CPU may stand still for long there.) */
static void send_until_it_leaves(struct racer *racer, uint32_t slot, const struct pkt *p)
{
	unsigned int turn = 0;

	while (!node_leaves(racer->node, slot, p) && turn++ < REPEATS)
		usleep(1000);
	racer->repeated += turn;
	racer->lost += turn > REPEATS;
}

static void open_all(struct racer *racer)
{
	for (int i = 0; i < FLOWS; i++) {
		struct pkt p = tcp(racer->node, racer->slot, 2000 + i, SYN);

		send_until_it_leaves(racer, racer->slot, &p);
	}
}

static void test_open(struct node *node, uint32_t first_slot, uint32_t second_slot, uint32_t entries,
		      const char *what)
{
	struct race race = race_of(node, open_all);
	bool right_number = true;
	unsigned int faults = 0;

	race.racers[0].slot = first_slot;
	race.racers[1].slot = second_slot;
	for (int round = 0; round < ROUNDS; round++) {
		node_clear_flows(node);
		race_begin(&race);
		race_end(&race);
		faults += count_faults(node);
		right_number = right_number && node_flows(node) == entries;
	}
	tap_note("%u SYNs came again", race.racers[0].repeated + race.racers[1].repeated);
	tap_is_int(race_lost(&race), 0, "%s: every SYN is let through, if need be when it comes again", what);
	tap_is_int(faults, 0, "%s: every entry has its partner and its token", what);
	tap_ok(right_number, "%s: two entries for each flow and no other", what);
}

/* A few tuples, of which each CPU sends anything; idle times are short, for the kernel is told a wrong number
 * of ticks. Some flows are each CPU's own and have to live. */

#define TUPLES 2048
#define LOCAL  24
#define LIVING 32
#define TURNS  60000

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
static bool answer_leaves(struct node *node, const struct pkt *asked, uint8_t flags)
{
	struct pkt p = *asked;

	return make_answer(node, &p, flags) && node_leaves(node, p.data[11], &p);
}

/* A CPU's flows that have to live: how long they do without a packet, for sure; when each had its last one,
 * and whether it may have ended since, for the machine was away. */
struct living {
	int64_t for_ns, sent_ns[LIVING];
	bool is_let_go[LIVING];
	unsigned int let_go;
};

static void mix_translated(struct racer *racer, unsigned int dice)
{
	static const uint8_t flags[] = {SYN, SYN, SYN, ACK, ACK, FIN | ACK, RST, RST | ACK};
	struct pkt p = tcp(racer->node, SLOT_A, 3000 + dice % TUPLES, flags[dice >> 8 & 7]);

	if (dice >> 11 & 1)
		racer->passed += node_leaves(racer->node, SLOT_A, &p);
	else
		racer->passed +=
			answer_leaves(racer->node, &p, dice >> 8 & 4 ? flags[dice >> 8 & 7] : SYN | ACK);
}

static void mix_local(struct racer *racer, unsigned int dice)
{
	static const uint8_t flags[] = {SYN, SYN, SYN | ACK, ACK, FIN | ACK, FIN | ACK, RST, ACK};
	uint32_t slot = dice >> 11 & 1 ? SLOT_A2 : SLOT_A;
	uint16_t port = 40 + dice % LOCAL;
	struct pkt p = local(racer->node, slot, port, port, flags[dice >> 8 & 7]);

	racer->passed += node_leaves(racer->node, slot, &p);
}

static uint16_t living_port(int cpu, unsigned int flow)
{
	return 5000 + 1000 * cpu + flow;
}

/* A packet of a flow that nobody else touches; each goes on often enough, unless the machine was away. */
static void mix_living(struct racer *racer, unsigned int turn)
{
	unsigned int flow = turn % LIVING;
	struct pkt p = tcp(racer->node, SLOT_B, living_port(racer->cpu, flow), ACK);
	struct living *living = racer->own;
	bool passed;

	if (living->is_let_go[flow])
		return;
	passed = node_leaves(racer->node, SLOT_B, &p);
	if (!passed && now_ns() - living->sent_ns[flow] > living->for_ns) {
		living->is_let_go[flow] = true;
		living->let_go++;
		return;
	}
	racer->lost += !passed;
	living->sent_ns[flow] = now_ns();
}

static void mix(struct racer *racer)
{
	for (unsigned int turn = 0; turn < node_rounds(TURNS); turn++) {
		unsigned int dice = (unsigned int)rand_r(&racer->seed);

		if (turn % 4 == 0)
			mix_living(racer, turn / 4);
		else if (turn % 4 == 1)
			mix_local(racer, dice);
		else
			mix_translated(racer, dice);
	}
}

static void set_hz(struct node *node, uint32_t hz)
{
	struct pl_config config;
	uint32_t zero = 0;

	must(bpf_map_lookup_elem(bpf_map__fd(node->bpf->maps.pl_config), &zero, &config), "pl_config");
	config.hz = hz;
	map_put(node->bpf->maps.pl_config, &zero, &config);
}

static void make_living(struct node *node, struct living *living, int cpu)
{
	*living = (struct living){.for_ns = 300 * 1000000000ll / pl_kernel_hz() / 2};
	for (unsigned int i = 0; i < LIVING; i++) {
		living->sent_ns[i] = now_ns();
		handshake(node, SLOT_B, living_port(cpu, i));
	}
}

static void test_mixture(struct node *node)
{
	struct race race = race_of(node, mix);
	struct living living[2];
	struct pl_round round;

	node_clear_flows(node);
	node_policy(node, SLOT_A, (struct node_rule[]){{"0.0.0.0", 0, IPPROTO_TCP, 0, 65535, true}}, 1, true);
	node_bump(node, SLOT_A);
	/* closing: 10 ticks of 4 ms; half open: 60; established by its listener: 300, so 1.2 s at 250 a
	 * second */
	set_hz(node, 1);
	for (int i = 0; i < 2; i++) {
		make_living(node, &living[i], i);
		race.racers[i].own = &living[i];
	}
	arm_timer(node);
	race_begin(&race);
	race_end(&race);
	round = node_round(node);
	stop_timer(node);
	tap_note("%u packets passed, the timer ended %llu flows", race_passed(&race),
		 (unsigned long long)round.ended);
	tap_note("%u flows were without a packet for too long", living[0].let_go + living[1].let_go);
	tap_is_int(race_lost(&race), 0, "a mixture of all: flows that live stay");
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

/* The same flows are moved from another program's table by two CPUs at once. */

#define MOVED 400

static void move_all(struct racer *racer)
{
	for (int i = 0; i < MOVED; i++) {
		struct pkt p = tcp(racer->node, SLOT_A, 2000 + i, ACK);

		send_until_it_leaves(racer, SLOT_A, &p);
	}
}

/* Flows that the other program's table has, and this one's has not. */
static void make_old_flows(struct node *node)
{
	int fd = bpf_map__fd(node->bpf->maps.pl_flows4);
	struct pl_flow4_key *keys;
	uint32_t n;

	node_clear_flows(node);
	for (int i = 0; i < MOVED; i++)
		handshake(node, SLOT_A, 2000 + i);
	keys = node_keys(fd, &n);
	for (uint32_t i = 0; i < n; i++) {
		struct pl_flow4 row;

		must(bpf_map_lookup_elem(fd, &keys[i], &row), "flow");
		must(bpf_map_update_elem(node->old_fd, &keys[i], &row, BPF_ANY), "old flow");
	}
	free(keys);
	node_clear_flows(node);
}

static void test_carry(void)
{
	struct node *node = node_new(&(struct node_options){.n_flows = 16384, .old_row_size = 80});
	struct race race = race_of(node, move_all);
	unsigned int faults = 0;
	uint32_t n_left;

	for (int round = 0; round < ROUNDS; round++) {
		make_old_flows(node);
		race_begin(&race);
		race_end(&race);
		faults += count_faults(node) + (node_flows(node) != 2 * MOVED);
		free(node_keys(node->old_fd, &n_left));
		faults += n_left;
	}
	tap_is_int(faults, 0, "two CPUs move the same flows: each has moved once, with both rows");
	tap_is_int(race_lost(&race), 0,
		   "two CPUs move the same flows: a packet that has to come again passes then");
	node_free(node);
}

/* A SYN that comes while another CPU ends the flow that it found, and may not open one itself. */

#define PROXIED_TUPLES 60000
#define PROXIED_TURNS  60000

static void open_and_end(struct racer *racer)
{
	for (unsigned int turn = 0; turn < node_rounds(PROXIED_TURNS); turn++) {
		struct pkt p = tcp(racer->node, SLOT_A, 2000 + racer->race->turn % PROXIED_TUPLES, SYN);

		racer->passed += node_leaves(racer->node, SLOT_A, &p);
		if (racer->cpu == 0 && turn % 4 == 0)
			__atomic_add_fetch(&racer->race->turn, 1, __ATOMIC_RELAXED);
	}
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
	struct pl_listener_key key = listener_of(TARGET);
	struct race race = race_of(node, open_and_end);
	struct pl_listener listener, before;

	node_clear_flows(node);
	must(bpf_map_lookup_elem(bpf_map__fd(node->bpf->maps.pl_listeners), &key, &listener), "listener");
	before = listener;
	listener.proxy = PL_PROXY_ON;
	listener.open_ns = 100000;
	map_put(node->bpf->maps.pl_listeners, &key, &listener);
	race_begin(&race);
	race_end(&race);
	tap_note("%u of %u SYNs passed", race_passed(&race), 2 * node_rounds(PROXIED_TURNS));
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
	struct pkt out;

	return node_leaves_as(node, slot, p, &out) && !(out.data[PKT_L4 + 13] & RST);
}

static bool talk_once(struct racer *racer)
{
	unsigned int dice = (unsigned int)rand_r(&racer->seed);
	struct pkt p = tcp(racer->node, SLOT_A, 3000 + dice % REVOKED_TUPLES, dice >> 8 & 1 ? SYN : ACK);

	if (racer->cpu == 0)
		return leaks(racer->node, SLOT_A, &p);
	if (!make_answer(racer->node, &p, dice >> 9 & 1 ? SYN | ACK : ACK))
		return false;
	return leaks(racer->node, p.data[11], &p);
}

static void talk_on(struct racer *racer)
{
	volatile unsigned int *now = &racer->race->turn;
	unsigned int turn;

	while ((turn = __atomic_load_n(now, __ATOMIC_SEQ_CST)) != UINT32_MAX) {
		bool passed = talk_once(racer);

		if (turn % 2 && turn == __atomic_load_n(now, __ATOMIC_SEQ_CST))
			racer->lost += passed;
		else
			racer->passed += passed;
	}
}

static void test_revoked(struct node *node)
{
	struct race race = race_of(node, talk_on);
	unsigned int rounds = 2 * node_rounds(REVOKED_ROUNDS);

	node_clear_flows(node);
	race_begin(&race);
	for (unsigned int i = 1; i <= rounds; i++) {
		(void)usleep(2000);
		if (i % 2)
			eni_refuses(node);
		__atomic_store_n(&race.turn, i, __ATOMIC_SEQ_CST);
		if (i % 2 == 0)
			eni_accepts(node);
	}
	__atomic_store_n(&race.turn, UINT32_MAX, __ATOMIC_SEQ_CST);
	race_end(&race);
	tap_note("%u and %u packets passed while they might", race.racers[0].passed, race.racers[1].passed);
	tap_ok(race_passed(&race) > 0, "a rule that comes and goes: packets pass with it");
	tap_is_int(race_lost(&race), 0, "a rule that comes and goes: nothing passes after it was revoked");
	tap_is_int(count_faults(node), 0,
		   "a rule that comes and goes: no orphan row, no stuck token, exact counts");
}

int main(void)
{
	struct node *node = node_new(&(struct node_options){.n_flows = 16384});

	test_open(node, SLOT_A, SLOT_A, 2 * FLOWS, "two CPUs open the same flows");
	test_open(node, SLOT_A, SLOT_B, 4 * FLOWS, "two VPCs want the same sources");
	test_mixture(node);
	test_proxied(node);
	test_revoked(node);
	node_free(node);
	test_carry();
	return tap_done();
}
