/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a pass decides: transactions, each within the store's limit of operations. Rows that belong together
 * go into one, by changes_room(). A row may be put or deleted once, because all transactions are
 * made from the same rows.
 */
#pragma once

#include "../store/store.h"

struct changes {
	struct store_txn **txns;
	size_t n_txns, size;
	bool more; /* something is left: commit and go on */
	int error; /* the first one; what was put together until then is to be dropped */
};

/* Frees the transactions that were not committed. */
void changes_done(struct changes *changes);

/* The next `n` operations go into one transaction, a new one if the present one has no room. */
void changes_room(struct changes *changes, size_t n);

/* Each takes one operation; makes room for itself. Errors are kept. */
void changes_put(struct changes *changes, enum kind kind, const void *row);
void changes_delete(struct changes *changes, enum kind kind, const void *row);
