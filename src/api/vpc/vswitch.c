/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vSwitches: a range of a VPC in one zone. Two of them never overlap: creating one also puts the VPC's row,
 * unchanged, so that two creations in one VPC cannot both commit on what they saw, and the later one runs
 * again.
 */
#include "../../model/check.h"
#include "../../model/state.h"
#include "../common/address.h"
#include "../common/listing.h"
#include "../common/owned.h"
#include "../common/quota.h"
#include "../common/quota_defaults.h"
#include "../common/resource_group.h"
#include "../common/tags.h"
#include "actions.h"

/* The range is well-formed, inside the VPC, and free. */
static int read_cidr(struct call *call, const struct vpc *vpc, struct netprefix *ret)
{
	size_t n = snapshot_count_children(call->rows, REF_VSWITCH_VPC, vpc->id);
	int r;

	if (netprefix_parse(call_string(call, "CidrBlock"), true, ret) < 0)
		return call_fail(call, "InvalidCidrBlock.Malformed");
	if (!check_vswitch_cidr(ret, &vpc->cidr))
		return call_fail(call, netprefix_covers(&vpc->cidr, ret) ? "InvalidCidrBlock.Malformed"
									 : "InvalidCidrBlock.OutOfRange");
	for (const struct vswitch *v = NULL;
	     (v = snapshot_children(call->rows, REF_VSWITCH_VPC, vpc->id, v));)
		if (netprefix_overlaps(&v->cidr, ret))
			return call_fail(call, "InvalidCidrBlock.Overlapped");
	r = quota_check(call, vpc->owner, QUOTA_VSWITCHES, n, 1);
	return r < 0 ? r : quota_check_share(call, vpc->owner, QUOTA_ALL_VSWITCHES, 0, 1);
}

int vswitch_create(struct call *call)
{
	const struct vpc *vpc = owned_vpc(call, call_string(call, "VpcId"));
	const char *zone = call_string(call, "ZoneId");
	struct vswitch vswitch = {.owner = call->account->uid, .create_time = call->now};
	int r;

	if (!vpc)
		return call_fail(call, "InvalidVpcId.NotFound");
	if (!catalogue_zone(call->catalogue, vpc->region, zone))
		return call_fail_detail(call, "InvalidZoneId.NotFound", "%s has no zone %s.", vpc->region,
					zone);
	if (vpc->status == VPC_DELETING)
		return call_fail(call, "IncorrectVpcStatus");
	if (call_int(call, "Ipv6CidrBlock", -1) >= 0)
		return call_fail(call, "OperationUnsupported.EnableIpv6");
	r = read_cidr(call, vpc, &vswitch.cidr);
	if (r < 0)
		return r;
	r = vpc_read_texts(call, "VSwitchName", &vswitch.name, &vswitch.description);
	if (r < 0)
		return r;

	call_new_id(call, "vsw-", vswitch.id);
	(void)str_copy(vswitch.region, sizeof(vswitch.region), vpc->region);
	(void)str_copy(vswitch.vpc, sizeof(vswitch.vpc), vpc->id);
	(void)str_copy(vswitch.zone, sizeof(vswitch.zone), zone);
	vswitch.status = VSWITCH_PENDING;
	r = tags_create(call, vswitch.id, "VSWITCH");
	if (r < 0)
		return r;
	call_put(call, KIND_VPC, vpc);
	call_put(call, KIND_VSWITCH, &vswitch);
	answer_row(call->answer, call->action->answer, KIND_VSWITCH, &vswitch);
	return 0;
}

/* The code that says what is still in the vSwitch; NULL: nothing. */
static const char *vswitch_dependency(const struct call *call, const struct vswitch *vswitch)
{
	const struct address *first = snapshot_children(call->rows, REF_ADDRESS_VSWITCH, vswitch->id, NULL);
	const struct port *port = first ? snapshot_port(call->rows, first->port) : NULL;

	if (!first)
		return NULL;
	return port && port->kind != PORT_INSTANCE ? "DependencyViolation.CloudService"
						   : "DependencyViolation";
}

int vswitch_delete(struct call *call)
{
	const struct vswitch *vswitch = owned_vswitch(call, call_string(call, "VSwitchId"));
	const char *dependency;
	struct vswitch row;
	int r;

	if (!vswitch)
		return call_fail(call, "InvalidVSwitchId.NotFound");
	dependency = vswitch_dependency(call, vswitch);
	if (dependency)
		return call_fail(call, dependency);

	row = *vswitch;
	r = vswitch_event(&row, EVENT_DELETE);
	if (r == -EALREADY)
		return 0;
	if (r < 0)
		return call_fail(call, "IncorrectVSwitchStatus");
	call_put(call, KIND_VSWITCH, &row);
	tags_drop(call, vswitch->id);
	return 0;
}

/* The API has no word for a vSwitch on its way out: it reads Pending, then it is not found. */
static const char *status_word(const struct vswitch *vswitch)
{
	return enum_name(vswitch_status_names,
			 vswitch->status == VSWITCH_DELETING ? VSWITCH_PENDING : vswitch->status);
}

static void add_vpc(const struct call *call, json_t *item, const void *row)
{
	static const struct vpc none;
	const struct vswitch *vswitch = row;
	const struct vpc *vpc = snapshot_vpc(call->rows, vswitch->vpc);

	answer_row(item, call_fields(call), KIND_VPC, vpc ? vpc : &none);
	answer_string(item, "Status", status_word(vswitch));
	answer_int(item, "AvailableIpAddressCount", alloc_free_count(call->rows, vswitch));
}

static bool vswitch_wanted(const struct call *call, const void *row)
{
	const struct vswitch *v = row;
	const struct vpc *vpc = snapshot_vpc(call->rows, v->vpc);

	return filter_text(call, "VpcId", v->vpc) && filter_commas(call, "VSwitchId", v->id) &&
	       filter_text(call, "VSwitchName", v->name) && filter_text(call, "ZoneId", v->zone) &&
	       filter_resource_group(call, vpc ? vpc->resource_group : "") &&
	       filter_text(call, "RouteTableId", vpc ? vpc->route_table_id : "") &&
	       call_int(call, "VSwitchOwnerId", v->owner) == v->owner &&
	       !call_bool(call, "IsDefault", false) && !call_bool(call, "EnableIpv6", false) &&
	       tags_match(call, v->id);
}

int vswitch_list(struct call *call)
{
	static const struct list_filter filters[] = {
		{"VSwitchId", REF_COUNT_, .has_commas = true},
		{"VpcId", REF_VSWITCH_VPC, true},
		{},
	};
	static const struct listing listing = {KIND_VSWITCH, vswitch_wanted, add_vpc, .filters = filters};

	if (!call->region[0] && !call_string(call, "VpcId"))
		return call_fail_named(call, "Missing{Name}", "RegionId");
	return list_owned(call, &listing);
}

int vswitch_get(struct call *call)
{
	const struct vswitch *vswitch = owned_vswitch(call, call_string(call, "VSwitchId"));

	if (!vswitch)
		return call_fail(call, "InvalidVSwitchId.NotFound");
	answer_object_row(call, call->answer, call->action->answer, KIND_VSWITCH, vswitch);
	add_vpc(call, call->answer, vswitch);
	return 0;
}

int vswitch_modify(struct call *call)
{
	const struct vswitch *vswitch = owned_vswitch(call, call_string(call, "VSwitchId"));
	struct vswitch row;
	int r;

	if (!vswitch)
		return call_fail(call, "InvalidVSwitchId.NotFound");
	if (call_bool(call, "EnableIPv6", false))
		return call_fail(call, "OperationUnsupported.EnableIpv6");
	row = *vswitch;
	if (vswitch_event(&row, EVENT_MODIFY) == -EPERM)
		return call_fail(call, "IncorrectVSwitchStatus");
	r = vpc_read_texts(call, "VSwitchName", &row.name, &row.description);
	if (r < 0)
		return r;
	call_put(call, KIND_VSWITCH, &row);
	return 0;
}
