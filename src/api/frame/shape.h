/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shapes of answers that products share. The older ones wrap each list twice ("Vpcs": {"Vpc": [...]}), also
 * empty ones: clients crash without them. What is returned is borrowed from the object it was added to, or
 * NULL when out of memory; every function here and jansson's own take NULL.
 */
#pragma once

#include <jansson.h>

/* "name": [] */
json_t *shape_list(json_t *object, const char *name);
/* "outer": {"inner": []} */
json_t *shape_wrapped(json_t *object, const char *outer, const char *inner);
/* "name": {} */
json_t *shape_object(json_t *object, const char *name);
/* A new {} or text at the list's end. */
json_t *shape_item(json_t *list);
void shape_text(json_t *list, const char *text);
void shape_number(json_t *list, int64_t number);
