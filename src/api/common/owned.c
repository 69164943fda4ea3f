/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking up the caller's objects and counting them, and the filters that every list has.
 */
#include "owned.h"

bool owned_here(const struct call *call, int64_t owner, const char *region)
{
	return owner == call->account->uid && (!call->region[0] || streq(call->region, region));
}

#define OWNED(type)                                                                                          \
	const struct type *owned_##type(const struct call *call, const char *id)                             \
	{                                                                                                    \
		const struct type *row = id ? snapshot_##type(call->rows, id) : NULL;                        \
                                                                                                             \
		return row && owned_here(call, row->owner, row->region) ? row : NULL;                        \
	}

OWNED(vpc)
OWNED(vswitch)
OWNED(security_group)
OWNED(instance)
OWNED(port)
OWNED(load_balancer)
OWNED(server_group)
OWNED(listener)

#define COUNTED(name, type, kind)                                                                            \
	size_t count_##name(const struct call *call, int64_t owner, const char *region)                      \
	{                                                                                                    \
		size_t n = 0;                                                                                \
                                                                                                             \
		for (const struct type *t = NULL; (t = snapshot_next(call->rows, kind, "", t));)             \
			n += t->owner == owner && streq(t->region, region);                                  \
		return n;                                                                                    \
	}

COUNTED(vpcs, vpc, KIND_VPC)
COUNTED(security_groups, security_group, KIND_SECURITY_GROUP)
COUNTED(instances, instance, KIND_INSTANCE)
COUNTED(load_balancers, load_balancer, KIND_LOAD_BALANCER)
COUNTED(server_groups, server_group, KIND_SERVER_GROUP)
COUNTED(services, service, KIND_SERVICE)

bool filter_text(const struct call *call, const char *param, const char *value)
{
	const char *wanted = call_string(call, param);

	return !wanted || !wanted[0] || streq(wanted, value);
}

bool filter_list(const struct call *call, const char *param, const char *value)
{
	json_t *list = call_list(call, param), *entry;
	size_t i;

	if (!list)
		return true;
	json_array_foreach(list, i, entry) {
		const char *text = json_string_value(entry);

		if (text && streq(text, value))
			return true;
	}
	return false;
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
