/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a pass decides: transactions, each within the store's limit of operations. Rows that belong together
 * go into one, by batch_room(). A row may be put or deleted once in a batch, because all transactions are
 * made from the same rows.
 */
#pragma once

#include "../store/store.h"

struct batch {
	struct store_txn **txns;
	size_t n_txns, size;
	bool more; /* something is left: commit and go on */
	int error; /* the first one; what was put together until then is to be dropped */
};

/* Frees the transactions that were not committed. */
void batch_done(struct batch *batch);

/* The next `n` operations go into one transaction, a new one if the present one has no room. */
void batch_room(struct batch *batch, size_t n);

/* Each takes one operation; makes room for itself. Errors are kept in the batch. */
void batch_put(struct batch *batch, enum kind kind, const void *row);
void batch_delete(struct batch *batch, enum kind kind, const void *row);
