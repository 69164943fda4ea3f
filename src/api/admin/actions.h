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
int account_create(struct call *call);
int account_list(struct call *call);
int access_key_create(struct call *call);
int access_key_reveal(struct call *call);
int access_key_update(struct call *call);
int access_key_delete(struct call *call);
int access_key_list(struct call *call);
extern const struct param_spec account_create_params[], account_id_params[], access_key_id_params[],
	access_key_update_params[], access_key_list_params[];

/* system.c */
int system_service_bind(struct call *call);
int system_service_unbind(struct call *call);
extern const struct param_spec system_service_params[];
