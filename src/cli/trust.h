/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of certificates, and why a server's certificate is not trusted.
 */
#pragma once

#include "../lib/certificate.h"

#define CLI_SYSTEM_CA "/etc/ssl/certs/ca-certificates.crt" /* the system's authorities, on Debian */

/* The first certificate of the file. Negative errno; -EINVAL: it holds none, and `why` says what it holds. */
int cli_certificate_load(const char *path, struct certificate *ret, char *why, size_t size);

/* From GnuTLS's verification status: what is wrong with the certificate, and what to do, where whom to trust
 * was said or is this machine's own authority, since nothing was. NULL: nothing that its signature or its
 * time tells, so it is the name. */
const char *cli_trust_refusal(unsigned int status, bool is_own);
