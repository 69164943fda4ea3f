/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The API on HTTP: from a request to the action it names, and from the action's result to the answer's JSON.
 */
#pragma once

#include "../../http/server.h"
#include "nonces.h"
#include "rates.h"
#include "run.h"
#include "turns.h"

#define HTTP_CONNECTIONS_MAX	      512
#define HTTP_CONNECTIONS_PER_HOST_MAX 256
#define HTTP_UNTAKEN_MAX	      (64 * 1024 * 1024)
#define HTTP_TIMEOUT_S		      60

/* A request is large if its query and its body have more bytes. An address (of IPv6, a /64) may send so many
 * of them in RATE_PERIOD_MS that have no good signature; beyond that its large ones are not read. Others
 * always are: who shares the address with a stranger goes on, and is told what is wrong. */
#define HTTP_LARGE	     (8 * 1024)
#define HTTP_LARGE_WRONG_MAX 30

struct http;

/* `environment` outlives it; `nonces` is its own from then on, also if it fails. */
int http_new(struct loop *loop, const struct run_environment *environment, struct nonces *nonces,
	     const struct rate_limits *limits, struct http **ret);
struct http *http_free(struct http *http);

/* Serves a listening socket (owned from then on); by TLS with the certificate of tls.h, or by plain HTTP. */
int http_listen(struct http *http, int listen_fd, bool tls);
