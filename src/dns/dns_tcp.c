/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions by TCP: a length of two bytes before each message, any number of messages per connection,
 * answered one after the other. A connection is in one of three states: it reads, or it waits (for an answer
 * from upstream, or for a plan) and reads nothing meanwhile, or it writes. Who keeps one open without use, or
 * opens too many, loses them.
 */
#include "dns_serve.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#define PREFIX		 2
#define ACCEPTS_PER_TURN 64
#define ACCEPT_AGAIN_MS	 100 /* after the node ran out of descriptors */

struct tcp_asker {
	struct dns_tcp *tcp;
	struct tcp_asker *next;
	uint32_t slot;
	int fd;
	struct loop_source *io, *timer;
	struct dns_upstream_query *query; /* waits for it */
	bool waits_for_plan;		  /* with a question in `in` */
	uint8_t in[PREFIX + DNS_MSG_REQUEST_SIZE_MAX];
	size_t n_in;
	uint8_t *out; /* length and answer, being written */
	size_t out_size, n_out;
};

struct dns_tcp {
	struct loop *loop;
	struct dns_answerer *answerer;
	int listen_fd;
	struct loop_source *listen_io, *accept_again;
	struct tcp_asker *askers;
	size_t n_askers;
};

static struct tcp_asker *asker_free(struct tcp_asker *asker)
{
	if (!asker)
		return NULL;
	dns_upstream_cancel(asker->query);
	loop_source_free(asker->io);
	loop_source_free(asker->timer);
	closep(&asker->fd);
	free(asker->out);
	free(asker);
	return NULL;
}

static void asker_drop(struct tcp_asker *asker)
{
	struct tcp_asker **link = &asker->tcp->askers;

	while (*link != asker)
		link = &(*link)->next;
	*link = asker->next;
	asker->tcp->n_askers--;
	asker_free(asker);
}

/* Puts an answer behind its length. */
static int put_answer(struct tcp_asker *asker, const uint8_t *answer, size_t size)
{
	asker->out = malloc(PREFIX + size);
	if (!asker->out)
		return -ENOMEM;
	asker->out[0] = (uint8_t)(size >> 8);
	asker->out[1] = (uint8_t)size;
	memcpy(asker->out + PREFIX, answer, size);
	asker->out_size = PREFIX + size;
	asker->n_out = 0;
	return 0;
}

/* 0: all is written; -EAGAIN: not yet. */
static int write_answer(struct tcp_asker *asker)
{
	ssize_t n = send(asker->fd, asker->out + asker->n_out, asker->out_size - asker->n_out,
			 MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	asker->n_out += (size_t)n;
	if (asker->n_out < asker->out_size)
		return -EAGAIN;
	free(asker->out);
	asker->out = NULL;
	return 0;
}

/* Size of the complete message at the start of the input; 0: there is none yet; -EMSGSIZE: there will be
 * none. */
static int next_message(const struct tcp_asker *asker)
{
	size_t size;

	if (asker->n_in < PREFIX)
		return 0;
	size = (size_t)(asker->in[0] << 8 | asker->in[1]);
	if (size < DNS_MSG_HEADER_SIZE || size > DNS_MSG_REQUEST_SIZE_MAX)
		return -EMSGSIZE;
	return asker->n_in >= PREFIX + size ? (int)size : 0;
}

/* Until upstream or a plan has come, which both take their time and no more. */
static int wait_on(struct tcp_asker *asker)
{
	loop_timer_stop(asker->timer);
	return loop_source_set_events(asker->io, 0);
}

static void on_answer(void *context, uint8_t *answer, size_t size);

/* Takes one message. 0: it is answered or waits for upstream. */
static int take_message(struct tcp_asker *asker, size_t size)
{
	uint8_t *answer;
	size_t answer_size;
	enum dns_msg_verdict verdict =
		dns_handle(asker->tcp->answerer, asker->in + PREFIX, size, asker->slot, true, on_answer,
			   asker, &asker->query, &answer, &answer_size);

	asker->n_in -= PREFIX + size;
	memmove(asker->in, asker->in + PREFIX + size, asker->n_in);
	if (verdict == DNS_MSG_SILENCE)
		return -EBADMSG;
	return verdict == DNS_MSG_ANSWER ? put_answer(asker, answer, answer_size) : 0;
}

/* Goes as far as it can: writes what is to be written, takes the messages that are there, then sets what to
 * wait for. A negative result means that the connection is to be dropped. */
static int advance(struct tcp_asker *asker)
{
	int r = 0;

	for (;;) {
		if (asker->out)
			r = write_answer(asker);
		if (r == -EAGAIN) {
			loop_timer_set(asker->timer, DNS_TCP_IDLE_MS);
			return loop_source_set_events(asker->io, EPOLLOUT);
		}
		if (r < 0)
			return r;
		r = next_message(asker);
		if (r <= 0)
			break;
		asker->waits_for_plan = dns_must_wait(asker->tcp->answerer, asker->slot);
		if (asker->waits_for_plan)
			return wait_on(asker);
		r = take_message(asker, (size_t)r);
		if (r < 0)
			return r;
		if (asker->query)
			return wait_on(asker);
	}
	return r < 0 ? r : loop_source_set_events(asker->io, EPOLLIN);
}

/* What it waited for is there. */
static void go_on(struct tcp_asker *asker)
{
	loop_timer_set(asker->timer, DNS_TCP_IDLE_MS);
	if (advance(asker) < 0)
		asker_drop(asker);
}

/* What has come from upstream; the query is gone. */
static void on_answer(void *context, uint8_t *answer, size_t size)
{
	struct tcp_asker *asker = context;

	asker->query = NULL;
	if (put_answer(asker, answer, size) < 0)
		asker_drop(asker);
	else
		go_on(asker);
}

static int read_more(struct tcp_asker *asker)
{
	ssize_t n = recv(asker->fd, asker->in + asker->n_in, sizeof(asker->in) - asker->n_in, MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (n == 0)
		return -ECONNRESET;
	asker->n_in += (size_t)n;
	if (next_message(asker) > 0)
		loop_timer_set(asker->timer,
			       DNS_TCP_IDLE_MS); /* a whole question counts as use, a byte does not */
	return advance(asker);
}

static void on_io(void *context, uint32_t events)
{
	struct tcp_asker *asker = context;
	int r;

	if (asker->query || asker->waits_for_plan)
		r = events & (EPOLLERR | EPOLLHUP) ? -ECONNRESET : 0;
	else
		r = asker->out ? advance(asker) : read_more(asker);
	if (r < 0)
		asker_drop(asker);
}

static void on_timer(void *context, uint32_t events _unused_)
{
	asker_drop(context);
}

/* Few askers can use up what is for all. The others still have one connection each. */
static bool is_full(const struct dns_tcp *tcp, uint32_t slot)
{
	size_t n = 0;

	for (const struct tcp_asker *asker = tcp->askers; asker; asker = asker->next)
		n += asker->slot == slot;
	return n >= DNS_TCP_PER_ASKER_MAX || (tcp->n_askers >= DNS_TCP_MAX && n > 0);
}

/* Takes the descriptor, also when it fails. */
static int asker_new(struct dns_tcp *tcp, int fd, uint32_t slot)
{
	struct tcp_asker *asker = calloc(1, sizeof(*asker));
	int r;

	if (!asker) {
		(void)close(fd);
		return -ENOMEM;
	}
	asker->tcp = tcp;
	asker->fd = fd;
	asker->slot = slot;
	r = loop_add_timer(tcp->loop, on_timer, asker, &asker->timer);
	if (r == 0)
		r = loop_add_fd(tcp->loop, fd, EPOLLIN, on_io, asker, &asker->io);
	if (r < 0) {
		asker_free(asker);
		return r;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	loop_timer_set(asker->timer, DNS_TCP_IDLE_MS);
	asker->next = tcp->askers;
	tcp->askers = asker;
	tcp->n_askers++;
	return 0;
}

static void on_accept(void *context, uint32_t events _unused_)
{
	struct dns_tcp *tcp = context;

	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		struct sockaddr_in from = {0};
		socklen_t size = sizeof(from);
		struct netaddr addr;
		uint32_t slot;
		int fd = accept4(tcp->listen_fd, (struct sockaddr *)&from, &size,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
			(void)loop_source_set_events(tcp->listen_io, 0);
			loop_timer_set(tcp->accept_again, ACCEPT_AGAIN_MS);
		}
		if (fd < 0)
			return;
		addr = netaddr_v4(ntohl(from.sin_addr.s_addr));
		slot = dns_slot_of(&addr);
		if (is_full(tcp, slot))
			(void)close(fd);
		else
			(void)asker_new(tcp, fd, slot); /* out of memory: the asker sees it closed */
	}
}

static void on_accept_again(void *context, uint32_t events _unused_)
{
	dns_tcp_start(context);
}

int dns_tcp_new(struct loop *loop, struct dns_answerer *answerer, int listen_fd, struct dns_tcp **ret)
{
	struct dns_tcp *tcp = calloc(1, sizeof(*tcp));
	int r;

	if (!tcp) {
		(void)close(listen_fd);
		return -ENOMEM;
	}
	tcp->loop = loop;
	tcp->answerer = answerer;
	tcp->listen_fd = listen_fd;
	r = loop_add_timer(loop, on_accept_again, tcp, &tcp->accept_again);
	if (r == 0)
		r = loop_add_fd(loop, listen_fd, 0, on_accept, tcp, &tcp->listen_io);
	if (r < 0) {
		dns_tcp_free(tcp);
		return r;
	}
	*ret = tcp;
	return 0;
}

void dns_tcp_start(struct dns_tcp *tcp)
{
	(void)loop_source_set_events(tcp->listen_io, EPOLLIN);
}

void dns_tcp_go_on(struct dns_tcp *tcp)
{
	struct tcp_asker *next;

	for (struct tcp_asker *asker = tcp->askers; asker; asker = next) {
		next = asker->next;
		if (asker->waits_for_plan)
			go_on(asker);
	}
}

struct dns_tcp *dns_tcp_free(struct dns_tcp *tcp)
{
	if (!tcp)
		return NULL;
	while (tcp->askers)
		asker_drop(tcp->askers);
	loop_source_free(tcp->accept_again);
	loop_source_free(tcp->listen_io);
	closep(&tcp->listen_fd);
	free(tcp);
	return NULL;
}
