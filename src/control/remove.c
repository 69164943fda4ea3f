/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of a row, and the parts of these, as model/relations.c has them. A row goes together with all of
 * them in one transaction, or last: nothing is left over if the program ends in between, as the row is still
 * there, deleted, and a start looks at all rows; control_remove_leftovers() would find it besides.
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

bool remove_parts(const struct snapshot *rows, enum kind kind, const char *id, size_t *room,
		  struct changes *changes)
{
	for (enum ref ref = 0; ref < REF_COUNT_; ref++) {
		enum kind part = relation_info(ref)->kind;

		if (!is_part_of(ref, kind))
			continue;
		for (const void *v = NULL; (v = snapshot_children(rows, ref, id, v));) {
			if (!remove_parts(rows, part, snapshot_id(v), room, changes) || *room == 0)
				return false;
			changes_delete(changes, part, v);
			(*room)--;
		}
	}
	return true;
}

bool remove_row(const struct snapshot *rows, enum kind kind, const void *row, size_t *room,
		struct changes *changes)
{
	const char *id = snapshot_id(row);
	size_t n;

	if (*room == 0) /* all that comes behind in this pass: its parts need not be counted */
		return false;
	n = remove_size(rows, kind, id);
	if (n > STORE_TXN_OPS_MAX) {
		(void)remove_parts(rows, kind, id, room, changes);
		return false;
	}
	if (n > *room) {
		*room = 0; /* or the parts of each one behind it would be counted, and mostly for nothing */
		return false;
	}
	changes_room(changes, n);
	(void)remove_parts(rows, kind, id, room, changes);
	changes_delete(changes, kind, row);
	(*room)--;
	return true;
}
