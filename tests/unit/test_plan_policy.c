/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Security groups become sets and ranked rules. A naive evaluator, which reads the rows as the API's
 * documents do, judges the same packets as the lowest rank of the plan's rules, for random groups; then the
 * cases that have a name.
 */
#include "model/policy.h"
#include "tests/unit/plan_world.h"

#include <netinet/in.h>

static uint64_t seed = 88172645463325252u;

static uint32_t next_random(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)((seed >> 16) % below);
}

struct packet {
	struct netaddr peer;
	uint8_t protocol;
	uint16_t port;
};

static bool is_member(const struct snapshot *rows, const char *group, const char *vpc,
		      const struct netaddr *addr)
{
	for (const struct port *v = NULL; (v = snapshot_next(rows, KIND_PORT, "", v));)
		for (uint32_t i = 0; i < v->n_groups; i++)
			if (streq(v->groups[i], group) && streq(v->vpc, vpc) &&
			    netaddr_compare(&v->addr, addr) == 0)
				return true;
	return false;
}

/* What the data path does. */
static bool rule_matches(const struct world *w, const struct group_rule *rule, const char *vpc,
			 const struct packet *p)
{
	uint32_t service = PL_SERVICE(p->protocol, p->port), addr = netaddr_to_v4(&p->peer);

	if (service < rule->service_first || service > rule->service_last)
		return false;
	if (rule->group)
		return is_member(w->rows, find_group(w->plan, rule->group)->id, vpc, &p->peer);
	return addr >= rule->addr_first && addr <= rule->addr_last;
}

static bool set_allows(const struct world *w, const struct pl_set *set, const char *vpc,
		       enum sg_direction direction, const struct packet *p)
{
	int d = direction == SG_INGRESS ? PL_DIRECTION_IN : PL_DIRECTION_OUT;
	uint32_t best = set->silent[d];

	for (uint32_t i = 0; i < set->count; i++) {
		const struct plan_security_group *group = find_group(w->plan, set->group[i]);

		for (size_t j = 0; j < group->n_rules[d]; j++)
			if (rule_matches(w, &group->rules[d][j], vpc, p))
				best = MIN(best, group->rules[d][j].rank);
	}
	return best & 1;
}

static bool eni_lets_in(const struct world *w, const struct plan_eni *eni, const struct packet *p)
{
	bool has_balancer = eni->balancer_set.silent[0] != 0 && p->protocol != IPPROTO_ICMP;

	return set_allows(w, &eni->set, "vpc-c", SG_INGRESS, p) &&
	       (!has_balancer || set_allows(w, &eni->balancer_set, "vpc-c", SG_INGRESS, p));
}

static bool row_matches(const struct snapshot *rows, const struct sg_rule *rule, const char *vpc,
			const struct packet *p)
{
	static const struct {
		const char *name;
		int number;
	} names[] = {{"TCP", 6}, {"UDP", 17}, {"ICMP", 1}, {"GRE", 47}, {"ALL", -1}};
	int number = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (streq(names[i].name, rule->protocol))
			number = names[i].number;
	if (number != -1 && number != p->protocol)
		return false;
	if ((number == 6 || number == 17) && rule->port_first != -1 &&
	    (p->port < rule->port_first || p->port > rule->port_last))
		return false;
	if (*rule->other_group)
		return is_member(rows, rule->other_group, vpc, &p->peer);
	return netprefix_contains(&rule->cidr, &p->peer);
}

/* What the documents say. */
static bool rows_allow(const struct snapshot *rows, const struct port *port, enum sg_direction direction,
		       const struct packet *p)
{
	bool enterprise = false;

	for (uint32_t priority = 1; priority <= 100; priority++) {
		bool accept = false, drop = false;

		for (uint32_t i = 0; i < port->n_groups; i++) {
			char prefix[KEY_SIZE];

			snprintf(prefix, sizeof(prefix), "%s/", port->groups[i]);
			for (const struct sg_rule *v = NULL;
			     (v = snapshot_next(rows, KIND_SG_RULE, prefix, v));) {
				if (v->direction != direction || v->priority != priority ||
				    !row_matches(rows, v, port->vpc, p))
					continue;
				accept |= v->policy == SG_ACCEPT;
				drop |= v->policy == SG_DROP;
			}
		}
		if (drop || accept)
			return !drop;
	}
	for (uint32_t i = 0; i < port->n_groups; i++) {
		const struct security_group *group = snapshot_security_group(rows, port->groups[i]);

		enterprise |= group->type == SG_ENTERPRISE;
		if (direction == SG_INGRESS && group->type == SG_NORMAL && group->inner_accept &&
		    is_member(rows, group->id, port->vpc, &p->peer))
			return true;
	}
	return direction == SG_EGRESS && !enterprise;
}

/* What model/policy says, with what the address is in. */
static struct policy_verdict judge(const struct snapshot *rows, const struct port *port,
				   enum sg_direction direction, const struct packet *p)
{
	struct policy_question question = {.direction = direction, .protocol = p->protocol, .port = p->port};
	struct policy_verdict verdict = {0};

	question.peer.where = (struct netprefix){p->peer, 128};
	for (const struct port *v = NULL; (v = snapshot_next(rows, KIND_PORT, "", v));)
		if (streq(v->vpc, port->vpc) && netaddr_compare(&v->addr, &p->peer) == 0) {
			question.peer.groups = v->groups;
			question.peer.n_groups = v->n_groups;
		}
	if (policy_judge(rows, port->groups, port->n_groups, &question, &verdict) < 0)
		exit(EXIT_FAILURE);
	return verdict;
}

/* Whether what is named as the cause says so. */
static bool is_cause(const struct policy_verdict *v, enum sg_direction direction)
{
	switch (v->reason) {
	case POLICY_RULE:
		return v->rule && v->group && streq(v->rule->group, v->group->id) &&
		       v->rule->direction == direction && (v->rule->policy == SG_ACCEPT) == v->allow;
	case POLICY_INNER:
		return v->allow && v->group->inner_accept && v->group->type == SG_NORMAL && !v->rule;
	case POLICY_DEFAULT:
		return v->group && !v->rule && (direction == SG_EGRESS || !v->allow);
	default:
		return false;
	}
}

static void random_rule(struct world *w, const char *group, int number)
{
	static const char *const protocols[] = {"TCP", "TCP", "UDP", "ICMP", "GRE", "ALL"};
	static const char *const cidrs[] = {"0.0.0.0/0",    "10.0.0.0/16",  "10.0.1.0/24", "10.0.1.0/28",
					    "10.0.1.10/32", "10.0.1.64/26", "10.0.2.0/25", "::/0"};
	const char *protocol = protocols[next_random(ARRAY_SIZE(protocols))];
	bool ports = (streq(protocol, "TCP") || streq(protocol, "UDP")) && next_random(4);
	uint32_t first = next_random(6) + 1, last = first + next_random(3);
	char key[KEY_SIZE], peer[64];

	if (next_random(4) == 0)
		snprintf(peer, sizeof(peer), "'other_group': 'sg-%u'", next_random(3));
	else
		snprintf(peer, sizeof(peer), "'cidr': '%s'", cidrs[next_random(ARRAY_SIZE(cidrs))]);
	snprintf(key, sizeof(key), "sg_rule/%s/sgr-%d", group, number);
	rows_put(w->rows, key,
		 "{'id': 'sgr-%d', 'group': '%s', 'direction': '%s', 'policy': '%s', 'priority': %u, "
		 "'protocol': '%s', 'port_first': %d, 'port_last': %d, %s}",
		 number, group, next_random(2) ? "ingress" : "egress", next_random(2) ? "Accept" : "Drop",
		 next_random(4) + 1, protocol, ports ? (int)first : -1, ports ? (int)last : -1, peer);
}

static void put_member(struct world *w, uint32_t number, const char *groups)
{
	char key[KEY_SIZE];

	snprintf(key, sizeof(key), "port/eni-m%u", number);
	rows_put(w->rows, key,
		 "{'id': 'eni-m%u', 'number': %u, 'kind': 'instance', 'vpc': 'vpc-c', 'vswitch': 'vsw-c-h', "
		 "'addr': '10.0.1.%u', 'groups': [%s], 'holder': 'i-m%u', 'node': 'n1'}",
		 number, 300 + number, 10 + number, groups, number);
}

static void random_world(struct world *w)
{
	bool enterprise = next_random(4) == 0; /* all groups of a port are of one type */

	world_new(w);
	for (int i = 0; i < 3; i++) {
		char id[8], key[KEY_SIZE];

		snprintf(id, sizeof(id), "sg-%d", i);
		snprintf(key, sizeof(key), "security_group/%s", id);
		rows_put(w->rows, key, "{'id': '%s', 'vpc': 'vpc-c', 'type': '%s', 'inner_accept': %s}", id,
			 enterprise ? "enterprise" : "normal", next_random(2) ? "true" : "false");
		for (uint32_t n = next_random(8); n > 0; n--)
			random_rule(w, id, (int)n);
	}
	for (uint32_t i = 1; i < 12; i++) {
		static const char *const groups[] = {"'sg-0'", "'sg-1'", "'sg-2'", "'sg-0', 'sg-2'",
						     "'sg-c'"};

		put_member(w, i, groups[next_random(ARRAY_SIZE(groups))]);
	}
	rows_put(w->rows, "port/eni-c",
		 "{'id': 'eni-c', 'number': 100, 'kind': 'instance', 'vpc': 'vpc-c', 'vswitch': 'vsw-c-h', "
		 "'addr': '10.0.1.10', 'groups': ['sg-0', 'sg-1'], 'holder': 'i-c', 'node': 'n1'}");
}

static void test_random(void)
{
	static const uint8_t protocols[] = {6, 6, 17, 1, 47, 50};
	uint32_t wrong = 0, wrong_rows = 0, no_cause = 0, allowed = 0, judged = 0;

	for (int round = 0; round < 150; round++) {
		const struct port *port;
		struct world w;

		random_world(&w);
		world_plan(&w);
		port = snapshot_port(w.rows, "eni-c");
		for (int i = 0; i < 300; i++) {
			enum sg_direction direction = next_random(2) ? SG_INGRESS : SG_EGRESS;
			struct packet p = {.protocol = protocols[next_random(ARRAY_SIZE(protocols))]};
			struct policy_verdict verdict;
			bool want;

			p.peer = netaddr_v4(0x0a000000 + (next_random(3) << 8) + next_random(40));
			p.port = p.protocol == 6 || p.protocol == 17 ? (uint16_t)next_random(10) : 0;
			want = rows_allow(w.rows, port, direction, &p);
			verdict = judge(w.rows, port, direction, &p);
			wrong_rows += verdict.allow != want || verdict.depends;
			no_cause += !is_cause(&verdict, direction);
			wrong += set_allows(&w, &w.plan->ports[0].set, "vpc-c", direction, &p) != want;
			allowed += want;
			judged++;
		}
		world_free(&w);
	}
	tap_is_int(wrong, 0, "the lowest rank of the groups' rules is what the groups' rows say");
	tap_is_int(wrong_rows, 0, "so is the rule that is named as the one that decides");
	tap_is_int(no_cause, 0, "which is one of that group, and says so itself");
	tap_ok(allowed > judged / 10 && allowed < judged * 9 / 10, "both verdicts were met often");
	tap_note("%u packets, %u allowed", judged, allowed);
}

/* Of a whole block: whoever comes from there, if the verdict does not depend on it. */
static void test_blocks(void)
{
	static const char *const blocks[] = {"10.0.0.0/16", "10.0.1.0/24", "10.0.1.0/28", "10.0.2.0/25"};
	static const uint8_t protocols[] = {6, 17, 1, 47};
	uint32_t wrong = 0, open = 0, n = 0;

	for (int round = 0; round < 300; round++) {
		struct policy_question question = {.direction = next_random(2) ? SG_INGRESS : SG_EGRESS};
		struct policy_verdict verdict;
		struct packet p;
		const struct port *port;
		struct world w;

		random_world(&w);
		port = snapshot_port(w.rows, "eni-c");
		p.protocol = question.protocol = protocols[next_random(ARRAY_SIZE(protocols))];
		p.port = question.port = p.protocol == 6 || p.protocol == 17 ? (uint16_t)next_random(10) : 0;
		question.peer.is_anyone = true;
		if (netprefix_parse(blocks[next_random(4)], true, &question.peer.where) < 0 ||
		    policy_judge(w.rows, port->groups, port->n_groups, &question, &verdict) < 0)
			exit(EXIT_FAILURE);
		n += !verdict.depends;
		for (uint32_t i = 0; i < 1024 && !verdict.depends; i++) {
			p.peer = netaddr_v4(0x0a000000 + i);
			if (!netprefix_contains(&question.peer.where, &p.peer))
				continue;
			wrong += rows_allow(w.rows, port, question.direction, &p) != verdict.allow;
			open += verdict.allow;
		}
		world_free(&w);
	}
	tap_is_int(wrong, 0, "a verdict on a whole block is that on each of its addresses");
	tap_ok(n > 50 && open > 1000, "%u of them did not depend on who comes", n);
}

static bool eni_allows(struct world *w, const char *peer, uint8_t protocol, uint16_t port)
{
	struct packet p = {.protocol = protocol, .port = port};

	if (netaddr_parse(peer, &p.peer) < 0)
		exit(EXIT_FAILURE);
	world_plan(w);
	return eni_lets_in(w, find_eni(w->plan, ZONE_H), &p);
}

static void test_endpoint_group(void)
{
	struct world w;

	world_new(&w);
	tap_ok(eni_allows(&w, "10.0.1.10", IPPROTO_TCP, 443), "TCP 443 from the VPC is let in to the ENI");
	tap_ok(!eni_allows(&w, "10.0.1.10", IPPROTO_TCP, 80), "TCP 80 is not");
	tap_ok(!eni_allows(&w, "10.1.1.10", IPPROTO_TCP, 443), "nor is anyone from outside of the block");
	tap_ok(!eni_allows(&w, "10.0.1.10", IPPROTO_ICMP, 0), "ping is judged by its own rule");
	rows_put(w.rows, "sg_rule/sg-ep/sgr-2",
		 "{'id': 'sgr-2', 'group': 'sg-ep', 'direction': 'ingress', 'policy': 'Accept', 'priority': "
		 "1, "
		 "'protocol': 'icmp', 'port_first': -1, 'port_last': -1, 'cidr': '10.0.0.0/16'}");
	tap_ok(eni_allows(&w, "10.0.1.10", IPPROTO_ICMP, 0),
	       "which lets it in, however the protocol is spelt");
	rows_delete(w.rows, "sg_rule/sg-ep/sgr-1");
	tap_ok(!eni_allows(&w, "10.0.1.10", IPPROTO_TCP, 443), "a revoked rule closes the ENI");
	rows_put(w.rows, "sg_rule/sg-ep/sgr-1",
		 "{'id': 'sgr-1', 'group': 'sg-ep', 'direction': 'ingress', 'policy': 'Accept', 'priority': "
		 "1, "
		 "'protocol': 'ALL', 'port_first': -1, 'port_last': -1, 'cidr': '::/0'}");
	tap_ok(!eni_allows(&w, "10.0.1.10", IPPROTO_TCP, 443), "::/0 means IPv6, not IPv4");
	rows_put(w.rows, "sg_rule/sg-ep/sgr-3",
		 "{'id': 'sgr-3', 'group': 'sg-ep', 'direction': 'ingress', 'policy': 'Accept', 'priority': "
		 "1, "
		 "'protocol': 'SCTP', 'port_first': -1, 'port_last': -1, 'cidr': '10.0.0.0/16'}");
	tap_ok(!eni_allows(&w, "10.0.1.10", IPPROTO_TCP, 443), "a rule without meaning accepts nothing");
	tap_ok(*failure_of(w.plan, "sg_rule/sg-ep/sgr-3"), "and is a failure");
	rows_put(w.rows, "sg_rule/sg-ep/sgr-3",
		 "{'id': 'sgr-3', 'group': 'sg-ep', 'direction': 'ingress', 'policy': 'Drop', 'priority': 1, "
		 "'protocol': 'SCTP', 'port_first': -1, 'port_last': -1, 'cidr': '10.0.0.0/16'}");
	tap_ok(!eni_allows(&w, "10.0.1.10", IPPROTO_ICMP, 0), "one that would refuse refuses all");
	rows_delete(w.rows, "security_group/sg-ep");
	rows_put(
		w.rows, "sg_rule/sg-ep/sgr-3",
		"{'id': 'sgr-3', 'group': 'sg-ep', 'direction': 'ingress', 'policy': 'Accept', 'priority': 1, "
		"'protocol': 'ALL', 'port_first': -1, 'port_last': -1, 'cidr': '10.0.0.0/16'}");
	tap_ok(!eni_allows(&w, "10.0.1.10", IPPROTO_TCP, 443), "a group that is gone accepts nothing");
	world_free(&w);
}

/* An endpoint's groups and its load balancer's: a flow needs the consent of both, echo only that of the
 * first. */
static void test_balancer_groups(void)
{
	static const uint8_t protocols[] = {6, 6, 17, 1, 47};
	uint32_t wrong = 0, allowed = 0, judged = 0, narrowed = 0;

	for (int round = 0; round < 150; round++) {
		struct port behind = {
			.vpc = "vpc-c", .groups = (const char[][ID_SIZE]){"sg-1", "sg-2"}, .n_groups = 2};
		const struct port *eni;
		struct world w;

		random_world(&w);
		rows_put(
			w.rows, "port/eni-ep-1-h",
			"{'id': 'eni-ep-1-h', 'number': 201, 'kind': 'endpoint', 'vpc': 'vpc-c', 'vswitch': 'vsw-c-h', "
			"'addr': '10.0.1.50', 'groups': ['sg-0', 'sg-1'], 'holder': 'ep-1'}");
		rows_put(w.rows, "load_balancer/nlb-1",
			 "{'id': 'nlb-1', 'vpc': 'vpc-p', 'groups': ['sg-1', 'sg-2'], 'status': 'Active'}");
		world_plan(&w);
		eni = snapshot_port(w.rows, "eni-ep-1-h");
		for (int i = 0; i < 300; i++) {
			struct packet p = {.protocol = protocols[next_random(ARRAY_SIZE(protocols))]};
			bool first, want;

			p.peer = netaddr_v4(0x0a000000 + (next_random(3) << 8) + next_random(40));
			p.port = p.protocol == 6 || p.protocol == 17 ? (uint16_t)next_random(10) : 0;
			first = rows_allow(w.rows, eni, SG_INGRESS, &p);
			want = first && (p.protocol == 1 || rows_allow(w.rows, &behind, SG_INGRESS, &p));
			wrong += eni_lets_in(&w, find_eni(w.plan, ZONE_H), &p) != want;
			narrowed += first && !want;
			allowed += want;
			judged++;
		}
		world_free(&w);
	}
	tap_is_int(wrong, 0, "an endpoint lets in what its groups and the load balancer's accept");
	tap_ok(allowed > judged / 20 && narrowed > judged / 40, "both verdicts were met often");
	tap_note("%u packets, %u allowed, %u by the endpoint's groups alone", judged, allowed, narrowed);
}

/* Same addresses in another VPC are not the members that a rule means. */
static void test_balancer_members(void)
{
	struct world w;

	world_new(&w);
	rows_put(w.rows, "security_group/sg-lb",
		 "{'id': 'sg-lb', 'vpc': 'vpc-p', 'type': 'normal', 'inner_accept': true}");
	rows_put(
		w.rows, "port/eni-m",
		"{'id': 'eni-m', 'number': 333, 'kind': 'instance', 'vpc': 'vpc-p', 'addr': '10.0.1.10', 'groups': "
		"['sg-lb'], 'holder': 'i-m'}");
	tap_ok(eni_allows(&w, "10.0.1.10", IPPROTO_TCP, 443), "a load balancer without a group lets all in");
	rows_put(w.rows, "load_balancer/nlb-1",
		 "{'id': 'nlb-1', 'vpc': 'vpc-p', 'groups': ['sg-lb'], 'status': 'Active'}");
	tap_ok(!eni_allows(&w, "10.0.1.10", IPPROTO_TCP, 443),
	       "a member of its group elsewhere is not the client of that address");
	rows_put(
		w.rows, "sg_rule/sg-lb/sgr-1",
		"{'id': 'sgr-1', 'group': 'sg-lb', 'direction': 'ingress', 'policy': 'Accept', 'priority': 1, "
		"'protocol': 'TCP', 'port_first': 443, 'port_last': 443, 'cidr': '10.0.1.0/24'}");
	tap_ok(eni_allows(&w, "10.0.1.10", IPPROTO_TCP, 443),
	       "a rule lets the client in, by its own address");
	tap_ok(!eni_allows(&w, "10.0.2.10", IPPROTO_TCP, 443), "and nobody else");
	rows_delete(w.rows, "security_group/sg-lb");
	tap_ok(!eni_allows(&w, "10.0.1.10", IPPROTO_TCP, 443), "a group that is gone accepts nothing");
	tap_is_str(failure_of(w.plan, "load_balancer/nlb-1"), "the security group sg-lb is missing",
		   "which is the load balancer's failure");
	world_free(&w);
}

/* Who is a member is no part of a rule. */
static void test_members(void)
{
	const struct plan_security_group *group;
	const struct pl_set *set;
	struct world w;

	world_new(&w);
	for (uint32_t i = 6; i < 230; i++)
		put_member(&w, i, "'sg-c'");
	world_plan(&w);
	set = &w.plan->ports[0].set;
	group = find_group(w.plan, set->group[0]);
	tap_ok(set->count == 1 && streq(group->id, "sg-c"), "a port's set has its group");
	tap_is_int(group->n_rules[PL_DIRECTION_IN], 1, "one rule lets 225 members reach each other");
	tap_ok(group->rules[PL_DIRECTION_IN]->group == group->number, "which names the group itself");
	tap_is_int(group->n_rules[PL_DIRECTION_OUT], 0, "what goes out needs no rule");
	tap_ok(set->silent[PL_DIRECTION_OUT] == PL_RANK_ALLOW &&
		       set->silent[PL_DIRECTION_IN] == PL_RANK_REFUSE,
	       "out is allowed, in is refused by default");
	world_free(&w);
}

/* Sets are the same whatever the order of their groups; numbers stay from plan to plan. */
static void test_sets(void)
{
	struct pl_set before;
	struct world w;

	random_world(&w);
	put_member(&w, 20, "'sg-1', 'sg-0', 'sg-1'");
	rows_put(w.rows, "instance/i-m20",
		 "{'id': 'i-m20', 'zone': 'cn-hangzhou-h', 'vpc': 'vpc-c', 'node': 'n1', 'kind': 'netns', "
		 "'port': 'eni-m20', 'status': 'Running'}");
	world_plan(&w);
	before = w.plan->ports[0].set;
	for (size_t i = 0; i < w.plan->n_ports; i++)
		if (w.plan->ports[i].number == 320)
			tap_ok(memcmp(&w.plan->ports[i].set, &before, sizeof(before)) == 0,
			       "the same groups in another order are the same set");
	rows_delete(w.rows, "port/eni-m20");
	rows_delete(w.rows, "instance/i-m20");
	world_plan(&w);
	tap_ok(memcmp(&w.plan->ports[0].set, &before, sizeof(before)) == 0, "a group keeps its number");
	world_free(&w);
}

static void test_too_many(void)
{
	const struct plan_security_group *group;
	const struct pl_set *set;
	struct world w;
	struct packet p = {.protocol = IPPROTO_TCP, .port = 5000};
	char key[KEY_SIZE];

	world_new(&w);
	for (int i = 0; i < PL_LIST_RULES_MAX + 1; i++) {
		snprintf(key, sizeof(key), "sg_rule/sg-c/sgr-%d", i);
		rows_put(w.rows, key,
			 "{'id': 'sgr-%d', 'group': 'sg-c', 'direction': 'egress', 'policy': 'Drop', "
			 "'priority': 1, "
			 "'protocol': 'TCP', 'port_first': %d, 'port_last': %d, 'cidr': '10.0.0.0/8'}",
			 i, i + 1, i + 1);
	}
	world_plan(&w);
	set = &w.plan->ports[0].set;
	group = find_group(w.plan, set->group[0]);
	tap_ok(group->n_rules[PL_DIRECTION_OUT] <= PL_LIST_RULES_MAX,
	       "no more rules than the data path takes");
	tap_is_str(failure_of(w.plan, "security_group/sg-c"),
		   "it has more than 2048 outbound rules, and refuses all",
		   "the group is a failure, with the reason");
	netaddr_parse("10.0.1.10", &p.peer);
	tap_ok(!set_allows(&w, set, "vpc-c", SG_EGRESS, &p), "all is refused");
	tap_ok(set_allows(&w, set, "vpc-c", SG_INGRESS, &p), "the other direction has its own rules");
	rows_delete(w.rows, "sg_rule/sg-c/sgr-0");
	world_plan(&w);
	set = &w.plan->ports[0].set;
	tap_ok(set_allows(&w, set, "vpc-c", SG_EGRESS, &p), "one rule less, and all fit");
	tap_is_int(w.plan->n_failures, 0, "without a failure");
	world_free(&w);
}

int main(void)
{
	test_random();
	test_blocks();
	test_endpoint_group();
	test_balancer_groups();
	test_balancer_members();
	test_members();
	test_sets();
	test_too_many();
	return tap_done();
}
