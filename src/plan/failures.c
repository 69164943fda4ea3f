/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list with an index of its keys, since all ports of a node may fail for the same reason: one that comes
 * costs the same, however many there are. The index has twice as many places as there are items, or more; a
 * key whose place is taken has the next one that is free.
 */
#include "failures.h"

#include "../lib/fnv.h"
#include "../lib/vec.h"
#include <stdarg.h>
#include <stdio.h>

#define PLACES_FIRST 32

/* Where the key is, or would be. */
static uint32_t *find_place(const struct failures *failures, const char *key)
{
	uint64_t hash = fnv_add(FNV_START, key, strlen(key));
	size_t place = hash & (failures->n_places - 1);

	while (failures->places[place] && !streq(failures->items[failures->places[place] - 1].key, key))
		place = (place + 1) & (failures->n_places - 1);
	return &failures->places[place];
}

static int make_places(struct failures *failures)
{
	size_t n = failures->n_places ? failures->n_places * 2 : PLACES_FIRST;
	uint32_t *places;

	if (failures->n * 2 < failures->n_places)
		return 0;
	places = calloc(n, sizeof(*places));
	if (!places)
		return -ENOMEM;
	free(failures->places);
	failures->places = places;
	failures->n_places = n;
	for (size_t i = 0; i < failures->n; i++)
		*find_place(failures, failures->items[i].key) = (uint32_t)i + 1;
	return 0;
}

static int add(struct failures *failures, const char *key, const char *format, va_list ap)
{
	struct plan_failure *item;
	uint32_t *place;

	if (make_places(failures) < 0 || VEC_ROOM(failures->items, failures->n, failures->size) < 0)
		return -ENOMEM;
	place = find_place(failures, key);
	if (*place)
		return 0;
	item = &failures->items[failures->n];
	memset(item, 0, sizeof(*item));
	if (str_copy(item->key, sizeof(item->key), key) < 0)
		return -E2BIG;
	(void)vsnprintf(item->reason, sizeof(item->reason), format, ap);
	*place = (uint32_t)++failures->n;
	return 0;
}

int failures_add(struct failures *failures, const char *key, const char *format, ...)
{
	va_list ap;
	int r;

	va_start(ap, format);
	r = add(failures, key, format, ap);
	va_end(ap);
	return r;
}

int failures_add_gone(struct failures *failures, const char *key, const char *reason)
{
	size_t n = failures->n;
	int r = failures_add(failures, key, "%s", reason);

	if (r == 0 && failures->n > n)
		failures->items[n].is_gone = true;
	return r;
}

void failures_clear(struct failures *failures)
{
	free(failures->items);
	free(failures->places);
	*failures = (struct failures){};
}
