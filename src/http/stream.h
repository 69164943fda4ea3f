/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of an accepted connection, plain or by TLS. Nothing here waits: -EAGAIN says that the socket has
 * nothing to read, or no room to write, until its descriptor is ready again.
 */
#pragma once

#include "../lib/util.h"
#include <sys/types.h>

/* At least this much is to be read at once: as much as a record of TLS carries, so that nothing of it stays
 * behind where no descriptor tells of it. */
#define STREAM_READ_SIZE 16384

struct stream {
	int fd;
	struct gnutls_session_int *session; /* NULL: plain */
};

/* Takes the descriptor, also if it fails. `server`: NULL for plain. */
struct tls_server;
int stream_open(struct stream *ret, int fd, const struct tls_server *server);
/* 0: done, or there is none. */
int stream_handshake(struct stream *stream);
/* Whether what -EAGAIN waits for is to write. */
bool stream_wants_write(const struct stream *stream);
ssize_t stream_read(struct stream *stream, void *bytes, size_t size); /* 0: the other side has ended */
/* After -EAGAIN it is to be called again with the same bytes. */
ssize_t stream_write(struct stream *stream, const void *bytes, size_t size);
/* Tells the other side that no more comes. */
void stream_end(struct stream *stream);
void stream_close(struct stream *stream);
