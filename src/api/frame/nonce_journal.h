/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The nonces on file, for the next start. Records are appended as they come; what is appended outlives the
 * program, however that ends, but not a machine that loses its power: the file says in which boot it was
 * written, and whoever reads it in another one is told that it may lack its end.
 *
 * There are two files, and nothing is copied from one to the other while the program serves: when one is long
 * and all that the other tells of is forgotten, the other is emptied and goes on.
 *
 * They are opened by their paths once, as root, and written in place from then on: the directory is root's.
 */
#pragma once

#include "../../lib/util.h"

struct nonce_journal;

struct nonce_record {
	int64_t uid;
	uint64_t value; /* 0: tells of nothing */
	int64_t stamp;
};

/* Opens or makes the files (mode 0600): the path's, and one that has ".2" behind that. */
int nonce_journal_open(const char *path, struct nonce_journal **ret);
struct nonce_journal *nonce_journal_free(struct nonce_journal *journal);

/* What the files hold, record by record (`take` may fail), and their floor; the least number if they have
 * none. Without the first file it is none, so that one who removes that is rid of it. 1: that is all there
 * was; 0: something may be missing. Negative errno. */
typedef int (*nonce_journal_take)(void *context, const struct nonce_record *record, int64_t now);
int nonce_journal_read(struct nonce_journal *journal, nonce_journal_take take, void *context, int64_t now,
		       int64_t *ret_floor);

/* These log what fails, once; the files then say that something is missing. */
int nonce_journal_rewrite(struct nonce_journal *journal, int64_t floor, const struct nonce_record *records,
			  size_t n);
/* What is stamped at the floor or before it is forgotten. */
void nonce_journal_append(struct nonce_journal *journal, int64_t floor, const struct nonce_record *record);

/* What was appended outlives a loss of power, too. */
void nonce_journal_sync(struct nonce_journal *journal);

/* Goes on where something could not be written, if it can be now: the files have everything again but what
 * was stamped until then, and say so by their floor. */
void nonce_journal_mend(struct nonce_journal *journal);
