/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See balancer.h.
 */
#include "balancer.h"

#include "../../model/serving.h"
#include "../../model/state.h"
#include "quota.h"

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

size_t balancer_places(const struct snapshot *rows, const char *server_group, size_t more, uint32_t n_zones)
{
	for (const struct listener *l = NULL;
	     (l = snapshot_children(rows, REF_LISTENER_SERVER_GROUP, server_group, l));) {
		const struct load_balancer *lb = snapshot_load_balancer(rows, l->load_balancer);

		n_zones = MAX(n_zones, lb ? lb->n_zones : 0);
	}
	more += snapshot_count_children(rows, REF_SERVER_GROUP, server_group);
	return more ? (size_t)n_zones * serving_places(more) : 0;
}

int balancer_check_places(struct call *call, int64_t owner, const char *server_group, size_t more,
			  uint32_t n_zones)
{
	size_t now = balancer_places(call->rows, server_group, 0, 0);
	size_t then = balancer_places(call->rows, server_group, more, n_zones);

	return then <= now ? 0 : quota_check_share(call, owner, QUOTA_ALL_PLACES, 0, then - now);
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
