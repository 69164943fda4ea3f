/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each scheme is: write the string to sign, make a code of it with the secret, spell the code. Strings are
 * written into a memory stream, so that a lack of memory shows once, at its end.
 */
#include "sign.h"

#include <ctype.h>
#include <stdio.h>
#include <strings.h>

#include "../lib/codec.h"
#include "digest.h"

const char *sign_request_header(const struct sign_request *request, const char *name)
{
	for (size_t i = 0; i < request->n_headers; i++)
		if (strcasecmp(request->headers[i].name, name) == 0)
			return request->headers[i].value;
	return NULL;
}

static const char *header_or_empty(const struct sign_request *request, const char *name)
{
	const char *value = sign_request_header(request, name);

	return value ? value : "";
}

static bool is_one_of(const struct params *params, const struct param *param)
{
	uintptr_t first = (uintptr_t)(params ? params->v : NULL);

	return params && (uintptr_t)param - first < params->n * sizeof(*param);
}

/* Byte order of names; equal names stay in the order in which they came, the query's before the form's. */
static int compare_params(const void *a, const void *b, void *query)
{
	const struct param *const *left = a, *const *right = b;
	int order = strcmp((*left)->name, (*right)->name);
	bool left_is_first = is_one_of(query, *left);

	if (order != 0)
		return order;
	if (left_is_first != is_one_of(query, *right))
		return left_is_first ? -1 : 1;
	return *left < *right ? -1 : *left > *right;
}

static size_t collect(const struct params *params, const char *without, const struct param **ret)
{
	size_t n = 0;

	for (size_t i = 0; params && i < params->n; i++)
		if (!without || !streq(params->v[i].name, without))
			ret[n++] = &params->v[i];
	return n;
}

/* The parameters of both lists, sorted. */
static int sort_params(const struct params *query, const struct params *form, const char *without,
		       const struct param ***ret, size_t *ret_n)
{
	const struct param **sorted;
	size_t n = (query ? query->n : 0) + (form ? form->n : 0);

	sorted = calloc(n + 1, sizeof(*sorted));
	if (!sorted)
		return -ENOMEM;
	n = collect(query, without, sorted);
	n += collect(form, without, sorted + n);
	qsort_r(sorted, n, sizeof(*sorted), compare_params, (void *)query);
	*ret = sorted;
	*ret_n = n;
	return 0;
}

static int put_encoded(FILE *stream, const char *text)
{
	_cleanup_(freep) char *encoded = percent_encode(text, strlen(text));

	if (!encoded || fputs(encoded, stream) < 0)
		return -ENOMEM;
	return 0;
}

/* "name=value&…", both encoded. */
static int put_canonical(FILE *stream, const struct param **sorted, size_t n)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		if (i > 0)
			(void)fputc('&', stream);
		r = put_encoded(stream, sorted[i]->name);
		if (r == 0) {
			(void)fputc('=', stream);
			r = put_encoded(stream, sorted[i]->value);
		}
	}
	return r;
}

/* A stream that becomes a string. */
struct text {
	FILE *stream;
	char *s;
	size_t size;
};

static int text_open(struct text *text)
{
	*text = (struct text){};
	text->stream = open_memstream(&text->s, &text->size);
	return text->stream ? 0 : -ENOMEM;
}

/* Closes it; gives the string (the caller's) if all went well. */
static int text_close(struct text *text, int r, char **ret)
{
	if (ferror(text->stream) && r == 0)
		r = -ENOMEM;
	if (fclose(text->stream) != 0 && r == 0)
		r = -ENOMEM;
	if (r < 0) {
		free(text->s);
		return r;
	}
	*ret = text->s;
	return 0;
}

static int canonical_query(const struct params *query, const struct params *form, const char *without,
			   char **ret)
{
	_cleanup_(freep) const struct param **sorted = NULL;
	struct text text;
	size_t n;
	int r;

	r = sort_params(query, form, without, &sorted, &n);
	if (r < 0)
		return r;
	r = text_open(&text);
	if (r < 0)
		return r;
	return text_close(&text, put_canonical(text.stream, sorted, n), ret);
}

static int hmac_sha1_base64(const char *key, const char *text, char ret[64])
{
	_cleanup_(freep) char *encoded = NULL;
	uint8_t code[SHA1_SIZE];

	int r;

	r = hmac_sha1(key, text, code);
	if (r < 0)
		return r;
	encoded = base64_encode(code, sizeof(code));
	return encoded && str_copy(ret, 64, encoded) >= 0 ? 0 : -ENOMEM;
}

static int v1_string(const struct sign_request *request, char **ret)
{
	_cleanup_(freep) char *canonical = NULL, *encoded = NULL;
	int r;

	r = canonical_query(request->query, request->form, "Signature", &canonical);
	if (r < 0)
		return r;
	encoded = percent_encode(canonical, strlen(canonical));
	if (!encoded || asprintf(ret, "%s&%%2F&%s", request->method, encoded) < 0)
		return -ENOMEM;
	return 0;
}

int sign_v1(const struct sign_request *request, const char *secret, char ret_signature[64],
	    char **ret_to_sign)
{
	_cleanup_(freep) char *to_sign = NULL, *key = NULL;
	int r;

	r = v1_string(request, &to_sign);
	if (r < 0)
		return r;
	if (asprintf(&key, "%s&", secret) < 0) {
		key = NULL;
		return -ENOMEM;
	}
	r = hmac_sha1_base64(key, to_sign, ret_signature);
	if (r == 0 && ret_to_sign)
		*ret_to_sign = TAKE_PTR(to_sign);
	return r;
}

static const char acs3_scheme[] = "ACS3-HMAC-SHA256";

/* One "Name=value" of the header into its member. */
static int acs3_part(char *part, struct sign_acs3 *ret)
{
	const struct {
		const char *name;
		char *member;
		size_t size;
	} members[] = {
		{"Credential=", ret->key_id, sizeof(ret->key_id)},
		{"SignedHeaders=", ret->signed_headers, sizeof(ret->signed_headers)},
		{"Signature=", ret->signature, sizeof(ret->signature)},
	};

	while (*part == ' ')
		part++;
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		if (!str_starts(part, members[i].name))
			continue;
		if (members[i].member[0] || /* twice */
		    str_copy(members[i].member, members[i].size, part + strlen(members[i].name)) < 0)
			return -EINVAL;
		return 0;
	}
	return -EINVAL;
}

int sign_acs3_parse(const char *authorization, struct sign_acs3 *ret)
{
	_cleanup_(freep) char *copy = NULL;
	struct sign_acs3 parts = {};
	size_t length = strlen(acs3_scheme);
	char *next, *part;
	int r = 0;

	if (!str_starts(authorization, acs3_scheme) ||
	    (authorization[length] && authorization[length] != ' '))
		return -ENOENT;
	copy = strdup(authorization + length);
	if (!copy)
		return -ENOMEM;
	next = copy;
	while (r == 0 && (part = strsep(&next, ",")))
		r = acs3_part(part, &parts);
	if (r < 0)
		return r;
	if (!parts.key_id[0] || !parts.signed_headers[0] || strlen(parts.signature) != SHA256_TEXT_SIZE - 1)
		return -EINVAL;
	*ret = parts;
	return 0;
}

static bool list_has(const char *list, const char *name)
{
	size_t length = strlen(name);

	for (const char *p = list; (p = strcasestr(p, name)); p++)
		if ((p == list || p[-1] == ';') && (p[length] == ';' || p[length] == '\0'))
			return true;
	return false;
}

/* Without these a signature would not bind the call. */
static int check_signed_headers(const char *list)
{
	static const char *const must[] = {"host",	 "x-acs-action",	  "x-acs-version",
					   "x-acs-date", "x-acs-signature-nonce", "x-acs-content-sha256"};

	for (size_t i = 0; i < ARRAY_SIZE(must); i++)
		if (!list_has(list, must[i]))
			return -ENOKEY;
	return 0;
}

static void put_trimmed(FILE *stream, const char *value)
{
	size_t length;

	while (isspace((unsigned char)*value))
		value++;
	length = strlen(value);
	while (length > 0 && isspace((unsigned char)value[length - 1]))
		length--;
	(void)fwrite(value, 1, length, stream);
}

static int put_signed_headers(FILE *stream, const struct sign_request *request, const char *list)
{
	_cleanup_(freep) char *copy = strdup(list);
	char *next = copy, *name;

	if (!copy)
		return -ENOMEM;
	while ((name = strsep(&next, ";"))) {
		const char *value = sign_request_header(request, name);

		if (!value)
			return -ENOKEY;
		for (const char *p = name; *p; p++)
			(void)fputc(tolower((unsigned char)*p), stream);
		(void)fputc(':', stream);
		put_trimmed(stream, value);
		(void)fputc('\n', stream);
	}
	return 0;
}

/* The path as sent, with the three spellings that clients disagree on made one. */
static void put_canonical_path(FILE *stream, const char *path)
{
	for (const char *p = path; *p; p++) {
		if (*p == '+') {
			(void)fputs("%20", stream);
		} else if (*p == '*') {
			(void)fputs("%2A", stream);
		} else if (strncasecmp(p, "%7E", 3) == 0) {
			(void)fputc('~', stream);
			p += 2;
		} else {
			(void)fputc(*p, stream);
		}
	}
}

static int acs3_canonical_request(const struct sign_request *request, const char *signed_headers,
				  const char *body_digest, char **ret)
{
	_cleanup_(freep) char *query = NULL;
	struct text text;
	int r;

	r = canonical_query(request->query, NULL, NULL, &query);
	if (r < 0)
		return r;
	r = text_open(&text);
	if (r < 0)
		return r;
	(void)fprintf(text.stream, "%s\n", request->method);
	put_canonical_path(text.stream, request->path);
	(void)fprintf(text.stream, "\n%s\n", query);
	r = put_signed_headers(text.stream, request, signed_headers);
	(void)fprintf(text.stream, "\n%s\n%s", signed_headers, body_digest);
	return text_close(&text, r, ret);
}

static int acs3_string(const struct sign_request *request, const char *signed_headers, char **ret)
{
	_cleanup_(freep) char *canonical = NULL;
	char body_digest[SHA256_TEXT_SIZE], digest[SHA256_TEXT_SIZE];
	int r;

	r = check_signed_headers(signed_headers);
	if (r < 0)
		return r;
	r = sha256_text(request->body, request->body_size, body_digest);
	if (r < 0)
		return r;
	if (strcasecmp(header_or_empty(request, "x-acs-content-sha256"), body_digest) != 0)
		return -EBADMSG;
	r = acs3_canonical_request(request, signed_headers, body_digest, &canonical);
	if (r < 0)
		return r;
	r = sha256_text(canonical, strlen(canonical), digest);
	if (r < 0)
		return r;
	return asprintf(ret, "%s\n%s", acs3_scheme, digest) < 0 ? -ENOMEM : 0;
}

int sign_acs3(const struct sign_request *request, const char *signed_headers, const char *secret,
	      char ret_signature[65], char **ret_to_sign)
{
	_cleanup_(freep) char *to_sign = NULL;
	uint8_t code[SHA256_SIZE];
	int r;

	r = acs3_string(request, signed_headers, &to_sign);
	if (r < 0)
		return r;
	r = hmac_sha256(secret, to_sign, code);
	if (r < 0)
		return r;
	hex_format(code, sizeof(code), ret_signature);
	if (ret_to_sign)
		*ret_to_sign = TAKE_PTR(to_sign);
	return 0;
}

static int compare_headers(const void *a, const void *b)
{
	const struct sign_header *const *left = a, *const *right = b;

	return strcasecmp((*left)->name, (*right)->name);
}

/* Every x-acs- header, sorted, a line each. */
static int put_acs_headers(FILE *stream, const struct sign_request *request)
{
	_cleanup_(freep) const struct sign_header **sorted = calloc(request->n_headers + 1, sizeof(*sorted));
	size_t n = 0;

	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < request->n_headers; i++)
		if (strncasecmp(request->headers[i].name, "x-acs-", strlen("x-acs-")) == 0)
			sorted[n++] = &request->headers[i];
	qsort(sorted, n, sizeof(*sorted), compare_headers);
	for (size_t i = 0; i < n; i++) {
		for (const char *p = sorted[i]->name; *p; p++)
			(void)fputc(tolower((unsigned char)*p), stream);
		(void)fputc(':', stream);
		put_trimmed(stream, sorted[i]->value);
		(void)fputc('\n', stream);
	}
	return 0;
}

/* "/path?a=b&c", sorted, not encoded again. */
static int put_resource(FILE *stream, const struct sign_request *request)
{
	_cleanup_(freep) const struct param **sorted = NULL;
	size_t n;
	int r;

	r = sort_params(request->query, NULL, NULL, &sorted, &n);
	if (r < 0)
		return r;
	(void)fputs(request->path, stream);
	for (size_t i = 0; i < n; i++) {
		(void)fprintf(stream, "%c%s", i == 0 ? '?' : '&', sorted[i]->name);
		if (sorted[i]->value[0])
			(void)fprintf(stream, "=%s", sorted[i]->value);
	}
	return 0;
}

int sign_roa(const struct sign_request *request, const char *secret, char ret_signature[64],
	     char **ret_to_sign)
{
	_cleanup_(freep) char *to_sign = NULL;
	struct text text;
	int r;

	r = text_open(&text);
	if (r < 0)
		return r;
	(void)fprintf(text.stream, "%s\n%s\n%s\n%s\n%s\n", request->method,
		      header_or_empty(request, "accept"), header_or_empty(request, "content-md5"),
		      header_or_empty(request, "content-type"), header_or_empty(request, "date"));
	r = put_acs_headers(text.stream, request);
	if (r == 0)
		r = put_resource(text.stream, request);
	r = text_close(&text, r, &to_sign);
	if (r < 0)
		return r;
	r = hmac_sha1_base64(secret, to_sign, ret_signature);
	if (r == 0 && ret_to_sign)
		*ret_to_sign = TAKE_PTR(to_sign);
	return r;
}
