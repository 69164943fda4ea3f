/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accounts and their access keys. A secret is shown by the call that makes the key, and by its repetitions
 * with the same ClientToken; it is kept in one place, the key's row, and gone with it.
 */
#include "../../lib/ident.h"
#include "../../model/check.h"
#include "../common/listing.h"
#include "../common/quota.h"
#include "../common/quota_defaults.h"
#include "../frame/answer.h"
#include "actions.h"

#define UID_MIN INT64_C(1000000000000000) /* 16 digits, … */
#define UID_MAX INT64_C(9007199254740991) /* … and exact as a double: below 2^53 */

#define ACCESS_KEY_PREFIX "PLAK"
#define ACCESS_KEY_LENGTH 20
#define SECRET_LENGTH	  30

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
	answer_row(call->answer, call->action->answer, KIND_ACCOUNT, &account);
	return 0;
}

int account_list(struct call *call)
{
	static const struct listing listing = {KIND_ACCOUNT};

	return list_all(call, &listing);
}

int access_key_create(struct call *call)
{
	const struct account *account = snapshot_account(call->rows, call_int(call, "AccountId", 0));
	struct access_key key;
	int r;

	if (!account)
		return call_fail(call, "AccountNotFound");
	r = quota_check_one(call, account->uid, QUOTA_ACCESS_KEYS, "");
	if (r < 0)
		return r;
	r = access_key_new(account->uid, call->now, &key);
	if (r < 0)
		return r;
	call_put(call, KIND_ACCESS_KEY, &key);
	answer_row(call->answer, call->action->answer, KIND_ACCESS_KEY, &key);
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

static bool is_last_of_administrators(const struct snapshot *rows, const struct access_key *key)
{
	const struct account *owner = snapshot_account(rows, key->uid);

	/* An administrator's users administer nothing. */
	if (!owner || !owner->is_admin || !key->active || key->user[0])
		return false;
	for (const struct access_key *k = NULL; (k = snapshot_next(rows, KIND_ACCESS_KEY, "", k));) {
		const struct account *account = snapshot_account(rows, k->uid);

		if (account && account->is_admin && k->active && !k->user[0] && !streq(k->id, key->id))
			return false;
	}
	return true;
}

static int find_key(struct call *call, const struct access_key **ret)
{
	*ret = snapshot_find(call->rows, KIND_ACCESS_KEY, call_string(call, "AccessKeyId"));
	return *ret ? 0 : call_fail(call, "AccessKeyNotFound");
}

int access_key_switch(struct call *call, const struct access_key *present)
{
	struct access_key key = *present;

	key.active = streq(call_string(call, "Status"), "Active");
	if (!key.active && is_last_of_administrators(call->rows, present))
		return call_fail(call, "AccessKeyLastOfAdministrators");
	if (key.active != present->active)
		call_put(call, KIND_ACCESS_KEY, &key);
	return 0;
}

int access_key_remove(struct call *call, const struct access_key *key)
{
	if (is_last_of_administrators(call->rows, key))
		return call_fail(call, "AccessKeyLastOfAdministrators");
	call_delete(call, KIND_ACCESS_KEY, key);
	return 0;
}

int access_key_update(struct call *call)
{
	const struct access_key *key;
	int r = find_key(call, &key);

	return r < 0 ? r : access_key_switch(call, key);
}

int access_key_delete(struct call *call)
{
	const struct access_key *key;
	int r = find_key(call, &key);

	return r < 0 ? r : access_key_remove(call, key);
}

int access_key_list(struct call *call)
{
	static const struct listing listing = {KIND_ACCESS_KEY};
	int64_t uid = call_int(call, "AccountId", 0);
	char text[24];

	if (!uid)
		return list_all(call, &listing);
	(void)str_format(text, sizeof(text), "%lld", (long long)uid);
	return list_children(call, &listing, REF_ACCESS_KEY_UID, text);
}
