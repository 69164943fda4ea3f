/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client that lives in the same thread as the server: it sends bytes, turns the loop, and takes what comes
 * back.
 */
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/loop.h"

#define CLIENT_ANSWER_MAX (1024 * 1024)
#define CLIENT_TURN_MS	  5

/* A listening socket on a free port of loopback. */
__attribute__((unused)) static int client_listen_tcp(struct sockaddr_in *ret)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	socklen_t size = sizeof(*ret);

	*ret = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	if (fd < 0 || bind(fd, (struct sockaddr *)ret, size) < 0 || listen(fd, 16) < 0 ||
	    getsockname(fd, (struct sockaddr *)ret, &size) < 0)
		abort();
	return fd;
}

__attribute__((unused)) static int client_connect(const struct sockaddr *address, socklen_t size)
{
	int fd = socket(address->sa_family, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, address, size) < 0)
		abort();
	return fd;
}

__attribute__((unused)) static void client_send(struct loop *loop, int fd, const char *bytes, size_t size)
{
	while (size > 0) {
		ssize_t n = send(fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n > 0) {
			bytes += n;
			size -= (size_t)n;
		} else if (n < 0 && errno != EAGAIN) {
			return; /* the server has closed */
		}
		(void)loop_turn(loop, 1);
	}
}

/* Where the body begins; NULL: the head is not complete. */
__attribute__((unused)) static char *client_body(char *answer)
{
	char *end = strstr(answer, "\r\n\r\n");

	return end ? end + 4 : NULL;
}

/* Whether one whole answer is there (with Content-Length). */
__attribute__((unused)) static bool client_complete(char *answer)
{
	char *body = client_body(answer), *length = strcasestr(answer, "content-length:");

	return body && length && strlen(body) >= strtoul(length + strlen("content-length:"), NULL, 10);
}

/* Turns the loop until one answer has come, the server has closed, or so many milliseconds have passed in
 * turns. Those in which the machine did something else do not count: the server, which is of this process,
 * had none of them. Gives what came (static). */
__attribute__((unused)) static char *client_receive(struct loop *loop, int fd, int timeout_ms)
{
	static char answer[CLIENT_ANSWER_MAX];
	uint64_t left = (uint64_t)timeout_ms;
	size_t size = 0;

	answer[0] = '\0';
	while (left > 0 && !client_complete(answer)) {
		uint64_t start = now_mono_ms(), spent;
		ssize_t n;

		(void)loop_turn(loop, CLIENT_TURN_MS);
		n = recv(fd, answer + size, sizeof(answer) - size - 1, MSG_DONTWAIT);
		if (n == 0)
			break;
		if (n > 0)
			answer[size += (size_t)n] = '\0';
		spent = now_mono_ms() - start;
		left -= MIN(left, MIN(spent, (uint64_t)CLIENT_TURN_MS));
	}
	return answer;
}

/* 200 of "HTTP/1.1 200 OK"; 0: no answer. */
__attribute__((unused)) static int client_status(const char *answer)
{
	return str_starts(answer, "HTTP/1.1 ") ? atoi(answer + strlen("HTTP/1.1 ")) : 0;
}
