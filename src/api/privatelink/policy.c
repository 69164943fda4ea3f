/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy of an endpoint is kept and told; what it says is the business of whoever serves the calls.
 */
#include "policy.h"

#include "../frame/answer.h"

/* What a service that takes policies does without one. */
#define POLICY_DEFAULT                                                                                       \
	"{\"Version\":\"1\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":[\"*\"],\"Principal\":[\"*\"],"  \
	"\"Resource\":[\"*\"]}]}"

void policy_answer(json_t *object, const struct endpoint *endpoint, const struct service *service)
{
	if (endpoint->policy[0])
		answer_string(object, "PolicyDocument", endpoint->policy);
	else if (service && service->policy_supported)
		answer_string(object, "PolicyDocument", POLICY_DEFAULT);
}

static bool policy_valid(const char *text)
{
	_cleanup_(json_decrefp) json_t *policy = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	const char *version = json_string_value(json_object_get(policy, "Version"));

	return version && streq(version, "1") && json_array_size(json_object_get(policy, "Statement")) > 0;
}

int policy_read(struct call *call, const struct service *service, struct endpoint *row)
{
	const char *policy = call_string(call, "PolicyDocument");

	if (!policy || !policy[0])
		return 0;
	if (!service->policy_supported)
		return call_fail(call, "OperationDenied.EndpointPolicyNotSupport");
	if (!policy_valid(policy) || str_copy(row->policy, sizeof(row->policy), policy) < 0)
		return call_fail_param(call, "PolicyDocument",
				       "It must be a policy of version 1 in JSON, of 2048 bytes at most.");
	return 0;
}
