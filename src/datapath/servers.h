/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Servers that leave their group: until when they keep their connections. The kernel's rows remember it, so
 * it outlives the agent.
 */
#pragma once

#include "../plan/failures.h"
#include "../plan/plan.h"
#include "table.h"

/* Of a group's servers that the plan does not have any more: the rows that stay. As many as a group can have.
 */
#define SERVERS_REMOVED_PER_GROUP_MAX 1000

/* The rows that pl_servers should have, appended to `ret`: the plan's; and for a while those of servers that
 * the plan does not have any more and whose connections are to end; of each group those of the latest times,
 * as many as all groups have room for in seven eighths of the table, and SERVERS_REMOVED_PER_GROUP_MAX at
 * most. `ret_due_ms`: the time (of now_mono_ms()) at which rows change by themselves; 0: never. What finds no
 * room is named in `failures`. -ENOMEM. */
int servers_want(const struct table *table, const struct plan *plan, uint64_t now_ms, struct rowset *ret,
		 uint64_t *ret_due_ms, struct failures *failures);

/* The same of one group alone, whose rows are sorted then; others have what they have. `due_ms` is what it
 * was, or an earlier time. */
int servers_want_group(const struct table *table, const struct plan *plan, uint64_t group, uint64_t now_ms,
		       struct rowset *ret, uint64_t *due_ms);

/* Groups whose rows have changed by themselves by now: keys of `ret`, sorted; u64, no values. `ret_due_ms`:
 * the next time at which rows do, as with servers_want(). -ENOMEM. */
int servers_due(const struct table *table, uint64_t now_ms, struct rowset *ret, uint64_t *ret_due_ms);

/* What a table of another layout remembers of servers whose connections end some time, copied into a new and
 * empty one, so that the next plan finds it there. Of a layout that nobody knows nothing is copied; nor is
 * what has no room. */
int servers_carry(int from_fd, int to_fd);

/* Targets whose listeners, or whose listeners' servers, are about to change: keys of `ret`, sorted; u32, no
 * values. -ENOMEM. */
int servers_touched(const struct table *servers, const struct rowset *wanted_servers,
		    const struct table *listeners, const struct rowset *wanted_listeners, struct rowset *ret);
