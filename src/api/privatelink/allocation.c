/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which load balancer a zone of an endpoint gets.
 */
#include "allocation.h"

#include "../../model/state.h"
#include "../common/limits.h"

static bool serves(const struct call *call, const struct service_resource *resource, const char *zone)
{
	const struct load_balancer *balancer;

	if (!streq(resource->zone, zone))
		return false;
	balancer = snapshot_load_balancer(call->rows, resource->resource);
	return balancer && balancer->status != LB_DELETING;
}

struct candidate {
	const struct service_resource *resource;
	bool is_shifted;
	size_t n_endpoints;
};

static bool is_shifted(const struct call *call, const struct service_resource *resource)
{
	const struct load_balancer *balancer = snapshot_load_balancer(call->rows, resource->resource);

	return balancer && load_balancer_is_shifted(balancer, resource->zone);
}

/* One whose zone is in names goes before one whose zone is not; then the one with fewer endpoints. */
static bool is_better(const struct candidate *a, const struct candidate *b)
{
	if (a->is_shifted != b->is_shifted)
		return b->is_shifted;
	return a->n_endpoints < b->n_endpoints;
}

const struct service_resource *allocate_resource(const struct call *call, const char *service,
						 const char *zone)
{
	struct candidate best = {};

	for (const struct service_resource *r = NULL;
	     (r = snapshot_children(call->rows, REF_SERVICE_RESOURCE_SERVICE, service, r));) {
		struct candidate candidate = {.resource = r};

		if (!r->auto_allocated || !serves(call, r, zone))
			continue;
		candidate.is_shifted = is_shifted(call, r);
		/* In the zone, of whatever service. */
		candidate.n_endpoints =
			snapshot_count_children_in(call->rows, REF_ENDPOINT_ZONE_RESOURCE, r->resource, zone);
		if (!best.resource || is_better(&candidate, &best))
			best = candidate;
	}
	return best.resource;
}

bool service_serves_zone(const struct call *call, const char *service, const char *zone)
{

	for (const struct service_resource *r = NULL;
	     (r = snapshot_children(call->rows, REF_SERVICE_RESOURCE_SERVICE, service, r));)
		if (serves(call, r, zone))
			return true;
	return false;
}
