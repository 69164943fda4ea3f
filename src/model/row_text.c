/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows from their text, without a tree between: a start reads a hundred thousand of them. What is not of the
 * form in which nearly all are is left to the reader of JSON, so this one needs no opinion about it.
 */
#include "../lib/plain.h"
#include "row.h"

struct reader {
	const struct kind_info *info;
	struct plain plain; /* of a text that is ours */
	void *row;
	char *room;	 /* for shared lists */
	size_t expected; /* members come in the order of the table */
	uint64_t seen;	 /* one bit each member */
};

/* A string, made to end in NUL; NULL: none of plain form. */
static char *read_string(struct reader *reader)
{
	const char *begin;
	size_t length;
	char *text;

	if (!plain_string(&reader->plain, &begin, &length))
		return NULL;
	text = (char *)(uintptr_t)begin;
	text[length] = '\0';
	return text;
}

static int read_list(struct reader *reader, const struct field *field)
{
	char *texts = field_begin_list(field, reader->row, &reader->room);
	size_t n = 0;

	if (!texts)
		return -EOPNOTSUPP;
	if (!plain_skip(&reader->plain, ']')) {
		do {
			const char *s = read_string(reader);

			if (!s || n == field->max || str_copy(texts + n * field->size, field->size, s) < 0)
				return -EOPNOTSUPP;
			n++;
		} while (plain_skip(&reader->plain, ','));
		if (!plain_skip(&reader->plain, ']'))
			return -EOPNOTSUPP;
	}
	field_end_list(field, n, reader->row);
	return 0;
}

static int read_value(struct reader *reader, const struct field *field)
{
	const char *text;
	int64_t number;
	bool flag;

	switch (*reader->plain.at) {
	case '"':
		text = read_string(reader);
		return text ? field_put_text(field, text, reader->row) : -EOPNOTSUPP;
	case '[':
		reader->plain.at++;
		return read_list(reader, field);
	case 't':
	case 'f':
		return plain_flag(&reader->plain, &flag) ? field_put_flag(field, flag, reader->row)
							 : -EOPNOTSUPP;
	default:
		return plain_number(&reader->plain, &number) ? field_put_number(field, number, reader->row)
							     : -EOPNOTSUPP;
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

	return field && plain_skip(&reader->plain, ':') ? read_value(reader, field) : -EOPNOTSUPP;
}

int row_from_text(enum kind kind, char *text, void *ret, struct row_lists *lists)
{
	struct reader reader = {
		.info = kind_info(kind),
		.plain = {text, text + strlen(text)},
		.row = ret,
		.room = lists->bytes,
	};

	row_clear(kind, ret);
	if (!plain_skip(&reader.plain, '{'))
		return -EOPNOTSUPP;
	do {
		if (read_member(&reader) < 0)
			return -EOPNOTSUPP;
	} while (plain_skip(&reader.plain, ','));
	return plain_skip(&reader.plain, '}') && reader.plain.at == reader.plain.end ? 0 : -EOPNOTSUPP;
}
