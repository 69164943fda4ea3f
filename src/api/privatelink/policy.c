/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy of an endpoint is kept and told, byte for byte; what it says is the business of whoever serves
 * the calls. It must be one, though, and what is wrong with it is said with the place.
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

/* A text, or a list of some texts. */
static bool is_texts(const json_t *value)
{
	const json_t *text;
	size_t i;

	if (json_is_string(value))
		return *json_string_value(value);
	json_array_foreach(value, i, text)
		if (!json_is_string(text) || !*json_string_value(text))
			return false;
	return json_array_size(value) > 0;
}

/* Texts, or an object of them by kind ({"RAM": […]}). */
static bool is_principal(json_t *value)
{
	const char *kind;
	json_t *names;

	if (!json_is_object(value))
		return is_texts(value);
	json_object_foreach(value, kind, names)
		if (!is_texts(names))
			return false;
	return json_object_size(value) > 0;
}

/* What is wrong with a member of a statement; NULL: nothing. */
static const char *member_fault(const char *name, json_t *value)
{
	static const char *const texts[] = {"Action", "NotAction", "Resource", "NotResource"};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (streq(name, texts[i]))
			return is_texts(value) ? NULL : "must be a text or a list of texts";
	if (streq(name, "Effect")) {
		const char *effect = json_string_value(value);

		return effect && (streq(effect, "Allow") || streq(effect, "Deny")) ? NULL
										   : "must be Allow or Deny";
	}
	if (streq(name, "Principal"))
		return is_principal(value) ? NULL : "must be a text, a list of texts, or an object of those";
	if (streq(name, "Condition"))
		return json_is_object(value) ? NULL : "must be an object";
	if (streq(name, "Sid"))
		return json_is_string(value) ? NULL : "must be a text";
	return "is no member of a statement";
}

static bool has_one_of(const json_t *object, const char *a, const char *b)
{
	return !json_object_get(object, a) != !json_object_get(object, b);
}

#define NAME_SHOWN 32 /* bytes of a member's name, in a message */

/* How much of the name is shown, in whole characters: a message is UTF-8. */
static int shown_length(const char *name)
{
	size_t n = strnlen(name, NAME_SHOWN);

	while (n > 0 && (name[n] & 0xc0) == 0x80)
		n--;
	return (int)n;
}

static int check_statement(struct call *call, json_t *statement, size_t number)
{
	const char *name, *fault = NULL;
	char detail[160];
	json_t *value;

	json_object_foreach(statement, name, value) {
		fault = member_fault(name, value);
		if (!fault)
			continue;
		(void)str_format(detail, sizeof(detail), "Statement %zu: %.*s %s.", number,
				 shown_length(name), name, fault);
		return call_fail_param(call, "PolicyDocument", detail);
	}
	if (json_object_get(statement, "Effect") && has_one_of(statement, "Action", "NotAction") &&
	    has_one_of(statement, "Resource", "NotResource"))
		return 0;
	(void)str_format(detail, sizeof(detail), "Statement %zu: must have Effect, Action and Resource.",
			 number);
	return call_fail_param(call, "PolicyDocument", detail);
}

static int check_policy(struct call *call, const char *text)
{
	json_error_t error;
	_cleanup_(json_decrefp) json_t *policy = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	json_t *statements = json_object_get(policy, "Statement"), *statement;
	const char *version = json_string_value(json_object_get(policy, "Version"));
	char detail[96];
	size_t i;

	if (!policy) {
		(void)str_format(detail, sizeof(detail), "It is no JSON: line %d, column %d.", error.line,
				 error.column);
		return call_fail_param(call, "PolicyDocument", detail);
	}
	if (!version || !streq(version, "1"))
		return call_fail_param(call, "PolicyDocument", "It must have the Version \"1\".");
	if (!json_is_array(statements) || json_array_size(statements) == 0 || json_object_size(policy) != 2)
		return call_fail_param(call, "PolicyDocument",
				       "It must have a list Statement, which is not empty, and no more.");
	json_array_foreach(statements, i, statement) {
		int r = check_statement(call, statement, i + 1);

		if (r < 0)
			return r;
	}
	return 0;
}

int policy_read(struct call *call, const struct service *service, struct endpoint *row)
{
	const char *policy = call_string(call, "PolicyDocument");
	int r;

	if (!policy || !policy[0])
		return 0;
	if (!service->policy_supported)
		return call_fail(call, "OperationDenied.EndpointPolicyNotSupport");
	if (strlen(policy) >= POLICY_SIZE)
		return call_fail_param(call, "PolicyDocument", "It must be of 2048 bytes at most.");
	r = check_policy(call, policy);
	if (r < 0)
		return r;
	row->policy = policy;
	return 0;
}
