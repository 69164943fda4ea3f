/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Access keys of a user, or of the account itself: a new one, and when it is in use everywhere, the old one
 * off. A key that is switched off signs nothing from then on, and one that is deleted is forgotten.
 */
#include "../admin/actions.h"
#include "../common/quota.h"
#include "../common/quota_defaults.h"
#include "../frame/answer.h"
#include "../frame/fill.h"
#include "../frame/shape.h"
#include "actions.h"

/* Walks the subject's keys. */
static const struct access_key *next_key(const struct call *call, const struct ram_user *user,
					 const struct access_key *previous)
{
	const struct access_key *key = previous;

	if (user)
		return snapshot_children(call->rows, REF_ACCESS_KEY_USER, user->id, key);
	while ((key = snapshot_owned(call->rows, KIND_ACCESS_KEY, call->account->uid, "", key)) &&
	       key->user[0])
		;
	return key;
}

int ram_key_create(struct call *call)
{
	const struct ram_user *user;
	struct access_key key;
	size_t n, most;
	int r;

	r = find_subject(call, &user);
	if (r < 0)
		return r;
	n = user ? snapshot_count_children(call->rows, REF_ACCESS_KEY_USER, user->id)
		 : quota_usage(call->rows, call->account->uid, QUOTA_ACCESS_KEYS, "");
	most = user ? ACCESS_KEYS_PER_USER_MAX
		    : (size_t)quota_value(call->rows, call->account->uid, QUOTA_ACCESS_KEYS);
	if (n >= most)
		return call_fail_detail(call, "LimitExceeded.User.AccessKey", "%s has %zu of %zu.",
					user ? "The user" : "The account", n, most);
	r = access_key_new(call->account->uid, call->now, &key);
	if (r < 0)
		return r;
	if (user)
		(void)str_copy(key.user, sizeof(key.user), user->id);
	call_put(call, KIND_ACCESS_KEY, &key);
	answer_row(shape_object(call->answer, "AccessKey"),
		   answer_find(call->action->answer, "AccessKey")->members, KIND_ACCESS_KEY, &key);
	return 0;
}

int ram_key_reveal(struct call *call)
{
	json_t *object = json_object_get(call->answer, "AccessKey");
	const char *id = member_string(object, "AccessKeyId");
	const struct access_key *key = id ? snapshot_find(call->rows, KIND_ACCESS_KEY, id) : NULL;

	if (!key)
		return call_fail(call, "EntityNotExist.User.AccessKey");
	answer_string(object, "AccessKeySecret", key->secret);
	return answer_complete(call->answer) ? 0 : -ENOMEM;
}

/* The subject's key that the parameter names. */
static int find_key(struct call *call, const struct access_key **ret)
{
	const char *id = call_string(call, "UserAccessKeyId");
	const struct ram_user *user;
	int r;

	r = find_subject(call, &user);
	if (r < 0)
		return r;
	*ret = snapshot_find(call->rows, KIND_ACCESS_KEY, id);
	if (!*ret || (*ret)->uid != call->account->uid || !streq((*ret)->user, user ? user->id : ""))
		return call_fail(call, "EntityNotExist.User.AccessKey");
	return 0;
}

int ram_key_update(struct call *call)
{
	const struct access_key *key;
	int r = find_key(call, &key);

	return r < 0 ? r : access_key_switch(call, key);
}

int ram_key_delete(struct call *call)
{
	const struct access_key *key;
	int r = find_key(call, &key);

	return r < 0 ? r : access_key_remove(call, key);
}

int ram_key_list(struct call *call)
{
	const struct answer_field *field = answer_only_list(call->action->answer);
	json_t *list = answer_list(call->answer, call->action->answer, field->name);
	const struct ram_user *user;
	int r;

	r = find_subject(call, &user);
	if (r < 0)
		return r;
	for (const struct access_key *k = NULL; (k = next_key(call, user, k));)
		(void)answer_entry(list, field, KIND_ACCESS_KEY, k);
	return 0;
}
