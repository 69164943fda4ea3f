/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of relations says with what a row is told; this goes along it, up from a row to its share and
 * down from a share to its rows. Endpoints are told where they are, not where their services are, so those of
 * a VPC are a share beside it. What names a node is told to that one alone, whether the node's own row, which
 * all are told of, is there or not.
 */
#include "told.h"

#include <assert.h>

static struct share share_at(enum told_to to, const char *id)
{
	struct share share = {.to = to};

	(void)str_copy(share.id, sizeof(share.id), id);
	return share;
}

/* What rows of the kind are told with; REF_COUNT_: nothing. */
static enum ref told_with(enum kind kind)
{
	static enum ref known[KIND_COUNT_]; /* one more, so that 0 is "not looked up yet" */

	if (!known[kind])
		known[kind] = relation_following(kind, REF_TOLD) + 1;
	return known[kind] - 1;
}

bool share_has_kind(enum kind kind)
{
	return kind == KIND_NODE || kind == KIND_VPC || kind == KIND_SERVICE || told_with(kind) != REF_COUNT_;
}

struct share share_of(const struct snapshot *rows, enum kind kind, const void *row)
{
	const char *node;

	if (!row || !share_has_kind(kind))
		return share_at(TOLD_NOBODY, "");
	while (row) {
		switch (kind) {
		case KIND_NODE:
			return share_at(TOLD_ALL, "");
		case KIND_VPC:
			return share_at(TOLD_VPC, ((const struct vpc *)row)->id);
		case KIND_SERVICE:
			return share_at(TOLD_SERVICE, ((const struct service *)row)->id);
		case KIND_ENDPOINT:
			return share_at(TOLD_ENDPOINTS, ((const struct endpoint *)row)->vpc);
		case KIND_CONNECTIVITY_TEST:
			node = ((const struct connectivity_test *)row)->node;
			return share_at(*node ? TOLD_NODE : TOLD_NOBODY, node);
		case KIND_NAT_RANGE:
			return share_at(TOLD_NODE, ((const struct nat_range *)row)->node);
		default:
			row = snapshot_parent(rows, told_with(kind), row, &kind);
		}
	}
	return share_at(TOLD_NOBODY, "");
}

/* A walk that is under way. */
struct walk {
	const struct snapshot *rows;
	share_visit visit;
	void *context;
	struct share_place *place;
	size_t depth;
	size_t n_behind; /* steps of the place that it still has to go to; 0: it is there */
};

static int walk_told_with(struct walk *walk, enum kind kind, const char *id);

/* What names a node is a share of its own. */
static int walk_below(struct walk *walk, enum kind kind, const char *id)
{
	int r;

	if (kind == KIND_NODE)
		return 0;
	walk->depth++;
	r = walk_told_with(walk, kind, id);
	walk->depth--;
	return r;
}

static int walk_row(struct walk *walk, enum kind kind, const void *row)
{
	struct share_step *step = &walk->place->steps[walk->depth];
	int r;

	assert(walk->depth < SHARE_DEPTH);
	step->kind = kind;
	(void)str_copy(step->id, sizeof(step->id), snapshot_id(row));
	walk->place->n = walk->depth + 1;
	r = walk->visit(walk->context, kind, row);
	return r ? r : walk_below(walk, kind, step->id);
}

/* What is told with the row of the place at this depth and is behind it. That row need not be there any more.
 */
static int walk_rest(struct walk *walk, char id[KEY_SIZE])
{
	const struct share_step step = walk->place->steps[walk->depth];
	int r = walk_below(walk, step.kind, step.id);

	walk->n_behind = 0;
	(void)str_copy(id, KEY_SIZE, step.id);
	return r;
}

/* The rows that name `id` in that reference, and what is told with them. */
static int walk_children(struct walk *walk, enum ref ref, const char *id)
{
	enum kind kind = relation_info(ref)->kind;
	bool is_behind = walk->depth < walk->n_behind;
	char last[KEY_SIZE] = "";
	const void *row;
	int r = 0;

	if (is_behind && kind != walk->place->steps[walk->depth].kind)
		return 0;
	if (is_behind)
		r = walk_rest(walk, last);
	row = is_behind ? snapshot_children_behind(walk->rows, ref, id, "", last)
			: snapshot_children(walk->rows, ref, id, NULL);
	for (; r == 0 && row; row = snapshot_children(walk->rows, ref, id, row))
		r = walk_row(walk, kind, row);
	return r;
}

static int walk_told_with(struct walk *walk, enum kind kind, const char *id)
{
	int r = 0;

	for (enum kind below = 0; r == 0 && below < KIND_COUNT_; below++) {
		enum ref ref = told_with(below);

		if (ref != REF_COUNT_ && relation_names(ref, kind) && ref != REF_ENDPOINT_VPC)
			r = walk_children(walk, ref, id);
	}
	return r;
}

/* A row and what is told with it. */
static int walk_from(struct walk *walk, enum kind kind, const char *id)
{
	const void *row = snapshot_find(walk->rows, kind, id);
	char last[KEY_SIZE];

	if (walk->n_behind > 0)
		return walk_rest(walk, last);
	return row ? walk_row(walk, kind, row) : 0;
}

static int walk_nodes(struct walk *walk)
{
	const struct snapshot *rows = walk->rows;
	const void *row = walk->n_behind > 0 ? snapshot_behind(rows, KIND_NODE, walk->place->steps[0].id)
					     : snapshot_next(rows, KIND_NODE, "", NULL);
	int r = 0;

	for (; r == 0 && row; row = snapshot_next(rows, KIND_NODE, "", row))
		r = walk_row(walk, KIND_NODE, row);
	return r;
}

int share_walk_below(const struct snapshot *rows, enum kind kind, const char *id, share_visit visit,
		     void *context)
{
	struct share_place place = {};
	struct walk walk = {.rows = rows, .visit = visit, .context = context, .place = &place};

	return walk_below(&walk, kind, id);
}

int share_walk_behind(const struct snapshot *rows, const struct share *share, struct share_place *place,
		      share_visit visit, void *context)
{
	struct walk walk = {
		.rows = rows, .visit = visit, .context = context, .place = place, .n_behind = place->n};

	switch (share->to) {
	case TOLD_ALL:
		return walk_nodes(&walk);
	case TOLD_NODE:
		return walk_told_with(&walk, KIND_NODE, share->id);
	case TOLD_VPC:
		return walk_from(&walk, KIND_VPC, share->id);
	case TOLD_SERVICE:
		return walk_from(&walk, KIND_SERVICE, share->id);
	case TOLD_ENDPOINTS:
		return walk_children(&walk, REF_ENDPOINT_VPC, share->id);
	default:
		return 0;
	}
}

int share_walk(const struct snapshot *rows, const struct share *share, share_visit visit, void *context)
{
	struct share_place place = {};

	return share_walk_behind(rows, share, &place, visit, context);
}

int share_compare(const struct share *a, const struct share *b)
{
	return a->to != b->to ? (a->to > b->to) - (a->to < b->to) : strcmp(a->id, b->id);
}
