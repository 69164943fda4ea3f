/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers by the tables of the schema. What a table takes from rows is filled in here; a handler adds what is
 * computed (A_TEXT and kin, the entries of a LIST).
 */
#pragma once

#include <jansson.h>

#include "../../schema/schema.h"

/* Puts into the object what the table takes from this kind of row, and what is always the same. An answer of
 * several rows has a call for each. */
void answer_row(json_t *object, const struct answer_field *fields, enum kind kind, const void *row);
/* The table's list of that name, empty (borrowed, as by shape.h), and … */
json_t *answer_list(json_t *object, const struct answer_field *fields, const char *name);
/* … a new entry of it with what its table takes from the row. */
json_t *answer_entry(json_t *list, const struct answer_field *field, enum kind kind, const void *row);
