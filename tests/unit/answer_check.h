/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether an answer is what the action's table says: no member that the table lacks or has as another type,
 * and each of those that are always there. Every call of the harness is looked at, so that what is printed
 * from the tables (doc/api.md, the command line's columns) is so.
 */
#pragma once

#include "../tap.h"
#include "schema/schema.h"

static bool answer_follows(const struct answer_field *fields, const json_t *object,
			   const struct paging *paging, const char **ret_name);

static bool answer_list_follows(const struct answer_field *field, const json_t *value, const char **ret_name)
{
	const json_t *entry;
	size_t i;

	if (field->inner && (!json_is_object(value) || json_object_size(value) != 1))
		return false;
	value = field->inner ? json_object_get(value, field->inner) : value;
	if (!json_is_array(value))
		return false;
	json_array_foreach(value, i, entry)
		if (field->kind == ANSWER_NUMBERS) {
			if (!json_is_integer(entry))
				return false;
		} else if (field->kind == ANSWER_POINTS) {
			if (!json_is_number(entry) && !json_is_null(entry))
				return false;
		} else if (field->members ? !answer_follows(field->members, entry, NULL, ret_name)
					  : !json_is_string(entry))
			return false;
	return true;
}

static bool answer_map_follows(const json_t *value)
{
	const char *name;
	json_t *text;

	json_object_foreach((json_t *)value, name, text)
		if (!json_is_string(text))
			return false;
	return json_is_object(value);
}

static bool answer_member_follows(const struct answer_field *field, const json_t *value,
				  const char **ret_name)
{
	const struct field *member;

	switch (field->kind) {
	case ANSWER_MEMBER:
	case ANSWER_GIVEN:
		member = kind_field_at(field->row, field->offset);
		if (!member)
			return false;
		if (member->type == FIELD_TEXT_LIST || member->type == FIELD_SHARED_LIST)
			return answer_list_follows(field, value, ret_name);
		if (member->type == FIELD_BOOL)
			return json_is_boolean(value);
		return member->type == FIELD_U32 || member->type == FIELD_I32 || member->type == FIELD_I64
			       ? json_is_integer(value)
			       : json_is_string(value);
	case ANSWER_NUMBER:
	case A_NUMBER:
		return json_is_integer(value);
	case ANSWER_FLAG:
	case A_FLAG:
		return json_is_boolean(value);
	case ANSWER_TEXTS:
	case ANSWER_ONE:
	case ANSWER_TAGS:
	case ANSWER_LIST:
	case ANSWER_NUMBERS:
	case ANSWER_POINTS:
		return answer_list_follows(field, value, ret_name);
	case ANSWER_MAP:
		return answer_map_follows(value);
	case ANSWER_OBJECT:
	case ANSWER_AN_OBJECT:
		return json_is_object(value) && answer_follows(field->members, value, NULL, ret_name);
	default:
		return json_is_string(value);
	}
}

/* Members that pages add. */
static bool answer_pages(const struct paging *paging, const char *name)
{
	static const char *const by_token[] = {"MaxResults", "NextToken"}, *const by_number[] = {"PageNumber",
												 "PageSize"};

	if (!paging)
		return false;
	if (streq(name, "TotalCount"))
		return paging->total != TOTAL_NONE;
	for (size_t i = 0; i < 2; i++)
		if ((paging->results_max && streq(name, by_token[i])) ||
		    (paging->size_max && streq(name, by_number[i])))
			return true;
	return false;
}

/* The first member that is always there and is not; NULL: all are. */
static const char *answer_missing(const struct answer_field *fields, const json_t *object)
{
	for (; fields->kind != ANSWER_NONE; fields++) {
		const char *missing =
			fields->kind == ANSWER_SAME ? answer_missing(fields->members, object) : NULL;

		if (missing)
			return missing;
		if (fields->kind != ANSWER_SAME && fields->kind != ANSWER_GIVEN &&
		    fields->kind != ANSWER_TIME_GIVEN && fields->kind != ANSWER_ONE &&
		    fields->kind < A_TEXT && !json_object_get(object, fields->name))
			return fields->name;
	}
	return NULL;
}

static bool answer_follows(const struct answer_field *fields, const json_t *object,
			   const struct paging *paging, const char **ret_name)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)object, name, value) {
		const struct answer_field *field = answer_find(fields, name);

		if (!field && answer_pages(paging, name))
			continue;
		if (!*ret_name)
			*ret_name = name;
		if (!field || !answer_member_follows(field, value, ret_name))
			return false;
		*ret_name = NULL;
	}
	*ret_name = fields ? answer_missing(fields, object) : NULL;
	return !*ret_name;
}

/* One line only where it does not. */
static void answer_check(const struct action *action, const json_t *answer)
{
	const char *name = NULL;

	if (!answer_follows(action->answer, answer, action->paging, &name))
		tap_ok(false, "the answer of %s follows its table: %s", action->name, name ? name : "?");
}
