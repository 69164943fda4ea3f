/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our own administration, product PRIVLINK: handlers whose table is in actions.c, and how accounts
 * and keys are made, which the first start does, too.
 */
#pragma once

#include "../frame/action.h"

extern const struct action privlink_actions[];

/* Rows with a number, an id, a secret from the kernel's random source. Negative errno if it gives none. */
int account_new(const char *name, bool admin, int64_t now, struct account *ret);
int access_key_new(int64_t uid, int64_t now, struct access_key *ret);

/* account.c */
int create_account(struct call *call);
int list_accounts(struct call *call);
int create_access_key(struct call *call);
int reveal_access_key(struct call *call);
int update_access_key(struct call *call);
int delete_access_key(struct call *call);
int list_access_keys(struct call *call);
extern const struct param_spec create_account_params[], account_params[], access_key_params[],
	update_access_key_params[], list_access_keys_params[];

/* system.c */
int bind_system_service(struct call *call);
int unbind_system_service(struct call *call);
extern const struct param_spec system_service_params[];
