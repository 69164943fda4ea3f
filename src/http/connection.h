/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the server share, and no one else sees: server.c lets callers in, connection.c moves a
 * connection on, request.c reads what it asks, answer.c writes what it is told.
 */
#pragma once

#include "../lib/netaddr.h"
#include "bytes.h"
#include "chunks.h"
#include "server.h"
#include "stream.h"

#define KEPT_MAX (16 * 1024) /* of a buffer that is empty */

enum phase {
	PHASE_HANDSHAKE,
	PHASE_HEAD, /* waits for one, or has begun it */
	PHASE_BODY,
	PHASE_HANDLED,	/* the handler has it */
	PHASE_ANSWERED, /* the answer is on its way */
	PHASE_LINGER,	/* all is said; what still comes is thrown away, so that the answer is not */
};

struct exchange {
	struct server_request request; /* the handler's view */
	struct connection *connection; /* NULL: it is gone */
	char *text;		       /* the head's */
	struct head head;
	struct chunks chunks;
	size_t body_room;
	uint64_t received; /* of the body, discarded bytes too */
	char more[256];	   /* headers of the answer */
	bool last;	   /* the connection ends with it */
};

struct connection {
	struct server *server;
	struct stream stream;
	struct loop_source *source, *timer;
	uint32_t events;
	enum phase phase;
	uint64_t deadline_ms;
	bool again;   /* the buffer may have a whole request; the next turn looks */
	bool driving; /* in connection_drive(), which goes on after what it calls */
	bool skipped_line;
	bool served; /* a request */
	struct bytes in, out;
	const char *content; /* goes behind `out`; not ours */
	size_t content_left;
	size_t counted; /* of `out`, in what the server has of all */
	size_t scanned, sent, discarded;
	struct exchange *exchange;
	struct netaddr address;
	bool has_address;
	struct connection *previous, *next;
};

struct server {
	struct loop *loop;
	struct server_options options;
	struct loop_source *ready, *pause;
	struct tls_server *tls;
	server_handler handler;
	void *context;
	struct connection *first, *last;
	size_t n_connections;
	size_t untaken; /* room that answers have */
};

/* connection.c */

/* Takes the descriptor, also if it fails. `address`: whose it counts as; NULL: nobody's. */
int connection_new(struct server *server, int fd, const struct netaddr *address);
/* Ends it. A request that the handler has stays that one's. */
void connection_free(struct connection *c);
/* The phase is this one from now on, and may take so long. */
void connection_enter(struct connection *c, enum phase phase, unsigned int seconds);
/* Goes on for as long as there is something to do; the connection may be gone afterwards. */
void connection_drive(struct connection *c, uint32_t events);
/* To the end of the list: it has waited for a request since just now. */
void connection_move_last(struct connection *c);
/* After an answer of this connection's: others that take none of theirs may have to go. */
void connection_bound_untaken(struct connection *c);

/* request.c */

/* What the connection's phase makes of bytes that came. Negative: the connection ends. */
int request_read(struct connection *c);
/* The answer is out: the next request, or none. */
void request_next(struct connection *c);
/* Frees a request that nobody has any more. */
void exchange_free(struct exchange *exchange);
