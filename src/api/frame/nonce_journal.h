/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The nonces on file, for the next start. Records are appended as they come; what is appended outlives the
 * program, however that ends, but not a machine that loses its power: the file says in which boot it was
 * written, and whoever reads it in another one is told that it may lack its end.
 *
 * There are two files: when one is long and all that the other tells of is forgotten, the other is emptied
 * and goes on. So nothing is copied while the program serves, but where nothing is forgotten for long, since
 * the clock was ahead once: then what is remembered is copied into the one that goes on, a part at a time. Or
 * where something could not be written: then it is copied into the other, and the files have everything
 * again.
 *
 * They are opened by their paths once, as root, and written in place from then on: the directory is root's.
 */
#pragma once

#include "../../lib/util.h"

struct nonce_journal;

struct nonce_record {
	int64_t uid;	/* 0: tells of nothing */
	uint64_t value; /* 0: what the account has stamped at `stamp` or before it is forgotten */
	int64_t stamp;
};

/* A file of the format before has keys, not accounts: all that it tells of is of this one. */
#define NONCE_UID_OLD INT64_MIN
/* What it knows a nonce by, from parts of the digests of key and nonce; not 0. */
uint64_t nonce_old_value(uint64_t key, uint64_t nonce);

/* Opens or makes the files (mode 0600): the path's, and one that has ".2" behind that. */
int nonce_journal_open(const char *path, struct nonce_journal **ret);
struct nonce_journal *nonce_journal_free(struct nonce_journal *journal);

/* What the files hold, record by record (`take` may fail), and their floor; the least number if they have
 * none. Without the first file it is none, so that one who removes that is rid of it. 1: that is all there
 * was; 0: something may be missing. Negative errno. */
typedef int (*nonce_journal_take)(void *context, const struct nonce_record *record, int64_t now);
int nonce_journal_read(struct nonce_journal *journal, nonce_journal_take take, void *context, int64_t now,
		       int64_t *ret_floor);

/* All that is remembered, in place of what the files had. Logs what fails, as the functions below do, once
 * until it is mended; the files then say that something is missing, if that can be written, but still have
 * all that they had. */
int nonce_journal_rewrite(struct nonce_journal *journal, int64_t floor, const struct nonce_record *records,
			  size_t n);
/* What is stamped at the floor or before it is forgotten. Negative errno: it is not on file; if it is stamped
 * by `now`, the floor on file is its stamp at least, if that can be written, until it is mended. */
int nonce_journal_append(struct nonce_journal *journal, int64_t floor, const struct nonce_record *record,
			 int64_t now);

/* Whether the next start would believe that the files have everything. So it is, too, when neither what was
 * to be appended could be written nor that it is missing. */
bool nonce_journal_says_all(const struct nonce_journal *journal);

/* Whether something is missing, or the file that goes on is so long, and the other so long needed, that all
 * that is remembered (that many) is to be copied; what is copied from then on is. */
bool nonce_journal_copy_begin(struct nonce_journal *journal, int64_t floor, size_t n_remembered);
/* Some of it. The disk begins with it; nobody waits. */
void nonce_journal_copy(struct nonce_journal *journal, const struct nonce_record *records, size_t n);
/* That was all: nothing is missing now, or what the other file has is not needed any more, unless something
 * failed on the way. `floor` is that of now. Waits for the disk. */
void nonce_journal_copy_end(struct nonce_journal *journal, int64_t floor);

/* What was appended outlives a loss of power, too. Negative errno: it may not. */
int nonce_journal_sync(struct nonce_journal *journal);
