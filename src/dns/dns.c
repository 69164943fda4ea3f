/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The resolver's sockets stand in VPC 0 and are opened from outside; nothing else of this program is ever in
 * there. Until the first plan has come they are not read: what an instance asks meanwhile waits in the socket
 * and is answered then, instead of being told something that is not so.
 *
 * A new instance may ask before the plan that it is in has come here: it can as soon as its port's row is
 * written, and the plan comes when all rows are. Such questions are kept until then, for the same reason: a C
 * library that is refused gives up at once.
 */
#include "dns_serve.h"

#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../lib/ident.h"
#include "../lib/log.h"
#include "../lib/netns_socket.h"

#define DATAGRAMS_PER_TURN 64
#define LISTEN_BACKLOG	   128
#define RECEIVE_BUFFER	   (4 << 20) /* what several ports may ask at once (PL_DNS_BURST_NS) */

/* An asker by UDP whose question went upstream. */
struct udp_asker {
	struct dns *dns;
	struct udp_asker *next;
	struct sockaddr_in from;
	struct dns_upstream_query *query;
};

/* A question by UDP that waits for a plan. */
struct udp_kept {
	struct udp_kept *next;
	struct sockaddr_in from;
	uint32_t slot;
	size_t size;
	uint8_t data[];
};

struct dns {
	struct dns_answerer answerer;
	struct dns_tcp *tcp;
	int udp_fd;
	struct loop_source *udp_io;
	struct udp_asker *askers;
	struct udp_kept *kept, **kept_end;	       /* in the order in which they came */
	struct loop_source *take_kept;		       /* a timer */
	uint8_t request[DNS_MSG_REQUEST_SIZE_MAX + 1]; /* a longer datagram fills the last byte, too */
};

/* UDP */

static void udp_send(const struct dns *dns, const struct sockaddr_in *to, const uint8_t *answer, size_t size)
{
	/* What cannot be sent is lost, as datagrams are; the asker asks again. */
	(void)sendto(dns->udp_fd, answer, size, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)to,
		     sizeof(*to));
}

static void asker_drop(struct udp_asker *asker)
{
	struct udp_asker **link = &asker->dns->askers;

	while (*link != asker)
		link = &(*link)->next;
	*link = asker->next;
	dns_upstream_cancel(asker->query);
	free(asker);
}

static void on_answer(void *context, uint8_t *answer, size_t size)
{
	struct udp_asker *asker = context;

	udp_send(asker->dns, &asker->from, answer, size);
	asker->query = NULL;
	asker_drop(asker);
}

static struct udp_asker *asker_new(struct dns *dns, const struct sockaddr_in *from)
{
	struct udp_asker *asker = calloc(1, sizeof(*asker));

	if (!asker)
		return NULL;
	asker->dns = dns;
	asker->from = *from;
	asker->next = dns->askers;
	dns->askers = asker;
	return asker;
}

/* Few askers can use up what is for all. The others still have one question each. */
static bool kept_is_full(const struct dns *dns, uint32_t slot)
{
	size_t n = 0, n_of_asker = 0;

	for (const struct udp_kept *kept = dns->kept; kept; kept = kept->next) {
		n++;
		n_of_asker += kept->slot == slot;
	}
	return n_of_asker >= DNS_KEPT_PER_ASKER_MAX || (n >= DNS_KEPT_MAX && n_of_asker > 0);
}

/* What cannot be kept is lost, as datagrams are. */
static void udp_keep(struct dns *dns, const uint8_t *data, size_t size, uint32_t slot,
		     const struct sockaddr_in *from)
{
	struct udp_kept *kept = kept_is_full(dns, slot) ? NULL : calloc(1, sizeof(*kept) + size);

	if (!kept)
		return;
	kept->from = *from;
	kept->slot = slot;
	kept->size = size;
	memcpy(kept->data, data, size);
	*dns->kept_end = kept;
	dns->kept_end = &kept->next;
}

/* The first one of those that are kept, or NULL; the caller frees it. */
static struct udp_kept *kept_take(struct dns *dns)
{
	struct udp_kept *kept = dns->kept;

	if (!kept)
		return NULL;
	dns->kept = kept->next;
	if (!dns->kept)
		dns->kept_end = &dns->kept;
	return kept;
}

static void udp_take(struct dns *dns, const uint8_t *data, size_t size, const struct sockaddr_in *from)
{
	struct netaddr addr = netaddr_v4(ntohl(from->sin_addr.s_addr));
	uint32_t slot = dns_slot_of(&addr);
	struct udp_asker *asker;
	enum dns_msg_verdict verdict;
	size_t answer_size;
	uint8_t *answer;

	if (dns_must_wait(&dns->answerer, slot)) {
		udp_keep(dns, data, size, slot, from);
		return;
	}
	asker = asker_new(dns, from);
	if (!asker)
		return;
	verdict = dns_handle(&dns->answerer, data, size, slot, false, on_answer, asker, &asker->query,
			     &answer, &answer_size);
	if (verdict == DNS_MSG_ANSWER)
		udp_send(dns, from, answer, answer_size);
	if (verdict != DNS_MSG_FORWARD)
		asker_drop(asker);
}

static void on_udp(void *context, uint32_t events _unused_)
{
	struct dns *dns = context;

	for (int i = 0; i < DATAGRAMS_PER_TURN; i++) {
		struct sockaddr_in from = {0};
		socklen_t from_size = sizeof(from);
		ssize_t n = recvfrom(dns->udp_fd, dns->request, sizeof(dns->request), MSG_DONTWAIT,
				     (struct sockaddr *)&from, &from_size);

		if (n < 0)
			return;
		if ((size_t)n <= DNS_MSG_REQUEST_SIZE_MAX && from.sin_port != 0)
			udp_take(dns, dns->request, (size_t)n, &from);
	}
}

/* Some at a time, so that others have their turn. If yet another plan is expected they wait for that one. */
static void on_take_kept(void *context, uint32_t events _unused_)
{
	struct dns *dns = context;

	if (dns->answerer.is_plan_expected)
		return;
	for (int i = 0; i < DATAGRAMS_PER_TURN && dns->kept; i++) {
		_cleanup_(freep) struct udp_kept *kept = kept_take(dns);

		udp_take(dns, kept->data, kept->size, &kept->from);
	}
	if (dns->kept)
		loop_timer_set(dns->take_kept, 0);
}

/* Start and end */

static int open_socket(const struct dns_options *options, int type)
{
	_cleanup_(closep) int fd = netns_socket(options->netns_fd, AF_INET, type);
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_port = htons(DNS_PORT),
		.sin_addr.s_addr = htonl(netaddr_to_v4(&options->listen_addr)),
	};

	if (fd < 0)
		return fd;
	if (type == SOCK_STREAM && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) < 0)
		return -errno;
	if (type == SOCK_DGRAM)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &(int){RECEIVE_BUFFER}, sizeof(int));
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return -errno;
	if (type == SOCK_STREAM && listen(fd, LISTEN_BACKLOG) < 0)
		return -errno;
	return TAKE_FD(fd);
}

static int start(struct dns *dns, struct loop *loop, const struct dns_options *options)
{
	int fd, r;

	r = random_bytes(&dns->answerer.rotation, sizeof(dns->answerer.rotation));
	if (r < 0)
		return r;
	dns->answerer.rotation |= 1;
	r = dns_upstream_new(loop, options->resolv_conf, &dns->answerer.upstream);
	if (r < 0)
		return r;
	r = loop_add_timer(loop, on_take_kept, dns, &dns->take_kept);
	if (r < 0)
		return r;
	dns->udp_fd = open_socket(options, SOCK_DGRAM);
	if (dns->udp_fd < 0)
		return dns->udp_fd;
	r = loop_add_fd(loop, dns->udp_fd, 0, on_udp, dns, &dns->udp_io);
	if (r < 0)
		return r;
	fd = open_socket(options, SOCK_STREAM);
	if (fd < 0)
		return fd;
	return dns_tcp_new(loop, &dns->answerer, fd, &dns->tcp);
}

int dns_new(struct loop *loop, const struct dns_options *options, struct dns **ret)
{
	struct dns *dns = calloc(1, sizeof(*dns));
	char text[NETADDR_TEXT_SIZE];
	int r;

	if (!dns)
		return log_errno(-ENOMEM, "cannot start resolver");
	dns->udp_fd = -EBADF;
	dns->kept_end = &dns->kept;
	r = start(dns, loop, options);
	if (r < 0) {
		dns_free(dns);
		netaddr_format(&options->listen_addr, text);
		return log_errno(r, "cannot start resolver address=%s", text);
	}
	*ret = dns;
	return 0;
}

struct dns *dns_free(struct dns *dns)
{
	if (!dns)
		return NULL;
	dns_tcp_free(dns->tcp);
	while (dns->askers)
		asker_drop(dns->askers);
	while (dns->kept)
		free(kept_take(dns));
	loop_source_free(dns->take_kept);
	dns_upstream_free(dns->answerer.upstream);
	loop_source_free(dns->udp_io);
	closep(&dns->udp_fd);
	free(dns);
	return NULL;
}

void dns_set_plan(struct dns *dns, const struct plan *plan)
{
	bool first = !dns->answerer.plan;

	dns->answerer.plan = plan;
	dns->answerer.is_plan_expected = false;
	if (first) {
		(void)loop_source_set_events(dns->udp_io, EPOLLIN);
		dns_tcp_start(dns->tcp);
		return;
	}
	if (dns->kept)
		loop_timer_set(dns->take_kept, 0);
	dns_tcp_go_on(dns->tcp);
}

void dns_expect_plan(struct dns *dns)
{
	dns->answerer.is_plan_expected = true;
}
