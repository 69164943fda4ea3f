/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Request signatures, pure: V1 (query, HMAC-SHA1), ACS3-HMAC-SHA256 (header), and the older ROA one
 * (HMAC-SHA1). The server computes what the client should have sent and compares; the CLI signs with the same
 * functions. Rules and vectors: the API document "Request structure and signature".
 */
#pragma once

#include "../lib/params.h"

struct sign_header {
	const char *name; /* lower case */
	const char *value;
};

struct sign_request {
	const char *method;
	const char *path;	    /* as sent, undecoded, without the query */
	const struct params *query; /* decoded */
	const struct params *form;  /* decoded; NULL: the body is not a form */
	const struct sign_header *headers;
	size_t n_headers;
	const void *body;
	size_t body_size;
};

const char *sign_request_header(const struct sign_request *request, const char *name); /* NULL: absent */

/* V1: base64 of HMAC-SHA1 over query and form without Signature. `ret_to_sign`, if not NULL, gets the string
 * that was signed (the caller's). */
int sign_v1(const struct sign_request *request, const char *secret, char ret_signature[64],
	    char **ret_to_sign);

/* ACS3: the Authorization header's parts. */
struct sign_acs3 {
	char key_id[128];
	char signed_headers[1024]; /* "host;x-acs-action;…" */
	char signature[65];
};
/* -EINVAL: malformed. -ENOENT: another scheme. */
int sign_acs3_parse(const char *authorization, struct sign_acs3 *ret);
/* Signature over the headers named in `signed_headers`; the body is hashed here and must equal
 * x-acs-content-sha256
 * (-EBADMSG). -ENOKEY: a header of the list is absent, or the list lacks one that must be signed. */
int sign_acs3(const struct sign_request *request, const char *signed_headers, const char *secret,
	      char ret_signature[65], char **ret_to_sign);

/* ROA with HMAC-SHA1: "acs <key id>:<base64>". */
int sign_roa(const struct sign_request *request, const char *secret, char ret_signature[64],
	     char **ret_to_sign);
