/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The framework around handlers, with actions made for the purpose; and our own administration, through it.
 */
#include "api_harness.h"

#include <glob.h>
#include <regex.h>

#include "api/common/quota_defaults.h"
#include "api/frame/answer.h"
#include "api/frame/error_catalogue.h"
#include "api/frame/token.h"

/* In place of the real one (meson.build): a clock that can be set back. */
int64_t __real_now_unix_s(void);
int64_t __wrap_now_unix_s(void);

static int64_t clock_behind_s;

int64_t __wrap_now_unix_s(void)
{
	return __real_now_unix_s() - clock_behind_s;
}

/* ---- tables ---- */

static void test_tables(void)
{
	for (size_t i = 0; i < PRODUCT_COUNT_; i++) {
		const struct product_info *product = &products[i];
		bool sorted = true, handled = true;

		for (const struct action *a = product->actions; a->name; a++) {
			sorted = sorted && (!a[1].name || strcmp(a->name, a[1].name) < 0);
			handled = handled && handler_of(product->product, a);
		}
		tap_ok(sorted, "the actions of %s are sorted by name", product->name);
		tap_ok(handled, "every action of %s has a handler", product->name);
	}
	tap_is_int(product_by_version("2016-04-28")->product, PRODUCT_VPC, "a version tells the product");
	tap_ok(!product_by_version("2016-04-29"), "an unknown version tells none");
	tap_ok(!action_find(PRODUCT_VPC, "CreateVpcEndpoint"), "another product's action is not found");
	tap_ok(!action_find(PRODUCT_VPC, "createVpc"), "names of actions are compared exactly");
}

static void test_errors(void)
{
	struct api_error e;

	(void)error_set_named(&e, "Missing{Name}", "ip", NULL);
	tap_is_str(e.code, "MissingIp", "a pattern's name gets a capital where the pattern has one");
	tap_is_str(e.message, "The parameter ip is mandatory for this action.",
		   "and stays as it is in the text");
	(void)error_set(&e, "VpcNotFound", "vpc-1 is none.");
	tap_is_str(e.message, "The VPC does not exist (NotFound). vpc-1 is none.",
		   "a detail comes after the text");
	tap_is_int(e.status, 400, "with the catalogue's status");
	(void)error_set(&e, "NoSuchCodeAnywhere", NULL);
	tap_is_str(e.code, "InternalError", "a code that the catalogue lacks is an error of ours");
	tap_is_int(e.status, 500, "and says so");
	(void)error_set(&e, "DryRunOperation", NULL);
	tap_is_str(e.code, "DryRunOperation", "and a code that it has is none");
}

/* Clients look for codes anywhere in an answer, and for the word NotFound in its message. */
static void test_catalogue(void)
{
	const char *twice = NULL, *silent = NULL, *naming = NULL, *odd = NULL;

	for (size_t i = 0; i < error_n_rows; i++) {
		const struct error_row *row = &error_rows[i];

		if (strstr(row->code, "NotFound") && !strstr(row->text, "(NotFound)"))
			silent = row->code;
		if (row->status < 400 || row->status > 599)
			odd = row->code;
		for (size_t j = 0; j < error_n_rows; j++) {
			if (i != j && streq(row->code, error_rows[j].code))
				twice = row->code;
			if (strlen(error_rows[j].code) > 12 && strstr(row->text, error_rows[j].code))
				naming = row->code;
		}
	}
	tap_ok(!twice, "no code stands in the catalogue twice%s%s", twice ? ": " : "", twice ? twice : "");
	tap_ok(!silent, "every not-found text says so%s%s", silent ? ": " : "", silent ? silent : "");
	tap_ok(!naming, "no text names a code%s%s", naming ? ": " : "", naming ? naming : "");
	tap_ok(!odd, "every status is an error's%s%s", odd ? ": " : "", odd ? odd : "");
}

static bool is_known(const char *code)
{
	for (size_t i = 0; i < error_n_rows; i++)
		if (streq(error_rows[i].code, code))
			return true;
	return false;
}

/* How many codes in calls of call_fail() and its kin the catalogue lacks. */
static int count_unknown(const char *path, const regex_t *call, int *ret_n)
{
	static char text[256 * 1024];
	FILE *file = fopen(path, "re");
	regmatch_t match[4];
	int n_unknown = 0;

	if (!file)
		return 1;
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	(void)fclose(file);
	for (char *at = text; regexec(call, at, ARRAY_SIZE(match), match, 0) == 0; at += match[3].rm_eo) {
		char code[96];

		(void)str_format(code, sizeof(code), "%.*s", (int)(match[3].rm_eo - match[3].rm_so),
				 at + match[3].rm_so);
		(*ret_n)++;
		if (!is_known(code)) {
			tap_note("%s: unknown code %s", path, code);
			n_unknown++;
		}
	}
	return n_unknown;
}

static void test_codes_in_sources(void)
{
	const char *root = getenv("PRIVLINK_SOURCE_ROOT");
	int n_unknown = 0, n = 0;
	char pattern[512];
	regex_t call;
	glob_t files;

	(void)str_format(pattern, sizeof(pattern), "%s/src/api/{*.c,*/*.c}", root ? root : ".");
	if (glob(pattern, GLOB_BRACE, NULL, &files) != 0 ||
	    regcomp(&call, "(call_fail(_named|_detail)?)\\(call,[ \t\n]*\"([^\"]+)\"", REG_EXTENDED) != 0) {
		tap_ok(false, "the sources can be read");
		return;
	}
	for (size_t i = 0; i < files.gl_pathc; i++)
		n_unknown += count_unknown(files.gl_pathv[i], &call, &n);
	tap_ok(n > 100, "the sources name %d codes", n);
	tap_is_int(n_unknown, 0, "all of them are in the catalogue");
	regfree(&call);
	globfree(&files);
}

/* ---- calls of actions made here ---- */

/* Everything a handler does to the world goes through here, so that a test can look on. */
static struct {
	int runs;
	const char *disturb; /* a counter that changes under the handler, as another server's call would do */
	struct store *store;
} world;

static void ignore(_unused_ void *context, _unused_ int result, _unused_ uint64_t revision)
{
}

static void change_counter(struct store *store, const char *name)
{
	const struct counter *present = snapshot_find(store_rows(store), KIND_COUNTER, name);
	struct counter row = {};
	struct store_txn *txn;

	if (present)
		row = *present;
	(void)str_copy(row.name, sizeof(row.name), name);
	row.value++;
	(void)store_txn_new(&txn);
	(void)store_txn_row_put(txn, KIND_COUNTER, &row);
	store_commit(store, txn, ignore, NULL);
}

static int draw(struct call *call)
{
	world.runs++;
	answer_int(call->answer, "First", call_next_number(call, KIND_PORT));
	answer_int(call->answer, "Second", call_next_number(call, KIND_PORT));
	answer_int(call->answer, "Other", call_next_number(call, KIND_VPC));
	if (world.disturb)
		change_counter(world.store, world.disturb);
	if (world.runs == 3)
		world.disturb = NULL;
	return 0;
}

static int refuse(struct call *call)
{
	world.runs++;
	(void)call_next_number(call, KIND_PORT);
	return call_fail(call, "VpcNotFound");
}

static int forget_memory(struct call *call)
{
	json_t *list = json_array(), *inner = json_object();

	answer_string(inner, "Name",
		      "\xff"); /* what is no UTF-8 cannot be added, like what finds no memory */
	(void)json_array_append_new(list, inner);
	answer_object(call->answer, "List", list);
	return 0;
}

static int too_much(struct call *call)
{
	for (int i = 0; i <= STORE_TXN_OPS_MAX; i++) {
		struct counter row = {};

		(void)str_format(row.name, sizeof(row.name), "many%d", i);
		call_put(call, KIND_COUNTER, &row);
	}
	return 0;
}

static int say_region(struct call *call)
{
	answer_string(call->answer, "Region", call->region);
	return 0;
}

/* An action that is made for the purpose, with what carries it out. */
struct made {
	struct action action;
	action_handler handler;
};

static const struct made drawing = {{"Draw", ACTION_CHANGES}, draw};
static const struct made refusing = {{"Refuse", ACTION_CHANGES}, refuse};
static const struct made forgetting = {{"Forget", ACTION_READ}, forget_memory};
static const struct made overdoing = {{"Overdo", ACTION_CHANGES}, too_much};
static const struct made reading = {{"Read", ACTION_READ}, say_region};
static const struct made anywhere = {{"Anywhere", ACTION_NO_REGION}, say_region};
static const struct made regionless = {{"OfNone", ACTION_REGIONLESS}, say_region};
static const struct made administering = {{"Administer", ACTION_NO_REGION | ACTION_ADMIN}, say_region};

/* One call; its result stays in the harness. Returns the code, "" for success. */
static const char *call_as(struct harness *h, int64_t uid, enum product product, const struct made *made,
			   const char *form)
{
	const struct params none = {};
	struct params params = {};
	struct harness_result result = {};
	struct run_request request = {.product = product,
				      .action = &made->action,
				      .handler = made->handler,
				      .uid = uid,
				      .query = &none,
				      .form = &params,
				      .request_id = "00000000-0000-4000-8000-000000000000"};

	world.runs = 0;
	world.store = h->store;
	(void)params_parse(form, strlen(form), &params);
	run_action(&h->environment, &request, harness_done, &result);
	params_done(&params);
	harness_settle(h);
	if (result.calls_done != 1)
		printf("Bail out! %d answers to one call\n", result.calls_done);
	json_decref(h->answer);
	h->answer = result.answer;
	h->error = result.error;
	return h->error.code;
}

static const char *call_here(struct harness *h, const struct made *action, const char *form)
{
	return call_as(h, ALICE, PRODUCT_VPC, action, form);
}

#define HERE "RegionId=cn-hangzhou"

static void test_regions(struct harness *h)
{
	tap_is_str(call_here(h, &reading, ""), "MissingRegionId", "a region is demanded");
	tap_is_str(call_here(h, &reading, "RegionId="), "MissingRegionId", "an empty one is none");
	tap_is_str(call_here(h, &reading, "RegionId=mars-1"), "InvalidRegionId.NotFound",
		   "VPC's unknown region");
	tap_is_int(h->error.status, 404, "is not found");
	tap_is_str(call_as(h, ALICE, PRODUCT_PRIVATELINK, &reading, "RegionId=mars-1"), "RegionNotFound",
		   "PrivateLink has its own code for it");
	(void)call_here(h, &reading, HERE);
	tap_is_str(harness_text(h, "Region"), "cn-hangzhou", "a known one reaches the handler");
	(void)call_here(h, &anywhere, "");
	tap_is_str(harness_text(h, "Region"), "", "where none is demanded, none may be given");
	(void)call_here(h, &anywhere, HERE);
	tap_is_str(harness_text(h, "Region"), "cn-hangzhou", "but it counts if one is");
	tap_is_str(call_here(h, &anywhere, "RegionId=mars-1"), "InvalidRegionId.NotFound",
		   "and an unknown one is refused");
	tap_is_str(call_here(h, &regionless, "RegionId=mars-1"), "", "an action of no region takes any");
	(void)call_here(h, &regionless, HERE);
	tap_is_str(harness_text(h, "Region"), "", "and looks at none");
}

static void test_permission(struct harness *h)
{
	tap_is_str(call_as(h, ALICE, PRODUCT_PRIVLINK, &administering, ""), "Forbidden",
		   "an action of administrators is forbidden to others");
	tap_is_int(h->error.status, 403, "with status 403");
	tap_is_str(call_as(h, ROOT, PRODUCT_PRIVLINK, &administering, ""), "", "and open to them");
	tap_is_str(call_as(h, 1, PRODUCT_PRIVLINK, &anywhere, ""), "InvalidAccessKeyId.NotFound",
		   "an account that was deleted meanwhile can do nothing");
}

static void test_changes(struct harness *h)
{
	uint64_t revision;

	(void)call_here(h, &drawing, HERE);
	tap_is_int(harness_number(h, "First"), 1, "the first number of a counter is 1");
	tap_is_int(harness_number(h, "Second"), 2, "the next of the same call is another");
	tap_is_int(harness_number(h, "Other"), 2, "VPCs begin with 2");
	(void)call_here(h, &drawing, HERE);
	tap_is_int(harness_number(h, "First"), 3, "the next call goes on");
	tap_is_int((long long)store_durable_revision(h->store),
		   (long long)snapshot_revision(store_rows(h->store)), "an answered change is durable");

	revision = store_durable_revision(h->store);
	tap_is_str(call_here(h, &refusing, HERE), "VpcNotFound", "a refused call tells why");
	tap_is_int((long long)store_durable_revision(h->store), (long long)revision, "and changes nothing");
	tap_is_str(call_here(h, &drawing, HERE "&DryRun=true"), "DryRunOperation",
		   "a dry run that passes says so");
	tap_is_int(h->error.status, 400, "as an error");
	tap_is_int((long long)store_durable_revision(h->store), (long long)revision,
		   "and changes nothing either");
	tap_is_str(call_here(h, &refusing, HERE "&DryRun=true"), "VpcNotFound",
		   "one that fails gives the real error");
	tap_is_str(call_here(h, &drawing, HERE "&DryRun=perhaps"), "InvalidParameter.DryRun",
		   "DryRun is a boolean");
	tap_is_str(call_here(h, &reading, HERE "&DryRun=perhaps"), "",
		   "an action that does not know it ignores it");

	tap_is_str(call_here(h, &forgetting, HERE), "ServiceUnavailable",
		   "an answer that lost a member deep inside is not given");
	tap_is_str(call_here(h, &overdoing, HERE), "InternalError",
		   "more changes than a transaction takes are refused");
	tap_ok(!snapshot_find(store_rows(h->store), KIND_COUNTER, "many0"), "as a whole");
}

static void test_repetition(struct harness *h)
{
	world.disturb = "port";
	tap_is_str(call_here(h, &drawing, HERE), "", "a call whose rows change under it succeeds in the end");
	tap_is_int(world.runs, 4, "after as many attempts as it takes");
	tap_is_int(harness_number(h, "Second") - harness_number(h, "First"), 1,
		   "with numbers from its last attempt");
	world.disturb = "unread";
	(void)call_here(h, &drawing, HERE);
	tap_is_int(world.runs, 4,
		   "also after changes of what it found no row of: it may have looked for one");
	world.disturb = NULL;
}

static int disturbed_for_ever(struct call *call)
{
	world.runs++;
	(void)call_next_number(call, KIND_PORT);
	change_counter(world.store, "port");
	return 0;
}

static void test_giving_up(struct harness *h)
{
	static const struct made action = {{"Disturbed", ACTION_CHANGES}, disturbed_for_ever};

	tap_is_str(call_here(h, &action, HERE), "ServiceUnavailable",
		   "a call that never gets through is told to come back");
	tap_is_int(h->error.status, 503, "with status 503");
	tap_is_int(world.runs, RUN_ATTEMPTS_MAX, "after a bounded number of attempts");
}

/* ---- tokens ---- */

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

/* An action of no region, whose RegionId was part of the question once. */
static void test_tokens_of_before(struct harness *h)
{
	static const struct made before = {{"DrawForAll", ACTION_CHANGES | ACTION_NO_REGION}, draw};
	static const struct made now = {{"DrawForAll", ACTION_CHANGES | ACTION_REGIONLESS}, draw};
	long long first;

	(void)call_here(h, &before, HERE "&ClientToken=b1");
	first = harness_number(h, "First");
	(void)call_here(h, &now, HERE "&ClientToken=b1");
	tap_ok(world.runs == 0 && harness_number(h, "First") == first,
	       "a token that was bound with a region gives its answer when there is none in the question");
	tap_is_str(call_here(h, &now, "RegionId=cn-beijing&ClientToken=b1"), "IdempotentParameterMismatch",
		   "but to another region as little as before");
	tap_is_str(call_here(h, &now, "ClientToken=b1"), "IdempotentParameterMismatch", "nor to none");
	(void)call_here(h, &before, "ClientToken=b2");
	first = harness_number(h, "First");
	(void)call_here(h, &now, "RegionId=cn-beijing&ClientToken=b2");
	tap_ok(world.runs == 0 && harness_number(h, "First") == first,
	       "one that was bound without gives its answer whatever the region");
	(void)call_here(h, &now, HERE "&ClientToken=b3");
	first = harness_number(h, "First");
	(void)call_here(h, &now, "RegionId=cn-beijing&ClientToken=b3");
	tap_ok(world.runs == 0 && harness_number(h, "First") == first, "so does one that is bound now");
}

static void test_tokens_in_parallel(struct harness *h)
{
	const struct params none = {};
	struct harness_result results[3] = {};
	struct params params = {};
	struct run_request request = {.product = PRODUCT_VPC,
				      .action = &drawing.action,
				      .handler = draw,
				      .uid = ALICE,
				      .query = &none,
				      .form = &params,
				      .request_id = "00000000-0000-4000-8000-000000000000"};
	static const char form[] = HERE "&ClientToken=parallel";

	world.runs = 0;
	(void)params_parse(form, strlen(form), &params);
	for (int i = 0; i < 3; i++)
		run_action(&h->environment, &request, harness_done, &results[i]);
	tap_is_int(results[0].calls_done + results[1].calls_done + results[2].calls_done, 0,
		   "three calls with one token wait for the disk together");
	harness_settle(h);
	tap_is_int(world.runs, 1, "only one of them is carried out");
	tap_ok(json_equal(results[0].answer, results[1].answer) &&
		       json_equal(results[0].answer, results[2].answer),
	       "and all three get its answer");
	for (int i = 0; i < 3; i++)
		json_decref(results[i].answer);
	params_done(&params);
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

/* ---- pages ---- */

#define N_ITEMS 25

static int list_items(struct call *call)
{
	json_t *list = json_array();
	struct page page;
	int r;

	answer_object(call->answer, "Items", list);
	r = page_begin(call, &page);
	if (r < 0)
		return r;
	for (int i = 0; i < N_ITEMS; i++) {
		char id[16];

		(void)str_format(id, sizeof(id), "id-%02d", i);
		if (page_match(&page, id))
			(void)json_array_append_new(list, json_string(id));
	}
	page_end(call, &page);
	return 0;
}

static int list_numbered(struct call *call)
{
	struct page page;
	int r, n = 0;

	r = page_begin(call, &page);
	if (r < 0)
		return r;
	for (int i = 0; i < N_ITEMS; i++)
		n += page_match(&page, "");
	answer_int(call->answer, "Items", n);
	page_end(call, &page);
	return 0;
}

static const struct paging by_token = {10, 50},
			   by_number = {.size_default = 10, .size_max = 50, .total = TOTAL_TEXT};
static const struct param_spec listing_params[] = {{"Name", PARAM_STRING}, {"Ids", PARAM_LIST}, {}};
static const struct made listing = {{"List", ACTION_NO_REGION, .params = listing_params, .paging = &by_token},
				    list_items};
static const struct made listing_too = {{"ListToo", ACTION_NO_REGION, .paging = &by_token}, list_items};
static const struct made numbering = {{"ListNumbered", ACTION_NO_REGION, .paging = &by_number},
				      list_numbered};

/* A token is good for whoever asks the same, in pages of whatever size. */
static void check_question(struct harness *h, const char *token)
{
	static const struct {
		const char *form, *code, *name;
	} cases[] = {
		{"MaxResults=3&", "", "with another MaxResults the token is good"},
		{"PageNumber=7&PageSize=3&", "", "so it is with what only pages by number have"},
		{"Other=1&", "", "and with a parameter that the action does not know"},
		{"Name=x&", "InvalidParameter.NextToken", "with a filter more it is refused"},
		{"RegionId=cn-hangzhou&", "InvalidParameter.NextToken", "with a region, too"},
		{"Ids.1=x&", "InvalidParameter.NextToken", "or with a list"},
	};
	static const char filter[] = "Name=x&Ids.1=a&Ids.2=b&RegionId=cn-hangzhou&";
	char form[256], filtered[128];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		(void)str_format(form, sizeof(form), "%sNextToken=%s", cases[i].form, token);
		tap_is_str(call_here(h, &listing, form), cases[i].code, "%s", cases[i].name);
	}
	(void)str_format(form, sizeof(form), "%sMaxResults=5", filter);
	(void)call_here(h, &listing, form);
	(void)str_copy(filtered, sizeof(filtered), harness_text(h, "NextToken"));
	(void)str_format(form, sizeof(form), "%sMaxResults=6&NextToken=%s", filter, filtered);
	tap_is_str(call_here(h, &listing, form), "", "who repeats all parameters goes on,");
	tap_is_str(harness_text(h, "Items.0"), "id-05", "where the page before ended");
	(void)str_format(form, sizeof(form), "RegionId=cn-hangzhou&Ids=[\"b\",\"a\"]&Name=x&NextToken=%s",
			 filtered);
	tap_is_str(call_here(h, &listing, form), "", "also in another order and spelling");
	(void)str_format(form, sizeof(form), "NextToken=%s", filtered);
	tap_is_str(call_here(h, &listing, form), "InvalidParameter.NextToken",
		   "but not who leaves out the filter");
	(void)str_format(form, sizeof(form), "Name=y&Ids.1=a&Ids.2=b&RegionId=cn-hangzhou&NextToken=%s",
			 filtered);
	tap_is_str(call_here(h, &listing, form), "InvalidParameter.NextToken", "or changes it");
}

static void test_pages_by_token(struct harness *h)
{
	int n_pages = 0, n_items = 0;
	char form[256] = "MaxResults=7", token[128] = "";

	do {
		const char *next;

		(void)call_here(h, &listing, form);
		n_items += harness_count_of(h, "Items");
		n_pages++;
		next = harness_text(h, "NextToken");
		(void)str_copy(token, sizeof(token), next ? next : "");
		(void)str_format(form, sizeof(form), "MaxResults=7&NextToken=%s", token);
	} while (token[0] && n_pages < 10);
	tap_is_int(n_pages, 4, "25 entries by 7 are 4 pages");
	tap_is_int(n_items, N_ITEMS, "which have all entries");
	tap_is_int(harness_number(h, "TotalCount"), N_ITEMS, "the total counts all, on every page");
	tap_is_int(harness_number(h, "MaxResults"), 7, "MaxResults is echoed");
	tap_is_str(harness_text(h, "Items.0"), "id-21", "the last page begins after the one before");
	(void)call_here(h, &listing, "MaxResults=25");
	tap_ok(!harness_text(h, "NextToken"), "a page that ends with the list has no NextToken");
	(void)call_here(h, &listing, "NextToken=");
	tap_is_int(harness_count_of(h, "Items"), 10, "an empty NextToken is none, and the default holds");
	(void)str_copy(token, sizeof(token), harness_text(h, "NextToken"));

	(void)str_format(form, sizeof(form), "NextToken=%s", token);
	tap_is_str(call_here(h, &listing_too, form), "InvalidParameter.NextToken",
		   "another action's token is refused");
	check_question(h, token);
	form[strlen(form) - 1] ^= 1;
	tap_is_str(call_here(h, &listing, form), "InvalidParameter.NextToken", "a damaged token is refused");
	tap_is_str(call_here(h, &listing, "NextToken=aGVsbG8="), "InvalidParameter.NextToken",
		   "so is anything else");
	tap_is_str(call_here(h, &listing, "MaxResults=0"), "InvalidParameter.MaxResults",
		   "MaxResults is 1 at least");
	tap_is_str(call_here(h, &listing, "MaxResults=51"), "InvalidParameter.MaxResults",
		   "and the action's bound at most");
	tap_is_str(call_as(h, ALICE, PRODUCT_PRIVATELINK, &listing, "MaxResults=51"),
		   "IllegalParamFormat.MaxResults", "in the product's words");
}

static void test_pages_by_number(struct harness *h)
{
	(void)call_here(h, &numbering, "PageNumber=3");
	tap_is_int(harness_number(h, "Items"), 5, "the third page of 25 by 10 has 5");
	tap_is_int(harness_number(h, "PageNumber"), 3, "PageNumber is echoed");
	tap_is_int(harness_number(h, "PageSize"), 10, "so is PageSize");
	tap_is_str(harness_text(h, "TotalCount"), "25", "a total can be a text");
	(void)call_here(h, &numbering, "PageNumber=4");
	tap_is_int(harness_number(h, "Items"), 0, "a page after the last is empty");
	tap_is_str(call_here(h, &numbering, "PageNumber=0"), "InvalidParameter.PageNumber",
		   "pages count from 1");
	tap_is_str(call_here(h, &numbering, "PageSize=51"), "InvalidParameter.PageSize",
		   "a page's size has a bound");
}

/* ---- our own administration ---- */

#define ADMIN(h, ...)	      harness_call(h, ROOT, PRODUCT_PRIVLINK, __VA_ARGS__)
#define ADMIN_REFUSED(h, ...) harness_refused(h, ROOT, PRODUCT_PRIVLINK, __VA_ARGS__)

static void test_accounts(struct harness *h)
{
	long long uid;

	ADMIN(h, "CreateAccount", "AccountName=carol");
	uid = harness_number(h, "AccountId");
	tap_ok(uid >= 1000000000000000 && uid < 9007199254740992,
	       "an account's number has 16 digits and fits a double");
	tap_ok(!snapshot_account(store_rows(h->store), uid)->is_admin,
	       "it is no administrator unless asked for");
	ADMIN_REFUSED(h, "AccountExist", "a name that is taken", "CreateAccount", "AccountName=carol");
	ADMIN_REFUSED(h, "InvalidParameter.AccountName", "a name of one character", "CreateAccount",
		      "AccountName=c");
	ADMIN_REFUSED(h, "MissingAccountName", "no name", "CreateAccount", "%s", "");
	harness_refused(h, ALICE, PRODUCT_PRIVLINK, "Forbidden", "an account that is no administrator",
			"CreateAccount", "AccountName=dave");
	ADMIN(h, "CreateAccount", "AccountName=second&Admin=true");
	tap_ok(snapshot_account(store_rows(h->store), harness_number(h, "AccountId"))->is_admin,
	       "an administrator can make another");
	ADMIN(h, "ListAccounts", "%s", "");
	tap_is_int(harness_number(h, "TotalCount"), 5, "all accounts are listed");

	for (int i = (int)snapshot_count(store_rows(h->store), KIND_ACCOUNT, ""); i < ACCOUNTS_MAX; i++) {
		struct account account = {.uid = 2000000000000000 + i};

		(void)str_format(account.name, sizeof(account.name), "filler%d", i);
		harness_put(h, KIND_ACCOUNT, &account);
	}
	ADMIN_REFUSED(h, "QuotaExceeded.Account", "an account above the limit", "CreateAccount",
		      "AccountName=last");
}

static void test_access_keys(struct harness *h)
{
	const char *id, *secret;

	ADMIN(h, "CreateAccessKey", "AccountId=%lld", (long long)ALICE);
	id = harness_keep(h, harness_text(h, "AccessKeyId"));
	secret = harness_keep(h, harness_text(h, "AccessKeySecret"));
	tap_ok(str_starts(id, "PLAK") && strlen(id) == 24, "a key has an id");
	tap_is_int((long long)strlen(secret), 30, "and a secret of 30 characters");
	ADMIN(h, "ListAccessKeys", "AccountId=%lld", (long long)ALICE);
	tap_is_str(harness_text(h, "AccessKeys.0.AccessKeyId"), id, "it is listed");
	tap_ok(!harness_at(h->answer, "AccessKeys.0.AccessKeySecret"), "without its secret");
	tap_is_str(harness_text(h, "AccessKeys.0.Status"), "Active", "as active");
	ADMIN(h, "UpdateAccessKey", "AccessKeyId=%s&Status=Inactive", id);
	ADMIN(h, "ListAccessKeys", "AccountId=%lld", (long long)ALICE);
	tap_is_str(harness_text(h, "AccessKeys.0.Status"), "Inactive", "it can be disabled");
	for (int i = 1; i < ACCESS_KEYS_PER_ACCOUNT_MAX; i++)
		ADMIN(h, "CreateAccessKey", "AccountId=%lld", (long long)ALICE);
	ADMIN_REFUSED(h, "QuotaExceeded.AccessKeyPerAccount", "a key above the limit", "CreateAccessKey",
		      "AccountId=%lld", (long long)ALICE);
	tap_ok(ADMIN(h, "DeleteAccessKey", "AccessKeyId=%s", id), "a key can be deleted");
	ADMIN_REFUSED(h, "AccessKeyNotFound", "a key that is gone", "DeleteAccessKey", "AccessKeyId=%s", id);
	ADMIN_REFUSED(h, "AccountNotFound", "a key for nobody", "CreateAccessKey", "AccountId=17");
	ADMIN_REFUSED(h, "InvalidParameter.Status", "a state that keys do not have", "UpdateAccessKey",
		      "AccessKeyId=x&Status=Lost");

	ADMIN(h, "CreateAccessKey", "AccountId=%lld", (long long)ROOT);
	id = harness_keep(h, harness_text(h, "AccessKeyId"));
	ADMIN_REFUSED(h, "AccessKeyLastOfAdministrators", "the last key of administrators", "DeleteAccessKey",
		      "AccessKeyId=%s", id);
	ADMIN_REFUSED(h, "AccessKeyLastOfAdministrators", "disabling it", "UpdateAccessKey",
		      "AccessKeyId=%s&Status=Inactive", id);
	ADMIN(h, "CreateAccessKey", "AccountId=%lld", (long long)ROOT);
	tap_ok(ADMIN(h, "DeleteAccessKey", "AccessKeyId=%s", id), "when there is another one, it can go");
}

static void test_nodes(struct harness *h)
{
	ADMIN(h, "ListNodes", "%s", "");
	tap_is_int(harness_count_of(h, "Nodes"), 0, "at first there are no nodes");
	harness_node(h, "alpha", "cn-hangzhou-h cn-hangzhou-i");
	ADMIN(h, "ListNodes", "%s", "");
	tap_is_str(harness_text(h, "Nodes.0.NodeName"), "alpha", "a node that has registered is listed");
	tap_is_int(harness_number(h, "Nodes.0.Number"), 1, "with its number");
	tap_ok(json_is_true(harness_at(h->answer, "Nodes.0.Live")), "as live, when it has reported");
	tap_is_int(harness_count_of(h, "Nodes.0.Zones"), 2, "and its zones");
	tap_ok(harness_call(h, ALICE, PRODUCT_PRIVLINK, "GetVersion", "%s", ""),
	       "anyone may ask for the version");
	tap_ok(harness_text(h, "Version"), "and gets it");
}

/* A node that has never reported since this program started; with an instance, if it gets one. */
static void put_lost_node(struct harness *h, const char *name, uint32_t number)
{
	struct node node = {.number = number, .mtu = 1500};

	(void)str_copy(node.name, sizeof(node.name), name);
	harness_put(h, KIND_NODE, &node);
}

static void put_instance_on(struct harness *h, const char *node, const char *id, const char *address)
{
	struct instance instance = {.owner = ALICE, .status = INSTANCE_RUNNING};
	struct port port = {.owner = ALICE, .kind = PORT_INSTANCE, .number = 9, .status = PORT_IN_USE};
	struct address taken = {};

	(void)str_copy(instance.id, sizeof(instance.id), id);
	(void)str_copy(instance.region, sizeof(instance.region), "cn-hangzhou");
	(void)str_copy(instance.node, sizeof(instance.node), node);
	(void)str_format(instance.port, sizeof(instance.port), "eni-%s", id);
	(void)str_copy(port.id, sizeof(port.id), instance.port);
	port.vpc = "vpc-lost";
	(void)str_copy(port.holder, sizeof(port.holder), id);
	port.node = node;
	(void)netaddr_parse(address, &port.addr);
	taken.vpc = port.vpc;
	(void)str_copy(taken.port, sizeof(taken.port), port.id);
	taken.addr = port.addr;
	harness_put(h, KIND_INSTANCE, &instance);
	harness_put(h, KIND_PORT, &port);
	harness_put(h, KIND_ADDRESS, &taken);
}

static bool describes(struct harness *h, const char *filter)
{
	return harness_call(h, ALICE, PRODUCT_ECS, "DescribeInstances", HERE "&%s", filter);
}

static void test_lost_node(struct harness *h)
{
	const char *info;

	put_lost_node(h, "beta", 7);
	put_instance_on(h, "beta", "i-lost1", "10.0.0.1");
	put_instance_on(h, "beta", "i-lost2", "10.0.0.2");
	put_instance_on(h, "alpha", "i-there", "10.0.0.3");
	ADMIN(h, "ListNodes", "%s", "");
	tap_ok(!json_is_true(harness_at(h->answer, "Nodes.1.Live")), "a node without a lease is not live");
	info = harness_text(h, "Nodes.1.StatusInfo");
	tap_ok(info && strstr(info, "has not reported since") && strstr(info, "delete the node"),
	       "its line says since when, and what to do");
	tap_ok(harness_text(h, "Nodes.1.LostTime"), "and the time is a member of its own");

	describes(h, "InstanceIds=[\"i-lost1\"]");
	tap_is_str(harness_text(h, "Instances.Instance.0.Status"), "Pending",
		   "an instance of such a node does not read Running");
	info = harness_text(h, "Instances.Instance.0.StatusInfo");
	tap_ok(info && strstr(info, "node beta has not reported since"), "and says why");
	describes(h, "Status=Running");
	tap_is_int(harness_count_of(h, "Instances.Instance"), 1, "nor is it found among those that run");
	tap_is_str(harness_text(h, "Instances.Instance.0.InstanceId"), "i-there",
		   "one of a node that reports is");
	tap_ok(!harness_text(h, "Instances.Instance.0.StatusInfo"), "with nothing to say");

	ADMIN_REFUSED(h, "NodeNotFound", "deleting a node that is none", "DeleteNode", "NodeName=%s",
		      "gamma");
	ADMIN_REFUSED(h, "NodeReports", "deleting a node that reports", "DeleteNode", "NodeName=%s", "alpha");
	ADMIN_REFUSED(h, "NodeInUse", "deleting a node with instances", "DeleteNode", "NodeName=%s", "beta");
	tap_ok(strstr(h->error.message, "2 instances (i-lost1, i-lost2)"), "says which ones");
	tap_ok(!harness_call(h, ALICE, PRODUCT_PRIVLINK, "DeleteNode", "NodeName=%s", "beta"),
	       "a tenant cannot delete a node");
	tap_ok(ADMIN(h, "DeleteNode", "NodeName=%s&Force=true", "beta"), "an administrator can, with Force");
	harness_in_force(h, "alpha");
	tap_ok(!snapshot_node(store_rows(h->store), "beta"), "then the node is gone");
	tap_ok(!snapshot_instance(store_rows(h->store), "i-lost1") &&
		       !snapshot_port(store_rows(h->store), "eni-i-lost2") &&
		       snapshot_count(store_rows(h->store), KIND_ADDRESS, "vpc-lost/") == 1,
	       "with its instances, their interfaces and addresses");
	tap_ok(snapshot_instance(store_rows(h->store), "i-there"), "and nothing else");

	put_lost_node(h, "empty", 8);
	tap_ok(ADMIN(h, "DeleteNode", "NodeName=%s", "empty"),
	       "a node with nothing on it goes without Force");
	harness_settle(h);
	tap_ok(!snapshot_node(store_rows(h->store), "empty"), "at once");
}

static void test_holding_node(struct harness *h)
{
	struct control_report report = {.node = "alpha", .hold = "another store"};
	const char *info;

	harness_must(control_report(h->control, &report), "report");
	harness_settle(h);
	ADMIN(h, "ListNodes", "%s", "");
	tap_ok(!json_is_true(harness_at(h->answer, "Nodes.0.Live")), "a node that holds is not live");
	info = harness_text(h, "Nodes.0.StatusInfo");
	tap_ok(info && strstr(info, "another store"), "its line says why");
	tap_is_int((long long)control_live_revision(h->control), 0, "nothing counts as in force there");
	describes(h, "InstanceIds=[\"i-there\"]");
	tap_is_str(harness_text(h, "Instances.Instance.0.Status"), "Pending",
		   "its instances do not read Running");
	ADMIN_REFUSED(h, "NodeReports", "deleting it", "DeleteNode", "NodeName=%s", "alpha");
	harness_report(h, "alpha", NULL, 0);
	ADMIN(h, "ListNodes", "%s", "");
	tap_ok(json_is_true(harness_at(h->answer, "Nodes.0.Live")), "when it follows again, it is live");
	info = harness_text(h, "Nodes.0.StatusInfo");
	tap_is_str(info ?: "", "", "and has nothing to say");
}

/* ---- system services ---- */

#define SERVICE "ServiceName=com.aliyuncs.privatelink.cn-hangzhou.pai-dlc&" HERE

static void put_balancer(struct harness *h, const char *id, const char *region, enum lb_status status)
{
	struct load_balancer row = {.owner = ALICE, .status = status, .n_zones = 2};

	(void)str_copy(row.id, sizeof(row.id), id);
	(void)str_copy(row.region, sizeof(row.region), region);
	(void)str_copy(row.vpc, sizeof(row.vpc), "vpc-1");
	(void)str_format(row.zones[0], ZONE_SIZE, "%s-h", region);
	(void)str_format(row.zones[1], ZONE_SIZE, "%s-i", region);
	harness_put(h, KIND_LOAD_BALANCER, &row);
}

static void test_system_services(struct harness *h)
{
	const char *service;

	harness_must(control_bootstrap(h->store, h->catalogue, h->loop), "bootstrap");
	put_balancer(h, "nlb-1", "cn-hangzhou", LB_ACTIVE);
	put_balancer(h, "nlb-2", "cn-hangzhou", LB_DELETING);
	put_balancer(h, "nlb-3", "cn-beijing", LB_ACTIVE);
	put_balancer(h, "nlb-4", "cn-hangzhou", LB_CREATE_FAILED);

	ADMIN_REFUSED(h, "EndpointServiceNotFound", "a service that is none", "BindSystemService",
		      HERE "&ServiceName=com.example.x&ResourceId=nlb-1");
	ADMIN_REFUSED(h, "EndpointServiceNotFound", "another region's service", "BindSystemService",
		      HERE "&ServiceName=com.aliyuncs.privatelink.cn-beijing.pai-dlc&ResourceId=nlb-1");
	ADMIN_REFUSED(h, "UnsupportedRegion", "a service outside its regions", "BindSystemService",
		      "RegionId=cn-shanghai&ServiceName=com.aliyuncs.privatelink.cn-shanghai.aiworkspace&"
		      "ResourceId=nlb-1");
	ADMIN_REFUSED(h, "LoadBalancerNotFound", "a load balancer that is none", "BindSystemService",
		      SERVICE "&ResourceId=nlb-0");
	ADMIN_REFUSED(h, "LoadBalancerNotFound", "one that is being deleted", "BindSystemService",
		      SERVICE "&ResourceId=nlb-2");
	ADMIN_REFUSED(h, "LoadBalancerNotSupportPrivateLink", "one that could not be made",
		      "BindSystemService", SERVICE "&ResourceId=nlb-4");
	ADMIN_REFUSED(h, "LoadBalancerNotFound", "one in another region", "BindSystemService",
		      SERVICE "&ResourceId=nlb-3");
	ADMIN_REFUSED(h, "EndpointServiceNotSupportedZone", "a zone that it is not in", "BindSystemService",
		      SERVICE "&ResourceId=nlb-1&ZoneId=cn-hangzhou-k");
	ADMIN_REFUSED(h, "InvalidParameter.ResourceType", "a type that is not served", "BindSystemService",
		      SERVICE "&ResourceId=nlb-1&ResourceType=gwlb");
	harness_refused(h, ALICE, PRODUCT_PRIVLINK, "Forbidden", "its owner, who is no administrator",
			"BindSystemService", SERVICE "&ResourceId=nlb-1");

	ADMIN(h, "BindSystemService", SERVICE "&ResourceId=nlb-1&ZoneId=cn-hangzhou-h&ResourceType=NLB");
	service = harness_keep(h, harness_text(h, "ServiceId"));
	tap_is_int((long long)snapshot_count(store_rows(h->store), KIND_SERVICE_RESOURCE, service), 1,
		   "one zone of a load balancer can be bound");
	ADMIN_REFUSED(h, "EndpointServiceResourceExist", "the same zone again", "BindSystemService",
		      SERVICE "&ResourceId=nlb-1&ZoneId=cn-hangzhou-h");
	tap_ok(ADMIN(h, "BindSystemService", SERVICE "&ResourceId=nlb-1"),
	       "without a zone, the other ones are bound");
	tap_is_int((long long)snapshot_count(store_rows(h->store), KIND_SERVICE_RESOURCE, service), 2,
		   "all of them");
	ADMIN_REFUSED(h, "EndpointServiceResourceExist", "when all are bound", "BindSystemService",
		      SERVICE "&ResourceId=nlb-1");

	ADMIN_REFUSED(h, "EndpointServiceResourceNotFound", "unbinding what is not bound",
		      "UnbindSystemService", SERVICE "&ResourceId=nlb-9");
	ADMIN(h, "UnbindSystemService", SERVICE "&ResourceId=nlb-1&ZoneId=cn-hangzhou-h");
	tap_is_int((long long)snapshot_count(store_rows(h->store), KIND_SERVICE_RESOURCE, service), 1,
		   "one zone can be unbound");
	ADMIN(h, "UnbindSystemService", SERVICE "&ResourceId=nlb-1");
	tap_is_int((long long)snapshot_count(store_rows(h->store), KIND_SERVICE_RESOURCE, service), 0,
		   "and the rest");
}

static void test_system_service_in_use(struct harness *h)
{
	struct endpoint endpoint = {.owner = ALICE};
	struct connection connection = {.status = CONNECTION_CONNECTED};
	struct endpoint_zone zone = {.status = ZONE_CONNECTED};

	ADMIN(h, "BindSystemService", SERVICE "&ResourceId=nlb-1");
	(void)str_copy(connection.endpoint, sizeof(connection.endpoint), "ep-1");
	(void)str_copy(endpoint.id, sizeof(endpoint.id), "ep-1");
	endpoint.service = harness_text(h, "ServiceId");
	(void)str_copy(zone.endpoint, sizeof(zone.endpoint), "ep-1");
	(void)str_copy(zone.zone, sizeof(zone.zone), "cn-hangzhou-i");
	zone.resource = "nlb-1";
	endpoint.service = connection.service = harness_keep(h, endpoint.service);
	harness_put(h, KIND_ENDPOINT, &endpoint);
	harness_put(h, KIND_CONNECTION, &connection);
	harness_put(h, KIND_ENDPOINT_ZONE, &zone);
	ADMIN_REFUSED(h, "EndpointServiceConnectionDependence", "a zone that serves an endpoint",
		      "UnbindSystemService", SERVICE "&ResourceId=nlb-1");
	tap_ok(ADMIN(h, "UnbindSystemService", SERVICE "&ResourceId=nlb-1&ZoneId=cn-hangzhou-h"),
	       "a zone that serves none can be unbound meanwhile");
	zone = *snapshot_endpoint_zone(store_rows(h->store), "ep-1", "cn-hangzhou-i");
	zone.status = ZONE_DISCONNECTED;
	harness_put(h, KIND_ENDPOINT_ZONE, &zone);
	tap_ok(ADMIN(h, "UnbindSystemService", SERVICE "&ResourceId=nlb-1"),
	       "and so can one whose endpoint was cut");
}

int main(void)
{
	struct harness h;

	log_set_level(LOG_LEVEL_ERROR);
	test_tables();
	test_errors();
	test_catalogue();
	test_codes_in_sources();
	harness_begin(&h);
	test_regions(&h);
	test_permission(&h);
	test_changes(&h);
	test_repetition(&h);
	test_giving_up(&h);
	test_tokens(&h);
	test_tokens_of_before(&h);
	test_tokens_in_parallel(&h);
	test_tokens_grow_old(&h);
	test_long_answers(&h);
	test_long_answers_of_old_tokens(&h);
	test_tokens_and_clock(&h);
	test_pages_by_token(&h);
	test_pages_by_number(&h);
	test_nodes(&h);
	test_lost_node(&h);
	test_holding_node(&h);
	test_access_keys(&h);
	test_system_services(&h);
	test_system_service_in_use(&h);
	test_accounts(&h);
	harness_end(&h);
	return tap_done();
}
