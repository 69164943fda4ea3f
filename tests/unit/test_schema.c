/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of the API by themselves: what a member of an answer takes from a row is there and of the kind
 * that the table makes of it, and no table has a name twice.
 */
#include "../tap.h"
#include "model/relations.h"
#include "schema/schema.h"

/* What is wrong with a member; NULL: nothing. */
static const char *member_fault(const struct answer_field *f)
{
	const struct field *member;

	switch (f->kind) {
	case ANSWER_MEMBER:
	case ANSWER_GIVEN:
	case ANSWER_TIME:
	case ANSWER_TIME_GIVEN:
	case ANSWER_DECIMAL:
	case ANSWER_CHOICE:
	case ANSWER_GROUP:
		break;
	default:
		return NULL;
	}
	if (f->kind == ANSWER_GROUP && !f->offset)
		return relation_owner(f->row) == REF_COUNT_ ? "nobody owns the row" : NULL;
	member = kind_field_at(f->row, f->offset);
	if (!member)
		return "the row keeps no such member";
	if ((f->kind == ANSWER_TIME || f->kind == ANSWER_TIME_GIVEN) && member->type != FIELD_I64)
		return "a time is of 64 bits";
	if (f->kind == ANSWER_DECIMAL && member->type != FIELD_I64 && member->type != FIELD_U32)
		return "it is no number";
	if (f->kind == ANSWER_GROUP && (member->type != FIELD_TEXT || relation_owner(f->row) == REF_COUNT_))
		return "a resource group is a text of a row that has an owner";
	if (f->kind == ANSWER_CHOICE && (member->type != FIELD_BOOL || !f->text[0] || !f->text[1]))
		return "a choice is a bool of two words";
	return f->inner && member->type != FIELD_TEXT_LIST && member->type != FIELD_SHARED_LIST
		       ? "what is wrapped is a list"
		       : NULL;
}

static bool needs_members(const struct answer_field *f)
{
	return f->kind == ANSWER_SAME || f->kind == ANSWER_OBJECT || f->kind == ANSWER_AN_OBJECT ||
	       f->kind == ANSWER_ONE || f->kind == ANSWER_TAGS;
}

static void test_answer(const char *action, const struct answer_field *fields)
{
	for (const struct answer_field *f = fields; f && f->kind != ANSWER_NONE; f++) {
		const char *fault = member_fault(f);

		if (fault)
			tap_ok(false, "%s: %s: %s", action, f->name, fault);
		if (needs_members(f) && !f->members)
			tap_ok(false, "%s: %s has members", action, f->name ? f->name : "another table");
		/* A name that comes again further on, here or in a table that this one includes. */
		if (f->name && (answer_find(f + 1, f->name) || answer_find(fields, f->name) != f))
			tap_ok(false, "%s: %s stands there once", action, f->name);
		test_answer(action, f->members);
	}
}

#define COLUMNS 32

/* What the command line shows in one column, or on one line, has one heading. */
static void test_columns(const char *action, const struct answer_field *fields, const char *lists[COLUMNS],
			 const char *shows[COLUMNS])
{
	for (const struct answer_field *f = fields; f && f->kind != ANSWER_NONE; f++) {
		const char **in_list = &lists[f->in_list % COLUMNS], **in_show = &shows[f->in_show % COLUMNS];

		if (f->in_list && *in_list && !streq(*in_list, f->title))
			tap_ok(false, "%s: column %u is %s and %s", action, f->in_list, *in_list, f->title);
		if (f->in_show && *in_show && !streq(*in_show, f->title))
			tap_ok(false, "%s: line %u is %s and %s", action, f->in_show, *in_show, f->title);
		if (f->in_list)
			*in_list = f->title;
		if (f->in_show)
			*in_show = f->title;
		test_columns(action, f->members, lists, shows);
	}
}

static void test_params(const char *action, const struct param_spec *specs)
{
	for (const struct param_spec *s = specs; s && s->name; s++) {
		bool compound = s->type == PARAM_STRUCT || s->type == PARAM_STRUCT_LIST;

		if (compound != (s->members != NULL))
			tap_ok(false, "%s: %s has members if it is of them", action, s->name);
		if (s->min > s->max && s->max)
			tap_ok(false, "%s: the bounds of %s are in order", action, s->name);
		if ((s->option && !s->help) || (s->parts && s->type != PARAM_STRUCT_LIST))
			tap_ok(false, "%s: the option of %s has help, and parts if it has some", action,
			       s->name);
		for (const struct param_spec *other = specs; other != s; other++)
			if (streq(other->name, s->name))
				tap_ok(false, "%s: %s stands there once", action, s->name);
		test_params(action, s->members);
	}
}

int main(void)
{
	for (size_t i = 0; i < PRODUCT_COUNT_; i++)
		for (const struct action *action = products[i].actions; action->name; action++) {
			test_answer(action->name, action->answer);
			test_columns(action->name, action->answer, (const char *[COLUMNS]){0},
				     (const char *[COLUMNS]){0});
			test_params(action->name, action->params);
			tap_ok(!action->paging ||
				       (action->paging->results_default <= action->paging->results_max &&
					action->paging->size_default <= action->paging->size_max &&
					answer_only_list(action->answer)->kind == ANSWER_LIST),
			       "%s %s: what comes in pages is a list", products[i].name, action->name);
		}
	return tap_done();
}
