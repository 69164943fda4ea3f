/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Encodings: the vectors of RFC 4648 and RFC 3986's alphabet, and random bytes there and back.
 */
#include "lib/codec.h"

#include "../tap.h"

static void test_percent_encode(void)
{
	static const struct {
		const char *plain, *encoded;
	} cases[] = {
		{"", ""},
		{"AZaz09-_.~", "AZaz09-_.~"},
		{"a b*~", "a%20b%2A~"},
		{"/?&=+%", "%2F%3F%26%3D%2B%25"},
		{"杭州", "%E6%9D%AD%E5%B7%9E"},
		{"2016-02-23T12:46:24Z", "2016-02-23T12%3A46%3A24Z"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(freep) char *encoded = percent_encode(cases[i].plain, strlen(cases[i].plain));

		tap_is_str(encoded, cases[i].encoded, "'%s' is percent-encoded", cases[i].plain);
	}
}

static void test_percent_decode(void)
{
	static const struct {
		const char *encoded, *plain; /* NULL: broken */
	} cases[] = {
		{"", ""},	 {"a+b", "a b"},      {"a%20b%2a%7E", "a b*~"},
		{"%2B", "+"},	 {"%e6%9D%ad", "杭"}, {"%25%32%30", "%20"},
		{"%", NULL},	 {"%2", NULL},	      {"%2g", NULL},
		{"%g2", NULL},	 {"a%", NULL},	      {"%00", NULL},
		{"a%00b", NULL}, {"%%20", NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(freep) char *s = strdup(cases[i].encoded);
		int r = percent_decode(s);

		if (!cases[i].plain) {
			tap_is_int(r, -EINVAL, "'%s' is broken", cases[i].encoded);
			continue;
		}
		tap_is_int(r, (int)strlen(cases[i].plain), "'%s' decodes to the right length",
			   cases[i].encoded);
		tap_is_str(s, cases[i].plain, "'%s' decodes", cases[i].encoded);
	}
}

static void test_percent_random(void)
{
	int wrong = 0;

	srandom(2);
	for (int i = 0; i < 10000; i++) {
		_cleanup_(freep) char *encoded = NULL;
		size_t length = (size_t)random() % 20;
		char plain[20];

		for (size_t k = 0; k < length; k++)
			plain[k] = (char)(1 + random() % 255);
		encoded = percent_encode(plain, length);
		if (percent_decode(encoded) != (int)length || memcmp(encoded, plain, length) != 0)
			wrong++;
	}
	tap_is_int(wrong, 0, "10000 random texts come back from percent-encoding");
}

static void test_base64(void)
{
	static const struct {
		const char *plain, *encoded;
	} cases[] = {
		{"", ""},
		{"f", "Zg=="},
		{"fo", "Zm8="},
		{"foo", "Zm9v"},
		{"foob", "Zm9vYg=="},
		{"fooba", "Zm9vYmE="},
		{"foobar", "Zm9vYmFy"},
		{"\xfb\xff\xfe", "+//+"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(freep) char *encoded = base64_encode(cases[i].plain, strlen(cases[i].plain));

		tap_is_str(encoded, cases[i].encoded, "'%s' in base64 (RFC 4648)", cases[i].encoded);
	}
}

/* The reverse of base64, bit by bit; the length, or -1 if it is no base64. */
static int naive_base64_decode(const char *s, uint8_t *ret)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t length = strlen(s), n_bits = 0;

	if (length % 4)
		return -1;
	for (; *s && *s != '='; s++) {
		const char *digit = strchr(digits, *s);

		if (!digit)
			return -1;
		for (int bit = 5; bit >= 0; bit--, n_bits++) {
			if (n_bits % 8 == 0)
				ret[n_bits / 8] = 0;
			if ((digit - digits) >> bit & 1)
				ret[n_bits / 8] |= (uint8_t)(0x80 >> n_bits % 8);
		}
	}
	return strspn(s, "=") == strlen(s) && strlen(s) < 3 ? (int)(n_bits / 8) : -1;
}

static void test_base64_random(void)
{
	int wrong = 0;

	srandom(5);
	for (int i = 0; i < 10000; i++) {
		_cleanup_(freep) char *encoded = NULL;
		int size = (int)(random() % 50);
		uint8_t data[50], again[64];

		for (int k = 0; k < size; k++)
			data[k] = (uint8_t)random();
		encoded = base64_encode(data, (size_t)size);
		wrong +=
			naive_base64_decode(encoded, again) != size || memcmp(data, again, (size_t)size) != 0;
	}
	tap_is_int(wrong, 0, "10000 random values come back from base64");
}

static void test_hex_and_compare(void)
{
	const uint8_t bytes[] = {0x00, 0x0f, 0xa5, 0xff};
	char text[9];

	hex_format(bytes, sizeof(bytes), text);
	tap_is_str(text, "000fa5ff", "bytes are written in hex");
	hex_format(bytes, 0, text);
	tap_is_str(text, "", "no bytes are no hex");

	tap_ok(equal_constant_time("abc", 3, "abc", 3), "the same bytes are equal");
	tap_ok(!equal_constant_time("abc", 3, "abd", 3), "the last byte counts");
	tap_ok(!equal_constant_time("abc", 3, "bbc", 3), "the first byte counts");
	tap_ok(!equal_constant_time("abc", 3, "abcd", 4), "the length counts");
	tap_ok(equal_constant_time("", 0, "", 0), "nothing equals nothing");
}

int main(void)
{
	test_percent_encode();
	test_percent_decode();
	test_percent_random();
	test_base64();
	test_base64_random();
	test_hex_and_compare();
	return tap_done();
}
