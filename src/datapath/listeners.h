/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of listeners. Each has a Maglev table, for which there may be no room, or not yet: then the one that
 * it has stays.
 */
#pragma once

#include "datapath_tables.h"

/* Its table is that of before, with all that belongs to it... */
enum {
	LISTENER_HAS_NO_ROOM = 1, /* ...as there is no room for another one */
	LISTENER_WAITS,		  /* ...as it has had it for a moment only, and much of pl_maglev rests */
};

/* The row that a listener gets, with its table taken: 0, or one of these. -ENOSPC: there is no room for its
 * table, and it has none; -ENOMEM, or what the kernel says. */
int listener_want(const struct datapath *datapath, const struct plan *plan,
		  const struct plan_listener *listener, struct pl_listener *ret);

/* The targets of the listeners that wait from now on (keys: u32, no values) take the place of those that did,
 * which the caller gets. The next sync is due in time. */
void listeners_wait(struct datapath *datapath, struct rowset *targets);
