/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pass of the whole: plan from the rows (a pure function) -> devices -> tables of the data path -> names ->
 * probes -> removal of devices that nothing wants -> report. The plan is made twice when devices came or
 * went, because a port's row in the data path has its device's number in it. Once all that was there at the
 * start is, it queues the devices that it has no time for (ports.h), and does not wait for them.
 *
 * It breathes (loop.h): the resolver and the probes go on meanwhile, by the plan before it, which stays as it
 * is until the new one takes its place; whom the old one does not know the resolver answers then. What they
 * find out asks for another pass, as at any other time.
 */
#include "reconcile_parts.h"

#include "../lib/log.h"

struct plan_input reconcile_input(const struct reconcile *reconcile)
{
	return (struct plan_input){
		.rows = reconcile->parts.rows,
		.catalogue = reconcile->parts.catalogue,
		.node = reconcile->parts.node,
		.health = health_of,
		.health_context = reconcile->parts.health,
		.ifindex = ports_ifindex,
		.ifindex_context = reconcile->parts.ports,
	};
}

static int build_plan(struct reconcile *reconcile, struct plan **ret)
{
	struct plan_input input = reconcile_input(reconcile);

	health_take_all(reconcile->parts.health);
	input.breath = loop_breath(reconcile->parts.loop);
	return plan_build(&input, reconcile->parts.indexes, ret);
}

/* The plan with the devices that it needs. Failures to make one go into `failures`. */
static int plan_with_devices(struct reconcile *reconcile, bool full, struct failures *failures,
			     struct plan **ret)
{
	struct plan *plan;
	int r = build_plan(reconcile, &plan);

	if (r < 0)
		return log_errno(r, "cannot plan");
	r = ports_sync(reconcile->parts.ports, plan, full, failures);
	if (r > 0) {
		plan_free(plan);
		r = build_plan(reconcile, &plan);
		if (r < 0)
			return log_errno(r, "cannot plan");
	} else if (r < 0) {
		plan_free(plan);
		return log_errno(r, "cannot make devices");
	}
	*ret = plan;
	return 0;
}

/* A server behind a port that is still to be made is not planned to be probed: its probe begins with a later
 * pass, and is one of the start as well. `r` is what came of the plan's probes. */
static void end_start(struct reconcile *reconcile, int r)
{
	if (r == 0 && !ports_are_behind(reconcile->parts.ports))
		health_set_rows(reconcile->parts.health, NULL);
}

/* -ENOMEM: some servers are not probed yet. */
static int set_plan(struct reconcile *reconcile, struct plan *plan)
{
	const struct breath breath = loop_breath(reconcile->parts.loop);
	struct plan *old = reconcile->plan;
	int r = health_set_plan(reconcile->parts.health, plan);

	if (r < 0)
		(void)log_errno(r, "cannot probe all backends");
	dns_set_plan(reconcile->parts.dns, plan);
	flow_log_follow(reconcile->parts.flow_log, plan);
	reconcile->plan = plan;
	plan_free_breathing(old, &breath);
	return r;
}

int reconcile_remove_others(struct reconcile *reconcile, bool full)
{
	int r;

	if (!reconcile->is_trusted)
		return 0;
	full |= reconcile->is_removal_due;
	reconcile->is_removal_due = false;
	r = ports_remove_others(reconcile->parts.ports, reconcile->plan, full);
	if (r > 0 || full) {
		int q = datapath_sweep_links(reconcile->parts.datapath);

		if (q < 0)
			return log_errno(q, "cannot remove links of devices that are gone");
	}
	return r;
}

int reconcile_next_device(struct reconcile *reconcile)
{
	return ports_go_on(reconcile->parts.ports, reconcile->plan, reconcile->is_trusted);
}

/* New tables are put in force when they have all that the plan has, and not while some ports are still to be
 * made; what is in force goes on until then. `r` is the sync's result. */
static int take_over(struct reconcile *reconcile, int r)
{
	if (r < 0 || !reconcile->has_node_port || ports_are_behind(reconcile->parts.ports))
		return r;
	return datapath_take_over(reconcile->parts.datapath);
}

int reconcile_apply_whole(struct reconcile *reconcile, bool full)
{
	struct failures *failures = &reconcile->failed;
	struct plan *plan = NULL;
	int r, q, p;

	failures_clear(failures);

	r = full ? datapath_repair_pins(reconcile->parts.datapath) : 0;
	if (r >= 0 && (full || ports_node_port_is_due(reconcile->parts.ports)))
		reconcile->has_node_port = ports_sync_node_port(reconcile->parts.ports) == 0;
	if (r >= 0)
		r = plan_with_devices(reconcile, full, failures, &plan);
	reconcile->n_failed_devices = failures->n;
	if (r < 0)
		return r;
	dns_expect_plan(reconcile->parts.dns); /* whose port's row is written may ask at once */
	r = datapath_sync(reconcile->parts.datapath, plan, ports_node_port(reconcile->parts.ports), full,
			  failures);
	r = take_over(reconcile, r);
	if (r == 0 && reconcile->has_node_port && !ports_are_behind(reconcile->parts.ports))
		ports_queue_rest(reconcile->parts.ports);
	p = set_plan(reconcile, plan);
	end_start(reconcile, p);
	q = reconcile_remove_others(reconcile, full);
	if (q >= 0)
		q = reconcile_next_device(reconcile);

	if (ports_are_behind(reconcile->parts.ports))
		reconcile_request(reconcile, false);
	else if (r == 0 && reconcile->has_node_port)
		reconcile_report_whole(reconcile);
	if (r == 0 && q < 0)
		r = q;
	if (r == 0 && !reconcile->has_node_port)
		r = -ENODEV;
	return r < 0 ? r : failures->n || p < 0 ? -EAGAIN : 0;
}

bool reconcile_can_have_slices(const struct reconcile *reconcile)
{
	return plan_has_slices(reconcile->plan) && datapath_takes_slices(reconcile->parts.datapath);
}
