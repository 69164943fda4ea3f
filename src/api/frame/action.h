/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How an action of the tables (schema/) is carried out.
 *
 * A handler is a pure function of (parameters, account, rows): it reads the snapshot, adds changes to the
 * call's transaction and members to the answer, or fails with a row of the error catalogue. It does no I/O.
 * The framework (run.c) does everything around it: checks of parameters against the table (missing, type,
 * range, in the words of the product), ClientToken (same parameters: the first answer again), DryRun (the
 * transaction is dropped), commit, repetition from the start when a row changed meanwhile (-EAGAIN), and the
 * answer after the commit is durable. So concurrent calls are serialised, and nothing is ever half done.
 */
#pragma once

#include <jansson.h>

#include "../../control/control.h"
#include "../../lib/params.h"
#include "../../model/catalogue.h"
#include "../../schema/schema.h"
#include "../../store/store.h"
#include "error.h"

struct call;
struct metrics;
typedef int (*action_handler)(struct call *call);

/* A product's part of the code. */
struct product_code {
	const action_handler *handlers;	  /* in the order of its actions */
	const struct tagged_type *tagged; /* what has tags (common/tags.h); NULL: nothing */
	action_handler reveal; /* puts the secret member into an answer that was kept with a ClientToken, or
				* fails the call; NULL: no action has a secret */
};
/* In api/products.c, above all of them. */
extern const struct product_code product_codes[PRODUCT_COUNT_];

/* From rows of a product's list of actions, X(name, handler, …): a table of handlers, and their prototypes.
 */
#define ACTION_HANDLER(name, handler, ...)   handler,
#define ACTION_PROTOTYPE(name, handler, ...) int handler(struct call *call);

/* Different counters that one call can draw from. */
#define CALL_COUNTERS_MAX 8

/* What a handler works with. */
struct call {
	const struct action *action;
	action_handler handler;
	enum product product;
	const struct catalogue *catalogue;
	const struct snapshot *rows;
	const struct account *account;
	const struct ram_user *user; /* the account's, who calls; NULL: the account itself */
	const char *region; /* RegionId, known to the catalogue; "" with ACTION_NO_REGION if absent, and
			     * with ACTION_ANY_REGION */
	json_t *params;	    /* typed: PARAM_INT and LONG are integers, BOOL booleans, LIST arrays, STRUCT_LIST
			     * arrays of     objects; absent ones are absent; empty ids are absent */
	struct store_txn *txn;
	json_t *answer; /* object; RequestId is added later */
	struct api_error error;
	int failed; /* the first system error of a helper (negative errno); fails the call at its end */
	struct counter counters[CALL_COUNTERS_MAX]; /* as drawn from by this call */
	size_t n_counters;
	char request_id[37];
	int64_t now;		/* unix seconds */
	uint64_t live_revision; /* up to which all live nodes have reported to be in force */
	uint64_t (*reached)(const void *context, enum kind kind, const void *row); /* those of a row have */
	struct control_node (*node_state)(const void *context,
					  const char *node);	      /* what is known of a node */
	const char *(*failure)(const void *context, const char *key); /* what a node says of a row */
	const void *node_context;
	struct audit *audit;	       /* NULL: nowhere */
	const struct metrics *metrics; /* NULL: there are none */
	size_t n_rows; /* that lists, and handlers that may have much to look at, have looked at */
};

/* What control knows of the node; nothing where there is no control. */
struct control_node call_node(const struct call *call, const char *node);
/* Up to which revision the nodes that a row of the snapshot concerns have reported to be in force;
 * UINT64_MAX: there are none. */
uint64_t call_reached(const struct call *call, enum kind kind, const void *row);
/* Why the row of the key is not in force, as a node says; NULL: nothing is known of it. Borrowed. */
const char *call_failure(const struct call *call, const char *key);

/* Fails the call with the catalogue's row of `code`; returns -EBADMSG. Inline, so that the compiler sees that
 * a lookup which failed has failed. */
void call_set_error(struct call *call, const char *pattern, const char *name, const char *detail);
static inline int call_fail(struct call *call, const char *code)
{
	call_set_error(call, code, NULL, NULL);
	return -EBADMSG;
}
static inline int call_fail_named(struct call *call, const char *pattern, const char *name)
{
	call_set_error(call, pattern, name, NULL);
	return -EBADMSG;
}
/* The words of the call's product. */
static inline const struct product_words *call_words(const struct call *call)
{
	return products[call->product].words;
}
/* A parameter's wrong value, with a sentence of detail: the code that the call's product uses for it, naming
 * the parameter ("IllegalParamFormat.Zone.1.ip", "InvalidParameter.Zone.1.ip"). */
static inline int call_fail_param(struct call *call, const char *name, const char *detail)
{
	call_set_error(call, call_words(call)->malformed, name, detail);
	return -EBADMSG;
}
int call_fail_detail(struct call *call, const char *code, const char *format, ...) _printf_(3, 4);

/* Whether it is an administrator that calls: an account itself, none of its users. */
static inline bool call_is_admin(const struct call *call)
{
	return call->account->is_admin && !call->user;
}

/* Parameters. */
static inline bool call_has(const struct call *call, const char *name)
{
	return json_object_get(call->params, name);
}
const char *call_string(const struct call *call, const char *name); /* NULL: absent */
bool call_bool(const struct call *call, const char *name, bool otherwise);
int64_t call_int(const struct call *call, const char *name, int64_t otherwise);
/* A time, in Unix seconds; without the parameter `ret` stays as it is. Fails the call if it is none. */
int call_time(struct call *call, const char *name, int64_t *ret);
json_t *call_list(const struct call *call, const char *name); /* borrowed array; NULL: absent */
/* Whether a list of texts has this one. */
bool list_has(const json_t *list, const char *text);
static inline const char *member_string(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

/* Answer members; out of memory is remembered and fails the call at its end. */
void answer_string(json_t *object, const char *name, const char *value);
void answer_int(json_t *object, const char *name, int64_t value);
void answer_bool(json_t *object, const char *name, bool value);
void answer_time(json_t *object, const char *name, int64_t unix_s);  /* 2026-01-02T03:04:05Z */
void answer_object(json_t *object, const char *name, json_t *value); /* takes the reference */

/* Changes: put (new or changed copy of a row), delete; errors of memory and size are kept until the commit.
 */
void call_put(struct call *call, enum kind kind, const void *row);
void call_delete(struct call *call, enum kind kind, const void *row);
/* The next number that no VPC, or no port, has, in the call's transaction; several of one transaction are
 * different ones. They are given out in turn, so that one which has come back rests as long as can be: nodes
 * may still have what it was of. 0: all are taken, and the call fails at its end. */
uint32_t call_next_number(struct call *call, enum kind kind);
/* A new id that no row has: "ep-" and 20 characters. */
void call_new_id(struct call *call, const char *prefix, char ret[ID_SIZE]);

/* Pages of a list as the action's table says, over matches in the order of their ids: page_begin, then for
 * each match page_match() says whether it belongs to the page, then page_end writes NextToken, MaxResults,
 * TotalCount (or PageNumber, PageSize, TotalCount).
 *
 * Who knows how many matches there are says so (page_count), and asks for those only that page_from() and
 * page_skip() let through. So does who need not know: TotalCount is not told, or the call's NextToken has it
 * from the first page, whose count all later ones repeat. Either may stop when page_is_done(). */
struct page {
	int64_t skip, limit, seen, taken;
	bool numbered, is_counted;
	enum page_total total;
	char last[KEY_SIZE], after[KEY_SIZE];
	bool more;
	int64_t page_number;
	uint64_t question; /* by token: what is asked */
};
int page_begin(struct call *call, struct page *page);
/* Changes nothing where a token has said it. */
void page_count(struct page *page, size_t n_matches);
/* Only matches whose ids are behind this one are of interest; "": all. */
const char *page_from(const struct page *page);
/* How many of these to leave out at first; 0, unless all are counted. */
size_t page_skip(const struct page *page);
/* Whether what comes behind the last match changes nothing any more. */
bool page_is_done(const struct page *page);
bool page_match(struct page *page, const char *id);
void page_end(struct call *call, struct page *page);

/* A digest of what the call asks for, but for which page of it and how long: a NextToken is good for one that
 * asks the same. -ENOMEM. */
int page_question(const struct call *call, uint64_t *ret);
#define PAGE_STRANGE_TOKEN "It is not a token of this action with these parameters."
