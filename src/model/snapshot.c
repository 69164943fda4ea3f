/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One sorted array of pointers per kind; each row lives in an allocation of its own, together with its id.
 * Finding is a binary search, inserting moves the pointers behind, and rows that arrive in the order of their
 * keys (the store and the feed send them so) are appended. A row remembers the place where it was last seen,
 * so that walking costs a comparison of pointers per step and a search only after rows before it came or
 * went.
 *
 * A row's shared texts are held in `texts` from when it was read until it has gone, or has others.
 *
 * Rows that name another one are found in an index (child_index.c), which takes about 80 bytes for each row
 * that is named and 8 for each that names it; those whose ids begin with the other's lie side by side anyway,
 * and need none.
 */
#include "snapshot.h"

#include "../lib/vec.h"
#include "check.h"
#include "child_index.h"
#include "numbers.h"
#include "texts.h"

/* The parts of objects that are counted for their owners: of each kind of object, one. The keys of such rows
 * begin with the object's id, so that what they are a part of never changes. */
static const struct {
	enum kind part, whole;
	enum ref ref;
} counted[] = {
	{KIND_SG_RULE, KIND_SECURITY_GROUP, REF_SG_RULE_GROUP},
	{KIND_SERVER, KIND_SERVER_GROUP, REF_SERVER_GROUP},
	{KIND_SERVICE_USER, KIND_SERVICE, REF_SERVICE_USER_SERVICE},
};

struct entry {
	uint32_t place; /* a guess, checked before use */
	uint32_t id_at; /* in `row`: where the row has its id itself, else behind it */
	_Alignas(8) unsigned char row[];
};

struct list {
	struct entry **entries;
	size_t n_entries, size;
};

struct snapshot {
	struct list lists[KIND_COUNT_];
	struct child_index children;
	struct texts texts;
	struct numbers numbers[KIND_COUNT_]; /* of VPCs and ports */
	uint64_t revision;
};

int snapshot_new(struct snapshot **ret)
{
	struct snapshot *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	texts_begin(&s->texts);
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

/* The bytes of what a shared member points to; 0: it has nothing. */
static size_t shared_size(const struct field *field, const void *row)
{
	const unsigned char *bytes = row;

	if (field_is_absent(field, row))
		return 0;
	if (field->type == FIELD_SHARED_LIST)
		return *(const uint32_t *)(const void *)(bytes + field->count_offset) * field->size;
	return strlen(*(const char *const *)(const void *)(bytes + field->offset)) + 1;
}

/* Holds the row's shared texts, in place of those that it has borrowed. */
static int hold_texts(struct snapshot *s, enum kind kind, unsigned char *row)
{
	const struct kind_info *info = kind_info(kind);
	int r = 0;

	for (size_t i = 0; i < info->n_fields; i++) {
		const struct field *field = &info->fields[i];
		const char **member = (const char **)(void *)(row + field->offset);
		size_t size;

		if (!field_is_shared(field))
			continue;
		size = r < 0 ? 0 : shared_size(field, row);
		*member = size ? texts_hold(&s->texts, *member, size) : row_nothing;
		if (!*member) {
			*member = row_nothing;
			r = -ENOMEM;
		}
	}
	return r;
}

static void entry_free(struct snapshot *s, enum kind kind, struct entry *entry)
{
	const struct kind_info *info = kind_info(kind);

	for (size_t i = 0; i < info->n_fields; i++) {
		const struct field *field = &info->fields[i];
		const char **member = (const char **)(void *)(entry->row + field->offset);

		if (field_is_shared(field) && *member != row_nothing)
			texts_release(&s->texts, *member);
	}
	free(entry);
}

void snapshot_clear(struct snapshot *s)
{
	snapshot_clear_breathing(s, NULL);
}

void snapshot_clear_breathing(struct snapshot *s, const struct breath *breath)
{
	for (enum kind kind = 0; kind < KIND_COUNT_; kind++) {
		struct list *list = &s->lists[kind];

		for (size_t i = 0; i < list->n_entries; i++) {
			breathe(breath);
			entry_free(s, kind, list->entries[i]);
		}
		list->n_entries = 0;
	}
	breathe(breath);
	child_index_clear(&s->children);
	numbers_done(&s->numbers[KIND_VPC]);
	numbers_done(&s->numbers[KIND_PORT]);
	texts_done(&s->texts);
}

void snapshot_swap(struct snapshot *a, struct snapshot *b)
{
	struct snapshot kept = *a;

	*a = *b;
	*b = kept;
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
	return (const char *)row + entry_of(row)->id_at;
}

static const char *entry_id(const struct entry *entry)
{
	return (const char *)entry->row + entry->id_at;
}

/* The first place whose id is not below `id`. */
static size_t lower_bound(const struct list *list, const char *id)
{
	return LOWER_BOUND(i, list->n_entries, strcmp(entry_id(list->entries[i]), id) < 0);
}

static struct entry *entry_at(const struct list *list, size_t place)
{
	struct entry *entry = place < list->n_entries ? list->entries[place] : NULL;

	if (entry)
		entry->place = (uint32_t)place;
	return entry;
}

static struct entry *entry_find(const struct list *list, const char *id)
{
	struct entry *entry = entry_at(list, lower_bound(list, id));

	return entry && streq(entry_id(entry), id) ? entry : NULL;
}

static size_t place_of(const struct list *list, const struct entry *entry)
{
	if (entry->place < list->n_entries && list->entries[entry->place] == entry)
		return entry->place;
	return lower_bound(list, entry_id(entry));
}

/* Room for the row of that id, which is to be read into it. */
static struct entry *entry_new(enum kind kind, const char *id)
{
	const struct field *own = kind_own_id(kind);
	size_t row_size = kind_info(kind)->size, id_size = own ? 0 : strlen(id) + 1;
	struct entry *entry = malloc(sizeof(*entry) + row_size + id_size);

	if (!entry)
		return NULL;
	entry->place = 0;
	entry->id_at = (uint32_t)(own ? own->offset : row_size);
	memcpy(entry->row + row_size, id, id_size);
	return entry;
}

static int list_insert(struct list *list, struct entry *entry)
{
	size_t place = list->n_entries;

	int r = VEC_ROOM(list->entries, list->n_entries, list->size);

	if (r < 0)
		return r;
	if (place > 0 && strcmp(entry_id(list->entries[place - 1]), entry_id(entry)) > 0)
		place = lower_bound(list, entry_id(entry));
	memmove(list->entries + place + 1, list->entries + place,
		(list->n_entries - place) * sizeof(struct entry *));
	list->entries[place] = entry;
	list->n_entries++;
	entry->place = (uint32_t)place;
	return 0;
}

static void list_remove(struct list *list, struct entry *entry)
{
	size_t place = place_of(list, entry);

	list->n_entries--;
	memmove(list->entries + place, list->entries + place + 1,
		(list->n_entries - place) * sizeof(struct entry *));
}

/* Entries of whitelists that an earlier version has stored do not say the region of their service. It comes
 * before them, and does. */
static void add_region(const struct snapshot *s, struct service_user *user)
{
	const struct service *service = *user->region ? NULL : snapshot_service(s, user->service);

	if (service)
		user->region = service->region;
}

/* Reads the row, from JSON or from a text, and makes sure that it belongs under this key. */
static int read_row(struct snapshot *s, enum kind kind, const char *key, const json_t *json, char *text,
		    unsigned char *ret)
{
	struct row_lists lists;
	char own_key[KEY_SIZE];
	int r;

	r = text ? row_from_text(kind, text, ret, &lists) : row_from_json(kind, json, ret, &lists, NULL);
	if (r == 0)
		r = row_key(kind, ret, own_key);
	if (r == 0 && !streq(key, own_key))
		r = -EINVAL;
	if (r < 0)
		row_clear(kind, ret); /* it holds nothing */
	else if (kind == KIND_SERVICE_USER)
		add_region(s, (struct service_user *)(void *)ret);
	return r < 0 ? r : hold_texts(s, kind, ret);
}

static void swap_rows(void *a, void *b, size_t size)
{
	unsigned char *x = a, *y = b;

	for (size_t i = 0; i < size; i++) {
		unsigned char byte = x[i];

		x[i] = y[i];
		y[i] = byte;
	}
}

/* A row comes or goes, or what it names changes: the parts that it has or is, at the owner of the object. The
 * index has that owner meanwhile. */
static void count_parts(struct snapshot *s, enum kind kind, const void *row, bool add)
{
	void (*count)(struct child_index * index, enum ref ref, const char *id, size_t n) =
		add ? child_index_add_parts : child_index_take_parts;
	char text[UID_TEXT_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(counted); i++) {
		const void *whole = NULL;
		enum kind whole_kind;
		enum ref owner;
		size_t n = 1;

		if (kind == counted[i].part) {
			whole = snapshot_parent(s, counted[i].ref, row, &whole_kind);
		} else if (kind == counted[i].whole) {
			whole = row;
			n = snapshot_count_children(s, counted[i].ref, snapshot_id(row));
		}
		if (!whole || n == 0)
			continue;
		owner = relation_owner(counted[i].whole);
		count(&s->children, owner, relation_id(owner, whole, 0, text), n);
	}
}

static int reserve_numbers(struct snapshot *s, enum kind kind)
{
	return kind == KIND_VPC || kind == KIND_PORT ? numbers_reserve(&s->numbers[kind]) : 0;
}

/* A row comes or goes. A port's MAC stays when it gets another number, so it can have two. */
static void note_numbers(struct snapshot *s, enum kind kind, const void *row, bool add)
{
	void (*note)(struct numbers * numbers, uint32_t number) = add ? numbers_add : numbers_remove;

	if (kind == KIND_VPC) {
		note(&s->numbers[kind], ((const struct vpc *)row)->number);
	} else if (kind == KIND_PORT) {
		const struct port *port = row;

		note(&s->numbers[kind], port->number);
		note(&s->numbers[kind], port_mac_number(&port->mac));
	}
}

/* The row stays where it is. `fresh` has its new value, and the old one afterwards. */
static int change_entry(struct snapshot *s, enum kind kind, struct entry *present, struct entry *fresh)
{
	size_t size = kind_info(kind)->size;
	int r;

	if (child_index_name_alike(kind, present->row, fresh->row)) {
		note_numbers(s, kind, present->row, false);
		swap_rows(present->row, fresh->row, size);
		note_numbers(s, kind, present->row, true);
		return 0;
	}
	r = child_index_reserve(&s->children, kind, fresh->row);
	if (r < 0)
		return r;
	note_numbers(s, kind, present->row, false);
	count_parts(s, kind, present->row, false);
	child_index_remove(&s->children, kind, present->row);
	swap_rows(present->row, fresh->row, size);
	child_index_add(&s->children, kind, present->row);
	count_parts(s, kind, present->row, true);
	note_numbers(s, kind, present->row, true);
	child_index_prune(&s->children, kind, fresh->row);
	return 0;
}

static int insert_entry(struct snapshot *s, enum kind kind, struct entry *entry)
{
	int r;

	r = list_insert(&s->lists[kind], entry);
	if (r < 0)
		return r;
	r = child_index_insert(&s->children, kind, entry->row);
	if (r < 0) {
		list_remove(&s->lists[kind], entry);
		return r;
	}
	count_parts(s, kind, entry->row, true);
	note_numbers(s, kind, entry->row, true);
	return 0;
}

static void remove_entry(struct snapshot *s, enum kind kind, const char *id)
{
	struct entry *entry = entry_find(&s->lists[kind], id);

	if (!entry)
		return;
	count_parts(s, kind, entry->row, false);
	note_numbers(s, kind, entry->row, false);
	child_index_remove(&s->children, kind, entry->row);
	child_index_prune(&s->children, kind, entry->row);
	list_remove(&s->lists[kind], entry);
	entry_free(s, kind, entry);
}

static int put_row(struct snapshot *s, enum kind kind, const char *key, const json_t *json, char *text,
		   uint64_t created, uint64_t revision)
{
	const char *id = key + strlen(kind_info(kind)->name) + 1;
	struct entry *present, *fresh = entry_new(kind, id);
	struct row_meta *meta;
	int r;

	if (!fresh)
		return -ENOMEM;
	r = read_row(s, kind, key, json, text, fresh->row);
	if (r < 0) {
		entry_free(s, kind, fresh);
		return r;
	}
	meta = (struct row_meta *)fresh->row; /* the first member of every row */
	meta->created = created;
	meta->modified = revision;

	present = entry_find(&s->lists[kind], id);
	r = reserve_numbers(s, kind);
	if (r == 0)
		r = present ? change_entry(s, kind, present, fresh) : insert_entry(s, kind, fresh);
	if (r < 0 || present)
		entry_free(s, kind, fresh);
	if (r == 0)
		s->revision = MAX(s->revision, revision);
	return r;
}

int snapshot_apply(struct snapshot *s, const char *key, const json_t *json, uint64_t created,
		   uint64_t revision)
{
	enum kind kind;
	int r;

	r = kind_of_key(key, &kind);
	if (r < 0)
		return r;
	if (json)
		return put_row(s, kind, key, json, NULL, created, revision);
	remove_entry(s, kind, key + strlen(kind_info(kind)->name) + 1);
	s->revision = MAX(s->revision, revision);
	return 0;
}

int snapshot_apply_text(struct snapshot *s, const char *key, char *text, uint64_t created, uint64_t revision)
{
	enum kind kind;
	int r = kind_of_key(key, &kind);

	return r < 0 ? r : put_row(s, kind, key, NULL, text, created, revision);
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
	return entry && str_starts(entry_id(entry), prefix) ? entry->row : NULL;
}

const void *snapshot_behind(const struct snapshot *s, enum kind kind, const char *id)
{
	const struct list *list = &s->lists[kind];
	size_t place = lower_bound(list, id);
	const struct entry *entry = entry_at(list, place);

	if (entry && streq(entry_id(entry), id))
		entry = entry_at(list, place + 1);
	return entry ? entry->row : NULL;
}

const void *snapshot_at(const struct snapshot *s, enum kind kind, size_t n)
{
	const struct entry *entry = entry_at(&s->lists[kind], n);

	return entry ? entry->row : NULL;
}

size_t snapshot_count(const struct snapshot *s, enum kind kind, const char *prefix)
{
	const struct list *list = &s->lists[kind];
	size_t first = lower_bound(list, prefix);

	return LOWER_BOUND(i, list->n_entries - first,
			   str_starts(entry_id(list->entries[first + i]), prefix));
}

/* What children begin with that are found by their ids; "": the whole id. False: they are in the index. */
static bool children_prefix(enum ref ref, const char *id, char ret[KEY_SIZE])
{
	const struct relation *relation = relation_info(ref);

	if (relation->member && !relation_leads_key(ref))
		return false;
	ret[0] = '\0';
	if (relation->member && kind_info(relation->kind)->key[1]) {
		size_t length =
			strnlen(id, KEY_SIZE - 2); /* in each step of a walk, so nothing is formatted */

		memcpy(ret, id, length);
		memcpy(ret + length, "/", 2);
	}
	return true;
}

const void *snapshot_children_in(const struct snapshot *s, enum ref ref, const char *id, const char *within,
				 const void *previous)
{
	enum kind kind = relation_info(ref)->kind;
	char prefix[KEY_SIZE];

	if (!*id)
		return NULL;
	if (!children_prefix(ref, id, prefix))
		return child_index_next(&s->children, ref, id, within, previous);
	if (*prefix)
		return snapshot_next(s, kind, prefix, previous);
	return previous ? NULL : snapshot_find(s, kind, id);
}

size_t snapshot_count_children_in(const struct snapshot *s, enum ref ref, const char *id, const char *within)
{
	enum kind kind = relation_info(ref)->kind;
	char prefix[KEY_SIZE];

	if (!*id)
		return 0;
	if (!children_prefix(ref, id, prefix))
		return child_index_count(&s->children, ref, id, within);
	if (*prefix)
		return snapshot_count(s, kind, prefix);
	return snapshot_find(s, kind, id) ? 1 : 0;
}

const void *snapshot_children_behind(const struct snapshot *s, enum ref ref, const char *id,
				     const char *within, const char *behind)
{
	enum kind kind = relation_info(ref)->kind;
	char prefix[KEY_SIZE];
	const void *row;

	if (!*id)
		return NULL;
	if (!children_prefix(ref, id, prefix))
		return child_index_behind(&s->children, ref, id, within, behind);
	if (!*prefix)
		return strcmp(id, behind) > 0 ? snapshot_find(s, kind, id) : NULL;
	if (strcmp(prefix, behind) > 0)
		return snapshot_next(s, kind, prefix, NULL);
	row = snapshot_behind(s, kind, behind);
	return row && str_starts(snapshot_id(row), prefix) ? row : NULL;
}

const void *snapshot_children_at(const struct snapshot *s, enum ref ref, const char *id, const char *within,
				 size_t n)
{
	enum kind kind = relation_info(ref)->kind;
	char prefix[KEY_SIZE];
	const void *row;

	if (!*id)
		return NULL;
	if (!children_prefix(ref, id, prefix))
		return child_index_at(&s->children, ref, id, within, n);
	if (!*prefix)
		return n == 0 ? snapshot_find(s, kind, id) : NULL;
	row = snapshot_at(s, kind, lower_bound(&s->lists[kind], prefix) + n);
	return row && str_starts(snapshot_id(row), prefix) ? row : NULL;
}

size_t snapshot_count_parts(const struct snapshot *s, enum ref ref, int64_t owner)
{
	char uid[UID_TEXT_SIZE];

	relation_uid(owner, uid);
	for (size_t i = 0; i < ARRAY_SIZE(counted); i++)
		if (counted[i].ref == ref)
			return child_index_parts(&s->children, relation_owner(counted[i].whole), uid);
	return 0;
}

bool snapshot_has_number(const struct snapshot *s, enum kind kind, uint32_t number)
{
	return numbers_has(&s->numbers[kind], number);
}

size_t snapshot_count_numbers(const struct snapshot *s, enum kind kind)
{
	return s->numbers[kind].n;
}

/* The kind and id that a row of the snapshot names first; -ENOENT: none, or none that there can be. */
static int parent_of(enum ref ref, const void *row, enum kind *ret_kind, const char **ret_id,
		     char text[UID_TEXT_SIZE])
{
	*ret_id = relation_info(ref)->member ? relation_id(ref, row, 0, text) : snapshot_id(row);
	return *ret_id && **ret_id ? relation_parent(ref, *ret_id, ret_kind) : -ENOENT;
}

const void *snapshot_parent(const struct snapshot *s, enum ref ref, const void *row, enum kind *ret)
{
	char text[UID_TEXT_SIZE];
	const char *id;

	return parent_of(ref, row, ret, &id, text) < 0 ? NULL : snapshot_find(s, *ret, id);
}

bool snapshot_is_orphan(const struct snapshot *s, enum kind kind, const void *row)
{
	char text[UID_TEXT_SIZE];

	for (enum ref ref = relation_first(kind); ref < REF_COUNT_ && relation_info(ref)->kind == kind;
	     ref++) {
		enum kind parent;
		const char *id;

		if (!(relation_info(ref)->follows & REF_PART))
			continue;
		if (parent_of(ref, row, &parent, &id, text) == 0 && !snapshot_find(s, parent, id))
			return true;
	}
	return false;
}

bool snapshot_is_used(const struct snapshot *s, enum kind kind, const char *id, enum ref besides)
{
	for (enum ref ref = 0; ref < REF_COUNT_; ref++)
		if (ref != besides && relation_names(ref, kind) &&
		    !(relation_info(ref)->follows & REF_PART) && snapshot_count_children(s, ref, id) > 0)
			return true;
	return false;
}

const struct account *snapshot_account(const struct snapshot *s, int64_t uid)
{
	char id[UID_TEXT_SIZE];

	relation_uid(uid, id);
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
