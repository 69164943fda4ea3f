/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Client tokens: a call that comes again with its token gets its first answer, also while that is under way;
 * how many tokens and long answers are kept of an account, and which make room.
 */
#include "made_actions.h"

#include "api/frame/token.h"
#include "store/record.h"

/* In place of the real one (meson.build): a clock that can be set back. */
int64_t __real_now_unix_s(void);
int64_t __wrap_now_unix_s(void);

static int64_t clock_behind_s;

int64_t __wrap_now_unix_s(void)
{
	return __real_now_unix_s() - clock_behind_s;
}

static void test_tokens(struct harness *h)
{
	long long first;

	(void)call_here(h, &drawing, HERE "&ClientToken=t1&Unknown=1");
	first = harness_number(h, "First");
	(void)call_here(h, &drawing, "ClientToken=t1&" HERE);
	tap_is_int(harness_number(h, "First"), first, "the same token and parameters give the first answer");
	tap_is_int(world.runs, 0, "without running the action again");
	(void)call_here(h, &drawing, HERE "&ClientToken=t2");
	tap_ok(harness_number(h, "First") > first, "another token is another call");
	(void)call_here(h, &drawing, HERE "&ClientToken=T1");
	tap_is_int(world.runs, 1, "tokens differ by case");
	(void)call_as(h, BOB, PRODUCT_VPC, &drawing, HERE "&ClientToken=t1");
	tap_is_int(world.runs, 1, "another account's token is another one");
	(void)call_as(h, ALICE, PRODUCT_ECS, &drawing, HERE "&ClientToken=t1");
	tap_is_int(world.runs, 1, "so is another product's");
	tap_is_str(call_here(h, &drawing, "RegionId=cn-beijing&ClientToken=t1"),
		   "IdempotentParameterMismatch", "the same token with other parameters is an error");
	(void)call_as(h, ALICE, PRODUCT_PRIVATELINK, &drawing, HERE "&ClientToken=t1");
	tap_is_str(call_as(h, ALICE, PRODUCT_PRIVATELINK, &drawing, "RegionId=cn-beijing&ClientToken=t1"),
		   "IdempotenceSignatureMismatch", "with a code of its own in PrivateLink");
	(void)call_here(h, &drawing, HERE "&ClientToken=t1&DryRun=true");
	tap_is_str(h->error.code, "DryRunOperation", "a dry run does not look at tokens");

	(void)call_here(h, &refusing, HERE "&ClientToken=t3");
	(void)call_here(h, &refusing, HERE "&ClientToken=t3");
	tap_is_int(world.runs, 1, "a failed call does not bind its token");
	tap_is_str(call_here(h, &drawing, HERE "&ClientToken=%c3%a9"), "InvalidParameter.ClientToken",
		   "a token is ASCII");
	tap_is_str(
		call_here(h, &drawing,
			  HERE
			  "&ClientToken=12345678901234567890123456789012345678901234567890123456789012345"),
		"InvalidParameter.ClientToken", "and of 64 characters at most");
	tap_is_str(call_here(h, &drawing, HERE "&ClientToken="), "", "an empty one is none");
	tap_is_str(call_here(h, &reading, HERE "&ClientToken=%c3%a9"), "",
		   "an action that only reads ignores it");
}

/* The last call has given that answer, and was not carried out. */
static bool is_repeated(const struct harness *h, long long first)
{
	return world.runs == 0 && harness_number(h, "First") == first;
}

/* What was done and cannot be recorded may get lost. The harness's store takes no changes from here on. */
static void test_tokens_unrecorded(struct harness *h)
{
	struct record *record;

	harness_must(record_open("/dev/full", true, &record), "record");
	store_keep_record(h->store, record);
	tap_is_str(call_here(h, &drawing, HERE "&ClientToken=u1"), "ServiceUnavailable",
		   "a call whose changes cannot be recorded fails");
	tap_is_str(call_here(h, &drawing, HERE "&ClientToken=u1"), "ServiceUnavailable",
		   "and so does one that repeats it");
	tap_is_int(world.runs, 0, "which finds its token");
	tap_is_str(call_here(h, &reading, HERE), "", "what only reads is answered");
}

/* An action of no region, whose RegionId was part of the question once. */
static void test_tokens_of_before(struct harness *h)
{
	static const struct made before = {{"DrawForAll", ACTION_CHANGES | ACTION_NO_REGION}, draw};
	static const struct made now = {{"DrawForAll", ACTION_CHANGES | ACTION_REGIONLESS}, draw};
	long long first;

	(void)call_here(h, &before, HERE "&ClientToken=b1");
	first = harness_number(h, "First");
	(void)call_here(h, &now, HERE "&ClientToken=b1");
	tap_ok(is_repeated(h, first),
	       "a token that was bound with a region gives its answer when there is none in the question");
	tap_is_str(call_here(h, &now, "RegionId=cn-beijing&ClientToken=b1"), "IdempotentParameterMismatch",
		   "but to another region as little as before");
	tap_is_str(call_here(h, &now, "ClientToken=b1"), "IdempotentParameterMismatch", "nor to none");
	(void)call_here(h, &before, "ClientToken=b2");
	first = harness_number(h, "First");
	(void)call_here(h, &now, "RegionId=cn-beijing&ClientToken=b2");
	tap_ok(is_repeated(h, first), "one that was bound without gives its answer whatever the region");
	(void)call_here(h, &now, HERE "&ClientToken=b3");
	first = harness_number(h, "First");
	(void)call_here(h, &now, "RegionId=cn-beijing&ClientToken=b3");
	tap_ok(is_repeated(h, first), "so does one that is bound now");
}

static void test_tokens_in_parallel(struct harness *h)
{
	struct harness_result results[3];

	world.runs = 0;
	for (int i = 0; i < 3; i++)
		start_made(h, ALICE, PRODUCT_VPC, &drawing, HERE "&ClientToken=parallel", &results[i]);
	tap_is_int(results[0].calls_done + results[1].calls_done + results[2].calls_done, 0,
		   "three calls with one token wait for the disk together");
	harness_settle(h);
	tap_is_int(world.runs, 1, "only one of them is carried out");
	tap_ok(json_equal(results[0].answer, results[1].answer) &&
		       json_equal(results[0].answer, results[2].answer),
	       "and all three get its answer");
	for (int i = 0; i < 3; i++)
		json_decref(results[i].answer);
}

static void put_tokens(struct harness *h, int64_t create_time, int from, int to)
{
	for (int i = from; i < to; i += 50) {
		struct store_txn *txn;

		(void)store_txn_new(&txn);
		for (int j = i; j < i + 50 && j < to; j++) {
			struct client_token row = {.uid = BOB, .create_time = create_time + j};

			(void)str_format(row.action, sizeof(row.action), "VPC:Draw");
			(void)str_format(row.token, sizeof(row.token), "old%d", j);
			row.answer = "{}";
			(void)store_txn_row_put(txn, KIND_CLIENT_TOKEN, &row);
		}
		store_commit(h->store, txn, ignore, NULL);
	}
	harness_settle(h);
}

static size_t count_tokens(struct harness *h, int64_t uid)
{
	char prefix[32];

	(void)str_format(prefix, sizeof(prefix), "%lld/", (long long)uid);
	return snapshot_count(store_rows(h->store), KIND_CLIENT_TOKEN, prefix);
}

static const void *find_token(struct harness *h, const char *token)
{
	char id[128];

	(void)str_format(id, sizeof(id), "%lld/VPC:Draw/%s", (long long)BOB, token);
	return snapshot_find(store_rows(h->store), KIND_CLIENT_TOKEN, id);
}

/* Answers as long as `N` says, in bytes of a member. */
static int answer_long(struct call *call)
{
	size_t size = (size_t)call_int(call, "N", 0);
	_cleanup_(freep) char *text = malloc(size + 1);

	if (!text)
		return -ENOMEM;
	memset(text, 'x', size);
	text[size] = '\0';
	world.runs++;
	answer_string(call->answer, "Text", text);
	return 0;
}

static const struct param_spec long_params[] = {{"N", PARAM_INT}, {}};
static const struct made answering = {{"Answer", ACTION_CHANGES, .params = long_params}, answer_long};

static void call_long(struct harness *h, int n_bytes, int number)
{
	char form[128];

	(void)str_format(form, sizeof(form), HERE "&N=%d&ClientToken=long-%d", n_bytes, number);
	(void)call_as(h, ALICE, PRODUCT_VPC, &answering, form);
}

static size_t bytes_kept(struct harness *h, int64_t uid)
{
	const struct client_token *row = NULL;
	char prefix[32];
	size_t n = 0;

	(void)str_format(prefix, sizeof(prefix), "%lld/", (long long)uid);
	while ((row = snapshot_next(store_rows(h->store), KIND_CLIENT_TOKEN, prefix, row)))
		n += strlen(row->answer);
	return n;
}

static void test_long_answers(struct harness *h)
{
	const int longest = ANSWER_SIZE - (int)strlen("{'Text':''}") - 1,
		  most = CLIENT_TOKENS_LONG_PER_ACCOUNT_MAX;
	size_t before = count_tokens(h, ALICE);

	call_long(h, longest, 0);
	call_long(h, longest, 0);
	tap_is_int(world.runs, 0, "the longest answer is kept,");
	tap_is_int((int)strlen(harness_text(h, "Text")), longest, "whole");
	call_long(h, longest + 1, -1);
	tap_is_str(h->error.code, "InternalError", "none is longer");
	for (int i = 1; i < most; i++)
		call_long(h, CLIENT_TOKEN_LONG_ANSWER, i);
	call_long(h, longest, 0);
	tap_is_int(world.runs, 0, "so many long ones are kept,");
	call_long(h, 10, most);
	call_long(h, longest, 0);
	tap_is_int(world.runs, 0, "and short ones beside them");
	for (int i = most + 1; i <= 2 * most; i++)
		call_long(h, longest, i);
	tap_is_int((long long)(count_tokens(h, ALICE) - before), most + 1,
		   "of more long ones the oldest make room, and no short one");
	call_long(h, 10, most);
	tap_is_int(world.runs, 0, "which is still there");
	call_long(h, longest, 2 * most);
	tap_is_int(world.runs, 0, "as is the newest long one");
	tap_ok(bytes_kept(h, ALICE) <= (size_t)most * ANSWER_SIZE + before * CLIENT_TOKEN_LONG_ANSWER,
	       "so that an account's are %zu bytes", bytes_kept(h, ALICE));
}

/* A token whose time is over is bound anew in its place. */
static void test_long_answers_of_old_tokens(struct harness *h)
{
	int64_t old = now_unix_s() - CLIENT_TOKEN_LIFE_S - 1000;
	const int n = 2 * CLIENT_TOKENS_LONG_PER_ACCOUNT_MAX;
	size_t n_long = 0;

	for (int i = 0; i < n; i++) {
		struct client_token row = {
			.uid = ALICE, .create_time = old, .action = "VPC:Answer", .answer = "{}"};

		(void)str_format(row.token, sizeof(row.token), "long-%d", 1000 + i);
		harness_put(h, KIND_CLIENT_TOKEN, &row);
	}
	for (int i = 0; i < n; i++)
		call_long(h, CLIENT_TOKEN_LONG_ANSWER, 1000 + i);
	for (const struct client_token *row = NULL;
	     (row = snapshot_next(store_rows(h->store), KIND_CLIENT_TOKEN, "", row));)
		n_long += strlen(row->answer) >= CLIENT_TOKEN_LONG_ANSWER;
	tap_is_int((long long)n_long, CLIENT_TOKENS_LONG_PER_ACCOUNT_MAX,
		   "long answers in the place of short ones that were forgotten are as many");
}

static void test_tokens_grow_old(struct harness *h)
{
	int64_t now = now_unix_s();

	put_tokens(h, now - CLIENT_TOKEN_LIFE_S - 1000, 0, 5);
	(void)call_as(h, BOB, PRODUCT_VPC, &drawing, HERE "&ClientToken=old3");
	tap_is_int(world.runs, 1, "a token older than a day is forgotten");
	(void)call_as(h, BOB, PRODUCT_VPC, &drawing, HERE "&ClientToken=old3");
	tap_is_int(world.runs, 0, "and bound anew");

	put_tokens(h, now - 10000, 1000, 1000 + CLIENT_TOKENS_PER_ACCOUNT_MAX - (int)count_tokens(h, BOB));
	tap_is_int((long long)count_tokens(h, BOB), CLIENT_TOKENS_PER_ACCOUNT_MAX,
		   "an account can have 2000 tokens");
	tap_ok(find_token(h, "t1"), "with its first one");
	(void)call_as(h, BOB, PRODUCT_VPC, &drawing, HERE "&ClientToken=onemore");
	tap_is_int((long long)count_tokens(h, BOB), CLIENT_TOKENS_PER_ACCOUNT_MAX, "and one more");
	tap_ok(find_token(h, "onemore") && !find_token(h, "t1") && find_token(h, "old0"),
	       "takes the place of the one that was bound first");
}

/* Both accounts have as many as they may, made before the clock was set back; what comes then is newer. */
static void test_tokens_and_clock(struct harness *h)
{
	char form[64];

	clock_behind_s = 20000;
	for (int i = 0; i < 6; i++) {
		(void)str_format(form, sizeof(form), HERE "&ClientToken=behind%d", i);
		(void)call_as(h, BOB, PRODUCT_VPC, &drawing, form);
		call_long(h, CLIENT_TOKEN_LONG_ANSWER, 5000 + i);
	}
	tap_is_int((long long)count_tokens(h, BOB), CLIENT_TOKENS_PER_ACCOUNT_MAX,
		   "where a clock was set back, too, tokens take the place of others");
	tap_ok(find_token(h, "behind0") && find_token(h, "behind5"), "that were made before them");
	call_long(h, CLIENT_TOKEN_LONG_ANSWER, 5000);
	tap_is_int(world.runs, 0, "and so do those with long answers");
	clock_behind_s = 0;
}

int main(void)
{
	struct harness h;

	log_set_level(LOG_LEVEL_ERROR);
	harness_begin(&h);
	test_tokens(&h);
	test_tokens_of_before(&h);
	test_tokens_in_parallel(&h);
	test_tokens_grow_old(&h);
	test_long_answers(&h);
	test_long_answers_of_old_tokens(&h);
	test_tokens_and_clock(&h);
	test_tokens_unrecorded(&h);
	harness_end(&h);
	return tap_done();
}
