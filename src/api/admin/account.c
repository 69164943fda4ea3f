/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accounts and their access keys. A secret is shown by the call that makes the key, and by its repetitions
 * with the same ClientToken; it is kept in one place, the key's row, and gone with it.
 */
#include "../../lib/ident.h"
#include "../../model/check.h"
#include "../common/limits.h"
#include "../frame/answer.h"
#include "../frame/shape.h"
#include "actions.h"

#define UID_MIN INT64_C(1000000000000000) /* 16 digits, … */
#define UID_MAX INT64_C(9007199254740991) /* … and exact as a double: below 2^53 */

#define ACCESS_KEY_PREFIX "PLAK"
#define ACCESS_KEY_LENGTH 20
#define SECRET_LENGTH	  30

static const char *const key_status_values[] = {"Active", "Inactive", NULL};

const struct param_spec account_create_params[] = {
	{"AccountName", PARAM_STRING, .required = true},
	{"Admin", PARAM_BOOL},
	{},
};
const struct param_spec account_id_params[] = {
	{"AccountId", PARAM_LONG, .required = true},
	{},
};
const struct param_spec access_key_id_params[] = {
	{"AccessKeyId", PARAM_STRING, .required = true},
	{},
};
const struct param_spec access_key_update_params[] = {
	{"AccessKeyId", PARAM_STRING, .required = true},
	{"Status", PARAM_STRING, .required = true, .values = key_status_values},
	{},
};
const struct param_spec access_key_list_params[] = {
	{"AccountId", PARAM_LONG},
	{},
};

int account_new(const char *name, bool admin, int64_t now, struct account *ret)
{
	struct account account = {.is_admin = admin, .create_time = now};
	uint64_t random;
	int r;

	r = random_bytes(&random, sizeof(random));
	if (r < 0)
		return r;
	/* 2^64 is so much more than the range that the remainder favours no number noticeably. */
	account.uid = UID_MIN + (int64_t)(random % (uint64_t)(UID_MAX - UID_MIN + 1));
	r = str_copy(account.name, sizeof(account.name), name);
	if (r < 0)
		return r;
	*ret = account;
	return 0;
}

int access_key_new(int64_t uid, int64_t now, struct access_key *ret)
{
	struct access_key key = {.uid = uid, .active = true, .create_time = now};
	size_t prefix = strlen(ACCESS_KEY_PREFIX);
	int r;

	_Static_assert(sizeof(ACCESS_KEY_PREFIX) + ACCESS_KEY_LENGTH <= sizeof(key.id), "a key's id fits");
	_Static_assert(SECRET_LENGTH < sizeof(key.secret), "a secret fits");
	memcpy(key.id, ACCESS_KEY_PREFIX, prefix);
	r = random_text(key.id + prefix, ACCESS_KEY_LENGTH);
	if (r == 0)
		r = random_text(key.secret, SECRET_LENGTH);
	if (r < 0)
		return r;
	*ret = key;
	return 0;
}

static bool name_taken(const struct snapshot *rows, const char *name)
{
	for (const struct account *a = NULL; (a = snapshot_next(rows, KIND_ACCOUNT, "", a));)
		if (streq(a->name, name))
			return true;
	return false;
}

int account_create(struct call *call)
{
	const char *name = call_string(call, "AccountName");
	struct account account;
	int r;

	if (!check_name(name, true))
		return call_fail_param(call, "AccountName",
				       "It must be of 2 to 128 letters, digits, - and _.");
	if (snapshot_count(call->rows, KIND_ACCOUNT, "") >= ACCOUNTS_MAX)
		return call_fail(call, "QuotaExceeded.Account");
	if (name_taken(call->rows, name))
		return call_fail(call, "AccountExist");
	r = account_new(name, call_bool(call, "Admin", false), call->now, &account);
	if (r < 0)
		return r;
	call_put(call, KIND_ACCOUNT, &account);
	answer_int(call->answer, "AccountId", account.uid);
	return 0;
}

int account_list(struct call *call)
{
	json_t *list = shape_list(call->answer, "Accounts");
	struct page page;
	int r;

	r = page_begin_token(call, &page, 50, 1000);
	if (r < 0)
		return r;
	for (const struct account *a = NULL; (a = snapshot_next(call->rows, KIND_ACCOUNT, "", a));) {
		json_t *item;

		if (!page_match(&page, snapshot_id(a)))
			continue;
		item = shape_item(list);
		answer_int(item, "AccountId", a->uid);
		answer_string(item, "AccountName", a->name);
		answer_bool(item, "Admin", a->is_admin);
		answer_time(item, "CreateTime", a->create_time);
	}
	page_end(call, &page);
	return 0;
}

int access_key_create(struct call *call)
{
	const struct account *account = snapshot_account(call->rows, call_int(call, "AccountId", 0));
	struct access_key key;
	int r;

	if (!account)
		return call_fail(call, "AccountNotFound");
	if (snapshot_count_owned(call->rows, KIND_ACCESS_KEY, account->uid, "") >=
	    ACCESS_KEYS_PER_ACCOUNT_MAX)
		return call_fail(call, "QuotaExceeded.AccessKeyPerAccount");
	r = access_key_new(account->uid, call->now, &key);
	if (r < 0)
		return r;
	call_put(call, KIND_ACCESS_KEY, &key);
	answer_int(call->answer, "AccountId", key.uid);
	answer_string(call->answer, "AccessKeyId", key.id);
	answer_string(call->answer, "AccessKeySecret", key.secret);
	answer_time(call->answer, "CreateTime", key.create_time);
	return 0;
}

int access_key_reveal(struct call *call)
{
	const char *id = json_string_value(json_object_get(call->answer, "AccessKeyId"));
	const struct access_key *key = id ? snapshot_find(call->rows, KIND_ACCESS_KEY, id) : NULL;

	if (!key)
		return call_fail(call, "AccessKeyNotFound");
	answer_string(call->answer, "AccessKeySecret", key->secret);
	return answer_complete(call->answer) ? 0 : -ENOMEM;
}

/* Whether nobody could administer any more without this key. */
static bool last_of_administrators(const struct snapshot *rows, const struct access_key *key)
{
	const struct account *owner = snapshot_account(rows, key->uid);

	if (!owner || !owner->is_admin || !key->active)
		return false;
	for (const struct access_key *k = NULL; (k = snapshot_next(rows, KIND_ACCESS_KEY, "", k));) {
		const struct account *account = snapshot_account(rows, k->uid);

		if (account && account->is_admin && k->active && !streq(k->id, key->id))
			return false;
	}
	return true;
}

static int find_key(struct call *call, const struct access_key **ret)
{
	*ret = snapshot_find(call->rows, KIND_ACCESS_KEY, call_string(call, "AccessKeyId"));
	return *ret ? 0 : call_fail(call, "AccessKeyNotFound");
}

int access_key_update(struct call *call)
{
	const struct access_key *present;
	struct access_key key;
	int r;

	r = find_key(call, &present);
	if (r < 0)
		return r;
	key = *present;
	key.active = streq(call_string(call, "Status"), "Active");
	if (!key.active && last_of_administrators(call->rows, present))
		return call_fail(call, "AccessKeyLastOfAdministrators");
	call_put(call, KIND_ACCESS_KEY, &key);
	return 0;
}

int access_key_delete(struct call *call)
{
	const struct access_key *key;
	int r;

	r = find_key(call, &key);
	if (r < 0)
		return r;
	if (last_of_administrators(call->rows, key))
		return call_fail(call, "AccessKeyLastOfAdministrators");
	call_delete(call, KIND_ACCESS_KEY, key);
	return 0;
}

/* Of an account, or of all (0). */
static const struct access_key *next_key(const struct snapshot *rows, int64_t uid, const struct access_key *k)
{
	return uid ? snapshot_owned(rows, KIND_ACCESS_KEY, uid, "", k)
		   : snapshot_next(rows, KIND_ACCESS_KEY, "", k);
}

int access_key_list(struct call *call)
{
	json_t *list = shape_list(call->answer, "AccessKeys");
	int64_t uid = call_int(call, "AccountId", 0);
	struct page page;
	int r;

	r = page_begin_token(call, &page, 50, 1000);
	if (r < 0)
		return r;
	for (const struct access_key *k = NULL; (k = next_key(call->rows, uid, k));) {
		json_t *item;

		if (!page_match(&page, k->id))
			continue;
		item = shape_item(list);
		answer_int(item, "AccountId", k->uid);
		answer_string(item, "AccessKeyId", k->id);
		answer_string(item, "Status", key_status_values[k->active ? 0 : 1]);
		answer_time(item, "CreateTime", k->create_time);
	}
	page_end(call, &page);
	return 0;
}
