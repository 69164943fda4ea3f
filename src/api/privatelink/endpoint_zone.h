/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A zone of an endpoint, as CreateVpcEndpoint and AddZoneToVpcEndpoint make it (endpoint_zone.c).
 */
#pragma once

#include "../common/address.h"
#include "../frame/action.h"

/* A zone of a new or an existing endpoint, as the caller wishes it. */
struct zone_wish {
	const char *zone, *vswitch, *addr, *addr_v6; /* the addresses may be NULL */
	const char *param; /* "Zone.2.", in front of the names of parameters at fault */
};
/* Checks the wish and puts the zone's rows into the transaction: the zone itself, its ENI and the ENI's
 * address. */
int zone_create(struct call *call, struct alloc *alloc, const struct endpoint *endpoint,
		const struct service *service, const struct connection *connection,
		const struct zone_wish *wish);
