/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Security groups as the data path reads them: for each port and each ENI one sorted list of rules per
 * direction, made of the rules of all its groups. The first rule that matches decides: a lower priority
 * number first, drops before accepts of the same number. A rule that names another group becomes one rule for
 * each address block of its members; neighbouring addresses are joined into blocks, so that a group of some
 * hundred members still fits.
 *
 * Defaults are those of the API: a basic group refuses what comes in, except from its own members, and lets
 * out what goes out; an advanced (enterprise) group refuses both.
 *
 * The groups of a load balancer say who may open flows to its listeners, by the clients' own addresses. These
 * come through endpoints, so their ENIs let in what the load balancer's groups let in, too (plan_narrow.c).
 * Of rules that name groups, and of a group's own members, only those in the client's VPC are meant: the same
 * address in another VPC is somebody else.
 */
#include "plan_build.h"

#include "../lib/vec.h"
#include "../model/policy.h"

#define IMPLICIT_PRIORITY UINT32_MAX /* behind all rules that were written down */

struct ranked_rule {
	uint32_t priority;
	struct pl_rule rule;
};

struct rule_list {
	struct ranked_rule *rules;
	size_t n;
};

static void rule_list_done(struct rule_list *list)
{
	free(list->rules);
}

/* Members of groups. */

static int member_compare(const void *a, const void *b)
{
	const struct plan_member *x = a, *y = b;
	int c = strcmp(x->group, y->group);

	if (!c)
		c = strcmp(x->port->vpc, y->port->vpc);
	if (!c)
		c = netaddr_compare(&x->port->addr, &y->port->addr);
	return c ? c : strcmp(x->port->id, y->port->id);
}

int plan_members(struct plan_builder *b)
{
	for (const struct port *v = NULL; (v = snapshot_next(b->rows, KIND_PORT, "", v));)
		for (uint32_t i = 0; i < v->n_groups && !netaddr_is_zero(&v->addr); i++) {
			struct plan_member *member = plan_append(&b->members, &b->n_members, sizeof(*member));

			if (!member)
				return -ENOMEM;
			member->group = v->groups[i];
			member->port = v;
		}
	if (b->n_members > 1)
		qsort(b->members, b->n_members, sizeof(*b->members), member_compare);
	return 0;
}

static bool is_before(const struct plan_member *member, const char *group, const char *vpc)
{
	int c = strcmp(member->group, group);

	return c < 0 || (c == 0 && strcmp(member->port->vpc, vpc) < 0);
}

/* The first member of the group in that VPC, or where it would stand. */
static size_t first_member(const struct plan_builder *b, const char *group, const char *vpc)
{
	return LOWER_BOUND(i, b->n_members, is_before(&b->members[i], group, vpc));
}

static bool bit_of(const struct netaddr *addr, int bit)
{
	return addr->bytes[bit / 8] & (0x80u >> bit % 8);
}

/* Two blocks of the same length that differ in their last bit only. */
static bool are_halves(const struct netprefix *a, const struct netprefix *b)
{
	struct netaddr other = a->addr;
	int last = a->length - 1;

	if (a->length != b->length || a->length <= 96 || bit_of(&a->addr, last))
		return false;
	other.bytes[last / 8] |= (uint8_t)(0x80u >> last % 8);
	return netaddr_compare(&other, &b->addr) == 0;
}

/* The members' addresses as blocks, the fewest. */
static int member_blocks(const struct plan_builder *b, const char *group, const char *vpc,
			 struct netprefix **ret, size_t *ret_n)
{
	_cleanup_(freep) struct netprefix *blocks = NULL;
	size_t n = 0;

	for (size_t i = first_member(b, group, vpc); i < b->n_members; i++) {
		const struct plan_member *member = &b->members[i];
		struct netprefix *block;

		if (!streq(member->group, group) || !streq(member->port->vpc, vpc))
			break;
		block = plan_append(&blocks, &n, sizeof(*block));
		if (!block)
			return -ENOMEM;
		block->addr = member->port->addr;
		block->length = 128;
		if (n >= 2 && netprefix_contains(&blocks[n - 2], &block->addr)) {
			n--; /* twice the same address */
			continue;
		}
		for (; n >= 2 && are_halves(&blocks[n - 2], &blocks[n - 1]); n--)
			blocks[n - 2].length--;
	}
	*ret = TAKE_PTR(blocks);
	*ret_n = n;
	return 0;
}

/* Rules. */

static int list_add(struct rule_list *list, uint32_t priority, const struct pl_rule *rule,
		    const struct netprefix *peer)
{
	struct ranked_rule *ranked = plan_append(&list->rules, &list->n, sizeof(*ranked));

	if (!ranked)
		return -ENOMEM;
	ranked->priority = priority;
	ranked->rule = *rule;
	ranked->rule.addr = plan_addr(&peer->addr);
	ranked->rule.prefix_length = peer->length;
	return 0;
}

static int list_add_members(const struct plan_builder *b, struct rule_list *list, uint32_t priority,
			    const struct pl_rule *rule, const char *group, const char *vpc)
{
	_cleanup_(freep) struct netprefix *blocks = NULL;
	size_t n;
	int r;

	r = member_blocks(b, group, vpc, &blocks, &n);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = list_add(list, priority, rule, &blocks[i]);
	return r;
}

/* Where all IPv6 hosts are. The block ::/0 would also hold IPv4, which is written ::ffff:a.b.c.d here. */
static int list_add_any_ipv6(struct rule_list *list, uint32_t priority, const struct pl_rule *rule)
{
	static const char *const texts[] = {"2000::/3", "fc00::/7", "fe80::/10"};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct netprefix block;
		int r = netprefix_parse(texts[i], true, &block);

		if (r == 0)
			r = list_add(list, priority, rule, &block);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Protocol and ports. */
static int match_of(const struct sg_rule *row, struct pl_rule *ret)
{
	struct policy_match match;
	int r = policy_match_of(row, &match);

	ret->allow = row->policy == SG_ACCEPT;
	ret->protocol = match.protocol;
	ret->port_first = match.port_first;
	ret->port_last = match.port_last;
	return r;
}

static int list_add_row(struct plan_builder *b, struct rule_list *list, const struct sg_rule *row,
			const char *vpc)
{
	struct netprefix any_v4 = {.addr = netaddr_v4(0), .length = 96};
	struct pl_rule rule = {0};

	if (match_of(row, &rule) < 0) {
		char key[KEY_SIZE];
		int r;

		(void)str_format(key, sizeof(key), "sg_rule/%s/%s", row->group, row->id);
		r = plan_fail(b, key, "protocol %s with ports %d/%d has no meaning", row->protocol,
			      row->port_first, row->port_last);
		if (r < 0 || rule.allow)
			return r;
	}
	if (*row->other_group)
		return list_add_members(b, list, row->priority, &rule, row->other_group, vpc);
	if (netprefix_covers(&row->cidr, &any_v4) && row->cidr.length < 96)
		return list_add_any_ipv6(list, row->priority, &rule);
	return list_add(list, row->priority, &rule, &row->cidr);
}

static int rule_compare(const void *a, const void *b)
{
	const struct ranked_rule *x = a, *y = b;

	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	if (x->rule.allow != y->rule.allow)
		return x->rule.allow ? 1 : -1;
	return memcmp(&x->rule, &y->rule, sizeof(x->rule));
}

/* Sorts and copies out, one of each. -E2BIG: only the first PL_POLICY_RULES_MAX fit. */
static int list_settle(struct rule_list *list, struct pl_rule **ret, uint32_t *ret_n)
{
	uint32_t n = 0;

	if (list->n == 0)
		return 0;
	*ret = calloc(MIN(list->n, (size_t)PL_POLICY_RULES_MAX), sizeof(**ret));
	if (!*ret)
		return -ENOMEM;
	qsort(list->rules, list->n, sizeof(*list->rules), rule_compare);
	for (size_t i = 0; i < list->n; i++) {
		if (n && memcmp(&(*ret)[n - 1], &list->rules[i].rule, sizeof(**ret)) == 0)
			continue;
		if (n == PL_POLICY_RULES_MAX) {
			*ret_n = n;
			return -E2BIG;
		}
		(*ret)[n++] = list->rules[i].rule;
	}
	*ret_n = n;
	return 0;
}

static int add_group(struct plan_builder *b, const struct security_group *group, const char *vpc,
		     struct rule_list *in, struct rule_list *out)
{
	static const struct pl_rule inner = {.allow = 1, .port_last = UINT16_MAX};

	for (const struct sg_rule *v = NULL;
	     (v = snapshot_children(b->rows, REF_SG_RULE_GROUP, group->id, v));) {
		int r = list_add_row(b, v->direction == SG_INGRESS ? in : out, v, vpc);

		if (r < 0)
			return r;
	}
	if (group->type != SG_NORMAL || !group->inner_accept)
		return 0;
	return list_add_members(b, in, IMPLICIT_PRIORITY, &inner, group->id, vpc);
}

/* What does not fit is refused: the default of a list that was cut is no longer "allow". */
static int settle_direction(struct plan_builder *b, struct rule_list *list, struct pl_rule **ret,
			    uint32_t *ret_n, uint8_t *ret_default, const char *direction,
			    const char *failure_key)
{
	int r = list_settle(list, ret, ret_n);

	if (r != -E2BIG)
		return r;
	*ret_default = 0;
	return plan_fail(b, failure_key, "its security groups make more than %u %s rules",
			 PL_POLICY_RULES_MAX, direction);
}

/* The rules of all groups; whether they let out by default what they do not speak of. */
static int add_groups(struct plan_builder *b, const char (*groups)[ID_SIZE], uint32_t n_groups,
		      const char *vpc, const char *failure_key, struct rule_list *in, struct rule_list *out,
		      bool *lets_out)
{
	*lets_out = n_groups > 0;
	for (uint32_t i = 0; i < n_groups; i++) {
		const struct security_group *group = snapshot_security_group(b->rows, groups[i]);
		int r;

		if (!group) {
			*lets_out = false;
			r = plan_fail(b, failure_key, "the security group %s is missing", groups[i]);
		} else {
			*lets_out &= group->type == SG_NORMAL;
			r = add_group(b, group, vpc, in, out);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

int plan_add_policy(struct plan_builder *b, uint32_t slot, const struct port *port, const char *failure_key)
{
	_cleanup_(rule_list_done) struct rule_list in = {0};
	_cleanup_(rule_list_done) struct rule_list out = {0};
	struct plan_policy *policy = plan_append(&b->plan->policies, &b->plan->n_policies, sizeof(*policy));
	bool lets_out;
	int r;

	if (!policy)
		return -ENOMEM;
	policy->slot = slot;
	r = add_groups(b, port->groups, port->n_groups, port->vpc, failure_key, &in, &out, &lets_out);
	if (r < 0)
		return r;
	policy->out_default = lets_out;
	r = settle_direction(b, &in, &policy->in, &policy->n_in, &policy->in_default, "inbound", failure_key);
	if (r < 0)
		return r;
	return settle_direction(b, &out, &policy->out, &policy->n_out, &policy->out_default, "outbound",
				failure_key);
}

int plan_narrow_policy(struct plan_builder *b, const struct load_balancer *lb, const char *vpc)
{
	struct plan_policy *policy = &b->plan->policies[b->plan->n_policies - 1];
	_cleanup_(rule_list_done) struct rule_list in = {0};
	_cleanup_(rule_list_done) struct rule_list out = {0};
	_cleanup_(freep) struct pl_rule *rules = NULL;
	uint8_t in_default = 0;
	uint32_t n_rules = 0;
	char key[KEY_SIZE];
	bool lets_out;
	int r;

	(void)str_format(key, sizeof(key), "load_balancer/%s", lb->id);
	r = add_groups(b, lb->groups, lb->n_groups, vpc, key, &in, &out, &lets_out);
	if (r == 0)
		r = settle_direction(b, &in, &rules, &n_rules, &in_default, "inbound", key);
	if (r == 0)
		r = plan_narrow(&policy->in, &policy->n_in, rules, n_rules);
	if (r == -E2BIG)
		r = plan_fail(
			b, key,
			"its security groups and an endpoint's make more than %u inbound rules together",
			PL_POLICY_RULES_MAX);
	return r;
}
