/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who calls, and what: the signature of a request, checked against the access keys in the store.
 */
#pragma once

#include "../../model/snapshot.h"
#include "../../sign/sign.h"
#include "error.h"
#include "nonces.h"

#define AUTH_CLOCK_SKEW_S NONCE_LIFE_S

/* Of a string to sign, as much is told to who signed another one. */
#define AUTH_ECHO_MAX 4096

struct auth_call {
	int64_t uid;
	char user[ID_SIZE];	      /* the account's user who calls; "": the account itself */
	char key[ID_SIZE];	      /* that it is signed with */
	const char *action, *version; /* borrowed from the request */
	bool is_ahead;		      /* its stamp is later than now */
};

/* 0: the call is its account's; its nonce is spent. -EBADMSG: `error` says why not, and `ret_detail`, if not
 * NULL then, is more text for its message (the caller's). Other negative errno: trouble of ours. `now` in
 * unix seconds. */
int auth_check(struct nonces *nonces, const struct snapshot *rows, const struct sign_request *request,
	       int64_t now, struct auth_call *ret, struct api_error *error, char **ret_detail);
