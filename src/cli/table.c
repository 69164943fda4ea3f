/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers for people: aligned columns, by the width that a terminal gives a character and not by bytes, since
 * names may be Chinese. What others may have written into a name or description (control characters, escape
 * sequences) never reaches the terminal.
 */
#include "cli.h"

#include <ctype.h>
#include <stdio.h>
#include <wchar.h>

static const json_t *first_entry(const json_t *value)
{
	return json_is_array(value) ? json_array_get(value, 0) : value;
}

const json_t *cli_value_at(const json_t *object, const char *path)
{
	char name[128];

	while (object && *path) {
		size_t length = strcspn(path, ".");

		if (str_format(name, sizeof(name), "%.*s", (int)length, path) < 0)
			return NULL;
		object = json_object_get(first_entry(object), name);
		path += length + (path[length] == '.');
	}
	return object;
}

static void print_scalar(FILE *f, const json_t *value)
{
	if (json_is_string(value))
		fputs(json_string_value(value), f);
	else if (json_is_integer(value))
		fprintf(f, "%lld", (long long)json_integer_value(value));
	else if (json_is_real(value))
		fprintf(f, "%g", json_real_value(value));
	else if (json_is_boolean(value))
		fputs(json_is_true(value) ? "yes" : "no", f);
}

/* Walks the rest of the path; where it meets an array, it shows every entry. */
static void print_at(FILE *f, const json_t *value, const char *path, bool *started)
{
	size_t length = strcspn(path, ".");
	char name[128];

	if (json_is_array(value)) {
		for (size_t i = 0; i < json_array_size(value); i++)
			print_at(f, json_array_get(value, i), path, started);
		return;
	}
	if (*path) {
		if (str_format(name, sizeof(name), "%.*s", (int)length, path) >= 0)
			print_at(f, json_object_get(value, name), path + length + (path[length] == '.'),
				 started);
		return;
	}
	if (!value || json_is_object(value) || (json_is_string(value) && json_string_length(value) == 0))
		return;
	if (*started)
		fputc(',', f);
	*started = true;
	print_scalar(f, value);
}

/* "A|B": the first of the two that has a value. */
char *cli_value_text(const json_t *object, const char *path)
{
	char *text = NULL, one[256];
	size_t size = 0, length;
	bool started = false;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	for (; *path && !started; path += length + (path[length] == '|')) {
		length = strcspn(path, "|");
		if (str_format(one, sizeof(one), "%.*s", (int)length, path) >= 0)
			print_at(f, object, one, &started);
	}
	if (fclose(f) != 0) {
		free(text);
		return NULL;
	}
	for (char *c = text; *c; c++)
		if (iscntrl((unsigned char)*c))
			*c = '?';
	return text;
}

size_t cli_text_width(const char *text)
{
	mbstate_t state = {0};
	size_t width = 0;

	while (*text) {
		wchar_t c;
		size_t n = mbrtowc(&c, text, strlen(text), &state);
		int columns;

		if (n == (size_t)-1 ||
		    n == (size_t)-2) { /* not UTF-8, or no such locale: a byte is a column */
			memset(&state, 0, sizeof(state));
			n = 1;
			columns = 1;
		} else {
			columns = wcwidth(c);
		}
		width += columns > 0 ? (size_t)columns : 0;
		text += n;
	}
	return width;
}

static void print_padded(const char *text, size_t width, bool last)
{
	size_t used = cli_text_width(text);

	fputs(text, stdout);
	if (!last)
		printf("%*s", (int)(width > used ? width - used : 0) + 2, "");
}

#define COLUMNS_MAX 16

void cli_table_print(const json_t *entries, const struct cli_column *columns)
{
	size_t n_columns = 0, n_rows = json_array_size(entries), width[COLUMNS_MAX];
	char **cells;

	while (n_columns < COLUMNS_MAX && columns[n_columns].title) {
		width[n_columns] = cli_text_width(columns[n_columns].title);
		n_columns++;
	}
	cells = calloc(n_columns * n_rows + 1, sizeof(*cells));
	if (!cells)
		return;
	for (size_t i = 0; i < n_rows * n_columns; i++) {
		cells[i] =
			cli_value_text(json_array_get(entries, i / n_columns), columns[i % n_columns].path);
		if (cells[i])
			width[i % n_columns] = MAX(width[i % n_columns], cli_text_width(cells[i]));
	}
	for (size_t c = 0; c < n_columns; c++)
		print_padded(columns[c].title, width[c], c + 1 == n_columns);
	putchar('\n');
	for (size_t i = 0; i < n_rows * n_columns; i++) {
		bool last = i % n_columns + 1 == n_columns;

		print_padded(cells[i] && *cells[i] ? cells[i] : "-", width[i % n_columns], last);
		if (last)
			putchar('\n');
		free(cells[i]);
	}
	free(cells);
}

void cli_fields_print(const json_t *object, const struct cli_column *columns)
{
	size_t width = 0;

	for (const struct cli_column *c = columns; c->title; c++)
		width = MAX(width, cli_text_width(c->title));
	for (const struct cli_column *c = columns; c->title; c++) {
		_cleanup_(freep) char *text = cli_value_text(object, c->path);

		print_padded(c->title, width, false);
		puts(text && *text ? text : "-");
	}
}
