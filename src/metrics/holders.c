/* SPDX-License-Identifier: Apache-2.0 */
#include "holders.h"

#include "../lib/mix.h"
#include "../lib/vec.h"

#include <stdlib.h>

static struct holder **bucket_of(const struct holders *holders, int64_t account)
{
	return (struct holder **)&holders->buckets[mix64((uint64_t)account) % HOLDER_BUCKETS];
}

struct holder *holders_find(const struct holders *holders, int64_t account)
{
	struct holder *holder = *bucket_of(holders, account);

	while (holder && holder->account != account)
		holder = holder->next;
	return holder;
}

/* ---- the heap: a binary one, each entry knowing its place ---- */

static bool is_before(const struct holder *a, const struct holder *b)
{
	return a->memory != b->memory ? a->memory > b->memory : a->eldest < b->eldest;
}

static void place(struct holders *holders, size_t i, struct holder *holder)
{
	holders->heap[i] = holder;
	holder->place = i;
}

static void move_up(struct holders *holders, struct holder *holder)
{
	size_t i = holder->place;

	for (; i > 0 && is_before(holder, holders->heap[(i - 1) / 2]); i = (i - 1) / 2)
		place(holders, i, holders->heap[(i - 1) / 2]);
	place(holders, i, holder);
}

/* The child that is before the other; NULL: it has no children. */
static struct holder *first_child(const struct holders *holders, size_t i)
{
	size_t child = 2 * i + 1;

	if (child >= holders->n)
		return NULL;
	if (child + 1 < holders->n && is_before(holders->heap[child + 1], holders->heap[child]))
		child++;
	return holders->heap[child];
}

static void move_down(struct holders *holders, struct holder *holder)
{
	struct holder *child;
	size_t i = holder->place, from;

	for (; (child = first_child(holders, i)) && is_before(child, holder); i = from) {
		from = child->place;
		place(holders, i, child);
	}
	place(holders, i, holder);
}

void holders_set(struct holders *holders, struct holder *holder, size_t memory, uint64_t eldest)
{
	holder->memory = memory;
	holder->eldest = eldest;
	move_up(holders, holder);
	move_down(holders, holder);
}

struct holder *holders_most(const struct holders *holders, const struct holder *but)
{
	if (holders->n == 0)
		return NULL;
	return holders->heap[0] == but ? first_child(holders, 0) : holders->heap[0];
}

/* ---- entries ---- */

int holders_add(struct holders *holders, int64_t account, struct holder **ret)
{
	struct holder **bucket = bucket_of(holders, account), *holder;

	if (VEC_ROOM(holders->heap, holders->n, holders->heap_size) < 0)
		return -ENOMEM;
	holder = malloc(sizeof(*holder));
	if (!holder)
		return -ENOMEM;
	*holder = (struct holder){.account = account, .lost = INT64_MIN, .next = *bucket};
	*bucket = holder;
	place(holders, holders->n++, holder);
	*ret = holder;
	return 0;
}

void holders_remove(struct holders *holders, struct holder *holder)
{
	struct holder **link = bucket_of(holders, holder->account), *last = holders->heap[--holders->n];

	while (*link != holder)
		link = &(*link)->next;
	*link = holder->next;
	if (last != holder) {
		place(holders, holder->place, last);
		holders_set(holders, last, last->memory, last->eldest);
	}
	free(holder);
}

void holders_done(struct holders *holders)
{
	for (size_t i = 0; i < holders->n; i++)
		free(holders->heap[i]);
	free(holders->heap);
	*holders = (struct holders){};
}
