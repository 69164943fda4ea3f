/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What accounts may have: an account sees its own quotas, an administrator anybody's, and gives an account
 * other ones than the rest have.
 */
#include "../common/quota.h"
#include "../frame/answer.h"
#include "../frame/fill.h"
#include "actions.h"

/* The account and the quota that the parameters name. */
static int read_quota(struct call *call, int64_t *ret_uid, enum quota *ret)
{
	int64_t uid = call_int(call, "AccountId", 0);

	if (!snapshot_account(call->rows, uid))
		return call_fail(call, "AccountNotFound");
	if (quota_parse(call_string(call, "QuotaName"), ret) < 0)
		return call_fail_detail(call, "QuotaNotFound", "ListQuotas tells their names.");
	*ret_uid = uid;
	return 0;
}

static struct quota_row row_of(int64_t uid, enum quota quota)
{
	struct quota_row row = {.uid = uid};

	(void)str_copy(row.name, sizeof(row.name), quota_name(quota));
	return row;
}

/* The account's own; NULL: it has what all have. */
static int find_row(const struct call *call, int64_t uid, enum quota quota, const struct quota_row **ret)
{
	const struct quota_row row = row_of(uid, quota);
	char key[KEY_SIZE];
	int r;

	r = row_key(KIND_QUOTA, &row, key);
	if (r < 0)
		return r;
	*ret = snapshot_find(call->rows, KIND_QUOTA, strchr(key, '/') + 1);
	return 0;
}

int quota_set(struct call *call)
{
	int64_t value = call_int(call, "Value", -1), uid;
	const struct quota_row *present;
	struct quota_row row;
	enum quota quota;
	int r;

	r = read_quota(call, &uid, &quota);
	if (r < 0)
		return r;
	if (value < 0 || value > quota_most(quota)) {
		char text[64];

		(void)str_format(text, sizeof(text), "It must be a number from 0 to %lld.",
				 (long long)quota_most(quota));
		return call_fail_param(call, "Value", text);
	}
	r = find_row(call, uid, quota, &present);
	if (r < 0)
		return r;
	row = present ? *present : row_of(uid, quota);
	row.value = value;
	call_put(call, KIND_QUOTA, &row);
	return 0;
}

int quota_delete(struct call *call)
{
	const struct quota_row *present;
	enum quota quota;
	int64_t uid;
	int r;

	r = read_quota(call, &uid, &quota);
	if (r < 0)
		return r;
	r = find_row(call, uid, quota, &present);
	if (r < 0)
		return r;
	if (!present)
		return call_fail_detail(call, "QuotaNotFound", "The account has what all have.");
	call_delete(call, KIND_QUOTA, present);
	return 0;
}

/* What is counted one by one: endpoints of the region that are idle, all that have a flow log, the resources
 * of the region's services, by zone, and of all services. */
static size_t rows_of(const struct call *call, int64_t uid)
{
	size_t n = snapshot_count_owned(call->rows, KIND_ENDPOINT, uid, call->region) +
		   snapshot_count_owned(call->rows, KIND_ENDPOINT, uid, "") +
		   snapshot_count_owned(call->rows, KIND_SERVICE, uid, "");

	for (const struct service *s = NULL;
	     (s = snapshot_owned(call->rows, KIND_SERVICE, uid, call->region, s));)
		n += snapshot_count_children(call->rows, REF_SERVICE_RESOURCE_SERVICE, s->id);
	return n;
}

int quota_list(struct call *call)
{
	const struct answer_field *field = answer_find(call->action->answer, "Quotas");
	json_t *list = answer_list(call->answer, call->action->answer, "Quotas");
	int64_t uid = call_int(call, "AccountId", call->account->uid);

	if (uid != call->account->uid && !call_is_admin(call))
		return call_fail_detail(call, "Forbidden",
					"Only an administrator may see another account's.");
	if (!snapshot_account(call->rows, uid))
		return call_fail(call, "AccountNotFound");
	call->n_rows += rows_of(call, uid);
	for (enum quota q = 0; q < QUOTA_COUNT_; q++) {
		struct quota_row row = row_of(uid, q);
		json_t *item;

		row.value = quota_value(call->rows, uid, q);
		item = answer_entry(list, field, KIND_QUOTA, &row);
		answer_int(item, "DefaultValue", quota_default(q));
		answer_int(item, "Usage", (int64_t)quota_usage(call->rows, uid, q, call->region));
		answer_string(item, "Description", quota_description(q));
	}
	return 0;
}
