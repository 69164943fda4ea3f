/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers that are the node's own. Each kind of number has a tree from the object's key to its number and a
 * bitmap of the numbers that are taken. A build marks what it uses; what a finished build did not use is
 * released. New numbers are looked for behind the last one given out, or found in the kernel, so that a
 * released number rests as long as possible.
 */
#include "plan_build.h"

#include <assert.h>
#include <search.h>

#define INDEX_KEY_SIZE (ID_SIZE + ZONE_SIZE)

struct index_entry {
	struct index_entry *next;
	uint32_t number;
	uint64_t used_in; /* build that used it last */
	uint8_t key[INDEX_KEY_SIZE];
};

struct index {
	void *tree; /* of struct index_entry, by key */
	struct index_entry *entries;
	uint32_t first, end; /* numbers that may be given out */
	uint32_t next;	     /* where to look for a free one */
	uint32_t n_given;    /* since those that nothing uses were released */
	uint8_t *taken;	     /* bitmap from 0 to end; NULL: numbers only rise, none comes again */
	uint8_t *resting;    /* the same of numbers that others go before; NULL: none rests */
};

struct plan_indexes {
	uint64_t build;
	struct index slots, backends, targets, security_groups, accounts;
	uint16_t *found; /* by slot, until the first build: the numbers of accounts in the kernel's tables */
};

static int entry_compare(const void *a, const void *b)
{
	return memcmp(((const struct index_entry *)a)->key, ((const struct index_entry *)b)->key,
		      INDEX_KEY_SIZE);
}

static void key_of_port(uint32_t port_number, uint8_t ret[INDEX_KEY_SIZE])
{
	memset(ret, 0, INDEX_KEY_SIZE);
	memcpy(ret, &port_number, sizeof(port_number));
}

static void key_of_backend(uint32_t vpc, const struct pl_addr *addr, __be16 port, uint8_t ret[INDEX_KEY_SIZE])
{
	memset(ret, 0, INDEX_KEY_SIZE);
	memcpy(ret, &vpc, sizeof(vpc));
	memcpy(ret + sizeof(vpc), addr, sizeof(*addr));
	memcpy(ret + sizeof(vpc) + sizeof(*addr), &port, sizeof(port));
}

static void key_of_target(const char *load_balancer, const char *zone, uint8_t ret[INDEX_KEY_SIZE])
{
	memset(ret, 0, INDEX_KEY_SIZE);
	memcpy(ret, load_balancer, strnlen(load_balancer, ID_SIZE));
	memcpy(ret + ID_SIZE, zone, strnlen(zone, ZONE_SIZE));
}

static void key_of_security_group(const char *id, uint8_t ret[INDEX_KEY_SIZE])
{
	memset(ret, 0, INDEX_KEY_SIZE);
	memcpy(ret, id, strnlen(id, ID_SIZE));
}

static void key_of_account(int64_t owner, uint8_t ret[INDEX_KEY_SIZE])
{
	memset(ret, 0, INDEX_KEY_SIZE);
	memcpy(ret, &owner, sizeof(owner));
}

static bool is_taken(const struct index *index, uint32_t number)
{
	return index->taken[number / 8] & 1u << number % 8;
}

static void set_taken(struct index *index, uint32_t number, bool taken)
{
	if (!index->taken)
		return;
	if (taken)
		index->taken[number / 8] |= 1u << number % 8;
	else
		index->taken[number / 8] &= ~(1u << number % 8);
}

static struct index_entry *index_find(const struct index *index, const uint8_t key[INDEX_KEY_SIZE])
{
	struct index_entry wanted, **found;

	memcpy(wanted.key, key, INDEX_KEY_SIZE);
	found = tfind(&wanted, &index->tree, entry_compare);
	return found ? *found : NULL;
}

static int index_insert(struct index *index, const uint8_t key[INDEX_KEY_SIZE], uint32_t number,
			uint64_t build)
{
	struct index_entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return -ENOMEM;
	memcpy(entry->key, key, INDEX_KEY_SIZE);
	entry->number = number;
	entry->used_in = build;
	if (!tsearch(entry, &index->tree, entry_compare)) {
		free(entry);
		return -ENOMEM;
	}
	entry->next = index->entries;
	index->entries = entry;
	set_taken(index, number, true);
	return 0;
}

static void look_behind(struct index *index, uint32_t number)
{
	index->next = number + 1 < index->end ? number + 1 : index->first;
}

static int64_t look_for_number(struct index *index, const uint8_t *resting)
{
	uint32_t count = index->end - index->first;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t number = index->first + (index->next - index->first + i) % count;

		if (is_taken(index, number) || (resting && resting[number / 8] & 1u << number % 8))
			continue;
		look_behind(index, number);
		return number;
	}
	return -ENOSPC;
}

/* A free number, or -ENOSPC. */
static int64_t index_free_number(struct index *index)
{
	int64_t number;

	if (!index->taken)
		return index->next < index->end ? (int64_t)index->next++ : -ENOSPC;
	number = look_for_number(index, index->resting);
	return number == -ENOSPC && index->resting ? look_for_number(index, NULL) : number;
}

/* 1: the object has had its number in this build before. */
static int index_get(struct index *index, const uint8_t key[INDEX_KEY_SIZE], uint64_t build, uint32_t *ret)
{
	struct index_entry *entry = index_find(index, key);
	int64_t number;
	int r;

	if (entry) {
		bool again = entry->used_in == build;

		entry->used_in = build;
		*ret = entry->number;
		return again;
	}
	number = index_free_number(index);
	if (number < 0)
		return (int)number;
	r = index_insert(index, key, (uint32_t)number, build);
	if (r < 0)
		return r;
	index->n_given++;
	*ret = (uint32_t)number;
	return 0;
}

static int index_adopt(struct index *index, const uint8_t key[INDEX_KEY_SIZE], uint32_t number,
		       uint64_t build)
{
	struct index_entry *entry = index_find(index, key);

	if (entry)
		return entry->number == number ? 0 : -EEXIST;
	if (number < index->first || number >= index->end)
		return -ERANGE;
	if (is_taken(index, number))
		return -EEXIST;
	if (number >= index->next)
		look_behind(index, number);
	return index_insert(index, key, number, build);
}

/* Releases what the build did not use. */
static void index_sweep(struct index *index, uint64_t build)
{
	struct index_entry **link = &index->entries, *entry;

	index->n_given = 0;
	while ((entry = *link)) {
		if (entry->used_in == build) {
			link = &entry->next;
			continue;
		}
		*link = entry->next;
		tdelete(entry, &index->tree, entry_compare);
		set_taken(index, entry->number, false);
		free(entry);
	}
}

static int index_init(struct index *index, uint32_t first, uint32_t end, bool reuse)
{
	index->first = index->next = first;
	index->end = end;
	if (!reuse)
		return 0;
	index->taken = calloc(end / 8 + 1, 1);
	return index->taken ? 0 : -ENOMEM;
}

static void index_done(struct index *index)
{
	index_sweep(index, UINT64_MAX);
	free(index->taken);
	free(index->resting);
}

int plan_indexes_new(struct plan_indexes **ret)
{
	struct plan_indexes *indexes = calloc(1, sizeof(*indexes));

	if (!indexes)
		return -ENOMEM;
	if (index_init(&indexes->slots, PLAN_SLOT_FIRST, PLAN_SLOTS_MAX, true) < 0 ||
	    index_init(&indexes->backends, 1, PLAN_BACKENDS_MAX, true) < 0 ||
	    index_init(&indexes->targets, 1, UINT32_MAX, false) < 0 ||
	    index_init(&indexes->security_groups, 1, PL_GROUPS_MAX, true) < 0 ||
	    index_init(&indexes->accounts, 1, PL_ACCOUNTS_MAX, true) < 0) {
		plan_indexes_free(indexes);
		return -ENOMEM;
	}
	*ret = indexes;
	return 0;
}

struct plan_indexes *plan_indexes_free(struct plan_indexes *indexes)
{
	if (!indexes)
		return NULL;
	index_done(&indexes->slots);
	index_done(&indexes->backends);
	index_done(&indexes->targets);
	index_done(&indexes->security_groups);
	index_done(&indexes->accounts);
	free(indexes->found);
	free(indexes);
	return NULL;
}

int plan_indexes_adopt_slot(struct plan_indexes *indexes, uint32_t port_number, uint32_t slot)
{
	uint8_t key[INDEX_KEY_SIZE];

	key_of_port(port_number, key);
	return index_adopt(&indexes->slots, key, slot, indexes->build);
}

int plan_indexes_adopt_backend(struct plan_indexes *indexes, uint32_t vpc, const struct pl_addr *addr,
			       __be16 port, uint32_t index)
{
	uint8_t key[INDEX_KEY_SIZE];

	key_of_backend(vpc, addr, port, key);
	return index_adopt(&indexes->backends, key, index, indexes->build);
}

void plan_indexes_adopt_last_slot(struct plan_indexes *indexes, uint32_t slot)
{
	if (slot >= indexes->slots.next && slot < indexes->slots.end)
		look_behind(&indexes->slots, slot);
}

int plan_indexes_rest_slot(struct plan_indexes *indexes, uint32_t slot)
{
	struct index *slots = &indexes->slots;

	if (!slots->resting)
		slots->resting = calloc(slots->end / 8 + 1, 1);
	if (!slots->resting)
		return -ENOMEM;
	if (slot < slots->end)
		slots->resting[slot / 8] |= 1u << slot % 8;
	return 0;
}

void plan_indexes_end_rest(struct plan_indexes *indexes)
{
	free(indexes->slots.resting);
	indexes->slots.resting = NULL;
}

void plan_indexes_adopt_target(struct plan_indexes *indexes, uint32_t target)
{
	if (target >= indexes->targets.next && target < UINT32_MAX)
		indexes->targets.next = target + 1;
}

int plan_indexes_adopt_security_group(struct plan_indexes *indexes, const char *id, uint32_t number)
{
	uint8_t key[INDEX_KEY_SIZE];

	key_of_security_group(id, key);
	return index_adopt(&indexes->security_groups, key, number, indexes->build);
}

int plan_indexes_adopt_account(struct plan_indexes *indexes, uint32_t slot, uint32_t number)
{
	struct index *accounts = &indexes->accounts;

	if (number < accounts->first || number >= accounts->end || slot >= indexes->slots.end)
		return 0;
	if (!indexes->found)
		indexes->found = calloc(indexes->slots.end, sizeof(*indexes->found));
	if (!indexes->found)
		return -ENOMEM;
	indexes->found[slot] = (uint16_t)number;
	if (number >= accounts->next)
		look_behind(accounts, number);
	return 0;
}

void plan_indexes_begin(struct plan_indexes *indexes)
{
	indexes->build++;
}

void plan_indexes_sweep(struct plan_indexes *indexes)
{
	index_sweep(&indexes->slots, indexes->build);
	index_sweep(&indexes->backends, indexes->build);
	index_sweep(&indexes->targets, indexes->build);
	index_sweep(&indexes->security_groups, indexes->build);
	index_sweep(&indexes->accounts, indexes->build);
	free(indexes->found);
	indexes->found = NULL;
}

uint32_t plan_indexes_given(const struct plan_indexes *indexes)
{
	return indexes->slots.n_given + indexes->backends.n_given + indexes->targets.n_given +
	       indexes->security_groups.n_given + indexes->accounts.n_given;
}

int plan_indexes_slot(struct plan_indexes *indexes, uint32_t port_number, uint32_t *ret)
{
	uint8_t key[INDEX_KEY_SIZE];
	int r;

	key_of_port(port_number, key);
	r = index_get(&indexes->slots, key, indexes->build, ret);
	return r == 1 ? -EEXIST : r;
}

int plan_indexes_backend(struct plan_indexes *indexes, uint32_t vpc, const struct pl_addr *addr, __be16 port,
			 uint32_t *ret)
{
	uint8_t key[INDEX_KEY_SIZE];

	key_of_backend(vpc, addr, port, key);
	return index_get(&indexes->backends, key, indexes->build, ret);
}

int plan_indexes_target(struct plan_indexes *indexes, const char *load_balancer, const char *zone,
			uint32_t *ret)
{
	uint8_t key[INDEX_KEY_SIZE];

	key_of_target(load_balancer, zone, key);
	return index_get(&indexes->targets, key, indexes->build, ret);
}

int plan_indexes_security_group(struct plan_indexes *indexes, const char *id, uint32_t *ret)
{
	uint8_t key[INDEX_KEY_SIZE];

	key_of_security_group(id, key);
	return index_get(&indexes->security_groups, key, indexes->build, ret);
}

int plan_indexes_account(struct plan_indexes *indexes, int64_t owner, uint32_t slot, uint16_t *ret)
{
	uint8_t key[INDEX_KEY_SIZE];
	uint32_t number = 0;
	int r = 0;

	key_of_account(owner, key);
	/* (What was found may be another account's by now, or not the first that was found of this one.) */
	if (owner && indexes->found && indexes->found[slot])
		r = index_adopt(&indexes->accounts, key, indexes->found[slot], indexes->build);
	if (owner && r != -ENOMEM)
		r = index_get(&indexes->accounts, key, indexes->build, &number);
	if (r < 0)
		return r;
	*ret = (uint16_t)number;
	return 0;
}

uint32_t plan_indexes_find_security_group(const struct plan_indexes *indexes, const char *id)
{
	const struct index_entry *entry;
	uint8_t key[INDEX_KEY_SIZE];

	key_of_security_group(id, key);
	entry = index_find(&indexes->security_groups, key);
	return entry ? entry->number : 0;
}
