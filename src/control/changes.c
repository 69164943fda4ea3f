/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Transactions one after another, each filled up to the store's limit.
 */
#include "changes.h"

#include "../lib/vec.h"

void changes_done(struct changes *changes)
{
	for (size_t i = 0; i < changes->n_txns; i++)
		store_txn_free(changes->txns[i]);
	free(changes->txns);
	*changes = (struct changes){};
}

static int begin(struct changes *changes)
{
	int r = VEC_ROOM(changes->txns, changes->n_txns, changes->size);

	if (r < 0)
		return r;
	return store_txn_new(&changes->txns[changes->n_txns]);
}

void changes_room(struct changes *changes, size_t n)
{
	int r;

	if (changes->error < 0)
		return;
	if (changes->n_txns && store_txn_n_ops(changes->txns[changes->n_txns - 1]) + n <= STORE_TXN_OPS_MAX)
		return;
	r = begin(changes);
	if (r < 0)
		changes->error = r;
	else
		changes->n_txns++;
}

typedef int (*row_operation)(struct store_txn *txn, enum kind kind, const void *row);

static void add(struct changes *changes, row_operation operation, enum kind kind, const void *row)
{
	int r;

	changes_room(changes, 1);
	if (changes->error < 0)
		return;
	r = operation(changes->txns[changes->n_txns - 1], kind, row);
	if (r < 0)
		changes->error = r;
}

void changes_put(struct changes *changes, enum kind kind, const void *row)
{
	add(changes, store_txn_row_put, kind, row);
}

void changes_delete(struct changes *changes, enum kind kind, const void *row)
{
	add(changes, store_txn_row_delete, kind, row);
}
