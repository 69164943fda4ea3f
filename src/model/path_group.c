/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What security groups say of a path, and the rule that would let it through: for the one address and port
 * that is asked about, just before the rule that refuses. A drop of priority 1 has nothing before it, so that
 * one goes.
 */
#include "path_build.h"

#include <stdio.h>

#include "policy.h"
#include "state.h"

/* What is asked of groups, and how the hop of it is called. */
struct asked {
	enum path_kind kind;
	const char *zone;
	const char (*groups)[ID_SIZE];
	uint32_t n_groups;
	struct policy_question question;
	char block[NETPREFIX_TEXT_SIZE], far_end[NETPREFIX_TEXT_SIZE]; /* of the far end; in words */
};

/* The codes of a kind of hop, by what was found. */
struct codes {
	enum path_code by_rule, by_default, inside, refused_by_rule, refused_by_default, depends;
};

static const struct codes *codes_of(enum path_kind kind)
{
	static const struct codes out = {PATH_OutAllowedByRule,	   PATH_OutAllowedByDefault,
					 PATH_OutAllowedByRule,	   PATH_OutRefusedByRule,
					 PATH_OutRefusedByDefault, PATH_OutDepends},
				  in = {PATH_InAllowedByRule, PATH_InAllowedByRule,    PATH_InAllowedInside,
					PATH_InRefusedByRule, PATH_InRefusedByDefault, PATH_InDepends},
				  behind = {PATH_BalancerGroupAllows,  PATH_BalancerGroupAllows,
					    PATH_BalancerGroupAllows,  PATH_BalancerGroupRefuses,
					    PATH_BalancerGroupRefuses, PATH_BalancerGroupDepends};

	return kind == PATH_KIND_GroupOut ? &out : kind == PATH_KIND_GroupIn ? &in : &behind;
}

static enum path_code code_of(const struct asked *asked, const struct policy_verdict *verdict)
{
	const struct codes *codes = codes_of(asked->kind);

	if (verdict->reason == POLICY_GROUP_GONE || verdict->reason == POLICY_NO_GROUP)
		return PATH_GroupMissing;
	if (verdict->depends)
		return asked->question.is_port_unknown ? PATH_PortUnknown : codes->depends;
	if (verdict->reason == POLICY_RULE)
		return verdict->allow ? codes->by_rule : codes->refused_by_rule;
	if (verdict->reason == POLICY_INNER)
		return codes->inside;
	return verdict->allow ? codes->by_default : codes->refused_by_default;
}

/* ---- words ---- */

/* "sg-…, sg-…" */
static void groups_words(const struct asked *asked, char *ret, size_t size)
{
	*ret = '\0';
	for (uint32_t i = 0; i < asked->n_groups; i++)
		path_append(ret, size, "%s%s", i ? ", " : "", asked->groups[i]);
}

/* "sgr-… of sg-… (priority 1, Drop, TCP 443/443, 10.0.0.0/16)" */
static void rule_words(const struct sg_rule *rule, char *ret, size_t size)
{
	char peer[NETPREFIX_TEXT_SIZE] = "";

	if (!*rule->other_group)
		netprefix_format(&rule->cidr, peer);
	(void)snprintf(ret, size, "%s of %s (priority %u, %s, %s %d/%d, %s %s)", rule->id, rule->group,
		       rule->priority, enum_name(sg_policy_names, rule->policy), rule->protocol,
		       rule->port_first, rule->port_last, rule->direction == SG_INGRESS ? "from" : "to",
		       *rule->other_group ? rule->other_group : peer);
}

/* What decides, in a sentence. */
static void reason_words(const struct asked *asked, const struct policy_verdict *verdict, char *ret,
			 size_t size)
{
	char rule[256], groups[SECURITY_GROUPS_MAX * ID_SIZE];

	groups_words(asked, groups, sizeof(groups));
	switch (verdict->reason) {
	case POLICY_RULE:
		rule_words(verdict->rule, rule, sizeof(rule));
		(void)snprintf(ret, size, "by the rule %s", rule);
		break;
	case POLICY_INNER:
		(void)snprintf(ret, size,
			       "by the implicit rule of %s (behind all priorities): its members reach each "
			       "other, InnerAccessPolicy is Accept",
			       verdict->group->id);
		break;
	case POLICY_DEFAULT:
		(void)snprintf(ret, size,
			       "by the implicit rule (behind all priorities): no rule of %s speaks of it",
			       groups);
		break;
	default:
		(void)snprintf(ret, size, "since a group is missing: %s", *groups ? groups : "there is none");
		break;
	}
}

/* ---- the rule that mends it ---- */

static void fix_by_revoking(struct path_builder *b, const struct sg_rule *rule, const char *region)
{
	bool is_in = rule->direction == SG_INGRESS;

	path_fix(b, "ecs", is_in ? "RevokeSecurityGroup" : "RevokeSecurityGroupEgress", region,
		 "Remove the rule %s of %s, which refuses it at the first priority.", rule->id, rule->group);
	path_fix_parameter(b, "SecurityGroupId", "%s", rule->group);
	path_fix_parameter(b, "SecurityGroupRuleId.1", "%s", rule->id);
}

static void fix_by_authorizing(struct path_builder *b, const struct asked *asked,
			       const struct security_group *group, uint32_t priority)
{
	bool is_in = asked->question.direction == SG_INGRESS, has_port = asked->question.port != 0;
	char words[64];

	path_service_words(b, words, sizeof(words));
	path_fix(b, "ecs", is_in ? "AuthorizeSecurityGroup" : "AuthorizeSecurityGroupEgress", group->region,
		 "Let %s %s %s by a rule of %s.", words, is_in ? "in from" : "out to", asked->far_end,
		 group->id);
	path_fix_parameter(b, "SecurityGroupId", "%s", group->id);
	path_fix_parameter(b, "Permissions.1.IpProtocol", "%s", b->path->protocol);
	if (has_port)
		path_fix_parameter(b, "Permissions.1.PortRange", "%u/%u", asked->question.port,
				   asked->question.port);
	else
		path_fix_parameter(b, "Permissions.1.PortRange", "-1/-1");
	path_fix_parameter(b, is_in ? "Permissions.1.SourceCidrIp" : "Permissions.1.DestCidrIp", "%s",
			   asked->block);
	path_fix_parameter(b, "Permissions.1.Policy", "accept");
	path_fix_parameter(b, "Permissions.1.Priority", "%u", priority);
}

static void fix_refusal(struct path_builder *b, const struct asked *asked,
			const struct policy_verdict *verdict)
{
	if (!verdict->group || verdict->reason == POLICY_GROUP_GONE)
		return;
	if (verdict->reason == POLICY_RULE && verdict->rule->priority <= 1)
		fix_by_revoking(b, verdict->rule, verdict->group->region);
	else
		fix_by_authorizing(b, asked, verdict->group,
				   verdict->reason == POLICY_RULE ? verdict->rule->priority - 1 : 1);
}

/* ---- hops ---- */

static int protocol_number(const char *name)
{
	int number = policy_protocol(name);

	return number < 0 ? 0 : number;
}

static void ask(const struct path_builder *b, enum sg_direction direction, struct asked *asked)
{
	bool has_ports = !streq(b->path->protocol, "ICMP");

	asked->question.direction = direction;
	asked->question.protocol = (uint8_t)protocol_number(b->path->protocol);
	asked->question.port = (uint16_t)(has_ports ? b->path->port : 0);
	asked->question.is_port_unknown = has_ports && !b->path->port;
	netprefix_format(&asked->question.peer.where, asked->block);
	if (asked->question.peer.where.length == 128)
		netaddr_format(&asked->question.peer.where.addr, asked->far_end);
	else
		(void)str_copy(asked->far_end, sizeof(asked->far_end), asked->block);
}

/* What a hop says of the two ends. */
static void way_words(const struct asked *asked, const char *service, char *ret, size_t size)
{
	bool is_in = asked->question.direction == SG_INGRESS;

	(void)snprintf(ret, size, "%s %s %s", service, is_in ? "from" : "to", asked->far_end);
}

static void note_rule(struct path_hop *hop, const struct policy_verdict *verdict)
{
	bool is_rule = verdict->reason == POLICY_RULE;

	(void)str_copy(hop->rule, sizeof(hop->rule), is_rule ? verdict->rule->id : "implicit");
	hop->priority = is_rule ? verdict->rule->priority : 0;
}

static void add_hop(struct path_builder *b, const struct asked *asked, const struct policy_verdict *verdict)
{
	enum path_code code = code_of(asked, verdict);
	const char *id = verdict->group ? verdict->group->id : asked->n_groups ? asked->groups[0] : "";
	char reason[PATH_WORDS_SIZE - 128], way[96], service[32];
	struct path_hop *hop;

	path_service_words(b, service, sizeof(service));
	way_words(asked, service, way, sizeof(way));
	reason_words(asked, verdict, reason, sizeof(reason));
	hop = path_add(b, asked->kind, asked->zone, code, id, "%s is %s%s %s.", way,
		       verdict->depends ? "in part " : "", verdict->allow ? "let through" : "refused",
		       reason);
	note_rule(hop, verdict);
	if (!verdict->allow)
		fix_refusal(b, asked, verdict);
}

static void judge(struct path_builder *b, const struct asked *asked)
{
	struct policy_verdict verdict;

	if (b->n_rules < PATH_RULES_MAX &&
	    policy_judge(b->rows, asked->groups, asked->n_groups, &asked->question, &verdict) == 0) {
		b->n_rules += verdict.n_rules;
		add_hop(b, asked, &verdict);
		return;
	}
	b->n_rules = PATH_RULES_MAX;
	(void)path_add(b, asked->kind, asked->zone, PATH_TooManyRules,
		       asked->n_groups ? asked->groups[0] : "",
		       "The groups have more rules than one answer looks at.");
}

/* The ENI to which names lead; NULL: there is none yet. */
static const struct port *eni_of(const struct path_builder *b, const struct endpoint_zone *zone)
{
	return snapshot_port(b->rows, endpoint_zone_shows_replaced(zone) ? zone->replaced_port : zone->port);
}

/* The endpoint's groups, as its ENI has them. */
static const char (*eni_groups(const struct path_builder *b, const struct endpoint_zone *zone,
			       uint32_t *ret_n))[ID_SIZE]
{
	const struct port *eni = eni_of(b, zone);
	const struct endpoint *endpoint = b->question->endpoint;

	*ret_n = eni ? eni->n_groups : endpoint->n_groups;
	return eni ? eni->groups : endpoint->groups;
}

void path_group_out(struct path_builder *b, const struct path_zone *zone)
{
	struct asked asked = {.kind = PATH_KIND_GroupOut, .zone = zone->row->zone};

	if (!b->port)
		return;
	asked.groups = b->port->groups;
	asked.n_groups = b->port->n_groups;
	asked.question.peer.where = zone->where;
	asked.question.peer.groups = eni_groups(b, zone->row, &asked.question.peer.n_groups);
	ask(b, SG_EGRESS, &asked);
	judge(b, &asked);
}

/* The one who comes: the instance, or anyone of the VPC. */
static struct policy_peer client(const struct path_builder *b)
{
	const struct vpc *vpc = snapshot_vpc(b->rows, b->question->endpoint->vpc);
	struct policy_peer peer = {.is_anyone = true};

	if (b->port)
		return (struct policy_peer){.where = {b->port->addr, 128},
					    .groups = b->port->groups,
					    .n_groups = b->port->n_groups};
	if (vpc)
		peer.where = vpc->cidr;
	return peer;
}

void path_group_in(struct path_builder *b, const struct path_zone *zone)
{
	struct asked asked = {.kind = PATH_KIND_GroupIn, .zone = zone->row->zone};

	asked.groups = eni_groups(b, zone->row, &asked.n_groups);
	asked.question.peer = client(b);
	ask(b, SG_INGRESS, &asked);
	judge(b, &asked);
}

void path_group_behind(struct path_builder *b, const struct path_zone *zone, const struct load_balancer *lb)
{
	struct asked asked = {.kind = PATH_KIND_BalancerGroup, .zone = zone->row->zone};

	if (lb->n_groups == 0)
		return;
	asked.groups = lb->groups;
	asked.n_groups = lb->n_groups;
	asked.question.peer = client(b);
	if (!b->sees_consumer) /* whose addresses are not the provider's business */
		asked.question.peer = (struct policy_peer){.where = {netaddr_v4(0), 96}, .is_anyone = true};
	ask(b, SG_INGRESS, &asked);
	judge(b, &asked);
}
