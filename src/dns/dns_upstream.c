/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A query lives in a list until its answer is handed over. Its state is one socket and one timer: connecting
 * and writing (TCP only), then reading. Whatever goes wrong with a server, the query moves on to the next
 * one, until its tries are used up.
 */
#include "dns_upstream.h"

#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../lib/ident.h"
#include "../lib/netns_socket.h"
#include "dns_servers.h"

#define DNS_PORT   53
#define TCP_PREFIX 2

struct dns_upstream_query {
	struct dns_upstream *upstream;
	struct dns_upstream_query *next;
	dns_upstream_done done;
	void *context;
	uint32_t slot;	  /* of the asker */
	uint16_t account; /* whose that is */
	bool is_common;	  /* beside the one that is the asker's own */
	bool tcp;
	uint8_t *request;
	size_t request_size;
	uint8_t wire[TCP_PREFIX + DNS_MSG_REQUEST_SIZE_MAX]; /* length (TCP), query */
	size_t query_size, n_written;
	uint8_t *reply; /* TCP: length and message so far */
	size_t n_read;
	unsigned int try, first_server;
	int fd;
	struct loop_source *io, *timer;
};

struct dns_upstream {
	struct loop *loop;
	struct dns_servers_file file;
	struct dns_upstream_query *queries;
	unsigned int server; /* that answered last: asked first */
	uint8_t buffer[DNS_MSG_SIZE_MAX];
};

static uint8_t *query_message(struct dns_upstream_query *q)
{
	return q->wire + TCP_PREFIX;
}

static void query_disconnect(struct dns_upstream_query *q)
{
	q->io = loop_source_free(q->io);
	closep(&q->fd);
	q->fd = -EBADF;
	free(q->reply);
	q->reply = NULL;
	q->n_read = q->n_written = 0;
}

static struct dns_upstream_query *query_free(struct dns_upstream_query *q)
{
	if (!q)
		return NULL;
	query_disconnect(q);
	loop_source_free(q->timer);
	free(q->request);
	free(q);
	return NULL;
}

static void query_unlink(struct dns_upstream_query *q)
{
	struct dns_upstream_query **link = &q->upstream->queries;

	while (*link && *link != q)
		link = &(*link)->next;
	if (*link)
		*link = q->next;
}

/* Hands the answer over; `answer` may be changed. */
static void query_finish(struct dns_upstream_query *q, uint8_t *answer, size_t size)
{
	dns_msg_set_id(answer, dns_msg_id(q->request));
	query_unlink(q);
	q->done(q->context, answer, size);
	query_free(q);
}

static void query_give_up(struct dns_upstream_query *q)
{
	uint8_t answer[DNS_MSG_REQUEST_SIZE_MAX];
	size_t size = dns_msg_error(q->request, q->request_size, DNS_MSG_SERVFAIL, answer);

	query_finish(q, answer, size);
}

static void query_start(struct dns_upstream_query *q);

/* On to the next server. */
static void query_next(struct dns_upstream_query *q)
{
	query_disconnect(q);
	q->try++;
	query_start(q);
}

static bool is_last_try(const struct dns_upstream_query *q, const struct dns_servers *conf)
{
	return q->try + 1 >= MAX(conf->n_servers, (size_t)DNS_UPSTREAM_TRIES);
}

/* A message has come. Others than the reply are ignored: they may be anybody's. */
static void query_take(struct dns_upstream_query *q, uint8_t *reply, size_t size)
{
	const struct dns_servers *conf = &q->upstream->file.servers;
	enum dns_msg_rcode rcode;

	if (!dns_msg_is_reply(query_message(q), q->query_size, reply, size))
		return;
	rcode = dns_msg_rcode(reply);
	if ((rcode == DNS_MSG_SERVFAIL || rcode == DNS_MSG_REFUSED || rcode == DNS_MSG_NOTIMP) &&
	    !is_last_try(q, conf)) {
		query_next(q);
		return;
	}
	if (conf->n_servers)
		q->upstream->server = (q->first_server + q->try) % (unsigned int)conf->n_servers;
	query_finish(q, reply, size);
}

static void on_udp(void *context, uint32_t events _unused_)
{
	struct dns_upstream_query *q = context;
	uint8_t *buffer = q->upstream->buffer;
	ssize_t n = recv(q->fd, buffer, sizeof(q->upstream->buffer), MSG_DONTWAIT);

	if (n >= 0)
		query_take(q, buffer, (size_t)n);
	else if (errno != EAGAIN && errno != EINTR)
		query_next(q); /* an ICMP error: nobody listens there */
}

static int tcp_write(struct dns_upstream_query *q)
{
	size_t size = TCP_PREFIX + q->query_size;
	ssize_t n = send(q->fd, q->wire + q->n_written, size - q->n_written, MSG_NOSIGNAL);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	q->n_written += (size_t)n;
	return q->n_written == size ? loop_source_set_events(q->io, EPOLLIN) : 0;
}

/* 1: the message is complete. */
static int tcp_read(struct dns_upstream_query *q)
{
	size_t want = TCP_PREFIX;
	ssize_t n;

	if (!q->reply)
		q->reply = malloc(TCP_PREFIX + DNS_MSG_SIZE_MAX);
	if (!q->reply)
		return -ENOMEM;
	if (q->n_read >= TCP_PREFIX)
		want += (size_t)(q->reply[0] << 8 | q->reply[1]);
	if (q->n_read < want) {
		n = recv(q->fd, q->reply + q->n_read, want - q->n_read, MSG_DONTWAIT);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		if (n == 0)
			return -ECONNRESET;
		q->n_read += (size_t)n;
	}
	if (q->n_read < TCP_PREFIX)
		return 0;
	want = TCP_PREFIX + (size_t)(q->reply[0] << 8 | q->reply[1]);
	return q->n_read == want;
}

static void on_tcp(void *context, uint32_t events _unused_)
{
	struct dns_upstream_query *q = context;
	bool writing = q->n_written < TCP_PREFIX + q->query_size;
	int r = writing ? tcp_write(q) : tcp_read(q);

	if (r == 1) {
		uint8_t *reply = TAKE_PTR(q->reply);
		size_t size = q->n_read - TCP_PREFIX;

		if (dns_msg_is_reply(query_message(q), q->query_size, reply + TCP_PREFIX, size))
			query_take(q, reply + TCP_PREFIX, size);
		else
			query_next(q);
		free(reply);
	} else if (r < 0) {
		query_next(q);
	}
}

static socklen_t server_address(const struct netaddr *server, struct sockaddr_storage *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (netaddr_is_v4(server)) {
		struct sockaddr_in *in = (struct sockaddr_in *)ret;

		in->sin_family = AF_INET;
		in->sin_port = htons(DNS_PORT);
		in->sin_addr.s_addr = htonl(netaddr_to_v4(server));
		return sizeof(*in);
	}
	((struct sockaddr_in6 *)ret)->sin6_family = AF_INET6;
	((struct sockaddr_in6 *)ret)->sin6_port = htons(DNS_PORT);
	memcpy(&((struct sockaddr_in6 *)ret)->sin6_addr, server->bytes, sizeof(server->bytes));
	return sizeof(struct sockaddr_in6);
}

/* A new identifier and a new port for each try. */
static int query_send(struct dns_upstream_query *q, const struct netaddr *server)
{
	struct sockaddr_storage addr;
	socklen_t size = server_address(server, &addr);
	uint16_t id;
	int r;

	r = random_bytes(&id, sizeof(id));
	if (r < 0)
		return r;
	dns_msg_set_id(query_message(q), id);
	q->fd = netns_socket(-EBADF, addr.ss_family, q->tcp ? SOCK_STREAM : SOCK_DGRAM);
	if (q->fd < 0)
		return q->fd;
	if (connect(q->fd, (struct sockaddr *)&addr, size) < 0 && errno != EINPROGRESS)
		return -errno;
	if (!q->tcp && send(q->fd, query_message(q), q->query_size, MSG_NOSIGNAL) < 0)
		return -errno;
	r = loop_add_fd(q->upstream->loop, q->fd, q->tcp ? EPOLLOUT : EPOLLIN, q->tcp ? on_tcp : on_udp, q,
			&q->io);
	if (r < 0)
		return r;
	loop_timer_set(q->timer, DNS_UPSTREAM_TIMEOUT_MS);
	return 0;
}

/* Asks the server whose turn it is, or the one after it that can be sent to. */
static void query_start(struct dns_upstream_query *q)
{
	const struct dns_servers *conf = dns_servers_get(&q->upstream->file);

	for (; conf->n_servers && q->try < MAX(conf->n_servers, (size_t)DNS_UPSTREAM_TRIES); q->try++) {
		if (query_send(q, &conf->servers[(q->first_server + q->try) % conf->n_servers]) == 0)
			return;
		query_disconnect(q);
	}
	query_give_up(q);
}

/* The first try is made from here, too, so that an asker is never called back from within its own call. */
static void on_timer(void *context, uint32_t events _unused_)
{
	struct dns_upstream_query *q = context;

	if (q->fd >= 0)
		query_next(q); /* no answer in time */
	else
		query_start(q);
}

/* Each port has a place of its own, which no other one can take. Beyond these an account has as many of the
 * common ones as are free (as in agent/probe_room.h): one alone ends at half of them. Whether there is a
 * place for one more question, and of which kind. */
static bool find_place(const struct dns_upstream *upstream, const struct plan_port *asker,
		       bool *ret_is_common)
{
	size_t n_common = 0, n_of_account = 0, n_of_asker = 0;
	bool has_own = false;

	for (const struct dns_upstream_query *q = upstream->queries; q; q = q->next) {
		n_common += q->is_common;
		n_of_account += q->is_common && q->account == asker->limit.account;
		n_of_asker += q->slot == asker->slot;
		has_own |= q->slot == asker->slot && !q->is_common;
	}
	*ret_is_common = has_own;
	if (n_of_asker >= DNS_UPSTREAM_PER_ASKER_MAX)
		return false;
	return !has_own || n_of_account < DNS_UPSTREAM_MAX - n_common;
}

static int query_new(struct dns_upstream *upstream, const struct dns_msg_request *request,
		     struct dns_upstream_query **ret)
{
	struct dns_upstream_query *q = calloc(1, sizeof(*q));
	int r = -ENOMEM;

	if (!q)
		return r;
	q->upstream = upstream;
	q->fd = -EBADF;
	q->tcp = request->tcp;
	q->slot = request->asker->slot;
	q->account = request->asker->limit.account;
	q->first_server = upstream->server;
	q->request_size = request->size;
	q->request = malloc(request->size);
	if (q->request) {
		memcpy(q->request, request->data, request->size);
		r = dns_msg_query(request, 0, query_message(q), &q->query_size);
	}
	if (r == 0)
		r = loop_add_timer(upstream->loop, on_timer, q, &q->timer);
	if (r < 0) {
		query_free(q);
		return r;
	}
	q->wire[0] = (uint8_t)(q->query_size >> 8);
	q->wire[1] = (uint8_t)q->query_size;
	*ret = q;
	return 0;
}

int dns_upstream_ask(struct dns_upstream *upstream, const struct dns_msg_request *request,
		     dns_upstream_done done, void *context, struct dns_upstream_query **ret)
{
	struct dns_upstream_query *q;
	bool is_common;
	int r;

	if (dns_servers_get(&upstream->file)->n_servers == 0)
		return -ENOENT;
	if (!find_place(upstream, request->asker, &is_common))
		return -EBUSY;
	r = query_new(upstream, request, &q);
	if (r < 0)
		return r;
	q->is_common = is_common;
	q->done = done;
	q->context = context;
	q->next = upstream->queries;
	upstream->queries = q;
	loop_timer_set(q->timer, 0);
	if (ret)
		*ret = q;
	return 0;
}

struct dns_upstream_query *dns_upstream_cancel(struct dns_upstream_query *query)
{
	if (!query)
		return NULL;
	query_unlink(query);
	return query_free(query);
}

int dns_upstream_new(struct loop *loop, const char *resolv_conf, struct dns_upstream **ret)
{
	struct dns_upstream *upstream = calloc(1, sizeof(*upstream));

	if (!upstream)
		return -ENOMEM;
	upstream->loop = loop;
	upstream->file.path = resolv_conf;
	*ret = upstream;
	return 0;
}

struct dns_upstream *dns_upstream_free(struct dns_upstream *upstream)
{
	if (!upstream)
		return NULL;
	while (upstream->queries)
		dns_upstream_cancel(upstream->queries);
	free(upstream);
	return NULL;
}
