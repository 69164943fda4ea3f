/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenSSL's X509_NAME_hash: SHA-1 of the subject in a canonical form, its first four bytes as a little-endian
 * number. Canonical means: the outer SEQUENCE header is left away, and texts become UTF8String, lower case,
 * without leading and trailing spaces, each run of spaces inside being one.
 */
#include "trust_hash.h"

#include <gnutls/crypto.h>
#include <gnutls/x509.h>

#define NAME_SIZE_MAX 4096

enum {
	DER_UTF8 = 0x0c,
	DER_PRINTABLE = 0x13,
	DER_IA5 = 0x16,
	DER_VISIBLE = 0x1a,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31
};

struct der {
	const uint8_t *data;
	size_t size;
};

struct output {
	uint8_t data[NAME_SIZE_MAX];
	size_t size;
};

/* Takes the first element from `input`. */
static int der_take(struct der *input, uint8_t *ret_tag, struct der *ret_content)
{
	size_t length, header = 2;

	if (input->size < 2)
		return -EINVAL;
	length = input->data[1];
	if (length & 0x80) {
		size_t n = length & 0x7f;

		if (n == 0 || n > 2 || input->size < 2 + n)
			return -EINVAL;
		length = 0;
		for (size_t i = 0; i < n; i++)
			length = length << 8 | input->data[2 + i];
		header += n;
	}
	if (length > input->size - header)
		return -EINVAL;
	*ret_tag = input->data[0];
	*ret_content = (struct der){input->data + header, length};
	input->data += header + length;
	input->size -= header + length;
	return 0;
}

static int put(struct output *out, const void *data, size_t size)
{
	if (size > sizeof(out->data) - out->size)
		return -EINVAL;
	memcpy(out->data + out->size, data, size);
	out->size += size;
	return 0;
}

static int put_element(struct output *out, uint8_t tag, const struct output *content)
{
	size_t size = content->size;
	uint8_t header[4] = {tag, (uint8_t)size};
	size_t header_size = 2;
	int r;

	if (size >= 0x100) {
		header[1] = 0x82;
		header[2] = (uint8_t)(size >> 8);
		header[3] = (uint8_t)size;
		header_size = 4;
	} else if (size >= 0x80) {
		header[1] = 0x81;
		header[2] = (uint8_t)size;
		header_size = 3;
	}
	r = put(out, header, header_size);
	return r < 0 ? r : put(out, content->data, size);
}

static bool is_space(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static int put_text(struct output *out, struct der text)
{
	struct output canonical = {};
	int r = 0;

	while (text.size > 0 && is_space(text.data[text.size - 1]))
		text.size--;
	for (size_t i = 0; i < text.size && r == 0; i++) {
		uint8_t c = text.data[i];

		if (is_space(c)) {
			if (canonical.size == 0 || canonical.data[canonical.size - 1] == ' ')
				continue;
			c = ' ';
		} else if (c >= 'A' && c <= 'Z') {
			c = (uint8_t)(c - 'A' + 'a');
		}
		r = put(&canonical, &c, 1);
	}
	return r < 0 ? r : put_element(out, DER_UTF8, &canonical);
}

static int put_as_it_is(struct output *out, uint8_t tag, struct der content)
{
	struct output copy = {};
	int r = put(&copy, content.data, content.size);

	return r < 0 ? r : put_element(out, tag, &copy);
}

/* SEQUENCE { type, value } */
static int put_attribute(struct output *out, struct der attribute)
{
	struct output canonical = {};
	struct der type, value;
	uint8_t type_tag, tag;
	int r;

	r = der_take(&attribute, &type_tag, &type);
	if (r == 0)
		r = der_take(&attribute, &tag, &value);
	if (r == 0)
		r = put_as_it_is(&canonical, type_tag, type);
	if (r < 0)
		return r;
	if (tag == DER_UTF8 || tag == DER_PRINTABLE || tag == DER_IA5 || tag == DER_VISIBLE)
		r = put_text(&canonical, value);
	else
		r = put_as_it_is(&canonical, tag, value);
	return r < 0 ? r : put_element(out, DER_SEQUENCE, &canonical);
}

static int put_set(struct output *out, struct der set)
{
	struct output canonical = {};
	struct der attribute;
	uint8_t tag;
	int r;

	while (set.size > 0) {
		r = der_take(&set, &tag, &attribute);
		if (r == 0 && tag != DER_SEQUENCE)
			r = -EINVAL;
		if (r == 0)
			r = put_attribute(&canonical, attribute);
		if (r < 0)
			return r;
	}
	return put_element(out, DER_SET, &canonical);
}

int trust_hash_name(const uint8_t *der, size_t size, uint32_t *ret)
{
	struct der input = {der, size}, name, set;
	struct output canonical = {};
	uint8_t digest[20], tag;
	int r;

	r = der_take(&input, &tag, &name);
	if (r < 0 || tag != DER_SEQUENCE)
		return -EINVAL;
	while (name.size > 0) {
		r = der_take(&name, &tag, &set);
		if (r == 0 && tag != DER_SET)
			r = -EINVAL;
		if (r == 0)
			r = put_set(&canonical, set);
		if (r < 0)
			return r;
	}
	if (gnutls_hash_fast(GNUTLS_DIG_SHA1, canonical.data, canonical.size, digest) < 0)
		return -EIO;
	*ret = (uint32_t)digest[0] | (uint32_t)digest[1] << 8 | (uint32_t)digest[2] << 16 |
	       (uint32_t)digest[3] << 24;
	return 0;
}

int trust_hash_pem(const char *pem, size_t size, uint32_t *ret)
{
	gnutls_datum_t input = {(unsigned char *)pem, (unsigned int)size}, subject = {};
	gnutls_x509_crt_t certificate;
	int r = -EINVAL;

	if (gnutls_x509_crt_init(&certificate) < 0)
		return -ENOMEM;
	if (gnutls_x509_crt_import(certificate, &input, GNUTLS_X509_FMT_PEM) == 0 &&
	    gnutls_x509_crt_get_raw_dn(certificate, &subject) == 0)
		r = trust_hash_name(subject.data, subject.size, ret);
	gnutls_free(subject.data);
	gnutls_x509_crt_deinit(certificate);
	return r;
}
