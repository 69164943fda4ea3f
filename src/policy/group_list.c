/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each dimension is cut where a rule begins or ends. That makes at most 2 n + 1 intervals of n rules, and a
 * row of 32 bytes for each; so a list takes at most some 150 bytes a rule, whatever its rules are.
 */
#include "group_list.h"

#include <assert.h>

#define SORT_FEW_MAX 32 /* changes; of more a radix sort is faster */

/* What a rule covers of a dimension. */

struct span {
	uint32_t first, last;
	bool is_empty;
};

typedef struct span (*dimension)(const struct group_rule *rule);

static struct span span_of_service(const struct group_rule *rule)
{
	return (struct span){rule->service_first, rule->service_last, false};
}

static struct span span_of_address(const struct group_rule *rule)
{
	return (struct span){rule->addr_first, rule->addr_last, rule->group != 0};
}

static struct span span_of_group(const struct group_rule *rule)
{
	return (struct span){rule->group, rule->group, rule->group == 0};
}

/* Behind `end` a rule begins to cover, or ceases to. */
struct change {
	uint32_t end, bit;
};

#define CHANGES_MAX ((size_t)2 * PL_PIECE_RULES)

/* The last number of each interval, ascending; that of the last one is the highest there is. */
struct intervals {
	uint32_t end[CHANGES_MAX + 1];
	size_t n;
	struct change changes[CHANGES_MAX]; /* by `end` */
	size_t n_changes;
	uint64_t row[PL_PIECE_WORDS]; /* of the first interval */
};

static void sort_few(struct change *changes, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct change change = changes[i];
		size_t place = i;

		for (; place > 0 && changes[place - 1].end > change.end; place--)
			changes[place] = changes[place - 1];
		changes[place] = change;
	}
}

/* One digit of a radix sort; false: they are all of the same one, and nothing was moved. */
static bool sort_by_digit(const struct change *from, size_t n, int shift, struct change *to)
{
	uint32_t counts[256] = {0}, place = 0;

	for (size_t i = 0; i < n; i++)
		counts[from[i].end >> shift & 255]++;
	if (counts[from[0].end >> shift & 255] == n)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		uint32_t count = counts[i];

		counts[i] = place;
		place += count;
	}
	for (size_t i = 0; i < n; i++)
		to[counts[from[i].end >> shift & 255]++] = from[i];
	return true;
}

/* Lists are made anew with each rule that comes or goes, and most of that would be a sort that compares. */
static void sort_changes(struct change *changes, size_t n)
{
	struct change others[CHANGES_MAX], *from = changes, *to = others;

	if (n <= SORT_FEW_MAX) {
		sort_few(changes, n);
		return;
	}
	for (int shift = 0; shift < 32; shift += 8)
		if (sort_by_digit(from, n, shift, to)) {
			struct change *sorted = to;

			to = from;
			from = sorted;
		}
	if (from != changes)
		memcpy(changes, from, n * sizeof(*changes));
}

static void find_changes(const struct group_rule *rules, size_t n, dimension of, struct intervals *ret)
{
	ret->n_changes = 0;
	memset(ret->row, 0, sizeof(ret->row));
	for (uint32_t bit = 0; bit < n; bit++) {
		struct span span = of(&rules[bit]);

		if (span.is_empty)
			continue;
		if (span.first)
			ret->changes[ret->n_changes++] = (struct change){span.first - 1, bit};
		else
			ret->row[bit / 64] |= UINT64_C(1) << bit % 64;
		if (span.last != UINT32_MAX)
			ret->changes[ret->n_changes++] = (struct change){span.last, bit};
	}
	sort_changes(ret->changes, ret->n_changes);
}

static void cut(const struct group_rule *rules, size_t n, dimension of, struct intervals *ret)
{
	find_changes(rules, n, of, ret);
	ret->n = 0;
	for (size_t i = 0; i < ret->n_changes; i++)
		if (ret->n == 0 || ret->end[ret->n - 1] != ret->changes[i].end)
			ret->end[ret->n++] = ret->changes[i].end;
	ret->end[ret->n++] = UINT32_MAX;
}

/* Cells. */

static uint32_t cells_for(size_t n, size_t per_cell)
{
	return (uint32_t)((n + per_cell - 1) / per_cell);
}

/* Zeroed cells at the end of the list: the number of the first. There is room: group_list_cells_max(). */
static uint32_t add_cells(struct group_list *list, uint32_t count)
{
	uint32_t first = list->n;

	assert(list->size - list->n >= count);
	memset(&list->cells[first], 0, count * sizeof(*list->cells));
	list->n += count;
	return first;
}

/* One level of a tree: the end of every `stride`th interval. What is left of the last cell is filled up. */
static uint16_t add_level(struct group_list *list, uint32_t head, const struct intervals *cuts, size_t stride)
{
	uint32_t count = cells_for(cells_for(cuts->n, stride), PL_CELL_ENDS);
	uint32_t first = add_cells(list, count);

	for (size_t i = 0; i < (size_t)count * PL_CELL_ENDS; i++) {
		size_t last = (i + 1) * stride - 1;

		list->cells[first + i / PL_CELL_ENDS].end[i % PL_CELL_ENDS] =
			last < cuts->n ? cuts->end[last] : UINT32_MAX;
	}
	return (uint16_t)(first - head);
}

static void add_rows(struct group_list *list, uint32_t first, const struct intervals *cuts)
{
	uint64_t row[PL_PIECE_WORDS];
	size_t at = 0;

	memcpy(row, cuts->row, sizeof(row));
	for (size_t i = 0; i < cuts->n; i++) {
		memcpy(list->cells[first + i / PL_CELL_ROWS].row[i % PL_CELL_ROWS], row, sizeof(row));
		for (; at < cuts->n_changes && cuts->changes[at].end == cuts->end[i]; at++)
			row[cuts->changes[at].bit / 64] ^= UINT64_C(1) << cuts->changes[at].bit % 64;
	}
}

static struct pl_dimension add_dimension(struct group_list *list, uint32_t head,
					 const struct group_rule *rules, size_t n, dimension of)
{
	struct pl_dimension by = {0};
	struct intervals cuts;
	uint32_t rows;

	cut(rules, n, of, &cuts);
	if (cuts.n > PL_CELL_ENDS * PL_CELL_ENDS)
		by.root = add_level(list, head, &cuts, PL_CELL_ENDS * PL_CELL_ENDS);
	if (cuts.n > PL_CELL_ENDS)
		by.middles = add_level(list, head, &cuts, PL_CELL_ENDS);
	by.leaves = add_level(list, head, &cuts, 1);
	rows = add_cells(list, cells_for(cuts.n, PL_CELL_ROWS));
	by.rows = (uint16_t)(rows - head);
	add_rows(list, rows, &cuts);
	return by;
}

/* What a piece needs only if a rule of it names a group. */
static void add_named(struct group_list *list, uint32_t head, const struct group_rule *rules, size_t n,
		      struct pl_piece *piece)
{
	uint32_t named, groups;

	for (size_t i = 0; i < n; i++)
		piece->named |= rules[i].group ? pl_group_bit(rules[i].group) : 0;
	if (!piece->named)
		return;
	named = add_cells(list, 1);
	groups = add_cells(list, cells_for(n, ARRAY_SIZE(list->cells->group)));
	for (size_t i = 0; i < n; i++) {
		list->cells[groups + i / 16].group[i % 16] = rules[i].group;
		if (rules[i].group)
			list->cells[named].row[0][i / 64] |= UINT64_C(1) << i % 64;
	}
	piece->named_rules = (uint16_t)(named - head);
	piece->rule_groups = (uint16_t)(groups - head);
	piece->by_group = add_dimension(list, head, rules, n, span_of_group);
}

static void add_piece(struct group_list *list, const struct group_rule *rules, size_t n)
{
	uint32_t head = add_cells(list, 1), ranks;
	struct pl_piece piece = {.best_rank = (uint8_t)rules[0].rank};

	piece.by_service = add_dimension(list, head, rules, n, span_of_service);
	piece.by_address = add_dimension(list, head, rules, n, span_of_address);
	add_named(list, head, rules, n, &piece);
	ranks = add_cells(list, cells_for(n, ARRAY_SIZE(list->cells->rank)));
	piece.ranks = (uint16_t)(ranks - head);
	for (size_t i = 0; i < n; i++)
		list->cells[ranks + i / 64].rank[i % 64] = (uint8_t)rules[i].rank;
	list->cells[head].piece = piece;
}

/* A rule cuts two dimensions: that of the services, and addresses or groups. */
uint32_t group_list_cells_max(size_t n_rules)
{
	size_t pieces = cells_for(n_rules, PL_PIECE_RULES), intervals = 4 * n_rules + 3 * pieces;

	/* Heads, and what in a piece begins in a cell of its own: rows and levels, three times, and the rest.
	 */
	return (uint32_t)(intervals / PL_CELL_ROWS + intervals / 16 + intervals / 256 + n_rules / 16 +
			  n_rules / 64 + 18 * pieces);
}

int group_list_build(struct group_list *list, const struct group_rule *rules, size_t n)
{
	uint32_t size = group_list_cells_max(n), last = 0;

	if (n > PL_LIST_RULES_MAX)
		return -E2BIG;
	if (list->size < size) {
		struct pl_cell *cells = realloc(list->cells, size * sizeof(*cells));

		if (!cells)
			return -ENOMEM;
		list->cells = cells;
		list->size = size;
	}
	list->n = 0;
	for (size_t first = 0; first < n; first += PL_PIECE_RULES) {
		uint32_t head = list->n;

		add_piece(list, rules + first, MIN(n - first, (size_t)PL_PIECE_RULES));
		if (first)
			list->cells[last].piece.next = (uint16_t)(head - last);
		last = head;
	}
	if (n)
		list->cells[0].piece.cells = (uint16_t)list->n;
	return 0;
}

void group_list_done(struct group_list *list)
{
	free(list->cells);
	*list = (struct group_list){0};
}
