/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows for tests, written as JSON with single quotes. A row that the model does not take ends the test
 * program: the test itself is wrong then.
 */
#pragma once

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/snapshot.h"

static uint64_t rows_revision;

__attribute__((format(printf, 3, 4), unused)) static void rows_put(struct snapshot *s, const char *key,
								   const char *format, ...)
{
	const char *field = "";
	char text[4096], *p;
	json_error_t error;
	enum kind kind;
	union {
		struct row_meta meta;
		char bytes[1 << 16];
	} row;
	struct row_lists lists;
	json_t *json;
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	for (p = text; *p; p++)
		if (*p == '\'')
			*p = '"';
	json = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	if (!json || kind_of_key(key, &kind) < 0 || row_from_json(kind, json, &row, &lists, &field) < 0 ||
	    snapshot_apply(s, key, json, 1, ++rows_revision) < 0) {
		fprintf(stderr, "%s: not a row (%s, %s): %s\n", key, json ? "" : error.text, field, text);
		exit(EXIT_FAILURE);
	}
	snapshot_set_revision(s, rows_revision);
	json_decref(json);
}

__attribute__((unused)) static void rows_delete(struct snapshot *s, const char *key)
{
	(void)snapshot_apply(s, key, NULL, 1, ++rows_revision);
	snapshot_set_revision(s, rows_revision);
}
