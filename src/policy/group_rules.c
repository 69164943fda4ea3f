/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A group's rules are settled with each rule that comes or goes, mostly one of many. So those that came
 * before and come now, at the beginning and at the end of the list, keep the order that they had, and what is
 * between them is sorted and merged into it.
 */
#include "group_rules.h"

#include <netinet/in.h>

#include "../lib/vec.h"

#define GONE UINT32_MAX

void group_rule_set_service(struct group_rule *rule, uint8_t protocol, uint16_t port_first,
			    uint16_t port_last)
{
	if (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP) {
		port_first = 0;
		port_last = UINT16_MAX;
	}
	rule->service_first = protocol ? PL_SERVICE(protocol, port_first) : GROUP_SERVICE_ANY_FIRST;
	rule->service_last = protocol ? PL_SERVICE(protocol, port_last) : GROUP_SERVICE_ANY_LAST;
}

void group_rule_set_prefix(struct group_rule *rule, uint32_t addr, uint32_t length)
{
	uint32_t hosts = (uint32_t)(UINT64_C(0xffffffff) >> length);

	rule->addr_first = addr & ~hosts;
	rule->addr_last = addr | hosts;
}

static int rule_compare(const void *a, const void *b)
{
	const struct group_rule *x = a, *y = b;

	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return memcmp(x, y, sizeof(*x));
}

size_t group_rules_settle(struct group_rule *rules, size_t n)
{
	size_t kept = 0;

	if (n > 1)
		qsort(rules, n, sizeof(*rules), rule_compare);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || memcmp(&rules[kept - 1], &rules[i], sizeof(*rules)) != 0)
			rules[kept++] = rules[i];
	return kept;
}

static bool came_before(const struct group_rules *before, size_t i, const struct group_rule *rule)
{
	return memcmp(&before->v[before->places[i]], rule, sizeof(*rule)) == 0;
}

/* How many came in the same order before: at the beginning, and at the end. */
static void find_same(const struct group_rules *rules, const struct group_rules *before, size_t *head,
		      size_t *tail)
{
	size_t both = MIN(rules->n, before->n_came);

	*head = *tail = 0;
	while (*head < both && came_before(before, *head, &rules->v[*head]))
		++*head;
	while (*tail < both - *head &&
	       came_before(before, before->n_came - 1 - *tail, &rules->v[rules->n - 1 - *tail]))
		++*tail;
}

struct merge {
	const struct group_rules *rules, *before;
	size_t head, tail;	/* of the rules: they were there before */
	struct group_rule *new; /* the others, settled */
	size_t n_new;
	uint32_t *now; /* the place of each one that was there before, or GONE */
	struct group_rules *ret;
};

static void find_gone(const struct merge *merge)
{
	const struct group_rules *before = merge->before;

	for (size_t i = 0; i < before->n; i++)
		merge->now[i] = GONE;
	for (size_t i = 0; i < merge->head; i++)
		merge->now[before->places[i]] = 0;
	for (size_t i = before->n_came - merge->tail; i < before->n_came; i++)
		merge->now[before->places[i]] = 0;
}

static void merge_rules(const struct merge *merge)
{
	const struct group_rules *before = merge->before;
	struct group_rules *ret = merge->ret;
	size_t old = 0, new = 0;

	while (old < before->n || new < merge->n_new) {
		int order = -1;

		if (old < before->n && merge->now[old] == GONE) {
			old++;
			continue;
		}
		if (new < merge->n_new)
			order = old < before->n ? rule_compare(&before->v[old], &merge->new[new]) : 1;
		ret->v[ret->n] = order <= 0 ? before->v[old] : merge->new[new];
		if (order <= 0)
			merge->now[old++] = (uint32_t)ret->n;
		new += order >= 0;
		ret->n++;
	}
}

static void note_places(const struct merge *merge)
{
	const struct group_rules *rules = merge->rules, *before = merge->before;
	struct group_rules *ret = merge->ret;

	for (size_t i = 0; i < merge->head; i++)
		ret->places[i] = merge->now[before->places[i]];
	for (size_t i = merge->head; i < rules->n - merge->tail; i++)
		ret->places[i] =
			(uint32_t)LOWER_BOUND(place, ret->n, rule_compare(&ret->v[place], &rules->v[i]) < 0);
	for (size_t i = 1; i <= merge->tail; i++)
		ret->places[rules->n - i] = merge->now[before->places[before->n_came - i]];
	ret->n_came = rules->n;
}

int group_rules_settle_again(struct group_rules *rules, const struct group_rules *before)
{
	struct group_rules settled = {0};
	struct merge merge = {.rules = rules, .before = before, .ret = &settled};

	if (rules->n == 0)
		return 0;
	find_same(rules, before, &merge.head, &merge.tail);
	merge.n_new = rules->n - merge.head - merge.tail;
	/* One more than there may be: no array is of nothing. */
	merge.new = calloc(merge.n_new + 1, sizeof(*merge.new));
	merge.now = calloc(before->n + 1, sizeof(*merge.now));
	settled.v = calloc(rules->n, sizeof(*settled.v));
	settled.places = calloc(rules->n, sizeof(*settled.places));
	if (!merge.new || !merge.now || !settled.v || !settled.places) {
		free(merge.new);
		free(merge.now);
		group_rules_done(&settled);
		return -ENOMEM;
	}
	memcpy(merge.new, rules->v + merge.head, merge.n_new * sizeof(*merge.new));
	merge.n_new = group_rules_settle(merge.new, merge.n_new);
	find_gone(&merge);
	merge_rules(&merge);
	note_places(&merge);
	free(merge.new);
	free(merge.now);
	group_rules_done(rules);
	*rules = settled;
	return 0;
}

void group_rules_done(struct group_rules *rules)
{
	free(rules->v);
	free(rules->places);
	*rules = (struct group_rules){0};
}
