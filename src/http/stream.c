/* SPDX-License-Identifier: Apache-2.0 */
#include "stream.h"

#include <gnutls/gnutls.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tls.h"

int stream_open(struct stream *ret, int fd, const struct tls_server *server)
{
	int r;

	*ret = (struct stream){.fd = fd};
	r = server ? tls_session_new(server, fd, &ret->session) : 0;
	if (r < 0)
		stream_close(ret);
	return r;
}

/* GnuTLS's numbers as ours. Alerts that are no end, and handshakes within, are waited out. */
static int result_of(int r)
{
	if (r >= 0)
		return r;
	return r == GNUTLS_E_AGAIN || r == GNUTLS_E_INTERRUPTED || r == GNUTLS_E_WARNING_ALERT_RECEIVED
		       ? -EAGAIN
		       : -ECONNABORTED;
}

int stream_handshake(struct stream *stream)
{
	return stream->session ? result_of(gnutls_handshake(stream->session)) : 0;
}

bool stream_wants_write(const struct stream *stream)
{
	return stream->session && gnutls_record_get_direction(stream->session) == 1;
}

static ssize_t errno_of(ssize_t n)
{
	if (n >= 0)
		return n;
	return errno == EINTR || errno == EWOULDBLOCK ? -EAGAIN : -errno;
}

ssize_t stream_read(struct stream *stream, void *bytes, size_t size)
{
	if (stream->session)
		return result_of((int)gnutls_record_recv(stream->session, bytes, size));
	return errno_of(recv(stream->fd, bytes, size, 0));
}

ssize_t stream_write(struct stream *stream, const void *bytes, size_t size)
{
	if (stream->session)
		return result_of((int)gnutls_record_send(stream->session, bytes, size));
	return errno_of(send(stream->fd, bytes, size, MSG_NOSIGNAL));
}

void stream_end(struct stream *stream)
{
	if (stream->session)
		(void)gnutls_bye(stream->session, GNUTLS_SHUT_WR);
	(void)shutdown(stream->fd, SHUT_WR);
}

void stream_close(struct stream *stream)
{
	if (stream->session)
		gnutls_deinit(stream->session);
	stream->session = NULL;
	closep(&stream->fd);
}
