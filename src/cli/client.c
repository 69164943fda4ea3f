/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One signed call: parameters go as a form, the ACS3 headers come from sign.c, the connection is libcurl's
 * and is kept for the next call. An answer is always a JSON object, errors too; whatever else arrives is
 * reported as not being the API.
 */
#include "cli.h"

#include <ctype.h>
#include <curl/curl.h>
#include <stdio.h>
#include <strings.h>
#include <time.h>

#include "../lib/codec.h"
#include "../lib/ident.h"
#include "../sign/digest.h"
#include "../sign/sign.h"

#define ANSWER_MAX	(64 * 1024 * 1024)
#define CALL_TIMEOUT_MS 30000
#define LAST_CALL_MS	1000 /* for the last look before the wait ends */
#define TELL_WAIT_MS	2000 /* who waits longer for a turn is told why */
#define TURN_MAX_MS	(5 * 60 * 1000)

void cli_product_list(char *ret, size_t size)
{
	size_t used = 0;

	*ret = '\0';
	for (size_t i = 0; i < PRODUCT_COUNT_; i++) {
		int n = str_format(ret + used, size - used, "%s%s", i ? ", " : "", products[i].name);

		if (n < 0)
			return;
		for (char *c = ret + used; *c; c++)
			*c = (char)tolower((unsigned char)*c);
		used += (size_t)n;
	}
}

void cli_reply_done(struct cli_reply *reply)
{
	json_decref(reply->body);
	reply->body = NULL;
}

struct buffer {
	char *data;
	size_t size;
};

static size_t collect(char *data, size_t one, size_t n, void *context)
{
	struct buffer *buffer = context;
	char *grown;

	if (buffer->size + n > ANSWER_MAX)
		return 0;
	grown = realloc(buffer->data, buffer->size + n * one + 1);
	if (!grown)
		return 0;
	memcpy(grown + buffer->size, data, n * one);
	buffer->data = grown;
	buffer->size += n * one;
	grown[buffer->size] = '\0';
	return n * one;
}

/* Of an answer's headers the one that says when a call may come again. */
static size_t take_header(char *data, size_t one, size_t n, void *context)
{
	static const char name[] = "x-acs-retry-after:";
	struct cli_reply *reply = context;
	size_t size = n * one;
	char line[64] = "";

	if (size > strlen(name) && size < sizeof(line) && strncasecmp(data, name, strlen(name)) == 0) {
		memcpy(line, data, size);
		reply->retry_after_ms = MIN(strtoull(line + strlen(name), NULL, 10), (uint64_t)TURN_MAX_MS);
	}
	return size;
}

/* "a=b&c=d", encoded; the caller's. */
static char *form_body(const struct params *params)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	for (size_t i = 0; i < params->n; i++) {
		_cleanup_(freep) char *name = percent_encode(params->v[i].name, strlen(params->v[i].name));
		_cleanup_(freep) char *value = percent_encode(params->v[i].value, strlen(params->v[i].value));

		if (name && value)
			fprintf(f, "%s%s=%s", i ? "&" : "", name, value);
	}
	if (fclose(f) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

/* The headers of one call, by the order in which the signature wants them. */
enum { H_CONTENT_TYPE, H_HOST, H_ACTION, H_SHA256, H_DATE, H_NONCE, H_VERSION, N_HEADERS };

struct headers {
	char host[512], sha256[65], date[TIME_TEXT_SIZE], nonce[UUID_TEXT_SIZE];
	struct sign_header v[N_HEADERS];
};

static int headers_init(struct headers *h, struct cli *cli, const struct product_info *product,
			const char *action, const char *body)
{
	const char *host = strstr(cli->endpoint, "://") + 3;
	int r;

	r = str_format(h->host, sizeof(h->host), "%.*s", (int)strcspn(host, "/"), host);
	if (r < 0)
		return r;
	r = sha256_text(body, strlen(body), h->sha256);
	if (r < 0)
		return r;
	time_format(now_unix_s(), h->date);
	r = uuid_new(h->nonce);
	if (r < 0)
		return r;
	h->v[H_CONTENT_TYPE] = (struct sign_header){"content-type", "application/x-www-form-urlencoded"};
	h->v[H_HOST] = (struct sign_header){"host", h->host};
	h->v[H_ACTION] = (struct sign_header){"x-acs-action", action};
	h->v[H_SHA256] = (struct sign_header){"x-acs-content-sha256", h->sha256};
	h->v[H_DATE] = (struct sign_header){"x-acs-date", h->date};
	h->v[H_NONCE] = (struct sign_header){"x-acs-signature-nonce", h->nonce};
	h->v[H_VERSION] = (struct sign_header){"x-acs-version", product->version};
	return 0;
}

#define SIGNED_HEADERS                                                                                       \
	"content-type;host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version"

static struct curl_slist *append_header(struct curl_slist *list, const char *name, const char *value)
{
	_cleanup_(freep) char *line = NULL;
	struct curl_slist *longer;

	if (asprintf(&line, "%s: %s", name, value) < 0)
		return list;
	longer = curl_slist_append(list, line);
	return longer ?: list;
}

static int sign(struct cli *cli, const struct headers *h, const struct params *params, const char *body,
		struct curl_slist **list)
{
	const struct params nothing = {0};
	const struct sign_request request = {
		.method = "POST",
		.path = "/",
		.query = &nothing,
		.form = params,
		.headers = h->v,
		.n_headers = N_HEADERS,
		.body = body,
		.body_size = strlen(body),
	};
	_cleanup_(freep) char *authorization = NULL;
	char signature[65];
	int r;

	r = sign_acs3(&request, SIGNED_HEADERS, cli->key_secret, signature, NULL);
	if (r < 0)
		return r;
	if (asprintf(&authorization, "ACS3-HMAC-SHA256 Credential=%s,SignedHeaders=%s,Signature=%s",
		     cli->key_id, SIGNED_HEADERS, signature) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < N_HEADERS; i++)
		*list = append_header(*list, h->v[i].name, h->v[i].value);
	*list = append_header(*list, "Authorization", authorization);
	*list = append_header(*list, "Accept", "application/json");
	return 0;
}

/* No call takes longer than --timeout, nor much longer than what is left of a wait. */
static long call_timeout_ms(const struct cli *cli)
{
	uint64_t limit = MIN((uint64_t)cli->timeout_s * 1000, (uint64_t)CALL_TIMEOUT_MS), now = now_mono_ms();

	if (cli->deadline_ms)
		limit = MIN(limit, cli->deadline_ms > now + LAST_CALL_MS ? cli->deadline_ms - now
									 : (uint64_t)LAST_CALL_MS);
	return (long)limit;
}

static int perform(struct cli *cli, struct curl_slist *headers, const char *body, struct cli_reply *ret)
{
	_cleanup_(freep) char *text = NULL;
	char why[CURL_ERROR_SIZE] = "";
	struct buffer buffer = {0};
	json_t *answer;
	CURLcode code;

	if (!cli->curl)
		cli->curl = curl_easy_init();
	if (!cli->curl)
		return cli_fail("cannot start libcurl"), -ENOMEM;
	curl_easy_setopt(cli->curl, CURLOPT_URL, cli->endpoint);
	curl_easy_setopt(cli->curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(cli->curl, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(cli->curl, CURLOPT_WRITEFUNCTION, collect);
	curl_easy_setopt(cli->curl, CURLOPT_WRITEDATA, &buffer);
	curl_easy_setopt(cli->curl, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(cli->curl, CURLOPT_HEADERDATA, ret);
	curl_easy_setopt(cli->curl, CURLOPT_ERRORBUFFER, why);
	curl_easy_setopt(cli->curl, CURLOPT_TIMEOUT_MS, call_timeout_ms(cli));
	curl_easy_setopt(cli->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(cli->curl, CURLOPT_PROXY, "");
	if (cli->ca) { /* that one alone, and not the system's authorities beside it */
		curl_easy_setopt(cli->curl, CURLOPT_CAINFO, cli->ca);
		curl_easy_setopt(cli->curl, CURLOPT_CAPATH, NULL);
	}
	code = curl_easy_perform(cli->curl);
	text = buffer.data;
	curl_easy_setopt(cli->curl, CURLOPT_ERRORBUFFER, NULL);
	if (code == CURLE_COULDNT_CONNECT)
		cli_local_refused(NULL);
	if (code != CURLE_OK)
		return cli_say_unreached(cli, (int)code, *why ? why : curl_easy_strerror(code)), -EIO;
	curl_easy_getinfo(cli->curl, CURLINFO_RESPONSE_CODE, &ret->status);
	answer = json_loads(text ?: "", 0, NULL);
	if (!json_is_object(answer)) {
		json_decref(answer);
		return cli_fail("%s answered status %ld without a JSON object: this is not the API",
				cli->endpoint, ret->status),
		       -EPROTO;
	}
	ret->body = answer;
	return 0;
}

static int send_once(struct cli *cli, const struct product_info *product, const char *action,
		     const struct params *params, struct cli_reply *ret)
{
	_cleanup_(freep) char *body = form_body(params);
	struct curl_slist *list = NULL;
	struct headers headers;
	int r;

	if (!cli->key_id != !cli->key_secret)
		return cli_fail("an access key's %s without its %s: both have to come from the options, the "
				"environment or one file",
				cli->key_id ? "id" : "secret", cli->key_id ? "secret" : "id"),
		       -ENOKEY;
	if (!cli->key_id)
		return cli_fail("no access key: give --access-key-id and --access-key-secret, set "
				"PRIVLINK_ACCESS_KEY_ID and PRIVLINK_ACCESS_KEY_SECRET, or write them to "
				"~/.config/privlink/config (root on privlinkd's machine: privlink admin "
				"new-key)"),
		       -ENOKEY;
	r = body ? headers_init(&headers, cli, product, action, body) : -ENOMEM;
	if (r >= 0)
		r = sign(cli, &headers, params, body, &list);
	if (r < 0)
		(void)cli_fail("cannot sign the call: %s", strerror(-r));
	else
		r = perform(cli, list, body, ret);
	curl_slist_free_all(list);
	return r;
}

bool cli_reply_is_error(const struct cli_reply *reply)
{
	return reply->status < 200 || reply->status >= 300;
}

static const char *text_of(const json_t *object, const char *name, const char *otherwise)
{
	const char *s = json_string_value(json_object_get(object, name));

	return s ? s : otherwise;
}

/* Whether the call was not carried out, only since the account calls too often, and may come again. */
static bool is_throttled(const struct cli_reply *reply)
{
	return cli_reply_is_error(reply) && reply->retry_after_ms > 0 &&
	       streq(text_of(reply->body, "Code", ""), "Throttling.User");
}

/* False: its turn comes too late. */
static bool wait_for_turn(const struct cli *cli, uint64_t ms, uint64_t deadline_ms)
{
	const struct timespec pause = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};

	if (!cli->is_patient && now_mono_ms() + ms > deadline_ms)
		return false;
	if (ms > TELL_WAIT_MS)
		fprintf(stderr, "privlink: the account calls too often; waiting %llu s\n",
			(unsigned long long)(ms + 999) / 1000);
	(void)nanosleep(&pause, NULL);
	return true;
}

int cli_send(struct cli *cli, const struct product_info *product, const char *action,
	     const struct params *params, struct cli_reply *ret)
{
	uint64_t deadline_ms = cli->deadline_ms ?: now_mono_ms() + (uint64_t)cli->timeout_s * 1000;
	int r;

	for (;;) {
		r = send_once(cli, product, action, params, ret);
		if (r < 0 || !is_throttled(ret) || !wait_for_turn(cli, ret->retry_after_ms, deadline_ms))
			return r;
		cli_reply_done(ret);
		*ret = (struct cli_reply){};
	}
}

void cli_reply_print_error(const struct cli_reply *reply)
{
	fprintf(stderr, "%s: %s (%s)\n", text_of(reply->body, "Code", "UnknownError"),
		text_of(reply->body, "Message", "no message"),
		text_of(reply->body, "RequestId", "no request id"));
}

int cli_call(struct cli *cli, const char *product, const char *action, const struct params *params,
	     json_t **ret)
{
	struct cli_reply reply = {0};

	if (cli_send(cli, product_by_name(product), action, params, &reply) < 0)
		return CLI_FAILED;
	if (cli_reply_is_error(&reply)) {
		cli_reply_print_error(&reply);
		cli_reply_done(&reply);
		return CLI_FAILED;
	}
	*ret = TAKE_PTR(reply.body);
	return CLI_OK;
}
