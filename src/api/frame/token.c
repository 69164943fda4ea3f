/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A token is a row; its key holds account, action and token, so that two calls with one token that run side
 * by side collide on it, and the later one finds the first one's answer.
 */
#include "token.h"

#include <stdio.h>

#include "../../lib/codec.h"
#include "../../sign/digest.h"

int token_digest(const json_t *params, const char *user, char ret[65])
{
	_cleanup_(freep) char *text = json_dumps(params, JSON_COMPACT | JSON_SORT_KEYS), *all = NULL;

	/* Of the account itself as ever, since tokens outlive an upgrade. */
	if (!text || asprintf(&all, "%s%s", text, user) < 0) {
		all = NULL;
		return -ENOMEM;
	}
	return sha256_text(all, strlen(all), ret);
}

/* The row's identity, without digest and answer. */
static int token_row(const struct call *call, const char *token, struct client_token *ret)
{
	*ret = (struct client_token){.uid = call->account->uid, .create_time = call->now};
	if (str_format(ret->action, sizeof(ret->action), "%s:%s", products[call->product].name,
		       call->action->name) < 0)
		return -E2BIG;
	return str_copy(ret->token, sizeof(ret->token), token) < 0 ? -E2BIG : 0;
}

static const struct client_token *find_row(const struct call *call, const struct client_token *identity)
{
	char key[KEY_SIZE];

	if (row_key(KIND_CLIENT_TOKEN, identity, key) < 0)
		return NULL;
	return snapshot_find(call->rows, KIND_CLIENT_TOKEN,
			     key + strlen(kind_info(KIND_CLIENT_TOKEN)->name) + 1);
}

static bool expired(const struct client_token *row, int64_t now)
{
	return row->create_time + CLIENT_TOKEN_LIFE_S <= now;
}

int token_find(struct call *call, const char *token, const char *digest, const char *former_digest,
	       json_t **ret_answer)
{
	const struct client_token *row;
	struct client_token identity;

	if (token_row(call, token, &identity) < 0)
		return -ENOMEM;
	row = find_row(call, &identity);
	if (!row || expired(row, call->now))
		return 0;
	if (!streq(row->digest, digest) && !streq(row->digest, former_digest))
		return call_fail(call, call_words(call)->token_mismatch);
	*ret_answer = json_loads(row->answer, 0, NULL);
	return *ret_answer ? 1 : -ENOMEM;
}

static bool is_long(const struct client_token *row)
{
	return strlen(row->answer) >= CLIENT_TOKEN_LONG_ANSWER;
}

/* By revision: a clock that was set back makes the newest look oldest. */
static const struct client_token *older(const struct client_token *oldest, const struct client_token *row)
{
	return !oldest || row->meta.modified < oldest->meta.modified ? row : oldest;
}

static const struct client_token *oldest_of(const struct snapshot *rows, const char *prefix)
{
	const struct client_token *oldest = NULL;

	for (const struct client_token *row = NULL;
	     (row = snapshot_next(rows, KIND_CLIENT_TOKEN, prefix, row));)
		oldest = older(oldest, row);
	return oldest;
}

/* Of those with long answers, if there are as many as there may be; else NULL. */
static const struct client_token *oldest_long_of(const struct snapshot *rows, const char *prefix)
{
	const struct client_token *oldest = NULL;
	size_t n = 0;

	for (const struct client_token *row = NULL;
	     (row = snapshot_next(rows, KIND_CLIENT_TOKEN, prefix, row));) {
		if (!is_long(row))
			continue;
		oldest = older(oldest, row);
		n++;
	}
	return n >= CLIENT_TOKENS_LONG_PER_ACCOUNT_MAX ? oldest : NULL;
}

/* The token of the account that goes for `row`, which takes the place of `present` if there is one: no more
 * than one, as the transaction has room for one. NULL: none need go. */
static const struct client_token *in_the_way(const struct call *call, const struct client_token *row,
					     const struct client_token *present)
{
	const struct client_token *oldest = NULL;
	char prefix[32];

	(void)str_format(prefix, sizeof(prefix), "%lld/", (long long)call->account->uid);
	if (is_long(row) && !(present && is_long(present)))
		oldest = oldest_long_of(call->rows, prefix);
	if (!oldest && !present &&
	    snapshot_count(call->rows, KIND_CLIENT_TOKEN, prefix) >= CLIENT_TOKENS_PER_ACCOUNT_MAX)
		oldest = oldest_of(call->rows, prefix);
	return oldest;
}

static void drop_secret(json_t *object, const struct answer_field *fields)
{
	for (const struct answer_field *f = fields; f && f->kind != ANSWER_NONE; f++) {
		if (f->secret)
			(void)json_object_del(object, f->name);
		else if (f->kind == ANSWER_AN_OBJECT)
			drop_secret(json_object_get(object, f->name), f->members);
	}
}

/* The answer as it may be kept; the caller's. */
static char *answer_text(const struct call *call)
{
	json_t *kept = json_deep_copy(call->answer);
	char *text;

	drop_secret(kept, call->action->answer);
	text = kept ? json_dumps(kept, JSON_COMPACT) : NULL;
	json_decref(kept);
	return text;
}

int token_bind(struct call *call, const char *token, const char *digest)
{
	_cleanup_(freep) char *answer = answer_text(call);
	const struct client_token *present, *gone;
	struct client_token row;
	int r;

	if (!answer)
		return -ENOMEM;
	r = token_row(call, token, &row);
	if (r == 0)
		r = str_copy(row.digest, sizeof(row.digest), digest);
	if (r >= 0 && strlen(answer) >= ANSWER_SIZE)
		r = -E2BIG;
	if (r < 0)
		return r;
	row.answer = answer;
	present = find_row(call, &row);
	if (present)
		row.meta = present->meta; /* its time is over */
	gone = in_the_way(call, &row, present);
	if (gone)
		call_delete(call, KIND_CLIENT_TOKEN, gone);
	call_put(call, KIND_CLIENT_TOKEN, &row);
	return 0;
}
