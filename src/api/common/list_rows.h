/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which rows a list walks. What a list is of (the caller's objects, say) can be many; a page of it is few.
 * So the fewest rows are found that have all that can be in the answer:
 *
 * - a call that filters nothing walks the page's rows, and the index tells how many there are in all;
 * - so does one that only asks for what names an object of the caller's own, where that holds nothing but
 *   the caller's;
 * - one that filters by what rows name, or by their ids, walks the rows that the index has of the filter
 *   with the fewest;
 * - what is left walks all that the list is of, so that all is counted; a page by token, which has the count
 *   from the first one, only from the token's entry on.
 */
#pragma once

#include "../frame/action.h"
#include "walk.h"

/* A parameter, one id or a list of several: rows are wanted only if they name one of them by that reference,
 * or with REF_COUNT_, are one of them. */
struct list_filter {
	const char *param;
	enum ref ref;
	bool is_one_owners; /* all rows that name an object belong to its owner, in its region */
	bool has_commas;    /* a text of it may have several ids (filter_commas()), LISTED_IDS_MAX at most */
};

struct listing {
	enum kind kind;
	/* Whether the call's parameters ask for it; NULL: they do. Asked only of a call that has some,
	 * besides those of pages and `of`. */
	bool (*wanted)(const struct call *call, const void *row);
	/* Adds to an entry what is computed; NULL: nothing is. */
	void (*add)(const struct call *call, json_t *item, const void *row);
	/* Whether it is in the list at all, whatever is asked for; NULL: all are. With `all_there`, that says
	 * at once that all are, only those are asked that are shown. */
	bool (*there)(const struct call *call, const void *row);
	bool (*all_there)(const struct call *call);
	const char *of;			   /* the parameter that names what the list is of; NULL: none does */
	const struct list_filter *filters; /* those of `wanted` that an index has; ends with a NULL param */
	/* How many other rows `add` looks at, without a walk; NULL: a few. */
	size_t (*looks)(const struct call *call, const void *row);
};

/* Whether a list has what names an object. */
typedef bool (*list_accepts)(const struct call *call, enum kind kind, const void *object);

struct list_rows {
	const struct listing *listing;
	/* What the list is of: the rows of `base`; if `owned` is a kind, which is not in `base` yet, those
	 * that name by `ref` any of the caller's objects of it. Each is of one source only. */
	struct walk base;
	enum kind owned;
	enum ref ref;
	list_accepts accepts; /* only such objects; NULL: all */
	size_t n_owned;	      /* objects that were looked at for that */
	/* Found: */
	bool is_narrowed; /* `found` is to be walked; else `base`, which is complete then */
	struct walk found;
	bool checks_base;    /* `found` has what is not in `base`, too */
	bool checks_filters; /* wanted() is to be asked */
	bool checks_there;   /* so is there() */
	bool is_counted;     /* every row is there and is wanted */
};

/* For _cleanup_. */
void list_rows_done(struct list_rows *rows);
/* Brings what names the caller's objects into `base`. -ENOMEM. */
int list_rows_fill(const struct call *call, struct list_rows *rows);
/* Finds what to walk. -ENOMEM. */
int list_rows_find(const struct call *call, struct list_rows *rows);
/* Whether a row is of what the list is of. */
bool list_rows_has(const struct call *call, const struct list_rows *rows, const void *row);
