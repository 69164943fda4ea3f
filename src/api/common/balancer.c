/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See balancer.h.
 */
#include "balancer.h"

#include "../../model/serving.h"
#include "../../model/state.h"
#include "quota.h"

#define TABLES_MAX 128 /* of all zones of a region, twice; no catalogue has so many */

bool balancer_is_classic(const struct call *call, enum kind kind, const void *row)
{
	const struct load_balancer *lb = row;

	if (kind == KIND_SERVER_GROUP)
		return *((const struct server_group *)row)->load_balancer;
	if (kind == KIND_LISTENER)
		lb = snapshot_load_balancer(call->rows, ((const struct listener *)row)->load_balancer);
	else if (kind != KIND_LOAD_BALANCER)
		return false;
	return lb && lb->type == LB_CLASSIC;
}

bool balancer_is_of_nlb(const struct call *call, enum kind kind, const void *row)
{
	return !balancer_is_classic(call, kind, row);
}

bool balancer_is_of_slb(const struct call *call, enum kind kind, const void *row)
{
	return balancer_is_classic(call, kind, row);
}

void balancer_delete_listeners(struct call *call, const char *id)
{
	for (const struct listener *l = NULL;
	     (l = snapshot_children(call->rows, REF_LISTENER_LOAD_BALANCER, id, l));) {
		struct listener row = *l;

		if (listener_event(&row, EVENT_DELETE) == 0)
			call_put(call, KIND_LISTENER, &row);
	}
}

/* The tables of a group: one for each zone of its load balancers, and another one where it differs in
 * crossing zones. */
struct tables {
	struct {
		const char *zone;
		bool crosses;
	} v[TABLES_MAX];
	size_t n;
};

static void add_tables(struct tables *tables, const struct load_balancer *lb)
{
	for (uint32_t i = 0; lb && i < lb->n_zones; i++) {
		size_t j = 0;

		while (j < tables->n &&
		       (tables->v[j].crosses != lb->cross_zone || !streq(tables->v[j].zone, lb->zones[i])))
			j++;
		if (j < tables->n || j == TABLES_MAX)
			continue;
		tables->v[j].zone = lb->zones[i];
		tables->v[j].crosses = lb->cross_zone;
		tables->n++;
	}
}

size_t balancer_places(const struct snapshot *rows, const char *server_group, size_t more,
		       const struct load_balancer *with)
{
	struct tables tables = {.n = 0};
	const char *last = "";

	add_tables(&tables, with);
	for (const struct listener *l = NULL;
	     (l = snapshot_children(rows, REF_LISTENER_SERVER_GROUP, server_group, l));) {
		if (streq(l->load_balancer, last) || (with && streq(l->load_balancer, with->id)))
			continue;
		add_tables(&tables, snapshot_load_balancer(rows, l->load_balancer));
		last = l->load_balancer;
	}
	more += snapshot_count_children(rows, REF_SERVER_GROUP, server_group);
	return more ? tables.n * serving_places(more) : 0;
}

size_t balancer_places_added(const struct snapshot *rows, const char *server_group, size_t more,
			     const struct load_balancer *with)
{
	size_t now = balancer_places(rows, server_group, 0, NULL);
	size_t then = balancer_places(rows, server_group, more, with);

	return then > now ? then - now : 0;
}

int balancer_check_places(struct call *call, int64_t owner, const char *server_group, size_t more,
			  const struct load_balancer *with)
{
	size_t n = balancer_places_added(call->rows, server_group, more, with);

	return n ? quota_check_share(call, owner, QUOTA_ALL_PLACES, 0, n) : 0;
}

/* Whether a listener before this one of the load balancer's has its group, too. */
static bool is_met(const struct call *call, const struct listener *listener)
{
	const struct listener *l = NULL;

	while ((l = snapshot_children(call->rows, REF_LISTENER_LOAD_BALANCER, listener->load_balancer, l)) &&
	       l != listener)
		if (streq(l->server_group, listener->server_group))
			return true;
	return false;
}

int balancer_check_change(struct call *call, const struct load_balancer *lb)
{
	size_t n = 0;

	for (const struct listener *l = NULL;
	     (l = snapshot_children(call->rows, REF_LISTENER_LOAD_BALANCER, lb->id, l));)
		if (!is_met(call, l))
			n += balancer_places_added(call->rows, l->server_group, 0, lb);
	return n ? quota_check_share(call, lb->owner, QUOTA_ALL_PLACES, 0, n) : 0;
}

/* What goes away with the interface has left its server groups, and would not leave one that it joins now. */
static bool is_leaving(const struct call *call, const struct port *port)
{
	const struct instance *instance = snapshot_instance(call->rows, port->holder);

	return !instance || instance->status == INSTANCE_DELETING;
}

int server_place(const struct call *call, const char *vpc, const struct port *port, struct server *row)
{
	if (!port)
		return -ENOENT;
	if (port->kind != PORT_INSTANCE || is_leaving(call, port))
		return -EBUSY;
	if (!streq(port->vpc, vpc))
		return -EXDEV;
	row->addr = port->addr;
	(void)str_copy(row->zone, sizeof(row->zone), port->zone);
	(void)str_copy(row->port_id, sizeof(row->port_id), port->id);
	(void)str_copy(row->node, sizeof(row->node), port->node);
	return 0;
}
