/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When rows have changed that touch a few slices of the plan only (plan_slice.h), and what is in force is
 * what the plan says, a pass plans these, writes their rows, and queues their devices to be made and removed
 * (ports.h). It does not wait for that: what others change is put in force meanwhile. When a device is there,
 * the next such pass plans and writes what reads that; the one that finds nothing queued any more reports.
 */
#include "reconcile_parts.h"

/* Of devices of others alone, which slices have nothing to do with, and the retry mends. */
static bool has_only_failed_devices(const struct reconcile *reconcile, const struct plan_touched *touched)
{
	for (size_t i = 0; i < reconcile->failed.n; i++) {
		const char *key = reconcile->failed.items[i].key;

		for (size_t j = 0; j < touched->instances.n; j++)
			if (streq(touched->instances.ids[j], key + strlen("instance/")))
				return false;
	}
	return true;
}

/* The slices as they are now into the plan in force and the tables. 1: they cannot be put there by
 * themselves. What is noted joins what the patch has. */
static int put_slices(struct reconcile *reconcile, const struct plan_touched *touched,
		      struct plan_patch *patch)
{
	const struct plan_input input = reconcile_input(reconcile);
	int r = plan_slice(&input, reconcile->parts.indexes, touched, reconcile->plan, patch);

	return r == 0 ? datapath_sync_slices(reconcile->parts.datapath, reconcile->plan, patch) : r;
}

/* What is left over from before the rows could be trusted goes, or is queued, before a report says that it is
 * not there. */
static int remove_left_over(struct reconcile *reconcile)
{
	int r = reconcile->is_removal_due ? reconcile_remove_others(reconcile, true) : 0;

	reconcile->wants_full |= r < 0;
	return MIN(r, 0);
}

/* Devices come after all rows: what others have in these slices does not wait for them. 1: as above. */
static int queue_devices(struct reconcile *reconcile, const struct plan_patch *patch)
{
	int r = ports_queue(reconcile->parts.ports, reconcile->plan, patch->ports, patch->n_ports);

	if (r == 0)
		r = remove_left_over(reconcile);
	if (r == 0)
		r = reconcile_next_device(reconcile);
	return r == -EAGAIN ? 1 : r;
}

/* 1: what is touched cannot be put in force by itself. */
static int apply_touched(struct reconcile *reconcile, const struct plan_touched *touched)
{
	_cleanup_(plan_patch_done) struct plan_patch patch = {};
	int r;

	if (!has_only_failed_devices(reconcile, touched))
		return 1;
	r = put_slices(reconcile, touched, &patch);
	if (r == 0)
		r = health_follow(reconcile->parts.health, reconcile->plan, &patch);
	if (r == 0)
		r = queue_devices(reconcile, &patch);
	if (r != 0)
		return r;
	flow_log_follow_slots(reconcile->parts.flow_log, patch.slots, patch.n_slots);
	reconcile->has_news |= patch.failures || patch.n_probes;
	return 0;
}

/* What rows have touched does not wait for what is found of servers, nor is it refused with it. */
int reconcile_apply_slices(struct reconcile *reconcile, const struct plan_touched *touched)
{
	struct plan_touched found = {};
	bool has_rows = plan_touched_any(touched);
	int r = has_rows ? apply_touched(reconcile, touched) : 0;

	if (r == 0 && has_rows)
		r = reconcile_report_slices(reconcile);
	if (r != 0)
		return r;
	reconcile_take_health(reconcile, &found);
	if (has_rows && !plan_touched_any(&found))
		return 0;
	loop_breathe(reconcile->parts.loop);
	reconcile->is_settled = reconcile->is_making = false;
	r = apply_touched(reconcile, &found);
	if (r > 0 && plan_touched_any(&found))
		reconcile_refuse_health(reconcile, &found);
	return r == 0 ? reconcile_report_slices(reconcile) : r;
}

bool reconcile_is_even(const struct reconcile *reconcile)
{
	return reconcile->is_settled || reconcile->is_making;
}

static bool has_devices_in_work(const struct reconcile *reconcile)
{
	return ports_are_busy(reconcile->parts.ports) || ports_are_queued(reconcile->parts.ports);
}

/* Whether there is room by now for what had none a pass of the whole has to say; and where a removal waits
 * for a device, what has come of that is to be planned. */
bool reconcile_has_slices(const struct reconcile *reconcile)
{
	return reconcile_is_even(reconcile) && !reconcile->is_unsure &&
	       reconcile->failed.n == reconcile->n_failed_devices &&
	       !(reconcile->is_removal_due && has_devices_in_work(reconcile)) &&
	       reconcile_can_have_slices(reconcile);
}
