/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers for people: aligned columns, by libsmartcols, which knows the width that a terminal gives a
 * character. What others may have written into a name or description (control characters, escape sequences)
 * never reaches the terminal.
 */
#include "cli.h"

#include <ctype.h>
#include <libsmartcols.h>
#include <stdio.h>

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

/* As a pipe gets it, so that nothing is cut to the width of a terminal. */
static struct libscols_table *table_new(void)
{
	struct libscols_table *table = scols_new_table();

	if (!table || scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER) < 0 ||
	    scols_table_set_column_separator(table, "  ") < 0) {
		scols_unref_table(table);
		return NULL;
	}
	return table;
}

/* What is empty is a dash. Takes `text`. */
static int set_cell(struct libscols_line *line, size_t column, char *text)
{
	_cleanup_(freep) char *owned = text;

	return scols_line_set_data(line, column, text && *text ? text : "-");
}

/* A list of nothing, which libsmartcols leaves out. */
static int print_titles(const struct cli_column *columns)
{
	for (const struct cli_column *c = columns; c->title; c++)
		printf("%s%s", c == columns ? "" : "  ", c->title);
	return putchar('\n') < 0 ? -EIO : 0;
}

static int fill_table(struct libscols_table *table, const json_t *entries, const struct cli_column *columns)
{
	for (const struct cli_column *c = columns; c->title; c++)
		if (!scols_table_new_column(table, c->title, 0, 0))
			return -ENOMEM;
	for (size_t i = 0; i < json_array_size(entries); i++) {
		struct libscols_line *line = scols_table_new_line(table, NULL);

		for (size_t c = 0; line && columns[c].title; c++)
			if (set_cell(line, c, cli_value_text(json_array_get(entries, i), columns[c].path)) <
			    0)
				return -ENOMEM;
		if (!line)
			return -ENOMEM;
	}
	return scols_table_get_nlines(table) ? scols_print_table(table) : print_titles(columns);
}

void cli_table_print(const json_t *entries, const struct cli_column *columns)
{
	struct libscols_table *table = table_new();

	if (!table || fill_table(table, entries, columns) < 0)
		(void)cli_fail("%s", strerror(ENOMEM));
	scols_unref_table(table);
}

static int fill_fields(struct libscols_table *table, const json_t *object, const struct cli_column *columns)
{
	if (!scols_table_new_column(table, "title", 0, 0) || !scols_table_new_column(table, "value", 0, 0))
		return -ENOMEM;
	for (const struct cli_column *c = columns; c->title; c++) {
		struct libscols_line *line = scols_table_new_line(table, NULL);

		if (!line || scols_line_set_data(line, 0, c->title) < 0 ||
		    set_cell(line, 1, cli_value_text(object, c->path)) < 0)
			return -ENOMEM;
	}
	return scols_print_table(table);
}

void cli_fields_print(const json_t *object, const struct cli_column *columns)
{
	struct libscols_table *table = table_new();

	if (!table || scols_table_enable_noheadings(table, true) < 0 ||
	    fill_fields(table, object, columns) < 0)
		(void)cli_fail("%s", strerror(ENOMEM));
	scols_unref_table(table);
}
