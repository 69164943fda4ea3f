/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A value that is all zero is open: the next place may give it.
 */
#include "options.h"

#include <assert.h>
#include <ctype.h>
#include <getopt.h>
#include <stdarg.h>
#include <sys/stat.h>

#include "log.h"

#define LINE_SIZE    4096
#define FIRST_OPTION 256 /* getopt's numbers of ours; below are its own */

static int complain(const struct option_table *table, int r, const char *format, ...) _printf_(3, 4);

static int complain(const struct option_table *table, int r, const char *format, ...)
{
	char text[2 * LINE_SIZE];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (table->complain)
		table->complain(text);
	else
		log_error("%s", text);
	return r;
}

/* ---- values ---- */

static void *member(void *values, const struct option_row *row)
{
	return (char *)values + row->member;
}

static bool is_open(void *values, const struct option_row *row)
{
	const void *place = member(values, row);

	switch (row->kind) {
	case OPTION_TEXT:
		return !*(char *const *)place;
	case OPTION_SWITCH:
		return !*(const bool *)place;
	case OPTION_NUMBER:
		return !*(const unsigned int *)place;
	default:
		return !*(const enum log_level *)place;
	}
}

static const char *expected_by(const struct option_row *row)
{
	return row->expected		    ? row->expected
	       : row->kind == OPTION_SWITCH ? "yes or no"
	       : row->kind == OPTION_LEVEL  ? "error, warning, info or debug"
					    : row->value;
}

/* NULL: a switch on the command line. */
static bool is_good(const struct option_row *row, const char *value)
{
	enum log_level level;

	if (row->kind == OPTION_SWITCH)
		return !value || streq(value, "yes") || streq(value, "no");
	if (row->kind == OPTION_LEVEL)
		return log_level_parse(value, &level) == 0;
	return value[0] && (!row->check || row->check(value) >= 0);
}

static void forget(void *values, const struct option_row *row)
{
	char **text = member(values, row);

	if (row->secret && *text)
		explicit_bzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

/* A good value takes the place of what was there. */
static int set(void *values, const struct option_row *row, const char *value)
{
	char *copy;

	switch (row->kind) {
	case OPTION_TEXT:
		copy = strdup(value);
		if (!copy)
			return -ENOMEM;
		forget(values, row);
		*(char **)member(values, row) = copy;
		return 0;
	case OPTION_SWITCH:
		*(bool *)member(values, row) = !value || streq(value, "yes");
		return 0;
	case OPTION_NUMBER:
		*(unsigned int *)member(values, row) = (unsigned int)strtoul(value, NULL, 10);
		return 0;
	default:
		return log_level_parse(value, member(values, row));
	}
}

int options_defaults(const struct option_table *table, void *values)
{
	int r = 0;

	for (const struct option_row *row = table->rows; r == 0 && row < table->rows + table->n; row++)
		if (row->otherwise && is_open(values, row))
			r = set(values, row, row->otherwise);
	return r;
}

void options_done(const struct option_table *table, void *values)
{
	for (const struct option_row *row = table->rows; row < table->rows + table->n; row++)
		if (row->kind == OPTION_TEXT)
			forget(values, row);
}

/* ---- names ---- */

/* Dashes and underscores are one, capitals only so as to be those of the environment. */
static bool is_named(const char *option, const char *name, bool capitals)
{
	for (; *option && *name; option++, name++)
		if (*name != (capitals ? toupper((unsigned char)*option) : *option) &&
		    !(*option == '-' && *name == '_'))
			return false;
	return !*option && !*name;
}

/* Of a file. */
static const struct option_row *row_named(const struct option_table *table, const char *name)
{
	bool prefixed = table->prefix && str_starts(name, table->prefix);

	if (prefixed)
		name += strlen(table->prefix);
	for (const struct option_row *row = table->rows; row < table->rows + table->n; row++)
		if (row->from == OPTION_ANYWHERE && is_named(row->name, name, prefixed))
			return row;
	return NULL;
}

static void name_in_environment(const struct option_table *table, const struct option_row *row, char ret[64])
{
	(void)str_format(ret, 64, "%s%s", table->prefix, row->name);
	for (; *ret; ret++)
		*ret = (char)(*ret == '-' ? '_' : toupper((unsigned char)*ret));
}

int options_environment(const struct option_table *table, void *values)
{
	int r = 0;

	for (const struct option_row *row = table->rows; r == 0 && row < table->rows + table->n; row++) {
		char name[64];
		const char *value;

		if (row->from == OPTION_ARGUMENT || !is_open(values, row))
			continue;
		name_in_environment(table, row, name);
		value = getenv(name);
		if (!value || !*value)
			continue;
		r = is_good(row, value) ? set(values, row, value)
					: complain(table, -EINVAL, "cannot use %s: it expects %s, not \"%s\"",
						   name, expected_by(row), value);
	}
	return r;
}

/* ---- the command line ---- */

static void describe(const struct option_table *table, struct option ret[OPTIONS_MAX + 1])
{
	assert(table->n <= OPTIONS_MAX);
	for (size_t i = 0; i < table->n; i++)
		ret[i] = (struct option){table->rows[i].name,
					 table->rows[i].kind == OPTION_SWITCH ? no_argument
									      : required_argument,
					 NULL, FIRST_OPTION + (int)i};
	ret[table->n] = (struct option){};
}

/* What getopt made of a word. */
static int take_argument(const struct option_table *table, void *values, int found, char *const *argv)
{
	int number = found == '?' || found == ':' ? optopt : found, r;
	const struct option_row *row = &table->rows[MAX(number, FIRST_OPTION) - FIRST_OPTION];

	if (found == ':')
		return complain(table, -EINVAL, "--%s needs a value (%s)", row->name, row->value);
	if (found == '?' && optopt >= FIRST_OPTION)
		return complain(table, -EINVAL, "--%s takes no value", row->name);
	if (found == '?' && optopt)
		return complain(table, -EINVAL, "there is no option -%c (--help lists them)", optopt);
	if (found == '?')
		return complain(table, -EINVAL, "there is no option %s (--help lists them)",
				argv[optind - 1]);
	if (!is_good(row, optarg))
		return complain(table, -EINVAL, "cannot use option --%s: it expects %s, not \"%s\"",
				row->name, expected_by(row), optarg);
	r = set(values, row, optarg);
	if (row->secret)
		explicit_bzero(optarg, strlen(optarg));
	return r;
}

int options_arguments(const struct option_table *table, void *values, int argc, char **argv)
{
	struct option longs[OPTIONS_MAX + 1];
	int found, r = 0, q;

	describe(table, longs);
	optind = 0;
	while ((found = getopt_long(argc, argv, ":", longs, NULL)) != -1) {
		q = take_argument(table, values, found, argv);
		if (q < 0)
			r = q;
	}
	return optind < argc ? complain(table, -EINVAL, "unexpected argument=%s", argv[optind]) : r;
}

static bool is_option_of(const struct option_table *table, const char *word)
{
	if (!str_starts(word, "--"))
		return false;
	word += 2;
	for (const struct option_row *row = table->rows; row < table->rows + table->n; row++)
		if (strlen(row->name) == strcspn(word, "=") && str_starts(word, row->name))
			return true;
	return false;
}

int options_argument(const struct option_table *table, void *values, int argc, char **argv, int *i)
{
	struct option longs[OPTIONS_MAX + 1];
	bool has_next = *i + 1 < argc;
	char *words[] = {"", argv[*i], has_next ? argv[*i + 1] : NULL, NULL};
	int r;

	if (!is_option_of(table, argv[*i]))
		return 0;
	describe(table, longs);
	optind = 0;
	r = take_argument(table, values, getopt_long(has_next ? 3 : 2, words, "+:", longs, NULL), words);
	*i += optind - 2;
	return r < 0 ? r : 1;
}

/* ---- a file ---- */

struct file {
	const struct option_table *table;
	void *values;
	const char *path;
	unsigned int line;
	unsigned int lines[OPTIONS_MAX]; /* where each option stands; 0: not yet */
};

static int refuse(const struct file *file, const char *format, ...) _printf_(2, 3);

static int refuse(const struct file *file, const char *format, ...)
{
	char text[LINE_SIZE + 512];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	return complain(file->table, -EINVAL, "cannot read config=%s line=%u: %s", file->path, file->line,
			text);
}

static char *trimmed(char *text)
{
	size_t length;

	text += strspn(text, " \t\r\n\f\v");
	length = strlen(text);
	while (length > 0 && isspace((unsigned char)text[length - 1]))
		text[--length] = '\0';
	return text;
}

static void cut_comment(char *text)
{
	for (char *c = text; (c = strchr(c, '#')); c++)
		if (c == text || isspace((unsigned char)c[-1])) {
			*c = '\0';
			return;
		}
}

/* Behind a quote: nothing, blanks, or those and a comment. */
static bool is_rest_empty(const char *rest)
{
	size_t blanks = strspn(rest, " \t");

	return !rest[blanks] || (blanks > 0 && rest[blanks] == '#');
}

/* What stands after "=": without a comment, or what is in quotes. NULL: they do not close, or there is more
 * behind them. */
static char *value_of(char *text)
{
	char *end;

	text += strspn(text, " \t");
	if (*text == '"' || *text == '\'') {
		end = strchr(text + 1, *text);
		if (!end)
			return NULL;
		*end = '\0';
		return is_rest_empty(end + 1) ? text + 1 : NULL;
	}
	cut_comment(text);
	return trimmed(text);
}

static int take_value(struct file *file, const struct option_row *row, const char *value)
{
	unsigned int *line = &file->lines[row - file->table->rows];

	if (*line)
		return refuse(file, "option %s stands in line=%u already", row->name, *line);
	*line = file->line;
	if (!is_good(row, value))
		return refuse(file, "option %s expects %s, not \"%s\"", row->name, expected_by(row), value);
	return is_open(file->values, row) ? set(file->values, row, value) : 0;
}

static int take_line(struct file *file, char *text)
{
	const char *prefix = file->table->prefix, *name;
	const struct option_row *row;
	char *equals, *value;

	text = trimmed(text);
	if (!*text || *text == '#')
		return 0;
	equals = strchr(text, '=');
	if (!equals || equals == text)
		return refuse(file, "expected \"name = value\", not \"%s\"", text);
	*equals = '\0';
	name = trimmed(text);
	row = row_named(file->table, name);
	if (row) {
		value = value_of(equals + 1);
		return value ? take_value(file, row, value)
			     : refuse(file, "option %s has a value whose quotes do not go around all of it",
				      row->name);
	}
	if (prefix && str_starts(name, prefix))
		return 0;
	return refuse(file, "there is no option \"%s\" (--help lists them)", name);
}

/* 1: a line, without its end. 0: there are no more. */
static int read_line(struct file *file, FILE *stream, char text[LINE_SIZE])
{
	size_t n = 0;
	int c;

	file->line++;
	while ((c = getc(stream)) != EOF && c != '\n') {
		if (!c)
			return refuse(file, "it holds a zero byte: the file is damaged, or no text");
		if (n == LINE_SIZE - 2)
			return refuse(file, "it is longer than %d characters", LINE_SIZE - 2);
		text[n++] = (char)c;
	}
	text[n] = '\0';
	return n > 0 || c == '\n';
}

static int take_lines(struct file *file, FILE *stream)
{
	char text[LINE_SIZE];
	int r = 0, more, q;

	while ((more = read_line(file, stream, text)) > 0) {
		q = take_line(file, text);
		if (q < 0)
			r = q;
	}
	if (ferror(stream))
		return complain(file->table, -EIO, "cannot read config=%s: %s", file->path, strerror(EIO));
	return more < 0 ? more : r;
}

int options_file(const struct option_table *table, void *values, const char *path)
{
	struct file file = {.table = table, .values = values, .path = path};
	FILE *stream = fopen(path, "re");
	struct stat st;
	int r;

	if (!stream)
		return complain(table, -errno, "cannot open config=%s: %s", path, strerror(errno));
	if (fstat(fileno(stream), &st) == 0 && S_ISDIR(st.st_mode))
		r = complain(table, -EISDIR, "cannot read config=%s: it is a directory, and no file", path);
	else
		r = take_lines(&file, stream);
	(void)fclose(stream);
	return r;
}

int options_read(const struct option_table *table, void *values, int argc, char **argv)
{
	int r, q = 0;

	r = options_arguments(table, values, argc, argv);
	for (const struct option_row *row = table->rows; row < table->rows + table->n; row++)
		if (streq(row->name, "config") && !is_open(values, row))
			q = options_file(table, values, *(char **)member(values, row));
	if (q == 0)
		q = r;
	r = options_defaults(table, values);
	return q < 0 ? q : r;
}

/* ---- help ---- */

static int write_left(const struct option_row *row, char ret[64])
{
	return str_format(ret, 64, "--%s%s%s", row->name, row->value ? " " : "", row->value ?: "");
}

#define HELP_WIDTH 80

/* Columns of a terminal, of a text that has no wide characters. */
static int columns_of(const char *text, size_t length)
{
	int n = 0;

	for (size_t i = 0; i < length; i++)
		n += (text[i] & 0xc0) != 0x80;
	return n;
}

/* Words, over as many lines as they need; the first one begins at `indent`, and so do the others. */
static void print_words(const char *text, int indent, FILE *to)
{
	int column = indent;

	for (size_t length; *text; text += length + (text[length] == ' ')) {
		length = strcspn(text, " ");
		if (column > indent && column + 1 + columns_of(text, length) > HELP_WIDTH) {
			fprintf(to, "\n%*s", indent, "");
			column = indent;
		} else if (column > indent) {
			fputc(' ', to);
			column++;
		}
		fprintf(to, "%.*s", (int)length, text);
		column += columns_of(text, length);
	}
	fputc('\n', to);
}

void options_help(const struct option_table *table, FILE *to)
{
	char left[64], name[64] = "", text[512];
	int width = 0;

	for (size_t i = 0; i < table->n; i++)
		width = MAX(width, write_left(&table->rows[i], left));
	for (const struct option_row *row = table->rows; row < table->rows + table->n; row++) {
		bool is_in_environment = table->prefix && row->from != OPTION_ARGUMENT;

		(void)write_left(row, left);
		if (is_in_environment)
			name_in_environment(table, row, name);
		fprintf(to, "  %-*s  ", width, left);
		if (is_in_environment || row->otherwise)
			(void)str_format(
				text, sizeof(text), "%s (%s%s%s)", row->help, is_in_environment ? name : "",
				is_in_environment && row->otherwise ? "; " : "", row->otherwise ?: "");
		else
			(void)str_copy(text, sizeof(text), row->help);
		print_words(text, width + 4, to);
	}
}
