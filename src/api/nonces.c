/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two hash sets per key: the nonces of the present span of time and those of the one before. A span is one
 * life long, so whatever is in neither set is older than a life. Kept is a 64-bit part of the nonce's digest:
 * two nonces that share it are one in 10^13 even with both sets full, and cost their key one refused call.
 */
#include "nonces.h"

#include "digest.h"

struct nonce_set {
	uint64_t *slots; /* 0: free */
	size_t n, size;	 /* size is a power of two */
};

struct key_nonces {
	char id[128];
	struct nonce_set present, past;
	int64_t begun; /* of the present span */
};

struct nonces {
	struct key_nonces **keys; /* sorted by id */
	size_t n, size;
};

int nonces_new(struct nonces **ret)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

static void key_free(struct key_nonces *key)
{
	free(key->present.slots);
	free(key->past.slots);
	free(key);
}

struct nonces *nonces_free(struct nonces *nonces)
{
	if (!nonces)
		return NULL;
	for (size_t i = 0; i < nonces->n; i++)
		key_free(nonces->keys[i]);
	free(nonces->keys);
	free(nonces);
	return NULL;
}

static size_t slot_of(const struct nonce_set *set, uint64_t value)
{
	size_t slot = value & (set->size - 1);

	while (set->slots[slot] && set->slots[slot] != value)
		slot = (slot + 1) & (set->size - 1);
	return slot;
}

static bool set_has(const struct nonce_set *set, uint64_t value)
{
	return set->size > 0 && set->slots[slot_of(set, value)] == value;
}

/* At most half full, so that searching stays short. */
static int set_grow(struct nonce_set *set)
{
	struct nonce_set larger = {.n = set->n, .size = set->size ? 2 * set->size : 64};

	if (set->size > 0 && set->n < set->size / 2)
		return 0;
	larger.slots = calloc(larger.size, sizeof(*larger.slots));
	if (!larger.slots)
		return -ENOMEM;
	for (size_t i = 0; i < set->size; i++)
		if (set->slots[i])
			larger.slots[slot_of(&larger, set->slots[i])] = set->slots[i];
	free(set->slots);
	*set = larger;
	return 0;
}

static void turn_over(struct key_nonces *key, int64_t now)
{
	int64_t age = now - key->begun;

	if (age < NONCE_LIFE_S)
		return;
	free(key->past.slots);
	key->past = key->present;
	key->present = (struct nonce_set){};
	key->begun = now;
	if (age >= 2 * NONCE_LIFE_S) {
		free(key->past.slots);
		key->past = (struct nonce_set){};
	}
}

static size_t lower_bound(const struct nonces *nonces, const char *id)
{
	size_t low = 0, high = nonces->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(nonces->keys[middle]->id, id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int find_key(struct nonces *nonces, const char *id, int64_t now, struct key_nonces **ret)
{
	size_t place = lower_bound(nonces, id);
	struct key_nonces *key;

	if (place < nonces->n && streq(nonces->keys[place]->id, id)) {
		*ret = nonces->keys[place];
		return 0;
	}
	if (nonces->n == nonces->size) {
		size_t size = nonces->size ? 2 * nonces->size : 16;
		struct key_nonces **keys = realloc(nonces->keys, size * sizeof(*keys));

		if (!keys)
			return -ENOMEM;
		nonces->keys = keys;
		nonces->size = size;
	}
	key = calloc(1, sizeof(*key));
	if (!key)
		return -ENOMEM;
	key->begun = now;
	if (str_copy(key->id, sizeof(key->id), id) < 0) {
		free(key);
		return -EINVAL;
	}
	memmove(nonces->keys + place + 1, nonces->keys + place, (nonces->n - place) * sizeof(*nonces->keys));
	nonces->keys[place] = key;
	nonces->n++;
	*ret = key;
	return 0;
}

static int value_of(const char *nonce, uint64_t *ret)
{
	uint8_t digest[SHA256_SIZE];
	int r;

	r = hmac_sha256("", nonce, digest);
	if (r < 0)
		return r;
	memcpy(ret, digest, sizeof(*ret));
	if (*ret == 0)
		*ret = 1;
	return 0;
}

int nonces_spend(struct nonces *nonces, const char *key_id, const char *nonce, int64_t now)
{
	struct key_nonces *key;
	uint64_t value;
	int r;

	r = value_of(nonce, &value);
	if (r == 0)
		r = find_key(nonces, key_id, now, &key);
	if (r < 0)
		return r;
	turn_over(key, now);
	if (set_has(&key->present, value) || set_has(&key->past, value))
		return -EEXIST;
	if (key->present.n >= NONCES_PER_KEY_MAX)
		return -EDQUOT;
	r = set_grow(&key->present);
	if (r < 0)
		return r;
	key->present.slots[slot_of(&key->present, value)] = value;
	key->present.n++;
	return 0;
}

void nonces_expire(struct nonces *nonces, int64_t now)
{
	size_t kept = 0;

	for (size_t i = 0; i < nonces->n; i++) {
		struct key_nonces *key = nonces->keys[i];

		turn_over(key, now);
		if (key->present.n == 0 && key->past.n == 0)
			key_free(key);
		else
			nonces->keys[kept++] = key;
	}
	nonces->n = kept;
}
