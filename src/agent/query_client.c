/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever happens to a client, it is freed in one place, at the end of a call of the loop: those who tell it
 * something may go on to use it.
 */
#include "query_client.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

struct query_client {
	struct query_client_handlers handlers;
	int fd;
	struct loop_source *io, *timer, *life;
	char input[QUERY_LINE_MAX];
	size_t input_size;
	char *text; /* to be taken: from `taken` to `text_size` */
	size_t taken, text_size, text_room;
	bool has_stream, is_over, closes; /* after all was taken */
	struct query_stream stream;
	bool only_http;
	char path[QUERY_LINE_MAX]; /* that a GET has named; "": none has come */
	size_t n_head_lines;
};

static void end_stream(struct query_client *client)
{
	if (client->has_stream && client->stream.end)
		client->stream.end(client->stream.context);
	client->has_stream = false;
}

struct query_client *query_client_free(struct query_client *client)
{
	if (!client)
		return NULL;
	end_stream(client);
	if (client->handlers.gone)
		client->handlers.gone(client->handlers.context, client);
	loop_source_free(client->io);
	loop_source_free(client->timer);
	loop_source_free(client->life);
	closep(&client->fd);
	free(client->text);
	free(client);
	return NULL;
}

/* It is freed when the loop comes to it. */
static void give_up(struct query_client *client)
{
	client->is_over = true;
	loop_timer_set(client->timer, 0);
}

/* ---- what it is told ---- */

static size_t untaken(const struct query_client *client)
{
	return client->text_size - client->taken;
}

static int make_room(struct query_client *client, size_t size)
{
	size_t room = MAX(client->text_room, 1024u);
	char *text;

	if (client->taken) {
		memmove(client->text, client->text + client->taken, untaken(client));
		client->text_size -= client->taken;
		client->taken = 0;
	}
	while (room < client->text_size + size)
		room *= 2;
	if (room == client->text_room)
		return 0;
	text = realloc(client->text, room);
	if (!text)
		return -ENOMEM;
	client->text = text;
	client->text_room = room;
	return 0;
}

int query_client_say(struct query_client *client, const char *text, size_t size)
{
	int r;

	if (client->is_over)
		return -EPIPE;
	if (untaken(client) + size > QUERY_UNTAKEN_MAX)
		return -ENOBUFS;
	r = make_room(client, size);
	if (r < 0)
		return r;
	memcpy(client->text + client->text_size, text, size);
	client->text_size += size;
	loop_timer_set(client->timer, 0);
	return 0;
}

int query_client_format(struct query_client *client, const char *format, ...)
{
	char text[2048];
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(text))
		return -E2BIG;
	return query_client_say(client, text, (size_t)n);
}

int query_client_say_json(struct query_client *client, json_t *object)
{
	_cleanup_(freep) char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	int r;

	json_decref(object);
	if (!text)
		return -ENOMEM;
	r = query_client_say(client, text, strlen(text));
	return r < 0 ? r : query_client_say(client, "\n", 1);
}

void query_client_begin(struct query_client *client, const struct query_stream *stream)
{
	end_stream(client);
	client->stream = *stream;
	client->has_stream = true;
	loop_timer_set(client->timer, 0);
}

/* 1: all is taken; 0: the rest has to wait. */
static int send_text(struct query_client *client)
{
	while (untaken(client) > 0) {
		ssize_t n = send(client->fd, client->text + client->taken, untaken(client),
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		client->taken += (size_t)n;
	}
	return 1;
}

/* The next piece; the one after it comes with another turn of the loop. */
static int go_on(struct query_client *client)
{
	int r;

	if (!client->has_stream || !client->stream.more)
		return 0;
	r = client->stream.more(client->stream.context, client);
	if (r == 0) {
		end_stream(client);
		client->closes = client->closes || *client->path;
	}
	loop_timer_set(client->timer, 0);
	return r < 0 ? r : 0;
}

static int push(struct query_client *client)
{
	int r = send_text(client), q;

	if (r < 0)
		return r;
	q = loop_source_set_events(client->io, r ? EPOLLIN : EPOLLIN | EPOLLOUT);
	if (q < 0 || !r)
		return q;
	if (client->closes)
		return shutdown(client->fd, SHUT_WR) < 0 ? -errno : 0;
	return go_on(client);
}

static void on_timer(void *context, uint32_t events _unused_)
{
	struct query_client *client = context;

	if (client->is_over || push(client) < 0)
		query_client_free(client);
}

/* ---- what it asks ---- */

static int refuse_http(struct query_client *client, const char *status)
{
	client->closes = true;
	return query_client_format(client, "HTTP/1.1 %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
				   status);
}

/* "GET /metrics HTTP/1.1", and lines up to an empty one. */
static int hear_http(struct query_client *client, char *line)
{
	char *path, *end;

	line[strcspn(line, "\r")] = '\0';
	if (!*client->path) {
		path = line + strlen("GET ");
		end = strchr(path, ' ');
		if (!str_starts(line, "GET /") || !end || !str_starts(end, " HTTP/1."))
			return -EINVAL;
		*end = '\0';
		(void)str_copy(client->path, sizeof(client->path), path);
		loop_timer_set(client->life, QUERY_HTTP_LIFE_MS);
		return 0;
	}
	if (++client->n_head_lines > QUERY_HEAD_LINES)
		return -E2BIG;
	if (*line || client->has_stream || client->closes)
		return 0;
	return client->handlers.get(client->handlers.context, client, client->path) < 0
		       ? refuse_http(client, "404 Not Found")
		       : 0;
}

static int hear_line(struct query_client *client, char *line, size_t size)
{
	if (client->only_http || *client->path || (!client->has_stream && str_starts(line, "GET ")))
		return hear_http(client, line);
	if (client->has_stream)
		return 0;
	return client->handlers.line(client->handlers.context, client, line, size);
}

static int hear_lines(struct query_client *client)
{
	char *end;
	int r = 0;

	while (r == 0 && (end = memchr(client->input, '\n', client->input_size))) {
		size_t size = (size_t)(end - client->input);

		*end = '\0';
		r = hear_line(client, client->input, size);
		client->input_size -= size + 1;
		memmove(client->input, end + 1, client->input_size);
	}
	return r < 0 || client->input_size < sizeof(client->input) ? r : -E2BIG;
}

static int hear(struct query_client *client)
{
	ssize_t n = recv(client->fd, client->input + client->input_size,
			 sizeof(client->input) - client->input_size, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return -EPIPE;
	client->input_size += (size_t)n;
	return hear_lines(client);
}

static void on_io(void *context, uint32_t events)
{
	struct query_client *client = context;
	int r = 0;

	if (events & ~(uint32_t)EPOLLOUT)
		r = hear(client);
	if (r == 0 && !client->is_over)
		r = push(client);
	if (r < 0 || client->is_over)
		query_client_free(client);
}

static void on_life(void *context, uint32_t events _unused_)
{
	give_up(context);
}

int query_client_new(struct loop *loop, int fd, bool only_http, const struct query_client_handlers *handlers,
		     struct query_client **ret)
{
	struct query_client *client = calloc(1, sizeof(*client));
	int r;

	if (!client) {
		closep(&fd);
		return -ENOMEM;
	}
	client->fd = fd;
	client->only_http = only_http;
	r = loop_add_timer(loop, on_timer, client, &client->timer);
	if (r == 0)
		r = loop_add_timer(loop, on_life, client, &client->life);
	if (r == 0)
		r = loop_add_fd(loop, fd, EPOLLIN, on_io, client, &client->io);
	if (r < 0) {
		query_client_free(client);
		return r;
	}
	client->handlers = *handlers;
	if (only_http)
		loop_timer_set(client->life, QUERY_HTTP_LIFE_MS);
	*ret = client;
	return 0;
}
