/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One sorted array of pointers per kind; each row lives in an allocation of its own, together with its id.
 * Finding is a binary search, inserting moves the pointers behind, and rows that arrive in the order of their
 * keys (the store and the feed send them so) are appended. A row remembers the place where it was last seen,
 * so that walking costs a comparison of pointers per step and a search only after rows before it came or
 * went.
 */
#include "snapshot.h"

#include <inttypes.h>

struct entry {
	size_t place; /* a guess, checked before use */
	char *id;     /* behind the row */
	_Alignas(8) unsigned char row[];
};

struct list {
	struct entry **entries;
	size_t n_entries, size;
};

struct snapshot {
	struct list lists[KIND_COUNT_];
	uint64_t revision;
};

int snapshot_new(struct snapshot **ret)
{
	struct snapshot *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	*ret = s;
	return 0;
}

struct snapshot *snapshot_free(struct snapshot *s)
{
	if (!s)
		return NULL;
	snapshot_clear(s);
	for (int kind = 0; kind < KIND_COUNT_; kind++)
		free(s->lists[kind].entries);
	free(s);
	return NULL;
}

void snapshot_clear(struct snapshot *s)
{
	for (int kind = 0; kind < KIND_COUNT_; kind++) {
		struct list *list = &s->lists[kind];

		for (size_t i = 0; i < list->n_entries; i++)
			free(list->entries[i]);
		list->n_entries = 0;
	}
}

uint64_t snapshot_revision(const struct snapshot *s)
{
	return s->revision;
}

void snapshot_set_revision(struct snapshot *s, uint64_t revision)
{
	s->revision = revision;
}

static struct entry *entry_of(const void *row)
{
	return container_of((unsigned char *)(uintptr_t)row, struct entry, row);
}

const char *snapshot_id(const void *row)
{
	return entry_of(row)->id;
}

/* The first place whose id is not below `id`. */
static size_t lower_bound(const struct list *list, const char *id)
{
	size_t low = 0, high = list->n_entries;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(list->entries[middle]->id, id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct entry *entry_at(const struct list *list, size_t place)
{
	struct entry *entry = place < list->n_entries ? list->entries[place] : NULL;

	if (entry)
		entry->place = place;
	return entry;
}

static struct entry *entry_find(const struct list *list, const char *id)
{
	struct entry *entry = entry_at(list, lower_bound(list, id));

	return entry && streq(entry->id, id) ? entry : NULL;
}

static size_t place_of(const struct list *list, const struct entry *entry)
{
	if (entry->place < list->n_entries && list->entries[entry->place] == entry)
		return entry->place;
	return lower_bound(list, entry->id);
}

static struct entry *entry_new(const char *id, size_t row_size)
{
	struct entry *entry = malloc(sizeof(*entry) + row_size + strlen(id) + 1);

	if (!entry)
		return NULL;
	entry->place = 0;
	entry->id = (char *)entry->row + row_size;
	memcpy(entry->id, id, strlen(id) + 1);
	return entry;
}

static int list_insert(struct list *list, struct entry *entry)
{
	size_t place = list->n_entries;

	if (list->n_entries == list->size) {
		size_t size = list->size ? 2 * list->size : 16;
		struct entry **entries = realloc(list->entries, size * sizeof(struct entry *));

		if (!entries)
			return -ENOMEM;
		list->entries = entries;
		list->size = size;
	}
	if (place > 0 && strcmp(list->entries[place - 1]->id, entry->id) > 0)
		place = lower_bound(list, entry->id);
	memmove(list->entries + place + 1, list->entries + place,
		(list->n_entries - place) * sizeof(struct entry *));
	list->entries[place] = entry;
	list->n_entries++;
	entry->place = place;
	return 0;
}

static void list_remove(struct list *list, const char *id)
{
	struct entry *entry = entry_find(list, id);
	size_t place;

	if (!entry)
		return;
	place = entry->place;
	free(entry);
	list->n_entries--;
	memmove(list->entries + place, list->entries + place + 1,
		(list->n_entries - place) * sizeof(struct entry *));
}

/* Reads the row and makes sure that it belongs under this key. */
static int read_row(enum kind kind, const char *key, const json_t *json, void *ret)
{
	char own_key[KEY_SIZE];
	int r;

	r = row_from_json(kind, json, ret, NULL);
	if (r == 0)
		r = row_key(kind, ret, own_key);
	if (r < 0)
		return r;
	return streq(key, own_key) ? 0 : -EINVAL;
}

int snapshot_apply(struct snapshot *s, const char *key, const json_t *json, uint64_t created,
		   uint64_t revision)
{
	_cleanup_(freep) struct entry *fresh = NULL;
	const struct kind_info *info;
	struct entry *present;
	struct row_meta *meta;
	struct list *list;
	enum kind kind;
	const char *id;
	int r;

	r = kind_of_key(key, &kind);
	if (r < 0)
		return r;
	info = kind_info(kind);
	list = &s->lists[kind];
	id = key + strlen(info->name) + 1;

	if (!json) {
		list_remove(list, id);
		s->revision = MAX(s->revision, revision);
		return 0;
	}

	fresh = entry_new(id, info->size);
	if (!fresh)
		return -ENOMEM;
	r = read_row(kind, key, json, fresh->row);
	if (r < 0)
		return r;
	meta = (struct row_meta *)fresh->row; /* the first member of every row */
	meta->created = created;
	meta->modified = revision;

	present = entry_find(list, id);
	if (present) {
		memcpy(present->row, fresh->row, info->size);
	} else {
		r = list_insert(list, fresh);
		if (r < 0)
			return r;
		fresh = NULL;
	}
	s->revision = MAX(s->revision, revision);
	return 0;
}

const void *snapshot_find(const struct snapshot *s, enum kind kind, const char *id)
{
	const struct entry *entry = entry_find(&s->lists[kind], id);

	return entry ? entry->row : NULL;
}

const void *snapshot_next(const struct snapshot *s, enum kind kind, const char *prefix, const void *previous)
{
	const struct list *list = &s->lists[kind];
	const struct entry *entry;
	size_t place;

	place = previous ? place_of(list, entry_of(previous)) + 1 : lower_bound(list, prefix);
	entry = entry_at(list, place);
	return entry && str_starts(entry->id, prefix) ? entry->row : NULL;
}

size_t snapshot_count(const struct snapshot *s, enum kind kind, const char *prefix)
{
	const struct list *list = &s->lists[kind];
	size_t first, low, high = list->n_entries;

	first = low = lower_bound(list, prefix);
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (str_starts(list->entries[middle]->id, prefix))
			low = middle + 1;
		else
			high = middle;
	}
	return low - first;
}

const struct account *snapshot_account(const struct snapshot *s, int64_t uid)
{
	char id[ID_SIZE];

	(void)str_format(id, sizeof(id), "%" PRId64, uid);
	return snapshot_find(s, KIND_ACCOUNT, id);
}

const struct endpoint_zone *snapshot_endpoint_zone(const struct snapshot *s, const char *endpoint,
						   const char *zone)
{
	char id[ID_SIZE + ZONE_SIZE];

	if (str_format(id, sizeof(id), "%s/%s", endpoint, zone) < 0)
		return NULL;
	return snapshot_find(s, KIND_ENDPOINT_ZONE, id);
}
