/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The number by which OpenSSL finds a CA in a directory of certificates ("<hash>.0").
 */
#pragma once

#include "../lib/util.h"

/* Of a certificate in PEM. -EINVAL: it is none. */
int trust_hash_pem(const char *pem, size_t size, uint32_t *ret);
/* Of a DER-encoded subject. -EINVAL: malformed. */
int trust_hash_name(const uint8_t *der, size_t size, uint32_t *ret);
