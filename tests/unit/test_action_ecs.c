/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Security groups, instances and network interfaces through the framework: life, places on nodes, and every
 * refusal.
 */
#include "api_harness.h"

#include "api/common/quota_defaults.h"

#define CALL(h, ...)	harness_call(h, ALICE, PRODUCT_ECS, __VA_ARGS__)
#define GET(h, ...)	harness_get(h, ALICE, PRODUCT_ECS, __VA_ARGS__)
#define REFUSED(h, ...) harness_refused(h, ALICE, PRODUCT_ECS, __VA_ARGS__)
#define REGION		"RegionId=cn-hangzhou&"

/* A VPC with a vSwitch in each of two zones and a security group. */
struct world {
	const char *vpc, *vsw_h, *vsw_i, *group;
};

static struct world make_world(struct harness *h, int64_t uid)
{
	struct world w;

	w.vpc = harness_get(h, uid, PRODUCT_VPC, "VpcId", "CreateVpc", REGION "CidrBlock=10.0.0.0/16");
	w.vsw_h = harness_get(h, uid, PRODUCT_VPC, "VSwitchId", "CreateVSwitch",
			      "VpcId=%s&ZoneId=cn-hangzhou-h&CidrBlock=10.0.1.0/24", w.vpc);
	w.vsw_i = harness_get(h, uid, PRODUCT_VPC, "VSwitchId", "CreateVSwitch",
			      "VpcId=%s&ZoneId=cn-hangzhou-i&CidrBlock=10.0.2.0/28", w.vpc);
	w.group = harness_get(h, uid, PRODUCT_ECS, "SecurityGroupId", "CreateSecurityGroup",
			      REGION "VpcId=%s&SecurityGroupName=sg.one", w.vpc);
	return w;
}

static int count_rules(struct harness *h, const char *group)
{
	CALL(h, "DescribeSecurityGroupAttribute", REGION "SecurityGroupId=%s", group);
	return harness_count_of(h, "Permissions.Permission");
}

static void test_group_life(struct harness *h, const struct world *w)
{
	const char *group = GET(h, "SecurityGroupId", "CreateSecurityGroup",
				REGION "VpcId=%s&SecurityGroupName=web&Description=of+servers", w->vpc);

	CALL(h, "DescribeSecurityGroups", REGION "SecurityGroupId=%s", group);
	tap_is_str(harness_text(h, "SecurityGroups.SecurityGroup.0.SecurityGroupName"), "web",
		   "a security group is found by its id");
	tap_is_str(harness_text(h, "SecurityGroups.SecurityGroup.0.SecurityGroupType"), "normal",
		   "it is normal");
	CALL(h, "DescribeSecurityGroups", REGION "SecurityGroupIds=%%5B%%22%s%%22%%5D", group);
	tap_is_int(harness_count_of(h, "SecurityGroups.SecurityGroup"), 1, "and by a list in JSON");
	CALL(h, "DescribeSecurityGroups", REGION "SecurityGroupIds=%%5B%%22sg-none%%22%%5D");
	tap_is_int(harness_count_of(h, "SecurityGroups.SecurityGroup"), 0,
		   "an unknown id gives an empty list");
	CALL(h, "DescribeSecurityGroups", REGION "VpcId=%s&SecurityGroupName=eb&FuzzyQuery=true", w->vpc);
	tap_is_str(harness_text(h, "SecurityGroups.SecurityGroup.0.SecurityGroupId"), group,
		   "by a part of its name, if the call says so");
	CALL(h, "DescribeSecurityGroups", REGION "VpcId=%s&SecurityGroupName=eb&FuzzyQuery=false", w->vpc);
	tap_is_int(harness_count_of(h, "SecurityGroups.SecurityGroup"), 0, "else by all of it");
	CALL(h, "DescribeSecurityGroups", REGION "VpcId=%s&MaxResults=1", w->vpc);
	tap_ok(harness_text(h, "NextToken"), "pages can go by token");
	CALL(h, "DescribeSecurityGroups", REGION "VpcId=%s&MaxResults=1&NextToken=%s", w->vpc,
	     harness_keep(h, harness_text(h, "NextToken")));
	tap_ok(!harness_text(h, "NextToken") && harness_count_of(h, "SecurityGroups.SecurityGroup") == 1,
	       "the last page has no token");

	tap_ok(CALL(h, "ModifySecurityGroupPolicy", REGION "SecurityGroupId=%s&InnerAccessPolicy=drop",
		    group),
	       "its members can be kept apart");
	CALL(h, "DescribeSecurityGroupAttribute", REGION "SecurityGroupId=%s", group);
	tap_is_str(harness_text(h, "InnerAccessPolicy"), "Drop", "which is shown");
	tap_ok(CALL(h, "ModifySecurityGroupAttribute", REGION "SecurityGroupId=%s&SecurityGroupName=www",
		    group),
	       "it can be renamed");
	tap_ok(CALL(h, "DeleteSecurityGroup", REGION "SecurityGroupId=%s", group), "it can be deleted");
	REFUSED(h, "InvalidSecurityGroup.NotFound", "a second time", "DeleteSecurityGroup",
		REGION "SecurityGroupId=%s", group);
}

/* Rules that differ in one word only are two rules. */
static void test_alike(struct harness *h, const char *group)
{
	static const char *const rules[] = {
		"IpProtocol=TCP&PortRange=80/80&SourceCidrIp=10.0.0.0/16&Priority=5&Policy=accept",
		"IpProtocol=UDP&PortRange=80/80&SourceCidrIp=10.0.0.0/16&Priority=5&Policy=accept",
		"IpProtocol=TCP&PortRange=79/80&SourceCidrIp=10.0.0.0/16&Priority=5&Policy=accept",
		"IpProtocol=TCP&PortRange=80/81&SourceCidrIp=10.0.0.0/16&Priority=5&Policy=accept",
		"IpProtocol=TCP&PortRange=80/80&SourceCidrIp=10.0.0.0/17&Priority=5&Policy=accept",
		"IpProtocol=TCP&PortRange=80/80&SourceCidrIp=10.1.0.0/16&Priority=5&Policy=accept",
		"IpProtocol=TCP&PortRange=80/80&SourceCidrIp=10.0.0.0/16&Priority=6&Policy=accept",
		"IpProtocol=TCP&PortRange=80/80&SourceCidrIp=10.0.0.0/16&Priority=5&Policy=drop",
	};
	int before = count_rules(h, group), n = (int)ARRAY_SIZE(rules);

	for (int i = 0; i < n; i++)
		CALL(h, "AuthorizeSecurityGroup", REGION "SecurityGroupId=%s&%s", group, rules[i]);
	tap_is_int(count_rules(h, group), before + n, "rules that differ in one word only are all there");
	for (int i = 0; i < n; i++) {
		CALL(h, "RevokeSecurityGroup", REGION "SecurityGroupId=%s&%s", group, rules[i]);
		tap_is_int(count_rules(h, group), before + n - i - 1, "revoking %s takes that one alone",
			   rules[i]);
	}
}

static void test_rules(struct harness *h, const struct world *w)
{
	const char *group = GET(h, "SecurityGroupId", "CreateSecurityGroup", REGION "VpcId=%s", w->vpc);
	const char *rule;
	uint64_t before;

	tap_ok(CALL(h, "AuthorizeSecurityGroup",
		    REGION
		    "SecurityGroupId=%s&IpProtocol=tcp&PortRange=443/443&SourceCidrIp=10.0.0.7/16&Priority=7"
		    "&Description=the+web",
		    group),
	       "a rule in the older form");
	CALL(h, "DescribeSecurityGroupAttribute", REGION "SecurityGroupId=%s", group);
	tap_is_str(harness_text(h, "Permissions.Permission.0.IpProtocol"), "TCP", "its protocol reads TCP");
	tap_is_str(harness_text(h, "Permissions.Permission.0.SourceCidrIp"), "10.0.0.0/16",
		   "its source is a range without host bits");
	tap_is_str(harness_text(h, "Permissions.Permission.0.Priority"), "7", "its priority is a text");
	tap_is_str(harness_text(h, "Permissions.Permission.0.Policy"), "Accept", "it accepts");
	rule = harness_keep(h, harness_text(h, "Permissions.Permission.0.SecurityGroupRuleId"));

	before = store_durable_revision(h->store);
	tap_ok(CALL(h, "AuthorizeSecurityGroup",
		    REGION "SecurityGroupId=%s&Permissions.1.IpProtocol=TCP&Permissions.1.PortRange=443/443"
			   "&Permissions.1.SourceCidrIp=10.0.0.0/16&Permissions.1.Priority=7",
		    group),
	       "the same rule again is success");
	tap_ok(store_durable_revision(h->store) == before && count_rules(h, group) == 1, "and adds nothing");

	tap_ok(CALL(h, "AuthorizeSecurityGroup",
		    REGION
		    "SecurityGroupId=%s&Permissions.1.IpProtocol=ICMP&Permissions.1.SourceCidrIp=0.0.0.0/0"
		    "&Permissions.2.IpProtocol=ALL&Permissions.2.PortRange=-1/-1&Permissions.2.Policy=Drop"
		    "&Permissions.2.SourceGroupId=%s",
		    group, w->group),
	       "two rules at once, one of them from a group");
	tap_is_int(count_rules(h, group), 3, "are added");
	REFUSED(h, "DependencyViolation", "a group that a rule names", "DeleteSecurityGroup",
		REGION "SecurityGroupId=%s", w->group);
	tap_is_int(h->error.status, 403, "with the status that ECS has for it");
	tap_ok(CALL(h, "AuthorizeSecurityGroupEgress",
		    REGION
		    "SecurityGroupId=%s&IpProtocol=UDP&PortRange=53/53&DestCidrIp=10.0.0.0/8&Policy=drop",
		    group),
	       "a rule outwards");
	CALL(h, "DescribeSecurityGroupAttribute", REGION "SecurityGroupId=%s&Direction=egress", group);
	tap_is_int(harness_count_of(h, "Permissions.Permission"), 1, "is listed by itself");
	tap_is_str(harness_text(h, "Permissions.Permission.0.DestCidrIp"), "10.0.0.0/8",
		   "with its destination");

	REFUSED(h, "InvalidSecurityGroupRuleId.NotFound", "a rule of the other direction",
		"RevokeSecurityGroupEgress", REGION "SecurityGroupId=%s&SecurityGroupRuleId.1=%s", group,
		rule);
	tap_ok(CALL(h, "RevokeSecurityGroup", REGION "SecurityGroupId=%s&SecurityGroupRuleId.1=%s", group,
		    rule),
	       "a rule is revoked by its id");
	tap_ok(CALL(h, "RevokeSecurityGroup",
		    REGION "SecurityGroupId=%s&IpProtocol=icmp&PortRange=-1/-1&SourceCidrIp=0.0.0.0/0",
		    group),
	       "and by what it says");
	tap_is_int(count_rules(h, group), 2, "both are gone");
	tap_ok(CALL(h, "RevokeSecurityGroup",
		    REGION "SecurityGroupId=%s&IpProtocol=icmp&PortRange=-1/-1&SourceCidrIp=0.0.0.0/0",
		    group),
	       "revoking what is not there is success");
	test_alike(h, group);
	tap_ok(CALL(h, "DeleteSecurityGroup", REGION "SecurityGroupId=%s", group),
	       "a group goes with its rules");
	harness_in_force(h, "alpha");
}

/* Of 512 characters, whatever they are. */
static void test_rule_texts(struct harness *h, const struct world *w)
{
	const char *group = GET(h, "SecurityGroupId", "CreateSecurityGroup", REGION "VpcId=%s", w->vpc);
	static const char *const characters[] = {"x", "\u8bf4", "\U0001f512"};
	char text[513 * 4 + 1];
	const char *told;

	for (size_t i = 0; i < ARRAY_SIZE(characters); i++) {
		size_t length = strlen(characters[i]);

		for (size_t n = 0; n < 513; n++)
			memcpy(text + n * length, characters[i], length + 1);
		REFUSED(h, "InvalidSecurityGroupDiscription.Malformed", "a long description",
			"AuthorizeSecurityGroup",
			REGION "SecurityGroupId=%s&IpProtocol=ALL&SourceCidrIp=10.%zu.0.0/16&Description=%s",
			group, i, text);
		text[512 * length] = '\0';
		tap_ok(CALL(h, "AuthorizeSecurityGroup",
			    REGION
			    "SecurityGroupId=%s&IpProtocol=ALL&SourceCidrIp=10.%zu.0.0/16&Description=%s",
			    group, i, text),
		       "a description may have 512 characters of %zu bytes", length);
		CALL(h, "DescribeSecurityGroupAttribute", REGION "SecurityGroupId=%s", group);
		told = harness_text(h, "Permissions.Permission.0.Description");
		tap_ok(told && streq(told, text), "and is told as it is");
		CALL(h, "RevokeSecurityGroup",
		     REGION "SecurityGroupId=%s&IpProtocol=ALL&SourceCidrIp=10.%zu.0.0/16", group, i);
	}
	CALL(h, "DeleteSecurityGroup", REGION "SecurityGroupId=%s", group);
	harness_in_force(h, "alpha");
}

static void test_bad_rules(struct harness *h, const struct world *w)
{
	static const struct {
		const char *code, *why, *params;
	} cases[] = {
		{"InvalidIpProtocol.ValueNotSupported", "no protocol",
		 "PortRange=1/2&SourceCidrIp=0.0.0.0/0"},
		{"InvalidIpProtocol.ValueNotSupported", "an unknown one",
		 "IpProtocol=SCTP&SourceCidrIp=0.0.0.0/0"},
		{"InvalidPortRange.Malformed", "TCP without ports", "IpProtocol=TCP&SourceCidrIp=0.0.0.0/0"},
		{"InvalidPortRange.Malformed", "one port",
		 "IpProtocol=TCP&PortRange=80&SourceCidrIp=0.0.0.0/0"},
		{"InvalidPortRange.Malformed", "ports downwards",
		 "IpProtocol=TCP&PortRange=90/80&SourceCidrIp=0.0.0.0/0"},
		{"InvalidPortRange.Malformed", "port 0",
		 "IpProtocol=TCP&PortRange=0/80&SourceCidrIp=0.0.0.0/0"},
		{"InvalidPortRange.Malformed", "port 65536",
		 "IpProtocol=UDP&PortRange=1/65536&SourceCidrIp=0.0.0.0/0"},
		{"InvalidPortRange.Malformed", "more than two",
		 "IpProtocol=TCP&PortRange=1/2/3&SourceCidrIp=0.0.0.0/0"},
		{"InvalidPortRange.Malformed", "ICMP with ports",
		 "IpProtocol=ICMP&PortRange=1/2&SourceCidrIp=0.0.0.0/0"},
		{"InvalidPolicy.Malformed", "an unknown policy",
		 "IpProtocol=ALL&Policy=maybe&SourceCidrIp=0.0.0.0/0"},
		{"InvalidPriority.ValueNotSupported", "priority 0",
		 "IpProtocol=ALL&Priority=0&SourceCidrIp=0.0.0.0/0"},
		{"InvalidPriority.ValueNotSupported", "priority 101",
		 "IpProtocol=ALL&Priority=101&SourceCidrIp=0.0.0.0/0"},
		{"InvalidPriority.Malformed", "a priority in words",
		 "IpProtocol=ALL&Priority=high&SourceCidrIp=0.0.0.0/0"},
		{"MissingParameter.Source", "no source", "IpProtocol=ALL"},
		{"InvalidSourceCidrIp.Malformed", "a broken source", "IpProtocol=ALL&SourceCidrIp=10.0.0/8"},
		{"InvalidSourceCidrIp.Malformed", "an IPv6 source as IPv4",
		 "IpProtocol=ALL&SourceCidrIp=::/0"},
		{"InvalidParam.Ipv6SourceCidrIp", "an IPv4 source as IPv6",
		 "IpProtocol=ALL&Ipv6SourceCidrIp=0.0.0.0/0"},
		{"InvalidParam.Ipv4ProtocolConflictWithIpv6Address", "ICMP from IPv6",
		 "IpProtocol=ICMP&Ipv6SourceCidrIp=::/0"},
		{"InvalidParam.Ipv6ProtocolConflictWithIpv4Address", "ICMPv6 from IPv4",
		 "IpProtocol=ICMPv6&SourceCidrIp=0.0.0.0/0"},
		{"InvalidSourceGroupId.NotFound", "an unknown group", "IpProtocol=ALL&SourceGroupId=sg-none"},
		{"InvalidPrefixListId.NotFound", "a prefix list", "IpProtocol=ALL&SourcePrefixListId=pl-1"},
		{"InvalidParam.DestIp", "a second condition",
		 "IpProtocol=ALL&SourceCidrIp=0.0.0.0/0&DestCidrIp=10.0.0.0/8"},
		{"InvalidSourcePortRange.Malformed", "a source port",
		 "IpProtocol=TCP&PortRange=1/2&SourcePortRange=1/2&SourceCidrIp=0.0.0.0/0"},
		{"InvalidSecurityGroupDiscription.Malformed", "an address as description",
		 "IpProtocol=ALL&SourceCidrIp=0.0.0.0/0&Description=http://a"},
		{"InvalidIpProtocol.ValueNotSupported", "a good rule before a bad one",
		 "Permissions.1.IpProtocol=ALL&Permissions.1.SourceCidrIp=0.0.0.0/"
		 "0&Permissions.2.IpProtocol=X"},
	};
	const char *other = harness_get(h, ALICE, PRODUCT_VPC, "VpcId", "CreateVpc", REGION);
	const char *foreign = GET(h, "SecurityGroupId", "CreateSecurityGroup", REGION "VpcId=%s", other);

	harness_in_force(h, "alpha");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		REFUSED(h, cases[i].code, cases[i].why, "AuthorizeSecurityGroup",
			REGION "SecurityGroupId=%s&%s", w->group, cases[i].params);
	REFUSED(h, "InvalidSourceGroupId.Mismatch", "a group of another VPC", "AuthorizeSecurityGroup",
		REGION "SecurityGroupId=%s&IpProtocol=ALL&SourceGroupId=%s", w->group, foreign);
	REFUSED(h, "InvalidParamter.Conflict", "its own group", "AuthorizeSecurityGroup",
		REGION "SecurityGroupId=%s&IpProtocol=ALL&SourceGroupId=%s", w->group, w->group);
	REFUSED(h, "MissingParameter.Dest", "no destination", "AuthorizeSecurityGroupEgress",
		REGION "SecurityGroupId=%s&IpProtocol=ALL&SourceCidrIp=0.0.0.0/0", w->group);
	harness_refused(h, BOB, PRODUCT_ECS, "InvalidSecurityGroupId.NotFound", "someone else's group",
			"AuthorizeSecurityGroup",
			REGION "SecurityGroupId=%s&IpProtocol=ALL&SourceCidrIp=0.0.0.0/0", w->group);
	REFUSED(h, "InvalidVpcId.NotFound", "an unknown VPC", "CreateSecurityGroup", REGION "VpcId=vpc-none");
	REFUSED(h, "MissingVpcId", "no VPC", "CreateSecurityGroup", REGION);
	REFUSED(h, "InvalidSecurityGroupName.Malformed", "a name that begins with a digit",
		"CreateSecurityGroup", REGION "VpcId=%s&SecurityGroupName=1a", w->vpc);
	REFUSED(h, "InvalidSecurityGroupRuleId.NotFound", "an unknown rule", "RevokeSecurityGroup",
		REGION "SecurityGroupId=%s&SecurityGroupRuleId.1=sgr-none", w->group);
	harness_refused(h, ALICE, PRODUCT_VPC, "DependencyViolation.SecurityGroup", "with a group inside",
			"DeleteVpc", "VpcId=%s", other);
}

static void test_rule_limits(struct harness *h, const struct world *w)
{
	const char *group = GET(h, "SecurityGroupId", "CreateSecurityGroup", REGION "VpcId=%s", w->vpc);
	char form[8192];
	int n = 0;

	while (n < RULES_PER_GROUP_MAX) {
		size_t used = (size_t)snprintf(form, sizeof(form), REGION "SecurityGroupId=%s", group);

		for (int i = 1; i <= 50; i++, n++)
			used += (size_t)snprintf(
				form + used, sizeof(form) - used,
				"&Permissions.%d.IpProtocol=TCP&Permissions.%d.PortRange=%d/%d"
				"&Permissions.%d.SourceCidrIp=0.0.0.0/0",
				i, i, n + 1, n + 1, i);
		if (!harness_run(h, ALICE, PRODUCT_ECS, "AuthorizeSecurityGroup", form))
			break;
	}
	tap_is_int(n, RULES_PER_GROUP_MAX, "a group takes %d rules", RULES_PER_GROUP_MAX);
	REFUSED(h, "AuthorizationLimitExceed", "one more", "AuthorizeSecurityGroup",
		REGION "SecurityGroupId=%s&IpProtocol=ALL&SourceCidrIp=0.0.0.0/0", group);
	tap_ok(CALL(h, "DeleteSecurityGroup", REGION "SecurityGroupId=%s", group),
	       "a full group can be deleted");
	for (int i = 0; i < 100 && snapshot_count(store_rows(h->store), KIND_SG_RULE, group) > 0; i++)
		harness_must(loop_turn(h->loop, 100), "turn");
	tap_is_int(snapshot_count(store_rows(h->store), KIND_SG_RULE, group), 0,
		   "and the sweep leaves no rules behind");
}

static void test_rules_naming_groups(struct harness *h, const struct world *w)
{
	const char *group = GET(h, "SecurityGroupId", "CreateSecurityGroup", REGION "VpcId=%s", w->vpc);
	int n = 0;

	while (n <= RULES_NAMING_GROUPS_MAX &&
	       CALL(h, "AuthorizeSecurityGroup",
		    REGION "SecurityGroupId=%s&IpProtocol=TCP&PortRange=%d/%d&SourceGroupId=%s", group, n + 1,
		    n + 1, w->group))
		n++;
	tap_is_int(n, RULES_NAMING_GROUPS_MAX, "%d rules of a group can name another one",
		   RULES_NAMING_GROUPS_MAX);
	tap_is_str(h->error.code, "AuthorizationLimitExceed", "one more is refused by its code");
	tap_is_int(h->error.status, 403, "and status");
	tap_ok(CALL(h, "AuthorizeSecurityGroup",
		    REGION "SecurityGroupId=%s&IpProtocol=ALL&SourceCidrIp=0.0.0.0/0", group),
	       "a rule that names an address range is taken");
	CALL(h, "DeleteSecurityGroup", REGION "SecurityGroupId=%s", group);
}

/* The largest call: all rules that it can have, and as many of them as can name a group of their own. */
static void test_many_rules(struct harness *h, const struct world *w)
{
	const char *group = GET(h, "SecurityGroupId", "CreateSecurityGroup", REGION "VpcId=%s", w->vpc),
		   *others[20];
	char form[16384];
	size_t used;

	_Static_assert(ARRAY_SIZE(others) == RULES_NAMING_GROUPS_MAX, "a group for each");
	for (int i = 0; i < RULES_NAMING_GROUPS_MAX; i++)
		others[i] = GET(h, "SecurityGroupId", "CreateSecurityGroup", REGION "VpcId=%s", w->vpc);
	used = (size_t)snprintf(form, sizeof(form), REGION "ClientToken=rules&SecurityGroupId=%s", group);
	for (int i = 1; i <= RULES_PER_CALL_MAX; i++) {
		bool named = i <= RULES_NAMING_GROUPS_MAX;

		used += (size_t)snprintf(form + used, sizeof(form) - used,
					 "&Permissions.%d.IpProtocol=TCP&Permissions.%d.PortRange=%d/%d"
					 "&Permissions.%d.%s=%s",
					 i, i, i, i, i, named ? "SourceGroupId" : "SourceCidrIp",
					 named ? others[i - 1] : "0.0.0.0/0");
	}
	tap_ok(harness_run(h, ALICE, PRODUCT_ECS, "AuthorizeSecurityGroup", form),
	       "%d rules are added by one call, %d of them for groups", RULES_PER_CALL_MAX,
	       RULES_NAMING_GROUPS_MAX);
	if (h->error.code[0])
		tap_note("%s", h->error.code);
	(void)snprintf(form + used, sizeof(form) - used, "&Permissions.%d.IpProtocol=ALL",
		       RULES_PER_CALL_MAX + 1);
	harness_run(h, ALICE, PRODUCT_ECS, "AuthorizeSecurityGroup", form);
	tap_is_str(h->error.code, "InvalidParameter.Permissions", "one more is refused");
	CALL(h, "DeleteSecurityGroup", REGION "SecurityGroupId=%s", group);
	for (int i = 0; i < RULES_NAMING_GROUPS_MAX; i++)
		CALL(h, "DeleteSecurityGroup", REGION "SecurityGroupId=%s", others[i]);
}

static const char *instance_status(struct harness *h, const char *id)
{
	CALL(h, "DescribeInstances", REGION "InstanceIds=%%5B%%22%s%%22%%5D", id);
	return harness_count_of(h, "Instances.Instance") == 1 ? harness_text(h, "Instances.Instance.0.Status")
							      : "gone";
}

static const char *run_instance(struct harness *h, const struct world *w, const char *more)
{
	if (!CALL(h, "RunInstances", REGION "VSwitchId=%s&SecurityGroupId=%s&%s", w->vsw_h, w->group, more)) {
		tap_note("RunInstances: %s", h->error.code);
		return "none";
	}
	return harness_keep(h, harness_text(h, "InstanceIdSets.InstanceIdSet.0"));
}

/* What all instances have in common, or none has. A filter that is not known would match everything. */
static void check_filters(struct harness *h, const struct world *w)
{
	static const struct {
		const char *form;
		int n;
	} cases[] = {
		{"InstanceChargeType=PostPaid", 5},
		{"InstanceChargeType=PrePaid", 0},
		{"IoOptimized=true", 5},
		{"IoOptimized=false", 0},
		{"DeviceAvailable=false", 0},
		{"PublicIpAddresses=%5B%22192.0.2.1%22%5D", 0},
		{"EipAddresses=%5B%22192.0.2.1%22%5D", 0},
		{"InnerIpAddresses=%5B%22192.0.2.1%22%5D", 0},
		{"Ipv6Address.1=fd00%3A%3A1", 0},
		{"KeyPairName=mine", 0},
		{"LockReason=financial", 0},
		{"InstanceTypeFamily=ecs.g6", 0},
		{"Filter.1.Key=CreationStartTime&Filter.1.Value=2020-01-02T03:04Z", 5},
		{"Filter.1.Key=CreationStartTime&Filter.1.Value=2020-01-02T03:04:05Z", 5},
		{"Filter.1.Key=CreationStartTime&Filter.1.Value=9000-01-02T03:04Z", 0},
		{"Filter.1.Key=CreationEndTime&Filter.1.Value=9000-01-02T03:04Z", 5},
		{"Filter.1.Key=CreationEndTime&Filter.1.Value=2020-01-02T03:04Z", 0},
		{"Filter.1.Key=CreationEndTime&Filter.1.Value=9000-01-02T03:04Z"
		 "&Filter.2.Key=CreationStartTime&Filter.2.Value=9000-01-02T03:04Z",
		 0},
		{"Filter.1.Key=ExpiredStartTime&Filter.1.Value=2020-01-02T03:04Z", 0},
		{"Filter.1.Key=ExpiredEndTime&Filter.1.Value=9000-01-02T03:04Z", 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CALL(h, "DescribeInstances", REGION "VpcId=%s&%s", w->vpc, cases[i].form);
		tap_is_int(harness_number(h, "TotalCount"), cases[i].n, "%d with %s", cases[i].n,
			   cases[i].form);
	}
	REFUSED(h, "InvalidParameter.Filter.1.Key", "a time that there is not", "DescribeInstances",
		REGION "Filter.1.Key=StartTime&Filter.1.Value=2020-01-02T03:04Z");
	REFUSED(h, "InvalidParameter.Filter.2.Value", "a time that is none", "DescribeInstances",
		REGION "Filter.1.Key=CreationStartTime&Filter.1.Value=2020-01-02T03:04Z"
		       "&Filter.2.Key=CreationEndTime&Filter.2.Value=2020-13-02T03:04Z");
	CALL(h, "DescribeNetworkInterfaces", REGION "VpcId=%s&Ipv6Address.1=fd00%%3A%%3A1", w->vpc);
	tap_is_int(harness_number(h, "TotalCount"), 0, "no interface has an IPv6 address");
}

static void test_instance_life(struct harness *h, const struct world *w)
{
	const char *id = run_instance(h, w,
				      "InstanceName=web-1&PrivateIpAddress=10.0.1.20&ImageId=debian&"
				      "InstanceType=ecs.g7.large");
	const char *eni;
	int i;

	tap_is_str(instance_status(h, id), "Pending", "a new instance is Pending");
	tap_is_str(harness_text(h, "Instances.Instance.0.VpcAttributes.PrivateIpAddress.IpAddress.0"),
		   "10.0.1.20", "with the wanted address");
	tap_is_str(harness_text(h, "Instances.Instance.0.ImageId"), "debian", "its image is kept");
	tap_is_str(harness_text(h, "Instances.Instance.0.SecurityGroupIds.SecurityGroupId.0"), w->group,
		   "it is in its group");
	eni = harness_keep(
		h,
		harness_text(h,
			     "Instances.Instance.0.NetworkInterfaces.NetworkInterface.0.NetworkInterfaceId"));
	CALL(h, "DescribeNetworkInterfaces", REGION "NetworkInterfaceId.1=%s", eni);
	tap_is_str(harness_text(h, "NetworkInterfaceSets.NetworkInterfaceSet.0.Status"), "Attaching",
		   "its interface is Attaching");
	tap_is_str(harness_text(h, "NetworkInterfaceSets.NetworkInterfaceSet.0.InstanceId"), id,
		   "and names it");
	harness_in_force(h, "alpha");
	tap_is_str(instance_status(h, id), "Running", "it is Running when the node has reported");
	CALL(h, "DescribeNetworkInterfaces", REGION "InstanceId=%s&ServiceManaged=false", id);
	tap_is_str(harness_text(h, "NetworkInterfaceSets.NetworkInterfaceSet.0.Status"), "InUse",
		   "its interface is InUse");
	harness_call(h, ALICE, PRODUCT_VPC, "DescribeVSwitchAttributes", "VSwitchId=%s", w->vsw_h);
	tap_is_int(harness_number(h, "AvailableIpAddressCount"), 251, "its address counts as taken");

	REFUSED(h, "InvalidPrivateIpAddress.Duplicated", "a taken address", "RunInstances",
		REGION "VSwitchId=%s&SecurityGroupId=%s&PrivateIpAddress=10.0.1.20", w->vsw_h, w->group);
	REFUSED(h, "IncorrectInstanceStatus", "a running one without force", "DeleteInstance",
		"InstanceId=%s", id);
	REFUSED(h, "IncorrectInstanceStatus", "a running one", "StartInstance", "InstanceId=%s", id);
	harness_refused(h, ALICE, PRODUCT_VPC, "DependencyViolation", "with an instance inside",
			"DeleteVSwitch", "VSwitchId=%s", w->vsw_h);
	REFUSED(h, "DependencyViolation", "a group with a member", "DeleteSecurityGroup",
		REGION "SecurityGroupId=%s", w->group);

	tap_ok(CALL(h, "StopInstance", "InstanceId=%s", id), "it can be stopped");
	tap_is_str(instance_status(h, id), "Stopping", "it is Stopping");
	harness_in_force(h, "alpha");
	tap_is_str(instance_status(h, id), "Stopped", "then Stopped");
	tap_ok(CALL(h, "StartInstance", "InstanceId=%s", id), "and started");
	harness_in_force(h, "alpha");
	tap_is_str(instance_status(h, id), "Running", "and is Running again");

	tap_ok(CALL(h, "DeleteInstance", "InstanceId=%s&Force=true", id), "it can be deleted by force");
	REFUSED(h, "InvalidPrivateIpAddress.Duplicated", "its address until it is gone", "RunInstances",
		REGION "VSwitchId=%s&SecurityGroupId=%s&PrivateIpAddress=10.0.1.20", w->vsw_h, w->group);
	harness_in_force(h, "alpha");
	tap_is_str(instance_status(h, id), "gone", "it is gone when the node has reported");
	harness_call(h, ALICE, PRODUCT_VPC, "DescribeVSwitchAttributes", "VSwitchId=%s", w->vsw_h);
	tap_is_int(harness_number(h, "AvailableIpAddressCount"), 252, "and its address is free");

	CALL(h, "RunInstances",
	     REGION "VSwitchId=%s&SecurityGroupIds.1=%s&Amount=5&PrivateIpAddress=10.0.1.100", w->vsw_h,
	     w->group);
	tap_is_int(harness_count_of(h, "InstanceIdSets.InstanceIdSet"), 5, "five at once");
	CALL(h, "DescribeInstances", REGION "PrivateIpAddresses=%%5B%%2210.0.1.104%%22%%5D");
	tap_is_int(harness_number(h, "TotalCount"), 1, "have addresses that follow the wanted one");
	CALL(h, "DescribeInstances", REGION "VpcId=%s&MaxResults=2", w->vpc);
	for (i = 1; harness_text(h, "NextToken"); i++)
		CALL(h, "DescribeInstances", REGION "VpcId=%s&MaxResults=2&NextToken=%s", w->vpc,
		     harness_keep(h, harness_text(h, "NextToken")));
	tap_is_int(i, 3, "and are listed on three pages of two");
	check_filters(h, w);
	harness_call(h, BOB, PRODUCT_ECS, "DescribeInstances", REGION);
	tap_is_int(harness_number(h, "TotalCount"), 0, "another account sees none of them");
	harness_in_force(h, "alpha");
}

static void test_bad_instances(struct harness *h, const struct world *w)
{
	static const struct {
		const char *code, *why, *params;
	} cases[] = {
		{"InvalidPrivateIpAddress.Malformed", "a broken address", "PrivateIpAddress=10.0.1"},
		{"InvalidPrivateIpAddress.Malformed", "an IPv6 address", "PrivateIpAddress=fd00::1"},
		{"InvalidPrivateIpAddress", "an address outside", "PrivateIpAddress=10.0.9.1"},
		{"InvalidPrivateIpAddress", "the first address", "PrivateIpAddress=10.0.1.0"},
		{"InvalidPrivateIpAddress", "the gateway's address", "PrivateIpAddress=10.0.1.253"},
		{"InvalidPrivateIpAddress", "the last address", "PrivateIpAddress=10.0.1.255"},
		{"InvalidInstanceName.Malformed", "a bad name", "InstanceName=1"},
		{"InvalidHostName.Malformed", "a bad host name", "HostName=-a"},
		{"InvalidDescription.Malformed", "a bad description", "Description=http://a"},
		{"InvalidParameter.Amount", "no instance", "Amount=0"},
		{"InvalidParameter.Amount", "too many", "Amount=26"},
		{"InvalidParameter.Mismatch", "another zone", "ZoneId=cn-hangzhou-i"},
		{"InvalidDeletionProtection.ValueNotSupported", "protection, which is not kept",
		 "DeletionProtection=true"},
		{"InvalidInternetMaxBandwidthOut.ValueNotSupported", "a public address",
		 "InternetMaxBandwidthOut=1"},
		{"InvalidIpv6AddressCount.ValueNotSupported", "an address of IPv6", "Ipv6AddressCount=1"},
		{"InvalidIpv6Address.ValueNotSupported", "one that is named", "Ipv6Address.1=2001:db8::1"},
		{"InvalidAutoReleaseTime.ValueNotSupported", "an end",
		 "AutoReleaseTime=2026-01-02T03:04:05Z"},
		{"DryRunOperation", "a dry run", "DryRun=true"},
	};
	const char *other = harness_get(h, ALICE, PRODUCT_VPC, "VpcId", "CreateVpc", REGION);
	const char *foreign = GET(h, "SecurityGroupId", "CreateSecurityGroup", REGION "VpcId=%s", other);

	harness_in_force(h, "alpha");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		REFUSED(h, cases[i].code, cases[i].why, "RunInstances",
			REGION "VSwitchId=%s&SecurityGroupId=%s&%s", w->vsw_h, w->group, cases[i].params);
	REFUSED(h, "DryRunOperation", "a dry run that asks for nothing that is not here", "RunInstances",
		REGION "VSwitchId=%s&SecurityGroupId=%s&DeletionProtection=false&InternetMaxBandwidthOut=0"
		       "&Ipv6AddressCount=0&AutoReleaseTime=&DryRun=true",
		w->vsw_h, w->group);
	REFUSED(h, "MissingVSwitchId", "no vSwitch", "RunInstances", REGION "SecurityGroupId=%s", w->group);
	REFUSED(h, "MissingSecurityGroupId", "no group", "RunInstances", REGION "VSwitchId=%s", w->vsw_h);
	REFUSED(h, "InvalidVSwitchId.NotFound", "an unknown vSwitch", "RunInstances",
		REGION "VSwitchId=vsw-none&SecurityGroupId=%s", w->group);
	REFUSED(h, "InvalidSecurityGroupId.NotFound", "an unknown group", "RunInstances",
		REGION "VSwitchId=%s&SecurityGroupId=sg-none", w->vsw_h);
	REFUSED(h, "InvalidParameter.Mismatch", "a group of another VPC", "RunInstances",
		REGION "VSwitchId=%s&SecurityGroupId=%s", w->vsw_h, foreign);
	harness_refused(h, BOB, PRODUCT_ECS, "InvalidVSwitchId.NotFound", "someone else's vSwitch",
			"RunInstances", REGION "VSwitchId=%s&SecurityGroupId=%s", w->vsw_h, w->group);
	REFUSED(h, "InvalidInstanceId.NotFound", "an unknown instance", "StopInstance", "InstanceId=i-none");
	REFUSED(h, "InvalidInstanceId.NotFound", "an unknown instance", "DeleteInstance",
		"InstanceId=i-none");

	/* A /28 has 16 - 4 = 12 addresses. With one taken in their midst no two of a call may find the same.
	 */
	tap_ok(CALL(h, "RunInstances", REGION "VSwitchId=%s&SecurityGroupId=%s&PrivateIpAddress=10.0.2.5",
		    w->vsw_i, w->group) &&
		       CALL(h, "RunInstances", REGION "VSwitchId=%s&SecurityGroupId=%s&Amount=11", w->vsw_i,
			    w->group),
	       "a /28 takes twelve instances");
	harness_in_force(h, "alpha");
	REFUSED(h, "InvalidVSwitchId.IpNotEnough", "the thirteenth", "RunInstances",
		REGION "VSwitchId=%s&SecurityGroupId=%s", w->vsw_i, w->group);
}

static void test_races(struct harness *h, const struct world *w)
{
	char first[512], second[512];

	(void)snprintf(first, sizeof(first),
		       REGION "VSwitchId=%s&SecurityGroupId=%s&PrivateIpAddress=10.0.1.200", w->vsw_h,
		       w->group);
	tap_is_int(harness_race(h, ALICE, PRODUCT_ECS, "RunInstances", first, first), 1,
		   "of two instances that want one address at once, one gets it");
	tap_is_str(h->error.code, "InvalidPrivateIpAddress.Duplicated", "and the other one is told so");
	(void)snprintf(first, sizeof(first), REGION "VSwitchId=%s&SecurityGroupId=%s&Amount=5", w->vsw_h,
		       w->group);
	tap_is_int(harness_race(h, ALICE, PRODUCT_ECS, "RunInstances", first, first), 2,
		   "ten instances that want any address get ten");
	(void)snprintf(first, sizeof(first), "VpcId=%s&ZoneId=cn-hangzhou-h&CidrBlock=10.0.128.0/20", w->vpc);
	(void)snprintf(second, sizeof(second), "VpcId=%s&ZoneId=cn-hangzhou-i&CidrBlock=10.0.136.0/24",
		       w->vpc);
	tap_is_int(harness_race(h, ALICE, PRODUCT_VPC, "CreateVSwitch", first, second), 1,
		   "of two vSwitches that overlap, one is made");
	tap_is_str(h->error.code, "InvalidCidrBlock.Overlapped", "and the other one is told so");
	(void)snprintf(first, sizeof(first), REGION "VpcId=%s&ClientToken=same", w->vpc);
	tap_is_int(harness_race(h, ALICE, PRODUCT_ECS, "CreateSecurityGroup", first, first), 2,
		   "two calls with one token both succeed");
	CALL(h, "DescribeSecurityGroups", REGION "VpcId=%s&SecurityGroupName=", w->vpc);
	tap_is_int(harness_number(h, "TotalCount"), 2, "and make one group");
}

static void test_quotas(void)
{
	struct harness h;
	struct world w;
	const char *big;
	int n;

	harness_begin(&h);
	harness_node(&h, "alpha", "");
	w = make_world(&h, ALICE);
	for (n = 1; n <= SECURITY_GROUPS_PER_ACCOUNT_MAX; n++)
		if (!CALL(&h, "CreateSecurityGroup", REGION "VpcId=%s", w.vpc))
			break;
	tap_is_int(n, SECURITY_GROUPS_PER_ACCOUNT_MAX, "an account has as many security groups as its quota");
	tap_is_str(h.error.code, "QuotaExceed.SecurityGroup", "one more is refused by its code");

	big = harness_get(&h, ALICE, PRODUCT_VPC, "VSwitchId", "CreateVSwitch",
			  "VpcId=%s&ZoneId=cn-hangzhou-j&CidrBlock=10.0.64.0/18", w.vpc);
	for (n = 0; n <= INSTANCES_PER_ACCOUNT_MAX; n += INSTANCES_PER_CALL_MAX)
		if (!CALL(&h, "RunInstances", REGION "VSwitchId=%s&SecurityGroupId=%s&Amount=%d", big,
			  w.group, INSTANCES_PER_CALL_MAX))
			break;
	tap_is_int(n, INSTANCES_PER_ACCOUNT_MAX, "an account has as many instances as its quota");
	tap_is_str(h.error.code, "QuotaExceed.Instance", "one more is refused by its code");
	harness_call(&h, ALICE, PRODUCT_VPC, "DescribeVSwitchAttributes", "VSwitchId=%s", big);
	tap_is_int(harness_number(&h, "AvailableIpAddressCount"), 16380 - INSTANCES_PER_ACCOUNT_MAX,
		   "each has an address of its own");
	harness_end(&h);
}

/* The largest call: every instance on a node of its own, in as many groups as it can be. */
static void test_largest_call(void)
{
	struct harness h;
	struct world w;
	char form[2048];
	size_t used;

	harness_begin(&h);
	for (int i = 0; i < INSTANCES_PER_CALL_MAX; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "node%d", i);
		harness_node(&h, name, "");
	}
	w = make_world(&h, ALICE);
	used = (size_t)snprintf(form, sizeof(form),
				REGION "VSwitchId=%s&Amount=%d&ClientToken=t&SecurityGroupIds.1=%s", w.vsw_h,
				INSTANCES_PER_CALL_MAX, w.group);
	for (int i = 2; i <= SECURITY_GROUPS_MAX; i++)
		used += (size_t)snprintf(
			form + used, sizeof(form) - used, "&SecurityGroupIds.%d=%s", i,
			GET(&h, "SecurityGroupId", "CreateSecurityGroup", REGION "VpcId=%s", w.vpc));
	tap_ok(CALL(&h, "RunInstances", "%s", form), "%d instances start on as many nodes by one call",
	       INSTANCES_PER_CALL_MAX);
	if (h.error.code[0])
		tap_note("%s", h.error.code);
	harness_refused(&h, ALICE, PRODUCT_ECS, "InvalidParameter.Amount", "one more", "RunInstances",
			REGION "VSwitchId=%s&SecurityGroupId=%s&Amount=%d", w.vsw_h, w.group,
			INSTANCES_PER_CALL_MAX + 1);
	harness_end(&h);
}

static int count_on(const struct harness *h, const char *node, const char *vswitch)
{
	int n = 0;

	for (const struct instance *i = NULL;
	     (i = snapshot_next(store_rows(h->store), KIND_INSTANCE, "", i));)
		n += streq(i->node, node) && streq(i->vswitch, vswitch);
	return n;
}

static void test_places_on_nodes(void)
{
	struct harness h;
	struct world w;

	harness_begin(&h);
	w = make_world(&h, ALICE);
	REFUSED(&h, "OperationDenied.NoStock", "without a node", "RunInstances",
		REGION "VSwitchId=%s&SecurityGroupId=%s", w.vsw_h, w.group);
	harness_node(&h, "beta", "cn-hangzhou-i");
	REFUSED(&h, "OperationDenied.NoStock", "without a node of the zone", "RunInstances",
		REGION "VSwitchId=%s&SecurityGroupId=%s", w.vsw_h, w.group);
	harness_node(&h, "alpha", "");
	harness_node(&h, "gamma", "cn-hangzhou-h cn-hangzhou-k");
	tap_ok(CALL(&h, "RunInstances", REGION "VSwitchId=%s&SecurityGroupId=%s&Amount=4", w.vsw_h, w.group),
	       "with two nodes that serve the zone four instances start");
	tap_is_int(count_on(&h, "alpha", w.vsw_h), 2, "two of them on the one");
	tap_is_int(count_on(&h, "gamma", w.vsw_h), 2, "two on the other");
	CALL(&h, "RunInstances", REGION "VSwitchId=%s&SecurityGroupId=%s&Amount=2", w.vsw_i, w.group);
	tap_is_int(count_on(&h, "beta", w.vsw_i), 2, "two in another zone go to the node that has fewest");
	harness_end(&h);
}

/* It was lost, is being deleted with what is on it, and reports again before that has gone. */
static void test_no_place_on_node_that_goes(void)
{
	struct node node = {.name = "beta", .number = 7, .mtu = 1500};
	struct instance old = {.id = "i-old", .owner = ALICE, .node = "beta", .status = INSTANCE_RUNNING};
	struct harness h;
	struct world w;

	harness_begin(&h);
	harness_node(&h, "alpha", "");
	w = make_world(&h, ALICE);
	harness_put(&h, KIND_NODE, &node);
	harness_put(&h, KIND_INSTANCE, &old);
	harness_call(&h, ROOT, PRODUCT_PRIVLINK, "DeleteNode", "NodeName=beta&Force=true");
	harness_report(&h, "beta", NULL, 0);
	tap_ok(snapshot_node(store_rows(h.store), "beta") && control_node_live(h.control, "beta"),
	       "a node that is being deleted reports again");
	tap_ok(CALL(&h, "RunInstances", REGION "VSwitchId=%s&SecurityGroupId=%s&Amount=4", w.vsw_h, w.group),
	       "then instances start");
	tap_is_int(count_on(&h, "alpha", w.vsw_h), 4, "on the other node, all of them");
	harness_refused(&h, ROOT, PRODUCT_PRIVLINK, "InvalidNodeName.NotFound", "the node that goes",
			"AttachInstance",
			REGION "AccountId=%lld&VSwitchId=%s&SecurityGroupId=%s&Kind=tap&Device=tap1"
			       "&NodeName=beta",
			(long long)ALICE, w.vsw_h, w.group);
	harness_in_force(&h, "alpha");
	tap_ok(!snapshot_node(store_rows(h.store), "beta") &&
		       snapshot_count(store_rows(h.store), KIND_INSTANCE, "") == 4,
	       "the one that reported again goes with what was on it, and nothing else does");
	harness_end(&h);
}

static void test_attach(struct harness *h, const struct world *w)
{
	static const struct {
		const char *code, *why, *params;
	} cases[] = {
		{"MissingKind", "no kind", "Path=/run/netns/a"},
		{"InvalidParameter.Kind", "an unknown kind", "Kind=vm"},
		{"MissingPath", "a namespace without a path", "Kind=netns"},
		{"InvalidPath.Malformed", "a path upwards", "Kind=netns&Path=/run/../etc/passwd"},
		{"InvalidPath.Malformed", "a relative path", "Kind=netns&Path=a"},
		{"MissingDevice", "a tap without a name", "Kind=tap"},
		{"InvalidDevice.Malformed", "a long name", "Kind=tap&Device=tap0123456789abc"},
		{"InvalidDevice.Malformed", "a name with a slash", "Kind=tap&Device=a/b"},
		{"InvalidDevice.Malformed", "a name of the agent's own", "Kind=tap&Device=pl1f"},
		{"InvalidNodeName.NotFound", "an unknown node", "Kind=tap&Device=tap1&NodeName=delta"},
		{"InvalidDevice.Duplicated", "an attached device again", "Kind=netns&Path=/run/netns/box"},
		{"InvalidPrivateIpAddress", "an address outside",
		 "Kind=tap&Device=tap1&PrivateIpAddress=10.9.9.9"},
	};
	const char *id;

	tap_ok(harness_call(h, ROOT, PRODUCT_PRIVLINK, "AttachInstance",
			    REGION
			    "AccountId=%lld&VSwitchId=%s&SecurityGroupId=%s&Kind=netns&Path=/run/netns/box"
			    "&InstanceName=box",
			    (long long)ALICE, w->vsw_h, w->group),
	       "an administrator makes a namespace an instance of an account");
	tap_is_str(harness_text(h, "NodeName"), "alpha", "on the only node");
	id = harness_keep(h, harness_text(h, "InstanceId"));
	tap_ok(harness_call(h, ROOT, PRODUCT_PRIVLINK, "GetInstance", REGION "InstanceId=%s", id) &&
		       streq(harness_text(h, "Status"), "Pending") && harness_number(h, "AccountId") == ALICE,
	       "and is told what becomes of it");
	harness_refused(h, ALICE, PRODUCT_PRIVLINK, "Forbidden", "an ordinary account", "GetInstance",
			REGION "InstanceId=%s", id);
	harness_refused(h, ROOT, PRODUCT_PRIVLINK, "InvalidInstanceId.NotFound", "an unknown instance",
			"GetInstance", REGION "InstanceId=i-none");
	CALL(h, "DescribeInstances", REGION "InstanceName=box");
	tap_is_int(harness_number(h, "TotalCount"), 1, "the account sees it");
	CALL(h, "DescribeInstances", REGION "InstanceName=box&ResourceGroupId=rg-none");
	tap_is_int(harness_number(h, "TotalCount"), 0, "in no resource group");
	harness_in_force(h, "alpha");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		harness_refused(h, ROOT, PRODUCT_PRIVLINK, cases[i].code, cases[i].why, "AttachInstance",
				REGION "AccountId=%lld&VSwitchId=%s&SecurityGroupId=%s&%s", (long long)ALICE,
				w->vsw_h, w->group, cases[i].params);
	harness_refused(h, ROOT, PRODUCT_PRIVLINK, "AccountNotFound", "an unknown account", "AttachInstance",
			REGION "AccountId=1&VSwitchId=%s&SecurityGroupId=%s&Kind=tap&Device=tap1", w->vsw_h,
			w->group);
	harness_refused(h, ROOT, PRODUCT_PRIVLINK, "InvalidVSwitchId.NotFound",
			"a vSwitch of another account", "AttachInstance",
			REGION "VSwitchId=%s&SecurityGroupId=%s&Kind=tap&Device=tap1", w->vsw_h, w->group);
	harness_refused(h, ALICE, PRODUCT_PRIVLINK, "Forbidden", "an ordinary account", "AttachInstance",
			REGION "VSwitchId=%s&SecurityGroupId=%s&Kind=tap&Device=tap1", w->vsw_h, w->group);
	tap_ok(harness_call(
		       h, ROOT, PRODUCT_PRIVLINK, "AttachInstance",
		       REGION
		       "AccountId=%lld&VSwitchId=%s&SecurityGroupId=%s&Kind=tap&Device=tap1&NodeName=alpha",
		       (long long)ALICE, w->vsw_h, w->group) &&
		       harness_text(h, "MacAddress"),
	       "a tap gets a MAC for its guest");
}

int main(void)
{
	struct harness h;
	struct world w;

	harness_begin(&h);
	harness_node(&h, "alpha", "");
	w = make_world(&h, ALICE);
	harness_in_force(&h, "alpha");
	test_group_life(&h, &w);
	test_rules(&h, &w);
	test_rule_texts(&h, &w);
	test_bad_rules(&h, &w);
	test_rule_limits(&h, &w);
	test_rules_naming_groups(&h, &w);
	test_many_rules(&h, &w);
	test_instance_life(&h, &w);
	test_bad_instances(&h, &w);
	test_attach(&h, &w);
	test_races(&h, &w);
	harness_end(&h);
	test_places_on_nodes();
	test_no_place_on_node_that_goes();
	test_quotas();
	test_largest_call();
	return tap_done();
}
