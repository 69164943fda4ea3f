/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which rows concern a node: a pure function of the rows. All VPCs that have one of its ports, the services
 * that their endpoints reach, and the load balancers and VPCs behind those; and the connectivity tests that
 * it is to run. Accounts, keys, tokens and the like never do.
 */
#pragma once

#include "../model/snapshot.h"

struct feed_scope;

/* What the node is told of, as the rows are now; they are borrowed. -ENOMEM. */
int feed_scope_new(const struct snapshot *rows, const char *node, struct feed_scope **ret);
struct feed_scope *feed_scope_free(struct feed_scope *scope);

/* Two scopes of one digest hold the same VPCs and services. */
uint64_t feed_scope_digest(const struct feed_scope *scope);
/* Whether the row of that key, which the snapshot has, is in the scope. */
bool feed_scope_has(const struct feed_scope *scope, const char *key);
/* Whether that row was in the scope once and is so no more, by a change of its own. */
bool feed_scope_left(const struct feed_scope *scope, const char *key);
/* Whether rows of the key's kind are told at all. */
bool feed_scope_kind(const char *key);
