/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Instances: run, start, stop, delete. An instance is a network namespace on a node. The image and the type
 * are kept and shown, and mean nothing: what runs in the namespace is its user's choice.
 */
#include "../common/instance.h"
#include "../../model/check.h"
#include "../../model/state.h"
#include "../common/owned.h"
#include "../common/placement.h"
#include "../common/quota_defaults.h"
#include "../common/resource_group.h"
#include "../common/tags.h"
#include "../frame/shape.h"
#include "actions.h"

/* What asks for more than an instance has here is refused: it would be made as if nobody had asked. */
static int check_served(struct call *call)
{
	static const char *const numbers[] = {"InternetMaxBandwidthOut", "Ipv6AddressCount"};
	const char *release = call_string(call, "AutoReleaseTime"), *wanted = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (call_int(call, numbers[i], 0) > 0)
			wanted = numbers[i];
	if (call_list(call, "Ipv6Address"))
		wanted = "Ipv6Address";
	if (release && release[0])
		wanted = "AutoReleaseTime";
	if (call_bool(call, "DeletionProtection", false))
		wanted = "DeletionProtection";
	return wanted ? call_fail_named(call, "Invalid{Name}.ValueNotSupported", wanted) : 0;
}

/* What all instances of the call share. */
static int read_pattern(struct call *call, struct instance *ret)
{
	const char *image = call_string(call, "ImageId"), *type = call_string(call, "InstanceType");
	int r;

	*ret = (struct instance){.kind = INSTANCE_NETNS};
	r = check_served(call);
	if (r < 0)
		return r;
	if (image && (utf8_length(image) < 0 || str_copy(ret->image, sizeof(ret->image), image) < 0))
		return call_fail_named(call, "Invalid{Name}.NotFound", "ImageId");
	if (type && (utf8_length(type) < 0 || str_copy(ret->type, sizeof(ret->type), type) < 0))
		return call_fail_named(call, "Invalid{Name}.ValueNotSupported", "InstanceType");
	r = read_resource_group(call, "InvalidResourceGroup.NotFound", ret->resource_group);
	return r < 0 ? r : instance_read_texts(call, ret);
}

static int run_one(struct call *call, const struct instance_plan *plan, struct placement *placement,
		   struct alloc *alloc, const struct instance *pattern, json_t *ids)
{
	const struct node *node = placement_take(placement);
	struct instance row = *pattern;
	struct port port;
	int r;

	if (!node)
		return call_fail_detail(call, "OperationDenied.NoStock", "None that reports has the zone %s.",
					plan->vswitch->zone);
	r = instance_put(call, plan, node, alloc, &row, &port);
	if (r < 0)
		return r;
	shape_text(ids, row.id);
	return tags_create(call, row.id, "instance");
}

int instance_run(struct call *call)
{
	uint32_t amount = (uint32_t)call_int(call, "Amount", 1);
	_cleanup_(placement_done) struct placement placement = {};
	struct instance pattern;
	struct instance_plan plan;
	struct alloc alloc = {};
	json_t *ids;
	int r;

	r = instance_plan_read(call, call->account->uid, &plan);
	if (r < 0)
		return r;
	r = read_pattern(call, &pattern);
	if (r < 0)
		return r;
	if (amount * (4 + json_array_size(call_list(call, "Tag"))) > 4 * INSTANCES_PER_CALL_MAX)
		return call_fail_param(call, "Amount",
				       "So many instances with so many tags need several calls.");
	r = instance_check_quota(call, plan.owner, plan.vswitch->region, amount);
	if (r < 0)
		return r;
	r = placement_init(&placement, call, plan.vswitch->zone);
	if (r < 0)
		return r;

	ids = shape_wrapped(call->answer, "InstanceIdSets", "InstanceIdSet");
	for (uint32_t i = 0; i < amount; i++) {
		r = run_one(call, &plan, &placement, &alloc, &pattern, ids);
		if (r < 0)
			return r;
		/* A wanted address is that of the first; the others follow it. */
		if (!netaddr_is_zero(&plan.wanted))
			plan.wanted = netaddr_v4(netaddr_to_v4(&plan.wanted) + 1);
	}
	return 0;
}

static int change_state(struct call *call, enum state_event event)
{
	const struct instance *instance = owned_instance(call, call_string(call, "InstanceId"));
	struct instance row;
	int r;

	if (!instance)
		return call_fail(call, "InvalidInstanceId.NotFound");
	row = *instance;
	r = instance_event(&row, event);
	if (r == -EALREADY)
		return 0;
	if (r < 0)
		return call_fail(call, "IncorrectInstanceStatus");
	call_put(call, KIND_INSTANCE, &row);
	return 0;
}

int instance_start(struct call *call)
{
	return change_state(call, EVENT_MODIFY);
}

int instance_stop(struct call *call)
{
	return change_state(call, EVENT_DISABLE);
}

/* An instance that goes away leaves the server groups that it serves: its address will be another's one day.
 */
static void leave_server_groups(struct call *call, const char *port)
{
	for (const struct server *s = NULL;
	     (s = snapshot_children(call->rows, REF_SERVER_PORT_ID, port, s));) {
		struct server row = *s;

		if (server_event(&row, EVENT_DELETE) == 0)
			call_put(call, KIND_SERVER, &row);
	}
}

int instance_delete(struct call *call)
{
	const struct instance *instance = owned_instance(call, call_string(call, "InstanceId"));
	int r;

	if (!instance)
		return call_fail(call, "InvalidInstanceId.NotFound");
	if (instance->status != INSTANCE_STOPPED && instance->status != INSTANCE_DELETING &&
	    !call_bool(call, "Force", false))
		return call_fail(call, "IncorrectInstanceStatus");
	r = change_state(call, EVENT_DELETE);
	if (r < 0)
		return r;
	leave_server_groups(call, instance->port);
	tags_drop(call, instance->id);
	return 0;
}
