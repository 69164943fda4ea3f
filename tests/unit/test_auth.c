/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who calls: signatures against the keys in the store, times, and nonces that count once.
 */
#include <stdio.h>

#include "../tap.h"
#include "api/auth.h"
#include "lib/log.h"

#define NOW 1767323045 /* 2026-01-02T03:04:05Z */
#define UID 1000000000000001

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
	struct access_key off = {.id = "offkey", .secret = "goodsecret", .uid = UID};
	struct snapshot *rows;

	if (snapshot_new(&rows) < 0)
		abort();
	put_row(rows, KIND_ACCOUNT, &account);
	put_row(rows, KIND_ACCESS_KEY, &key);
	put_row(rows, KIND_ACCESS_KEY, &off);
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
	ret->r = auth_check(nonces, rows, request, NOW, 1000, &ret->call, &ret->error, &ret->detail);
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

static void test_nonces(void)
{
	struct nonces *nonces;
	int refused = 0;

	(void)nonces_new(&nonces);
	tap_is_int(nonces_spend(nonces, "k", "a", 0), 0, "a new nonce is accepted");
	tap_is_int(nonces_spend(nonces, "k", "a", 0), -EEXIST, "a second time it is not");
	tap_is_int(nonces_spend(nonces, "l", "a", 0), 0, "another key may use it");
	tap_is_int(nonces_spend(nonces, "k", "a", NONCE_LIFE_S - 1), -EEXIST,
		   "it is remembered for half an hour");
	tap_is_int(nonces_spend(nonces, "k", "b", NONCE_LIFE_S - 1), 0, "so is one that came later,");
	tap_is_int(nonces_spend(nonces, "k", "b", 2 * NONCE_LIFE_S - 2), -EEXIST, "for a life of its own");
	tap_is_int(nonces_spend(nonces, "k", "a", 3 * NONCE_LIFE_S), 0, "long after, it is forgotten");
	nonces_expire(nonces, 9 * NONCE_LIFE_S);
	tap_is_int(nonces_spend(nonces, "k", "a", 9 * NONCE_LIFE_S), 0, "as are keys that have been silent");

	for (int i = 0; i < NONCES_PER_KEY_MAX; i++) {
		char nonce[16];

		(void)str_format(nonce, sizeof(nonce), "%d", i);
		refused += nonces_spend(nonces, "busy", nonce, 0) != 0;
	}
	tap_is_int(refused, 0, "a key can spend as many as the limit says");
	tap_is_int(nonces_spend(nonces, "busy", "more", 0), -EDQUOT, "and no more within one life");
	tap_is_int(nonces_spend(nonces, "busy", "17", 0), -EEXIST, "all of them are remembered");
	tap_is_int(nonces_spend(nonces, "busy", "more", NONCE_LIFE_S), 0, "then it goes on");
	tap_is_int(nonces_spend(nonces, "busy", "17", NONCE_LIFE_S), -EEXIST, "still remembering");
	nonces_free(nonces);
}

int main(void)
{
	struct snapshot *rows = make_rows();

	test_v1(rows);
	test_acs3(rows);
	test_nonce_after_signature(rows);
	test_nonces();
	snapshot_free(rows);
	return tap_done();
}
