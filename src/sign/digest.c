/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GnuTLS, in our words.
 */
#include "digest.h"

#include <gnutls/crypto.h>

#include "../lib/codec.h"

int hmac_sha1(const char *key, const char *text, uint8_t ret[SHA1_SIZE])
{
	return gnutls_hmac_fast(GNUTLS_MAC_SHA1, key, strlen(key), text, strlen(text), ret) < 0 ? -EIO : 0;
}

int hmac_sha256(const char *key, const char *text, uint8_t ret[SHA256_SIZE])
{
	return gnutls_hmac_fast(GNUTLS_MAC_SHA256, key, strlen(key), text, strlen(text), ret) < 0 ? -EIO : 0;
}

int sha256_text(const void *data, size_t size, char ret[SHA256_TEXT_SIZE])
{
	uint8_t digest[SHA256_SIZE];

	if (gnutls_hash_fast(GNUTLS_DIG_SHA256, size ? data : "", size, digest) < 0)
		return -EIO;
	hex_format(digest, sizeof(digest), ret);
	return 0;
}
