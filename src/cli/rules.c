/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules that a security group has without anyone having written them (plan/plan_policy.c makes them).
 * The API's lists do not name them, and who does not know them wonders why a revoked rule changes nothing: in
 * a normal group the members reach each other.
 */
#include "cli.h"

#include <strings.h>

static const struct implicit_rule {
	const char *direction, *policy;
	bool of_members;	   /* the far end is the group itself; otherwise it is anyone */
	const char *types, *inner; /* of the group's type and InnerAccessPolicy; NULL: of all */
} implicit_rules[] = {
	{"ingress", "Accept", true, "normal", "Accept"},
	{"ingress", "Drop", false, NULL, NULL},
	{"egress", "Accept", false, "normal", NULL},
	{"egress", "Drop", false, "enterprise", NULL},
};

#define ANYONE "0.0.0.0/0, ::/0"

static bool is_so(const char *wanted, const char *text)
{
	return !wanted || (text && strcasecmp(wanted, text) == 0);
}

static json_t *rule_new(const struct implicit_rule *rule, const char *group)
{
	const char *far_end = rule->of_members ? group : ANYONE;

	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "SecurityGroupRuleId", "(implicit)",
			 "Direction", rule->direction, "IpProtocol", "ALL", "PortRange", "-1/-1",
			 streq(rule->direction, "ingress") ? "SourceCidrIp" : "DestCidrIp", far_end, "Policy",
			 rule->policy, "Priority", "last");
}

int cli_add_implicit_rules(struct cli *cli, json_t *answer, json_t *entries)
{
	const char *group = json_string_value(json_object_get(answer, "SecurityGroupId"));
	const char *inner = json_string_value(json_object_get(answer, "InnerAccessPolicy")), *type;
	struct params params = {};
	json_t *groups = NULL;
	int r = CLI_OK;

	/* The type stands in the list of groups only. */
	if (!group || params_add(&params, "RegionId", cli->region) < 0 ||
	    params_add(&params, "SecurityGroupId", group) < 0)
		r = cli_fail("out of memory");
	if (r == CLI_OK)
		r = cli_call(cli, "ecs", "DescribeSecurityGroups", &params, &groups);
	params_done(&params);
	if (r != CLI_OK)
		return r;
	type = json_string_value(cli_value_at(groups, "SecurityGroups.SecurityGroup.SecurityGroupType"));
	for (size_t i = 0; i < ARRAY_SIZE(implicit_rules) && r == CLI_OK; i++)
		if (is_so(implicit_rules[i].types, type) && is_so(implicit_rules[i].inner, inner) &&
		    json_array_append_new(entries, rule_new(&implicit_rules[i], group)) < 0)
			r = cli_fail("out of memory");
	json_decref(groups);
	return r;
}
