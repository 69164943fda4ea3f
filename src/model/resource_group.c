/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See resource_group.h. Ids of other groups are 20 characters drawn at random, so none is like these.
 */
#include "resource_group.h"

#include <inttypes.h>

void resource_group_default(int64_t uid, char ret[ID_SIZE])
{
	ret[0] = '\0';
	if (uid)
		(void)str_format(ret, ID_SIZE, RESOURCE_GROUP_PREFIX "acct%" PRId64, uid);
}

void resource_group_id(int64_t uid, const char *group, char ret[ID_SIZE])
{
	if (group[0])
		(void)str_copy(ret, ID_SIZE, group);
	else
		resource_group_default(uid, ret);
}
