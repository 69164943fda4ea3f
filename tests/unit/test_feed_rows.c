/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "agent/feed_list.h"
#include "bpf/pl_abi.h"
#include "tests/tap.h"
#include "tests/unit/feed_oracle.h"
#include "tests/unit/rows.h"

#define MANY_FAILURES 60000 /* more than a report takes */

#define VPC(id, revision)                                                                                    \
	"{\"key\": \"vpc/" id "\", \"created\": 3, \"revision\": " revision ", \"value\": {\"id\": \"" id    \
	"\", \"number\": 9, \"status\": \"Available\"}}"

static int apply(struct snapshot *rows, const char *body, struct feed_rows *ret)
{
	return feed_rows_apply(body, strlen(body), rows, ret);
}

static void test_rows(void)
{
	struct feed_rows answer;
	struct snapshot *rows;

	(void)snapshot_new(&rows);
	tap_is_int(apply(rows,
			 "{\"revision\": 5, \"full\": true, \"rows\": [" VPC("vpc-a", "4") ", " VPC(
				 "vpc-b", "5") "], \"deleted\": []}",
			 &answer),
		   0, "a full list is taken");
	tap_ok(answer.is_full && answer.n_changes == 2 && answer.revision == 5,
	       "with its revision and count");
	tap_is_int((long long)snapshot_revision(rows), 5, "the rows stand at that revision");
	tap_ok(snapshot_vpc(rows, "vpc-a") && snapshot_vpc(rows, "vpc-a")->meta.modified == 4 &&
		       snapshot_vpc(rows, "vpc-a")->meta.created == 3,
	       "each row has its own revisions");

	tap_is_int(apply(rows,
			 "{\"revision\": 7, \"rows\": [" VPC("vpc-c", "7") "], \"deleted\": [\"vpc/vpc-a\"]}",
			 &answer),
		   0, "changes are taken");
	tap_ok(!snapshot_vpc(rows, "vpc-a") && snapshot_vpc(rows, "vpc-b") && snapshot_vpc(rows, "vpc-c"),
	       "a row is deleted, one stays, one comes");
	tap_is_int(apply(rows, "{\"revision\": 9, \"rows\": []}", &answer), 0,
		   "a poll that had nothing to tell");
	tap_ok(answer.n_changes == 0 && snapshot_revision(rows) == 9, "raises the revision");

	tap_is_int(apply(rows,
			 "{\"revision\": 10, \"rows\": [{\"key\": \"teapot/1\", \"created\": 1, "
			 "\"revision\": 10, "
			 "\"value\": {}}, " VPC("vpc-d", "10") "]}",
			 &answer),
		   0, "a row of an unknown kind is left out");
	tap_ok(answer.n_rejected == 1 && streq(answer.first_rejected, "teapot/1") &&
		       snapshot_vpc(rows, "vpc-d"),
	       "named, and the others are taken");

	tap_is_int(apply(rows, "{\"revision\": 11, \"full\": true, \"rows\": [" VPC("vpc-z", "11") "]}",
			 &answer),
		   0, "another full list");
	tap_is_int((long long)snapshot_count(rows, KIND_VPC, ""), 1, "replaces everything");
	snapshot_free(rows);
}

static void test_malformed(void)
{
	static const struct {
		const char *body, *name;
	} cases[] = {
		{"", "an empty answer is refused"},
		{"[]", "one that is no object"},
		{"{\"revision\": 5, \"full\": true, \"rows\": [", "one that is cut"},
		{"{\"rows\": []}", "one without a revision"},
		{"{\"revision\": 5}", "one without rows"},
		{"{\"revision\": \"5\", \"rows\": []}", "a revision that is no number"},
		{"{\"revision\": 0, \"full\": true, \"rows\": []}", "revision 0"},
		{"{\"revision\": 5, \"full\": true, \"rows\": [7]}", "a row that is no object"},
		{"{\"revision\": 5, \"full\": true, \"rows\": [{\"key\": \"vpc/a\"}]}",
		 "a row without a value"},
		{"{\"revision\": 5, \"rows\": [], \"deleted\": [7]}", "a deleted key that is no text"},
		{"{\"revision\": 5, \"rows\": [], \"deleted\": {}}", "deleted keys that are no list"},
		{"{\"revision\": 5, \"revision\": 6, \"rows\": []}", "a member that comes twice"},
		{"{\"revision\": 5, \"rows\": [], \"rows\": []}", "rows that come twice"},
		{"{\"revision\": 5, \"rows\": {}}", "rows that are no list"},
		{"{\"revision\": 5, \"rows\": []}}", "something behind it"},
		{"{\"revision\": 5, \"rows\": [],}", "a comma behind its members"},
		{"{\"revision\": 5, \"rows\": [" VPC("vpc-b", "5") ",]}", "one behind its rows"},
		{"{\"revision\": 5, 7: 8, \"rows\": []}", "a name that is no text"},
		{"{\"revision\": 5, \"rows\" []}", "a name without its colon"},
		{"{\"revision\": 5, \"rows\": [{\"key\": 7, \"created\": 1, \"revision\": 5, \"value\": {}}]}",
		 "a key that is no text"},
		{"{\"revision\": 5, \"rows\": [{\"key\": \"vpc/a\", \"created\": \"1\", \"revision\": 5, "
		 "\"value\": {}}]}",
		 "a row's revision that is no number"},
		{"{\"revision\": 5, \"rows\": [{\"key\":\"vpc/a\",\"created\":1,\"revision\":5,\"value\":[]}]}",
		 "a value that is no object"},
		{"{\"revision\": 5, \"rows\": [{\"key\":\"vpc/a\",\"key\":\"vpc/"
		 "a\",\"created\":1,\"revision\":5,\"value\":{}}]}",
		 "a row with two keys"},
		{"{\"revision\": 5, \"rows\": [{\"key\":\"vpc/a\",\"created\":1,\"revision\":5,\"value\":{\"id\":}}]}",
		 "a value that is cut inside"},
		{"{\"revision\": 5, \"rows\": [{\"key\":\"vpc/a\",\"created\":1,\"revision\":5,\"value\":{\"id\":\"\xe7"
		 "\"}}]}",
		 "a text that is no UTF-8"},
	};
	struct feed_rows answer;
	struct snapshot *rows;

	(void)snapshot_new(&rows);
	(void)apply(rows, "{\"revision\": 4, \"full\": true, \"rows\": [" VPC("vpc-a", "4") "]}", &answer);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		tap_is_int(apply(rows, cases[i].body, &answer), -EINVAL, "%s", cases[i].name);
	tap_ok(snapshot_vpc(rows, "vpc-a") && snapshot_revision(rows) == 4, "none of them changed a row");
	snapshot_free(rows);
}

#define KEYED(key, value) "{\"key\":\"" key "\",\"created\":3,\"revision\":4,\"value\":" value "}"
#define HAVING(members)	  "{\"id\":\"vpc-a\",\"number\":9,\"status\":\"Available\"" members "}"
#define OF_VPC(members)	  KEYED("vpc/vpc-a", HAVING(members))

/* Rows that are not as nearly all are: they are what JSON says, and rows around them are taken. */
static void test_forms(void)
{
	static const struct {
		const char *row, *name;
		size_t n, n_rejected;
	} cases[] = {
		{OF_VPC(""), "of plain form", 3, 0},
		{OF_VPC(",\"name\":\"\xe7\xbd\x91\""), "with a letter beyond ASCII", 3, 0},
		{OF_VPC(",\"name\":\"a\\\"b\\u00fc\""), "with something escaped", 3, 0},
		{OF_VPC(",\"name\":\"\x7f\""), "with a byte that is not shown", 3, 0},
		{" { \"key\" : \"vpc/vpc-a\", \"created\" : 3, \"revision\" : 4, \"value\" : {\"id\" : "
		 "\"vpc-a\"} } ",
		 "with blanks", 3, 0},
		{"{\"value\":" HAVING("") ",\"revision\":4,\"created\":3,\"key\":\"vpc/vpc-a\"}",
		 "in another order", 3, 0},
		{"{\"key\":\"vpc\\/vpc-a\",\"created\":3,\"revision\":4,\"value\":" HAVING("") "}",
		 "with a key that is escaped", 3, 0},
		{"{\"key\":\"vpc/vpc-a\",\"created\":3,\"revision\":4,\"later\":[{}],\"value\":" HAVING(
			 "") "}",
		 "with a member beside that is not known", 3, 0},
		{OF_VPC(",\"later\":7"), "with a member that is not known", 3, 0},
		{OF_VPC(",\"later\":{\"a\":[null,1.5]}"), "with one of another shape", 3, 0},
		{OF_VPC(",\"mtu\":1.5,\"later\":-1e3"), "with broken numbers that nobody reads", 3, 0},
		{OF_VPC(",\"cidr\":7"), "with a member of a wrong type", 2, 1},
		{OF_VPC(",\"number\":9"), "that says something twice", 2, 1},
		{KEYED("vpc/vpc-a", "{\"id\":\"vpc-b\",\"number\":9,\"status\":\"Available\"}"),
		 "under the key of another one", 2, 1},
		{KEYED("vpc/vpc-a", "{}"), "that is empty", 2, 1},
		{KEYED("teapot/1", HAVING("")), "of an unknown kind", 2, 1},
		{KEYED("", HAVING("")), "without a key", 2, 1},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct oracle oracle = {};
		struct feed_rows changed, full;
		struct snapshot *rows;
		char body[2048];
		bool good;

		(void)snapshot_new(&rows);
		(void)snapshot_new(&oracle.rows);
		(void)snprintf(body, sizeof(body), "{\"revision\":5,\"rows\":[%s,%s,%s]}", VPC("vpc-0", "4"),
			       cases[i].row, VPC("vpc-z", "4"));
		good = oracle_read(body, strlen(body), 0, &oracle) && apply(rows, body, &changed) == 0 &&
		       changed.n_rejected == cases[i].n_rejected &&
		       snapshot_count(rows, KIND_VPC, "") == cases[i].n &&
		       (cases[i].n_rejected || oracle_same(oracle.rows, rows));
		(void)snprintf(body, sizeof(body), "{\"revision\":5,\"full\":true,\"rows\":[%s,%s,%s]}",
			       VPC("vpc-0", "4"), cases[i].row, VPC("vpc-z", "4"));
		good &= apply(rows, body, &full) == 0 && full.n_rejected == cases[i].n_rejected &&
			snapshot_count(rows, KIND_VPC, "") == cases[i].n &&
			(cases[i].n_rejected || oracle_same(oracle.rows, rows));
		tap_ok(good, "forms: a row %s, as a change and among all", cases[i].name);
		snapshot_free(oracle.rows);
		snapshot_free(rows);
	}
}

static unsigned int until_no_memory; /* calls; 0: there is memory */

static void *allocate(size_t size)
{
	return until_no_memory && --until_no_memory == 0 ? NULL : malloc(size);
}

/* Once, wherever that is: the answer is refused as a whole, or taken as a whole. */
static void test_no_memory(void)
{
	static const char body[] = "{\"revision\":5,\"rows\":[" OF_VPC("") "]}";
	unsigned int n = 0, refused = 0, dropped = 0;

	json_set_alloc_funcs(allocate, free);
	for (bool more = true; more && n < 1000;) {
		struct feed_rows answer;
		struct snapshot *rows;
		int r;

		(void)snapshot_new(&rows);
		until_no_memory = ++n;
		r = apply(rows, body, &answer);
		more = until_no_memory == 0; /* it has come to that call */
		until_no_memory = 0;
		refused += r < 0;
		dropped += r == 0 && (answer.n_rejected || !snapshot_vpc(rows, "vpc-a"));
		snapshot_free(rows);
	}
	json_set_alloc_funcs(malloc, free);
	tap_ok(n > 1 && n < 1000 && refused > 0, "memory ends once, at any of %u calls of an answer", n - 1);
	tap_is_int(dropped, 0, "no row is left out because of that");
}

/* An answer with a NUL in it, which no text can have. */
static void test_nul(void)
{
	char body[] = "{\"revision\":5,\"rows\":[" OF_VPC(",\"name\":\"nul\"") "]}";
	struct feed_rows answer;
	struct snapshot *rows;
	size_t wrong = 0;

	(void)snapshot_new(&rows);
	for (size_t i = 0; i < strlen(body); i++) {
		size_t size = strlen(body);
		char byte = body[i];

		body[i] = '\0';
		wrong += feed_rows_apply(body, size, rows, &answer) != -EINVAL;
		body[i] = byte;
	}
	tap_is_int((long long)wrong, 0, "a NUL at any place of an answer");
	tap_is_int(apply(rows, "{\"revision\":5,\"rows\":[" OF_VPC(",\"name\":\"\\u0000\"") "]}", &answer),
		   -EINVAL, "one that is escaped");
	tap_is_int(feed_rows_apply("{\"revision\":5\0,\"rows\":[]}", 26, rows, &answer), -EINVAL,
		   "one behind a number");
	tap_is_int((long long)snapshot_count(rows, KIND_VPC, ""), 0, "no NUL changed a row");
	snapshot_free(rows);
}

static char *long_answer(size_t n, const char *name)
{
	char *text = malloc(n * 256 + strlen(name) + 1024);
	size_t length;

	if (!text)
		exit(EXIT_FAILURE);
	length = (size_t)sprintf(text, "{\"revision\":5,\"full\":true,\"rows\":[");
	for (size_t i = 0; i < n; i++)
		length += (size_t)sprintf(text + length,
					  KEYED("vpc/vpc-%06zu", "{\"id\":\"vpc-%06zu\",\"number\":%zu,"
								 "\"status\":\"Available\"}") ",",
					  i, i, i + 1);
	(void)sprintf(text + length, KEYED("vpc/vpc-z", "{\"id\":\"vpc-z\",\"name\":\"%s\"}") "]}", name);
	return text;
}

static void test_huge(void)
{
	_cleanup_(freep) char *name = malloc(4u << 20), *text = NULL;
	struct feed_rows answer;
	struct snapshot *rows;

	if (!name)
		exit(EXIT_FAILURE);
	memset(name, 'x', (4u << 20) - 1);
	name[(4u << 20) - 1] = '\0';
	text = long_answer(20000, name);
	(void)snapshot_new(&rows);
	tap_ok(apply(rows, text, &answer) == 0 && answer.n_changes == 20000 &&
		       snapshot_count(rows, KIND_VPC, "") == 20000,
	       "huge: 20,000 rows are taken");
	tap_ok(answer.n_rejected == 1 && streq(answer.first_rejected, "vpc/vpc-z"),
	       "huge: one with a name of 4 MiB is left out");
	text[strlen(text) - 1] = '\0';
	tap_is_int(apply(rows, text, &answer), -EINVAL, "huge: cut at its last byte it is none");
	tap_is_int((long long)snapshot_count(rows, KIND_VPC, ""), 20000, "huge: and changes nothing");
	snapshot_free(rows);
}

static void count(void *context)
{
	(*(int *)context)++;
}

/* What nobody may take for all that there is. */
static void test_broken_off(void)
{
	static const char *const pages[] = {
		"{\"revision\": 12, \"more\": \"vpc/vpc-a\", \"rows\": [" VPC("vpc-a", "11") "]}",
		"{\"revision\": 13, \"more\": \"\", \"rows\": [" VPC("vpc-b", "11") "]}",
	};
	static const char last_text[] = "{\"revision\": 14, \"rows\": []}";
	_cleanup_(feed_answer_done) struct feed_answer last = {};
	_cleanup_(feed_list_clear) struct feed_list list = {};
	struct snapshot *rows;
	struct feed_rows all;
	int n_breaths = 0;

	(void)snapshot_new(&rows);
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		_cleanup_(feed_answer_done) struct feed_answer page = {};

		tap_ok(feed_answer_parse(pages[i], strlen(pages[i]), &page) == 0 &&
			       feed_list_add(&list, &page, pages[i], strlen(pages[i])) == 0,
		       "page %zu of a list", i + 1);
	}
	(void)feed_answer_parse(last_text, strlen(last_text), &last);
	tap_ok(feed_list_apply(&list, &last, rows, &all) == 0 && snapshot_revision(rows) == 14 &&
		       snapshot_vpc(rows, "vpc-a") && snapshot_vpc(rows, "vpc-b"),
	       "they are put together");
	list.breath = (struct breath){count, &n_breaths};
	tap_ok(feed_list_apply(&list, &last, rows, &all) == 0 && n_breaths >= 4,
	       "with a breath for each page and each row");
	list.parts[1].body[0] = '?'; /* as good as no memory for it */
	tap_is_int(feed_list_apply(&list, &last, rows, &all), -EINVAL, "if one cannot be");
	tap_is_int((long long)snapshot_revision(rows), 0, "the rows are of no revision");
	snapshot_free(rows);
}

/* All rows, in pages: what is in force stays until all of them are there. */
static void test_full_list(void)
{
	static const char *const pages[] = {
		"{\"revision\": 12, \"full\": true, \"more\": \"vpc/vpc-a\", \"rows\": [" VPC("vpc-a",
											      "11") "]}",
		"{\"revision\": 13, \"more\": \"\", \"rows\": [" VPC("vpc-b", "11") "]}",
	};
	static const char last_text[] = "{\"revision\": 14, \"rows\": [" VPC("vpc-c", "14") "]}";
	_cleanup_(feed_answer_done) struct feed_answer last = {};
	_cleanup_(feed_list_clear) struct feed_list list = {};
	struct snapshot *rows;
	struct feed_rows all;
	int n_breaths = 0;

	(void)snapshot_new(&rows);
	rows_put(rows, "vpc/vpc-old", "{'id': 'vpc-old'}");
	list.breath = (struct breath){count, &n_breaths};
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		_cleanup_(feed_answer_done) struct feed_answer page = {};

		(void)feed_answer_parse(pages[i], strlen(pages[i]), &page);
		(void)feed_list_add(&list, &page, pages[i], strlen(pages[i]));
	}
	(void)feed_answer_parse(last_text, strlen(last_text), &last);
	tap_ok(snapshot_vpc(rows, "vpc-old") && !snapshot_vpc(rows, "vpc-a"),
	       "all rows: pages change nothing of what is in force");
	tap_ok(feed_list_apply(&list, &last, rows, &all) == 0 && snapshot_revision(rows) == 14 &&
		       snapshot_vpc(rows, "vpc-a") && snapshot_vpc(rows, "vpc-b") &&
		       snapshot_vpc(rows, "vpc-c") && !snapshot_vpc(rows, "vpc-old"),
	       "all rows: they take the place of what was there with the last answer");
	tap_ok(all.is_full && all.touched.whole && all.n_changes == 3 && all.revision == 14 && n_breaths >= 3,
	       "all rows: and are told as that, with a breath for each");
	n_breaths = 0;
	feed_list_clear(&list);
	tap_ok(n_breaths > 0 && !list.rows, "all rows: the old ones go with the list");
	snapshot_free(rows);
}

/* What an answer with this row says that the plan has to do. */
static const char *touches(struct snapshot *rows, const char *key, const char *value)
{
	static char text[PLAN_TOUCHED_MAX * ID_SIZE];
	struct feed_rows answer;
	const struct plan_touched_ids *const lists[] = {
		&answer.touched.endpoints, &answer.touched.groups,	  &answer.touched.members,
		&answer.touched.others,	   &answer.touched.instances,	  &answer.touched.interfaces,
		&answer.touched.vswitches, &answer.touched.server_groups, &answer.touched.balancers,
		&answer.touched.listeners, &answer.touched.vpcs,
	};
	size_t length = 0;
	char body[1024];

	snprintf(body, sizeof(body),
		 "{\"revision\": 9, \"rows\": [{\"key\": \"%s\", \"created\": 1, \"revision\": 9, \"value\": "
		 "%s}]}",
		 key, value);
	if (apply(rows, body, &answer) < 0 || answer.n_rejected)
		return "malformed";
	if (!plan_touched_any(&answer.touched))
		return "nothing";
	if (answer.touched.whole)
		return "all";
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		for (size_t j = 0; j < lists[i]->n; j++)
			length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s",
						   length ? " " : "", lists[i]->ids[j]);
	return text;
}

static void test_touched(void)
{
	static const struct {
		const char *key, *value, *touches, *name;
	} cases[] = {
		{"vpc/v", "{\"id\": \"v\", \"number\": 9, \"status\": \"Pending\"}", "v", "a new VPC"},
		{"vpc/v", "{\"id\": \"v\", \"number\": 9, \"status\": \"Available\", \"name\": \"n\"}",
		 "nothing", "its name and state"},
		{"vpc/v", "{\"id\": \"v\", \"number\": 8, \"status\": \"Available\"}", "v", "its number"},
		{"tag/v/k", "{\"resource\": \"v\", \"key\": \"k\"}", "nothing", "a tag"},
		{"endpoint/ep-1", "{\"id\": \"ep-1\", \"vpc\": \"v\", \"status\": \"Creating\"}", "ep-1",
		 "a new endpoint"},
		{"endpoint/ep-1", "{\"id\": \"ep-1\", \"vpc\": \"v\", \"status\": \"Active\"}", "nothing",
		 "an endpoint that becomes Active"},
		{"endpoint/ep-1", "{\"id\": \"ep-1\", \"vpc\": \"v\", \"status\": \"Deleting\"}", "ep-1",
		 "one that is deleted"},
		{"port/eni-1",
		 "{\"id\": \"eni-1\", \"kind\": \"endpoint\", \"holder\": \"ep-1\", \"status\": \"InUse\"}",
		 "ep-1", "an ENI of an endpoint"},
		{"port/eni-2",
		 "{\"id\": \"eni-2\", \"kind\": \"instance\", \"vpc\": \"v\", \"addr\": \"10.0.0.2\", \"holder\": \"i-1\", \"status\": "
		 "\"InUse\"}",
		 "i-1", "an instance's interface"},
		{"port/eni-2",
		 "{\"id\": \"eni-2\", \"kind\": \"instance\", \"vpc\": \"v\", \"addr\": \"10.0.0.2\", \"holder\": \"i-1\", \"groups\": "
		 "[\"sg-1\"], \"status\": \"InUse\"}",
		 "eni-2", "its groups"},
		{"address/v/10.0.0.1", "{\"vpc\": \"v\", \"addr\": \"10.0.0.1\", \"port\": \"eni-1\"}",
		 "nothing", "an address of an endpoint"},
		{"address/v/10.0.0.2", "{\"vpc\": \"v\", \"addr\": \"10.0.0.2\", \"port\": \"eni-2\"}",
		 "nothing", "one of an instance that is no server"},
		{"vswitch/vsw-1", "{\"id\": \"vsw-1\", \"vpc\": \"v\", \"status\": \"Available\"}", "vsw-1",
		 "a new vSwitch"},
		{"port/eni-3",
		 "{\"id\": \"eni-3\", \"kind\": \"load_balancer\", \"vpc\": \"v\", \"holder\": \"nlb-1\", "
		 "\"status\": \"InUse\"}",
		 "eni-3", "an interface of a load balancer"},
		{"server_group/sgp-1",
		 "{\"id\": \"sgp-1\", \"vpc\": \"v\", \"protocol\": \"TCP\", \"status\": \"Available\"}",
		 "sgp-1", "a new server group"},
		{"server/sgp-1/10.0.0.2/80",
		 "{\"group\": \"sgp-1\", \"server_id\": \"10.0.0.2\", \"addr\": \"10.0.0.2\", \"port\": 80, "
		 "\"status\": \"Available\"}",
		 "sgp-1", "a new server"},
		{"server_health/sgp-1/10.0.0.2/80",
		 "{\"group\": \"sgp-1\", \"server_id\": \"10.0.0.2\", \"port\": 80, \"healthy\": true}",
		 "sgp-1", "its health"},
		{"server_health/sgp-1/10.0.0.2/80",
		 "{\"group\": \"sgp-1\", \"server_id\": \"10.0.0.2\", \"port\": 80, \"healthy\": true, "
		 "\"reason\": \"r\"}",
		 "nothing", "the reason of that"},
		{"address/v/10.0.0.2",
		 "{\"vpc\": \"v\", \"addr\": \"10.0.0.2\", \"port\": \"eni-2\", \"vswitch\": "
		 "\"vsw-1\"}",
		 "sgp-1", "the address of an instance that is a server"},
		{"instance/i-1",
		 "{\"id\": \"i-1\", \"vpc\": \"v\", \"port\": \"eni-2\", \"status\": \"Stopped\"}",
		 "i-1 sgp-1", "a server's instance"},
		{"port/eni-2",
		 "{\"id\": \"eni-2\", \"kind\": \"instance\", \"vpc\": \"v\", \"vswitch\": \"vsw-1\", \"addr\": "
		 "\"10.0.0.2\", \"holder\": \"i-1\", \"status\": \"InUse\"}",
		 "i-1 sgp-1", "that its interface is in a vSwitch"},
		{"vswitch/vsw-1",
		 "{\"id\": \"vsw-1\", \"vpc\": \"v\", \"cidr\": \"10.0.0.0/24\", \"status\": \"Available\"}",
		 "i-1 vsw-1 sgp-1", "a vSwitch with a server in it"},
		{"listener/lsn-1",
		 "{\"id\": \"lsn-1\", \"load_balancer\": \"nlb-1\", \"server_group\": \"sgp-1\", \"protocol\": "
		 "\"TCP\", \"port\": 80, \"status\": \"Running\"}",
		 "nlb-1 lsn-1", "a new listener"},
		{"endpoint_zone/ep-1/h",
		 "{\"endpoint\": \"ep-1\", \"zone\": \"h\", \"resource\": \"nlb-1\", \"status\": \"Connected\"}",
		 "ep-1", "an endpoint's zone"},
		{"load_balancer/nlb-1", "{\"id\": \"nlb-1\", \"vpc\": \"v\", \"status\": \"Active\"}",
		 "ep-1 nlb-1", "a new load balancer"},
		{"load_balancer/nlb-1",
		 "{\"id\": \"nlb-1\", \"vpc\": \"v\", \"cross_zone\": true, \"status\": \"Active\"}", "nlb-1",
		 "that it crosses zones"},
		{"load_balancer/nlb-1",
		 "{\"id\": \"nlb-1\", \"vpc\": \"v\", \"cross_zone\": true, \"groups\": [\"sg-1\"], \"status\": "
		 "\"Active\"}",
		 "ep-1 nlb-1", "its security groups"},
		{"security_group/sg-1", "{\"id\": \"sg-1\", \"type\": \"normal\"}", "sg-1",
		 "a new security group"},
		{"security_group/sg-1", "{\"id\": \"sg-1\", \"type\": \"normal\", \"description\": \"d\"}",
		 "nothing", "its description"},
		{"sg_rule/sg-1/r",
		 "{\"id\": \"r\", \"group\": \"sg-1\", \"direction\": \"ingress\", \"policy\": \"Accept\"}",
		 "sg-1", "a rule"},
		{"sg_rule/sg-1/r",
		 "{\"id\": \"r\", \"group\": \"sg-1\", \"direction\": \"ingress\", \"policy\": \"Accept\", "
		 "\"description\": \"d\"}",
		 "nothing", "its description"},
		{"sg_rule/sg-1/r",
		 "{\"id\": \"r\", \"group\": \"sg-1\", \"direction\": \"ingress\", \"policy\": \"Drop\", "
		 "\"description\": \"d\"}",
		 "sg-1", "what it does"},
		{"endpoint/ep-1",
		 "{\"id\": \"ep-1\", \"vpc\": \"v\", \"status\": \"Deleting\", \"policy\": \"{}\"}",
		 "nothing", "an endpoint's policy"},
		{"endpoint/ep-1",
		 "{\"id\": \"ep-1\", \"owner\": 7, \"vpc\": \"v\", \"status\": \"Deleting\", \"policy\": "
		 "\"{}\"}",
		 "ep-1", "its owner, whose account its flows count for"},
		{"vpc/v", "{\"id\": \"v\", \"owner\": 7, \"number\": 8, \"status\": \"Available\"}",
		 "nothing", "a VPC's owner"},
		{"port/eni-1",
		 "{\"id\": \"eni-1\", \"owner\": 7, \"kind\": \"endpoint\", \"holder\": \"ep-1\", \"status\": "
		 "\"InUse\"}",
		 "nothing", "an interface's owner"},
	};
	struct snapshot *rows;

	(void)snapshot_new(&rows);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		tap_is_str(touches(rows, cases[i].key, cases[i].value), cases[i].touches, "%s touches %s",
			   cases[i].name, cases[i].touches);
	snapshot_free(rows);
}

static int lease(const char *body, uint32_t *ret_number, uint64_t *ret_lease_ms)
{
	char store[NODE_STORE_SIZE];

	return feed_lease_parse(body, strlen(body), ret_number, ret_lease_ms, store);
}

static void test_lease(void)
{
	uint64_t lease_ms = 0;
	uint32_t number = 0;

	tap_ok(lease("{\"number\": 7, \"lease_s\": 30}", &number, &lease_ms) == 0 && number == 7 &&
		       lease_ms == 30000,
	       "a registration's answer has number and lease");
	tap_ok(lease("{\"lease_s\": 3}", NULL, &lease_ms) == 0 && lease_ms == 3000,
	       "a report's the lease alone");
	tap_is_int(lease("{\"lease_s\": 3}", &number, &lease_ms), -EINVAL,
		   "a registration without a number is refused");
	tap_is_int(lease("{\"number\": 7}", &number, &lease_ms), -EINVAL, "and one without a lease");
	tap_is_int(lease("{\"number\": 4294967296, \"lease_s\": 3}", &number, &lease_ms), -EINVAL,
		   "and a number above 32 bits");
}

static char *dump(json_t *report)
{
	char *text = json_dumps(report, JSON_COMPACT);

	json_decref(report);
	return text;
}

static void test_report(void)
{
	_cleanup_(freep) char *report = NULL, *odd = NULL, *held = NULL;
	struct failures failures = {};
	char key[KEY_SIZE];
	bool has_all;

	(void)failures_add(&failures, "instance/i-1", "cannot make %s", "it");
	(void)failures_add(&failures, "instance/i-1", "another reason");
	report = dump(feed_report_new("n1", "s1", 12, &failures, &has_all));
	tap_is_str(report,
		   "{\"node\":\"n1\",\"store\":\"s1\",\"revision\":12,\"failures\":[{\"key\":\"instance/"
		   "i-1\",\"reason\":\"cannot make "
		   "it\"}],\"health\":[]}",
		   "a report has revision, failures with their first reason, and room for health");
	failures_clear(&failures);
	(void)failures_add_gone(&failures, "instance/i-3", "it has ended");
	(void)failures_add(&failures, "instance/i-2", "path \xe4\xbd");
	held = feed_hold_format("n1", "s1", "why");
	tap_is_str(held,
		   "{\"node\":\"n1\",\"store\":\"s1\",\"revision\":0,\"failures\":[],\"health\":[],"
		   "\"hold\":\"why\"}",
		   "one of a node that holds has why, and nothing in force");
	odd = dump(feed_report_new("n1", "s1", 13, &failures, &has_all));
	tap_ok(has_all, "it says that it has all of them");
	tap_ok(odd && strstr(odd, "path ??"), "a text that was cut inside a character is still reported");
	tap_ok(odd && strstr(odd, "{\"key\":\"instance/i-3\",\"reason\":\"it has ended\",\"gone\":true}"),
	       "what has ended is told from what failed");
	for (uint32_t i = 0; i < MANY_FAILURES; i++) {
		(void)str_format(key, sizeof(key), "endpoint_zone/ep-%u/zone", i);
		(void)failures_add(&failures, key, "this node has no room for its listener's table");
	}
	json_decref(feed_report_new("n1", "s1", 14, &failures, &has_all));
	tap_ok(!has_all, "and where they are too many, that it has not");
	failures_clear(&failures);
}

static size_t length_of_report(const struct failures *failures, const char *has, bool *ret_has_all)
{
	_cleanup_(freep) char *report = dump(feed_report_new("n1", "s1", 15, failures, ret_has_all));

	return report && strstr(report, has) ? strlen(report) : 0;
}

/* All ports of a node fail, for a long reason. */
static void test_report_of_all_ports(void)
{
	struct failures failures = {};
	char key[KEY_SIZE];
	bool has_all;
	size_t length;

	for (uint32_t i = 0; i < PL_ENIS_MAX; i++) {
		if (i == PL_ENIS_MAX / 2) {
			length =
				length_of_report(&failures, "an instance that is attached to it\"", &has_all);
			tap_ok(has_all && length, "of half of a node's ports reasons are told whole");
		}
		(void)str_format(key, sizeof(key), "instance/i-%020x", i);
		(void)failures_add_gone(&failures, key,
					"the longest reason of an instance that is attached to it");
	}
	length = length_of_report(&failures, "\"the longest r...\"", &has_all);
	tap_ok(has_all && length, "where all of a node's ports fail all are told, for which reasons are cut");
	tap_ok(length < FEED_FAILURES_BYTES_MAX + 1024, "so that there is room (%zu)", length);
	failures_clear(&failures);
}

static void put_row(struct snapshot *rows, const char *key, const char *format, unsigned int number)
{
	char body[1024], name[64], value[512];
	struct feed_rows told;

	snprintf(name, sizeof(name), key, number);
	snprintf(value, sizeof(value), format, number, number % 250 + 1);
	snprintf(body, sizeof(body),
		 "{\"revision\": 9, \"rows\": [{\"key\": \"%s\", \"created\": 1, \"revision\": 9, \"value\": "
		 "%s}]}",
		 name, value);
	if (apply(rows, body, &told) < 0 || told.n_rejected)
		exit(EXIT_FAILURE);
}

/* What a tenant can bring about again and again within its quotas is a matter of slices. */
static void test_much(void)
{
	struct snapshot *rows;
	unsigned int n = 0;

	(void)snapshot_new(&rows);
	for (; n < 500; n++) {
		put_row(rows, "server_group/sgp-%u",
			"{\"id\": \"sgp-%u\", \"vpc\": \"v\", \"protocol\": \"TCP\", \"status\": \"Available\"}",
			n);
		put_row(rows, "server/sgp-%u/10.0.0.1/80",
			"{\"group\": \"sgp-%u\", \"server_id\": \"10.0.0.1\", \"addr\": \"10.0.0.%u\", \"port\": "
			"80, \"status\": \"Available\"}",
			n);
	}
	tap_is_str(touches(rows, "port/eni-1",
			   "{\"id\": \"eni-1\", \"kind\": \"instance\", \"vpc\": \"v\", \"addr\": "
			   "\"10.0.0.7\", \"holder\": \"i-1\", \"status\": \"InUse\"}"),
		   "i-1 sgp-256 sgp-6",
		   "an interface in a VPC with 500 server groups touches those it serves");
	for (; n < 513; n++)
		put_row(rows, "server_group/sgp-%u",
			"{\"id\": \"sgp-%u\", \"vpc\": \"v\", \"protocol\": \"TCP\", \"status\": \"Available\"}",
			n);
	tap_is_str(touches(rows, "address/v/10.0.0.7",
			   "{\"vpc\": \"v\", \"addr\": \"10.0.0.7\", \"port\": \"eni-1\"}"),
		   "all", "with more than 512 that are not looked through");

	for (n = 0; n < PLAN_TOUCHED_MAX; n++)
		put_row(rows, "endpoint/ep-%u",
			"{\"id\": \"ep-%u\", \"vpc\": \"v\", \"service\": \"epsrv-1\", \"status\": \"Active\"}",
			n);
	tap_ok(str_starts(touches(rows, "service/epsrv-1",
				  "{\"id\": \"epsrv-1\", \"zone_affinity\": true, \"status\": \"Active\"}"),
			  "ep-0 ep-1 "),
	       "a service with %d endpoints touches these", PLAN_TOUCHED_MAX);
	put_row(rows, "endpoint/ep-%u",
		"{\"id\": \"ep-%u\", \"vpc\": \"v\", \"service\": \"epsrv-1\", \"status\": \"Active\"}", n);
	tap_is_str(touches(rows, "service/epsrv-1",
			   "{\"id\": \"epsrv-1\", \"zone_affinity\": false, \"status\": \"Active\"}"),
		   "all", "one with more of them all");
	snapshot_free(rows);
}

/* Those that it has heard of; all but one is news. */
static char heard[128];

static bool hear(void *context, const struct server_health *row)
{
	(void)str_format(heard + strlen(heard), sizeof(heard) - strlen(heard), "%s%s=%d", *heard ? " " : "",
			 row->group, row->healthy);
	return !streq(row->group, context);
}

/* An answer and a page before it, with a row each, into `rows`. */
static struct feed_rows put_health(struct snapshot *rows, struct plan_hearer hearer, const char *value)
{
	static const char text[] =
		"{\"revision\": 9, %s \"rows\": [{\"key\": \"server_health/sgp-%d/10.0.0.2/80\", \"created\": 1, "
		"\"revision\": 9, \"value\": {\"group\": \"sgp-%d\", \"server_id\": \"10.0.0.2\", \"port\": 80, %s}}]}";
	_cleanup_(feed_answer_done) struct feed_answer page = {}, last = {};
	_cleanup_(feed_list_clear) struct feed_list list = {.hearer = hearer};
	char first_body[512], last_body[512];
	struct feed_rows told;

	snprintf(first_body, sizeof(first_body), text, "\"more\": \"\",", 1, 1, value);
	snprintf(last_body, sizeof(last_body), text, "", 2, 2, value);
	heard[0] = '\0';
	if (feed_answer_parse(first_body, strlen(first_body), &page) < 0 ||
	    feed_answer_parse(last_body, strlen(last_body), &last) < 0 ||
	    feed_list_add(&list, &page, first_body, strlen(first_body)) < 0 ||
	    feed_list_apply(&list, &last, rows, &told) < 0)
		exit(EXIT_FAILURE);
	return told;
}

/* What rows say of servers' health is not planned with all else that they change. */
static void test_health(void)
{
	static const char well[] = "\"node\": \"a\", \"healthy\": true";
	static const char ill[] = "\"node\": \"a\"";
	static const char deletion[] = "{\"revision\": 10, \"rows\": [], "
				       "\"deleted\": [\"server_health/sgp-1/10.0.0.2/80\"]}";
	_cleanup_(feed_answer_done) struct feed_answer answer = {};
	struct plan_hearer hearer = {hear, "none"}, knows_one = {hear, "sgp-1"};
	struct feed_rows told, gone = {.touched.hearer = hearer};
	struct snapshot *rows;

	(void)snapshot_new(&rows);
	told = put_health(rows, hearer, ill);
	tap_is_str(heard, "sgp-1=0 sgp-2=0", "who is told of health hears of all servers");
	tap_ok(told.touched.health && !plan_touched_any(&told.touched), "and no slice is touched besides");
	told = put_health(rows, hearer, ill);
	tap_ok(!*heard && !told.touched.health, "what is as it was is nothing to hear of");
	(void)put_health(rows, hearer, "\"node\": \"a\", \"reason\": \"CONNECT_TIMEOUT\"");
	tap_is_str(heard, "", "nor is the reason");
	told = put_health(rows, knows_one, well);
	tap_ok(told.touched.health, "where some of it is news there is a pass");
	heard[0] = '\0';
	if (feed_answer_parse(deletion, strlen(deletion), &answer) < 0 ||
	    feed_answer_apply(&answer, rows, NULL, &gone) < 0)
		exit(EXIT_FAILURE);
	tap_ok(str_starts(heard, "sgp-1=1") && gone.touched.health, "one that goes is heard of, too");
	told = put_health(rows, (struct plan_hearer){}, ill);
	tap_is_int((long long)told.touched.server_groups.n, 2, "where nobody hears the groups are touched");
	snapshot_free(rows);
}

int main(void)
{
	test_rows();
	test_malformed();
	test_forms();
	test_no_memory();
	test_nul();
	test_huge();
	test_broken_off();
	test_full_list();
	test_touched();
	test_health();
	test_much();
	test_lease();
	test_report();
	test_report_of_all_ports();
	return tap_done();
}
