/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose key a call was signed with.
 */
#include "../frame/fill.h"
#include "actions.h"

int caller_identity_get(struct call *call)
{
	const struct ram_user *user = call->user;
	char uid[UID_TEXT_SIZE], arn[160];

	relation_uid(call->account->uid, uid);
	(void)str_format(arn, sizeof(arn), "acs:ram::%s:%s%s", uid, user ? "user/" : "root",
			 user ? user->name : "");
	answer_row(call->answer, call->action->answer, KIND_ACCOUNT, call->account);
	answer_string(call->answer, "IdentityType", user ? "RAMUser" : "Account");
	answer_string(call->answer, "UserId", user ? user->id : uid);
	answer_string(call->answer, "PrincipalId", user ? user->id : uid);
	answer_string(call->answer, "Arn", arn);
	return 0;
}
