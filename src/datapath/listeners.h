/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of listeners. Each has a Maglev table, for which there may be no room: then the one that it has stays.
 */
#pragma once

#include "datapath_tables.h"

/* The row that a listener gets, with its table taken. 1: there is no room for its table, and the row has that
 * of before with all that belongs to it. -ENOSPC: there is none, and it has no row; -ENOMEM, or what the
 * kernel says. */
int listener_want(const struct datapath *datapath, const struct plan *plan,
		  const struct plan_listener *listener, struct pl_listener *ret);
