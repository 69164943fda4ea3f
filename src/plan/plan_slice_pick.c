/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which listeners a change of server groups is a matter of: those that name one of the groups, and those of
 * the same load balancer that have the same port, since of these the first one is planned. The other
 * listeners stay as they are, with the groups behind them.
 */
#include "plan_slice_build.h"

#include "../lib/vec.h"

static int compare_picks(const void *a, const void *b)
{
	const struct slice_pick *x = a, *y = b;
	int c = strcmp(x->balancer, y->balancer);

	if (!c)
		c = x->port < y->port ? -1 : x->port > y->port;
	return c ? c : (x->protocol > y->protocol) - (x->protocol < y->protocol);
}

static bool is_touched(const struct plan_touched *touched, const char *balancer)
{
	for (size_t i = 0; i < touched->balancers.n; i++)
		if (streq(touched->balancers.ids[i], balancer))
			return true;
	return false;
}

static int pick_listener(struct slice_picks *picks, const struct listener *listener)
{
	struct slice_pick *pick = plan_append(&picks->v, &picks->n, sizeof(*pick));

	if (!pick)
		return -ENOMEM;
	pick->port = listener->port;
	pick->protocol = plan_protocol(listener->protocol);
	return str_copy(pick->balancer, sizeof(pick->balancer), listener->load_balancer) < 0 ? 1 : 0;
}

int slice_pick(const struct slice *slice, const struct plan_touched *touched, struct slice_picks *ret)
{
	const struct snapshot *rows = slice->input->rows;
	int r = 0;

	for (size_t i = 0; i < touched->server_groups.n; i++)
		for (const struct listener *l = NULL;
		     r == 0 && (l = snapshot_children(rows, REF_LISTENER_SERVER_GROUP,
						      touched->server_groups.ids[i], l));)
			if (!is_touched(touched, l->load_balancer) &&
			    plan_balancer_find(slice->plan->slices, l->load_balancer))
				r = pick_listener(ret, l);
	if (ret->n > 1)
		qsort(ret->v, ret->n, sizeof(*ret->v), compare_picks);
	return r;
}

/* A load balancer of which none is picked is planned with all that it has. */
static bool has(const struct slice_picks *picks, const char *balancer, uint32_t port, int protocol)
{
	struct slice_pick wanted = {.port = port, .protocol = protocol};
	size_t of, place;

	(void)str_copy(wanted.balancer, sizeof(wanted.balancer), balancer);
	of = LOWER_BOUND(i, picks->n, strcmp(picks->v[i].balancer, wanted.balancer) < 0);
	if (of == picks->n || !streq(picks->v[of].balancer, wanted.balancer))
		return true;
	place = LOWER_BOUND(i, picks->n, compare_picks(&picks->v[i], &wanted) < 0);
	return place < picks->n && compare_picks(&picks->v[place], &wanted) == 0;
}

bool slice_picks_row(const struct slice_picks *picks, const struct listener *listener)
{
	return has(picks, listener->load_balancer, listener->port, plan_protocol(listener->protocol));
}

bool slice_picks_planned(const struct slice_picks *picks, const char *balancer,
			 const struct plan_listener *listener)
{
	return has(picks, balancer, ntohs(listener->key.port), listener->key.protocol);
}
