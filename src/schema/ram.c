/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RAM: an account's users, and the access keys of users and of the account itself.
 */
#include "ram.h"

#define USER_NAME_HELP "1 to 64 letters, digits, ., - and _"

static const struct param_spec ram_user_create_params[] = {
	{"UserName", PARAM_STRING, .required = true, OPTION("NAME", USER_NAME_HELP)},
	{"DisplayName", PARAM_STRING, OPTION("--display-name", "up to 128 characters")},
	{"MobilePhone", PARAM_STRING, OPTION("--phone", "86-… : code of the country and number")},
	{"Email", PARAM_STRING, OPTION("--email", "address")},
	{"Comments", PARAM_STRING, OPTION("--comments", "up to 128 characters")},
	{},
};

static const struct param_spec ram_user_name_params[] = {
	{"UserName", PARAM_STRING, .required = true, OPTION("NAME", "the user's name")},
	{},
};

static const struct param_spec ram_user_get_params[] = {
	{"UserName", PARAM_STRING, OPTION("NAME", "the user's name (the caller's)")},
	{},
};

static const struct param_spec ram_user_list_params[] = {
	{"Marker", PARAM_STRING},
	{"MaxItems", PARAM_INT, .min = 1, .max = 1000},
	{},
};

#define WHOSE                                                                                                \
	{                                                                                                    \
		"UserName", PARAM_STRING, OPTION("--user", "a user's name (the caller itself)")              \
	}
#define WHICH_KEY                                                                                            \
	{                                                                                                    \
		"UserAccessKeyId", PARAM_STRING, .required = true, OPTION("KEY", "the key's id")             \
	}

static const struct param_spec ram_key_create_params[] = {
	WHOSE,
	{},
};

static const struct param_spec ram_key_list_params[] = {
	WHOSE,
	{},
};

static const struct param_spec ram_key_delete_params[] = {
	WHICH_KEY,
	WHOSE,
	{},
};

static const char *const key_states[] = {"Active", "Inactive", NULL};

static const struct param_spec ram_key_update_params[] = {
	WHICH_KEY,
	WHOSE,
	{"Status", PARAM_STRING, .required = true, .values = key_states},
	{},
};

static const struct answer_field ram_user_answer[] = {
	{"UserId", OF(ram_user, id), IN_BOTH("Number", 2, 2)},
	{"UserName", OF(ram_user, name), IN_BOTH("User", 1, 1)},
	{"DisplayName", OF(ram_user, display_name), IN_BOTH("Display name", 3, 3)},
	{"MobilePhone", OF(ram_user, mobile_phone), IN_SHOW("Phone", 5)},
	{"Email", OF(ram_user, email), IN_SHOW("Email", 6)},
	{"Comments", OF(ram_user, comments), IN_SHOW("Comments", 7)},
	{"CreateDate", TIME_OF(ram_user, create_time), IN_BOTH("Created", 4, 4)},
	{},
};

static const struct answer_field ram_user_one_answer[] = {
	{"User", AN_OBJECT(ram_user_answer)},
	{},
};

static const struct answer_field ram_user_list_answer[] = {
	{"Users", LIST("User", ram_user_answer)},
	{"IsTruncated", A_FLAG},
	{"Marker", A_TEXT},
	{},
};

static const struct answer_field ram_new_key_answer[] = {
	{"AccessKeyId", OF(access_key, id), IN_SHOW("Access key", 1)},
	{"AccessKeySecret", OF(access_key, secret), .secret = true, IN_SHOW("Secret", 2)},
	{"Status", CHOICE_OF(access_key, active, "Inactive", "Active")},
	{"CreateDate", TIME_OF(access_key, create_time)},
	{},
};

static const struct answer_field ram_key_create_answer[] = {
	{"AccessKey", AN_OBJECT(ram_new_key_answer)},
	{},
};

static const struct answer_field ram_key_answer[] = {
	{"AccessKeyId", OF(access_key, id), IN_LIST("Access key", 1)},
	{"Status", CHOICE_OF(access_key, active, "Inactive", "Active"), IN_LIST("Status", 2)},
	{"CreateDate", TIME_OF(access_key, create_time), IN_LIST("Created", 3)},
	{},
};

static const struct answer_field ram_key_list_answer[] = {
	{"AccessKeys", LIST("AccessKey", ram_key_answer)},
	{},
};

const struct action ram_actions[] = {
	RAM_ACTIONS(SCHEMA_ACTION){},
};
