/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who calls, through the framework.
 */
#include "api_harness.h"

static void test_identity_of_an_account(struct harness *h)
{
	tap_ok(harness_run(h, ALICE, PRODUCT_STS, "GetCallerIdentity", ""), "an account asks who it is");
	tap_is_str(harness_text(h, "AccountId"), "1000000000000001", "and is told its number, as a text");
	tap_is_str(harness_text(h, "IdentityType"), "Account", "that it is an account");
	tap_is_str(harness_text(h, "UserId"), "1000000000000001", "whose own id is the account's");
	tap_is_str(harness_text(h, "PrincipalId"), "1000000000000001", "in both of its names");
	tap_is_str(harness_text(h, "Arn"), "acs:ram::1000000000000001:root", "and its ARN");
	harness_call(h, ROOT, PRODUCT_STS, "GetCallerIdentity", "RegionId=cn-hangzhou");
	tap_is_str(harness_text(h, "Arn"), "acs:ram::1000000000000009:root",
		   "another one its own; an administrator is an account like others");
}

int main(void)
{
	struct harness h;

	harness_begin(&h);
	test_identity_of_an_account(&h);
	harness_end(&h);
	return tap_done();
}
