/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the API says: its products, their actions, and of each the parameters it takes and the members of its
 * answer. Told once, here: handlers are called with parameters that these tables have checked and fill
 * answers by them (api/frame), the command line has its options and columns from them, and doc/api.md is
 * printed from them. There are no handlers here; a product's header names them, and api/<product> has them.
 */
#pragma once

#include "../lib/util.h"
#include "../model/row.h"

enum product {
	PRODUCT_PRIVATELINK,
	PRODUCT_VPC,
	PRODUCT_ECS,
	PRODUCT_NLB,
	PRODUCT_RAM,
	PRODUCT_RESOURCEMANAGER,
	PRODUCT_SLB,
	PRODUCT_STS,
	PRODUCT_PRIVLINK,
	PRODUCT_COUNT_,
};

/* Parameters */

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
	bool empty_clears;		  /* an empty one of `values` is given, not absent */
	/* On the command line: "--vpc", or "VPC" for an argument by position; NULL: it is none. A STRUCT
	 * without one has its members' options. `help` says what it is; without an option it is a note in
	 * doc/api.md. */
	const char *option, *help;
	bool asked;	    /* demanded on the command line, though not by the API */
	unsigned int parts; /* STRUCT_LIST: how many members, the first ones, an option has, "A,B,C" */
};
#define OPTION(name, text) .option = (name), .help = (text)
#define ASKED(name, text)  OPTION(name, text), .asked = true

/* Answers */

enum answer_kind {
	ANSWER_NONE,   /* the end of a table */
	ANSWER_MEMBER, /* a row's member, as the row's own table of fields says: texts, numbers, words of
			* states, addresses, lists of texts */
	ANSWER_GIVEN,  /* the same; left out when it is zero or empty */
	ANSWER_TIME,   /* a row's seconds as 2026-01-02T03:04:05Z; ANSWER_TIME_GIVEN: left out when they are 0
			*/
	ANSWER_TIME_GIVEN,
	ANSWER_DECIMAL, /* a row's number as a text */
	ANSWER_CHOICE,	/* a row's bool as one of two words */
	ANSWER_GROUP,	/* the id of a row's resource group; the default one's where the row names none, or
			 * can name none (offset 0) */
	ANSWER_TEXT,	/* always the same text, … */
	ANSWER_NUMBER,	/* … number … */
	ANSWER_FLAG,	/* … or bool */
	ANSWER_TEXTS,	/* a list of up to two texts that are always the same */
	ANSWER_OBJECT,	/* an object with members of the same row */
	ANSWER_ONE,	/* a list of one object with members of the same row */
	ANSWER_TAGS,	/* the tags of the object */
	ANSWER_SAME,	/* no member itself, but all of another table */
	/* What the handler puts there: */
	A_TEXT,
	A_NUMBER,
	A_FLAG,
	ANSWER_AN_OBJECT,
	ANSWER_LIST,	/* of objects, or of texts if it has no members */
	ANSWER_NUMBERS, /* a list of numbers */
	ANSWER_MAP,	/* an object of texts, whose names the handler knows */
	ANSWER_POINTS,	/* a list of numbers, also fractions, and of null where none is known */
};

struct answer_field {
	const char *name; /* on the wire */
	enum answer_kind kind;
	enum kind row; /* whose member it is, … */
	size_t offset; /* … and where that begins */
	const char *text[2];
	int64_t number;
	const char *inner; /* of a list that is wrapped twice, "Vpcs": {"Vpc": [...]}; NULL: it is not */
	const struct answer_field *members; /* of an object, of a list's entries; ends with a NULL name */
	bool secret;			    /* not kept with the call's ClientToken */
	/* On the command line: its title, and which column of a list, which line of what is shown of one
	 * object it is; 0: none. Of several in one place the first that says anything. */
	const char *title;
	uint8_t in_list, in_show;
	bool is_wide;	/* left out of a list where there is no room for all columns */
	bool is_remark; /* a sentence, that goes below the list then */
};
#define IN_LIST(heading, column)       .title = (heading), .in_list = (column)
#define IN_SHOW(heading, line)	       .title = (heading), .in_show = (line)
#define IN_WIDE(heading, column)       IN_LIST(heading, column), .is_wide = true
#define IN_REMARK(heading, column)     IN_LIST(heading, column), .is_remark = true
#define IN_BOTH(heading, column, line) IN_LIST(heading, column), .in_show = (line)

/* The row's member; the compiler knows both. */
/* clang-format off */
#define ANSWER_ROW(type) _Generic((struct type *)0, \
	struct account *: KIND_ACCOUNT, \
	struct access_key *: KIND_ACCESS_KEY, \
	struct quota_row *: KIND_QUOTA, \
	struct ram_user *: KIND_RAM_USER, \
	struct resource_group *: KIND_RESOURCE_GROUP, \
	struct node *: KIND_NODE, \
	struct vpc *: KIND_VPC, \
	struct vswitch *: KIND_VSWITCH, \
	struct security_group *: KIND_SECURITY_GROUP, \
	struct sg_rule *: KIND_SG_RULE, \
	struct instance *: KIND_INSTANCE, \
	struct port *: KIND_PORT, \
	struct load_balancer *: KIND_LOAD_BALANCER, \
	struct listener *: KIND_LISTENER, \
	struct server_group *: KIND_SERVER_GROUP, \
	struct server *: KIND_SERVER, \
	struct service *: KIND_SERVICE, \
	struct service_resource *: KIND_SERVICE_RESOURCE, \
	struct service_user *: KIND_SERVICE_USER, \
	struct endpoint *: KIND_ENDPOINT, \
	struct endpoint_zone *: KIND_ENDPOINT_ZONE, \
	struct connection *: KIND_CONNECTION, \
	struct connectivity_test *: KIND_CONNECTIVITY_TEST, \
	struct tag *: KIND_TAG)
/* clang-format on */
#define ANSWER_AT(type, member) .row = ANSWER_ROW(type), .offset = offsetof(struct type, member)

#define OF(type, member)	 ANSWER_MEMBER, ANSWER_AT(type, member)
#define GIVEN_OF(type, member)	 ANSWER_GIVEN, ANSWER_AT(type, member)
#define TIME_OF(type, member)	 ANSWER_TIME, ANSWER_AT(type, member)
#define DECIMAL_OF(type, member) ANSWER_DECIMAL, ANSWER_AT(type, member)
#define CHOICE_OF(type, member, if_false, if_true)                                                           \
	ANSWER_CHOICE, ANSWER_AT(type, member), .text = {if_false, if_true}
#define GROUP_OF(type)	       ANSWER_GROUP, ANSWER_AT(type, resource_group)
#define DEFAULT_GROUP_OF(type) ANSWER_GROUP, .row = ANSWER_ROW(type)
#define TEXT(value)	       ANSWER_TEXT, .text = {value}
#define NUMBER(value)	       ANSWER_NUMBER, .number = (value)
#define FLAG(value)	       ANSWER_FLAG, .number = (value)
#define EMPTY(wrap)	       ANSWER_TEXTS, .inner = (wrap)
#define TEXTS(wrap, ...)       ANSWER_TEXTS, .inner = (wrap), .text = {__VA_ARGS__}
#define OBJECT(table)	       ANSWER_OBJECT, .members = (table)
#define SAME(table)                                                                                          \
	{                                                                                                    \
		NULL, ANSWER_SAME, .members = (table)                                                        \
	}
#define ONE(wrap, table)  ANSWER_ONE, .inner = (wrap), .members = (table)
#define TAGS(wrap, table) ANSWER_TAGS, .inner = (wrap), .members = (table)
#define AN_OBJECT(table)  ANSWER_AN_OBJECT, .members = (table)
#define NUMBERS(wrap)	  ANSWER_NUMBERS, .inner = (wrap)
#define POINTS		  ANSWER_POINTS
#define LIST(wrap, table) ANSWER_LIST, .inner = (wrap), .members = (table)

/* Pages of a list: by token (MaxResults, NextToken), by number (PageNumber, PageSize), or as the call wishes.
 */
enum page_total { TOTAL_NUMBER, TOTAL_TEXT, TOTAL_NONE }; /* TotalCount in the answer */

struct paging {
	int64_t results_default, results_max; /* MaxResults; 0: not by token */
	int64_t size_default, size_max;	      /* PageSize; 0: not by number */
	enum page_total total;
	bool has_fixed_size;  /* results_max; MaxResults is neither taken nor told */
	bool has_untold_size; /* MaxResults is taken and not told */
};

/* Actions */

enum action_flags {
	ACTION_READ = 0,
	ACTION_CHANGES = 1 << 0,				  /* takes ClientToken and DryRun */
	ACTION_NO_REGION = 1 << 1,				  /* RegionId is not demanded */
	ACTION_ADMIN = 1 << 2,					  /* administrators only */
	ACTION_ANY_REGION = 1 << 3,				  /* nor is RegionId looked at */
	ACTION_REGIONLESS = ACTION_NO_REGION | ACTION_ANY_REGION, /* its objects are of no region */
};

struct action {
	const char *name;
	unsigned flags;
	const struct param_spec *params;   /* without RegionId, ClientToken, DryRun; ends with a NULL name */
	const struct answer_field *answer; /* without RequestId and what pages add; ends with a NULL name */
	const struct paging *paging;	   /* NULL: the answer comes whole */
};

/* A row of a product's list of actions, X(name, handler, flags, params, answer, paging), in its table. */
#define SCHEMA_ACTION(name, handler, ...) {#name, __VA_ARGS__},

/* Codes, or patterns of codes, that are not the same in all products. */
struct product_words {
	const char *malformed;	  /* a parameter's value */
	const char *missing_part; /* a part of a parameter, "Zone.1.ZoneId" */
	const char *unknown_region;
	const char *token_mismatch; /* a ClientToken again, with other parameters */
	const char *no_tag_key, *tag_key, *tag_value, *tag_key_twice, *too_many_tags;
};
extern const struct product_words usual_words; /* of every product but PrivateLink */
extern const struct product_words privatelink_words;

struct product_info {
	enum product product;
	const char *name;	      /* "PrivateLink" */
	const char *version;	      /* "2020-04-15"; PRIVLINK (our own administration): "2026-11-01" */
	const struct action *actions; /* sorted by name, ends with a NULL name */
	const struct product_words *words;
};
extern const struct product_info products[PRODUCT_COUNT_];

extern const struct action privatelink_actions[], vpc_actions[], ecs_actions[], nlb_actions[], ram_actions[],
	resourcemanager_actions[], slb_actions[], sts_actions[], privlink_actions[];

/* The product of a name (without case), of a version; NULL: there is none. The action of a product; NULL
 * likewise. */
const struct product_info *product_by_name(const char *name);
const struct product_info *product_by_version(const char *version);
const struct action *action_find(enum product product, const char *name);
/* The member of that name, in tables that the table includes, too; NULL: there is none. */
const struct answer_field *answer_find(const struct answer_field *fields, const char *name);
/* The member that is shown once only, of the answer or of an object in it; NULL: there is none. */
const struct answer_field *answer_secret(const struct answer_field *fields);
/* The list of an answer that is one; else the end of the table. */
const struct answer_field *answer_only_list(const struct answer_field *fields);
