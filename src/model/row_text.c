/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows from their text, without a tree between: a start reads a hundred thousand of them. What is not of the
 * form in which nearly all are is left to the reader of JSON, so this one needs no opinion about it.
 */
#include "row.h"

struct reader {
	const struct kind_info *info;
	char *at;
	void *row;
	char *room;	 /* for shared lists */
	size_t expected; /* members come in the order of the table */
	uint64_t seen;	 /* one bit each member */
};

static bool skip(struct reader *reader, char c)
{
	if (*reader->at != c)
		return false;
	reader->at++;
	return true;
}

/* A string, made to end in NUL; NULL: none of plain form. */
static char *read_string(struct reader *reader)
{
	char *begin, *end;

	if (!skip(reader, '"'))
		return NULL;
	begin = end = reader->at;
	while (*end >= ' ' && *end <= '~' && *end != '"' && *end != '\\')
		end++;
	if (*end != '"')
		return NULL;
	*end = '\0';
	reader->at = end + 1;
	return begin;
}

static int read_number(struct reader *reader, int64_t *ret)
{
	bool negative = skip(reader, '-');
	const char *begin = reader->at;
	int64_t value = 0;

	while (*reader->at >= '0' && *reader->at <= '9' && reader->at - begin < 18)
		value = value * 10 + (*reader->at++ - '0');
	if (reader->at == begin || (*begin == '0' && (negative || reader->at - begin > 1)))
		return -EOPNOTSUPP;
	*ret = negative ? -value : value;
	return 0;
}

static int read_list(struct reader *reader, const struct field *field)
{
	char *texts = field_begin_list(field, reader->row, &reader->room);
	size_t n = 0;

	if (!texts)
		return -EOPNOTSUPP;
	if (!skip(reader, ']')) {
		do {
			const char *s = read_string(reader);

			if (!s || n == field->max || str_copy(texts + n * field->size, field->size, s) < 0)
				return -EOPNOTSUPP;
			n++;
		} while (skip(reader, ','));
		if (!skip(reader, ']'))
			return -EOPNOTSUPP;
	}
	field_end_list(field, n, reader->row);
	return 0;
}

static int read_flag(struct reader *reader, const struct field *field)
{
	static const char *const words[] = {"false", "true"};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (!str_starts(reader->at, words[i]))
			continue;
		reader->at += strlen(words[i]);
		return field_put_flag(field, i == 1, reader->row);
	}
	return -EOPNOTSUPP;
}

static int read_value(struct reader *reader, const struct field *field)
{
	const char *text;
	int64_t number;
	int r;

	switch (*reader->at) {
	case '"':
		text = read_string(reader);
		return text ? field_put_text(field, text, reader->row) : -EOPNOTSUPP;
	case '[':
		reader->at++;
		return read_list(reader, field);
	case 't':
	case 'f':
		return read_flag(reader, field);
	default:
		r = read_number(reader, &number);
		return r < 0 ? r : field_put_number(field, number, reader->row);
	}
}

/* The member of that name, if it is the first one of it. */
static const struct field *find_new(struct reader *reader, const char *name)
{
	size_t n = reader->info->n_fields;

	for (size_t i = 0; i < n; i++) {
		size_t place = (reader->expected + i) % n;

		if (!streq(reader->info->fields[place].name, name))
			continue;
		if (place >= 64 || reader->seen & 1ull << place)
			return NULL;
		reader->seen |= 1ull << place;
		reader->expected = place + 1;
		return &reader->info->fields[place];
	}
	return NULL;
}

static int read_member(struct reader *reader)
{
	const char *name = read_string(reader);
	const struct field *field = name ? find_new(reader, name) : NULL;

	return field && skip(reader, ':') ? read_value(reader, field) : -EOPNOTSUPP;
}

int row_from_text(enum kind kind, char *text, void *ret, struct row_lists *lists)
{
	struct reader reader = {.info = kind_info(kind), .at = text, .row = ret, .room = lists->bytes};

	row_clear(kind, ret);
	if (!skip(&reader, '{'))
		return -EOPNOTSUPP;
	do {
		if (read_member(&reader) < 0)
			return -EOPNOTSUPP;
	} while (skip(&reader, ','));
	return skip(&reader, '}') && *reader.at == '\0' ? 0 : -EOPNOTSUPP;
}
