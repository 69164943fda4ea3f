/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libmicrohttpd without threads: its epoll descriptor is a source of our loop.
 *
 * Its inner epoll is edge-triggered, and it may stop before it has taken all that a socket has: it then says
 * so by MHD_get_timeout(), not by its descriptor. So a timer is armed from there after every MHD_run(), and
 * at once after every resumption; without it large bodies stall for good, and so do resumed answers.
 *
 * A request that its handler does not answer at once is suspended and resumed when the answer comes. It has
 * two owners, the connection and whoever will answer; the later of the two frees it.
 */
#include "server.h"

#include <microhttpd.h>
#include <stdio.h>
#include <strings.h>
#include <unistd.h>

#include "../lib/log.h"
#include "tls.h"

/* What a connection may keep in memory of a request's head. Half of it takes the bytes, the other half a
 * record of 56 bytes of each parameter of the target. libmicrohttpd gives no answer at all when it runs out
 * of that, so as many as are accepted must fit. */
#define CONNECTION_MEMORY (256 * 1024)

_Static_assert(2 * SERVER_TARGET_MAX < CONNECTION_MEMORY / 2,
	       "the longest target fits, and some more to be refused");
_Static_assert(PARAMS_MAX * 56 < CONNECTION_MEMORY / 2, "the parameters of a target fit");

struct exchange {
	struct server_request request; /* the handler's view */
	struct server *server;	       /* NULL: it is gone */
	struct MHD_Connection *connection;
	char *target;
	size_t body_room;
	size_t received; /* of the body, discarded bytes too */
	bool begun, handled, answered, suspended;
	bool ended; /* the connection has no more interest */
	struct MHD_Response *response;
	unsigned int status;
	struct exchange *previous, *next; /* the server's list */
};

struct server {
	struct MHD_Daemon *daemon;
	struct loop_source *ready, *timer;
	server_handler handler;
	void *context;
	size_t body_max;
	struct exchange *exchanges;
	bool stopping;
};

const char *server_header(const struct server_request *request, const char *name)
{
	for (size_t i = 0; i < request->n_headers; i++)
		if (strcasecmp(request->headers[i].name, name) == 0)
			return request->headers[i].value;
	return NULL;
}

static void rearm(struct server *server)
{
	MHD_UNSIGNED_LONG_LONG timeout_ms;

	if (MHD_get_timeout(server->daemon, &timeout_ms) == MHD_YES)
		loop_timer_set(server->timer, timeout_ms);
	else
		loop_timer_stop(server->timer);
}

static void run(void *context, _unused_ uint32_t events)
{
	struct server *server = context;

	(void)MHD_run(server->daemon);
	rearm(server);
}

static void exchange_unlink(struct exchange *exchange)
{
	if (!exchange->server)
		return;
	if (exchange->previous)
		exchange->previous->next = exchange->next;
	else
		exchange->server->exchanges = exchange->next;
	if (exchange->next)
		exchange->next->previous = exchange->previous;
	exchange->server = NULL;
}

static void exchange_free(struct exchange *exchange)
{
	exchange_unlink(exchange);
	if (exchange->response)
		MHD_destroy_response(exchange->response);
	free(exchange->request.body);
	free(exchange->target);
	free(exchange);
}

/* Exchanges whose request was never handed over: libmicrohttpd refused it itself, and tells of no end. */
static void forget_unbegun(struct server *server, const struct MHD_Connection *connection)
{
	for (struct exchange *exchange = server->exchanges, *next; exchange; exchange = next) {
		next = exchange->next;
		if (exchange->connection == connection && !exchange->begun)
			exchange_free(exchange);
	}
}

static void connection_changed(void *context, struct MHD_Connection *connection, _unused_ void **state,
			       enum MHD_ConnectionNotificationCode what)
{
	if (what == MHD_CONNECTION_NOTIFY_CLOSED)
		forget_unbegun(context, connection);
}

/* The first thing that libmicrohttpd tells of a request: its target as sent. */
static void *target_came(void *context, const char *target, struct MHD_Connection *connection)
{
	struct server *server = context;
	struct exchange *exchange;

	forget_unbegun(server, connection);
	exchange = calloc(1, sizeof(*exchange));
	if (!exchange)
		return NULL;
	exchange->server = server;
	exchange->connection = connection;
	exchange->next = server->exchanges;
	if (exchange->next)
		exchange->next->previous = exchange;
	server->exchanges = exchange;
	if (strlen(target) > SERVER_TARGET_MAX)
		exchange->request.problem = -ENAMETOOLONG;
	else
		exchange->target = strdup(target);
	return exchange;
}

static enum MHD_Result header_came(void *context, _unused_ enum MHD_ValueKind kind, const char *name,
				   const char *value)
{
	struct server_request *request = context;

	if (request->n_headers == SERVER_HEADERS_MAX) {
		request->problem = -EMSGSIZE;
		return MHD_NO;
	}
	request->headers[request->n_headers++] = (struct sign_header){name, value ? value : ""};
	return MHD_YES;
}

/* The head is complete: the handler's view of it. */
static void begin(struct exchange *exchange, const char *method)
{
	struct server_request *request = &exchange->request;
	static const char nothing[] = "";
	const union MHD_ConnectionInfo *info;

	request->method = method;
	request->path = request->query = nothing;
	if (exchange->target) {
		char *query = strchr(exchange->target, '?');

		if (query)
			*query++ = '\0';
		request->path = exchange->target;
		request->query = query ? query : nothing;
	} else if (request->problem == 0) {
		request->problem = -ENOMEM;
	}
	info = MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	request->fd = info ? info->connect_fd : -EBADF;
	(void)MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, header_came, request);
	exchange->begun = true;
}

static void append_body(struct exchange *exchange, const char *data, size_t size)
{
	struct server_request *request = &exchange->request;
	char *body;

	exchange->received += size;
	if (request->problem < 0)
		return;
	if (exchange->received > exchange->server->body_max) {
		request->problem = -E2BIG;
		return;
	}
	/* By powers of two, so that many small pieces cost no more than few large ones. */
	if (request->body_size + size >= exchange->body_room) {
		size_t room = MAX(exchange->body_room, (size_t)4096);

		while (room <= request->body_size + size)
			room *= 2;
		body = realloc(request->body, room);
		if (!body) {
			request->problem = -ENOMEM;
			return;
		}
		request->body = body;
		exchange->body_room = room;
	}
	memcpy(request->body + request->body_size, data, size);
	request->body_size += size;
	request->body[request->body_size] = '\0';
}

static enum MHD_Result send_answer(struct exchange *exchange)
{
	return exchange->response
		       ? MHD_queue_response(exchange->connection, exchange->status, exchange->response)
		       : MHD_NO;
}

static enum MHD_Result request_came(void *context, struct MHD_Connection *connection,
				    _unused_ const char *url, const char *method,
				    _unused_ const char *version, const char *data, size_t *size,
				    void **state)
{
	struct server *server = context;
	struct exchange *exchange = *state;

	if (!exchange ||
	    (server->stopping && !exchange->answered)) /* no memory for it; nobody to handle it */
		return MHD_NO;
	if (!exchange->begun) {
		begin(exchange, method);
		return MHD_YES;
	}
	if (*size > 0) {
		append_body(exchange, data, *size);
		*size = 0;
		return exchange->received > SERVER_DISCARD_MAX ? MHD_NO : MHD_YES;
	}
	if (!exchange->handled) {
		exchange->handled = true;
		server->handler(server->context, &exchange->request);
	}
	if (exchange->answered)
		return send_answer(exchange);
	exchange->suspended = true;
	MHD_suspend_connection(connection);
	return MHD_YES;
}

static void request_ended(_unused_ void *context, _unused_ struct MHD_Connection *connection, void **state,
			  _unused_ enum MHD_RequestTerminationCode why)
{
	struct exchange *exchange = *state;

	*state = NULL;
	if (!exchange)
		return;
	exchange->ended = true;
	if (!exchange->handled || exchange->answered)
		exchange_free(exchange);
	else
		exchange_unlink(exchange);
}

static struct MHD_Response *response_new(const char *request_id, const json_t *body)
{
	struct MHD_Response *response;
	char *text = json_dumps(body, JSON_COMPACT);

	if (!text)
		return NULL;
	response = MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);
	if (!response) {
		free(text);
		return NULL;
	}
	(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
				      "application/json;charset=utf-8");
	if (request_id)
		(void)MHD_add_response_header(response, "x-acs-request-id", request_id);
	return response;
}

void server_answer(struct server_request *request, unsigned int status, const char *request_id, json_t *body)
{
	struct exchange *exchange = container_of(request, struct exchange, request);

	if (exchange->ended) {
		json_decref(body);
		exchange_free(exchange);
		return;
	}
	exchange->response = response_new(request_id, body); /* NULL: the connection is cut */
	exchange->status = status;
	exchange->answered = true;
	json_decref(body);
	if (exchange->suspended) {
		exchange->suspended = false;
		MHD_resume_connection(exchange->connection);
		/* Neither the descriptor nor MHD_get_timeout() tells of it in every case. */
		loop_timer_set(exchange->server->timer, 0);
	}
}

static void log_message(_unused_ void *context, const char *format, va_list ap)
{
	char text[512];
	size_t length;

	(void)vsnprintf(text, sizeof(text), format, ap);
	length = strlen(text);
	while (length > 0 && text[length - 1] == '\n')
		text[--length] = '\0';
	log_debug("http: %s", text);
}

static struct MHD_Daemon *start(struct server *server, const struct server_options *options)
{
	unsigned int flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
	/* Without TLS the list ends early. */
	struct MHD_OptionItem tls[] = {
		{options->tls ? MHD_OPTION_HTTPS_CERT_CALLBACK2 : MHD_OPTION_END, 0, tls_retrieve_function()},
		{MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)TLS_PRIORITIES},
		{MHD_OPTION_END, 0, NULL},
	};

	if (options->tls)
		flags |= MHD_USE_TLS;
	return MHD_start_daemon(
		flags, 0, NULL, NULL, request_came, server, MHD_OPTION_EXTERNAL_LOGGER, log_message, NULL,
		MHD_OPTION_LISTEN_SOCKET, options->listen_fd, MHD_OPTION_URI_LOG_CALLBACK, target_came,
		server, MHD_OPTION_NOTIFY_COMPLETED, request_ended, NULL, MHD_OPTION_NOTIFY_CONNECTION,
		connection_changed, server, MHD_OPTION_CONNECTION_LIMIT, options->connections_max,
		MHD_OPTION_PER_IP_CONNECTION_LIMIT, options->connections_per_address_max,
		MHD_OPTION_CONNECTION_TIMEOUT, options->timeout_s, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)CONNECTION_MEMORY, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
}

int server_new(struct loop *loop, const struct server_options *options, server_handler handler, void *context,
	       struct server **ret)
{
	struct server *server = calloc(1, sizeof(*server));
	const union MHD_DaemonInfo *info;
	int r;

	if (!server) {
		(void)close(options->listen_fd);
		return -ENOMEM;
	}
	server->handler = handler;
	server->context = context;
	server->body_max = options->body_max;
	server->daemon = start(server, options);
	if (!server->daemon) {
		(void)close(options->listen_fd);
		free(server);
		return -EINVAL;
	}
	info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	r = info ? loop_add_fd(loop, info->epoll_fd, EPOLLIN, run, server, &server->ready) : -ENOTSUP;
	if (r == 0)
		r = loop_add_timer(loop, run, server, &server->timer);
	if (r < 0) {
		server_free(server);
		return r;
	}
	rearm(server);
	*ret = server;
	return 0;
}

/* Connections that wait for an answer are cut: stopping is not allowed while any is suspended. */
static void resume_all(struct server *server)
{
	for (struct exchange *exchange = server->exchanges; exchange; exchange = exchange->next) {
		if (!exchange->suspended)
			continue;
		exchange->suspended = false;
		MHD_resume_connection(exchange->connection);
	}
	(void)MHD_run(server->daemon);
}

struct server *server_free(struct server *server)
{
	if (!server)
		return NULL;
	server->ready = loop_source_free(server->ready);
	server->stopping = true;
	resume_all(server);
	MHD_stop_daemon(server->daemon); /* closes the listening socket, and ends every request */
	loop_source_free(server->timer);
	free(server);
	return NULL;
}
