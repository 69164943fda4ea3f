/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers: their heads, and where they go out.
 */
#include "connection.h"

#include <stdio.h>
#include <strings.h>
#include <time.h>

#define HEAD_SIZE 2048

const char *server_header(const struct server_request *request, const char *name)
{
	for (size_t i = 0; i < request->n_headers; i++)
		if (strcasecmp(request->headers[i].name, name) == 0)
			return request->headers[i].value;
	return NULL;
}

static const char *reason_of(unsigned int status)
{
	static const struct {
		unsigned int status;
		const char *reason;
	} reasons[] = {
		{200, "OK"},
		{302, "Found"},
		{304, "Not Modified"},
		{308, "Permanent Redirect"},
		{400, "Bad Request"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{409, "Conflict"},
		{413, "Content Too Large"},
		{414, "URI Too Long"},
		{429, "Too Many Requests"},
		{431, "Request Header Fields Too Large"},
		{500, "Internal Server Error"},
		{503, "Service Unavailable"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Answer";
}

/* Which lines a head has beside those of all. */
struct answer_head {
	unsigned int status;
	const char *type, *request_id; /* NULL: no such line */
	const char *headers;
	size_t size;
};

static bool has_content(const struct connection *c, unsigned int status)
{
	return status != 304 && !streq(c->exchange->request.method, "HEAD");
}

static int put_head(struct connection *c, const struct answer_head *head)
{
	char text[HEAD_SIZE], date[64], length[64] = "";
	const char *id = head->request_id;
	time_t now = time(NULL);
	struct tm tm;
	int n;

	if (!gmtime_r(&now, &tm) || strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm) == 0)
		return -EINVAL;
	if (head->status != 304) /* of which everybody knows that nothing follows */
		(void)str_format(length, sizeof(length), "Content-Length: %zu\r\n", head->size);
	n = str_format(text, sizeof(text),
		       "HTTP/1.1 %u %s\r\nDate: %s\r\nConnection: %s\r\n%sContent-Type: %s\r\n%s%s%s%s%s\r\n",
		       head->status, reason_of(head->status), date,
		       c->exchange->last ? "close" : "keep-alive", length, head->type,
		       id ? "x-acs-request-id: " : "", id ? id : "", id ? "\r\n" : "", head->headers,
		       c->exchange->more);
	return n < 0 ? n : bytes_add(&c->out, text, (size_t)n);
}

static int put_json(struct connection *c, unsigned int status, const char *request_id, const json_t *body)
{
	_cleanup_(freep) char *text = json_dumps(body, JSON_COMPACT | JSON_REAL_PRECISION(15));
	struct answer_head head = {.status = status,
				   .type = "application/json;charset=utf-8",
				   .request_id = request_id,
				   .headers = ""};
	int r;

	if (!text)
		return -ENOMEM;
	head.size = strlen(text);
	r = put_head(c, &head);
	return r < 0 || !has_content(c, status) ? r : bytes_add(&c->out, text, head.size);
}

static int put_content(struct connection *c, unsigned int status, const struct server_content *content)
{
	const struct answer_head head = {
		.status = status, .type = content->type, .headers = content->headers, .size = content->size};
	int r = put_head(c, &head);

	if (r == 0 && has_content(c, status)) {
		c->content = content->bytes;
		c->content_left = content->size;
	}
	return r;
}

void server_add_header(struct server_request *request, const char *name, const char *value)
{
	struct exchange *exchange = container_of(request, struct exchange, request);
	size_t used = strlen(exchange->more);

	(void)str_format(exchange->more + used, sizeof(exchange->more) - used, "%s: %s\r\n", name, value);
}

/* NULL: there is nobody any more who could be answered; the request is gone. */
static struct connection *answerable(struct server_request *request)
{
	struct exchange *exchange = container_of(request, struct exchange, request);
	struct connection *c = exchange->connection;

	if (!c)
		exchange_free(exchange);
	return c;
}

/* `r`: of putting the answer where it goes out. */
static void answered(struct connection *c, int r)
{
	connection_enter(c, PHASE_ANSWERED, c->server->options.timeout_s);
	if (r < 0) { /* half an answer is none */
		c->out.n = c->sent = c->content_left = 0;
		c->exchange->last = true;
	}
	connection_bound_untaken(c);
	if (!c->driving)
		connection_drive(c, 0);
}

void server_answer(struct server_request *request, unsigned int status, const char *request_id, json_t *body)
{
	struct connection *c = answerable(request);
	int r;

	if (!c) {
		json_decref(body);
		return;
	}
	r = put_json(c, status, request_id, body);
	json_decref(body);
	answered(c, r);
}

void server_answer_content(struct server_request *request, unsigned int status,
			   const struct server_content *content)
{
	struct connection *c = answerable(request);

	if (c)
		answered(c, put_content(c, status, content));
}
