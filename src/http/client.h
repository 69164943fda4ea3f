/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client of HTTP over a Unix socket, on the loop. Requests run side by side and share connections that stay
 * open.
 */
#pragma once

#include "../lib/loop.h"

struct http_client;
struct http_client_request;

/* `socket_path` is copied. */
int http_client_new(struct loop *loop, const char *socket_path, struct http_client **ret);
/* Cancels what is under way. */
struct http_client *http_client_free(struct http_client *client);

/* `status` is the answer's, or a negative errno when there was none (-ETIMEDOUT, -ECONNREFUSED, -EIO ...).
 * The body is borrowed. The request is over when this is called. */
typedef void (*http_client_done)(void *context, int status, const char *body, size_t size);

/* `body` NULL: GET, else POST of JSON (copied). `ret` may be used to cancel until `done` is called. */
int http_client_send(struct http_client *client, const char *path, const char *body, uint64_t timeout_ms,
		     http_client_done done, void *context, struct http_client_request **ret);
/* Ends the request without a call. Takes NULL, returns NULL. */
struct http_client_request *http_client_cancel(struct http_client_request *request);
