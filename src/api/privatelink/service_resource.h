/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A load balancer's zone that is to serve an endpoint service: the checks that creating a service, attaching
 * to one and binding to one of the system's share.
 */
#pragma once

#include "../frame/action.h"

struct resource_wish {
	const char *type, *id, *zone; /* zone may be NULL */
};

/* Checks the wish for the service and fills the row, which the caller puts. The load balancer must not change
 * until the call commits. */
int resource_check(struct call *call, const struct service *service, const struct resource_wish *wish,
		   struct service_resource *ret);

/* The service's resource that is this zone of the load balancer; borrowed. NULL: it has none. */
const struct service_resource *resource_find(const struct call *call, const char *service,
					     const char *resource, const char *zone);

/* Whether a zone of the service's endpoints is connected to it, or on its way, or is being taken from it. */
bool resource_in_use(const struct call *call, const struct service_resource *resource);

/* Takes it out of its service. A zone that has resources has one that is allocated automatically: where none
 * is left, the oldest one becomes so. */
void resource_detach(struct call *call, const struct service_resource *resource);
