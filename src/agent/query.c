/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Few clients, short questions. Those of the port cannot take the place of those of the socket.
 */
#include "query.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <jansson.h>

#include "../lib/listen.h"
#include "../lib/log.h"
#include "flow_log.h"
#include "query_client.h"
#include "query_flows.h"
#include "query_metrics.h"
#include "query_trace.h"

struct query {
	struct loop *loop;
	struct query_parts parts;
	int fd, metrics_fd;
	struct loop_source *source, *metrics_source;
	struct query_trace *trace;
	struct query_client *clients[QUERY_CLIENTS_MAX], *metrics_clients[QUERY_METRICS_CLIENTS_MAX];
};

static const struct plan *plan_of(void *context)
{
	const struct query *query = context;

	return query->parts.plan ? query->parts.plan(query->parts.context) : NULL;
}

/* ---- answers of one line ---- */

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

/* ---- questions ---- */

static int say_error(struct query_client *client, const char *why)
{
	return query_client_say_json(client, json_pack("{s:s}", "error", why));
}

static int answer_nat(struct query *query, struct query_client *client, const json_t *question)
{
	json_t *answer = query_nat(query->parts.datapath, plan_of(query), question);

	return answer ? query_client_say_json(client, answer)
		      : say_error(client, "this node has no such server");
}

static int answer_flow_log(struct query *query, struct query_client *client, const json_t *question)
{
	const char *target = json_string_value(json_object_get(question, "target")) ?: "";
	const struct query_parts *parts = &query->parts;
	const struct flow_log *log = parts->flow_log ? parts->flow_log(parts->context) : NULL;
	json_t *answer = log ? flow_log_answer(log, target) : NULL;

	return answer ? query_client_say_json(client, answer)
		      : say_error(client, "this node has no flow log of such an endpoint");
}

static int answer_question(struct query *query, struct query_client *client, const json_t *question)
{
	const char *command = json_string_value(json_object_get(question, "command")) ?: "", *why = "";
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (streq(commands[i].command, command)) {
			json_t *answer = commands[i].answer(&query->parts);

			return answer ? query_client_say_json(client, answer)
				      : say_error(client, "the data path cannot be read");
		}
	if (streq(command, "trace"))
		r = query_trace_begin(query->trace, client, question, &why);
	else if (streq(command, "list-flows"))
		r = query_flows_begin(query->parts.datapath, plan_of, query, client, question, &why);
	else if (streq(command, "nat"))
		return answer_nat(query, client, question);
	else if (streq(command, "flow-log"))
		return answer_flow_log(query, client, question);
	else
		return say_error(client, "no such command");
	return r < 0 ? say_error(client, why) : 0;
}

static int on_line(void *context, struct query_client *client, const char *line, size_t size)
{
	json_t *question = json_loadb(line, size, 0, NULL);
	int r = answer_question(context, client, question);

	json_decref(question);
	return r;
}

static int on_get(void *context, struct query_client *client, const char *path)
{
	const struct query *query = context;
	const struct query_parts *parts = &query->parts;

	if (!streq(path, "/metrics"))
		return -ENOENT;
	return query_metrics_begin(parts->datapath, plan_of(context),
				   parts->meter ? parts->meter(parts->context) : NULL, client);
}

/* ---- clients ---- */

static void on_gone(void *context, struct query_client *client)
{
	struct query *query = context;

	for (size_t i = 0; i < QUERY_CLIENTS_MAX; i++)
		if (query->clients[i] == client)
			query->clients[i] = NULL;
	for (size_t i = 0; i < QUERY_METRICS_CLIENTS_MAX; i++)
		if (query->metrics_clients[i] == client)
			query->metrics_clients[i] = NULL;
}

/* Into the first free of `n` places; the descriptor is taken in any case. */
static void add_client(struct query *query, int fd, bool only_http, struct query_client **places, size_t n)
{
	const struct query_client_handlers handlers = {
		.line = on_line, .get = on_get, .gone = on_gone, .context = query};
	size_t i = 0;

	while (i < n && places[i])
		i++;
	if (i == n)
		closep(&fd);
	else
		(void)query_client_new(query->loop, fd, only_http, &handlers, &places[i]);
}

static bool is_root(int fd)
{
	struct ucred peer = {.uid = (uid_t)-1};
	socklen_t size = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == 0;
}

static void on_connect(void *context, uint32_t events _unused_)
{
	struct query *query = context;
	int fd = accept4(query->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	if (is_root(fd))
		add_client(query, fd, false, query->clients, QUERY_CLIENTS_MAX);
	else
		closep(&fd);
}

static void on_metrics_connect(void *context, uint32_t events _unused_)
{
	struct query *query = context;
	int fd = accept4(query->metrics_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd >= 0)
		add_client(query, fd, true, query->metrics_clients, QUERY_METRICS_CLIENTS_MAX);
}

/* ---- sockets ---- */

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
	if (r == 0 && listen(fd, QUERY_CLIENTS_MAX) < 0)
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
	query->metrics_fd = -EBADF;
	query->fd = listen_on(socket_path);
	r = query->fd < 0 ? query->fd
			  : loop_add_fd(loop, query->fd, EPOLLIN, on_connect, query, &query->source);
	if (r == 0)
		r = query_trace_new(loop, parts->datapath, plan_of, query, &query->trace);
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
	for (size_t i = 0; i < QUERY_CLIENTS_MAX; i++)
		query_client_free(query->clients[i]);
	for (size_t i = 0; i < QUERY_METRICS_CLIENTS_MAX; i++)
		query_client_free(query->metrics_clients[i]);
	query_trace_free(query->trace);
	loop_source_free(query->source);
	loop_source_free(query->metrics_source);
	closep(&query->fd);
	closep(&query->metrics_fd);
	free(query);
	return NULL;
}

static int parse_address(const char *text, struct sockaddr_storage *ret, socklen_t *ret_size)
{
	char host[NETADDR_TEXT_SIZE];
	const char *colon = strrchr(text, ':');
	struct netaddr addr;
	char *end;
	long port = colon ? strtol(colon + 1, &end, 10) : 0;
	int r;

	if (!colon || port < 1 || port > UINT16_MAX || *end || colon[1] < '0' || colon[1] > '9')
		return -EINVAL;
	if (*text == '[' && colon > text + 2 && colon[-1] == ']')
		r = str_format(host, sizeof(host), "%.*s", (int)(colon - text - 2), text + 1);
	else
		r = str_format(host, sizeof(host), "%.*s", (int)(colon - text), text);
	if (r < 0 || netaddr_parse(host, &addr) < 0 || netaddr_is_v4(&addr) == (*text == '['))
		return -EINVAL;
	*ret = (struct sockaddr_storage){};
	if (netaddr_is_v4(&addr)) {
		struct sockaddr_in *v4 = (struct sockaddr_in *)ret;

		*v4 = (struct sockaddr_in){.sin_family = AF_INET,
					   .sin_port = htons((uint16_t)port),
					   .sin_addr.s_addr = htonl(netaddr_to_v4(&addr))};
		*ret_size = sizeof(*v4);
	} else {
		struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;

		*v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
		memcpy(&v6->sin6_addr, addr.bytes, sizeof(v6->sin6_addr));
		*ret_size = sizeof(*v6);
	}
	return 0;
}

int query_address_check(const char *address)
{
	struct sockaddr_storage sockaddr;
	socklen_t size;

	return parse_address(address, &sockaddr, &size);
}

int query_listen_metrics(struct query *query, const char *address)
{
	struct sockaddr_storage sockaddr;
	socklen_t size;
	const int one = 1;
	int r = parse_address(address, &sockaddr, &size);

	if (r == 0) {
		query->metrics_fd = socket(sockaddr.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		r = query->metrics_fd < 0 || setsockopt(query->metrics_fd, SOL_SOCKET, SO_REUSEADDR, &one,
							sizeof(one)) < 0
			    ? -errno
			    : listen_at(query->metrics_fd, (struct sockaddr *)&sockaddr, size,
					QUERY_METRICS_CLIENTS_MAX);
	}
	if (r > 0)
		log_warning("this machine does not have the address yet metrics=%s", address);
	if (r >= 0)
		r = loop_add_fd(query->loop, query->metrics_fd, EPOLLIN, on_metrics_connect, query,
				&query->metrics_source);
	return r < 0 ? log_errno(r, "cannot listen metrics=%s", address) : 0;
}
