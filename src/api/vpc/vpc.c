/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VPCs. A VPC has a number that the data path knows it by (its VNI), a router and one route table; both of
 * these are ids only, since every vSwitch of a VPC reaches every other.
 */
#include "actions.h"

#include <strings.h>

#include "../../model/check.h"
#include "../../model/state.h"
#include "../common/listing.h"
#include "../common/owned.h"
#include "../common/quota.h"
#include "../common/quota_defaults.h"
#include "../common/resource_group.h"
#include "../common/tags.h"

#define CIDR_DEFAULT "172.16.0.0/12"

bool vpc_text_ok(const char *s, int max)
{
	int n = utf8_length(s);

	return n >= 1 && n <= max && !str_starts(s, "http://") && !str_starts(s, "https://");
}

int vpc_read_texts(struct call *call, const char *param, const char **name, const char **description)
{
	const char *text = call_string(call, param);

	if (text && text[0]) {
		if (!vpc_text_ok(text, 128) || strlen(text) >= NAME_SIZE)
			return call_fail_named(call, "Invalid{Name}.Malformed", param);
		*name = text;
	}
	text = call_string(call, "Description");
	if (text) {
		if ((text[0] && !vpc_text_ok(text, 256)) || strlen(text) >= TEXT_SIZE)
			return call_fail(call, "InvalidDescription.Malformed");
		*description = text;
	}
	return 0;
}

static int read_cidr(struct call *call, const char *text, struct netprefix *ret)
{
	if (netprefix_parse(text, true, ret) < 0 || !check_vpc_cidr(ret))
		return call_fail_detail(
			call, "InvalidCidrBlock.Malformed",
			"It is the first address of an IPv4 range of /8 to /28 outside 0.0.0.0/8, 100.64.0.0/10, "
			"127.0.0.0/8, 169.254.0.0/16, 198.18.0.0/15 and 224.0.0.0/3.");
	return 0;
}

static bool is_given(const struct call *call, const char *param)
{
	const char *text = call_string(call, param);

	return text && text[0];
}

static int fail_not_served(struct call *call, const char *param, const char *why)
{
	call_set_error(call, "Invalid{Name}.ValueNotSupported", param, why);
	return -EBADMSG;
}

/* What asks for more than a VPC has here is refused: it would be answered as if nobody had asked. */
static int check_served(struct call *call)
{
	if (call_bool(call, "EnableIpv6", false) || call_bool(call, "EnableIPv6", false) ||
	    is_given(call, "Ipv6CidrBlock") || is_given(call, "Ipv6IpamPoolId"))
		return call_fail(call, "OperationUnsupported.EnableIpv6");
	if (call_bool(call, "EnableDnsHostname", false))
		return fail_not_served(call, "EnableDnsHostname", "Instances get no host names in DNS here.");
	if (is_given(call, "UserCidr"))
		return fail_not_served(call, "UserCidr", "A VPC has one range here, CidrBlock.");
	if (is_given(call, "Ipv4IpamPoolId"))
		return fail_not_served(call, "Ipv4IpamPoolId", "CidrBlock says the range here, no pool.");
	if (call_int(call, "Ipv4CidrMask", 0))
		return fail_not_served(call, "Ipv4CidrMask", "CidrBlock says the range here, no pool.");
	return 0;
}

int vpc_create(struct call *call)
{
	const char *cidr = call_string(call, "CidrBlock");
	struct vpc vpc = {.owner = call->account->uid, .create_time = call->now};
	int r;

	r = check_served(call);
	if (r < 0)
		return r;
	r = read_cidr(call, cidr && cidr[0] ? cidr : CIDR_DEFAULT, &vpc.cidr);
	if (r < 0)
		return r;
	r = vpc_read_texts(call, "VpcName", &vpc.name, &vpc.description);
	if (r < 0)
		return r;
	r = read_resource_group(call, "InvalidResourceGroupId.NotFound", vpc.resource_group);
	if (r < 0)
		return r;
	r = quota_check_one(call, vpc.owner, QUOTA_VPCS, call->region);
	if (r == 0)
		r = quota_check_share(call, vpc.owner, QUOTA_ALL_VPCS, 0, 1);
	if (r < 0)
		return r;

	vpc.number = call_next_number(call, KIND_VPC);
	if (!vpc.number)
		return call_fail(call, "QuotaExceeded.Vpc");

	call_new_id(call, "vpc-", vpc.id);
	call_new_id(call, "vrt-", vpc.router_id);
	call_new_id(call, "vtb-", vpc.route_table_id);
	(void)str_copy(vpc.region, sizeof(vpc.region), call->region);
	vpc.status = VPC_PENDING;
	r = tags_create(call, vpc.id, "VPC");
	if (r < 0)
		return r;
	call_put(call, KIND_VPC, &vpc);

	answer_row(call->answer, call->action->answer, KIND_VPC, &vpc);
	return 0;
}

/* What still hangs on the VPC, as the code that says so; NULL: nothing. A vSwitch on its way out holds
 * nothing up: the VPC goes after it. */
static const char *vpc_dependency(const struct call *call, const char *vpc)
{
	for (const struct vswitch *v = NULL; (v = snapshot_children(call->rows, REF_VSWITCH_VPC, vpc, v));)
		if (v->status != VSWITCH_DELETING)
			return "DependencyViolation.VSwitch";
	if (snapshot_count_children(call->rows, REF_SECURITY_GROUP_VPC, vpc) > 0)
		return "DependencyViolation.SecurityGroup";
	if (snapshot_is_used(call->rows, KIND_VPC, vpc, REF_VSWITCH_VPC))
		return "DependencyViolation.CloudServiceResource";
	return NULL;
}

int vpc_delete(struct call *call)
{
	const struct vpc *vpc = owned_vpc(call, call_string(call, "VpcId"));
	const char *dependency;
	struct vpc row;
	int r;

	if (!vpc)
		return call_fail(call, "InvalidVpcId.NotFound");
	dependency = vpc_dependency(call, vpc->id);
	if (dependency)
		return call_fail(call, dependency);

	row = *vpc;
	r = vpc_event(&row, EVENT_DELETE);
	if (r == -EALREADY)
		return 0;
	if (r < 0)
		return call_fail(call, "IncorrectVpcStatus");
	call_put(call, KIND_VPC, &row);
	tags_drop(call, vpc->id);
	return 0;
}

void answer_vswitch_ids(const struct call *call, json_t *object, const char *vpc)
{
	json_t *list = shape_wrapped(object, "VSwitchIds", "VSwitchId");

	for (const struct vswitch *v = NULL; (v = snapshot_children(call->rows, REF_VSWITCH_VPC, vpc, v));)
		shape_text(list, v->id);
}

static bool vpc_wanted(const struct call *call, const void *row)
{
	const struct vpc *vpc = row;

	return filter_commas(call, "VpcId", vpc->id) && filter_text(call, "VpcName", vpc->name) &&
	       filter_text(call, "DhcpOptionsSetId", "") &&
	       filter_resource_group(call, vpc->resource_group) &&
	       call_int(call, "VpcOwnerId", vpc->owner) == vpc->owner &&
	       !call_bool(call, "IsDefault", false) && !call_bool(call, "EnableIpv6", false) &&
	       tags_match(call, vpc->id);
}

static void add_lists(const struct call *call, json_t *item, const void *row)
{
	const struct vpc *vpc = row;

	answer_vswitch_ids(call, item, vpc->id);
	shape_text(shape_wrapped(item, "RouterTableIds", "RouterTableIds"), vpc->route_table_id);
}

int vpc_list(struct call *call)
{
	static const struct list_filter filters[] = {{"VpcId", REF_COUNT_, .has_commas = true}, {}};
	static const struct listing listing = {KIND_VPC, vpc_wanted, add_lists, .filters = filters};

	return list_owned(call, &listing);
}

static void answer_resource_count(json_t *list, const char *type, int64_t count)
{
	json_t *item = shape_item(list);

	answer_string(item, "ResourceType", type);
	answer_int(item, "ResourceCount", count);
}

int vpc_get(struct call *call)
{
	const struct vpc *vpc = owned_vpc(call, call_string(call, "VpcId"));
	json_t *list;

	if (!vpc)
		return call_fail(call, "InvalidVpcId.NotFound");
	answer_object_row(call, call->answer, call->action->answer, KIND_VPC, vpc);
	answer_vswitch_ids(call, call->answer, vpc->id);

	list = shape_wrapped(call->answer, "CloudResources", "CloudResourceSetType");
	answer_resource_count(list, "VRouter", 1);
	answer_resource_count(list, "RouteTable", 1);
	answer_resource_count(list, "VSwitch",
			      (int64_t)snapshot_count_children(call->rows, REF_VSWITCH_VPC, vpc->id));
	return 0;
}

/* A new CIDR block must still hold all vSwitches. */
static int change_cidr(struct call *call, const char *text, struct vpc *vpc)
{
	int r;

	r = read_cidr(call, text, &vpc->cidr);
	if (r < 0)
		return r;
	for (const struct vswitch *v = NULL;
	     (v = snapshot_children(call->rows, REF_VSWITCH_VPC, vpc->id, v));)
		if (!netprefix_covers(&vpc->cidr, &v->cidr))
			return call_fail(call, "DependencyViolation.VSwitch");
	return 0;
}

int vpc_modify(struct call *call)
{
	const struct vpc *vpc = owned_vpc(call, call_string(call, "VpcId"));
	const char *cidr = call_string(call, "CidrBlock");
	struct vpc row;
	int r;

	if (!vpc)
		return call_fail(call, "InvalidVpcId.NotFound");
	r = check_served(call);
	if (r < 0)
		return r;
	row = *vpc;
	if (vpc_event(&row, EVENT_MODIFY) == -EPERM)
		return call_fail(call, "IncorrectVpcStatus");
	r = vpc_read_texts(call, "VpcName", &row.name, &row.description);
	if (r < 0)
		return r;
	if (cidr && cidr[0]) {
		r = change_cidr(call, cidr, &row);
		if (r < 0)
			return r;
	}
	call_put(call, KIND_VPC, &row);
	return 0;
}

/* vSwitches and the route table go with it. No node has to know it. */
int vpc_move_resource_group(struct call *call)
{
	const struct vpc *vpc = owned_vpc(call, call_string(call, "ResourceId"));
	struct vpc row;
	int r;

	if (strcasecmp(call_string(call, "ResourceType"), "vpc") != 0)
		return call_fail(call, "IllegalParam.ResourceType");
	if (!vpc)
		return call_fail(call, "InvalidResourceId.NotFound");
	if (vpc->status == VPC_DELETING)
		return call_fail(call, "OperationFailed.InstanceStatusNotAllowed");
	row = *vpc;
	r = read_resource_group_of(call, "NewResourceGroupId", "InvalidResourceGroupId", row.resource_group);
	if (r == 0)
		call_put(call, KIND_VPC, &row);
	return r;
}
