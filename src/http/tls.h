/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The certificate that this process shows to those who connect by TLS. It can be exchanged while it serves:
 * connections that stand keep theirs, later ones get the new one. There is one for all servers of the
 * process, because GnuTLS asks for it without saying on whose behalf.
 */
#pragma once

#include "../lib/certificate.h"

/* AEAD suites of TLS 1.2 and 1.3, with a key for each connection. */
#define TLS_PRIORITIES                                                                                       \
	"SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:-CIPHER-ALL:"         \
	"+AES-256-GCM:+CHACHA20-POLY1305:+AES-128-GCM:-MAC-ALL:+AEAD:-SIGN-RSA-SHA1:-SIGN-ECDSA-SHA1"

/* Takes chain and key (PEM, copied) from now on. -EINVAL: `why` says what is wrong with them, and those that
 * stand stay. */
int tls_identity_set(const char *chain, const char *key, struct certificate *ret, char *why, size_t why_size);
/* Before the end: forgets the key. */
void tls_identity_clear(void);

/* What the connections of one server share. */
struct tls_server;
int tls_server_new(struct tls_server **ret);
struct tls_server *tls_server_free(struct tls_server *server);
/* A session on an accepted, non-blocking socket; gnutls_deinit() ends it. */
struct gnutls_session_int;
int tls_session_new(const struct tls_server *server, int fd, struct gnutls_session_int **ret);
