/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Probes against real sockets on the loopback: one that listens, one that does not, one whose queue of
 * connections is full (which looks like a host that drops everything).
 */
#include "health_fixture.h"

#include <signal.h>
#include <sys/wait.h>

#include "agent/health_before.h"
#include "tests/unit/rows.h"

/* A server in a process of its own has this long for what it does at once. */
#define PATIENCE_MS 20000

/* Once more on a port that was used before; accept4() does not wait. */
static int listen_again(uint16_t port)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) < 0 ||
	    bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 || listen(fd, 64) < 0)
		exit(EXIT_FAILURE);
	return fd;
}

static const char *reason_of(struct health *health, const char *server)
{
	static char reason[WORD_SIZE];
	struct health_result *results;
	size_t n;

	strcpy(reason, "no result");
	if (health_results(health, &results, &n) < 0)
		exit(EXIT_FAILURE);
	for (size_t i = 0; i < n; i++)
		if (streq(results[i].server_id, server))
			strcpy(reason, results[i].reason);
	free(results);
	return reason;
}

static void test_results(struct loop *loop)
{
	uint16_t open_port, closed_port, full_port;
	int open_fd = make_socket(64, &open_port), closed_fd = make_socket(-1, &closed_port);
	int full_fd = make_socket(0, &full_port), filler = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in addr = {.sin_family = AF_INET,
				   .sin_port = htons(full_port),
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct plan_probe probes[3] = {probe("i-open", open_port), probe("i-closed", closed_port),
				       probe("i-full", full_port)};
	struct plan plan = {.probes = probes, .n_probes = 3};
	struct health *health;

	(void)connect(filler, (struct sockaddr *)&addr, sizeof(addr));
	n_changed = 0;
	tap_is_int(health_new(loop, -EBADF, on_changed, NULL, &health), 0, "probing starts");
	tap_is_int(health_set_plan(health, &plan), 0, "with a plan of three servers");
	tap_is_int(state_of(health, "i-open"), PLAN_HEALTH_UNKNOWN,
		   "nothing is known before the first result");
	tap_is_str(reason_of(health, "i-open"), "no result", "and nothing is reported");
	tap_ok(wait_for(loop, health, "i-open", PLAN_HEALTHY), "one that accepts is healthy");
	tap_ok(wait_for(loop, health, "i-closed", PLAN_UNHEALTHY), "one that refuses is not");
	tap_ok(wait_for(loop, health, "i-full", PLAN_UNHEALTHY), "nor is one that does not answer");
	tap_is_str(reason_of(health, "i-open"), "", "a healthy one needs no reason");
	tap_is_str(reason_of(health, "i-closed"), "CONNECT_REFUSED", "refused is the reason of the one");
	tap_is_str(reason_of(health, "i-full"), "CONNECT_TIMEOUT", "time-out that of the other");
	tap_ok(n_changed >= 1 && n_changed <= 3, "changes of one turn are told once");
	n_changed = 0;
	turn_for(loop, 200);
	tap_is_int(n_changed, 0, "results that repeat themselves are not told");

	plan.n_probes = 2;
	tap_is_int(health_set_plan(health, &plan), 0, "a server leaves the plan");
	tap_is_int(state_of(health, "i-full"), PLAN_HEALTH_UNKNOWN, "and is forgotten");
	tap_is_int(state_of(health, "i-closed"), PLAN_UNHEALTHY, "those that stay keep their state");
	health_free(health);
	close(open_fd);
	close(closed_fd);
	close(full_fd);
	close(filler);
}

/* Slices change single probes. */
static void test_follow(struct loop *loop)
{
	uint16_t open_port, closed_port;
	int open_fd = make_socket(64, &open_port), closed_fd = make_socket(-1, &closed_port);
	struct plan_probe probes[3] = {probe("i-1", open_port), probe("i-2", closed_port),
				       probe("i-0", closed_port)};
	struct plan_probe_key keys[3];
	struct plan plan = {.probes = probes, .n_probes = 1};
	struct plan_patch patch = {.probes = keys, .n_probes = 1};
	struct plan_touched touched = {};
	struct health *health;

	for (uint32_t i = 0; i < 3; i++) {
		probes[i].backend = i + 1;
		keys[i] = key_of(&probes[i]);
	}
	if (health_new(loop, -EBADF, on_changed, NULL, &health) < 0)
		exit(EXIT_FAILURE);
	(void)health_set_plan(health, &plan);
	tap_ok(wait_for(loop, health, "i-1", PLAN_HEALTHY), "a server is well");
	(void)health_take_touched(health, fits_always, NULL, &touched);
	tap_ok(touched.server_groups.n == 1 && streq(touched.server_groups.ids[0], "sgp-1") && !touched.whole,
	       "which touches its group");
	(void)health_take_touched(health, fits_always, NULL, &(struct plan_touched){});
	touched = (struct plan_touched){};
	(void)health_take_touched(health, fits_always, NULL, &touched);
	tap_ok(!plan_touched_any(&touched), "once");

	plan.n_probes = 3;
	keys[0] = key_of(&probes[1]);
	keys[1] = key_of(&probes[2]);
	patch.n_probes = 2;
	tap_is_int(health_follow(health, &plan, &patch), 0, "two servers come by a slice");
	tap_ok(wait_for(loop, health, "i-2", PLAN_UNHEALTHY) && wait_for(loop, health, "i-0", PLAN_UNHEALTHY),
	       "and are probed");
	tap_is_int(state_of(health, "i-1"), PLAN_HEALTHY, "beside the one that was there");

	keys[0] = key_of(&probes[1]);
	probes[1].backend = 9;
	probes[1] = probes[2];
	probes[2] = probe("i-2", closed_port);
	probes[2].backend = 9;
	keys[1] = key_of(&probes[2]);
	tap_is_int(health_follow(health, &plan, &patch), 0, "one gets another number");
	tap_is_int(state_of(health, "i-2"), PLAN_UNHEALTHY, "and keeps its state");
	plan.n_probes = 2;
	patch.n_probes = 1;
	keys[0] = key_of(&probes[2]);
	tap_is_int(health_follow(health, &plan, &patch), 0, "it goes");
	tap_ok(state_of(health, "i-2") == PLAN_HEALTH_UNKNOWN && streq(reason_of(health, "i-2"), "no result"),
	       "and is forgotten");
	tap_is_int(state_of(health, "i-0"), PLAN_UNHEALTHY, "and no other one");
	health_free(health);
	close(open_fd);
	close(closed_fd);
}

static size_t accepted_with_reset(int fd)
{
	size_t n = 0;
	int client;

	while ((client = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		char byte;

		n += recv(client, &byte, 1, 0) < 0 && errno == ECONNRESET;
		close(client);
	}
	return n;
}

static void test_thresholds(struct loop *loop)
{
	uint16_t port;
	int fd = make_socket(-1, &port);
	struct plan_probe probes[1] = {probe("i-1", port)};
	struct plan plan = {.probes = probes, .n_probes = 1};
	struct health *health;
	uint64_t start_ms, took_ms;

	if (health_new(loop, -EBADF, on_changed, NULL, &health) < 0)
		exit(EXIT_FAILURE);
	probes[0].interval_ms = 3600 * 1000; /* so there is no second one */
	(void)health_set_plan(health, &plan);
	tap_ok(wait_for(loop, health, "i-1", PLAN_UNHEALTHY), "the first result decides");
	probes[0].interval_ms = 40;
	(void)health_set_plan(health, &plan);
	turn_for(loop, 60);

	(void)listen(fd, 64);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){.tv_usec = 1000},
			 sizeof(struct timeval));
	start_ms = now_mono_ms();
	tap_ok(wait_for(loop, health, "i-1", PLAN_HEALTHY),
	       "an unhealthy server is probed on, and found healthy");
	took_ms = now_mono_ms() - start_ms;
	tap_ok(took_ms >= 35, "after as many good results as the threshold says");
	tap_note("%llu ms for 2 results at intervals of 40 ms", (unsigned long long)took_ms);
	tap_ok(accepted_with_reset(fd) >= 2, "connections of probes end by RST");
	start_ms = now_mono_ms();
	close(fd);
	tap_ok(wait_for(loop, health, "i-1", PLAN_UNHEALTHY), "a server that goes is found unhealthy");
	took_ms = now_mono_ms() - start_ms;
	tap_ok(took_ms >= 75, "after three bad results");
	tap_note("%llu ms for 3 results", (unsigned long long)took_ms);

	fd = make_socket(64, &port);
	probes[0].probe_port = port;
	(void)health_set_plan(health, &plan);
	tap_is_int(state_of(health, "i-1"), PLAN_UNHEALTHY,
		   "another port to probe: the state stays at first");
	tap_ok(wait_for(loop, health, "i-1", PLAN_HEALTHY), "until the new port has answered");
	health_free(health);
	close(fd);
}

/* A server that fails now and then, but never as often in a row as the threshold says. */
static void test_in_a_row(struct loop *loop)
{
	uint16_t port;
	int fd = make_socket(64, &port), client;
	struct plan_probe probes[1] = {probe("i-1", port)};
	struct plan plan = {.probes = probes, .n_probes = 1};
	struct health *health;
	bool stayed = true;
	int n_rounds = 0;

	if (health_new(loop, -EBADF, on_changed, NULL, &health) < 0)
		exit(EXIT_FAILURE);
	(void)health_set_plan(health, &plan);
	tap_ok(wait_for(loop, health, "i-1", PLAN_HEALTHY), "a server is healthy");
	for (int i = 0; i < 100 && n_rounds < 5; i++) {
		uint64_t start_ms = now_mono_ms();
		bool was_away;

		(void)close(fd);
		turn_for(loop, 60); /* one bad result or two, at intervals of 40 ms */
		fd = listen_again(port);
		was_away = now_mono_ms() - start_ms >= 80; /* and there may have been three */
		client = -1;
		for (int n = 0; client < 0 && n < 300; n++) { /* until a good one */
			turn_for(loop, 10);
			client = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		}
		(void)close(client);
		turn_for(loop, 10);
		if (was_away) {
			(void)wait_for(loop, health, "i-1", PLAN_HEALTHY);
			continue;
		}
		stayed = stayed && state_of(health, "i-1") == PLAN_HEALTHY;
		n_rounds++;
	}
	tap_ok(stayed && n_rounds == 5, "and stays so with bad results that are not three in a row");
	health_free(health);
	close(fd);
}

/* A server that refuses: the interval alone would be nine seconds and more until it counts. */
static void test_confirmation(struct loop *loop)
{
	uint16_t port;
	int fd = make_socket(64, &port);
	struct plan_probe probes[1] = {probe("i-1", port)};
	struct plan plan = {.probes = probes, .n_probes = 1};
	struct health *health;

	probes[0].interval_ms = 1000;
	probes[0].unhealthy_threshold = 10;
	if (health_new(loop, -EBADF, on_changed, NULL, &health) < 0)
		exit(EXIT_FAILURE);
	(void)health_set_plan(health, &plan);
	tap_ok(wait_for(loop, health, "i-1", PLAN_HEALTHY), "a server is healthy");
	close(fd);
	tap_ok(wait_within(loop, health, "i-1", PLAN_UNHEALTHY, 6000),
	       "when it refuses that is confirmed at once, and not at the interval");
	health_free(health);
}

/* A server of HTTP that says the same to each connection, and keeps the first thing that it was asked. */
static pid_t serve_http(int fd, const char *answer, int delay_ms, int asked_fd)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	for (;;) {
		char request[512];
		int client = accept(fd, NULL, NULL);
		ssize_t n = client < 0 ? -1 : recv(client, request, sizeof(request), 0);

		if (n > 0)
			(void)!write(asked_fd, request, (size_t)n);
		usleep((useconds_t)delay_ms * 1000);
		if (n > 0)
			(void)send(client, answer, strlen(answer), MSG_NOSIGNAL);
		(void)close(client);
	}
}

static void test_http(struct loop *loop)
{
	static const struct {
		const char *why, *answer, *reason;
		int delay_ms;
		uint32_t classes;
	} cases[] = {
		{"200 is good", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "", 0, 1u << 2},
		{"a code alone, too", "HTTP/1.0 204\r\n", "", 0, 1u << 2},
		{"404 is not", "HTTP/1.1 404 Not Found\r\n\r\n", "HTTP_CODE_NOT_MATCH", 0, 1u << 2},
		{"unless it was asked for", "HTTP/1.1 404 Not Found\r\n\r\n", "", 0, 1u << 2 | 1u << 4},
		{"what is not HTTP", "SSH-2.0-server\r\n", "HTTP_INVALID_HEADER", 0, 1u << 2},
		{"a code of letters", "HTTP/1.1 2xx OK\r\n", "HTTP_INVALID_HEADER", 0, 1u << 2},
		{"a code of four digits", "HTTP/1.1 2000\r\n", "HTTP_INVALID_HEADER", 0, 1u << 2},
		{"half a line", "HTTP/1.1 2", "HTTP_INVALID_HEADER", 0, 1u << 2},
		{"nothing", "", "CONNECT_INTERRUPT", 0, 1u << 2},
		{"an answer that comes too late", "HTTP/1.1 200 OK\r\n\r\n", "RECV_RESPONSE_TIMEOUT", 400,
		 1u << 2},
	};
	int asked[2];

	if (pipe(asked) < 0)
		exit(EXIT_FAILURE);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint16_t port;
		int fd = make_socket(64, &port);
		pid_t server = serve_http(fd, cases[i].answer, cases[i].delay_ms, asked[1]);
		struct plan_probe probes[1] = {probe("i-web", port)};
		struct plan plan = {.probes = probes, .n_probes = 1};
		struct health *health;

		probes[0].type = PROBE_HTTP;
		if (!cases[i].delay_ms)
			probes[0].timeout_ms = PATIENCE_MS;
		probes[0].good_classes = cases[i].classes;
		(void)str_copy(probes[0].say, sizeof(probes[0].say),
			       "HEAD /up HTTP/1.0\r\nHost: web\r\n\r\n");
		if (health_new(loop, -EBADF, on_changed, NULL, &health) < 0)
			exit(EXIT_FAILURE);
		(void)health_set_plan(health, &plan);
		(void)wait_for(loop, health, "i-web", *cases[i].reason ? PLAN_UNHEALTHY : PLAN_HEALTHY);
		tap_is_str(reason_of(health, "i-web"), cases[i].reason, "HTTP: %s", cases[i].why);
		if (i == 0) {
			char request[512];
			ssize_t n = read(asked[0], request, sizeof(request) - 1);

			request[MAX(n, 0)] = '\0';
			tap_ok(str_starts(request, probes[0].say), "the server was asked what the plan says");
			probes[0].good_classes = 1u << 5;
			(void)health_set_plan(health, &plan);
			tap_ok(wait_for(loop, health, "i-web", PLAN_UNHEALTHY),
			       "when other codes are wanted they count from the next probe on");
		}
		health_free(health);
		(void)kill(server, SIGKILL);
		(void)waitpid(server, NULL, 0);
		close(fd);
	}
	close(asked[0]);
	close(asked[1]);
}

/* A server of UDP that answers each datagram with what it is told to, after as many others. */
static pid_t serve_udp(int fd, const char *wanted, const char *answer, int others)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	for (;;) {
		struct sockaddr_in from;
		socklen_t size = sizeof(from);
		char text[128] = "";

		if (recvfrom(fd, text, sizeof(text) - 1, 0, (struct sockaddr *)&from, &size) >= 0 &&
		    streq(text, wanted)) {
			for (int i = 0; i < others; i++)
				(void)sendto(fd, "other", 5, 0, (struct sockaddr *)&from, size);
			(void)sendto(fd, answer, strlen(answer), 0, (struct sockaddr *)&from, size);
		}
	}
}

static void test_udp(struct loop *loop)
{
	static const struct {
		const char *why, *answer, *reason;
		int others;
	} cases[] = {
		{"the right answer is good", "pong", "", 0},
		{"a longer one is not", "pong and more", "RECV_RESPONSE_TIMEOUT", 0},
		{"another one", "ping", "RECV_RESPONSE_TIMEOUT", 0},
		{"the right one after some others is good", "pong", "", 10},
		{"nobody listens to very many", "pong", "RECV_RESPONSE_FAILED", 40},
	};

	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(addr);

	for (size_t i = 0; i <= ARRAY_SIZE(cases); i++) {
		bool closed = i == ARRAY_SIZE(cases);
		int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		struct plan_probe probes[1];
		struct plan plan = {.probes = probes, .n_probes = 1};
		struct health *health;
		pid_t server = -1;

		addr.sin_port = 0;
		if (fd < 0 || bind(fd, (struct sockaddr *)&addr, size) < 0 ||
		    getsockname(fd, (struct sockaddr *)&addr, &size) < 0)
			exit(EXIT_FAILURE);
		if (!closed)
			server = serve_udp(fd, "ping", cases[i].answer, cases[i].others);
		close(fd);
		probes[0] = probe("i-dns", ntohs(addr.sin_port));
		probes[0].type = PROBE_UDP;
		if (closed || !streq(cases[i].reason, "RECV_RESPONSE_TIMEOUT"))
			probes[0].timeout_ms = PATIENCE_MS;
		(void)str_copy(probes[0].say, sizeof(probes[0].say), "ping");
		(void)str_copy(probes[0].expect, sizeof(probes[0].expect), "pong");
		if (health_new(loop, -EBADF, on_changed, NULL, &health) < 0)
			exit(EXIT_FAILURE);
		(void)health_set_plan(health, &plan);
		(void)wait_for(loop, health, "i-dns",
			       closed || *cases[i].reason ? PLAN_UNHEALTHY : PLAN_HEALTHY);
		tap_is_str(reason_of(health, "i-dns"), closed ? "CONNECT_FAILED" : cases[i].reason, "UDP: %s",
			   closed ? "a port that nobody has" : cases[i].why);
		health_free(health);
		if (server > 0) {
			(void)kill(server, SIGKILL);
			(void)waitpid(server, NULL, 0);
		}
	}
}

/* Datagrams that ask for no answer: a refusal says that a server is ill, silence nothing. */
static void test_silence(struct loop *loop)
{
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct plan_probe probes[1];
	struct plan plan = {.probes = probes, .n_probes = 1};
	socklen_t size = sizeof(addr);
	struct health *health;
	pid_t server;

	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, size) < 0 ||
	    getsockname(fd, (struct sockaddr *)&addr, &size) < 0)
		exit(EXIT_FAILURE);
	probes[0] = probe("i-dns", ntohs(addr.sin_port));
	probes[0].type = PROBE_UDP;
	probes[0].silence = true;
	if (health_new(loop, -EBADF, on_changed, NULL, &health) < 0)
		exit(EXIT_FAILURE);
	tap_is_int(state_of(health, "i-dns"), PLAN_HEALTH_UNKNOWN, "before the first probe nothing is known");
	(void)health_set_plan(health, &plan);
	tap_ok(wait_for(loop, health, "i-dns", PLAN_HEALTHY) &&
		       streq(reason_of(health, "i-dns"), "RECV_RESPONSE_TIMEOUT"),
	       "a server that says nothing counts as well, and is said to be unknown");
	server = serve_udp(fd, "", "anything", 0);
	for (uint64_t end_ms = now_mono_ms() + 60000; *reason_of(health, "i-dns") && now_mono_ms() < end_ms;)
		(void)loop_turn(loop, 50);
	tap_is_str(reason_of(health, "i-dns"), "", "one that answers anything is known to be well");
	(void)kill(server, SIGKILL);
	(void)waitpid(server, NULL, 0);
	close(fd);
	tap_ok(wait_for(loop, health, "i-dns", PLAN_UNHEALTHY) &&
		       streq(reason_of(health, "i-dns"), "CONNECT_FAILED"),
	       "one whose port nobody has is ill");
	health_free(health);
}

static int udp_socket(uint16_t port, uint16_t *ret_port)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(addr);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		exit(EXIT_FAILURE);
	if (bind(fd, (struct sockaddr *)&addr, size) < 0 ||
	    getsockname(fd, (struct sockaddr *)&addr, &size) < 0) {
		close(fd);
		return -errno;
	}
	*ret_port = ntohs(addr.sin_port);
	return fd;
}

/* The port that the server's next datagram comes from; with an answer, that is sent. 0: none came. */
static uint16_t asked_from(struct loop *loop, int fd, const char *answer)
{
	struct sockaddr_in from = {};
	socklen_t size = sizeof(from);
	char text[128];

	for (int i = 0; i < 12000; i++) {
		if (recvfrom(fd, text, sizeof(text), 0, (struct sockaddr *)&from, &size) >= 0) {
			if (answer)
				(void)sendto(fd, answer, strlen(answer), 0, (struct sockaddr *)&from, size);
			return ntohs(from.sin_port);
		}
		(void)loop_turn(loop, TURN_MS);
	}
	return 0;
}

/* A port that probes had, as soon as none is under way there. */
static int take_port(struct loop *loop, uint16_t port)
{
	int fd = -EADDRINUSE;

	for (int i = 0; i < 12000 && fd < 0; i++) {
		uint16_t has;

		(void)loop_turn(loop, TURN_MS);
		fd = udp_socket(port, &has);
	}
	return fd;
}

/* A server's datagrams come from one port, so that they are one flow to the data path. */
static void test_udp_port(struct loop *loop)
{
	uint16_t server_port, first, next, taken;
	int fd = udp_socket(0, &server_port), taker_fd, n_other = 0;
	struct plan_probe probes[1] = {probe("i-dns", server_port)};
	struct plan plan = {.probes = probes, .n_probes = 1};
	struct health *health;

	probes[0].type = PROBE_UDP;
	probes[0].timeout_ms = PATIENCE_MS;
	(void)str_copy(probes[0].say, sizeof(probes[0].say), "ping");
	(void)str_copy(probes[0].expect, sizeof(probes[0].expect), "pong");
	if (health_new(loop, -EBADF, on_changed, NULL, &health) < 0)
		exit(EXIT_FAILURE);
	(void)health_set_plan(health, &plan);
	first = asked_from(loop, fd, "pong");
	next = asked_from(loop, fd, "pong");
	tap_ok(first && next == first, "two datagrams of a server come from one port");

	probes[0].interval_ms = 400; /* time in which nobody has it */
	(void)health_set_plan(health, &plan);
	taker_fd = take_port(loop, first);
	tap_ok(taker_fd >= 0, "which is free between them");
	while (recv(fd, &(char){0}, 1, 0) >= 0) /* of before it was taken */
		;
	taken = asked_from(loop, fd, "pong");
	tap_ok(taken && taken != first, "where another one takes it the next one comes from another port");
	tap_is_int(asked_from(loop, fd, "pong"), taken, "and then all do");
	close(taker_fd);

	probes[0].timeout_ms = 40;
	(void)health_set_plan(health, &plan);
	for (int i = 0; i < 4; i++)
		n_other += asked_from(loop, fd, NULL) != taken;
	tap_ok(n_other > 0, "where an answer is owed the next question is another port's");
	probes[0].silence = true;
	probes[0].expect[0] = '\0';
	(void)health_set_plan(health, &plan);
	while (recv(fd, &(char){0}, 1, 0) >= 0)
		;
	next = asked_from(loop, fd, NULL);
	tap_is_int(asked_from(loop, fd, NULL), next, "where none is asked for it stays the same");
	health_free(health);
	close(fd);
}

/* Of a server that need not answer: the silences before a refusal say nothing of it, and are no misses; but
 * whoever is silent and answers in turn is there. */
static void test_kinds(struct loop *loop)
{
	uint16_t port, same_port;
	int fd = udp_socket(0, &port);
	struct plan_probe probes[1] = {probe("i-dns", port)};
	struct plan plan = {.probes = probes, .n_probes = 1};
	struct health *health;
	uint64_t start_ms, took_ms;

	probes[0].type = PROBE_UDP;
	probes[0].silence = true;
	probes[0].interval_ms = probes[0].timeout_ms = 20;
	probes[0].healthy_threshold = 1000;
	probes[0].unhealthy_threshold = 10;
	if (health_new(loop, -EBADF, on_changed, NULL, &health) < 0)
		exit(EXIT_FAILURE);
	(void)health_set_plan(health, &plan);
	(void)asked_from(loop, fd, "pong");
	tap_ok(wait_for(loop, health, "i-dns", PLAN_HEALTHY) && streq(reason_of(health, "i-dns"), ""),
	       "a server has answered");
	for (int i = 0; i < 20; i++)
		(void)asked_from(loop, fd, NULL);
	tap_is_str(reason_of(health, "i-dns"), "", "and says nothing twenty times");
	start_ms = now_mono_ms();
	close(fd);
	tap_ok(wait_for(loop, health, "i-dns", PLAN_UNHEALTHY), "when it refuses it is found ill");
	took_ms = now_mono_ms() - start_ms;
	tap_ok(took_ms >= 9 * 20 - 10, "after ten refusals");
	tap_note("%llu ms for 10 results at intervals of 20 ms", (unsigned long long)took_ms);

	probes[0].healthy_threshold = 4;
	probes[0].timeout_ms = 100;
	(void)health_set_plan(health, &plan);
	fd = udp_socket(port, &same_port);
	for (int i = 0; i < 40 && state_of(health, "i-dns") == PLAN_UNHEALTHY; i++)
		(void)asked_from(loop, fd, i % 2 ? NULL : "pong");
	tap_ok(wait_for(loop, health, "i-dns", PLAN_HEALTHY), "one that answers every second time is well");
	health_free(health);
	close(fd);
}

/* A probe that may wait for five minutes, and then no more. */
static void test_shorter_timeout(struct loop *loop)
{
	uint16_t port;
	int fd = udp_socket(0, &port);
	struct plan_probe probes[1] = {probe("i-dns", port)};
	struct plan plan = {.probes = probes, .n_probes = 1};
	struct health *health;

	probes[0].type = PROBE_UDP;
	probes[0].timeout_ms = 300 * 1000;
	(void)str_copy(probes[0].expect, sizeof(probes[0].expect), "pong");
	if (health_new(loop, -EBADF, on_changed, NULL, &health) < 0)
		exit(EXIT_FAILURE);
	(void)health_set_plan(health, &plan);
	tap_ok(asked_from(loop, fd, NULL), "a server is asked, and may be silent for long");
	probes[0].timeout_ms = 300 * 1000 - 1;
	(void)health_set_plan(health, &plan);
	turn_for(loop, 100);
	tap_is_int(state_of(health, "i-dns"), PLAN_HEALTH_UNKNOWN, "a little less changes little");
	probes[0].timeout_ms = 50;
	(void)health_set_plan(health, &plan);
	tap_ok(wait_within(loop, health, "i-dns", PLAN_UNHEALTHY, 20000),
	       "a shorter time counts for the probe that is under way");
	health_free(health);
	close(fd);
}

static void put_row(struct snapshot *rows, bool healthy)
{
	rows_put(rows, "server_health/sgp-1/i-dns/443",
		 "{'group': 'sgp-1', 'server_id': 'i-dns', 'port': 443, 'node': 'n1', 'healthy': %s, "
		 "'reason': '%s'}",
		 healthy ? "true" : "false", healthy ? "" : "CONNECT_FAILED");
}

/* An agent that starts with these rows, and no plan yet. */
static struct health *start_with(struct loop *loop, const struct snapshot *rows)
{
	struct health *health;

	if (health_new(loop, -EBADF, on_changed, NULL, &health) < 0)
		exit(EXIT_FAILURE);
	health_set_rows(health, rows);
	return health;
}

/* Of a probe that begins with this plan; the next one is an hour away. */
static const char *first_result_of(struct loop *loop, int fd, struct health *health, struct plan *plan,
				   const char *answer)
{
	while (recv(fd, &(char){0}, 1, 0) >= 0) /* of the probes before */
		;
	plan->probes[0].interval_ms = 3600 * 1000;
	plan->probes[0].timeout_ms = answer ? PATIENCE_MS : 20;
	(void)health_set_plan(health, plan);
	if (!asked_from(loop, fd, answer))
		return "not asked";
	turn_for(loop, 300);
	return reason_of(health, "i-dns");
}

static const char *first_result(struct loop *loop, int fd, const struct snapshot *rows, struct plan *plan,
				const char *answer, struct health **ret)
{
	*ret = start_with(loop, rows);
	return first_result_of(loop, fd, *ret, plan, answer);
}

static void set_empty_plan(struct health *health)
{
	static const struct plan empty = {};

	(void)health_set_plan(health, &empty);
}

/* What was found before the agent started again. */
static void test_row(struct loop *loop)
{
	uint16_t port;
	int fd = udp_socket(0, &port);
	struct plan_probe probes[1] = {probe("i-dns", port)};
	struct plan plan = {.probes = probes, .n_probes = 1};
	struct snapshot *rows;
	struct health *health;

	probes[0].type = PROBE_UDP;
	(void)str_copy(probes[0].expect, sizeof(probes[0].expect), "pong");
	if (snapshot_new(&rows) < 0)
		exit(EXIT_FAILURE);
	put_row(rows, true);
	tap_is_str(first_result(loop, fd, rows, &plan, NULL, &health), "no result",
		   "a server that is well by its row is not found ill by one miss");
	tap_is_int(state_of(health, "i-dns"), PLAN_HEALTH_UNKNOWN, "the row is no result either");
	probes[0].interval_ms = 40;
	(void)health_set_plan(health, &plan);
	tap_ok(wait_for(loop, health, "i-dns", PLAN_UNHEALTHY), "but by as many as the threshold says");
	health_free(health);
	tap_is_str(first_result(loop, fd, rows, &plan, "pong", &health), "",
		   "a result that says what the row says decides");
	health_free(health);

	put_row(rows, false);
	tap_is_str(first_result(loop, fd, rows, &plan, "pong", &health), "no result",
		   "one that is ill by its row is not found well by one answer");
	probes[0].interval_ms = 40;
	(void)health_set_plan(health, &plan);
	(void)asked_from(loop, fd, "pong");
	tap_ok(wait_for(loop, health, "i-dns", PLAN_HEALTHY), "but by two");

	health_set_rows(health, NULL); /* the start is over */
	set_empty_plan(health);	       /* its instance is stopped, and starts again */
	tap_is_str(first_result_of(loop, fd, health, &plan, "pong"), "",
		   "a probe that begins later goes by no row");
	tap_is_int(state_of(health, "i-dns"), PLAN_HEALTHY, "the first result decides");
	health_free(health);
	snapshot_free(rows);
	close(fd);
}

/* Devices are made in many passes; the first plan of a start is without the servers of those that come later.
 */
static void test_row_of_later_plan(struct loop *loop)
{
	uint16_t port;
	int fd = udp_socket(0, &port);
	struct plan_probe probes[1] = {probe("i-dns", port)};
	struct plan plan = {.probes = probes, .n_probes = 1};
	struct snapshot *rows;
	struct health *health;

	probes[0].type = PROBE_UDP;
	(void)str_copy(probes[0].expect, sizeof(probes[0].expect), "pong");
	if (snapshot_new(&rows) < 0)
		exit(EXIT_FAILURE);
	put_row(rows, true);
	health = start_with(loop, rows);
	set_empty_plan(health);
	tap_is_str(first_result_of(loop, fd, health, &plan, NULL), "no result",
		   "a server of a later plan is not found ill by one miss either, while the agent starts");
	probes[0].interval_ms = 40;
	(void)health_set_plan(health, &plan);
	tap_ok(wait_for(loop, health, "i-dns", PLAN_UNHEALTHY), "but by as many as the threshold says");
	(void)health_set_plan(health, &plan);
	tap_is_int(state_of(health, "i-dns"), PLAN_UNHEALTHY, "which no further plan overrules by the row");
	set_empty_plan(health);
	tap_is_str(first_result_of(loop, fd, health, &plan, NULL), "RECV_RESPONSE_TIMEOUT",
		   "a server that goes and comes again meanwhile goes by no row");
	health_free(health);

	health = start_with(loop, rows);
	set_empty_plan(health);
	health_set_rows(health, NULL);
	tap_is_str(first_result_of(loop, fd, health, &plan, NULL), "RECV_RESPONSE_TIMEOUT",
		   "nor does one that comes when the start is over");
	health_free(health);
	snapshot_free(rows);
	close(fd);
}

static void put_named_row(struct snapshot *rows, const char *server)
{
	char key[KEY_SIZE];

	(void)str_format(key, sizeof(key), "server_health/sgp-1/%s/443", server);
	rows_put(rows, key,
		 "{'group': 'sgp-1', 'server_id': '%s', 'port': 443, 'node': 'n1', 'healthy': true}", server);
}

/* Servers that are not probed any more, some of them again and again. */
static void test_before(void)
{
	static const char *const gone[] = {"i-c", "i-a", "i-c", "i-a", "i-a"};
	static const char *const servers[] = {"i-a", "i-b", "i-c", "i-d"};
	struct health_before before = {};
	struct snapshot *rows;

	if (snapshot_new(&rows) < 0)
		exit(EXIT_FAILURE);
	for (size_t i = 0; i < ARRAY_SIZE(servers); i++)
		put_named_row(rows, servers[i]);
	health_before_set(&before, rows);
	for (size_t i = 0; i < ARRAY_SIZE(gone); i++) {
		struct plan_probe of = probe(gone[i], 0);

		health_before_forget(&before, &of);
	}
	for (size_t i = 0; i < ARRAY_SIZE(servers); i++) {
		struct plan_probe of = probe(servers[i], 0);

		tap_is_int(health_before_row(&before, &of) != NULL, i % 2,
			   "%s: the row of a server counts unless it has gone", servers[i]);
	}
	tap_is_int((long long)before.n_gone, 2, "which is noted once of each");
	health_before_set(&before, NULL);
	snapshot_free(rows);
}

int main(void)
{
	struct loop *loop;

	if (loop_new(&loop) < 0)
		return EXIT_FAILURE;
	test_results(loop);
	test_follow(loop);
	test_thresholds(loop);
	test_in_a_row(loop);
	test_confirmation(loop);
	test_http(loop);
	test_udp(loop);
	test_silence(loop);
	test_udp_port(loop);
	test_kinds(loop);
	test_shorter_timeout(loop);
	test_row(loop);
	test_row_of_later_plan(loop);
	test_before();
	loop_free(loop);
	return tap_done();
}
