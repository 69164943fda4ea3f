/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of a row, and the parts of these, as model/relations.c has them. A row goes together with all of
 * them in one transaction, or last: nothing is left over if the program ends in between, and
 * control_remove_leftovers() would find it.
 */
#include "remove.h"

/* Whether rows of the reference are parts of that kind. */
static bool is_part_of(enum ref ref, enum kind kind)
{
	return (relation_info(ref)->follows & REF_PART) && relation_names(ref, kind);
}

size_t remove_size(const struct snapshot *rows, enum kind kind, const char *id)
{
	size_t n = 1;

	for (enum ref ref = 0; ref < REF_COUNT_; ref++) {
		if (!is_part_of(ref, kind))
			continue;
		if (!relation_has_parts(relation_info(ref)->kind)) {
			n += snapshot_count_children(rows, ref, id);
			continue;
		}
		for (const void *v = NULL; (v = snapshot_children(rows, ref, id, v));)
			n += remove_size(rows, relation_info(ref)->kind, snapshot_id(v));
	}
	return n;
}

/* What is a part of a part goes before it. */
static void remove_parts(const struct snapshot *rows, enum kind kind, const char *id, struct changes *changes)
{
	for (enum ref ref = 0; ref < REF_COUNT_; ref++) {
		if (!is_part_of(ref, kind))
			continue;
		for (const void *v = NULL; (v = snapshot_children(rows, ref, id, v));) {
			remove_parts(rows, relation_info(ref)->kind, snapshot_id(v), changes);
			changes_delete(changes, relation_info(ref)->kind, v);
		}
	}
}

bool remove_row(const struct snapshot *rows, enum kind kind, const void *row, struct changes *changes)
{
	const char *id = snapshot_id(row);
	size_t n = remove_size(rows, kind, id);

	if (n <= STORE_TXN_OPS_MAX)
		changes_room(changes, n);
	remove_parts(rows, kind, id, changes);
	if (n > STORE_TXN_OPS_MAX)
		return false;
	changes_delete(changes, kind, row);
	return true;
}
