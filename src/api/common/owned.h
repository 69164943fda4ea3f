/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the caller may see: its own objects, in the region of the call if the call names one. Another
 * account's object looks like one that does not exist. All results are borrowed from the snapshot; NULL for a
 * NULL id.
 */
#pragma once

#include "../frame/action.h"

/* The caller's object of that id in the call's region, borrowed; NULL: there is none, or it is another's,
 * which is never told apart. `id` may be NULL. */
const struct vpc *owned_vpc(const struct call *call, const char *id);
const struct vswitch *owned_vswitch(const struct call *call, const char *id);
const struct security_group *owned_security_group(const struct call *call, const char *id);
const struct instance *owned_instance(const struct call *call, const char *id);
const struct port *owned_port(const struct call *call, const char *id);
const struct load_balancer *owned_load_balancer(const struct call *call, const char *id);

/* The object of a kind, which is one of those that have owner and region. */
const void *owned_row(const struct call *call, enum kind kind, const char *id);
/* Walks the caller's objects of a kind, in the order of their ids, like snapshot_next(). */
const void *owned_next(const struct call *call, enum kind kind, const void *previous);

/* Filters of lists: an absent parameter matches everything. */
bool filter_text(const struct call *call, const char *param, const char *value);
/* The parameter's text is a part of `text`. */
bool filter_part(const struct call *call, const char *param, const char *text);
/* `param` is a PARAM_LIST; any of its entries matches. */
bool filter_list(const struct call *call, const char *param, const char *value);
/* Any of `values` is the parameter's text. */
bool filter_any(const struct call *call, const char *param, const char (*values)[ID_SIZE], uint32_t n);
/* Comma-separated texts in one parameter, which struct list_filter bounds. */
bool filter_commas(const struct call *call, const char *param, const char *value);
