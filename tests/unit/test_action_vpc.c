/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VPCs and vSwitches through the framework: life, lists, and every refusal.
 */
#include "api_harness.h"

#include "api/common/quota_defaults.h"

#define CALL(h, ...)	harness_call(h, ALICE, PRODUCT_VPC, __VA_ARGS__)
#define GET(h, ...)	harness_get(h, ALICE, PRODUCT_VPC, __VA_ARGS__)
#define REFUSED(h, ...) harness_refused(h, ALICE, PRODUCT_VPC, __VA_ARGS__)
#define REGION		"RegionId=cn-hangzhou&"

static const char *status_of(struct harness *h, const char *action, const char *param, const char *id)
{
	return CALL(h, action, REGION "%s=%s", param, id) ? harness_text(h, "Status") : h->error.code;
}

/* What asks for nothing that is not here is taken, and an existing VPC gets none of it either. */
static void test_not_served(struct harness *h, const char *vpc)
{
	static const struct {
		const char *code, *why, *params;
	} cases[] = {
		{"OperationUnsupported.EnableIpv6", "IPv6", "EnableIPv6=true"},
		{"OperationUnsupported.EnableIpv6", "a range of IPv6", "Ipv6CidrBlock=2001:db8::/56"},
		{"InvalidEnableDnsHostname.ValueNotSupported", "names of instances",
		 "EnableDnsHostname=true"},
	};
	static const char nothing[] = "EnableDnsHostname=false&Ipv6CidrBlock=";

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		REFUSED(h, cases[i].code, cases[i].why, "ModifyVpcAttribute", "VpcId=%s&%s", vpc,
			cases[i].params);
	tap_ok(CALL(h, "ModifyVpcAttribute", "VpcId=%s&EnableIPv6=false&%s", vpc, nothing),
	       "what asks for nothing is taken");
	REFUSED(h, "DryRunOperation", "a dry run that asks for nothing", "CreateVpc",
		REGION
		"EnableIpv6=false&UserCidr=&Ipv4IpamPoolId=&Ipv4CidrMask=0&Ipv6IpamPoolId=&DryRun=true&%s",
		nothing);
}

static void test_life_of_a_vpc(struct harness *h)
{
	const char *vpc, *table;

	vpc = GET(h, "VpcId", "CreateVpc", REGION "VpcName=first&Description=a+VPC");
	tap_ok(str_starts(harness_text(h, "VRouterId"), "vrt-"), "a new VPC has a router");
	table = harness_keep(h, harness_text(h, "RouteTableId"));
	tap_is_str(status_of(h, "DescribeVpcAttribute", "VpcId", vpc), "Pending",
		   "a new VPC is Pending until a node has it in force");
	tap_is_str(harness_text(h, "CidrBlock"), "172.16.0.0/12", "its range is the API's default");
	tap_is_int(snapshot_vpc(store_rows(h->store), vpc)->number, 2, "the first VPC's number is 2");
	harness_in_force(h, "alpha");
	tap_is_str(status_of(h, "DescribeVpcAttribute", "VpcId", vpc), "Available",
		   "it is Available when the node has reported");
	tap_is_str(harness_text(h, "Description"), "a VPC", "its description is kept");

	CALL(h, "DescribeRouteTableList", REGION "VpcId=%s", vpc);
	tap_is_str(harness_text(h, "RouterTableList.RouterTableListType.0.RouteTableId"), table,
		   "its route table is listed");
	tap_is_str(harness_text(h, "RouterTableList.RouterTableListType.0.RouteTableType"), "System",
		   "as the system's");

	tap_ok(CALL(h, "ModifyVpcAttribute", "VpcId=%s&VpcName=renamed&CidrBlock=10.0.0.0/8", vpc),
	       "name and range of an empty VPC can be changed");
	CALL(h, "DescribeVpcs", REGION "VpcName=renamed");
	tap_is_int(harness_number(h, "TotalCount"), 1, "it is found by its new name");
	tap_is_str(harness_text(h, "Vpcs.Vpc.0.CidrBlock"), "10.0.0.0/8", "and has the new range");
	tap_is_int(harness_count_of(h, "Vpcs.Vpc.0.SecondaryCidrBlocks.SecondaryCidrBlock"), 0,
		   "lists that have nothing stand there empty");
	tap_is_int(harness_count_of(h, "Vpcs.Vpc.0.UserCidrs.UserCidr"), 0, "all of them");
	tap_is_int(harness_count_of(h, "Vpcs.Vpc.0.VSwitchIds.VSwitchId"), 0, "without exception");

	test_not_served(h, vpc);
	tap_ok(CALL(h, "DeleteVpc", "VpcId=%s", vpc), "it can be deleted");
	tap_is_str(status_of(h, "DescribeVpcAttribute", "VpcId", vpc), "Deleting", "it is Deleting first");
	tap_ok(CALL(h, "DeleteVpc", "VpcId=%s", vpc), "deleting it again meanwhile is no error");
	REFUSED(h, "IncorrectVpcStatus", "a VPC on its way out", "CreateVSwitch",
		"VpcId=%s&ZoneId=cn-hangzhou-h&CidrBlock=%s", vpc, "10.0.1.0/24");
	harness_in_force(h, "alpha");
	tap_is_str(status_of(h, "DescribeVpcAttribute", "VpcId", vpc), "InvalidVpcId.NotFound",
		   "and gone when the node has reported");
}

static void test_life_of_a_vswitch(struct harness *h)
{
	const char *vpc = GET(h, "VpcId", "CreateVpc", REGION "CidrBlock=10.0.0.0/16");
	const char *vsw;

	vsw = GET(h, "VSwitchId", "CreateVSwitch",
		  "VpcId=%s&ZoneId=cn-hangzhou-h&CidrBlock=10.0.1.0/24&VSwitchName=one", vpc);
	tap_ok(vsw, "a vSwitch can be made while its VPC is still Pending");
	tap_is_str(status_of(h, "DescribeVSwitchAttributes", "VSwitchId", vsw), "Pending", "it is Pending");
	tap_is_int(harness_number(h, "AvailableIpAddressCount"), 252, "a /24 starts with 252 free addresses");
	tap_is_str(harness_text(h, "Ipv6CidrBlock"), "", "its IPv6 range is there, and empty");
	harness_in_force(h, "alpha");
	tap_is_str(status_of(h, "DescribeVSwitchAttributes", "VSwitchId", vsw), "Available",
		   "then Available");

	CALL(h, "DescribeVSwitches", REGION "VpcId=%s&ZoneId=cn-hangzhou-h", vpc);
	tap_is_str(harness_text(h, "VSwitches.VSwitch.0.VSwitchId"), vsw, "it is listed by VPC and zone");
	tap_is_str(harness_text(h, "VSwitches.VSwitch.0.RouteTable.RouteTableType"), "System",
		   "its route table stands in the list");
	CALL(h, "DescribeVpcs", REGION "VpcId=%s,vpc-none", vpc);
	tap_is_str(harness_text(h, "Vpcs.Vpc.0.VSwitchIds.VSwitchId.0"), vsw, "the VPC names it");
	tap_ok(CALL(h, "ModifyVSwitchAttribute", "VSwitchId=%s&Description=changed", vsw),
	       "it can be described");

	REFUSED(h, "DependencyViolation.VSwitch", "with a vSwitch inside", "DeleteVpc", "VpcId=%s", vpc);
	REFUSED(h, "DependencyViolation.VSwitch", "a range that leaves out a vSwitch", "ModifyVpcAttribute",
		"VpcId=%s&CidrBlock=10.0.128.0/17", vpc);
	tap_ok(CALL(h, "DeleteVSwitch", "VSwitchId=%s", vsw), "it can be deleted");
	tap_is_str(status_of(h, "DescribeVSwitchAttributes", "VSwitchId", vsw), "Pending",
		   "it reads Pending on its way out");
	harness_in_force(h, "alpha");
	tap_is_str(status_of(h, "DescribeVSwitchAttributes", "VSwitchId", vsw), "InvalidVSwitchId.NotFound",
		   "and is gone");
	tap_ok(CALL(h, "DeleteVpc", "VpcId=%s", vpc), "then the VPC can go");
	harness_in_force(h, "alpha");
}

static void test_vpc_after_vswitches(struct harness *h)
{
	const char *vpc = GET(h, "VpcId", "CreateVpc", REGION "CidrBlock=10.0.0.0/16");
	const char *one, *two;

	one = GET(h, "VSwitchId", "CreateVSwitch", "VpcId=%s&ZoneId=cn-hangzhou-h&CidrBlock=10.0.1.0/24",
		  vpc);
	two = GET(h, "VSwitchId", "CreateVSwitch", "VpcId=%s&ZoneId=cn-hangzhou-h&CidrBlock=10.0.2.0/24",
		  vpc);
	harness_in_force(h, "alpha");
	CALL(h, "DeleteVSwitch", "VSwitchId=%s", one);
	REFUSED(h, "DependencyViolation.VSwitch", "one of two vSwitches stays", "DeleteVpc", "VpcId=%s", vpc);
	CALL(h, "DeleteVSwitch", "VSwitchId=%s", two);
	tap_ok(CALL(h, "DeleteVpc", "VpcId=%s", vpc), "vSwitches on their way out hold the VPC up no longer");
	tap_is_str(status_of(h, "DescribeVpcAttribute", "VpcId", vpc), "Deleting", "it is Deleting");
	harness_in_force(h, "alpha");
	harness_in_force(h, "alpha");
	tap_is_str(status_of(h, "DescribeVSwitchAttributes", "VSwitchId", two), "InvalidVSwitchId.NotFound",
		   "they go");
	tap_is_str(status_of(h, "DescribeVpcAttribute", "VpcId", vpc), "InvalidVpcId.NotFound",
		   "and then the VPC");
}

static void test_bad_vpcs(struct harness *h)
{
	static const struct {
		const char *code, *why, *params;
	} cases[] = {
		{"MissingRegionId", "no region", "CidrBlock=10.0.0.0/8"},
		{"InvalidRegionId.NotFound", "an unknown region", "RegionId=cn-nowhere"},
		{"InvalidCidrBlock.Malformed", "host bits", REGION "CidrBlock=10.0.0.1/8"},
		{"InvalidCidrBlock.Malformed", "no number", REGION "CidrBlock=ten"},
		{"InvalidCidrBlock.Malformed", "a mask of 7", REGION "CidrBlock=10.0.0.0/7"},
		{"InvalidCidrBlock.Malformed", "a mask of 29", REGION "CidrBlock=10.0.0.0/29"},
		{"InvalidCidrBlock.Malformed", "the range of translated addresses",
		 REGION "CidrBlock=100.64.0.0/16"},
		{"InvalidCidrBlock.Malformed", "a range around it", REGION "CidrBlock=100.0.0.0/8"},
		{"InvalidCidrBlock.Malformed", "multicast", REGION "CidrBlock=224.0.0.0/8"},
		{"InvalidCidrBlock.Malformed", "loopback", REGION "CidrBlock=127.0.0.0/8"},
		{"InvalidCidrBlock.Malformed", "the nodes' own range", REGION "CidrBlock=198.18.0.0/16"},
		{"InvalidCidrBlock.Malformed", "IPv6", REGION "CidrBlock=fd00::/64"},
		{"InvalidVpcName.Malformed", "an address as name", REGION "VpcName=http://a"},
		{"InvalidDescription.Malformed", "an address as description", REGION "Description=https://a"},
		{"OperationUnsupported.EnableIpv6", "IPv6", REGION "EnableIpv6=true"},
		{"OperationUnsupported.EnableIpv6", "a range of IPv6", REGION "Ipv6CidrBlock=2001:db8::/56"},
		{"OperationUnsupported.EnableIpv6", "a pool of IPv6", REGION "Ipv6IpamPoolId=ipam-pool-a"},
		{"InvalidUserCidr.ValueNotSupported", "ranges beside the VPC's own",
		 REGION "UserCidr=192.168.0.0/16"},
		{"InvalidEnableDnsHostname.ValueNotSupported", "names of instances",
		 REGION "EnableDnsHostname=true"},
		{"InvalidIpv4IpamPoolId.ValueNotSupported", "a pool in place of a range",
		 REGION "Ipv4IpamPoolId=ipam-pool-a&Ipv4CidrMask=16"},
		{"InvalidIpv4CidrMask.ValueNotSupported", "a length of such a range",
		 REGION "Ipv4CidrMask=16"},
		{"InvalidParameter.EnableIpv6", "a boolean that is none", REGION "EnableIpv6=perhaps"},
		{"InvalidTagKey.Malformed", "a reserved tag", REGION "Tag.1.Key=acs:x"},
		{"Duplicate.TagKey", "a tag twice", REGION "Tag.1.Key=a&Tag.2.Key=a"},
		{"DryRunOperation", "a dry run", REGION "DryRun=true"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		REFUSED(h, cases[i].code, cases[i].why, "CreateVpc", "%s", cases[i].params);
}

static void test_bad_vswitches(struct harness *h)
{
	static const struct {
		const char *code, *why, *params;
	} cases[] = {
		{"MissingZoneId", "no zone", "CidrBlock=10.1.1.0/24"},
		{"MissingCidrBlock", "no range", "ZoneId=cn-hangzhou-h"},
		{"InvalidZoneId.NotFound", "an unknown zone", "ZoneId=cn-hangzhou-z&CidrBlock=10.1.1.0/24"},
		{"InvalidZoneId.NotFound", "a zone of another region",
		 "ZoneId=cn-beijing-h&CidrBlock=10.1.1.0/24"},
		{"InvalidCidrBlock.Malformed", "host bits", "ZoneId=cn-hangzhou-h&CidrBlock=10.1.1.1/24"},
		{"InvalidCidrBlock.Malformed", "a mask of 30", "ZoneId=cn-hangzhou-h&CidrBlock=10.1.1.0/30"},
		{"InvalidCidrBlock.OutOfRange", "outside the VPC",
		 "ZoneId=cn-hangzhou-h&CidrBlock=10.2.1.0/24"},
		{"InvalidCidrBlock.OutOfRange", "around the VPC",
		 "ZoneId=cn-hangzhou-h&CidrBlock=10.0.0.0/8"},
		{"InvalidCidrBlock.Overlapped", "the range of another",
		 "ZoneId=cn-hangzhou-i&CidrBlock=10.1.0.0/24"},
		{"InvalidCidrBlock.Overlapped", "what holds it",
		 "ZoneId=cn-hangzhou-h&CidrBlock=10.1.0.0/20"},
		{"InvalidCidrBlock.Overlapped", "a part of it",
		 "ZoneId=cn-hangzhou-i&CidrBlock=10.1.0.128/25"},
		{"InvalidVSwitchName.Malformed", "an address as name",
		 "ZoneId=cn-hangzhou-h&CidrBlock=10.1.1.0/24&VSwitchName=http://a"},
	};
	const char *vpc = GET(h, "VpcId", "CreateVpc", REGION "CidrBlock=10.1.0.0/16");
	const char *vsw;

	vsw = GET(h, "VSwitchId", "CreateVSwitch", "VpcId=%s&ZoneId=cn-hangzhou-h&CidrBlock=10.1.0.0/24",
		  vpc);
	harness_in_force(h, "alpha");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		REFUSED(h, cases[i].code, cases[i].why, "CreateVSwitch", "VpcId=%s&%s", vpc, cases[i].params);
	REFUSED(h, "InvalidVpcId.NotFound", "an unknown VPC", "CreateVSwitch",
		"VpcId=vpc-none&ZoneId=cn-hangzhou-h&CidrBlock=10.1.1.0/24");
	harness_refused(h, BOB, PRODUCT_VPC, "InvalidVpcId.NotFound", "someone else's VPC", "CreateVSwitch",
			"VpcId=%s&ZoneId=cn-hangzhou-h&CidrBlock=10.1.1.0/24", vpc);
	harness_refused(h, BOB, PRODUCT_VPC, "InvalidVSwitchId.NotFound", "someone else's vSwitch",
			"DeleteVSwitch", "VSwitchId=%s", vsw);
	harness_refused(h, BOB, PRODUCT_VPC, "InvalidVpcId.NotFound", "someone else's VPC", "DeleteVpc",
			"VpcId=%s", vpc);
	REFUSED(h, "InvalidVpcId.NotFound", "a VPC of another region", "DescribeVpcAttribute",
		"RegionId=cn-beijing&VpcId=%s", vpc);
	REFUSED(h, "MissingRegionId", "neither region nor VPC", "DescribeVSwitches", "PageSize=10");
	REFUSED(h, "InvalidParameter.PageSize", "a page of 51", "DescribeVpcs", REGION "PageSize=51");
	CALL(h, "DeleteVpc", "VpcId=%s", vpc);
	tap_is_str(h->error.code, "DependencyViolation.VSwitch", "a VPC with a vSwitch stays");
}

static void test_tokens_and_pages(struct harness *h)
{
	const char *first = GET(h, "VpcId", "CreateVpc", REGION "ClientToken=once&VpcName=token");
	const char *again = GET(h, "VpcId", "CreateVpc", REGION "ClientToken=once&VpcName=token");

	tap_is_str(again, first, "the same token gives the same VPC again");
	REFUSED(h, "IdempotentParameterMismatch", "the token with another name", "CreateVpc",
		REGION "ClientToken=once&VpcName=other");

	for (int i = 0; i < 4; i++)
		GET(h, "VpcId", "CreateVpc", REGION "VpcName=paged");
	CALL(h, "DescribeVpcs", REGION "VpcName=paged&PageSize=3&PageNumber=2");
	tap_is_int(harness_number(h, "TotalCount"), 4, "the total counts all matches");
	tap_is_int(harness_count_of(h, "Vpcs.Vpc"), 1, "the second page of three has one");
	CALL(h, "DescribeVpcs", REGION "VpcName=nothing");
	tap_is_int(harness_count_of(h, "Vpcs.Vpc"), 0, "a list without matches is empty, and there");
	harness_call(h, BOB, PRODUCT_VPC, "DescribeVpcs", REGION);
	tap_is_int(harness_number(h, "TotalCount"), 0, "another account sees none of them");
}

static void test_tags(struct harness *h)
{
	const char *vpc = GET(h, "VpcId", "CreateVpc", REGION "Tag.1.Key=env&Tag.1.Value=prod");

	tap_ok(CALL(h, "TagResources",
		    REGION "ResourceType=VPC&ResourceId.1=%s&Tag.1.Key=env&Tag.1.Value=test&Tag.2.Key=team",
		    vpc),
	       "tagging again replaces the value");
	CALL(h, "DescribeVpcs", REGION "Tag.1.Key=env&Tag.1.Value=test");
	tap_is_str(harness_text(h, "Vpcs.Vpc.0.VpcId"), vpc, "it is found by the tag");
	CALL(h, "DescribeVpcs", REGION "Tag.1.Key=env&Tag.1.Value=prod");
	tap_is_int(harness_count_of(h, "Vpcs.Vpc"), 0, "and not by the former value");
	CALL(h, "ListTagResources", REGION "ResourceType=VPC&ResourceId.1=%s", vpc);
	tap_is_int(harness_count_of(h, "TagResources.TagResource"), 2, "its two tags are listed");
	tap_ok(CALL(h, "UnTagResources", REGION "ResourceType=vpc&ResourceId.1=%s&TagKey.1=env", vpc),
	       "a tag can be taken away");
	CALL(h, "ListTagResources", REGION "ResourceType=VPC&ResourceId.1=%s", vpc);
	tap_is_str(harness_text(h, "TagResources.TagResource.0.TagKey"), "team", "the other one stays");
	REFUSED(h, "InvalidResourceType", "an unknown kind", "TagResources",
		REGION "ResourceType=CLOUD&ResourceId.1=%s&Tag.1.Key=a", vpc);
	REFUSED(h, "InvalidResourceId.NotFound", "an unknown object", "TagResources",
		REGION "ResourceType=VPC&ResourceId.1=vpc-none&Tag.1.Key=a");
	for (int i = 0; i < TAGS_PER_RESOURCE_MAX - 1; i++)
		CALL(h, "TagResources", REGION "ResourceType=VPC&ResourceId.1=%s&Tag.1.Key=t%d", vpc, i);
	REFUSED(h, "NumberExceed.Tags", "the 21st tag", "TagResources",
		REGION "ResourceType=VPC&ResourceId.1=%s&Tag.1.Key=more", vpc);
}

/* How many rows of tags one call writes or takes away. */
static void test_many_tags(struct harness *h)
{
	char resources[512], tags[1024], more[64];
	size_t used = 0, tagged = 0;

	for (int i = 1; i <= 5; i++)
		used += (size_t)snprintf(resources + used, sizeof(resources) - used,
					 "ResourceType=VPC&ResourceId.%d=%s&", i,
					 GET(h, "VpcId", "CreateVpc", REGION));
	for (int i = 1; i <= TAGGED_PER_CALL_MAX / 5; i++)
		tagged += (size_t)snprintf(tags + tagged, sizeof(tags) - tagged, "&Tag.%d.Key=k%d", i, i);
	(void)snprintf(more, sizeof(more), "&Tag.%d.Key=more", TAGGED_PER_CALL_MAX / 5 + 1);
	REFUSED(h, "InvalidParameter.ResourceId", "five objects with a tag too many", "TagResources",
		REGION "%s%s%s", resources, tags, more);
	tap_ok(strstr(h->error.message, " 90 tags") && strstr(h->error.message, " 4 resources"),
	       "and says with how many it does: %s", h->error.message);
	tap_ok(CALL(h, "TagResources", REGION "ClientToken=t&%s%s", resources, tags),
	       "five objects take %d tags by one call", TAGGED_PER_CALL_MAX);
	CALL(h, "TagResources", REGION "%sTag.1.Key=more", resources);
	REFUSED(h, "InvalidParameter.ResourceId", "all of more tags than that", "UnTagResources",
		REGION "%sAll=true", resources);
	tap_ok(CALL(h, "UnTagResources", REGION "%sTagKey.1=more", resources) &&
		       CALL(h, "UnTagResources", REGION "%sAll=true", resources),
	       "all of so many are taken away by one call");
	CALL(h, "ListTagResources", REGION "%s", resources);
	tap_is_int(harness_count_of(h, "TagResources.TagResource"), 0, "none is left");
}

static void test_places(struct harness *h)
{
	CALL(h, "DescribeRegions", "AcceptLanguage=en-US");
	tap_is_str(harness_text(h, "Regions.Region.0.RegionId"), "cn-hangzhou",
		   "regions are those of the catalogue");
	CALL(h, "DescribeZones", REGION);
	tap_is_str(harness_text(h, "Zones.Zone.0.ZoneId"), "cn-hangzhou-b", "zones, too");
	tap_ok(harness_call(h, ALICE, PRODUCT_NLB, "DescribeZones", REGION) &&
		       harness_text(h, "Zones.0.ZoneId"),
	       "NLB lists them without a wrapper");
}

static void test_limits(struct harness *h)
{
	const char *vpc =
		harness_get(h, BOB, PRODUCT_VPC, "VpcId", "CreateVpc", REGION "CidrBlock=10.0.0.0/8");
	int n = 1, refused = 0;

	for (int i = 0; i < VSWITCHES_PER_VPC_MAX; i++)
		refused += !harness_call(h, BOB, PRODUCT_VPC, "CreateVSwitch",
					 "VpcId=%s&ZoneId=cn-hangzhou-h&CidrBlock=10.0.%d.0/24", vpc, i);
	tap_is_int(refused, 0, "a VPC takes %d vSwitches", VSWITCHES_PER_VPC_MAX);
	harness_refused(h, BOB, PRODUCT_VPC, "QuotaExceeded.VSwitch", "one more", "CreateVSwitch",
			"VpcId=%s&ZoneId=cn-hangzhou-h&CidrBlock=10.1.0.0/24", vpc);
	while (harness_call(h, BOB, PRODUCT_VPC, "CreateVpc", REGION) && n <= VPCS_PER_ACCOUNT_MAX)
		n++;
	tap_is_int(n, VPCS_PER_ACCOUNT_MAX, "an account has as many VPCs as its quota");
	harness_refused(h, BOB, PRODUCT_VPC, "QuotaExceeded.Vpc", "one more", "CreateVpc", REGION);
	tap_ok(harness_call(h, BOB, PRODUCT_VPC, "CreateVpc", "RegionId=cn-beijing"),
	       "regions count by themselves");
}

/* The counter as it is after so many. */
static void put_counter(struct harness *h, const char *name, uint32_t value)
{
	const struct counter *present = snapshot_find(store_rows(h->store), KIND_COUNTER, name);
	struct counter counter = {.value = value};

	if (present)
		counter = *present;
	(void)str_copy(counter.name, sizeof(counter.name), name);
	counter.value = value;
	harness_put(h, KIND_COUNTER, &counter);
}

/* The number of a new VPC. */
static uint32_t next_number(struct harness *h, const char **ret)
{
	const char *vpc = harness_get(h, BOB, PRODUCT_VPC, "VpcId", "CreateVpc", "RegionId=cn-shenzhen");

	if (ret)
		*ret = vpc;
	return snapshot_vpc(store_rows(h->store), vpc)->number;
}

/* After the last number the first one comes again, unless a VPC has it; one that has come back rests until it
 * is its turn. */
static void test_numbers(struct harness *h)
{
	const struct snapshot *rows = store_rows(h->store);
	uint32_t first = 2;
	const char *vpc;

	put_counter(h, "vpc", 0xfffffd);
	tap_is_int(next_number(h, &vpc), 0xfffffe, "the last number but one");
	tap_is_int(next_number(h, NULL), 0xffffff, "the last number");
	while (snapshot_has_number(rows, KIND_VPC, first))
		first++;
	tap_is_int(next_number(h, NULL), first, "then the first that no VPC has");
	(void)harness_call(h, BOB, PRODUCT_VPC, "DeleteVpc", "VpcId=%s", vpc);
	harness_in_force(h, "alpha");
	tap_ok(!snapshot_vpc(rows, vpc), "a VPC is deleted");
	do
		first++;
	while (snapshot_has_number(rows, KIND_VPC, first));
	tap_is_int(next_number(h, NULL), first, "its number is not the next one");
	put_counter(h, "vpc", 0xfffffd);
	tap_is_int(next_number(h, NULL), 0xfffffe, "it is when its turn has come");

	/* As calls left it that found no number. */
	put_counter(h, "vpc", 0x1000005);
	while (snapshot_has_number(rows, KIND_VPC, first))
		first++;
	tap_is_int(next_number(h, NULL), first, "so it goes on where all numbers were given out");
	put_counter(h, "vpc", UINT32_MAX);
	do
		first++;
	while (snapshot_has_number(rows, KIND_VPC, first));
	tap_is_int(next_number(h, NULL), first, "however often one was asked for since");
	tap_ok(first > 5, "and numbers that VPCs have are passed over");
}

int main(void)
{
	struct harness h;

	harness_begin(&h);
	harness_node(&h, "alpha", "");
	test_life_of_a_vpc(&h);
	test_life_of_a_vswitch(&h);
	test_vpc_after_vswitches(&h);
	test_bad_vpcs(&h);
	test_bad_vswitches(&h);
	test_tokens_and_pages(&h);
	test_tags(&h);
	test_many_tags(&h);
	test_places(&h);
	test_limits(&h);
	test_numbers(&h);
	harness_end(&h);
	return tap_done();
}
