/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is found of servers is planned after what rows have touched, and apart from it. Where that cannot be
 * done in slices (the servers are too many, or what follows from them is) a pass becomes one of the whole as
 * well; the first time at once, then not before it has been calm for some times as long as the last one took.
 * Where it came out only when it was tried, nothing of the account's servers is tried until then (refused.h).
 * So whose servers are ill and well all the time does not keep others waiting.
 */
#include "reconcile_parts.h"

#define CALM_TIMES  4	 /* as long as such a pass took there is none for probes alone */
#define CALM_MAX_MS 2000 /* … or so long, if devices have made it long */

static int64_t account_of(const struct reconcile *reconcile, const char *group)
{
	const struct server_group *row = snapshot_server_group(reconcile->parts.rows, group);

	return row ? row->owner : 0;
}

void reconcile_refuse_health(struct reconcile *reconcile, const struct plan_touched *found)
{
	int64_t accounts[PLAN_TOUCHED_MAX];

	for (size_t i = 0; i < found->server_groups.n; i++)
		accounts[i] = account_of(reconcile, found->server_groups.ids[i]);
	refused_add(&reconcile->refused, accounts, found->server_groups.n);
	reconcile->wants_heavy = true;
}

static bool fits(void *context, const struct plan_touched *touched)
{
	struct reconcile *reconcile = context;
	const struct plan_input input = reconcile_input(reconcile);
	bool is_calm = now_mono_ms() < reconcile->calm_ms;
	int64_t first = 0;

	for (size_t i = 0; i < touched->server_groups.n; i++) {
		int64_t account = account_of(reconcile, touched->server_groups.ids[i]);

		if (is_calm && refused_has(&reconcile->refused, account))
			return false;
		if (i > 0 && account != first && reconcile->refused.one_by_one)
			return false;
		first = i == 0 ? account : first;
	}
	return plan_slice_fits(&input, reconcile->plan, touched);
}

void reconcile_take_health(struct reconcile *reconcile, struct plan_touched *found)
{
	if (!reconcile->wants_health)
		return;
	reconcile->wants_health = false;
	if (now_mono_ms() >= reconcile->calm_ms)
		refused_end_calm(&reconcile->refused);
	/* They could before rows were planned: that is nobody's fault here. */
	if (!reconcile_can_have_slices(reconcile))
		reconcile->wants_heavy = true;
	else
		reconcile->wants_heavy |=
			health_take_touched(reconcile->parts.health, fits, reconcile, found);
}

/* Who makes its servers ill and well all the time, so many that each time is a matter of the whole, shall not
 * keep the node at that: others' rows and servers are a matter of slices meanwhile. */
bool reconcile_is_heavy_due(struct reconcile *reconcile)
{
	uint64_t now_ms = now_mono_ms();

	if (reconcile->wants_heavy && now_ms < reconcile->calm_ms)
		loop_timer_set(reconcile->calm, reconcile->calm_ms - now_ms);
	return reconcile->wants_heavy && now_ms >= reconcile->calm_ms;
}

void reconcile_begin_calm(struct reconcile *reconcile, uint64_t started_ms)
{
	uint64_t took_ms = reconcile->last_ms - started_ms;

	if (started_ms >= reconcile->calm_ms)
		refused_settle(&reconcile->refused);
	reconcile->calm_ms = reconcile->last_ms + MIN(took_ms * CALM_TIMES, (uint64_t)CALM_MAX_MS);
}
