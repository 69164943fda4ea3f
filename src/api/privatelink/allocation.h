/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which load balancer serves a zone of an endpoint.
 */
#pragma once

#include "../frame/action.h"

/* The load balancer that a zone of an endpoint gets: of those that serve the zone and are given out
 * automatically, the one with the fewest endpoints; of equal ones the first. NULL: there is none. */
const struct service_resource *allocate_resource(const struct call *call, const char *service,
						 const char *zone);
/* Whether the service has any resource in the zone. */
bool service_serves_zone(const struct call *call, const char *service, const char *zone);
