/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers about rows, and lists of them: what the tables say of a row, its tags, and page by page what a list
 * has.
 */
#pragma once

#include "../frame/action.h"
#include "../frame/fill.h"
#include "../frame/shape.h"
#include "list_rows.h"

/* answer_row(), and the tags of the row if the table has them. The row is one of the snapshot. */
void answer_object_row(const struct call *call, json_t *object, const struct answer_field *fields,
		       enum kind kind, const void *row);

/* The table of what the action answers about: of a list that comes in pages its entries', else the answer's.
 */
static inline const struct answer_field *call_fields(const struct call *call)
{
	const struct action *action = call->action;

	return action->paging ? answer_only_list(action->answer)->members : action->answer;
}

/* The action's answer, one page of what is wanted, in the order of the ids: of the caller's own rows in the
 * call's region; … */
int list_owned(struct call *call, const struct listing *listing);
/* … of the rows that name `id`; … */
int list_children(struct call *call, const struct listing *listing, enum ref ref, const char *id);
/* … of those that name any of the caller's objects of the other kind, by a reference that names one only
 * (`accepts`: only such objects; NULL: all); … */
int list_of_owned(struct call *call, const struct listing *listing, enum ref ref, enum kind owned,
		  list_accepts accepts);
/* … of all, for administrators; … */
int list_all(struct call *call, const struct listing *listing);
/* … of a walk, which is used up. Without `there` its sources have no row in common. */
int list_walk(struct call *call, const struct listing *listing, struct walk *walk);
