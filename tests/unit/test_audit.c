/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The audit log: what a line says and does not say, files that are bounded, what a crash and a full disk
 * leave, and pages from the newest line back.
 */
#include "../tap.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/event.h"
#include "audit/read.h"
#include "lib/log.h"
#include "schema/limits.h"

#define ALICE INT64_C(1000000000000001)
#define BOB   INT64_C(1000000000000002)
#define T0    INT64_C(1800000000000) /* 2027-01-15T08:00:00.000Z */

static char directory[] = "/tmp/privlink-test-audit-XXXXXX";
static struct loop *loop;

static void must(bool good, const char *what)
{
	if (good)
		return;
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

/* ---- files ---- */

static int n_files(const char *prefix)
{
	DIR *d = opendir(directory);
	const struct dirent *entry;
	int n = 0;

	while (d && (entry = readdir(d)))
		n += str_starts(entry->d_name, prefix);
	if (d)
		(void)closedir(d);
	return n;
}

static void empty_directory(void)
{
	DIR *d = opendir(directory);
	const struct dirent *entry;

	while (d && (entry = readdir(d)))
		if (entry->d_name[0] != '.')
			(void)unlinkat(dirfd(d), entry->d_name, 0);
	if (d)
		(void)closedir(d);
}

static const char *path_of(const char *name)
{
	static char path[128];

	(void)str_format(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

/* The caller's. */
static char *content(const char *name)
{
	int fd = open(path_of(name), O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *text;

	if (fd < 0 || fstat(fd, &st) < 0)
		return strdup("");
	text = calloc(1, (size_t)st.st_size + 1);
	must(text && read(fd, text, (size_t)st.st_size) == st.st_size, "read");
	(void)close(fd);
	return text;
}

static void append(const char *name, const void *data, size_t size)
{
	int fd = open(path_of(name), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

	must(fd >= 0 && write(fd, data, size) == (ssize_t)size, "append");
	(void)close(fd);
}

/* ---- a log with some calls ---- */

static struct audit *begin_with(struct audit_settings settings)
{
	struct audit *audit;

	must(audit_new(loop, directory, &settings, &audit) == 0, "audit");
	return audit;
}

static struct audit *begin(void)
{
	return begin_with((struct audit_settings){AUDIT_ALL, 1 << 20, 8, 0});
}

static void call(struct audit *audit, enum audit_kind kind, int64_t account, const char *action,
		 int64_t time_ms)
{
	const struct audit_event event = {.kind = kind,
					  .account = account,
					  .is_signed = kind != AUDIT_REFUSED,
					  .action = action,
					  .time_ms = time_ms,
					  .request_id = action,
					  .status = 200};

	audit_add(audit, &event);
}

/* With one parameter, "Id". */
static void call_about(struct audit *audit, const char *action, const char *id, int64_t time_ms)
{
	struct params form = {};
	const struct audit_event event = {.account = ALICE,
					  .action = action,
					  .time_ms = time_ms,
					  .request_id = action,
					  .form = &form,
					  .status = 200};

	must(params_add(&form, "Id", id) == 0, "parameter");
	audit_add(audit, &event);
	params_done(&form);
}

/* ---- lines ---- */

static json_t *line_of(const struct audit_event *event)
{
	char *text = audit_event_line(event);
	json_t *line;

	must(text != NULL, "line");
	tap_ok(strchr(text, '\n') == text + strlen(text) - 1, "it is one line");
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c >= 0x7f || (*c < ' ' && *c != '\n')) {
			tap_ok(false, "of printable ASCII");
			break;
		}
	line = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	tap_ok(json_is_object(line), "of JSON");
	free(text);
	return line;
}

static const char *text_at(const json_t *line, const char *name)
{
	const char *text = json_string_value(json_object_get(line, name));

	return text ? text : "none";
}

static const char *parameter(const json_t *line, const char *name)
{
	return text_at(json_object_get(line, "Parameters"), name);
}

static void test_line(void)
{
	struct params query = {}, form = {};
	const struct audit_event event = {.kind = AUDIT_CHANGE,
					  .time_ms = T0 + 7,
					  .duration_ms = 12,
					  .request_id = "R-1",
					  .account = ALICE,
					  .is_signed = true,
					  .user = "242941382729370657",
					  .key_id = "PLAK1",
					  .product = "Vpc",
					  .version = "2016-04-28",
					  .action = "CreateVpc",
					  .region = "cn-hangzhou",
					  .address = "192.0.2.1",
					  .user_agent = "curl/8",
					  .https = true,
					  .query = &query,
					  .form = &form,
					  .status = 404,
					  .code = "InvalidVpcId.NotFound"};
	json_t *line;

	(void)params_add(&query, "VpcName", "mine");
	(void)params_add(&query, "RegionId", "cn-hangzhou");
	(void)params_add(&form, "Tag.1.Key", "k");
	(void)params_add(&form, "VpcName", "another"); /* the first one counts */
	line = line_of(&event);
	tap_is_str(text_at(line, "Time"), "2027-01-15T08:00:00.007Z", "when it came");
	tap_is_str(text_at(line, "Kind"), "Change", "its kind");
	tap_is_int(json_integer_value(json_object_get(line, "AccountId")), ALICE, "whose call it is");
	tap_ok(json_is_true(json_object_get(line, "Signed")), "that it is signed");
	tap_is_str(text_at(line, "UserId"), "242941382729370657", "by which of the account's users");
	tap_is_str(text_at(line, "AccessKeyId"), "PLAK1", "by which key");
	tap_is_str(text_at(line, "Action"), "CreateVpc", "what it asks");
	tap_is_str(text_at(line, "SourceAddress"), "192.0.2.1", "from where");
	tap_ok(json_is_true(json_object_get(line, "Https")), "over HTTPS");
	tap_is_str(text_at(line, "UserAgent"), "curl/8", "by what program");
	tap_is_str(text_at(line, "Code"), "InvalidVpcId.NotFound", "what came of it");
	tap_is_int(json_integer_value(json_object_get(line, "Status")), 404, "with which status");
	tap_is_int(json_integer_value(json_object_get(line, "DurationMs")), 12, "after how long");
	tap_is_str(parameter(line, "VpcName"), "mine", "a parameter of the query");
	tap_is_str(parameter(line, "Tag.1.Key"), "k", "and one of the form");
	tap_is_str(parameter(line, "RegionId"), "none", "the region is told once");
	tap_is_int(json_integer_value(json_object_get(line, "ParametersOmitted")), 1,
		   "a name that came twice is counted");
	json_decref(line);
	params_done(&query);
	params_done(&form);
}

static void test_secrets(void)
{
	static const char *const never[] = {"Signature",	"SecurityToken",  "AccessKeySecret",
					    "Password",		"ClientSecret.1", "UserData",
					    "x-private_secret", "dbPasswd",	  "SignatureNonce"};
	struct params query = {};
	const struct audit_event event = {.query = &query, .code = "SignatureDoesNotMatch"};
	char *text;

	for (size_t i = 0; i < ARRAY_SIZE(never); i++)
		(void)params_add(&query, never[i], "geheim");
	(void)params_add(&query, "Accounts", " [{\"Name\": \"a\", \"password\": \"geheim\"}]");
	(void)params_add(&query, "ClientToken", "token-1");
	text = audit_event_line(&event);
	must(text != NULL, "line");
	tap_ok(!strstr(text, "geheim"), "nothing that is called a secret is in a line");
	tap_ok(strstr(text, "\"AccessKeySecret\":\"(hidden)\""), "that it was there is");
	tap_ok(strstr(text, "\"ClientToken\":\"token-1\""), "a ClientToken is no secret");
	free(text);
	params_done(&query);
}

static void test_hostile(void)
{
	struct params query = {};
	char longest[3000];
	const struct audit_event event = {
		.user_agent = "a\r\nb\x1b[2J", .action = "\xff\xfe", .query = &query};
	json_t *line;

	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	(void)params_add(&query, "Name", "one\ntwo\"}\n{\"Time\":\"forged");
	(void)params_add(&query, "Bad",
			 "a\xc3(\xe2\x80"
			 "b\xed\xa0\x80");
	(void)params_add(&query, "Line", "\xe2\x80\xa8\xc2\x9b");
	(void)params_add(&query, longest, "v");
	(void)params_add(&query, "Long", longest);
	line = line_of(&event);
	tap_is_str(parameter(line, "Name"), "one\ntwo\"}\n{\"Time\":\"forged",
		   "quotes and newlines stay a value");
	tap_is_str(parameter(line, "Bad"),
		   "a\xef\xbf\xbd(\xef\xbf\xbd\xef\xbf\xbd"
		   "b\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd",
		   "bytes that are no UTF-8 are replaced");
	tap_is_str(parameter(line, "Line"), "\xe2\x80\xa8\xc2\x9b", "other separators are as they were");
	tap_is_str(text_at(line, "Action"), "\xef\xbf\xbd\xef\xbf\xbd", "also in the action's name");
	tap_ok(strlen(parameter(line, "Long")) < AUDIT_TEXT_SIZE && str_ends(parameter(line, "Long"), "…"),
	       "a long value is cut, and ends so");
	json_decref(line);
	params_done(&query);
}

static void test_bounds(void)
{
	struct params query = {};
	char name[32], value[AUDIT_TEXT_SIZE];
	const struct audit_event event = {.query = &query};
	char *text;

	memset(value, 1, sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	for (int i = 0; i < PARAMS_MAX; i++) {
		(void)str_format(name, sizeof(name), "P.%d", i);
		(void)params_add(&query, name, i < 40 ? value : "");
	}
	text = audit_event_line(&event);
	must(text != NULL, "line");
	tap_ok(strlen(text) <= AUDIT_LINE_MAX, "a line of very many parameters is bounded");
	tap_ok(strstr(text, "\"ParametersOmitted\":19"), "and counts what is left out");
	free(text);
	params_done(&query);
}

/* ---- writing ---- */

static void test_kinds(void)
{
	static const char *const names[] = {"changes-0000000001.jsonl", "reads-0000000001.jsonl",
					    "refused-0000000001.jsonl"};
	struct audit *audit = begin();
	struct stat st;
	char *text;

	call(audit, AUDIT_CHANGE, ALICE, "CreateVpc", T0);
	call(audit, AUDIT_READ, ALICE, "DescribeVpcs", T0);
	call(audit, AUDIT_REFUSED, 0, "Nobody", T0);
	tap_is_int(n_files("changes-"), 1, "a change is written before it is answered");
	tap_is_int(n_files("re"), 0, "other calls at the end of the turn");
	must(loop_turn(loop, 0) == 0, "turn");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		text = content(names[i]);
		tap_ok(strchr(text, '\n') && strlen(strchr(text, '\n')) == 1, "at its end, %s has one line",
		       names[i]);
		free(text);
		tap_ok(stat(path_of(names[i]), &st) == 0 && (st.st_mode & 07777) == 0600,
		       "and is its owner's alone");
	}
	audit_free(audit);
	empty_directory();
}

static void test_levels(void)
{
	static const struct {
		enum audit_level level;
		int changes, reads, refused;
	} cases[] = {{AUDIT_NONE, 0, 0, 0}, {AUDIT_CHANGES, 1, 0, 1}, {AUDIT_ALL, 1, 1, 1}};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct audit *audit = begin_with((struct audit_settings){cases[i].level, 1 << 20, 8, 0});

		for (int kind = 0; kind < AUDIT_KIND_COUNT_; kind++)
			call(audit, (enum audit_kind)kind, ALICE, "Action", T0);
		audit_free(audit);
		tap_ok(n_files("changes-") == cases[i].changes && n_files("reads-") == cases[i].reads &&
			       n_files("refused-") == cases[i].refused,
		       "level %zu records what it says", i);
		empty_directory();
	}
}

static void test_rotation(void)
{
	struct audit *audit = begin_with((struct audit_settings){AUDIT_ALL, 4096, 3, 0});
	struct stat st;
	bool bounded = true;

	for (int i = 0; i < 400; i++) {
		call(audit, AUDIT_CHANGE, ALICE, "CreateVpc", T0 + i);
		audit_flush(audit);
		bounded = bounded && n_files("changes-") <= 3;
	}
	tap_ok(bounded && n_files("changes-") == 3, "there are never more files than wanted");
	tap_ok(access(path_of("changes-0000000001.jsonl"), F_OK) < 0, "the oldest one went");
	audit_free(audit);
	for (int i = 2; i < 40; i++) {
		char name[64];

		(void)str_format(name, sizeof(name), "changes-%010d.jsonl", i);
		if (stat(path_of(name), &st) == 0 && st.st_size > 4096)
			bounded = false;
	}
	tap_ok(bounded, "nor is one longer");
	audit = begin_with((struct audit_settings){AUDIT_ALL, 4096, 2, 0});
	tap_is_int(n_files("changes-"), 2, "with fewer wanted, the next start keeps fewer");
	audit_free(audit);
	empty_directory();
}

static void test_torn(void)
{
	static const char name[] = "changes-0000000007.jsonl", half[] = "{\"Time\":\"2027-01-1";
	struct audit *audit;
	char *text;

	append(name, half, strlen(half));
	audit = begin();
	call(audit, AUDIT_CHANGE, ALICE, "CreateVpc", T0);
	audit_free(audit);
	text = content(name);
	tap_ok(str_starts(text, half) &&
		       str_starts(text + strlen(half), "\n{\"Time\":\"2027-01-15T08:00:00.000Z\","),
	       "after half a line, the next one begins on a line of its own");
	free(text);
	empty_directory();
}

static void test_removed(void)
{
	struct audit *audit = begin();
	char *text;

	call(audit, AUDIT_CHANGE, ALICE, "First", T0);
	audit_flush(audit);
	empty_directory();
	call(audit, AUDIT_CHANGE, ALICE, "Second", T0);
	audit_flush(audit);
	text = content("changes-0000000001.jsonl");
	tap_ok(strstr(text, "Second"), "files that somebody removed are begun anew");
	free(text);
	audit_free(audit);
	empty_directory();
}

/* What is logged meanwhile. */
static char *logged(void (*run)(struct audit *audit), struct audit *audit)
{
	int saved = dup(STDERR_FILENO),
	    fd = open(path_of("log"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	must(saved >= 0 && fd >= 0, "log");
	(void)dup2(fd, STDERR_FILENO);
	run(audit);
	(void)dup2(saved, STDERR_FILENO);
	(void)close(saved);
	(void)close(fd);
	return content("log");
}

static void fail_often(struct audit *audit)
{
	for (int i = 0; i < 5; i++) {
		call(audit, AUDIT_CHANGE, ALICE, "CreateVpc", T0);
		call(audit, AUDIT_READ, ALICE, "DescribeVpcs", T0);
		audit_flush(audit);
	}
}

static int count(const char *text, const char *what)
{
	int n = 0;

	for (; (text = strstr(text, what)); text++)
		n++;
	return n;
}

static void test_full(void)
{
	struct audit *audit = begin_with((struct audit_settings){AUDIT_ALL, 1 << 20, 8, UINT64_MAX});
	char *text = logged(fail_often, audit);

	tap_is_int(count(text, "cannot write the audit log"), 1, "a disk with little room is spoken of once");
	tap_ok(strstr(text, "the disk is full"), "by its name");
	tap_is_int(n_files("changes-"), 0, "and nothing is written");
	free(text);
	audit_free(audit);
	empty_directory();
}

static void come_back(struct audit *audit)
{
	fail_often(audit);
	must(mkdir(directory, 0700) == 0, "mkdir");
	call(audit, AUDIT_CHANGE, ALICE, "After", T0);
	call(audit, AUDIT_READ, ALICE, "After", T0);
	audit_flush(audit);
}

static void test_recovery(void)
{
	char away[64], *text;
	struct audit *audit = begin();
	int saved = dup(STDERR_FILENO), fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	char log[4096] = "";

	must(fd >= 0 && saved >= 0 && rmdir(directory) == 0, "log");
	(void)dup2(fd, STDERR_FILENO);
	come_back(audit);
	(void)dup2(saved, STDERR_FILENO);
	(void)close(saved);
	must(pread(fd, log, sizeof(log) - 1, 0) > 0, "log");
	(void)close(fd);
	(void)str_format(away, sizeof(away), "%s", "changes-0000000001.jsonl");
	text = content(away);
	tap_ok(strstr(text, "\"Omitted\":5,") && strstr(text, "\"Omitted\":5,") < strstr(text, "\"After\""),
	       "what could not be written is counted before what comes next");
	tap_is_int(count(log, "writing the audit log again"), 1, "that it can be written again is said once");
	tap_is_int(count(log, "cannot write the audit log"), 1, "as that it could not");
	free(text);
	audit_free(audit);
	empty_directory();
}

/* A disk that takes a part of what is written: by a limit of the process, which works alike. */
static void test_short_write(void)
{
	static const char name[] = "reads-0000000001.jsonl";
	struct audit *audit = begin();
	struct rlimit limit, small;
	char *text;

	must(getrlimit(RLIMIT_FSIZE, &limit) == 0 && signal(SIGXFSZ, SIG_IGN) != SIG_ERR, "limit");
	call(audit, AUDIT_READ, ALICE, "Before", T0);
	audit_flush(audit);
	small = limit;
	small.rlim_cur = 1000;
	must(setrlimit(RLIMIT_FSIZE, &small) == 0, "limit");
	log_set_level(LOG_LEVEL_ERROR);
	for (int i = 0; i < 20; i++)
		call(audit, AUDIT_READ, ALICE, "Lost", T0);
	audit_flush(audit);
	text = content(name);
	tap_ok(count(text, "\"Action\":\"Before\"") == 1 && count(text, "\n") == 1 && str_ends(text, "}\n"),
	       "of what a full disk took in part, nothing is left");
	free(text);
	must(setrlimit(RLIMIT_FSIZE, &limit) == 0, "limit");
	call(audit, AUDIT_READ, ALICE, "After", T0);
	audit_flush(audit);
	text = content(name);
	tap_ok(count(text, "\"Omitted\":20,") == 1 && count(text, "\n") == 3,
	       "and the next line tells how much it was");
	free(text);
	log_set_level(LOG_LEVEL_INFO);
	audit_free(audit);
	empty_directory();
}

static void test_flood(void)
{
	struct audit *audit = begin();
	char *text;

	for (int i = 0; i < 1000; i++)
		call(audit, AUDIT_REFUSED, 0, "Flood", T0);
	call(audit, AUDIT_CHANGE, ALICE, "CreateVpc", T0);
	{
		const struct audit_event throttled = {.kind = AUDIT_REFUSED,
						      .account = ALICE,
						      .is_signed = true,
						      .action = "TooMany",
						      .code = "Throttling.User"};

		audit_add(audit, &throttled);
	}
	audit_free(audit);
	text = content("refused-0000000001.jsonl");
	tap_is_int(count(text, "\"Action\":\"Flood\""), AUDIT_REFUSED_PER_S_MAX,
		   "of a flood, some calls a second are recorded");
	tap_is_int(count(text, "\"Omitted\":980,"), 1, "the others are counted");
	tap_is_int(count(text, "\"Action\":\"TooMany\""), 1,
		   "who is known by his signature has lines of his own");
	free(text);
	text = content("changes-0000000001.jsonl");
	tap_is_int(count(text, "\"Action\":\"CreateVpc\""), 1, "and changes are not concerned");
	free(text);
	empty_directory();
}

/* ---- reading ---- */

struct seen {
	char text[4096];
	size_t n, cost;
};

static int see(void *context, json_t *line)
{
	struct seen *seen = context;
	size_t length = strlen(seen->text);

	(void)snprintf(seen->text + length, sizeof(seen->text) - length, "%s ", text_at(line, "Action"));
	seen->n++;
	return 0;
}

static const struct audit_query everything = {
	.kinds = AUDIT_KINDS_ALL, .since_ms = INT64_MIN, .until_ms = INT64_MAX, .limit = 100};

static struct seen read_on(struct audit *audit, const struct audit_query *query, struct audit_place *place)
{
	struct seen seen = {};

	must(audit_read(audit, query, place, see, &seen, &seen.cost) == 0, "read");
	return seen;
}

static struct seen read_first(struct audit *audit, const struct audit_query *query, struct audit_place *place)
{
	audit_place_newest(audit, query->kinds, place);
	return read_on(audit, query, place);
}

static void test_order(void)
{
	struct audit *audit = begin();
	struct audit_place place;
	struct audit_query query = everything;
	struct seen seen;

	call(audit, AUDIT_CHANGE, ALICE, "a", T0 + 1);
	call(audit, AUDIT_READ, BOB, "b", T0 + 2);
	call(audit, AUDIT_REFUSED, 0, "c", T0 + 3);
	call(audit, AUDIT_CHANGE, BOB, "d", T0 + 4);
	call(audit, AUDIT_READ, ALICE, "e", T0 + 5);
	tap_is_str(read_first(audit, &query, &place).text, "e d c b a ", "all kinds, the newest first");
	tap_ok(!place.more, "and then there is nothing more");
	query.account = ALICE;
	seen = read_first(audit, &query, &place);
	tap_is_str(seen.text, "e a ", "of one account");
	tap_is_int((long long)seen.cost, 2 * AUDIT_JSON_COST,
		   "which costs as much as to take its lines for JSON");
	query = everything;
	query.kinds = 1u << AUDIT_CHANGE;
	tap_is_str(read_first(audit, &query, &place).text, "d a ", "of one kind");
	query = everything;
	query.action = "c";
	tap_is_str(read_first(audit, &query, &place).text, "c ", "of one action");
	query.action = "A\"c";
	tap_is_str(read_first(audit, &query, &place).text, "", "of an action with a quote in its name");
	query = everything;
	query.since_ms = T0 + 2;
	query.until_ms = T0 + 4;
	tap_is_str(read_first(audit, &query, &place).text, "c b ", "from a time on, before another one");
	query = everything;
	query.code = "OK";
	query.limit = 2;
	tap_is_str(read_first(audit, &query, &place).text, "e d ", "some at a time");
	call(audit, AUDIT_CHANGE, ALICE, "f", T0 + 6);
	tap_is_str(read_on(audit, &query, &place).text, "c b ", "and on, whatever has come meanwhile");
	tap_ok(place.more, "up to the end");
	tap_is_str(read_on(audit, &query, &place).text, "a ", "which comes");
	tap_ok(!place.more, "once");
	audit_free(audit);
	empty_directory();
}

/* What a read counts as: who looks for one line does not pay for taking all others for JSON. */
enum { HAY_ROWS = 3, HAY = HAY_ROWS * AUDIT_LINES_PER_ROW };

static const struct audit_event needle = {.account = BOB,
					  .action = "needle",
					  .key_id = "LTAIneedle",
					  .request_id = "N-1",
					  .code = "N.1",
					  .time_ms = T0 + HAY,
					  .status = 200};

static size_t cost_of(struct audit *audit, struct audit_query query)
{
	struct audit_place place;

	query.kinds = AUDIT_KINDS_ALL;
	query.limit = 100;
	query.until_ms = query.until_ms ?: INT64_MAX;
	return read_first(audit, &query, &place).cost;
}

static void test_cost(void)
{
	const struct {
		const char *by;
		struct audit_query query;
	} cases[] = {
		{"account", {.account = BOB}},
		{"action", {.action = needle.action}},
		{"code", {.code = needle.code}},
		{"access key's id", {.key_id = needle.key_id}},
		{"id", {.request_id = needle.request_id}},
		{"resource's id", {.resource = needle.action}},
		{"time", {.since_ms = needle.time_ms}},
	};
	struct audit_event hay = {
		.account = ALICE, .action = "hay", .key_id = "LTAIhay", .request_id = "H-1", .status = 200};
	struct audit *audit = begin();

	for (int i = 0; i < HAY; i++) {
		hay.time_ms = T0 + i;
		audit_add(audit, &hay);
	}
	audit_add(audit, &needle);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		tap_is_int((long long)cost_of(audit, cases[i].query), HAY_ROWS + AUDIT_JSON_COST,
			   "a line is looked for by its %s at the cost of one, and little for others",
			   cases[i].by);
	tap_is_int((long long)cost_of(audit, (struct audit_query){.until_ms = T0}), HAY_ROWS,
		   "lines after the time that is asked for cost little,");
	tap_is_int((long long)cost_of(audit, (struct audit_query){.request_id = "H_1"}),
		   (HAY + 1) * AUDIT_JSON_COST, "and where no word tells, all are taken for JSON");
	audit_free(audit);
	empty_directory();
}

static void test_resource(void)
{
	static const struct {
		const char *wanted, *found;
	} cases[] = {
		{"ep-1", "d a "}, {"ep-2", "d c "}, {"ep", ""}, {"p-1", ""},
		{"ep-12", "b "},  {"e\"p", "e "},   {"", "f "}, {"vpc \xe4\xb8\xad", "g "},
	};
	struct audit *audit = begin();
	struct audit_place place;
	struct audit_query query = everything;

	call_about(audit, "a", "ep-1", T0 + 1);
	call_about(audit, "b", "ep-12", T0 + 2);
	call_about(audit, "c", "ep-2", T0 + 3);
	call_about(audit, "d", "[\"ep-2\", \"ep-1\"]", T0 + 4);
	call_about(audit, "e", "e\"p", T0 + 5);
	call_about(audit, "f", "", T0 + 6);
	call_about(audit, "g", "vpc \xe4\xb8\xad", T0 + 7);
	call(audit, AUDIT_CHANGE, ALICE, "ep-1", T0 + 8);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		query.resource = cases[i].wanted;
		tap_is_str(read_first(audit, &query, &place).text, cases[i].found, "calls about \"%s\"",
			   cases[i].wanted);
	}
	audit_free(audit);
	empty_directory();
}

static void test_garbage(void)
{
	static const char name[] = "changes-0000000001.jsonl";
	_cleanup_(freep) char *blob = calloc(1, 300000);
	struct audit *audit = begin();
	struct audit_place place;

	must(blob != NULL, "memory");
	call(audit, AUDIT_CHANGE, ALICE, "a", T0 + 1);
	audit_flush(audit);
	append(name, "\n\n{}\n{\"Time\":\"2027-01-15T08:00:00.002Z\",\"Action\":\"half", 52);
	append(name, "\n", 1);
	append(name, blob, 300000); /* blocks that a crash has left empty */
	append(name, "\n", 1);
	memset(blob, 'x', 300000);
	append(name, blob, 300000);
	call(audit, AUDIT_CHANGE, ALICE, "b", T0 + 2);
	audit_free(audit);
	append(name, "{\"Time\":\"2027-01-15T08:00:00.002Z\",\"Kind\":\"Change\",\"Act", 54);
	audit = begin();
	tap_is_str(read_first(audit, &everything, &place).text, "a ",
		   "what is no line of ours is passed over");
	call(audit, AUDIT_CHANGE, ALICE, "c", T0 + 3);
	tap_is_str(read_first(audit, &everything, &place).text, "c a ", "also between lines");
	audit_free(audit);
	empty_directory();
}

static void test_rotated_pages(void)
{
	const struct audit_settings settings = {AUDIT_ALL, 4096, 3, 0};
	struct audit *audit = begin_with(settings);
	struct audit_query query = everything;
	struct audit_place place, kept;
	char name[32];
	size_t n = 0;

	for (int i = 0; i < 40; i++) {
		(void)str_format(name, sizeof(name), "n%d", i);
		call(audit, AUDIT_CHANGE, ALICE, name, T0 + i);
		audit_flush(audit);
	}
	query.limit = 3;
	tap_is_str(read_first(audit, &query, &place).text, "n39 n38 n37 ", "a page");
	kept = place;
	audit_free(audit);
	audit = begin_with(settings); /* a place holds over a restart */
	call(audit, AUDIT_CHANGE, ALICE, "new", T0 + 100);
	tap_is_str(read_on(audit, &query, &place).text, "n36 n35 n34 ", "goes on after a restart");
	while (place.more)
		n += read_on(audit, &query, &place).n;
	tap_ok(n >= 8 && n < 40 && !place.expired, "through all files, to the oldest line that is left");
	for (int i = 0; i < 60; i++) {
		call(audit, AUDIT_CHANGE, ALICE, "later", T0 + 200 + i);
		audit_flush(audit);
	}
	tap_is_str(read_on(audit, &query, &kept).text, "", "what was rotated away since is gone");
	tap_ok(!kept.more && kept.expired, "and is told to be");
	audit_free(audit);
	empty_directory();
}

/* However much there is, a piece of work is bounded; many pieces find all. */
static void test_bounded(void)
{
	struct audit *audit = begin_with((struct audit_settings){AUDIT_ALL, 8 << 20, 8, 0});
	struct audit_query query = everything;
	struct audit_place place;
	uint64_t began, longest = 0;
	size_t n = 0, pieces = 0, dearest = 0;

	call(audit, AUDIT_READ, BOB, "needle", T0);
	for (int i = 0; i < 60000; i++)
		call(audit, AUDIT_READ, ALICE, "hay", T0 + i);
	audit_flush(audit);
	query.account = BOB;
	audit_place_newest(audit, query.kinds, &place);
	for (; place.more && pieces < 1000; pieces++) {
		struct seen seen;

		began = now_mono_ms();
		seen = read_on(audit, &query, &place);
		longest = MAX(longest, now_mono_ms() - began);
		dearest = MAX(dearest, seen.cost);
		n += seen.n;
	}
	tap_is_int((long long)n, 1, "one line among 60000 is found");
	tap_ok(pieces > 3 && pieces < 20, "in %zu pieces", pieces);
	tap_ok(dearest > 0 && dearest < 2 * ROWS_PER_CALL,
	       "of which none counts as more than two calls, with the one that it is: %zu rows", dearest);
	tap_note("the longest one took %llu ms", (unsigned long long)longest);
	audit_free(audit);
	empty_directory();
}

int main(void)
{
	must(mkdtemp(directory) != NULL && loop_new(&loop) == 0, "set up");
	test_line();
	test_secrets();
	test_hostile();
	test_bounds();
	test_kinds();
	test_levels();
	test_rotation();
	test_torn();
	test_removed();
	test_full();
	test_recovery();
	test_short_write();
	test_flood();
	test_order();
	test_cost();
	test_resource();
	test_garbage();
	test_rotated_pages();
	test_bounded();
	loop_free(loop);
	must(rmdir(directory) == 0, directory);
	return tap_done();
}
