/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers to the caller that are errors: rows of one catalogue (error_catalogue.c) with code, HTTP status and
 * text. Messages of not-found errors contain the word NotFound; no message names another code (clients search
 * for them).
 */
#pragma once

#include "../../lib/util.h"

/* Carried by value; `code` "" means no error. */
struct api_error {
	char code[96];
	int status;
	char message[512];
};

/* Fills `e` from the catalogue's row of `code` and returns -EBADMSG, so that a handler says
 * `return api_fail(call, "EndpointNotFound")`. Codes ending in ".{name}" or starting "Missing{Name}" are rows
 * with a pattern: error_set_named() fills the name in. `detail`, if not NULL, is appended to the text. */
int error_set(struct api_error *e, const char *code, const char *detail);
int error_set_named(struct api_error *e, const char *pattern, const char *name, const char *detail);
