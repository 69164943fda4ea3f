/* SPDX-License-Identifier: Apache-2.0 */
#include "socket.h"

#include "../../lib/log.h"
#include "../common/quota.h"
#include "../common/quota_defaults.h"
#include "actions.h"

static void answer(const struct store *store, struct server_request *request, unsigned int status,
		   json_t *body)
{
	(void)json_object_set_new(body, "store", json_string(store_identity(store)));
	server_answer(request, status, NULL, body);
}

static void answer_error(const struct store *store, struct server_request *request, unsigned int status,
			 const char *why)
{
	answer(store, request, status, json_pack("{s:s}", "error", why));
}

/* ---- a new key ---- */

struct key_request {
	struct store *store;
	struct server_request *request;
	struct access_key key;
	size_t n_revoked;
};

static void key_stored(void *context, int result, _unused_ uint64_t revision)
{
	struct key_request *k = context;

	if (result == 0) {
		log_info("made a new access key=%s for administrator account=%lld revoked=%zu", k->key.id,
			 (long long)k->key.uid, k->n_revoked);
		answer(k->store, k->request, 200,
		       json_pack("{s:I, s:s, s:s, s:I}", "account", (json_int_t)k->key.uid, "key_id",
				 k->key.id, "secret", k->key.secret, "revoked", (json_int_t)k->n_revoked));
	} else {
		log_error("cannot store a new access key: %s", strerror(-result));
		answer_error(k->store, k->request, 503, "the key could not be stored; try again");
	}
	explicit_bzero(k, sizeof(*k));
	free(k);
}

/* The one that was named, or the administrator of longest standing. */
static const struct account *find_administrator(const struct snapshot *rows, int64_t uid)
{
	const struct account *found = NULL;

	for (const struct account *a = NULL; (a = snapshot_next(rows, KIND_ACCOUNT, "", a));)
		if (a->is_admin && (uid ? a->uid == uid : !found || a->create_time < found->create_time))
			found = a;
	return found;
}

static int put_together(struct key_request *k, const struct account *account, bool revoke,
			struct store_txn **ret)
{
	const struct snapshot *rows = store_rows(k->store);
	struct store_txn *txn;
	int r;

	r = access_key_new(account->uid, now_unix_s(), &k->key);
	if (r == 0)
		r = store_txn_new(&txn);
	if (r < 0)
		return r;
	(void)store_txn_row_check(txn, KIND_ACCOUNT, account);
	(void)store_txn_row_put(txn, KIND_ACCESS_KEY, &k->key);
	for (const struct access_key *other = NULL;
	     revoke && (other = snapshot_owned(rows, KIND_ACCESS_KEY, account->uid, "", other));) {
		if (other->user[0]) /* who administers nothing */
			continue;
		(void)store_txn_row_delete(txn, KIND_ACCESS_KEY, other);
		k->n_revoked++;
	}
	*ret = txn;
	return 0;
}

static void new_key(struct store *store, struct server_request *request, const json_t *body)
{
	const json_t *account_json = json_object_get(body, "account");
	bool revoke = json_is_true(json_object_get(body, "revoke_others"));
	const struct account *account =
		find_administrator(store_rows(store), json_integer_value(account_json));
	struct key_request *k;
	struct store_txn *txn;

	if (!account) {
		answer_error(store, request, 404,
			     account_json ? "no administrator has this account number"
					  : "there is no administrator account in this store");
		return;
	}
	if (!revoke && quota_usage(store_rows(store), account->uid, QUOTA_ACCESS_KEYS, "") >=
			       (size_t)quota_value(store_rows(store), account->uid, QUOTA_ACCESS_KEYS)) {
		answer_error(
			store, request, 409,
			"the account has as many access keys as it may; revoke them with --revoke-others");
		return;
	}
	k = calloc(1, sizeof(*k));
	if (k)
		*k = (struct key_request){.store = store, .request = request};
	if (!k || put_together(k, account, revoke, &txn) < 0) {
		free(k);
		answer_error(store, request, 503, "out of memory");
		return;
	}
	store_commit(store, txn, key_stored, k);
}

/* ---- the store ---- */

static void show_store(struct store *store, struct server_request *request, _unused_ const json_t *body)
{
	answer(store, request, 200,
	       json_pack("{s:I}", "revision", (json_int_t)store_durable_revision(store)));
}

static void back_up(struct store *store, struct server_request *request, _unused_ const json_t *body)
{
	uint64_t revision = store_durable_revision(store);
	const char *path;
	int r;

	r = store_back_up(store, &path);
	if (r < 0) {
		answer_error(store, request, 503,
			     r == -ENOSPC ? "the store's disk has no room for a copy"
					  : "the store could not be copied; its log says why");
		return;
	}
	log_info("copied the store to file=%s revision=%llu", path, (unsigned long long)revision);
	answer(store, request, 200, json_pack("{s:s, s:I}", "file", path, "revision", (json_int_t)revision));
}

void admin_handle(struct store *store, struct server_request *request)
{
	static const struct {
		const char *name;
		void (*run)(struct store *store, struct server_request *request, const json_t *body);
	} requests[] = {{"key", new_key}, {"store", show_store}, {"backup", back_up}};
	const char *name = str_starts(request->path, ADMIN_PATH) ? request->path + strlen(ADMIN_PATH) : "";
	json_t *body = json_loadb(request->body ? request->body : "", request->body_size,
				  JSON_REJECT_DUPLICATES, NULL);
	bool known = false;

	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		if (!streq(request->method, "POST") || !streq(requests[i].name, name))
			continue;
		known = true;
		if (json_is_object(body))
			requests[i].run(store, request, body);
		else
			answer_error(store, request, 400, "the body must be an object in JSON");
		break;
	}
	if (!known)
		answer_error(store, request, 404, "no such request");
	json_decref(body);
}
