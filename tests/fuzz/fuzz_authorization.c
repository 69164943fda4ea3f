/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Authorization header of a request, and the signature over the headers that it names. What is accepted
 * has a key, a list and a signature of the right length.
 */
#include "sign/sign.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct sign_header headers[] = {
	{"host", " h "},
	{"x-acs-action", "A"},
	{"x-acs-version", "V"},
	{"x-acs-date", "2026-01-02T03:04:05Z"},
	{"x-acs-signature-nonce", "n"},
	{"x-acs-content-sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct params none = {};
	const struct sign_request request = {.method = "POST",
					     .path = "/a+b*c%7E",
					     .query = &none,
					     .headers = headers,
					     .n_headers = ARRAY_SIZE(headers),
					     .body = ""};
	char *text = strndup((const char *)data, size), *to_sign = NULL;
	struct sign_acs3 parts;
	char signature[65];

	if (text && sign_acs3_parse(text, &parts) == 0) {
		if (!parts.key_id[0] || !parts.signed_headers[0] || strlen(parts.signature) != 64)
			abort();
		if (sign_acs3(&request, parts.signed_headers, "secret", signature, &to_sign) == 0 &&
		    (strlen(signature) != 64 || !to_sign))
			abort();
	}
	free(to_sign);
	free(text);
	return 0;
}
