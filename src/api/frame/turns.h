/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose call is next: the calls of an account wait in a queue of its own, and accounts take turns. A turn of
 * the loop carries out calls for TURNS_BUDGET_US, and at least one.
 *
 * An account that has but one call in flight comes before those that have more: it waits for nobody's calls
 * but those of its like, and not for the disk either, if what others have changed before is there. Of the
 * others, too, at least one call is carried out in each turn.
 */
#pragma once

#include "../../lib/loop.h"

#define TURNS_BUDGET_US	    2000
#define TURNS_IN_FLIGHT_MAX 100 /* calls of one account that wait or are carried out; more are refused */

struct turns;
struct turns_account;

/* Part of whatever stands for a call. */
struct turn {
	struct turns_account *account; /* NULL: not in flight */
	struct turn *next;
};

/* Called when it is the call's turn. */
typedef void (*turns_run)(void *context, struct turn *turn);

/* `run` is called with the context. -ENOMEM. */
int turns_new(struct loop *loop, turns_run run, void *context, struct turns **ret);
/* Calls that wait are run before it returns; those that are not answered then may still end. */
struct turns *turns_free(struct turns *turns);

/* From now until turns_end() the call is in flight. -EBUSY: the account has as many as it may. -ENOMEM. */
int turns_begin(struct turns *turns, int64_t uid, struct turn *turn);
/* It was run and is answered. Nothing happens to one that is not in flight. */
void turns_end(struct turn *turn);
