/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The free spans stand in an array sorted by their place. There are few of them: at most one more than there
 * are taken regions, and neighbours join at once.
 */
#include "regions.h"

#include "../lib/vec.h"

struct span {
	uint32_t first, count;
};

struct regions {
	struct span *spans; /* free, sorted, never touching each other */
	size_t n_spans, spans_size;
	uint32_t size;
};

int regions_new(uint32_t size, struct regions **ret)
{
	struct regions *regions = calloc(1, sizeof(*regions));

	if (!regions)
		return -ENOMEM;
	regions->spans = malloc(sizeof(*regions->spans));
	if (!regions->spans) {
		free(regions);
		return -ENOMEM;
	}
	regions->spans[0] = (struct span){.count = size};
	regions->n_spans = size > 0;
	regions->size = size;
	*ret = regions;
	return 0;
}

struct regions *regions_free(struct regions *regions)
{
	if (!regions)
		return NULL;
	free(regions->spans);
	free(regions);
	return NULL;
}

static void remove_span(struct regions *regions, size_t i)
{
	regions->n_spans--;
	memmove(&regions->spans[i], &regions->spans[i + 1], (regions->n_spans - i) * sizeof(*regions->spans));
}

static int insert_span(struct regions *regions, size_t i, struct span span)
{
	struct span *spans;
	int r = VEC_ROOM(regions->spans, regions->n_spans, regions->spans_size);

	if (r < 0)
		return r;
	spans = regions->spans;
	memmove(&spans[i + 1], &spans[i], (regions->n_spans - i) * sizeof(*spans));
	spans[i] = span;
	regions->n_spans++;
	return 0;
}

int regions_take(struct regions *regions, uint32_t count, uint32_t *ret_first)
{
	for (size_t i = 0; i < regions->n_spans; i++) {
		struct span *span = &regions->spans[i];

		if (span->count < count)
			continue;
		*ret_first = span->first;
		span->first += count;
		span->count -= count;
		if (span->count == 0)
			remove_span(regions, i);
		return 0;
	}
	return -ENOSPC;
}

int regions_claim(struct regions *regions, uint32_t first, uint32_t count)
{
	uint64_t end = (uint64_t)first + count;

	for (size_t i = 0; i < regions->n_spans; i++) {
		struct span *span = &regions->spans[i];
		uint64_t span_end = (uint64_t)span->first + span->count;
		struct span behind = {.first = (uint32_t)end, .count = (uint32_t)(span_end - end)};

		if (first < span->first || end > span_end)
			continue;
		span->count = first - span->first;
		if (end < span_end) {
			int r = insert_span(regions, i + 1, behind);

			if (r < 0) {
				regions->spans[i].count = (uint32_t)(span_end - regions->spans[i].first);
				return r;
			}
		}
		if (regions->spans[i].count == 0)
			remove_span(regions, i);
		return 0;
	}
	return -EEXIST;
}

int regions_give(struct regions *regions, uint32_t first, uint32_t count)
{
	struct span *before, *after;
	size_t i = 0;

	while (i < regions->n_spans && regions->spans[i].first < first)
		i++;
	before = i > 0 ? &regions->spans[i - 1] : NULL;
	after = i < regions->n_spans ? &regions->spans[i] : NULL;
	if (before && before->first + before->count != first)
		before = NULL;
	if (after && first + count != after->first)
		after = NULL;

	if (before && after) {
		before->count += count + after->count;
		remove_span(regions, i);
	} else if (before) {
		before->count += count;
	} else if (after) {
		after->first = first;
		after->count += count;
	} else {
		return insert_span(regions, i, (struct span){.first = first, .count = count});
	}
	return 0;
}

uint32_t regions_free_count(const struct regions *regions)
{
	uint32_t count = 0;

	for (size_t i = 0; i < regions->n_spans; i++)
		count += regions->spans[i].count;
	return count;
}
