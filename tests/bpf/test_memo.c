/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was judged lately is remembered, and never for longer than it is true: an answer ends with a change of
 * either slot, from the moment that the agent begins it. Whatever is let pass is looked up anew.
 *
 * The seed of the random packets is printed and may be given as the argument.
 */
#include <sched.h>
#include <time.h>

#include "../tap.h"
#include "flows.h"

#define STEPS 2000

static const struct node_rule rules_none[] = {{"10.0.0.0", 8, IPPROTO_TCP, 1, 1, true}};

static struct pkt syn_to(const struct node *node, uint32_t slot, const char *dst, uint16_t sport,
			 uint16_t dport)
{
	return from(node, slot,
		    (struct pkt_spec){.src = slot == SLOT_A2 ? "10.0.0.11" : "10.0.0.10",
				      .dst = dst,
				      .protocol = IPPROTO_TCP,
				      .sport = sport,
				      .dport = dport,
				      .tcp_flags = SYN});
}

/* What becomes of a SYN from a new port each time. */
static int opens(struct node *node, uint32_t slot, const char *dst, uint16_t dport)
{
	static uint16_t sport = 5000;
	struct pkt p = syn_to(node, slot, dst, sport++, dport);

	return node_send(node, slot, &p).reason;
}

static int asks(struct node *node)
{
	struct pkt p = from(node, SLOT_A,
			    (struct pkt_spec){.src = "10.0.0.10",
					      .dst = "10.0.0.100",
					      .protocol = IPPROTO_ICMP,
					      .sport = 8 << 8,
					      .dport = 7});

	return node_send(node, SLOT_A, &p).reason;
}

/* Anew, with the rules of node.h. */
static void begin(struct node *node)
{
	node_clear_flows(node);
	node_policy(node, SLOT_A, RULES(rules_instance), true);
	node_policy(node, SLOT_ENI_A, RULES(rules_eni), false);
	node_eni(node, SLOT_ENI_A, 10, "10.0.0.100", TARGET, true);
	node_bump(node, SLOT_A);
	node_bump(node, SLOT_ENI_A);
}

/* (What the rows say without a generation is not heard of: so it shows that there is a memory at all.) */
static void test_remembers(struct node *node)
{
	begin(node);
	tap_is_int(opens(node, SLOT_A, "10.0.0.100", 445), PL_DROP_POLICY_IN, "a SYN is refused");
	tap_is_int(opens(node, SLOT_A, "10.0.0.100", 443), PL_DELIVERED, "and one to another port let in");
	tap_is_int(asks(node), PL_ECHO, "and an echo answered");
	node_policy(node, SLOT_ENI_A, (struct node_rule[]){{"10.0.0.0", 8, IPPROTO_TCP, 445, 445, true}}, 1,
		    false);
	tap_is_int(opens(node, SLOT_A, "10.0.0.100", 445), PL_DROP_POLICY_IN, "the same is remembered");
	tap_is_int(opens(node, SLOT_A, "10.0.0.100", 443), PL_DELIVERED, "for what was let in");
	tap_is_int(asks(node), PL_ECHO, "and for echo");
	tap_is_int(opens(node, SLOT_A, "10.0.0.100", 444), PL_DROP_POLICY_IN, "another port is judged");
	tap_is_int(opens(node, SLOT_A2, "10.0.0.100", 443), PL_DROP_POLICY_IN, "and another sender");
	node_unsettle(node, SLOT_ENI_A);
	tap_is_int(opens(node, SLOT_A, "10.0.0.100", 443), PL_DROP_POLICY_IN,
		   "once the agent has begun a change, all is judged by what stands there");
	tap_is_int(asks(node), PL_DROP_POLICY_IN, "echo, too");
	tap_is_int(opens(node, SLOT_A, "10.0.0.100", 445), PL_DROP_NO_LISTENER, "and what was refused");
	node_policy(node, SLOT_ENI_A, RULES(rules_eni), false);
	tap_is_int(opens(node, SLOT_A, "10.0.0.100", 443), PL_DELIVERED,
		   "nothing is remembered meanwhile that a later step undoes");
	node_bump(node, SLOT_ENI_A);
	tap_is_int(opens(node, SLOT_A, "10.0.0.100", 445), PL_DROP_POLICY_IN, "afterwards it is all anew");
	tap_is_int(asks(node), PL_ECHO, "echo, too");
}

static void test_sender(struct node *node)
{
	begin(node);
	tap_is_int(opens(node, SLOT_A, "10.0.0.100", 443), PL_DELIVERED, "let out and in");
	node_policy(node, SLOT_A, RULES(rules_instance), false);
	node_unsettle(node, SLOT_A);
	tap_is_int(opens(node, SLOT_A, "10.0.0.100", 443), PL_DROP_POLICY_OUT,
		   "a change of the sender's ends the memory, from its beginning");
	node_bump(node, SLOT_A);
	tap_is_int(opens(node, SLOT_A, "10.0.0.100", 443), PL_DROP_POLICY_OUT, "and from its end on");
	node_policy(node, SLOT_A, RULES(rules_instance), true);
	node_bump(node, SLOT_A);
	tap_is_int(opens(node, SLOT_A, "10.0.0.100", 443), PL_DELIVERED, "and back");
}

static void test_connection(struct node *node)
{
	begin(node);
	tap_is_int(opens(node, SLOT_A, "10.0.0.100", 443), PL_DELIVERED, "connected");
	node_eni(node, SLOT_ENI_A, 10, "10.0.0.100", TARGET, false);
	node_bump(node, SLOT_ENI_A);
	for (int i = 0; i < 2; i++)
		tap_is_int(opens(node, SLOT_A, "10.0.0.100", 443), PL_DROP_ENI_NOT_CONNECTED,
			   "not connected");
	tap_is_int(asks(node), PL_ECHO, "an echo needs no connection");
	node_eni(node, SLOT_ENI_A, 10, "10.0.0.100", TARGET, true);
	node_bump(node, SLOT_ENI_A);
	tap_is_int(opens(node, SLOT_A, "10.0.0.100", 443), PL_DELIVERED, "connected again");
}

/* An answer is good for one tuple, one VPC and one ENI. */
static void test_isolation(struct node *node)
{
	struct pkt ack = tcp(node, SLOT_A, 4999, ACK);

	begin(node);
	node_policy(node, SLOT_ENI_B, RULES(rules_none), false);
	node_bump(node, SLOT_ENI_B);
	for (int i = 0; i < 2; i++) {
		tap_is_int(opens(node, SLOT_A, "10.0.0.100", 443), PL_DELIVERED, "one VPC is let in");
		tap_is_int(opens(node, SLOT_B, "10.0.0.100", 443), PL_DROP_POLICY_IN,
			   "another with the same addresses is not");
	}
	node_policy(node, SLOT_ENI_B, RULES(rules_eni), false);
	node_bump(node, SLOT_ENI_B);
	tap_is_int(node_send(node, SLOT_A, &ack).reason, PL_DROP_NOT_SYN, "what is no SYN opens nothing");

	node_place(node, 10, "10.0.0.100", PL_PLACE_ENI, SLOT_ENI_OFF);
	tap_is_int(opens(node, SLOT_A, "10.0.0.100", 443), PL_DROP_NO_PLACE,
		   "an address that leads to another's row leads nowhere");
	node_eni(node, SLOT_ENI_A, 20, "10.0.0.100", TARGET, true);
	node_place(node, 10, "10.0.0.100", PL_PLACE_ENI, SLOT_ENI_A);
	tap_is_int(opens(node, SLOT_A, "10.0.0.100", 443), PL_DROP_NO_PLACE,
		   "and an ENI's row that is another VPC's is not let in by what was said before");
	node_unplace(node, 10, "10.0.0.100");
	tap_is_int(opens(node, SLOT_A, "10.0.0.100", 443), PL_DROP_NO_PLACE, "nor what is nowhere any more");
	begin(node);
	tap_is_int(opens(node, SLOT_A, "10.0.0.100", 443), PL_DELIVERED, "with all in its place again");
	node_eni(node, SLOT_ENI_A, 10, "10.0.0.100", TARGET_BARE, true);
	tap_is_int(opens(node, SLOT_A, "10.0.0.100", 443), PL_DROP_NO_LISTENER,
		   "the way leads to the load balancer that the ENI's row names now");
	begin(node);
	node_unplace(node, 20, "10.0.0.100");
	node_eni(node, SLOT_ENI_B, 20, "10.0.0.100", TARGET, true);
}

/* What is remembered of a SYN or an echo is said before its flow is looked for. A flow of before the rules
 * changed does not go on for it. */
static void test_before_the_flow(struct node *node)
{
	struct pkt syn = tcp(node, SLOT_A, 6000, SYN), ack = tcp(node, SLOT_A, 6000, ACK),
		   nameless = syn_to(node, SLOT_A, "10.0.0.100", 0, 443);

	begin(node);
	tap_is_int(node_send(node, SLOT_A, &syn).reason, PL_DELIVERED, "a connection opens");
	node_policy(node, SLOT_ENI_A, RULES(rules_none), false);
	node_bump(node, SLOT_ENI_A);
	tap_is_int(opens(node, SLOT_A, "10.0.0.100", 443), PL_DROP_POLICY_IN, "its rule is revoked");
	tap_is_int(node_send(node, SLOT_A, &nameless).reason, PL_DROP_BAD_PORT,
		   "what has no port is not refused for its rule's sake");
	for (int i = 0; i < 2; i++)
		tap_is_int(node_send(node, SLOT_A, &syn).reason, PL_DROP_POLICY_IN,
			   "its SYN is refused, as another's");
	tap_is_int(node_send(node, SLOT_A, &ack).reason, PL_DROP_POLICY_IN, "its next segment ends it");
	tap_is_int(node_flows(node), 0, "and nothing is left of it");
	tap_is_int(node_send(node, SLOT_A, &ack).reason, PL_DROP_NOT_SYN, "so the next is no flow's");

	begin(node);
	tap_is_int(node_send(node, SLOT_A, &syn).reason, PL_DELIVERED, "a connection opens");
	node_policy(node, SLOT_ENI_A, RULES(rules_none), false);
	node_bump(node, SLOT_ENI_A);
	tap_is_int(opens(node, SLOT_A, "10.0.0.100", 443), PL_DROP_POLICY_IN, "its rule is revoked");
	node_policy(node, SLOT_ENI_A, RULES(rules_eni), false);
	node_bump(node, SLOT_ENI_A);
	tap_is_int(node_send(node, SLOT_A, &syn).reason, PL_DELIVERED, "and is back: so is the connection");
	tap_is_int(node_flows(node), 2, "as it was");
}

/* xorshift64 */
static uint32_t roll(uint64_t *random, uint32_t below)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return (*random >> 32) % below;
}

static void random_rules(uint64_t *random, struct node_rule rules[4])
{
	static const uint8_t protocols[] = {0, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP};

	for (int i = 0; i < 4; i++) {
		uint16_t first = 440 + roll(random, 8);

		rules[i] =
			(struct node_rule){"10.0.0.0", roll(random, 2) ? 8 : 31, protocols[roll(random, 4)],
					   first,      first + roll(random, 8),	 roll(random, 2)};
	}
}

static struct pkt random_packet(const struct node *node, uint64_t *random, uint32_t slot)
{
	static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP};
	uint8_t protocol = protocols[roll(random, 3)];
	bool is_echo = protocol == IPPROTO_ICMP;

	return from(node, slot,
		    (struct pkt_spec){.src = slot == SLOT_A2 ? "10.0.0.11" : "10.0.0.10",
				      .dst = roll(random, 4) ? "10.0.0.100" : "10.0.0.102",
				      .protocol = protocol,
				      .sport = is_echo ? 8 << 8 : 2000 + roll(random, 3000),
				      .dport = is_echo ? 7 : 440 + roll(random, 8),
				      .tcp_flags = roll(random, 8) ? SYN : ACK});
}

/* Of two nodes with the same rows one remembers, and the other has a change under way all the time. */
static void test_random(uint64_t seed)
{
	static const uint32_t slots[] = {SLOT_A, SLOT_A2, SLOT_B, SLOT_ENI_A, SLOT_ENI_B, SLOT_ENI_BARE};
	struct node *nodes[2];
	uint64_t random = seed ? seed : 1;
	unsigned int wrong = 0;

	for (int i = 0; i < 2; i++)
		nodes[i] = node_new(&(struct node_options){0});
	for (uint32_t step = 0; step < node_rounds(STEPS) && !wrong; step++) {
		uint32_t slot = slots[roll(&random, 3)];
		struct pkt p = random_packet(nodes[0], &random, slot);
		int reasons[2];

		if (roll(&random, 40) == 0) {
			uint32_t changed = slots[roll(&random, 6)], out = roll(&random, 4);
			struct node_rule rules[4];

			random_rules(&random, rules);
			for (int i = 0; i < 2; i++) {
				node_policy(nodes[i], changed, rules, 4, out);
				node_bump(nodes[i], changed);
				node_unsettle(nodes[1], changed);
			}
		}
		if (step % 500 == 0)
			for (int i = 0; i < 2; i++)
				node_clear_flows(nodes[i]);
		if (step == 0)
			for (int i = 0; i < 6; i++)
				node_unsettle(nodes[1], slots[i]);
		for (int i = 0; i < 2; i++)
			reasons[i] = node_send(nodes[i], slot, &p).reason;
		if (reasons[0] != reasons[1] && wrong++ < 10)
			tap_note("step %u, from slot %u: %s, but judged %s: %s", step, slot,
				 reason_name(reasons[0]), reason_name(reasons[1]), pkt_text(&p));
	}
	tap_is_int(wrong, 0, "what is remembered is what the judges say");
	for (int i = 0; i < 2; i++)
		node_free(nodes[i]);
}

int main(int argc, char **argv)
{
	uint64_t seed =
		argc > 1 ? strtoull(argv[1], NULL, 0) : (uint64_t)time(NULL) << 20 ^ (uint64_t)getpid();
	struct node *node = node_new(&(struct node_options){0});
	cpu_set_t cpu;

	tap_note("seed %llu", (unsigned long long)seed);
	CPU_ZERO(&cpu);
	CPU_SET(sched_getcpu(), &cpu);
	must(sched_setaffinity(0, sizeof(cpu), &cpu), "affinity"); /* each CPU remembers for itself */
	test_remembers(node);
	test_sender(node);
	test_connection(node);
	test_isolation(node);
	test_before_the_flow(node);
	test_random(seed);
	node_free(node);
	return tap_done();
}
