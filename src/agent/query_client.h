/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One client of the agent's socket: questions that come in lines, answers that are taken as the client reads
 * them. An answer of any length comes piece by piece: the loop turns between two, and no more than one waits
 * in memory.
 */
#pragma once

#include <jansson.h>

#include "../lib/loop.h"

#define QUERY_LINE_MAX	   1024		/* bytes of a question, or of a line of HTTP */
#define QUERY_HEAD_LINES   64		/* of a request of HTTP */
#define QUERY_UNTAKEN_MAX  (512 * 1024) /* bytes of text that a client has not taken */
#define QUERY_HTTP_LIFE_MS 20000	/* of a client that speaks HTTP */

struct query_client;

/* An answer that is more than a line. */
struct query_stream {
	/* Says the next piece (query_client_say). 1: there is more; 0: that was all; negative errno: the
	 * client is dropped. Called again when all is taken. NULL: pieces come by themselves, without end. */
	int (*more)(void *context, struct query_client *client);
	/* The client goes, or the answer is over. */
	void (*end)(void *context);
	void *context;
};

struct query_client_handlers {
	/* A line has come. Negative errno: the client is dropped. */
	int (*line)(void *context, struct query_client *client, const char *line, size_t size);
	/* GET of a path of HTTP has come. Negative errno: there is no such thing. */
	int (*get)(void *context, struct query_client *client, const char *path);
	/* The client is freed after this. */
	void (*gone)(void *context, struct query_client *client);
	void *context;
};

/* The descriptor (not blocking) is the client's from then on, also if it fails. With `only_http` it may say
 * nothing else. */
int query_client_new(struct loop *loop, int fd, bool only_http, const struct query_client_handlers *handlers,
		     struct query_client **ret);
struct query_client *query_client_free(struct query_client *client);

/* Adds to what the client is told. -ENOBUFS: it has not taken too much of what it was told before. */
int query_client_say(struct query_client *client, const char *text, size_t size);
int query_client_format(struct query_client *client, const char *format, ...) _printf_(2, 3);
/* A JSON object, as a line. Takes it. */
int query_client_say_json(struct query_client *client, json_t *object);
/* From now on it gets this, and its questions are not read any more. */
void query_client_begin(struct query_client *client, const struct query_stream *stream);
