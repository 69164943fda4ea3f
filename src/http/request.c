/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request has two owners, its connection and whoever will answer; the later of the two frees it.
 */
#include "connection.h"

#include <strings.h>

static struct exchange *exchange_new(struct connection *c)
{
	struct exchange *exchange = calloc(1, sizeof(*exchange));
	static const char nothing[] = "";

	if (!exchange)
		return NULL;
	exchange->connection = c;
	exchange->request = (struct server_request){.method = nothing,
						    .path = nothing,
						    .query = nothing,
						    .fd = c->stream.fd,
						    .tls = c->server->options.tls,
						    .has_address = c->has_address,
						    .address = c->address};
	c->exchange = exchange;
	return exchange;
}

void exchange_free(struct exchange *exchange)
{
	free(exchange->request.body);
	free(exchange->text);
	free(exchange);
}

static void hand_over(struct connection *c)
{
	connection_enter(c, PHASE_HANDLED, 0);
	c->server->handler(c->server->context, &c->exchange->request);
}

/* Answers what cannot be read, and no more from this connection. */
static int refuse(struct connection *c, int problem, const char *why)
{
	struct exchange *exchange = c->exchange ? c->exchange : exchange_new(c);

	if (!exchange)
		return -ENOMEM;
	exchange->request.problem = problem;
	exchange->request.why = why;
	exchange->last = true;
	hand_over(c);
	return 0;
}

/* Of a target in absolute form, "http://host:port/path", what is behind the authority (RFC 9112, 3.2.2: a
 * server must take it); of another one all. */
static char *skip_authority(char *target)
{
	static const char *const schemes[] = {"http://", "https://"};

	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
		size_t n = strlen(schemes[i]);
		size_t length = strncasecmp(target, schemes[i], n) == 0 ? strcspn(target + n, "/?") : 0;

		if (length > 0)
			return target + n + length;
	}
	return target;
}

static void read_target(struct exchange *exchange)
{
	struct server_request *request = &exchange->request;
	char *path = skip_authority(exchange->head.target), *query = strchr(path, '?');

	request->method = exchange->head.method;
	request->headers = exchange->head.fields;
	request->n_headers = exchange->head.n_fields;
	request->path = path;
	if (query) {
		*query = '\0';
		request->query = query + 1;
	}
	if (path > exchange->head.target && !*path)
		request->path = "/";
}

static int begin(struct connection *c, size_t size)
{
	struct exchange *exchange = exchange_new(c);
	const char *why = NULL;
	int r;

	if (!exchange)
		return -ENOMEM;
	exchange->text = strndup(c->in.v, size);
	if (!exchange->text)
		return -ENOMEM;
	r = head_parse(exchange->text, size, &exchange->head, &why);
	bytes_drop(&c->in, size);
	c->scanned = 0;
	c->skipped_line = false;
	if (r < 0)
		return refuse(c, r, why);
	exchange->last = !exchange->head.keep;
	if (strlen(exchange->head.target) > SERVER_TARGET_MAX)
		return refuse(c, -ENAMETOOLONG, NULL);
	read_target(exchange);
	if (!exchange->head.chunked && exchange->head.length == 0) {
		hand_over(c);
		return 0;
	}
	connection_enter(c, PHASE_BODY, SERVER_BODY_S);
	if (exchange->head.expects && c->in.n == 0)
		return bytes_add(&c->out, "HTTP/1.1 100 Continue\r\n\r\n", 25);
	return 0;
}

/* A head that will not end within its bound. */
static int refuse_long_head(struct connection *c)
{
	const char *line_end = memchr(c->in.v, '\r', c->in.n);

	if (!line_end || line_end - c->in.v > SERVER_TARGET_MAX)
		return refuse(c, -ENAMETOOLONG, NULL);
	return refuse(c, -EMSGSIZE, NULL);
}

/* Looks for a head in what came. */
static int read_head(struct connection *c)
{
	const char *why = NULL;
	ssize_t size;

	/* One empty line in front is what some clients put behind a form. */
	if (!c->skipped_line && c->in.n >= 2 && memcmp(c->in.v, "\r\n", 2) == 0) {
		bytes_drop(&c->in, 2);
		c->scanned = 0;
		c->skipped_line = true;
	}
	size = head_end(c->in.v, c->in.n, &c->scanned, &why);
	if (size < 0)
		return refuse(c, (int)size, why);
	if ((size_t)size > SERVER_HEAD_MAX || (size == 0 && c->in.n > SERVER_HEAD_MAX))
		return refuse_long_head(c);
	return size > 0 ? begin(c, (size_t)size) : 0;
}

static void append_body(struct exchange *exchange, const char *data, size_t size, size_t body_max)
{
	struct server_request *request = &exchange->request;

	exchange->received += size;
	if (request->problem < 0)
		return;
	if (exchange->received > body_max) {
		request->problem = -E2BIG;
		return;
	}
	if (bytes_grow(&request->body, &exchange->body_room, request->body_size + size) < 0) {
		request->problem = -ENOMEM;
		return;
	}
	memcpy(request->body + request->body_size, data, size);
	request->body_size += size;
	request->body[request->body_size] = '\0';
}

/* Takes the body's part of what came. */
static int read_body(struct connection *c)
{
	struct exchange *exchange = c->exchange;
	struct head *head = &exchange->head;
	size_t used = 0, body_max = c->server->options.body_max;
	bool over = false;

	while (used < c->in.n && !over) {
		const char *piece = c->in.v + used;
		size_t size = c->in.n - used;
		ssize_t taken;

		if (head->chunked) {
			taken = chunks_take(&exchange->chunks, c->in.v + used, size, &piece, &size);
			if (taken < 0)
				return refuse(c, -EINVAL, "The chunks of the body are malformed.");
			over = exchange->chunks.state == CHUNKS_OVER;
		} else {
			size = MIN(size, head->length - exchange->received);
			taken = (ssize_t)size;
		}
		if (size > 0)
			append_body(exchange, piece, size, body_max);
		used += (size_t)taken;
		over = over || (!head->chunked && exchange->received == head->length);
		if (exchange->received > SERVER_DISCARD_MAX && exchange->received > body_max)
			return -EFBIG;
	}
	bytes_drop(&c->in, used);
	if (over)
		hand_over(c);
	return 0;
}

/* What its phase makes of what came. */
int request_read(struct connection *c)
{
	int r = 0;

	if (c->phase == PHASE_HEAD && c->in.n > 0)
		r = read_head(c);
	if (r == 0 && c->phase == PHASE_BODY)
		r = read_body(c);
	return r;
}

/* The answer is out: the next request, or none. */
void request_next(struct connection *c)
{
	bool last = c->exchange->last;

	exchange_free(TAKE_PTR(c->exchange));
	if (last) {
		stream_end(&c->stream);
		bytes_done(&c->in);
		connection_enter(c, PHASE_LINGER, SERVER_LINGER_S);
		return;
	}
	connection_move_last(c);
	c->served = true;
	c->again = c->in.n > 0;
	if (c->in.n == 0 && c->in.room > KEPT_MAX)
		bytes_done(&c->in);
	connection_enter(c, PHASE_HEAD, c->in.n > 0 ? SERVER_HEAD_S : c->server->options.timeout_s);
}
