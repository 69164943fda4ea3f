/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random identifiers. Each character is drawn without bias: bytes beyond the largest multiple of the
 * alphabet's size are thrown away. An identifier that is made of a text is two sums of it, of ten characters
 * each; they are 51 bits of 64.
 */
#include "ident.h"

#include <sys/random.h>

#include "fnv.h"

#define IDENT_LENGTH   20
#define IDENT_ALPHABET "abcdefghijklmnopqrstuvwxyz0123456789"

int random_bytes(void *ret, size_t size)
{
	uint8_t *p = ret;

	while (size > 0) {
		ssize_t n = getrandom(p, size, 0);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		p += n;
		size -= (size_t)n;
	}
	return 0;
}

static int random_from(const char *alphabet, char *ret, size_t length)
{
	size_t n_letters = strlen(alphabet), done = 0;
	unsigned int limit = 256 - 256 % (unsigned int)n_letters;
	uint8_t pool[64];
	int r;

	while (done < length) {
		r = random_bytes(pool, sizeof(pool));
		if (r < 0)
			return r;
		for (size_t i = 0; i < sizeof(pool) && done < length; i++)
			if (pool[i] < limit)
				ret[done++] = alphabet[pool[i] % n_letters];
	}
	ret[length] = '\0';
	return 0;
}

int ident_new(const char *prefix, char *ret, size_t size)
{
	int length = str_copy(ret, size, prefix);

	if (length < 0 || (size_t)length + IDENT_LENGTH >= size)
		return -E2BIG;
	return random_from(IDENT_ALPHABET, ret + length, IDENT_LENGTH);
}

int ident_of(const char *prefix, const char *text, char *ret, size_t size)
{
	int length = str_copy(ret, size, prefix);
	uint64_t sum = FNV_START;
	char *p;

	if (length < 0 || (size_t)length + IDENT_LENGTH >= size)
		return -E2BIG;
	p = ret + length;
	for (int half = 0; half < 2; half++) {
		uint64_t rest;

		/* The second goes on from the first, so that they differ for every text. */
		sum = fnv_add(sum, text, strlen(text));
		rest = sum;
		for (int i = 0; i < IDENT_LENGTH / 2; i++, rest /= strlen(IDENT_ALPHABET))
			*p++ = IDENT_ALPHABET[rest % strlen(IDENT_ALPHABET)];
	}
	*p = '\0';
	return 0;
}

int uuid_new(char ret[UUID_TEXT_SIZE])
{
	uint8_t b[16];
	int r = random_bytes(b, sizeof(b));

	if (r < 0)
		return r;
	b[6] = (b[6] & 0x0f) | 0x40; /* version 4 */
	b[8] = (b[8] & 0x3f) | 0x80; /* variant of RFC 4122 */
	(void)str_format(ret, UUID_TEXT_SIZE,
			 "%02X%02X%02X%02X-%02X%02X-%02X%02X-%02X%02X-%02X%02X%02X%02X%02X%02X", b[0], b[1],
			 b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
			 b[15]);
	return 0;
}

int random_text(char *ret, size_t length)
{
	return random_from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", ret, length);
}

int random_hex(char *ret, size_t length)
{
	return random_from("0123456789abcdef", ret, length);
}
