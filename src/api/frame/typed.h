/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From names and values as sent to the typed parameters that a handler works with, as the action's table
 * says. A list may come as "Zone.1.ZoneId", "Zone.2.ZoneId" or as JSON text under the bare name "Zone"; the
 * handler cannot tell.
 */
#pragma once

#include "action.h"

/* Entries of one list whose table names no bound. */
#define LIST_ENTRIES_MAX 1000

/* Query and form together (form may be NULL; what the query has wins). `ret` is a new object (the caller's).
 * Names that no spec has are ignored. -EBADMSG: a parameter is missing or malformed, `error` names it in the
 * product's words. -ENOMEM. Several tables are read into one object. */
struct typed;
int typed_new(const struct params *query, const struct params *form, enum product product,
	      struct typed **ret);
struct typed *typed_free(struct typed *typed);
int typed_read(struct typed *typed, const struct param_spec *specs, json_t *ret, struct api_error *error);
