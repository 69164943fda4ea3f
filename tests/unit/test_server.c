/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP server by itself: heads and chunks as tables, who makes room for whom, and requests that lie in
 * the buffer one behind the other.
 */
#include "http_client.h"

#include "../tap.h"
#include "http/chunks.h"
#include "http/server.h"

/* ---- heads ---- */

#define HOST "Host: a\r\n"

static const struct {
	const char *name, *bytes;
	int result; /* of the first of head_end() and head_parse() that fails */
} heads[] = {
	{"a plain one", "GET / HTTP/1.1\r\n" HOST "\r\n", 0},
	{"HTTP/1.0 without Host", "GET / HTTP/1.0\r\n\r\n", 0},
	{"no space behind a colon", "GET / HTTP/1.1\r\nHost:a\r\n\r\n", 0},
	{"an empty value", "GET / HTTP/1.1\r\n" HOST "X:\r\n\r\n", 0},
	{"letters that are not ASCII in a value", "GET / HTTP/1.1\r\n" HOST "X: \xc3\xa4\r\n\r\n", 0},
	{"one length", "POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\n", 0},
	{"chunks", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: Chunked\r\n\r\n", 0},
	{"two lengths", "POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\nContent-Length: 3\r\n\r\n", -EINVAL},
	{"a list of lengths", "POST / HTTP/1.1\r\n" HOST "Content-Length: 3, 3\r\n\r\n", -EINVAL},
	{"a length and chunks",
	 "POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", -EINVAL},
	{"chunks and a length",
	 "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", -EINVAL},
	{"chunks twice",
	 "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
	 -EINVAL},
	{"another coding", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n", -EINVAL},
	{"chunks in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", -EINVAL},
	{"a signed length", "POST / HTTP/1.1\r\n" HOST "Content-Length: +3\r\n\r\n", -EINVAL},
	{"a negative length", "POST / HTTP/1.1\r\n" HOST "Content-Length: -3\r\n\r\n", -EINVAL},
	{"a length in another base", "POST / HTTP/1.1\r\n" HOST "Content-Length: 0x3\r\n\r\n", -EINVAL},
	{"a length beyond all numbers",
	 "POST / HTTP/1.1\r\n" HOST "Content-Length: 18446744073709551617\r\n\r\n", -EINVAL},
	{"an empty length", "POST / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n", -EINVAL},
	{"bare line feeds", "GET / HTTP/1.1\n" HOST "\n", -EINVAL},
	{"one bare line feed", "GET / HTTP/1.1\r\nHost: a\nX: 1\r\n\r\n", -EINVAL},
	{"a bare line feed at the end", "GET / HTTP/1.1\r\nHost: a\r\n\n", -EINVAL},
	{"a carriage return within", "GET / HTTP/1.1\r\nHost: a\rX: 1\r\n\r\n", -EINVAL},
	{"a folded header", "GET / HTTP/1.1\r\n" HOST "X: 1\r\n 2\r\n\r\n", -EINVAL},
	{"a header folded by a tab", "GET / HTTP/1.1\r\n" HOST "X: 1\r\n\t2\r\n\r\n", -EINVAL},
	{"a space in front of the first header", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", -EINVAL},
	{"a space in front of a colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", -EINVAL},
	{"no colon", "GET / HTTP/1.1\r\n" HOST "X\r\n\r\n", -EINVAL},
	{"no name", "GET / HTTP/1.1\r\n" HOST ": 1\r\n\r\n", -EINVAL},
	{"a control character in the target", "GET /\x01 HTTP/1.1\r\n" HOST "\r\n", -EINVAL},
	{"a tab in the target", "GET /\t HTTP/1.1\r\n" HOST "\r\n", -EINVAL},
	{"DEL in the target", "GET /\x7f HTTP/1.1\r\n" HOST "\r\n", -EINVAL},
	{"a control character in a value", "GET / HTTP/1.1\r\n" HOST "X: \x1b[2J\r\n\r\n", -EINVAL},
	{"a space in the target", "GET / a HTTP/1.1\r\n" HOST "\r\n", -EINVAL},
	{"two spaces", "GET  / HTTP/1.1\r\n" HOST "\r\n", -EINVAL},
	{"no version", "GET /\r\n" HOST "\r\n", -EINVAL},
	{"another version", "GET / HTTP/2.0\r\n" HOST "\r\n", -EINVAL},
	{"no method", " / HTTP/1.1\r\n" HOST "\r\n", -EINVAL},
	{"no Host", "GET / HTTP/1.1\r\n\r\n", -EINVAL},
	{"two Hosts", "GET / HTTP/1.1\r\n" HOST HOST "\r\n", -EINVAL},
	{"nothing but an empty line", "\r\n\r\n", -EINVAL},
	{"a half one", "GET / HTTP/1.1\r\n" HOST, -EAGAIN},
};

static int read_head(const char *bytes, size_t size, struct head *ret, char *text)
{
	const char *why = NULL;
	size_t scanned = 0;
	ssize_t end = 0;
	int r;

	for (size_t i = 0; i <= size && end == 0; i++) /* as it may come */
		end = head_end(bytes, i, &scanned, &why);
	if (end <= 0)
		return end < 0 && why ? (int)end : -EAGAIN;
	memcpy(text, bytes, (size_t)end);
	text[end] = '\0';
	r = head_parse(text, (size_t)end, ret, &why);
	return r == -EINVAL && !why ? -EIO : r;
}

static void test_heads(void)
{
	static const char with_nul[] = "GET /\0a HTTP/1.1\r\n" HOST "\r\n";
	char text[1024];
	struct head head;

	for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
		tap_is_int(read_head(heads[i].bytes, strlen(heads[i].bytes), &head, text), heads[i].result,
			   "head: %s", heads[i].name);
	tap_is_int(read_head(with_nul, sizeof(with_nul) - 1, &head, text), -EINVAL,
		   "head: NUL in the target");
	(void)read_head(heads[0].bytes, strlen(heads[0].bytes), &head, text);
	tap_ok(streq(head.method, "GET") && streq(head.target, "/") && head.n_fields == 1 && head.keep &&
		       streq(head.fields[0].name, "Host") && streq(head.fields[0].value, "a"),
	       "it is read");
}

static void test_chunks(void)
{
	static const struct {
		const char *name, *bytes, *body; /* NULL: refused */
	} cases[] = {
		{"none", "0\r\n\r\n", ""},
		{"two", "3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n", "abc0123456789"},
		{"a bare line feed", "3\nabc\r\n0\r\n\r\n", NULL},
		{"a size that is no number", "x\r\n", NULL},
		{"no size", "\r\nabc", NULL},
		{"a size beyond all bounds", "123456789\r\n", NULL},
		{"an extension", "3;a=b\r\nabc\r\n0\r\n\r\n", NULL},
		{"more data than the size says", "3\r\nabcd\r\n0\r\n\r\n", NULL},
		{"a trailer", "0\r\nX: 1\r\n\r\n", NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t size = strlen(cases[i].bytes), used = 0, n = 0;
		struct chunks chunks = {};
		char body[64] = "";
		ssize_t taken = 0;

		while (used < size && taken >= 0 && chunks.state != CHUNKS_OVER) {
			const char *piece;
			size_t piece_size;

			taken = chunks_take(&chunks, cases[i].bytes + used, 1, &piece, &piece_size);
			if (taken < 0)
				break;
			memcpy(body + n, piece, piece_size);
			n += piece_size;
			used += (size_t)taken;
		}
		if (cases[i].body)
			tap_ok(chunks.state == CHUNKS_OVER && used == size && streq(body, cases[i].body),
			       "chunks: %s", cases[i].name);
		else
			tap_is_int(taken, -EINVAL, "chunks: %s", cases[i].name);
	}
}

/* ---- a server ---- */

#define REQUEST "GET /now HTTP/1.1\r\n" HOST "\r\n"
#define LATER	"GET /later HTTP/1.1\r\n" HOST "\r\n"

struct world {
	struct loop *loop;
	struct server *server;
	struct sockaddr_in address;
	struct server_request *held[8];
	size_t n_held, n_handled, most_in_a_turn;
};

static void answer(struct server_request *request)
{
	server_answer(request, 200, NULL,
		      json_pack("{s:s, s:i}", "path", request->path, "problem", request->problem));
}

#define BIG (16 * 1024 * 1024) /* more than the kernel takes for a caller that does not read */

static json_t *big_text(void)
{
	_cleanup_(freep) char *text = malloc(BIG + 1);

	if (!text)
		abort();
	memset(text, 'a', BIG);
	text[BIG] = '\0';
	return json_string(text);
}

/* What is there already, and is not copied. */
static void answer_content(struct server_request *request)
{
	static char big[BIG];
	bool is_big = streq(request->path, "/content/big");
	const struct server_content content = {.type = "text/plain",
					       .headers = "X-Always: yes\r\n",
					       .bytes = is_big ? big : "here it is",
					       .size = is_big ? sizeof(big) : 10};

	server_add_header(request, "X-Now", "yes");
	server_answer_content(request, streq(request->path, "/content/same") ? 304 : 200, &content);
}

static void handle(void *context, struct server_request *request)
{
	struct world *w = context;

	w->n_handled++;
	if (str_starts(request->path, "/content")) {
		answer_content(request);
		return;
	}
	if (streq(request->path, "/big"))
		server_answer(request, 200, NULL, json_pack("{s:o}", "big", big_text()));
	else if (streq(request->path, "/later"))
		w->held[w->n_held++] = request;
	else
		answer(request);
}

static void begin(struct world *w, unsigned int all, unsigned int each)
{
	struct server_options options = {.body_max = 100,
					 .connections_max = all,
					 .connections_per_address_max = each,
					 .untaken_max = BIG / 4,
					 .timeout_s = 60};

	*w = (struct world){};
	options.listen_fd = client_listen_tcp(&w->address);
	if (loop_new(&w->loop) < 0 || server_new(w->loop, &options, handle, w, &w->server) < 0)
		abort();
}

static void end(struct world *w)
{
	server_free(w->server);
	for (size_t i = 0; i < w->n_held; i++)
		answer(w->held[i]);
	loop_free(w->loop);
}

static int caller(struct world *w, const char *from, const char *bytes)
{
	struct sockaddr_in source = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)inet_pton(AF_INET, from, &source.sin_addr);
	if (fd < 0 || bind(fd, (struct sockaddr *)&source, sizeof(source)) < 0 ||
	    connect(fd, (struct sockaddr *)&w->address, sizeof(w->address)) < 0)
		abort();
	client_send(w->loop, fd, bytes, strlen(bytes));
	for (int i = 0; i < 5; i++)
		(void)loop_turn(w->loop, 2);
	return fd;
}

static bool is_open(int fd)
{
	char c;

	return recv(fd, &c, 1, MSG_DONTWAIT | MSG_PEEK) < 0 && errno == EAGAIN;
}

static void test_room(void)
{
	struct world w;
	int busy, silent, dripping, next;

	begin(&w, 3, 0);
	busy = caller(&w, "127.0.0.1", LATER);
	silent = caller(&w, "127.0.0.1", "");
	dripping = caller(&w, "127.0.0.2", "GET /");
	next = caller(&w, "127.0.0.3", LATER);
	tap_ok(!is_open(silent), "the oldest connection without a whole request makes room");
	tap_ok(is_open(busy) && is_open(dripping) && w.n_held == 2,
	       "the others stay, and the new one is served");
	(void)close(next);
	next = caller(&w, "127.0.0.3", LATER);
	tap_ok(!is_open(dripping) || w.n_held == 3, "the next one finds room, too");
	answer(w.held[0]);
	w.held[0] = w.held[--w.n_held];
	tap_is_int(client_status(client_receive(w.loop, busy, 1000)), 200,
		   "what is carried out meanwhile is answered");
	for (int i = 0; i < 3; i++)
		(void)caller(&w, "127.0.0.4", LATER);
	tap_ok(w.n_held <= 5, "no more are carried out than there is room for");
	(void)close(busy);
	(void)close(silent);
	(void)close(dripping);
	(void)close(next);
	end(&w);

	begin(&w, 100, 2);
	silent = caller(&w, "127.0.0.1", "");
	dripping = caller(&w, "127.0.0.1", "G");
	busy = caller(&w, "127.0.0.2", "");
	next = caller(&w, "127.0.0.1", REQUEST);
	tap_is_int(client_status(client_receive(w.loop, next, 1000)), 200,
		   "an address that has too many is served");
	tap_ok(!is_open(silent) && is_open(dripping) && is_open(busy), "its own oldest makes room for it");
	(void)close(next);
	(void)close(busy);
	(void)close(silent);
	(void)close(dripping);
	end(&w);
}

static void test_all_busy(void)
{
	struct world w;
	int fds[3];

	begin(&w, 2, 0);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = caller(&w, "127.0.0.1", LATER);
	tap_ok(w.n_held == 2 && !is_open(fds[2]), "where all are busy, a new one is closed");
	tap_ok(is_open(fds[0]) && is_open(fds[1]), "and none of them");
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		(void)close(fds[i]);
	end(&w);
}

/* A hundred requests in one piece: all are answered, in their order, and one in a turn. */
static void test_pipeline(void)
{
	struct world w;
	static char answers[CLIENT_ANSWER_MAX];
	char bytes[8192] = "", *end_of = bytes;
	size_t most = 0, n_answers = 0;
	int fd;

	begin(&w, 10, 0);
	for (int i = 0; i < 100; i++)
		end_of = stpcpy(end_of, REQUEST);
	fd = client_connect((struct sockaddr *)&w.address, sizeof(w.address));
	if (send(fd, bytes, strlen(bytes), 0) < 0)
		abort();
	for (int i = 0; i < 300; i++) {
		size_t before = w.n_handled;

		(void)loop_turn(w.loop, 1);
		most = MAX(most, w.n_handled - before);
	}
	tap_is_int((long long)w.n_handled, 100, "requests that come in one piece are all carried out");
	tap_ok(most <= 2, "but not at once");
	if (recv(fd, answers, sizeof(answers) - 1, MSG_DONTWAIT) > 0)
		for (const char *at = answers; (at = strstr(at, "HTTP/1.1 200")); at++)
			n_answers++;
	tap_is_int((long long)n_answers, 100, "and answered");
	(void)close(fd);
	end(&w);
}

/* Who sends more than is carried out is not read, so that nobody fills our memory. */
static void test_flood(void)
{
	struct world w;
	char bytes[8192] = "", *end_of = bytes;
	size_t sent = 0;
	int fd;

	begin(&w, 10, 0);
	for (int i = 0; i < 100; i++)
		end_of = stpcpy(end_of, REQUEST);
	fd = client_connect((struct sockaddr *)&w.address, sizeof(w.address));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &(int){16384}, sizeof(int));
	for (int i = 0; i < 400; i++) {
		size_t length = strlen(bytes), from = sent % length;
		ssize_t n;

		/* From where the last one ended, in the middle of a request. */
		while ((n = send(fd, bytes + from, length - from, MSG_DONTWAIT)) > 0) {
			sent += (size_t)n;
			from = sent % length;
		}
		(void)loop_turn(w.loop, 1);
	}
	tap_ok(w.n_handled >= 300, "requests that do not end are carried out");
	if (!tap_ok(sent < (size_t)1024 * 1024, "but no more are taken than wait in the kernel"))
		tap_note("taken: %zu bytes, carried out: %zu requests", sent, w.n_handled);
	(void)shutdown(fd, SHUT_WR);
	for (int i = 0; i < 100; i++)
		(void)loop_turn(w.loop, 1);
	tap_ok(w.n_handled >= 400, "also when their sender has said all");
	(void)close(fd);
	end(&w);
}

/* How much comes, up to an answer's size. */
static size_t take_all(struct world *w, int fd)
{
	static char bytes[256 * 1024];
	size_t taken = 0;

	for (int idle = 0; taken < BIG && idle < 200;) {
		ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);

		if (n == 0 || (n < 0 && errno != EAGAIN))
			break;
		taken += n > 0 ? (size_t)n : 0;
		idle = n > 0 ? 0 : idle + 1;
		(void)loop_turn(w->loop, n > 0 ? 0 : 5);
	}
	return taken;
}

/* Answers that nobody takes do not fill the memory: the largest of them goes. */
static void test_untaken(void)
{
	static const char big[] = "GET /big HTTP/1.1\r\n" HOST "\r\n";
	struct world w;
	int silent, reader, other;

	begin(&w, 10, 0);
	silent = caller(&w, "127.0.0.1", big);
	other = caller(&w, "127.0.0.2", REQUEST);
	tap_is_int(client_status(client_receive(w.loop, other, 1000)), 200,
		   "who asks for little is answered beside a caller that does not read");
	reader = caller(&w, "127.0.0.3", big);
	tap_ok(take_all(&w, silent) < BIG, "a caller that does not read makes room for another's answer");
	tap_ok(take_all(&w, reader) >= BIG, "who reads has all of it, also beyond the bound");
	tap_ok(is_open(other), "who has nothing to take stays");
	(void)close(silent);
	(void)close(reader);
	(void)close(other);
	end(&w);
}

/* What comes until nothing comes. */
static const char *take_text(struct world *w, int fd)
{
	static char text[8192];
	size_t size = 0;

	for (int idle = 0; idle < 20;) {
		ssize_t n = recv(fd, text + size, sizeof(text) - size - 1, MSG_DONTWAIT);

		if (n == 0)
			break;
		size += n > 0 ? (size_t)n : 0;
		idle = n > 0 ? 0 : idle + 1;
		(void)loop_turn(w->loop, 5);
	}
	text[size] = '\0';
	return text;
}

#define CONTENT_LINES "\r\nContent-Type: text/plain\r\nX-Always: yes\r\nX-Now: yes\r\n\r\n"

static void test_content(void)
{
	static const struct {
		const char *name, *bytes, *ends_with;
		bool has_length;
	} cases[] = {
		{"content comes with its head", "GET /content HTTP/1.1\r\n" HOST "\r\n",
		 CONTENT_LINES "here it is", true},
		{"to HEAD comes the head alone", "HEAD /content HTTP/1.1\r\n" HOST "\r\n", CONTENT_LINES,
		 true},
		{"what has not changed is not sent, and has no length",
		 "GET /content/same HTTP/1.1\r\n" HOST "\r\n", CONTENT_LINES, false},
	};
	struct world w;

	begin(&w, 10, 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int fd = caller(&w, "127.0.0.1", cases[i].bytes);
		const char *got = take_text(&w, fd);

		if (!tap_ok(str_ends(got, cases[i].ends_with) &&
				    !!strstr(got, "Content-Length: 10\r\n") == cases[i].has_length,
			    "%s", cases[i].name))
			tap_note("%s", got);
		tap_ok(is_open(fd), "and the connection stays");
		(void)close(fd);
	}
	end(&w);
}

/* Answers of both kinds, one behind the other. */
static void test_content_pipeline(void)
{
	static const char requests[] =
		"HEAD /content HTTP/1.1\r\n" HOST "\r\n" REQUEST "GET /content HTTP/1.1\r\n" HOST "\r\n"
		"GET /content/same HTTP/1.1\r\n" HOST "\r\n" REQUEST;
	static const char *const want[] = {CONTENT_LINES "HTTP/1.1 200 OK", "\"problem\":0}HTTP/1.1 200 OK",
					   CONTENT_LINES "here it isHTTP/1.1 304 Not Modified",
					   CONTENT_LINES "HTTP/1.1 200 OK", "\"problem\":0}"};
	const char *got, *at;
	bool all = true;
	struct world w;
	int fd;

	begin(&w, 10, 0);
	fd = caller(&w, "127.0.0.1", requests);
	got = at = take_text(&w, fd);
	for (size_t i = 0; i < ARRAY_SIZE(want) && all; i++) {
		at = strstr(at, want[i]);
		all = at != NULL;
	}
	if (!tap_ok(all, "content and JSON come in the order in which they were asked for"))
		tap_note("%s", got);
	(void)close(fd);
	end(&w);
}

/* Nothing is kept for those who do not take content, so nobody is closed for it. */
static void test_content_untaken(void)
{
	static const char big[] = "GET /content/big HTTP/1.1\r\n" HOST "\r\n";
	struct world w;
	int silent, reader;

	begin(&w, 10, 0);
	silent = caller(&w, "127.0.0.1", big);
	reader = caller(&w, "127.0.0.3", big);
	tap_ok(take_all(&w, reader) >= BIG, "content of any size comes beside a caller that does not read");
	tap_ok(take_all(&w, silent) >= BIG, "who reads late has all of it, too");
	reader = caller(&w, "127.0.0.3", big);
	(void)close(reader);
	(void)close(silent);
	silent = caller(&w, "127.0.0.1", REQUEST);
	tap_is_int(client_status(client_receive(w.loop, silent, 1000)), 200,
		   "who goes in the middle harms nobody");
	(void)close(silent);
	end(&w);
}

static void test_words(void)
{
	static const struct {
		const char *name, *bytes, *has, *has_not;
	} cases[] = {
		{"HEAD has no body", "HEAD / HTTP/1.1\r\n" HOST "\r\n", "Content-Length: ", "{"},
		{"an empty line in front is skipped", "\r\n" REQUEST, "200 OK", "\"problem\":-"},
		{"two are not", "\r\n\r\n" REQUEST, "Connection: close", "\"problem\":0"},
		{"Connection: close is heard", "GET / HTTP/1.1\r\n" HOST "Connection: x, Close\r\n\r\n",
		 "Connection: close", "keep-alive"},
		{"HTTP/1.0 ends", "GET / HTTP/1.0\r\n\r\n", "Connection: close", "keep-alive"},
		{"unless told otherwise", "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
		 "Connection: keep-alive", "close"},
		{"a body is asked for",
		 "POST / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 1\r\n\r\n",
		 "HTTP/1.1 100 Continue\r\n\r\n", "200 OK"},
		{"malformed chunks end it",
		 "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3\nabc", "Connection: close",
		 "\"problem\":0"},
	};
	struct world w;

	begin(&w, 10, 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int fd = caller(&w, "127.0.0.1", cases[i].bytes);
		const char *got = client_receive(w.loop, fd, 100);

		if (!tap_ok(strstr(got, cases[i].has) && !strstr(got, cases[i].has_not), "%s", cases[i].name))
			tap_note("%s", got);
		(void)close(fd);
	}
	end(&w);
}

int main(void)
{
	test_heads();
	test_chunks();
	test_room();
	test_all_busy();
	test_pipeline();
	test_flood();
	test_untaken();
	test_content();
	test_content_pipeline();
	test_content_untaken();
	test_words();
	return tap_done();
}
