/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The framework around handlers, with actions made for the purpose: tables of actions and errors, regions,
 * permission, changes that are durable or none, calls that are repeated, and pages of lists.
 */
#include "made_actions.h"

#include <glob.h>
#include <regex.h>

#include "api/frame/error_catalogue.h"
#include "lib/codec.h"
#include "lib/fnv.h"

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

/* ---- calls ---- */

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

static const struct made forgetting = {{"Forget", ACTION_READ}, forget_memory};
static const struct made overdoing = {{"Overdo", ACTION_CHANGES}, too_much};
static const struct made anywhere = {{"Anywhere", ACTION_NO_REGION}, say_region};
static const struct made regionless = {{"OfNone", ACTION_REGIONLESS}, say_region};
static const struct made administering = {{"Administer", ACTION_NO_REGION | ACTION_ADMIN}, say_region};

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

/* ---- pages ---- */

#define N_ITEMS 25

/* How many there are, and were looked at; what was asked. */
static struct {
	int n, n_looked_at;
	uint64_t question;
} items = {.n = N_ITEMS};

static int list_items(struct call *call)
{
	json_t *list = json_array();
	struct page page;
	int r;

	items.n_looked_at = 0;
	answer_object(call->answer, "Items", list);
	r = page_begin(call, &page);
	if (r == 0)
		r = page_question(call, &items.question);
	if (r < 0)
		return r;
	for (int i = 0; i < items.n && !page_is_done(&page); i++) {
		char id[16];

		(void)str_format(id, sizeof(id), "id-%02d", i);
		if (strcmp(id, page_from(&page)) <= 0)
			continue;
		items.n_looked_at++;
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

/* A token as page.c makes it, with what is said to be a count; with "" as earlier versions made it. */
static void forge(const char *id, const char *count, char *ret, size_t size)
{
	uint64_t sum = fnv_add(FNV_START, &items.question, sizeof(items.question));
	_cleanup_(freep) char *encoded = percent_encode(count, strlen(count));
	char hex[64];

	harness_must(encoded ? 0 : -ENOMEM, "memory");
	sum = fnv_add(fnv_add(sum, id, strlen(id)), count, strlen(count));
	hex_format((const uint8_t *)id, strlen(id), hex);
	(void)str_format(ret, size, "NextToken=%08x%s%s", (uint32_t)(sum ^ sum >> 32), hex, encoded);
}

/* What the first page has counted all pages tell, and look at no more than they need. */
static void test_counts_in_tokens(struct harness *h)
{
	static const int looked_at[] = {N_ITEMS, 8, 8, 8, 2};
	char form[256] = "MaxResults=7";

	for (size_t i = 0; i < ARRAY_SIZE(looked_at); i++) {
		(void)call_here(h, &listing, form);
		tap_is_int(items.n_looked_at, looked_at[i], "page %zu looks at %d", i + 1, looked_at[i]);
		tap_is_int(harness_number(h, "TotalCount"), N_ITEMS, "and tells what the first one counted");
		(void)str_format(form, sizeof(form), "MaxResults=7&NextToken=%s",
				 harness_text(h, "NextToken") ?: "");
		items.n = N_ITEMS + 5;
	}
	tap_is_str(harness_text(h, "Items.1"), "id-29", "up to what has come meanwhile");
	tap_ok(!harness_text(h, "NextToken"), "where the list ends");
	items.n = N_ITEMS;
}

static void test_tokens_without_count(struct harness *h)
{
	char form[256];

	(void)call_here(h, &listing, "");
	forge("id-06", "", form, sizeof(form));
	tap_is_str(call_here(h, &listing, form), "",
		   "a token of an earlier version, without a count, is good");
	tap_is_str(harness_text(h, "Items.0"), "id-07", "for what is behind its entry");
	tap_is_int(harness_number(h, "TotalCount"), N_ITEMS, "and all is counted again");
	tap_is_int(items.n_looked_at, N_ITEMS, "as they did");
	(void)str_format(form, sizeof(form), "NextToken=%s", harness_text(h, "NextToken"));
	(void)call_here(h, &listing, form);
	tap_is_int(items.n_looked_at, 8, "the next page knows the count");
}

static void test_forged_counts(struct harness *h)
{
	static const char *const told[] = {".0", ".3", ".9223372036854775807"};
	/* clang-format off */
	static const char *const refused[] = {
		".", "0", "-1", ".007", ".-1", ".+1", ". 1", ".1 ", ".1x", ".0x1", ".1e3", "..1", ".1.2", ".1.",
		".9223372036854775808", ".-9223372036854775808", ".18446744073709551617",
	};
	/* clang-format on */
	char form[4 * KEY_SIZE], digits[2 * KEY_SIZE];

	(void)call_here(h, &listing, "");
	for (size_t i = 0; i < ARRAY_SIZE(told); i++) {
		forge("id-06", told[i], form, sizeof(form));
		(void)call_here(h, &listing, form);
		tap_ok(harness_number(h, "TotalCount") == strtoll(told[i] + 1, NULL, 10) &&
			       harness_count_of(h, "Items") == 10 && harness_text(h, "NextToken"),
		       "a count of %s is told back, the page is the same", told[i] + 1);
	}
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		forge("id-06", refused[i], form, sizeof(form));
		tap_is_str(call_here(h, &listing, form), "InvalidParameter.NextToken", "\"%s\" is no count",
			   refused[i]);
	}
	memset(digits, '1', sizeof(digits) - 1);
	digits[0] = '.';
	digits[sizeof(digits) - 1] = '\0';
	forge("id-06", digits, form, sizeof(form));
	tap_is_str(call_here(h, &listing, form), "InvalidParameter.NextToken", "nor are %zu digits",
		   strlen(digits) - 1);
}

/* Each character of the form's token changed, and the token cut off before it. */
static int count_good_damaged(struct harness *h, const char *form)
{
	size_t first = strcspn(form, "=") + 1;
	char damaged[256];
	int n_good = 0;

	for (size_t i = first; form[i]; i++) {
		(void)str_copy(damaged, sizeof(damaged), form);
		damaged[i] ^= 1;
		n_good += !streq(call_here(h, &listing, damaged), "InvalidParameter.NextToken");
		damaged[i] = '\0'; /* an empty one is none */
		n_good += i > first && !streq(call_here(h, &listing, damaged), "InvalidParameter.NextToken");
	}
	return n_good;
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
	tap_is_int(count_good_damaged(h, form), 0, "a damaged token is refused, whatever is damaged");
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
	test_pages_by_token(&h);
	test_counts_in_tokens(&h);
	test_tokens_without_count(&h);
	test_forged_counts(&h);
	test_pages_by_number(&h);
	harness_end(&h);
	return tap_done();
}
