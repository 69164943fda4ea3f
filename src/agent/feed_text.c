/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is not of plain form, be it a row or a member beside the rows, goes to the reader of JSON by itself:
 * it says where that ends.
 */
#include "feed_text.h"

#include <limits.h>

#include "../lib/plain.h"
#include "../lib/vec.h"

#define ALL_MEMBERS 0xfu /* of a row: a bit each */

static void skip_blanks(struct plain *at)
{
	while (at->at < at->end && strchr(" \t\n\r", *at->at) && *at->at)
		at->at++;
}

/* Any value: the caller's. NULL: there is none. */
static json_t *read_json(struct plain *at)
{
	json_error_t error;
	json_t *json = json_loadb(at->at, (size_t)(at->end - at->at),
				  JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK | JSON_DECODE_ANY, &error);

	if (json)
		at->at += error.position;
	return json;
}

static bool is_row(const json_t *json)
{
	return json_is_string(json_object_get(json, "key")) &&
	       json_is_object(json_object_get(json, "value")) &&
	       json_is_integer(json_object_get(json, "created")) &&
	       json_is_integer(json_object_get(json, "revision"));
}

static int read_odd_row(struct plain *at, struct feed_row *ret)
{
	json_t *json = read_json(at), *key = json_object_get(json, "key");

	if (!is_row(json)) {
		json_decref(json);
		return -EINVAL;
	}
	*ret = (struct feed_row){
		.key = json_string_value(key),
		.key_length = json_string_length(key),
		.json = json,
		.created = (uint64_t)json_integer_value(json_object_get(json, "created")),
		.revision = (uint64_t)json_integer_value(json_object_get(json, "revision")),
	};
	return 0;
}

static bool read_plain_number(struct plain *at, uint64_t *ret)
{
	int64_t number;

	if (!plain_number(at, &number))
		return false;
	*ret = (uint64_t)number;
	return true;
}

static bool read_plain_value(struct plain *at, struct feed_row *ret)
{
	ret->value = at->at;
	if (!plain_flat_object(at))
		return false;
	ret->size = (size_t)(at->at - ret->value);
	return true;
}

/* One that was not seen yet. */
static bool read_plain_member(struct plain *at, unsigned int *seen, struct feed_row *ret)
{
	static const char *const names[] = {"key", "created", "revision", "value"};
	const char *name;
	size_t length, i = 0;

	if (!plain_string(at, &name, &length) || !plain_skip(at, ':'))
		return false;
	while (i < ARRAY_SIZE(names) && (strlen(names[i]) != length || memcmp(names[i], name, length) != 0))
		i++;
	if (i == ARRAY_SIZE(names) || *seen & 1u << i)
		return false;
	*seen |= 1u << i;
	switch (i) {
	case 0:
		return plain_string(at, &ret->key, &ret->key_length);
	case 1:
		return read_plain_number(at, &ret->created);
	case 2:
		return read_plain_number(at, &ret->revision);
	default:
		return read_plain_value(at, ret);
	}
}

static bool read_plain_row(struct plain *at, struct feed_row *ret)
{
	unsigned int seen = 0;

	*ret = (struct feed_row){};
	if (!plain_skip(at, '{'))
		return false;
	do {
		if (!read_plain_member(at, &seen, ret))
			return false;
	} while (plain_skip(at, ','));
	return plain_skip(at, '}') && seen == ALL_MEMBERS;
}

static int read_row(struct plain *at, struct feed_row *ret)
{
	struct plain behind = *at;

	if (!read_plain_row(&behind, ret))
		return read_odd_row(at, ret);
	*at = behind;
	return 0;
}

static int read_rows(struct plain *at, struct feed_text *text)
{
	int r = plain_skip(at, '[') ? 0 : -EINVAL;

	skip_blanks(at);
	if (r < 0 || plain_skip(at, ']'))
		return r;
	do {
		skip_blanks(at);
		r = VEC_ROOM(text->rows, text->n, text->size);
		if (r == 0)
			r = read_row(at, &text->rows[text->n]);
		if (r < 0)
			return r;
		text->n++;
		skip_blanks(at);
	} while (plain_skip(at, ','));
	return plain_skip(at, ']') ? 0 : -EINVAL;
}

/* Behind its name. */
static int read_member(struct plain *at, struct feed_text *text, const char *name)
{
	bool is_rows = streq(name, "rows");
	json_t *value;
	int r;

	if (json_object_get(text->rest, name))
		return -EINVAL;
	r = is_rows ? read_rows(at, text) : 0;
	value = is_rows ? json_null() : read_json(at);
	if (r < 0 || !value || json_object_set_new(text->rest, name, value) < 0)
		return r < 0 ? r : -EINVAL;
	return 0;
}

static int read_named_member(struct plain *at, struct feed_text *text)
{
	json_t *name;
	int r = -EINVAL;

	skip_blanks(at);
	name = read_json(at);
	skip_blanks(at);
	if (json_is_string(name) && plain_skip(at, ':')) {
		skip_blanks(at);
		r = read_member(at, text, json_string_value(name));
	}
	json_decref(name);
	skip_blanks(at);
	return r;
}

int feed_text_parse(const char *body, size_t size, struct feed_text *ret)
{
	struct plain at = {body, body + size};
	int r;

	*ret = (struct feed_text){.rest = json_object()};
	if (!ret->rest)
		return -ENOMEM;
	skip_blanks(&at);
	/* jansson counts by int, and passes over a NUL behind a number. */
	if (size > INT_MAX || memchr(body, '\0', size) || !plain_skip(&at, '{'))
		return -EINVAL;
	do {
		r = read_named_member(&at, ret);
		if (r < 0)
			return r;
	} while (plain_skip(&at, ','));
	if (!plain_skip(&at, '}'))
		return -EINVAL;
	skip_blanks(&at);
	return at.at == at.end && json_object_get(ret->rest, "rows") ? 0 : -EINVAL;
}

void feed_text_done(struct feed_text *text)
{
	for (size_t i = 0; i < text->n; i++)
		json_decref(text->rows[i].json);
	free(text->rows);
	json_decref(text->rest);
	*text = (struct feed_text){};
}

/* A text of plain form is JSON, but for a member that comes twice. */
int feed_row_json(const struct feed_row *row, json_t **ret)
{
	json_error_t error;

	if (row->json) {
		*ret = json_incref(json_object_get(row->json, "value"));
		return 0;
	}
	*ret = json_loadb(row->value, row->size, JSON_REJECT_DUPLICATES, &error);
	if (*ret)
		return 0;
	return json_error_code(&error) == json_error_duplicate_key ? -EINVAL : -ENOMEM;
}

int feed_row_put(const struct feed_row *row, const char *key, struct snapshot *snapshot)
{
	_cleanup_(freep) char *text = NULL;

	if (row->json)
		return -EOPNOTSUPP;
	text = strndup(row->value, row->size); /* is used up */
	return text ? snapshot_apply_text(snapshot, key, text, row->created, row->revision) : -ENOMEM;
}
