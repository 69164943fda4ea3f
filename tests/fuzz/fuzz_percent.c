/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Percent-encoding: any text comes back from its encoding, and what decodes is encoded to something that
 * decodes to the same.
 */
#include "lib/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(freep) char *s = malloc(size + 1), *encoded = NULL;
	int length, again;

	if (!s)
		return 0;
	memcpy(s, data, size);
	s[size] = '\0';
	length = percent_decode(s);
	if (length < 0)
		return 0;
	if ((size_t)length > size || strlen(s) != (size_t)length)
		abort();
	encoded = percent_encode(s, (size_t)length);
	if (!encoded)
		return 0;
	again = percent_decode(encoded);
	if (again != length || memcmp(encoded, s, (size_t)length) != 0)
		abort();
	return 0;
}
