/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers about rows, and lists of them: what the tables say of a row, its tags, and page by page what a list
 * has.
 */
#pragma once

#include "../frame/action.h"
#include "../frame/fill.h"
#include "../frame/shape.h"
#include "gather.h"

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

struct listing {
	enum kind kind;
	/* Whether the call's parameters ask for it; NULL: they do. */
	bool (*wanted)(const struct call *call, const void *row);
	/* Adds to an entry what is computed; NULL: nothing is. */
	void (*add)(const struct call *call, json_t *item, const void *row);
};

/* The action's answer, one page of what is wanted, in the order of the ids: of the caller's own rows in the
 * call's region; … */
int list_owned(struct call *call, const struct listing *listing);
/* … of the rows that name `id`, or that name any of the caller's rows of the other kind; … */
int list_children(struct call *call, const struct listing *listing, enum ref ref, const char *id);
int list_of_owned(struct call *call, const struct listing *listing, enum ref ref, enum kind owned);
/* … of all, for administrators; of those that were gathered. */
int list_all(struct call *call, const struct listing *listing);
int list_gathered(struct call *call, const struct listing *listing, const struct gathered *rows);
