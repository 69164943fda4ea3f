/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The digests that signatures and tokens are made of, over GnuTLS. (Its header has a `union params`, so it
 * stays in digest.c.)
 */
#pragma once

#include "../lib/util.h"

#define SHA1_SIZE	 20
#define SHA256_SIZE	 32
#define SHA256_TEXT_SIZE 65

/* Negative errno if the library refuses, which it does only when it is broken. */
int hmac_sha1(const char *key, const char *text, uint8_t ret[SHA1_SIZE]);
int hmac_sha256(const char *key, const char *text, uint8_t ret[SHA256_SIZE]);
/* Lower-case hex. */
int sha256_text(const void *data, size_t size, char ret[SHA256_TEXT_SIZE]);
