/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bucket is one number: when it will be full. Each call puts that off by a token's time; a call that would
 * put it off beyond one period from now finds the bucket empty. What is charged afterwards may put it off
 * beyond that.
 */
#include "rates.h"

#include "../../lib/fnv.h"
#include "../../lib/ident.h"

#define WAYS 8
#define SETS (RATE_BUCKETS_MAX / WAYS)

#define PERIOD_US (RATE_PERIOD_MS * 1000ULL)

struct bucket {
	int64_t uid;
	const struct action *action;
	uint64_t region_hash;
	uint64_t full_us; /* 0: nobody's */
};

struct rates {
	struct rate_limits limits;
	uint64_t seed; /* callers do not know whose bucket is whose neighbour */
	struct bucket buckets[SETS][WAYS];
};

int rates_new(const struct rate_limits *limits, struct rates **ret)
{
	struct rates *rates = calloc(1, sizeof(*rates));
	int r;

	if (!rates)
		return -ENOMEM;
	rates->limits = *limits;
	r = random_bytes(&rates->seed, sizeof(rates->seed));
	if (r < 0) {
		free(rates);
		return r;
	}
	*ret = rates;
	return 0;
}

struct rates *rates_free(struct rates *rates)
{
	free(rates);
	return NULL;
}

unsigned int rates_limit(const struct rates *rates, const struct action *action)
{
	return action->flags & ACTION_CHANGES ? rates->limits.writes : rates->limits.reads;
}

/* The key's bucket, or the one that it gets. */
static struct bucket *find(struct rates *rates, const struct bucket *key)
{
	uint64_t hash = rates->seed;
	struct bucket *set, *first = NULL;

	hash = fnv_add(hash, &key->uid, sizeof(key->uid));
	hash = fnv_add(hash, &key->action, sizeof(key->action));
	hash = fnv_add(hash, &key->region_hash, sizeof(key->region_hash));
	set = rates->buckets[(hash ^ hash >> 32) % SETS];
	for (size_t i = 0; i < WAYS; i++) {
		struct bucket *b = &set[i];

		if (b->uid == key->uid && b->action == key->action && b->region_hash == key->region_hash)
			return b;
		if (!first || b->full_us < first->full_us)
			first = b;
	}
	*first = *key;
	return first;
}

static struct bucket *bucket_of(struct rates *rates, int64_t uid, const char *region,
				const struct action *action)
{
	const struct bucket key = {
		.uid = uid, .action = action, .region_hash = fnv_add(FNV_START, region, strlen(region))};

	return find(rates, &key);
}

/* How long it is until a bucket that is full then is not below empty. */
static uint64_t until_ms(uint64_t full_us, uint64_t now_us)
{
	return full_us > now_us + PERIOD_US ? (full_us - now_us - PERIOD_US) / 1000 + 1 : 0;
}

uint64_t rates_take(struct rates *rates, int64_t uid, const char *region, const struct action *action,
		    uint64_t now_ms)
{
	unsigned int limit = rates_limit(rates, action);
	uint64_t now_us = now_ms * 1000, full_us, left_ms;
	struct bucket *bucket;

	if (limit == 0)
		return 0;
	bucket = bucket_of(rates, uid, region, action);
	full_us = MAX(bucket->full_us, now_us) + PERIOD_US / limit;
	left_ms = until_ms(full_us, now_us);
	if (left_ms == 0)
		bucket->full_us = full_us;
	return left_ms;
}

void rates_charge(struct rates *rates, int64_t uid, const char *region, const struct action *action,
		  unsigned int n, uint64_t now_ms)
{
	unsigned int limit = rates_limit(rates, action);
	uint64_t now_us = now_ms * 1000, full_us;
	struct bucket *bucket;

	if (limit == 0 || n == 0)
		return;
	bucket = bucket_of(rates, uid, region, action);
	full_us = MAX(bucket->full_us, now_us) + n * (PERIOD_US / limit);
	bucket->full_us = MIN(full_us, now_us + 2 * PERIOD_US);
}

uint64_t rates_owed(struct rates *rates, int64_t uid, const char *region, const struct action *action,
		    uint64_t now_ms)
{
	if (rates_limit(rates, action) == 0)
		return 0;
	return until_ms(bucket_of(rates, uid, region, action)->full_us, now_ms * 1000);
}
