/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Carrying out an action: everything around its handler. One call is one attempt or several: read, decide,
 * commit; when a row that was read has changed meanwhile, again from the start.
 */
#pragma once

#include "../../audit/audit.h"
#include "action.h"

/* How often a call is tried before the caller is told to come back later. */
#define RUN_ATTEMPTS_MAX 10

/* What calls work on. Outlives them. */
struct run_environment {
	struct store *store;
	const struct catalogue *catalogue;
	/* What control knows about nodes; NULL: there are none. */
	uint64_t (*live_revision)(const void *control);
	uint64_t (*reached)(const void *control, enum kind kind, const void *row);
	struct control_node (*node_state)(const void *control, const char *node);
	const char *(*failure)(const void *control, const char *key);
	const void *control;
	struct audit *audit;	       /* where calls are recorded; NULL: nowhere */
	const struct metrics *metrics; /* what nodes have told of traffic; NULL: nothing */
};

struct run_request {
	enum product product;
	const struct action *action;
	action_handler handler;
	int64_t uid;	  /* the caller's account, … */
	const char *user; /* … its user who calls; NULL or "": the account itself */
	const char *key;  /* that must still be good when the call is carried out; NULL: none must */
	const struct params *query, *form;
	const char *request_id;
	unsigned int
		*weight; /* as how many calls more it counts, when run_action() returns; NULL: nobody asks */
};

/* Once per call, sooner or later: `error` NULL and the answer (borrowed) without RequestId, or what went
 * wrong. */
typedef void (*run_done)(void *context, const struct api_error *error, json_t *answer);

/* Copies what it needs of the request. `done` may be called before this returns. */
void run_action(const struct run_environment *environment, const struct run_request *request, run_done done,
		void *context);

/* What carries out an action of the product's table. */
action_handler handler_of(enum product product, const struct action *action);
