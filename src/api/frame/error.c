/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a code to what the caller sees. A code that the catalogue lacks is a mistake of ours: it becomes an
 * InternalError that says so, and test_action.c finds it before a user does.
 */
#include "error.h"

#include <ctype.h>
#include <stdio.h>

#include "error_catalogue.h"

static const struct error_row *find_row(const char *code)
{
	for (size_t i = 0; i < error_n_rows; i++)
		if (streq(error_rows[i].code, code))
			return &error_rows[i];
	return NULL;
}

/* Appends to the text, which is cut at its end if it must be: it is for people. Never in the middle of a
 * character. */
static void append(char *text, size_t size, const char *more)
{
	size_t used = strlen(text), n = strlen(more), room = size - used - 1;

	if (n > room) {
		n = room;
		while (n > 0 && ((unsigned char)more[n] & 0xc0) == 0x80)
			n--;
	}
	memcpy(text + used, more, n);
	text[used + n] = '\0';
}

/* Copies the pattern with the name for {name} and {Name}. */
static void fill_in(char *ret, size_t size, const char *pattern, const char *name)
{
	ret[0] = '\0';
	while (*pattern) {
		bool capital = str_starts(pattern, "{Name}");

		if (name && (capital || str_starts(pattern, "{name}"))) {
			char first[2] = {capital ? (char)toupper((unsigned char)name[0]) : name[0]};

			append(ret, size, first);
			append(ret, size, name[0] ? name + 1 : "");
			pattern += strlen("{name}");
		} else {
			char one[2] = {*pattern++};

			append(ret, size, one);
		}
	}
}

int error_set_named(struct api_error *e, const char *pattern, const char *name, const char *detail)
{
	const struct error_row *row = find_row(pattern);

	if (!row) {
		row = find_row("InternalError");
		detail = "The error itself has no row in the catalogue.";
	}
	e->status = row->status;
	fill_in(e->code, sizeof(e->code), row->code, name);
	fill_in(e->message, sizeof(e->message), row->text, name);
	if (detail && detail[0]) {
		append(e->message, sizeof(e->message), " ");
		append(e->message, sizeof(e->message), detail);
	}
	return -EBADMSG;
}

int error_set(struct api_error *e, const char *code, const char *detail)
{
	return error_set_named(e, code, NULL, detail);
}
