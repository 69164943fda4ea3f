/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Security groups as the data path reads them: what each port and each ENI is in, and the rules of each group
 * that is somebody's here. Nothing is flattened: a rule that names another group names it by its number, and
 * who is a member of that says so itself, by its own set. Ranks carry the order: a lower priority number
 * first, drops before accepts of the same number, then members of a normal group among each other, then the
 * default.
 *
 * Defaults are those of the API: a basic group refuses what comes in, except from its own members, and lets
 * out what goes out; an advanced (enterprise) group refuses both.
 *
 * The groups of a load balancer say who may open flows to its listeners, by the clients' own addresses. These
 * come through endpoints, so an ENI has a second set, and lets in only what both let in. A client knows
 * itself by the set of its own port, so that the same address in another VPC is somebody else.
 *
 * The data path takes no IPv6: rules about its addresses match nothing, and are left out.
 */
#include "plan_build.h"

#include "../lib/vec.h"
#include "../model/policy.h"

/* Numbers and sets. */

/* The group's number; it joins the plan when it is met for the first time. 0: this node has none left. */
static int number_of(struct plan_builder *b, const char *id, uint32_t *ret)
{
	struct plan_security_group *group;
	int r = plan_indexes_security_group(b->indexes, id, ret);

	if (r == -ENOSPC) {
		b->plan->slices->is_odd = true;
		*ret = 0;
		return 0;
	}
	if (r != 0)
		return r < 0 ? r : 0;
	group = plan_append(&b->plan->security_groups, &b->plan->n_security_groups, sizeof(*group));
	if (!group)
		return -ENOMEM;
	group->number = *ret;
	return str_copy(group->id, sizeof(group->id), id) < 0 ? -EINVAL : 0;
}

/* In order, and each once. */
static void set_add(struct pl_set *set, uint32_t number)
{
	uint32_t i = set->count;

	for (uint32_t j = 0; j < set->count; j++)
		if (set->group[j] == number)
			return;
	for (; i > 0 && set->group[i - 1] > number; i--)
		set->group[i] = set->group[i - 1];
	set->group[i] = number;
	set->member |= pl_group_bit(number);
	set->count++;
}

int plan_make_set(struct plan_builder *b, const char (*groups)[ID_SIZE], uint32_t n_groups,
		  const char *failure_key, struct pl_set *ret)
{
	static const struct pl_set refuses = {.silent = {PL_RANK_REFUSE, PL_RANK_REFUSE}};
	bool lets_out = n_groups > 0;

	*ret = refuses;
	for (uint32_t i = 0; i < n_groups; i++) {
		const struct security_group *group = snapshot_security_group(b->rows, groups[i]);
		uint32_t number;
		int r = number_of(b, groups[i], &number);

		if (r < 0)
			return r;
		if (!number) {
			*ret = refuses;
			return plan_fail(b, failure_key,
					 "this node has no number left for its security group %s", groups[i]);
		}
		set_add(ret, number);
		lets_out &= group && group->type == SG_NORMAL;
		r = group ? 0 : plan_fail(b, failure_key, "the security group %s is missing", groups[i]);
		if (r < 0)
			return r;
	}
	if (lets_out)
		ret->silent[PL_DIRECTION_OUT] = PL_RANK_ALLOW;
	return 0;
}

int plan_make_balancer_set(struct plan_builder *b, const struct load_balancer *lb, struct pl_set *ret)
{
	char key[KEY_SIZE];

	if (!lb->n_groups)
		return 0;
	(void)str_format(key, sizeof(key), "load_balancer/%s", lb->id);
	return plan_make_set(b, lb->groups, lb->n_groups, key, ret);
}

/* Rules. */

static const char *key_of(const struct sg_rule *row, char ret[KEY_SIZE])
{
	(void)str_format(ret, KEY_SIZE, "sg_rule/%s/%s", row->group, row->id);
	return ret;
}

/* The other side. 1: nobody that there is here; 0: it is in the rule. */
static int set_other_side(struct plan_builder *b, const struct sg_rule *row, struct group_rule *rule)
{
	uint32_t length = row->cidr.length;
	char key[KEY_SIZE];
	int r;

	if (!*row->other_group) {
		if (!netaddr_is_v4(&row->cidr.addr) || length < 96)
			return 1;
		group_rule_set_prefix(rule, netaddr_to_v4(&row->cidr.addr), length - 96);
		return 0;
	}
	r = number_of(b, row->other_group, &rule->group);
	if (r < 0 || rule->group)
		return r;
	r = plan_fail(b, key_of(row, key), "this node has no number left for the security group %s",
		      row->other_group);
	/* What refuses then refuses all. */
	group_rule_set_prefix(rule, 0, 0);
	return r < 0 ? r : row->policy == SG_ACCEPT;
}

static int add_row(struct plan_builder *b, struct plan_security_group *group, const struct sg_rule *row)
{
	int direction = row->direction == SG_INGRESS ? PL_DIRECTION_IN : PL_DIRECTION_OUT, r;
	uint32_t priority = MIN(MAX(row->priority, 1u), (uint32_t)POLICY_PRIORITY_MAX);
	struct group_rule rule = {.rank = PL_RANK(priority, row->policy == SG_ACCEPT)}, *added;
	struct policy_match match;
	char key[KEY_SIZE];
	size_t n = group->n_rules[direction];

	if (policy_match_of(row, &match) < 0) {
		r = plan_fail(b, key_of(row, key), "protocol %s with ports %d/%d has no meaning",
			      row->protocol, row->port_first, row->port_last);
		if (r < 0 || row->policy == SG_ACCEPT)
			return r;
	}
	r = set_other_side(b, row, &rule);
	if (r != 0)
		return r < 0 ? r : 0;
	group_rule_set_service(&rule, match.protocol, match.port_first, match.port_last);
	added = plan_append(&group->rules[direction], &n, sizeof(rule));
	if (!added)
		return -ENOMEM;
	*added = rule;
	group->n_rules[direction] = n;
	return 0;
}

/* Members of a basic group reach each other, if they may. */
static int add_inner(struct plan_security_group *group)
{
	struct group_rule *rule =
		plan_append(&group->rules[PL_DIRECTION_IN], &group->n_rules[PL_DIRECTION_IN], sizeof(*rule));

	if (!rule)
		return -ENOMEM;
	rule->group = group->number;
	rule->rank = PL_RANK_INNER;
	group_rule_set_service(rule, POLICY_PROTOCOL_ALL, 0, UINT16_MAX);
	return 0;
}

static struct group_rules rules_of(const struct plan_security_group *group, int direction)
{
	return (struct group_rules){group->rules[direction], group->n_rules[direction],
				    group->places[direction], group->n_came[direction]};
}

static void take_rules(struct plan_security_group *group, int direction, const struct group_rules *rules)
{
	group->rules[direction] = rules->v;
	group->n_rules[direction] = rules->n;
	group->places[direction] = rules->places;
	group->n_came[direction] = rules->n_came;
}

/* A group whose rules are too many refuses all of that direction. */
static int settle_rules(struct plan_builder *b, struct plan_security_group *group,
			const struct plan_security_group *before, int direction)
{
	struct group_rules rules = rules_of(group, direction),
			   old = before ? rules_of(before, direction) : (struct group_rules){};
	char key[KEY_SIZE];
	int r = group_rules_settle_again(&rules, &old);

	take_rules(group, direction, &rules);
	if (r < 0 || rules.n <= PL_LIST_RULES_MAX)
		return r;
	rules.v[0] = (struct group_rule){.rank = PL_RANK_FIRST};
	group_rule_set_service(&rules.v[0], POLICY_PROTOCOL_ALL, 0, UINT16_MAX);
	group_rule_set_prefix(&rules.v[0], 0, 0);
	rules.n = 1;
	rules.n_came = 0; /* that rule is no row's */
	take_rules(group, direction, &rules);
	(void)str_format(key, sizeof(key), "security_group/%s", group->id);
	return plan_fail(b, key, "it has more than %u %s rules, and refuses all", PL_LIST_RULES_MAX,
			 direction == PL_DIRECTION_IN ? "inbound" : "outbound");
}

int plan_group_rules(struct plan_builder *b, struct plan_security_group *group,
		     const struct plan_security_group *before)
{
	const struct security_group *row = snapshot_security_group(b->rows, group->id);
	int r = 0;

	if (!row)
		return 0;
	for (const struct sg_rule *v = NULL;
	     r == 0 && (v = snapshot_children(b->rows, REF_SG_RULE_GROUP, row->id, v));)
		r = add_row(b, group, v);
	if (r == 0 && row->type == SG_NORMAL && row->inner_accept)
		r = add_inner(group);
	if (r == 0)
		r = settle_rules(b, group, before, PL_DIRECTION_IN);
	return r < 0 ? r : settle_rules(b, group, before, PL_DIRECTION_OUT);
}

void plan_group_rules_done(struct plan_security_group *group)
{
	for (int d = 0; d < 2; d++) {
		struct group_rules rules = rules_of(group, d);

		group_rules_done(&rules);
		take_rules(group, d, &rules);
	}
}

void plan_count_named(struct plan_slices *slices, const struct plan_security_group *group, int by)
{
	for (int d = 0; d < 2; d++)
		for (size_t i = 0; i < group->n_rules[d]; i++)
			if (group->rules[d][i].group)
				slices->named[group->rules[d][i].group] += (uint32_t)by;
}

static void count_members(const struct plan_builder *b)
{
	const struct plan *plan = b->plan;

	for (size_t i = 0; i < plan->n_ports; i++)
		plan_count_set(plan->slices, &plan->ports[i].set, 1);
	for (size_t i = 0; i < plan->n_enis; i++) {
		plan_count_set(plan->slices, &plan->enis[i].set, 1);
		plan_count_set(plan->slices, &plan->enis[i].balancer_set, 1);
	}
}

/* Those of what could not be planned, which nobody else is in. */
static void drop_unused(const struct plan_builder *b)
{
	struct plan *plan = b->plan;
	size_t kept = 0;

	for (size_t i = 0; i < plan->n_security_groups; i++) {
		uint32_t number = plan->security_groups[i].number;

		if (plan->slices->groups[number] || plan->slices->named[number])
			plan->security_groups[kept++] = plan->security_groups[i];
	}
	plan->n_security_groups = kept;
}

int plan_security_groups(struct plan_builder *b)
{
	/* The rules name others, which join the end of the array, have a number and need no rules. */
	size_t n = b->plan->n_security_groups;

	count_members(b);
	for (size_t i = 0; i < n; i++) {
		/* The array may move meanwhile. */
		struct plan_security_group group = b->plan->security_groups[i];
		int r = 0;

		group.has_members = b->plan->slices->groups[group.number] > 0;
		if (group.has_members)
			r = plan_group_rules(b, &group, NULL);
		b->plan->security_groups[i] = group;
		if (r < 0)
			return r;
		plan_count_named(b->plan->slices, &group, 1);
		plan_breathe(b);
	}
	drop_unused(b);
	return 0;
}
