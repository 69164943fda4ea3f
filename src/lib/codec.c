/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Percent, base64 and hex.
 */
#include "codec.h"

static bool is_unreserved(unsigned char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
	       c == '_' || c == '.' || c == '~';
}

char *percent_encode(const char *s, size_t length)
{
	static const char digits[] = "0123456789ABCDEF";
	char *ret, *p;

	if (length > (SIZE_MAX - 1) / 3)
		return NULL;
	p = ret = malloc(length * 3 + 1);
	if (!ret)
		return NULL;
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)s[i];

		if (is_unreserved(c)) {
			*p++ = (char)c;
		} else {
			*p++ = '%';
			*p++ = digits[c >> 4];
			*p++ = digits[c & 15];
		}
	}
	*p = '\0';
	return ret;
}

int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -EINVAL;
}

int percent_decode(char *s)
{
	char *out = s;

	for (const char *in = s; *in; in++) {
		if (*in == '+') {
			*out++ = ' ';
		} else if (*in == '%') {
			int high = hex_digit(in[1]);
			int low = high < 0 ? -EINVAL : hex_digit(in[2]);

			if (low < 0 || (high == 0 && low == 0))
				return -EINVAL;
			*out++ = (char)(high << 4 | low);
			in += 2;
		} else {
			*out++ = *in;
		}
	}
	*out = '\0';
	return (int)(out - s);
}

char *base64_encode(const void *data, size_t size)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const uint8_t *in = data;
	char *ret, *p;

	if (size > SIZE_MAX / 4 * 3 - 4)
		return NULL;
	p = ret = malloc((size + 2) / 3 * 4 + 1);
	if (!ret)
		return NULL;
	for (; size > 0; in += MIN(size, 3u), size -= MIN(size, 3u)) {
		uint32_t group = (uint32_t)in[0] << 16;

		if (size > 1)
			group |= (uint32_t)in[1] << 8;
		if (size > 2)
			group |= in[2];
		*p++ = digits[group >> 18];
		*p++ = digits[group >> 12 & 63];
		*p++ = size > 1 ? digits[group >> 6 & 63] : '=';
		*p++ = size > 2 ? digits[group & 63] : '=';
	}
	*p = '\0';
	return ret;
}

void hex_format(const uint8_t *data, size_t size, char *ret)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < size; i++) {
		ret[i * 2] = digits[data[i] >> 4];
		ret[i * 2 + 1] = digits[data[i] & 15];
	}
	ret[size * 2] = '\0';
}

bool equal_constant_time(const void *a, size_t a_size, const void *b, size_t b_size)
{
	const volatile uint8_t *pa = a, *pb = b;
	uint8_t difference = 0;

	if (a_size != b_size)
		return false;
	for (size_t i = 0; i < a_size; i++)
		difference |= pa[i] ^ pb[i];
	return difference == 0;
}

int32_t utf8_next(const char **s)
{
	static const struct {
		uint8_t mask, lead;
		int32_t first; /* smaller ones must not be written so long */
	} forms[] = {{0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
	const uint8_t *p = (const uint8_t *)*s;

	for (size_t n = 0; n < ARRAY_SIZE(forms); n++) {
		int32_t c = p[0] & (uint8_t)~forms[n].mask;

		if ((p[0] & forms[n].mask) != forms[n].lead)
			continue;
		for (size_t i = 1; i <= n; i++) {
			if ((p[i] & 0xc0) != 0x80) /* also the NUL at the end */
				return -EINVAL;
			c = c << 6 | (p[i] & 0x3f);
		}
		if (c < forms[n].first || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
			return -EINVAL;
		*s += n + 1;
		return c;
	}
	return -EINVAL;
}
