/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking up the caller's objects and walking them, and the filters that every list has.
 */
#include "owned.h"

const void *owned_row(const struct call *call, enum kind kind, const char *id)
{
	const void *row = id ? snapshot_find(call->rows, kind, id) : NULL;
	char owner[UID_TEXT_SIZE], caller[UID_TEXT_SIZE];
	enum ref ref = relation_owner(kind);

	if (!row)
		return NULL;
	relation_uid(call->account->uid, caller);
	if (!streq(relation_id(ref, row, 0, owner), caller))
		return NULL;
	return !call->region[0] || streq(call->region, relation_within(ref, row)) ? row : NULL;
}

#define OWNED(type, kind)                                                                                    \
	const struct type *owned_##type(const struct call *call, const char *id)                             \
	{                                                                                                    \
		return owned_row(call, kind, id);                                                            \
	}

OWNED(vpc, KIND_VPC)
OWNED(vswitch, KIND_VSWITCH)
OWNED(security_group, KIND_SECURITY_GROUP)
OWNED(instance, KIND_INSTANCE)
OWNED(port, KIND_PORT)
OWNED(load_balancer, KIND_LOAD_BALANCER)

const void *owned_next(const struct call *call, enum kind kind, const void *previous)
{
	return snapshot_owned(call->rows, kind, call->account->uid, call->region, previous);
}

bool filter_text(const struct call *call, const char *param, const char *value)
{
	const char *wanted = call_string(call, param);

	return !wanted || !wanted[0] || streq(wanted, value);
}

bool filter_part(const struct call *call, const char *param, const char *text)
{
	const json_t *wanted = json_object_get(call->params, param);

	/* What is longer than the text is not gone through for each row. */
	return !wanted ||
	       (json_string_length(wanted) <= strlen(text) && strstr(text, json_string_value(wanted)));
}

bool filter_list(const struct call *call, const char *param, const char *value)
{
	const json_t *list = call_list(call, param);

	return !list || list_has(list, value);
}

bool filter_any(const struct call *call, const char *param, const char (*values)[ID_SIZE], uint32_t n)
{
	const char *wanted = call_string(call, param);

	if (!wanted || !wanted[0])
		return true;
	for (uint32_t i = 0; i < n; i++)
		if (streq(values[i], wanted))
			return true;
	return false;
}

bool filter_commas(const struct call *call, const char *param, const char *value)
{
	const char *wanted = call_string(call, param);
	size_t length = strlen(value);

	if (!wanted || !wanted[0])
		return true;
	for (const char *s = wanted; s; s = strchr(s, ',')) {
		s += *s == ',';
		if (strncmp(s, value, length) == 0 && (s[length] == ',' || s[length] == '\0'))
			return true;
	}
	return false;
}
