/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The API on HTTP: whole requests over a socket, good ones and all sorts of bad ones.
 */
#include "api_harness.h"
#include "http_client.h"

#include "api/frame/auth.h"
#include "api/frame/http.h"
#include "lib/codec.h"
#include "lib/ident.h"
#include "schema/limits.h"

static struct sockaddr_in address;
static int64_t ahead_s; /* by how much the caller's clock is */

/* In place of the real one (meson.build): there is no file. */
static int n_syncs;
void __wrap_nonces_sync(struct nonces *nonces);
void __wrap_nonces_sync(struct nonces *nonces _unused_)
{
	n_syncs++;
}

static int connect_here(void)
{
	return client_connect((const struct sockaddr *)&address, sizeof(address));
}

/* Sends it on a connection of its own and gives the answer. */
static char *send_raw(struct harness *h, const char *bytes, size_t size)
{
	int fd = connect_here();
	char *answer;

	client_send(h->loop, fd, bytes, size);
	answer = client_receive(h->loop, fd, 1000);
	(void)close(fd);
	return answer;
}

static json_t *body_of(char *answer)
{
	char *body = client_body(answer);

	return body ? json_loads(body, 0, NULL) : NULL;
}

static const char *code_of(struct harness *h, char *answer)
{
	json_t *body = body_of(answer);
	const char *code = harness_keep(h, json_string_value(json_object_get(body, "Code")));

	json_decref(body);
	return code;
}

/* A query string with what V1 wants, signed. */
static void sign_query(const char *method, const char *action, const char *more, char *ret, size_t size)
{
	struct params params = {};
	struct sign_request request = {.method = method, .path = "/", .query = &params};
	char time[TIME_TEXT_SIZE], nonce[33], text[2048], signature[64], *encoded;

	time_format(now_unix_s() + ahead_s, time);
	(void)random_text(nonce, 32);
	(void)str_format(
		text, sizeof(text),
		"Action=%s&Version=2026-11-01&Format=JSON&AccessKeyId=testkey&SignatureMethod=HMAC-SHA1&"
		"SignatureVersion=1.0&SignatureType=&SignatureNonce=%s&Timestamp=%s%s",
		action, nonce, time, more);
	(void)params_parse(text, strlen(text), &params);
	(void)sign_v1(&request, "testsecret", signature, NULL);
	encoded = percent_encode(signature, strlen(signature));
	(void)str_format(ret, size, "%s&Signature=%s", text, encoded);
	free(encoded);
	params_done(&params);
}

/* A request without body, signed in its headers. */
static void sign_headers(const char *action, const char *query, char *ret, size_t size)
{
	static const char signed_headers[] =
		"host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version";
	static const char digest[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
	char time[TIME_TEXT_SIZE], nonce[33], signature[65];
	const struct sign_header headers[] = {
		{"host", "a"},	      {"x-acs-action", action},		{"x-acs-content-sha256", digest},
		{"x-acs-date", time}, {"x-acs-signature-nonce", nonce}, {"x-acs-version", "2026-11-01"}};
	struct params params = {};
	const struct sign_request request = {.method = "GET",
					     .path = "/",
					     .query = &params,
					     .headers = headers,
					     .n_headers = ARRAY_SIZE(headers),
					     .body = ""};

	time_format(now_unix_s(), time);
	(void)random_text(nonce, 32);
	(void)params_parse(query, strlen(query), &params);
	harness_must(sign_acs3(&request, signed_headers, "testsecret", signature, NULL), "signature");
	(void)str_format(
		ret, size,
		"GET /?%s HTTP/1.1\r\nHost: a\r\nx-acs-action: %s\r\nx-acs-content-sha256: %s\r\n"
		"x-acs-date: %s\r\nx-acs-signature-nonce: %s\r\nx-acs-version: 2026-11-01\r\n"
		"Authorization: ACS3-HMAC-SHA256 Credential=testkey,SignedHeaders=%s,Signature=%s\r\n\r\n",
		query, action, digest, time, nonce, signed_headers, signature);
	params_done(&params);
}

static void test_signed_calls(struct harness *h)
{
	char query[4096], request[8192], *answer;
	json_t *body;

	sign_query("GET", "GetVersion", "", query, sizeof(query));
	(void)str_format(request, sizeof(request), "GET /?%s HTTP/1.1\r\nHost: api:1\r\n\r\n", query);
	answer = send_raw(h, request, strlen(request));
	tap_is_int(client_status(answer), 200, "a signed GET is answered");
	tap_ok(strstr(answer, "Content-Type: application/json;charset=utf-8\r\n"), "in JSON");
	body = body_of(answer);
	tap_ok(strlen(json_string_value(json_object_get(body, "RequestId"))) == 36 &&
		       strstr(answer, "x-acs-request-id: ") &&
		       strstr(strstr(answer, "x-acs-request-id: "),
			      json_string_value(json_object_get(body, "RequestId"))),
	       "with a RequestId, in the body and as a header");
	json_decref(body);
	answer = send_raw(h, request, strlen(request));
	tap_is_str(code_of(h, answer), "SignatureNonceUsed", "a second time its nonce is used up");

	sign_query("POST", "CreateAccount", "&AccountName=carol", query, sizeof(query));
	(void)str_format(request, sizeof(request),
			 "POST / HTTP/1.1\r\nHost: api:1\r\nContent-Type: application/x-www-form-urlencoded; "
			 "charset=utf-8\r\n"
			 "Content-Length: %zu\r\n\r\n%s",
			 strlen(query), query);
	tap_is_int(client_status(send_raw(h, request, strlen(request))), 200,
		   "a change in a form is answered when it is durable");
	sign_query("POST", "CreateAccount", "&AccountName=dave", query, sizeof(query));
	(void)str_format(
		request, sizeof(request),
		"POST / HTTP/1.1\r\nHost: api:1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
		"Transfer-Encoding: chunked\r\n\r\n5\r\n%.5s\r\n%zx\r\n%s\r\n0\r\n\r\n",
		query, strlen(query) - 5, query + 5);
	tap_is_int(client_status(send_raw(h, request, strlen(request))), 200, "so is one in a chunked form");
	tap_is_int((long long)snapshot_count(store_rows(h->store), KIND_ACCOUNT, ""), 5,
		   "both were carried out");
	sign_query("GET", "NoSuchAction", "", query, sizeof(query));
	(void)str_format(request, sizeof(request), "GET /?%s HTTP/1.1\r\nHost: api:1\r\n\r\n", query);
	answer = send_raw(h, request, strlen(request));
	tap_is_int(client_status(answer), 404, "an action that does not exist is not found");
	tap_is_str(code_of(h, answer), "InvalidAction.NotFound", "by its own code");
}

static void test_refusals(struct harness *h)
{
	static const struct {
		const char *name, *request;
		int status;
		const char *code;
	} cases[] = {
		{"a plain GET of /", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "MissingAction"},
		{"a POST of nothing", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 400,
		 "MissingAction"},
		{"an unknown path", "GET /favicon.ico HTTP/1.1\r\nHost: a\r\n\r\n", 404,
		 "InvalidApi.NotFound"},
		{"a path with parameters", "GET /api/v1/jobs?x=1 HTTP/1.1\r\nHost: a\r\n\r\n", 404,
		 "InvalidApi.NotFound"},
		{"another method", "DELETE / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "UnsupportedHTTPMethod"},
		{"a broken query", "GET /?a=%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400,
		 "InvalidRequest.Malformed"},
		{"an encoded NUL", "GET /?a=%00 HTTP/1.1\r\nHost: a\r\n\r\n", 400,
		 "InvalidRequest.Malformed"},
		{"a body that is no form",
		 "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: "
		 "14\r\n\r\n{\"Action\":\"x\"}",
		 400, "MissingAction"},
		{"an Authorization of another kind",
		 "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Basic YTpi\r\n\r\n", 400,
		 "UnsupportedSignatureMethod"},
		{"a target in absolute form", "GET http://b:1/?x=1 HTTP/1.1\r\nHost: a\r\n\r\n", 400,
		 "MissingAction"},
		{"one without a path", "GET HTTPS://b HTTP/1.1\r\nHost: a\r\n\r\n", 400, "MissingAction"},
		{"one with parameters behind the host", "GET http://b?Action=x HTTP/1.1\r\nHost: a\r\n\r\n",
		 400, "MissingVersion"},
		{"one of an unknown path", "GET http://b/c HTTP/1.1\r\nHost: a\r\n\r\n", 404,
		 "InvalidApi.NotFound"},
		{"one without a host", "GET http:///?x=1 HTTP/1.1\r\nHost: a\r\n\r\n", 404,
		 "InvalidApi.NotFound"},
		{"parameters without a path", "GET ?x=1 HTTP/1.1\r\nHost: a\r\n\r\n", 404,
		 "InvalidApi.NotFound"},
		{"a version of no product",
		 "GET /?Action=GetVersion&Version=1999-01-01 HTTP/1.1\r\nHost: a\r\n\r\n", 400,
		 "MissingAccessKeyId"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *answer = send_raw(h, cases[i].request, strlen(cases[i].request));
		json_t *body = body_of(answer);

		tap_is_int(client_status(answer), cases[i].status, "%s: the status", cases[i].name);
		tap_is_str(json_string_value(json_object_get(body, "Code")), cases[i].code, "%s: the code",
			   cases[i].name);
		tap_ok(json_is_string(json_object_get(body, "RequestId")) &&
			       json_is_string(json_object_get(body, "Message")) &&
			       json_is_string(json_object_get(body, "Recommend")) &&
			       streq(json_string_value(json_object_get(body, "HostId")), "a"),
		       "%s: the usual members", cases[i].name);
		json_decref(body);
	}
}

/* A request of `count` times `piece` between head and tail. */
static char *send_long(struct harness *h, const char *head, const char *piece, size_t count, const char *tail)
{
	size_t size = strlen(head) + strlen(piece) * count + strlen(tail);
	_cleanup_(freep) char *request = malloc(size + 1);
	char *end = stpcpy(request, head);

	for (size_t i = 0; i < count; i++)
		end = stpcpy(end, piece);
	(void)stpcpy(end, tail);
	return send_raw(h, request, size);
}

static void test_limits(struct harness *h)
{
	static const char tail[] = " HTTP/1.1\r\nHost: a\r\n\r\n";
	char head[256], *answer;

	answer = send_long(h, "GET /?a=", "x", SERVER_TARGET_MAX - strlen("/?a="), tail);
	tap_is_str(code_of(h, answer), "MissingAction", "a target of 32 KiB is read");
	answer = send_long(h, "GET /?a=", "x", SERVER_TARGET_MAX, tail);
	tap_is_int(client_status(answer), 414, "a longer one is refused");
	tap_is_str(code_of(h, answer), "InvalidRequest.TargetTooLong", "by its own code");
	answer = send_long(h, "GET /?", "a&", PARAMS_MAX, tail);
	tap_is_str(code_of(h, answer), "MissingAction", "2000 parameters are read");
	answer = send_long(h, "GET /?", "a&", PARAMS_MAX + 1, tail);
	tap_is_str(code_of(h, answer), "InvalidRequest.TooManyParameters", "2001 are refused");
	answer = send_long(h, "GET /?", "a&", SERVER_TARGET_MAX / 2 - 1, tail);
	tap_is_str(code_of(h, answer), "InvalidRequest.TooManyParameters", "many more than that, too");
	answer = send_long(h, "GET / HTTP/1.1\r\nHost: a\r\n", "X: 1\r\n", SERVER_HEADERS_MAX - 1, "\r\n");
	tap_is_str(code_of(h, answer), "MissingAction", "100 headers are read");
	answer = send_long(h, "GET / HTTP/1.1\r\nHost: a\r\n", "X: 1\r\n", SERVER_HEADERS_MAX, "\r\n");
	tap_is_int(client_status(answer), 431, "101 are refused");

	(void)str_format(head, sizeof(head),
			 "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n"
			 "Content-Length: %d\r\n\r\n",
			 SERVER_BODY_MAX);
	tap_is_str(code_of(h, send_long(h, head, "x", SERVER_BODY_MAX, "")), "MissingAction",
		   "a body of 256 KiB is read");
	(void)str_format(head, sizeof(head), "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n",
			 SERVER_BODY_MAX + 1);
	answer = send_long(h, head, "x", SERVER_BODY_MAX + 1, "");
	tap_is_int(client_status(answer), 413, "one byte more is refused");
	tap_is_str(code_of(h, answer), "InvalidRequest.BodyTooLarge", "by its own code");
	answer = send_long(h, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
			   "8\r\nxxxxxxxx\r\n", 100000, "0\r\n\r\n");
	tap_is_int(client_status(answer), 413, "in small chunks, too");
	(void)str_format(head, sizeof(head), "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n",
			 SERVER_DISCARD_MAX + 65536);
	answer = send_long(h, head, "x", SERVER_DISCARD_MAX + 65536, "");
	tap_is_int(client_status(answer), 0, "a body without end is cut off");
	answer =
		send_raw(h, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", strlen("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
	tap_is_str(code_of(h, answer), "MissingAction", "and the next caller is served");
}

static void test_connections(struct harness *h)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
	char query[4096], change[8192];
	int fd = connect_here();

	client_send(h->loop, fd, request, strlen(request));
	tap_is_int(client_status(client_receive(h->loop, fd, 5000)), 400, "a connection takes a request");
	client_send(h->loop, fd, request, strlen(request));
	tap_is_int(client_status(client_receive(h->loop, fd, 5000)), 400, "and another one");
	for (size_t i = 0; i < strlen(request); i++)
		client_send(h->loop, fd, request + i, 1);
	tap_is_int(client_status(client_receive(h->loop, fd, 5000)), 400, "also byte by byte");
	(void)close(fd);

	for (int i = 0; i < 20; i++) {
		sign_query("GET", "CreateAccessKey", "&AccountId=1", query, sizeof(query));
		(void)str_format(change, sizeof(change), "GET /?%s HTTP/1.1\r\nHost: a\r\n\r\n", query);
		fd = connect_here();
		client_send(h->loop, fd, change, i % 2 ? strlen(change) : strlen(change) / 2);
		(void)close(fd);
	}
	harness_settle(h);
	tap_is_str(code_of(h, send_raw(h, request, strlen(request))), "MissingAction",
		   "callers who leave in the middle do no harm");
}

static const char *call_here(struct harness *h, const char *action, const char *more)
{
	char query[4096], request[8192];

	sign_query("GET", action, more, query, sizeof(query));
	(void)str_format(request, sizeof(request), "GET /?%s HTTP/1.1\r\nHost: a\r\n\r\n", query);
	return code_of(h, send_raw(h, request, strlen(request)));
}

/* With three reads, of which none is left of GetVersion, and all of GetEndpointMetrics. */
static void check_regions(struct harness *h)
{
	static const char *const regions[] = {"&RegionId=cn-hangzhou", "&RegionId=cn-shanghai",
					      "&RegionId=x"};

	for (size_t i = 0; i < ARRAY_SIZE(regions); i++)
		tap_is_str(call_here(h, "GetVersion", regions[i]), "Throttling.User",
			   "an action without region has no more calls by naming one (%s)", regions[i]);
	for (int i = 0; i < 3; i++)
		(void)call_here(h, "GetEndpointMetrics", regions[0]);
	tap_is_str(call_here(h, "GetEndpointMetrics", regions[0]), "Throttling.User",
		   "one that has regions may be called so often in one of them");
	tap_ok(!streq(call_here(h, "GetEndpointMetrics", regions[1]), "Throttling.User"),
	       "and in another one then");
}

/* Another listener of the same store, with limits. */
static void test_throttling(struct harness *h)
{
	const struct rate_limits limits = {.reads = 3, .writes = 2};
	const struct sockaddr_in before = address;
	char query[4096], request[8192], *answer = NULL;
	struct nonces *nonces;
	struct http *http;

	harness_must(nonces_new(&nonces), "nonces");
	harness_must(http_new(h->loop, &h->environment, nonces, &limits, &http), "http");
	harness_must(http_listen(http, client_listen_tcp(&address), false), "listen");
	for (int i = 0; i < 10; i++) {
		(void)str_format(
			request, sizeof(request),
			"GET /?Action=GetVersion&Version=2026-11-01&AccessKeyId=testkey HTTP/1.1\r\nHost: a\r\n\r\n");
		answer = send_raw(h, request, strlen(request));
	}
	tap_is_int(client_status(answer), 400, "calls that nobody signed do not count");
	for (int i = 0; i < 4; i++) {
		sign_query("GET", "GetVersion", "", query, sizeof(query));
		(void)str_format(request, sizeof(request), "GET /?%s HTTP/1.1\r\nHost: a\r\n\r\n", query);
		answer = send_raw(h, request, strlen(request));
		tap_is_int(client_status(answer), i < 3 ? 200 : 400, "three reads may be, and no more (%d)",
			   i);
	}
	tap_ok(strstr(answer, "\r\nx-acs-retry-after: ") &&
		       strstr(answer, "\r\nx-ratelimit-user-api: Limit:3,Remain:0,TimeLeft:"),
	       "the answer says when to come again");
	tap_is_str(code_of(h, answer), "Throttling.User", "by the code that clients wait for");
	sign_query("GET", "ListAccounts", "", query, sizeof(query));
	(void)str_format(request, sizeof(request), "GET /?%s HTTP/1.1\r\nHost: a\r\n\r\n", query);
	tap_is_int(client_status(send_raw(h, request, strlen(request))), 200, "other actions go on");
	check_regions(h);
	http_free(http);
	address = before;
}

/* Of a form that was changed after it was signed, by `n` bytes that need much room as text. */
static char *send_changed(struct harness *h, size_t n)
{
	char query[4096], head[8192];

	sign_query("POST", "GetVersion", "", query, sizeof(query));
	(void)str_format(head, sizeof(head),
			 "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n"
			 "Content-Length: %zu\r\n\r\n%s&More=",
			 strlen(query) + strlen("&More=") + n, query);
	return send_long(h, head, "\xff", n, "");
}

/* What is read for nothing, and can be charged to nobody. */
static void test_wrong(struct harness *h)
{
	const struct rate_limits none = {};
	const struct sockaddr_in before = address;
	const char *code = NULL;
	struct nonces *nonces;
	struct http *http;
	char *answer = NULL;
	int n = 0;

	harness_must(nonces_new(&nonces), "nonces");
	harness_must(http_new(h->loop, &h->environment, nonces, &none, &http), "http");
	harness_must(http_listen(http, client_listen_tcp(&address), false), "listen");
	answer = send_changed(h, HTTP_LARGE);
	tap_ok(strstr(answer, "server string to sign is:POST&%2F&") && strlen(answer) < AUTH_ECHO_MAX + 1024,
	       "of a long string to sign the beginning is told");
	for (n = 1; n < 10 * HTTP_LARGE_WRONG_MAX; n++) {
		answer = send_changed(h, HTTP_LARGE);
		if (strstr(answer, "\r\nx-ratelimit-user: "))
			break;
		tap_is_str(code_of(h, answer), "SignatureDoesNotMatch",
			   "a large call with a wrong signature (%d)", n);
	}
	tap_ok(n > HTTP_LARGE_WRONG_MAX && strstr(answer, "\r\nx-acs-retry-after: "),
	       "there may be so many, then the address is told when to come again");
	code = code_of(h, answer);
	tap_is_str(code, "Throttling.User", "by the code that clients wait for");
	for (n = 0; n < 2 * HTTP_LARGE_WRONG_MAX; n++)
		code = code_of(h, send_changed(h, 10));
	tap_is_str(code, "SignatureDoesNotMatch", "who signs small calls wrongly is told so all the time");
	tap_is_str(call_here(h, "GetVersion", ""), "none", "and whoever signs them rightly is served");
	http_free(http);
	address = before;
}

/* What the disk is waited for: of calls that are stamped ahead, those that change something. */
static void test_ahead(struct harness *h)
{
	const struct rate_limits limits = {.reads = 5, .writes = 1};
	const struct sockaddr_in before = address;
	struct nonces *nonces;
	struct http *http;

	harness_must(nonces_new(&nonces), "nonces");
	harness_must(http_new(h->loop, &h->environment, nonces, &limits, &http), "http");
	harness_must(http_listen(http, client_listen_tcp(&address), false), "listen");
	n_syncs = 0;
	(void)call_here(h, "CreateAccount", "&AccountName=in-time");
	tap_is_int(n_syncs, 0, "a change that is stamped in time waits for no disk but the store's");
	ahead_s = 60;
	(void)call_here(h, "GetVersion", "");
	tap_is_int(n_syncs, 0, "nor does a read that is stamped ahead of the clock,");
	tap_is_str(call_here(h, "CreateAccount", "&AccountName=throttled"), "Throttling.User",
		   "nor a change beyond the rate,");
	tap_is_int(n_syncs, 0, "which is not carried out");
	(void)call_here(h, "DeleteQuota", "&AccountId=1&QuotaName=vpcs");
	tap_is_int(n_syncs, 1, "the nonce of a change that is stamped ahead is on disk before it");
	ahead_s = 0;
	http_free(http);
	address = before;
}

static void put_connections(struct harness *h, const char *service, unsigned int n)
{
	for (unsigned int i = 0; i < n;) {
		struct store_txn *txn;
		int n_done = 0;

		harness_must(store_txn_new(&txn), "transaction");
		do {
			struct connection row = {.service = service};
			struct endpoint endpoint = {.service = service, .owner = ROOT};

			(void)str_format(row.endpoint, sizeof(row.endpoint), "ep-%u", i);
			(void)str_format(endpoint.id, sizeof(endpoint.id), "ep-%u", i);
			harness_must(store_txn_row_put(txn, KIND_CONNECTION, &row), "connection");
			harness_must(store_txn_row_put(txn, KIND_ENDPOINT, &endpoint), "endpoint");
		} while (++i % 25 != 0);
		store_commit(h->store, txn, harness_count, &n_done);
		harness_settle(h);
		harness_must(n_done == 1 ? 0 : -EIO, "commit");
	}
}

/* Calls that count as more than one, some of which wait while others are carried out. */
static void test_charged(struct harness *h)
{
	struct service service = {.id = "epsrv-many", .owner = ROOT, .region = "cn-hangzhou"};
	const struct rate_limits limits = {.reads = 8};
	const struct sockaddr_in before = address;
	char query[4096], request[8192];
	unsigned int n_answered = 0, n_throttled = 0;
	struct nonces *nonces;
	struct http *http;
	int fds[4];

	harness_put(h, KIND_SERVICE, &service);
	put_connections(h, service.id, 2 * ROWS_PER_CALL);
	harness_must(nonces_new(&nonces), "nonces");
	harness_must(http_new(h->loop, &h->environment, nonces, &limits, &http), "http");
	harness_must(http_listen(http, client_listen_tcp(&address), false), "listen");
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = connect_here();
		sign_query("GET", "GetEndpointMetrics", "&RegionId=cn-hangzhou&ServiceId=epsrv-many", query,
			   sizeof(query));
		(void)str_format(request, sizeof(request), "GET /?%s HTTP/1.1\r\nHost: a\r\n\r\n", query);
		(void)send(fds[i], request, strlen(request), MSG_NOSIGNAL);
	}
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		char *answer = client_receive(h->loop, fds[i], 1000);

		n_answered += client_status(answer) == 200;
		n_throttled += strstr(answer, "\r\nx-ratelimit-user-api: Limit:8,Remain:0,TimeLeft:") &&
			       streq(code_of(h, answer), "Throttling.User");
		(void)close(fds[i]);
	}
	tap_ok(n_answered == 3 && n_throttled == 1,
	       "of eight reads, three that count as three each are more: %u are answered, %u throttled",
	       n_answered, n_throttled);
	http_free(http);
	address = before;
}

static void test_stopping(struct harness *h, struct http **http)
{
	char query[4096], request[8192];
	int fd = connect_here();

	sign_query("GET", "CreateAccount", "&AccountName=late", query, sizeof(query));
	(void)str_format(request, sizeof(request), "GET /?%s HTTP/1.1\r\nHost: a\r\n\r\n", query);
	(void)send(fd, request, strlen(request), MSG_NOSIGNAL);
	*http = http_free(*http);
	tap_is_str(client_receive(h->loop, fd, 200), "",
		   "a server that stops cuts whoever it did not answer");
	(void)close(fd);
}

/* ---- the audit log ---- */

static const json_t *event_at(struct harness *h, size_t i)
{
	return json_array_get(json_object_get(h->answer, "Events"), i);
}

static const char *event_text(struct harness *h, size_t i, const char *name)
{
	return harness_keep(h, json_string_value(json_object_get(event_at(h, i), name)));
}

static size_t n_events(struct harness *h, int64_t uid, const char *form)
{
	harness_call(h, uid, PRODUCT_PRIVLINK, "ListAuditEvents", "%s", form);
	return json_array_size(json_object_get(h->answer, "Events"));
}

static const char *event_parameter(struct harness *h, size_t i, const char *name)
{
	const json_t *list = json_object_get(event_at(h, i), "Parameters"), *entry;
	size_t j;

	json_array_foreach(list, j, entry)
		if (streq(json_string_value(json_object_get(entry, "Name")), name))
			return harness_keep(h, json_string_value(json_object_get(entry, "Value")));
	return "none";
}

static void test_recorded(struct harness *h)
{
	char query[4096], request[8192], form[128], *signature;
	const char *id;
	json_t *body;

	/* Of the calls refused above, no more are told in a second. */
	(void)usleep(1100 * 1000);
	harness_settle(h);
	sign_query("GET", "CreateAccount", "&AccountName=audited&RegionId=cn-hangzhou&Secret=x", query,
		   sizeof(query));
	(void)str_format(request, sizeof(request),
			 "GET /?%s HTTP/1.1\r\nHost: api:1\r\nUser-Agent: tester/1\r\n\r\n", query);
	body = body_of(send_raw(h, request, strlen(request)));
	id = harness_keep(h, json_string_value(json_object_get(body, "RequestId")));
	json_decref(body);
	(void)str_format(form, sizeof(form), "EventRequestId=%s", id);
	tap_is_int((long long)n_events(h, ROOT, form), 1, "a call is in the audit log once it is answered");
	tap_is_str(event_text(h, 0, "Kind"), "Change", "as a change");
	tap_is_int(json_integer_value(json_object_get(event_at(h, 0), "AccountId")), ROOT,
		   "with its account");
	tap_is_str(event_text(h, 0, "AccessKeyId"), "testkey", "its key");
	tap_is_str(event_text(h, 0, "Product"), "PRIVLINK", "product");
	tap_is_str(event_text(h, 0, "Action"), "CreateAccount", "action");
	tap_is_str(event_text(h, 0, "RegionId"), "cn-hangzhou", "region");
	tap_is_str(event_text(h, 0, "SourceAddress"), "127.0.0.1", "address");
	tap_is_str(event_text(h, 0, "UserAgent"), "tester/1", "program");
	tap_is_str(event_text(h, 0, "Code"), "OK", "and result");
	tap_is_str(event_parameter(h, 0, "AccountName"), "audited", "its parameters");
	tap_is_str(event_parameter(h, 0, "Secret"), "(hidden)", "but no secret");
	tap_is_str(event_parameter(h, 0, "Signature"), "none", "nor its signature");
	tap_is_int((long long)n_events(h, ALICE, form), 0, "another account does not see it");

	signature = strstr(request, "&Signature=");
	signature[strlen("&Signature=")] ^= 1;
	tap_is_str(code_of(h, send_raw(h, request, strlen(request))), "SignatureDoesNotMatch",
		   "a signature that is not right is refused");
	tap_is_int((long long)n_events(h, ROOT, "EventKind=Refused&EventCode=SignatureDoesNotMatch"), 1,
		   "and recorded");
	tap_ok(json_is_false(json_object_get(event_at(h, 0), "Signed")) &&
		       json_integer_value(json_object_get(event_at(h, 0), "AccountId")) == ROOT,
	       "with the account of the key, and that it is not its own call");
}

/* The event of the request that is answered now. */
static void find_event(struct harness *h, const char *request)
{
	json_t *body = body_of(send_raw(h, request, strlen(request)));
	char form[128];

	(void)str_format(form, sizeof(form), "EventRequestId=%s",
			 json_string_value(json_object_get(body, "RequestId")));
	json_decref(body);
	tap_is_int((long long)n_events(h, ROOT, form), 1, "the call is told");
}

/* What is not signed is not what is carried out, and is not told. */
static void test_other_words(struct harness *h)
{
	static const char false_headers[] = "x-acs-action: DescribeRegions\r\nx-acs-version: 2016-04-28\r\n";
	char query[4096], request[8192];

	sign_query("GET", "CreateAccount", "&AccountName=in-the-query", query, sizeof(query));
	(void)str_format(request, sizeof(request), "GET /?%s HTTP/1.1\r\nHost: a\r\n%s\r\n", query,
			 false_headers);
	find_event(h, request);
	tap_is_str(event_text(h, 0, "Action"), "CreateAccount", "by the action of the signed query");
	tap_is_str(event_text(h, 0, "Product"), "PRIVLINK", "and its product, not by those of headers,");
	tap_is_str(event_text(h, 0, "Kind"), "Change", "as the change that it is");

	sign_query("GET", "CreateAccount", "&AccountName=refused", query, sizeof(query));
	strstr(query, "&Signature=")[strlen("&Signature=")] ^= 1;
	(void)str_format(request, sizeof(request), "GET /?%s HTTP/1.1\r\nHost: a\r\n%s\r\n", query,
			 false_headers);
	find_event(h, request);
	tap_is_str(event_text(h, 0, "Action"), "CreateAccount", "also if its signature is not right");

	sign_headers("CreateAccount", "AccountName=in-the-headers&Action=DescribeRegions&Version=2016-04-28",
		     request, sizeof(request));
	find_event(h, request);
	tap_is_str(event_text(h, 0, "Action"), "CreateAccount", "by the action of the signed headers");
	tap_is_str(event_text(h, 0, "Product"), "PRIVLINK", "and its product, not by those of the query,");
	tap_is_str(event_text(h, 0, "Kind"), "Change", "as the change that it is");
	tap_is_str(event_text(h, 0, "Code"), "OK", "which was carried out");
}

static void test_listed(struct harness *h)
{
	struct audit_event event = {.kind = AUDIT_READ,
				    .time_ms = 1800000000000,
				    .is_signed = true,
				    .action = "DescribeVpcs",
				    .status = 200};
	char form[512];

	for (int i = 0; i < 7; i++) {
		event.account = i % 2 ? ALICE : BOB;
		event.time_ms++;
		audit_add(h->audit, &event);
	}
	tap_is_int((long long)n_events(h, ALICE, ""), 3, "an account sees its own calls");
	tap_is_int((long long)n_events(h, ROOT, "EventAction=DescribeVpcs"), 7, "an administrator all");
	tap_is_int((long long)n_events(h, ROOT, "AccountId=1000000000000002"), 4, "or those of one account");
	tap_is_int((long long)n_events(h, ALICE, "AccountId=1000000000000001"), 3, "who may name itself");
	tap_ok(!harness_call(h, ALICE, PRODUCT_PRIVLINK, "ListAuditEvents", "%s",
			     "AccountId=1000000000000002"),
	       "but no other one");
	tap_is_str(h->error.code, "Forbidden", "by its code");
	tap_is_int((long long)n_events(h, ALICE, "StartTime=2027-01-15T08:00:01Z"), 0, "from a time on");
	tap_is_int((long long)n_events(h, ALICE, "EndTime=2027-01-15T08:00:00Z"), 0, "before a time");
	tap_is_int(
		(long long)n_events(h, ALICE, "StartTime=2027-01-15T08:00:00Z&EndTime=2027-01-15T08:00:01Z"),
		3, "between two");
	tap_ok(!harness_call(h, ALICE, PRODUCT_PRIVLINK, "ListAuditEvents", "%s", "StartTime=yesterday") &&
		       strstr(h->error.code, "StartTime"),
	       "what is no time is refused");
	tap_ok(!harness_call(h, ALICE, PRODUCT_PRIVLINK, "ListAuditEvents", "%s", "MaxResults=501") &&
		       strstr(h->error.code, "MaxResults"),
	       "so is a page beyond the largest");
	tap_is_int((long long)n_events(h, ALICE, "MaxResults=2"), 2, "page by page");
	(void)str_format(form, sizeof(form), "MaxResults=2&NextToken=%s",
			 json_string_value(json_object_get(h->answer, "NextToken")));
	tap_is_int((long long)n_events(h, ALICE, form), 1, "to the end");
	tap_ok(!harness_call(h, ALICE, PRODUCT_PRIVLINK, "ListAuditEvents", "%s&EventKind=Read", form) &&
		       strstr(h->error.code, "NextToken"),
	       "a token of another question is refused");
	form[strlen(form) - 1] ^= 1;
	tap_ok(!harness_call(h, ALICE, PRODUCT_PRIVLINK, "ListAuditEvents", "%s", form) &&
		       strstr(h->error.code, "NextToken"),
	       "a token that was changed is refused");
	tap_is_int(h->weight, 0, "a page is one call");
	for (int i = 0; i < 100; i++) {
		event.account = ALICE;
		event.time_ms++;
		audit_add(h->audit, &event);
	}
	tap_is_int((long long)n_events(h, ALICE, "EventRequestId=no-ne"), 0, "what is not in the log");
	tap_is_int(h->weight, 0, "is looked for at no cost, among a hundred lines of one's own,");
	tap_is_int((long long)n_events(h, ALICE, "EventRequestId=no_ne"), 0,
		   "or, where no word of it tells,");
	tap_is_int(h->weight, 1, "at the cost of one call more");
	tap_is_int((long long)n_events(h, ROOT, "EventRequestId=no_ne"), 0, "which an administrator,");
	tap_is_int(h->weight, 0, "who has everybody's lines to look through, is not charged");
}

int main(void)
{
	struct access_key key = {.id = "testkey", .secret = "testsecret", .uid = ROOT, .active = true};
	const struct rate_limits limits = {};
	struct harness h;
	struct nonces *nonces;
	struct http *http;

	log_set_level(LOG_LEVEL_ERROR);
	harness_begin(&h);
	harness_must(nonces_new(&nonces), "nonces");
	harness_put(&h, KIND_ACCESS_KEY, &key);
	harness_must(http_new(h.loop, &h.environment, nonces, &limits, &http), "http");
	harness_must(http_listen(http, client_listen_tcp(&address), false), "listen");
	test_signed_calls(&h);
	test_refusals(&h);
	test_limits(&h);
	test_connections(&h);
	test_throttling(&h);
	test_wrong(&h);
	test_ahead(&h);
	test_charged(&h);
	test_recorded(&h);
	test_other_words(&h);
	test_listed(&h);
	test_stopping(&h, &http);
	harness_end(&h);
	return tap_done();
}
