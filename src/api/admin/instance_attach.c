/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AttachInstance: what exists on a node already, a container's network namespace or a virtual machine's tap
 * device, becomes an instance of an account. Only administrators call this: a path names a namespace of the
 * node, whoever it belongs to. The agent of that node opens it; whether it exists is found out there, and an
 * instance that cannot be made stays Pending. GetInstance tells whoever attached it to another account what
 * became of it.
 */
#include "../frame/fill.h"
#include "actions.h"

#include "../common/instance.h"
#include "../common/placement.h"
#include "../common/quota_defaults.h"

#define DEVICE_NAME_MAX 15 /* the kernel's, IFNAMSIZ - 1 */

/* A name that the kernel takes, and that none of the agent's own devices can have ("pl" and hex digits). */
static bool device_ok(const char *s)
{
	size_t n = strlen(s);

	if (n < 1 || n > DEVICE_NAME_MAX || streq(s, ".") || streq(s, "..") || streq(s, "lo"))
		return false;
	if (strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") != n)
		return false;
	return !str_starts(s, "pl") || s[2 + strspn(s + 2, "0123456789abcdef")] != '\0';
}

/* Absolute, printable, without steps upwards. */
static bool path_ok(const char *s)
{
	for (const char *p = s; *p; p++)
		if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7f)
			return false;
	return s[0] == '/' && s[1] && !strstr(s, "/../") && !str_ends(s, "/..");
}

static int read_device(struct call *call, struct instance *row)
{
	const char *path = call_string(call, "Path"), *device = call_string(call, "Device");

	row->kind = streq(call_string(call, "Kind"), "tap") ? INSTANCE_TAP : INSTANCE_ATTACHED;
	if (row->kind == INSTANCE_TAP && !device)
		return call_fail_named(call, "Missing{Name}", "Device");
	if (device && (!device_ok(device) || str_copy(row->device, sizeof(row->device), device) < 0))
		return call_fail_named(call, "Invalid{Name}.Malformed", "Device");
	if (row->kind == INSTANCE_TAP)
		return 0;
	if (!path)
		return call_fail_named(call, "Missing{Name}", "Path");
	if (!path_ok(path) || str_copy(row->path, sizeof(row->path), path) < 0)
		return call_fail_named(call, "Invalid{Name}.Malformed", "Path");
	row->process_start = call_int(call, "ProcessStart", 0);
	if (row->process_start < 0)
		return call_fail_named(call, "Invalid{Name}.Malformed", "ProcessStart");
	if (!row->device[0])
		(void)str_copy(row->device, sizeof(row->device), "eth0");
	return 0;
}

/* A device belongs to one instance. */
static int check_device(struct call *call, const struct instance *row, const struct node *node)
{
	for (const struct instance *i = NULL;
	     (i = snapshot_children(call->rows, REF_INSTANCE_NODE, node->name, i));)
		if (i->kind == row->kind && streq(i->path, row->path) && streq(i->device, row->device))
			return call_fail(call, "InvalidDevice.Duplicated");
	return 0;
}

/* What exists, exists on a node: it must be named unless there is only one. */
static int choose_node(struct call *call, const char *zone, const struct node **ret)
{
	const char *name = call_string(call, "NodeName");
	_cleanup_(placement_done) struct placement placement = {};
	int r;

	r = placement_init(&placement, call, zone);
	if (r < 0)
		return r;
	if (name && name[0])
		*ret = placement_find(&placement, name);
	else if (placement.n > 1)
		return call_fail_named(call, "Missing{Name}", "NodeName");
	else
		*ret = placement_take(&placement);
	if (!*ret)
		return call_fail(call,
				 name && name[0] ? "InvalidNodeName.NotFound" : "OperationDenied.NoStock");
	return 0;
}

int attach_instance(struct call *call)
{
	int64_t owner = call_int(call, "AccountId", call->account->uid);
	struct instance row = {};
	struct instance_plan plan;
	struct alloc alloc = {};
	const struct node *node;
	struct port port;
	int r;

	if (!snapshot_account(call->rows, owner))
		return call_fail(call, "AccountNotFound");
	r = instance_plan_read(call, owner, &plan);
	if (r < 0)
		return r;
	r = read_device(call, &row);
	if (r < 0)
		return r;
	r = instance_read_texts(call, &row);
	if (r < 0)
		return r;
	r = instance_check_quota(call, owner, plan.vswitch->region, 1);
	if (r < 0)
		return r;
	r = choose_node(call, plan.vswitch->zone, &node);
	if (r < 0)
		return r;
	r = check_device(call, &row, node);
	if (r < 0)
		return r;
	r = instance_put(call, &plan, node, &alloc, &row, &port);
	if (r < 0)
		return r;
	answer_row(call->answer, call->action->answer, KIND_INSTANCE, &row);
	answer_row(call->answer, call->action->answer, KIND_PORT, &port);
	return 0;
}

int get_instance(struct call *call)
{
	const struct instance *instance = snapshot_instance(call->rows, call_string(call, "InstanceId"));

	if (!instance || (call->region[0] && !streq(call->region, instance->region)))
		return call_fail(call, "InvalidInstanceId.NotFound");
	answer_row(call->answer, call->action->answer, KIND_INSTANCE, instance);
	answer_string(call->answer, "Status", instance_status_word(call, instance));
	instance_answer_info(call, call->answer, instance);
	return 0;
}
