/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See fill.h. What is always the same is put by each call for an object, which changes nothing: rows of an
 * answer need no order.
 */
#include "fill.h"

#include <stdio.h>

#include "../../model/resource_group.h"
#include "action.h"
#include "shape.h"

static const void *member(const struct answer_field *field, const void *row)
{
	return (const char *)row + field->offset;
}

static void answer_member(json_t *object, const struct answer_field *field, const void *row)
{
	const struct field *member = kind_field_at(field->row, field->offset);

	if (!member || (field->kind == ANSWER_GIVEN && field_is_absent(member, row)))
		return;
	if (member->type == FIELD_ADDR && field_is_absent(member, row)) { /* none is no text of zeros */
		answer_string(object, field->name, "");
		return;
	}
	answer_object(field->inner ? shape_object(object, field->name) : object,
		      field->inner ? field->inner : field->name, field_to_json(member, row));
}

static void answer_decimal(json_t *object, const struct answer_field *field, const void *row)
{
	json_t *number = field_to_json(kind_field_at(field->row, field->offset), row);
	char text[24];

	if (!number) {
		answer_object(object, field->name, NULL); /* which keeps in mind that memory ran out */
		return;
	}
	(void)str_format(text, sizeof(text), "%lld", (long long)json_integer_value(number));
	answer_string(object, field->name, text);
	json_decref(number);
}

/* The row's account, and with it its default group. */
static void answer_group(json_t *object, const struct answer_field *field, const void *row)
{
	enum ref owner = relation_owner(field->row);
	char id[ID_SIZE];

	resource_group_id(*(const int64_t *)((const char *)row + relation_info(owner)->offset),
			  field->offset ? member(field, row) : "", id);
	answer_string(object, field->name, id);
}

/* What a row's member says; not for members of other kinds of rows. */
static void answer_of_row(json_t *object, const struct answer_field *field, const void *row)
{
	switch (field->kind) {
	case ANSWER_MEMBER:
	case ANSWER_GIVEN:
		answer_member(object, field, row);
		break;
	case ANSWER_TIME_GIVEN:
		if (*(const int64_t *)member(field, row) == 0)
			break;
		__attribute__((fallthrough));
	case ANSWER_TIME:
		answer_time(object, field->name, *(const int64_t *)member(field, row));
		break;
	case ANSWER_DECIMAL:
		answer_decimal(object, field, row);
		break;
	case ANSWER_GROUP:
		answer_group(object, field, row);
		break;
	case ANSWER_CHOICE:
		answer_string(object, field->name, field->text[*(const bool *)member(field, row)]);
		break;
	default:
		break;
	}
}

static json_t *new_list(json_t *object, const struct answer_field *field)
{
	return field->inner ? shape_wrapped(object, field->name, field->inner)
			    : shape_list(object, field->name);
}

/* What is the same whatever the row says. */
static void answer_constant(json_t *object, const struct answer_field *field)
{
	json_t *list;

	switch (field->kind) {
	case ANSWER_TEXT:
		answer_string(object, field->name, field->text[0]);
		break;
	case ANSWER_NUMBER:
		answer_int(object, field->name, field->number);
		break;
	case ANSWER_FLAG:
		answer_bool(object, field->name, field->number);
		break;
	case ANSWER_TEXTS:
		list = new_list(object, field);
		for (size_t i = 0; i < ARRAY_SIZE(field->text) && field->text[i]; i++)
			shape_text(list, field->text[i]);
		break;
	default:
		break;
	}
}

static void answer_part(json_t *object, const struct answer_field *field, enum kind kind, const void *row)
{
	json_t *part = json_object_get(object, field->name);

	answer_row(part ? part : shape_object(object, field->name), field->members, kind, row);
}

void answer_row(json_t *object, const struct answer_field *fields, enum kind kind, const void *row)
{
	for (const struct answer_field *f = fields; f->kind != ANSWER_NONE; f++) {
		switch (f->kind) {
		case ANSWER_SAME:
			answer_row(object, f->members, kind, row);
			break;
		case ANSWER_OBJECT:
			answer_part(object, f, kind, row);
			break;
		case ANSWER_ONE:
			if (f->members->row == kind)
				(void)answer_entry(new_list(object, f), f, kind, row);
			break;
		default:
			if (f->row == kind)
				answer_of_row(object, f, row);
			answer_constant(object, f);
			break;
		}
	}
}

json_t *answer_list(json_t *object, const struct answer_field *fields, const char *name)
{
	const struct answer_field *field = answer_find(fields, name);

	return field ? new_list(object, field) : NULL;
}

json_t *answer_entry(json_t *list, const struct answer_field *field, enum kind kind, const void *row)
{
	json_t *item = shape_item(list);

	answer_row(item, field->members, kind, row);
	return item;
}
