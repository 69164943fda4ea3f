/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows to JSON and back, and their keys, by walking the tables of row_fields.c. What comes in may be
 * anybody's (the store of another version, a feed, a fuzzer): every value is checked against its member's
 * size and range.
 */
#include "row.h"

#include <inttypes.h>

#include "../lib/codec.h"
#include "row_fields.h"

#define ADDRESS_TEXT_SIZE NETPREFIX_TEXT_SIZE /* the longest of address, prefix and MAC */

/* What shared members point to that have nothing. */
const char row_nothing[ID_SIZE];

const struct kind_info *kind_info(enum kind kind)
{
	return &row_kinds[kind];
}

const struct field *kind_field_at(enum kind kind, size_t offset)
{
	const struct kind_info *info = &row_kinds[kind];

	for (size_t i = 0; i < info->n_fields; i++)
		if (info->fields[i].offset == offset)
			return &info->fields[i];
	return NULL;
}

int kind_of_key(const char *key, enum kind *ret)
{
	const char *slash = strchr(key, '/');
	size_t length;

	if (!slash)
		return -EINVAL;
	length = (size_t)(slash - key);
	for (int kind = 0; kind < KIND_COUNT_; kind++)
		if (strncmp(row_kinds[kind].name, key, length) == 0 && row_kinds[kind].name[length] == '\0') {
			*ret = kind;
			return 0;
		}
	return -EINVAL;
}

const char *enum_name(const char *const *names, unsigned int value)
{
	for (unsigned int i = 0; names[i]; i++)
		if (i == value)
			return names[i];
	return "?";
}

/* -EINVAL if `name` is none of them. */
static int enum_parse(const char *const *names, const char *name, int *ret)
{
	for (int i = 0; names[i]; i++)
		if (streq(names[i], name)) {
			*ret = i;
			return 0;
		}
	return -EINVAL;
}

static const void *member(const struct field *field, const void *row)
{
	return (const char *)row + field->offset;
}

/* Of a shared member. */
static const char *shared_text(const struct field *field, const void *row)
{
	const char *text = *(const char *const *)member(field, row);

	return text ? text : "";
}

static uint32_t list_count(const struct field *field, const void *row)
{
	return *(const uint32_t *)((const char *)row + field->count_offset);
}

static bool is_zero(const void *p, size_t size)
{
	const uint8_t *bytes = p;

	for (size_t i = 0; i < size; i++)
		if (bytes[i] != 0)
			return false;
	return true;
}

/* Keys */

/* Appends to a key; `*length` is the length so far. */
static int append(char ret[KEY_SIZE], size_t *length, const char *text)
{
	int r = str_copy(ret + *length, KEY_SIZE - *length, text);

	if (r < 0)
		return r;
	*length += (size_t)r;
	return 0;
}

static int append_field(char ret[KEY_SIZE], size_t *length, const struct field *field, const void *row,
			bool percent)
{
	const void *p = member(field, row);
	_cleanup_(freep) char *encoded = NULL;
	char text[ADDRESS_TEXT_SIZE];

	switch (field->type) {
	case FIELD_SHARED:
		p = shared_text(field, row);
		__attribute__((fallthrough));
	case FIELD_TEXT:
		if (!percent)
			return append(ret, length, p);
		encoded = percent_encode(p, strlen(p));
		return encoded ? append(ret, length, encoded) : -ENOMEM;
	case FIELD_I64:
		(void)str_format(text, sizeof(text), "%" PRId64, *(const int64_t *)p);
		return append(ret, length, text);
	case FIELD_U32:
		(void)str_format(text, sizeof(text), "%" PRIu32, *(const uint32_t *)p);
		return append(ret, length, text);
	case FIELD_ADDR:
		netaddr_format(p, text);
		return append(ret, length, text);
	default:
		return -EINVAL;
	}
}

static const struct field *find_field(const struct kind_info *info, const char *name, size_t name_length)
{
	for (size_t i = 0; i < info->n_fields; i++)
		if (strlen(info->fields[i].name) == name_length &&
		    strncmp(info->fields[i].name, name, name_length) == 0)
			return &info->fields[i];
	return NULL;
}

/* One part of the id as the table of kinds writes it: "x", "%x" or "x|y". */
static int append_part(char ret[KEY_SIZE], size_t *length, const struct kind_info *info, const char *part,
		       const void *row)
{
	bool percent = part[0] == '%';
	const char *name = part + percent, *bar = strchr(name, '|');
	const struct field *field = find_field(info, name, bar ? (size_t)(bar - name) : strlen(name));

	if (field && bar && is_zero(member(field, row), field->size))
		field = find_field(info, bar + 1, strlen(bar + 1));
	return field ? append_field(ret, length, field, row, percent) : -EINVAL;
}

const struct field *kind_own_id(enum kind kind)
{
	const struct kind_info *info = &row_kinds[kind];
	const struct field *field = find_field(info, info->key[0], strlen(info->key[0]));

	return field && field->type == FIELD_TEXT && !info->key[1] ? field : NULL;
}

int row_key(enum kind kind, const void *row, char ret[KEY_SIZE])
{
	const struct kind_info *info = &row_kinds[kind];
	size_t length = 0;
	int r;

	r = append(ret, &length, info->name);
	for (size_t i = 0; r == 0 && i < KEY_PARTS_MAX && info->key[i]; i++) {
		r = append(ret, &length, "/");
		if (r == 0)
			r = append_part(ret, &length, info, info->key[i], row);
	}
	return r;
}

/* Row → JSON */

static json_t *text_list_to_json(const struct field *field, const char *text, uint32_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < MIN(count, field->max); i++)
		if (json_array_append_new(list, json_string(text + i * field->size)) < 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

json_t *field_to_json(const struct field *field, const void *row)
{
	const void *p = member(field, row);
	char text[ADDRESS_TEXT_SIZE];

	switch (field->type) {
	case FIELD_TEXT:
		return json_string(p);
	case FIELD_TEXT_LIST:
		return text_list_to_json(field, p, list_count(field, row));
	case FIELD_SHARED:
		return json_string(shared_text(field, row));
	case FIELD_SHARED_LIST:
		return text_list_to_json(field, *(const char *const *)p, list_count(field, row));
	case FIELD_BOOL:
		return json_boolean(*(const bool *)p);
	case FIELD_U32:
		return json_integer(*(const uint32_t *)p);
	case FIELD_I32:
		return json_integer(*(const int32_t *)p);
	case FIELD_I64:
		return json_integer(*(const int64_t *)p);
	case FIELD_ENUM:
		return json_string(enum_name(field->names, *(const unsigned int *)p));
	case FIELD_ADDR:
		netaddr_format(p, text);
		return json_string(text);
	case FIELD_PREFIX:
		netprefix_format(p, text);
		return json_string(text);
	case FIELD_MAC:
		mac_format(p, text);
		return json_string(text);
	}
	return NULL;
}

bool field_is_absent(const struct field *field, const void *row)
{
	switch (field->type) {
	case FIELD_ENUM:
		return false;
	case FIELD_TEXT:
		return *(const char *)member(field, row) == '\0';
	case FIELD_SHARED:
		return *shared_text(field, row) == '\0';
	case FIELD_TEXT_LIST:
	case FIELD_SHARED_LIST:
		return list_count(field, row) == 0;
	default:
		return is_zero(member(field, row), field->size);
	}
}

bool field_is_shared(const struct field *field)
{
	return field->type == FIELD_SHARED || field->type == FIELD_SHARED_LIST;
}

json_t *row_to_json(enum kind kind, const void *row)
{
	const struct kind_info *info = &row_kinds[kind];
	json_t *object = json_object();

	for (size_t i = 0; object && i < info->n_fields; i++) {
		const struct field *field = &info->fields[i];

		if (field_is_absent(field, row))
			continue;
		if (json_object_set_new(object, field->name, field_to_json(field, row)) < 0) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

/* JSON → row */

/* The text of a JSON string; NULL if it is none, or has a NUL in it. */
static const char *plain_text(const json_t *json)
{
	const char *s = json_string_value(json);

	return s && strlen(s) == json_string_length(json) ? s : NULL;
}

/* Addresses, prefixes and MACs are texts; an empty one is zero, which the row is already. */
static int put_address(const struct field *field, const char *text, void *p)
{
	if (*text == '\0')
		return 0;
	switch (field->type) {
	case FIELD_ADDR:
		return netaddr_parse(text, p);
	case FIELD_PREFIX:
		return netprefix_parse(text, true, p);
	default:
		return mac_parse(text, p);
	}
}

int field_put_text(const struct field *field, const char *text, void *row)
{
	void *p = (char *)row + field->offset;

	switch (field->type) {
	case FIELD_TEXT:
		return str_copy(p, field->size, text) >= 0 ? 0 : -EINVAL;
	case FIELD_SHARED:
		if (strlen(text) >= field->size)
			return -EINVAL;
		*(const char **)p = text;
		return 0;
	case FIELD_ENUM:
		return enum_parse(field->names, text, p);
	case FIELD_ADDR:
	case FIELD_PREFIX:
	case FIELD_MAC:
		return put_address(field, text, p) < 0 ? -EINVAL : 0;
	default:
		return -EINVAL;
	}
}

int field_put_number(const struct field *field, int64_t value, void *row)
{
	void *p = (char *)row + field->offset;

	switch (field->type) {
	case FIELD_U32:
		if (value < 0 || value > UINT32_MAX)
			return -EINVAL;
		*(uint32_t *)p = (uint32_t)value;
		return 0;
	case FIELD_I32:
		if (value < INT32_MIN || value > INT32_MAX)
			return -EINVAL;
		*(int32_t *)p = (int32_t)value;
		return 0;
	case FIELD_I64:
		*(int64_t *)p = value;
		return 0;
	default:
		return -EINVAL;
	}
}

int field_put_flag(const struct field *field, bool value, void *row)
{
	if (field->type != FIELD_BOOL)
		return -EINVAL;
	*(bool *)((char *)row + field->offset) = value;
	return 0;
}

char *field_begin_list(const struct field *field, void *row, char **room)
{
	char *p = (char *)row + field->offset;

	if (field->type == FIELD_TEXT_LIST)
		return p;
	if (field->type != FIELD_SHARED_LIST)
		return NULL;
	*(const char **)(void *)p = *room;
	memset(*room, 0, field->max * field->size);
	*room += field->max * field->size;
	return *room - field->max * field->size;
}

void field_end_list(const struct field *field, size_t n, void *row)
{
	*(uint32_t *)(void *)((char *)row + field->count_offset) = (uint32_t)n;
}

static int list_from_json(const struct field *field, const json_t *json, void *row, char **room)
{
	char *texts = field_begin_list(field, row, room);
	size_t n = json_array_size(json);

	if (!texts || n > field->max)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		const char *s = plain_text(json_array_get(json, i));

		if (!s || str_copy(texts + i * field->size, field->size, s) < 0)
			return -EINVAL;
	}
	field_end_list(field, n, row);
	return 0;
}

static int field_from_json(const struct field *field, const json_t *json, void *row, char **room)
{
	const char *text;

	switch (json_typeof(json)) {
	case JSON_STRING:
		text = plain_text(json);
		return text ? field_put_text(field, text, row) : -EINVAL;
	case JSON_INTEGER:
		return field_put_number(field, json_integer_value(json), row);
	case JSON_TRUE:
	case JSON_FALSE:
		return field_put_flag(field, json_is_true(json), row);
	case JSON_ARRAY:
		return list_from_json(field, json, row, room);
	default:
		return -EINVAL;
	}
}

void row_clear(enum kind kind, void *ret)
{
	const struct kind_info *info = &row_kinds[kind];

	memset(ret, 0, info->size);
	for (size_t i = 0; i < info->n_fields; i++)
		if (field_is_shared(&info->fields[i]))
			*(const char **)((char *)ret + info->fields[i].offset) = row_nothing;
}

int row_from_json(enum kind kind, const json_t *json, void *ret, struct row_lists *lists,
		  const char **ret_field)
{
	const struct kind_info *info = &row_kinds[kind];
	char *room = lists->bytes;
	int r;

	row_clear(kind, ret);
	if (!json_is_object(json)) {
		if (ret_field)
			*ret_field = info->name;
		return -EINVAL;
	}
	for (size_t i = 0; i < info->n_fields; i++) {
		const json_t *value = json_object_get(json, info->fields[i].name);

		if (!value)
			continue;
		r = field_from_json(&info->fields[i], value, ret, &room);
		if (r < 0) {
			if (ret_field)
				*ret_field = info->fields[i].name;
			return r;
		}
	}
	return 0;
}
