/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resource groups through the framework: their life, what is in them, and every refusal.
 */
#include "api_harness.h"

#include "api/common/quota_defaults.h"

#define RM(h, ...)	harness_call(h, ALICE, PRODUCT_RESOURCEMANAGER, __VA_ARGS__)
#define REFUSED(h, ...) harness_refused(h, ALICE, PRODUCT_RESOURCEMANAGER, __VA_ARGS__)
#define REGION		"RegionId=cn-hangzhou&"
#define NODE		"alpha"
#define DEFAULT		"rg-acct1000000000000001"

static const char *new_group(struct harness *h, const char *name)
{
	if (!RM(h, "CreateResourceGroup", "Name=%s&DisplayName=Team+%s", name, name))
		tap_note("%s", h->error.code);
	return harness_keep(h, harness_text(h, "ResourceGroup.Id"));
}

static void test_default(struct harness *h)
{
	RM(h, "ListResourceGroups", "PageNumber=1&PageSize=50&Status=OK");
	tap_is_int(harness_count_of(h, "ResourceGroups.ResourceGroup"), 1, "an account has one group");
	tap_is_str(harness_text(h, "ResourceGroups.ResourceGroup.0.Id"), DEFAULT, "whose id is its own");
	tap_is_str(harness_text(h, "ResourceGroups.ResourceGroup.0.Name"), "default", "the default one");
	tap_is_str(harness_text(h, "ResourceGroups.ResourceGroup.0.Status"), "OK", "which is OK");
	tap_is_str(harness_text(h, "ResourceGroups.ResourceGroup.0.AccountId"), "1000000000000001",
		   "and has the account's number, as a text");
	tap_is_int(harness_number(h, "TotalCount"), 1, "the total counts it");
	tap_ok(RM(h, "GetResourceGroup", "ResourceGroupId=" DEFAULT), "it can be shown");
	tap_is_str(harness_text(h, "ResourceGroup.Name"), "default", "by its name");
	tap_ok(harness_count_of(h, "ResourceGroup.RegionStatuses.RegionStatus") > 1, "it is in every region");
	REFUSED(h, "OperationDenied.DefaultResourceGroup", "the default one", "DeleteResourceGroup",
		"ResourceGroupId=%s", DEFAULT);
	REFUSED(h, "EntityNotExists.ResourceGroup", "another account's default one", "GetResourceGroup",
		"ResourceGroupId=%s", "rg-acct1000000000000002");
}

static void test_life(struct harness *h)
{
	const char *group = new_group(h, "web"), *other = new_group(h, "Mail-2");

	tap_ok(str_starts(group, "rg-") && strlen(group) == 23, "a new group has an id: %s", group);
	RM(h, "GetResourceGroup", "ResourceGroupId=%s", group);
	tap_is_str(harness_text(h, "ResourceGroup.DisplayName"), "Team web", "and is there at once");
	RM(h, "ListResourceGroups", "PageSize=2&PageNumber=1");
	tap_is_int(harness_count_of(h, "ResourceGroups.ResourceGroup"), 2, "lists come in pages");
	tap_is_str(harness_text(h, "ResourceGroups.ResourceGroup.0.Id"), DEFAULT, "the default group first");
	RM(h, "ListResourceGroups", "PageSize=2&PageNumber=2");
	tap_is_int(harness_count_of(h, "ResourceGroups.ResourceGroup"), 1, "with the rest on the last one");
	RM(h, "ListResourceGroups", "Name=ail");
	tap_is_str(harness_text(h, "ResourceGroups.ResourceGroup.0.Id"), other,
		   "a part of the name finds it");
	tap_is_int(harness_number(h, "TotalCount"), 1, "and no other");
	RM(h, "ListResourceGroups", "DisplayName=Team");
	tap_is_int(harness_number(h, "TotalCount"), 2, "so does a part of the display name");
	RM(h, "ListResourceGroups", "ResourceGroupIds=[\"%s\",\"" DEFAULT "\"]&ResourceGroupId=%s", group,
	   other);
	tap_is_int(harness_number(h, "TotalCount"), 2, "a list of ids counts before the single one");
	RM(h, "ListResourceGroups", "ResourceGroupId=rg-none");
	tap_is_int(harness_count_of(h, "ResourceGroups.ResourceGroup"), 0,
		   "an unknown id gives an empty list");
	RM(h, "ListResourceGroups", "Status=PendingDelete");
	tap_is_int(harness_number(h, "TotalCount"), 0, "none is on its way out");
	RM(h, "ListResourceGroups", "Tag.1.Key=env");
	tap_is_int(harness_number(h, "TotalCount"), 0, "none has a tag");

	REFUSED(h, "EntityAlreadyExists.ResourceGroup", "a name that is there", "CreateResourceGroup",
		"Name=web&DisplayName=%s", "again");
	REFUSED(h, "EntityAlreadyExists.ResourceGroup", "the default one's name", "CreateResourceGroup",
		"Name=default&DisplayName=%s", "again");
	tap_ok(harness_call(h, BOB, PRODUCT_RESOURCEMANAGER, "CreateResourceGroup",
			    "Name=web&DisplayName=Another"),
	       "another account may have a group of that name");
	tap_ok(RM(h, "DeleteResourceGroup", "ResourceGroupId=%s", other), "an empty group can be deleted");
	REFUSED(h, "EntityNotExists.ResourceGroup", "a deleted group", "GetResourceGroup",
		"ResourceGroupId=%s", other);
	tap_ok(RM(h, "DeleteResourceGroup", "ResourceGroupId=%s", group), "and so the other");
}

static void test_bad(struct harness *h)
{
	static const struct {
		const char *code, *why, *params;
	} cases[] = {
		{"MissingName", "no name", "DisplayName=x"},
		{"MissingDisplayName", "no display name", "Name=abc"},
		{"InvalidParameter.Name", "a name that is too short", "Name=ab&DisplayName=x"},
		{"InvalidParameter.Name", "a digit in front", "Name=1abc&DisplayName=x"},
		{"InvalidParameter.Name", "a blank", "Name=a+bc&DisplayName=x"},
		{"InvalidParameter.Name", "51 characters",
		 "Name=a12345678901234567890123456789012345678901234567890&DisplayName=x"},
		{"InvalidParameter.DisplayName", "no text", "Name=abc&DisplayName="},
		{"InvalidParameter.DisplayName", "51 characters",
		 "Name=abc&DisplayName=a12345678901234567890123456789012345678901234567890"},
		{"DryRunOperation", "a dry run of a good call", "Name=abc&DisplayName=x&DryRun=true"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		REFUSED(h, cases[i].code, cases[i].why, "CreateResourceGroup", "%s", cases[i].params);
	REFUSED(h, "EntityNotExists.ResourceGroup", "an unknown id", "DeleteResourceGroup",
		"ResourceGroupId=%s", "rg-none");
	REFUSED(h, "InvalidParameter.Status", "a state that there is not", "ListResourceGroups", "Status=%s",
		"Lost");
}

/* What is in the group, as each list of what groups have finds it. */
static void expect_members(struct harness *h, const char *group, int n, const char *why)
{
	static const struct {
		enum product product;
		const char *action, *list;
	} lists[] = {
		{PRODUCT_VPC, "DescribeVpcs", "Vpcs.Vpc"},
		{PRODUCT_VPC, "DescribeVSwitches", "VSwitches.VSwitch"},
		{PRODUCT_VPC, "DescribeRouteTableList", "RouterTableList.RouterTableListType"},
		{PRODUCT_ECS, "DescribeSecurityGroups", "SecurityGroups.SecurityGroup"},
		{PRODUCT_ECS, "DescribeInstances", "Instances.Instance"},
		{PRODUCT_NLB, "ListLoadBalancers", "LoadBalancers"},
		{PRODUCT_NLB, "ListServerGroups", "ServerGroups"},
		{PRODUCT_PRIVATELINK, "ListVpcEndpoints", "Endpoints"},
		{PRODUCT_PRIVATELINK, "ListVpcEndpointServices", "Services"},
		{PRODUCT_PRIVATELINK, "ListVpcEndpointServicesByEndUser", "Services"},
		{PRODUCT_PRIVATELINK, "ListVpcEndpointConnections", "Connections"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		harness_call(h, ALICE, lists[i].product, lists[i].action, REGION "ResourceGroupId=%s", group);
		tap_is_int(harness_count_of(h, lists[i].list), n, "%s: %s", lists[i].action, why);
	}
}

static void test_members(struct harness *h)
{
	const char *group = new_group(h, "all"), *vpc, *vsw, *vsw_i, *sg, *nlb, *service, *endpoint;

	vpc = harness_get(h, ALICE, PRODUCT_VPC, "VpcId", "CreateVpc",
			  REGION "CidrBlock=10.0.0.0/16&ResourceGroupId=%s", group);
	tap_is_str(harness_text(h, "ResourceGroupId"), group, "a VPC says at once in which group it is");
	vsw = harness_get(h, ALICE, PRODUCT_VPC, "VSwitchId", "CreateVSwitch",
			  "VpcId=%s&ZoneId=cn-hangzhou-h&CidrBlock=10.0.1.0/24", vpc);
	vsw_i = harness_get(h, ALICE, PRODUCT_VPC, "VSwitchId", "CreateVSwitch",
			    "VpcId=%s&ZoneId=cn-hangzhou-i&CidrBlock=10.0.2.0/24", vpc);
	sg = harness_get(h, ALICE, PRODUCT_ECS, "SecurityGroupId", "CreateSecurityGroup",
			 REGION "VpcId=%s&ResourceGroupId=%s", vpc, group);
	harness_in_force(h, NODE);
	harness_call(h, ALICE, PRODUCT_ECS, "RunInstances",
		     REGION "VSwitchId=%s&SecurityGroupId=%s&ResourceGroupId=%s", vsw, sg, group);
	nlb = harness_get(h, ALICE, PRODUCT_NLB, "LoadbalancerId", "CreateLoadBalancer",
			  "AddressType=Intranet&VpcId=%s&ZoneMappings.1.ZoneId=cn-hangzhou-h"
			  "&ZoneMappings.1.VSwitchId=%s&ZoneMappings.2.ZoneId=cn-hangzhou-i"
			  "&ZoneMappings.2.VSwitchId=%s&ResourceGroupId=%s",
			  vpc, vsw, vsw_i, group);
	harness_get(h, ALICE, PRODUCT_NLB, "ServerGroupId", "CreateServerGroup",
		    "VpcId=%s&ServerGroupName=web&ResourceGroupId=%s", vpc, group);
	harness_in_force(h, NODE);
	service = harness_get(h, ALICE, PRODUCT_PRIVATELINK, "ServiceId", "CreateVpcEndpointService",
			      REGION
			      "AutoAcceptEnabled=true&Resource.1.ResourceType=nlb&Resource.1.ResourceId=%s"
			      "&Resource.1.ZoneId=cn-hangzhou-h&ResourceGroupId=%s",
			      nlb, group);
	harness_in_force(h, NODE);
	endpoint = harness_get(h, ALICE, PRODUCT_PRIVATELINK, "EndpointId", "CreateVpcEndpoint",
			       REGION "VpcId=%s&ServiceId=%s&SecurityGroupId.1=%s&ResourceGroupId=%s", vpc,
			       service, sg, group);
	harness_in_force(h, NODE);
	harness_call(h, ALICE, PRODUCT_VPC, "DescribeVSwitches", REGION "ResourceGroupId=%s", group);
	tap_is_str(harness_text(h, "VSwitches.VSwitch.0.VpcId"), vpc, "a vSwitch is in the group of its VPC");
	tap_ok(harness_call(h, ALICE, PRODUCT_VPC, "DeleteVSwitch", "VSwitchId=%s", vsw_i) == NULL,
	       "which is in use");
	REFUSED(h, "DeleteConflict.ResourceGroup.Resource", "with objects inside", "DeleteResourceGroup",
		"ResourceGroupId=%s", group);
	harness_call(h, ALICE, PRODUCT_PRIVATELINK, "ListVpcEndpoints", REGION "ResourceGroupId=%s", group);
	tap_is_str(harness_text(h, "Endpoints.0.EndpointId"), endpoint, "lists find what is in a group");
	tap_is_str(harness_text(h, "Endpoints.0.ResourceGroupId"), group, "and say so");
	expect_members(h, "rg-none", 0, "an unknown group has nothing");
	expect_members(h, "rg-acct1000000000000002", 0, "nor has another account's");

	tap_ok(harness_call(h, ALICE, PRODUCT_PRIVATELINK, "ChangeResourceGroup",
			    "ResourceId=%s&ResourceGroupId=" DEFAULT, endpoint),
	       "an object can go to the default group");
	harness_call(h, ALICE, PRODUCT_PRIVATELINK, "ListVpcEndpoints", REGION "ResourceGroupId=" DEFAULT);
	tap_is_str(harness_text(h, "Endpoints.0.EndpointId"), endpoint, "where its list has it");
	tap_is_str(harness_text(h, "Endpoints.0.ResourceGroupId"), DEFAULT, "by that id");
	tap_ok(!snapshot_endpoint(store_rows(h->store), endpoint)->resource_group[0],
	       "as it would be had nobody named a group");
}

/* Of what is in no product of ours alone: the cloud has an action in each. */
static void test_moves(struct harness *h)
{
	const char *group = new_group(h, "moved"), *vpc, *sg;

	vpc = harness_get(h, ALICE, PRODUCT_VPC, "VpcId", "CreateVpc", REGION "CidrBlock=10.0.0.0/16");
	harness_get(h, ALICE, PRODUCT_VPC, "VSwitchId", "CreateVSwitch",
		    "VpcId=%s&ZoneId=cn-hangzhou-h&CidrBlock=10.0.1.0/24", vpc);
	sg = harness_get(h, ALICE, PRODUCT_ECS, "SecurityGroupId", "CreateSecurityGroup", REGION "VpcId=%s",
			 vpc);
	harness_in_force(h, NODE);
	tap_ok(harness_call(h, ALICE, PRODUCT_VPC, "MoveResourceGroup",
			    REGION "ResourceType=VPC&ResourceId=%s&NewResourceGroupId=%s", vpc, group),
	       "a VPC moves to another resource group");
	harness_call(h, ALICE, PRODUCT_VPC, "DescribeVpcAttribute", REGION "VpcId=%s", vpc);
	tap_is_str(harness_text(h, "ResourceGroupId"), group, "it is there");
	tap_is_str(harness_text(h, "Status"), "Available", "at once");
	harness_call(h, ALICE, PRODUCT_VPC, "DescribeVSwitches", REGION "ResourceGroupId=%s", group);
	tap_is_int(harness_count_of(h, "VSwitches.VSwitch"), 1, "with its vSwitches");
	tap_ok(harness_call(h, ALICE, PRODUCT_VPC, "MoveResourceGroup",
			    REGION "ResourceType=vpc&ResourceId=%s&NewResourceGroupId=" DEFAULT, vpc),
	       "and back to the default one");
	harness_call(h, ALICE, PRODUCT_VPC, "DescribeVpcs", REGION "VpcId=%s", vpc);
	tap_is_str(harness_text(h, "Vpcs.Vpc.0.ResourceGroupId"), DEFAULT, "where it is then");
	harness_refused(h, ALICE, PRODUCT_VPC, "IllegalParam.ResourceType", "something else",
			"MoveResourceGroup", REGION "ResourceType=eip&ResourceId=%s&NewResourceGroupId=%s",
			vpc, group);

	tap_ok(harness_call(h, ALICE, PRODUCT_ECS, "JoinResourceGroup",
			    REGION "ResourceType=securitygroup&ResourceId=%s&ResourceGroupId=%s", sg, group),
	       "a security group joins a resource group");
	harness_call(h, ALICE, PRODUCT_ECS, "DescribeSecurityGroups", REGION "ResourceGroupId=%s", group);
	tap_is_str(harness_text(h, "SecurityGroups.SecurityGroup.0.SecurityGroupId"), sg,
		   "it is found there");
	tap_is_str(harness_text(h, "SecurityGroups.SecurityGroup.0.ResourceGroupId"), group, "and says so");
	harness_refused(h, ALICE, PRODUCT_ECS, "InvalidParameter.ResourceType", "a disk", "JoinResourceGroup",
			"ResourceType=disk&ResourceId=d-1&ResourceGroupId=%s", group);

	harness_call(h, ALICE, PRODUCT_ECS, "DeleteSecurityGroup", REGION "SecurityGroupId=%s", sg);
	harness_call(h, ALICE, PRODUCT_VPC, "DescribeVSwitches", REGION "VpcId=%s", vpc);
	harness_call(h, ALICE, PRODUCT_VPC, "DeleteVSwitch", "VSwitchId=%s",
		     harness_keep(h, harness_text(h, "VSwitches.VSwitch.0.VSwitchId")));
	harness_call(h, ALICE, PRODUCT_VPC, "DeleteVpc", "VpcId=%s", vpc);
	harness_refused(h, ALICE, PRODUCT_VPC, "OperationFailed.InstanceStatusNotAllowed",
			"a VPC that is being deleted", "MoveResourceGroup",
			REGION "ResourceType=VPC&ResourceId=%s&NewResourceGroupId=%s", vpc, group);
	harness_in_force(h, NODE);
	tap_ok(RM(h, "DeleteResourceGroup", "ResourceGroupId=%s", group),
	       "the group can go when nothing is in it");
}

/* Rows that name no group, or one that there never was. */
static void test_default_members(struct harness *h)
{
	struct vpc vpc = {
		.id = "vpc-old", .owner = ALICE, .region = "cn-hangzhou", .resource_group = "rg-old"};

	harness_put(h, KIND_VPC, &vpc);
	harness_call(h, ALICE, PRODUCT_VPC, "DescribeVpcs", REGION "ResourceGroupId=rg-old");
	tap_is_str(harness_text(h, "Vpcs.Vpc.0.VpcId"), "vpc-old",
		   "what names a group from before there were any is found by it");
	harness_call(h, ALICE, PRODUCT_VPC, "DescribeVpcs", REGION "ResourceGroupId=" DEFAULT);
	tap_is_int(harness_count_of(h, "Vpcs.Vpc"), 0, "and not in the default group");
	vpc.resource_group[0] = '\0';
	vpc.meta = snapshot_vpc(store_rows(h->store), "vpc-old")->meta;
	harness_put(h, KIND_VPC, &vpc);
	harness_call(h, ALICE, PRODUCT_VPC, "DescribeVpcs", REGION "ResourceGroupId=" DEFAULT);
	tap_is_str(harness_text(h, "Vpcs.Vpc.0.ResourceGroupId"), DEFAULT,
		   "what names no group is in the default one");
	harness_call(h, ALICE, PRODUCT_ECS, "DescribeNetworkInterfaces", REGION "ResourceGroupId=" DEFAULT);
	tap_ok(harness_count_of(h, "NetworkInterfaceSets.NetworkInterfaceSet") > 0,
	       "as all network interfaces are");
}

static void test_quota(struct harness *h)
{
	size_t n = snapshot_count_owned(store_rows(h->store), KIND_RESOURCE_GROUP, ALICE, "");

	for (; n < RESOURCE_GROUPS_PER_ACCOUNT_MAX; n++)
		RM(h, "CreateResourceGroup", "Name=filler-%zu&DisplayName=x", n);
	REFUSED(h, "LimitExceeded.ResourceGroup", "one group too many", "CreateResourceGroup",
		"Name=%s&DisplayName=x", "toomany");
	tap_is_int(harness_race(h, BOB, PRODUCT_RESOURCEMANAGER, "CreateResourceGroup",
				"Name=twin&DisplayName=a", "Name=twin&DisplayName=b"),
		   1, "of two calls at once with one name one succeeds");
	tap_is_str(h->error.code, "EntityAlreadyExists.ResourceGroup", "and the other hears why not");
}

/* Who deletes a group and who puts an object into it cannot both succeed. */
static void test_deletion_during_use(struct harness *h)
{
	struct harness_result deleted, created;
	char form[128];
	const char *group;

	harness_call(h, BOB, PRODUCT_RESOURCEMANAGER, "CreateResourceGroup", "Name=brief&DisplayName=x");
	group = harness_keep(h, harness_text(h, "ResourceGroup.Id"));
	(void)str_format(form, sizeof(form), "ResourceGroupId=%s", group);
	harness_start(h, BOB, PRODUCT_RESOURCEMANAGER, "DeleteResourceGroup", form, &deleted);
	(void)str_format(form, sizeof(form), REGION "ResourceGroupId=%s", group);
	harness_start(h, BOB, PRODUCT_VPC, "CreateVpc", form, &created);
	harness_settle(h);
	tap_ok(!!deleted.answer != !!created.answer, "a group is deleted or used");
	tap_is_str(created.error.code, "InvalidResourceGroupId.NotFound", "by who comes first");
	json_decref(deleted.answer);
	json_decref(created.answer);
}

int main(void)
{
	struct harness h;

	harness_begin(&h);
	harness_node(&h, NODE, "");
	test_default(&h);
	test_life(&h);
	test_bad(&h);
	test_members(&h);
	test_moves(&h);
	test_default_members(&h);
	test_quota(&h);
	test_deletion_during_use(&h);
	harness_end(&h);
	return tap_done();
}
