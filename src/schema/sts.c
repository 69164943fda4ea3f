/* SPDX-License-Identifier: Apache-2.0 */
/*
 * STS: who calls.
 */
#include "sts.h"

static const struct answer_field caller_identity_answer[] = {
	{"AccountId", DECIMAL_OF(account, uid), IN_SHOW("Account", 1)},
	{"IdentityType", A_TEXT, IN_SHOW("Caller", 2)},
	{"UserId", A_TEXT, IN_SHOW("Number", 3)},
	{"PrincipalId", A_TEXT},
	{"Arn", A_TEXT, IN_SHOW("ARN", 4)},
	{},
};

const struct action sts_actions[] = {
	STS_ACTIONS(SCHEMA_ACTION){},
};
