/* SPDX-License-Identifier: Apache-2.0 */
#include "set_table.h"

#include <time.h>

#include "mapped.h"

#define BUCKETS 4096

struct set_state {
	uint32_t next; /* in the bucket; 0: the last one */
	bool is_named;
	uint64_t rests_since_ms; /* 0: nobody has named it since this agent began */
};

struct set_table {
	struct mapped map;
	struct pl_set *sets; /* in the map */
	struct set_state *states;
	uint32_t buckets[BUCKETS];   /* every set that is there, by what it is */
	uint32_t last;		     /* that was given out */
	uint32_t n_named, n_settled; /* sets that someone names: now, and when that was known of all */
};

static uint32_t *bucket(struct set_table *table, const struct pl_set *set)
{
	const uint8_t *bytes = (const uint8_t *)set;
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	/* FNV-1a */
	for (size_t i = 0; i < sizeof(*set); i++)
		hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
	return &table->buckets[(hash ^ hash >> 32) % BUCKETS];
}

static void chain(struct set_table *table, uint32_t number)
{
	uint32_t *head = bucket(table, &table->sets[number]);

	table->states[number].next = *head;
	*head = number;
}

static void unchain(struct set_table *table, uint32_t number)
{
	uint32_t *link = bucket(table, &table->sets[number]);

	while (*link && *link != number)
		link = &table->states[*link].next;
	if (*link)
		*link = table->states[number].next;
}

/* What a packet has read of a row it has followed long before a new agent has read all of this, so none of
 * these rests; those that rows name are kept. Numbers go on behind the highest one. */
static void read_sets(struct set_table *table)
{
	static const struct pl_set none;

	for (uint32_t i = 1; i < table->map.n; i++) {
		if (memcmp(&table->sets[i], &none, sizeof(none)) == 0)
			continue;
		table->last = i;
		chain(table, i);
	}
}

int set_table_new(int fd, struct set_table **ret)
{
	struct set_table *table = calloc(1, sizeof(*table));
	int r;

	if (!table)
		return -ENOMEM;
	r = mapped_open(fd, sizeof(struct pl_set), &table->map);
	if (r == 0) {
		table->sets = table->map.rows;
		table->states = calloc(table->map.n, sizeof(*table->states));
		r = table->states ? 0 : -ENOMEM;
	}
	if (r < 0) {
		set_table_free(table);
		return r;
	}
	read_sets(table);
	*ret = table;
	return 0;
}

struct set_table *set_table_free(struct set_table *table)
{
	if (!table)
		return NULL;
	mapped_close(&table->map);
	free(table->states);
	free(table);
	return NULL;
}

void set_table_begin(struct set_table *table)
{
	uint64_t now = now_mono_ms();

	table->n_named = 0;
	for (uint32_t i = 1; i < table->map.n; i++) {
		if (!table->states[i].is_named)
			continue;
		table->states[i].rests_since_ms = now;
		table->states[i].is_named = false;
	}
}

static void name(struct set_table *table, uint32_t number)
{
	table->n_named += !table->states[number].is_named;
	table->states[number].is_named = true;
}

void set_table_keep(struct set_table *table, uint32_t number)
{
	if (number && number < table->map.n)
		name(table, number);
}

void set_table_settle(struct set_table *table)
{
	table->n_settled = table->n_named;
}

bool set_table_is_crowded(const struct set_table *table)
{
	return table->n_named > table->n_settled &&
	       table->n_named - table->n_settled > (table->map.n - table->n_settled) / 2;
}

static bool is_free(const struct set_state *state, uint64_t now_ms)
{
	return !state->is_named && (!state->rests_since_ms || now_ms - state->rests_since_ms >= SET_REST_MS);
}

/* A row that nobody names, the longest time possible after its last use; 0: there is none. */
static uint32_t free_number(const struct set_table *table)
{
	uint64_t now = now_mono_ms();

	for (uint32_t i = 0; i + 1 < table->map.n; i++) {
		uint32_t number = (table->last + i) % (table->map.n - 1) + 1;

		if (is_free(&table->states[number], now))
			return number;
	}
	return 0;
}

int set_table_take(struct set_table *table, const struct pl_set *set, uint32_t *ret)
{
	uint32_t number = *bucket(table, set);

	while (number && memcmp(&table->sets[number], set, sizeof(*set)) != 0)
		number = table->states[number].next;
	if (!number) {
		number = free_number(table);
		if (!number)
			return -ENOSPC;
		unchain(table, number);
		table->sets[number] = *set;
		chain(table, number);
		table->last = number;
	}
	name(table, number);
	*ret = number;
	return 0;
}

const struct pl_set *set_table_get(const struct set_table *table, uint32_t number)
{
	return &table->sets[number < table->map.n ? number : 0];
}

uint32_t set_table_count(const struct set_table *table)
{
	return table->n_named;
}
