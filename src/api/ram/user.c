/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Users. Their names are unique within the account; a list has them in the order of their numbers, and its
 * Marker is the last one's.
 */
#include <inttypes.h>

#include "../../lib/ident.h"
#include "../../model/check.h"
#include "../common/quota_defaults.h"
#include "../frame/fill.h"
#include "../frame/shape.h"
#include "actions.h"

#define USER_ID_MIN    INT64_C(200000000000000000) /* 18 digits, which no account's number has */
#define USER_ID_COUNT  INT64_C(100000000000000000)
#define USER_ID_LENGTH 18

#define USER_NAME_MAX	  64
#define TEXT_MAX	  128
#define MAX_ITEMS_DEFAULT 100

/* Walks the caller's account's users. */
static const struct ram_user *next_user(const struct call *call, const struct ram_user *previous)
{
	return snapshot_owned(call->rows, KIND_RAM_USER, call->account->uid, "", previous);
}

static const struct ram_user *find_user(const struct call *call, const char *name)
{
	const struct ram_user *user = NULL;

	while ((user = next_user(call, user)) && !streq(user->name, name))
		;
	return user;
}

int check_is_account(struct call *call)
{
	return call->user ? call_fail_detail(call, "NoPermission",
					     "Only the account itself may, none of its users.")
			  : 0;
}

int find_subject(struct call *call, const struct ram_user **ret)
{
	const char *name = call_string(call, "UserName");

	*ret = call->user;
	if (!name || !name[0] || (call->user && streq(call->user->name, name)))
		return 0;
	if (check_is_account(call) < 0)
		return -EBADMSG;
	*ret = find_user(call, name);
	return *ret ? 0 : call_fail(call, "EntityNotExist.User");
}

static void answer_user(struct call *call, const struct ram_user *user)
{
	answer_row(shape_object(call->answer, "User"), answer_find(call->action->answer, "User")->members,
		   KIND_RAM_USER, user);
}

/* What a user is called. */
static int read_name(struct call *call, struct ram_user *ret)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
	const char *name = call_string(call, "UserName");
	size_t n = strlen(name);

	if (n < 1 || n > USER_NAME_MAX)
		return call_fail_named(call, "InvalidParameter.{name}.Length", "UserName");
	if (strspn(name, allowed) != n)
		return call_fail_named(call, "InvalidParameter.{name}.InvalidChars", "UserName");
	return str_copy(ret->name, sizeof(ret->name), name) < 0 ? -E2BIG : 0;
}

static int read_text(struct call *call, const char *param, char ret[NAME_SIZE])
{
	const char *text = call_string(call, param);
	int n = text ? utf8_length(text) : 0;

	if (n < 0)
		return call_fail_named(call, "InvalidParameter.{name}.InvalidChars", param);
	if (n > TEXT_MAX || str_copy(ret, NAME_SIZE, text ? text : "") < 0)
		return call_fail_named(call, "InvalidParameter.{name}.Length", param);
	return 0;
}

/* "86-18600008888": the code of a country, and a number. */
static bool phone_ok(const char *s)
{
	static const char digits[] = "0123456789";
	size_t code = strspn(s, digits), number = s[code] == '-' ? strspn(s + code + 1, digits) : 0;

	return code >= 1 && code <= 4 && number >= 4 && number <= 20 && !s[code + 1 + number];
}

static bool email_ok(const char *s)
{
	const char *at = strchr(s, '@');

	return utf8_length(s) > 0 && !strpbrk(s, " \t") && at && at > s && at[1] && !strchr(at + 1, '@');
}

static int read_contact(struct call *call, struct ram_user *ret)
{
	const char *phone = call_string(call, "MobilePhone"), *email = call_string(call, "Email");

	if (phone && phone[0] &&
	    (!phone_ok(phone) || str_copy(ret->mobile_phone, sizeof(ret->mobile_phone), phone) < 0))
		return call_fail_named(call, "InvalidParameter.{name}.Format", "MobilePhone");
	if (email && email[0] && (!email_ok(email) || str_copy(ret->email, sizeof(ret->email), email) < 0))
		return call_fail_named(call, "InvalidParameter.{name}.Format", "Email");
	return 0;
}

/* A number that nobody has. */
static int new_number(struct call *call, struct ram_user *ret)
{
	uint64_t random;

	do {
		int r = random_bytes(&random, sizeof(random));

		if (r < 0)
			return r;
		(void)str_format(ret->id, sizeof(ret->id), "%" PRId64,
				 USER_ID_MIN + (int64_t)(random % (uint64_t)USER_ID_COUNT));
	} while (snapshot_find(call->rows, KIND_RAM_USER, ret->id));
	return 0;
}

int ram_user_create(struct call *call)
{
	struct ram_user user = {.owner = call->account->uid, .create_time = call->now};
	int r;

	r = check_is_account(call);
	if (r == 0)
		r = read_name(call, &user);
	if (r == 0)
		r = read_text(call, "DisplayName", user.display_name);
	if (r == 0)
		r = read_text(call, "Comments", user.comments);
	if (r == 0)
		r = read_contact(call, &user);
	if (r < 0)
		return r;
	if (find_user(call, user.name))
		return call_fail(call, "EntityAlreadyExists.User");
	if (snapshot_count_owned(call->rows, KIND_RAM_USER, user.owner, "") >= RAM_USERS_PER_ACCOUNT_MAX)
		return call_fail(call, "LimitExceeded.User");
	r = new_number(call, &user);
	if (r < 0)
		return r;
	call_put(call, KIND_RAM_USER, &user);
	answer_user(call, &user);
	return 0;
}

int ram_user_get(struct call *call)
{
	const struct ram_user *user;
	int r;

	r = find_subject(call, &user);
	if (r < 0)
		return r;
	if (!user)
		return call_fail_named(call, "Missing{Name}", "UserName");
	answer_user(call, user);
	return 0;
}

int ram_user_delete(struct call *call)
{
	const struct ram_user *user;
	int r;

	r = check_is_account(call);
	if (r == 0)
		r = find_subject(call, &user);
	if (r < 0)
		return r;
	if (!user)
		return call_fail_named(call, "Missing{Name}", "UserName");
	if (snapshot_count_children(call->rows, REF_ACCESS_KEY_USER, user->id) > 0)
		return call_fail(call, "DeleteConflict.User.AccessKey");
	call_delete(call, KIND_RAM_USER, user);
	return 0;
}

static bool marker_ok(const char *marker)
{
	return strlen(marker) == USER_ID_LENGTH && strspn(marker, "0123456789") == USER_ID_LENGTH;
}

int ram_user_list(struct call *call)
{
	const struct answer_field *field = answer_only_list(call->action->answer);
	json_t *list = answer_list(call->answer, call->action->answer, field->name);
	int64_t left = call_int(call, "MaxItems", MAX_ITEMS_DEFAULT);
	const char *marker = call_string(call, "Marker"), *last = "";
	const struct ram_user *user = NULL;
	int r;

	r = check_is_account(call);
	if (r < 0)
		return r;
	if (marker && marker[0] && !marker_ok(marker))
		return call_fail_param(call, "Marker", "It is not one of this action.");
	while ((user = next_user(call, user))) {
		if (marker && strcmp(user->id, marker) <= 0)
			continue;
		if (left-- == 0)
			break;
		(void)answer_entry(list, field, KIND_RAM_USER, user);
		last = user->id;
	}
	answer_bool(call->answer, "IsTruncated", user != NULL);
	if (user)
		answer_string(call->answer, "Marker", last);
	return 0;
}
