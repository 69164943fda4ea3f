/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The nonces on file, for the next start. Records are appended as they come; what is appended outlives the
 * program, however that ends, but not a machine that loses its power: the file says in which boot it was
 * written, and whoever reads it in another one is told that it may lack its end.
 *
 * It is opened by its path once, as root, and written in place from then on: the directory is root's.
 */
#pragma once

#include "../../lib/util.h"

struct nonce_journal;

struct nonce_record {
	uint64_t key, value;
	int64_t stamp;
};

/* Opens or makes the file (mode 0600). */
int nonce_journal_open(const char *path, struct nonce_journal **ret);
struct nonce_journal *nonce_journal_free(struct nonce_journal *journal);

/* What the file holds, record by record (`take` may fail), and its floor; the least number if it has none. 1:
 * that is all there was; 0: something may be missing. Negative errno. */
typedef int (*nonce_journal_take)(void *context, const struct nonce_record *record, int64_t now);
int nonce_journal_read(struct nonce_journal *journal, nonce_journal_take take, void *context, int64_t now,
		       int64_t *ret_floor);

/* These two log what fails, once; the file then says that something is missing. */
int nonce_journal_rewrite(struct nonce_journal *journal, int64_t floor, const struct nonce_record *records,
			  size_t n);
void nonce_journal_append(struct nonce_journal *journal, const struct nonce_record *record);

/* What was appended outlives a loss of power, too. */
void nonce_journal_sync(struct nonce_journal *journal);

/* Whether something could not be written since it was rewritten last. */
bool nonce_journal_failed(const struct nonce_journal *journal);
/* Whether it holds so much more than the `n` records that are worth keeping that it should be rewritten. */
bool nonce_journal_is_long(const struct nonce_journal *journal, size_t n);
