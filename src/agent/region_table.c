/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A copy of the array in our own memory answers whether a list has changed, without a call for each element.
 */
#include "region_table.h"

#include <bpf/bpf.h>

struct resting {
	uint32_t first, count;
	uint64_t since_ms;
};

struct region_table {
	int fd;
	uint32_t value_size, size;
	uint8_t *copy;
	uint32_t *keys; /* 0, 1, 2 ... for batches */
	struct regions *regions;
	struct resting *resting; /* oldest first */
	size_t n_resting;
};

int region_table_new(int fd, struct region_table **ret)
{
	struct region_table *table;
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
	r = table->copy && table->keys ? regions_new(info.max_entries, &table->regions) : -ENOMEM;
	if (r < 0) {
		region_table_free(table);
		return r;
	}
	for (uint32_t i = 0; i < table->size; i++)
		table->keys[i] = i;
	*ret = table;
	return 0;
}

struct region_table *region_table_free(struct region_table *table)
{
	if (!table)
		return NULL;
	regions_free(table->regions);
	free(table->resting);
	free(table->copy);
	free(table->keys);
	free(table);
	return NULL;
}

static uint8_t *element(const struct region_table *table, uint32_t index)
{
	return table->copy + (size_t)index * table->value_size;
}

int region_table_reset(struct region_table *table)
{
	struct regions *regions;
	int r = regions_new(table->size, &regions);

	if (r < 0)
		return r;
	regions_free(table->regions);
	table->regions = regions;
	table->n_resting = 0;
	return 0;
}

int region_table_adopt(struct region_table *table, uint32_t first, uint32_t count)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	uint32_t before = first - 1, position, n = count;
	int r;

	if (count == 0)
		return 0;
	r = regions_claim(table->regions, first, count);
	if (r < 0)
		return r;
	/* An array's batch starts behind the key that it is given. The keys that come back are those that
	 * stand there. */
	if (bpf_map_lookup_batch(table->fd, first ? &before : NULL, &position, table->keys + first,
				 element(table, first), &n, &opts) < 0 &&
	    errno != ENOENT)
		return -errno;
	return n == count ? 0 : -EIO;
}

bool region_table_equals(const struct region_table *table, uint32_t first, const void *elements,
			 uint32_t count)
{
	return count == 0 || memcmp(element(table, first), elements, (size_t)count * table->value_size) == 0;
}

/* Frees regions that have rested long enough. */
static int wake_up(struct region_table *table, uint64_t now_ms)
{
	size_t n = 0;
	int r = 0;

	while (n < table->n_resting && r == 0 && now_ms - table->resting[n].since_ms >= REGION_REST_MS) {
		r = regions_give(table->regions, table->resting[n].first, table->resting[n].count);
		n += r == 0;
	}
	if (n == 0)
		return r;
	table->n_resting -= n;
	memmove(table->resting, table->resting + n, table->n_resting * sizeof(*table->resting));
	return r;
}

int region_table_write(struct region_table *table, const void *elements, uint32_t count, uint32_t *ret_first)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	uint32_t first, n = count;
	int r;

	if (count == 0) {
		*ret_first = 0;
		return 0;
	}
	r = wake_up(table, now_mono_ms());
	if (r == 0)
		r = regions_take(table->regions, count, &first);
	if (r < 0)
		return r;
	memcpy(element(table, first), elements, (size_t)count * table->value_size);
	if (bpf_map_update_batch(table->fd, table->keys + first, element(table, first), &n, &opts) < 0) {
		r = -errno;
		(void)regions_give(table->regions, first, count);
		return r;
	}
	*ret_first = first;
	return 0;
}

int region_table_retire(struct region_table *table, uint32_t first, uint32_t count)
{
	struct resting *resting;

	if (count == 0)
		return 0;
	resting = realloc(table->resting, (table->n_resting + 1) * sizeof(*resting));
	if (!resting)
		return -ENOMEM;
	table->resting = resting;
	resting[table->n_resting++] = (struct resting){first, count, now_mono_ms()};
	return 0;
}
