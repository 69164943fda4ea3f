/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See resource_group.h.
 */
#include "resource_group.h"

#include "../../model/resource_group.h"

const struct resource_group *owned_resource_group(const struct call *call, const char *id)
{
	const struct resource_group *group = id ? snapshot_find(call->rows, KIND_RESOURCE_GROUP, id) : NULL;

	return group && group->owner == call->account->uid ? group : NULL;
}

bool is_default_group(const struct call *call, const char *id)
{
	char own[ID_SIZE];

	resource_group_default(call->account->uid, own);
	return id && streq(id, own);
}

int read_resource_group(struct call *call, const char *code, char ret[ID_SIZE])
{
	return read_resource_group_of(call, "ResourceGroupId", code, ret);
}

int read_resource_group_of(struct call *call, const char *param, const char *code, char ret[ID_SIZE])
{
	const char *id = call_string(call, param);

	if (!id || !id[0])
		return 0;
	if (is_default_group(call, id)) {
		ret[0] = '\0';
		return 0;
	}
	if (!owned_resource_group(call, id))
		return call_fail(call, code);
	(void)str_copy(ret, ID_SIZE, id); /* which a row has */
	return 0;
}

bool filter_resource_group(const struct call *call, const char *group)
{
	const char *wanted = call_string(call, "ResourceGroupId");

	if (!wanted || !wanted[0])
		return true;
	return group[0] ? streq(wanted, group) : is_default_group(call, wanted);
}
