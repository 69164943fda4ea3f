/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A group's rules in their order: what a rule spans, and that rules which are settled by what was known of
 * them before are the same as those that are settled by themselves. `test_group_rules SEED` repeats a run.
 */
#include <netinet/in.h>
#include <time.h>

#include "policy/group_rules.h"

#include "tests/tap.h"

#define STEPS	  20000
#define RULES_MAX 40

static uint64_t state;

static uint32_t roll(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)((state >> 16) % below);
}

static void test_settle(void)
{
	struct group_rule rules[4] = {{.rank = 5}, {.rank = 2}, {.rank = 5}, {.rank = 4, .group = 1}};

	tap_is_int((long long)group_rules_settle(rules, 4), 3, "one of each rule stays");
	tap_ok(rules[0].rank == 2 && rules[1].rank == 4 && rules[2].rank == 5, "by rank");
}

static void test_spans(void)
{
	struct group_rule rule = {0};

	group_rule_set_service(&rule, IPPROTO_TCP, 80, 81);
	tap_ok(rule.service_first == PL_SERVICE(6, 80) && rule.service_last == PL_SERVICE(6, 81),
	       "TCP has ports");
	group_rule_set_service(&rule, IPPROTO_ICMP, 80, 81);
	tap_ok(rule.service_first == PL_SERVICE(1, 0) && rule.service_last == PL_SERVICE(1, 65535),
	       "ICMP has none");
	group_rule_set_service(&rule, 0, 0, 0);
	tap_ok(rule.service_first == 0 && rule.service_last == UINT32_MAX, "all protocols are all services");
	group_rule_set_prefix(&rule, 0x0a0101ff, 0);
	tap_ok(rule.addr_first == 0 && rule.addr_last == UINT32_MAX, "no bit is everybody");
	group_rule_set_prefix(&rule, 0x0a0101ff, 32);
	tap_ok(rule.addr_first == 0x0a0101ff && rule.addr_last == 0x0a0101ff, "32 bits are one address");
	group_rule_set_prefix(&rule, 0x0a0101ff, 24);
	tap_ok(rule.addr_first == 0x0a010100 && rule.addr_last == 0x0a0101ff, "24 bits are 256");
}

/* Few different ones, so that several that come are often the same rule. */
static struct group_rule random_rule(void)
{
	struct group_rule rule = {.rank = PL_RANK(1 + roll(3), roll(2)), .group = roll(4)};

	group_rule_set_service(&rule, IPPROTO_TCP, (uint16_t)roll(400), UINT16_MAX);
	return rule;
}

/* One more or one less, at any place; now and then all are others. */
static void change(struct group_rule came[RULES_MAX], size_t *n)
{
	size_t place = roll((uint32_t)*n + 1);

	if (roll(20) == 0) {
		*n = roll(RULES_MAX);
		for (size_t i = 0; i < *n; i++)
			came[i] = random_rule();
	} else if (*n == RULES_MAX || (place < *n && roll(2))) {
		place = place < *n ? place : 0;
		--*n;
		memmove(&came[place], &came[place + 1], (*n - place) * sizeof(*came));
	} else {
		memmove(&came[place + 1], &came[place], (*n - place) * sizeof(*came));
		came[place] = *n && roll(3) == 0 ? came[roll((uint32_t)*n)] : random_rule();
		++*n;
	}
}

static struct group_rules rules_of(const struct group_rule *came, size_t n)
{
	struct group_rules rules = {.v = calloc(RULES_MAX, sizeof(*came)), .n = n};

	if (!rules.v)
		exit(EXIT_FAILURE);
	memcpy(rules.v, came, n * sizeof(*came));
	return rules;
}

static bool is_settled(const struct group_rules *rules, const struct group_rule *came, size_t n)
{
	struct group_rule wanted[RULES_MAX];
	size_t n_wanted;

	memcpy(wanted, came, n * sizeof(*came));
	n_wanted = group_rules_settle(wanted, n);
	if (rules->n != n_wanted || memcmp(rules->v, wanted, n_wanted * sizeof(*wanted)) != 0)
		return false;
	for (size_t i = 0; i < n; i++)
		if (memcmp(&rules->v[rules->places[i]], &came[i], sizeof(*came)) != 0)
			return false;
	return rules->n_came == n;
}

static void test_again(void)
{
	struct group_rule came[RULES_MAX];
	struct group_rules before = {0};
	uint32_t wrong = 0, doubles = 0;
	size_t n = 0;

	for (int step = 0; step < STEPS; step++) {
		struct group_rules rules;

		change(came, &n);
		rules = rules_of(came, n);
		if (group_rules_settle_again(&rules, &before) < 0)
			exit(EXIT_FAILURE);
		wrong += !is_settled(&rules, came, n);
		doubles += rules.n < n;
		group_rules_done(&before);
		before = rules;
	}
	group_rules_done(&before);
	tap_is_int(wrong, 0, "by what was there before, rules are settled as by themselves");
	tap_ok(doubles > STEPS / 10, "in %u of %d steps some came twice", doubles, STEPS);
}

int main(int argc, char **argv)
{
	state = argc > 1 ? strtoull(argv[1], NULL, 0) : (uint64_t)time(NULL) * 2654435761u | 1;
	tap_note("seed %llu", (unsigned long long)state);
	test_spans();
	test_settle();
	test_again();
	return tap_done();
}
