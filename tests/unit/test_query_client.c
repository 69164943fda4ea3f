/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client of the agent's socket: lines that come in pieces, answers of many pieces that wait for a slow
 * reader and for nobody else, HTTP, and what is dropped: too long a question, and a client that is told more
 * than it takes.
 */
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../tap.h"
#include "src/agent/query_client.h"

#define PIECES	   50
#define PIECE_SIZE 10000

static struct {
	struct loop *loop;
	struct query_client *client;
	int fd; /* the client's own end */
	char line[QUERY_LINE_MAX];
	size_t n_lines;
	bool is_gone, has_ended;
	unsigned int pieces;
} t;

static int more(void *context, struct query_client *client)
{
	static char piece[PIECE_SIZE];

	(void)context;
	memset(piece, 'x', sizeof(piece));
	t.pieces++;
	return query_client_say(client, piece, sizeof(piece)) < 0 ? -EPIPE : t.pieces < PIECES;
}

static void end(void *context)
{
	(void)context;
	t.has_ended = true;
}

static const struct query_stream stream = {.more = more, .end = end};
static const struct query_stream endless = {.end = end};

static int on_line(void *context, struct query_client *client, const char *line, size_t size)
{
	(void)context;
	(void)str_copy(t.line, sizeof(t.line), line);
	t.n_lines++;
	if (size != strlen(line))
		return -EINVAL;
	if (streq(line, "many"))
		query_client_begin(client, &stream);
	else if (streq(line, "endless"))
		query_client_begin(client, &endless);
	else if (streq(line, "bad"))
		return -EINVAL;
	else
		return query_client_format(client, "you said %s\n", line);
	return 0;
}

static int on_get(void *context, struct query_client *client, const char *path)
{
	(void)context;
	if (!streq(path, "/metrics"))
		return -ENOENT;
	(void)query_client_format(client, "HTTP/1.1 200 OK\r\n\r\n");
	query_client_begin(client, &stream);
	return 0;
}

static void on_gone(void *context, struct query_client *client)
{
	(void)context;
	t.is_gone = client == t.client;
}

static void begin(bool only_http)
{
	const struct query_client_handlers handlers = {.line = on_line, .get = on_get, .gone = on_gone};
	int fds[2];

	memset(&t, 0, sizeof(t));
	if (loop_new(&t.loop) < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0 ||
	    query_client_new(t.loop, fds[0], only_http, &handlers, &t.client) < 0)
		exit(EXIT_FAILURE);
	t.fd = fds[1];
}

static void done(void)
{
	if (!t.is_gone)
		query_client_free(t.client);
	loop_free(t.loop);
	if (t.fd >= 0)
		close(t.fd);
}

static void say(const char *text)
{
	(void)send(t.fd, text, strlen(text), MSG_NOSIGNAL);
}

static void turn(unsigned int n)
{
	while (n-- > 0)
		(void)loop_turn(t.loop, 5);
}

/* All that there is at the moment, and how long it is. */
static size_t hear(char *text, size_t size)
{
	ssize_t n = recv(t.fd, text, size - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

static void test_lines(void)
{
	char text[256];

	begin(false);
	say("hel");
	turn(2);
	tap_is_int(t.n_lines, 0, "half a line is none");
	say("lo\nyou\nthe");
	turn(4);
	(void)hear(text, sizeof(text));
	tap_is_str(text, "you said hello\nyou said you\n", "each line has its answer, in their order");
	say("re\n");
	turn(4);
	tap_is_str(t.line, "there", "a rest belongs to the next");
	say("bad\n");
	turn(4);
	tap_ok(t.is_gone && recv(t.fd, text, sizeof(text), 0) >= 0, "one that is refused is dropped");
	done();
}

static void test_long_line(void)
{
	char text[QUERY_LINE_MAX + 1];

	begin(false);
	memset(text, 'a', QUERY_LINE_MAX);
	text[QUERY_LINE_MAX] = '\0';
	say(text);
	turn(4);
	tap_ok(t.is_gone, "a question without end is dropped");
	done();
}

static void test_pieces(void)
{
	size_t total = 0, n;
	char text[65536];
	unsigned int before;

	begin(false);
	say("many\n");
	turn(100);
	before = t.pieces;
	tap_ok(before > 0 && before < PIECES, "an answer waits for its reader (after %u pieces)", before);
	turn(20);
	tap_is_int(t.pieces, before, "and nothing more is made meanwhile");
	for (int i = 0; i < 1000 && total < (size_t)PIECES * PIECE_SIZE; i++) {
		n = hear(text, sizeof(text));
		total += n;
		turn(1);
	}
	tap_ok(total == (size_t)PIECES * PIECE_SIZE && t.has_ended, "all of it arrives (%zu)", total);
	say("again\n");
	turn(4);
	tap_ok(hear(text, sizeof(text)) > 0 && !t.is_gone, "after it the client may ask again");
	done();
}

static void test_push(void)
{
	static char piece[PIECE_SIZE];
	int r = 0, n = 0;

	begin(false);
	say("endless\nwhat\n");
	turn(4);
	tap_is_int(t.n_lines, 1, "while an answer goes on nothing is asked");
	memset(piece, 'y', sizeof(piece));
	for (; r == 0 && n < 1000; n++) {
		r = query_client_say(t.client, piece, sizeof(piece));
		turn(1);
	}
	tap_ok(r == -ENOBUFS && n * PIECE_SIZE > QUERY_UNTAKEN_MAX / 2, "what it does not take has a bound");
	close(t.fd);
	t.fd = -1;
	turn(4);
	tap_ok(t.is_gone && t.has_ended, "its answer ends with the client");
	done();
}

static void test_http(void)
{
	size_t total = 0;
	char text[65536];
	bool is_first = true;

	begin(false);
	say("GET /metrics HTTP/1.1\r\nHost: agent\r\n");
	turn(3);
	tap_is_int(t.pieces, 0, "a request ends with an empty line");
	say("\r\n");
	for (int i = 0; i < 2000; i++) {
		ssize_t n = recv(t.fd, text, sizeof(text), 0);

		if (n == 0)
			break;
		if (n > 0 && is_first)
			tap_ok(strncmp(text, "HTTP/1.1 200 OK\r\n\r\n", 19) == 0, "it has an answer");
		is_first = is_first && n <= 0;
		total += n > 0 ? (size_t)n : 0;
		turn(1);
	}
	tap_is_int(total, 19 + PIECES * PIECE_SIZE, "with all pieces, and an end");
	close(t.fd);
	t.fd = -1;
	turn(3);
	tap_ok(t.is_gone, "then the client goes");
	done();

	begin(true);
	say("GET /else HTTP/1.0\r\n\r\n");
	turn(5);
	(void)hear(text, sizeof(text));
	tap_ok(str_starts(text, "HTTP/1.1 404 "), "what is not there is 404");
	done();

	begin(true);
	say("{\"command\": \"counters\"}\n");
	turn(5);
	tap_ok(t.is_gone && t.n_lines == 0, "where there is only HTTP nothing else is heard");
	done();

	begin(true);
	say("GET /metrics HTTP/1.1\r\n");
	for (int i = 0; i <= QUERY_HEAD_LINES; i++)
		say("X: y\r\n");
	turn(10);
	tap_ok(t.is_gone, "a head without end is dropped");
	done();
}

int main(void)
{
	test_lines();
	test_long_line();
	test_pieces();
	test_push();
	test_http();
	return tap_done();
}
