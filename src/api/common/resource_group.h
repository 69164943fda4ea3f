/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The resource group that an object is in: one of its account's. In rows the empty text is the default group,
 * which every account has (model/resource_group.h).
 */
#pragma once

#include "../frame/action.h"

/* The caller's group of that id, borrowed; NULL: there is none, it is another's, or the default one. */
const struct resource_group *owned_resource_group(const struct call *call, const char *id);
/* Whether the id is that of the caller's default group. */
bool is_default_group(const struct call *call, const char *id);

/* What ResourceGroupId names into a row's member; leaves it if the parameter is absent. Fails the call with
 * the product's code if the account has no such group. */
int read_resource_group(struct call *call, const char *code, char ret[ID_SIZE]);
/* The same of another parameter. */
int read_resource_group_of(struct call *call, const char *param, const char *code, char ret[ID_SIZE]);
/* The filter of lists: `group` as rows have it. */
bool filter_resource_group(const struct call *call, const char *group);
