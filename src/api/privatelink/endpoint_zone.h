/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A zone of an endpoint, as CreateVpcEndpoint and AddZoneToVpcEndpoint make it (endpoint_zone.c).
 */
#pragma once

#include "../common/address.h"
#include "allocation.h"

/* A zone of a new or an existing endpoint, as the caller wishes it. */
struct zone_wish {
	const char *zone, *vswitch, *addr, *addr_v6; /* the addresses may be NULL */
	const char *param; /* "Zone.2.", in front of the names of parameters at fault */
};
/* Puts an ENI of the endpoint in the vSwitch, and its address, into the transaction: the zone's own from now
 * on. `wanted` is its address; NULL: any. Fails the call when there is none. */
int zone_make_port(struct call *call, struct alloc *alloc, const struct endpoint *endpoint,
		   const struct vswitch *vswitch, const struct netaddr *wanted, struct endpoint_zone *zone);
/* Whether that is what serves the zone; NULL: nothing does. */
bool zone_has_resource(const struct endpoint_zone *zone, const struct service_resource *resource);
/* Writes that down in the row. */
void zone_name_resource(struct endpoint_zone *zone, const struct service_resource *resource);
/* The zone gets another load balancer (NULL: none until it is connected). What is open through the one that
 * its ENI had ends: the ENI gets another number, by which nodes take it for another one. */
void zone_set_resource(struct call *call, struct endpoint_zone *zone,
		       const struct service_resource *resource);
/* A zone as it would be made, but for its ENI. */
struct zone_plan {
	struct endpoint_zone row;
	char domain[DOMAIN_SIZE]; /* the row's */
	const struct vswitch *vswitch;
	struct netaddr wanted; /* its address; zero: any */
};
/* Checks the wish, and finds what the zone is to be; fails the call for what is wrong with it. The row points
 * into the plan. */
int zone_plan_read(struct call *call, struct allocation *allocation, const struct connection *connection,
		   const struct zone_wish *wish, struct zone_plan *ret);
/* Puts the zone's rows into the transaction: the zone itself, its ENI and the ENI's address. */
int zone_create(struct call *call, struct alloc *alloc, const struct endpoint *endpoint,
		struct zone_plan *plan);
