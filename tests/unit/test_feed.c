/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the feed tells a node: the rows of its scope, and what changed in it.
 */
#include "feed_world.h"

#include "feed/server_rows.h"

/* Whether the node is told of the row of that key. */
static bool is_told(struct harness *h, const char *node, const char *key)
{
	const struct snapshot *rows = store_rows(h->store);
	struct share share;
	enum kind kind;

	if (kind_of_key(key, &kind) < 0)
		return false;
	share = share_of(rows, kind, snapshot_find(rows, kind, strchr(key, '/') + 1));
	return told_nodes_has(store_told_nodes(h->store), &share, node);
}

static void test_scopes(struct harness *h)
{
	/* Whether alpha (consumer), beta (provider) and gamma (other) see it. */
	static const struct {
		const char *key;
		bool alpha, beta, gamma;
	} cases[] = {
		{"vpc/vpc-consumer", true, false, false},
		{"vpc/vpc-provider", true, true, false},
		{"vpc/vpc-other", false, false, true},
		{"port/eni-consumer", true, false, false},
		{"port/eni-provider", true, true, false},
		{"load_balancer/nlb-1", true, true, false},
		{"listener/lsn-1", true, true, false},
		{"server_group/sgp-1", true, true, false},
		{"server/sgp-1/eni-provider/443", true, true, false},
		{"service/epsrv-1", true, false, false},
		{"service_resource/epsrv-1/nlb-1/z", true, false, false},
		{"endpoint/ep-1", true, false, false},
		{"endpoint/ep-provider", false, true, false},
		{"endpoint_zone/ep-1/z", true, false, false},
		{"connection/ep-1", true, false, false},
		{"security_group/sg-consumer", true, false, false},
		{"sg_rule/sg-consumer/sgr-1", true, false, false},
		{"vswitch/vsw-1", true, false, false},
		{"instance/i-1", true, false, false},
		{"address/vpc-consumer/10.0.0.1", true, false, false},
		{"server_health/sgp-1/eni-provider/443", true, true, false},
		{"connectivity_test/ct-1", true, false, false},
		{"service_user/epsrv-1/1000000000000001", false, false, false},
		{"tag/ep-1/k", false, false, false},
		{"account/1000000000000001", false, false, false},
		{"access_key/PLAKkey", false, false, false},
		{"token/1000000000000001/VPC:CreateVpc/t", false, false, false},
		{"vpc/vpc-that-is-none", false, false, false},
		{"nonsense", false, false, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		tap_ok(is_told(h, "alpha", cases[i].key) == cases[i].alpha &&
			       is_told(h, "beta", cases[i].key) == cases[i].beta &&
			       is_told(h, "gamma", cases[i].key) == cases[i].gamma,
		       "who sees %s", cases[i].key);
}
/* The caller's. */
static json_t *rows_since(struct harness *h, const char *node, uint64_t after)
{
	const struct feed_question question = {.node = node, .after = after};
	json_t *answer;

	harness_must(feed_rows_answer(h->store, &question, &answer), "answer");
	return answer;
}

static void test_rows(struct harness *h)
{
	uint64_t before = store_durable_revision(h->store);
	json_t *answer, *since;
	struct vpc vpc;
	char *text;

	answer = rows_since(h, "alpha", 0);
	tap_ok(json_is_true(json_object_get(answer, "full")), "all rows are told as such");
	tap_is_int(json_integer_value(json_object_get(answer, "revision")), (long long)before,
		   "at the durable revision");
	tap_is_int((long long)json_array_size(json_object_get(answer, "rows")), 20,
		   "the twenty of the scope");
	text = json_dumps(answer, 0);
	tap_ok(!strstr(text, "secret") && !strstr(text, "vpc-other"), "and nothing else");
	free(text);
	json_decref(answer);

	for (int i = 0; i < 2; i++) { /* twice: told once */
		vpc = *snapshot_vpc(store_rows(h->store), "vpc-consumer");
		vpc.name = i ? "change1" : "change0";
		harness_put(h, KIND_VPC, &vpc);
	}
	vpc = *snapshot_vpc(store_rows(h->store), "vpc-other");
	vpc.name = "elsewhere";
	harness_put(h, KIND_VPC, &vpc);
	since = rows_since(h, "alpha", before);
	tap_ok(since, "changes since a revision");
	tap_ok(json_is_false(json_object_get(since, "full")), "are not all");
	tap_is_int((long long)json_array_size(json_object_get(since, "rows")), 1,
		   "a row that changed twice is told once");
	tap_is_str(json_string_value(harness_at(since, "rows.0.value.name")), "change1", "as it is now");
	tap_is_int(json_integer_value(json_object_get(since, "revision")), (long long)before + 3,
		   "up to the durable revision, others' changes included");
	json_decref(since);
	since = rows_since(h, "alpha", before + 3);
	tap_ok(since, "after the last change");
	tap_is_int((long long)json_array_size(json_object_get(since, "rows")), 0, "there is nothing");
	json_decref(since);
	since = rows_since(h, "alpha", 1);
	tap_ok(json_is_false(json_object_get(since, "full")), "from the beginning of what is remembered");
	tap_ok(!has_key(since, "rows", "access_key/PLAKkey") && !has_key(since, "rows", "vpc/vpc-other"),
	       "strangers' rows and secrets are left out, too");
	json_decref(since);
}

/* Agents of before a rule's description could be so long would pass over the rule. */
static void test_long_description(struct harness *h)
{
	static const size_t sizes[] = {TEXT_SIZE - 1, TEXT_SIZE, RULE_TEXT_SIZE - 1};
	char text[RULE_TEXT_SIZE] = "";
	struct sg_rule rule;
	const char *told;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		uint64_t before = store_durable_revision(h->store);
		json_t *since;

		memset(text, 'x', sizes[i]);
		rule = *(const struct sg_rule *)snapshot_find(store_rows(h->store), KIND_SG_RULE,
							      "sg-consumer/sgr-1");
		rule.description = text;
		harness_put(h, KIND_SG_RULE, &rule);
		since = rows_since(h, "alpha", before);
		told = json_string_value(harness_at(since, "rows.0.value.description"));
		tap_ok(has_key(since, "rows", "sg_rule/sg-consumer/sgr-1") &&
			       (sizes[i] < TEXT_SIZE ? told && streq(told, text) : !told),
		       "a rule with a description of %zu bytes is told %s it", sizes[i],
		       sizes[i] < TEXT_SIZE ? "with" : "without");
		json_decref(since);
	}
}

static void test_deletions_and_scope(struct harness *h)
{
	uint64_t before = store_durable_revision(h->store);
	struct store_txn *txn;
	json_t *since;
	int n = 0;

	(void)store_txn_new(&txn);
	(void)store_txn_row_delete(txn, KIND_SG_RULE,
				   snapshot_find(store_rows(h->store), KIND_SG_RULE, "sg-consumer/sgr-1"));
	(void)store_txn_row_delete(txn, KIND_ACCESS_KEY,
				   snapshot_find(store_rows(h->store), KIND_ACCESS_KEY, "PLAKkey"));
	(void)store_txn_delete(txn, "token/1000000000000001/VPC:CreateVpc/t");
	store_commit(h->store, txn, harness_count, &n);
	harness_settle(h);
	since = rows_since(h, "alpha", before);
	tap_ok(has_key(since, "deleted", "sg_rule/sg-consumer/sgr-1"),
	       "a row that is gone is told by its key");
	tap_ok(!has_key(since, "deleted", "access_key/PLAKkey") &&
		       !has_key(since, "deleted", "token/1000000000000001/VPC:CreateVpc/t"),
	       "unless nobody may know of it");
	json_decref(since);
	since = rows_since(h, "gamma", before);
	tap_ok(!has_key(since, "deleted", "sg_rule/sg-consumer/sgr-1"), "and to nobody who never had it");
	json_decref(since);
}

/* What comes to a node is told with all that is told with it, and nothing else is told again. */
static void test_growth(struct harness *h)
{
	uint64_t before = store_durable_revision(h->store);
	struct store_txn *txn;
	json_t *since;
	int n = 0;

	put_port(h, "eni-new", "vpc-consumer", "gamma");
	since = rows_since(h, "gamma", before);
	tap_ok(has_key(since, "rows", "vpc/vpc-consumer") && has_key(since, "rows", "vswitch/vsw-1") &&
		       has_key(since, "rows", "endpoint_zone/ep-1/z") &&
		       has_key(since, "rows", "service_resource/epsrv-1/nlb-1/z") &&
		       has_key(since, "rows", "server_health/sgp-1/eni-provider/443"),
	       "a first port in a VPC: all that comes with it is told");
	tap_ok(!has_key(since, "rows", "vpc/vpc-other") && !has_key(since, "rows", "port/eni-other"),
	       "and nothing that the node has");
	json_decref(since);
	before = store_durable_revision(h->store);
	put_port(h, "eni-new-2", "vpc-consumer", "gamma");
	since = rows_since(h, "gamma", before);
	tap_is_int((long long)json_array_size(json_object_get(since, "rows")), 1,
		   "a second port comes alone");
	json_decref(since);

	before = store_durable_revision(h->store);
	(void)store_txn_new(&txn);
	(void)store_txn_delete(txn, "port/eni-new");
	(void)store_txn_delete(txn, "port/eni-new-2");
	store_commit(h->store, txn, harness_count, &n);
	harness_settle(h);
	since = rows_since(h, "gamma", before);
	tap_ok(has_key(since, "deleted", "vpc/vpc-consumer") &&
		       has_key(since, "deleted", "vpc/vpc-provider") &&
		       has_key(since, "deleted", "connection/ep-1") &&
		       has_key(since, "deleted", "server/sgp-1/eni-provider/443") &&
		       has_key(since, "deleted", "port/eni-new"),
	       "when the last one goes, the keys of what went with it are told");
	tap_is_int((long long)json_array_size(json_object_get(since, "rows")), 0, "and no row");
	json_decref(since);
	since = rows_since(h, "alpha", before);
	tap_is_int((long long)json_array_size(json_object_get(since, "deleted")), 2,
		   "another node loses the ports and nothing else");
	json_decref(since);
}

/* A test that has ended is told to its node as gone, and to nobody else. */
static void test_tests(struct harness *h)
{
	struct connectivity_test row = *(const struct connectivity_test *)snapshot_find(
		store_rows(h->store), KIND_CONNECTIVITY_TEST, "ct-1");
	uint64_t before = store_durable_revision(h->store);
	json_t *since;

	row.status = CONNECTIVITY_RUNNING;
	harness_put(h, KIND_CONNECTIVITY_TEST, &row);
	since = rows_since(h, "alpha", before);
	tap_ok(has_key(since, "rows", "connectivity_test/ct-1"), "a test is told to its node");
	json_decref(since);
	since = rows_since(h, "gamma", before);
	tap_ok(!has_key(since, "rows", "connectivity_test/ct-1"), "and to no other");
	json_decref(since);
	row = *(const struct connectivity_test *)snapshot_find(store_rows(h->store), KIND_CONNECTIVITY_TEST,
							       "ct-1");
	row.node[0] = '\0';
	harness_put(h, KIND_CONNECTIVITY_TEST, &row);
	since = rows_since(h, "alpha", before);
	tap_ok(has_key(since, "deleted", "connectivity_test/ct-1") &&
		       !has_key(since, "rows", "connectivity_test/ct-1"),
	       "when it has ended, it is gone for its node");
	json_decref(since);
	since = rows_since(h, "gamma", before);
	tap_ok(!has_key(since, "deleted", "connectivity_test/ct-1"), "another one never hears of it");
	json_decref(since);
}

int main(void)
{
	struct harness h;

	log_set_level(LOG_LEVEL_ERROR);
	harness_begin(&h);
	put_world(&h);
	test_scopes(&h);
	test_rows(&h);
	test_tests(&h);
	test_long_description(&h);
	test_deletions_and_scope(&h);
	test_growth(&h);
	harness_end(&h);
	return tap_done();
}
