/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An HTTP/1.1 server on one listening socket, in our loop: assembles requests within bounds, hands them to
 * one handler, and sends the JSON that answers them, now or later. It knows nothing of what the requests
 * mean.
 */
#pragma once

#include <jansson.h>

#include "../lib/loop.h"
#include "../sign/sign.h"

#define SERVER_TARGET_MAX  (32 * 1024) /* path and query */
#define SERVER_HEADERS_MAX 100
/* A body above the limit is read to its end up to here, so that its sender gets an answer; beyond, it is cut
 * off. */
#define SERVER_DISCARD_MAX (4 * 1024 * 1024)

struct server;

struct server_request {
	const char *method;
	const char *path;  /* as sent */
	const char *query; /* as sent; "" if there is none */
	struct sign_header headers[SERVER_HEADERS_MAX];
	size_t n_headers;
	char *body;
	size_t body_size;
	int fd; /* the connection's, for SO_PEERCRED */
	/* 0, or why it must be refused: -E2BIG: the body is above the limit; -ENAMETOOLONG: the target is;
	 * -EMSGSIZE: too many headers; -ENOMEM. */
	int problem;
};

const char *server_header(const struct server_request *request, const char *name); /* NULL: absent */

/* Called once for each request. It is answered with server_answer(), in there or later; until then it stays
 * valid. */
typedef void (*server_handler)(void *context, struct server_request *request);

/* Takes `body` (an object). `request_id` becomes a header if it is not NULL. The request is gone afterwards.
 */
void server_answer(struct server_request *request, unsigned int status, const char *request_id, json_t *body);

/* Of a request that may be anybody's. (The feed's server, which only root can ask, takes more.) */
#define SERVER_BODY_MAX (256 * 1024)

struct server_options {
	int listen_fd; /* owned by the server from then on, also if it fails */
	bool tls;      /* with the certificate of tls.h; else plain HTTP */
	size_t body_max;
	unsigned int connections_max, connections_per_address_max, timeout_s;
};
/* Serves on the socket; with the loop's first turn the first request can come. -EINVAL: libmicrohttpd refused
 * the options; other negative errno. */
int server_new(struct loop *loop, const struct server_options *options, server_handler handler, void *context,
	       struct server **ret);
/* Requests that are not answered yet may still be answered, to nobody. */
struct server *server_free(struct server *server);
