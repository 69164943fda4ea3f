/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of a transaction, for backends: lists of comparisons and of changes, each key at most once in
 * either.
 */
#pragma once

#include "store.h"

struct txn_compare {
	char *key;
	uint64_t modified; /* 0: must not exist */
};

struct txn_change {
	char *key;
	json_t *value; /* NULL: delete */
	char *text;    /* the value as written; NULL: delete */
};

struct store_txn {
	bool is_at; /* decided as of one revision */
	bool repeats;
	uint64_t revision;
	struct txn_compare compares[STORE_TXN_OPS_MAX];
	size_t n_compares;
	struct txn_change changes[STORE_TXN_OPS_MAX];
	size_t n_changes;
	size_t bytes;
	int error; /* the first thing that went wrong while it was put together */
};
