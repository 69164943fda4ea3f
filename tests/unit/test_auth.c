/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who calls: signatures against the keys in the store, times, and nonces that count once.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../tap.h"
#include "api/frame/auth.h"
#include "api/frame/nonce_journal.h"
#include "lib/fnv.h"
#include "lib/log.h"

#define NOW 1767323045 /* 2026-01-02T03:04:05Z */
#define UID 1000000000000001

static int64_t up_s = 86400; /* the machine */

int64_t __wrap_uptime_s(void);
int64_t __wrap_uptime_s(void)
{
	return up_s;
}

static void put_row(struct snapshot *rows, enum kind kind, const void *row)
{
	json_t *json = row_to_json(kind, row);
	char key[KEY_SIZE];

	(void)row_key(kind, row, key);
	if (snapshot_apply(rows, key, json, 1, 1) < 0)
		abort();
	json_decref(json);
}

static struct snapshot *make_rows(void)
{
	struct account account = {.uid = UID, .name = "alice"};
	struct access_key key = {.id = "goodkey", .secret = "goodsecret", .uid = UID, .active = true};
	struct ram_user user = {.id = "200000000000000001", .owner = UID, .name = "dev"};
	struct access_key users = {.id = "userkey",
				   .secret = "goodsecret",
				   .uid = UID,
				   .active = true,
				   .user = "200000000000000001"};
	struct access_key off = {.id = "offkey", .secret = "goodsecret", .uid = UID};
	struct snapshot *rows;

	if (snapshot_new(&rows) < 0)
		abort();
	put_row(rows, KIND_ACCOUNT, &account);
	put_row(rows, KIND_ACCESS_KEY, &key);
	put_row(rows, KIND_ACCESS_KEY, &off);
	put_row(rows, KIND_ACCESS_KEY, &users);
	put_row(rows, KIND_RAM_USER, &user);
	return rows;
}

struct outcome {
	int r;
	struct auth_call call;
	struct api_error error;
	char *detail;
};

static void check(struct nonces *nonces, const struct snapshot *rows, const struct sign_request *request,
		  struct outcome *ret)
{
	*ret = (struct outcome){};
	ret->r = auth_check(nonces, rows, request, NOW, &ret->call, &ret->error, &ret->detail);
}

/* ---- V1 ---- */

struct v1_case {
	const char *name;
	const char *drop;	 /* a parameter that is left out, */
	const char *set, *value; /* one that is put in before signing, */
	const char *spoil;	 /* and one that is changed after */
	const char *secret;
	const char *want; /* "": accepted */
};

static void test_v1(const struct snapshot *rows)
{
	static const struct {
		const char *name, *value;
	} usual[] = {
		{"Action", "GetVersion"},
		{"Version", "2026-11-01"},
		{"Format", "JSON"},
		{"AccessKeyId", "goodkey"},
		{"SignatureMethod", "HMAC-SHA1"},
		{"SignatureVersion", "1.0"},
		{"SignatureNonce", "n"},
		{"Timestamp", "2026-01-02T03:04:05Z"},
	};
	static const struct v1_case cases[] = {
		{"a good request", .want = ""},
		{"an empty SignatureType", .set = "SignatureType", .value = "", .want = ""},
		{"no action", .drop = "Action", .want = "MissingAction"},
		{"no version", .drop = "Version", .want = "MissingVersion"},
		{"no key", .drop = "AccessKeyId", .want = "MissingAccessKeyId"},
		{"no method", .drop = "SignatureMethod", .want = "MissingSignatureMethod"},
		{"no signature version", .drop = "SignatureVersion", .want = "MissingSignatureVersion"},
		{"no time", .drop = "Timestamp", .want = "MissingTimestamp"},
		{"no nonce", .drop = "SignatureNonce", .want = "MissingSignatureNonce"},
		{"no signature", .drop = "Signature", .want = "MissingSignature"},
		{"an empty key", .set = "AccessKeyId", .value = "", .want = "MissingAccessKeyId"},
		{"another method", .set = "SignatureMethod", .value = "HMAC-MD5",
		 .want = "UnsupportedSignatureMethod"},
		{"another version", .set = "SignatureVersion", .value = "2.0",
		 .want = "UnsupportedSignatureMethod"},
		{"an unknown key", .set = "AccessKeyId", .value = "nokey",
		 .want = "InvalidAccessKeyId.NotFound"},
		{"a key that is a path", .set = "AccessKeyId", .value = "../goodkey",
		 .want = "InvalidAccessKeyId.NotFound"},
		{"a disabled key", .set = "AccessKeyId", .value = "offkey",
		 .want = "InvalidAccessKeyId.Inactive"},
		{"a token of no key of ours", .set = "SecurityToken", .value = "t",
		 .want = "InvalidSecurityToken.MismatchWithAccessKey"},
		{"a user's key", .set = "AccessKeyId", .value = "userkey", .want = ""},
		{"an empty token", .set = "SecurityToken", .value = "", .want = ""},
		{"15 minutes late", .set = "Timestamp", .value = "2026-01-02T02:49:05Z", .want = ""},
		{"a second later than that", .set = "Timestamp", .value = "2026-01-02T02:49:04Z",
		 .want = "InvalidTimeStamp.Expired"},
		{"15 minutes early", .set = "Timestamp", .value = "2026-01-02T03:19:05Z", .want = ""},
		{"a second earlier than that", .set = "Timestamp", .value = "2026-01-02T03:19:06Z",
		 .want = "InvalidTimeStamp.Expired"},
		{"a time with a zone", .set = "Timestamp", .value = "2026-01-02T03:04:05+00:00",
		 .want = "InvalidTimeStamp.Format"},
		{"a time that is none", .set = "Timestamp", .value = "2026-13-02T03:04:05Z",
		 .want = "InvalidTimeStamp.Format"},
		{"another secret", .secret = "badsecret", .want = "SignatureDoesNotMatch"},
		{"a changed parameter", .spoil = "Action", .want = "SignatureDoesNotMatch"},
		{"a changed signature", .spoil = "Signature", .want = "SignatureDoesNotMatch"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct v1_case *c = &cases[i];
		struct params query = {};
		struct sign_request request = {.method = "POST", .path = "/", .query = &query};
		struct outcome outcome;
		struct nonces *nonces;
		char signature[64];

		(void)nonces_new(&nonces);
		for (size_t j = 0; j < ARRAY_SIZE(usual); j++) {
			bool set = c->set && streq(c->set, usual[j].name);

			if (!c->drop || !streq(c->drop, usual[j].name))
				(void)params_add(&query, usual[j].name, set ? c->value : usual[j].value);
		}
		if (c->set && !params_get(&query, c->set))
			(void)params_add(&query, c->set, c->value);
		(void)sign_v1(&request, c->secret ? c->secret : "goodsecret", signature, NULL);
		if (!c->drop || !streq(c->drop, "Signature"))
			(void)params_add(&query, "Signature", signature);
		for (size_t j = 0; c->spoil && j < query.n; j++)
			if (streq(query.v[j].name, c->spoil))
				query.v[j].value[0] ^= 1;
		check(nonces, rows, &request, &outcome);
		tap_is_str(outcome.error.code, c->want, "V1: %s", c->name);
		if (outcome.r == 0)
			tap_ok(outcome.call.uid == UID && streq(outcome.call.action, "GetVersion"),
			       "V1: %s: the account and the action", c->name);
		if (outcome.r == 0)
			tap_is_str(outcome.call.user,
				   streq(outcome.call.key, "userkey") ? "200000000000000001" : "",
				   "V1: %s: the user, if it is one", c->name);
		if (streq(c->want, "SignatureDoesNotMatch"))
			tap_ok(outcome.detail &&
				       str_starts(outcome.detail, "server string to sign is:POST&%2F&"),
			       "V1: %s: the caller sees what should have been signed", c->name);
		free(outcome.detail);
		params_done(&query);
		nonces_free(nonces);
	}
}

/* ---- ACS3 ---- */

#define SIGNED "host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version"

static void test_acs3(const struct snapshot *rows)
{
	static const struct {
		const char *name, *drop, *list, *key, *date, *body, *authorization, *want;
	} cases[] = {
		{"a good request", .want = ""},
		{"no action", .drop = "x-acs-action", .want = "MissingAction"},
		{"no date", .drop = "x-acs-date", .want = "MissingTimestamp"},
		{"no host", .drop = "host", .want = "IncompleteSignature"},
		{"a list without the date",
		 .list = "host;x-acs-action;x-acs-content-sha256;x-acs-signature-nonce;x-acs-version",
		 .want = "IncompleteSignature"},
		{"a user's key", .key = "userkey", .want = ""},
		{"an unknown key", .key = "nokey", .want = "InvalidAccessKeyId.NotFound"},
		{"a disabled key", .key = "offkey", .want = "InvalidAccessKeyId.Inactive"},
		{"an old date", .date = "2026-01-02T02:04:05Z", .want = "InvalidTimeStamp.Expired"},
		{"a date that is none", .date = "yesterday", .want = "InvalidTimeStamp.Format"},
		{"another body", .body = "a=b", .want = "SignatureDoesNotMatch"},
		{"another scheme", .authorization = "ACS3-HMAC-SM3 Credential=goodkey",
		 .want = "UnsupportedSignatureMethod"},
		{"the scheme of products with paths", .authorization = "acs goodkey:AAAA",
		 .want = "UnsupportedSignatureMethod"},
		{"half a header", .authorization = "ACS3-HMAC-SHA256 Credential=goodkey",
		 .want = "IncompleteSignature"},
		{"a signature of zeros",
		 .authorization =
			 "ACS3-HMAC-SHA256 Credential=goodkey,SignedHeaders=" SIGNED
			 ",Signature=0000000000000000000000000000000000000000000000000000000000000000",
		 .want = "SignatureDoesNotMatch"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct sign_header all[] = {
			{"host", "h"},
			{"x-acs-action", "GetVersion"},
			{"x-acs-version", "2026-11-01"},
			{"x-acs-date", cases[i].date ? cases[i].date : "2026-01-02T03:04:05Z"},
			{"x-acs-signature-nonce", "n"},
			{"x-acs-content-sha256",
			 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		};
		const char *list = cases[i].list ? cases[i].list : SIGNED;
		struct sign_header headers[ARRAY_SIZE(all) + 1];
		struct params query = {};
		struct sign_request request = {
			.method = "POST", .path = "/", .query = &query, .headers = headers, .body = ""};
		char signature[65] = "0000000000000000000000000000000000000000000000000000000000000000";
		char authorization[512];
		struct outcome outcome;
		struct nonces *nonces;

		(void)nonces_new(&nonces);
		for (size_t j = 0; j < ARRAY_SIZE(all); j++)
			if (!cases[i].drop || !streq(all[j].name, cases[i].drop))
				headers[request.n_headers++] = all[j];
		(void)sign_acs3(&request, list, "goodsecret", signature, NULL);
		(void)str_format(authorization, sizeof(authorization),
				 "ACS3-HMAC-SHA256 Credential=%s,SignedHeaders=%s,Signature=%s",
				 cases[i].key ? cases[i].key : "goodkey", list, signature);
		headers[request.n_headers++] = (struct sign_header){
			"Authorization", cases[i].authorization ? cases[i].authorization : authorization};
		if (cases[i].body) {
			request.body = cases[i].body;
			request.body_size = strlen(cases[i].body);
		}
		check(nonces, rows, &request, &outcome);
		tap_is_str(outcome.error.code, cases[i].want, "ACS3: %s", cases[i].name);
		if (outcome.r == 0)
			tap_ok(outcome.call.uid == UID && streq(outcome.call.version, "2026-11-01"),
			       "ACS3: %s: the account and the version", cases[i].name);
		free(outcome.detail);
		nonces_free(nonces);
	}
}

/* ---- nonces ---- */

static void test_nonce_after_signature(const struct snapshot *rows)
{
	static const char text[] =
		"Action=A&Version=V&AccessKeyId=goodkey&SignatureMethod=HMAC-SHA1&"
		"SignatureVersion=1.0&SignatureNonce=once&Timestamp=2026-01-02T03%3A04%3A05Z";
	struct params query = {};
	struct sign_request request = {.method = "GET", .path = "/", .query = &query};
	struct nonces *nonces;
	struct outcome outcome;
	char signature[64];

	(void)nonces_new(&nonces);
	(void)params_parse(text, strlen(text), &query);
	(void)sign_v1(&request, "goodsecret", signature, NULL);
	(void)params_add(&query, "Signature", "forged");
	check(nonces, rows, &request, &outcome);
	free(outcome.detail);
	free(query.v[query.n - 1].value);
	query.v[query.n - 1].value = strdup(signature);
	check(nonces, rows, &request, &outcome);
	tap_is_int(outcome.r, 0, "a forged request does not spend the nonce");
	check(nonces, rows, &request, &outcome);
	tap_is_str(outcome.error.code, "SignatureNonceUsed", "a good one does");
	params_done(&query);
	nonces_free(nonces);
}

/* As auth_check() does. */
static int spend_of(struct nonces *nonces, int64_t uid, const char *key, const char *nonce, int64_t stamp,
		    int64_t now)
{
	return nonces_remember_since(nonces, stamp) ? nonces_spend(nonces, uid, key, nonce, stamp, now)
						    : -ESTALE;
}

static int spend(struct nonces *nonces, const char *key, const char *nonce, int64_t stamp, int64_t now)
{
	return spend_of(nonces, UID, key, nonce, stamp, now);
}

static void expire(struct nonces *nonces, int64_t now)
{
	while (nonces_expire(nonces, now))
		;
}

static void test_nonces(void)
{
	const int64_t later = NOW + NONCE_KEEP_S;
	struct nonces *nonces;

	(void)nonces_new(&nonces);
	tap_is_int(spend(nonces, "k", "a", NOW, NOW), 0, "a new nonce is accepted");
	tap_is_int(spend(nonces, "k", "a", NOW, NOW), -EEXIST, "a second time it is not");
	tap_is_int(spend(nonces, "k", "a", NOW + 1, NOW), -EEXIST, "nor with another stamp");
	tap_is_int(spend(nonces, "l", "a", NOW, NOW), 0, "another key may use it");
	expire(nonces, later);
	tap_is_int(spend(nonces, "k", "a", NOW, later), -EEXIST, "it is remembered for an hour");
	tap_is_int(spend(nonces, "k", "b", NOW + 900, NOW), 0, "so is one that was stamped ahead,");
	expire(nonces, later + 1);
	tap_is_int(spend(nonces, "k", "b", NOW + 900, later + 1), -EEXIST, "counted from its stamp");
	tap_is_int(spend(nonces, "k", "a", NOW, NOW), -ESTALE,
		   "what is forgotten does not come back with a clock that is set back");
	tap_is_int(spend(nonces, "k", "c", NOW + 1, NOW + 1), 0, "what is stamped later than that goes on");
	tap_is_int(spend(nonces, "l", "a", later + 1, later + 1), 0, "an old nonce may be used again");
	nonces_free(nonces);
}

/* As many keys as an account and its users can have. */
#define KEYS 205

static void test_nonces_of_account(void)
{
	struct nonces *nonces;
	int refused = 0;
	char key[16];

	(void)nonces_new(&nonces);
	for (int i = 0; i < NONCES_PER_ACCOUNT_MAX; i++) {
		char nonce[16];

		(void)str_format(key, sizeof(key), "key-%d", i % KEYS);
		(void)str_format(nonce, sizeof(nonce), "%d", i);
		refused += spend(nonces, key, nonce, NOW + i % 600, NOW) != 0;
	}
	tap_is_int(refused, 0, "an account can spend as many as the limit says");
	refused = 0;
	for (int i = 0; i < KEYS; i++) {
		(void)str_format(key, sizeof(key), "key-%d", i);
		refused += spend(nonces, key, "more", NOW, NOW) == -EDQUOT;
	}
	tap_is_int(refused, KEYS, "and no more, whichever of its keys it takes");
	tap_is_int(spend_of(nonces, UID + 1, "other", "more", NOW, NOW), 0, "another account goes on");
	tap_is_int(spend(nonces, "key-17", "17", NOW, NOW), -EEXIST, "all of them are remembered");
	tap_is_int(spend(nonces, "key-0", "more", NOW + NONCE_LIFE_S, NOW + NONCE_LIFE_S), -EDQUOT,
		   "for as long as their stamp is good");
	tap_is_int(spend(nonces, "key-0", "more", NOW + NONCE_LIFE_S + NONCE_PERIOD_S,
			 NOW + NONCE_LIFE_S + NONCE_PERIOD_S),
		   0, "then it goes on");
	tap_is_int(spend(nonces, "key-17", "17", NOW, NOW + NONCE_LIFE_S + NONCE_PERIOD_S), -ESTALE,
		   "and nothing of that time counts again");
	tap_is_int(spend(nonces, "key-189", "599", NOW + 599, NOW + NONCE_LIFE_S + NONCE_PERIOD_S), -EEXIST,
		   "nor does what was stamped later");
	nonces_free(nonces);
}

/* An account that is full forgets, and then the clock is set back. */
static void test_floor_of_account(const struct snapshot *rows)
{
	static const char text[] =
		"Action=A&Version=V&AccessKeyId=goodkey&SignatureMethod=HMAC-SHA1&"
		"SignatureVersion=1.0&SignatureNonce=17&Timestamp=2026-01-02T02%3A50%3A45Z";
	const int64_t before = NOW - 800, later = NOW + 400;
	struct params query = {};
	struct sign_request request = {.method = "GET", .path = "/", .query = &query};
	struct outcome outcome;
	struct nonces *nonces;
	char text_of[64];

	(void)nonces_new(&nonces);
	for (int i = 0; i < NONCES_PER_ACCOUNT_MAX; i++) {
		(void)str_format(text_of, sizeof(text_of), "%d", i);
		(void)spend(nonces, "goodkey", text_of, before, before);
	}
	tap_is_int(spend(nonces, "goodkey", "later", later, later), 0, "a full account forgets what is late");
	(void)params_parse(text, strlen(text), &query);
	(void)sign_v1(&request, "goodsecret", text_of, NULL);
	(void)params_add(&query, "Signature", text_of);
	check(nonces, rows, &request, &outcome);
	tap_is_str(outcome.error.code, "InvalidTimeStamp.Expired",
		   "which is not carried out again when the clock is set back");
	tap_is_int(spend(nonces, "goodkey", "17", before + 1, NOW), 0, "what is stamped later goes on");
	tap_is_int(spend_of(nonces, UID + 1, "other", "17", before, NOW), 0, "as does another account");
	expire(nonces, before + NONCE_KEEP_S);
	tap_ok(nonces_remember_since(nonces, before), "that is so for an hour,");
	expire(nonces, before + NONCE_KEEP_S + 1);
	tap_ok(!nonces_remember_since(nonces, before), "then it is forgotten for all");
	params_done(&query);
	nonces_free(nonces);
}

/* More accounts than one step goes through, every other one of which has something new. */
static void test_many_accounts(void)
{
	const int64_t later = NOW + NONCE_KEEP_S + 1;
	int n_steps = 1, spent = 0, n = 1000;
	struct nonces *nonces;

	(void)nonces_new(&nonces);
	for (int i = 0; i < n; i++) {
		(void)spend_of(nonces, UID + i, "k", "old", NOW, NOW);
		if (i % 2)
			(void)spend_of(nonces, UID + i, "k", "new", later, later);
	}
	tap_ok(nonces_expire(nonces, later), "of many accounts some are looked at in a step,");
	while (nonces_expire(nonces, later))
		n_steps++;
	tap_ok(n_steps < n, "and all of them after some steps");
	tap_is_int(spend_of(nonces, UID, "k", "old", NOW, later), -ESTALE, "what is old is forgotten");
	for (int i = 0; i < n; i++)
		spent += spend_of(nonces, UID + i, "k", "new", later, later) == -EEXIST;
	tap_is_int(spent, n / 2, "what is new is remembered");
	nonces_free(nonces);
}

/* ---- the journal ---- */

static const char journal_path[] = "nonces.test", second_path[] = "nonces.test.2";
static const off_t header_size = 80, record_size = 32;

static void remove_journal(void)
{
	(void)unlink(journal_path);
	(void)unlink(second_path);
}

/* What the next start makes of the file. */
static int start(bool fresh, int64_t now, struct nonces **ret)
{
	struct nonce_journal *journal;

	if (nonces_new(ret) < 0 || nonce_journal_open(journal_path, &journal) < 0)
		abort();
	return nonces_load(*ret, journal, fresh, now);
}

/* The machine has lost its power; its clock is behind at the start, and set when all runs. A call of a moment
 * before the loss is recorded. */
static void test_clock_set_after_boot(const struct snapshot *rows)
{
	static const char text[] =
		"Action=A&Version=V&AccessKeyId=goodkey&SignatureMethod=HMAC-SHA1&"
		"SignatureVersion=1.0&SignatureNonce=17&Timestamp=2026-01-02T03%3A04%3A00Z";
	static const struct {
		const char *name;
		bool fresh;
		int64_t up_s;
		const char *code;
	} cases[] = {
		{"what may have been carried out before is refused", false, 5, "InvalidTimeStamp.Expired"},
		{"what came later is not", false, 6, ""},
		{"nor is anything where nothing was lost", true, 5, ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct params query = {};
		struct sign_request request = {.method = "GET", .path = "/", .query = &query};
		struct outcome outcome;
		struct nonces *nonces;
		char signature[64];

		remove_journal();
		(void)start(cases[i].fresh, NOW - 1200, &nonces);
		(void)params_parse(text, strlen(text), &query);
		(void)sign_v1(&request, "goodsecret", signature, NULL);
		(void)params_add(&query, "Signature", signature);
		up_s = cases[i].up_s;
		check(nonces, rows, &request, &outcome);
		up_s = 86400;
		tap_is_str(outcome.r == 0 ? "" : outcome.error.code, cases[i].code,
			   "a clock that is set after the machine's start: %s", cases[i].name);
		params_done(&query);
		nonces_free(nonces);
	}
	remove_journal();
}

static void spoil(long place, int change)
{
	FILE *file = fopen(journal_path, "r+e");
	int c;

	(void)fseek(file, place, SEEK_SET);
	c = fgetc(file);
	(void)fseek(file, place, SEEK_SET);
	(void)fputc(c ^ change, file);
	(void)fclose(file);
}

/* As another boot of the machine would have written it. */
static void change_boot(void)
{
	FILE *file = fopen(journal_path, "r+e");
	uint8_t header[72];
	uint64_t sum;

	(void)fread(header, sizeof(header), 1, file);
	header[8] ^= 1;
	sum = fnv_add(FNV_START, header, sizeof(header));
	rewind(file);
	(void)fwrite(header, sizeof(header), 1, file);
	(void)fwrite(&sum, sizeof(sum), 1, file);
	(void)fclose(file);
}

static bool fits(long place)
{
	struct stat st;

	return stat(journal_path, &st) == 0 && place < st.st_size;
}

static void test_journal(void)
{
	struct nonces *nonces;
	struct stat st;

	remove_journal();
	tap_is_int(start(true, NOW, &nonces), 0, "at the very first start nothing can be lost");
	tap_is_int(stat(journal_path, &st) == 0 ? st.st_mode & 0777 : 0, 0600,
		   "the file is its owner's alone");
	tap_is_int(spend(nonces, "k", "late", NOW - 800, NOW), 0, "who is late is accepted");
	tap_is_int(spend(nonces, "k", "now", NOW, NOW), 0, "who is in time,");
	tap_is_int(spend(nonces, "k", "early", NOW + 900, NOW), 0, "and who is early");
	nonces_free(nonces);

	tap_is_int(start(false, NOW + 1, &nonces), 0, "the next start knows all of it");
	tap_is_int(spend(nonces, "k", "late", NOW - 800, NOW + 1), -EEXIST, "the late one");
	tap_is_int(spend(nonces, "k", "now", NOW, NOW + 1), -EEXIST, "the one that was in time");
	tap_is_int(spend(nonces, "k", "early", NOW + 900, NOW + 1), -EEXIST, "the early one");
	tap_is_int(spend(nonces, "k", "new", NOW - 800, NOW + 1), 0, "and whoever is late and new goes on");
	nonces_free(nonces);

	tap_is_int(start(false, NOW - 7200, &nonces), 0, "a start with a clock set back knows it, too");
	tap_is_int(spend(nonces, "k", "late", NOW - 800, NOW - 800), -EEXIST, "nothing of it counts again");
	tap_is_int(spend(nonces, "k", "other", NOW - 7200, NOW - 7200), 0, "and what is new goes on");
	nonces_free(nonces);

	tap_is_int(start(false, NOW + 2 * NONCE_KEEP_S, &nonces), 0, "long after, they are forgotten");
	nonces_free(nonces);
	tap_is_int(start(false, NOW, &nonces), 0, "and the file says up to when:");
	tap_is_int(spend(nonces, "k", "early", NOW + 900, NOW), -ESTALE, "nothing of then comes back");
	nonces_free(nonces);

	(void)unlink(journal_path);
	tap_is_int(start(false, NOW, &nonces), 1, "a start without the file says that it is lost");
	tap_is_int(spend(nonces, "k", "x", NOW, NOW), -ESTALE, "what was stamped before is refused");
	tap_is_int(spend(nonces, "k", "x", NOW + 1, NOW + 1), 0, "what is stamped later goes on");
	nonces_free(nonces);
	(void)unlink(second_path);
	tap_is_int(start(false, NOW + 2, &nonces), 1, "so does one without the second file");
	nonces_free(nonces);

	change_boot();
	tap_is_int(start(false, NOW + 10, &nonces), 1, "a file of another boot may lack its end");
	tap_is_int(spend(nonces, "k", "y", NOW + 10, NOW + 10), -ESTALE,
		   "what was stamped before is refused,");
	tap_is_int(spend(nonces, "k", "z", NOW + 30, NOW + 11), 0, "what comes later goes on,");
	nonces_free(nonces);
	change_boot();
	tap_is_int(start(false, NOW + 20, &nonces), 1, "again");
	tap_is_int(spend(nonces, "k", "z", NOW + 30, NOW + 21), -EEXIST,
		   "and what was stamped ahead is known");
	nonces_free(nonces);

	(void)stat(journal_path, &st);
	(void)truncate(journal_path, st.st_size - 1);
	tap_is_int(start(false, NOW + 40, &nonces), 1, "so may one that ends in the middle of a record");
	nonces_free(nonces);
	spoil(0, 1);
	tap_is_int(start(false, NOW + 50, &nonces), 1, "and one that is something else");
	nonces_free(nonces);
	tap_is_int(start(false, NOW + 51, &nonces), 0, "it is made anew");
	nonces_free(nonces);
	remove_journal();
}

static off_t size_of(const char *path)
{
	struct stat st = {};

	(void)stat(path, &st);
	return st.st_size;
}

/* Cut between two records, it is as good a file as one that was never longer. */
static void test_journal_cut(void)
{
	struct nonces *nonces;

	remove_journal();
	(void)start(true, NOW, &nonces);
	(void)spend(nonces, "k", "a", NOW, NOW);
	(void)spend(nonces, "k", "b", NOW, NOW);
	nonces_free(nonces);
	tap_is_int(size_of(journal_path), header_size + 2 * record_size, "two nonces are on file");
	tap_is_int(start(false, NOW + 1, &nonces), 0, "which is whole");
	(void)spend(nonces, "k", "c", NOW, NOW);
	nonces_free(nonces);
	(void)truncate(journal_path, header_size + 2 * record_size);
	tap_is_int(start(false, NOW + 2, &nonces), 1, "without its last record it is not");
	tap_is_int(spend(nonces, "k", "c", NOW, NOW + 2), -ESTALE,
		   "and what was on it is not carried out again");
	nonces_free(nonces);
	(void)truncate(journal_path, header_size);
	tap_is_int(start(false, NOW + 3, &nonces), 1, "nor is it without any record");
	nonces_free(nonces);
	remove_journal();
}

/* Of the header, each byte counts: where it says up to when, what is forgotten could come back. */
static void test_journal_header(void)
{
	struct nonces *nonces;
	int believed = 0;

	for (long place = 0; place < header_size; place++) {
		remove_journal();
		(void)start(true, NOW, &nonces);
		nonces_free(nonces);
		spoil(place, 0x40);
		believed += start(false, NOW + 1, &nonces) == 0;
		nonces_free(nonces);
	}
	tap_is_int(believed, 0, "no changed header is believed");
	remove_journal();
}

/* Every byte of a record, one at a time. */
static void test_journal_damaged(void)
{
	struct nonces *nonces;
	int carried_out = 0;
	struct stat st;

	remove_journal();
	(void)start(true, NOW, &nonces);
	(void)stat(journal_path, &st);
	(void)spend(nonces, "k", "a", NOW, NOW);
	nonces_free(nonces);
	for (long place = st.st_size; fits(place); place++) {
		spoil(place, 0x40);
		(void)start(false, NOW + 1, &nonces);
		carried_out += spend(nonces, "k", "a", NOW, NOW + 1) == 0;
		nonces_free(nonces);
		remove_journal();
		(void)start(true, NOW, &nonces);
		(void)spend(nonces, "k", "a", NOW, NOW);
		nonces_free(nonces);
	}
	tap_is_int(carried_out, 0, "what a changed record tells of is not carried out again");
	remove_journal();
}

/* The files take turns: nothing is lost, and what is forgotten does not stay for ever. */
static void test_journal_stays_short(void)
{
	static const int n = 300000, per_second = 10;
	int failed = 0, repeated = 0, n_both = 0;
	off_t longest = 0, last = 0;
	struct nonces *nonces;
	int64_t now = NOW;
	char nonce[16];

	remove_journal();
	(void)start(true, now, &nonces);
	for (int i = 0; i < n; i++) {
		off_t size;

		now = NOW + i / per_second;
		(void)str_format(nonce, sizeof(nonce), "%d", i);
		failed += spend(nonces, "k", nonce, now, now) != 0;
		if (i % 1000)
			continue;
		size = size_of(journal_path) + size_of(second_path);
		n_both += size < last;
		last = size;
		longest = MAX(longest, size);
	}
	nonces_free(nonces);
	tap_is_int(failed, 0, "eight hours of calls");
	tap_ok(longest < 6 * 1024 * 1024, "the files do not keep what is forgotten (%lld bytes)",
	       (long long)longest);
	tap_ok(n_both >= 2, "each of them was emptied (%d times in all)", n_both);
	tap_is_int(start(false, now, &nonces), 0, "and they are whole,");
	for (int i = n - NONCE_KEEP_S * per_second; i < n; i++) {
		(void)str_format(nonce, sizeof(nonce), "%d", i);
		repeated += spend(nonces, "k", nonce, NOW + i / per_second, now) != -EEXIST;
	}
	tap_is_int(repeated, 0, "with all of the last hour");
	nonces_free(nonces);
	remove_journal();
}

/* A file of before it was emptied, next to one of after that, is not what was there. */
static void test_journal_of_another_turn(void)
{
	struct nonces *nonces;
	char nonce[16];

	remove_journal();
	(void)start(true, NOW, &nonces);
	(void)spend(nonces, "k", "first", NOW, NOW);
	nonces_free(nonces);
	(void)rename(journal_path, "nonces.kept");
	(void)unlink(second_path);
	(void)start(true, NOW, &nonces);
	for (int i = 0; i < 210000; i++) {
		int64_t now = NOW + i / 10;

		(void)str_format(nonce, sizeof(nonce), "%d", i);
		(void)spend(nonces, "k", nonce, now, now);
	}
	nonces_free(nonces);
	(void)rename("nonces.kept", journal_path);
	tap_is_int(start(false, NOW + 21000, &nonces), 1, "an older file in place of one is known");
	nonces_free(nonces);
	remove_journal();
}

static void limit_files(rlim_t bytes)
{
	struct rlimit limit;

	(void)getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = MIN(bytes, limit.rlim_max);
	(void)setrlimit(RLIMIT_FSIZE, &limit);
}

static void test_journal_full_disk(void)
{
	struct nonces *nonces;

	(void)signal(SIGXFSZ, SIG_IGN);
	(void)start(true, NOW, &nonces);
	tap_is_int(spend(nonces, "k", "before", NOW + 1, NOW), 0, "a call while there is room");
	limit_files((rlim_t)(header_size + record_size));
	tap_is_int(spend(nonces, "k", "a", NOW, NOW), 0, "a file that cannot grow refuses nobody");
	tap_is_int(spend(nonces, "k", "a", NOW, NOW), -EEXIST, "in memory the nonce is spent");
	expire(nonces, NOW);
	nonces_free(nonces);
	tap_is_int(start(false, NOW - 10, &nonces), 1, "the next start knows that something is missing");
	tap_is_int(spend(nonces, "k", "before", NOW + 1, NOW), -EEXIST, "but not what was written");
	limit_files(RLIM_INFINITY);
	nonces_free(nonces);
	remove_journal();

	(void)start(true, NOW, &nonces);
	limit_files((rlim_t)header_size);
	(void)spend(nonces, "k", "a", NOW, NOW);
	limit_files(RLIM_INFINITY);
	expire(nonces, NOW);
	(void)spend(nonces, "k", "b", NOW + 1, NOW + 1);
	nonces_free(nonces);
	tap_is_int(start(false, NOW + 1, &nonces), 0, "once there is room again all is written down,");
	tap_is_int(spend(nonces, "k", "a", NOW, NOW + 1), -EEXIST, "also what was stamped before,");
	tap_is_int(spend(nonces, "k", "late", NOW - 800, NOW + 1), 0, "so who is late is accepted;");
	tap_is_int(spend(nonces, "k", "b", NOW + 1, NOW + 1), -EEXIST, "what came then is known");
	nonces_free(nonces);

	limit_files((rlim_t)header_size);
	tap_is_int(start(false, NOW + 1, &nonces), 0, "a start with a full disk succeeds,");
	tap_is_int(spend(nonces, "k", "b", NOW + 1, NOW + 1), -EEXIST, "and knows what the file knew");
	limit_files(RLIM_INFINITY);
	nonces_free(nonces);
	tap_is_int(start(false, NOW + 2, &nonces), 1, "and the next start knows that something is missing");
	nonces_free(nonces);
	remove_journal();
}

/* A signed call whose nonce cannot be on file before it is carried out. */
static void test_ahead_on_full_disk(const struct snapshot *rows)
{
	static const char text[] =
		"Action=A&Version=V&AccessKeyId=goodkey&SignatureMethod=HMAC-SHA1&"
		"SignatureVersion=1.0&SignatureNonce=17&Timestamp=2026-01-02T03%3A14%3A05Z";
	struct params query = {};
	struct sign_request request = {.method = "GET", .path = "/", .query = &query};
	struct outcome outcome;
	struct nonces *nonces;
	char signature[64];

	(void)start(true, NOW, &nonces);
	(void)params_parse(text, strlen(text), &query);
	(void)sign_v1(&request, "goodsecret", signature, NULL);
	(void)params_add(&query, "Signature", signature);
	limit_files((rlim_t)header_size);
	check(nonces, rows, &request, &outcome);
	tap_is_str(outcome.error.code, "InvalidTimeStamp.Expired",
		   "while nonces cannot be written, a call stamped ahead is refused for its time");
	limit_files(RLIM_INFINITY);
	check(nonces, rows, &request, &outcome);
	tap_is_int(outcome.r, 0, "and carried out once they can be");
	params_done(&query);
	nonces_free(nonces);
	remove_journal();
}

int main(void)
{
	struct snapshot *rows = make_rows();

	test_v1(rows);
	test_acs3(rows);
	test_nonce_after_signature(rows);
	test_nonces();
	test_nonces_of_account();
	test_floor_of_account(rows);
	test_many_accounts();
	test_clock_set_after_boot(rows);
	test_journal();
	test_journal_cut();
	test_journal_header();
	test_journal_damaged();
	test_journal_stays_short();
	test_journal_of_another_turn();
	test_journal_full_disk();
	test_ahead_on_full_disk(rows);
	snapshot_free(rows);
	return tap_done();
}
