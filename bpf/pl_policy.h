/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Security groups. Who has groups has a set of them; each group of it is asked for the rank of the first of
 * its rules that matches, and the lowest of these ranks decides (pl_abi_policy.h). So rules live once,
 * whatever the number of ports and of sets, and none of them is walked. Asked when a flow opens and when it
 * is judged again, never for a packet of a flow whose generation is current.
 *
 * The number of a list is read once; all else of it hangs on that number. So a list that is replaced is the
 * old one or the new one to a reader, never some of both.
 *
 * pl_list_rank() and pl_policy_allows() are functions of their own to the verifier, with plain numbers as
 * arguments: one piece is checked once, and not for each group of a set.
 */
#pragma once

#include "pl_parse.h"

/* Rules that name a group, and are looked at one by one before all groups of the other side are looked up:
 * the first nearly always decides, and else this bounds what it costs. */
#define PL_NAMED_TRIES 4

static __always_inline const struct pl_cell *pl_cell_at(__u32 index)
{
	return bpf_map_lookup_elem(&pl_cells, &index);
}

/* 1 where the end lies below the value. Without a branch: it would be mispredicted, and the verifier would
 * follow both ways at every end. The barrier keeps the compiler from making one. */
static __always_inline __u64 pl_is_below(__u32 end, __u32 value)
{
	__u64 difference = (__u64)end - value;

	asm volatile("" : "+r"(difference));
	return difference >> 63;
}

/* How many of the cell's ends lie below the value: which child to follow. In two steps: every fourth end,
 * then the three before it; the last end of a cell that is asked is never below. */
static __always_inline __u32 pl_ends_below(__u32 index, __u32 value)
{
	const struct pl_cell *cell = pl_cell_at(index);
	const __u32 *end;
	__u64 quarter;

	if (!cell)
		return 0;
	quarter = pl_is_below(cell->end[3], value) + pl_is_below(cell->end[7], value) +
		  pl_is_below(cell->end[11], value);
	end = &cell->end[quarter * 4];
	return quarter * 4 + pl_is_below(end[0], value) + pl_is_below(end[1], value) +
	       pl_is_below(end[2], value);
}

/* The number of the interval that holds the value. `first` is the piece's head. */
static __always_inline __u32 pl_interval_of(__u32 first, const struct pl_dimension *by, __u32 value)
{
	__u32 i = 0;

	if (by->middles) {
		if (by->root)
			i = pl_ends_below(first + by->root, value);
		i = i * PL_CELL_ENDS + pl_ends_below(first + by->middles + i, value);
	}
	return i * PL_CELL_ENDS + pl_ends_below(first + by->leaves + i, value);
}

/* The rules that cover the value, or NULL. */
static __always_inline const __u64 *pl_row_of(__u32 first, const struct pl_dimension *by, __u32 value)
{
	__u32 interval = pl_interval_of(first, by, value);
	const struct pl_cell *cell = pl_cell_at(first + by->rows + interval / PL_CELL_ROWS);

	return cell ? cell->row[interval % PL_CELL_ROWS] : NULL;
}

/* The number of the lowest bit. BPF has no instruction for it: a de Bruijn sequence, whose table follows from
 * it. */
static __always_inline __u32 pl_lowest_bit(__u64 word)
{
	static const __u8 position[64] = {0,  1,  2,  53, 3,  7,  54, 27, 4,  38, 41, 8,  34, 55, 48, 28,
					  62, 5,  39, 46, 44, 42, 22, 9,  24, 35, 59, 56, 49, 18, 29, 11,
					  63, 52, 6,  26, 37, 40, 33, 47, 61, 45, 43, 21, 23, 58, 17, 10,
					  51, 25, 36, 32, 60, 20, 57, 16, 50, 31, 19, 15, 30, 14, 13, 12};

	/* The mask is for the verifier, which does not know what a table holds. */
	return position[(word & -word) * 0x022fdd63cc95386dull >> 58] & 63;
}

/* All bits where the word has none, else none. */
static __always_inline __u64 pl_if_zero(__u64 word)
{
	__u64 any = (word | -word) >> 63;

	asm volatile("" : "+r"(any));
	return any - 1;
}

/* Rules that two rows have: the first word of these, where it begins, and what is behind it. */
struct pl_rules {
	__u64 word, rest;
	__u32 base;
};

/* Without a branch: the verifier would follow each of them to the end. */
static __always_inline struct pl_rules pl_rules_of(const __u64 *a, const __u64 *b)
{
	__u64 w0 = a[0] & b[0], w1 = a[1] & b[1], w2 = a[2] & b[2], w3 = a[3] & b[3];
	__u64 not0 = pl_if_zero(w0), not1 = pl_if_zero(w0 | w1), not2 = pl_if_zero(w0 | w1 | w2);

	return (struct pl_rules){
		.word = w0 | (w1 & not0) | (w2 & not1) | (w3 & not2),
		.rest = (w1 & ~not0) | (w2 & ~not1) | (w3 & ~not2),
		.base = (not0 & 64) + (not1 & 64) + (not2 & 64),
	};
}

/* The first of them; PL_PIECE_RULES: none. */
static __always_inline __u32 pl_first_rule(const struct pl_rules *rules)
{
	return rules->word ? rules->base + pl_lowest_bit(rules->word) : PL_PIECE_RULES;
}

static __always_inline __u32 pl_rank_of(__u32 first, const struct pl_piece *piece, __u32 rule)
{
	const struct pl_cell *cell = pl_cell_at(first + piece->ranks + rule / 64);

	return cell ? cell->rank[rule % 64] : PL_RANK_REFUSE;
}

/* Whether the set has the group. Without a branch, as above. */
static __always_inline bool pl_set_has(const struct pl_set *set, __u32 group)
{
	__u64 has = 0;
	int i;

#pragma unroll
	for (i = 0; i < PL_SET_GROUPS; i++) {
		__u64 same =
			(__u64)(set->group[i] ^ group) - 1; /* the upper half is set where they are alike */

		asm volatile("" : "+r"(same));
		has |= same >> 63;
	}
	return has;
}

/* What is asked of a piece. */
struct pl_question {
	__u32 first, best;	  /* the piece's head; the rank that is to be undercut */
	const struct pl_set *set; /* of the other side; NULL: none */
};

/* Whether there may be more: rules that name a group and were not looked at. */
#define PL_MORE (1u << 24)

/* The first of the rules for this service that name a group of the other side, if it comes before `rule`;
 * else `rule`. What cannot undercut the best rank is not looked for. */
static __always_inline __u32 pl_first_named(const struct pl_question *question, const struct pl_piece *piece,
					    const __u64 *by_service, __u32 rule)
{
	const struct pl_cell *cell = pl_cell_at(question->first + piece->named_rules);
	struct pl_rules rules;
	__u32 i, at;

	if (!cell)
		return rule;
	rules = pl_rules_of(cell->row[0], by_service);
	for (i = 0; i < PL_NAMED_TRIES; i++) {
		at = pl_first_rule(&rules);
		if (at >= rule || pl_rank_of(question->first, piece, at) >= question->best)
			return rules.rest && !rules.word ? rule | PL_MORE : rule;
		cell = pl_cell_at(question->first + piece->rule_groups + at / 16);
		if (cell && pl_set_has(question->set, cell->group[at % 16]))
			return at;
		rules.word &= rules.word - 1;
	}
	return rule | PL_MORE;
}

/* The rank of the piece's first rule that matches; the best so far where none does. */
static __always_inline __u32 pl_rank_in_piece(const struct pl_question *question,
					      const struct pl_piece *piece, __u32 address, __u32 service)
{
	const __u64 *by_service = pl_row_of(question->first, &piece->by_service, service), *by_address;
	struct pl_rules rules;
	__u32 rule, more = 0;

	if (!by_service || !(by_service[0] | by_service[1] | by_service[2] | by_service[3]))
		return question->best;
	by_address = pl_row_of(question->first, &piece->by_address, address);
	if (!by_address)
		return question->best;
	rules = pl_rules_of(by_address, by_service);
	rule = pl_first_rule(&rules);
	if (question->set && piece->named & question->set->member) {
		rule = pl_first_named(question, piece, by_service, rule);
		more = rule & PL_MORE;
		rule &= ~PL_MORE;
	}
	return (rule < PL_PIECE_RULES ? pl_rank_of(question->first, piece, rule) : question->best) | more;
}

/* The better of `best` and what the piece whose head is `first` says; above it (from bit 8), how far the next
 * piece is; PL_MORE: pl_rank_by_groups() is to be asked, too. */
__attribute__((noinline)) int pl_list_rank(__u32 first, __u32 other, __u32 address, __u32 service, __u32 best)
{
	struct pl_question question = {.first = first, .best = best};
	const struct pl_cell *cell = pl_cell_at(first);
	__u32 rank = best, more;

	if (!cell)
		return PL_RANK_FIRST;
	if (other)
		question.set = bpf_map_lookup_elem(&pl_sets, &other);
	if (cell->piece.best_rank < best)
		rank = pl_rank_in_piece(&question, &cell->piece, address, service);
	more = rank & PL_MORE;
	rank &= 0xff;
	return (rank < best ? rank : best) | (__u32)cell->piece.next << 8 | more;
}

/* The better of `best` and of all rules of a piece that name a group of the other side: by these groups,
 * since the rules are many. */
__attribute__((noinline)) int pl_rank_by_groups(__u32 first, __u32 other, __u32 service, __u32 best)
{
	const struct pl_set *set = bpf_map_lookup_elem(&pl_sets, &other);
	const struct pl_cell *cell = pl_cell_at(first);
	const __u64 *by_service = cell ? pl_row_of(first, &cell->piece.by_service, service) : NULL;

	if (!cell || !set || !by_service)
		return PL_RANK_FIRST;
	for (__u32 i = 0; i < PL_SET_GROUPS; i++) {
		__u32 group = set->group[i], rule, rank;
		struct pl_rules rules;
		const __u64 *named;

		if (i >= set->count)
			break;
		if (!(cell->piece.named & pl_group_bit(group)))
			continue;
		named = pl_row_of(first, &cell->piece.by_group, group);
		if (!named)
			break;
		rules = pl_rules_of(named, by_service);
		rule = pl_first_rule(&rules);
		rank = rule < PL_PIECE_RULES ? pl_rank_of(first, &cell->piece, rule) : best;
		best = rank < best ? rank : best;
	}
	return best;
}

/* The best of what is known and of a group's list. */
static __always_inline __u32 pl_group_rank(__u32 first, __u32 other, __u32 address, __u32 service, __u32 best)
{
	for (int i = 0; i < PL_LIST_PIECES; i++) {
		__u32 answer = pl_list_rank(first, other, address, service, best),
		      next = answer >> 8 & 0xffff;

		best = answer & 0xff;
		if (answer & PL_MORE)
			best = pl_rank_by_groups(first, other, service, best) & 0xff;
		if (!next)
			break;
		first += next;
	}
	return best;
}

/* Whether the groups of a set (by its number) let a flow pass that comes in to whoever has them, or that it
 * opens. `other` is the set of the other side, `address` its address (host order), `service` what is asked of
 * the receiver (PL_SERVICE). */
__attribute__((noinline)) int pl_policy_allows(__u32 number, __u32 other, __u32 direction, __u32 address,
					       __u32 service)
{
	const struct pl_set *set = bpf_map_lookup_elem(&pl_sets, &number);
	__u32 best;

	if (!set || direction > PL_DIRECTION_OUT)
		return 0;
	best = set->silent[direction];
	for (__u32 i = 0; i < PL_SET_GROUPS; i++) {
		__u32 group = set->group[i], first;
		const struct pl_group *lists;

		if (i >= set->count)
			break;
		lists = bpf_map_lookup_elem(&pl_groups, &group);
		first = lists ? lists->list[direction] : 0;
		if (first)
			best = pl_group_rank(first, other, address, service, best);
	}
	return best & 1;
}
