/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A copy of the host's trust store (/etc/ssl) with one more CA in it, for the instances.
 */
#pragma once

#include "../lib/util.h"

/* Makes `copy` equal to `host` plus the certificate `ca` (missing: nothing is added). The host's private keys
 * are not copied. 0: it was so already; 1: something was written. -EINVAL: `ca` is no certificate, and nothing
 * was changed; -EFBIG: a file is too large, and the others were copied; other errors as from the system. */
int trust_sync(const char *host, const char *ca, const char *copy);
