/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RAM: the handlers, and what they share.
 *
 * There are no policies: in the products a user has all the rights of its account. In RAM it has those over
 * itself, so that it can rotate its keys, and no others: else whoever has a user's key could make more keys
 * than its owner takes back. Administration is for accounts, never for their users.
 */
#pragma once

#include "../../schema/ram.h"
#include "../frame/action.h"

RAM_ACTIONS(ACTION_PROTOTYPE)

/* The secret of a key that CreateAccessKey has made, again, for its repetitions. */
int ram_key_reveal(struct call *call);

/* Fails the call if a user makes it. */
int check_is_account(struct call *call);
/* Whom UserName names: without it the caller itself; NULL is the account. A user may name nobody else. */
int find_subject(struct call *call, const struct ram_user **ret);
