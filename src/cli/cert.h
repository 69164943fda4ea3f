/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A certificate authority in a directory, and certificates for servers from it.
 */
#pragma once

#include <sys/types.h>

#include "../lib/util.h"

#define CERT_NAMES_MAX 1024

/* Subject alternative names, each "DNS:name" or "IP:address". */
struct cert_names {
	char *v[CERT_NAMES_MAX];
	size_t n;
};

/* Appends kind and name as one text. -E2BIG: there are too many. */
int cert_names_add(struct cert_names *names, const char *kind, const char *name);
/* Appends "DNS:a,IP:b". -EINVAL: something else stands there. */
int cert_names_parse(struct cert_names *names, const char *text);
void cert_names_done(struct cert_names *names);

/* Makes the authority <state_dir>/ca/ca.key (0600, in a directory of 0700) with the certificate
 * <state_dir>/ca.crt (0644), unless it is there. A key without a certificate is kept and gets a new one.
 * -ENOKEY: the certificate is there without its key (kept elsewhere, or lost): nothing is changed. -EBADMSG:
 * the key cannot be read, or key and certificate do not belong together. -EKEYEXPIRED: the certificate has
 * expired. */
int cert_authority_make(const char *state_dir, const char *name);

/* Makes <directory>/<name>.key (0600) and <directory>/<name>.crt (0644), signed by the authority, owned by
 * uid and gid. -ENOKEY: there is no authority in state_dir. -EBADMSG, -EKEYEXPIRED: as above. */
int cert_issue(const char *state_dir, const char *directory, const char *name, const struct cert_names *names,
	       uid_t uid, gid_t gid);
