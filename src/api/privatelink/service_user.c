/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whom a service's owner lets in. The owner itself is on the list from the start. An entry is an account's
 * id, or an ARN of one account or of all.
 */
#include "../common/listing.h"
#include "../common/quota.h"
#include "../common/quota_defaults.h"
#include "actions.h"
#include "admission.h"

/* The account of an ARN; 0: it names all accounts. -EINVAL: it is none that the whitelist knows. */
static int parse_arn(const char *arn, int64_t *ret)
{
	static const char prefix[] = "acs:ram:*:";
	const char *digits = arn + strlen(prefix);
	size_t n;

	*ret = 0;
	if (streq(arn, "*") || streq(arn, "acs:ram:*:*") || streq(arn, "acs:ram:*:*:*") ||
	    streq(arn, "acs:ram:*::*"))
		return 0;
	if (!str_starts(arn, prefix))
		return -EINVAL;
	n = strspn(digits, "0123456789");
	if (n == 0 || n > 18 || !streq(digits + n, ":*"))
		return -EINVAL;
	*ret = strtoll(digits, NULL, 10);
	return *ret > 0 ? 0 : -EINVAL;
}

/* Lists an account or an ARN, unless it is there; `made` entries come by this call. */
static int add_user(struct call *call, const struct service *service, int64_t uid, const char *arn,
		    size_t *made)
{
	struct service_user row = {.uid = uid, .region = service->region};
	char key[KEY_SIZE];
	size_t n;
	int r;

	(void)str_copy(row.service, sizeof(row.service), service->id);
	(void)str_copy(row.arn, sizeof(row.arn), arn);
	if (row_key(KIND_SERVICE_USER, &row, key) < 0 ||
	    snapshot_find(call->rows, KIND_SERVICE_USER, strchr(key, '/') + 1))
		return 0;
	n = snapshot_count_children(call->rows, REF_SERVICE_USER_SERVICE, service->id) + *made;
	r = quota_check(call, service->owner, QUOTA_SERVICE_USERS, n, 1);
	if (r == 0)
		r = quota_check_share(call, service->owner, QUOTA_ALL_SERVICE_USERS, *made, 1);
	if (r < 0)
		return r;
	(*made)++;
	call_put(call, KIND_SERVICE_USER, &row);
	return 0;
}

/* Whom the parameters name: `uid`, 0 for none, and `arn`, NULL for none. */
static int read_user(struct call *call, int64_t *ret_uid, const char **ret_arn)
{
	int64_t uid = call_int(call, "UserId", 0), account = 0;
	const char *arn = call_string(call, "UserARN");

	if (arn && !arn[0])
		arn = NULL;
	if (!uid && !arn)
		return call_fail_named(call, "MissingParam.{name}", "UserArn");
	if (arn && parse_arn(arn, &account) < 0)
		return call_fail_param(call, "UserARN", "It must be acs:ram:*:{account}:* or acs:ram:*:*.");
	if (uid && arn && uid != account)
		return call_fail(call, "Mismatch.UserIdAndUserArn");
	*ret_uid = uid;
	*ret_arn = arn;
	return 0;
}

/* The caller's service whose whitelist is to be changed. */
static int find_changing(struct call *call, const struct service **ret)
{
	*ret = owned_service(call, call_string(call, "ServiceId"));
	if (!*ret)
		return call_fail(call, "EndpointServiceNotFound");
	return (*ret)->status == SERVICE_DELETING ? call_fail(call, "EndpointServiceOperationDenied") : 0;
}

/* Whom the call names, and the service whose users change. */
static int begin(struct call *call, int64_t *ret_uid, const char **ret_arn, const struct service **ret)
{
	int r = read_user(call, ret_uid, ret_arn);

	return r < 0 ? r : find_changing(call, ret);
}

int service_add_user(struct call *call)
{
	const struct service *service;
	const char *arn;
	size_t made = 0;
	int64_t uid;
	int r;

	r = begin(call, &uid, &arn, &service);
	if (r < 0)
		return r;
	if (uid)
		r = add_user(call, service, uid, "", &made);
	if (r == 0 && arn)
		r = add_user(call, service, 0, arn, &made);
	return r;
}

/* An id takes away the id, and an ARN every form of it: all accounts have four. */
static bool is_named(const struct service_user *user, int64_t uid, const char *arn, int64_t account)
{
	int64_t of_user = 0;

	if (!user->arn[0])
		return uid && user->uid == uid;
	return arn && parse_arn(user->arn, &of_user) == 0 && of_user == account;
}

int service_remove_user(struct call *call)
{
	const struct service *service;
	int64_t uid, account = 0;
	const char *arn;
	int r;

	r = begin(call, &uid, &arn, &service);
	if (r < 0)
		return r;
	if (arn)
		(void)parse_arn(arn, &account);
	for (const struct service_user *u = NULL;
	     (u = snapshot_children(call->rows, REF_SERVICE_USER_SERVICE, service->id, u));)
		if (is_named(u, uid, arn, account))
			call_delete(call, KIND_SERVICE_USER, u);
	return 0;
}

static bool is_listed(const struct call *call, const struct service_user *user, bool by_arn)
{
	if (by_arn)
		return user->arn[0];
	return !user->arn[0] && call_int(call, "UserId", user->uid) == user->uid;
}

int service_list_users(struct call *call)
{
	const struct service *service = owned_service(call, call_string(call, "ServiceId"));
	const struct answer_field *fields = call->action->answer;
	const char *type = call_string(call, "UserListType");
	bool by_arn = type && streq(type, "UserARNs");
	json_t *users = answer_list(call->answer, fields, "Users"),
	       *arns = answer_list(call->answer, fields, "UserARNs");
	struct page page;
	int r;

	if (!service)
		return call_fail(call, "EndpointServiceNotFound");
	r = page_begin(call, &page);
	if (r < 0)
		return r;
	for (const struct service_user *u = snapshot_children_behind(call->rows, REF_SERVICE_USER_SERVICE,
								     service->id, "", page_from(&page));
	     u && !page_is_done(&page);
	     u = snapshot_children(call->rows, REF_SERVICE_USER_SERVICE, service->id, u)) {
		call->n_rows++;
		if (is_listed(call, u, by_arn) && page_match(&page, snapshot_id(u)))
			(void)answer_entry(by_arn ? arns : users,
					   answer_find(fields, by_arn ? "UserARNs" : "Users"),
					   KIND_SERVICE_USER, u);
	}
	page_end(call, &page);
	return 0;
}
