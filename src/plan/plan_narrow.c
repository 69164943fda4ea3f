/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two lists of rules made one: what an endpoint's groups let in, and of that what the load balancer's let in,
 * too. The data path asks one list, so each rule of the first that accepts becomes the rules of the second,
 * cut down to what both match. A rule of the second that is met first decides, whichever rule of the first
 * led there; so the first match of the whole is right, and what nothing accepts is refused as before.
 *
 * Echo is answered by the endpoint's ENI itself and never reaches the load balancer: the first list alone
 * decides about it.
 */
#include "plan_build.h"

#include <netinet/in.h>

static bool covers(const struct pl_rule *outer, const struct pl_rule *inner)
{
	struct netprefix x = {.length = outer->prefix_length}, y = {.length = inner->prefix_length};

	memcpy(&x.addr, &outer->addr, sizeof(x.addr));
	memcpy(&y.addr, &inner->addr, sizeof(y.addr));
	return netprefix_covers(&x, &y);
}

/* What both rules match, with the verdict of the second; false: nothing. */
static bool meet(const struct pl_rule *first, const struct pl_rule *second, struct pl_rule *ret)
{
	bool inner;

	/* What rules out most of many pairs, and costs least, comes first. */
	if (first->protocol && second->protocol && first->protocol != second->protocol)
		return false;
	if (first->port_first > second->port_last || second->port_first > first->port_last)
		return false;
	inner = covers(first, second);
	if (!inner && !covers(second, first))
		return false;
	*ret = inner ? *second : *first;
	ret->protocol = first->protocol ? first->protocol : second->protocol;
	ret->port_first = MAX(first->port_first, second->port_first);
	ret->port_last = MIN(first->port_last, second->port_last);
	ret->allow = second->allow;
	return true;
}

struct list {
	struct pl_rule *rules;
	uint32_t n;
};

static int add(struct list *list, const struct pl_rule *rule)
{
	if (list->n == PL_POLICY_RULES_MAX)
		return -E2BIG;
	list->rules[list->n++] = *rule;
	return 0;
}

/* The part of a rule that accepts which is about echo. */
static int add_echo(struct list *list, const struct pl_rule *rule)
{
	struct pl_rule echo = *rule;

	if (rule->protocol && rule->protocol != IPPROTO_ICMP)
		return 0;
	echo.protocol = IPPROTO_ICMP;
	return add(list, &echo);
}

static int add_narrowed(struct list *list, const struct pl_rule *rule, const struct pl_rule *by, uint32_t n)
{
	int r = add_echo(list, rule);

	for (uint32_t i = 0; r == 0 && i < n; i++) {
		struct pl_rule both;

		if (meet(rule, &by[i], &both) && both.protocol != IPPROTO_ICMP)
			r = add(list, &both);
	}
	return r;
}

int plan_narrow(struct pl_rule **rules, uint32_t *n, const struct pl_rule *by, uint32_t n_by)
{
	struct list list = {.rules = calloc(PL_POLICY_RULES_MAX, sizeof(*list.rules))};
	int r = 0;

	if (!list.rules)
		return -ENOMEM;
	for (uint32_t i = 0; r == 0 && i < *n; i++)
		r = (*rules)[i].allow ? add_narrowed(&list, &(*rules)[i], by, n_by)
				      : add(&list, &(*rules)[i]);
	free(*rules);
	*rules = realloc(list.rules, MAX(list.n, 1u) * sizeof(*list.rules)) ?: list.rules;
	*n = list.n;
	return r;
}
