/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call in order: may the account do this; are the parameters what the table says; is the region one; was
 * the token seen before; then the handler; then the commit. An error waits for the store like a success does,
 * because it, too, tells what was read, and that may not be on disk yet.
 */
#include "run.h"

#include <stdio.h>

#include "../../lib/log.h"
#include "../../model/check.h"
#include "../../schema/limits.h"
#include "answer.h"
#include "token.h"
#include "typed.h"

/* Typed for every action, so that tables need not repeat them. */
static const struct param_spec common_params[] = {
	{"RegionId", PARAM_STRING}, {"NextToken", PARAM_STRING}, {"MaxResults", PARAM_INT},
	{"PageNumber", PARAM_INT},  {"PageSize", PARAM_INT},	 {},
};

static const struct param_spec changes_params[] = {
	{"ClientToken", PARAM_STRING},
	{"DryRun", PARAM_BOOL},
	{},
};

struct run {
	const struct run_environment *environment;
	int64_t uid;
	char user[ID_SIZE], key[ID_SIZE];
	run_done done;
	void *context;
	unsigned attempts;
	bool dry_run;
	char token[65], digest[65]; /* token "": none */
	char former_digest[65];	    /* of the question as it was before RegionId was left out of it */
	json_t *needless_region;    /* NULL: none was sent, or it counts */
	unsigned int *weight;	    /* until the first attempt, which is made at once */
	struct call call;
};

static void run_free(struct run *run)
{
	json_decref(run->needless_region);
	json_decref(run->call.params);
	json_decref(run->call.answer);
	store_txn_free(run->call.txn);
	free(run);
}

static void finish(struct run *run)
{
	const struct api_error *error = run->call.error.code[0] ? &run->call.error : NULL;

	run->done(run->context, error, run->call.answer);
	run_free(run);
}

static bool may_pass(int r)
{
	return r == -ENOMEM || r == -EAGAIN || r == -ENOSPC || r == -EDQUOT || r == -EIO || r == -EROFS ||
	       r == -ESTALE;
}

/* What went wrong inside, for the caller: no numbers, no details. */
static void fail_inside(struct run *run, int r, bool passes)
{
	log_error("call failed: action=%s request=%s error=%s", run->call.action->name, run->call.request_id,
		  strerror(-r));
	(void)call_fail(&run->call, passes ? "ServiceUnavailable" : "InternalError");
}

static void attempt(struct run *run);

static void committed(void *context, int result, _unused_ uint64_t revision)
{
	struct run *run = context;

	if (result == -EAGAIN && ++run->attempts < RUN_ATTEMPTS_MAX) {
		attempt(run);
		return;
	}
	if (result < 0) /* a store whose files cannot be opened or written just now says so in other words */
		fail_inside(run, result, may_pass(result) || result == -EACCES || result == -ENOENT);
	finish(run);
}

/* What the call says, and what it changes, is decided on one revision. */
static int new_txn(struct call *call)
{
	int r;

	store_txn_free(TAKE_PTR(call->txn));
	r = store_txn_new(&call->txn);
	if (r == 0)
		store_txn_at(call->txn, snapshot_revision(call->rows));
	return r;
}

/* Waits until all that was read is durable, and changes nothing. `repeats`: the answer is that of an earlier
 * call, and says that it was carried out. */
static void commit_nothing(struct run *run, bool repeats)
{
	if (new_txn(&run->call) < 0) {
		fail_inside(run, -ENOMEM, true);
		finish(run);
		return;
	}
	if (repeats)
		store_txn_repeats(run->call.txn);
	store_commit(run->environment->store, TAKE_PTR(run->call.txn), committed, run);
}

/* The caller, as far as it is still there: who disables a key, or deletes it, ends the calls that wait, too.
 */
static int find_caller(struct run *run)
{
	struct call *call = &run->call;
	const struct access_key *key =
		run->key[0] ? snapshot_find(call->rows, KIND_ACCESS_KEY, run->key) : NULL;

	call->account = snapshot_account(call->rows, run->uid);
	call->user = run->user[0] ? snapshot_find(call->rows, KIND_RAM_USER, run->user) : NULL;
	if (!call->account || (run->user[0] && !call->user) || (run->key[0] && !key))
		return call_fail(call, "InvalidAccessKeyId.NotFound");
	return key && !key->active ? call_fail(call, "InvalidAccessKeyId.Inactive") : 0;
}

static int begin(struct run *run)
{
	const struct run_environment *environment = run->environment;
	struct call *call = &run->call;
	int r;

	json_decref(call->answer);
	call->answer = json_object();
	call->error = (struct api_error){};
	call->failed = 0;
	call->n_counters = 0;
	call->n_rows = 0;
	call->rows = store_rows(environment->store);
	call->now = now_unix_s();
	call->live_revision =
		environment->live_revision ? environment->live_revision(environment->control) : UINT64_MAX;
	if (!call->answer)
		return -ENOMEM;
	r = find_caller(run);
	return r < 0 ? r : new_txn(call);
}

/* The handler, and what its helpers have remembered. */
static int handle(struct run *run)
{
	struct call *call = &run->call;
	int r;

	r = call->handler(call);
	if (r < 0)
		return r;
	if (call->failed < 0)
		return call->failed;
	if (!answer_complete(call->answer))
		return -ENOMEM;
	if (run->dry_run)
		return call_fail(call, "DryRunOperation");
	if (run->token[0])
		r = token_bind(call, run->token, run->digest);
	return r < 0 ? r : call->failed;
}

static void attempt(struct run *run)
{
	unsigned int *weight = TAKE_PTR(run->weight);
	struct call *call = &run->call;
	json_t *first_answer = NULL;
	int r;

	r = begin(run);
	if (r == 0 && run->token[0] && !run->dry_run)
		r = token_find(call, run->token, run->digest, run->former_digest, &first_answer);
	if (r > 0) {
		json_decref(call->answer);
		call->answer = first_answer;
		r = answer_secret(call->action->answer) ? product_codes[call->product].reveal(call) : 0;
		if (r < 0 && r != -EBADMSG)
			fail_inside(run, r, may_pass(r));
		commit_nothing(run, true);
		return;
	}
	if (r == 0)
		r = handle(run);
	if (weight)
		*weight = (unsigned int)(call->n_rows / ROWS_PER_CALL);
	if (r == -EAGAIN) { /* two reads of one row differ */
		committed(run, r, 0);
		return;
	}
	if (r < 0 && r != -EBADMSG)
		fail_inside(run, r, may_pass(r));
	if (r < 0) {
		commit_nothing(run, false);
		return;
	}
	store_commit(run->environment->store, TAKE_PTR(call->txn), committed, run);
}

/* What the token binds. A region that the action has no use for is not asked about; but tokens outlive an
 * upgrade, and those of before were bound with it. */
static int digest_question(struct run *run)
{
	json_t *params = run->call.params;
	int r = token_digest(params, run->user, run->digest);

	if (r < 0)
		return r;
	memcpy(run->former_digest, run->digest, sizeof(run->former_digest));
	if (!run->needless_region)
		return 0;
	if (json_object_set(params, "RegionId", run->needless_region) < 0)
		return -ENOMEM;
	r = token_digest(params, run->user, run->former_digest);
	(void)json_object_del(params, "RegionId");
	return r;
}

static int read_changes_params(struct run *run, struct typed *typed)
{
	_cleanup_(json_decrefp) json_t *params = json_object();
	struct call *call = &run->call;
	const char *token;
	int r;

	if (!params)
		return -ENOMEM;
	r = typed_read(typed, changes_params, params, &call->error);
	if (r < 0)
		return r;
	run->dry_run = json_is_true(json_object_get(params, "DryRun"));
	token = json_string_value(json_object_get(params, "ClientToken"));
	if (!token)
		return 0;
	if (!check_client_token(token) || str_copy(run->token, sizeof(run->token), token) < 0)
		return call_fail_param(call, "ClientToken", "It must be of 1 to 64 ASCII characters.");
	return digest_question(run);
}

/* Clients send their profile's region with every call, also with one that has no use for it: there it may be
 * any. Else nobody whose profile names another region could ask which ones there are. */
static int read_region(struct run *run)
{
	struct call *call = &run->call;
	const char *region = call_string(call, "RegionId");
	const struct catalogue_region *known;

	call->region = "";
	if (call->action->flags & ACTION_ANY_REGION) {
		run->needless_region = json_incref(json_object_get(call->params, "RegionId"));
		(void)json_object_del(call->params, "RegionId"); /* nor is it of a token's question */
		return 0;
	}
	if (!region)
		return call->action->flags & ACTION_NO_REGION
			       ? 0
			       : call_fail_named(call, "Missing{Name}", "RegionId");
	known = catalogue_region(run->environment->catalogue, region);
	if (!known)
		return call_fail(call, call_words(call)->unknown_region);
	call->region = known->id;
	return 0;
}

static int read_params(struct run *run, const struct run_request *request)
{
	struct call *call = &run->call;
	struct typed *typed;
	int r;

	r = typed_new(request->query, request->form, request->product, &typed);
	if (r < 0)
		return r;
	r = typed_read(typed, common_params, call->params, &call->error);
	if (r == 0)
		r = read_region(run);
	if (r == 0 && call->action->params)
		r = typed_read(typed, call->action->params, call->params, &call->error);
	if (r == 0 && call->action->flags & ACTION_CHANGES)
		r = read_changes_params(run, typed);
	typed_free(typed);
	return r;
}

/* May the caller do this at all? Users of an administrator's account are no administrators. */
static int check_permission(struct run *run)
{
	const struct account *account = snapshot_account(store_rows(run->environment->store), run->uid);

	if (run->call.action->flags & ACTION_ADMIN && account && (!account->is_admin || run->user[0]))
		return call_fail_detail(&run->call, "Forbidden", "Only an administrator may.");
	return 0;
}

action_handler handler_of(enum product product, const struct action *action)
{
	return product_codes[product].handlers[action - products[product].actions];
}

void run_action(const struct run_environment *environment, const struct run_request *request, run_done done,
		void *context)
{
	struct run *run = calloc(1, sizeof(*run));
	struct api_error error = {};
	int r;

	if (!run) {
		(void)error_set(&error, "ServiceUnavailable", NULL);
		done(context, &error, NULL);
		return;
	}
	run->environment = environment;
	run->uid = request->uid;
	(void)str_copy(run->user, sizeof(run->user), request->user ? request->user : "");
	(void)str_copy(run->key, sizeof(run->key), request->key ? request->key : "");
	run->weight = request->weight;
	run->done = done;
	run->context = context;
	run->call = (struct call){.action = request->action,
				  .handler = request->handler,
				  .product = request->product,
				  .catalogue = environment->catalogue,
				  .region = "",
				  .params = json_object(),
				  .reached = environment->reached,
				  .node_state = environment->node_state,
				  .failure = environment->failure,
				  .node_context = environment->control,
				  .audit = environment->audit,
				  .metrics = environment->metrics};
	(void)str_copy(run->call.request_id, sizeof(run->call.request_id), request->request_id);

	r = run->call.params ? check_permission(run) : -ENOMEM;
	if (r == 0)
		r = read_params(run, request);
	if (r < 0) {
		if (r != -EBADMSG)
			fail_inside(run, r, may_pass(r));
		finish(run);
		return;
	}
	attempt(run);
}
