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

static size_t find_candidates(const struct call *call, const char *service, const char *zone,
			      struct candidate ret[RESOURCES_PER_SERVICE_ZONE_MAX])
{
	size_t n = 0;

	for (const struct service_resource *r = NULL;
	     n < RESOURCES_PER_SERVICE_ZONE_MAX &&
	     (r = snapshot_children(call->rows, REF_SERVICE_RESOURCE_SERVICE, service, r));)
		if (r->auto_allocated && serves(call, r, zone))
			ret[n++] = (struct candidate){.resource = r, .is_shifted = is_shifted(call, r)};
	return n;
}

/* In the zone, of whatever service. */
static void count_endpoints(const struct call *call, const char *zone, struct candidate *candidates, size_t n)
{
	for (size_t i = 0; i < n; i++)
		candidates[i].n_endpoints = snapshot_count_children_in(
			call->rows, REF_ENDPOINT_ZONE_RESOURCE, candidates[i].resource->resource, zone);
}

const struct service_resource *allocate_resource(const struct call *call, const char *service,
						 const char *zone)
{
	struct candidate candidates[RESOURCES_PER_SERVICE_ZONE_MAX], *best = &candidates[0];
	size_t n = find_candidates(call, service, zone, candidates);

	if (n == 0)
		return NULL;
	count_endpoints(call, zone, candidates, n);
	for (size_t i = 1; i < n; i++)
		if (is_better(&candidates[i], best))
			best = &candidates[i];
	return best->resource;
}

bool service_serves_zone(const struct call *call, const char *service, const char *zone)
{

	for (const struct service_resource *r = NULL;
	     (r = snapshot_children(call->rows, REF_SERVICE_RESOURCE_SERVICE, service, r));)
		if (serves(call, r, zone))
			return true;
	return false;
}
