/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A copy of the array in our own memory answers whether a list has changed, without a call for each element.
 * A hash table finds a list by its elements. They never change while the list is there, so it also finds the
 * list that a row names by its place.
 */
#include "list_table.h"

#include "../lib/vec.h"
#include <bpf/bpf.h>

#define BUCKETS	    4096
#define HASH_LANES  4
#define HASH_FACTOR UINT64_C(0x9e3779b97f4a7c15)

struct list {
	struct list *next; /* in the bucket */
	uint32_t first, count;
	uint32_t users;
	uint64_t used_since_ms;	  /* it was written, or used again after it had none; 0: it was adopted */
	uint64_t unused_since_ms; /* 0: it has not begun to rest since it had the last one */
};

struct resting {
	uint32_t first, count;
	uint64_t since_ms;
};

struct list_table {
	int fd;
	uint32_t value_size, size;
	uint8_t *copy;
	uint32_t *keys; /* 0, 1, 2 ... for batches */
	struct regions *regions;
	struct list **buckets;
	struct resting *resting; /* oldest first */
	size_t n_resting, resting_size;
	size_t at_rest; /* elements of lists that rest */
};

int list_table_new(int fd, struct list_table **ret)
{
	struct list_table *table;
	struct bpf_map_info info = {};
	uint32_t size = sizeof(info);
	int r;

	if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		return -errno;
	table = calloc(1, sizeof(*table));
	if (!table)
		return -ENOMEM;
	table->fd = fd;
	table->value_size = info.value_size;
	table->size = info.max_entries;
	table->copy = calloc(info.max_entries, info.value_size);
	table->keys = malloc(info.max_entries * sizeof(*table->keys));
	table->buckets = calloc(BUCKETS, sizeof(struct list *));
	r = table->copy && table->keys && table->buckets ? regions_new(info.max_entries, &table->regions)
							 : -ENOMEM;
	if (r < 0) {
		list_table_free(table);
		return r;
	}
	for (uint32_t i = 0; i < table->size; i++)
		table->keys[i] = i;
	*ret = table;
	return 0;
}

/* All lists, in a chain that is the caller's. */
static struct list *take_out(struct list_table *table)
{
	struct list *all = NULL;

	for (size_t i = 0; table->buckets && i < BUCKETS; i++)
		while (table->buckets[i]) {
			struct list *list = table->buckets[i];

			table->buckets[i] = list->next;
			list->next = all;
			all = list;
		}
	return all;
}

static void free_lists(struct list_table *table)
{
	for (struct list *list = take_out(table), *next; list; list = next) {
		next = list->next;
		free(list);
	}
}

struct list_table *list_table_free(struct list_table *table)
{
	if (!table)
		return NULL;
	free_lists(table);
	regions_free(table->regions);
	free(table->buckets);
	free(table->resting);
	free(table->copy);
	free(table->keys);
	free(table);
	return NULL;
}

int list_table_fd(const struct list_table *table)
{
	return table->fd;
}

static uint8_t *element(const struct list_table *table, uint32_t index)
{
	return table->copy + (size_t)index * table->value_size;
}

static uint64_t rotate(uint64_t word)
{
	return word << 29 | word >> 35;
}

/* Several words at a time, since lists are long: each lane by itself has to wait for its multiplication. What
 * does not fill all lanes is the last round, with zeros behind it. */
static uint64_t hash_bytes(const uint8_t *bytes, size_t size)
{
	uint64_t lanes[HASH_LANES] = {1, 2, 3, 4}, words[HASH_LANES], hash = size;

	for (size_t at = 0; at < size; at += sizeof(words)) {
		size_t n = MIN(sizeof(words), size - at);

		memset(words, 0, sizeof(words));
		memcpy(words, bytes + at, n);
		for (size_t i = 0; i < HASH_LANES; i++)
			lanes[i] = rotate(lanes[i] ^ words[i]) * HASH_FACTOR;
	}
	for (size_t i = 0; i < HASH_LANES; i++)
		hash = rotate(hash ^ lanes[i]) * HASH_FACTOR;
	return hash ^ hash >> 32;
}

static struct list **bucket(const struct list_table *table, const void *elements, uint32_t count)
{
	return &table->buckets[hash_bytes(elements, (size_t)count * table->value_size) % BUCKETS];
}

const void *list_table_elements(const struct list_table *table, uint32_t first)
{
	return element(table, first);
}

bool list_table_equals(const struct list_table *table, uint32_t first, const void *elements, uint32_t count)
{
	return count == 0 || memcmp(element(table, first), elements, (size_t)count * table->value_size) == 0;
}

static struct list *find_by_elements(const struct list_table *table, const void *elements, uint32_t count)
{
	for (struct list *list = *bucket(table, elements, count); list; list = list->next)
		if (list->count == count && list_table_equals(table, list->first, elements, count))
			return list;
	return NULL;
}

/* The place of the list's pointer, or NULL. */
static struct list **find_by_place(const struct list_table *table, uint32_t first, uint32_t count)
{
	if (count > table->size || first > table->size - count)
		return NULL;
	for (struct list **place = bucket(table, element(table, first), count); *place;
	     place = &(*place)->next)
		if ((*place)->first == first && (*place)->count == count)
			return place;
	return NULL;
}

/* The elements stand in the copy. */
static void put_in(struct list_table *table, struct list *list)
{
	struct list **place = bucket(table, element(table, list->first), list->count);

	list->next = *place;
	*place = list;
}

static int add_list(struct list_table *table, uint32_t first, uint32_t count, uint64_t used_since_ms)
{
	struct list *list = calloc(1, sizeof(*list));

	if (!list)
		return -ENOMEM;
	*list = (struct list){.first = first, .count = count, .users = 1, .used_since_ms = used_since_ms};
	put_in(table, list);
	return 0;
}

/* One user more. */
static void use(struct list_table *table, struct list *list)
{
	if (!list->users && list->unused_since_ms) {
		table->at_rest -= list->count;
		list->used_since_ms = now_mono_ms();
	}
	list->users++;
}

/* The list has no user any more. */
static int begin_rest(struct list_table *table, struct list *list)
{
	int r = VEC_ROOM(table->resting, table->n_resting, table->resting_size);

	if (r < 0)
		return r;
	list->users = 0;
	list->unused_since_ms = now_mono_ms();
	table->at_rest += list->count;
	table->resting[table->n_resting++] =
		(struct resting){list->first, list->count, list->unused_since_ms};
	return 0;
}

static int read_into(const struct list_table *table, uint32_t first, uint32_t count, void *ret)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	uint32_t before = first - 1, position, n = count;

	/* An array's batch starts behind the key that it is given. The keys that come back are those that
	 * stand there. */
	if (bpf_map_lookup_batch(table->fd, first ? &before : NULL, &position, table->keys + first, ret, &n,
				 &opts) < 0 &&
	    errno != ENOENT)
		return -errno;
	return n == count ? 0 : -EIO;
}

static int read_elements(struct list_table *table, uint32_t first, uint32_t count)
{
	return read_into(table, first, count, element(table, first));
}

bool list_table_stands(const struct list_table *table, uint32_t first, uint32_t count)
{
	_cleanup_(freep) void *elements = NULL;
	struct list **place = find_by_place(table, first, count);

	if (!place || !(*place)->users)
		return true;
	elements = calloc(count, table->value_size);
	return elements && read_into(table, first, count, elements) == 0 &&
	       list_table_equals(table, first, elements, count);
}

int list_table_each(const struct list_table *table, list_table_callback call, void *context)
{
	int r = 0;

	for (size_t i = 0; i < BUCKETS; i++)
		for (const struct list *list = table->buckets[i]; list && r >= 0; list = list->next)
			if (list->users)
				r = call(context, list->first, list->count);
	return MIN(r, 0);
}

int list_table_adopt(struct list_table *table, uint32_t first, uint32_t count)
{
	struct list **shared;
	int r;

	if (count == 0)
		return 0;
	shared = find_by_place(table, first, count);
	if (shared) {
		use(table, *shared);
		return 0;
	}
	r = regions_claim(table->regions, first, count);
	if (r < 0)
		return r;
	r = read_elements(table, first, count);
	if (r == 0)
		r = add_list(table, first, count, 0);
	if (r < 0)
		(void)regions_give(table->regions, first, count);
	return r;
}

/* Frees regions that have rested long enough and were not used again. */
static int wake_up(struct list_table *table, uint64_t now_ms)
{
	size_t n = 0;
	int r = 0;

	for (; n < table->n_resting && r == 0; n++) {
		const struct resting *resting = &table->resting[n];
		struct list **place, *list;

		if (now_ms - resting->since_ms < LIST_REST_MS)
			break;
		place = find_by_place(table, resting->first, resting->count);
		list = place ? *place : NULL;
		if (!list || list->users || list->unused_since_ms != resting->since_ms)
			continue;
		r = regions_give(table->regions, list->first, list->count);
		if (r < 0)
			break;
		table->at_rest -= list->count;
		*place = list->next;
		free(list);
	}
	if (n == 0)
		return r;
	table->n_resting -= n;
	memmove(table->resting, table->resting + n, table->n_resting * sizeof(*table->resting));
	return r;
}

int list_table_reset(struct list_table *table, const struct breath *breath)
{
	int r = wake_up(table, now_mono_ms());

	for (struct list *list = take_out(table), *next; list; list = next) {
		next = list->next;
		if (r == 0)
			r = read_elements(table, list->first, list->count);
		if (r == 0 && list->users) {
			list->users = 0;
			list->unused_since_ms = 0;
		}
		put_in(table, list);
		breathe(breath);
	}
	return r;
}

/* A row may have named any of them until a moment ago, and a program read it. */
int list_table_settle(struct list_table *table)
{
	int r = 0;

	for (size_t i = 0; i < BUCKETS; i++)
		for (struct list *list = table->buckets[i]; list && r == 0; list = list->next)
			if (!list->users && !list->unused_since_ms)
				r = begin_rest(table, list);
	return r;
}

static int write_list(struct list_table *table, const void *elements, uint32_t count, uint32_t first)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	uint32_t n = count;

	memcpy(element(table, first), elements, (size_t)count * table->value_size);
	if (bpf_map_update_batch(table->fd, table->keys + first, element(table, first), &n, &opts) < 0)
		return -errno;
	return add_list(table, first, count, now_mono_ms());
}

int list_table_take(struct list_table *table, const void *elements, uint32_t count, uint32_t *ret_first)
{
	struct list *shared;
	uint32_t first;
	int r;

	if (count == 0) {
		*ret_first = 0;
		return 0;
	}
	shared = find_by_elements(table, elements, count);
	if (shared) {
		use(table, shared);
		*ret_first = shared->first;
		return 0;
	}
	r = wake_up(table, now_mono_ms());
	if (r == 0)
		r = regions_take(table->regions, count, &first);
	if (r < 0)
		return r;
	r = write_list(table, elements, count, first);
	if (r < 0) {
		(void)regions_give(table->regions, first, count);
		return r;
	}
	*ret_first = first;
	return 0;
}

/* Whether the list is to stay for now: else who changes often leaves no room to anybody. */
static bool has_to_stay(const struct list_table *table, uint32_t first, uint32_t count, uint64_t now_ms)
{
	struct list **place;

	if (!count || table->at_rest <= table->size / LIST_REST_PART)
		return false;
	place = find_by_place(table, first, count);
	return place && now_ms - (*place)->used_since_ms < LIST_REST_MS;
}

int list_table_want(struct list_table *table, uint32_t old_first, uint32_t old_count, const void *elements,
		    uint32_t count, uint32_t *ret_first)
{
	uint64_t now_ms = now_mono_ms();
	int r;

	if (old_count == count && list_table_equals(table, old_first, elements, count)) {
		*ret_first = count ? old_first : 0;
		return 0;
	}
	r = wake_up(table, now_ms);
	if (r < 0)
		return r;
	if (has_to_stay(table, old_first, old_count, now_ms))
		return -EBUSY;
	return list_table_take(table, elements, count, ret_first);
}

int list_table_give(struct list_table *table, uint32_t first, uint32_t count)
{
	struct list **place = count ? find_by_place(table, first, count) : NULL;

	if (!place || (*place)->users == 0)
		return 0;
	if ((*place)->users == 1)
		return begin_rest(table, *place);
	(*place)->users--;
	return 0;
}

int list_table_change(struct list_table *table, uint32_t old_first, uint32_t old_count, uint32_t first,
		      uint32_t count)
{
	return count == old_count && first == old_first ? 0 : list_table_give(table, old_first, old_count);
}

uint32_t list_table_free_count(const struct list_table *table)
{
	return regions_free_count(table->regions);
}

size_t list_table_rest_count(const struct list_table *table)
{
	return table->n_resting;
}
