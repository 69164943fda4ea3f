/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client of HTTP over a Unix socket, on the loop. Requests run side by side and share connections that stay
 * open.
 */
#pragma once

#include "../lib/loop.h"

struct http;
struct http_request;

/* `socket_path` is copied. */
int http_new(struct loop *loop, const char *socket_path, struct http **ret);
/* Cancels what is under way. */
struct http *http_free(struct http *http);

/* `status` is the answer's, or a negative errno when there was none (-ETIMEDOUT, -ECONNREFUSED, -EIO ...).
 * The body is borrowed. The request is over when this is called. */
typedef void (*http_done)(void *context, int status, const char *body, size_t size);

/* `body` NULL: GET, else POST of JSON (copied). `ret` may be used to cancel until `done` is called. */
int http_send(struct http *http, const char *path, const char *body, uint64_t timeout_ms, http_done done,
	      void *context, struct http_request **ret);
/* Ends the request without a call. Takes NULL, returns NULL. */
struct http_request *http_cancel(struct http_request *request);
