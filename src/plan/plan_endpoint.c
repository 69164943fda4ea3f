/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Endpoint ENIs: what answers at an endpoint's address in each of its zones, and which load balancer's zone
 * stands behind it. An ENI of an endpoint or a connection that ends stays, not connected, until its row goes:
 * so the data path can answer its open flows. A zone that migrates has two ENIs, each with a load balancer.
 */
#include "../model/serving.h"
#include "../model/state.h"
#include "plan_build.h"

bool plan_zone_wanted(const struct endpoint *endpoint, const struct connection *connection,
		      const struct endpoint_zone *zone)
{
	return endpoint->status != ENDPOINT_DELETING && connection && endpoint_zone_wanted(zone, connection);
}

/* An ENI of a zone: the zone's own, or the one that is being replaced. */
struct zone_eni {
	const struct endpoint_zone *zone;
	const char *port, *resource, *behind; /* the load balancer, and its zone */
	bool wanted;			      /* to be connected */
	struct pl_limit limit;
	int64_t owner; /* of the endpoint */
	bool is_logged;
};

/* Why traffic could not flow through an ENI that is wished to be connected. */
static int check_behind(struct plan_builder *b, const struct zone_eni *of, const char *key)
{
	const struct load_balancer *lb = snapshot_load_balancer(b->rows, of->resource);

	if (!*of->resource)
		return plan_fail(b, key, "zone %s has no load balancer to serve it", of->zone->zone);
	if (!lb)
		return plan_fail(b, key, "the load balancer %s of zone %s is missing", of->resource,
				 of->zone->zone);

	for (const struct listener *l = NULL; (l = serving_next_listener(b->rows, lb->id, l));) {
		const struct vpc *vpc = plan_lacking_of(b, l->server_group);
		int r = 0;

		if (vpc)
			r = plan_fail(b, key, "VPC %s has no translated addresses for this node yet",
				      vpc->id);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The number of the load balancer's zone; it joins the targets when it is met for the first time. */
static int get_target(struct plan_builder *b, const struct zone_eni *of, uint32_t *ret)
{
	const struct load_balancer *lb = snapshot_load_balancer(b->rows, of->resource);
	struct plan_balancer_zone *known = plan_balancer_zone(b, of->resource, of->behind);
	struct plan_target *target;
	uint32_t number;
	int r;

	*ret = 0;
	if (!known)
		return -ENOMEM;
	if (!lb)
		return 0;
	r = plan_indexes_target(b->indexes, lb->id, of->behind, &number);
	if (r < 0)
		return r == -ENOSPC ? 0 : r;
	known->target = *ret = number;
	if (r == 1)
		return 0;
	target = plan_append(&b->targets, &b->n_targets, sizeof(*target));
	if (!target)
		return -ENOMEM;
	target->number = number;
	target->load_balancer = lb;
	target->zone = of->behind;
	return 0;
}

static int fill_eni(struct plan_builder *b, const struct vpc *vpc, const struct zone_eni *of,
		    const struct port *port, struct plan_eni *eni)
{
	const struct endpoint_zone *zone = of->zone;
	int r = get_target(b, of, &eni->value.target);

	if (r < 0)
		return r;
	eni->value.number = port->number;
	eni->value.vpc = vpc->number;
	eni->value.flags = of->wanted ? PL_ENI_F_CONNECTED : 0;
	eni->value.zone = plan_zone_index(b, zone->zone);
	eni->limit = of->limit;
	eni->value.limit = of->limit.kbyte_ns ? eni->slot : 0;
	eni->value.addr = plan_addr(&port->addr);
	memcpy(eni->value.mac, port->mac.bytes, sizeof(eni->value.mac));
	(void)str_copy(eni->endpoint, sizeof(eni->endpoint), zone->endpoint);
	(void)str_copy(eni->zone, sizeof(eni->zone), zone->zone);
	eni->is_logged = of->is_logged;
	return plan_indexes_account(b->indexes, of->owner, eni->slot, &eni->limit.account);
}

/* It is of the endpoint whose part is the last one. */
static void chain(const struct plan_builder *b, struct plan_eni *eni)
{
	struct plan_part *part = &b->plan->slices->parts[b->plan->slices->n_parts - 1];

	eni->next_slot = part->first_slot;
	part->first_slot = eni->slot;
}

static int add_eni(struct plan_builder *b, const struct vpc *vpc, const struct zone_eni *of)
{
	const struct load_balancer *lb = snapshot_load_balancer(b->rows, of->resource);
	const struct port *port = snapshot_port(b->rows, of->port);
	struct plan_eni *eni;
	char key[KEY_SIZE];
	uint32_t slot;
	int r;

	(void)str_format(key, sizeof(key), "endpoint/%s", of->zone->endpoint);
	if (!port)
		return plan_fail(b, key, "the interface %s of zone %s is missing", of->port, of->zone->zone);
	if (port->number == 0 || port->number == UINT32_MAX || !netaddr_is_v4(&port->addr))
		return plan_fail(b, key, "the interface %s has no number or no IPv4 address", port->id);
	r = plan_indexes_slot(b->indexes, port->number, &slot);
	if (r == -ENOSPC)
		return plan_fail_by_others(b, key, "this node has no free slot for another interface");
	if (r == -EEXIST)
		return plan_fail_by_others(b, key, "the interface %s has the number of another one",
					   port->id);
	if (r < 0)
		return r;

	eni = plan_append(&b->plan->enis, &b->plan->n_enis, sizeof(*eni));
	if (!eni)
		return -ENOMEM;
	eni->slot = slot;
	chain(b, eni);
	r = fill_eni(b, vpc, of, port, eni);
	if (r < 0)
		return r;
	r = plan_add_place(b, vpc->number, &port->addr, PL_PLACE_ENI, slot);
	if (r < 0)
		return r;
	r = plan_make_set(b, port->groups, port->n_groups, key, &eni->set);
	if (r == 0 && lb)
		r = plan_make_balancer_set(b, lb, &eni->balancer_set);
	if (r < 0 || !of->wanted)
		return r;
	return check_behind(b, of, key);
}

static int add_zone(struct plan_builder *b, const struct vpc *vpc, const struct endpoint *endpoint,
		    const struct endpoint_zone *zone)
{
	const struct connection *connection = snapshot_connection(b->rows, endpoint->id);
	bool wanted = plan_zone_wanted(endpoint, connection, zone);
	struct pl_limit limit = plan_eni_limit(endpoint, connection);
	int r;

	r = add_eni(b, vpc,
		    &(struct zone_eni){zone, zone->port, zone->resource, endpoint_zone_behind(zone), wanted,
				       limit, endpoint->owner, endpoint->flow_log});
	if (r < 0 || !endpoint_zone_has_replaced(zone))
		return r;
	return add_eni(b, vpc,
		       &(struct zone_eni){zone, zone->replaced_port, zone->replaced_resource,
					  endpoint_zone_behind_replaced(zone), wanted, limit, endpoint->owner,
					  endpoint->flow_log});
}

int plan_endpoint(struct plan_builder *b, const struct vpc *vpc, const struct endpoint *endpoint)
{
	int r = 0;

	for (const struct endpoint_zone *z = NULL;
	     r == 0 && (z = snapshot_children(b->rows, REF_ENDPOINT_ZONE_ENDPOINT, endpoint->id, z));)
		r = z->status == ZONE_DELETING ? 0 : add_zone(b, vpc, endpoint, z);
	return r;
}

int plan_endpoints(struct plan_builder *b)
{
	for (const struct endpoint *v = NULL; (v = snapshot_next(b->rows, KIND_ENDPOINT, "", v));) {
		const struct vpc *vpc = plan_local_vpc(b, v->vpc);
		int r = vpc ? plan_part_add(b, vpc, v->id) : 0;

		if (r == 0 && vpc)
			r = plan_endpoint(b, vpc, v);
		if (r < 0)
			return r;
		plan_breathe(b);
	}
	return 0;
}
