/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of actions and how one is carried out.
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
#include "../../store/store.h"
#include "error.h"

enum product { PRODUCT_PRIVATELINK, PRODUCT_VPC, PRODUCT_ECS, PRODUCT_NLB, PRODUCT_PRIVLINK, PRODUCT_COUNT_ };

enum param_type {
	PARAM_STRING,
	PARAM_INT,
	PARAM_LONG,
	PARAM_BOOL,
	PARAM_LIST,
	PARAM_STRUCT_LIST,
	PARAM_STRUCT
};

struct param_spec {
	const char *name; /* wire name; of a member of a STRUCT_LIST or STRUCT: its own name */
	enum param_type type;
	bool required;
	int64_t min, max;	   /* INT, LONG; LIST, STRUCT_LIST: number of entries (max 0: no bound) */
	const char *const *values; /* allowed values, NULL-terminated; NULL: any */
	const struct param_spec *members; /* STRUCT, STRUCT_LIST; ends with a NULL name */
	bool no_case;			  /* values are compared without case */
};

struct call;
typedef int (*action_handler)(struct call *call);

enum action_flags {
	ACTION_READ = 0,
	ACTION_CHANGES = 1 << 0,   /* takes ClientToken and DryRun */
	ACTION_NO_REGION = 1 << 1, /* RegionId is not demanded */
	ACTION_ADMIN = 1 << 2,	   /* administrators only */
};

struct action {
	const char *name;
	action_handler handler;
	unsigned flags;
	const struct param_spec *params; /* without RegionId, ClientToken, DryRun; ends with a NULL name */
	/* A member of the answer that is not kept with the call's ClientToken, and what puts it into an
	 * answer that was kept (or fails the call). NULL: there is none. */
	const char *secret;
	action_handler reveal;
};

/* Codes, or patterns of codes, that are not the same in all products. */
struct product_words {
	const char *malformed;	  /* a parameter's value */
	const char *missing_part; /* a part of a parameter, "Zone.1.ZoneId" */
	const char *unknown_region;
	const char *token_mismatch; /* a ClientToken again, with other parameters */
	const char *no_tag_key, *tag_key, *tag_value, *tag_key_twice, *too_many_tags;
};
extern const struct product_words usual_words; /* of every product but PrivateLink */

struct product_info {
	enum product product;
	const char *name;	      /* "PrivateLink" */
	const char *version;	      /* "2020-04-15"; PRIVLINK (our own administration): "2026-11-01" */
	const struct action *actions; /* sorted by name, ends with a NULL name; of the product's folder */
	const struct product_words *words;
};
/* In api/products.c, above all of them. */
extern const struct product_info products[PRODUCT_COUNT_];

/* Different counters that one call can draw from. */
#define CALL_COUNTERS_MAX 8

/* What a handler works with. */
struct call {
	const struct action *action;
	enum product product;
	const struct catalogue *catalogue;
	const struct snapshot *rows;
	const struct account *account;
	const char *region; /* RegionId, known to the catalogue; "" with ACTION_NO_REGION if absent */
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
	struct control_node (*node_state)(const void *context,
					  const char *node); /* what is known of a node */
	const void *node_context;
};

/* What control knows of the node; nothing where there is no control. */
struct control_node call_node(const struct call *call, const char *node);

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

/* Parameters. */
const char *call_string(const struct call *call, const char *name); /* NULL: absent */
bool call_bool(const struct call *call, const char *name, bool otherwise);
int64_t call_int(const struct call *call, const char *name, int64_t otherwise);
json_t *call_list(const struct call *call, const char *name); /* borrowed array; NULL: absent */
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
/* The next number of the counter `name` ("vpc", "port", …), in the call's transaction; several calls in one
 * transaction give several numbers. The first is 1, of "vpc" 2 (VNI 0 is the nodes' own, 1 is reserved). */
uint32_t call_next_number(struct call *call, const char *name);
/* A new id that no row has: "ep-" and 20 characters. */
void call_new_id(struct call *call, const char *prefix, char ret[ID_SIZE]);

/* Token paging (MaxResults, NextToken) and number paging (PageNumber, PageSize) over matches in the order of
 * their ids: page_begin, then for each match page_match() says whether it belongs to the page, then page_end
 * writes NextToken, MaxResults, TotalCount (or PageNumber, PageSize, TotalCount). A table need not list these
 * four parameters. Set total_as_text or no_total after page_begin. */
struct page {
	int64_t skip, limit, seen, taken;
	bool numbered, total_as_text, no_total;
	char last[KEY_SIZE], after[KEY_SIZE];
	bool more;
	int64_t page_number;
};
int page_begin_token(struct call *call, struct page *page, int64_t default_max, int64_t max);
int page_begin_number(struct call *call, struct page *page, int64_t default_size, int64_t max);
bool page_match(struct page *page, const char *id);
void page_end(struct call *call, struct page *page);
