/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose an endpoint or a service is, whom a service's whitelist admits, and whether a connection was
 * accepted.
 */
#include "admission.h"

#include "../common/owned.h"

const struct endpoint *owned_endpoint(const struct call *call, const char *id)
{
	const struct endpoint *endpoint = id ? snapshot_endpoint(call->rows, id) : NULL;

	return endpoint && owned_here(call, endpoint->owner, endpoint->region) ? endpoint : NULL;
}

const struct service *owned_service(const struct call *call, const char *id)
{
	const struct service *service = id ? snapshot_service(call->rows, id) : NULL;

	if (!service || !streq(service->region, call->region))
		return NULL;
	if (service->owner == call->account->uid || (service->owner == 0 && call->account->is_admin))
		return service;
	return NULL;
}

/* Whether an entry of the whitelist is the account: its id, its ARN, or an ARN of all accounts. */
static bool entry_admits(const struct service_user *user, int64_t uid)
{
	char arn[64];

	if (user->uid != 0)
		return user->uid == uid;
	if (streq(user->arn, "*") || streq(user->arn, "acs:ram:*:*") || streq(user->arn, "acs:ram:*:*:*") ||
	    streq(user->arn, "acs:ram:*::*"))
		return true;
	(void)str_format(arn, sizeof(arn), "acs:ram:*:%lld:*", (long long)uid);
	return streq(user->arn, arn);
}

bool service_admits(const struct call *call, const struct service *service)
{
	char prefix[ID_SIZE + 1];

	if (service->owner == 0 || service->owner == call->account->uid)
		return true;
	(void)str_format(prefix, sizeof(prefix), "%s/", service->id);
	for (const struct service_user *u = NULL;
	     (u = snapshot_next(call->rows, KIND_SERVICE_USER, prefix, u));)
		if (entry_admits(u, call->account->uid))
			return true;
	return false;
}

int check_service_there(struct call *call, const struct service *service)
{
	if (!service || service->status == SERVICE_DELETING)
		return call_fail(call, "EndpointServiceDeleted");
	return 0;
}

const char *acceptance_word(const struct connection *connection)
{
	if (connection->waiting)
		return "Waiting";
	switch (connection->status) {
	case CONNECTION_DISCONNECTING:
	case CONNECTION_DISCONNECTED:
		return "Refused";
	default:
		return "Accepted";
	}
}
