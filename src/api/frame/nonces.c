/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each account has some hash sets, one for each period of stamps. So nothing is looked for, and no set made
 * anew, to forget what is old: a set is freed as it is. The price is that a nonce is looked for in all of the
 * account's sets (not twenty, while the clock is right), since it counts once whatever its stamp is.
 *
 * Kept is a 64-bit part of a digest of nonce and key: two that share it are one in 10^8 even with full sets,
 * and cost their account one refused call.
 */
#include "nonces.h"

#include "../../lib/ident.h"
#include "../../lib/vec.h"
#include "../../sign/digest.h"
#include "nonce_journal.h"
#include "nonce_set.h"

#define ACCOUNTS_PER_STEP 256
#define COPIES_PER_STEP	  16384 /* and those of one account more */

struct period_nonces {
	int64_t period;
	int64_t newest; /* of its stamps */
	struct nonce_set set;
};

struct account_nonces {
	int64_t uid;
	int64_t floor; /* of what was forgotten early */
	size_t n;      /* in all sets */
	struct period_nonces *periods;
	size_t n_periods, size_periods;
};

struct nonces {
	struct account_nonces *accounts; /* sorted */
	size_t n, size;
	bool expiring; /* some are looked at, others not yet */
	bool copying;  /* what is looked at into the journal */
	size_t next;   /* account to be looked at by nonces_expire() */
	int64_t floor;
	uint64_t seed;		       /* of all sets */
	struct nonce_journal *journal; /* NULL: none */
	bool sync_failed;	       /* the last one */
};

int nonces_new(struct nonces **ret)
{
	struct nonces *nonces = calloc(1, sizeof(*nonces));
	int r;

	if (!nonces)
		return -ENOMEM;
	nonces->floor = INT64_MIN;
	r = random_bytes(&nonces->seed, sizeof(nonces->seed));
	if (r < 0) {
		free(nonces);
		return r;
	}
	*ret = nonces;
	return 0;
}

static void account_free(struct account_nonces *account)
{
	for (size_t i = 0; i < account->n_periods; i++)
		nonce_set_done(&account->periods[i].set);
	free(account->periods);
}

struct nonces *nonces_free(struct nonces *nonces)
{
	if (!nonces)
		return NULL;
	for (size_t i = 0; i < nonces->n; i++)
		account_free(&nonces->accounts[i]);
	free(nonces->accounts);
	nonce_journal_free(nonces->journal);
	free(nonces);
	return NULL;
}

/* ---- one account ---- */

static bool account_has(const struct nonces *nonces, const struct account_nonces *account, uint64_t value)
{
	for (size_t i = 0; i < account->n_periods; i++)
		if (nonce_set_has(&account->periods[i].set, nonces->seed, value))
			return true;
	return false;
}

/* The sets that have nothing stamped at `since` or later; that raises the floor. */
static void forget_before(struct account_nonces *account, int64_t since, int64_t *floor)
{
	size_t kept = 0;

	for (size_t i = 0; i < account->n_periods; i++) {
		struct period_nonces *period = &account->periods[i];

		if (period->set.n > 0 && period->newest >= since) {
			account->periods[kept++] = *period;
			continue;
		}
		if (period->set.n > 0)
			*floor = MAX(*floor, period->newest);
		account->n -= period->set.n;
		nonce_set_done(&period->set);
	}
	account->n_periods = kept;
}

/* What is old for all. */
static void forget_old(struct nonces *nonces, struct account_nonces *account, int64_t now)
{
	const int64_t since = now - NONCE_KEEP_S;

	forget_before(account, since, &nonces->floor);
	if (account->floor >= since)
		return;
	nonces->floor = MAX(nonces->floor, account->floor);
	account->floor = INT64_MIN;
}

/* What is not accepted now: others' calls are, should the clock be set back. */
static void forget_early(struct account_nonces *account, int64_t now)
{
	forget_before(account, now - NONCE_LIFE_S, &account->floor);
}

static bool is_forgotten(const struct account_nonces *account)
{
	return account->n == 0 && account->floor == INT64_MIN;
}

/* Where the clock has gone on to another period, there may be something to forget. */
static int find_period(struct nonces *nonces, struct account_nonces *account, int64_t stamp, int64_t now,
		       struct period_nonces **ret)
{
	int64_t period = stamp / NONCE_PERIOD_S;
	int r;

	for (size_t i = 0; i < account->n_periods; i++)
		if (account->periods[i].period == period) {
			*ret = &account->periods[i];
			return 0;
		}
	forget_old(nonces, account, now);
	r = VEC_ROOM(account->periods, account->n_periods, account->size_periods);
	if (r < 0)
		return r;
	*ret = &account->periods[account->n_periods++];
	**ret = (struct period_nonces){.period = period, .newest = INT64_MIN};
	return 0;
}

static int account_add(struct nonces *nonces, struct account_nonces *account, uint64_t value, int64_t stamp,
		       int64_t now)
{
	struct period_nonces *period;
	int r;

	r = find_period(nonces, account, stamp, now, &period);
	if (r == 0)
		r = nonce_set_add(&period->set, nonces->seed, value);
	if (r < 0)
		return r;
	period->newest = MAX(period->newest, stamp);
	account->n++;
	return 0;
}

/* ---- all accounts ---- */

static int find_account(struct nonces *nonces, int64_t uid, struct account_nonces **ret)
{
	size_t place = LOWER_BOUND(i, nonces->n, nonces->accounts[i].uid < uid);
	int r;

	if (place < nonces->n && nonces->accounts[place].uid == uid) {
		*ret = &nonces->accounts[place];
		return 0;
	}
	r = VEC_ROOM(nonces->accounts, nonces->n, nonces->size);
	if (r < 0)
		return r;
	memmove(nonces->accounts + place + 1, nonces->accounts + place,
		(nonces->n - place) * sizeof(*nonces->accounts));
	nonces->accounts[place] = (struct account_nonces){.uid = uid, .floor = INT64_MIN};
	nonces->n++;
	*ret = &nonces->accounts[place];
	return 0;
}

/* ---- the journal ---- */

static size_t put_records(const struct account_nonces *account, struct nonce_record *ret)
{
	size_t n = 0;

	if (account->floor != INT64_MIN)
		ret[n++] = (struct nonce_record){.uid = account->uid, .stamp = account->floor};
	for (size_t i = 0; i < account->n_periods; i++) {
		const struct period_nonces *period = &account->periods[i];

		for (size_t j = 0; j < period->set.size; j++)
			if (period->set.slots[j])
				ret[n++] = (struct nonce_record){.uid = account->uid,
								 .value = period->set.slots[j],
								 .stamp = period->newest};
	}
	return n;
}

/* Of the accounts from one up to another. */
static int records_of(const struct nonces *nonces, size_t first, size_t end, struct nonce_record **ret,
		      size_t *ret_n)
{
	struct nonce_record *records;
	size_t n = 0;

	for (size_t i = first; i < end; i++)
		n += nonces->accounts[i].n + 1;
	records = calloc(n + 1, sizeof(*records));
	if (!records)
		return -ENOMEM;
	n = 0;
	for (size_t i = first; i < end; i++)
		n += put_records(&nonces->accounts[i], records + n);
	*ret = records;
	*ret_n = n;
	return 0;
}

static void copy(struct nonces *nonces, size_t first, size_t end)
{
	_cleanup_(freep) struct nonce_record *records = NULL;
	size_t n;

	if (records_of(nonces, first, end, &records, &n) < 0)
		nonces->copying = false; /* another time */
	else
		nonce_journal_copy(nonces->journal, records, n);
}

/* The journal anew, with what is remembered. On a full disk it serves all the same; not without memory for
 * that: it would have no headers, and nothing that is appended would be read again. */
static int rewrite(struct nonces *nonces)
{
	_cleanup_(freep) struct nonce_record *records = NULL;
	size_t n;
	int r;

	r = records_of(nonces, 0, nonces->n, &records, &n);
	if (r == 0)
		(void)nonce_journal_rewrite(nonces->journal, nonces->floor, records, n);
	return r;
}

/* ---- forgetting ---- */

static size_t count(const struct nonces *nonces)
{
	size_t n = 0;

	for (size_t i = 0; i < nonces->n; i++)
		n += nonces->accounts[i].n;
	return n;
}

static void expire_begin(struct nonces *nonces)
{
	nonces->expiring = true;
	nonces->next = 0;
	nonces->copying =
		nonces->journal && nonce_journal_copy_begin(nonces->journal, nonces->floor, count(nonces));
}

/* An account that comes meanwhile is new, with nonces that are on file, or one that was looked at is looked
 * at again. */
static void expire_step(struct nonces *nonces, int64_t now)
{
	size_t first = MIN(nonces->next, nonces->n), last = MIN(first + ACCOUNTS_PER_STEP, nonces->n);
	size_t kept = first, n_copies = 0, end;

	for (end = first; end < last && n_copies < COPIES_PER_STEP; end++) {
		struct account_nonces *account = &nonces->accounts[end];

		forget_old(nonces, account, now);
		n_copies += nonces->copying ? account->n : 0;
		if (is_forgotten(account))
			account_free(account);
		else
			nonces->accounts[kept++] = *account;
	}
	if (kept < end)
		memmove(nonces->accounts + kept, nonces->accounts + end,
			(nonces->n - end) * sizeof(*nonces->accounts));
	nonces->n -= end - kept;
	nonces->next = kept;
	if (nonces->copying)
		copy(nonces, first, kept);
}

static void expire_end(struct nonces *nonces)
{
	nonces->expiring = false;
	if (nonces->copying)
		nonce_journal_copy_end(nonces->journal, nonces->floor);
	nonces->copying = false;
}

bool nonces_expire(struct nonces *nonces, int64_t now)
{
	if (!nonces->expiring)
		expire_begin(nonces);
	expire_step(nonces, now);
	if (nonces->next >= nonces->n)
		expire_end(nonces);
	return nonces->expiring;
}

/* ---- a start ---- */

static int take_record(void *context, const struct nonce_record *record, int64_t now)
{
	struct nonces *nonces = context;
	struct account_nonces *account;
	int r;

	if (record->uid == 0)
		return 0;
	r = find_account(nonces, record->uid, &account);
	if (r == 0 && record->value == 0)
		account->floor = MAX(account->floor, record->stamp);
	if (r < 0 || record->value == 0 || account_has(nonces, account, record->value))
		return r;
	return account_add(nonces, account, record->value, record->stamp, now);
}

int nonces_load(struct nonces *nonces, struct nonce_journal *journal, bool fresh, int64_t now)
{
	bool lost;
	int64_t floor;
	int r;

	nonces->journal = journal;
	r = nonce_journal_read(journal, take_record, nonces, now, &floor);
	if (r < 0)
		return r;
	lost = r == 0 && !fresh;
	nonces->floor = MAX(nonces->floor, MAX(floor, lost ? now : INT64_MIN));
	while (nonces_expire(nonces, now))
		;
	r = rewrite(nonces);
	return r < 0 ? r : lost;
}

/* ---- spending ---- */

bool nonces_remember_since(const struct nonces *nonces, int64_t stamp)
{
	return stamp > nonces->floor;
}

bool nonces_are_lost_of(const struct nonces *nonces, int64_t stamp, int64_t booted)
{
	return nonces->floor != INT64_MIN && stamp <= booted;
}

void nonces_sync(struct nonces *nonces)
{
	if (nonces->journal)
		nonces->sync_failed = nonce_journal_sync(nonces->journal) < 0;
}

/* What is stamped by now and not on file is covered by the next start's floor, if the files say that
 * something is missing; what is stamped ahead is not. While the disk fails, that waits for it at once: at the
 * end of the turn it is too late to refuse it. */
static int write_down(struct nonces *nonces, const struct nonce_record *record, int64_t now)
{
	int r = nonce_journal_append(nonces->journal, nonces->floor, record, now);

	if (record->stamp <= now)
		return r < 0 && nonce_journal_says_all(nonces->journal) ? -EIO : 0;
	if (r == 0 && nonces->sync_failed)
		nonces_sync(nonces);
	return r < 0 || nonces->sync_failed ? -EAGAIN : 0;
}

/* Of the key and the nonce; not 0. */
static int digest_part(const char *key_id, const char *nonce, uint64_t *ret)
{
	uint8_t digest[SHA256_SIZE];
	int r;

	r = hmac_sha256(key_id, nonce, digest);
	if (r < 0)
		return r;
	memcpy(ret, digest, sizeof(*ret));
	if (*ret == 0)
		*ret = 1;
	return 0;
}

/* Whether the program before an upgrade has spent it. */
static int is_old(const struct nonces *nonces, const char *key_id, const char *nonce)
{
	uint64_t key_part, nonce_part;
	int r;

	if (nonces->n == 0 || nonces->accounts[0].uid != NONCE_UID_OLD)
		return 0;
	r = digest_part("", key_id, &key_part);
	if (r == 0)
		r = digest_part("", nonce, &nonce_part);
	return r < 0 ? r : account_has(nonces, &nonces->accounts[0], nonce_old_value(key_part, nonce_part));
}

int nonces_spend(struct nonces *nonces, int64_t uid, const char *key_id, const char *nonce, int64_t stamp,
		 int64_t now)
{
	struct nonce_record record = {.uid = uid, .stamp = stamp};
	struct account_nonces *account;
	int r;

	r = is_old(nonces, key_id, nonce);
	if (r != 0)
		return r < 0 ? r : -EEXIST;
	r = digest_part(key_id, nonce, &record.value);
	if (r == 0)
		r = find_account(nonces, uid, &account);
	if (r < 0)
		return r;
	if (account_has(nonces, account, record.value))
		return -EEXIST;
	if (account->n >= NONCES_PER_ACCOUNT_MAX)
		forget_early(account, now);
	if (stamp <= account->floor)
		return -ESTALE;
	if (account->n >= NONCES_PER_ACCOUNT_MAX)
		return -EDQUOT;
	if (nonces->journal)
		r = write_down(nonces, &record, now);
	return r < 0 ? r : account_add(nonces, account, record.value, stamp, now);
}
