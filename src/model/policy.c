/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See policy.h. Who judges looks at each rule once and keeps the first one that decides: there is no list to
 * sort, and nothing to allocate.
 */
#include "policy.h"

#include <netinet/in.h>
#include <strings.h>

static const struct protocol {
	const char *name;
	uint8_t number;
	bool has_ports;
} protocols[] = {
	{"ALL", POLICY_PROTOCOL_ALL, false}, {"TCP", IPPROTO_TCP, true},	{"UDP", IPPROTO_UDP, true},
	{"ICMP", IPPROTO_ICMP, false},	     {"ICMPv6", IPPROTO_ICMPV6, false}, {"GRE", IPPROTO_GRE, false},
};

static const struct protocol *find_protocol(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
		if (strcasecmp(protocols[i].name, name) == 0)
			return &protocols[i];
	return NULL;
}

int policy_protocol(const char *name)
{
	const struct protocol *protocol = find_protocol(name);

	return protocol ? protocol->number : -ENOENT;
}

int policy_match_of(const struct sg_rule *rule, struct policy_match *ret)
{
	const struct protocol *protocol = find_protocol(rule->protocol);

	*ret = (struct policy_match){.port_last = UINT16_MAX};
	if (!protocol)
		return -EINVAL;
	ret->protocol = protocol->number;
	if (!protocol->has_ports || (rule->port_first == -1 && rule->port_last == -1))
		return 0;
	if (rule->port_first < 0 || rule->port_first > rule->port_last || rule->port_last > UINT16_MAX)
		return -EINVAL;
	ret->port_first = (uint16_t)rule->port_first;
	ret->port_last = (uint16_t)rule->port_last;
	return 0;
}

/* ---- one packet ---- */

/* How much of what is asked about a rule matches. */
enum extent { NOTHING, SOME, ALL };

static enum extent least(enum extent a, enum extent b)
{
	return a < b ? a : b;
}

static enum extent in_group(const struct policy_peer *peer, const char *group)
{
	if (peer->is_anyone)
		return SOME;
	for (uint32_t i = 0; i < peer->n_groups; i++)
		if (streq(peer->groups[i], group))
			return ALL;
	return NOTHING;
}

/* The block of all IPv6 hosts would also hold IPv4, which is written ::ffff:a.b.c.d here. */
static enum extent in_block(const struct policy_peer *peer, const struct netprefix *block)
{
	const struct netprefix any_v4 = {.addr = netaddr_v4(0), .length = 96};

	if (block->length < any_v4.length && netprefix_covers(block, &any_v4))
		return NOTHING;
	if (netprefix_covers(block, &peer->where))
		return ALL;
	return netprefix_overlaps(block, &peer->where) ? SOME : NOTHING;
}

/* Ports of ICMP and its like have no meaning; a rule's then span all. */
static enum extent matches_service(const struct policy_match *match, const struct policy_question *question)
{
	if (match->protocol != POLICY_PROTOCOL_ALL && match->protocol != question->protocol)
		return NOTHING;
	if (question->is_port_unknown)
		return match->port_first == 0 && match->port_last == UINT16_MAX ? ALL : SOME;
	return question->port >= match->port_first && question->port <= match->port_last ? ALL : NOTHING;
}

static enum extent matches(const struct sg_rule *rule, const struct policy_question *question)
{
	struct policy_match match;
	enum extent service, end;

	if (rule->direction != question->direction)
		return NOTHING;
	if (policy_match_of(rule, &match) < 0 && rule->policy == SG_ACCEPT)
		return NOTHING;
	service = matches_service(&match, question);
	if (service == NOTHING)
		return NOTHING;
	end = *rule->other_group ? in_group(&question->peer, rule->other_group)
				 : in_block(&question->peer, &rule->cidr);
	return least(service, end);
}

/* Whether one rule comes before another one. */
static bool is_before(const struct sg_rule *rule, const struct sg_rule *than)
{
	if (!than || rule->priority != than->priority)
		return !than || rule->priority < than->priority;
	return rule->policy == SG_DROP && than->policy != SG_DROP;
}

/* The first rules that match: for all that is asked about, and for some of it. */
struct search {
	const struct sg_rule *for_all, *accepts_some, *drops_some;
	const struct security_group *of_all, *of_accepts_some, *of_drops_some;
	const struct security_group *inner, *inner_some; /* the groups that both ends are in */
	uint32_t n_rules;
};

static void keep_first(const struct sg_rule *rule, const struct security_group *group,
		       const struct sg_rule **first, const struct security_group **of)
{
	if (!is_before(rule, *first))
		return;
	*first = rule;
	*of = group;
}

static void take_rule(struct search *search, const struct security_group *group, const struct sg_rule *rule,
		      enum extent extent)
{
	if (extent == ALL)
		keep_first(rule, group, &search->for_all, &search->of_all);
	else if (rule->policy == SG_ACCEPT)
		keep_first(rule, group, &search->accepts_some, &search->of_accepts_some);
	else
		keep_first(rule, group, &search->drops_some, &search->of_drops_some);
}

static int look_at_group(const struct snapshot *rows, const struct security_group *group,
			 const struct policy_question *question, struct search *search)
{
	enum extent member;

	for (const struct sg_rule *r = NULL;
	     (r = snapshot_children(rows, REF_SG_RULE_GROUP, group->id, r));) {
		enum extent extent = matches(r, question);

		if (search->n_rules++ >= POLICY_RULES_MAX)
			return -E2BIG;
		if (extent != NOTHING)
			take_rule(search, group, r, extent);
	}
	if (question->direction != SG_INGRESS || group->type != SG_NORMAL || !group->inner_accept)
		return 0;
	member = in_group(&question->peer, group->id);
	if (member == ALL && !search->inner)
		search->inner = group;
	if (member == SOME && !search->inner_some)
		search->inner_some = group;
	return 0;
}

/* What decides for whoever is not spoken of in particular. */
static void decide_rest(const struct search *search, const struct policy_verdict *otherwise,
			struct policy_verdict *ret)
{
	*ret = *otherwise;
	if (search->for_all) {
		ret->reason = POLICY_RULE;
		ret->rule = search->for_all;
		ret->group = search->of_all;
		ret->allow = search->for_all->policy == SG_ACCEPT;
	} else if (search->inner) {
		ret->reason = POLICY_INNER;
		ret->group = search->inner;
		ret->allow = true;
	}
}

/* Some are let in though the rest is not, or kept out though the rest comes in. */
static void decide_some(const struct search *search, struct policy_verdict *ret)
{
	const struct sg_rule *rest = ret->reason == POLICY_RULE ? ret->rule : NULL;

	if (ret->allow) {
		ret->depends = search->drops_some && (!rest || is_before(search->drops_some, rest));
		return;
	}
	if (search->accepts_some && (!rest || is_before(search->accepts_some, rest))) {
		ret->depends = ret->allow = true;
		ret->reason = POLICY_RULE;
		ret->rule = search->accepts_some;
		ret->group = search->of_accepts_some;
	} else if (search->inner_some && !rest) {
		ret->depends = ret->allow = true;
		ret->reason = POLICY_INNER;
		ret->group = search->inner_some;
	}
}

int policy_judge(const struct snapshot *rows, const char (*groups)[ID_SIZE], uint32_t n_groups,
		 const struct policy_question *question, struct policy_verdict *ret)
{
	struct policy_verdict otherwise = {.reason = n_groups ? POLICY_DEFAULT : POLICY_NO_GROUP};
	const struct security_group *refuses = NULL, *first = NULL;
	struct search search = {0};
	bool is_gone = false;

	for (uint32_t i = 0; i < n_groups; i++) {
		const struct security_group *group = snapshot_security_group(rows, groups[i]);
		int r;

		if (!group) {
			is_gone = true;
			continue;
		}
		first = first ?: group;
		if (group->type != SG_NORMAL)
			refuses = refuses ?: group;
		r = look_at_group(rows, group, question, &search);
		if (r < 0)
			return r;
	}
	otherwise.group = question->direction == SG_EGRESS && refuses ? refuses : first;
	otherwise.allow = question->direction == SG_EGRESS && n_groups && !is_gone && !refuses;
	if (is_gone && !otherwise.allow && !refuses)
		otherwise.reason = POLICY_GROUP_GONE;
	decide_rest(&search, &otherwise, ret);
	decide_some(&search, ret);
	ret->n_rules = search.n_rules;
	return 0;
}
