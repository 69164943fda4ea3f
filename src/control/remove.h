/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Removing a row with its parts.
 */
#pragma once

#include "control_step.h"

/* Removes a row of the snapshot and all that is a part of it (model/relations.c): at once if it fits one
 * transaction; else only the parts. At most `*room` rows, which is less by so many then, and 0 if the row had
 * no room. False: something is left, and the row wants another call when there is room again. */
bool remove_row(const struct snapshot *rows, enum kind kind, const void *row, size_t *room,
		struct changes *changes);

/* Removes what is a part of the row of that id, which may be gone, and what is a part of these, before them:
 * at most `*room` rows, which is less by so many then. False: some are left. */
bool remove_parts(const struct snapshot *rows, enum kind kind, const char *id, size_t *room,
		  struct changes *changes);

/* The operations that it takes to remove a row with its parts. */
size_t remove_size(const struct snapshot *rows, enum kind kind, const char *id);
