/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An HTTP/1.1 server on one listening socket, in our loop: assembles requests within bounds of size and of
 * time, hands them to one handler, and sends what answers them, now or later: JSON, or bytes that are there
 * already. It knows nothing of what the requests mean.
 */
#pragma once

#include <jansson.h>

#include "../lib/loop.h"
#include "../lib/netaddr.h"
#include "../sign/sign.h"
#include "head.h"

#define SERVER_TARGET_MAX  (32 * 1024) /* path and query */
#define SERVER_HEAD_MAX	   (64 * 1024)
#define SERVER_HEADERS_MAX HEAD_FIELDS_MAX
/* A body above the limit is read to its end up to here, so that its sender gets an answer; beyond, it is cut
 * off. */
#define SERVER_DISCARD_MAX (4 * 1024 * 1024)

/* How long a connection may take, in seconds, for its handshake of TLS; for the head of a request, the first
 * one and any from its first byte; for a body; and for going away after its last answer. */
#define SERVER_HANDSHAKE_S 10
#define SERVER_HEAD_S	   10
#define SERVER_BODY_S	   10
#define SERVER_LINGER_S	   2

/* Of a request that may be anybody's. (The feed's server, which only root can ask, takes more.) */
#define SERVER_BODY_MAX (256 * 1024)

struct server;

struct server_request {
	const char *method;
	const char *path;  /* as sent; of a target in absolute form without scheme and authority */
	const char *query; /* as sent; "" if there is none */
	const struct sign_header *headers;
	size_t n_headers;
	char *body;
	size_t body_size;
	int fd; /* the connection's, for SO_PEERCRED; negative once it is gone */
	bool tls;
	bool has_address;
	struct netaddr address; /* as connections are counted by it: of IPv6, the /64 */
	/* 0, or why it must be refused: -E2BIG: the body is above the limit; -ENAMETOOLONG: the target is;
	 * -EMSGSIZE: the head is, or has too many headers; -EINVAL: malformed, and `why` says in what;
	 * -ENOMEM. All but -E2BIG end the connection. Method, path and query may be "" then. */
	int problem;
	const char *why;
};

const char *server_header(const struct server_request *request, const char *name); /* NULL: absent */

/* Called once for each request. It is answered with server_answer() or server_answer_content(), in there or
 * later; until then it stays valid. */
typedef void (*server_handler)(void *context, struct server_request *request);

/* A header of the answer, before that is given. What has no room is left out. */
void server_add_header(struct server_request *request, const char *name, const char *value);
/* Takes `body` (an object). `request_id` becomes a header if it is not NULL. The request is gone afterwards.
 */
void server_answer(struct server_request *request, unsigned int status, const char *request_id, json_t *body);

/* An answer that is not JSON. */
struct server_content {
	const char *type;
	const char *headers; /* more lines of the head, each with its CR LF */
	const void *bytes;   /* not copied: they stay as they are as long as the server is there */
	size_t size;
};
/* Answers with it. To HEAD, and with the status 304, only its head is sent. The request is gone afterwards.
 */
void server_answer_content(struct server_request *request, unsigned int status,
			   const struct server_content *content);

struct server_options {
	int listen_fd; /* not blocking; owned by the server from then on, also if it fails */
	bool tls;      /* with the certificate of tls.h; else plain HTTP */
	size_t body_max;
	/* When so many connections are there, the oldest one whose request is not being carried out makes
	 * room for a new one: of the same address, if it is the address (of IPv6: the /64) that has too many;
	 * 0: an address may have all. If all are busy, the new one is closed. */
	unsigned int connections_max, connections_per_address_max;
	/* Of answers that their callers do not take, in bytes and all together: beyond it the connection that
	 * has most of them is closed, for each new one; 0: there is no bound. */
	size_t untaken_max;
	unsigned int timeout_s; /* between requests, and for taking an answer */
};
/* Serves on the socket; with the loop's first turn the first request can come. */
int server_new(struct loop *loop, const struct server_options *options, server_handler handler, void *context,
	       struct server **ret);
/* Requests that are not answered yet may still be answered, to nobody. */
struct server *server_free(struct server *server);
