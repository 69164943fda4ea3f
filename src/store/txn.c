/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Putting a transaction together. The limits hold here, for all backends alike; whatever goes wrong is
 * remembered and makes the commit fail, so that a half-made transaction is never carried out.
 */
#include "txn.h"

static int fail(struct store_txn *txn, int r)
{
	if (txn->error == 0)
		txn->error = r;
	return r;
}

static void change_done(struct txn_change *change)
{
	free(change->key);
	free(change->text);
	json_decref(change->value);
	*change = (struct txn_change){};
}

int store_txn_new(struct store_txn **ret)
{
	struct store_txn *txn = calloc(1, sizeof(*txn));

	if (!txn)
		return -ENOMEM;
	*ret = txn;
	return 0;
}

struct store_txn *store_txn_free(struct store_txn *txn)
{
	if (!txn)
		return NULL;
	for (size_t i = 0; i < txn->n_compares; i++)
		free(txn->compares[i].key);
	for (size_t i = 0; i < txn->n_changes; i++)
		change_done(&txn->changes[i]);
	free(txn);
	return NULL;
}

size_t store_txn_n_ops(const struct store_txn *txn)
{
	return txn->n_changes;
}

void store_txn_at(struct store_txn *txn, uint64_t revision)
{
	txn->is_at = true;
	txn->revision = revision;
}

void store_txn_repeats(struct store_txn *txn)
{
	txn->repeats = true;
}

int store_txn_compare(struct store_txn *txn, const char *key, uint64_t modified)
{
	struct txn_compare *compare;

	for (size_t i = 0; i < txn->n_compares; i++) {
		if (!streq(txn->compares[i].key, key))
			continue;
		/* Read twice, and it changed in between: what was decided on is not one state. */
		return txn->compares[i].modified == modified ? 0 : fail(txn, -EAGAIN);
	}
	if (txn->n_compares == STORE_TXN_OPS_MAX)
		return fail(txn, -E2BIG);
	compare = &txn->compares[txn->n_compares];
	compare->key = strdup(key);
	if (!compare->key)
		return fail(txn, -ENOMEM);
	compare->modified = modified;
	txn->n_compares++;
	return 0;
}

/* Whether the store can keep this: a row of the kind that the key says, under its own key. */
static int check_row(const char *key, const json_t *value)
{
	_cleanup_(freep) void *row = NULL;
	struct row_lists lists;
	char own_key[KEY_SIZE];
	enum kind kind;
	int r;

	r = kind_of_key(key, &kind);
	if (r < 0)
		return r;
	row = malloc(kind_info(kind)->size);
	if (!row)
		return -ENOMEM;
	r = row_from_json(kind, value, row, &lists, NULL);
	if (r == 0)
		r = row_key(kind, row, own_key);
	if (r < 0)
		return r;
	return streq(own_key, key) ? 0 : -EINVAL;
}

static size_t change_bytes(const struct txn_change *change)
{
	return strlen(change->key) + (change->text ? strlen(change->text) : 0);
}

/* Adds a change, or replaces the one that the transaction has for this key. Takes over all that `fresh`
 * holds, also when it fails. */
static int add_change(struct store_txn *txn, struct txn_change fresh)
{
	struct txn_change *slot = NULL;
	size_t bytes = txn->bytes + change_bytes(&fresh);

	for (size_t i = 0; i < txn->n_changes && !slot; i++)
		if (streq(txn->changes[i].key, fresh.key))
			slot = &txn->changes[i];
	if (slot)
		bytes -= change_bytes(slot);
	if (bytes > STORE_TXN_BYTES_MAX || (!slot && txn->n_changes == STORE_TXN_OPS_MAX)) {
		change_done(&fresh);
		return fail(txn, -E2BIG);
	}
	if (slot)
		change_done(slot);
	else
		slot = &txn->changes[txn->n_changes++];
	*slot = fresh;
	txn->bytes = bytes;
	return 0;
}

int store_txn_put(struct store_txn *txn, const char *key, json_t *value)
{
	struct txn_change change = {};
	int r;

	if (strlen(key) >= STORE_KEY_MAX)
		return fail(txn, -E2BIG);
	r = check_row(key, value);
	if (r < 0)
		return fail(txn, r);
	change.key = strdup(key);
	change.text = json_dumps(value, JSON_COMPACT);
	if (!change.key || !change.text) {
		change_done(&change);
		return fail(txn, -ENOMEM);
	}
	if (strlen(change.text) > STORE_VALUE_MAX) {
		change_done(&change);
		return fail(txn, -E2BIG);
	}
	change.value = json_incref(value);
	return add_change(txn, change);
}

int store_txn_delete(struct store_txn *txn, const char *key)
{
	struct txn_change change = {.key = strdup(key)};

	if (!change.key)
		return fail(txn, -ENOMEM);
	return add_change(txn, change);
}

/* The key of a row, compared with the revision that the row was read at. */
static int compare_row(struct store_txn *txn, enum kind kind, const void *row, char ret_key[KEY_SIZE])
{
	const struct row_meta *meta = row; /* the first member of every row */
	int r;

	r = row_key(kind, row, ret_key);
	if (r < 0)
		return fail(txn, r);
	return store_txn_compare(txn, ret_key, meta->modified);
}

int store_txn_row_put(struct store_txn *txn, enum kind kind, const void *row)
{
	json_t *value;
	char key[KEY_SIZE];
	int r;

	r = compare_row(txn, kind, row, key);
	if (r < 0)
		return r;
	value = row_to_json(kind, row);
	if (!value)
		return fail(txn, -ENOMEM);
	r = store_txn_put(txn, key, value);
	json_decref(value);
	return r;
}

int store_txn_row_delete(struct store_txn *txn, enum kind kind, const void *row)
{
	char key[KEY_SIZE];
	int r;

	r = compare_row(txn, kind, row, key);
	return r < 0 ? r : store_txn_delete(txn, key);
}

int store_txn_row_check(struct store_txn *txn, enum kind kind, const void *row)
{
	char key[KEY_SIZE];

	return compare_row(txn, kind, row, key);
}
