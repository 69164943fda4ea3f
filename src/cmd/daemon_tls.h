/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The API's certificate and its key: read from their files, taken into use, looked after. All of these log
 * what is wrong with them, in a sentence that names the file.
 */
#pragma once

#include <limits.h>

#include "daemon_options.h"

struct daemon_tls {
	char certificate_path[PATH_MAX], key_path[PATH_MAX];
	char *certificate, *key; /* PEM; NULL: no HTTPS */
};

/* Needs the right to read the key. -ENOENT: one of the files is missing. */
int daemon_tls_read(const struct daemon_options *options, struct daemon_tls *ret);
void daemon_tls_done(struct daemon_tls *tls);

/* Whether the two can be used, and are valid now; without using them. */
int daemon_tls_check(const struct daemon_tls *tls);
/* From now on the server shows this certificate. -EINVAL: the one that stands stays; also where this one has
 * ended or is not valid yet and that one is. */
int daemon_tls_use(const struct daemon_tls *tls);
/* Warns if the certificate in use ends soon, has ended or is not valid yet. */
void daemon_tls_look(void);
