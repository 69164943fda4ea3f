/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole requests, as they come from a socket: the head, the body by length or in chunks, the parameters of
 * query and form, the signature, and the parameters by the tables of the action that is named (and of all
 * actions, where none is). The seeds are what official clients sent; their clock and their key are the ones
 * here, so their signatures are right until a byte of what was signed changes.
 */
#include "api/frame/auth.h"
#include "api/frame/typed.h"
#include "http/chunks.h"
#include "http/server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW 1795362536 /* 2026-11-22T15:48:56Z */
#define UID 1000000000000001

static struct snapshot *make_rows(void)
{
	struct access_key key = {
		.id = "testAccessKeyId", .secret = "testAccessKeySecret", .uid = UID, .active = true};
	char name[KEY_SIZE];
	struct snapshot *rows;
	json_t *json = row_to_json(KIND_ACCESS_KEY, &key);

	(void)row_key(KIND_ACCESS_KEY, &key, name);
	if (snapshot_new(&rows) < 0 || snapshot_apply(rows, name, json, 1, 1) < 0)
		abort();
	json_decref(json);
	return rows;
}

/* The body that follows the head; its size. */
static size_t read_body(const struct head *head, const char *bytes, size_t size, char *ret)
{
	struct chunks chunks = {};
	size_t used = 0, n = 0;

	if (!head->chunked) {
		n = MIN(head->length, (uint64_t)size);
		memcpy(ret, bytes, n);
	}
	while (head->chunked && used < size && chunks.state != CHUNKS_OVER) {
		const char *piece;
		size_t piece_size;
		ssize_t taken = chunks_take(&chunks, bytes + used, size - used, &piece, &piece_size);

		if (taken <= 0)
			break;
		if ((size_t)taken > size - used || piece + piece_size > bytes + size)
			abort();
		memcpy(ret + n, piece, piece_size);
		n += piece_size;
		used += (size_t)taken;
	}
	ret[n] = '\0';
	return n;
}

static void read_typed(const struct params *query, const struct params *form, enum product product,
		       const struct action *action)
{
	struct api_error error = {};
	json_t *params = json_object();
	struct typed *typed;

	if (typed_new(query, form, product, &typed) < 0)
		abort();
	if (action->params && typed_read(typed, action->params, params, &error) == -EBADMSG && !error.code[0])
		abort(); /* a refusal says why */
	typed_free(typed);
	json_decref(params);
}

/* A name that the fuzzer has not found costs the whole tables, so that they are reached without it. */
static void read_actions(const struct params *query, const struct params *form, const char *name)
{
	bool known = false;

	for (enum product p = 0; p < PRODUCT_COUNT_; p++) {
		const struct action *action = name ? action_find(p, name) : NULL;

		if (action)
			read_typed(query, form, p, action);
		known = known || action;
	}
	for (enum product p = 0; !known && p < PRODUCT_COUNT_; p++)
		for (const struct action *action = products[p].actions; action->name; action++)
			read_typed(query, form, p, action);
}

static void check(const struct head *head, char *body, size_t body_size)
{
	static const char form_type[] = "application/x-www-form-urlencoded";
	static struct snapshot *rows;
	struct params query = {}, form = {};
	struct sign_request request = {.method = head->method,
				       .path = head->target,
				       .query = &query,
				       .form = &form,
				       .headers = head->fields,
				       .n_headers = head->n_fields,
				       .body = body,
				       .body_size = body_size};
	char *question = strchr(head->target, '?'), *detail = NULL;
	const char *type = sign_request_header(&request, "content-type"), *name;
	struct auth_call call = {};
	struct api_error error = {};
	struct nonces *nonces;
	int r = 0;

	rows = rows ? rows : make_rows();
	if (nonces_new(&nonces) < 0)
		abort();
	if (question) {
		*question = '\0';
		r = params_parse(question + 1, strlen(question + 1), &query);
	}
	if (r == 0 && type && strncmp(type, form_type, strlen(form_type)) == 0)
		r = params_parse(body, body_size, &form);
	if (r == 0) {
		r = auth_check(nonces, rows, &request, NOW, &call, &error, &detail);
		if (r == 0 ? call.uid != UID || !call.action || !call.version
			   : r == -EBADMSG && !error.code[0])
			abort();
		if (r == 0 && auth_check(nonces, rows, &request, NOW, &call, &error, &detail) == 0)
			abort(); /* a nonce counts once */
		name = params_get(&query, "Action");
		name = name ? name : sign_request_header(&request, "x-acs-action");
		read_actions(&query, &form, name);
	}
	free(detail);
	nonces_free(nonces);
	params_done(&query);
	params_done(&form);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data, *why = NULL;
	size_t scanned = 0, half = 0;
	ssize_t end = head_end(bytes, size, &scanned, &why);
	struct head head;
	char *text, *body;

	/* In two pieces it is the same. */
	if (size > 0 && head_end(bytes, size / 2, &half, &why) == 0 &&
	    head_end(bytes, size, &half, &why) != end)
		abort();
	if (end <= 0)
		return 0;
	if ((size_t)end > size)
		abort();
	text = malloc((size_t)end + 1);
	body = malloc(size + 1);
	if (!text || !body)
		abort();
	memcpy(text, bytes, (size_t)end);
	text[end] = '\0';
	if (head_parse(text, (size_t)end, &head, &why) == 0) {
		if ((head.chunked && head.length > 0) || !*head.method || !*head.target)
			abort();
		check(&head, body, read_body(&head, bytes + end, size - (size_t)end, body));
	} else if (!why && head.n_fields < HEAD_FIELDS_MAX) {
		abort(); /* a refusal says why */
	}
	free(text);
	free(body);
	return 0;
}
