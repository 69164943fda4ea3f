/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Actions made for the purpose, for tests of the framework around handlers, and calls of them. Include it in
 * the test's only source file.
 */
#pragma once

#include "api_harness.h"

#include "api/frame/answer.h"

#define HERE "RegionId=cn-hangzhou"

/* Everything a handler does to the world goes through here, so that a test can look on. */
static struct {
	int runs;
	const char *disturb; /* a counter that changes under the handler, as another server's call would do */
	struct store *store;
} world;

static void ignore(_unused_ void *context, _unused_ int result, _unused_ uint64_t revision)
{
}

static void change_counter(struct store *store, const char *name)
{
	const struct counter *present = snapshot_find(store_rows(store), KIND_COUNTER, name);
	struct counter row = {};
	struct store_txn *txn;

	if (present)
		row = *present;
	(void)str_copy(row.name, sizeof(row.name), name);
	row.value++;
	(void)store_txn_new(&txn);
	(void)store_txn_row_put(txn, KIND_COUNTER, &row);
	store_commit(store, txn, ignore, NULL);
}

static int draw(struct call *call)
{
	world.runs++;
	answer_int(call->answer, "First", call_next_number(call, KIND_PORT));
	answer_int(call->answer, "Second", call_next_number(call, KIND_PORT));
	answer_int(call->answer, "Other", call_next_number(call, KIND_VPC));
	if (world.disturb)
		change_counter(world.store, world.disturb);
	if (world.runs == 3)
		world.disturb = NULL;
	return 0;
}

static int refuse(struct call *call)
{
	world.runs++;
	(void)call_next_number(call, KIND_PORT);
	return call_fail(call, "VpcNotFound");
}

static int say_region(struct call *call)
{
	answer_string(call->answer, "Region", call->region);
	return 0;
}

/* An action that is made for the purpose, with what carries it out. */
struct made {
	struct action action;
	action_handler handler;
};

static const struct made drawing = {{"Draw", ACTION_CHANGES}, draw};
static const struct made refusing = {{"Refuse", ACTION_CHANGES}, refuse};
static const struct made reading = {{"Read", ACTION_READ}, say_region};

static void start_made(struct harness *h, int64_t uid, enum product product, const struct made *made,
		       const char *form, struct harness_result *result)
{
	harness_start_action(h, uid, product, &made->action, made->handler, form, result);
}

/* One call; its result stays in the harness. Returns the code, "" for success. */
static const char *call_as(struct harness *h, int64_t uid, enum product product, const struct made *made,
			   const char *form)
{
	struct harness_result result;

	world.runs = 0;
	world.store = h->store;
	start_made(h, uid, product, made, form, &result);
	(void)harness_finish(h, &result);
	return h->error.code;
}

static const char *call_here(struct harness *h, const struct made *action, const char *form)
{
	return call_as(h, ALICE, PRODUCT_VPC, action, form);
}
