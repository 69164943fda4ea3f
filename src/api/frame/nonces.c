/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One hash set per key. Kept is a 64-bit part of the nonce's digest: two nonces that share it are one in 10^8
 * even with a full set, and cost their key one refused call. Keys are known by a part of a digest, too.
 */
#include "nonces.h"

#include "../../lib/vec.h"
#include "../../sign/digest.h"
#include "nonce_journal.h"

struct nonce {
	uint64_t value; /* 0: a free slot */
	int64_t stamp;
};

struct key_nonces {
	uint64_t key;
	struct nonce *slots;
	size_t n, size; /* size is a power of two */
};

struct nonces {
	struct key_nonces *keys; /* sorted */
	size_t n, size;
	int64_t floor;
	struct nonce_journal *journal; /* NULL: none */
	bool unsynced;
};

int nonces_new(struct nonces **ret)
{
	*ret = calloc(1, sizeof(**ret));
	if (!*ret)
		return -ENOMEM;
	(*ret)->floor = INT64_MIN;
	return 0;
}

struct nonces *nonces_free(struct nonces *nonces)
{
	if (!nonces)
		return NULL;
	for (size_t i = 0; i < nonces->n; i++)
		free(nonces->keys[i].slots);
	free(nonces->keys);
	nonce_journal_free(nonces->journal);
	free(nonces);
	return NULL;
}

/* ---- one key's set ---- */

static size_t slot_of(const struct nonce *slots, size_t size, uint64_t value)
{
	size_t slot = value & (size - 1);

	while (slots[slot].value && slots[slot].value != value)
		slot = (slot + 1) & (size - 1);
	return slot;
}

static bool set_has(const struct key_nonces *key, uint64_t value)
{
	return key->size > 0 && key->slots[slot_of(key->slots, key->size, value)].value == value;
}

/* Into a table of `size` slots, without what is stamped before `since`; that raises the floor. */
static int set_rebuild(struct nonces *nonces, struct key_nonces *key, size_t size, int64_t since)
{
	struct nonce *slots = calloc(size, sizeof(*slots));
	size_t n = 0;

	if (!slots)
		return -ENOMEM;
	for (size_t i = 0; i < key->size; i++) {
		if (!key->slots[i].value)
			continue;
		if (key->slots[i].stamp < since) {
			nonces->floor = MAX(nonces->floor, key->slots[i].stamp);
			continue;
		}
		slots[slot_of(slots, size, key->slots[i].value)] = key->slots[i];
		n++;
	}
	free(key->slots);
	*key = (struct key_nonces){.key = key->key, .slots = slots, .n = n, .size = size};
	return 0;
}

static size_t size_for(size_t n)
{
	size_t size = 64;

	while (size < 2 * (n + 1))
		size *= 2;
	return size;
}

/* At most half full, so that searching stays short. */
static int set_add(struct nonces *nonces, struct key_nonces *key, struct nonce nonce, int64_t now)
{
	int r = 0;

	if (key->size < 2 * (key->n + 1))
		r = set_rebuild(nonces, key, size_for(key->n), now - NONCE_KEEP_S);
	if (r < 0)
		return r;
	key->slots[slot_of(key->slots, key->size, nonce.value)] = nonce;
	key->n++;
	return 0;
}

/* ---- all keys ---- */

static size_t lower_bound(const struct nonces *nonces, uint64_t key)
{
	return LOWER_BOUND(i, nonces->n, nonces->keys[i].key < key);
}

static int find_key(struct nonces *nonces, uint64_t key, struct key_nonces **ret)
{
	size_t place = lower_bound(nonces, key);
	int r;

	if (place < nonces->n && nonces->keys[place].key == key) {
		*ret = &nonces->keys[place];
		return 0;
	}
	r = VEC_ROOM(nonces->keys, nonces->n, nonces->size);
	if (r < 0)
		return r;
	memmove(nonces->keys + place + 1, nonces->keys + place, (nonces->n - place) * sizeof(*nonces->keys));
	nonces->keys[place] = (struct key_nonces){.key = key};
	nonces->n++;
	*ret = &nonces->keys[place];
	return 0;
}

static int digest_part(const char *text, uint64_t *ret)
{
	uint8_t digest[SHA256_SIZE];
	int r;

	r = hmac_sha256("", text, digest);
	if (r < 0)
		return r;
	memcpy(ret, digest, sizeof(*ret));
	if (*ret == 0)
		*ret = 1;
	return 0;
}

/* ---- the journal ---- */

static size_t count(const struct nonces *nonces)
{
	size_t n = 0;

	for (size_t i = 0; i < nonces->n; i++)
		n += nonces->keys[i].n;
	return n;
}

/* The journal anew, with what is remembered. */
static int rewrite(struct nonces *nonces)
{
	size_t n = 0, total = count(nonces);
	_cleanup_(freep) struct nonce_record *records = calloc(total + 1, sizeof(*records));

	if (!records)
		return -ENOMEM;
	for (size_t i = 0; i < nonces->n; i++) {
		const struct key_nonces *key = &nonces->keys[i];

		for (size_t j = 0; j < key->size; j++)
			if (key->slots[j].value)
				records[n++] = (struct nonce_record){.key = key->key,
								     .value = key->slots[j].value,
								     .stamp = key->slots[j].stamp};
	}
	return nonce_journal_rewrite(nonces->journal, nonces->floor, records, n);
}

void nonces_expire(struct nonces *nonces, int64_t now)
{
	size_t kept = 0;

	for (size_t i = 0; i < nonces->n; i++) {
		struct key_nonces *key = &nonces->keys[i];

		/* Without memory it stays as it is. */
		(void)set_rebuild(nonces, key, size_for(key->n), now - NONCE_KEEP_S);
		if (key->n == 0)
			free(key->slots);
		else
			nonces->keys[kept++] = *key;
	}
	nonces->n = kept;
	if (nonces->journal && nonce_journal_failed(nonces->journal))
		(void)rewrite(nonces);
}

static int take_record(void *context, const struct nonce_record *record, int64_t now)
{
	struct nonces *nonces = context;
	struct key_nonces *key;
	int r;

	r = find_key(nonces, record->key, &key);
	if (r < 0 || record->value == 0 || set_has(key, record->value))
		return r;
	return set_add(nonces, key, (struct nonce){record->value, record->stamp}, now);
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
	nonces_expire(nonces, now);
	(void)rewrite(nonces); /* on a full disk it serves all the same */
	return lost;
}

/* ---- spending ---- */

bool nonces_remember_since(const struct nonces *nonces, int64_t stamp)
{
	return stamp > nonces->floor;
}

/* When the machine loses its power, whatever was stamped before the next start is refused then. What is
 * stamped ahead of the clock has to reach the disk. */
static void write_down(struct nonces *nonces, const struct nonce_record *record, int64_t now)
{
	if (!nonces->journal)
		return;
	if (nonce_journal_is_long(nonces->journal, count(nonces)))
		(void)rewrite(nonces);
	else
		nonce_journal_append(nonces->journal, record);
	nonces->unsynced |= record->stamp > now;
}

void nonces_sync(struct nonces *nonces)
{
	if (nonces->journal && nonces->unsynced)
		nonce_journal_sync(nonces->journal);
	nonces->unsynced = false;
}

int nonces_spend(struct nonces *nonces, const char *key_id, const char *nonce, int64_t stamp, int64_t now)
{
	struct nonce_record record = {.stamp = stamp};
	struct key_nonces *key;
	int r;

	r = digest_part(nonce, &record.value);
	if (r == 0)
		r = digest_part(key_id, &record.key);
	if (r == 0)
		r = find_key(nonces, record.key, &key);
	if (r < 0)
		return r;
	if (set_has(key, record.value))
		return -EEXIST;
	if (key->n >= NONCES_PER_KEY_MAX)
		r = set_rebuild(nonces, key, key->size, now - NONCE_LIFE_S);
	if (r == 0 && key->n >= NONCES_PER_KEY_MAX)
		r = -EDQUOT;
	if (r == 0)
		r = set_add(nonces, key, (struct nonce){record.value, stamp}, now);
	if (r == 0)
		write_down(nonces, &record, now);
	return r;
}
