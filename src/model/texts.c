/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hash table with a count for each text. Texts are people's: where the sum begins is another number in
 * each process, so that nobody can choose many that fall together.
 */
#include "texts.h"

#include <assert.h>

#include "../lib/fnv.h"

#define SLOTS_FIRST 64

struct text {
	struct text *next; /* in its slot */
	uint32_t refs, hash, size;
	char bytes[];
};

static uint32_t hash_of(const struct texts *texts, const char *bytes, size_t size)
{
	uint64_t sum = fnv_add(FNV_START ^ texts->seed, bytes, size);

	return (uint32_t)(sum ^ sum >> 32);
}

static struct text **slot_of(const struct texts *texts, uint32_t hash)
{
	return &texts->slots[hash & (texts->n_slots - 1)];
}

static void put_in_slot(struct texts *texts, struct text *text)
{
	struct text **slot = slot_of(texts, text->hash);

	text->next = *slot;
	*slot = text;
}

/* Twice the slots. Without memory for them the table stays as it is, and slower. */
static int grow(struct texts *texts)
{
	size_t n_old = texts->n_slots, n_slots = n_old ? 2 * n_old : SLOTS_FIRST;
	struct text **old = texts->slots, **slots = calloc(n_slots, sizeof(struct text *));

	if (!slots)
		return n_old ? 0 : -ENOMEM;
	texts->slots = slots;
	texts->n_slots = n_slots;
	for (size_t i = 0; i < n_old; i++) {
		for (struct text *t = old[i], *next; t; t = next) {
			next = t->next;
			put_in_slot(texts, t);
		}
	}
	free(old);
	return 0;
}

static struct text *find(const struct texts *texts, const char *bytes, size_t size, uint32_t hash)
{
	struct text *text = texts->n_slots ? *slot_of(texts, hash) : NULL;

	while (text && (text->hash != hash || text->size != size || memcmp(text->bytes, bytes, size) != 0))
		text = text->next;
	return text;
}

void texts_begin(struct texts *texts)
{
	*texts = (struct texts){.seed = (uintptr_t)texts};
}

const char *texts_hold(struct texts *texts, const char *bytes, size_t size)
{
	uint32_t hash = hash_of(texts, bytes, size);
	struct text *text = find(texts, bytes, size, hash);

	if (text) {
		text->refs++;
		return text->bytes;
	}
	if (texts->n >= texts->n_slots && grow(texts) < 0)
		return NULL;
	text = malloc(MAX(sizeof(*text), offsetof(struct text, bytes) + size));
	if (!text)
		return NULL;
	*text = (struct text){.refs = 1, .hash = hash, .size = (uint32_t)size};
	memcpy(text->bytes, bytes, size);
	put_in_slot(texts, text);
	texts->n++;
	return text->bytes;
}

void texts_release(struct texts *texts, const char *bytes)
{
	struct text *text = container_of((char *)(uintptr_t)bytes, struct text, bytes);
	struct text **link;

	if (--text->refs > 0)
		return;
	link = slot_of(texts, text->hash);
	while (*link != text)
		link = &(*link)->next;
	*link = text->next;
	free(text);
	texts->n--;
}

void texts_done(struct texts *texts)
{
	assert(texts->n == 0);
	free(texts->slots);
	*texts = (struct texts){.seed = texts->seed};
}
