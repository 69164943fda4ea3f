/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose an endpoint or a service is, whom a service's whitelist admits, and whether a connection was
 * accepted.
 */
#include "admission.h"

#include "../common/owned.h"

const struct endpoint *owned_endpoint(const struct call *call, const char *id)
{
	return owned_row(call, KIND_ENDPOINT, id);
}

const struct service *owned_service(const struct call *call, const char *id)
{
	const struct service *service = id ? snapshot_service(call->rows, id) : NULL;

	if (!service || !streq(service->region, call->region))
		return NULL;
	if (service->owner == call->account->uid || (service->owner == 0 && call_is_admin(call)))
		return service;
	return NULL;
}

/* Those in a region, of an account. */
static int add_services(int64_t owner, const char *region, struct walk *walk)
{
	char uid[UID_TEXT_SIZE];

	relation_uid(owner, uid);
	return walk_add(walk, REF_SERVICE_OWNER, uid, region);
}

int owned_services(const struct call *call, struct walk *ret)
{
	int r;

	*ret = (struct walk){.rows = call->rows, .kind = KIND_SERVICE};
	r = add_services(call->account->uid, call->region, ret);
	return r == 0 && call_is_admin(call) ? add_services(0, call->region, ret) : r;
}

bool all_are_connected(const struct call *call)
{
	return snapshot_count(call->rows, KIND_CONNECTION, "") ==
	       snapshot_count(call->rows, KIND_ENDPOINT, "");
}

/* Entries of the whitelist that are all accounts. */
static const char *const arns_of_all[] = {"*", "acs:ram:*:*", "acs:ram:*:*:*", "acs:ram:*::*"};

static void arn_of(int64_t uid, char *ret, size_t size)
{
	(void)str_format(ret, size, "acs:ram:*:%lld:*", (long long)uid);
}

/* Whether the whitelist has that id, or, of 0, that ARN. */
static bool has_entry(const struct call *call, const struct service *service, int64_t uid, const char *arn)
{
	struct service_user row = {.uid = uid};
	char key[KEY_SIZE];

	(void)str_copy(row.service, sizeof(row.service), service->id);
	(void)str_copy(row.arn, sizeof(row.arn), arn);
	return row_key(KIND_SERVICE_USER, &row, key) == 0 &&
	       snapshot_find(call->rows, KIND_SERVICE_USER, strchr(key, '/') + 1);
}

/* The caller's entries are asked for one by one: how many others a whitelist has is its owner's affair. */
bool service_admits(const struct call *call, const struct service *service)
{
	int64_t uid = call->account->uid, user = call->user ? strtoll(call->user->id, NULL, 10) : 0;
	char arn[64];

	if (service->owner == 0 || service->owner == uid)
		return true;
	arn_of(uid, arn, sizeof(arn));
	if (has_entry(call, service, uid, "") || has_entry(call, service, 0, arn))
		return true;
	/* The id of one of its users, who calls. What that one makes is the account's, as all that users
	 * make. */
	if (user && has_entry(call, service, user, ""))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(arns_of_all); i++)
		if (has_entry(call, service, 0, arns_of_all[i]))
			return true;
	return false;
}

int admitting_services(const struct call *call, const char *region, struct walk *ret)
{
	char uid[UID_TEXT_SIZE], arn[64];
	int r;

	*ret = (struct walk){.rows = call->rows, .kind = KIND_SERVICE};
	relation_uid(call->account->uid, uid);
	arn_of(call->account->uid, arn, sizeof(arn));
	r = add_services(call->account->uid, region, ret);
	if (r == 0)
		r = add_services(0, region, ret);
	if (r == 0)
		r = walk_add_wholes(ret, REF_SERVICE_USER_UID, uid, region);
	if (r == 0 && call->user)
		r = walk_add_wholes(ret, REF_SERVICE_USER_UID, call->user->id, region);
	if (r == 0)
		r = walk_add_wholes(ret, REF_SERVICE_USER_ARN, arn, region);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(arns_of_all); i++)
		r = walk_add_wholes(ret, REF_SERVICE_USER_ARN, arns_of_all[i], region);
	return r;
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
