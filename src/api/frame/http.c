/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request's way: readable, for an address that exists, signed by someone, for a product and an action that
 * exist, by an account that does not call too often; then it waits for its turn, run_action() has it, and the
 * answer comes when it comes. Every answer is JSON with a RequestId, errors too. Only the console's files
 * (console.h) are read by everybody, and go another way.
 */
#include "http.h"

#include <assert.h>
#include <stdio.h>
#include <strings.h>

#include "../../lib/ident.h"
#include "../../lib/log.h"
#include "auth.h"
#include "console.h"
#include "note.h"

_Static_assert(SERVER_BODY_MAX <= PARAMS_BYTES_MAX, "what is taken can be parsed");

#define LISTENERS_MAX 8

/* How often old nonces are looked for, and how soon this goes on where there are many accounts. */
#define EXPIRE_INTERVAL_MS (5 * 60 * 1000)
#define EXPIRE_STEP_MS	   10

/* When a caller with too many calls in flight is told to come again. */
#define BUSY_RETRY_MS 1000

#define SYNC_PRIORITY -1 /* behind the calls of the turn, and before what they have changed is durable */

struct http {
	struct loop *loop;
	const struct run_environment *environment;
	struct server *servers[LISTENERS_MAX];
	size_t n_servers;
	struct nonces *nonces;
	struct rates *rates;
	struct rates *wrong; /* by address in place of a region */
	struct turns *turns;
	struct loop_source *expire_timer, *sync;
	bool stopping;
};

/* One request, from the handler's call to the answer. */
struct exchange {
	struct audit *audit;
	struct server_request *request;
	struct note note;
	struct turn turn;
	enum product product;
	const struct action *action;
	int64_t uid;
	char user[ID_SIZE], key[ID_SIZE];
	bool is_ahead; /* its stamp, of our clock */
	char request_id[UUID_TEXT_SIZE];
	struct params query, form;
};

static void exchange_free(struct exchange *exchange)
{
	params_done(&exchange->query);
	params_done(&exchange->form);
	turns_end(&exchange->turn);
	free(exchange);
}

static json_t *error_body(const struct exchange *exchange, const struct api_error *error, const char *detail)
{
	const char *host = server_header(exchange->request, "host");
	_cleanup_(freep) char *message = NULL;
	json_t *body;

	if (asprintf(&message, "%s%s%s", error->message, detail ? " " : "", detail ? detail : "") < 0) {
		message = NULL;
		return NULL;
	}
	/* "o*" leaves out what is not UTF-8: the host and parts of the message are the caller's. */
	body = json_pack("{s:s, s:o*, s:s, s:o*, s:s}", "RequestId", exchange->request_id, "HostId",
			 json_string(host ? host : "localhost"), "Code", error->code, "Message",
			 json_string(message), "Recommend",
			 "Compare the request with the description of the action.");
	return body;
}

/* Answers, and is gone. `code` NULL: it is no error. */
static void answer(struct exchange *exchange, unsigned int status, const char *code, json_t *body)
{
	note_end(&exchange->note, exchange->audit, exchange->request_id, &exchange->query, &exchange->form,
		 status, code);
	server_answer(exchange->request, status, exchange->request_id, body);
	exchange_free(exchange);
}

static void answer_error(struct exchange *exchange, const struct api_error *error, const char *detail)
{
	json_t *body = error_body(exchange, error, detail);

	log_debug("call refused: request=%s code=%s", exchange->request_id, error->code);
	answer(exchange, (unsigned int)error->status, error->code, body);
}

static void refuse(struct exchange *exchange, const char *code, const char *detail)
{
	struct api_error error;

	(void)error_set(&error, code, detail);
	answer_error(exchange, &error, NULL);
}

static void action_done(void *context, const struct api_error *error, json_t *body)
{
	struct exchange *exchange = context;

	if (error) {
		answer_error(exchange, error, NULL);
		return;
	}
	if (json_object_set_new(body, "RequestId", json_string(exchange->request_id)) < 0) {
		refuse(exchange, "ServiceUnavailable", NULL);
		return;
	}
	answer(exchange, 200, NULL, json_incref(body));
}

/* What the server could not read, in the API's words; NULL: all is well. */
static const char *problem_code(int problem)
{
	switch (problem) {
	case 0:
		return NULL;
	case -E2BIG:
		return "InvalidRequest.BodyTooLarge";
	case -ENAMETOOLONG:
		return "InvalidRequest.TargetTooLong";
	case -EMSGSIZE:
		return "InvalidRequest.TooManyHeaders";
	case -ENOMEM:
		return "ServiceUnavailable";
	default:
		return "InvalidRequest.Malformed";
	}
}

static const char *address_code(const struct server_request *request)
{
	if (!streq(request->path, "/"))
		return "InvalidApi.NotFound";
	if (!streq(request->method, "GET") && !streq(request->method, "POST"))
		return "UnsupportedHTTPMethod";
	return NULL;
}

static bool has_form(const struct server_request *request)
{
	const char *type = server_header(request, "content-type");
	static const char form[] = "application/x-www-form-urlencoded";

	return type && strncasecmp(type, form, strlen(form)) == 0;
}

static const char *params_code(int r)
{
	if (r == 0)
		return NULL;
	if (r == -E2BIG)
		return "InvalidRequest.TooManyParameters";
	return r == -ENOMEM ? "ServiceUnavailable" : "InvalidRequest.Malformed";
}

static int read_params(struct exchange *exchange)
{
	const struct server_request *request = exchange->request;
	int r;

	r = params_parse(request->query, strlen(request->query), &exchange->query);
	if (r == 0 && request->body && has_form(request))
		r = params_parse(request->body, request->body_size, &exchange->form);
	if (r == 0 && exchange->query.n + exchange->form.n > PARAMS_MAX)
		r = -E2BIG;
	return r;
}

/* What large requests count as that have no good signature. */
static const struct action large_wrong = {.name = "(wrong)"};

static bool is_large(const struct server_request *request)
{
	return request->has_address && strlen(request->query) + request->body_size > HTTP_LARGE;
}

/* A large request was read for nothing, and for nobody whom it could be charged to. One that came before is
 * no better: its signature is good, and costs its sender nothing. */
static void count_wrong(struct http *http, const struct server_request *request)
{
	char address[NETADDR_TEXT_SIZE];

	if (!is_large(request))
		return;
	netaddr_format(&request->address, address);
	rates_charge(http->wrong, 0, address, &large_wrong, 1, now_mono_ms());
}

/* In how many milliseconds a large request of that address is read again; 0: this one is. */
static uint64_t unread_ms(struct http *http, const struct server_request *request)
{
	char address[NETADDR_TEXT_SIZE];

	if (!is_large(request))
		return 0;
	netaddr_format(&request->address, address);
	return rates_owed(http->wrong, 0, address, &large_wrong, now_mono_ms());
}

/* The account that signed it, and the action's name and version. Answers the request if it fails. */
static int authenticate(struct http *http, struct exchange *exchange, struct auth_call *ret)
{
	const struct server_request *request = exchange->request;
	const struct sign_request to_check = {.method = request->method,
					      .path = request->path,
					      .query = &exchange->query,
					      .form = &exchange->form,
					      .headers = request->headers,
					      .n_headers = request->n_headers,
					      .body = request->body ? request->body : "",
					      .body_size = request->body_size};
	_cleanup_(freep) char *detail = NULL;
	struct api_error error;
	int r;

	note_caller(&exchange->note, request, &exchange->query, &exchange->form,
		    store_rows(http->environment->store));
	r = auth_check(http->nonces, store_rows(http->environment->store), &to_check, now_unix_s(), ret,
		       &error, &detail);
	if (r == -EBADMSG) {
		count_wrong(http, request);
		answer_error(exchange, &error, detail);
	} else if (r < 0) {
		refuse(exchange, "ServiceUnavailable", NULL);
	} else {
		note_signed(&exchange->note, ret);
	}
	return r;
}

/* In which region the call counts, of the catalogue's; "" for all others, and for an action that asks for no
 * region: to name one does not make it another call. */
static const char *region_of(const struct http *http, const struct exchange *exchange)
{
	const char *id = params_get(&exchange->query, "RegionId");
	const struct catalogue_region *region;

	if (exchange->action->flags & ACTION_NO_REGION)
		return "";
	id = id ? id : params_get(&exchange->form, "RegionId");
	region = id && http->environment->catalogue ? catalogue_region(http->environment->catalogue, id)
						    : NULL;
	return region ? region->id : "";
}

/* The caller calls too often: the headers say when it may again, for clients of every age. */
static void throttle(struct exchange *exchange, const char *header, unsigned int limit, uint64_t left_ms,
		     const char *detail)
{
	char text[128];

	(void)str_format(text, sizeof(text), "%llu", (unsigned long long)left_ms);
	server_add_header(exchange->request, "x-acs-retry-after", text);
	(void)str_format(text, sizeof(text), "Limit:%u,Remain:0,TimeLeft:%llu", limit,
			 (unsigned long long)left_ms);
	server_add_header(exchange->request, header, text);
	refuse(exchange, "Throttling.User", detail);
}

static void wait_for_turn(struct http *http, struct exchange *exchange)
{
	uint64_t left_ms = rates_take(http->rates, exchange->uid, region_of(http, exchange), exchange->action,
				      now_mono_ms());
	int r;

	if (left_ms > 0) {
		throttle(exchange, "x-ratelimit-user-api", rates_limit(http->rates, exchange->action),
			 left_ms, NULL);
		return;
	}
	r = turns_begin(http->turns, exchange->uid, &exchange->turn);
	if (r == -EBUSY)
		throttle(exchange, "x-ratelimit-user", TURNS_IN_FLIGHT_MAX, BUSY_RETRY_MS, NULL);
	else if (r < 0)
		refuse(exchange, "ServiceUnavailable", NULL);
}

static void carry_out(void *context, struct turn *turn)
{
	struct http *http = context;
	struct exchange *exchange = container_of(turn, struct exchange, turn);
	const struct action *action = exchange->action;
	const char *region = region_of(http, exchange);
	int64_t uid = exchange->uid;
	uint64_t owed_ms = rates_owed(http->rates, uid, region, action, now_mono_ms());
	unsigned int weight = 0;
	const struct run_request run = {.uid = exchange->uid,
					.user = exchange->user,
					.key = exchange->key,
					.product = exchange->product,
					.action = exchange->action,
					.handler = handler_of(exchange->product, exchange->action),
					.query = &exchange->query,
					.form = &exchange->form,
					.request_id = exchange->request_id,
					.weight = &weight};

	if (http->stopping) {
		refuse(exchange, "ServiceUnavailable", NULL);
		return;
	}
	/* The calls before it in the queue counted as more than they had taken. */
	if (owed_ms > 0) {
		throttle(exchange, "x-ratelimit-user-api", rates_limit(http->rates, action), owed_ms, NULL);
		return;
	}
	if (action->flags & ACTION_CHANGES && exchange->is_ahead)
		loop_defer(http->sync);
	run_action(http->environment, &run, action_done, exchange);
	rates_charge(http->rates, uid, region, action, weight, now_mono_ms());
}

/* What is called, and whether it may be. */
static void take_call(struct http *http, struct exchange *exchange, const struct auth_call *call)
{
	const struct product_info *product = product_by_version(call->version);

	if (!product) {
		refuse(exchange, "InvalidVersion", NULL);
		return;
	}
	exchange->uid = call->uid;
	(void)str_copy(exchange->user, sizeof(exchange->user), call->user);
	(void)str_copy(exchange->key, sizeof(exchange->key), call->key);
	exchange->is_ahead = call->is_ahead;
	exchange->product = product->product;
	exchange->action = action_find(product->product, call->action);
	if (!exchange->action) {
		refuse(exchange, "InvalidAction.NotFound", NULL);
		return;
	}
	log_debug("call: request=%s account=%lld action=%s.%s", exchange->request_id, (long long)call->uid,
		  product->name, exchange->action->name);
	wait_for_turn(http, exchange);
}

/* Reads a request that can be read, and finds out whose it is. */
static void take_request(struct http *http, struct exchange *exchange)
{
	uint64_t left_ms = unread_ms(http, exchange->request);
	struct auth_call call;
	const char *code;

	if (left_ms > 0) {
		throttle(exchange, "x-ratelimit-user", HTTP_LARGE_WRONG_MAX, left_ms,
			 "Too many large requests of this address had no good signature.");
		return;
	}
	code = params_code(read_params(exchange));
	if (code) {
		count_wrong(http, exchange->request);
		refuse(exchange, code, NULL);
	} else if (authenticate(http, exchange, &call) == 0) {
		take_call(http, exchange, &call);
	}
}

static void handle(void *context, struct server_request *request)
{
	struct http *http = context;
	struct exchange *exchange;
	const char *code;

	/* What the server could not read is not looked at. */
	if (request->problem == 0 && console_answer(request))
		return;
	exchange = calloc(1, sizeof(*exchange));
	if (!exchange || uuid_new(exchange->request_id) < 0) {
		free(exchange);
		server_answer(request, 503, NULL, json_pack("{s:s}", "Code", "ServiceUnavailable"));
		return;
	}
	exchange->request = request;
	exchange->audit = http->environment->audit;
	note_begin(&exchange->note, request);
	code = problem_code(request->problem);
	if (!code)
		code = address_code(request);
	if (code)
		refuse(exchange, code, request->why);
	else
		take_request(http, exchange);
}

static void expire(void *context, _unused_ uint32_t events)
{
	struct http *http = context;

	if (nonces_expire(http->nonces, now_unix_s())) {
		loop_timer_set(http->expire_timer, EXPIRE_STEP_MS);
		return;
	}
	if (!nonces_remember_since(http->nonces, now_unix_s()))
		log_warning(
			"the clock was set back: calls are refused until it has caught up with those that "
			"were made before (set the clock)");
	loop_timer_set(http->expire_timer, EXPIRE_INTERVAL_MS);
}

static void sync_nonces(void *context, _unused_ uint32_t events)
{
	struct http *http = context;

	nonces_sync(http->nonces);
}

int http_new(struct loop *loop, const struct run_environment *environment, struct nonces *nonces,
	     const struct rate_limits *limits, struct http **ret)
{
	static const struct rate_limits wrong_limits = {.reads = HTTP_LARGE_WRONG_MAX};
	struct http *http = calloc(1, sizeof(*http));
	int r;

	if (!http) {
		nonces_free(nonces);
		return -ENOMEM;
	}
	*http = (struct http){.loop = loop, .environment = environment, .nonces = nonces};
	r = loop_add_timer(loop, expire, http, &http->expire_timer);
	if (r == 0)
		r = rates_new(limits, &http->rates);
	if (r == 0)
		r = rates_new(&wrong_limits, &http->wrong);
	if (r == 0)
		r = turns_new(loop, carry_out, http, &http->turns);
	if (r == 0)
		r = loop_add_deferred(loop, SYNC_PRIORITY, sync_nonces, http, &http->sync);
	if (r < 0) {
		http_free(http);
		return r;
	}
	loop_timer_set(http->expire_timer, EXPIRE_INTERVAL_MS);
	*ret = http;
	return 0;
}

struct http *http_free(struct http *http)
{
	if (!http)
		return NULL;
	http->stopping = true;
	turns_free(http->turns);
	for (size_t i = 0; i < http->n_servers; i++)
		server_free(http->servers[i]);
	loop_source_free(http->expire_timer);
	loop_source_free(http->sync);
	rates_free(http->rates);
	rates_free(http->wrong);
	nonces_free(http->nonces);
	free(http);
	return NULL;
}

int http_listen(struct http *http, int listen_fd, bool tls)
{
	const struct server_options options = {.listen_fd = listen_fd,
					       .tls = tls,
					       .body_max = SERVER_BODY_MAX,
					       .connections_max = HTTP_CONNECTIONS_MAX,
					       .connections_per_address_max = HTTP_CONNECTIONS_PER_HOST_MAX,
					       .untaken_max = HTTP_UNTAKEN_MAX,
					       .timeout_s = HTTP_TIMEOUT_S};
	int r;

	assert(http->n_servers < LISTENERS_MAX);
	r = server_new(http->loop, &options, handle, http, &http->servers[http->n_servers]);
	if (r == 0)
		http->n_servers++;
	return r;
}
