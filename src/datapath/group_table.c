/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a list in force was made of is remembered, so a list that has not changed is not built again; one that
 * was found in the tables is built once, and stays if it is the same.
 *
 * A list that is left in force though another is wanted may name the number of a group that is another's by
 * now. Numbers come again late, but where that is so the group refuses all.
 */
#include "group_table.h"

#include "../lib/vec.h"
#include "mapped.h"
#include "regions.h"

#define REFUSING 1 /* the cell of a list that refuses all; what comes before it is nobody's */

struct version {
	uint32_t first; /* the list's head; 0: no rule */
	bool is_known;	/* what it was made of is */
	struct group_rule *rules;
	size_t n_rules;
};

struct state {
	struct version in_force[2], next[2];
	bool is_wanted;
	bool is_built;	/* and not in force yet */
	bool is_late;	/* it is to be that behind the rows */
	bool is_other;	/* what is in force there is another group's, or makes no sense */
	bool is_left;	/* there is no room for what is wanted */
	bool is_broken; /* as found */
	char id[sizeof(((struct pl_group *)0)->id)]; /* whose it is to be, if it is another's */
};

struct resting {
	uint32_t first, count;
	uint64_t since_ms;
};

struct group_table {
	struct mapped groups_map, cells_map;
	struct pl_group *groups; /* in the maps */
	struct pl_cell *cells;
	struct state *states;
	uint32_t end; /* no number from here on is in use: nothing is touched there */
	struct regions *regions;
	struct resting *resting; /* oldest first */
	size_t n_resting, resting_size;
	struct group_list list; /* what was built last */
	struct group_list refusing;
};

/* Regions. */

static uint32_t cells_of(const struct group_table *table, uint32_t first)
{
	return table->cells[first].piece.cells;
}

static bool has_region(uint32_t first)
{
	return first != 0 && first != REFUSING;
}

static int rest(struct group_table *table, uint32_t first)
{
	int r = VEC_ROOM(table->resting, table->n_resting, table->resting_size);

	if (r == 0)
		table->resting[table->n_resting++] =
			(struct resting){first, cells_of(table, first), now_mono_ms()};
	return r;
}

/* Frees the regions that have rested long enough. */
static int wake_up(struct group_table *table)
{
	uint64_t now = now_mono_ms();
	size_t n = 0;
	int r = 0;

	while (r == 0 && n < table->n_resting && now - table->resting[n].since_ms >= GROUP_REST_MS) {
		r = regions_give(table->regions, table->resting[n].first, table->resting[n].count);
		n++;
	}
	if (n == 0)
		return r;
	table->n_resting -= n;
	memmove(table->resting, table->resting + n, table->n_resting * sizeof(*table->resting));
	return r;
}

/* Of all that may be in a reader's hands nothing is given out. */
static int claim_resting(struct group_table *table)
{
	size_t kept = 0;

	for (size_t i = 0; i < table->n_resting; i++) {
		struct resting resting = table->resting[i];
		int r = regions_claim(table->regions, resting.first, resting.count);

		if (r == 0)
			table->resting[kept++] = resting;
		else if (r != -EEXIST)
			return r;
	}
	table->n_resting = kept;
	return 0;
}

static int claim_list(struct group_table *table, uint32_t first)
{
	if (!has_region(first))
		return 0;
	if (first >= table->cells_map.n || cells_of(table, first) == 0)
		return -EEXIST;
	return regions_claim(table->regions, first, cells_of(table, first));
}

/* Versions. */

static void version_done(struct version *version)
{
	free(version->rules);
	*version = (struct version){0};
}

static void state_done(struct state *state)
{
	for (int d = 0; d < 2; d++) {
		version_done(&state->in_force[d]);
		version_done(&state->next[d]);
	}
	*state = (struct state){0};
}

static int remember(struct version *version, const struct group_rule *rules, size_t n)
{
	version->rules = n ? calloc(n, sizeof(*rules)) : NULL;
	if (n && !version->rules)
		return -ENOMEM;
	if (n)
		memcpy(version->rules, rules, n * sizeof(*rules));
	version->n_rules = n;
	version->is_known = true;
	return 0;
}

static bool is_made_of(const struct version *version, const struct group_rule *rules, size_t n)
{
	return version->is_known && version->n_rules == n &&
	       (n == 0 || memcmp(version->rules, rules, n * sizeof(*rules)) == 0);
}

int group_table_new(int groups_fd, int cells_fd, struct group_table **ret)
{
	struct group_table *table = calloc(1, sizeof(*table));
	struct group_rule all = {.rank = PL_RANK_FIRST};
	int r;

	if (!table)
		return -ENOMEM;
	group_rule_set_service(&all, 0, 0, UINT16_MAX);
	group_rule_set_prefix(&all, 0, 0);
	r = mapped_open(groups_fd, sizeof(struct pl_group), &table->groups_map);
	if (r == 0)
		r = mapped_open(cells_fd, sizeof(struct pl_cell), &table->cells_map);
	if (r == 0)
		r = group_list_build(&table->refusing, &all, 1);
	if (r == 0) {
		table->groups = table->groups_map.rows;
		table->cells = table->cells_map.rows;
		table->states = calloc(table->groups_map.n, sizeof(*table->states));
		r = table->states ? 0 : -ENOMEM;
	}
	if (r == 0 && REFUSING + table->refusing.n > table->cells_map.n)
		r = -EINVAL;
	if (r < 0) {
		group_table_free(table);
		return r;
	}
	*ret = table;
	return 0;
}

struct group_table *group_table_free(struct group_table *table)
{
	if (!table)
		return NULL;
	for (uint32_t i = 0; table->states && i < table->end; i++)
		state_done(&table->states[i]);
	free(table->states);
	regions_free(table->regions);
	free(table->resting);
	group_list_done(&table->list);
	group_list_done(&table->refusing);
	mapped_close(&table->groups_map);
	mapped_close(&table->cells_map);
	free(table);
	return NULL;
}

static int load_group(struct group_table *table, uint32_t number)
{
	const struct pl_group *row = &table->groups[number];
	struct state *state = &table->states[number];

	state_done(state);
	if (!*row->id)
		return 0;
	for (int d = 0; d < 2; d++) {
		int r = claim_list(table, row->list[d]);

		if (r == -EEXIST)
			state->is_broken = true;
		else if (r < 0)
			return r;
		else
			state->in_force[d].first = row->list[d];
	}
	return 0;
}

int group_table_load(struct group_table *table)
{
	const struct group_list *refusing = &table->refusing;
	int r;

	regions_free(table->regions);
	table->regions = NULL;
	r = regions_new(table->cells_map.n, &table->regions);
	if (r == 0)
		r = regions_claim(table->regions, 0, REFUSING + refusing->n);
	if (r < 0)
		return r;
	if (memcmp(&table->cells[REFUSING], refusing->cells, refusing->n * sizeof(*table->cells)) != 0)
		memcpy(&table->cells[REFUSING], refusing->cells, refusing->n * sizeof(*table->cells));
	for (uint32_t i = 1; i < table->groups_map.n && r == 0; i++) {
		if (i >= table->end && !*table->groups[i].id)
			continue;
		table->end = MAX(table->end, i + 1);
		r = load_group(table, i);
	}
	return r < 0 ? r : claim_resting(table);
}

/* A sync. */

static void begin(struct state *state)
{
	version_done(&state->next[0]);
	version_done(&state->next[1]);
	state->is_wanted = state->is_built = state->is_late = state->is_left = state->is_other = false;
}

void group_table_begin(struct group_table *table)
{
	for (uint32_t i = 1; i < table->end; i++)
		begin(&table->states[i]);
}

void group_table_begin_one(struct group_table *table, uint32_t number)
{
	if (number < table->end)
		begin(&table->states[number]);
}

/* The version that is in force, if these rules make it. */
static bool is_in_force(struct group_table *table, const struct state *state, int direction)
{
	const struct group_list *list = &table->list;
	uint32_t first = state->in_force[direction].first;

	if (state->is_other)
		return false;
	if (list->n == 0)
		return first == 0;
	return has_region(first) && cells_of(table, first) == list->n &&
	       memcmp(&table->cells[first], list->cells, list->n * sizeof(*list->cells)) == 0;
}

static int build(struct group_table *table, struct state *state, int direction,
		 const struct group_rule *rules, size_t n)
{
	const struct version *old = &state->in_force[direction];
	struct version *next = &state->next[direction];
	const struct group_list *list = &table->list;
	int r;

	next->first = old->first;
	if (!state->is_other && is_made_of(old, rules, n))
		return remember(next, rules, n);
	r = group_list_build(&table->list, rules, n);
	if (r == 0)
		r = remember(next, rules, n);
	if (r < 0 || is_in_force(table, state, direction))
		return r;
	next->first = 0;
	if (list->n == 0)
		return 0;
	r = regions_take(table->regions, list->n, &next->first);
	if (r == 0)
		memcpy(&table->cells[next->first], list->cells, list->n * sizeof(*list->cells));
	return r;
}

/* What was built for nothing. */
static void drop_next(struct group_table *table, struct state *state)
{
	for (int d = 0; d < 2; d++) {
		struct version *next = &state->next[d];

		if (has_region(next->first) && next->first != state->in_force[d].first)
			(void)regions_give(table->regions, next->first, cells_of(table, next->first));
		version_done(next);
		next->first = state->is_other ? REFUSING : state->in_force[d].first;
		/* What it was made of is forgotten: it is looked at anew with the next sync. */
	}
}

int group_table_want(struct group_table *table, uint32_t number, const char *id, bool has_members,
		     struct group_rule *const rules[2], const size_t n_rules[2])
{
	struct state *state;
	int r;

	if (number == 0 || number >= table->groups_map.n)
		return -ERANGE;
	state = &table->states[number];
	table->end = MAX(table->end, number + 1);
	state->is_wanted = state->is_built = true;
	state->is_other = state->is_broken || !streq(table->groups[number].id, id);
	state->is_late = !has_members && !state->is_other;
	r = wake_up(table);
	if (r == 0)
		r = build(table, state, PL_DIRECTION_IN, rules[PL_DIRECTION_IN], n_rules[PL_DIRECTION_IN]);
	if (r == 0)
		r = build(table, state, PL_DIRECTION_OUT, rules[PL_DIRECTION_OUT], n_rules[PL_DIRECTION_OUT]);
	if (r == -ENOSPC) {
		drop_next(table, state);
		state->is_left = true;
	}
	(void)str_copy(state->id, sizeof(state->id), id);
	return r;
}

/* Whether the number is given to a group now that did not have it. */
static bool is_given(const struct group_table *table, uint32_t number)
{
	return number < table->end && table->states[number].is_wanted && table->states[number].is_other;
}

static const struct pl_cell *cell_at(const struct group_table *table, uint32_t index)
{
	static const struct pl_cell none;

	return index < table->cells_map.n ? &table->cells[index] : &none;
}

static bool piece_names_given(const struct group_table *table, uint32_t head)
{
	const struct pl_piece *piece = &cell_at(table, head)->piece;
	const struct pl_cell *named = cell_at(table, head + piece->named_rules);

	for (uint32_t rule = 0; rule < PL_PIECE_RULES; rule++) {
		const struct pl_cell *groups = cell_at(table, head + piece->rule_groups + rule / 16);

		if (named->row[0][rule / 64] & UINT64_C(1) << rule % 64 &&
		    is_given(table, groups->group[rule % 16]))
			return true;
	}
	return false;
}

/* Whether the list names a group whose number is given to another one. `given`: the pl_group_bit() of all of
 * those. */
static bool names_given(const struct group_table *table, uint32_t first, uint64_t given)
{
	for (int i = 0; has_region(first) && i < PL_LIST_PIECES; i++) {
		const struct pl_piece *piece = &cell_at(table, first)->piece;

		if (piece->named & given && piece_names_given(table, first))
			return true;
		if (!piece->next)
			break;
		first += piece->next;
	}
	return false;
}

void group_table_settle(struct group_table *table)
{
	uint64_t given = 0;

	for (uint32_t i = 1; i < table->end; i++)
		if (is_given(table, i))
			given |= pl_group_bit(i);
	for (uint32_t i = 1; given && i < table->end; i++) {
		struct version *next = table->states[i].next;

		if (table->states[i].is_left &&
		    (names_given(table, next[0].first, given) || names_given(table, next[1].first, given)))
			next[0].first = next[1].first = REFUSING;
	}
}

static bool changes(const struct state *state)
{
	return state->is_wanted && (state->is_other || state->next[0].first != state->in_force[0].first ||
				    state->next[1].first != state->in_force[1].first);
}

bool group_table_is_left(const struct group_table *table, uint32_t number)
{
	return number < table->end && table->states[number].is_left;
}

bool group_table_is_doubtful(const struct group_table *table, uint32_t number)
{
	if (!table->states[number].is_other)
		return false;
	for (uint32_t i = 1; i < table->end; i++)
		if (table->states[i].is_left)
			return true;
	return false;
}

bool group_table_changes(const struct group_table *table, uint32_t number)
{
	return number < table->end && changes(&table->states[number]);
}

/* Both lists at once. All stores before it are seen by who sees it. */
static void store_lists(struct pl_group *row, uint32_t in, uint32_t out)
{
	union {
		uint32_t list[2];
		uint64_t both;
	} lists = {.list = {[PL_DIRECTION_IN] = in, [PL_DIRECTION_OUT] = out}};

	__atomic_store_n((uint64_t *)(void *)row->list, lists.both, __ATOMIC_RELEASE);
}

/* The lists that the row has, and the next ones have not. */
static int rest_lists(struct group_table *table, const struct pl_group *row, const struct state *state)
{
	int r = 0;

	for (int d = 0; d < 2 && r == 0; d++)
		if (!state->is_broken && has_region(row->list[d]) && row->list[d] != state->next[d].first)
			r = rest(table, row->list[d]);
	return r;
}

static int switch_group(struct group_table *table, uint32_t number)
{
	struct pl_group *row = &table->groups[number];
	struct state *state = &table->states[number];
	int r;

	if (changes(state)) {
		r = rest_lists(table, row, state);
		if (r < 0)
			return r;
		if (state->is_other) {
			store_lists(row, REFUSING, REFUSING);
			memcpy(row->id, state->id, sizeof(row->id));
		}
		store_lists(row, state->next[PL_DIRECTION_IN].first, state->next[PL_DIRECTION_OUT].first);
	}
	for (int d = 0; d < 2; d++) {
		version_done(&state->in_force[d]);
		state->in_force[d] = state->next[d];
		state->next[d] = (struct version){0};
	}
	state->is_other = state->is_broken = state->is_built = false;
	return 0;
}

int group_table_switch_one(struct group_table *table, uint32_t number, bool late)
{
	const struct state *state = number < table->end ? &table->states[number] : NULL;

	return state && state->is_built && state->is_late == late ? switch_group(table, number) : 0;
}

int group_table_switch(struct group_table *table, bool late)
{
	int r = 0;

	for (uint32_t i = 1; i < table->end && r == 0; i++)
		r = group_table_switch_one(table, i, late);
	return r;
}

static int prune(struct group_table *table, uint32_t number)
{
	struct state *state = &table->states[number];
	struct pl_group *row = &table->groups[number];
	int r;

	if (state->is_wanted || !*row->id)
		return 0;
	version_done(&state->next[0]);
	version_done(&state->next[1]);
	r = rest_lists(table, row, state);
	if (r < 0)
		return r;
	store_lists(row, 0, 0);
	memset(row->id, 0, sizeof(row->id));
	state_done(state);
	return 0;
}

int group_table_prune(struct group_table *table)
{
	int r = 0;

	for (uint32_t i = 1; i < table->end && r == 0; i++)
		r = prune(table, i);
	return r;
}

int group_table_prune_one(struct group_table *table, uint32_t number)
{
	return number < table->end ? prune(table, number) : 0;
}

static bool has_cells(const struct group_table *table, uint32_t first, const struct group_list *list)
{
	return first < table->cells_map.n && list->n <= table->cells_map.n - first &&
	       memcmp(&table->cells[first], list->cells, list->n * sizeof(*list->cells)) == 0;
}

/* (What a list that was left in force was made of is not known.) */
static bool version_stands(struct group_table *table, const struct version *version, uint32_t first)
{
	if (first != version->first)
		return false;
	if (!has_region(first) || !version->is_known)
		return true;
	return group_list_build(&table->list, version->rules, version->n_rules) == 0 &&
	       has_cells(table, first, &table->list);
}

bool group_table_stands(struct group_table *table, uint32_t number)
{
	const struct state *state = number < table->end ? &table->states[number] : NULL;
	const struct pl_group *row;

	if (number == 0)
		return has_cells(table, REFUSING, &table->refusing);
	row = &table->groups[number];
	if (!state || !state->is_wanted)
		return !*row->id;
	return streq(row->id, state->id) && version_stands(table, &state->in_force[0], row->list[0]) &&
	       version_stands(table, &state->in_force[1], row->list[1]);
}

uint32_t group_table_end(const struct group_table *table)
{
	return table->end;
}

uint32_t group_table_count(const struct group_table *table)
{
	uint32_t n = 0;

	for (uint32_t i = 1; i < table->end; i++)
		n += *table->groups[i].id != '\0';
	return n;
}

uint32_t group_table_free_count(const struct group_table *table)
{
	return regions_free_count(table->regions);
}
