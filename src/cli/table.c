/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers for people: aligned columns, by libsmartcols, which knows the width that a terminal gives a
 * character. What others may have written into a name or description (control characters, escape sequences,
 * overrides of the direction) never reaches the terminal.
 *
 * A list fits CLI_WIDTH: where there is no room, columns are left out that say more than is usually asked
 * for, remarks go below the table, and what is still too long is cut. `-o wide` shows all as it is.
 */
#include "cli.h"

#include <libsmartcols.h>
#include <stdio.h>
#include <wchar.h>

#include "../lib/codec.h"

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

/* Control characters, and those that break a line or turn the direction in which what follows is read. */
static bool is_harmful(int32_t c)
{
	return c < ' ' || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 ||
	       (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

/* In place: each of them, and each byte that is no UTF-8, becomes one '?'. */
static void make_harmless(char *text)
{
	const char *from = text;
	char *to = text;

	while (*from) {
		const char *next = from;
		int32_t c = utf8_next(&next);

		if (c < 0)
			next = from + 1;
		if (c < 0 || is_harmful(c)) {
			*to++ = '?';
			from = next;
			continue;
		}
		while (from < next)
			*to++ = *from++;
	}
	*to = '\0';
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
	make_harmless(text);
	return text;
}

/* ---- lists ---- */

#define GAP	 2  /* between columns */
#define SHORTEST 12 /* to what a text is cut */

static const char dots[] = "\xe2\x80\xa6";

struct grid {
	const struct cli_column *columns;
	size_t n_columns, n_rows;
	char **cells;
	size_t widths[CLI_COLUMNS_MAX];
	bool hidden[CLI_COLUMNS_MAX];
	bool remarks[CLI_COLUMNS_MAX]; /* hidden, and told below the table */
};

/* How many columns of a terminal the text takes. */
static size_t width_of(const char *text)
{
	wchar_t wide[512];
	size_t n = mbstowcs(wide, text, ARRAY_SIZE(wide));
	int width = n == (size_t)-1 || n == ARRAY_SIZE(wide) ? -1 : wcswidth(wide, n);

	return width < 0 ? strlen(text) : (size_t)width;
}

static char *cell(const struct grid *grid, size_t row, size_t column)
{
	return grid->cells[row * grid->n_columns + column];
}

static void grid_done(struct grid *grid)
{
	for (size_t i = 0; grid->cells && i < grid->n_rows * grid->n_columns; i++)
		free(grid->cells[i]);
	free(grid->cells);
}

/* What is empty is a dash. */
static char *cell_text(const json_t *entry, const char *path)
{
	char *text = cli_value_text(entry, path);

	if (text && *text)
		return text;
	free(text);
	return strdup("-");
}

static int grid_fill(struct grid *grid, const json_t *entries, const struct cli_column *columns)
{
	*grid = (struct grid){.columns = columns, .n_rows = json_array_size(entries)};
	while (columns[grid->n_columns].title)
		grid->n_columns++;
	grid->cells = calloc(grid->n_rows * grid->n_columns + 1, sizeof(*grid->cells));
	if (!grid->cells)
		return -ENOMEM;
	for (size_t c = 0; c < grid->n_columns; c++)
		grid->widths[c] = width_of(columns[c].title);
	for (size_t i = 0; i < grid->n_rows * grid->n_columns; i++) {
		size_t c = i % grid->n_columns;

		grid->cells[i] = cell_text(json_array_get(entries, i / grid->n_columns), columns[c].path);
		if (!grid->cells[i])
			return -ENOMEM;
		grid->widths[c] = MAX(grid->widths[c], width_of(grid->cells[i]));
	}
	return 0;
}

static size_t total_width(const struct grid *grid)
{
	size_t total = 0;

	for (size_t c = 0; c < grid->n_columns; c++)
		if (!grid->hidden[c])
			total += grid->widths[c] + (total ? GAP : 0);
	return total;
}

/* So much of the text as fits, ending with dots. Takes `text`. */
static char *cut(char *text, size_t width)
{
	size_t length = strlen(text);
	char *grown;

	if (width_of(text) <= width)
		return text;
	grown = realloc(text, length + sizeof(dots));
	if (!grown)
		return text;
	do {
		while (length > 0 && (grown[--length] & 0xc0) == 0x80)
			;
		grown[length] = '\0';
	} while (length > 0 && width_of(grown) >= width);
	memcpy(grown + length, dots, sizeof(dots));
	return grown;
}

/* The widest one that may be cut; 0: there is none. The first one is what the row is called. */
static size_t widest(const struct grid *grid)
{
	size_t found = 0;

	for (size_t c = 1; c < grid->n_columns; c++)
		if (!grid->hidden[c] && grid->widths[c] > SHORTEST &&
		    (!found || grid->widths[c] > grid->widths[found]))
			found = c;
	return found;
}

static void fit(struct grid *grid, size_t width)
{
	size_t c, total;

	for (c = grid->n_columns; c-- > 1 && total_width(grid) > width;)
		grid->hidden[c] = grid->columns[c].wide;
	for (c = grid->n_columns; c-- > 1 && total_width(grid) > width;)
		if (grid->columns[c].remark)
			grid->hidden[c] = grid->remarks[c] = true;
	while ((total = total_width(grid)) > width && (c = widest(grid))) {
		size_t over = total - width;

		grid->widths[c] = grid->widths[c] > over + SHORTEST ? grid->widths[c] - over : SHORTEST;
		for (size_t row = 0; row < grid->n_rows; row++)
			grid->cells[row * grid->n_columns + c] = cut(cell(grid, row, c), grid->widths[c]);
	}
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

static int add_row(struct libscols_table *table, const struct grid *grid, size_t row)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	size_t place = 0;

	for (size_t c = 0; line && c < grid->n_columns; c++)
		if (!grid->hidden[c] && scols_line_set_data(line, place++, cell(grid, row, c)) < 0)
			return -ENOMEM;
	return line ? 0 : -ENOMEM;
}

static int grid_print(const struct grid *grid)
{
	struct libscols_table *table = table_new();
	int r = table ? 0 : -ENOMEM;

	for (size_t c = 0; r == 0 && c < grid->n_columns; c++)
		if (!grid->hidden[c] && !scols_table_new_column(table, grid->columns[c].title, 0, 0))
			r = -ENOMEM;
	for (size_t row = 0; r == 0 && row < grid->n_rows; row++)
		r = add_row(table, grid, row);
	if (r == 0)
		r = scols_print_table(table);
	scols_unref_table(table);
	return r;
}

/* "node: text", over as many lines as it takes. */
static void print_remark(const char *name, const char *text, size_t width)
{
	size_t column = width_of(name) + 1;

	printf("%s:", name);
	while (*text) {
		size_t length = strcspn(text, " ");
		_cleanup_(freep) char *word = strndup(text, length);
		size_t its = word ? width_of(word) : length;

		if (column + 1 + its > width && column > 2)
			column = (size_t)printf("\n ") - 1;
		printf(" %.*s", (int)length, text);
		column += 1 + its;
		text += length + strspn(text + length, " ");
	}
	putchar('\n');
}

static void print_remarks(const struct grid *grid, size_t width)
{
	for (size_t row = 0; row < grid->n_rows; row++)
		for (size_t c = 0; c < grid->n_columns; c++)
			if (grid->remarks[c] && !streq(cell(grid, row, c), "-"))
				print_remark(cell(grid, row, 0), cell(grid, row, c), width);
}

void cli_table_print(const struct cli *cli, const json_t *entries, const struct cli_column *columns)
{
	struct grid grid;
	int r = 0;

	if (json_array_size(entries) == 0)
		return;
	r = grid_fill(&grid, entries, columns);
	if (r == 0 && !cli->wide)
		fit(&grid, CLI_WIDTH);
	if (r == 0)
		r = grid_print(&grid);
	if (r == 0)
		print_remarks(&grid, CLI_WIDTH);
	grid_done(&grid);
	if (r < 0)
		(void)cli_fail("%s", strerror(-r));
}

/* ---- one object ---- */

/* Takes `text`. */
static int set_cell(struct libscols_line *line, size_t column, char *text)
{
	_cleanup_(freep) char *owned = text;

	return scols_line_set_data(line, column, text ? text : "-");
}

static int fill_fields(struct libscols_table *table, const json_t *object, const struct cli_column *columns)
{
	if (!scols_table_new_column(table, "title", 0, 0) || !scols_table_new_column(table, "value", 0, 0))
		return -ENOMEM;
	for (const struct cli_column *c = columns; c->title; c++) {
		struct libscols_line *line = scols_table_new_line(table, NULL);

		if (!line || scols_line_set_data(line, 0, c->title) < 0 ||
		    set_cell(line, 1, cell_text(object, c->path)) < 0)
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
