/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Transactions one after another, each filled up to the store's limit.
 */
#include "batch.h"

#include "../lib/vec.h"

void batch_done(struct batch *batch)
{
	for (size_t i = 0; i < batch->n_txns; i++)
		store_txn_free(batch->txns[i]);
	free(batch->txns);
	*batch = (struct batch){};
}

static int begin(struct batch *batch)
{
	int r = VEC_ROOM(batch->txns, batch->n_txns, batch->size);

	if (r < 0)
		return r;
	return store_txn_new(&batch->txns[batch->n_txns]);
}

void batch_room(struct batch *batch, size_t n)
{
	int r;

	if (batch->error < 0)
		return;
	if (batch->n_txns && store_txn_n_ops(batch->txns[batch->n_txns - 1]) + n <= STORE_TXN_OPS_MAX)
		return;
	r = begin(batch);
	if (r < 0)
		batch->error = r;
	else
		batch->n_txns++;
}

typedef int (*row_operation)(struct store_txn *txn, enum kind kind, const void *row);

static void add(struct batch *batch, row_operation operation, enum kind kind, const void *row)
{
	int r;

	batch_room(batch, 1);
	if (batch->error < 0)
		return;
	r = operation(batch->txns[batch->n_txns - 1], kind, row);
	if (r < 0)
		batch->error = r;
}

void batch_put(struct batch *batch, enum kind kind, const void *row)
{
	add(batch, store_txn_row_put, kind, row);
}

void batch_delete(struct batch *batch, enum kind kind, const void *row)
{
	add(batch, store_txn_row_delete, kind, row);
}
