/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose key a call was signed with.
 */
#include "../frame/fill.h"
#include "actions.h"

int caller_identity_get(struct call *call)
{
	char uid[UID_TEXT_SIZE], arn[64];

	relation_uid(call->account->uid, uid);
	(void)str_format(arn, sizeof(arn), "acs:ram::%s:root", uid);
	answer_row(call->answer, call->action->answer, KIND_ACCOUNT, call->account);
	answer_string(call->answer, "IdentityType", "Account");
	answer_string(call->answer, "UserId", uid);
	answer_string(call->answer, "PrincipalId", uid);
	answer_string(call->answer, "Arn", arn);
	return 0;
}
