/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Identifiers: resource ids that look like the API's, request ids, keys. All are random but those that are
 * made of a name.
 */
#pragma once

#include "util.h"

/* `prefix` ("ep-") and 20 characters of a-z0-9 from the kernel's random source.
 * size >= strlen(prefix) + 21. */
int ident_new(const char *prefix, char *ret, size_t size);

/* The same form, made of a text: always the same id for it, on every machine and in every version. */
int ident_of(const char *prefix, const char *text, char *ret, size_t size);

/* Upper-case UUID version 4, 36 characters and a NUL. */
#define UUID_TEXT_SIZE 37
int uuid_new(char ret[UUID_TEXT_SIZE]);

/* `length` random letters and digits and a NUL (access keys, secrets). */
int random_text(char *ret, size_t length);

/* `length` random digits of base 16, lower case, and a NUL. */
int random_hex(char *ret, size_t length);

/* Fills with random bytes. Negative errno if the kernel gives none. */
int random_bytes(void *ret, size_t size);
