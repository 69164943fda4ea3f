/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our own administration, product PRIVLINK: the handlers, and how accounts and keys are made, which the first
 * start does, too.
 */
#pragma once

#include "../../schema/privlink.h"
#include "../frame/action.h"

PRIVLINK_ACTIONS(ACTION_PROTOTYPE)

/* The path from an instance to an endpoint of the caller's by TCP, as GetEndpointPath answers it; the
 * caller's. NULL when out of memory. */
json_t *endpoint_path_of(struct call *call, const struct instance *instance, const struct endpoint *endpoint,
			 uint32_t port);

/* Rows with a number, an id, a secret from the kernel's random source. Negative errno if it gives none. */
int account_new(const char *name, bool admin, int64_t now, struct account *ret);
int access_key_new(int64_t uid, int64_t now, struct access_key *ret);

/* Switch a key on or off as the parameter Status says, or delete it; the call fails if nobody could
 * administer any more without it. */
int access_key_switch(struct call *call, const struct access_key *present);
int access_key_remove(struct call *call, const struct access_key *key);

/* The secret of a key that CreateAccessKey has made, again, for its repetitions. */
int access_key_reveal(struct call *call);
