/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The administrator's key, for root to read: <state-dir>/admin.env, made once, at the first start, and never
 * overwritten by the daemon.
 */
#pragma once

#include "lib/loop.h"
#include "store/store.h"

/* Whether the file with the administrator's key is there, readable or not. */
bool daemon_admin_exists(const char *state_dir);
/* Whether the account of admin.env is in the store; true if there is no admin.env, or no account in it. */
bool daemon_admin_fits(const char *state_dir, const struct store *store);
/* Gives it another name, admin.env.old. Negative errno, logged. */
int daemon_admin_set_aside(const char *state_dir);

/* Makes the administrator in a store without accounts, and ends what a start that was cut off has begun. Says
 * in the log what is wrong with admin.env. */
int daemon_admin_make(struct loop *loop, const char *state_dir, struct store *store);
