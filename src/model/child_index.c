/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hash table of sorted arrays. Most rows have few children and most arrays one entry, which then lies in
 * the array's own head; rows that come in the order of their keys are appended. There is a head for nearly
 * each row, so it is as small as can be.
 */
#include "child_index.h"

#include "../lib/fnv.h"
#include "../lib/vec.h"
#include "snapshot.h"

#define SLOTS_FIRST 64

/* The rows that name one id in one reference. */
struct siblings {
	struct siblings *next; /* in their slot */
	union {
		const void *one;
		const void **many; /* sorted by id; in place of `one` when there is room for more */
	};
	uint32_t n;
	uint32_t n_parts;  /* that these rows have together, of a kind that is counted */
	uint32_t place;	   /* where the last step was: a guess */
	uint8_t size_bits; /* there is room for 1 << size_bits */
	uint8_t ref;
	char name[]; /* the id, NUL, what it is within */
};

_Static_assert(REF_COUNT_ <= UINT8_MAX, "references fit the head");

static const void **rows_of(struct siblings *siblings)
{
	return siblings->size_bits ? siblings->many : &siblings->one;
}

static const void *row_at(const struct siblings *siblings, size_t place)
{
	return siblings->size_bits ? siblings->many[place] : siblings->one;
}

static size_t slot_of(const struct child_index *index, enum ref ref, const char *id, const char *within)
{
	uint8_t number = (uint8_t)ref;
	uint64_t hash = fnv_add(FNV_START, &number, sizeof(number));

	hash = fnv_add(hash, id, strlen(id) + 1);
	hash = fnv_add(hash, within, strlen(within));
	return hash & (index->n_slots - 1);
}

static bool is_named(const struct siblings *siblings, enum ref ref, const char *id, const char *within)
{
	return siblings->ref == ref && streq(siblings->name, id) &&
	       streq(siblings->name + strlen(id) + 1, within);
}

static struct siblings *find(const struct child_index *index, enum ref ref, const char *id,
			     const char *within)
{
	struct siblings *siblings;

	if (!index->n_slots)
		return NULL;
	siblings = index->slots[slot_of(index, ref, id, within)];
	while (siblings && !is_named(siblings, ref, id, within))
		siblings = siblings->next;
	return siblings;
}

static void siblings_free(struct siblings *siblings)
{
	if (siblings->size_bits)
		free(siblings->many);
	free(siblings);
}

static void put_in_slot(struct child_index *index, struct siblings *siblings)
{
	size_t slot =
		slot_of(index, siblings->ref, siblings->name, siblings->name + strlen(siblings->name) + 1);

	siblings->next = index->slots[slot];
	index->slots[slot] = siblings;
}

/* Twice the slots. Without memory for them the table stays as it is, and slower. */
static int grow(struct child_index *index)
{
	size_t n_old = index->n_slots, n_slots = n_old ? 2 * n_old : SLOTS_FIRST;
	struct siblings **old = index->slots, **slots = calloc(n_slots, sizeof(struct siblings *));

	if (!slots)
		return n_old ? 0 : -ENOMEM;
	index->slots = slots;
	index->n_slots = n_slots;
	for (size_t i = 0; i < n_old; i++) {
		for (struct siblings *s = old[i], *next; s; s = next) {
			next = s->next;
			put_in_slot(index, s);
		}
	}
	free(old);
	return 0;
}

static struct siblings *siblings_new(struct child_index *index, enum ref ref, const char *id,
				     const char *within)
{
	size_t id_size = strlen(id) + 1, within_size = strlen(within) + 1;
	struct siblings *siblings;

	if (index->n >= index->n_slots && grow(index) < 0)
		return NULL;
	siblings = malloc(MAX(sizeof(*siblings), offsetof(struct siblings, name) + id_size + within_size));
	if (!siblings)
		return NULL;
	*siblings = (struct siblings){.ref = (uint8_t)ref};
	memcpy(siblings->name, id, id_size);
	memcpy(siblings->name + id_size, within, within_size);
	put_in_slot(index, siblings);
	index->n++;
	return siblings;
}

static int make_room(struct siblings *siblings)
{
	uint8_t bits = (uint8_t)MAX(siblings->size_bits + 1, 2);
	const void **many;

	if (siblings->n >> siblings->size_bits == 0)
		return 0;
	many = reallocarray(siblings->size_bits ? siblings->many : NULL, (size_t)1 << bits, sizeof(*many));
	if (!many)
		return -ENOMEM;
	if (!siblings->size_bits)
		many[0] = siblings->one;
	siblings->many = many;
	siblings->size_bits = bits;
	return 0;
}

/* The first place whose row is not before `row`. */
static uint32_t lower_bound(const struct siblings *siblings, const void *row)
{
	const char *id = snapshot_id(row);
	uint32_t n = siblings->n;

	if (n > 0 && strcmp(snapshot_id(row_at(siblings, n - 1)), id) < 0)
		return n;
	return (uint32_t)LOWER_BOUND(i, n, strcmp(snapshot_id(row_at(siblings, i)), id) < 0);
}

static bool stands_at(const struct siblings *siblings, uint32_t place, const void *row)
{
	return place < siblings->n && row_at(siblings, place) == row;
}

void child_index_clear(struct child_index *index)
{
	for (size_t i = 0; i < index->n_slots; i++) {
		for (struct siblings *s = index->slots[i], *next; s; s = next) {
			next = s->next;
			siblings_free(s);
		}
	}
	free(index->slots);
	*index = (struct child_index){};
}

static int reserve(struct child_index *index, enum ref ref, const char *id, const char *within)
{
	struct siblings *siblings = find(index, ref, id, within);

	if (!siblings)
		siblings = siblings_new(index, ref, id, within);
	return siblings ? make_room(siblings) : -ENOMEM;
}

/* Once, also where a list has an id twice. There is room. */
static void add(struct siblings *siblings, const void *row)
{
	uint32_t place = lower_bound(siblings, row);
	const void **rows = rows_of(siblings);

	if (stands_at(siblings, place, row))
		return;
	memmove(rows + place + 1, rows + place, (siblings->n - place) * sizeof(*rows));
	rows[place] = row;
	siblings->n++;
}

static int insert(struct child_index *index, enum ref ref, const char *id, const char *within,
		  const void *row)
{
	struct siblings *siblings = find(index, ref, id, within);
	int r;

	if (!siblings)
		siblings = siblings_new(index, ref, id, within);
	r = siblings ? make_room(siblings) : -ENOMEM;
	if (r == 0)
		add(siblings, row);
	return r;
}

static void take_away(struct siblings *siblings, const void *row)
{
	uint32_t place = siblings ? lower_bound(siblings, row) : 0;
	const void **rows;

	if (!siblings || !stands_at(siblings, place, row))
		return;
	rows = rows_of(siblings);
	siblings->n--;
	memmove(rows + place, rows + place + 1, (siblings->n - place) * sizeof(*rows));
}

static void prune(struct child_index *index, struct siblings *siblings)
{
	struct siblings **link;

	if (!siblings || siblings->n > 0)
		return;
	link = &index->slots[slot_of(index, siblings->ref, siblings->name,
				     siblings->name + strlen(siblings->name) + 1)];
	while (*link != siblings)
		link = &(*link)->next;
	*link = siblings->next;
	siblings_free(siblings);
	index->n--;
}

bool child_index_has(enum ref ref)
{
	return relation_info(ref)->member && !relation_leads_key(ref);
}

enum step { RESERVE, INSERT, ADD, REMOVE, PRUNE };

static int take_step(struct child_index *index, enum step step, enum ref ref, const char *id,
		     const char *within, const void *row)
{
	switch (step) {
	case RESERVE:
		return reserve(index, ref, id, within);
	case INSERT:
		return insert(index, ref, id, within, row);
	case ADD:
		add(find(index, ref, id, within), row);
		break;
	case REMOVE:
		take_away(find(index, ref, id, within), row);
		break;
	case PRUNE:
		prune(index, find(index, ref, id, within));
		break;
	}
	return 0;
}

/* For one id that the row names. */
static int step_at(struct child_index *index, enum step step, enum ref ref, const char *id, const void *row)
{
	const char *within = relation_within(ref, row);
	int r = 0;

	if (*id)
		r = take_step(index, step, ref, id, "", row);
	if (r == 0 && *id && *within)
		r = take_step(index, step, ref, id, within, row);
	return r;
}

/* For all that the row names. Only reserving and inserting can fail. */
static int step_all(struct child_index *index, enum step step, enum kind kind, const void *row)
{
	char text[UID_TEXT_SIZE];
	const char *id;

	for (enum ref ref = relation_first(kind); ref < REF_COUNT_ && relation_info(ref)->kind == kind;
	     ref++) {
		if (!child_index_has(ref))
			continue;
		for (size_t n = 0; (id = relation_id(ref, row, n, text)); n++) {
			int r = step_at(index, step, ref, id, row);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

int child_index_reserve(struct child_index *index, enum kind kind, const void *row)
{
	int r = step_all(index, RESERVE, kind, row);

	if (r < 0)
		child_index_prune(index, kind, row);
	return r;
}

int child_index_insert(struct child_index *index, enum kind kind, const void *row)
{
	int r = step_all(index, INSERT, kind, row);

	if (r < 0) {
		child_index_remove(index, kind, row);
		child_index_prune(index, kind, row);
	}
	return r;
}

void child_index_add(struct child_index *index, enum kind kind, const void *row)
{
	(void)step_all(index, ADD, kind, row);
}

void child_index_remove(struct child_index *index, enum kind kind, const void *row)
{
	(void)step_all(index, REMOVE, kind, row);
}

void child_index_prune(struct child_index *index, enum kind kind, const void *row)
{
	(void)step_all(index, PRUNE, kind, row);
}

static bool is_named_alike(enum ref ref, const void *a, const void *b)
{
	char text_a[UID_TEXT_SIZE], text_b[UID_TEXT_SIZE];

	if (!streq(relation_within(ref, a), relation_within(ref, b)))
		return false;
	for (size_t n = 0;; n++) {
		const char *id_a = relation_id(ref, a, n, text_a), *id_b = relation_id(ref, b, n, text_b);

		if (!id_a || !id_b)
			return id_a == id_b;
		if (!streq(id_a, id_b))
			return false;
	}
}

bool child_index_name_alike(enum kind kind, const void *a, const void *b)
{
	for (enum ref ref = relation_first(kind); ref < REF_COUNT_ && relation_info(ref)->kind == kind; ref++)
		if (child_index_has(ref) && !is_named_alike(ref, a, b))
			return false;
	return true;
}

const void *child_index_next(const struct child_index *index, enum ref ref, const char *id,
			     const char *within, const void *previous)
{
	struct siblings *siblings = find(index, ref, id, within);
	uint32_t place = 0;

	if (!siblings)
		return NULL;
	if (previous) {
		place = siblings->place;
		if (!stands_at(siblings, place, previous))
			place = lower_bound(siblings, previous);
		/* It may have left while the walk stood at it. */
		place += stands_at(siblings, place, previous);
	}
	siblings->place = place;
	return place < siblings->n ? row_at(siblings, place) : NULL;
}

size_t child_index_count(const struct child_index *index, enum ref ref, const char *id, const char *within)
{
	const struct siblings *siblings = find(index, ref, id, within);

	return siblings ? siblings->n : 0;
}

void child_index_add_parts(struct child_index *index, enum ref ref, const char *id, size_t n)
{
	struct siblings *siblings = find(index, ref, id, "");

	if (siblings)
		siblings->n_parts += (uint32_t)n;
}

void child_index_take_parts(struct child_index *index, enum ref ref, const char *id, size_t n)
{
	struct siblings *siblings = find(index, ref, id, "");

	if (siblings)
		siblings->n_parts -= (uint32_t)n;
}

size_t child_index_parts(const struct child_index *index, enum ref ref, const char *id)
{
	const struct siblings *siblings = find(index, ref, id, "");

	return siblings ? siblings->n_parts : 0;
}

const void *child_index_at(const struct child_index *index, enum ref ref, const char *id, const char *within,
			   size_t n)
{
	const struct siblings *siblings = find(index, ref, id, within);

	return siblings && n < siblings->n ? row_at(siblings, n) : NULL;
}

const void *child_index_behind(const struct child_index *index, enum ref ref, const char *id,
			       const char *within, const char *behind)
{
	const struct siblings *siblings = find(index, ref, id, within);
	size_t place;

	if (!siblings)
		return NULL;
	place = LOWER_BOUND(i, siblings->n, strcmp(snapshot_id(row_at(siblings, i)), behind) <= 0);
	return place < siblings->n ? row_at(siblings, place) : NULL;
}
