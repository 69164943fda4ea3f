/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hash map hands out whole buckets, so a batch must have room for the fullest bucket (-ENOSPC says that it
 * has not, and the walk goes on with a bigger one). Rows that are inserted during the walk may be missed;
 * rows of configuration have no other writer, and a flow that is missed is seen by the next sweep.
 */
#include "table.h"

#include <bpf/bpf.h>

#define BATCH_ROWS     4096u
#define BATCH_ROWS_MAX (1u << 20)
#define ROW_VALUE_MAX  256

static int map_info(int fd, struct bpf_map_info *ret)
{
	uint32_t size = sizeof(*ret);

	memset(ret, 0, sizeof(*ret));
	return bpf_obj_get_info_by_fd(fd, ret, &size) < 0 ? -errno : 0;
}

int table_init(struct table *table, const char *name, int fd)
{
	struct bpf_map_info info;
	int r = map_info(fd, &info);

	if (r < 0)
		return r;
	*table = (struct table){
		.name = name,
		.fd = fd,
		.is_array = info.type == BPF_MAP_TYPE_ARRAY,
		.max_entries = info.max_entries,
		.mirror = rowset_make(info.key_size, info.value_size),
	};
	return 0;
}

void table_done(struct table *table)
{
	rowset_done(&table->mirror);
}

static int cursor_resize(struct table_cursor *cursor, uint32_t rows, const struct bpf_map_info *info)
{
	uint8_t *keys = realloc(cursor->keys, (size_t)rows * info->key_size), *values;

	if (keys)
		cursor->keys = keys;
	else
		return -ENOMEM;
	values = realloc(cursor->values, (size_t)rows * info->value_size);
	if (!values)
		return -ENOMEM;
	cursor->values = values;
	cursor->rows = rows;
	return 0;
}

static int call_rows(const struct table_cursor *cursor, uint32_t n, const struct bpf_map_info *info,
		     table_row callback, void *context)
{
	int r = 0;

	for (uint32_t i = 0; i < n && r >= 0; i++)
		r = callback(context, cursor->keys + (size_t)i * info->key_size,
			     cursor->values + (size_t)i * info->value_size);
	return r < 0 ? r : 0;
}

void table_cursor_done(struct table_cursor *cursor)
{
	free(cursor->keys);
	free(cursor->values);
	*cursor = (struct table_cursor){};
}

int table_walk_on(int fd, struct table_cursor *cursor, table_row callback, void *context)
{
	struct bpf_map_info info;
	uint32_t n;
	int r = map_info(fd, &info);

	if (r == 0 && !cursor->rows)
		r = cursor_resize(cursor, MIN(BATCH_ROWS, info.max_entries), &info);
	while (r == 0) {
		n = cursor->rows;
		r = bpf_map_lookup_batch(fd, cursor->is_begun ? cursor->position : NULL, cursor->position,
					 cursor->keys, cursor->values, &n, NULL) < 0
			    ? -errno
			    : 1;
		if (r == -ENOSPC && cursor->rows < BATCH_ROWS_MAX)
			r = cursor_resize(cursor, cursor->rows * 4, &info);
	}
	if (r > 0 || r == -ENOENT) {
		int q = call_rows(cursor, n, &info, callback, context);

		r = q < 0 ? q : r > 0;
	}
	cursor->is_begun = true;
	if (r <= 0)
		table_cursor_done(cursor);
	return r;
}

int table_walk(int fd, table_row callback, void *context)
{
	struct table_cursor cursor = {};
	int r;

	do
		r = table_walk_on(fd, &cursor, callback, context);
	while (r > 0);
	return r;
}

static bool is_zero(const uint8_t *value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (value[i])
			return false;
	return true;
}

static int load_row(void *context, const void *key, const void *value)
{
	struct table *table = context;

	if (table->is_array && is_zero(value, table->mirror.value_size))
		return 0;
	return rowset_append(&table->mirror, key, value);
}

int table_load(struct table *table)
{
	struct table_cursor cursor = {};
	int r;

	rowset_clear(&table->mirror);
	do {
		r = table_walk_on(table->fd, &cursor, load_row, table);
		breathe(table->breath);
	} while (r > 0);
	rowset_sort_breathing(&table->mirror, table->breath);
	return r;
}

bool table_row_stands(const struct table *table, const void *key)
{
	const void *wanted = rowset_find(&table->mirror, key);
	uint8_t value[ROW_VALUE_MAX];
	bool is_there;

	if (table->mirror.value_size > sizeof(value))
		return false;
	is_there = bpf_map_lookup_elem(table->fd, key, value) == 0 &&
		   !(table->is_array && is_zero(value, table->mirror.value_size));
	if (!wanted || !is_there)
		return !wanted && !is_there;
	return memcmp(value, wanted, table->mirror.value_size) == 0;
}

struct table_room table_room_for(const struct table *table, const void *keys, size_t n, size_t stride)
{
	struct table_room room = {.mirror = &table->mirror, .left = SIZE_MAX};
	size_t there = 0;

	if (n <= table->max_entries)
		return room;
	for (size_t i = 0; i < n; i++)
		if (rowset_find(&table->mirror, (const uint8_t *)keys + i * stride))
			there++;
	room.left = there < table->max_entries ? table->max_entries - there : 0;
	return room;
}

bool table_room_take(struct table_room *room, const void *key)
{
	if (room->left == SIZE_MAX || rowset_find(room->mirror, key))
		return true;
	if (!room->left)
		return false;
	room->left--;
	return true;
}

struct pass {
	struct table *table;
	bool deletes;
	table_watch watch;
	void *watch_context;
};

static int change_row(struct table *table, enum row_change change, const void *key, const void *value)
{
	int r;

	if (change != ROW_DELETE) {
		r = bpf_map_update_elem(table->fd, key, value, BPF_ANY);
	} else if (table->is_array) {
		_cleanup_(freep) void *zeros = calloc(1, table->mirror.value_size);

		if (!zeros)
			return -ENOMEM;
		r = bpf_map_update_elem(table->fd, key, zeros, BPF_ANY);
	} else {
		r = bpf_map_delete_elem(table->fd, key);
		if (r < 0 && errno == ENOENT)
			r = 0;
	}
	return r < 0 ? -errno : 0;
}

static int pass_row(void *context, enum row_change change, const void *key, const void *value)
{
	struct pass *pass = context;
	int r = 0;

	if ((change == ROW_DELETE) != pass->deletes)
		return 0;
	breathe(pass->table->breath);
	if (pass->watch)
		r = pass->watch(pass->watch_context, change, key, value);
	return r < 0 ? r : change_row(pass->table, change, key, value);
}

static int copy_rows(struct rowset *to, const struct rowset *from)
{
	int r = 0;

	rowset_clear(to);
	for (size_t i = 0; i < from->n && r == 0; i++)
		r = rowset_append(to, rowset_key(from, i), rowset_value(from, i));
	return r;
}

static int count_add(void *context, enum row_change change, const void *key, const void *value)
{
	size_t *adds = context;

	(void)key;
	(void)value;
	*adds += change == ROW_ADD;
	return 0;
}

/* The mirror without the rows that were deleted. */
static int keep_wanted(struct table *table, const struct rowset *wanted)
{
	const struct rowset *mirror = &table->mirror;
	struct rowset kept = rowset_make(mirror->key_size, mirror->value_size);
	int r = 0;

	for (size_t i = 0; i < mirror->n && r == 0; i++)
		if (rowset_find(wanted, rowset_key(mirror, i)))
			r = rowset_append(&kept, rowset_key(mirror, i), rowset_value(mirror, i));
	if (r < 0) {
		rowset_done(&kept);
		return r;
	}
	rowset_done(&table->mirror);
	table->mirror = kept;
	return 0;
}

int table_make_room(struct table *table, const struct rowset *wanted, table_watch watch, void *context)
{
	struct pass pass = {.table = table, .deletes = true, .watch = watch, .watch_context = context};
	size_t adds = 0;
	int r;

	breathe(table->breath);
	(void)rowset_diff(&table->mirror, wanted, count_add, &adds);
	breathe(table->breath);
	if (table->is_array || table->mirror.n + adds <= table->max_entries)
		return 0;
	r = rowset_diff(&table->mirror, wanted, pass_row, &pass);
	return r < 0 ? r : keep_wanted(table, wanted);
}

int table_put(struct table *table, const struct rowset *wanted, table_watch watch, void *context)
{
	struct pass pass = {.table = table, .watch = watch, .watch_context = context};

	return rowset_diff(&table->mirror, wanted, pass_row, &pass);
}

int table_prune(struct table *table, const struct rowset *wanted, table_watch watch, void *context)
{
	struct pass pass = {.table = table, .deletes = true, .watch = watch, .watch_context = context};
	int r = rowset_diff(&table->mirror, wanted, pass_row, &pass);

	breathe(table->breath);
	return r < 0 ? r : copy_rows(&table->mirror, wanted);
}

int table_put_rows(struct table *table, const struct rowset *rows)
{
	int r = 0;

	for (size_t i = 0; i < rows->n && r == 0; i++)
		r = change_row(table, ROW_UPDATE, rowset_key(rows, i), rowset_value(rows, i));
	return r < 0 ? r : rowset_put_all(&table->mirror, rows);
}

int table_delete_rows(struct table *table, const struct rowset *keys)
{
	int r = 0;

	for (size_t i = 0; i < keys->n && r == 0; i++)
		r = change_row(table, ROW_DELETE, rowset_key(keys, i), NULL);
	if (r == 0)
		rowset_remove_all(&table->mirror, keys);
	return r;
}
