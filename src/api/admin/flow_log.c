/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The switch of an endpoint's flow log. What it records is on the nodes.
 */
#include "../common/owned.h"
#include "../common/quota.h"
#include "../frame/answer.h"
#include "../frame/fill.h"
#include "actions.h"

static const struct endpoint *owned_endpoint(struct call *call)
{
	return owned_row(call, KIND_ENDPOINT, call_string(call, "EndpointId"));
}

int endpoint_flow_log_get(struct call *call)
{
	const struct endpoint *endpoint = owned_endpoint(call);

	if (!endpoint)
		return call_fail(call, "EndpointNotFound");
	answer_row(call->answer, call->action->answer, KIND_ENDPOINT, endpoint);
	return 0;
}

int endpoint_flow_log_set(struct call *call)
{
	const struct endpoint *endpoint = owned_endpoint(call);
	bool on = strcasecmp(call_string(call, "FlowLog"), "On") == 0;
	struct endpoint row;
	int r = 0;

	if (!endpoint)
		return call_fail(call, "EndpointNotFound");
	if (endpoint->status == ENDPOINT_DELETING)
		return call_fail(call, "EndpointOperationDenied");
	if (endpoint->flow_log == on)
		return 0;
	if (on)
		r = quota_check_one(call, call->account->uid, QUOTA_FLOW_LOGS, endpoint->region);
	if (r < 0)
		return r;
	row = *endpoint;
	row.flow_log = on;
	call_put(call, KIND_ENDPOINT, &row);
	return 0;
}
