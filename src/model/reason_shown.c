/* SPDX-License-Identifier: Apache-2.0 */
#include "reason_shown.h"

#include <stdio.h>

#include "relations.h"

/* Whether the text names something that is not of the one who asks; an id that is not known counts as
 * another's. */
static bool names_others(const struct snapshot *rows, int64_t viewer, const char *text)
{
	static const char *const beginnings[] = {"vpc-", "vsw-", "sg-",	 "i-",	"eni-",
						 "nlb-", "lb-",	 "lsn-", "sgp-"};
	static const enum kind kinds[] = {KIND_VPC,	      KIND_VSWITCH,  KIND_SECURITY_GROUP,
					  KIND_INSTANCE,      KIND_PORT,     KIND_LOAD_BALANCER,
					  KIND_LOAD_BALANCER, KIND_LISTENER, KIND_SERVER_GROUP};
	char own[UID_TEXT_SIZE];

	relation_uid(viewer, own);
	for (const char *word = text; *word; word += strcspn(word, " ,;:()'\"")) {
		char id[ID_SIZE];

		word += strspn(word, " ,;:()'\"");
		if (str_format(id, sizeof(id), "%.*s", (int)MIN(strcspn(word, " ,;:()'\""), (size_t)ID_SIZE),
			       word) < 0)
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
			const void *row;
			char owner[UID_TEXT_SIZE];

			if (!str_starts(id, beginnings[i]))
				continue;
			row = snapshot_find(rows, kinds[i], id);
			if (!row || !streq(relation_id(relation_owner(kinds[i]), row, 0, owner), own))
				return true;
		}
	}
	return false;
}

const char *reason_for(const struct snapshot *rows, int64_t viewer, const char *reason)
{
	return names_others(rows, viewer, reason) ? REASON_OF_OTHERS : reason;
}
