/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which load balancer serves a zone of an endpoint.
 */
#pragma once

#include "../frame/action.h"

/* The zones of one endpoint that get load balancers in one call. */
struct allocation {
	const struct endpoint *endpoint;
	const struct service *service;
	const struct service_resource *given[ENDPOINT_ZONES_MAX];
	size_t n_given;
};

/* What a zone is to be served by: of those that are given out automatically and serve the zone, or, where the
 * service is in another region, any of its zones, the one with the fewest endpoints; of equal ones the first.
 * The zones of an endpoint of another region are spread over the service's zones before that. NULL: there is
 * none. */
const struct service_resource *allocate_resource(const struct call *call, struct allocation *allocation,
						 const char *zone);
/* Whether the service has any resource for a zone of the endpoint. */
bool service_serves_zone(const struct call *call, const struct allocation *allocation, const char *zone);

/* The next zone of an endpoint, of whatever service and region, that has the load balancer in the resource's
 * zone by the reference (REF_ENDPOINT_ZONE_RESOURCE, or …_REPLACED_RESOURCE); NULL: there is no other. */
const struct endpoint_zone *allocation_next(const struct call *call, enum ref ref,
					    const struct service_resource *resource,
					    const struct endpoint_zone *previous);
/* How many there are of these. */
size_t allocation_count(const struct call *call, enum ref ref, const struct service_resource *resource);
