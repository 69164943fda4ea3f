/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ClientToken: who repeats a changing call with the same token and parameters gets the first answer again,
 * and no second object. Only a call that succeeded binds its token, in the transaction that carries it out.
 * (Control removes rows whose time is over.)
 */
#pragma once

#include "action.h"

/* An account's tokens; the oldest makes room for a new one. So does, among those with long answers, the
 * oldest of these: together they are 16 MiB at most. */
#define CLIENT_TOKENS_PER_ACCOUNT_MAX	   2000
#define CLIENT_TOKEN_LONG_ANSWER	   4096 /* bytes, or more */
#define CLIENT_TOKENS_LONG_PER_ACCOUNT_MAX 64
#define CLIENT_TOKEN_LIFE_S		   (24 * 60 * 60)

/* Digest of a call's parameters, whatever their order and spelling on the wire, and of the account's user who
 * calls ("": the account itself): what one was answered, a secret perhaps, no other hears. */
int token_digest(const json_t *params, const char *user, char ret[65]);

/* 1: bound by an earlier call with this digest, or with the one that the same call had in an earlier version;
 * `ret_answer` is its answer (the caller's). 0: not bound. -EBADMSG: bound by a call with other parameters;
 * call->error says so. -ENOMEM. */
int token_find(struct call *call, const char *token, const char *digest, const char *former_digest,
	       json_t **ret_answer);

/* Binds the token to call->answer, without its secret, in the call's transaction. -E2BIG: the answer is too
 * long to be kept. */
int token_bind(struct call *call, const char *token, const char *digest);
