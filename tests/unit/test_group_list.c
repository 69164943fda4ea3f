/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A security group's list of cells, read as the data path reads it, against its rules one by one; and how
 * much room lists take.
 */
#include <netinet/in.h>

#include "policy/group_list.h"

#include "tests/tap.h"

static uint64_t seed = 88172645463325252u;

static uint32_t roll(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)((seed >> 16) % below);
}

/* How many of a cell's ends lie below. */
static uint32_t ends_below(const struct pl_cell *cell, uint32_t value)
{
	uint32_t n = 0;

	while (n < PL_CELL_ENDS && cell->end[n] < value)
		n++;
	return n;
}

static const __u64 *row_of(const struct pl_cell *head, const struct pl_dimension *by, uint32_t value)
{
	uint32_t i = 0;

	if (by->root)
		i = ends_below(&head[by->root], value);
	if (by->middles)
		i = i * PL_CELL_ENDS + ends_below(&head[by->middles + i], value);
	i = i * PL_CELL_ENDS + ends_below(&head[by->leaves + i], value);
	return head[by->rows + i / PL_CELL_ROWS].row[i % PL_CELL_ROWS];
}

/* The rank of the first rule that matches in one piece, or PL_RANK_REFUSE. `group`: the only one of the other
 * side. */
static uint32_t rank_in_piece(const struct pl_cell *head, uint32_t service, uint32_t addr, uint32_t group)
{
	const struct pl_piece *piece = &head->piece;
	const __u64 *services = row_of(head, &piece->by_service, service);
	const __u64 *addrs = row_of(head, &piece->by_address, addr);
	const __u64 *groups =
		group && piece->named & pl_group_bit(group) ? row_of(head, &piece->by_group, group) : NULL;

	for (uint32_t bit = 0; bit < PL_PIECE_RULES; bit++) {
		uint64_t covering = addrs[bit / 64] | (groups ? groups[bit / 64] : 0);

		if (services[bit / 64] & covering & 1ull << bit % 64)
			return head[piece->ranks + bit / 64].rank[bit % 64];
	}
	return PL_RANK_REFUSE;
}

static uint32_t rank_of(const struct group_list *list, uint32_t service, uint32_t addr, uint32_t group)
{
	const struct pl_cell *head = list->cells;
	uint32_t best = PL_RANK_REFUSE;

	if (!list->n)
		return best;
	while (true) {
		uint32_t rank = rank_in_piece(head, service, addr, group);

		if (rank != PL_RANK_REFUSE && rank < head->piece.best_rank)
			return UINT32_MAX; /* wrong: it says that it has no such rule */
		best = MIN(best, rank);
		if (!head->piece.next)
			return best;
		head += head->piece.next;
	}
}

static uint32_t rank_by_rules(const struct group_rule *rules, size_t n, uint32_t service, uint32_t addr,
			      uint32_t group)
{
	uint32_t best = PL_RANK_REFUSE;

	for (size_t i = 0; i < n; i++) {
		const struct group_rule *rule = &rules[i];

		if (service >= rule->service_first && service <= rule->service_last &&
		    (rule->group ? rule->group == group
				 : addr >= rule->addr_first && addr <= rule->addr_last))
			best = MIN(best, rule->rank);
	}
	return best;
}

static void random_rule(struct group_rule *rule)
{
	static const uint8_t protocols[] = {0, IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_TCP, IPPROTO_UDP};
	uint32_t first = roll(400), last = first + roll(roll(2) ? 4 : 65536 - first);

	*rule = (struct group_rule){.rank = PL_RANK(1 + roll(100), roll(2))};
	group_rule_set_service(rule, protocols[roll(5)], (uint16_t)first, (uint16_t)last);
	if (roll(5) == 0)
		rule->group = 1 + roll(30);
	else
		group_rule_set_prefix(rule, roll(4) ? 0x0a000000 + roll(0x40000) : roll(UINT32_MAX),
				      roll(9) ? 14 + roll(19) : 0);
}

static void test_random(void)
{
	static struct group_rule rules[PL_LIST_RULES_MAX];
	struct group_list list = {0};
	uint32_t wrong = 0, matched = 0, too_big = 0;

	for (int round = 0; round < 120; round++) {
		size_t n = roll(round % 10 ? 60 : PL_LIST_RULES_MAX + 1);

		for (size_t i = 0; i < n; i++)
			random_rule(&rules[i]);
		n = group_rules_settle(rules, n);
		if (group_list_build(&list, rules, n) < 0)
			exit(EXIT_FAILURE);
		too_big += list.n > group_list_cells_max(n) || (n && list.cells->piece.cells != list.n);
		for (int i = 0; i < 500; i++) {
			const struct group_rule *rule = &rules[n ? roll((uint32_t)n) : 0];
			uint32_t service = roll(2) ? rule->service_first : rule->service_last;
			uint32_t addr = roll(2) ? rule->addr_first : rule->addr_last, group = roll(32), want;

			service += roll(3) - 1;
			addr += roll(3) - 1;
			want = rank_by_rules(rules, n, service, addr, group);
			wrong += rank_of(&list, service, addr, group) != want;
			matched += want != PL_RANK_REFUSE;
		}
	}
	tap_is_int(wrong, 0, "the first match in the rows is the first of the rules");
	tap_ok(matched > 20000, "%u questions had a rule that matches", matched);
	tap_is_int(too_big, 0, "no list takes more cells than lists of so many rules may");
	group_list_done(&list);
}

static void test_room(void)
{
	static struct group_rule rules[PL_LIST_RULES_MAX + 1];
	struct group_list list = {0}, again = {0};
	uint32_t worst = 0;

	tap_is_int(group_list_build(&list, rules, 0), 0, "no rules");
	tap_is_int(list.n, 0, "take no cell");
	tap_is_int(group_list_build(&list, rules, PL_LIST_RULES_MAX + 1), -E2BIG,
		   "too many rules are refused");
	for (uint32_t i = 0; i < PL_LIST_RULES_MAX; i++) {
		rules[i].rank = 2;
		group_rule_set_service(&rules[i], IPPROTO_TCP, (uint16_t)(3 * i), (uint16_t)(3 * i + 1));
		group_rule_set_prefix(&rules[i], i << 20, 24);
	}
	for (size_t n = 1; n <= PL_LIST_RULES_MAX; n = n * 2 + 1) {
		(void)group_list_build(&list, rules, n);
		tap_ok(list.n <= group_list_cells_max(n), "%zu rules take %u cells", n, list.n);
		worst = MAX(worst, list.n * 64 / (uint32_t)n);
	}
	tap_ok(group_list_cells_max(PL_LIST_RULES_MAX) * 64 / PL_LIST_RULES_MAX <= 180,
	       "a rule of many takes at most 180 bytes");
	(void)group_list_build(&list, rules, 300);
	(void)group_list_build(&again, rules, 300);
	tap_ok(list.n == again.n && memcmp(list.cells, again.cells, list.n * sizeof(*list.cells)) == 0,
	       "the same rules make the same cells, whatever was built before");
	group_list_done(&list);
	group_list_done(&again);
}

int main(void)
{
	test_random();
	test_room();
	return tap_done();
}
