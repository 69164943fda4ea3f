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

#include "../../lib/vec.h"
#include "../../sign/digest.h"
#include "nonce_journal.h"

#define SLOTS_MIN 16

#define ACCOUNTS_PER_STEP 256

struct nonce_set {
	int64_t period;
	int64_t newest;	 /* of its stamps */
	uint64_t *slots; /* 0: a free one */
	size_t n, size;	 /* size is a power of two */
};

struct account_nonces {
	int64_t uid;
	size_t n; /* in all sets */
	struct nonce_set *sets;
	size_t n_sets, size_sets;
};

struct nonces {
	struct account_nonces *accounts; /* sorted */
	size_t n, size;
	size_t next; /* account to be looked at by nonces_expire() */
	int64_t floor;
	struct nonce_journal *journal; /* NULL: none */
};

int nonces_new(struct nonces **ret)
{
	*ret = calloc(1, sizeof(**ret));
	if (!*ret)
		return -ENOMEM;
	(*ret)->floor = INT64_MIN;
	return 0;
}

static void account_free(struct account_nonces *account)
{
	for (size_t i = 0; i < account->n_sets; i++)
		free(account->sets[i].slots);
	free(account->sets);
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

/* ---- one set ---- */

static size_t slot_of(const uint64_t *slots, size_t size, uint64_t value)
{
	size_t slot = value & (size - 1);

	while (slots[slot] && slots[slot] != value)
		slot = (slot + 1) & (size - 1);
	return slot;
}

static int set_grow(struct nonce_set *set)
{
	size_t size = set->size > 0 ? 2 * set->size : SLOTS_MIN;
	uint64_t *slots = calloc(size, sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	for (size_t i = 0; i < set->size; i++)
		if (set->slots[i])
			slots[slot_of(slots, size, set->slots[i])] = set->slots[i];
	free(set->slots);
	set->slots = slots;
	set->size = size;
	return 0;
}

/* At most half full, so that searching stays short. */
static int set_add(struct nonce_set *set, uint64_t value, int64_t stamp)
{
	int r = set->size < 2 * (set->n + 1) ? set_grow(set) : 0;

	if (r < 0)
		return r;
	set->slots[slot_of(set->slots, set->size, value)] = value;
	set->newest = set->n > 0 ? MAX(set->newest, stamp) : stamp;
	set->n++;
	return 0;
}

/* ---- one account ---- */

static bool account_has(const struct account_nonces *account, uint64_t value)
{
	for (size_t i = 0; i < account->n_sets; i++) {
		const struct nonce_set *set = &account->sets[i];

		if (set->size > 0 && set->slots[slot_of(set->slots, set->size, value)])
			return true;
	}
	return false;
}

/* The sets that have nothing stamped at `since` or later; that raises the floor. */
static void account_forget(struct nonces *nonces, struct account_nonces *account, int64_t since)
{
	size_t kept = 0;

	for (size_t i = 0; i < account->n_sets; i++) {
		struct nonce_set *set = &account->sets[i];

		if (set->n > 0 && set->newest >= since) {
			account->sets[kept++] = *set;
			continue;
		}
		if (set->n > 0)
			nonces->floor = MAX(nonces->floor, set->newest);
		account->n -= set->n;
		free(set->slots);
	}
	account->n_sets = kept;
}

/* Where the clock has gone on to another period, there may be something to forget. */
static int find_set(struct nonces *nonces, struct account_nonces *account, int64_t stamp, int64_t now,
		    struct nonce_set **ret)
{
	int64_t period = stamp / NONCE_PERIOD_S;
	int r;

	for (size_t i = 0; i < account->n_sets; i++)
		if (account->sets[i].period == period) {
			*ret = &account->sets[i];
			return 0;
		}
	account_forget(nonces, account, now - NONCE_KEEP_S);
	r = VEC_ROOM(account->sets, account->n_sets, account->size_sets);
	if (r < 0)
		return r;
	*ret = &account->sets[account->n_sets++];
	**ret = (struct nonce_set){.period = period};
	return 0;
}

static int account_add(struct nonces *nonces, struct account_nonces *account, uint64_t value, int64_t stamp,
		       int64_t now)
{
	struct nonce_set *set;
	int r;

	r = find_set(nonces, account, stamp, now, &set);
	if (r == 0)
		r = set_add(set, value, stamp);
	if (r == 0)
		account->n++;
	return r;
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
	nonces->accounts[place] = (struct account_nonces){.uid = uid};
	nonces->n++;
	*ret = &nonces->accounts[place];
	return 0;
}

bool nonces_expire(struct nonces *nonces, int64_t now)
{
	size_t first = MIN(nonces->next, nonces->n), end = MIN(first + ACCOUNTS_PER_STEP, nonces->n);
	size_t kept = first;

	for (size_t i = first; i < end; i++) {
		struct account_nonces *account = &nonces->accounts[i];

		account_forget(nonces, account, now - NONCE_KEEP_S);
		if (account->n == 0)
			account_free(account);
		else
			nonces->accounts[kept++] = *account;
	}
	if (kept < end)
		memmove(nonces->accounts + kept, nonces->accounts + end,
			(nonces->n - end) * sizeof(*nonces->accounts));
	nonces->n -= end - kept;
	nonces->next = kept < nonces->n ? kept : 0;
	if (nonces->journal && nonces->next == 0)
		nonce_journal_mend(nonces->journal);
	return nonces->next > 0;
}

/* ---- the journal ---- */

static int take_record(void *context, const struct nonce_record *record, int64_t now)
{
	struct nonces *nonces = context;
	struct account_nonces *account;
	int r;

	if (record->value == 0)
		return 0;
	r = find_account(nonces, record->uid, &account);
	if (r < 0 || account_has(account, record->value))
		return r;
	return account_add(nonces, account, record->value, record->stamp, now);
}

static size_t count(const struct nonces *nonces)
{
	size_t n = 0;

	for (size_t i = 0; i < nonces->n; i++)
		n += nonces->accounts[i].n;
	return n;
}

static size_t put_records(const struct account_nonces *account, struct nonce_record *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < account->n_sets; i++) {
		const struct nonce_set *set = &account->sets[i];

		for (size_t j = 0; j < set->size; j++)
			if (set->slots[j])
				ret[n++] = (struct nonce_record){
					.uid = account->uid, .value = set->slots[j], .stamp = set->newest};
	}
	return n;
}

/* The journal anew, with what is remembered. */
static int rewrite(struct nonces *nonces)
{
	_cleanup_(freep) struct nonce_record *records = calloc(count(nonces) + 1, sizeof(*records));
	size_t n = 0;

	if (!records)
		return -ENOMEM;
	for (size_t i = 0; i < nonces->n; i++)
		n += put_records(&nonces->accounts[i], records + n);
	return nonce_journal_rewrite(nonces->journal, nonces->floor, records, n);
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
	(void)rewrite(nonces); /* on a full disk it serves all the same */
	return lost;
}

/* ---- spending ---- */

bool nonces_remember_since(const struct nonces *nonces, int64_t stamp)
{
	return stamp > nonces->floor;
}

void nonces_sync(struct nonces *nonces)
{
	if (nonces->journal)
		nonce_journal_sync(nonces->journal);
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

int nonces_spend(struct nonces *nonces, int64_t uid, const char *key_id, const char *nonce, int64_t stamp,
		 int64_t now)
{
	struct nonce_record record = {.uid = uid, .stamp = stamp};
	struct account_nonces *account;
	int r;

	r = digest_part(key_id, nonce, &record.value);
	if (r == 0)
		r = find_account(nonces, uid, &account);
	if (r < 0)
		return r;
	if (account_has(account, record.value))
		return -EEXIST;
	if (account->n >= NONCES_PER_ACCOUNT_MAX)
		account_forget(nonces, account, now - NONCE_LIFE_S);
	if (account->n >= NONCES_PER_ACCOUNT_MAX)
		return -EDQUOT;
	r = account_add(nonces, account, record.value, stamp, now);
	if (r == 0 && nonces->journal)
		nonce_journal_append(nonces->journal, nonces->floor, &record);
	return r;
}
