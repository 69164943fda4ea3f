/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcurl's multi interface with its sockets and its one timer on our loop. Callbacks to our user never run
 * from within libcurl: they come from the loop, after libcurl has returned, so they may start and cancel
 * requests.
 */
#include "client.h"

#include <limits.h>

#include <curl/curl.h>

#define BODY_SIZE_MAX (256u * 1024 * 1024)

struct http_client_request {
	struct http_client *client;
	struct http_client_request *next;
	CURL *easy;
	struct curl_slist *headers;
	http_client_done done;
	void *context;
	char *body;
	size_t size, allocated;
};

struct http_client {
	struct loop *loop;
	CURLM *multi;
	struct loop_source *timer;
	char *socket_path;
	struct http_client_request *requests;
};

struct client_socket {
	struct http_client *client;
	curl_socket_t fd;
	struct loop_source *source;
};

static int result_to_errno(CURLcode code)
{
	switch (code) {
	case CURLE_COULDNT_CONNECT:
		return -ECONNREFUSED;
	case CURLE_OPERATION_TIMEDOUT:
		return -ETIMEDOUT;
	case CURLE_OUT_OF_MEMORY:
		return -ENOMEM;
	case CURLE_WRITE_ERROR:
		return -EFBIG;
	default:
		return -EIO;
	}
}

static void unlink_request(struct http_client_request *request)
{
	struct http_client_request **place = &request->client->requests;

	while (*place != request)
		place = &(*place)->next;
	*place = request->next;
}

static void free_request(struct http_client_request *request)
{
	unlink_request(request);
	(void)curl_multi_remove_handle(request->client->multi, request->easy);
	curl_easy_cleanup(request->easy);
	curl_slist_free_all(request->headers);
	free(request->body);
	free(request);
}

static void finish_request(struct http_client_request *request, CURLcode code)
{
	http_client_done done = request->done;
	void *context = request->context;
	char *body = TAKE_PTR(request->body);
	size_t size = request->size;
	long status = 0;

	(void)curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status);
	free_request(request);
	done(context, code == CURLE_OK ? (int)status : result_to_errno(code), body ? body : "", size);
	free(body);
}

static void finish_done(struct http_client *client)
{
	struct CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(client->multi, &left))) {
		struct http_client_request *request = NULL;
		CURLcode code = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&request);
		if (request)
			finish_request(request, code);
	}
}

static void on_socket(void *context, uint32_t events)
{
	struct client_socket *socket = context;
	struct http_client *client = socket->client;
	int mask = 0, running;

	if (events & (EPOLLIN | EPOLLHUP))
		mask |= CURL_CSELECT_IN;
	if (events & EPOLLOUT)
		mask |= CURL_CSELECT_OUT;
	if (events & EPOLLERR)
		mask |= CURL_CSELECT_ERR;
	/* The socket may be gone after this. */
	(void)curl_multi_socket_action(client->multi, socket->fd, mask, &running);
	finish_done(client);
}

static void on_timer(void *context, uint32_t events)
{
	struct http_client *client = context;
	int running;

	(void)events;
	(void)curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	finish_done(client);
}

static void free_socket(struct client_socket *socket)
{
	if (!socket)
		return;
	loop_source_free(socket->source);
	free(socket);
}

static struct client_socket *new_socket(struct http_client *client, curl_socket_t fd, uint32_t events)
{
	struct client_socket *socket = calloc(1, sizeof(*socket));

	if (!socket)
		return NULL;
	socket->client = client;
	socket->fd = fd;
	if (loop_add_fd(client->loop, fd, events, on_socket, socket, &socket->source) < 0) {
		free(socket);
		return NULL;
	}
	return socket;
}

/* libcurl says what it waits for on a socket. */
static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *socket_context)
{
	struct client_socket *socket = socket_context;
	struct http_client *client = context;
	uint32_t events = 0;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		free_socket(socket);
		(void)curl_multi_assign(client->multi, fd, NULL);
		return 0;
	}
	if (what & CURL_POLL_IN)
		events |= EPOLLIN;
	if (what & CURL_POLL_OUT)
		events |= EPOLLOUT;
	if (socket)
		return loop_source_set_events(socket->source, events) < 0 ? -1 : 0;
	socket = new_socket(client, fd, events);
	if (!socket)
		return -1;
	(void)curl_multi_assign(client->multi, fd, socket);
	return 0;
}

static int set_timer(CURLM *multi, long timeout_ms, void *context)
{
	struct http_client *client = context;

	(void)multi;
	if (timeout_ms < 0)
		loop_timer_stop(client->timer);
	else
		loop_timer_set(client->timer, (uint64_t)timeout_ms);
	return 0;
}

int http_client_new(struct loop *loop, const char *socket_path, struct http_client **ret)
{
	struct http_client *client = calloc(1, sizeof(*client));
	int r;

	if (!client)
		return -ENOMEM;
	client->loop = loop;
	client->socket_path = strdup(socket_path);
	client->multi = curl_multi_init();
	r = client->multi && client->socket_path ? loop_add_timer(loop, on_timer, client, &client->timer)
						 : -ENOMEM;
	if (r < 0) {
		http_client_free(client);
		return r;
	}
	(void)curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
	(void)curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
	(void)curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, set_timer);
	(void)curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
	*ret = client;
	return 0;
}

struct http_client *http_client_free(struct http_client *client)
{
	if (!client)
		return NULL;
	while (client->requests)
		free_request(client->requests);
	if (client->multi)
		(void)curl_multi_cleanup(client->multi);
	loop_source_free(client->timer);
	free(client->socket_path);
	free(client);
	return NULL;
}

static size_t take_body(char *data, size_t size, size_t n, void *context)
{
	struct http_client_request *request = context;
	size_t more = size * n;

	if (more > BODY_SIZE_MAX - request->size)
		return 0;
	if (request->size + more + 1 > request->allocated) {
		size_t allocated = MAX(2 * request->allocated, request->size + more + 1);
		char *body = realloc(request->body, allocated);

		if (!body)
			return 0;
		request->body = body;
		request->allocated = allocated;
	}
	memcpy(request->body + request->size, data, more);
	request->size += more;
	request->body[request->size] = '\0';
	return more;
}

static int set_options(struct http_client_request *request, const char *path, const char *body,
		       uint64_t timeout_ms)
{
	CURL *easy = request->easy;
	char url[1024];

	if (str_format(url, sizeof(url), "http://privlinkd%s", path) < 0)
		return -ENAMETOOLONG;
	/* A body above 1 KiB would make libcurl wait for "100 Continue" first. */
	request->headers = curl_slist_append(NULL, "Expect:");
	if (request->headers && body)
		request->headers = curl_slist_append(request->headers, "Content-Type: application/json");
	if (!request->headers)
		return -ENOMEM;
	if (curl_easy_setopt(easy, CURLOPT_URL, url) || curl_easy_setopt(easy, CURLOPT_PROXY, "") ||
	    curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, request->client->socket_path) ||
	    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) ||
	    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, request->headers) ||
	    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)MIN(timeout_ms, (uint64_t)LONG_MAX)) ||
	    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body) ||
	    curl_easy_setopt(easy, CURLOPT_WRITEDATA, request) ||
	    curl_easy_setopt(easy, CURLOPT_PRIVATE, request) ||
	    (body && curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, body)))
		return -ENOMEM;
	return 0;
}

int http_client_send(struct http_client *client, const char *path, const char *body, uint64_t timeout_ms,
		     http_client_done done, void *context, struct http_client_request **ret)
{
	struct http_client_request *request = calloc(1, sizeof(*request));
	int r;

	if (!request)
		return -ENOMEM;
	request->client = client;
	request->done = done;
	request->context = context;
	request->next = client->requests;
	client->requests = request;
	request->easy = curl_easy_init();
	r = request->easy ? set_options(request, path, body, timeout_ms) : -ENOMEM;
	if (r == 0 && curl_multi_add_handle(client->multi, request->easy))
		r = -ENOMEM;
	if (r < 0) {
		free_request(request);
		return r;
	}
	*ret = request;
	return 0;
}

struct http_client_request *http_client_cancel(struct http_client_request *request)
{
	if (request)
		free_request(request);
	return NULL;
}
