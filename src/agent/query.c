/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Few clients, short questions, answers of a few kilobytes: a client that does not read its answer is
 * dropped.
 */
#include "query.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <jansson.h>

#include "../lib/log.h"

#define CLIENTS_MAX	  16
#define QUESTION_SIZE_MAX 1024

struct client {
	struct query *query;
	int fd;
	struct loop_source *source;
	char question[QUESTION_SIZE_MAX];
	size_t size;
};

struct query {
	struct loop *loop;
	struct query_parts parts;
	int fd;
	struct loop_source *source;
	struct client *clients[CLIENTS_MAX];
};

static json_t *answer_counters(const struct query_parts *parts)
{
	_cleanup_(freep) struct datapath_counter *counters = NULL;
	json_t *list;
	size_t n;

	if (datapath_counters(parts->datapath, &counters, &n) < 0)
		return NULL;
	list = json_array();
	for (size_t i = 1; list && i < n; i++) /* the first is "none" */
		(void)json_array_append_new(
			list, json_pack("{s:s, s:s, s:I, s:I, s:s}", "reason", counters[i].name, "kind",
					counters[i].is_drop ? "drop" : "pass", "packets",
					(json_int_t)counters[i].packets, "bytes",
					(json_int_t)counters[i].bytes, "text", counters[i].text));
	return json_pack("{s:o}", "counters", list);
}

static json_t *answer_flows(const struct query_parts *parts)
{
	uint64_t count;

	if (datapath_flow_count(parts->datapath, &count) < 0)
		return NULL;
	return json_pack("{s:I}", "flows", (json_int_t)count);
}

static json_t *answer_accept_store(const struct query_parts *parts)
{
	const char *store = "";
	int r = parts->accept_store(parts->context, &store);

	if (r == -EALREADY)
		return json_pack("{s:s, s:s}", "error",
				 "this node does not hold: it follows the store that privlinkd serves",
				 "store", store);
	return r < 0 ? json_pack("{s:s}", "error", "node.json cannot be written")
		     : json_pack("{s:s}", "store", store);
}

static const struct {
	const char *command;
	json_t *(*answer)(const struct query_parts *parts);
} commands[] = {
	{"accept-store", answer_accept_store},
	{"counters", answer_counters},
	{"flows", answer_flows},
};

/* The answer to a line; the caller's. */
static char *answer_line(const struct query_parts *parts, const char *line, size_t size)
{
	json_t *question = json_loadb(line, size, 0, NULL), *answer = NULL;
	const char *command = json_string_value(json_object_get(question, "command"));
	bool is_known = false;
	char *text;

	for (size_t i = 0; i < ARRAY_SIZE(commands) && command; i++)
		if (streq(commands[i].command, command)) {
			is_known = true;
			answer = commands[i].answer(parts);
		}
	if (!answer)
		answer = json_pack("{s:s}", "error",
				   is_known ? "the data path cannot be read" : "no such command");
	text = answer ? json_dumps(answer, JSON_COMPACT) : NULL;
	json_decref(answer);
	json_decref(question);
	return text;
}

static void drop_client(struct client *client)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (client->query->clients[i] == client)
			client->query->clients[i] = NULL;
	loop_source_free(client->source);
	closep(&client->fd);
	free(client);
}

/* -EPIPE: the client cannot or does not read. */
static int send_line(int fd, const char *text)
{
	_cleanup_(freep) char *line = NULL;
	size_t size = strlen(text) + 1;

	line = malloc(size + 1);
	if (!line)
		return -ENOMEM;
	(void)str_format(line, size + 1, "%s\n", text);
	return send(fd, line, size, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)size ? 0 : -EPIPE;
}

static int answer_lines(struct client *client)
{
	char *end;
	int r = 0;

	while (r == 0 && (end = memchr(client->question, '\n', client->size))) {
		size_t size = (size_t)(end - client->question);
		_cleanup_(freep) char *text = answer_line(&client->query->parts, client->question, size);

		r = text ? send_line(client->fd, text) : -ENOMEM;
		client->size -= size + 1;
		memmove(client->question, end + 1, client->size);
	}
	return r < 0 || client->size < sizeof(client->question) ? r : -E2BIG;
}

static void on_client(void *context, uint32_t events)
{
	struct client *client = context;
	ssize_t n =
		recv(client->fd, client->question + client->size, sizeof(client->question) - client->size, 0);

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		drop_client(client);
		return;
	}
	client->size += (size_t)n;
	if (answer_lines(client) < 0)
		drop_client(client);
}

static int add_client(struct query *query, int fd)
{
	struct client *client;
	size_t i = 0;
	int r;

	while (i < CLIENTS_MAX && query->clients[i])
		i++;
	if (i == CLIENTS_MAX)
		return -EBUSY;
	client = calloc(1, sizeof(*client));
	if (!client)
		return -ENOMEM;
	client->query = query;
	client->fd = fd;
	r = loop_add_fd(query->loop, fd, EPOLLIN, on_client, client, &client->source);
	if (r < 0) {
		free(client);
		return r;
	}
	query->clients[i] = client;
	return 0;
}

static bool is_root(int fd)
{
	struct ucred peer = {.uid = (uid_t)-1};
	socklen_t size = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == 0;
}

static void on_connect(void *context, uint32_t events)
{
	struct query *query = context;
	int fd = accept4(query->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (fd < 0)
		return;
	if (!is_root(fd) || add_client(query, fd) < 0)
		closep(&fd);
}

static int listen_on(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_cleanup_(closep) int fd = -EBADF;
	mode_t mask;
	int r;

	if (str_copy(address.sun_path, sizeof(address.sun_path), path) < 0)
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	/* Ours alone: the agent holds its pid file's lock. */
	(void)unlink(path);
	mask = umask(0177);
	r = bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
	(void)umask(mask);
	if (r == 0 && listen(fd, CLIENTS_MAX) < 0)
		r = -errno;
	return r < 0 ? r : TAKE_FD(fd);
}

int query_new(struct loop *loop, const char *socket_path, const struct query_parts *parts, struct query **ret)
{
	struct query *query = calloc(1, sizeof(*query));
	int r;

	if (!query)
		return -ENOMEM;
	query->loop = loop;
	query->parts = *parts;
	query->fd = listen_on(socket_path);
	r = query->fd < 0 ? query->fd
			  : loop_add_fd(loop, query->fd, EPOLLIN, on_connect, query, &query->source);
	if (r < 0) {
		query_free(query);
		return log_errno(r, "cannot listen socket=%s", socket_path);
	}
	*ret = query;
	return 0;
}

struct query *query_free(struct query *query)
{
	if (!query)
		return NULL;
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (query->clients[i])
			drop_client(query->clients[i]);
	loop_source_free(query->source);
	closep(&query->fd);
	free(query);
	return NULL;
}
