/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What guards a load balancer: against deletion, which DeleteLoadBalancer heeds, and against changes in a
 * console. That one binds consoles, which read it; calls of the API go on, as they do in Alibaba Cloud.
 */
#include "../../model/check.h"
#include "../../model/state.h"
#include "actions.h"

/* What a call says about it, wherever it says so. */
struct wish {
	const json_t *deletion; /* true, false; NULL: nothing */
	const char *deletion_reason, *modification, *modification_reason;
	const char *deletion_name, *modification_name; /* the parameters of the reasons */
};

static int read_reason(struct call *call, const char *name, const char *text, char ret[NAME_SIZE])
{
	int length;

	if (!text)
		return 0;
	length = utf8_length(text);
	if (text[0] && (length < 2 || length > 128))
		return nlb_fail_value(call, name,
				      "It has 2 to 128 characters, none of them a control character.");
	(void)str_copy(ret, NAME_SIZE, text);
	return 0;
}

/* A reason goes with the guard that it is for. */
static int apply_deletion(struct call *call, const struct wish *wish, struct load_balancer *row)
{
	bool was = row->deletion_protected;

	if (json_is_boolean(wish->deletion))
		row->deletion_protected = json_is_true(wish->deletion);
	if (!row->deletion_protected) {
		if (wish->deletion_reason && wish->deletion_reason[0])
			return nlb_fail_value(call, wish->deletion_name, "A reason goes with a protection.");
		row->deletion_reason[0] = '\0';
		row->deletion_time = 0;
		return 0;
	}
	if (!was)
		row->deletion_time = call->now;
	return read_reason(call, wish->deletion_name, wish->deletion_reason, row->deletion_reason);
}

static int apply_modification(struct call *call, const struct wish *wish, struct load_balancer *row)
{
	bool was = row->modification_protected;

	if (wish->modification)
		row->modification_protected = streq(wish->modification, "ConsoleProtection");
	if (!row->modification_protected) {
		if (wish->modification_reason && wish->modification_reason[0])
			return nlb_fail_value(call, wish->modification_name,
					      "A reason goes with a protection.");
		row->modification_reason[0] = '\0';
		row->modification_time = 0;
		return 0;
	}
	if (!was)
		row->modification_time = call->now;
	return read_reason(call, wish->modification_name, wish->modification_reason,
			   row->modification_reason);
}

static int apply(struct call *call, const struct wish *wish, struct load_balancer *row)
{
	int r = apply_deletion(call, wish, row);

	return r < 0 ? r : apply_modification(call, wish, row);
}

int balancer_read_protection(struct call *call, struct load_balancer *row)
{
	const json_t *deletion = json_object_get(call->params, "DeletionProtectionConfig"),
		     *modification = json_object_get(call->params, "ModificationProtectionConfig");
	const struct wish wish = {
		.deletion = json_object_get(deletion, "Enabled"),
		.deletion_reason = member_string(deletion, "Reason"),
		.deletion_name = "DeletionProtectionConfig.Reason",
		.modification = member_string(modification, "Status"),
		.modification_reason = member_string(modification, "Reason"),
		.modification_name = "ModificationProtectionConfig.Reason",
	};

	return apply(call, &wish, row);
}

/* No node has to know it, so it is in force at once. */
int balancer_update_protection(struct call *call)
{
	const struct wish wish = {
		.deletion = json_object_get(call->params, "DeletionProtectionEnabled"),
		.deletion_reason = call_string(call, "DeletionProtectionReason"),
		.deletion_name = "DeletionProtectionReason",
		.modification = call_string(call, "ModificationProtectionStatus"),
		.modification_reason = call_string(call, "ModificationProtectionReason"),
		.modification_name = "ModificationProtectionReason",
	};
	const struct load_balancer *found = NULL;
	struct load_balancer row;
	int r;

	r = nlb_find(call, KIND_LOAD_BALANCER, (const void **)&found);
	if (r < 0)
		return r;
	row = *found;
	if (row.status == LB_DELETING)
		return call_fail(call, "IncorrectStatus.loadBalancer");
	r = apply(call, &wish, &row);
	if (r == 0)
		call_put(call, KIND_LOAD_BALANCER, &row);
	return r;
}

int balancer_fail_protected(struct call *call, const struct load_balancer *lb)
{
	if (lb->deletion_reason[0])
		return call_fail_detail(call, "OperationDenied.DeletionProtection",
					"The reason given is: %s.", lb->deletion_reason);
	return call_fail(call, "OperationDenied.DeletionProtection");
}
