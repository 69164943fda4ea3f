/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection is a stream, bytes that came and are not used yet, bytes that are to go, and a phase. It moves
 * on when its descriptor or its timer says so, by one request at a time: what comes behind one waits, unread
 * or in the buffer, until that is answered. A request that lies in the buffer already is taken in the next
 * turn, so that nobody who sends many at once keeps the others from theirs; and nothing more is read before
 * the buffer is used up, so that it stays small.
 *
 * Connections stand in one list, that which waits longest for a request first. When there is no room, the
 * first one whose request is not just being carried out goes.
 *
 * A request has two owners, its connection and whoever will answer; the later of the two frees it.
 */
#include "server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../lib/log.h"
#include "../lib/netaddr.h"
#include "chunks.h"
#include "stream.h"
#include "tls.h"

#define ACCEPTS_PER_TURN 16
/* Before accepting is tried again, when the process has no descriptor for it. */
#define ACCEPT_PAUSE_MS 100
#define KEPT_MAX	(16 * 1024) /* of a buffer that is empty */
#define HEAD_SIZE	2048	    /* of an answer's */

enum phase {
	PHASE_HANDSHAKE,
	PHASE_HEAD, /* waits for one, or has begun it */
	PHASE_BODY,
	PHASE_HANDLED,	/* the handler has it */
	PHASE_ANSWERED, /* the answer is on its way */
	PHASE_LINGER,	/* all is said; what still comes is thrown away, so that the answer is not */
};

struct exchange {
	struct server_request request; /* the handler's view */
	struct connection *connection; /* NULL: it is gone */
	char *text;		       /* the head's */
	struct head head;
	struct chunks chunks;
	size_t body_room;
	uint64_t received; /* of the body, discarded bytes too */
	char more[256];	   /* headers of the answer */
	bool last;	   /* the connection ends with it */
};

struct bytes {
	char *v;
	size_t n, room;
};

struct connection {
	struct server *server;
	struct stream stream;
	struct loop_source *source, *timer;
	uint32_t events;
	enum phase phase;
	uint64_t deadline_ms;
	bool again;   /* the buffer may have a whole request; the next turn looks */
	bool driving; /* in drive(), which goes on after what it calls */
	bool skipped_line;
	bool served; /* a request */
	struct bytes in, out;
	const char *content; /* goes behind `out`; not ours */
	size_t content_left;
	size_t counted; /* of `out`, in what the server has of all */
	size_t scanned, sent, discarded;
	struct exchange *exchange;
	struct netaddr address;
	bool has_address;
	struct connection *previous, *next;
};

struct server {
	struct loop *loop;
	struct server_options options;
	struct loop_source *ready, *pause;
	struct tls_server *tls;
	server_handler handler;
	void *context;
	struct connection *first, *last;
	size_t n_connections;
	size_t untaken; /* room that answers have */
};

const char *server_header(const struct server_request *request, const char *name)
{
	for (size_t i = 0; i < request->n_headers; i++)
		if (strcasecmp(request->headers[i].name, name) == 0)
			return request->headers[i].value;
	return NULL;
}

/* ---- bytes ---- */

/* By powers of two, so that many small pieces cost no more than few large ones. A NUL has room behind it. */
static int grow(char **v, size_t *room, size_t needed)
{
	size_t size = MAX(*room, (size_t)1024);
	char *grown;

	if (needed < *room)
		return 0;
	while (size <= needed)
		size *= 2;
	grown = realloc(*v, size);
	if (!grown)
		return -ENOMEM;
	*v = grown;
	*room = size;
	return 0;
}

static int bytes_add(struct bytes *bytes, const char *data, size_t size)
{
	int r = grow(&bytes->v, &bytes->room, bytes->n + size);

	if (r < 0)
		return r;
	memcpy(bytes->v + bytes->n, data, size);
	bytes->n += size;
	return 0;
}

static void bytes_drop(struct bytes *bytes, size_t n)
{
	bytes->n -= n;
	if (bytes->n > 0)
		memmove(bytes->v, bytes->v + n, bytes->n);
}

static void bytes_done(struct bytes *bytes)
{
	free(bytes->v);
	*bytes = (struct bytes){};
}

/* ---- the list ---- */

static void list_remove(struct connection *c)
{
	struct server *server = c->server;

	*(c->previous ? &c->previous->next : &server->first) = c->next;
	*(c->next ? &c->next->previous : &server->last) = c->previous;
	c->previous = c->next = NULL;
}

static void list_append(struct connection *c)
{
	struct server *server = c->server;

	c->previous = server->last;
	*(server->last ? &server->last->next : &server->first) = c;
	server->last = c;
}

/* ---- what answers take ---- */

static void count_untaken(struct connection *c)
{
	c->server->untaken = c->server->untaken - c->counted + c->out.room;
	c->counted = c->out.room;
}

static struct connection *most_untaken(const struct server *server, const struct connection *but)
{
	struct connection *most = NULL;

	for (struct connection *c = server->first; c; c = c->next)
		if (c != but && !c->driving && c->counted > KEPT_MAX && (!most || c->counted > most->counted))
			most = c;
	return most;
}

static void connection_free(struct connection *c);

/* After an answer of this connection's. */
static void bound_untaken(struct connection *c)
{
	struct server *server = c->server;
	struct connection *most;

	count_untaken(c);
	while (server->options.untaken_max > 0 && server->untaken > server->options.untaken_max &&
	       (most = most_untaken(server, c)))
		connection_free(most);
}

/* ---- the end of things ---- */

static void exchange_free(struct exchange *exchange)
{
	free(exchange->request.body);
	free(exchange->text);
	free(exchange);
}

static void connection_free(struct connection *c)
{
	if (c->exchange && c->phase == PHASE_HANDLED) {
		c->exchange->connection = NULL;
		c->exchange->request.fd = -EBADF;
	} else if (c->exchange) {
		exchange_free(c->exchange);
	}
	list_remove(c);
	c->server->n_connections--;
	c->server->untaken -= c->counted;
	loop_source_free(c->source);
	loop_source_free(c->timer);
	stream_close(&c->stream);
	bytes_done(&c->in);
	bytes_done(&c->out);
	free(c);
}

/* ---- time ---- */

static void arm(struct connection *c)
{
	uint64_t now = now_mono_ms();

	if (c->again)
		loop_timer_set(c->timer, 0);
	else if (c->phase == PHASE_HANDLED)
		loop_timer_stop(c->timer);
	else
		loop_timer_set(c->timer, c->deadline_ms > now ? c->deadline_ms - now : 0);
}

static void enter(struct connection *c, enum phase phase, unsigned int seconds)
{
	c->phase = phase;
	c->deadline_ms = now_mono_ms() + seconds * 1000ULL;
	arm(c);
}

static int set_events(struct connection *c, uint32_t events)
{
	int r = c->events == events ? 0 : loop_source_set_events(c->source, events);

	if (r == 0)
		c->events = events;
	return r;
}

/* ---- answers ---- */

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

static bool has_output(const struct connection *c)
{
	return c->sent < c->out.n || c->content_left > 0;
}

static int flush_content(struct connection *c)
{
	while (c->content_left > 0) {
		ssize_t n = stream_write(&c->stream, c->content, c->content_left);

		if (n < 0)
			return (int)n;
		c->content += n;
		c->content_left -= (size_t)n;
	}
	return 0;
}

/* 0: all that was to go has gone. -EAGAIN: not yet. */
static int flush(struct connection *c)
{
	while (c->sent < c->out.n) {
		ssize_t n = stream_write(&c->stream, c->out.v + c->sent, c->out.n - c->sent);

		if (n < 0)
			return (int)n;
		c->sent += (size_t)n;
	}
	c->sent = c->out.n = 0;
	if (c->out.room > KEPT_MAX)
		bytes_done(&c->out);
	count_untaken(c);
	return flush_content(c);
}

/* ---- requests ---- */

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
						    .tls = c->server->options.tls};
	c->exchange = exchange;
	return exchange;
}

static void hand_over(struct connection *c)
{
	enter(c, PHASE_HANDLED, 0);
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

static void read_target(struct exchange *exchange)
{
	struct server_request *request = &exchange->request;
	char *query = strchr(exchange->head.target, '?');

	request->method = exchange->head.method;
	request->headers = exchange->head.fields;
	request->n_headers = exchange->head.n_fields;
	request->path = exchange->head.target;
	if (query) {
		*query = '\0';
		request->query = query + 1;
	}
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
	enter(c, PHASE_BODY, SERVER_BODY_S);
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
	if (grow(&request->body, &exchange->body_room, request->body_size + size) < 0) {
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

/* The answer is out: the next request, or none. */
static void next_request(struct connection *c)
{
	bool last = c->exchange->last;

	exchange_free(TAKE_PTR(c->exchange));
	if (last) {
		stream_end(&c->stream);
		bytes_done(&c->in);
		enter(c, PHASE_LINGER, SERVER_LINGER_S);
		return;
	}
	list_remove(c);
	list_append(c);
	c->served = true;
	c->again = c->in.n > 0;
	if (c->in.n == 0 && c->in.room > KEPT_MAX)
		bytes_done(&c->in);
	enter(c, PHASE_HEAD, c->in.n > 0 ? SERVER_HEAD_S : c->server->options.timeout_s);
}

/* ---- moving on ---- */

/* What its phase makes of what came. */
static int use_bytes(struct connection *c)
{
	int r = 0;

	if (c->phase == PHASE_HEAD && c->in.n > 0)
		r = read_head(c);
	if (r == 0 && c->phase == PHASE_BODY)
		r = read_body(c);
	return r;
}

/* One read; 0: something came. */
static int receive(struct connection *c)
{
	char bytes[STREAM_READ_SIZE];
	bool idle = c->phase == PHASE_HEAD && c->in.n == 0 && c->served;
	ssize_t n;

	if (c->phase == PHASE_LINGER) {
		n = recv(c->stream.fd, bytes, sizeof(bytes), 0);
		c->discarded += n > 0 ? (size_t)n : 0;
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return 0;
		return n <= 0 || c->discarded > SERVER_DISCARD_MAX ? -ECONNRESET : 0;
	}
	n = stream_read(&c->stream, bytes, sizeof(bytes));
	if (n <= 0)
		return n == 0 ? -ECONNRESET : n == -EAGAIN ? 0 : (int)n;
	if (idle) {
		c->deadline_ms = now_mono_ms() + SERVER_HEAD_S * 1000ULL;
		arm(c);
	}
	return bytes_add(&c->in, bytes, (size_t)n);
}

static int shake_hands(struct connection *c)
{
	int r = stream_handshake(&c->stream);

	if (r == -EAGAIN)
		return set_events(c, stream_wants_write(&c->stream) ? EPOLLOUT : EPOLLIN);
	if (r < 0)
		return r;
	enter(c, PHASE_HEAD, SERVER_HEAD_S);
	return 0;
}

/* What it does not read yet: a request is with the handler, or may be in the buffer. */
static bool has_enough(const struct connection *c)
{
	return c->phase == PHASE_HANDLED || c->again;
}

/* What it waits for. While it has enough that is nothing, but the descriptor is told so only if something
 * comes: most are answered before. */
static int watch(struct connection *c)
{
	uint32_t events = has_output(c) ? EPOLLOUT : 0;

	if (c->phase == PHASE_HANDSHAKE)
		return 0;
	if (has_enough(c))
		events |= c->events & EPOLLIN;
	else if (c->phase != PHASE_ANSWERED)
		events |= EPOLLIN;
	return set_events(c, events);
}

/* Goes on until there is nothing to do but wait. Negative: the connection has ended. */
static int move_on(struct connection *c, uint32_t events)
{
	int r = 0;

	if (c->phase == PHASE_HANDSHAKE) {
		r = shake_hands(c);
		events |= EPOLLIN; /* it may have read what came behind */
	}
	if (r == 0 && has_enough(c) && events & EPOLLIN)
		return set_events(c, c->events & ~(uint32_t)EPOLLIN);
	if (r == 0 && events & EPOLLIN && c->phase != PHASE_HANDSHAKE && c->phase != PHASE_ANSWERED)
		r = receive(c);
	if (r == 0)
		r = use_bytes(c);
	if (r == 0)
		r = flush(c);
	if (r == 0 && c->phase == PHASE_ANSWERED)
		next_request(c);
	return r == 0 || r == -EAGAIN ? watch(c) : r;
}

static void drive(struct connection *c, uint32_t events)
{
	int r;

	c->driving = true;
	r = events & (EPOLLHUP | EPOLLERR) && c->phase == PHASE_HANDLED ? -ECONNRESET : move_on(c, events);
	c->driving = false;
	if (r < 0)
		connection_free(c);
}

static void ready(void *context, uint32_t events)
{
	struct connection *c = context;

	/* Readers and writers find out themselves. */
	drive(c, events & (EPOLLHUP | EPOLLERR) && c->phase != PHASE_HANDLED ? events | EPOLLIN | EPOLLOUT
									     : events);
}

static void timer_came(void *context, _unused_ uint32_t events)
{
	struct connection *c = context;

	if (!c->again) {
		connection_free(c);
		return;
	}
	c->again = false;
	arm(c);
	drive(c, 0);
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
	enter(c, PHASE_ANSWERED, c->server->options.timeout_s);
	if (r < 0) { /* half an answer is none */
		c->out.n = c->sent = c->content_left = 0;
		c->exchange->last = true;
	}
	bound_untaken(c);
	if (!c->driving)
		drive(c, 0);
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

/* ---- connections ---- */

/* Whom the bound per address counts together. */
static bool read_address(const struct sockaddr_storage *peer, struct netaddr *ret)
{
	*ret = (struct netaddr){};
	if (peer->ss_family == AF_INET) {
		*ret = netaddr_v4(ntohl(((const struct sockaddr_in *)peer)->sin_addr.s_addr));
		return true;
	}
	if (peer->ss_family != AF_INET6)
		return false;
	memcpy(ret->bytes, &((const struct sockaddr_in6 *)peer)->sin6_addr, sizeof(ret->bytes));
	if (!netaddr_is_v4(ret))
		memset(ret->bytes + 8, 0, 8);
	return true;
}

static bool is_from(const struct connection *c, const struct netaddr *address)
{
	return !address || (c->has_address && netaddr_compare(&c->address, address) == 0);
}

/* Whether there is room for one more of them all (NULL) or of an address; the oldest that is not busy makes
 * it. */
static bool make_room(struct server *server, const struct netaddr *address, unsigned int max)
{
	struct connection *oldest = NULL;
	unsigned int n = 0;

	for (struct connection *c = server->first; c; c = c->next) {
		if (!is_from(c, address))
			continue;
		n++;
		if (!oldest && c->phase != PHASE_HANDLED)
			oldest = c;
	}
	if (n < max)
		return true;
	if (!oldest)
		return false;
	connection_free(oldest);
	return true;
}

static bool admit(struct server *server, const struct netaddr *address)
{
	const struct server_options *options = &server->options;

	if (address && options->connections_per_address_max > 0 &&
	    !make_room(server, address, options->connections_per_address_max))
		return false;
	return make_room(server, NULL, options->connections_max);
}

static int connection_new(struct server *server, int fd, const struct netaddr *address)
{
	struct connection *c = calloc(1, sizeof(*c));
	int r;

	if (!c) {
		(void)close(fd);
		return -ENOMEM;
	}
	c->server = server;
	list_append(c);
	server->n_connections++;
	if (address) {
		c->has_address = true;
		c->address = *address;
	}
	c->events = EPOLLIN;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int)); /* others have none */
	r = stream_open(&c->stream, fd, server->tls);
	if (r == 0)
		r = loop_add_fd(server->loop, fd, c->events, ready, c, &c->source);
	if (r == 0)
		r = loop_add_timer(server->loop, timer_came, c, &c->timer);
	if (r < 0) {
		connection_free(c);
		return r;
	}
	if (server->tls)
		enter(c, PHASE_HANDSHAKE, SERVER_HANDSHAKE_S);
	else
		enter(c, PHASE_HEAD, SERVER_HEAD_S);
	return 0;
}

/* No descriptor is left: who came before makes room, or they wait. */
static void out_of_descriptors(struct server *server)
{
	if (server->first && make_room(server, NULL, 0))
		return;
	log_warning("cannot accept connections: no descriptors are left");
	(void)loop_source_set_events(server->ready, 0);
	loop_timer_set(server->pause, ACCEPT_PAUSE_MS);
}

static void accept_again(void *context, _unused_ uint32_t events)
{
	struct server *server = context;

	(void)loop_source_set_events(server->ready, EPOLLIN);
}

static void callers_came(void *context, _unused_ uint32_t events)
{
	struct server *server = context;

	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		struct sockaddr_storage peer = {};
		socklen_t size = sizeof(peer);
		struct netaddr address;
		bool has_address;
		int fd = accept4(server->options.listen_fd, (struct sockaddr *)&peer, &size,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE)
				out_of_descriptors(server);
			return;
		}
		has_address = read_address(&peer, &address);
		if (!admit(server, has_address ? &address : NULL))
			(void)close(fd);
		else if (connection_new(server, fd, has_address ? &address : NULL) < 0)
			log_debug("http: cannot take a connection");
	}
}

int server_new(struct loop *loop, const struct server_options *options, server_handler handler, void *context,
	       struct server **ret)
{
	struct server *server = calloc(1, sizeof(*server));
	int r;

	if (!server) {
		(void)close(options->listen_fd);
		return -ENOMEM;
	}
	*server = (struct server){.loop = loop, .options = *options, .handler = handler, .context = context};
	r = options->tls ? tls_server_new(&server->tls) : 0;
	if (r == 0)
		r = loop_add_fd(loop, options->listen_fd, EPOLLIN, callers_came, server, &server->ready);
	if (r == 0)
		r = loop_add_timer(loop, accept_again, server, &server->pause);
	if (r < 0) {
		server_free(server);
		return r;
	}
	*ret = server;
	return 0;
}

struct server *server_free(struct server *server)
{
	if (!server)
		return NULL;
	while (server->first)
		connection_free(server->first);
	loop_source_free(server->ready);
	loop_source_free(server->pause);
	closep(&server->options.listen_fd);
	tls_server_free(server->tls);
	free(server);
	return NULL;
}
