/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of relations says with what a row is told; this goes along it, up from a row to its share and
 * down from a share to its rows. Endpoints are told where they are, not where their services are, so those of
 * a VPC are a share beside it. What names a node is told to that one alone, whether the node's own row, which
 * all are told of, is there or not.
 */
#include "told.h"

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

/* The rows that name `id` in that reference, and what is told with them. */
static int walk_children(const struct snapshot *rows, enum ref ref, const char *id, share_visit visit,
			 void *context)
{
	enum kind kind = relation_info(ref)->kind;
	int r = 0;

	for (const void *row = NULL; r == 0 && (row = snapshot_children(rows, ref, id, row));) {
		r = visit(context, kind, row);
		if (r == 0)
			r = share_walk_below(rows, kind, snapshot_id(row), visit, context);
	}
	return r;
}

int share_walk_below(const struct snapshot *rows, enum kind kind, const char *id, share_visit visit,
		     void *context)
{
	int r = 0;

	if (kind == KIND_NODE)
		return 0;
	for (enum kind below = 0; r == 0 && below < KIND_COUNT_; below++) {
		enum ref ref = told_with(below);

		if (ref != REF_COUNT_ && relation_names(ref, kind) && ref != REF_ENDPOINT_VPC)
			r = walk_children(rows, ref, id, visit, context);
	}
	return r;
}

static int walk_from(const struct snapshot *rows, enum kind kind, const char *id, share_visit visit,
		     void *context)
{
	const void *row = snapshot_find(rows, kind, id);
	int r;

	if (!row)
		return 0;
	r = visit(context, kind, row);
	return r < 0 ? r : share_walk_below(rows, kind, id, visit, context);
}

int share_walk(const struct snapshot *rows, const struct share *share, share_visit visit, void *context)
{
	switch (share->to) {
	case TOLD_VPC:
		return walk_from(rows, KIND_VPC, share->id, visit, context);
	case TOLD_SERVICE:
		return walk_from(rows, KIND_SERVICE, share->id, visit, context);
	case TOLD_ENDPOINTS:
		return walk_children(rows, REF_ENDPOINT_VPC, share->id, visit, context);
	default:
		return 0;
	}
}
