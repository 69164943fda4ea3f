/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS of a connectivity test: a session that is carried on whenever its socket is ready, and what is said of
 * the certificate.
 */
#pragma once

#include "../model/connectivity.h"

struct connectivity_trust;

/* The authorities that the file has, which is read to its end; none if it is negative. */
int connectivity_trust_new(int fd, struct connectivity_trust **ret);
struct connectivity_trust *connectivity_trust_free(struct connectivity_trust *trust);

struct connectivity_tls;

/* Over a connected socket (borrowed, not blocking). The certificate has to be of one of the names, the first
 * of which the server is told. */
int connectivity_tls_new(struct connectivity_trust *trust, int fd, const char *const *names, size_t n_names,
			 struct connectivity_tls **ret);
struct connectivity_tls *connectivity_tls_free(struct connectivity_tls *tls);

/* 1: the handshake is through, and `ret` says how it went; 0: it goes on when there is something to read or,
 * as connectivity_tls_writes() says, room to write. */
int connectivity_tls_go_on(struct connectivity_tls *tls, struct connectivity_outcome *ret);
bool connectivity_tls_writes(const struct connectivity_tls *tls);

/* As send() and recv(): -EAGAIN: not yet; other errors end it. */
int connectivity_tls_send(struct connectivity_tls *tls, const char *data, size_t size);
int connectivity_tls_receive(struct connectivity_tls *tls, char *data, size_t size);

/* Says in the outcome that it failed, why in one word, and in a sentence. */
void connectivity_fail(struct connectivity_outcome *outcome, const char *code, const char *format, ...)
	_printf_(3, 4);
