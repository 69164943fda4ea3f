/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection is a stream, bytes that came and are not used yet, bytes that are to go, and a phase. It moves
 * on when its descriptor or its timer says so, by one request at a time: what comes behind one waits, unread
 * or in the buffer, until that is answered. A request that lies in the buffer already is taken in the next
 * turn, so that nobody who sends many at once keeps the others from theirs; and nothing more is read before
 * the buffer is used up, so that it stays small.
 */
#include "connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tls.h"

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

void connection_move_last(struct connection *c)
{
	list_remove(c);
	list_append(c);
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

/* After an answer of this connection's. */
void connection_bound_untaken(struct connection *c)
{
	struct server *server = c->server;
	struct connection *most;

	count_untaken(c);
	while (server->options.untaken_max > 0 && server->untaken > server->options.untaken_max &&
	       (most = most_untaken(server, c)))
		connection_free(most);
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

void connection_enter(struct connection *c, enum phase phase, unsigned int seconds)
{
	c->phase = phase;
	c->deadline_ms = now_mono_ms() + seconds * 1000ULL;
	arm(c);
}

/* ---- moving on ---- */

static int set_events(struct connection *c, uint32_t events)
{
	int r = c->events == events ? 0 : loop_source_set_events(c->source, events);

	if (r == 0)
		c->events = events;
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
	connection_enter(c, PHASE_HEAD, SERVER_HEAD_S);
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
		r = request_read(c);
	if (r == 0)
		r = flush(c);
	if (r == 0 && c->phase == PHASE_ANSWERED)
		request_next(c);
	return r == 0 || r == -EAGAIN ? watch(c) : r;
}

void connection_drive(struct connection *c, uint32_t events)
{
	int r;

	c->driving = true;
	r = events & (EPOLLHUP | EPOLLERR) && c->phase == PHASE_HANDLED ? -ECONNRESET : move_on(c, events);
	c->driving = false;
	if (r < 0)
		connection_free(c);
}

/* ---- beginning and end ---- */

static void ready(void *context, uint32_t events)
{
	struct connection *c = context;

	/* Readers and writers find out themselves. */
	connection_drive(c, events & (EPOLLHUP | EPOLLERR) && c->phase != PHASE_HANDLED
				    ? events | EPOLLIN | EPOLLOUT
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
	connection_drive(c, 0);
}

int connection_new(struct server *server, int fd, const struct netaddr *address)
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
		connection_enter(c, PHASE_HANDSHAKE, SERVER_HANDSHAKE_S);
	else
		connection_enter(c, PHASE_HEAD, SERVER_HEAD_S);
	return 0;
}

void connection_free(struct connection *c)
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
