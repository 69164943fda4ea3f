/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks of pointers. A full one is split, and neighbours that have become small are made one.
 */
#include "share_list.h"

#include <assert.h>

#include "../lib/vec.h"

#define BLOCK_MAX 63 /* so that one has 512 bytes */

struct share_block {
	size_t n;
	const struct share *v[BLOCK_MAX];
};

/* The one in which the share is, if it is there: the last one that does not begin behind it. */
static size_t block_of(const struct share_list *list, const struct share *share)
{
	size_t behind = LOWER_BOUND(i, list->n_blocks, share_compare(list->blocks[i]->v[0], share) <= 0);

	return behind > 0 ? behind - 1 : 0;
}

static size_t place_in(const struct share_block *block, const struct share *share)
{
	return LOWER_BOUND(i, block->n, share_compare(block->v[i], share) < 0);
}

static int insert_block(struct share_list *list, size_t at)
{
	struct share_block *block;

	if (VEC_ROOM(list->blocks, list->n_blocks, list->size) < 0)
		return -ENOMEM;
	block = malloc(sizeof(*block));
	if (!block)
		return -ENOMEM;
	block->n = 0;
	memmove(list->blocks + at + 1, list->blocks + at, (list->n_blocks - at) * sizeof(*list->blocks));
	list->blocks[at] = block;
	list->n_blocks++;
	return 0;
}

static void remove_block(struct share_list *list, size_t at)
{
	free(list->blocks[at]);
	list->n_blocks--;
	memmove(list->blocks + at, list->blocks + at + 1, (list->n_blocks - at) * sizeof(*list->blocks));
}

static void move_shares(struct share_block *to, struct share_block *from, size_t first)
{
	memcpy(to->v + to->n, from->v + first, (from->n - first) * sizeof(*from->v));
	to->n += from->n - first;
	from->n = first;
}

static int split(struct share_list *list, size_t at)
{
	int r = insert_block(list, at + 1);

	if (r == 0)
		move_shares(list->blocks[at + 1], list->blocks[at], BLOCK_MAX / 2);
	return r;
}

/* The block and the next one, if half a block takes both. */
static void join(struct share_list *list, size_t at)
{
	if (at + 1 >= list->n_blocks || list->blocks[at]->n + list->blocks[at + 1]->n > BLOCK_MAX / 2)
		return;
	move_shares(list->blocks[at], list->blocks[at + 1], 0);
	remove_block(list, at + 1);
}

int share_list_add(struct share_list *list, const struct share *share)
{
	size_t at = block_of(list, share), place;
	struct share_block *block;

	if (list->n_blocks == 0 && insert_block(list, 0) < 0)
		return -ENOMEM;
	if (list->blocks[at]->n == BLOCK_MAX) {
		if (split(list, at) < 0)
			return -ENOMEM;
		at += share_compare(list->blocks[at + 1]->v[0], share) <= 0;
	}
	block = list->blocks[at];
	place = place_in(block, share);
	memmove(block->v + place + 1, block->v + place, (block->n - place) * sizeof(*block->v));
	block->v[place] = share;
	block->n++;
	return 0;
}

void share_list_remove(struct share_list *list, const struct share *share)
{
	size_t at = block_of(list, share), place = place_in(list->blocks[at], share);
	struct share_block *block = list->blocks[at];

	assert(place < block->n && block->v[place] == share);
	block->n--;
	memmove(block->v + place, block->v + place + 1, (block->n - place) * sizeof(*block->v));
	if (block->n == 0) {
		remove_block(list, at);
		return;
	}
	join(list, at);
	if (at > 0)
		join(list, at - 1);
}

void share_list_done(struct share_list *list)
{
	for (size_t i = 0; i < list->n_blocks; i++)
		free(list->blocks[i]);
	free(list->blocks);
	*list = (struct share_list){};
}

struct share_cursor share_list_from(const struct share_list *list, const struct share *first)
{
	struct share_cursor cursor = {.block = block_of(list, first)};

	if (list->n_blocks > 0)
		cursor.n = place_in(list->blocks[cursor.block], first);
	return cursor;
}

const struct share *share_list_next(const struct share_list *list, struct share_cursor *cursor)
{
	if (cursor->block < list->n_blocks && cursor->n == list->blocks[cursor->block]->n)
		*cursor = (struct share_cursor){.block = cursor->block + 1};
	return cursor->block < list->n_blocks ? list->blocks[cursor->block]->v[cursor->n++] : NULL;
}
