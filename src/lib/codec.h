/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text encodings of the wire: percent (RFC 3986), base64 (RFC 4648), hex, UTF-8 (RFC 3629). All bounded, all
 * results are allocated for the caller unless said otherwise.
 */
#pragma once

#include "util.h"

/* Keeps A-Z a-z 0-9 - _ . ~ and writes the rest as %XX. NULL when out of memory. */
char *percent_encode(const char *s, size_t length);
/* Decodes in place, '+' as a space; returns the new length. -EINVAL on a broken %XX or an encoded NUL. */
int percent_decode(char *s);
char *base64_encode(const void *data, size_t size);
/* The value of a digit in either case; -EINVAL: it is none. */
int hex_digit(char c);
void hex_format(const uint8_t *data, size_t size, char *ret); /* lower case; ret has 2 * size + 1 bytes */
/* Reads one code point of UTF-8 and moves on. -EINVAL, and stays: not the shortest form, a surrogate, beyond
 * U+10FFFF, cut. The text ends with a NUL. */
int32_t utf8_next(const char **s);
/* Compares in a time that depends on the lengths only. */
bool equal_constant_time(const void *a, size_t a_size, const void *b, size_t b_size);
