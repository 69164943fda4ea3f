/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The load generator of the benchmark. One thread, one epoll, no allocation while the clock runs:
 *
 *	lg serve-rr ADDRESS PORT			answers each byte with a byte, keeps connections
 *	lg serve-crr ADDRESS PORT			answers one byte, closes first
 *	lg rr ADDRESS PORT CONNECTIONS SECONDS		request and response, closed loop
 *	lg crr ADDRESS PORT IN-FLIGHT SECONDS		connect, request, response, close
 *	lg udp-sink ADDRESS PORT SECONDS		counts datagrams
 *	lg udp-flood ADDRESS PORT FLOWS SECONDS		sends 64 byte datagrams as fast as it can
 *
 * Clients and the sink print one JSON object. The server of "crr" closes first, so that the TIME_WAIT state
 *and its memory stay at the server and the client's ports are free at once.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/util.h"

#define EVENTS_PER_TURN 128
#define CONNECTIONS_MAX 1024
#define LISTEN_BACKLOG	4096
#define BATCH		64 /* datagrams per system call */
#define DATAGRAM_SIZE	64
#define SOCKET_MEMORY	(8 << 20)
#define GIVE_UP_S	10 /* after the time asked for: the path is dead */
#define NS_PER_S	1000000000ull

static _Noreturn void die(const char *what)
{
	(void)fprintf(stderr, "lg: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static struct sockaddr_in parse_address(const char *address, const char *port)
{
	struct sockaddr_in ret = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};

	if (inet_pton(AF_INET, address, &ret.sin_addr) != 1) {
		errno = EINVAL;
		die(address);
	}
	return ret;
}

/* Latencies */

/* Log-linear: each power of two has 64 buckets, so a value is known to 1.6 %. */
#define BUCKET_BITS 6
#define BUCKETS	    (1 << BUCKET_BITS)

struct histogram {
	uint64_t counts[64][BUCKETS];
	uint64_t total;
};

static void histogram_add(struct histogram *h, uint64_t ns)
{
	int shift = ns < BUCKETS ? 0 : 63 - __builtin_clzll(ns) - (BUCKET_BITS - 1);

	h->counts[shift][(ns >> shift) & (BUCKETS - 1)]++;
	h->total++;
}

static double histogram_quantile_us(const struct histogram *h, double quantile)
{
	uint64_t wanted = (uint64_t)((double)h->total * quantile), seen = 0;

	for (int shift = 0; shift < 64; shift++)
		for (uint64_t i = 0; i < BUCKETS; i++) {
			seen += h->counts[shift][i];
			if (seen > wanted)
				return (double)(i << shift) / 1000;
		}
	return 0;
}

static void print_latencies(const char *rate_name, const struct histogram *h, uint64_t spent_ns,
			    uint64_t n_errors)
{
	printf("{\"%s\": %.0f, \"n\": %lu, \"errors\": %lu, \"p50_us\": %.1f, \"p99_us\": %.1f, \"p999_us\": "
	       "%.1f}\n",
	       rate_name, (double)h->total * 1e9 / (double)spent_ns, h->total, n_errors,
	       histogram_quantile_us(h, 0.5), histogram_quantile_us(h, 0.99),
	       histogram_quantile_us(h, 0.999));
}

/* Epoll and sockets */

static int epoll_new(void)
{
	int fd = epoll_create1(EPOLL_CLOEXEC);

	if (fd < 0)
		die("epoll_create1");
	return fd;
}

static void watch(int epoll_fd, int operation, int fd, uint32_t events, void *context)
{
	struct epoll_event event = {.events = events, .data.ptr = context};

	if (epoll_ctl(epoll_fd, operation, fd, &event) < 0)
		die("epoll_ctl");
}

static void set_option(int fd, int level, int option, int value)
{
	if (setsockopt(fd, level, option, &value, sizeof(value)) < 0)
		die("setsockopt");
}

/* Servers */

/* Descriptors travel in the event's pointer. */
static void *fd_context(int fd)
{
	return (void *)(intptr_t)fd;
}

static void accept_all(int epoll_fd, int listener)
{
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
		watch(epoll_fd, EPOLL_CTL_ADD, fd, EPOLLIN, fd_context(fd));
	}
}

/* Answers what came with as many bytes. */
static void answer(int fd, bool close_first)
{
	char buffer[4096];
	ssize_t n = read(fd, buffer, sizeof(buffer));
	bool done = n == 0 || (n < 0 && errno != EAGAIN);

	if (n > 0)
		done = write(fd, buffer, (size_t)n) != n || close_first;
	if (done)
		(void)close(fd);
}

static int serve(const char *address, const char *port, bool close_first)
{
	struct sockaddr_in at = parse_address(address, port);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), epoll_fd = epoll_new();
	struct epoll_event events[EVENTS_PER_TURN];

	if (listener < 0)
		die("socket");
	set_option(listener, SOL_SOCKET, SO_REUSEADDR, 1);
	if (bind(listener, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(listener, LISTEN_BACKLOG) < 0)
		die("bind");
	watch(epoll_fd, EPOLL_CTL_ADD, listener, EPOLLIN, fd_context(listener));
	for (;;) {
		int n = epoll_wait(epoll_fd, events, EVENTS_PER_TURN, -1);

		for (int i = 0; i < n; i++) {
			int fd = (int)(intptr_t)events[i].data.ptr;

			if (fd == listener)
				accept_all(epoll_fd, listener);
			else
				answer(fd, close_first);
		}
	}
}

/* Clients: what they share */

struct connection {
	int fd;
	uint64_t started_ns;
	bool sent, answered; /* crr */
};

struct client {
	struct sockaddr_in to;
	int epoll_fd;
	struct connection connections[CONNECTIONS_MAX];
	int n_connections;
	uint64_t start_ns, end_ns;
	uint64_t n_errors;
	struct histogram latencies;
};

/* One big struct, zeroed at start. */
static struct client client;

static struct client *client_init(char **arguments)
{
	double seconds = atof(arguments[3]);

	client.to = parse_address(arguments[0], arguments[1]);
	client.n_connections = atoi(arguments[2]);
	if (client.n_connections < 1 || client.n_connections > CONNECTIONS_MAX || seconds <= 0) {
		errno = ERANGE;
		die("number of connections or seconds");
	}
	client.epoll_fd = epoll_new();
	(void)alarm((unsigned int)seconds + GIVE_UP_S);
	client.start_ns = now_ns();
	client.end_ns = client.start_ns + (uint64_t)(seconds * 1e9);
	return &client;
}

/* Request and response */

static void request(struct connection *c, uint64_t now)
{
	c->started_ns = now;
	if (write(c->fd, "x", 1) != 1)
		die("write");
}

/* Reads the answer and asks again. */
static uint64_t response(struct client *cl, struct connection *c)
{
	uint64_t now;
	char byte;

	if (read(c->fd, &byte, 1) != 1)
		die("read");
	now = now_ns();
	histogram_add(&cl->latencies, now - c->started_ns);
	request(c, now);
	return now;
}

static void rr_connect(struct client *cl)
{
	for (int i = 0; i < cl->n_connections; i++) {
		struct connection *c = &cl->connections[i];

		c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&cl->to, sizeof(cl->to)) < 0)
			die("connect");
		set_option(c->fd, IPPROTO_TCP, TCP_NODELAY, 1);
		watch(cl->epoll_fd, EPOLL_CTL_ADD, c->fd, EPOLLIN, c);
	}
}

static int rr(char **arguments)
{
	struct client *cl = client_init(arguments);
	struct epoll_event events[EVENTS_PER_TURN];
	uint64_t now, length = cl->end_ns - cl->start_ns;

	rr_connect(cl);
	cl->start_ns = now = now_ns();
	cl->end_ns = now + length;
	for (int i = 0; i < cl->n_connections; i++)
		request(&cl->connections[i], now);
	while (now < cl->end_ns) {
		if (cl->n_connections == 1) { /* a blocking read: epoll would be a part of the latency */
			now = response(cl, &cl->connections[0]);
			continue;
		}
		for (int i = 0, n = epoll_wait(cl->epoll_fd, events, EVENTS_PER_TURN, 1000); i < n; i++)
			now = response(cl, events[i].data.ptr);
	}
	print_latencies("per_s", &cl->latencies, now - cl->start_ns, 0);
	return EXIT_SUCCESS;
}

/* Connect, request, response, close */

static void crr_start(struct client *cl, struct connection *c)
{
	c->sent = c->answered = false;
	c->started_ns = now_ns();
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		die("socket");
	if (connect(c->fd, (struct sockaddr *)&cl->to, sizeof(cl->to)) < 0 && errno != EINPROGRESS) {
		cl->n_errors++;
		(void)close(c->fd);
		c->fd = -EBADF;
		return;
	}
	watch(cl->epoll_fd, EPOLL_CTL_ADD, c->fd, EPOLLOUT, c);
}

static void crr_finish(struct client *cl, struct connection *c, bool good)
{
	if (good)
		histogram_add(&cl->latencies, now_ns() - c->started_ns);
	else
		cl->n_errors++;
	(void)close(c->fd);
	crr_start(cl, c);
}

static void crr_event(struct client *cl, struct connection *c)
{
	char buffer[16];
	ssize_t n;

	if (!c->sent) {
		if (write(c->fd, "x", 1) != 1) {
			crr_finish(cl, c, false);
			return;
		}
		c->sent = true;
		watch(cl->epoll_fd, EPOLL_CTL_MOD, c->fd, EPOLLIN, c);
		return;
	}
	while ((n = read(c->fd, buffer, sizeof(buffer))) > 0)
		c->answered = true;
	if (n == 0 || errno != EAGAIN)
		crr_finish(cl, c, n == 0 && c->answered);
}

static int crr(char **arguments)
{
	struct client *cl = client_init(arguments);
	struct epoll_event events[EVENTS_PER_TURN];

	for (int i = 0; i < cl->n_connections; i++)
		crr_start(cl, &cl->connections[i]);
	while (now_ns() < cl->end_ns) {
		int n = epoll_wait(cl->epoll_fd, events, EVENTS_PER_TURN, 10);

		for (int i = 0; i < n; i++)
			crr_event(cl, events[i].data.ptr);
		for (int i = 0; n == 0 && i < cl->n_connections; i++) /* those that could not even start */
			if (cl->connections[i].fd < 0)
				crr_start(cl, &cl->connections[i]);
	}
	print_latencies("per_s", &cl->latencies, now_ns() - cl->start_ns, cl->n_errors);
	return EXIT_SUCCESS;
}

/* UDP */

static void fill_batch(struct mmsghdr messages[BATCH], struct iovec vectors[BATCH], size_t size)
{
	static char buffers[BATCH][2048];

	memset(messages, 0, BATCH * sizeof(messages[0]));
	for (int i = 0; i < BATCH; i++) {
		vectors[i] = (struct iovec){.iov_base = buffers[i], .iov_len = size};
		messages[i].msg_hdr.msg_iov = &vectors[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
}

static int udp_sink(char **arguments)
{
	struct sockaddr_in at = parse_address(arguments[0], arguments[1]);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint64_t end = now_ns() + (uint64_t)(atof(arguments[2]) * 1e9), first = 0, last = 0, total = 0;
	struct timeval patience = {.tv_usec = 50000};
	struct mmsghdr messages[BATCH];
	struct iovec vectors[BATCH];

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		die("bind");
	set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, SOCKET_MEMORY);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	fill_batch(messages, vectors, 2048);
	while (now_ns() < end) {
		int n = recvmmsg(fd, messages, BATCH, MSG_WAITFORONE, NULL);

		if (n <= 0)
			continue;
		last = now_ns();
		if (!first)
			first = last;
		total += (uint64_t)n;
	}
	printf("{\"per_s\": %.0f, \"n\": %lu}\n",
	       last > first ? (double)total * 1e9 / (double)(last - first) : 0, total);
	return EXIT_SUCCESS;
}

static int udp_flood(char **arguments)
{
	struct client *cl = client_init(arguments);
	struct mmsghdr messages[BATCH];
	struct iovec vectors[BATCH];
	uint64_t total = 0, turn = 0;

	for (int i = 0; i < cl->n_connections; i++) {
		struct connection *c = &cl->connections[i];

		c->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&cl->to, sizeof(cl->to)) < 0)
			die("connect");
		set_option(c->fd, SOL_SOCKET, SO_SNDBUFFORCE, SOCKET_MEMORY);
	}
	fill_batch(messages, vectors, DATAGRAM_SIZE);
	while (now_ns() < cl->end_ns) {
		int fd = cl->connections[turn++ % (uint64_t)cl->n_connections].fd;
		int n = sendmmsg(fd, messages, BATCH, 0);

		if (n > 0)
			total += (uint64_t)n;
		else
			cl->n_errors++;
	}
	printf("{\"per_s\": %.0f, \"n\": %lu, \"errors\": %lu}\n",
	       (double)total * 1e9 / (double)(now_ns() - cl->start_ns), total, cl->n_errors);
	return EXIT_SUCCESS;
}

static int serve_rr(char **arguments)
{
	return serve(arguments[0], arguments[1], false);
}

static int serve_crr(char **arguments)
{
	return serve(arguments[0], arguments[1], true);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int n_arguments;
		int (*run)(char **arguments);
	} commands[] = {
		{"serve-rr", 2, serve_rr}, {"serve-crr", 2, serve_crr}, {"rr", 4, rr},
		{"crr", 4, crr},	   {"udp-sink", 3, udp_sink},	{"udp-flood", 4, udp_flood},
	};

	(void)signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(commands); i++)
		if (streq(argv[1], commands[i].name) && argc - 2 == commands[i].n_arguments)
			return commands[i].run(argv + 2);
	(void)fprintf(stderr, "usage: see the head of bench/lg.c\n");
	return 2;
}
