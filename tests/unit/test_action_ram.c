/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Users of accounts and their keys, through the framework: their life, what they may do, every refusal; who
 * calls.
 */
#include "api_harness.h"

#include "api/common/quota.h"
#include "api/common/quota_defaults.h"

#define RAM(h, ...)	harness_call(h, ALICE, PRODUCT_RAM, __VA_ARGS__)
#define REFUSED(h, ...) harness_refused(h, ALICE, PRODUCT_RAM, __VA_ARGS__)
#define REGION		"RegionId=cn-hangzhou&"
#define NODE		"alpha"

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

static const char *new_user(struct harness *h, const char *name)
{
	RAM(h, "CreateUser", "UserName=%s", name);
	return harness_keep(h, harness_text(h, "User.UserId"));
}

/* A key's id; of the user, or of the caller itself for NULL. */
static const char *new_key(struct harness *h, const char *name)
{
	RAM(h, "CreateAccessKey", "UserName=%s", name ? name : "");
	return harness_keep(h, harness_text(h, "AccessKey.AccessKeyId"));
}

static const struct access_key *find_key(const struct harness *h, const char *id)
{
	return snapshot_find(store_rows(h->store), KIND_ACCESS_KEY, id);
}

static void test_users(struct harness *h)
{
	const char *id, *marker;

	RAM(h, "ListUsers", "MaxItems=100");
	tap_is_int(harness_count_of(h, "Users.User"), 0, "an account begins without users");
	tap_ok(json_is_false(harness_at(h->answer, "IsTruncated")), "and the list is whole");
	RAM(h, "CreateUser",
	    "UserName=dev.one&DisplayName=The first&MobilePhone=86-18600008888&Email=dev@example.com&Comments=x");
	id = harness_keep(h, harness_text(h, "User.UserId"));
	tap_ok(strlen(id) == 18 && strspn(id, "0123456789") == 18, "a user's id is 18 digits: %s", id);
	tap_ok(RAM(h, "GetUser", "UserName=dev.one"), "it can be shown by its name");
	tap_is_str(harness_text(h, "User.UserId"), id, "with that id");
	tap_is_str(harness_text(h, "User.DisplayName"), "The first", "and what it was made with:");
	tap_is_str(harness_text(h, "User.MobilePhone"), "86-18600008888", "phone,");
	tap_is_str(harness_text(h, "User.Email"), "dev@example.com", "address");
	tap_is_str(harness_text(h, "User.Comments"), "x", "and comments");
	REFUSED(h, "EntityAlreadyExists.User", "a name that is there", "CreateUser", "UserName=%s",
		"dev.one");
	tap_ok(harness_call(h, BOB, PRODUCT_RAM, "CreateUser", "UserName=dev.one"),
	       "another account may have a user of that name");
	new_user(h, "dev-two");
	new_user(h, "dev_three");

	RAM(h, "ListUsers", "MaxItems=2");
	tap_is_int(harness_count_of(h, "Users.User"), 2, "lists come in pieces");
	tap_ok(json_is_true(harness_at(h->answer, "IsTruncated")), "which say that there is more");
	marker = harness_keep(h, harness_text(h, "Marker"));
	RAM(h, "ListUsers", "MaxItems=2&Marker=%s", marker);
	tap_is_int(harness_count_of(h, "Users.User"), 1, "and where that begins");
	tap_ok(json_is_false(harness_at(h->answer, "IsTruncated")) && !harness_at(h->answer, "Marker"),
	       "up to the end");
	tap_ok(RAM(h, "DeleteUser", "UserName=dev-two"), "a user without keys can be deleted");
	REFUSED(h, "EntityNotExist.User", "a deleted user", "GetUser", "UserName=%s", "dev-two");
	REFUSED(h, "EntityNotExist.User", "a deleted user", "DeleteUser", "UserName=%s", "dev-two");
	REFUSED(h, "EntityNotExist.User", "a deleted user", "CreateAccessKey", "UserName=%s", "dev-two");
	REFUSED(h, "MissingUserName", "nobody named", "GetUser", "UserName=%s", "");
	RAM(h, "DeleteUser", "UserName=dev_three");
}

static void test_bad_users(struct harness *h)
{
#define LONG_64 "a123456789012345678901234567890123456789012345678901234567890123"
	static const struct {
		const char *code, *params;
	} cases[] = {
		{"MissingUserName", "DisplayName=x"},
		{"InvalidParameter.UserName.Length", "UserName="},
		{"InvalidParameter.UserName.Length", "UserName=" LONG_64 "x"},
		{"InvalidParameter.UserName.InvalidChars", "UserName=a+b"},
		{"InvalidParameter.UserName.InvalidChars", "UserName=a/b"},
		{"InvalidParameter.UserName.InvalidChars", "UserName=%c3%a4"},
		{"InvalidParameter.DisplayName.Length", "UserName=ok&DisplayName=" LONG_64 LONG_64 "x"},
		{"InvalidParameter.DisplayName.InvalidChars", "UserName=ok&DisplayName=%01"},
		{"InvalidParameter.Comments.Length", "UserName=ok&Comments=" LONG_64 LONG_64 "x"},
		{"InvalidParameter.MobilePhone.Format", "UserName=ok&MobilePhone=18600008888"},
		{"InvalidParameter.MobilePhone.Format", "UserName=ok&MobilePhone=86-186x"},
		{"InvalidParameter.Email.Format", "UserName=ok&Email=dev"},
		{"InvalidParameter.Email.Format", "UserName=ok&Email=a@b@c"},
		{"DryRunOperation", "UserName=" LONG_64 "&DryRun=true"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		REFUSED(h, cases[i].code, cases[i].params, "CreateUser", "%s", cases[i].params);
	REFUSED(h, "InvalidParameter.Marker", "a marker that is none", "ListUsers", "Marker=%s", "abc");
	REFUSED(h, "InvalidParameter.MaxItems", "no entries", "ListUsers", "MaxItems=%d", 0);
#undef LONG_64
}

static void test_keys(struct harness *h)
{
	const char *first, *second, *other;

	new_user(h, "keys");
	tap_ok(RAM(h, "CreateAccessKey", "UserName=keys"), "a user gets a key");
	first = harness_keep(h, harness_text(h, "AccessKey.AccessKeyId"));
	tap_is_str(harness_text(h, "AccessKey.AccessKeySecret"), find_key(h, first)->secret,
		   "whose secret is shown");
	tap_is_str(harness_text(h, "AccessKey.Status"), "Active", "and which is good at once");
	second = new_key(h, "keys");
	REFUSED(h, "LimitExceeded.User.AccessKey", "a third key", "CreateAccessKey", "UserName=%s", "keys");
	RAM(h, "ListAccessKeys", "UserName=keys");
	tap_is_int(harness_count_of(h, "AccessKeys.AccessKey"), 2, "both are listed");
	tap_ok(!harness_at(h->answer, "AccessKeys.AccessKey.0.AccessKeySecret"), "without their secrets");
	REFUSED(h, "DeleteConflict.User.AccessKey", "with keys", "DeleteUser", "UserName=%s", "keys");

	tap_ok(RAM(h, "UpdateAccessKey", "UserName=keys&UserAccessKeyId=%s&Status=Inactive", first),
	       "a key can be switched off");
	tap_ok(!find_key(h, first)->active && find_key(h, second)->active, "it alone");
	RAM(h, "UpdateAccessKey", "UserName=keys&UserAccessKeyId=%s&Status=Active", first);
	tap_ok(find_key(h, first)->active, "and on again");
	REFUSED(h, "InvalidParameter.Status", "a state that there is not", "UpdateAccessKey",
		"UserName=keys&UserAccessKeyId=%s&Status=Lost", first);
	new_user(h, "others");
	other = new_key(h, "others");
	REFUSED(h, "EntityNotExist.User.AccessKey", "another user's key", "DeleteAccessKey",
		"UserName=keys&UserAccessKeyId=%s", other);
	REFUSED(h, "EntityNotExist.User.AccessKey", "a user's key as the account's", "DeleteAccessKey",
		"UserAccessKeyId=%s", other);
	tap_ok(RAM(h, "DeleteAccessKey", "UserName=keys&UserAccessKeyId=%s", first) && !find_key(h, first),
	       "a key can be deleted");
	RAM(h, "DeleteAccessKey", "UserName=keys&UserAccessKeyId=%s", second);
	tap_ok(RAM(h, "DeleteUser", "UserName=keys"), "and after its keys the user");
	RAM(h, "DeleteAccessKey", "UserName=others&UserAccessKeyId=%s", other);
	RAM(h, "DeleteUser", "UserName=others");
}

/* An account's own keys, by itself. */
static void test_rotation(struct harness *h)
{
	const char *keys[ACCESS_KEYS_PER_ACCOUNT_MAX];
	size_t n = quota_usage(store_rows(h->store), ALICE, QUOTA_ACCESS_KEYS, "");

	tap_is_int((int)n, 0, "the account has no keys in this world");
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		keys[i] = new_key(h, NULL);
	tap_is_str(find_key(h, keys[0])->user, "", "an account makes keys of its own");
	REFUSED(h, "LimitExceeded.User.AccessKey", "one too many", "CreateAccessKey", "UserName=%s", "");
	harness_refused(h, ROOT, PRODUCT_PRIVLINK, "QuotaExceeded.AccessKeyPerAccount", "one too many",
			"CreateAccessKey", "AccountId=%s", "1000000000000001");
	new_user(h, "apart");
	tap_ok(new_key(h, "apart"), "a user's key does not count among them");
	RAM(h, "ListAccessKeys", "UserName=");
	tap_is_int(harness_count_of(h, "AccessKeys.AccessKey"), ACCESS_KEYS_PER_ACCOUNT_MAX,
		   "nor does it stand in their list");
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		RAM(h, "DeleteAccessKey", "UserAccessKeyId=%s", keys[i]);
	tap_is_int((int)quota_usage(store_rows(h->store), ALICE, QUOTA_ACCESS_KEYS, ""), 0,
		   "and deletes them again");
}

/* What the keys of an administrator may not do to it. */
static void test_last_administrator(struct harness *h)
{
	struct access_key key = {.uid = ROOT, .active = true};
	const char *users;

	harness_must(str_copy(key.id, sizeof(key.id), "PLAKlast"), "id");
	harness_put(h, KIND_ACCESS_KEY, &key);
	harness_call(h, ROOT, PRODUCT_RAM, "CreateUser", "UserName=helper");
	harness_call(h, ROOT, PRODUCT_RAM, "CreateAccessKey", "UserName=helper");
	users = harness_keep(h, harness_text(h, "AccessKey.AccessKeyId"));
	harness_refused(h, ROOT, PRODUCT_RAM, "AccessKeyLastOfAdministrators",
			"its last key, beside a user's", "DeleteAccessKey", "UserAccessKeyId=%s", "PLAKlast");
	harness_refused(h, ROOT, PRODUCT_RAM, "AccessKeyLastOfAdministrators", "its last key",
			"UpdateAccessKey", "Status=Inactive&UserAccessKeyId=%s", "PLAKlast");
	tap_ok(harness_call(h, ROOT, PRODUCT_RAM, "DeleteAccessKey", "UserName=helper&UserAccessKeyId=%s",
			    users),
	       "a user's key may go: it administers nothing");
}

/* A user's calls. */
static void test_as_user(struct harness *h)
{
	const char *id = new_user(h, "caller"), *key = new_key(h, "caller"), *vpc, *next;

	new_user(h, "bystander");
	vpc = harness_get(h, ALICE, PRODUCT_VPC, "VpcId", "CreateVpc", REGION);
	h->user = id;
	harness_run(h, ALICE, PRODUCT_STS, "GetCallerIdentity", "");
	tap_is_str(harness_text(h, "IdentityType"), "RAMUser", "a user is told that it is one");
	tap_is_str(harness_text(h, "UserId"), id, "its id");
	tap_is_str(harness_text(h, "PrincipalId"), id, "in both names");
	tap_is_str(harness_text(h, "AccountId"), "1000000000000001", "its account");
	tap_is_str(harness_text(h, "Arn"), "acs:ram::1000000000000001:user/caller", "and its ARN");
	tap_ok(harness_call(h, ALICE, PRODUCT_VPC, "ModifyVpcAttribute", "VpcId=%s&VpcName=changed", vpc),
	       "it changes what is its account's");

	tap_ok(RAM(h, "GetUser", "UserName=") && streq(harness_text(h, "User.UserId"), id),
	       "without a name it is asked about itself");
	tap_ok(RAM(h, "GetUser", "UserName=caller"), "its own name is fine");
	next = new_key(h, NULL);
	tap_is_str(find_key(h, next)->user, id, "a user makes a key of its own,");
	REFUSED(h, "LimitExceeded.User.AccessKey", "a third", "CreateAccessKey", "UserName=%s", "caller");
	tap_ok(RAM(h, "UpdateAccessKey", "UserAccessKeyId=%s&Status=Inactive", key),
	       "switches the old one off");
	tap_ok(RAM(h, "DeleteAccessKey", "UserAccessKeyId=%s&UserName=caller", key), "and deletes it");
	REFUSED(h, "NoPermission", "another user", "GetUser", "UserName=%s", "bystander");
	REFUSED(h, "NoPermission", "a user that there is not", "GetUser", "UserName=%s", "nobody");
	REFUSED(h, "NoPermission", "another user's key", "CreateAccessKey", "UserName=%s", "bystander");
	REFUSED(h, "NoPermission", "another user's keys", "ListAccessKeys", "UserName=%s", "bystander");
	REFUSED(h, "NoPermission", "a new user", "CreateUser", "UserName=%s", "accomplice");
	REFUSED(h, "NoPermission", "itself", "DeleteUser", "UserName=%s", "caller");
	REFUSED(h, "NoPermission", "all users", "ListUsers", "MaxItems=%d", 10);
	h->user = NULL;

	h->user = "200000000000000000";
	REFUSED(h, "InvalidAccessKeyId.NotFound", "a user that is gone", "GetUser", "UserName=%s", "");
	h->user = NULL;
	h->key = next;
	tap_ok(RAM(h, "ListUsers", "MaxItems=1"), "a key is looked at again when its call is carried out");
	h->key = NULL;
	RAM(h, "UpdateAccessKey", "UserName=caller&UserAccessKeyId=%s&Status=Inactive", next);
	h->key = next;
	REFUSED(h, "InvalidAccessKeyId.Inactive", "a key that was switched off meanwhile", "ListUsers",
		"MaxItems=%d", 1);
	h->key = "PLAKgone";
	REFUSED(h, "InvalidAccessKeyId.NotFound", "a key that was deleted meanwhile", "ListUsers",
		"MaxItems=%d", 1);
	h->key = NULL;
}

static void test_administrators_user(struct harness *h)
{
	harness_call(h, ROOT, PRODUCT_RAM, "GetUser", "UserName=helper");
	h->user = harness_keep(h, harness_text(h, "User.UserId"));
	harness_refused(h, ROOT, PRODUCT_PRIVLINK, "Forbidden", "an administrator's user", "CreateAccount",
			"AccountName=%s", "another");
	harness_refused(h, ROOT, PRODUCT_PRIVLINK, "Forbidden", "an administrator's user", "CreateAccessKey",
			"AccountId=%s", "1000000000000009");
	harness_refused(h, ROOT, PRODUCT_PRIVLINK, "Forbidden", "another account's quotas", "ListQuotas",
			"RegionId=cn-hangzhou&AccountId=%s", "1000000000000001");
	harness_refused(h, ROOT, PRODUCT_PRIVLINK, "Forbidden", "another account's calls", "ListAuditEvents",
			"EventAccountId=%s&AccountId=1000000000000001", "1000000000000001");
	harness_run(h, ROOT, PRODUCT_PRIVATELINK, "ListVpcEndpointServices", "RegionId=cn-hangzhou");
	tap_is_int(harness_count_of(h, "Services"), 0, "the catalogue's services are not shown as its own");
	h->user = NULL;
	harness_run(h, ROOT, PRODUCT_PRIVATELINK, "ListVpcEndpointServices", "RegionId=cn-hangzhou");
	tap_ok(harness_count_of(h, "Services") > 0, "as they are to the administrator");
	tap_ok(harness_run(h, ROOT, PRODUCT_PRIVLINK, "ListAccounts", ""), "which administers itself");
}

/* The answer that a token has kept is the caller's alone. */
static void test_tokens(struct harness *h)
{
	const char *one = new_user(h, "token-one"), *two = new_user(h, "token-two"), *secret, *id;

	h->user = one;
	RAM(h, "CreateAccessKey", "ClientToken=once");
	secret = harness_keep(h, harness_text(h, "AccessKey.AccessKeySecret"));
	id = harness_keep(h, harness_text(h, "AccessKey.AccessKeyId"));
	RAM(h, "CreateAccessKey", "ClientToken=once");
	tap_is_str(harness_text(h, "AccessKey.AccessKeyId"), id, "a repetition makes no second key");
	tap_is_str(harness_text(h, "AccessKey.AccessKeySecret"), secret, "and has the secret again");
	h->user = two;
	REFUSED(h, "IdempotentParameterMismatch", "another user's token", "CreateAccessKey", "ClientToken=%s",
		"once");
	h->user = NULL;
	REFUSED(h, "IdempotentParameterMismatch", "a user's token", "CreateAccessKey", "ClientToken=%s",
		"once");
	for (const struct client_token *t = NULL;
	     (t = snapshot_next(store_rows(h->store), KIND_CLIENT_TOKEN, "", t));)
		if (strstr(t->answer, secret))
			tap_ok(false, "no token keeps a secret");
	h->user = one;
	RAM(h, "DeleteAccessKey", "UserAccessKeyId=%s", id);
	REFUSED(h, "EntityNotExist.User.AccessKey", "a key that is gone", "CreateAccessKey", "ClientToken=%s",
		"once");
	h->user = NULL;
}

/* A service of Bob's that has Alice's user on its list: who finds it, and who may connect. */
static void test_whitelist(struct harness *h)
{
	const char *user = new_user(h, "listed"), *other = new_user(h, "unlisted"), *service, *vpc, *sg;

	service = harness_get(h, BOB, PRODUCT_PRIVATELINK, "ServiceId", "CreateVpcEndpointService",
			      REGION "AutoAcceptEnabled=true");
	vpc = harness_get(h, ALICE, PRODUCT_VPC, "VpcId", "CreateVpc", REGION);
	sg = harness_get(h, ALICE, PRODUCT_ECS, "SecurityGroupId", "CreateSecurityGroup", REGION "VpcId=%s",
			 vpc);
	harness_in_force(h, NODE);
	tap_ok(harness_call(h, BOB, PRODUCT_PRIVATELINK, "AddUserToVpcEndpointService",
			    REGION "ServiceId=%s&UserId=%s", service, user),
	       "a user's number can be put on a whitelist");
	h->user = other;
	harness_call(h, ALICE, PRODUCT_PRIVATELINK, "ListVpcEndpointServicesByEndUser", REGION "ServiceId=%s",
		     service);
	tap_is_int(harness_count_of(h, "Services"), 0,
		   "another user of the account does not see the service");
	harness_refused(h, ALICE, PRODUCT_PRIVATELINK, "EndpointServiceNotAuthorized", "another user",
			"CreateVpcEndpoint", REGION "VpcId=%s&ServiceId=%s&SecurityGroupId.1=%s", vpc,
			service, sg);
	h->user = NULL;
	harness_refused(h, ALICE, PRODUCT_PRIVATELINK, "EndpointServiceNotAuthorized", "the account itself",
			"CreateVpcEndpoint", REGION "VpcId=%s&ServiceId=%s&SecurityGroupId.1=%s", vpc,
			service, sg);
	h->user = user;
	harness_call(h, ALICE, PRODUCT_PRIVATELINK, "ListVpcEndpointServicesByEndUser", REGION "ServiceId=%s",
		     service);
	tap_is_int(harness_count_of(h, "Services"), 1, "the user sees it");
	tap_ok(harness_call(h, ALICE, PRODUCT_PRIVATELINK, "CreateVpcEndpoint",
			    REGION "VpcId=%s&ServiceId=%s&SecurityGroupId.1=%s", vpc, service, sg),
	       "and connects to it");
	h->user = NULL;
	harness_in_force(h, NODE);
	harness_call(h, ALICE, PRODUCT_PRIVATELINK, "ListVpcEndpoints", REGION "ServiceId=%s", service);
	tap_is_str(harness_text(h, "Endpoints.0.ConnectionStatus"), "Connected",
		   "its endpoint is the account's, like all that users make");
}

static void test_quota(struct harness *h)
{
	size_t n = snapshot_count_owned(store_rows(h->store), KIND_RAM_USER, BOB, "");

	for (; n < RAM_USERS_PER_ACCOUNT_MAX; n++)
		harness_call(h, BOB, PRODUCT_RAM, "CreateUser", "UserName=filler-%zu", n);
	harness_refused(h, BOB, PRODUCT_RAM, "LimitExceeded.User", "one user too many", "CreateUser",
			"UserName=%s", "toomany");
	tap_is_int(harness_race(h, ALICE, PRODUCT_RAM, "CreateUser", "UserName=twin", "UserName=twin"), 1,
		   "of two calls at once with one name one succeeds");
	tap_is_str(h->error.code, "EntityAlreadyExists.User", "and the other hears why not");
	tap_is_int(harness_race(h, ALICE, PRODUCT_RAM, "CreateAccessKey", "UserName=twin", "UserName=twin"),
		   2, "two keys may come at once");
	tap_is_int(harness_race(h, ALICE, PRODUCT_RAM, "CreateAccessKey", "UserName=twin", "UserName=twin"),
		   0, "a third and a fourth may not");
}

/* An account's row is gone: all that is a part of it follows. */
static void test_account_goes(struct harness *h)
{
	struct store_txn *txn;
	int n = 0;

	harness_call(h, BOB, PRODUCT_RAM, "CreateAccessKey", "UserName=");
	harness_call(h, BOB, PRODUCT_RAM, "CreateAccessKey", "UserName=dev.one");
	harness_call(h, BOB, PRODUCT_RESOURCEMANAGER, "CreateResourceGroup", "Name=left&DisplayName=x");
	harness_must(store_txn_new(&txn), "transaction");
	(void)store_txn_row_delete(txn, KIND_ACCOUNT, snapshot_account(store_rows(h->store), BOB));
	store_commit(h->store, txn, harness_count, &n);
	harness_settle(h);
	h->control = control_free(h->control);
	harness_must(control_new(h->loop, h->store, &h->control),
		     "control"); /* which looks at all there is */
	harness_settle(h);
	tap_is_int((int)snapshot_count_owned(store_rows(h->store), KIND_RAM_USER, BOB, ""), 0,
		   "with an account its users go");
	tap_is_int((int)snapshot_count_owned(store_rows(h->store), KIND_ACCESS_KEY, BOB, ""), 0, "all keys");
	tap_is_int((int)snapshot_count_owned(store_rows(h->store), KIND_RESOURCE_GROUP, BOB, ""), 0,
		   "and its resource groups");
	tap_ok(snapshot_count_owned(store_rows(h->store), KIND_RAM_USER, ALICE, "") > 0,
	       "another account's stay");
}

int main(void)
{
	struct harness h;

	harness_begin(&h);
	harness_node(&h, NODE, "");
	harness_must(control_bootstrap(h.store, h.catalogue, h.loop), "bootstrap");
	test_identity_of_an_account(&h);
	test_users(&h);
	test_bad_users(&h);
	test_keys(&h);
	test_rotation(&h);
	test_last_administrator(&h);
	test_as_user(&h);
	test_administrators_user(&h);
	test_tokens(&h);
	test_whitelist(&h);
	test_quota(&h);
	test_account_goes(&h);
	harness_end(&h);
	return tap_done();
}
